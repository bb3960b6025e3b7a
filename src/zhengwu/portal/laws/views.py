"""Texts of law that guides link to (法律条文)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe
from django.views.decorators.vary import vary_on_cookie

from zhengwu.catalog import laws as catalog
from zhengwu.domain import citations

FRESH = 600  # seconds: the texts come with the software


@require_safe
@vary_on_cookie
@cache_control(public=True, max_age=FRESH)
@conditional_page
def laws(request: HttpRequest) -> HttpResponse:
    """All laws that we hold the text of."""
    return render(request, "portal/laws/list.html.j2", {"laws": catalog.laws()})


@require_safe
@vary_on_cookie
@cache_control(public=True, max_age=FRESH)
@conditional_page
def law(request: HttpRequest, code: str) -> HttpResponse:
    """One law, article by article; every article has an address of its own."""
    found = catalog.law(code)
    if found is None:
        raise Http404
    articles = [
        (catalog.anchor(key), citations.article_zh(key), text)
        for key, text in found.articles.items()
    ]
    return render(request, "portal/laws/law.html.j2", {"law": found, "articles": articles})
