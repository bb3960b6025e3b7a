"""Re-projection: a change of the calendar moves the running cases it concerns, once, and no more."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection, connections, transaction

from tests.accounts.city import HALL
from tests.cases.people import Told, actor, moment, received
from tests.domain.notice_texts import NOTICE_2027
from zhengwu.accounts import queries as accounts
from zhengwu.calendars import events as calendar_events
from zhengwu.calendars import queries as calendars
from zhengwu.calendars import services as calendar_services
from zhengwu.cases import loading, reprojection
from zhengwu.cases.reprojection import Run
from zhengwu.domain import notices
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, REVIEWER = "p-water-clerk", "p-water-reviewer"
NOON, YEARS_END = moment("12-17 12:00"), moment("12-31 12:00")
FLOOD = {"days": [["2026-10-22", "防汛停课停工", True]], "basis": "江城市防汛指挥部通告〔2026〕8号"}


def publish(change: Mapping[str, Any], at: datetime = NOON) -> int:
    """One proposes, another confirms."""
    version = calendar_services.propose(
        accounts.actor("p-system_admin"), change, reason="按通知公布", key=str(uuid4()), at=at,
        halls=[HALL],
    )  # fmt: skip
    return calendar_services.confirm(
        accounts.actor("p-security_admin"), version, key=str(uuid4()), at=at, halls=[HALL]
    )


def notice() -> dict[str, Any]:
    """The holidays of 2027."""
    read = notices.read(NOTICE_2027)
    return {
        "kind": "notice", "year": read.year, "amends": False, "source": read.source,
        "days": [[day.isoformat(), name, off] for day, name, off in read.days],
    }  # fmt: skip


def amendment() -> dict[str, Any]:
    return {
        "kind": "notice", "year": 2026, "amends": True, "source": "国办发明电〔2026〕99号",
        "days": [["2026-10-22", "纪念日", True]],
    }  # fmt: skip


def overlay(scope: str) -> dict[str, Any]:
    return {"kind": "overlay", "scope": scope, **FLOOD}


def accepted(received_on: str, accepted_on: str) -> Told:
    case = received(f"{received_on} 09:20")
    case.do(CLERK, "accepted", f"{accepted_on} 10:00")
    return case


def autumn() -> Told:
    """Promised by 10-26, statutory by 11-30."""
    return accepted("09-21", "09-21")


def head(case: Told) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, version, due, warn, provisional, next_at FROM cases_case WHERE number = %s",
            [case.number],
        )
        return dict(
            zip(("id", "version", "due", "warn", "provisional", "next_at"), cursor.fetchone(),
                strict=True)
        )  # fmt: skip


def day(moment_: datetime | None) -> str:
    assert moment_ is not None
    return moment_.astimezone(NOON.tzinfo).date().isoformat()


def identity(case: Told) -> UUID:
    return loading.load(actor(CLERK), case.number).id


def kinds(case: Told) -> set[str]:
    return {one.kind for one in reprojection.moves_of(identity(case))}


def again(at: datetime) -> Run:
    run = reprojection.reproject_all(at, page=2)
    assert run is not None
    return run


def told() -> list[Mapping[str, Any]]:
    """What the calendar's stream was told of re-projections."""
    events = ledger_queries.stream_events(calendar_events.STREAM, calendar_events.STREAM_ID)
    return [one.body for one in events if one.kind == "reprojected"]


# --- what moves ----------------------------------------------------------------------------------


def test_publishing_next_year_makes_a_provisional_end_firm_and_moves_it() -> None:
    case = accepted("12-14", "12-15")
    before = head(case)
    assert before["provisional"]
    number = publish(notice())
    run = again(NOON)
    after = head(case)
    assert (run.edition, run.looked, run.moved) == (number, 1, 1)
    assert not after["provisional"]
    assert after["version"] == before["version"], "nothing happened to the case"
    now = loading.load(actor(CLERK), case.number).read(NOON).due
    assert now is not None
    assert (after["due"], after["warn"]) == (now.due, now.warn)
    moves = {one.kind: one for one in reprojection.moves_of(before["id"])}
    assert set(moves) == {"statutory", "promised"}
    assert all(one.became_firm for one in moves.values())
    assert (moves["promised"].before, moves["promised"].after) == (before["due"], after["due"])
    statutory = moves["statutory"]
    assert statutory.before is not None
    assert statutory.after is not None
    assert statutory.after > statutory.before, "the Spring Festival lies in it"
    assert moves["promised"].because == notice()["source"]


