"""Putting a slip right (更正): a whole new paper that names what it replaces and what changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from zhengwu.documents.kinds import Kind
from zhengwu.documents.wording.facts import clean, day_of, day_words, needed
from zhengwu.domain.refusal import Refusal

# A correction mends a slip of the pen. What was decided is changed by a new decision only.
_OUTCOME = re.compile(
    "[不未]?(?:准予|予以|受理|符合|批准|同意|许可|撤销|注销|撤回|终止|延长|补正|应当|可以|需要)"
    "|不予|不准|不得|禁止|驳回|拒绝"
)
_SHOWN = ("addressee", "item", "applicant", "contact", "paragraphs", "after", "table", "fields")
_EITHER = (*_SHOWN, "plain", "materials")


def correction(
    original: Mapping[str, Any],
    *,
    issued: datetime,
    of: str,
    title_of: str,
    changes: Sequence[tuple[str, str]],
    reasons: str,
) -> dict[str, Any]:
    """Frozen data of a 更正件: the original's words with each wrong text put right.

    original: the frozen data of the paper; of, title_of: its number and title; changes [(wrong,
    right)], in order. Refuses a text that is not in the paper, and a change of what was decided.
    """
    of = needed(of, field="of", what="被更正文书的文号")
    # The register knows the kind's name; the paper itself says 准予 or 不予.
    title_of = str(original.get("title") or "") or needed(
        title_of, field="title_of", what="被更正文书的名称"
    )
    reasons = clean(reasons, field="reasons")
    if not changes:
        raise Refusal("documents.nothing_to_correct", "请写明要更正的内容。", field="changes")
    data = _renewed(original)
    said = []
    for raw_wrong, raw_right in changes:
        wrong = needed(raw_wrong, field="wrong", what="原来写错的文字")
        right = needed(raw_right, field="right", what="正确的文字")
        if wrong == right:
            raise Refusal("documents.same_words", "更正前后的文字一样，请检查。", field="right")
        before = {key: data.get(key) for key in _SHOWN}
        if not any(wrong in text for text in _texts(before)):
            raise Refusal(
                "documents.wrong_not_found",
                f"原文书里没有“{wrong}”这段文字。请从原文书中照抄要更正的文字。",
                field="wrong",
            )
        data = {
            key: _replaced(value, wrong, right) if key in _EITHER else value
            for key, value in data.items()
        }
        after = {key: data.get(key) for key in _SHOWN}
        for old, new in zip(_texts(before), _texts(after), strict=True):
            if _OUTCOME.findall(old) != _OUTCOME.findall(new):
                raise Refusal(
                    "documents.outcome_corrected",
                    "更正只能改笔误，不能改变准予、不予、受理等处理结果。"
                    "要改变结果，请依法重新作出决定。",
                    field="right",
                )
        said.append([wrong, right])
    # Corrected once more, a paper still says what it is; only the newest slip is listed.
    title_of = title_of.removesuffix("（更正件）")
    return data | {
        "kind": str(Kind.CORRECTION),
        "title": f"{title_of}（更正件）",
        "issued": day_of(issued).isoformat(),
        "issued_words": day_words(issued),
        "corrects": {
            "kind": form_of(original),
            "number": of,
            "title": title_of,
            "issued_words": str(original.get("issued_words", "")),
            "changes": said,
            "reasons": reasons,
        },
        "plain": [
            f"这份文书改正了 {of} 里写错的字，改了什么写在最上面。",
            "处理结果没有变。请用这一份，原来那一份作废。",
            *data["plain"][-3:],
        ],
    }


def form_of(data: Mapping[str, Any]) -> str:
    """The kind a paper has the form of: its own, a correction that of what it corrects."""
    return str((data.get("corrects") or data).get("kind", ""))


def _renewed(original: Mapping[str, Any]) -> dict[str, Any]:
    """The data in the newest shape: papers of the first templates had no table of their own."""
    data = dict(original)
    applicant = data.get("applicant")
    name = str(applicant.get("name", "")) if isinstance(applicant, Mapping) else ""
    materials = data.pop("materials", None)
    if materials and not data.get("table"):
        data["table"] = {
            "caption": "收取的申请材料",
            "head": ["序号", "收取材料", "形式", "份数"],
            "widths": [0, 1, 0, 0],
            "rows": [
                [str(n), str(row["name"]), str(row["form"]), str(row["copies"])]
                for n, row in enumerate(materials, 1)
            ],
        }
    for key, empty in (("addressee", name), ("table", None), ("after", []), ("plain", [])):
        data.setdefault(key, empty)
    # The list of an earlier correction is not the paper's own text.
    plain = data["plain"]
    if data.pop("corrects", None):
        plain = plain[2:]
    data["plain"] = list(plain)
    return data


def _texts(value: Any) -> list[str]:
    """Every text in a value, in order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, Sequence):
        return [text for one in value for text in _texts(one)]
    return []


def _replaced(value: Any, wrong: str, right: str) -> Any:
    if isinstance(value, str):
        return clean(value.replace(wrong, right), field="right") if wrong in value else value
    if isinstance(value, Mapping):
        return {
            key: one
            if key in ("kind", "widths", "head", "caption")
            else _replaced(one, wrong, right)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_replaced(one, wrong, right) for one in value]
    return value
