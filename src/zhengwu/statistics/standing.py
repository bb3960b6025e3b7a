"""How far the figures are (统计到哪里): the position of the log up to which they count."""

from __future__ import annotations

from datetime import date

from django.db import connection

from zhengwu.statistics.followers import FIGURES


def position() -> int:
    """The last position that was counted; 0 before the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT position FROM ledger_follower WHERE name = %s", [FIGURES.name])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def begins() -> date | None:
    """The first day of the first month of which there are figures; None where there are none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(start) FROM statistics_month")
        found: date | None = cursor.fetchone()[0]
    return found
