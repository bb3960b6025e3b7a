"""A process-mining tool of others reads our logs and counts what we count (a drill).

pm4py is under the AGPL: it is never imported here and stands in no list of ours. It runs in an
environment of its own that uv makes and throws away, and answers with figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cases import people
from tests.cases.test_process import AT, DATA, log, needs_data, straight, written
from zhengwu.cases import process, replay
from zhengwu.cases.process import Selection

PM4PY = "pm4py==2.7.17"
UV = Path(sys.prefix) / "bin" / "uv"
INSTANTS = ("first", "last")
ASKED = """
import json, sys, pm4py
found = pm4py.read_xes(sys.argv[1])
found = found[found["concept:name"].notna()]
dfg, starts, ends = pm4py.discover_dfg(found)
name, at = "concept:name", "time:timestamp"
who = found["org:resource"].dropna() if "org:resource" in found else found[name].iloc[:0]
print("FIGURES" + json.dumps({
    "cases": int(found["case:concept:name"].nunique()), "events": len(found),
    "activities": {k: int(v) for k, v in found[name].value_counts().items()},
    "resources": {k: int(v) for k, v in who.value_counts().items()},
    "variants": sorted([list(k), int(v)] for k, v in pm4py.get_variants(found).items()),
    "edges": sorted([a, b, int(n)] for (a, b), n in dfg.items()),
    "starts": {k: int(v) for k, v in starts.items()},
    "ends": {k: int(v) for k, v in ends.items()},
    "first": found[at].min().isoformat(), "last": found[at].max().isoformat(),
}))
"""
pytestmark = [
    pytest.mark.usefixtures("town"),
    pytest.mark.skipif(
        os.environ.get("ZHENGWU_DRILL") != "1" or not UV.exists(),
        reason="a long drill that needs the package index: ZHENGWU_DRILL=1",
    ),
]


def outside(path: Path) -> dict[str, Any]:
    """What pm4py counts in a file."""
    done = subprocess.run(
        [UV, "run", "--no-project", "--quiet", "--with", PM4PY, "python", "-c", ASKED, path],
        capture_output=True, text=True, check=False, cwd=path.parent,
        env={k: v for k, v in os.environ.items() if not k.startswith(("UV_PROJECT", "VIRTUAL_ENV"))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("FIGURES")]
    found: dict[str, Any] = json.loads(line.removeprefix("FIGURES"))
    found |= {name: moment(found[name]) for name in INSTANTS}
    return found


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def ours(path: Path, selection: Selection) -> dict[str, Any]:
    """What we count, in the database; who did it, in the file."""
    picture = process.discover_all(selection, at=AT).picture
    assert picture.first is not None
    assert picture.last is not None
    who = Counter(one[2] for events in log(path).values() for one in events if one[2])
    assert picture.resources == len(who)
    return {
        "cases": picture.cases, "events": picture.events,
        "activities": {one.activity: one.count for one in picture.nodes},
        "resources": dict(who),
        "variants": sorted([list(one.activities), one.count] for one in picture.variants),
        "edges": sorted([one.source, one.target, one.count] for one in picture.edges),
        "starts": {one.activity: one.starts for one in picture.nodes if one.starts},
        "ends": {one.activity: one.ends for one in picture.nodes if one.ends},
        "first": picture.first.astimezone(UTC), "last": picture.last.astimezone(UTC),
    }  # fmt: skip


def told(name: str, found: dict[str, Any]) -> None:
    """The figures for docs/algorithms/process.md."""
    print(
        f"{name}: {found['cases']} cases, {found['events']} events,"
        f" {len(found['activities'])} activities, {len(found['resources'])} resources,"
        f" {len(found['variants'])} variants, {len(found['edges'])} edges,"
        f" {found['first'].isoformat()} to {found['last'].isoformat()}"
    )


def test_cases_of_ours_are_counted_alike_by_others(tmp_path: Path) -> None:
    people.golden()
    straight()
    pending = people.received("10-20 09:00")
    pending.do("p-water-clerk", "accepted", "10-20 09:30")
    path = written(tmp_path, Selection())
    found = outside(path)
    assert found == ours(path, Selection())
    told("ours", found)


@needs_data
@pytest.mark.parametrize("name", ["receipt", "wabo1"])
def test_a_real_log_is_the_same_to_others_before_and_after(name: str, tmp_path: Path) -> None:
    given = DATA / "permit-logs" / f"{name}.xes.gz"
    report = replay.run(given, name)
    nameless = len(report.rejects)
    selection = Selection(source=f"link:{name}")
    path = written(tmp_path, selection)
    before, after = outside(given), outside(path)
    assert after == ours(path, selection)
    told(name, after)
    # The one event without a name was not taken in, and is left out by the other side, too.
    assert nameless == {"receipt": 0, "wabo1": 1}[name]
    # pm4py drops the offsets that stand in the original: of its instants the order alone is right.
    assert {k: v for k, v in before.items() if k not in INSTANTS} == {
        k: v for k, v in after.items() if k not in INSTANTS
    }
    # And once more, through another city.
    assert replay.run(path, "zhengwu").rejects == []
    again = written(tmp_path, Selection(source="link:zhengwu"))
    assert outside(again) == after
