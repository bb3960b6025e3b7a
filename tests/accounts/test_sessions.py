"""Who is signed in, read by one statement: a guess spares questions and decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.desk.walk import sign_in
from zhengwu.accounts import queries, sessions
from zhengwu.accounts.models import Person, PostHolding, RoleHolding

pytestmark = pytest.mark.usefixtures("city")
CLERK, REVIEWER = "p-water-clerk", "p-water-reviewer"


def told(client: Client) -> str:
    """The page, with who is signed in at its top."""
    answer = client.get("/desk/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def name(code: str) -> str:
    return str(Person.objects.values_list("name", flat=True).get(code=code))


def test_session_person_posts_and_roles_come_by_one_statement() -> None:
    clerk = sign_in(CLERK)
    told(clerk)
    with CaptureQueriesContext(connection) as asked:
        told(clerk)
    of_people = [one["sql"] for one in asked if "accounts_person" in one["sql"]]
    assert len([one for one in asked if "django_session" in one["sql"]]) == 1
    assert len(of_people) == 1
    assert "accounts_postholding" in of_people[0]


def test_a_wrong_guess_shows_nobody_else_s_desk() -> None:
    clerk = sign_in(CLERK)
    told(clerk)
    (key,) = (one for one in sessions._whose if one == clerk.cookies["zw_session"].value)
    sessions._whose[key] = Person.objects.get(code=REVIEWER).pk
    page = told(clerk)
    assert f"· {name(CLERK)}</span>" in page
    assert name(REVIEWER) not in page.split("</header>")[0]
    assert sessions._whose[key] == Person.objects.get(code=CLERK).pk


def test_a_session_that_was_not_signed_here_holds_nothing() -> None:
    clerk = sign_in(CLERK)
    told(clerk)
    held = Session.objects.get(session_key=clerk.cookies["zw_session"].value)
    signed = held.session_data
    other = "A" if signed[-1] != "A" else "B"
    Session.objects.filter(pk=held.pk).update(session_data=signed[:-1] + other)
    assert clerk.get("/desk/").status_code == 302


def test_what_one_request_changes_in_its_session_no_other_sees() -> None:
    client = sign_in(CLERK)
    told(client)
    key = client.cookies["zw_session"].value
    one, other = sessions.SessionStore(key), sessions.SessionStore(key)
    one["seen"] = ["a"]
    assert "seen" not in other
    one.save()
    again, beside = sessions.SessionStore(key), sessions.SessionStore(key)
    again["seen"].append("b")
    assert beside["seen"] == ["a"]


def test_who_is_deactivated_is_out_with_the_next_page() -> None:
    clerk = sign_in(CLERK)
    told(clerk)
    Person.objects.filter(code=CLERK).update(is_active=False)
    assert clerk.get("/desk/").status_code == 302


def test_what_was_held_is_read_anew_with_every_page_and_as_of_the_moment_asked() -> None:
    clerk = sign_in(CLERK)
    told(clerk)
    held = PostHolding.objects.filter(person__code=CLERK)
    held.update(until=datetime(2021, 1, 1, tzinfo=UTC))
    assert queries.actor(CLERK).posts == ()
    assert [
        one.code for one in queries.actor(CLERK, at=datetime(2020, 6, 1, tzinfo=UTC)).posts
    ] == [one.post_id for one in held]
    RoleHolding.objects.filter(person__code=CLERK).delete()
    assert "您现在没有岗位，也没有角色" in told(clerk)


def test_no_more_sessions_are_kept_in_mind_than_a_process_can_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "MOST", 2)
    monkeypatch.setattr(sessions, "_whose", {})
    for code in (CLERK, REVIEWER, "p-water-head", "p-market-clerk"):
        told(sign_in(code))
        assert len(sessions._whose) <= 2
