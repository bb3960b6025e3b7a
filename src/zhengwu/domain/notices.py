"""Publishing a change of the timetable (放假安排公布): what somebody pastes, read; and checked.

`read` takes the State Council's prose, the JSON of holiday-cn or lines `2027-01-01,元旦,休`. `check`
says everything that is wrong with a change before anybody confirms it, and what is lawful but
worth a second look. 全国年节及纪念日放假办法 (国务院令第795号) fixes the holidays that have a date.
"""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

from zhengwu.domain.calendar import FEWEST_DAYS
from zhengwu.domain.edition import LAW, Timetable, late_papers
from zhengwu.domain.procedure import Limit, Unit
from zhengwu.domain.refusal import Refusal, Refusals

HOLIDAYS = "全国年节及纪念日放假办法 第二条"
FIRST_YEAR, LAST_YEAR = 2000, 2100
MAY_SECOND = 2025  # 5-2 is a holiday from this year on (2024 年修订)
LUNAR = ("春节", "清明", "端午", "中秋")  # no fixed date in our calendar: by name only
MOST_TEXT = 60_000  # characters of what is pasted; a notice has about 800
MOST_DAYS = 400
SOURCE, NAME, BASIS = 300, 30, 300  # most characters
MOST_SPANS = 6
KINDS: Mapping[str, str] = {
    "notice": "放假安排", "overlay": "局部安排", "rule": "期限规则", "hours": "作息时间",
    "after_hours": "非办公时间收件",
}  # fmt: skip
EXTENSIONS = ("extension", "joint_extension")
RULES: Mapping[str, str] = {
    "acceptance": "受理（一次性告知）", "statutory": "法定办结", "extension": "延长办理",
    "delivery": "送达", "lower_review": "下级机关审查", "joint": "联合办理",
    "joint_extension": "联合办理的延长",
}  # fmt: skip
AFTER_HOURS: Mapping[str, str] = {
    "next_working_day": "视为下一个工作日收到",
    "same_day": "当天收到",
}
WEEKDAYS = "一二三四五六日"

Listed = tuple[date, str, bool | None]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read out of a text. year, source: None and "" where the text does not say.

    unread: sentences that name a day and were not understood; people must look at them.
    """

    form: str
    year: int | None
    source: str
    days: tuple[Listed, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """Lawful, but worth a second look (提示)."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A change that may be proposed, as it will stand in the log; and what to look at."""

    change: dict[str, Any]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A day that a change makes another one: working before and after."""

    day: date
    name: str
    before: bool
    after: bool


# --- reading -------------------------------------------------------------------------------------


def read(text: str, *, year: int | None = None) -> Read:
    """The days in a text. year: of the notice, where the text does not say it.

    Raises Refusals (field `text`): what cannot be read, and what contradicts itself.
    """
    if len(text) > MOST_TEXT:
        raise Refusals([_no("long", f"内容太长，最多 {MOST_TEXT} 个字。请只粘贴通知的正文。")])
    plain = unicodedata.normalize("NFKC", text.lstrip("\ufeff")).strip()
    if not plain:
        raise Refusals([_no("empty", "请粘贴通知的正文，或者选择文件。")])
    if plain[0] in "{[":
        return _json(plain)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    if any(_LINE.match(line) for line in lines):
        return _lines(lines, year)
    return _prose(plain, year)


def _no(code: str, sentence: str, *, field: str = "text", article: str | None = None) -> Refusal:
    return Refusal(f"calendar.{code}", sentence, field=field, article=article)


NO_DAYS = "没有日期的文件不是公布。请等国务院办公厅公布这一年的放假安排，再粘贴通知正文。"


def _json(text: str) -> Read:
    """The schema of NateScarlet/holiday-cn: year, papers, days of name, date, isOffDay."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise Refusals(
            [_no("json", "这不是完整的 JSON 文件。请重新下载，或者粘贴正文。")]
        ) from None
    if not isinstance(given, dict) or not isinstance(given.get("days"), list):
        raise Refusals(
            [
                _no(
                    "json_schema",
                    "JSON 里没有 days 列表。请用 holiday-cn 的年度文件，或者粘贴正文。",
                )
            ]
        )
    year = given.get("year")
    papers = given.get("papers")
    listed = papers if isinstance(papers, list) else []
    source = " ".join(str(one)[:SOURCE] for one in listed[:4])
    if not given["days"]:
        raise Refusals([_no("no_days", NO_DAYS)])
    days: list[Listed] = []
    faults = []
    for number, one in enumerate(given["days"][: MOST_DAYS + 1], 1):
        row = one if isinstance(one, dict) else {}
        day, off = as_date(row.get("date")), row.get("isOffDay")
        if day is None or not isinstance(off, bool):
            faults.append(
                _no(
                    "json_day",
                    f"days 的第 {number} 项没有日期（date）或者休班（isOffDay）。请核对文件。",
                )
            )
            continue
        days.append((day, str(row.get("name") or "").strip()[:NAME], off))
    if faults:
        raise Refusals(faults[:5])
    known = year if isinstance(year, int) and not isinstance(year, bool) else None
    return Read("json", known, source.strip(), tuple(days))


