"""The published score: what it takes and gives, and that every point can be accounted for."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhengwu.domain import scoring
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import SCORED
from zhengwu.domain.scoring import SHIPPED, Figures, Mark, Run, Table

OCTOBER = date(2026, 10, 1)
LEVELS = ("hint", "warning", "yellow", "red")


def weekday(day: date) -> int:
    """Working days up to a day, where only weekends are off."""
    weeks, rest = divmod((day - date(2024, 1, 1)).days, 7)
    return weeks * 5 + min(rest + 1, 5)


def marks_of(*told: tuple[str, str, int]) -> list[Mark]:
    return [
        Mark(UUID(int=nth), part, level, OCTOBER + timedelta(days=day - 1))
        for nth, (part, level, day) in enumerate(told)
    ]


def sheet_of(
    marks: list[Mark], figures: Figures | None = None, table: Table = SHIPPED
) -> scoring.Sheet:
    behind = scoring.behind(marks, table, working=weekday)
    return scoring.score(scoring.counts(behind, table), figures or Figures(), table)


MARKS = st.lists(
    st.tuples(st.sampled_from(sorted(SCORED)), st.sampled_from(LEVELS), st.integers(1, 31)),
    max_size=60,
).map(lambda told: marks_of(*told))
FIGURES = st.builds(
    lambda finished, late, unjudged, early, promise: Figures(
        finished, finished - min(unjudged, finished), min(early, finished - min(unjudged, finished)),
        min(unjudged, finished), promise,
    ),
    st.integers(0, 900), st.integers(0, 900), st.integers(0, 900), st.integers(0, 900),
    st.none() | st.integers(0, 100),
)  # fmt: skip
TABLES = st.builds(
    Table,
    yellow=st.integers(0, 20), red=st.integers(0, 40),
    run=st.builds(Run, st.integers(2, 6), st.integers(0, 9), st.integers(0, 5)),
    coefficient=st.integers(100, 3000),
)  # fmt: skip


@given(MARKS, FIGURES, TABLES)
def test_no_part_is_below_nothing_and_the_sheet_adds_up_to_the_score(
    marks: list[Mark], figures: Figures, table: Table
) -> None:
    sheet = sheet_of(marks, figures, table)
    assert [one.code for one in sheet.parts] == list(table.weights)
    for part in sheet.parts:
        assert 0 <= part.points <= part.weight
        assert part.points + part.lost == part.weight
        assert part.points == max(0, part.weight - sum(line.points for line in part.lines))
    assert sheet.base + sheet.lost == 100
    together = sum(one.points for one in sheet.parts) + sum(one.points for one in sheet.bonuses)
    assert sheet.score == together * table.coefficient
    assert sheet.grade == table.grade(sheet.score)


@given(MARKS, FIGURES, TABLES)
def test_the_score_alone_is_that_of_its_sheet(
    marks: list[Mark], figures: Figures, table: Table
) -> None:
    counts = scoring.counts(scoring.behind(marks, table, working=weekday), table)
    single = replace(table, coefficients={"one": 900})
    for unit in ("", "one"):
        sheet = scoring.score(counts, figures, single, unit=unit)
        assert scoring.worth(counts, figures, single, unit=unit) == sheet.score


@given(st.data(), MARKS, FIGURES)
def test_the_order_of_the_findings_does_not_matter(
    data: st.DataObject, marks: list[Mark], figures: Figures
) -> None:
    assert sheet_of(data.draw(st.permutations(marks)), figures) == sheet_of(marks, figures)


@given(MARKS, TABLES)
def test_every_point_that_is_lost_names_the_findings_behind_it(
    marks: list[Mark], table: Table
) -> None:
    behind = scoring.behind(marks, table, working=weekday)
    for part in scoring.score(scoring.counts(behind, table), Figures(), table).parts:
        for line in part.lines:
            found = behind[part.code, line.cause]
            size = table.run.size if line.cause == "run" else 1
            assert len(found) == line.times * size
            assert line.points == line.times * line.each
            assert {one.part for one in found} == {part.code}
    named = [one for found in behind.values() for one in found]
    assert len(named) == len(set(named))
    cards = [one for one in marks if one.level in ("yellow", "red")]
    assert sorted(one.id for one in named if one.level != "warning") == [one.id for one in cards]


@given(MARKS, st.builds(Run, st.integers(2, 6), st.just(3), st.integers(0, 5)))
def test_sums_of_days_make_the_same_runs_as_the_warnings_themselves(
    marks: list[Mark], run: Run
) -> None:
    table = Table(run=run)
    told = scoring.counts(scoring.behind(marks, table, working=weekday), table)
    for part in SCORED:
        days: dict[int, int] = {}
        for one in marks:
            if one.part == part and one.level == "warning":
                days[weekday(one.day)] = days.get(weekday(one.day), 0) + 1
        assert scoring.full_runs(sorted(days.items()), run) == told.get((part, "run"), 0)


@given(MARKS, MARKS)
def test_more_findings_never_raise_the_score(marks: list[Mark], more: list[Mark]) -> None:
    later = [one._replace(id=UUID(int=1000 + nth)) for nth, one in enumerate(more)]
    assert sheet_of(marks + later).score <= sheet_of(marks).score


def test_nothing_found_is_a_hundred_and_every_part_whole() -> None:
    sheet = sheet_of([])
    assert (sheet.score, sheet.grade, sheet.lost) == (100_000, "excellent", 0)
    assert {one.code: one.points for one in sheet.parts} == scoring.WEIGHTS
    assert sum(scoring.WEIGHTS.values()) == 100
    assert not any(one.sourced for one in sheet.parts)


def test_cards_take_what_the_source_says_and_a_part_is_used_up_once() -> None:
    sheet = sheet_of(
        marks_of(("limits", "yellow", 9), ("process", "red", 9), ("process", "red", 12))
    )
    limits, process = (
        next(one for one in sheet.parts if one.code == code) for code in ("limits", "process")
    )
    assert (limits.taken, limits.points) == (5, 9)
    assert (process.taken, process.points, process.lost) == (20, 0, 14)
    assert sheet.score == 81_000
    assert sheet.grade == "passed"


@pytest.mark.parametrize(
    ("days", "taken"),
    [
        ((9, 12, 13), 3),  # Friday, Monday, Tuesday: no working day lies between
        ((10, 11, 12), 3),  # a weekend's warnings lie between the same two
        ((12, 12, 12), 3),
        ((12, 13, 15), 0),  # a Wednesday without one
        ((12, 13, 14, 15, 16), 3),
        ((12, 13, 14, 15, 16, 19), 6),
        ((12, 13, 15, 16), 0),
        ((12, 13), 0),
    ],
)
def test_three_warnings_in_a_row_are_those_without_a_working_day_between(
    days: tuple[int, ...], taken: int
) -> None:
    sheet = sheet_of(marks_of(*(("oversight", "warning", day) for day in days)))
    assert sheet.lost == taken


def test_warnings_of_different_parts_are_not_in_a_row() -> None:
    told = marks_of(
        ("limits", "warning", 12), ("process", "warning", 13), ("limits", "warning", 14)
    )
    assert sheet_of(told).lost == 0


def test_a_wider_gap_is_a_setting() -> None:
    told = marks_of(*(("limits", "warning", day) for day in (12, 14, 16)))
    assert sheet_of(told).lost == 0
    assert sheet_of(told, table=Table(run=Run(3, 3, 1))).lost == 3


@pytest.mark.parametrize(
    ("incomplete", "taken"), [(0, 0), (1, 0), (2, 1), (7, 3), (10, 5), (200, 5)]
)
def test_incomplete_reports_take_a_point_for_each_full_per_cent_up_to_five(
    incomplete: int, taken: int
) -> None:
    sheet = sheet_of([], Figures(finished=200, incomplete=incomplete))
    assert sheet.lost == taken
    assert next(one for one in sheet.parts if one.code == "oversight").lost == taken


@pytest.mark.parametrize(
    ("early", "bonus"), [(9, 0), (10, 1), (19, 1), (20, 2), (95, 9), (100, 10)]
)
def test_finishing_early_brings_a_point_for_each_ten_per_cent(early: int, bonus: int) -> None:
    assert sheet_of([], Figures(finished=100, judged=100, early=early)).bonus == bonus


@pytest.mark.parametrize(("percent", "bonus"), [(None, 0), (29, 0), (30, 3), (39, 3), (40, 4), (100, 10)])  # fmt: skip
def test_short_promises_bring_three_points_and_one_more_for_each_ten_per_cent(
    percent: int | None, bonus: int
) -> None:
    assert sheet_of([], Figures(promise=percent)).bonus == bonus


def test_the_coefficient_of_a_single_unit_goes_before_that_of_all() -> None:
    table = Table(coefficient=1000, coefficients={"water": 1050})
    assert scoring.score({}, Figures(), table, unit="water").score == 105_000
    assert scoring.score({}, Figures(), table, unit="market").score == 100_000


def test_a_year_is_the_mean_of_its_months_and_is_told_in_hundredths() -> None:
    assert scoring.mean([]) is None
    assert scoring.mean([100_000, 95_000]) == 97_500
    assert scoring.mean([100_000, 100_000, 95_000]) == 98_333
    assert [scoring.said(one) for one in (98_333, 98_335, 100_000, 97_500, None)] == [
        "98.33", "98.34", "100", "97.5", "—",
    ]  # fmt: skip


# --- a table that somebody wrote ---------------------------------------------------------------------


def test_the_shipped_table_is_one_that_passes_and_is_read_back_equal() -> None:
    assert scoring.check(scoring.as_data(SHIPPED)) == SHIPPED


@pytest.mark.parametrize(("limits", "total", "off"), [(13, 99, "少了 1"), (20, 106, "多了 6")])
def test_weights_that_do_not_add_to_a_hundred_are_refused_with_their_sum(
    limits: int, total: int, off: str
) -> None:
    given = scoring.as_data(SHIPPED)
    given["weights"]["limits"] = limits
    with pytest.raises(Refusal, match=f"加起来是 {total}.*{off}") as refused:
        scoring.check(given)
    assert (refused.value.code, refused.value.field) == ("weights.sum", "weights")


def _wrong(*path: str, value: Any = None) -> dict[str, Any]:
    given: dict[str, Any] = deepcopy(scoring.as_data(SHIPPED))
    inner = given
    for one in path[:-1]:
        inner = inner[one]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return given


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ("text", "weights.shape", "weights"),
        ({}, "weights.missing", "weights"),
        (_wrong("weights", "fees"), "weights.number", "weights.fees"),
        (_wrong("weights", "luck", value=0), "weights.part", "weights"),
        (_wrong("weights", "fees", value=8.0), "weights.number", "weights.fees"),
        (_wrong("weights", "fees", value=True), "weights.number", "weights.fees"),
        (_wrong("weights", "fees", value=-1), "weights.bounds", "weights.fees"),
        (_wrong("run", "size", value=1), "weights.bounds", "run.size"),
        (_wrong("run", value="3"), "weights.number", "run.size"),
        (_wrong("early", "step", value=0), "weights.bounds", "early.step"),
        (_wrong("incomplete"), "weights.number", "incomplete.per"),
        (_wrong("coefficient", value=0), "weights.bounds", "coefficient"),
        (_wrong("coefficients", value=["water"]), "weights.missing", "coefficients"),
        (_wrong("coefficients", value={"water": 99}), "weights.bounds", "coefficients"),
        (_wrong("grades", "good", value=99), "weights.grades", "grades.excellent"),
        (_wrong("least"), "weights.number", "least"),
    ],
)
def test_a_table_that_cannot_be_is_refused_at_its_field(given: Any, code: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        scoring.check(given)
    assert (refused.value.code, refused.value.field) == (code, field)
