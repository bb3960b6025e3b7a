"""What is said while a case is handled (审查): 行政许可法 35, 42, 43 and 45."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from zhengwu.documents.kinds import Kind
from zhengwu.documents.wording.facts import (
    Facts,
    application,
    by_law,
    clean,
    day_words,
    frame,
    needed,
    opening,
    plain_day,
)
from zhengwu.domain.calendar import Due
from zhengwu.domain.refusal import Refusal


def _accepted(facts: Facts) -> str:
    return f"，本机关已于 {day_words(facts.accepted)} 受理" if facts.accepted else ""


def _days(days: int, *, article: str) -> int:
    if not 0 < int(days) <= 3_660:
        raise Refusal("documents.days", "请填写天数，应当大于零。", article=article, field="days")
    return int(days)


def special_notice(
    facts: Facts,
    *,
    issued: datetime,
    procedure_zh: str,
    days: int,
    until: date,
    reasons: str,
    since: datetime | None = None,
) -> dict[str, Any]:
    """Frozen data of a 特别程序告知书: the time it needs, told in writing (行政许可法 45).

    procedure_zh: 听证, 检测 …; days: working days; until: the day it should have ended;
    since: when it began, where that is not the day of the notice.
    """
    article = "行政许可法 第四十五条"
    about = opening(facts)
    procedure = needed(procedure_zh, field="procedure", what="是哪一种程序", article=article)
    reasons = needed(reasons, field="reasons", what="理由", article=article)
    days = _days(days, article=article)
    return frame(
        Kind.SPECIAL_NOTICE,
        facts,
        issued=issued,
        paragraphs=[
            f"{application(facts, about)}{_accepted(facts)}。在审查中，依法需要进行{procedure}。",
            f"进行{procedure}的理由：{reasons}",
            f"{procedure}所需时间为 {days} 个工作日，自 {day_words(since or issued)} 起，"
            f"至 {day_words(until)} 止。{by_law(facts, '第四十五条', own=False)}"
            "上述时间不计算在作出决定的期限内。"
            f"{procedure}结束后，期限继续计算；提前结束的，自结束之日起继续计算。",
        ],
        plain=[
            f"你的申请要先做一次{procedure}，大约要 {days} 个工作日，到 {plain_day(until)}。",
            f"{procedure}的这段时间不算在办理时间里，做完接着算。",
            "需要你到场或者交东西的，我们会先联系你；没有联系你，就不用做什么。",
        ],
    )


def extension_notice(
    facts: Facts,
    *,
    issued: datetime,
    days: int,
    due: date | Due | None,
    reasons: str,
    head: str,
    joint: bool = False,
) -> dict[str, Any]:
    """Frozen data of a 延期告知书: why, and the new day (行政许可法 42).

    days: working days. head: who approved it. joint: of a 统一、联合、集中办理 (art. 42, 2nd
    paragraph), where the head of the government approves.
    """
    article = "行政许可法 第四十二条"
    about = opening(facts)
    reasons = needed(reasons, field="reasons", what="延长期限的理由", article=article)
    days = _days(days, article=article)
    default = "本级人民政府负责人" if joint else "本机关负责人"
    head = clean(head, field="head")
    approved = default if not head or head == default else f"{default}（{head}）"
    law = by_law(facts, f"第四十二条第{'二' if joint else '一'}款", own=False)
    until = f"，延长后的办理期限至 {day_words(due)}" if due else ""
    return frame(
        Kind.EXTENSION_NOTICE,
        facts,
        issued=issued,
        paragraphs=[
            f"{application(facts, about)}{_accepted(facts)}，在原定期限内不能作出决定。",
            f"延长期限的理由：{reasons}",
            f"{law}经{approved}批准，办理期限延长 {days} 个工作日{until}。"
            "本机关将在延长后的期限内作出决定。",
        ],
        plain=[
            f"你的申请原定的时间里办不完，要再多用 {days} 个工作日"
            + (f"，最晚 {plain_day(due)} 会有决定。" if due else "。"),
            "原因写在上面。这样的延长只能有一次。你不用做什么，等我们的通知。",
            "过了新的日期还没有决定，可以打监督电话问，也可以请上级政府过问。",
        ],
    )


def forwarding_letter(
    facts: Facts,
    *,
    issued: datetime,
    organ: str,
    opinion: str,
    materials: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Frozen data of a 转报函 to the organ that decides: opinion and all materials (35, 43)."""
    article = "行政许可法 第三十五条"
    about = opening(facts)
    organ = needed(organ, field="organ", what="报送的上级机关", article=article)
    opinion = needed(opinion, field="opinion", what="初步审查意见", article=article)
    rows = [
        [str(n), clean(str(row["name"]), field="materials")] for n, row in enumerate(materials, 1)
    ]
    applicant = about["applicant"]
    who = applicant["name"] + (
        f"（{applicant['id_label'] or '证件号码'}：{applicant['id_number']}）"
        if applicant["id_number"]
        else ""
    )
    accepted = f"，本机关于 {day_words(facts.accepted)} 受理" if facts.accepted else ""
    return frame(
        Kind.FORWARDING_LETTER,
        facts,
        issued=issued,
        addressee=organ,
        paragraphs=[
            f"{who}于 {day_words(facts.received)} 提出“{about['item']}”申请"
            f"（办件编号 {about['case']}）{accepted}，现已审查完毕。"
            f"{by_law(facts, '第三十五条、第四十三条', own=False)}"
            "现将初步审查意见和全部申请材料直接报送，请予审查决定。",
            f"初步审查意见：{opinion}",
        ],
        table={
            "caption": "随函报送的申请材料",
            "head": ["序号", "材料名称"],
            "widths": [0, 1],
            "rows": rows,
        }
        if rows
        else None,
        plain=[
            f"我们已经审查完你的申请，现在报给{organ}作决定。",
            "材料由我们直接送去，你不用再交一遍。",
            "上级有了决定，我们会通知你。",
        ],
    )
