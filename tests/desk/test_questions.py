"""Whole pages, the session and the look that is recorded included: twelve questions at the most."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cases import people

pytestmark = pytest.mark.usefixtures("town")
CLERK, REVIEWER = "p-water-clerk", "p-water-reviewer"


def asked(who: str, path: str) -> int:
    """How many statements a page takes for somebody who has seen it before."""
    client = Client()
    client.force_login(
        get_user_model().objects.get(code=who),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    assert client.get(path).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_the_inbox_the_case_page_and_the_progress_page_ask_twelve_questions_at_the_most() -> None:
    young = people.received()
    handled = people.received("09-14 09:30")
    handled.do(CLERK, "accepted", "09-14 10:00")
    handled.do(REVIEWER, "step_taken", "09-14 10:10")
    done = people.golden()
    assert asked(CLERK, "/desk/") <= 12
    assert asked(CLERK, f"/desk/cases/{young.number}") <= 12
    assert asked(REVIEWER, f"/desk/cases/{handled.number}") <= 12
    assert asked(CLERK, f"/desk/cases/{done.number}") <= 12
    client = Client()
    form = {"number": done.number, "code": done.query_code}
    assert client.post("/track", form).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        assert client.post("/track", form).status_code == 200
    assert len(captured) <= 12
