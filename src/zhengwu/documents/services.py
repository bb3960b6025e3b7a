"""Issuing documents (制发文书): number, check code and frozen data go into the act's event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from zhengwu.documents import check_code, kinds, wording
from zhengwu.documents.kinds import Kind
from zhengwu.documents.models import Document
from zhengwu.ledger import services as ledger

__all__ = ["Prepared", "prepare", "register", "wording"]

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document about to be issued by the commit that takes its number."""

    kind: Kind
    agency: str
    template: str
    check_code: str
    number: ledger.Number
    content: ledger.Content

    def body(self) -> dict[str, Any]:
        """What stands under `document` in the event; number and data are put in by the commit."""
        return {"kind": str(self.kind), "check": self.check_code, "template": self.template}


def prepare(
    kind: Kind,
    *,
    at: datetime,
    data: Mapping[str, Any],
    facts: wording.Facts | None = None,
    agency: str = "",
    short: str = "",
    item_type: str = "",
) -> Prepared:
    """data: from `wording`, of the same facts. Its number is of (agency, kind, year of `at`).

    Nothing is written yet: the commit takes the number.
    """
    if facts is not None:
        agency, short, item_type = facts.agency, facts.short, facts.item_type
    if data.get("kind") != str(kind):
        raise ValueError(f"{kind}: the data are of a {data.get('kind')}")
    year = at.astimezone(SHANGHAI).year
    return Prepared(
        kind=kind,
        agency=agency,
        template=kinds.KINDS[kind].template,
        check_code=check_code.make(),
        number=ledger.Number(
            series_agency=agency,
            series_kind=str(kind),
            year=year,
            prefix=kinds.prefix(kind, short=short, year=year, item_type=item_type),
            path=("document", "number"),
        ),
        content=ledger.Content(path=("document", "data"), data=dict(data)),
    )


def register(
    prepared: Prepared, outcome: ledger.Outcome, *, stream: str, stream_id: UUID, at: datetime
) -> None:
    """Enter an issued document, in the transaction of the commit that moved."""
    written = outcome.body["document"]
    if outcome.number is None or outcome.event_id is None:
        raise ValueError("the commit took no number")
    Document.objects.create(
        id=ledger.uuid7(),
        kind=str(prepared.kind),
        template=prepared.template,
        number=outcome.number,
        check_code=prepared.check_code,
        agency=prepared.agency,
        stream=stream,
        stream_id=stream_id,
        event=outcome.event_id,
        content=written["data"]["content"],
        digest=written["data"]["digest"],
        issued=at,
    )
