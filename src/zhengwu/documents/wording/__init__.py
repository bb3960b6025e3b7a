"""The frozen data of documents (文书数据): plain facts in, exactly what the paper will say out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from zhengwu.documents.wording import deciding, receiving
from zhengwu.documents.wording.correcting import correction
from zhengwu.documents.wording.deciding import (
    delivery_record,
    revocation,
    termination,
    withdrawal,
)
from zhengwu.documents.wording.facts import (
    SHANGHAI,
    Facts,
    basis_words,
    clean,
    day_words,
    limit_words,
)
from zhengwu.documents.wording.handling import (
    extension_notice,
    forwarding_letter,
    special_notice,
)
from zhengwu.documents.wording.receiving import (
    MATERIAL_STATES,
    not_needed_notice,
    not_ours_decision,
    receipt,
    supplement_notice,
)

__all__ = [
    "MATERIAL_STATES",
    "SHANGHAI",
    "Facts",
    "acceptance_notice",
    "basis_words",
    "clean",
    "correction",
    "day_words",
    "decision",
    "delivery_record",
    "extension_notice",
    "forwarding_letter",
    "limit_words",
    "not_needed_notice",
    "not_ours_decision",
    "receipt",
    "revocation",
    "special_notice",
    "supplement_notice",
    "termination",
    "withdrawal",
]


# The two first papers may still be asked for with their facts one by one.
def _facts(given: dict[str, Any]) -> Facts:
    return Facts(
        agency="",
        short="",
        received=given.pop("applied", given["issued"]),
        **{
            name: given.pop(name)
            for name in [
                "agency_name",
                "case",
                "item",
                "item_code",
                "item_type",
                "basis",
                "applicant",
                "accepted",
                "place",
                "clerk",
                "phone",
                "complaints",
            ]
            if name in given
        },
    )


def acceptance_notice(
    facts: Facts | None = None,
    *,
    issued: datetime,
    promised: Mapping[str, Any] | None,
    statutory: Mapping[str, Any] | None,
    due: date | None = None,
    materials: Sequence[Mapping[str, Any]] = (),
    deemed: bool = False,
    **given: Any,
) -> dict[str, Any]:
    return receiving.acceptance_notice(
        facts or _facts({"issued": issued, **given}),
        issued=issued,
        promised=promised,
        statutory=statutory,
        due=due,
        materials=materials,
        deemed=deemed,
    )


def decision(
    facts: Facts | None = None,
    *,
    issued: datetime,
    outcome: str,
    reasons: str = "",
    organ: str = "本级人民政府",
    court: str = "人民法院",
    **given: Any,
) -> dict[str, Any]:
    return deciding.decision(
        facts or _facts({"issued": issued, **given}),
        issued=issued,
        outcome=outcome,
        reasons=reasons,
        organ=organ,
        court=court,
    )
