"""What a unit finished month by month: the same as the days say, however it came about."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from importlib import import_module

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.statistics.test_recount import told as told
from zhengwu.domain.periods import Grain, Period
from zhengwu.statistics import workload
from zhengwu.statistics.workload import UNITS, Done

Owner = psycopg.Connection[tuple[object, ...]]
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
RAGGED = Period(date(2026, 9, 17), date(2026, 11, 9))  # a whole month, and the ends of two others


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("by", UNITS)
def test_a_range_is_its_whole_months_and_the_days_at_its_ends(by: str) -> None:
    daily: dict[tuple[workload.Key, date], list[int]] = defaultdict(lambda: [0] * 4)
    for day in RAGGED.cut(Grain.DAY):
        for (key, month), done in workload.monthly(by, day).items():
            for nth, amount in enumerate(done):
                daily[key, month][nth] += amount
    found = workload.monthly(by, RAGGED)
    assert found == {at: Done(*cell) for at, cell in daily.items() if any(cell)}
    assert {month.month for _, month in found} == {9, 10, 11}


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("by", UNITS)
def test_a_year_together_is_its_months_added_up(by: str) -> None:
    finished: dict[workload.Key, list[int]] = defaultdict(lambda: [0, 0])
    for (key, month), done in workload.monthly(by, YEAR).items():
        if done.finished:
            finished[key][0] += done.finished
            finished[key][1] |= 1 << month.month - 1
    months = [date(2026, month, 1) for month in range(1, 13)]
    assert workload.yearly(by, months) == {key: tuple(cell) for key, cell in finished.items()}
    key = max(finished)
    assert workload.monthly(by, YEAR, key=key) == {
        at: done for at, done in workload.monthly(by, YEAR).items() if at[0] == key
    }
    assert set(workload.yearly(by, months, places=[key[0]])) == (
        {one for one in finished if one[0] == key[0]} if len(key) > 1 else set()
    )


@pytest.mark.usefixtures("told")
def test_a_database_with_figures_is_filled_as_the_follower_would_have(owner: Owner) -> None:
    all_ = (
        'SELECT t."by", t.start, t.place, t.unit, t.finished, t.judged, t.early, t.incomplete'
        " FROM statistics_workload t WHERE t.finished <> 0 OR t.judged <> 0 ORDER BY 1, 2, 3, 4"
    )
    before = owner.execute(all_).fetchall()
    assert {row[0] for row in before} == set(UNITS)
    owner.execute("DELETE FROM statistics_workload")
    for statement in import_module("zhengwu.statistics.migrations.0003_workload").FILL:
        owner.execute(statement)
    assert owner.execute(all_).fetchall() == before


@pytest.mark.usefixtures("told")
def test_whole_months_are_read_by_their_key_and_no_day_is(owner: Owner) -> None:
    owner.execute("ANALYZE statistics_workload")
    with CaptureQueriesContext(connection) as asked:
        workload.monthly("person", YEAR)
        workload.yearly("person", [date(2026, 1, 1)])
    assert len(asked) == 2
    assert all("statistics_workload" in one["sql"] for one in asked)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT w.place, w.unit, w.finished FROM statistics_workload w"
            " WHERE w.\"by\" = 'person' AND w.start BETWEEN '2026-01-01' AND '2026-12-01'"
        )
        assert "statistics_workload_pkey" in str(cursor.fetchall())
