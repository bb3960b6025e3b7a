"""The review page in a real Chromium: few interactions, the keyboard alone, no scripts, a phone."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser import some
from tests.browser.test_line import people, seated
from tests.browser.test_look import AXE, _sideways, _violations
from tests.desk import walk
from tests.desk.test_review import APPROVER, REVIEWER, _reviewed, judge, scan

pytestmark = pytest.mark.browser
__all__ = ["people"]


@pytest.fixture
def cases(people: str) -> list[str]:
    """Two cases with a scan, ready for the approver."""
    clerk = walk.sign_in("p-water-clerk")
    numbers = [walk.register(clerk, key=str(uuid4())) for _ in range(2)]
    for number in numbers:
        scan(number, pages=3)
        _reviewed(number)
    return numbers


def test_from_the_list_to_the_next_case_in_four_interactions(
    people: str, cases: list[str], page: Page
) -> None:
    seated(page, people, APPROVER)
    page.goto(f"{people}/desk/?folder=hand")
    page.get_by_role("link", name=f"审查 {cases[0]}").click()  # 1: open
    expect(page.get_by_text("第 1 件，共 2 件")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#viewer img")).to_be_visible()
    expect(page.locator(".chk input:checked")).to_have_count(0)
    expect(page.locator("#id_opinion")).to_be_focused()
    page.keyboard.press("F4")  # 2: all conform
    expect(page.locator("[data-count]")).to_have_text("4 / 4")
    page.keyboard.type("同意承办意见，准予取水。")  # 3: say why
    page.keyboard.press("F9")  # 4: grant
    page.wait_for_url(re.compile(f"/desk/cases/{cases[1]}/review"))
    expect(page.get_by_text("已作出准予决定")).to_be_visible()
    expect(page.get_by_role("link", name="打开文书")).to_be_visible()


def test_a_case_not_taken_yet_is_decided_in_five(people: str, page: Page) -> None:
    clerk = walk.sign_in("p-water-clerk")
    number = walk.register(clerk, key=str(uuid4()))
    reviewer = walk.sign_in(REVIEWER)
    judge(reviewer, number, "step_taken")
    judge(reviewer, number, "step_done", opinion="符合")
    seated(page, people, APPROVER)
    page.goto(f"{people}/desk/?folder=mine")
    page.get_by_role("link", name=f"审查 {number}").click()  # 1
    page.wait_for_load_state("networkidle")
    page.keyboard.press("F9")  # 2: take
    expect(page.get_by_text("已接办")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("F4")  # 3
    page.keyboard.type("同意。")  # 4
    page.keyboard.press("F9")  # 5
    expect(page.get_by_text("已作出准予决定")).to_be_visible()


def test_pages_turn_and_small_forms_open_by_keyboard_and_nothing_typed_is_lost(
    people: str, cases: list[str], page: Page
) -> None:
    seated(page, people, APPROVER)
    page.goto(f"{people}/desk/cases/{cases[0]}/review?folder=hand")
    page.wait_for_load_state("networkidle")
    page.keyboard.type("写到一半")
    page.get_by_role("link", name="下一页").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer img")).to_have_attribute("src", re.compile(r"/2\.jpg"))
    expect(page.locator("#id_opinion")).to_have_value("写到一半")
    page.locator("#pg").fill("3")
    page.locator("#pg").press("Enter")
    expect(page.locator("#viewer img")).to_have_attribute("src", re.compile(r"/3\.jpg"))
    expect(page.get_by_role("link", name="下一页")).to_have_count(0)
    expect(page.locator("#id_opinion")).to_have_value("写到一半")
    summary = page.locator("summary", has_text="特别程序")
    summary.focus()
    page.keyboard.press("Enter")
    days = page.locator("#id_suspended-days")
    expect(days).to_be_visible()
    days.focus()
    page.keyboard.type("5")
    page.keyboard.press("Enter")  # in a line of a small form: decides nothing
    expect(page).to_have_url(re.compile(f"{cases[0]}/review"))
    page.keyboard.press("F9")  # the small form's own act, which refuses: no procedure was chosen
    expect(page.locator("#errors")).to_be_visible()
    expect(page.locator(".note", has_text="准予")).to_have_count(0)
    expect(page.locator("#id_opinion")).to_have_value("写到一半")
    days.focus()
    page.keyboard.press("Escape")
    expect(days).to_be_hidden()
    page.locator("#id_opinion").press("End")
    page.keyboard.type("，又写一半")
    expect(page.get_by_text("已自动保存")).to_be_visible()
    page.keyboard.press("Alt+x")
    page.wait_for_url(re.compile(f"/desk/cases/{cases[1]}/review"))
    page.keyboard.press("Alt+p")
    page.wait_for_url(re.compile(f"/desk/cases/{cases[0]}/review"))
    expect(page.locator("#id_opinion")).to_have_value("写到一半，又写一半")


def test_the_review_without_javascript(people: str, cases: list[str], plain: Page) -> None:
    page = plain
    seated(page, people, APPROVER)
    page.goto(f"{people}/desk/?folder=hand")
    page.get_by_role("link", name=f"审查 {cases[0]}").click()
    page.get_by_role("link", name="下一页").click()
    expect(page.locator("#viewer img")).to_have_attribute("src", re.compile(r"/2\.jpg"))
    page.get_by_label("页码").fill("3")
    page.get_by_label("页码").press("Enter")
    expect(page.locator("#viewer img")).to_have_attribute("src", re.compile(r"/3\.jpg"))
    for tick in page.locator(".chk .tri-ok").all():
        tick.click()
    page.get_by_label("我的意见").fill("同意")
    page.get_by_role("button", name=re.compile("^准予")).click()
    expect(page.get_by_text("已作出准予决定")).to_be_visible()


def test_a_batch_without_javascript(people: str, cases: list[str], plain: Page) -> None:
    page = plain
    seated(page, people, APPROVER)
    page.goto(f"{people}/desk/?folder=hand")
    for number in cases:
        page.get_by_label(f"选择 {number}").check()
    page.get_by_role("button", name="批量办理").click()
    page.get_by_label(re.compile("^准予")).check()
    page.get_by_role("button", name=re.compile("确定，办理这 2 件")).click()
    expect(page.get_by_role("heading", name="批量准予：办好 2 件")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("打开 PDF"))).to_have_count(2)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
@pytest.mark.parametrize("width", some([1366], [390]))
def test_review_and_batch_are_accessible_and_fit(
    people: str, cases: list[str], page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    seated(page, people, APPROVER)
    said: list[str] = []
    number = cases[0]
    for address in (
        "/desk/?folder=hand",
        f"/desk/cases/{number}/review?folder=hand",
        f"/desk/cases/{number}/review?folder=hand&m=01",
        f"/desk/cases/{number}/review?m=02",
        f"/desk/batch?case={cases[0]}&case={cases[1]}",
    ):
        page.goto(people + address)
        said += _violations(page)
        if _sideways(page) > 0:
            said.append(f"{address} is {_sideways(page)} px too wide")
    assert not said
    if width < 992:
        page.goto(f"{people}/desk/cases/{number}/review?folder=hand")
        expect(page.locator("#viewer img")).to_be_hidden()  # the list is folded
        grant = page.locator(".decide button").first
        box = grant.bounding_box()
        assert box
        assert box["height"] >= 44
        assert box["y"] + box["height"] <= 768  # always at the thumb
        page.get_by_role("link", name=re.compile("取水许可申请书")).first.click()
        expect(page.locator("#viewer img")).to_be_visible()
