"""The figures counted a second time (独立复算) and laid beside the tables.

Every case is counted from its entries up to where the follower has read, in one snapshot, by
`recounting`, which shares nothing with the follower; what the cases add up to must be what the
tables hold, cell by cell. docs/algorithms/statistics.md says why that proves the figures.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction

from zhengwu.calendars import queries as calendars
from zhengwu.domain.daybyday import World
from zhengwu.domain.event import Event, Nature
from zhengwu.statistics.recounting import MEASURES, PERSONAL, Case, counted, restated

FOLLOWER = "statistics.figures"
PAGE = 500  # cases read at once
HELD = 200_000  # cells held in memory before they are put aside
FIRST = UUID(int=0)
WORDS = {
    "agency": "机关", "unit": "部门", "region": "区划", "kind": "类型", "source": "来源",
    "channel": "渠道", "item": "事项", "hall": "大厅", "window": "窗口",
}  # fmt: skip
PLACE = tuple(WORDS)
COARSE = 6  # the first ones are told apart in the coarse figures
# What a score needs of a month: by whom, the parts of the place that name it, and what is counted as.
UNITS = {"agency": ("agency",), "district": ("region",), "window": ("hall", "window")}
WORKED = {
    "closed": "finished", "on_time": "judged", "late": "judged", "early": "early",
    "unjudged": "incomplete",
}  # fmt: skip
ACTS = {"received", "accepted", "not_accepted", "steps", "granted", "refused", "delivered"}


class Difference(NamedTuple):
    """Where the tables do not say what the log says. of: within the place, whatever is told apart."""

    table: str
    day: str
    place: str
    measure: str
    kept: str
    recounted: str

    def words(self) -> str:
        return (
            f"{self.table} {self.day} {self.place} {self.measure}："
            f"表中 {self.kept}，复算 {self.recounted}"
        )


@dataclass(slots=True)
class Figures:
    """What a recount went through. position: up to where the follower had read; last: of the log."""

    position: int = 0
    last: int = 0
    cases: int = 0
    events: int = 0
    cells: int = 0
    differences: int = 0


@dataclass(slots=True)
class _Recount:
    """One recount on its way: the places and the cells, both sides of each."""

    figures: Figures
    scratch: sqlite3.Connection
    places: dict[tuple[str, ...], int] = field(default_factory=dict)
    ids: dict[int, int] = field(default_factory=dict)  # of the table of places → of `places`
    held: Counter[tuple[str, str, int, str, str]] = field(default_factory=Counter)
    editions: calendars.AsKnown = field(default_factory=calendars.AsKnown)
    worlds: dict[int, tuple[object, World]] = field(default_factory=dict)

    def place(self, key: tuple[str, ...]) -> int:
        return self.places.setdefault(key, len(self.places))

    def add(self, table: str, day: date, place: int, of: str, what: str, amount: int) -> None:
        """One cell of ours; `put` writes them aside when there are many."""
        self.held[table, day.isoformat(), place, of, what] += amount

    def put(self, *, most: int = 0) -> None:
        if len(self.held) > most:
            self.scratch.executemany(
                "INSERT INTO cell VALUES (?, ?, ?, ?, ?, 0, ?)",
                ((*key, amount) for key, amount in self.held.items() if amount),
            )
            self.held.clear()

    def world(self, position: int | None, region: str, hall: str) -> World:
        """The calendar as known at a position, at a place; as plain data."""
        edition = self.editions.at(position, region, hall or None)
        known = self.worlds.get(id(edition))
        if known is None:
            hours = edition.hours
            known = self.worlds[id(edition)] = (
                edition,
                World(
                    days=edition.calendar.days,
                    published=edition.calendar.published,
                    hours=((date.min, hours.spans), *hours.later),
                    rules=tuple(
                        {
                            "kind": one.kind, "value": one.value, "unit": str(one.unit),
                            "roll": one.roll, "since": one.since, "until": one.until,
                        }
                        for one in edition.rules
                    ),
                    after_hours=edition.after_hours,
                ),
            )  # fmt: skip
        return known[1]


Progress = Callable[[int, int], None]


def differences(
    figures: Figures, *, progress: Progress = lambda done, total: None
) -> Iterator[Difference]:
    """Every difference between the tables and the log up to the follower's position.

    figures: filled on the way. Reads in one snapshot and writes nothing, so that it holds up neither
    the order of the log nor the follower. Memory: of one page of cases and of all places; the cells
    lie in a file that goes away by itself.
    """
    with closing(sqlite3.connect("")) as scratch:
        scratch.execute(
            "CREATE TABLE cell (tab TEXT, day TEXT, place INTEGER, of TEXT, what TEXT,"
            " kept INTEGER, told INTEGER)"
        )
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            recount = _Recount(figures, scratch)
            _read_places(recount)
            for one in _cases(recount, progress):
                figures.differences += 1
                yield one
            for one in _strangers(figures.position):
                figures.differences += 1
                yield one
            recount.put()
            _read_tables(recount)
        names = {number: _words(key) for key, number in recount.places.items()}
        (figures.cells,) = scratch.execute(
            "SELECT count(*) FROM (SELECT 1 FROM cell GROUP BY tab, day, place, of, what)"
        ).fetchone()
        for tab, day, place, of, what, kept, told in scratch.execute(
            "SELECT tab, day, place, of, what, sum(kept), sum(told) FROM cell"
            " GROUP BY tab, day, place, of, what HAVING sum(kept) <> sum(told)"
            " ORDER BY tab, day, place, of, what"
        ):
            figures.differences += 1
            where = "，".join(text for text in (names.get(place, ""), of) if text)
            yield Difference(tab, day, where, what, str(kept), str(told))


def _words(key: Sequence[str]) -> str:
    """A place in words, as far as it is told."""
    told = [f"{WORDS[name]} {value}" for name, value in zip(PLACE, key, strict=True) if value]
    return "，".join(told) or "不分地方"


_PLACED = ", ".join(f'p."{name}"' for name in PLACE)


def _read_places(recount: _Recount) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT position FROM ledger_follower WHERE name = %s), 0),"
            " coalesce((SELECT max(position) FROM ledger_position), 0)",
            [FOLLOWER],
        )
        recount.figures.position, recount.figures.last = cursor.fetchone()
        cursor.execute(f"SELECT p.id, {_PLACED} FROM statistics_place p")  # noqa: S608 - constants
        for identifier, *key in cursor.fetchall():
            recount.ids[identifier] = recount.place(tuple(key))


# --- the cases -----------------------------------------------------------------------------------

_HEADS = (
    "SELECT o.stream_id, coalesce(c.agency, ''), left(coalesce(o.body #>> '{kept,department}', ''),"
    " 100), coalesce(c.region, ''), coalesce(c.kind, ''), coalesce(c.source, ''),"
    " left(coalesce(o.body ->> 'channel', o.body #>> '{kept,channel}', ''), 40),"
    " coalesce(c.item, ''), coalesce(c.hall, ''), coalesce(c.\"window\", ''),"
    " coalesce(c.number, o.stream_id::text)"
    " FROM ledger_event o JOIN ledger_position p ON p.event = o.id AND p.position <= %s"
    " LEFT JOIN cases_case c ON c.id = o.stream_id"
    " WHERE o.stream = 'case' AND o.version = 1 AND o.stream_id > %s"
    " ORDER BY o.stream_id LIMIT %s"
)
_ENTRIES = (
    "SELECT e.stream_id, e.version, e.kind, e.nature, e.occurred, e.recorded, e.received, e.actor,"
    " e.post, e.agency, e.source, p.position, e.body::text"
    " FROM ledger_event e JOIN ledger_position p ON p.event = e.id AND p.position <= %s"
    " WHERE e.stream = 'case' AND e.stream_id = ANY(%s::uuid[]) ORDER BY e.stream_id, e.version"
)


class _Head(NamedTuple):
    """What was fixed when a case was received."""

    place: tuple[str, ...]
    number: str


def _cases(recount: _Recount, progress: Progress) -> Iterator[Difference]:
    """Count every case, page by page; where its fact is another one, that is a difference."""
    figures, after = recount.figures, FIRST
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cases_case")
        total = cursor.fetchone()[0]
        while True:
            cursor.execute(_HEADS, [figures.position, after, PAGE])
            heads = {row[0]: _Head(tuple(row[1:-1]), row[-1]) for row in cursor.fetchall()}
            if not heads:
                return
            after = max(heads)
            cursor.execute(_ENTRIES, [figures.position, list(heads)])
            stories = _stories(cursor.fetchall())
            kept = _kept_facts(list(heads))
            for case, events in stories.items():
                head = heads[case]
                yield from _facts(head, _fact(_count(recount, head, events), head), kept.get(case))
                figures.events += len(events)
            figures.cases += len(heads)
            recount.put(most=HELD)
            progress(figures.cases, max(total, figures.cases))


def _stories(rows: Iterable[Sequence[Any]]) -> dict[UUID, list[Event]]:
    found: dict[UUID, list[Event]] = {}
    for (
        case, version, kind, nature, occurred, recorded, received, actor, post, agency, source,
        position, body,
    ) in rows:  # fmt: skip
        found.setdefault(case, []).append(
            Event(
                version=version, kind=kind, nature=Nature(nature), occurred=occurred,
                recorded=recorded, received=received, actor=actor, post=post, agency=agency,
                source=source, position=position, body=orjson.loads(body),
            )
        )  # fmt: skip
    return found


def _count(recount: _Recount, head: _Head, events: Sequence[Event]) -> Case:
    """Count a case and add what it adds to the cells."""
    agency, _, region, *_ = head.place
    hall = head.place[PLACE.index("hall")]

    def worlds(position: int | None) -> World:
        return recount.world(position, region, hall)

    case = counted(events, worlds)
    fine, coarse = recount.place(head.place), recount.place(_coarse(head.place))
    for (day, what), amount in case.figures().items():
        month = day.replace(day=1)
        recount.add("statistics_fineday", day, fine, "", what, amount)
        recount.add("statistics_finemonth", month, fine, "", what, amount)
        recount.add("statistics_day", day, coarse, "", what, amount)
        recount.add("statistics_month", month, coarse, "", what, amount)
        if what in WORKED:
            for by, names in UNITS.items():
                key = [head.place[PLACE.index(name)] for name in names]
                if all(key):
                    of = _unit(by, *key)
                    recount.add("statistics_workload", month, -1, of, WORKED[what], amount)
    for (day, person, what), amount in case.people().items():
        recount.add("statistics_person", day, -1, f"{person}（{agency}）", what, amount)
        if what in ACTS and agency:
            of, month = _unit("person", agency, person), day.replace(day=1)
            recount.add("statistics_workload", month, -1, of, "finished", amount)
    for (noticed, day, what), amount in restated(events, worlds, case).items():
        of = f"更正于 {noticed}"
        recount.add("statistics_restatement", day, coarse, of, what, amount)
    end = case.ended
    if end is not None:
        month = end.day.replace(day=1)
        recount.add("statistics_spread", month, fine, f"{end.days} 个工作日", "count", 1)
        for way in end.ways:
            of = f"{way.giver or '—'} → {way.taker or '—'}"
            for what in ("times", "seconds", "office"):
                recount.add("statistics_handing", end.day, coarse, of, what, getattr(way, what))
    return case


def _unit(by: str, *key: str) -> str:
    return f"{by} {' '.join(key)}"


def _coarse(key: tuple[str, ...]) -> tuple[str, ...]:
    return (*key[:COARSE], *[""] * (len(PLACE) - COARSE))


# --- the facts -----------------------------------------------------------------------------------

_ENDED = ("closed", "verdict", "claim", "due", "days")
_CLOSING = (
    "promised_used", "statutory_used", "spot", "at_window", "elapsed", "hands", "ways", "decider",
)  # fmt: skip
Told = dict[str, Any]


def _fact(case: Case, head: _Head) -> Told:
    """The case as the table of facts would tell it."""
    told: Told = {
        "version": case.version,
        "place": _words(head.place),
        "received": case.received,
        "claim_due": case.claim_due,
        "marks": sorted([one.what, one.day.isoformat(), one.person or ""] for one in case.marks),
    }
    end = case.ended
    if end is not None:
        told |= {
            "closed": end.day, "verdict": end.verdict, "claim": end.claim or "unjudged",
            "due": end.due, "days": end.days, "promised_used": end.promised_used,
            "statutory_used": end.statutory_used, "spot": end.spot, "at_window": end.at_window,
            "elapsed": sum(end.hands), "hands": list(end.hands),
            "ways": [list(one) for one in end.ways], "decider": end.decider,
        }  # fmt: skip
    return told


def _kept_facts(cases: list[UUID]) -> dict[UUID, Told]:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT m."case", m.version, m.received, m.claim_due, m.marks::text, m.closing::text,'  # noqa: S608
            f" m.closed, m.verdict, m.claim, m.due, m.days, {_PLACED}"
            " FROM statistics_measured m JOIN statistics_place p ON p.id = m.place_id"
            ' WHERE m."case" = ANY(%s::uuid[])',
            [cases],
        )
        rows = cursor.fetchall()
    found = {}
    for case, version, received, claim_due, marks, end, *rest in rows:
        told: Told = {
            "version": version,
            "place": _words(rest[len(_ENDED) :]),
            "received": received,
            "claim_due": claim_due,
            "marks": sorted([what, day, person or ""] for what, day, person in orjson.loads(marks)),
        }
        ended = dict(zip(_ENDED, rest, strict=False))
        if any(value is not None for value in (end, *ended.values())):
            told |= ended
            told |= dict(zip(_CLOSING, orjson.loads(end or "[]"), strict=False))
        found[case] = told
    return found


def _facts(head: _Head, told: Told, kept: Told | None) -> Iterator[Difference]:
    """Where the fact of a case is not what its entries say."""
    table, day = "statistics_measured", str(told["received"])
    if kept is None:
        yield Difference(table, day, head.number, "case", "没有", "有")
        return
    for name in dict.fromkeys((*told, *kept)):
        ours, theirs = told.get(name), kept.get(name)
        if ours != theirs:
            yield Difference(table, day, head.number, name, _text(theirs), _text(ours))


def _text(value: object) -> str:
    return "没有" if value is None else str(value)


def _strangers(position: int) -> Iterator[Difference]:
    """Facts of what is no case, as far as the follower has read."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT m."case"::text, m.received FROM statistics_measured m WHERE NOT EXISTS'
            " (SELECT 1 FROM ledger_event o JOIN ledger_position p ON p.event = o.id"
            " WHERE o.stream = 'case' AND o.stream_id = m.\"case\" AND o.version = 1"
            " AND p.position <= %s)",
            [position],
        )
        for case, received in cursor.fetchall():
            yield Difference("statistics_measured", str(received), case, "case", "有", "没有")


