"""The window's pages from end to end, as the people of a city go through them, each at a desk.

Every page is judged the first time somebody comes by: nothing said on the console, nothing sideways
at 390 px, and accessible (axe: one page of each template, in a drill every one). What needs days is told by the services beforehand; what is
done in the browser happens now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.browser import representative
from tests.browser.test_counter import Hands
from tests.browser.test_line import CODE, people, sign_in
from tests.browser.test_look import AXE, _sideways, _violations
from tests.cases import people as cast
from tests.desk import walk
from tests.documents.samples import text_of
from zhengwu.accounts import queries as accounts
from zhengwu.calendars import queries as calendars
from zhengwu.cases import loading, services
from zhengwu.catalog import queries as catalog_queries
from zhengwu.catalog import services as catalog
from zhengwu.domain.procedure import Limit
from zhengwu.web.clock import now

pytestmark = pytest.mark.browser
__all__ = ["people"]
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"
HEAD, CASHIER = "p-water-head", "p-water-cashier"
APPLICANT = "江城清源水务有限公司"
CASE = re.compile(r"/desk/cases/JC\d+$")
# A refusal and a page gone stale are answers; the browser says each on its console.
ANSWERS = re.compile(r"Failed to load resource: .* status of (409|422)")
SEEN: set[str] = set()


@dataclass(slots=True)
class House:
    """Who sits where: a browser window of its own for each person, opened when first needed."""

    browser: Browser
    server: str
    windows: dict[str, Page] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def of(self, code: str, *, scripts: bool = True) -> Page:
        """The person's window, signed in."""
        if code not in self.windows:
            page = self._window(code, scripts=scripts)
            cookie = walk.sign_in(code).cookies[settings.SESSION_COOKIE_NAME]
            page.context.add_cookies(
                [{"name": cookie.key, "value": cookie.value, "url": self.server}]
            )
        return self.windows[code]

    def public(self) -> Page:
        """Somebody at home with a phone."""
        return self.windows.get("") or self._window("", width=390)

    def _window(self, code: str, *, scripts: bool = True, width: int = 1366) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": 768}, locale="zh-CN", java_script_enabled=scripts
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: self._hear(message))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        self.windows[code] = page
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not ANSWERS.match(message.text):
            self.said.append(f"{message.text} {message.location}")

    def go(self, code: str, address: str) -> Page:
        page = self.of(code)
        page.goto(self.server + address)
        return page

    def look(self, page: Page, name: str) -> None:
        """Judge the page, the first time one comes by it."""
        if name in SEEN or not AXE.exists():
            return
        SEEN.add(name)
        before = page.viewport_size or {"width": 1366, "height": 768}
        if representative(name):
            self.said += [f"{name}: {one}" for one in _violations(page)]
        page.set_viewport_size({"width": 390, "height": 768})
        if (over := _sideways(page)) > 0:
            self.said.append(f"{name} at 390 is {over} px too wide")
        page.set_viewport_size(before)


@pytest.fixture
def house(people: str, chromium: Browser) -> Iterator[House]:
    """The city with items, and its people at their desks."""
    house = House(chromium, people)
    yield house
    for page in house.windows.values():
        page.context.close()
    assert not house.said


def paper(link: Locator) -> str:
    """What the paper behind a link says, as one line."""
    page = link.page
    address = link.get_attribute("href") or ""
    answer = page.request.get(page.evaluate("a => new URL(a, location.href).href", address))
    assert answer.headers["content-type"] == "application/pdf"
    return text_of(answer.body())


def number_of(page: Page) -> str:
    """The case that is open; its code too is on the page."""
    page.wait_for_url(CASE)
    return page.url.rsplit("/", 1)[1]


def code_of(page: Page) -> str:
    found = CODE.search(page.locator("main").inner_text()) or re.search(
        r"查询码\s+([2-9A-Z]{6})", page.locator("aside").last.inner_text()
    )
    assert found
    return found.group(1)


def shown(page: Page, text: str) -> None:
    """The page says so, in what one sees of it."""
    expect(page.locator("body")).to_contain_text(text)


