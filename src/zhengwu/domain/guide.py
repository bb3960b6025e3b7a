"""A guide as data (办事指南要素): its elements, what a lower level may change, what is refused.

The elements are those of GB/T 39046-2020 and of the national implementation list (实施清单,
GB/T 39554.2). A level below inherits the level above and may depart from it only in the applicant's
favour: 优化营商环境条例 35 (the same item, the same standard), 行政许可法 16 (nothing added below).
Content is a plain mapping that JSON can carry: element code → value; what is empty is not in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from zhengwu.domain.procedure import UNITS_ZH, Flow, Limit, Step, Unit
from zhengwu.domain.refusal import Refusal

Content = Mapping[str, Any]

LICENCE = "行政许可"
# GB/T 39046 A.1, and the class that lists of the 2010s call 其他行政权力.
TYPES = (
    "行政许可", "行政处罚", "行政强制", "行政征收", "行政给付", "行政检查", "行政确认", "行政奖励",
    "行政裁决", "其他行政权力", "政府内部审批", "公共服务",
)  # fmt: skip
KINDS_ZH = {"immediate": "即办件", "promised": "承诺件", "forwarded": "上报件"}
# GB/T 39046 A.4, A.5, A.3, A.2.
TARGETS_ZH = {
    "1": "自然人", "2": "企业法人", "3": "事业法人", "4": "社会组织法人", "5": "行政机关",
    "6": "其他组织",
}  # fmt: skip
CHANNELS_ZH = {"1": "窗口", "2": "电脑端", "3": "移动端", "4": "快递", "9": "其他"}
NATURES_ZH = {"1": "法定机关", "2": "授权组织", "3": "受委托组织", "9": "其他"}
LEVELS_ZH = {
    "1": "国家级", "2": "省级", "3": "市级", "4": "县级", "5": "镇街", "6": "村社区",
    "7": "分级管理",
}  # fmt: skip
SOURCES_ZH = {"own": "法定本级行使", "handed_down": "上级下放", "entrusted": "上级委托"}
RESULTS_ZH = {"licence": "证照", "document": "批文", "other": "其他"}
DEPTHS_ZH = {"1": "网上公开", "2": "网上申报", "3": "网上预审", "4": "网上办结"}
SCOPES_ZH = {
    "city": "全市",
    "district": "本区",
    "province": "全省",
    "country": "全国",
    "none": "不通办",
}
NEEDS_ZH = {"required": "必要", "deferrable": "可容缺", "optional": "非必要"}
FORMS_ZH = {"paper": "纸质", "electronic": "电子", "either": "纸质或者电子"}
ORIGINS_ZH = {
    "applicant": "申请人自备",
    "government": "政府部门核发",
    "intermediary": "中介机构出具",
}
ROLES_ZH = {"window": "窗口", "review": "审查岗", "decide": "审批岗"}


class Level(StrEnum):
    """The level of a list (清单层级)."""

    PROVINCE = "province"
    CITY = "city"
    IMPLEMENTATION = "implementation"


LISTS_ZH = {
    Level.PROVINCE: "省级清单", Level.CITY: "市级通用清单", Level.IMPLEMENTATION: "实施清单",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Element:
    """One element (要素).

    kind: line | text | lines | choice | choices | limit | count | flag | materials | fees | steps |
    questions. below: how a lower level may depart: same | shorter | fewer | less | more | free.
    need: when it counts for completeness: always | licence | paid | in_person | never.
    """

    code: str
    zh: str
    group: str
    kind: str
    below: str = "free"
    need: str = "never"
    most: int = 200
    choices: Mapping[str, str] | None = None


def _same(names: Iterable[str]) -> dict[str, str]:
    return {name: name for name in names}


_BASE, _TIME, _ASK, _FLOW, _FEE, _WHERE, _RIGHTS, _MORE = (
    "基本信息", "办理时限", "条件与材料", "办理流程", "收费", "办理渠道", "权利与救济", "其他",
)  # fmt: skip
ELEMENTS: tuple[Element, ...] = (
    Element("name", "事项名称", _BASE, "line", "same", "always"),
    Element("type", "事项类型", _BASE, "choice", "same", "always", choices=_same(TYPES)),
    Element("basis", "设定依据", _BASE, "text", "same", "always", 2000),
    Element("power", "权力来源", _BASE, "choice", "free", "always", choices=SOURCES_ZH),
    Element("basic_code", "基本编码", _BASE, "line", "same", "always", 40),
    Element("code", "实施编码", _BASE, "line", "free", "always", 60),
    Element("exercised", "行使层级", _BASE, "choice", "free", "always", choices=LEVELS_ZH),
    Element("nature", "实施主体性质", _BASE, "choice", "free", "always", choices=NATURES_ZH),
    Element("entrusting", "委托部门", _BASE, "line"),
    Element("guiding", "业务指导部门", _BASE, "line", "same", "always", 60),
    Element("targets", "服务对象", _BASE, "choices", "more", "always", choices=TARGETS_ZH),
    Element("themes", "主题分类", _BASE, "choices", "free", "always"),
    Element("kind", "办件类型", _TIME, "choice", "faster", "always", choices=KINDS_ZH),
    Element("statutory", "法定办结时限", _TIME, "limit", "shorter", "licence"),
    Element("statutory_note", "法定时限说明", _TIME, "text", most=1000),
    Element("promised", "承诺办结时限", _TIME, "limit", "shorter", "always"),
    Element("promised_is", "承诺的来历", _TIME, "line", most=16),
    Element("special", "特别程序说明", _TIME, "text", most=1000),
    Element("conditions", "受理条件", _ASK, "lines", "fewer", "always", 500),
    Element("materials", "申请材料", _ASK, "materials", "fewer", "always"),
    Element("quota", "数量限制", _ASK, "line", "free", "licence"),
    Element("result_kind", "结果类型", _ASK, "choice", "same", "always", choices=RESULTS_ZH),
    Element("result", "办理结果", _ASK, "line", "same", "always", 100),
    Element("validity", "结果有效期", _ASK, "line", "free", "never", 60),
    Element("template", "流程模板", _FLOW, "line", most=40),
    Element("steps", "办理流程", _FLOW, "steps", "free", "always"),
    Element("flow_of", "决定机关的事项", _FLOW, "line", most=40),
    Element("visits", "到办事现场次数", _FLOW, "count", "less", "always"),
    Element("visits_why", "必须到现场的原因", _FLOW, "text", "free", "in_person", 500),
    Element("joint", "联办机构", _FLOW, "line"),
    Element("intermediary", "中介服务", _FLOW, "text", most=500),
    Element("fees", "收费", _FEE, "fees", "less", "always"),
    Element("pay_first", "送达前缴费", _FEE, "flag"),
    Element("channels", "办理形式", _WHERE, "choices", "more", "always", choices=CHANNELS_ZH),
    Element("depth", "网办深度", _WHERE, "choice", "free", "always", choices=DEPTHS_ZH),
    Element("in_hall", "进驻大厅", _WHERE, "flag", "free", "always"),
    Element("scope", "通办范围", _WHERE, "choice", "free", "always", choices=SCOPES_ZH),
    Element("place", "办理地点", _WHERE, "line", "free", "always"),
    Element("hours", "办理时间", _WHERE, "line", "free", "always"),
    Element("traffic", "交通指引", _WHERE, "line"),
    Element("phone", "咨询方式", _WHERE, "line", "free", "always", 100),
    Element("complaint", "监督投诉方式", _WHERE, "line", "free", "always", 100),
    Element("booking", "可以预约", _WHERE, "flag", "more"),
    Element("pay_online", "可以网上支付", _WHERE, "flag", "more", "paid"),
    Element("post", "可以邮寄送达", _WHERE, "flag", "more", "always"),
    Element("kiosk", "自助终端", _WHERE, "flag", "more"),
    Element("rights", "依法享有的权利", _RIGHTS, "text", "free", "always", 1000),
    Element("duties", "依法履行的义务", _RIGHTS, "text", "free", "always", 1000),
    Element("review_body", "行政复议机关", _RIGHTS, "line", "free", "always", 100),
    Element("court", "行政诉讼管辖法院", _RIGHTS, "line", "free", "always", 100),
    Element("questions", "常见问题", _MORE, "questions", "free", "always"),
    Element("english", "英文名称", _MORE, "line", "same", "never"),
    Element("synonyms", "别名（供查找）", _MORE, "lines", "free", "never", 30),
    Element("note", "说明", _MORE, "text", most=1000),
)  # fmt: skip
BY_CODE: Mapping[str, Element] = {one.code: one for one in ELEMENTS}
EMPTY = ("materials", "fees")  # an empty list says: none, whatever the level above lists
MOST_LINES = 60  # conditions, questions, synonyms, materials, fees, steps of one item


# --- what somebody wrote ----------------------------------------------------------------------------


def clean(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Refusal]]:
    """The content as it may be kept, and what is wrong with it; an unknown element is refused."""
    content: dict[str, Any] = {}
    faults: list[Refusal] = []
    for code, value in given.items():
        element = BY_CODE.get(code)
        if element is None:
            faults.append(
                Refusal(
                    "item.unknown_element", f"没有“{str(code)[:40]}”这个要素。请对照要素表改正。",
                    field=str(code)[:40],
                )
            )  # fmt: skip
            continue
        if value is None or value in ("", {}) or (value == [] and element.kind not in EMPTY):
            continue
        try:
            kept = _READERS[element.kind](element, value)
        except Refusal as refusal:
            faults.append(refusal)
            continue
        if kept or kept in (0, False) or element.kind in EMPTY:
            content[code] = kept
    return content, faults


def _no(element: Element, code: str, sentence: str) -> Refusal:
    return Refusal(f"item.{code}", sentence, field=element.code)


def text_of(value: Any, element: Element, *, most: int | None = None, what: str = "") -> str:
    """Plain text without invisible control characters. Raises Refusal."""
    what, most = what or element.zh, most or element.most
    if not isinstance(value, str):
        raise _no(element, "not_text", f"“{what}”应当是文字。")
    lines = [" ".join(line.split()) for line in value.replace("\r\n", "\n").split("\n")]
    kept = "\n".join(lines).strip() if element.kind == "text" else " ".join(lines).strip()
    if any(not letter.isprintable() for letter in kept.replace("\n", "")) or any(
        "\ud800" <= letter <= "\udfff" for letter in kept
    ):
        raise _no(element, "control", f"“{what}”里有不可见的控制字符。请删去。")
    if len(kept) > most:
        raise _no(element, "too_long", f"“{what}”最多 {most} 个字，现在有 {len(kept)} 个。")
    return kept


def _rows(element: Element, value: Any) -> Sequence[Any]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise _no(element, "not_list", f"“{element.zh}”应当逐项填写。")
    if len(value) > MOST_LINES:
        raise _no(
            element, "too_many", f"“{element.zh}”最多 {MOST_LINES} 项，现在有 {len(value)} 项。"
        )
    return value


def _line(element: Element, value: Any) -> str:
    return text_of(value, element)


def _lines(element: Element, value: Any) -> list[str]:
    kept = [text_of(one, element) for one in _rows(element, value)]
    return list(dict.fromkeys(one for one in kept if one))


def _choice(element: Element, value: Any) -> str:
    chosen = str(value).strip()
    if element.choices is not None and chosen not in element.choices:
        listed = "、".join(element.choices.values())
        raise _no(
            element, element.code, f"“{element.zh}”没有“{chosen[:20]}”这一项。可以填：{listed}。"
        )
    return text_of(chosen, element, most=40)


def _choices(element: Element, value: Any) -> list[str]:
    return sorted({_choice(element, one) for one in _rows(element, value)})


def _limit(element: Element, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _no(element, "limit", f"“{element.zh}”应当写明数字和单位。")
    given = dict(value)
    if element.code == "promised" and not str(given.get("basis") or "").strip():
        given["basis"] = "办事指南承诺"
    limit = Limit.of(given, field=element.code)
    return as_limit(limit)


def as_limit(limit: Limit) -> dict[str, Any]:
    kept: dict[str, Any] = {"value": limit.value, "unit": str(limit.unit), "basis": limit.basis}
    return kept if limit.roll else kept | {"roll": False}


def _count(element: Element, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 99:
        raise _no(element, "count", f"“{element.zh}”应当是 0 到 99 的整数。")
    return value


def _flag(element: Element, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _no(element, "flag", f"“{element.zh}”应当填是或者否。")
    return value


def _materials(element: Element, value: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    names: dict[str, int] = {}
    codes: set[str] = set()
    for number, one in enumerate(_rows(element, value), 1):
        if not isinstance(one, Mapping):
            raise _no(element, "material", f"第 {number} 项材料应当写明名称。")
        name = text_of(one.get("name", ""), element, what=f"第 {number} 项材料的名称")
        if not name:
            raise _no(element, "material_name", f"第 {number} 项材料没有名称。")
        if name in names:
            raise _no(
                element, "material_twice",
                f"第 {number} 项材料与第 {names[name]} 项重名（{name}）。同一份材料只列一次。",
            )  # fmt: skip
        names[name] = number
        code = text_of(one.get("code", "") or f"{number:02d}", element, most=20, what="材料代码")
        if code in codes:
            raise _no(element, "material_code_twice", f"有两项材料的代码都是 {code}。请改正。")
        codes.add(code)
        row: dict[str, Any] = {"code": code, "name": name}
        for part, choices in (("need", NEEDS_ZH), ("form", FORMS_ZH), ("origin", ORIGINS_ZH)):
            if chosen := one.get(part):
                if chosen not in choices:
                    raise _no(
                        element, f"material_{part}",
                        f"材料“{name}”的填法“{str(chosen)[:20]}”不在列表里：{'、'.join(choices.values())}。",
                    )  # fmt: skip
                row[part] = str(chosen)
        copies = one.get("copies")
        if copies not in (None, ""):
            if isinstance(copies, bool) or not isinstance(copies, int) or not 0 <= copies <= 99:
                raise _no(element, "material_copies", f"材料“{name}”的份数应当是 0 到 99 的整数。")
            row["copies"] = copies
        for part, zh in (
            ("basis", "依据"), ("standard", "受理标准"), ("fill", "填报须知"), ("spec", "规格"),
            ("unless", "非必要情形"), ("blank", "空白表格"), ("sample", "样表"),
        ):  # fmt: skip
            if kept := text_of(
                one.get(part, "") or "", element, most=500, what=f"材料“{name}”的{zh}"
            ):
                row[part] = kept
        made.append(row)
    return made


def _fees(element: Element, value: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number, one in enumerate(_rows(element, value), 1):
        if not isinstance(one, Mapping):
            raise _no(element, "fee", f"第 {number} 项收费应当写明项目和标准。")
        name = text_of(one.get("name", ""), element, what=f"第 {number} 项收费的名称")
        if not name:
            raise _no(element, "fee_name", f"第 {number} 项收费没有名称。")
        if any(before["name"] == name for before in made):
            raise _no(element, "fee_twice", f"收费“{name}”列了两次。")
        row: dict[str, Any] = {"name": name}
        fen = one.get("fen")
        if fen is not None:
            if isinstance(fen, bool) or not isinstance(fen, int) or not 0 <= fen <= 10**12:
                raise _no(element, "fee_amount", f"收费“{name}”的金额应当是不小于 0 的整数（分）。")
            row["fen"] = fen
        for part, zh in (("standard", "标准"), ("basis", "依据"), ("relief", "减免")):
            if kept := text_of(
                one.get(part, "") or "", element, most=500, what=f"收费“{name}”的{zh}"
            ):
                row[part] = kept
        made.append(row)
    return made


def _steps(element: Element, value: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number, one in enumerate(_rows(element, value), 1):
        if not isinstance(one, Mapping):
            raise _no(element, "step", f"第 {number} 个环节应当写明名称和岗位。")
        name = text_of(one.get("name", ""), element, most=60, what=f"第 {number} 个环节的名称")
        code = text_of(one.get("code", ""), element, most=40, what=f"第 {number} 个环节的代码")
        if not name or not code:
            raise _no(element, "step_name", f"第 {number} 个环节没有名称或者代码。")
        role = str(one.get("role", "") or "").strip()
        if role not in ROLES_ZH:
            raise _no(
                element, "step_post",
                f"环节“{name}”没有岗位。请选择由谁办：{'、'.join(ROLES_ZH.values())}。",
            )  # fmt: skip
        row: dict[str, Any] = {"code": code, "name": name, "role": role}
        if one.get("limit"):
            limit = one["limit"]
            if not isinstance(limit, Mapping):
                raise _no(element, "step_limit", f"环节“{name}”的时限应当写明数字和单位。")
            given = {"basis": "办理流程", **{k: v for k, v in limit.items() if v not in (None, "")}}
            row["limit"] = as_limit(Limit.of(given, field=element.code))
        if after := [str(before) for before in one.get("after") or ()]:
            row["after"] = after
        made.append(row)
    return made


def _questions(element: Element, value: Any) -> list[dict[str, str]]:
    made = []
    for number, one in enumerate(_rows(element, value), 1):
        if not isinstance(one, Mapping):
            raise _no(element, "question", f"第 {number} 个问题应当有问有答。")
        q = text_of(one.get("q", ""), element, most=200, what=f"第 {number} 个问题")
        a = text_of(one.get("a", ""), element, most=1000, what=f"第 {number} 个问题的回答")
        if not q or not a:
            raise _no(element, "question", f"第 {number} 个问题没有问或者没有答。")
        made.append({"q": q, "a": a})
    return made


_READERS: Mapping[str, Callable[[Element, Any], Any]] = {
    "line": _line, "text": _line, "lines": _lines, "choice": _choice, "choices": _choices,
    "limit": _limit, "count": _count, "flag": _flag, "materials": _materials, "fees": _fees,
    "steps": _steps, "questions": _questions,
}  # fmt: skip


# --- reading content --------------------------------------------------------------------------------


def limit(content: Content, code: str) -> Limit | None:
    """statutory or promised, None where there is none."""
    raw = content.get(code)
    if raw is None:
        return None
    return Limit(raw["value"], Unit(raw["unit"]), raw.get("basis", ""), raw.get("roll", True))


def steps(rows: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The flow as steps, from its rows."""
    return tuple(
        Step(
            code=one["code"],
            name=one["name"],
            role=one["role"],
            limit=limit(one, "limit"),
            after=tuple(one.get("after", ())),
        )
        for one in rows
    )


