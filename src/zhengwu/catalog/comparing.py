"""The same item in many places (全市比对), and items that look the same under two names (同事异名).

Every implementation is held against the city's common list; where there is none, against the city's
own implementation, else against the first place's. What belongs to the place (where, when, by whom,
its codes) is no difference, nor is how a limit was cut into steps.

An answer about the whole city is kept for one state of the catalogue and one day. The database
passes over the implementations that say nothing of their own and have the list's flow, so that only
the rest is unpacked.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from threading import Lock
from typing import Any

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.catalog import queries
from zhengwu.catalog.models import ItemVersion
from zhengwu.domain import bigrams, guide, likeness
from zhengwu.domain.guide import BY_CODE, ELEMENTS, Element, Level
from zhengwu.domain.likeness import Named, Pair

PAGE = 30
PAIRS = 50
MOST_PAIRS = 10_000
# The place's own: nobody expects two districts to have the same address.
PLACE = frozenset(
    {"code", "exercised", "nature", "entrusting", "in_hall", "place", "hours", "traffic", "phone",
     "complaint", "review_body", "court"}
)  # fmt: skip
# Where a value comes from; what comes of it (the flow, the promise) is compared itself.
ORIGIN = frozenset({"template", "flow_of", "promised_is"})
COMPARED: tuple[Element, ...] = tuple(one for one in ELEMENTS if one.code not in PLACE | ORIGIN)
# What the table shows of every place; other differences stand behind it in words.
SHOWN = (
    "name", "kind", "promised", "statutory", "materials", "conditions", "fees", "steps", "channels",
    "visits",
)  # fmt: skip
CUT = 40


# --- one item, side by side -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """One element of one place. short: for the table; full: every word; word: how it differs from
    the list, "" where it does not; detail: what exactly, where a list is longer than its count."""

    code: str
    zh: str
    short: str
    full: str
    word: str = ""
    detail: str = ""

    @property
    def differs(self) -> bool:
        return bool(self.word)


@dataclass(frozen=True, slots=True)
class Place:
    """One column of the comparison. cells: the elements of SHOWN, in that order; more: the other
    elements that differ from the list."""

    code: str
    version: int
    level: str
    region: str
    region_name: str
    agency: str
    cells: tuple[Cell, ...]
    more: tuple[Cell, ...]

    @property
    def differing(self) -> tuple[Cell, ...]:
        return tuple(one for one in (*self.cells, *self.more) if one.differs)


@dataclass(frozen=True, slots=True)
class SideBySide:
    """An item in all its places. reference: the city's list, or the place that stands in for it;
    absent: the regions without an implementation of it."""

    base: str
    name: str
    type: str
    generated: bool
    reference: Place
    places: tuple[Place, ...]
    absent: tuple[str, ...]

    @property
    def listed(self) -> bool:
        """Whether the city's common list has it."""
        return self.reference.level == Level.CITY

    @property
    def differing(self) -> tuple[Place, ...]:
        return tuple(one for one in self.places if one.differing)

    @property
    def columns(self) -> frozenset[str]:
        """The elements of SHOWN that differ anywhere."""
        return frozenset(one.code for place in self.places for one in place.cells if one.differs)


def side_by_side(base: str, on: date) -> SideBySide | None:
    """An item in all places where it is in force on a day; None where it is nowhere."""
    found = list(
        ItemVersion.objects.filter(
            item__base=base, item__level__in=[Level.CITY, Level.IMPLEMENTATION], retired=False,
            in_force__contains=on,
        )
        .select_related("item", "above__item", "above__above__item")
        .order_by("item__region", "item__code")
    )  # fmt: skip
    if not found:
        return None
    reference = _reference(found)
    theirs = _content(queries.whole(reference), reference.steps)
    regions = dict(accounts.regions())

    def place(one: ItemVersion) -> Place:
        mine = _content(queries.whole(one), one.steps)
        cells = [_cell(element, mine, theirs) for element in COMPARED]
        shown = {cell.code: cell for cell in cells}
        return Place(
            one.item.code, one.version, one.item.level, one.item.region,
            region_name(one.item.level, one.item.region, regions), one.agency,
            tuple(shown[code] for code in SHOWN),
            tuple(cell for cell in cells if cell.differs and cell.code not in SHOWN),
        )  # fmt: skip

    places = tuple(place(one) for one in found if one.item.level == Level.IMPLEMENTATION)
    there = {one.region for one in places}
    return SideBySide(
        base, reference.name, reference.type, reference.item.generated, place(reference), places,
        tuple(name for code, name in regions.items() if code not in there),
    )  # fmt: skip


