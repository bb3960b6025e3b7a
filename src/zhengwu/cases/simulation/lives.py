"""What the domain says of a story (办件读数): its head's derived columns, its alarms, deviations.

The domain is asked once for all stories of one shape, with stand-ins for instants, and the clock once
for every limit and the day it begins on; both answers are filled in for each case, as wordings are
(`papers`). What is under way when the present cuts it, and limits that stood still or were extended,
are read by the domain itself. `asked` reads any story so: tests and every 500th story compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from zhengwu.cases import heads
from zhengwu.cases.simulation import times
from zhengwu.cases.simulation.telling import Move, Story
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.clock import Alarm
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import Life
from zhengwu.domain.procedure import Limit, Unit

# Entries of whose bodies a closed case's derived columns keep something, and what of them.
SAYING = frozenset({"step_taken", "step", "decided", "suspended", "resumed"})
SAID = ("step", "at", "procedure", "outcome")
INSTANTS = ("accepted", "decided", "closed", "archived")  # columns that are the instant of an entry
# What stands still, begins earlier than it was entered or is given more days moves ends of limits.
MOVING = frozenset(
    {"deemed_accepted", "suspended", "resumed", "forwarded", "came_back", "extended"}
)
SHIFTED = MOVING - {"suspended", "forwarded"}  # after these an end may lie elsewhere at once
ANSWERS = frozenset({"accepted", "supplement_requested", "not_needed", "not_ours", "withdrawn"})
DECIDES = frozenset({"granted", "refused", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Read:
    """A story read by the domain: its head's derived columns, its alarms."""

    head: Mapping[str, Any]
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What all closed stories of the same entries have in common. head: without instants; instants:
    column and the place of the entry whose instant it is.
    """

    head: Mapping[str, Any]
    instants: tuple[tuple[str, int], ...]


FAR = 2**63 - 1  # no instant
Call = tuple[int, Alarm]  # when a limit asks for attention, in microseconds


def events_of(story: Story) -> list[Event]:
    """The story as the domain sees it."""
    nature = Nature.OBSERVATION if story.offer is None else Nature.ACT
    found = []
    for nth, one in enumerate(story.moves, 1):
        seen = times.moment(one.seen)
        found.append(
            Event(
                version=nth,
                kind=one.kind,
                nature=nature,
                occurred=seen if one.at == one.seen else times.moment(one.at),
                recorded=seen if one.recorded == one.seen else times.moment(one.recorded),
                received=seen,
                actor=one.actor,
                post=one.post,
                agency=one.agency,
                region=story.region,
                source=one.source,
                body=one.body,
            )
        )
    return found


def asked(story: Story, edition: Edition) -> Read:
    """As `writing.head` has it after the last entry, once the sweep has raised what came true; all of
    it asked of the domain.
    """
    life = Life.of(events_of(story))
    at = times.moment(max([one.at for one in story.moves]))
    raised = () if story.offer is None else alarms_of(story.moves, life, at=at, edition=edition)
    if life.standing.closed_at is not None:
        return Read(heads.derived(life.standing, reading=None), raised)  # nothing runs any more
    reading = clock.read_counting(life.counting, at=at, edition=edition)
    return Read(heads.derived(life.standing, reading=reading), raised)


def alarms_of(
    moves: Sequence[Move],
    life: Life,
    *,
    at: datetime,
    edition: Edition,
    soonest: Sequence[int] | None = None,
) -> tuple[Alarm, ...]:
    """The same as `clock.alarms`, in fewer readings: of acts of ours, which are all admitted and none
    withdrawn, so that all of them count. soonest: `Reader._soonest`.
    """
    told = [(nth, one.at) for nth, one in enumerate(moves) if one.kind in clock.TELLING]
    end = times.since_epoch(at)
    found: dict[tuple[str, str, datetime], Alarm] = {}
    for turn, (nth, since) in enumerate(told, 1):
        last = turn == len(told)
        until = end if last else min(end, told[turn][1])
        if until <= since and not last:
            continue
        if soonest is not None and until < soonest[turn - 1]:
            continue
        when = at if until == end else times.moment(until)
        for alarm in clock.read_counting(life.events[: nth + 1], at=when, edition=edition).alarms():
            if alarm.at < when or (last and alarm.at == when):
                found.setdefault((alarm.limit, alarm.level, alarm.due), alarm)
    return tuple(sorted(found.values(), key=_order))


def _order(alarm: Alarm) -> tuple[datetime, str, str]:
    return alarm.at, alarm.limit, alarm.level


class Reader:
    """Reads the stories of one plan; keeps what the domain said."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[object, ...], Shape | None] = {}
        self._calls: dict[tuple[object, ...], tuple[Call, ...]] = {}
        self._closes: dict[tuple[int, int], int] = {}
        self._editions: list[Edition] = []  # those that differ
        self._places: dict[tuple[str, str | None], int] = {}  # region and hall → the one of theirs

    def read(self, story: Story, edition: Edition) -> Read:
        """The same as `asked`."""
        shape = self._shape(story)
        if shape is None:
            return asked(story, edition)
        moves = story.moves
        head = dict(shape.head)
        for name, nth in shape.instants:
            head[name] = times.moment(moves[nth].at)
        if story.offer is None:
            return Read(head, ())
        raised = self._alarms(story, edition)
        if raised is None:
            at, life = times.moment(max([one.at for one in moves])), Life.of(events_of(story))
            soonest = self._soonest(story, edition)
            raised = alarms_of(moves, life, at=at, edition=edition, soonest=soonest)
        return Read(head, raised)

    # --- heads ------------------------------------------------------------------------------------

    def _shape(self, story: Story) -> Shape | None:
        """None of a story that has not been closed."""
        key: tuple[object, ...] = (
            story.offer is None,
            *[
                (one.kind, *map(one.body.get, SAID)) if one.kind in SAYING else one.kind
                for one in story.moves
            ],
        )
        try:
            return self._shapes[key]
        except KeyError:
            made = self._shapes[key] = _shape(story)
            return made

    # --- alarms -----------------------------------------------------------------------------------

    def _alarms(self, story: Story, edition: Edition) -> tuple[Alarm, ...] | None:
        """The same as `alarms_of` where every limit runs straight from what began it to what ended
        it; None where one does not.
        """
        told = []
        before = 0
        for one in story.moves:
            kind = one.kind
            if kind in clock.TELLING:
                if kind in MOVING or one.at < before:
                    return None
                told.append(one)
                before = one.at
        end = max([one.at for one in story.moves])
        place = self._place(story, edition)
        running: dict[str, tuple[Call, ...]] = {}
        found: dict[Alarm, None] = {}
        most = len(told)
        for turn, one in enumerate(told, 1):
            kind = one.kind
            if kind in RUNNING:
                self._goes_on(running, one, place)
            if turn < most:
                until = told[turn].at
                for calls in running.values():
                    if calls and calls[0][0] < until:
                        found.update([(alarm, None) for at, alarm in calls if at < until])
            else:
                for calls in running.values():
                    found.update([(alarm, None) for at, alarm in calls if at <= end])
        return tuple(sorted(found, key=_order)) if found else ()

    def _soonest(self, story: Story, edition: Edition) -> list[int]:
        """After each entry that tells the clock something, an instant before which no limit calls:
        what stands still or is extended calls later than what runs straight.
        """
        place = self._place(story, edition)
        running: dict[str, tuple[Call, ...]] = {}
        found, deemed = [], False
        for one in story.moves:
            kind = one.kind
            if kind not in clock.TELLING:
                continue
            if kind in RUNNING:
                self._goes_on(running, one, place)
            deemed = deemed or kind == "deemed_accepted"
            calls = [calls[0][0] for calls in running.values() if calls]
            found.append(0 if deemed or kind in SHIFTED else min(calls, default=FAR))
        return found

    def _goes_on(self, running: dict[str, tuple[Call, ...]], move: Move, place: int) -> None:
        """Which limits run after an entry."""
        kind = move.kind
        if kind in ANSWERS:
            running.pop("acceptance", None)
        if kind in DECIDES or kind == "step_done":
            running.pop("step", None)
        if kind in DECIDES:
            for limit in [one for one in running if one not in ("acceptance", "delivery")]:
                del running[limit]
        if kind == "delivered":
            running.clear()
        elif kind in ("received", "supplemented"):
            running["acceptance"] = self._law("acceptance", move.at, place)
        elif kind == "accepted":
            for one in move.body["limits"]:
                running[one["kind"]] = self._called(one["kind"], one, move.at, place)
        elif kind == "step_taken":
            if "limit" in move.body:
                limit = move.body["limit"]
                running["step"] = self._called("step", limit, move.at, place)
        elif kind == "granted":
            running["delivery"] = self._law("delivery", move.at, place)

    def _law(self, kind: str, at: int, place: int) -> tuple[Call, ...]:
        """When a limit of general law calls, in working days, that begins on the day of an instant;
        () where there is none.
        """
        day, receipt = times.day_of(at), kind == "acceptance"
        late = receipt and at > self._close(day, place)
        key = (kind, day, late, place)
        found = self._calls.get(key)
        if found is None:
            since, edition = times.moment(at), self._editions[place]
            start = clock.foresee(Limit(1), since=since, edition=edition, receipt=receipt).how.start
            rule = edition.rule_on(kind, start.day)
            if rule is not None and rule.unit != Unit.WORKING_DAY:
                raise ValueError(f"{kind} is not counted in working days")
            found = self._calls[key] = (
                _calls(kind, rule.given, since, edition, receipt=receipt) if rule else ()
            )
        return found

    def _called(self, kind: str, limit: Mapping[str, Any], at: int, place: int) -> tuple[Call, ...]:
        """When a limit calls that begins at an instant; of days, the same whenever on that day."""
        value, unit = limit["value"], limit["unit"]
        if unit != "working_day":  # seldom twice at the same instant: not kept
            return _calls(kind, limit, times.moment(at), self._editions[place])
        key = (kind, value, unit, times.day_of(at), place)
        found = self._calls.get(key)
        if found is None:
            found = self._calls[key] = _calls(kind, limit, times.moment(at), self._editions[place])
        return found

    def _place(self, story: Story, edition: Edition) -> int:
        """The same for all places that count alike."""
        key = (story.region, story.hall)
        found = self._places.get(key)
        if found is None:
            if edition not in self._editions:
                self._editions.append(edition)
            found = self._places[key] = self._editions.index(edition)
        return found

    def _close(self, day: int, place: int) -> int:
        """The close of business of a day, microseconds."""
        key = (place, day)
        found = self._closes.get(key)
        if found is None:
            found = self._closes[key] = times.since_epoch(self._editions[place].close(day))
        return found


