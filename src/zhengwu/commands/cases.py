"""Cases (办件): made up, taken in from other systems, published, and asked about."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zhengwu.commands.base import (
    AS_JSON,
    PARTLY,
    arguments,
    counting,
    main,
    progress,
    say,
    say_answer,
    with_database,
)

if TYPE_CHECKING:
    from zhengwu.cases.loading import Loaded


@main.command()
@click.option(
    "--cases", type=click.IntRange(1, 3_000_000), default=50, show_default=True, help="多少件。"
)
@click.option("--seed", type=int, default=1, show_default=True, help="种子：同一种子得同样的办件。")
@click.option(
    "--year",
    type=click.IntRange(2005, 2100),
    help="模拟一整年：四季、假日、排队、请假，和植入的差错；只能装入演示城市。",
)
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    help="和 --year 一起：植入了哪些差错，每行一个 JSON，写到这个文件。",
)
@click.option("--resume", is_flag=True, help="和 --year 一起：接着做上次用同样参数没有做完的。")
@AS_JSON
@with_database
def simulate(
    cases: int, seed: int, year: int | None, truth: Path | None, resume: bool, as_json: bool
) -> None:
    """按合法行为模拟办件；加 --year 模拟一整年。

    例：zhengwu simulate --cases 200 --seed 7；
    zhengwu simulate --year 2025 --cases 1000000 --seed 7 --truth truth.jsonl
    """
    from zhengwu.cases import simulate as simulation
    from zhengwu.ledger import services as ledger
    from zhengwu.web.clock import now

    if year is not None:
        _year(year, cases=cases, seed=seed, truth=truth, resume=resume, as_json=as_json)
        return
    if truth or resume:
        raise click.UsageError("--truth 和 --resume 只和 --year 一起用。")
    with progress("模拟办件", hidden=as_json) as move:
        result = simulation.run(cases, seed=seed, at=now(), progress=lambda done: move(done, cases))
    ledger.catch_up()
    say(
        {"cases": result.cases, "reached": result.reached, "refused": result.refused},
        [
            f"模拟了 {result.cases} 件。",
            *(f"  {name}: {count}" for name, count in sorted(result.reached.items())),
            *(f"  被拒绝 {name}: {count}" for name, count in sorted(result.refused.items())),
        ],
        as_json=as_json,
    )


def _year(
    year: int, *, cases: int, seed: int, truth: Path | None, resume: bool, as_json: bool
) -> None:
    """A simulated year, then the followers to its end."""
    from zhengwu.cases.simulation import counting as followers
    from zhengwu.cases.simulation import year as simulation
    from zhengwu.ledger import services as ledger
    from zhengwu.statistics import services as statistics
    from zhengwu.web.clock import now

    began = time.monotonic()
    with progress(f"模拟 {year} 年", hidden=as_json) as move:
        result = simulation.run(
            year, cases=cases, seed=seed, at=now(), truth=truth, resume=resume, progress=move
        )
    filed = time.monotonic() - began
    if statistics.position() < result.events:
        ledger.sequence()
        with progress("统计", hidden=as_json) as move:
            statistics.rebuild(parts=statistics.parts(), progress=move)
    with counting("跟随事件账", hidden=as_json) as told:
        followers.count(
            progress=lambda went: told("，".join(f"{name} {done}" for name, done in went.items()))
        )
    say(
        {
            "year": year,
            "cases": result.cases,
            "events": result.events,
            "skipped": result.skipped,
            "planted": result.planted,
            "told": {f"{what}.{which}": n for (what, which), n in sorted(result.told.items())},
            "seconds": round(filed, 1),
        },
        [
            f"{year} 年模拟了 {result.cases} 件；新入账 {result.events} 个事件，"
            f"已有 {result.skipped} 个；植入差错 {result.planted} 处；用时 {filed:.0f} 秒。",
            *simulation.shares(result),
        ],
        as_json=as_json,
    )


@main.command()
@AS_JSON
@with_database
def publish(as_json: bool) -> None:
    """把公开的决定按现在的规则和脱敏设置重新生成一遍。

    改了 ZHENGWU_PUBLISH_ORGANISATION_NAMES 以后运行。第二次运行不改变什么。
    """
    from zhengwu.cases import publication

    with progress("核对办件", hidden=as_json) as move:
        count = publication.refresh_all(progress=move)
    say({"cases": count}, [f"核对了 {count} 件办件的公开决定。"], as_json=as_json)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map",
    "mapping",
    required=True,
    metavar="映射",
    help="外部名称对应什么观测：随产品附带的名字（例：receipt），或者一个文件。",
)
@AS_JSON
@with_database
def replay(file: Path, mapping: str, as_json: bool) -> None:
    """把另一个系统的日志 FILE（XES，可以是 .gz）作为观测重放进来。

    例：zhengwu replay 文件.xes.gz --map receipt。第二次重放不改变什么；
    有没有导入的事件时退出码为 3。
    """
    from zhengwu.cases import replay as replaying
    from zhengwu.ledger import services as ledger

    started = time.monotonic()
    with counting("重放", hidden=as_json) as told:
        report = replaying.run(
            file, mapping, progress=lambda cases, events: told(f"{cases} 件，{events} 个事件")
        )
    ledger.catch_up()
    seconds = time.monotonic() - started
    rejects = Counter(f"{one.rule} {one.sentence}" for one in report.rejects)
    say(
        {
            "cases": report.cases,
            "events": report.events,
            "opened": report.opened,
            "repeated": report.repeated,
            "rejected": len(report.rejects),
            "written": report.written,
            "rejects": [
                {"trace": one.trace, "index": one.index, "rule": one.rule, "sentence": one.sentence}
                for one in report.rejects
            ],
            "seconds": round(seconds, 3),
        },
        [
            f"{report.cases} 件、{report.events} 个事件；新开 {report.opened} 件，"
            f"重复 {report.repeated}，未导入 {len(report.rejects)}；用时 {seconds:.1f} 秒。",
            *(f"  {kind}: {count}" for kind, count in sorted(report.written.items())),
            *(f"  未导入 {count}：{rule}" for rule, count in rejects.items()),
        ],
        as_json=as_json,
    )
    if report.rejects:
        sys.exit(PARTLY)


def _case(number: str) -> Loaded:
    """The case of a number, without its applicant: whoever types commands has no post here."""
    from zhengwu.cases import loading
    from zhengwu.cases.tracking import capitals

    try:
        return loading.load_bare(capitals(number))
    except loading.CaseNotFound:
        raise click.ClickException("没有找到这个办件。请核对编号。") from None


@main.command()
@click.argument("case", metavar="编号")
@click.option("--at", help="哪一时刻，带时区，例如 2026-11-23T09:00:00+08:00；不写就是现在。")
@click.option("--known", help="只看事件账到这个序号为止的记载。")
@AS_JSON
@with_database
def clock(case: str, at: str | None, known: str | None, as_json: bool) -> None:
    """一件办件的全部期限和推导；不读申请人。

    例：zhengwu clock JC202611000017
    """
    from zhengwu.cases import api
    from zhengwu.config import tables

    with arguments():
        when, seen = api.instant(at), api.position(known)
    answer = api.clock_of(_case(case), at=when, known=seen)
    say_answer(answer, tables.clock(answer), as_json=as_json)


@main.command("time-ledger")
@click.argument("case", metavar="编号")
@AS_JSON
@with_database
def time_ledger(case: str, as_json: bool) -> None:
    """一件办件的时间账：在谁手里多久，到秒；不读申请人，不列岗位。

    例：zhengwu time-ledger JC202611000017
    """
    from zhengwu.cases import api, timekeeping
    from zhengwu.config import tables
    from zhengwu.web.clock import now

    answer = api.ledger_of(timekeeping.of_operator(_case(case).number, at=now()))
    say_answer(answer, tables.time_ledger(answer), as_json=as_json)
