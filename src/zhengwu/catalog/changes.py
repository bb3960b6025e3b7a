"""From a draft to the list (事项变更): drafting, checking, approving, publishing; previews.

`domain.publishing` says which step follows which and who may. Every step is an event of the change's
own stream; the draft's content stands in its head, the events carry its digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, AgencyRow
from zhengwu.catalog import queries, services
from zhengwu.catalog.comparing import PLACE
from zhengwu.catalog.events import CHANGES
from zhengwu.catalog.models import Change as Head
from zhengwu.catalog.models import Item, ItemVersion
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.catalog.services import SHANGHAI, Outcome, Release
from zhengwu.domain import guide, publishing
from zhengwu.domain.guide import LISTS_ZH, Level
from zhengwu.domain.publishing import OPEN, PURPOSES_ZH, STATES_ZH, Act
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.halls import queries as halls
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

SOURCE = "catalog"
SEE, DRAFT = "catalog.see", "catalog.draft"
REASON = 500
NUMBER = 80
PAGE = 50
ABOVE: Mapping[Level, Level] = {Level.IMPLEMENTATION: Level.CITY, Level.CITY: Level.PROVINCE}
PROVINCE = "420000"
WAITING, OPEN_ONES = "waiting", "open"  # beside the states, in the list
ASIDE = ("returned", "withdrawn")  # beside the way to publication
LATEST = date(2100, 1, 1)


class ChangeNotFound(Exception):
    """There is no such change, or not for this actor."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change as it stands (事项变更). onto: the version it was drafted on, 0 for a new item."""

    id: UUID
    version: int
    state: str
    purpose: str
    item: str
    base: str
    level: Level
    region: str
    agency: str
    agency_name: str
    above: str
    name: str
    onto: int
    own: Mapping[str, Any]
    since: date | None
    transition: bool
    drafted_by: str
    last_by: str
    list_number: str
    list_date: date | None
    batch: str
    published: int | None
    updated: datetime

    @property
    def state_zh(self) -> str:
        return STATES_ZH[self.state]

    @property
    def purpose_zh(self) -> str:
        return PURPOSES_ZH[self.purpose]

    @property
    def level_zh(self) -> str:
        return LISTS_ZH[self.level]

    @property
    def open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a change's story (经过)."""

    zh: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another change in the air that touches the same item, or the list above or below it."""

    change: Change
    sentence: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing a change would do (发布预览). main: of the change itself; following: of what
    stands below; faults: why it cannot be published now."""

    main: Outcome
    following: tuple[Outcome, ...]
    differences: tuple[guide.Change, ...]
    faults: tuple[Refusal, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def unlawful(self) -> tuple[Outcome, ...]:
        return tuple(one for one in self.following if one.faults)


# --- reading: one filter ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far one may go: everywhere, or these agencies and whatever lies in these regions."""

    everywhere: bool
    agencies: frozenset[str]
    regions: frozenset[str]

    def holds(self, agency: str, region: str) -> bool:
        return self.everywhere or agency in self.agencies or region in self.regions

    def filter(self) -> Q:
        if self.everywhere:
            return Q()
        return Q(agency__in=self.agencies) | Q(region__in=self.regions)


def _reaches(actor: Actor, acts: Iterable[str]) -> dict[str, _Reach]:
    """How far this actor may do each of these: own agency, the hall's region, or all."""
    found = {act: accounts.reach(actor, act) for act in acts if actor.may(act)}
    wanted = {hall for reach in found.values() for hall in reach.halls}
    places = {row.code: row.region for row in halls.halls()} if wanted else {}
    made = {}
    for act, reach in found.items():
        regions = frozenset(places[hall] for hall in reach.halls if hall in places)
        everywhere = reach.everything or accounts.CITY in regions
        made[act] = _Reach(everywhere, reach.agencies, regions)
    return made


def visible(actor: Actor) -> QuerySet[Head]:
    """What this actor may read; a draft is seen by its organ and by those who decide on it."""
    if (reach := _reaches(actor, [SEE]).get(SEE)) is None:
        return Head.objects.none()
    return Head.objects.filter(reach.filter())


def seen(actor: Actor, listed_: Iterable[Change]) -> frozenset[UUID]:
    """Those of these changes that this actor may read."""
    reach = _reaches(actor, [SEE]).get(SEE)
    if reach is None:
        return frozenset()
    return frozenset(one.id for one in listed_ if reach.holds(one.agency, one.region))


def _waiting(actor: Actor, reaches: Mapping[str, _Reach]) -> Q:
    """The changes whose next step this actor may take (等我办理)."""
    found = Q(pk__in=[])
    for act in publishing.ACTS:
        if act.code in ASIDE:
            continue
        if act.before and (reach := reaches.get(act.may)) is not None:
            mine = Q(state__in=sorted(act.before)) & reach.filter()
            if act.may == DRAFT:  # of all drafts within reach, those of the own organ
                mine &= Q(drafted_by=actor.code) | Q(agency__in=reach.agencies)
            if act.second:
                mine &= ~Q(drafted_by=actor.code) & ~Q(last_by=actor.code)
            found |= mine
    return found


def one(actor: Actor, identifier: UUID) -> Change:
    """A change. Raises ChangeNotFound."""
    found = visible(actor).filter(id=identifier).first()
    if found is None:
        raise ChangeNotFound(str(identifier))
    return _rows([found])[0]


def some(actor: Actor, identifiers: Iterable[UUID]) -> tuple[Change, ...]:
    """Those of these changes that this actor may read."""
    return _rows(visible(actor).filter(id__in=list(identifiers)))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of changes, the latest first."""

    rows: tuple[Change, ...]
    total: int
    page: int
    pages: int


def listed(
    actor: Actor, *, state: str = "", q: str = "", item: str = "", batch: str = "", page: int = 1
) -> Page:
    """The changes that this actor sees. state: one state, "open" or ""."""
    found = visible(actor)
    if item:
        found = found.filter(item=item)
    return _listed(found, Q(), state=state, q=q, batch=batch, page=page)


def _listed(
    found: QuerySet[Head], waiting: Q, *, state: str, q: str, batch: str, page: int
) -> Page:
    if state == WAITING:
        found = found.filter(waiting)
    elif state == OPEN_ONES:
        found = found.filter(~Q(state__in=["published", "withdrawn"]))
    elif state:
        found = found.filter(state=state)
    if batch:
        found = found.filter(batch=batch)
    for word in q.split()[:8]:
        found = found.filter(Q(name__icontains=word) | Q(item__icontains=word))
    ordered = found.order_by("-updated", "id")
    rows = list(ordered[: PAGE + 1]) if page <= 1 else []
    total = len(rows) if 0 < len(rows) <= PAGE else found.count()
    pages = max(1, -(-total // PAGE))
    page = min(max(1, page), pages)
    if page > 1:
        rows = list(ordered[(page - 1) * PAGE : page * PAGE])
    return Page(_rows(rows[:PAGE]), total, page, pages)


def _counts(found: QuerySet[Head], waiting: Q) -> dict[str, int]:
    """How many stand in each state; "waiting": for whose step they wait."""
    made: dict[str, int] = {WAITING: 0}
    rows = found.values_list("state").annotate(n=Count("id"), mine=Count("id", filter=waiting))
    for state, number, mine in rows.order_by("state"):
        made[state] = number
        made[WAITING] += mine
    return made


@dataclass(frozen=True, slots=True)
class Desk:
    """The work list (待办): what is asked for, how many in each state, and the steps of each row
    that are this actor's. state: the one shown; where none was asked for, what waits comes first."""

    state: str
    counts: Mapping[str, int]
    batches: tuple[str, ...]
    page: Page
    acts: Mapping[UUID, tuple[Act, ...]]


def desk(actor: Actor, *, state: str, q: str, batch: str, page: int) -> Desk:
    """The work list, asked once."""
    reaches = _reaches(actor, {SEE, *(act.may for act in publishing.ACTS if act.may)})
    see = reaches.get(SEE)
    found = Head.objects.filter(see.filter()) if see else Head.objects.none()
    waiting = _waiting(actor, reaches)
    numbers = _counts(found, waiting)
    if state not in {WAITING, OPEN_ONES, *STATES_ZH}:
        state = WAITING if numbers[WAITING] else OPEN_ONES
    groups = found.exclude(batch="").values("batch").annotate(last=Max("updated"))
    batches = tuple(row["batch"] for row in groups.order_by("-last")[:PAGE])
    batch = batch if batch in batches else ""
    shown = _listed(found, waiting, state=state, q=q, batch=batch, page=page)
    return Desk(state, numbers, batches, shown, _acts_within(actor, shown.rows, reaches))


def released(change: Change) -> tuple[ItemVersionRow, ...]:
    """What was published with it: its own version, then what followed from it, by code."""
    rows = queries.of_change(change.id)
    return tuple(sorted(rows, key=lambda one: (one.code != change.item, one.code)))


def story(change: Change) -> tuple[Step, ...]:
    """What was done with it, in order."""
    events = ledger_queries.stream_events(CHANGES, change.id)
    names = accounts.names(people=(event.actor for event in events))
    wanted = {
        event.id: UUID(event.body["reason"]["content"])
        for event in events
        if "reason" in event.body
    }
    kept = ledger_queries.contents([str(one) for one in wanted.values()])
    texts = {str(identifier): data for identifier, data in kept.items()}
    steps = []
    for event in events:
        told = str(texts.get(str(wanted.get(event.id)), "") or "")
        if event.kind == "listed":
            told = _joined(f"{event.body['number']}，{event.body['on']}", told)
        if event.kind == "published":
            told = _joined(f"第 {event.body['version']} 版，{event.body['since']} 起施行", told)
        steps.append(
            Step(publishing.BY_CODE[event.kind].zh, names.person(event.actor), event.received, told)
        )
    return tuple(steps)


def _joined(fact: str, said: str) -> str:
    return f"{fact}。{said}" if said else fact


def acts(actor: Actor, change: Change) -> tuple[Act, ...]:
    """What this actor can do with it now; what needs another person is left out."""
    return acts_of(actor, [change])[change.id]


def acts_of(actor: Actor, listed_: Iterable[Change]) -> dict[UUID, tuple[Act, ...]]:
    """The same for many, asked together."""
    rows = list(listed_)
    wanted = {
        publishing.permission(act, row.state)
        for row in rows
        for act in publishing.open_acts(row.state)
    }
    return _acts_within(actor, rows, _reaches(actor, wanted))


def _acts_within(
    actor: Actor, rows: Sequence[Change], reaches: Mapping[str, _Reach]
) -> dict[UUID, tuple[Act, ...]]:
    def open_to(change: Change, act: Act) -> bool:
        reach = reaches.get(publishing.permission(act, change.state))
        if reach is None or not reach.holds(change.agency, change.region):
            return False
        try:
            publishing.check(
                act, state=change.state, actor=actor.code, drafted_by=change.drafted_by,
                last_by=change.last_by,
            )  # fmt: skip
        except Refusal:
            return False
        return True

    return {
        row.id: tuple(act for act in publishing.open_acts(row.state) if open_to(row, act))
        for row in rows
    }


def _may(actor: Actor, act: str, change: Change) -> bool:
    reach = _reaches(actor, [act]).get(act)
    return reach is not None and reach.holds(change.agency, change.region)


def _rows(found: Iterable[Head], *, known: Mapping[str, str] | None = None) -> tuple[Change, ...]:
    """known: names of agencies that need not be asked for."""
    heads = list(found)
    asked = {head.agency for head in heads} - set(known or {})
    names = {**(known or {}), **accounts.names(agencies=asked).agencies}
    return tuple(
        Change(
            head.id, head.version, head.state, head.purpose, head.item, head.base,
            Level(head.level), head.region, head.agency, names.get(head.agency, head.agency), head.above,
            head.name, head.onto, head.own, head.since, head.transition, head.drafted_by,
            head.last_by, head.list_number, head.list_date, head.batch, head.published,
            head.updated,
        )
        for head in heads
    )  # fmt: skip


# --- drafting ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """Where a new item belongs. base: of the list it takes up, or a fresh one."""

    code: str
    base: str
    level: Level
    region: str
    agency: str
    above: str = ""


def begin(
    actor: Actor,
    *,
    item: str = "",
    purpose: str = "revise",
    new: NewItem | None = None,
    copy_of: str = "",
    own: Mapping[str, Any] | None = None,
    batch: str = "",
    key: str,
    at: datetime,
) -> UUID:
    """Begin a change (起草): of an item in force, or of a new one, from a copy if wished.

    own: what it says itself; of a new item over what is copied. Raises Refusals; the same key gives
    the same answer.
    """
    request = _digest("begin", item, purpose, str(new), copy_of, dict(own or {}), batch)
    if (found := ledger_queries.answer(SOURCE, key)) is not None:
        return _same(found, request)
    today = at.astimezone(SHANGHAI).date()
    if new is not None:
        given, faults = guide.clean(own or {})
        if faults:
            raise Refusals(faults)
        head = _new_head(new, _copied(copy_of, new, today) | given)
    else:
        head = _head_of(item, purpose, own, today)
    _allow_draft(actor, head)
    identifier = ledger.uuid7()
    row = ledger.Row(
        stream_id=identifier,
        expected=0,
        event=_event(
            actor, "drafted", key=key, request=request, at=at, agency=head["agency"],
            body={"item": head["item"], "purpose": head["purpose"], "onto": head["onto"],
                  "digest": f"sha256:{guide.digest(head['own'])}"},
        ),
        head=head | {
            "state": "drafting", "since": None, "transition": False, "drafted_by": actor.code,
            "last_by": actor.code, "batch": batch, "list_number": "", "updated": at,
        },
    )  # fmt: skip
    ledger.append(CHANGES, [row], whole=True)
    return identifier


def _copied(code: str, new: NewItem, today: date) -> dict[str, Any]:
    """What a new item takes from another: not its name and codes, nor, for another organ, where and
    when it is done. What the list above says, or forbids to depart from, is left to that list."""
    if not code:
        return {}
    found = queries.standing(code, today)
    if found is None:
        raise Refusals(
            [Refusal("change.no_copy", "要复制的事项不在施行。请另选。", field="copy_of")]
        )
    left = {"name", "basic_code", "code", "english", "synonyms", "flow_of"}
    if found.agency != new.agency:
        left |= PLACE
    own = {element: value for element, value in found.whole.items() if element not in left}
    above = queries.standing(new.above, today) if new.above else None
    if above is None:
        return own
    kept, _ = guide.settle(own, above.whole, level=new.level)
    return {element: value for element, value in kept.items() if value != above.whole.get(element)}


def _new_head(new: NewItem, own: Mapping[str, Any]) -> dict[str, Any]:
    faults = []
    if not new.code or len(new.code) > 40 or not _plain(new.code):
        faults.append(
            Refusal(
                "change.code",
                "事项编码由 1 到 40 个字母、数字、点和短横组成。请改正。",
                field="item_code",
            )
        )
    elif Item.objects.filter(code=new.code).exists() or _open().filter(item=new.code).exists():
        faults.append(
            Refusal(
                "change.code_taken",
                f"编码 {new.code} 已经有事项或者草案。请另编。",
                field="item_code",
            )
        )
    agency = accounts.agency(new.agency)
    if agency is None or new.region != _region(new.level, agency):
        faults.append(
            Refusal("change.agency", "请选择在这一级实施这个事项的机关。", field="agency")
        )
    above = Item.objects.filter(code=new.above).first() if new.above else None
    if new.above and (above is None or above.level != ABOVE.get(new.level)):
        faults.append(
            Refusal(
                "change.above",
                "没有这个上级清单事项。请重新选择：实施清单承接市级通用清单，市级通用清单承接省级清单。",
                field="above",
            )
        )
    base = above.base if above else new.base or new.code
    once = above is not None or new.level is not Level.IMPLEMENTATION
    if once and (twin := _same_item(new, base)) is not None:
        faults.append(
            Refusal(
                "change.there",
                f"{LISTS_ZH[new.level]}里已经有这个事项（{twin}）。请修改它，不要另立。",
                field="above" if above else "item_code",
            )
        )
    if faults:
        raise Refusals(faults)
    return {
        "purpose": "new", "item": new.code, "base": base, "level": str(new.level),
        "region": new.region, "agency": new.agency, "above": new.above, "onto": 0,
        "name": str(own.get("name") or _name_above(new.above)), "own": dict(own),
    }  # fmt: skip


def _region(level: Level, agency: AgencyRow) -> str:
    """Where an item of a level lies; "" where this organ has none on that level."""
    if level is Level.IMPLEMENTATION:
        return agency.region
    if agency.region != accounts.CITY:
        return ""
    return accounts.CITY if level is Level.CITY else PROVINCE


def _same_item(new: NewItem, base: str) -> str | None:
    """The code of the item, or of its draft, that is this one already: listed once on a list, once
    by an organ."""
    drafts = _open().filter(purpose="new", base=base, level=new.level)
    items = Item.objects.filter(base=base, level=new.level)
    if new.level is Level.IMPLEMENTATION:
        drafts = drafts.filter(agency=new.agency)
        items = items.filter(
            versions__agency=new.agency, versions__in_force__endswith__isnull=True,
            versions__retired=False,
        )  # fmt: skip
    codes = [*items.values_list("code", flat=True)[:1], *drafts.values_list("item", flat=True)[:1]]
    return codes[0] if codes else None


def free_code(code: str) -> str:
    """This code, or with a number behind it the first that no item and no draft has."""
    stem = code[:36]
    items = Item.objects.filter(code__startswith=stem).values_list("code", flat=True)
    taken = {*items, *_open().filter(item__startswith=stem).values_list("item", flat=True)}
    if code not in taken:
        return code
    return next(one for n in range(2, 10_000) if (one := f"{stem}.{n}") not in taken)


def _plain(code: str) -> bool:
    return code.isascii() and all(letter.isalnum() or letter in ".-_" for letter in code)


def _name_above(code: str) -> str:
    found = ItemVersion.objects.filter(item__code=code).order_by("-version").first()
    return found.name if found else ""


def _open() -> QuerySet[Head]:
    return Head.objects.filter(state__in=sorted(OPEN))


def _head_of(code: str, purpose: str, own: Mapping[str, Any] | None, today: date) -> dict[str, Any]:
    last = (
        ItemVersion.objects.filter(item__code=code)
        .select_related("item", "above__item")
        .order_by("-version")
        .first()
    )
    if last is None or last.retired or purpose not in ("revise", "retire"):
        raise Refusals(
            [
                Refusal(
                    "change.no_item",
                    "没有这个现行事项，不能修改或者取消。请重新选择。",
                    field="item",
                )
            ]
        )
    return {
        "purpose": purpose, "item": code, "base": last.item.base, "level": last.item.level,
        "region": last.item.region, "agency": last.agency, "onto": last.version, "name": last.name,
        "above": last.above.item.code if last.above else "",
        "own": dict(last.own if own is None else own),
    }  # fmt: skip


def _allow_draft(actor: Actor, head: Mapping[str, Any]) -> None:
    refusal = draftable(actor)(Level(head["level"]), head["agency"], head["region"])
    if refusal is not None:
        raise refusal


def draftable(actor: Actor) -> Callable[[Level, str, str], Refusal | None]:
    """Why this actor may not draft an item of a level, an organ, a region; None where they may."""
    reach = _reaches(actor, [DRAFT]).get(DRAFT)

    def refuse(level: Level, agency: str, region: str) -> Refusal | None:
        if reach is None or not reach.holds(agency, region):
            return Refusal(
                "change.not_yours", "只能起草本机关的事项。这个事项请由实施机关或者中心起草。"
            )
        if level is Level.PROVINCE and not reach.everywhere:
            return Refusal("change.province", "省级清单由政务服务中心承接，部门不能修改。")
        return None

    return refuse


@dataclass(frozen=True, slots=True)
class Places:
    """Where this actor may begin a new item: on which lists, for which organs."""

    levels: tuple[Level, ...]
    agencies: tuple[AgencyRow, ...]


def region(level: Level, agency: str) -> str:
    """Where an item of this level and organ lies; "" where there is none."""
    found = accounts.agency(agency)
    return _region(level, found) if found else ""


def places(actor: Actor) -> Places:
    """The lists and organs among which the drafter of a new item chooses."""
    reach = _reaches(actor, [DRAFT]).get(DRAFT)
    if reach is None:
        return Places((), ())
    agencies = tuple(
        row for row in accounts.agencies() if reach.holds(row.code, row.region)
    )  # fmt: skip
    city = any(row.region == accounts.CITY for row in agencies)
    levels = [Level.IMPLEMENTATION]
    if city:
        levels.append(Level.CITY)
    if reach.everywhere:
        levels.append(Level.PROVINCE)
    return Places(tuple(levels), agencies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What the editor saves. own: everything this level says itself."""

    own: Mapping[str, Any]
    since: date | None = None
    transition: bool = False
    above: str | None = None


def revise(
    actor: Actor, identifier: UUID, revision: Revision, *, version: int, key: str, at: datetime
) -> Change:
    """Save the draft (修改草案). What cannot be kept is refused; what only publishing forbids is not.

    version: that which the editor was opened on. Raises Refusals, Refusal, ChangeNotFound.
    """
    change = one(actor, identifier)
    act = publishing.BY_CODE["revised"]
    request = _digest(
        "revise", str(identifier), dict(revision.own), str(revision.since), revision.transition
    )
    if (found := ledger_queries.answer(SOURCE, key)) is not None:
        _same(found, request)
        return one(actor, identifier)
    _allow(actor, act, change)
    own, faults = guide.clean(revision.own)
    if revision.since is not None and not date(2000, 1, 1) <= revision.since <= LATEST:
        faults.append(
            Refusal("change.since", "施行日期请填写 2000 年到 2100 年之间的日期。", field="since")
        )
    if faults:
        raise Refusals(faults)
    name = str(own.get("name") or _name_above(change.above) or change.name)
    moved = {
        "own": own, "name": name, "since": revision.since, "transition": revision.transition,
        "last_by": actor.code, "updated": at,
    }  # fmt: skip
    body = {"item": change.item, "onto": change.onto, "digest": f"sha256:{guide.digest(own)}"}
    _move(actor, change, act, moved, body, version=version, key=key, request=request, at=at)
    return one(actor, identifier)


def rebase(actor: Actor, identifier: UUID, *, version: int, key: str, at: datetime) -> Change:
    """Put the draft onto the latest version (移到新版本上): its own words stay, the ground moves.

    Elements that the draft did not touch follow the latest version. Raises like `revise`.
    """
    change = one(actor, identifier)
    act = publishing.BY_CODE["revised"]
    request = _digest("rebase", str(identifier))
    if (found := ledger_queries.answer(SOURCE, key)) is not None:
        _same(found, request)
        return change
    _allow(actor, act, change)
    versions = {row.version: row for row in ItemVersion.objects.filter(item__code=change.item)}
    last = max(versions, default=0)
    ground = versions[change.onto].own if change.onto in versions else {}
    newest = versions[last].own if last else {}
    own = dict(newest)
    for element in {*change.own, *ground}:
        if change.own.get(element) != ground.get(element):
            if element in change.own:
                own[element] = change.own[element]
            else:
                own.pop(element, None)
    moved = {"own": own, "onto": last, "last_by": actor.code, "updated": at}
    body = {"item": change.item, "onto": last, "digest": f"sha256:{guide.digest(own)}"}
    _move(actor, change, act, moved, body, version=version, key=key, request=request, at=at)
    return one(actor, identifier)


# --- the steps --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a step brings: a reason, the number and day of the city government's approval, the day
    of force."""

    reason: str = ""
    number: str = ""
    on: date | None = None
    since: date | None = None


def step(
    actor: Actor,
    identifiers: Sequence[UUID],
    act_code: str,
    given: Given,
    *,
    key: str,
    at: datetime,
    versions: Mapping[UUID, int] | None = None,
) -> tuple[Change, ...]:
    """Take one step with one or many changes, all or none (办理一步). Raises Refusals, Refusal.

    versions: what the page showed; a change that moved since is refused with what to do.
    """
    act = publishing.BY_CODE[act_code]
    if not identifiers:
        raise Refusals([Refusal("change.none", "请至少勾选一项变更。", field="change")])
    request = _digest(
        "step", act_code, sorted(map(str, identifiers)), given.reason, given.number,
        str(given.on), str(given.since),
    )  # fmt: skip
    if (found := ledger_queries.answer(SOURCE, f"{key}:{identifiers[0]}")) is not None:
        _same(found, request)
        return tuple(one(actor, each) for each in identifiers)
    changes = [one(actor, each) for each in identifiers]
    faults = _of_given(act, given, today=at.astimezone(SHANGHAI).date())
    if faults:
        raise Refusals(faults)
    for change in changes:
        _allow(actor, act, change)
        if versions and versions.get(change.id, change.version) != change.version:
            raise _stale(change)
        if act.code == "submitted":
            _submittable(change, at=at)
    with transaction.atomic():
        made = _publish(actor, changes, given, at=at) if act.code == "published" else {}
        rows = [
            _step_row(actor, change, act, given, made, key=key, request=request, at=at)
            for change in changes
        ]
        try:
            ledger.append(CHANGES, rows, whole=True)
        except ledger.Stale:
            raise Refusal(
                "change.moved", "刚刚有人动过其中一项变更，这次没有办理。请刷新后核对。"
            ) from None
    queries.version.cache_clear()
    return tuple(one(actor, each) for each in identifiers)


def _of_given(act: Act, given: Given, *, today: date) -> list[Refusal]:
    faults = []
    if act.reason and not given.reason.strip():
        faults.append(Refusal("change.reason", f"请写明为什么{act.zh}。", field="reason"))
    if len(given.reason) > REASON:
        faults.append(Refusal("change.reason_long", f"理由最多 {REASON} 个字。", field="reason"))
    try:
        ledger.check_json([given.reason, given.number])
    except ledger.UnfitBody:
        faults.append(
            Refusal("change.control", "填写的内容里有不可见的控制字符。请删去。", field="reason")
        )
    if act.code == "listed":
        if not given.number.strip():
            faults.append(Refusal("change.number", "请填写市政府批准清单的文号。", field="number"))
        elif len(given.number) > NUMBER:
            faults.append(
                Refusal("change.number_long", f"文号最多 {NUMBER} 个字。", field="number")
            )
        if given.on is None:
            faults.append(Refusal("change.on", "请填写市政府批准的日期。", field="on"))
        elif given.on > today:
            faults.append(
                Refusal("change.on_coming", "批准日期还没有到。请填写文件上的日期。", field="on")
            )
    if act.code == "published" and given.since is not None and given.since > LATEST:
        faults.append(Refusal("change.since", "施行日期请填写 2100 年以前的日期。", field="since"))
    return faults


def _submittable(change: Change, *, at: datetime) -> None:
    """A draft that publishing would refuse is not submitted. Raises Refusals, Refusal."""
    if (fault := _outdated(change)) is not None:
        raise fault
    outcome = _planned([change], since=None, at=at)[0]
    if outcome.faults:
        raise Refusals(outcome.faults)
    if outcome.what == "unchanged":
        raise Refusal("change.nothing", "草案和现行版本没有差别，没有可以提交的内容。")


def _outdated(change: Change) -> Refusal | None:
    """Whether another version was published after this was drafted."""
    last = ItemVersion.objects.filter(item__code=change.item).order_by("-version").first()
    if last is None or last.version == change.onto:
        return None
    return Refusal(
        "change.outdated",
        f"“{change.name}”起草以后又发布了第 {last.version} 版。请移到新版本上再提交；已经提交的，先退回起草部门。",
    )


def _release(change: Change, since: date | None, *, at: datetime) -> Release:
    today = at.astimezone(SHANGHAI).date()
    day = since or change.since or today
    gone = change.purpose == "retire"
    return Release(
        code=change.item, base=change.base, level=change.level, region=change.region,
        agency=change.agency, own=change.own, since=max(day, today), above=change.above,
        retired=gone, retired_on=max(day, today) if gone else None, transition=change.transition,
        change=change.id, approved=change.list_number,
    )  # fmt: skip


def _planned(changes: Sequence[Change], *, since: date | None, at: datetime) -> tuple[Outcome, ...]:
    """What would become of them: outcomes of the changes first, then of what follows."""
    return services.plan([_release(change, since, at=at) for change in changes], at=at)


def _publish(
    actor: Actor, changes: Sequence[Change], given: Given, *, at: datetime
) -> dict[UUID, Outcome]:
    today = at.astimezone(SHANGHAI).date()
    for change in changes:
        day = given.since or change.since
        if day is None:
            raise Refusals([Refusal("change.since_missing", "请填写施行日期。", field="since")])
        if day < today:
            raise Refusals(
                [
                    Refusal(
                        "change.since_past",
                        f"“{change.name}”的施行日期 {day:%Y-%m-%d} 已经过去。清单不溯及既往，请改为今天或者以后。",
                        article="立法法 第一百零四条",
                        field="since",
                    )
                ]
            )
        if (fault := _outdated(change)) is not None:
            raise fault
    releases = [_release(change, given.since, at=at) for change in changes]
    planned = services.publish_all(releases, by=actor.code, at=at, whole=True)
    if any(one.what == "unchanged" for one in planned):
        raise Refusal("change.nothing", "草案和现行版本没有差别，没有可以发布的内容。")
    return {change.id: outcome for change, outcome in zip(changes, planned, strict=True)}


def _step_row(
    actor: Actor,
    change: Change,
    act: Act,
    given: Given,
    made: Mapping[UUID, Outcome],
    *,
    key: str,
    request: bytes,
    at: datetime,
) -> ledger.Row:
    body: dict[str, Any] = {"item": change.item, "digest": f"sha256:{guide.digest(change.own)}"}
    head: dict[str, Any] = {"last_by": actor.code, "updated": at}
    contents: tuple[ledger.Content, ...] = ()
    if act.after is not None:
        head["state"] = act.after
    if given.reason.strip():
        body["reason"] = {"content": ""}
        contents = (ledger.Content(path=("reason",), data=given.reason.strip()),)
    if act.code == "listed":
        assert given.on is not None
        body |= {"number": given.number.strip(), "on": given.on.isoformat()}
        head |= {"list_number": given.number.strip(), "list_date": given.on}
    if act.code == "published":
        outcome = made[change.id]
        body |= {"version": outcome.version, "since": outcome.since.isoformat()}
        head |= {"published": outcome.version, "since": outcome.since}
    return ledger.Row(
        stream_id=change.id,
        expected=change.version,
        event=_event(
            actor, act.code, key=f"{key}:{change.id}", request=request, at=at,
            agency=change.agency, body=body,
        ),
        head=head,
        contents=contents,
    )  # fmt: skip


# --- previews and conflicts -------------------------------------------------------------------------


def preview(change: Change, *, since: date | None = None, at: datetime) -> Preview:
    """What publishing it on a day would do; the same code publishes."""
    main, *following = _planned([change], since=since, at=at)
    faults = list(main.faults)
    # What would follow the version that it was drafted on is on its ground.
    ground = change.onto if main.what == "unchanged" else change.onto + 1
    if change.open and main.version != ground and (outdated := _outdated(change)) is not None:
        faults.append(outdated)
    faults += [fault for one_ in following for fault in one_.faults]
    if change.purpose == "retire":
        differences: tuple[guide.Change, ...] = ()
    else:
        differences = guide.differences(main.before, main.after)
    return Preview(main, tuple(following), differences, tuple(faults), conflicts(change))


def conflicts(change: Change) -> tuple[Conflict, ...]:
    """Other changes in the air that touch the same item, the list above it or what stands below."""
    below = ItemVersion.objects.filter(
        above__item__code=change.item, in_force__endswith__isnull=True
    ).values("item__code")
    found = (
        _open()
        .exclude(id=change.id)
        .filter(
            Q(item=change.item)
            | (Q(item=change.above) & ~Q(item=""))
            | Q(item__in=below)
            | (Q(level=change.level, base=change.base, region=change.region))
        )
    )
    made = []
    own = {change.agency: change.agency_name}
    for other in _rows(found.order_by("-updated")[:PAGE], known=own):
        if other.item == change.item:
            sentence = "同一事项还有一份没有办完的草案；先发布的一份生效，后一份要移到新版本上。"
        elif other.item == change.above:
            sentence = "上级清单正在变更；它先发布时，这里没有填写的要素跟着变。"
        else:
            sentence = "下级实施清单正在变更；先后发布时以新的上级清单重新核对。"
        made.append(Conflict(other, sentence))
    return tuple(made)


# --- small parts ------------------------------------------------------------------------------------


def _allow(actor: Actor, act: Act, change: Change) -> None:
    publishing.check(
        act, state=change.state, actor=actor.code, drafted_by=change.drafted_by,
        last_by=change.last_by,
    )  # fmt: skip
    if not _may(actor, publishing.permission(act, change.state), change):
        raise Refusal("change.not_allowed", f"您没有“{act.zh}”的权限。")


def _stale(change: Change) -> Refusal:
    return Refusal(
        "change.moved",
        f"您打开这一页以后，“{change.name}”又有了变动（现在：{change.state_zh}）。请刷新后核对。",
    )


def _digest(*given: Any) -> bytes:
    text = json.dumps(given, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).digest()


def _same(found: ledger_queries.Answer, request: bytes) -> UUID:
    if found.request != request:
        raise Refusal(
            "ledger.key_reused", "这次提交的编号已经用于另一项内容，请刷新页面后重新提交。"
        )
    return found.stream_id


def _event(
    actor: Actor,
    kind: str,
    *,
    key: str,
    request: bytes,
    at: datetime,
    agency: str,
    body: Mapping[str, Any],
) -> ledger.NewEvent:
    return ledger.NewEvent(
        kind=kind, occurred=at, actor=actor.code, agency=agency, source=SOURCE, key=key,
        request=request, body=body,
    )  # fmt: skip


def _move(
    actor: Actor,
    change: Change,
    act: Act,
    head: Mapping[str, Any],
    body: Mapping[str, Any],
    *,
    version: int,
    key: str,
    request: bytes,
    at: datetime,
) -> None:
    if version != change.version:
        raise _stale(change)
    row = ledger.Row(
        stream_id=change.id,
        expected=version,
        event=_event(
            actor, act.code, key=key, request=request, at=at, agency=change.agency, body=body
        ),
        head=head,
    )
    try:
        ledger.append(CHANGES, [row], whole=True)
    except ledger.Stale:
        raise _stale(one(actor, change.id)) from None


def drafts_for(items: Sequence[Release], actor: Actor, *, batch: str, at: datetime) -> int:
    """Begin a change for each release of an import (导入为草案); how many were new.

    A release that an open draft says already is left alone; the latest other one is revised.
    """
    codes = [one_.code for one_ in items]
    there = {head.item: head for head in _open().filter(item__in=codes).order_by("updated")}
    onto: dict[str, int] = {}
    names: dict[str, str] = {}
    uppers = {one_.above for one_ in items if one_.above}
    last = ItemVersion.objects.filter(item__code__in={*codes, *uppers}).order_by("version")
    for code, version, name in last.values_list("item__code", "version", "name"):
        onto[code], names[code] = version, name
    rows = []
    for release in items:
        before = there.get(release.code)
        if before is not None and before.own == dict(release.own):
            continue
        name = str(release.own.get("name") or names.get(release.above) or release.code)
        if before is not None:
            rows.append(_import_again(actor, release, before, name, at=at))
        else:
            stands = onto.get(release.code, 0)
            rows.append(_import_row(actor, release, stands, name, batch=batch, at=at))
    if rows:
        ledger.append(CHANGES, rows, whole=True)
    return len(rows)


def imported_last(head: Head) -> bool:
    """Whether nobody worked on this draft since an import wrote it."""
    if head.version == 1:
        return bool(head.batch)
    return ledger_queries.by_key(SOURCE, f"import:{head.id}:{head.version - 1}") is not None


def _import_again(
    actor: Actor, release: Release, before: Head, name: str, *, at: datetime
) -> ledger.Row:
    if before.state != "drafting":
        raise Refusal(
            "change.in_the_air",
            f"“{before.name}”有一份草案已经提交（{STATES_ZH[before.state]}），不能再导入。",
        )
    own = dict(release.own)
    digest = guide.digest(own)
    return ledger.Row(
        stream_id=before.id,
        expected=before.version,
        event=_event(
            actor, "revised", key=f"import:{before.id}:{before.version}", request=_digest(digest),
            at=at, agency=release.agency,
            body={
                "item": release.code, "onto": before.onto, "digest": f"sha256:{digest}",
            },
        ),
        head={"own": own, "name": name, "last_by": actor.code, "updated": at},
    )  # fmt: skip


def _import_row(
    actor: Actor, release: Release, onto: int, name: str, *, batch: str, at: datetime
) -> ledger.Row:
    own = dict(release.own)
    digest = guide.digest(own)
    purpose = "new" if not onto else "retire" if release.retired else "revise"
    identifier = ledger.uuid7()
    # Of the day of an old list only that it is past is known: the centre says the day of force.
    coming = release.since > at.astimezone(SHANGHAI).date()
    return ledger.Row(
        stream_id=identifier,
        expected=0,
        event=_event(
            actor, "drafted", key=f"import:{identifier}", request=_digest(digest), at=at,
            agency=release.agency,
            body={
                "item": release.code, "purpose": purpose, "onto": onto,
                "digest": f"sha256:{digest}",
            },
        ),
        head={
            "purpose": purpose, "item": release.code, "base": release.base,
            "level": str(release.level), "region": release.region, "agency": release.agency,
            "above": release.above, "onto": onto, "own": own, "name": name, "state": "drafting",
            "since": release.since if coming else None, "transition": release.transition,
            "drafted_by": actor.code, "last_by": actor.code, "batch": batch, "list_number": "",
            "updated": at,
        },
    )  # fmt: skip