def region_name(level: str, region: str, regions: Mapping[str, str]) -> str:
    """Where it holds; the city's own implementation stands beside those of the districts."""
    if level == Level.PROVINCE:
        return "全省"
    if level == Level.IMPLEMENTATION and region == accounts.CITY:
        return "市本级"
    return regions.get(region, region)


def _reference(found: Sequence[ItemVersion]) -> ItemVersion:
    """What the others are held against: the list, the city's own implementation, the first."""
    listed = next((one for one in found if one.item.level == Level.CITY), None)
    own = next((one for one in found if one.item.region == accounts.CITY), None)
    return listed or own or found[0]


def _content(whole: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The whole with the flow that holds, wherever it comes from."""
    return {**whole, "steps": steps}


def _cell(element: Element, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Cell:
    own, other = mine.get(element.code), theirs.get(element.code)
    word = detail = ""
    if _plain(element, own) != _plain(element, other):
        word, detail = _word(element, own, other), _detail(element, own, other)
    return Cell(
        element.code, element.zh, _short(element, own, mine), guide.told(element, own), word, detail
    )


def _plain(element: Element, value: Any) -> Any:
    """A value without what makes no difference to an applicant; nothing and none are the same."""
    if not value and element.kind != "count":
        return None
    match element.kind:
        case "limit":
            return value["value"], value["unit"], value.get("roll", True)
        case "materials":
            return {one["name"]: {**one, "code": ""} for one in value}
        case "steps":
            return [
                (one["code"], one["name"], one["role"], tuple(one.get("after", ())))
                for one in value
            ]
    return value


def _short(element: Element, value: Any, whole: Mapping[str, Any]) -> str:
    match element.kind:
        case "limit" if value is None:
            return "没有规定" if element.code == "statutory" else "未承诺"
        case "limit":
            limit = guide.limit({"l": value}, "l")
            assert limit is not None
            return limit.words()
        case "materials":
            return f"{len(value)} 份" if value else "不需要"
        case "lines":
            return f"{len(value)} 条" if value else "—"
        case "fees":
            return _cut(guide.fee_zh(whole)) if value else "不收费"
        case "steps":
            return f"{len(value)} 个环节" if value else "—"
        case "questions":
            return f"{len(value)} 个" if value else "—"
        case "count" if value is not None:
            return f"{value} 次"
    return _cut(guide.told(element, value)) or "—"


def _cut(text: str) -> str:
    return text if len(text) <= CUT else f"{text[: CUT - 1]}…"


def _word(element: Element, mine: Any, theirs: Any) -> str:
    if not mine and element.kind != "count":
        return "没有"
    if not theirs and element.kind != "count":
        return "另有"
    match element.kind:
        case "limit":
            own, other = guide.limit({"l": mine}, "l"), guide.limit({"l": theirs}, "l")
            assert own is not None
            assert other is not None
            return {False: "更短", True: "更长", None: "不同"}[
                guide.longer(own, other) if own.value != other.value or own.unit != other.unit
                else None
            ]  # fmt: skip
        case "count" if mine is not None and theirs is not None:
            return "更少" if mine < theirs else "更多"
        case "materials" | "fees":
            own_names, names = {one["name"] for one in mine}, {one["name"] for one in theirs}
            return _more_or_less(own_names, names)
        case "lines" | "choices":
            return _more_or_less(set(mine), set(theirs))
    return "不同"


def _more_or_less(mine: set[str], theirs: set[str]) -> str:
    if mine < theirs:
        return "更少"
    return "更多" if mine > theirs else "不同"


def _detail(element: Element, mine: Any, theirs: Any) -> str:
    """What is missing, added or written otherwise."""
    mine, theirs = mine or [], theirs or []
    match element.kind:
        case "materials" | "fees":
            own = {one["name"]: {**one, "code": ""} for one in mine}
            other = {one["name"]: {**one, "code": ""} for one in theirs}
            changed = [name for name in own if name in other and own[name] != other[name]]
            return _told(list(own), list(other), changed)
        case "lines":
            return _told(mine, theirs, [])
        case "steps":
            own_names, names = [one["name"] for one in mine], [one["name"] for one in theirs]
            return _told(own_names, names, []) or "先后或者岗位不同"
        case "questions":
            return _told([one["q"] for one in mine], [one["q"] for one in theirs], [])
    return ""


def _told(mine: Sequence[str], theirs: Sequence[str], changed: Sequence[str]) -> str:
    parts = (
        ("少", [one for one in theirs if one not in mine]),
        ("多", [one for one in mine if one not in theirs]),
        ("写法不同", changed),
    )
    return "；".join(f"{zh}：{'、'.join(names)}" for zh, names in parts if names)


# --- the whole city ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Differing:
    """An item whose implementations differ. elements: code → the regions that differ in it; places:
    how many implementations there are."""

    base: str
    name: str
    type: str
    agency: str
    generated: bool
    places: int
    elements: Mapping[str, tuple[str, ...]]

    @property
    def regions(self) -> frozenset[str]:
        return frozenset(region for regions in self.elements.values() for region in regions)


@dataclass(frozen=True, slots=True)
class Differences:
    """A page of items that differ, the most first. counts: element → items that differ in it, under
    the other conditions; agencies: the departments that have any. shared: items in several places."""

    rows: tuple[Differing, ...]
    total: int
    page: int
    pages: int
    counts: tuple[tuple[Element, int], ...]
    agencies: tuple[tuple[str, str], ...]
    names: Mapping[str, str]
    shared: int


_lock = Lock()


def differing(
    on: date,
    *,
    element: str = "",
    agency: str = "",
    region: str = "",
    q: str = "",
    page: int = 1,
    size: int = PAGE,
) -> Differences:
    """The items of the whole city whose implementations differ from the list on a day.

    agency: that of the city's list. region: which differs. q: words in the name, or the base code.
    """
    with _lock:  # of two who ask at once, one computes
        found, shared = _city_wide(_state(), on)
    holds = _holding(q)
    asked = [
        one
        for one in found
        if (not agency or one.agency == agency)
        and holds(f"{one.name} {one.base}")
        and (not region or region in one.regions)
    ]
    counts = Counter(
        code
        for one in asked
        for code, regions in one.elements.items()
        if not region or region in regions
    )
    rows = [
        one
        for one in asked
        if not element
        or (element in one.elements and (not region or region in one.elements[element]))
    ]
    pages = max(1, -(-len(rows) // size))
    page = min(max(1, page), pages)
    named = accounts.names(agencies={one.agency for one in found}).agencies
    return Differences(
        tuple(rows[(page - 1) * size : page * size]), len(rows), page, pages,
        tuple((one, counts[one.code]) for one in COMPARED if counts[one.code]),
        tuple(sorted((code, named.get(code, code)) for code in {one.agency for one in found})),
        named, shared,
    )  # fmt: skip


def _holding(q: str) -> Callable[[str], bool]:
    """Whether a text holds every word; with no word, any text does."""
    words = bigrams.fold(q).split()
    if q.strip() and not words:
        return lambda text: False  # nothing but punctuation

    def holds(text: str) -> bool:
        return not words or all(word in folded for folded in [bigrams.fold(text)] for word in words)

    return holds


State = tuple[object, ...]


def _state() -> State:
    """The edition (queries.edition) with what tells it from that of another database."""
    last = ItemVersion.objects.order_by("-pk").values_list("pk", "item__stream", "digest")
    return last.first() or ()


# The implementations in force that say something of their own, or stand under another version of
# the list than the one in force, or have another flow; and those without a list.
_UNLIKE = """
WITH listed AS (
  SELECT i.base, v.id, v.steps FROM catalog_itemversion v JOIN catalog_item i ON i.id = v.item_id
  WHERE i.level = 'city' AND v.in_force @> %(on)s::date AND NOT v.retired)
SELECT i.base, i.region, v.id, l.id, l.id = v.above_id, v.own - %(place)s::text[],
  CASE WHEN v.steps <> l.steps THEN v.steps END
FROM catalog_itemversion v JOIN catalog_item i ON i.id = v.item_id LEFT JOIN listed l USING (base)
WHERE i.level = 'implementation' AND v.in_force @> %(on)s::date AND NOT v.retired
  AND (l.id IS NULL OR l.id IS DISTINCT FROM v.above_id OR v.steps <> l.steps
    OR v.own - %(place)s::text[] <> '{}')
ORDER BY i.base, i.region, i.code
"""
_PLACES = """
SELECT i.base, count(*) FROM catalog_itemversion v JOIN catalog_item i ON i.id = v.item_id
WHERE i.level = 'implementation' AND v.in_force @> %s::date AND NOT v.retired
GROUP BY i.base
"""


@dataclass(frozen=True, slots=True)
class _Unlike:
    """An implementation that may differ. own: without what is the place's; None where the whole has
    to be read. steps: None where they are the list's."""

    base: str
    region: str
    pk: int
    own: Mapping[str, Any] | None
    steps: list[dict[str, Any]] | None


@lru_cache(maxsize=4)
def _city_wide(state: State, on: date) -> tuple[tuple[Differing, ...], int]:
    unlike: dict[str, list[_Unlike]] = defaultdict(list)
    listed: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [on])
        places = dict(cursor.fetchall())
        cursor.execute(_UNLIKE, {"on": on, "place": sorted(PLACE | ORIGIN | {"steps"})})
        for base, region, pk, above, under, own, steps in cursor.fetchall():
            if above is None and places[base] < 2:
                continue  # nowhere else, and on no list
            if above is not None:
                listed[base] = above
            unlike[base].append(
                _Unlike(
                    base, region, pk, json.loads(own) if under else None,
                    json.loads(steps) if steps is not None else None,
                )
            )  # fmt: skip
    unread = {one.pk for rows in unlike.values() for one in rows if one.own is None}
    wholes = _load(unread.union(listed.values()))
    made = []
    for base, rows in unlike.items():
        reference = (
            wholes[listed[base]] if base in listed else _reference([wholes[one.pk] for one in rows])
        )
        elements = _elements(rows, reference, wholes)
        if elements:
            made.append(
                Differing(
                    base, reference.name, reference.type, reference.agency,
                    reference.item.generated, places[base], elements,
                )
            )  # fmt: skip
    made.sort(key=lambda one: (-sum(map(len, one.elements.values())), one.base))
    return tuple(made), sum(count > 1 for count in places.values())


