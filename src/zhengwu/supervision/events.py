"""The streams of supervision (监察事件): findings, orders, accountability, spot checks, the rulebook.

A finding's stream begins with `issued`; who is told, what is answered, appealed and decided follows
in it. Nothing here is ever taken away: a card that is revoked stays and no longer counts.
Free text (reasons, answers, evidence in words) stands in erasable contents; bodies hold codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from zhengwu.ledger.services import HeadTable, StreamKind

FINDINGS = "finding"
ORDERS = "supervision_order"
ACCOUNTS = "accountability"
CHECKS = "spot_check"
RULEBOOK = "supervision_rules"
RULEBOOK_ID = UUID("0198f0a2-7c00-7ca1-8e4d-a65c1f3b2d71")  # one for the whole installation
# What every event of this context says it comes from, when the software itself does it.
SOURCE = "supervision"

FINDING = StreamKind(
    name=FINDINGS,
    events=frozenset(
        {
            "issued", "signed", "answered", "closed", "reminded",
            "basis_changed", "appeal_opened", "appealed", "appeal_withdrawn",
            "upheld", "lowered", "revoked",
        }
    ),
    head=HeadTable(
        table="supervision_finding",
        opening={
            "rule": "text", "rule_name": "text", "dimension": "text", "scored": "text",
            "level": "text", "first_level": "text", "case": "uuid", "number": "text",
            "item_name": "text", "source": "text", "agency": "text", "region": "text",
            "hall": "text", "window": "text", "post": "text", "person": "text", "limit": "text",
            "due": "timestamptz", "at": "timestamptz", "issued": "timestamptz",
            "whole": "boolean", "served": "smallint", "sign_due": "timestamptz",
            "answer_due": "timestamptz", "state": "text", "appeal": "text", "basis_changed": "boolean", "counts": "boolean",
        },
        moving={
            "level": "text", "state": "text", "appeal": "text", "appeal_due": "timestamptz",
            "basis_changed": "boolean", "counts": "boolean", "signed": "timestamptz",
            "answered": "timestamptz", "closed": "timestamptz", "reminded": "timestamptz",
        },
    ),
)  # fmt: skip

ORDER = StreamKind(
    name=ORDERS,
    events=frozenset(
        {"opened", "signed", "working", "reported", "returned", "closed", "escalated"}
    ),
    head=HeadTable(
        table="supervision_order",
        opening={
            "number": "text", "subject": "text", "case": "uuid", "case_number": "text",
            "finding": "uuid", "agency": "text", "region": "text", "post": "text",
            "person": "text", "opened": "timestamptz", "opened_by": "text",
            "sign_due": "timestamptz", "answer_due": "timestamptz", "state": "text",
        },
        moving={
            "state": "text", "signed": "timestamptz", "reported": "timestamptz",
            "closed": "timestamptz", "answer_due": "timestamptz", "escalated": "timestamptz",
            "returned": "integer", "person": "text",
        },
    ),
)  # fmt: skip

ACCOUNT = StreamKind(
    name=ACCOUNTS,
    events=frozenset(
        {"opened", "joined", "cause_revoked", "taken_up", "heard", "decided", "carried_out", "closed"}
    ),
    head=HeadTable(
        table="supervision_account",
        opening={
            "cause": "text", "month": "date", "case": "uuid", "case_number": "text",
            "agency": "text", "region": "text", "person": "text", "opened": "timestamptz",
            "due": "timestamptz", "findings": "integer", "state": "text",
        },
        moving={
            "state": "text", "findings": "integer", "revoked": "integer", "handler": "text",
            "measure": "text", "decided": "timestamptz", "closed": "timestamptz",
        },
    ),
)  # fmt: skip

CHECK = StreamKind(
    name=CHECKS,
    events=frozenset({"drawn", "looked", "closed"}),
    head=HeadTable(
        table="supervision_check",
        opening={
            "since": "date", "until": "date", "agency": "text", "region": "text",
            "position": "bigint", "seed": "text", "wanted": "integer", "drawn": "timestamptz",
            "drawn_by": "text", "state": "text", "done": "integer",
        },
        moving={"state": "text", "done": "integer", "closed": "timestamptz"},
    ),
)  # fmt: skip

# The rulebook is one stream without a head of its own: folded, as the calendar is.
RULES = StreamKind(
    name=RULEBOOK,
    events=frozenset({"proposed", "confirmed", "declined"}),
)

# --- what the body of each kind may hold (事件内容) -------------------------------------------------

BODIES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    FINDINGS: {
        "issued": {
            "rule": "规则代码", "edition": "规则册的版本（事件号），0 为随软件提供的",
            "level": "级别：hint 提示，warning 预警，yellow 黄牌，red 红牌",
            "case": "办件编号（内部），来源系统的发现没有", "key": "同一规则在同一办件里区分几次的标记",
            "versions": "作为证据的事件号（版本）", "positions": "它们在事件账里的位置",
            "known": "作出判断时事件账已知的最后位置", "at": "依法应当发现的时刻",
            "limit": "涉及的期限", "due": "它的届满时刻", "facts": "认定的情况",
            "person": "责任人的人员代码；外部系统的是它的经办人代号", "post": "责任岗位",
            "agency": "责任机关", "how": "auto 规则自动，manual 人工",
            "served": "送达：desk 责任岗位，head 机关负责人，supervisor 监察人员",
            "reason": "人工发牌的理由（另存）",
        },
        "signed": {}, "answered": {"text": "答复（另存）"}, "closed": {"text": "意见（另存）"},
        "reminded": {"what": "sign 逾期未签收，answer 逾期未答复，appeal 逾期未裁定",
                     "served": "催办谁：desk 责任岗位，head 机关负责人，supervisor 监察人员"},
        "basis_changed": {"versions": "改变依据的事件号", "positions": "它们的位置", "known": "到第几号位置为止"},
        "appeal_opened": {"reason": "申诉理由代码", "versions": "作为证据的事件号", "until": "申诉期限的最后一刻"},
        "appealed": {"reason": "申诉理由代码", "text": "说明（另存）",
                     "files": "证据文件：file 上传件的编号，digest 它的摘要；名称不在账里"},
        "appeal_withdrawn": {"text": "说明（另存）"},
        "upheld": {"text": "理由（另存）"}, "lowered": {"level": "降为哪一级", "text": "理由（另存）"},
        "revoked": {"text": "理由（另存）"},
    },
    ORDERS: {
        "opened": {"number": "督办文号", "case": "办件", "finding": "起因的发现",
                   "agency": "承办机关", "post": "承办岗位", "subject": "事由代码", "text": "要求（另存）",
                   "sign_due": "签收期限", "answer_due": "反馈期限"},
        "signed": {}, "working": {"text": "整改措施（另存）"}, "reported": {"text": "整改结果（另存）", "files": "证据文件"},
        "returned": {"text": "退回理由（另存）", "until": "新的期限"}, "closed": {"text": "意见（另存）"},
        "escalated": {"what": "sign 逾期未签收，answer 逾期未反馈"},
    },
    ACCOUNTS: {
        "opened": {"cause": "起因：overdue 超期，red 红牌，person_month、agency_month 累计，order 督办逾期",
                   "findings": "起因的发现", "order": "起因的督办", "case": "办件"},
        "joined": {"finding": "同一起因又发生的发现", "order": "又一次逾期的督办", "due": "逾期的期限"},
        "cause_revoked": {"finding": "被撤销，或者降级以后不再是起因的发现"},
        "taken_up": {"handler": "承办人的人员代码"}, "heard": {"text": "陈述和申辩（另存）"},
        "decided": {"measure": "处理方式的代码", "text": "事实和理由（另存）"},
        "carried_out": {"text": "执行情况（另存）"}, "closed": {},
    },
    CHECKS: {
        "drawn": {"since": "从", "until": "到", "agency": "机关", "position": "抽取时事件账的位置",
                  "seed": "那个位置的叶子摘要，抽取由它决定", "wanted": "抽几件", "of": "从几件里抽", "cases": "抽中的办件",
                  "agencies": "区的抽查：从哪些机关里抽"},
        "looked": {"case": "哪一件", "result": "fine 未发现问题，fault 发现问题", "finding": "据此发出的发现", "text": "记录（另存）"},
        "closed": {},
    },
    RULEBOOK: {
        "proposed": {"change": "规则、权重或者口径的改动", "trial": "在历史上试算的结果", "reason": "理由（另存）"},
        "confirmed": {"version": "确认的是第几号提议"}, "declined": {"version": "否决的是第几号提议", "reason": "理由（另存）"},
    },
}  # fmt: skip
