"""The real process of a selection of cases (实际流程), beside the published flow of its item.

A page looks at no more than the newest SAMPLE cases (closed ones first) and EVENTS events of what was
asked, and counts no further than LOOKED: it costs the same in a city of a million cases. The command goes through all
of them, a page of cases at a time. What counts as having happened is the same everywhere, in the
picture, in the figures and in the exported log (`happened`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.calendars import queries as calendars
from zhengwu.cases import loading, wording
from zhengwu.cases.heads import SHANGHAI
from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain import lifecycle, process
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.procedure import Flow
from zhengwu.domain.process import (
    Beside,
    Departure,
    Discovery,
    Happening,
    OfficeMeter,
    Picture,
    StepTold,
)
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries

ACT = "time.see"
SAMPLE = 250  # cases of one page, the newest
EVENTS = 2_500  # and events, whatever comes first
LOOKED = 10_000  # how far cases are counted and looked through
PAGE = 250  # cases read with one SELECT
FIRST = UUID(int=0)
BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00+00:00")
EVERYTHING = Reach(True, frozenset(), frozenset(), frozenset())
OUTCOMES: Mapping[str, str] = {"granted": "准予", "refused": "不予", "open": "还没有决定"}
# Entries about entries, and what no hand does: no step of the way.
ASIDE = frozenset({
    "withdrawal_proposed", "entry_withdrawn", "retracted", "corrected", "claim", "archived",
})  # fmt: skip
STEPS = {"receive": "收件", "deliver": "送达"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which cases. opened from `since` (included) to `until` (excluded); empty: not asked.

    outcome: of OUTCOMES. source: as in the case's head, link:receipt for another system's.
    """

    item: str = ""
    agency: str = ""
    source: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What the process needs of a case; no applicant."""

    id: UUID
    number: str
    source: str
    foreign_id: str | None
    kind: str
    item: str | None
    item_version: int | None
    item_name: str
    agency: str
    region: str
    hall: str | None
    opened: datetime
    closed: datetime | None
    outcome: str | None
    events: tuple[Event, ...]
    calendar: tuple[int, UUID] | None  # what the calendar's stream came to when it was read


@dataclass(frozen=True, slots=True)
class Way:
    """One case's way: the events that count by version, what happened in order, where it left."""

    row: Row
    counting: tuple[Event, ...]
    happened: tuple[Happening, ...]
    departures: tuple[Departure, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What was discovered. cases: of how many; matched: how many there are at least; more: whether
    there are more than was counted; whole: whether all of them were looked at.

    item: the version of the asked item that is published, with `steps` beside it.
    """

    selection: Selection
    picture: Picture
    cases: int
    matched: int
    more: bool
    item: ItemVersionRow | None
    steps: tuple[StepTold, ...]

    @property
    def whole(self) -> bool:
        return not self.more and self.cases == self.matched


@dataclass(frozen=True, slots=True)
class Told:
    """A case in a list: of one variant, one edge or one departure."""

    number: str
    item_name: str
    agency: str
    opened: datetime
    closed: datetime | None
    length: timedelta


@dataclass(frozen=True, slots=True)
class Listed:
    """The cases of one variant, edge or departure: what it is, how it is called, the newest first."""

    kind: str
    title: str
    rows: tuple[Told, ...]


# --- what happened --------------------------------------------------------------------------------


def way(row: Row) -> Way:
    """A case's way; entries withdrawn do not count, nor what counts no more because of them."""
    counting = lifecycle.standing_events(row.events)
    flow = _flow(row.item, row.item_version)
    return Way(row, counting, happened(counting, flow), process.departures(counting, flow))


def happened(counting: Sequence[Event], flow: Flow | None) -> tuple[Happening, ...]:
    """The activities of a case from the events that count, by the instant of their happening."""
    names = STEPS | ({step.code: step.name for step in flow.steps} if flow else {})
    found = []
    for event in counting:
        if event.kind in ASIDE:
            continue
        if event.nature is Nature.ACT:
            activity = wording.ACTS.get(event.kind, event.kind)
            if event.kind in ("step_taken", "step_done"):
                code = str(event.body.get("step") or "")
                activity = f"{activity}·{names.get(code, code)}" if code else activity
            found.append(
                Happening(activity, event.occurred, event.version, event.actor, event.agency)
            )
        elif not from_attribute(event):
            found.append(_observed(event))
    return process.in_order(found)


def from_attribute(event: Event) -> bool:
    """Whether another system's news was made from an attribute of its case, not from an event."""
    foreign = event.body.get("foreign")
    return isinstance(foreign, Mapping) and set(foreign) == {"name"}


def _observed(event: Event) -> Happening:
    foreign = event.body.get("foreign")
    told: Mapping[str, Any] = foreign if isinstance(foreign, Mapping) else {}
    activity = str(told.get("name") or wording.title(event))
    label = str(event.body.get("step") or "")
    return Happening(
        activity=activity,
        # A receipt says when the case began; the event that told of it has an instant of its own.
        at=event.recorded if event.kind == "received" else event.occurred,
        version=event.version,
        resource=str(told["actor"]) if told.get("actor") else None,
        group=str(told.get("group") or event.agency or "") or None,
        label="" if label == activity else label,
    )


def _flow(item: str | None, version: int | None) -> Flow | None:
    """The flow that bound a case: that of its own version of the item."""
    return catalog.version(item, version).flow if item and version is not None else None


# --- discovery ------------------------------------------------------------------------------------


def discover(reach: Reach, selection: Selection, *, at: datetime) -> Found:
    """The process of the newest cases of a selection within a reach. Raises Refusal as `check`."""
    check(selection)
    ids, matched, more = _newest(reach, selection)
    account = _Account(selection, at=at)
    for row in _rows(ids):
        account.add(way(row))
    return account.found(matched=matched, more=more)


def discover_all(
    selection: Selection, *, at: datetime, progress: Any = None, reach: Reach = EVERYTHING
) -> Found:
    """The process of all cases of a selection. `progress(cases)` is told after every page.

    Raises Refusal as `check`.
    """
    check(selection)
    account = _Account(selection, at=at)
    for row in every(reach, selection):
        account.add(way(row))
        if progress and account.looked % PAGE == 0:
            progress(account.looked)
    return account.found(matched=account.looked, more=False)


def listed(reach: Reach, selection: Selection, key: str) -> Listed | None:
    """The cases of the same sample that are of a variant, passed an edge or have a departure: the
    key says which. None: no case is. Raises Refusal as `check`.
    """
    check(selection)
    kind = title = ""
    told = []
    for row in _rows(_newest(reach, selection)[0]):
        one = way(row)
        said = next((rest for known, *rest in _keys(one) if known == key), None)
        if said is None:
            continue
        kind, title = said
        length = one.happened[-1].at - one.happened[0].at
        told.append(Told(row.number, row.item_name, row.agency, row.opened, row.closed, length))
    if not told:
        return None
    told.sort(key=lambda one: (one.opened, one.number), reverse=True)
    return Listed(kind, title, tuple(told))


def _keys(one: Way) -> Iterator[tuple[str, str, str]]:
    """What a case stands in the lists of: the key, the kind in words, what it is called."""
    activities = [each.activity for each in one.happened]
    if not activities:
        return
    yield process.variant_key(activities), "变体", " → ".join(activities)
    for before, after in pairwise(activities):
        yield process.edge_key(before, after), "先后", f"{before} → {after}"
    for departure in one.departures:
        yield departure.key, process.KINDS[departure.kind], departure.zh


@dataclass(slots=True)
class _Account:
    """Cases added up; office hours by place."""

    selection: Selection
    at: datetime
    looked: int = 0
    discovery: Discovery = field(default_factory=Discovery)
    meters: dict[tuple[str, str | None], OfficeMeter] = field(default_factory=dict)
    item: ItemVersionRow | None = None
    beside: Beside | None = None

    def __post_init__(self) -> None:
        if self.selection.item:
            self.item = published(self.selection.item, self.at)
            self.beside = Beside(self.item.flow) if self.item else None

    def add(self, one: Way) -> None:
        self.looked += 1
        place = (one.row.region, one.row.hall)
        if place not in self.meters:
            # Days off as they are known today: this measures, not judges.
            edition = calendars.edition(*place, last=one.row.calendar)
            self.meters[place] = OfficeMeter(edition)
        office = self.meters[place]
        self.discovery.add(one.happened, one.departures, office)
        if self.beside:
            self.beside.add(one.counting, one.departures, office)

    def found(self, *, matched: int, more: bool) -> Found:
        return Found(
            selection=self.selection,
            picture=self.discovery.picture(),
            cases=self.looked,
            matched=matched,
            more=more,
            item=self.item,
            steps=self.beside.told() if self.beside else (),
        )


def published(item: str, at: datetime) -> ItemVersionRow | None:
    """The version of an item in force at an instant, else its newest; None: no such item."""
    found = catalog.standing(item, at.astimezone(SHANGHAI).date())
    return found or next(iter(catalog.history(item)), None)


def check(selection: Selection) -> None:
    """Raises Refusal: `process.reversed`, `process.outcome`, `process.item`, each with its field."""
    since, until = selection.since, selection.until
    if since and until and until <= since:
        raise Refusal("process.reversed", "“到”早于“从”。请改一下日期。", field="until")
    if selection.outcome and selection.outcome not in OUTCOMES:
        raise Refusal(
            "process.outcome", f"决定应是 {'、'.join(OUTCOMES)} 之一。请改正。", field="outcome"
        )
    if selection.item and not catalog.organs(selection.item):
        raise Refusal(
            "process.item",
            f"没有事项“{selection.item[:40]}”。请从列表里选择，或者核对事项编码。",
            field="item",
        )


# --- which cases ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be asked for: items and agencies with their names, sources, the most frequent first."""

    items: tuple[tuple[str, str], ...]
    agencies: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str], ...]


