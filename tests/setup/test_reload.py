"""A rolling upgrade: new code takes over, and nobody's request fails.

In the ordinary run only how the kernel steers connections; ZHENGWU_DRILL=1 upgrades a server under
load, several times.
"""

from __future__ import annotations

import compileall
import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.setup.test_start import ROOT, free_port, get, kin, surroundings, until_ready
from zhengwu.config.generations import listen, steer

drill = pytest.mark.skipif(
    os.environ.get("ZHENGWU_DRILL") != "1", reason="a drill: ZHENGWU_DRILL=1"
)
RELOADS = 3
CLIENTS = 4  # of each sort
PAUSE = 0.04  # seconds between two requests of a client: steady, not more than two cores carry
PAGES = ("/healthz", "/help", "/decisions", "/readyz")
# As a reverse proxy on this machine sends them.
HEADERS = {"Host": "localhost", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


@dataclass(slots=True)
class Load:
    """Clients that ask all the time; what they were answered, and every failure in words."""

    port: int
    stopping: threading.Event = field(default_factory=threading.Event)
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for target in [self._keeping, self._fresh] * CLIENTS + [self._slow]:
            self.threads.append(threading.Thread(target=target))
            self.threads[-1].start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _keeping(self) -> None:
        """Keeps its connection open, as browsers and proxies do."""
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.stopping.is_set():
            for page in PAGES:
                self._asked(web, page, "kept")
        web.close()

    def _fresh(self) -> None:
        """A new connection for each request."""
        while not self.stopping.is_set():
            for page in PAGES:
                with contextlib.closing(
                    http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                ) as web:
                    self._asked(web, page, "fresh")

    def _asked(self, web: http.client.HTTPConnection, page: str, sort: str) -> None:
        begun = time.monotonic()
        try:
            web.request("GET", page, headers=HEADERS)
            answer = web.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            self.failures.append(f"{sort} {page}: {problem!r}")
            web.close()
            return
        # /readyz says 503 for as long as no worker works, which is an answer.
        if answer.status >= 500 and page != "/readyz":
            self.failures.append(f"{sort} {page}: {answer.status}")
        self.longest = max(self.longest, time.monotonic() - begun)
        self.stopping.wait(PAUSE)
        self.answers[sort] += 1
        if page == "/healthz":
            self.answers[f"healthz {body.decode().strip()}"] += 1

    def _slow(self) -> None:
        """Somebody whose form takes ten seconds to arrive: under way while processes leave."""
        body = b"number=JC000000000000&code=AAAAAA" + b"&x=" + b"y" * 500
        while not self.stopping.is_set():
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line:
                head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
                line.sendall(
                    f"POST /track HTTP/1.1\r\n{head}Connection: close\r\nContent-Type:"
                    f" application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                )
                line.sendall(body[:100])
                self.stopping.wait(10)
                said = ""
                try:
                    line.sendall(body[100:])
                except OSError as problem:
                    said = f"{problem!r}; "  # what was answered early can still be read
                try:
                    said += line.recv(200).decode("latin1")
                except OSError as problem:
                    said += repr(problem)
                if not said.startswith("HTTP/1.1 403"):  # no form token, and so it was read
                    self.failures.append(f"slow: {said[:80]!r}")
                self.answers["slow"] += 1


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the code, to be changed while it runs."""
    place = tmp_path / "src"
    shutil.copytree(ROOT / "src", place, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(place, quiet=1)
    return place


def ready(port: int) -> None:
    """Wait for it, and for a machine that has much else to do."""
    with contextlib.suppress(AssertionError):
        until_ready(port)
        return
    until_ready(port)


def says(code: Path, word: str) -> None:
    """The new version answers so at /healthz."""
    file = code / "zhengwu/config/health.py"
    text = file.read_text()
    start = text.index('HttpResponse("ok') + len('HttpResponse("')
    end = text.index("\\n", start)
    file.write_text(text[:start] + word + text[end:])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "var"
    yield place
    for pid in kin(place):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_the_kernel_steers_new_connections_to_one_of_the_group() -> None:
    with contextlib.ExitStack() as stack:
        port = free_port()
        old = stack.enter_context(listen("127.0.0.1", port))
        new = stack.enter_context(listen("127.0.0.1", port, beside=old))

        def connected(*listeners: socket.socket) -> list[int]:
            """How many of 50 new connections each of them gets."""
            for _ in range(50):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            counts = [0] * len(listeners)
            for index, one in enumerate(listeners):
                with contextlib.suppress(BlockingIOError):
                    while True:
                        stack.enter_context(one.accept()[0])
                        counts[index] += 1
            return counts

        assert connected(old, new) == [50, 0]  # the new one gets nothing before it is steered
        assert steer(new, 1)
        assert connected(old, new) == [0, 50]
        old.close()
        assert connected(new) == [50]  # alone, whatever its number was
        newest = stack.enter_context(listen("127.0.0.1", port, beside=new))
        assert connected(new, newest) == [50, 0]


@drill
def test_new_code_takes_over_and_no_request_fails(home: Path, code: Path, tmp_path: Path) -> None:
    port = free_port()
    environment = surroundings(home, port) | {
        "PYTHONPATH": str(code),
        "ZHENGWU_TRUSTED_PROXIES": "127.0.0.1",
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "zhengwu", *words],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert run("reload").returncode == 1  # nobody is there to be asked
    with (tmp_path / "said").open("w") as said:
        parent = subprocess.Popen(
            [sys.executable, "-m", "zhengwu", "serve"],
            env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        )  # fmt: skip
    ready(port)
    load = Load(port)
    load.start()
    took = []
    try:
        for nth in range(1, RELOADS + 1):
            says(code, f"ok-{nth}")
            time.sleep(2)
            begun = time.monotonic()
            if nth % 2:
                done = run("reload")
                assert done.returncode == 0, done.stdout + done.stderr
                assert "已换上" in done.stdout
            else:
                parent.send_signal(signal.SIGHUP)
            while get(port, "/healthz")[1].strip() != f"ok-{nth}":
                assert time.monotonic() - begun < 120
                time.sleep(0.1)
            took.append(time.monotonic() - begun)
            time.sleep(8)  # until the old ones have left

        # Code that cannot be read: the old version goes on, and the reason is told.
        (code / "zhengwu/portal/urls.py").write_text("this is no code")
        begun = time.monotonic()
        broken = run("reload")
        took.append(time.monotonic() - begun)
        assert broken.returncode == 1
        assert "旧的网页进程继续运行" in broken.stdout
        time.sleep(2)
    finally:
        load.stop()
    assert load.failures == [], Counter(load.failures).most_common(10)
    assert get(port, "/healthz")[1].strip() == f"ok-{RELOADS}"
    assert all(load.answers[f"healthz ok-{nth}"] for nth in range(1, RELOADS + 1))
    assert load.answers["healthz ok"]
    ready(port)
    print(
        f"\n{RELOADS} reloads, {dict(load.answers)}, 0 failed, longest answer {load.longest:.2f} s,"
        f" new code after {', '.join(f'{one:.1f}' for one in took)} s"
    )
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(40) == 0
    assert kin(home) == {}
