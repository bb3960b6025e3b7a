"""The catalogue as the staff read it (事项清单): the list, one item whole, how complete the guides are.

What is published is for everybody who may see the catalogue; drafts come through `changes`, which
asks who is looking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, AgencyRow
from zhengwu.catalog import browsing, changes, finding, queries, templates
from zhengwu.catalog.changes import Change
from zhengwu.catalog.comparing import region_name
from zhengwu.catalog.events import STREAM
from zhengwu.catalog.models import ItemVersion
from zhengwu.catalog.templates import Departure, Template
from zhengwu.domain import bigrams, guide
from zhengwu.domain.guide import BY_CODE, ELEMENTS, LISTS_ZH, Completeness, Element, Level
from zhengwu.domain.identifiers.item_codes import GUIDING_DEPARTMENTS
from zhengwu.domain.procedure import Step
from zhengwu.ledger import queries as ledger_queries

SEE = "catalog.see"
PAGE = 50
WORDS, LONGEST = 8, 60
STATES = {"": "现行", "coming": "待施行", "gone": "已取消"}
SORTS = {"code": "编码", "name": "名称", "score": "完整度", "date": "施行日期"}
UNDER = (60, 80, 100)
# data/items.csv says which; a promise that a department drafts says nothing.
PROMISED_IS_ZH = {"stated": "办事指南公布的", "proposed": "本清单建议的，待部门确认"}


# --- the list ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for. under: completeness below it, 0 for any. generated: yes | no | ""."""

    q: str = ""
    state: str = ""
    level: str = ""
    region: str = ""
    agency: str = ""
    type: str = ""
    under: int = 0
    generated: str = ""
    sort: str = "code"
    page: int = 1
    size: int = PAGE


@dataclass(frozen=True, slots=True)
class Line:
    """One item as it stands in the list. pk: of its version."""

    pk: int
    code: str
    base: str
    level: str
    region: str
    name: str
    version: int
    type: str
    agency: str
    kind: str
    score: int
    since: date
    until: date | None
    retired: bool
    generated: bool

    @property
    def level_zh(self) -> str:
        return LISTS_ZH[Level(self.level)]

    @property
    def kind_zh(self) -> str:
        return guide.KINDS_ZH.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of items. counts: by state, under the other conditions; departments: those of the region
    that is asked for, or the city's; names: of the agencies of the rows."""

    rows: tuple[Line, ...]
    counts: Mapping[str, int]
    total: int
    page: int
    pages: int
    departments: tuple[AgencyRow, ...]
    regions: Mapping[str, str]
    names: Mapping[str, str]


_FROM = " FROM catalog_itemversion v JOIN catalog_item i ON i.id = v.item_id"
_STANDS = {
    "": "(v.in_force @> %(on)s::date AND NOT v.retired)",
    "coming": "(lower(v.in_force) > %(on)s)",
    # Retired, or out of force without a successor.
    "gone": "((v.retired OR upper(v.in_force) <= %(on)s) AND lower(v.in_force) <= %(on)s AND NOT"
    " EXISTS (SELECT FROM catalog_itemversion n WHERE n.item_id = v.item_id"
    " AND n.version > v.version AND lower(n.in_force) <= %(on)s))",
}
_ORDERS = {
    "code": "i.base, (i.level = 'implementation'), (i.level = 'city'), i.code",
    "name": "v.name, i.code",
    "score": "v.score, i.code",
    "date": "lower(v.in_force) DESC, i.code",
}
_COUNTS = ", ".join(f"n{number}" for number in range(1, len(_STANDS) + 1))
_COLUMNS = (
    "v.id, i.code, i.base, i.level, i.region, v.name, v.version, v.type, v.agency, v.kind, v.score,"
    " lower(v.in_force) AS since, upper(v.in_force) AS until, v.retired, i.generated"
)


