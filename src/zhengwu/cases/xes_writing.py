"""Writing event logs in XES (IEEE 1849-2016), piece by piece; memory does not grow with the log.

What `xes.logged` reads comes out as it went in: types, nested attributes, lists, instants to the
microsecond with their offset. A character that XML cannot hold becomes U+FFFD.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import quoteattr

from zhengwu.cases.xes import Attribute

# Of the standard's extensions those that we use, with the addresses that the standard gives.
EXTENSIONS = (
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
)
UNKNOWN = "UNKNOWN"
# What every trace and every event of ours has, with what it would be if it had not.
GLOBAL_TRACE = (Attribute("concept:name", "string", UNKNOWN),)
GLOBAL_EVENT = (
    Attribute("concept:name", "string", UNKNOWN),
    Attribute("time:timestamp", "date", datetime.fromisoformat("1970-01-01T00:00:00+00:00")),
    Attribute("lifecycle:transition", "string", "complete"),
)
CLASSIFIERS = (
    ("Activity", "concept:name"),
    ("Resource", "org:resource"),
    ("Activity and lifecycle", "concept:name lifecycle:transition"),
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def head(attributes: Iterable[Attribute] = ()) -> str:
    """The beginning of the file, with the attributes of the log."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<log xes.version="1849-2016" xes.features="nested-attributes"'
        ' xmlns="http://www.xes-standard.org/">',
    ]
    lines += [
        f'<extension name="{name}" prefix="{prefix}" uri="{uri}"/>'
        for name, prefix, uri in EXTENSIONS
    ]
    for scope, known in (("trace", GLOBAL_TRACE), ("event", GLOBAL_EVENT)):
        lines += [f'<global scope="{scope}">', *map(attribute, known), "</global>"]
    lines += [f'<classifier name="{name}" keys="{keys}"/>' for name, keys in CLASSIFIERS]
    lines += map(attribute, attributes)
    return "\n".join(lines) + "\n"


def trace(attributes: Iterable[Attribute], events: Iterable[Sequence[Attribute]]) -> str:
    """One case."""
    written = [f"<event>{''.join(attribute(one) for one in event)}</event>\n" for event in events]
    return f"<trace>{''.join(map(attribute, attributes))}\n{''.join(written)}</trace>\n"


FOOT = "</log>\n"


def log(
    attributes: Iterable[Attribute],
    traces: Iterable[tuple[Iterable[Attribute], Iterable[Sequence[Attribute]]]],
) -> Iterator[str]:
    """The whole file in pieces."""
    yield head(attributes)
    for of_trace, events in traces:
        yield trace(of_trace, events)
    yield FOOT


def attribute(one: Attribute) -> str:
    """One attribute with what is nested in it. Raises ValueError for a value of another type."""
    kind, key = one.kind, _quoted(one.key)
    nested = "".join(map(attribute, one.nested))
    if kind in ("list", "container"):
        assert isinstance(one.value, tuple)
        held = "".join(map(attribute, one.value))
        if kind == "list":
            held = f"<values>{held}</values>"
        return f"<{kind} key={key}>{held}{nested}</{kind}>"
    said = f"<{kind} key={key} value={_quoted(_text(one))}"
    return f"{said}>{nested}</{kind}>" if nested else f"{said}/>"


def _text(one: Attribute) -> str:
    value = one.value
    match one.kind:
        case "string" | "id" if isinstance(value, str):
            return value
        case "date" if isinstance(value, datetime) and value.tzinfo is not None:
            return _instant(value)
        case "boolean" if isinstance(value, bool):
            return "true" if value else "false"
        case "int" if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        case "float" if isinstance(value, float):
            if math.isfinite(value):
                return repr(value)
            return "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"
    raise ValueError(f"{one.key}: {one.kind} {type(value).__name__}")


def _instant(value: datetime) -> str:
    offset = value.utcoffset()
    if offset is not None and offset.seconds % 60:
        value = value.astimezone(UTC)  # XML knows no offset of part of a minute
    return value.isoformat(timespec="microseconds" if value.microsecond else "seconds")


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))


__all__ = ["FOOT", "attribute", "head", "log", "trace"]
