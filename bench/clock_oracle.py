"""A million made-up lives of cases: does the clock read what a day-by-day count says?

    python -m bench.clock_oracle [N] [BASE]

Two processes. Seeds run from BASE (recorded; 20260914 when not named) to BASE + N. Prints how many
histories there were, how many disagree (must be 0; the first seeds are named and the first one
shown without what it does not need), the seconds, and what the histories held. Exit code 1 when
any disagrees.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field

from tests.domain.agreement import disagreement
from tests.domain.coverage import holds
from tests.domain.histories import History, history, smallest, words

from bench._line import line

BASE = 20260914
CHUNK = 2000
PROCESSES = 2


@dataclass(slots=True)
class Tally:
    """What one chunk of seeds gave."""

    histories: int = 0
    events: int = 0
    failing: list[int] = field(default_factory=list)
    about: Counter[str] = field(default_factory=Counter)  # what they disagree about
    held: Counter[str] = field(default_factory=Counter)


def fails(found: History) -> str | None:
    """What is wrong with one; a crash is wrong too."""
    try:
        return disagreement(found)
    except Exception:
        return traceback.format_exc(limit=3)


def run(first: int, count: int) -> Tally:
    tally = Tally()
    for seed in range(first, first + count):
        found = history(seed)
        wrong = fails(found)
        if wrong:
            tally.failing.append(seed)
            tally.about[wrong.partition(":")[0]] += 1
        tally.histories += 1
        tally.events += len(found.events)
        tally.held.update(holds(found))
    return tally


def main() -> int:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    base = int(sys.argv[2]) if len(sys.argv) > 2 else BASE
    began = time.perf_counter()
    whole = Tally()
    chunks = [
        (first, min(CHUNK, base + total - first)) for first in range(base, base + total, CHUNK)
    ]
    print(f"seeds {base} to {base + total - 1}", flush=True)
    with multiprocessing.Pool(PROCESSES) as pool:
        pending = [pool.apply_async(run, chunk) for chunk in chunks]
        for nth, one in enumerate(pending, start=1):
            tally = one.get()
            whole.histories += tally.histories
            whole.events += tally.events
            whole.failing += tally.failing
            whole.about += tally.about
            whole.held += tally.held
            if nth % 50 == 0:
                print(
                    f"{whole.histories} histories, {len(whole.failing)} disagree, "
                    f"{time.perf_counter() - began:.0f} s",
                    flush=True,
                )
    seconds = time.perf_counter() - began
    print(f"{whole.histories} histories with {whole.events} events in {seconds:.1f} s")
    print(f"disagreements: {len(whole.failing)}")
    for name, count in whole.held.most_common():
        print(f"  {name:24} {count:9} {100 * count / whole.histories:6.2f} %")
    if whole.failing:
        for name, count in whole.about.most_common():
            print(f"disagree about {name}: {count}")
        print(f"failing seeds: {whole.failing[:50]}")
        less = smallest(history(whole.failing[0]), lambda one: fails(one) is not None)
        print(words(less))
        print(fails(less))
    line("clock-oracle", len(whole.failing), f"disagreements in {total:,} histories", limit=0)
    return 1 if whole.failing else 0


if __name__ == "__main__":
    sys.exit(main())
