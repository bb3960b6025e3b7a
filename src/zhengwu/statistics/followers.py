"""Counting the log (统计): the follower that keeps every figure, each entry counted exactly once.

A run of entries is taken together: the facts of the cases they belong to are read, gone on with
(measuring.Fact.then) or measured anew, and what they add to the figures is the difference between
new and old. So it does not matter how runs are cut, and an entry that changes what was counted
moves the day it belongs to.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from zhengwu.calendars import queries as calendars
from zhengwu.cases import stories
from zhengwu.cases.events import STREAM
from zhengwu.cases.stories import Subject
from zhengwu.domain import measuring
from zhengwu.domain.counting import local
from zhengwu.domain.event import Event
from zhengwu.domain.measuring import CODES, PERSONAL, Closing, Fact, Mark, Verdict, Way
from zhengwu.domain.reading import SHANGHAI
from zhengwu.ledger import services as ledger
from zhengwu.statistics import workload

SETTLED = 1  # days after which a change of a day's figures is listed as a restatement
PLACE = ("agency", "unit", "region", "kind", "source", "channel", "item", "hall", "window")
COARSE = 6  # of which the first ones are told apart in the coarse figures


@dataclass(slots=True)
class _Known:
    """A case as it was counted before."""

    subject: Subject
    fact: Fact


@dataclass(slots=True)
class Sums:
    """What a run of entries changes."""

    # No Counters: each asks for what is missing by a call.
    fine: dict[tuple[date, int, str], int] = field(default_factory=lambda: defaultdict(int))
    spread: dict[tuple[date, int, int], int] = field(default_factory=lambda: defaultdict(int))
    people: dict[tuple[date, str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    ways: dict[tuple[date, str, str, int], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0, 0])
    )
    restated: dict[tuple[date, date, int, str], list[int]] = field(default_factory=dict)

    def change(
        self, old: Fact | None, new: Fact, *, place: int, coarse: int, agency: str, by: Event | None
    ) -> None:
        """Take the old away and add the new; by: the last entry that did it, None where it is known
        that no day which was over is changed."""
        if old is not None and _as_before(old, new):
            return
        counted = _difference(old, new, Fact.counts)
        fine, people = self.fine, self.people
        for (day, what), amount in counted.items():
            fine[day, place, what] += amount
        if by is not None:
            noticed, position = received_on(by), by.position or 0
            for (day, what), amount in counted.items():
                if (noticed - day).days > SETTLED:
                    told = self.restated.setdefault((noticed, day, coarse, what), [0, position, 0])
                    told[0] += amount
                    told[2] = position
        for (day, person, what), amount in _difference(old, new, Fact.personal).items():
            people[day, person, agency, what] += amount
        if old is not None and old.closing == new.closing:
            return
        for fact, sign in ((old, -1), (new, 1)):
            end = fact.closing if fact else None
            if end is None:
                continue
            if end.days is not None:
                self.spread[end.day.replace(day=1), place, end.days] += sign
            for way in end.ways:
                cell = self.ways[end.day, way.giver, way.taker, coarse]
                for nth, amount in enumerate((way.times, way.seconds, way.office)):
                    cell[nth] += sign * amount


def _as_before(old: Fact, new: Fact) -> bool:
    """Whether nothing is counted otherwise: most entries only move a case on."""
    return (
        old.marks == new.marks
        and old.closing == new.closing
        and old.claim_due == new.claim_due
        and old.received == new.received
    )


def _difference(
    old: Fact | None, new: Fact, counted: Callable[[Fact], Counter[Any]]
) -> Counter[Any]:
    found = counted(new)  # of which nothing is nought
    if old is None:
        return found
    found.subtract(counted(old))
    return Counter({key: amount for key, amount in found.items() if amount})


def count(events: Sequence[ledger.Entry]) -> None:
    """Add a run of entries to the figures; called inside the cursor's transaction.

    Day by day of their receipt: what changes a day that was over is a restatement of the day on
    which it was noticed, however many days a run spans.
    """
    for together in _days(events):
        by_case: dict[UUID, list[ledger.Entry]] = defaultdict(list)
        for event in together:
            if event.stream == STREAM:
                by_case[event.stream_id].append(event)
        if by_case:
            _count(by_case)


def _days(events: Iterable[ledger.Entry]) -> Iterator[list[ledger.Entry]]:
    """The entries day by day, where the day of their receipt changes."""
    together: list[ledger.Entry] = []
    since = until = datetime.min.replace(tzinfo=UTC)
    for event in events:
        if not since <= event.received < until:
            if together:
                yield together
            together, day = [], received_on(event)
            since, until = (
                datetime.combine(one, time(), SHANGHAI).astimezone(UTC)
                for one in (day, day + timedelta(days=1))
            )
        together.append(event)
    if together:
        yield together


def received_on(entry: Event) -> date:
    return local(entry.received).date()


def _count(by_case: Mapping[UUID, list[ledger.Entry]]) -> None:
    editions = calendars.AsKnown()
    known = _known(list(by_case))
    subjects = {case: held.subject for case, held in known.items()}
    facts: dict[UUID, Fact] = {}
    again: dict[UUID, int] = {}  # the case is read whole, up to this version
    fresh = []
    for case, entries in by_case.items():
        held = known.get(case)
        onward = _onward(held, entries, editions) if held else None
        if onward is not None:
            facts[case] = onward
        elif held is None and entries[0].version == 1:
            fresh.append(case)  # all of it is here
        else:
            again[case] = entries[-1].version
    subjects |= stories.subjects(fresh)
    for case in fresh:
        facts[case] = _measured(by_case[case], subjects[case], editions)
    for one in stories.told(again):
        subjects[one.case] = one.subject
        facts[one.case] = _measured(one.events, one.subject, editions)
    places = place_ids(subjects.values())
    coarse_of = {places[one]: places[coarsened(one)] for one in set(subjects.values())}
    sums = Sums()
    for case, fact in facts.items():
        place = places[subjects[case]]
        sums.change(
            known[case].fact if case in known else None,
            fact,
            place=place,
            coarse=coarse_of[place],
            agency=subjects[case].agency,
            by=by_case[case][-1],
        )
    keep({case: (places[subjects[case]], fact) for case, fact in facts.items()})
    write(sums, coarse_of, {places[one]: one for one in set(subjects.values())})


def _onward(
    held: _Known, entries: Sequence[ledger.Entry], editions: calendars.AsKnown
) -> Fact | None:
    """Entry by entry, where that is enough."""
    fact = held.fact
    edition = as_known(held.subject, editions)
    for entry in entries:
        if entry.version <= fact.version:
            continue  # counted before, when the whole story was gone through
        following = fact.then(entry, edition=edition(entry.position))
        if following is None:
            return None
        fact = following
    return fact


def _measured(events: Sequence[Event], subject: Subject, editions: calendars.AsKnown) -> Fact:
    return measuring.measured(events, known=as_known(subject, editions))


def as_known(subject: Subject, editions: calendars.AsKnown) -> measuring.Known:
    """The calendar of a case's place as known at positions of the log."""
    return lambda position: editions.at(position, subject.region, subject.hall or None)


