"""Written authorisations (书面授权): what a person may decide of an item at a window, from when to
when. The head of the organ issues and ends them; nothing else lets a window decide.

An authorisation is for one person, one item and one window (or every window of the organ in a
hall); it is never changed, only ended. The number of its paper and the reason of its end are free
text: they stand in erasable contents, the number in the head besides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Q, QuerySet
from psycopg.errors import ExclusionViolation

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.catalog import queries
from zhengwu.catalog.events import AUTHORISATIONS
from zhengwu.catalog.models import Authorisation as Head
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.catalog.services import SHANGHAI
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.halls import queries as halls
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

ISSUE, SEE = "authorise.issue", "authorise.see"
SOURCE = "catalog"
GRANTED, REFUSED = "granted", "refused"
POWERS_ZH: Mapping[str, str] = {GRANTED: "准予", REFUSED: "不予"}
STATUS_ZH: Mapping[str, str] = {
    "standing": "有效", "coming": "未到起始日", "expired": "已到期", "ended": "已终止",
}  # fmt: skip
NUMBER, REASON = 80, 500  # most characters
PAGE = 20
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


class AuthorisationNotFound(LookupError):
    """There is none of this id, or it is another organ's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An authorisation to be issued. window: "" for every window of the agency in the hall.

    powers: granted, refused or both. until: the last day; None: until it is ended.
    """

    agency: str
    hall: str
    window: str
    item: str
    person: str
    powers: frozenset[str]
    since: date
    until: date | None
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """One authorisation as it stands. until: the last day; ended_on: the first day without it."""

    id: UUID
    version: int
    agency: str
    hall: str
    window: str
    item: str
    person: str
    powers: frozenset[str]
    since: date
    until: date | None
    number: str
    issued_by: str
    issued: datetime
    ended_on: date | None
    ended_by: str | None

    def status(self, on: date) -> str:
        """standing, coming, expired or ended on a day."""
        if self.ended_on is not None and self.ended_on <= on:
            return "ended"
        if on < self.since:
            return "coming"
        if self.until is not None and self.until < on:
            return "expired"
        return "standing"

    @property
    def powers_zh(self) -> str:
        return "、".join(zh for power, zh in POWERS_ZH.items() if power in self.powers)


# --- asking ------------------------------------------------------------------------------------


def standing(
    person: str, *, item: str, hall: str, window: str, outcome: str | None = None, on: date
) -> Authorisation | None:
    """What lets this person decide this item at this window on this day, None if nothing does.

    outcome: granted or refused; None asks for either. One query, of an index.
    """
    found = _standing(Head.objects.filter(person=person, item=item, hall=hall), on)
    found = found.filter(window__in=("", window))
    if outcome is not None:
        found = found.filter(_power(outcome))
    first = found.order_by("since").first()
    return _authorisation(first) if first else None


def why_not(person: str, *, item: str, hall: str, window: str, outcome: str, on: date) -> Refusal:
    """Why nothing lets this person decide so here today: the exact rule, and what to do.

    Asked after `standing` said no; raises ValueError where one stands.
    """
    of_item = [_authorisation(one) for one in Head.objects.filter(person=person, item=item)]
    here = [one for one in of_item if one.hall == hall and one.window in ("", window)]
    today = [one for one in here if one.status(on) == "standing"]
    if any(outcome in one.powers for one in today):
        raise ValueError("an authorisation stands")
    ask = "请移交给有授权的人员，或者请机关负责人签发书面授权。"
    if today:
        only = today[0]
        return Refusal(
            "authorisation.power",
            f"您的书面授权（{only.number}）只到“{only.powers_zh}”，不含"
            f"“{POWERS_ZH[outcome]}”。{ask}",
        )
    if coming := sorted(
        (one for one in here if one.status(on) == "coming"), key=lambda one: one.since
    ):
        return Refusal(
            "authorisation.coming",
            f"您的书面授权（{coming[0].number}）从 {_day(coming[0].since)}起才有效，今天还不能"
            f"当场决定。{ask}",
        )
    if gone := sorted((one for one in here), key=_last_day):
        last = gone[-1]
        if last.status(on) == "ended" and last.ended_on is not None:
            return Refusal(
                "authorisation.ended",
                f"您的书面授权（{last.number}）已于 {_day(last.ended_on)}终止。{ask}",
            )
        return Refusal(
            "authorisation.expired",
            f"您的书面授权（{last.number}）到 {_day(last.until or on)}为止，已经到期。{ask}",
        )
    if elsewhere := [one for one in of_item if one.status(on) == "standing"]:
        return Refusal(
            "authorisation.other_window",
            f"您对这个事项的书面授权（{elsewhere[0].number}）只在"
            f"{place_zh(elsewhere[0].hall, elsewhere[0].window)}有效，不在现在这个窗口。{ask}",
        )
    return Refusal(
        "authorisation.none",
        f"您没有在这个窗口决定这个事项的书面授权。{ask}",
    )


def place_zh(hall: str, window: str) -> str:
    """B23 窗口, or every window of the organ in a hall, in words."""
    if window:
        return f" {window} 窗口"
    found = halls.hall(hall)
    return f"{found.name if found else hall}的本机关窗口"


def _day(day: date) -> str:
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def _last_day(one: Authorisation) -> date:
    days = [day for day in (one.until, one.ended_on) if day is not None]
    return min(days, default=LATEST)


def _standing(found: QuerySet[Head], on: date) -> QuerySet[Head]:
    return found.filter(
        Q(until__isnull=True) | Q(until__gte=on),
        Q(ended_on__isnull=True) | Q(ended_on__gt=on),
        since__lte=on,
    )


def _power(outcome: str) -> Q:
    if outcome == GRANTED:
        return Q(may_grant=True)
    if outcome == REFUSED:
        return Q(may_refuse=True)
    raise ValueError(f"{outcome} is no outcome of a decision")


def _authorisation(head: Head) -> Authorisation:
    powers = {GRANTED: head.may_grant, REFUSED: head.may_refuse}
    return Authorisation(
        id=head.id,
        version=head.version,
        agency=head.agency,
        hall=head.hall,
        window=head.window,
        item=head.item,
        person=head.person,
        powers=frozenset(power for power, has in powers.items() if has),
        since=head.since,
        until=head.until,
        number=head.number,
        issued_by=head.issued_by,
        issued=head.issued,
        ended_on=head.ended_on,
        ended_by=head.ended_by,
    )


# --- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """An authorisation in a list. at_post: the person holds a window post of the organ there."""

    paper: Authorisation
    item_name: str
    person_name: str
    place: str
    status: str
    at_post: bool

    @property
    def status_zh(self) -> str:
        return STATUS_ZH[self.status]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of authorisations. counts: by filter (standing, coming, ended), whatever is shown."""

    lines: tuple[Line, ...]
    total: int
    page: int
    pages: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Whole:
    """An authorisation with who issued and ended it.

    reason: None where there is none, or none any more. left: who else may decide the item today.
    """

    line: Line
    issued_by: str
    ended_by: str
    reason: str | None
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mine:
    """What one person may decide. lines: what stands today first; without: items of the organ
    that are decided at once, and not by this person today."""

    lines: tuple[Line, ...]
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a form of the head offers: (value, words). place: agency/hall/window."""

    people: tuple[tuple[str, str], ...]
    places: tuple[tuple[str, str], ...]
    items: tuple[tuple[str, str], ...]


def listed(
    by: Actor, *, on: date, status: str = "", q: str = "", page: int = 1, size: int = PAGE
) -> Found:
    """The authorisations of the head's organ, by window and item. status: standing, coming or
    ended (also: expired); anything else means all. q: in number, item, person or window.
    """
    agencies = accounts.reach(by, ISSUE).agencies
    own = _search(Head.objects.filter(agency__in=agencies), q)
    kinds = {name: _in_status(own, name, on) for name in ("standing", "coming", "ended")}
    counts = {name: found.count() for name, found in kinds.items()}
    total = counts.get(status, sum(counts.values()))
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)
    rows = kinds.get(status, own).order_by("hall", "window", "item", "person", "-since", "id")
    shown = _lines(rows[(page - 1) * size : page * size], on=on)
    return Found(shown, total, page, pages, counts)


def mine(by: Actor, *, on: date) -> Mine:
    """What was ever authorised to this person, and what was not."""
    order = list(STATUS_ZH)
    found = Head.objects.filter(person=by.code).order_by("item", "-since", "id")
    lines = sorted(_lines(found, on=on), key=lambda line: order.index(line.status))
    may = {line.paper.item for line in lines if line.status == "standing" and line.at_post}
    agencies = {post.agency for post in by.posts if post.kind == "window"}
    without = tuple(
        item.name
        for item in queries.receivable(agencies, on)
        if item.kind == "immediate" and item.code not in may
    )
    return Mine(tuple(lines), without)


def unauthorised(by: Actor, *, on: date) -> tuple[ItemVersionRow, ...]:
    """Immediate items of the head's organ that no window may grant on a day (没有授权的事项).

    By name. An authorisation whose person no longer holds a window post there lets nobody decide.
    """
    own = accounts.reach(by, ISSUE).agencies
    staff = {(agency, held.person, held.hall) for agency in own
             for held in accounts.window_staff(agency)}  # fmt: skip
    papers = _standing(Head.objects.filter(agency__in=own, may_grant=True), on)
    covered = {
        (agency, item)
        for agency, item, person, hall in papers.values_list("agency", "item", "person", "hall")
        if (agency, person, hall) in staff
    }
    return tuple(
        item
        for item in queries.receivable(own, on)
        if item.kind == "immediate" and (item.agency, item.code) not in covered
    )


def whole(by: Actor, identifier: UUID, *, on: date) -> Whole:
    """One authorisation of the head's organ whole. Raises AuthorisationNotFound."""
    found = one(by, identifier)
    (line,) = _lines(Head.objects.filter(id=identifier), on=on)
    people = accounts.names(people=(found.issued_by, found.ended_by))
    others = _standing(Head.objects.filter(agency=found.agency, item=found.item), on)
    also = _lines(others.exclude(id=identifier).order_by("person"), on=on)
    left = tuple(dict.fromkeys(one.person_name for one in also if one.at_post))
    reason = None
    if found.ended_on is not None:
        last = ledger_queries.stream_events(AUTHORISATIONS, identifier)[-1]
        kept = ledger_queries.content(last.body["reason"]["content"])
        reason = str(kept.data) if kept and kept.data is not None else None
    return Whole(line, people.person(found.issued_by), people.person(found.ended_by), reason, left)


