"""Issuing documents (制发文书): number, check code and frozen data go into the act's event."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max

from zhengwu.accounts.queries import Actor
from zhengwu.documents import check_code, kinds, queries, render, seal, wording
from zhengwu.documents.kinds import Kind
from zhengwu.documents.models import Copy, Document
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger
from zhengwu.web.forms import clean_text

__all__ = ["Prepared", "copy", "prepare", "print_out", "register", "void", "wording"]

log = logging.getLogger(__name__)
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


def prepare(kind: Kind, *, facts: wording.Facts, at: datetime, data: Mapping[str, Any]) -> Prepared:
    """data: from `wording`, of the same facts. Its number is of agency, kind, 许 or not, year of `at`.

    Nothing is written yet: the commit takes the number.
    """
    if data.get("kind") != str(kind):
        raise ValueError(f"{kind}: the data are of a {data.get('kind')}")
    year = at.astimezone(SHANGHAI).year
    return Prepared(
        kind=kind,
        agency=facts.agency,
        template=kinds.KINDS[Kind(wording.form_of(data))].template,
        check_code=check_code.make(),
        number=ledger.Number(
            series_agency=facts.agency,
            series_kind=kinds.series(kind, item_type=facts.item_type),
            year=year,
            prefix=kinds.prefix(kind, short=facts.short, year=year, item_type=facts.item_type),
            path=("document", "number"),
        ),
        content=ledger.Content(path=("document", "data"), data=dict(data)),
    )


def warm_up() -> None:
    """Read fonts, templates and the seal's key once, so that no first paper waits for them."""
    issued = datetime(2026, 1, 1, tzinfo=SHANGHAI)
    facts = wording.Facts(
        agency="-", agency_name="-", short="-", case="-", item="-", item_code="-", item_type="-",
        basis="", applicant={"kind": "person", "name": "-"}, received=issued,
    )  # fmt: skip
    try:
        data = wording.withdrawal(facts, issued=issued, reasons="-")
        made = render.pdf("paper@1", data, number="-", check="-", address="-", issued=issued)
        seal.sealed(made, seal.paper_of(data, agency="-", number="-", issued=issued))
    except Exception:
        log.warning("papers could not be warmed up", exc_info=True)


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


@transaction.atomic
def void(stream: str, stream_id: UUID, *, gone: Mapping[UUID, str | None], at: datetime) -> int:
    """Make void (作废) the documents of exactly these events of a stream, and of no others.

    gone: event id -> the number of what replaces its document, None where nothing does. What was
    void before keeps its day; what is no longer among them is good again (an undone correction).
    How many documents changed.
    """
    changed = []
    rows = Document.objects.filter(stream=stream, stream_id=stream_id).order_by("id")
    for row in rows.select_for_update():
        was = row.void_since, row.replaced_by
        if row.event in gone:
            row.void_since, row.replaced_by = row.void_since or at, gone[row.event] or None
        else:
            row.void_since = row.replaced_by = None
        if was != (row.void_since, row.replaced_by):
            changed.append(row)
    Document.objects.bulk_update(changed, ("void_since", "replaced_by"))
    return len(changed)


@transaction.atomic
def copy(actor: Actor, check: str, *, why: str = "", at: datetime) -> int:
    """Record a print (打印, 补打) and give its number: 1 is the original, the rest are copies.

    why: asked from the second on. Raises LookupError, and Refusal for a document that cannot be
    printed or a reason that is missing (field "why"). Whether the actor may is the caller's to ask.
    """
    why = " ".join(clean_text(why).split())
    # Two prints at once queue here; the constraint keeps the promise.
    found = Document.objects.filter(check_code=check).select_for_update().first()
    if found is None:
        raise LookupError(check)
    queries.printable(found)
    last: int = Copy.objects.filter(document=found).aggregate(last=Max("number"))["last"] or 0
    if last and not why:
        raise Refusal(
            "documents.copy_why",
            f"这份文书已经打印过 {last} 次。补打请写明原因，例如：原件遗失。",
            field="why",
        )
    if len(why) > 200:
        raise Refusal(
            "documents.copy_why_long",
            f"补打原因最多 200 个字，现在有 {len(why)} 个。请写得短一些。",
            field="why",
        )
    Copy.objects.create(
        document=found, number=last + 1, person=actor.code, agency=actor.agency or "", why=why,
        at=at,
    )  # fmt: skip
    return last + 1


@transaction.atomic
def print_out(actor: Actor, check: str, *, why: str = "", at: datetime) -> tuple[int, bytes]:
    """Print (打印): the number of the copy and its PDF. What cannot be drawn takes no number.

    Raises what `copy` raises. Whether the actor may is the caller's to ask.
    """
    number = copy(actor, check, why=why, at=at)
    found = queries.by_check_code(check)
    if found is None:
        raise LookupError(check)
    return number, queries.render(found, copy=number, copied=at)
