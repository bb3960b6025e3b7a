"""Transitional clauses (过渡条款): running cases are moved to a new guide's limits, in their favour.

A case keeps the version under which it was received. A new version may declare that the accepted
and undecided cases of the older ones are moved to its limits; 立法法 104 lets it only where that is
better for the applicant: a limit is replaced where its new end is earlier, and a case whose new end
would lie in the past already keeps all of its limits. One event a case (`version_moved`), by the
clock. A run goes through the cases by id, a page a transaction with its cursor, so that a killed
one goes on where it was; `preview` says beforehand what it will do. docs/decisions/0008.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from zhengwu.cases import running, wording, writing
from zhengwu.cases.acts.window import written
from zhengwu.cases.events import STREAM
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.running import Place, Running, Undecided
from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.clock import NAMES
from zhengwu.domain.derivation import moment_words
from zhengwu.domain.event import Event
from zhengwu.ledger import services as ledger

PAGE = 200  # cases a transaction
BUDGET = 2.0  # seconds of one turn; other timed work waits behind it
PREVIEW = 2_000  # cases that a preview reads at most
COUNTED = 10_000  # what is left after them is counted up to this
KIND = "version_moved"
SOURCE = "clock"
log = logging.getLogger(__name__)


# --- one case ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Move:
    """A case that is moved, or was. kind: of the replaced limits the one that then ends first;
    old_due, new_due: its ends. limits: all that are replaced, as they stand in an acceptance.
    """

    number: str
    state: str  # handling | forwarded
    suspended: bool
    kind: str
    old_due: datetime
    new_due: datetime
    was: int  # the version whose limits it had
    limits: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        return NAMES.get(self.kind, self.kind)

    @property
    def state_zh(self) -> str:
        return wording.state(self.state, None, self.suspended)


@dataclass(frozen=True, slots=True)
class Kept:
    """A case that keeps its limits. reason: past | not_earlier | already | over | unread."""

    number: str
    reason: str
    sentence: str


def _look(case: Running, row: ItemVersionRow, at: datetime, place: Place) -> Move | Kept:
    """What the clause does to a case at an instant: pure but for the calendar."""
    try:
        return _decided(case, row, at, place)
    except Exception:
        log.exception("the clock of case %s cannot be read", case.number)
        return Kept(
            case.number, "unread", "这个办件的经过读不出，期限没有改。请系统管理员查看日志。"
        )


def _decided(case: Running, row: ItemVersionRow, at: datetime, place: Place) -> Move | Kept:
    def kept(reason: str, sentence: str) -> Kept:
        return Kept(case.number, reason, sentence)

    standing = lifecycle.fold(case.events)
    if not lifecycle.may_start(standing, KIND):
        return kept("over", "办件已经决定或者结束，没有期限可改。")
    was = _version_of(case)
    if was >= row.version:
        return kept("already", f"已经按第 {was} 版办事指南计算。")
    when, edition = case.seen_from(at), place(case.region, case.hall)
    old = clock.read(case.events, at=when, edition=edition)
    every = [
        written(kind, limit)
        for kind, limit in (("statutory", row.statutory), ("promised", row.promised))
        if limit is not None
    ]
    then = (*case.events, _event(case, at, body=_body(was, row.version, every)))
    new = clock.read(then, at=when, edition=edition)
    earlier = []
    for one in every:
        before, after = old.limit(one["kind"]), new.limit(one["kind"])
        if before and after and before.stopped_at is None and after.due < before.due:
            earlier.append((after, before, one))
    if not earlier:
        return kept("not_earlier", f"第 {row.version} 版的期限不比原来的早，仍按原来的期限办理。")
    after, before, _ = min(earlier, key=lambda one: one[0].due)
    if after.due < when:
        return kept(
            "past",
            f"按第 {row.version} 版，{after.name}期限到 {moment_words(after.due)} 就已经届满，"
            "仍按原来的期限办理。",
        )
    return Move(
        number=case.number,
        state=str(standing.state),
        suspended=standing.suspended,
        kind=after.kind,
        old_due=before.due,
        new_due=after.due,
        was=was,
        limits=tuple(limit for _, _, limit in earlier),
    )


def _version_of(case: Running) -> int:
    """The version whose limits the case has: that of its receipt, or of the last clause."""
    counting = lifecycle.standing_events(case.events)
    moves = [int(event.body["to"]) for event in counting if event.kind == KIND]
    return max([case.item_version or 0, *moves])


def _body(was: int, to: int, limits: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"from": was, "to": to, "limits": list(limits), "clause": True}


def _event(case: Running, at: datetime, *, body: Mapping[str, Any]) -> Event:
    """The act of the clock. Where a clock was set back, no earlier than what happened before."""
    return Event(
        version=case.version + 1,
        kind=KIND,
        occurred=case.seen_from(at),
        recorded=at,
        received=at,
        agency=case.agency,
        region=case.region,
        source=SOURCE,
        body=body,
    )


# --- beforehand ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """What a clause will do (过渡条款影响). more: such cases beyond those read, counted to COUNTED."""

    moved: tuple[Move, ...]
    kept: tuple[Kept, ...]
    more: int


def preview(
    item: str, row: ItemVersionRow, *, at: datetime, most: int = PREVIEW, page: int = PAGE
) -> Preview:
    """What the clause of a version, published or still a draft, would do at an instant. Writes
    nothing. Whoever asks may see the catalogue; no applicant is named.
    """
    place, undecided = running.editions(), _undecided(item, row.version)
    found: list[Move | Kept] = []
    last: UUID | None = None
    while len(found) < most:
        some = min(page, most - len(found))
        cases = undecided.after(last, limit=some)
        found += [_look(case, row, at, place) for case in cases]
        last = cases[-1].id if cases else last
        if len(cases) < some:
            more = 0
            break
    else:
        more = undecided.count(last, most=COUNTED)
    return Preview(
        moved=tuple(one for one in found if isinstance(one, Move)),
        kept=tuple(one for one in found if isinstance(one, Kept)),
        more=more,
    )


def _undecided(code: str, version: int) -> Undecided:
    before = {agency for number, _, agency in catalog.organs(code) if number < version}
    return Undecided(code, version, tuple(sorted(before)))


# --- the run -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run and how far it is. done: None while it is under way; moved and kept sum to looked."""

    item: str
    version: int
    begun: datetime
    done: datetime | None
    looked: int
    moved: int
    kept: int
    cursor: UUID | None


