"""The editor's form (起草页的表单): what is typed ↔ the elements of the guide, by part.

Driven by `domain.guide.ELEMENTS`. One part of the guide stands on a page; its names in the form are
the element's code, `code-part` for a limit, `code-key-part` for rows. A row that is new has a key
that begins with "+". What is typed is kept as it stands until `domain.guide.clean` has judged it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from zhengwu.domain import guide
from zhengwu.domain.guide import BY_CODE, ELEMENTS, MOST_LINES, Element
from zhengwu.domain.procedure import UNITS_ZH, Unit
from zhengwu.domain.refusal import Refusal
from zhengwu.web.forms import clean_text

BLANKS = 3  # rows offered beyond those that are there
_SLUGS = {
    "基本信息": "base", "办理时限": "time", "条件与材料": "ask", "办理流程": "flow", "收费": "fee",
    "办理渠道": "where", "权利与救济": "rights", "其他": "more",
}  # fmt: skip
FORCE = "force"
BELOW_ZH = {
    "shorter": "只能缩短", "fewer": "只能减少，不能增加", "less": "只能减少，不能增加",
    "more": "只能增加，不能减少", "faster": "只能改为即办件",
}  # fmt: skip
HINTS = {
    "basis": "法律、法规或者规章的名称和条款",
    "basic_code": "国家基本目录的编码",
    "guiding": "业务指导部门的代码",
    "statutory": "不填：法律没有规定时限",
    "promised": "当场办结填 0",
    "conditions": "一行一条",
    "synonyms": "一行一个，群众会怎么叫它",
    "template": "不选：按事项类型和办件类型自动选用",
    "flow_of": "由上级机关决定、共用它的流程时，填决定机关的事项编码",
    "visits": "填 0：一次也不用到现场",
    "visits_why": "要到现场的，写明为什么",
    "english": "市级通用清单填写，全市一致",
}  # fmt: skip
UNIT_CHOICES: Mapping[str, str] = {
    str(unit): zh.removeprefix("个") for unit, zh in UNITS_ZH.items()
}


@dataclass(frozen=True, slots=True)
class Part:
    """One page of the editor: a group of elements; of the last one none, only the day of force."""

    slug: str
    zh: str
    elements: tuple[Element, ...]


def _parts() -> tuple[Part, ...]:
    groups: dict[str, list[Element]] = {}
    for element in ELEMENTS:
        groups.setdefault(element.group, []).append(element)
    made = [Part(_SLUGS[zh], zh, tuple(elements)) for zh, elements in groups.items()]
    return (*made, Part(FORCE, "施行", ()))


PARTS: tuple[Part, ...] = _parts()
BY_SLUG: Mapping[str, Part] = {part.slug: part for part in PARTS}
_HOME = {element.code: part.slug for part in PARTS for element in part.elements}


def home(field_: str | None) -> str:
    """The slug of the part where a field is filled in; "" where there is none."""
    if field_ in ("since", "in_force", "transition"):
        return FORCE
    return _HOME.get(field_ or "", "")


# --- rows -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """One part of a row. width: of twelve; choices: where it is chosen from a list."""

    code: str
    zh: str
    width: int
    choices: Mapping[str, str] | None = None
    number: bool = False
    long: bool = False


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "materials": (
        Column("name", "材料名称", 5),
        Column("basis", "依据（条款）", 6),
        Column("need", "必要性", 2, guide.NEEDS_ZH),
        Column("form", "形式", 3, guide.FORMS_ZH),
        Column("copies", "份数", 1, number=True),
        Column("origin", "来源", 3, guide.ORIGINS_ZH),
    ),
    "fees": (
        Column("name", "收费项目", 5),
        Column("yuan", "金额（元）", 2, number=True),
        Column("standard", "标准", 4),
        Column("basis", "依据（条款）", 6),
        Column("relief", "减免", 5),
    ),
    "steps": (
        Column("name", "环节", 3),
        Column("role", "由谁办", 2, guide.ROLES_ZH),
        Column("value", "时限", 1, number=True),
        Column("unit", "单位", 2, UNIT_CHOICES),
        Column("after", "在哪几个之后（序号）", 2),
    ),
    "questions": (Column("q", "问", 11), Column("a", "答", 11, long=True)),
}
# What shows whether anything stands in a row: what is chosen from a list may be there beforehand.
_SAYS = {
    "materials": ("name", "basis", "copies"),
    "fees": ("name", "yuan", "standard", "basis", "relief"),
    "steps": ("name", "value", "after"),
    "questions": ("q", "a"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in the form. key: of the row that was there, or + and a number."""

    key: str
    order: str
    parts: Mapping[str, str]
    gone: bool = False

    @property
    def fresh(self) -> bool:
        return self.key.startswith("+")


def _blank(number: int) -> Row:
    return Row(f"+{number}", "", {})


