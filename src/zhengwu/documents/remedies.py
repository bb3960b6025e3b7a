"""The remedies a decision must name (救济途径), by the law in force on its day.

行政许可法 38(2): a refusal states the right to reconsideration and to sue. Sources: 行政复议法
(1999) 9, (2023, in force 2024-01-01) 20 and 24; 行政诉讼法 (1989) 39, (2014 amendment, in force
2015-05-01) 46.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way against a decision: `since` the day of force, `period` in words, `article`."""

    kind: str
    since: date
    period: str
    article: str


RECONSIDERATION = "reconsideration"
LITIGATION = "litigation"
REMEDIES = (
    Remedy(RECONSIDERATION, date(1999, 10, 1), "六十日", "《中华人民共和国行政复议法》第九条"),
    Remedy(RECONSIDERATION, date(2024, 1, 1), "六十日", "《中华人民共和国行政复议法》第二十条"),
    Remedy(LITIGATION, date(1990, 10, 1), "三个月", "《中华人民共和国行政诉讼法》第三十九条"),
    Remedy(LITIGATION, date(2015, 5, 1), "六个月", "《中华人民共和国行政诉讼法》第四十六条"),
)


def in_force(kind: str, on: date) -> Remedy | None:
    """The remedy of a kind in force on a day; None before there was one."""
    known = [remedy for remedy in REMEDIES if remedy.kind == kind and remedy.since <= on]
    return max(known, key=lambda remedy: remedy.since, default=None)


def sentence(
    on: date, *, organ: str, court: str = "人民法院", paper: str = "决定书", act: str = "决定"
) -> str:
    """The paragraph of a paper dated `on`; organ: who reconsiders (复议机关).

    paper, act: what the paper and what is fought are called (本告知书, 本机关的处理).
    """
    ways = []
    if remedy := in_force(RECONSIDERATION, on):
        ways.append(
            f"自收到本{paper}之日起{remedy.period}内，依据{remedy.article}向{organ}申请行政复议"
        )
    if remedy := in_force(LITIGATION, on):
        ways.append(
            f"自收到本{paper}之日起{remedy.period}内，依据{remedy.article}向{court}提起行政诉讼"
        )
    return f"如不服本{act}，可以{'；也可以'.join(ways)}。" if ways else ""


def plain(on: date, *, organ: str, court: str = "人民法院") -> str:
    """The same for somebody who reads little: whom to go to and how long there is."""
    ways = []
    if remedy := in_force(RECONSIDERATION, on):
        ways.append(f"{_months(remedy.period)}内请{organ}重新审查")
    if remedy := in_force(LITIGATION, on):
        ways.append(f"{_months(remedy.period)}内到{court}起诉")
    return (
        f"不同意的话，从拿到这份文书的第二天算起，可以在{'，或者在'.join(ways)}。" if ways else ""
    )


def _months(period: str) -> str:
    return (
        period.replace("六十日", " 60 天").replace("三个月", " 3 个月").replace("六个月", " 6 个月")
    )