def choices(by: Actor, *, on: date) -> Choices:
    """Who, where and what the head may authorise: window staff, windows, immediate items."""
    agencies = sorted(accounts.reach(by, ISSUE).agencies)
    people: dict[str, str] = {}
    places: dict[str, str] = {}
    for agency in agencies:
        for held in accounts.window_staff(agency):
            if held.person != by.code:
                at = f"{held.window} 窗口" if held.window else "窗口"
                people.setdefault(held.person, f"{held.name}（{at} {held.part} 岗）")
        windows = halls.windows_of(agency)
        for hall in dict.fromkeys(row.hall for row in windows):
            known = halls.hall(hall)
            name = known.name if known else hall
            for row in windows:
                if row.hall == hall:
                    places[f"{agency}/{hall}/{row.code}"] = f"{row.code} 窗口（{name}）"
            places[f"{agency}/{hall}/"] = f"本机关在{name}的全部窗口"
    items = queries.receivable(agencies, on)
    return Choices(
        tuple(people.items()),
        tuple(places.items()),
        tuple((one.code, one.name) for one in items if one.kind == "immediate"),
    )


def _lines(found: Iterable[Head], *, on: date) -> tuple[Line, ...]:
    papers = [_authorisation(one) for one in found]
    people = accounts.names(people=(one.person for one in papers))
    items = queries.names(one.item for one in papers)
    staff = {(agency, held.person, held.hall) for agency in {one.agency for one in papers}
             for held in accounts.window_staff(agency)}  # fmt: skip
    places = {key: place_zh(*key).strip() for key in {(one.hall, one.window) for one in papers}}
    return tuple(
        Line(
            paper=one,
            item_name=items[one.item],
            person_name=people.person(one.person),
            place=places[one.hall, one.window],
            status=one.status(on),
            at_post=(one.agency, one.person, one.hall) in staff,
        )
        for one in papers
    )


