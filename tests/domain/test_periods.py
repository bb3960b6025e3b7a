"""Periods are cut without a gap, compared with as long ones, and read as people write them."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhengwu.domain import periods
from zhengwu.domain.periods import Grain, Period
from zhengwu.domain.refusal import Refusal

DAYS = st.dates(min_value=date(2004, 1, 1), max_value=date(2030, 12, 31))
LENGTHS = st.integers(min_value=0, max_value=900)


@given(DAYS, LENGTHS, st.sampled_from(list(Grain)))
def test_the_parts_are_the_whole_without_a_gap(since: date, length: int, grain: Grain) -> None:
    whole = Period(since, since + timedelta(days=length))
    parts = list(whole.cut(grain))
    assert (parts[0].since, parts[-1].until) == (whole.since, whole.until)
    for one, following in pairwise(parts):
        assert following.since - one.until == timedelta(days=1)
        assert following.since == periods.start_of(following.since, grain)
    assert whole.count(grain) == len(parts)


@given(DAYS, LENGTHS)
def test_months_and_edges_hold_every_day_once(since: date, length: int) -> None:
    whole = Period(since, since + timedelta(days=length))
    months, edges = whole.parted()
    assert sum(one.days for one in edges) + (months.days if months else 0) == whole.days
    assert months is None or months.whole_months > 0
    assert sum(one.days for one in edges) <= 60


@given(DAYS, LENGTHS)
def test_the_period_before_ends_where_this_begins(since: date, length: int) -> None:
    whole = Period(since, since + timedelta(days=length))
    before = whole.before()
    assert whole.since - before.until == timedelta(days=1)
    # Of a period that is not one of months the days before may happen to be whole months.
    assert before.whole_months == whole.whole_months or not whole.whole_months
    assert whole.whole_months or before.days == whole.days
    assert whole.year_before().since.year == whole.since.year - 1
    assert whole.year_before().whole_months == whole.whole_months


@pytest.mark.parametrize(
    ("text", "since", "until", "zh"),
    [
        ("2026", "2026-01-01", "2026-12-31", "2026 年"),
        ("2026-Q3", "2026-07-01", "2026-09-30", "2026 年第 3 季度"),
        ("2024-02", "2024-02-01", "2024-02-29", "2024 年 2 月"),
        ("2026-W01", "2025-12-29", "2026-01-04", "2025 年 12 月 29 日至 2026 年 1 月 4 日"),
        ("2026-10-05", "2026-10-05", "2026-10-05", "2026 年 10 月 5 日"),
    ],
)
def test_a_period_is_read_as_it_is_written(text: str, since: str, until: str, zh: str) -> None:
    found = periods.of(text)
    assert (found.since.isoformat(), found.until.isoformat(), found.zh) == (since, until, zh)


@pytest.mark.parametrize(
    "text",
    ["", "2026-13", "2026-Q5", "2026-W54", "明年", "20260230", "0000", "2026-Q99999999999999"],
)
def test_what_is_no_period_is_refused_in_words(text: str) -> None:
    with pytest.raises(Refusal):
        periods.of(text)


def test_a_leap_day_is_compared_with_the_last_of_february() -> None:
    assert Period(date(2024, 2, 29), date(2024, 2, 29)).year_before().since == date(2023, 2, 28)
    assert Period(date(2024, 2, 1), date(2024, 2, 29)).year_before().until == date(2023, 2, 28)
    with pytest.raises(Refusal, match="“到”早于“从”"):
        Period(date(2024, 2, 2), date(2024, 2, 1))
