"""Reading event logs in XES (IEEE 1849), one trace at a time, gzip or plain.

Entities, external references and doctypes are refused (defusedxml), so a bomb is an error and not
a full memory. Nothing is interpreted here: values come out as text with the type the file says.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from zhengwu.domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Trace:
    """One case of the log: its attributes and its events, in file order; all values are text."""

    index: int
    attributes: Mapping[str, str]
    events: tuple[Mapping[str, str], ...]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def traces(path: Path) -> Iterator[Trace]:
    """The traces of a file. Raises Refusal (`xes.*`) for a file that cannot be read as XES."""
    try:
        with path.open("rb") as probe:
            zipped = probe.read(2) == b"\x1f\x8b"
    except OSError as error:
        raise Refusal(
            "xes.unreadable", f"打不开文件 {path}：{error.strerror}。请检查路径和权限。"
        ) from error
    opener = gzip.open if zipped else open
    depth = 0
    index = 0
    try:
        with opener(path, "rb") as stream:
            for what, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
                if what == "start":
                    if depth == 0 and _local(element.tag) != "log":
                        raise Refusal(
                            "xes.not_a_log",
                            f"文件 {path.name} 不是 XES 日志：最外层应当是 log，"
                            f"实际是 {_local(element.tag)[:40]}。",
                        )
                    depth += 1
                    continue
                depth -= 1
                if depth == 1:
                    if _local(element.tag) == "trace":
                        yield _trace(element, index)
                        index += 1
                    element.clear()
    except (ParseError, DefusedXmlException, EOFError, gzip.BadGzipFile, UnicodeError) as error:
        raise Refusal(
            "xes.broken",
            f"文件 {path.name} 在第 {index + 1} 个办件附近损坏或者含有不允许的内容"
            f"（{type(error).__name__}）。请让来源系统重新导出；此前的办件已经入账，重放不会重复。",
        ) from error


def _trace(element: object, index: int) -> Trace:
    attributes: dict[str, str] = {}
    events: list[Mapping[str, str]] = []
    for child in element:  # type: ignore[attr-defined]
        if _local(child.tag) == "event":
            events.append(
                {a.get("key"): a.get("value") for a in child if a.get("key") and a.get("value")}
            )
        elif child.get("key") and child.get("value"):
            attributes[child.get("key")] = child.get("value")
    return Trace(index, attributes, tuple(events))
