"""Publications of items, their changes and written authorisations are events of their own streams.

Item: published, retired {item, version, since, digest, above, change, approved}. Change: drafted and
revised {item, purpose, onto, digest}, then one event a step of `domain.publishing`; listed {number,
on}, published {item, version, since}, returned {to, reason: content}.
"""

from __future__ import annotations

from zhengwu.domain import publishing
from zhengwu.ledger.services import HeadTable, StreamKind

STREAM = "item"
ITEM = StreamKind(name=STREAM, events=frozenset({"published", "retired"}))

CHANGES = "item_change"
_MOVING = {
    "state": "text",
    "name": "text",
    "agency": "text",
    "above": "text",
    "onto": "integer",
    "own": "jsonb",
    "since": "date",
    "transition": "boolean",
    "last_by": "text",
    "list_number": "text",
    "list_date": "date",
    "published": "integer",
    "updated": "timestamptz",
}
CHANGE = StreamKind(
    name=CHANGES,
    events=frozenset(act.code for act in publishing.ACTS),
    head=HeadTable(
        table="catalog_change",
        opening={
            "purpose": "text",
            "item": "text",
            "base": "text",
            "level": "text",
            "region": "text",
            "drafted_by": "text",
            "batch": "text",
            **_MOVING,
        },
        moving=_MOVING,
    ),
)

AUTHORISATIONS = "authorisation"
AUTHORISATION = StreamKind(
    name=AUTHORISATIONS,
    events=frozenset({"issued", "ended"}),
    head=HeadTable(
        table="catalog_authorisation",
        opening={
            "agency": "text",
            "hall": "text",
            "window": "text",
            "item": "text",
            "person": "text",
            "may_grant": "boolean",
            "may_refuse": "boolean",
            "since": "date",
            "until": "date",
            "number": "text",
            "issued_by": "text",
            "issued": "timestamptz",
        },
        moving={"ended": "timestamptz", "ended_on": "date", "ended_by": "text"},
    ),
)
