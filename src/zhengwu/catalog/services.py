"""Publishing items (发布事项): the only writer of versions; what the rules forbid is refused.

A batch is planned first (nothing is written, so that a preview is the same code), then written as a
whole: earlier versions end where the new ones begin, what stands below a changed list follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from zhengwu.catalog import queries, searching, templates
from zhengwu.catalog.events import STREAM
from zhengwu.catalog.models import Item, ItemVersion
from zhengwu.domain import guide
from zhengwu.domain.guide import Level
from zhengwu.domain.procedure import Limit, Step
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import services as ledger

SHANGHAI = ZoneInfo("Asia/Shanghai")
CITY = "420100"
LICENCE = guide.LICENCE
ORDER = (Level.PROVINCE, Level.CITY, Level.IMPLEMENTATION)
CHUNK = 1_000  # rows of one INSERT
PUBLISHING = 7_309_940_835  # key of the advisory lock that publishers take


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version to be published (待发布的一版).

    above: the code of the item of the level above, "" where there is none. own: what this level
    says itself. until: the first day on which it no longer holds, for history. transition: whether
    running cases follow where that favours the applicant.
    """

    code: str
    base: str
    level: Level
    region: str
    agency: str
    own: Mapping[str, Any]
    since: date
    above: str = ""
    until: date | None = None
    retired: bool = False
    retired_on: date | None = None
    transition: bool = False
    generated: bool = False
    change: UUID | None = None
    approved: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one release. what: created | changed | unchanged | refused.

    follows: it was not asked for, it follows the list above. fallen: own elements that no longer
    favour the applicant and give way to the list above. version: its number, 0 where refused.
    """

    release: Release
    what: str
    version: int
    since: date
    faults: tuple[Refusal, ...] = ()
    follows: bool = False
    fallen: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Mapping[str, Any]] = ()
    digest: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One version of a department's own item, as plain facts; materials are asked for by its basis."""

    code: str
    name: str
    type: str
    agency: str
    kind: str
    statutory: Limit | None
    promised: Limit | None
    promised_is: str
    materials: tuple[str, ...]
    result: str
    basis: str
    fee: str
    note: str
    since: date
    until: date | None = None
    retired: bool = False
    retired_on: date | None = None
    pay_first: bool = False  # the charge is paid before the result is handed out

    def release(self, more: Mapping[str, Any] | None = None) -> Release:
        """As a release of its own, without a list above. Raises Refusal for what cannot be kept."""
        return Release(
            code=self.code,
            base=self.code,
            level=Level.IMPLEMENTATION,
            region=self.agency.partition("-")[0],
            agency=self.agency,
            own=self.content(more or {}),
            since=self.since,
            until=self.until,
            retired=self.retired,
            retired_on=self.retired_on,
        )

    def content(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """The elements of the guide. Raises Refusal."""
        basis = self.basis
        charged = self.fee.strip() not in ("", "无")
        content, faults = guide.clean(
            {
                "name": self.name,
                "type": self.type,
                "kind": self.kind,
                "basis": basis,
                "statutory": _given(self.statutory, basis),
                "promised": _given(self.promised, "办事指南承诺"),
                "promised_is": self.promised_is,
                "materials": [
                    {"code": f"{n:02d}", "name": name, **({"basis": basis} if basis else {})}
                    for n, name in enumerate(self.materials, 1)
                ],
                "result": self.result,
                "fees": [{"name": self.fee, "standard": self.fee, "basis": basis}]
                if charged
                else [],
                "pay_first": self.pay_first or None,
                "note": self.note,
                **more,
            }
        )
        if faults:
            raise faults[0]
        return content


def _given(limit: Limit | None, basis: str) -> dict[str, Any] | None:
    if limit is None:
        return None
    return guide.as_limit(replace(limit, basis=limit.basis or basis or "设定依据"))


# --- publishing -------------------------------------------------------------------------------------


def publish(draft: Draft, *, by: str | None, at: datetime) -> str:
    """Publish a department's own item; created, changed or unchanged. Raises Refusal.

    A version equal to the item's latest changes nothing. A different one that begins later ends
    the version before it; one that begins on the same day starts today.
    """
    check_dates(draft.since, draft.until)
    (outcome,) = publish_all([draft.release()], by=by, at=at)
    if outcome.faults:
        raise outcome.faults[0]
    return outcome.what


def publish_all(
    releases: Sequence[Release], *, by: str | None, at: datetime, whole: bool = False
) -> tuple[Outcome, ...]:
    """Publish a batch (发布一批), with all that follows from it; one outcome per release, in order.

    What is refused is left out and the rest goes in. whole: all or none; raises Refusals.
    """
    with transaction.atomic():
        by_key()
        _queue()
        planned = lawful(releases, at=at, whole=whole)
        _write(planned, by=by, at=at)
    queries.version.cache_clear()
    return tuple(one for one in planned if not one.follows)


def lawful(releases: Sequence[Release], *, at: datetime, whole: bool) -> tuple[Outcome, ...]:
    """The plan without what is refused, and without what would break something below it.

    whole: raises Refusals instead.
    """
    broken: dict[str, tuple[Refusal, ...]] = {}
    while True:
        planned = plan([one for one in releases if one.code not in broken], at=at)
        if whole and (faults := [fault for one in planned for fault in one.faults]):
            raise Refusals(faults)
        below = {
            upper: one.faults
            for one in planned
            if one.follows and one.faults
            for upper in (one.release.above, str(one.release.own.get("flow_of", "")))
            if upper and upper not in broken
        }
        found = {
            code: faults for code, faults in below.items() if code in {r.code for r in releases}
        }
        if not found:
            break
        broken |= found
    made = iter(planned)
    asked = [
        Outcome(one, "refused", 0, one.since, broken[one.code])
        if one.code in broken
        else next(made)
        for one in releases
    ]
    return (*asked, *made)


def check_dates(since: date, until: date | None) -> None:
    if until is not None and until <= since:
        raise Refusal("item.dates", "施行期间的止日不晚于起日。请核对。", field="in_force")


def plan(releases: Sequence[Release], *, at: datetime) -> tuple[Outcome, ...]:
    """What publishing would do, in the order province, city, implementation; nothing is written.

    Outcomes of what follows the lists above stand behind those that were asked for.
    """
    shelf = Shelf.of(releases)
    asked: list[Outcome | None] = [None] * len(releases)
    following: list[Outcome] = []
    more: list[Release] = []
    begins: dict[str, date] = {}  # of the lists that change, from when
    codes = {one.code for one in releases}
    for level in ORDER:
        for number, release in enumerate(releases):
            if release.level is level:
                planned = _plan_one(shelf, _after_its_list(release, begins), at=at)
                asked[number] = planned
                if planned.what == "changed":
                    begins[release.code] = max(
                        begins.get(release.code, planned.since), planned.since
                    )
        for release in [one for one in more if one.level is level and one.code not in codes]:
            settled, fallen = _settled(shelf, release)
            one = _plan_one(shelf, settled, at=at)
            following.append(replace(one, follows=True, fallen=fallen))
        changed = [
            one
            for one in [*asked, *following]
            if one is not None and one.release.level is level and one.what == "changed"
        ]
        if level is not Level.IMPLEMENTATION:  # nothing stands below
            more += shelf.below(changed)
    # A flow that the deciding organ owns moves with its item, on whatever level that stands.
    moved = [one for one in asked if one is not None and one.what == "changed"]
    for release in shelf.with_flow_of(moved, without=codes | {one.code for one in more}):
        following.append(replace(_plan_one(shelf, release, at=at), follows=True))
    return tuple(
        replace(one, until=shelf.until(one)) for one in (*asked, *following) if one is not None
    )


def _after_its_list(release: Release, begins: Mapping[str, date]) -> Release:
    """Below a list that changes in the same batch nothing begins before it."""
    begin = begins.get(release.above, release.since)
    return release if begin <= release.since else replace(release, since=begin)


def _settled(shelf: Shelf, release: Release) -> tuple[Release, tuple[str, ...]]:
    above = shelf.above(release)
    if above is None or release.retired:
        return release, ()
    own, fallen = guide.settle(release.own, above.whole, level=release.level)
    return replace(release, own=own), fallen


@dataclass(slots=True)
class Known:
    """A version on the shelf, stored or planned."""

    item: str
    number: int
    since: date
    until: date | None
    own: Mapping[str, Any]
    whole: Mapping[str, Any]
    digest: str
    name: str
    retired: bool
    agency: str
    pk: int | None
    steps: list[dict[str, Any]]
    above: str = ""


@dataclass(slots=True)
class Shelf:
    """What a batch needs to know: the versions of its items and of those above, read together."""

    versions: dict[str, list[Known]]
    items: dict[str, Item]
    listed: dict[str, str]  # name → base of the city's common list
    entries: dict[tuple[str, str], str]  # base and level of a list → code of its item there

    @classmethod
    def of(cls, releases: Sequence[Release]) -> Shelf:
        shelf = cls({}, {}, {}, {})
        codes = {one.code for one in releases} | {one.above for one in releases if one.above}
        codes |= {str(one.own["flow_of"]) for one in releases if one.own.get("flow_of")}
        shelf.load(codes)
        names = {str(one.own.get("name")) for one in releases if not one.above}
        if names:
            shelf.listed = dict(
                ItemVersion.objects.filter(
                    item__level=Level.CITY, name__in=names, in_force__endswith__isnull=True,
                    retired=False,
                ).values_list("name", "item__base")
            )  # fmt: skip
        bases = {one.base for one in releases if one.level is not Level.IMPLEMENTATION}
        if bases:
            there = Item.objects.filter(base__in=bases).exclude(level=Level.IMPLEMENTATION)
            shelf.entries = {
                (base, level): code
                for base, level, code in there.values_list("base", "level", "code")
            }
        return shelf

    def load(self, codes: Iterable[str]) -> None:
        wanted = sorted(set(codes) - set(self.versions))
        for code in wanted:
            self.versions[code] = []
        found = ItemVersion.objects.filter(item__code__in=wanted).select_related("item")
        for one in with_above(list(found.order_by("item_id", "version"))):
            self.items[one.item.code] = one.item
            self.versions[one.item.code].append(_known(one))

    def at(self, code: str, on: date) -> Known | None:
        """The version of an item in force on a day, planned ones included."""
        for one in reversed(self.versions.get(code, ())):
            if one.since <= on and (one.until is None or on < one.until):
                return one
        return None

    def until(self, outcome: Outcome) -> date | None:
        """The end of a planned version; another one of the same batch may follow it."""
        known = self.versions.get(outcome.release.code, ())
        return next((one.until for one in known if one.number == outcome.version), None)

    def above(self, release: Release) -> Known | None:
        return self.at(release.above, release.since) if release.above else None

    def below(self, changed: Sequence[Outcome]) -> list[Release]:
        """The items below those that changed, as releases with what they say themselves."""
        dates = {one.release.code: one for one in changed}
        if not dates:
            return []
        found = ItemVersion.objects.filter(
            above__item__code__in=sorted(dates), in_force__endswith__isnull=True, retired=False
        ).select_related("item", "above__item")
        made = []
        for one in found.order_by("item__code"):
            assert one.above is not None
            upper = dates[one.above.item.code]
            made.append(
                _again(one, since=upper.since, above=upper.release.code, upper=upper.release)
            )
        self.load(one.code for one in made)
        return made

    def with_flow_of(self, moved: Sequence[Outcome], *, without: set[str]) -> list[Release]:
        """The items whose flow is that of an item that moved."""
        dates = {one.release.code: one for one in moved if not one.release.retired}
        if not dates:
            return []
        found = ItemVersion.objects.filter(
            own__flow_of__in=sorted(dates), in_force__endswith__isnull=True, retired=False
        ).select_related("item", "above__item")
        made = [
            _again(
                one, since=dates[one.own["flow_of"]].since,
                above=one.above.item.code if one.above else "",
            )
            for one in found.order_by("item__code")
            if one.item.code not in without
        ]  # fmt: skip
        self.load(one.code for one in made)
        return made


def _again(
    version: ItemVersion, *, since: date, above: str, upper: Release | None = None
) -> Release:
    """A version as a release with the same words of its own."""
    gone = upper is not None and upper.retired
    return Release(
        code=version.item.code,
        base=version.item.base,
        level=Level(version.item.level),
        region=version.item.region,
        agency=version.agency,
        own=version.own,
        since=since,
        above=above,
        retired=gone,
        retired_on=upper.retired_on if upper and gone else None,
        transition=upper.transition if upper else False,
        generated=version.item.generated,
        change=upper.change if upper else None,
        approved=upper.approved if upper else "",
    )


def with_above(found: Sequence[ItemVersion]) -> Sequence[ItemVersion]:
    """Versions with those above them at hand; a list that many hang on is read once."""
    uppers: dict[int, ItemVersion] = {}
    waiting: Iterable[ItemVersion] = found
    while wanted := {one.above_id for one in waiting if one.above_id} - uppers.keys():
        waiting = ItemVersion.objects.select_related("item").in_bulk(wanted).values()
        uppers |= {one.pk: one for one in waiting}
    for one in (*found, *uppers.values()):
        if one.above_id:
            one.above = uppers[one.above_id]
    return found


def _known(one: ItemVersion) -> Known:
    return Known(
        one.item.code, one.version, one.in_force.lower, one.in_force.upper, one.own,
        queries.whole(one), one.digest, one.name, one.retired, one.agency, one.pk, one.steps,
        one.above.item.code if one.above else "",
    )  # fmt: skip


def _plan_one(shelf: Shelf, release: Release, *, at: datetime) -> Outcome:
    above = shelf.above(release)
    before = shelf.versions.get(release.code, [])
    last = before[-1] if before else None
    whole = guide.inherit(release.own, above.whole if above else None)

    def no(*faults: Refusal) -> Outcome:
        return Outcome(
            release, "refused", 0, release.since, tuple(faults),
            before=last.whole if last else {}, after=whole,
        )  # fmt: skip

    if release.above and above is None and not release.retired:
        return no(
            Refusal(
                "item.nothing_above",
                f"上级清单里没有在 {release.since:%Y-%m-%d} 有效的 {release.above}。请先发布上级清单。",
                field="above",
            )
        )
    if len(release.code) > 40:
        return no(Refusal("item.too_long", "事项编码最多 40 个字。", field="code"))
    if release.level is not Level.IMPLEMENTATION:
        entry = shelf.entries.setdefault((release.base, release.level), release.code)
        if entry != release.code:
            return no(
                Refusal(
                    "item.listed_twice",
                    f"{guide.LISTS_ZH[release.level]}里已经有同一事项（{entry}）。请修改它，不要另立。",
                    field="code",
                )
            )
    steps = _steps(shelf, release, whole)
    # What was law once is history: it is kept as it was, whatever today's rules say.
    if not release.retired and (faults := guide.faults(
        release.own, above.whole if above else None, level=release.level, flow=steps
    )):  # fmt: skip
        return no(*faults)
    base = shelf.listed.get(str(whole.get("name")))
    if (
        base is not None
        and not release.above
        and release.level is Level.IMPLEMENTATION
        and (base != release.base)
    ):
        return no(
            Refusal(
                "item.same_name",
                f"市级通用清单已有同名事项（{base}）。同一事项请承接清单，不要另立。",
                article="优化营商环境条例 第三十五条",
                field="name",
            )
        )
    rows = guide.as_steps(steps)
    digest = guide.digest(
        {
            "agency": release.agency, "level": str(release.level), "whole": whole, "steps": rows,
            "retired": release.retired, "retired_on": str(release.retired_on or ""),
        }
    )  # fmt: skip
    stands = last is not None and last.until in (None, release.until)
    if last is not None and stands and last.digest == digest and last.above == release.above:
        return Outcome(release, "unchanged", last.number, last.since, before=whole, after=whole)
    if release.until is not None and (
        same := next((one for one in before if one.since == release.since), None)
    ):
        # What was in force stands as it was published; only a retirement must agree.
        if release.retired and same.digest != digest:
            return no(
                Refusal(
                    "item.history_fixed",
                    "这个事项的历史版本已经发布，不能改写。请恢复原来的内容，或者另行发布更正。",
                    field="in_force",
                )
            )
        return Outcome(release, "unchanged", same.number, same.since, before=whole, after=whole)
    since = release.since
    if any(one.since == since for one in before):
        since = max(at.astimezone(SHANGHAI).date(), since)
    if (fault := _misplaced(before, since)) is not None:
        return no(fault)
    for one in before:
        if one.until is None:
            one.until = since
    number, what = len(before) + 1, "changed" if before else "created"
    shelf.versions.setdefault(release.code, []).append(
        Known(
            release.code, number, since, release.until, release.own, whole, digest,
            str(whole.get("name", "")), release.retired, release.agency, None, rows, release.above,
        )
    )  # fmt: skip
    return Outcome(
        replace(release, since=since), what, number, since,
        before=last.whole if last else {}, after=whole, steps=rows, digest=digest,
    )  # fmt: skip


def _misplaced(before: Sequence[Known], since: date) -> Refusal | None:
    """Why a version cannot begin on this day: dates of force neither overlap nor leave a hole."""
    if any(one.since == since for one in before):
        return Refusal(
            "item.twice_a_day",
            f"这个事项已经有一版从 {since:%Y-%m-%d} 起施行，同一天不能再有一版。请改为另一天。",
            field="in_force",
        )
    if not before:
        return None
    last = before[-1]
    if last.since > since:
        return Refusal(
            "item.overlap",
            f"已有一版将从 {last.since:%Y-%m-%d} 起施行，新的一版要在那以后施行，期间不能重叠。",
            field="in_force",
        )
    if last.until is not None and last.until != since and not last.retired:
        if last.until > since:
            return Refusal(
                "item.overlap",
                f"上一版施行到 {last.until:%Y-%m-%d}，新的一版要从那天起施行，期间不能重叠。",
                field="in_force",
            )
        return Refusal(
            "item.hole",
            f"上一版施行到 {last.until:%Y-%m-%d} 为止，新的一版从 {since:%Y-%m-%d} 起，中间有空档。"
            "请改为首尾相接。",
            field="in_force",
        )
    return None


def _steps(shelf: Shelf, release: Release, whole: Mapping[str, Any]) -> tuple[Step, ...]:
    """The flow that holds: the deciding organ's, one's own, or the template's cut by the promise."""
    if owner := whole.get("flow_of"):
        shelf.load([str(owner)])
        found = shelf.at(str(owner), release.since)
        if found is not None and not found.retired:
            return guide.steps(found.steps)
    if "steps" in whole:
        return guide.steps(whole["steps"])
    if release.level is Level.PROVINCE or not whole.get("kind"):
        return ()
    template = str(whole["template"]) if "template" in whole else None
    promised = guide.limit(whole, "promised")
    return _standard(template, str(whole.get("type", "")), str(whole["kind"]), promised)


@lru_cache(maxsize=4096)
def _standard(
    template: str | None, type_: str, kind: str, promised: Limit | None
) -> tuple[Step, ...]:
    return templates.of(template, type_, kind).make(promised)


# --- writing ----------------------------------------------------------------------------------------


def _queue() -> None:
    """One publisher at a time: nobody takes up a list while it changes, and version ids come in the
    order of the commits, so that `queries.edition` misses none.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISHING])


def _new_items(releases: Sequence[Release]) -> None:
    codes = {one.code: one for one in releases}
    there = set(Item.objects.filter(code__in=codes).values_list("code", flat=True))
    Item.objects.bulk_create(
        [
            Item(
                stream=ledger.uuid7(), code=code, base=one.base, level=one.level,
                region=one.region, generated=one.generated,
            )
            for code, one in sorted(codes.items())
            if code not in there
        ],
        batch_size=CHUNK,
    )  # fmt: skip


def by_key() -> None:
    """Let the database find by their keys whatever a batch looks for, in this transaction.

    A list is taken over into tables that were empty a minute ago; planned for those, a statement
    reads the whole log for every event that it writes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        cursor.execute("SET LOCAL enable_seqscan = off")


def _write(planned: Sequence[Outcome], *, by: str | None, at: datetime) -> None:
    kept = [one for one in planned if one.what in ("created", "changed")]
    if not kept:
        return
    _new_items([one.release for one in kept])
    codes = {one.release.code for one in kept}
    items = {one.code: one for one in Item.objects.filter(code__in=codes)}
    _end_former([(items[one.release.code].pk, one.since) for one in kept])
    for level in ORDER:
        _insert([one for one in kept if one.release.level is level], items)
    rows = [_row(one, items[one.release.code], by=by, at=at) for one in kept]
    ledger.append(STREAM, rows, whole=True)


def _end_former(ends: Sequence[tuple[int, date]]) -> None:
    """The versions that are open end where the new ones begin."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE catalog_itemversion v SET in_force = daterange(lower(v.in_force), e.since)"
            " FROM unnest(%s::bigint[], %s::date[]) AS e(item, since)"
            " WHERE v.item_id = e.item AND upper_inf(v.in_force) AND lower(v.in_force) < e.since",
            [[item for item, _ in ends], [since for _, since in ends]],
        )


def _insert(planned: Sequence[Outcome], items: Mapping[str, Item]) -> None:
    uppers = _uppers(planned)
    made = []
    for one in planned:
        release, whole = one.release, one.after
        words = searching.words(
            str(whole.get("name", "")), release.code, release.base, *whole.get("synonyms", ())
        )
        made.append(
            ItemVersion(
                item=items[release.code],
                version=one.version,
                in_force=DateRange(one.since, one.until),
                above_id=uppers.get((release.above, one.since)),
                own=release.own,
                steps=list(one.steps),
                name=str(whole.get("name", "")),
                type=str(whole.get("type", "")),
                agency=release.agency,
                kind=str(whole.get("kind", "")),
                pay_first=bool(whole.get("pay_first")),
                root=release.level is Level.CITY
                or (release.level is Level.IMPLEMENTATION and not release.above),
                retired=release.retired,
                retired_on=release.retired_on,
                transition=release.transition,
                themes=list(whole.get("themes", ())),
                targets=list(whole.get("targets", ())),
                score=guide.completeness(whole).score,
                needle=words.needle,
                search=words.vector,
                digest=one.digest,
                change=release.change,
                approved=release.approved,
            )
        )
    ItemVersion.objects.bulk_create(made, batch_size=CHUNK)


def _uppers(planned: Sequence[Outcome]) -> dict[tuple[str, date], int]:
    """The version above of each, by its item's code and the day from which it is needed."""
    found: dict[tuple[str, date], int] = {}
    days = {one.since for one in planned if one.release.above}
    for day in days:
        codes = {one.release.above for one in planned if one.release.above and one.since == day}
        rows = ItemVersion.objects.filter(item__code__in=codes, in_force__contains=day)
        found |= {(code, day): pk for code, pk in rows.values_list("item__code", "pk")}
    return found


def _row(one: Outcome, item: Item, *, by: str | None, at: datetime) -> ledger.Row:
    release = one.release
    body: dict[str, Any] = {
        "item": release.code,
        "version": one.version,
        "since": one.since.isoformat(),
        "digest": f"sha256:{one.digest}",
    }
    if release.above:
        body["above"] = release.above
    if release.change:
        body["change"] = str(release.change)
    if release.approved:
        body["approved"] = release.approved
    if release.transition:
        body["transition"] = True
    return ledger.Row(
        stream_id=item.stream,
        expected=one.version - 1,
        event=ledger.NewEvent(
            kind="retired" if release.retired else "published",
            occurred=at,
            actor=by,
            agency=release.agency,
            source="catalog",
            key=f"{release.code}@{one.version}",
            body=body,
        ),
    )
