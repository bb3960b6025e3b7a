"""What the follower keeps is what the log says, counted a second time by code of its own."""

from __future__ import annotations

import gzip
import json
import os
import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings

from tests.accounts.city import small_city
from tests.cases import people
from tests.cases.people import moment
from tests.cases.test_reprojection import publish
from tests.conftest import Kept
from tests.domain.agreement import edition
from tests.domain.histories import SEEDS, History, history, smallest, words
from tests.drill import examples
from tests.statistics import stories
from zhengwu.cases import replay, simulate
from zhengwu.cases.simulation import year
from zhengwu.commands import main
from zhengwu.domain import daybyday, lifecycle, measuring
from zhengwu.domain.event import Event, Nature
from zhengwu.ledger import queries
from zhengwu.ledger import services as ledger
from zhengwu.statistics import recount, recounting
from zhengwu.statistics import services as statistics
from zhengwu.statistics.followers import FIGURES
from zhengwu.statistics.recount import Difference, Figures

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
LOGS = DATA / "permit-logs"
DRILL = os.environ.get("ZHENGWU_DRILL") == "1"
real = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")
long = pytest.mark.skipif(not DRILL, reason="a long drill: ZHENGWU_DRILL=1")
Owner = psycopg.Connection[tuple[object, ...]]


def found() -> list[str]:
    return [one.words() for one in recount.differences(Figures())]