_DATE = r"([0-9]{4})[-/.年]\s*([0-9]{1,2})[-/.月]\s*([0-9]{1,2})日?"
_LINE = re.compile(_DATE + r"\s*[,;\t、]")
_WHOLE_DATE = re.compile(_DATE)
_WORDS: Mapping[str, bool | None] = {
    "休": True, "放假": True, "休息": True, "off": True,
    "班": False, "上班": False, "补班": False, "work": False,
    "平": None, "平日": None, "恢复": None,
}  # fmt: skip


def _lines(lines: Sequence[str], year: int | None) -> Read:
    """Lines `2027-01-01,元旦,休`; a heading is left out; 平 puts a day back to the plain week."""
    days: list[Listed] = []
    faults = []
    for number, line in enumerate(lines[: MOST_DAYS + 2], 1):
        parts = [part.strip().strip('"') for part in re.split(r"[,;\t、]", line)]
        found = _WHOLE_DATE.fullmatch(parts[0])
        if found is None:
            if number == 1 and not any(c in "0123456789" for c in parts[0]):
                continue
            faults.append(
                _no(
                    "line",
                    f"第 {number} 行“{line[:30]}”不是“日期,名称,休或者班”。请改成例如 2027-01-01,元旦,休。",
                )
            )
            continue
        day = _day(*found.groups())
        if day is None:
            faults.append(
                _no("no_such_day", f"第 {number} 行：没有“{parts[0]}”这一天。请核对日期。")
            )
            continue
        word = parts[2].lower() if len(parts) > 2 else ""
        if word not in _WORDS:
            faults.append(
                _no(
                    "line_word",
                    f"第 {number} 行没有写“休”或者“班”。请写在第三列，例如 2027-01-01,元旦,休。",
                )
            )
            continue
        days.append((day, parts[1][:NAME], _WORDS[word]))
    if faults:
        raise Refusals(faults[:5])
    return Read("lines", year, "", tuple(days))


_TITLE = re.compile(r"([0-9]{4})\s*年\s*(?:部分|全年)?\s*节假日")
_NUMBER = re.compile(r"国办发(?:明电|电)?\s*[〔\[【(]\s*([0-9]{4})\s*[〕\]】)]\s*([0-9]+)\s*号")
_HEADING = re.compile(r"[(]?[一二三四五六七八九十]{1,3}[)]?\s*[、.]\s*([^:。]{1,30}):")
_SIGNED = re.compile(r"(?:国务院办公厅)?\s*[0-9]{4}\s*年\s*[0-9]{1,2}\s*月\s*[0-9]{1,2}\s*日\s*")
_ONE = r"(?:([0-9]{4})\s*年\s*)?(?:([0-9]{1,2})\s*月\s*)?([0-9]{1,2})\s*日\s*(?:\(([^()]{0,40})\))?"
_TOKEN = re.compile(
    rf"(?P<first>{_ONE})(?:\s*(?P<to>至|到|-|—|~)\s*(?P<second>{_ONE}))?(?P<onward>\s*起)?"
    r"|(?P<off>放假)|(?P<work>上班)"
    r"|(?:共|计)?\s*(?P<count>[0-9]{1,3})\s*天"
)
_WEEKDAY = re.compile(r"(?:周|星期|礼拜)([一二三四五六日天])")


