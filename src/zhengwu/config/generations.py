"""Generations of web processes (换代): new ones take over from old ones without a lost request.

The new generation is started beside the old one, with a listening socket of its own in the same
SO_REUSEPORT group, and gets nothing. When all its workers have loaded the application, new
connections are steered to it (a program of one instruction in the kernel). The old generation
empties its queue and answers its last requests with `Connection: close`, so that clients which keep
connections open come over by themselves; after DRAIN seconds it is told to end, finishes what is
under way, and is gone. If the new one cannot start, the old one just goes on.

Nothing of Django is imported here: `zhengwu serve` and `zhengwu web` are the parents, and live on.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import BinaryIO

from zhengwu.config.postgres import die_with_parent

PATIENCE = 120.0  # seconds a new generation has to load the application
DRAIN = 5.0  # seconds in which kept connections come over
LEAVING = 70.0  # seconds an old generation has to finish; longer than webserver.LONGEST
CALM = 60.0  # seconds of life after which earlier deaths are forgotten
WAITS = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)  # seconds before the first, second, … restart
BACKLOG = 1024
ATTACH = 51  # SO_ATTACH_REUSEPORT_CBPF (linux/socket.h), which the socket module does not name
Say = Callable[[str], None]


class _Program(ctypes.Structure):
    """struct sock_fprog (linux/filter.h)."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def steer(member: socket.socket, index: int) -> bool:
    """New connections go to socket `index` of the group, in the order they began to listen.

    False where the kernel does not know how (not Linux): then they go to any of the group.
    An index beyond the group means any.
    """
    instruction = struct.pack("=HBBI", 0x06, 0, 0, index)  # BPF_RET | BPF_K
    held = ctypes.create_string_buffer(instruction, len(instruction))
    program = _Program(1, ctypes.addressof(held))
    try:
        member.setsockopt(socket.SOL_SOCKET, ATTACH, bytes(program))
    except OSError:
        return False
    return True


def listen(host: str, port: int, *, beside: socket.socket | None = None) -> socket.socket:
    """A listening socket. beside: it joins that one's group, and gets nothing before it is steered."""
    if beside is not None:
        steer(beside, 0)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
        made.listen(BACKLOG)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