def choices(reach: Reach, *, most: int = 200) -> Choices:
    """Items, agencies and sources of the newest LOOKED cases in reach, and every link there is where the reach
    is the whole city.
    """
    conditions, parameters = _conditions(reach, Selection())
    links = _LINKS if reach.everything else "SELECT NULL::text AS source WHERE false"
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH newest AS MATERIALIZED (SELECT c.item, c.item_name, c.agency, c.source FROM cases_case c"  # noqa: S608
            f" WHERE {conditions} ORDER BY c.opened DESC LIMIT {LOOKED}), links AS ({links})"
            " (SELECT 'item', item, max(item_name), count(*) FROM newest WHERE item IS NOT NULL"
            f" GROUP BY item ORDER BY 4 DESC, 2 LIMIT {most:d})"
            " UNION ALL (SELECT 'agency', agency, '', count(*) FROM newest GROUP BY agency"
            f" ORDER BY 4 DESC, 2 LIMIT {most:d})"
            " UNION ALL (SELECT 'source', source, '', count(*) FROM newest GROUP BY source)"
            " UNION ALL (SELECT 'source', source, '', 0 FROM links)",
            parameters,
        )
        rows = cursor.fetchall()
    items = tuple((code, name) for what, code, name, _ in rows if what == "item")
    sources = dict.fromkeys(code for what, code, _, _ in rows if what == "source")
    codes = [code for what, code, _, _ in rows if what == "agency"]
    names = accounts.names(agencies=codes)
    return Choices(
        items,
        tuple((code, names.agency(code)) for code in codes),
        tuple((code, wording.source(code)) for code in sources),
    )