# --- the facts -----------------------------------------------------------------------------------


def _known(cases: list[UUID]) -> dict[UUID, _Known]:
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT m."case", {", ".join(f"p.{one}" for one in _QUOTED)}, {_FACT}'  # noqa: S608
            ' FROM unnest(%s::uuid[]) w(id) JOIN statistics_measured m ON m."case" = w.id'
            " JOIN statistics_place p ON p.id = m.place_id",
            [_array("uuid", cases)],
        )
        width = 1 + len(PLACE)
        return {
            row[0]: _Known(Subject(*row[1:width]), fact(row[width:])) for row in cursor.fetchall()
        }


_FACT = (
    "m.version, m.received, m.last, m.claim_due, m.closed, m.verdict, m.claim, m.due, m.days,"
    " m.marks::text, m.closing::text"
)


def fact(row: Sequence[Any]) -> Fact:
    """A fact from its row: version, received, last, claim_due, closed … closing."""
    version, received, last, claim_due, closed, verdict, claim, due, days, marks, rest = row
    closing = None
    if closed is not None:
        promised, statutory, spot, at_window, elapsed, hands, ways, decider = orjson.loads(rest)
        closing = Closing(
            day=closed, verdict=Verdict(verdict), due=due, claim=Verdict(claim), days=days,
            promised_used=promised, statutory_used=statutory, spot=spot, at_window=at_window,
            elapsed=elapsed, hands=tuple(hands), ways=tuple(Way(*one) for one in ways),
            decider=decider,
        )  # fmt: skip
    return Fact(
        version=version,
        received=received,
        last=last,
        marks=tuple(
            Mark(what, date.fromisoformat(day), person) for what, day, person in orjson.loads(marks)
        ),
        claim_due=claim_due,
        closing=closing,
    )


def _closing(end: Closing | None) -> str | None:
    if end is None:
        return None
    return orjson.dumps(
        [
            end.promised_used, end.statutory_used, end.spot, end.at_window, end.elapsed,
            end.hands, [tuple(one) for one in end.ways], end.decider,
        ]
    ).decode()  # fmt: skip


