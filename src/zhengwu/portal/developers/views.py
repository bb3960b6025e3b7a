"""How other systems ask (接口说明), for people: drawn from the OpenAPI document, whole on one page."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe
from django.views.decorators.vary import vary_on_cookie

from zhengwu.accounts.scopes import SCOPES
from zhengwu.portal.developers import reading
from zhengwu.portal.developers.reading import Description
from zhengwu.portal.items.views import ELDER

FRESH = 600  # seconds; the page changes with the software only


def page(document: Callable[[], Any]) -> Callable[..., HttpResponse]:
    """The view. document: makes the OpenAPI document; it is read once in each process."""

    @cache
    def description() -> Description:
        scopes = {one.code: one.zh for one in SCOPES.values()}
        return reading.read(document(), site=settings.PUBLIC_URL, scopes=scopes)

    @cache
    def drawn(elder: bool) -> str:
        """For nobody in particular: what is kept for all can hold nothing of a session."""
        nobody = HttpRequest()
        nobody.method = "GET"
        nobody.path = nobody.path_info = reverse("api-docs")
        nobody.COOKIES = {ELDER: "1"} if elder else {}
        nobody.user = AnonymousUser()
        context = {
            "told": description(),
            "spelled": reading.spelled,
            "per_minute": settings.API_PER_MINUTE,
            "document": reverse("api:openapi-json"),
            "address": settings.PUBLIC_URL,
        }
        return render_to_string("portal/developers/docs.html.j2", context, nobody)

    @require_safe
    @vary_on_cookie
    @cache_control(public=True, max_age=FRESH)
    @conditional_page
    def docs(request: HttpRequest) -> HttpResponse:
        """Every operation: who may, what it takes, what it answers, a line to try."""
        return HttpResponse(drawn(request.COOKIES.get(ELDER) == "1"))

    return docs
