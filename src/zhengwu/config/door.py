"""The straight way of the interface (接口直达): what a program asks needs no page's equipment.

A request under /api/ that brings a token or a query code, or no session at all, goes from here to
its view at once: no session, no form token, no messages, no lock-out of sign-ins. Its own `Door`
asks who it is. A browser that comes with a session goes the way of the pages, and may only read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from zhengwu.config.uploads import FORM, announced, most_said
from zhengwu.web import errors, problems

NOBODY = AnonymousUser()
Answer = Callable[[HttpRequest], HttpResponseBase]


class _Straight(BaseHandler):
    """Resolves the address and calls its view, with nothing in between."""

    def __init__(self) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        inner: Answer = self._get_response  # type: ignore[attr-defined]
        self.answer: Answer = cast(Answer, convert_exception_to_response(inner))


def straight(get_response: Answer) -> Answer:
    """The middleware."""
    handler = _Straight()

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not problems.wanted(request):
            return get_response(request)
        brings = "HTTP_AUTHORIZATION" in request.META or "HTTP_X_QUERY_CODE" in request.META
        if not brings and settings.SESSION_COOKIE_NAME in request.COOKIES:
            return get_response(request)
        length = announced(request)
        if length is not None and length > FORM and "HTTP_AUTHORIZATION" not in request.META:
            return errors.too_large(request, most_said(length))
        request.user = NOBODY
        return handler.answer(request)

    return answer
