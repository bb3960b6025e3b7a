"""What the case page says of supervision (办件页上的监察): one question, none for whoever sees nothing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from zhengwu.accounts.queries import Actor
from zhengwu.domain.rulebook import LEVELS_ZH, Level
from zhengwu.supervision.sight import ACT, ANSWER, SEE, Sight

SHOWN = 4  # findings named; the rest are a number


@dataclass(frozen=True, slots=True)
class Named:
    """A finding of the case as its page names it."""

    id: UUID
    rule_name: str
    level: str
    level_zh: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """The findings of a case that an actor may see, the gravest first. more: those not named."""

    named: tuple[Named, ...]
    more: int
    lists: bool  # whether the actor has the list of findings
    acts: bool  # whether the actor may issue a card, open an order


def of_case(actor: Actor, case: UUID) -> Beside | None:
    """What to say beside a case; None: nothing, to whoever may see no finding."""
    if not (actor.may(SEE) or actor.may(ANSWER)):
        return None
    condition, parameters = Sight.of(actor).findings()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.id, f.rule_name, f.level, f.counts, count(*) OVER () FROM supervision_finding f"  # noqa: S608 - fragments of ours
            f' WHERE f."case" = %(case)s AND {condition} ORDER BY f.counts DESC,'
            " array_position(ARRAY['red', 'yellow', 'warning', 'hint'], f.level::text), f.at DESC"
            f" LIMIT {SHOWN}",
            {**parameters, "case": case},
        )
        rows = cursor.fetchall()
    acts = actor.may(ACT)
    if not rows and not acts:
        return None
    return Beside(
        named=tuple(
            Named(id, name, level, LEVELS_ZH[Level(level)], counts)
            for id, name, level, counts, _ in rows
        ),
        more=rows[0][4] - len(rows) if rows else 0,
        lists=actor.may(SEE),
        acts=acts,
    )


__all__ = ["Beside", "of_case"]
