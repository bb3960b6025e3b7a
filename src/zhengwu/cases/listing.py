"""Cases one after another for other systems (办件清单): by the time they were opened, newest first.

By keyset: a page begins behind the last row of the one before, so that none is skipped or shown
twice however many come in meanwhile, and the thousandth page costs what the first does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.cases import loading

COLUMNS = (
    "c.number, c.version, c.source, c.foreign_id, c.kind, c.item, c.item_version, c.item_name,"
    " c.agency, c.region, c.hall, c.state, c.suspended, c.outcome, c.step, c.holder_kind,"
    " c.holder_agency, c.opened, c.accepted, c.decided, c.closed, c.due, c.provisional, c.id"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One case's head; nothing of the applicant."""

    number: str
    version: int
    source: str
    foreign_id: str | None
    kind: str
    item: str | None
    item_version: int | None
    item_name: str
    agency: str
    region: str
    hall: str | None
    state: str
    suspended: bool
    outcome: str | None
    step: str | None
    holder_kind: str
    holder_agency: str | None
    opened: datetime
    accepted: datetime | None
    decided: datetime | None
    closed: datetime | None
    due: datetime | None
    provisional: bool
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to list. opened from (included) to (excluded); empty: not asked."""

    state: str = ""
    item: str = ""
    agency: str = ""
    since: datetime | None = None
    until: datetime | None = None
    open: bool | None = None


def rows(
    actor: Actor, question: Question, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Row]:
    """At most `limit` cases that this actor may see, behind `after` (its opening and its id)."""
    conditions, parameters = condition(actor, question)
    if after is not None:
        conditions.append("(c.opened, c.id) < (%(after)s, %(last)s)")
        parameters |= {"after": after[0], "last": after[1]}
    where = " AND ".join(conditions) or "true"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM cases_case c WHERE {where}"  # noqa: S608 - fragments of ours
            " ORDER BY c.opened DESC, c.id DESC LIMIT %(limit)s",
            {**parameters, "limit": limit},
        )
        return [Row(*columns) for columns in cursor.fetchall()]


def condition(actor: Actor, question: Question) -> tuple[list[str], dict[str, Any]]:
    """What this actor may see of what was asked, as SQL on alias `c`, with its parameters."""
    conditions, parameters = _reached(accounts.reach(actor, "case.see"))
    for sql, name, value in (
        ("c.state = %(state)s", "state", question.state),
        ("c.item = %(item)s", "item", question.item),
        ("c.agency = %(agency)s", "agency", question.agency),
        ("c.opened >= %(since)s", "since", question.since),
        ("c.opened < %(until)s", "until", question.until),
    ):
        if value:
            conditions.append(sql)
            parameters[name] = value
    if question.open is not None:
        conditions.append(f"c.closed IS {'' if question.open else 'NOT '}NULL")
    return conditions, parameters


def one(id: UUID) -> Row | None:
    """The head of a case. That the actor may see it was asked before."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM cases_case c WHERE c.id = %s", [id])  # noqa: S608
        columns = cursor.fetchone()
    return Row(*columns) if columns else None


def _reached(reach: Reach) -> tuple[list[str], dict[str, Any]]:
    """The one filter; of a system that sees one agency, in the form that its index serves."""
    if not reach.everything and not reach.halls and not reach.streams and len(reach.agencies) == 1:
        return ["c.agency = %(reach_agency)s"], {"reach_agency": next(iter(reach.agencies))}
    allowed, parameters = loading.within(reach)
    return ([] if reach.everything else [allowed]), dict(parameters)


def these(actor: Actor, cases: Sequence[UUID]) -> dict[UUID, Row]:
    """The heads of these cases, of those that this actor may see."""
    if not cases:
        return {}
    conditions, parameters = condition(actor, Question())
    where = " AND ".join(["c.id = ANY(%(cases)s::uuid[])", *conditions])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM cases_case c WHERE {where}",  # noqa: S608 - fragments of ours
            {**parameters, "cases": list(cases)},
        )
        return {columns[-1]: Row(*columns) for columns in cursor.fetchall()}
