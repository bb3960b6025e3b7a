"""Whether all is well (检查): the machine, the settings, the database, and the log itself."""

from __future__ import annotations

import sys

import click

from zhengwu.commands.base import AS_JSON, CANNOT, main, say, with_database


@main.command()
@AS_JSON
@with_database
def tamper(as_json: bool) -> None:
    """以应用的身份试着改写事件账：每一种都应被拒绝。都会回滚，账不变。"""
    from zhengwu.config import tamper as tampering

    tried = list(tampering.attempts())
    through = sum(answer is None for _, answer in tried)
    lines = []
    for statement, answer in tried:
        lines += [
            statement, "    " + ("没有被拒绝！" if answer is None else f"被拒绝：{answer}"),
        ]  # fmt: skip
    if not through:
        lines.append("每一种都被拒绝了。")
    say(
        {
            "went_through": through,
            "attempts": [{"statement": one, "refusal": answer} for one, answer in tried],
        },
        lines,
        as_json=as_json,
    )
    if through:
        raise click.ClickException(f"{through} 种改写没有被拒绝！（都已回滚，账没有变。）")


@main.command()
@AS_JSON
def doctor(as_json: bool) -> None:
    """给这套安装做体检：机器、设置、数据库、后台进程、文件、备份；说出问题和办法。

    不启动、不改变什么，数据库停着也能用。有问题退出码为 1，只有提示为 0。
    给监控用：zhengwu doctor --json
    """
    from dataclasses import asdict
    from importlib.metadata import version

    from zhengwu.config.checkup import State, examine

    marks = {State.OK: "[好]  ", State.HINT: "[提示]", State.WRONG: "[问题]"}
    found = []
    for one in examine():
        found.append(one)
        if not as_json:
            click.echo(f"{marks[one.state]} {one.says}")
            if one.do:
                click.echo(f"        → {one.do}")
    wrong = sum(one.state is State.WRONG for one in found)
    hints = sum(one.state is State.HINT for one in found)
    if as_json:
        told = {"ok": not wrong, "version": version("zhengwu"), "wrong": wrong, "hints": hints}
        say(told | {"findings": [asdict(one) for one in found]}, [], as_json=True)
    else:
        hinted = f"，{hints} 处提示" if hints else ""
        click.echo(f"{wrong} 处有问题{hinted}。" if wrong else f"没有问题{hinted}。")
    if wrong:
        sys.exit(CANNOT)
