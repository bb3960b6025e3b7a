"""Counting everything anew (统计重算)."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection, transaction

from zhengwu.ledger import services as ledger
from zhengwu.statistics.followers import FIGURES

# Facts first, places last: what refers to what.
TABLES = (
    "statistics_measured", "statistics_restatement", "statistics_person", "statistics_handing",
    "statistics_spread", "statistics_day", "statistics_month", "statistics_fineday",
    "statistics_finemonth", "statistics_place",
)  # fmt: skip


def rebuild(*, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Empty every figure and count the log from its beginning; how many positions.

    Safe beside a running worker: the follower waits until all is empty, and then takes its part of
    the steps. Pages show what has been counted so far. What breaks off, the worker completes.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_follower (name) VALUES (%s) ON CONFLICT DO NOTHING", [FIGURES.name]
        )
        cursor.execute(
            "SELECT position FROM ledger_follower WHERE name = %s FOR UPDATE", [FIGURES.name]
        )
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        cursor.execute("UPDATE ledger_follower SET position = 0 WHERE name = %s", [FIGURES.name])
    pace = ledger.Pace()
    while pace.follow(FIGURES.name):
        progress(*_reached())
    return _reached()[0]


def _reached() -> tuple[int, int]:
    """How far the follower is, and how long the log."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT position FROM ledger_follower WHERE name = %s),"
            " (SELECT coalesce(max(position), 0) FROM ledger_position)",
            [FIGURES.name],
        )
        done, total = cursor.fetchone()
        return done, max(done, total)
