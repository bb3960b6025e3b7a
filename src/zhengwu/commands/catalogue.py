"""The catalogue of items (事项目录): lists in and out, and the demo's filling."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zhengwu.commands.base import AS_JSON, PARTLY, arguments, main, progress, say, with_database

if TYPE_CHECKING:
    from zhengwu.catalog.importing import Report as ImportReport

ROWS_TOLD = 10  # rows of an import that are named for each rule


@main.group()
def catalog() -> None:
    """事项目录。"""


@catalog.command("import")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option(
    "--region", default="", metavar="代码", help="行没有写区域时，是哪个区域的；不写就看实施机关。"
)
@click.option(
    "--level",
    type=click.Choice(["province", "city", "implementation"]),
    default="implementation",
    show_default=True,
    help="行没有写清单层级时，是哪一级清单：省级、市级通用、实施。",
)
@click.option(
    "--agency", default="", metavar="机关", help="行没有写实施机关时，是哪个机关（名称或者代码）。"
)
@click.option("--approved", default="", metavar="文号", help="市政府批准清单的文号：直接发布。")
@click.option("--draft", is_flag=True, help="不发布，都存为草案，成一批。")
@AS_JSON
@with_database
def import_(
    file: Path | None,
    region: str,
    level: str,
    agency: str,
    approved: str,
    draft: bool,
    as_json: bool,
) -> None:
    """导入事项清单：XLSX、CSV、JSON，或者国家平台交换表的 ZIP；不给文件则导入随产品附带的清单。

    第二次导入不改变什么。全部导入退出码为 0，有没有导入的行为 3，整个文件不能导入为 1。
    例：zhengwu catalog import 清单.xlsx --approved 江政发〔2026〕3号
    """
    from zhengwu.accounts import queries as accounts
    from zhengwu.catalog import importing, national
    from zhengwu.domain.guide import Level
    from zhengwu.web import words
    from zhengwu.web.clock import now

    if file is None:
        _import_shipped(None, as_json=as_json)
        return
    data, at = file.read_bytes(), now()
    if _of_the_shipped_form(data):
        _import_shipped(data, as_json=as_json)
        return
    if draft == bool(approved):
        raise click.UsageError("请写明批准文号（--approved，直接发布），或者存为草案（--draft）。")
    agencies = importing.organs(region or accounts.CITY)
    if national.is_pack(data):
        parsed = national.read(data, file.name, agencies=agencies, region=region, at=at)
    else:
        parsed = importing.read(
            data, file.name, agencies=agencies, region=region, level=Level(level), agency=agency,
            at=at,
        )  # fmt: skip
    with progress("导入", hidden=as_json) as move:
        report = importing.run(
            parsed,
            by=None,
            at=at,
            mode="draft" if draft else "publish",
            approved=approved,
            batch=f"{words.local(at):%Y%m%d-%H%M%S} {file.name}"[:60],
            progress=move,
        )
    _tell_import(report, as_json=as_json)
    if report.counts["refused"]:
        sys.exit(PARTLY)


def _of_the_shipped_form(data: bytes) -> bool:
    """Whether the first line that is no comment is that of the list that ships with the software."""
    lines = data[:4096].decode("utf-8-sig", "replace").splitlines()
    return next((one for one in lines if not one.startswith("#")), "").startswith("seq,name,type,")


def _import_shipped(data: bytes | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from django.conf import settings

    from zhengwu.accounts import queries as accounts
    from zhengwu.catalog import shipped
    from zhengwu.config import demo as city
    from zhengwu.web.clock import now

    names = {one.name: one.code for one in accounts.agencies()}
    # The list says 市水务局 where the register says 江城市水务局.
    for one in accounts.agencies(accounts.CITY):
        names["市" + one.name.partition("市")[2]] = one.code
    lines = data.decode("utf-8-sig").splitlines(keepends=True) if data is not None else None
    offices, below = city.offices_of_the_city() if settings.DEMO else ({}, {})
    report = shipped.import_items(lines, agencies=names, at=now(), offices=offices, below=below)
    outcomes = (
        ("created", "新增"), ("changed", "变更"), ("unchanged", "不变"), ("refused", "拒绝"),
    )  # fmt: skip
    counts = "，".join(f"{zh} {report.count(code)}" for code, zh in outcomes)
    lines = [
        f"第 {row.row} 行 {row.name}：{row.sentence}（{row.field}，{row.rule}）"
        for row in report.rows
        if row.outcome == "refused"
    ]
    say(
        {
            "counts": {code: report.count(code) for code, _ in outcomes},
            "in_force": report.in_force,
            "retired": report.retired,
            "rows": [asdict(row) for row in report.rows],
        },
        [
            *lines,
            f"{len(report.rows)} 行：{counts}。现行 {report.in_force}，已取消 {report.retired}。",
        ],
        as_json=as_json,
    )
    if lines:
        sys.exit(PARTLY)


def _tell_import(report: ImportReport, *, as_json: bool) -> None:
    """Every row as JSON; or how many came to what and, for each rule, the first rows."""
    from dataclasses import asdict

    from zhengwu.catalog.importing import OUTCOMES_ZH

    if as_json:
        told = {"counts": report.counts, "batch": report.batch, "notes": report.notes}
        say(told | {"rows": [asdict(row) for row in report.rows]}, [], as_json=True)
        return
    for note in report.notes:
        click.echo(note)
    groups: dict[tuple[str, str], list[str]] = {}
    sentences: dict[tuple[str, str], str] = {}
    for row in report.rows:
        if row.outcome in ("refused", "drafted") and row.rule:
            key = (row.outcome, row.rule)
            groups.setdefault(key, []).append(f"{row.row} {row.name}".strip())
            sentences.setdefault(key, str(row.sentence))
    for (outcome, rule), named in groups.items():
        some = "；".join(named[:ROWS_TOLD]) + ("；……" if len(named) > ROWS_TOLD else "")
        click.echo(
            f"{OUTCOMES_ZH[outcome]} {len(named)} 行（{rule}）：{sentences[(outcome, rule)]}"
        )
        click.echo(f"  第 {some}")
    counts = "，".join(f"{OUTCOMES_ZH[one]} {many}" for one, many in report.counts.items())
    click.echo(f"{len(report.rows)} 行：{counts}。")
    if report.batch:
        click.echo(f"草案的批次：{report.batch}")


@catalog.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["xlsx", "csv", "json"]),
    help="不写就看文件名；国家平台交换表的 ZIP 里不写就是 CSV。",
)
@click.option(
    "--level",
    type=click.Choice(["province", "city", "implementation"]),
    help="只要哪一级清单：省级、市级通用、实施；不写就是全部。",
)
@click.option("--region", default="", metavar="代码", help="只要这个区域的，例如 420102。")
@click.option("--agency", default="", metavar="代码", help="只要这个实施机关的。")
@click.option("--on", "on", metavar="年-月-日", help="哪一天施行的；不写就是今天。")
@click.option("--all", "every", is_flag=True, help="所有版本，包括历史的、将要施行的和已取消的。")
@click.option("--national", "pack", is_flag=True, help="写成国家平台交换表（ZIP）。")
@AS_JSON
@with_database
def export(
    file: Path,
    format_: str | None,
    level: str | None,
    region: str,
    agency: str,
    on: str | None,
    every: bool,
    pack: bool,
    as_json: bool,
) -> None:
    """导出事项清单到文件：每个版本一行，每个要素一列；或者国家平台交换表。

    例：zhengwu catalog export 临江区.xlsx --region 420102
    """
    from zhengwu.catalog import exporting
    from zhengwu.documents import sheets
    from zhengwu.web import words
    from zhengwu.web.clock import now

    with arguments():
        day = sheets.parse_date(on) if on else words.local(now()).date()
    if pack:
        _export_national(file, format_ or "csv", day, region, agency, as_json=as_json)
        return
    format_ = format_ or file.suffix.lower().removeprefix(".")
    if format_ not in exporting.FORMATS:
        raise click.UsageError("请用 --format 写明格式：xlsx、csv 或 json。")
    selection = exporting.Selection(
        level=level or "", region=region, agency=agency, on=None if every else day
    )
    draft = file.with_name(file.name + ".new")
    with progress("导出", hidden=as_json) as move:
        rows = exporting.save(format_, selection, to=draft, progress=move)
    draft.replace(file)
    told = {"rows": rows, "file": str(file)}
    say(told, [f"导出 {rows} 行到 {file}。"], as_json=as_json)


def _export_national(
    file: Path, format_: str, day: date, region: str, agency: str, *, as_json: bool
) -> None:
    from dataclasses import asdict

    from zhengwu.catalog import national
    from zhengwu.web.clock import now

    if format_ not in ("csv", "json"):
        raise click.UsageError("国家平台交换表只有 CSV 和 JSON。")
    draft = file.with_name(file.name + ".new")
    with draft.open("wb") as place, progress("导出", hidden=as_json) as move:
        sent = national.save(
            place, on=day, at=now(), format=format_, region=region, agency=agency, progress=move
        )  # fmt: skip
    draft.replace(file)
    told = [f"{table}：{many} 行" for table, many in sorted(sent.rows.items())]
    told += [f"表里没有地方放“{one}”" for one in national.left_zh(sent.left)]
    told += [f"缺口 {sent.many} 处，逐条在压缩包的 {national.GAPS} 里。"] if sent.many else []
    whole = {
        "rows": sent.rows, "left": sent.left, "gaps": sent.many,
        "first": [asdict(one) for one in sent.gaps],
    }  # fmt: skip
    say(whole, told, as_json=as_json)


@catalog.command()
@click.option(
    "--items",
    type=click.IntRange(0, 20_000),
    default=2_286,
    show_default=True,
    help="市级事项补到多少项。",
)
@click.option(
    "--forms",
    type=click.IntRange(0, 369),
    default=352,
    show_default=True,
    help="空白表格补到多少份。",
)
@click.option("--districts/--no-districts", default=True, show_default=True, help="各区也办。")
@click.option(
    "--seed", type=int, default=420_100, show_default=True, help="种子：同一种子得同样的事项。"
)
@AS_JSON
@with_database
def fill(items: int, forms: int, districts: bool, seed: int, as_json: bool) -> None:
    """把市级事项补到这么多项、表格补到这么多份：生成的都标明“演示”（只在 ZHENGWU_DEMO=1 时）。

    例：ZHENGWU_DEMO=1 zhengwu catalog fill --items 500。第二次运行不再生成。
    """
    from dataclasses import asdict

    from django.conf import settings

    from zhengwu.catalog import filling
    from zhengwu.web.clock import now

    if not settings.DEMO:
        raise click.ClickException("演示事项只能在 ZHENGWU_DEMO=1 时生成。")
    with progress("生成", hidden=as_json) as move:
        made = filling.fill(
            items=items, forms=forms, districts=districts, seed=seed, at=now(), progress=move
        )  # fmt: skip
    say(
        asdict(made),
        [
            f"市级事项新增 {made.items} 项，各区实施清单新增 {made.places} 项，"
            f"表格新增 {made.forms} 份。"
        ],
        as_json=as_json,
    )
    if made.refused:
        click.echo(f"{made.refused} 项没有通过发布规则。", err=True)
        sys.exit(PARTLY)
