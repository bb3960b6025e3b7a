"""What a page of statistics is asked (统计口径), read from its address; and addresses that ask on.

`period` is 本月, 上月 … by name or a period as domain.periods reads it; `since` and `until` go before
it. A filter is a code, "-" stands for "not told". Everything that cannot be answered is said at its
field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from zhengwu.accounts.queries import Reach
from zhengwu.desk.audit.views import Day
from zhengwu.domain import periods
from zhengwu.domain.periods import DAY, GRAINS_ZH, Grain, Period
from zhengwu.domain.refusal import Refusal
from zhengwu.statistics import telling
from zhengwu.statistics.asking import FILTERS_ZH, LONGEST, NONE
from zhengwu.statistics.queries import FILTERS, Question
from zhengwu.web.forms import Form, Line
from zhengwu.web.jinja import url

EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
PRESETS: Mapping[str, str] = {
    "month": "本月",
    "last-month": "上月",
    "quarter": "本季度",
    "year": "本年",
    "last-year": "上年",
}
USUAL = "month"


def preset(name: str, today: date) -> Period:
    """The days of a named period; what is not over ends today, so that it is compared with as many
    days before."""
    month = periods.month(today)
    if name == "last-month":
        return month.before()
    if name == "last-year":
        return periods.of(f"{today.year - 1}")
    grain = {"quarter": Grain.QUARTER, "year": Grain.YEAR}.get(name, Grain.MONTH)
    return Period(periods.start_of(today, grain), today)


class Days(Form):
    """The days, where they are written by hand."""

    period = Line(label="期间", required=False)
    since = Day(label="从")
    until = Day(label="到")


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, and the page without it."""

    zh: str
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the way it was written. question: None where it was refused; the form says why.

    given: the parts of an address that ask it again.
    """

    form: Days
    question: Question | None
    given: Mapping[str, str]
    today: date
    chosen: str  # the preset, "" where the days are one's own

    @property
    def period(self) -> Period:
        assert self.question is not None
        return self.question.period

    def to(self, name: str, more: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """The address of another page with the same question, some parts changed or (None) dropped."""
        parts = {**self.given, **(more or {}), **changes}
        kept = {key: str(value) for key, value in parts.items() if value not in (None, "")}
        return url(name) + (f"?{urlencode(kept)}" if kept else "")

    def in_background(self, table: str, more: Mapping[str, str]) -> str:
        """Where the same is ordered as an export in the background; "" where it cannot be asked."""
        question = self.question
        if question is None or "" in question.narrowed.values():
            return ""
        period = {"since": question.period.since, "until": question.period.until}
        parts = {"table": table, **period, **question.narrowed, **more}
        return f"{url('desk:export-new')}?{urlencode(parts)}"

    def refuse(self, refusal: Refusal) -> Asked:
        self.form.refuse(refusal)
        return replace(self, question=None)


def asked(request: HttpRequest, reach: Reach, *, at: date, grain: Grain | None = None) -> Asked:
    """Reads the address. at: today. grain: of a page that cuts time, where none is written."""
    form = Days(request.GET)
    text = request.GET.get("period", "")
    chosen = "" if _days(request.GET) else text if text in PRESETS else "" if text else USUAL
    given = {
        name: value[:LONGEST]
        for name in (*FILTERS, "grain", "by")
        if (value := request.GET.get(name, "")) and value.isprintable()
    }
    if not form.is_valid():
        return Asked(form, None, given, at, chosen)
    found = Asked(form, None, given, at, chosen)
    try:
        period = _period(form, chosen, text, at)
        given |= (
            {"period": chosen}
            if chosen
            else {"since": period.since.isoformat(), "until": period.until.isoformat()}
        )
        question = _narrowed(request.GET, reach, Question(period=period))
        if grain is not None:
            question = replace(question, grain=_grain(request.GET.get("grain", "")) or grain)
        question = question.checked(today=at)
    except Refusal as refusal:
        return found.refuse(refusal)
    return replace(found, question=question)


def _days(data: QueryDict) -> bool:
    return bool(data.get("since", "").strip() or data.get("until", "").strip())


def _period(form: Days, chosen: str, text: str, today: date) -> Period:
    if chosen:
        return preset(chosen, today)
    since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    if since or until:
        since = since or until.replace(day=1)
        period = Period(since, until or max(since, today))
    else:
        period = periods.of(text)
        if not EARLIEST <= period.since <= period.until <= LATEST:
            raise Refusal(
                "period.beyond",
                f"请选择 {EARLIEST.year} 年到 {LATEST.year} 年之间的期间。",
                field="period",
            )
    try:
        period.before(), period.year_before()
    except (Refusal, OverflowError):
        raise Refusal(
            "period.long", "期间太长，没有更早的期间可以比较。请缩短。", field="since"
        ) from None
    return period


def _grain(text: str) -> Grain | None:
    if not text:
        return None
    try:
        return Grain(text)
    except ValueError:
        known = "、".join(GRAINS_ZH.values())
        raise Refusal(
            "statistics.grain", f"没有这种时间粒度。可以按{known}。", field="grain"
        ) from None


def _narrowed(data: QueryDict, reach: Reach, question: Question) -> Question:
    """The question with its filters. Raises Refusal for what cannot be, or is not for this person."""
    found: dict[str, str] = {}
    for name in FILTERS:
        value = data.get(name, "")
        if not value:
            continue
        if len(value) > LONGEST or not value.isprintable() or _surrogate(value):
            raise Refusal(
                "statistics.filter", f"“{FILTERS_ZH[name]}”这个条件看不懂。请去掉它。", field=name
            )
        found[name] = "" if value == NONE else value
    kind = found.get("kind")
    if kind and kind not in telling.KINDS:
        raise Refusal(
            "statistics.filter", "没有这种办件类型。请从“办件类型”表里点选。", field="kind"
        )
    agency = found.get("agency")
    if agency and not (reach.everything or reach.halls or agency in reach.agencies):
        raise Refusal(
            "statistics.filter",
            "没有这个机关，或者不在您的范围内。请去掉这个条件。",
            field="agency",
        )
    return replace(question, **found)  # type: ignore[arg-type]


def _surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def chips(asked: Asked, page: str) -> tuple[Chip, ...]:
    """The filters in words, each with the same page without it; a query for each kind of name."""
    question = asked.question
    if question is None:
        return ()
    found = []
    narrowed = question.narrowed
    for name, value in narrowed.items():
        if name == "window" and "hall" in narrowed:
            key = (narrowed["hall"], value)
            label = telling.names([key], replace(question, by="window")).label("window", key)
        elif name == "hall" and "window" in narrowed:
            continue  # told with its window
        elif name == "unit":
            label = value or telling.NOT_TOLD
        elif name == "window":
            label = value
        else:
            label = telling.names([(value,)], replace(question, by=name)).label(name, (value,))
        gone = {name: None} | ({"hall": None} if name == "window" else {})
        found.append(Chip(FILTERS_ZH[name], label, asked.to(page, gone)))
    return tuple(found)


def trend_period(period: Period) -> Period:
    """The twelve months that end with the month of its last day."""
    last = periods.month(period.until)
    first = last.since
    for _ in range(11):
        first = periods.month(first - DAY).since
    return Period(first, period.until if period.until < last.until else last.until)


def presets(asked: Asked, page: str, more: Mapping[str, Any]) -> tuple[tuple[str, str, bool], ...]:
    """(name, address, whether it is this one) of every period with a name."""
    none = {"since": None, "until": None}
    return tuple(
        (zh, asked.to(page, {**more, **none, "period": code}), asked.chosen == code)
        for code, zh in PRESETS.items()
    )


__all__ = [
    "PRESETS", "Asked", "Chip", "Days", "asked", "chips", "preset", "presets", "trend_period",
]  # fmt: skip