def _prose(text: str, year: int | None) -> Read:
    """The State Council's sentences: 一、元旦:1月1日(周四)至3日(周六)放假调休,共3天。"""
    title = _TITLE.search(text)
    said = int(title.group(1)) if title else year
    paper = _NUMBER.search(text)
    source = f"国办发明电〔{paper.group(1)}〕{int(paper.group(2))}号" if paper else ""
    if paper and "明电" not in paper.group(0):
        source = source.replace("明电", "")
    body = text[max(title.end() if title else 0, paper.end() if paper else 0) :]
    body = re.sub(r"(?<=[0-9月日年(),、至到])\s*\n\s*(?=[0-9月日年(),、至到])", "", body)
    if said is None and (named := re.search(r"([0-9]{4})\s*年", body)):
        said = int(named.group(1))
    if said is None:
        raise Refusals(
            [
                _no(
                    "year_unsaid",
                    "通知里没有写是哪一年。请在“年份”里填写，例如 2027。",
                    field="year",
                )
            ]
        )
    if not FIRST_YEAR <= said <= LAST_YEAR:
        raise Refusals([_bad_year()])
    reader = _Prose(said)
    for name, sentence in _sentences(body):
        reader.sentence(name, sentence)
    if reader.faults:
        raise Refusals(reader.faults[:8])
    if not reader.days:
        raise Refusals(
            [_no("unreadable", "没有读出放假或者上班的日期。请粘贴通知正文（含“1月1日至3日放假”这样的句子），"
                 "或者一行一天：2027-01-01,元旦,休。")]
        )  # fmt: skip
    return Read("prose", said, source, tuple(reader.days), tuple(reader.unread[:10]))


def _sentences(body: str) -> Iterator[tuple[str, str]]:
    """The sentences, each with the heading it stands under."""
    name = ""
    for part in re.split(r"[。;\n]", body):
        found = _HEADING.search(part)
        if found:
            name, part = found.group(1).strip(), part[found.end() :]
        if part.strip() and not _SIGNED.fullmatch(part.strip()):
            yield name, part.strip()


@dataclass(slots=True)
class _Prose:
    """Reads one sentence after the other."""

    year: int
    days: list[Listed] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    faults: list[Refusal] = field(default_factory=list)

    def sentence(self, name: str, text: str) -> None:
        """Days wait for the verb after them: 放假 or 上班. What is left without one is unread."""
        waiting: list[date] = []
        last: list[date] = []
        month: int | None = None
        understood = True
        for token in _TOKEN.finditer(text):
            if token["first"]:
                parts = token.groups()
                start, month = self._date(parts[1:5], month, name, text)
                end = start
                if token["to"] and start is not None:
                    end, month = self._date(parts[7:11], month, name, text, after=start)
                if start is None or end is None:
                    return
                if token["onward"] or (end - start).days > 60:
                    understood = False
                    continue
                length = (end - start).days + 1
                if length < 1:
                    self.faults.append(
                        _no("reversed", f"“{text[:40]}”的止日早于起日。请核对原文。")
                    )
                    return
                waiting += [start + timedelta(days=n) for n in range(length)]
            elif token["off"] or token["work"]:
                if waiting:
                    off = bool(token["off"])
                    self.days += [(day, name[:NAME], off) for day in waiting]
                    last, waiting = (waiting, []) if off else ([], [])
            elif token["count"] and last and int(token["count"]) != len(last):
                self.faults.append(
                    _no("count", f"“{text[:40]}”写的是 {int(token['count'])} 天，按日期是 {len(last)} 天。"
                        "请核对原文。")
                )  # fmt: skip
        if waiting or not understood:
            self.unread.append(text[:120])

    def _date(
        self,
        parts: Sequence[str | None],
        month: int | None,
        name: str,
        text: str,
        *,
        after: date | None = None,
    ) -> tuple[date | None, int | None]:
        year, said, number, note = parts
        month = int(said) if said else month
        if month is None:
            self.faults.append(_no("no_month", f"“{text[:40]}”有日期没有写月份。请核对原文。"))
            return None, None
        of = int(year) if year else after.year if after else self.year
        if not year and after is None and month == 12 and "元旦" in name:
            of -= 1
        if not year and after and month < after.month:
            of += 1
        day = _day(str(of), str(month), number)
        if day is None:
            self.faults.append(
                _no("no_such_day", f"没有 {of} 年 {month} 月 {number} 日这一天。请核对原文。")
            )
            return None, month
        weekday = _WEEKDAY.search(note or "")
        if weekday and _weekday(weekday.group(1)) != day.weekday():
            self.faults.append(
                _no("weekday", f"{day.isoformat()} 是周{WEEKDAYS[day.weekday()]}，通知里写的是"
                    f"“{(note or '')[:20]}”。请核对年份和日期。")
            )  # fmt: skip
        return day, month


