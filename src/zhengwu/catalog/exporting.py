"""The table of items (事项表): one row a version, one column an element; `importing` takes it in.

The columns are `COLUMNS`; `cell` writes an element into its cell and `value` reads it back, also as
people write it ("45天", 必要, the names of papers one a line). An element's cell holds what
applies, whoever says it; which elements the version says itself stands in 承接的差异. Materials,
fees, steps and questions are lists and stand in their cells as JSON. 施行止 is the last day, included.

    rows(Selection(region="420102", on=today))     the rows, one in memory
    write("csv", selection)                        pieces, to be streamed
    save("xlsx", selection, to=path)               into a file; constant memory
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.db.models import Case, IntegerField, QuerySet, Value, When

from zhengwu.accounts import queries as accounts
from zhengwu.catalog import queries, services
from zhengwu.catalog.models import ItemVersion
from zhengwu.documents import sheets
from zhengwu.domain import guide
from zhengwu.domain.guide import (
    ELEMENTS,
    FORMS_ZH,
    LISTS_ZH,
    NEEDS_ZH,
    ORIGINS_ZH,
    Content,
    Element,
    Level,
)
from zhengwu.domain.identifiers import item_codes
from zhengwu.domain.procedure import UNITS_ZH, Limit, Unit
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

Cell = str | int | None

# What is said of a version beside its elements: our word for the column, its heading.
FACTS: Mapping[str, str] = {
    "item": "编码",
    "base": "同一事项",
    "level": "清单层级",
    "region": "区域",
    "agency": "实施机关",
    "version": "版本",
    "since": "施行起",
    "until": "施行止",
    "above": "上级清单",
    "own": "承接的差异",
    "retired": "已取消",
    "retired_on": "取消日期",
    "transition": "过渡条款",
    "approved": "批准文号",
    "generated": "演示",
}
COLUMNS = (*FACTS.values(), *(one.zh for one in ELEMENTS))
# Elements that are lists of parts; their cells are JSON.
LISTS = tuple(
    one.code for one in ELEMENTS if one.kind in ("materials", "fees", "steps", "questions")
)
BETWEEN = "、"  # between the values of one cell
NOTHING = "无"  # a list that is empty, and says so
BASIS = "；依据："  # in the cell of a limit, before the article it stands in
NO_ROLL = "（末日不顺延）"
PROMISE = "办事指南承诺"  # the basis of a promise that names none (domain.guide)
FORMATS: Mapping[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
FETCHED = 500  # rows fetched together
Progress = Callable[[int, int], None]
# How people write the values.
UNITS: Mapping[str, Unit] = {
    "工作日": Unit.WORKING_DAY, "日": Unit.CALENDAR_DAY, "天": Unit.CALENDAR_DAY,
    "自然日": Unit.CALENDAR_DAY, "日历日": Unit.CALENDAR_DAY, "月": Unit.MONTH, "年": Unit.YEAR,
    "小时": Unit.HOUR, "办公小时": Unit.OFFICE_HOUR, **{str(unit): unit for unit in Unit},
}  # fmt: skip
AT_ONCE = ("当场", "当场办结", "当场办理", "即时", "即时办结", "即办")
BLANK = ("", "无", "/", "-", "—", "——")
YES = frozenset({"是", "有", "支持", "可以", "y", "yes", "true", "1"})
NO = frozenset({"否", "无", "不支持", "不可以", "n", "no", "false", "0"})
# The parts of a list's rows whose values are chosen, and what they are called.
CHOSEN: Mapping[str, Mapping[str, str]] = {
    "need": NEEDS_ZH,
    "form": FORMS_ZH,
    "origin": ORIGINS_ZH,
    "role": guide.ROLES_ZH,
}
PARTS: Mapping[str, frozenset[str]] = {
    "materials": frozenset(
        {"code", "name", "need", "form", "origin", "copies", "basis", "standard", "fill", "spec",
         "unless", "blank", "sample"}
    ),
    "fees": frozenset({"name", "fen", "standard", "basis", "relief"}),
    "steps": frozenset({"code", "name", "role", "limit", "after"}),
    "questions": frozenset({"q", "a"}),
}  # fmt: skip
TYPES_ALSO = {"其他类别": "其他行政权力", "其他权力": "其他行政权力", "其他": "其他行政权力"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which versions (范围). level, region, agency: "" for any. on: those in force on this day;
    None: every version there is, those to come and those of retired items too."""

    level: str = ""
    region: str = ""
    agency: str = ""
    on: date | None = None


def count(selection: Selection) -> int:
    return _found(selection).count()


def rows(selection: Selection, *, progress: Progress | None = None) -> Iterator[tuple[Cell, ...]]:
    """The rows in the order of COLUMNS: list by list, an item's versions one after the other.

    progress: told after every row how many were made, of how many.
    """
    names = {row.code: row.name for row in accounts.agencies()}
    total = count(selection) if progress else 0
    for done, one in enumerate(versions(selection), start=1):
        yield _row(one, names)
        if progress:
            progress(done, total)


