"""The facts every paper of a case shares (文书要素), and how they are written out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from zhengwu.documents.kinds import LICENCE, Kind, title
from zhengwu.domain.calendar import Due
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
LICENSING = "《中华人民共和国行政许可法》"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What every paper of a case says about it.

    agency: its code. short: the agency's word in numbers (江水). case: 办件编号. basis: 设定依据,
    as the catalogue has it. applicant {kind: person|organisation, name, id_label?, id_number?,
    agent?}. received, accepted: moments. place, clerk, phone, complaints: "" where there is none.
    """

    agency: str
    agency_name: str
    short: str
    case: str
    item: str
    item_code: str
    item_type: str
    basis: str
    applicant: Mapping[str, Any]
    received: datetime
    accepted: datetime | None = None
    place: str = ""
    clerk: str = ""
    phone: str = ""
    complaints: str = ""
    query_code: str = ""

    @property
    def licence(self) -> bool:
        """Whether the 行政许可法 applies and may be cited."""
        return self.item_type == LICENCE

    @property
    def you(self) -> str:
        return "你单位" if self.applicant.get("kind") == "organisation" else "你"


# --- words -----------------------------------------------------------------------------------


def day_of(moment: date | datetime) -> date:
    """The day in Shanghai."""
    return moment.astimezone(SHANGHAI).date() if isinstance(moment, datetime) else moment


def day_words(moment: date | datetime | Due) -> str:
    """2026 年 9 月 21 日, in Shanghai; a day that rests on an unpublished year says so."""
    day = day_of(moment.day if isinstance(moment, Due) else moment)
    return f"{day.year} 年 {day.month} 月 {day.day} 日{_rough(moment)}"


def plain_day(moment: date | datetime | Due) -> str:
    """9 月 21 日（星期一）: people remember the weekday."""
    day = day_of(moment.day if isinstance(moment, Due) else moment)
    week = "一二三四五六日"[day.weekday()]
    return f"{day.month} 月 {day.day} 日（星期{week}）{_rough(moment)}"


def _rough(moment: date | datetime | Due) -> str:
    rough = isinstance(moment, Due) and moment.provisional
    return "（暂定，以国务院公布的放假安排为准）" if rough else ""


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


def needed(text: str, *, field: str, what: str, article: str | None = None) -> str:
    """The cleaned text; Refusal where it is empty. what: 理由, 接收机关 …"""
    text = clean(text, field=field)
    if not text:
        raise Refusal(f"documents.{field}_missing", f"请填写{what}。", article=article, field=field)
    return text


def limit_words(limit: Mapping[str, Any] | None) -> str:
    """{unit, value} in words: 20 个工作日; 当场办结 for zero; 法律未规定 for None."""
    if limit is None:
        return "法律未规定"
    if limit["value"] == 0:
        return "当场办结"
    return f"{limit['value']} {UNITS[limit['unit']]}"


_DIGITS = "零一二三四五六七八九"


def numeral(number: int) -> str:
    """An article's number as statutes write it: 8 八, 22 二十二, 105 一百零五 (up to 9999)."""
    if not 0 < number < 10_000:
        return str(number)
    words, zero = "", False
    for place, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, place)
        if digit:
            words += ("零" if zero else "") + _DIGITS[digit] + unit
            zero = False
        else:
            zero = bool(words)
    return words.removeprefix("一") if words.startswith("一十") else words


_LAW = re.compile(
    r"(?P<name>[^\s()（）]+?)\s*(?:[(（][^)）]*[)）])?\s*"
    r"(?:第\s*(?P<articles>[\d、,\-]+)\s*(?P<unit>[条项])起?)?\s*(?:[(（][^)）]*[)）])?"
)


def basis_words(basis: str) -> str:
    """The catalogue's basis as papers cite it: "水法 第38条" → 《水法》第三十八条.

    What names no law ("已取消", "省市文件") is not cited; what is already written out stays.
    """
    if "《" in basis:
        return clean(basis, field="basis")
    laws = []
    for part in re.split(r"[;；]", clean(basis, field="basis")):
        found = _LAW.fullmatch(part.strip())
        name = found["name"] if found else part.strip()
        decree = re.search(r"(令\S*\d+号|〔\d{4}〕\d+号)$", name)
        if not decree and not re.search(r"(法|条例|办法|规定|规则|细则)(?:$|\s*第)", name):
            continue
        if not found:
            head, _, rest = name.partition(" ")
            laws.append(f"《{head}》{rest}" if not decree else name)
            continue
        named = name if decree else f"《{name}》"
        laws.append(named + "、".join(_articles(found)))
    return "、".join(laws)


