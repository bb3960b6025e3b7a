"""The commit statement at N = 1, 50, 1,000 against pgbench on the same statement, in one run.

    python -m bench.commit [SECONDS]

On a private server without fsync: it measures the work, not the disk. Prints a table and one JSON
line for each N. Microseconds per event, wall clock; `ours` is one caller through ledger.append.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import psycopg

from bench._line import line
from zhengwu.config.postgres import APP, DATABASE, OWNER, SUPERUSER, Cluster, binaries

SIZES = (1, 50, 1000)
CLIENTS = 16


def stream_of(client: int, nth: int) -> uuid.UUID:
    return uuid.UUID(f"00000000-0000-7000-8000-{client:06d}{nth:06d}")


def script(text: str, size: int) -> str:
    """The composed statement as a pgbench script: every client moves streams of its own."""
    series = f"generate_series(1, {size}) AS g(n)"
    ids = (
        "ARRAY(SELECT ('00000000-0000-7000-8000-' || lpad(:client_id::text, 6, '0')"
        f" || lpad(n::text, 6, '0'))::uuid FROM {series})"
    )
    event = (
        "jsonb_build_array(jsonb_build_object('id', gen_random_uuid(), 'kind', 'moved', 'nature',"
        " 'act', 'occurred', '2026-09-14T01:20:00.000000Z', 'source', 'pgbench', 'key',"
        " :run || '-' || :client_id || '-' || :v || '-' || n, 'body', '{\"item\": \"x@1\"}'::jsonb))"
    )
    arrays = [
        ids,
        f"ARRAY(SELECT :v::integer FROM {series})",
        f'ARRAY(SELECT \'{{"stream": "bench"}}\' FROM {series})',
        f"ARRAY(SELECT {event}::text FROM {series})",
    ]
    # Of one stream the statement takes no arrays.
    values = iter([*(arrays if size > 1 else [f"({one})[1]" for one in arrays]), "'bench'"])
    return "\\set v :v + 1\n" + re.sub("%s", lambda _: next(values), text) + ";\n"


def clear(superuser: psycopg.Connection[tuple[object, ...]]) -> None:
    """No heads and a log of 100,000 old events: an empty log would be measured with scans."""
    superuser.execute("TRUNCATE ledger_head, ledger_event")
    superuser.execute(
        "INSERT INTO ledger_event (id, stream, stream_id, version, kind, nature, occurred, recorded,"
        " received, source, key, body) SELECT gen_random_uuid(), 'bench', gen_random_uuid(), 1,"
        " 'moved', 'act', now(), now(), now(), 'old', n::text, '{}' FROM generate_series(1, 100000) n"
    )
    superuser.execute("INSERT INTO ledger_head SELECT stream_id, 'bench', 1 FROM ledger_event")


def pgbench(cluster: Cluster, path: Path, clients: int, seconds: float, run: int) -> float:
    """Transactions per second."""
    done = subprocess.run(
        [
            str(binaries(cluster.major) / "pgbench"),
            *("-n", "-M", "prepared", "-f", str(path), "-c", str(clients), "-j", "2"),
            *("-T", str(round(seconds)), "-D", "v=0", "-D", f"run={run}"),
            cluster.url(role=APP),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or not found:
        raise SystemExit(f"pgbench failed:\n{done.stdout}{done.stderr}")
    return float(found[1])


def measure(cluster: Cluster, seconds: float, folder: Path) -> None:
    from django.core.management import call_command
    from django.db import connection

    from zhengwu.ledger import commit, grants
    from zhengwu.ledger import services as ledger

    kind = ledger.register(ledger.StreamKind("bench", frozenset({"moved"})))
    app = dict(connection.settings_dict)
    connection.settings_dict.update(USER=OWNER, PASSWORD=cluster.password(OWNER))
    call_command("migrate", "ledger", verbosity=0)
    with connection.cursor() as cursor:
        grants.apply(cursor, APP)
    connection.close()
    connection.settings_dict.update(app)
    superuser = psycopg.connect(cluster.url(role=SUPERUSER), autocommit=True)
    print(f"{'N':>5} {'ours 1':>10} {'pgbench 1':>10} {'pgbench 16':>10}  µs an event    ratio")

    def rows(size: int, version: int, ids: list[uuid.UUID]) -> list[ledger.Row]:
        now = datetime.now(UTC)
        body = {"item": "x@1"}
        return [
            ledger.Row(
                ids[n],
                version,
                ledger.NewEvent(
                    kind="moved", occurred=now, source="ours", key=str(ledger.uuid7()), body=body
                ),
            )
            for n in range(size)
        ]

    for size in SIZES:
        sample = rows(size, 1, [ledger.uuid7() for _ in range(size)])
        text, _ = commit.compose(kind, sample, commit._groups(kind, sample))
        path = folder / f"commit{size}.sql"
        path.write_text(script(text, size))
        rates: dict[int, float] = {}
        for clients in (1, CLIENTS):
            clear(superuser)
            superuser.execute(
                "INSERT INTO ledger_head SELECT ('00000000-0000-7000-8000-' || lpad(c::text, 6,"
                " '0') || lpad(n::text, 6, '0'))::uuid, 'bench', 1"
                " FROM generate_series(0, %s) c, generate_series(1, %s) n",
                (clients - 1, size),
            )
            superuser.execute("VACUUM ANALYZE ledger_head, ledger_event")
            rates[clients] = pgbench(cluster, path, clients, seconds, clients) * size
            moved: Any = superuser.execute(
                "SELECT count(*) FROM ledger_event WHERE source = 'pgbench'"
            ).fetchone()
            if moved[0] < rates[clients] * seconds * 0.5:
                raise SystemExit("pgbench did not move what it was told to move")
        clear(superuser)
        ids = [ledger.uuid7() for _ in range(size)]
        ledger.append("bench", rows(size, 0, ids))
        superuser.execute("VACUUM ANALYZE ledger_head, ledger_event")
        version, spent = 1, 0.0
        while spent < seconds:
            batch = rows(size, version, ids)
            began = time.perf_counter()
            outcomes = ledger.append("bench", batch)
            spent += time.perf_counter() - began
            assert all(outcome.status is ledger.Status.MOVED for outcome in outcomes)
            version += 1
        ours = spent / ((version - 1) * size) * 1e6
        one, many = 1e6 / rates[1], 1e6 / rates[CLIENTS]
        print(f"{size:>5} {ours:>10.1f} {one:>10.1f} {many:>10.1f}  {'':>12} {ours / one:>8.2f}")
        print(
            json.dumps(
                {
                    "bench": "commit",
                    "n": size,
                    "us_per_event": {
                        "ours": round(ours, 1),
                        "pgbench_1": round(one, 1),
                        "pgbench_16": round(many, 1),
                    },
                    "ratio": round(ours / one, 2),
                    "postgres": cluster.major,
                }
            )
        )
        last = ours, ours / one
    line(
        "commit", round(last[0], 1), f"µs an event, {SIZES[-1]:,} at once", ratio=round(last[1], 2)
    )
    superuser.close()
    connection.close()


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with tempfile.TemporaryDirectory(prefix="zhengwu-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        major = int(os.environ.get("ZHENGWU_TEST_PG", "18"))
        cluster = Cluster(folder, major=major, durable=False)
        os.environ["ZHENGWU_DATABASE_URL"] = cluster.url(role=APP, database=DATABASE)
        os.environ["ZHENGWU_OWNER_DATABASE_URL"] = cluster.url(role=OWNER, database=DATABASE)
        os.environ["DJANGO_SETTINGS_MODULE"] = "zhengwu.config.settings"
        os.environ.setdefault(
            "ZHENGWU_SECRET_KEY", "only-for-the-bench-and-nothing-else-0123456789"
        )
        os.environ.setdefault("ZHENGWU_DEMO", "1")
        with cluster.start():
            django.setup()
            measure(cluster, seconds, folder)


if __name__ == "__main__":
    main()
