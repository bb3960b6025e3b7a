"""Counting everything anew (统计重算)."""

from __future__ import annotations

import os
from collections.abc import Callable

from zhengwu.ledger import services as ledger
from zhengwu.statistics import rebuilding
from zhengwu.statistics.followers import FIGURES
from zhengwu.statistics.rebuilding import TABLES
from zhengwu.statistics.standing import position

__all__ = ["TABLES", "parts", "position", "rebuild"]

MOST_PARTS = 4  # more than this PostgreSQL's own part would not leave free


def parts() -> int:
    """How many processes a count is worth sharing among on this machine."""
    return min(os.cpu_count() or 1, MOST_PARTS)


def rebuild(
    *, parts: int = 1, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Empty every figure and count the log from its beginning; up to which position.

    parts: how many processes share the cases. progress: cases so far, and of how many. Safe beside a
    running worker: its follower stands still meanwhile and goes on from where the log ended at the
    beginning. Pages show what has been counted so far. What breaks off, the worker does step by step;
    where everything was killed at once, the figures stand still until this is called again. Raises
    ledger.Superseded where it was called again meanwhile.
    """
    rebuilding.anew(parts=parts, progress=progress)
    pace = ledger.Pace()
    while pace.follow(FIGURES.name):
        pass
    return position()
