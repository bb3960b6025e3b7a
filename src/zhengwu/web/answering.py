"""How instants, days and derivations look in answers to programs (接口数据)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from ninja import Schema
from pydantic import WithJsonSchema

from zhengwu.domain.derivation import Line as DomainLine

SHANGHAI = ZoneInfo("Asia/Shanghai")
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]


class Line(Schema):
    """One line of a derivation (推导). days: how many it adds; 0 where it only explains."""

    text: str
    article: str | None
    days: int


def moment(value: datetime) -> str:
    """ISO 8601 with the offset of Shanghai, to the microsecond where there is one."""
    return value.astimezone(SHANGHAI).isoformat()


def lines(told: Iterable[DomainLine]) -> list[Line]:
    return [Line(text=one.text, article=one.article or None, days=one.days) for one in told]


def reply(
    request: HttpRequest, value: Schema, *, status: int = 200, cache: str = "private, no-cache"
) -> HttpResponse:
    """The answer with an ETag of what it says; 304 for whoever has just that.

    What is private varies with who asks: it stands in no shared cache.
    """
    body = value.model_dump_json().encode()
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
