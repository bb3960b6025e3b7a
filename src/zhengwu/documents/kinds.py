"""The kinds of documents (文书种类): what each is called and which template prints it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind is also the name of its number series."""

    ACCEPTANCE_NOTICE = "acceptance_notice"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class KindRow:
    """name: the title in general. word: its word in numbers (江水许受字). template: newest."""

    kind: Kind
    name: str
    word: str
    template: str


KINDS = {
    row.kind: row
    for row in (
        KindRow(Kind.ACCEPTANCE_NOTICE, "受理通知书", "受", "acceptance_notice@1"),
        KindRow(Kind.DECISION, "行政许可决定书", "决", "decision@1"),
    )
}
LICENCE = "行政许可"
"""The type of item to which the 行政许可法 applies; other types are not called 许可."""


def prefix(kind: Kind, *, short: str, year: int, item_type: str) -> str:
    """What stands before the number: 江水许受字〔2026〕第."""
    licence = "许" if item_type == LICENCE else ""
    return f"{short}{licence}{KINDS[kind].word}字〔{year}〕第"


def title(kind: Kind, *, item_type: str = LICENCE, outcome: str | None = None) -> str:
    """The title on paper: 受理通知书, 准予行政许可决定书, 不予行政确认决定书."""
    if kind is not Kind.DECISION:
        return KINDS[kind].name
    matter = {"其他行政权力": "办理", "公共服务": "办理"}.get(item_type, item_type)
    return f"{'准予' if outcome == 'granted' else '不予'}{matter}决定书"
