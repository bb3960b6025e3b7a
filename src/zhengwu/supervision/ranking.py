"""Ranking (排名) and score sheets (得分表) of departments, districts, windows and people.

A ranking takes the tallies of findings (`supervision.tally`) and the figures of statistics, month by
month; a sheet reads the findings themselves. Both end in `domain.scoring`, so that they cannot differ. A finding counts in the month of
its lawful instant as long as it counts at all; figures are those of statistics.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Reach
from zhengwu.calendars import queries as calendars
from zhengwu.catalog import promises
from zhengwu.domain import periods, scoring
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.periods import DAY, Grain, Period
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import BEGAN, Rulebook
from zhengwu.domain.scoring import Figures, Mark, Sheet, Table
from zhengwu.halls import queries as halls
from zhengwu.statistics import queries as statistics
from zhengwu.statistics import standing
from zhengwu.statistics.queries import EVERYWHERE, Question
from zhengwu.supervision import rulebooks, tally

ACT, PEOPLE = "supervise.see", "statistics.people"
Key = tuple[str, ...]


class Ranked(NamedTuple):
    """What is ranked (排名对象). columns: of findings; public: shown without names of people."""

    zh: str
    columns: tuple[str, ...]
    finished_zh: str = "办结"


BY: Mapping[str, Ranked] = {
    "agency": Ranked("部门", ("agency",)),
    "district": Ranked("区", ("region",)),
    "window": Ranked("窗口", ("hall", "window")),
    "person": Ranked("人员", ("agency", "person"), "经办"),
}
PLACED = frozenset({"window", "person"})  # (hall, window), (agency, person)
# Published, so whoever may see supervision at all sees all of them; the sheets stay within reach.
PUBLISHED = frozenset({"agency", "district"})


@dataclass(frozen=True, slots=True)
class Span:
    """A month, quarter, half-year or year that is ranked, and those of its months that have figures."""

    code: str
    period: Period
    months: tuple[date, ...]
    running: bool

    @property
    def zh(self) -> str:
        if self.code[5:6] == "H":
            return f"{self.code[:4]} 年{'上' if self.code[6:] == '1' else '下'}半年"
        return self.period.zh


def span(text: str, *, today: date) -> Span:
    """2026-10, 2026-Q3, 2026-H1, 2026; the last month that is over where nothing is written.

    Raises Refusal: `ranking.period`, `ranking.future`.
    """
    period = _period(text.strip(), today)
    if period.since > today:
        raise Refusal(
            "ranking.future",
            f"这段时间还没有到（今天是 {today.isoformat()}），没有排名。请选择已经开始的期间。",
            field="period",
        )
    begins = standing.begins() or period.since
    months = tuple(
        one.since
        for one in period.cut(Grain.MONTH)
        if begins <= one.since <= today
    )  # fmt: skip
    return Span(_code(period), period, months, period.until >= today)


def _period(text: str, today: date) -> Period:
    if not text:
        return periods.month(today.replace(day=1) - DAY)
    try:
        if len(text) == 7 and text[4:6] == "-H" and text[6] in "12":
            first = date(int(text[:4]), 1 if text[6] == "1" else 7, 1)
            return Period(first, periods.month(first + timedelta(days=160)).until)
        found = periods.of(text) if len(text) <= 7 else None
    except (Refusal, ValueError):
        found = None
    if found is None or found.whole_months not in (1, 3, 12):
        raise Refusal(
            "ranking.period",
            "看不懂这个期间。请写成 2026-10、2026-Q3、2026-H1 或者 2026。",
            field="period",
        )
    return found


def _code(period: Period) -> str:
    year, first = period.since.year, period.since.month
    match period.whole_months:
        case 1:
            return f"{year}-{first:02}"
        case 3:
            return f"{year}-Q{first // 3 + 1}"
        case 6:
            return f"{year}-H{first // 6 + 1}"
    return str(year)


# --- the tables in force -----------------------------------------------------------------------------


def table(book: Rulebook, month: date) -> Table:
    """The table in force on the first day of a month; it holds for the whole month."""
    given = book.setting(scoring.KIND, month)
    return scoring.of_data(given) if given is not None else scoring.SHIPPED


def sourced(book: Rulebook, month: date) -> frozenset[str]:
    """The parts that a rule in force in a month, or a figure, can take points from."""
    last = periods.month(month).until
    fed = {one.scored for day in (month, last) for one in book.on(day) if one.scored}
    return frozenset(fed | {scoring.INCOMPLETE_PART})


# --- ranking -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A unit in a ranking. rank: None where it is not ranked; score: thousandths, the mean of the
    months in which it had something; sheets: by month."""

    key: Key
    rank: int | None
    score: int
    grade: str
    finished: int
    sheets: Mapping[date, Sheet]

    def times(self, cause: str) -> int:
        return sum(one.times(cause) for one in self.sheets.values())

    @property
    def lost(self) -> int:
        return sum(one.lost for one in self.sheets.values())

    @property
    def bonus(self) -> int:
        return sum(one.bonus for one in self.sheets.values())