def opened(page: Page, summary: str) -> Locator:
    """The folded act of this name, opened: one press on its name."""
    link = page.locator(f'a.unfold:text-is("{summary}")')
    fold = page.locator("details:not(.rest)", has=page.locator(f'summary:text-is("{summary}")'))
    expect(link.or_(fold).first).to_be_attached()
    if link.count():
        if not link.is_visible():
            page.locator("details.rest > summary").click()
        link.click()
        expect(fold.first).to_be_visible()
    elif fold.first.get_attribute("open") is None:  # beside the opinion of a review
        fold.first.locator("summary").first.click()
    return fold.first


def fill_in(page: Page, item: str, *, name: str = APPLICANT) -> None:
    """Register page: the applicant and the item, by keyboard."""
    page.locator("#id_identifier").fill(walk.uscc())
    page.keyboard.press("Enter")
    expect(page.locator("#known[data-number]")).to_have_attribute("data-number", walk.uscc())
    if not page.locator("#id_name").input_value():
        page.locator("#id_name").fill(name)
        page.locator("#id_phone").fill("13900002046")
    page.locator("#id_item").fill(item)
    page.keyboard.press("Enter")
    expect(page.locator("[data-materials]").first).to_be_visible()


def take(page: Page) -> None:
    """F9 on a case that waits for me."""
    page.keyboard.press("F9")
    shown(page, "已接办")


def track(house: House, page: Page, number: str, code: str) -> None:
    """Where the case is, asked by its applicant."""
    page.goto(f"{house.server}/track")
    page.get_by_label("办件编号").fill(number)
    page.get_by_label("查询码", exact=True).fill(code)
    page.get_by_role("button", name="查进度").click()
    expect(page.locator(".say")).to_be_visible()


def decide(page: Page) -> None:
    """All conforms: granted."""
    page.keyboard.press("F4")
    page.locator("#id_opinion").fill("符合条件，同意。")
    page.keyboard.press("F9")
    shown(page, "已作出准予决定")


# --- what was before, told by the services -----------------------------------------------------


def _publish(**changes: Any) -> None:
    draft = catalog.Draft(
        code="", name="", type="行政许可", agency="420100-water", kind="promised",
        statutory=Limit(20, basis="行政许可法 第四十二条"), promised=Limit(10, basis="办事指南"),
        promised_is="stated", materials=("申请书",), result="批复", basis="行政许可法 第四十二条",
        fee="无", note="", since=date(2020, 1, 1),
    )  # fmt: skip
    catalog.publish(replace(draft, **changes), by=None, at=datetime(2026, 1, 2, tzinfo=UTC))


def working_days_ago(count: int) -> datetime:
    """Ten in the morning of the working day after which so many have come, today included."""
    calendar, day = calendars.edition("420100").calendar, now().astimezone(cast.SHANGHAI).date()
    while count or not calendar.is_working_day(day).working:
        count -= calendar.is_working_day(day).working and count > 0
        day -= timedelta(days=1)
    return datetime.combine(day, time(10), tzinfo=cast.SHANGHAI)


def under_review(item: str, *, when: datetime | None = None) -> tuple[str, str]:
    """A case that the reviewer has taken, received and accepted then; number and query code."""
    at = when or now()
    row = catalog_queries.in_force(item, at.astimezone(cast.SHANGHAI).date())
    assert row is not None
    ticks = {material.code: "received" for material in row.materials}
    given = services.receive(
        accounts.actor(CLERK),
        services.Reception(item=item, applicant=cast.COMPANY, materials=ticks),
        key=str(uuid4()),
        at=at,
    )
    told(given.number, CLERK, "accepted", at)
    told(given.number, REVIEWER, "step_taken", at)
    return given.number, given.query_code


def told(number: str, who: str, kind: str, when: datetime | None = None, **form: str) -> None:
    """An act of somebody, then or now."""
    by = accounts.actor(who)
    services.perform(
        by, number, kind, version=loading.load(by, number).version, key=str(uuid4()), form=form,
        at=when or now(),
    )  # fmt: skip


# --- a promised item, with everything the law knows on the way ---------------------------------


