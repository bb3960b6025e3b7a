"""How other systems ask (接口说明), for people: drawn from the OpenAPI document, whole on one page."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_cookie

from zhengwu.accounts.scopes import SCOPES
from zhengwu.portal.developers import reading
from zhengwu.portal.developers.reading import Description

FRESH = 600  # seconds; the page changes with the software only


def page(document: Callable[[], Any]) -> Callable[..., HttpResponse]:
    """The view. document: makes the OpenAPI document; it is read once in each process."""

    @cache
    def description() -> Description:
        scopes = {one.code: one.zh for one in SCOPES.values()}
        return reading.read(document(), site=settings.PUBLIC_URL, scopes=scopes)

    @require_safe
    @vary_on_cookie
    @cache_control(public=True, max_age=FRESH)
    def docs(request: HttpRequest) -> HttpResponse:
        """Every operation: who may, what it takes, what it answers, a line to try."""
        context = {
            "told": description(),
            "spelled": reading.spelled,
            "per_minute": settings.API_PER_MINUTE,
            "document": reverse("api:openapi-json"),
            "address": settings.PUBLIC_URL,
        }
        return render(request, "portal/developers/docs.html.j2", context)

    return docs
