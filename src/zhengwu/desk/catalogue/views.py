"""The catalogue for the staff (事项清单): the list, and one item whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.catalog import changes, listing
from zhengwu.catalog.listing import SEE, Line, Listed, Question, Version
from zhengwu.desk.catalogue import codes, sheets
from zhengwu.desk.entry import desk
from zhengwu.domain import guide
from zhengwu.domain.guide import Level
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text

FOLDER = "catalogue"
LEVELS = {"province": "省级", "city": "市级", "implementation": "实施"}
SOURCES = {
    "province": "省级清单", "city": "市级清单", "implementation": "本级", "flow": "推算",
    "": "",
}  # fmt: skip
STATES = {"": ("现行", "g"), "coming": ("待施行", "b"), "gone": ("已取消", "n"),
          "former": ("以前的版本", "n")}  # fmt: skip
COLUMNS = (
    "事项编码", "事项名称", "清单层级", "区域", "机关编码", "机关", "事项类型", "办件类型", "完整度",
    "版本", "施行日期", "状态", "生成的演示事项",
)  # fmt: skip


@require_safe
@desk(SEE)
def catalogue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The list: what is in force, coming or gone, as it is asked for."""
    asked = question(request)
    found = listing.items(asked, today())
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "list",
        "asked": asked,
        "found": found,
        "drafts": actor.may(changes.DRAFT),
        "may": drafting(actor),
        "states": listing.STATES,
        "sorts": listing.SORTS,
        "sorts_zh": [(code, f"按{zh}") for code, zh in listing.SORTS.items()],
        "unders_zh": [(limit, f"低于 {limit}") for limit in listing.UNDER],
        "types": [(one, one) for one in guide.TYPES],
        "agencies": _agencies(asked, found),
        "levels": LEVELS,
        "filtered": any(
            (asked.q, asked.level, asked.region, asked.agency, asked.type, asked.under,
             asked.generated)
        ),
        "most": sheets.MOST,
        "exchange": exchange(),
    }  # fmt: skip
    return render(request, "desk/catalogue/list.html.j2", context)


def _agencies(asked: Question, found: Listed) -> list[tuple[str, str]]:
    """What can be chosen: those of the region, the city's otherwise, and the one chosen."""
    listed = [(one.code, one.name) for one in found.departments]
    if asked.agency and asked.agency not in dict(listed):
        listed.append((asked.agency, found.names.get(asked.agency, asked.agency)))
    return listed


@require_safe
@desk(SEE)
def export(request: HttpRequest, actor: Actor, form: str) -> HttpResponse:
    """The same list as a file, ≤ 5,000 rows."""
    asked = question(request, size=sheets.MOST)
    found = listing.items(asked, today())
    state = STATES[asked.state][0]
    rows = (_row(line, found, state) for line in found.rows)
    return sheets.answer(form, COLUMNS, rows, title="事项清单", at=now())


def _row(line: Line, found: Listed, state: str) -> list[str | int | None]:
    return [
        line.code, line.name, line.level_zh, found.regions.get(line.region, line.region),
        line.agency, found.names.get(line.agency, line.agency), line.type, line.kind_zh, line.score,
        line.version, line.since.isoformat(), state, line.generated,
    ]  # fmt: skip


@require_safe
@desk(SEE)
def item(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """One item: ``?version=`` lays another version open, ``?from=&to=`` says what changed."""
    whole = listing.item(actor, code, today(), number=number(request.GET.get("version")))
    if whole is None:
        raise Http404
    before = whole.version(number(request.GET.get("from")))
    after = whole.version(number(request.GET.get("to")))
    read = [codes.own(whole.code)] if whole.level == Level.IMPLEMENTATION else []
    for label, element in (("基本编码", "basic_code"), ("实施编码", "code")):
        if text := str(whole.shown.content.get(element, "")):
            read.append(codes.read(label, text))
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "item",
        "whole": whole,
        "shown": whole.shown,
        "state": STATES[whole.state],
        "states": STATES,
        "levels": LEVELS,
        "sources": SOURCES,
        "before": before,
        "after": after,
        "changed": _changed(before, after),
        "codes": read,
        "roles": guide.ROLES_ZH,
        "needs": guide.NEEDS_ZH,
        "forms": guide.FORMS_ZH,
        "origins": guide.ORIGINS_ZH,
        "drafts": actor.may(changes.DRAFT),
        "may": drafting(actor)(whole.shown),
        "public": whole.level == Level.IMPLEMENTATION and not whole.state and "/" not in code,
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/item.html.j2", context)


def _changed(before: Version | None, after: Version | None) -> tuple[guide.Change, ...] | None:
    """What differs between two versions; None where two were not asked for."""
    if before is None or after is None:
        return None
    facts = tuple(
        guide.Change(code, zh, "清单", old, new)
        for code, zh, old, new in (
            ("agency", "实施机关", before.agency_name, after.agency_name),
            ("above", "上级清单的版本", before.above, after.above),
            ("retired", "取消", _gone(before), _gone(after)),
        )
        if old != new
    )
    return (*facts, *listing.differences(before.content, after.content))


def _gone(one: Version) -> str:
    if not one.retired:
        return ""
    return f"{one.retired_on.isoformat()} 取消" if one.retired_on else "已取消"


# --- what the pages of the area share ---------------------------------------------------------------


def today() -> date:
    return words.local(now()).date()


def text(request: HttpRequest, name: str, most: int = 100) -> str:
    """A part of the question, without what no part of it may hold."""
    return clean_text(request.GET.get(name, ""))[:most]


def number(given: str | None) -> int:
    """A number of the address; 0 for anything else."""
    given = given or ""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 else 0


def question(request: HttpRequest, *, size: int = listing.PAGE) -> Question:
    """What the address asks of the list; what it does not know is not asked."""
    state, level, generated, sort = (
        text(request, name) for name in ("state", "level", "generated", "sort")
    )
    return Question(
        q=text(request, "q", listing.LONGEST),
        state=state if state in listing.STATES else "",
        level=level if level in LEVELS else "",
        region=text(request, "region", 12),
        agency=text(request, "agency", 40),
        type=text(request, "type", 40),
        under=min(100, number(request.GET.get("under"))),
        generated=generated if generated in ("yes", "no") else "",
        sort=sort if sort in listing.SORTS else "code",
        page=paging.page_number(request.GET.get("page")),
        size=size,
    )


def exchange() -> str:
    """The address of import and export, "" where the platform has none."""
    try:
        return reverse("desk:catalogue-import")
    except NoReverseMatch:
        return ""


def drafting(actor: Actor) -> Callable[[Line | Version], bool]:
    """Whether the actor may begin to change or retire an item."""
    no = changes.draftable(actor)
    return lambda one: not one.retired and no(Level(one.level), one.agency, one.region) is None


def regions() -> dict[str, str]:
    return dict(accounts.regions())
