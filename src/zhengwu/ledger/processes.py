"""Work on the whole log shared among processes (分进程)."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from django.db import connections

from zhengwu.ledger.following import Superseded

TOLD_EVERY = 1.0  # seconds
SUPERSEDED = 3  # what a process ends with
Went = Callable[[int], None]  # how much more is done
Progress = Callable[[Mapping[str, int]], None]


def side_by_side(works: Mapping[str, Callable[[Went], None]], progress: Progress) -> dict[str, int]:
    """Do each work in a forked process of its own, with a connection of its own; how much each did.

    progress: the same so far, every second. Ends the others where one fails, and raises RuntimeError
    with its name, or Superseded where it did. Where this process is gone they end by themselves.
    """
    connections.close_all()
    context = multiprocessing.get_context("fork")
    done: dict[str, Any] = {name: context.Value("q", 0) for name in works}
    running = [
        context.Process(target=_do, args=(work, done[name], os.getpid()), name=name, daemon=True)
        for name, work in works.items()
    ]

    def so_far() -> dict[str, int]:
        return {name: counter.value for name, counter in done.items()}

    try:
        for process in running:
            process.start()
        while alive := [one for one in running if one.is_alive()]:
            wait([one.sentinel for one in alive], timeout=TOLD_EVERY)
            progress(so_far())
            _look_at(running)
        _look_at(running)
    finally:
        for process in running:
            if process.is_alive():
                process.terminate()
            if process.pid is not None:
                process.join()
    return so_far()


def _look_at(running: Sequence[BaseProcess]) -> None:
    for process in running:
        if process.exitcode == SUPERSEDED:
            raise Superseded(process.name)
        if process.exitcode:
            raise RuntimeError(f"{process.name} ended with {process.exitcode}")


def _do(work: Callable[[Went], None], counter: Any, parent: int) -> None:
    def went(more: int) -> None:
        counter.value += more
        if os.getppid() != parent:
            raise SystemExit("whoever asked for it is gone")

    try:
        work(went)
    except Superseded:
        raise SystemExit(SUPERSEDED) from None
    finally:
        connections.close_all()
