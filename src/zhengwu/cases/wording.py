"""Words for people: states, holders, acts, sources. Chinese, no jargon; names masked in public."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from zhengwu.accounts.queries import SYSTEM, Names
from zhengwu.documents.kinds import KINDS as DOCUMENT_KINDS
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import PROCEDURES

KINDS = {
    "immediate": "即办件",
    "promised": "承诺件",
    "forwarded": "上报件",
    "foreign": "外部系统办件",
}
LIGHTS = {
    "over": "已超期",
    "red": "今天到期",
    "yellow": "2 日内到期",
    "green": "正常",
    "pause": "计时暂停",
}
STATES = {
    "received": "待受理",
    "supplementing": "待补正",
    "not_accepted": "不予受理",
    "handling": "审查中",
    "forwarded": "已转报上级",
    "decided": "已决定",
    "delivered": "已送达",
    "withdrawn": "申请人撤回",
    "terminated": "已终止",
    "closed": "已办结",
    "archived": "已归档",
}
DOCUMENTS: Mapping[str, str] = {str(kind): row.name for kind, row in DOCUMENT_KINDS.items()} | {
    "decision": "决定书",  # of a licence or of something else: its own title says which
    "revocation": "决定书",
    "not_needed_notice": "不需办理告知书",
}
OBSERVED = {
    "received": "来源系统：收件",
    "accepted": "来源系统：受理",
    "decided": "来源系统：决定",
    "delivered": "来源系统：送达",
    "closed": "来源系统：办结",
    "claim": "来源系统：自报期限",
    "corrected": "来源系统：更正",
    "retracted": "来源系统：撤回记录",
}
ACTS = {
    "received": "收件",
    "corrected_on_spot": "当场更正",
    "supplement_requested": "一次性告知补正",
    "supplemented": "补正",
    "not_needed": "不需办理",
    "not_ours": "不属本机关职权，不予受理",
    "accepted": "受理",
    "deemed_accepted": "逾期视为受理",
    "scanned": "扫描入卷",
    "step_taken": "接办",
    "step_done": "办结环节",
    "step_returned": "退回环节",
    "handed_over": "移交",
    "inspected": "现场核查",
    "opinion_requested": "征求意见",
    "opinion_given": "反馈意见",
    "suspended": "进入特别程序",
    "resumed": "恢复计时",
    "extended": "延期",
    "forwarded": "转报上级",
    "came_back": "上级批复",
    "version_moved": "改用新版本",
    "granted": "准予许可",
    "refused": "不予许可",
    "licence_made": "制证",
    "fee_paid": "缴费确认",
    "ready": "通知领取",
    "delivered": "送达",
    "closed": "办结",
    "withdrawn": "撤回申请",
    "terminated": "终止",
    "document_corrected": "更正文书",
    "revoked": "撤销许可",
    "cancelled": "注销许可",
    "taken_back": "撤回许可",
    "withdrawal_proposed": "提请撤销误录",
    "entry_withdrawn": "撤销误录",
    "archived": "归档",
}
UNDONE = "撤回操作"
# Free texts of the acts, by their place in the body; what is not named here is not shown.
TEXTS = {
    "opinion": "意见",
    "reasons": "理由",
    "note": "说明",
    "again": "再次告知的原因",
    "organ": "机关",
    "question": "征求的问题",
    "number": "编号",
    "result": "结论",
    "found": "核查情况",
    "what": "更正内容",
    "signer": "签名人",
    "proof": "凭证",
    "why": "说明",
}
MATERIALS = {"received": "已收", "missing": "缺", "faulty": "不合格", "held": "免交"}
VIEWS = {"agree": "同意", "conditions": "有条件同意", "against": "不同意"}
ANSWERS = {"approved": "上级同意", "rejected": "上级不同意"}
ADVICE = {"grant": "建议准予", "refuse": "建议不予"}
GROUNDS = {
    "dead": "申请人死亡或者丧失行为能力",
    "dissolved": "申请单位依法终止",
    "moot": "申请的事项已不存在",
    "other": "法律、法规规定的其他情形",
}
# What happens after the flow of the item, at the window.
STEPS = {"deliver": "送达"}
MEANS = {"signature": "当面签收", "post": "邮寄", "electronic": "电子送达"}


def state(code: str, outcome: str | None, suspended: bool) -> str:
    """The state in words; says what was decided, and that the clock stands still."""
    if suspended:
        return "特别程序中"
    if code == "decided":
        return "已准予" if outcome == "granted" else "已不予"
    return STATES.get(code, code)


def source(code: str) -> str:
    if code.startswith("link:"):
        return f"外部系统 {code[5:]}"
    return {"desk": "窗口", "simulate": "模拟"}.get(code, code)


def holder(kind: str, agency: str | None, names: Names) -> str:
    """Who has the case now, in words."""
    return held_by(kind, names.agency(agency))


def held_by(kind: str, name: str) -> str:
    """The same by the name of the agency."""
    return {
        "window": f"{name}窗口",
        "department": name,
        "applicant": "申请人",
        "handing_over": f"移交途中（{name}）" if name else "移交途中",
        "special": "特别程序",
        "higher": "上级机关",
        "exchange": "来源系统",
        "none": "—",
    }.get(kind, kind)


def who(event: Event, names: Names, *, public: bool) -> tuple[str, str]:
    """The unit and the person of an event; the person only inside the house."""
    if event.nature == Nature.OBSERVATION:
        foreign = event.body.get("foreign") or {}
        return source(event.source), "" if public else str(foreign.get("actor") or "")
    if event.actor is None:
        return "系统自动", ""
    return names.agency(event.agency), "" if public else _person(event, names)


def _person(event: Event, names: Names) -> str:
    """Who did it, and through which system where it was not done here."""
    via = event.body.get("via")
    through = f"（经{names.person(f'{SYSTEM}{via}')}）" if via else ""
    return names.person(event.actor) + through


def title(event: Event) -> str:
    if event.nature == Nature.OBSERVATION:
        if event.kind == "step":
            return str(event.body.get("step") or "环节")
        return OBSERVED.get(event.kind, event.kind)
    if event.kind == "entry_withdrawn" and event.body.get("undo"):
        return UNDONE
    return ACTS.get(event.kind, event.kind)


def text(
    event: Event, names: Names, *, public: bool = False, steps: Mapping[str, str] | None = None
) -> str:
    """One sentence on what the event says, from its body; free text stays in its content row.

    public: no names of people, nothing that is the house's own business. steps: names by code.
    """
    body, kind = event.body, event.kind
    if event.nature == Nature.OBSERVATION:
        foreign = body.get("foreign") or {}
        name = str(foreign.get("name") or "")
        return "" if name in ("", "end", str(body.get("step") or "")) else name
    to = _target(body, names)
    match kind:
        case "received":
            counted = _counted(body)
            said = f"收材料 {counted.pop('received', 0)} 项"
            return _joined(said, _rest(counted))
        case "accepted":
            limits = [
                f"{'承诺' if limit['kind'] == 'promised' else '法定'} {limit['value']} "
                f"{UNITS.get(str(limit['unit']), str(limit['unit']))}"
                for limit in body.get("limits", [])
            ]
            return "，".join(limits) or "当场办理"
        case "supplement_requested":
            counted = _counted(body)
            short = sum(counted.get(state, 0) for state in ("missing", "faulty"))
            return f"缺 {short} 项，已一次告知"
        case "supplemented":
            counted = _counted(body)
            return _joined(f"补来 {counted.pop('received', 0)} 项", _rest(counted))
        case "not_ours":
            whose = names.agency(str(body.get("whose") or ""))
            return f"告知向{whose}申请" if whose else ""
        case "step_taken":
            return _step(body.get("step"), steps)
        case "step_done":
            advice = "" if public else ADVICE.get(str(body.get("advice")), "")
            return _joined(_step(body.get("step"), steps), advice, to)
        case "step_returned":
            return _joined(f"退回{_step(body.get('back_to'), steps) or '前一环节'}", "期限照常计算")
        case "inspected":
            people = [str(one) for one in body.get("people") or ()]
            said = f"{len(people)} 名工作人员核查"
            return said if public else f"{said}：{'、'.join(names.person(p) for p in people)}"
        case "opinion_requested":
            until = _day(body.get("until"))
            whose = names.agency(str(body.get("agency") or ""))
            return f"征求{whose}的意见" + (f"，请在 {until}前答复" if until else "")
        case "opinion_given":
            return "已答复" if public else VIEWS.get(str(body.get("view")), "")
        case "suspended":
            procedure = PROCEDURES.get(str(body.get("procedure")), "特别程序")
            told = f"{procedure}，书面告知需要 {body.get('days')} 个工作日"
            until = _day(body.get("until"))
            return told + (f"，到 {until}" if until else "") + "；期间不计时"
        case "resumed":
            return f"{PROCEDURES.get(str(body.get('procedure')), '特别程序')}结束"
        case "extended":
            return f"延长 {body.get('days')} 个工作日"
        case "forwarded":
            return "等待批复期间本机关不计时"
        case "came_back":
            return "已批复" if public else ANSWERS.get(str(body.get("view")), "")
        case "refused" | "not_needed":
            rests_on = grounds(body)
            return _joined(f"根据{rests_on}" if rests_on else "", to)
        case "version_moved":
            return clause(body, version=True)
        case "fee_paid":
            paid = "已缴费" if body.get("how") == "paid" else "依法不需缴费"
            ticket = "" if public else str(body.get("ticket") or "")
            return f"{paid}，票据号 {ticket}" if ticket else paid
        case "delivered":
            return MEANS.get(str(body.get("means")), "")
        case "terminated":
            return GROUNDS.get(str(body.get("ground")), "")
        case "scanned":
            return f"入卷 {len(body.get('files') or ())} 个文件"
        case "document_corrected":
            return "原文书作废，以更正件为准"
        case "revoked" | "cancelled" | "taken_back":
            return "原来的准予决定不再有效"
        case "withdrawal_proposed":
            return f"提请撤销{_entry(body)}，等待本机关第二人确认"
        case "entry_withdrawn":
            return f"{_entry(body)}不再算数，状态和期限已重新计算"
    return to


def grounds(body: Mapping[str, Any]) -> str:
    """What a refusal rests on, without the guide at hand: 办事指南的受理条件第 2 项、设定依据."""
    said = []
    for code in body.get("grounds") or ():
        kind, _, which = str(code).partition(":")
        of = {"condition": f"受理条件第 {which} 项", "material": "申请材料"}
        said.append(of.get(kind, "设定依据"))
    return f"办事指南的{'、'.join(dict.fromkeys(said))}" if said else ""


LIMITS = {"statutory": "法定", "promised": "承诺", "joint": "联合办理"}


def clause(body: Mapping[str, Any], *, version: bool) -> str:
    """What a transitional clause changed (过渡条款). version: with the number of the version."""
    changed = [
        f"{LIMITS.get(str(one.get('kind')), '')}期限改为 {one.get('value')} "
        f"{UNITS.get(str(one.get('unit')), str(one.get('unit')))}"
        for one in body.get("limits") or ()
    ]
    which = f"第 {body.get('to')} 版" if version else "新版"
    return _joined(f"依{which}办事指南的过渡条款", "、".join(changed))


def _entry(body: Mapping[str, Any]) -> str:
    entry = str(body.get("entry") or "")
    return f"第 {body.get('version')} 条“{ACTS.get(entry, entry) or '记录'}”"


def _target(body: Mapping[str, Any], names: Names) -> str:
    target = body.get("to")
    if not target or not isinstance(target, Mapping):
        return ""
    name = names.agency(str(target.get("agency") or ""))
    return f"移交{name}窗口" if target.get("kind") == "window" else f"移交{name}"


def _step(code: object, steps: Mapping[str, str] | None) -> str:
    name = (steps or {}).get(str(code or "")) or STEPS.get(str(code or ""), "")
    return f"“{name}”环节" if name else ""


def _counted(body: Mapping[str, Any]) -> dict[str, int]:
    """How many materials stand in each state; a plain code is one that was asked for."""
    counted: dict[str, int] = {}
    for one in body.get("materials") or ():
        state = str(one.get("state", "missing")) if isinstance(one, Mapping) else "missing"
        counted[state] = counted.get(state, 0) + 1
    return counted


def _rest(counted: Mapping[str, int]) -> str:
    said = [f"{MATERIALS[s]} {counted[s]} 项" for s in MATERIALS if counted.get(s)]
    return "，".join(said) or "材料齐全"


def _day(value: object) -> str:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return ""
    return f"{day.month} 月 {day.day} 日"


def _joined(*parts: str) -> str:
    return "，".join(part for part in parts if part)


def written(data: Any, place: str, materials: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """The free texts of one content row with what each is called; materials: names by code."""
    if not isinstance(data, Mapping):
        return
    if place == "why" and "text" not in data:
        for code, said in data.items():
            yield materials.get(str(code), str(code)), str(said)
        return
    if said := str(data.get("text") or ""):
        yield TEXTS[place], said


UNITS = {
    "working_day": "个工作日",
    "calendar_day": "日",
    "natural_day": "日",
    "month": "个月",
    "year": "年",
    "hour": "小时",
    "office_hour": "办公小时",
}


def masked(name: str) -> str:
    """A name for the public: 李*梅, 江城**公司."""
    if not name:
        return "—"
    if len(name) <= 1:
        return "*"
    if len(name) == 2:
        return name[0] + "*"
    if len(name) <= 5:
        return name[0] + "*" * (len(name) - 2) + name[-1]
    for tail in ("有限公司", "公司", "合作社", "中心", "学校", "医院"):
        if name.endswith(tail) and len(name) - len(tail) >= 2:
            return f"{name[:2]}**{tail[-2:]}"
    return f"{name[:2]}**{name[-2:]}"


def masked_number(number: str) -> str:
    """A certificate number with its middle hidden."""
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}" if len(number) > 8 else "****"


def masked_phone(phone: str) -> str:
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 7 else "****"
