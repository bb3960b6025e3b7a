"""Service items and their guides (事项与办事指南)."""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.catalog import finding
from zhengwu.catalog import queries as catalog
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text

CASE_NUMBER = re.compile(r"[Jj][Cc][0-9]{12,16}")
LONGEST_QUERY = 60


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Items whose name holds the words; a case number leads to the progress page instead."""
    q = clean_text(request.GET.get("q", ""))[:LONGEST_QUERY]
    if CASE_NUMBER.fullmatch(q):
        return redirect(reverse("track") + f"?number={q.upper()}")
    found = finding.search(
        q, words.local(now()).date(), page=paging.page_number(request.GET.get("page"))
    )
    return render(request, "portal/items/search.html.j2", {"q": q, "found": found})


@require_safe
def guide(request: HttpRequest, code: str) -> HttpResponse:
    """One item's guide (办事指南), as it is in force today."""
    item = catalog.in_force(code, words.local(now()).date())
    if item is None:
        raise Http404
    return render(
        request,
        "portal/items/guide.html.j2",
        {"item": item, "agency": accounts.agency_name(item.agency)},
    )