def as_steps(flow: Iterable[Step]) -> list[dict[str, Any]]:
    """Steps as rows that JSON can carry."""
    return [
        {
            "code": one.code,
            "name": one.name,
            "role": one.role,
            **({"limit": as_limit(one.limit)} if one.limit else {}),
            **({"after": list(one.after)} if one.after else {}),
        }
        for one in flow
    ]


def fee_zh(content: Content) -> str:
    """What it costs, in one line; 无 where nothing is charged."""
    told = []
    for one in content.get("fees", ()):
        price = one.get("standard") or ("" if "fen" not in one else f"{one['fen'] / 100:.2f} 元")
        told.append(f"{one['name']}：{price}" if price and price != one["name"] else one["name"])
    return "；".join(told) or "无"


def digest(content: Content) -> str:
    """SHA-256 over the content in one canonical form; equal content, equal digest."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# --- one level below another ------------------------------------------------------------------------


def inherit(own: Content, above: Content | None) -> dict[str, Any]:
    """The whole content of a level: what it says itself over what the level above says."""
    return {**(above or {}), **own}


def longer(one: Limit, other: Limit) -> bool | None:
    """Whether one is longer than the other; None where the units leave it open.

    Across units only what holds in every calendar counts (procedure.FEWEST, MOST).
    """
    if one.unit == other.unit:
        return one.value > other.value
    if one.most() <= other.fewest():
        return False
    return True if one.fewest() > other.most() else None


def loosened(own: Content, above: Content | None, *, level: Level) -> list[Refusal]:
    """Where the lower level departs from the level above to the applicant's disadvantage.

    The provincial list may leave materials and fees open; the city's common list is closed.
    """
    if above is None:
        return []
    faults = []
    for code, value in own.items():
        element = BY_CODE[code]
        if element.below == "free" or value == above.get(code):
            continue
        if code in above:
            faults += _BELOW[element.below](element, value, above[code])
        elif level is Level.IMPLEMENTATION and element.kind in EMPTY:
            faults += _BELOW[element.below](element, value, [])
    return faults


def settle(own: Content, above: Content, *, level: Level) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Own content under a new version above: what no longer favours the applicant falls away."""
    fallen = {refusal.field for refusal in loosened(own, above, level=level)}
    kept = {code: value for code, value in own.items() if code not in fallen}
    return kept, tuple(code for code in own if code in fallen)


