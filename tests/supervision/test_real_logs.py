"""Two real logs supervised as they are: the receipts of a municipality and its building permits."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from django.db import connection

from tests.accounts.city import small_city
from tests.cases import people
from tests.conftest import Kept
from tests.drill import DRILL
from tests.statistics.test_figures import DATA, RECEIPT, real, replayed, traces
from zhengwu.cases import replay
from zhengwu.ledger import services as ledger

__all__ = ["RECEIPT", "replayed"]


def counted(sql: str) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return Counter(dict(cursor.fetchall()))


RULES = "SELECT rule, count(*) FROM supervision_finding GROUP BY 1"
DEVIATIONS = (
    "SELECT e.body ->> 'deviation', count(DISTINCT e.stream_id) FROM ledger_event e"
    " WHERE e.stream = 'case' AND e.body ->> 'deviation' IS NOT NULL GROUP BY 1"
)
FOUND = (
    "SELECT i.body -> 'facts' ->> 'what', count(*) FROM supervision_finding f JOIN ledger_event i"
    " ON i.stream = 'finding' AND i.stream_id = f.id AND i.version = 1 WHERE f.rule = 'P01' GROUP BY 1"
)
CLAIMED = (
    "SELECT e.body #>> '{claim,kind}', count(*) FROM ledger_event e WHERE e.stream = 'case'"
    " AND e.body #>> '{claim,kind}' IS NOT NULL GROUP BY 1"
)


@real
@pytest.mark.usefixtures("replayed")
def test_the_receipts_are_late_by_their_own_deadlines_as_the_file_says() -> None:
    late = 0
    ended = [datetime.fromisoformat(one["enddate"]) for one in traces() if one.get("enddate")]
    for trace in traces():
        if not trace.get("deadline") or not trace.get("enddate"):
            continue
        late += datetime.fromisoformat(trace["enddate"]) > datetime.fromisoformat(trace["deadline"])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE c.closed IS NOT NULL AND NOT f.basis_changed),"
            ' count(*) FILTER (WHERE c.closed IS NULL), max(f.at) FROM supervision_finding f JOIN cases_case c ON c.id = f."case"'
            " WHERE f.rule = 'T03'"
        )
        closed, still_open, last = cursor.fetchone()
    assert closed == late > 0
    # What its source has not told yet may have happened: nothing is found beyond its last entry.
    assert last <= max(ended)
    assert still_open <= 105


@real
@pytest.mark.usefixtures("replayed")
def test_every_deviation_of_a_case_is_one_finding_and_is_listed() -> None:
    expected, found = counted(DEVIATIONS), counted(FOUND)
    assert found == expected
    assert sum(found.values()) > 1_000


@pytest.mark.skipif(not DRILL, reason="a long drill: ZHENGWU_DRILL=1")
@real
def test_the_building_permits_are_supervised_as_they_are(db: None, kept: Kept) -> None:
    small_city()
    people.items()
    replay.run(DATA / "permit-logs" / "wabo1.xes.gz", "wabo1")
    ledger.catch_up()
    rules = counted(RULES)
    assert counted(FOUND) == counted(DEVIATIONS)
    # A plan binds nobody: it tells no deadline, and where none is known nothing is late.
    assert set(counted(CLAIMED)) == {"planned_end"}
    assert set(rules) == {"P01", "P09"}
