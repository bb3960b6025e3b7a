"""How instants, days and derivations look in answers to programs (接口数据)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from pydantic import BaseModel, WithJsonSchema

from zhengwu.domain.derivation import Line as DomainLine

SHANGHAI = ZoneInfo("Asia/Shanghai")
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]


class Shape(BaseModel):
    """What stands in a question or an answer. Not the library's own: that reads every field of every
    object through a wrapper for models, ten times the cost for a long list."""


class Line(Shape):
    """One line of a derivation (推导). days: how many it adds; 0 where it only explains."""

    text: str
    article: str | None
    days: int


def moment(value: datetime) -> str:
    """ISO 8601 with the offset of Shanghai, to the microsecond where there is one."""
    return value.astimezone(SHANGHAI).isoformat()


def lines(told: Iterable[DomainLine]) -> list[Line]:
    return [Line(text=one.text, article=one.article or None, days=one.days) for one in told]


def kept(
    request: HttpRequest, response: HttpResponse, *, etag: str, max_age: int
) -> HttpResponse | None:
    """For what is public: says how long the answer may be kept; 304 for who has it already."""
    # Who is signed in may get a cookie with the answer; that is for nobody else's cache.
    whose = "private" if request.user.is_authenticated else "public"
    headers = {"ETag": f'"{etag}"', "Cache-Control": f"{whose}, max-age={max_age}"}
    same = get_conditional_response(request, etag=headers["ETag"])
    for name, value in headers.items():
        response[name] = value
        if same is not None:
            same[name] = value
    return same


def reply(
    request: HttpRequest, value: Shape, *, status: int = 200, cache: str = "private, no-cache"
) -> HttpResponse:
    """The answer with an ETag of what it says; 304 for whoever has just that.

    What is private varies with who asks: it stands in no shared cache.
    """
    return sent(request, value.model_dump_json().encode(), status=status, cache=cache)


def sent(
    request: HttpRequest, body: bytes, *, status: int = 200, cache: str = "private, no-cache"
) -> HttpResponse:
    """The same of an answer that is written already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answer = HttpResponse(body, content_type="application/json; charset=utf-8", status=status)
    same = None
    if status == 200 and request.method in ("GET", "HEAD"):
        answer["ETag"] = etag
        same = get_conditional_response(request, etag=etag, response=answer)
    told = same if isinstance(same, HttpResponse) else answer
    told["Cache-Control"] = cache
    told["Vary"] = "Authorization, Cookie, X-Acting-Person, X-Query-Code"
    return told
