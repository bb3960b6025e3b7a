"""The command `zhengwu` (命令)."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import click

if TYPE_CHECKING:
    from pydantic import BaseModel

    from zhengwu.cases.loading import Loaded
    from zhengwu.catalog.importing import Report as ImportReport
    from zhengwu.domain.edition import Edition

P = ParamSpec("P")
ROWS_TOLD = 10  # rows of an import that are named for each rule


def _spoken(command: Callable[P, None]) -> Callable[P, None]:
    """Problems we know are said in words and end with 1; anything else is a fault of ours."""

    @wraps(command)
    def run(*given: P.args, **named: P.kwargs) -> None:
        from django.core.exceptions import ImproperlyConfigured
        from django.db import OperationalError

        from zhengwu.config.doctor import StartProblem, explain
        from zhengwu.config.environment import home
        from zhengwu.config.migrate import MigrationProblem
        from zhengwu.config.postgres import PostgresProblem
        from zhengwu.domain.refusal import Refusal

        try:
            command(*given, **named)
        except (StartProblem, MigrationProblem, PostgresProblem, ImproperlyConfigured) as problem:
            raise click.ClickException(str(problem)) from problem
        except Refusal as refusal:
            raise click.ClickException(refusal.sentence) from refusal
        except OperationalError as problem:
            raise click.ClickException(f"数据库连不上：{str(problem).strip()}") from problem
        except OSError as problem:
            raise click.ClickException(explain(problem, home())) from problem
        except KeyboardInterrupt:
            sys.exit(130)

    return run


def _with_database(command: Callable[P, None]) -> Callable[P, None]:
    """Runs beside a running `serve`, or starts the private database for as long as it takes."""

    @wraps(command)
    def run(*given: P.args, **named: P.kwargs) -> None:
        from zhengwu.config import doctor, serve
        from zhengwu.config.environment import home

        doctor.python()
        doctor.folder(home())
        server = serve.database(home())
        try:
            import django

            django.setup()
            from zhengwu.config.settings import unsafe

            if found := unsafe():
                raise doctor.StartProblem("\n".join(found))
            command(*given, **named)
        finally:
            if "django.db" in sys.modules:
                from django.db import connections

                connections.close_all()
            if server is not None:
                server.stop()

    return _spoken(run)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="zhengwu")
def main() -> None:
    """政务：市级政务服务平台。所有设置见 docs/reference/settings.md。"""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengwu.config.settings")


@main.command()
def serve() -> None:
    """启动网站、后台进程和（没有另给数据库时）自带数据库。"""

    def start() -> None:
        from zhengwu.config.environment import address, env_int, home
        from zhengwu.config.serve import Parent

        host, port = address()
        workers = env_int("WEB_WORKERS", 2, least=1, most=64)
        Parent(home(), host, port, workers, click.echo).run()

    _spoken(start)()


@main.command()
@_with_database
def work() -> None:
    """只运行后台进程：排序、跟随者、定时工作。"""
    from zhengwu.config import worker

    worker.main()


@main.command()
@_with_database
def migrate() -> None:
    """以数据库所有者的身份迁移，并授予应用用户权限。"""
    from zhengwu.config import migrate as migration

    applied = migration.run()
    click.echo("\n".join(applied) if applied else "没有要迁移的。")


@main.command()
@_with_database
def check() -> None:
    """检查这台机器和设置，说出问题和办法。"""
    from zhengwu.calendars import queries as calendars
    from zhengwu.config import migrate as migration
    from zhengwu.web import words
    from zhengwu.web.clock import now

    if waiting := migration.pending():
        raise click.ClickException(f"有 {len(waiting)} 步迁移没有执行。请运行 zhengwu migrate。")
    if migration.rewrites_the_log():
        raise click.ClickException("应用的数据库用户可以改写事件账。请换一个用户。")
    if missing := calendars.unpublished(words.local(now()).date()):
        click.echo(
            f"提示：{missing} 年的放假安排还没有公布，跨到那一年的期限都是暂定的。"
            "请管理员在“工作日历”里粘贴国务院办公厅的通知，由第二个人确认。"
        )
    click.echo("一切正常。")


@main.command()
@_with_database
def tamper() -> None:
    """以应用的身份试着改写事件账：每一种都应被拒绝。"""
    from zhengwu.config import tamper as tampering

    went_through = 0
    for statement, answer in tampering.attempts():
        went_through += answer is None
        click.echo(f"{statement}\n    {'没有被拒绝！' if answer is None else '被拒绝：' + answer}")
    if went_through:
        raise click.ClickException(f"{went_through} 种改写没有被拒绝！（都已回滚，账没有变。）")
    click.echo("每一种都被拒绝了。")


@main.command()
@_with_database
def demo() -> None:
    """建立演示城市（只在 ZHENGWU_DEMO=1 时），并列出演示账号。"""
    from django.conf import settings

    from zhengwu.config import demo as city

    if not settings.DEMO:
        raise click.ClickException("演示城市只能在 ZHENGWU_DEMO=1 时建立。")
    if not city.loaded():
        city.load(click.echo)
    click.echo(city.sign_ins())


@main.command()
@click.option("--cases", type=click.IntRange(1, 1_000_000), default=50, help="多少件")
@click.option("--seed", type=int, default=1, help="种子：同一种子得同样的办件")
@_with_database
def simulate(cases: int, seed: int) -> None:
    """按合法行为模拟办件。"""
    from zhengwu.cases import simulate as simulation
    from zhengwu.ledger import services as ledger
    from zhengwu.web.clock import now

    result = simulation.run(cases, seed=seed, at=now())
    ledger.catch_up()
    click.echo(f"模拟了 {result.cases} 件。")
    for name, count in sorted(result.reached.items()):
        click.echo(f"  {name}: {count}")
    for name, count in sorted(result.refused.items()):
        click.echo(f"  被拒绝 {name}: {count}")


@main.command()
@_with_database
def publish() -> None:
    """把公开的决定按现在的规则和脱敏设置重新生成一遍。"""
    from zhengwu.cases import publication

    click.echo(f"核对了 {publication.refresh_all()} 件办件的公开决定。")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "mapping", required=True, help="映射：随产品附带的名字，或一个文件")
@_with_database
def replay(file: Path, mapping: str) -> None:
    """把另一个系统的日志（XES）作为观测重放进来。"""
    from zhengwu.cases import replay as replaying
    from zhengwu.ledger import services as ledger

    started = datetime.now().astimezone()
    report = replaying.run(
        file,
        mapping,
        progress=lambda cases, events: click.echo(f"  {cases} 件，{events} 个事件", err=True),
    )
    ledger.catch_up()
    seconds = (datetime.now().astimezone() - started).total_seconds()
    click.echo(
        f"{report.cases} 件、{report.events} 个事件；新开 {report.opened} 件，"
        f"重复 {report.repeated}，未导入 {len(report.rejects)}；用时 {seconds:.1f} 秒。"
    )
    for kind, count in sorted(report.written.items()):
        click.echo(f"  {kind}: {count}")
    for rule, count in Counter(f"{one.rule} {one.sentence}" for one in report.rejects).items():
        click.echo(f"  未导入 {count}：{rule}")


@main.group()
def catalog() -> None:
    """事项目录。"""


@catalog.command("import")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option("--region", default="", help="行没有写区域时，是哪个区域的；不写就看实施机关")
@click.option(
    "--level",
    type=click.Choice(["province", "city", "implementation"]),
    default="implementation",
    show_default=True,
    help="行没有写清单层级时，是哪一级清单",
)
@click.option("--agency", default="", help="行没有写实施机关时，是哪个机关（名称或者代码）")
@click.option("--approved", default="", metavar="文号", help="市政府批准清单的文号：直接发布")
@click.option("--draft", is_flag=True, help="不发布，都存为草案，成一批")
@click.option("--json", "as_json", is_flag=True, help="逐行输出 JSON")
@_with_database
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
    """
    from zhengwu.accounts import queries as accounts
    from zhengwu.catalog import importing, national
    from zhengwu.domain.guide import Level
    from zhengwu.web import words
    from zhengwu.web.clock import now

    if file is None:
        _import_shipped(None)
        return
    data, at = file.read_bytes(), now()
    if _of_the_shipped_form(data):
        _import_shipped(data)
        return
    if draft == bool(approved):
        raise click.ClickException(
            "请写明批准文号（--approved，直接发布），或者存为草案（--draft）。"
        )
    agencies = importing.organs(region or accounts.CITY)
    if national.is_pack(data):
        parsed = national.read(data, file.name, agencies=agencies, region=region, at=at)
    else:
        parsed = importing.read(
            data, file.name, agencies=agencies, region=region, level=Level(level), agency=agency,
            at=at,
        )  # fmt: skip
    report = importing.run(
        parsed,
        by=None,
        at=at,
        mode="draft" if draft else "publish",
        approved=approved,
        batch=f"{words.local(at):%Y%m%d-%H%M%S} {file.name}"[:60],
        progress=_bar("导入", hidden=as_json),
    )
    _tell_import(report, as_json=as_json)
    if report.counts["refused"]:
        sys.exit(3)


