"""Signed out after sitting idle (空闲退出)."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from zhengwu.web import problems

SEEN = "zw_seen"
GRAIN = 60  # seconds: the session is written once a minute, not with every request


def sign_out_the_idle(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Ends a session in which nobody acted for ZHENGWU_IDLE_MINUTES.

    Neither a page that refreshes itself (an htmx GET) nor a program that asks under /api/ keeps
    the session alive.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            seen = request.session.get(SEEN)
            moment = int(time.time())
            if seen is not None and moment - seen > settings.IDLE_MINUTES * 60:
                logout(request)
            elif seen is None or (moment - seen >= GRAIN and not _refreshes_itself(request)):
                request.session[SEEN] = moment
        return get_response(request)

    return answer


def _refreshes_itself(request: HttpRequest) -> bool:
    return problems.wanted(request) or (
        request.method == "GET" and request.headers.get("HX-Request") == "true"
    )
