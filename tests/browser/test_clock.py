"""Why a day is the day it is, a notice that moves it, and where the time went: in Chromium."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from tests.browser import DRILL
from tests.browser import test_journeys as journeys
from tests.browser.test_journeys import House, house
from tests.browser.test_line import people
from tests.browser.test_look import AXE, _sideways, _violations
from tests.cases import people as cast
from tests.desk import walk
from tests.documents.samples import text_of
from tests.domain.notice_texts import NOTICE_2027
from zhengwu.cases import reprojection
from zhengwu.domain.procedure import Limit
from zhengwu.ledger import services as ledger
from zhengwu.web.clock import now

pytestmark = pytest.mark.browser
__all__ = ["house", "people"]
CLERK, SUPERVISOR = "p-water-clerk", "p-supervisor"
NOTICE = "国务院办公厅关于2026年部分节假日安排的通知"
LONG = "XK9001"


@pytest.fixture
def told(town: None, server: str) -> tuple[str, cast.Told]:
    """The worked story, over the National Day of 2026, and where it is served."""
    case = cast.golden()
    ledger.catch_up()
    return server, case


def enter(page: Page, server: str, code: str) -> None:
    """The person's cookie, without the page to sign in on."""
    cookie = walk.sign_in(code).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server}])


def open_by_keyboard(page: Page, name: str) -> None:
    """Tab until the link has the focus, then Enter."""
    wanted = page.get_by_role("link", name=name, exact=True)
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            page.keyboard.press("Enter")
            page.wait_for_selector(".whypage")
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def ask(page: Page, server: str, case: cast.Told) -> None:
    page.goto(f"{server}/track")
    page.locator("#id_number").fill(case.number)
    page.locator("#id_code").fill(case.query_code)
    page.get_by_role("button", name="查进度").click()
    page.wait_for_selector(".say")


def explained(page: Page) -> None:
    """Every line of every limit is in sight; a notice is a link by its name."""
    lines = page.locator(".whytable.lines tbody tr")
    assert lines.count() >= 12
    assert all(one.is_visible() for one in lines.all())
    expect(lines.filter(has_text="国庆节放假不计").first).to_be_visible()
    link = lines.get_by_role("link", name=NOTICE).first
    expect(link).to_have_attribute("href", re.compile(r"^https://www\.gov\.cn/"))
    assert "http" not in page.locator(".whypage").inner_text()


def stands(page: Page, widths: tuple[int, ...] = (1366, 390)) -> list[str]:
    """What is wrong with the page at these widths; axe, which takes its time, at the first."""
    said: list[str] = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        if AXE.exists() and (DRILL or width == widths[0]):
            said += _violations(page)
        if (over := _sideways(page)) > 0:
            said.append(f"{page.url} at {width} is {over} px too wide")
    return said


def minutes(said: str) -> int:
    """1,176 小时 40 分."""
    found = re.fullmatch(r"(?:([\d,]+) 小时)? ?(?:(\d+) 分(?:钟)?)?", said.strip())
    assert found, said
    hours, rest = (int((one or "0").replace(",", "")) for one in found.groups())
    return hours * 60 + rest


def paper(page: Page) -> str:
    """The page as it is printed."""
    return text_of(page.pdf(format="A4"))


def test_the_explanation_at_the_desk(told: tuple[str, cast.Told], page: Page, plain: Page) -> None:
    server, case = told
    enter(page, server, CLERK)
    page.goto(f"{server}/desk/cases/{case.number}")
    open_by_keyboard(page, "推算说明")
    explained(page)
    assert stands(page) == []
    sheet = paper(page)
    assert "国庆节放假不计" in sheet
    assert "https://www.gov.cn/" in sheet, "paper says where the notice is"
    assert "按那天推算" not in sheet
    assert "看当时的" not in sheet

    enter(plain, server, CLERK)
    plain.goto(f"{server}/desk/cases/{case.number}/why")
    explained(plain)
    plain.get_by_role("link", name="看当时的").nth(1).click()
    expect(plain.get_by_text("当时登记到第")).to_be_visible()
    plain.get_by_label("按哪一天知道的情况").fill("2000-01-01")
    plain.get_by_role("button", name="按那天推算").click()
    expect(plain).to_have_title(re.compile("^错误："))
    expect(plain.get_by_role("alert")).to_contain_text("还没有这个办件")