def _of_the_shipped_form(data: bytes) -> bool:
    """Whether the first line that is no comment is that of the list that ships with the software."""
    lines = data[:4096].decode("utf-8-sig", "replace").splitlines()
    return next((one for one in lines if not one.startswith("#")), "").startswith("seq,name,type,")


def _import_shipped(data: bytes | None) -> None:
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
    for row in report.rows:
        if row.outcome == "refused":
            click.echo(f"第 {row.row} 行 {row.name}：{row.sentence}（{row.field}，{row.rule}）")
    counts = "，".join(
        f"{zh} {report.count(code)}"
        for code, zh in (
            ("created", "新增"),
            ("changed", "变更"),
            ("unchanged", "不变"),
            ("refused", "拒绝"),
        )
    )
    click.echo(
        f"{len(report.rows)} 行：{counts}。现行 {report.in_force}，已取消 {report.retired}。"
    )


def _tell_import(report: ImportReport, *, as_json: bool) -> None:
    """Every row as JSON; or how many came to what and, for each rule, the first rows."""
    from dataclasses import asdict

    from zhengwu.catalog.importing import OUTCOMES_ZH

    if as_json:
        told = {"counts": report.counts, "batch": report.batch, "notes": report.notes}
        rows = [asdict(row) for row in report.rows]
        click.echo(json.dumps(told | {"rows": rows}, ensure_ascii=False, indent=1))
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


