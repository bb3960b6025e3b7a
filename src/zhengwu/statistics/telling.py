"""Figures as data (统计数据的样子): one object a row, the same at the interface, on the command line
and in the files for the public; and the names behind the codes, in few queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Names as AgencyNames
from zhengwu.cases import wording
from zhengwu.catalog import queries as catalog
from zhengwu.domain.measuring import CODES, DERIVED, MEASURES, Measure
from zhengwu.domain.periods import Period
from zhengwu.halls import queries as halls
from zhengwu.statistics.queries import (
    DIMENSIONS,
    Handing,
    Question,
    Restated,
    Row,
    Spread,
)

NOT_TOLD = "没有说明"
KINDS: Mapping[str, str] = wording.KINDS
# How applications come in, as this house and other systems write it; what is not here is itself.
CHANNELS: Mapping[str, str] = {
    "window": "窗口", "desk": "柜台", "online": "网上", "internet": "互联网", "mobile": "移动端",
    "app": "移动端", "self_service": "自助终端", "terminal": "自助终端", "post": "邮寄",
    "phone": "电话", "e-mail": "电子邮件", "email": "电子邮件", "intern": "内部",
    "unknown": "来源系统写“不明”",
}  # fmt: skip
# Column of a place → under which name it stands in a row: as the filter is called.
KEYS: Mapping[str, str] = {
    "agency": "agency", "unit": "unit", "region": "district", "hall": "hall", "window": "window",
    "item": "item", "kind": "kind", "source": "source", "channel": "channel",
}  # fmt: skip


class Derived(NamedTuple):
    """A figure made from measures (派生指标). value: of a row; digits: after the point, for shares."""

    code: str
    zh: str
    unit: str
    what: str
    basis: str
    value: Callable[[Row], float | None]
    digits: int = 4


_DEFINED: Mapping[str, Measure] = {one.code: one for one in DERIVED}


def _made(code: str, value: Callable[[Row], float | None], digits: int = 4) -> Derived:
    """A derived figure with its definition."""
    one = _DEFINED[code]
    return Derived(code, one.zh, one.unit, one.what, one.basis, value, digits)


# In hand at the end of the period; not sums of anything.
HELD: tuple[Derived, ...] = (
    _made("open", lambda row: row.open, 0),
    _made("claim_open", lambda row: row.claim_open, 0),
    _made("overdue", lambda row: row.overdue, 0),
)
SHARES: tuple[Derived, ...] = (
    _made("on_time_share", lambda row: row.on_time_share),
    _made("early_share", lambda row: row.early_share),
    _made("late_share", lambda row: row.late_share),
    _made("spot_share", lambda row: row.spot_share),
    _made("window_share", lambda row: row.window_share),
    _made("granted_share", lambda row: row.granted_share),
    _made("mean_days", lambda row: row.mean_days, 2),
    _made("promised_share", lambda row: row.promised_share),
    _made("statutory_share", lambda row: row.statutory_share),
)
PERCENTILES: Mapping[str, tuple[float, str, str]] = {
    code: (share, _DEFINED[code].zh, _DEFINED[code].what)
    for code, share in (("p50", 0.5), ("p90", 0.9))
}


@dataclass(frozen=True, slots=True)
class Names:
    """What the codes of some rows are called; a code we do not know is itself."""

    agencies: AgencyNames = field(default_factory=lambda: AgencyNames({}, {}))
    districts: Mapping[str, str] = field(default_factory=dict)
    halls: Mapping[str, str] = field(default_factory=dict)
    windows: Mapping[tuple[str, str], str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)

    def of(self, column: str, key: Mapping[str, str]) -> str:
        """The name of one column of a key: of `agency` in {"agency": "water"}."""
        code = key[column]
        if not code:
            return NOT_TOLD
        match column:
            case "agency":
                return self.agencies.agency(code)
            case "region":
                return self.districts.get(code, code)
            case "hall":
                return self.halls.get(code, code)
            case "window":
                return self.windows.get((key.get("hall", ""), code), code)
            case "item":
                return self.items.get(code, code)
            case "kind":
                return KINDS.get(code, code)
            case "source":
                return wording.source(code)
            case "channel":
                return CHANNELS.get(code.lower(), code)
        return code

    def label(self, dimension: str | None, key: Sequence[str]) -> str:
        """A whole key in words, for a table's first column: 水务局, 政务大厅 3 号窗口."""
        if not dimension:
            return "合计"
        named = _named(dimension, key)
        if not any(key):
            return NOT_TOLD
        if dimension == "department":  # the agency says itself what others call their department
            return " ".join(self.of(one, named) for one in named if named[one])
        return " ".join(self.of(one, named) for one in named)


