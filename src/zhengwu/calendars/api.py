"""The calendar for other systems (历法接口): which days are working days, when a limit ends.

Public: notices of the State Council and the city's own arrangements are for everybody.
"""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query
from pydantic import WithJsonSchema

from zhengwu.calendars import asking
from zhengwu.calendars.asking import RegionOf
from zhengwu.domain.edition import SHANGHAI, Edition
from zhengwu.web import problems, throttle
from zhengwu.web.answering import Day, Line, Moment, Shape, kept, lines, moment
from zhengwu.web.clock import now

# A whole hall stands behind one address, and so does a system that asks for many.
PER_SENDER = 1_200
WINDOW = timedelta(minutes=10)
MAX_AGE = 60  # seconds: a change of the calendar is seen everywhere after so long
SOFTWARE = version("zhengwu")


class DayAnswer(Shape):
    """What a day is (工作日). why: 工作日, 周末, or the holiday; notice: by what, where something says
    so; provisional: its year is not published yet."""

    date: Day
    working: bool
    why: str
    notice: str | None
    provisional: bool


class EndAnswer(Shape):
    """When a limit ends (期限届满). day: the last day; due: its close of business."""

    date: Day
    days: int
    unit: str
    day: Day
    due: Moment
    provisional: bool
    lines: list[Line]


class BetweenAnswer(Shape):
    """How many days after `from` up to and with `to`."""

    days: int
    working_days: int
    provisional: bool


def end_of(start: str, days: str, unit: str, edition: Edition) -> EndAnswer:
    """Raises Refusal, see `asking.add`."""
    begins, read = asking.add(start, days, unit, edition)
    return EndAnswer(
        date=begins.isoformat(),
        days=read.value,
        unit=read.unit,
        day=read.due.astimezone(SHANGHAI).date().isoformat(),
        due=moment(read.due),
        provisional=read.provisional,
        lines=lines(read.lines),
    )


def days_of(since: str, until: str, edition: Edition) -> list[DayAnswer]:
    """Raises Refusal, see `asking.days`."""
    return [
        DayAnswer(
            date=one.isoformat(),
            working=found.working,
            why=found.reason,
            notice=found.notice,
            provisional=found.provisional,
        )
        for one, found in asking.days(since, until, edition)
    ]


def between_of(since: str, until: str, edition: Edition) -> BetweenAnswer:
    """Raises Refusal, see `asking.between`."""
    found = asking.between(since, until, edition)
    return BetweenAnswer(
        days=found.days, working_days=found.working_days, provisional=found.provisional
    )


Count = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,12}$"})]
UnitName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(asking.UNITS)})]
FROM = Query(..., alias="from", description="起始日，年-月-日")
TO = Query(..., alias="to", description="截止日，年-月-日")
DATE = Query(..., alias="date", description="开始的一天，不计入；年-月-日")
DAYS = Query(..., description="数量，零或正整数")
UNIT = Query("working_day", description="单位：工作日、日（day 与 calendar_day 相同）、月、年")
REGION = Query(None, description="区域代码；不写就是全市")
HALL = Query(None, description="大厅代码；不写就不看大厅自己的安排")
PLACE = ("region", "hall")


def routes(*, region_of: RegionOf) -> Router:
    """The addresses. region_of: see `asking.edition`."""
    router = Router()

    def asked(request: HttpRequest, region: str | None, hall: str | None, *names: str) -> Edition:
        _count(request)
        problems.only(request, *names, *PLACE)
        return asking.edition(region, hall, region_of=region_of)

    @router.get(
        "/days",
        response=list[DayAnswer],
        summary="每一天是不是工作日",
        description="从 from 到 to（两头都算），一次最多 3,660 天。",
        url_name="calendar-days",
        openapi_extra=_documented(),
    )
    def days(
        request: HttpRequest,
        response: HttpResponse,
        since: Day = FROM,
        until: Day = TO,
        region: str | None = REGION,
        hall: str | None = HALL,
    ) -> Any:
        edition = asked(request, region, hall, "from", "to")
        found = days_of(since, until, edition)
        return _kept(request, response, edition) or found

    @router.get(
        "/add",
        response=EndAnswer,
        summary="从某日起算的期限哪一天届满",
        description="开始的一天不计入（民法典第二百零一条）；末日是休息日的，顺延到下一个工作日"
        "（民法典第二百零三条）。",
        url_name="calendar-add",
        openapi_extra=_documented(),
    )
    def add(
        request: HttpRequest,
        response: HttpResponse,
        start: Day = DATE,
        days: Count = DAYS,
        unit: UnitName = UNIT,
        region: str | None = REGION,
        hall: str | None = HALL,
    ) -> Any:
        edition = asked(request, region, hall, "date", "days", "unit")
        found = end_of(start, days, unit, edition)
        return _kept(request, response, edition) or found

    @router.get(
        "/between",
        response=BetweenAnswer,
        summary="两日之间有几个工作日",
        description="from 当日不计，to 当日计入。",
        url_name="calendar-between",
        openapi_extra=_documented(),
    )
    def between(
        request: HttpRequest,
        response: HttpResponse,
        since: Day = FROM,
        until: Day = TO,
        region: str | None = REGION,
        hall: str | None = HALL,
    ) -> Any:
        edition = asked(request, region, hall, "from", "to")
        found = between_of(since, until, edition)
        return _kept(request, response, edition) or found

    return router


def _documented() -> dict[str, Any]:
    found = problems.documented(422, 429)
    found["responses"][304] = {"description": "历法没有变"}
    return found


def _count(request: HttpRequest) -> None:
    """Raises Refused (429) for one question too many."""
    sender = throttle.sender(request)
    if throttle.attempts("calendar", sender, at=now(), within=WINDOW) > PER_SENDER:
        raise problems.Refused(
            429,
            "calendar.too_often",
            "十分钟内查询次数太多。请稍后再试；要很多天的，用 days 一次取十年。",
            headers={"Retry-After": str(int(WINDOW.total_seconds()))},
        )


def _kept(request: HttpRequest, response: HttpResponse, edition: Edition) -> HttpResponse | None:
    """Says how long the answer may be kept; 304 for who has this edition's answer already."""
    return kept(request, response, etag=f"{edition.number}-{SOFTWARE}", max_age=MAX_AGE)
