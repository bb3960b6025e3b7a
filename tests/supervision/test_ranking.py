"""Ranking and score sheets over a simulated year: what is added up is what the findings say."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cases.people import MARKET, WATER, actor
from tests.cases.test_simulation_year import AT
from tests.cases.test_simulation_year import played as played
from tests.conftest import Kept
from tests.supervision import acting
from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Reach
from zhengwu.catalog import promises
from zhengwu.catalog import queries as catalog
from zhengwu.domain import scoring
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import SCORED, Rulebook
from zhengwu.ledger import services as ledger
from zhengwu.statistics import queries as statistics
from zhengwu.statistics.queries import EVERYWHERE, Question
from zhengwu.supervision import ranking, report, services, tally
from zhengwu.supervision.models import Finding, Tally

TODAY = AT.date()
YEAR, MONTH = "2026", "2026-06"


@pytest.fixture
def year(request: pytest.FixtureRequest, town: None, kept: Kept) -> None:
    """The played year, and all followers at its end."""

    def build() -> None:
        request.getfixturevalue("played")
        ledger.catch_up()

    kept.again("a year to rank", build)


def ranked(by: str, text: str = YEAR, *, reach: Reach = EVERYWHERE, **more: Any) -> ranking.Ranking:
    return ranking.ranking(reach, by, ranking.span(text, today=TODAY), **more)


def rows(found: ranking.Ranking) -> tuple[ranking.Row, ...]:
    return (*found.rows, *found.small)


def cards(
    by: str, since: str = "2026-01-01", until: str = "2026-10-01"
) -> Counter[tuple[Any, ...]]:
    """(unit, part, level) of the cards that count, from the findings themselves."""
    columns = ranking.BY[by].columns
    counted: Counter[tuple[Any, ...]] = Counter()
    found = Finding.objects.filter(
        counts=True, level__in=("yellow", "red"), at__gte=f"{since}T00:00+08:00",
        at__lt=f"{until}T00:00+08:00",
    ).exclude(scored="")  # fmt: skip
    for one in found:
        key = tuple(getattr(one, column) for column in columns)
        if all(key):
            counted[key, one.scored, one.level] += 1
    return counted


@pytest.mark.usefixtures("year")
@pytest.mark.parametrize("by", ["agency", "district", "window", "person"])
def test_a_ranking_counts_every_card_once_and_a_sheet_names_it(by: str) -> None:
    told: Counter[tuple[Any, ...]] = Counter()
    for row in rows(ranked(by)):
        for sheet in row.sheets.values():
            for part in sheet.parts:
                for line in part.lines:
                    if line.cause in ("yellow", "red"):
                        told[row.key, part.code, line.cause] += line.times
    assert told == cards(by)
    assert sum(told.values()) > 20


@pytest.mark.usefixtures("year")
@pytest.mark.parametrize("by", ["agency", "district", "window", "person"])
def test_the_sheet_read_from_the_findings_is_the_one_added_up_for_the_ranking(by: str) -> None:
    compared = 0
    for row in rows(ranked(by)):
        history = ranking.history(EVERYWHERE, by, row.key, list(row.sheets))
        assert history == dict(row.sheets)
        for month, sheet in row.sheets.items():
            found = ranking.scored(EVERYWHERE, by, row.key, month)
            assert found is not None
            assert found.sheet == sheet
            compared += 1
            for (part, cause), seen in found.listed.items():
                of = next(one for one in sheet.parts if one.code == part)
                line = next(one for one in of.lines if one.cause == cause)
                assert len(seen) == line.times * (found.table.run.size if cause == "run" else 1)
        if compared > 60:
            break
    assert compared > 8


@pytest.mark.usefixtures("year")
def test_whoever_is_better_stands_higher_and_few_cases_are_told_apart() -> None:
    found = ranked("agency")
    assert len(found.rows) >= 2
    scores = [one.score for one in found.rows]
    assert scores == sorted(scores, reverse=True)
    for nth, one in enumerate(found.rows):
        assert one.rank == 1 + sum(1 for other in scores if ranking._shown(other) > ranking._shown(one.score))  # fmt: skip
        assert one.finished >= found.least
        assert one.score == scoring.mean([sheet.score for sheet in one.sheets.values()])
        assert nth < len(found.rows)
    assert all(one.rank is None and one.finished < found.least for one in found.small)
    assert set(found.unsourced) == {"fees", "satisfaction", "attitude", "liability", "integrity"}
    for row in found.rows:
        for sheet in row.sheets.values():
            unsourced = [one for one in sheet.parts if one.code in found.unsourced]
            assert all(one.points == one.weight and not one.sourced for one in unsourced)


@pytest.mark.usefixtures("year")
@pytest.mark.parametrize("by", ["agency", "district", "window"])
def test_the_figures_are_those_of_statistics(by: str) -> None:
    span = ranking.span(MONTH, today=TODAY)
    told = statistics.figures(EVERYWHERE, Question(period=span.period, by=by), at=AT)
    closed = {row.key: row for row in told if row["closed"] and all(row.key)}
    assert closed
    found = {row.key: row for row in rows(ranked(by, MONTH))}
    assert closed.keys() <= found.keys()
    for key, row in closed.items():
        assert found[key].finished == row["closed"]
        sheet = found[key].sheets[span.period.since]
        judged = row["on_time"] + row["late"]
        early = row["early"] * 100 // judged if judged else 0
        bonus = next((one for one in sheet.bonuses if one.cause == "early"), None)
        assert (bonus.points if bonus else 0) == early // 10


@pytest.mark.usefixtures("year")
def test_people_have_done_what_statistics_say_of_them() -> None:
    period = ranking.span(YEAR, today=TODAY).period
    acts = {"received", "accepted", "not_accepted", "steps", "granted", "refused", "delivered"}
    told = {
        (one.agency, one.person): sum(many for code, many in one.counts.items() if code in acts)
        for one in statistics.people(EVERYWHERE, Question(period=period))
    }
    found = {row.key: row.finished for row in rows(ranked("person"))}
    assert {key: many for key, many in found.items() if many} == {
        key: many for key, many in told.items() if many
    }
    assert len(found) > 5


@pytest.mark.usefixtures("year")
def test_whoever_has_a_coefficient_of_their_own_is_scored_by_it() -> None:
    plain = {row.key: row for row in rows(ranked("person"))}
    key = max(plain, key=lambda one: plain[one].finished)
    table = replace(scoring.SHIPPED, coefficients={"/".join(key): 900})
    book = Rulebook().with_change(
        {"setting": scoring.KIND, "since": "2026-01-01", "value": scoring.as_data(table)}, 1
    )
    months = ranking.span(YEAR, today=TODAY).months
    people = ranking._people(ranking._Scorer(book, months), EVERYWHERE, "")
    for row in people:
        sheets = row.sheets.values()
        assert row.score == scoring.mean([one.score for one in sheets])
        assert {one.coefficient for one in sheets} == {900 if row.key == key else 1000}
        assert (row.score < plain[row.key].score) is (row.key == key)


@pytest.mark.usefixtures("year")
def test_a_revoked_card_gives_its_points_back() -> None:
    row = next(one for one in rows(ranked("agency")) if one.key == (WATER,))
    month = next(
        month for month, sheet in row.sheets.items() if sheet.times("yellow") and sheet.bonuses
    )
    before = ranking.scored(EVERYWHERE, "agency", (WATER,), month)
    assert before is not None
    part, one = next(
        (part, seen[0]) for (part, cause), seen in before.listed.items() if cause == "yellow"
    )
    decided(one.id, "revoked")
    ledger.catch_up()
    after = ranking.scored(EVERYWHERE, "agency", (WATER,), month)
    assert after is not None
    left = after.listed.get((part, "yellow"), ())
    assert len(left) == len(before.listed[part, "yellow"]) - 1
    assert after.sheet.score > before.sheet.score or before.sheet.parts != after.sheet.parts
    assert one.id not in {seen.id for seen in left}
    history = ranking.history(EVERYWHERE, "agency", (WATER,), [month])
    assert history == {month: after.sheet}


def decided(finding: UUID, outcome: str, level: str | None = None) -> None:
    """The card is appealed against by its head and decided by a supervisor."""
    head = acting.head(finding)
    at = Finding.objects.get(id=finding).issued
    version = head.version
    if head.appeal != "pending":
        services.appeal(
            acting.who(acting.HEAD), finding, "system_fault", "那天系统停了半天。", version=version,
            key=acting.key(), at=at,
        )  # fmt: skip
        version = acting.head(finding).version
    services.decide(
        acting.who(acting.SUPERVISOR), finding, outcome, "核对了停机记录，属实。", level,
        version=version, key=acting.key(), at=at,
    )  # fmt: skip


Kept_ = dict[tuple[str, date, str, str], tuple[Any, str, int]]


def tallies() -> Kept_:
    """All that is kept: counts, cards, warned by (by, month, place, unit)."""
    return {
        (one.by, one.month, one.place, one.unit): (one.counts, one.cards, one.warned)
        for one in Tally.objects.all()
    }


def without_warnings(sums: dict[str, Any]) -> dict[str, int]:
    return {level: many for level, many in sums.items() if level != "warning"}


def told_by_findings() -> Kept_:
    """The same counted from the findings as they stand."""
    counts: dict[tuple[str, date, str, str], dict[str, Any]] = defaultdict(dict)
    found = Finding.objects.filter(counts=True, level__in=("warning", "yellow", "red"))
    for one in found.exclude(scored=""):
        day = one.at.astimezone(SHANGHAI).date()
        for by, place, unit in (
            ("agency", "", one.agency), ("district", "", one.region),
            ("window", one.hall, one.window), ("person", one.agency, one.person),
        ):  # fmt: skip
            if unit and (place or by in ("agency", "district")):
                key = (by, day.replace(day=1), place or "", unit)
                sums = counts[key].setdefault(one.scored, {})
                if one.level == "warning":
                    days = sums.setdefault("warning", {})
                    days[str(day.day)] = days.get(str(day.day), 0) + 1
                else:
                    sums[one.level] = sums.get(one.level, 0) + 1
    return {
        key: (
            told,
            orjson.dumps(
                {part: sums for part in sorted(told) if (sums := without_warnings(told[part]))},
                option=orjson.OPT_SORT_KEYS,
            )
            .decode()
            .replace("{}", ""),
            max(sum(sums.get("warning", {}).values()) for sums in told.values()),
        )
        for key, told in counts.items()
    }


def cards_of_water() -> list[UUID]:
    found = Finding.objects.filter(agency=WATER, level="yellow", counts=True).exclude(scored="")
    return [one.id for one in found.order_by("at", "id")]


@pytest.mark.usefixtures("year")
def test_tallies_are_what_the_findings_say_however_the_log_is_cut() -> None:
    before = tallies()
    assert len(before) > 20
    assert before == told_by_findings()
    one, other = cards_of_water()[:2]
    decided(one, "lowered", "warning")
    decided(other, "revoked")
    ledger.catch_up()
    eased = tallies()
    assert eased == told_by_findings() != before
    # From the beginning, when every head has long moved on.
    for limit in (1_000, 37):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM supervision_tally")
            cursor.execute("UPDATE ledger_follower SET position = 0 WHERE name = %s", [tally.NAME])
        while ledger.follow(tally.NAME, limit=limit):
            pass
        assert tallies() == eased, limit


@pytest.mark.usefixtures("year")
def test_a_run_of_the_tally_that_broke_off_counts_nothing_and_then_once() -> None:
    before = tallies()
    decided(cards_of_water()[0], "lowered", "hint")
    ledger.sequence()

    with transaction.atomic():
        while ledger.follow(tally.NAME):
            pass
        assert tallies() == told_by_findings()
        transaction.set_rollback(True)  # killed before it could commit
    assert tallies() == before
    ledger.catch_up()
    assert tallies() == told_by_findings() != before


@pytest.mark.usefixtures("year")
def test_the_tally_reads_and_writes_as_often_whatever_the_run_holds() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM supervision_tally")
        cursor.execute("UPDATE ledger_follower SET position = 0 WHERE name = %s", [tally.NAME])
    with CaptureQueriesContext(connection) as asked:
        ledger.follow(tally.NAME, limit=1_000_000)
    said = [one["sql"] for one in asked]
    assert tallies() == told_by_findings()
    assert sum("supervision_finding" in one for one in said) == 1
    assert sum("supervision_tally" in one for one in said) == 3
    assert len(said) <= 12


@pytest.mark.usefixtures("year")
def test_a_ranking_asks_a_handful_of_questions_whatever_the_number_of_findings() -> None:
    ranked("agency")
    for by, most in (("agency", 6), ("district", 6), ("window", 6), ("person", 6)):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            ranked(by)
        assert len(asked) <= most, by
        said = "".join(one["sql"] for one in asked)
        assert "statistics_workload" in said
        for large in ("supervision_finding", "statistics_person", "statistics_fine", "_day"):
            assert large not in said, large


@pytest.mark.usefixtures("year")
def test_a_year_of_people_is_read_by_the_keys_of_two_tables() -> None:
    with CaptureQueriesContext(connection) as asked:
        found = ranked("person")
    assert found.rows
    tables = ("statistics_workload", "supervision_tally")
    said = [one["sql"] for one in asked if any(table in one["sql"] for table in tables)]
    assert len(said) == 3
    assert sum("GROUP BY" in one for one in said) == 2  # one row each
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for one in said:
            cursor.execute("EXPLAIN " + one)
            plan = str(cursor.fetchall())
            assert "_pkey" in plan, plan


@pytest.mark.usefixtures("year")
def test_what_counts_of_a_month_is_found_by_an_index_alone() -> None:
    since, until = tally.bounds(date(2026, 6, 1))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN (FORMAT JSON) SELECT f.region, f.scored, f.level, count(*)"
            " FROM supervision_finding f WHERE f.at >= %s AND f.at < %s"
            f" AND {tally.SCORED} GROUP BY 1, 2, 3",
            [since, until],
        )
        plan = cursor.fetchone()[0]
    text = plan if isinstance(plan, str) else json.dumps(plan)
    assert "supervision_finding_scored" in text


# --- who sees what -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("year")
def test_departments_are_told_of_everybody_and_their_sheets_of_ones_own() -> None:
    head = accounts.reach(actor("p-water-head"), ranking.ACT)
    assert {row.key for row in rows(ranked("agency", reach=head))} >= {(WATER,), (MARKET,)}
    month = date(2026, 6, 1)
    assert ranking.scored(head, "agency", (WATER,), month) is not None
    assert ranking.scored(head, "agency", (MARKET,), month) is None
    assert ranking.history(head, "agency", (MARKET,), [month]) == {}
    assert ranking.scored(head, "district", ("420100",), month) is None


@pytest.mark.usefixtures("year")
def test_windows_and_people_are_told_within_reach_alone() -> None:
    head = accounts.reach(actor("p-water-head"), ranking.PEOPLE)
    people = {row.key for row in rows(ranked("person", reach=head))}
    assert people
    assert {agency for agency, _ in people} == {WATER}
    windows = {row.key for row in rows(ranked("window", reach=head))}
    assert windows <= {("H420100", "B23")}
    manager = accounts.reach(actor("p-centre_manager"), ranking.ACT)
    assert {hall for hall, _ in (row.key for row in rows(ranked("window", reach=manager)))} == {"H420100"}  # fmt: skip


@pytest.mark.usefixtures("year")
def test_a_district_narrows_to_its_own() -> None:
    city = {row.key for row in rows(ranked("agency", district="420100"))}
    assert (WATER,) in city
    assert not {row.key for row in rows(ranked("agency", district="420102"))} & city


# --- periods and tables ------------------------------------------------------------------------------


@pytest.mark.usefixtures("year")
def test_periods_are_months_quarters_half_years_and_years() -> None:
    told = {
        text: (ranking.span(text, today=TODAY).zh, len(ranking.span(text, today=TODAY).months))
        for text in ("2026-06", "2026-Q2", "2026-H1", "2026", "")
    }
    assert told["2026-06"] == ("2026 年 6 月", 1)
    assert told["2026-Q2"] == ("2026 年第 2 季度", 3)
    assert told["2026-H1"] == ("2026 年上半年", 6)
    assert told["2026"] == ("2026 年", 9)  # to this month
    assert told[""] == ("2026 年 8 月", 1)
    for text in ("2026-13", "2026-H3", "2026-06-01", "2026-W05", "昨天", "9" * 40):
        with pytest.raises(Refusal) as refused:
            ranking.span(text, today=TODAY)
        assert refused.value.code == "ranking.period"
    with pytest.raises(Refusal) as refused:
        ranking.span("2026-12", today=TODAY)
    assert refused.value.code == "ranking.future"


def test_a_table_holds_from_the_first_month_that_begins_with_it() -> None:
    harder = scoring.as_data(scoring.Table(yellow=7))
    book = Rulebook().with_change(
        {"setting": scoring.KIND, "since": "2026-06-15", "value": harder}, 1
    )
    assert ranking.table(book, date(2026, 6, 1)).yellow == 5
    assert ranking.table(book, date(2026, 7, 1)).yellow == 7
    assert ranking.sourced(book, date(2026, 7, 1)) <= SCORED.keys()


@pytest.mark.usefixtures("town")
def test_a_promise_is_as_short_as_its_least_shortened_limit() -> None:
    found = promises.shortened([TODAY])[TODAY]
    least: dict[str, int] = {}
    for one in catalog.all_in_force(TODAY):
        law, promised = one.statutory, one.promised
        if law is None or not law.value:
            continue
        assert promised is None or promised.unit == law.unit
        percent = 0 if promised is None else (law.value - promised.value) * 100 // law.value
        if promised is None and one.kind == "immediate":
            percent = 100
        least[one.agency] = min(least.get(one.agency, 100), max(0, percent))
    assert least
    assert {agency: one.percent for agency, one in found.agencies.items()} == least


# --- the report --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("year")
def test_the_monthly_report_says_what_the_findings_say_and_names_nobody() -> None:
    period = report.month(MONTH, today=TODAY)
    found = report.content(EVERYWHERE, period, at=AT, scope="全市")
    assert found == report.content(EVERYWHERE, period, at=AT, scope="全市")
    summary = {what: many for what, many, _ in found.summary}
    issued = Finding.objects.filter(
        at__gte=datetime.fromisoformat("2026-06-01T00:00+08:00"),
        at__lt=datetime.fromisoformat("2026-07-01T00:00+08:00"),
    )  # fmt: skip
    for level, zh in (("red", "红牌"), ("yellow", "黄牌"), ("warning", "预警"), ("hint", "提示")):
        assert summary[zh] == issued.filter(level=level, counts=True).count()
    tables = {one.title: one for one in found.tables}
    listed = issued.filter(first_level__in=("yellow", "red")).count()
    assert listed > 3
    assert len(tables["黄牌、红牌和现在的状态"].rows) == listed
    ranks = tables["部门量化测评排名"]
    told = [(row.rank, scoring.said(row.score)) for row in rows(ranked("agency", MONTH))]
    assert [
        (None if row[0] == "未排名" else int(str(row[0])), row[2]) for row in ranks.rows
    ] == told
    assert report.pdf(found)[:5] == b"%PDF-"
    assert report.pdf(found) == report.pdf(found)
    written = json.dumps(report._data(found), ensure_ascii=False)
    people = {one.person for one in issued if one.person}
    assert people
    assert not any(code in written for code in people)
    assert report.xlsx(found)[:2] == b"PK"


@pytest.mark.usefixtures("year")
def test_the_report_of_a_head_is_of_their_own_agency() -> None:
    head = accounts.reach(actor("p-water-head"), ranking.ACT)
    period = report.month(MONTH, today=TODAY)
    tables = {
        one.title: one for one in report.content(head, period, at=AT, scope="江城市水务局").tables
    }
    assert {row[0] for row in tables["各机关的发现"].rows} <= {"江城市水务局"}
    assert {row[4] for row in tables["黄牌、红牌和现在的状态"].rows} <= {"江城市水务局"}
