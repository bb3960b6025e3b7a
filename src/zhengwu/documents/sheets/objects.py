"""JSON tables: a list of objects, or an object with one list of them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection
from decimal import Decimal
from typing import Any, NoReturn

import rfc8785

from zhengwu.documents.sheets.table import (
    MOST_COLUMNS,
    Gathering,
    Note,
    Table,
    cleaned_cells,
    excerpt,
    refusal,
)
from zhengwu.domain.refusal import Refusal

MOST_VALUE_MB = 10
MOST_BRACKETS = 4_000_000  # objects and lists in a file, each of which costs memory
SHAPE = "JSON 文件的最外层应当是对象的列表（[{…}, {…}]），或者只含一个这样的列表的对象。"


class _Object(dict[str, Any]):
    """An object of the file, and the keys that stand in it more than once."""

    twice: tuple[str, ...] = ()


def read(
    text: str, *, encoding: str, notes: tuple[Note, ...], json_columns: Collection[str]
) -> Table:
    """The table in a text. Raises Refusal."""
    if text.count("[") + text.count("{") > MOST_BRACKETS:
        raise refusal("too_many_rows", "JSON 文件里的对象太多，一次读不下。请分成几个文件导入。")
    try:
        gathering = _gathered(_listed(_parsed(text)), json_columns)
    except RecursionError as problem:
        raise refusal("json_shape", f"JSON 文件嵌套得太深。{SHAPE}") from problem
    return gathering.table(format="json", encoding=encoding, notes=notes)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as problem:
        raise refusal(
            "json_broken",
            f"JSON 文件在第 {problem.lineno} 行第 {problem.colno} 个字处写错了。"
            "请让来源系统重新导出。",
        ) from problem
    except ValueError as problem:  # an integer of thousands of digits
        raise refusal(
            "json_broken", "JSON 文件里有读不出的数字。请让来源系统把它写成文字，重新导出。"
        ) from problem


def _gathered(listed: list[_Object], json_columns: Collection[str]) -> Gathering:
    names: dict[str, int] = {}
    for one in listed:
        for key in one:
            names.setdefault(key, len(names))
        if len(names) > MOST_COLUMNS:
            raise refusal(
                "too_many_columns", f"各项里不同的名称超过 {MOST_COLUMNS} 个。请检查文件的写法。"
            )
    gathering = Gathering()
    gathering.add(
        0, *cleaned_cells(((index, name) for name, index in names.items()), neutralised=False)
    )
    for position, one in enumerate(listed, 1):
        written: dict[int, str] = {}
        plain: dict[int, str] = {}
        for key, value in one.items():
            if key in json_columns and isinstance(value, dict | list):
                text = written[names[key]] = _canonical(value, position, key)
            else:
                text = plain[names[key]] = _text(value, position, key)
            if len(text) > MOST_VALUE_MB << 20:
                raise refusal(
                    "too_large",
                    f"第 {position} 项的“{excerpt(key)}”超过 {MOST_VALUE_MB} MB。请缩短后再导入。",
                    field=key,
                )
        cells, faults = cleaned_cells(plain.items(), neutralised=False)
        gathering.add(position, cells | written, faults)
        for key in _twice(one):
            gathering.keep(position)
            gathering.fault_of_row(
                position,
                "same_key",
                f"“{excerpt(key)}”在这一项里写了两次。请只留一个。",
                column=key,
            )
    return gathering


def _listed(whole: Any) -> list[_Object]:
    if isinstance(whole, _Object):
        lists = [value for value in whole.values() if isinstance(value, list)]
        if len(lists) != 1 or whole.twice:
            raise refusal("json_shape", SHAPE)
        whole = lists[0]
    if not isinstance(whole, list):
        raise refusal("json_shape", SHAPE)
    for position, one in enumerate(whole, 1):
        if not isinstance(one, _Object):
            raise refusal("json_shape", f"第 {position} 项不是对象。{SHAPE}")
    return whole


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    one = _Object(pairs)
    if len(one) < len(pairs):
        many = Counter(key for key, _ in pairs)
        one.twice = tuple(key for key in one if many[key] > 1)
    return one


def _twice(one: _Object) -> list[str]:
    """The keys that stand twice in an object, or in one within it, by the outermost key."""
    found = list(one.twice)
    for key, inner in one.items():
        if key not in found and _doubled(inner):
            found.append(key)
    return found


def _doubled(value: Any) -> bool:
    if isinstance(value, list):
        return any(_doubled(one) for one in value)
    return isinstance(value, _Object) and (
        bool(value.twice) or any(_doubled(one) for one in value.values())
    )


def _text(value: Any, position: int, key: str) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return _number_text(value)
        case list() if all(isinstance(one, str) for one in value):
            return "；".join(value)
    if isinstance(value, float):
        raise _out_of_range(position, key)
    raise refusal(
        "json_shape",
        f"第 {position} 项的“{excerpt(key)}”里还套着对象或列表，这一列不能这样写。"
        "请写成文字、数字、是非，或文字的列表。",
        field=key,
    )


def _number_text(value: float) -> str:
    """Without an exponent, and without .0 behind a whole number."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _canonical(value: Any, position: int, key: str) -> str:
    try:
        return rfc8785.dumps(value).decode()
    except (rfc8785.CanonicalizationError, UnicodeError) as problem:
        raise _out_of_range(position, key) from problem


def _out_of_range(position: int, key: str) -> Refusal:
    return refusal(
        "json_broken",
        f"第 {position} 项的“{excerpt(key)}”里有超出范围的数字或残缺的字。请让来源系统重新导出。",
        field=key,
    )


def _no_number(name: str) -> NoReturn:
    raise refusal(
        "json_broken", f"JSON 文件里有“{name}”，它不是数字。请让来源系统改写成 null 再导出。"
    )
