"""The kinds of events a case's stream may hold, what their bodies say, and the head its rows keep;
alarms beside it. docs/reference/events.md is printed from it."""

from __future__ import annotations

from collections.abc import Mapping

from zhengwu.domain import lifecycle
from zhengwu.ledger.services import HeadTable, StreamKind

STREAM = "case"

OBSERVATIONS = frozenset(
    {
        "received",
        "step",
        "accepted",
        "decided",
        "delivered",
        "closed",
        "claim",
        "corrected",
        "retracted",
    }
)

MOVING = {
    "state": "text",
    "suspended": "boolean",
    "step": "text",
    "holder_kind": "text",
    "holder_agency": "text",
    "holder_post": "text",
    "holder_actor": "text",
    "outcome": "text",
    "accepted": "timestamptz",
    "due": "timestamptz",
    "warn": "timestamptz",
    "provisional": "boolean",
    "decided": "timestamptz",
    "closed": "timestamptz",
    "archived": "timestamptz",
    "next_at": "timestamptz",
}
OPENING = {
    "number": "text",
    "query_code": "text",
    "source": "text",
    "foreign_id": "text",
    "kind": "text",
    "item": "text",
    "item_version": "integer",
    "item_name": "text",
    "agency": "text",
    "region": "text",
    "hall": "text",
    "window": "text",
    "applicant_id": "uuid",
    "opened": "timestamptz",
    **MOVING,
}

CASE = StreamKind(
    name=STREAM,
    events=frozenset(act.code for act in lifecycle.ACTS) | OBSERVATIONS,
    head=HeadTable(table="cases_case", opening=OPENING, moving=MOVING),
)

ALARMS = "alarm"
# One stream of one event for each alarm, so that it is raised once whoever looks and how often.
# Body: {case, limit, due}; occurred is the lawful instant, however late it was noticed.
ALARM = StreamKind(
    name=ALARMS,
    events=frozenset({"near", "over"}),
    head=HeadTable(
        table="cases_alarm",
        opening={
            "case": "uuid",
            "limit": "text",
            "level": "text",
            "due": "timestamptz",
            "occurred": "timestamptz",
            "agency": "text",
        },
    ),
)

ATTEMPTS = "attempt"
# One stream of one event for each refused attempt to ask for what the guide does not list.
# Body: {case or item, version, act, codes}; nothing that was typed but what looks like a code.
ATTEMPT = StreamKind(
    name=ATTEMPTS,
    events=frozenset({"asked_outside"}),
    head=HeadTable(
        table="cases_attempt",
        opening={
            "case": "uuid",
            "item": "text",
            "item_version": "integer",
            "act": "text",
            "agency": "text",
            "hall": "text",
            "occurred": "timestamptz",
        },
    ),
)

# --- what the body of each kind may hold (事件内容) -------------------------------------------------

