"""All measurements, one table, and docs/reference/performance.md.

    make bench                                     all, and the document is written
    make bench ONLY=inbox                          one; its last line is its line of JSON
    make bench ONLY=inbox CASES=50000              on a smaller city
    python -m bench.run [--only NAME] [--cases N] [--write FILE]

Every measurement is a module that ends in one line of JSON (bench/_line.py); what it prints before
stays readable. One after another, never two at once. The load of the machine is noted before each:
what is measured on a machine that does other things besides says little.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench._line import FIELDS

# Name → module and its arguments; what is asked; whether on the big city.
BENCHES: dict[str, tuple[tuple[str, ...], str, bool]] = {
    "transition-http": (("bench.transition", "http"), "CPU of one hand-over by HTTP; `ratio`: pgbench's commit over ours", False),
    "transition-batch": (("bench.transition", "batch"), "the same in batches of 50", False),
    "transition-full": (("bench.transition", "full"), "the same on the big city", True),
    "inbox": (("bench.inbox",), "the inbox of the busiest desks, the dearest of eight; `ratio`: thousandths of a bare loop", True),
    "case-page": (("bench.case_page",), "a case's page, the dearest of four states; `ratio`: the same", True),
    "track": (("bench.track",), "the applicant's progress page, the dearest of four states; `ratio`: the same", True),
    "process": (("bench.process",), "the real process beside the published one, the dearest of seven", True),
    "users": (("bench.users",), "sixteen users, a request a second each, for a minute", True),
    "burst": (("bench.burst",), "ten times the acts for a minute; `ratio`: to what the server can do", True),
    "export": (("bench.export",), "every case as CSV; `ratio`: to a bare COPY", True),
    "following": (("bench.following",), "the figures follow the log; `ratio`: reading it alone over ours", True),
    "figures": (("bench.figures",), "a page of statistics, the slowest of twelve", True),
    "supervising": (("bench.supervising",), "supervision follows a simulated year, compared with what was planted", False),
    "wall": (("bench.wall",), "the supervisors' wall made anew, the dearest of four boards", True),
    "ranking": (("bench.ranking",), "the ranking of departments, districts, windows and 6,000 people over a year, the dearest page; `ratio`: thousandths of a bare loop", False),
    "guide": (("bench.guide",), "a guide's page, kept; `ratio`: to the least a page costs", False),
    "search": (("bench.search",), "finding an item; `ratio`: to a page without a search", False),
    "commit": (("bench.commit",), "the commit statement; `ratio`: to pgbench with the same", False),
    "papers": (("bench.papers",), "a paper, drawn and sealed; `ratio`: to an empty one", False),
    "pages": (("bench.pages",), "an uploaded page as a picture; `ratio`: to the bare library", False),
    "clock": (("bench.clock",), "readings, re-projection and sweep of the clock", False),
    "clock-oracle": (("bench.clock_oracle",), "the clock against a second, slow one", False),
    "observing": (("bench.observing",), "what the request log costs", False),
    "catalogue-import": (("bench.catalogue_import",), "a file of items, published; `ratio`: to COPY", False),
    "differences": (("bench.differences",), "differences between districts", False),
    "year": (("bench.year",), "a simulated year, filed and counted; from 50,000 cases or CASES", True),
    "likeness": (("bench.likeness",), "names that mean the same; `ratio`: to counting letters", False),
}  # fmt: skip
# Whose ratio has the limit.
AT_LEAST = ("transition-http", "transition-batch")
AT_MOST = ("transition-full",)
ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "performance.md"


@dataclass(slots=True)
class Outcome:
    """What one measurement said, and how it ended."""

    name: str
    load: float
    seconds: float = 0.0
    code: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)
    other: dict[str, Any] | None = None  # a last line of JSON of another shape

    def rows(self) -> Iterator[tuple[str, str, str, str, str, str]]:
        """name, value, unit, ratio, limit, verdict."""
        for one in self.lines:
            yield (
                str(one["name"]), _plain(one["value"]), str(one["unit"]), _plain(one["ratio"]),
                _plain(one["limit"]), "failed" if self.code else verdict(one),
            )  # fmt: skip
        if not self.lines:
            told = json.dumps(self.other, ensure_ascii=False) if self.other else ""
            yield self.name, "", told, "", "", "failed" if self.code else ""


def verdict(one: dict[str, Any]) -> str:
    """Within the limit or not; nothing where there is none. The limit is the value's, but for those
    that are measured against something: there it is the ratio's.
    """
    if one["limit"] is None or one["value"] is None:
        return ""
    if one["name"] in AT_LEAST:
        return "within" if one["ratio"] >= one["limit"] else "under"
    held = one["ratio"] if one["name"] in AT_MOST else one["value"]
    return "within" if held <= one["limit"] else "over"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:,}"


def measured(name: str, cases: int | None) -> Outcome:
    """Run one; everything that it prints is passed on as it comes."""
    (module, *arguments), _, city = BENCHES[name]
    environment = dict(os.environ)
    if cases and city:
        environment["CASES"] = str(cases)
    outcome = Outcome(name, round(os.getloadavg()[0], 1))
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for row in process.stdout:
        print(row, end="", flush=True)
        read = _read(row)
        if read is not None and set(read) == set(FIELDS):
            outcome.lines.append(read)
        elif read is not None:
            outcome.other = read
    outcome.code = process.wait()
    outcome.seconds = time.perf_counter() - began
    return outcome


def _read(row: str) -> dict[str, Any] | None:
    if not row.startswith("{"):
        return None
    try:
        read = json.loads(row)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def table(outcomes: Sequence[Outcome]) -> str:
    """The table for a terminal."""
    rows = [("name", "value", "unit", "ratio", "limit", "verdict")]
    rows += [row for one in outcomes for row in one.rows()]
    widths = [max(len(row[n]) for row in rows) for n in range(6)]
    widths[2] = min(widths[2], 60)
    return "\n".join(
        "  ".join(
            cell[:60].rjust(width) if n in (1, 3, 4) else cell[:60].ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def machine() -> list[tuple[str, str]]:
    """On what it was measured."""
    from zhengwu.config.postgres import binaries

    model = next(
        (row.split(":", 1)[1].strip() for row in Path("/proc/cpuinfo").read_text().splitlines()
         if row.startswith("model name")),
        platform.machine(),
    )  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    postgres = subprocess.run(
        [str(binaries() / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[-1]
    return [
        ("date", f"{datetime.now(UTC):%Y-%m-%d}"),
        ("processor", f"{model}, {os.cpu_count()} cores"),
        ("memory", f"{memory:.0f} GB"),
        ("kernel", platform.release()),
        ("PostgreSQL", postgres),
        ("Python", platform.python_version()),
    ]


ABOUT = """# Performance

