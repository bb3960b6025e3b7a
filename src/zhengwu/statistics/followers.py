"""Counting the log (日统计): the follower that keeps `Daily`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.db import connection

from zhengwu.ledger import services as ledger

SHANGHAI = ZoneInfo("Asia/Shanghai")
STREAM = "case"

# Event kind → what it counts as. Acts and observations count the same way.
COUNTED = {
    "received": "received",
    "accepted": "accepted",
    "deemed_accepted": "accepted",
    "granted": "granted",
    "refused": "refused",
    "closed": "closed",
}


def count(events: Sequence[ledger.Entry]) -> None:
    """Add a run of events to the daily figures; called inside the cursor's transaction."""
    sums = Counter(
        (
            event.occurred.astimezone(SHANGHAI).date(),
            event.agency or "",
            event.source,
            COUNTED[event.kind],
        )
        for event in events
        if event.stream == STREAM and event.kind in COUNTED
    )
    if not sums:
        return
    keys = sorted(sums)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO statistics_daily AS d (day, agency, source, what, count) "
            "SELECT * FROM unnest(%s::date[], %s::text[], %s::text[], %s::text[], %s::bigint[]) "
            "ON CONFLICT (day, agency, source, what) DO UPDATE SET count = d.count + excluded.count",
            [
                [k[0] for k in keys],
                [k[1] for k in keys],
                [k[2] for k in keys],
                [k[3] for k in keys],
                [sums[k] for k in keys],
            ],
        )


DAILY = ledger.Follower(
    name="statistics.daily",
    kinds=frozenset(COUNTED),
    handle=count,
)
