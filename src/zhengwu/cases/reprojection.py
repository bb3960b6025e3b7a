"""Re-projection (重新推算): after a change of the calendar every running case is read again.

The heads' dates are rewritten, no version changes, and what moved is kept in `cases_moved`: nothing
happened to the case, so nothing stands in its story. A run goes through all running cases by id, a
page a transaction with its cursor, and once more ten minutes later for commits that were under way
with the old edition. `calendars` gets one `reprojected` event at the end of the first pass.
"""

from __future__ import annotations

import itertools
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from zhengwu.accounts import queries as accounts
from zhengwu.calendars import events as calendar_events
from zhengwu.calendars import queries as calendars
from zhengwu.calendars import services as calendar_services
from zhengwu.cases import heads, running
from zhengwu.cases.heads import ClockColumns, iso
from zhengwu.cases.running import Place, Running
from zhengwu.domain import clock
from zhengwu.domain.clock import NAMES, LimitReading, LimitState, Reading
from zhengwu.domain.derivation import TOLD
from zhengwu.domain.edition import Edition, Timetable
from zhengwu.domain.event import Event
from zhengwu.ledger import queries as ledger_queries

PAGE = 500  # cases a transaction
BUDGET = 2.0  # seconds of one turn; other timed work waits behind it
AGAIN = timedelta(minutes=10)  # longer than any commit takes
NAMED = 50  # unreadable cases whose numbers a run keeps
PREVIEW = 2_000  # running cases that a preview reads at most
EXAMPLES = 10
log = logging.getLogger(__name__)


# --- what moved, for whoever may see the case ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moved:
    """One limit of a case that a change of the calendar moved, or made firm (期限变动).

    before, after: None where the limit did not or does not run by the calendar then. because: the
    notice, or the basis of the rule or the local arrangement.
    """

    at: datetime
    kind: str
    before: datetime | None
    after: datetime | None
    provisional_before: bool
    provisional_after: bool
    because: str

    @property
    def name(self) -> str:
        return NAMES.get(self.kind, self.kind)

    @property
    def became_firm(self) -> bool:
        """暂定 before and not any more."""
        return self.provisional_before and not self.provisional_after

    @property
    def same(self) -> bool:
        """Whether the end itself stayed where it was."""
        return self.before == self.after


def moves_of(case: UUID) -> tuple[Moved, ...]:
    """What changes of the calendar did to the limits of a case, in the order they were made."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {moves_sql('c.id')}, c.region, c.hall FROM cases_case c"  # noqa: S608
            " WHERE c.id = %s::uuid",
            [case],
        )
        row = cursor.fetchone()
    return moves(*row) if row else ()


def moves_sql(case: str) -> str:
    """A scalar subquery giving the same (SQL of the case's id), for a context's own SELECT; read
    the value with `moves`."""
    return (
        "(SELECT json_agg(json_build_array(m.run, m.former, m.limits, m.at) ORDER BY m.run)::text"  # noqa: S608
        f' FROM cases_moved m WHERE m."case" = {case})'
    )


def moves(value: str | None, region: str, hall: str | None) -> tuple[Moved, ...]:
    """What a `moves_sql` value tells of a case of this place."""
    if not value:
        return ()
    made = _changes()
    return tuple(
        Moved(
            datetime.fromisoformat(at),
            one["kind"],
            _moment(one["before"]),
            _moment(one["after"]),
            one["provisional_before"],
            one["provisional_after"],
            _because(
                [change for change in made if former < change.version <= run],
                one["kind"], region, hall,
            ),
        )
        for run, former, limits, at in orjson.loads(value)
        for one in limits
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the calendar that holds. received: by the database's own stamp."""

    version: int
    received: datetime
    change: Mapping[str, Any]
    shipped: bool


def _changes() -> list[Change]:
    """What was shipped or confirmed, in order."""
    events = ledger_queries.stream_events(calendar_events.STREAM, calendar_events.STREAM_ID)
    proposed = {one.version: one.body["change"] for one in events if one.kind == "proposed"}
    return [
        Change(
            one.version,
            one.received,
            one.body["change"] if one.kind == "shipped" else proposed[int(one.body["version"])],
            one.kind == "shipped",
        )
        for one in events
        if one.kind in ("shipped", "confirmed")
    ]


def _because(made: Sequence[Change], kind: str, region: str, hall: str | None) -> str:
    """Where the changes that concern this limit at this place are written."""
    scopes = {"all", *(f"region:{one}" for one in accounts.regions_above(region))}
    if hall:
        scopes.add(f"hall:{hall}")
    told: list[str] = []
    for change in (one.change for one in made):
        if change["kind"] == "rule":
            rule = change["rule"]
            if str(rule["kind"]) in (kind, "extension", "joint_extension"):
                told.append(str(rule["basis"]))
        elif change.get("scope", "all") in scopes:
            told.append(str(change.get("source") or change.get("basis") or ""))
    return "；".join(dict.fromkeys(one for one in told if one))


# --- the run -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """A run and how far it is. former: the edition before; None where none was read before.

    unread: how many stories could not be read; named: the numbers of the first of them.
    """

    edition: int
    former: int | None
    turn: int
    cursor: UUID | None
    looked: int
    moved: int
    started: datetime
    passed: datetime | None
    finished: datetime | None
    unread: int
    named: Sequence[str]


_RUN = (
    'edition, former, "pass", cursor, looked, moved, started, passed, finished, unread,'
    " unread_numbers"
)


def run_after(version: int) -> Run | None:
    """The run that read by a change of the calendar's stream, alone or with those after it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_RUN} FROM cases_run WHERE edition >= %s ORDER BY edition LIMIT 1",  # noqa: S608
            [version],
        )
        row = cursor.fetchone()
    return Run(*row) if row else None


