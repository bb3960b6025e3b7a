"""The pages of statistics: what they say is what the cases say, and every number leads to them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cases import people
from tests.cases.people import COMPANY, actor
from tests.conftest import Kept
from tests.desk.walk import sign_in, text
from zhengwu.documents import sheets
from zhengwu.domain import measuring
from zhengwu.domain.measuring import BY_CODE
from zhengwu.domain.periods import Grain, of
from zhengwu.ledger import services as ledger
from zhengwu.statistics import queries, showing, telling
from zhengwu.statistics.showing import BY_FIGURE, change

SUPERVISOR, HEAD, MANAGER = "p-supervisor", "p-water-head", "p-centre_manager"
YEAR = "since=2026-01-01&until=2026-11-28"
PAGES = (
    "/desk/statistics/", "/desk/statistics/by", "/desk/statistics/time", "/desk/statistics/handings",
    "/desk/statistics/people", "/desk/statistics/restatements", "/desk/statistics/definitions",
    "/desk/statistics/cases?measure=received", "/desk/statistics/report",
)  # fmt: skip
NUMBER = re.compile(r"/desk/cases/(JC\d{12})")


@pytest.fixture
def told(city: None, kept: Kept) -> None:
    """The worked story, and one of the market bureau that its applicant withdrew."""

    def build() -> None:
        from tests.accounts.city import small_city

        small_city()
        people.items()
        people.golden()
        other = people.received("10-13 09:00", item=people.FOOD, who="p-market-clerk")
        other.do("p-market-clerk", "accepted", "10-13 10:00")
        other.do("p-market-reviewer", "step_taken", "10-14 10:00")
        other.do("p-market-clerk", "withdrawn", "10-15 10:00")
        people.received("11-02 09:00", missing=1)
        ledger.catch_up()

    kept.again("statistics at the desk", build)


class _Links(HTMLParser):
    """The links of a page with their words."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._href: str | None = None
        self._words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._href, self._words = dict(attrs).get("href"), ""

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href:
            self.found.append((self._href, self._words.strip()))
            self._href = None


def links(page: str) -> Iterator[tuple[str, str]]:
    parser = _Links()
    parser.feed(page)
    return iter(parser.found)


def behind(page: str) -> dict[str, tuple[str, str]]:
    """The numbers of a page that lead to cases: the measure → (address, the number's words)."""
    found: dict[str, tuple[str, str]] = {}
    for href, words in links(page):
        if "/desk/statistics/cases?" in href:
            found.setdefault(parse_qs(urlsplit(href).query)["measure"][0], (href, words))
    return found


def listed(client: Client, href: str) -> list[str]:
    """All cases behind a number, page by page."""
    numbers: list[str] = []
    while href:
        page = text(client.get(href))
        numbers += NUMBER.findall(page)
        href = next((to for to, words in links(page) if words == "下一页"), "")
    return numbers


@pytest.mark.usefixtures("told")
def test_every_count_on_the_first_page_leads_to_exactly_so_many_cases_in_two_clicks() -> None:
    client = sign_in(SUPERVISOR)
    numbers = behind(text(client.get(f"/desk/statistics/?{YEAR}")))
    counted = {
        measure: (href, int(words))
        for measure, (href, words) in numbers.items()
        if words.isdigit() and BY_FIGURE.get(measure, BY_FIGURE["received"]).kind == "count"
    }
    assert counted["received"][1] == 3
    assert counted["closed"][1] == 2
    assert counted["notices"][1] == 1
    assert {"accepted", "open", "suspensions"} <= counted.keys()
    for measure, (href, count) in counted.items():
        if BY_CODE.get(measure) is None or BY_CODE[measure].unit == "件":
            found = listed(client, href)
            assert len(found) == count == len(set(found)), measure
    case = listed(client, counted["received"][0])[0]
    assert client.get(f"/desk/cases/{case}").status_code == 200


@pytest.mark.usefixtures("told")
def test_no_page_names_an_applicant() -> None:
    client = sign_in(SUPERVISOR)
    for where in PAGES:
        answer = client.get(f"{where}{'&' if '?' in where else '?'}{YEAR}")
        assert answer.status_code == 200, where
        assert COMPANY.name not in text(answer), where
        assert "style=" not in text(answer), where


