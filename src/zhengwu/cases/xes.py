"""Reading event logs in XES (IEEE 1849-2016), one trace at a time, gzip or plain.

Entities, external references and doctypes are refused (defusedxml), so a bomb is an error and not
a full memory; so are elements without end, traces without end and attributes inside attributes
without end. `traces` gives texts, for a mapping to read; `logged` gives values with their types,
nested attributes included, which `xes_writing` writes back as they were.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeAlias
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from zhengwu.domain.refusal import Refusal

LONGEST = 10_000  # letters of a key or a value; what is longer is not taken in
MOST_BYTES = 16 * 2**20  # of one element without another one in it
MOST_ELEMENTS = 500_000  # of one trace
DEEPEST = 40  # attributes inside attributes
LONG = 2**63
TOO_LONG = f"不能超过 {LONGEST:,} 字"

Value: TypeAlias = "str | datetime | int | float | bool | tuple[Attribute, ...]"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute (属性) of a log, a trace, an event or an attribute.

    kind: string, date, int, float, boolean, id, list or container. value: of that type, dates with
    their offset; of a list and a container its attributes in order. nested: the attributes of an
    attribute. fault: why the value is none of its type, which then is the text as it stands.
    """

    key: str
    kind: str
    value: Value
    nested: tuple[Attribute, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """One case of the log: its attributes and its events, in file order; all values are text.

    long: what was longer than LONGEST and left out, by place: -1 the trace itself, else the index
    of the event; with the name of the attribute.
    """

    index: int
    attributes: Mapping[str, str]
    events: tuple[Mapping[str, str], ...]
    long: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedTrace:
    """One case of the log with typed values: its attributes, and those of each of its events."""

    index: int
    attributes: tuple[Attribute, ...]
    events: tuple[tuple[Attribute, ...], ...]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def traces(path: Path) -> Iterator[Trace]:
    """The traces of a file. Raises Refusal (`xes.*`) for a file that cannot be read as XES."""
    for index, element in enumerate(_elements(path)):
        yield _trace(element, index)


def logged(path: Path) -> Iterator[LoggedTrace]:
    """The traces of a file with typed values. Raises Refusal as `traces` does."""
    for index, element in enumerate(_elements(path)):
        yield LoggedTrace(
            index,
            tuple(_typed(one) for one in element if _local(one.tag) in TYPES),
            tuple(
                tuple(_typed(one) for one in event if _local(one.tag) in TYPES)
                for event in element
                if _local(event.tag) == "event"
            ),
        )


def readable(path: Path) -> int:
    """How many traces a file has, read to its end. Raises Refusal where it cannot be."""
    return sum(1 for _ in _elements(path))


class _Watched:
    """A stream that gives up where one element has no end."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.stream, self.name = stream, name
        self.silent = 0

    def read(self, size: int = -1) -> bytes:
        # The parser looks through an unfinished element again with every piece: pieces that grow
        # with it make that twice its length, and not its square.
        piece = self.stream.read(max(size, self.silent))
        self.silent += len(piece)
        if self.silent > MOST_BYTES:
            raise Refusal(
                "xes.endless",
                f"文件 {self.name} 里有一个元素（event、属性等）超过 {MOST_BYTES // 2**20} MB 还没有结束。"
                f"属性的名称（key）和值（value）{TOO_LONG}。请让来源系统缩短以后重新导出；"
                "没有导入任何办件。",
            )
        return piece


def _elements(path: Path) -> Iterator[Element]:
    """The trace elements of a file; each is emptied when the next is asked for."""
    try:
        with path.open("rb") as probe:
            zipped = probe.read(2) == b"\x1f\x8b"
    except OSError as error:
        raise Refusal(
            "xes.unreadable", f"打不开文件 {path}：{error.strerror}。请检查路径和权限。"
        ) from error
    opener: Any = gzip.open if zipped else open
    depth = index = elements = 0
    root: Element | None = None
    try:
        with opener(path, "rb") as stream:
            watched = _Watched(stream, path.name)
            for what, element in iterparse(watched, events=("start", "end"), forbid_dtd=True):
                watched.silent = 0
                if what == "start":
                    if root is None:
                        root = element
                        _check_root(element, path)
                    depth += 1
                    elements += 1
                    if depth > DEEPEST or elements > MOST_ELEMENTS:
                        raise _unbounded(path, index, deep=depth > DEEPEST)
                    continue
                depth -= 1
                if depth == 1:
                    if _local(element.tag) == "trace":
                        yield element
                        index += 1
                    assert root is not None
                    root.clear()  # else a million empty traces would stay
                    elements = 0
    except (ParseError, DefusedXmlException, EOFError, gzip.BadGzipFile, UnicodeError) as error:
        raise Refusal(
            "xes.broken",
            f"文件 {path.name} 在第 {index + 1} 个办件（trace）附近损坏或者含有不允许的内容"
            f"（{type(error).__name__}）。文件应是完整的 XML，不能有 DTD 和实体。"
            "请让来源系统重新导出；没有导入任何办件。",
        ) from error


def _check_root(element: Element, path: Path) -> None:
    if _local(element.tag) != "log":
        raise Refusal(
            "xes.not_a_log",
            f"文件 {path.name} 不是 XES 日志：最外层应当是 log，"
            f"实际是 {_local(element.tag)[:40]}。请核对文件。",
        )


def _unbounded(path: Path, index: int, *, deep: bool) -> Refusal:
    which = f"文件 {path.name} 的第 {index + 1} 个办件（trace）"
    if deep:
        return Refusal(
            "xes.too_deep",
            f"{which}里属性套属性超过 {DEEPEST} 层。请让来源系统减少层数以后重新导出；"
            "没有导入任何办件。",
        )
    return Refusal(
        "xes.too_many",
        f"{which}有 {MOST_ELEMENTS:,} 个以上的元素，一件读不下。请让来源系统把它分开以后重新导出；"
        "没有导入任何办件。",
    )


def _trace(element: Element, index: int) -> Trace:
    attributes: dict[str, str] = {}
    events: list[Mapping[str, str]] = []
    long: dict[int, str] = {}

    def take(child: Element, place: int, into: dict[str, str]) -> None:
        key, value = child.get("key"), child.get("value")
        if not key or not value:
            return
        if len(key) > LONGEST or len(value) > LONGEST:
            long.setdefault(place, key[:40])
        else:
            into[key] = value

    for child in element:
        if _local(child.tag) == "event":
            found: dict[str, str] = {}
            for one in child:
                take(one, len(events), found)
            events.append(found)
        else:
            take(child, -1, attributes)
    return Trace(index, attributes, tuple(events), long)


# --- types ----------------------------------------------------------------------------------------

TYPES = frozenset({"string", "date", "int", "float", "boolean", "id", "list", "container"})
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_SPECIAL = {"INF": float("inf"), "+INF": float("inf"), "-INF": float("-inf"), "NaN": float("nan")}
_BOOLEAN = {"true": True, "1": True, "false": False, "0": False}


def _typed(element: Element) -> Attribute:
    """One attribute with its type; what is too long is a fault and cut off."""
    kind, key = _local(element.tag), element.get("key", "")
    inside = [one for one in element if _local(one.tag) in TYPES]
    if kind == "list":
        values = next((one for one in element if _local(one.tag) == "values"), None)
        if values is not None:
            held = tuple(_typed(one) for one in values if _local(one.tag) in TYPES)
            return Attribute(key, kind, held, tuple(map(_typed, inside)))
    if kind in ("list", "container"):
        return Attribute(key, kind, tuple(map(_typed, inside)))
    nested = tuple(map(_typed, inside))
    text = element.get("value", "")
    if len(key) > LONGEST or len(text) > LONGEST:
        return Attribute(key[:40], "string", text[:40], nested, f"{key[:40]} {TOO_LONG}")
    value, fault = _value(kind, text)
    return Attribute(key, kind, value, nested, fault)


def _value(kind: str, text: str) -> tuple[Value, str]:
    if kind in ("string", "id"):
        return text, ""
    found: Value | None = None
    if kind == "date":
        if (moment := instant(text)) is not None:
            found = moment
    elif kind == "int":
        if _WHOLE.fullmatch(text.strip()) and -LONG <= int(text) < LONG:
            found = int(text)
    elif kind == "boolean":
        found = _BOOLEAN.get(text.strip())
    else:
        try:
            found = _SPECIAL[text.strip()] if text.strip() in _SPECIAL else _number(text)
        except ValueError:
            found = None
    if found is None:
        return text, f"“{text[:40]}”不是 {kind}"
    return found, ""


def _number(text: str) -> float:
    if not _DECIMAL.fullmatch(text.strip()):
        raise ValueError(text)
    return float(text)


def instant(text: str) -> datetime | None:
    """An instant with its offset, to the microsecond; None where it has none or is no time."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def plain(attributes: tuple[Attribute, ...]) -> dict[str, Value]:
    """The values by key, without what is nested and what is faulty."""
    return {one.key: one.value for one in attributes if not one.fault}


__all__ = [
    "Attribute",
    "LoggedTrace",
    "Trace",
    "Value",
    "instant",
    "logged",
    "plain",
    "readable",
    "traces",
]
