"""Working days: vectors from real calendars, and what must hold for any day and any count."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.golden import CALENDAR
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.counting import _months
from zhengwu.domain.procedure import Limit, Unit

HERE = Path(__file__).resolve()
DATA = Path(os.environ.get("ZHENGWU_DATA", HERE.parents[3] / "shared" / "data"))
HOLIDAYS = DATA / "calendars" / "holiday-cn"
needs_holidays = pytest.mark.skipif(
    not HOLIDAYS.is_dir(), reason=f"no holiday data in {HOLIDAYS} (set ZHENGWU_DATA)"
)
DAYS = st.dates(date(2007, 1, 1), date(2035, 12, 31))


@cache
def national() -> Calendar:
    days: dict[date, bool] = {}
    names: dict[date, str] = {}
    for path in sorted(HOLIDAYS.glob("*.json")):
        for one in json.loads(path.read_text(encoding="utf-8"))["days"]:
            days[date.fromisoformat(one["date"])] = one["isOffDay"]
            names[date.fromisoformat(one["date"])] = one["name"]
    return Calendar.of(days, names=names, notices={2026: "国办发明电〔2025〕7号"})


@needs_holidays
@pytest.mark.parametrize(
    ("accepted", "count", "due"),
    [
        (date(2009, 6, 1), 20, date(2009, 6, 29)),
        (date(2009, 9, 25), 20, date(2009, 10, 29)),
        (date(2009, 9, 30), 5, date(2009, 10, 14)),
        (date(2009, 1, 16), 20, date(2009, 2, 18)),
        (date(2026, 9, 21), 20, date(2026, 10, 26)),
        (date(2026, 9, 21), 45, date(2026, 11, 30)),
    ],
)
def test_vectors(accepted: date, count: int, due: date) -> None:
    found = national().add_working_days(accepted, count)
    assert (found.day, found.provisional) == (due, False)


@needs_holidays
def test_2009_had_250_working_days() -> None:
    assert national().working_days_between(date(2008, 12, 31), date(2009, 12, 31)) == 250


@needs_holidays
def test_every_year_that_has_a_notice_is_published_and_no_other() -> None:
    """The notice for 2007 also names two days of December 2006: that publishes nothing."""
    assert national().published == frozenset(range(2007, 2027))
    assert date(2006, 12, 31) in national().days


@needs_holidays
def test_past_the_last_published_year_the_answer_says_that_it_is_provisional() -> None:
    over = national().add_working_days(date(2026, 12, 21), 20)
    assert over.provisional
    assert national().is_working_day(date(2027, 1, 4)).provisional
    new_year = national().is_working_day(date(2027, 1, 1))
    assert (new_year.working, new_year.reason, new_year.provisional) == (False, "元旦", True)


@needs_holidays
def test_a_day_says_why_and_by_which_notice() -> None:
    day = national().is_working_day(date(2026, 10, 10))
    assert (day.working, day.reason, day.notice) == (True, "国庆节", "国办发明电〔2025〕7号")


@needs_holidays
def test_units_never_hold_fewer_or_more_working_days_than_the_flow_reckons_with() -> None:
    calendar = national()
    for offset in range(365 * 18):
        start = date(2007, 1, 1) + timedelta(days=offset)
        for count, unit in ((1, Unit.MONTH), (12, Unit.YEAR)):
            held = calendar.between(start.toordinal(), _months(start.toordinal(), count))
            limit = Limit(1, unit)
            assert limit.fewest() <= held <= limit.most()
    for length in (1, 7, 10, 15, 30, 60):
        limit = Limit(length, Unit.CALENDAR_DAY)
        for offset in range(365 * 18):
            start = date(2007, 1, 1) + timedelta(days=offset)
            held = calendar.working_days_between(start, start + timedelta(days=length))
            assert limit.fewest() <= held <= limit.most()


def test_without_data_everything_is_provisional() -> None:
    assert Calendar.of({}).add_working_days(date(2026, 3, 2), 5).provisional


def test_outside_the_table_it_raises_instead_of_guessing() -> None:
    with pytest.raises(ValueError, match="outside the calendar"):
        CALENDAR.add_working_days(date(2400, 1, 1), 3)
    with pytest.raises(ValueError, match="outside the calendar"):
        CALENDAR.is_working_day(date(1800, 1, 1))


def day_by_day(days: Mapping[date, bool], calendar: Calendar, start: date, count: int) -> date:
    """The slow way, for comparison."""
    day = start
    while count:
        day += timedelta(days=1)
        count -= calendar.is_working_day(day).working
    return day


@given(DAYS, st.integers(1, 250))
def test_between_is_the_inverse_of_add(start: date, count: int) -> None:
    due = CALENDAR.add_working_days(start, count).day
    assert CALENDAR.working_days_between(start, due) == count
    assert CALENDAR.working_days_between(due, start) == -count
    assert CALENDAR.is_working_day(due).working


@given(DAYS, st.integers(1, 60))
def test_the_table_agrees_with_counting_day_by_day(start: date, count: int) -> None:
    assert CALENDAR.add_working_days(start, count).day == day_by_day(
        CALENDAR.days, CALENDAR, start, count
    )


@given(DAYS, st.integers(0, 400))
def test_the_listed_days_are_the_counted_ones(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    listed = CALENDAR.working_days(start, end)
    assert len(listed) == CALENDAR.working_days_between(start, end)
    assert all(start < day <= end and CALENDAR.is_working_day(day).working for day in listed)


@given(DAYS, st.integers(1, 60))
def test_going_back_undoes_going_on(start: date, count: int) -> None:
    first = CALENDAR.roll(start).day
    assert (
        CALENDAR.add_working_days(CALENDAR.add_working_days(first, count).day, -count).day == first
    )
