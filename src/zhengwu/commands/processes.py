"""The real process (实际流程): discovered from all cases of a selection, or from any XES file; out as XES."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zhengwu.commands.base import (
    AS_JSON,
    arguments,
    counting,
    main,
    say,
    say_answer,
    with_database,
)

if TYPE_CHECKING:
    from zhengwu.cases.process import Selection

Options = Callable[[Callable[..., None]], Callable[..., None]]


def _selected(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which cases."""
    day = click.DateTime(formats=["%Y-%m-%d"])
    options: tuple[Options, ...] = (
        click.option("--item", metavar="编码", default="", help="只要这个事项的。"),
        click.option("--agency", metavar="代码", default="", help="只要这个机关的。"),
        click.option("--source", metavar="来源", default="", help="只要这个来源的，例如 link:receipt。"),
        click.option("--outcome", type=click.Choice(["granted", "refused", "open"]), default=None,
                     help="只要准予的、不予的、还没有决定的。"),
        click.option("--from", "since", type=day, help="收件从这一天起，例如 2026-01-01。"),
        click.option("--to", "until", type=day, help="收件到这一天止（含）。"),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _selection(
    item: str, agency: str, source: str, outcome: str | None, since: datetime | None,
    until: datetime | None,
) -> Selection:  # fmt: skip
    """What was asked for; a mistake in it ends with WRONG_USAGE."""
    from zhengwu.cases import process
    from zhengwu.cases.heads import SHANGHAI

    def midnight(day: datetime | None, days: int = 0) -> datetime | None:
        if day is None:
            return None
        return datetime.combine(day.date() + timedelta(days=days), time(), SHANGHAI)

    found = process.Selection(
        item=item, agency=agency, source=source, outcome=outcome or "",
        since=midnight(since), until=midnight(until, 1),
    )  # fmt: skip
    with arguments():
        process.check(found)
    return found


@main.command("process")
@_selected
@click.option(
    "--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="文件",
    help="看一个 XES 文件（可以是 .gz），不看数据库里的办件。",
)  # fmt: skip
@AS_JSON
@with_database
def process_of(
    item: str, agency: str, source: str, outcome: str | None, since: datetime | None,
    until: datetime | None, file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """办件实际怎么走：先后、次数、用时、走法、偏离；看全部办件，不是样本。

    例：zhengwu process --item XK0036 --from 2026-01-01 --to 2026-06-30
    """
    from zhengwu.cases import api, process, process_files
    from zhengwu.config import tables
    from zhengwu.web.clock import now

    selection = _selection(item, agency, source, outcome, since, until)
    with counting("办件", hidden=as_json) as told:
        if file is not None:
            found = process_files.discover(file, progress=lambda cases: told(f"{cases} 件"))
        else:
            found = process.discover_all(
                selection, at=now(), progress=lambda cases: told(f"{cases} 件")
            )
    answer = api.process_of(found)
    say_answer(answer, tables.process(answer), as_json=as_json)


@main.command()
@_selected
@click.option(
    "-o", "--output", "output", required=True, metavar="文件",
    type=click.Path(dir_okay=False, path_type=Path), help="写到哪个文件；已有的不覆盖。",
)  # fmt: skip
@AS_JSON
@with_database
def xes(
    item: str, agency: str, source: str, outcome: str | None, since: datetime | None,
    until: datetime | None, output: Path, as_json: bool,
) -> None:  # fmt: skip
    """把办件的事件写成 XES（IEEE 1849），给流程挖掘工具或者另一个平台；没有申请人，没有经办人。

    例：zhengwu xes --item XK0036 -o xk0036.xes；另一个平台用 zhengwu replay 文件 --map zhengwu 接收。
    """
    from zhengwu.cases import process, process_export
    from zhengwu.web.clock import now

    selection = _selection(item, agency, source, outcome, since, until)
    if output.exists():
        raise click.UsageError(f"文件 {output} 已经存在。请换一个名字，或者先移走它。")
    # Whoever types commands has no post in the city: agencies, and nobody's code.
    pieces = process_export.stream(process.EVERYTHING, selection, people=False, at=now())
    part = output.with_name(f".{output.name}.part")
    written = 0
    try:
        with part.open("xb") as file, counting("导出", hidden=as_json) as told:
            for piece in pieces:
                written += file.write(piece)
                told(f"{written / 1e6:,.1f} MB")
        part.rename(output)  # whole or not at all
    finally:
        part.unlink(missing_ok=True)
    say(
        {"file": str(output), "bytes": written},
        [f"写好了 {output}，{written:,} 字节。"],
        as_json=as_json,
    )
