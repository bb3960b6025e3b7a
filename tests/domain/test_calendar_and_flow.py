"""Working days, flows and identifiers keep their laws."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.golden import CALENDAR, events
from zhengwu.domain import identifiers, lifecycle, timeledger
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.event import Event
from zhengwu.domain.lifecycle import State
from zhengwu.domain.procedure import Flow, Limit, Step, Unit
from zhengwu.domain.refusal import Refusal

DAYS = st.dates(date(2010, 1, 1), date(2040, 12, 31))


@given(DAYS, st.integers(1, 400))
def test_counting_back_gives_the_days_that_were_added(day: date, count: int) -> None:
    due = CALENDAR.add_working_days(day, count).day
    assert CALENDAR.working_days_between(day, due) == count
    assert CALENDAR.is_working_day(due).working


@given(DAYS, st.integers(1, 200), st.integers(1, 30))
def test_more_days_never_end_earlier(day: date, count: int, more: int) -> None:
    assert (
        CALENDAR.add_working_days(day, count + more).day > CALENDAR.add_working_days(day, count).day
    )


def test_a_year_without_a_notice_gives_a_provisional_answer() -> None:
    assert CALENDAR.add_working_days(date(2026, 12, 28), 10).provisional
    assert not CALENDAR.add_working_days(date(2026, 9, 1), 10).provisional
    assert CALENDAR.is_working_day(date(2027, 10, 1)).provisional
    assert not CALENDAR.is_working_day(date(2027, 10, 1)).working


def test_without_any_data_everything_is_provisional() -> None:
    assert Calendar.of({}).add_working_days(date(2026, 1, 5), 1).provisional


def test_the_longest_path_is_over_the_graph_not_the_list() -> None:
    flow = Flow(
        (
            Step("a", "审查", "review", Limit(3)),
            Step("b", "勘验", "review", Limit(5)),
            Step("c", "决定", "decide", Limit(2), after=("a", "b")),
        )
    )
    assert flow.longest_path() == 7
    assert [step.code for step in flow.ready(set())] == ["a", "b"]
    assert [step.code for step in flow.ready({"a", "b"})] == ["c"]
    flow.check(promised=Limit(7), statutory=Limit(20))
    with pytest.raises(Refusal, match="longer_than_promise"):
        flow.check(promised=Limit(6), statutory=Limit(20))


def test_a_circle_and_an_unknown_step_are_refused() -> None:
    with pytest.raises(Refusal, match="cycle"):
        Flow(
            (Step("a", "甲", "x", None, ("b",)), Step("b", "乙", "x", None, ("a",)))
        ).longest_path()
    with pytest.raises(Refusal, match="unknown_step"):
        Flow((Step("a", "甲", "x", None, ("z",)),)).longest_path()


def test_forty_working_days_fit_into_three_months() -> None:
    Flow(()).check(promised=Limit(40), statutory=Limit(3, Unit.MONTH))


@pytest.mark.parametrize(
    "number",
    ["11110000000021135M", "11330105002500287C", "91330102MA28NBU477", "11511301008778183N"],
)
def test_real_credit_codes_pass_and_a_changed_digit_does_not(number: str) -> None:
    assert identifiers.uscc(f" {number.lower()} ") == number
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    with pytest.raises(Refusal):
        identifiers.uscc(wrong)


def test_other_numbers_of_the_standards_pass() -> None:
    on = date(2026, 1, 1)
    assert identifiers.resident_id("11010519491231002x", on=on) == "11010519491231002X"
    assert identifiers.resident_id("４40524188001010014", on=on) == "440524188001010014"
    assert identifiers.organisation_code("MA28NBU4-7") == "MA28NBU47"
    assert identifiers.registration_no("110108000000016") == "110108000000016"
    for bad in ("110105204912310025", "11010519490231002X", "123", "110105491231002"):
        with pytest.raises(Refusal):
            identifiers.resident_id(bad, on=on)


@pytest.mark.parametrize("dot", "\u00b7\u2022\u2027\u30fb\uff65")
def test_every_dot_of_a_name_becomes_the_one_dot(dot: str) -> None:
    assert identifiers.person_name(f"买买提{dot}艾合买提") == "买买提·艾合买提"


@pytest.mark.parametrize("name", ["𬭊", "㛃", "王𠮷", "李·阿"])
def test_rare_letters_are_names(name: str) -> None:
    assert identifiers.person_name(name) == name


@pytest.mark.parametrize("name", ["", "  ", "张\u200b三", "😀", "·张", "张··三", "张" * 51, "1张"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Refusal):
        identifiers.person_name(name)


@given(st.lists(st.sampled_from([act.code for act in lifecycle.ACTS]), max_size=25), st.data())
def test_whatever_is_tried_only_the_table_moves_a_case(
    kinds: list[str], data: st.DataObject
) -> None:
    """A random walk: refused acts leave no trace, and every move is a row of the table."""
    start = events(1)[0]
    told: list[Event] = []
    now = start.occurred
    for kind in ["received", *kinds]:
        before = lifecycle.fold(told)
        body = {"procedure": "hearing", "days": 5, "reasons": {"content": "x"}}
        now += timedelta(hours=data.draw(st.integers(0, 40)))
        actor = data.draw(st.sampled_from(["a", "b"]))
        try:
            lifecycle.admit(
                before, kind, at=now, now=now, actor=actor, body=body, case_kind="promised"
            )
        except Refusal:
            continue
        told.append(
            Event(
                version=len(told) + 1, kind=kind, occurred=now, recorded=now, received=now,
                actor=actor, agency="x", body=body,
            )
        )  # fmt: skip
        after = lifecycle.fold(told)
        act = lifecycle.BY_CODE[kind]
        assert before.state is None or before.state in act.frm
        assert after.state == (act.to or before.state)
    found = timeledger.spans(told, until=now)
    if found:
        assert sum((s.length for s in found), timedelta()) <= now - start.occurred
        assert all(a.end <= b.start for a, b in pairwise(found))


def test_every_state_can_be_reached_by_the_table() -> None:
    reached: set[State] = set()
    for _ in State:
        for act in lifecycle.ACTS:
            if (not act.frm or act.frm & reached) and act.to:
                reached.add(act.to)
    assert reached == set(State)