_KEPT = (
    ("case", "uuid"), ("place_id", "integer"), ("version", "integer"), ("received", "date"),
    ("last", "timestamptz"), ("marks", "jsonb"), ("claim_due", "timestamptz"), ("closed", "date"),
    ("verdict", "text"), ("claim", "text"), ("due", "timestamptz"), ("days", "integer"),
    ("closing", "jsonb"),
)  # fmt: skip


def keep(facts: Mapping[UUID, tuple[int, Fact]]) -> None:
    rows = [
        (
            case, place, one.version, one.received, one.last,
            orjson.dumps([tuple(mark) for mark in one.marks]).decode(),
            one.claim_due, end.day if end else None, str(end.verdict) if end else None,
            str(end.claim) if end else None, end.due if end else None, end.days if end else None,
            _closing(end),
        )
        for case, (place, one) in facts.items()
        for end in (one.closing,)
    ]  # fmt: skip
    _upsert("statistics_measured", _KEPT, 1, rows, add=False)


# --- the places ----------------------------------------------------------------------------------

_Key = tuple[str, ...]


def coarsened(subject: Subject) -> _Key:
    return (*subject[:COARSE], "", "", "")


def place_ids(subjects: Iterable[Subject]) -> dict[_Key, int]:
    """The ids of their places, fine (the subject itself) and coarse; new ones are made."""
    keys = sorted({key for one in set(subjects) for key in (one, coarsened(one))})
    found = _placed(keys)
    if missing := [key for key in keys if key not in found]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO statistics_place ({_PLACES}) SELECT * FROM unnest({_TEXTS})"  # noqa: S608
                " ON CONFLICT DO NOTHING",
                [_array("text", column) for column in zip(*missing, strict=True)],
            )
        found |= _placed(missing)
    return found


_PLACES = ", ".join(f'"{one}"' for one in PLACE)
_TEXTS = ", ".join(["%s::text[]"] * len(PLACE))


def _placed(keys: Sequence[_Key]) -> dict[_Key, int]:
    if not keys:
        return {}
    same = " AND ".join(f'p."{one}" = w."{one}"' for one in PLACE)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.id, {', '.join(f'p.{one}' for one in _QUOTED)}"  # noqa: S608 - constants
            f" FROM unnest({_TEXTS}) w({_PLACES}) JOIN statistics_place p ON {same}",
            [_array("text", column) for column in zip(*keys, strict=True)],
        )
        return {row[1:]: row[0] for row in cursor.fetchall()}


_QUOTED = tuple(f'"{one}"' for one in PLACE)


# --- writing -------------------------------------------------------------------------------------


def write(sums: Sums, coarse_of: Mapping[int, int], subjects: Mapping[int, Subject]) -> None:
    """subjects: what stands behind the id of a fine place."""
    fine_day, fine_month = _Cells(), _Cells()
    day, month = _Cells(), _Cells()
    together: dict[tuple[date, int], list[tuple[int, int]]] = defaultdict(list)
    for (when, place, what), amount in sums.fine.items():
        together[when, place].append((_NTH[what], amount))
    for (when, place), amounts in together.items():
        first, coarse = when.replace(day=1), coarse_of[place]
        fine_day.add(when, place, amounts)
        fine_month.add(first, place, amounts)
        day.add(when, coarse, amounts)
        month.add(first, coarse, amounts)
    for table, cells in (
        ("statistics_day", day),
        ("statistics_month", month),
        ("statistics_fineday", fine_day),
        ("statistics_finemonth", fine_month),
    ):
        _upsert(table, _FIGURES, 2, cells.rows(), add=True)
    _upsert(
        "statistics_spread",
        (("start", "date"), ("place_id", "integer"), ("days", "integer"), ("count", "integer")),
        3,
        [(*key, amount) for key, amount in sorted(sums.spread.items()) if amount],
        add=True,
    )
    _upsert(
        "statistics_handing",
        (
            ("start", "date"), ("giver", "text"), ("taker", "text"), ("place_id", "integer"),
            ("times", "integer"), ("seconds", "bigint"), ("office", "bigint"),
        ),
        4,
        [(*key, *cell) for key, cell in sorted(sums.ways.items()) if any(cell)],
        add=True,
    )  # fmt: skip
    _upsert("statistics_person", _PERSONS, 3, _people(sums.people), add=True)
    _upsert("statistics_workload", _WORKLOAD, 4, _workload(sums, subjects), add=True)
    _restate(sums.restated)


class _Cells:
    """Rows of figures by their start and place."""

    def __init__(self) -> None:
        self._rows: dict[tuple[date, int], list[int]] = {}

    def add(self, start: date, place: int, amounts: Iterable[tuple[int, int]]) -> None:
        """amounts: of which figure, how much."""
        row = self._rows.get((start, place))
        if row is None:
            row = self._rows[start, place] = [0] * len(CODES)
        for nth, amount in amounts:
            row[nth] += amount

    def rows(self) -> list[tuple[Any, ...]]:
        return [(*key, *row) for key, row in sorted(self._rows.items()) if any(row)]


