"""A token is issued, copied and revoked with the keyboard; the secret is gone with its page."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, expect

from tests.api.system import SECURITY, System, register
from tests.browser import some
from tests.browser.test_authorisations import enter
from tests.browser.test_look import AXE, _sideways, _violations

pytestmark = pytest.mark.browser
SECRET = re.compile(r"^zw_[\w-]{43}$")
REVOKE = re.compile("撤销.*末四位")


def test_a_token_is_issued_copied_left_and_revoked(server: str, page: Page) -> None:
    id = register()
    enter(page, server, SECURITY)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
    page.goto(f"{server}/desk/systems")
    page.get_by_role("link", name="water-oa 系统", exact=True).click()
    page.get_by_role("link", name="签发第一个").click()
    page.get_by_label("查看权限以内的办件、期限").focus()
    page.keyboard.press("Space")
    page.get_by_label("有效期（天）").focus()
    page.keyboard.press("Enter")
    secret = page.locator("#secret")
    expect(secret).to_be_focused()
    text = secret.inner_text()
    assert SECRET.match(text)
    assert text not in page.url
    page.get_by_role("button", name="复制令牌").click()
    expect(page.get_by_role("status").filter(has_text="已复制")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text
    assert System(text).get("/cases").status_code == 200

    page.get_by_role("link", name="抄好了，返回系统").click()
    expect(page.get_by_role("heading", name="令牌", exact=True)).to_be_visible()
    assert text not in page.content()
    with suppress(Error):  # the browser kept nothing that it could show without asking again
        page.go_back()
    expect(page.locator("body")).not_to_contain_text(text)

    page.goto(f"{server}/desk/systems/{id}")
    page.get_by_role("link", name=REVOKE).press("Enter")
    page.get_by_role("button", name="撤销令牌").press("Enter")
    expect(page.locator("main")).to_contain_text("已撤销末四位是")
    assert System(text).get("/cases").status_code == 401


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
@pytest.mark.parametrize("width", some([390], [1366]))
def test_the_pages_are_accessible_and_fit(server: str, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    enter(page, server, SECURITY)
    said: list[str] = []

    def look(name: str) -> None:
        said.extend(_violations(page))
        if _sideways(page) > 0:
            said.append(f"{name} is {_sideways(page)} px too wide")

    page.goto(f"{server}/desk/systems")
    look("no system")
    page.goto(f"{server}/desk/systems/new")
    with page.expect_navigation():
        page.get_by_role("button", name="登记", exact=True).click()
    look("registration with errors")
    id = register()
    page.goto(f"{server}/desk/systems/{id}/issue")
    with page.expect_navigation():
        page.get_by_role("button", name="签发令牌").click()
    look("token with errors")
    page.get_by_label("代窗口人员收件").check()
    with page.expect_navigation():
        page.get_by_role("button", name="签发令牌").click()
    look("secret")
    page.goto(f"{server}/desk/systems/{id}")
    look("one")
    with page.expect_navigation():
        page.get_by_role("link", name=REVOKE).click()
    look("revoke")
    page.goto(f"{server}/desk/systems")
    look("list")
    page.goto(f"{server}/api/v1/docs")
    assert _sideways(page) <= 0
    # All are drawn alike, and the page is long: of every group the first few are judged.
    page.evaluate(
        "document.querySelectorAll('article section > section:nth-of-type(n+4)')"
        ".forEach((one) => one.remove())"
    )
    look("description")
    assert not said


def test_without_scripts_the_secret_can_be_read_and_the_description_too(
    server: str, plain: Page
) -> None:
    id = register()
    enter(plain, server, SECURITY)
    plain.goto(f"{server}/desk/systems/{id}/issue")
    plain.get_by_label("代窗口人员收件").check()
    plain.get_by_role("button", name="签发令牌").click()
    assert SECRET.match(plain.locator("#secret").inner_text())
    expect(plain.get_by_role("button", name="复制令牌")).to_be_hidden()
    plain.goto(f"{server}/api/v1/docs")
    plain.get_by_role("link", name="收件", exact=True).click()
    expect(plain.get_by_role("heading", name="收件", exact=True)).to_be_in_viewport()