def _bar(label: str, *, hidden: bool = False) -> Callable[[int, int], None]:
    """A bar on the terminal's error line; done and total as they come."""
    bars: list[Any] = []

    def move(done: int, total: int) -> None:
        if hidden:
            return
        if not bars:
            bars.append(click.progressbar(length=total, label=label, file=sys.stderr))
            bars[0].__enter__()
        bars[0].update(done - bars[0].pos)
        if done >= total:
            bars.pop().__exit__(None, None, None)

    return move


@catalog.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["xlsx", "csv", "json"]),
    help="不写就看文件名；国家平台交换表的 ZIP 里不写就是 CSV",
)
@click.option("--level", type=click.Choice(["province", "city", "implementation"]))
@click.option("--region", default="", help="区域代码")
@click.option("--agency", default="", help="实施机关代码")
@click.option("--on", "on", help="哪一天施行的（年-月-日），不写就是今天")
@click.option("--all", "every", is_flag=True, help="所有版本，包括历史的、将要施行的和已取消的")
@click.option("--national", "pack", is_flag=True, help="国家平台交换表（ZIP）")
@click.option("--json", "as_json", is_flag=True, help="结果输出 JSON")
@_with_database
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
    """导出事项清单到文件：每个版本一行，每个要素一列；或者国家平台交换表。"""
    from zhengwu.catalog import exporting
    from zhengwu.documents import sheets
    from zhengwu.web import words
    from zhengwu.web.clock import now

    day = sheets.parse_date(on) if on else words.local(now()).date()
    if pack:
        _export_national(file, format_ or "csv", day, region, agency, as_json=as_json)
        return
    format_ = format_ or file.suffix.lower().removeprefix(".")
    if format_ not in exporting.FORMATS:
        raise click.ClickException("请用 --format 写明格式：xlsx、csv 或 json。")
    selection = exporting.Selection(
        level=level or "", region=region, agency=agency, on=None if every else day
    )
    draft = file.with_name(file.name + ".new")
    rows = exporting.save(format_, selection, to=draft)
    draft.replace(file)
    _say_exported({"rows": rows, "file": str(file)}, [f"导出 {rows} 行到 {file}。"], as_json)