def _load(ids: Collection[int]) -> dict[int, ItemVersion]:
    found = ItemVersion.objects.select_related("item", "above__item", "above__above__item")
    return found.defer("needle", "search").in_bulk(list(ids))


def _elements(
    rows: Iterable[_Unlike], reference: ItemVersion, wholes: Mapping[int, ItemVersion]
) -> dict[str, tuple[str, ...]]:
    """Element → the regions whose implementations differ in it."""
    theirs = _content(queries.whole(reference), reference.steps)
    plain = {one.code: _plain(one, theirs.get(one.code)) for one in COMPARED}
    told: dict[str, dict[str, None]] = {}
    for row in rows:
        mine = row.own
        if mine is None:
            whole = wholes[row.pk]
            mine = _content(queries.whole(whole), whole.steps)
            codes: Iterable[str] = plain
        elif row.steps is not None:
            mine = {**mine, "steps": row.steps}
            codes = mine
        else:
            codes = mine
        for code in codes:
            if code in plain and _plain(BY_CODE[code], mine.get(code)) != plain[code]:
                told.setdefault(code, {})[row.region] = None
    return {one.code: tuple(told[one.code]) for one in COMPARED if one.code in told}


# --- two names, one item ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Twin:
    """A row that bears a name of a pair."""

    code: str
    name: str
    base: str
    agency: str
    agency_name: str
    type: str


