"""The clock beyond the story: extension, overlaps, deemed acceptance, other units, corrections."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.golden import CALENDAR, LIMITS, WATER, at, events
from tests.domain.test_lifecycle import more
from zhengwu.domain import clock
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.clock import LimitReading, LimitState
from zhengwu.domain.edition import FORWARDING, Edition
from zhengwu.domain.event import Event


def read(
    told: list[Event], when: datetime, *, known: int | None = None, calendar: Calendar = CALENDAR
) -> clock.Reading:
    return clock.read(told, at=when, known=known, edition=Edition(calendar))


def limit(told: list[Event], when: str, kind: str) -> LimitReading:
    found = read(told, at(when)).limit(kind)
    assert found is not None
    return found


def accepted(when: str, limits: list[dict[str, Any]] | None) -> list[Event]:
    """Received and accepted at once, with these limits."""
    first = replace(events(1)[0], occurred=at(when))
    body = {} if limits is None else {"limits": limits}
    return more([first], "accepted", when, **body)


def test_an_extension_adds_its_days_to_both_limits() -> None:
    told = more(events(7), "extended", "10-16 09:00", days=10)
    promised = limit(told, "10-16 10:00", "promised")
    assert (promised.due.date(), promised.state) == (date(2026, 11, 23), LimitState.EXTENDED)
    assert limit(told, "10-16 10:00", "statutory").due.date() == date(2026, 12, 28)
    assert "行政许可法 第四十二条" in [line.article for line in promised.lines]


def test_overlapping_procedures_are_counted_once() -> None:
    told = more(events(6), "suspended", "09-29 09:00", procedure="testing", days=5)
    told = more(told, "resumed", "10-12 09:00", procedure="expert_review")
    told = more(told, "resumed", "10-15 09:00", procedure="testing")
    found = limit(told, "10-15 09:00", "promised")
    assert (found.due.date(), found.state) == (date(2026, 11, 9), LimitState.RUNNING)
    assert any("专家评审、检测，10 个工作日不计" in line.text for line in found.lines)


def test_each_day_that_is_not_counted_is_named() -> None:
    texts = [line.text for line in limit(events(7), "10-15 09:00", "promised").lines]
    assert texts == [
        "9 月 21 日（周一）受理，当日不计，次日起算",
        "承诺决定期限 20 个工作日，到 10 月 26 日（周一）",
        "9 月 22 日（周二）至 10 月 26 日（周一）共 35 天，其中工作日 20 天，"
        "周末 9 天、放假 6 天不计",
        "放假不计：9 月 25 日，10 月 1、2、5、6、7 日",
        "周末上班照计：10 月 10 日",
        "9 月 24 日 17:00 至 10 月 15 日 09:00 专家评审，10 个工作日不计：9 月 28、29、30 日，"
        "10 月 8、9、10、12、13、14、15 日；已书面告知到 10 月 15 日（周四）",
        "顺延 10 个工作日，到 11 月 9 日（周一）",
        "10 月 27 日（周二）至 11 月 9 日（周一）共 14 天，其中工作日 10 天，周末 4 天不计",
        "到当日下班时间 17:00 为止",
    ]


def test_a_period_that_has_ended_cannot_stand_still_any_more() -> None:
    told = more(events(5), "suspended", "10-27 09:00", procedure="testing", days=5)
    told = more(told, "resumed", "11-03 09:00")
    found = limit(told, "11-04 09:00", "promised")
    assert (found.due, found.met) == (at("10-26 17:00"), False)
    assert read(told, at("11-04 09:00")).light(at("11-04 09:00")).code == "over"


def test_deemed_acceptance_counts_from_the_receipt_and_was_a_missed_limit() -> None:
    told = more(events(1), "deemed_accepted", "09-20 17:00", limits=LIMITS)
    promised = limit(told, "09-21 09:00", "promised")
    assert (promised.start, promised.due.date()) == (date(2026, 9, 14), date(2026, 10, 16))
    assert limit(told, "09-21 09:00", "acceptance").met is False


def test_general_law_holds_where_the_acceptance_names_no_limit() -> None:
    found = limit(accepted("09-21 10:20", None), "09-22 09:00", "statutory")
    assert (found.value, found.basis) == (20, "行政许可法 第四十二条第一款")
    assert found.due.date() == date(2026, 10, 26)
    assert read(accepted("09-21 10:20", []), at("09-22 09:00")).due is None


def test_months_end_on_their_day_or_after_the_holiday() -> None:
    def due(when: str, value: int, unit: str) -> datetime:
        one = {"kind": "statutory", "value": value, "unit": unit, "basis": "某条例"}
        return limit(accepted(when, [one]), when, "statutory").due

    assert due("09-21 10:20", 1, "month") == at("10-21 17:00")
    assert due("08-31 10:20", 1, "month") == at("09-30 17:00")
    assert due("09-02 10:20", 1, "month") == at("10-08 17:00")  # 10-02 is a holiday
    assert due("09-21 10:20", 15, "calendar_day") == at("10-08 17:00")  # 10-06 is
    assert due("09-21 10:20", 2, "year").date() == date(2028, 9, 21)


def test_hours_run_from_their_moment_and_not_into_a_holiday() -> None:
    def due(when: str, value: int) -> datetime:
        one = {"kind": "promised", "value": value, "unit": "hour", "basis": "办事指南"}
        return limit(accepted(when, [one]), when, "promised").due

    assert due("09-21 10:20", 24) == at("09-22 10:20")
    assert due("09-24 10:20", 24) == at("09-28 17:00")  # 25-27 September are off


def test_the_answer_is_provisional_where_no_notice_is_published() -> None:
    found = limit(accepted("12-21 10:20", LIMITS), "12-22 09:00", "promised")
    assert found.provisional
    assert any("暂定" in line.text for line in found.lines)
    assert not limit(events(4), "09-22 09:00", "promised").provisional


def test_a_correction_is_known_only_from_its_position_on() -> None:
    told = more(events(6), "entry_withdrawn", "09-28 09:00", version=6)
    told[-1] = replace(told[-1], position=107)
    now = at("09-28 10:00")
    before = read(told, now, known=106).limit("promised")
    after = read(told, now, known=107).limit("promised")
    assert before is not None
    assert after is not None
    assert (before.state, after.state) == (LimitState.SUSPENDED, LimitState.RUNNING)
    assert after.due.date() == date(2026, 10, 26)


def test_an_event_without_a_position_is_not_known_at_any() -> None:
    told = more(events(7), "extended", "10-16 09:00", days=10)
    found = read(told, at("10-17 09:00"), known=10_000).limit("promised")
    assert found is not None
    assert found.due.date() == date(2026, 11, 9)


def test_the_lights_follow_the_days_that_are_left() -> None:
    told = events(7)
    seen = {
        when: read(told, at(when)).light(at(when)).code
        for when in ("10-16 09:00", "11-05 09:00", "11-09 09:00", "11-09 17:01", "11-12 09:00")
    }
    assert list(seen.values()) == ["green", "yellow", "red", "over", "over"]


MINUTES = st.integers(0, 60 * 24 * 60)


@given(MINUTES, MINUTES, MINUTES, MINUTES, MINUTES)
def test_a_suspension_never_makes_a_limit_end_earlier(
    one: int, two: int, three: int, four: int, later: int
) -> None:
    base = events(5)
    start = base[-1].occurred
    moments = sorted(start + timedelta(minutes=m) for m in (one, two, three, four))
    now = start + timedelta(minutes=later)
    plain = read(base, now)
    told = list(base)
    for kind, moment in zip(("suspended", "resumed") * 2, moments, strict=True):
        told.append(
            Event(
                version=len(told) + 1, kind=kind, occurred=moment, recorded=moment,
                received=moment, agency=WATER, body={"procedure": "hearing", "days": 5},
            )
        )  # fmt: skip
        paused = read(told, now)
        for kind_of in ("promised", "statutory"):
            was, is_now = plain.limit(kind_of), paused.limit(kind_of)
            assert was is not None
            assert is_now is not None
            assert is_now.due >= was.due
            assert is_now.used <= was.used
        plain = paused if kind == "resumed" else plain


@given(MINUTES)
def test_used_and_left_make_the_whole_while_it_runs(later: int) -> None:
    told = events(5)
    found = read(told, told[-1].occurred + timedelta(minutes=later)).limit("promised")
    assert found is not None
    assert found.used + found.left == 20


def test_an_extension_and_a_pause_within_it_are_told_in_the_order_in_which_they_came() -> None:
    told = accepted(
        "09-21 09:00",
        [{"kind": "promised", "value": 5, "unit": "working_day", "basis": "办事指南"}],
    )
    told = more(told, "extended", "09-24 09:00", days=5)
    told = more(told, "suspended", "10-09 09:00", procedure="hearing", days=5)
    told = more(told, "resumed", "10-13 09:00")
    found = limit(told, "10-14 09:00", "promised")
    texts = [line.text for line in found.lines]
    extended = next(i for i, text in enumerate(texts) if "批准延长" in text)
    paused = next(i for i, text in enumerate(texts) if "听证" in text)
    assert extended < paused
    assert any("10 月 1、2、5、6、7 日" in text for text in texts)  # what decided the later days


def test_waiting_for_the_higher_organ_is_a_setting_of_the_house_and_cites_no_article_for_it() -> (
    None
):
    told = more(events(5), "forwarded", "09-22 09:00")
    told = more(told, "came_back", "09-30 09:00")
    lines = limit(told, "09-30 10:00", "statutory").lines
    assert [line.article for line in lines if "转报" in line.text or "顺延" in line.text] == [
        FORWARDING,
        FORWARDING,
    ]


def test_a_transitional_clause_is_said_with_the_version_what_it_changed_and_the_article() -> None:
    new = {"kind": "promised", "value": 12, "unit": "working_day", "basis": "办事指南第 4 版"}
    told = more(
        events(5), "version_moved", "09-23 00:05", to=4, limits=[new], clause=True, **{"from": 3}
    )
    found = limit(told, "09-23 09:00", "promised")
    assert (found.value, found.due.date(), found.state) == (
        12, date(2026, 10, 14), LimitState.RUNNING,
    )  # fmt: skip
    lines = {line.text: line.article for line in found.lines}
    said = (
        "9 月 23 日 00:05 起，依第 4 版办事指南的过渡条款，"
        "承诺决定期限由 20 个工作日改为 12 个工作日，起算日不变"
    )
    assert lines[said] == "立法法 第一百零四条"
    assert lines["承诺决定期限 12 个工作日，到 10 月 14 日（周三）"] == "办事指南第 4 版"
    other = limit(told, "09-23 09:00", "statutory")
    assert other.value == 45
    assert "立法法 第一百零四条" not in [line.article for line in other.lines]
    assert limit(told, "09-22 09:00", "promised").due.date() == date(2026, 10, 26)


def test_an_end_brought_near_by_a_clause_is_near_from_then_on_and_not_before() -> None:
    new = {"kind": "promised", "value": 3, "unit": "working_day", "basis": "办事指南第 4 版"}
    told = more(events(5), "version_moved", "09-23 12:00", to=4, limits=[new], **{"from": 3})
    found = limit(told, "09-23 13:00", "promised")
    assert (found.due.date(), found.warn) == (date(2026, 9, 24), at("09-22 00:00"))
    near = clock.alarms(told, at=at("09-23 13:00"), edition=Edition(CALENDAR))
    assert [(one.limit, one.level, one.at) for one in near if one.limit == "promised"] == [
        ("promised", "near", at("09-23 12:00"))
    ]
