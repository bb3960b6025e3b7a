"""The staff read the catalogue: its list, one item whole, the districts side by side, the words."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.catalog.districts import AT, INTAKE, SECOND, TODAY, WATER, departing, release
from tests.conftest import Kept
from tests.desk.walk import Answer, sign_in, text
from zhengwu.accounts import queries as accounts
from zhengwu.catalog import changes, finding, listing, services, words
from zhengwu.catalog.listing import Question
from zhengwu.documents import sheets
from zhengwu.domain.procedure import Limit

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")
LIST = "/desk/catalogue"
ITEM = f"{LIST}/items/{INTAKE}"
COMPARE = f"{LIST}/compare/{INTAKE}"
WORDS = f"{LIST}/words"


@pytest.fixture(autouse=True)
def _departing(db: None, kept: Kept) -> None:
    kept.again("departing", departing)


@pytest.fixture
def centre() -> Client:
    return sign_in("p-centre_manager")


@pytest.fixture
def reviewer() -> Client:
    return sign_in("p-water-reviewer")


def codes(answer: Answer) -> list[str]:
    """The items of a page of the list, in their order."""
    return re.findall(r'<td><a class="cut" href="/desk/catalogue/items/([^"?]+)', text(answer))


def rows(answer: Answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def queries(client: Client, where: str) -> int:
    client.get(where)  # the templates are compiled, the session is there
    with CaptureQueriesContext(connection) as asked:
        assert client.get(where).status_code == 200
    return len(asked)


# --- the list ---------------------------------------------------------------------------------------


def test_the_list_shows_every_level_and_says_how_many(reviewer: Client) -> None:
    page = text(reviewer.get(LIST))
    assert re.search(r"现行 <b class=\"num\">(\d+)</b>", page)
    found = codes(reviewer.get(LIST, {"q": "取水许可"}))
    assert found == [f"P.{INTAKE}", f"C.{INTAKE}", INTAKE, f"{INTAKE}-420102", SECOND]


def test_each_condition_narrows_the_list(reviewer: Client) -> None:
    asked_and_found: list[tuple[dict[str, str], list[str]]] = [
        ({"q": "取水", "level": "city"}, [f"C.{INTAKE}"]),
        ({"q": "取水", "region": "420102"}, [f"{INTAKE}-420102"]),
        ({"q": "qsxk", "level": "implementation", "agency": WATER}, [INTAKE]),
        ({"q": "xk0036 420103"}, [SECOND]),
        ({"q": "水务 取水", "level": "city"}, [f"C.{INTAKE}"]),
        ({"q": "取水", "level": "province", "type": "行政许可"}, [f"P.{INTAKE}"]),
        ({"q": "取水", "level": "province", "type": "公共服务"}, []),
        ({"q": "取水", "level": "city", "under": "100"}, [f"C.{INTAKE}"]),
        ({"q": "取水", "level": "city", "under": "10"}, []),
        ({"q": "取水", "level": "city", "generated": "yes"}, []),
        ({"q": "取水", "level": "city", "generated": "no"}, [f"C.{INTAKE}"]),
        ({"q": "，。"}, []),
        ({"q": "%"}, []),
    ]
    for asked, found in asked_and_found:
        assert codes(reviewer.get(LIST, asked)) == found, asked


def test_a_word_of_the_centres_list_finds_what_it_means(reviewer: Client, centre: Client) -> None:
    assert codes(reviewer.get(LIST, {"q": "抽地下水", "level": "city"})) == []
    words.add(accounts.actor("p-centre_manager"), "抽地下水", ["取水许可"], at=AT)
    assert codes(reviewer.get(LIST, {"q": "抽地下水", "level": "city"})) == [f"C.{INTAKE}"]


def test_what_is_coming_and_what_is_gone_stand_apart(reviewer: Client) -> None:
    services.publish_all(
        [release(f"C.{INTAKE}", since=date(2099, 1, 1), note="新的说明")], by=None, at=AT
    )
    coming = reviewer.get(LIST, {"state": "coming"})
    assert codes(coming)[:2] == [f"C.{INTAKE}", INTAKE]  # what follows comes with it
    assert f"/items/C.{INTAKE}?version=2" in text(coming)
    assert f"C.{INTAKE}" in codes(reviewer.get(LIST, {"q": "取水"}))
    gone = reviewer.get(LIST, {"state": "gone"})
    assert codes(gone)
    assert not set(codes(gone)) & set(codes(reviewer.get(LIST, {"q": "", "level": ""})))
    nothing = text(reviewer.get(LIST, {"q": "取水", "state": "gone"}))
    assert "没有符合条件的已取消事项" in nothing
    assert "现行的有 5 项" in nothing


def test_it_is_sorted_and_paged(reviewer: Client) -> None:
    by_score = text(reviewer.get(LIST, {"sort": "score", "level": "implementation"}))
    scores = [int(one) for one in re.findall(r'data-l="完整度"><span class="num[^>]*>(?:<[^>]*>[^<]*</span>)?(\d+)', by_score)]  # fmt: skip
    assert scores == sorted(scores)
    names = codes(reviewer.get(LIST, {"sort": "name"}))
    assert sorted(names) == sorted(codes(reviewer.get(LIST)))
    assert codes(reviewer.get(LIST, {"page": "999"})) == codes(reviewer.get(LIST))
    newest = codes(reviewer.get(LIST, {"sort": "date"}))
    assert newest[0] == SECOND  # changed in June, the others in January


def test_a_page_behind_the_last_is_the_last() -> None:
    whole = listing.items(Question(size=1000), TODAY)
    pages = [listing.items(Question(size=7, page=n), TODAY) for n in range(1, 8)]
    assert [one.page for one in pages] == [*range(1, pages[0].pages + 1), 6][:7]
    rows = [row.code for one in pages[: pages[0].pages] for row in one.rows]
    assert rows == [row.code for row in whole.rows]
    assert pages[-1].rows == pages[pages[0].pages - 1].rows


def test_who_may_draft_gets_the_ways_to_begin_and_nobody_else(
    reviewer: Client, centre: Client
) -> None:
    def ways(client: Client, code: str) -> set[str]:
        page = text(client.get(LIST, {"q": code}))
        found = re.findall(rf'begin\?([^"]*{re.escape(code)}(?:&[^"]*)?)"', page)
        return {one.replace(code, "") for one in found}

    own = {"item=", "copy=", "item=&purpose=retire"}
    assert ways(reviewer, INTAKE) >= own
    assert ways(reviewer, SECOND) == {"copy="}  # another organ's
    assert ways(reviewer, f"P.{INTAKE}") == {"copy="}
    assert ways(centre, f"P.{INTAKE}") == own
    assert ways(centre, SECOND) == own
    assert ways(sign_in("p-d102-head"), f"{INTAKE}-420102") == own
    clerk = text(sign_in("p-water-clerk").get(LIST))
    assert "begin?" not in clerk
    assert "新增事项" not in clerk


def test_the_list_goes_out_as_csv_and_xlsx(reviewer: Client) -> None:
    asked = {"q": "取水", "sort": "code"}
    answer = reviewer.get(f"{LIST}.csv", asked)
    assert [row[0] for row in rows(answer)[1:]] == codes(reviewer.get(LIST, asked))
    assert rows(answer)[2][1:4] == ["取水许可", "市级通用清单", "江城市"]
    book = reviewer.get(f"{LIST}.xlsx", asked)
    table = sheets.read(book.content, filename="a.xlsx")
    assert [row.cells["事项编码"] for row in table.rows] == [row[0] for row in rows(answer)[1:]]
    assert reviewer.get(f"{LIST}.pdf").status_code == 404


def test_no_cell_of_an_export_is_a_formula(reviewer: Client) -> None:
    services.publish(draft("QT9009", "=1+1取水"), by=None, at=AT)
    (line,) = [row for row in rows(reviewer.get(f"{LIST}.csv")) if row[0] == "QT9009"]
    assert line[1] == "'=1+1取水"


def draft(code: str, name: str) -> services.Draft:
    return services.Draft(
        code=code, name=name, type="行政许可", agency=WATER, kind="promised", statutory=None,
        promised=Limit(10, basis="承诺"), promised_is="", materials=("取水申请书",),
        result="取水许可证", basis="某条例 第九条", fee="无", note="", since=date(2026, 1, 1),
    )  # fmt: skip


def test_pages_ask_few_questions(reviewer: Client) -> None:
    assert queries(reviewer, LIST) <= 10
    assert queries(reviewer, f"{LIST}?q=取水") <= 11  # and the centre's words
    assert queries(reviewer, f"{ITEM}?from=1&to=2") <= 20
    assert queries(reviewer, COMPARE) <= 8
    assert queries(reviewer, f"{LIST}/differences") <= 10
    assert queries(reviewer, f"{LIST}/alike") <= 10
    assert queries(reviewer, f"{LIST}/completeness") <= 10
    assert queries(reviewer, f"{LIST}/completeness?agency={WATER}") <= 12


@needs_data
def test_every_naughty_string_is_a_question_or_a_code(reviewer: Client, centre: Client) -> None:
    strings = json.loads((DATA / "bad-inputs" / "blns" / "blns.json").read_text(encoding="utf-8"))
    names = ("q", "level", "region", "agency", "type", "under", "generated", "sort", "page")
    for naughty in strings[::48]:
        assert reviewer.get(LIST, dict.fromkeys(names, naughty)).status_code == 200, naughty
        assert reviewer.get(f"{LIST}/differences", {"q": naughty, "element": naughty}).status_code == 200  # fmt: skip
        assert reviewer.get(ITEM, {"version": naughty, "from": naughty}).status_code == 200, naughty
        assert reviewer.get(f"{LIST}/alike/pair", {"a": naughty, "b": naughty}).status_code == 404
        assert centre.get(WORDS, {"try": naughty, "q": naughty}).status_code == 200, naughty
        wrong = centre.post(f"{WORDS}/new", {"word": naughty, "means": naughty})
        assert wrong.status_code == 422, naughty  # it would mean itself, or is empty


# --- one item ---------------------------------------------------------------------------------------


def test_an_item_says_where_each_element_comes_from(reviewer: Client) -> None:
    page = text(reviewer.get(f"{LIST}/items/{SECOND}"))

    def source(zh: str) -> str:
        found = re.search(rf'<th scope="row">{zh}</th>.*?class="from">([^<]*)<', page, re.S)
        assert found, zh
        return found.group(1)

    assert source("事项名称") == "省级清单"
    assert source("受理条件") == "市级清单"
    assert source("承诺办结时限") == "本级"
    assert source("办理地点") == "本级"
    assert source("办理流程") == "推算"
    assert "15 个工作日" in page


def test_an_item_says_what_is_missing_what_its_codes_mean_and_where_else_it_is(
    reviewer: Client,
) -> None:
    page = text(reviewer.get(ITEM))
    assert "缺少的要素" in page
    assert "数量限制" in page
    assert "本市清单的短码" in page
    assert "国家平台编码方案" in page
    assert "GB/T 39048" not in text(reviewer.get(f"{LIST}/items/{SECOND}"))  # though it would fit
    assert ">行政许可</td>" in page  # what a part of the code stands for
    assert f'href="{LIST}/items/{SECOND}"' in page
    assert f'href="{LIST}/items/P.{INTAKE}"' in page
    assert f'href="/items/{INTAKE}"' in page
    assert "和模板“一般许可”一致" in page
    assert f'href="/items/P.{INTAKE}"' not in text(reviewer.get(f"{LIST}/items/P.{INTAKE}"))


def test_a_code_with_a_fault_says_so(reviewer: Client) -> None:
    said = release(f"{INTAKE}-420102", since=date(2026, 3, 1))
    wrong = {"code": "11420100DE00301680" + "3420119001000"}  # a check character that is not
    services.publish_all([replace(said, own={**said.own, **wrong})], by=None, at=AT)
    page = text(reviewer.get(f"{LIST}/items/{INTAKE}-420102"))
    assert "实施主体：" in page


def test_any_two_versions_are_compared_and_told_who_published_them(reviewer: Client) -> None:
    page = text(reviewer.get(f"{LIST}/items/{SECOND}", {"from": "1", "to": "2"}))
    changed = page[page.index('id="changed"') :]
    assert "承诺办结时限" in changed
    assert "20 个工作日" in changed
    assert "15 个工作日" in changed
    assert "临江区" not in changed
    assert "江区三head" in page  # who published the second
    backwards = text(reviewer.get(f"{LIST}/items/{SECOND}", {"from": "2", "to": "2"}))
    assert "两版的内容一样" in backwards
    first = text(reviewer.get(f"{LIST}/items/{SECOND}", {"version": "1"}))
    assert "这是以前的版本" in first
    assert text(reviewer.get(f"{LIST}/items/{SECOND}", {"version": "7"})).count("第 2 版")
    assert reviewer.get(f"{LIST}/items/XK9999").status_code == 404


def test_a_draft_in_the_air_is_seen_by_its_organ_and_the_centre_alone(
    reviewer: Client, centre: Client
) -> None:
    identifier = changes.begin(
        accounts.actor("p-water-reviewer"), item=INTAKE, key=str(uuid4()), at=datetime.now(UTC)
    )
    for client in (reviewer, centre):
        assert f"/desk/changes/{identifier}" in text(client.get(ITEM))
    page = text(sign_in("p-market-reviewer").get(ITEM))
    assert "变更正在办理" not in page
    assert str(identifier) not in page


def test_a_retired_item_shows_what_it_was(reviewer: Client) -> None:
    (code, *_) = codes(reviewer.get(LIST, {"state": "gone"}))
    page = text(reviewer.get(f"{LIST}/items/{code}"))
    assert "已取消" in page
    assert "begin?item=" not in page
    assert f'href="/items/{code}"' not in page


# --- side by side -----------------------------------------------------------------------------------


def test_side_by_side_marks_what_differs_with_a_sign_and_a_word(reviewer: Client) -> None:
    page = text(reviewer.get(COMPARE))
    assert "3 处实施，<b>1 处</b>和市级清单不同" in page
    plain = re.sub(r"<[^>]*>", "", page)
    assert "≠ 更短 15 个工作日" in plain
    assert "≠ 更少 2 份" in plain
    assert "少：取水申请书" in page
    assert page.count("＝ 一致") == 2
    only = text(reviewer.get(COMPARE, {"only": "on"}))
    assert "望江区" in only
    assert "临江区" not in only
    assert "受理条件" not in only
    assert reviewer.get(f"{LIST}/compare/XK9999").status_code == 404


def test_an_item_on_no_list_stands_for_itself(reviewer: Client) -> None:
    services.publish(draft("QT9001", "取水工程停用备案"), by=None, at=AT)
    page = text(reviewer.get(f"{LIST}/compare/QT9001"))
    assert "市级清单里没有，以它为准" in page
    assert "没有实施清单：临江区、望江区" in page
    assert len(rows(reviewer.get(f"{LIST}/compare.csv", {"base": "QT9001"}))) == 2


def test_side_by_side_goes_out_with_every_word(reviewer: Client) -> None:
    answer = reviewer.get(f"{LIST}/compare.csv", {"base": INTAKE})
    head, listed, *places = rows(answer)
    assert listed[0] == "市级通用清单"
    assert [row[0] for row in places] == ["市本级", "临江区", "望江区"]
    assert places[2][head.index("与清单不同的要素")] == "承诺办结时限（更短）；申请材料（更少）"
    assert "取水申请书" in listed[head.index("申请材料")]
    assert reviewer.get(f"{LIST}/compare.xlsx", {"base": INTAKE}).status_code == 200
    assert reviewer.get(f"{LIST}/compare.csv", {"base": "无"}).status_code == 404


def test_differences_of_the_city_lead_to_the_item_and_are_counted(reviewer: Client) -> None:
    page = text(reviewer.get(f"{LIST}/differences"))
    assert f'href="{COMPARE}?only=on"' in page
    assert '<b class="num">1</b> / <span class="num">3</span> 处' in page
    assert '申请材料 <b class="num">1</b>' in page
    none = text(reviewer.get(f"{LIST}/differences", {"element": "fees"}))
    assert "没有符合条件的差异" in none
    head, *lines = rows(reviewer.get(f"{LIST}/differences.csv"))
    assert [line[head.index("不同的要素")] for line in lines] == ["承诺办结时限", "申请材料"]
    assert lines[0][-1] == "望江区"


def test_two_names_of_one_matter_are_listed_and_compared(reviewer: Client) -> None:
    services.publish(draft("QT9101", "取水许可证核发"), by=None, at=AT)
    page = text(reviewer.get(f"{LIST}/alike", {"q": "取水"}))
    assert "取水许可证核发" in page
    assert "名称：取水许可" in page
    pair = re.search(r'href="(/desk/catalogue/alike/pair\?[^"]+)"', page)
    assert pair
    beside = text(reviewer.get(pair.group(1)))
    assert "逐项比较" in beside
    assert "某条例 第九条" in beside
    assert reviewer.get(f"{LIST}/alike", {"show": "variants"}).status_code == 200


# --- completeness -----------------------------------------------------------------------------------


def test_completeness_is_told_by_department_down_to_what_is_missing(reviewer: Client) -> None:
    page = text(reviewer.get(f"{LIST}/completeness"))
    assert "江城市水务局" in page
    assert "低于 60" in page
    items = text(reviewer.get(f"{LIST}/completeness", {"agency": WATER}))
    assert "江城市水务局：缺少的要素" in items
    assert "数量限制" in items
    none = text(reviewer.get(f"{LIST}/completeness", {"agency": WATER, "under": "1"}))
    assert "没有完整度低于 1 的事项" in none
    district = text(reviewer.get(f"{LIST}/completeness", {"region": "420102"}))
    assert "临江区水务局" in district
    assert "江城市水务局" not in district[district.index("<table") :]
    head, *lines = rows(reviewer.get(f"{LIST}/completeness.csv"))
    assert head[:2] == ["机关编码", "机关"]
    assert sum(int(line[3]) for line in lines) == int(
        re.search(r"<dt>事项</dt><dd>(\d+)", page).group(1)  # type: ignore[union-attr]
    )
    lacking = rows(reviewer.get(f"{LIST}/completeness.csv", {"agency": WATER}))
    assert any("数量限制" in line[-1] for line in lacking)


# --- the centre's words -----------------------------------------------------------------------------


def save(client: Client, where: str = f"{WORDS}/new", **form: str) -> Any:
    return client.post(where, {"word": "打井", "means": "取水许可"} | form)


def line(client: Client, word: str = "打井") -> str:
    """The address of a word's line."""
    found = re.search(
        rf'href="(/desk/catalogue/words/\d+)">修改<[^>]*>：{word}', text(client.get(WORDS))
    )
    assert found
    return found.group(1)


