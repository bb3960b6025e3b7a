"""Names: every Han extension and the dot of long names; one dot out of its many code points."""

from __future__ import annotations

import unicodedata

from zhengwu.domain.refusal import Refusal

DOT = "\u00b7"  # the dot of 买买提·艾合买提, as on identity cards
DOTS = "\u2022\u2027\u2219\u22c5\u30fb\uff65\uff0e\u25cf\u00b7"


def _category(c: str) -> str:
    """The Unicode category; every Han extension is a letter, also those younger than Python's."""
    code = ord(c)
    if 0x20000 <= code <= 0x3FFFD and code & 0xFFFF < 0xFFFE:
        return "Lo"  # planes 2 and 3 are set aside for ideographs
    return unicodedata.category(c)


def _clean(text: str, *, what: str, most: int) -> str:
    if any(_category(c) in ("Cc", "Cs", "Co", "Cn") for c in text.strip()):
        raise Refusal("name.control", f"{what}里有不可见或者不能显示的字符，请重新输入。")
    if any(unicodedata.category(c) == "Cf" for c in text):
        raise Refusal("name.invisible", f"{what}里有不可见的排版字符，请重新输入。")
    name = " ".join(text.split())
    if not name:
        raise Refusal("name.required", f"请填写{what}。")
    if len(name) > most:
        raise Refusal("name.too_long", f"{what}最多 {most} 个字，现在有 {len(name)} 个。")
    return name


def _letter(c: str) -> bool:
    return _category(c)[0] in "LM"


def person_name(text: str) -> str:
    """A person's name (姓名): letters of any script, dots and spaces between them, up to 50."""
    name = _clean(text, what="姓名", most=50)
    for dot in DOTS:
        name = name.replace(dot, DOT)
    if not all(_letter(c) or c in f"{DOT} -'." for c in name) or not _letter(name[0]):
        raise Refusal("name.characters", "姓名只能由文字组成，中间可以有间隔号“·”。请按证件填写。")
    if f"{DOT}{DOT}" in name or name.endswith(DOT):
        raise Refusal("name.dot", "姓名里的间隔号“·”应当在两段名字之间，且只写一个。")
    return name


def organisation_name(text: str) -> str:
    """An organisation's name (单位名称), up to 100 characters; at least one letter."""
    name = _clean(text, what="单位名称", most=100)
    if not any(_letter(c) for c in name):
        raise Refusal("name.characters", "单位名称里没有文字。请按登记证照填写。")
    if any(unicodedata.category(c) == "So" or c in "<>" for c in name):
        raise Refusal("name.characters", "单位名称里有不能用的符号。请按登记证照填写。")
    return name
