"""Alarms: once each, at the lawful instant, however late somebody looks; and what a sweep costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cases.people import INTAKE, Told, actor, moment, received
from tests.cases.test_reading_logs import LOG
from tests.cases.test_reading_logs import written as as_file
from zhengwu.accounts.queries import CITY
from zhengwu.cases import alarms, loading, replay, running
from zhengwu.cases.events import ALARMS
from zhengwu.ledger import services as ledger
from zhengwu.ledger.queries import stream_events

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"
ANSWER = datetime.fromisoformat("2026-09-20T17:00+08:00")  # 5 working days after 09-14
NEAR = datetime.fromisoformat("2026-09-17T00:00+08:00")


def identity(case: Told) -> UUID:
    return loading.load(actor(CLERK), case.number).id


def raised(case: Told) -> list[tuple[str, str, datetime]]:
    return [(one.limit, one.level, one.occurred) for one in alarms.of_case(identity(case))]


def next_at(case: Told) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT next_at FROM cases_case WHERE number = %s", [case.number])
        found: datetime | None = cursor.fetchone()[0]
    return found


def written() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_event WHERE stream = %s", [ALARMS])
        return int(cursor.fetchone()[0])


def accepted() -> Told:
    case = received("09-14 09:20")
    case.do(CLERK, "accepted", "09-15 10:00")
    return case


# --- what was not looked at in time ---------------------------------------------------------------


def test_what_came_true_before_an_acceptance_is_raised_though_nobody_looked() -> None:
    case = received("09-14 09:20")
    case.do(CLERK, "accepted", "09-18 10:00")
    assert alarms.sweep(moment("09-18 10:01")) == 1
    assert raised(case) == [("acceptance", "near", NEAR)]


def test_a_decision_made_late_while_nobody_looked_leaves_its_alarms() -> None:
    case = accepted()
    case.do(REVIEWER, "step_taken", "09-15 11:00")
    case.do(REVIEWER, "step_done", "12-20 10:00", {"opinion": "同意"})
    case.do(APPROVER, "step_taken", "12-20 11:00")
    case.do(APPROVER, "granted", "12-20 15:00")
    alarms.sweep(moment("12-21 09:00"))
    levels = {(limit, level) for limit, level, _ in raised(case)}
    assert {("promised", "over"), ("statutory", "over"), ("promised", "near")} <= levels
    assert alarms.sweep(moment("12-21 09:05")) == 0


def test_an_alarm_that_came_before_a_pause_is_raised_during_it() -> None:
    case = accepted()
    case.do(REVIEWER, "step_taken", "09-15 11:00")
    promised = loading.load(actor(CLERK), case.number).read(moment("09-16 09:00")).limit("promised")
    assert promised
    near = promised.warn
    later = near + timedelta(hours=9)
    case.do(
        REVIEWER, "suspended", f"{later.astimezone(near.tzinfo):%m-%d %H:%M}",
        {"procedure": "hearing", "days": "5"},
    )  # fmt: skip
    alarms.sweep(later + timedelta(hours=3))
    assert ("promised", "near", near) in raised(case)


# --- when ----------------------------------------------------------------------------------------


def test_a_limit_warns_two_working_days_before_and_again_when_it_is_over() -> None:
    case = received("09-14 09:20")
    assert next_at(case) == NEAR
    assert alarms.sweep(NEAR - timedelta(seconds=1)) == 0
    assert alarms.sweep(NEAR) == 1
    assert raised(case) == [("acceptance", "near", NEAR)]
    assert next_at(case) == ANSWER
    assert alarms.sweep(ANSWER + timedelta(seconds=1)) == 1
    assert raised(case) == [("acceptance", "near", NEAR), ("acceptance", "over", ANSWER)]
    assert next_at(case) is None


def test_the_event_says_which_limit_and_nothing_of_anybody() -> None:
    case = received("09-14 09:20")
    alarms.sweep(NEAR)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM cases_alarm")
        ((stream,),) = cursor.fetchall()
    (event,) = stream_events(ALARMS, stream)
    assert (event.kind, event.occurred, event.actor, event.source) == ("near", NEAR, None, "clock")
    assert (event.agency, event.region) == ("420100-water", "420100")
    assert set(event.body) == {"case", "limit", "due"}
    assert event.body["case"] == str(identity(case))


def test_a_second_sweep_and_one_by_a_clock_set_back_raise_nothing_again() -> None:
    case = received("09-14 09:20")
    for at in (NEAR, NEAR, ANSWER, NEAR, NEAR - timedelta(days=1), ANSWER + timedelta(days=9)):
        alarms.sweep(at)
    assert [level for _, level, _ in raised(case)] == ["near", "over"]
    assert written() == 2


def test_a_clock_set_back_behind_an_acceptance_raises_nothing_that_it_ended(owner: Owner) -> None:
    case = received("09-14 09:20")
    case.do(CLERK, "accepted", "09-16 10:00")
    owner.execute("UPDATE cases_case SET next_at = opened WHERE number = %s", [case.number])
    assert alarms.sweep(NEAR + timedelta(hours=1)) == 1
    assert raised(case) == []
    assert next_at(case) == moment("10-16 00:00"), "two working days before 10-20"


def test_an_act_that_leaves_the_limit_alone_raises_it_no_second_time() -> None:
    case = accepted()
    alarms.sweep(moment("12-20 09:00"))
    before = raised(case)
    assert [one[1] for one in before] == ["near", "over", "near", "over"]
    case.do(REVIEWER, "step_taken", "12-20 10:00")
    assert next_at(case) is not None, "the commit does not know what was raised"
    alarms.sweep(moment("12-20 11:00"))
    assert raised(case) == before


def test_after_a_week_without_a_worker_everything_is_raised_at_its_own_instant() -> None:
    cases = [received(f"09-{day} 09:20") for day in (14, 15, 16)]
    assert alarms.sweep(moment("09-29 09:00"), page=2) == 3
    for case in cases:
        first, second = alarms.of_case(identity(case))
        assert (first.level, second.level) == ("near", "over")
        assert second.occurred == second.due
        assert first.noticed > first.due - timedelta(days=365)
    assert raised(cases[0]) == [("acceptance", "near", NEAR), ("acceptance", "over", ANSWER)]


def test_what_stands_still_warns_of_nothing_and_a_new_end_warns_anew() -> None:
    case = accepted()
    case.do(REVIEWER, "step_taken", "09-15 14:00")
    alarms.sweep(moment("10-18 09:00"))
    assert [one[1] for one in raised(case) if one[0] == "promised"] == ["near"]
    case.do(REVIEWER, "suspended", "10-18 10:00", {"procedure": "expert_review", "days": "10"})
    before = raised(case)
    alarms.sweep(moment("11-10 09:00"))
    assert raised(case) == before
    assert next_at(case) is None
    case.do(REVIEWER, "resumed", "11-10 10:00")
    assert next_at(case) is not None
    alarms.sweep(moment("11-17 09:00"))
    dues = [one.due for one in alarms.of_case(identity(case)) if one.limit == "promised"]
    assert len(set(dues)) == 2, "the alarm of the former end stays in the log"


def test_papers_filed_after_closing_time_are_shown_with_their_end_and_warned_of() -> None:
    case = received("09-18 18:30")  # a Friday; Sunday 09-20 is worked
    with connection.cursor() as cursor:
        cursor.execute("SELECT due FROM cases_case WHERE number = %s", [case.number])
        due = cursor.fetchone()[0]
    assert due is not None
    assert next_at(case) == moment("09-20 09:00"), "looked at when it begins"
    alarms.sweep(moment("09-20 09:00"))
    assert raised(case) == []
    alarms.sweep(due)
    assert [one[1] for one in raised(case)] == ["near", "over"]


def test_a_finished_case_has_nothing_to_do_any_more() -> None:
    case = received("09-14 09:20")
    case.do(CLERK, "withdrawn", "09-15 10:00", {"reason": "不办了"})
    assert next_at(case) is None
    assert alarms.sweep(moment("12-30 09:00")) == 0


def test_another_systems_own_deadline_raises_no_alarm(tmp_path: Path) -> None:
    end = '<date key="enddate" value="2011-11-01T10:00:00.000+01:00"/>'
    report = replay.run(as_file(tmp_path, LOG.replace(end, "")), "receipt")
    assert report.opened == 1
    assert alarms.sweep(moment("12-30 09:00")) == 0
    assert written() == 0


def test_a_case_that_cannot_be_read_does_not_hold_up_the_others(owner: Owner) -> None:
    broken, well = accepted(), received("09-15 09:20")
    owner.execute(
        "UPDATE ledger_event SET body = jsonb_set(body, '{limits,0,unit}', '\"fortnight\"')"
        " WHERE stream_id = %s AND kind = 'accepted'",
        [identity(broken)],
    )
    owner.execute("UPDATE cases_case SET next_at = opened WHERE number = %s", [broken.number])
    assert alarms.sweep(moment("12-30 09:00"), page=1) == 1
    assert len(raised(well)) == 2
    assert next_at(broken) is not None, "it is tried again"


def test_a_case_moved_between_reading_and_writing_is_left_to_the_next_sweep(owner: Owner) -> None:
    case = accepted()
    alarms.sweep(moment("10-01 09:00"))
    before = written()
    seen = running.called(moment("12-30 09:00"), after=None, limit=10)
    case.do(REVIEWER, "step_taken", "10-02 09:00")
    assert alarms._settle(seen, moment("12-30 09:00")) == 0
    assert written() == before
    assert next_at(case) is not None


# --- what it costs -------------------------------------------------------------------------------

MANY = 20_000


def many(owner: Owner, like: str, due: str) -> None:
    """So many heads like one case, with a receipt each; none of them due before 2030."""
    columns = [
        str(name)
        for (name,) in owner.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'cases_case'::regclass"
            " AND attnum > 0 AND NOT attisdropped"
        )
    ]
    made = {
        "id": "gen_random_uuid()", "number": "'X' || n", "due": due, "warn": due, "next_at": due,
    }  # fmt: skip
    chosen = ", ".join(made.get(name, f'"{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    owner.execute(
        f"INSERT INTO cases_case ({names}) SELECT {chosen} FROM cases_case,"
        f" generate_series(1, {MANY}) n WHERE number = %s",
        [like],
    )
    owner.execute(
        "INSERT INTO ledger_event (id, stream, stream_id, version, kind, nature, occurred,"
        " recorded, received, source, key, body) SELECT gen_random_uuid(), 'case', id, 1,"
        " 'received', 'act', opened, opened, opened, 'test', number, '{}' FROM cases_case"
        " WHERE number LIKE 'X%'"
    )
    owner.execute("VACUUM ANALYZE cases_case, ledger_event, ledger_position")


def plans(captured: CaptureQueriesContext) -> Iterator[dict[str, Any]]:
    """Every node of the plans of what was asked of the cases."""
    for query in captured.captured_queries:
        sql = str(query["sql"])
        if "FROM cases_case c" not in sql or not sql.startswith("SELECT"):
            continue
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.replace("%", "%%"), [])
            answer = cursor.fetchone()[0]
        stack = [(json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]]
        while stack:
            node = stack.pop()
            stack += node.get("Plans", ())
            yield node


def looked(nodes: Iterator[dict[str, Any]]) -> int:
    """Most rows that one part of a plan looked at; no part may read the table as it lies."""
    most = 0.0
    for node in nodes:
        assert node["Node Type"] != "Seq Scan" or node["Relation Name"] != "cases_case"
        removed = node.get("Rows Removed by Filter", 0)
        most = max(most, node["Actual Loops"] * (node["Actual Rows"] + removed))
    return int(most)


def test_the_minutes_sweep_touches_only_what_is_due(owner: Owner) -> None:
    cases = [received("09-14 09:20") for _ in range(3)]
    many(owner, cases[0].number, "timestamptz '2030-01-01' + n * interval '1 minute'")
    with CaptureQueriesContext(connection) as asked:
        assert alarms.sweep(NEAR) == 3
    assert len(asked) <= 12
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET next_at = %s WHERE next_at = %s", [NEAR, ANSWER])
    assert looked(plans(asked)) <= 30
    alarms.sweep(NEAR)
    with CaptureQueriesContext(connection) as asked:
        assert alarms.sweep(NEAR) == 0
    assert len(asked) == 1, "nothing due costs one look into the index"
    assert looked(plans(asked)) == 0


def test_the_search_for_silent_cases_touches_only_what_is_due(owner: Owner) -> None:
    cases = [received("09-14 09:20") for _ in range(3)]
    many(owner, cases[0].number, "timestamptz '2030-01-01' + n * interval '1 minute'")
    with CaptureQueriesContext(connection) as asked:
        found = list(loading.silent(at=ANSWER, page=200, items=[INTAKE]))
    assert len(found) == 3
    assert looked(plans(asked)) <= 30


def test_alarms_get_their_place_in_the_log_like_everything_else() -> None:
    received("09-14 09:20")
    alarms.sweep(ANSWER)
    ledger.catch_up()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM ledger_event e JOIN ledger_position p ON p.event = e.id"
            " WHERE e.stream = %s AND e.region = %s",
            [ALARMS, CITY],
        )
        assert cursor.fetchone()[0] == 2