def test_a_promised_item_from_a_faulty_paper_to_a_refusal_by_post(house: House) -> None:
    clerk = house.of(CLERK)
    sign_in(clerk, house.server, CLERK)
    house.look(clerk, "inbox: of a clerk")
    clerk.keyboard.press("Alt+n")
    clerk.wait_for_url("**/desk/register")
    house.look(clerk, "register")
    fill_in(clerk, "qsxk")
    clerk.keyboard.press("F4")
    rows = clerk.locator("table.mats tr")
    rows.nth(1).get_by_text("不合格", exact=True).click()
    rows.nth(1).locator("[data-why]").fill("第 3 页没有盖章，请补盖公章")
    rows.nth(2).get_by_text("缺", exact=True).click()
    house.look(clerk, "register with materials")
    clerk.keyboard.press("F8")
    number = number_of(clerk)
    code = code_of(clerk)
    expect(clerk.get_by_role("button", name="打印补正告知书", exact=True)).to_be_focused()
    house.look(clerk, "case: supplementing")
    notice = paper(clerk.locator("#doc a", has_text="查看").last)
    for said in ("水资源论证报告书", "第3页没有盖章", "与第三者利害关系的说明", "三十二条"):
        assert said in notice, said
    phone = house.public()
    track(house, phone, number, code)
    shown(phone, "材料还不齐，等您补交")
    shown(phone, "第 3 页没有盖章，请补盖公章")
    house.look(phone, "progress: supplementing")

    for row in clerk.locator("#acts .tickrow").all():
        row.get_by_text("已收", exact=True).click()
    clerk.keyboard.press("F9")  # 补正
    expect(clerk.get_by_role("button", name="受理", exact=False).first).to_be_visible()
    shown(clerk, "已齐")
    house.look(clerk, "case: supplemented")
    clerk.keyboard.press("F9")  # 受理
    expect(clerk.get_by_role("button", name="打印受理通知书", exact=True)).to_be_focused()
    assert "受理" in paper(clerk.locator("#doc a", has_text="查看").last)
    expect(clerk.locator("#acts [data-key]")).to_have_count(0)  # the next step is not the window's

    reviewer = house.go(REVIEWER, "/desk/?folder=mine")
    house.look(reviewer, "inbox: of a reviewer")
    with reviewer.expect_navigation():
        reviewer.get_by_role("link", name=f"审查 {number}").click()
    house.look(reviewer, "review to take")
    take(reviewer)
    house.look(reviewer, "review")
    special = opened(reviewer, "特别程序")
    reasons = special.locator("select option").all_inner_texts()
    assert reasons[1:] == ["听证", "招标", "拍卖", "检验", "检测", "检疫", "鉴定", "专家评审"]
    special.locator("select").select_option("专家评审")
    special.locator("[name$=-days]").fill("15")
    reviewer.locator("#id_opinion").fill("论证报告须经专家评审")
    reviewer.keyboard.press("F9")
    shown(reviewer, "已进入特别程序，期限暂停计算")
    reviewer = house.go(REVIEWER, f"/desk/cases/{number}")
    shown(reviewer, "特别程序中")
    expect(reviewer.locator(".casehead .light")).to_contain_text("暂停")
    house.look(reviewer, "case: special procedure")
    notice = paper(reviewer.locator("#doc a", has_text="查看").last)
    for said in ("专家评审", "15个工作日", "四十五条", "论证报告须经专家评审"):
        assert said in notice, said
    track(house, phone, number, code)
    shown(phone, "正在进行专家评审，这段时间暂停计时")
    shown(phone, "书面告知需要 15 个工作日")
    house.look(phone, "progress: special procedure")

    reviewer = house.go(REVIEWER, f"/desk/cases/{number}/review")
    house.look(reviewer, "review: special procedure")
    reviewer.locator("#id_opinion").fill("专家认为论证不充分")
    reviewer.get_by_role("button", name=re.compile("^恢复计时")).click()
    shown(reviewer, "恢复计时")

    head = house.go(HEAD, f"/desk/cases/{number}")
    house.look(head, "case: for the head")
    longer = opened(head, "延期")
    longer.get_by_label("延长的工作日").fill("11")
    longer.get_by_label("理由").fill("需要复核论证报告的水量数据")
    longer.get_by_label("我已核对").check()
    longer.get_by_role("button", name="延期").click()
    expect(head.locator("#errors")).to_be_focused()
    house.look(head, "refused act")
    longer.get_by_label("延长的工作日").fill("5")
    longer.get_by_label("我已核对").check()
    longer.get_by_role("button", name="延期").click()
    expect(head.get_by_role("button", name="打印延期告知书", exact=True)).to_be_focused()
    notice = paper(head.locator("#doc a", has_text="查看").last)
    assert "需要复核论证报告的水量数据" in notice
    assert "5个工作日" in notice

    reviewer = house.go(REVIEWER, f"/desk/cases/{number}/review")
    reviewer.locator("#id_opinion").fill("论证不充分，建议不予")
    reviewer.get_by_role("button", name=re.compile("^办结本环节")).click()
    shown(reviewer, "本环节已办结")
    approver = house.go(APPROVER, f"/desk/cases/{number}/review?folder=mine")
    take(approver)
    house.look(approver, "review: to decide")
    approver.locator(".chk tr").last.get_by_text("不符合", exact=True).click()
    approver.locator("#id_opinion").fill("取水口下游 200 米是饮用水水源保护区，不符合取水条件。")
    approver.locator('[name="refused-grounds"][value="basis"]').check()
    approver.get_by_role("button", name="不予", exact=True).click()
    shown(approver, "已作出不予决定")

    clerk = house.go(CLERK, f"/desk/cases/{number}")
    house.look(clerk, "case: refusal")
    decision = paper(clerk.locator("#doc tr", has_text="决定书").get_by_role("link", name="查看"))
    for said in ("饮用水水源保护区", "行政复议", "六十日", "行政诉讼", "六个月"):
        assert said in decision, said
    take(clerk)
    send = opened(clerk, "送达")
    house.look(clerk, "case: to deliver")
    send.locator("#id_delivered_means").select_option("邮寄")
    send.locator("#id_delivered_proof").fill("EMS 12")
    send.get_by_role("button", name="送达", exact=True).click()
    expect(clerk.locator("#errors")).to_contain_text("邮寄单号")
    expect(clerk.locator("#id_delivered_means")).to_have_value("post")
    send.locator("#id_delivered_proof").fill("1234 5678 90123")
    send.get_by_role("button", name="送达", exact=True).click()
    shown(clerk, "已送达，办件办结")
    house.look(clerk, "closed case")
    assert "1234567890123" in paper(clerk.locator("#doc a", has_text="查看").last)
    track(house, phone, number, code)
    shown(phone, "已经办结，结果是不予许可")
    shown(phone, "行政复议")
    house.look(phone, "progress: refused")