def _weekday(letter: str) -> int:
    return 6 if letter == "天" else WEEKDAYS.index(letter)


def _day(year: str | None, month: str | None, day: str | None) -> date | None:
    try:
        return date(int(year or 0), int(month or 0), int(day or 0))
    except ValueError:
        return None


def as_date(given: object) -> date | None:
    """A date written as 2027-01-01; None for anything else."""
    if isinstance(given, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        return _day(*given.split("-"))
    return None


# --- checking ------------------------------------------------------------------------------------


def check(
    change: Mapping[str, Any],
    timetable: Timetable,
    *,
    today: date,
    regions: Collection[str] = (),
    halls: Collection[str] = (),
    running: int | None = None,
) -> Checked:
    """A change against what holds now. Raises Refusals with everything that is wrong.

    regions, halls: the codes that exist. running: how many cases are under way, for the sentence.
    Fields: kind, year, source, days, scope, basis, value, unit, since, rule_kind, roll, spans.
    """
    checker = _Checker(timetable, today, frozenset(regions), frozenset(halls), running)
    return checker.checked(change)


def _bad_year() -> Refusal:
    return _no("year", f"年份请填写 {FIRST_YEAR} 到 {LAST_YEAR} 之间的四位数字。", field="year")


def fixed_holidays(year: int) -> tuple[date, ...]:
    """The holidays of a year that have a fixed date."""
    listed = [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)]
    return tuple(date(year, *one) for one in listed if one != (5, 2) or year >= MAY_SECOND)


