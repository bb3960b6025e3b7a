"""The rules of supervision (监察规则) as data: what they look at, from which point on, how severe.

A rule names a matter (对象) and tests its attributes; `domain.supervising` says which matters a story
holds. Rules come with the software and are changed by entries of the log, each with its dates of
force, so that a card is judged by the rules of its day. docs/reference/rules.md is printed from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from zhengwu.domain.lifecycle import PROCEDURES
from zhengwu.domain.refusal import Refusal


class Level(StrEnum):
    """How severe a finding is (级别); yellow and red are cards."""

    HINT = "hint"
    WARNING = "warning"
    YELLOW = "yellow"
    RED = "red"


LEVELS_ZH: Mapping[Level, str] = {
    Level.HINT: "提示", Level.WARNING: "预警", Level.YELLOW: "黄牌", Level.RED: "红牌",
}  # fmt: skip
RANK: Mapping[str, int] = {level: nth for nth, level in enumerate(Level)}
CARDS = frozenset({Level.YELLOW, Level.RED})


class Dialect(StrEnum):
    """What the colours mean (牌色口径): both are in use in China, so it is a setting of the city."""

    OVERDUE = (
        "overdue"  # yellow: a limit passed or a rule broken; red: gravely (深圳、广东 2005 起)
    )
    APPROACHING = "approaching"  # yellow: 90 % of the promise is used; red: passed (成都、榆林)


DIALECTS_ZH: Mapping[Dialect, str] = {
    Dialect.OVERDUE: "黄牌 = 超期或者违规，红牌 = 严重",
    Dialect.APPROACHING: "黄牌 = 临近期限，红牌 = 超期或者违规",
}
DIMENSIONS: Mapping[str, str] = {
    "time": "时效", "procedure": "流程", "content": "内容", "fee": "收费", "conduct": "作风",
    "data": "数据",
}  # fmt: skip
RECEIVERS: Mapping[str, str] = {"desk": "责任岗位", "head": "机关负责人", "supervisor": "监察人员"}
# Whom a finding is served to, as one number: a bit for each of RECEIVERS.
DESK, HEAD, SUPERVISOR = 1, 2, 4
SERVED: Mapping[str, int] = {"desk": DESK, "head": HEAD, "supervisor": SUPERVISOR}
# The nine parts of the published score (量化测评), by whose code a rule says where it takes points.
SCORED: Mapping[str, str] = {
    "openness": "政务公开", "process": "流程规范", "limits": "期限合法", "fees": "收费合理",
    "satisfaction": "满意度评价", "attitude": "服务态度", "oversight": "监督检查",
    "liability": "法律责任", "integrity": "廉洁行政",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something a rule can test. kind: number | flag | choice | text. point: says when, not what.

    no: how a flag reads that is not so.
    """

    code: str
    zh: str
    kind: str
    unit: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    least: int = 0
    most: int = 0
    point: bool = False
    no: str = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """What can come to light (对象). whole: of a case; else of a source, or of other findings."""

    code: str
    zh: str
    what: str
    attributes: tuple[Attribute, ...]
    of: str = "case"  # case | source | findings | hand

    def attribute(self, code: str) -> Attribute | None:
        return next((one for one in self.attributes if one.code == code), None)

    @property
    def timed(self) -> bool:
        """Whether time alone brings it to light."""
        return any(one.point for one in self.attributes)


LIMITS: Mapping[str, str] = {
    "acceptance": "答复是否受理", "promised": "承诺决定", "statutory": "法定决定", "joint": "联合办理",
    "lower_review": "初审转报", "step": "环节", "delivery": "送达", "claim": "来源系统自报",
}  # fmt: skip
KINDS: Mapping[str, str] = {"immediate": "即办件", "promised": "承诺件", "forwarded": "上报件"}
OUTCOMES: Mapping[str, str] = {
    "granted": "准予", "refused": "不予", "not_ours": "不属职权", "not_needed": "不需许可",
    "unknown": "没有说明",
}  # fmt: skip
_KIND = Attribute("kind", "办件类型", "choice", choices=KINDS)


def _number(
    code: str, zh: str, unit: str, least: int, most: int, *, point: bool = False
) -> Attribute:
    return Attribute(code, zh, "number", unit, least=least, most=most, point=point)


def _flag(code: str, zh: str, no: str) -> Attribute:
    return Attribute(code, zh, "flag", no=no)


