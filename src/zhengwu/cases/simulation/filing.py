"""Into the log (入账): rows with times of their own, which no other way into the log allows.

Everywhere else `received` is the stamp of the database. A simulated year would then have been
received today, all of it, and every entry would be late. So these rows are copied with the time
that is played, and never into anything but a demo: `permitted` asks for ZHENGWU_DEMO and for
the made-up city, every event bears the source `simulate`, `clock` or `link:sim-…`, and every case's number lies beyond the
sequence. The positions are given in the same transaction, under the sequencer's lock; leaves and
digests are right, and a backup of the city verifies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from zhengwu.accounts import city
from zhengwu.accounts import queries as accounts
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.simulation.rows import TABLES, Batch, Entry, logged
from zhengwu.cases.simulation.telling import LINK, SOURCE
from zhengwu.domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch on its way from one process to another: the lines of each table as bytes, but those
    of the events, which whoever files makes.
    """

    lines: Mapping[str, bytes]
    entries: Sequence[Entry]
    truth: Sequence[Mapping[str, Any]]
    told: Mapping[tuple[str, str], int]
    opened: int


def packed(batch: Batch) -> Packed:
    return Packed(
        {table: _lines(rows) for table, rows in batch.rows.items()},
        batch.entries, batch.truth, dict(batch.told), batch.opened,
    )  # fmt: skip


def _lines(rows: Sequence[str]) -> bytes:
    return ("\n".join(rows) + "\n").encode()


def permitted() -> None:
    """Refuse anything but the made-up city of a demo (仅限演示). Raises Refusal."""
    if not settings.DEMO:
        raise Refusal(
            "simulate.not_a_demo",
            "模拟年度只能装入演示城市：模拟的收到时间不是数据库盖的。请设置 ZHENGWU_DEMO=1 后在演示数据库运行。",
        )
    if (accounts.CITY, city.NAME) not in accounts.regions():
        raise Refusal(
            "simulate.not_the_demo_city",
            f"模拟年度只能装入演示城市{city.NAME}。这个数据库里是另一个城市，请换一个演示数据库。",
        )


PLAYING = 7_310_227_001  # the advisory lock that is held while a year is played


@contextmanager
def playing() -> Iterator[None]:
    """Held while history is played: timed work that judges by the present leaves cases alone, whose
    log stands in the past so far.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [PLAYING])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [PLAYING])


def is_playing() -> bool:
    """Whether a year is being played into this city, by whatever process."""
    if not settings.DEMO:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND (classid::bigint << 32) + objid::bigint = %s)",
            [PLAYING],
        )
        return bool(cursor.fetchone()[0])


def begun(year: int) -> bool:
    """Whether cases of a simulated year stand here."""
    first = datetime.combine(date(year, 1, 1), datetime.min.time(), SHANGHAI)
    last = datetime.combine(date(year + 1, 1, 1), datetime.min.time(), SHANGHAI)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM cases_case WHERE opened >= %s AND opened < %s"
            " AND (source = %s OR source LIKE %s))",
            [first, last, SOURCE, f"{LINK}%"],
        )
        return bool(cursor.fetchone()[0])


def stands(batch: Packed) -> bool:
    """Whether a batch was written before: its last event is there."""
    if not batch.entries:
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_event WHERE id = %s", [batch.entries[-1][0]])
        return cursor.fetchone() is not None


class Filer:
    """Writes batches, one transaction each."""

    def __init__(self) -> None:
        self._before = "0"  # the transaction of the batch before

    def file(self, batch: Packed) -> int:
        """Copy the rows and give the positions; how many events."""
        events, placed = logged(batch.entries)
        written = {**batch.lines, "ledger_event": _lines(events)} if events else batch.lines
        with transaction.atomic(), connection.cursor() as cursor:
            # A crash of the server loses the last batches, which --resume writes again.
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute("INSERT INTO ledger_sequencer DEFAULT VALUES ON CONFLICT DO NOTHING")
            cursor.execute("SELECT last FROM ledger_sequencer FOR UPDATE")
            last = cursor.fetchone()[0]
            for table, columns in TABLES.items():
                if lines := written.get(table):
                    _copy(table, columns, lines)
            positions = "".join(
                [
                    f"{last + nth}\t{event}\t\\\\x{leaf.hex()}\n"
                    for nth, (event, leaf) in enumerate(placed, 1)
                ]
            )
            _copy("ledger_position", "position, event, leaf", positions.encode())
            # The next scan of the sequencer begins behind these rows, where nobody else wrote
            # since the batch before: it would look at every one of them in vain.
            cursor.execute(
                "UPDATE ledger_sequencer s SET last = %s, low_xid = CASE WHEN EXISTS (SELECT 1"
                " FROM ledger_event e WHERE e.xid >= s.low_xid AND e.xid < w.xid"
                " AND e.xid <> %s::text::xid8) THEN s.low_xid ELSE greatest(s.low_xid, w.xid) END"
                " FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xid) w",
                [last + len(placed), self._before],
            )
            cursor.execute("SELECT pg_current_xact_id()::text")
            self._before = cursor.fetchone()[0]
        return len(placed)


def _copy(table: str, columns: str, lines: bytes) -> None:
    connection.ensure_connection()
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
    ):
        copy.write(lines)