@pytest.mark.usefixtures("told")
def test_every_page_asks_the_database_a_dozen_times_at_most() -> None:
    client = sign_in(SUPERVISOR)
    asked = {}
    for where in (*PAGES, "/desk/statistics/by?by=item", "/desk/statistics/by?by=window&q=B23",
                  "/desk/statistics/by?compare=on", f"/desk/statistics/?agency={people.WATER}"):  # fmt: skip
        address = f"{where}{'&' if '?' in where else '?'}{YEAR}"
        client.get(address)
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        asked[where] = len(found)
    assert {where: count for where, count in asked.items() if count > 12} == {}


@pytest.mark.usefixtures("told")
def test_a_head_sees_the_organs_own_and_cannot_ask_for_another() -> None:
    client = sign_in(HEAD)
    page = text(client.get(f"/desk/statistics/?{YEAR}"))
    assert behind(page)["received"][1] == "2"
    assert "各区收件" not in page  # one district is no map
    by = text(client.get(f"/desk/statistics/by?{YEAR}"))
    assert "江城市水务局" in by
    assert "江城市市场监督管理局" not in by
    answer = client.get(f"/desk/statistics/?{YEAR}&agency={people.MARKET}")
    assert answer.status_code == 422
    assert "不在您的范围内" in text(answer)


@pytest.mark.usefixtures("told")
def test_a_hall_is_seen_by_its_manager_who_sees_no_people() -> None:
    client = sign_in(MANAGER)
    page = text(client.get(f"/desk/statistics/?{YEAR}"))
    assert behind(page)["received"][1] == "3"
    assert "/desk/statistics/people" not in page
    assert client.get("/desk/statistics/people").status_code == 403
    person = "/desk/statistics/cases?measure=received&person=p-water-clerk"
    assert client.get(f"{person}&{YEAR}").status_code == 422


@pytest.mark.usefixtures("told")
def test_people_are_shown_to_their_head_each_number_with_its_cases() -> None:
    client = sign_in(HEAD)
    page = text(client.get(f"/desk/statistics/people?{YEAR}"))
    assert actor("p-water-clerk").name in page
    assert actor("p-market-clerk").name not in page
    numbers = behind(page)
    for measure in ("received", "accepted", "notices", "granted"):
        href, words = numbers[measure]
        assert len(listed(client, href)) == int(words), measure
    other = f"/desk/statistics/cases?{YEAR}&measure=received&person=p-market-clerk"
    assert listed(client, other) == []


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("by", list(queries.DIMENSIONS))
def test_every_dimension_adds_up_on_the_page_and_in_its_files(by: str) -> None:
    client = sign_in(SUPERVISOR)
    page = text(client.get(f"/desk/statistics/by?by={by}&{YEAR}"))
    assert "收件" in page
    answer = client.get(f"/desk/statistics/by.csv?by={by}&{YEAR}")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert sum(int(row["收件"]) for row in rows) == 3
    assert sum(int(row["办结"]) for row in rows) == 2
    assert sum(int(row["在办"]) for row in rows) == 1
    book = client.get(f"/desk/statistics/by.xlsx?by={by}&{YEAR}")
    table = sheets.read(book.content, filename="a.xlsx")
    assert [one.cells["收件"] for one in table.rows] == [row["收件"] for row in rows]
    for row in rows:
        assert row["名称"] in page


@pytest.mark.usefixtures("told")
def test_a_table_is_sorted_by_its_columns_and_searched_by_name() -> None:
    client = sign_in(SUPERVISOR)

    def order(query: str) -> list[str]:
        page = text(client.get(f"/desk/statistics/by?{YEAR}&{query}"))
        return re.findall(r'<th scope="row"><a [^>]*>([^<]+)</a>', page)

    water, market = "江城市水务局", "江城市市场监督管理局"
    assert order("sort=-received") == [water, market]
    assert order("sort=received") == [market, water]
    assert order("sort=-closed") == [market, water]
    assert set(order("sort=name")) == {water, market}
    assert order("sort=name") == order("sort=-name")[::-1]
    assert order("q=%E6%B0%B4%E5%8A%A1") == [water]  # 水务
    page = text(client.get(f"/desk/statistics/by?{YEAR}&sort=-closed&compare=on"))
    assert 'aria-sort="descending"' in page
    assert "↑ 增 1" in page