_OUTCOME = "item, version, begun, done, looked, moved, kept, cursor"


def outcome(code: str, version: int) -> Outcome | None:
    """The run of a version's clause; None before it began."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_OUTCOME} FROM cases_transition WHERE item = %s AND version = %s",  # noqa: S608
            [code, version],
        )
        row = cursor.fetchone()
    return Outcome(*row) if row else None


def run(code: str, version: int, *, at: datetime, page: int = PAGE) -> Outcome:
    """Run a version's clause to the end. Again: the first outcome."""
    while _step(code, version, at=at, page=page):
        pass
    found = outcome(code, version)
    assert found is not None
    return found


def sweep(at: datetime, *, page: int = PAGE, budget: float = BUDGET) -> int:
    """Go on with what is begun, and begin what holds today, for about `budget` seconds; how many
    pages were done, 0 when there is nothing to do. Idempotent.
    """
    until = time.monotonic() + budget
    pages = 0
    for code, version in _waiting(at):
        while _step(code, version, at=at, page=page):
            pages += 1
            if time.monotonic() > until:
                return pages
    return pages


def _waiting(at: datetime) -> list[tuple[str, int]]:
    """The runs to go on with, the oldest first; then those that nobody began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT item, version, done FROM cases_transition ORDER BY begun, id")
        known = {(item, version): done for item, version, done in cursor.fetchall()}
    declared = catalog.transitions(at.astimezone(SHANGHAI).date())
    under_way = [one for one, done in known.items() if done is None]
    return [*under_way, *(one for one in declared if one not in known)]


def _step(code: str, version: int, *, at: datetime, page: int) -> bool:
    """One page of a run. False: it was at its end."""
    found = outcome(code, version)
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO cases_transition (item, version, begun, looked, moved, kept)"
                " VALUES (%s, %s, %s, 0, 0, 0) ON CONFLICT DO NOTHING",
                [code, version, at],
            )
        found = outcome(code, version)
    if found is None or found.done is not None:
        return False
    row = catalog.version(code, version)
    cases = _undecided(code, version).after(found.cursor, limit=page)
    if cases:
        _page(found, row, cases, at)
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_transition SET done = %s WHERE item = %s AND version = %s"
            " AND done IS NULL AND cursor IS NOT DISTINCT FROM %s",
            [at, code, version, found.cursor],
        )
    return False


def _page(run: Outcome, row: ItemVersionRow, cases: Sequence[Running], at: datetime) -> None:
    """Move a page of cases, with the cursor: one short transaction."""
    place = running.editions()
    ready = _rows(run, row, cases, at, place)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_transition SET cursor = %s WHERE item = %s AND version = %s"
            " AND done IS NULL AND cursor IS NOT DISTINCT FROM %s",
            [cases[-1].id, run.item, run.version, run.cursor],
        )
        if cursor.rowcount != 1:
            return  # somebody else did this page
        moved, stale = _append(ready)
        if stale:  # moved on since they were read: read them again, and let nobody in
            fresh = running.locked(stale)
            moved += _append(_rows(run, row, fresh, at, place))[0]
        cursor.execute(
            "UPDATE cases_transition SET looked = looked + %s, moved = moved + %s, kept = kept + %s"
            " WHERE item = %s AND version = %s",
            [len(cases), moved, len(cases) - moved, run.item, run.version],
        )


def _rows(
    run: Outcome, row: ItemVersionRow, cases: Sequence[Running], at: datetime, place: Place
) -> list[ledger.Row]:
    """The events of those that the clause moves."""
    rows = []
    for case in cases:
        move = _look(case, row, at, place)
        if not isinstance(move, Move):
            continue
        event = _event(case, at, body=_body(move.was, row.version, move.limits))
        lifecycle.admit(
            lifecycle.fold(case.events), KIND, at=event.occurred, now=event.occurred, actor=None,
            body=event.body, case_kind=row.kind,
        )  # fmt: skip
        rows.append(
            ledger.Row(
                stream_id=case.id,
                expected=case.version,
                event=writing.new(
                    event, key=f"transition:{run.item}@{run.version}:{case.id}", request=None
                ),
                head=writing.head(
                    [*case.events, event], region=case.region, hall=case.hall, at=event.occurred
                ),
            )
        )
    return rows


def _append(rows: Sequence[ledger.Row]) -> tuple[int, list[UUID]]:
    """How many moved (now, or by whoever was here before), and which had moved on."""
    outcomes = ledger.append(STREAM, rows)
    done = (ledger.Status.MOVED, ledger.Status.REPEATED)
    return (
        sum(one.status in done for one in outcomes),
        [
            row.stream_id
            for row, one in zip(rows, outcomes, strict=True)
            if one.status is ledger.Status.STALE
        ],
    )


__all__ = ["Kept", "Move", "Outcome", "Preview", "outcome", "preview", "run", "sweep"]
