"""ZHENGWU_DRILL=1 asks for the whole of what the ordinary run takes a part of."""

from __future__ import annotations

import os

DRILL = os.environ.get("ZHENGWU_DRILL") == "1"


def examples(usual: int, drilled: int) -> int:
    """How many examples a property is tried with."""
    return drilled if DRILL else usual