def _in_status(found: QuerySet[Head], status: str, on: date) -> QuerySet[Head]:
    if status == "standing":
        return _standing(found, on)
    stopped = Q(ended_on__lte=on) | Q(until__lt=on)
    if status == "coming":
        return found.exclude(pk__in=found.filter(stopped).values("pk")).filter(since__gt=on)
    return found.filter(stopped)


def _search(found: QuerySet[Head], q: str) -> QuerySet[Head]:
    """All words must be found, each in the number, the item, the person or the window."""
    words = q.split()[:8]
    if not words:
        return found
    items = queries.names(found.values_list("item", flat=True).distinct())
    people = accounts.names(people=found.values_list("person", flat=True).distinct()).people
    for word in words:
        named = [code for code, name in items.items() if word in name]
        who = [code for code, name in people.items() if word in name]
        found = found.filter(
            Q(number__icontains=word)
            | Q(item__iexact=word)
            | Q(window__iexact=word)
            | Q(item__in=named)
            | Q(person__in=who)
        )
    return found


# --- issuing and ending ------------------------------------------------------------------------


def issue(by: Actor, draft: Draft, *, key: str, at: datetime) -> Authorisation:
    """Issue one authorisation (签发授权书). Raises Refusals; the same key gives the same answer."""
    return issue_all(by, [draft], key=key, at=at)[0]


