"""The one line of JSON that every measurement ends in."""

from __future__ import annotations

import json

FIELDS = ("name", "value", "unit", "ratio", "limit")


def line(
    name: str,
    value: float | None,
    unit: str,
    *,
    ratio: float | None = None,
    limit: float | None = None,
) -> None:
    """value: in `unit`, less is better where there is a limit. ratio: to what it is measured
    against, said in the module; null where there is no such thing."""
    said = dict(zip(FIELDS, (name, value, unit, ratio, limit), strict=True))
    print(json.dumps(said, ensure_ascii=False), flush=True)
