"""Clock, time ledger and calendar as text for a terminal (命令行表格)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from zhengwu.calendars.api import BetweenAnswer, DayAnswer, EndAnswer
from zhengwu.cases.api import ClockAnswer, ProcessAnswer, TimeLedgerAnswer, WholeAnswer
from zhengwu.domain.calendar import END_OF_DAY
from zhengwu.domain.edition import Notice
from zhengwu.domain.procedure import UNITS_ZH, Unit
from zhengwu.domain.reading import NAMES, STATES_ZH, LimitState
from zhengwu.web.answering import Line

MET = {True: "按时", False: "超期", None: ""}


def clock(answer: ClockAnswer) -> list[str]:
    """What the clock says, limit by limit, then why."""
    seen = "全部记载" if answer.known is None else f"事件账到第 {answer.known} 号为止"
    told = [
        f"{answer.number}  {_moment(answer.at)}  {seen}  历法第 {answer.edition} 版",
        f"{answer.light.text}　{STATES_ZH[LimitState(answer.state)]}"
        + (f"　{answer.waiting}" if answer.waiting else "")
        + (f"　当前期限：{NAMES.get(answer.pressing, answer.pressing)}" if answer.pressing else ""),
    ]
    if not answer.limits:
        return [*told, "没有期限。"]
    rows = [
        (
            one.name,
            STATES_ZH[LimitState(one.state)],
            one.start,
            _moment(one.due) + ("（暂定）" if one.provisional else ""),
            f"{one.value}{f'+{one.extra}' if one.extra else ''} {UNITS_ZH[Unit(one.unit)]}",
            str(one.used),
            str(one.left),
            MET[one.met],
        )
        for one in answer.limits
    ]
    told += ["", *table(("期限", "状态", "起算", "届满", "长度", "已用", "剩余", ""), rows)]
    for one in answer.limits:
        told += ["", f"{one.name}：推导", *_why(one.lines)]
    return told


def time_ledger(answer: TimeLedgerAnswer) -> list[str]:
    """The parts, their sum, and the hand-overs."""
    told = [
        f"{answer.number}  {_moment(answer.start)} 至 {_moment(answer.until)}"
        + ("" if answer.end else "（在办）"),
        "",
    ]
    parts: list[tuple[str, ...]] = [
        (one.who, one.charged_who, str(one.count), *_spans(one)) for one in answer.parts
    ]
    head = ("归属", "计入", "次数", "办公时间", "其余时间", "合计")
    told += table(head, [*parts, ("全程", "", "", *_spans(answer.whole))])
    if answer.handovers:
        rows = [
            (
                one.giver_who,
                one.taker_who,
                _moment(one.start),
                _moment(one.end) if one.end else "途中",
                *_spans(one),
            )
            for one in answer.handovers
        ]
        ways = ("移交人", "接收人", "交出", "接收", "办公时间", "其余时间", "合计")
        told += ["", *table(ways, rows)]
    return told


def process(answer: ProcessAnswer) -> list[str]:
    """Activities, what followed what, the ten commonest ways, departures, the published steps."""

    def length(seconds: int | None) -> str:
        return "—" if seconds is None else _length(seconds)

    period = ""
    if answer.first and answer.last:
        period = f"，{_moment(answer.first)} 至 {_moment(answer.last)}"
    told = [
        f"{answer.cases:,} 件，{answer.events:,} 次，{len(answer.nodes)} 种活动，"
        f"{len(answer.variants):,} 种走法{period}；"
        f"全程中位数 {length(answer.seconds.median)}，办公时间 {length(answer.seconds.office_median)}"
    ]
    if not answer.cases:
        return ["没有符合条件的办件。"]
    nodes = [
        (
            one.activity,
            *(f"{n:,}" for n in (one.count, one.cases, one.starts, one.ends, one.departing)),
        )
        for one in answer.nodes
    ]
    told += ["", *table(("活动", "次数", "件数", "开始", "结束", "偏离"), nodes)]
    edges = [
        (
            f"{one.source} → {one.target}", f"{one.count:,}", f"{one.departing:,}",
            length(one.seconds.median), length(one.seconds.office_median),
        )
        for one in answer.edges
    ]  # fmt: skip
    told += ["", *table(("先后", "次数", "偏离", "中位数", "办公时间中位数"), edges)]
    ways = [
        (
            f"{one.count:,}", f"{one.share * 100:.1f}%", length(one.seconds.median),
            " → ".join(one.activities),
        )
        for one in answer.variants[:10]
    ]  # fmt: skip
    told += ["", *table(("件数", "占比", "全程中位数", "走法（最多的十种）"), ways)]
    if answer.departures:
        rows = [(f"{one.count:,}", f"{one.cases:,}", one.says) for one in answer.departures]
        told += ["", *table(("次数", "件数", "偏离"), rows)]
    if answer.steps:
        steps = [
            (
                one.name, one.limit, f"{one.cases:,}", f"{one.done:,}", f"{one.skipped:,}",
                f"{one.returned:,}", length(one.seconds.median), length(one.seconds.office_median),
            )
            for one in answer.steps
        ]  # fmt: skip
        head = ("公布的环节", "期限", "接办件数", "办结", "没有办结", "退回", "中位数", "办公时间")
        told += ["", *table(head, steps)]
    return told


def days(found: Iterable[DayAnswer]) -> list[str]:
    rows = [
        (
            one.date,
            "上班" if one.working else "休息",
            one.why + ("（暂定）" if one.provisional else ""),
            one.notice or "",
        )
        for one in found
    ]
    return table(("日期", "", "原因", "依据"), rows)


def end(answer: EndAnswer) -> list[str]:
    provisional = "（暂定：国务院尚未公布有关年份的放假安排）" if answer.provisional else ""
    return [f"{_moment(answer.due)}{provisional}", *_why(answer.lines)]


def between(answer: BetweenAnswer) -> list[str]:
    provisional = "（暂定）" if answer.provisional else ""
    return [f"{answer.working_days} 个工作日，共 {answer.days} 天{provisional}"]


def notice(one: Notice) -> dict[str, Any]:
    """A notice as plain values; off: true rest, false work, null as the week has it."""
    days = [{"day": day.isoformat(), "name": name, "off": off} for day, name, off in one.days]
    return {"year": one.year, "amends": one.amends, "source": one.source, "days": days}


def notices(found: Iterable[Notice]) -> list[str]:
    rows = [
        (str(one.year), "修改" if one.amends else "公布", f"{len(one.days)} 天", one.source)
        for one in found
    ]
    return table(("年份", "", "列明", "来源"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns under their heads; a Chinese letter is two columns wide."""
    widths = [max(_width(row[place]) for row in (head, *rows)) for place in range(len(head))]
    return [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in (head, *rows)
    ]


def _why(lines: Iterable[Line]) -> list[str]:
    return [f"  {one.text}" + (f"　〔{one.article}〕" if one.article else "") for one in lines]


def _spans(one: WholeAnswer) -> tuple[str, str, str]:
    return _length(one.office_seconds), _length(one.rest_seconds), _length(one.seconds)


def _length(seconds: int) -> str:
    span = timedelta(seconds=seconds)
    hours, rest = divmod(span, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    return f"{hours}:{minutes:02}:{rest.seconds:02}"


def _moment(text: str) -> str:
    """2026-11-23 17:00; the end of a day is 24:00."""
    moment = datetime.fromisoformat(text)
    if moment.time() == END_OF_DAY:
        return f"{moment:%Y-%m-%d} 24:00"
    return f"{moment:%Y-%m-%d %H:%M}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
