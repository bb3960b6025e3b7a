"""What the clock calls for is done exactly once, whoever kills the worker in the middle of it.

A real worker process is stopped by a row that the test holds, so that it dies in the same place
every time: after some pages, inside the next one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.accounts.city import small_city
from tests.cases import people
from tests.cases.people import Told, moment, received
from tests.cases.test_reprojection import amendment, publish, told
from tests.conftest import Kept
from tests.setup.timed import works
from zhengwu.cases import alarms, reprojection, services
from zhengwu.config.worker import Timed, Worker

Owner = psycopg.Connection[tuple[object, ...]]
ROOT = Path(__file__).parents[2]
DAYS = ("14", "15", "16", "17", "18", "21")
PAGE = 2
HELD = 3  # the fourth case: one page is done, the second one is not
LATE = moment("10-20 09:00")


@pytest.fixture
def town(db: None, kept: Kept) -> None:
    """The small city with the items of its departments."""

    def build() -> None:
        small_city()
        people.items()

    kept.again("town", build)


def ask(sql: str, *given: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(given))
        return list(cursor.fetchall())


def wait(until: Any) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end, "it never came to it"
        time.sleep(0.02)


def stands() -> bool:
    """Whether the worker waits for the row that the test holds."""
    return bool(
        ask(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        )
    )


@contextmanager
def killed(work: str, at: datetime, case: Told, owner: Owner) -> Iterator[None]:
    """A worker is killed while it stands before this case; in the block it is dead."""
    with owner.transaction():
        owner.execute("SELECT 1 FROM cases_case WHERE number = %s FOR UPDATE", [case.number])
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.setup.timed", work, at.isoformat(), str(PAGE)],
            cwd=ROOT, env=os.environ.copy(),
        )  # fmt: skip
        try:
            wait(stands)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        yield
    wait(lambda: not stands())


def turns(work: str, at: datetime) -> int:
    """A new worker, until there is nothing to do; how much it did."""
    run = works(PAGE)[work]
    worker = Worker(timed=(Timed(work, 60, lambda _: run(at), again=True),))
    done = 0
    while count := worker.turn():
        done += count
    return done


@pytest.fixture
def cases(town: None) -> list[Told]:
    """Received one after the other, so that their limits end one after the other."""
    return [received(f"09-{day} 09:20") for day in DAYS]


def deemed() -> list[Any]:
    return ask(
        "SELECT c.number, e.occurred, e.version FROM ledger_event e"
        " JOIN cases_case c ON c.id = e.stream_id WHERE e.kind = 'deemed_accepted' ORDER BY 1"
    )


def test_a_killed_deemed_acceptance_is_gone_on_with_and_nobody_gets_it_twice(
    cases: list[Told], owner: Owner
) -> None:
    with killed("deem", LATE, cases[HELD], owner):
        assert len(deemed()) == HELD
    turns("deem", LATE)
    assert [number for number, _, _ in deemed()] == [one.number for one in cases]
    assert deemed()[0][1] == moment("09-20 17:00"), "the end of the limit, not of the outage"
    assert all(version == 2 for _, _, version in deemed())
    papers = ask("SELECT last FROM ledger_series WHERE kind = 'acceptance_notice'")
    assert papers in ([], [(len(cases),)]), "no number is taken twice, none is left out"
    for back in (LATE, LATE - timedelta(days=30), LATE):
        assert turns("deem", back) == 0


def raised() -> list[Any]:
    return ask("SELECT stream_id, kind, occurred FROM ledger_event WHERE stream = 'alarm'")


def test_a_killed_sweep_is_gone_on_with_and_every_alarm_is_raised_once(
    cases: list[Told], owner: Owner
) -> None:
    with killed("alarms", LATE, cases[HELD], owner):
        assert len(raised()) == 2 * PAGE, "the page under way left nothing"
    turns("alarms", LATE)
    found = raised()
    assert len(found) == 2 * len(cases)
    assert len({stream for stream, _, _ in found}) == len(found)
    assert ask("SELECT count(*) FROM cases_alarm WHERE occurred <> due AND level = 'over'") == [
        (0,)
    ]
    assert min(occurred for _, _, occurred in found) == moment("09-17 00:00")
    assert ask("SELECT count(*) FROM cases_case WHERE next_at <= %s", LATE) == [(0,)]
    for back in (LATE, LATE - timedelta(days=30), LATE):
        assert turns("alarms", back) == 0
    assert len(raised()) == len(found)


def test_a_sweep_killed_between_the_alarm_and_the_head_writes_neither(
    cases: list[Told], owner: Owner
) -> None:
    """The alarm and the head's next look are one transaction."""
    with killed("alarms", LATE, cases[0], owner):
        assert raised() == []
        assert ask("SELECT count(*) FROM cases_case WHERE next_at <= %s", LATE) == [(len(cases),)]
    turns("alarms", LATE)
    assert len(raised()) == 2 * len(cases)


def test_a_killed_re_projection_goes_on_where_it_was_and_moves_every_case_once(
    cases: list[Told], owner: Owner
) -> None:
    at = moment("09-19 12:00")  # set back behind the last receipt, as if that were not enough
    publish({**amendment(), "days": [["2026-09-22", "纪念日", True]]}, at)
    before = dict(ask("SELECT number, due FROM cases_case"))
    with killed("reproject", at, cases[HELD], owner):
        run = reprojection.run_of()
        assert run is not None
        assert (run.looked, run.passed) == (PAGE, None)
        assert told() == []
    turns("reproject", at)
    run = reprojection.run_of()
    assert run is not None
    after = dict(ask("SELECT number, due FROM cases_case"))
    moved = {number for number in before if before[number] != after[number]}
    # Five working days after 09-15 are 09-21: the first that have the 22nd in them are 09-16's.
    assert len(moved) == run.moved == len(ask("SELECT 1 FROM cases_moved")) == len(DAYS) - 2
    assert run.looked == len(cases)
    assert told() == [
        {"edition": run.edition, "looked": run.looked, "moved": run.moved, "unread": 0}
    ]
    assert {version for (version,) in ask("SELECT version FROM cases_case")} == {1}
    for later in (at, at - timedelta(days=1), at + timedelta(minutes=11), at + timedelta(days=1)):
        turns("reproject", later)
    assert dict(ask("SELECT number, due FROM cases_case")) == after
    assert len(ask("SELECT 1 FROM cases_moved")) == run.moved
    assert len(told()) == 1


def test_after_a_weeks_outage_everything_is_done_late_and_with_its_lawful_instant(
    cases: list[Told],
) -> None:
    """By the worker's own list, as it stands: the sweep may come before or after the acceptance."""
    at = moment("09-27 09:00")
    for work in ("alarms", "deem"):
        turns(work, at)
    assert next(occurred for _, occurred, _ in deemed()) == moment("09-20 17:00")
    over = {
        one.occurred
        for case in ask("SELECT id FROM cases_case")
        for one in alarms.of_case(case[0])
        if one.level == "over" and one.limit == "acceptance"
    }
    assert {occurred for _, occurred, _ in deemed()} == over
    assert services.deem_accepted(at=at) == 0
