"""The real process of cases: what followed what, beside the published flow; out as XES and in again."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cases import people
from tests.cases.people import INTAKE, MARKET, WATER, actor, moment
from zhengwu.cases import process, process_export, replay, xes
from zhengwu.cases.process import Row, Selection
from zhengwu.domain.event import Event
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
RECEIPT = DATA / "permit-logs" / "receipt.xes.gz"
DRILL = os.environ.get("ZHENGWU_DRILL") == "1"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")
AT = moment("11-20 09:00")
CITY = process.EVERYTHING
WATER_CASES = Selection(item=INTAKE)
Activity = tuple[str, datetime, str | None]

pytestmark = pytest.mark.usefixtures("town")


def straight() -> people.Told:
    """A case that went as is published, up to the decision."""
    case = people.received("10-08 09:00")
    clerk, reviewer, approver = "p-water-clerk", "p-water-reviewer", "p-water-approver"
    case.do(clerk, "accepted", "10-08 09:30")
    case.do(reviewer, "step_taken", "10-08 10:00")
    case.do(reviewer, "step_done", "10-09 10:00", {"opinion": "合格", "advice": "grant"})
    case.do(approver, "step_taken", "10-09 14:00")
    case.do(approver, "granted", "10-10 10:00")
    return case


def written(folder: Path, selection: Selection, *, people: bool = True) -> Path:
    path = folder / f"{selection.source.replace(':', '-') or 'all'}.xes"
    with path.open("wb") as file:
        for piece in process_export.stream(CITY, selection, people=people, at=AT):
            file.write(piece)
    return path


def log(path: Path) -> dict[str, list[Activity]]:
    """Cases of a file by name: activity, instant and resource of each event, by instant."""
    found: dict[str, list[Activity]] = {}
    for trace in xes.logged(path):
        events: list[Activity] = []
        for event in map(xes.plain, trace.events):
            when, who = event["time:timestamp"], event.get("org:resource")
            assert isinstance(when, datetime)
            events.append((str(event["concept:name"]), when, str(who) if who else None))
        found[str(xes.plain(trace.attributes)["concept:name"])] = sorted(events, key=lambda e: e[1])
    return found


def follows(cases: Iterable[list[Activity]]) -> Counter[tuple[str, str]]:
    return Counter((a[0], b[0]) for case in cases for a, b in pairwise(case))


# --- the picture ----------------------------------------------------------------------------------


def test_the_real_way_stands_beside_the_published_flow() -> None:
    people.golden()
    straight()
    found = process.discover(CITY, WATER_CASES, at=AT)
    assert (found.cases, found.matched, found.whole) == (2, 2, True)
    edges = {(one.source, one.target): one for one in found.picture.edges}
    taken = edges["受理", "接办·审查"]
    assert (taken.count, taken.departing) == (2, 0)
    # 220 and 30 minutes, in and out of office hours: the golden one took it after the noon break.
    assert taken.lengths.median == timedelta(minutes=125)
    # The golden story's approver decided while the review was still under way.
    assert edges["恢复计时", "准予许可"].departing == 1
    assert edges["接办·决定", "准予许可"].departing == 0
    (skipped,) = found.picture.departures
    assert (skipped.kind, skipped.zh, skipped.cases) == ("skipped", "“审查”没有办结就作出决定", 1)
    review, decide = found.steps
    assert (review.cases, review.done, review.skipped) == (2, 1, 1)
    assert review.lengths.office_median == timedelta(hours=8)
    assert (decide.cases, decide.done, decide.lengths.median) == (1, 1, timedelta(hours=20))
    assert [one.share for one in found.picture.variants] == [0.5, 0.5]


def test_every_number_leads_to_its_cases() -> None:
    golden, other = people.golden(), straight()
    picture = process.discover(CITY, WATER_CASES, at=AT).picture
    for variant in picture.variants:
        (case,) = rows(variant.key)
        assert case.number in (golden.number, other.number)
        assert case.length == variant.lengths.median
    for edge in picture.edges:
        assert len(rows(edge.key)) == edge.count
    (skipped,) = picture.departures
    assert [one.number for one in rows(skipped.key)] == [golden.number]
    assert process.listed(CITY, WATER_CASES, "0" * 16) is None


def rows(key: str) -> tuple[process.Told, ...]:
    found = process.listed(CITY, WATER_CASES, key)
    assert found is not None
    return found.rows


def test_an_entry_that_was_withdrawn_did_not_happen() -> None:
    case = people.received()
    case.do("p-water-clerk", "accepted", "09-14 10:00")
    case.do("p-water-reviewer", "step_taken", "09-14 11:00")
    (row,) = process.every(CITY, Selection())
    took_back = Event(
        version=4, kind="entry_withdrawn", occurred=AT, recorded=AT, received=AT,
        body={"version": 3, "entry": "step_taken"},
    )  # fmt: skip
    before, after = process.way(row), process.way(_with(row, took_back))
    assert [one.activity for one in before.happened] == ["收件", "受理", "接办·审查"]
    assert [one.activity for one in after.happened] == ["收件", "受理"]


def _with(row: Row, event: Event) -> Row:
    given = {name: getattr(row, name) for name in Row.__dataclass_fields__}
    return Row(**given | {"events": (*row.events, event)})


def test_everybody_sees_as_far_as_the_time_table_goes() -> None:
    people.golden()
    straight()
    seen = {
        who: process.discover(process.reach_of(actor(who)), Selection(), at=AT).cases
        for who in ("p-supervisor", "p-water-head", "p-market-head", "p-water-clerk")
    }
    assert seen == {
        "p-supervisor": 2, "p-water-head": 2, "p-market-head": 0, "p-water-clerk": 0
    }  # fmt: skip


def test_cases_are_asked_for_by_item_organ_period_outcome_and_source() -> None:
    people.golden()
    other = straight()
    pending = people.received("11-02 09:00")
    for selection, count in (
        (Selection(), 3),
        (Selection(agency=WATER), 3),
        (Selection(agency=MARKET), 0),
        (Selection(outcome="granted"), 2),
        (Selection(outcome="refused"), 0),
        (Selection(outcome="open"), 1),
        (Selection(since=moment("10-01 00:00")), 2),
        (Selection(since=moment("10-01 00:00"), until=moment("11-01 00:00")), 1),
        (Selection(source="desk"), 3),
        (Selection(source="link:nowhere"), 0),
    ):
        assert process.discover(CITY, selection, at=AT).matched == count, selection
        assert process.discover_all(selection, at=AT).cases == count, selection
    assert {other.number, pending.number} <= {
        row.number for row in process.every(CITY, Selection(since=moment("10-01 00:00")))
    }


@pytest.mark.parametrize(
    ("selection", "code", "field"),
    [
        (Selection(since=AT, until=AT), "process.reversed", "until"),
        (Selection(outcome="maybe"), "process.outcome", "outcome"),
        (Selection(item="XK9999"), "process.item", "item"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_field(
    selection: Selection, code: str, field: str
) -> None:
    for ask in (
        lambda: process.discover(CITY, selection, at=AT),
        lambda: process_export.stream(CITY, selection, people=False, at=AT),
    ):
        with pytest.raises(Refusal) as refused:
            ask()
        assert (refused.value.code, refused.value.field) == (code, field)


def test_a_page_takes_the_newest_and_says_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SAMPLE", 2)
    monkeypatch.setattr(process, "LOOKED", 3)
    days = ("11-02", "11-03", "11-04", "11-05")
    cases = [people.received(f"{day} 09:00") for day in days]
    found = process.discover(CITY, Selection(), at=AT)
    assert (found.cases, found.matched, found.more, found.whole) == (2, 3, True, False)
    assert found.picture.first == moment("11-04 09:00")
    monkeypatch.setattr(process, "EVENTS", 1)
    assert process.discover(CITY, Selection(), at=AT).cases == 1
    assert process.discover_all(Selection(), at=AT).cases == len(cases)


# --- out as XES, and in again ---------------------------------------------------------------------


def test_a_log_goes_to_another_city_and_comes_back_equal(tmp_path: Path) -> None:
    people.golden()
    straight()
    out = written(tmp_path, Selection())
    report = replay.run(out, "zhengwu")
    ledger.catch_up()
    assert (report.cases, report.opened, report.rejects) == (2, 2, [])
    back = written(tmp_path, Selection(source="link:zhengwu"))
    assert log(back) == log(out)
    assert sum(len(events) for events in log(out).values()) == 19
    # The other city knows what was decided, and the same departments.
    assert {row.outcome for row in process.every(CITY, Selection(source="link:zhengwu"))} == {
        "granted"
    }
    groups = [
        [xes.plain(event)["org:group"] for event in trace.events]
        for path in (out, back) for trace in xes.logged(path)
    ]  # fmt: skip
    assert sorted(groups[:2]) == sorted(groups[2:])
    assert replay.run(out, "zhengwu").written == {}


def test_nothing_of_applicants_and_nothing_that_people_wrote_leaves(tmp_path: Path) -> None:
    case = people.golden()
    text = written(tmp_path, Selection()).read_text(encoding="utf-8")
    for secret in (people.COMPANY.name, people.COMPANY.identifier, "何晓岚", case.query_code):
        assert secret not in text
    assert "p-water-reviewer" in text
    masked = written(tmp_path, Selection(), people=False).read_text(encoding="utf-8")
    assert "p-water-" not in masked
    assert "420100-water" in masked


@pytest.fixture
def receipts(tmp_path: Path) -> Path:
    """The receipt log; its first cases, where nobody asked for the long drill."""
    if DRILL:
        return RECEIPT
    with gzip.open(RECEIPT, "rt", encoding="utf-8") as file:
        cases = file.read().split("</trace>")
    part = tmp_path / "receipt.xes"
    part.write_text("</trace>".join(cases[:120]) + "</trace></log>", encoding="utf-8")
    return part


@needs_data
def test_the_receipt_log_comes_out_as_it_went_in(receipts: Path, tmp_path: Path) -> None:
    """Cases, activities, resources, instants and what followed what, counted in the file itself."""
    replay.run(receipts, "receipt")
    selection = Selection(source="link:receipt")
    given, found = log(receipts), process.discover_all(selection, at=AT)
    picture = found.picture
    assert (picture.cases, picture.events) == (len(given), sum(map(len, given.values())))
    if DRILL:
        assert (picture.cases, picture.events) == (1434, 8577)
    assert {one.activity: one.count for one in picture.nodes} == Counter(
        event[0] for events in given.values() for event in events
    )
    assert {(one.source, one.target): one.count for one in picture.edges} == follows(given.values())
    assert len(picture.variants) == len({tuple(e[0] for e in events) for events in given.values()})
    out = written(tmp_path, selection)
    assert log(out) == given
    # And once more, through another city.
    assert replay.run(out, "zhengwu").rejects == []
    assert log(written(tmp_path, Selection(source="link:zhengwu"))) == given
