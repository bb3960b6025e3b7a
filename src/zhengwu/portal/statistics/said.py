"""Figures in words for citizens (统计的话): sentences and signs, from rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from zhengwu.domain.measuring import BY_CODE, HANDS
from zhengwu.domain.periods import Period
from zhengwu.portal.statistics.few import FEW, Hidden
from zhengwu.statistics.queries import Compared, Row, Spread

DAY_SECONDS = 86_400
YEAR = 366  # days: a longer period overlaps with the same one a year earlier


class Figure(NamedTuple):
    """One key figure (主要指标): its name, number, unit, what it compares with or consists of."""

    name: str
    number: str
    unit: str
    note: str = ""


class Hand(NamedTuple):
    """In whose hands the time went (时间去向). days: of 24 hours, of a case on the average."""

    code: str
    name: str
    days: float
    share: float


def percent(share: float | None, *, digits: int = 1) -> str:
    """98.7%; 100% only where it is all, 0% only where it is nothing."""
    if share is None:
        return "—"
    text = f"{share * 100:.{digits}f}"
    if float(text) == 100 and share < 1:
        text = f"{100 - 10**-digits:.{digits}f}"
    elif float(text) == 0 and share > 0:
        text = f"{10**-digits:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def days(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}".removesuffix(".0")


def count(number: int | None, hidden: Hidden, code: str, *, fewest: int) -> str:
    """A count as it is shown; what is not told says why."""
    if code in hidden:
        return f"少于 {fewest}" if hidden.why[code] == FEW else "不公布"
    return "—" if number is None else f"{number:,}"


def before_zh(period: Period) -> tuple[str, str]:
    """What the period before and the year before are called beside it: 上月, 上年同月."""
    return {
        1: ("上月", "上年同月"), 3: ("上季度", "上年同季度"), 12: ("上年", "上年"),
    }.get(period.whole_months, ("前一段", "上年同期"))  # fmt: skip


def change(now: int, before: int) -> str:
    """多 5.2%, 少 1%, 一样多; nothing where there was nothing to compare with."""
    if before == 0:
        return ""
    if now == before:
        return "一样多"
    return f"{'多' if now > before else '少'} {percent(abs(now - before) / before)}"


def compared(one: Compared, code: str, period: Period) -> str:
    """比上月多 5.2%，比上年同月少 1%."""
    earlier, year = before_zh(period)
    parts = []
    for name, row in ((earlier, one.before), (year, one.year_before)):
        if row is one.year_before and (earlier == year or period.days > YEAR):
            continue
        if said := change(one.now[code], row[code]):
            parts.append(f"和{name}{said}" if said == "一样多" else f"比{name}{said}")
    return "，".join(parts)


def sentences(
    one: Compared, spread: Spread, *, whole: str, ongoing: bool, hidden: Hidden
) -> list[str]:
    """The period in four sentences. whole: of whom (全市, 水务局); ongoing: it is not over yet."""
    row, period = one.now, one.now.period
    when = f"{period.zh}到现在" if ongoing else period.zh
    if hidden.why:
        return [f"{when}，{whole}的办件很少，有的数字不公布，免得一两件办件被认出来。"]
    if not (row["received"] or row["closed"] or row.open):
        return [f"{when}，{whole}没有办件。"]
    said = [_in_and_out(one, when, whole, ongoing=ongoing)]
    if row["closed"]:
        said.append(_kept(row))
        if row["timed"]:
            said.append(_how_long(row, spread))
    end = "现在" if ongoing else "期末"
    overdue = f"，其中 {row.overdue:,} 件已经超过期限" if row.overdue else "，没有超过期限的"
    said.append(f"{end}在办 {row.open:,} 件" + (overdue if row.open else "") + "。")
    return said


def _in_and_out(one: Compared, when: str, whole: str, *, ongoing: bool) -> str:
    row, period = one.now, one.now.period
    parts = [f"{when}，{whole}收到申请 {row['received']:,} 件"]
    # A month of which only some days are over is no more and no less than a whole one.
    if not ongoing and (more := compared(one, "received", period)):
        parts.append(more)
    parts.append(f"办结 {row['closed']:,} 件")
    if not ongoing and (more := compared(one, "closed", period)):
        parts.append(more)
    return "，".join(parts) + "。"


def _kept(row: Row) -> str:
    judged = row["on_time"] + row["late"]
    claimed = row["claim_on_time"] + row["claim_late"]
    if judged:
        late = f"，{row['late']:,} 件超期" if row["late"] else "，没有超期的"
        return (
            f"能评判的 {judged:,} 件里，{percent(row.on_time_share)} 按时办结"
            f"（其中提前 1 个工作日以上的占 {percent(row.early_share)}）{late}。"
        )
    if claimed:
        share = row["claim_on_time"] / claimed
        return (
            "这些办件由其他系统报送，没有报来法定期限和承诺期限，本平台不评判；"
            f"按来源系统自报的期限，{claimed:,} 件里 {percent(share)} 按时。"
        )
    return "这些办件由其他系统报送，没有报来期限，本平台不评判是否按时。"


def _how_long(row: Row, spread: Spread) -> str:
    half, most = spread.percentile(0.5), spread.percentile(0.9)
    told = f"平均 {days(row.mean_days)} 个工作日办完"
    if half is not None and most is not None:
        told += f"；一半在 {half} 个工作日以内，九成在 {most} 个工作日以内"
    return told + "，依法扣除的时间（专家评审、检验、听证等）不算。"


def hands(row: Row) -> tuple[Hand, ...]:
    """The whole time of the closed cases by hands, the most first; those with nothing are left out."""
    closed, elapsed = row["closed"], row["elapsed"]
    if not closed or not elapsed:
        return ()
    found = [
        Hand(code, BY_CODE[code].zh, row[code] / closed / DAY_SECONDS, row[code] / elapsed)
        for code in HANDS
        if row[code]
    ]
    return tuple(sorted(found, key=lambda one: -one.share))


def whole_days(row: Row) -> float | None:
    """Of a closed case on the average, from receipt to close, in days of 24 hours."""
    return row["elapsed"] / row["closed"] / DAY_SECONDS if row["closed"] else None


def figures(one: Compared, hidden: Hidden, *, fewest: int, ongoing: bool) -> Sequence[Figure]:
    """The key figures as tiles."""
    row, period = one.now, one.now.period

    def number(code: str, value: int | None) -> str:
        return count(value, hidden, code, fewest=fewest)

    def note(code: str) -> str:
        return "" if ongoing or code in hidden else compared(one, code, period)

    shown = row.on_time_share is not None and "on_time_share" not in hidden
    return (
        Figure("收件", number("received", row["received"]), "件", note("received")),
        Figure("办结", number("closed", row["closed"]), "件", note("closed")),
        Figure(
            "按时办结率",
            percent(row.on_time_share) if shown else "—",
            "",
            f"超期 {row['late']:,} 件" if shown else "没有可以评判的",
        ),
        Figure(
            "平均办理",
            days(row.mean_days) if "mean_days" not in hidden else "—",
            "个工作日",
            "从受理到决定",
        ),
        Figure(
            "现在在办" if ongoing else "期末在办",
            number("open", row.open),
            "件",
            f"已超期 {row.overdue:,} 件"
            if row.overdue is not None and "overdue" not in hidden
            else "",
        ),
    )
