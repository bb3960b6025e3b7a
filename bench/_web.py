"""Pages of the big city, asked for in this process: queries, and CPU of ours and of PostgreSQL.

Through the whole WSGI application, as somebody signed in. CPU, not the clock on the wall: it says the
same on a machine that does other things besides. The figure of a page is the median of ROUNDS rounds.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import resource
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import _loop
from bench._city import CASES
from bench._line import line

ROUNDS, EACH = 5, 20
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


class Browser:
    """Somebody at a desk, or nobody: asks our WSGI application in this process."""

    def __init__(self, person: str | None = None) -> None:
        from zhengwu.config import memory
        from zhengwu.config.wsgi import application

        memory.settle()  # as every process that serves does
        self.application = application
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
    """Of one page: queries, milliseconds of CPU of this process and of its backend, kilobytes; the
    bare loop (_loop.py) before and after, in seconds."""

    queries: int
    ours: float
    theirs: float
    kilobytes: int
    before: float
    after: float

    @property
    def together(self) -> float:
        return self.ours + self.theirs

    @property
    def loops(self) -> float:
        """The page in thousandths of the bare loop: what is left when the machine's speed is out."""
        return self.together / ((self.before + self.after) / 2)


def cost(ask: Callable[[int], Answer]) -> Cost:
    """What a page costs; `ask` gets the number of the turn. The first turns are not counted."""
    for n in range(EACH):
        assert (first := ask(n)).status == 200, (first.status, first.body[:300])
    with counted() as said:
        ask(0)
    pid = backend()
    ours, theirs, size = [], [], 0
    before = _loop.seconds()
    for turn in range(ROUNDS):
        own, other = own_seconds(), seconds_of(pid)
        for n in range(EACH):
            answer = ask(turn * EACH + n)
            assert answer.status == 200
            size = max(size, len(answer.body))
        ours.append((own_seconds() - own) * 1_000 / EACH)
        theirs.append((seconds_of(pid) - other) * 1_000 / EACH)
    return Cost(
        len(said), statistics.median(ours), statistics.median(theirs), size // 1024,
        before, _loop.seconds(),
    )  # fmt: skip


def table(costs: dict[str, Cost]) -> None:
    print(
        f"{'':<34}{'queries':>8}{'ours ms':>9}{'theirs ms':>11}{'CPU ms':>8}{'KB':>6}"
        f"{'loop s':>13}{'‰ loop':>8}"
    )
    for name, one in costs.items():
        print(
            f"{name:<34}{one.queries:>8}{one.ours:>9.1f}{one.theirs:>11.1f}"
            f"{one.together:>8.1f}{one.kilobytes:>6}"
            f"{f'{one.before:.2f} – {one.after:.2f}':>13}{one.loops:>8.0f}"
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
