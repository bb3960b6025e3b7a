"""Codes of service items (事项编码): the schemes that stand side by side, behind one interface.

hubei: 湖北省行政权力网上运行编码 (征求意见稿), 16. gb39048: GB/T 39046 and 39048, 10 and up to 24.
national: the national platform's (C0109, GB/T 39554.1), 12, 31 and longer. sichuan: Sichuan's own,
read only, because catalogues taken over from there carry it.

`text` is the form to store and compare, `printed` the form for people. A code that is well formed
and names an organisation whose check character is wrong is read, with a fault that says so: such
codes are in use. A placeholder (占位编码) is something else: nobody has given a number yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from zhengwu.domain.identifiers.numbers import PROVINCES, organisation_code, uscc
from zhengwu.domain.refusal import Refusal

# GB/T 39046-2020 A.1 事项类型. 11 to 19 and 21 upwards are free for each platform's own.
ITEM_TYPES: Mapping[str, str] = {
    "00": "行政权力事项",
    "01": "行政许可",
    "02": "行政处罚",
    "03": "行政强制",
    "04": "行政征收",
    "05": "行政给付",
    "06": "行政检查",
    "07": "行政确认",
    "08": "行政奖励",
    "09": "行政裁决",
    "10": "其他类别",
    "20": "公共服务",
}
# GB/T 39046-2020 A.2 行使层级.
EXERCISE_LEVELS: Mapping[str, str] = {
    "1": "国家级",
    "2": "省级",
    "3": "市级",
    "4": "县级",
    "5": "镇街",
    "6": "村社区",
    "7": "分级管理",
}
# 业务指导部门, digits 5 and 6 of the national basic code: those confirmed on real codes. The list
# of the standard is longer; digits that are not here are lawful and have no name.
GUIDING_DEPARTMENTS: Mapping[str, str] = {
    "05": "教育",
    "07": "经济和信息化",
    "09": "公安",
    "11": "民政",
    "12": "司法",
    "13": "财政",
    "14": "人力资源和社会保障",
    "15": "自然资源",
    "16": "生态环境",
    "17": "住房和城乡建设",
    "18": "交通运输",
    "19": "水利",
    "20": "农业农村",
    "22": "文化和旅游",
    "23": "卫生健康",
    "24": "退役军人事务",
    "25": "应急管理",
    "30": "税务",
    "31": "市场监督管理",
    "36": "医疗保障",
    "62": "烟草专卖",
    "64": "林业和草原",
}
NATION = "00"  # in place of the province: an item of the State's own list
# How many digits follow the implementation code in a 业务办理项编码. The clause of GB/T 39554.1
# has not been read; codes seen in use have two, three are told of. Narrow it here once it is known.
SUFFIX_LENGTHS = (2, 3)
# What a code of Sichuan's is made of, as the codes in use have it, faults included.
SICHUAN_ITEM = (
    r"51[0-9][0-9A-Z](?:[0-9]{8}|[0-9]{10})"
    r"|[A-Z]-[0-9]{6}-[0-9]{3,4}|[0-9][A-Z]-[0-9]{4}-[0-9]{5}"
)
SICHUAN_BODY = r"[0-9A-Z]{7,18}(?:-[0-9X])?"


class Kind(StrEnum):
    """What a code is the code of."""

    BASIC = "basic"  # 基本编码: the item, wherever it is handled
    IMPLEMENTATION = "implementation"  # 实施编码: the item as one body handles it
    HANDLING = "handling"  # 业务办理项编码: one way of handling it


KINDS: Mapping[Kind, str] = {
    Kind.BASIC: "基本编码",
    Kind.IMPLEMENTATION: "实施编码",
    Kind.HANDLING: "业务办理项编码",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a code that could be read (编码有误): the part, a stable code, words."""

    part: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ItemCode:
    """A code of a service item (事项编码), read. parts: by name, in the order they stand in."""

    scheme: str
    kind: Kind
    parts: Mapping[str, str] = field(hash=False)
    text: str
    printed: str
    faults: tuple[Fault, ...] = ()


class Scheme(Protocol):
    """A scheme of codes (编码方案). Both refuse with a sentence that says what to look at."""

    @property
    def key(self) -> str: ...

    @property
    def title(self) -> str: ...

    def fits(self, text: str) -> bool:
        """Whether `text` has the length and the beginning of this scheme."""

    def parse(self, text: str) -> ItemCode:
        """The code in `text`; one that names a false organisation is read and has faults."""

    def compose(self, **parts: str) -> ItemCode:
        """The code of these parts; a faulty code or a placeholder is not made."""


class Placeholder(StrEnum):
    """Why a code is a placeholder (占位编码)."""

    BLANK = "blank"
    WORD = "word"
    LETTERS = "letters"
    REPEATED = "repeated"
    UNNUMBERED = "unnumbered"
    NINES = "nines"
    BODY = "body"