# --- the tables ----------------------------------------------------------------------------------

FIGURES = ("statistics_day", "statistics_month", "statistics_fineday", "statistics_finemonth")


def _read_tables(recount: _Recount) -> None:
    """What the tables hold, beside our cells. Raises RuntimeError for a figure unknown here."""
    for table in FIGURES:
        for row in _rows(table, MEASURES | {"start", "place_id"}):
            start, place = row.pop("start"), recount.ids[row.pop("place_id")]
            _keep(recount, table, start, place, "", row)
    for row in _rows("statistics_person", PERSONAL | {"start", "person", "agency"}):
        start, of = row.pop("start"), f"{row.pop('person')}（{row.pop('agency')}）"
        _keep(recount, "statistics_person", start, -1, of, row)
    columns = {"by", "start", "place", "unit", *WORKED.values()}
    for row in _rows("statistics_workload", columns):
        start, place = row.pop("start"), row.pop("place")
        of = _unit(row.pop("by"), *([place] if place else []), row.pop("unit"))
        _keep(recount, "statistics_workload", start, -1, of, row)
    for row in _rows("statistics_spread", {"start", "place_id", "days", "count"}):
        place, of = recount.ids[row.pop("place_id")], f"{row.pop('days')} 个工作日"
        _keep(recount, "statistics_spread", row.pop("start"), place, of, row)
    columns = {"start", "place_id", "giver", "taker", "times", "seconds", "office"}
    for row in _rows("statistics_handing", columns):
        place = recount.ids[row.pop("place_id")]
        of = f"{row.pop('giver') or '—'} → {row.pop('taker') or '—'}"
        _keep(recount, "statistics_handing", row.pop("start"), place, of, row)
    columns = {"noticed", "start", "place_id", "what", "delta", "first", "until"}
    for row in _rows("statistics_restatement", columns):
        place, of = recount.ids[row["place_id"]], f"更正于 {row['noticed']}"
        told = {row["what"]: row["delta"]}
        _keep(recount, "statistics_restatement", row["start"], place, of, told)


def _rows(table: str, known: Iterable[str]) -> Iterator[Told]:
    """The rows of a table, a few at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names
        names = [column[0] for column in cursor.description]
        if strange := set(names) ^ set(known):
            raise RuntimeError(f"{table}: nothing here recounts {', '.join(sorted(strange))}")
        while rows := cursor.fetchmany(2000):
            yield from (dict(zip(names, row, strict=True)) for row in rows)


def _keep(
    recount: _Recount, table: str, start: date, place: int, of: str, told: Mapping[str, int]
) -> None:
    recount.scratch.executemany(
        "INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, 0)",
        [
            (table, start.isoformat(), place, of, what, amount)
            for what, amount in told.items()
            if amount
        ],
    )


__all__ = ["Difference", "Figures", "differences"]