def _must_equal(element: Element, own: Any, above: Any) -> list[Refusal]:
    if element.code == "name":
        return [
            Refusal(
                "item.other_name",
                f"同一事项的名称应当全市一致：上级清单为“{above}”，这里写成“{str(own)[:60]}”。请改成一致。",
                article="优化营商环境条例 第三十五条",
                field="name",
            )
        ]
    return [
        Refusal(
            "item.differs_above",
            f"“{element.zh}”应当与上级清单一致。请删去这里的填写，沿用上级清单。",
            article="优化营商环境条例 第三十五条",
            field=element.code,
        )
    ]


def _must_be_shorter(element: Element, own: Any, above: Any) -> list[Refusal]:
    mine, theirs = limit({"l": own}, "l"), limit({"l": above}, "l")
    assert mine is not None
    assert theirs is not None
    is_longer = longer(mine, theirs)
    if is_longer is None:
        return [_incomparable(element.code, element.zh, mine, "上级清单的", theirs)]
    if not is_longer:
        return []
    return [
        Refusal(
            "item.longer_than_above",
            f"“{element.zh}”{mine.words()}，长于上级清单的 {theirs.words()}。只能缩短，不能延长。",
            article="优化营商环境条例 第三十六条",
            field=element.code,
        )
    ]


