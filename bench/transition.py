"""The CPU of one hand-over (移交) against pgbench on our own commit statement, in one run.

    python -m bench.transition http|batch|full|service [--rounds N] [--profile]

On a private, durable server (fsync on), in alternated rounds; medians. What is counted:

- pgbench: 16 clients, one case each transaction, prepared; the client's user and system time and
  that of its backends (the postmaster's account of children it has buried).
- `http`: the web process (granian, one worker) and its backends, for each POST of a hand-over over
  a connection that stays open. The client is a process of its own and is not counted.
- `batch`: this process and its backend, for each of 50 hand-overs decided and committed together
  through `cases.services.perform_many`, permission, lifecycle, clock and head included.
- `full`: the same as `service` in a city of a million cases (bench/_city.py, built once) against an
  empty one, in turn; no plan reads a table of cases or of the log whole.
- `service`: this process and its backend, for one hand-over through the services, the actor
  loaded each time as a request would. What `http` adds to it is the web.

Autovacuum is off while it measures. `--profile` says where the time of a hand-over goes. The last
line is JSON: `ratio` is pgbench's CPU for each transaction over ours for each transition (at least
the limit), in `full` that of the city over that of the empty one (at most the limit).
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import django
import psycopg

from bench import _line
from zhengwu.config import memory
from zhengwu.config.postgres import APP, DATABASE, OWNER, SUPERUSER, Cluster, binaries

CLIENTS = 16
EACH = 50  # cases of each pgbench client
TRANSACTIONS = 200  # of each pgbench client in a round
SINGLE, BATCHES, SIZE = 200, 20, 50
CONNECTIONS = 2  # of the HTTP client, each with one request at a time
FULL = 1.15
UNIT = "µs of CPU a hand-over"
LIMITS = {"http": 0.08, "batch": 1.0, "service": 0.08}
TICK = os.sysconf("SC_CLK_TCK")
WHEN = "11-27 15:00"


# --- CPU ------------------------------------------------------------------------------------------


def cpu_of(*pids: int) -> float:
    """Seconds of user and system time that these processes have used."""
    return sum(_ticks(pid, 13, 14) for pid in pids) / TICK


def buried(pid: int) -> float:
    """The same of the children that a process has buried."""
    return _ticks(pid, 15, 16) / TICK


def _ticks(pid: int, *places: int) -> int:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(after_name[place - 2]) for place in places)


def own() -> float:
    return time.process_time()


# --- the case that is handed over, many times over -----------------------------------------------


@dataclass(slots=True)
class Stock:
    """Copies of one case under review; each is handed over once."""

    superuser: psycopg.Connection[tuple[object, ...]]
    model: uuid.UUID
    version: int
    giver: str
    taker: str  # the post it goes to
    at: datetime
    mark: str = ""
    made: int = 0
    used: int = 0

    def fill(self, count: int) -> None:
        """Make so many more, named JCB<mark>X<n>."""
        _copy(
            self.superuser,
            self.model,
            f"SELECT gen_random_uuid() AS id, 'JCB{self.mark}X' || n AS number"
            f" FROM generate_series({self.made + 1}, {self.made + count}) n",
        )
        self.made += count

    def take(self, count: int) -> list[tuple[str, int]]:
        """Number and version of cases not handed over yet."""
        if self.used + count > self.made:
            raise SystemExit("the stock is used up")
        first, self.used = self.used + 1, self.used + count
        return [(f"JCB{self.mark}X{n}", self.version) for n in range(first, first + count)]


def _copy(superuser: psycopg.Connection[tuple[object, ...]], model: uuid.UUID, copies: str) -> None:
    """Copy a case with its story; copies: a SELECT of id and number."""
    columns = [
        str(name)
        for (name,) in superuser.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'cases_case'"
            " AND column_name NOT IN ('id', 'number') ORDER BY ordinal_position"
        )
    ]
    listed = ", ".join(f'c."{name}"' for name in columns)
    named = ", ".join(f'"{name}"' for name in columns)
    with superuser.transaction():
        superuser.execute(f"CREATE TEMP TABLE copies ON COMMIT DROP AS {copies}")
        superuser.execute(
            f"INSERT INTO cases_case (id, number, {named}) SELECT k.id, k.number, {listed}"
            " FROM cases_case c, copies k WHERE c.id = %s",
            [model],
        )
        superuser.execute(
            "INSERT INTO ledger_event (id, stream, stream_id, version, kind, nature, occurred,"
            " recorded, received, actor, post, agency, region, source, key, request, body)"
            " SELECT gen_random_uuid(), e.stream, k.id, e.version, e.kind, e.nature, e.occurred,"
            " e.recorded, e.received, e.actor, e.post, e.agency, e.region, e.source,"
            " k.id || '-' || e.version, e.request, e.body FROM ledger_event e, copies k"
            " WHERE e.stream_id = %s ORDER BY k.id, e.version",
            [model],
        )


def prepare(cluster: Cluster) -> Stock:
    """The small city, a second review post, and one case taken by the reviewer."""
    from django.core.management import call_command
    from django.db import connection
    from tests.accounts.city import small_city
    from tests.cases import people

    from zhengwu.ledger import grants

    app = dict(connection.settings_dict)
    connection.settings_dict.update(USER=OWNER, PASSWORD=cluster.password(OWNER))
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        grants.apply(cursor, APP)
    connection.close()
    connection.settings_dict.update(app)

    small_city()
    people.items()
    superuser = psycopg.connect(cluster.url(role=SUPERUSER), autocommit=True)
    return model(superuser, people.WATER, clerk="p-water-clerk", giver="p-water-reviewer")


def model(
    superuser: psycopg.Connection[tuple[object, ...]], agency: str, *, clerk: str, giver: str
) -> Stock:
    """A case of seven entries, with the reviewer; a second review post to hand it over to."""
    from tests.cases import people

    from zhengwu.accounts import services as accounts
    from zhengwu.cases import loading

    second, other = f"{agency}-review-2", f"p-{agency}-second"
    accounts.add_post(second, name="审查二岗", kind="review", agency=agency, hall="", window="")
    accounts.add_person(
        other, name="审查二", agency=agency, posts=[(second, "A")], holds=[("reviewer", agency)],
        since=people.moment("01-05 09:00"),
    )  # fmt: skip
    first = next(post.code for post in people.actor(giver).posts if post.kind == "review")
    case = people.received("11-27 09:10", who=clerk)
    case.do(clerk, "accepted", "11-27 09:20")
    case.do(giver, "step_taken", "11-27 09:40")
    case.do(giver, "handed_over", "11-27 10:00", {"to": second})
    case.do(other, "step_taken", "11-27 10:20")
    case.do(other, "handed_over", "11-27 11:00", {"to": first})
    case.do(giver, "step_taken", "11-27 11:30")
    loaded = loading.load(people.actor(giver), case.number)
    return Stock(
        superuser, loaded.id, loaded.version, giver, second, people.moment(WHEN),
        mark=f"{time.time_ns() // 1_000_000_000:X}",
    )  # fmt: skip


def settle(superuser: psycopg.Connection[tuple[object, ...]]) -> None:
    """Positions for all events, statistics, no autovacuum in between."""
    from zhengwu.ledger import services as ledger

    while ledger.sequence():
        pass
    superuser.execute("ALTER SYSTEM SET autovacuum = off")
    superuser.execute("SELECT pg_reload_conf()")
    superuser.execute("VACUUM ANALYZE")
    superuser.execute("CHECKPOINT")


# --- pgbench --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Pgbench:
    """Our composed commit of one hand-over as a pgbench script: the same columns, head and body."""

    cluster: Cluster
    path: Path
    version: int
    nth: int = 0
    clients: int = CLIENTS

    def write(self, superuser: psycopg.Connection[tuple[object, ...]], stock: Stock) -> None:
        from zhengwu.cases.events import CASE
        from zhengwu.ledger import commit

        _copy(
            superuser,
            stock.model,
            "SELECT ('00000000-0000-7000-8000-' || lpad(c::text, 6, '0') || lpad(n::text, 6, '0'))"
            "::uuid AS id, 'JCP' || c || 'X' || n AS number"
            f" FROM generate_series(0, {CLIENTS - 1}) c, generate_series(0, {EACH - 1}) n",
        )
        row = _row(stock)
        (group,) = commit._groups(CASE, [row])
        text, parameters = commit.compose(CASE, [row], [group])
        (event,) = json.loads(group.events)
        event |= {"id": "<id>", "key": "<key>"}
        # With a space after each colon: `:null` would be a variable to pgbench.
        said = json.dumps([event], ensure_ascii=False).replace("'", "''")
        head = json.dumps(json.loads(group.head), ensure_ascii=False).replace("'", "''")
        said = said.replace("<id>", "' || gen_random_uuid() || '")
        said = said.replace(
            "<key>", "' || :run::text || '-' || :client_id::text || '-' || :i::text || '"
        )
        given = iter(
            [
                "('00000000-0000-7000-8000-' || lpad(:client_id::text, 6, '0')"
                " || lpad(:n::text, 6, '0'))",
                ":v",
                f"'{head}'",
                f"('{said}')",
                *[f"'{one}'" for one in parameters[4:]],
            ]
        )
        self.path.write_text(
            f"\\set i :i + 1\n\\set n :i % {EACH}\n\\set v {self.version} + :i / {EACH}\n"
            + re.sub("%s", lambda _: next(given), text)
            + ";\n"
        )

    def round(self, postmaster: int) -> float:
        """Seconds of CPU for each transaction."""
        before = buried(postmaster), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [
                str(binaries(self.cluster.major) / "pgbench"),
                *("-n", "-M", "prepared", "-f", str(self.path), "-c", str(self.clients)),
                *("-j", "2", "-t", str(TRANSACTIONS)),
                *("-D", f"i={self.nth - 1}", "-D", "run=1"),
                self.cluster.url(role=APP),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        count = TRANSACTIONS * self.clients
        if done.returncode or f"{count}/{count}" not in done.stdout:
            raise SystemExit(f"pgbench failed:\n{done.stdout}{done.stderr}")
        self.nth += TRANSACTIONS
        time.sleep(0.3)  # until the postmaster has buried them
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        client = used.ru_utime + used.ru_stime - before[1].ru_utime - before[1].ru_stime
        return (client + buried(postmaster) - before[0]) / count

    def moved(self, superuser: psycopg.Connection[tuple[object, ...]]) -> int:
        found: Any = superuser.execute(
            "SELECT sum(version - %s)::int FROM cases_case WHERE number LIKE 'JCP%%'",
            [self.version],
        ).fetchone()
        return int(found[0])


def _row(stock: Stock) -> Any:
    """The row that the services themselves would commit for a hand-over."""
    from tests.cases import people

    from zhengwu.cases import loading, services
    from zhengwu.ledger import services as ledger

    kept: list[Any] = []
    by = people.actor(stock.giver, WHEN)
    (number, version) = stock.take(1)[0]
    real = ledger.append

    def noted(stream: str, rows: Sequence[Any], **more: Any) -> Any:
        kept.extend(rows)
        return real(stream, rows, **more)

    ledger.append = noted
    try:
        services.perform(
            by, number, "handed_over", version=version, key=str(uuid.uuid4()),
            form={"to": stock.taker}, at=stock.at,
        )  # fmt: skip
    finally:
        ledger.append = real
    assert loading.load(by, number).version == version + 1
    return kept[0]


# --- ours -----------------------------------------------------------------------------------------


def backend() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU for each hand-over: of our Python and of our backends."""

    python: float
    server: float

    @property
    def whole(self) -> float:
        return self.python + self.server


