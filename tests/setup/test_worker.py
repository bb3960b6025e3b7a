"""The worker: order, followers, timed work; one fault does not hold up the rest."""

from __future__ import annotations

import threading
import time
from datetime import datetime

import psycopg
import pytest

from zhengwu.config.migrate import WORKING
from zhengwu.config.worker import Timed, Worker

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