def _incomparable(field: str, zh: str, mine: Limit, whose: str, theirs: Limit) -> Refusal:
    return Refusal(
        "limit.incomparable",
        f"“{zh}”{mine.words()}与{whose} {theirs.words()}单位不同，无法比较长短。"
        f"请改用同一种单位（{UNITS_ZH[theirs.unit].removeprefix('个')}）。",
        field=field,
    )


_STRICT = {"optional": 0, "deferrable": 1, "required": 2}


def _must_be_fewer(element: Element, own: Any, above: Any) -> list[Refusal]:
    article = "行政许可法 第十六条、第三十一条"
    if element.kind == "lines":
        more = [one for one in own if one not in above]
        return [
            Refusal(
                "item.more_conditions",
                f"“{element.zh}”比上级清单多：{'；'.join(more)[:100]}。下级不能增设条件。",
                article=article, field=element.code,
            )
        ] if more else []  # fmt: skip
    theirs = {one["name"]: one for one in above}
    faults = []
    for one in own:
        wanted = theirs.get(one["name"])
        if wanted is None:
            faults.append(
                Refusal(
                    "item.more_materials",
                    f"材料“{one['name']}”不在上级清单里。下级只能少要材料，不能多要。",
                    article=article, field=element.code,
                )
            )  # fmt: skip
        elif _STRICT[one.get("need", "required")] > _STRICT[wanted.get("need", "required")] or (
            one.get("copies", 1) > wanted.get("copies", max(1, one.get("copies", 1)))
        ):
            faults.append(
                Refusal(
                    "item.stricter_material",
                    f"材料“{one['name']}”的必要性或者份数严于上级清单。只能放宽，不能加严。",
                    article=article, field=element.code,
                )
            )  # fmt: skip
    return faults


