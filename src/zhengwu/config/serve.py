"""The parent process (总进程): private database, migration, web, worker, in one terminal.

Whatever ends the parent, even SIGKILL, ends the children: the kernel tells them. SIGHUP and
`zhengwu reload` put the installed version in the place of the running one, see `Reload`; the parent
itself and the private database stay as they are until the next start.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from zhengwu.config import doctor, keys
from zhengwu.config.environment import env, env_bool
from zhengwu.config.generations import CALM, WAITS, Web
from zhengwu.config.postgres import APP, OWNER, Cluster, Server, die_with_parent

GRACE = 10.0  # seconds a child has to end in order
STANDING_BY = 5.0  # seconds a new worker has to load its code before the old one ends
STOP_THE_WORKER = 10  # exit code: there is something to migrate, and a worker works
RELOADING = 300.0  # seconds somebody waits for the end of a reload


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

    def rest(self, until: float) -> None:
        """End it in order, and leave it so until `start`."""
        self.end()
        self.bury(until)
        self.process, self.again = None, float("inf")

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
    children: list[Child | Web] = field(default_factory=list)
    asked: bool = False
    reload: Reload | None = None

    def run(self) -> None:
        """Start everything, watch it, end it. Raises StartProblem and what the steps raise."""
        doctor.python()
        doctor.folder(self.home)
        doctor.port(self.host, self.port)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._asked_to_stop)
        # A terminal that is closed says SIGHUP too, and means the end.
        hung_up = self._asked_to_stop if sys.stdin and sys.stdin.isatty() else self._asked_to_reload
        signal.signal(signal.SIGHUP, hung_up)
        signal.signal(signal.SIGUSR1, self._asked_to_reload)
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

    def _asked_to_reload(self, signum: int, frame: FrameType | None) -> None:
        self.asked = True

    def _start(self) -> None:
        metrics(self.home, self.port)
        web = Web(self.host, self.port, self.web_workers, lambda: dict(os.environ))
        work = Child("后台进程", [sys.executable, "-m", "zhengwu", "work"])
        for child in (web, work):
            child.start()
            self.children.append(child)

    def _watch(self) -> None:
        announced = False
        while not self.stopping:
            for child in self.children:
                child.watch(self.say)
            self._watch_the_reload()
            if self.server is not None and self.server.poll() is not None:
                self.say("自带数据库退出了，正在重新启动。")
                self.server = self.server.cluster.start()
            if not announced and answers(self.host, self.port):
                announced = True
                self.say(banner())
            time.sleep(0.05 if not announced else 0.25)

    def _watch_the_reload(self) -> None:
        web, work = self.children
        if not isinstance(web, Web) or not isinstance(work, Child):
            return
        if self.reload is None and self.asked and web.settled:
            self.asked = False
            self.say("正在换上新装的版本……")
            self.reload = Reload(self.home, web, work)
        if self.reload is not None and (told := self.reload.watch()) is not None:
            self.say(told)
            self.reload = None

    def _end(self) -> None:
        if self.reload is not None:
            self.reload.end()
        if self.children:
            self.say("正在停止……")
        for child in self.children:
            child.end()
        until = time.monotonic() + GRACE
        for child in self.children:
            child.bury(until)
        if self.server is not None:
            self.server.stop()


@dataclass(slots=True)
class Reload:
    """From the running version to the installed one (换版), a step with each look.

    The installed code migrates, for which alone the worker has to stop, and collects its static
    files beside the old ones. A new worker stands by before the old one ends; then a new generation
    of web processes takes over. The old ones go on with the new schema meanwhile, so a migration of
    a rolling upgrade only adds.
    """

    home: Path
    web: Web
    work: Child
    began: float = field(default_factory=time.monotonic)
    preparing: subprocess.Popen[bytes] | None = None
    replacing: bool = False
    old: subprocess.Popen[bytes] | None = None  # the worker that is to end

    def watch(self) -> str | None:
        """What came of it, once it is over."""
        if self.preparing is None and not self.replacing:
            self._prepare()
        elif self.preparing is not None and self.preparing.poll() is not None:
            code, self.preparing = self.preparing.returncode, None
            if code == STOP_THE_WORKER:
                self.work.rest(time.monotonic() + GRACE)
                self._prepare()
                return None
            if code:
                if self.work.process is None:
                    self.work.start()
                return self._over("准备新的版本时出错（见上面的说明），旧的网页进程继续运行")
            self.old = self.work.process
            self.work.start()
            self.web.replace()
            self.replacing = True
        elif self.replacing and self.web.outcome is not None:
            if self.old is not None and time.monotonic() - self.work.started < STANDING_BY:
                return None
            self._end_the_old()
            if self.web.outcome:
                return self._over(f"{self.web.outcome}，旧的网页进程继续运行")
            return self._over("")
        return None

    def _prepare(self) -> None:
        self.preparing = subprocess.Popen(
            [sys.executable, "-m", "zhengwu.config.serve", "prepare"],
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )

    def _end_the_old(self) -> None:
        if self.old is not None:
            with contextlib.suppress(ProcessLookupError):
                self.old.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.old.wait(GRACE)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.old.pid, signal.SIGKILL)
            self.old.wait()
        self.old = None

    def _over(self, wrong: str) -> str:
        seconds = time.monotonic() - self.began
        say = f"没有换上：{wrong}。" if wrong else f"已换上新装的版本（{seconds:.1f} 秒）。"
        note = self.home / "reload.json"
        fresh = note.with_suffix(".new")
        told = {"ok": not wrong, "say": say, "seconds": round(seconds, 1), "at": time.time()}
        fresh.write_text(json.dumps(told, ensure_ascii=False) + "\n")
        fresh.replace(note)
        return say

    def end(self) -> None:
        if self.preparing is not None:
            self.preparing.kill()
            self.preparing.wait()
        self._end_the_old()


def ask_to_reload(home: Path) -> dict[str, Any]:
    """Have a running `serve` reload, and wait: {"ok", "say", "seconds", "at"}. Raises StartProblem."""
    try:
        with (home / "serve.lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise doctor.StartProblem(f"{home} 里没有正在运行的 zhengwu serve。")
    except FileNotFoundError as problem:
        raise doctor.StartProblem(f"{home} 里没有正在运行的 zhengwu serve。") from problem
    except BlockingIOError:
        parent = int((home / "serve.lock").read_text().strip() or 0)
    if not parent:
        raise doctor.StartProblem("正在运行的 zhengwu serve 还不会换版。请重新启动它。")
    note = home / "reload.json"
    asked = time.time()
    os.kill(parent, signal.SIGUSR1)
    while time.time() - asked < RELOADING:
        with contextlib.suppress(FileNotFoundError):
            told = json.loads(note.read_text())
            if told["at"] > asked:
                return dict(told)
        time.sleep(0.1)
    raise doctor.StartProblem(f"{RELOADING:.0f} 秒内没有换完。请看 zhengwu serve 的输出。")


def web_command(host: str, port: int, workers: int) -> list[str]:
    """The command of the web processes by themselves: SIGHUP replaces them, SIGTERM ends them."""
    return [
        *(sys.executable, "-m", "zhengwu.config.generations"),
        f"--host={host}",
        f"--port={port}",
        f"--workers={workers}",
    ]


def web(home: Path, host: str, port: int, workers: int, say: Callable[[str], None]) -> NoReturn:
    """What `zhengwu web` does: check, collect the static files, and become the web processes' parent.

    The process keeps its number, so whoever started it signals that parent: SIGHUP puts new
    processes in the place of the old ones, SIGTERM ends them in order. Raises StartProblem.
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
    metrics(home, port)
    command = web_command(host, port, workers)
    os.execve(command[0], command, dict(os.environ))  # noqa: S606 - no shell is wanted


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
    with (home / "serve.lock").open("a") as file:  # the number of a running one stays
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise doctor.StartProblem(
                f"{home} 里已经有一个在运行。请先停下它（Ctrl-C），"
                "或者另设 ZHENGWU_HOME 和 ZHENGWU_PORT。"
            ) from problem
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
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


