"""Opaque tokens (续页标记): where a list or a feed goes on. They say nothing and open nothing."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from zhengwu.domain.refusal import Refusal

LONGEST = 200


def write(kind: str, *parts: str | int) -> str:
    """A token of a kind of list."""
    text = json.dumps([kind, *parts], ensure_ascii=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(kind: str, token: str, *, field: str = "after") -> list[Any]:
    """The parts of a token of this kind. Raises Refusal `request.token`."""
    try:
        if len(token) > LONGEST:
            raise ValueError(token)
        found = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), "-_", validate=True))
        if not isinstance(found, list) or found[:1] != [kind]:
            raise ValueError(token)
    except (ValueError, binascii.Error, RecursionError):
        raise bad(field) from None
    return found[1:]


def bad(field: str = "after") -> Refusal:
    return Refusal(
        "request.token",
        f"参数 {field} 不是这里给出的续页标记。请原样写上一页的 next，或者去掉它从头开始。",
        field=field,
    )
