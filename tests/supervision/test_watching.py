"""Watching the log: once, whoever dies; late, and dated right; again, and the same; corrected later."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from tests.cases import people
from tests.cases.people import Told, moment
from tests.supervision.test_truth import supervised
from zhengwu.cases import alarms, loading, stories
from zhengwu.cases.events import STREAM
from zhengwu.cases.simulation import filing
from zhengwu.config import worker
from zhengwu.domain.event import Event
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import again, followers
from zhengwu.supervision.events import ACCOUNTS, FINDINGS
from zhengwu.web.clock import now

__all__ = ["supervised"]
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"
Owner = psycopg.Connection[tuple[object, ...]]


def findings(*columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns)} FROM supervision_finding WHERE {where} ORDER BY at, rule, id"
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def whole() -> list[tuple[Any, ...]]:
    return findings("id", "rule", "first_level", "at", "person", "agency", "number")


@pytest.fixture
def overdue(town: None) -> Told:
    """Accepted and taken in September, and not decided since."""
    case = people.received("09-14 09:20")
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 14:00")
    return case


def watched() -> None:
    alarms.sweep(now())
    ledger.catch_up()


def test_a_case_past_its_promise_gets_one_card_dated_at_its_end_however_late_it_is_noticed(
    overdue: Told,
) -> None:
    watched()
    followers.sweep(now())
    watched()
    cards = findings("rule", "level", "at", "person", "post", "agency", "due", where="rule = 'T03'")
    assert len(cards) == 1
    rule, level, at, person, post, agency, due = cards[0]
    assert (rule, level, person, agency) == ("T03", "yellow", REVIEWER, people.WATER)
    assert post
    assert at == due == moment("10-16 17:00")  # 20 working days: two of them made up for October
    assert {row[0] for row in findings("rule")} >= {"T01", "T02", "T03", "T04", "T05"}


def test_a_card_names_its_evidence_and_how_far_the_log_was_known(overdue: Told) -> None:
    watched()
    (identifier,) = findings("id", where="rule = 'T03'")[0]
    (event,) = ledger_queries.stream_events(FINDINGS, identifier)
    assert event.kind == "issued"
    assert event.occurred == moment("10-16 17:00") < event.received
    assert event.body["versions"] == [2]
    assert event.body["positions"][0] < event.body["known"]
    assert event.body["limit"] == "promised"
    assert event.body["facts"] == {
        "kind": "promised", "limit": "promised", "over": 0, "statutory_over": False, "value": 20,
        "whole_over": True,
    }  # fmt: skip
    assert event.actor is None


def test_overdue_opens_accountability_that_nobody_asked_for(overdue: Told) -> None:
    watched()
    with connection.cursor() as cursor:
        cursor.execute("SELECT cause, agency, person, state, findings FROM supervision_account")
        rows = cursor.fetchall()
    # T03, T04 and T05 of one case are one cause.
    assert ("overdue", people.WATER, REVIEWER, "opened", 3) in rows
    assert len([row for row in rows if row[0] == "overdue"]) == 1


def test_a_suspension_registered_after_the_card_leaves_it_and_opens_an_appeal(
    overdue: Told,
) -> None:
    watched()
    before = findings("id", where="level IN ('yellow', 'red')")
    overdue.do(REVIEWER, "suspended", "09-15 09:00", {"procedure": "expert_review", "days": "60"})
    watched()
    cards = findings(
        "id", "basis_changed", "appeal", "counts", "level",
        where="level IN ('yellow', 'red') AND rule <> 'D03'",
    )  # fmt: skip
    assert {row[0] for row in before} == {row[0] for row in cards}, "cards stay"
    assert all(changed and appeal == "open" and counts for _, changed, appeal, counts, _ in cards)
    kinds = [one.kind for one in ledger_queries.stream_events(FINDINGS, cards[0][0])]
    assert kinds == ["issued", "basis_changed", "appeal_opened"]
    told = ledger_queries.stream_events(FINDINGS, cards[0][0])[2].body
    assert told["reason"] == "special_unregistered"
    assert told["versions"] == [4]
    corrections = findings("person", "agency", where="rule = 'D03'")
    assert corrections
    assert set(corrections) == {(REVIEWER, people.WATER)}
    watched()
    assert len(findings("id", where="rule = 'D03'")) == len(corrections), "each once"


@pytest.mark.usefixtures("supervised")
def test_watching_again_from_the_beginning_finds_nothing_new_and_nothing_else() -> None:
    before = whole()
    positions, issued = again.watch_again()
    assert issued == 0
    assert positions > 3_000
    ledger.catch_up()
    assert whole() == before


@pytest.mark.usefixtures("supervised")
def test_every_finding_follows_from_what_the_log_held_when_it_was_issued() -> None:
    checked = again.Checked()
    assert list(again.differences(checked)) == []
    assert checked.findings > 250


def test_a_story_that_is_at_hand_is_not_read_again_and_is_the_same(overdue: Told) -> None:
    case = loading.load(people.actor(CLERK), overdue.number).id
    ledger.sequence()
    read = list(stories.watched([case]))
    entries = ledger_queries.stream_events(STREAM, case)
    (told,) = stories.watched([case], at_hand={case: entries})
    assert told._replace(events=()) == read[0]._replace(events=())
    assert told.events == tuple(entries)
    assert [_as_told(one) for one in told.events] == [_as_told(one) for one in read[0].events]
    (early,) = stories.watched([case], reached=entries[1].position, at_hand={case: entries})
    assert early.events == tuple(entries[:2])


def _as_told(one: Event) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(Event)}


@pytest.mark.usefixtures("supervised")
def test_an_altered_finding_does_not_follow(owner: Owner) -> None:
    owner.execute(
        "UPDATE supervision_finding SET at = at + interval '1 day', person = 'nobody'"
        " WHERE id IN (SELECT id FROM supervision_finding WHERE rule = 'T03' LIMIT 1)"
    )
    (one,) = again.differences(again.Checked())
    assert (one.rule, one.what[:4]) == ("T03", "时刻应为")


@pytest.mark.usefixtures("supervised")
def test_counted_from_an_empty_table_the_findings_are_the_same(owner: Owner) -> None:
    """However the runs are cut: five hundred entries at a time, then four thousand."""
    assert findings("id", where="basis_changed") == []
    before = whole()
    gone = (
        "DELETE FROM ledger_position p USING ledger_event e WHERE p.event = e.id AND e.stream IN (%s, %s)",
        "DELETE FROM ledger_event WHERE stream IN (%s, %s)",
    )
    for statement in gone:
        owner.execute(statement.encode(), [FINDINGS, ACCOUNTS])
    owner.execute(
        "TRUNCATE supervision_finding, supervision_account, supervision_watch, supervision_heard"
    )
    owner.execute("UPDATE ledger_sequencer SET last = (SELECT max(position) FROM ledger_position)")
    owner.execute("UPDATE ledger_follower SET position = 0 WHERE name = %s", [followers.NAME])
    while ledger.follow(followers.NAME, limit=701):
        pass
    ledger.catch_up()
    # Whoever looks between a late piece of news and its day gives a card whose basis then changes;
    # whoever looks after both gives none.
    passing = set(findings("id", where="basis_changed OR rule = 'D03'"))
    assert [row for row in whole() if row[:1] not in passing] == before
    assert len(passing) < 10


class Killed(Exception):
    """The worker is gone."""


def test_a_killed_worker_issues_nothing_twice_and_loses_nothing(
    overdue: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms.sweep(now())
    ledger.sequence()
    monkeypatch.setattr(followers, "_settle", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        ledger.follow(followers.NAME)
    assert findings("id") == []
    monkeypatch.undo()
    ledger.catch_up()
    first = whole()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_follower SET position = 0 WHERE name = %s", [followers.NAME])
    ledger.catch_up()
    assert whole() == first
    assert len(first) == len({row[0] for row in first}) > 4


def test_the_sweep_looks_only_where_something_is_due(overdue: Told) -> None:
    watched()
    at = now()
    assert followers.sweep(at) == 0
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute('EXPLAIN SELECT "case" FROM supervision_watch WHERE look_at <= now()')
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "supervision_watch_at" in plan


def test_time_goes_no_further_than_the_log_has_been_gone_through(overdue: Told) -> None:
    """A worker that comes back, or history that is poured in, is not judged by today."""
    alarms.sweep(now())
    ledger.sequence()
    ledger.follow(followers.NAME, limit=1)
    followers.sweep(now() + timedelta(days=400))
    assert findings("rule") == []
    ledger.catch_up()
    assert ("T03",) in findings("rule")


@pytest.mark.usefixtures("overdue")
def test_while_a_year_is_played_timed_work_leaves_cases_alone(owner: Owner) -> None:
    done: list[datetime] = []

    def work(at: datetime) -> int:
        done.append(at)
        return 1

    timed = worker.Timed("of cases", 0.0, work, of_cases=True)
    working = worker.Worker(timed=(timed,))
    with owner.cursor() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [filing.PLAYING])
        working.turn()
        assert done == []
        other.execute("SELECT pg_advisory_unlock(%s)", [filing.PLAYING])
    working.turn()
    assert len(done) == 1


def test_an_attempt_to_ask_for_what_no_guide_lists_is_a_card_for_whoever_tried(town: None) -> None:
    case = people.received(missing=1)
    with pytest.raises(Refusal):
        case.do(
            CLERK, "supplement_requested", "09-14 10:00",
            {"material-99": "missing", "why-99": "请再交一份单位介绍信"},
        )  # fmt: skip
    ledger.catch_up()
    assert findings("level", "person", "agency", "number", where="rule = 'C02'") == [
        ("yellow", CLERK, people.WATER, case.number)
    ]


def test_whoever_watches_holds_the_cursor_so_that_two_never_watch_at_once(overdue: Told) -> None:
    alarms.sweep(now())
    ledger.catch_up()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(1), position FROM ledger_follower WHERE name = %s"
            " FOR UPDATE SKIP LOCKED",
            [followers.NAME],
        )
        assert cursor.fetchone()
