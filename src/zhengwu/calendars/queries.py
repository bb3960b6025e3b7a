"""Which calendar, opening hours and rules hold at a place (历法); folded from the stream, cached.

The cache is keyed by the last event of the stream, so that a change anywhere is seen by the next
question of every process, at the price of one index lookup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import CITY
from zhengwu.calendars.events import STREAM, STREAM_ID
from zhengwu.domain.edition import Edition, Notice, Timetable
from zhengwu.ledger import queries as ledger
from zhengwu.ledger.events import Entry

Change = tuple[int, UUID]  # version and id of an event of the calendar's stream
# A scalar subquery for a context's own SELECT: the last change in the same moment. Read by `change`.
LAST_CHANGE = ledger.last_sql(stream=STREAM, stream_id=STREAM_ID)
NOTHING = UUID(int=0)  # in the place of the last event of a stream that has none
FROM_MONTH = 11  # the State Council publishes next year's holidays in October to December


def number() -> int:
    """The version of the calendar's stream; 0 before anything was loaded. One index lookup."""
    return _last(None, None)[0]


@lru_cache(maxsize=64)
def change(value: str | None) -> Change:
    """The value of LAST_CHANGE."""
    if value is None:
        return 0, NOTHING
    version, _, identifier = value.partition(" ")
    return int(version), UUID(identifier)


def holds(number: int | None = None) -> int:
    """The version of the last change that holds (shipped or confirmed), up to a version."""
    return _holds(*_last(number, None))


def timetable(number: int | None = None, *, known: int | None = None) -> Timetable:
    """All that was published, at a version of the stream or as known at a position of the log."""
    return _timetable(*_last(number, known))


def edition(
    region: str = CITY,
    hall: str | None = None,
    *,
    number: int | None = None,
    known: int | None = None,
    last: Change | None = None,
) -> Edition:
    """What the clock counts by in a region or hall. One query when cached.

    number: at that version of the stream; known: as known at that position of the log; last: after
    this change, which the caller's own SELECT read (LAST_CHANGE), so that nothing is asked.
    """
    global _lately
    if last is None or known is not None or number is not None:
        last = _last(number, known, newest=last)
    if known is None and number is None:
        _lately = last
    regions, halls = _scopes(*last)
    # Only places that something was said of are told apart: the others share one edition.
    above = [one for one in _above(region) if one in regions] if regions else []
    return _edition(tuple(above), hall if hall in halls else None, *last)


_lately: Change | None = None


def lately() -> Change:
    """The last change as this process saw it last. Whoever counts by it asks for LAST_CHANGE in the
    same SELECT, and counts again where that is another."""
    return _lately or _last(None, None)


class AsKnown:
    """Editions as known at positions of the log (当时已知的历书); one query, then from memory."""

    def __init__(self) -> None:
        told = ledger.places(STREAM, STREAM_ID)
        changes = [(version, one) for version, one, _ in told]
        first = _shipped_first(*(changes[-1] if changes else (0, NOTHING)))
        # What came with the software was known before it stood in the log.
        self._later = [
            (position, (version, one)) for version, one, position in told if version > first[0]
        ]
        self._first = first
        self._held: dict[tuple[str, str | None, Change], Edition] = {}

    def at(self, position: int | None, region: str, hall: str | None = None) -> Edition:
        """As known at a position; None: all that is known."""
        last = self._first
        for placed, change in self._later:
            if position is not None and (placed is None or placed > position):
                break
            last = change
        key = (region, hall, last)
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = edition(region, hall, last=last)
        return held


def notices() -> tuple[Notice, ...]:
    """The State Council's notices and their amendments, by year and then as they came."""
    return tuple(sorted(timetable().notices, key=lambda one: (one.year, one.version)))


def unpublished(on: date) -> int | None:
    """The year that ought to be published by this day and is not.

    That is the year itself; from 1 November on also the next one.
    """
    published = timetable().published
    if on.year not in published:
        return on.year
    if on.month >= FROM_MONTH and on.year + 1 not in published:
        return on.year + 1
    return None


