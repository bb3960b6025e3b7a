"""The monthly supervision report at the desk (监察月报): its summary as a page, the whole as PDF and
workbook."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.desk.catalogue.sheets import TYPES
from zhengwu.desk.entry import desk
from zhengwu.desk.ranking.views import FOLDER, TABS, reach
from zhengwu.desk.statistics.report import PDF, Month, scope
from zhengwu.domain import periods
from zhengwu.domain.periods import DAY, Period
from zhengwu.domain.refusal import Refusal
from zhengwu.supervision import report as reporting
from zhengwu.supervision.ranking import ACT
from zhengwu.supervision.wall import acts
from zhengwu.web import words
from zhengwu.web.clock import now

MONTHS = 6  # that are offered for a click
ON_PAGE = 20  # rows of a table on the page


@require_safe
@desk(ACT)
def report(request: HttpRequest, actor: Actor, form: str = "") -> HttpResponse:
    """``?month=2026-10``; by default the last month that is over."""
    at = now()
    today = words.local(at).date()
    given = Month(request.GET)
    period: Period | None = None
    if given.is_valid():
        try:
            text = given.cleaned_data["month"]
            period = reporting.month(text, today=today) if text else _last(today)
        except Refusal as refusal:
            given.refuse(refusal)
    allowed = reach(actor, "agency")
    found = None
    if period:
        found = reporting.content(
            allowed, period, at=at, scope=scope(actor, allowed), acts=acts(actor)
        )
        if form:
            return _file(found, form)
    context = {
        "actor": actor, "folder": FOLDER, "form": given, "found": found, "tabs": TABS,
        "here": "desk:ranking-report", "months": _months(today), "on_page": ON_PAGE,
        "month": period.since.isoformat()[:7] if period else "",
        "before": periods.month(period.since - DAY).zh if period else "",
    }  # fmt: skip
    return render(request, "desk/ranking/report.html.j2", context, status=200 if found else 422)


def _last(today: date) -> Period:
    return periods.month(today.replace(day=1) - DAY)


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
        f'{"inline" if form == "pdf" else "attachment"}; filename="supervision-{month}.{form}"; '
        f"filename*=UTF-8''{quote(f'电子监察月报-{month}.{form}')}"
    )
    return response


__all__ = ["report"]
