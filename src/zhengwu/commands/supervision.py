"""Supervision from the terminal (监察): how many findings, whether they follow from the log, again."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict

import click

from zhengwu.commands.base import AS_JSON, CANNOT, main, progress, say, with_database


@main.command()
@click.option(
    "--check",
    is_flag=True,
    help="核对每一条发现：按它发出时事件账里的记载和规则重新推导；不改变什么。",
)
@click.option(
    "--again", is_flag=True, help="从事件账的第一条重新监察一遍；已经发出的不会再发，缺的补上。"
)
@AS_JSON
@with_database
def supervision(check: bool, again: bool, as_json: bool) -> None:
    """全市的监察发现：列出数量，逐条核对，或者重新监察。

    --check 全部推得出退出码为 0；有推不出的为 1，逐条说明。
    """
    if check and again:
        raise click.UsageError("--check 和 --again 请分两次运行。")
    if check:
        _check(as_json=as_json)
    elif again:
        _again(as_json=as_json)
    else:
        _listing(as_json=as_json)


def _listing(*, as_json: bool) -> None:
    from django.db import connection

    from zhengwu.domain.rulebook import LEVELS_ZH, Level

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT level, count(*), count(*) FILTER (WHERE counts), count(*) FILTER (WHERE"
            " closed IS NULL AND answer_due IS NOT NULL) FROM supervision_finding GROUP BY 1"
        )
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    told = {
        str(level): dict(zip(("issued", "counts", "open"), rows.get(str(level), (0, 0, 0)), strict=True))
        for level in Level
    }  # fmt: skip
    lines = [
        f"{LEVELS_ZH[level]}  {told[str(level)]['issued']:,} 条，其中计入 "
        f"{told[str(level)]['counts']:,}，待办 {told[str(level)]['open']:,}"
        for level in Level
    ]
    say(told, lines, as_json=as_json)


def _check(*, as_json: bool) -> None:
    from zhengwu.supervision import again

    started, checked, found = time.monotonic(), again.Checked(), []
    with progress("核对监察发现", hidden=as_json) as move:
        for one in again.differences(checked, progress=move):
            found.append({**one._asdict(), "finding": str(one.finding)})
            if not as_json:
                click.echo(one.words())
    seconds = round(time.monotonic() - started, 3)
    say(
        {"equal": not found, **asdict(checked), "seconds": seconds, "found": found},
        [
            f"核对了 {checked.findings:,} 条发现（另有 {checked.others:,} 条不是由一个办件推出的）；"
            f"用时 {seconds:.1f} 秒。",
            f"{len(found)} 条推不出。" if found else "每一条都由当时的记载和规则推得出。",
        ],
        as_json=as_json,
    )
    if found:
        sys.exit(CANNOT)


def _again(*, as_json: bool) -> None:
    from zhengwu.supervision import again

    started = time.monotonic()
    with progress("重新监察", hidden=as_json) as move:
        position, issued = again.watch_again(progress=move)
    seconds = round(time.monotonic() - started, 3)
    say(
        {"positions": position, "issued": issued, "seconds": seconds},
        [f"重新看了 {position:,} 条记载，补发 {issued:,} 条发现；用时 {seconds:.1f} 秒。"],
        as_json=as_json,
    )
