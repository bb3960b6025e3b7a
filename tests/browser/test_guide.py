"""The catalogue in a real Chromium: accessible, narrow enough, by keyboard, without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import DRILL, representative
from tests.browser.test_look import AXE, _sideways, _violations
from tests.portal import listing
from zhengwu.catalog import forms

pytestmark = pytest.mark.browser
GUIDE = "/items/XK0036"


@pytest.fixture
def whole(town: None, server: str) -> str:
    """The town with a guide that has everything: parallel steps, forms, places, a long history."""
    blank = forms.keep(listing.docx(), "取水许可申请书（空白表格）.docx", by="p", at=listing.AT)
    materials = [
        {
            "code": f"{n:02d}", "name": f"取水许可的第 {n} 项申请材料及其附图附表", "need": need,
            "form": "either", "copies": 2, "origin": "applicant", "spec": "A4 纸，加盖公章",
            "basis": "取水许可和水资源费征收管理条例 第十一条", "blank": blank, "sample": blank,
        }
        for n, need in enumerate(("required", "deferrable", "optional"), 1)
    ]  # fmt: skip
    listing.revise(
        "C.XK0036",
        {"materials": materials, "template": "consult", "special": "专家评审 15 个工作日。"},
    )
    for region in ("420102", "420103"):
        listing.publish(
            f"XK0036-{region}", {"place": "便民路 1 号"}, base="XK0036", region=region,
            agency=listing.DISTRICT_WATER, above="C.XK0036", since=listing.today(),
        )  # fmt: skip
        listing.publish(
            f"XK9002-{region}", listing.own(name="小型取水点登记"), base="XK9002", region=region,
            agency=listing.DISTRICT_WATER,
        )  # fmt: skip
    return server


PAGES = (
    (GUIDE, "guide: long"), ("/items/QT0053", "guide: short"), ("/items/XK9002", "guide: bare"),
    ("/items?q=许可&theme=L20", "items: found"), ("/items?q=没有的事", "items: none"),
    ("/items/by/theme", "items by theme"), ("/forms", "forms"), ("/laws/zxgd#art-6", "law"),
)  # fmt: skip
OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
def test_the_pages_of_the_catalogue_are_accessible_and_fit(whole: str, page: Page) -> None:
    said: list[str] = []

    def judge(address: str, name: str, *widths: int, axe: int) -> None:
        page.goto(whole + address)
        page.evaluate(OPEN)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 768})
            if _sideways(page) > 0:
                said.append(f"{address} is {_sideways(page)} px too wide at {width}")
            if width == axe and representative(f"catalogue at {axe}, {name}"):
                said.extend(_violations(page))

    for address, name in PAGES:
        judge(address, name, 1440, 1366, 390, 320, axe=1366)
    if DRILL:
        judge(GUIDE, "guide: narrow", 390, axe=390)
    page.goto(f"{whole}/elder?on")
    judge(GUIDE, "guide of the elder", 1366, 390, axe=390)
    assert not said


def test_the_head_of_a_guide_stands_on_the_first_screen(whole: str, page: Page) -> None:
    page.goto(whole + GUIDE)
    for words in ("承诺办结", "法定办结", "下载指南 PDF"):
        box = page.get_by_text(words, exact=True).first.bounding_box()
        assert box
        assert box["y"] + box["height"] < 768
    page.set_viewport_size({"width": 390, "height": 844})
    bar = page.locator(".actbar")
    for link in bar.get_by_role("link").all():
        box = link.bounding_box()
        assert box
        assert box["height"] >= 44 - 4
        assert box["y"] + box["height"] <= 844
    box = page.locator(".flowpic svg").bounding_box()
    assert box
    assert box["width"] <= 390 - 24
    # No smaller than can be read: the letters of the picture shrink with it.
    drawn = page.locator(".flowpic svg").get_attribute("viewBox") or ""
    assert box["width"] / float(drawn.split()[2]) > 0.9


def test_an_item_is_found_and_read_by_keyboard(whole: str, page: Page) -> None:
    page.goto(whole)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("跳到主要内容")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("name", "q")
    page.keyboard.type("打井")
    page.keyboard.press("Enter")
    page.wait_for_url("**/items?q=*")
    page.get_by_role("link", name="取水许可", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/XK0036")
    page.get_by_role("link", name="办理流程", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/XK0036#flow")
    history = page.locator("#history summary").first
    history.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#history details").first).to_have_attribute("open", "")
    page.locator("#history table").first.wait_for(state="visible")


def test_all_of_it_works_without_javascript(whole: str, plain: Page) -> None:
    plain.goto(f"{whole}/items")
    plain.locator("summary").first.click()
    plain.select_option("#f-agency", label="江城市水务局")
    plain.select_option("#f-theme", label="水务气象")
    plain.get_by_role("button", name="查找").click()
    plain.wait_for_url(re.compile("agency=420100-water"))
    expect(plain.get_by_role("link", name="取水许可", exact=True)).to_be_visible()
    plain.locator(".chips a").first.click()
    assert "agency" not in plain.url
    plain.get_by_role("link", name="取水许可", exact=True).click()
    with plain.expect_download() as download:
        plain.locator(".papers a[download]").first.click()
    assert download.value.suggested_filename == "取水许可申请书（空白表格）.docx"
    expect(plain.locator(".flowpic svg")).to_be_visible()
    expect(plain.get_by_role("button", name="打印")).to_be_hidden()
    plain.locator("#places a").first.click()
    expect(plain.locator("#places [aria-current]")).to_contain_text("本页")


def test_a_citation_opens_at_its_article(whole: str, page: Page) -> None:
    page.goto(whole + GUIDE)
    page.locator("#time a", has_text="第四十五条").click()
    page.wait_for_url("**/laws/xkf#art-45")
    article = page.locator("#art-45")
    expect(article).to_be_in_viewport()
    expect(article).to_contain_text("检验、检测、检疫、鉴定")


def test_a_printed_guide_holds_its_picture_and_none_of_the_frame(whole: str, page: Page) -> None:
    page.goto(whole + GUIDE)
    page.emulate_media(media="print")
    for gone in (".mast", ".mainnav", ".toc", ".guideacts", ".foot"):
        expect(page.locator(gone)).to_be_hidden()
    for kept in (".flowpic svg", ".papers", "#law", ".guideqr svg"):
        expect(page.locator(kept)).to_be_visible()