def issue_all(
    by: Actor, drafts: Sequence[Draft], *, key: str, at: datetime
) -> tuple[Authorisation, ...]:
    """Issue several under one key, all or none. Raises Refusals with the fields of a form.

    Fields: person, place (hall and window), items, powers, since, until, number.
    """
    if not drafts:
        raise Refusals([Refusal("authorisation.items", "请至少勾选一个事项。", field="items")])
    request = _digest(drafts)
    keys = [f"authorisation:{key}:{number}" for number in range(len(drafts))]
    if (first := ledger_queries.answer(SOURCE, keys[0])) is not None:
        if first.request != request:
            raise Refusal(
                "ledger.key_reused", "这次提交的编号已经用于另一项内容，请刷新页面后重新提交。"
            )
        return _by_keys(keys)
    faults = _faults(by, drafts, today=at.astimezone(SHANGHAI).date())
    if faults:
        raise Refusals(faults)
    rows = [
        _row(by, draft, key=one, request=request, at=at)
        for draft, one in zip(drafts, keys, strict=True)
    ]
    try:
        ledger.append(AUTHORISATIONS, rows, whole=True)
    except IntegrityError as problem:
        # Another head, or the same one in another tab, was faster by a moment.
        if isinstance(problem.__cause__, ExclusionViolation):
            raise Refusals(_overlaps(drafts) or [_twice()]) from None
        raise
    return _by_keys(keys)


def end(
    by: Actor, identifier: UUID, *, reason: str, version: int, key: str, at: datetime
) -> Authorisation:
    """End an authorisation (终止授权): from this moment it lets nobody decide.

    Raises AuthorisationNotFound, or Refusal where it was ended before or gives no reason. version:
    that which the head saw.
    """
    before = one(by, identifier)
    reason = reason.strip()
    if not reason:
        raise Refusal("authorisation.reason", "请写明为什么终止。", field="reason")
    if len(reason) > REASON:
        raise Refusal(
            "authorisation.reason_long",
            f"理由最多 {REASON} 个字，现在有 {len(reason)} 个。",
            field="reason",
        )
    if not _fit(reason):
        raise Refusal("authorisation.control", UNFIT, field="reason")
    today = at.astimezone(SHANGHAI).date()
    row = ledger.Row(
        stream_id=identifier,
        expected=version,
        event=ledger.NewEvent(
            kind="ended",
            occurred=at,
            actor=by.code,
            agency=before.agency,
            source=SOURCE,
            key=f"authorisation:{key}",
            request=hashlib.sha256(f"{identifier} {reason}".encode()).digest(),
            body={"on": today.isoformat()},
        ),
        head={"ended": at, "ended_on": today, "ended_by": by.code},
        contents=(ledger.Content(path=("reason",), data=reason),),
    )
    # Whoever comes second finds it ended; the first reason stands.
    if before.ended_on is not None and ledger_queries.answer(SOURCE, row.event.key) is None:
        raise _ended(before)
    try:
        ledger.append(AUTHORISATIONS, [row], whole=True)
    except ledger.Stale:
        raise _ended(one(by, identifier)) from None
    return one(by, identifier)


