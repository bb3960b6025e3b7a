"""What is said at the window (收件、受理): 行政许可法 29 and 32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from zhengwu.documents import remedies
from zhengwu.documents.kinds import Kind
from zhengwu.documents.wording.facts import (
    Facts,
    application,
    by_law,
    clean,
    day_of,
    day_words,
    frame,
    limit_words,
    needed,
    opening,
    plain_day,
)
from zhengwu.domain.calendar import Due
from zhengwu.domain.refusal import Refusal

MATERIAL_STATES = {
    "received": "已收",
    "missing": "缺",
    "faulty": "不合格",
    "held": "本市已有，不用交",
}


def _state(row: Mapping[str, Any]) -> str:
    state = str(row.get("state") or "received")
    if state not in MATERIAL_STATES:
        raise Refusal(
            "documents.material_state",
            "材料的情况只能是已收、缺、不合格或者本市已有。",
            field="materials",
        )
    return MATERIAL_STATES[state]


def receipt(
    facts: Facts,
    *,
    issued: datetime,
    materials: Sequence[Mapping[str, Any]],
    answer_by: date | Due | None,
) -> dict[str, Any]:
    """Frozen data of a 收件回执. materials [{name, state: received|missing|faulty|held}].

    answer_by: the last of the five working days in which the organ must say what is missing.
    """
    about = opening(facts)
    until = f"最迟于 {day_words(answer_by)}" if answer_by else "在法定期限内"
    law = by_law(facts, "第三十二条第一款第（四）项", own=False)
    silence = "逾期不告知的，自收到申请材料之日起即为受理。" if facts.licence and answer_by else ""
    promise = (
        f"{law}本机关将{until}告知{facts.you}是否受理、是否需要补正。{silence}"
        "本回执只证明收到申请材料，不表示已经受理。"
    )
    rows = [
        [str(n), clean(str(row["name"]), field="materials"), _state(row)]
        for n, row in enumerate(materials, 1)
    ]
    lacking = sum(row[2] in ("缺", "不合格") for row in rows)
    code = clean(facts.query_code, field="query_code")
    day = f"最晚 {plain_day(answer_by)}" if answer_by else "按规定的时间"
    return frame(
        Kind.RECEIPT,
        facts,
        issued=issued,
        paragraphs=[
            f"{application(facts, about)}，本机关已于 {day_words(facts.received)} 收到，"
            f"收到的材料见下表。",
            promise,
        ],
        table={
            "caption": "申请材料收取情况",
            "head": ["序号", "材料名称", "收取情况"],
            "widths": [0, 1, 0],
            "rows": rows,
        }
        if rows
        else None,
        after=[f"查询办理进度：凭办件编号和查询码 {code} 在网上或者窗口查询。" if code else ""],
        plain=[
            f"你交来的材料我们收到了，还没有开始算办理的时间。{day}，我们告诉你能不能办。",
            f"有 {lacking} 样材料还缺或者不合格，表里写着“缺”“不合格”的，请准备好。"
            if lacking
            else "你现在什么都不用做，等我们的消息。",
            f"查进度用查询码 {code}，不要给别人看。" if code else "",
        ],
    )


def acceptance_notice(
    facts: Facts,
    *,
    issued: datetime,
    promised: Mapping[str, Any] | None,
    statutory: Mapping[str, Any] | None,
    due: date | Due | None = None,
    materials: Sequence[Mapping[str, Any]] = (),
    deemed: bool = False,
) -> dict[str, Any]:
    """Frozen data of a 受理通知书. deemed: the organ was silent, art. 32(4) accepts for it.

    Limits {unit, value} or None; materials [{name, form?, copies?}]; due: the promised day, if
    already counted.
    """
    about = opening(facts)
    if deemed:
        form = (
            "本机关没有在五个工作日内告知需要补正的内容。依据《中华人民共和国行政许可法》"
            "第三十二条第一款第（四）项的规定，自收到申请材料之日起即为受理。"
        )
    else:
        law = by_law(facts, "第三十二条第一款第（五）项", own=not facts.licence)
        form = f"经审查，申请材料齐全，符合法定形式。{law}现予受理。"
    rows = [
        [
            str(n),
            clean(str(row["name"]), field="materials"),
            clean(str(row.get("form") or "原件"), field="materials"),
            str(int(row.get("copies") or 1)),
        ]
        for n, row in enumerate(materials, 1)
    ]
    at_once = promised is not None and promised["value"] == 0
    by = f"最晚 {plain_day(due)}" if due else "在上面写的时间里"
    return frame(
        Kind.ACCEPTANCE_NOTICE,
        facts,
        issued=issued,
        paragraphs=[
            f"{application(facts, about)}，{form}",
            _promise(facts, promised=promised, statutory=statutory, due=due),
        ],
        table={
            "caption": "收取的申请材料",
            "head": ["序号", "收取材料", "形式", "份数"],
            "widths": [0, 1, 0, 0],
            "rows": rows,
        }
        if rows
        else None,
        plain=[
            "你的申请已经正式开始办了，材料不用再交。"
            if not deemed
            else "我们没有按时告诉你要不要补材料，按法律，你的申请从交材料那天起就算正式开始办了。",
            "今天当场办完，请稍等。"
            if at_once
            else f"{by}，我们会作出决定并通知你。你现在不用做什么。",
            "要做检验、听证这类事情的，用的时间另外算，我们会先书面告诉你。"
            if facts.licence and not at_once
            else "",
        ],
    )


def _promise(
    facts: Facts,
    *,
    promised: Mapping[str, Any] | None,
    statutory: Mapping[str, Any] | None,
    due: date | Due | None,
) -> str:
    if promised is not None and promised["value"] == 0:
        return "本机关当场办结。"
    until = f"（{day_words(due)}前）" if due else ""
    words = (
        f"本机关承诺自受理之日起 {limit_words(promised)}{until}作出决定"
        if promised is not None
        else "本机关将依法在法定期限内作出决定"
    )
    words += f"（法定时限：{limit_words(statutory)}）。"
    if facts.licence:
        # 行政许可法 45: only these are not counted, and never a visit to the site.
        words += (
            "依法需要听证、招标、拍卖、检验、检测、检疫、鉴定和专家评审的，"
            "所需时间不计算在上述期限内，另行书面告知。"
        )
    return words


def supplement_notice(
    facts: Facts, *, issued: datetime, missing: Sequence[Mapping[str, Any]], again: str = ""
) -> dict[str, Any]:
    """Frozen data of a 补正告知书. missing [{name, state: missing|faulty, why}], at least one.

    Refuses a faulty material without why. again: the recorded reason of a second notice.
    """
    article = "行政许可法 第三十二条"
    if not missing:
        raise Refusal(
            "documents.nothing_missing",
            "没有缺少或者不合格的材料，不能告知补正。",
            article=article,
            field="materials",
        )
    rows = []
    for n, row in enumerate(missing, 1):
        name = needed(str(row.get("name") or ""), field="materials", what="材料名称")
        state = str(row.get("state") or "missing")
        if state not in ("missing", "faulty"):
            raise Refusal(
                "documents.material_state", "需要补正的材料只能是缺或者不合格。", field="materials"
            )
        why = clean(str(row.get("why") or ""), field="why")
        if state == "faulty" and not why:
            raise Refusal(
                "documents.why_missing",
                f"请写明材料“{name}”为什么不合格。",
                article=article,
                field="why",
            )
        rows.append([str(n), name, MATERIAL_STATES[state], why or "未提交，请补交。"])
    about = opening(facts)
    again = clean(again, field="again")
    law = by_law(facts, "第三十二条第一款第（四）项", own=not facts.licence)
    lacking = [row[1] for row in rows]
    named = "、".join(lacking[:3]) + ("等" if len(lacking) > 3 else "")
    return frame(
        Kind.SUPPLEMENT_NOTICE,
        facts,
        issued=issued,
        paragraphs=[
            f"{application(facts, about)}，经审查，申请材料不齐全或者不符合法定形式。"
            f"{law}现将需要补正的全部内容一次告知如下：",
        ],
        table={
            "caption": "需要补正的材料",
            "head": ["序号", "需要补正的材料", "情况", "原因和要求"],
            "widths": [0, 3, 0, 4],
            "rows": rows,
        },
        after=[
            f"这是再次告知补正。再次告知的原因：{again}" if again else "",
            f"请{facts.you}按照上述要求补齐后提交。按照要求提交全部补正材料的，本机关应当受理；"
            "受理期限自收到全部补正材料之日起计算。",
        ],
        plain=[
            f"你的申请现在还不能办，因为有 {len(rows)} 样材料要补：{named}。",
            "照表里写的补好，一次交齐，我们就受理。已经交过、合格的材料不用再交。",
            "没有规定最晚哪天交，但交齐以前办理时间不开始算，早交早办。",
        ],
    )


def not_needed_notice(
    facts: Facts,
    *,
    issued: datetime,
    reasons: str,
    organ: str = "本级人民政府",
    court: str = "人民法院",
) -> dict[str, Any]:
    """Frozen data of a 不需许可告知书: what is asked for needs no licence. organ: 复议机关."""
    about = opening(facts)
    law = by_law(facts, "第三十二条第一款第（一）项", own=False)
    matter = "取得行政许可" if facts.licence else "办理"
    reasons = needed(
        reasons, field="reasons", what="理由", article="行政许可法 第三十二条第一款第（一）项"
    )
    return frame(
        Kind.NOT_NEEDED_NOTICE,
        facts,
        issued=issued,
        paragraphs=[
            f"{application(facts, about)}，经审查，申请事项依法不需要{matter}。{law}"
            "本机关不受理，现予告知。",
            f"理由：{reasons}",
            remedies.sentence(day_of(issued), organ=organ, court=court, paper="告知书", act="告知"),
        ],
        plain=[
            f"你要办的这件事不需要{'许可' if facts.licence else '来办'}，可以直接去做，所以我们不受理。",
            "交来的材料请领回，不用再申请。",
            remedies.plain(day_of(issued), organ=organ, court=court),
        ],
    )


def not_ours_decision(
    facts: Facts,
    *,
    issued: datetime,
    organ: str,
    reasons: str,
    review: str = "本级人民政府",
    court: str = "人民法院",
) -> dict[str, Any]:
    """Frozen data of a 不予受理决定书: organ is whose it is; review: 复议机关."""
    article = "行政许可法 第三十二条第一款第（二）项"
    about = opening(facts)
    organ = needed(organ, field="organ", what="应当向哪个机关申请", article=article)
    reasons = needed(reasons, field="reasons", what="理由", article=article)
    law = by_law(facts, "第三十二条第一款第（二）项", own=False)
    return frame(
        Kind.NOT_OURS_DECISION,
        facts,
        issued=issued,
        paragraphs=[
            f"{application(facts, about)}，经审查，申请事项依法不属于本机关职权范围。{law}"
            "本机关决定不予受理。",
            f"请{facts.you}向{organ}申请。",
            f"理由：{reasons}",
            remedies.sentence(day_of(issued), organ=review, court=court),
        ],
        plain=[
            f"这件事不归我们管，所以不受理。请到{organ}去办。",
            "交来的材料请领回，带着它们去就行。",
            remedies.plain(day_of(issued), organ=review, court=court),
        ],
    )
