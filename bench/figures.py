"""The pages of statistics on the big city: how long one takes, queries and CPU.

    python -m bench.figures [--cases N] [--home FOLDER] [--explain 1]

The supervisor's overview of the last full month and of a year, a table of the organs, of the items
(with a year of comparison), the hand-overs, the cases behind a number, the public's page. What has not
been counted yet is counted first.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from bench import _web
from bench._city import city
from bench._line import line

MOST_MS = 200
ROUNDS = 7


def main() -> None:
    given = _web.arguments(__doc__, explain=0)
    with city(given.cases, given.home) as it:
        it.count_figures()
        year = it.at.year - 1
        supervisor, public = _web.Browser("p-420100-c00-supervisor"), _web.Browser()
        asked: dict[str, tuple[_web.Browser, str, str]] = {
            "overview, last month": (supervisor, "/desk/statistics/", ""),
            "overview, a year": (supervisor, "/desk/statistics/", f"since={year}-01-01&until={year}-12-31"),
            "organs, a year": (supervisor, "/desk/statistics/by", f"by=agency&since={year}-01-01&until={year}-12-31"),
            "items, a month": (supervisor, "/desk/statistics/by", "by=item"),
            "items, a year": (supervisor, "/desk/statistics/by", f"by=item&since={year}-01-01&until={year}-12-31"),
            "windows, a year": (supervisor, "/desk/statistics/by", f"by=window&since={year}-01-01&until={year}-12-31"),
            "by month, a year": (supervisor, "/desk/statistics/time", f"grain=month&since={year}-01-01&until={year}-12-31"),
            "hand-overs, a year": (supervisor, "/desk/statistics/handings", f"since={year}-01-01&until={year}-12-31"),
            "people, a month": (supervisor, "/desk/statistics/people", ""),
            "cases behind a number": (
                supervisor, "/desk/statistics/cases", f"measure=late&since={year}-01-01&until={year}-12-31",
            ),
            "restatements": (supervisor, "/desk/statistics/restatements", f"since={year}-01-01&until={year}-12-31"),
            "the public's page": (public, "/statistics/", ""),
        }  # fmt: skip
        slowest = 0.0
        for name, (browser, path, query) in asked.items():
            ask: Callable[[], _web.Answer] = lambda b=browser, p=path, q=query: b.ask(p, query=q)  # type: ignore[misc]  # noqa: E731
            if given.explain:
                print(f"===== {name}")
                _web.explained(ask)
            with _web.counted() as said:
                first = ask()
            assert first.status == 200, (name, first.status, first.body[:300])
            took = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                ask()
                took.append((time.perf_counter() - began) * 1_000)
            median = statistics.median(took)
            slowest = max(slowest, median)
            print(
                f"{name:<26}{len(said):>4} queries{median:>8.0f} ms{max(took):>8.0f} at most"
                f"{len(first.body) // 1024:>6} KB",
                flush=True,
            )
        line("figures", round(slowest), "ms a page", ratio=None, limit=MOST_MS)


if __name__ == "__main__":
    main()