def _must_be_less(element: Element, own: Any, above: Any) -> list[Refusal]:
    if element.kind == "count":
        if own <= above:
            return []
        return [
            Refusal(
                "item.more_visits",
                f"“{element.zh}”{own} 次，多于上级清单的 {above} 次。只能减少，不能增加。",
                article="优化营商环境条例 第三十六条", field=element.code,
            )
        ]  # fmt: skip
    theirs = {one["name"]: one for one in above}
    faults = []
    for one in own:
        wanted = theirs.get(one["name"])
        if wanted is None:
            faults.append(
                Refusal(
                    "item.more_fees",
                    f"收费“{one['name']}”不在上级清单里。清单之外不得收费。",
                    article="优化营商环境条例 第二十五条", field=element.code,
                )
            )  # fmt: skip
        elif one.get("fen", wanted.get("fen")) is not None and (
            "fen" in wanted and one.get("fen", wanted["fen"]) > wanted["fen"]
        ):
            faults.append(
                Refusal(
                    "item.higher_fee",
                    f"收费“{one['name']}”高于上级清单的标准。只能降低，不能提高。",
                    article="优化营商环境条例 第二十五条", field=element.code,
                )
            )  # fmt: skip
        elif one.get("fen") is None and one.get("standard") != wanted.get("standard"):
            faults.append(
                Refusal(
                    "item.fee_unclear",
                    f"收费“{one['name']}”的标准与上级清单不同，又没有写金额，看不出高低。请填写金额（分）。",
                    article="优化营商环境条例 第二十五条", field=element.code,
                )
            )  # fmt: skip
    return faults


