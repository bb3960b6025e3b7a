"""The case page in a real Chromium: accessible, narrow enough, usable without JavaScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import some
from tests.browser.test_line import people, seated
from tests.browser.test_look import AXE, _sideways, _violations
from tests.desk import walk
from tests.documents import uploads

pytestmark = pytest.mark.browser
__all__ = ["people"]


def _two_cases() -> tuple[str, str]:
    """One with materials missing, one under review with an entry proposed to be withdrawn."""
    clerk, reviewer = walk.sign_in("p-water-clerk"), walk.sign_in("p-water-reviewer")
    short = walk.register(clerk, **{"material-03": "missing", "do": "receive"})
    number = walk.register(clerk, key="8a9c0f0e-6a1a-4d53-9f5f-0f2f3b6f1a02")
    walk.do(reviewer, number, "step_taken")
    walk.do(reviewer, number, "suspended", procedure="testing", days="5", reasons="要检测水质")
    done = walk.do(
        reviewer, number, "withdrawal_proposed", **{"entry-version": "4", "reasons": "点错了程序"}
    )
    assert done.status_code == 302
    return short, number


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
def test_the_case_page_is_accessible_and_fits_in_three_states(people: str, page: Page) -> None:
    short, number = _two_cases()
    said: list[str] = []

    def look(name: str) -> None:
        for width in some([390], [1366]):
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
            while page.locator("a.unfold").count():
                act = page.locator("a.unfold").first.get_attribute("href") or ""
                page.locator("a.unfold").first.press("Enter")
                expect(page.locator(f"details{act[act.index('#') :]}")).to_be_visible()
            said.extend(_violations(page))
            if _sideways(page) > 0:
                said.append(f"{name} at {width} is {_sideways(page)} px too wide")

    seated(page, people, "p-water-clerk")
    page.goto(f"{people}/desk/cases/{short}")
    look("short")
    seated(page, people, "p-water-approver")
    page.goto(f"{people}/desk/cases/{number}")
    look("proposed")
    page.locator("#proposals input[name=confirmed]").check()
    page.get_by_role("button", name="确认撤销第 4 条").click()
    expect(page.locator("del").first).to_be_visible()
    look("crossed out")
    with page.expect_navigation():
        page.get_by_role("link", name=re.compile("的打印记录")).first.click()
    look("copies")
    assert not said


def test_files_are_sent_and_kept_without_javascript(
    people: str, plain: Page, tmp_path: Path
) -> None:
    number = walk.register(walk.sign_in("p-water-clerk"))
    good, bad = tmp_path / "申请书.pdf", tmp_path / "假的.pdf"
    good.write_bytes(uploads.pdf(2))
    bad.write_bytes(b"<html>")
    seated(plain, people, "p-water-clerk")
    plain.goto(f"{people}/desk/cases/{number}")
    plain.get_by_text("上传扫描件").click()
    plain.locator("#id_scanned_material").select_option("01")
    plain.locator("#id_scanned_files").set_input_files([good, bad])
    plain.get_by_role("button", name="入卷").click()
    expect(plain).to_have_title(re.compile("^错误："))
    expect(plain.get_by_text("已收下：申请书.pdf")).to_be_visible()
    expect(plain.locator("#id_scanned_material")).to_have_value("01")
    plain.get_by_role("button", name="入卷").click()
    expect(plain.get_by_text("已入卷 1 个文件")).to_be_visible()
    expect(plain.locator("#materials").get_by_text("申请书.pdf")).to_be_visible()
