"""What the case page says of supervision (办件页上的监察), asked with the case; nothing for whoever sees
nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

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


def asked(actor: Actor) -> tuple[str, dict[str, Any]] | None:
    """What to ask beside a case, on alias `c`, and its parameters; read the value with `said`. None:
    nothing, of whoever may see no finding."""
    if not (actor.may(SEE) or actor.may(ANSWER)):
        return None
    condition, parameters = Sight.of(actor).findings()
    return (
        "(SELECT json_agg(json_build_array(f.id, f.rule_name, f.level, f.counts, f.among))::text FROM"  # noqa: S608 - fragments of ours
        " (SELECT f.id, f.rule_name, f.level, f.counts, count(*) OVER () AS among"
        f' FROM supervision_finding f WHERE f."case" = c.id AND {condition} ORDER BY f.counts DESC,'
        " array_position(ARRAY['red', 'yellow', 'warning', 'hint'], f.level::text), f.at DESC"
        f" LIMIT {SHOWN}) f)",
        parameters,
    )


def said(actor: Actor, value: str | None) -> Beside | None:
    """What to say beside a case; None: nothing."""
    rows = orjson.loads(value) if value else ()
    acts = actor.may(ACT)
    if not rows and not acts:
        return None
    return Beside(
        named=tuple(
            Named(UUID(id), name, level, LEVELS_ZH[Level(level)], counts)
            for id, name, level, counts, _ in rows
        ),
        more=rows[0][4] - len(rows) if rows else 0,
        lists=actor.may(SEE),
        acts=acts,
    )


__all__ = ["Beside", "asked", "said"]
