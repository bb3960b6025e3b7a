"""A "no" for programs (出错信息): RFC 9457, `application/problem+json`, in the words of the pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel

from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web import figures, observing

PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"
MEANS = {
    400: "没看懂这个请求",
    401: "没有说明是谁",
    403: "没有这项权限",
    404: "没有找到",
    405: "这个地址不能这样用",
    409: "办件已有新进展",
    411: "没有说明内容有多大",
    413: "提交的内容太大",
    415: "内容的类型不对",
    422: "没有办成",
    429: "太频繁",
    500: "系统出错了",
    503: "暂时忙不过来",
}


class Fault(BaseModel):
    """One of several things that are wrong."""

    code: str
    detail: str
    article: str | None = None
    field: str | None = None


class Problem(BaseModel):
    """What went wrong. code: stable, for programs; detail: for people, says what to do; article:
    of law; field: the parameter that is wrong; errors: everything that is wrong, where it is more
    than one thing; version: how far the case is now (409); request: the number to quote when it is
    our fault (5xx)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    article: str | None = None
    field: str | None = None
    errors: list[Fault] | None = None
    version: int | None = None
    request: str | None = None


class Refused(Exception):
    """A "no" with a status of its own, where `Refusal` (422) does not fit."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, code, detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers = headers or {}

    def answer(self) -> HttpResponse:
        answer = problem(self.status, self.code, MEANS[self.status], self.detail)
        for name, value in self.headers.items():
            answer[name] = value
        return answer


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
    **more: Any,
) -> HttpResponse:
    """The answer; article, field and what else there is stand in it only when they say something."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    told = {"article": article, "field": field, **more}
    if status >= 500:
        told["request"] = observing.current() or None
    elif not code.startswith("http."):
        figures.refused(code)
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
        MEANS[422],
        refusal.sentence,
        article=refusal.article,
        field=refusal.field,
    )


def all_refused(several: Refusals) -> HttpResponse:
    """422 with the first refusal, and every one of them under `errors`."""
    first = several.refusals[0]
    every = [
        {
            "code": one.code,
            "detail": one.sentence,
            **({"article": one.article} if one.article else {}),
            **({"field": one.field} if one.field else {}),
        }
        for one in several.refusals
    ]
    return problem(
        422, first.code, MEANS[422], first.sentence, article=first.article, field=first.field,
        errors=every,
    )  # fmt: skip


def only(request: HttpRequest, *names: str) -> None:
    """Refuses a parameter that the address does not have, and one that is written twice: a slip of
    the pen must not be an answer to another question. Raises Refusal.
    """
    for given in request.GET:
        if len(request.GET.getlist(given)) > 1:
            raise Refusal("request.twice", "这个参数写了不止一次。请只写一次。", field=given[:40])
        if given not in names:
            raise Refusal(
                "request.unknown_parameter",
                f"这个地址没有您写的参数。能用的是：{'、'.join(names)}。"
                if names
                else "这个地址没有参数。请去掉问号后面的内容。",
                field=given[:40],
            )


def documented(
    *statuses: int, media: Mapping[int, tuple[str, str]] | None = None, **more: Any
) -> dict[str, Any]:
    """What the OpenAPI document says of these answers, beside anything more on the operation.

    media: answers that are no JSON: their types, parted by blanks, and what they hold.
    """
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers: dict[int, Any] = {
        one: {"description": MEANS[one], "content": content} for one in statuses if one != 304
    }
    if 304 in statuses:
        answers[304] = {"description": "没有变，照旧"}
    for status, (kinds, what) in (media or {}).items():
        schema = {"schema": {"type": "string", "format": "binary"}}
        answers[status] = {"description": what, "content": dict.fromkeys(kinds.split(), schema)}
    return {"responses": answers, **more}