def _must_be_more(element: Element, own: Any, above: Any) -> list[Refusal]:
    if element.kind == "flag":
        fewer = [element.zh] if above and not own else []
    else:
        fewer = [(element.choices or {}).get(one, one) for one in above if one not in own]
    if not fewer:
        return []
    return [
        Refusal(
            "item.fewer_channels",
            f"“{element.zh}”比上级清单少：{'、'.join(fewer)}。只能增加，不能减少。",
            article="优化营商环境条例 第三十七条",
            field=element.code,
        )
    ]


def _must_be_faster(element: Element, own: Any, above: Any) -> list[Refusal]:
    if own == "immediate":
        return []
    return [
        Refusal(
            "item.slower_kind",
            f"上级清单是{KINDS_ZH[above]}，这里是{KINDS_ZH[own]}。只能改为即办件。",
            article="优化营商环境条例 第三十六条",
            field="kind",
        )
    ]


_BELOW: Mapping[str, Callable[[Element, Any, Any], list[Refusal]]] = {
    "same": _must_equal, "shorter": _must_be_shorter, "fewer": _must_be_fewer,
    "less": _must_be_less, "more": _must_be_more, "faster": _must_be_faster,
}  # fmt: skip


# --- what is refused at publication -----------------------------------------------------------------


def faults(
    own: Content, above: Content | None, *, level: Level, flow: Sequence[Step]
) -> list[Refusal]:
    """Every rule of publication that this content breaks. flow: the steps that will hold."""
    whole = inherit(own, above)
    found = loosened(own, above, level=level)
    if not whole.get("name"):
        found.append(Refusal("item.name", "事项没有名称。", field="name"))
    if not whole.get("type"):
        found.append(Refusal("item.type", "事项没有类型。请选择事项类型。", field="type"))
    if not whole.get("basis"):
        found.append(
            Refusal(
                "item.no_basis",
                "事项没有设定依据，不能发布。请补上法律、法规或者规章的条款。",
                article="行政许可法 第三十条",
                field="basis",
            )
        )
    found += _of_parts(whole)
    if level is Level.PROVINCE:
        return found
    if whole.get("kind") is None:
        found.append(
            Refusal("item.kind", "请写明办件类型：即办件、承诺件或者上报件。", field="kind")
        )
    if whole.get("flow_of") and ("steps" in own or "template" in own):
        found.append(
            Refusal(
                "flow.owned_above",
                "这个事项由上级机关决定，流程归决定机关所有，各级共用一个流程。请删去这里的流程。",
                article="行政许可法 第四十三条",
                field="steps",
            )
        )
    found += _of_limits(whole, flow)
    return found


