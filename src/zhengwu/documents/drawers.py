"""The drawing processes of this web process (制图进程池): at most two, started when needed."""

from __future__ import annotations

import atexit
import contextlib
import json
import queue
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from zhengwu.web import figures

SCRIPT = Path(__file__).resolve().with_name("drawing.py")
MANY = 2
WAIT = 20.0  # seconds somebody waits for a drawer that others use


class Dead(Exception):
    """The process ended over the file: it ran out of time or memory, or crashed."""


class Busy(Exception):
    """No drawer came free within WAIT."""


class Drawer:
    """One process; started with the first request, and again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def ask(self, file: BinaryIO, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """What it says, and the picture. asked["most"]: seconds. Raises Dead."""
        for last in (False, True):
            fresh = self._process is None or self._process.poll() is not None
            if fresh:
                self._start()
            try:
                return self._asked(file, asked)
            except (OSError, EOFError) as problem:
                ran_out = isinstance(problem, TimeoutError) or self._ended_by() == signal.SIGALRM
                self.end()
                # One that was ended from outside while it was idle is not the file's fault.
                if fresh or last or ran_out:
                    raise Dead from problem
        raise Dead

    def _ended_by(self) -> int:
        if self._process is None:
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):
            return -self._process.wait(1)
        return 0

    def end(self) -> None:
        """Kill the process."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._line = None

    def _start(self) -> None:
        self.end()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(SCRIPT)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},
                start_new_session=True,
            )

    def _asked(self, file: BinaryIO, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if self._line is None:
            raise EOFError
        # Its own alarm comes first; ours is for a machine that is too busy to deliver it.
        self._line.settimeout(asked["most"] + 5)
        socket.send_fds(self._line, [json.dumps(asked).encode()], [file.fileno()])
        said, drawn = struct.unpack(">II", self._read(8))
        return json.loads(self._read(said)), self._read(drawn)

    def _read(self, size: int) -> bytes:
        if self._line is None:
            raise EOFError
        got = bytearray()
        while len(got) < size:
            piece = self._line.recv(min(size - len(got), 1 << 20))
            if not piece:
                raise EOFError
            got += piece
        return bytes(got)


_free: queue.LifoQueue[Drawer] = queue.LifoQueue()
for _ in range(MANY):
    _one = Drawer()
    atexit.register(_one.end)
    _free.put(_one)


@contextlib.contextmanager
def drawer() -> Iterator[Drawer]:
    """One of them, for as long as the block lasts. Raises Busy."""
    try:
        one = _free.get(timeout=WAIT)
    except queue.Empty as problem:
        raise Busy from problem
    figures.DRAWERS.inc()
    try:
        yield one
    finally:
        figures.DRAWERS.dec()
        _free.put(one)
