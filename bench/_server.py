"""The real web processes over the big city, and people and systems that ask them.

The server is what `zhengwu web` starts: granian, two processes, the settings as they ship but for
the interface's rate (a system may send more in a minute than it usually does). Every request has a
time at which it is due; what it takes is counted from then on, so that a server that makes people
wait is not excused for it. The clients run in this process, on the same machine.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench import _web
from bench._city import SECOND, City

USERS = 16
MIX: tuple[tuple[str, float], ...] = (("inbox", 0.4), ("case", 0.4), ("track", 0.1), ("act", 0.1))
TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    port: int
    pid: int

    def processes(self) -> list[int]:
        """It and its children, theirs too."""
        found, left = [], [self.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                left += [int(one) for one in task.read_text().split()]
        return found

    def megabytes(self) -> float:
        """Resident memory of the process that has most."""
        return max((megabytes_of(pid) for pid in self.processes()), default=0.0)


def megabytes_of(pid: int) -> float:
    """Resident memory of a process; 0 for one that has just ended."""
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith("VmRSS:"):
            return round(int(row.split()[1]) / 1024, 1)
    return 0.0


@contextmanager
def served(it: City, *, workers: int = 2, **settings: str) -> Iterator[Served]:
    """Web processes on a free port, until the end."""
    from zhengwu.config import serve

    serve.collect(it.home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        serve.web_command("127.0.0.1", port, workers),
        env={**os.environ, "ZHENGWU_PORT": str(port), "ZHENGWU_API_PER_MINUTE": "100000", **settings},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not _alive(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("the web processes did not start")
            time.sleep(0.1)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(70)
        except subprocess.TimeoutExpired:
            process.kill()


def _alive(port: int) -> bool:
    try:
        return ask(port, "GET", "/healthz").status == 200
    except OSError:
        return False


# --- one request ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    retry: str = ""
    media: str = ""


def ask(
    port: int, method: str, path: str, *, headers: dict[str, str] | None = None,
    body: bytes | None = None, source: str = "127.0.0.1",
) -> Reply:  # fmt: skip
    """One request over a connection of its own. Raises OSError."""
    line = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=TIMEOUT, source_address=(source, 0)
    )
    try:
        line.request(method, path, body=body, headers=headers or {})
        answer = line.getresponse()
        return Reply(
            answer.status, answer.read(), answer.getheader("Retry-After") or "",
            answer.getheader("Content-Type") or "",
        )  # fmt: skip
    except http.client.HTTPException as problem:
        raise OSError(str(problem)) from problem
    finally:
        line.close()


# --- what is asked for ----------------------------------------------------------------------------


@dataclass(slots=True)
class Done:
    """One request that was made. seconds: from when it was due."""

    what: str
    due: float
    seconds: float
    status: int  # 0: no answer at all
    key: str = ""
    honest: bool = True  # a "no" says 503 and when to come again


@dataclass(slots=True)
class Town:
    """Whom and what the clients know: sessions, cases, a system's token."""

    it: City
    port: int
    sessions: list[str]
    pages: list[str]
    tracked: list[tuple[str, str]]
    writer: str  # the clerk whom the system acts for
    system: uuid.UUID
    bearer: str
    form: dict[str, str]  # the progress page's token and cookie
    item: str
    ticks: dict[str, str]
    waiting: queue.SimpleQueue[tuple[str, int]] = field(default_factory=queue.SimpleQueue)
    turns: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def turn(self) -> int:
        with self.lock:
            self.turns += 1
            return self.turns

    def address(self) -> str:
        """Another one every few requests: nobody is kept out for asking often."""
        n = self.turn()
        return f"127.{1 + n // 64000 % 200}.{n // 250 % 250}.{1 + n % 250}"

    # --- reading ------------------------------------------------------------------------------

    def inbox(self, user: int) -> Reply:
        return self._page(user, "/desk/")

    def case(self, user: int) -> Reply:
        return self._page(user, self.pages[self.turn() % len(self.pages)])

    def _page(self, user: int, path: str) -> Reply:
        cookie = {"Cookie": f"zw_session={self.sessions[user % len(self.sessions)]}"}
        return ask(self.port, "GET", path, headers=cookie)

    def track(self, user: int) -> Reply:
        number, code = self.tracked[self.turn() % len(self.tracked)]
        body = urlencode({**self.form, "number": number, "code": code}).encode()
        headers = {
            "Cookie": f"zw_csrf={self.form['cookie']}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return ask(self.port, "POST", "/track", headers=headers, body=body, source=self.address())

    # --- acts ---------------------------------------------------------------------------------

    def logged(self, key: str) -> str:
        """What stands in the log of a key that was sent: accounts.api.key_of."""
        return str(uuid.uuid5(self.system, key))

    def act(self, user: int, key: str) -> Reply:
        """Accept what was received before, or receive; the one as often as the other."""
        try:
            number, version = self.waiting.get_nowait()
        except queue.Empty:
            return self._receive(key)
        body = {"version": version, "form": {}}
        return self._write(f"/api/v1/cases/{number}/acts/accepted", body, key)

    def _receive(self, key: str) -> Reply:
        from zhengwu.cases import simulate

        given = simulate.applicant(random.Random(key))
        body = {
            "item": self.item, "materials": self.ticks,
            "applicant": {
                "kind": given.kind, "name": given.name, "identifier_kind": given.identifier_kind,
                "identifier": given.identifier, "phone": given.phone,
            },
        }  # fmt: skip
        answer = self._write("/api/v1/cases", body, key)
        if answer.status == 201:
            told = json.loads(answer.body)
            self.waiting.put((told["number"], told["version"]))
        return answer

    def _write(self, path: str, body: object, key: str) -> Reply:
        headers = {
            "Authorization": f"Bearer {self.bearer}", "Idempotency-Key": key,
            "X-Acting-Person": self.writer, "Content-Type": "application/json",
        }  # fmt: skip
        return ask(self.port, "POST", path, headers=headers, body=json.dumps(body).encode())


def town(it: City, port: int) -> Town:
    """Sign sixteen people in, give a system a token, look cases up. The system is of the second
    organ, so that the busiest desk stays as it was built, however often something is measured."""
    from zhengwu.accounts import queries as accounts
    from zhengwu.accounts import systems
    from zhengwu.accounts.scopes import SCOPES
    from zhengwu.catalog import queries as catalog
    from zhengwu.web.clock import now

    at = now()
    people = [one.person for one in accounts.colleagues(it.agency) if one.kind != "legal"]
    people = (people * USERS)[:USERS]
    security = accounts.actor("p-420100-c00-security-admin")
    code = f"bench-{uuid.uuid4().hex[:8]}"
    system = systems.register(
        security, code=code, name="测速用的系统", agency=SECOND, role="agency_system", place="",
        key=str(uuid.uuid4()), at=at,
    )  # fmt: skip
    bearer = systems.issue(
        security, system, scopes=list(SCOPES), days=2, key=str(uuid.uuid4()), at=at
    ).secret
    item = next(one for one in catalog.receivable([SECOND], at.date()) if one.kind == "promised")
    browser = _web.Browser()
    token = browser.token("/track")
    return Town(
        it=it, port=port,
        sessions=[_web.session(one) for one in people],
        pages=[f"/desk/cases/{n}" for s in ("received", "handling", "decided", "closed")
               for n, _ in it.numbers(s, 100)],
        tracked=[pair for s in ("handling", "decided", "closed") for pair in it.numbers(s, 200)],
        writer="p-420100-d23-clerk-a", system=system, bearer=bearer,
        form={"csrfmiddlewaretoken": token, "cookie": browser.cookies["zw_csrf"]},
        item=item.code, ticks={one.code: "received" for one in item.materials},
    )  # fmt: skip


# --- arriving -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """A request to be made: when (seconds from the beginning), what, by which user."""

    at: float
    what: str
    user: int


def usual(seconds: float, *, start: float = 0.0, seed: int = 1) -> list[Due]:
    """Sixteen users, a request a second each, in the mix."""
    chance = random.Random(seed)
    names, weights = [name for name, _ in MIX], [weight for _, weight in MIX]
    return [
        Due(start + n + user / USERS, chance.choices(names, weights)[0], user)
        for n in range(int(seconds))
        for user in range(USERS)
    ]


def acts(rate: float, seconds: float, *, start: float = 0.0) -> list[Due]:
    """Acts at a rate a second, evenly."""
    return [Due(start + n / rate, "act", n) for n in range(int(rate * seconds))]


def play(town: Town, plan: Sequence[Due], *, threads: int = 400) -> list[Done]:
    """Make every request when it is due; nobody waits for somebody else's answer."""
    todo: queue.Queue[tuple[Due, float] | None] = queue.Queue()
    done: list[Done] = []
    asks: dict[str, Callable[[int], Reply]] = {
        "inbox": town.inbox, "case": town.case, "track": town.track,
    }  # fmt: skip

    def work() -> None:
        while (given := todo.get()) is not None:
            one, due = given
            key = str(uuid.uuid4()) if one.what == "act" else ""
            try:
                answer = town.act(one.user, key) if key else asks[one.what](one.user)
            except OSError:
                answer = Reply(0, b"")
            honest = answer.status not in (0, 500) and (answer.status != 503 or bool(answer.retry))
            done.append(
                Done(one.what, one.at, time.perf_counter() - due, answer.status, key, honest)
            )

    crew: list[threading.Thread] = []
    began = time.perf_counter()
    for one in sorted(plan, key=lambda each: each.at):
        due = began + one.at
        if (wait := due - time.perf_counter()) > 0:
            time.sleep(wait)
        if (not todo.empty() and len(crew) < threads) or len(crew) < 8:
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            crew.append(thread)
        todo.put((one, due))
    for _ in crew:
        todo.put(None)
    for thread in crew:
        thread.join()
    return done


def percentile(seconds: Sequence[float], part: float) -> float:
    """In milliseconds."""
    if not seconds:
        return 0.0
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1_000, 1)


def summary(done: Sequence[Done], title: str) -> None:
    """What was asked for, how often, how long it took, what went wrong."""
    print(title)
    print(f"  {'':<8}{'n':>7}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'most':>9}  answers")
    for what in (*dict(MIX), "all"):
        of = [one for one in done if what in ("all", one.what)]
        if not of:
            continue
        times = [one.seconds for one in of]
        said: dict[int, int] = {}
        for one in of:
            said[one.status] = said.get(one.status, 0) + 1
        answers = " ".join(f"{status}:{count}" for status, count in sorted(said.items()))
        print(
            f"  {what:<8}{len(of):>7}{percentile(times, 0.5):>9}{percentile(times, 0.95):>9}"
            f"{percentile(times, 0.99):>9}{percentile(times, 1):>9}  {answers}"
        )


assert sys.platform == "linux"
