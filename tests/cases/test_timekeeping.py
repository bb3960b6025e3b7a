"""The time of one case and of many: exact, within reach, with few questions to the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cases import people
from tests.cases.people import MARKET, WATER, actor, moment
from zhengwu.cases import timekeeping
from zhengwu.cases.loading import CaseNotFound
from zhengwu.cases.timekeeping import TimeLedger, Whole
from zhengwu.domain.lifecycle import HolderKind
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.timeledger import Side

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, REVIEWER, SUPERVISOR = "p-water-clerk", "p-water-reviewer", "p-supervisor"
LATER = moment("12-01 09:00")
SINCE, UNTIL = date(2026, 9, 1), date(2026, 11, 30)
WHOLE = timedelta(hours=1176, minutes=40)


def all_of(who: str = SUPERVISOR, **asked: Any) -> Whole:
    given = {"since": SINCE, "until": UNTIL, "at": LATER} | asked
    return timekeeping.handover_table(actor(who), **given)


def adds_up(found: TimeLedger) -> None:
    assert sum(one.seconds for one in found.lines) == found.seconds
    assert sum(one.office_seconds + one.rest_seconds for one in found.lines) == found.seconds
    assert sum((one.office + one.rest for one in found.lines), timedelta()) == found.whole
    under_way = [one for one in found.lines if one.kind == HolderKind.HANDING_OVER]
    assert sum(one.seconds for one in found.ways) == sum(one.seconds for one in under_way)


# --- one case --------------------------------------------------------------------------------------


def test_the_worked_story_is_parted_to_the_second() -> None:
    found = timekeeping.of_case(actor(CLERK), people.golden().number, at=LATER)
    assert (found.seconds, found.whole) == (1176 * 3600 + 40 * 60, WHOLE)
    assert (found.start, found.end) == (moment("09-14 09:20"), moment("11-02 10:00"))
    assert [(one.zh, one.charged_zh, one.seconds // 60) for one in found.lines] == [
        ("江城市水务局 B23 窗口", "江城市水务局 B23 窗口", 53 * 60 + 55),
        ("申请人", "申请人", 211 * 60 + 55),
        ("移交途中", "江城市水务局 B23 窗口", 3 * 60 + 40),
        ("江城市水务局", "江城市水务局", 394 * 60 + 30),
        ("专家评审", "专家评审", 496 * 60),
        ("移交途中", "江城市水务局", 16 * 60 + 40),
    ]
    assert [(one.giver_zh, one.taker_zh, one.seconds, one.taken) for one in found.ways] == [
        ("江城市水务局 B23 窗口", "江城市水务局", 3 * 3600 + 40 * 60, True),
        ("江城市水务局", "江城市水务局 B23 窗口", 16 * 3600 + 40 * 60, True),
    ]
    adds_up(found)


def test_at_every_moment_of_a_running_case_the_parts_sum_to_the_whole() -> None:
    number = people.golden().number
    for when in ("09-14 09:20", "09-20 12:00", "09-21 12:34", "10-02 00:00", "10-29 09:10"):
        found = timekeeping.of_case(actor(CLERK), number, at=moment(when))
        assert (found.end, found.until) == (None, moment(when))
        assert found.whole == moment(when) - moment("09-14 09:20")
        adds_up(found)


def test_a_step_entered_in_the_evening_and_one_withdrawn_take_nothing_from_the_sum() -> None:
    case = people.received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 14:00")
    case.do(REVIEWER, "suspended", "09-15 09:00", {"procedure": "testing", "days": "3"})
    case.do(REVIEWER, "withdrawal_proposed", "09-16 17:00", {"version": "4", "reasons": "误录"})
    case.do("p-water-reviewer2", "entry_withdrawn", "09-16 17:10", {"version": "4"})
    found = timekeeping.of_case(actor(CLERK), case.number, at=moment("09-17 09:00"))
    assert [one.kind for one in found.lines] == [
        HolderKind.WINDOW, HolderKind.HANDING_OVER, HolderKind.DEPARTMENT,
    ]  # fmt: skip
    assert found.lines[2].length == timedelta(days=2, hours=19)
    adds_up(found)


def test_who_may_not_see_the_case_gets_none_of_its_time() -> None:
    case = people.received()
    with pytest.raises(CaseNotFound):
        timekeeping.of_case(actor("p-market-clerk"), case.number, at=LATER)
    with pytest.raises(CaseNotFound):
        timekeeping.of_public(case.number, "AAAAAA", at=LATER)


def test_the_applicant_sees_agencies_and_no_posts() -> None:
    case = people.golden()
    found = timekeeping.of_public(case.number.lower(), case.query_code.lower(), at=LATER)
    assert found.whole == WHOLE
    assert {one.post for one in found.lines} == {None}
    assert [one.zh for one in found.lines][:2] == ["江城市水务局窗口", "申请人"]
    assert found.ways[0].giver_zh == "江城市水务局窗口"
    adds_up(found)


# --- many cases ------------------------------------------------------------------------------------


def told() -> None:
    """The worked story, one more of the water bureau still under way, one of the market bureau."""
    people.golden()
    case = people.received("10-12 09:00")
    case.do(CLERK, "accepted", "10-12 09:30")
    other = people.received("10-13 09:00", item=people.FOOD, who="p-market-clerk")
    other.do("p-market-clerk", "accepted", "10-13 10:00")
    other.do("p-market-reviewer", "step_taken", "10-14 10:00")
    other.do("p-market-clerk", "withdrawn", "10-15 10:00", {"reason": "不办了"})


def test_the_whole_of_a_period_is_the_sum_of_its_cases() -> None:
    told()
    found = all_of()
    assert (found.closed, found.running, found.exact) == (2, 0, True)
    assert found.elapsed == WHOLE + timedelta(hours=49)
    assert sum((one.length for one in found.lines), timedelta()) == found.elapsed
    assert found.seconds == found.elapsed // timedelta(seconds=1)
    assert [one.kind for one in found.lines][:2] == [HolderKind.WINDOW, HolderKind.WINDOW]
    water, market = Side(WATER), Side(MARKET)
    assert found.table.cells[water, water].count == 2
    assert found.table.cells[market, market].length == timedelta(hours=24)
    assert found.table.total.length == timedelta(hours=44, minutes=20)
    assert found.windows.cells[Side(MARKET, True), Side(MARKET, False)].count == 1
    assert found.side_zh(Side(MARKET, True)) == "江城市市场监督管理局窗口"


def test_what_still_runs_is_measured_up_to_now_where_it_is_asked_for() -> None:
    told()
    found = all_of(running=True, agency=WATER)
    assert (found.closed, found.running, found.exact) == (1, 1, True)
    assert found.elapsed == WHOLE + (LATER - moment("10-12 09:00"))
    assert all_of(running=True, until=date(2026, 10, 11), agency=WATER).running == 0


def test_the_days_of_a_period_are_those_of_shanghai_and_both_count() -> None:
    people.golden()  # closed on 2 November at 10:00
    day = date(2026, 11, 2)
    assert all_of(since=day, until=day).cases == 1
    assert all_of(until=date(2026, 11, 1)).cases == 0
    assert all_of(since=date(2026, 11, 3)).cases == 0


def test_one_sees_the_time_of_ones_own_reach_only() -> None:
    told()
    assert all_of("p-water-head").cases == 1
    assert all_of("p-market-head", agency=WATER).cases == 0
    assert all_of("p-d102-head").cases == 0
    assert all_of("p-centre_manager").cases == 2
    assert all_of(CLERK).cases == 0  # sees cases, but no account of the time
    assert [code for code, _ in timekeeping.agencies(actor("p-water-head"))] == [WATER]
    assert {WATER, MARKET} <= {code for code, _ in timekeeping.agencies(actor("p-centre_manager"))}
    assert timekeeping.agencies(actor(CLERK)) == ()


def test_a_reversed_period_is_refused_at_its_field() -> None:
    with pytest.raises(Refusal) as refused:
        all_of(since=UNTIL, until=SINCE)
    assert (refused.value.code, refused.value.field) == ("time.reversed", "until")


def test_an_empty_period_is_an_empty_account() -> None:
    found = all_of()
    assert (found.cases, found.lines, found.seconds, found.exact) == (0, (), 0, True)
    assert found.table.total.count == 0


def test_the_number_of_questions_does_not_grow_with_the_cases() -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            all_of()
        return len(asked)

    told()
    before = count()
    assert before <= 10  # who asks (4), ids, stories, calendar, names, windows
    for _ in range(3):
        people.golden()
    assert count() == before
    number = people.golden().number
    with CaptureQueriesContext(connection) as asked:
        timekeeping.of_case(actor(CLERK), number, at=LATER)
    assert len(asked) <= 10


# --- a city's size -----------------------------------------------------------------------------------


def many(owner: Owner, count: int) -> None:
    """Heads of closed cases of 40 agencies over 400 days; their stories are not needed here."""
    owner.execute(
        "INSERT INTO cases_case (id, version, number, query_code, source, kind, item_name, agency,"
        " region, opened, closed, state, suspended, holder_kind, provisional)"
        " SELECT gen_random_uuid(), 2, 'N' || n, 'AAAAAA', 'desk', 'promised', '取水许可',"
        " 'a' || n %% 40, '420100', at, at + interval '9 days', 'closed', false, 'none', false"
        " FROM (SELECT n, timestamptz '2026-01-01 09:00+08' + n %% 400 * interval '1 day' AS at"
        " FROM generate_series(1, %s) n) s",
        (count,),
    )
    owner.execute("VACUUM ANALYZE cases_case")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def test_too_many_cases_are_refused_with_their_number_and_a_way_out(owner: Owner) -> None:
    many(owner, 20_000)
    with pytest.raises(Refusal) as refused:
        all_of(since=date(2026, 1, 1), until=date(2026, 12, 31))
    assert (refused.value.code, refused.value.field) == ("time.too_many", "since")
    assert "一次最多核算 2,000 件" in refused.value.sentence
    assert "缩短日期范围" in refused.value.sentence


@pytest.mark.parametrize("who", [SUPERVISOR, "p-water-head"])
def test_a_period_of_a_large_city_is_found_by_the_index(owner: Owner, who: str) -> None:
    many(owner, 60_000)
    query, parameters = timekeeping.cases_sql(
        actor(who), date(2026, 6, 1), date(2026, 6, 10), agency=None, running=False
    )
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query, parameters)
        answer = cursor.fetchone()[0]
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    assert not [one for one in nodes(plan) if one["Node Type"] == "Seq Scan"], plan
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 2_500, plan


def test_a_saturday_has_no_office_time() -> None:
    case = people.received("09-19 10:00")
    found = timekeeping.of_case(actor(CLERK), case.number, at=moment("09-19 16:00"))
    assert (found.lines[0].office_seconds, found.lines[0].rest_seconds) == (0, 6 * 3600)