UNFIT = "内容里有不可见的控制字符。请删去以后再提交。"


def _ended(found: Authorisation) -> Refusal:
    if found.ended_on is None:
        return Refusal("authorisation.moved", "这份授权刚刚有变动。请重新打开这一页再终止。")
    return Refusal(
        "authorisation.ended_already",
        f"这份授权已经在 {_day(found.ended_on)}终止，不用再终止。",
    )


def _twice() -> Refusal:
    return Refusal(
        "authorisation.twice", "刚刚有一份期间重叠的授权签发了。请刷新以后核对。", field="items"
    )


def _faults(by: Actor, drafts: Sequence[Draft], *, today: date) -> list[Refusal]:
    """Everything that is wrong with a form of drafts, each told once."""
    told: dict[tuple[str, str], Refusal] = {}
    for draft in drafts:
        for fault in (*_of_place(by, draft), *_of_paper(draft), *_of_item(draft, today=today)):
            told.setdefault((fault.code, fault.sentence), fault)
    if len({draft.item for draft in drafts}) < len(drafts) and len(
        {(d.item, d.person, d.hall, d.window) for d in drafts}
    ) < len(drafts):
        told["twice", ""] = Refusal(
            "authorisation.listed_twice", "同一个事项勾选了两次。", field="items"
        )
    return list(told.values()) or _overlaps(drafts)


def _of_place(by: Actor, draft: Draft) -> Iterable[Refusal]:
    if draft.agency not in accounts.reach(by, ISSUE).agencies:
        yield Refusal(
            "authorisation.not_head",
            "书面授权由本机关负责人签发。您不是这个机关的负责人，不能签发。",
        )
        return
    if draft.person == by.code:
        yield Refusal(
            "authorisation.oneself",
            "不能给自己授权。您本人要决定的，请按负责人的岗位办理。",
            field="person",
        )
        return
    posts = [held for held in accounts.window_staff(draft.agency) if held.person == draft.person]
    if not posts:
        yield Refusal(
            "authorisation.not_at_window",
            "这个人现在没有本机关的窗口岗位，不能授权。请先安排窗口岗位，或者另选一人。",
            field="person",
        )
    elif not any(held.hall == draft.hall for held in posts):
        yield Refusal(
            "authorisation.other_hall",
            "这个人的窗口岗位不在这个大厅。请选岗位所在的大厅和窗口。",
            field="place",
        )
    own = {(row.hall, row.code) for row in halls.windows_of(draft.agency)}
    known = draft.hall in {hall for hall, _ in own}
    if not known or (draft.window and (draft.hall, draft.window) not in own):
        yield Refusal(
            "authorisation.window",
            "这不是本机关的窗口。请从列表里选窗口。",
            field="place",
        )


def _of_paper(draft: Draft) -> Iterable[Refusal]:
    if not draft.powers or not draft.powers <= POWERS_ZH.keys():
        yield Refusal(
            "authorisation.powers", "请勾选可以作出的决定：准予、不予，至少一项。", field="powers"
        )
    if not EARLIEST <= draft.since <= LATEST:
        yield Refusal(
            "authorisation.since", "起始日请填写 2000 年到 2100 年之间的日期。", field="since"
        )
    if draft.until is not None and draft.until < draft.since:
        yield Refusal("authorisation.dates", "截止日早于起始日。请改一下日期。", field="until")
    elif draft.until is not None and draft.until > LATEST:
        yield Refusal(
            "authorisation.until", "截止日请填写 2100 年以前的日期，或者不填。", field="until"
        )
    if not draft.number.strip():
        yield Refusal(
            "authorisation.number", "请填写授权书文号：授权要有书面文件。", field="number"
        )
    elif len(draft.number) > NUMBER:
        yield Refusal(
            "authorisation.number_long",
            f"授权书文号最多 {NUMBER} 个字，现在有 {len(draft.number)} 个。",
            field="number",
        )
    elif not _fit(draft.number):
        yield Refusal("authorisation.control", UNFIT, field="number")


