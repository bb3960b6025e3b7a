"""Publications of items are events of their own streams."""

from __future__ import annotations

from zhengwu.ledger.services import StreamKind

STREAM = "item"
ITEM = StreamKind(name=STREAM, events=frozenset({"published", "retired"}))
