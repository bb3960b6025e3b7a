"""The clock: readings a second, reading all running cases again, and the minute's sweep.

    nice python -m bench.clock [CASES [ALL]]

(a) On one core, of events already loaded, no words: readings of a mix of cases (just received,
accepted, suspended, decided, observed), beside a bare loop over the same events with one calendar
lookup each; with the words; calendar lookups. (b) CASES (100,000) running cases with their stories
in the real tables of a private server without fsync, read again after a year is published. (c) The
sweep over ALL (1,300,000) cases with 0, 100 and 5,000 due, and its plan. Prints the load of the
machine: others may be at work on it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import django

from bench._line import line
from zhengwu.config.postgres import APP, DATABASE, OWNER, Cluster
from zhengwu.domain import clock
from zhengwu.domain.edition import Edition, Timetable
from zhengwu.domain.event import Event, Nature

SHANGHAI = ZoneInfo("Asia/Shanghai")
LIMITS = [
    {"kind": "statutory", "unit": "working_day", "value": 45, "basis": "条例 第十九条"},
    {"kind": "promised", "unit": "working_day", "value": 20, "basis": "承诺"},
]
SECONDS = 3.0


def show(what: str, **figures: Any) -> None:
    load = os.getloadavg()[0]
    print(
        json.dumps({"bench": "clock", "what": what, **figures, "load": round(load, 1)}), flush=True
    )


# --- (a) readings ----------------------------------------------------------------------------------


def stories() -> list[tuple[Event, ...]]:
    """A thousand cases: a fifth of each kind."""
    made = []
    for number in range(1000):
        day = date(2026, 9, 1) + timedelta(days=number % 60)
        start = datetime(day.year, day.month, day.day, 9, 20, tzinfo=SHANGHAI)
        told: list[tuple[str, float, dict[str, Any]]] = [("received", 0, {})]
        kind = number % 5
        if kind == 4:
            told += [("step", hour, {"step": "T02"}) for hour in (3, 20, 26, 50, 75, 120)]
            told.append(
                ("claim", 0, {"claim": {"kind": "deadline", "due": "2026-12-06T12:41:31+00:00"}})
            )
        elif kind:
            told += [("accepted", 24, {"limits": LIMITS}), ("step_taken", 28, {})]
        if kind == 2:
            told.append(("suspended", 60, {"procedure": "expert_review"}))
        if kind == 3:
            told += [
                ("suspended", 60, {"procedure": "expert_review"}),
                ("resumed", 200, {}), ("extended", 240, {"days": 10}), ("granted", 300, {}),
            ]  # fmt: skip
        nature = Nature.OBSERVATION if kind == 4 else Nature.ACT
        made.append(
            tuple(
                Event(
                    version=version, kind=name, nature=nature, body=body,
                    occurred=start + timedelta(hours=hours), recorded=start, received=start,
                )
                for version, (name, hours, body) in enumerate(told, 1)
            )
        )  # fmt: skip
    return made


def per_second(work: Callable[[], int]) -> float:
    """How many a second, the best of three thirds."""
    best = 0.0
    for _ in range(3):
        began, count = time.perf_counter(), 0
        while (spent := time.perf_counter() - began) < SECONDS / 3:
            count += work()
        best = max(best, count / spent)
    return best


def readings() -> tuple[float, float]:
    data = json.loads(files("zhengwu.calendars").joinpath("data/holidays.json").read_text("utf-8"))
    table = Timetable()
    for year in data["years"]:
        table = table.changed(
            {"kind": "notice", "year": year["year"], "source": "", "days": year["days"]}
        )
    edition: Edition = table.at(("420100",))
    assert edition.calendar.published
    made = stories()
    at = datetime(2026, 11, 23, 15, tzinfo=SHANGHAI)
    calendar = edition.calendar
    today = at.toordinal()

    def ours() -> int:
        for events in made:
            clock.read(events, at=at, edition=edition)
        return len(made)

    def worded() -> int:
        for events in made:
            for limit in clock.read(events, at=at, edition=edition).limits:
                tuple(limit.lines)
        return len(made)

    def bare() -> int:
        for events in made:
            for event in events:
                event.occurred <= at  # noqa: B015 - touching it is the point
                calendar.between(event.occurred.toordinal(), today)
        return len(made)

    def lookups() -> int:
        for day in range(today - 1000, today):
            calendar.nth(day, 20)
        return 1000

    read, words, loop, days = map(per_second, (ours, worded, bare, lookups))
    show(
        "readings", a_second=round(read), with_words=round(words), bare_loop=round(loop),
        ratio=round(loop / read, 1), calendar_lookups_a_second=round(days),
        events_a_case=round(sum(map(len, made)) / len(made), 1),
    )  # fmt: skip
    return read, loop


# --- (b) re-projection -----------------------------------------------------------------------------

FILL = """
CREATE TEMP TABLE made AS SELECT n, n %% 4 AS sort,
    ('0198f0a2-7c00-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id,
    (date '2026-10-12' + n %% 40 + time '09:30') AT TIME ZONE 'Asia/Shanghai' AS opened
    FROM generate_series(1, {cases}) n;
INSERT INTO cases_case (id, version, number, query_code, source, kind, item_name, agency, region,
    opened, state, suspended, holder_kind, provisional)
    SELECT id, CASE sort WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 3 END, 'B' || n, 'ABCDEF', 'bench',
    'promised', '取水许可', '420100-water', '420100', opened,
    CASE sort WHEN 0 THEN 'received' ELSE 'handling' END, sort = 3, 'department', false FROM made;
INSERT INTO ledger_event (id, stream, stream_id, version, kind, nature, occurred, recorded,
    received, agency, region, source, key, body)
    SELECT gen_random_uuid(), 'case', m.id, s.version, s.kind, 'act', m.opened + s.later,
    m.opened + s.later, m.opened + s.later, '420100-water', '420100', 'bench',
    m.n || '/' || s.version, s.body FROM made m JOIN (VALUES
    (0, 1, 'received', interval '0', '{{}}'::jsonb),
    (1, 2, 'accepted', '1 hour', jsonb_build_object('limits', %(limits)s::jsonb)),
    (2, 3, 'step_taken', '5 hours', '{{"step": "review", "limit": {{"unit": "working_day",
        "value": 15, "basis": "流程"}}}}'),
    (3, 3, 'suspended', '30 hours', '{{"procedure": "expert_review"}}')
    ) s(sort, version, kind, later, body)
    ON s.sort = 0 OR (s.sort = 1 AND m.sort > 0) OR s.sort = m.sort;
