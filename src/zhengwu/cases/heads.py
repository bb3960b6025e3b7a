"""The head of a case's stream: its numbers, and its derived columns from the one function."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from zhengwu.domain import clock, lifecycle

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


def derived(standing: lifecycle.Standing, *, reading: clock.Reading | None) -> dict[str, Any]:
    """The derived columns of the head. Rebuilding a head is calling this with the whole story."""
    holder = standing.holder
    pressing = reading.due if reading else None
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
        "due": pressing.due if pressing else None,
        "warn": pressing.warn if pressing else None,
        "provisional": bool(pressing and pressing.provisional),
        "decided": standing.decided_at,
        "closed": standing.closed_at,
        "archived": standing.archived_at,
    }


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