def _export_national(
    file: Path, format_: str, day: date, region: str, agency: str, *, as_json: bool
) -> None:
    from dataclasses import asdict

    from zhengwu.catalog import national
    from zhengwu.web.clock import now

    if format_ not in ("csv", "json"):
        raise click.ClickException("国家平台交换表只有 CSV 和 JSON。")
    draft = file.with_name(file.name + ".new")
    with draft.open("wb") as place:
        sent = national.save(
            place, on=day, at=now(), format=format_, region=region, agency=agency
        )  # fmt: skip
    draft.replace(file)
    told = [f"{table}：{many} 行" for table, many in sorted(sent.rows.items())]
    told += [f"表里没有地方放“{one}”" for one in national.left_zh(sent.left)]
    told += [f"缺口 {sent.many} 处，逐条在压缩包的 {national.GAPS} 里。"] if sent.many else []
    whole = {
        "rows": sent.rows, "left": sent.left, "gaps": sent.many,
        "first": [asdict(one) for one in sent.gaps],
    }  # fmt: skip
    _say_exported(whole, told, as_json)


def _say_exported(told: dict[str, Any], lines: list[str], as_json: bool) -> None:
    click.echo(
        json.dumps(told, ensure_ascii=False, indent=1) if as_json else "\n".join(lines)
    )  # fmt: skip


@catalog.command()
@click.option("--items", type=click.IntRange(0, 20_000), default=2_286, show_default=True)
@click.option("--forms", type=click.IntRange(0, 369), default=352, show_default=True)
@click.option("--districts/--no-districts", default=True, help="各区也办", show_default=True)
@click.option("--seed", type=int, default=420_100, help="种子：同一种子得同样的事项")
@click.option("--json", "as_json", is_flag=True, help="结果输出 JSON")
@_with_database
def fill(items: int, forms: int, districts: bool, seed: int, as_json: bool) -> None:
    """把市级事项补到这么多项、表格补到这么多份：生成的都标明“演示”（只在 ZHENGWU_DEMO=1 时）。"""
    from dataclasses import asdict

    from django.conf import settings

    from zhengwu.catalog import filling
    from zhengwu.web.clock import now

    if not settings.DEMO:
        raise click.ClickException("演示事项只能在 ZHENGWU_DEMO=1 时生成。")
    made = filling.fill(
        items=items, forms=forms, districts=districts, seed=seed, at=now(),
        progress=_bar("生成", hidden=as_json),
    )  # fmt: skip
    _say_exported(
        asdict(made),
        [
            f"市级事项新增 {made.items} 项，各区实施清单新增 {made.places} 项，"
            f"表格新增 {made.forms} 份。"
        ],
        as_json,
    )
    if made.refused:
        raise click.ClickException(f"{made.refused} 项没有通过发布规则。")


def _case(number: str) -> Loaded:
    """The case of a number, without its applicant: whoever types commands has no post here."""
    from zhengwu.cases import loading
    from zhengwu.cases.tracking import capitals

    try:
        return loading.load_bare(capitals(number))
    except loading.CaseNotFound:
        raise click.ClickException("没有找到这个办件。请核对编号。") from None


def _say(answer: BaseModel | Sequence[BaseModel], table: list[str], *, as_json: bool) -> None:
    """As JSON, the same as the interface answers, or as a table."""
    if not as_json:
        click.echo("\n".join(table))
        return
    plain = (
        answer.model_dump(mode="json")
        if not isinstance(answer, Sequence)
        else [one.model_dump(mode="json") for one in answer]
    )
    click.echo(json.dumps(plain, ensure_ascii=False, indent=2))


