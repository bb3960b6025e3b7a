"""A year, simulated (模拟年度): plan in one process, file in another."""

from __future__ import annotations

import gc
import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Full, Queue
from threading import Thread
from typing import Any

from django.db import connections

from zhengwu.cases.simulation import filing, scene
from zhengwu.cases.simulation.faults import FAULTS
from zhengwu.cases.simulation.filing import Packed
from zhengwu.cases.simulation.planning import EVENTS, FAULTY, Order, Plan
from zhengwu.domain.refusal import Refusal

AHEAD = 4  # batches that the planner may be ahead
RARELY = (100_000, 50, 100)  # when the collector of circles looks
OVER = (9, 1)  # of the next year: by then every story has ended


@dataclass(slots=True)
class Result:
    """What a simulated year came to. told: (what, which) → how many; skipped: events that stood."""

    cases: int = 0
    events: int = 0
    skipped: int = 0
    planted: int = 0
    told: Counter[tuple[str, str]] = field(default_factory=Counter)

    def share(self, what: str, which: str) -> float:
        """Of all that were counted as `what`."""
        total = sum(count for (one, _), count in self.told.items() if one == what)
        return self.told[what, which] / total if total else 0.0


def run(
    year: int,
    *,
    cases: int,
    seed: int,
    at: datetime,
    truth: Path | None = None,
    resume: bool = False,
    apart: bool = True,
    faulty: float = FAULTY,
    size: int = EVENTS,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Play a year into this city. at: the city's present, after which nothing is entered.

    truth: where the planted faults are written, a line of JSON each. resume: go on where a run with
    the same arguments was broken off, once the year's stories have all ended.
    apart: plan in a process of its own. faulty: the share of cases with something planted. size:
    events of a transaction. Raises Refusal.
    """
    filing.permitted()
    stood = filing.begun(year)
    if stood and not resume:
        raise Refusal(
            "simulate.stands",
            f"{year} 年已经模拟过。被打断的，用同样的参数加 --resume 接着做；要重新模拟，请换一个演示数据库。",
        )
    if resume and at.date() < date(year + 1, *OVER):
        # What was open is cut at the present, and the present has moved on since.
        raise Refusal(
            "simulate.not_over",
            f"{year} 年的办件还没有全部办完，被打断的不能接着做。请换一个演示数据库重新模拟。",
        )
    stage = scene.read(year, on=at.date())
    plan = Plan(stage, Order(cases, seed, at, faulty), size=size)
    result = Result()
    filer = filing.Filer()
    with (
        _truth(truth) as write,
        _planned(plan, apart=apart) as batches,
        filing.playing(),
    ):
        for nth, batch in enumerate(batches):
            for line in batch.truth:
                write(line)
            result.planted += len(batch.truth)
            result.told.update(batch.told)
            result.cases += batch.opened
            there = stood and filing.stands(batch)
            if stood and not there and nth == 0:
                raise Refusal(
                    "simulate.other",
                    f"{year} 年用别的种子、件数或者目录模拟过，接不上。请用原来的参数。",
                )
            if there:
                result.skipped += len(batch.entries)
            else:
                result.events += filer.file(batch)
            if progress:
                progress(min(result.cases, cases), cases)
    return result


@contextmanager
def _truth(path: Path | None) -> Iterator[Callable[[Any], None]]:
    if path is None:
        yield lambda line: None
        return
    with path.open("w", encoding="utf-8") as file:
        yield lambda line: print(json.dumps(line, ensure_ascii=False), file=file)


@contextmanager
def _planned(plan: Plan, *, apart: bool) -> Iterator[Iterator[Packed]]:
    """The batches of the plan, made in a process of its own if that is wanted."""
    if not apart:
        yield (filing.packed(one) for one in plan.batches())
        return
    connections.close_all()  # the planner asks for agencies' names by a connection of its own
    context = multiprocessing.get_context("fork")
    taken, given = context.Pipe(duplex=False)
    process = context.Process(target=_plan, args=(plan, taken, given), daemon=True)
    process.start()
    given.close()  # the planner alone holds it now: whatever ends the planner ends the reading
    try:
        yield _taken(taken)
    finally:
        if process.is_alive():
            process.terminate()
        process.join()
        taken.close()


def _plan(plan: Plan, taken: Connection, given: Connection) -> None:
    taken.close()  # whoever files alone holds it: once that one is gone, giving fails
    ahead: Queue[Packed | str | None] = Queue(AHEAD)
    giving = Thread(target=_give, args=(ahead, given), daemon=True)
    giving.start()

    def give(batch: Packed | str | None) -> None:
        while giving.is_alive():
            with suppress(Full):
                ahead.put(batch, timeout=1)
                return
        raise SystemExit("whoever filed is gone")

    # A hundred thousand stories are under way and nothing of them goes round in a circle.
    gc.freeze()
    gc.set_threshold(*RARELY)
    try:
        for batch in plan.batches():
            give(filing.packed(batch))
        give(None)
    except Exception as problem:
        give(f"{type(problem).__name__}: {problem}")
        raise
    finally:
        connections.close_all()
        giving.join()  # what was given last is on its way


def _give(ahead: Queue[Packed | str | None], given: Connection) -> None:
    """Hand over what is planned ahead, to the last."""
    with suppress(BrokenPipeError):
        while True:
            batch = ahead.get()
            given.send(batch)
            if batch is None or isinstance(batch, str):
                return


def _taken(taken: Connection) -> Iterator[Packed]:
    while True:
        try:
            batch = taken.recv()
        except (EOFError, OSError):  # between two batches, or in the middle of one
            raise RuntimeError("the planner ended before its time") from None
        if batch is None:
            return
        if isinstance(batch, str):
            raise RuntimeError(f"the planner: {batch}")
        yield batch


def shares(result: Result) -> list[str]:
    """The shares that were reached, as lines for people."""
    words = {
        ("kind", "immediate"): "即办件", ("kind", "promised"): "承诺件",
        ("kind", "forwarded"): "上报件", ("level", "municipal"): "市级",
        ("level", "district"): "区级", ("channel", "window"): "窗口",
        ("channel", "online"): "网上", ("source", "own"): "本平台",
        ("source", "foreign"): "其他系统",
    }  # fmt: skip
    lines = [f"  {zh} {result.share(*key):.1%}" for key, zh in words.items()]
    events = result.told["events", "all"]
    lines.append(f"  每件平均 {events / max(1, result.told['cases', 'all']):.2f} 个事件")
    planted = {which: n for (what, which), n in result.told.items() if what == "planted"}
    lines += [
        f"  植入 {FAULTS[code].zh}：{count}"
        for code, count in sorted(planted.items(), key=lambda one: -one[1])
    ]
    return lines
