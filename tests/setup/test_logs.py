"""Log lines: JSON, and no personal data."""

from __future__ import annotations

import json
import logging
import sys

from zhengwu.config.logs import Lines


def test_what_an_exception_says_is_not_written() -> None:
    try:
        raise ValueError("Key (name)=(张伟) already exists")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "失败", (), sys.exc_info())
    line = Lines().format(record)
    assert "张伟" not in line
    read = json.loads(line)
    assert read["error"] == "builtins.ValueError"
    assert read["where"][0].startswith("test_logs.py:")


def test_identifiers_are_carried() -> None:
    record = logging.LogRecord("x", logging.INFO, "f.py", 1, "say %s", ("it",), None)
    record.position = 7
    assert json.loads(Lines().format(record))["position"] == 7
