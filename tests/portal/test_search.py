"""Finding an item as people look for it: by words, by what it is about, by where it is done."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.desk import walk
from tests.portal import listing
from zhengwu.accounts import queries as accounts
from zhengwu.catalog import browsing, words
from zhengwu.domain.guide import Level

MANAGER = "p-centre_manager"


@pytest.fixture
def anyone(town: None) -> Client:
    return walk.public()


def found(client: Client, **query: str) -> list[str]:
    """The names of the items that a search shows, in order."""
    response = client.get("/items", query)
    assert response.status_code == 200
    return re.findall(r'<td><a href="/items/[^"]+">([^<]+)</a>', walk.text(response))


@pytest.mark.parametrize(
    "q",
    ["取水许可", "取水", "水许", "qsxk", "XK0036", "xk0036", " 取水　许可 ", "打井", "许可 取水"],
)
def test_an_item_is_found_by_any_piece_initials_code_and_everyday_word(
    anyone: Client, q: str
) -> None:
    assert "取水许可" in found(anyone, q=q)


def test_the_name_itself_comes_first(anyone: Client) -> None:
    listing.publish("XK9001", listing.own(name="取水许可变更后的延续申请"))
    assert found(anyone, q="取水许可")[0] == "取水许可"


def test_it_is_narrowed_by_department_theme_object_and_type(anyone: Client) -> None:
    assert set(found(anyone, q="许可", agency="420100-water")) == {
        "取水许可", "城镇污水排入排水管网许可",
    }  # fmt: skip
    assert "取水许可" in found(anyone, theme="L20")
    assert "取水许可" in found(anyone, target="1")
    assert found(anyone, q="取水", type="公共服务") == []
    assert found(anyone, q="取水", type="行政许可", theme="L20", target="2") == ["取水许可"]


def test_it_is_narrowed_by_place(anyone: Client) -> None:
    listing.publish(
        "XK0036-420102", {}, base="XK0036", region="420102", agency=listing.DISTRICT_WATER,
        above="C.XK0036", since=listing.today(),
    )  # fmt: skip
    page = walk.text(anyone.get("/items", {"region": "420102"}))
    assert 'href="/items/XK0036-420102"' in page
    assert "临江区水务局" in page
    assert found(anyone, region="420102", q="取水") == ["取水许可"]
    assert found(anyone, region="420103") == []
    assert "市级和 1 个区" in walk.text(anyone.get("/items", {"q": "取水许可"}))


def test_an_item_that_only_districts_do_leads_to_its_places(anyone: Client) -> None:
    for region in ("420102", "420103"):
        listing.publish(
            f"XK9002-{region}", {"place": "便民路 1 号"}, base="XK9002", region=region,
            agency=listing.DISTRICT_WATER, above=_common("XK9002", region),
        )  # fmt: skip
    page = walk.text(anyone.get("/items", {"q": "小型取水点"}))
    assert 'href="/items/XK9002">小型取水点登记</a>' in page
    assert "2 个区" in page
    assert "临江区" in walk.text(anyone.get("/items/XK9002"))


def _common(base: str, region: str) -> str:
    if region == "420102":
        content = listing.own(name="小型取水点登记")
        law = {code: content.pop(code) for code in ("name", "type", "basis", "statutory")}
        listing.publish(f"P.{base}", law, base=base, level=Level.PROVINCE, region="420000")
        listing.publish(f"C.{base}", content, base=base, level=Level.CITY, above=f"P.{base}")
    return f"C.{base}"


def test_what_is_chosen_stands_in_the_address_and_can_be_taken_away(anyone: Client) -> None:
    page = walk.text(anyone.get("/items?q=许可&agency=420100-water&theme=L20&page=1"))
    assert '<option value="420100-water" selected>' in page
    assert '<option value="L20" selected>' in page
    without = re.findall(r'<a href="(/items\?[^"]+)"><span class="mute">(\w+)：', page)
    assert {label for _, label in without} == {"部门", "主题"}
    for address, label in without:
        kept = "theme=L20" if label == "部门" else "agency=420100-water"
        assert kept in address
        assert anyone.get(address).status_code == 200


def test_a_department_of_another_place_is_still_called_by_its_name(anyone: Client) -> None:
    page = walk.text(anyone.get("/items", {"agency": "420100-water", "region": "420102"}))
    assert "没有找到" in page
    assert '<option value="420100-water" selected>江城市水务局</option>' in page
    assert "可以去掉上面的条件再找" in page


@pytest.mark.parametrize(
    "query",
    ["agency=nobody", "region=999999", "theme=%27", "target=x", "type=%3Cb%3E", "page=-1",
     "page=9999999", "page=99999", "region=420102&agency=420100-water", "theme=L20&theme=P01"],
)  # fmt: skip
def test_no_choice_breaks_the_page(anyone: Client, query: str) -> None:
    response = anyone.get(f"/items?{query}")
    assert response.status_code == 200
    assert b'"<b>"' not in response.content


def test_beyond_the_last_page_the_last_one_is_shown(anyone: Client) -> None:
    page = walk.text(anyone.get("/items", {"q": "许可", "page": "999"}))
    assert "取水许可" in page


def test_where_nothing_is_found_it_says_what_is_near_and_whom_to_ask(anyone: Client) -> None:
    page = walk.text(anyone.get("/items", {"q": "取水许可证书"}))
    assert "没有找到“取水许可证书”" in page
    assert "您要找的是不是" in page
    assert 'href="/items/XK0036">取水许可</a>' in page
    assert "027-12345" in page
    assert "江城市政务服务中心大厅：江城市临江区政务路 1 号，工作日 9:00-17:00" in page


def test_a_word_of_the_centres_list_finds_what_it_means(anyone: Client) -> None:
    assert found(anyone, q="扎啤") == []
    words.add(accounts.actor(MANAGER), "扎啤", ["食品生产许可"], at=listing.AT)
    assert any("食品生产许可" in name for name in found(anyone, q="扎啤"))


def test_a_search_asks_the_database_little(anyone: Client) -> None:
    for query in ({"q": "取水"}, {}, {"theme": "L20"}, {"agency": "420100-water", "q": "许可"}):
        anyone.get("/items", query)
        with CaptureQueriesContext(connection) as asked:
            anyone.get("/items", query)
        assert len(asked) <= 6, [one["sql"][:100] for one in asked.captured_queries]


# --- browsing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["department", "theme", "object"])
def test_every_count_of_the_catalogue_is_what_its_link_shows(anyone: Client, way: str) -> None:
    page = walk.text(anyone.get(f"/items/by/{way}"))
    rows = re.findall(r'<li><a href="(/items\?[^"]+)">[^<]+<small[^>]*> (\d+) 项</small>', page)
    assert rows
    for address, count in rows:
        shown = re.search(r"共 <span class=\"num\">(\d+)</span> 项", walk.text(anyone.get(address)))
        assert shown, address
        assert shown[1] == count, address


def test_the_home_page_leads_into_the_catalogue(anyone: Client) -> None:
    page = walk.text(anyone.get("/"))
    for address in ("/items/by/department", "/items/by/theme", "/items/by/object", "/forms"):
        assert f'href="{address}"' in page
    assert f"全部 {browsing.counts(listing.today()).items} 项" in page
    assert 'href="/items?theme=L20"' in page


def test_there_is_no_other_way_to_browse(anyone: Client) -> None:
    assert anyone.get("/items/by/nothing").status_code == 404