AS_JSON = click.option("--json", "as_json", is_flag=True, help="按接口的样子输出 JSON")


@main.command()
@click.argument("case")
@click.option("--at", help="哪一时刻，带时区，例如 2026-11-23T09:00:00+08:00；不写就是现在")
@click.option("--known", help="只看事件账到这个序号为止的记载")
@AS_JSON
@_with_database
def clock(case: str, at: str | None, known: str | None, as_json: bool) -> None:
    """一件办件的全部期限和推导；不读申请人。"""
    from zhengwu.cases import api
    from zhengwu.config import tables

    when, seen = api.instant(at), api.position(known)
    answer = api.clock_of(_case(case), at=when, known=seen)
    _say(answer, tables.clock(answer), as_json=as_json)


@main.command("time-ledger")
@click.argument("case")
@AS_JSON
@_with_database
def time_ledger(case: str, as_json: bool) -> None:
    """一件办件的时间账：在谁手里多久，到秒；不读申请人，不列岗位。"""
    from zhengwu.cases import api, timekeeping
    from zhengwu.config import tables
    from zhengwu.web.clock import now

    answer = api.ledger_of(timekeeping.of_operator(_case(case).number, at=now()))
    _say(answer, tables.time_ledger(answer), as_json=as_json)


@main.group()
def calendar() -> None:
    """历法：工作日、放假安排、期限届满日。"""


def _place(command: Callable[P, None]) -> Callable[P, None]:
    """--region and --hall."""
    hall = click.option("--hall", help="大厅代码")
    return click.option("--region", help="区域代码；不写就是全市")(hall(command))


def _edition(region: str | None, hall: str | None) -> Edition:
    from zhengwu.calendars import asking
    from zhengwu.config.api import region_of

    return asking.edition(region, hall, region_of=region_of)


@calendar.command("days")
@click.argument("since")
@click.argument("until")
@_place
@AS_JSON
@_with_database
def calendar_days(
    since: str, until: str, region: str | None, hall: str | None, as_json: bool
) -> None:
    """从某日到某日，每天是不是工作日（年-月-日，两头都算）。"""
    from zhengwu.calendars import api
    from zhengwu.config import tables

    found = api.days_of(since, until, _edition(region, hall))
    _say(found, tables.days(found), as_json=as_json)


@calendar.command("add")
@click.argument("date")
@click.argument("days")
@click.option(
    "--unit",
    default="working_day",
    show_default=True,
    help="working_day、day（即 calendar_day）、month 或 year",
)
@_place
@AS_JSON
@_with_database
def calendar_add(
    date: str, days: str, unit: str, region: str | None, hall: str | None, as_json: bool
) -> None:
    """从某日起算的期限哪一天届满，连同推导。"""
    from zhengwu.calendars import api
    from zhengwu.config import tables

    answer = api.end_of(date, days, unit, _edition(region, hall))
    _say(answer, tables.end(answer), as_json=as_json)


@calendar.command("between")
@click.argument("since")
@click.argument("until")
@_place
@AS_JSON
@_with_database
def calendar_between(
    since: str, until: str, region: str | None, hall: str | None, as_json: bool
) -> None:
    """两日之间有几个工作日（前一日不计，后一日计入）。"""
    from zhengwu.calendars import api
    from zhengwu.config import tables

    answer = api.between_of(since, until, _edition(region, hall))
    _say(answer, tables.between(answer), as_json=as_json)


@calendar.command("notices")
@_with_database
def calendar_notices() -> None:
    """已公布的放假安排，和应当公布而没有公布的年份。"""
    from zhengwu.calendars import queries
    from zhengwu.config import tables
    from zhengwu.domain.edition import SHANGHAI
    from zhengwu.web.clock import now

    click.echo("\n".join(tables.notices(queries.notices())))
    year = queries.unpublished(now().astimezone(SHANGHAI).date())
    if year is not None:
        click.echo(f"{year} 年的放假安排还没有录入，有关日期是暂定的。")


if __name__ == "__main__":
    main()
