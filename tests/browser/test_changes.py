"""Drafting and approving an item in a real Chromium: by keyboard, without scripts, at every width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser import representative
from tests.browser.test_authorisations import enter
from tests.browser.test_look import AXE, _sideways, _violations
from tests.desk.test_changes import (
    BEGIN,
    CENTRE,
    CITY_LIST,
    DRAFTER,
    LEGAL,
    LIST,
    SECOND,
    act,
    begin,
    listed,
    own,
    save,
    today,
)

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("town")]


def test_a_draft_goes_from_the_editor_to_the_list_by_keyboard(server: str, page: Page) -> None:
    where = begin()
    enter(page, server, DRAFTER)
    page.goto(f"{server}{where}/edit?part=time")
    page.locator("#e-promised summary").press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#i-promised")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("15")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("link", name="回变更页").click()
    expect(page.locator("#i-promised")).to_have_value("15")
    assert asked == ["beforeunload"], "what is not saved is not left by mistake"
    page.keyboard.press("F9")
    page.wait_for_url(server + where)
    expect(page.locator("main")).to_contain_text("检查通过")
    expect(page.locator(".ch-line.ch-new")).to_contain_text("15 个工作日")
    page.keyboard.press("F9")
    expect(page.locator("main")).to_contain_text("接下来由政务服务中心审核")
    for who, said in ((CENTRE, "已办理：审核通过"), (LEGAL, "已办理：法制审查通过")):
        enter(page, server, who)
        page.goto(f"{server}{LIST}")
        page.get_by_role("link", name="取水许可").press("Enter")
        page.wait_for_url(server + where)
        page.keyboard.press("F9")
        expect(page.locator("main")).to_contain_text(said)
    enter(page, server, SECOND)
    page.goto(server + where)
    page.get_by_label("市政府批准清单的文号").focus()
    page.keyboard.type("江政发〔2026〕18号")
    page.get_by_label("批准日期").fill(str(today(-1)))
    page.keyboard.press("F9")
    expect(page.locator("main")).to_contain_text("已办理：登记市政府批准")
    enter(page, server, CENTRE)
    page.goto(server + where)
    page.keyboard.press("F9")  # the second person's one press
    expect(page.locator("main")).to_contain_text("已发布：第 3 版")


def test_rows_come_at_a_press_and_everything_is_saved_without_scripts_too(
    server: str, page: Page, plain: Page
) -> None:
    where = begin(CENTRE, CITY_LIST)
    enter(page, server, CENTRE)
    page.goto(f"{server}{where}/edit?part=more")
    rows = page.locator("[data-rows=questions] .ch-row")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="再加一行").click()
    expect(rows).to_have_count(4)
    rows.nth(3).get_by_label("问", exact=True).fill("可以代办吗？")
    rows.nth(3).get_by_label("答", exact=True).fill("可以，带委托书。")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("main")).to_contain_text("已保存")
    expect(rows.nth(2).get_by_label("问", exact=True)).to_have_value("可以代办吗？")

    mine = begin()
    enter(plain, server, DRAFTER)
    plain.goto(f"{server}{mine}/edit?part=where")
    plain.get_by_label("咨询方式").fill("027-85871234")
    plain.get_by_label("咨询方式").press("Enter")  # saves, and goes nowhere else
    expect(plain.locator("main")).to_contain_text("已保存")
    plain.get_by_label("办理地点").fill("政务路 1 号")
    plain.get_by_role("button", name="条件与材料").click()  # another part: this one is saved
    expect(plain.locator("#e-materials")).to_be_visible()
    plain.locator("#e-materials summary").click()
    plain.locator("#e-materials").get_by_label("删除第 3 项").check()
    plain.get_by_role("button", name="保存并检查").click()
    expect(plain.locator("main")).to_contain_text("检查通过")
    assert (own(mine)["phone"], own(mine)["place"]) == ("027-85871234", "政务路 1 号")
    assert [one["code"] for one in own(mine)["materials"]] == ["01", "02"]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there; run make set-up")
def test_the_pages_are_accessible_and_fit_at_every_width(server: str, page: Page) -> None:
    draft, ready, city = begin(), begin(item="XK0037"), begin(CENTRE, CITY_LIST)
    save(draft, "flow", {}, do="unfold")
    save(draft, "time", {"promised-value": "60"})
    save(ready, "where", {"phone": "027-1"})
    listed(ready)
    save(city, "time", {"promised-value": "12"}, who=CENTRE)
    save(city, "force", {"transition": "1"}, who=CENTRE)
    act(city, CENTRE, "submitted")
    said: list[str] = []
    looks = (
        (DRAFTER, ((LIST, "list: own"), (f"{BEGIN}?copy=XK0036", "begin"), (draft, "draft: own"),
                   (f"{draft}/edit?part=time&check=1", "editor, times"),
                   (f"{draft}/edit?part=ask", "editor, questions"),
                   (f"{draft}/edit?part=flow", "editor, flow"),
                   (f"{draft}/material?code=01", "material"))),
        (SECOND, ((LIST, "list: to confirm"), (city, "draft to confirm"), (ready, "draft: listed"))),
    )  # fmt: skip
    for who, addresses in looks:
        enter(page, server, who)
        for address, name in addresses:
            page.goto(server + address)
            for width, height in ((1440, 900), (1366, 768), (390, 844)):
                page.set_viewport_size({"width": width, "height": height})
                if _sideways(page) > 0:
                    said.append(f"{address} at {width} is {_sideways(page)} px too wide")
            if representative(f"changes, {name}"):
                said += _violations(page)
    assert not said
