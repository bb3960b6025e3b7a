"""The clock and the time ledger of a case: what they say, and to whom."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.api.asking import ask, no
from tests.cases import people
from tests.cases.people import COMPANY, Told, actor, moment
from tests.desk import walk
from tests.desk.test_naughty import DRILL
from zhengwu.accounts import queries as accounts
from zhengwu.cases import loading, tracking
from zhengwu.domain.reading import SHANGHAI
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")
CLERK = "p-water-clerk"
BOTH = ("clock", "time-ledger")


def at(text: str) -> str:
    return moment(text).isoformat()


def clock(case: Told, when: str, *, who: str = CLERK, **given: str) -> Any:
    answer = ask(walk.sign_in(who), f"/cases/{case.number}/clock", {"at": at(when), **given})
    assert answer.status_code == 200, answer.content
    return answer.json()


def as_applicant(case: Told, what: str, given: dict[str, str] | None = None, code: str = "") -> Any:
    return ask(
        walk.public(), f"/cases/{case.number}/{what}", given,
        x_query_code=code or case.query_code,
    )  # fmt: skip


# --- what the clock says ------------------------------------------------------------------------------


def test_every_limit_of_the_worked_story_is_told_as_the_clock_reads_it() -> None:
    case = people.golden()
    for when in ("09-14 09:20", "09-22 09:00", "09-30 09:00", "10-20 09:00", "11-03 09:00"):
        found = clock(case, when)
        reading = loading.load(actor(CLERK), case.number).read(moment(when))
        assert [one["kind"] for one in found["limits"]] == [one.kind for one in reading.limits]
        for told, one in zip(found["limits"], reading.limits, strict=True):
            assert datetime.fromisoformat(told["due"]) == one.due
            assert told["due"].endswith("+08:00")
            assert told["start"] == one.start.isoformat()
            assert (told["used"], told["left"], told["met"]) == (one.used, one.left, one.met)
            assert (told["value"], told["extra"], told["unit"]) == (one.value, one.extra, one.unit)
            assert (told["state"], told["name"], told["basis"]) == (one.state, one.name, one.basis)
            assert [(x["text"], x["days"]) for x in told["lines"]] == [
                (x.text, x.days) for x in one.lines
            ]
        light = reading.light(moment(when))
        assert found["light"] == {"code": light.code, "text": light.text}
        assert found["state"] == reading.state
        assert found["pressing"] == (reading.due.kind if reading.due else None)
        assert (found["waiting"], found["ended"]) == (reading.waiting, reading.ended)
        assert found["edition"] == reading.edition.number
        assert datetime.fromisoformat(found["at"]) == moment(when)


def test_the_clock_is_read_as_it_was_known_at_a_position() -> None:
    case = people.golden()
    ledger.catch_up()
    events = loading.load(actor(CLERK), case.number).events
    first = events[0].position
    assert first is not None
    assert {one["kind"] for one in clock(case, "11-03 09:00", known=str(first))["limits"]} == {
        "acceptance"
    }
    assert clock(case, "11-03 09:00", known="0")["limits"] == []
    everything = clock(case, "11-03 09:00")
    most = clock(case, "11-03 09:00", known=str(2**63 - 1))
    assert (most["known"], everything["known"]) == (2**63 - 1, None)
    assert most["limits"] == everything["limits"]


def test_without_an_instant_it_is_now_and_any_offset_is_the_same_instant() -> None:
    case = people.received()
    client = walk.sign_in(CLERK)
    found = ask(client, f"/cases/{case.number}/clock").json()
    assert abs(datetime.fromisoformat(found["at"]) - datetime.now(SHANGHAI)).total_seconds() < 60
    told = [
        ask(client, f"/cases/{case.number}/clock", {"at": one}).json()
        for one in ("2026-09-16T09:00:00+08:00", "2026-09-16T01:00:00Z",
                    "2026-09-15T15:00:00-10:00")
    ]  # fmt: skip
    assert told[0] == told[1] == told[2]
    # A plus sign that nobody wrote as %2B.
    raw: Any = client.get(f"/api/v1/cases/{case.number}/clock?at=2026-09-16T09:00:00+08:00")
    assert raw.json() == told[0]


# --- what the time ledger says ------------------------------------------------------------------------


def adds_up(found: Any) -> None:
    whole, parts, ways = found["whole"], found["parts"], found["handovers"]
    for one in (whole, *parts, *ways):
        assert one["office_seconds"] + one["rest_seconds"] == one["seconds"]
    for name in ("seconds", "office_seconds", "rest_seconds"):
        assert sum(one[name] for one in parts) == whole[name]
    under_way = sum(one["seconds"] for one in parts if one["kind"] == "handing_over")
    assert sum(one["seconds"] for one in ways) == under_way
    span = datetime.fromisoformat(found["until"]) - datetime.fromisoformat(found["start"])
    assert whole["seconds"] == span.total_seconds() // 1


def test_the_parts_of_the_time_ledger_sum_to_the_whole_for_staff_and_applicant() -> None:
    case = people.golden()
    inside = ask(walk.sign_in(CLERK), f"/cases/{case.number}/time-ledger").json()
    outside = as_applicant(case, "time-ledger").json()
    for found in (inside, outside):
        adds_up(found)
        assert found["whole"]["seconds"] == 1176 * 3600 + 40 * 60
        assert found["end"] == found["until"] == at("11-02 10:00")
    assert any(one["post"] and one["window"] == "B23" for one in inside["parts"])
    assert not any(one["post"] or one["window"] for one in outside["parts"])
    running = people.received()
    found = as_applicant(running, "time-ledger").json()
    assert found["end"] is None
    adds_up(found)


# --- who may ask --------------------------------------------------------------------------------------


def test_an_applicant_with_number_and_code_reads_his_clock_without_the_steps_inside() -> None:
    case = people.received()
    case.do(CLERK, "accepted", "09-14 10:20")
    case.do("p-water-reviewer", "step_taken", "09-14 14:00")
    when = {"at": at("09-16 09:00")}
    inside, outside = clock(case, "09-16 09:00"), as_applicant(case, "clock", when).json()
    assert outside["limits"] == [one for one in inside["limits"] if one["kind"] != "step"]
    assert {k: v for k, v in outside.items() if k != "limits"} == {
        k: v for k, v in inside.items() if k != "limits"
    }
    spoken = f" {case.query_code[:3]}-{case.query_code[3:].lower()} "
    assert as_applicant(case, "clock", when, code=spoken).json() == outside


def test_a_stranger_is_told_to_say_who_asks_and_never_led_to_a_page() -> None:
    case = people.received()
    for number in (case.number, "JC000000000000", "x"):
        for what in BOTH:
            answer = ask(walk.public(), f"/cases/{number}/{what}")
            assert "X-Query-Code" in no(answer, 401, "case.who")
            assert answer["WWW-Authenticate"].startswith("QueryCode")


def test_a_wrong_code_and_a_case_that_is_not_there_look_the_same() -> None:
    case = people.received()
    wrong = as_applicant(case, "clock", code="AAAAAA")
    none = as_applicant(Told("JC000000000000", case.query_code), "clock")
    assert no(wrong, 404, "case.not_found") == no(none, 404, "case.not_found")


@pytest.mark.parametrize("who", ["p-market-clerk", "p-d102-head", "p-market-cashier"])
def test_staff_out_of_reach_find_no_case(who: str) -> None:
    case = people.received()
    for what in BOTH:
        no(ask(walk.sign_in(who), f"/cases/{case.number}/{what}"), 404, "case.not_found")


def test_nobody_reads_the_applicant_or_a_person_of_the_staff_here() -> None:
    case = people.golden()
    client = walk.sign_in(CLERK)
    names = [one.name for one in map(accounts.actor, (CLERK, "p-water-reviewer"))]
    secrets = (COMPANY.name, COMPANY.identifier, COMPANY.phone, case.query_code, "何晓岚", *names)
    for what in BOTH:
        for answer in (
            ask(client, f"/cases/{case.number}/{what}"),
            as_applicant(case, what),
        ):
            text = answer.content.decode()
            assert not [one for one in (*secrets, CLERK) if one in text]
            assert answer["Cache-Control"] == "private, no-store"


def test_guessing_is_counted_with_the_guesses_on_the_progress_page() -> None:
    case = people.received()
    client = walk.public()
    for _ in range(tracking.PER_NUMBER - 1):
        page: Any = client.post("/track", {"number": case.number, "code": "AAAAAA"})
        assert page.status_code == 404
    assert as_applicant(case, "clock").status_code == 200  # the tenth
    late = as_applicant(case, "clock")
    no(late, 429, "case.too_often")
    assert late["Retry-After"] == "600"
    page = client.post("/track", {"number": case.number, "code": case.query_code})
    assert page.status_code == 429
    assert ask(walk.sign_in(CLERK), f"/cases/{case.number}/clock").status_code == 200


def test_a_program_that_asks_does_not_keep_a_session_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    from zhengwu.config import idle

    case = people.received()
    client = walk.sign_in(CLERK)
    assert client.get("/desk/").status_code == 200
    seen = client.session[idle.SEEN]
    session = client.session
    session[idle.SEEN] = seen - 600
    session.save()
    ask(client, f"/cases/{case.number}/clock")
    assert client.session[idle.SEEN] == seen - 600
    session[idle.SEEN] = seen - 31 * 60
    session.save()
    no(ask(client, f"/cases/{case.number}/clock"), 401, "case.who")


def test_it_costs_the_same_few_questions_however_long_the_story() -> None:
    short, long = people.received(), people.golden()
    client = walk.sign_in(CLERK)

    def cost(case: Told, what: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            ask(client, f"/cases/{case.number}/{what}")
        return len(asked)

    for what, most in (("clock", 9), ("time-ledger", 11)):
        cost(short, what)
        few, many = cost(short, what), cost(long, what)
        assert many == few <= most, (what, few, many)


# --- ugly input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-09-16T09:00:00", "clock.no_offset"),
        ("2026-09-16", "clock.no_offset"),
        ("0001-01-01T00:00:00+14:00", "clock.outside"),
        ("9999-12-31T23:59:59-14:00", "clock.outside"),
        ("1900-01-01T00:00:00Z", "clock.outside"),
        ("2500-01-01T00:00:00Z", "clock.outside"),
        ("0000-00-00T00:00:00Z", "clock.at"),
        ("2026-02-30T00:00:00Z", "clock.at"),
        ("99999-01-01T00:00:00Z", "clock.at"),
        ("2026-09-16T25:00:00Z", "clock.at"),
        ("2026-09-16T09:00:00+99:99", "clock.at"),
        ("now", "clock.at"),
        ("1758000000", "clock.at"),
        ("\x00", "clock.at"),
    ],
)
def test_an_instant_that_is_none_is_told(text: str, code: str) -> None:
    case = people.received()
    answer = ask(walk.sign_in(CLERK), f"/cases/{case.number}/clock", {"at": text})
    assert "at" in no(answer, 422, code, "at")


@pytest.mark.parametrize("text", ["-1", "1.5", "1e9", "x", "٣", str(2**63), "9" * 400, "\x00"])
def test_a_position_that_is_none_is_told(text: str) -> None:
    case = people.received()
    answer = ask(walk.sign_in(CLERK), f"/cases/{case.number}/clock", {"known": text})
    no(answer, 422, "clock.known", "known")


@needs_data
def test_no_naughty_string_is_a_fault_wherever_it_stands() -> None:
    from urllib.parse import quote

    case = people.received()
    client = walk.sign_in(CLERK)
    strings = json.loads((DATA / "bad-inputs" / "blns" / "blns.json").read_text(encoding="utf-8"))
    for place, text in enumerate(strings[:: 1 if DRILL else 10]):
        for name in ("at", "known"):
            answer = ask(client, f"/cases/{case.number}/clock", {name: text})
            good = not text or (name == "known" and re.fullmatch("[0-9]{1,18}", text) is not None)
            assert answer.status_code == (200 if good else 422), (name, text)
        if place % 4:
            continue
        no(ask(client, f"/cases/{case.number}/time-ledger", {text or "?": ""}),
           422, "request.unknown_parameter", (text or "?")[:40])  # fmt: skip
        raw: Any = client.get(f"/api/v1/cases/{quote(text, safe='')}/clock")
        assert raw.status_code in (404, 301), text
        if raw.status_code == 404:
            assert raw["Content-Type"] == "application/problem+json", text
        stranger = Client(SERVER_NAME="localhost", REMOTE_ADDR=f"10.1.{place // 200}.{place % 200}")
        letters = text.encode().decode("latin-1").replace("\n", "").replace("\r", "")
        raw = stranger.get(f"/api/v1/cases/{case.number}/clock", headers={"x-query-code": letters})
        assert raw.status_code == 404, text
