"""Pages of the big city, asked for in this process: queries, and CPU of ours and of PostgreSQL.

Through the whole WSGI application, as somebody signed in. CPU, not the clock on the wall: it says the
same on a machine that does other things besides. The figure of a page is the median of ROUNDS rounds,
which the pages take in turns: what the machine does for some seconds is not one page's alone.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import resource
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import _loop
from bench._city import CASES
from bench._line import line
from zhengwu.config import memory

ROUNDS, EACH = 9, 20
MOST_QUERIES, MOST_MS = 12, 12
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def arguments(about: str | None, **more: Any) -> argparse.Namespace:
    """`--cases N --home FOLDER`, and what else a measurement takes (name=default)."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=int(os.environ.get("CASES") or CASES))
    parser.add_argument("--home", type=Path, default=None)
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser.parse_args()


# --- CPU ------------------------------------------------------------------------------------------


def own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def seconds_of(pid: int) -> float:
    """The CPU that a process has had, of all its threads."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def backend() -> int:
    """The process of PostgreSQL that answers us."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements of what runs inside."""
    from django.db import connection

    said: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        said.append(str(sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield said


# --- asking ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]


@cache
def _application() -> Any:
    from zhengwu.config.wsgi import application

    memory.settle()  # once, as every process that serves does
    return application


class Browser:
    """Somebody at a desk, or nobody: asks our WSGI application in this process."""

    def __init__(self, person: str | None = None) -> None:
        self.application = _application()
        self.cookies: dict[str, str] = {}
        if person:
            self.cookies["zw_session"] = session(person)

    def ask(self, path: str, form: dict[str, str] | None = None, query: str = "") -> Answer:
        body = urlencode(form).encode() if form is not None else b""
        status: list[int] = []
        headers: dict[str, str] = {}

        def start(said: str, given: Sequence[tuple[str, str]], problem: Any = None) -> None:
            status.append(int(said.split()[0]))
            for name, value in given:
                headers[name.lower()] = value
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key.strip()] = rest.partition(";")[0]

        environ = {
            "REQUEST_METHOD": "GET" if form is None else "POST", "PATH_INFO": path,
            "QUERY_STRING": query, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
            "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.version": (1, 0),
            "SCRIPT_NAME": "", "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "HTTP_COOKIE": "; ".join(f"{key}={value}" for key, value in self.cookies.items()),
        }  # fmt: skip
        answer = self.application(environ, start)
        try:
            written = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return Answer(status[0], written, headers)

    def token(self, path: str) -> str:
        """What a form of this page must bring back."""
        found = TOKEN.search(self.ask(path).body.decode())
        assert found is not None, path
        return found[1]


def session(person: str) -> str:
    """The cookie of somebody who has signed in."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(
        get_user_model().objects.get(code=person),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client.cookies["zw_session"].value


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one page: queries, milliseconds of CPU of this process, of its backend and of both, the bare
    loop (_loop.py) before each round in seconds, kilobytes. Medians, each by itself."""

    queries: int
    ours: float
    theirs: float
    together: float
    loop: float
    kilobytes: int

    @property
    def loops(self) -> float:
        """The page in thousandths of the bare loop."""
        return self.together / self.loop


def costs(pages: Mapping[str, Callable[[int], Answer]]) -> dict[str, Cost]:
    """What pages cost, by name; each gets the number of the turn. The first turns are not counted."""
    queries = {}
    for name, ask in pages.items():
        for n in range(EACH):
            assert (first := ask(n)).status == 200, (first.status, first.body[:300])
        with counted() as said:
            ask(0)
        queries[name] = len(said)
    memory.in_large_pages()  # as a process that serves does after a minute, and each half hour
    pid = backend()
    rounds: dict[str, list[tuple[float, float, float]]] = {name: [] for name in pages}
    sizes = dict.fromkeys(pages, 0)
    for turn in range(ROUNDS):
        for name, ask in pages.items():
            loop = _loop.seconds()
            own, other = own_seconds(), seconds_of(pid)
            for n in range(EACH):
                answer = ask(turn * EACH + n)
                assert answer.status == 200
                sizes[name] = max(sizes[name], len(answer.body))
            ours, theirs = own_seconds() - own, seconds_of(pid) - other
            rounds[name].append((ours * 1_000 / EACH, theirs * 1_000 / EACH, loop))
    return {
        name: Cost(queries[name], *_medians(rounds[name]), sizes[name] // 1024) for name in pages
    }


def _medians(rounds: Sequence[tuple[float, float, float]]) -> tuple[float, float, float, float]:
    """Of ours, theirs, both together and the loop."""
    ours, theirs, loops = zip(*rounds, strict=True)
    both = statistics.median(a + b for a, b, _ in rounds)
    return statistics.median(ours), statistics.median(theirs), both, statistics.median(loops)


def table(costs: dict[str, Cost]) -> None:
    print(
        f"{'':<34}{'queries':>8}{'ours ms':>9}{'theirs ms':>11}{'CPU ms':>8}{'KB':>6}"
        f"{'loop s':>8}{'‰ loop':>8}"
    )
    for name, one in costs.items():
        print(
            f"{name:<34}{one.queries:>8}{one.ours:>9.1f}{one.theirs:>11.1f}"
            f"{one.together:>8.1f}{one.kilobytes:>6}"
            f"{one.loop:>8.2f}{one.loops:>8.0f}"
        )


def told(name: str, costs: dict[str, Cost]) -> None:
    """The table, and the dearest of the pages as the figure; `ratio`: to the bare loop of the same
    minutes, in thousandths."""
    table(costs)
    line(f"{name}-queries", max(one.queries for one in costs.values()), "queries",
         limit=MOST_QUERIES)  # fmt: skip
    dearest = max(costs.values(), key=lambda one: one.together)
    line(
        name, round(dearest.together, 1), "ms CPU a page",
        ratio=round(dearest.loops), limit=MOST_MS,
    )  # fmt: skip


def explained(ask: Callable[[], Answer]) -> None:
    """Every statement of a page with the plan that is kept for it (`tests.plans`) and the time it takes,
    the dearest first."""
    from django.db import connection
    from tests.plans import kept

    found: list[tuple[float, str]] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if str(sql).lstrip().startswith(("SELECT", "WITH")):
            plan = kept(sql, params, "(ANALYZE, BUFFERS, SUMMARY)").splitlines()
            spent = sum(float(row.split(":")[1].split()[0]) for row in plan if " Time:" in row)
            found.append((spent, "\n".join([str(sql)[:400], *plan])))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        ask()
    for spent, text in sorted(found, reverse=True):
        print(f"--- {spent:.2f} ms\n{text}\n")
