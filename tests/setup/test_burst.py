"""Ten times the acts for a while against the real server, on a small city: nothing lost or doubled.

Only with ZHENGWU_DRILL=1: the city of two thousand cases takes a minute to build.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    os.environ.get("ZHENGWU_DRILL") != "1", reason="a long drill: ZHENGWU_DRILL=1"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("city")


def bench(name: str, home: Path, *more: str, **settings: str) -> dict[str, Any]:
    """What a measurement on the small city says, by name."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ZHENGWU_")}
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", "--cases", "2000", "--home", str(home), *more],
        cwd=ROOT, env=clean | settings, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(row) for row in done.stdout.splitlines() if row.startswith("{")]
    return {one["name"]: one["value"] for one in lines if "limit" in one}


def test_the_city_is_as_its_events_say_and_no_page_asks_more_than_twelve_questions(
    home: Path,
) -> None:
    for name in ("inbox", "case_page", "track"):
        told = bench(name, home)
        assert told[f"{name.replace('_', '-')}-queries"] <= 12


def test_every_case_is_exported_and_memory_stays_flat(home: Path) -> None:
    told = bench("export", home)
    assert told["export-memory"] < 64


def test_in_a_rush_nothing_is_lost_doubled_or_done_in_spite_of_a_no(home: Path) -> None:
    told = bench("burst", home, "--seconds", "15")
    assert told["burst-lost"] == 0
    assert told["burst"] <= 0.1


def test_beyond_all_capacity_people_are_turned_away_honestly_and_nothing_is_lost(
    home: Path,
) -> None:
    settings = {"ZHENGWU_WEB_AT_ONCE": "1", "ZHENGWU_WEB_LINE": "8", "ZHENGWU_WEB_PATIENCE": "1"}
    told = bench("burst", home, "--seconds", "8", "--rate", "200", **settings)
    assert told["burst"] > 0.1  # some were
    assert told["burst-lost"] == 0
    assert told["burst-rude"] == 0
