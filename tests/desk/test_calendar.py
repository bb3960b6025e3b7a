"""The pages of the timetable: the year, a notice pasted, previewed, proposed and confirmed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.accounts.test_url_walk import body, signed_in
from tests.cases import people
from tests.desk.test_naughty import DRILL
from tests.domain.notice_texts import NOTICE_2026, NOTICE_2027
from zhengwu.calendars import queries

pytestmark = pytest.mark.usefixtures("city")
ONE, OTHER = "p-system_admin", "p-security_admin"
NAUGHTY = Path(__file__).parents[3] / "shared" / "data" / "bad-inputs" / "blns" / "blns.json"


def send(client: Client, way: str = "notice", **given: Any) -> Any:
    form = {"key": str(uuid4()), "reason": "按通知公布", "do": "preview", "text": NOTICE_2027}
    return client.post(f"/desk/calendar/new/{way}", form | given)


def propose(client: Client, way: str = "notice", **given: Any) -> Any:
    """Preview and then propose what was seen."""
    page = body(send(client, way, **given))
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found, page
    return send(client, way, do="propose", seen=found.group(1), **given)


def decide(client: Client, proposal: int, **given: str) -> Any:
    form = {"key": str(uuid4()), "version": str(queries.number()), "do": "confirm"}
    return client.post(f"/desk/calendar/changes/{proposal}", form | given)


def pending() -> int:
    (only,) = queries.timetable().pending
    return only.version


def test_the_year_shows_days_off_worked_weekends_and_the_notice() -> None:
    page = body(signed_in("p-supervisor").get("/desk/calendar?year=2026"))
    assert page.count('class="cal"') == 12
    assert "2 月 14 日" in page
    assert "国务院办公厅关于2026年部分节假日安排的通知" in page
    assert "公布放假安排" not in page, "a supervisor only looks"


def test_a_year_not_published_is_plainly_marked() -> None:
    page = body(signed_in(ONE).get("/desk/calendar?year=2027"))
    assert "还没有公布，暂按平常的周末和固定节日计算" in page


@pytest.mark.parametrize("asked", ["x", "-1", "99999999999", "1", "\x00", "２０２６"])
def test_an_odd_year_or_place_is_this_year_in_the_city(asked: str) -> None:
    answer = signed_in(ONE).get("/desk/calendar", {"year": asked, "place": asked})
    assert answer.status_code == 200


def test_a_pasted_notice_is_previewed_proposed_and_confirmed_by_another() -> None:
    one, other = signed_in(ONE), signed_in(OTHER)
    page = body(send(one))
    assert "预览：还没有提出，什么都没有改变" in page
    assert "2027-02-13 周六" in page
    assert "2027-02-08 周一 至 02-11 周四" in page, "days that follow each other stand together"
    assert queries.timetable().pending == ()
    answer = propose(one)
    assert (answer.status_code, answer["Location"]) == (302, f"/desk/calendar/changes/{pending()}")
    version = pending()
    assert "要由另一位管理员核对原文以后确认" in body(one.get(answer["Location"]))
    assert decide(one, version).status_code == 422
    page = body(other.get("/desk/calendar/changes"))
    assert "按通知公布" in page
    assert "我已核对原文，确认" in body(other.get(answer["Location"]))
    assert decide(other, version)["Location"] == "/desk/calendar/changes"
    assert 2027 in queries.timetable().published
    history = body(other.get("/desk/calendar/changes"))
    assert "江城security_admin" in history
    again = decide(signed_in(OTHER), version)
    assert again.status_code == 422
    assert "已经由江城security_admin确认" in body(again)


def test_what_was_not_previewed_is_previewed_first() -> None:
    answer = send(signed_in(ONE), do="propose", seen="0" * 16)
    assert answer.status_code == 200
    assert "预览" in body(answer)
    assert queries.timetable().pending == ()


def test_a_declined_proposal_changes_nothing_and_wants_a_reason() -> None:
    propose(signed_in(ONE))
    version, other = pending(), signed_in(OTHER)
    assert decide(other, version, do="decline", reason="").status_code == 422
    assert decide(other, version, do="decline", reason="文号不对").status_code == 302
    assert 2027 not in queries.timetable().published
    assert "不予确认" in body(other.get(f"/desk/calendar/changes/{version}"))


def test_what_was_confirmed_meanwhile_asks_to_look_again() -> None:
    one, other = signed_in(ONE), signed_in(OTHER)
    propose(one)
    first = pending()
    seen = str(queries.number())
    propose(one, "overlay", scope="region:420102", basis="区通告", text="2026-12-07,区庆,休")
    second = queries.timetable().pending[-1].version
    assert decide(other, first).status_code == 302
    answer = decide(other, second, version=seen)
    assert answer.status_code == 422
    assert "预览已经不准" in body(answer)
    assert decide(other, second).status_code == 302


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_read_and_shown_in_the_form(encoding: str) -> None:
    file = SimpleUploadedFile("tongzhi.txt", NOTICE_2027.encode(encoding))
    page = body(send(signed_in(ONE), text="", file=file))
    assert "预览：还没有提出" in page
    assert "9月26日（周日）" in page


def test_a_file_without_days_or_a_picture_is_refused_in_words() -> None:
    one = signed_in(ONE)
    empty = json.dumps({"year": 2027, "papers": [], "days": []}).encode()
    answer = send(one, text="", file=SimpleUploadedFile("2027.json", empty))
    assert answer.status_code == 422
    assert "没有日期的文件不是公布" in body(answer)
    for content in (b"\xff\xd8\xff\xe0" + bytes(range(256)), b"", b"a" * 300_000):
        answer = send(one, text="", file=SimpleUploadedFile("x.jpg", content))
        assert answer.status_code == 422


def test_a_published_year_a_wrong_weekday_and_a_missing_source_stand_at_their_field() -> None:
    one = signed_in(ONE)
    answer = send(one, text=NOTICE_2026)
    assert answer.status_code == 422
    assert "请选择“修改通知”" in body(answer)
    page = body(send(one, text=NOTICE_2027.replace("（周日）", "（周一）")))
    assert "2027-01-03 是周日" in page
    assert NOTICE_2027[:12] in page, "what was typed is kept"
    page = body(send(one, text=NOTICE_2027.replace("国办发明电〔2026〕9号", "")))
    assert "请写明依据" in page
    assert "年份填的是 2028" in body(send(one, year="2028"))


def test_rules_hours_and_after_hours_have_their_forms() -> None:
    one, other = signed_in(ONE), signed_in(OTHER)
    ways = {
        "rule": {"rule_kind": "delivery", "value": "7", "unit": "working_day", "roll": "yes",
                 "since": "2027-01-01", "basis": "市政府令"},
        "hours": {"scope": "all", "spans": "9:00-12:00、13:30-17:00", "since": "2027-05-01",
                  "basis": "夏令作息"},
        "after_hours": {"after_hours": "same_day", "since": "2027-01-01", "basis": "市政府决定"},
        "amendment": {"year": "2026", "source": "国办发明电〔2026〕8号",
                      "text": "2026-12-31,调休,休\n2026-12-27,调休,班"},
    }  # fmt: skip
    for way, given in ways.items():
        assert one.get(f"/desk/calendar/new/{way}").status_code == 200
        assert send(one, way, text="").status_code == 422, way
        assert propose(one, way, **given).status_code == 302, way
        assert decide(other, pending()).status_code == 302, way
    page = body(other.get("/desk/calendar?year=2026"))
    assert "国办发明电〔2026〕8号" in page
    assert "13:30-17:00" in page
    assert "当天收到" in page


def test_an_unknown_kind_or_version_is_not_found() -> None:
    one = signed_in(ONE)
    assert one.get("/desk/calendar/new/tea").status_code == 404
    assert one.get("/desk/calendar/changes/999999").status_code == 404
    assert one.get("/desk/calendar/changes/99999999999999999999").status_code == 404


def test_no_naughty_string_is_a_fault_of_ours() -> None:
    if not NAUGHTY.exists():
        pytest.skip("the naughty strings are not on this machine")
    one = signed_in(ONE)
    strings = json.loads(NAUGHTY.read_text("utf-8"))[:: 1 if DRILL else 12]
    fields = ("text", "year", "source", "reason", "scope", "spans", "since", "value", "basis",
              "unit", "roll", "rule_kind", "after_hours", "seen", "key", "do")  # fmt: skip
    ways = ("notice", "rule", "hours", "overlay", "amendment", "after_hours")
    for number, text in enumerate(strings):
        given = {fields[number % len(fields)]: text, fields[(number + 5) % len(fields)]: text}
        answer = send(one, ways[number % len(ways)], **given)
        assert answer.status_code in (200, 422), text
    assert queries.timetable().pending == ()


def test_the_preview_says_how_many_running_cases_move() -> None:
    people.items()
    told = people.received("11-10 09:20")
    told.do("p-water-clerk", "accepted", "11-10 10:20")
    page = body(send(signed_in(ONE)))
    assert re.search(r"在办 <b[^>]*>1</b> 件，期限变动 <b[^>]*>1</b> 件", page)
    assert told.number in page
    assert "变为确定" in page
    again = send(signed_in(ONE), text=NOTICE_2026)
    assert "有 1 件在办" in body(again)
    other = "2026-06-22,调休,休"
    page = body(send(signed_in(ONE), "amendment", year="2026", source="修改通知", text=other))
    assert "在办 1 件，没有一件的期限因此变动" in page
