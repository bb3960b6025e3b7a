"""The parent process (总进程): private database, migration, web, worker, in one terminal.

Whatever ends the parent, even SIGKILL, ends the children: the kernel tells them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from zhengwu.config import doctor, keys
from zhengwu.config.environment import env, env_bool
from zhengwu.config.postgres import APP, OWNER, Cluster, Server, die_with_parent

GRACE = 10.0  # seconds a child has to end in order
CALM = 60.0  # seconds of life after which a child's earlier deaths are forgotten
WAITS = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)  # seconds before the first, second, … restart


@dataclass(slots=True)
class Child:
    """A process that is started again when it dies."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    again: float = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "ZHENGWU_SERVED": "1"},
            start_new_session=True,  # Ctrl-C reaches the parent, which ends them in order
            preexec_fn=die_with_parent,
        )
        self.started = time.monotonic()

    def watch(self, say: Callable[[str], None]) -> None:
        """Notice a death; start again when the wait is over."""
        moment = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            code = self.process.returncode
            self.process = None
            self.deaths = 1 if moment - self.started > CALM else self.deaths + 1
            wait = WAITS[min(self.deaths, len(WAITS)) - 1]
            self.again = moment + wait
            say(f"{self.name} 退出了（{code}），{wait:g} 秒后重新启动（第 {self.deaths} 次）。")
        if self.process is None and moment >= self.again:
            self.start()

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()

    def bury(self, until: float) -> None:
        """Wait for the end; then kill the whole group."""
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.1, until - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass(slots=True)
class Parent:
    """What `zhengwu serve` does, step by step."""

    home: Path
    host: str
    port: int
    web_workers: int
    say: Callable[[str], None]
    stopping: bool = False
    server: Server | None = None
    children: list[Child] = field(default_factory=list)

    def run(self) -> None:
        """Start everything, watch it, end it. Raises StartProblem and what the steps raise."""
        doctor.python()
        doctor.folder(self.home)
        doctor.port(self.host, self.port)
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, self._asked_to_stop)
        with alone(self.home):
            try:
                self.server = database(self.home)
                prepare(self.home, self.say)
                self._start()
                self._watch()
            finally:
                self._end()

    def _asked_to_stop(self, signum: int, frame: FrameType | None) -> None:
        if self.stopping:
            return
        self.stopping = True
        if not self.children:  # still starting: leave at once, in order
            raise KeyboardInterrupt

    def _start(self) -> None:
        web = Child("网页进程", granian(self.host, self.port, self.web_workers))
        work = Child("后台进程", [sys.executable, "-m", "zhengwu", "work"])
        for child in (web, work):
            child.start()
            self.children.append(child)

    def _watch(self) -> None:
        announced = False
        while not self.stopping:
            for child in self.children:
                child.watch(self.say)
            if self.server is not None and self.server.poll() is not None:
                self.say("自带数据库退出了，正在重新启动。")
                self.server = self.server.cluster.start()
            if not announced and answers(self.host, self.port):
                announced = True
                self.say(banner())
            time.sleep(0.05 if not announced else 0.25)

    def _end(self) -> None:
        if self.children:
            self.say("正在停止……")
        for child in self.children:
            child.end()
        until = time.monotonic() + GRACE
        for child in self.children:
            child.bury(until)
        if self.server is not None:
            self.server.stop()


def granian(host: str, port: int, workers: int) -> list[str]:
    """The command of the web processes."""
    return [
        *(sys.executable, "-m", "granian"),
        "--interface=wsgi",
        f"--host={host}",
        f"--port={port}",
        f"--workers={workers}",
        "--blocking-threads=4",
        "--blocking-threads-idle-timeout=600",
        "--respawn-failed-workers",
        "--workers-kill-timeout=5",
        "--log-level=warning",
        "zhengwu.config.wsgi:application",
    ]


