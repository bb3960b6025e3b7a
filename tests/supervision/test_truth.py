"""A simulated year with its truth: every planted fault is found, no honest case gets a card."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.cases.test_simulation_year import SHANGHAI
from tests.conftest import Kept
from zhengwu.cases.simulation import year
from zhengwu.cases.simulation.faults import FAULTS
from zhengwu.ledger import services as ledger

AT = datetime(2026, 9, 18, 12, tzinfo=SHANGHAI)
CASES, SEED = 420, 11
KEPT: dict[str, str] = {}
# What none of the rules names: a case that was registered twice is no one's fault to see in one of
# them, and what is entered twice shows as a step out of order.
UNNAMED = {one.code for one in FAULTS.values() if not one.rule}


@dataclass(frozen=True)
class Card:
    """A finding as it stands."""

    rule: str
    level: str
    number: str
    source: str
    agency: str
    person: str | None
    at: datetime


@pytest.fixture
def supervised(town: None, kept: Kept, tmp_path: Path) -> None:
    """A whole year, with more faults than any city has, watched to its end; kept."""
    from tests.accounts.city import small_city
    from tests.cases import people

    def build() -> None:
        small_city()
        people.items()
        truth = tmp_path / "truth.jsonl"
        year.run(2025, cases=CASES, seed=SEED, at=AT, truth=truth, apart=False, faulty=0.6)
        KEPT["truth"] = truth.read_text(encoding="utf-8")
        ledger.catch_up()

    kept.clean()
    kept.again("supervised year", build)


def truth() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT["truth"].splitlines()]


def cards() -> Iterator[Card]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rule, level, number, source, agency, person, at FROM supervision_finding"
        )
        yield from (Card(*row) for row in cursor.fetchall())


def speaks_of(rule: str, named: str) -> bool:
    """P03 is also P03U: a letter behind the number is a case of the same rule."""
    return rule == named or (rule.startswith(named) and not rule[len(named) :].isdigit())


@pytest.mark.usefixtures("supervised")
def test_every_planted_fault_that_a_rule_names_is_found() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for one in cards():
        found[one.number].add(one.rule)
    planted = [one for one in truth() if one["case"] and one["rule"]]
    missed = [
        (one["kind"], one["rule"], one["case"], sorted(found[one["case"]]))
        for one in planted
        if not any(speaks_of(rule, one["rule"]) for rule in found[one["case"]])
    ]
    assert missed == []
    assert len(planted) > 150
    kinds = {one["kind"] for one in planted}
    assert len(kinds) >= 20, sorted(set(FAULTS) - UNNAMED - kinds)


@pytest.mark.usefixtures("supervised")
def test_no_honest_case_gets_a_yellow_or_red_card() -> None:
    planted = {one["case"] for one in truth()}
    wrong = [one for one in cards() if one.level in ("yellow", "red") and one.number not in planted]
    # What adds up over a month speaks of persons whose entries were late, not of a case.
    assert [one for one in wrong if one.number or one.rule != "P09R"] == []


@pytest.mark.usefixtures("supervised")
def test_what_an_entry_shows_is_whose_entry_it_is_and_a_limit_whoever_had_the_case() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.rule, f.person, f.post, f.agency, f.\"limit\", e.actor, e.body #>> '{foreign,actor}',"
            " (i.body -> 'positions' ->> 0)::bigint = p.position FROM supervision_finding f"
            " JOIN ledger_event i ON i.stream = 'finding' AND i.stream_id = f.id AND i.version = 1"
            " JOIN ledger_event e ON e.stream = 'case' AND e.stream_id = f.\"case\""
            " AND e.version = (i.body -> 'versions' ->> 0)::int"
            " JOIN ledger_position p ON p.event = e.id"
        )
        rows = cursor.fetchall()
    assert len(rows) > 150
    assert all(evidence for *_, evidence in rows)
    for rule, person, _, _, limit, actor, operator, _ in rows:
        if limit is None:
            assert person == (actor or operator), rule
    held = [row for row in rows if row[4] in ("promised", "statutory", "step", "delivery")]
    assert len(held) > 50
    assert all(person and post and agency for _, person, post, agency, *_ in held)


@pytest.mark.usefixtures("supervised")
def test_a_source_that_brought_news_every_day_and_fell_silent_is_found() -> None:
    gaps = {(one["source"], one["day"]) for one in truth() if one["case"] is None}
    found = {
        (one.source, one.at.astimezone(SHANGHAI).date().isoformat())
        for one in cards()
        if one.rule == "D02"
    }
    assert gaps
    assert found, "a source was regular for a while"
    assert {source for source, _ in found} == {source for source, _ in gaps}
