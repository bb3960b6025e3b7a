"""The frozen data of documents (文书数据): plain facts in, exactly what the paper will say out."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from zhengwu.documents import remedies
from zhengwu.documents.kinds import LICENCE, Kind, title
from zhengwu.domain.refusal import Refusal

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONGEST = 20_000
UNITS = {
    "working_day": "个工作日",
    "day": "日",
    "calendar_day": "日",
    "natural_day": "日",
    "month": "个月",
    "year": "年",
}


def day_words(day: date | datetime) -> str:
    """2026 年 9 月 21 日, in Shanghai."""
    if isinstance(day, datetime):
        day = day.astimezone(SHANGHAI).date()
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def clean(text: str, *, field: str) -> str:
    """The text, in NFC, lines kept; a control character is refused (it would print as nothing)."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if len(text) > LONGEST:
        raise Refusal("documents.too_long", f"内容过长，最多 {LONGEST} 个字。", field=field)
    for char in text:
        if char != "\n" and unicodedata.category(char) in ("Cc", "Cs", "Cn"):
            raise Refusal(
                "documents.control_character",
                f"内容里有不能打印的字符（U+{ord(char):04X}），请删去后再试。",
                field=field,
            )
    return text


def limit_words(limit: Mapping[str, Any] | None) -> str:
    """{unit, value} in words: 20 个工作日; 当场办结 for zero; 未规定 for None."""
    if limit is None:
        return "法律未规定"
    if limit["value"] == 0:
        return "当场办结"
    return f"{limit['value']} {UNITS[limit['unit']]}"


def _applicant(applicant: Mapping[str, Any]) -> dict[str, Any]:
    """{kind: person|organisation, name, id_label?, id_number?, agent?} cleaned."""
    given = {
        key: clean(str(applicant.get(key) or ""), field=key)
        for key in ("kind", "name", "id_label", "id_number", "agent")
    }
    if given["kind"] not in ("person", "organisation"):
        raise Refusal("documents.applicant_kind", "请选择申请人是个人还是单位。", field="kind")
    if not given["name"]:
        raise Refusal("documents.applicant_name", "请填写申请人名称。", field="name")
    return given


def _introduction(applicant: Mapping[str, Any]) -> str:
    parts = []
    if applicant["id_number"]:
        parts.append(f"{applicant['id_label'] or '证件号码'}：{applicant['id_number']}")
    if applicant["agent"]:
        parts.append(f"经办人：{applicant['agent']}")
    you = "你单位" if applicant["kind"] == "organisation" else "你"
    return you + (f"（{'，'.join(parts)}）" if parts else "")


def _frame(
    kind: Kind,
    *,
    agency_name: str,
    case: str,
    item: str,
    item_code: str,
    item_type: str,
    applicant: Mapping[str, Any],
    issued: datetime,
    outcome: str | None,
) -> dict[str, Any]:
    return {
        "kind": str(kind),
        "title": title(kind, item_type=item_type, outcome=outcome),
        "agency_name": clean(agency_name, field="agency_name"),
        "case": clean(case, field="case"),
        "item": clean(item, field="item"),
        "item_code": clean(item_code, field="item_code"),
        "item_type": item_type,
        "outcome": outcome,
        "applicant": _applicant(applicant),
        "issued": issued.astimezone(SHANGHAI).date().isoformat(),
        "issued_words": day_words(issued),
    }


