"""The kinds of events a case's stream may hold, and the head its rows keep."""

from __future__ import annotations

from zhengwu.domain import lifecycle
from zhengwu.ledger.services import HeadTable, StreamKind

STREAM = "case"

OBSERVATIONS = frozenset(
    {
        "received",
        "step",
        "accepted",
        "decided",
        "delivered",
        "closed",
        "claim",
        "corrected",
        "retracted",
    }
)

MOVING = {
    "state": "text",
    "suspended": "boolean",
    "step": "text",
    "holder_kind": "text",
    "holder_agency": "text",
    "holder_post": "text",
    "holder_actor": "text",
    "outcome": "text",
    "accepted": "timestamptz",
    "due": "timestamptz",
    "warn": "timestamptz",
    "provisional": "boolean",
    "decided": "timestamptz",
    "closed": "timestamptz",
    "archived": "timestamptz",
}
OPENING = {
    "number": "text",
    "query_code": "text",
    "source": "text",
    "foreign_id": "text",
    "kind": "text",
    "item": "text",
    "item_version": "integer",
    "item_name": "text",
    "agency": "text",
    "region": "text",
    "hall": "text",
    "window": "text",
    "applicant_id": "uuid",
    "opened": "timestamptz",
    **MOVING,
}

CASE = StreamKind(
    name=STREAM,
    events=frozenset(act.code for act in lifecycle.ACTS) | OBSERVATIONS,
    head=HeadTable(table="cases_case", opening=OPENING, moving=MOVING),
)