@dataclass(frozen=True, slots=True)
class Alike:
    """A pair of names, each with its first row and how many more bear it."""

    pair: Pair
    a: Twin
    b: Twin

    @property
    def per_cent(self) -> int:
        return round(self.pair.score * 100)


@dataclass(frozen=True, slots=True)
class AlikePage:
    """A page of pairs, the surest first. variants: how many pairs differ in brackets or phase only."""

    rows: tuple[Alike, ...]
    total: int
    page: int
    pages: int
    same: int
    variants: int
    agencies: tuple[tuple[str, str], ...]


def alike(
    on: date,
    *,
    variants: bool = False,
    agency: str = "",
    q: str = "",
    page: int = 1,
    size: int = PAIRS,
) -> AlikePage:
    """Items in force on a day that look the same under two names, or variants of one matter."""
    with _lock:
        pairs, rows = _alike(_state(), on)
    named = accounts.names(agencies={one.agency for one in rows.values()}).agencies

    def twin(code: str) -> Twin:
        one = rows[code]
        return Twin(
            code, one.name, one.base, one.agency, named.get(one.agency, one.agency), one.type
        )

    holds = _holding(q)

    def asked(pair: Pair) -> bool:
        sides = (pair.a.keys, pair.b.keys)
        return (
            not agency or any(rows[key].agency == agency for keys in sides for key in keys)
        ) and holds(f"{pair.a.name} {pair.b.name} {' '.join(pair.a.keys + pair.b.keys)}")

    found = [pair for pair in pairs if asked(pair)]
    shown = [pair for pair in found if pair.variant == variants]
    pages = max(1, -(-len(shown) // size))
    page = min(max(1, page), pages)
    agencies = {
        rows[key].agency for pair in pairs for keys in (pair.a.keys, pair.b.keys) for key in keys
    }
    return AlikePage(
        tuple(
            Alike(pair, twin(pair.a.keys[0]), twin(pair.b.keys[0]))
            for pair in shown[(page - 1) * size : page * size]
        ),
        len(shown), page, pages,
        sum(not pair.variant for pair in found), sum(pair.variant for pair in found),
        tuple(sorted((code, named.get(code, code)) for code in agencies)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Root:
    name: str
    base: str
    agency: str
    type: str


@lru_cache(maxsize=4)
def _alike(state: State, on: date) -> tuple[tuple[Pair, ...], Mapping[str, _Root]]:
    """The pairs, and the rows by their codes: the entries of the city's list and items of one's own.

    Below the list every name is the list's (guide: same).
    """
    found = (
        ItemVersion.objects.filter(root=True, retired=False, in_force__contains=on)
        .select_related("item", "above__item", "above__above__item")
        .defer("needle", "search", "steps", "above__needle", "above__search", "above__steps")
    )
    rows: dict[str, _Root] = {}
    named = []
    for one in found.order_by("item__code"):
        whole = queries.whole(one)
        rows[one.item.code] = _Root(one.name, one.item.base, one.agency, one.type)
        named.append(
            Named(
                key=one.item.code,
                name=one.name,
                group=one.item.base,
                basis=str(whole.get("basis", "")),
                materials=frozenset(part["name"] for part in whole.get("materials", ())),
                agency=one.agency,
            )
        )
    return likeness.alike(named, most=MOST_PAIRS), rows
