"""Alarms of the clock (预警、超期): raised once, at the lawful instant, however late it is noticed.

Every alarm is an event in a stream of its own, whose id is made of the case, the limit, the level
and the due: a second worker, a killed one or a clock set back opens it a second time in vain. The
column `next_at` only says where to look; docs/algorithms/clock.md.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

import orjson
from django.db import connection, transaction

from zhengwu.cases import heads, running
from zhengwu.cases.events import ALARMS
from zhengwu.cases.running import Running
from zhengwu.domain import clock
from zhengwu.domain.clock import NAMES, Alarm
from zhengwu.ledger import services as ledger

PAGE = 100  # cases a transaction: opening many streams at once is the dear part
BUDGET = 2.0  # seconds of one sweep; other timed work waits behind it
LEVELS_ZH = {"near": "临近到期", "over": "超期"}
log = logging.getLogger(__name__)


class Raised(NamedTuple):
    """An alarm that was raised. occurred: the lawful instant; noticed: when it stood in the log."""

    limit: str
    level: str  # near | over
    due: datetime
    occurred: datetime
    noticed: datetime

    @property
    def name(self) -> str:
        return NAMES.get(self.limit, self.limit)

    @property
    def level_zh(self) -> str:
        return LEVELS_ZH[self.level]


def of_case(case: UUID) -> tuple[Raised, ...]:
    """The alarms of a case that its reader may see, in the order of their lawful instants."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {of_case_sql('%s::uuid')}", [case])
        return raised(cursor.fetchone()[0])


def of_case_sql(case: str) -> str:
    """A scalar subquery giving the alarms of a case (SQL of its id), for the SELECT of its page;
    read the value with `raised`. One whose due moved later stays: it was raised by what was known
    then.
    """
    return (
        '(SELECT json_agg(json_build_array(a."limit", a.level, a.due, a.occurred, e.received)'  # noqa: S608
        " ORDER BY a.occurred, a.due, a.level)::text FROM cases_alarm a"
        f" JOIN ledger_event e ON e.stream = '{ALARMS}' AND e.stream_id = a.id AND e.version = 1"
        f' WHERE a."case" = {case})'
    )


def raised(value: str | None) -> tuple[Raised, ...]:
    """The alarms of an `of_case_sql` value, in the order of their lawful instants."""
    moment = datetime.fromisoformat
    return tuple(
        Raised(limit, level, moment(due), moment(occurred), moment(noticed))
        for limit, level, due, occurred, noticed in (orjson.loads(value) if value else ())
    )


def sweep(at: datetime, *, page: int = PAGE, budget: float = BUDGET) -> int:
    """Raise every alarm whose instant has come; how many cases were settled. Idempotent.

    Stops after `budget` seconds; what is left comes with the next sweep.
    """
    until = time.monotonic() + budget
    settled = 0
    last: tuple[datetime, UUID] | None = None
    while cases := running.called(at, after=last, limit=page):
        settled += _settle(cases, at)
        end = cases[-1]
        assert end.next_at is not None
        last = end.next_at, end.id  # one that cannot be read does not hold up those after it
        if len(cases) < page or time.monotonic() > until:
            break
    return settled


def identifier(case: UUID, alarm: Alarm) -> UUID:
    """The stream of an alarm: the same for the same limit, level and due of a case."""
    return uuid5(case, f"{alarm.limit}/{alarm.level}/{alarm.due.astimezone(UTC).isoformat()}")


def _settle(cases: Sequence[Running], at: datetime) -> int:
    """Raise what is due for these cases and note when the clock calls again. One transaction."""
    edition = running.editions()
    came: dict[UUID, list[Alarm]] = {}
    heads_after = []
    for case in cases:
        try:
            place = edition(case.region, case.hall)
            reading = case.read(at, place)
            later = [one for one in heads.instants(reading) if one > at]
            came[case.id] = list(clock.alarms(case.events, at=case.seen_from(at), edition=place))
            came[case.id] = [one for one in came[case.id] if one.at <= at]
        except Exception:
            log.exception("the clock of case %s cannot be read", case.number)
            continue
        columns = heads.ClockColumns(
            case.due, case.warn, case.provisional, min(later, default=None)
        )
        heads_after.append((case.id, case.version, columns))
    with transaction.atomic():
        # Only those that nobody moved meanwhile: the others have a new next_at by that.
        held = heads.rewrite(heads_after)
        rows = [_row(case, one) for case in cases if case.id in held for one in came[case.id]]
        known = _known([row.stream_id for row in rows])
        with connection.cursor() as cursor:
            # Many new streams at once: for each of them the planner would read the whole log, as
            # it takes a hundred events for one.
            cursor.execute(
                "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
                " SET LOCAL enable_seqscan = off"
            )
        ledger.append(ALARMS, [row for row in rows if row.stream_id not in known])
    return len(held)


def _known(ids: Sequence[UUID]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM cases_alarm WHERE id = ANY(%s::uuid[])", [list(ids)])
        return {row[0] for row in cursor.fetchall()}


def _row(case: Running, alarm: Alarm) -> ledger.Row:
    stream = identifier(case.id, alarm)
    due = heads.iso(alarm.due)
    return ledger.Row(
        stream_id=stream,
        expected=0,
        event=ledger.NewEvent(
            kind=alarm.level,
            occurred=alarm.at,
            agency=case.agency,
            region=case.region,
            source="clock",
            key=f"alarm/{stream}",
            body={"case": str(case.id), "limit": alarm.limit, "due": due},
        ),
        head={
            "case": str(case.id),
            "limit": alarm.limit,
            "level": alarm.level,
            "due": due,
            "occurred": heads.iso(alarm.at),
            "agency": case.agency,
        },
    )
