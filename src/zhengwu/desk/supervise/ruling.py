"""What a rule of supervision says (规则怎么说), in words, as it was known when a finding was issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from zhengwu.domain.rulebook import (
    BY_MATTER,
    DIMENSIONS,
    RECEIVERS,
    SCORED,
    Rule,
    words,
)
from zhengwu.supervision import rulebooks, services


@dataclass(frozen=True, slots=True)
class Said:
    """A rule in words. sign, answer: working days, 0 where nothing is to be done.

    counts: the rule whose findings it counts, "" where it counts none.
    """

    code: str
    zh: str
    basis: str
    dimension: str
    matter: str
    what: str
    conditions: tuple[str, ...]
    receivers: str
    scored: str
    sign: int
    answer: int
    edition: int
    counts: str


def told(code: str, day: date, known: int) -> Said | None:
    """The rule in force on a day, as known at a position of the log (0: now)."""
    book = rulebooks.AsKnown().at(known or None)
    rule = book.rule(code, day)
    return _said(rule, book.number) if rule is not None else None


def _said(rule: Rule, edition: int) -> Said:
    matter = BY_MATTER[rule.matter]
    return Said(
        code=rule.code, zh=rule.zh, basis=rule.basis, dimension=DIMENSIONS[rule.dimension],
        matter=matter.zh, what=matter.what,
        conditions=tuple(words(test, matter) for test in rule.where),
        receivers="、".join(RECEIVERS[one] for one in rule.receivers),
        scored=SCORED.get(rule.scored, ""), sign=rule.sign, answer=rule.answer, edition=edition,
        counts=next((str(one.value) for one in rule.where if one.attribute == "of"), ""),
    )  # fmt: skip


def choices(day: date) -> list[tuple[str, str]]:
    """The rules in force on a day, to pick from."""
    return [(one.code, f"{one.code} {one.zh}") for one in rulebooks.now().on(day)]


def by_hand(at: datetime) -> list[tuple[str, str]]:
    """Those by which a person may issue, what a person found first."""
    rules = sorted(services.rules_by_hand(at), key=lambda one: one.matter != "hand")
    return [(one.code, f"{one.code} {one.zh}") for one in rules]


__all__ = ["Said", "by_hand", "choices", "told"]
