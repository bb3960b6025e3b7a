"""Publications of items and written authorisations are events of their own streams."""

from __future__ import annotations

from zhengwu.ledger.services import HeadTable, StreamKind

STREAM = "item"
ITEM = StreamKind(name=STREAM, events=frozenset({"published", "retired"}))

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
