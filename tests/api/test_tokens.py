"""Who may ask: tokens of systems, their scopes, the people they act for, how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from tests.api.asking import ROOT, ask, no
from tests.api.system import EVERYTHING, SECURITY, System, issue, register, water
from tests.api.test_acting import APPLICANT, CLERK, REVIEWER, received, reception
from tests.desk import walk
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import systems
from zhengwu.accounts.models import Look, Token
from zhengwu.accounts.scopes import SCOPES
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def system(city: None) -> System:
    walk.publish_items()
    return water()


def no_token(system: System, path: str = "/cases") -> str:
    answer = system.get(path)
    assert answer["WWW-Authenticate"].startswith("Bearer")
    return no(answer, 401, "api.token")


# --- issued and revoked -----------------------------------------------------------------------------


def test_only_the_security_administrator_issues_and_revokes(city: None) -> None:
    id = register()
    for person in (CLERK, "p-system_admin", "p-audit_admin", "p-centre_manager"):
        actor = accounts.actor(person)
        now = datetime.now(UTC)
        with pytest.raises(Refusal, match="安全管理员"):
            systems.issue(actor, id, scopes=["cases.read"], days=1, key=str(uuid4()), at=now)
        assert systems.systems(actor, at=now) == ()


def test_the_secret_is_kept_nowhere_and_each_step_stands_in_the_log(city: None) -> None:
    id = register()
    secret = issue(id, "cases.read")
    with connection.cursor() as cursor:
        for table in ("accounts_token", "ledger_event", "ledger_content"):
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{secret}%"])
            assert cursor.fetchone()[0] == 0, table
    systems.revoke(
        accounts.actor(SECURITY), Token.objects.get().id, key=str(uuid4()), at=datetime.now(UTC)
    )
    found = ledger.stream_events(systems.STREAM, id)
    assert [one.kind for one in found] == ["system_registered", "token_issued", "token_revoked"]
    assert {one.actor for one in found} == {SECURITY}


def test_a_token_holds_until_it_is_revoked_or_expires(system: System) -> None:
    assert system.get("/cases").status_code == 200
    row = Token.objects.get()
    systems.revoke(accounts.actor(SECURITY), row.id, key=str(uuid4()), at=datetime.now(UTC))
    assert "撤销" in no_token(system)
    old = datetime.now(UTC) - timedelta(days=40)
    no_token(System(issue(register("old-system", at=old), days=30, at=old)))


@pytest.mark.parametrize("token", ["", "zw_made-up", "zw_" + "x" * 5_000, "令牌", " "])
def test_whoever_shows_no_good_token_learns_nothing(system: System, token: str) -> None:
    said = no_token(System(token))
    assert "安全管理员" in said


def test_basic_sign_in_is_no_token(system: System) -> None:
    stranger = System("")
    no(stranger.get("/cases", Authorization="Basic YWRtaW46YWRtaW4="), 401, "api.token")


def test_the_last_use_is_noted_once_a_minute(system: System) -> None:
    system.get("/cases")
    first = Token.objects.get().used
    assert first is not None
    system.get("/cases")
    assert Token.objects.get().used == first


# --- scopes -----------------------------------------------------------------------------------------


def test_a_scope_opens_what_it_says_and_nothing_else(system: System) -> None:
    number = received(system)["number"]
    id = register("narrow")
    addresses = {
        "/cases": {"cases.read"},
        f"/cases/{number}": {"cases.read"},
        f"/cases/{number}/clock": {"cases.read"},
        f"/cases/{number}/events": {"cases.read", "events.read"},
        "/events": {"events.read"},
        f"/cases/{number}/acts": {"cases.handle", "cases.decide", "cases.collect"},
    }
    for scope in EVERYTHING:
        narrow = System(issue(id, scope), person=CLERK)
        for path, wanted in addresses.items():
            answer = narrow.get(path)
            told = (scope, path, answer.content)
            assert answer.status_code == (200 if scope in wanted else 403), told
        answer = narrow.post("/cases", reception())
        assert answer.status_code == (201 if scope == "cases.receive" else 403), scope
        answer = narrow.post(f"/cases/{number}/acts/granted", {"version": 1})
        assert answer.status_code == (422 if scope == "cases.decide" else 403), scope
    answer = System(issue(id, "events.read")).get("/cases")
    assert SCOPES["cases.read"].zh in no(answer, 403, "api.scope")


def test_a_scope_never_widens_what_the_person_may(system: System) -> None:
    number = received(system)["number"]
    answer = system.acting(REVIEWER).post(f"/cases/{number}/acts/accepted", {"version": 1})
    no(answer, 422, "case.not_permitted")
    answer = system.acting(REVIEWER).post("/cases", reception())
    assert answer.status_code == 422


# --- for whom ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "person", ["p-market-clerk", "p-d102-clerk", "nobody", "x" * 99, SECURITY, "a\tb"]
)
def test_a_system_acts_only_for_its_own_people(system: System, person: str) -> None:
    no(system.acting(person).post("/cases", reception()), 403, "api.person")


def test_an_act_needs_somebody_who_answers_for_it(system: System) -> None:
    said = no(system.post("/cases", reception()), 403, "api.person")
    assert "X-Acting-Person" in said


def test_another_bureaus_system_does_not_know_the_case(system: System) -> None:
    number = received(system)["number"]
    market = System(issue(register("market-oa", agency="420100-market")))
    for path in (
        f"/cases/{number}", f"/cases/{number}/events", f"/cases/{number}/clock",
        f"/cases/{number}/time-ledger", f"/cases/{number}/documents/AAAA2222BBBB3333",
    ):  # fmt: skip
        told, blank = market.get(path), market.get(path.replace(number, "JC000000000000"))
        assert told.status_code == blank.status_code == 404
        assert told.json() == blank.json()
    assert market.get("/cases").json()["rows"] == []
    assert market.get("/events").json()["events"] == []


# --- masked -----------------------------------------------------------------------------------------


def test_without_the_scope_nobody_is_named_and_with_it_the_look_is_recorded(
    system: System,
) -> None:
    number = received(system)["number"]
    before = Look.objects.count()
    blind = System(issue(register("blind"), *(set(EVERYTHING) - {"cases.applicant"})))
    for path in ("/cases", f"/cases/{number}", f"/cases/{number}/events", "/events"):
        text = blind.get(path).content.decode()
        for secret in (APPLICANT["name"], APPLICANT["identifier"], APPLICANT["phone"]):
            assert secret not in text, path
    assert blind.get(f"/cases/{number}").json()["query_code"] is None
    assert Look.objects.count() == before
    found = system.get(f"/cases/{number}").json()
    assert found["applicant"]["identifier"] == APPLICANT["identifier"]
    assert not found["applicant"]["masked"]
    look = Look.objects.latest("at")
    assert (look.person, look.fields) == ("system:water-oa", ["identifier", "name", "phone"])


# --- sessions ---------------------------------------------------------------------------------------


def test_staff_read_by_their_session_and_write_only_by_pages(system: System) -> None:
    number = received(system)["number"]
    clerk = walk.sign_in(CLERK)
    rows = clerk.get(f"{ROOT}/cases").json()["rows"]
    assert [one["number"] for one in rows] == [number]
    assert clerk.get(f"{ROOT}/cases/{number}").json()["applicant"]["masked"]
    for path in ("/cases", f"/cases/{number}/acts/accepted"):
        answer: Any = clerk.post(f"{ROOT}{path}", "{}", content_type="application/json")
        no(answer, 401, "api.token")
    stranger = walk.sign_in("p-market-clerk")
    assert stranger.get(f"{ROOT}/cases/{number}").status_code == 404


# --- how often --------------------------------------------------------------------------------------


def test_a_system_that_asks_too_often_waits_and_no_other_does(system: System) -> None:
    other = System(issue(register("calm"), "cases.read"))
    with override_settings(API_PER_MINUTE=100):
        # Across a new minute the count begins anew: then both minutes together hold the limit.
        answers = [system.get("/acts").status_code for _ in range(260)]
        assert answers.count(200) <= 200
        assert 429 in answers
        assert other.get("/cases").status_code == 200
        last = system.get("/acts")
        if last.status_code == 429:
            assert 1 <= int(last["Retry-After"]) <= 60


def test_asking_costs_few_statements(system: System) -> None:
    number = received(system)["number"]
    for path, most in (("/cases", 2), (f"/cases/{number}/events", 2), ("/events", 3)):
        system.get(path)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert system.get(path).status_code == 200
        assert len(seen) <= most, [one["sql"] for one in seen]


def test_a_request_with_a_token_needs_no_session_and_leaves_none(system: System) -> None:
    client = Client(SERVER_NAME="localhost")
    answer: Any = client.get(f"{ROOT}/cases", headers={"Authorization": f"Bearer {system.token}"})
    assert answer.status_code == 200
    assert not answer.cookies
    assert ask(client, "/calendar/between", {"from": "2026-09-28", "to": "2026-10-10"})
