"""The same item in all districts, the differences of the whole city, and what looks the same."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.catalog import comparing, listing
from zhengwu.catalog.comparing import Differences, Place, SideBySide
from zhengwu.catalog.listing import SEE
from zhengwu.desk.catalogue import sheets
from zhengwu.desk.catalogue.views import FOLDER, exchange, regions, text, today
from zhengwu.desk.entry import desk
from zhengwu.domain import guide
from zhengwu.web import paging
from zhengwu.web.clock import now

ALL = 100_000  # rows of an export


@require_safe
@desk(SEE)
def compare(request: HttpRequest, actor: Actor, base: str) -> HttpResponse:
    """One item, a row for every place. ``?only=on``: only places and elements that differ."""
    found = _found(base)
    only = text(request, "only") == "on"
    shown = [cell for cell in found.reference.cells if not only or cell.code in found.columns]
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "item",
        "found": found,
        "only": only,
        "columns": shown,
        "codes": {cell.code for cell in shown},
        "places": found.differing if only else found.places,
        "more": any(place.more for place in found.places),
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/compare.html.j2", context)


@require_safe
@desk(SEE)
def compare_export(request: HttpRequest, actor: Actor, form: str) -> HttpResponse:
    """The same as a file, every element in full. ``?base=``."""
    found = _found(text(request, "base", 40))
    columns = [
        "区域", "事项编码", "机关", *(cell.zh for cell in found.reference.cells),
        "与清单不同的要素", "其他不同",
    ]  # fmt: skip
    names = accounts.names(agencies=(place.agency for place in (found.reference, *found.places)))
    rows = [
        _row(place, names.agency(place.agency))
        for place in (found.reference, *found.places)
        if _once(found, place)
    ]
    return sheets.answer(form, columns, rows, title=f"比对 {found.name}", at=now())


def _once(found: SideBySide, place: Place) -> bool:
    """A place that stands in for the list has its row at the top already."""
    return place is found.reference or found.listed or place.code != found.reference.code


def _row(place: Place, agency: str) -> list[str | int | None]:
    where = "市级通用清单" if place.level == "city" else place.region_name
    return [
        where, place.code, agency, *(cell.full for cell in place.cells),
        "；".join(f"{cell.zh}（{cell.word}）" for cell in place.differing),
        "\n".join(f"{cell.zh}：{cell.detail or cell.full}" for cell in place.more),
    ]  # fmt: skip


def _found(base: str) -> SideBySide:
    found = comparing.side_by_side(base, today())
    if found is None:
        raise Http404
    return found


@require_safe
@desk(SEE)
def differences(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The items of the whole city whose implementations differ, and in which elements."""
    asked = _asked(request)
    found = _differing(asked, page=paging.page_number(request.GET.get("page")))
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "differences",
        "found": found,
        "asked": asked,
        "zh": {code: one.zh for code, one in guide.BY_CODE.items()},
        "elements": [(one.code, one.zh) for one in comparing.COMPARED],
        "regions": regions(),
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/differences.html.j2", context)


@require_safe
@desk(SEE)
def differences_export(request: HttpRequest, actor: Actor, form: str) -> HttpResponse:
    """The same as a file: a row for every item and element that differs."""
    found = _differing(_asked(request), size=ALL)
    named = regions()
    columns = ("事项", "事项名称", "部门", "实施清单", "不同的要素", "不同的区域数", "不同的区域")
    rows = (
        [
            one.base, one.name, found.names.get(one.agency, one.agency), one.places,
            guide.BY_CODE[code].zh, len(where), "、".join(named.get(each, each) for each in where),
        ]
        for one in found.rows
        for code, where in one.elements.items()
    )  # fmt: skip
    return sheets.answer(form, columns, rows, title="全市差异", at=now())


def _differing(asked: dict[str, str], *, page: int = 1, size: int = comparing.PAGE) -> Differences:
    return comparing.differing(
        today(), q=asked["q"], element=asked["element"], agency=asked["agency"],
        region=asked["region"], page=page, size=size,
    )  # fmt: skip


def _asked(request: HttpRequest) -> dict[str, str]:
    element = text(request, "element")
    return {
        "q": text(request, "q", listing.LONGEST),
        "element": element if element in guide.BY_CODE else "",
        "agency": text(request, "agency", 40),
        "region": text(request, "region", 12),
    }


@require_safe
@desk(SEE)
def alike(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Items that look the same under two names. ``?show=variants``: other phases of one matter."""
    variants = text(request, "show") == "variants"
    q, agency = text(request, "q", listing.LONGEST), text(request, "agency", 40)
    found = comparing.alike(
        today(), variants=variants, agency=agency, q=q,
        page=paging.page_number(request.GET.get("page")),
    )  # fmt: skip
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "alike",
        "found": found,
        "variants": variants,
        "q": q,
        "agency": agency,
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/alike.html.j2", context)


@require_safe
@desk(SEE)
def pair(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Two items beside each other, element by element. ``?a=&b=`` are their codes."""
    a, b = text(request, "a", 40), text(request, "b", 40)
    found = listing.contents((a, b), today())
    if a not in found or b not in found:
        raise Http404
    (a_name, ours), (b_name, theirs) = found[a], found[b]
    differing = listing.differences(ours, theirs)
    same = [
        (one.zh, listing.told(one, ours.get(one.code)))
        for one in guide.ELEMENTS
        if ours.get(one.code) and one.code not in {each.code for each in differing}
    ]
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "alike",
        "a": (a, a_name),
        "b": (b, b_name),
        "differing": differing,
        "same": same,
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/pair.html.j2", context)
