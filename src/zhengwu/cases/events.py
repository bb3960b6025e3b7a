"""The kinds of events a case's stream may hold, and the head its rows keep; alarms beside it."""

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
    "next_at": "timestamptz",
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

ALARMS = "alarm"
# One stream of one event for each alarm, so that it is raised once whoever looks and how often.
# Body: {case, limit, due}; occurred is the lawful instant, however late it was noticed.
ALARM = StreamKind(
    name=ALARMS,
    events=frozenset({"near", "over"}),
    head=HeadTable(
        table="cases_alarm",
        opening={
            "case": "uuid",
            "limit": "text",
            "level": "text",
            "due": "timestamptz",
            "occurred": "timestamptz",
            "agency": "text",
        },
    ),
)

ATTEMPTS = "attempt"
# One stream of one event for each refused attempt to ask for what the guide does not list.
# Body: {case or item, version, act, codes}; nothing that was typed but what looks like a code.
ATTEMPT = StreamKind(
    name=ATTEMPTS,
    events=frozenset({"asked_outside"}),
    head=HeadTable(
        table="cases_attempt",
        opening={
            "case": "uuid",
            "item": "text",
            "item_version": "integer",
            "act": "text",
            "agency": "text",
            "hall": "text",
            "occurred": "timestamptz",
        },
    ),
)