def names(keys: Iterable[Sequence[str]], question: Question) -> Names:
    """The names of the keys of a question's rows; at most two queries."""
    if not question.by:
        return Names()
    columns = DIMENSIONS[question.by].columns
    values = [set(column) for column in zip(*keys, strict=True)] or [set() for _ in columns]
    asked = dict(zip(columns, values, strict=True))
    return Names(
        agencies=accounts.names(agencies=asked.get("agency", ())),
        districts=dict(accounts.regions()) if "region" in asked else {},
        halls={one.code: one.name for one in halls.halls()} if "hall" in asked else {},
        windows=_windows(asked["hall"]) if "window" in asked else {},
        items=catalog.names(asked["item"]) if "item" in asked else {},
    )


def _windows(asked: Iterable[str]) -> dict[tuple[str, str], str]:
    return {(one.hall, one.code): one.name for one in halls.windows_in(sorted(filter(None, asked)))}


def _named(dimension: str, key: Sequence[str]) -> dict[str, str]:
    return dict(zip(DIMENSIONS[dimension].columns, key, strict=True))


def item_agencies(items: Iterable[str]) -> dict[str, str]:
    """Whose item it is, by its code, where one agency alone had cases of it; two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT item, min(agency) FROM statistics_place WHERE item = ANY(%s::text[])"
            " AND item <> '' GROUP BY item HAVING count(DISTINCT agency) = 1",
            [sorted(set(items))],
        )
        found = dict(cursor.fetchall())
    names = accounts.names(agencies=found.values())
    return {item: names.agency(agency) for item, agency in found.items()}


def told(
    row: Row, question: Question, names: Names, spread: Spread | None = None
) -> dict[str, Any]:
    """One row as data: the dimension's codes and names, `from`, `to`, every measure, `open`,
    `claim_open`, `overdue`, the shares; with a spread also `p50` and `p90`.

    Shares are numbers of four digits after the point (mean_days: two), None where nothing can be
    divided. overdue is None but in the last part of the period.
    """
    return {
        **of_key(row.key, question, names),
        **of_period(row.period),
        **{code: row.counts[code] for code in CODES},
        **{one.code: one.value(row) for one in HELD},
        **{one.code: rounded(one, row) for one in SHARES},
        **({} if spread is None else of_spread(spread)),
    }


def rounded(one: Derived, row: Row) -> float | None:
    """A share as it is told."""
    found = one.value(row)
    return None if found is None else round(found, one.digits)


def of_key(key: Sequence[str], question: Question, names: Names) -> dict[str, str]:
    """Code and name of each column: agency, agency_name, …; `unit` has no other name."""
    found = {}
    named = _named(question.by, key) if question.by else {}
    for column, code in named.items():
        found[KEYS[column]] = code
        if column != "unit":
            found[f"{KEYS[column]}_name"] = names.of(column, named)
    return found


def of_period(period: Period) -> dict[str, str]:
    return {"from": period.since.isoformat(), "to": period.until.isoformat()}


def of_spread(spread: Spread) -> dict[str, int | None]:
    return {code: spread.percentile(share) for code, (share, _, _) in PERCENTILES.items()}


def of_handing(one: Handing, names: AgencyNames) -> dict[str, Any]:
    """A row of the hand-overs. Seconds are whole; office: those within office hours."""
    return {
        "giver": one.giver, "giver_name": names.agency(one.giver) or NOT_TOLD,
        "taker": one.taker, "taker_name": names.agency(one.taker) or NOT_TOLD,
        "times": one.times, "seconds": one.seconds, "office_seconds": one.office,
    }  # fmt: skip


def of_restated(one: Restated, names: AgencyNames) -> dict[str, Any]:
    """A figure of a day that was over, changed later. first, until: positions of the log."""
    return {
        "noticed": one.noticed.isoformat(), "day": one.day.isoformat(), "agency": one.agency,
        "agency_name": names.agency(one.agency) or NOT_TOLD, "source": one.source,
        "source_name": wording.source(one.source) if one.source else NOT_TOLD,
        "measure": one.what, "delta": one.delta, "first": one.first, "until": one.until,
    }  # fmt: skip


def definitions() -> list[dict[str, str]]:
    """Every figure: code, name, unit, definition, legal basis, and by the day of what it counts
    (event, closing, end of the period, or made from others)."""
    return [
        {
            "code": one.code, "zh": one.zh, "unit": one.unit, "when": one.when, "what": one.what,
            "basis": one.basis,
        }
        for one in (*MEASURES, *DERIVED)
    ]  # fmt: skip


__all__ = [
    "CHANNELS", "HELD", "KEYS", "KINDS", "NOT_TOLD", "PERCENTILES", "SHARES", "Derived",
    "Names", "definitions", "item_agencies", "names", "of_handing", "of_key", "of_period", "of_restated",
    "of_spread", "rounded", "told",
]  # fmt: skip
