"""One pass over a plain life says the same as reading every earlier moment of it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import example, given, settings

from tests.domain import agreement, histories
from tests.domain.histories import SEEDS, History
from tests.drill import examples
from zhengwu.cases.writing import QUIET
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.event import Event
from zhengwu.domain.lifecycle import Life
from zhengwu.domain.refusal import Refusal

UNTOUCHED = ("suspended", "resumed", "forwarded", "came_back", "extended", "version_moved")


def plain(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Without what makes a limit stand still or change, in the order in which it happened."""
    kept = sorted(
        (one for one in events if one.kind not in UNTOUCHED),
        key=lambda one: (one.version != 1, one.occurred, one.version),
    )
    return tuple(replace(one, version=nth) for nth, one in enumerate(kept, start=1))


def agrees(events: tuple[Event, ...], at: datetime, told: History) -> None:
    for world in told.worlds:
        edition = agreement.edition(world)
        try:
            expected = clock.read(events, at=at, edition=edition)
            came = clock.alarms(events, at=at, edition=edition)
        except (Refusal, ValueError):  # another system's news, or beyond the calendar
            continue
        reading, first = clock.look(Life.of(events), at=at, edition=edition)
        assert reading == expected
        assert first == (came[0].at if came else None)


@settings(max_examples=examples(50, 150))
@given(SEEDS)
@example(7)
def test_a_look_is_the_reading_and_the_first_alarm(seed: int) -> None:
    told = histories.history(seed)
    for events in (told.events, plain(told.events)):
        agrees(events, told.at, told)
        for nth in range(1, len(events) + 1):  # as each entry was decided
            agrees(events[:nth], events[nth - 1].occurred, told)


@settings(max_examples=examples(70, 200))
@given(SEEDS)
def test_a_life_that_goes_on_is_the_life_gone_through_again(seed: int) -> None:
    events = histories.history(seed).events
    life = Life.of(())
    for nth, event in enumerate(events, start=1):
        life = life.then(event)
        assert life == Life.of(events[:nth])
        assert life.standing == lifecycle.fold(events[:nth])
        assert life.counting == lifecycle.standing_events(events[:nth])


@settings(max_examples=examples(30, 60))
@given(SEEDS)
def test_a_quiet_entry_leaves_every_reading_as_it_was(seed: int) -> None:
    """So that the clock's columns of a head need not be counted anew for it."""
    told = histories.history(seed)
    events, at = told.events, told.at
    for world in told.worlds:
        edition = agreement.edition(world)
        try:
            expected = clock.read(events, at=at, edition=edition)
            came = clock.alarms(events, at=at, edition=edition)
        except (Refusal, ValueError):  # another system's news, or beyond the calendar
            continue
        for kind in sorted(QUIET):
            entry = Event(
                version=len(events) + 1, kind=kind, occurred=at, recorded=at, received=at,
                agency="420100-water", region="420100", source="desk", body={},
            )  # fmt: skip
            then = (*events, entry)
            assert clock.read(then, at=at, edition=edition) == expected, kind
            assert clock.alarms(then, at=at, edition=edition) == came, kind
