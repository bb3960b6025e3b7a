"""The sequencer (排序): gives committed events a gap-free position, in order within each stream."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from zhengwu.ledger.canonical import leaf
from zhengwu.ledger.events import Entry
from zhengwu.ledger.queries import COLUMNS, entry

SCAN = (
    "SELECT " + COLUMNS + ", NULL::bigint, e.xid::text::bigint FROM ledger_event e"  # noqa: S608
    " WHERE e.xid >= %s::text::xid8 AND e.xid < pg_snapshot_xmin(pg_current_snapshot())"
    " AND NOT EXISTS (SELECT 1 FROM ledger_position p WHERE p.event = e.id)"
    " ORDER BY e.xid, e.stream, e.stream_id, e.version LIMIT %s"
)


def sequence(limit: int = 2000) -> int:
    """Give positions to events below the watermark; how many. Commits by itself.

    Runs alone: a second sequencer waits for the first. limit: events looked at; one transaction's
    events beyond it wait for the next call.
    """
    if connection.in_atomic_block:
        raise RuntimeError("sequence() inside a transaction would hold back its own events")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT low_xid::text, last FROM ledger_sequencer FOR UPDATE")
        row = cursor.fetchone()
        if row is None:
            cursor.execute("INSERT INTO ledger_sequencer DEFAULT VALUES ON CONFLICT DO NOTHING")
            cursor.execute("SELECT low_xid::text, last FROM ledger_sequencer FOR UPDATE")
            row = cursor.fetchone()
        low, last = row
        # Read before the scan: what commits between the two is found by the next call.
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        watermark = cursor.fetchone()[0]
        while True:
            cursor.execute(SCAN, [low, limit])
            found = [(entry(r), r[16]) for r in cursor.fetchall()]
            placed, held = _order(cursor, found)
            if placed or len(found) < limit:
                break
            limit *= 2  # all of them held back: the predecessor stands further on
        if placed:
            cursor.execute(
                "INSERT INTO ledger_position (position, event, leaf)"
                " SELECT %s::bigint + nth, event, leaf FROM unnest(%s::uuid[], %s::bytea[])"
                " WITH ORDINALITY AS u(event, leaf, nth)",
                [last, [event.id for event in placed], [leaf(event) for event in placed]],
            )
        # The rest of a cut scan begins at its last transaction.
        reached = found[-1][1] if len(found) >= limit else watermark
        new_low = min([reached, *held])
        if placed or new_low != int(low):
            cursor.execute(
                "UPDATE ledger_sequencer SET low_xid = %s::text::xid8, last = %s",
                [str(new_low), last + len(placed)],
            )
    return len(placed)


def _order(cursor: object, found: list[tuple[Entry, int]]) -> tuple[list[Entry], list[int]]:
    """The events that get a position now, in order, and the transactions of those held back."""
    firsts: dict[tuple[str, uuid.UUID], int] = {}
    for event, _ in found:
        stream = (event.stream, event.stream_id)
        firsts[stream] = min(firsts.get(stream, event.version), event.version)
    reached = _reached(cursor, firsts)
    placed: list[Entry] = []
    waiting: dict[tuple[str, uuid.UUID, int], tuple[Entry, int]] = {}
    for event, xid in found:
        stream = (event.stream, event.stream_id)
        if event.version != reached[stream] + 1:
            waiting[(*stream, event.version)] = (event, xid)
            continue
        placed.append(event)
        reached[stream] = event.version
        while following := waiting.pop((*stream, reached[stream] + 1), None):
            placed.append(following[0])
            reached[stream] += 1
    return placed, [xid for _, xid in waiting.values()]


def _reached(
    cursor: object, firsts: dict[tuple[str, uuid.UUID], int]
) -> dict[tuple[str, uuid.UUID], int]:
    """Per stream: the version up to which it has positions, as far as it matters here."""
    reached = {stream: 0 for stream, first in firsts.items() if first == 1}
    asked = [(stream, first - 1) for stream, first in firsts.items() if first > 1]
    if asked:
        cursor.execute(  # type: ignore[attr-defined]
            "SELECT u.stream, u.stream_id, u.version FROM"
            " unnest(%s::text[], %s::uuid[], %s::integer[]) AS u(stream, stream_id, version)"
            " JOIN ledger_event e ON e.stream = u.stream AND e.stream_id = u.stream_id"
            " AND e.version = u.version JOIN ledger_position p ON p.event = e.id",
            [[s for (s, _), _ in asked], [i for (_, i), _ in asked], [v for _, v in asked]],
        )
        for stream, stream_id, version in cursor.fetchall():  # type: ignore[attr-defined]
            reached[(stream, stream_id)] = version
    return {stream: reached.get(stream, -1) for stream in firsts}


def reset_low_xid() -> None:
    """After a logical restore transaction ids mean nothing: look at every event once more."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_sequencer SET low_xid = '0'")