def web(home: Path, host: str, port: int, workers: int, say: Callable[[str], None]) -> NoReturn:
    """What `zhengwu web` does: check, collect the static files, and become granian.

    The process keeps its number, so whoever started it signals granian: SIGHUP puts new workers in
    the place of the old ones, SIGTERM ends it in order. Raises StartProblem.
    """
    if not env("DATABASE_URL"):
        raise doctor.StartProblem(
            "zhengwu web 只运行网页进程，要有 ZHENGWU_DATABASE_URL。"
            "连同自带数据库一起运行的是 zhengwu serve。"
        )
    doctor.python()
    doctor.folder(home)
    doctor.port(host, port)
    database(home)
    import django
    from django.db import connections

    django.setup()
    from zhengwu.config.settings import unsafe

    if found := unsafe():
        raise doctor.StartProblem("\n".join(found))
    try:
        fit()
        collect(home)
    finally:
        connections.close_all()
    say(f"网页进程在 {host}:{port}。")
    sys.stdout.flush()
    command = granian(host, port, workers)
    os.execve(command[0], command, {**os.environ, "ZHENGWU_SERVED": "1"})  # noqa: S606 - no shell is wanted


def fit() -> None:
    """The database fits this version, and its log is safe from us. Raises StartProblem."""
    from django.conf import settings

    from zhengwu.config import migrate

    if waiting := migrate.pending():
        raise doctor.StartProblem(f"有 {len(waiting)} 步迁移没有执行。请先运行 zhengwu migrate。")
    if migrate.rewrites_the_log() and not settings.DEMO:
        raise doctor.StartProblem(
            "应用的数据库用户可以改写事件账。请把 ZHENGWU_DATABASE_URL 换成另一个用户，"
            "所有者写入 ZHENGWU_OWNER_DATABASE_URL，再运行 zhengwu migrate。"
        )


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """One parent per home folder. Raises StartProblem."""
    with (home / "serve.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise doctor.StartProblem(
                f"{home} 里已经有一个在运行。请先停下它（Ctrl-C），"
                "或者另设 ZHENGWU_HOME 和 ZHENGWU_PORT。"
            ) from problem
        yield


def database(home: Path) -> Server | None:
    """The private server where no ZHENGWU_DATABASE_URL is given; the URLs go to the environment.

    Also the demo's signing key, where none is given. Call it before Django is set up.
    """
    served = None
    if not env("DATABASE_URL"):
        cluster = Cluster(home / "postgres")
        served = cluster.start()
        os.environ["ZHENGWU_DATABASE_URL"] = cluster.url(role=APP)
        os.environ["ZHENGWU_OWNER_DATABASE_URL"] = cluster.url(role=OWNER)
    if env_bool("DEMO") and not env("SECRET_KEY"):
        os.environ["ZHENGWU_SECRET_KEY"] = keys.secret_key(home)
    return served


def prepare(home: Path, say: Callable[[str], None]) -> None:
    """Migrate if needed, check the rights, load the demo city once, collect static files."""
    import django
    from django.db import connections

    django.setup()
    from django.conf import settings

    from zhengwu.config import migrate
    from zhengwu.config.settings import unsafe

    if found := unsafe():
        raise doctor.StartProblem("\n".join(found))
    try:
        applied = migrate.run()
        if applied:
            say(f"数据库已迁移（{len(applied)} 步）。")
        fit()
        if settings.DEMO:
            from zhengwu.config import demo

            if not demo.loaded():
                say("正在建立演示城市……")
                demo.load(say)
        collect(home)
    finally:
        connections.close_all()


def collect(home: Path) -> None:
    """Static files into `home/static`, when something changed since the last time."""
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    mark = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(None):
            state = Path(storage.path(name)).stat()
            mark.update(f"{name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    wanted = mark.hexdigest()
    note = home / "static.mark"
    collected = (home / "static" / "staticfiles.json").exists()
    if collected and note.exists() and note.read_text() == wanted:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    note.write_text(wanted)


def answers(host: str, port: int) -> bool:
    """Whether the web process gives a page."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def banner() -> str:
    """The address, and in the demo who may sign in."""
    from django.conf import settings

    lines = ["", f"政务已启动：{settings.PUBLIC_URL}/"]
    if settings.DEMO:
        from zhengwu.config import demo

        lines += ["", demo.sign_ins()]
    lines += ["", "按 Ctrl-C 停止。"]
    return "\n".join(lines)
