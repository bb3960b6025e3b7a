"""Real logs of another system go in as observations, once, with nothing invented."""

from __future__ import annotations

import gzip
import os
from datetime import date
from pathlib import Path

import psycopg
import pytest

from tests.accounts.city import small_city
from tests.cases import people
from tests.cases.people import actor, moment
from tests.cases.receipt import DATA, RECEIPT, real, replayed
from tests.cases.test_timekeeping import all_of
from tests.conftest import Kept
from tests.desk import walk
from zhengwu.cases import queries, replay
from zhengwu.ledger import services as ledger
from zhengwu.statistics import queries as statistics

__all__ = ["replayed"]
pytestmark = [real]
WHOLE = os.environ.get("ZHENGWU_TEST_PG", "18") == "18"
DRILL = os.environ.get("ZHENGWU_DRILL") == "1"
# The other version of the database is asked the same of the log's first cases.
CASES = 1434 if WHOLE else 150
PART: dict[str, replay.Report] = {}
Owner = psycopg.Connection[tuple[object, ...]]


def scalar(owner: Owner, text: str) -> object:
    row = owner.execute(text.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The receipt log, or its first cases."""
    if WHOLE:
        return RECEIPT
    with gzip.open(RECEIPT, "rt", encoding="utf-8") as file:
        traces = file.read().split("</trace>")
    part = tmp_path_factory.mktemp("log") / "receipt.xes"
    part.write_text("</trace>".join(traces[:CASES]) + "</trace></log>", encoding="utf-8")
    return part


@pytest.fixture
def first(db: None, kept: Kept, log: Path, request: pytest.FixtureRequest) -> replay.Report:
    """The town with the receipt log replayed; read once, put back for every test."""
    if WHOLE:
        found = request.getfixturevalue("replayed")
        assert isinstance(found, replay.Report)
        return found

    def build() -> None:
        small_city()
        people.items()
        PART["receipt"] = replay.run(log, "receipt")

    kept.again("receipt", build)
    return PART["receipt"]


def test_the_receipt_log_goes_in_whole_and_only_once(
    first: replay.Report, log: Path, owner: Owner
) -> None:
    assert (first.cases, first.opened) == (CASES, CASES)
    assert first.written["received"] == CASES
    assert first.written["received"] + first.written["step"] == first.events
    closed = first.written["closed"]
    if WHOLE:
        assert (first.events, closed) == (8577, 1329)
    assert first.rejects == []
    assert queries.foreign_counts("link:receipt") == {
        "cases": CASES, "closed": closed, "open": CASES - closed
    }  # fmt: skip
    before = scalar(owner, "SELECT count(*) FROM ledger_event WHERE source = 'link:receipt'")
    assert before == sum(first.written.values())

    second = replay.run(log, "receipt")
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
    # What the source says is due stands on the page as the source's own, counted by nobody here.
    claim = next(limit for limit in view.reading.limits if limit.kind == "claim")
    assert claim.name == "来源系统自报"
    assert [line.article for line in claim.lines] == [None] * len(claim.lines)
    supervisor = walk.sign_in("p-supervisor")
    for page in ("", "/why"):
        text = walk.text(supervisor.get(f"/desk/cases/{number}{page}"))
        assert "来源系统自报" in text, page
        assert "不由本系统推算" in text, page
    assert statistics.today(at=view.story[0].when).received >= 1


@pytest.mark.usefixtures("first")
def test_every_replayed_case_opens_for_a_supervisor_and_for_no_clerk(owner: Owner) -> None:
    supervisor, clerk = actor("p-supervisor"), actor("p-water-clerk")
    rows = owner.execute("SELECT number FROM cases_case ORDER BY number LIMIT 40").fetchall()
    for (number,) in rows:
        view = queries.case(supervisor, str(number), at=moment("11-23 09:00"))
        assert view.acts == ()
        with pytest.raises(queries.CaseNotFound):
            queries.case(clerk, str(number), at=moment("11-23 09:00"))


@pytest.mark.usefixtures("town")
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


@pytest.mark.usefixtures("town")
@pytest.mark.skipif(not DRILL, reason="a long drill: ZHENGWU_DRILL=1")
def test_the_larger_log_goes_in_with_its_nameless_event_reported() -> None:
    report = replay.run(DATA / "permit-logs" / "wabo1.xes.gz", "wabo1")
    assert (report.cases, report.events, report.opened) == (937, 38944, 937)
    assert report.written["received"] + report.written["step"] == 38943
    assert [reject.rule for reject in report.rejects] == ["replay.nameless"]


@pytest.mark.skipif(not WHOLE, reason="the whole of it")
@pytest.mark.usefixtures("replayed")
def test_its_time_adds_up_to_the_second() -> None:
    found = all_of(
        since=date(2000, 1, 1), until=date(2030, 1, 1), running=True, at=moment("11-20 09:00")
    )
    assert (found.closed, found.running) == (1329, 105)
    assert found.exact
    assert {one.zh for one in found.lines} == {"来源系统"}
    assert found.table.total.count == 0