# --- an immediate item, in one sitting ---------------------------------------------------------


def test_an_immediate_item_in_one_sitting(house: House) -> None:
    walk.register(walk.sign_in(CLERK))
    clerk = house.go(CLERK, "/desk/")
    hands = Hands(clerk)
    hands.press("Alt+n")
    clerk.wait_for_url("**/desk/register")
    expect(clerk.locator("#id_identifier")).to_be_focused()
    hands.scan(walk.uscc())
    expect(clerk.locator("#id_item")).to_be_focused()
    hands.scan("jsxdwba")
    expect(clerk.locator("table.mats")).to_be_visible()
    hands.press("F4")
    hands.press("F9")
    number = number_of(clerk)
    house.look(clerk, "case: immediate, accepted")
    hands.count += 1
    clerk.locator("#acts").get_by_label("我已核对").first.check()
    hands.press("F9")
    shown(clerk, "已作出准予决定")
    house.look(clerk, "case: immediate, granted")
    hands.count += 1
    clerk.locator("#id_delivered_means").select_option("signature")
    hands.count += 1
    clerk.locator("#id_delivered_proof").fill("何晓岚")
    hands.press("F9")
    shown(clerk, "已送达，办件办结")
    hands.done(f"an immediate item in one sitting, {number}")
    expect(clerk.locator("#doc")).to_contain_text("送达回证")