# --- history -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the history (历史): who did what to the timetable, and when.

    kind: shipped, waiting, confirmed, declined. by, at: of the proposal or the shipment; decided:
    of the second person, None while it waits. reason: None where there is none or it was erased.
    """

    version: int
    kind: str
    change: Mapping[str, Any]
    by: str
    at: datetime
    reason: str | None
    decided_by: str
    decided: datetime | None
    decided_version: int | None = None


def history() -> tuple[Step, ...]:
    """What was shipped and proposed, the latest first, with what became of it."""
    events = ledger.stream_events(STREAM, STREAM_ID)
    ends = {
        int(one.body["version"]): one for one in events if one.kind in ("confirmed", "declined")
    }
    begun = [one for one in events if one.kind in ("shipped", "proposed")]
    names = accounts.names(people=(one.actor for one in events))
    kept = ledger.contents([one.body["reason"]["content"] for one in begun if _reason(one)])
    reasons = {str(identifier): data for identifier, data in kept.items()}
    steps = []
    for one in reversed(begun):
        end = ends.get(one.version)
        kind = "shipped" if one.kind == "shipped" else end.kind if end else "waiting"
        reason = reasons.get(_reason(one) or "")
        steps.append(
            Step(
                version=one.version,
                kind=kind,
                change=one.body["change"],
                by=names.person(one.actor),
                at=one.received,
                reason=None if reason is None else str(reason),
                decided_by=names.person(end.actor) if end else "",
                decided=end.received if end else None,
                decided_version=end.version if end else None,
            )
        )
    return tuple(steps)


def _reason(event: Entry) -> str | None:
    found = event.body.get("reason")
    return str(found["content"]) if isinstance(found, Mapping) else None


# --- the fold and its cache ----------------------------------------------------------------------


def _last(
    number: int | None, known: int | None, *, newest: Change | None = None
) -> tuple[int, UUID]:
    """The version and id of the event to fold up to. newest: the last of all, where it was read."""
    if newest is not None and known is not None and number is None:
        found = next((one for one, placed in _placed(newest) if placed <= known), None)
    else:
        found = ledger.last(STREAM, STREAM_ID, known=known, version=number)
    if known is not None:
        # What came with the software was known before it stood in the log.
        first = _shipped_first(*(newest or ledger.last(STREAM, STREAM_ID) or (0, NOTHING)))
        if found is None or found[0] < first[0]:
            found = first if number is None else min(first, found or first)
    return found or (0, NOTHING)


_places: dict[Change, tuple[tuple[Change, int], ...]] = {}


def _placed(newest: Change) -> tuple[tuple[Change, int], ...]:
    """The changes up to the newest with their positions, the latest first. A position once given
    stays, so that the whole is kept as soon as each has one."""
    kept = _places.get(newest)
    if kept is None:
        told = [one for one in ledger.places(STREAM, STREAM_ID) if one[0] <= newest[0]]
        kept = tuple(
            ((version, one), position)
            for version, one, position in reversed(told)
            if position is not None
        )
        if len(kept) == len(told):
            _places.clear()
            _places[newest] = kept
    return kept


@lru_cache(maxsize=16)
def _timetable(version: int, last: UUID) -> Timetable:
    return Timetable.of(_events(version, last))


@lru_cache(maxsize=16)
def _holds(version: int, last: UUID) -> int:
    changed = [one for one in _events(version, last) if one.kind in ("shipped", "confirmed")]
    return changed[-1].version if changed else 0


@lru_cache(maxsize=4)
def _shipped_first(version: int, last: UUID) -> tuple[int, UUID]:
    """The last event of the run of shipped ones that the stream begins with."""
    found = (0, NOTHING)
    for event in _events(version, last):
        if event.kind != "shipped":
            break
        found = (event.version, event.id)
    return found


def _events(version: int, last: UUID) -> list[Entry]:
    if last == NOTHING:
        return []
    return [one for one in ledger.stream_events(STREAM, STREAM_ID) if one.version <= version]


@lru_cache(maxsize=16)
def _scopes(version: int, last: UUID) -> tuple[frozenset[str], frozenset[str]]:
    """The regions and the halls that an overlay or opening hours name."""
    table = _timetable(version, last)
    told = [one.scope for one in table.overlays] + [one.scope for one in table.openings]
    named = [scope.partition(":") for scope in told]
    return (
        frozenset(code for kind, _, code in named if kind == "region"),
        frozenset(code for kind, _, code in named if kind == "hall"),
    )


@lru_cache(maxsize=32)
def _edition(regions: tuple[str, ...], hall: str | None, version: int, last: UUID) -> Edition:
    return _timetable(version, last).at(regions, hall)


_known_above: dict[str, tuple[str, ...]] = {}


def _above(region: str) -> tuple[str, ...]:
    """The region and those above it. One that is not registered yet is asked for again."""
    found = _known_above.get(region)
    if found is None:
        found = accounts.regions_above(region)
        if len(found) > 1:
            _known_above[region] = found
    return found
