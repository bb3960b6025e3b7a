"""What a code of an item says (事项编码的读法), for the item's page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from zhengwu.domain.identifiers import item_codes
from zhengwu.domain.refusal import Refusal

# Letters of the type, a running number, and the place where it is a district's (shipped.item_code).
SHORT = re.compile(r"[A-Z]{2}[0-9]{4}(-[0-9]{6,12})?")
PARTS: Mapping[str, str] = {
    "province": "省（自治区、直辖市）",
    "type": "事项类型",
    "department": "业务指导部门",
    "main": "主项",
    "sub": "子项",
    "body": "实施主体",
    "level": "行使层级",
    "suffix": "业务办理项",
    "region": "行政区划",
    "tail": "实施部分",
    "item": "事项",
    "gap": "间隔",
    "nature": "实施主体性质",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a code. means: what its digits stand for, "" where no list says it."""

    title: str
    value: str
    means: str


@dataclass(frozen=True, slots=True)
class Read:
    """A code with its parts. scheme: "" where it belongs to none; remarks: what is wrong with it."""

    label: str
    text: str
    scheme: str
    kind: str
    parts: tuple[Part, ...]
    remarks: tuple[str, ...]


def read(label: str, text: str) -> Read:
    """The code in one of the schemes that stand side by side."""
    placeholder = item_codes.is_placeholder(text)
    if placeholder is not None:
        return Read(label, text, "", "", (), (item_codes.PLACEHOLDERS[placeholder],))
    try:
        code = item_codes.read(text)
    except Refusal as refusal:
        return Read(label, text, "", "", (), (refusal.sentence,))
    return Read(
        label,
        code.printed,
        item_codes.SCHEMES[code.scheme].title.strip(),
        item_codes.KINDS[code.kind],
        tuple(
            Part(PARTS.get(name, name), value, _means(name, value))
            for name, value in code.parts.items()
        ),
        tuple(fault.sentence for fault in code.faults),
    )


def own(text: str) -> Read:
    """The code of the item in this city: a short one of its own, or one of a scheme.

    XK0036-420104 would pass for a code of GB/T 39048 of fourteen, whose hyphens do not count.
    """
    if SHORT.fullmatch(text):
        return Read("事项编码", text, "", "", (), ())
    try:
        item_codes.read(text)
    except Refusal:
        return Read("事项编码", text, "", "", (), ())
    return read("事项编码", text)


def _means(name: str, value: str) -> str:
    match name:
        case "province":
            return "国家清单" if value == item_codes.NATION else ""
        case "type":
            return item_codes.ITEM_TYPES.get(value, "")
        case "department":
            return item_codes.GUIDING_DEPARTMENTS.get(value, "")
        case "level":
            return item_codes.EXERCISE_LEVELS.get(value, "")
    return ""
