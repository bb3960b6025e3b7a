"""The pages in a real browser. The ordinary run looks at one or two widths; ZHENGWU_DRILL=1 at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

Case = TypeVar("Case")


def some(usual: Sequence[Case], drilled: Sequence[Case]) -> list[Case]:
    """The cases of a test: the usual ones, in a drill the others too."""
    return [*usual, *(drilled if os.environ.get("ZHENGWU_DRILL") == "1" else ())]
