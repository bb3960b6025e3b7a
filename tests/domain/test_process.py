"""The directly-follows graph counts what a plain count of pairs counts; its times are the middle ones."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.golden import CALENDAR
from tests.domain.test_timeledger import EDITION, TWICE
from zhengwu.domain import process, timeledger
from zhengwu.domain.calendar import OfficeHours
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.procedure import Flow, Step
from zhengwu.domain.process import Departure, Discovery, Happening

START = datetime(2026, 9, 14, 1, tzinfo=UTC)
FLOW = Flow(
    (
        Step("review", "审查", "review"),
        Step("opine", "会审", "review"),
        Step("decide", "决定", "decide", after=("review", "opine")),
    )
)
ways = st.lists(
    st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(0, 10**12)), min_size=1, max_size=8),
    min_size=1, max_size=12,
)  # fmt: skip


def half(start: datetime, end: datetime) -> timedelta:
    """Offices that are open half of every second."""
    return (end - start) / 2


def case(steps: list[tuple[str, int]]) -> tuple[Happening, ...]:
    return process.in_order(
        Happening(activity, START + timedelta(microseconds=at), version)
        for version, (activity, at) in enumerate(steps, 1)
    )


@given(ways)
def test_every_figure_is_that_of_a_plain_count(log: list[list[tuple[str, int]]]) -> None:
    cases = [case(one) for one in log]
    discovery = Discovery()
    for one in cases:
        discovery.add(one, (), half)
    picture = discovery.picture()
    assert (picture.cases, picture.events) == (len(cases), sum(map(len, cases)))
    assert {one.activity: one.count for one in picture.nodes} == Counter(
        each.activity for one in cases for each in one
    )
    spent: dict[tuple[str, str], list[int]] = {}
    for one in cases:
        for a, b in pairwise(one):
            length = (b.at - a.at) // timedelta(microseconds=1)
            spent.setdefault((a.activity, b.activity), []).append(length)
    assert {(one.source, one.target): one.count for one in picture.edges} == {
        pair: len(lengths) for pair, lengths in spent.items()
    }
    for edge in picture.edges:
        lengths = spent[edge.source, edge.target]
        assert edge.lengths.median is not None
        median = edge.lengths.median // timedelta(microseconds=1)
        assert abs(median - statistics.median(lengths)) <= 0.5
        assert edge.lengths.mean == timedelta(microseconds=sum(lengths) // len(lengths))
        assert edge.lengths.office_mean is not None
        assert edge.lengths.office_mean <= edge.lengths.mean
    assert {one.activities: one.count for one in picture.variants} == Counter(
        tuple(each.activity for each in one) for one in cases
    )
    assert abs(sum(one.share for one in picture.variants) - 1) < 1e-9
    assert sum(one.starts for one in picture.nodes) == len(cases)
    assert sum(one.ends for one in picture.nodes) == len(cases)
    # What leaves an activity and what enters it, with beginnings and ends, is how often it happened.
    for node in picture.nodes:
        entered = sum(one.count for one in picture.edges if one.target == node.activity)
        left = sum(one.count for one in picture.edges if one.source == node.activity)
        assert entered + node.starts == node.count == left + node.ends


def test_what_happened_in_the_same_instant_keeps_the_order_of_its_entry() -> None:
    later = Happening("B", START, 2)
    assert process.in_order([later, Happening("A", START, 1)]) == (Happening("A", START, 1), later)
    late_entry = Happening("C", START - timedelta(hours=1), 3)
    assert process.in_order([later, late_entry])[0] == late_entry


def test_a_case_in_which_nothing_happened_is_no_case() -> None:
    discovery = Discovery()
    discovery.add((), (), half)
    picture = discovery.picture()
    assert (picture.cases, picture.nodes, picture.lengths.median) == (0, (), None)


def test_keys_of_a_way_of_two_and_of_the_edge_between_them_differ() -> None:
    keys = {
        process.variant_key(("A", "B")),
        process.edge_key("A", "B"),
        process.departure_key("A", "B"),
    }
    assert len(keys) == 3


@given(
    st.lists(st.datetimes(datetime(2006, 1, 1), datetime(2031, 1, 1)), min_size=2, max_size=8),  # noqa: DTZ001
    st.sampled_from([EDITION, TWICE, Edition(CALENDAR, OfficeHours(spans=()))]),
)  # fmt: skip
def test_a_meter_of_office_time_says_what_the_time_ledger_says(
    found: list[datetime], edition: Edition
) -> None:
    meter = process.OfficeMeter(edition)
    for start, end in pairwise(one.replace(tzinfo=UTC) for one in found):
        assert meter(start, end) == timeledger.office_time(start, end, edition)


# --- beside the published flow --------------------------------------------------------------------


def told(*acts: tuple[str, str]) -> tuple[Event, ...]:
    """Acts an hour after each other; the second of each is its step."""
    return tuple(
        Event(
            version=version, kind=kind, nature=Nature.ACT,
            occurred=START + timedelta(hours=version), recorded=START, received=START,
            body={"back_to" if kind == "step_returned" else "step": step} if step else {},
        )
        for version, (kind, step) in enumerate(acts, 1)
    )  # fmt: skip


def left(*acts: tuple[str, str]) -> list[tuple[int, str, str]]:
    return [(one.version, one.kind, one.zh) for one in process.departures(told(*acts), FLOW)]


def test_a_case_that_goes_as_is_published_departs_nowhere() -> None:
    assert left(
        ("step_taken", "receive"), ("accepted", ""), ("step_taken", "opine"), ("step_done", "opine"),
        ("step_taken", "review"), ("step_done", "review"), ("step_taken", "decide"),
        ("granted", ""), ("step_taken", "deliver"), ("delivered", ""),
    ) == []  # fmt: skip


def test_what_is_skipped_out_of_order_sent_back_or_not_in_the_flow_is_said() -> None:
    assert left(("step_taken", "review"), ("step_done", "review"), ("refused", "")) == [
        (3, "skipped", "“会审”没有办结就作出决定")
    ]
    assert left(("step_done", "review"), ("step_taken", "decide")) == [
        (2, "order", "“会审”没有办结就接办“决定”")
    ]
    sent_back = left(
        ("step_done", "review"), ("step_done", "opine"), ("step_returned", "review"),
        ("step_taken", "decide"),
    )  # fmt: skip
    assert sent_back == [
        (3, "returned", "退回“审查”环节"), (4, "order", "“审查”没有办结就接办“决定”")
    ]  # fmt: skip
    assert left(("step_taken", "tasting")) == [(1, "outside", "流程里没有“tasting”这个环节")]


def test_another_systems_news_says_itself_what_the_table_thinks_of_it() -> None:
    news = Event(
        version=4, kind="step", nature=Nature.OBSERVATION, occurred=START, recorded=START,
        received=START, body={"deviation": "已办结后仍有环节"},
    )  # fmt: skip
    assert process.departures([news], None) == (Departure(4, "table", "已办结后仍有环节"),)


def test_the_time_of_a_step_runs_from_its_taking_to_its_end_whoever_has_it() -> None:
    events = told(
        ("step_taken", "review"), ("step_taken", "review"), ("step_done", "review"),
        ("step_taken", "opine"), ("step_returned", "review"), ("step_taken", "decide"),
        ("granted", ""),
    )  # fmt: skip
    assert [(one.step, one.how) for one in process.runs(events)] == [
        ("review", "done"), ("opine", "returned"), ("decide", "decided")
    ]  # fmt: skip
    beside = process.Beside(FLOW)
    beside.add(events, process.departures(events, FLOW), half)
    review, opine, decide = beside.told()
    assert (review.cases, review.done, review.returned, review.lengths.median) == (
        1, 1, 1, timedelta(hours=2)
    )  # fmt: skip
    assert (opine.done, opine.skipped) == (0, 1)
    assert decide.lengths.office_median == timedelta(minutes=30)
