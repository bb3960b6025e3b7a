"""How far the figures are (统计到哪里): the position of the log up to which they count."""

from __future__ import annotations

from django.db import connection

from zhengwu.statistics.followers import FIGURES


def position() -> int:
    """The last position that was counted; 0 before the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT position FROM ledger_follower WHERE name = %s", [FIGURES.name])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
