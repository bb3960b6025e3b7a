"""Pages ask the database a fixed number of times, however long the list or the story is."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cases.people import PERSON, WATER, actor, golden, moment, received
from zhengwu.accounts import queries as accounts
from zhengwu.cases import queries, tracking

pytestmark = pytest.mark.usefixtures("town")
NOW = moment("11-03 09:00")


def test_the_inbox_asks_no_more_for_many_cases_than_for_few() -> None:
    received()
    clerk = actor("p-water-clerk")
    queries.inbox(clerk, at=NOW)
    with CaptureQueriesContext(connection) as few:
        queries.inbox(clerk, at=NOW)
    for _ in range(12):
        received(applicant=PERSON).do("p-water-clerk", "accepted", "09-14 10:00")
    with CaptureQueriesContext(connection) as many:
        queries.inbox(clerk, at=NOW)
    assert len(many) <= len(few) + 1 <= 12


def test_the_case_page_and_the_progress_page_stay_within_twelve() -> None:
    case = golden()
    clerk = actor("p-water-clerk")
    with CaptureQueriesContext(connection) as page:
        queries.case(clerk, case.number, at=NOW)
    with CaptureQueriesContext(connection) as progress:
        tracking.track(case.number, case.query_code, at=NOW)
    assert len(page) <= 12
    assert len(progress) <= 12


def test_the_case_page_with_every_form_open_stays_within_twelve() -> None:
    case = received()
    clerk, reviewer = actor("p-water-clerk"), actor("p-water-reviewer")
    with CaptureQueriesContext(connection) as at_window:
        queries.case(clerk, case.number, at=moment("09-14 09:25"))
    case.do("p-water-clerk", "accepted", "09-14 10:00")
    case.do("p-water-reviewer", "step_taken", "09-14 14:00")
    case.do("p-water-reviewer", "step_done", "09-14 15:00", {"opinion": "符合"})
    case.do("p-water-approver", "step_taken", "09-14 16:00")
    case.do(
        "p-water-approver", "step_returned", "09-14 16:10", {"back_to": "review", "reasons": "补"}
    )
    case.do("p-water-reviewer", "step_taken", "09-14 16:20")
    with CaptureQueriesContext(connection) as handling:
        queries.case(reviewer, case.number, at=moment("09-14 16:30"))
    assert len(at_window) <= 12
    assert len(handling) <= 12


def test_whom_a_case_may_go_to_comes_with_the_case() -> None:
    case = received()
    case.do("p-water-clerk", "accepted", "09-14 10:00")
    case.do("p-water-reviewer", "step_taken", "09-14 14:00")
    reviewer, at = actor("p-water-reviewer"), moment("09-14 14:30")
    queries.case(reviewer, case.number, at=at)
    with CaptureQueriesContext(connection) as asked:
        view = queries.case(reviewer, case.number, at=at)
        targets = {offer.kind: offer.targets for offer in view.acts}
    who = [one["sql"][:40] for one in asked if "accounts_postholding" in one["sql"]]
    assert len(who) == 1, who
    assert who[0].startswith("SELECT c.id")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {accounts.colleagues_sql('%s::text')}", [WATER])
        told = accounts.colleagues_told(cursor.fetchone()[0])
    assert told == accounts.colleagues(WATER)
    assert len(told) > 3
    known = {one.post for one in told}
    assert targets["handed_over"]
    assert {post for offered in targets.values() for post, _ in offered} <= known
