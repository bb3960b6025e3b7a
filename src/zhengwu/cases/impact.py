"""What a new version of an item leaves as it is (影响范围): running cases, and what is being typed.

A case keeps the version under which it was received; a registration that has begun is judged by
whatever is in force when it is submitted. Reads for whoever publishes: no applicant is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.cases import wording
from zhengwu.catalog import queries as catalog

COUNTED = 10_000  # counting stops here
ROWS = 50

# The organs of the item's versions lead to the open cases of few.
_RUNNING = (
    "FROM cases_case c WHERE c.closed IS NULL AND c.agency = ANY(%(agencies)s::text[])"
    " AND c.item = %(item)s AND c.kind <> 'foreign'"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A running case by the version that it keeps. late: its end has passed."""

    number: str
    state: str
    state_zh: str
    version: int
    due: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class Running:
    """The running cases of an item (在办件). total: up to COUNTED, then `many`: there are more.

    by_version: of those counted, the newest version first. rows: the first of them, by time left.
    """

    total: int
    many: bool
    by_version: Mapping[int, int]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Drafts:
    """Registrations begun and not submitted (登记草稿). by_agency: whose desks, "" where unknown."""

    total: int
    by_agency: Mapping[str, int]


def running(item: str, *, at: datetime) -> Running:
    """The running cases of an item, which keep their version whatever is published."""
    given: dict[str, Any] = {
        "item": item,
        "agencies": sorted({agency for _, _, agency in catalog.organs(item)}),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT item_version, count(*) FROM (SELECT c.item_version {_RUNNING}"  # noqa: S608
            " LIMIT %(most)s) few GROUP BY 1 ORDER BY 1 DESC",
            {**given, "most": COUNTED + 1},
        )
        counted = dict(cursor.fetchall())
        cursor.execute(
            "SELECT c.number, c.state, c.outcome, c.suspended, c.item_version, c.due"
            f" {_RUNNING} ORDER BY c.due NULLS LAST, c.id LIMIT %(most)s",
            {**given, "most": ROWS},
        )
        rows = cursor.fetchall()
    total = sum(counted.values())
    return Running(
        total=min(total, COUNTED),
        many=total > COUNTED,
        by_version=counted,
        rows=tuple(
            Row(
                number,
                state,
                wording.state(state, outcome, suspended),
                version,
                due,
                due is not None and due < at and not suspended,
            )
            for number, state, outcome, suspended, version, due in rows
        ),
    )


def drafts(item: str) -> Drafts:
    """The drafts of the registration form in which this item is chosen, by whose desk they lie on.

    The form keeps the name as it was chosen, or the code that was typed. No owner is named.
    """
    called = {item} | {name for _, name, _ in catalog.organs(item)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person, count(*) FROM cases_draft WHERE slot LIKE 'register/%%'"
            " AND fields ->> 'item' = ANY(%s::text[]) GROUP BY 1",
            [sorted(called)],
        )
        owners = cursor.fetchall()
    found: Counter[str] = Counter()
    for person, count in owners:
        found[accounts.actor(person).agency or ""] += count
    return Drafts(found.total(), dict(found.most_common()))


__all__ = ["COUNTED", "Drafts", "Row", "Running", "drafts", "running"]
