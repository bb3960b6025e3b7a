"""Public statistics as anybody reads and downloads them, over the real log and over the worked story."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cases import people
from tests.desk import walk
from tests.statistics.test_figures import NOW, real, replayed
from zhengwu.documents.sheets import read
from zhengwu.domain.measuring import CODES, HANDS
from zhengwu.domain.periods import Period
from zhengwu.ledger import services as ledger
from zhengwu.portal.statistics import few, reading, said, tables, views
from zhengwu.statistics import queries, telling
from zhengwu.statistics.queries import EVERYWHERE, Question, Row
from zhengwu.web import throttle

__all__ = ["replayed"]
LOG = {"from": "2010-10", "to": "2012-01"}
AUTUMN = {"from": "2026-09", "to": "2026-11"}
PAGES = (
    "/statistics/", *(f"/statistics/by/{way}" for way in reading.WAYS), "/statistics/time",
    "/statistics/restatements", "/statistics/definitions", "/statistics/data/",
)  # fmt: skip


@pytest.fixture
def anyone(db: None) -> Client:
    return walk.public()


@pytest.fixture
def autumn(town: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worked story and what a second person asked for: counted, read on 23 November."""
    people.golden()
    ledger.catch_up()
    monkeypatch.setattr("zhengwu.portal.statistics.views.now", lambda: NOW)


