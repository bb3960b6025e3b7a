"""The day list: what a person or a window did, what is left, who may look; the index behind it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.cases import people
from tests.cases.people import COMPANY, actor, moment
from tests.desk.walk import register, registration, sign_in, text
from zhengwu.cases import daywork
from zhengwu.cases.daywork import Day, Whose

pytestmark = pytest.mark.usefixtures("city")
CLERK, TEAMMATE, REVIEWER = "p-water-clerk", "p-water-clerk2", "p-water-reviewer"
WINDOW = "H420100/B23"
LATER = moment("12-01 09:00")


@pytest.fixture
def told(town: None) -> people.Told:
    """The worked story, and a second case that stays at the window."""
    case = people.golden()
    people.received("09-21 11:00", who=TEAMMATE)
    return case


def listed(code: str, day: str, *, of: str = "mine", at: datetime = LATER) -> Day:
    by = actor(code)
    whose = next(one for one in daywork.choices(by) if one.code == of)
    return daywork.day(by, date.fromisoformat(f"2026-{day}"), whose=whose, at=at)


def test_my_day_holds_what_i_did_with_its_papers_in_its_order(told: people.Told) -> None:
    found = listed(CLERK, "09-21")
    assert [(f"{one.when.astimezone(people.SHANGHAI):%H:%M}", one.kind) for one in found.done] == [
        ("10:05", "supplemented"),
        ("10:20", "accepted"),
    ]
    accepted = found.done[1]
    assert (accepted.number, accepted.applicant) == (told.number, COMPANY.name)
    assert accepted.paper_number
    assert found.cases == 1
    assert dict(found.totals)["受理"] == 1


def test_the_window_s_day_holds_what_everybody_at_it_did(told: people.Told) -> None:
    found = listed(TEAMMATE, "09-21", of=WINDOW)
    assert [one.kind for one in found.done] == ["supplemented", "accepted", "received"]
    assert [one.who for one in found.done] == ["江水一clerk", "江水一clerk", "江水一clerk2"]
    assert found.cases == 2


@pytest.mark.usefixtures("town")
def test_the_edges_of_a_day_are_those_of_shanghai() -> None:
    people.received("09-14 00:00")
    people.received("09-14 23:59")
    people.received("09-15 00:00")
    assert len(listed(CLERK, "09-14").done) == 2
    assert len(listed(CLERK, "09-15").done) == 1
    assert listed(CLERK, "09-13").done == ()


def test_what_is_left_at_the_end_of_a_past_day_is_told_as_it_was_then(told: people.Told) -> None:
    assert [one.number for one in listed(CLERK, "09-14", of=WINDOW).left] == [told.number]
    # 09-16: with the applicant; 09-21: accepted, the other one waits at the window.
    assert listed(CLERK, "09-16", of=WINDOW).left == ()
    (left,) = listed(CLERK, "09-21", of=WINDOW).left
    assert left.number != told.number
    assert left.state_zh == "待受理"
    assert told.number in {one.number for one in listed(REVIEWER, "09-21").left}
    assert listed(REVIEWER, "10-28").left == ()


def test_what_is_left_today_is_what_the_heads_say(told: people.Told) -> None:
    found = listed(CLERK, "12-01", of=WINDOW)
    assert len(found.left) == 1
    assert found.left[0].due is not None
    assert listed(REVIEWER, "12-01").left == ()


def test_an_entry_taken_away_is_shown_and_not_counted(
    told: people.Told, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    number = people.received("09-22 09:00").number
    row = owner.execute("SELECT id FROM cases_case WHERE number = %s", (number,)).fetchone()
    assert row is not None
    for version, gone in ((2, None), (3, 2), (4, 3)):
        # As the acts of withdrawing write them; only their place in the log matters here.
        owner.execute(
            "INSERT INTO ledger_event (id, stream, stream_id, version, kind, nature, occurred,"
            " recorded, received, actor, post, agency, region, source, key, body)"
            " SELECT gen_random_uuid(), stream, stream_id, %s, %s, nature, occurred, recorded,"
            " received, actor, post, agency, region, source, key || %s::text, %s::jsonb"
            " FROM ledger_event WHERE stream_id = %s AND version = 1",
            (version, "entry_withdrawn" if gone else "accepted", version,
             json.dumps({"version": gone} if gone else {}), row[0]),
        )  # fmt: skip
        seen = {one.kind: one.withdrawn for one in listed(CLERK, "09-22").done}
        if gone == 2:
            assert seen["accepted"]
            assert "受理" not in dict(listed(CLERK, "09-22").totals)
    assert not seen["accepted"]  # the withdrawal was withdrawn itself


def test_only_one_s_own_window_is_offered_and_a_head_and_a_manager_have_more() -> None:
    def codes(code: str) -> list[str]:
        return [one.code for one in daywork.choices(actor(code))]

    assert codes(CLERK) == ["mine", WINDOW]
    assert codes(REVIEWER) == ["mine"]
    assert codes("p-water-head") == ["mine", WINDOW]
    assert codes("p-centre_manager") == ["mine", "H420100/A01", "H420100/B23", "H420100/D01"]


def test_another_agency_sees_nothing_of_it_even_if_it_named_the_window(told: people.Told) -> None:
    stolen = Whose(WINDOW, "B23", ("420100-water-window",))
    found = daywork.day(actor("p-market-clerk"), date(2026, 9, 21), whose=stolen, at=LATER)
    assert found.done == ()
    assert found.left == ()


def test_who_left_the_window_still_stands_in_its_list(
    told: people.Told, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    owner.execute(
        "UPDATE accounts_postholding SET until = '2026-10-01' WHERE person_id ="
        " (SELECT id FROM accounts_person WHERE code = %s)", (TEAMMATE,),
    )  # fmt: skip
    assert "江水一clerk2" in {one.who for one in listed(CLERK, "09-21", of=WINDOW).done}


# --- the page -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_the_page_shows_today_and_records_each_look(
    owner: psycopg.Connection[tuple[object, ...]],
) -> None:
    clerk = sign_in(CLERK)
    number = register(clerk)
    page = text(clerk.get("/desk/day"))
    assert number in page
    assert "受理" in page
    assert re.search(r"<dt>办件</dt><dd>1</dd>", page)
    row = owner.execute("SELECT why FROM accounts_look ORDER BY id DESC LIMIT 1").fetchone()
    assert row == ("日清单",)


def test_an_empty_day_says_so() -> None:
    assert "今天还没有办理记录" in text(sign_in(CLERK).get("/desk/day"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("day=2026-02-30", "没有看懂这个日期"),
        ("day=\x00", "没有看懂这个日期"),
        ("day=9999-12-31", "还没有到"),
        ("of=H420100/A01", "不能看这个窗口"),
        ("of=' OR 1=1", "不能看这个窗口"),
    ],
)
def test_an_ugly_question_is_answered_in_words(asked: str, said: str) -> None:
    answer = sign_in(CLERK).get(f"/desk/day?{asked}")
    assert answer.status_code == 422
    assert said in text(answer)


def test_the_first_day_there_is_can_be_asked_for() -> None:
    clerk = sign_in(CLERK)
    for day in ("0001-01-01", "1999-12-31", "2000-01-01"):
        assert clerk.get(f"/desk/day?day={day}").status_code == 200


@pytest.mark.usefixtures("shop")
def test_no_cell_of_the_spreadsheet_is_a_formula() -> None:
    clerk = sign_in(CLERK)
    answer = clerk.post(
        "/desk/register",
        registration(name='=HYPERLINK("http://x","y")有限公司'),
    )
    assert answer.status_code == 302, text(answer)
    answer = clerk.get("/desk/day.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    lines = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert lines.startswith("\ufeff时间,")
    cells = [cell for row in csv.reader(io.StringIO(lines[1:])) for cell in row]
    assert '\'=HYPERLINK("http://x","y")有限公司' in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


# --- the index ------------------------------------------------------------------------------------


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def test_a_day_reads_no_more_of_a_long_log_than_the_day(
    owner: psycopg.Connection[tuple[object, ...]],
) -> None:
    """60,000 events of 600 people over 30 days: a person's day is read through the index."""
    owner.execute(
        "INSERT INTO ledger_event (id, stream, stream_id, version, kind, nature, occurred,"
        " recorded, received, actor, post, agency, region, source, key, body)"
        " SELECT gen_random_uuid(), 'case', gen_random_uuid(), 1, 'accepted', 'act', at, at, at,"
        " 'p-' || n % 600, 'post', 'agency', '420100', 'test', n::text, '{}'"
        " FROM (SELECT n, timestamptz '2026-09-01 08:00+08' + n / 2000 * interval '1 day'"
        " + n % 2000 * interval '15 seconds' AS at FROM generate_series(0, 59999) n) s"
    )
    owner.execute("VACUUM ANALYZE ledger_event")
    query, reach = daywork.deeds_sql(actor(CLERK), posts=False)
    since, until = daywork.bounds(date(2026, 9, 14))
    given: dict[str, Any] = {
        "people": ["p-17"],
        "posts": [],
        "since": since,
        "until": until,
        "most": 2_001,
    }
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query, {**reach, **given})
        answer = cursor.fetchone()[0]
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]
    used = {node.get("Index Name") for node in nodes(plan["Plan"])}
    assert "ledger_event_by_actor" in used
    assert not [n for n in nodes(plan["Plan"]) if n["Node Type"] == "Seq Scan"
                and n.get("Relation Name") == "ledger_event"]  # fmt: skip
    read = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    assert read < 200, plan


def test_the_number_of_queries_does_not_grow_with_the_day(told: people.Told) -> None:
    from django.test.utils import CaptureQueriesContext

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            listed(CLERK, "09-21", of=WINDOW)
        return len(asked)

    before = count()
    for _ in range(4):
        people.received("09-21 12:00")
    assert count() == before


def test_a_look_is_recorded_once_for_each_case(
    told: people.Told, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    answer = sign_in(CLERK).get("/desk/day?day=2026-09-21")
    assert answer.status_code in (200, 422)
    day = listed(CLERK, "09-21", of=WINDOW)
    assert len(day.seen()) == 2