def prepare(home: Path, say: Callable[[str], None], *, keep: bool = False) -> None:
    """Migrate if needed, check the rights, load the demo city once, collect static files.

    keep: leave the static files of the running version beside the new ones.
    """
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
        collect(home, keep=keep)
    finally:
        connections.close_all()


def collect(home: Path, *, keep: bool = False) -> None:
    """Static files into `home/static`, when something changed since the last time.

    keep: without clearing it first. Pages of the old version name files that stand there.
    """
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
    call_command("collectstatic", interactive=False, verbosity=0, clear=not keep)
    note.write_text(wanted)


def metrics(home: Path, port: int) -> None:
    """Where the processes keep their figures (指标): empty at the start, as prometheus_client asks."""
    place = home / "metrics" / str(port)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700, parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(place)


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


def main() -> None:
    """What a reload runs with the new code: `prepare` of `serve`, `fit` of `web`."""
    from zhengwu.config.environment import home

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengwu.config.settings")

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")

    try:
        import django
        from django.db import connections

        django.setup()
        from zhengwu.config import migrate

        try:
            if sys.argv[1:] == ["prepare"]:
                if migrate.pending() and migrate.working():
                    sys.exit(STOP_THE_WORKER)
                prepare(home(), say, keep=True)
            else:
                fit()
                collect(home(), keep=True)
            from django.urls import resolve

            resolve("/healthz")  # reads every view: code that cannot be read is told here
        finally:
            connections.close_all()
    except Exception as problem:
        say(f"{type(problem).__name__}: {problem}" if not str(problem) else str(problem))
        sys.exit(1)


if __name__ == "__main__":
    main()
