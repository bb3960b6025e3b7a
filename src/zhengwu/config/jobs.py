"""Processes of the worker for what takes long (导出进程): the worker goes on with its own meanwhile.

`python -m zhengwu.config.jobs` makes what waits and ends. The worker looks every second whether
something waits, and starts up to ZHENGWU_EXPORTS_AT_ONCE of them; whatever ends it ends them too.
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
from datetime import datetime

from zhengwu.config.postgres import die_with_parent

GRACE = 8.0  # seconds to put an order back; within the ten that `serve` gives the worker
CALM = 5.0  # seconds: one that ends sooner with a fault is not started again at once
log = logging.getLogger(__name__)


class Exporters:
    """The processes that make exports."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._not_before = 0.0

    def tend(self, at: datetime) -> int:
        """Find orders whose process died, and start a process where orders wait; how many started."""
        from django.conf import settings

        from zhengwu.exports import services

        self._bury()
        waiting = services.recover(at=at)
        free = settings.EXPORTS_AT_ONCE - len(self._processes)
        if free <= 0 or not waiting or time.monotonic() < self._not_before:
            return 0
        # One with each look: whoever comes may find that one of the same person is under way.
        self._processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "zhengwu.config.jobs"],
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
                    log.warning("an export process ended with %s", code)
                    self._not_before = time.monotonic() + CALM

    def end(self) -> None:
        """End them in order; what they were at waits again."""
        for one in self._processes:
            with contextlib.suppress(ProcessLookupError):
                one.terminate()
        until = time.monotonic() + GRACE
        for one in self._processes:
            try:
                one.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        self._processes.clear()


EXPORTERS = Exporters()


def main() -> None:
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

    try:
        running.work(ending)
    finally:
        connection.close()


if __name__ == "__main__":
    main()