def one_by_one(stock: Stock, count: int) -> Cost:
    """The actor loaded for each."""
    from zhengwu.accounts import queries as accounts
    from zhengwu.cases import services

    work = stock.take(count)
    keys = [str(uuid.uuid4()) for _ in work]
    pid = backend()
    before = own(), cpu_of(pid)
    for (number, version), key in zip(work, keys, strict=True):
        done = services.perform(
            accounts.actor(stock.giver), number, "handed_over", version=version, key=key,
            form={"to": stock.taker}, at=stock.at,
        )  # fmt: skip
        assert done.version == version + 1
    return Cost((own() - before[0]) / count, (cpu_of(pid) - before[1]) / count)


def together(stock: Stock, batches: int) -> Cost:
    """In batches of SIZE, the actor loaded for each batch."""
    from zhengwu.accounts import queries as accounts
    from zhengwu.cases import services

    work = [stock.take(SIZE) for _ in range(batches)]
    keys = [str(uuid.uuid4()) for _ in work]
    pid = backend()
    before = own(), cpu_of(pid)
    for picked, key in zip(work, keys, strict=True):
        results = services.perform_many(
            accounts.actor(stock.giver), picked, "handed_over", key=key, form={"to": stock.taker},
            at=stock.at,
        )  # fmt: skip
        assert all(result.done for result in results)
    count = batches * SIZE
    return Cost((own() - before[0]) / count, (cpu_of(pid) - before[1]) / count)


