"""Cases in one line each for whoever comes from a number (办件一行): no applicant, no personal data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.cases import loading, wording


@dataclass(frozen=True, slots=True)
class Brief:
    """number: ours. agency: its code. due: of the next or the last limit; closed: when it ended."""

    number: str
    item_name: str
    agency: str
    source: str
    state_zh: str
    opened: datetime
    due: datetime | None
    closed: datetime | None


def briefs(actor: Actor, ids: Collection[UUID]) -> dict[UUID, Brief]:
    """Of these cases those that this actor may see, by id; one query."""
    return within(accounts.reach(actor, "case.see"), ids)


def within(reach: Reach, ids: Collection[UUID]) -> dict[UUID, Brief]:
    """Of these cases those within reach."""
    if not ids:
        return {}
    allowed, parameters = loading.within(reach)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, c.number, c.item_name, c.agency, c.source, c.state, c.outcome,"  # noqa: S608
            " c.suspended, c.opened, c.due, c.closed FROM cases_case c"
            f" WHERE c.id = ANY(%(ids)s::uuid[]) AND {allowed}",
            {"ids": list(ids), **parameters},
        )
        return {
            row[0]: Brief(
                row[1], row[2], row[3], wording.source(row[4]),
                wording.state(row[5], row[6], row[7]), row[8], row[9], row[10],
            )
            for row in cursor.fetchall()
        }  # fmt: skip


__all__ = ["Brief", "briefs", "within"]
