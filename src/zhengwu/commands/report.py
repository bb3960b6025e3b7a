"""The monthly reports (月报) as a file: of the figures, or of supervision."""

from __future__ import annotations

from pathlib import Path

import click

from zhengwu.commands.base import AS_JSON, arguments, main, say, with_database


@main.command()
@click.option("--month", required=True, metavar="月份", help="哪个月，例如 2026-10。")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="写到哪个文件：.pdf 或者 .xlsx。",
)
@click.option("--supervision", is_flag=True, help="写电子监察月报，不写统计月报。")
@AS_JSON
@with_database
def report(month: str, output: Path, supervision: bool, as_json: bool) -> None:
    """把一个月的统计月报（或者电子监察月报）写成 PDF 或者 XLSX，全市的数。

    例：zhengwu report --month 2026-10 -o 月报.pdf。以前的月份有更正的，写的是更正后的数。
    """
    if supervision:
        _supervision(month, output, as_json)
        return
    from zhengwu.statistics import queries
    from zhengwu.statistics import report as reporting
    from zhengwu.web import words
    from zhengwu.web.clock import now

    made = {".pdf": reporting.pdf, ".xlsx": reporting.xlsx}.get(output.suffix.lower())
    if made is None:
        raise click.UsageError("文件名要以 .pdf 或者 .xlsx 结尾。")
    at = now()
    with arguments():
        period = reporting.month(month, today=words.local(at).date())
    found = reporting.content(queries.EVERYWHERE, period, at=at, scope="全市")
    data = made(found)
    output.write_bytes(data)
    say(
        {
            "month": period.since.isoformat()[:7],
            "file": str(output),
            "bytes": len(data),
            "received": found.whole["received"],
            "closed": found.whole["closed"],
        },
        [f"{period.zh}的月报已写到 {output}（{len(data):,} 字节）。"],
        as_json=as_json,
    )


def _supervision(month: str, output: Path, as_json: bool) -> None:
    from zhengwu.statistics import queries
    from zhengwu.supervision import report as reporting
    from zhengwu.web import words
    from zhengwu.web.clock import now

    made = {".pdf": reporting.pdf, ".xlsx": reporting.xlsx}.get(output.suffix.lower())
    if made is None:
        raise click.UsageError("文件名要以 .pdf 或者 .xlsx 结尾。")
    at = now()
    with arguments():
        period = reporting.month(month, today=words.local(at).date())
    found = reporting.content(queries.EVERYWHERE, period, at=at, scope="全市")
    data = made(found)
    output.write_bytes(data)
    say(
        {
            "month": period.since.isoformat()[:7],
            "file": str(output),
            "bytes": len(data),
            "findings": {what: many for what, many, _ in found.summary},
        },
        [f"{period.zh}的电子监察月报已写到 {output}（{len(data):,} 字节）。"],
        as_json=as_json,
    )
