"""Service items and their guides (事项与办事指南): found, browsed, read, printed."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe
from markupsafe import Markup

from zhengwu.catalog import browsing
from zhengwu.documents import render as documents
from zhengwu.portal.items import choosing, flow, guide, sheet
from zhengwu.portal.items.kept import Answer, Kept
from zhengwu.portal.laws.linking import cited
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text

CASE_NUMBER = re.compile(r"[Jj][Cc][0-9]{12,16}")
LONGEST_QUERY = 60
LONGEST_CODE = 40
ELDER = "zw_elder"
# Bytes of finished pages and papers kept in each web process.
_pages = Kept(48 * 1024 * 1024)
_papers = Kept(16 * 1024 * 1024)


def today() -> date:
    return words.local(now()).date()


# --- finding --------------------------------------------------------------------------------------


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Items that hold the words, narrowed by what is chosen; a case number leads to its progress."""
    q = clean_text(request.GET.get("q", ""))[:LONGEST_QUERY]
    if CASE_NUMBER.fullmatch(q):
        return redirect(reverse("track") + f"?number={q.upper()}")
    chosen = choosing.read(request.GET)
    page = paging.page_number(request.GET.get("page"))
    context = choosing.answered(q, chosen, today(), page=page)
    return render(request, "portal/items/search.html.j2", context)


@require_safe
def by(request: HttpRequest, way: str) -> HttpResponse:
    """All items by department, by theme or by object, with how many there are."""
    if way not in choosing.WAYS:
        raise Http404
    context = {"way": way, **choosing.browsed(way, today())}
    return render(request, "portal/items/by.html.j2", context)


# --- one guide ------------------------------------------------------------------------------------


@require_safe
def item(request: HttpRequest, code: str) -> HttpResponse:
    """One item's guide (办事指南), as it is in force today; kept until the catalogue changes."""
    on, elder = today(), request.COOKIES.get(ELDER) == "1"
    key = (code, browsing.mark(code), on, elder)
    answer = _pages.get(key) or _pages.put(key, _drawn(code, on, elder=elder))
    response = HttpResponse(answer.body)
    patch_vary_headers(response, ("Cookie",))
    return _answered(request, response, answer)


@require_safe
def paper(request: HttpRequest, code: str) -> HttpResponse:
    """The same as PDF."""
    on = today()
    key = (code, browsing.mark(code), on)
    answer = _papers.get(key) or _papers.put(key, _printed(code, on))
    response = HttpResponse(answer.body, content_type="application/pdf")
    name = quote(f"办事指南 {code}.pdf")
    response["Content-Disposition"] = f"inline; filename=\"guide.pdf\"; filename*=UTF-8''{name}"
    return _answered(request, response, answer)


def _answered(request: HttpRequest, response: HttpResponse, answer: Answer) -> HttpResponse:
    """With its tag; to a browser that has these very bytes only that they still hold."""
    response["ETag"] = answer.etag
    response["Cache-Control"] = "no-cache"  # kept by the browser, asked about every time
    # Given a response it answers with one.
    return cast(
        HttpResponse, get_conditional_response(request, etag=answer.etag, response=response)
    )


def _drawn(code: str, on: date, *, elder: bool) -> bytes:
    """The whole page, drawn for nobody: what is kept for all can hold nothing of a session."""
    found = guide.of(code[:LONGEST_CODE], on)
    if found is None:
        raise Http404
    nobody = HttpRequest()
    nobody.method = "GET"
    nobody.path = nobody.path_info = reverse("item", args=[code])
    nobody.COOKIES = {ELDER: "1"} if elder else {}
    nobody.user = AnonymousUser()
    if isinstance(found, guide.Places):
        context: dict[str, Any] = {"found": found}
        return render_to_string("portal/items/places.html.j2", context, nobody).encode()
    context = {
        "guide": found,
        "today": on,
        "cited": cited,
        "dated": guide.dated,
        "picture": Markup(flow.svg(found.nodes, title=found.text)) if found.nodes else "",  # noqa: S704 - escaped there
        "qr": _qr(_address(code)),
        "address": _address(code),
    }
    return render_to_string("portal/items/guide.html.j2", context, nobody).encode()


def _printed(code: str, on: date) -> bytes:
    found = guide.of(code[:LONGEST_CODE], on)
    if not isinstance(found, guide.Guide) or not found.stands:
        raise Http404
    return sheet.pdf(found, address=_address(code))


@lru_cache(maxsize=2048)
def _qr(address: str) -> Markup:
    """The QR code as large as the page wants it."""
    drawn = re.sub(
        r'width="(\d+)" height="(\d+)"', r'viewBox="0 0 \1 \2"', documents.qr(address), count=1
    )
    return Markup(drawn.replace("<svg ", '<svg role="img" aria-label="本页网址的二维码" ', 1))  # noqa: S704 - drawn by segno


def _address(code: str) -> str:
    """Where a guide stands for the world outside."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse('item', args=[code])}"
