"""The worker: order, followers, timed work; one fault does not hold up the rest."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from zhengwu.config.migrate import WORKING
from zhengwu.config.worker import TIMED, Timed, Worker
from zhengwu.web import throttle

pytestmark = pytest.mark.usefixtures("db")


def test_a_fault_in_timed_work_does_not_hold_up_the_rest() -> None:
    done: list[datetime] = []

    def broken(at: datetime) -> int:
        raise ValueError("broken")

    def good(at: datetime) -> int:
        done.append(at)
        return 1

    worker = Worker(timed=(Timed("broken", 60, broken), Timed("good", 60, good)))
    assert worker.turn() == 1
    assert worker.turn() == 0  # not before its time
    assert len(done) == 1
    assert done[0].tzinfo is not None


def test_counts_of_attempts_are_forgotten_when_no_window_looks_at_them_any_more() -> None:
    at, within = datetime(2026, 9, 14, 9, tzinfo=UTC), timedelta(minutes=10)
    (work,) = (one for one in TIMED if one.name == "forget_old_attempts")
    for who in ("192.0.2.1", "192.0.2.2"):
        throttle.attempts("track", who, at=at, within=within)
    throttle.attempts("track", "192.0.2.3", at=at + timedelta(minutes=50), within=within)
    assert work.run(at + timedelta(minutes=9)) == 0
    assert work.run(at + throttle.LONGEST + timedelta(seconds=1)) == 2
    later = at + timedelta(minutes=55)
    assert throttle.attempts("track", "192.0.2.3", at=later, within=within) == 2


def test_no_window_is_longer_than_what_is_kept() -> None:
    at = datetime(2026, 9, 14, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match="day"):
        throttle.attempts("track", "192.0.2.1", at=at, within=timedelta(days=1))


def test_a_second_worker_stands_by_and_takes_over(
    owner: psycopg.Connection[tuple[object, ...]],
) -> None:
    owner.execute("SELECT pg_advisory_lock(%s)", (WORKING,))
    worked = threading.Event()

    def note(at: datetime) -> int:
        worked.set()
        return 0

    worker = Worker(poll=0.05, timed=(Timed("note", 60, note),))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        time.sleep(0.5)
        assert not worked.is_set()
        owner.execute("SELECT pg_advisory_unlock(%s)", (WORKING,))
        assert worked.wait(10)
    finally:
        worker.stop()
        thread.join(10)
    assert not thread.is_alive()
