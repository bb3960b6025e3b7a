"""The page of the real process in a browser: accessible, no wider than the screen, led by the keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser import DRILL
from tests.browser.test_desk_statistics import enter
from tests.browser.test_look import AXE, _sideways, _violations
from tests.cases import people
from tests.cases.test_process import straight

pytestmark = pytest.mark.browser


@pytest.fixture
def told(server: str) -> str:
    people.items()
    people.golden()
    straight()
    return server


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
def test_the_picture_is_accessible_fits_and_leads_to_its_row(told: str, page: Page) -> None:
    enter(page, told)
    said: list[str] = []
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 768})
        page.goto(f"{told}/desk/process?item={people.INTAKE}&detail=many")
        if DRILL or width == 390:
            said += _violations(page)
        if _sideways(page) > 0:
            said.append(f"{_sideways(page)} px too wide at {width}")
    assert not said
    page.focus(".pmbox")
    page.keyboard.press("Tab")
    led = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("Enter")
    assert led.startswith("#e-")
    assert page.evaluate("document.querySelector(':target').tagName") == "TR"