# Free text and personal data stand elsewhere and can be erased; the body has their id and digest.
KEPT = "（另存）"
DOCUMENT = f"文书：kind 种类，number 文号，check 查验码，template 版式，data 内容{KEPT}"
FILES = "入卷的文件：material 材料编号或者用途，file 文件编号，digest 摘要"
MATERIALS = "逐项核对的材料：code 编号，state 已收 received、缺 missing、不合格 faulty、免交 held"
TO = "移交给谁：kind 部门 department 或者窗口 window，agency 机关，post 岗位（指名的才有）"
LIMITS = "从受理起约束本件的期限：kind、value、unit、basis 依据；roll 为 false 的末日不顺延"
CHECKS = "审查清单：code 编号，is 符合 yes、不符合 no"
GROUNDS = "根据办事指南的哪几项：condition:序号、material:编号、basis"
WHY = f"逐项材料不合格的地方或者免交的来源{KEPT}"
REASONS = f"理由{KEPT}"
PAPER = {"document": DOCUMENT}
SAID = {"reasons": REASONS}
# Beside what is named below, in any act.
ALWAYS: Mapping[str, str] = {"via": "经过的接入系统的代码；在工作台上办的没有"}
BODIES: Mapping[str, Mapping[str, str]] = {
    "received": {
        "item": "事项编码@版本",
        "number": "办件编号",
        "kind": "办件类型：即办 immediate，承诺 promised，上报 forwarded",
        "type": "事项类型（行政权力的种类）",
        "channel": "渠道：窗口 window、网上 online",
        "at": "在谁手里：window",
        "party": "申请人档案的编号，不是证件号码",
        "materials": MATERIALS,
        "files": FILES,
        "applicant": f"申请人{KEPT}",
        "why": WHY,
        **PAPER,
    },
    "corrected_on_spot": {
        "signed": "申请人已签名",
        "what": f"更正了什么{KEPT}",
        "signer": f"签名人{KEPT}",
        "files": FILES,
    },
    "supplement_requested": {
        "materials": MATERIALS,
        "why": WHY,
        "again": f"再次告知的原因{KEPT}",
        "more": "上次没有告知、这次才要的材料编号",
        **PAPER,
    },
    "supplemented": {"materials": MATERIALS, "at": "在谁手里：window", "why": WHY, **PAPER},
    "not_needed": {"grounds": GROUNDS, **SAID, **PAPER},
    "not_ours": {
        "whose": "应当受理的机关的代码（本市的才有）",
        "organ": f"应当受理的机关{KEPT}",
        **SAID,
        **PAPER,
    },
    "accepted": {"limits": LIMITS, "to": TO, **PAPER},
    "deemed_accepted": {
        "limits": LIMITS,
        "effective": "从什么时候起视为受理",
        "to": TO,
        **PAPER,
    },
    "scanned": {"files": FILES},
    "step_taken": {
        "step": "接办的环节；窗口接办的是 receive 或者 deliver",
        "at": "在谁手里：department 或者 window",
        "holder": "接办人的人员代码",
        "limit": "本环节的时限：value、unit、basis",
    },
    "step_done": {
        "step": "办结的环节",
        "to": TO,
        "advice": "建议：grant 准予，refuse 不予",
        "checks": CHECKS,
        "opinion": f"审查意见{KEPT}",
    },
    "step_returned": {"back_to": "退回到的环节", "to": TO, **SAID},
    "handed_over": {"to": TO, "note": f"移交说明{KEPT}"},
    "inspected": {
        "people": "核查人员的人员代码，两名以上",
        "found": f"核查情况{KEPT}",
        "files": FILES,
    },
    "opinion_requested": {
        "agency": "被征求意见的机关",
        "days": "答复需要的工作日",
        "until": "答复期限的最后一日",
        "question": f"征求什么意见{KEPT}",
    },
    "opinion_given": {
        "request": "答复的是第几号事件（版本）",
        "view": "agree 同意，conditions 有条件同意，against 不同意",
        "opinion": f"意见{KEPT}",
        "files": FILES,
    },
    "suspended": {
        "procedure": "八种特别程序之一："
        + "、".join(f"{code} {zh}" for code, zh in lifecycle.PROCEDURES.items()),
        "days": "书面告知的工作日数",
        "until": "告知到哪一日",
        **SAID,
        **PAPER,
    },
    "resumed": {
        "procedure": "结束的是哪一种；只有一种在进行时没有",
        "result": f"结论{KEPT}",
        "files": FILES,
    },
    "extended": {"days": "延长的工作日数", **SAID, **PAPER},
    "forwarded": {
        "organ": f"转报的上级机关{KEPT}",
        "opinion": f"初步审查意见{KEPT}",
        **PAPER,
    },
    "came_back": {
        "view": "approved 同意，rejected 不同意",
        "number": f"批复文号{KEPT}",
        "files": FILES,
    },
    "version_moved": {
        "from": "原来的事项版本",
        "to": "改用的事项版本",
        "limits": LIMITS,
        "clause": "依新版办事指南的过渡条款",
    },
    "granted": {"checks": CHECKS, **SAID, **PAPER},
    "refused": {"grounds": GROUNDS, "checks": CHECKS, "to": TO, **SAID, **PAPER},
    "licence_made": {"to": TO, "number": f"证照编号{KEPT}"},
    "fee_paid": {
        "how": "paid 已缴费，free 依法不需缴费",
        "ticket": "票据号",
        "why": f"不需缴费的依据{KEPT}",
    },
    "ready": {"at": "在哪里领取：window"},
    "delivered": {
        "means": "signature 当面签收，post 邮寄，electronic 电子送达",
        "proof": f"签收人、邮寄单号或者凭证{KEPT}",
        "files": FILES,
        **PAPER,
    },
    "closed": {},
    "withdrawn": {"files": FILES, **SAID, **PAPER},
    "terminated": {
        "ground": "dead 死亡或者丧失行为能力，dissolved 单位终止，moot 事项已不存在，other 其他情形",
        "files": FILES,
        **SAID,
        **PAPER,
    },
    "document_corrected": {"replaces": "作废的文书的查验码", **SAID, **PAPER},
    "revoked": {"ends": "不再有效的决定书的查验码", **SAID, **PAPER},
    "cancelled": {"ends": "不再有效的决定书的查验码", **SAID, **PAPER},
    "taken_back": {"ends": "不再有效的决定书的查验码", **SAID, **PAPER},
    "withdrawal_proposed": {
        "version": "提请撤销的是第几号事件（版本）",
        "entry": "那个事件的种类",
        **SAID,
    },
    "entry_withdrawn": {
        "version": "撤销的是第几号事件（版本）：从此不算数，状态和期限重新计算",
        "entry": "那个事件的种类",
        "proposed": "由第几号事件提请；自己当即撤回的没有",
        "undo": "自己当即撤回的为 true",
    },
    "archived": {"entries": "归档时的事件数"},
}
# Another system's news (observations) hold what that system told, as its mapping takes it over.
OBSERVED: Mapping[str, str] = {
    "foreign": "来源系统里的 name 名称、actor 经办人代号、id 编号、group 部门（报来的才有）",
    "deviation": "与生命周期表不符的地方；相符的为 null",
    "kept": "映射指定照抄的办件属性（received）",
    "amounts": "映射指定的金额，分（received）",
    "case": "来源系统的办件编号（received）",
    "step": "来源系统的环节名称",
    "claims": "来源系统声称的时间：名称和 UTC 时间",
    "claim": "来源系统声称的期限：kind 和 due（claim）",
    "outcome": "决定的结果：granted 准予、refused 不予（decided）",
    "grounds": "不予的依据，来源系统的写法（decided）",
    "procedure": "特别程序的种类（suspended）",
    "days": "告知申请人的天数（suspended），延长的工作日（extended）",
    "until": "告知申请人的最后一日（suspended）",
    "notice": "告知书的文号（suspended）",
    "people": "到场的人数（现场核查的 step）",
    "approved_by": "批准延期的人在来源系统的代号（extended）",
}