def run_of(edition: int | None = None) -> Run | None:
    """The run of an edition, or the last there was: how far the re-projection is."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_RUN} FROM cases_run"  # noqa: S608
            " WHERE %s::integer IS NULL OR edition = %s::integer"
            " ORDER BY edition DESC LIMIT 1",
            [edition, edition],
        )
        row = cursor.fetchone()
    return Run(*row) if row else None


def work(at: datetime, *, page: int = PAGE, budget: float = BUDGET) -> int:
    """Go on for about `budget` seconds; how many pages were done, 0 when there is nothing to do."""
    until = time.monotonic() + budget
    pages = 0
    while step(at, page=page):
        pages += 1
        if time.monotonic() > until:
            break
    return pages


def reproject_all(at: datetime, *, page: int = PAGE) -> Run | None:
    """Go on to the end: the whole first pass, and the second where its time has come."""
    while step(at, page=page):
        pass
    return run_of()


def step(at: datetime, *, page: int = PAGE) -> bool:
    """One page of what is waiting to be read again. False: nothing is."""
    run = _waiting(at)
    if run is None:
        return False
    cases = running.after(run.cursor, limit=page)
    if cases:
        _page(run, cases, at)
    else:
        _end(run, at)
    return True


def _waiting(at: datetime) -> Run | None:
    """The run to go on with. Several changes are one run to the last; a begun one is ended first."""
    run = run_of()
    holds = calendars.holds()
    if run is not None and run.passed is None:
        return run
    if holds > (run.edition if run else 0):
        former = run.edition if run else _came_with_the_software()
        with connection.cursor() as cursor:
            cursor.execute(
                'INSERT INTO cases_run (edition, former, "pass", looked, moved, unread, unread_numbers,'
                " started) VALUES (%s, %s, 1, 0, 0, 0, '{}', %s) ON CONFLICT DO NOTHING",
                [holds, former, at],
            )
        return run_of(holds)
    if run is not None and run.finished is None and run.passed is not None:
        return run if at >= run.passed + AGAIN else None
    return None


def _came_with_the_software() -> int | None:
    """What held before anybody changed anything, if somebody has; else there is no before."""
    made = _changes()
    first = list(itertools.takewhile(lambda one: one.shipped, made))
    return first[-1].version if first and len(first) < len(made) else None


def _page(run: Run, cases: Sequence[Running], at: datetime) -> None:
    """Read a page and write what became of it, with the cursor: one short transaction."""
    look = _Look(run, at)
    read = [(case, look.at(case)) for case in cases]
    found = [one for _, one in read if one is not None]
    unread = [case.number for case, one in read if one is None] if run.turn == 1 else []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_run SET cursor = %s, looked = looked + %s, unread = unread + %s,"
            " unread_numbers = (unread_numbers || %s::text[])[:%s] WHERE edition = %s"
            ' AND "pass" = %s AND passed IS NOT DISTINCT FROM %s'
            " AND cursor IS NOT DISTINCT FROM %s AND finished IS NULL",
            [
                cases[-1].id, len(cases) if run.turn == 1 else 0, len(unread), unread, NAMED,
                run.edition, run.turn, run.passed, run.cursor,
            ],
        )  # fmt: skip
        if cursor.rowcount != 1:
            return  # somebody else did this page
        held = heads.rewrite([one.row for one in found if one.columns is not None])
        gone = [one for one in found if one.columns is not None and one.case.id not in held]
        done = [one for one in found if one.columns is None or one.case.id in held]
        if gone:  # moved on since they were read: read them again, and let nobody in
            again = [look.at(case) for case in running.locked([one.case.id for one in gone])]
            fresh = [one for one in again if one is not None]
            heads.rewrite([one.row for one in fresh if one.columns is not None])
            done += fresh
        moved = [(one.case.id, one.moved) for one in done if one.moved is not None]
        if moved:
            cursor.execute(
                "UPDATE cases_run SET moved = moved + %s WHERE edition = %s",
                [_keep(run, moved, at), run.edition],
            )


def _end(run: Run, at: datetime) -> None:
    """The end of a pass; after the first one the calendar's stream is told."""
    with transaction.atomic(), connection.cursor() as cursor:
        if run.turn == 2:
            cursor.execute(
                "UPDATE cases_run SET finished = %s WHERE edition = %s AND finished IS NULL",
                [at, run.edition],
            )
            return
        cursor.execute(
            'UPDATE cases_run SET passed = %s, "pass" = 2, cursor = NULL'
            " WHERE edition = %s AND passed IS NULL RETURNING looked, moved, unread",
            [at, run.edition],
        )
        row = cursor.fetchone()
        if row:
            looked, moved, unread = row
            calendar_services.reprojected(
                run.edition, looked=looked, moved=moved, unread=unread, at=at
            )


