"""What the browser may load and run on our pages (内容安全策略)."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from zhengwu.web import errors, problems

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def plain_addresses(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """No address of ours holds a control character; one that does leads nowhere."""

    def answer(request: HttpRequest) -> HttpResponse:
        if CONTROL.search(request.path):
            if problems.wanted(request):
                return errors.page_not_found(request)
            return HttpResponse(
                "没有找到这一页。", status=404, content_type="text/plain; charset=utf-8"
            )
        return get_response(request)

    return answer


def content_security(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Adds the policy to every HTML answer: nothing inline, nothing from another host."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response.setdefault("Content-Security-Policy", POLICY)
        return response

    return answer