MATTERS: tuple[Matter, ...] = (
    Matter("limit", "期限", "一个期限走到了某一点，或者已经超过。", (
        Attribute("limit", "哪一种期限", "choice", choices=LIMITS),
        _number("left", "只剩", "个工作日", 0, 60, point=True),
        _number("used", "用去", "‰", 1, 5000, point=True),
        _number("over", "届满后", "个工作日", 0, 250, point=True),
        _number("value", "期限长度", "", 0, 2500),
        _flag("statutory_over", "法定期限也已超过", "法定期限还没有超过"),
        _flag("whole_over", "整件的期限也已超过", "整件的期限还没有超过"),
        _KIND,
    )),
    Matter("special", "特别程序", "特别程序用去告知申请人的时间的若干千分，仍没有恢复。", (
        _number("used", "用去告知天数的", "‰", 1000, 5000, point=True),
        Attribute("procedure", "哪一种", "choice", choices=PROCEDURES),
    )),
    Matter("opinion", "征求意见", "被征求意见的部门到期没有答复；由它负责。", (
        _number("over", "届满后", "个工作日", 0, 60, point=True),
    )),
    Matter("notice", "补正告知", "发出一次补正告知。", (
        _number("nth", "第几次", "次", 1, 20),
        _number("more", "上次没有告知的材料", "件", 0, 100),
    )),
    Matter("asked_outside", "指南以外的材料", "向申请人要办事指南以外的材料。", (
        _number("codes", "几件", "件", 1, 100),
        Attribute("how", "怎样发现", "choice", choices={
            "attempt": "系统当场拒绝", "system": "来源系统报送", "notice": "补正告知书"}),
    )),
    Matter("pause", "暂停计时", "开始一个特别程序。", (
        _flag("listed", "在法定八种之内", "不在法定八种之内"), _flag("told", "书面告知了时间", "没有书面告知时间"),
    )),
    Matter("extension", "延期", "延长办理期限。", (
        _number("nth", "第几次", "次", 1, 20), _flag("late", "期满以后", "期满以前"),
        _flag("approved", "有负责人批准", "没有负责人批准"),
    )),
    Matter("decision", "决定", "作出决定，或者决定不予受理。", (
        Attribute("outcome", "结果", "choice", choices=OUTCOMES),
        _flag("reasons", "说明了理由", "没有说明理由"), _flag("heard", "举行过听证", "没有举行过听证"),
        _flag("same_person", "受理人就是决定人", "受理人不是决定人"), _KIND,
        Attribute("item", "事项名称包含", "text"),
    )),
    Matter("inspection", "现场核查", "登记一次现场核查。", (_number("people", "到场人数", "人", 0, 100),)),
    Matter("deviation", "偏离流程", "其他系统报来的情况与办件生命周期不符。", (
        Attribute("what", "不符之处包含", "text"),
    )),
    Matter("late_entry", "补录", "记载的时间晚于发生的时间。", (
        _number("days", "晚", "个工作日", 1, 250), _flag("own", "本平台办理的", "其他系统办理的"),
    )),
    Matter("place", "收件地点", "收到一个进驻事项的申请。", (_flag("in_hall", "在大厅或者网上", "不在大厅，也不在网上"),)),
    Matter("correction", "发牌以后的更正", "发牌以后报来的情况改变了发牌的依据。", (
        Attribute("entry", "怎样更正", "choice", choices={
            "late": "补登以前发生的事", "withdrawn": "撤销记载", "changed": "改动记载"}),
    )),
    Matter("gap", "数据中断", "一个平常每个工作日都报送的来源系统没有报送。", (
        _number("days", "连续", "个工作日", 1, 60),
    ), of="source"),
    Matter("repeat", "屡次", "同一个人或者同一机关在一个自然月里的同一种发现达到次数。", (
        Attribute("of", "哪一条规则", "text"), _number("count", "达到", "次", 2, 100),
        Attribute("per", "按谁", "choice", choices={"person": "个人", "agency": "机关"}),
    ), of="findings"),
    Matter("hand", "人工发现", "监察人员在抽查、检查中发现，附理由发出。", (), of="hand"),
)  # fmt: skip
BY_MATTER: Mapping[str, Matter] = {one.code: one for one in MATTERS}


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison (条件): attribute, op (ge | le | is | in | has), value."""

    attribute: str
    op: str
    value: Any

    def holds(self, facts: Mapping[str, Any]) -> bool:
        found = facts.get(self.attribute)
        if found is None:
            return False
        if self.op == "ge":
            return bool(found >= self.value)
        if self.op == "le":
            return bool(found <= self.value)
        if self.op == "is":
            return bool(found is self.value)
        if self.op == "in":
            return found in self.value
        return str(self.value) in str(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule (监察规则). where: all must hold. levels: by dialect. sign, answer: working days, 0 none.

    receivers: of RECEIVERS; of what supervisors alone are served nobody else learns. scored: the part
    of the score it takes points from, "" for none. whole: it says that a whole case is late, which
    opens accountability by itself. until: the first day it no longer holds.
    """

    code: str
    zh: str
    dimension: str
    matter: str
    where: tuple[Test, ...]
    level: Level
    approaching: Level | None = None  # in the other dialect; None: the same
    receivers: tuple[str, ...] = ("desk", "head")
    sign: int = 1
    answer: int = 5
    scored: str = ""
    whole: bool = False
    basis: str
    since: date
    until: date | None = None
    # The test that says from when on, of a timed matter, and those that say of what.
    point: Test | None = field(init=False, compare=False, repr=False)
    tests: tuple[Test, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        matter = BY_MATTER.get(self.matter)
        points = {one.code for one in matter.attributes if one.point} if matter else set()
        point = next((one for one in self.where if one.attribute in points), None)
        object.__setattr__(self, "point", point)
        object.__setattr__(self, "tests", tuple(one for one in self.where if one is not point))

    def in_force(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)

    @property
    def served(self) -> int:
        """Whom its findings are served to, as bits of SERVED. A rule that was written before `faults`
        asked whom it may be kept from is kept from nobody.
        """
        bits = sum({SERVED[one] for one in self.receivers if one in SERVED})
        if not bits or (bits == SUPERVISOR and any(_unkept(self))):
            return bits | DESK | HEAD
        return bits

    def severity(self, dialect: Dialect) -> Level:
        if dialect is Dialect.APPROACHING and self.approaching is not None:
            return self.approaching
        return self.level

    def holds(self, facts: Mapping[str, Any]) -> bool:
        return all(one.holds(facts) for one in self.tests)


BEGAN = date(2004, 7, 1)  # 行政许可法
_G = "广东省行政审批电子监察管理办法（黄牌、红牌）"
_L = "行政许可法"


def _rule(
    code: str, zh: str, matter: str, level: str, basis: str, *where: tuple[str, str, Any], **more: Any
) -> Rule:  # fmt: skip
    return Rule(
        code=code, zh=zh, dimension={"T": "time", "P": "procedure", "C": "content", "D": "data",
                                     "H": "conduct"}[code[0]],
        matter=matter, where=tuple(Test(*one) for one in where), level=Level(level), basis=basis,
        since=BEGAN, **more,
    )  # fmt: skip


_QUIET: Mapping[str, Any] = {"sign": 0, "answer": 0, "receivers": ("desk",)}
# A clue for spot checks: whoever may be checked is not told of it.
_CLUE: Mapping[str, Any] = {"sign": 0, "answer": 0, "receivers": ("supervisor",)}
_LATE: Mapping[str, Any] = {"scored": "limits", "approaching": Level.RED}
_WRONG: Mapping[str, Any] = {"scored": "process", "approaching": Level.RED}
SHIPPED: tuple[Rule, ...] = (
    _rule("T01", "承诺时限只剩 1 个工作日", "limit", "hint", "各地通行做法：承诺期限届满前 1 个工作日提醒",
          ("limit", "in", ("promised",)), ("left", "le", 1), ("value", "ge", 4), **_QUIET),
    _rule("T01S", "短的承诺时限今天到期", "limit", "hint", "各地通行做法：3 个工作日以内的在届满当日提醒",
          ("limit", "in", ("promised",)), ("left", "le", 0), ("value", "le", 3), **_QUIET),
    _rule("T02", "承诺时限已用九成", "limit", "warning", "榆林市电子监察：达到承诺时限 90 % 未办结的",
          ("limit", "in", ("promised",)), ("used", "ge", 900), ("value", "ge", 10),
          approaching=Level.YELLOW, **_QUIET),
    _rule("T03", "超过承诺时限", "limit", "yellow", f"{_L} 第四十二条；电子监察：审批事项超期即亮牌",
          ("limit", "in", ("promised", "claim")), ("over", "ge", 0), ("statutory_over", "is", False),
          whole=True, **_LATE),
    _rule("T04", "超过法定时限", "limit", "red", f"{_L} 第四十二条、第七十四条",
          ("limit", "in", ("statutory",)), ("over", "ge", 0), whole=True, scored="limits"),
    _rule("T05", "超过承诺时限 3 个工作日仍未决定", "limit", "red", "本市设定：黄牌后 3 个工作日仍未办结的",
          ("limit", "in", ("promised", "claim")), ("over", "ge", 3), whole=True, scored="limits"),
    _rule("T06", "环节超时，整件未超", "limit", "warning", "电子监察：环节超时而整件未超的，予以预警",
          ("limit", "in", ("step",)), ("over", "ge", 0), ("whole_over", "is", False), scored="limits"),
    _rule("T06H", "环节超时过半，整件未超", "limit", "yellow", "本市设定：超过环节时限一半以上",
          ("limit", "in", ("step",)), ("used", "ge", 1501), ("whole_over", "is", False), **_LATE),
    _rule("T07", "五个工作日内没有答复是否受理", "limit", "yellow", f"{_L} 第三十二条第一款第四项",
          ("limit", "in", ("acceptance",)), ("over", "ge", 0), **_LATE),
    _rule("T08", "准予后十个工作日内没有送达", "limit", "yellow", f"{_L} 第四十四条",
          ("limit", "in", ("delivery",)), ("over", "ge", 0), **_LATE),
    _rule("T09", "下级机关初审超过二十个工作日", "limit", "yellow", f"{_L} 第四十三条",
          ("limit", "in", ("lower_review",)), ("over", "ge", 0), **_LATE),
    _rule("T10", "特别程序超过告知的时间", "special", "warning", f"{_L} 第四十五条",
          ("used", "ge", 1000), scored="limits"),
    _rule("T10D", "特别程序达到告知时间的两倍", "special", "yellow", "本市设定：超过告知时间一倍",
          ("used", "ge", 2000), **_LATE),
    _rule("T11", "逾期没有答复征求的意见", "opinion", "yellow", "本市并联审批规定：协办意见的期限",
          ("over", "ge", 0), **_LATE),
    _rule("T12", "联合办理超过四十五个工作日", "limit", "red", f"{_L} 第四十二条第二款",
          ("limit", "in", ("joint",)), ("over", "ge", 0), whole=True, scored="limits"),
    _rule("P01", "环节缺失或者次序颠倒", "deviation", "yellow", f"{_L} 第三十四条、第三十七条", **_WRONG),
    _rule("P02", "再次告知本可一次告知的材料", "notice", "yellow", f"{_L} 第三十二条第一款第四项",
          ("nth", "ge", 2), ("more", "ge", 1), **_WRONG),
    _rule("P03", "暂停计时没有书面告知", "pause", "yellow", f"{_L} 第四十五条", ("told", "is", False), **_WRONG),
    _rule("P03U", "暂停计时的原因不在法定八种之内", "pause", "yellow", f"{_L} 第四十五条",
          ("listed", "is", False), **_WRONG),
    _rule("P04", "期满后才延期", "extension", "yellow", f"{_L} 第四十二条", ("late", "is", True), **_WRONG),
    _rule("P04T", "再次延期", "extension", "yellow", f"{_L} 第四十二条", ("nth", "ge", 2), **_WRONG),
    _rule("P04H", "延期没有负责人批准", "extension", "yellow", f"{_L} 第四十二条",
          ("approved", "is", False), **_WRONG),
    _rule("P05", "不予许可或者不予受理没有说明理由", "decision", "yellow", f"{_L} 第三十二条、第三十八条",
          ("outcome", "in", ("refused", "not_ours", "not_needed")), ("reasons", "is", False), **_WRONG),
    _rule("P06", "现场核查不足两人", "inspection", "yellow", f"{_L} 第三十四条第三款", ("people", "le", 1), **_WRONG),
    _rule("P07", "应当听证而没有听证", "decision", "red", "娱乐场所管理条例 第十条",
          ("outcome", "in", ("granted", "refused")), ("heard", "is", False), ("item", "has", "娱乐"),
          scored="process"),
    _rule("P08", "承诺件的受理人和决定人是同一人", "decision", "warning", "审批内控：受理与决定分离",
          ("same_person", "is", True), ("kind", "in", ("promised", "forwarded")), scored="process"),
    _rule("P09", "补录：晚于发生一个工作日以上", "late_entry", "warning", "行政审批电子监察：及时录入",
          ("days", "ge", 2), scored="oversight", answer=0, sign=0),
    _rule("P09R", "一个月内三次以上补录", "repeat", "yellow", "本市设定：屡次补录",
          ("of", "has", "P09"), ("count", "ge", 3), ("per", "in", ("person",)),
          scored="oversight", approaching=Level.RED),
    _rule("P10", "进驻事项在大厅以外受理", "place", "red", "优化营商环境条例 第三十五条；本市“一门受理”规定",
          ("in_hall", "is", False), scored="process"),
    _rule("P11", "不予许可或者不予受理，列为抽查线索", "decision", "hint", f"{_L} 第六十条",
          ("outcome", "in", ("refused", "not_ours", "not_needed")), ("reasons", "is", True), **_CLUE),
    _rule("C02", "要办事指南以外的材料", "asked_outside", "yellow", f"{_L} 第三十一条；优化营商环境条例 第四十条",
          ("codes", "ge", 1), scored="openness", approaching=Level.RED),
    _rule("D02", "来源系统整个工作日没有报送", "gap", "warning", "数据交换：批次缺失超过 24 小时",
          ("days", "ge", 1), scored="oversight", receivers=("head", "supervisor")),
    _rule("D03", "发牌以后的更正", "correction", "warning", "本市设定：迟到的更正不能悄悄抹掉一张牌",
          scored="oversight", receivers=("desk", "head", "supervisor")),
    _rule("H01", "抽查、检查中发现", "hand", "yellow", "行政监察：人工发现", receivers=("desk", "head")),
)  # fmt: skip


def words(test: Test, matter: Matter) -> str:
    """A comparison as one reads it."""
    about = matter.attribute(test.attribute)
    assert about is not None
    if about.kind == "flag":
        return about.zh if test.value else about.no
    if about.kind == "choice":
        named = "、".join(about.choices.get(one, str(one)) for one in test.value)
        return named if about.zh.startswith("哪一种") else f"{about.zh}：{named}"
    if about.kind == "text":
        return f"规则 {test.value}" if about.code == "of" else f"{about.zh}“{test.value}”"
    if about.code == "used":
        return f"{about.zh} {test.value / 10:g} %"
    if about.point:
        if not test.value:
            return "已经届满" if about.code == "over" else "到了最后一天"
        return f"{about.zh} {test.value} {about.unit}".strip()
    more = "以上" if test.op == "ge" else "以下"
    return f"{about.zh} {test.value} {about.unit}{more}"


# --- a rule as somebody wrote it ---------------------------------------------------------------------

BASIS = 300  # most characters


def _no(code: str, sentence: str, field_: str) -> Refusal:
    return Refusal(f"rule.{code}", sentence, field=field_)


def as_data(rule: Rule) -> dict[str, Any]:
    """A rule as the body of an entry holds it; `of_data` reads it."""
    return {
        "code": rule.code, "zh": rule.zh, "dimension": rule.dimension, "matter": rule.matter,
        "where": [[one.attribute, one.op, list(one.value) if one.op == "in" else one.value]
                  for one in rule.where],
        "level": str(rule.level), "approaching": str(rule.approaching) if rule.approaching else None,
        "receivers": list(rule.receivers), "sign": rule.sign, "answer": rule.answer,
        "scored": rule.scored, "whole": rule.whole, "basis": rule.basis,
        "since": rule.since.isoformat(), "until": rule.until.isoformat() if rule.until else None,
    }  # fmt: skip


def of_data(given: Mapping[str, Any]) -> Rule:
    """A rule from an entry's body; one that was checked before."""
    return Rule(
        code=given["code"], zh=given["zh"], dimension=given["dimension"], matter=given["matter"],
        where=tuple(
            Test(a, op, tuple(value) if op == "in" else value) for a, op, value in given["where"]
        ),
        level=Level(given["level"]),
        approaching=Level(given["approaching"]) if given.get("approaching") else None,
        receivers=tuple(given["receivers"]), sign=given["sign"], answer=given["answer"],
        scored=given["scored"], whole=given["whole"], basis=given["basis"],
        since=date.fromisoformat(given["since"]),
        until=date.fromisoformat(given["until"]) if given.get("until") else None,
    )  # fmt: skip


def check(rule: Rule) -> None:
    """Refuse what cannot be a rule, naming the field. Raises the first Refusal of `faults`."""
    for fault in faults(rule):
        raise fault


def faults(rule: Rule) -> Iterator[Refusal]:
    """Everything for which it cannot be a rule. field: one of the rule's; of a comparison
    `where.<attribute>`.
    """
    matter = BY_MATTER.get(rule.matter)
    if not rule.code.isalnum() or not rule.code.isascii() or len(rule.code) > 16:
        yield _no("code", "规则代码由字母和数字组成，最多 16 个。", "code")
    if not rule.zh.strip() or len(rule.zh) > 100:
        yield _no("name", "请填写规则的名称，最多 100 个字。", "zh")
    if rule.dimension not in DIMENSIONS:
        yield _no("dimension", "没有这个维度。请从列表里选择。", "dimension")
    if rule.scored and rule.scored not in SCORED:
        yield _no("scored", "没有这个计分项。请从列表里选择。", "scored")
    if not rule.receivers or set(rule.receivers) - set(RECEIVERS):
        yield _no(
            "receivers", "请至少选择一个送达对象：责任岗位、机关负责人或者监察人员。", "receivers"
        )
    elif not {"desk", "head"} & set(rule.receivers):
        yield from _unkept(rule)
    if not rule.basis.strip() or len(rule.basis) > BASIS:
        yield _no("basis", f"请写明依据：法律条文，或者设定它的文件，最多 {BASIS} 个字。", "basis")
    if not 0 <= rule.sign <= 30:
        yield _no("sign", "签收期限是 0 到 30 个工作日；不需要签收的填 0。", "sign")
    if not 0 <= rule.answer <= 60:
        yield _no("answer", "答复期限是 0 到 60 个工作日；不需要答复的填 0。", "answer")
    elif rule.answer and rule.answer < rule.sign:
        yield _no("terms", "答复期限不能比签收期限短。", "answer")
    if rule.until is not None and rule.until <= rule.since:
        yield _no("dates", "失效日期应当晚于生效日期。", "until")
    if matter is None:
        yield _no("matter", f"没有“{rule.matter[:20]}”这种对象。请从列表里选择。", "matter")
    else:
        yield from _possible(rule, matter)
    if rule.whole and matter is not None and not _late(rule, matter):
        yield _no("whole", "只有期限届满以后的规则才能算整件超期、启动问责。", "whole")


def _unkept(rule: Rule) -> Iterator[Refusal]:
    """Why a rule cannot be served to supervisors alone: what has to be signed, answered, atoned for
    or appealed against is told to the agency, and what opens accountability is seen by its head.
    """
    but = f"规则 {rule.code[:16]} 只送达监察人员"
    more = "或者加选责任岗位、机关负责人为送达对象。"
    if rule.sign or rule.answer:
        yield _no(
            "served_terms",
            f"规则 {rule.code[:16]} 要签收或者答复，却没有送达责任岗位，也没有送达机关负责人。"
            "请加选其中一个，或者把签收、答复期限都填 0。", "receivers",
        )  # fmt: skip
    if rule.scored:
        yield _no(
            "served_scored",
            f"{but}，不能计分：被扣分的机关看不到它。请改为不计分，{more}",
            "scored",
        )
    if rule.whole:
        yield _no(
            "served_whole",
            f"{but}，不能算整件超期：它启动的问责机关看得到。请取消整件超期，{more}", "whole",
        )  # fmt: skip
    for name, level in (("level", rule.level), ("approaching", rule.approaching)):
        if level in CARDS:
            yield _no(
                f"served_{name}",
                f"{but}，不能亮牌：收不到牌的机关无从申诉。级别请改为提示或者预警，{more}", name,
            )  # fmt: skip
    if rule.matter == "hand":
        yield _no(
            "served_hand", f"{but}，而人工发现要让机关知道。请加选责任岗位、机关负责人为送达对象。",
            "receivers",
        )  # fmt: skip


def _late(rule: Rule, matter: Matter) -> bool:
    """Whether it speaks of what is over; one that says no point, or two, is refused for that."""
    points = {one.code for one in matter.attributes if one.point}
    said = [one.attribute for one in rule.where if one.attribute in points]
    return matter.timed and (len(said) != 1 or said == ["over"])


_OPS: Mapping[str, tuple[str, ...]] = {
    "number": ("ge", "le"), "flag": ("is",), "choice": ("in",), "text": ("has",),
}  # fmt: skip


def _possible(rule: Rule, matter: Matter) -> Iterator[Refusal]:
    """Whether the condition can come true at all."""
    bounds: dict[tuple[str, str], Any] = {}
    points = []
    for test in rule.where:
        about, place = matter.attribute(test.attribute), f"where.{test.attribute[:20]}"
        if about is None:
            yield _no("attribute", f"“{matter.zh}”没有“{test.attribute[:20]}”可以比较。", place)
            continue
        if test.op not in _OPS[about.kind] or (about.point and test.op != _toward(about)):
            yield _no("op", f"“{about.zh}”不能这样比较。", place)
            continue
        if (test.attribute, test.op) in bounds:
            yield _no("twice", f"“{about.zh}”写了两次。请只保留一个条件。", place)
        bounds[test.attribute, test.op] = test.value
        if wrong := _value(test, about):
            yield _no("value", wrong, place)
            del bounds[test.attribute, test.op]
        if about.point:
            points.append(about)
    for about in matter.attributes:
        low, high = bounds.get((about.code, "ge")), bounds.get((about.code, "le"))
        if low is not None and high is not None and low > high:
            yield _no(
                "impossible", f"“{about.zh}”不可能既不小于 {low} 又不大于 {high}。",
                f"where.{about.code}",
            )  # fmt: skip
    if matter.timed and len(points) != 1:
        possible = [one for one in matter.attributes if one.point]
        names = "、".join(f"“{one.zh}”" for one in possible)
        only = "，只能写一个" if len(possible) > 1 else ""
        at = points[1] if len(points) > 1 else possible[0]
        yield _no(
            "point", f"“{matter.zh}”的规则要写明从哪一刻起：{names}{only}。", f"where.{at.code}"
        )


def _toward(about: Attribute) -> str:
    """From a point on: what is left falls to it, everything else rises to it."""
    return "le" if about.code == "left" else "ge"


def _value(test: Test, about: Attribute) -> str:
    """What is wrong with the value, in words; "" where nothing is."""
    value = test.value
    if about.kind == "number":
        if isinstance(value, bool) or not isinstance(value, int):
            return f"“{about.zh}”应当是整数。"
        if not about.least <= value <= about.most:
            return f"“{about.zh}”应当在 {about.least} 到 {about.most} {about.unit}之间。"
    elif about.kind == "flag":
        if not isinstance(value, bool):
            return f"“{about.zh}”只能是或者否。"
    elif about.kind == "choice":
        if isinstance(value, str) or not value or set(value) - set(about.choices):
            return f"请从列表里选择“{about.zh}”。"
    elif not str(value).strip() or len(str(value)) > 40:
        return f"请填写“{about.zh}”，最多 40 个字。"
    return ""


# --- the rulebook ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules with their dates, as known after some entries (规则册).

    number: the version of the last change; 0 as shipped. settings: what else was decided, newest
    last: (since, kind, value), e.g. the dialect or the weights of the score.
    """

    rules: tuple[Rule, ...] = SHIPPED
    number: int = 0
    settings: tuple[tuple[date, str, Any], ...] = ()
    _days: dict[date, tuple[Rule, ...]] = field(
        default_factory=dict, compare=False, repr=False, hash=False
    )
    _matters: dict[date, Mapping[str, tuple[Rule, ...]]] = field(
        default_factory=dict, compare=False, repr=False, hash=False
    )
    _limits: dict[str, tuple[Rule, ...]] = field(
        default_factory=dict, compare=False, repr=False, hash=False
    )
    _early: dict[str, tuple[Rule, ...]] = field(
        default_factory=dict, compare=False, repr=False, hash=False
    )

    def on(self, day: date) -> tuple[Rule, ...]:
        """The rules in force on a day."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = tuple(one for one in self.rules if one.in_force(day))
        return found

    def about(self, matter: str, day: date) -> tuple[Rule, ...]:
        """The rules about a matter in force on a day."""
        found = self._matters.get(day)
        if found is None:
            sorted_: dict[str, tuple[Rule, ...]] = {}
            for one in self.on(day):
                sorted_[one.matter] = (*sorted_.get(one.matter, ()), one)
            found = self._matters[day] = sorted_
        return found.get(matter, ())

    def timed(self, limit: str) -> tuple[Rule, ...]:
        """The rules about the limits of a kind in all their versions: what came true is judged by
        the one of its day, whenever somebody looks.
        """
        found = self._limits.get(limit)
        if found is None:
            found = self._limits[limit] = tuple(
                one for one in self.every("limit")
                if all(limit in t.value for t in one.tests if t.attribute == "limit")
            )  # fmt: skip
        return found

    def early(self, limit: str) -> tuple[Rule, ...]:
        """Of those the ones that may call before the limit ends."""
        found = self._early.get(limit)
        if found is None:
            found = self._early[limit] = tuple(
                one for one in self.timed(limit) if one.point is not None and _before_end(one.point)
            )
        return found

    def every(self, matter: str) -> tuple[Rule, ...]:
        """The rules about a matter in all their versions."""
        return tuple(one for one in self.rules if one.matter == matter)

    def rule(self, code: str, day: date) -> Rule | None:
        return next((one for one in self.on(day) if one.code == code), None)

    def setting(self, kind: str, day: date) -> Any:
        """What was decided and holds on a day; None where nothing was."""
        held = [(since, nth, v) for nth, (since, k, v) in enumerate(self.settings) if k == kind]
        return max((one for one in held if one[0] <= day), default=(None, 0, None))[2]

    def dialect(self, day: date) -> Dialect:
        return Dialect(self.setting("dialect", day) or Dialect.OVERDUE)

    def level(self, rule: Rule, day: date) -> Level:
        return rule.severity(self.dialect(day))

    def with_change(self, change: Mapping[str, Any], number: int) -> Rulebook:
        """After a confirmed change: {rule: …} or {setting, since, value}. Raises Refusal where dates
        overlap.

        A new version of a rule ends the one before it on the day it begins.
        """
        if "setting" in change:
            since = date.fromisoformat(change["since"])
            return replace(
                self, number=number, _days={}, _matters={}, _limits={}, _early={},
                settings=(*self.settings, (since, change["setting"], change["value"])),
            )  # fmt: skip
        return replace(
            self, number=number, rules=_changed(self.rules, of_data(change["rule"])), _days={},
            _matters={}, _limits={}, _early={},
        )  # fmt: skip


def _before_end(point: Test) -> bool:
    """Whether a point of a limit may lie before its end; over, and used beyond all of it, do not."""
    return point.attribute == "left" or (point.attribute == "used" and point.value <= 1000)


def _changed(rules: Sequence[Rule], new: Rule) -> tuple[Rule, ...]:
    kept = []
    for one in rules:
        if one.code != new.code:
            kept.append(one)
        elif one.since == new.since:
            continue  # the same version written anew
        elif one.since > new.since:
            raise _no(
                "overlap",
                f"规则 {new.code} 已有 {one.since} 起生效的版本，日期不能重叠。请从那一天以后开始，"
                "或者改那个版本。", "since",
            )  # fmt: skip
        elif one.until is None or one.until > new.since:
            kept.append(replace(one, until=new.since))
        else:
            kept.append(one)
    return (*kept, new)


def fold(changes: Iterable[tuple[int, Mapping[str, Any]]]) -> Rulebook:
    """The rulebook after confirmed changes, (version of the confirmation, change) in order."""
    book = Rulebook()
    for number, change in changes:
        book = book.with_change(change, number)
    return book


def page() -> str:
    """docs/reference/rules.md, whole; a test keeps the file equal."""
    rows = []
    for one in SHIPPED:
        matter = BY_MATTER[one.matter]
        when = "；".join(words(test, matter) for test in one.where) or matter.what.rstrip("。")
        level = LEVELS_ZH[one.level]
        if one.approaching:
            level += f"（另一口径：{LEVELS_ZH[one.approaching]}）"
        answer = f"{one.sign}、{one.answer}" if one.answer else "—"
        rows.append(
            f"| {one.code} | {one.zh} | {DIMENSIONS[one.dimension]} | {matter.zh}：{when} | {level} |"
            f" {'、'.join(RECEIVERS[r] for r in one.receivers)} | {answer} |"
            f" {SCORED.get(one.scored, '—')} | {one.basis} |"
        )
    matters = [
        f"- **{one.zh}** `{one.code}`：{one.what}"
        + (f"可以比较：{'、'.join(a.zh for a in one.attributes)}。" if one.attributes else "")
        for one in MATTERS
    ]
    dialects = "；".join(f"`{one}` {zh}" for one, zh in DIALECTS_ZH.items())
    return (
        "# 监察规则\n\n本页由 `zhengwu.domain.rulebook` 生成，测试保证与程序一致；重新生成："
        "`python -m zhengwu.domain.rulebook > docs/reference/rules.md`。\n\n"
        "这些是随软件提供的规则，本市可以在“监察规则”页改动，每次改动由第二个人确认、写进事件账、"
        "从生效之日起适用；改动以前先在历史上试算。\n\n"
        f"牌色有两种口径，由本市设定：{dialects}。默认是前一种。\n\n"
        "| 代码 | 名称 | 维度 | 条件 | 级别 | 送达 | 签收、答复（工作日） | 计分项 | 依据 |\n"
        "|---|---|---|---|---|---|---|---|---|\n" + "\n".join(rows)
        + "\n\n## 对象\n\n规则看的是什么，比较什么：\n\n" + "\n".join(matters) + "\n"
    )  # fmt: skip


if __name__ == "__main__":
    print(page(), end="")
