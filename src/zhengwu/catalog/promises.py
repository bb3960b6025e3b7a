"""By how much promises shorten what the law allows (承诺压缩), of whole lists of items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from django.db import connection

from zhengwu.catalog import queries
from zhengwu.domain import guide
from zhengwu.domain.guide import Level
from zhengwu.domain.procedure import Limit


class Shortened(NamedTuple):
    """percent: of the least shortened of these items, whole, rounded down; items: with a limit."""

    percent: int
    items: int


class Promises(NamedTuple):
    """By agency, and by region of all its agencies; without items that have a limit: not there."""

    agencies: Mapping[str, Shortened]
    regions: Mapping[str, Shortened]


def shortened(days: Iterable[date]) -> Mapping[date, Promises]:
    """Of all items in force on each of some days; from memory until something is published."""
    edition = queries.edition()
    return {day: _shortened(day, edition) for day in days}


@lru_cache(maxsize=64)
def _shortened(on: date, edition: int) -> Promises:
    agencies: dict[str, Shortened] = {}
    regions: dict[str, Shortened] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LIMITS, {"day": on, "level": str(Level.IMPLEMENTATION)})
        for agency, region, kind, statutory, promised, items in cursor.fetchall():
            law = _limit(statutory)
            if law is None or not law.value:
                continue
            percent = _percent(law, _limit(promised), kind)
            for found, key in ((agencies, agency), (regions, region)):
                one = found.get(key)
                found[key] = Shortened(
                    percent if one is None else min(one.percent, percent),
                    items + (one.items if one else 0),
                )
    return Promises(agencies, regions)


# What a level says itself goes before the lists above (guide.inherit); a null there is said, too.
_LIMITS = (
    "SELECT v.agency, i.region, v.kind, s.it::text, p.it::text, count(*)"
    " FROM catalog_itemversion v JOIN catalog_item i ON i.id = v.item_id"
    " LEFT JOIN catalog_itemversion a ON a.id = v.above_id"
    " LEFT JOIN catalog_itemversion b ON b.id = a.above_id,"
    " LATERAL (SELECT coalesce(v.own -> 'statutory', a.own -> 'statutory', b.own -> 'statutory')"
    " AS it) s,"
    " LATERAL (SELECT coalesce(v.own -> 'promised', a.own -> 'promised', b.own -> 'promised')"
    " AS it) p"
    " WHERE i.level = %(level)s AND NOT v.retired AND v.in_force @> %(day)s::date"
    " GROUP BY 1, 2, 3, 4, 5"
)


def _limit(text: str | None) -> Limit | None:
    raw: Any = orjson.loads(text) if text else None
    return guide.limit({"limit": raw}, "limit")


def _percent(law: Limit, promise: Limit | None, kind: str) -> int:
    """By how many per cent; across units only what holds in every calendar counts."""
    if promise is None:
        return 100 if kind == "immediate" else 0
    if promise.unit == law.unit:
        return max(0, (law.value - promise.value) * 100 // law.value)
    longest = law.fewest()
    return max(0, int((longest - promise.most()) * 100 / longest)) if longest > 0 else 0


__all__ = ["Promises", "Shortened", "shortened"]