@pytest.mark.usefixtures("told")
def test_what_is_too_long_for_a_file_at_once_is_offered_in_the_background(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zhengwu.desk.statistics.views.MOST", 1)
    client = sign_in(SUPERVISOR)
    page = text(client.get(f"/desk/statistics/by?{YEAR}"))
    (href,) = [to for to, words in links(page) if words.startswith("在后台导出")]
    assert client.get(href).status_code == 200
    refused = client.get(f"/desk/statistics/by.csv?{YEAR}")
    assert refused.status_code == 422
    assert "一次最多导出 1 行" in text(refused)
    cases = text(client.get(f"/desk/statistics/cases?{YEAR}&measure=received"))
    (href,) = [to for to, words in links(cases) if words.startswith("在后台导出")]
    assert client.get(href).status_code == 200


@pytest.mark.usefixtures("told")
def test_time_is_cut_into_its_parts_which_add_up() -> None:
    client = sign_in(SUPERVISOR)
    for grain, parts in (("month", 11), ("quarter", 4), ("year", 1), ("week", 48), ("day", 332)):
        where = f"/desk/statistics/time.csv?{YEAR}&grain={grain}"
        answer = client.get(where)
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == parts
        assert sum(int(row["收件"]) for row in rows) == 3
        assert rows[-1]["在办"] == "1"
        page = text(client.get(f"/desk/statistics/time?{YEAR}&grain={grain}"))
        assert "办结件数" in page
    october = text(client.get(f"/desk/statistics/time?{YEAR}&grain=month"))
    href, words = behind(october)["closed"]
    assert "since=2026-10-01" in href
    assert len(listed(client, href)) == int(words) == 1


@pytest.mark.usefixtures("told")
def test_a_hand_over_leads_to_the_cases_in_which_just_this_was_handed() -> None:
    case = people.received("10-20 09:00", item=people.FOOD, who="p-market-clerk")
    case.do("p-market-clerk", "withdrawn", "10-20 10:00")
    ledger.catch_up()
    client = sign_in(SUPERVISOR)
    page = text(client.get(f"/desk/statistics/handings?{YEAR}"))
    href, _ = behind(page)["handovers"]
    assert f"giver={people.MARKET}" in href
    assert "24.0" in page  # hours from one day's ten to the next
    assert len(listed(client, href)) == 1
    turned = href.replace(f"taker={people.MARKET}", f"taker={people.WATER}")
    assert listed(client, turned) == []


@pytest.mark.usefixtures("told")
def test_a_restated_figure_is_told_with_its_day_and_its_difference() -> None:
    case = people.received("09-01 09:00", item=people.FOOD, who="p-market-clerk")
    case.do("p-market-clerk", "accepted", "09-01 10:00")
    ledger.catch_up()
    page = text(sign_in(SUPERVISOR).get("/desk/statistics/restatements?period=2026-09"))
    assert "2026-09-01" in page
    assert "增 1" in page
    quiet = text(sign_in(SUPERVISOR).get("/desk/statistics/restatements?period=2025-09"))
    assert "没有更正过" in quiet


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("since=2026-11-02&until=2026-11-01", "“到”早于“从”"),
        ("since=2026-02-30", "“从”：请按“2026-01-31”的样子填写日期"),
        ("since=2031-01-01&until=2031-02-01", "这段时间还没有到"),
        ("since=1999-01-01", "2000 年到 2100 年之间"),
        ("since=2000-01-01&until=2099-12-31", "期间太长"),
        ("since=2000-01-01&until=2100-01-01", "期间太长"),
        ("period=2026-13", "看不懂这个期间"),
        ("period=1889", "年之间的日期"),
        ("kind=nothing", "没有这种办件类型"),
        ("agency=%00", "这个条件看不懂"),
        ("item=" + "9" * 200, "这个条件看不懂"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(asked: str, said: str, city: None) -> None:
    client = sign_in(SUPERVISOR)
    for where in ("/desk/statistics/", "/desk/statistics/by", "/desk/statistics/by.csv",
                  "/desk/statistics/time", "/desk/statistics/handings", "/desk/statistics/people.xlsx",
                  "/desk/statistics/cases", "/desk/statistics/restatements"):  # fmt: skip
        answer = client.get(f"{where}?{asked}")
        assert answer.status_code == 422, where
        assert said in text(answer), where
        assert "<title>错误：" in text(answer)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("by?by=colour", "没有“colour”这个维度"),
        ("by?sort=-colour", "不能按这一列排序"),
        ("people?sort=-colour", "不能按这一列排序"),
        ("time?grain=hour", "没有这种时间粒度"),
        ("time?since=2000-01-01&until=2026-11-01&grain=day", "期间太长"),
        ("time?since=2015-01-01&until=2026-11-01&grain=day", "分得太细"),
        ("cases?measure=colour", "没有“colour”这个指标"),
        ("cases?measure=received&after=x", "翻页的位置看不懂"),
        ("handings?item=XK0036", "移交表不分事项"),
        ("report?month=2031-01", "还没有到"),
        ("report?month=2026", "一次一个月"),
        ("report.pdf?month=soon", "看不懂这个期间"),
    ],
)
def test_other_questions_are_refused_in_words_too(where: str, said: str, city: None) -> None:
    answer = sign_in(SUPERVISOR).get(f"/desk/statistics/{where}")
    assert answer.status_code == 422
    assert said in text(answer)


