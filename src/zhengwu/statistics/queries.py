"""Reading the daily figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Today:
    """The city's day so far (今日办件)."""

    day: date
    received: int
    accepted: int
    closed: int


def today(*, at: datetime) -> Today:
    """Counts of the day of `at` in Shanghai, as far as the follower has read."""
    day = at.astimezone(SHANGHAI).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT what, sum(count)::bigint FROM statistics_daily WHERE day = %s::date GROUP BY what",
            [day],
        )
        sums = {what: int(count) for what, count in cursor.fetchall()}
    return Today(day, sums.get("received", 0), sums.get("accepted", 0), sums.get("closed", 0))
