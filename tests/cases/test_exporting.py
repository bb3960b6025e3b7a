"""The export of cases: everything in reach, once, and nothing that spreadsheets would run."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cases import people
from tests.cases.people import COMPANY, FOOD, INTAKE, PERSON, WATER, actor, moment
from zhengwu.cases import exporting
from zhengwu.cases.exporting import Question
from zhengwu.cases.models import Case
from zhengwu.documents.sheets.table import FORMULA_LIKE

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, MARKET_CLERK, SUPERVISOR = "p-water-clerk", "p-market-clerk", "p-supervisor"


def read(who: str = SUPERVISOR, **asked: Any) -> list[dict[str, str]]:
    pieces = exporting.stream(actor(who), Question(**asked), form="csv")
    return list(csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))


def lines(who: str = SUPERVISOR, **asked: Any) -> list[dict[str, Any]]:
    pieces = exporting.stream(actor(who), Question(**asked), form="ndjson")
    return [json.loads(line) for line in b"".join(pieces).splitlines()]


@pytest.fixture
def three() -> tuple[str, str, str]:
    """A whole story, one just received, and one of the market bureau."""
    whole = people.golden()
    young = people.received("09-22 10:00", applicant=PERSON)
    market = people.received("09-23 11:00", item=FOOD, who=MARKET_CLERK)
    return whole.number, young.number, market.number


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)


def test_every_case_in_reach_stands_in_it_once_in_the_order_of_opening(
    three: tuple[str, str, str], small_pages: None
) -> None:
    assert [row["办件编号"] for row in read()] == list(three)
    assert [row["办件编号"] for row in read(CLERK)] == list(three[:2])
    assert [row["number"] for row in lines(MARKET_CLERK)] == [three[2]]


def test_the_cells_say_how_a_case_stands(three: tuple[str, str, str]) -> None:
    whole, young, _ = read()
    assert whole["事项编码"] == INTAKE
    assert (whole["办理机关代码"], whole["办理机关"]) == (WATER, "江城市水务局")
    assert (whole["状态"], whole["决定"], whole["办件类型"]) == ("已办结", "准予", "承诺件")
    assert (whole["收件时间"], whole["办结时间"]) == ("2026-09-14 09:20:00", "2026-11-02 10:00:00")
    assert (young["状态"], young["决定"], young["办结时间"]) == ("待受理", "", "")
    told, _, _ = lines()
    assert (told["state"], told["outcome"], told["suspended"]) == ("closed", "granted", False)
    assert told["opened"] == "2026-09-14T01:20:00.000000Z"
    assert told["item_version"] == int(whole["事项版本"])


def test_nothing_of_the_applicant_and_no_query_code_is_in_it(three: tuple[str, str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT query_code FROM cases_case")
        codes = [row[0] for row in cursor.fetchall()]
    forms: tuple[exporting.Form, ...] = ("csv", "ndjson")
    for form in forms:
        text = b"".join(exporting.stream(actor(SUPERVISOR), Question(), form=form)).decode()
        for secret in (*codes, COMPANY.name, COMPANY.identifier, COMPANY.phone, PERSON.name):
            assert secret not in text


def test_it_can_be_narrowed(three: tuple[str, str, str]) -> None:
    day = moment("09-22 00:00")
    assert [row["办件编号"] for row in read(since=day)] == list(three[1:])
    assert [row["办件编号"] for row in read(until=day)] == [three[0]]
    assert [row["办件编号"] for row in read(agency=WATER, open=True)] == [three[1]]
    assert [row["办件编号"] for row in read(item=FOOD)] == [three[2]]
    assert [row["办件编号"] for row in read(state="closed")] == [three[0]]
    assert read(state="handling", since=day) == []


def test_nobody_exports_what_is_out_of_reach_by_naming_it(three: tuple[str, str, str]) -> None:
    assert read(MARKET_CLERK, agency=WATER) == []
    assert lines(MARKET_CLERK, agency=WATER) == []


def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(
    three: tuple[str, str, str], owner: Owner
) -> None:
    names = [
        "=cmd|'/c calc'!A0",
        "+1",
        " @SUM(A1)",
        "-2+3",
        "\t=1",
        "＝1",
        "'=1",
        "\u3000=1",
        "\xa0@1",
        '安全"许可,一',
    ]
    for name in names:
        owner.execute("UPDATE cases_case SET item_name = %s WHERE number = %s", [name, three[0]])
        cell = read()[0]["事项名称"]
        assert cell == ("'" + name if FORMULA_LIKE.match(name) else name)
        assert lines()[0]["item_name"] == name


def test_no_transaction_is_open_while_somebody_takes_the_bytes(
    three: tuple[str, str, str], small_pages: None, owner: Owner
) -> None:
    pieces = exporting.stream(actor(SUPERVISOR), Question(), form="csv")
    for _ in range(2):  # the heading, the first page; the second page is not asked for yet
        next(pieces)
    busy = owner.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'zhengwu-app'"
        " AND datname = current_database() AND (state <> 'idle' OR backend_xmin IS NOT NULL)"
    ).fetchone()
    assert busy == (0,)
    people.received("09-24 10:00")  # comes in meanwhile, and stands at the end
    rest = b"".join(pieces).decode().splitlines()
    assert len(rest) == 2


def test_an_empty_reach_is_a_heading_alone() -> None:
    assert b"".join(exporting.stream(actor(CLERK), Question(), form="ndjson")) == b""
    assert read(CLERK) == []


def test_a_page_is_read_by_the_index_of_the_openings(
    three: tuple[str, str, str], owner: Owner
) -> None:
    columns = ", ".join(
        str(one.column) for one in Case._meta.local_concrete_fields
        if one.column not in ("id", "number", "opened", "foreign_id", "window")
    )  # fmt: skip
    owner.execute(
        f"INSERT INTO cases_case (id, number, opened, {columns}) SELECT gen_random_uuid(), 'X' || n,"
        f" opened - n * interval '1 minute', {columns} FROM cases_case,"
        " generate_series(1, 20000) n WHERE number = %s",
        [three[0]],
    )
    owner.execute("ANALYZE cases_case")
    with CaptureQueriesContext(connection) as asked:
        next(exporting.stream(actor(SUPERVISOR), Question(), form="ndjson"))
    page = next(one["sql"] for one in asked if one["sql"].startswith("WITH page"))
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + page)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "cases_case_recent" in plan, plan
    assert "Seq Scan" not in plan, plan
