"""Pages of supervision's lists (分页): by keyset, narrowed by one filter, counted up to a bound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as people
from zhengwu.accounts.queries import Actor
from zhengwu.cases import listing
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.refusal import Refusal
from zhengwu.supervision.acting import no

PAGE = 50
COUNTED = 1_000  # counts stop here: “1,000 以上”


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to narrow a list by; empty: not asked. since, until: days in Shanghai, both included.

    number: of a case.
    """

    level: str = ""
    dimension: str = ""
    agency: str = ""
    person: str = ""
    rule: str = ""
    since: date | None = None
    until: date | None = None
    state: str = ""
    number: str = ""


class Where(NamedTuple):
    """Conditions that hold together, with their parameters."""

    conditions: tuple[str, ...]
    parameters: dict[str, Any]

    def also(self, condition: str, **parameters: Any) -> Where:
        return Where((*self.conditions, condition), {**self.parameters, **parameters})

    @property
    def sql(self) -> str:
        return " AND ".join(self.conditions)


def page(
    table: str, alias: str, when: str, columns: str, where: Where, *, after: str, most: int
) -> tuple[list[tuple[Any, ...]], str]:
    """Rows by (when, id), the newest first, and what the next page begins behind.

    columns end with `when` and the id.
    """
    if after:
        at, id = _cursor(after)
        where = where.also(f"({alias}.{when}, {alias}.id) < (%(after)s, %(last)s)")
        where.parameters.update(after=at, last=id)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns}, {alias}.{when}, {alias}.id FROM {table} {alias}"  # noqa: S608 - fragments of ours
            f" WHERE {where.sql} ORDER BY {alias}.{when} DESC, {alias}.id DESC LIMIT %(most)s",
            {**where.parameters, "most": most + 1},
        )
        rows = cursor.fetchall()
    more = ""
    if len(rows) > most:
        rows = rows[:most]
        more = f"{rows[-1][-2].isoformat()}~{rows[-1][-1]}"
    return rows, more


def _cursor(text: str) -> tuple[datetime, UUID]:
    at, _, id = text.partition("~")
    try:
        when, last = datetime.fromisoformat(at), UUID(id)
        if when.tzinfo is None:
            raise ValueError(at)
    except ValueError:
        raise no("cursor", "翻页的位置读不懂。请从第一页重新打开。", field="after") from None
    return when, last


def counts(table: str, alias: str, allowed: Where, folders: Mapping[str, Where]) -> dict[str, int]:
    """How many there are in each folder, each at most COUNTED; one query."""
    parts, parameters = [], dict(allowed.parameters)
    for folder in folders.values():
        held = " AND ".join((*allowed.conditions, *folder.conditions))
        parts.append(
            f"(SELECT count(*) FROM (SELECT 1 FROM {table} {alias} WHERE {held}"  # noqa: S608 - fragments of ours
            f" LIMIT {COUNTED}) few)"
        )
        parameters |= folder.parameters
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(parts), parameters)
        return dict(zip(folders, cursor.fetchone(), strict=True))


def folder_of(folders: Mapping[str, Where], name: str) -> Where:
    try:
        return folders[name]
    except KeyError:
        raise no("folder", "没有这个列表。请从左边重新选择。", field="folder") from None


def narrowed(
    where: Where, q: Filter, alias: str, *, when: str, number: str, columns: Collection[str]
) -> Where:
    """The filter's conditions. number: the column a number is compared with; columns: what the
    table has of the rest.
    """
    for name in ("level", "dimension", "agency", "person", "rule", "state"):
        value = getattr(q, name)
        if value and name in columns:
            _readable(value, name)
            where = where.also(f"{alias}.{name} = %(q_{name})s")
            where.parameters[f"q_{name}"] = value
    if q.number:
        _readable(q.number, "number")
        where = where.also(number, q_number=q.number.strip())
    if q.since:
        where = where.also(f"{alias}.{when} >= %(since)s", since=_midnight(q.since))
    if q.until:
        day = q.until if q.until == date.max else q.until + timedelta(days=1)
        where = where.also(f"{alias}.{when} < %(until)s", until=_midnight(day))
    return where


def _readable(text: str, name: str) -> None:
    if len(text) > 100 or not text.isprintable():
        raise Refusal("request.unreadable", f"参数 {name} 读不懂，或者太长。请改正。", field=name)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def visible_to(actor: Actor, cases: Iterable[UUID | None]) -> Callable[[UUID | None], bool]:
    """Which of these cases the actor may open; no query for whoever sees all."""
    reach = people.reach(actor, "case.see") if actor.may("case.see") else people.NOWHERE
    if reach.everything:
        return lambda case: case is not None
    seen = listing.these(actor, sorted({one for one in cases if one is not None}))
    return lambda case: case in seen


def either(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return "(" + " OR ".join(f"({one})" for one in parts) + ")" if parts else "false"
