"""Why the applicant's day is the day it is: in plain words, from the progress page."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from tests.cases import people
from tests.cases.people import COMPANY, moment
from tests.desk import walk
from zhengwu.cases import tracking
from zhengwu.web import words

WHY = re.compile(r'href="(/track/why/[^"]+)"')
CLERK, REVIEWER = "p-water-clerk", "p-water-reviewer"


@pytest.fixture
def anyone(city: None) -> Client:
    people.items()
    return walk.public()


def page(client: Client, case: people.Told) -> str:
    answer = client.post("/track", {"number": case.number, "code": case.query_code})
    assert answer.status_code == 200
    return walk.text(answer)


def resumed() -> people.Told:
    case = people.received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 14:00")
    case.do(REVIEWER, "suspended", "09-16 10:00", {"procedure": "testing", "days": "3"})
    case.do(REVIEWER, "resumed", "09-21 10:00")
    return case


def test_the_latest_day_is_said_in_plain_words(anyone: Client) -> None:
    case = people.received()
    told = tracking.track(case.number, case.query_code, at=moment("09-15 09:00")).told
    assert told.until == "最迟 9 月 21 日（周一）17:00 前答复您是否受理" or told.until.startswith(
        "最迟 "
    )


def test_a_day_that_moved_says_from_when_to_when_and_why(anyone: Client) -> None:
    case = resumed()
    found = tracking.track(case.number, case.query_code, at=moment("09-22 09:00"))
    (moved,) = found.moved
    assert moved.before
    assert moved.after
    assert moved.before.due < moved.after.due
    text = page(anyone, case)
    assert "日期有变" in text
    assert "《行政许可法》第四十五条" in text


def test_a_day_that_did_not_move_says_nothing_of_it(anyone: Client) -> None:
    assert "日期有变" not in page(anyone, people.received())


def test_the_explanation_opens_from_the_progress_page_and_names_nobody(anyone: Client) -> None:
    case = people.golden()
    address = unescape(WHY.findall(page(anyone, case))[0])
    for secret in (case.number, case.query_code):
        assert secret not in address
    answer = anyone.get(address)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    text = walk.text(answer)
    assert case.number in text
    assert "期限推算说明" in text
    assert "行政复议" in text
    for secret in (COMPANY.name, COMPANY.identifier, COMPANY.phone, case.query_code):
        assert secret not in text


@pytest.mark.parametrize("token", ["x", "a:b:c", "%00", "𠮷", "x" * 400])
def test_a_forged_token_explains_nothing(anyone: Client, token: str) -> None:
    assert anyone.get(f"/track/why/{token}").status_code == 404


NOTICE = "国务院办公厅关于2026年部分节假日安排的通知"


def test_a_notice_stands_by_its_name_with_a_link_to_where_it_is(anyone: Client) -> None:
    address = unescape(WHY.findall(page(anyone, people.golden()))[0])
    text = walk.text(anyone.get(address))
    assert re.search(rf'（<a href="https://www.gov.cn/[^"]+" rel="[^"]+">{NOTICE}</a>）', text)
    assert not re.search(r">[^<]*https?://", text), "no address in sight"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("国办发明电〔2026〕9号", "国办发明电〔2026〕9号"),
        ("照计（通知 https://a.cn/1.htm）", "照计（[通知]）"),
        ("安排：通知 https://a.cn/1.htm https://a.cn/2.htm", "安排：[通知] [原文]"),
        ("https://a.cn/x?y=1&z=2。", "[原文]。"),
        ("<b> javascript:alert(1)", "&lt;b&gt; javascript:alert(1)"),
        ('甲https://a.cn/"><script>', "[甲]&#34;&gt;&lt;script&gt;"),
    ],
)
def test_an_address_stands_behind_a_name_and_nothing_else_becomes_markup(
    text: str, seen: str
) -> None:
    assert re.sub(r'<a href="[^"<>]+" rel="[^"]+">(.*?)</a>', r"[\1]", words.sourced(text)) == seen