def page() -> str:
    """docs/reference/events.md, whole; a test keeps the file equal."""
    return (
        "# 办件的事件\n\n"
        "本页由 `zhengwu.cases.events` 生成，测试保证与程序一致；重新生成："
        "`python -m zhengwu.cases.events > docs/reference/events.md`。\n\n"
        "读事件流（`GET /api/v1/events`）和一个办件的全部事件的程序，从这里知道每一种事件的内容 "
        "`body` 里可能有什么。字段不一定都有；以后可能增加字段和种类，读到不认识的请放过。"
        "哪一步从什么状态到什么状态，见[办件的生命周期](lifecycle.md)。\n\n"
        "事件里没有姓名、证件号码和电话，也没有人写的文字：它们另存，可以依法清除，"
        "`body` 里只有 `content`（编号）和 `digest`（摘要），清除以后摘要仍在。下面写“（另存）”的"
        "就是这样。\n\n"
        "`nature` 是 `act` 的是本平台办的，字段见下；`actor` 为空的是系统自己办的。"
        "每个 `act` 都可能有：" + _listed(ALWAYS) + "\n\n"
        + "".join(_told(code, fields) for code, fields in BODIES.items())
        + "## 其他系统报来的\n\n`nature` 是 `observation` 的是其他系统报来的情况，从不拒收。种类："
        + "、".join(f"`{one}`" for one in sorted(OBSERVATIONS | set(lifecycle.OBSERVED)))
        + "。\n\n" + _rows(OBSERVED)
    )  # fmt: skip


def _told(code: str, fields: Mapping[str, str]) -> str:
    act = lifecycle.BY_CODE[code]
    said = f"## {act.zh} `{code}`\n\n依据：{act.article or '—'}。文书：{act.document or '—'}。\n\n"
    return said + (_rows(fields) if fields else "没有内容。\n\n")


def _rows(fields: Mapping[str, str]) -> str:
    rows = "".join(f"| `{name}` | {zh} |\n" for name, zh in fields.items())
    return f"| 字段 | 意思 |\n|---|---|\n{rows}\n"


def _listed(fields: Mapping[str, str]) -> str:
    return "；".join(f"`{name}`，{zh}" for name, zh in fields.items()) + "。"


if __name__ == "__main__":
    print(page(), end="")
