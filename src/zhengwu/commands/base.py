"""What all commands share (命令的共同部分): the group, the exit codes, JSON, the progress bar.

A command gives what was asked for on standard output, in words or with --json as one JSON value;
progress and complaints go to standard error. Django and the contexts are imported inside the
functions: `zhengwu --help` answers before any of them would be read.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import click

if TYPE_CHECKING:
    from pydantic import BaseModel

P = ParamSpec("P")
Progress = Callable[[int, int], None]  # how many are done, of how many

# Exit codes (退出码). A fault of ours, with its traceback, ends with CANNOT too.
DONE = 0
CANNOT = 1
WRONG_USAGE = 2
PARTLY = 3
INTERRUPTED = 130
EPILOG = """\b
退出码：
  0    做完了（没有什么可做也是 0）
  1    做不了，或者检查出了问题：原因和办法写在标准错误
  2    命令写错了：没有这个选项，少了参数，参数不合规定
  3    只做了一部分：有的行、有的事件没有导入，逐条说明
  130  被 Ctrl-C 中断

\b
给程序用：报告结果的命令都有 --json，标准输出只有 JSON；
进度只写到终端的标准错误，--json 时不写。

全部命令见 docs/reference/commands.md，全部设置见 docs/reference/settings.md。
"""


class Commands(click.Group):
    """The group at the top: known problems of any command are said in words, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        with spoken():
            return super().invoke(ctx)


@contextmanager
def spoken() -> Iterator[None]:
    """Problems we know are said in words and end with CANNOT; anything else is a fault of ours."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("已中断。", err=True)
        sys.exit(INTERRUPTED)
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as problem:
        if (said := _in_words(problem)) is None:
            raise
        raise click.ClickException(said) from problem


def _in_words(problem: Exception) -> str | None:
    """What a known problem says; None for one that we did not foresee."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import OperationalError

    from zhengwu.config.archive import ArchiveProblem
    from zhengwu.config.doctor import StartProblem, explain
    from zhengwu.config.environment import home
    from zhengwu.config.migrate import MigrationProblem
    from zhengwu.config.postgres import PostgresProblem
    from zhengwu.domain.refusal import Refusal

    if isinstance(problem, Refusal):
        return problem.sentence
    if isinstance(problem, StartProblem | MigrationProblem | PostgresProblem | ArchiveProblem):
        return str(problem)
    if isinstance(problem, ImproperlyConfigured):
        return str(problem)
    if isinstance(problem, OperationalError):
        return f"数据库连不上：{str(problem).strip()}"
    if isinstance(problem, OSError):
        return explain(problem, home())
    return None


@contextmanager
def arguments() -> Iterator[None]:
    """What is refused in here was typed wrongly: WRONG_USAGE, not CANNOT."""
    from zhengwu.domain.refusal import Refusal

    try:
        yield
    except Refusal as refusal:
        raise click.UsageError(refusal.sentence) from refusal


def with_database(command: Callable[P, None]) -> Callable[P, None]:
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

    return run


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(package_name="zhengwu", help="显示版本。")
@click.help_option("-h", "--help", help="显示说明。")
def main() -> None:
    """政务：市级政务服务平台。

    每个命令自己说明自己：zhengwu 命令 --help。
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengwu.config.settings")


# --- what is said ---------------------------------------------------------------------------------

AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="标准输出只写 JSON，给程序读；进度不写。"
)


def say(told: Any, lines: Sequence[str], *, as_json: bool) -> None:
    """What was asked for, on standard output: as one JSON value, or as lines for people."""
    click.echo(json.dumps(told, ensure_ascii=False, indent=1) if as_json else "\n".join(lines))


def say_answer(
    answer: BaseModel | Sequence[BaseModel], table: Sequence[str], *, as_json: bool
) -> None:
    """The same as the interface answers, or a table."""
    plain: Any = (
        [one.model_dump(mode="json") for one in answer]
        if isinstance(answer, Sequence)
        else answer.model_dump(mode="json")
    )
    say(plain, table, as_json=as_json)


def note(line: str) -> None:
    """On the way, to whoever watches: standard error, where that is a terminal."""
    if sys.stderr.isatty():
        click.echo(line, err=True)


@contextmanager
def progress(label: str, *, hidden: bool = False) -> Iterator[Progress]:
    """A bar on standard error, told how many are done of how many; none where nobody watches.

    hidden: with --json.
    """
    if hidden or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    bars: list[Any] = []

    def move(done: int, total: int) -> None:
        if not bars:
            bars.append(click.progressbar(length=total, label=label, file=sys.stderr))
            bars[0].__enter__()
        bars[0].length = total
        bars[0].update(done - bars[0].pos)

    try:
        yield move
    finally:
        if bars:
            bars[0].__exit__(None, None, None)


@contextmanager
def counting(label: str, *, hidden: bool = False) -> Iterator[Callable[[str], None]]:
    """Like `progress`, where nobody knows of how many: one line that is written over itself."""
    if hidden or not sys.stderr.isatty():
        yield lambda text: None
        return
    told = False

    def move(text: str) -> None:
        nonlocal told
        told = True
        click.echo(f"\r\033[K{label}  {text}", err=True, nl=False)

    try:
        yield move
    finally:
        if told:
            click.echo(err=True)
