"""The staff's pages of the catalogue: accessible, dense enough, by keyboard, whole without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import DRILL
from tests.browser.test_authorisations import enter
from tests.browser.test_look import AXE, _sideways, _violations
from tests.catalog.districts import AT, INTAKE, SECOND, departing
from tests.conftest import Kept
from zhengwu.accounts import queries as accounts
from zhengwu.catalog import words

pytestmark = pytest.mark.browser
LIST = "/desk/catalogue"
CENTRE = "p-centre_manager"
WIDTHS = (390, 1366, 1440)


@pytest.fixture
def departed(server: str, kept: Kept) -> str:
    kept.again("departing", departing)
    words.add(accounts.actor(CENTRE), "打井", ["取水许可"], at=AT)
    return server


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
def test_the_pages_are_accessible_and_fit(departed: str, page: Page) -> None:
    """Every page at every width; axe, which takes its time, at those where the layout is its own."""
    enter(page, departed, CENTRE)
    said: list[str] = []
    for address, judged in (
        (LIST, (390, 1366)),
        (f"{LIST}/items/{SECOND}?from=1&to=2", (1440,)),
        (f"{LIST}/compare/{INTAKE}", (390, 1440)),
        (f"{LIST}/differences", (1366,)),
        (f"{LIST}/alike", (1440,)),
        (f"{LIST}/alike/pair?a=C.{INTAKE}&b=C.XK0037", (1366,)),
        (f"{LIST}/completeness", (390,)),
        (f"{LIST}/completeness?agency=420100-water", (1366,)),
        (f"{LIST}/words?try=打井", (390,)),
        (f"{LIST}/words/new", (1440,)),
        (f"{LIST}/words/1/remove", (1366,)),
    ):
        page.goto(departed + address)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 768})
            if width in judged and (DRILL or width == judged[0]):
                said += [f"{width}: {one}" for one in _violations(page)]
            if _sideways(page) > 0:
                said.append(f"{address} is {_sideways(page)} px too wide at {width}")
    assert not said


def test_thirteen_items_stand_on_a_small_desk_screen(departed: str, page: Page) -> None:
    enter(page, departed, CENTRE)
    page.goto(departed + LIST)
    boxes = [row.bounding_box() for row in page.locator("tr[data-row]").all()]
    whole = [box for box in boxes if box and box["y"] + box["height"] <= 768]
    assert len(whole) >= 13


def test_from_the_list_to_what_a_district_does_otherwise_by_keyboard(
    departed: str, page: Page
) -> None:
    enter(page, departed, CENTRE)
    page.goto(departed + LIST)
    page.locator("#f-q").focus()
    page.keyboard.type("qsxk")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=qsxk"))
    page.locator("tr[data-row] a").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/items/{INTAKE}$"))
    page.get_by_role("link", name="全市比对").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/compare/{INTAKE}$"))
    page.get_by_role("link", name="只看不同的").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("only=on"))
    table = page.get_by_role("table")
    expect(table).to_contain_text("≠ 更短")
    expect(table).not_to_contain_text("临江区")
    expect(page.get_by_role("button", name="打印")).to_be_visible()


def test_without_scripts_a_word_is_added_and_taken_off(departed: str, plain: Page) -> None:
    enter(plain, departed, CENTRE)
    plain.goto(f"{departed}{LIST}/words?try=凿深井")
    expect(plain.get_by_role("status").first).to_contain_text("没有找到事项")
    plain.get_by_role("link", name="录入", exact=True).click()
    expect(plain.get_by_label("群众的说法")).to_have_value("凿深井")
    plain.get_by_role("button", name="保存").click()
    expect(plain).to_have_title(re.compile("^错误："))
    plain.get_by_label("事项里的说法").fill("取水许可")
    plain.get_by_role("button", name="保存").click()
    expect(plain.locator("main")).to_contain_text("已录入“凿深井”")
    plain.get_by_role("link", name=re.compile("^试.*凿深井")).click()
    expect(plain.locator("main")).to_contain_text("“凿深井”找到 1 项")
    plain.get_by_role("link", name=re.compile("^删除.*凿深井")).click()
    plain.get_by_role("button", name="删除").click()
    expect(plain.locator("main")).to_contain_text("已删除“凿深井”")
    plain.goto(f"{departed}{LIST}/compare/{INTAKE}")
    expect(plain.get_by_role("button", name="打印")).to_be_hidden()
