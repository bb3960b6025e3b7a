"""Standard flows: what is ready, and limits that add up."""

from __future__ import annotations

import pytest

from zhengwu.domain.procedure import Flow, Limit, Step, Unit
from zhengwu.domain.refusal import Refusal


def step(code: str, days: int, *after: str, unit: Unit = Unit.WORKING_DAY) -> Step:
    return Step(code, code, "review", Limit(days, unit), after)


DIAMOND = Flow((step("a", 2), step("b", 5, "a"), step("c", 3, "a"), step("d", 1, "b", "c")))


def test_the_longest_path_takes_the_slower_branch() -> None:
    assert DIAMOND.longest_path() == 8


def test_steps_become_ready_when_all_before_them_are_done() -> None:
    assert [s.code for s in DIAMOND.ready(())] == ["a"]
    assert [s.code for s in DIAMOND.ready({"a"})] == ["b", "c"]
    assert [s.code for s in DIAMOND.ready({"a", "b"})] == ["c"]
    assert [s.code for s in DIAMOND.ready({"a", "b", "c"})] == ["d"]


@pytest.mark.parametrize(
    ("promised", "statutory"),
    [
        (Limit(8), Limit(20)),
        (Limit(20), Limit(20)),
        (None, Limit(20)),
        (Limit(8), None),
        (Limit(40), Limit(3, Unit.MONTH)),
        (Limit(8), Limit(1, Unit.YEAR)),
    ],
)
def test_limits_that_add_up(promised: Limit | None, statutory: Limit | None) -> None:
    DIAMOND.check(promised=promised, statutory=statutory)


def test_steps_and_promise_in_the_same_unit_are_compared_as_they_stand() -> None:
    flow = Flow((step("a", 3, unit=Unit.CALENDAR_DAY), step("b", 7, "a", unit=Unit.CALENDAR_DAY)))
    flow.check(promised=Limit(10, Unit.CALENDAR_DAY), statutory=Limit(15, Unit.CALENDAR_DAY))


@pytest.mark.parametrize(
    ("flow", "promised", "statutory", "code"),
    [
        (DIAMOND, Limit(7), Limit(20), "flow.longer_than_promise"),
        (DIAMOND, Limit(21), Limit(20), "flow.promise_longer_than_law"),
        (DIAMOND, Limit(16), Limit(1, Unit.MONTH), "flow.promise_longer_than_law"),
        (DIAMOND, Limit(10, Unit.CALENDAR_DAY), None, "flow.longer_than_promise"),
        # A month may hold 24 working days, so it does not fit into a promise of 20.
        (Flow((step("a", 1, unit=Unit.MONTH),)), Limit(20), None, "flow.longer_than_promise"),
        (Flow((step("a", 1, "b"), step("b", 1, "a"))), Limit(9), None, "flow.cycle"),
        (Flow((step("a", 1, "a"),)), Limit(9), None, "flow.cycle"),
        (Flow((step("a", 1, "x"),)), Limit(9), None, "flow.unknown_step"),
        (Flow((step("a", 1), step("a", 1))), Limit(9), None, "flow.step_twice"),
    ],
)
def test_limits_that_do_not(
    flow: Flow, promised: Limit, statutory: Limit | None, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        flow.check(promised=promised, statutory=statutory)
    assert refused.value.code == code
