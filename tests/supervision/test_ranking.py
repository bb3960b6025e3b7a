"""Ranking and score sheets over a simulated year: what is added up is what the findings say."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
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
    return ranking.ranking(reach, by, ranking.span(text, today=TODAY), at=AT, **more)


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
        history = ranking.history(EVERYWHERE, by, row.key, list(row.sheets), at=AT)
        assert history == dict(row.sheets)
        for month, sheet in row.sheets.items():
            found = ranking.scored(EVERYWHERE, by, row.key, month, at=AT)
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
def test_the_figures_are_those_of_statistics() -> None:
    span = ranking.span(MONTH, today=TODAY)
    told = statistics.figures(EVERYWHERE, Question(period=span.period, by="agency"), at=AT)
    closed = {row.key: row for row in told if row["closed"]}
    found = {row.key: row for row in rows(ranked("agency", MONTH))}
    assert closed.keys() <= found.keys()
    for key, row in closed.items():
        assert found[key].finished == row["closed"]
        sheet = found[key].sheets[span.period.since]
        judged = row["on_time"] + row["late"]
        early = row["early"] * 100 // judged if judged else 0
        bonus = next((one for one in sheet.bonuses if one.cause == "early"), None)
        assert (bonus.points if bonus else 0) == early // 10


@pytest.mark.usefixtures("year")
def test_a_revoked_card_gives_its_points_back() -> None:
    row = next(one for one in rows(ranked("agency")) if one.key == (WATER,))
    month = next(
        month for month, sheet in row.sheets.items() if sheet.times("yellow") and sheet.bonuses
    )
    before = ranking.scored(EVERYWHERE, "agency", (WATER,), month, at=AT)
    assert before is not None
    part, one = next(
        (part, seen[0]) for (part, cause), seen in before.listed.items() if cause == "yellow"
    )
    decided(one.id)
    ledger.catch_up()
    after = ranking.scored(EVERYWHERE, "agency", (WATER,), month, at=AT)
    assert after is not None
    left = after.listed.get((part, "yellow"), ())
    assert len(left) == len(before.listed[part, "yellow"]) - 1
    assert after.sheet.score > before.sheet.score or before.sheet.parts != after.sheet.parts
    assert one.id not in {seen.id for seen in left}
    history = ranking.history(EVERYWHERE, "agency", (WATER,), [month], at=AT)
    assert history == {month: after.sheet}


def decided(finding: UUID) -> None:
    """The card is appealed against by its head and revoked by a supervisor."""
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
        acting.who(acting.SUPERVISOR), finding, "revoked", "核对了停机记录，属实。", version=version,
        key=acting.key(), at=at,
    )  # fmt: skip


@pytest.mark.usefixtures("year")
def test_tallies_are_the_same_however_they_came_about() -> None:
    before = list(Tally.objects.values_list("by", "month", "place", "unit", "counts"))
    assert len(before) > 20
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM supervision_tally")
        cursor.execute("UPDATE ledger_follower SET position = 0 WHERE name = %s", [tally.NAME])
    while ledger.follow(tally.NAME, limit=37):
        pass
    again = Tally.objects.values_list("by", "month", "place", "unit", "counts")
    assert sorted(again, key=str) == sorted(before, key=str)


@pytest.mark.usefixtures("year")
def test_a_ranking_asks_a_handful_of_questions_whatever_the_number_of_findings() -> None:
    ranked("agency")
    for by, most in (("agency", 6), ("district", 6), ("window", 6), ("person", 5)):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            ranked(by)
        assert len(asked) <= most, by
        assert not any("supervision_finding" in one["sql"] for one in asked)


@pytest.mark.usefixtures("year")
def test_a_month_is_tallied_by_an_index_alone() -> None:
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
    assert ranking.scored(head, "agency", (WATER,), month, at=AT) is not None
    assert ranking.scored(head, "agency", (MARKET,), month, at=AT) is None
    assert ranking.history(head, "agency", (MARKET,), [month], at=AT) == {}
    assert ranking.scored(head, "district", ("420100",), month, at=AT) is None


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