_NTH = {code: nth for nth, code in enumerate(CODES)}
_FIGURES = (
    ("start", "date"),
    ("place_id", "integer"),
    *((one.code, "bigint" if one.big else "integer") for one in measuring.MEASURES),
)
_PERSONS = (
    ("start", "date"), ("person", "text"), ("agency", "text"),
    *((code, "integer") for code in PERSONAL),
)  # fmt: skip


def _people(sums: Mapping[tuple[date, str, str, str], int]) -> list[tuple[Any, ...]]:
    rows: dict[tuple[date, str, str], list[int]] = {}
    order = {code: nth for nth, code in enumerate(PERSONAL)}
    for (day, person, agency, what), amount in sums.items():
        rows.setdefault((day, person, agency), [0] * len(PERSONAL))[order[what]] += amount
    return [(*key, *row) for key, row in sorted(rows.items()) if any(row)]


_WORKLOAD = (
    ("by", "text"), ("start", "date"), ("place", "text"), ("unit", "text"),
    *((name, "integer") for name in workload.COLUMNS),
)  # fmt: skip


def _workload(sums: Sums, subjects: Mapping[int, Subject]) -> list[tuple[Any, ...]]:
    """The same sums by unit and month, of the units that are told."""
    rows: dict[tuple[str, date, str, str], list[int]] = {}

    def add(by: str, first: date, key: tuple[str, ...], counted: Mapping[str, int]) -> None:
        if not all(key):
            return
        place, unit = key if len(key) > 1 else ("", key[0])
        row = rows.setdefault((by, first, place, unit), [0] * len(workload.COLUMNS))
        for name, amount in counted.items():
            row[workload.COLUMNS.index(name)] += amount

    months: dict[tuple[date, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (day, place, what), amount in sums.fine.items():
        for name in workload.COUNTED.get(what, ()):
            months[day.replace(day=1), place][name] += amount
    for (first, place), counted in months.items():
        subject = subjects[place]
        add("agency", first, (subject.agency,), counted)
        add("district", first, (subject.region,), counted)
        add("window", first, (subject.hall, subject.window), counted)
    for (day, person, agency, what), amount in sums.people.items():
        if what in workload.DONE:
            add("person", day.replace(day=1), (agency, person), {"finished": amount})
    return [(*key, *row) for key, row in sorted(rows.items()) if any(row)]


def _restate(restated: Mapping[tuple[date, date, int, str], list[int]]) -> None:
    rows = [(*key, *row) for key, row in sorted(restated.items()) if row[0]]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO statistics_restatement AS t"
            " (noticed, start, place_id, what, delta, first, until)"
            " SELECT * FROM unnest(%s::date[], %s::date[], %s::integer[], %s::text[],"
            " %s::bigint[], %s::bigint[], %s::bigint[])"
            " ON CONFLICT (noticed, start, place_id, what) DO UPDATE SET"
            " delta = t.delta + excluded.delta, first = least(t.first, excluded.first),"
            " until = greatest(t.until, excluded.until)",
            [list(column) for column in zip(*rows, strict=True)],
        )


def _upsert(
    table: str,
    columns: Sequence[tuple[str, str]],
    keys: int,
    rows: Sequence[Sequence[Any]],
    *,
    add: bool,
) -> None:
    """Write rows, the first columns their key; what is there is added to, or replaced."""
    if not rows:
        return
    names = [f'"{name}"' for name, _ in columns]
    set_ = ", ".join(
        f"{name} = t.{name} + excluded.{name}" if add else f"{name} = excluded.{name}"
        for name in names[keys:]
    )
    kinds = [kind for _, kind in columns]
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS t ({', '.join(names)}) SELECT * FROM unnest({arrays})"  # noqa: S608
            f" ON CONFLICT ({', '.join(names[:keys])}) DO UPDATE SET {set_}",
            [
                _array(kind, column)
                for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)
            ],
        )


def _array(kind: str, values: Sequence[Any]) -> str:
    """Values as PostgreSQL writes an array of a type (数组字面量). A list would be the same, but the
    driver looks at each of its values several times; that took a third of the counting.
    """
    found: Iterable[str]
    if kind in ("text", "jsonb"):
        found = [
            "NULL" if one is None else '"' + one.replace("\\", r"\\").replace('"', r"\"") + '"'
            for one in values
        ]
    elif None not in values:  # numbers, days, instants, ids: nothing in them needs a quote
        found = map(str, values)
    else:
        found = ["NULL" if one is None else str(one) for one in values]
    return f"{{{','.join(found)}}}"


FIGURES = ledger.Follower(name="statistics.figures", kinds=None, handle=count)
