"""Words for people: states, holders, acts, sources. Chinese, no jargon; names masked in public."""

from __future__ import annotations

from datetime import date

from zhengwu.accounts.queries import Names
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
DOCUMENTS = {"acceptance_notice": "受理通知书", "decision": "决定书"}
CLAIMS = {"deadline": "来源系统的期限", "planned_end": "来源系统的计划办结"}
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
    "not_needed": "不需许可",
    "not_ours": "不属职权",
    "accepted": "受理",
    "deemed_accepted": "逾期视为受理",
    "step_taken": "接办",
    "step_done": "办结环节",
    "step_returned": "退回环节",
    "handed_over": "移交",
    "opinion_requested": "征求意见",
    "opinion_given": "反馈意见",
    "suspended": "进入特别程序",
    "resumed": "恢复计时",
    "extended": "延期",
    "forwarded": "转报上级",
    "came_back": "上级批复",
    "granted": "准予许可",
    "refused": "不予许可",
    "licence_made": "制证",
    "ready": "通知领取",
    "delivered": "送达",
    "closed": "办结",
    "withdrawn": "撤回申请",
    "terminated": "终止",
    "archived": "归档",
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
    name = names.agency(agency)
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
    return names.agency(event.agency), "" if public else names.person(event.actor)


def title(event: Event) -> str:
    if event.nature == Nature.OBSERVATION:
        if event.kind == "step":
            return str(event.body.get("step") or "环节")
        return OBSERVED.get(event.kind, event.kind)
    return ACTS.get(event.kind, event.kind)


def text(event: Event, names: Names) -> str:
    """One sentence on what the event says, from its body; free text stays in its content row."""
    body = event.body
    if event.nature == Nature.OBSERVATION:
        foreign = body.get("foreign") or {}
        name = str(foreign.get("name") or "")
        return "" if name in ("", "end", str(body.get("step") or "")) else name
    if event.kind == "received":
        materials = body.get("materials") or []
        got = sum(1 for m in materials if m.get("state") == "received")
        short = len(materials) - got
        return f"收材料 {got} 项" + (f"，缺 {short} 项" if short else "，材料齐全")
    if event.kind == "accepted":
        words = [
            f"{'承诺' if limit['kind'] == 'promised' else '法定'} {limit['value']} "
            f"{UNITS.get(str(limit['unit']), str(limit['unit']))}"
            for limit in body.get("limits", [])
        ]
        return "，".join(words) or "当场办理"
    if event.kind == "suspended":
        until = date.fromisoformat(str(body["until"]))
        return (
            f"{PROCEDURES.get(str(body.get('procedure')), '特别程序')}，"
            f"书面告知需要 {body.get('days')} 个工作日，到 {until.month} 月 {until.day} 日；期间不计时"
        )
    if event.kind == "extended":
        return f"延长 {body.get('days')} 个工作日"
    if event.kind == "delivered":
        return MEANS.get(str(body.get("means")), "")
    if event.kind == "supplement_requested":
        return f"缺 {len(body.get('materials', []))} 项，已一次告知"
    if target := body.get("to"):
        return f"移交{names.agency(str(target.get('agency') or ''))}"
    return ""


UNITS = {
    "working_day": "个工作日",
    "calendar_day": "日",
    "natural_day": "日",
    "month": "个月",
    "year": "年",
    "hour": "小时",
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
