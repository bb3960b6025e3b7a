"""What is typed outlives the browser: saved by itself, found again, gone once it is submitted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_line import seated
from tests.cases import people
from zhengwu.accounts import queries as accounts
from zhengwu.cases import drafts

pytestmark = pytest.mark.browser
REVIEWER = "p-water-reviewer"


@pytest.fixture
def desk(town: None, server: str) -> str:
    """A reviewer with two cases in hand, and a colleague to give them to."""
    from zhengwu.accounts import services

    post = "420100-water-review2"
    services.add_post(post, name="第二审查岗", kind="review", agency=people.WATER)
    services.add_person(
        "p-second-review", name="接班人", agency=people.WATER, posts=[(post, "A")],
        holds=[("reviewer", people.WATER)], since=people.moment("01-01 00:00"),
    )  # fmt: skip
    for when in ("09-14 09:20", "09-14 09:30"):
        case = people.received(when)
        case.do("p-water-clerk", "accepted", "09-14 10:00")
        case.do(REVIEWER, "step_taken", "09-14 14:00")
    return server


def test_the_text_is_there_after_the_browser_died(desk: str, chromium: Browser, page: Page) -> None:
    first = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    typing = first.new_page()
    seated(typing, desk, REVIEWER)
    typing.goto(f"{desk}/desk/shift")
    typing.locator("#give-note").press_sequentially("申请人明天补一份说明", delay=10)
    typing.locator("input[type=checkbox]").first.check()
    expect(typing.locator("[data-draft-said]")).to_have_text(re.compile(r"已自动保存 \d\d:\d\d"))
    first.close()  # nothing was submitted

    seated(page, desk, REVIEWER)
    page.goto(f"{desk}/desk/shift")
    expect(page.get_by_text("内容已恢复")).to_be_visible()
    expect(page.locator("#give-note")).to_have_value("申请人明天补一份说明")
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(1)

    # Handed over, it is gone, and the page that goes away does not bring it back.
    page.locator("#give-all-to").select_option(index=1)
    page.get_by_role("button", name="移交选中的").click()
    page.wait_for_url("**/desk/shift/sheet")
    expect(page.get_by_text("申请人明天补一份说明")).to_be_visible()
    page.wait_for_timeout(2_000)
    assert drafts.of(accounts.actor(REVIEWER), "shift") is None


def test_what_was_typed_a_moment_before_the_page_went_away_is_kept(desk: str, page: Page) -> None:
    seated(page, desk, REVIEWER)
    page.goto(f"{desk}/desk/shift")
    page.locator("#give-note").press_sequentially("刚写的")
    page.goto(f"{desk}/desk/drafts")  # at once: the 1.5 s are not over
    for _ in range(100):  # the browser sends it off behind the page's back
        if drafts.of(accounts.actor(REVIEWER), "shift"):
            break
        page.wait_for_timeout(100)
    page.goto(f"{desk}/desk/shift")
    expect(page.locator("#give-note")).to_have_value("刚写的")
    page.get_by_role("button", name="不要了，清空").click()
    expect(page.locator("#give-note")).to_have_value("")
    page.wait_for_timeout(2_000)
    assert drafts.of(accounts.actor(REVIEWER), "shift") is None


def test_a_lost_line_is_said_and_tried_again(desk: str, page: Page) -> None:
    seated(page, desk, REVIEWER)
    page.goto(f"{desk}/desk/shift")
    said = page.locator("[data-draft-said]")
    page.context.set_offline(True)
    page.locator("#give-note").fill("线断了")
    expect(said).to_have_text("没有保存，网络不通")
    page.context.set_offline(False)
    expect(said).to_contain_text("已自动保存", timeout=12_000)
    kept = drafts.of(accounts.actor(REVIEWER), "shift")
    assert kept is not None
    assert kept.initial["note"] == "线断了"


def test_whose_sign_in_ended_is_told_so(desk: str, page: Page) -> None:
    seated(page, desk, REVIEWER)
    page.goto(f"{desk}/desk/shift")
    page.context.clear_cookies(name="zw_session")
    page.locator("#give-note").fill("登录过期")
    expect(page.locator("[data-draft-said]")).to_contain_text("登录已经过期")