def offered(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with the blank ones behind them, as far as there may be more."""
    taken = {row.key for row in rows}
    blank = (_blank(number) for number in range(1, 1000) if f"+{number}" not in taken)
    more = min(BLANKS, max(0, MOST_LINES - len(rows)))
    return (*rows, *(next(blank) for _ in range(more)))


# --- from the guide to the form ---------------------------------------------------------------------


def shown(element: Element, value: Any) -> Any:
    """A value of the guide as it stands in the form."""
    match element.kind:
        case "limit":
            given = value or {}
            return {
                "value": "" if value is None else str(given["value"]),
                "unit": str(given.get("unit") or Unit.WORKING_DAY),
                "basis": str(given.get("basis") or ""),
                "roll": "" if given.get("roll", True) else "no",
            }
        case "flag":
            return "" if value is None else "yes" if value else "no"
        case "choices":
            return list(value or ())
        case "lines":
            return "\n".join(value or ())
        case "materials" | "fees" | "steps" | "questions":
            return _rows_of(element, value or ())
        case _:
            return "" if value is None else str(value)


def _rows_of(element: Element, rows: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    orders = {str(one.get("code", "")): number for number, one in enumerate(rows, 1)}
    made = []
    for number, one in enumerate(rows, 1):
        parts = {column.code: str(one.get(column.code, "")) for column in COLUMNS[element.kind]}
        if element.kind == "fees":
            parts["yuan"] = f"{one['fen'] / 100:.2f}" if "fen" in one else ""
        if element.kind == "steps":
            limit = one.get("limit") or {}
            parts |= {"value": str(limit.get("value", "")), "unit": str(limit.get("unit", ""))}
            parts["after"] = "、".join(
                str(orders.get(before, before)) for before in one.get("after", ())
            )
        key = str(one["code"]) if element.kind in ("materials", "steps") else str(number)
        made.append(Row(key, str(number), parts))
    return tuple(made)


# --- from what was typed to the form ----------------------------------------------------------------


def asked(element: Element, post: QueryDict) -> bool:
    """Whether the form had inputs for it: what was not on the page is not emptied."""
    return element.code in post or any(name.startswith(f"{element.code}-") for name in post)


def typed(element: Element, post: QueryDict) -> Any:
    """What was typed for an element, in the shape of `shown`."""
    code = element.code
    match element.kind:
        case "limit":
            return {
                part: clean_text(post.get(f"{code}-{part}", ""))
                for part in ("value", "unit", "basis", "roll")
            }
        case "choices":
            return [one for one in map(clean_text, post.getlist(code)) if one]
        case "materials" | "fees" | "steps" | "questions":
            return _rows_typed(element, post)
        case _:
            return clean_text(post.get(code, ""))


def _rows_typed(element: Element, post: QueryDict) -> tuple[Row, ...]:
    known = {column.code for column in COLUMNS[element.kind]} | {"order", "gone"}
    found: dict[str, dict[str, str]] = {}
    for name in post:
        if name.startswith(f"{element.code}-"):
            key, _, part = name.removeprefix(f"{element.code}-").rpartition("-")
            if key and part in known:
                found.setdefault(key, {})[part] = clean_text(post.get(name, ""))
    made = []
    for key, given in found.items():
        order, gone = given.pop("order", ""), bool(given.pop("gone", ""))
        if gone or any(given.get(part) for part in _SAYS[element.kind]):
            made.append(Row(key, order, given, gone))
    return tuple(made)


# --- from the form to the guide ---------------------------------------------------------------------


@dataclass(slots=True)
class Meant:
    """What the typed means. given: for `guide.clean`; faults: what cannot even be read; keys: the
    key of a row in the form → the code that the row has from now on."""

    given: dict[str, Any] = field(default_factory=dict)
    faults: list[Refusal] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

    def take(self, element: Element, form: Any, before: Any) -> None:
        """One element. before: the value that stood in the form when it was opened."""
        value: Any
        match element.kind:
            case "limit":
                value = _limit(form)
            case "flag":
                value = {"yes": True, "no": False}.get(form, form or None)
            case "lines":
                value = [line for line in form.split("\n") if line.strip()]
            case "count":
                value = _whole(form)
            case "materials":
                value = self._materials(form, before or ())
            case "fees":
                value = [self._fee(element, row) for row in _standing(form)]
            case "steps":
                value = self._steps(element, form, before or ())
            case "questions":
                value = [
                    {"q": r.parts.get("q", ""), "a": r.parts.get("a", "")} for r in _standing(form)
                ]
            case _:
                value = form
        self.given[element.code] = value

    def _fee(self, element: Element, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = {
            part: row.parts.get(part, "") for part in ("name", "standard", "basis", "relief")
        }
        if yuan := row.parts.get("yuan"):
            made["fen"] = fen = _fen(yuan)
            if fen is None:
                self.faults.append(
                    Refusal(
                        "item.fee_yuan",
                        f"收费“{made['name'][:40]}”的金额“{yuan[:20]}”不是钱数。"
                        "请按元填写，最多两位小数，例如 12.50。",
                        field=element.code,
                    )
                )
        return made

    def _materials(
        self, form: Sequence[Row], before: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        there = {str(one["code"]): one for one in before}
        codes = _codes(_standing(form), set(there), "{:02d}")
        made = []
        for row in _standing(form):
            code = codes[row.key]
            self.keys[row.key] = code
            kept = {
                part: value
                for part, value in there.get(code, {}).items()
                if part not in {column.code for column in COLUMNS["materials"]}
            }
            parts = {part: value for part, value in row.parts.items() if value}
            made.append(
                kept | parts | {"code": code, "copies": _whole(row.parts.get("copies", ""))}
            )
        return made

    def _steps(
        self, element: Element, form: Sequence[Row], before: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        there = {str(one["code"]): one for one in before}
        rows = _standing(form)
        codes = _codes(rows, set(there), "s{}")
        numbers: dict[str, list[str]] = {}
        for number, row in enumerate(rows, 1):
            numbers.setdefault(row.order or str(number), []).append(codes[row.key])
        made = []
        for number, row in enumerate(rows, 1):
            after: list[str] = []
            for one in _listed(row.parts.get("after", "")):
                if one in numbers:
                    after += numbers[one]
                else:
                    self.faults.append(
                        Refusal(
                            "flow.no_such_number",
                            f"第 {number} 个环节写了在“{one[:20]}”之后，没有这个序号。请填写表里的序号。",
                            field=element.code,
                        )
                    )
            limit = _limit({**row.parts, "basis": "", "roll": ""})
            old = there.get(codes[row.key], {}).get("limit") or {}
            if limit and (str(old.get("value")), old.get("unit")) == (
                row.parts.get("value"), row.parts.get("unit"),
            ):  # fmt: skip
                limit = dict(old)
            made.append(
                {
                    "code": codes[row.key],
                    "name": row.parts.get("name", ""),
                    "role": row.parts.get("role", ""),
                    **({"limit": limit} if limit else {}),
                    **({"after": after} if after else {}),
                }
            )
        return made


def _standing(rows: Iterable[Row]) -> list[Row]:
    """The rows that stay, in the order of their numbers; without one they go to the end."""
    kept = [row for row in rows if not row.gone]
    return sorted(kept, key=lambda row: _place(row.order))


def _place(order: str) -> float:
    """1.5 stands between 1 and 2."""
    whole, _, rest = order.partition(".")
    good = (whole + rest).isascii() and whole.isdigit() and (rest.isdigit() or not rest)
    return float(order) if good and len(order) < 8 else 1e6


def _codes(rows: Sequence[Row], taken: set[str], pattern: str) -> dict[str, str]:
    """Key → code; a new row gets the next free one."""
    made: dict[str, str] = {}
    number = 0
    for row in rows:
        code = row.key
        if row.fresh or row.key not in taken:
            number += 1
            while pattern.format(number) in taken or pattern.format(number) in made.values():
                number += 1
            code = pattern.format(number)
        made[row.key] = code
    return made


def _whole(text: str) -> Any:
    """A whole number; what is none stays as it is and is refused by its rule."""
    if not text:
        return None
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 12 else text


def _limit(form: Mapping[str, str]) -> dict[str, Any] | None:
    if not form.get("value"):
        return None
    made: dict[str, Any] = {
        "value": _whole(form["value"]), "unit": form.get("unit", ""), "basis": form.get("basis", "")
    }  # fmt: skip
    if form.get("roll") == "no":
        made["roll"] = False
    return made


def _fen(text: str) -> int | None:
    """Yuan with at most two decimals, in fen; None for what is none."""
    whole, point, cents = text.replace(",", "").partition(".")
    digits = whole.isascii() and whole.isdigit() and len(whole) < 11
    if not digits or (point and not (cents.isascii() and cents.isdigit() and len(cents) <= 2)):
        return None
    return int(whole) * 100 + int(cents.ljust(2, "0"))


def _listed(text: str) -> list[str]:
    """1、2 or 1,2 or 1 2."""
    for sign in "、，,；;":
        text = text.replace(sign, " ")
    return text.split()


# --- one's own and the list's -----------------------------------------------------------------------


def locked(element: Element, above: Mapping[str, Any] | None) -> bool:
    """What the list above settles for everybody cannot be changed here."""
    return above is not None and element.below == "same" and element.code in above


def departures(
    cleaned: Mapping[str, Any], part: Part, above: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What a level says itself in one part: what the list above says word for word is left to it."""
    own: dict[str, Any] = {}
    for element in part.elements:
        if locked(element, above):
            continue
        theirs = (above or {}).get(element.code)
        value = cleaned.get(element.code)
        if value is None or value == theirs:
            continue
        if value == [] and not theirs:
            continue
        own[element.code] = value
    return own


def of_part(own: Mapping[str, Any], part: Part) -> dict[str, Any]:
    return {one.code: own[one.code] for one in part.elements if one.code in own}


__all__ = [
    "BELOW_ZH", "BLANKS", "BY_CODE", "BY_SLUG", "COLUMNS", "FORCE", "HINTS", "PARTS",
    "UNIT_CHOICES", "Column", "Meant", "Part", "Row", "asked", "departures", "home", "locked", "of_part",
    "offered", "shown", "typed",
]  # fmt: skip
