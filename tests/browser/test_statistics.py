"""Public statistics in a real browser: accessible, narrow enough, on paper and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.browser import representative, some
from tests.browser.test_look import AXE, _sideways, _violations
from tests.cases import people
from zhengwu.ledger import services as ledger
from zhengwu.portal.statistics import reading, views

pytestmark = pytest.mark.browser
AUTUMN = "from=2026-09&to=2026-11"


@pytest.fixture
def counted(server: str, town: None) -> str:
    """The worked story and four more, counted; nothing is kept from another test."""
    people.golden()
    for minute in range(4):
        people.received(f"09-15 10:{minute:02d}")
    ledger.catch_up()
    for kept in (views._pages, views._files):
        kept.clear()
    for function in (reading._position, reading._choices, reading._begins):
        function.cache_clear()
    return f"{server}/statistics"


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
@pytest.mark.parametrize(
    ("width", "elder"), some([(390, True)], [(1366, False), (1440, False), (320, False)])
)
def test_the_pages_are_accessible_and_fit(
    counted: str, page: Page, width: int, elder: bool
) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    if elder:
        page.goto(f"{counted.removesuffix('/statistics')}/elder?on")
    said: list[str] = []
    for address, name in (
        (f"/?{AUTUMN}", "figures: of all"), (f"/?{AUTUMN}&item={people.INTAKE}", "figures: of one"),
        (f"/by/agency?{AUTUMN}", "by: agency"), (f"/by/district?{AUTUMN}", "by: district"),
        (f"/by/item?{AUTUMN}", "by: item"), (f"/time?{AUTUMN}", "time"),
        (f"/restatements?{AUTUMN}", "restatements"), ("/definitions", "definitions"),
        (f"/data/?{AUTUMN}", "data"), ("/?from=2026-13", "figures refused"),
    ):  # fmt: skip
        page.goto(counted + address)
        if representative(f"{width} statistics, {name}"):
            said += _violations(page)
        if _sideways(page) > 0:
            said.append(f"{address} is {_sideways(page)} px too wide")
    assert not said


def test_without_scripts_a_citizen_asks_narrows_and_downloads(counted: str, plain: Page) -> None:
    plain.goto(f"{counted}/?{AUTUMN}")
    assert "收到申请 5 件" in plain.inner_text("main")
    plain.click("text=只看一部分")
    plain.select_option("#f-kind", label="承诺件")
    plain.click("main button")
    assert "全市（承诺件）收到申请 5 件" in plain.inner_text("main")
    assert plain.input_value("#f-from") == "2026-09"
    plain.click("text=按事项")
    plain.fill("#f-q", "取水")
    plain.click("main button")
    plain.click("td a")
    assert "取水" in plain.inner_text("h1")
    assert re.search(r"item=\w+", plain.url)
    with plain.expect_download() as download:
        plain.click("#files a >> nth=0")
    assert download.value.suggested_filename == "statistics-city-2026-09-01-2026-11-30.csv"


def test_on_paper_stand_the_figures_and_none_of_the_frame(counted: str, page: Page) -> None:
    page.goto(f"{counted}/by/agency?{AUTUMN}")
    page.emulate_media(media="print")
    assert page.locator("table.bytable thead").is_visible()
    for gone in (".mainnav", ".asking", "#files", ".waynav"):
        assert not page.locator(gone).first.is_visible(), gone
