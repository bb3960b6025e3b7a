"""Asking the calendar in plain text (查询历法): what a parameter or a command line says, checked.

Every "no" names the parameter and says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import CITY
from zhengwu.calendars import queries
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.calendar import Day as DayKind
from zhengwu.domain.clock import foresee
from zhengwu.domain.edition import SHANGHAI, Edition
from zhengwu.domain.procedure import Limit, Unit
from zhengwu.domain.reading import LimitReading
from zhengwu.domain.refusal import Refusal

MOST_DAYS = 3_660  # ten years in one answer
UNITS = {
    "working_day": Unit.WORKING_DAY,
    "day": Unit.CALENDAR_DAY,
    "calendar_day": Unit.CALENDAR_DAY,
    "month": Unit.MONTH,
    "year": Unit.YEAR,
}
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
WHOLE = re.compile(r"-?[0-9]{1,12}")
CODE = re.compile(r"[0-9A-Za-z_-]{1,40}")
RegionOf = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Between:
    """How many days and working days d with since < d <= until."""

    since: date
    until: date
    days: int
    working_days: int
    provisional: bool


def edition(region: str | None, hall: str | None, *, region_of: RegionOf) -> Edition:
    """What holds in a region or a hall; neither: in the whole city.

    region_of: the region of a hall's code, None where there is no such hall (halls stand above the
    calendar). Raises Refusal: `calendar.no_region`, `calendar.no_hall`.
    """
    stands = None
    if hall:
        stands = region_of(hall) if CODE.fullmatch(hall) else None
        if stands is None:
            raise Refusal(
                "calendar.no_hall",
                "没有参数 hall 写的大厅。请核对大厅代码；查全市的安排就不写 hall。",
                field="hall",
            )
    if region and region not in accounts.region_codes():
        raise Refusal(
            "calendar.no_region",
            f"没有参数 region 写的区域。请写区域代码，例如 {CITY}；查全市的安排就不写 region。",
            field="region",
        )
    return queries.edition(region or stands or CITY, hall or None)


def day(text: str, field: str, calendar: Calendar) -> date:
    """A day as YYYY-MM-DD within the table. Raises Refusal: `calendar.date`, `calendar.no_such_day`,
    `calendar.outside`.
    """
    if not DATE.fullmatch(text):
        raise Refusal(
            "calendar.date", f"参数 {field} 应写作年-月-日，例如 2026-11-23。请改正。", field=field
        )
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Refusal(
            "calendar.no_such_day",
            f"参数 {field} 写的是公历上没有的一天。请核对年、月、日。",
            field=field,
        ) from None
    if not calendar.first <= found <= calendar.last:
        raise Refusal(
            "calendar.outside",
            f"参数 {field} 不在历法表之内。请写 {calendar.first} 到 {calendar.last} 之间的日期。",
            field=field,
        )
    return found


def days(since: str, until: str, found: Edition) -> list[tuple[date, DayKind]]:
    """Every day from `since` to `until`, both counted, with what it is.

    Raises Refusal: those of `day`, `calendar.reversed`, `calendar.too_many`.
    """
    first, last = _range(since, until, found)
    count = (last - first).days + 1
    if count > MOST_DAYS:
        raise Refusal(
            "calendar.too_many",
            f"从 from 到 to 有 {count:,} 天，一次最多 {MOST_DAYS:,} 天（十年）。请分几次查询。",
            field="to",
        )
    every = (first + timedelta(days=nth) for nth in range(count))
    return [(one, found.calendar.is_working_day(one)) for one in every]


def between(since: str, until: str, found: Edition) -> Between:
    """Raises Refusal: those of `day`, `calendar.reversed`."""
    first, last = _range(since, until, found)
    calendar = found.calendar
    return Between(
        since=first,
        until=last,
        days=(last - first).days,
        working_days=calendar.working_days_between(first, last),
        provisional=not calendar.known(first, last),
    )


def add(start: str, count: str, unit: str, found: Edition) -> tuple[date, LimitReading]:
    """The start and the end of a limit that begins on a day; the day itself is not counted
    (民法典 201), an end on a day off moves on (民法典 203).

    Raises Refusal: those of `day`, `calendar.unit`, `calendar.count`, limit.negative,
    limit.too_long, `calendar.outside`.
    """
    begins = day(start, "date", found.calendar)
    if unit not in UNITS:
        raise Refusal(
            "calendar.unit",
            f"没有参数 unit 写的单位。请写其中一个：{'、'.join(UNITS)}。",
            field="unit",
        )
    if not WHOLE.fullmatch(count):
        raise Refusal(
            "calendar.count", "参数 days 应是整数，例如 10。请用阿拉伯数字填写。", field="days"
        )
    given = {"value": int(count), "unit": UNITS[unit], "basis": "days"}
    limit = Limit.of(given, field="days")
    try:
        read = foresee(
            Limit(limit.value, limit.unit),
            since=datetime.combine(begins, time(), SHANGHAI),
            edition=found,
            kind="推算",
            what="为开始的一天",
        )
    except ValueError:
        calendar = found.calendar
        raise Refusal(
            "calendar.outside",
            f"算到的日子不在历法表之内（{calendar.first} 到 {calendar.last}）。"
            "请把 days 改小，或者换一个 date。",
            field="days",
        ) from None
    return begins, read


def _range(since: str, until: str, found: Edition) -> tuple[date, date]:
    first = day(since, "from", found.calendar)
    last = day(until, "to", found.calendar)
    if last < first:
        raise Refusal("calendar.reversed", "参数 to 早于 from。请把两个日期对调。", field="to")
    return first, last
