"""Why the dates are what they are: the clock of the case page and the page to print."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cases import people
from tests.cases.people import COMPANY, SHANGHAI, actor, moment
from tests.desk import walk
from zhengwu.cases import alarms, explaining, loading, queries, readings
from zhengwu.cases.readings import Change
from zhengwu.desk.case.month import month
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger.sequencer import sequence

CLERK, REVIEWER = "p-water-clerk", "p-water-reviewer"
NOW = moment("11-03 09:00")


@pytest.fixture(autouse=True)
def _items(city: None) -> None:
    people.items()


def promised(case: people.Told) -> tuple[Change, ...]:
    found = explaining.why(actor(CLERK), case.number, at=NOW).changes
    return tuple(one for one in found if one.kind == "promised")


def paused() -> people.Told:
    case = people.received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 14:00")
    case.do(REVIEWER, "suspended", "09-16 10:00", {"procedure": "testing", "days": "3"})
    return case


def test_each_entry_that_moved_a_date_is_told_with_from_and_to() -> None:
    case = paused()
    case.do(REVIEWER, "resumed", "09-21 10:00")
    began, stood, went_on = promised(case)
    assert began.before is None
    assert began.after
    assert not began.after.still
    assert stood.after
    assert stood.after.still
    assert stood.after.due == began.after.due
    assert not stood.moved
    assert went_on.moved
    assert went_on.before
    assert went_on.after
    assert went_on.after.due > went_on.before.due
    assert "第四十五条" in went_on.why
    assert began.known < stood.known < went_on.known
    reading = loading.load(actor(CLERK), case.number).read(NOW)
    limit = reading.limit("promised")
    assert limit
    assert limit.due == went_on.after.due


def test_what_changes_no_date_is_not_told() -> None:
    case = people.received()
    case.do(CLERK, "accepted", "09-14 10:00")
    before = promised(case)
    case.do(REVIEWER, "step_taken", "09-14 14:00")
    assert promised(case) == before


def test_every_kind_of_limit_is_told_but_the_steps() -> None:
    case = people.golden()
    kinds = {one.kind for one in explaining.why(actor(CLERK), case.number, at=NOW).changes}
    assert kinds == {"acceptance", "promised", "statutory", "delivery"}


def test_as_of_a_position_of_the_log_the_page_shows_what_was_known_then() -> None:
    case = paused()
    case.do(REVIEWER, "resumed", "09-21 10:00")
    sequence()
    now = explaining.why(actor(CLERK), case.number, at=datetime.now(UTC))
    began = next(one for one in now.changes if one.kind == "promised")
    then = explaining.why(actor(CLERK), case.number, known=began.position, at=datetime.now(UTC))
    limit, later = then.reading.limit("promised"), now.reading.limit("promised")
    assert limit
    assert later
    assert limit.due < later.due
    assert then.version == 2
    assert [one.version for one in then.changes if one.kind == "promised"] == [2]
    address = f"/desk/cases/{case.number}/why"
    client = walk.sign_in(CLERK)
    assert f"{address}?known=p{began.position}" in walk.text(client.get(address))
    assert "当时登记到第 2 条" in walk.text(client.get(f"{address}?known=p{began.position}"))


def test_as_of_today_nothing_differs() -> None:
    case = paused()
    today = datetime.now(SHANGHAI)
    now = explaining.why(actor(CLERK), case.number, at=today)
    then = explaining.why(actor(CLERK), case.number, known=today.date(), at=today)
    assert then.reading.limits == now.reading.limits
    assert then.changes == now.changes


def test_before_the_case_was_known_there_is_nothing_to_explain() -> None:
    case = people.received()
    with pytest.raises(Refusal, match="还没有这个办件"):
        explaining.why(actor(CLERK), case.number, known=date(2026, 9, 1), at=NOW)
    client = walk.sign_in(CLERK)
    for known, said in (
        ("2026-01-01", "还没有这个办件"), ("0000-00-00", "请填写日期"), ("p0", "还没有这个办件"),
        ("九月", "请填写日期"),
    ):  # fmt: skip
        answer = client.get(f"/desk/cases/{case.number}/why", {"known": known})
        assert answer.status_code == 422, known
        assert said in walk.text(answer)


def test_the_page_names_every_limit_its_lines_and_how_to_object_and_no_applicant() -> None:
    case = people.golden()
    text = walk.text(walk.sign_in(CLERK).get(f"/desk/cases/{case.number}/why"))
    for said in (
        "期限推算说明", case.number, "承诺决定", "法定决定", "答复是否受理", "序号", "依据",
        "《行政许可法》第四十五条", "放假安排", "工作日历第", "《行政复议法》第十一条第三项",
        "此前的推算", "特别程序结束",
    ):  # fmt: skip
        assert said in text, said
    for secret in (COMPANY.name, COMPANY.identifier, case.query_code):
        assert secret not in text


def test_the_page_asks_the_database_a_fixed_number_of_times() -> None:
    short, long = people.received(), people.golden()
    explaining.why(actor(CLERK), short.number, at=NOW)
    with CaptureQueriesContext(connection) as few:
        explaining.why(actor(CLERK), short.number, at=NOW)
    with CaptureQueriesContext(connection) as many:
        explaining.why(actor(CLERK), long.number, at=NOW)
    assert len(many) <= len(few) + 1 <= 10


def test_the_case_page_shows_every_limit_and_links_to_the_explanation() -> None:
    case = people.golden()
    text = walk.text(walk.sign_in(CLERK).get(f"/desk/cases/{case.number}"))
    assert f'href="/desk/cases/{case.number}/why"' in text
    assert "以前的收件（1 次）" in text
    assert "为什么是这一天" in text


def test_the_case_page_says_which_alarms_were_raised_and_for_which_limit() -> None:
    case = people.received()
    address = f"/desk/cases/{case.number}"
    assert "已经报警" not in walk.text(walk.sign_in(CLERK).get(address))
    alarms.sweep(moment("09-22 09:00"))
    text = walk.text(walk.sign_in(CLERK).get(address))
    line = re.sub(r"<[^>]+>", "", text[text.index("已经报警") :].split("</p>")[0])
    assert "9 月 17 日 00:00 预警（答复是否受理）" in line
    assert "9 月 20 日 17:00 超期（答复是否受理）" in line


def test_papers_filed_in_the_evening_are_pictured_on_both_days() -> None:
    case = people.received("09-14 19:30")
    view = queries.case(actor(CLERK), case.number, at=moment("09-15 09:00"))
    limit = view.reading.due
    assert limit
    picture = month(limit, today=date(2026, 9, 15))
    assert picture
    tones = {one.tone: one.shown for week in picture.weeks for one in week}
    assert tones["filed"] == "9-14"
    assert tones["key"] == "15"
    assert tones["end"] == "21"  # the 20th, a Sunday, is worked


def test_the_first_square_of_the_picture_and_each_first_of_a_month_say_their_month() -> None:
    case = people.received()
    case.do(CLERK, "accepted", "09-14 10:00")
    text = walk.text(walk.sign_in(CLERK).get(f"/desk/cases/{case.number}"))
    table = text[text.index('<table class="cal">') :].split("</table>")[0]
    squares = re.findall(r"<td[^>]*>([^<]+)<small>", table)
    assert squares[0] == "9-14"
    assert [one for one in squares if "-" in one][:2] == ["9-14", "10-1"]


def test_the_picture_names_holidays_and_worked_weekends() -> None:
    case = people.received()
    case.do(CLERK, "accepted", "09-14 10:00")
    limit = queries.case(actor(CLERK), case.number, at=NOW).reading.limit("promised")
    assert limit
    picture = month(limit, today=date(2026, 9, 28))
    assert picture
    assert any("国庆" in one and "不上班" in one for one in picture.named)
    assert any("9-20" in one and "上班" in one for one in picture.named)


def test_changes_need_no_database() -> None:
    case = paused()
    loaded = loading.load(actor(CLERK), case.number)
    edition = loaded.edition()
    with CaptureQueriesContext(connection) as asked:
        found = readings.changes(loaded.events, edition=lambda known: edition)
    assert found
    assert len(asked) == 0
