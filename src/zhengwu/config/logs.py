"""Log lines (日志): one JSON object a line, identifiers and no personal data."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path

from zhengwu.web import observing

CARRIED = ("status_code", "case", "stream", "position", "count", "seconds")

PLAIN = (str, int, float)
_json = json.JSONEncoder(ensure_ascii=False).encode


class Lines(logging.Formatter):
    """time, level, logger, message; of an exception its type and where, never what it said.

    What an exception says may hold what somebody typed: a database names the offending values.
    """

    def format(self, record: logging.LogRecord) -> str:
        if written := getattr(record, "line", None):  # web/observing.py, for every request
            return str(written)
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "say": _said(record),
            "process": record.process,
        }
        if number := observing.current():
            line["request"] = number
        held = record.__dict__
        for name in CARRIED:
            if name in held and isinstance(held[name], PLAIN):
                line[name] = held[name]
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            line["error"] = f"{kind.__module__}.{kind.__qualname__}"
            line["where"] = [
                f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(trace)[-12:]
            ]
        return _json(line)


def _said(record: logging.LogRecord) -> str:
    """The message; of Django's own about a request only its kind: it goes on with the path, and a
    path holds the number of a case.
    """
    told = ("django.request", "django.security.csrf")
    if record.name in told and isinstance(record.args, tuple) and record.args:
        return str(record.args[0])
    return record.getMessage()
