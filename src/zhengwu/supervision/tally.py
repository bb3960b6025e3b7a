"""What counts against whom, month by month (计分发现合计), kept beside the findings for rankings.

A follower of the findings: whatever was issued, lowered or revoked, the months of the units it
concerns are counted anew from the findings as they stand. So it does not matter in which order or
how often it is told, and nothing in a tally depends on the score's table or on the calendar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from zhengwu.domain import periods
from zhengwu.domain.periods import DAY
from zhengwu.domain.reading import SHANGHAI
from zhengwu.ledger import services as ledger
from zhengwu.supervision.events import FINDINGS

NAME = "supervision.tally"
KINDS = frozenset({"issued", "lowered", "revoked"})
# By whom findings are tallied → the columns of a finding that name the place and the unit.
COLUMNS: Mapping[str, tuple[str, str]] = {
    "agency": ("''", "f.agency"), "district": ("''", "f.region"),
    "window": ("f.hall", 'f."window"'), "person": ("f.agency", "f.person"),
}  # fmt: skip
PLACED = frozenset({"window", "person"})
SCORED = "f.counts AND f.scored <> '' AND f.level IN ('warning', 'yellow', 'red')"
Unit = tuple[str, str]  # place, unit


def follow(entries: Sequence[ledger.Entry]) -> None:
    """Count anew what a run of entries concerns; called inside the cursor's transaction."""
    concerned = {one.stream_id for one in entries if one.stream == FINDINGS}
    for (by, month), units in _touched(concerned).items():
        recount(by, month, units)


def _touched(findings: Collection[UUID]) -> dict[tuple[str, date], set[Unit]]:
    """The units and months of these findings."""
    found: dict[tuple[str, date], set[Unit]] = defaultdict(set)
    if not findings:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.agency, f.region, coalesce(f.hall, ''), coalesce(f.\"window\", ''),"
            " coalesce(f.person, ''), f.at FROM supervision_finding f"
            " WHERE f.id = ANY(%s::uuid[]) AND f.scored <> ''",
            [list(findings)],
        )
        for agency, region, hall, window, person, at in cursor.fetchall():
            month = at.astimezone(SHANGHAI).date().replace(day=1)
            for by, place, unit in (
                ("agency", "", agency), ("district", "", region), ("window", hall, window),
                ("person", agency, person),
            ):  # fmt: skip
                if unit and (place or by not in PLACED):
                    found[by, month].add((place, unit))
    return found


def recount(by: str, month: date, units: Iterable[Unit]) -> None:
    """Count a month of some units from the findings, and keep it; nothing where nothing counts."""
    wanted = sorted(units)
    place, unit = COLUMNS[by]
    since, until = bounds(month)
    parameters: dict[str, Any] = {
        "by": by, "month": month, "since": since, "until": until,
        "places": [one for one, _ in wanted], "units": [one for _, one in wanted],
    }  # fmt: skip
    counted: dict[Unit, dict[str, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {place}, {unit}, f.scored, f.level,"  # noqa: S608 - constants
            " extract(day FROM f.at AT TIME ZONE 'Asia/Shanghai')::int AS day, count(*)"
            " FROM supervision_finding f WHERE f.at >= %(since)s AND f.at < %(until)s"
            f" AND {SCORED} AND ({place}, {unit}) IN"
            " (SELECT * FROM unnest(%(places)s::text[], %(units)s::text[]))"
            f" GROUP BY {', '.join(one for one in (place, unit) if one != chr(39) * 2)},"
            " f.scored, f.level, day ORDER BY day",
            parameters,
        )
        for found_place, found_unit, part, level, day, many in cursor.fetchall():
            sums = counted[found_place, found_unit][part]
            if level == "warning":
                sums.setdefault("warning", {})[str(day)] = many
            else:
                sums[level] = sums.get(level, 0) + many
        cursor.execute(
            "DELETE FROM supervision_tally t USING"
            " unnest(%(places)s::text[], %(units)s::text[]) AS u(place, unit)"
            " WHERE t.by = %(by)s AND t.month = %(month)s AND t.place = u.place"
            " AND t.unit = u.unit",
            parameters,
        )
        if counted:
            cursor.execute(
                'INSERT INTO supervision_tally ("by", month, place, unit, counts)'
                " SELECT %(by)s, %(month)s, * FROM"
                " unnest(%(places)s::text[], %(units)s::text[], %(counts)s::jsonb[])",
                {
                    "by": by, "month": month, "places": [one for one, _ in counted],
                    "units": [one for _, one in counted],
                    "counts": [orjson.dumps(one).decode() for one in counted.values()],
                },
            )  # fmt: skip


def bounds(month: date) -> tuple[datetime, datetime]:
    """The first moment of a month, and of the next."""
    return (
        datetime.combine(month, time(), SHANGHAI),
        datetime.combine(periods.month(month).until + DAY, time(), SHANGHAI),
    )


TALLY = ledger.Follower(name=NAME, kinds=KINDS, handle=follow)
__all__ = ["COLUMNS", "KINDS", "NAME", "SCORED", "TALLY", "bounds", "recount"]
