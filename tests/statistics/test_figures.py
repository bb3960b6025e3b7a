"""The figures say what the cases say, of every origin, by whatever they are asked."""

from __future__ import annotations

import gzip
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.accounts.city import small_city
from tests.cases import people
from tests.cases.people import actor, moment
from tests.conftest import Kept
from zhengwu.cases import replay
from zhengwu.domain.measuring import HANDS
from zhengwu.domain.periods import Grain, Period
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger
from zhengwu.statistics import queries
from zhengwu.statistics.queries import EVERYWHERE, Question, Row

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
RECEIPT = DATA / "permit-logs" / "receipt.xes.gz"
WHOLE = os.environ.get("ZHENGWU_TEST_PG", "18") == "18"
NOW = moment("11-23 09:00")
EVER = Period(date(2010, 1, 1), date(2012, 12, 31))
real = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")


@pytest.fixture
def replayed(db: None, kept: Kept) -> None:
    def build() -> None:
        small_city()
        people.items()
        replay.run(RECEIPT, "receipt")
        ledger.catch_up()

    kept.again("receipt counted", build)


def traces() -> Iterator[dict[str, str]]:
    """The attributes of the log's traces, read by nothing of ours."""
    with gzip.open(RECEIPT) as file:
        root = ElementTree.parse(file).getroot()
    for trace in root.iter("{http://www.xes-standard.org/}trace"):
        yield {one.get("key", ""): one.get("value", "") for one in trace if one.get("value")}


def keyed(rows: tuple[Row, ...]) -> dict[tuple[str, ...], Row]:
    return {row.key: row for row in rows}


@real
@pytest.mark.usefixtures("replayed")
def test_the_real_log_is_late_and_on_time_by_its_own_deadlines_as_instants() -> None:
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for one in traces():
        at = expected[one.get("channel", "")]
        at["received"] += 1
        due = datetime.fromisoformat(one["deadline"]) if "deadline" in one else None
        if due is None and "enddate_planned" in one:
            due = datetime.fromisoformat(one["enddate_planned"])
        if "enddate" in one:
            at["closed"] += 1
            if due:
                late = datetime.fromisoformat(one["enddate"]) > due
                at["claim_late" if late else "claim_on_time"] += 1
        else:
            at["open"] += 1
            at["claim_open"] += due is not None
    rows = keyed(queries.figures(EVERYWHERE, Question(period=EVER, by="channel"), at=NOW))
    found = {
        key[0]: Counter(
            {code: row[code] for code in ("received", "closed", "claim_late", "claim_on_time")}
            | {"open": row.open, "claim_open": row.claim_open}
        )
        for key, row in rows.items()
    }
    assert found == {channel: +counts | Counter() for channel, counts in expected.items()} | {
        channel: found[channel] for channel in found.keys() - expected.keys()
    }
    assert sum(row["closed"] for row in rows.values()) == 1329
    # Nobody here knows by which rule these were due.
    assert all(row["unjudged"] == row["closed"] for row in rows.values())
