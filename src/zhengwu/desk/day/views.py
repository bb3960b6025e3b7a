"""The day list (日清单): what I, or a window, did on a day, for the screen, paper and spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts import services as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import daywork
from zhengwu.cases.daywork import Day, Whose
from zhengwu.cases.events import STREAM
from zhengwu.desk.entry import desk
from zhengwu.desk.inbox.views import neutral
from zhengwu.web import words
from zhengwu.web.clock import now

FIRST = date(2000, 1, 1)


@require_safe
@desk("case.see")
def day(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The list. ``?day=2026-11-23`` (today, or a day before), ``?of=mine`` or a window."""
    found, choices, wrong = _found(request, actor)
    _looked(actor, found, why="日清单")
    today = words.local(now()).date()
    context = {
        "actor": actor,
        "folder": "day",
        "found": found,
        "choices": choices,
        "today": today,
        "wrong": wrong,
        "before": (found.day - timedelta(days=1)).isoformat() if found.day > FIRST else "",
        "after": (found.day + timedelta(days=1)).isoformat() if found.day < today else "",
    }
    return render(request, "desk/day/day.html.j2", context, status=422 if wrong else 200)


@require_safe
@desk("case.see")
def export(request: HttpRequest, actor: Actor) -> StreamingHttpResponse:
    """The same as CSV (UTF-8 with a mark, so that spreadsheets read it)."""
    found, _, _ = _found(request, actor)
    _looked(actor, found, why="导出日清单")
    response = StreamingHttpResponse(_lines(found), content_type="text/csv; charset=utf-8")
    name = f"日清单-{found.whose.zh}-{found.day:%Y%m%d}.csv"
    response["Content-Disposition"] = (
        f"attachment; filename=\"day-{found.day:%Y%m%d}.csv\"; filename*=UTF-8''{quote(name)}"
    )
    return response


def _found(request: HttpRequest, actor: Actor) -> tuple[Day, tuple[Whose, ...], str]:
    """The day asked for, whose it may be, and what was wrong with what was asked."""
    at = now()
    today = words.local(at).date()
    choices = daywork.choices(actor)
    wrong = ""
    asked = request.GET.get("day", "").strip()
    on = today
    if asked:
        try:
            on = date.fromisoformat(asked)
        except ValueError:
            wrong = "没有看懂这个日期，显示的是今天。请按“2026-11-23”的样子填写。"
        if on > today:
            wrong = "这一天还没有到，显示的是今天。请选择今天或者以前的日期。"
        if on > today or on < FIRST:
            on = today
    of = request.GET.get("of", "")
    whose = next((one for one in choices if one.code == of), choices[0])
    if of and whose.code != of:
        wrong = wrong or "您不能看这个窗口的日清单，显示的是您本人的。"
    return daywork.day(actor, on, whose=whose, at=at), choices, wrong


def _looked(actor: Actor, found: Day, *, why: str) -> None:
    accounts.look_through(actor, STREAM, found.seen(), why=why, fields=("name",), at=now())


class _Echo:
    def write(self, line: str) -> str:
        return line


def _lines(found: Day) -> Iterator[str]:
    writer = csv.writer(_Echo())

    def line(*cells: str) -> str:
        return str(writer.writerow([neutral(cell) for cell in cells]))

    yield "\ufeff"
    yield line("时间", "办件编号", "事项", "申请人", "办理", "文书", "文号", "办理人", "备注")
    for one in found.done:
        remarks = "已撤销误录" if one.withdrawn else ""
        if one.recorded:
            remarks += f"补录于 {words.local(one.recorded):%Y-%m-%d %H:%M}"
        yield line(
            f"{words.local(one.when):%Y-%m-%d %H:%M}",
            one.number,
            one.item_name,
            one.applicant,
            one.zh,
            one.paper,
            one.paper_number,
            one.who,
            remarks,
        )
    yield line()
    yield line("合计", f"{found.cases} 个办件")
    for zh, count in found.totals:
        yield line(zh, str(count))
    yield line()
    yield line("没有办完", "办件编号", "事项", "申请人", "状态", "到期")
    for left in found.left:
        yield line(
            "",
            left.number,
            left.item_name,
            left.applicant,
            left.state_zh,
            f"{words.local(left.due):%Y-%m-%d %H:%M}" if left.due else "",
        )
