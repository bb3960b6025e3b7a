"""Real logs of another system go in as observations, once, with nothing invented."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.cases.people import actor, moment
from zhengwu.cases import queries, replay
from zhengwu.ledger import services as ledger
from zhengwu.statistics import queries as statistics

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
pytestmark = [
    pytest.mark.usefixtures("town"),
    pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}"),
]
RECEIPT = DATA / "permit-logs" / "receipt.xes.gz"
Owner = psycopg.Connection[tuple[object, ...]]


def scalar(owner: Owner, text: str) -> object:
    row = owner.execute(text.encode()).fetchone()
    assert row is not None
    return row[0]


def test_the_receipt_log_goes_in_whole_and_only_once(owner: Owner) -> None:
    first = replay.run(RECEIPT, "receipt")
    assert (first.cases, first.events, first.opened) == (1434, 8577, 1434)
    assert first.written["received"] == 1434
    assert first.written["received"] + first.written["step"] == 8577
    assert first.written["closed"] == 1329
    assert first.rejects == []
    assert queries.foreign_counts("link:receipt") == {"cases": 1434, "closed": 1329, "open": 105}
    before = scalar(owner, "SELECT count(*) FROM ledger_event WHERE source = 'link:receipt'")
    assert before == sum(first.written.values())

    second = replay.run(RECEIPT, "receipt")
    assert (second.written, second.opened, second.rejects) == ({}, 0, [])
    assert second.repeated == before
    assert (
        scalar(owner, "SELECT count(*) FROM ledger_event WHERE source = 'link:receipt'") == before
    )

    # Nothing is invented: no acceptance and no decision stands in that log.
    assert (
        scalar(
            owner,
            "SELECT count(*) FROM ledger_event WHERE source = 'link:receipt' AND (nature = 'act'"
            " OR kind NOT IN ('received', 'step', 'claim', 'closed'))",
        )
        == 0
    )
    # The order of the log respects every stream, and every version equals its number of events.
    ledger.catch_up()
    assert scalar(owner, "SELECT count(*) FROM ledger_position") == scalar(
        owner, "SELECT max(position) FROM ledger_position"
    )
    assert (
        scalar(
            owner,
            "SELECT count(*) FROM cases_case c WHERE version <> (SELECT count(*) FROM ledger_event e"
            " WHERE e.stream = 'case' AND e.stream_id = c.id)",
        )
        == 0
    )
    # Its cases count like all others, on the day on which they were received.
    number = scalar(owner, "SELECT number FROM cases_case WHERE foreign_id = 'case-10011'")
    view = queries.case(actor("p-supervisor"), str(number), at=moment("11-23 09:00"))
    assert [line.kind for line in view.story][:2] == ["received", "step"]
    assert view.claims[0][0] == "来源系统的期限"
    assert statistics.today(at=view.story[0].when).received >= 1


def test_every_replayed_case_opens_for_a_supervisor_and_for_no_clerk(owner: Owner) -> None:
    replay.run(RECEIPT, "receipt")
    supervisor, clerk = actor("p-supervisor"), actor("p-water-clerk")
    rows = owner.execute("SELECT number FROM cases_case ORDER BY number LIMIT 40").fetchall()
    for (number,) in rows:
        view = queries.case(supervisor, str(number), at=moment("11-23 09:00"))
        assert view.acts == ()
        with pytest.raises(queries.CaseNotFound):
            queries.case(clerk, str(number), at=moment("11-23 09:00"))


def test_a_log_that_has_grown_adds_only_what_is_new(tmp_path: Path) -> None:
    head = (
        '<log><trace><string key="concept:name" value="grown-1"/>'
        '<date key="startdate" value="2011-10-11T13:42:22+02:00"/>'
    )
    event = (
        '<event><string key="concept:name" value="T{0}"/>'
        '<date key="time:timestamp" value="2011-10-1{0}T08:00:00+02:00"/></event>'
    )
    path = tmp_path / "log.xes"
    path.write_text(head + event.format(1) + event.format(2) + "</trace></log>")
    assert replay.run(path, "receipt").written == {"received": 1, "step": 1}
    path.write_text(head + "".join(event.format(n) for n in (1, 2, 3, 4)) + "</trace></log>")
    grown = replay.run(path, "receipt")
    assert (grown.written, grown.repeated, grown.rejects) == ({"step": 2}, 2, [])
    path.write_text(head + event.format(1).replace("T1", "changed") + "</trace></log>")
    assert [r.rule for r in replay.run(path, "receipt").rejects] == ["replay.reused"]


def test_the_larger_log_goes_in_with_its_nameless_event_reported() -> None:
    report = replay.run(DATA / "permit-logs" / "wabo1.xes.gz", "wabo1")
    assert (report.cases, report.events, report.opened) == (937, 38944, 937)
    assert report.written["received"] + report.written["step"] == 38943
    assert [reject.rule for reject in report.rejects] == ["replay.nameless"]
