"""Forms to download (表格下载): blank and sample forms of the items in force."""

from __future__ import annotations

from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from zhengwu.catalog import forms as catalog
from zhengwu.portal.laws.linking import cited
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text

LONGEST_QUERY = 60
FOR_EVER = 365 * 24 * 3600


@require_safe
def forms(request: HttpRequest) -> HttpResponse:
    """All forms, found by their own name, the material or the item."""
    q = clean_text(request.GET.get("q", ""))[:LONGEST_QUERY]
    page = paging.page_number(request.GET.get("page"))
    found = catalog.listing(words.local(now()).date(), q, page)
    context = {"q": q, "found": found, "cited": cited}
    return render(request, "portal/forms/list.html.j2", context)


@require_safe
def form(request: HttpRequest, digest: str, filename: str) -> HttpResponse:
    """One form, to be saved. The address holds the digest of the bytes: it never changes."""
    row = catalog.found([digest]).get(digest)
    if row is None:
        raise Http404
    if filename != row.filename:
        return redirect("form", digest, row.filename)
    etag = f'"{digest[:32]}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = _attached(row)
    response["ETag"] = etag
    response["Cache-Control"] = f"public, max-age={FOR_EVER}, immutable"
    return response


def _attached(row: catalog.FormRow) -> HttpResponse:
    response = HttpResponse(catalog.content(row.digest), content_type=row.mime)
    ending = row.filename.rpartition(".")[2]
    response["Content-Disposition"] = (
        f"attachment; filename=\"form.{ending}\"; filename*=UTF-8''{quote(row.filename)}"
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
