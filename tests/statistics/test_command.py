"""`zhengwu statistics` lists figures for people and for programs; what is mistyped is said so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.cases import people
from zhengwu.commands import main
from zhengwu.commands import statistics as command
from zhengwu.ledger import services as ledger


@pytest.fixture
def run(town: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command in this process, on the tests' own database."""
    people.golden()
    ledger.catch_up()
    bare: Any = command.statistics.callback
    monkeypatch.setattr(command.statistics, "callback", bare.__wrapped__)
    return lambda *given: CliRunner().invoke(main, ["statistics", *given])


def test_a_program_gets_one_object_a_row(run: Callable[..., Result]) -> None:
    told = run("--by", "channel", "--from", "2026-09", "--to", "2026-11", "--json")
    assert told.exit_code == 0, told.output
    (row,) = json.loads(told.stdout)
    expected = {
        "channel": "window", "channel_name": "窗口", "from": "2026-09-01", "to": "2026-11-30",
        "received": 1, "closed": 1, "on_time": 1, "late": 0, "open": 0, "overdue": 0,
        "claim_on_time": 0, "claim_late": 0, "claim_open": 0, "days": 12,
    }  # fmt: skip
    assert {key: row[key] for key in expected} == expected
    (item,) = json.loads(
        run("--item", people.INTAKE, "--from", "2026", "--percentiles", "--json").stdout
    )
    assert (item["received"], item["p50"], item["p90"]) == (1, 12, 12)


def test_people_read_a_table(run: Callable[..., Result]) -> None:
    told = run("--by", "agency", "--from", "2026", "--grain", "quarter")
    assert "2026 年第 3 季度" in told.output
    assert "江城市水务局" in told.output
    staff = run("--by", "person", "--from", "2026")
    assert "江水一clerk" in staff.output
    assert "这段时间没有人员的办理记录" in run("--by", "person", "--from", "2020").output


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--by", "weather"), "没有“weather”这个维度"),
        (("--from", "2026-13"), "看不懂这个期间"),
        (("--from", "2030"), "这段时间还没有到"),
        (("--from", "2026-10", "--to", "2026-09"), "“到”早于“从”"),
        (("--item", "XK9999"), "没有“XK9999”这个事项"),
        (("--grain", "hour"), "没有“hour”这种分段"),
        (("--by", "person", "--item", people.INTAKE), "按人员列出时只能用"),
        (("--recompute", "--rebuild"), "请分两次运行"),
        (("--from", "2026", "--grain", "month", "--percentiles"), "分段的时候不能列出中位数"),
    ],
)
def test_what_is_mistyped_is_said_and_ends_with_two(
    run: Callable[..., Result], given: tuple[str, ...], said: str
) -> None:
    told = run(*given)
    assert (told.exit_code, said in told.output) == (2, True), told.output
