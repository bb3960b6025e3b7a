"""Attempts to ask for what the guide does not list (列表外索要): refused, and kept for supervision.

Each is a stream of one event in a transaction of its own, because the act itself is refused. What
was typed is never kept: only what looks like a code of a material or a ground.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengwu.accounts.queries import Actor
from zhengwu.cases.events import ATTEMPTS
from zhengwu.cases.heads import iso
from zhengwu.cases.writing import SOURCE
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.ledger import services as ledger

LONGEST = 40
MOST = 20
FREE_TEXT = "free text"
# A code has a digit in it; a longer run of digits is somebody's number.
CODE = re.compile(r"(?=.*\d)(?!.*\d{7})[A-Za-z0-9][A-Za-z0-9:._-]*", re.ASCII)


def record(
    actor: Actor,
    act: str,
    asked: Iterable[str],
    *,
    item: ItemVersionRow,
    case: UUID | None = None,
    post: str | None = None,
    key: str,
    at: datetime,
) -> None:
    """Keep one attempt; the same key again keeps nothing. key: that of the refused act."""
    codes = list(dict.fromkeys(code(one) for one in asked))[:MOST]
    about = {"case": str(case)} if case else {"item": item.code}
    row = ledger.Row(
        stream_id=ledger.uuid7(),
        expected=0,
        event=ledger.NewEvent(
            kind="asked_outside",
            occurred=at,
            actor=actor.code,
            post=post,
            agency=actor.agency,
            region=actor.region,
            source=SOURCE,
            key=f"attempt/{key}",
            body={**about, "version": item.version, "act": act, "codes": codes},
        ),
        head={
            "case": str(case) if case else None,
            "item": item.code,
            "item_version": item.version,
            "act": act,
            "agency": actor.agency,
            "hall": actor.hall,
            "occurred": iso(at),
        },
    )
    with transaction.atomic(durable=True):  # never inside one that the refusal rolls back
        ledger.append(ATTEMPTS, [row])


def code(typed: str) -> str:
    """What was asked for, where it looks like a code; else only that it was free text."""
    cut = typed.strip()[:LONGEST]
    return cut if CODE.fullmatch(cut) else FREE_TEXT