def test_an_amendment_in_mid_year_moves_only_running_cases_of_that_time() -> None:
    before_it, running, after_it = (
        accepted("09-14", "09-14"), autumn(), accepted("10-23", "10-23"),
    )  # fmt: skip
    done = received("09-14 10:20")
    done.do(CLERK, "withdrawn", "09-15 10:00", {"reason": "不办了"})
    dues = {one.number: head(one)["due"] for one in (before_it, after_it, done)}
    assert day(dues[before_it.number]) < "2026-10-22"
    publish(amendment(), moment("10-23 12:00"))
    run = again(moment("10-23 12:00"))
    assert (run.looked, run.moved) == (3, 2)
    assert day(head(running)["due"]) == "2026-10-27"
    assert {number: head(Told(number, ""))["due"] for number in dues} == dues
    assert kinds(running) == {"promised", "statutory"}
    assert kinds(before_it) == {"statutory"}, "the promised end lies before the day"
    assert kinds(after_it) == kinds(done) == set()


def test_a_local_arrangement_moves_only_its_region_and_its_hall(owner: Owner) -> None:
    here, there = autumn(), autumn()
    # The second one as if received in a district, in no hall.
    owner.execute(
        "UPDATE cases_case SET region = '420102', hall = NULL WHERE number = %s", [there.number]
    )
    publish(overlay("region:420102"))
    again(NOON)
    assert (day(head(here)["due"]), day(head(there)["due"])) == ("2026-10-26", "2026-10-27")
    (move, _) = reprojection.moves_of(identity(there))
    assert move.because == FLOOD["basis"]
    publish({**overlay(f"hall:{HALL}"), "basis": "大厅公告〔2026〕1号"})
    again(NOON)
    assert (day(head(here)["due"]), day(head(there)["due"])) == ("2026-10-27", "2026-10-27")
    assert {one.because for one in reprojection.moves_of(identity(here))} == {"大厅公告〔2026〕1号"}
    assert len(reprojection.moves_of(identity(there))) == 2


def test_a_rule_of_another_limit_moves_nothing() -> None:
    case = autumn()
    rule = {
        "kind": "delivery", "value": 5, "unit": "working_day", "roll": True,
        "basis": "江城市优化营商环境条例 第十条", "since": "2026-12-18",
    }  # fmt: skip
    publish({"kind": "rule", "rule": rule})
    assert again(NOON).moved == 0
    assert reprojection.moves_of(identity(case)) == ()


def test_what_was_known_before_is_still_read_as_it_was() -> None:
    case = autumn()
    ledger.catch_up()
    position = ledger_queries.lag().last
    publish(amendment())
    again(NOON)
    ledger.catch_up()
    loaded = loading.load(actor(CLERK), case.number)
    then, now = loaded.read(moment("10-01 09:00"), known=position), loaded.read(NOON)
    for reading, due in ((then, "2026-10-26"), (now, "2026-10-27")):
        promised = reading.limit("promised")
        assert promised is not None
        assert day(promised.due) == due


def test_a_case_begun_after_the_change_was_never_told_another_end() -> None:
    publish(amendment())
    case = autumn()
    assert again(NOON).moved == 0
    assert reprojection.moves_of(identity(case)) == ()
    assert day(head(case)["due"]) == "2026-10-27"


def test_acts_after_the_change_are_told_the_new_end_and_the_rest_of_the_case_moves() -> None:
    case = received("10-19 09:20")  # an answer by 10-26, with the day off 10-27
    publish(amendment())
    case.do(CLERK, "accepted", "10-20 10:00")
    again(moment("10-20 12:00"))
    assert kinds(case) == set(), "its acceptance is over, and the decision began afterwards"


# --- once ----------------------------------------------------------------------------------------


def test_running_twice_moves_nothing_twice_and_tells_the_calendar_once() -> None:
    cases = [autumn() for _ in range(5)]
    publish(amendment())
    first = again(NOON)
    assert (first.looked, first.moved, first.turn) == (5, 5, 2)
    assert again(NOON) == first
    second = again(NOON + timedelta(minutes=11))
    assert (second.looked, second.moved) == (5, 5)
    assert second.finished is not None
    assert again(NOON + timedelta(hours=1)) == second
    assert [len(reprojection.moves_of(identity(one))) for one in cases] == [2] * 5
    assert told() == [{"edition": first.edition, "looked": 5, "moved": 5, "unread": 0}]
    assert calendars.holds() == first.edition, "what was told of the run is no change"


def test_several_changes_are_one_run_to_the_last() -> None:
    case = accepted("12-14", "12-15")
    publish(notice())
    last = publish({**overlay("region:420100"), "days": [["2026-12-21", "停水检修", True]]})
    assert again(NOON).edition == last
    assert len(told()) == 1
    because = {one.because for one in reprojection.moves_of(identity(case))}
    assert because == {f"{notice()['source']}；{FLOOD['basis']}"}