# Every source of other systems' cases, each by one look into the index.
_LINKS = (
    "WITH RECURSIVE s AS ("
    "SELECT min(source) AS source FROM cases_case WHERE foreign_id IS NOT NULL UNION ALL "
    "SELECT (SELECT min(source) FROM cases_case WHERE foreign_id IS NOT NULL AND source > s.source)"
    " FROM s WHERE s.source IS NOT NULL) SELECT source FROM s WHERE source IS NOT NULL"
)


def _conditions(reach: Reach, selection: Selection) -> tuple[str, dict[str, Any]]:
    """What indexes serve, as SQL on alias `c`, with its parameters."""
    allowed, parameters = loading.within(reach)
    conditions = [allowed]
    for sql, name, value in (
        ("c.item = %(item)s", "item", selection.item),
        ("c.agency = %(agency)s", "agency", selection.agency),
        ("c.source = %(source)s", "source", selection.source),
        ("c.opened >= %(since)s", "since", selection.since),
        ("c.opened < %(until)s", "until", selection.until),
    ):
        if value:
            conditions.append(sql)
            parameters[name] = value
    if selection.source.startswith("link:"):
        conditions.append("c.foreign_id IS NOT NULL")
    return " AND ".join(conditions), parameters


def _decided(selection: Selection) -> str:
    """The outcome, which no index serves."""
    if selection.outcome == "open":
        return "c.outcome IS NULL"
    return f"c.outcome = '{selection.outcome}'" if selection.outcome in OUTCOMES else "true"


