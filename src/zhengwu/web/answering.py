"""How instants, days and derivations look in answers to programs (接口数据)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

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
