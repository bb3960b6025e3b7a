"""The pages of supervision in a real browser: by keyboard, accessible, narrow enough, whole without scripts."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser import representative, some
from tests.browser.test_authorisations import enter
from tests.browser.test_line import people
from tests.browser.test_look import AXE, _sideways, _violations
from tests.desk import walk
from zhengwu.accounts import queries as accounts
from zhengwu.ledger import services as ledger
from zhengwu.supervision import services
from zhengwu.web.clock import now

pytestmark = pytest.mark.browser
DESK = "/desk/supervision"
HEAD, SUPERVISOR = "p-water-head", "p-supervisor"
__all__ = ["people"]


@pytest.fixture
def number(people: str) -> str:
    """A case of the water bureau's."""
    client: Client = walk.sign_in("p-water-clerk")
    return walk.register(client)


def card(number: str, level: str = "yellow") -> UUID:
    """A card for its clerk, by hand; what follows from it is there."""
    issued = services.issue_by_hand(
        accounts.actor(SUPERVISOR), number, "H01", level, "现场检查时窗口无人值守。",
        person="p-water-clerk", post="420100-water-window", key=str(uuid4()), at=now(),
    )  # fmt: skip
    ledger.catch_up()
    return issued


def test_the_head_signs_answers_and_appeals_with_the_keyboard(
    people: str, page: Page, number: str
) -> None:
    card(number)
    enter(page, people, HEAD)
    page.goto(f"{people}{DESK}/mine")
    page.get_by_role("link", name="抽查、检查中发现").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/findings/*")  # its scripts are there once it has loaded
    page.keyboard.press("F9")
    expect(page.locator("main")).to_contain_text("已签收。")
    page.wait_for_load_state()
    page.keyboard.press("F9")
    expect(page.locator("#errors")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("答复", exact=True)).to_be_focused()
    page.keyboard.type("当班人员去大厅引导，已补排备岗。")
    page.keyboard.press("F9")
    expect(page.locator("#history")).to_be_visible()
    expect(page.locator("main")).to_contain_text("已补排备岗")
    appeal = page.locator("#do-appeal summary")
    appeal.focus()
    page.keyboard.press("Enter")
    page.get_by_label("申诉理由").select_option("applicant")
    page.get_by_label("事实和证据").fill("申请人要求陪同复印，见值守记录。")
    page.locator("#id_appeal_confirmed").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("见值守记录")


def test_without_scripts_from_the_case_to_a_card_in_two_steps_and_to_an_order_in_three(
    people: str, plain: Page, number: str
) -> None:
    enter(plain, people, SUPERVISOR)
    plain.goto(f"{people}/desk/cases/{number}")
    plain.locator("#watched").get_by_role("link", name="人工发牌").click()
    plain.get_by_label("理由").fill("现场检查时窗口无人值守。")
    plain.get_by_role("button", name="发出").click()
    expect(plain.locator("main")).to_contain_text("现场检查时窗口无人值守")
    plain.goto(f"{people}{DESK}?folder=cards")
    plain.get_by_role("link", name="抽查、检查中发现").click()
    plain.get_by_role("link", name="开督办").click()
    plain.get_by_role("button", name="发出督办").click()
    expect(plain.locator("h1")).to_contain_text("督办")
    expect(plain.locator("main")).to_contain_text("江城市水务局")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
@pytest.mark.parametrize("width", some([390], [1366]))
def test_the_pages_are_accessible_and_fit(people: str, page: Page, number: str, width: int) -> None:
    red = card(number, "red")
    page.set_viewport_size({"width": width, "height": 768})
    said: list[str] = []

    def look(name: str) -> None:
        if representative(f"{width} supervision, {name}"):
            said.extend(_violations(page))
        if _sideways(page) > 0:
            said.append(f"{name} is {_sideways(page)} px too wide")

    enter(page, people, SUPERVISOR)
    for where, name in (
        ("?folder=all", "findings: all"), ("?folder=all&number=JC000000000000", "findings: none"),
        ("/orders", "orders"), ("/orders/new", "new order"), ("/accountability", "accountability"),
        ("/checks", "checks"), ("/issue", "issue: blank"), (f"/issue?number={number}", "issue of one"),
        (f"/findings/{red}", "finding"),
    ):  # fmt: skip
        page.goto(people + DESK + where)
        look(name)
    page.goto(f"{people}{DESK}/orders/new?finding={red}")
    with page.expect_navigation():
        page.get_by_role("button", name="发出督办").click()
    look("order")
    page.goto(f"{people}{DESK}/accountability")
    page.get_by_role("link", name="红牌").first.click()
    with page.expect_navigation():
        page.get_by_role("button", name="确定承办人").click()
    look("accountability of one: taken up")
    with page.expect_navigation():
        page.get_by_role("button", name="记下陈述和申辩").click()
    look("accountability of one: with an error")
    enter(page, people, HEAD)
    page.goto(f"{people}{DESK}/mine")
    look("the head's own")
    page.goto(f"{people}{DESK}/findings/{red}")
    page.locator("#do-appeal summary").click()
    look("a finding with its verbs")
    assert not said
