"""After the year (记账之后): sequencer and followers to the end of the log, side by side."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from django.db import connections

from zhengwu.ledger import services as ledger

# Positions of a run: what many entries of a day add to one figure is written once. The worker takes
# shorter ones, because others wait for it; here nobody does.
RUN = 10_000
TOLD_EVERY = 1.0  # seconds
Progress = Callable[[Mapping[str, int]], None]


def count(*, run: int = RUN, progress: Progress | None = None) -> int:
    """Run every follower to the end of the log, each in a process of its own with a cursor of its own;
    how many positions all of them went on together. What a follower enters itself is followed, too,
    until nothing new is there.

    Whoever is killed meanwhile loses the run under way and nothing else: effect and cursor are one
    transaction. progress: follower → positions so far. Raises RuntimeError where one of them failed.
    """
    context = multiprocessing.get_context("fork")
    went: dict[str, Any] = {one.name: context.Value("q", 0) for one in ledger.followers()}
    before = 0
    while True:
        placed = ledger.sequence()
        _side_by_side(went, run, progress)
        total: int = sum(counter.value for counter in went.values())
        if not placed and total == before:
            return total
        before = total


def _side_by_side(went: Mapping[str, Any], run: int, progress: Progress | None) -> None:
    """All of them once to the end that there is now. went: follower → its counter, shared."""
    connections.close_all()  # every process asks by a connection of its own
    context = multiprocessing.get_context("fork")
    running = [
        context.Process(
            target=_follow, args=(name, run, counter, os.getpid()), name=name, daemon=True
        )
        for name, counter in went.items()
    ]
    try:
        for process in running:
            process.start()
        while alive := [one for one in running if one.is_alive()]:
            wait([one.sentinel for one in alive], timeout=TOLD_EVERY)
            if progress:
                progress({name: counter.value for name, counter in went.items()})
            _look_at(running)
        _look_at(running)
    finally:
        for process in running:
            if process.is_alive():
                process.terminate()
            if process.pid is not None:
                process.join()


def _look_at(running: Iterable[BaseProcess]) -> None:
    for process in running:
        if process.exitcode:
            raise RuntimeError(f"{process.name} ended with {process.exitcode}")


def _follow(name: str, run: int, went: Any, parent: int) -> None:
    try:
        while os.getppid() == parent and (count := ledger.follow(name, limit=run)):
            went.value += count
    finally:
        connections.close_all()