def _of_parts(whole: Content) -> list[Refusal]:
    found = []
    for one in whole.get("materials", ()):
        if not one.get("basis"):
            found.append(
                Refusal(
                    "item.material_no_basis",
                    f"材料“{one['name']}”没有依据。没有依据的材料不能要求提交。",
                    article="行政许可法 第三十一条",
                    field="materials",
                )
            )
    for one in whole.get("fees", ()):
        if not one.get("basis"):
            found.append(
                Refusal(
                    "item.fee_no_basis",
                    f"收费“{one['name']}”没有依据。没有法律、行政法规依据的不得收费。",
                    article="行政许可法 第五十八条",
                    field="fees",
                )
            )
    return found


def _of_limits(whole: Content, steps_: Sequence[Step]) -> list[Refusal]:
    promised, statutory = limit(whole, "promised"), limit(whole, "statutory")
    flow = Flow(steps_)
    try:
        flow.longest_path()  # unknown steps and cycles first
        if promised is not None and statutory is not None and longer(promised, statutory) is None:
            return [_incomparable("promised", "承诺办结时限", promised, "法定的", statutory)]
        flow.check(promised=promised, statutory=statutory)
    except Refusal as refusal:
        return [refusal]
    return []


# --- differences and completeness -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One element that differs; before, after: every word of it, "" where it is empty."""

    code: str
    zh: str
    group: str
    before: str
    after: str


def differences(before: Content, after: Content) -> tuple[Change, ...]:
    """What changed between two contents, in the order of the elements."""
    found = (
        Change(
            one.code, one.zh, one.group, spelled(one, before.get(one.code)),
            spelled(one, after.get(one.code)),
        )
        for one in ELEMENTS
        if before.get(one.code) != after.get(one.code)
    )  # fmt: skip
    return tuple(one for one in found if one.before != one.after)


def spelled(element: Element, value: Any) -> str:
    """A value with every word that stands in it: also the bases, standards and files that `told`
    leaves out."""
    if value is None or value == [] or value == "":
        return ""
    match element.kind:
        case "limit":
            basis = f"（{value['basis']}）" if value.get("basis") else ""
            return (
                told(element, value) + basis + ("" if value.get("roll", True) else "，末日不顺延")
            )
        case "materials":
            return "\n".join(_spelled(_material_zh(one), one, _MATERIAL_WORDS) for one in value)
        case "fees":
            lines = (told(element, [one]) for one in value)
            return "\n".join(
                _spelled(line, one, (("relief", "减免"),))
                for line, one in zip(lines, value, strict=True)
            )
        case _:
            return told(element, value)


