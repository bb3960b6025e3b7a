"""Dates in tables (日期): one way to write them out, few and certain ways to read them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

from zhengwu.documents.sheets.table import excerpt, refusal

EPOCH = date(1899, 12, 30)  # day 0 of a spreadsheet, from 1 March 1900 on
EPOCH_1904 = date(1904, 1, 1)
SERIALS = range(10_000, 100_000)  # numbers that may be days: 1927 to 2173
# A midnight behind the date is what databases write.
WRITTEN = re.compile(
    r"(?:(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})[日号]|(\d{4})(\d\d)(\d\d))"
    r"(?:[ T]0?0:00(?::00(?:\.0+)?)?)?",
    re.ASCII,
)
UNCLEAR = re.compile(r"\d{1,2}([-/.])\d{1,2}\1(?:\d{4}|\d{1,2})", re.ASCII)


def parse_date(text: str) -> date:
    """The day that a cell names (日期). Raises Refusal (`sheets.date_*`).

    2026-01-05, 2026/1/5, 2026.1.5, 2026年1月5日, 20260105, and the number of five digits that a
    date becomes when its cell loses its format (46027, days since 1899-12-30).
    """
    folded = re.sub(r"\s*([-/.年月])\s*", r"\1", unicodedata.normalize("NFKC", text))
    folded = re.sub(r"\s+(?=[日号])", "", folded).strip().upper()
    if match := WRITTEN.fullmatch(folded):
        year, month, day = (int(one) for one in match.groups() if one and one.isdigit())
        try:
            return date(year, month, day)
        except ValueError as problem:
            raise refusal(
                "date_not_real", f"没有“{excerpt(text)}”这一天。请查对年月日。"
            ) from problem
    if re.fullmatch(r"[0-9]{5}", folded) and int(folded) in SERIALS:
        return EPOCH + timedelta(days=int(folded))
    if UNCLEAR.fullmatch(folded):
        raise refusal(
            "date_unclear",
            f"“{excerpt(text)}”分不清哪个是月、哪个是日。日期一律先写四位的年，再写月、日，"
            "例如 2026-01-05。",
        )
    raise refusal(
        "date_unreadable",
        f"“{excerpt(text)}”不是日期。请写成 2026-01-05、2026/1/5、2026年1月5日或 20260105。",
    )


def serial_text(value: float, *, kind: str, since_1904: bool) -> str | None:
    """A number with the format of a date as text, None where it is no date.

    kind: "date", "time" (hours and minutes only) or "elapsed" (hours beyond 24).
    "2026-01-05", "2026-01-05 09:30:00", "09:30:00".
    """
    if not 0 <= value < 2_958_466:  # after it comes the year 10000
        return None
    days, seconds = divmod(round(value * 86_400), 86_400)
    if kind == "elapsed":
        return _clock(round(value * 86_400))
    if days == 0 and (kind == "time" or (seconds and not since_1904)):
        return _clock(seconds)
    day = _day(days, since_1904=since_1904)
    if day is None:
        return None
    return f"{day.isoformat()} {_clock(seconds)}" if seconds else day.isoformat()


def _day(days: int, *, since_1904: bool) -> date | None:
    try:
        if since_1904:
            return EPOCH_1904 + timedelta(days=days)
        if days in (0, 60):  # 0 January and 29 February 1900: days only spreadsheets know
            return None
        return EPOCH + timedelta(days=days + (days < 60))
    except OverflowError:
        return None


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
