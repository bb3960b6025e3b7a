"""Statistics at the desk in Chromium: accessible at three widths, narrow enough, by keyboard to a case."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests.browser import DRILL
from tests.browser.test_look import AXE, _sideways, _violations
from tests.cases import people
from tests.desk import walk
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.browser
YEAR = "since=2026-01-01&until=2026-11-28"
PAGES = (
    f"/desk/statistics/?{YEAR}",
    f"/desk/statistics/by?{YEAR}&compare=on",
    f"/desk/statistics/time?{YEAR}&grain=month",
    f"/desk/statistics/handings?{YEAR}",
    f"/desk/statistics/people?{YEAR}",
    f"/desk/statistics/cases?{YEAR}&measure=received",
    "/desk/statistics/report?month=2026-10",
    "/desk/statistics/definitions",
    "/desk/statistics/?since=2031-01-01",
)


@pytest.fixture
def told(server: str) -> str:
    people.items()
    people.golden()
    other = people.received("10-13 09:00", item=people.FOOD, who="p-market-clerk")
    other.do("p-market-clerk", "accepted", "10-13 10:00")
    other.do("p-market-reviewer", "step_taken", "10-14 10:00")
    other.do("p-market-clerk", "withdrawn", "10-15 10:00")
    ledger.catch_up()
    return server


def enter(page: Page, server: str) -> None:
    cookie = walk.sign_in("p-supervisor").cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server}])


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
def test_the_pages_of_statistics_are_accessible_fit_and_lead_to_a_case(
    told: str, page: Page
) -> None:
    enter(page, told)
    said: list[str] = []
    for address in PAGES:
        page.goto(told + address)
        for width in (1440, 1366, 390):
            page.set_viewport_size({"width": width, "height": 768})
            if width == 390 or (DRILL and width == 1440):
                said += _violations(page)
            if _sideways(page) > 0:
                said.append(f"{address} at {width} is {_sideways(page)} px too wide")
    assert not said
    page.goto(told + PAGES[0])
    page.get_by_role("link", name="2", exact=True).first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/statistics/cases?**")
    page.locator("table a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/cases/JC*")


def test_on_paper_stand_the_figures_their_period_and_the_pictures(told: str, page: Page) -> None:
    enter(page, told)
    page.goto(f"{told}{PAGES[0]}&agency={people.WATER}")
    page.emulate_media(media="print")
    assert page.get_by_text("2026 年 1 月 1 日至 2026 年 11 月 28 日").first.is_visible()
    assert page.locator(".print-only").first.is_visible()  # the filter, in words
    assert page.locator(".stile").first.is_visible()
    assert page.locator("svg.chart").count() >= 3
    assert all(one.is_visible() for one in page.locator("svg.chart").all())
    for gone in (".statask", ".side", ".ch-tabs", "details > summary"):
        assert not any(one.is_visible() for one in page.locator(gone).all()), gone