_MATERIAL_WORDS = (
    ("basis", "依据"), ("standard", "受理标准"), ("fill", "填报须知"), ("spec", "规格"),
    ("unless", "非必要情形"), ("blank", "空白表格"), ("sample", "样表"),
)  # fmt: skip


def _spelled(line: str, row: Mapping[str, Any], words: Iterable[tuple[str, str]]) -> str:
    more = (
        f"{zh}：{row[part][:8] if part in ('blank', 'sample') else row[part]}"
        for part, zh in words
        if row.get(part)
    )
    return "；".join((line, *more))


def told(element: Element, value: Any) -> str:
    """A value as a person reads it; lists one a line."""
    if value is None or value == [] or value == "":
        return ""
    match element.kind:
        case "limit":
            return Limit(value["value"], Unit(value["unit"])).words()
        case "flag":
            return "是" if value else "否"
        case "count":
            return str(value)
        case "choice":
            return (element.choices or {}).get(value, str(value))
        case "choices":
            return "、".join((element.choices or {}).get(one, one) for one in value)
        case "lines":
            return "\n".join(value)
        case "materials":
            return "\n".join(_material_zh(one) for one in value)
        case "fees":
            return "\n".join(
                "，".join(
                    part
                    for part in (
                        one["name"],
                        f"{one['fen'] / 100:.2f} 元" if "fen" in one else "",
                        one.get("standard", "") if one.get("standard") != one["name"] else "",
                        f"依据：{one['basis']}" if one.get("basis") else "",
                    )
                    if part
                )
                for one in value
            )
        case "steps":
            names = {one["code"]: one["name"] for one in value}
            return "\n".join(
                f"{one['name']}（{ROLES_ZH[one['role']]}"
                + (f"，{told(BY_CODE['promised'], one['limit'])}" if one.get("limit") else "")
                + (
                    f"，在 {'、'.join(names.get(code, code) for code in one['after'])} 之后"
                    if one.get("after")
                    else ""
                )
                + "）"
                for one in value
            )
        case "questions":
            return "\n".join(f"问：{one['q']} 答：{one['a']}" for one in value)
        case _:
            return str(value)


def _material_zh(one: Mapping[str, Any]) -> str:
    parts = [
        NEEDS_ZH.get(one.get("need", ""), ""),
        FORMS_ZH.get(one.get("form", ""), ""),
        f"{one['copies']} 份" if "copies" in one else "",
        ORIGINS_ZH.get(one.get("origin", ""), ""),
        "有空白表格" if one.get("blank") else "",
        "有样表" if one.get("sample") else "",
    ]
    said = "，".join(part for part in parts if part)
    return f"{one['name']}（{said}）" if said else str(one["name"])


@dataclass(frozen=True, slots=True)
class Completeness:
    """How whole a guide is (完整度). score: 0 to 100, rounded down; missing: (code, what)."""

    score: int
    filled: int
    wanted: int
    missing: tuple[tuple[str, str], ...]


_OF_MATERIALS = (
    ("need", "必要性"),
    ("form", "形式"),
    ("copies", "份数"),
    ("origin", "来源渠道"),
    ("basis", "依据"),
)


def completeness(whole: Content) -> Completeness:
    """Which elements that this item needs are there; every material counts with its own parts."""
    missing: list[tuple[str, str]] = []
    filled = wanted = 0
    for element in ELEMENTS:
        if not _wanted(element, whole):
            continue
        wanted += 1
        if element.code in whole or _needless(element, whole):
            filled += 1
        else:
            missing.append((element.code, element.zh))
    for one in whole.get("materials", ()):
        lacking = [zh for part, zh in _OF_MATERIALS if part not in one]
        wanted += 1
        if lacking:
            missing.append(("materials", f"材料“{one['name']}”的{'、'.join(lacking)}"))
        else:
            filled += 1
    return Completeness(filled * 100 // wanted if wanted else 0, filled, wanted, tuple(missing))


def _wanted(element: Element, whole: Content) -> bool:
    match element.need:
        case "always":
            return True
        case "licence":
            return whole.get("type") == LICENCE
        case "paid":
            return bool(whole.get("fees"))
        case "in_person":
            return bool(whole.get("visits"))
    return False


def _needless(element: Element, whole: Content) -> bool:
    """What may rightly be empty: nothing is charged, nothing need be handed in, done on the spot."""
    if element.code in ("fees", "materials", "steps"):
        return True
    return whole.get("kind") == "immediate" and element.code in ("promised", "statutory")
