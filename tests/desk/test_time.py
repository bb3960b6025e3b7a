"""The page of the time ledger: it adds up in sight, says what is wrong, shows nobody's name."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import pytest

from tests.cases import people
from tests.cases.people import COMPANY, actor, moment
from tests.desk.walk import sign_in, text
from zhengwu.cases import timekeeping
from zhengwu.desk.time.account import account

pytestmark = pytest.mark.usefixtures("city")
PERIOD = "since=2026-09-01&until=2026-11-15"
SUPERVISOR = "p-supervisor"


def told() -> None:
    people.items()
    people.golden()
    other = people.received("10-13 09:00", item=people.FOOD, who="p-market-clerk")
    other.do("p-market-clerk", "accepted", "10-13 10:00")
    other.do("p-market-reviewer", "step_taken", "10-14 10:00")
    other.do("p-market-clerk", "withdrawn", "10-15 10:00")


def test_the_page_shows_the_whole_its_parts_and_who_hands_to_whom() -> None:
    told()
    page = text(sign_in(SUPERVISOR).get(f"/desk/time?{PERIOD}"))
    assert "期间办结 2 件" in page
    assert "1,225 小时 40 分" in page  # 1,176:40 and 49:00
    assert "江城市水务局 B23 窗口移交" in page
    assert re.search(r"<b>2,660</b><small>3 次</small>", page)  # 20:20 and 24:00 under way
    assert "对不上" not in page
    assert COMPANY.name not in page


def test_windows_stand_apart_where_it_is_asked_for() -> None:
    told()
    page = text(sign_in(SUPERVISOR).get(f"/desk/time?{PERIOD}&windows=on"))
    assert "江城市水务局窗口</th>" in page
    assert re.search(r"<span class=\"mute\">–</span>", page)


@pytest.mark.parametrize("windows", [False, True])
def test_every_figure_in_sight_adds_up(windows: bool) -> None:
    told()
    whole = timekeeping.handover_table(
        actor(SUPERVISOR), since=date(2026, 9, 1), until=date(2026, 11, 15),
        at=moment("11-20 09:00"),
    )  # fmt: skip
    shown = account(whole, windows=windows)
    assert sum(one.amount.minutes for one in shown.kinds) == shown.total.minutes
    assert shown.total.minutes == (1225 * 60 + 40)
    for kind in shown.kinds:
        assert sum(one.amount.office for one in kind.details) == kind.amount.office
    matrix = shown.matrix
    assert sum(one.sum.minutes for one in matrix.rows) == matrix.total.minutes
    assert sum(one.minutes for one in matrix.sums) == matrix.total.minutes
    assert [k.amount.minutes for k in shown.kinds if k.tone == "hand"] == [matrix.total.minutes]


def test_a_head_sees_the_organs_own_and_has_nothing_to_choose() -> None:
    told()
    page = text(sign_in("p-water-head").get(f"/desk/time?{PERIOD}"))
    assert "期间办结 1 件" in page
    assert "江城市市场监督管理局" not in page
    assert 'name="agency"' not in page
    assert "时间账</span>" in page


def test_an_empty_period_says_what_to_do() -> None:
    answer = sign_in(SUPERVISOR).get("/desk/time")
    assert answer.status_code == 200
    assert "没有办结的办件" in text(answer)
    assert "也算还在办的" in text(answer)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("since=2026-11-02&until=2026-11-01", "“到”早于“从”"),
        ("since=2026-02-30", "“从”：请按“2026-01-31”的样子填写日期"),
        ("until=1999-01-01", "2000 年到 2100 年之间"),
        ("since=9999-12-31&until=9999-12-31", "2000 年到 2100 年之间"),
        ("agency=420100-nobody", "没有这个机关"),
        ("agency=%00&since=%00", "没有这个机关"),
    ],
)
def test_an_ugly_question_is_answered_at_its_field(asked: str, said: str) -> None:
    client = sign_in(SUPERVISOR)
    for where in ("/desk/time", "/desk/time.csv"):
        answer = client.get(f"{where}?{asked}")
        assert answer.status_code == 422
        assert said in text(answer)


def test_a_head_cannot_ask_for_another_organ() -> None:
    answer = sign_in("p-water-head").get(f"/desk/time?{PERIOD}&agency={people.MARKET}")
    assert answer.status_code == 422


def test_the_spreadsheet_holds_seconds_that_add_up() -> None:
    told()
    answer = sign_in(SUPERVISOR).get(f"/desk/time.csv?{PERIOD}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode().removeprefix("\ufeff"))))
    parts, ways = rows[3 : rows.index([], 3)], rows[rows.index([], 3) + 2 :]
    assert parts[-1][:4] == ["合计", "", "", str((1225 * 60 + 40) * 60)]
    assert sum(int(row[2]) for row in parts[:-1]) >= len(parts) - 1
    for column in (3, 4, 5):
        assert sum(int(row[column]) for row in parts[:-1]) == int(parts[-1][column])
    assert sum(int(row[3]) for row in ways[:-1]) == int(ways[-1][3]) == 2660 * 60


def test_whoever_only_handles_cases_gets_no_page() -> None:
    for who in ("p-water-clerk", "p-water-approver", "p-system_admin"):
        assert sign_in(who).get("/desk/time").status_code == 403
