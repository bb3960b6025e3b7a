"""After the year (记账之后): sequencer and followers to the end of the log, side by side."""

from __future__ import annotations

from collections import Counter
from functools import partial

from zhengwu.ledger import processes
from zhengwu.ledger import services as ledger
from zhengwu.ledger.processes import Progress, Went

# Positions of a run: what many entries of a day add to one figure is written once. The worker takes
# shorter ones, because others wait for it; here nobody does.
RUN = 10_000


def count(*, run: int = RUN, progress: Progress = lambda went: None) -> int:
    """Run every follower to the end of the log, each in a process of its own with a cursor of its own;
    how many positions all of them went on together. What a follower enters itself is followed, too,
    until nothing new is there.

    Whoever is killed meanwhile loses the run under way and nothing else: effect and cursor are one
    transaction. progress: follower → positions so far. Raises RuntimeError where one of them failed.
    """
    works = {one.name: partial(_follow, one.name, run) for one in ledger.followers()}
    before = Counter(dict.fromkeys(works, 0))
    while True:
        placed = ledger.sequence()
        went = processes.side_by_side(
            works,
            lambda now, before=before: progress({name: before[name] + now[name] for name in now}),  # type: ignore[misc]
        )
        before += Counter(went)
        if not placed and not sum(went.values()):
            return before.total()


def _follow(name: str, run: int, went: Went) -> None:
    while count := ledger.follow(name, limit=run):
        went(count)