@dataclass(frozen=True, slots=True)
class Ranking:
    """A ranking. rows: by rank; small: with too few finished cases to be compared, by score."""

    by: str
    span: Span
    rows: tuple[Row, ...]
    small: tuple[Row, ...]
    least: int
    table: Table
    unsourced: tuple[str, ...]


def ranking(reach: Reach, by: str, span: Span, *, at: datetime, district: str = "") -> Ranking:
    """Who stands where. Published kinds are told of everybody, the others within reach.

    district: only units of a region. Raises Refusal: `ranking.by`.
    """
    if by not in BY:
        known = "、".join(BY)
        raise Refusal("ranking.by", f"没有“{by[:20]}”的排名。可以用：{known}。", field="by")
    book = rulebooks.now()
    tables = {month: table(book, month) for month in span.months}
    belongs = _of_district(by, district)
    figures = _figures(reach, by, span.months, at)
    counts = _counts(reach, by, tables)
    rows = [one for one in _rows(book, tables, figures, counts) if belongs(one.key)]
    newest = tables[span.months[-1]] if span.months else table(book, span.period.since)
    rows.sort(key=lambda one: (-_shown(one.score), -one.finished, one.key))
    large = [one for one in rows if one.finished >= newest.least]
    placed: list[Row] = []
    for nth, one in enumerate(large, 1):
        same = placed and _shown(placed[-1].score) == _shown(one.score)
        rank = placed[-1].rank if same else nth
        placed.append(Row(one.key, rank, one.score, one.grade, one.finished, one.sheets))
    last = span.months[-1] if span.months else span.period.since
    fed = sourced(book, last)
    return Ranking(
        by, span, tuple(placed), tuple(one for one in rows if one.finished < newest.least),
        newest.least, newest, tuple(code for code in newest.weights if code not in fed),
    )  # fmt: skip


def _shown(score: int) -> int:
    """As it is told, in hundredths: what looks equal is equal."""
    return (score + 5) // 10


def _rows(
    book: Rulebook, tables: Mapping[date, Table],
    figures: Mapping[tuple[Key, date], Figures],
    counts: Mapping[tuple[Key, date], dict[tuple[str, str], int]],
) -> list[Row]:  # fmt: skip
    fed = {month: sourced(book, month) for month in tables}
    made: dict[Any, Sheet] = {}  # most units have nothing to tell, and the same of it
    rows = []
    for key in sorted({key for key, _ in figures} | {key for key, _ in counts}):
        unit = "/".join(key)
        sheets = {}
        finished = 0
        for month in tables:
            figure = figures.get((key, month))
            count = counts.get((key, month))
            if count is None and (figure is None or not figure.finished):
                continue
            figure, count = figure or Figures(), count or {}
            finished += figure.finished
            rules = tables[month]
            like = (
                month, tuple(sorted(count.items())), figure.early_percent,
                figure.incomplete_percent, figure.promise,
                rules.coefficients.get(unit, rules.coefficient),
            )  # fmt: skip
            sheet = made.get(like)
            if sheet is None:
                sheet = made[like] = scoring.score(
                    count, figure, rules, sourced=fed[month], unit=unit
                )
            sheets[month] = sheet
        mean = scoring.mean([one.score for one in sheets.values()])
        if mean is not None:
            grade = tables[max(sheets)].grade(mean)
            rows.append(Row(key, None, mean, grade, finished, sheets))
    return rows


# --- figures -----------------------------------------------------------------------------------------


def _figures(
    reach: Reach, by: str, months: Sequence[date], at: datetime, *, only: Key = ()
) -> dict[tuple[Key, date], Figures]:
    """What is counted of each unit and month. only: of one unit."""
    if not months:
        return {}
    asked = Period(months[0], periods.month(months[-1]).until)
    if by == "person":
        return _people(reach, asked, only)
    narrowed: dict[str, Any] = dict(zip(_FILTERS[by], only, strict=True)) if only else {}
    inside = None if by in PUBLISHED or only or reach.everything else _windows(reach)
    question = Question(period=asked, by=None if only else by, grain=Grain.MONTH, **narrowed)
    found = {}
    shorter = _promises(by, months)
    for row in statistics.figures(EVERYWHERE, question, at=at, held=False):
        key, month = only or row.key, row.period.since
        if not all(key) or (inside is not None and key not in inside):
            continue
        figure = Figures(
            finished=row["closed"], judged=row["on_time"] + row["late"], early=row["early"],
            incomplete=row["unjudged"], promise=shorter(key, month),
        )  # fmt: skip
        if figure.finished:
            found[key, month] = figure
    return found


