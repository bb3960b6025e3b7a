"""The inbox (待办清单): by time left, under its lights."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from zhengwu.accounts import services as accounts_services
from zhengwu.accounts.queries import Actor
from zhengwu.cases import queries as cases
from zhengwu.cases.events import STREAM
from zhengwu.cases.queries import InboxPage, InboxRow
from zhengwu.desk.entry import desk
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text

TITLES = {name: zh for name, zh, _ in cases.FOLDERS}
# A cell that begins with one of these is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@require_safe
@desk()
def inbox(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The cases this actor may see; a search that finds one case opens it."""
    if not actor.may("case.see"):
        if actor.may("operate.see"):
            return redirect("desk:operate")
        if actor.may("audit.looks"):
            return redirect("desk:audit")
        return render(request, "desk/inbox/nothing.html.j2", {"actor": actor})
    found = _found(request, actor, page=paging.page_number(request.GET.get("page")))
    q = _query(request)
    if q and found.total == 1 and found.rows[0].number == q.upper():
        return redirect("desk:case", number=found.rows[0].number)
    _looked(actor, found, why="查看清单")
    folder = request.GET.get("folder", "")
    folder = folder if folder in TITLES else ""
    context = {
        "actor": actor,
        "found": found,
        "folder": folder if not q else None,
        "counts": found.counts,
        "title": f"“{q}”的查找结果" if q else TITLES.get(folder, "全部在办") + "的办件",
        "q": q,
        "picks": actor.may("case.take"),
        "reviews": any(row.review for row in found.rows),
        "folder_query": paging.with_query(request.GET, folder=folder or "all", page=None, q=None),
        "item": request.GET.get("item", ""),
        "light": request.GET.get("light", ""),
        "filtered": bool(q or request.GET.get("item") or request.GET.get("light")),
    }
    return render(request, "desk/inbox/inbox.html.j2", context)


@require_safe
@desk("case.see")
def export(request: HttpRequest, actor: Actor) -> StreamingHttpResponse:
    """The filtered list as CSV (UTF-8 with a mark, so that spreadsheets read it), ≤ 5,000 rows."""
    found = _found(request, actor, page=1, size=cases.EXPORT)
    _looked(actor, found, why="导出清单")
    day = words.local(now()).strftime("%Y%m%d-%H%M")
    response = StreamingHttpResponse(_lines(found.rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="banjian-{day}.csv"'
    return response


def _looked(actor: Actor, found: InboxPage, *, why: str) -> None:
    """The names in the list were looked at, each of them."""
    named = [row.id for row in found.rows if row.applicant]
    accounts_services.look_through(actor, STREAM, named, why=why, fields=("name",), at=now())


def _query(request: HttpRequest) -> str:
    return clean_text(request.GET.get("q", ""))[:100]


def _found(request: HttpRequest, actor: Actor, *, page: int, size: int = cases.PAGE) -> InboxPage:
    return cases.inbox(
        actor,
        folder=request.GET.get("folder") or None,
        item=clean_text(request.GET.get("item", "")) or None,
        q=_query(request),
        light=request.GET.get("light") or None,
        page=page,
        size=size,
        at=now(),
    )


class _Echo:
    def write(self, line: str) -> str:
        return line


def _lines(rows: tuple[InboxRow, ...]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    head = [
        "期限",
        "到期",
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
