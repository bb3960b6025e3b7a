"""The export of every case, in the request and by the background: rows a second, memory, against a
bare COPY in the same run.

    python -m bench.export [--cases N] [--home FOLDER]

`GET /api/v1/cases/export` with a system's token that reaches the whole city, from a real web process
whose resident memory is sampled ten times a second; then the same columns by COPY, three times each,
alternately. Then the same cases ordered as a job (CSV, and XLSX where --xlsx 1 is given), made by the
process that the worker starts, from its start to the file on the disk. `ratio` is rows a second over
those of the bare COPY.
"""

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import threading
import time
import uuid
from typing import Any

import psycopg

from bench import _server, _web
from bench._city import City, city
from bench._line import line
from zhengwu.config.postgres import APP, DATABASE

FIRST_BYTE = 1_000  # milliseconds
ROUNDS = 3
PATH = "/api/v1/cases/export?form=csv"
SUPERVISOR = ("supervisor", "420100")  # who sees the whole city


def token(it: City) -> str:
    """Of a system that sees the whole city."""
    from zhengwu.accounts import queries as accounts
    from zhengwu.accounts import systems
    from zhengwu.web.clock import now

    security = accounts.actor("p-420100-c00-security-admin")
    system = systems.register(
        security, code=f"bench-{uuid.uuid4().hex[:8]}", name="测速用的系统", agency=it.agency,
        role="region_system", place="420100", key=str(uuid.uuid4()), at=now(),
    )  # fmt: skip
    return systems.issue(
        security, system, scopes=["cases.export"], days=2, key=str(uuid.uuid4()), at=now()
    ).secret


def taken(server: _server.Served, bearer: str) -> dict[str, Any]:
    """One export: milliseconds to the first byte, seconds, rows, memory before, at most, after."""
    sampled = [server.megabytes()]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            sampled.append(server.megabytes())

    watcher = threading.Thread(target=watch)
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    began = time.perf_counter()
    wire.request("GET", PATH, headers={"Authorization": f"Bearer {bearer}"})
    answer = wire.getresponse()
    assert answer.status == 200, (answer.status, answer.read()[:500])
    rows = answer.read(1).count(b"\n")
    first = time.perf_counter() - began
    watcher.start()
    while piece := answer.read(1 << 18):
        rows += piece.count(b"\n")
    spent = time.perf_counter() - began
    over.set()
    watcher.join()
    wire.close()
    return {
        "first_ms": first * 1_000, "seconds": spent, "rows": rows - 1, "start_mb": sampled[0],
        "peak_mb": max(sampled), "end_mb": server.megabytes(),
    }  # fmt: skip


def bare(it: City) -> float:
    """Seconds of COPY of the same columns."""
    from zhengwu.cases import exporting

    with psycopg.connect(it.cluster.url(role=APP, database=DATABASE)) as database:
        began = time.perf_counter()
        with database.cursor() as cursor, cursor.copy(exporting.bare_sql()) as copy:
            for _ in copy:
                pass
        return time.perf_counter() - began


def job(form: str) -> dict[str, Any]:
    """One order made by a process of its own: seconds, rows, bytes, CPU, memory at the start and at
    most (of the process, which ends with it)."""
    from zhengwu.accounts import queries as accounts
    from zhengwu.exports import queries, services
    from zhengwu.web.clock import now

    who = accounts.actor(accounts.with_role(*SUPERVISOR)[0])
    order = services.order(who, "cases", form=form, parameters={}, key=uuid.uuid4(), at=now())
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "zhengwu.config.jobs"])
    sampled: list[float] = []
    used = 0.0
    while process.poll() is None:
        time.sleep(0.1)
        try:
            sampled.append(_server.megabytes_of(process.pid))
            used = _web.seconds_of(process.pid)
        except (FileNotFoundError, ProcessLookupError, IndexError):
            break  # it has just ended
    assert process.wait() == 0, process.returncode
    spent = time.perf_counter() - began
    found = queries.one(who, order.id)
    assert found.state == "ready", (found.state, found.why)
    services.delete(who, order.id, at=now())
    grown = max(sampled) - statistics.median(sampled[len(sampled) // 4 :])
    return {
        "seconds": spent, "rows": found.rows, "size": found.size, "cpu": used,
        "peak_mb": max(sampled), "grown_mb": grown,
    }  # fmt: skip


def main() -> None:
    given = _web.arguments(__doc__, xlsx=0)
    with city(given.cases, given.home) as it, _server.served(it, workers=1) as server:
        bearer = token(it)
        taken(server, bearer)  # what is read for the first time
        bare(it)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(taken(server, bearer))
            theirs.append(bare(it))
        seconds = statistics.median(one["seconds"] for one in ours)
        rows = ours[0]["rows"]
        assert all(one["rows"] == rows for one in ours), "an export has lost rows"
        first = statistics.median(one["first_ms"] for one in ours)
        grown = max(one["peak_mb"] for one in ours) - min(one["start_mb"] for one in ours)
        last = ours[-1]
        print(
            f"{rows:,} rows in {seconds:.1f} s; bare COPY {statistics.median(theirs):.1f} s;"
            f" memory at the start {last['start_mb']} MB, at most {last['peak_mb']} MB,"
            f" at the end {last['end_mb']} MB"
        )
        forms = ("csv", "xlsx") if given.xlsx else ("csv",)
        for form in forms:
            one = job(form)
            print(
                f"as a job, {form}: {one['rows']:,} rows, {one['size'] / 1024**2:,.0f} MB in"
                f" {one['seconds']:.1f} s ({one['cpu']:.1f} s CPU of the process); its memory at most"
                f" {one['peak_mb']} MB"
            )
            assert one["rows"] >= rows, "a job has lost rows"
            line(f"export-job-{form}-memory", round(one["grown_mb"], 1),
                 "MB above its median at most", limit=64)  # fmt: skip
            line(f"export-job-{form}", round(one["rows"] / one["seconds"]), "rows/s",
                 ratio=round(statistics.median(theirs) / one["seconds"], 2))  # fmt: skip
        line("export-first-byte", round(first), "ms", limit=FIRST_BYTE)
        line("export-memory", round(grown, 1), "MB more at most", limit=64)
        line("export", round(rows / seconds), "rows/s",
                  ratio=round(statistics.median(theirs) / seconds, 2))  # fmt: skip


if __name__ == "__main__":
    main()