What the platform does on a named machine, and how much of it the platform itself costs. Written by `make bench` (bench/run.py); every figure is measured there and then, none is carried over.

## How to read it
- **value** is in the unit beside it, less is better where there is a limit. **verdict** compares it with the limit, of the `transition-…` the ratio; an empty one means that there is none.
- **ratio** compares with the bare thing under the same conditions in the same run (pgbench on the same statement, COPY of the same columns, a page without contents): what is lost, or kept, by all that is ours. What exactly stands in the table below and in the module's first lines.
- **CPU** is that of our process and of its PostgreSQL backends together, not the clock on the wall. It too grows, by up to a half, when other programs use the cores' caches: see *load before*, the run queue in the minute before each measurement began. Above 1 or so, do not trust the third digit; above the number of cores, not the second.
- The pages of `inbox`, `case-page` and `track` take turns, nine rounds of twenty; before every round a bare loop of three million additions runs: their **ratio** is the page in thousandths of it. It takes out a part of how fast the machine is at that moment, not all of it (`docs/algorithms/speed.md`).
- `transition-http` and `transition-batch` mean by ratio pgbench's CPU for one transaction over ours for one transition: the nearer to 1, the less we add. `transition-full` means ours on the big city over ours on an empty database.
- *The big city* has {cases:,} cases and their events, 95 % closed, made by `python -m bench._city`, whose first lines say how and what in it is not as in life. PostgreSQL runs with `fsync` on and the settings that `zhengwu serve` starts it with.
- `users` and `burst` run their clients on the same machine; a request's time counts from when it was due. In the burst the usual arrivals are sixteen users with 1.6 acts a second among 16 requests; ten times the acts are 16 a second; how many the server can do at the most is printed before, and `ratio` is the share of it that arrives in the rush.
- One measurement alone: `make bench ONLY=inbox`; on a smaller city: `make bench ONLY=inbox CASES=50000`.
"""


def written(outcomes: Sequence[Outcome], cases: int) -> str:
    """The document."""
    lines = [ABOUT.format(cases=cases), "## The machine", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in machine()]
    lines += ["", "## The figures", "| name | value | unit | ratio | limit | verdict |",
              "|---|---:|---|---:|---:|---|"]  # fmt: skip
    for one in outcomes:
        lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in one.rows()]
    lines += [
        "",
        "## What was asked",
        "| name | what | load before | took |",
        "|---|---|---:|---:|",
    ]
    lines += [
        f"| {one.name} | {BENCHES[one.name][1]} | {one.load} | {one.seconds:.0f} s |"
        for one in outcomes
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=os.environ.get("ONLY", ""), help="names, by comma")
    parser.add_argument("--cases", type=int, default=int(os.environ.get("CASES") or 0))
    parser.add_argument("--write", type=Path, default=None)
    given = parser.parse_args()
    names = [one for one in given.only.split(",") if one] or list(BENCHES)
    if unknown := [one for one in names if one not in BENCHES]:
        print(f"unknown: {', '.join(unknown)}. There are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    if len(names) == 1 and given.write is None:
        return measured(names[0], given.cases).code
    from bench._city import CASES

    path = given.write or (None if given.only else PAGE)
    outcomes = []
    for name in names:
        print(f"=== {name}: {BENCHES[name][1]}", flush=True)
        outcomes.append(measured(name, given.cases))
        if path is not None:  # after each: what breaks off has measured what it measured
            path.write_text(written(outcomes, given.cases or CASES))
    print(table(outcomes))
    return max(one.code for one in outcomes)


if __name__ == "__main__":
    sys.exit(main())
