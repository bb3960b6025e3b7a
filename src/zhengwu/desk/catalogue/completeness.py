"""How complete the guides are (完整度): by department, down to what each item lacks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.catalog import changes, listing
from zhengwu.catalog.listing import SEE, Question
from zhengwu.desk.catalogue import sheets
from zhengwu.desk.catalogue.views import (
    FOLDER,
    LEVELS,
    drafting,
    exchange,
    number,
    regions,
    text,
    today,
)
from zhengwu.desk.entry import desk
from zhengwu.domain.guide import Level
from zhengwu.web import paging
from zhengwu.web.clock import now

PAGE = 30


@require_safe
@desk(SEE)
def completeness(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The departments; with ``?agency=`` its items, the least complete first, with what is missing."""
    asked = _asked(request)
    if asked.agency:
        return _items(request, actor, asked)
    rows = listing.scores(today(), region=asked.region, level=asked.level)
    pages = max(1, -(-len(rows) // PAGE))
    page = min(paging.page_number(request.GET.get("page")), pages)
    items = sum(row.items for row in rows)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "completeness",
        "asked": asked,
        "rows": rows[(page - 1) * PAGE : page * PAGE],
        "total": len(rows),
        "page": page,
        "pages": pages,
        "items": items,
        "mean": round(sum(row.mean * row.items for row in rows) / items, 1) if items else 0,
        "under": [sum(row.under[n] for row in rows) for n in range(len(listing.UNDER))],
        "unders": listing.UNDER,
        "regions": regions(),
        "levels": LEVELS,
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/completeness.html.j2", context)


def _items(request: HttpRequest, actor: Actor, asked: Question) -> HttpResponse:
    found = listing.items(asked, today())
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "completeness",
        "asked": asked,
        "found": found,
        "name": found.names.get(asked.agency, asked.agency),
        "missing": listing.missing(found.rows),
        "unders": listing.UNDER,
        "drafts": actor.may(changes.DRAFT),
        "may": drafting(actor),
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/lacking.html.j2", context)


@require_safe
@desk(SEE)
def export(request: HttpRequest, actor: Actor, form: str) -> HttpResponse:
    """The same as a file: the departments, or the items of one with what each lacks."""
    asked = _asked(request, size=sheets.MOST)
    if not asked.agency:
        columns = ("机关编码", "机关", "区域", "事项", "平均完整度",
                   *(f"低于 {limit}" for limit in listing.UNDER))  # fmt: skip
        named = regions()
        rows = [
            [row.agency, row.agency_name, named.get(row.region, row.region), row.items,
             str(row.mean), *row.under]
            for row in listing.scores(today(), region=asked.region, level=asked.level)
        ]  # fmt: skip
        return sheets.answer(form, columns, rows, title="完整度", at=now())
    found = listing.items(asked, today())
    missing = listing.missing(found.rows)
    lines = (
        [line.code, line.name, line.score,
         "；".join(what for _, what in missing[line.pk].missing)]
        for line in found.rows
    )  # fmt: skip
    columns = ("事项编码", "事项名称", "完整度", "缺少")
    return sheets.answer(form, columns, lines, title="缺少的要素", at=now())


def _asked(request: HttpRequest, *, size: int = PAGE) -> Question:
    level = text(request, "level")
    return Question(
        level=level if level in LEVELS else str(Level.IMPLEMENTATION),
        region=text(request, "region", 12),
        agency=text(request, "agency", 40),
        under=min(100, number(request.GET.get("under"))),
        sort="score",
        page=paging.page_number(request.GET.get("page")),
        size=size,
    )