# --- by HTTP --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Web:
    """The web server as `zhengwu serve` starts it, with one worker, and a client beside it."""

    stock: Stock
    port: int
    server: subprocess.Popen[bytes]
    client: subprocess.Popen[str]

    def processes(self) -> list[int]:
        """The server's own process and its worker."""
        return [self.server.pid, *children(self.server.pid)]

    def backends(self) -> list[int]:
        found = self.stock.superuser.execute(
            "SELECT pid FROM pg_stat_activity WHERE usename = %s AND pid <> ALL(%s)",
            [APP, []],
        )
        return [int(str(pid)) for (pid,) in found]

    def post(self, count: int) -> Cost:
        """So many hand-overs over connections that stay open."""
        work = [(*one, str(uuid.uuid4())) for one in self.stock.take(count)]
        assert self.client.stdin is not None
        assert self.client.stdout is not None
        before = {pid: cpu_of(pid) for pid in self.backends()}
        python = cpu_of(*self.processes())
        self.client.stdin.write(json.dumps(work) + "\n")
        self.client.stdin.flush()
        answer = json.loads(self.client.stdout.readline())
        python = cpu_of(*self.processes()) - python
        server = sum(cpu_of(pid) - before.get(pid, 0.0) for pid in self.backends())
        if answer["done"] != count:
            raise SystemExit(f"not all were handed over: {answer}")
        return Cost(python / count, server / count)


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in listed]


