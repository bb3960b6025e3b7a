"""The head of a case's stream: its numbers, and its derived columns from the one function."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from zhengwu.domain import clock, lifecycle
from zhengwu.domain.reading import LimitState

SHANGHAI = ZoneInfo("Asia/Shanghai")
CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is read as something else


def query_code() -> str:
    """Query code (查询码): what the applicant shows with the number; 32^6 possibilities."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(6))


def new_numbers(count: int) -> list[int]:
    """Running numbers of cases. A sequence: no case waits for another's commit; gaps may be."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cases_number') FROM generate_series(1, %s::int)", [count])
        return [row[0] for row in cursor.fetchall()]


def case_number(opened: datetime, running: int) -> str:
    """Case number (办件编号): JC, year and month of the receipt in Shanghai, running number."""
    return f"JC{opened.astimezone(SHANGHAI):%Y%m}{running:06d}"


@dataclass(frozen=True, slots=True)
class Foreign:
    id: UUID
    version: int


def foreign(source: str, names: Sequence[str]) -> dict[str, Foreign]:
    """The cases that another system's names already have here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT foreign_id, id, version FROM cases_case "
            "WHERE source = %s::text AND foreign_id = ANY(%s::text[])",
            [source, list(names)],
        )
        return {name: Foreign(id, version) for name, id, version in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class ClockColumns:
    """The columns that the clock alone decides (时钟列): of the limit that presses, and when next.

    next_at: the first instant at which the clock has something to do, past ones too, so that what
    was not raised yet is; None where nothing runs.
    """

    due: datetime | None
    warn: datetime | None
    provisional: bool
    next_at: datetime | None


def clock_columns(reading: clock.Reading | None) -> ClockColumns:
    """As the reading says. What begins only tomorrow (papers filed after closing time) shows its
    due from the first minute, and is looked at when it begins.
    """
    if reading is None:
        return ClockColumns(None, None, False, None)
    pressing = reading.due
    if pressing is None:
        ahead = [one for one in reading.limits if one.state is LimitState.NOT_STARTED]
        pressing = min(ahead, key=lambda one: one.due, default=None)
    return ClockColumns(
        due=pressing.due if pressing else None,
        warn=pressing.warn if pressing else None,
        provisional=bool(pressing and pressing.provisional),
        next_at=min(instants(reading), default=None),
    )


def instants(reading: clock.Reading) -> list[datetime]:
    """When the clock has something to do for a case: its alarms, and the beginning of a limit."""
    found: list[datetime] = []
    if reading.ended:
        return found
    for one in reading.limits:
        if one.stopped_at is not None:
            continue
        if one.state is LimitState.NOT_STARTED:
            found.append(one.how.start.moment)
        elif one.asks:
            found += [when for _, when in one.calls()]
    return found


def derived(
    standing: lifecycle.Standing,
    *,
    reading: clock.Reading | None,
    came: datetime | None = None,
) -> dict[str, Any]:
    """The derived columns of the head. Rebuilding a head is calling this with the whole story.

    came: the first alarm that came true already; the sweep looks whether it was raised.
    """
    found = clock_columns(reading)
    later = found.next_at if standing.closed_at is None else None
    return {
        **of_standing(standing),
        "due": found.due,
        "warn": found.warn,
        "provisional": found.provisional,
        "next_at": min((one for one in (came, later) if one), default=None),
    }


def of_standing(standing: lifecycle.Standing) -> dict[str, Any]:
    """The derived columns that the clock has no part in."""
    holder = standing.holder
    return {
        "state": str(standing.state),
        "suspended": standing.suspended,
        "step": standing.step,
        "holder_kind": str(holder.kind),
        "holder_agency": holder.agency,
        "holder_post": holder.post,
        "holder_actor": holder.actor,
        "outcome": standing.outcome,
        "accepted": standing.accepted_at,
        "decided": standing.decided_at,
        "closed": standing.closed_at,
        "archived": standing.archived_at,
    }


def rewrite(rows: Collection[tuple[UUID, int, ClockColumns]]) -> set[UUID]:
    """Write the clock's columns of cases that still stand at the version read; which ones did.

    No version changes: nothing happened to the case. In the order of ids, like every commit.
    """
    if not rows:
        return set()
    ids, versions, columns = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH input AS (SELECT * FROM unnest(%s::uuid[], %s::integer[], %s::timestamptz[],"
            " %s::timestamptz[], %s::boolean[], %s::timestamptz[])"
            " AS i(id, version, due, warn, provisional, next_at)),"
            " held AS MATERIALIZED (SELECT i.* FROM input i JOIN cases_case h ON h.id = i.id"
            " ORDER BY h.id FOR UPDATE OF h)"
            " UPDATE cases_case t SET due = l.due, warn = l.warn, provisional = l.provisional,"
            " next_at = l.next_at FROM held l"
            " WHERE t.id = l.id AND t.version = l.version RETURNING t.id",
            [
                list(ids),
                list(versions),
                [one.due for one in columns],
                [one.warn for one in columns],
                [one.provisional for one in columns],
                [one.next_at for one in columns],
            ],
        )
        return {row[0] for row in cursor.fetchall()}


def iso(moment: datetime | None) -> str:
    """An instant as text in UTC, or nothing."""
    return moment.astimezone(UTC).isoformat() if moment else ""


def receipt(case: UUID) -> tuple[str, str]:
    """Number and query code of a case, for its receipt."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, query_code FROM cases_case WHERE id = %s::uuid", [case])
        row = cursor.fetchone()
    if row is None:
        raise LookupError(str(case))
    return row[0], row[1]


ROLES_ZH = {"window": "窗口", "review": "审查", "decide": "审批", "head": "负责人"}


def role_zh(kind: str) -> str:
    return ROLES_ZH.get(kind, kind)