_FILTERS: Mapping[str, tuple[str, ...]] = {
    "agency": ("agency",), "district": ("district",), "window": ("hall", "window"),
}  # fmt: skip


def _promises(by: str, months: Iterable[date]) -> Callable[[Key, date], int | None]:
    """How far a unit's promises shorten the law's limits, on the first day of a month."""
    if by not in PUBLISHED:
        return lambda key, month: None
    held = promises.shortened(months)

    def of(key: Key, month: date) -> int | None:
        found = held[month].agencies if by == "agency" else held[month].regions
        one = found.get(key[0])
        return one.percent if one else None

    return of


def _people(reach: Reach, asked: Period, only: Key) -> dict[tuple[Key, date], Figures]:
    """What people did, as often; whose cases ended early or incomplete is not counted by person."""
    allowed = statistics.replace_halls(reach)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.agency, f.person, date_trunc('month', f.start)::date,"
            " sum(f.received + f.accepted + f.not_accepted + f.steps + f.granted + f.refused"
            " + f.delivered)::bigint FROM statistics_person f"
            " WHERE f.start BETWEEN %(since)s AND %(until)s"
            " AND (%(everything)s OR f.agency = ANY(%(agencies)s::text[]))"
            " AND (%(person)s = '' OR f.person = %(person)s AND f.agency = %(agency)s)"
            " GROUP BY 1, 2, 3",
            {
                "since": asked.since, "until": asked.until, "everything": allowed.everything,
                "agencies": sorted(allowed.agencies),
                "agency": only[0] if only else "", "person": only[1] if only else "",
            },
        )  # fmt: skip
        return {
            ((agency, person), month): Figures(finished=many)
            for agency, person, month, many in cursor.fetchall()
            if many
        }


# --- findings ----------------------------------------------------------------------------------------


def _counts(
    reach: Reach, by: str, tables: Mapping[date, Table], *, only: Key = ()
) -> dict[tuple[Key, date], dict[tuple[str, str], int]]:
    """How often each cause is counted of each unit and month, from the tallies."""
    if not tables:
        return {}
    where, parameters = _within(reach, by, only)
    months = sorted(tables)
    parameters |= {"by": by, "first": months[0], "last": months[-1]}
    with connection.cursor() as cursor:
        cursor.execute(_TALLIES + where, parameters)
        rows = cursor.fetchall()
    nth = _numbers(months)
    found: dict[tuple[Key, date], dict[tuple[str, str], int]] = {}
    for place, unit, month, told in rows:
        counts: dict[tuple[str, str], int] = {}
        run = tables[month].run
        for part, sums in orjson.loads(told).items():
            for cause, many in sums.items():
                if cause != "warning":
                    counts[part, cause] = many
                elif sum(many.values()) >= run.size:
                    days = sorted((nth[month][int(day) - 1], n) for day, n in many.items())
                    if full := scoring.full_runs(days, run):
                        counts[part, "run"] = full
        found[(place, unit) if by in PLACED else (unit,), month] = counts
    return found


_TALLIES = (
    "SELECT t.place, t.unit, t.month, t.counts::text FROM supervision_tally t"
    ' WHERE t."by" = %(by)s AND t.month BETWEEN %(first)s AND %(last)s'
)


def _within(reach: Reach, by: str, only: Key) -> tuple[str, dict[str, Any]]:
    """The condition of a reach on tallies, or of one unit, with AND before it."""
    if only:
        place, unit = only if by in PLACED else ("", only[0])
        return " AND t.place = %(place)s AND t.unit = %(unit)s", {"place": place, "unit": unit}
    if by in PUBLISHED or reach.everything:
        return "", {}
    if by == "person":
        return " AND t.place = ANY(%(places)s::text[])", {
            "places": sorted(statistics.replace_halls(reach).agencies)
        }
    within = sorted(_windows(reach))
    return (
        " AND (t.place, t.unit) IN (SELECT * FROM unnest(%(places)s::text[], %(units)s::text[]))",
        {"places": [one for one, _ in within], "units": [one for _, one in within]},
    )


def _windows(reach: Reach) -> set[tuple[str, str]]:
    """The windows of the halls and agencies within reach."""
    return {
        (one.hall, one.code)
        for one in halls.windows_in([one.code for one in halls.halls()])
        if one.hall in reach.halls or one.agency in reach.agencies
    }


def _numbers(months: Sequence[date]) -> dict[date, list[int]]:
    """The working-day numbers of the days of each month."""
    nth = working()
    return {
        month: [nth(month + DAY * n) for n in range(periods.month(month).days)] for month in months
    }


def _of_district(by: str, district: str) -> Callable[[Key], bool]:
    """Whether a unit belongs to a district; all do where none is asked for."""
    if not district:
        return lambda key: True
    if by == "district":
        return lambda key: key[0] == district
    if by == "window":
        inside = {one.code for one in halls.halls() if one.region == district}
    else:
        inside = {one.code for one in accounts.agencies(district)}
    return lambda key: key[0] in inside


