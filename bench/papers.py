"""Rendering and sealing a paper of every kind, against bare typst on an empty page, in one run.

    python -m bench.papers [TIMES]

Milliseconds, the median of TIMES (default 20); cpu: of all threads, the mean, for busy machines. The first paper of a process also reads the fonts
and imports pyHanko; that is printed by itself. Prints a table and one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import django
import typst

from bench._line import line

EMPTY = '#set page(paper: "a4")\n#set text(font: "Noto Serif SC")\n'


def spent(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def measure(times: int) -> None:
    from tests.documents.samples import AT, number, paper, printed

    from zhengwu.documents import render, seal
    from zhengwu.documents.kinds import Kind

    def empty(turn: int) -> bytes:
        made = typst.compile(
            f"{EMPTY}// {turn}\n".encode(),
            root=str(render.TEMPLATES),
            font_paths=render.fonts(),
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=["a-2a"],
            timestamp=int(AT.timestamp()),
        )
        assert isinstance(made, bytes)
        return made

    data = {kind: paper(kind) for kind in Kind}
    papers = {
        kind: seal.paper_of(data[kind], agency="water", number=number(kind), issued=AT)
        for kind in Kind
    }
    first = spent(lambda: seal.sealed(printed(data[Kind.DECISION]), papers[Kind.DECISION]))
    bare = median(spent(partial(empty, turn)) for turn in range(times))
    print(f"first paper of a process {first:.0f} ms; an empty page {bare:.2f} ms\n")
    print(
        f"{'':<18} {'render':>8} {'sign':>8} {'total':>8} {'cpu':>8}  ms  {'total/empty':>12} {'KiB':>6}"
    )
    rows: dict[str, dict[str, float]] = {}
    for kind in Kind:
        renders, signs, size = [], [], 0
        busy = time.process_time()
        for turn in range(times):
            # Another name each time: typst remembers what it has set before.
            fresh = paper(kind, text=f"第 {turn} 次量。")
            began = time.perf_counter()
            pdf = printed(fresh)
            drawn = time.perf_counter()
            size = len(seal.sealed(pdf, papers[kind]))
            renders.append((drawn - began) * 1000)
            signs.append((time.perf_counter() - drawn) * 1000)
        cpu = (time.process_time() - busy) * 1000 / times
        render_ms, sign_ms = median(renders), median(signs)
        total = render_ms + sign_ms
        rows[kind] = {
            "render": round(render_ms, 1),
            "sign": round(sign_ms, 1),
            "total": round(total, 1),
            "cpu": round(cpu, 1),
            "ratio": round(total / bare, 1),
        }
        print(
            f"{kind:<18} {render_ms:>8.1f} {sign_ms:>8.1f} {total:>8.1f} {cpu:>8.1f}"
            f"      {total / bare:>12.1f} {size / 1024:>6.0f}"
        )
    said = {"bench": "papers", "ms": rows, "empty_ms": round(bare, 2), "first_ms": round(first)}
    print(json.dumps(said))
    dearest = max(rows.values(), key=lambda row: row["total"])
    line("papers", dearest["total"], "ms the dearest paper", ratio=dearest["ratio"])


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory(prefix="zhengwu-bench-") as home:
        os.environ["ZHENGWU_HOME"] = str(Path(home))
        os.environ["ZHENGWU_DEMO"] = "1"
        os.environ["DJANGO_SETTINGS_MODULE"] = "zhengwu.config.settings"
        os.environ.setdefault("ZHENGWU_DATABASE_URL", "postgresql://nobody@localhost/none")
        os.environ.setdefault(
            "ZHENGWU_SECRET_KEY", "only-for-the-bench-and-nothing-else-0123456789"
        )
        django.setup()
        measure(times)


if __name__ == "__main__":
    main()