def test_an_immediate_item_in_one_sitting_without_scripts(house: House) -> None:
    clerk = house.of(CLERK, scripts=False)
    clerk.goto(f"{house.server}/desk/register")
    clerk.get_by_label("身份证号").fill(walk.uscc())
    clerk.get_by_label("名称 / 姓名").fill(APPLICANT)
    clerk.get_by_label("手机号").fill("13900002046")
    clerk.get_by_label("事项名称、拼音首字母或编码").fill("jsxdwba")
    clerk.get_by_role("button", name="查找", exact=True).click()
    clerk.locator(".tri").get_by_text("已收", exact=True).click()
    clerk.get_by_role("button", name=re.compile("收件并受理")).click()
    number_of(clerk)
    clerk.locator("#acts").get_by_label("我已核对").first.check()
    clerk.get_by_role("button", name=re.compile("^准予")).click()
    shown(clerk, "已作出准予决定")
    clerk.locator("#id_delivered_means").select_option("signature")
    clerk.locator("#id_delivered_proof").fill("何晓岚")
    clerk.get_by_role("button", name=re.compile("^送达")).click()
    shown(clerk, "已送达，办件办结")
    assert "何晓岚" in paper(clerk.locator("#doc a", has_text="查看").last)


# --- the other ways of a case ------------------------------------------------------------------


def test_a_forwarded_item_stands_still_while_it_is_away(house: House) -> None:
    _publish(code="XK0090", name="入河排污口设置审批", kind="forwarded")
    number, code = under_review("XK0090", when=working_days_ago(3))
    reviewer = house.go(REVIEWER, f"/desk/cases/{number}/review")
    used = reviewer.locator(".revstrip", has_text="已用 3 /")
    expect(used).to_be_visible()
    away = opened(reviewer, "转报")
    away.get_by_label("转报的上级机关").fill("江汉流域管理局")
    reviewer.locator("#id_opinion").fill("经初审，符合条件，请批复。")
    away.get_by_role("button", name="转报").click()
    shown(reviewer, "已转报江汉流域管理局")

    reviewer = house.go(REVIEWER, f"/desk/cases/{number}")
    expect(reviewer.locator(".casehead .light")).to_contain_text("暂停")
    shown(reviewer, "已转报上级")
    house.look(reviewer, "case: forwarded")
    letter = paper(reviewer.locator("#doc a", has_text="查看").last)
    for said in ("江汉流域管理局", "请批复", "申请书"):
        assert said in letter, said
    phone = house.public()
    track(house, phone, number, code)
    shown(phone, "转报江汉流域管理局，等待批复")
    shown(phone, "等待上级批复期间，本机关不计时")
    house.look(phone, "progress: forwarded")

    reviewer = house.go(REVIEWER, "/desk/?folder=forwarded")
    reviewer.get_by_role("link", name=number, exact=True).click()
    back = reviewer.locator("#acts")
    back.get_by_label("批复结果").select_option("同意")
    back.get_by_label("批复文号").fill("江汉水许〔2026〕12 号")
    house.look(reviewer, "case: to come back")
    reviewer.keyboard.press("F9")
    shown(reviewer, "已登记批复，恢复计时")
    expect(reviewer.locator(".casehead .light")).not_to_contain_text("暂停")
    shown(reviewer, "已用 3")
    approver = house.go(APPROVER, f"/desk/cases/{number}/review")
    decide(approver)
    track(house, phone, number, code)
    shown(phone, "许可已经批准")


def test_a_week_away_costs_the_organ_nothing(house: House) -> None:
    _publish(code="XK0090", name="入河排污口设置审批", kind="forwarded")
    number, _ = under_review("XK0090", when=working_days_ago(8))
    told(
        number, REVIEWER, "forwarded", working_days_ago(6), organ="江汉流域管理局", opinion="请批复"
    )
    reviewer = house.go(REVIEWER, f"/desk/cases/{number}")
    shown(reviewer, "已用 2")
    expect(reviewer.locator(".cal td.no")).to_have_count(6)
    expect(reviewer.locator(".casehead .light")).to_contain_text("暂停")