def test_a_change_confirmed_during_a_run_gets_a_run_of_its_own() -> None:
    for _ in range(3):
        autumn()
    first = publish(amendment())
    assert reprojection.step(NOON, page=2)
    second = publish({**overlay("region:420100"), "days": [["2026-10-23", "停水检修", True]]})
    assert again(NOON).edition == second
    assert [(one["edition"], one["moved"]) for one in told()] == [(first, 3), (second, 3)]


def test_nothing_is_read_again_where_nothing_was_changed() -> None:
    case = autumn()
    before = head(case)
    assert again(NOON).former is None
    assert reprojection.moves_of(before["id"]) == ()
    assert head(case) == before
    assert reprojection.work(NOON) == 0


# --- races ---------------------------------------------------------------------------------------


@contextmanager
def under_way(act: Any) -> Any:
    """An act in a transaction of its own that is not committed before the block ends."""
    done, release = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with transaction.atomic():
                act()
                done.set()
                release.wait(30)
        except BaseException as problem:  # told to the test
            failed.append(problem)
            done.set()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert done.wait(30)
    assert not failed
    try:
        yield
    finally:
        release.set()
        thread.join(30)
    assert not failed


def test_a_receipt_under_way_with_the_old_edition_is_found_by_the_second_pass() -> None:
    made: list[Told] = []
    with under_way(lambda: made.append(received("12-31 09:20"))):
        publish(notice())
        assert again(YEARS_END).looked == 0
    (case,) = made
    assert head(case)["provisional"], "it did not know"
    assert again(YEARS_END + timedelta(minutes=9)).finished is None
    run = again(YEARS_END + timedelta(minutes=10))
    assert (run.looked, run.moved) == (0, 1)
    assert not head(case)["provisional"]
    assert [one.kind for one in reprojection.moves_of(identity(case))] == ["acceptance"]


def test_a_case_that_moves_on_while_it_is_read_is_read_again() -> None:
    case = received("12-31 09:20")
    runs: list[Run] = []

    def run() -> None:
        runs.append(again(YEARS_END))
        connections.close_all()

    thread = threading.Thread(target=run)
    with under_way(lambda: case.do(CLERK, "accepted", "12-31 10:00")):
        publish(notice())
        thread.start()
        while not blocked():
            assert thread.is_alive()
    thread.join(30)
    after = head(case)
    assert (after["version"], after["provisional"]) == (2, False)
    now = loading.load(actor(CLERK), case.number).read(YEARS_END).due
    assert now is not None
    assert after["due"] == now.due
    assert runs[0].moved == 1


def blocked() -> bool:
    """Whether a session of this database waits for another's row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def test_a_case_that_cannot_be_read_does_not_hold_up_the_others(owner: Owner) -> None:
    broken, well = autumn(), autumn()
    owner.execute(
        "UPDATE ledger_event SET body = jsonb_set(body, '{limits,0,unit}', '\"fortnight\"')"
        " WHERE stream_id = %s AND kind = 'accepted'",
        [identity(broken)],
    )
    publish(amendment())
    run = again(NOON)
    assert (run.looked, run.moved, run.unread) == (2, 1, 1)
    assert list(run.named) == [broken.number]
    assert day(head(well)["due"]) == "2026-10-27"
    assert told()[-1]["unread"] == 1


# --- before anybody confirms ---------------------------------------------------------------------


def test_a_preview_says_what_the_change_then_does() -> None:
    autumn()
    winter, other = accepted("12-14", "12-15"), received("12-15 09:20")
    seen = reprojection.preview(notice(), at=NOON)
    assert (seen.looked, seen.read, seen.sampled) == (3, 3, False)
    publish(notice())
    assert again(NOON).moved == seen.moved == 1
    assert (seen.earlier, seen.later, seen.became_firm) == (0, 0, 1)
    (example,) = seen.examples
    (first, *_) = reprojection.moves_of(identity(winter))
    assert example.number == winter.number
    assert example.item_name
    assert {first.kind, "promised", "statutory"} >= {example.kind}
    assert head(other)["provisional"] is False
    nothing = reprojection.preview(overlay("region:420103"), at=NOON)
    assert (nothing.moved, nothing.examples) == (0, ())


def test_a_preview_of_many_cases_reads_an_even_sample_and_says_so() -> None:
    for _ in range(6):
        autumn()
    seen = reprojection.preview(amendment(), at=moment("10-01 09:00"), most=3)
    assert (seen.sampled, seen.read, seen.looked) == (True, 3, 6)
    assert (seen.moved, seen.later, seen.earlier) == (6, 6, 0)
    assert {(day(one.before), day(one.after)) for one in seen.examples} == {
        ("2026-10-26", "2026-10-27")
    }
