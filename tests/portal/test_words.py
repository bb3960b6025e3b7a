"""How times and names are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from zhengwu.web import forms, paging, words


def test_a_limit_is_said_in_words_and_ends_with_the_office_hours() -> None:
    assert words.due_zh(date(2026, 11, 30)) == "11 月 30 日（周一）17:00 前"
    assert words.due_zh(date(2026, 11, 30), week=False) == "11 月 30 日 17:00 前"
    assert words.due_zh(datetime(2026, 11, 30, 9, tzinfo=UTC)) == "11 月 30 日（周一）17:00 前"


def test_the_year_is_said_when_it_is_another_one() -> None:
    at = datetime(2011, 10, 12, 0, 26, tzinfo=UTC)
    assert words.stamp(at, today=date(2026, 11, 23)) == "2011-10-12 08:26"
    assert words.stamp(at, today=date(2011, 12, 31)) == "10-12 08:26"


def test_the_day_is_shanghais() -> None:
    assert words.stamp(datetime(2026, 11, 1, 17, 30, tzinfo=UTC)) == "11-02 01:30"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(hours=53, minutes=55), "53 小时 55 分"),
        (timedelta(hours=496), "496 小时"),
        (timedelta(minutes=15, seconds=59), "15 分钟"),
        (timedelta(hours=1176, minutes=40), "1,176 小时 40 分"),
    ],
)
def test_a_span_is_whole_minutes(length: timedelta, text: str) -> None:
    assert words.span_zh(length) == text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("李雪梅", "李*梅"),
        ("周宁", "周*"),
        ("江城清源水务有限公司", "江城**有限公司"),
        ("", ""),
        ("王", "*"),
        ("欧阳修文", "欧**文"),
    ],
)
def test_names_are_masked(name: str, shown: str) -> None:
    assert words.masked(name) == shown


def test_no_name_is_shown_whole() -> None:
    for name in ("厂", "公司", "张三", "阿", "买买提·吐尔逊", "𠮷野", "江城市第一医院"):
        assert words.masked(name) != name


@pytest.mark.parametrize("text", [None, "", "0", "-1", "x", "９", "1" * 40, "²"])
def test_a_page_that_is_no_number_is_the_first(text: str | None) -> None:
    assert paging.page_number(text) == 1


def test_page_numbers_leave_gaps() -> None:
    assert list(paging.window(5, 20)) == [1, None, 3, 4, 5, 6, 7, None, 20]
    assert list(paging.window(1, 1)) == [1]


def test_control_and_direction_characters_are_dropped() -> None:
    assert forms.clean_text(" 取\x00水\u202e许\u200b可\r\n ") == "取水许可"


def test_a_form_without_a_good_key_gets_a_new_one() -> None:
    key = forms.new_key()
    assert forms.read_key(key) == key
    assert forms.read_key("'; drop table") != "'; drop table"
