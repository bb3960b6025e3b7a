"""Texts of law: where guides lead to, and that they never lead to the wrong words."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.desk import walk
from zhengwu.catalog import laws, shipped
from zhengwu.domain import citations
from zhengwu.portal.laws.linking import cited


@pytest.fixture
def anyone(city: None) -> Client:
    return walk.public()


def test_every_law_is_listed_and_every_article_has_its_place(anyone: Client) -> None:
    listed = walk.text(anyone.get("/laws"))
    for one in laws.laws():
        assert f'href="/laws/{one.code}">{one.title}</a>' in listed
        page = walk.text(anyone.get(f"/laws/{one.code}"))
        assert re.findall(r'<section id="(art-[\d-]+)"', page) == [
            laws.anchor(article) for article in one.articles
        ]


def test_a_law_of_which_only_some_articles_are_here_says_so(anyone: Client) -> None:
    partial = next(one for one in laws.laws() if one.partial)
    assert f"只收录其中 {len(partial.articles)} 条" in walk.text(
        anyone.get(f"/laws/{partial.code}")
    )
    whole = next(one for one in laws.laws() if not one.partial)
    assert "只收录" not in walk.text(anyone.get(f"/laws/{whole.code}"))


def test_a_law_we_have_not_got_is_not_found(anyone: Client) -> None:
    assert anyone.get("/laws/nothing").status_code == 404


@pytest.mark.parametrize(
    ("text", "law", "anchor"),
    [
        ("《中华人民共和国行政许可法》第四十二条", "xkf", "art-42"),
        ("行政许可法 第42条第二款", "xkf", "art-42"),
        ("城乡规划法 第37、38条", "cxghf", "art-37"),
        ("国务院令第 722 号 第三十五条", "yhtl", "art-35"),
        ("行政许可法", "xkf", ""),
        ("行政许可法 第四十二条(2019修正)", "xkf", "art-42"),
        ("行政许可法 第四十二条(2003)", "", ""),  # another edition than ours
        ("行政许可法 第四百条", "", ""),  # no such article
        ("民法典 第一条", "", ""),  # not among those we hold
        ("民法典", "", ""),  # and we hold only some
        ("某某管理办法 第三条", "", ""),
    ],
)
def test_a_citation_is_linked_where_we_hold_its_text_and_nowhere_else(
    text: str, law: str, anchor: str
) -> None:
    piece = laws.linked(text)[0]
    assert (piece.law, piece.anchor) == (law, anchor)


def test_no_word_is_lost_between_the_links() -> None:
    with shipped.ITEMS.open(encoding="utf-8") as file:
        for line in file:
            assert "".join(piece.text for piece in laws.linked(line)) == line


def test_markup_in_a_text_stays_text() -> None:
    assert "<b>" not in cited("<b>行政许可法 第四十二条</b>")
    assert "&lt;b&gt;" in cited("<b>行政许可法 第四十二条</b>")


def test_every_link_of_the_shipped_list_leads_to_an_article_that_is_there() -> None:
    by_code = {one.code: one for one in laws.laws()}
    linked = 0
    with shipped.ITEMS.open(encoding="utf-8") as file:
        pieces = [piece for line in file for piece in laws.linked(line) if piece.law]
    for piece in pieces:
        anchors = {laws.anchor(article) for article in by_code[piece.law].articles}
        assert not piece.anchor or piece.anchor in anchors, piece
        linked += 1
    assert linked > 10


def test_articles_that_were_put_in_later_have_a_place_too() -> None:
    assert laws.anchor((120, 1)) == "art-120-1"
    assert citations.article_zh((120, 1)) == "第一百二十条之一"