def newest_sql(reach: Reach, selection: Selection) -> tuple[str, dict[str, Any]]:
    """The sample: its ids, how many there are at least, whether that is not all. What is closed
    comes first: of the newest cases of a busy organ hardly more than the receipt has happened.
    """
    conditions, parameters = _conditions(reach, selection)
    return (
        "WITH looked AS MATERIALIZED (SELECT c.id, c.opened, c.version, c.outcome, c.closed"  # noqa: S608
        f" FROM cases_case c WHERE {conditions} ORDER BY c.opened DESC LIMIT {LOOKED + 1}),"
        " found AS (SELECT c.id, row_number() OVER w AS n, sum(c.version) OVER w AS events"
        f" FROM (SELECT * FROM looked LIMIT {LOOKED}) c WHERE {_decided(selection)}"
        " WINDOW w AS (ORDER BY c.closed IS NULL, c.opened DESC, c.id DESC))"
        " SELECT (SELECT array_agg(id) FROM found"
        f" WHERE n <= {SAMPLE} AND (n = 1 OR events <= {EVENTS})),"
        f" (SELECT count(*) FROM found), (SELECT count(*) > {LOOKED} FROM looked)",
        parameters,
    )


def _newest(reach: Reach, selection: Selection) -> tuple[list[UUID], int, bool]:
    with connection.cursor() as cursor:
        cursor.execute(*newest_sql(reach, selection))
        ids, matched, more = cursor.fetchone()
    return ids or [], matched, more


_COLUMNS = (
    "c.id, c.number, c.source, c.foreign_id, c.kind, c.item, c.item_version, c.item_name,"
    " c.agency, c.region, c.hall, c.opened, c.closed, c.outcome"
)
_STORY = ledger_queries.story_sql(stream="'case'", stream_id="c.id", placed="false")


def _rows(ids: Sequence[UUID]) -> Iterator[Row]:
    for start in range(0, len(ids), PAGE):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {_COLUMNS}, {_STORY}, {calendars.LAST_CHANGE} FROM cases_case c"  # noqa: S608
                " WHERE c.id = ANY(%s::uuid[])",
                [list(ids[start : start + PAGE])],
            )
            rows = cursor.fetchall()
        yield from map(_row, rows)


def _row(values: Sequence[Any]) -> Row:
    *columns, told, change = values
    return Row(*(*columns, ledger_queries.story(told), calendars.change(change)))


def every(reach: Reach, selection: Selection) -> Iterator[Row]:
    """All cases of a selection, in the order in which they were opened; each page is read by a
    statement of its own, so that no transaction is open while somebody slow takes them.
    """
    conditions, parameters = _conditions(reach, selection)
    opened, last = BEGINNING, FIRST
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {_COLUMNS}, {_STORY}, {calendars.LAST_CHANGE} FROM cases_case c WHERE {conditions}"  # noqa: S608
                f" AND {_decided(selection)} AND c.opened >= %(after)s"
                " AND (c.opened, c.id) > (%(after)s, %(last)s)"
                f" ORDER BY c.opened, c.id LIMIT {PAGE}",
                {**parameters, "after": opened, "last": last},
            )
            rows = cursor.fetchall()
        for row in map(_row, rows):
            opened, last = row.opened, row.id
            yield row
        if len(rows) < PAGE:
            return


def reach_of(actor: Actor) -> Reach:
    """How far this actor sees where time goes: the one filter."""
    return accounts.reach(actor, ACT)


__all__ = [
    "ACT", "EVERYTHING", "OUTCOMES", "Choices", "Found", "Listed", "Row", "Selection", "Told", "Way",
    "check",
    "choices", "discover", "discover_all", "every", "listed", "published", "reach_of", "way",
]  # fmt: skip