@dataclass(slots=True)
class _Checker:
    table: Timetable
    today: date
    regions: frozenset[str]
    halls: frozenset[str]
    running: int | None
    faults: list[Refusal] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def checked(self, change: Mapping[str, Any]) -> Checked:
        kind = change.get("kind")
        ways = {
            "notice": self._notice, "overlay": self._overlay, "rule": self._rule,
            "hours": self._hours, "after_hours": self._after_hours,
        }  # fmt: skip
        if not isinstance(kind, str) or kind not in ways:
            raise Refusals([_no("kind", "请选择要公布什么。", field="kind")])
        made = ways[kind](change)
        if self.faults:
            raise Refusals(self.faults)
        return Checked({"kind": kind, **made}, tuple(self.remarks))

    def _refuse(self, code: str, sentence: str, *, field: str, article: str | None = None) -> None:
        if not any(one.code == f"calendar.{code}" and one.field == field for one in self.faults):
            self.faults.append(_no(code, sentence, field=field, article=article))

    def _remark(self, code: str, sentence: str) -> None:
        self.remarks.append(Remark(f"calendar.{code}", sentence))

    # --- the kinds ---

    def _notice(self, change: Mapping[str, Any]) -> dict[str, Any]:
        year, amends = change.get("year"), bool(change.get("amends"))
        source = self._text(change.get("source"), "source", "no_source", SOURCE,
                            "请写明依据：通知的文号或者网址，例如 国办发明电〔2025〕7号。")  # fmt: skip
        days = self._days(change.get("days"))
        if isinstance(year, bool) or not isinstance(year, int) or not (
            FIRST_YEAR <= year <= LAST_YEAR
        ):  # fmt: skip
            self.faults.append(_bad_year())
            return {}
        self._of_year(year, amends, days)
        if self.faults:
            return {}
        made = {"year": year, "amends": amends, "source": source, "days": _listed(days)}
        self._lawful(year, amends, days, made)
        return made

    def _of_year(self, year: int, amends: bool, days: Sequence[Listed]) -> None:
        low, high = date(year - 1, 12, 1), date(year + 1, 1, 31)
        outside = [day for day, _, _ in days if not low <= day <= high]
        if outside:
            self._refuse(
                "outside_year",
                f"{outside[0].isoformat()} 不在 {year} 年的安排里（只能在上一年 12 月到下一年 1 月之间）。"
                "请核对年份和日期。",
                field="days",
            )  # fmt: skip
        published = [one for one in self.table.notices if one.year == year]
        if published and not amends:
            under_way = f"，有 {self.running} 件在办" if self.running else ""
            self._refuse(
                "published",
                f"{year} 年的放假安排已经公布（{published[-1].source}）{under_way}。"
                "要改动的，请选择“修改通知”，只列要改的日子。",
                field="year",
            )
        elif amends and not published:
            self._refuse(
                "not_published",
                f"{year} 年的放假安排还没有公布，不能修改。请先公布全年的安排。",
                field="year",
            )
        own = [day for day, _, off in days if day.year == year and off is not None]
        if not amends and days and len(own) < FEWEST_DAYS:
            self._refuse(
                "too_few",
                f"{year} 年的日子只有 {len(own)} 天，全年的安排至少有 {FEWEST_DAYS} 天。"
                "请粘贴完整的通知；只改几天的，请选择“修改通知”。",
                field="days",
            )

    def _lawful(
        self, year: int, amends: bool, days: Sequence[Listed], made: Mapping[str, Any]
    ) -> None:
        before = self.table.at().calendar
        after = self.table.changed({"kind": "notice", **made}).at().calendar
        worked = [day for day in fixed_holidays(year) if after.works(day)]
        if worked:
            named = "、".join(f"{day.month} 月 {day.day} 日" for day in worked)
            self._refuse(
                "fixed_holiday",
                f"{named}是法定节假日，安排里没有放假。请补上这些日子，或者核对原文。",
                field="days",
                article=HOLIDAYS,
            )
            return
        if amends:
            standing = before.days
            same = all(
                standing.get(day, day.weekday() >= 5)
                == (day.weekday() >= 5 if off is None else off)
                for day, _, off in days
            )
            if same:
                self._refuse(
                    "no_change",
                    "这些日子和现在的安排一样，没有要修改的。请核对原文。",
                    field="days",
                )
            festival = [
                day for day, _, off in days
                if off is not True and standing.get(day) and before.names.get(day, "").startswith(LUNAR)
            ]  # fmt: skip
            if festival:
                self._remark(
                    "festival",
                    f"{_some(festival)}原来是{before.names[festival[0]]}假日，会改成上班。"
                    "请对照国务院的修改通知核对。",
                )
        else:
            names = " ".join(name for _, name, off in days if off)
            if missing := [one for one in LUNAR if one not in names]:
                self._remark(
                    "no_festival", f"没有看到{'、'.join(missing)}的安排。请对照原文核对名称和日子。"
                )
            idle = [day for day, _, off in days if off is False and day.weekday() < 5]
            if idle:
                self._remark(
                    "worked_weekday",
                    f"{_some(idle)}本来就是工作日，写成上班不改变什么。请对照原文核对。",
                )
        self._past(days)

    def _overlay(self, change: Mapping[str, Any]) -> dict[str, Any]:
        scope = self._scope(change.get("scope"), everywhere=False)
        basis = self._basis(change)
        days = self._days(change.get("days"))
        if not self.faults:
            fixed = [
                day for day, _, off in days
                if off is not True and day in fixed_holidays(day.year)
            ]  # fmt: skip
            if fixed:
                self._refuse(
                    "fixed_holiday",
                    f"{_some(fixed)}是法定节假日，局部安排不能改成上班。请删去这些日子。",
                    field="days",
                    article=HOLIDAYS,
                )
            national = self.table.at().calendar
            given = [
                day for day, _, off in days
                if off is not True and day not in fixed and day in national.days
                and national.days[day]
            ]  # fmt: skip
            if given:
                self._refuse(
                    "national_holiday",
                    f"{_some(given)}是国务院通知安排的休息日（{national.names[given[0]]}），局部安排不能改成"
                    "上班。请删去这些日子；国务院改动的，请选择“修改通知”。",
                    field="days",
                    article=HOLIDAYS,
                )
            self._past(days)
        return {"scope": scope, "basis": basis, "days": _listed(days)}

    def _rule(self, change: Mapping[str, Any]) -> dict[str, Any]:
        given = change.get("rule")
        if not isinstance(given, Mapping):
            self._refuse(
                "rule", "请填写期限：哪一种、多少、什么单位、依据和起始日。", field="rule_kind"
            )
            return {}
        kind = given.get("kind")
        if not isinstance(kind, str) or kind not in RULES:
            self._refuse("rule_kind", "没有这一种期限。请从列表里选择。", field="rule_kind")
        limit = None
        try:
            limit = Limit.of(given, field="value")
        except Refusal as refusal:
            place = _LIMIT_FIELDS.get(refusal.code, "value")
            self.faults.append(Refusal(refusal.code, refusal.sentence, field=place))
        except (TypeError, ValueError):
            self._refuse("rule", "期限的单位或者数字不对。请重新填写。", field="value")
        if limit is not None and isinstance(kind, str):
            self._beyond_law(kind, limit)
        since = self._since(given.get("since"))
        basis = self._text(given.get("basis"), "basis", "", BASIS, "")
        if since is not None and isinstance(kind, str):
            last = max((one.since for one in self.table.rules if one.kind == kind), default=None)
            if last is not None and since < last:
                self._refuse(
                    "rule_since",
                    f"这一种期限的现行规定从 {last.isoformat()} 起施行，新的不能更早。请改起始日。",
                    field="since",
                )
            elif last == since:
                self._remark("rule_replaced", f"会代替同样从 {since.isoformat()} 起的规定。")
            if since < self.today:
                self._remark("past", "起始日已经过去：在办办件会按新的规定重新推算。")
        if self.faults or limit is None or since is None:
            return {}
        return {
            "rule": {
                "kind": kind, "value": limit.value, "unit": str(limit.unit), "roll": limit.roll,
                "basis": basis, "since": since.isoformat(),
            }
        }  # fmt: skip

    def _beyond_law(self, kind: str, limit: Limit) -> None:
        """What the law sets as the most; only a new law can make it more."""
        law = next((one for one in LAW if one.kind == kind), None)
        if law is None:
            return
        if kind in EXTENSIONS and limit.unit is not Unit.WORKING_DAY:
            self._refuse("extension_unit", "延期以工作日计。请按工作日填写。", field="unit")
        elif limit.most() > Limit(law.value, law.unit).fewest():
            self._remark(
                "beyond_law",
                f"{limit.words()}长于{law.basis}规定的 {Limit(law.value, law.unit).words()}。"
                "只有法律已经修改才可以这样定：请核对依据。",
            )

    def _hours(self, change: Mapping[str, Any]) -> dict[str, Any]:
        scope = self._scope(change.get("scope"), everywhere=True)
        basis = self._basis(change)
        since = self._since(change.get("since"))
        spans = self._spans(change.get("spans"))
        if since is not None and since < self.today:
            self._remark("past", "起始日已经过去：在办办件会按新的作息重新推算。")
        if self.faults or since is None:
            return {}
        return {"scope": scope, "spans": spans, "since": since.isoformat(), "basis": basis}

    def _after_hours(self, change: Mapping[str, Any]) -> dict[str, Any]:
        value = change.get("value")
        if not isinstance(value, str) or value not in AFTER_HOURS:
            self._refuse("after_hours", "请选择非办公时间收到的材料怎样计算。", field="after_hours")
        since = self._since(change.get("since"))
        if since is not None and not self.faults:
            last = max(one for one, _ in self.table.after_hours)
            if since < last:
                self._refuse(
                    "after_hours_since",
                    f"现行规定从 {last.isoformat()} 起施行，新的不能更早。请改起始日。",
                    field="since",
                )
            elif (value == "next_working_day") == late_papers(self.table.after_hours, since):
                self._refuse("no_change", "那时就是这样计算的，没有要修改的。", field="after_hours")
            elif since < self.today:
                self._remark("past", "起始日已经过去：在办办件会按新的规定重新推算。")
        basis = self._basis(change)
        if self.faults or since is None:
            return {}
        return {"value": value, "since": since.isoformat(), "basis": basis}

    # --- pieces ---

    def _text(self, given: object, field: str, code: str, most: int, missing: str) -> str:
        text = given.strip() if isinstance(given, str) else ""
        if not text:
            if missing:
                self._refuse(code, missing, field=field)
        elif len(text) > most:
            self._refuse(
                "too_long", f"最多 {most} 个字，现在有 {len(text)} 个。请缩短。", field=field
            )
        elif not text.isprintable():
            self._refuse("control", "内容里有不可见的控制字符。请删去。", field=field)
        return text

    def _basis(self, change: Mapping[str, Any]) -> str:
        return self._text(
            change.get("basis"), "basis", "no_basis", BASIS, "请写明依据：哪个机关的什么文件。"
        )

    def _since(self, given: object) -> date | None:
        since = as_date(given)
        if since is None or not FIRST_YEAR <= since.year <= LAST_YEAR:
            self._refuse(
                "since",
                f"起始日请填写 {FIRST_YEAR} 到 {LAST_YEAR} 年之间的日期，例如 2027-05-01。",
                field="since",
            )
            return None
        return since

    def _scope(self, given: object, *, everywhere: bool) -> str:
        scope = given if isinstance(given, str) else ""
        kind, _, code = scope.partition(":")
        known = {"region": self.regions, "hall": self.halls}.get(kind, frozenset())
        if not (everywhere and scope == "all") and code not in known:
            self._refuse("scope", "没有这个区域或者大厅。请从列表里选择。", field="scope")
        return scope

    def _days(self, given: object) -> list[Listed]:
        listed = given if isinstance(given, (list, tuple)) else []
        if not listed:
            self._refuse("no_days", NO_DAYS, field="days")
        if len(listed) > MOST_DAYS:
            self._refuse("many_days", f"一次最多 {MOST_DAYS} 天。请核对内容。", field="days")
            return []
        days: list[Listed] = []
        seen: dict[date, bool | None] = {}
        for one in listed:
            row = one if isinstance(one, (list, tuple)) and len(one) == 3 else (None, "", None)
            day, name, off = row
            on = day if isinstance(day, date) else as_date(day)
            if (
                on is None
                or not isinstance(name, str)
                or not (off is None or isinstance(off, bool))
            ):
                self._refuse(
                    "day", f"“{str(day)[:20]}”不是日期，或者没有写休、班。请核对。", field="days"
                )
                continue
            if not FIRST_YEAR - 1 <= on.year <= LAST_YEAR + 1:
                self._refuse("day_far", f"{on.isoformat()} 太远了。请核对年份。", field="days")
                continue
            if on in seen:
                both = seen[on] != off
                self._refuse(
                    "off_and_worked" if both else "day_twice",
                    f"{on.isoformat()} 既写了放假又写了上班。请对照原文改正。"
                    if both
                    else f"{on.isoformat()} 列了两次。请删去一次。",
                    field="days",
                )
                continue
            seen[on] = off
            self._text(name, "days", "", NAME, "")
            days.append((on, name.strip(), off))
        return sorted(days, key=lambda row: row[0])

    def _past(self, days: Sequence[Listed]) -> None:
        past = [day for day, _, _ in days if day < self.today]
        if past:
            self._remark(
                "past",
                f"有 {len(past)} 天已经过去（{_some(past)}）：在办办件会按修改后的日子重新推算，"
                "已经办结的不变。",
            )

    def _spans(self, given: object) -> list[list[str]]:
        listed = given if isinstance(given, (list, tuple)) else []
        if not listed:
            self._refuse("spans", "请填写办公时间，例如 09:00-12:00。", field="spans")
        if len(listed) > MOST_SPANS:
            self._refuse("spans_many", f"一天最多 {MOST_SPANS} 段办公时间。", field="spans")
            return []
        spans: list[tuple[time, time]] = []
        for one in listed:
            pair = one if isinstance(one, (list, tuple)) and len(one) == 2 else (None, None)
            opens, closes = (_clock(part) for part in pair)
            if opens is None or closes is None:
                self._refuse("span", "办公时间请写成 09:00-12:00，用 24 小时制。", field="spans")
                continue
            if closes <= opens:
                self._refuse(
                    "span_reversed",
                    f"{opens:%H:%M}-{closes:%H:%M}：结束不晚于开始。请改正。",
                    field="spans",
                )
                continue
            spans.append((opens, closes))
        for (_, end), (start, _) in itertools.pairwise(spans):
            if start < end:
                self._refuse(
                    "spans_overlap",
                    f"{start:%H:%M} 早于上一段的结束 {end:%H:%M}。请按先后填写，不要重叠。",
                    field="spans",
                )
        return [[f"{opens:%H:%M}", f"{closes:%H:%M}"] for opens, closes in spans]


