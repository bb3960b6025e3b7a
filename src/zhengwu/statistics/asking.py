"""Reading a question (读统计的问题) as the public and other programs write it: period, cut, filters.

A slip of the pen is no answer to another question: what cannot be read, and a code that nobody ever
had, is refused by the name of its parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Reach
from zhengwu.catalog import queries as catalog
from zhengwu.domain import periods
from zhengwu.domain.periods import DAY, GRAINS_ZH, Grain, Period
from zhengwu.domain.refusal import Refusal
from zhengwu.halls import queries as halls
from zhengwu.statistics import queries
from zhengwu.statistics.queries import DIMENSIONS, FILTERS, Question
from zhengwu.statistics.telling import CHANNELS, KINDS

LONGEST = 100  # letters of a filter; so long may a sending system's department be
LONGEST_PERIOD = 10  # 2026-10-05
NONE = "-"  # as a filter: those of which it was not told
MOST_ROWS = 50_000
GRAINS: Mapping[str, Grain] = {str(one): one for one in Grain}
FILTERS_ZH: Mapping[str, str] = {
    "agency": "机关", "unit": "来源系统的部门", "district": "区划", "hall": "大厅", "window": "窗口",
    "item": "事项", "kind": "办件类型", "source": "来源", "channel": "渠道",
}  # fmt: skip
# What a refusal calls a field, as whoever asks wrote it.
_WRITTEN = {"since": "from", "until": "to"}


def last_month(today: date) -> Period:
    """The last month that is over: what is told when nothing is asked for."""
    return periods.month(today.replace(day=1) - DAY)


def period(since: str, until: str, *, today: date) -> Period:
    """From the beginning of one period to the end of another, as domain.periods reads them; of one
    alone, that one; the last full month where neither is written. Raises Refusal."""
    if not since and not until:
        return last_month(today)
    first = _of(since or until, "from" if since else "to")
    last = _of(until, "to") if until else first
    try:
        return Period(first.since, last.until)
    except Refusal as refusal:
        raise written(refusal) from None


def _of(text: str, name: str) -> Period:
    if len(text) > LONGEST_PERIOD:
        text = ""  # no period is so long; a number of ten thousand digits is none either
    try:
        return periods.of(text)
    except Refusal as refusal:
        raise Refusal(refusal.code, refusal.sentence, field=name) from None


def written(refusal: Refusal) -> Refusal:
    """The refusal by the names of the parameters."""
    field = _WRITTEN.get(refusal.field or "", refusal.field)
    return Refusal(refusal.code, refusal.sentence, article=refusal.article, field=field)


def question(given: Mapping[str, str], *, today: date) -> Question:
    """by, grain, from, to and the filters. Empty: not asked; "-" as a filter: not told.

    Raises Refusal: `request.unreadable`, `statistics.grain`, and what `period` and Question.checked
    raise.
    """
    for name, value in given.items():
        if len(value) > LONGEST or not value.isprintable():
            raise Refusal(
                "request.unreadable", f"参数 {name} 读不懂，或者太长。请改正。", field=name
            )
    asked = Question(
        period=period(given.get("from", ""), given.get("to", ""), today=today),
        by=given.get("by") or None,
        grain=_grain(given.get("grain", "")),
    )
    narrowed = {
        name: "" if given[name] == NONE else given[name] for name in FILTERS if given.get(name)
    }
    try:
        return replace(asked, **narrowed).checked(today=today)  # type: ignore[arg-type]
    except Refusal as refusal:
        raise written(refusal) from None


def _grain(text: str) -> Grain | None:
    if not text:
        return None
    if text not in GRAINS:
        known = "、".join(GRAINS)
        raise Refusal("statistics.grain", f"没有“{text}”这种分段。可以用：{known}。", field="grain")
    return GRAINS[text]


def known(question: Question) -> None:
    """Refuses a code that no case was counted under and no register knows (`statistics.unknown`)."""
    narrowed = {name: value for name, value in question.narrowed.items() if value}
    if not narrowed:
        return
    parts = ", ".join(
        f'EXISTS (SELECT 1 FROM statistics_place p WHERE p."{FILTERS[name]}" = %({name})s)'  # noqa: S608
        for name in narrowed
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {parts}", narrowed)
        found = cursor.fetchone()
    for (name, value), counted in zip(narrowed.items(), found, strict=True):
        if not counted and not _registered(name, value):
            raise Refusal(
                "statistics.unknown",
                f"没有“{value[:40]}”这个{FILTERS_ZH[name]}。请核对代码。",
                field=name,
            )


def _registered(name: str, value: str) -> bool:
    match name:
        case "agency":
            return accounts.agency(value) is not None
        case "district":
            return value in accounts.region_codes()
        case "hall":
            return halls.hall(value) is not None
        case "item":
            return bool(catalog.history(value))
        case "kind":
            return value in KINDS
        case "channel":
            return value in CHANNELS
        case "source":
            return value == "desk"
    return False


def not_too_many(reach: Reach, question: Question) -> None:
    """Refuses what would answer more rows than anybody reads (`statistics.rows`)."""
    if not question.by or not question.grain:
        return
    parts = question.period.count(question.grain)
    values = sum(1 for _ in queries.values(reach, question.by)) if parts > 1 else 1
    if parts * values > MOST_ROWS:
        raise Refusal(
            "statistics.rows",
            f"分得太细：{DIMENSIONS[question.by].zh} {values:,} 个、时间 {parts:,} 段，"
            f"合起来超过 {MOST_ROWS:,} 行。请缩短期间，或者改按月、按年。",
            field="grain",
        )


__all__ = [
    "FILTERS_ZH", "GRAINS", "GRAINS_ZH", "LONGEST", "MOST_ROWS", "NONE", "known", "last_month", "not_too_many",
    "period", "question", "written",
]  # fmt: skip