def items(asked: Question, on: date) -> Listed:
    """The items of the list as they stand on a day."""
    departments = accounts.agencies(asked.region or accounts.CITY)
    where, given = _conditions(asked, departments)
    given["on"] = on
    state = asked.state if asked.state in _STANDS else ""
    order = _ORDERS.get(asked.sort, _ORDERS["code"])
    each = ", ".join(f"count(*) FILTER (WHERE {one})" for one in _STANDS.values())
    shown = list(_STANDS).index(state) + 1
    # One question for the counts and the page; a page behind the last is the last.
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH counts ({_COUNTS}) AS (SELECT {each}{_FROM}{where})"  # noqa: S608 - fixed parts
            f" SELECT counts.*, page.* FROM counts LEFT JOIN (SELECT {_COLUMNS},"
            f" row_number() OVER (ORDER BY {order}) AS place{_FROM}{where} AND {_STANDS[state]}"
            f" ORDER BY {order} LIMIT %(size)s OFFSET (SELECT least(%(skip)s,"
            f" greatest(0, (n{shown} - 1) / %(size)s * %(size)s)) FROM counts)) page ON true"
            " ORDER BY page.place",
            given | {"size": asked.size, "skip": (max(1, asked.page) - 1) * asked.size},
        )
        found = cursor.fetchall()
    counts = dict(zip(_STANDS, found[0], strict=False))
    pages = max(1, -(-counts[state] // asked.size))
    page = min(max(1, asked.page), pages)
    rows = tuple(Line(*row[len(_STANDS) : -1]) for row in found if row[-1] is not None)
    named = {one.code: one.name for one in departments}
    unknown = {row.agency for row in rows} - set(named)
    return Listed(
        rows, counts, counts[state], page, pages, departments, dict(accounts.regions()),
        named | dict(accounts.names(agencies=unknown).agencies),
    )  # fmt: skip


def _conditions(asked: Question, departments: Iterable[AgencyRow]) -> tuple[str, dict[str, Any]]:
    where = ["true"]
    given: dict[str, Any] = {}
    for column, name in (
        ("i.level", "level"), ("i.region", "region"), ("v.agency", "agency"), ("v.type", "type"),
    ):  # fmt: skip
        if value := getattr(asked, name):
            where.append(f"{column} = %({name})s")
            given[name] = value
    if asked.under:
        where.append("v.score < %(under)s")
        given["under"] = asked.under
    if asked.generated:
        where.append("i.generated" if asked.generated == "yes" else "NOT i.generated")
    words = bigrams.fold(asked.q[:LONGEST]).split()[:WORDS]
    if asked.q.strip() and not words:
        where.append("false")  # nothing but punctuation
    means = finding.synonyms() if words else {}
    for number, word in enumerate(words):
        parts = ["v.needle LIKE ANY(%(words{0})s)", "v.agency = ANY(%(agencies{0})s)"]
        where.append("(" + " OR ".join(part.format(number) for part in parts) + ")")
        alternatives = (bigrams.fold(one) for one in (word, *means.get(word, ())))
        given[f"words{number}"] = [f"%{_like(one)}%" for one in alternatives if one]
        given[f"agencies{number}"] = [
            one.code for one in departments if word in bigrams.fold(one.name)
        ]
    return f" WHERE {' AND '.join(where)}", given


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# --- one item, whole --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """One element: what holds and where it comes from. source: a level of the lists, "flow" where
    the flow is made from a template or is that of another item, "" where nothing is said."""

    element: Element
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an item and its publication (发布). change: visible to the reader."""

    code: str
    level: str
    region: str
    number: int
    since: date
    until: date | None
    retired: bool
    retired_on: date | None
    transition: bool
    name: str
    type: str
    kind: str
    agency: str
    agency_name: str
    above: str
    approved: str
    score: int
    change: UUID | None
    by: str
    at: datetime | None
    content: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """The same item on one level or in one place, as it stands on the day."""

    code: str
    level: str
    region: str
    region_name: str
    agency_name: str
    version: int
    state: str
    score: int


@dataclass(frozen=True, slots=True)
class Whole:
    """An item with all that is known of it. shown: the version that is laid open."""

    code: str
    base: str
    level: str
    region: str
    region_name: str
    generated: bool
    state: str
    shown: Version
    groups: tuple[tuple[str, tuple[Told, ...]], ...]
    steps: tuple[Step, ...]
    template: Template | None
    departures: tuple[Departure, ...]
    flow_of: str
    completeness: Completeness
    versions: tuple[Version, ...]
    tree: tuple[Branch, ...]
    moving: tuple[Change, ...]

    @property
    def level_zh(self) -> str:
        return LISTS_ZH[Level(self.level)]

    def version(self, number: int) -> Version | None:
        return next((one for one in self.versions if one.number == number), None)


def item(actor: Actor, code: str, on: date, *, number: int = 0) -> Whole | None:
    """An item; the version in force on a day, or the newest, or that of a number. None: no such."""
    found = list(_wholes().filter(item__code=code).order_by("-version"))
    if not found:
        return None
    head = found[0].item
    changed = changes.listed(actor, item=code)
    seen = {one.id for one in changed.rows}
    events = {one.version: one for one in ledger_queries.stream_events(STREAM, head.stream)}
    tree = _tree(head.base, on)
    names = accounts.names(
        agencies={one.agency for one in found} | {one["agency"] for one in tree},
        people={one.actor for one in events.values()},
    )
    regions = dict(accounts.regions())
    versions = []
    for one in found:
        event = events.get(one.version)
        versions.append(
            Version(
                code=code, level=head.level, region=head.region, number=one.version,
                since=one.in_force.lower, until=one.in_force.upper, retired=one.retired,
                retired_on=one.retired_on, transition=one.transition, name=one.name, type=one.type,
                kind=one.kind, agency=one.agency, agency_name=names.agency(one.agency),
                above=f"{one.above.item.code}@{one.above.version}" if one.above else "",
                approved=one.approved, score=one.score,
                change=one.change if one.change in seen else None,
                by=names.person(event.actor) if event else "",
                at=event.received if event else None,
                content={**queries.whole(one), "steps": one.steps},
            )
        )  # fmt: skip
    laid = _laid(found, on, number)
    whole = queries.whole(laid)
    steps = guide.steps(laid.steps)
    flow_of = str(whole.get("flow_of", ""))
    # The province's list says nothing of flows; a retired item keeps the one it had.
    template = (
        templates.of(whole.get("template"), laid.type, laid.kind)
        if steps and not flow_of and laid.kind
        else None
    )
    return Whole(
        code=code, base=head.base, level=head.level, region=head.region,
        region_name=region_name(head.level, head.region, regions), generated=head.generated,
        state=_state(laid, on),
        shown=next(one for one in versions if one.number == laid.version),
        groups=_groups(laid, whole), steps=steps, template=template,
        departures=templates.departures(steps, template) if template else (), flow_of=flow_of,
        completeness=guide.completeness(whole), versions=tuple(versions),
        tree=tuple(
            Branch(
                one["item__code"], one["item__level"], one["item__region"],
                region_name(one["item__level"], one["item__region"], regions),
                names.agency(one["agency"]), one["version"], one["state"], one["score"],
            )
            for one in tree
        ),
        moving=tuple(one for one in changed.rows if one.open),
    )  # fmt: skip


def _wholes() -> QuerySet[ItemVersion]:
    found = ItemVersion.objects.select_related("item", "above__item", "above__above__item")
    return found.defer("needle", "search", "above__needle", "above__search")


def _laid(found: Sequence[ItemVersion], on: date, number: int) -> ItemVersion:
    """The version asked for, else the one that stands on the day, else the first to come."""
    asked = next((one for one in found if one.version == number), None)
    begun = next((one for one in found if one.in_force.lower <= on), None)
    return asked or begun or found[-1]


def _state(one: ItemVersion, on: date) -> str:
    if one.in_force.lower > on:
        return "coming"
    if one.retired:
        return "gone"
    return "" if one.in_force.upper is None or on < one.in_force.upper else "former"


def elements(code: str, number: int) -> tuple[tuple[str, tuple[Told, ...]], ...]:
    """What the guide of a version says, by its groups, and from which list each of it comes.

    Raises LookupError.
    """
    found = _wholes().filter(item__code=code, version=number).first()
    if found is None:
        raise LookupError(f"{code}@{number}")
    return _groups(found, queries.whole(found))


def _groups(
    laid: ItemVersion, whole: Mapping[str, Any]
) -> tuple[tuple[str, tuple[Told, ...]], ...]:
    """What holds, by the groups of the guide; what nothing is said of is left out."""
    made: dict[str, list[Told]] = {}
    for element in ELEMENTS:
        value: Any = whole.get(element.code)
        source = ""
        upper: ItemVersion | None = laid
        while upper is not None and not source:
            source = upper.item.level if element.code in upper.own else ""
            upper = upper.above
        if element.code == "steps":
            value, source = laid.steps, source or "flow"
        text = told(element, value)
        if element.kind in guide.EMPTY and element.code in whole and not text:
            text = "没有"
        if text:
            made.setdefault(element.group, []).append(Told(element, text, source))
    return tuple((group, tuple(lines)) for group, lines in made.items())


def _in_words(element: Element, value: Any) -> str:
    """What a code stands for that the guide itself has no list of; "" where there is none."""
    if not value:
        return ""
    match element.code:
        case "themes":
            known = browsing.themes()
            return "、".join(known[one].name if one in known else one for one in value)
        case "guiding" if value in GUIDING_DEPARTMENTS:
            return f"{GUIDING_DEPARTMENTS[value]}（{value}）"
        case "promised_is":
            return PROMISED_IS_ZH.get(value, "")
    return ""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[guide.Change, ...]:
    """guide.differences, in words where the guide has only codes."""
    return tuple(
        replace(
            one, before=_in_words(BY_CODE[one.code], before.get(one.code)) or one.before,
            after=_in_words(BY_CODE[one.code], after.get(one.code)) or one.after,
        )
        for one in guide.differences(before, after)
    )  # fmt: skip


def told(element: Element, value: Any) -> str:
    """A value as a person reads it, in words where the guide has only codes."""
    return _in_words(element, value) or guide.told(element, value)


def _tree(base: str, on: date) -> list[dict[str, Any]]:
    """The item on every level and in every place: its version of the day, else its newest."""
    rows = ItemVersion.objects.filter(item__base=base).values(
        "item__code", "item__level", "item__region", "agency", "version", "in_force", "retired",
        "score",
    )  # fmt: skip
    kept: dict[str, dict[str, Any]] = {}
    for row in rows.order_by("item__code", "version"):
        begun = row["in_force"].lower <= on
        if begun or row["item__code"] not in kept:
            over = row["in_force"].upper is not None and row["in_force"].upper <= on
            state = "coming" if not begun else "gone" if row["retired"] or over else ""
            kept[row["item__code"]] = row | {"state": state}
    order = {Level.PROVINCE: 0, Level.CITY: 1, Level.IMPLEMENTATION: 2}
    return sorted(
        kept.values(),
        key=lambda one: (order[Level(one["item__level"])], one["item__region"], one["item__code"]),
    )


def contents(codes: Collection[str], on: date) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """The name and the whole content, its flow included, of the items in force on a day."""
    found = _wholes().filter(item__code__in=codes, in_force__contains=on, retired=False)
    return {one.item.code: (one.name, {**queries.whole(one), "steps": one.steps}) for one in found}


# --- how complete the guides are --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    """A department's guides (部门的完整度): how many, their mean, how many under each of UNDER."""

    agency: str
    agency_name: str
    region: str
    items: int
    mean: float
    under: tuple[int, ...]


def scores(on: date, *, region: str = "", level: str = Level.IMPLEMENTATION) -> tuple[Score, ...]:
    """The completeness of what is in force, by agency, the lowest mean first."""
    each = ", ".join(f"count(*) FILTER (WHERE v.score < {limit})" for limit in UNDER)
    where = " AND i.region = %(region)s" if region else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT v.agency, min(i.region), count(*), avg(v.score), {each}{_FROM}"
            f" WHERE {_STANDS['']} AND i.level = %(level)s{where}"
            " GROUP BY v.agency ORDER BY avg(v.score), v.agency",
            {"on": on, "level": level, "region": region},
        )
        rows = cursor.fetchall()
    names = accounts.names(agencies=(row[0] for row in rows))
    return tuple(
        Score(
            row[0], names.agency(row[0]), row[1], row[2], round(float(row[3]), 1),
            tuple(map(int, row[4:])),
        )
        for row in rows
    )  # fmt: skip


def missing(lines: Sequence[Line]) -> Mapping[int, Completeness]:
    """What the guides of these lines lack, by the version."""
    found = _wholes().in_bulk([one.pk for one in lines])
    return {pk: guide.completeness(queries.whole(one)) for pk, one in found.items()}
