"""The pages of ranking: every number leads to what is behind it, to whoever may see that."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from tests.cases.people import MARKET, WATER
from tests.cases.test_simulation_year import AT
from tests.cases.test_simulation_year import played as played
from tests.conftest import Kept
from tests.desk.test_statistics import links as linked
from tests.desk.walk import public, sign_in, text
from zhengwu.desk.ranking import views
from zhengwu.domain import scoring
from zhengwu.ledger import services as ledger
from zhengwu.statistics.queries import EVERYWHERE
from zhengwu.supervision import ranking

SUPERVISOR, HEAD, MANAGER, CLERK = (
    "p-supervisor", "p-water-head", "p-centre_manager", "p-water-clerk",
)  # fmt: skip
PAGES = (
    "/desk/ranking", "/desk/ranking.csv", "/desk/ranking.xlsx", "/desk/ranking/report",
    "/desk/ranking/report.pdf", "/desk/ranking/report.xlsx",
    f"/desk/ranking/sheet?unit={WATER}&period=2026-06",
)  # fmt: skip
MOST_QUERIES = 20


@pytest.fixture(autouse=True)
def year(request: pytest.FixtureRequest, town: None, kept: Kept) -> Iterator[None]:
    def build() -> None:
        request.getfixturevalue("played")
        ledger.catch_up()

    with override_settings(DEMO=True, DEMO_CLOCK=AT - datetime.now(UTC)):
        kept.again("a year to rank", build)
        yield


def links(page: str) -> list[str]:
    """Where the links of a page lead."""
    return [address for address, _ in linked(page)]


def found(by: str = "agency", period: str = "2026") -> ranking.Ranking:
    return ranking.ranking(EVERYWHERE, by, ranking.span(period, today=AT.date()))


def test_only_who_may_see_supervision_comes_in() -> None:
    nobody, clerk, supervisor = public(), sign_in(CLERK), sign_in(SUPERVISOR)
    for page in PAGES:
        assert nobody.get(page).status_code == 302, page
        assert clerk.get(page).status_code == 403, page
        assert supervisor.get(page).status_code == 200, page
    for code in (HEAD, MANAGER):
        assert sign_in(code).get("/desk/ranking").status_code == 200


def test_the_page_tells_the_ranking_as_it_is_and_leads_to_every_sheet() -> None:
    client = sign_in(SUPERVISOR)
    page = client.get("/desk/ranking?period=2026")
    shown = text(page)
    for row in (*found().rows, *found().small):
        assert scoring.said(row.score) in shown
        assert scoring.GRADES[row.grade] in shown
    sheets = [one for one in links(shown) if "/desk/ranking/sheet" in one]
    assert len(sheets) >= sum(len(one.sheets) for one in found().rows)
    for one in sheets[:4]:
        assert client.get(one).status_code == 200
    assert "尚无来源，按满分计" in shown


def test_fifty_units_are_drawn_on_a_page_and_the_files_have_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "PAGE", 3)
    client = sign_in(SUPERVISOR)
    ranked = found("person")
    everybody = (*ranked.rows, *ranked.small)
    assert len(everybody) > 6
    pages = -(-len(everybody) // 3)
    shown: list[str] = []
    for number in range(1, pages + 1):
        page = text(client.get(f"/desk/ranking?by=person&period=2026&page={number}"))
        assert f"第 {number} 页，共 {pages} 页" in page
        assert f"共排名 {len(ranked.rows)} 个" in page
        sheets = [one for one in links(page) if "/desk/ranking/sheet" in one]
        units = list(dict.fromkeys(re.search(r"unit=([^&]+)", one)[1] for one in sheets))  # type: ignore[index]
        assert len(units) <= 3
        shown += units
    assert shown == [one.key[1] for one in everybody]
    last = text(client.get("/desk/ranking?by=person&period=2026&page=99"))
    assert f"第 {pages} 页" in last
    answer = client.get("/desk/ranking.csv?by=person&period=2026&page=2")
    assert len(list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))) == 1 + len(
        everybody
    )


def test_a_sheet_links_every_finding_behind_its_points_and_they_open() -> None:
    client = sign_in(SUPERVISOR)
    row = max(found().rows, key=lambda one: one.lost)
    month, sheet = max(row.sheets.items(), key=lambda one: one[1].lost)
    told = ranking.scored(EVERYWHERE, "agency", row.key, month)
    assert told is not None
    page = client.get(f"/desk/ranking/sheet?unit={row.key[0]}&period={month:%Y-%m}")
    shown = text(page)
    named = {one.rsplit("/", 1)[1] for one in links(shown) if "/desk/supervision/findings/" in one}
    assert named == {
        str(one.id) for seen in (*told.listed.values(), *told.warned.values()) for one in seen
    }
    assert len(named) > 1
    for one in sorted(named)[:3]:
        assert client.get(f"/desk/supervision/findings/{one}").status_code == 200
    for part in sheet.parts:
        for line in part.lines:
            assert scoring.told(line, told.table) in shown
    assert f"＝ {scoring.said(sheet.score)}" in shown


def test_a_number_leads_to_as_many_findings_and_cases() -> None:
    client = sign_in(SUPERVISOR)
    page = text(client.get("/desk/ranking?period=2026-06"))
    lists = [one for one in links(page) if "/desk/supervision?" in one]
    closed = [one for one in links(page) if "/desk/statistics/cases?" in one]
    assert lists
    assert closed
    for one in (*lists[:3], *closed[:3]):
        assert client.get(one).status_code == 200, one
    row = next(one for one in found("agency", "2026-06").rows if one.times("yellow"))
    mine = [one for one in lists if f"agency={row.key[0]}" in one and "level=yellow" in one]
    listed = set(
        re.findall(r"/desk/supervision/findings/([0-9a-f-]{36})", text(client.get(mine[0])))
    )
    assert len(listed) >= row.times("yellow")  # those that take no points are listed, too


def test_the_head_sees_where_all_stand_and_opens_the_own_sheet_alone() -> None:
    client = sign_in(HEAD)
    page = text(client.get("/desk/ranking?period=2026-06"))
    assert "江城市市场监督管理局" in page
    sheets = [one for one in links(page) if "/desk/ranking/sheet" in one]
    assert sheets
    assert all(f"unit={WATER}" in one for one in sheets)
    own = "/desk/ranking/sheet?period=2026-06&unit="
    assert client.get(own + WATER).status_code == 200
    assert client.get(own + MARKET).status_code == 404
    assert (
        client.get("/desk/ranking/sheet?by=district&period=2026-06&unit=420100").status_code == 404
    )
    assert client.get("/desk/ranking?by=person").status_code == 200
    assert sign_in(MANAGER).get("/desk/ranking?by=person").status_code == 422


def test_the_files_hold_what_the_page_shows() -> None:
    answer = sign_in(SUPERVISOR).get("/desk/ranking.csv?period=2026-H1&by=agency")
    told = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    heads, *body = told
    ranked = found("agency", "2026-H1")
    assert [row[0] for row in body] == [
        *(str(one.rank) for one in ranked.rows), *("未排名" for _ in ranked.small),
    ]  # fmt: skip
    assert [float(row[heads.index("得分")]) for row in body] == [
        round(one.score / 1000, 2) for one in (*ranked.rows, *ranked.small)
    ]
    assert heads[-6:] == [f"2026-0{month}" for month in range(1, 7)]


def test_the_report_opens_as_paper_and_workbook() -> None:
    client = sign_in(SUPERVISOR)
    page = text(client.get("/desk/ranking/report?month=2026-06"))
    assert "电子监察" in page or "监察月报" in page
    paper = client.get("/desk/ranking/report.pdf?month=2026-06")
    assert paper.content[:5] == b"%PDF-"
    assert paper["Content-Type"] == "application/pdf"
    assert client.get("/desk/ranking/report.xlsx?month=2026-06").content[:2] == b"PK"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/desk/ranking?period=2026-13", 422),
        ("/desk/ranking?period=2030", 422),
        ("/desk/ranking?by=weather", 422),
        ("/desk/ranking?district=999999", 422),
        ("/desk/ranking.csv?period=later", 422),
        ("/desk/ranking/sheet", 404),
        ("/desk/ranking/sheet?unit=" + "x" * 500, 404),
        ("/desk/ranking/sheet?unit=a%00b", 404),
        ("/desk/ranking/sheet?by=window&unit=B23", 404),
        ("/desk/ranking/sheet?period=x&unit=420100-water", 422),
        ("/desk/ranking/report?month=2026", 422),
        ("/desk/ranking/report?month=2030-01", 422),
        ("/desk/ranking/report.pdf?month=x", 422),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(address: str, status: int) -> None:
    answer = sign_in(SUPERVISOR).get(address)
    assert answer.status_code == status
    if status == 422:
        assert "错误：" in text(answer)


def test_the_pages_ask_few_questions() -> None:
    client = sign_in(SUPERVISOR)
    asking = [f"/desk/ranking?by={by}&period=2026" for by in ranking.BY]
    for page in (*asking, PAGES[-1]):
        client.get(page)
        with CaptureQueriesContext(connection) as asked:
            client.get(page)
        assert len(asked) <= MOST_QUERIES, (page, len(asked))