def table(client: Client, name: str, given: dict[str, str]) -> list[dict[str, Any]]:
    answer = client.get(f"/statistics/data/{name}.json", given)
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def plain(page: str) -> str:
    """What is read on a page, without marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# --- the real log -----------------------------------------------------------------------------------


@real
@pytest.mark.usefixtures("replayed")
def test_every_page_and_file_says_what_the_figures_say(anyone: Client) -> None:
    period = Period(date(2010, 10, 1), date(2012, 1, 31))
    for way in reading.WAYS:
        figures = queries.figures(EVERYWHERE, Question(period=period, by=way), at=NOW)
        rows = table(anyone, way, LOG)
        assert len(rows) == len(figures) > 0
        for row, one in zip(rows, figures, strict=True):
            shown = {code: one[code] for code in CODES if code not in row["hidden"].split()}
            assert shown.items() <= row.items(), way
            assert row["open"] == one.open
        assert f"{sum(one['received'] for one in figures):,}" in plain(
            walk.text(anyone.get("/statistics/", LOG))
        )
    (whole,) = table(anyone, "city", LOG)
    assert (whole["received"], whole["closed"], whole["unjudged"]) == (1434, 1329, 1329)
    assert whole["on_time_share"] is None
    trend = table(anyone, "trend", LOG)
    assert len(trend) == 16
    assert sum(row["closed"] for row in trend) == 1329
    by_day = table(anyone, "trend", {"from": "2011-10", "grain": "day"})
    assert sum(row["received"] for row in by_day) == next(
        row["received"] for row in trend if row["from"] == "2011-10-01"
    )
    channels = {row["channel"]: row for row in table(anyone, "channel", LOG)}
    assert channels["Internet"]["channel_name"] == "互联网"


@real
@pytest.mark.usefixtures("replayed")
def test_a_table_is_the_same_in_every_format(anyone: Client) -> None:
    rows = table(anyone, "channel", LOG)
    columns = tables.columns(tables.TABLES["channel"])
    answer = anyone.get("/statistics/data/channel.csv", LOG)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="statistics-channel-2010-10-2012-01.csv"' in answer["Content-Disposition"]
    head, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head == [one.zh for one in columns]
    told = [
        ["" if row[one.code] is None else str(row[one.code]) for one in columns] for row in rows
    ]
    assert lines == told
    book = read(anyone.get("/statistics/data/channel.xlsx", LOG).content, filename="a.xlsx")
    assert list(book.columns) == head
    numbers = [[_number(cell) for cell in row.cells.values()] for row in book.rows]
    assert numbers == [[_number(cell) for cell in row] for row in told]


def _number(cell: str) -> object:
    return float(cell) if re.fullmatch(r"\d+(\.\d+)?", cell) else cell


@real
@pytest.mark.usefixtures("replayed")
def test_what_other_systems_did_is_not_judged_but_told_by_their_own_word(anyone: Client) -> None:
    page = plain(walk.text(anyone.get("/statistics/", LOG)))
    assert "没有报来法定期限和承诺期限，本平台不评判" in page
    assert "按来源系统自报的期限" in page
    assert "2010 年 10 月 1 日至 2012 年 1 月 31 日，全市收到申请 1,434 件，办结 1,329 件" in page


# --- one month --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("autumn")
def test_without_a_question_the_last_full_month_is_told(anyone: Client) -> None:
    page = plain(walk.text(anyone.get("/statistics/")))
    assert "2026 年 10 月，全市收到申请 0 件，比上月少 100%，办结 0 件" in page
    assert "期末在办 1 件" in page
    march = plain(walk.text(anyone.get("/statistics/", {"from": "2026-03"})))
    assert "2026 年 3 月，全市没有办件" in march
    assert "现在在办 0 件" in plain(walk.text(anyone.get("/statistics/", {"from": "2026-11"})))


@pytest.mark.usefixtures("autumn")
def test_one_goes_from_month_to_month_as_far_as_there_are_figures(anyone: Client) -> None:
    october = walk.text(anyone.get("/statistics/"))
    assert 'href="/statistics/?from=2026-09&to=2026-09">上月' in october
    assert "下月" not in october
    september = walk.text(anyone.get("/statistics/", {"from": "2026-09"}))
    assert ">上月<" not in september
    assert 'href="/statistics/?from=2026-10&to=2026-10">下月' in september


@pytest.mark.usefixtures("autumn")
def test_the_story_is_told_in_words_and_its_time_adds_up(anyone: Client) -> None:
    page = plain(walk.text(anyone.get("/statistics/", AUTUMN)))
    for sentence in (
        "收到申请 1 件，办结 1 件",
        "能评判的 1 件里，100% 按时办结",
        "平均 12 个工作日办完；一半在 12 个工作日以内",
        "现在在办 0 件。",
    ):
        assert sentence in page, sentence
    row = queries.figures(
        EVERYWHERE, Question(period=Period(date(2026, 9, 1), date(2026, 11, 30))), at=NOW
    )[0]
    hands = said.hands(row)
    assert abs(sum(one.share for one in hands) - 1) < 1e-9
    assert {one.code for one in hands} == {code for code in HANDS if row[code]}
    assert f"平均一件 {said.days(said.whole_days(row))} 天" in page
    agencies = plain(walk.text(anyone.get("/statistics/time", AUTUMN)))
    assert "江城市水务局" in agencies


@pytest.mark.usefixtures("autumn")
def test_no_page_and_no_file_tells_a_person_a_case_or_a_window(anyone: Client) -> None:
    names = ("江城清源水务", "何晓岚", "李雪梅", "江水", "p-water", "JC2026", "B23", "窗口人员")
    answers = [anyone.get(one, AUTUMN) for one in PAGES]
    answers += [
        anyone.get(f"/statistics/data/{name}.{form}", AUTUMN if one.takes else {})
        for name, one in tables.TABLES.items()
        for form in ("csv", "json")
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.request["PATH_INFO"]
        text = answer.content.decode()
        assert not [one for one in names if one in text], answer.request["PATH_INFO"]


# --- small numbers ----------------------------------------------------------------------------------


def row(key: str, *, open: int = 0, **counts: int) -> Row:
    return Row(
        (key,), Period(date(2026, 10, 1), date(2026, 10, 31)),
        dict.fromkeys(CODES, 0) | counts, open=open,
    )  # fmt: skip


def test_a_figure_of_an_item_speaks_of_three_cases_at_least() -> None:
    many = row("many", received=90, closed=90, decided=90, refused=1, late=1)
    one = row("one", received=1, closed=1, decided=1, refused=1, late=1)
    two = row("two", received=2, closed=2, decided=2, granted=2, on_time=2)
    running = row("running", received=9, open=8, closed=1, late=1)
    hidden = few.hidden((many, one, two, running), fewest=3)
    assert not hidden[0].why  # one refusal among ninety tells nobody apart
    for alone in hidden[1:3]:
        assert {"received", "refused", "late", "on_time_share", "mean_days", "open"} <= set(
            alone.why
        )
    assert "received" not in hidden[3]
    assert hidden[3].why["late"] == hidden[3].why["elapsed"] == few.FEW


def test_a_row_that_would_be_told_by_subtraction_takes_the_next_smallest_with_it() -> None:
    large, small, one = (
        row(name, received=n, closed=n, decided=n) for name, n in (("l", 80), ("s", 20), ("o", 1))
    )
    told, beside, alone = few.hidden((large, small, one), fewest=3)
    assert not told.why
    assert beside.why["closed"] == few.WITHHELD
    assert alone.why["closed"] == few.FEW
    assert all(not one.why for one in few.hidden((large, small), fewest=3))
    assert all(not one.why for one in few.hidden((large, small, one), fewest=1))


def test_every_figure_speaks_of_one_group_of_cases() -> None:
    codes = [code for group in few.GROUPS for code in group.codes]
    assert len(codes) == len(set(codes))
    assert set(codes) == {one["code"] for one in telling.definitions()}


@pytest.mark.usefixtures("autumn")
def test_one_case_of_an_item_is_not_told_and_the_agency_is(anyone: Client) -> None:
    (told,) = table(anyone, "item", AUTUMN)
    assert told["item"] == people.INTAKE
    assert told["received"] is told["closed"] is told["granted"] is told["on_time_share"] is None
    assert {"received", "closed", "elapsed"} <= set(told["hidden"].split())
    for page in (
        anyone.get("/statistics/by/item", AUTUMN),
        anyone.get("/statistics/", {**AUTUMN, "item": people.INTAKE}),
    ):
        text = plain(walk.text(page))
        assert "少于 3" in text
        assert "100%" not in text
    assert "办件很少，有的数字不公布" in text
    (agency,) = table(anyone, "agency", AUTUMN)
    assert (agency["received"], agency["hidden"]) == (1, "")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"channel": "window"}, "channel"), ({"kind": "promised"}, "kind"),
        ({"from": "2026-10-01", "to": "2026-10-30"}, "from"), ({"from": "2026-W40"}, "from"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("autumn")
def test_an_item_is_not_cut_finer_than_a_month(
    anyone: Client, given: dict[str, str], field: str
) -> None:
    answer = anyone.get("/statistics/data/trend.json", {"item": people.INTAKE, **given})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert anyone.get("/statistics/", {"item": people.INTAKE, **given}).status_code == 422


# --- asked wrongly, asked often ---------------------------------------------------------------------

UGLY: tuple[tuple[dict[str, str], str], ...] = (
    ({"from": "2027-05"}, "这段时间还没有到"),
    ({"from": "2026-11", "to": "2026-09"}, "“到”早于“从”"),
    ({"from": "2026-13"}, "看不懂这个期间"),
    ({"from": "2026-Q9"}, "看不懂这个期间"),
    ({"from": "2026-Q" + "9" * 10_000}, "读不懂，或者太长"),
    ({"from": "0001"}, "1990 年到 2199 年"),
    ({"from": "2026-02-30"}, "看不懂这个期间"),
    ({"agency": "x" * 10_000}, "读不懂，或者太长"),
    ({"agency": "420100-atlantis"}, "没有“420100-atlantis”这个机关"),
    ({"item": "XK9999"}, "没有“XK9999”这个事项"),
    ({"district": "420199"}, "这个区划"),
    ({"channel": "<script>alert(1)</script>"}, "这个渠道"),
    ({"kind": "\u202e\x07"}, "读不懂，或者太长"),
    ({"source": "'; DROP TABLE statistics_place; --"}, "这个来源"),
)


@pytest.mark.usefixtures("autumn")
def test_what_cannot_be_read_is_said_with_the_form_to_mend_it(anyone: Client) -> None:
    for given, sentence in UGLY:
        page = anyone.get("/statistics/", given)
        text = walk.text(page)
        assert page.status_code == 422, given
        assert sentence in text, given
        assert 'name="from"' in text
        assert "<script>alert" not in page.content.decode()
        file = anyone.get("/statistics/data/city.json", given)
        assert (file.status_code, file["Content-Type"]) == (422, "application/problem+json"), given
        assert sentence in file.json()["detail"]
        assert file.json()["field"] == next(iter(given)) or "to" in given


@pytest.mark.usefixtures("autumn")
def test_an_address_that_is_not_there_is_not_found_and_a_wrong_name_is_no_answer(
    anyone: Client,
) -> None:
    for where in ("data/city.pdf", "data/people.csv", "data/..%2f.csv", "by/window", "by/person"):
        assert anyone.get(f"/statistics/{where}").status_code == 404, where
    file = anyone.get("/statistics/data/kind.csv", {"month": "2026-10"})
    assert (file.status_code, file.json()["field"]) == (422, "month")
    dictionary = anyone.get("/statistics/data/definitions.csv", {"from": "2026-10"})
    assert dictionary.status_code == 422
    assert anyone.get("/statistics", follow=False).status_code == 301
    # A page does not look at what it does not take.
    assert anyone.get("/statistics/", {"utm_source": "letter", "page": "x"}).status_code == 200
    assert anyone.get("/statistics/by/item", {**AUTUMN, "page": "9" * 500}).status_code == 200
    assert anyone.get("/statistics/by/item", {**AUTUMN, "sort": "name; --"}).status_code == 200


@pytest.mark.usefixtures("autumn")
def test_a_page_is_made_once_for_everybody_and_sent_once_to_each(
    anyone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One look for the whole test: the next is not due in the middle of it.
    monkeypatch.setattr(reading, "LOOK", 10**9)
    reading._position.cache_clear()
    first = anyone.get("/statistics/", AUTUMN)
    with CaptureQueriesContext(connection) as asked:
        second = walk.public().get("/statistics/", {**AUTUMN, "utm_source": "letter"})
    assert second.content == first.content
    assert not len(asked)
    assert first["Cache-Control"] == "public, max-age=60"
    again = anyone.get("/statistics/", AUTUMN, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    elder = walk.public()
    elder.get("/elder?on")
    assert 'class="elder"' in walk.text(elder.get("/statistics/", AUTUMN))
    people.received("09-15 10:00")
    ledger.catch_up()
    reading._position.cache_clear()
    changed = anyone.get("/statistics/", AUTUMN, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert "收到申请 2 件" in plain(walk.text(changed))


@pytest.mark.usefixtures("autumn")
def test_who_asks_for_ever_new_pages_waits(anyone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "PER_SENDER", 3)
    throttle._leases.clear()
    answers = [anyone.get("/statistics/", {"from": f"2026-0{n}"}) for n in range(1, 6)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    file = anyone.get("/statistics/data/city.csv", AUTUMN)
    assert (file.status_code, file["Content-Type"]) == (429, "application/problem+json")
    assert anyone.get("/statistics/", {"from": "2026-01"}).status_code == 200  # it is kept


@pytest.mark.usefixtures("autumn")
def test_the_data_dictionary_names_every_column_of_every_table(anyone: Client) -> None:
    page = walk.text(anyone.get("/statistics/data/"))
    defined = {one["code"] for one in table(anyone, "definitions", {})}
    words = walk.text(anyone.get("/statistics/definitions"))
    for code in defined:
        assert f'id="{code}"' in words
    for name, one in tables.TABLES.items():
        for row in table(anyone, name, AUTUMN if one.takes else {}):
            assert set(row) == {column.code for column in tables.columns(one)}, name
        for column in tables.columns(one):
            assert f"<code>{column.code}</code>" in page, (name, column)
    assert "这是平台建议的措辞，由市里确定" in page


@pytest.mark.usefixtures("autumn")
def test_the_city_says_under_which_licence_its_data_may_be_used(
    anyone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "OPEN_DATA_LICENCE", "江城市政府数据开放许可第 1 版")
    page = walk.text(anyone.get("/statistics/data/"))
    assert "江城市政府数据开放许可第 1 版" in page
    assert "由市里确定" not in page
    file = anyone.get("/statistics/data/city.json", AUTUMN)
    assert file.json()["licence"] == "江城市政府数据开放许可第 1 版"
    assert "license" in file["Link"]


@pytest.mark.usefixtures("autumn")
def test_a_corrected_day_is_listed(anyone: Client) -> None:
    rows = table(anyone, "restatements", AUTUMN)
    assert {"day": "2026-09-14", "measure": "received", "delta": 1}.items() <= next(
        one for one in rows if one["measure"] == "received"
    ).items()
    page = plain(walk.text(anyone.get("/statistics/restatements", AUTUMN)))
    assert "2026-09-14 江城市水务局" in page


def test_percent_and_change_say_no_more_than_is_so() -> None:
    assert said.percent(1329 / 1330) == "99.9%"
    assert said.percent(0.9999) == "99.9%"
    assert said.percent(1.0) == "100%"
    assert said.percent(0.0001) == "0.1%"
    assert said.percent(0.0) == "0%"
    assert said.percent(None) == "—"
    assert (said.change(105, 100), said.change(99, 100), said.change(7, 7)) == (
        "多 5%", "少 1%", "一样多",
    )  # fmt: skip
    assert said.change(7, 0) == ""


def test_the_columns_for_people_have_names_of_their_own() -> None:
    for one in tables.TABLES.values():
        heads = [column.zh for column in tables.columns(one)]
        assert len(heads) == len(set(heads)), one.code