def acceptance_notice(
    *,
    agency_name: str,
    case: str,
    item: str,
    item_code: str,
    item_type: str,
    basis: str,
    applicant: Mapping[str, Any],
    applied: datetime,
    issued: datetime,
    promised: Mapping[str, Any] | None,
    statutory: Mapping[str, Any] | None,
    due: date | None = None,
    materials: Sequence[Mapping[str, Any]] = (),
    place: str = "",
    clerk: str = "",
    phone: str = "",
    complaints: str = "",
    deemed: bool = False,
) -> dict[str, Any]:
    """Frozen data of a 受理通知书. deemed: the organ was silent, art. 32(4) accepts for it.

    applicant {kind: person|organisation, name, id_label?, id_number?, agent?}; limits {unit,
    value} or None; materials [{name, form?, copies?}]; due: the promised day, if already counted.
    """
    data = _frame(
        Kind.ACCEPTANCE_NOTICE,
        agency_name=agency_name,
        case=case,
        item=item,
        item_code=item_code,
        item_type=item_type,
        applicant=applicant,
        issued=issued,
        outcome=None,
    )
    law = (
        "依据《中华人民共和国行政许可法》第三十二条第一款第（五）项的规定"
        if item_type == LICENCE
        else f"依据{clean(basis, field='basis')}"
        if basis
        else ""
    )
    form = "经审查，申请材料齐全，符合法定形式。" + (law + "，" if law else "") + "现予受理。"
    if deemed:
        form = (
            "本机关没有在五个工作日内告知需要补正的内容。依据《中华人民共和国行政许可法》"
            "第三十二条第一款第（四）项的规定，自收到申请材料之日起即为受理。"
        )
    until = f"（{day_words(due)}前）" if due else ""
    promise = (
        "本机关当场办结。"
        if promised is not None and promised["value"] == 0
        else f"本机关承诺自受理之日起 {limit_words(promised)}{until}作出决定"
        if promised is not None
        else "本机关将依法在法定期限内作出决定"
    )
    if not promise.endswith("。"):
        promise += f"（法定时限：{limit_words(statutory)}）。"
        if item_type == LICENCE:
            # 行政许可法 45: only these are not counted, and never a visit to the site.
            promise += (
                "依法需要听证、招标、拍卖、检验、检测、检疫、鉴定和专家评审的，"
                "所需时间不计算在上述期限内，另行书面告知。"
            )
    contact = [
        f"{label}：{clean(text, field=field)}"
        for label, field, text in (
            ("办理地点", "place", place),
            ("经办人", "clerk", clerk),
            ("咨询电话", "phone", phone),
            ("监督电话", "complaints", complaints),
        )
        if text
    ]
    return data | {
        "paragraphs": [
            f"{_introduction(data['applicant'])}于 {day_words(applied)} 提出的“{data['item']}”申请"
            f"（办件编号 {data['case']}），{form}",
            promise,
        ],
        "materials": [
            {
                "name": clean(str(row["name"]), field="materials"),
                "form": clean(str(row.get("form") or "原件"), field="materials"),
                "copies": int(row.get("copies") or 1),
            }
            for row in materials
        ],
        "contact": "；".join(contact) + "。" if contact else "",
    }


def decision(
    *,
    agency_name: str,
    case: str,
    item: str,
    item_code: str,
    item_type: str,
    basis: str,
    applicant: Mapping[str, Any],
    accepted: datetime,
    issued: datetime,
    outcome: str,
    reasons: str = "",
    organ: str = "本级人民政府",
    court: str = "人民法院",
) -> dict[str, Any]:
    """Frozen data of a 准予 or 不予 decision; outcome: granted|refused; organ: 复议机关.

    Refuses a refusal without reasons (行政许可法 38).
    """
    if outcome not in ("granted", "refused"):
        raise Refusal("documents.outcome", "决定只能是准予或者不予。", field="outcome")
    reasons = clean(reasons, field="reasons")
    if outcome == "refused" and not reasons:
        raise Refusal(
            "documents.reasons_missing",
            "不予许可的决定必须说明理由。",
            article="行政许可法 第三十八条",
            field="reasons",
        )
    data = _frame(
        Kind.DECISION,
        agency_name=agency_name,
        case=case,
        item=item,
        item_code=item_code,
        item_type=item_type,
        applicant=applicant,
        issued=issued,
        outcome=outcome,
    )
    # 行政许可法 38: the first paragraph of it grants, the second refuses.
    paragraph = "一" if outcome == "granted" else "二"
    laws = [clean(basis, field="basis")] if basis else []
    if item_type == LICENCE:
        laws.append(f"《中华人民共和国行政许可法》第三十八条第{paragraph}款")
    word = "准予" if outcome == "granted" else "不予"
    matter = "许可" if item_type == LICENCE else "办理"
    by_law = f"依据{'、'.join(laws)}的规定，" if laws else ""
    accepted_part = (
        f"{_introduction(data['applicant'])}提出的“{data['item']}”申请（办件编号 {data['case']}），"
        f"本机关于 {day_words(accepted)} 受理。"
    )
    if outcome == "granted":
        paragraphs = [
            f"{accepted_part}经审查，你的申请符合法定条件、标准。{by_law}本机关决定{word}{matter}。"
            if data["applicant"]["kind"] == "person"
            else f"{accepted_part}经审查，你单位的申请符合法定条件、标准。"
            f"{by_law}本机关决定{word}{matter}。"
        ]
        if reasons:
            paragraphs.append(f"说明：{reasons}")
    else:
        paragraphs = [
            f"{accepted_part}经审查，{by_law}本机关决定{word}{matter}。",
            f"理由：{reasons}",
        ]
    day = issued.astimezone(SHANGHAI).date()
    if remedy := remedies.sentence(day, organ=organ, court=court):
        paragraphs.append(remedy)
    return data | {"paragraphs": paragraphs, "contact": ""}
