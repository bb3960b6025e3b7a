"""The pages of the clock in a real Chromium: why a day is the day it is, the timetable, the time."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.browser.test_look import AXE, _sideways, _violations
from tests.cases import people as cast
from tests.desk import walk
from tests.domain.notice_texts import NOTICE_2027
from zhengwu.cases import reprojection
from zhengwu.web.clock import now

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up"),
]
CLERK, REVIEWER, SUPERVISOR = "p-water-clerk", "p-water-reviewer", "p-supervisor"
ONE, OTHER = "p-system_admin", "p-security_admin"


def sit(page: Page, server: str, code: str) -> None:
    """At this person's desk, signed in."""
    cookie = walk.sign_in(code).cookies[settings.SESSION_COOKIE_NAME]
    page.context.clear_cookies()
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server}])


def judged(page: Page, *widths: int) -> list[str]:
    """What is wrong with the page at these widths."""
    said = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 768})
        said += [f"{width}: {one}" for one in _violations(page)]
        if _sideways(page) > 0:
            said.append(f"{page.url} at {width} is {_sideways(page)} px too wide")
    page.set_viewport_size({"width": 1366, "height": 768})
    return said


def waiting() -> cast.Told:
    """Suspended once, in time, still under way."""
    case = cast.received(missing=1)
    case.do(CLERK, "supplement_requested", "09-16 15:00")
    case.do(CLERK, "supplemented", "09-21 10:05", {"material-03": "received"})
    case.do(CLERK, "accepted", "09-21 10:20")
    case.do(REVIEWER, "step_taken", "09-21 14:00")
    case.do(REVIEWER, "suspended", "09-24 17:00", {"procedure": "expert_review", "days": "10"})
    case.do(REVIEWER, "resumed", "10-15 09:00")
    return case


def test_the_applicant_reads_why_by_keyboard_without_scripts_in_large_letters_and_on_paper(
    server: str, page: Page, plain: Page
) -> None:
    cast.items()
    case = waiting()
    plain.goto(f"{server}/elder?on")
    plain.goto(f"{server}/track")
    plain.fill("#id_number", case.number)
    plain.fill("#id_code", case.query_code)
    plain.keyboard.press("Enter")
    link = plain.get_by_role("link", name=re.compile("推算")).first
    link.focus()
    plain.keyboard.press("Enter")
    plain.wait_for_url("**/track/why/**")
    line = plain.get_by_role("cell", name=re.compile("专家评审")).first
    expect(line).to_be_visible()
    expect(
        plain.get_by_role("cell", name=re.compile("行政许可法》 ?第四十五条")).first
    ).to_be_visible()
    plain.emulate_media(media="print")
    expect(line).to_be_visible()
    expect(plain.locator(".no-print:visible")).to_have_count(0)
    page.goto(plain.url)
    said = judged(page, 320, 390, 1366)
    page.goto(f"{server}/elder?on")
    page.goto(plain.url)
    said += judged(page, 320)
    assert not said


def test_the_desk_reads_why_and_what_was_known_before(server: str, page: Page) -> None:
    cast.items()
    case = waiting()
    sit(page, server, REVIEWER)
    page.goto(f"{server}/desk/cases/{case.number}")
    page.get_by_role("link", name="推算说明").click()
    expect(page.get_by_role("heading", name="期限推算说明")).to_be_visible()
    assert not judged(page, 390, 1366)
    page.goto(f"{server}/desk/cases/{case.number}/why?known=2001-01-01")
    expect(page.get_by_role("link", name=re.compile("那时还没有这个办件"))).to_be_visible()
    sit(page, server, "p-water-head")
    page.goto(f"{server}/desk/time?q={case.number}")
    expect(page.get_by_role("heading", name="时间账")).to_be_visible()
    assert not judged(page, 390, 1366)


def test_two_people_publish_a_year_and_see_what_it_moved(server: str, page: Page) -> None:
    cast.items()
    case = cast.received("12-14 09:20")
    case.do(CLERK, "accepted", "12-15 10:00")
    sit(page, server, ONE)
    page.goto(f"{server}/desk/calendar/new/notice")
    page.get_by_label("内容").fill(NOTICE_2027)
    page.get_by_label("理由").fill("按国务院通知公布")
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_text("还没有提出，什么都没有改变")).to_be_visible()
    expect(page.get_by_text(re.compile("1 件")).first).to_be_visible()
    said = judged(page, 390, 1366)
    page.get_by_role("button", name=re.compile("提出")).click()
    page.wait_for_url("**/desk/calendar/changes/**")
    assert page.get_by_role("button", name="我已核对原文，确认").count() == 0, (
        "nobody confirms alone"
    )
    address = page.url
    sit(page, server, OTHER)
    page.goto(address)
    said += judged(page, 390, 1366)
    page.get_by_role("button", name="我已核对原文，确认").click()
    page.wait_for_load_state()
    reprojection.reproject_all(now())
    page.goto(address)
    expect(page.get_by_text(case.number).first).to_be_visible()
    said += judged(page, 390)
    page.goto(f"{server}/desk/calendar?year=2027")
    said += judged(page, 390, 1366)
    assert not said
