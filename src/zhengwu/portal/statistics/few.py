"""Small numbers in public figures by item (小数目): nobody is told apart.

Who knows that a neighbour applied for one thing in one month must not learn here how it ended. So a
figure of an item is told only where it speaks of at least `fewest` cases: what was done, of the cases
in hand meanwhile; how it was decided, of the decided ones; how long it took and whether in time, of
the closed ones. Where one row alone would be hidden, subtraction from the sum would tell it: the
next smallest is hidden with it. Agencies, districts and the city are sums over many items, and are
told as they are. Public figures by item are of whole months and of nothing narrower, so that two
periods a day apart cannot be subtracted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from zhengwu.domain.measuring import MEASURES
from zhengwu.domain.refusal import Refusal
from zhengwu.statistics.queries import Question, Row
from zhengwu.statistics.telling import HELD, PERCENTILES, SHARES

FEW, WITHHELD = "few", "withheld"
_DECIDED = frozenset({"decided", "granted", "refused", "granted_share"})


class Group(NamedTuple):
    """The cases of which some figures speak (总体). many: how many they are, of a row."""

    name: str
    codes: frozenset[str]
    many: Callable[[Row], int]


def _groups() -> tuple[Group, ...]:
    closing = {one.code for one in MEASURES if one.when == "closing"} | {"closed", *PERCENTILES}
    closing |= {one.code for one in SHARES} - _DECIDED
    every = {one.code for one in MEASURES} | {one.code for one in HELD}
    return (
        # Whatever was in hand meanwhile is closed by the end, or open then.
        Group(
            "handled", frozenset(every - closing - _DECIDED), lambda row: row.open + row["closed"]
        ),
        Group("decided", _DECIDED, lambda row: row["decided"]),
        Group("closed", frozenset(closing), lambda row: row["closed"]),
    )


GROUPS = _groups()


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is not told of a row: code → `few` (there are fewer) or `withheld` (so that others stay
    hidden)."""

    why: Mapping[str, str]

    def __contains__(self, code: str) -> bool:
        return code in self.why


NOTHING = Hidden({})


def by_item(question: Question) -> bool:
    """Whether items are told apart, so that the rule holds."""
    return question.by == "item" or question.item is not None


def checked(question: Question) -> Question:
    """Itself. Raises Refusal for figures by item that are narrower than the public is told."""
    if not by_item(question):
        return question
    for name in ("kind", "source", "channel", "unit"):
        if getattr(question, name) is not None:
            raise Refusal(
                "statistics.narrow",
                "公开的事项统计不再按类型、来源、渠道分，免得一两件办件被认出来。请去掉这个条件。",
                field=name,
            )
    if not question.period.whole_months or question.grain in ("day", "week"):
        raise Refusal(
            "statistics.months",
            "公开的事项统计以整月为单位，免得一两件办件被认出来。请写成 2026-10 这样的月份。",
            field="from",
        )
    return question


def hidden(rows: Sequence[Row], *, fewest: int) -> tuple[Hidden, ...]:
    """For each row what is not told of it."""
    found: list[dict[str, str]] = [{} for _ in rows]
    for group in GROUPS:
        many = [group.many(row) for row in rows]
        few = [nth for nth, count in enumerate(many) if 0 < count < fewest]
        for nth in few:
            found[nth] |= dict.fromkeys(group.codes, FEW)
        others = [nth for nth, count in enumerate(many) if count >= fewest]
        if len(few) == 1 and others:
            least = min(others, key=lambda nth: (many[nth], nth))
            found[least] |= dict.fromkeys(group.codes, WITHHELD)
    return tuple(Hidden(one) if one else NOTHING for one in found)


__all__ = ["FEW", "GROUPS", "NOTHING", "WITHHELD", "Hidden", "by_item", "checked", "hidden"]
