"""The home page (首页)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from zhengwu.cases import queries as cases
from zhengwu.portal.items import choosing
from zhengwu.statistics import queries as statistics
from zhengwu.web import words
from zhengwu.web.clock import now

ELDER_COOKIE_SECONDS = 365 * 24 * 3600


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Search, the catalogue by theme, today's figures, the latest progress with masked names."""
    at = now()
    return render(
        request,
        "portal/home/home.html.j2",
        {
            "today": statistics.today(at=at),
            "recent": cases.recent_public(),
            "ways": choosing.WAYS,
            **choosing.at_home(words.local(at).date()),
        },
    )


@require_safe
def elder(request: HttpRequest) -> HttpResponse:
    """Large letters (长者模式) on or off, kept in a cookie; then back to where one was."""
    back = request.GET.get("back", "/")
    if not back.startswith("/") or not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = HttpResponseRedirect(back)
    if "on" in request.GET:
        response.set_cookie(
            "zw_elder", "1", max_age=ELDER_COOKIE_SECONDS, samesite="Lax", httponly=True
        )
    else:
        response.delete_cookie("zw_elder", samesite="Lax")
    return response