def _keep(run: Run, moved: Sequence[tuple[UUID, _Move]], at: datetime) -> int:
    """Write down what moved; how many were not written down before."""
    cases, moves = zip(*moved, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO cases_moved (run, "case", former, due_before, due_after,'
            " provisional_before, provisional_after, limits, at)"
            " SELECT %s, i.*, %s FROM unnest(%s::uuid[], %s::integer[], %s::timestamptz[],"
            " %s::timestamptz[], %s::boolean[], %s::boolean[], %s::text[]::jsonb[]) AS i"
            ' ON CONFLICT ("case", run) DO NOTHING',
            [
                run.edition, at, list(cases),
                [one.former for one in moves],
                [one.before.due if one.before else None for one in moves],
                [one.after.due if one.after else None for one in moves],
                [bool(one.before and one.before.provisional) for one in moves],
                [bool(one.after and one.after.provisional) for one in moves],
                [json.dumps([limit.written() for limit in one.limits]) for one in moves],
            ],
        )  # fmt: skip
        return int(cursor.rowcount)


def moved_by(run: Run, *, most: int = EXAMPLES) -> tuple[Example, ...]:
    """Cases that a run moved, those due first: by the limit that presses."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.number, c.item_name, m.limits, m.due_before, m.due_after,"
            " m.provisional_before AND NOT m.provisional_after"
            ' FROM cases_moved m JOIN cases_case c ON c.id = m."case" WHERE m.run = %s'
            " ORDER BY m.due_after NULLS LAST, c.id LIMIT %s",
            [run.edition, most],
        )
        rows = cursor.fetchall()
    return tuple(
        Example(number, name, _kind(limits, after), before, after, firm)
        for number, name, limits, before, after, firm in rows
    )


def _kind(limits: Any, due: datetime | None) -> str:
    """Which of the limits that moved is the pressing one."""
    listed = json.loads(limits) if isinstance(limits, str) else limits
    named = [one["kind"] for one in listed if _moment(one.get("after")) == due]
    return str(named[0] if named else listed[0]["kind"])


# --- one case ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Limit:
    """A running limit by both editions; None: it does not run by this one."""

    kind: str
    before: LimitReading | None
    after: LimitReading | None

    def written(self) -> dict[str, Any]:
        before, after = self.before, self.after
        return {
            "kind": self.kind,
            "before": iso(before.due) if before else None,
            "after": iso(after.due) if after else None,
            "provisional_before": bool(before and before.provisional),
            "provisional_after": bool(after and after.provisional),
        }


@dataclass(frozen=True, slots=True)
class _Move:
    """What a change did to a case. former: the edition before; before, after: what presses."""

    former: int
    before: LimitReading | None
    after: LimitReading | None
    limits: tuple[_Limit, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """columns: None where the head is right as it stands."""

    case: Running
    columns: ClockColumns | None
    moved: _Move | None

    @property
    def row(self) -> tuple[UUID, int, ClockColumns]:
        assert self.columns is not None
        return self.case.id, self.case.version, self.columns


class _Look:
    """Reading cases by the edition of a run and by the one that held when they began."""

    def __init__(self, run: Run, at: datetime) -> None:
        self.run = run
        self.at_ = at
        self.edition = running.editions(run.edition)
        # A change confirmed meanwhile has its own run; the heads are never set back behind it.
        self.newer = calendars.holds() > run.edition
        self.newest = running.editions()
        self.former: dict[int, Place] = {}
        made = _changes()
        self.made = [one for one in made if (run.former or 0) < one.version <= run.edition]

    def at(self, case: Running) -> _Found | None:
        """None: the story cannot be read; the others are not held up by it."""
        try:
            edition = self.edition(case.region, case.hall)
            reading = case.read(self.at_, edition)
            moved = self._moved(case, reading, edition)
        except Exception:
            log.exception("the clock of case %s cannot be read", case.number)
            return None
        columns = heads.clock_columns(self._now(case) if self.newer else reading)
        if case.next_at is not None and case.next_at <= self.at_:  # still to be raised
            columns = replace(columns, next_at=case.next_at)
        return _Found(case, columns if _wrong(case, columns, reading, moved) else None, moved)

    def _now(self, case: Running) -> Reading:
        return case.read(self.at_, self.newest(case.region, case.hall))

    def _moved(self, case: Running, reading: Reading, edition: Edition) -> _Move | None:
        """What the change did to what was known before it: later acts were told the new dates."""
        former = self._told(case)
        if former is None:
            return None
        if former not in self.former:
            self.former[former] = running.editions(former)
        old = self.former[former](case.region, case.hall)
        last = self.made[-1].received
        known: Sequence[Event] = case.events
        after = reading
        if known[-1].received > last:
            known = [one for one in known if one.received <= last]
            after = clock.read(known, at=reading.at, edition=edition)
        before = clock.read(known, at=reading.at, edition=old)
        limits = changed(before, after, still=reading)
        return _Move(former, before.due, after.due, limits) if limits else None

    def _told(self, case: Running) -> int | None:
        """The edition by which the case was begun; None where that is the run's own."""
        if self.run.former is None:
            return None
        began = case.events[0].received
        if began > self.made[-1].received:
            return None
        held = [one.version for one in self.made if one.received < began]
        return held[-1] if held else self.run.former


def changed(before: Reading, after: Reading, *, still: Reading | None = None) -> tuple[_Limit, ...]:
    """The running limits that end otherwise, or are firm now. still: what runs today."""
    runs = None if still is None or still is after else set(_running(still))
    old, new = _running(before), _running(after)
    return tuple(
        _Limit(key[0], old.get(key), new.get(key))
        for key in {**old, **new}
        if _differ(old.get(key), new.get(key)) and (runs is None or key in runs)
    )


def _running(reading: Reading) -> dict[tuple[str, int], LimitReading]:
    """By kind and count: of several receipts the second stays the second."""
    found: dict[tuple[str, int], LimitReading] = {}
    seen: dict[str, int] = {}
    for one in reading.limits:
        seen[one.kind] = nth = seen.get(one.kind, 0) + 1
        if one.stopped_at is None and one.kind not in TOLD:
            found[one.kind, nth] = one
    return found


def _differ(old: LimitReading | None, new: LimitReading | None) -> bool:
    if old is None or new is None:
        return old is not new
    return old.due != new.due or old.provisional != new.provisional


def _wrong(case: Running, columns: ClockColumns, reading: Reading, moved: _Move | None) -> bool:
    """Whether the head is to be rewritten."""
    if moved is not None:
        return (case.due, case.warn, case.provisional, case.next_at) != (
            columns.due, columns.warn, columns.provisional, columns.next_at,
        )  # fmt: skip
    if reading.state is LimitState.SUSPENDED:
        return False  # its end moves every day, whatever calendar
    if (case.due, case.warn, case.provisional) != (
        columns.due, columns.warn, columns.provisional,
    ):  # fmt: skip
        return True
    # Past alarms are raised and out of the column; what is still to come has to stand in it.
    return case.next_at is None and any(one > reading.at for one in heads.instants(reading))


# --- what a change would move ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Example:
    """A case that a change would move. before, after: the end of the limit, None: it has none."""

    number: str
    item_name: str
    kind: str
    before: datetime | None
    after: datetime | None
    became_firm: bool

    @property
    def name(self) -> str:
        return NAMES.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would move (变更影响). looked: running cases, moved: those with a limit that
    ends otherwise or becomes firm; earlier, later: by the limit that presses; became_firm: with or
    without another date. sampled: only `read` cases were read, the counts are estimates.
    """

    looked: int
    moved: int
    earlier: int
    later: int
    became_firm: int
    examples: tuple[Example, ...]
    sampled: bool
    read: int


def preview(change: Mapping[str, Any], *, at: datetime, most: int = PREVIEW) -> Preview:
    """What a change that has passed its checks would move, if it held now. Writes nothing.

    Beyond `most` running cases an even sample of them is read. Whoever asks may see the calendar;
    the examples name no applicant.
    """
    table = calendars.timetable()
    before, after = _places(table), _places(table.changed(change))
    total = running.count()
    ids = running.even_sample(most, of=total)
    counts = dict.fromkeys(("moved", "earlier", "later", "became_firm"), 0)
    examples: list[Example] = []
    read = 0
    for start in range(0, len(ids), PAGE):
        for case in running.these(ids[start : start + PAGE]):
            read += 1
            move = _would_move(case, at, before, after)
            if move is None:
                continue
            counts["moved"] += 1
            shown = _shown(move)
            if shown.before and shown.after:
                counts["earlier"] += shown.after.due < shown.before.due
                counts["later"] += shown.after.due > shown.before.due
            firm = any(_firm(one) for one in move.limits)
            counts["became_firm"] += firm
            if len(examples) < EXAMPLES:
                examples.append(
                    Example(
                        case.number, case.item_name, shown.kind,
                        shown.before.due if shown.before else None,
                        shown.after.due if shown.after else None,
                        firm,
                    )
                )  # fmt: skip
    sampled = read < total and total > most
    scale = total / read if sampled and read else 1
    return Preview(
        looked=total if sampled else read,
        **{name: round(count * scale) for name, count in counts.items()},
        examples=tuple(examples),
        sampled=sampled,
        read=read,
    )


def _would_move(case: Running, at: datetime, before: Place, after: Place) -> _Move | None:
    old, new = before(case.region, case.hall), after(case.region, case.hall)
    try:
        was, is_ = case.read(at, old), case.read(at, new)
    except Exception:
        log.exception("the clock of case %s cannot be read", case.number)
        return None
    limits = changed(was, is_)
    return _Move(old.number, was.due, is_.due, limits) if limits else None


def _shown(move: _Move) -> _Limit:
    """Of the limits that change, the one that presses, else the first."""
    pressing = move.before or move.after
    kinds = {one.kind: one for one in move.limits}
    return kinds.get(pressing.kind, move.limits[0]) if pressing else move.limits[0]


def _firm(one: _Limit) -> bool:
    return bool(one.before and one.before.provisional and one.after and not one.after.provisional)


def _places(table: Timetable) -> Callable[[str, str | None], Edition]:
    """The editions of a timetable by place; places that nothing was said of share one."""
    scopes = {one.scope for one in table.overlays} | {one.scope for one in table.openings}
    above: dict[str, tuple[str, ...]] = {}
    known: dict[tuple[tuple[str, ...], str | None], Edition] = {}

    def edition(region: str, hall: str | None) -> Edition:
        if region not in above:
            above[region] = tuple(
                one for one in accounts.regions_above(region) if f"region:{one}" in scopes
            )
        place = above[region], hall if f"hall:{hall}" in scopes else None
        if place not in known:
            known[place] = table.at(*place)
        return known[place]

    return edition