@dataclass(slots=True)
class Generation:
    """The processes of one loading of the code."""

    listener: socket.socket
    workers: int
    flag: BinaryIO = field(default_factory=tempfile.TemporaryFile)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    _ready: int = -1
    _loaded: int = 0

    def start(self, environment: dict[str, str]) -> None:
        """Start granian; it inherits the socket, the drain flag and where to tell it is ready."""
        self.flag.write(b"\0")
        self.flag.flush()
        self._close_ready()
        self._ready, told = os.pipe()
        os.set_blocking(self._ready, False)
        passed = (self.listener.fileno(), self.flag.fileno(), told)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "zhengwu.config.webserver", str(passed[0]),
                 str(self.workers)],
                stdin=subprocess.DEVNULL,
                env={
                    **environment, "ZHENGWU_SERVED": "1",
                    "ZHENGWU_DRAIN_FD": str(passed[1]), "ZHENGWU_READY_FD": str(told),
                },
                pass_fds=passed,
                start_new_session=True,  # Ctrl-C reaches the parent, which ends them in order
                preexec_fn=die_with_parent,
            )  # fmt: skip
        finally:
            os.close(told)
        self.started = time.monotonic()
        self._loaded = 0

    def ready(self) -> bool:
        """Whether every worker has loaded the application."""
        with contextlib.suppress(BlockingIOError):
            self._loaded += len(os.read(self._ready, 64))
        return self._loaded >= self.workers

    def dead(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def drain(self) -> None:
        """From now on its answers close their connections."""
        with mmap.mmap(self.flag.fileno(), 1) as shared:
            shared[0] = 1

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()

    def bury(self, until: float) -> None:
        """Wait for the end; then kill the whole group; let go of everything."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.1, until - time.monotonic()))
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.close()

    def close(self) -> None:
        self.listener.close()
        self.flag.close()
        self._close_ready()

    def _close_ready(self) -> None:
        if self._ready >= 0:
            os.close(self._ready)
        self._ready = -1


@dataclass(slots=True)
class _Leaving:
    generation: Generation
    at: float  # when it is told to end
    told: bool = False


class Web:
    """The web processes of a parent: started, watched, replaced, ended; never blocks but in `bury`.

    Its parent calls `watch` several times a second.
    """

    name = "网页进程"

    def __init__(
        self, host: str, port: int, workers: int, environment: Callable[[], dict[str, str]]
    ) -> None:
        self.host, self.port, self.workers = host, port, workers
        self.environment = environment
        self.outcome: str | None = None  # of the last replacement: "" is well, else what went wrong
        self._now: Generation | None = None
        self._next: Generation | None = None
        self._leaving: list[_Leaving] = []
        self._deaths = 0
        self._again = 0.0

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._now.process if self._now else None

    @property
    def settled(self) -> bool:
        """Whether a new generation may come: none is coming, and the last one has left.

        So the group never has more than two sockets, and the newer one is number 1.
        """
        return self._next is None and not self._leaving

    def start(self) -> None:
        self._now = Generation(listen(self.host, self.port), self.workers)
        self._now.start(self.environment())

    def replace(self) -> None:
        """Begin to put a new generation in the place of this one; `outcome` tells the end."""
        if self._now is None or not self.settled:
            raise RuntimeError("not settled")
        self.outcome = None
        coming = Generation(listen(self.host, self.port, beside=self._now.listener), self.workers)
        coming.start(self.environment())
        self._next = coming

    def watch(self, say: Say) -> None:
        """Notice deaths, readiness, and whose time is over."""
        self._watch_the_next(say)
        self._watch_the_leaving()
        self._watch_this_one(say)

    def _watch_the_next(self, say: Say) -> None:
        coming = self._next
        if coming is None or self._now is None:
            return
        if coming.dead():
            self._give_up(
                coming, f"新的网页进程退出了（{coming.process and coming.process.returncode}）"
            )
        elif coming.ready():
            steer(coming.listener, 1)
            self._now.drain()
            self._leaving.append(_Leaving(self._now, time.monotonic() + DRAIN))
            self._now.listener.close()  # its processes hold it until they end
            self._now, self._next, self._deaths = coming, None, 0
            self.outcome = ""
        elif time.monotonic() - coming.started > PATIENCE:
            self._give_up(coming, f"新的网页进程 {PATIENCE:.0f} 秒内没有就绪")

    def _give_up(self, coming: Generation, why: str) -> None:
        coming.end()
        coming.bury(time.monotonic() + 5)
        self._next = None
        self.outcome = why

    def _watch_the_leaving(self) -> None:
        moment = time.monotonic()
        for one in list(self._leaving):
            if not one.told and moment >= one.at:
                one.generation.end()
                one.told = True
            if one.generation.dead() or moment >= one.at + LEAVING:
                one.generation.bury(moment)
                self._leaving.remove(one)

    def _watch_this_one(self, say: Say) -> None:
        this, moment = self._now, time.monotonic()
        if this is None:
            return
        if this.process is not None and this.process.poll() is not None:
            code = this.process.returncode
            this.process = None
            self._deaths = 1 if moment - this.started > CALM else self._deaths + 1
            wait = WAITS[min(self._deaths, len(WAITS)) - 1]
            self._again = moment + wait
            say(f"{self.name} 退出了（{code}），{wait:g} 秒后重新启动（第 {self._deaths} 次）。")
        if this.process is None and moment >= self._again:
            this.start(self.environment())  # on the same socket: who waits goes on waiting

    def _all(self) -> Sequence[Generation]:
        here = (self._now, self._next, *(one.generation for one in self._leaving))
        return [one for one in here if one is not None]

    def end(self) -> None:
        for one in self._all():
            one.end()

    def bury(self, until: float) -> None:
        for one in self._all():
            one.bury(until)
        self._now = self._next = None
        self._leaving.clear()


# --- alone: what `zhengwu web` becomes ------------------------------------------------------------
class Alone:
    """The web processes by themselves: SIGHUP replaces them, SIGTERM and SIGINT end them."""

    GRACE = 65.0  # longer than webserver.LONGEST: what is under way is finished

    def __init__(self, web: Web, say: Say) -> None:
        self.web, self.say = web, say
        self.stopping = self.asked = False

    def run(self) -> None:
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._stop)
        signal.signal(signal.SIGHUP, self._replace)
        preparing: subprocess.Popen[bytes] | None = None
        self.web.start()
        try:
            while not self.stopping:
                self.web.watch(self.say)
                if self.web.outcome:
                    self.say(f"{self.web.outcome}，旧的继续运行。")
                if self.web.outcome is not None:
                    self.web.outcome = None
                if self.asked and preparing is None and self.web.settled:
                    self.asked = False
                    preparing = subprocess.Popen(
                        [sys.executable, "-m", "zhengwu.config.serve", "fit"],
                        stdin=subprocess.DEVNULL,
                        preexec_fn=die_with_parent,
                    )
                if preparing is not None and preparing.poll() is not None:
                    if preparing.returncode == 0:
                        self.web.replace()
                    else:
                        self.say("新的版本没有换上，旧的继续运行。")
                    preparing = None
                time.sleep(0.1)
        finally:
            if preparing is not None:
                preparing.kill()
                preparing.wait()
            self.web.end()
            self.web.bury(time.monotonic() + self.GRACE)

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _replace(self, signum: int, frame: FrameType | None) -> None:
        self.asked = True


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--host", required=True)
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--workers", type=int, required=True)
    given = words.parse_args()
    web = Web(given.host, given.port, given.workers, environment=lambda: dict(os.environ))
    Alone(web, _say).run()


if __name__ == "__main__":
    main()
