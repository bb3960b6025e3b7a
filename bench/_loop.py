"""How fast this machine is at this moment: a bare Python loop.

The speed of a machine that others share wanders by several times, and with it every figure of CPU.
What a page costs is comparable with what it cost before only beside the loop of the same minutes.
"""

from __future__ import annotations

import time

ADDITIONS = 3_000_000


def seconds() -> float:
    """The CPU of so many additions, by our own clock."""
    began = time.process_time()
    total = 0
    for _ in range(ADDITIONS):
        total += 1  # noqa: SIM113 - the adding is what is timed
    return time.process_time() - began
