"""The thin line in a real Chromium: by keyboard, and without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect

from tests.desk import walk

pytestmark = pytest.mark.browser
CODE = re.compile(r"查询码 ([2-9A-Z]{6})")


@pytest.fixture
def people(shop: None, server: str) -> str:
    """The city with items, and four people who can sign in."""
    for code in ("p-water-clerk", "p-water-reviewer", "p-water-approver", "p-system_admin"):
        person = get_user_model().objects.get(code=code)
        person.set_password(walk.PASSWORD)
        person.save()
    return server


def sign_in(page: Page, server: str, code: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{server}/account/login")
    expect(page.locator("#id_login")).to_be_focused()
    page.keyboard.type(get_user_model().objects.get(code=code).get_username())
    page.keyboard.press("Tab")
    page.keyboard.type(walk.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/**")


def seated(page: Page, server: str, code: str) -> None:
    """This person at the desk, by their cookie: where signing in is not what is looked at."""
    cookie = walk.sign_in(code).cookies[settings.SESSION_COOKIE_NAME]
    page.context.clear_cookies()
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server}])
    page.goto(f"{server}/desk/")


def test_the_line_by_keyboard(people: str, page: Page) -> None:
    sign_in(page, people, "p-water-clerk")
    page.keyboard.press("Alt+n")
    page.wait_for_url("**/desk/register")
    expect(page.locator("#id_identifier")).to_be_focused()
    page.keyboard.type(walk.uscc())
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("江城清源水务有限公司")
    page.keyboard.press("Tab")
    page.keyboard.type("13900002046")
    page.keyboard.press("Tab")
    page.keyboard.type("取水许可")
    page.keyboard.press("Tab")
    expect(page.get_by_text("水资源论证报告书")).to_be_visible()
    expect(page.locator("input[type=radio]:checked")).to_have_count(0)
    page.keyboard.press("F4")
    expect(page.locator("input[type=radio]:checked")).to_have_count(3)
    page.keyboard.press("F9")
    page.wait_for_url(re.compile(r"/desk/cases/JC\d+"))
    number = page.url.rsplit("/", 1)[1]
    code = CODE.search(page.content())
    assert code
    expect(page.get_by_role("link", name="受理通知书", exact=True)).to_be_visible()

    seated(page, people, "p-water-reviewer")
    expect(page.locator("tbody a").first).to_be_focused()
    page.keyboard.press("Enter")  # the first line of the list has the focus
    page.wait_for_url(f"**/desk/cases/{number}")
    page.keyboard.press("F9")  # 接办
    expect(page.get_by_text("已接办")).to_be_visible()
    page.locator("#id_step_done_opinion").focus()
    page.keyboard.type("经审查，符合法定条件。")
    page.keyboard.press("F9")
    expect(page.get_by_text("本环节已办结")).to_be_visible()

    seated(page, people, "p-water-approver")
    page.goto(f"{people}/desk/cases/{number}")
    page.keyboard.press("F9")
    expect(page.get_by_text("已接办")).to_be_visible()
    page.get_by_label("我已核对").first.check()
    page.keyboard.press("F9")  # 准予
    expect(page.get_by_text("已作出准予决定")).to_be_visible()
    make = page.get_by_role("button", name=re.compile("^制证"))
    if make.count():
        make.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("已制证")).to_be_visible()

    seated(page, people, "p-water-clerk")
    page.goto(f"{people}/desk/cases/{number}")
    page.keyboard.press("F9")
    expect(page.get_by_text("已接办")).to_be_visible()
    page.get_by_role("button", name=re.compile("^通知领取")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("已通知申请人领取")).to_be_visible()
    page.locator("#id_delivered_means").select_option("signature")
    page.locator("#id_delivered_proof").fill("何晓岚")
    page.keyboard.press("F9")
    expect(page.get_by_text("已送达，办件办结")).to_be_visible()

    page.context.clear_cookies()
    page.goto(f"{people}/track")
    expect(page.get_by_label("办件编号")).to_be_focused()
    page.keyboard.type(number)
    page.keyboard.press("Tab")
    page.keyboard.type(code.group(1))
    page.keyboard.press("Enter")
    expect(page.get_by_text("已经办结，许可已经批准，取水许可证已经送达")).to_be_visible()


def test_the_line_without_javascript(people: str, plain: Page) -> None:
    page = plain
    sign_in(page, people, "p-water-clerk")
    page.get_by_role("link", name=re.compile("登记办件")).click()
    page.get_by_label("身份证号").fill(walk.uscc())
    page.get_by_label("名称 / 姓名").fill("江城清源水务有限公司")
    page.get_by_label("手机号").fill("13900002046")
    page.get_by_label("事项名称、拼音首字母或编码").fill("备案")
    page.get_by_role("button", name="查找", exact=True).click()
    expect(page.get_by_label("名称 / 姓名")).to_have_value("江城清源水务有限公司")
    page.get_by_role("button", name=re.compile("收件并受理")).click()
    expect(page).to_have_title(re.compile("^错误："))
    page.locator(".tri").get_by_text("已收", exact=True).click()
    page.get_by_role("button", name=re.compile("收件并受理")).click()
    page.wait_for_url(re.compile(r"/desk/cases/JC\d+"))
    number = page.url.rsplit("/", 1)[1]
    code = CODE.search(page.content())
    assert code
    for _ in range(6):  # what an immediate item asks for in one sitting, as it is offered
        if page.locator(".casehead").get_by_text("已办结").count():
            break
        if page.locator("#id_delivered_means").count():
            page.locator("#id_delivered_means").select_option("signature")
            page.locator("#id_delivered_proof").fill("何晓岚")
        form = page.locator("#acts form", has=page.locator(".btn-primary"))
        if form.locator("[id$=_confirmed]").count():  # what cannot be taken back
            form.locator("[id$=_confirmed]").check()
        form.locator(".btn-primary").click()
    expect(page.locator(".casehead").get_by_text("已办结").first).to_be_visible()
    page.goto(f"{people}/track")
    page.get_by_label("办件编号").fill(number)
    page.get_by_label("查询码", exact=True).fill(code.group(1))
    page.get_by_role("button", name="查进度").click()
    expect(page.get_by_text("已经办结").first).to_be_visible()