_LIMIT_FIELDS = {
    "limit.no_unit": "unit", "limit.unit": "unit", "limit.roll": "roll", "limit.no_basis": "basis",
}  # fmt: skip


def _clock(given: object) -> time | None:
    if isinstance(given, str) and re.fullmatch(r"[0-9]{2}:[0-9]{2}", given):
        try:
            return time.fromisoformat(given)
        except ValueError:
            return None
    return None


def spans_of(text: str) -> list[list[str]]:
    """Opening hours as somebody types them: 9:00-12:00、13:30-17:00. What is no span stays in."""
    plain = unicodedata.normalize("NFKC", text)
    found = []
    for part in re.split(r"[,;、\s]+", re.sub(r"\s*(-|—|–|~|至|到)\s*", "-", plain)):
        if part:
            opens, _, closes = part.partition("-")
            found.append([opens.zfill(5), closes.zfill(5)])
    return found[: MOST_SPANS + 1]


def _listed(days: Iterable[Listed]) -> list[list[Any]]:
    return [[day.isoformat(), name, off] for day, name, off in days]


def _some(days: Sequence[date]) -> str:
    shown = "、".join(day.isoformat() for day in days[:3])
    return f"{shown} 等 {len(days)} 天" if len(days) > 3 else shown


# --- what it would change ------------------------------------------------------------------------