def working() -> Callable[[date], int]:
    """How many working days of the city there are up to and including a day."""
    return _working(calendars.edition().calendar)


def _working(calendar: Calendar) -> Callable[[date], int]:
    def nth(day: date) -> int:
        if calendar.reaches(day):
            return calendar.working_days_between(BEGAN, day)
        return day.toordinal()  # no calendar of that year: every day is one

    return nth


# --- one unit ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding of a sheet, as it is listed."""

    id: UUID
    rule: str
    rule_name: str
    level: str
    number: str
    item_name: str
    agency: str
    at: datetime
    part: str

    @property
    def mark(self) -> Mark:
        return Mark(self.id, self.part, self.level, self.at.astimezone(SHANGHAI).date())


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit's sheet of a month with what is behind each entry. listed: by (part, cause);
    warned: warnings that make no full run, by part."""

    key: Key
    month: date
    table: Table
    figures: Figures
    sheet: Sheet
    listed: Mapping[tuple[str, str], tuple[Seen, ...]]
    warned: Mapping[str, tuple[Seen, ...]]


def openable(reach: Reach, by: str) -> Callable[[Key], bool]:
    """Whether a unit's own sheet is within reach; what it needs to know is fetched once."""
    if reach.everything:
        return lambda key: True
    if by == "agency":
        return lambda key: key[0] in reach.agencies
    if by == "district":
        below: dict[str, set[str]] = defaultdict(set)
        for one in accounts.agencies():
            below[one.region].add(one.code)
        return lambda key: bool(below[key[0]]) and below[key[0]] <= reach.agencies
    if by == "window":
        inside = _windows(reach)
        return lambda key: key in inside
    allowed = statistics.replace_halls(reach).agencies
    return lambda key: key[0] in allowed


def may_open(reach: Reach, by: str, key: Key) -> bool:
    """Whether a unit's own sheet is within reach."""
    return openable(reach, by)(key)


def scored(reach: Reach, by: str, key: Key, month: date, *, at: datetime) -> Scored | None:
    """The sheet of a unit and month with its findings; None where it had nothing, or is not within
    reach."""
    if not may_open(reach, by, key):
        return None
    book = rulebooks.now()
    rules = table(book, month)
    figures = _figures(EVERYWHERE, by, (month,), at, only=key).get((key, month), Figures())
    seen = {one.id: one for one in _seen(by, key, month)}
    if not figures.finished and not seen:
        return None
    behind = scoring.behind((one.mark for one in seen.values()), rules, working=working())
    sheet = scoring.score(
        scoring.counts(behind, rules), figures, rules, sourced=sourced(book, month),
        unit="/".join(key),
    )  # fmt: skip
    listed = {cause: tuple(seen[mark.id] for mark in marks) for cause, marks in behind.items()}
    used = {one.id for (_, cause), found in listed.items() if cause == "run" for one in found}
    warned: dict[str, list[Seen]] = defaultdict(list)
    for one in seen.values():
        if one.level == "warning" and one.id not in used:
            warned[one.part].append(one)
    left = {part: tuple(found) for part, found in warned.items()}
    return Scored(key, month, rules, figures, sheet, listed, left)


def _seen(by: str, key: Key, month: date) -> list[Seen]:
    since, until = tally.bounds(month)
    same = " AND ".join(f'f."{one}" = %s' for one in BY[by].columns)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.id, f.rule, f.rule_name, f.level, f.number, f.item_name, f.agency, f.at,"  # noqa: S608 - constants
            f" f.scored FROM supervision_finding f WHERE f.at >= %s AND f.at < %s AND {tally.SCORED}"
            f" AND {same} ORDER BY f.at, f.id",
            [since, until, *key],
        )
        return [Seen(*row) for row in cursor.fetchall()]


def history(
    reach: Reach, by: str, key: Key, months: Sequence[date], *, at: datetime
) -> Mapping[date, Sheet]:
    """A unit's sheets of several months, without their findings; empty where it is not within reach."""
    if not may_open(reach, by, key):
        return {}
    book = rulebooks.now()
    tables = {month: table(book, month) for month in months}
    rows = _rows(
        book, tables, _figures(EVERYWHERE, by, months, at, only=key),
        _counts(EVERYWHERE, by, tables, only=key),
    )  # fmt: skip
    return rows[0].sheets if rows else {}


__all__ = [
    "ACT", "BY", "PEOPLE", "PUBLISHED", "Key", "Ranked", "Ranking", "Row", "Scored", "Seen", "Span",
    "history", "may_open", "openable", "ranking", "scored", "sourced", "span", "table", "working",
]  # fmt: skip
