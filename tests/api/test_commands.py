"""The same from the command line, as the operator types it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cases import people
from tests.cases.people import COMPANY, actor, moment
from zhengwu.cases import api, loading, timekeeping
from zhengwu.commands import main
from zhengwu.commands.base import CANNOT, WRONG_USAGE

pytestmark = pytest.mark.usefixtures("town")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def said(*words: str) -> str:
    done = run(*words)
    assert done.exit_code == 0, done.output
    return done.stdout


def as_json(*words: str) -> Any:
    return json.loads(said(*words, "--json"))


def refused(*words: str, code: int = WRONG_USAGE) -> str:
    done = run(*words)
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    return done.stderr


def test_a_command_starts_in_a_process_of_its_own() -> None:
    words = ("calendar", "between", "2026-09-28", "2026-10-10")
    done = subprocess.run(
        [sys.executable, "-m", "zhengwu", *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, said(*words)), done.stderr


def test_the_clock_of_a_case_is_a_table_with_the_derivation_and_nobodys_name() -> None:
    case = people.golden()
    when = moment("10-20 09:00").isoformat()
    text = said("clock", case.number, "--at", when)
    reading = loading.load(actor("p-water-clerk"), case.number).read(moment("10-20 09:00"))
    for one in reading.limits:
        assert one.name in text
        assert all(line.text in text for line in one.lines)
    assert "〔民法典 第二百零一条〕" in text
    for secret in (COMPANY.name, COMPANY.identifier, COMPANY.phone, case.query_code, "p-water"):
        assert secret not in text
    told = as_json("clock", case.number.lower(), "--at", when)
    assert told == api.clock_of(
        loading.load(actor("p-water-clerk"), case.number), at=moment("10-20 09:00")
    ).model_dump(mode="json")
    assert "没有期限" in said("clock", case.number, "--at", when, "--known", "0")


def test_the_time_ledger_is_a_table_that_ends_with_the_whole() -> None:
    case = people.golden()
    text = said("time-ledger", case.number)
    assert "全程" in text
    assert "1176:40:00" in text
    assert "B23" not in text
    told = as_json("time-ledger", case.number)
    assert sum(one["seconds"] for one in told["parts"]) == told["whole"]["seconds"]


def test_the_operators_commands_select_neither_applicant_nor_query_code() -> None:
    case = people.golden()
    with CaptureQueriesContext(connection) as asked:
        loaded = loading.load_bare(case.number)
        timekeeping.of_operator(case.number, at=moment("11-03 09:00"))
    assert (loaded.query_code, loaded.applicant_row, loaded.applicant_id) == ("", None, None)
    assert not [one for one in asked.captured_queries if "query_code" in one["sql"]]
    assert not [one for one in asked.captured_queries if "ledger_content" in one["sql"]]


def test_the_calendar_answers_as_the_interface_does() -> None:
    text = said("calendar", "days", "2026-10-07", "2026-10-10")
    assert "2026-10-07  休息" in text
    assert "2026-10-08  上班" in text
    assert len(as_json("calendar", "days", "2026-10-07", "2026-10-10")) == 4
    assert "2026-10-08 17:00" in said("calendar", "add", "2026-09-28", "3")
    assert as_json("calendar", "add", "2026-01-31", "1", "--unit", "month")["day"] == "2026-02-28"
    assert said("calendar", "between", "2026-09-28", "2026-10-10").startswith(
        "5 个工作日，共 12 天"
    )
    assert "国务院办公厅关于2026年部分节假日安排的通知" in said("calendar", "notices")


def test_what_is_wrong_is_said_in_words() -> None:
    assert "没有找到这个办件" in refused("clock", "JC000000000000", code=CANNOT)
    assert "没有找到这个办件" in refused("time-ledger", "\u202e", code=CANNOT)
    number = people.received().number
    assert "时区" in refused("clock", number, "--at", "2026-11-23T09:00:00")
    assert "known" in refused("clock", number, "--known", "x")
    assert "from" in refused("calendar", "days", "0000-00-00", "2026-01-01")
    assert "负数" in refused("calendar", "add", "2026-01-01", "--", "-1")
    assert "早于" in refused("calendar", "between", "2026-01-02", "2026-01-01")
    assert "region" in refused("calendar", "between", "2026-01-01", "2026-01-02", "--region", "x")
