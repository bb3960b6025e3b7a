"""The work of the commit statement grows with the batch, never with the tables or its square."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from zhengwu.ledger import commit
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("db")
KIND = ledger.register(ledger.StreamKind("probe", frozenset({"opened", "moved"})))
STREAMS = 200_000  # enough that reading all of it is never the better plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def test_no_part_of_the_statement_looks_at_more_than_the_batch(
    owner: psycopg.Connection[tuple[object, ...]],
) -> None:
    owner.execute(
        "INSERT INTO ledger_head SELECT gen_random_uuid(), 'probe', 1 FROM generate_series(1, %s)",
        (STREAMS,),
    )
    owner.execute(
        "INSERT INTO ledger_event (id, stream, stream_id, version, kind, nature, occurred,"
        " recorded, received, source, key, body) SELECT gen_random_uuid(), 'probe', id, 1,"
        " 'opened', 'act', now(), now(), now(), 'test', id::text, '{}' FROM ledger_head"
    )
    owner.execute("VACUUM ANALYZE ledger_head, ledger_event")
    for count in (1, 50, 1000):
        found = owner.execute("SELECT id FROM ledger_head LIMIT %s", (count,)).fetchall()
        for mode in ("force_custom_plan", "force_generic_plan"):
            for where, looked in looks([uuid.UUID(str(i)) for (i,) in found], mode):
                assert looked <= 4 * count + 20, (count, mode, where)


def looks(streams: list[uuid.UUID], mode: str) -> Iterator[tuple[str, float]]:
    """Every part of the executed plan and how many rows it looked at."""
    number = ledger.Number(series_agency="a", series_kind="n", year=2026, prefix="第")
    rows = [
        ledger.Row(
            stream,
            1,
            ledger.NewEvent(
                kind="moved", occurred=datetime.now(UTC), source="test", key=f"k-{stream}"
            ),
            number=number,
        )
        for stream in streams
    ]
    text, parameters = commit.compose(KIND, rows, commit._groups(KIND, rows))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL plan_cache_mode = {mode}")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + text, parameters)
        answer = cursor.fetchone()[0]
        transaction.set_rollback(True)
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    for node in nodes(plan):
        looked = node["Actual Loops"] * (
            node["Actual Rows"]
            + node.get("Rows Removed by Filter", 0)
            + node.get("Rows Removed by Join Filter", 0)
        )
        yield f"{node['Node Type']} {node.get('Relation Name', '')} {looked}", looked