def anew(limit: int) -> None:
    """Everything from the first entry on, in runs of so many."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in statistics.TABLES:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("UPDATE ledger_follower SET position = 0 WHERE name = %s", [FIGURES.name])
    while ledger.follow(FIGURES.name, limit=limit):
        pass


def tables() -> dict[str, list[Any]]:
    """All that is kept, with places in words."""
    kept = {}
    place = "(SELECT to_jsonb(p) - 'id' FROM statistics_place p WHERE p.id = t.place_id)"
    with connection.cursor() as cursor:
        for table in statistics.TABLES[:-1]:
            without, which = "'place_id'", "true"
            if table == "statistics_restatement":  # which entries of a day did it may differ
                without, which = "'{place_id,first,until}'::text[]", "delta <> 0"
            placeless = ("statistics_person", "statistics_workload")
            where = "" if table in placeless else f", {place}"
            cursor.execute(
                f"SELECT (to_jsonb(t) - {without})::text{where} FROM {table} t WHERE {which}"
            )
            kept[table] = sorted(map(str, cursor.fetchall()))
    return kept


@pytest.fixture
def told(db: None, kept: Kept) -> None:
    """Every way a case can go; each entry reached us when it was made."""

    def build() -> None:
        small_city()
        people.items()
        stories.every_way()
        stories.entered_when_made(kept)
        ledger.catch_up()

    kept.again("every way", build)


# --- alike ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("told")
def test_every_way_a_case_can_go_is_counted_alike_however_the_log_is_cut(owner: Owner) -> None:
    figures = Figures()
    assert [one.words() for one in recount.differences(figures)] == []
    assert (figures.position, figures.cases) == (figures.last, 17)
    assert figures.cells > 600
    whole = tables()
    assert all(whole.values()), {name: len(rows) for name, rows in whole.items()}
    for limit in (1, 7, 500):
        anew(limit)
        assert tables() == whole, limit
        assert found() == [], limit
    for parts in (1, 3):
        assert statistics.rebuild(parts=parts) == figures.last
        assert tables() == whole, parts
    # A wrong acceptance, withdrawn three days later, is gone from its day, and told to be.
    row = owner.execute(
        "SELECT sum(delta) FROM statistics_restatement WHERE what = 'accepted'"
        " AND start = '2026-09-14' AND noticed = '2026-09-17'"
    ).fetchone()
    assert row == (-1,)


@pytest.mark.usefixtures("told")
def test_while_the_follower_is_behind_it_is_held_to_what_it_has_read() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table in statistics.TABLES:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("UPDATE ledger_follower SET position = 0 WHERE name = %s", [FIGURES.name])
    for position in (60, 120, 180):
        ledger.follow(FIGURES.name, limit=60)
        figures = Figures()
        assert [one.words() for one in recount.differences(figures)] == []
        assert figures.position == position < figures.last
    assert 0 < figures.cases < 17


@pytest.mark.usefixtures("town")
def test_simulated_cases_are_counted_alike() -> None:
    simulate.run(12, seed=11, at=moment("11-20 10:00"))
    ledger.catch_up()
    assert found() == []


@pytest.mark.usefixtures("town")
def test_a_simulated_year_with_its_planted_faults_is_counted_alike() -> None:
    year.run(2026, cases=60, seed=3, at=moment("11-20 10:00"), faulty=0.5)
    ledger.catch_up()
    assert found() == []
    whole = tables()
    anew(500)
    assert tables() == whole
    statistics.rebuild(parts=2)
    assert tables() == whole


@pytest.mark.usefixtures("town")
def test_a_calendar_changed_afterwards_changes_no_figure_that_stood(kept: Kept) -> None:
    late = stories.taken("10-12")
    entered = {"procedure": "testing", "days": "5", "occurred": "2026-10-21T09:00"}
    late.do(stories.REVIEWER, "suspended", "10-23 10:00", entered)
    closed = stories.taken("10-12")
    stories.out(closed, "10-23 10:00", "10-26 09:00")
    stories.entered_when_made(kept)
    ledger.catch_up()
    stood = {
        "2026-10-21": {"late_entries": 1, "days": 0},
        "2026-10-26": {"late_entries": 0, "days": 9},
    }
    assert {day: sums("late_entries", "days", on=day) for day in stood} == stood
    publish(
        {
            "kind": "notice", "year": 2026, "amends": True, "source": "国办发明电〔2026〕99号",
            "days": [["2026-10-22", "纪念日", True]],
        }
    )  # fmt: skip
    ledger.catch_up()
    # Whatever the cases are gone through for again.
    closed.do(stories.APPROVER, "revoked", "12-18 10:00", {"reasons": "以欺骗手段取得"})
    late.do(stories.CLERK, "withdrawn", "12-18 10:00", {"reasons": "申请人调整了计划。"})
    stories.entered_when_made(kept)
    ledger.catch_up()
    for _ in range(2):
        assert {day: sums("late_entries", "days", on=day) for day in stood} == stood
        assert found() == []
        anew(500)


def sums(*measures: str, on: str | None = None) -> dict[str, int]:
    """What the days hold in all, or one of them."""
    columns = ", ".join(f"coalesce(sum({one}), 0)::bigint" for one in measures)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM statistics_day WHERE coalesce(start = %s::date, true)", [on]
        )
        return dict(zip(measures, cursor.fetchone(), strict=True))


# --- another system's cases ----------------------------------------------------------------------


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """The first 150 traces of the receipt log."""
    with gzip.open(LOGS / "receipt.xes.gz", "rt", encoding="utf-8") as file:
        traces = file.read().split("</trace>")
    path = tmp_path / "receipt.xes"
    path.write_text("</trace>".join(traces[:150]) + "</trace></log>", encoding="utf-8")
    return path


@real
@pytest.mark.usefixtures("town")
def test_a_real_log_is_counted_alike(part: Path) -> None:
    replay.run(part, "receipt")
    ledger.catch_up()
    figures = Figures()
    assert [one.words() for one in recount.differences(figures)] == []
    assert figures.cases == 150
    _, traces = part.read_text(encoding="utf-8").split("<trace>", 1)
    closed = traces.count('key="enddate"')
    assert sums("closed", "unjudged") == {"closed": closed, "unjudged": closed}


@real
@long
@pytest.mark.parametrize("name", ["receipt", "wabo1"])
@pytest.mark.usefixtures("town")
def test_the_whole_of_both_logs_is_counted_alike(name: str) -> None:
    replay.run(LOGS / f"{name}.xes.gz", name)
    ledger.catch_up()
    figures = Figures()
    assert [one.words() for one in recount.differences(figures)] == []
    assert figures.cases == {"receipt": 1434, "wabo1": 937}[name]


TRACE = '<log><trace><string key="concept:name" value="o-1"/>{}</trace></log>'
EVENT = (
    '<event><string key="concept:name" value="{}"/><string key="zw.outcome" value="{}"/>'
    '<date key="time:timestamp" value="2026-09-{}T08:00:00+08:00"/></event>'
)


@pytest.mark.usefixtures("town")
def test_an_outcome_told_after_the_decision_counts_with_the_decision(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    told = [
        ("收件", "", "01"),
        ("受理", "", "02"),
        ("准予许可", "", "03"),
        ("准予许可", "granted", "08"),
    ]
    path.write_text(TRACE.format("".join(EVENT.format(*one) for one in told)), encoding="utf-8")
    replay.run(path, "zhengwu")
    ledger.catch_up()
    assert sums("decided", "granted") == {"decided": 1, "granted": 1}
    assert found() == []


# --- not alike -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("told")
def test_whatever_is_falsified_is_found_and_named(owner: Owner) -> None:
    def said(table: str, *, measure: str) -> Difference:
        """The only difference there is."""
        (one,) = recount.differences(Figures())
        assert (one.table, one.measure) == (table, measure)
        return one

    owner.execute(
        "UPDATE statistics_fineday SET granted = granted + 2 WHERE granted > 0 AND start = '2026-09-17'"
    )
    one = said("statistics_fineday", measure="granted")
    assert (one.day, one.kept, one.recounted) == ("2026-09-17", "3", "1")
    assert "机关 420100-water" in one.place
    assert "事项 XK0036" in one.place
    owner.execute(
        "UPDATE statistics_fineday SET granted = granted - 2 WHERE granted > 0 AND start = '2026-09-17'"
    )

    owner.execute("DELETE FROM statistics_month WHERE start = '2026-11-01'")
    lost = list(recount.differences(Figures()))
    assert {(one.table, one.day, one.kept) for one in lost} == {
        ("statistics_month", "2026-11-01", "0")
    }
    anew(500)

    owner.execute("UPDATE statistics_person SET steps = 0 WHERE person = 'p-market-reviewer'")
    assert said("statistics_person", measure="steps").place == "p-market-reviewer（420100-market）"
    anew(500)

    owner.execute(
        "UPDATE statistics_workload SET finished = finished + 1 WHERE \"by\" = 'person'"
        " AND start = '2026-10-01' AND unit = 'p-water-clerk'"
    )
    one = said("statistics_workload", measure="finished")
    assert (one.day, one.place) == ("2026-10-01", "person 420100-water p-water-clerk")
    anew(500)

    owner.execute("UPDATE statistics_handing SET seconds = seconds + 1 WHERE start = '2026-11-09'")
    assert "420100-water → 420100-water" in said("statistics_handing", measure="seconds").place
    anew(500)

    owner.execute(
        "UPDATE statistics_spread SET days = 99 WHERE (start, place_id, days) ="
        " (SELECT start, place_id, days FROM statistics_spread WHERE count = 1 LIMIT 1)"
    )
    moved = list(recount.differences(Figures()))
    assert [(one.kept, one.recounted) for one in moved if "99 个工作日" in one.place] == [
        ("1", "0")
    ]
    assert len(moved) == 2


@pytest.mark.usefixtures("told")
def test_a_case_without_a_fact_and_a_fact_without_a_case_are_found(owner: Owner) -> None:
    row = owner.execute("SELECT number FROM cases_case ORDER BY number LIMIT 1").fetchone()
    assert row is not None
    number = row[0]
    case = "(SELECT id FROM cases_case WHERE number = %s)"
    owner.execute(
        f"UPDATE statistics_measured SET verdict = 'late' WHERE \"case\" = {case}", [number]
    )
    (one,) = recount.differences(Figures())
    assert (one.place, one.measure, one.kept) == (number, "verdict", "late")
    owner.execute(f'DELETE FROM statistics_measured WHERE "case" = {case}', [number])
    (one,) = recount.differences(Figures())
    assert (one.place, one.measure, one.kept, one.recounted) == (number, "case", "没有", "有")
    anew(500)
    columns = "version, place_id, received, last, marks, claim_due, closed, verdict, claim, due, days, closing"
    owner.execute(
        f'INSERT INTO statistics_measured ("case", {columns}) SELECT gen_random_uuid(), {columns}'
        f' FROM statistics_measured WHERE "case" = {case}',
        [number],
    )
    (one,) = recount.differences(Figures())
    assert (one.measure, one.kept, one.recounted) == ("case", "有", "没有")


@pytest.mark.usefixtures("told")
def test_a_figure_that_nothing_recounts_is_no_silent_pass(owner: Owner) -> None:
    assert set(measuring.CODES) == recounting.MEASURES
    assert set(measuring.PERSONAL) == recounting.PERSONAL
    owner.execute("ALTER TABLE statistics_day ADD COLUMN forgotten integer")
    try:
        with pytest.raises(RuntimeError, match="forgotten"):
            found()
    finally:
        owner.execute("ALTER TABLE statistics_day DROP COLUMN forgotten")


def test_the_day_by_day_count_knows_the_whole_table_of_acts() -> None:
    ours = {code: (set(frm.split()), to) for code, (frm, to) in daybyday.TABLE.items()}
    table = {
        one.code: ({str(state) for state in one.frm} or {"new"}, str(one.to or ""))
        for one in lifecycle.ACTS
    }
    assert ours == table


# --- how it is done ------------------------------------------------------------------------------


@pytest.mark.usefixtures("told")
def test_it_writes_nothing_and_asks_the_same_of_a_page_whatever_is_on_it() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert found() == []
    assert "REPEATABLE READ, READ ONLY" in asked[1]["sql"]
    assert len(asked) < 40
    with CaptureQueriesContext(connection) as again:
        assert found() == []
    assert len(again) <= len(asked)


@pytest.mark.usefixtures("told")
def test_counted_anew_beside_a_worker_everything_counts_once() -> None:
    before, done = tables(), threading.Event()

    def work() -> None:
        try:
            while not done.is_set():
                ledger.follow(FIGURES.name, limit=7)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(3):
            statistics.rebuild()
    finally:
        done.set()
        worker.join()
    assert tables() == before
    assert found() == []


@pytest.mark.usefixtures("told")
def test_whoever_counts_anew_last_counts_alone() -> None:
    before = tables()
    begun: list[tuple[int, int]] = []

    def again(done: int, total: int) -> None:
        if not begun:
            begun.append((done, total))
            statistics.rebuild()

    with pytest.raises(ledger.Superseded):
        statistics.rebuild(progress=again)
    assert begun == [(17, 17)]
    assert tables() == before


@pytest.mark.usefixtures("told")
def test_what_breaks_off_the_worker_counts_and_what_was_killed_is_told_and_counted_anew() -> None:
    before = tables()

    def breaks(done: int, total: int) -> None:
        raise OSError("no more room")

    with pytest.raises(OSError, match="no more room"):
        statistics.rebuild(progress=breaks)
    assert not any(tables().values())
    assert ledger.follow(FIGURES.name, limit=7) == 7
    ledger.catch_up()
    assert tables() == before
    # Killed: nobody is left who could give it back.
    ledger.begin_anew(FIGURES.name, empty=lambda: None, held=uuid4())
    assert ledger.follow(FIGURES.name) == 0
    assert queries.lag().held == {FIGURES.name}
    assert f"{FIGURES.name} 正在从头重做" in CliRunner().invoke(main, ["doctor"]).output
    statistics.rebuild(parts=2)
    assert tables() == before


@pytest.mark.usefixtures("told")
def test_the_command_proves_the_figures_tells_what_is_wrong_and_counts_them_anew(
    owner: Owner,
) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(main, ["statistics", *words])

    done = run("--recompute")
    assert done.exit_code == 0, done.output
    assert "统计表与复算全部相同。" in done.stdout
    owner.execute("UPDATE statistics_day SET received = received + 1 WHERE start = '2026-09-14'")
    done = run("--recompute")
    assert done.exit_code == 1
    assert "statistics_day 2026-09-14 机关 420100-" in done.stdout
    told = json.loads(run("--recompute", "--json").stdout)
    assert (told["equal"], told["differences"]) == (False, len(told["found"]))
    assert {one["measure"] for one in told["found"]} == {"received"}
    anew = json.loads(run("--rebuild", "--json").stdout)
    assert anew["position"] == told["position"]
    told = json.loads(run("--recompute", "--json").stdout)
    assert (told["equal"], told["cases"], told["found"]) == (True, 17, [])
    assert run("--recompute", "--rebuild").exit_code == 2


# --- any history ---------------------------------------------------------------------------------

AGENCIES = ("420100-water", "420100-market")


def dressed(seed: int) -> History:
    """A random history with people at their desks: handed on, taken, entered late."""
    drawn = history(seed)
    rng = random.Random(seed)
    stands_still = any(one.kind == "suspended" for one in drawn.events)
    return replace(drawn, events=tuple(_dressed(one, rng, stands_still) for one in drawn.events))


def _dressed(one: Event, rng: random.Random, stands_still: bool) -> Event:
    kind, body, agency = one.kind, dict(one.body), rng.choice(AGENCIES)
    if one.nature == Nature.ACT and not stands_still:
        if kind == "scanned" and rng.random() < 0.7:
            kind = "handed_over"
        handing = ("accepted", "deemed_accepted", "step_done", "step_returned", "refused")
        if kind == "handed_over" or (kind in handing and rng.random() < 0.5):
            to = {"kind": rng.choice(("window", "department")), "agency": rng.choice(AGENCIES)}
            body["to"] = to | ({"post": rng.choice("ab")} if rng.random() < 0.3 else {})
    later = timedelta(hours=rng.choice((0, 0, 0, 1, 30, 80, 200)))
    return replace(
        one, kind=kind, body=body, agency=agency, post=agency + rng.choice("ab"),
        recorded=one.occurred + later,
    )  # fmt: skip


def apart(found: History) -> str | None:
    """Where the two count one case differently."""
    world = found.worlds[0]
    known = edition(world)
    if found.events[0].kind != "received":
        return None  # every case of ours begins with its receipt
    one = recounting.counted(found.events, lambda _: world)
    other = measuring.measured(found.events, known=lambda _: known)
    kept = Counter({key: value for key, value in other.counts().items() if value})
    kept -= Counter({key: value for key, value in kept.items() if key[1] in ("steps", "delivered")})
    if one.figures() != kept:
        return f"figures: {kept - one.figures()}, recounted {one.figures() - kept}"
    if one.people() != other.personal():
        return f"people: {other.personal()}, recounted {one.people()}"
    if one.ended and other.closing:
        if one.ended.due != other.closing.due:
            return f"due: {other.closing.due}, recounted {one.ended.due}"
        if list(map(tuple, one.ended.ways)) != list(map(tuple, other.closing.ways)):
            return f"ways: {other.closing.ways}, recounted {one.ended.ways}"
    return None


@settings(max_examples=examples(60, 1000))
@given(seed=SEEDS)
def test_any_history_is_counted_alike(seed: int) -> None:
    drawn = dressed(seed)
    if apart(drawn) is None:
        return
    less = smallest(drawn, lambda one: apart(one) is not None)
    pytest.fail(f"{words(less)}\n{apart(less)}", pytrace=False)