def versions(selection: Selection) -> Iterator[ItemVersion]:
    """The versions with what stands above them, streamed from the database."""
    rank = Case(
        *(When(item__level=level, then=Value(place)) for place, level in enumerate(Level)),
        output_field=IntegerField(),
    )
    found = _found(selection).select_related("item")
    stream = found.order_by(rank, "item__base", "item__code", "version").iterator(FETCHED)
    while piece := list(islice(stream, FETCHED)):
        yield from services.with_above(piece)


def write(
    format: str, selection: Selection, *, progress: Progress | None = None
) -> Iterator[bytes]:
    """CSV or JSON in pieces. In JSON the lists are lists."""
    found = rows(selection, progress=progress)
    if format == "csv":
        return sheets.write_csv(COLUMNS, found)
    plain = cast(Iterable[Sequence[Cell]], (_plain(row) for row in found))
    return sheets.write_json(COLUMNS, plain)


def save(
    format: str, selection: Selection, *, to: Path | BinaryIO, progress: Progress | None = None
) -> int:
    """Into a file, in constant memory; how many rows."""
    if format == "xlsx":
        return sheets.save_xlsx(
            COLUMNS, rows(selection, progress=progress), title="事项", to=to
        )  # fmt: skip
    if isinstance(to, Path):
        with to.open("wb") as file:
            return save(format, selection, to=file, progress=progress)
    for piece in write(format, selection, progress=progress):
        to.write(piece)
    return count(selection)


def cell(element: Element, value: Any) -> Cell:
    """An element's value as its cell says it; None where it is not said."""
    if value is None:
        return None
    match element.kind:
        case "limit":
            return _limit(element, value)
        case "flag":
            return "是" if value else "否"
        case "count":
            return int(value)
        case "choice":
            return (element.choices or {}).get(value, str(value))
        case "choices":
            return BETWEEN.join((element.choices or {}).get(one, one) for one in value)
        case "lines":
            return "\n".join(value)
        case "materials" | "fees" | "steps" | "questions":
            return json.dumps(value, ensure_ascii=False) if value else NOTHING
    return str(value)


def _limit(element: Element, value: Mapping[str, Any]) -> str:
    limit = Limit(
        value["value"], Unit(value["unit"]), value.get("basis", ""), value.get("roll", True)
    )
    text = f"{limit.value} {UNITS_ZH[limit.unit]}" + ("" if limit.roll else NO_ROLL)
    if not limit.basis or (element.code == "promised" and limit.basis == PROMISE):
        return text
    return text + BASIS + limit.basis


def value(element: Element, text: str, *, unit: str = "", remark: Callable[[str], None]) -> Any:
    """What a cell says, as domain.guide takes it; None where it says nothing. Raises Refusal.

    unit: of a limit that is a bare number. remark: is told what was passed over.
    """
    match element.kind:
        case "limit":
            return _read_limit(element, text, unit)
        case "flag":
            folded = text.casefold()
            return True if folded in YES else False if folded in NO else text
        case "count":
            digits = text.removesuffix("次").strip()
            return (
                int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else text
            )
        case "choice":
            return _chosen(element, text)
        case "choices":
            return [
                _chosen(element, one) for one in re.split(r"[、，,；;\n^|]", text) if one.strip()
            ]
        case "lines":
            return _listed(text) or text.split("\n")
        case "materials" | "fees" | "steps" | "questions":
            return _read_parts(element, text, remark)
    return text


def _listed(text: str) -> list[str] | None:
    """A JSON list of texts, None where it is none."""
    try:
        rows = json.loads(text) if text.startswith("[") else None
    except (ValueError, RecursionError):
        return None
    good = isinstance(rows, list) and all(isinstance(one, str) for one in rows)
    return rows if good else None


def _chosen(element: Element, text: str) -> str:
    text = text.strip()
    if element.code == "type" and text.isascii() and text.isdigit():
        text = item_codes.ITEM_TYPES.get(text.zfill(2), text)
    if element.code == "type":
        text = TYPES_ALSO.get(text, text)
    by_name = {zh: code for code, zh in (element.choices or {}).items()}
    return by_name.get(text, text)


