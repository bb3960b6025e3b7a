"""Publishing the holidays of a year: what is pasted is read, what is wrong is said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.notice_texts import (
    NOTICE_2023,
    NOTICE_2024,
    NOTICE_2025,
    NOTICE_2026,
    NOTICE_2027,
)
from zhengwu.domain import notices
from zhengwu.domain.edition import LAW, Timetable
from zhengwu.domain.event import Event
from zhengwu.domain.refusal import Refusals

DATA = Path(__file__).parents[3] / "shared" / "data"
HOLIDAYS = DATA / "calendars" / "holiday-cn"
NAUGHTY = DATA / "bad-inputs" / "blns" / "blns.json"
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def file(year: int) -> str:
    path = HOLIDAYS / f"{year}.json"
    if not path.exists():
        pytest.skip("the calendars are not on this machine")
    return path.read_text("utf-8")


def days_of(year: int) -> dict[str, bool]:
    return {one["date"]: one["isOffDay"] for one in json.loads(file(year))["days"]}


def shown(read: notices.Read) -> dict[str, bool | None]:
    return {day.isoformat(): off for day, _, off in read.days}


def published(*changes: Mapping[str, Any]) -> Timetable:
    """A timetable with these changes in it."""
    return Timetable.of(
        Event(
            version=number,
            kind="shipped",
            occurred=NOW,
            recorded=NOW,
            received=NOW,
            body={"change": change},
        )
        for number, change in enumerate(changes, 1)
    )


def notice(text: str = NOTICE_2026, **more: Any) -> dict[str, Any]:
    read = notices.read(text)
    return {
        "kind": "notice", "year": read.year, "amends": False, "source": read.source or "通知",
        "days": [[day.isoformat(), name, off] for day, name, off in read.days], **more,
    }  # fmt: skip


STANDING = published(notice(NOTICE_2025), notice(NOTICE_2026))


def codes(change: Mapping[str, Any], table: Timetable = STANDING, **more: Any) -> dict[str, str]:
    """What is refused: code → field."""
    with pytest.raises(Refusals) as no:
        notices.check(change, table, today=TODAY, regions=["420102"], halls=["H420100"], **more)
    assert all(one.sentence.endswith(("。", "）")) for one in no.value.refusals)
    return {one.code: one.field or "" for one in no.value.refusals}


def accepted(change: Mapping[str, Any], table: Timetable = STANDING) -> notices.Checked:
    return notices.check(change, table, today=TODAY, regions=["420102"], halls=["H420100"])


def refused(text: str, **more: Any) -> list[str]:
    with pytest.raises(Refusals) as no:
        notices.read(text, **more)
    return [one.code for one in no.value.refusals]


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "text"),
    [(2023, NOTICE_2023), (2024, NOTICE_2024), (2025, NOTICE_2025), (2026, NOTICE_2026)],
)
def test_the_state_councils_prose_gives_the_days_of_the_published_file(
    year: int, text: str
) -> None:
    read = notices.read(text)
    assert (read.form, read.year) == ("prose", year)
    assert shown(read) == days_of(year)


def test_the_prose_of_2026_gives_names_number_and_nothing_left_unread() -> None:
    read = notices.read(NOTICE_2026)
    assert read.source == "国办发明电〔2025〕7号"
    assert read.unread == ()
    names = {day.isoformat(): name for day, name, _ in read.days}
    assert names["2026-02-28"] == "春节"
    assert names["2026-09-20"] == "国庆节"


def test_a_sentence_that_was_not_understood_is_shown() -> None:
    assert any("除夕" in one for one in notices.read(NOTICE_2024).unread)
    more = NOTICE_2027 + "延长春节假期至2月15日，2月16日起正常上班。"
    assert any("延长" in one for one in notices.read(more).unread)


def test_a_line_break_inside_a_sentence_does_not_lose_a_day() -> None:
    broken = NOTICE_2026.replace("2月14日（周六）、", "2月14日（周六）、\n").replace(
        "至7日（周三）", "至\n7日（周三）"
    )
    assert shown(notices.read(broken)) == shown(notices.read(NOTICE_2026))


@pytest.mark.parametrize("year", range(2007, 2027))
def test_the_json_of_every_published_year_is_read(year: int) -> None:
    read = notices.read(file(year))
    assert (read.form, read.year) == ("json", year)
    assert shown(read) == days_of(year)
    assert read.source.startswith("http")


def test_a_json_without_days_is_not_a_publication() -> None:
    with pytest.raises(Refusals) as no:
        notices.read(file(2027))
    assert no.value.refusals[0].code == "calendar.no_days"
    assert "没有日期的文件不是公布" in no.value.refusals[0].sentence


def test_lines_are_read_with_and_without_a_heading() -> None:
    text = "日期,名称,休或班\n2027-01-01,元旦,休\n2027/1/9,元旦,班\n2027年1月10日，元旦，平"
    read = notices.read(text, year=2027)
    assert shown(read) == {"2027-01-01": True, "2027-01-09": False, "2027-01-10": None}
    assert read.year == 2027


def test_new_year_that_begins_in_december_belongs_to_the_year_before() -> None:
    text = "2028年部分节假日 一、元旦：12月31日至1月2日放假，共3天。"
    assert list(shown(notices.read(text))) == ["2027-12-31", "2028-01-01", "2028-01-02"]


def test_a_wrong_weekday_a_wrong_count_and_a_day_that_does_not_exist_are_said() -> None:
    assert refused(NOTICE_2026.replace("1月4日（周日）", "1月4日（周六）")) == ["calendar.weekday"]
    assert refused(NOTICE_2026.replace("共9天", "共8天")) == ["calendar.count"]
    assert refused(NOTICE_2026.replace("2月28日（周六）", "2月30日")) == ["calendar.no_such_day"]
    assert refused(NOTICE_2026.replace("4月4日（周六）至6日（周一）", "4月6日至4日")) == [
        "calendar.reversed"
    ]
    assert "calendar.weekday" in refused(NOTICE_2026.replace("2026", "2027"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "calendar.empty"),
        ("明年放假请看电视", "calendar.year_unsaid"),
        ("2027年部分节假日安排", "calendar.unreadable"),
        ('{"year": 2027', "calendar.json"),
        ('{"year": 2027}', "calendar.json_schema"),
        ("[" * 50_000, "calendar.json"),
        ('{"year": 2027, "days": [{"date": "2027-01-01", "isOffDay": 1}]}', "calendar.json_day"),
        ("2027-01-01,元旦,休\n2027-02-30,春节,休", "calendar.no_such_day"),
        ("2027-01-01,元旦,休\n明天,春节,休", "calendar.line"),
        ("2027-01-01,元旦,休\n2027-01-02,元旦,也许", "calendar.line_word"),
        ("一" * 70_000, "calendar.long"),
        ("9999年部分节假日 一、元旦：1月1日放假。", "calendar.year"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(text: str, code: str) -> None:
    assert code in refused(text)


def test_no_naughty_string_is_more_than_a_refusal() -> None:
    if not NAUGHTY.exists():
        pytest.skip("the naughty strings are not on this machine")
    for nth, text in enumerate(json.loads(NAUGHTY.read_text("utf-8"))):
        for whole in (text, f"2027-01-01,{text},休", f"2027-01-01,元旦,{text}", text + NOTICE_2026):
            try:
                read = notices.read(whole, year=2027)
            except Refusals:
                continue
            if nth % 10:
                continue  # a check builds a calendar: a tenth of them is enough
            change = notice(source="通知", year=read.year, days=[list(one) for one in read.days])
            for field in ("kind", "year", "amends"):
                with suppress(Refusals):
                    accepted(change | {field: text})


@given(
    st.text(alphabet="0123456789年月日至到（）()周六日放假上班，。、共天一元旦：\n-", max_size=80)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Refusals):
        assert notices.read(text, year=2027).days


# --- checking ------------------------------------------------------------------------------------


def test_next_years_notice_is_accepted_as_it_stands() -> None:
    checked = accepted(notice(NOTICE_2027))
    assert checked.change["year"] == 2027
    assert checked.remarks == ()
    assert published(checked.change).at().calendar.published == {2027}


def test_a_day_twice_and_a_day_both_off_and_worked() -> None:
    days = notice(NOTICE_2027)["days"]
    assert codes(notice(NOTICE_2027, days=[*days, days[0]])) == {"calendar.day_twice": "days"}
    other = [days[0][0], "元旦", False]
    assert codes(notice(NOTICE_2027, days=[*days, other])) == {"calendar.off_and_worked": "days"}


def test_days_of_another_year_and_too_few_days() -> None:
    days = notice(NOTICE_2027)["days"]
    assert codes(notice(NOTICE_2027, days=[*days, ["2028-05-01", "劳动节", True]])) == {
        "calendar.outside_year": "days"
    }
    assert "calendar.too_few" in codes(notice(NOTICE_2027, days=days[:9]))


def test_a_year_already_published_wants_an_amendment_and_says_how_many_cases_run() -> None:
    with pytest.raises(Refusals) as no:
        notices.check(notice(), STANDING, today=TODAY, running=1_204)
    (only,) = no.value.refusals
    assert (only.code, only.field) == ("calendar.published", "year")
    assert "1204 件在办" in only.sentence
    assert "修改通知" in only.sentence


def test_an_amendment_needs_a_published_year_and_must_change_something() -> None:
    assert codes(notice(NOTICE_2027, amends=True)) == {"calendar.not_published": "year"}
    same = notice(amends=True, days=[["2026-10-10", "国庆节", False]])
    assert codes(same) == {"calendar.no_change": "days"}
    moved = notice(amends=True, days=[["2026-12-31", "调休", True], ["2026-12-27", "调休", False]])
    assert accepted(moved).remarks == ()


def test_days_already_past_are_allowed_and_pointed_out() -> None:
    change = notice(amends=True, days=[["2026-10-08", "延长", True]])
    assert [one.code for one in accepted(change).remarks] == ["calendar.past"]


def test_a_day_can_be_put_back_to_the_plain_week() -> None:
    change = accepted(notice(amends=True, days=[["2026-10-10", "国庆节", None]])).change
    assert not STANDING.changed(change).at().calendar.works(date(2026, 10, 10))


def test_the_holidays_of_the_state_councils_decree_cannot_be_worked() -> None:
    days = [one for one in notice(NOTICE_2027)["days"] if one[0] != "2027-10-01"]
    assert codes(notice(NOTICE_2027, days=days)) == {"calendar.fixed_holiday": "days"}
    worked = notice(amends=True, days=[["2026-05-02", "劳动节", False]])
    assert codes(worked) == {"calendar.fixed_holiday": "days"}
    assert date(2024, 5, 2) not in notices.fixed_holidays(2024)
    assert date(2025, 5, 2) in notices.fixed_holidays(2025)


def test_a_worked_weekday_and_a_missing_festival_are_only_pointed_out() -> None:
    days = [one for one in notice(NOTICE_2027)["days"] if one[1] != "中秋节"]
    days.append(["2027-03-03", "春节", False])
    found = {one.code for one in accepted(notice(NOTICE_2027, days=days)).remarks}
    assert found == {"calendar.no_festival", "calendar.worked_weekday"}


@pytest.mark.parametrize("year", [1999, 2101, 0, -1, 10**30, "2027", None, True, 2027.0])
def test_a_year_out_of_reach_is_refused(year: object) -> None:
    assert "calendar.year" in codes(notice(NOTICE_2027, year=year))


@pytest.mark.parametrize("source", ["", "   ", None, 7, ["x"]])
def test_a_notice_without_a_source_is_refused(source: object) -> None:
    assert codes(notice(NOTICE_2027, source=source)) == {"calendar.no_source": "source"}


@pytest.mark.parametrize(
    "days",
    [None, [], "2027-01-01", {}, [None], [["2027-01-01"]], [["2027-02-30", "春节", True]],
     [["20270101", "元旦", True]], [["2027-01-01", "元旦", 1]], [["2027-01-01", 7, True]],
     [["2027-01-01", "元旦", True]] * 500],
)  # fmt: skip
def test_days_of_an_odd_shape_are_refused(days: object) -> None:
    assert set(codes(notice(NOTICE_2027, days=days)).values()) <= {"days"}


def test_an_overlay_is_for_a_place_we_know_and_leaves_the_holidays_alone() -> None:
    overlay = {
        "kind": "overlay", "scope": "region:420102", "basis": "临江区政府通告〔2026〕3号",
        "days": [["2026-12-07", "区庆", True]],
    }  # fmt: skip
    assert accepted(overlay).change == overlay
    for scope in ("region:999999", "hall:none", "all", "", "region:", None, 7):
        assert codes(overlay | {"scope": scope}) == {"calendar.scope": "scope"}
    assert codes(overlay | {"basis": ""}) == {"calendar.no_basis": "basis"}
    worked = overlay | {"days": [["2027-10-01", "加班", False]]}
    assert codes(worked) == {"calendar.fixed_holiday": "days"}


def rule(**more: Any) -> dict[str, Any]:
    return {
        "kind": "rule",
        "rule": {
            "kind": "delivery", "value": 7, "unit": "working_day", "basis": "市政府令",
            "since": "2027-01-01", **more,
        },
    }  # fmt: skip


def test_every_general_limit_has_a_name() -> None:
    assert {one.kind for one in LAW} == set(notices.RULES)


def test_a_limit_needs_a_kind_a_unit_a_basis_and_a_beginning_after_the_last() -> None:
    checked = accepted(rule())
    assert checked.change["rule"]["roll"] is True
    after = STANDING.changed(checked.change).at()
    assert [after.rule("delivery", date(year, 6, 1)).value for year in (2026, 2027)] == [10, 7]  # type: ignore[union-attr]
    assert codes(rule(kind="tea")) == {"calendar.rule_kind": "rule_kind"}
    assert codes(rule(unit="")) == {"limit.no_unit": "unit"}
    assert codes(rule(unit="fortnight")) == {"limit.unit": "unit"}
    assert codes(rule(value=-1)) == {"limit.negative": "value"}
    assert codes(rule(value="七")) == {"limit.value": "value"}
    assert codes(rule(basis="")) == {"limit.no_basis": "basis"}
    assert codes(rule(since="2003-01-01")) == {"calendar.rule_since": "since"}
    assert codes(rule(since="2027-1-1")) == {"calendar.since": "since"}
    assert codes(rule(since="2027-01-01T00:00")) == {"calendar.since": "since"}
    assert codes({"kind": "rule", "rule": 7}) == {"calendar.rule": "rule_kind"}


def hours(*spans: Any, **more: Any) -> dict[str, Any]:
    return {
        "kind": "hours", "scope": "all", "basis": "夏令作息通知", "since": "2027-05-01",
        "spans": [list(one) for one in spans], **more,
    }  # fmt: skip


def test_opening_hours_are_in_order_and_apart() -> None:
    good = hours(("09:00", "12:00"), ("13:30", "17:00"))
    assert accepted(good).change == good
    assert codes(hours()) == {"calendar.spans": "spans"}
    assert codes(hours(("12:00", "09:00"))) == {"calendar.span_reversed": "spans"}
    assert codes(hours(("09:00", "09:00"))) == {"calendar.span_reversed": "spans"}
    assert codes(hours(("09:00", "12:00"), ("11:00", "17:00"))) == {
        "calendar.spans_overlap": "spans"
    }
    for odd in (("9", "17"), ("25:00", "26:00"), ("", ""), ("09:00",), ("a", "b"), (9, 17)):
        assert codes(hours(odd)) == {"calendar.span": "spans"}
    assert codes(good | {"since": "2027-05-01T09:00:00"}) == {"calendar.since": "since"}


def test_opening_hours_are_read_as_people_type_them() -> None:
    want = [["09:00", "12:00"], ["13:30", "17:00"]]
    for text in (
        "9:00-12:00、13:30-17:00",
        "9：00 至 12：00\n13:30—17:00",
        "09:00~12:00,13:30–17:00",
    ):
        assert notices.spans_of(text) == want
    assert codes(hours(*notices.spans_of("上午九点"))) == {"calendar.span": "spans"}


def test_after_hours_is_one_of_two_and_must_change() -> None:
    change = {
        "kind": "after_hours", "value": "same_day", "since": "2027-03-01", "basis": "市政府决定",
    }  # fmt: skip
    assert accepted(change).change == change
    assert "calendar.since" in str(codes(change | {"since": ""}))
    assert codes(change | {"value": "next_working_day"}) == {"calendar.no_change": "after_hours"}
    assert codes(change | {"value": "perhaps"}) == {"calendar.after_hours": "after_hours"}


@pytest.mark.parametrize("change", [{}, {"kind": None}, {"kind": []}, {"kind": "tea"}])
def test_a_change_of_no_kind_is_refused(change: dict[str, Any]) -> None:
    assert codes(change) == {"calendar.kind": "kind"}


# --- differences ---------------------------------------------------------------------------------


def test_the_preview_lists_the_days_that_become_others() -> None:
    change = accepted(notice(NOTICE_2027)).change
    found = {one.day.isoformat(): one.after for one in notices.differences(change, STANDING)}
    assert found["2027-02-05"] is False
    assert found["2027-10-09"] is True
    assert "2027-10-01" not in found  # a fixed holiday was off before, provisionally
    assert "2027-01-02" not in found  # a Saturday


def test_the_preview_of_an_overlay_is_of_its_place() -> None:
    change = {
        "kind": "overlay", "scope": "hall:H420100", "basis": "停电",
        "days": [["2026-12-07", "停电", True], ["2026-12-06", "补", False]],
    }  # fmt: skip
    found = notices.differences(change, STANDING)
    assert [(one.day.day, one.before, one.after) for one in found] == [
        (6, False, True),
        (7, True, False),
    ]


def test_a_rule_longer_than_the_law_is_pointed_out_to_the_second_person() -> None:
    assert [one.code for one in accepted(rule(value=11)).remarks] == ["calendar.beyond_law"]
    assert [one.code for one in accepted(rule(value=1, unit="month")).remarks] == [
        "calendar.beyond_law"
    ]
    assert accepted(rule(value=10)).remarks == ()


def test_an_extension_is_counted_in_working_days() -> None:
    wrong = rule(kind="extension", value=10, unit="calendar_day")
    assert codes(wrong) == {"calendar.extension_unit": "unit"}


def test_no_local_arrangement_takes_a_holiday_of_the_state_council_away() -> None:
    for off in (False, None):
        days = [["2026-02-17", "春节", off]]
        change = {"kind": "overlay", "scope": "region:420102", "basis": "区政府通知", "days": days}
        assert codes(change) == {"calendar.national_holiday": "days"}


def test_an_amendment_that_takes_a_festival_away_is_pointed_out() -> None:
    change = {
        "kind": "notice", "year": 2026, "amends": True, "source": "国办发明电〔2026〕1号",
        "days": [["2026-02-17", "春节", False]],
    }  # fmt: skip
    assert "calendar.festival" in {one.code for one in accepted(change).remarks}
