"""What cannot be counted is refused with the rule it breaks; nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from tests.domain.golden import CALENDAR, at, events
from tests.domain.test_lifecycle import more
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.edition import Edition, Timetable
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.procedure import Limit, Unit
from zhengwu.domain.refusal import Refusal

EDITION = Edition(CALENDAR)
GOOD: dict[str, Any] = {"value": 20, "unit": "working_day", "basis": "行政许可法 第四十二条"}


def refusal(given: dict[str, Any]) -> tuple[str, str | None]:
    with pytest.raises(Refusal) as caught:
        Limit.of(given, field="promised")
    return caught.value.code, caught.value.field


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"unit": None}, "limit.no_unit"),
        ({"unit": "fortnight"}, "limit.unit"),
        ({"value": -1}, "limit.negative"),
        ({"value": "20"}, "limit.value"),
        ({"value": True}, "limit.value"),
        ({"value": 1.5}, "limit.value"),
        ({"value": 10**9}, "limit.too_long"),
        ({"value": 11, "unit": "year"}, "limit.too_long"),
        ({"roll": "yes"}, "limit.roll"),
        ({"basis": " "}, "limit.no_basis"),
    ],
)
def test_a_limit_written_wrong_is_refused_by_name(wrong: dict[str, Any], code: str) -> None:
    assert refusal({**GOOD, **wrong}) == (code, "promised")


def test_a_limit_written_right_is_taken_as_it_stands() -> None:
    assert Limit.of({**GOOD, "roll": False}) == Limit(20, Unit.WORKING_DAY, GOOD["basis"], False)


def test_a_source_system_that_sends_a_limit_without_a_unit_is_told_so() -> None:
    first = replace(events(1)[0], nature=Nature.OBSERVATION)
    accepted = replace(
        first, version=2, kind="accepted", body={"limits": [{"kind": "promised", "value": 5}]}
    )
    with pytest.raises(Refusal) as caught:
        clock.read([first, accepted], at=at("09-22 09:00"), edition=EDITION)
    assert (caught.value.code, caught.value.field) == ("limit.no_unit", "promised")


def test_a_time_without_an_offset_is_not_read() -> None:
    for told, when in (
        (events(5), datetime(2026, 9, 22, 9)),  # noqa: DTZ001 - what this test is about
        ([replace(events(1)[0], occurred=datetime(2026, 9, 14, 9))], at("09-22 09:00")),  # noqa: DTZ001
    ):
        with pytest.raises(Refusal) as caught:
            clock.read(told, at=when, edition=EDITION)
        assert caught.value.code == "clock.no_offset"


def admit(told: list[Event], kind: str, when: str, **body: Any) -> str:
    with pytest.raises(Refusal) as caught:
        lifecycle.admit(
            lifecycle.fold(told), kind, at=at(when), now=at("12-31 09:00"), actor="p-9", body=body,
            case_kind="promised", extension_most=10,
        )  # fmt: skip
    return caught.value.code


def test_a_suspension_that_ends_before_it_starts_ends_twice_or_lies_outside_is_refused() -> None:
    handled, paused = events(5), events(6)
    assert admit(paused, "resumed", "09-23 09:00") == "lifecycle.out_of_order"
    again = more(paused, "resumed", "10-15 09:00")
    assert admit(again, "resumed", "10-16 09:00") == "lifecycle.not_suspended"
    body = {"procedure": "testing", "days": 5}
    assert admit(handled, "suspended", "09-15 09:00", **body) == "lifecycle.out_of_order"
    decided = events(8)
    assert admit(decided, "suspended", "10-29 09:00", **body) == "lifecycle.not_allowed"
    assert admit(paused, "suspended", "09-25 09:00", procedure="expert_review", days=5) == (
        "lifecycle.suspended"
    )


def test_news_of_a_suspension_that_ended_before_it_began_stops_nothing() -> None:
    first = replace(events(1)[0], nature=Nature.OBSERVATION)
    limits = [{"kind": "promised", **GOOD}]
    told = [first]
    for kind, when, body in (
        ("accepted", "09-21 09:00", {"limits": limits}),
        ("suspended", "09-24 09:00", {"procedure": "testing"}),
        ("resumed", "09-23 09:00", {"procedure": "testing"}),
    ):
        told.append(replace(first, version=len(told) + 1, kind=kind, occurred=at(when), body=body))
    without = clock.read(told[:2], at=at("09-23 12:00"), edition=EDITION).limit("promised")
    found = clock.read(told, at=at("09-23 12:00"), edition=EDITION).limit("promised")
    assert without
    assert found
    assert found.due == without.due


def test_a_claim_beyond_every_calendar_is_left_to_the_story() -> None:
    first = replace(events(1)[0], nature=Nature.OBSERVATION)
    claim = {"claim": {"kind": "deadline", "due": "9999-12-31T00:00:00+00:00"}}
    told = [first, replace(first, version=2, kind="claim", body=claim)]
    assert clock.read(told, at=at("09-22 09:00"), edition=EDITION).limits == ()


def test_a_new_rule_of_late_papers_holds_for_papers_from_its_day_on() -> None:
    change = {"kind": "after_hours", "value": "same_day", "basis": "市政府决定"}
    dated = Timetable().changed(change | {"since": "2026-10-01"}).at()
    assert [dated.late_papers(date(2026, *day).toordinal()) for day in ((9, 30), (10, 1))] == [
        True,
        False,
    ]
    before_there_were_days = Timetable().changed(change).at()
    assert not before_there_were_days.late_papers(date(2010, 1, 1).toordinal())
