"""A case is measured the same entry by entry as from its whole story, and its parts sum."""

from __future__ import annotations

import os
from datetime import timedelta

from hypothesis import example, given, settings

from tests.domain import agreement, histories
from tests.domain.histories import SEEDS
from zhengwu.domain import measuring
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event
from zhengwu.domain.measuring import CODES, HANDS, Fact, Verdict
from zhengwu.domain.refusal import Refusal

EXAMPLES = 3_000 if os.environ.get("ZHENGWU_DRILL") == "1" else 250


def measured(events: tuple[Event, ...], edition: Edition) -> Fact | None:
    try:
        return measuring.measured(events, known=lambda position: edition)
    except (Refusal, ValueError):  # another system's news, or beyond the calendar
        return None


@settings(max_examples=EXAMPLES)
@given(SEEDS)
@example(7)
def test_entry_by_entry_is_the_whole_story(seed: int) -> None:
    told = histories.history(seed)
    edition = agreement.edition(told.worlds[0])
    fact: Fact | None = None
    for nth, event in enumerate(told.events, start=1):
        whole = measured(told.events[:nth], edition)
        onward = fact.then(event, edition=edition) if fact else None
        if onward is not None and whole is not None:
            assert onward == whole, event.kind
        fact = whole


@settings(max_examples=EXAMPLES)
@given(SEEDS)
def test_what_a_closed_case_counts_as_sums_to_one_case(seed: int) -> None:
    told = histories.history(seed)
    fact = measured(told.events, agreement.edition(told.worlds[0]))
    if fact is None:
        return
    counts = fact.counts()
    sums = {code: sum(n for (_, what), n in counts.items() if what == code) for code in CODES}
    assert sums["received"] == 1
    assert sums["closed"] == (fact.closing is not None)
    assert sums["on_time"] + sums["late"] + sums["unjudged"] == sums["closed"]
    assert sums["early"] <= sums["on_time"]
    assert sums["granted"] + sums["refused"] <= sums["decided"] <= 1
    assert sums["deemed"] <= sums["accepted"] <= 1
    assert sum(sums[hand] for hand in HANDS) == sums["elapsed"]
    if fact.closing is not None:
        assert (fact.closing.verdict == Verdict.UNJUDGED) == (fact.closing.due is None)


def test_a_late_entry_is_one_entered_after_the_next_working_day() -> None:
    told = histories.history(1)
    edition = agreement.edition(told.worlds[0])
    first = told.events[0]
    for later, late in ((timedelta(hours=23), False), (timedelta(days=20), True)):
        entered = first.occurred + later
        events = (
            type(first)(
                version=1, kind="received", nature=first.nature, occurred=first.occurred,
                recorded=entered, received=entered, actor="p-1", source="zhengwu",
                body={"item": "XK1@1"},
            ),
        )  # fmt: skip
        fact = measured(events, edition)
        assert fact is not None
        assert (fact.counts()[fact.received, "late_entries"] == 1) is late
