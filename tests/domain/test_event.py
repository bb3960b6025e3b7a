"""Events that are made by the thousand are the same as those made field by field."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from zhengwu.domain.event import Event, Nature, made
from zhengwu.ledger.events import Entry, entry_made

AT = datetime(2026, 9, 21, 2, tzinfo=UTC)
FIELDS: dict[str, Any] = {
    "version": 3, "kind": "granted", "nature": Nature.OBSERVATION, "occurred": AT,
    "recorded": AT + timedelta(minutes=1), "received": AT + timedelta(minutes=2), "actor": "U1",
    "post": "P1", "agency": "A1", "region": "R1", "source": "link:a", "position": 9,
    "body": {"document": "x"},
}  # fmt: skip
OWN = {"id": UUID(int=1), "stream": "case", "stream_id": UUID(int=2)}
# The columns of a query, in their order (ledger.queries.COLUMNS and the position).
ROW = (
    "id", "stream", "stream_id", "version", "kind", "nature", "occurred", "recorded", "received",
    "actor", "post", "agency", "region", "source", "body", "position",
)  # fmt: skip


def test_an_event_made_quickly_is_an_event() -> None:
    event = made(*FIELDS.values())
    assert type(event) is Event
    assert event == Event(**FIELDS)
    assert list(FIELDS) == [one.name for one in fields(Event)]


def test_an_entry_made_quickly_is_an_entry() -> None:
    every = {**FIELDS, **OWN}
    entry = entry_made(*(every[name] for name in ROW))
    assert type(entry) is Entry
    assert entry == Entry(**every)
    assert set(ROW) == {one.name for one in fields(Entry)}


def test_what_was_made_quickly_does_not_change_afterwards() -> None:
    every = {**FIELDS, **OWN}
    for one in (made(*FIELDS.values()), entry_made(*(every[name] for name in ROW))):
        with pytest.raises(FrozenInstanceError):
            one.kind = "refused"  # type: ignore[misc]
        assert replace(one, kind="refused").kind == "refused"
        assert one.kind == "granted"