def _articles(found: re.Match[str]) -> list[str]:
    if not found["articles"]:
        return []
    unit = found["unit"]
    words = []
    for one in re.split(r"[、,]", found["articles"]):
        ends = [numeral(int(end)) for end in one.split("-") if end]
        words.append("至".join(f"第{end}{unit}" for end in ends))
    return words


def by_law(facts: Facts, article: str = "", *, own: bool = True) -> str:
    """ "依据《…》第…条的规定，" of a licence's article and, if own, the item's basis; "" if none."""
    laws = [words] if own and (words := basis_words(facts.basis)) else []
    if facts.licence and article:
        laws.append(f"{LICENSING}{article}")
    return f"依据{'、'.join(laws)}的规定，" if laws else ""


# --- parts of the data -----------------------------------------------------------------------


def applicant_data(applicant: Mapping[str, Any]) -> dict[str, Any]:
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


def introduction(applicant: Mapping[str, Any]) -> str:
    """你单位（统一社会信用代码：…，经办人：…）, from applicant_data."""
    parts = []
    if applicant["id_number"]:
        parts.append(f"{applicant['id_label'] or '证件号码'}：{applicant['id_number']}")
    if applicant["agent"]:
        parts.append(f"经办人：{applicant['agent']}")
    you = "你单位" if applicant["kind"] == "organisation" else "你"
    return you + (f"（{'，'.join(parts)}）" if parts else "")


def application(facts: Facts, data: Mapping[str, Any]) -> str:
    """ "你（身份证号：…）于 2026 年 9 月 14 日 提出的“取水许可”申请（办件编号 …）"."""
    return (
        f"{introduction(data['applicant'])}于 {day_words(facts.received)} 提出的"
        f"“{data['item']}”申请（办件编号 {data['case']}）"
    )


def contact(facts: Facts) -> str:
    """Where, who and which telephone, in one line; "" when nothing is known."""
    parts = [
        f"{label}：{clean(text, field=field)}"
        for label, field, text in (
            ("办理地点", "place", facts.place),
            ("经办人", "clerk", facts.clerk),
            ("咨询电话", "phone", facts.phone),
            ("监督电话", "complaints", facts.complaints),
        )
        if text
    ]
    return "；".join(parts) + "。" if parts else ""


def ask_at(facts: Facts) -> str:
    """The last plain sentence: whom to ask."""
    where = f"到{clean(facts.place, field='place')}" if facts.place else "到收件窗口"
    call = f"，或者打电话 {clean(facts.phone, field='phone')}" if facts.phone else ""
    case = clean(facts.case, field="case")
    return f"有不明白的，{where}问{call}，报上办件编号 {case} 就行。"


def frame(
    kind: Kind,
    facts: Facts,
    *,
    issued: datetime,
    paragraphs: Sequence[str],
    plain: Sequence[str],
    outcome: str | None = None,
    table: Mapping[str, Any] | None = None,
    after: Sequence[str] = (),
    addressee: str = "",
    ask: bool = True,
) -> dict[str, Any]:
    """The frozen data of a paper: all it will say but number and check code.

    table {caption, head, widths: (0 = as wide as its words, else a share), rows}; after: paragraphs
    below it; addressee: whom it speaks to, where that is not the applicant.
    """
    applicant = applicant_data(facts.applicant)
    return {
        "kind": str(kind),
        "title": title(kind, item_type=facts.item_type, outcome=outcome),
        "agency_name": clean(facts.agency_name, field="agency_name"),
        "case": clean(facts.case, field="case"),
        "item": clean(facts.item, field="item"),
        "item_code": clean(facts.item_code, field="item_code"),
        "item_type": facts.item_type,
        "outcome": outcome,
        "applicant": applicant,
        "addressee": clean(addressee, field="addressee") or applicant["name"],
        "issued": day_of(issued).isoformat(),
        "issued_words": day_words(issued),
        "paragraphs": [text for text in paragraphs if text],
        "table": dict(table) if table else None,
        "after": [text for text in after if text],
        "contact": contact(facts),
        "plain": [text for text in (*plain, ask_at(facts) if ask else "") if text],
    }


def opening(facts: Facts) -> dict[str, Any]:
    """The three cleaned things that sentences name: applicant, item and case."""
    return {
        "applicant": applicant_data(facts.applicant),
        "item": clean(facts.item, field="item"),
        "case": clean(facts.case, field="case"),
    }
