"""The figures of the city (统计): listed, counted a second time, counted anew."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from zhengwu.commands.base import (
    AS_JSON,
    CANNOT,
    arguments,
    main,
    note,
    progress,
    say,
    with_database,
)

if TYPE_CHECKING:
    from zhengwu.statistics.queries import Question

# What narrows a listing: option and what it says.
FILTERS = {
    "agency": "只算这个机关（代码）。",
    "unit": "只算来源系统的这个部门。",
    "district": "只算这个区划（代码）。",
    "hall": "只算在这个大厅收的（代码）。",
    "window": "只算在这个窗口收的（代码）。",
    "item": "只算这个事项（编码）。",
    "kind": "只算这种办件：immediate、promised、forwarded、foreign。",
    "source": "只算这个来源，例如 desk、link:receipt。",
    "channel": "只算这个渠道，例如 window。",
}
PERSON = "person"
Command = Callable[..., None]


def _narrowing(command: Command) -> Command:
    for name, text in reversed(FILTERS.items()):
        command = click.option(f"--{name}", default="", metavar="代码", help=text)(command)
    return command


@main.command()
@click.option(
    "--by",
    default="",
    metavar="维度",
    help="按什么分：agency 机关、department 部门、district 区、hall 大厅、window 窗口、person 人员、"
    "item 事项、kind 类型、source 来源、channel 渠道。",
)
@click.option(
    "--grain", default="", metavar="粒度", help="按时间分段：day、week、month、quarter、year。"
)
@click.option(
    "--from",
    "since",
    default="",
    metavar="期间",
    help="从：2026、2026-Q3、2026-10、2026-W45 或者 2026-10-05；不写是上个月。",
)
@click.option("--to", "until", default="", metavar="期间", help="到，写法同上，算在内。")
@_narrowing
@click.option("--percentiles", is_flag=True, help="也列出办理工作日的中位数和九成位（p50、p90）。")
@click.option(
    "--recompute",
    is_flag=True,
    help="由另一套程序从事件账独立复算，与表中的数逐一核对；不改变什么。",
)
@click.option(
    "--rebuild", is_flag=True, help="清空统计表，把全部办件重新统计一遍，几个进程同时做。"
)
@AS_JSON
@with_database
def statistics(
    recompute: bool, rebuild: bool, percentiles: bool, as_json: bool, **asked: str
) -> None:
    """全市的统计数字：列出，复算核对，或者重新统计。

    例：zhengwu statistics --by channel --from 2010 --to 2012 --json

    \b
    每行一个对象：received 收件，closed 办结，on_time 按时，late 超期，open 期末在办，
    overdue 期末在办且超期；claim_on_time、claim_late、claim_open 按来源系统自报的期限。
    每个数的定义见 docs/reference/statistics.md。
    --recompute 全部相同退出码为 0；有不同的为 1，逐条说明。
    """
    if recompute and rebuild:
        raise click.UsageError("--recompute 和 --rebuild 请分两次运行。")
    if recompute:
        _recompute(as_json=as_json)
    elif rebuild:
        _rebuild(as_json=as_json)
    else:
        _listing(asked, percentiles=percentiles, as_json=as_json)


def _listing(asked: dict[str, str], *, percentiles: bool, as_json: bool) -> None:
    from zhengwu.domain.reading import SHANGHAI
    from zhengwu.statistics import asking, queries, telling
    from zhengwu.web.clock import now

    at = now()
    people = asked["by"] == PERSON
    given = {
        **asked,
        "from": asked["since"],
        "to": asked["until"],
        "by": "" if people else asked["by"],
    }
    with arguments():
        question = asking.question(
            {name: value for name, value in given.items() if name not in ("since", "until")},
            today=at.astimezone(SHANGHAI).date(),
        )
        asking.known(question)
        asking.not_too_many(queries.EVERYWHERE, question)
        if people and (question.grain or set(question.narrowed) - {"agency"}):
            raise click.UsageError("按人员列出时只能用 --from、--to 和 --agency。")
    _tell_how_far()
    if people:
        _people(question, as_json=as_json)
        return
    if percentiles and question.grain:
        raise click.UsageError("分段的时候不能列出中位数。请去掉 --grain 或者 --percentiles。")
    rows = queries.figures(queries.EVERYWHERE, question, at=at)
    names = telling.names([row.key for row in rows], question)
    spreads = queries.spreads(queries.EVERYWHERE, question) if percentiles else None
    told = [
        telling.told(
            row, question, names,
            None if spreads is None else spreads.get(row.key, queries.Spread(())),
        )
        for row in rows
    ]  # fmt: skip
    labels = [
        " ".join([names.label(question.by, row.key)] + ([row.period.zh] if question.grain else []))
        for row in rows
    ]
    head = [f"{question.period.zh}，{len(rows)} 行。其余的数见 --json。", ""]
    say(told, head + _table(labels, told), as_json=as_json)


SHOWN = (
    ("received", "收件"), ("accepted", "受理"), ("closed", "办结"), ("on_time", "按时"),
    ("late", "超期"), ("open", "在办"), ("overdue", "在办超期"), ("claim_on_time", "自报按时"),
    ("claim_late", "自报超期"), ("claim_open", "自报在办"), ("mean_days", "平均工作日"),
)  # fmt: skip
PERCENTILES = (("p50", "中位数"), ("p90", "九成位"))


def _table(labels: Sequence[str], told: Sequence[dict[str, Any]]) -> list[str]:
    from zhengwu.config.tables import table

    if not told:
        return ["这段时间没有办件。"]
    shown = SHOWN + (PERCENTILES if "p50" in told[0] else ())
    return list(
        table(
            ("", *(zh for _, zh in shown)),
            [
                (label, *("" if row[code] is None else str(row[code]) for code, _ in shown))
                for label, row in zip(labels, told, strict=True)
            ],
        )
    )


def _people(question: Question, *, as_json: bool) -> None:
    from zhengwu.accounts import queries as accounts
    from zhengwu.config.tables import table
    from zhengwu.domain.measuring import PERSONAL
    from zhengwu.statistics import queries

    rows = queries.people(queries.EVERYWHERE, question)
    names = accounts.names(
        agencies={row.agency for row in rows}, people={row.person for row in rows}
    )
    told = [
        {
            "person": row.person, "person_name": names.person(row.person), "agency": row.agency,
            "agency_name": names.agency(row.agency), **row.counts,
        }
        for row in rows
    ]  # fmt: skip
    lines = table(
        ("人员", "机关", *PERSONAL.values()),
        [
            (names.person(row.person), names.agency(row.agency), *map(str, row.counts.values()))
            for row in rows
        ],
    )
    say(told, list(lines) if rows else ["这段时间没有人员的办理记录。"], as_json=as_json)


def _tell_how_far() -> None:
    from zhengwu.ledger import queries as ledger
    from zhengwu.statistics.followers import FIGURES

    behind = ledger.lag().followers.get(FIGURES.name, 0)
    if behind:
        note(f"还有 {behind:,} 条记载没有统计到；zhengwu serve 运行时会自动补上。")


def _recompute(*, as_json: bool) -> None:
    from zhengwu.statistics import recount

    started = time.monotonic()
    figures = recount.Figures()
    found = []
    with progress("复算办件", hidden=as_json) as move:
        for one in recount.differences(figures, progress=move):
            if as_json:
                found.append(one._asdict())
            else:
                click.echo(one.words())
    seconds = time.monotonic() - started
    behind = figures.last - figures.position
    if as_json:
        told = {"equal": not figures.differences, **asdict(figures), "seconds": round(seconds, 3)}
        say({**told, "found": found}, [], as_json=True)
    else:
        click.echo(
            f"复算了 {figures.cases} 件、{figures.events} 条记载，核对了 {figures.cells} 个数；"
            f"用时 {seconds:.1f} 秒。"
        )
        if behind:
            click.echo(f"核对到事件账第 {figures.position} 条；以后的 {behind} 条还没有统计。")
        click.echo(
            f"{figures.differences} 处不同。" if figures.differences else "统计表与复算全部相同。"
        )
    if figures.differences:
        sys.exit(CANNOT)


def _rebuild(*, as_json: bool) -> None:
    from zhengwu.ledger.services import Superseded
    from zhengwu.statistics import services

    started = time.monotonic()
    try:
        with progress("重新统计", hidden=as_json) as move:
            position = services.rebuild(parts=services.parts(), progress=move)
    except Superseded:
        raise click.ClickException(
            "另一次重新统计已经开始，这一次到此为止；请等那一次做完。"
        ) from None
    seconds = time.monotonic() - started
    say(
        {"position": position, "seconds": round(seconds, 3)},
        [f"从头统计到事件账第 {position} 条；用时 {seconds:.1f} 秒。"],
        as_json=as_json,
    )