# Entries after which another limit runs, or one does no longer.
RUNNING = ANSWERS | DECIDES | {
    "received", "supplemented", "step_taken", "step_done", "granted", "delivered",
}  # fmt: skip


def _calls(
    kind: str, limit: Mapping[str, Any], since: datetime, edition: Edition, *, receipt: bool = False
) -> tuple[Call, ...]:
    """Ask the clock when a limit calls, if nothing comes in between."""
    read = clock.foresee(
        Limit(limit["value"], Unit(limit["unit"]), limit["basis"], limit.get("roll", True)),
        since=since, edition=edition, kind=kind, receipt=receipt,
    )  # fmt: skip
    return tuple(
        (times.since_epoch(when), Alarm(kind, level, when, read.due))
        for level, when in read.calls()
    )


def _shape(story: Story) -> Shape | None:
    """Ask the domain once, with an instant of its own for every entry."""
    first = times.EPOCH
    events = [
        replace(one, occurred=first + timedelta(hours=nth))
        for nth, one in enumerate(events_of(story))
    ]
    standing = Life.of(events).standing
    if standing.closed_at is None:
        return None
    head = heads.derived(standing, reading=None)
    places = {one.occurred: nth for nth, one in enumerate(events)}
    instants = tuple((name, places[head[name]]) for name in INSTANTS if head[name] is not None)
    return Shape(head, instants)


# --- other systems' news --------------------------------------------------------------------------


def mark_deviations(story: Story) -> None:
    """Every piece of another system's news carries what the table says of it."""
    found = _deviations(tuple([one.kind for one in story.moves]))
    for move, deviation in zip(story.moves, found, strict=True):
        move.body["deviation"] = deviation


@cache
def _deviations(kinds: tuple[str, ...]) -> tuple[str | None, ...]:
    """What the table says of each of these in turn; bodies have no part in it."""
    now = times.EPOCH
    events = [
        Event(
            version=nth, kind=kind, nature=Nature.OBSERVATION, occurred=now, recorded=now,
            received=now,
        )
        for nth, kind in enumerate(kinds, 1)
    ]  # fmt: skip
    found = []
    standing = lifecycle.fold(())
    for event, after in lifecycle.histories(events):
        found.append(lifecycle.deviation(standing, event.kind))
        standing = after
    return tuple(found)
