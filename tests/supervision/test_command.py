"""`zhengwu supervision`: counts, checks, watches again."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tests.supervision.test_truth import supervised
from zhengwu.commands import main

__all__ = ["supervised"]
pytestmark = pytest.mark.usefixtures("supervised")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["supervision", *arguments])
    return result.exit_code, result.stdout


def test_it_tells_how_many_there_are_of_each_level() -> None:
    code, told = run("--json")
    levels = json.loads(told)
    assert code == 0
    assert set(levels) == {"hint", "warning", "yellow", "red"}
    assert levels["yellow"]["issued"] == levels["yellow"]["counts"] > 50
    assert levels["hint"]["open"] == 0, "a hint asks for no answer"
    assert "黄牌" in run()[1]


def test_it_checks_and_watches_again() -> None:
    code, told = run("--check", "--json")
    checked = json.loads(told)
    assert (code, checked["equal"], checked["found"]) == (0, True, [])
    assert checked["findings"] > 250
    code, told = run("--again")
    assert code == 0
    assert "补发 0 条" in told


def test_two_of_them_at_once_is_wrong_usage() -> None:
    assert run("--check", "--again")[0] == 2
