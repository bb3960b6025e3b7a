"""A simulated year in a city's log: it verifies, reads like any other, and says what it is."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.test import override_settings

from tests.cases.people import actor, moment
from tests.cases.test_events import private, strange
from tests.conftest import Kept
from zhengwu.cases import alarms, grounds, loading, papers, queries, simulate, tracking, writing
from zhengwu.cases.acts.window import answer_by
from zhengwu.cases.events import ALARMS, ATTEMPTS, STREAM
from zhengwu.cases.simulation import counting, filing, planning, rows, scene, year
from zhengwu.cases.simulation.planning import Order, Plan
from zhengwu.config import backup, restore
from zhengwu.documents import wording
from zhengwu.documents.kinds import Kind
from zhengwu.documents.services import Prepared
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.ledger.events import Entry

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 9, 18, 12, tzinfo=SHANGHAI)  # the year is under way
CASES, SEED = 260, 7
DRILL = os.environ.get("ZHENGWU_DRILL") == "1"
TRUTH: dict[str, str] = {}
RESULT: dict[str, year.Result] = {}
Owner = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def played(town: None, kept: Kept, tmp_path: Path) -> year.Result:
    """The town with some cases of its own, and most of a year simulated; kept."""
    from tests.accounts.city import small_city
    from tests.cases import people

    def build() -> None:
        small_city()
        people.items()
        simulate.run(6, seed=1, at=moment("09-17 16:00"))
        RESULT["played"] = play(tmp_path / "truth.jsonl")
        TRUTH["played"] = (tmp_path / "truth.jsonl").read_text(encoding="utf-8")

    kept.clean()
    kept.again("simulated year", build)
    return RESULT["played"]


def play(truth: Path | None = None, *, of: int = 2026, **more: Any) -> year.Result:
    return year.run(of, cases=CASES, seed=SEED, at=AT, truth=truth, apart=False, faulty=0.4, **more)


def numbers(owner: Owner) -> list[str]:
    found = owner.execute("SELECT number FROM cases_case WHERE opened < '2026-09-18' ORDER BY id")
    return [str(number) for (number,) in found]


def test_the_log_verifies(played: year.Result, owner: Owner) -> None:
    ledger.catch_up()
    manifest = {
        "rows": backup.rows(owner),
        "migrations": backup.migrations(owner),
        "position": ledger_queries.lag().last,
        "events": played.events,
    }
    report = restore.Report(Path("-"))
    restore.verify(owner, manifest, {}, report)
    assert report.faults == []
    assert report.counts["leaves"] == report.counts["events"] > played.events > 1500
    assert report.counts["contents"] > CASES


def test_it_stands_in_the_order_in_which_it_was_received(played: year.Result) -> None:
    found = [
        one for one in ledger_queries.positions(limit=100_000)
        if one.source in ("simulate", "clock") or one.source.startswith("link:sim-")
    ]  # fmt: skip
    times = [one.received for one in found]
    assert times == sorted(times)
    assert len(found) == played.events
    assert {one.stream for one in found} == {STREAM, ALARMS, ATTEMPTS}
    assert max(times) <= AT
    for one in found:
        if one.source.startswith("link:sim-"):
            assert one.nature == Nature.OBSERVATION
            assert one.occurred <= one.recorded < one.received
        elif one.stream == STREAM:
            assert one.recorded == one.received


def test_bodies_hold_what_the_acts_write_and_no_more(played: year.Result) -> None:
    ours = [
        one for one in ledger_queries.positions(limit=100_000)
        if one.stream == STREAM and one.nature == Nature.ACT
    ]  # fmt: skip
    assert strange(ours) == set()
    assert private(ours) == set()
    lawful = [one for one in ours if one.source == "desk"]
    fields: dict[str, set[str]] = {}
    for one in ours:
        if one.source != "desk":
            fields.setdefault(one.kind, set()).update(one.body)
    for one in lawful:
        rare = {"advice", "checks", "files", "why", "reasons", "limit"}
        assert set(one.body) - rare <= fields[one.kind], one.kind


def test_heads_are_what_the_events_say(played: year.Result, owner: Owner) -> None:
    names = (
        "state", "suspended", "step", "holder_kind", "holder_agency", "holder_post", "holder_actor",
        "outcome", "accepted", "decided", "closed", "archived", "due", "warn", "provisional",
    )  # fmt: skip
    seen = set()
    for number in numbers(owner):
        loaded = loading.load_bare(number)
        last = max(one.occurred for one in loaded.events)
        derived = writing.head(loaded.events, region=loaded.region, hall=loaded.hall, at=last)
        columns = ", ".join(names)
        row = owner.execute(
            f"SELECT version, {columns} FROM cases_case WHERE id = %s".encode(),
            [loaded.id],
        ).fetchone()
        assert row is not None
        assert row[0] == len(loaded.events) == loaded.events[-1].version
        assert dict(zip(names, row[1:], strict=True)) == {name: derived[name] for name in names}
        seen.add(str(derived["state"]))
    assert {"archived", "handling", "decided"} <= seen


def test_the_sweep_finds_nothing_that_was_not_raised(played: year.Result, owner: Owner) -> None:
    before = owner.execute("SELECT count(*) FROM cases_alarm").fetchone()
    while alarms.sweep(AT):
        pass
    after = owner.execute(
        'SELECT count(*) FROM cases_alarm a JOIN cases_case c ON c.id = a."case"'
        " WHERE c.closed IS NOT NULL AND c.source = 'simulate'"
        " AND a.id NOT IN (SELECT stream_id FROM ledger_event WHERE stream = 'alarm'"
        " AND received <= '2026-09-18')"
    ).fetchone()
    assert before is not None
    assert after == (0,)


def test_papers_are_those_that_the_acts_would_have_issued(
    played: year.Result, owner: Owner
) -> None:
    compared: Counter[tuple[str, str | None]] = Counter()
    found = owner.execute("SELECT number, query_code FROM cases_case").fetchall()
    codes = {str(number): str(code) for number, code in found}
    for number in numbers(owner):
        loaded = loading.load_bare(number)
        for event in loaded.events if loaded.source == "simulate" else ():
            if not DRILL and compared[event.kind, loaded.item] >= 2:  # of each paper of each item
                continue
            # As the act prints it, before it is itself an entry of the story.
            before = [one for one in loaded.events if one.version < event.version]
            then = replace(
                loaded, events=before or [event], applicant_later=True, query_code=codes[number]
            )
            real = _as_printed(then, event)
            if real is None:
                continue
            paper = event.body["document"]
            kept = ledger_queries.content(paper["data"]["content"])
            assert kept is not None
            assert kept.data == json.loads(json.dumps(real.content.data)), (number, event.kind)
            assert paper["number"].startswith(real.number.prefix)
            assert (paper["kind"], paper["template"]) == (real.kind, real.template)
            compared[event.kind, loaded.item] += 1
    assert {kind for kind, _ in compared} == {"received", "accepted", "granted", "refused"}
    assert len(compared) > 30


def _as_printed(then: loading.Loaded, event: Event) -> Prepared | None:
    """What the act itself prints; None of acts that are not compared."""
    clerk = actor(event.actor).name if event.actor else ""
    at, of = event.occurred, papers.facts(then, clerk=clerk)
    match event.kind:
        case "received":
            materials = [{"name": one.name, "state": one.state} for one in then.materials()]
            until = answer_by(then.edition(), at)
            return papers.receipt(of, at=at, materials=materials, answer_by=until)
        case "accepted":
            return papers.acceptance_notice(then, at=at, since=at, clerk=clerk)
        case "granted" | "refused":
            said = ""
            if "reasons" in event.body:
                kept = ledger_queries.content(event.body["reasons"]["content"])
                assert kept is not None
                item = then.item_row()
                said = grounds.printed(event.body["grounds"], item, kept.data["text"])
            data = wording.decision(of, issued=at, outcome=event.kind, reasons=said)
            return papers.issue(Kind.DECISION, of, at=at, data=data)
    return None


def test_pages_and_lists_read_such_a_case_like_any_other(played: year.Result, owner: Owner) -> None:
    ledger.catch_up()
    row = owner.execute(
        "SELECT number, query_code FROM cases_case WHERE agency = '420100-water'"
        " AND source = 'simulate' AND closed IS NULL ORDER BY opened DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    number, code = str(row[0]), str(row[1])
    loaded = loading.load(actor("p-water-clerk"), number)
    assert loaded.applicant().name
    assert loaded.read(AT).limits
    assert tracking.track(number, code, at=AT)
    assert queries.inbox(actor("p-water-clerk"), at=AT).total > 0
    published = owner.execute(
        "SELECT count(*) FROM cases_publication p JOIN cases_case c ON c.id = p.case_id"
        " WHERE c.source = 'simulate'"
    ).fetchone()
    assert published is not None
    assert int(str(published[0])) > CASES // 4


def test_the_truth_names_every_fault_and_where_it_is_to_be_seen(
    played: year.Result, owner: Owner
) -> None:
    lines = [json.loads(line) for line in TRUTH["played"].splitlines()]
    assert len(lines) == played.planted > CASES // 5
    of_cases = [one for one in lines if one["case"]]
    assert {one["kind"] for one in lines} - {one["kind"] for one in of_cases} <= {"exchange_gap"}
    told = {which: many for (what, which), many in played.told.items() if what == "planted"}
    assert sum(told.values()) == len(of_cases)
    for one in of_cases:
        row = owner.execute(
            "SELECT version, agency, source, foreign_id FROM cases_case WHERE number = %s",
            [one["case"]],
        ).fetchone()
        assert row is not None, one
        assert row[1:] == (one["agency"], one["source"], one["foreign"])
        assert all(1 <= version <= int(str(row[0])) for version in one["versions"])
        assert date.fromisoformat(one["day"]) <= AT.date()


def test_a_broken_off_year_is_gone_on_with_and_comes_out_the_same(town: None, owner: Owner) -> None:
    assert AT.date() >= date(2026, *year.OVER)

    def leaves() -> list[tuple[object, ...]]:
        return owner.execute(
            "SELECT p.leaf FROM ledger_position p JOIN ledger_event e ON e.id = p.event"
            " WHERE e.source <> 'catalog' ORDER BY p.position"
        ).fetchall()

    ledger.catch_up()
    before = len(leaves())
    order = Order(CASES, SEED, AT, faulty=0.4)
    plan = Plan(scene.read(2025, on=AT.date()), order, size=300)
    filer = filing.Filer()
    batches = plan.batches()
    for _ in range(3):
        filer.file(filing.packed(next(batches)))
    with pytest.raises(Refusal, match="已经模拟过"):
        play(of=2025)
    with pytest.raises(Refusal, match="别的种子"):
        year.run(2025, cases=CASES, seed=SEED + 1, at=AT, apart=False, resume=True)
    result = play(of=2025, resume=True, size=300)
    assert result.skipped >= 900
    assert result.events > 900
    assert play(of=2025, resume=True, size=300).events == 0
    wanted = [
        leaf for batch in Plan(scene.read(2025, on=AT.date()), order).batches()
        for _, leaf in rows.logged(batch.entries)[1]
    ]  # fmt: skip
    assert [bytes(leaf) for (leaf,) in leaves()[before:]] == wanted  # type: ignore[call-overload]


def test_whoever_works_on_meanwhile_keeps_the_order(town: None) -> None:
    plan = Plan(scene.read(2026, on=AT.date()), Order(60, 1, AT), size=100)
    filer = filing.Filer()
    for batch in plan.batches():
        filer.file(filing.packed(batch))
        simulate.run(1, seed=batch.opened, at=AT + timedelta(days=1))
    ledger.catch_up()
    assert ledger_queries.lag().unsequenced == 0
    found = ledger_queries.positions(limit=100_000)
    assert [one.position for one in found] == list(range(1, len(found) + 1))
    assert ledger.sequence() == 0


def test_a_planner_in_a_process_of_its_own_plans_the_same(town: None, owner: Owner) -> None:
    result = year.run(2026, cases=40, seed=3, at=AT)
    stage = scene.read(2026, on=AT.date())
    wanted = sum(len(one.entries) for one in planning.Plan(stage, Order(40, 3, AT)).batches())
    assert result.events == wanted > 0


def test_it_goes_into_a_demo_and_nowhere_else(town: None, owner: Owner) -> None:
    with override_settings(DEMO=False), pytest.raises(Refusal) as no:
        year.run(2026, cases=10, seed=1, at=AT, apart=False)
    assert no.value.code == "simulate.not_a_demo"
    owner.execute("UPDATE accounts_region SET name = '某市' WHERE code = '420100'")
    with pytest.raises(Refusal) as other:
        year.run(2026, cases=10, seed=1, at=AT, apart=False)
    assert other.value.code == "simulate.not_the_demo_city"
    owner.execute("UPDATE accounts_region SET name = '江城市' WHERE code = '420100'")
    with pytest.raises(Refusal) as cut:
        year.run(2026, cases=10, seed=1, at=AT, apart=False, resume=True)
    assert cut.value.code == "simulate.not_over"
    with pytest.raises(Refusal) as early:
        year.run(2027, cases=10, seed=1, at=AT, apart=False)
    assert early.value.code == "simulate.not_yet"


def test_every_follower_is_run_to_the_end_beside_the_others(town: None, owner: Owner) -> None:
    played = year.run(2026, cases=40, seed=3, at=AT, apart=False)
    told: list[Mapping[str, int]] = []
    went = counting.count(run=100, progress=told.append)
    lag = ledger_queries.lag()
    assert lag.last >= played.events
    assert lag.followers == dict.fromkeys(lag.followers, 0)
    assert set(lag.followers) >= {one.name for one in ledger.followers()}
    assert sum(told[-1].values()) == went >= played.events
    closed = owner.execute(
        "SELECT (SELECT count(*) FROM cases_case WHERE closed IS NOT NULL),"
        " (SELECT sum(closed) FROM statistics_day)"
    ).fetchone()
    assert closed is not None
    assert closed[0] == closed[1]
    assert closed[0] != 0


def test_a_follower_that_fails_ends_the_counting_with_its_name(town: None, owner: Owner) -> None:
    year.run(2026, cases=10, seed=3, at=AT, apart=False)

    def fails(entries: Sequence[Entry]) -> None:
        raise ArithmeticError("it cannot count")

    ledger.register_follower(ledger.Follower("tests.failing", None, fails))
    try:
        with pytest.raises(RuntimeError, match=r"tests\.failing ended with 1"):
            counting.count()
    finally:
        ledger.unregister_follower("tests.failing")


def test_a_planner_that_dies_ends_the_run_and_leaves_nothing_half_done(
    town: None, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Plan.batches

    def dies(plan: Plan) -> Iterator[rows.Batch]:
        for nth, batch in enumerate(batches(plan)):
            if nth == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

    monkeypatch.setattr(Plan, "batches", dies)
    with pytest.raises(RuntimeError, match="before its time"):
        year.run(2026, cases=60, seed=3, at=AT, size=50)

    def fails(plan: Plan) -> Iterator[rows.Batch]:
        raise ArithmeticError("it cannot plan")
        yield

    monkeypatch.setattr(Plan, "batches", fails)
    with pytest.raises(RuntimeError, match="ArithmeticError: it cannot plan"):
        year.run(2025, cases=60, seed=3, at=AT, size=50)
    half = owner.execute(
        "SELECT count(*) FILTER (WHERE p.event IS NULL) FROM ledger_event e"
        " LEFT JOIN ledger_position p ON p.event = e.id WHERE e.source = 'simulate'"
    ).fetchone()
    assert half == (0,)