PLACEHOLDERS: Mapping[Placeholder, str] = {
    Placeholder.BLANK: "没有填写事项编码。",
    Placeholder.WORD: "写的是“待定”一类的字样，还没有编码。",
    Placeholder.LETTERS: "用 X 或者其他符号占着位置，还没有编码。",
    Placeholder.REPEATED: "编码或者其中的事项顺序码是同一个字符的重复，不是真正的编码。",
    Placeholder.UNNUMBERED: "事项顺序码全部是 0，事项还没有编号。",
    Placeholder.NINES: "事项顺序码全部是 9，事项还没有编号。",
    Placeholder.BODY: "实施主体的代码是凑数的，不是真正的代码。",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a code. length: of the last part of a layout, the shortest."""

    name: str
    title: str
    pattern: str
    form: str
    length: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """The parts of one kind of code, in order (编码结构)."""

    kind: Kind
    parts: tuple[_Part, ...]
    lengths: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts)

    def cut(self, plain: str) -> Iterator[tuple[_Part, int, str]]:
        """Each part with the place it begins at, counted from 0, and what stands there."""
        at = 0
        for part in self.parts:
            end = len(plain) if part is self.parts[-1] else at + part.length
            yield part, at, plain[at:end]
            at = end


def _layout(kind: Kind, *, parts: Sequence[_Part], last: Sequence[int] = ()) -> _Layout:
    """last: the lengths the last part may have, where there is more than one."""
    fixed = sum(part.length for part in parts[:-1])
    lengths = tuple(fixed + one for one in last or (parts[-1].length,))
    return _Layout(kind, tuple(parts), lengths)


def _digits(name: str, title: str, length: int) -> _Part:
    return _Part(name, title, rf"[0-9]{{{length}}}", f" {length} 位数字", length)


def _letters(name: str, title: str, length: int) -> _Part:
    form = f" {length} 位数字或者大写字母"
    return _Part(name, title, rf"[0-9A-Z]{{{length}}}", form, length)


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A scheme whose parts are told apart by their places; hyphens are not counted."""

    key: str
    title: str
    layouts: tuple[_Layout, ...]

    def fits(self, text: str) -> bool:
        plain = _narrow(text).replace("-", "")
        return any(
            len(plain) in layout.lengths
            and re.fullmatch(layout.parts[0].pattern, plain[: layout.parts[0].length])
            for layout in self.layouts
        )

    def parse(self, text: str) -> ItemCode:
        plain = _narrow(text).replace("-", "")
        if not re.fullmatch(r"[0-9A-Z]+", plain):
            raise _refusal("characters", "事项编码由数字和大写字母组成。请核对。")
        for layout in self.layouts:
            if len(plain) in layout.lengths:
                return self._code(layout, plain)
        raise _refusal(
            "length",
            f"{self.title}的事项编码应为 {self._lengths()} 位，现在是 {len(plain)} 位。请核对。",
        )

    def compose(self, **parts: str) -> ItemCode:
        for layout in self.layouts:
            if set(layout.names) == set(parts):
                return self._made(layout, parts)
        raise _refusal(
            "parts",
            f"{self.title}的事项编码由这些部分组成："
            + "；".join(
                f"{KINDS[layout.kind]}：" + "、".join(part.title for part in layout.parts)
                for layout in self.layouts
            )
            + "。请逐项填写。",
        )

    def _made(self, layout: _Layout, parts: Mapping[str, str]) -> ItemCode:
        clean = {name: _narrow(parts[name]).replace("-", "") for name in layout.names}
        for part in layout.parts:
            if not re.fullmatch(part.pattern, clean[part.name]):
                raise _refusal(part.name, f"{part.title}应为{part.form}。请核对。")
        plain = "".join(clean.values())
        if len(plain) not in layout.lengths:
            raise _refusal(
                "length", f"{layout.parts[-1].title}的位数不对，应为{layout.parts[-1].form}。"
            )
        code = self._code(layout, plain)
        for fault in code.faults:
            raise _refusal(fault.code.removeprefix("item_code."), fault.sentence)
        if (reason := _unnumbered(code)) is not None:
            raise _refusal("placeholder", f"{PLACEHOLDERS[reason]}请填写真正的编码。")
        return code

    def _code(self, layout: _Layout, plain: str) -> ItemCode:
        parts: dict[str, str] = {}
        faults: list[Fault] = []
        for part, at, value in layout.cut(plain):
            if not re.fullmatch(part.pattern, value):
                place = (
                    f"第 {at + 1} 到 {at + len(value)} 位" if len(value) > 1 else f"第 {at + 1} 位"
                )
                raise _refusal(
                    part.name,
                    f"{self.title}的事项编码，{place}是{part.title}，应为{part.form}，"
                    f"现在是“{value}”。请核对。",
                )
            if part.name == "body" and part.length == 18:
                faults += _body_faults(value)
            parts[part.name] = value
        return ItemCode(
            self.key,
            layout.kind,
            MappingProxyType(parts),
            plain,
            "-".join(parts.values()),
            tuple(faults),
        )

    def _lengths(self) -> str:
        return "、".join(
            str(layout.lengths[0])
            if len(layout.lengths) == 1
            else f"{layout.lengths[0]} 到 {layout.lengths[-1]}"
            for layout in self.layouts
        )


@dataclass(frozen=True, slots=True)
class _Sichuan:
    """Sichuan's codes (四川政务服务网), read only: hyphens tell the parts apart.

    item-region-gap-body-nature-tail; a few of the first years have only item and body. The digit
    `nature` is 1 or 2 in codes of a district, so it cannot be the exercise level of A.2 (4 there);
    it fits A.3, 1 法定机关 and 2 授权组织. No document that says so has been read.
    """

    key: str
    title: str

    def fits(self, text: str) -> bool:
        return re.match(rf"(?:{SICHUAN_ITEM})-", _narrow(text)) is not None

    def parse(self, text: str) -> ItemCode:
        printed = _narrow(text)
        found = re.fullmatch(
            rf"(?P<item>{SICHUAN_ITEM})"
            rf"(?:-(?P<region>51[0-9]{{10}})-(?P<gap>[0-9]{{3}})-(?P<body>{SICHUAN_BODY})"
            r"-(?P<nature>[0-9])-(?P<tail>[0-9]{2})"
            rf"|-(?P<short>{SICHUAN_BODY}))",
            printed,
        )
        if found is None:
            raise _refusal(
                "form",
                f"{self.title}的事项编码应为：事项-12 位区划-000-实施主体-1-00，各段用短横线隔开。"
                "请核对。",
            )
        parts = {name: value for name, value in found.groupdict().items() if value is not None}
        if "short" in parts:
            parts["body"] = parts.pop("short")
        return ItemCode(
            self.key,
            Kind.IMPLEMENTATION,
            MappingProxyType(parts),
            printed,
            printed,
            tuple(_body_faults(parts["body"])),
        )

    def compose(self, **parts: str) -> ItemCode:
        raise _refusal(
            "read_only", f"{self.title}的事项编码只能读取，不能在这里编制。请用其他方案。"
        )


def _basic39048() -> tuple[_Part, ...]:
    numbered = "|".join(ITEM_TYPES)
    return (
        _Part("type", "事项类型", rf"[A-Z]{{2}}|{numbered}", " 2 位字母或者类型代码", 2),
        _digits("main", "主项", 5),
        _digits("sub", "子项", 3),
    )


def _basic_national() -> tuple[_Part, ...]:
    provinces = "|".join([NATION, *sorted(PROVINCES)])
    return (
        _Part("province", "省（自治区、直辖市）", provinces, "省级代码或者 00", 2),
        _digits("type", "事项类型", 2),
        _digits("department", "业务指导部门", 2),
        _digits("main", "主项", 3),
        _digits("sub", "子项", 3),
    )


# Region and body are in it: Hubei has no code of the item wherever it is handled.
HUBEI = _Fixed(
    "hubei",
    "湖北省",
    (
        _layout(
            Kind.IMPLEMENTATION,
            parts=(
                _Part("region", "行政区划", "42[0-9]{4}", " 42 开头的 6 位数字", 6),
                _letters("body", "行政主体", 3),
                _letters("type", "职权类型", 2),
                _digits("main", "事项顺序码", 3),
                _digits("sub", "子项顺序码", 2),
            ),
        ),
    ),
)
# What follows the basic code is laid down by each province; its structure is not read here.
GB39048 = _Fixed(
    "gb39048",
    "国家标准 GB/T 39048 ",
    (
        _layout(Kind.BASIC, parts=_basic39048()),
        _layout(
            Kind.IMPLEMENTATION,
            parts=(
                *_basic39048(),
                _Part("tail", "实施部分", "[0-9A-Z]{1,14}", " 1 到 14 位数字或者大写字母", 1),
            ),
            last=range(1, 15),
        ),
    ),
)


def national(*, suffix_lengths: Sequence[int] = SUFFIX_LENGTHS) -> Scheme:
    """The national platform's scheme; suffix_lengths: how long the last part of a 业务办理项编码 is."""
    body = (
        _letters("body", "实施主体的统一社会信用代码", 18),
        _Part("level", "行使层级", "[1-7]", " 1 到 7 的数字", 1),
        *_basic_national(),
    )
    lengths = sorted(suffix_lengths)
    suffix = _Part(
        "suffix",
        "业务办理项",
        "|".join(f"[0-9]{{{length}}}" for length in lengths),
        "或者".join(f" {length} 位" for length in lengths) + "数字",
        lengths[0],
    )
    return _Fixed(
        "national",
        "国家平台",
        (
            _layout(Kind.BASIC, parts=_basic_national()),
            _layout(Kind.IMPLEMENTATION, parts=body),
            _layout(Kind.HANDLING, parts=(*body, suffix), last=lengths),
        ),
    )


NATIONAL = national()
SICHUAN = _Sichuan("sichuan", "四川省")
# In the order `read` asks them: a text of 12 that begins with a province is the national basic
# code, though a GB/T 39048 code with two more characters could look the same.
SCHEMES: Mapping[str, Scheme] = {
    scheme.key: scheme for scheme in (HUBEI, NATIONAL, GB39048, SICHUAN)
}


def read(text: str) -> ItemCode:
    """The code in `text`, of whichever scheme it is; hyphens, spaces, width and case do not count.

    Sichuan's hyphens do count: its organisation codes vary in length.
    """
    refused = None
    for scheme in SCHEMES.values():
        if scheme.fits(text):
            try:
                return scheme.parse(text)
            except Refusal as refusal:
                refused = refused or refusal
    raise refused or _refusal(
        "unknown",
        "认不出这是哪一种事项编码。请填写 16 位（湖北省）、12 位或者 31 位以上（国家平台）、"
        "10 到 24 位（国家标准 GB/T 39048）的编码。",
    )


def is_placeholder(text: str) -> Placeholder | None:
    """Why `text` is no real code (占位编码), None where it may be one. A fault is no placeholder."""
    narrow = _narrow(text)
    plain = narrow.replace("-", "")
    if not plain:
        return Placeholder.BLANK if not narrow else Placeholder.LETTERS
    if plain in _WORDS or any(word in plain for word in _PHRASES):
        return Placeholder.WORD
    if re.search(r"X{3}|[*?#_]{2}", plain):
        return Placeholder.LETTERS
    if len(set(plain)) == 1:
        return Placeholder.REPEATED
    try:
        code = read(narrow)
    except Refusal:
        return None
    return _unnumbered(code)


_WORDS = frozenset(["无", "空", "暂无", "未知", "NA", "N/A", "NONE", "NULL", "TBD", "TODO", "TEST"])
_PHRASES = ("待定", "待编", "待补", "未编码", "未编号", "未定", "暂缺", "测试")


def _unnumbered(code: ItemCode) -> Placeholder | None:
    """The placeholders that only show in the parts of a code that can be read."""
    main, serial = _serial(code)
    if not main.strip("0"):
        return Placeholder.UNNUMBERED
    if not main.strip("9"):
        return Placeholder.NINES
    if len(set(serial)) == 1:
        return Placeholder.REPEATED
    body = code.parts.get("body", "").replace("-", "")
    if body and not body.strip("0"):
        return Placeholder.BODY
    if len(body) >= 7:  # an organisation's code, not the three characters of Hubei's own list
        # The eight characters the number of an organisation has before its check character.
        own = body[8:16] if len(body) == 18 else body
        if len(set(own)) == 1 or "12345678" in body:
            return Placeholder.BODY
    return None


def _serial(code: ItemCode) -> tuple[str, str]:
    """The number of the main item, and that with the sub-item's: 9 in a sub-item alone is in use."""
    if "main" in code.parts:
        return code.parts["main"], code.parts["main"] + code.parts["sub"]
    item = code.parts["item"]
    if "-" in item:
        main = item.split("-")[-2 if item[0].isalpha() else -1]
        return main, main
    # 51, list, type, then department 2, main 3 and the rest: in codes of 14 the cut between the
    # five digits is not documented, so all five must be empty.
    return item[6:9] if len(item) == 12 else item[4:9], item[4:]


def _body_faults(body: str) -> list[Fault]:
    """What is wrong with the organisation a code names: a USCC or an organisation code."""
    try:
        if len(body) == 18:
            uscc(body)
        else:
            organisation_code(body)
    except Refusal as refusal:
        if len(body) == 18 or refusal.code == "org_code.check":
            return [Fault("body", f"item_code.{refusal.code}", f"实施主体：{refusal.sentence}")]
        return [
            Fault(
                "body",
                "item_code.body",
                "实施主体应为 18 位统一社会信用代码或者 9 位组织机构代码，"
                f"现在是“{body}”。请向编码的部门核对。",
            )
        ]
    return []


_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff0d\ufe63"
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {ord(c): "-" for c in _DASHES}


def _narrow(text: str) -> str:
    """Upper case, half-width, one kind of hyphen, no spaces."""
    return re.sub(r"\s", "", text.translate(_NARROW)).upper()


def _refusal(code: str, sentence: str) -> Refusal:
    return Refusal(f"item_code.{code}", sentence, field="code")
