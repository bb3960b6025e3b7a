"""A closed case is read by the calendar that was known when it was closed."""

from __future__ import annotations

import pytest

from tests.cases.people import actor, golden, moment
from tests.cases.test_reprojection import amendment, publish
from zhengwu.calendars import queries as calendars
from zhengwu.cases import explaining, loading
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
CLERK = "p-water-clerk"


def test_a_day_off_published_afterwards_changes_no_finish_that_was_judged() -> None:
    case = golden()
    ledger.catch_up()
    before = loading.load(actor(CLERK), case.number).read(moment("11-20 12:00"))
    publish(amendment(), moment("11-23 12:00"))
    ledger.catch_up()
    closed = loading.load(actor(CLERK), case.number)
    assert closed.edition().number < calendars.edition().number
    at = moment("11-23 15:00")
    assert [(one.kind, one.due, one.used, one.met) for one in closed.read(at).limits] == [
        (one.kind, one.due, one.used, one.met) for one in before.limits
    ]
    told = explaining.why(actor(CLERK), case.number, known=ledger_queries.lag().last, at=at)
    assert told.edition == closed.edition().number
