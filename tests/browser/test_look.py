"""How the pages stand up: accessible, narrow enough, small enough, from our own host."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import DRILL, representative, some
from tests.browser.test_line import people, seated
from tests.cases import people as cast
from tests.desk import walk
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PUBLIC = (
    "/",
    "/items",
    "/items/XK0031",
    "/track",
    "/check",
    "/check/AAAA-AAAA",
    "/decisions",
    "/help",
    "/nothing",
)
__all__ = ["people"]


def _violations(page: Page) -> list[str]:
    """What axe says against the page, by all its rules. What passes is not written down element by
    element, which would take as long again; and no sheet or film is fetched for rules that are off."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations'], preload: false})")["violations"]
    return [f"{page.url} {one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def _sideways(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
@pytest.mark.parametrize(("width", "elder"), some([(390, True)], [(1440, False), (320, False)]))
def test_public_pages_are_accessible_and_fit(
    people: str, page: Page, width: int, elder: bool
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    if elder:
        page.goto(f"{people}/elder?on")
    said: list[str] = []
    for address in PUBLIC:
        page.goto(people + address)
        said += _violations(page)
        if _sideways(page) > 0:
            said.append(f"{address} is {_sideways(page)} px too wide")
    assert not said


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
@pytest.mark.parametrize("width", some([390], [320, 1366]))
def test_the_progress_page_its_papers_and_a_decision_are_accessible_and_fit(
    server: str, page: Page, width: int
) -> None:
    cast.items()
    done, short = cast.golden(), cast.received(missing=2)
    short.do("p-water-clerk", "supplement_requested", "09-16 15:00")
    ledger.catch_up()
    page.set_viewport_size({"width": width, "height": 800})
    said: list[str] = []

    def judge(name: str) -> None:
        if representative(name):
            said.extend(_violations(page))
        if _sideways(page) > 0:
            said.append(f"{page.url} is {_sideways(page)} px too wide")

    for case, name in ((done, "progress on a phone: done"), (short, "progress on a phone: short")):
        page.goto(f"{server}/track")
        page.fill("#id_number", case.number)
        page.fill("#id_code", case.query_code)
        page.click("main button")
        page.wait_for_selector(".say")
        judge(name)
    page.get_by_role("link", name="说了什么").first.click()
    page.wait_for_selector("#plain")
    judge("paper in plain words")
    page.goto(f"{server}/decisions")
    page.locator("td a").first.click()
    page.wait_for_selector("article")
    judge("published decision")
    assert not said


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
@pytest.mark.parametrize("width", some([1366], [320]))
def test_desk_pages_are_accessible_and_fit(people: str, page: Page, width: int) -> None:
    clerk = walk.sign_in("p-water-clerk")
    number = walk.register(clerk)
    page.set_viewport_size({"width": width, "height": 768})
    said: list[str] = []
    seated(page, people, "p-water-clerk")
    for address, name in (
        ("/desk/", "inbox: at first"),
        ("/desk/?folder=closed", "inbox: closed"),
        ("/desk/register?item=XK0031", "register with materials"),
        (f"/desk/cases/{number}", "case: received"),
    ):
        page.goto(people + address)
        if representative(f"{name} at {width}" if DRILL else name):
            said += _violations(page)
        if _sideways(page) > 0:
            said.append(f"{address} is {_sideways(page)} px too wide")
    seated(page, people, "p-system_admin")
    page.goto(f"{people}/desk/operate")
    said += _violations(page)
    assert not said


def test_the_inbox_shows_thirteen_rows_on_a_small_desk_screen(people: str, page: Page) -> None:
    clerk = walk.sign_in("p-water-clerk")
    for n in range(20):
        walk.register(clerk, key=f"8a9c0f0e-6a1a-4d53-9f5f-0f2f3b6f1a{n:02d}")
    seated(page, people, "p-water-clerk")
    rows = page.locator("tr[data-row]")
    whole = [
        box for row in rows.all() if (box := row.bounding_box()) and box["y"] + box["height"] <= 768
    ]
    assert len(whole) >= 13


def test_a_first_visit_is_light_and_stays_on_our_host(people: str, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on("response", lambda r: sizes.__setitem__(r.url, len(r.body())))
    page.goto(people, wait_until="networkidle")
    context.close()
    assert all(url.startswith(people) for url in sizes)
    scripts = sum(size for url, size in sizes.items() if url.endswith(".js"))
    assert scripts <= 30_000
    # As sent, compressed, the style sheets are a sixth of this.
    assert sum(sizes.values()) <= 150_000 * 2.5