def seen(client: Client, where: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', text(client.get(where)))
    assert found
    return found.group(1)


def test_a_word_is_added_tried_changed_and_taken_off(centre: Client) -> None:
    assert "表里还没有词" in text(centre.get(WORDS))
    assert save(centre, word="凿井", means="取水许可\n河道").status_code == 302
    page = text(centre.get(WORDS, {"try": "凿井"}))
    assert "已录入“凿井”" in page
    assert "江城centre_manager，" in page
    assert "表里的“取水许可”1 项" in page
    where = line(centre, "凿井")
    assert (
        save(centre, where, word="凿井", means="取水许可", seen=seen(centre, where)).status_code
        == 302
    )
    assert finding.synonyms()["凿井"] == ("取水许可",)
    ask = text(centre.get(f"{where}/remove"))
    assert "删除“凿井”？" in ask
    assert "公众会找不到" in ask
    gone = centre.post(f"{where}/remove", {"seen": seen(centre, f"{where}/remove")}, follow=True)
    assert "已删除“凿井”" in text(gone)
    assert finding.synonyms() == {}
    assert centre.get(f"{WORDS}/{'9' * 30}").status_code == 404
    twice = centre.post(f"{where}/remove", {"seen": ""}, follow=True)
    assert "已经删除" in text(twice)
    assert centre.get(where).status_code == 404


def test_what_is_wrong_with_a_word_is_told_at_its_field(centre: Client) -> None:
    wrong: list[tuple[dict[str, str], str, str]] = [
        ({"word": ""}, "word", "请填写群众的说法"),
        ({"word": "井" * 31}, "word", "最多 30 个字"),
        ({"word": "打 井"}, "word", "不能有空格"),
        ({"word": "！！"}, "word", "没有可以查找的字"),
        ({"means": " \n"}, "means", "请至少填写一个"),
        ({"means": "打井"}, "means", "就是这个词本身"),
        ({"word": "ＡＢ", "means": "ab"}, "means", "就是这个词本身"),
        ({"means": "取水\n取水"}, "means", "写了两次"),
        ({"means": "水" * 31}, "means", "最多 30 个字"),
        (
            {"means": "\n".join(f"水{n}" for n in range(11))},
            "means",
            "最多 10 个说法，现在有 11 个",
        ),
    ]
    for form, field, sentence in wrong:
        answer = save(centre, **form)
        page = text(answer)
        assert answer.status_code == 422, form
        assert sentence in page, form
        assert f'href="#id_{field}"' in page, form
        assert "<title>错误：" in page
    assert finding.synonyms() == {}


def test_a_word_stands_once_and_the_same_form_sent_twice_is_one(centre: Client) -> None:
    assert save(centre).status_code == 302
    assert save(centre).status_code == 302
    taken = save(centre, means="河道")
    assert taken.status_code == 422
    assert "“打井”已经在表里（取水许可）" in text(taken)
    assert len(words.listed()) == 1


def test_of_two_who_change_a_word_the_second_is_told(centre: Client) -> None:
    save(centre)
    where = line(centre)
    opened = seen(centre, where)
    other = sign_in("p-centre_manager2")
    assert save(other, where, means="河道", seen=opened).status_code == 302
    late = save(centre, where, means="凿井", seen=opened)
    assert late.status_code == 422
    assert "已经被改过" in text(late)
    assert centre.post(f"{where}/remove", {"seen": opened}).status_code == 422
    assert finding.synonyms()["打井"] == ("河道",)


def test_only_the_citys_centre_keeps_the_words(centre: Client) -> None:
    save(centre)
    where = line(centre)
    for code in ("p-water-reviewer", "p-legal_office", "p-supervisor", "p-water-clerk"):
        client = sign_in(code)
        for address in (WORDS, f"{WORDS}/new", where, f"{where}/remove"):
            assert client.get(address).status_code == 403, (code, address)
            assert client.post(address).status_code in (403, 405), (code, address)
    for code in ("p-system_admin", "p-audit_admin"):
        for address in (LIST, ITEM, COMPARE, f"{LIST}/differences", f"{LIST}.csv"):
            assert sign_in(code).get(address).status_code == 403, (code, address)
