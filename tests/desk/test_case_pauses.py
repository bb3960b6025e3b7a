"""The days the calendar of a case shows as paused, where special procedures overlap."""

from __future__ import annotations

from datetime import date

import pytest

from tests.cases import people
from zhengwu.cases import queries
from zhengwu.desk.case.month import month

CLERK, REVIEWER = "p-water-clerk", "p-water-reviewer"


pytestmark = pytest.mark.usefixtures("town")


def test_overlapping_procedures_are_one_pause_from_the_first_to_the_last() -> None:
    case = people.received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 14:00")
    case.do(REVIEWER, "suspended", "09-16 10:00", {"procedure": "testing", "days": "3"})
    case.do(REVIEWER, "suspended", "09-17 10:00", {"procedure": "hearing", "days": "5"})
    case.do(REVIEWER, "resumed", "09-21 10:00", {"procedure": "testing"})
    case.do(REVIEWER, "resumed", "09-23 10:00", {"procedure": "hearing"})
    at = people.moment("09-28 09:00")
    view = queries.case(people.actor(REVIEWER), case.number, at=at)
    assert not [row for row in view.story if row.gone]
    limit = view.reading.due
    assert limit
    picture = month(limit, today=date(2026, 9, 28))
    assert picture
    marked = {int(one.shown) for week in picture.weeks for one in week if one.tone == "no"}
    assert marked == {17, 18, 20, 21, 22, 23}  # the 20th, a Sunday, is worked
    counted = [
        one.note for week in picture.weeks for one in week if one.tone in ("on", "left", "end")
    ]
    assert len(counted) == limit.value
