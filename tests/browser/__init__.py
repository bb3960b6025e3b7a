"""The pages in a real browser. In the ordinary run axe judges one page of each template at one width,
and one or two widths must hold what they show; with ZHENGWU_DRILL=1 every page at every width."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

Case = TypeVar("Case")
DRILL = os.environ.get("ZHENGWU_DRILL") == "1"

JUDGED: set[str] = set()


def representative(name: str) -> bool:
    """Whether axe is to judge this page. `template: state` is judged for its template the first time
    one comes by a page of it; in a drill every state is, once."""
    wanted = name if DRILL else name.partition(":")[0]
    new = wanted not in JUDGED
    JUDGED.add(wanted)
    return new


def some(usual: Sequence[Case], drilled: Sequence[Case]) -> list[Case]:
    """The cases of a test: the usual ones, in a drill the others too."""
    return [*usual, *(drilled if DRILL else ())]
