"""Processes of the worker for what takes long (后台进程): the worker goes on with its own meanwhile.

`python -m zhengwu.config.jobs [exports | trials]` makes the exports, or tries the rules, that wait
and ends. The worker looks every second whether something waits, and starts up to
ZHENGWU_EXPORTS_AT_ONCE of the first and one of the second; whatever ends it ends them too.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from datetime import datetime

from zhengwu.config.postgres import die_with_parent

GRACE = 8.0  # seconds to put an order back; within the ten that `serve` gives the worker
CALM = 5.0  # seconds: one that ends sooner with a fault is not started again at once
log = logging.getLogger(__name__)


class Processes(ABC):
    """Processes of one kind of work. what: the argument of `python -m zhengwu.config.jobs`."""

    what: str

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._not_before = 0.0

    @abstractmethod
    def waiting(self, at: datetime) -> int:
        """Find work whose process died; how much waits."""

    def most(self) -> int:
        """How many of them may be at work at once."""
        return 1

    def tend(self, at: datetime) -> int:
        """Find work whose process died, and start a process where some waits; how many started."""
        self._bury()
        waiting = self.waiting(at)
        free = self.most() - len(self._processes)
        if free <= 0 or not waiting or time.monotonic() < self._not_before:
            return 0
        # One with each look: whoever comes may find that one of the same person is under way.
        self._processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "zhengwu.config.jobs", self.what],
                stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent,
            )
        )
        return 1

    @property
    def busy(self) -> bool:
        """Whether one of them is at work."""
        return any(one.poll() is None for one in self._processes)

    def _bury(self) -> None:
        for one in list(self._processes):
            if (code := one.poll()) is not None:
                self._processes.remove(one)
                if code:
                    log.warning("a process of %s ended with %s", self.what, code)
                    self._not_before = time.monotonic() + CALM

    def ask_to_end(self) -> None:
        """Ask them to put back what they are at."""
        for one in self._processes:
            with contextlib.suppress(ProcessLookupError):
                one.terminate()

    def end(self, until: float | None = None) -> None:
        """End them in order; what they were at waits again. until: by time.monotonic."""
        self.ask_to_end()
        until = time.monotonic() + GRACE if until is None else until
        for one in self._processes:
            try:
                one.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        self._processes.clear()


class Exporters(Processes):
    """The processes that make exports."""

    what = "exports"

    def waiting(self, at: datetime) -> int:
        from zhengwu.exports import services

        return services.recover(at=at)

    def most(self) -> int:
        from django.conf import settings

        return int(settings.EXPORTS_AT_ONCE)


class Triers(Processes):
    """The process that tries rules on history; one, whatever exports are under way."""

    what = "trials"

    def waiting(self, at: datetime) -> int:
        from zhengwu.supervision import trials

        return trials.recover(at=at)


EXPORTERS = Exporters()
TRIERS = Triers()


def end() -> None:
    """End all of them within one grace."""
    until = time.monotonic() + GRACE
    for one in (EXPORTERS, TRIERS):
        one.ask_to_end()
    for one in (EXPORTERS, TRIERS):
        one.end(until)


def main(what: str = "exports") -> None:
    """Until nothing waits, or SIGTERM."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengwu.config.settings")
    ending = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: ending.set())
    with contextlib.suppress(OSError):
        os.nice(5)  # people at their desks come first
    django.setup()
    from django.db import connection

    from zhengwu.exports import running
    from zhengwu.supervision import trying

    try:
        {"exports": running.work, "trials": trying.work}[what](ending)
    finally:
        connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:2])