def test_an_applicant_withdraws(house: House) -> None:
    clerk = house.go(CLERK, "/desk/register")
    fill_in(clerk, "qsxk")
    clerk.keyboard.press("F4")
    clerk.keyboard.press("F9")
    number = number_of(clerk)
    code = code_of(clerk)
    leave = opened(clerk, "撤回申请")
    leave.get_by_label("原因").fill("项目不做了")
    leave.get_by_role("button", name="撤回申请", exact=True).click()
    expect(clerk.locator("#errors")).to_contain_text("我已核对")
    expect(leave.get_by_label("原因")).to_have_value("项目不做了")
    leave.get_by_label("我已核对").check()
    leave.get_by_role("button", name="撤回申请", exact=True).click()
    expect(clerk.locator(".casehead")).to_contain_text("已办结")
    house.look(clerk, "case: withdrawn")
    phone = house.public()
    track(house, phone, number, code)
    shown(phone, "申请已经撤回，办件结束了")
    house.look(phone, "progress: withdrawn")


def test_a_corrected_decision_leaves_the_old_one_void(house: House) -> None:
    number, _ = under_review("XK0031")
    told(number, APPROVER, "granted")
    approver = house.go(APPROVER, f"/desk/cases/{number}")
    row = approver.locator("#doc tbody tr", has_text="决定书").first
    check = row.locator('[data-l="查验码"]').inner_text()
    mend = opened(approver, "更正文书")
    wanted = mend.get_by_label("哪一份文书")
    wanted.select_option(check)
    mend.get_by_label("原来写的").fill(APPLICANT)
    mend.get_by_label("更正为").fill("江城清源水务有限责任公司")
    mend.get_by_label("更正说明").fill("名称写错")
    mend.get_by_label("我已核对").check()
    mend.get_by_role("button", name="更正文书").click()
    expect(approver.locator("#doc del")).to_have_count(1)
    house.look(approver, "case: corrected")
    approver.reload()
    new = approver.locator("#doc tbody tr", has_not=approver.locator("del")).last
    assert "有限责任公司" in paper(new.get_by_role("link", name="查看"))
    home = house.public()
    home.goto(f"{house.server}/check/{check}")
    shown(home, "这份文书已作废")
    shown(home, new.locator('[data-l="文号"]').inner_text())
    house.look(home, "check: void")
    home.get_by_label("查验码").fill(new.locator('[data-l="查验码"]').inner_text())
    home.get_by_role("button", name="查验").click()
    shown(home, "查验属实")
    house.look(home, "check: good")


def test_two_clerks_at_one_case(house: House) -> None:
    number = walk.register(
        walk.sign_in(CLERK), **{"material-02": "missing", "material-03": "missing", "do": "receive"}
    )
    first = house.go(CLERK, f"/desk/cases/{number}")
    second = house.go("p-water-clerk2", f"/desk/cases/{number}")
    mend = opened(first, "当场更正")
    mend.get_by_label("更正了什么").fill("取水地点写成了下游")
    mend.get_by_label("签名人").fill("何晓岚")
    mend.get_by_role("button", name="当场更正").click()
    shown(first, "当场更正")

    row = second.locator(".tickrow", has_text="水资源论证报告书")
    row.get_by_text("不合格", exact=True).click()
    row.locator("input.form-control").fill("没有专家签名")
    second.keyboard.press("F9")  # 一次性告知
    shown(second, "没有提交：您填写的时候，这个办件有了新进展")
    shown(second, "取水地点写成了下游")
    expect(second).to_have_title(re.compile("^没有提交"))
    again = second.locator(".tickrow", has_text="水资源论证报告书")
    expect(again.locator("input[value=faulty]")).to_be_checked()
    expect(again.locator("input.form-control")).to_have_value("没有专家签名")
    house.look(second, "moved on: by a colleague")
    second.keyboard.press("F9")  # 看过了，继续一次性告知
    number_of(second)
    expect(second.get_by_role("button", name="打印补正告知书", exact=True)).to_be_focused()
    assert "没有专家签名" in paper(second.locator("#doc a", has_text="查看").last)


