"""The figures say what the cases say, of every origin, by whatever they are asked."""

from __future__ import annotations

import gzip
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.db import connection

from tests.cases import people
from tests.cases.people import actor, moment
from tests.cases.receipt import DATA, RECEIPT, real, replayed
from zhengwu.cases.stories import Subject
from zhengwu.domain.measuring import HANDS
from zhengwu.domain.periods import Grain, Period
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger
from zhengwu.statistics import followers, queries
from zhengwu.statistics.queries import EVERYWHERE, Question, Row

WHOLE = os.environ.get("ZHENGWU_TEST_PG", "18") == "18"
NOW = moment("11-23 09:00")
EVER = Period(date(2010, 1, 1), date(2012, 12, 31))
__all__ = ["DATA", "RECEIPT", "real", "replayed"]


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


@pytest.fixture
def told(town: None) -> people.Told:
    """The worked story, told to its end and counted."""
    case = people.golden()
    ledger.catch_up()
    return case


def only(question: Question, *, at: datetime = NOW) -> Row:
    (row,) = queries.figures(EVERYWHERE, question, at=at)
    return row


AUTUMN = Period(date(2026, 9, 1), date(2026, 11, 30))


@pytest.mark.usefixtures("told")
def test_the_worked_story_counts_on_the_days_on_which_it_happened() -> None:
    months = {
        row.period.since.month: row
        for row in queries.figures(EVERYWHERE, Question(period=AUTUMN, grain=Grain.MONTH), at=NOW)
    }
    told = (
        "received",
        "notices",
        "accepted",
        "suspensions",
        "granted",
        "closed",
        "on_time",
        "late",
    )
    found = {
        month: {code: row[code] for code in told if row[code]} for month, row in months.items()
    }
    assert found == {
        9: {"received": 1, "notices": 1, "accepted": 1, "suspensions": 1},
        10: {"granted": 1},
        11: {"closed": 1, "on_time": 1},
    }
    assert [row.open for row in months.values()] == [1, 1, 0]
    whole = only(Question(period=AUTUMN))
    # Accepted on 21 September, granted on 28 October, without the days of the expert review.
    assert (whole["timed"], whole["days"]) == (1, 12)
    assert sum(whole[hand] for hand in HANDS) == whole["elapsed"]
    assert whole["elapsed"] == (moment("11-02 10:00") - moment("09-14 09:20")).total_seconds()
    assert whole["in_special"] == (moment("10-15 09:00") - moment("09-24 17:00")).total_seconds()


@pytest.mark.usefixtures("told")
def test_a_question_is_answered_alike_by_day_and_by_month_coarse_and_fine() -> None:
    period = Period(date(2026, 9, 10), date(2026, 11, 5))  # days at both edges
    by_item = queries.figures(EVERYWHERE, Question(period=period, by="item"), at=NOW)
    by_day = queries.figures(EVERYWHERE, Question(period=period, grain=Grain.DAY), at=NOW)
    whole = only(Question(period=period))
    assert [row.key for row in by_item] == [(people.INTAKE,)]
    for code in whole.counts:
        assert by_item[0][code] == whole[code] == sum(row[code] for row in by_day), code
    windows = queries.figures(EVERYWHERE, Question(period=period, by="window"), at=NOW)
    assert [(row.key[0] != "", row["received"]) for row in windows] == [(True, 1)]
    for dimension in queries.DIMENSIONS:
        rows = queries.figures(EVERYWHERE, Question(period=period, by=dimension), at=NOW)
        assert sum(row["closed"] for row in rows) == 1, dimension


@pytest.mark.usefixtures("told")
def test_whoever_reads_sees_the_figures_of_the_own_reach_alone() -> None:
    question = Question(period=AUTUMN)
    for who, closed in (("p-water-head", 1), ("p-market-head", 0), ("p-supervisor", 1)):
        (row,) = queries.figures(queries.reach(actor(who)), question, at=NOW)
        assert row["closed"] == closed, who
    (row,) = queries.figures(queries.reach(actor("p-water-clerk")), question, at=NOW)
    assert not any(row.counts.values())


def test_what_is_in_hand_and_overdue_is_told_for_any_past_day(town: None) -> None:
    late = people.received()
    late.do("p-water-clerk", "accepted", "09-14 10:00")
    ledger.catch_up()
    accepted = moment("09-14 10:00")
    open_now = only(Question(period=Period(date(2026, 9, 1), date(2026, 9, 14))), at=accepted)
    assert (open_now.open, open_now.overdue) == (1, 0)
    in_november = only(Question(period=AUTUMN))
    assert (in_november.open, in_november.overdue) == (1, 1)
    late.do("p-water-reviewer", "step_taken", "11-20 10:00")
    late.do("p-water-approver", "granted", "11-20 11:00")
    late.do("p-water-approver", "licence_made", "11-20 14:00")
    late.do("p-water-clerk", "step_taken", "11-20 15:00")
    late.do("p-water-clerk", "delivered", "11-20 16:00", {"means": "signature", "proof": "何晓岚"})
    ledger.catch_up()
    now = only(Question(period=AUTUMN))
    assert (now.open, now.overdue, now["late"], now["on_time"]) == (0, 0, 1, 0)
    # On the last of October it was in hand and overdue, as is known today.
    then = only(Question(period=Period(date(2026, 10, 1), date(2026, 10, 31))))
    assert (then.open, then.overdue) == (1, 1)


