"""The kinds of documents (文书种类): what each is called and which template prints it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind has a number series of licences and one of all else (see `series`)."""

    RECEIPT = "receipt"
    ACCEPTANCE_NOTICE = "acceptance_notice"
    SUPPLEMENT_NOTICE = "supplement_notice"
    NOT_NEEDED_NOTICE = "not_needed_notice"
    NOT_OURS_DECISION = "not_ours_decision"
    SPECIAL_NOTICE = "special_notice"
    EXTENSION_NOTICE = "extension_notice"
    FORWARDING_LETTER = "forwarding_letter"
    DECISION = "decision"
    DELIVERY_RECORD = "delivery_record"
    WITHDRAWAL = "withdrawal"
    TERMINATION = "termination"
    REVOCATION = "revocation"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class KindRow:
    """name: the title in general. word: its word in numbers (江水许受字). template: newest."""

    kind: Kind
    name: str
    word: str
    template: str


NOTICE = "paper@1"
FORM = "record@1"
KINDS = {
    row.kind: row
    for row in (
        KindRow(Kind.RECEIPT, "收件回执", "收", NOTICE),
        KindRow(Kind.ACCEPTANCE_NOTICE, "受理通知书", "受", NOTICE),
        KindRow(Kind.SUPPLEMENT_NOTICE, "补正告知书", "补", NOTICE),
        KindRow(Kind.NOT_NEEDED_NOTICE, "不需许可告知书", "不需", NOTICE),
        KindRow(Kind.NOT_OURS_DECISION, "不予受理决定书", "不受", NOTICE),
        KindRow(Kind.SPECIAL_NOTICE, "特别程序告知书", "特", NOTICE),
        KindRow(Kind.EXTENSION_NOTICE, "延期告知书", "延", NOTICE),
        KindRow(Kind.FORWARDING_LETTER, "转报函", "转", NOTICE),
        KindRow(Kind.DECISION, "行政许可决定书", "决", NOTICE),
        KindRow(Kind.DELIVERY_RECORD, "送达回证", "送", FORM),
        KindRow(Kind.WITHDRAWAL, "撤回申请确认书", "撤", NOTICE),
        KindRow(Kind.TERMINATION, "终止办理通知书", "终", NOTICE),
        KindRow(Kind.REVOCATION, "撤销、注销、撤回行政许可决定书", "销", NOTICE),
        KindRow(Kind.CORRECTION, "更正件", "更", NOTICE),
    )
}
LICENCE = "行政许可"
"""The type of item to which the 行政许可法 applies; other types are not called 许可."""
ENDS = {"revoked": "撤销", "cancelled": "注销", "taken_back": "撤回"}
"""The three ways a decision that was given ends: art. 69, 70 and 8 of the 行政许可法."""


def series(kind: Kind, *, item_type: str) -> str:
    """What counts a kind's numbers: one series for each word that is printed before them."""
    return str(kind) if item_type == LICENCE else f"{kind}.other"


def prefix(kind: Kind, *, short: str, year: int, item_type: str) -> str:
    """What stands before the number: 江水许受字〔2026〕第."""
    licence = "许" if item_type == LICENCE else ""
    return f"{short}{licence}{KINDS[kind].word}字〔{year}〕第"


def title(kind: Kind, *, item_type: str = LICENCE, outcome: str | None = None) -> str:
    """The title on paper: 受理通知书, 准予行政许可决定书, 不予行政确认决定书, 注销行政许可决定书.

    outcome: granted|refused of a decision; revoked|cancelled|taken_back of a revocation.
    """
    matter = {"其他行政权力": "办理", "公共服务": "办理"}.get(item_type, item_type)
    if kind is Kind.DECISION:
        return f"{'准予' if outcome == 'granted' else '不予'}{matter}决定书"
    if kind is Kind.REVOCATION:
        return f"{ENDS[outcome or 'revoked']}{matter}决定书"
    if kind is Kind.NOT_NEEDED_NOTICE and item_type != LICENCE:
        return "不需办理告知书"
    return KINDS[kind].name
