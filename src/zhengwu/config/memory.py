"""How often Python looks for circles of dead objects (内存回收).

By default it does after every 700 objects more, which a page or a batch makes many times over, and
looks through everything that the start-up made. What the start-up made stays; the rest is looked
through seldom. Objects in no circle, nearly all of ours, go at once as before.
"""

from __future__ import annotations

import gc

THRESHOLD = (50_000, 20, 50)


def settle() -> None:
    """Called once, when everything is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLD)