def _of_item(draft: Draft, *, today: date) -> Iterable[Refusal]:
    item = queries.in_force(draft.item, max(draft.since, today)) if _fit(draft.item) else None
    if item is None:
        yield Refusal(
            "authorisation.item", "有一个事项不存在或者不在施行期间。请重新勾选。", field="items"
        )
    elif item.agency != draft.agency:
        yield Refusal(
            "authorisation.item_agency",
            f"“{item.name}”不是本机关的事项，不能授权。",
            field="items",
        )
    elif item.kind != "immediate":
        # Nothing quietly does nothing: such a paper would let nobody decide anything.
        yield Refusal(
            "authorisation.not_immediate",
            f"“{item.name}”是{item.kind_zh}，要经过审查和决定的环节，窗口不当场决定。"
            "书面授权只用于即办件。",
            field="items",
        )


def _overlaps(drafts: Iterable[Draft]) -> list[Refusal]:
    """What stands already on a day of a draft, for the same person, item and window."""
    faults = []
    for draft in drafts:
        found = Head.objects.filter(
            Q(until__isnull=True) | Q(until__gte=draft.since),
            person=draft.person, item=draft.item, hall=draft.hall, ended__isnull=True,
        )  # fmt: skip
        if draft.until is not None:
            found = found.filter(since__lte=draft.until)
        if draft.window:
            found = found.filter(window__in=("", draft.window))
        if (other := found.order_by("since").first()) is not None:
            name = queries.names([draft.item])[draft.item]
            last = f"到 {_day(other.until)}" if other.until else "没有截止日"
            faults.append(
                Refusal(
                    "authorisation.overlap",
                    f"“{name}”已经有一份授权（{other.number}，从 {_day(other.since)}，{last}），"
                    "期间重叠。请先终止那一份，或者改期间。",
                    field="items",
                )
            )
    return faults


def _fit(text: str) -> bool:
    try:
        ledger.check_json(text)
    except ledger.UnfitBody:
        return False
    return text.isprintable() or all(letter.isprintable() or letter in "\n\t" for letter in text)


def _digest(drafts: Sequence[Draft]) -> bytes:
    listed = [_body(draft) | {"number": draft.number} for draft in drafts]
    text = json.dumps(listed, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).digest()


def _body(draft: Draft) -> dict[str, Any]:
    return {
        "item": draft.item,
        "hall": draft.hall,
        "window": draft.window,
        "person": draft.person,
        "powers": sorted(draft.powers),
        "since": draft.since.isoformat(),
        "until": draft.until.isoformat() if draft.until else None,
    }


def _row(by: Actor, draft: Draft, *, key: str, request: bytes, at: datetime) -> ledger.Row:
    return ledger.Row(
        stream_id=ledger.uuid7(),
        expected=0,
        event=ledger.NewEvent(
            kind="issued",
            occurred=at,
            actor=by.code,
            agency=draft.agency,
            source=SOURCE,
            key=key,
            request=request,
            body=_body(draft),
        ),
        head={
            "agency": draft.agency,
            "hall": draft.hall,
            "window": draft.window,
            "item": draft.item,
            "person": draft.person,
            "may_grant": GRANTED in draft.powers,
            "may_refuse": REFUSED in draft.powers,
            "since": draft.since,
            "until": draft.until,
            "number": draft.number.strip(),
            "issued_by": by.code,
            "issued": at,
        },
        contents=(ledger.Content(path=("paper",), data=draft.number.strip()),),
    )


def _by_keys(keys: Sequence[str]) -> tuple[Authorisation, ...]:
    ids = [answer.stream_id for key in keys if (answer := ledger_queries.answer(SOURCE, key))]
    found = {one.id: _authorisation(one) for one in Head.objects.filter(id__in=ids)}
    return tuple(found[identifier] for identifier in ids)


def one(by: Actor, identifier: UUID) -> Authorisation:
    """An authorisation of the head's organ. Raises AuthorisationNotFound."""
    agencies = accounts.reach(by, ISSUE).agencies
    found = Head.objects.filter(id=identifier, agency__in=agencies).first()
    if found is None:
        raise AuthorisationNotFound(str(identifier))
    return _authorisation(found)
