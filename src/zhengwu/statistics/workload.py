"""What a unit finished in a month, as far as a score needs it (业务量), kept beside the figures.

A row for each department, district, window and person: a ranking of six thousand people over a year
reads 72,000 small rows instead of a million and a half days. The follower adds to it what it adds to
the days (`followers`), so that months and days never say different things; what of a range is no
whole month is read from the days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from zhengwu.domain.periods import Period

Key = tuple[str, ...]
# By whom → the columns that name the unit: of statistics_place, of a person those of its own table.
UNITS: Mapping[str, tuple[str, ...]] = {
    "agency": ("agency",), "district": ("region",), "window": ("hall", "window"),
    "person": ("agency", "person"),
}  # fmt: skip
COLUMNS = ("finished", "judged", "early", "incomplete")
# A measure of statistics → the columns it counts in.
COUNTED: Mapping[str, tuple[str, ...]] = {
    "closed": ("finished",), "on_time": ("judged",), "late": ("judged",), "early": ("early",),
    "unjudged": ("incomplete",),
}  # fmt: skip
# What a person does counts as often as it is done; how cases end is not counted by person.
DONE = ("received", "accepted", "not_accepted", "steps", "granted", "refused", "delivered")


class Done(NamedTuple):
    """Of a unit in a month or a part of it. judged: on time or late; incomplete: not to be judged."""

    finished: int
    judged: int = 0
    early: int = 0
    incomplete: int = 0


class Finished(NamedTuple):
    """Of a unit in some months. months: those in which it finished something, as bits: 1 << (month
    of its year − 1); within one year."""

    finished: int
    months: int


def monthly(
    by: str, period: Period, *, key: Key = (), places: Collection[str] | None = None
) -> dict[tuple[Key, date], Done]:
    """What units finished in each month of a period; months in which one did nothing are left out.

    by: of UNITS. key: of this unit alone. places: only of these halls (by window), agencies (by
    person). A month that the period does not hold whole is added up from its days.
    """
    months, edges = period.parted()
    found: dict[tuple[Key, date], list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
    sources = [_months(by, months, key, places)] if months else []
    for sql, parameters in [*sources, *(_days(by, edge, key, places) for edge in edges)]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            for place, unit, month, *amounts in cursor.fetchall():
                cell = found[(place, unit) if place else (unit,), month]
                for nth, amount in enumerate(amounts):
                    cell[nth] += amount
    return {at: Done(*cell) for at, cell in found.items() if any(cell)}


def _months(
    by: str, period: Period, key: Key, places: Collection[str] | None
) -> tuple[str, dict[str, Any]]:
    where, parameters = _narrowed(key, places, ("w.place", "w.unit"))
    return (
        "SELECT w.place, w.unit, w.start, w.finished, w.judged, w.early, w.incomplete"  # noqa: S608
        ' FROM statistics_workload w WHERE w."by" = %(by)s'
        f" AND w.start BETWEEN %(since)s AND %(until)s{where}",
        {"by": by, "since": period.since, "until": period.until, **parameters},
    )


def _days(
    by: str, period: Period, key: Key, places: Collection[str] | None
) -> tuple[str, dict[str, Any]]:
    columns = [f'{"f" if by == "person" else "p"}."{one}"' for one in UNITS[by]]
    place, unit = columns if len(columns) > 1 else ("''", columns[0])
    where, parameters = _narrowed(key, places, (place, unit))
    named = "".join(f" AND {one} <> ''" for one in columns)
    return (
        f"SELECT {place}, {unit}, date_trunc('month', f.start)::date, {_sums(by)}"  # noqa: S608
        f" FROM {_SOURCES[by]} WHERE f.start BETWEEN %(since)s AND %(until)s{named}{where}"
        " GROUP BY 1, 2, 3",
        {"since": period.since, "until": period.until, **parameters},
    )


_SOURCES = {
    "agency": "statistics_day f JOIN statistics_place p ON p.id = f.place_id",
    "district": "statistics_day f JOIN statistics_place p ON p.id = f.place_id",
    "window": "statistics_fineday f JOIN statistics_place p ON p.id = f.place_id",
    "person": "statistics_person f",
}


def _sums(by: str) -> str:
    """The columns as sums of figures of days."""
    if by == "person":
        return f"sum({' + '.join(f'f.{one}' for one in DONE)})::bigint"
    return ", ".join(
        f"sum({' + '.join(f'f.{code}' for code, into in COUNTED.items() if column in into)})::bigint"
        for column in COLUMNS
    )


def _narrowed(
    key: Key, places: Collection[str] | None, columns: tuple[str, str]
) -> tuple[str, dict[str, Any]]:
    """The condition on a unit or on places, with AND before it."""
    if key:
        place, unit = key if len(key) > 1 else ("", key[0])
        return f" AND {columns[0]} = %(place)s AND {columns[1]} = %(unit)s", {
            "place": place, "unit": unit,
        }  # fmt: skip
    if places is None:
        return "", {}
    return f" AND {columns[0]} = ANY(%(places)s::text[])", {"places": sorted(places)}


def yearly(
    by: str, months: Collection[date], *, places: Collection[str] | None = None
) -> dict[Key, Finished]:
    """What units finished in some months of one year together, one row each. by, places: as above."""
    if not months:
        return {}
    where, parameters = _narrowed((), places, ("w.place", "w.unit"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.place, w.unit, sum(w.finished)::bigint,"  # noqa: S608 - constants
            f" bit_or({month_bit('w.start')}) FROM statistics_workload w"
            ' WHERE w."by" = %(by)s AND w.start BETWEEN %(since)s AND %(until)s'
            f" AND w.finished <> 0{where} GROUP BY 1, 2",
            {"by": by, "since": min(months), "until": max(months), **parameters},
        )
        return {
            (place, unit) if place else (unit,): Finished(finished, bits)
            for place, unit, finished, bits in cursor.fetchall()
        }


def month_bit(column: str) -> str:
    """The bit of a day's month as SQL, as in Finished.months."""
    return f"1 << date_part('month', {column})::int - 1"


__all__ = [
    "COLUMNS", "COUNTED", "DONE", "UNITS", "Done", "Finished", "Key", "month_bit", "monthly",
    "yearly",
]  # fmt: skip
