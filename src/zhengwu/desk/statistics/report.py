"""The monthly report at the desk (月报): its summary as a page, the whole as PDF and workbook."""

from __future__ import annotations

from datetime import date, datetime
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts.queries import Actor, Reach
from zhengwu.desk.catalogue.sheets import TYPES
from zhengwu.desk.entry import desk
from zhengwu.desk.statistics import asking
from zhengwu.desk.statistics import views as statistics
from zhengwu.domain import periods
from zhengwu.domain.periods import DAY, Period
from zhengwu.domain.refusal import Refusal
from zhengwu.statistics import queries, showing
from zhengwu.statistics import report as reporting
from zhengwu.statistics.queries import Question
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, Line

MONTHS = 6  # that are offered for a click
PDF = "application/pdf"


class Month(Form):
    """Which month; the last one that is over where none is written."""

    month = Line(
        label="月份",
        required=False,
        max_length=40,
        error_messages={"max_length": "请写成 2026-10 这样的月份。"},
    )


@require_safe
@desk(queries.ACT)
def report(request: HttpRequest, actor: Actor, form: str = "") -> HttpResponse:
    """``?month=2026-10``; by default the last month that is over."""
    at = now()
    today = words.local(at).date()
    reach = queries.reach(actor)
    given = Month(request.GET)
    found: Period | None = None
    if given.is_valid():
        try:
            found = _month(given, today)
        except Refusal as refusal:
            given.refuse(refusal)
    if found and form:
        return _file(reporting.content(reach, found, at=at, scope=scope(actor, reach)), form)
    return _page(request, actor, reach, given, found, at)


def _month(given: Month, today: date) -> Period:
    text = given.cleaned_data["month"]
    if not text:
        return periods.month(today.replace(day=1) - DAY)
    found = reporting.month(text, today=today)
    if found.since < asking.EARLIEST:
        raise Refusal(
            "period.beyond", f"请选择 {asking.EARLIEST.year} 年以后的月份。", field="month"
        )
    return found


def scope(actor: Actor, reach: Reach) -> str:
    """Whose figures these are, for the head of the paper."""
    if reach.everything:
        return "全市"
    return "本大厅" if reach.halls else actor.agency_name


def _page(
    request: HttpRequest,
    actor: Actor,
    reach: Reach,
    given: Month,
    period: Period | None,
    at: datetime,
) -> HttpResponse:
    today = words.local(at).date()
    told: tuple[showing.Told, ...] = ()
    claims: tuple[showing.Told, ...] = ()
    compared: tuple[Period, ...] = ()
    if period:
        question = Question(period=period)
        whole = queries.figures(reach, question, at=at)[0]
        compared = (period.before(), period.year_before())
        before, year_before = queries.together(reach, question, compared, at=at)
        told = showing.summary(whole, before, year_before)
        claims = showing.summary(whole, before, year_before, showing.CLAIMS)
    month = period.since.isoformat()[:7] if period else ""
    context = {
        "actor": actor, "folder": "statistics", "form": given, "period": period,
        "month": month, "told": told, "claims": claims, "compared": compared,
        "months": _months(today), "over": bool(period and period.until < today),
        "tabs": statistics.tabs(actor), "here": "desk:statistics-report",
        "days": {"since": period.since.isoformat(), "until": period.until.isoformat()} if period else {},
    }  # fmt: skip
    return render(request, "desk/statistics/report.html.j2", context, status=200 if period else 422)


def _months(today: date) -> tuple[tuple[str, str], ...]:
    """The last months, the newest first: (2026-10, 2026 年 10 月)."""
    found, one = [], periods.month(today)
    for _ in range(MONTHS):
        found.append((one.since.isoformat()[:7], one.zh))
        one = periods.month(one.since - DAY)
    return tuple(found)


def _file(found: reporting.Report, form: str) -> HttpResponse:
    data = reporting.pdf(found) if form == "pdf" else reporting.xlsx(found)
    response = HttpResponse(data, content_type=PDF if form == "pdf" else TYPES[form])
    month = found.period.since.isoformat()[:7]
    response["Content-Disposition"] = (
        f'{"inline" if form == "pdf" else "attachment"}; filename="report-{month}.{form}"; '
        f"filename*=UTF-8''{quote(f'政务服务统计月报-{month}.{form}')}"
    )
    return response


__all__ = ["report", "scope"]
