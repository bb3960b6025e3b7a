"""How times, spans and names are written for people (日期、时长与姓名的写法)."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEKDAYS = "一二三四五六日"
# A notice with its address: the name is what stands before it, up to a space or a stop.
ADDRESSED = re.compile(
    r"(?:(?P<name>[^\s（）：；，。]+)\s*)?(?P<address>https?://[!#-;=?-~]*[\w/-])", re.ASCII
)
# The longest first: what an organisation is may be shown, what it is called may not.
ORGANISATION_ENDINGS = (
    "股份有限公司",
    "有限责任公司",
    "农民专业合作社",
    "专业合作社",
    "有限公司",
    "居民委员会",
    "村民委员会",
    "合伙企业",
    "事务所",
    "委员会",
    "基金会",
    "合作社",
    "分公司",
    "公司",
    "集团",
    "协会",
    "学校",
    "医院",
    "中心",
    "大学",
    "中学",
    "小学",
    "幼儿园",
    "饭店",
    "酒店",
    "药房",
    "商店",
    "经营部",
    "厂",
    "店",
    "所",
    "局",
    "院",
    "社",
)


def local(at: datetime) -> datetime:
    """The moment on Shanghai's clocks; ``at`` must be aware."""
    return at.astimezone(SHANGHAI)


def _year(day: date, today: date | None, mark: str) -> str:
    return "" if today is None or today.year == day.year else f"{day.year}{mark}"


def stamp(at: datetime | None, *, today: date | None = None) -> str:
    """11-02 10:00, with the year before it when it is another year than today's."""
    if at is None:
        return "—"
    there = local(at)
    year = _year(there, today, "-")
    return f"{year}{there.month:02}-{there.day:02} {there.hour:02}:{there.minute:02}"


def short_day(value: date | datetime | None, *, today: date | None = None) -> str:
    """11-02, with the year before it when it is another year than today's."""
    if value is None:
        return "—"
    day = local(value).date() if isinstance(value, datetime) else value
    return f"{_year(day, today, '-')}{day.month:02}-{day.day:02}"


def day_zh(value: date | datetime | None, *, today: date | None = None, week: bool = True) -> str:
    """11 月 2 日（周一）."""
    if value is None:
        return "—"
    day = local(value).date() if isinstance(value, datetime) else value
    text = _year(day, today, " 年 ") + f"{day.month} 月 {day.day} 日"
    return f"{text}（周{WEEKDAYS[day.weekday()]}）" if week else text


def moment_zh(at: datetime | None, *, today: date | None = None) -> str:
    """11 月 2 日（周一）10:00."""
    if at is None:
        return "—"
    return day_zh(at, today=today) + clock(at)


def due_zh(value: date | datetime | None, *, today: date | None = None, week: bool = True) -> str:
    """11 月 30 日（周一）17:00 前: it ends with the office hours of that day (民法典 203)."""
    if value is None:
        return "未定"
    hour = clock(value) if isinstance(value, datetime) else "17:00"
    gap = "" if week else " "
    return f"{day_zh(value, today=today, week=week)}{gap}{hour} 前"


def clock(at: datetime) -> str:
    """10:00; the last instant of a day is its 24:00."""
    there = local(at)
    if there.microsecond and there.time() == time.max:
        return "24:00"
    return f"{there.hour:02}:{there.minute:02}"


def span_zh(length: timedelta) -> str:
    """53 小时 55 分; whole minutes, rounded down."""
    minutes = int(length.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} 分钟"
    return f"{hours:,} 小时 {rest} 分" if rest else f"{hours:,} 小时"


def span_digits(length: timedelta) -> str:
    """53:40, hours and minutes."""
    hours, rest = divmod(int(length.total_seconds() // 60), 60)
    return f"{hours}:{rest:02d}"


def sourced(text: str) -> Markup:
    """The text with every address behind the name of what is there (国务院办公厅……的通知)."""
    if "://" not in text:
        return escape(text)
    told, end = Markup(""), 0
    for found in ADDRESSED.finditer(text):
        told += escape(text[end : found.start()])
        told += Markup('<a href="{}" rel="noopener noreferrer">{}</a>').format(
            found["address"], found["name"] or "原文"
        )
        end = found.end()
    return told + escape(text[end:])


def masked(name: str) -> str:
    """李*梅, 江城**有限公司: what the public may see of an applicant's name."""
    name = name.strip()
    if len(name) > 4:
        for ending in ORGANISATION_ENDINGS:
            if name.endswith(ending) and len(name) > len(ending):
                keep = min(2, max(1, len(name) - len(ending) - 1))
                return f"{name[:keep]}**{ending}"
        if "·" not in name:
            return f"{name[:2]}**{name[-1]}"
    if len(name) <= 1:
        return "*" if name else ""
    if len(name) == 2:
        return f"{name[0]}*"
    return f"{name[0]}{'*' * min(len(name) - 2, 2)}{name[-1]}"


def upto(count: int, most: int) -> str:
    """986; 1,000+ where counting stopped."""
    return f"{most:,}+" if count >= most else f"{count}"


def file_size(count: int) -> str:
    """1.2 MB, 86 KB: bytes for people."""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{max(1, round(count / 1000))} KB"
