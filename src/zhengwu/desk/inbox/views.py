"""The inbox (待办清单): by time left, under its lights."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts import services as accounts_services
from zhengwu.accounts.queries import Actor
from zhengwu.cases import queries as cases
from zhengwu.cases.events import STREAM
from zhengwu.cases.queries import InboxPage, InboxRow
from zhengwu.desk import searching
from zhengwu.desk.entry import desk
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text

TITLES = {name: zh for name, zh, _ in cases.FOLDERS}
# A cell that begins with one of these is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@desk()
def inbox(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The cases this actor may see; POST looks for words; a case number opens its case."""
    if not actor.may("case.see"):
        if actor.may("operate.see"):
            return redirect("desk:operate")
        if actor.may("audit.looks"):
            return redirect("desk:audit")
        if actor.may("calendar.see"):
            return redirect("desk:calendar")
        return render(request, "desk/inbox/nothing.html.j2", {"actor": actor})
    if request.method == "POST":
        return searching.answer(request, "desk:inbox")
    asked = searching.asked(request)
    q = asked.words
    page = paging.page_number(request.GET.get("page"))
    found = _found(request, actor, asked, page=page, why="查看清单")
    if q and found.total == 1 and found.rows[0].number == q.upper():
        return redirect("desk:case", number=found.rows[0].number)
    _looked(actor, found, why="查看清单")
    folder = request.GET.get("folder", "")
    folder = folder if folder in TITLES else ""
    context = {
        "actor": actor,
        "found": found,
        "folder": folder if not (q or asked.lost) else None,
        "counts": found.counts,
        "most": cases.COUNTED,
        # The words are not in the title, which the browser's history keeps.
        "title": "查找结果"
        if q or asked.lost
        else TITLES.get(folder, "全部在办").removesuffix("的") + "的办件",
        "q": q,
        "asked": asked,
        "lost": searching.LOST,
        "picks": actor.may("case.take"),
        "reviews": any(row.review for row in found.rows),
        "folder_query": paging.with_query(
            request.GET, folder=folder or "all", page=None, q=None, s=None
        ),
        "item": request.GET.get("item", ""),
        "light": request.GET.get("light", ""),
        "filtered": bool(q or request.GET.get("item") or request.GET.get("light")),
    }
    return render(request, "desk/inbox/inbox.html.j2", context)


@require_safe
@desk("case.see")
def export(request: HttpRequest, actor: Actor) -> StreamingHttpResponse:
    """The filtered list as CSV (UTF-8 with a mark, so that spreadsheets read it), ≤ 5,000 rows."""
    asked = searching.asked(request)
    found = _found(request, actor, asked, page=1, size=cases.EXPORT, why="导出清单")
    _looked(actor, found, why="导出清单")
    day = words.local(now()).strftime("%Y%m%d-%H%M")
    response = StreamingHttpResponse(_lines(found.rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="banjian-{day}.csv"'
    return response


def _looked(actor: Actor, found: InboxPage, *, why: str) -> None:
    """The names in the list were looked at, each of them."""
    if found.looked:
        return
    named = [row.id for row in found.rows if row.applicant]
    accounts_services.look_through(actor, STREAM, named, why=why, fields=("name",), at=now())


def _found(
    request: HttpRequest,
    actor: Actor,
    asked: searching.Asked,
    *,
    page: int,
    size: int = cases.PAGE,
    why: str,
) -> InboxPage:
    found = cases.inbox(
        actor,
        folder=request.GET.get("folder") or None,
        item=clean_text(request.GET.get("item", "")) or None,
        q=asked.words,
        light=request.GET.get("light") or None,
        page=page,
        size=1 if asked.lost else size,
        at=now(),
        why="" if asked.lost else why,
    )
    return replace(found, rows=(), page=1, pages=1, total=0) if asked.lost else found


class _Echo:
    def write(self, line: str) -> str:
        return line


def _lines(rows: tuple[InboxRow, ...]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    head = [
        "期限",
        "到期",
        "暂定",
        "办件编号",
        "事项",
        "申请人",
        "来源",
        "状态",
        "环节",
        "在谁手里",
        "收件",
    ]
    yield writer.writerow(head)
    for row in rows:
        cells = [
            row.light.text,
            words.local(row.due).strftime("%Y-%m-%d %H:%M") if row.due else "",
            "暂定" if row.provisional else "",
            row.number,
            row.item_name,
            row.applicant,
            row.source,
            row.state_zh,
            row.step_zh,
            row.holder_zh,
            words.local(row.received_at).strftime("%Y-%m-%d %H:%M"),
        ]
        yield writer.writerow([neutral(cell) for cell in cells])


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(FORMULA) else cell
