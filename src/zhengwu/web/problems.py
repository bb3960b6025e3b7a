"""A "no" for programs (出错信息): RFC 9457, `application/problem+json`, in the words of the pages."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse

from zhengwu.domain.refusal import Refusal

PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"


def wanted(request: HttpRequest) -> bool:
    """Whether who asks is a program: then no page is sent, whatever went wrong."""
    return request.path.startswith(PREFIX)


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    article: str | None = None,
    field: str | None = None,
) -> HttpResponse:
    """code: stable and dotted; title: of the status, detail: of this case, both Chinese; article: of
    law; field: the parameter that is wrong. The two last stand there only when they say something.
    """
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    told = {"article": article, "field": field}
    body |= {name: value for name, value in told.items() if value is not None}
    answer = HttpResponse(
        json.dumps(body, ensure_ascii=False), content_type=MEDIA_TYPE, status=status
    )
    answer["Cache-Control"] = "no-store"
    return answer


def refused(refusal: Refusal) -> HttpResponse:
    """422 with what the refusal says."""
    return problem(
        422,
        refusal.code,
        "不能这样办",
        refusal.sentence,
        article=refusal.article,
        field=refusal.field,
    )
