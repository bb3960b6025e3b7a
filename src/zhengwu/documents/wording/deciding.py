"""What is said when a case ends (决定、送达、撤回、终止、撤销): 行政许可法 8, 38, 44, 69, 70."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from zhengwu.documents import remedies
from zhengwu.documents.kinds import ENDS, Kind
from zhengwu.documents.wording.facts import (
    Facts,
    application,
    by_law,
    clean,
    day_of,
    day_words,
    frame,
    introduction,
    needed,
    opening,
)
from zhengwu.domain.refusal import Refusal


def decision(
    facts: Facts,
    *,
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
    about = opening(facts)
    day = day_of(issued)
    granted = outcome == "granted"
    # 行政许可法 38: the first paragraph of it grants, the second refuses.
    law = by_law(facts, f"第三十八条第{'一' if granted else '二'}款")
    matter = "行政许可" if facts.licence else "办理"
    accepted = (
        f"{introduction(about['applicant'])}提出的“{about['item']}”申请（办件编号 {about['case']}），"
        f"本机关于 {day_words(facts.accepted or issued)} 受理。"
    )
    if granted:
        paragraphs = [
            f"{accepted}经审查，{facts.you}的申请符合法定条件、标准。{law}本机关决定准予{matter}。",
            f"说明：{reasons}" if reasons else "",
            f"需要颁发证件的，{by_law(facts, '第四十四条', own=False)}"
            "本机关自作出本决定之日起十个工作日内颁发、送达。"
            if facts.licence
            else "",
        ]
        plain = [
            "批准了：你申请的事可以办。",
            "要发证件的，10 个工作日内发给你；我们通知你以后，带身份证明来领。"
            if facts.licence
            else "要领结果的，我们通知你以后，带身份证明来领。",
        ]
    else:
        paragraphs = [
            f"{accepted}经审查，{law}本机关决定不予{matter}。",
            f"理由：{reasons}",
        ]
        plain = [
            "没有批准。原因写在上面“理由”一段。",
            "把问题解决以后，可以重新申请。",
        ]
    paragraphs.append(remedies.sentence(day, organ=organ, court=court))
    plain.append(remedies.plain(day, organ=organ, court=court))
    return frame(
        Kind.DECISION, facts, issued=issued, outcome=outcome, paragraphs=paragraphs, plain=plain
    )


def delivery_record(
    facts: Facts,
    *,
    issued: datetime,
    papers: Sequence[Mapping[str, Any]],
    means_zh: str,
    receiver: str,
    tracking: str = "",
) -> dict[str, Any]:
    """Frozen data of a 送达回证: a form the receiver signs. papers [{title, number}].

    means_zh: 直接送达, 邮寄送达 …; tracking: the number of the letter or parcel.
    """
    article = "行政许可法 第四十四条"
    about = opening(facts)
    means = needed(means_zh, field="means", what="送达方式", article=article)
    receiver = needed(receiver, field="receiver", what="收件人", article=article)
    tracking = clean(tracking, field="tracking")
    if not papers:
        raise Refusal(
            "documents.nothing_delivered", "请选择送达的文书。", article=article, field="papers"
        )
    rows = [
        [
            str(n),
            clean(str(row["title"]), field="papers"),
            clean(str(row.get("number") or ""), field="papers"),
        ]
        for n, row in enumerate(papers, 1)
    ]
    fields = [
        ["受送达人", about["applicant"]["name"]],
        ["事项", f"{about['item']}（办件编号 {about['case']}）"],
        ["送达方式", means + (f"（单号 {tracking}）" if tracking else "")],
        ["送达地点", clean(facts.place, field="place") or "—"],
        ["送达日期", day_words(issued)],
        ["收件人", receiver],
    ]
    law = by_law(facts, "第四十四条", own=False)
    data = frame(
        Kind.DELIVERY_RECORD,
        facts,
        issued=issued,
        paragraphs=[f"{law}现将下列文书送达受送达人。"],
        table={
            "caption": "送达的文书",
            "head": ["序号", "文书名称", "文号"],
            "widths": [0, 1, 1],
            "rows": rows,
        },
        after=[
            "他人代收的，注明与受送达人的关系；拒绝签收或者留置送达的，由送达人记明事由和日期。",
        ],
        plain=[
            f"这是一张收条：证明你收到了 {len(rows)} 份文书。",
            "请核对表里的文书名称，收到了再签名、写日期。",
            "对决定不同意的，怎么提出写在那份文书里，时间从签收的第二天算起。",
        ],
    )
    return data | {
        "fields": fields,
        "signatures": [
            {"label": "收件人签名或者盖章", "name": "", "extra": "与受送达人的关系："},
            {"label": "送达人签名", "name": clean(facts.clerk, field="clerk"), "extra": ""},
        ],
        "remark": "备注",
    }


def withdrawal(facts: Facts, *, issued: datetime, reasons: str) -> dict[str, Any]:
    """Frozen data of a 撤回申请确认书: the applicant no longer asks for it."""
    about = opening(facts)
    reasons = clean(reasons, field="reasons")
    return frame(
        Kind.WITHDRAWAL,
        facts,
        issued=issued,
        paragraphs=[
            f"{application(facts, about)}，{facts.you}已向本机关提出撤回。"
            f"本机关确认该申请于 {day_words(issued)} 撤回，不再办理。",
            f"撤回的原因：{reasons}" if reasons else "",
            f"撤回申请不影响{facts.you}以后就同一事项重新提出申请。"
            "已经提交的申请材料原件，可以凭本确认书领回。",
        ],
        plain=[
            "你自己撤回了这次申请，我们不再办了。",
            "材料原件可以拿着这份文书来领回。以后还想办，随时可以重新申请。",
            "如果不是你本人或者你委托的人撤回的，请马上告诉我们。",
        ],
    )


def termination(
    facts: Facts,
    *,
    issued: datetime,
    ground_zh: str,
    reasons: str,
    organ: str = "本级人民政府",
    court: str = "人民法院",
) -> dict[str, Any]:
    """Frozen data of a 终止办理通知书. ground_zh: the ground in a few words; organ: 复议机关."""
    about = opening(facts)
    ground = needed(ground_zh, field="ground", what="终止的情形").rstrip("。")
    reasons = needed(reasons, field="reasons", what="终止的理由")
    day = day_of(issued)
    return frame(
        Kind.TERMINATION,
        facts,
        issued=issued,
        paragraphs=[
            f"{application(facts, about)}，因{ground}，本机关决定终止办理。",
            f"理由：{reasons}",
            f"终止办理不影响{facts.you}在符合条件时重新提出申请。已经提交的申请材料原件，可以领回。",
            remedies.sentence(day, organ=organ, court=court, paper="通知书"),
        ],
        plain=[
            f"这次申请我们停止办理了：{ground}。",
            "材料原件可以领回。以后条件够了，可以重新申请。",
            remedies.plain(day, organ=organ, court=court),
        ],
    )


_ARTICLES = {"revoked": "第六十九条", "cancelled": "第七十条", "taken_back": "第八条第二款"}


def revocation(
    facts: Facts,
    *,
    issued: datetime,
    act: str,
    reasons: str,
    of: str,
    organ: str = "本级人民政府",
    court: str = "人民法院",
) -> dict[str, Any]:
    """Frozen data of a 撤销, 注销 or 撤回 decision. act: revoked|cancelled|taken_back.

    of: the number of the decision it ends; organ: 复议机关.
    """
    if act not in ENDS:
        raise Refusal("documents.act", "只能是撤销、注销或者撤回。", field="act")
    about = opening(facts)
    word, article = ENDS[act], f"行政许可法 {_ARTICLES[act]}"
    reasons = needed(reasons, field="reasons", what=f"{word}的理由", article=article)
    of = needed(of, field="of", what="原决定的文号", article=article)
    day = day_of(issued)
    matter = "行政许可" if facts.licence else "决定"
    law = by_law(facts, _ARTICLES[act], own=not facts.licence)
    consequence = {
        # 行政许可法 69, last paragraph: what was got by fraud is not protected.
        "revoked": "因行政机关的原因撤销，使被许可人的合法权益受到损害的，依法给予赔偿；"
        "以欺骗、贿赂等不正当手段取得的，基于该行政许可取得的利益不受保护。",
        "cancelled": "",
        "taken_back": f"由此给{facts.you}造成财产损失的，依法给予补偿。",
    }[act]
    return frame(
        Kind.REVOCATION,
        facts,
        issued=issued,
        outcome=act,
        paragraphs=[
            f"{introduction(about['applicant'])}的“{about['item']}”（办件编号 {about['case']}），"
            f"本机关曾以{of}决定书准予。现{law}决定{word}该{matter}。",
            f"理由：{reasons}",
            (consequence if facts.licence else "")
            + f"自收到本决定书之日起，原决定书和据此颁发的证件不再有效，请{facts.you}交回本机关。",
            remedies.sentence(day, organ=organ, court=court),
        ],
        plain=[
            f"以前批准给你的“{about['item']}”不再有效了，不能再用它办事。",
            "请把以前的决定书和证件交回来。",
            {
                "revoked": "因为我们的错误让你受了损失的，可以要求赔偿。",
                "cancelled": "",
                "taken_back": "因为收回让你受了损失的，可以要求补偿。",
            }[act],
            remedies.plain(day, organ=organ, court=court),
        ],
    )