def test_a_correction_moves_the_day_it_belongs_to_and_is_listed(town: None) -> None:
    case = people.received()
    case.do("p-water-clerk", "accepted", "09-14 10:00")
    case.do("p-water-reviewer", "step_taken", "09-15 09:00")
    case.do(
        "p-water-reviewer", "suspended", "09-16 10:00", {"procedure": "expert_review", "days": "5"}
    )
    ledger.catch_up()
    assert only(Question(period=AUTUMN))["suspensions"] == 1
    told = {"version": "4", "reasons": "登错了办件"}
    case.do("p-water-reviewer", "withdrawal_proposed", "09-16 11:00", told)
    case.do("p-water-head", "entry_withdrawn", "09-16 11:30", told)
    ledger.catch_up()
    assert only(Question(period=AUTUMN))["suspensions"] == 0
    changed = [
        one
        for one in queries.restatements(EVERYWHERE, Question(period=AUTUMN))
        if one.what == "received"
    ]
    # Everything was entered today of a day long past: each figure of that day was stated anew.
    assert [(one.day, one.delta) for one in changed] == [(date(2026, 9, 14), 1)]


@pytest.mark.usefixtures("told")
def test_every_number_leads_to_its_cases() -> None:
    question = Question(period=AUTUMN)
    row = only(question)
    for code, number in row.counts.items():
        found = queries.behind(EVERYWHERE, question, code, at=NOW)
        assert bool(found.rows) == bool(number), code
    for code in ("open", "overdue", "claim_open"):
        assert queries.behind(EVERYWHERE, question, code, at=NOW).rows == ()
    elsewhere = Question(period=AUTUMN, agency=people.MARKET)
    assert queries.behind(EVERYWHERE, elsewhere, "closed", at=NOW).rows == ()
    with pytest.raises(Refusal, match="没有“ghosts”这个指标"):
        queries.behind(EVERYWHERE, question, "ghosts", at=NOW)
    with pytest.raises(Refusal, match="翻页"):
        queries.behind(EVERYWHERE, question, "closed", at=NOW, after="2026")


def test_the_pages_of_cases_behind_a_number_miss_none(town: None) -> None:
    for minute in range(7):
        people.received(f"09-14 10:{minute:02d}")
    ledger.catch_up()
    question, after, seen = Question(period=AUTUMN), "", list[str]()
    while True:
        page = queries.behind(EVERYWHERE, question, "received", at=NOW, after=after, limit=3)
        seen += [str(one.case) for one in page.rows]
        if not (after := page.further):
            break
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.usefixtures("told")
def test_people_are_counted_by_what_they_did_themselves() -> None:
    found = {one.person: one.counts for one in queries.people(EVERYWHERE, Question(period=AUTUMN))}
    assert found["p-water-clerk"]["received"] == found["p-water-clerk"]["accepted"] == 1
    assert found["p-water-approver"]["granted"] == found["p-water-approver"]["on_time"] == 1
    assert "p-water-head" not in found
    heads = queries.people(queries.reach(actor("p-market-head")), Question(period=AUTUMN))
    assert heads == ()


@pytest.mark.usefixtures("told")
def test_how_long_and_who_handed_to_whom_agree_with_the_figures() -> None:
    question = Question(period=AUTUMN)
    row = only(question)
    (spread,) = queries.spreads(EVERYWHERE, question).values()
    assert sum(days * count for days, count in spread.counts) == row["days"]
    assert spread.percentile(0.5) == spread.percentile(0.9) == row["days"]
    by_item = queries.spreads(
        EVERYWHERE, Question(period=AUTUMN, by="item"), only=[(people.INTAKE,)]
    )
    assert by_item == {(people.INTAKE,): spread}
    handed = queries.handings(EVERYWHERE, question)
    assert sum(one.times for one in handed) == row["handovers"]
    assert abs(sum(one.seconds for one in handed) - row["in_handover"]) <= len(handed)


def test_a_question_that_cannot_be_answered_says_why() -> None:
    ahead = Period(date(2027, 1, 1), date(2027, 1, 31))
    for question, rule in (
        (Question(period=ahead), "statistics.future"),
        (Question(period=AUTUMN, by="weather"), "statistics.dimension"),
        (
            Question(period=Period(date(2000, 1, 1), date(2026, 1, 1)), grain=Grain.DAY),
            "statistics.parts",
        ),
    ):
        with pytest.raises(Refusal) as refused:
            question.checked(today=date(2026, 11, 23))
        assert refused.value.code == rule


def test_what_other_systems_name_a_place_is_kept_to_the_letter(db: None) -> None:
    odd = Subject('a"b', "c\\d", "{e,f}", "NULL", "", "g'h", "i\tj\nk", "城区、街道", "%s")
    found = followers.place_ids([odd])
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT agency, unit, region, kind, source, channel, item, hall, "window"'
            " FROM statistics_place WHERE id = %s",
            [found[odd]],
        )
        assert cursor.fetchone() == odd
    assert followers.place_ids([odd]) == found
    assert followers._known([uuid4()]) == {}