INSERT INTO ledger_position (position, event, leaf)
    SELECT coalesce((SELECT max(position) FROM ledger_position), 0) + row_number() OVER (ORDER BY e.id),
    e.id, decode(repeat('00', 32), 'hex') FROM ledger_event e WHERE e.source = 'bench';
"""
NEXT_YEAR: list[tuple[str, str, bool | None]] = [
    ("2027-01-01", "元旦", True), ("2027-01-02", "元旦", True), ("2027-01-03", "元旦", True),
    *((f"2027-02-{day:02}", "春节", True) for day in range(5, 13)),
    ("2027-02-14", "春节", False), ("2027-02-20", "春节", False),
]  # fmt: skip
CLOSED = """
INSERT INTO cases_case (id, version, number, query_code, source, kind, item_name, agency, region,
    opened, state, suspended, holder_kind, provisional, closed, archived)
    SELECT gen_random_uuid(), 12, 'C' || n, 'ABCDEF', 'bench', 'promised', '取水许可',
    '420100-' || n %% 40, '420100', timestamptz '2024-01-01' + n * interval '1 minute', 'archived',
    false, 'nobody', false, timestamptz '2024-02-01' + n * interval '1 minute',
    timestamptz '2025-02-01' FROM generate_series(1, %s) n
"""


def reprojected(owner: Any, cases: int) -> None:
    from zhengwu.calendars import services as calendars
    from zhengwu.cases import reprojection

    calendars.load_shipped(at=datetime(2026, 1, 5, tzinfo=SHANGHAI))
    began = time.perf_counter()
    limits = json.dumps(LIMITS, ensure_ascii=False)
    for part in FILL.format(cases=cases).strip().split(";\n"):
        owner.execute(part % () if "%(limits)s" not in part else part, {"limits": limits}
                      if "%(limits)s" in part else None)  # fmt: skip
    owner.execute("VACUUM ANALYZE cases_case, ledger_event, ledger_position")
    filled = time.perf_counter() - began
    at = datetime(2026, 11, 23, 15, tzinfo=SHANGHAI)
    for what in ("first reading, every head written", "a year is published"):
        if what.startswith("a year"):
            calendars.keep_former({2027: ("bench", NEXT_YEAR)}, at=at)
        began, longest = time.perf_counter(), 0.0
        while True:
            page = time.perf_counter()
            if not reprojection.step(at):
                break
            longest = max(longest, time.perf_counter() - page)
        spent = time.perf_counter() - began
        run = reprojection.run_of()
        assert run is not None
        show(
            f"re-projection: {what}", cases=run.looked, moved=run.moved, seconds=round(spent, 1),
            longest_page_ms=round(longest * 1000), filled_in=round(filled, 1),
        )  # fmt: skip
    began = time.perf_counter()
    reprojection.reproject_all(at + reprojection.AGAIN)
    show("re-projection: second pass", seconds=round(time.perf_counter() - began, 1))


# --- (c) the sweep ---------------------------------------------------------------------------------


def swept(owner: Any, cases: int, whole: int) -> None:
    from zhengwu.cases import alarms, running

    owner.execute(CLOSED, [max(0, whole - cases)])
    owner.execute("UPDATE cases_case SET next_at = '2031-01-01' WHERE closed IS NULL")
    owner.execute("VACUUM ANALYZE cases_case")
    at = datetime(2027, 6, 1, tzinfo=SHANGHAI)
    for due in (0, 100, 5_000):
        owner.execute(
            "UPDATE cases_case SET next_at = due WHERE id IN (SELECT id FROM cases_case WHERE"
            " closed IS NULL AND NOT suspended AND next_at > '2030-01-01' ORDER BY id LIMIT %s)",
            [due],
        )
        began = time.perf_counter()
        settled = alarms.sweep(at, budget=600)
        spent = time.perf_counter() - began
        assert settled >= min(due, cases // 2)
        show("sweep", of=whole, due=due, settled=settled, ms=round(spent * 1000, 1))
    plan = running.CALLED.format(columns="c.id")
    rows = owner.execute(
        "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + plan,
        {"at": at, "since": running.BEGINNING, "after": running.FIRST, "limit": 500},
    ).fetchall()
    print("\n".join(str(row[0]) for row in rows))


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    whole = int(sys.argv[2]) if len(sys.argv) > 2 else 1_300_000
    read, loop = readings()
    with tempfile.TemporaryDirectory(prefix="zhengwu-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        major = int(os.environ.get("ZHENGWU_TEST_PG", "18"))
        cluster = Cluster(folder, major=major, durable=False)
        os.environ["ZHENGWU_DATABASE_URL"] = cluster.url(role=APP, database=DATABASE)
        os.environ["ZHENGWU_OWNER_DATABASE_URL"] = cluster.url(role=OWNER, database=DATABASE)
        os.environ["DJANGO_SETTINGS_MODULE"] = "zhengwu.config.settings"
        os.environ["ZHENGWU_HOME"] = name
        os.environ.setdefault(
            "ZHENGWU_SECRET_KEY", "only-for-the-bench-and-nothing-else-0123456789"
        )
        os.environ.setdefault("ZHENGWU_DEMO", "1")
        with cluster.start():
            django.setup()
            measure(cluster, cases, whole)
    line("clock", round(1e6 / read, 1), "µs a reading, without words", ratio=round(loop / read, 1))


def measure(cluster: Cluster, cases: int, whole: int) -> None:
    import psycopg
    from django.core.management import call_command
    from django.db import connection

    from zhengwu.ledger import grants

    app = dict(connection.settings_dict)
    connection.settings_dict.update(USER=OWNER, PASSWORD=cluster.password(OWNER))
    call_command("migrate", verbosity=0, skip_checks=True)
    with connection.cursor() as cursor:
        grants.apply(cursor, APP)
    connection.close()
    connection.settings_dict.update(app)
    with psycopg.connect(cluster.url(role=OWNER), autocommit=True) as owner:
        reprojected(owner, cases)
        swept(owner, cases, whole)
    connection.close()


if __name__ == "__main__":
    main()
