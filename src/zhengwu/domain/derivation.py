"""Why this date (推导): one line for everything that counted or did not, each with its article.

Made only when somebody asks; `clock.read` does without.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from zhengwu.domain.calendar import END_OF_DAY
from zhengwu.domain.counting import Count, Extension, Pause
from zhengwu.domain.edition import AFTER_HOURS
from zhengwu.domain.procedure import UNITS_ZH, Unit

if TYPE_CHECKING:
    from zhengwu.domain.reading import LimitReading

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEKDAYS = "一二三四五六日"
TOLD = frozenset({"claim", "planned"})  # said by another system, not counted here
HOURS = (Unit.HOUR, Unit.OFFICE_HOUR)
MOST_DAYS = 30  # days of a suspension named one by one


class Line(NamedTuple):
    """One line of the derivation. days: how many it adds to the due day; 0 where it only explains."""

    text: str
    article: str | None
    days: int = 0


def words(day: date) -> str:
    """11 月 30 日（周一）."""
    return f"{day.month} 月 {day.day} 日（周{WEEKDAYS[day.weekday()]}）"


def days_words(days: Sequence[date]) -> str:
    """9 月 28、29 日，10 月 8 日: the month is said once."""
    months: dict[tuple[int, int], list[str]] = {}
    for day in days:
        months.setdefault((day.year, day.month), []).append(str(day.day))
    return "，".join(f"{month} 月 {'、'.join(listed)} 日" for (_, month), listed in months.items())


def moment_words(moment: datetime) -> str:
    """11 月 30 日 17:00; the end of a day is 24:00."""
    local = moment.astimezone(SHANGHAI)
    clock = "24:00" if local.time() == END_OF_DAY else f"{local:%H:%M}"
    return f"{local.month} 月 {local.day} 日 {clock}"


def lines(limit: LimitReading) -> tuple[Line, ...]:
    """The derivation of a limit, in the order in which it is counted."""
    return tuple(_Teller(limit).lines())


class _Teller:
    """Counts the limit once more, step by step, and says each step."""

    def __init__(self, limit: LimitReading) -> None:
        self.limit = limit
        self.how = limit.how
        self.calendar = limit.how.edition.calendar
        self.unit = limit.unit

    def lines(self) -> Iterable[Line]:
        limit, how = self.limit, self.how
        if limit.kind in TOLD:
            yield Line(f"来源系统自报：{moment_words(limit.due)} 前办结，不由本系统推算", None)
            yield from self._stopped()
            return
        count = Count(how.edition, how.start, limit.value, limit.unit, limit.roll)
        plain, last = count.end()
        yield from self._begins()
        yield from self._switched()
        if limit.value:
            to = words(date.fromordinal(last)) if self.unit not in HOURS else moment_words(plain)
            text = f"{limit.name}期限 {limit.value} {UNITS_ZH[self.unit]}，到 {to}"
        else:
            text = f"{limit.name}：当场办理"
        yield Line(text, limit.basis, limit.value)
        yield from self._counted(limit.start, date.fromordinal(last))
        yield from self._rolled(count)
        first = last
        for item in how.items:  # in the order in which they came, each with the end it made
            if isinstance(item, Pause):
                count.apply(item)
                held = count.held_by(item)
                yield self._pause(item, held)
                moment, last = count.end()
                if held:
                    to = (
                        words(date.fromordinal(last))
                        if self.unit not in HOURS
                        else moment_words(moment)
                    )
                    yield Line(f"顺延 {self._amount(held)}，到 {to}", item.article)
                yield from self._rolled(count)
            else:
                count.extend(item)
                _, last = count.end()
                yield self._extended(item, date.fromordinal(last))
        yield from self._counted(date.fromordinal(first), date.fromordinal(last))
        if how.late:
            yield Line("期限届满以后批准的延期不起作用", "行政许可法 第四十二条")
        yield self._ends()
        if limit.provisional:
            yield Line(
                "国务院尚未公布有关年份的放假安排，这个日期是暂定的", "全国年节及纪念日放假办法"
            )
        yield from self._stopped()

    def _rolled(self, count: Count) -> Iterable[Line]:
        if count.rolled is not None:
            day = words(date.fromordinal(count.rolled))
            yield Line(f"末日 {day}是休息日，顺延到下一个工作日", "民法典 第二百零三条第一款")

    def _extended(self, extension: Extension, last: date) -> Line:
        limit = self.limit
        joint = limit.kind == "joint"
        who = "本级人民政府负责人" if joint else "本机关负责人"
        paper = f"（{extension.document}）" if extension.document else ""
        day = words(last)
        return Line(
            f"经{who}批准延长 {extension.days} {UNITS_ZH[extension.unit]}{paper}，到 {day}",
            "行政许可法 第四十二条第二款" if joint else "行政许可法 第四十二条",
            extension.days,
        )

    def _begins(self) -> Iterable[Line]:
        limit, how = self.limit, self.how
        if how.start.filed is not None:
            yield Line(
                f"{moment_words(how.start.filed)} 在办公时间以外收到，视为 {words(limit.start)}收到",
                AFTER_HOURS,
            )
        if self.unit == Unit.HOUR:
            counted = "即时起算"
        elif self.unit == Unit.OFFICE_HOUR:
            counted = "从办公时间起算"
        else:
            counted = "当日不计，次日起算"
        yield Line(f"{words(limit.start)}{how.what}，{counted}", "民法典 第二百零一条")

    def _switched(self) -> Iterable[Line]:
        """Each transitional clause that changed the limit: from what to what."""
        limit, switches = self.limit, self.how.switches
        sizes = [(one.value, one.unit) for one in switches] + [(limit.value, limit.unit)]
        for one, (old, unit), (new, other) in zip(switches, sizes, sizes[1:], strict=False):
            yield Line(
                f"{moment_words(one.occurred)} 起，依第 {one.version} 版办事指南的过渡条款，"
                f"{limit.name}期限由 {old} {UNITS_ZH[unit]}改为 {new} {UNITS_ZH[other]}，"
                "起算日不变",
                "立法法 第一百零四条",
            )

    def _counted(self, start: date, end: date) -> Iterable[Line]:
        """Which days in between count and which do not, so that the count can be checked."""
        if self.unit not in (Unit.WORKING_DAY, Unit.OFFICE_HOUR) or end <= start:
            return
        calendar = self.calendar
        every = (end - start).days
        working = calendar.working_days_between(start, end)
        groups: dict[tuple[str, bool], list[date]] = {}
        for day in calendar.named_days(start, end):
            works = calendar.works(day)
            if works == (day.weekday() < 5):
                continue
            source = calendar.sources.get(day) or calendar.notices.get(day.year) or ""
            groups.setdefault((source, works), []).append(day)
        held = sum(len(days) for (_, works), days in groups.items() if not works)
        weekends = every - working - held
        if self.unit == Unit.WORKING_DAY:
            rest = "、".join(
                part
                for part in (
                    f"周末 {weekends} 天" if weekends else "",
                    f"放假 {held} 天" if held else "",
                )
                if part
            )
            yield Line(
                f"{words(start + timedelta(days=1))}至 {words(end)}共 {every} 天，其中工作日 "
                f"{working} 天" + (f"，{rest}不计" if rest else ""),
                "行政许可法 第八十二条",
            )
        for (source, works), days in groups.items():
            why = f"（{source}）" if source else ""
            if works:
                yield Line(f"周末上班照计：{days_words(days)}{why}", "行政许可法 第八十二条")
            else:
                names = "、".join(dict.fromkeys(calendar.names.get(d, "") for d in days)).strip(
                    "、"
                )
                yield Line(f"{names}放假不计：{days_words(days)}{why}", "行政许可法 第八十二条")

    def _pause(self, pause: Pause, taken: timedelta | Sequence[date]) -> Line:
        ending = "起" if pause.end is None else f" 至 {moment_words(pause.until)} "
        told = f"；已书面告知到 {words(pause.told)}" if pause.told else ""
        paper = f"（{pause.document}）" if pause.document else ""
        if isinstance(taken, timedelta):
            text = f"{_hours(taken)}不计"
            return Line(f"{moment_words(pause.start)}{ending}{pause.why}{paper}，{text}{told}",
                        pause.article)  # fmt: skip
        unit = "个工作日" if self.unit == Unit.WORKING_DAY else "日"
        some = "等" if len(taken) > MOST_DAYS else ""
        days = f"：{days_words(taken[:MOST_DAYS])}{some}" if taken else ""
        return Line(
            f"{moment_words(pause.start)}{ending}{pause.why}{paper}，{len(taken)} {unit}不计{days}{told}",
            pause.article,
            len(taken),
        )

    def _amount(self, held: timedelta | Sequence[date]) -> str:
        if isinstance(held, timedelta):
            return _hours(held)
        return f"{len(held)} {'个工作日' if self.unit == Unit.WORKING_DAY else '日'}"

    def _ends(self) -> Line:
        limit = self.limit
        if self.unit in HOURS:
            return Line(f"到 {moment_words(limit.due)} 为止", "民法典 第二百零一条第二款")
        local = limit.due.astimezone(SHANGHAI).time()
        if local == END_OF_DAY:
            rest = "" if self.calendar.works(_day(limit.due)) else "末日是休息日，本期限不顺延，"
            return Line(f"{rest}到当日 24:00 为止", "民法典 第二百零三条第二款")
        return Line(f"到当日下班时间 {local:%H:%M} 为止", "民法典 第二百零三条")

    def _stopped(self) -> Iterable[Line]:
        limit = self.limit
        if limit.stopped_at is None:
            return
        used = limit.used
        how = (
            f"，用 {used} {UNITS_ZH[self.unit]}" if self.unit not in (Unit.MONTH, Unit.YEAR) else ""
        )
        if limit.kind in TOLD:
            how = ""
        late = "" if limit.met else "，逾期未答复" if self.how.silent else "，已超期"
        yield Line(f"{words(_day(limit.stopped_at))}完成{how}{late}", None)


def _hours(length: timedelta) -> str:
    whole, rest = divmod(length, timedelta(hours=1))
    minutes = rest // timedelta(minutes=1)
    return f"{whole} 小时" + (f" {minutes} 分" if minutes else "")


def _day(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()
