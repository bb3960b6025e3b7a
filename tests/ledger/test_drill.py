"""Many writers at once: nothing skipped, doubled or out of order, no deadlock.

Reduced in the ordinary run; ZHENGWU_DRILL=1 runs the same long.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import psycopg
import pytest
from django.db import connection

from zhengwu.ledger import queries
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("db")
LONG = os.environ.get("ZHENGWU_DRILL") == "1"
WRITERS = 16
SECONDS = 60.0 if LONG else 4.0
ROOT = Path(__file__).resolve().parents[2]
ledger.register(ledger.StreamKind("probe", frozenset({"opened", "moved"})))


def opened(count: int) -> list[uuid.UUID]:
    streams = [ledger.uuid7() for _ in range(count)]
    now = datetime.now(UTC)
    ledger.append(
        "probe",
        [
            ledger.Row(
                stream,
                0,
                ledger.NewEvent(kind="opened", occurred=now, source="drill", key=f"o-{stream}"),
            )
            for stream in streams
        ],
    )
    return streams


def writers(
    streams: Sequence[uuid.UUID],
    count: int,
    seconds: float,
    *,
    first: int = 0,
    to: IO[str] | int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """A process that writes; with a count above one, the parent of so many."""
    text = ",".join(map(str, streams))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.writer", *map(str, (first, count, seconds, text))],
        cwd=ROOT,
        stdout=to,
        stderr=subprocess.PIPE,
        text=True,
    )


def check_the_log(owner: psycopg.Connection[tuple[object, ...]]) -> int:
    """Every promise of the log, by plain SQL; returns the number of events."""
    ledger.catch_up()

    def one(statement: str) -> object:
        row = owner.execute(statement.encode()).fetchone()
        assert row is not None
        return row[0]

    events = one("SELECT count(*) FROM ledger_event")
    assert one("SELECT count(*) FROM ledger_position") == events, "an event without a position"
    assert one("SELECT coalesce(max(position), 0) FROM ledger_position") == events, "a gap"
    assert (
        one(
            "SELECT count(*) FROM (SELECT e.version, row_number() OVER (PARTITION BY e.stream,"
            " e.stream_id ORDER BY p.position) AS nth FROM ledger_event e JOIN ledger_position p"
            " ON p.event = e.id) o WHERE version <> nth"
        )
        == 0
    ), "out of order within a stream"
    assert (
        one(
            "SELECT count(*) FROM ledger_head h LEFT JOIN (SELECT stream_id, count(*) AS n FROM"
            " ledger_event GROUP BY 1) e ON e.stream_id = h.id"
            " WHERE h.stream = 'probe' AND h.version IS DISTINCT FROM e.n"
        )
        == 0
    ), "a version that is not the number of events"
    assert isinstance(events, int)
    return events


def test_sixteen_writers_lose_double_and_disorder_nothing(
    owner: psycopg.Connection[tuple[object, ...]],
) -> None:
    streams = opened(40)
    told: Counter[str] = Counter()
    moved: list[str] = []
    with tempfile.TemporaryFile("w+") as said, writers(streams, WRITERS, SECONDS, to=said) as all_:
        while all_.poll() is None:
            ledger.sequence()  # while they write: the order must hold under their feet
            time.sleep(0.1)
        _, err = all_.communicate()
        assert all_.returncode == 0, err
        said.seek(0)
        answers = [json.loads(line) for line in said]
    assert len(answers) == WRITERS
    for answer in answers:
        told.update(answer["told"])
        moved += answer["moved"]
    events = check_the_log(owner)
    print(f"drill: {events} events, told {dict(told)}")
    assert told["moved"] > 100
    assert told["stale"] > 0
    assert len(set(moved)) == len(moved) == events - len(streams)
    found = owner.execute("SELECT count(*) FROM ledger_event WHERE id = ANY(%s)", (moved,))
    assert found.fetchone() == (len(moved),), "what was told as moved stands in the log"
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert cursor.fetchone()[0] == 0


def test_killed_writers_leave_no_half_commit(owner: psycopg.Connection[tuple[object, ...]]) -> None:
    streams = opened(20)
    dice = random.Random(7)
    processes = [writers(streams, 1, 30.0, first=seed) for seed in range(4)]
    begun = time.monotonic() + 60  # on a busy machine they are slow to come
    while queries.lag().unsequenced < 2 * len(streams) and time.monotonic() < begun:
        time.sleep(0.05)
    for process in processes:
        time.sleep(dice.random() * 0.2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    # A killed client's last statement may still be under way in the server.
    until = time.monotonic() + 10
    while queries.watermark().session and time.monotonic() < until:
        time.sleep(0.05)
    assert check_the_log(owner) > len(streams)


def test_a_follower_killed_anywhere_counts_each_event_once(
    owner: psycopg.Connection[tuple[object, ...]],
) -> None:
    streams = opened(30)
    ledger.sequence()
    counted: list[int] = []
    blows = iter([3, 11, 17])
    fatal = [next(blows)]

    def handle(events: Sequence[ledger.Entry]) -> None:
        for event in events:
            with connection.cursor() as cursor:  # the effect: a row in the same transaction
                cursor.execute(
                    "INSERT INTO ledger_series VALUES ('f', %s, 1, 1)", [str(event.position)]
                )
            counted.append(event.position or 0)
            if event.position == fatal[0]:
                fatal[0] = next(blows, -1)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    owner_pid = cursor.fetchone()[0]
                with psycopg.connect(_superuser(), autocommit=True) as super_:
                    super_.execute("SELECT pg_terminate_backend(%s, 5000)", (owner_pid,))

    ledger.register_follower(ledger.Follower("killed", None, handle))
    try:
        for _ in range(20):
            try:
                if not ledger.follow("killed", limit=4):
                    break
            except Exception:  # whatever a killed connection says
                connection.close()
    finally:
        ledger.unregister_follower("killed")
    assert len(counted) > len(streams), "some were handled twice"
    effect = owner.execute("SELECT count(*) FROM ledger_series WHERE agency = 'f'").fetchone()
    assert effect == (len(streams),), "and counted once"


def _superuser() -> str:
    from tests.conftest import CLUSTER

    return CLUSTER.url(role="postgres", database="postgres")


def test_twins_with_the_same_key_at_the_same_moment_get_the_same_answer() -> None:
    (stream,) = opened(1)
    for nth in range(10):
        gate = threading.Barrier(4)
        got: list[ledger.Outcome] = []

        def run(nth: int = nth, gate: threading.Barrier = gate) -> None:
            event = ledger.NewEvent(
                kind="moved", occurred=datetime.now(UTC), source="drill", key=f"same-{nth}"
            )
            gate.wait()
            got.extend(ledger.append("probe", [ledger.Row(stream, nth + 1, event)]))  # noqa: B023
            connection.close()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(str(o.status) for o in got) == ["moved"] + ["repeated"] * 3
        assert len({o.event_id for o in got}) == 1


def test_an_event_waits_for_its_predecessor_of_a_later_transaction() -> None:
    """The second event has the lower transaction id: taken before the first was written."""
    from django.db import transaction

    (stream,) = opened(1)
    ledger.sequence()
    wrote = threading.Event()
    began = threading.Event()

    def early() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
            began.set()
            wrote.wait(10)
            row = ledger.NewEvent(
                kind="moved", occurred=datetime.now(UTC), source="drill", key="second"
            )
            assert ledger.append("probe", [ledger.Row(stream, 2, row)])[0].status == "moved"
        connection.close()

    thread = threading.Thread(target=early)
    thread.start()
    began.wait(10)
    first = ledger.NewEvent(kind="moved", occurred=datetime.now(UTC), source="drill", key="first")
    ledger.append("probe", [ledger.Row(stream, 1, first)])
    assert ledger.sequence() == 0, "an older transaction is still open"
    assert queries.watermark().session is not None
    wrote.set()
    thread.join()
    assert ledger.sequence() == 2
    assert [e.version for e in queries.positions()] == [1, 2, 3]