def test_a_wrong_entry_needs_a_second_person_and_both_are_seen(house: House) -> None:
    number, _ = under_review("XK0031")
    told(number, REVIEWER, "suspended", procedure="hearing", days="10")
    reviewer = house.go(REVIEWER, f"/desk/cases/{number}")
    wrong = opened(reviewer, "提请撤销误录")
    wrong.locator("select").select_option("第 4 条 进入特别程序")
    wrong.get_by_label("哪里录错了").fill("应当是检测，点成了听证")
    wrong.get_by_role("button", name="提请撤销误录").click()
    shown(reviewer, "您是提请人，请本机关另一位同事登录确认")
    expect(reviewer.get_by_role("button", name=re.compile("^确认撤销"))).to_have_count(0)
    house.look(reviewer, "case: proposed")

    approver = house.go(APPROVER, f"/desk/cases/{number}")
    shown(approver, "应当是检测，点成了听证")
    approver.locator("#proposals").get_by_label("我已核对").check()
    house.look(approver, "withdrawal to confirm")
    approver.get_by_role("button", name=re.compile("^确认撤销")).click()
    shown(approver, "已撤销误录")
    house.look(approver, "case: entry withdrawn")
    story = approver.locator("#story")
    expect(story.locator("li.gone del").first).to_have_text("进入特别程序")
    expect(story).to_contain_text("不算数")
    expect(story).to_contain_text("江水一reviewer")
    expect(story).to_contain_text("江水一approver")
    expect(approver.locator("#doc")).to_contain_text("作废")
    expect(approver.locator(".casehead .light")).not_to_contain_text("暂停")


def test_what_costs_is_paid_before_it_is_handed_out(house: House) -> None:
    _publish(
        code="XK0099", name="水土保持方案审批", fee="水土保持补偿费 1.5 元/平方米", pay_first=True
    )
    number, code = under_review("XK0099")
    told(number, APPROVER, "granted")
    told(number, APPROVER, "licence_made")
    clerk = house.go(CLERK, f"/desk/cases/{number}")
    take(clerk)
    shown(clerk, "还没有缴")
    house.look(clerk, "case: unpaid")
    clerk.get_by_role("button", name="通知领取").first.click()
    shown(clerk, "已通知申请人领取")
    clerk.locator("#id_delivered_means").select_option("signature")
    clerk.locator("#id_delivered_proof").fill("何晓岚")
    clerk.keyboard.press("F9")
    expect(clerk.locator("#errors")).to_contain_text("先缴费再送达")
    expect(clerk.locator("#id_delivered_proof")).to_have_value("何晓岚")
    phone = house.public()
    track(house, phone, number, code)
    shown(phone, "到大厅收费处缴费（水土保持补偿费 1.5 元/平方米）")
    house.look(phone, "progress: to pay")

    cashier = house.go(CASHIER, "/desk/")
    house.look(cashier, "inbox: of a cashier")
    with cashier.expect_navigation():
        cashier.get_by_role("link", name="缴费确认").click()
    house.look(cashier, "fees")
    cashier.get_by_role("button", name=f"{number} 已缴费").click()
    expect(cashier.locator(".errsum")).to_be_focused()
    house.look(cashier, "fees: refused")
    cashier.get_by_label(f"{number} 的票据号").fill("ab-0012")
    cashier.get_by_role("button", name=f"{number} 已缴费").click()
    shown(cashier, "没有等待缴费确认的办件")
    house.look(cashier, "fees: none")

    clerk.keyboard.press("F9")  # the clerk's page is from before the payment
    shown(clerk, "已缴费，票据号 AB0012")
    expect(clerk.locator("#id_delivered_proof")).to_have_value("何晓岚")
    house.look(clerk, "moved on: by the cashier")
    clerk.keyboard.press("F9")  # 看过了，继续送达
    shown(clerk, "已送达，办件办结")


def test_three_like_cases_are_decided_at_once(house: House) -> None:
    numbers = [under_review("XK0031")[0] for _ in range(3)]
    for number in numbers:
        told(number, REVIEWER, "step_done", opinion="符合条件")
        told(number, APPROVER, "step_taken")
    approver = house.go(APPROVER, "/desk/?folder=hand")
    approver.get_by_label("全选本页").check()
    house.look(approver, "inbox: picked")
    approver.get_by_role("button", name="批量办理").click()
    for number in numbers:
        shown(approver, number)
    approver.get_by_label(re.compile("^准予")).check()
    house.look(approver, "batch")
    approver.keyboard.press("F9")
    expect(approver.get_by_role("heading", name="批量准予：办好 3 件")).to_be_visible()
    papers = approver.get_by_role("link", name=re.compile("打开 PDF"))
    expect(papers).to_have_count(3)
    house.look(approver, "batch results")
    assert len({paper(one) for one in papers.all()}) == 3
