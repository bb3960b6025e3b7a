"""The real process for other systems and from the command line: the same figures as on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.api.asking import fits
from tests.api.system import System, issue, register, water
from tests.cases import people
from tests.cases.test_process import AT, RECEIPT, WATER_CASES, log, needs_data, straight
from tests.desk.walk import sign_in
from zhengwu.cases import process, replay, xes
from zhengwu.commands import main
from zhengwu.commands.base import CANNOT, DONE, WRONG_USAGE

PATH = "/api/v1/process"
SHAPE = {"$ref": "#/components/schemas/ProcessAnswer"}


@pytest.fixture
def told(town: None) -> tuple[people.Told, people.Told]:
    return people.golden(), straight()


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def as_json(*words: str) -> Any:
    done = run(*words, "--json")
    assert done.exit_code == DONE, done.output
    return json.loads(done.stdout)


@pytest.mark.usefixtures("told")
def test_a_system_reads_the_process_of_its_cases() -> None:
    answer: Any = water("process.read").get("/process", {"item": people.INTAKE})
    assert answer.status_code == 200, answer.content
    found = answer.json()
    fits(SHAPE, found)
    assert (found["cases"], found["matched"], found["more"]) == (2, 2, False)
    (skipped,) = found["departures"]
    assert skipped == {
        "kind": "skipped", "says": "“审查”没有办结就作出决定", "count": 1, "cases": 1
    }  # fmt: skip
    edge = next(one for one in found["edges"] if one["target"] == "接办·审查")
    assert (edge["source"], edge["count"], edge["seconds"]["median"]) == ("受理", 2, 7500)
    assert [one["skipped"] for one in found["steps"]] == [1, 0]
    assert "p-water" not in answer.content.decode()
    narrow = System(issue(register("narrow-oa"), "cases.read"))
    assert narrow.get("/process").status_code == 403


@pytest.mark.usefixtures("told")
def test_staff_see_as_far_as_on_the_page() -> None:
    seen = {
        who: sign_in(who).get(PATH).json()["cases"]
        for who in ("p-supervisor", "p-water-head", "p-market-head", "p-water-clerk")
    }
    assert seen == {
        "p-supervisor": 2, "p-water-head": 2, "p-market-head": 0, "p-water-clerk": 0
    }  # fmt: skip


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"item": "XK9999"}, "item"),
        ({"outcome": "maybe"}, "outcome"),
        ({"opened_from": "yesterday"}, "opened_from"),
        ({"opened_from": "2026-11-02T00:00:00+08:00", "opened_to": "2026-11-01T00:00:00+08:00"}, "until"),
        ({"source": "x" * 61}, "source"),
        ({"window": "1"}, "window"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_problem_at_its_field(asked: dict[str, str], field: str) -> None:
    answer: Any = water("process.read").get("/process", asked)
    assert answer.status_code == 422
    assert answer.json()["field"] == field


@pytest.mark.usefixtures("told")
def test_the_command_says_the_same_of_all_cases() -> None:
    found = as_json("process", "--item", people.INTAKE)
    here = process.discover(process.EVERYTHING, WATER_CASES, at=AT)
    assert {(one["source"], one["target"]): one["count"] for one in found["edges"]} == {
        (one.source, one.target): one.count for one in here.picture.edges
    }
    shown = run("process", "--item", people.INTAKE, "--from", "2026-09-01", "--to", "2026-10-31")
    assert "2 件，19 次，15 种活动，2 种走法" in shown.stdout
    assert "受理 → 接办·审查" in shown.stdout
    assert run("process", "--to", "2020-01-01").stdout.strip() == "没有符合条件的办件。"
    for wrong in (("--item", "XK9999"), ("--from", "2026-02-01", "--to", "2026-01-01")):
        assert run("process", *wrong).exit_code == WRONG_USAGE


@pytest.mark.usefixtures("told")
def test_the_log_is_written_whole_without_people_and_over_no_file(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    assert as_json("xes", "-o", str(path))["bytes"] == path.stat().st_size
    assert xes.readable(path) == 2
    assert "p-water-" not in path.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == ["log.xes"]
    assert run("xes", "-o", str(path)).exit_code == WRONG_USAGE
    assert run("xes", "-o", str(tmp_path / "nowhere" / "log.xes")).exit_code == CANNOT
    assert replay.run(path, "zhengwu").opened == 2


@needs_data
@pytest.mark.usefixtures("town")
def test_a_file_is_looked_at_without_taking_it_in(tmp_path: Path) -> None:
    found = as_json("process", "--file", str(RECEIPT))
    assert (found["cases"], found["events"], len(found["nodes"])) == (1434, 8577, 27)
    assert len(found["variants"]) == len({tuple(e[0] for e in c) for c in log(RECEIPT).values()})
    broken = tmp_path / "log.xes"
    broken.write_text("<log><trace>", encoding="utf-8")
    done = run("process", "--file", str(broken))
    assert done.exit_code == CANNOT
    assert "请让来源系统重新导出" in done.stderr
