"""The lawful calendar (历法): working days, holiday notices, the day a limit ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from zhengwu.commands.base import AS_JSON, P, arguments, main, say, say_answer, with_database

if TYPE_CHECKING:
    from zhengwu.domain.edition import Edition


@main.group()
def calendar() -> None:
    """历法：工作日、放假安排、期限届满日。"""


def _place(command: Callable[P, None]) -> Callable[P, None]:
    """--region and --hall."""
    hall = click.option("--hall", help="大厅代码；不写就不看大厅自己的时间。")
    return click.option("--region", help="区域代码，例如 420102；不写就是全市。")(hall(command))


def _edition(region: str | None, hall: str | None) -> Edition:
    from zhengwu.calendars import asking
    from zhengwu.config.api import region_of

    return asking.edition(region, hall, region_of=region_of)


@calendar.command("days")
@click.argument("since", metavar="从")
@click.argument("until", metavar="到")
@_place
@AS_JSON
@with_database
def calendar_days(
    since: str, until: str, region: str | None, hall: str | None, as_json: bool
) -> None:
    """从某日到某日，每天是不是工作日（年-月-日，两头都算，最多十年）。

    例：zhengwu calendar days 2026-10-01 2026-10-10
    """
    from zhengwu.calendars import api
    from zhengwu.config import tables

    with arguments():
        found = api.days_of(since, until, _edition(region, hall))
    say_answer(found, tables.days(found), as_json=as_json)


@calendar.command("add")
@click.argument("date", metavar="起算日")
@click.argument("days", metavar="多少")
@click.option(
    "--unit",
    default="working_day",
    show_default=True,
    help="working_day、day（即 calendar_day）、month 或 year。",
)
@_place
@AS_JSON
@with_database
def calendar_add(
    date: str, days: str, unit: str, region: str | None, hall: str | None, as_json: bool
) -> None:
    """从某日起算的期限哪一天届满，连同推导。

    例：zhengwu calendar add 2026-09-28 20；按月：zhengwu calendar add 2026-01-31 1 --unit month
    """
    from zhengwu.calendars import api
    from zhengwu.config import tables

    with arguments():
        answer = api.end_of(date, days, unit, _edition(region, hall))
    say_answer(answer, tables.end(answer), as_json=as_json)


@calendar.command("between")
@click.argument("since", metavar="从")
@click.argument("until", metavar="到")
@_place
@AS_JSON
@with_database
def calendar_between(
    since: str, until: str, region: str | None, hall: str | None, as_json: bool
) -> None:
    """两日之间有几个工作日（前一日不计，后一日计入）。

    例：zhengwu calendar between 2026-09-28 2026-10-10
    """
    from zhengwu.calendars import api
    from zhengwu.config import tables

    with arguments():
        answer = api.between_of(since, until, _edition(region, hall))
    say_answer(answer, tables.between(answer), as_json=as_json)


@calendar.command("notices")
@AS_JSON
@with_database
def calendar_notices(as_json: bool) -> None:
    """已公布的放假安排，和应当公布而没有公布的年份。"""
    from zhengwu.calendars import queries
    from zhengwu.config import tables
    from zhengwu.domain.edition import SHANGHAI
    from zhengwu.web.clock import now

    notices = queries.notices()
    year = queries.unpublished(now().astimezone(SHANGHAI).date())
    lines = tables.notices(notices)
    if year is not None:
        lines = [*lines, f"{year} 年的放假安排还没有录入，有关日期是暂定的。"]
    told = {"notices": [tables.notice(one) for one in notices], "unpublished": year}
    say(told, lines, as_json=as_json)
