"""Spot checks: drawn by the log itself, drawn again by anybody, looked at one by one."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from tests.accounts.city import SINCE, small_city
from tests.cases import people
from tests.cases.people import moment
from tests.conftest import Kept
from tests.supervision import acting as play
from tests.supervision.acting import AT, CLERK, HEAD, MANAGER, SECOND, SUPERVISOR, card, key, who
from zhengwu.accounts import services as accounts_services
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import checks, queries
from zhengwu.supervision.acting import Done, Moved, NotFound
from zhengwu.supervision.sight import Sight

CLOSED: dict[str, Any] = {}
DISTRICT = "p-d102-supervisor"
SEPTEMBER = (date(2026, 9, 1), date(2026, 9, 30))


@pytest.fixture
def closed(town: None, kept: Kept) -> list[people.Told]:
    """Twelve cases that their applicants withdrew on 15 September, one that was not; kept."""

    def build() -> None:
        small_city()
        people.items()
        play.supervisors()
        accounts_services.add_person(
            DISTRICT, name=DISTRICT, agency="420102-water", holds=[("supervisor", "420102")],
            since=SINCE,
        )  # fmt: skip
        told = [people.received() for _ in range(13)]
        for one in told[:12]:
            one.do(CLERK, "withdrawn", "09-15 10:00", {"reason": "不办了"})
        ledger.catch_up()
        CLOSED["told"] = told

    kept.clean()
    kept.again("closed cases", build)
    found: list[people.Told] = CLOSED["told"]
    return found


def draw(by: str = SUPERVISOR, *, wanted: int = 5, **given: Any) -> Done:
    words: dict[str, Any] = {
        "since": SEPTEMBER[0],
        "until": SEPTEMBER[1],
        "key": key(),
        "at": AT,
    } | given
    return checks.draw(who(by), wanted=wanted, **words)


def loaded(id: UUID) -> checks.Check:
    return checks.load(Sight.of(who(SUPERVISOR)), id)


def do(verb: str, id: UUID, *words: Any, by: str = SUPERVISOR, **more: Any) -> Done:
    more = {"version": loaded(id).version, "key": key(), "at": AT} | more
    done: Done = getattr(checks, verb)(who(by), id, *words, **more)
    return done


def ids(told: list[people.Told]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM cases_case WHERE number = ANY(%s)", [[one.number for one in told]]
        )
        return {row[0] for row in cursor.fetchall()}


def test_the_log_draws_and_anybody_can_do_it_with_a_few_lines(closed: list[people.Told]) -> None:
    done = draw()
    body = ledger_queries.stream_events("spot_check", done.id)[0].body
    assert (body["of"], len(body["cases"])) == (12, 5)
    # What the page explains, without our code: the leaf of the position, and SHA-256.
    with connection.cursor() as cursor:
        cursor.execute("SELECT leaf FROM ledger_position WHERE position = %s", [body["position"]])
        seed = bytes(cursor.fetchone()[0])
    assert seed.hex() == body["seed"]
    every = sorted(ids(closed[:12]), key=lambda one: hashlib.sha256(seed + one.bytes).digest())
    assert body["cases"] == [str(one) for one in every[:5]]


def test_it_is_drawn_the_same_again_whatever_happened_since(closed: list[people.Told]) -> None:
    check = loaded(draw().id)
    before = checks.again(check)
    assert before.cases == check.cases
    # Another case is closed with that day; the entry that closed a drawn one is withdrawn.
    closed[12].do(CLERK, "withdrawn", "09-16 10:00", {"reason": "不办了"})
    drawn = next(one for one in closed if ids([one]) <= set(check.cases))
    _reopen(drawn)
    unplaced = checks.again(check)
    ledger.catch_up()
    assert unplaced == checks.again(check) == before
    now = loaded(draw().id)
    (fresh,) = ids([closed[12]])
    again = checks.drawn(
        now.events[0].body["position"], since=SEPTEMBER[0], until=SEPTEMBER[1], agencies=None,
        wanted=50,
    )  # fmt: skip
    assert fresh in again.cases
    assert not ids([drawn]) & set(again.cases)


def _reopen(case: people.Told) -> None:
    """Two persons take the applicant's withdrawal back: it was entered with the wrong case."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.version FROM ledger_event e JOIN cases_case c ON c.id = e.stream_id"
            " WHERE e.stream = 'case' AND c.number = %s AND e.kind = 'withdrawn'",
            [case.number],
        )
        (version,) = cursor.fetchone()
    case.do(
        CLERK, "withdrawal_proposed", "09-15 11:00",
        {"version": str(version), "reasons": "登记到了别的办件上"},
    )  # fmt: skip
    case.do(HEAD, "entry_withdrawn", "09-15 11:10", {"version": str(version)})