def differences(
    change: Mapping[str, Any], timetable: Timetable, *, regions: Sequence[str] = ()
) -> tuple[Difference, ...]:
    """The days that a checked change makes working or off, in order; none for rules and hours.

    regions: the scope's region and those above it.
    """
    if change["kind"] not in ("notice", "overlay"):
        return ()
    kind, _, code = str(change.get("scope", "")).partition(":")
    hall = code if kind == "hall" else None
    within = tuple(regions) or ((code,) if kind == "region" else ())
    before = timetable.at(within, hall).calendar
    after = timetable.changed(change).at(within, hall).calendar
    days = {date.fromisoformat(one[0]) for one in change["days"]}
    if change["kind"] == "notice" and not change["amends"]:
        first = date(int(change["year"]), 1, 1)
        days |= {first + timedelta(days=n) for n in range(366)}
    return tuple(
        Difference(day, after.names.get(day, ""), before.works(day), after.works(day))
        for day in sorted(days)
        if before.works(day) != after.works(day)
    )


def title(change: Mapping[str, Any]) -> str:
    """What a change is, in a few words."""
    kind = str(change.get("kind", ""))
    if kind == "notice":
        year = f"{change.get('year')} 年放假安排"
        return f"修改 {year}" if change.get("amends") else year
    if kind == "rule":
        rule = change.get("rule") or {}
        return f"{RULES.get(str(rule.get('kind')), '')}期限，{rule.get('since')} 起"
    if kind == "hours":
        return f"作息时间，{change.get('since')} 起"
    return KINDS.get(kind, kind)
