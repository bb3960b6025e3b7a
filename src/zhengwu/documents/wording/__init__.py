"""The frozen data of documents (文书数据): plain facts in, exactly what the paper will say out."""

from __future__ import annotations

from zhengwu.documents.wording.correcting import correction, form_of
from zhengwu.documents.wording.deciding import (
    decision,
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
    acceptance_notice,
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
    "form_of",
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