def test_a_district_draws_from_its_own_agencies(closed: list[people.Told]) -> None:
    with pytest.raises(Refusal) as caught:
        draw(DISTRICT)
    assert caught.value.code == "supervision.check_nothing"
    with pytest.raises(Refusal) as caught:
        draw(DISTRICT, agency=people.WATER)
    assert caught.value.code == "supervision.not_allowed"
    id = draw(agency=people.WATER, wanted=2).id
    with pytest.raises(NotFound):
        queries.check(who(DISTRICT), id, at=AT)
    assert checks.again(loaded(id)).cases == loaded(id).cases
    assert queries.checks(who(DISTRICT)) == ((), "")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"since": date(2026, 10, 1)}, "check_period"),
        ({"since": date(2025, 1, 1)}, "check_period"),
        ({"since": date(2026, 12, 1), "until": date(2026, 12, 31)}, "check_period"),
        ({"wanted": 0}, "check_wanted"),
        ({"wanted": 201}, "check_wanted"),
        ({"agency": "420100-nothing"}, "agency"),
        ({"agency": people.MARKET}, "check_nothing"),
        ({"by": HEAD}, "not_allowed"),
        ({"by": MANAGER}, "not_allowed"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    closed: list[people.Told], given: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refusal) as caught:
        draw(**given)
    assert caught.value.code == f"supervision.{code}"
    assert queries.checks(who(SUPERVISOR)) == ((), "")


def test_each_case_is_looked_at_before_the_check_ends(closed: list[people.Told]) -> None:
    once = key()
    id = draw(wanted=2, key=once).id
    assert draw(wanted=2, key=once).repeated
    first, second = loaded(id).cases
    with pytest.raises(Refusal) as caught:
        do("close", id)
    assert caught.value.code == "supervision.check_left"
    number = queries.check(who(SUPERVISOR), id, at=AT).cases[0].number
    finding = card(number)
    for case, result, text, about, code in (
        (first, "fault", " ", None, "text"),
        (first, "so-so", "还行", None, "result"),
        (UUID(int=7), "fine", "", None, "check_case"),
        (second, "fault", "材料没有清点。", finding, "check_finding"),
        (first, "fine", "", finding, "check_finding"),
    ):
        with pytest.raises(Refusal) as caught:
            do("look", id, case, result, text, about)
        assert caught.value.code == f"supervision.{code}"
    do("look", id, first, "fault", "材料没有清点。", finding)
    with pytest.raises(Moved):
        do("look", id, second, "fine", "", by=SECOND, version=1)
    with pytest.raises(Refusal) as caught:
        do("look", id, first, "fine", "")
    assert caught.value.code == "supervision.check_looked"
    do("look", id, second, "fine", "", by=SECOND)
    do("close", id)
    shown = queries.check(who(SECOND), id, at=AT)
    assert [(one.result_zh, one.text, one.finding) for one in shown.cases] == [
        ("发现问题", "材料没有清点。", finding), ("未发现问题", "", None),
    ]  # fmt: skip
    assert (shown.line.state_zh, shown.line.done, shown.line.of) == ("已办结", 2, 12)
    assert shown.offers == ()


def test_checks_are_listed_page_by_page(closed: list[people.Told]) -> None:
    made = [draw(wanted=1, at=AT + timedelta(days=n)).id for n in range(3)]
    lines, more = queries.checks(who(SUPERVISOR), most=2)
    rest, end = queries.checks(who(SUPERVISOR), after=more, most=2)
    assert [one.id for one in (*lines, *rest)] == made[::-1]
    assert end == ""
    assert {one.size for one in lines} == {1}


def test_days_are_those_of_shanghai(closed: list[people.Told]) -> None:
    assert moment("09-15 10:00").date() == date(2026, 9, 15)
    day = date(2026, 9, 15)
    at = AT + timedelta(days=3)
    assert loaded(draw(since=day, until=day, wanted=50, at=at).id).events[0].body["of"] == 12
    for other in (day - timedelta(days=1), day + timedelta(days=1)):
        with pytest.raises(Refusal):
            draw(since=other, until=other, at=at)
