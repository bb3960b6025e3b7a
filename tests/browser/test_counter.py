"""The counter in a real Chromium: a walk-in by keyboard alone, counted and timed."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_line import people, seated
from tests.desk import walk

pytestmark = pytest.mark.browser
__all__ = ["people"]
MOST = 12


class Hands:
    """Counts what a clerk does: a key, or a text typed or scanned into a field, is one each."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0
        self.began = time.monotonic()

    def press(self, key: str) -> None:
        self.count += 1
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.count += 1
        self.page.keyboard.type(text)

    def scan(self, text: str) -> None:
        """A barcode reader types and ends with Enter: one movement of the hand."""
        self.count += 1
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def done(self, what: str) -> None:
        took = time.monotonic() - self.began
        print(f"{what}: {self.count} interactions, {took:.1f} s")
        assert self.count <= MOST


def test_a_known_applicant_by_keyboard(people: str, page: Page) -> None:
    before = walk.register(walk.sign_in("p-water-clerk"))
    seated(page, people, "p-water-clerk")
    hands = Hands(page)
    hands.press("Alt+n")
    page.wait_for_url("**/desk/register")
    hands.press("F2")
    expect(page.locator("#id_identifier")).to_be_focused()
    hands.scan(walk.uscc())
    expect(page.locator("#id_name")).to_have_value("江城清源水务有限公司")
    expect(page.locator("#id_phone")).to_have_value("139****2046")
    expect(page.locator("#known").get_by_role("link")).to_have_attribute(
        "href", f"/desk/cases/{before}"
    )
    expect(page.locator("#id_item")).to_be_focused()
    hands.type("qsxk")
    hands.press("Enter")
    expect(page.get_by_text("水资源论证报告书")).to_be_visible()
    expect(page.locator("#id_item")).to_have_value("取水许可")
    hands.press("F4")
    expect(page.locator("input[type=radio]:checked")).to_have_count(3)
    hands.press("F9")
    page.wait_for_url(re.compile(r"/desk/cases/JC\d+"))
    expect(page.get_by_role("button", name="打印受理通知书", exact=True)).to_be_focused()
    hands.done("a known applicant")


def test_a_new_applicant_with_a_faulty_paper_by_keyboard(people: str, page: Page) -> None:
    seated(page, people, "p-water-clerk")
    hands = Hands(page)
    hands.press("Alt+n")
    page.wait_for_url("**/desk/register")
    expect(page.locator("#id_identifier")).to_be_focused()
    hands.scan(walk.uscc())
    expect(page.locator("#known")).to_contain_text("没有登记过")
    expect(page.locator("#id_name")).to_be_focused()
    hands.type("江城清源水务有限公司")
    hands.press("Tab")
    hands.type("13900002046")
    hands.press("Tab")
    hands.type("qsxk")
    hands.press("Enter")
    expect(page.get_by_text("水资源论证报告书")).to_be_visible()
    hands.press("F4")
    hands.press("F9")
    page.wait_for_url(re.compile(r"/desk/cases/JC\d+"))
    hands.done("a new applicant")


def test_a_tick_is_not_lost_and_a_reason_is_asked_for(people: str, page: Page) -> None:
    seated(page, people, "p-water-clerk")
    page.goto(f"{people}/desk/register")
    page.locator("#id_identifier").fill(walk.uscc())
    page.locator("#id_name").fill("江城清源水务有限公司")
    page.locator("#id_phone").fill("13900002046")
    page.locator("#id_item").fill("qsxk")
    page.keyboard.press("Enter")
    expect(page.get_by_text("水资源论证报告书")).to_be_visible()
    page.keyboard.press("F4")
    row = page.locator("tr", has_text="水资源论证报告书")
    row.get_by_text("不合格", exact=True).click()
    reason = row.locator("[data-why]")
    expect(reason).to_be_visible()
    reason.fill("第 3 页没有盖章")
    expect(row.locator("input[value=faulty]")).to_be_checked()
    page.keyboard.press("F8")
    page.wait_for_url(re.compile(r"/desk/cases/JC\d+"))
    expect(page.get_by_role("button", name="打印补正告知书", exact=True)).to_be_focused()


def test_somebody_elses_number_takes_what_was_filled_in_with_it(people: str, page: Page) -> None:
    walk.register(walk.sign_in("p-water-clerk"))
    seated(page, people, "p-water-clerk")
    page.goto(f"{people}/desk/register")
    page.locator("#id_identifier").fill(walk.uscc())
    page.keyboard.press("Enter")
    expect(page.locator("#id_name")).to_have_value("江城清源水务有限公司")
    page.locator("#id_identifier").fill("11010519491231002X")
    page.keyboard.press("Enter")
    expect(page.locator("#id_name")).to_have_value("")
    page.locator("#id_name").fill("何晓岚")
    page.locator("#id_identifier").fill(walk.uscc())
    page.keyboard.press("Enter")
    expect(page.locator("#id_phone")).to_have_value("139****2046")
    expect(page.locator("#id_name")).to_have_value("何晓岚")  # typed by hand: stays
