"""Figures for other systems: the figures of their reach, down to the cases behind a number."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.asking import ask, no
from tests.api.system import System, issue, register
from tests.cases import people
from tests.desk import walk
from tests.statistics.test_figures import NOW, real, replayed
from zhengwu.domain.measuring import CODES, HANDS
from zhengwu.ledger import services as ledger
from zhengwu.statistics import api, telling
from zhengwu.web import throttle, tokens

__all__ = ["replayed"]
AUTUMN = {"from": "2026-09", "to": "2026-11"}
LOG = {"from": "2010-10", "to": "2012-01"}


@pytest.fixture
def told(town: None, monkeypatch: pytest.MonkeyPatch) -> people.Told:
    """The worked story of the water bureau, counted, read on 23 November 2026."""
    case = people.golden()
    ledger.catch_up()
    monkeypatch.setattr("zhengwu.statistics.api.now", lambda: NOW)
    return case


@pytest.fixture
def water(told: people.Told) -> System:
    return System(issue(register()))


def rows(system: System, path: str = "", **given: Any) -> list[dict[str, Any]]:
    answer = system.get(f"/statistics{path}", AUTUMN | given)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def test_a_row_holds_every_figure_under_its_own_name(water: System) -> None:
    (row,) = rows(water, percentiles="true")
    assert set(row) == {
        "from", "to", *CODES, *(one.code for one in telling.HELD),
        *(one.code for one in telling.SHARES), *telling.PERCENTILES,
    }  # fmt: skip
    assert (row["from"], row["to"]) == ("2026-09-01", "2026-11-30")
    assert (row["received"], row["closed"], row["on_time"], row["open"]) == (1, 1, 1, 0)
    assert (row["on_time_share"], row["mean_days"], row["p50"], row["p90"]) == (1.0, 12.0, 12, 12)
    assert sum(row[hand] for hand in HANDS) == row["elapsed"]
    by_month = rows(water, grain="month")
    assert [one["closed"] for one in by_month] == [0, 0, 1]
    assert [one["overdue"] for one in by_month] == [None, None, 0]
    assert sum(one["granted"] for one in rows(water, grain="day")) == 1


def test_each_dimension_tells_code_and_name(water: System) -> None:
    names = {
        "agency": "江城市水务局", "district": "江城市", "hall": "江城市政务服务中心大厅",
        "kind": "承诺件", "source": "窗口", "channel": "窗口",
    }  # fmt: skip
    for by, name in names.items():
        (row,) = rows(water, by=by)
        assert row[f"{by}_name"] == name, by
        again = rows(water, **{by: row[by]})
        assert again[0]["closed"] == row["closed"] == 1, by
    (item,) = rows(water, by="item")
    assert (item["item"], item["received"]) == (people.INTAKE, 1)  # not hidden from the bureau
    (window,) = rows(water, by="window")
    assert {"hall", "hall_name", "window", "window_name"} <= set(window)
    (department,) = rows(water, by="department")
    assert (department["agency_name"], department["unit"]) == ("江城市水务局", "")
    assert rows(water, unit="-")[0]["closed"] == 1


def test_nobody_sees_more_than_the_own_reach(water: System, told: people.Told) -> None:
    market = System(issue(register("market-oa", agency="420100-market")))
    (theirs,) = rows(market)
    assert not any(theirs[code] for code in CODES)
    assert rows(market, by="agency") == rows(market, "/handovers") == []
    assert rows(market, "/cases", measure="received") == []
    city = System(issue(register("city-oa", role="region_system", place="420100")))
    assert rows(city)[0]["closed"] == 1
    head, clerk = walk.sign_in("p-water-head"), walk.sign_in("p-water-clerk")
    assert ask(head, "/statistics", AUTUMN).json()["rows"][0]["closed"] == 1
    for part in ("", "/handovers", "/restatements", "/cases"):
        no(ask(clerk, f"/statistics{part}", AUTUMN), 403, "statistics.nobody")
    narrow = System(issue(register("log-oa"), "events.read"))
    assert "statistics.read" in no(narrow.get("/statistics", AUTUMN), 403, "api.scope")
    figures = System(issue(register("figures-oa"), "statistics.read"))
    assert rows(figures)[0]["closed"] == 1
    assert "cases.read" in no(figures.get("/statistics/cases", AUTUMN), 403, "api.scope")


def test_a_number_leads_to_its_cases_and_to_no_applicant(water: System, told: people.Told) -> None:
    for measure in ("received", "closed", "on_time", "notices", "in_special", "days"):
        answer = water.get("/statistics/cases", {**AUTUMN, "measure": measure})
        (row,) = answer.json()["rows"]
        assert row["number"] == told.number, measure
        assert told.query_code.encode() not in answer.content
        assert "清源".encode() not in answer.content
    assert (row["verdict"], row["working_days"], row["day"]) == ("early", 12, "2026-11-02")
    assert rows(water, "/cases", measure="overdue") == []


def test_the_cases_behind_a_number_are_paged_without_a_gap(water: System) -> None:
    numbers = {people.received(f"09-15 10:{minute:02d}").number for minute in range(5)}
    ledger.catch_up()
    seen: list[str] = []
    after: dict[str, str] = {}
    asked = {**AUTUMN, "measure": "received", "limit": "2"}
    while True:
        page = water.get("/statistics/cases", asked | after).json()
        seen += [one["number"] for one in page["rows"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert len(seen) == len(set(seen)) == 6
    assert numbers <= set(seen)
    other = {**asked, "measure": "accepted", "after": after["after"]}
    no(water.get("/statistics/cases", other), 422, "request.token", "after")


def test_hand_overs_and_changes_are_told_with_names(water: System) -> None:
    (whole,) = rows(water)
    handed = rows(water, "/handovers")
    assert sum(one["times"] for one in handed) == whole["handovers"]
    assert {one["giver_name"] for one in handed} == {"江城市水务局"}
    changed = rows(water, "/restatements")
    assert {"day": "2026-09-14", "measure": "received", "delta": 1}.items() <= next(
        one for one in changed if one["measure"] == "received"
    ).items()


def test_everybody_may_read_what_a_figure_is(told: people.Told) -> None:
    first = ask(walk.public(), "/statistics/definitions")
    codes = [one["code"] for one in first.json()["measures"]]
    assert len(codes) == len(set(codes))
    assert set(CODES) < set(codes)
    again = ask(walk.public(), "/statistics/definitions", None, **{"If-None-Match": first["ETag"]})
    assert again.status_code == 304


def test_unchanged_figures_are_not_sent_again(water: System) -> None:
    first = water.get("/statistics", AUTUMN)
    assert water.get("/statistics", AUTUMN, **{"If-None-Match": first["ETag"]}).status_code == 304
    people.received("09-15 10:00")
    ledger.catch_up()
    changed = water.get("/statistics", AUTUMN, **{"If-None-Match": first["ETag"]})
    assert changed.json()["rows"][0]["received"] == 2


UGLY: tuple[tuple[str, dict[str, str], str], ...] = (
    ("", {"from": "2027-01"}, "from"), ("", {"from": "2026-11", "to": "2026-09"}, "to"),
    ("", {"from": "2026-13"}, "from"), ("", {"to": "soon"}, "to"),
    ("", {"from": "9" * 10_000}, "from"), ("", {"from": "2026-W60"}, "from"),
    ("", {"by": "weather"}, "by"), ("", {"grain": "century"}, "grain"),
    ("", {"from": "2000", "to": "2026", "grain": "day"}, "grain"),
    ("", {"agency": "x" * 10_000}, "agency"), ("", {"agency": "a\0"}, "agency"),
    ("", {"agency": "420100-atlantis"}, "agency"), ("", {"item": "XK9999"}, "item"),
    ("", {"window": "'--"}, "window"), ("", {"month": "2026-10"}, "month"),
    ("", {"percentiles": "true", "grain": "month"}, "percentiles"),
    ("/handovers", {"item": "XK0031"}, "item"), ("/handovers", {"by": "agency"}, "by"),
    ("/restatements", {"hall": "H420100"}, "hall"), ("/definitions", {"from": "2026"}, "from"),
    ("/cases", {"measure": "ghosts"}, "measure"), ("/cases", {"limit": "0"}, "limit"),
    ("/cases", {"limit": "201"}, "limit"), ("/cases", {"after": "made-up"}, "after"),
    ("/cases", {"after": tokens.write("cases", "x", "y")}, "after"),
    ("/cases", {"after": tokens.write(api.KIND, "x", "y")}, "after"),
)  # fmt: skip


def test_a_question_that_cannot_be_read_is_told_which_part(water: System) -> None:
    for path, given, field in UGLY:
        answer = water.get(f"/statistics{path}", given)
        assert answer.status_code == 422, (path, given, answer.content)
        no(answer, 422, answer.json()["code"], field)


def test_who_asks_for_definitions_too_often_waits(
    told: people.Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PER_SENDER", 0)
    throttle._leases.clear()
    answer = ask(walk.public(), "/statistics/definitions")
    no(answer, 429, "statistics.too_often")
    assert int(answer["Retry-After"]) > 0


@real
@pytest.mark.usefixtures("replayed")
def test_the_real_log_by_channel_and_month_in_few_questions() -> None:
    system = System(issue(register("city-oa", role="region_system", place="420100")))
    with CaptureQueriesContext(connection) as asked:
        found = system.get("/statistics", {**LOG, "by": "channel", "grain": "month"}).json()["rows"]
    assert len(found) == 16 * len({one["channel"] for one in found})
    assert sum(one["closed"] for one in found) == 1329
    assert sum(one["claim_late"] + one["claim_on_time"] for one in found) > 1000
    # The token, its window, the reach, and the figures by four statements.
    assert len(asked) <= 10, [one["sql"][:100] for one in asked]
    items = system.get("/statistics", {**LOG, "by": "department"}).json()["rows"]
    assert {one["unit"] for one in items} >= {"General", "Customer contact", "Experts"}