def test_the_explanation_for_the_applicant(
    told: tuple[str, cast.Told], page: Page, plain: Page
) -> None:
    server, case = told
    ask(page, server, case)
    open_by_keyboard(page, "期限推算说明（可以打印）")
    explained(page)
    said = stands(page)
    assert "国庆节放假不计" in paper(page)
    address = page.url
    page.goto(f"{server}/elder?on")
    page.goto(address)
    expect(page.locator("html")).to_have_class("elder")
    explained(page)
    assert said + stands(page) == []
    ask(plain, server, case)
    plain.get_by_role("link", name="期限推算说明（可以打印）").click()
    explained(plain)


def test_a_published_notice_moves_a_case_and_the_applicant_is_told(house: House) -> None:
    journeys._publish(
        code=LONG, name="取水工程验收",
        statutory=Limit(60, basis="行政许可法 第四十二条"), promised=Limit(45, basis="办事指南"),
    )  # fmt: skip
    case = cast.received("11-10 09:20", item=LONG)
    case.do(CLERK, "accepted", "11-10 10:20")

    page = house.go("p-system_admin", "/desk/calendar/new/notice")
    house.look(page, "a notice")
    page.get_by_label("内容").fill(
        NOTICE_2027.replace("至3日（周日）放假，共3天", "至5日（周二）放假，共5天")
    )
    page.get_by_label("理由").fill("按通知公布")
    page.get_by_role("button", name="预览").click()
    effect = page.locator("section", has=page.get_by_text("预览：还没有提出"))
    expect(effect).to_contain_text("在办 1 件，期限变动 1 件：提前 0 件，推后 1 件")
    expect(effect.locator("tbody", has_text=case.number)).to_be_visible()
    expect(effect.get_by_text("2027-01-04 周一 至 01-05 周二")).to_be_visible()
    house.look(page, "a notice previewed")
    page.get_by_role("button", name="提出，等第二个人确认").click()
    expect(page.get_by_text("这项变更是您提出的")).to_be_visible()
    expect(page.get_by_role("button", name="我已核对原文，确认")).to_have_count(0)

    other = house.go("p-security_admin", "/desk/calendar/changes")
    other.get_by_role("link", name=re.compile("核对.*2027 年放假安排")).click()
    expect(other.locator("tbody", has_text=case.number)).to_be_visible()
    house.look(other, "a change to confirm")
    address = other.url
    other.get_by_role("button", name="我已核对原文，确认").click()
    expect(other.get_by_text("已确认：2027 年放假安排")).to_be_visible()
    house.look(other, "changes")
    assert reprojection.reproject_all(now() + timedelta(seconds=1))
    other.goto(address)
    expect(other.locator("h1")).to_contain_text("已确认")
    done = other.locator("section", has=other.get_by_text("在办办件的重新推算"))
    expect(done).to_contain_text("推算完 1 件，期限变动 1 件")
    expect(done.locator("tbody", has_text=case.number)).to_be_visible()
    house.look(other, "a change confirmed")

    desk = house.go(CLERK, f"/desk/cases/{case.number}/why")
    moved = desk.locator("tr", has_text="国办发明电〔2026〕9号").filter(has_text="承诺决定")
    expect(moved).to_contain_text("（暂定）")
    ask(house.public(), house.server, case)
    note = house.public().locator(".note", has_text="日期有变")
    expect(note).to_contain_text("不再是暂定的。")
    expect(note).to_contain_text("国办发明电〔2026〕9号")


def test_the_time_ledger_adds_up_in_sight_and_on_a_phone(
    told: tuple[str, cast.Told], page: Page, chromium: Browser
) -> None:
    server, _ = told
    enter(page, server, SUPERVISOR)
    page.goto(f"{server}/desk/time?since=2026-09-01&until=2026-11-15")
    expect(page.get_by_text("期间办结 1 件")).to_be_visible()
    whole = page.locator("table.tparts").first
    parts = whole.locator("tbody td[data-l=合计]").all_inner_texts()
    (total,) = whole.locator("tfoot td[data-l=合计]").all_inner_texts()
    assert sum(map(minutes, parts)) == minutes(total) > 0
    page.get_by_label("移交表里窗口单列").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**windows=on**")
    table = page.get_by_role("region", name="移交表")
    expect(table.get_by_text("江城市水务局窗口").first).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("对不上")
    assert stands(page) == []
    with page.expect_download() as sheet:
        page.get_by_role("link", name="导出 CSV").click()
    assert sheet.value.suggested_filename.endswith("20260901-20261115.csv")