def _read_limit(element: Element, text: str, unit: str) -> dict[str, Any] | None:
    told, _, basis = text.partition(BASIS)
    folded = unicodedata.normalize("NFKC", told).replace(" ", "")
    if folded in BLANK:
        return None
    roll = unicodedata.normalize("NFKC", NO_ROLL) not in folded
    folded = folded.replace(unicodedata.normalize("NFKC", NO_ROLL), "")
    given: dict[str, Any] = {"basis": basis.strip(), **({} if roll else {"roll": False})}
    if folded in AT_ONCE:
        return {"value": 0, "unit": str(Unit.WORKING_DAY), **given}
    found = re.fullmatch(r"(-?\d{1,9})(?![\d.~至到-])个?(.*?)(?:以内|之内|内)?", folded, re.ASCII)
    if found is None:
        raise Refusal(
            "limit.value",
            f"“{element.zh}”写的“{text[:20]}”不是时限。请写数字和单位，例如“20 个工作日”；当场办理请写 0。",
            field=element.code,
        )
    named = found[2] or unicodedata.normalize("NFKC", unit).strip().removeprefix("个")
    return {"value": int(found[1]), "unit": str(UNITS.get(named, named)), **given}


def _read_parts(element: Element, text: str, remark: Callable[[str], None]) -> Any:
    """The rows of a list: JSON, or the names one a line."""
    if text in BLANK or (element.code == "fees" and text in ("不收费", "免费")):
        return [] if text == NOTHING or element.code == "fees" else None
    if text[0] in "[{":
        try:
            rows = json.loads(text)
            ledger.check_json(rows)  # what no table can keep: zero bytes, halves of letters
        except (ValueError, RecursionError, ledger.UnfitBody):
            raise Refusal(
                "import.json",
                f"“{element.zh}”一格像 JSON 又读不出来。请照导出的样子写，或者一行写一个名称。",
                field=element.code,
            ) from None
        return _translated(element, rows, remark)
    if element.code not in guide.EMPTY:
        raise Refusal(
            "import.json",
            f"“{element.zh}”一格应当是 JSON，照导出的样子写：[{{…}}, {{…}}]。",
            field=element.code,
        )
    names = [
        re.sub(r"^\d{1,2}[.、．]\s*(?=\D)", "", one).strip() for one in re.split("[\n；;]", text)
    ]
    named = [one for one in names if one]
    if element.code == "fees":
        return [{"name": one, "standard": one} for one in named]
    return [{"name": one} for one in named]


def _translated(element: Element, rows: Any, remark: Callable[[str], None]) -> Any:
    """Chosen values may be written as people call them; what nobody reads is remarked upon."""
    if not isinstance(rows, list):
        return rows
    unread: dict[str, None] = {}
    made = []
    for one in rows:
        if isinstance(one, Mapping):
            unread |= dict.fromkeys(str(part) for part in one if part not in PARTS[element.code])
            one = dict(one)
            for part, choices in CHOSEN.items():
                if one.get(part) in choices.values():
                    one[part] = next(code for code, zh in choices.items() if zh == one[part])
        made.append(one)
    if unread:
        remark(f"“{element.zh}”里没有用到：{BETWEEN.join(unread)}。"[:200])
    return made


# --- rows --------------------------------------------------------------------------------


def _found(selection: Selection) -> QuerySet[ItemVersion]:
    found = ItemVersion.objects.all()
    if selection.level:
        found = found.filter(item__level=selection.level)
    if selection.region:
        found = found.filter(item__region=selection.region)
    if selection.agency:
        found = found.filter(agency=selection.agency)
    if selection.on is not None:
        found = found.filter(in_force__contains=selection.on, retired=False)
    return found


def _row(one: ItemVersion, names: Mapping[str, str]) -> tuple[Cell, ...]:
    whole: Content = queries.whole(one)
    end = one.in_force.upper
    facts: dict[str, Cell] = {
        "item": one.item.code,
        "base": one.item.base,
        "level": LISTS_ZH[Level(one.item.level)],
        "region": one.item.region,
        "agency": names.get(one.agency, one.agency),
        "version": one.version,
        "since": one.in_force.lower.isoformat(),
        "until": (end - timedelta(days=1)).isoformat() if end else None,
        "above": one.above.item.code if one.above else None,
        "own": own_zh(one.own) if one.above else None,
        "retired": "是" if one.retired else None,
        "retired_on": one.retired_on.isoformat() if one.retired_on else None,
        "transition": "是" if one.transition else None,
        "approved": one.approved or None,
        "generated": "是" if one.item.generated else None,
    }
    return (
        *(facts[key] for key in FACTS),
        *(cell(element, whole.get(element.code)) for element in ELEMENTS),
    )


def own_zh(own: Content) -> str:
    """The elements that a version says itself, by their headings."""
    return BETWEEN.join(one.zh for one in ELEMENTS if one.code in own)


def _plain(row: Sequence[Cell]) -> Iterator[Any]:
    """The row with its lists as lists, for programs."""
    at = len(FACTS)
    yield from row[:at]
    for element, one in zip(ELEMENTS, row[at:], strict=True):
        if one is None:
            yield None
        elif element.code in LISTS:
            yield [] if one == NOTHING else json.loads(str(one))
        elif element.kind == "lines":
            yield str(one).split("\n")
        else:
            yield one
