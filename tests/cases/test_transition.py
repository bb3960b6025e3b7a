"""Transitional clauses: running cases follow a new guide where that favours them, once each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cases.people import INTAKE, Told, actor, moment, received
from zhengwu.cases import explaining, loading, queries, tracking, transition
from zhengwu.catalog import queries as catalog
from zhengwu.catalog import services as catalog_services
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain.event import Event
from zhengwu.domain.guide import Level
from zhengwu.domain.reading import LimitReading
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, REVIEWER, HEAD = "p-water-clerk", "p-water-reviewer", "p-water-head"
NIGHT = moment("09-24 00:05")  # the first look of the day on which the new version holds


def published(*, since: str = "2026-09-24", transitional: bool = True, **changes: Any) -> int:
    """A new version of 取水许可 with other elements, limits in working days; its number."""
    row = catalog.in_force(INTAKE, date(2026, 9, 14))
    assert row is not None
    own: dict[str, Any] = dict(row.own)
    for name, value in changes.items():
        limit = {"value": value, "unit": "working_day", "basis": f"新版{name}"}
        own[name] = limit if name in ("statutory", "promised") else value
    (outcome,) = catalog_services.publish_all(
        [
            catalog_services.Release(
                code=INTAKE, base=row.base, level=Level(row.level), region=row.region,
                agency=row.agency, own=own, since=date.fromisoformat(since), above=row.above.rpartition("@")[0],
                transition=transitional,
            )
        ],
        by=None,
        at=moment("09-20 12:00"),
    )  # fmt: skip
    assert not outcome.faults
    return outcome.version


def was() -> int:
    """The version under which the cases here are received."""
    row = catalog.in_force(INTAKE, date(2026, 9, 14))
    assert row is not None
    return row.version


def row_of(version: int) -> ItemVersionRow:
    return catalog.version(INTAKE, version)


def accepted(day: str = "09-14") -> Told:
    """Received and accepted on a day: promised 20 working days."""
    case = received(f"{day} 09:20")
    case.do(CLERK, "accepted", f"{day} 10:00")
    return case


def taken(day: str = "09-14") -> Told:
    case = accepted(day)
    case.do(REVIEWER, "step_taken", f"{day} 11:00")
    return case


def moves(case: Told) -> list[Event]:
    return [e for e in loading.load_bare(case.number).events if e.kind == transition.KIND]


def promised(case: Told, at: datetime, **known: Any) -> LimitReading:
    found = loading.load_bare(case.number).read(at, **known).limit("promised")
    assert found is not None
    return found


def head(case: Told) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version, item_version, state, due FROM cases_case WHERE number = %s",
            [case.number],
        )
        return tuple(cursor.fetchone())


# --- what is moved --------------------------------------------------------------------------------


def test_an_accepted_case_is_moved_to_the_shorter_promise_and_keeps_its_version() -> None:
    case, version = accepted(), published(promised=12)
    before = promised(case, NIGHT)
    done = transition.run(INTAKE, version, at=NIGHT)
    assert (done.looked, done.moved, done.kept, done.done) == (1, 1, 0, NIGHT)
    (event,) = moves(case)
    assert (event.actor, event.source, event.occurred) == (None, "clock", NIGHT)
    assert event.body == {
        "from": was(), "to": version, "clause": True,
        "limits": [
            {"kind": "promised", "value": 12, "unit": "working_day", "basis": "新版promised"}
        ],
    }  # fmt: skip
    after = promised(case, NIGHT)
    assert (before.value, before.due) == (20, moment("10-16 17:00"))
    assert (after.value, after.due, after.start) == (12, moment("09-30 17:00"), before.start)
    assert head(case) == (3, was(), "handling", after.due)
    assert loading.load_bare(case.number).item_row().version == was()


def test_before_the_move_and_by_what_was_known_before_it_the_old_limit_holds() -> None:
    case, version = accepted(), published(promised=12)
    ledger.catch_up()
    position = ledger_queries.lag().last
    transition.run(INTAKE, version, at=NIGHT)
    ledger.catch_up()
    assert promised(case, NIGHT - timedelta(minutes=1)).value == 20
    assert promised(case, NIGHT, known=position).value == 20
    assert promised(case, NIGHT, known=ledger_queries.lag().last).value == 12
    why = explaining.why(actor(CLERK), case.number, at=NIGHT)
    (line,) = [one for limit in why.reading.limits for one in limit.lines if "过渡条款" in one.text]
    assert f"第 {version} 版" in line.text
    assert "由 20 个工作日改为 12 个工作日" in line.text
    assert line.article == "立法法 第一百零四条"
    (change,) = [one for one in why.changes if one.version == 3]
    assert (change.kind, change.moved) == ("promised", True)
    assert "《立法法》第一百零四条" in change.why


def test_its_applicant_reads_what_the_promise_is_now() -> None:
    case, version = accepted(), published(promised=12)
    transition.run(INTAKE, version, at=NIGHT)
    page = tracking.track(case.number, case.query_code, at=NIGHT)
    told = next(one for one in page.story if one.kind == transition.KIND)
    assert told.title == "办理期限缩短了"
    assert told.text == "依新版办事指南的过渡条款，承诺期限改为 12 个工作日"
    assert told.who == "系统自动"
    assert "9 月 30 日" in page.told.until
    (moved,) = page.moved
    assert moved.kind == "promised"
    desk = queries.case(actor(CLERK), case.number, at=NIGHT).story[-1]
    assert (desk.title, desk.text) == (
        "改用新版本", f"依第 {version} 版办事指南的过渡条款，承诺期限改为 12 个工作日",
    )  # fmt: skip


def test_only_what_ends_earlier_is_replaced() -> None:
    case, version = accepted(), published(promised=12, statutory=45)
    transition.run(INTAKE, version, at=NIGHT)
    (event,) = moves(case)
    assert [one["kind"] for one in event.body["limits"]] == ["promised"]


def test_a_longer_promise_and_a_promise_already_over_move_nothing() -> None:
    old, young = accepted("09-14"), accepted("09-23")
    version = published(promised=5)
    given = transition.preview(INTAKE, row_of(version), at=NIGHT)
    (kept,) = given.kept
    assert (kept.number, kept.reason) == (old.number, "past")
    assert "9 月 20 日 17:00 就已经届满" in kept.sentence
    assert [one.number for one in given.moved] == [young.number]
    assert transition.run(INTAKE, version, at=NIGHT).moved == 1
    assert moves(old) == []
    assert promised(old, NIGHT).due == moment("10-16 17:00")
    longer = published(since="2026-09-25", promised=19)
    given = transition.preview(INTAKE, row_of(longer), at=NIGHT)
    assert {one.number: one.reason for one in given.kept} == {young.number: "not_earlier"}
    assert [one.number for one in given.moved] == [old.number]


def test_a_case_moved_twice_is_told_from_which_version_it_came() -> None:
    case = accepted("09-23")
    first = published(promised=15)
    transition.run(INTAKE, first, at=NIGHT)
    second = published(since="2026-09-28", promised=10)
    assert transition.run(INTAKE, second, at=moment("09-28 00:05")).moved == 1
    assert [(e.body["from"], e.body["to"]) for e in moves(case)] == [
        (was(), first),
        (first, second),
    ]
    assert promised(case, moment("09-29 09:00")).value == 10
    # The earlier clause comes late, after a worker that was away: it changes nothing any more.
    (kept,) = transition.preview(INTAKE, row_of(first), at=moment("09-29 09:00")).kept
    assert (kept.reason, kept.sentence) == ("already", f"已经按第 {second} 版办事指南计算。")


def test_what_is_not_accepted_yet_or_decided_is_left_alone() -> None:
    waiting, decided = received("09-21 09:20"), taken("09-21")
    decided.do("p-water-approver", "granted", "09-22 10:00")
    version = published(promised=12)
    assert transition.preview(INTAKE, row_of(version), at=NIGHT) == transition.Preview((), (), 0)
    assert transition.run(INTAKE, version, at=NIGHT).looked == 0
    assert moves(waiting) == moves(decided) == []


# --- suspended, extended --------------------------------------------------------------------------


def test_a_suspended_case_is_moved_and_its_days_still_do_not_count() -> None:
    case = taken("09-21")
    case.do(REVIEWER, "suspended", "09-22 15:00", {"procedure": "expert_review", "days": "10"})
    version = published(promised=12)
    (move,) = transition.preview(INTAKE, row_of(version), at=NIGHT).moved
    assert (move.suspended, move.state_zh) == (True, "特别程序中")
    transition.run(INTAKE, version, at=NIGHT)
    assert head(case)[2] == "handling"
    case.do(REVIEWER, "resumed", "09-30 09:00")
    # Twelve from 09-21: 10-14; 09-23, 24, 28, 29 and 30 were the experts'.
    assert promised(case, moment("09-30 10:00")).due == moment("10-21 17:00")


def test_an_extended_case_is_moved_and_keeps_its_extension() -> None:
    case = taken("09-21")
    longer = {"days": "5", "reasons": "需要复核水量数据", "confirmed": "on"}
    case.do(HEAD, "extended", "09-22 10:00", longer)
    version = published(promised=12)
    transition.run(INTAKE, version, at=NIGHT)
    found = promised(case, NIGHT)
    # Twelve from 09-21 are 10-14, five more 10-21.
    assert (found.value, found.extra, found.due) == (12, 5, moment("10-21 17:00"))


# --- beforehand, and the run ------------------------------------------------------------------------


def effect(cases: list[Told], before: Mapping[str, datetime], at: datetime) -> dict[str, Any]:
    return {
        one.number: (before[one.number], promised(one, at).due, moves(one)[0].body["from"])
        for one in cases
        if moves(one)
    }


def many() -> list[Told]:
    """Seven cases in all positions; five are moved."""
    cases = [accepted(f"09-{day}") for day in (14, 15, 16, 17, 18, 21)]
    cases.append(taken("09-22"))
    cases[-1].do(
        REVIEWER, "suspended", "09-22 15:00", {"procedure": "testing", "days": "5"}
    )  # fmt: skip
    return cases


def test_the_effect_is_what_the_preview_said_however_the_pages_are_cut() -> None:
    cases = many()
    version = published(promised=8)
    before = {one.number: promised(one, NIGHT).due for one in cases}
    given = transition.preview(INTAKE, row_of(version), at=NIGHT, page=2)
    assert given.more == 0
    assert given == transition.preview(INTAKE, row_of(version), at=NIGHT)
    done = transition.run(INTAKE, version, at=NIGHT, page=2)
    assert (done.looked, done.moved, done.kept) == (7, len(given.moved), len(given.kept))
    assert effect(cases, before, NIGHT) == {
        one.number: (one.old_due, one.new_due, one.was) for one in given.moved
    }
    assert {one.number for one in given.moved} | {one.number for one in given.kept} == set(before)
    few = transition.preview(INTAKE, row_of(version), at=NIGHT, most=3, page=2)
    assert (len(few.moved) + len(few.kept), few.more) == (3, 4)


class Killed(Exception):
    """The worker dies before its transaction commits."""


@transaction.atomic
def killed() -> None:
    transition.sweep(NIGHT, page=2, budget=-1.0)
    raise Killed


def test_a_killed_run_goes_on_where_it_was_and_moves_every_case_once() -> None:
    cases = many()
    version = published(promised=12)
    expected = transition.preview(INTAKE, row_of(version), at=NIGHT)
    # With no time left it does one page and gives way.
    assert transition.sweep(NIGHT, page=2, budget=-1.0) == 1
    with pytest.raises(Killed):
        killed()
    half = transition.outcome(INTAKE, version)
    assert half is not None
    assert (half.looked, half.done) == (2, None)
    later = moment("09-25 00:05")
    transition.sweep(later, page=2)
    done = transition.outcome(INTAKE, version)
    assert done is not None
    assert (done.looked, done.moved, done.begun, done.done) == (7, 7, NIGHT, later)
    assert len(expected.moved) == 7
    assert [len(moves(one)) for one in cases] == [1] * 7
    assert transition.sweep(later, page=2) == 0
    assert transition.run(INTAKE, version, at=later) == done


def test_the_worker_begins_on_the_day_the_version_holds_and_only_where_it_says_so() -> None:
    case = accepted("09-21")
    version = published(promised=12)
    assert transition.sweep(moment("09-23 23:59")) == 0
    silent = published(since="2026-09-28", promised=10, transitional=False)
    assert transition.sweep(NIGHT) == 1
    assert transition.sweep(moment("09-28 00:05")) == 0
    assert transition.outcome(INTAKE, silent) is None
    assert [e.body["to"] for e in moves(case)] == [version]


def test_a_case_that_moves_on_between_reading_and_writing_is_read_again(owner: Owner) -> None:
    case = taken("09-21")
    version = published(promised=12)
    read = transition._undecided(INTAKE, version).after(None, limit=10)
    case.do(REVIEWER, "suspended", "09-23 15:00", {"procedure": "testing", "days": "5"})
    begun = transition.Outcome(INTAKE, version, NIGHT, None, 0, 0, 0, None)
    owner.execute(
        "INSERT INTO cases_transition (item, version, begun, looked, moved, kept)"
        " VALUES (%s, %s, %s, 0, 0, 0)",
        [INTAKE, version, NIGHT],
    )
    transition._page(begun, row_of(version), read, NIGHT)
    assert [e.kind for e in loading.load_bare(case.number).events][-2:] == [
        "suspended", transition.KIND,
    ]  # fmt: skip
    assert transition.run(INTAKE, version, at=NIGHT).moved == 1


# --- plans ------------------------------------------------------------------------------------------


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for one in plan.get("Plans", ()):
        yield from nodes(one)


def test_the_cases_of_an_item_are_found_by_the_index_of_the_open_ones(owner: Owner) -> None:
    case = accepted("09-21")
    version = published(promised=12)
    owner.execute(
        "INSERT INTO cases_case (id, version, number, query_code, source, kind, item,"
        " item_version, item_name, agency, region, opened, state, suspended, holder_kind,"
        " provisional, due, closed, accepted)"
        " SELECT gen_random_uuid(), 2, 'X' || n, 'X', 'test', 'promised',"
        " CASE WHEN n %% 3 = 0 THEN %s ELSE 'other' END, 1, 'x',"
        " CASE WHEN n %% 5 = 0 THEN '420100-water' ELSE 'a-' || n %% 50 END, '420100',"
        " now(), 'handling', false, 'department', false, now(),"
        " CASE WHEN n %% 100 > 0 THEN now() END, now() FROM generate_series(1, 10000) n",
        [INTAKE],
    )
    owner.execute("VACUUM ANALYZE cases_case")
    try:
        with CaptureQueriesContext(connection) as asked:
            given = transition.preview(INTAKE, row_of(version), at=NIGHT)
        assert case.number in [one.number for one in given.moved]
        (sql,) = [one["sql"] for one in asked if "FROM cases_case c" in str(one["sql"])]
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (FORMAT JSON) " + str(sql).replace("%", "%%"), [])
            answer = cursor.fetchone()[0]
        plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        used = {one["Index Name"] for one in nodes(plan) if "Index Name" in one}
        assert used & {"cases_case_pressing", "cases_case_running", "cases_case_counted"}
        assert "cases_case" not in {
            one.get("Relation Name") for one in nodes(plan) if one["Node Type"] == "Seq Scan"
        }
    finally:
        owner.execute("DELETE FROM cases_case WHERE number LIKE 'X%'")
