"""The pages of authorisations: accessible, narrow enough, and whole without scripts."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.browser import representative, some
from tests.browser.test_line import people
from tests.browser.test_look import AXE, _sideways, _violations
from tests.desk import walk

pytestmark = pytest.mark.browser
LIST = "/desk/authorisations"
__all__ = ["people"]


def enter(page: Page, server: str, code: str) -> None:
    """Signed in as this person, whoever it was before."""
    cookie = walk.sign_in(code).cookies[settings.SESSION_COOKIE_NAME]
    page.context.clear_cookies()
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server}])


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
@pytest.mark.parametrize("width", some([390], [1366]))
def test_the_pages_are_accessible_and_fit(people: str, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    said: list[str] = []

    def look(name: str) -> None:
        if representative(f"authorisations, {name}"):
            said.extend(_violations(page))
        if _sideways(page) > 0:
            said.append(f"{name} is {_sideways(page)} px too wide")

    enter(page, people, "p-water-head")
    page.goto(people + LIST)
    look("list")
    page.goto(f"{people}{LIST}?text=没有这个人")
    look("nothing found")
    page.goto(f"{people}{LIST}/new?item=QT0002")
    look("form")
    with page.expect_navigation():
        page.get_by_role("button", name="签发授权").click()
    look("form with errors")
    page.goto(people + LIST)
    with page.expect_navigation():
        page.get_by_role("link", name="查看、终止").first.click()
    look("one")
    page.get_by_label("终止的理由").fill("调离窗口")
    with page.expect_navigation():
        page.get_by_role("button", name="终止授权").click()
    look("list with an end")
    page.get_by_role("navigation", name="按状态筛选").get_by_role("link", name="到期或终止").click()
    with page.expect_navigation():
        page.get_by_role("link", name="查看").first.click()
    look("one that ended")
    for clerk in ("p-water-clerk", "p-water-clerk2", "p-market-clerk"):
        enter(page, people, clerk)
        page.goto(people + LIST)
        look(f"own: of {clerk}")
    assert not said


def test_without_scripts_the_head_ends_and_issues(people: str, plain: Page) -> None:
    enter(plain, people, "p-water-head")
    for _ in range(2):
        plain.goto(f"{people}{LIST}?status=standing")
        plain.get_by_role("link", name="查看、终止").first.click()
        plain.get_by_label("终止的理由").fill("换发新的授权书")
        plain.get_by_role("button", name="终止授权").click()
        expect(plain.locator("main")).to_contain_text("已终止江水一")
    plain.get_by_role("link", name=re.compile("签发.*“节水型单位备案”的授权")).click()
    assert plain.get_by_label("节水型单位备案").is_checked()
    plain.get_by_label("被授权人").select_option("p-water-clerk")
    plain.get_by_label("窗口", exact=True).select_option(label="B23 窗口（江城市政务服务中心大厅）")
    plain.get_by_label("授权书文号").fill("江水授〔2026〕2号")
    plain.get_by_role("button", name="签发授权").click()
    expect(plain.locator("main")).to_contain_text("已签发 1 份授权")
    expect(plain.locator("main")).to_contain_text("都有人可以在窗口当场决定")
