"""Working days for everybody: right, in bounds, kept by edition, and no string is a fault."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.accounts.city import HALL
from tests.api.asking import ask, no
from tests.desk import walk
from tests.desk.test_naughty import DRILL
from zhengwu.calendars import api, queries, services
from zhengwu.calendars import asking as calendar

pytestmark = pytest.mark.usefixtures("city")
DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")
HOLIDAY = {"from": "2026-09-28", "to": "2026-10-10"}


@pytest.fixture
def anyone(city: None) -> Client:
    return walk.public()


# --- what it says -----------------------------------------------------------------------------------


def test_every_day_says_whether_it_works_and_why(anyone: Client) -> None:
    found = ask(anyone, "/calendar/days", HOLIDAY).json()
    by_day = {one["date"]: one for one in found}
    assert len(found) == 13
    assert [one["date"] for one in found if one["working"]] == [
        "2026-09-28", "2026-09-29", "2026-09-30", "2026-10-08", "2026-10-09", "2026-10-10",
    ]  # fmt: skip
    assert "2026年" in by_day["2026-10-05"]["notice"]
    assert by_day["2026-10-10"]["why"] != "周末"  # a worked Saturday
    assert not any(one["provisional"] for one in found)


def test_a_year_not_published_is_provisional_everywhere(anyone: Client) -> None:
    far = {"from": "2040-01-01", "to": "2040-01-03"}
    assert all(one["provisional"] for one in ask(anyone, "/calendar/days", far).json())
    assert ask(anyone, "/calendar/between", far).json()["provisional"]
    assert ask(anyone, "/calendar/add", {"date": "2040-01-01", "days": "1"}).json()["provisional"]


def test_a_limit_ends_by_the_civil_code_and_says_how(anyone: Client) -> None:
    def end(days: str, unit: str | None = None, start: str = "2026-09-28") -> str:
        given = {"date": start, "days": days} | ({"unit": unit} if unit else {})
        found = ask(anyone, "/calendar/add", given).json()
        assert found["due"].startswith(found["day"])
        assert found["due"].endswith("+08:00")
        assert any("民法典" in (one["article"] or "") for one in found["lines"])
        return str(found["day"])

    assert end("3") == end("3", "working_day") == "2026-10-08"
    assert end("5", "day") == end("5", "calendar_day") == "2026-10-08"  # 10-03 is off
    assert end("1", "month", "2026-01-31") == "2026-02-28"  # 民法典 202; a worked Saturday
    assert end("1", "year") == "2027-09-28"
    assert end("0") == "2026-09-28"
    assert end("0", start="2026-10-01") == "2026-10-08"


def test_between_counts_neither_the_first_day_nor_the_holidays(anyone: Client) -> None:
    assert ask(anyone, "/calendar/between", HOLIDAY).json() == {
        "days": 12, "working_days": 5, "provisional": False,
    }  # fmt: skip
    same = {"from": "2026-09-28", "to": "2026-09-28"}
    assert ask(anyone, "/calendar/between", same).json()["working_days"] == 0


def test_the_three_agree_over_ten_years(anyone: Client) -> None:
    span = {"from": "2016-01-01", "to": "2025-12-31"}
    every = ask(anyone, "/calendar/days", span).json()
    working = [one["date"] for one in every if one["working"]]
    assert len(every) == 3653
    counted = ask(anyone, "/calendar/between", span).json()
    assert counted["working_days"] == sum(one > span["from"] for one in working)
    for nth in (1, 10, 250, 2_400):
        end = ask(anyone, "/calendar/add", {"date": span["from"], "days": str(nth)}).json()["day"]
        assert end == [one for one in working if one > span["from"]][nth - 1]


def test_a_district_and_a_hall_have_their_own_days(anyone: Client) -> None:
    day = {"from": "2026-12-01", "to": "2026-12-01"}
    before = ask(anyone, "/calendar/days", day)["ETag"]
    for scope, when in (("region:420102", "2026-12-01"), (f"hall:{HALL}", "2026-12-02")):
        confirm_overlay(scope, when)

    def works(on: str, **place: str) -> bool:
        given = {"from": on, "to": on, **place}
        return bool(ask(anyone, "/calendar/days", given).json()[0]["working"])

    assert works("2026-12-01")
    assert not works("2026-12-01", region="420102")
    assert works("2026-12-02")
    assert not works("2026-12-02", hall=HALL)
    assert ask(anyone, "/calendar/days", day)["ETag"] != before


def confirm_overlay(scope: str, day: str) -> None:
    """One proposes and another confirms a day off in one place."""
    from zhengwu.accounts import queries as accounts

    at = datetime(2026, 11, 23, tzinfo=UTC)
    change = {"kind": "overlay", "scope": scope, "basis": "停电", "days": [[day, "停电", True]]}
    asked = services.propose(
        accounts.actor(PROPOSER), change, reason="停电检修", key=f"p{scope}", halls=[HALL], at=at
    )
    services.confirm(accounts.actor(CONFIRMER), asked, key=f"c{scope}", halls=[HALL], at=at)


PROPOSER, CONFIRMER = "p-system_admin", "p-security_admin"


# --- how long it may be kept ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/calendar/days", HOLIDAY),
        ("/calendar/between", HOLIDAY),
        ("/calendar/add", {"date": "2026-09-28", "days": "3"}),
    ],
)
def test_who_has_the_edition_already_gets_304(
    anyone: Client, path: str, given: dict[str, str]
) -> None:
    first = ask(anyone, path, given)
    assert first["Cache-Control"] == "public, max-age=60"
    assert first["ETag"] == f'"{queries.number()}-{api.SOFTWARE}"'
    again = ask(anyone, path, given, if_none_match=first["ETag"])
    assert (again.status_code, again["ETag"]) == (304, first["ETag"])
    wrong = ask(anyone, path, {**given, "region": "1"}, if_none_match=first["ETag"])
    no(wrong, 422, "calendar.no_region", "region")
    signed_in = ask(walk.sign_in("p-water-clerk"), path, given)
    assert signed_in["Cache-Control"] == "private, max-age=60"


def test_an_answer_costs_the_same_few_questions_for_a_day_and_for_ten_years(
    anyone: Client,
) -> None:
    def cost(until: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            ask(anyone, "/calendar/days", {"from": "2016-01-01", "to": until})
        return len(asked)

    cost("2016-01-01")
    assert cost("2016-01-01") == cost("2025-12-31") <= 2  # the attempt, the edition


def test_one_question_too_many_is_429_and_says_when_to_come_back(
    anyone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PER_SENDER", 3)
    for _ in range(3):
        assert ask(anyone, "/calendar/between", HOLIDAY).status_code == 200
    late = ask(anyone, "/calendar/between", HOLIDAY)
    no(late, 429, "calendar.too_often")
    assert late["Retry-After"] == "600"
    assert api.PER_SENDER == 3
    # Another sender is not locked out.
    other = Client(SERVER_NAME="localhost", REMOTE_ADDR="10.1.2.3")
    assert ask(other, "/calendar/between", HOLIDAY).status_code == 200


# --- ugly input -------------------------------------------------------------------------------------

DAY = "2026-11-23"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0000-00-00", "calendar.no_such_day"),
        ("2026-02-31", "calendar.no_such_day"),
        ("2026-02-29", "calendar.no_such_day"),
        ("2026-13-01", "calendar.no_such_day"),
        ("99999-01-01", "calendar.date"),
        ("9999-12-31", "calendar.outside"),
        ("0001-01-01", "calendar.outside"),
        ("1000-01-01", "calendar.outside"),
        ("2026-1-1", "calendar.date"),
        ("2026/01/01", "calendar.date"),
        ("20260101", "calendar.date"),
        ("2026-W01-1", "calendar.date"),
        ("２０２６-01-01", "calendar.date"),
        ("٢٠٢٦-٠١-٠١", "calendar.date"),
        ("2026-01-01T00:00:00", "calendar.date"),
        ("2026-01-01\n", "calendar.date"),
        ("-001-01-01", "calendar.date"),
        ("", "calendar.date"),
        ("\x00", "calendar.date"),
    ],
)
def test_a_date_that_is_none_is_named_and_told(anyone: Client, text: str, code: str) -> None:
    for path, names, rest in (
        ("/calendar/days", ("from", "to"), HOLIDAY),
        ("/calendar/between", ("from", "to"), HOLIDAY),
        ("/calendar/add", ("date",), {"date": DAY, "days": "3"}),
    ):
        for name in names:
            sentence = no(ask(anyone, path, {**rest, name: text}), 422, code, name)
            assert name in sentence


def test_the_table_is_answered_to_its_last_day_and_not_beyond(anyone: Client) -> None:
    table = queries.edition().calendar
    first, last = table.first, table.last
    for inside in (first, last):
        span = {"from": inside.isoformat(), "to": inside.isoformat()}
        assert len(ask(anyone, "/calendar/days", span).json()) == 1
        assert ask(anyone, "/calendar/between", span).json()["days"] == 0
    beyond = {"from": (first - timedelta(days=1)).isoformat(), "to": last.isoformat()}
    assert str(first) in no(
        ask(anyone, "/calendar/between", beyond), 422, "calendar.outside", "from"
    )
    for unit in calendar.UNITS:
        for start in (first, last, last - timedelta(days=40), date(last.year, 1, 1)):
            for days in ("0", "1", "10"):
                given = {"date": start.isoformat(), "days": days, "unit": unit}
                answer = ask(anyone, "/calendar/add", given)
                if answer.status_code != 200:
                    assert str(last) in no(answer, 422, "calendar.outside", "days")


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ("-1", "limit.negative"),
        ("2501", "limit.too_long"),
        ("1000000000", "limit.too_long"),
        ("999999999999", "limit.too_long"),
        ("1e9", "calendar.count"),
        ("1" * 400, "calendar.count"),
        ("3.5", "calendar.count"),
        ("NaN", "calendar.count"),
        ("Infinity", "calendar.count"),
        ("0x10", "calendar.count"),
        ("三", "calendar.count"),
        ("٣", "calendar.count"),
        ("", "calendar.count"),
        (" 3", "calendar.count"),
    ],
)
def test_a_count_that_is_none_is_named(anyone: Client, days: str, code: str) -> None:
    no(ask(anyone, "/calendar/add", {"date": DAY, "days": days}), 422, code, "days")


def test_a_reversed_and_a_too_long_range_are_refused(anyone: Client) -> None:
    reversed_ = {"from": "2026-10-10", "to": "2026-10-09"}
    for path in ("/calendar/days", "/calendar/between"):
        no(ask(anyone, path, reversed_), 422, "calendar.reversed", "to")
    start = date(2010, 1, 1)
    for count, status in ((3_660, 200), (3_661, 422)):
        until = start + timedelta(days=count - 1)
        span = {"from": start.isoformat(), "to": until.isoformat()}
        assert ask(anyone, "/calendar/days", span).status_code == status
    assert "3,661" in no(ask(anyone, "/calendar/days", span), 422, "calendar.too_many", "to")


def test_units_places_and_parameters_that_are_not_there_are_named(anyone: Client) -> None:
    add = {"date": DAY, "days": "3"}
    for unit in ("hour", "office_hour", "WORKING_DAY", "week", ""):
        no(ask(anyone, "/calendar/add", {**add, "unit": unit}), 422, "calendar.unit", "unit")
    no(
        ask(anyone, "/calendar/add", {**add, "region": "999999"}),
        422,
        "calendar.no_region",
        "region",
    )
    no(ask(anyone, "/calendar/add", {**add, "hall": "H1"}), 422, "calendar.no_hall", "hall")
    told = no(
        ask(anyone, "/calendar/days", {**HOLIDAY, "regoin": "420102"}),
        422, "request.unknown_parameter", "regoin",
    )  # fmt: skip
    assert "region" in told
    assert "to" in no(ask(anyone, "/calendar/days", {"from": DAY}), 422, "request.missing", "to")
    no(ask(anyone, "/calendar/add", {"date": DAY}), 422, "request.missing", "days")


@needs_data
def test_every_naughty_string_in_every_parameter_is_refused(anyone: Client) -> None:
    strings = json.loads((DATA / "bad-inputs" / "blns" / "blns.json").read_text(encoding="utf-8"))
    asked = {
        "/calendar/days": HOLIDAY,
        "/calendar/between": HOLIDAY,
        "/calendar/add": {"date": DAY, "days": "3", "unit": "day"},
    }
    fine = {"days": re.compile(r"[0-9]+|-0"), "region": re.compile(""), "hall": re.compile("")}
    for place, text in enumerate(strings[:: 1 if DRILL else 10]):
        # Every string everywhere would ask 8,000 times; each address in its turn.
        path, given = list(asked.items())[place % 3]
        client = Client(SERVER_NAME="localhost", REMOTE_ADDR=f"10.0.{place // 200}.{place % 200}")
        for name in (*given, "region", "hall"):
            answer = ask(client, path, {**given, name: text})
            if answer.status_code == 200:
                assert fine[name].fullmatch(text), (name, text)
                continue
            assert answer.status_code == 422, (path, name, text)
            assert answer.json()["field"] == name, (path, name, text)
        answer = ask(client, path, {**given, text or "?": "1"})
        assert answer.status_code == 422, text