def token() -> str:
    """A token of the water bureau's system."""
    from tests.cases import people

    from zhengwu.accounts import systems
    from zhengwu.web.clock import now

    by = people.actor("p-security_admin")
    system = systems.register(
        by, code="bench", name="测量", agency=people.WATER, role="agency_system", place="",
        key="5b4e6a6e-0d0c-4a55-9b57-0d3c7a7f7a01", at=now(),
    )  # fmt: skip
    key = str(uuid.uuid4())
    issued = systems.issue(by, system, scopes=["cases.handle"], days=1, key=key, at=now())
    return issued.secret


@contextlib.contextmanager
def web(stock: Stock) -> Iterator[Web]:
    """The server and the client."""
    from django.db import connections

    secret = token()
    connections.close_all()
    place = (
        Path(os.environ["ZHENGWU_HOME"]).parent / "web.log"
    )  # a line for each request, as in life
    with socket.socket() as door, place.open("wb") as log:
        door.bind(("127.0.0.1", 0))
        door.listen(64)
        door.set_inheritable(True)
        port = door.getsockname()[1]
        environment = {**os.environ, "ZHENGWU_SERVED": "1"}
        here = [sys.executable, "-m"]
        server = subprocess.Popen(
            [*here, "zhengwu.config.webserver", str(door.fileno()), "1"],
            env=environment, pass_fds=[door.fileno()], stdin=subprocess.DEVNULL, stderr=log,
        )  # fmt: skip
        client = subprocess.Popen(
            [*here, "bench.transition", "client", str(port), secret, stock.giver, stock.taker],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            for _ in range(300):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                    asked.request("GET", "/healthz")
                    if asked.getresponse().status == 200:
                        break
                time.sleep(0.2)
            yield Web(stock, port, server, client)
        finally:
            for process in (client, server):
                process.terminate()
                process.wait(60)


def client(port: int, token: str, giver: str, taker: str) -> None:
    """Read lists of number, version and key; post each; say how many were done."""
    from queue import SimpleQueue
    from threading import Thread

    headers = {
        "Authorization": f"Bearer {token}", "X-Acting-Person": giver,
        "Content-Type": "application/json", "Host": "localhost",
    }  # fmt: skip
    lines = [http.client.HTTPConnection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    for line in sys.stdin:
        work: SimpleQueue[tuple[str, int, str] | None] = SimpleQueue()
        for one in (*json.loads(line), *[None] * len(lines)):
            work.put(one)
        said: list[tuple[int, str]] = []

        def send(to: http.client.HTTPConnection) -> None:
            while one := work.get():  # noqa: B023 - joined before the next list
                number, version, key = one
                body = json.dumps({"version": version, "form": {"to": taker}})
                address = f"/api/v1/cases/{number}/acts/handed_over"
                to.request("POST", address, body, {**headers, "Idempotency-Key": key})
                answer = to.getresponse()
                said.append((answer.status, answer.read().decode()))  # noqa: B023

        threads = [Thread(target=send, args=[one]) for one in lines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        other = next((one for one in said if one[0] != 200), None)
        print(
            json.dumps({"done": sum(code == 200 for code, _ in said), "other": other}), flush=True
        )


# --- empty and full -------------------------------------------------------------------------------


def full(rounds: int) -> None:
    """One hand-over through the services in the big city and in an empty one, in turn."""
    sides = {}
    for where in ("empty", "city"):
        sides[where] = subprocess.Popen(
            [sys.executable, "-m", "bench.transition", "beside", where],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    spent: dict[str, list[float]] = {"empty": [], "city": []}

    def ask(where: str, what: str) -> Any:
        talk = sides[where]
        assert talk.stdin is not None
        assert talk.stdout is not None
        talk.stdin.write(what + "\n")
        talk.stdin.flush()
        while not (line := talk.stdout.readline()).startswith("{"):
            if not line:
                raise SystemExit(f"{where} ended")
        return json.loads(line)

    try:
        for where in sides:
            ask(where, str(rounds))
        for nth in range(rounds):
            for where in sides:
                cost = ask(where, "go")
                spent[where].append(cost["python"] + cost["server"])
            said = ", ".join(f"{where} {spent[where][-1] * 1e6:.0f} µs" for where in sides)
            print(f"round {nth + 1}: {said}", flush=True)
        plans = ask("city", "plans")
    finally:
        for talk in sides.values():
            assert talk.stdin is not None
            talk.stdin.close()
            talk.wait(120)
    if plans["whole"]:
        raise SystemExit(f"whole tables are read: {plans['whole']}")
    median = {where: statistics.median(values) * 1e6 for where, values in spent.items()}
    print(
        f"medians of {rounds} rounds: empty {median['empty']:.0f} µs;"
        f" {plans['cases']:,} cases, {plans['events']:,} events"
    )
    _line.line(
        "transition-full", round(median["city"], 1), UNIT,
        ratio=round(median["city"] / median["empty"], 3), limit=FULL,
    )  # fmt: skip


def beside(where: str) -> None:
    """Answer on stdin's lines: how many rounds to make ready for, then "go" for one, "plans"."""
    if where == "city":
        from bench._city import city

        with city() as it:
            superuser = psycopg.connect(it.cluster.url(role=SUPERUSER), autocommit=True)
            stock = model(superuser, it.agency, clerk=it.clerk, giver=it.reviewer)
            _answer(stock, {"cases": it.cases, "events": it.events})
            superuser.close()
        return
    with served() as (cluster, _):
        stock = prepare(cluster)
        _answer(stock, {})
        from django.db import connections

        connections.close_all()
        stock.superuser.close()


def _answer(stock: Stock, told: dict[str, Any]) -> None:
    stock.fill((int(sys.stdin.readline()) + 2) * SINGLE)
    if not told:
        settle(stock.superuser)
    one_by_one(stock, SINGLE)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        if line.strip() == "plans":
            print(json.dumps({**told, "whole": whole_reads(stock)}), flush=True)
        else:
            cost = one_by_one(stock, SINGLE)
            print(json.dumps({"python": cost.python, "server": cost.server}), flush=True)


def whole_reads(stock: Stock) -> list[str]:
    """The tables of cases and of the log that a statement of a hand-over would read whole."""
    from django.db import connection, transaction

    seen: list[tuple[str, Any]] = []

    def noted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(noted):
        one_by_one(stock, 1)
    found = []
    for sql, params in seen:
        for mode in ("force_custom_plan", "force_generic_plan"):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL plan_cache_mode = {mode}")
                cursor.execute("EXPLAIN " + sql, params)
                plan = "\n".join(row[0] for row in cursor.fetchall())
            found += re.findall(r"Seq Scan on ((?:cases|ledger)_\w+)", plan)
    return found


# --- where it goes --------------------------------------------------------------------------------


@dataclass(slots=True)
class Stages:
    """Time inside each stage less what the stages within it took, in microseconds a hand-over."""

    spent: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    stack: list[list[float]] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)

    def watch(self, owner: Any, name: str, stage: str) -> None:
        real = getattr(owner, name)

        def timed(*args: Any, **named: Any) -> Any:
            inner = [0.0]
            self.stack.append(inner)
            begun = time.perf_counter()
            try:
                return real(*args, **named)
            finally:
                took = time.perf_counter() - begun
                self.stack.pop()
                if self.stack:
                    self.stack[-1][0] += took
                self.spent[stage] = self.spent.get(stage, 0.0) + took - inner[0]
                self.calls[stage] = self.calls.get(stage, 0) + 1

        setattr(owner, name, timed)
        self.undo.append(lambda: setattr(owner, name, real))

    def forget(self) -> None:
        for one in reversed(self.undo):
            one()

    def table(self, count: int) -> None:
        print(f"{'stage (wall, waiting included)':<34}{'µs':>9}{'calls':>8}")
        for stage, spent in sorted(self.spent.items(), key=lambda one: -one[1]):
            print(f"{stage:<34}{spent / count * 1e6:>9.1f}{self.calls[stage] / count:>8.1f}")


def watched() -> Stages:
    """The stages of a hand-over in this process."""
    from zhengwu.accounts import queries as accounts
    from zhengwu.calendars import queries as calendars
    from zhengwu.cases import heads, loading, services, writing
    from zhengwu.cases.acts import VERBS
    from zhengwu.domain import clock, lifecycle
    from zhengwu.ledger import commit

    stages = Stages()
    for owner, name, stage in (
        (accounts, "actor", "actor"),
        (accounts, "reach", "reach"),
        (accounts, "colleagues", "decide: colleagues"),
        (services, "load", "load"),
        (services, "permit", "permit"),
        (services, "_commit", "decide: the rest of it"),
        (services, "_perform", "decide: perform"),
        (writing, "head", "head"),
        (writing, "digest", "digest of the request"),
        (calendars, "edition", "calendar"),
        (clock, "read", "clock"),
        (clock, "alarms", "clock: alarms"),
        (lifecycle, "fold", "lifecycle"),
        (heads, "derived", "head: columns"),
        (commit, "_groups", "commit: rows"),
        (commit, "compose", "commit: statement"),
        (commit, "_commit", "commit: execute"),
        (loading, "_select", "load: ask"),
    ):
        if hasattr(owner, name):
            stages.watch(owner, name, stage)
    assert VERBS
    return stages


# The innermost of these on the stack says to which stage a moment belongs.
PLACES = (
    ("accounts/systems.py", "bearer", "token"),
    ("web/throttle.py", "", "token"),
    ("accounts/queries.py", "_actor", "actor"),
    ("cases/loading.py", "_to_act", "load"),
    ("domain/lifecycle.py", "", "lifecycle"),
    ("domain/clock.py", "", "clock"),
    ("cases/heads.py", "", "head"),
    ("cases/services.py", "permit", "permission"),
    ("cases/acts/", "", "plan"),
    ("cases/writing.py", "digest", "digest of the request"),
    ("ledger/commit.py", "_commit", "commit: statement"),
    ("ledger/commit.py", "", "commit: rows"),
    ("cases/services.py", "", "decide, the rest"),
    ("cases/api/", "", "view"),
    ("ninja/", "", "form and answer (ninja, pydantic)"),
    ("web/answering.py", "", "form and answer (ninja, pydantic)"),
    ("web/observing.py", "", "log line and counters"),
    ("django/core/handlers/", "", "middleware and handler"),
    ("django/middleware/", "", "middleware and handler"),
    ("django/", "", "middleware and handler"),
    ("zhengwu/", "", "middleware and handler"),
)


def where(stock: Stock, count: int = 400) -> None:
    """Python's CPU of one POST by stages, sampled each millisecond of it, through the whole WSGI
    application in this process: what granian itself takes is not in it.
    """
    from django.core.wsgi import get_wsgi_application

    application: Any = get_wsgi_application()
    secret = token()
    stages: dict[str, int] = {}

    def stage(frame: Any) -> str:
        while frame is not None:
            file, name = frame.f_code.co_filename, frame.f_code.co_name
            if "django/db/" not in file:
                for place, called, found in PLACES:
                    if place in file and called in ("", name):
                        return found
            frame = frame.f_back
        return "the rest"

    def sample(number: int, frame: Any) -> None:
        found = stage(frame)
        stages[found] = stages.get(found, 0) + 1

    def post(number: str, version: int) -> None:
        body = json.dumps({"version": version, "form": {"to": stock.taker}}).encode()
        said: list[str] = []
        answer = application(
            {
                "REQUEST_METHOD": "POST", "PATH_INFO": f"/api/v1/cases/{number}/acts/handed_over",
                "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
                "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1", "QUERY_STRING": "",
                "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
                "HTTP_AUTHORIZATION": f"Bearer {secret}", "HTTP_X_ACTING_PERSON": stock.giver,
                "HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4()), "wsgi.input": io.BytesIO(body),
                "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http", "SCRIPT_NAME": "",
            },
            lambda status, headers, problem=None: said.append(status),
        )  # fmt: skip
        told = b"".join(answer)
        answer.close()
        if not said[0].startswith("200"):
            raise SystemExit(told.decode())

    work = stock.take(count + 20)
    for one in work[:20]:
        post(*one)
    before = own()
    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    for one in work[20:]:
        post(*one)
    signal.setitimer(signal.ITIMER_PROF, 0)
    spent, whole = (own() - before) / count * 1e6, sum(stages.values())
    print(f"{'stage of a POST':<36}{'µs':>8}{'share':>8}   of {spent:.0f} µs of Python")
    for found, seen in sorted(stages.items(), key=lambda one: -one[1]):
        print(f"{found:<36}{spent * seen / whole:>8.0f}{seen / whole:>8.1%}")


def statements(work: Callable[[], object]) -> None:
    """What each statement of a hand-over costs the server: those that only read, 1,000 times."""
    from django.db import connection

    seen: list[tuple[str, Any]] = []

    def noted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(noted):
        work()
    print(f"{'statement':<78}{'server µs':>10}")
    pid = backend()
    for sql, params in seen:
        cost = "-"
        if sql.startswith("SELECT"):
            with connection.cursor() as cursor:
                for _ in range(10):
                    cursor.execute(sql, params)
                before = cpu_of(pid)
                for _ in range(1000):
                    cursor.execute(sql, params)
                cost = f"{(cpu_of(pid) - before) * 1000:.0f}"
        print(f"{sql[:76]:<78}{cost:>10}")


# --- the run --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Run:
    cluster: Cluster
    postmaster: int
    stock: Stock
    bench: Pgbench
    rounds: int

    def alternate(self, mode: str, ours: Callable[[], Cost]) -> None:
        """Both in turn; the last line is the result."""
        ours()
        self.bench.round(self.postmaster)
        mine: list[Cost] = []
        theirs: list[float] = []
        for nth in range(self.rounds):
            mine.append(ours())
            theirs.append(self.bench.round(self.postmaster))
            print(
                f"round {nth + 1}: ours {mine[-1].whole * 1e6:.0f} µs"
                f" (Python {mine[-1].python * 1e6:.0f}, server {mine[-1].server * 1e6:.0f}),"
                f" pgbench {theirs[-1] * 1e6:.0f} µs",
                flush=True,
            )
        expected = self.bench.nth * self.bench.clients
        if self.bench.moved(self.stock.superuser) != expected:
            raise SystemExit("pgbench did not move what it was told to move")
        one, other = statistics.median(cost.whole for cost in mine), statistics.median(theirs)
        python = statistics.median(cost.python for cost in mine) * 1e6
        server = statistics.median(cost.server for cost in mine) * 1e6
        print(
            f"medians of {self.rounds} rounds: Python {python:.0f}, server {server:.0f},"
            f" pgbench {other * 1e6:.0f} µs; PostgreSQL {self.cluster.major}"
        )
        _line.line(
            f"transition-{mode}", round(one * 1e6, 1), UNIT, ratio=round(other / one, 3),
            limit=LIMITS[mode],
        )  # fmt: skip


@contextlib.contextmanager
def served() -> Iterator[tuple[Cluster, int]]:
    """A durable server of our own, in a new folder."""
    with tempfile.TemporaryDirectory(prefix="zhengwu-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        cluster = Cluster(folder, major=int(os.environ.get("ZHENGWU_TEST_PG", "18")))
        os.environ["ZHENGWU_DATABASE_URL"] = cluster.url(role=APP, database=DATABASE)
        os.environ["ZHENGWU_OWNER_DATABASE_URL"] = cluster.url(role=OWNER, database=DATABASE)
        os.environ["ZHENGWU_HOME"] = str(folder / "home")
        os.environ["DJANGO_SETTINGS_MODULE"] = "zhengwu.config.settings"
        os.environ.setdefault(
            "ZHENGWU_SECRET_KEY", "only-for-the-bench-and-nothing-else-0123456789"
        )
        os.environ.setdefault("ZHENGWU_DEMO", "1")
        os.environ["ZHENGWU_API_PER_MINUTE"] = "10000000"
        with cluster.start() as server:
            assert server.process is not None
            django.setup()
            yield cluster, server.process.pid


def main() -> None:
    if sys.argv[1:2] == ["client"]:
        client(int(sys.argv[2]), *sys.argv[3:6])
        return
    if sys.argv[1:2] == ["beside"]:
        beside(sys.argv[2])
        return
    parser = argparse.ArgumentParser(prog="python -m bench.transition")
    parser.add_argument("mode", choices=[*sorted(LIMITS), "full"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    if asked.mode == "full":
        full(asked.rounds)
        return
    with served() as (cluster, postmaster):
        stock = prepare(cluster)
        each = SIZE * BATCHES if asked.mode == "batch" else SINGLE
        stock.fill((asked.rounds + 3) * each + 600)
        bench = Pgbench(
            cluster, Path(os.environ["ZHENGWU_HOME"]).parent / "commit.sql", stock.version
        )
        bench.write(stock.superuser, stock)
        settle(stock.superuser)
        run = Run(cluster, postmaster, stock, bench, asked.rounds)
        memory.settle()  # as every process that serves does
        if asked.mode == "service":
            if asked.profile:
                profile(stock, lambda: one_by_one(stock, 100), 100)
                statements(lambda: one_by_one(stock, 1))
            run.alternate("service", lambda: one_by_one(stock, SINGLE))
        elif asked.mode == "batch":
            if asked.profile:
                profile(stock, lambda: together(stock, 10), 10 * SIZE)
            run.alternate("batch", lambda: together(stock, BATCHES))
        elif asked.mode == "http":
            if asked.profile:
                where(stock)
                statements(lambda: one_by_one(stock, 1))
            with web(stock) as site:
                run.alternate("http", lambda: site.post(SINGLE))
        from django.db import connections

        connections.close_all()
        stock.superuser.close()


def profile(stock: Stock, work: Callable[[], Cost], count: int) -> None:
    """The stages, then Python's own profile."""
    import cProfile
    import pstats

    work()
    stages = watched()
    work()
    stages.forget()
    stages.table(count)
    recorder = cProfile.Profile()
    recorder.runcall(work)
    pstats.Stats(recorder).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