def test_an_empty_city_is_told_without_a_picture(city: None) -> None:
    client = sign_in(SUPERVISOR)
    assert "可以换一个期间" in text(client.get("/desk/statistics/"))
    for where in PAGES[1:]:
        assert client.get(where).status_code == 200, where


def test_whoever_only_handles_cases_gets_no_page(city: None) -> None:
    for who in ("p-water-clerk", "p-water-approver", "p-system_admin"):
        for where in PAGES:
            assert sign_in(who).get(where).status_code == 403, (who, where)


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "now", "before", "said"),
    [
        ("received", 12, 10, "比上期 ↑ 增 2（20.0%）"),
        ("received", 8, 10, "比上期 ↓ 减 2（20.0%）"),
        ("received", 5, 0, "比上期 ↑ 增 5"),
        ("received", 0, 0, "比上期 → 持平"),
        ("on_time_share", 0.95, 0.9, "比上期 ↑ 增 5.0 个百分点"),
        ("on_time_share", 0.9, None, "比上期 · 无可比"),
        ("mean_days", 4.26, 5.5, "比上期 ↓ 减 1.2 个工作日"),
        ("mean_days", 4.26, 4.27, "比上期 → 持平"),
    ],
)
def test_a_change_is_told_by_arrow_word_and_number(
    code: str, now: float | None, before: float | None, said: str
) -> None:
    assert change(BY_FIGURE[code], "比上期", now, before).text == said


def test_months_before_the_first_case_and_after_today_are_gaps_and_not_zeros() -> None:
    year = of("2026")
    nothing = dict.fromkeys(measuring.CODES, 0)
    months = tuple(year.cut(Grain.MONTH))
    rows = {
        one.since.isoformat(): queries.Row((), one, nothing | {"closed": one.since.month % 5})
        for one in months
        if one.since.month >= 3
    }
    _, (now, before) = showing.by_month(rows, months, "closed", today=date(2026, 11, 28))
    assert now.values == (None, None, 3, 4, 0, 1, 2, 3, 4, 0, 1, None)
    assert set(before.values) == {None}


def test_the_written_definitions_are_printed_from_the_code() -> None:
    from pathlib import Path

    page = Path(__file__).parents[2] / "docs/reference/statistics.md"
    assert page.read_text("utf-8") == measuring.markdown()


def test_what_is_made_of_others_is_defined_in_one_way_everywhere() -> None:
    told = {one["code"]: (one["zh"], one["unit"], one["what"]) for one in telling.definitions()}
    defined = (*measuring.MEASURES, *measuring.DERIVED)
    assert {one.code: (one.zh, one.unit, one.what) for one in defined} == told
