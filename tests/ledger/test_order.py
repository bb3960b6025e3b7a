"""The order within a stream holds whatever the batches are (property)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhengwu.ledger import queries
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("db")
ledger.register(ledger.StreamKind("probe", frozenset({"opened", "moved"})))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 1)), min_size=1, max_size=8),
        max_size=6,
    )
)
def test_any_batches_leave_every_stream_whole(batches: list[list[tuple[int, int]]]) -> None:
    streams = [ledger.uuid7() for _ in range(4)]
    versions = dict.fromkeys(streams, 0)
    for batch in batches:
        rows = [
            ledger.Row(
                streams[which],
                max(0, versions[streams[which]] + off),
                ledger.NewEvent(
                    kind="moved", occurred=datetime.now(UTC), source="test", key=str(uuid.uuid4())
                ),
            )
            for which, off in batch
        ]
        outcomes = ledger.append("probe", rows)
        for stream in streams:
            mine = [o for r, o in zip(rows, outcomes, strict=True) if r.stream_id == stream]
            moved = [o.version for o in mine if o.status is ledger.Status.MOVED]
            assert len(moved) in (0, len(mine)), "together or not at all"
            assert moved == list(range(versions[stream] + 1, versions[stream] + 1 + len(moved)))
            versions[stream] += len(moved)
    ledger.catch_up()
    for stream in streams:
        events = queries.stream_events("probe", stream)
        assert [e.version for e in events] == list(range(1, versions[stream] + 1))
        positions = [e.position or 0 for e in events]
        assert positions == sorted(positions)
        assert 0 not in positions
