"""Ranking (排名) and score sheets (得分表) of departments, districts, windows and people.

A ranking takes the tallies of findings (`supervision.tally`) and the months of statistics
(`statistics.workload`); a sheet reads the findings themselves. Both end in `domain.scoring`, so that
they cannot differ. A finding counts in the month of its lawful instant as long as it counts at all;
figures are those of statistics.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
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
from zhengwu.statistics import standing, workload
from zhengwu.statistics.queries import EVERYWHERE
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


@dataclass(slots=True)
class Row:
    """A unit in a ranking. rank: None where it is not ranked; score: thousandths, the mean of the
    months in which it had something. Its sheets are put together when they are asked for."""

    key: Key
    rank: int | None
    score: int
    grade: str
    finished: int
    draw: Callable[[], Mapping[date, Sheet]] = field(repr=False, compare=False)
    _drawn: Mapping[date, Sheet] | None = field(default=None, repr=False, compare=False)

    @property
    def sheets(self) -> Mapping[date, Sheet]:
        """By month."""
        if self._drawn is None:
            self._drawn = self.draw()
        return self._drawn

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


def ranking(reach: Reach, by: str, span: Span, *, district: str = "") -> Ranking:
    """Who stands where. Published kinds are told of everybody, the others within reach.

    district: only units of a region. Raises Refusal: `ranking.by`.
    """
    if by not in BY:
        known = "、".join(BY)
        raise Refusal("ranking.by", f"没有“{by[:20]}”的排名。可以用：{known}。", field="by")
    scorer = _Scorer(rulebooks.now(), span.months)
    rows = _people(scorer, reach, district) if by == "person" else _few(scorer, reach, by, district)
    newest = scorer.tables[-1] if span.months else table(scorer.book, span.period.since)
    rows.sort(key=lambda one: (-_shown(one.score), -one.finished, one.key))
    large = [one for one in rows if one.finished >= newest.least]
    rank = last = 0
    for nth, one in enumerate(large, 1):
        if nth == 1 or _shown(one.score) != last:
            rank, last = nth, _shown(one.score)
        one.rank = rank
    fed = sourced(scorer.book, span.months[-1] if span.months else span.period.since)
    return Ranking(
        by, span, tuple(large), tuple(one for one in rows if one.finished < newest.least),
        newest.least, newest, tuple(code for code in newest.weights if code not in fed),
    )  # fmt: skip


def _shown(score: int) -> int:
    """As it is told, in hundredths: what looks equal is equal."""
    return (score + 5) // 10


NOTHING = Figures()


class _Scorer:
    """Scores of units and months from what is counted of them; what is alike is scored once, and a
    sheet made only where it is looked at. months: in order.
    """

    def __init__(self, book: Rulebook, months: Sequence[date]) -> None:
        self.book, self.months = book, tuple(months)
        self.tables = tuple(table(book, month) for month in months)
        self.size = min((one.run.size for one in self.tables), default=0)
        nth = working()
        self._days = [
            tuple(nth(month + DAY * n) for n in range(periods.month(month).days))
            for month in months
        ]
        self._fed: dict[int, frozenset[str]] = {}
        self._sheets: dict[tuple[Any, ...], Sheet] = {}
        self._plain: dict[int, tuple[int, int]] = {}
        self._less: dict[str, int] = {}
        self._grades: dict[tuple[int, int], str] = {}

    def score(self, nth: int, told: str, figures: Figures, unit: str) -> int:
        """Of the nth month. told: a tally's counts as they are kept, "" without."""
        return scoring.worth(self.counts(nth, told), figures, self.tables[nth], unit=unit)

    def sheet(self, nth: int, told: str, figures: Figures, unit: str) -> Sheet:
        """The same with all its entries; sheets that say the same are one."""
        rules = self.tables[nth]
        like = (
            nth, told, figures.early_percent, figures.incomplete_percent, figures.promise,
            rules.coefficients.get(unit, rules.coefficient),
        )  # fmt: skip
        made = self._sheets.get(like)
        if made is None:
            if nth not in self._fed:
                self._fed[nth] = sourced(self.book, self.months[nth])
            made = self._sheets[like] = scoring.score(
                self.counts(nth, told), figures, rules, sourced=self._fed[nth], unit=unit
            )
        return made

    def counts(self, nth: int, told: str) -> Mapping[tuple[str, str], int]:
        """How often each cause is counted in the nth month."""
        return _counts(told, self.tables[nth].run, self._days[nth]) if told else {}

    # What has no figures but how much was done, told in bits and lines as `_lines` reads them.

    def plain(self, bits: int) -> tuple[int, int]:
        """The scores of these months together where nothing takes points, and how many they are."""
        found = self._plain.get(bits)
        if found is None:
            scores = [self.score(nth, "", NOTHING, "") for nth in self._nths(bits)]
            found = self._plain[bits] = (sum(scores), len(scores))
        return found

    def less(self, line: str) -> int:
        """By how much a line changes the score of its month."""
        found = self._less.get(line)
        if found is None:
            whole, _ = self.plain(1 << ord(line[0]) - ord(FIRST))
            told = self.score(self._nth(line), line[1:], NOTHING, "")
            found = self._less[line] = told - whole
        return found

    def drawn(self, bits: int, lines: Sequence[str], unit: str) -> Mapping[date, Sheet]:
        """The sheets of a unit by month."""
        told = {self._nth(line): line[1:] for line in lines}
        return {
            self.months[nth]: self.sheet(nth, told.get(nth, ""), NOTHING, unit)
            for nth in self._nths(bits)
        }

    def grade(self, bits: int, score: int) -> str:
        """Of a score, by the table of the last of these months."""
        asked = (bits.bit_length(), score)
        found = self._grades.get(asked)
        if found is None:
            last = self.tables[bits.bit_length() - self.months[0].month]
            found = self._grades[asked] = last.grade(score)
        return found

    @property
    def singled(self) -> frozenset[str]:
        """Units with a coefficient of their own."""
        return frozenset(unit for one in self.tables for unit in one.coefficients)

    def _nth(self, line: str) -> int:
        return ord(line[0]) - ord(FIRST) - self.months[0].month + 1

    def _nths(self, bits: int) -> list[int]:
        first = self.months[0].month
        return [nth for nth in range(len(self.months)) if bits >> nth + first - 1 & 1]


@lru_cache(maxsize=20_000)
def _counts(told: str, run: scoring.Run, numbers: tuple[int, ...]) -> Mapping[tuple[str, str], int]:
    """How often each cause is counted in a tally. numbers: the working days' of each day of its month.

    Remembered, since what is over seldom changes: a year of six hundred departments is as many days
    of warnings as there are findings.
    """
    counts: dict[tuple[str, str], int] = {}
    for part, sums in orjson.loads(told).items():
        for cause, many in sums.items():
            if cause != "warning":
                counts[part, cause] = many
            elif sum(many.values()) >= run.size:
                days = sorted([(numbers[int(day) - 1], n) for day, n in many.items()])
                if full := scoring.full_runs(days, run):
                    counts[part, "run"] = full
    return counts


def _few(scorer: _Scorer, reach: Reach, by: str, district: str, *, only: Key = ()) -> list[Row]:
    """Departments, districts and windows, unordered: every month of each is looked at.

    only: this unit alone, of any kind.
    """
    if not scorer.months:
        return []
    figures = _figures(reach, by, scorer.months, only=only)
    told = _tallies(reach, by, scorer, only=only)
    belongs = _of_district(by, district)
    rows = []
    for key in {key for key, _ in figures} | {key for key, _ in told}:
        if not belongs(key):
            continue
        unit = "/".join(key)
        seen: list[tuple[int, str, Figures]] = []
        for nth, month in enumerate(scorer.months):
            figure, counted = figures.get((key, month)), told.get((key, month))
            if figure is not None or counted is not None:
                seen.append((nth, counted or "", figure or NOTHING))
        mean = scoring.mean([scorer.score(*one, unit) for one in seen])
        if mean is not None:
            grade = scorer.tables[seen[-1][0]].grade(mean)
            finished = sum(one.finished for _, _, one in seen)
            rows.append(Row(key, None, mean, grade, finished, partial(_drawn, scorer, seen, unit)))
    return rows


def _drawn(
    scorer: _Scorer, seen: Sequence[tuple[int, str, Figures]], unit: str
) -> Mapping[date, Sheet]:
    """The sheets of a unit by month, from what was seen of it: nth month, counts, figures."""
    return {scorer.months[one[0]]: scorer.sheet(*one, unit) for one in seen}


FIRST = "A"  # of a line of tallies: January


def _people(scorer: _Scorer, reach: Reach, district: str) -> list[Row]:
    """People, unordered: thousands, of whom one row each is read; most have nothing to tell.

    Of a month in which nothing takes points only that it was is read.
    """
    if not scorer.months:
        return []
    allowed = statistics.replace_halls(reach)
    places = None if allowed.everything else set(allowed.agencies)
    if district:
        inside = {one.code for one in accounts.agencies(district)}
        places = inside if places is None else places & inside
    done = workload.yearly("person", scorer.months, places=places)
    marked, told = _marked("person", scorer, places), _lines("person", scorer, places)
    singled, nobody, nothing = scorer.singled, workload.Finished(0, 0), ()
    rows = []
    for key in done.keys() | marked.keys():
        finished, bits = done.get(key, nobody)
        bits |= marked.get(key, 0)
        lines = told.get(key, nothing)
        unit = "/".join(key) if singled else ""
        if unit in singled:
            sheets = scorer.drawn(bits, lines, unit)
            total, many = sum(one.score for one in sheets.values()), len(sheets)
        else:
            total, many = scorer.plain(bits)
            for line in lines:
                total += scorer.less(line)
        score = scoring.averaged(total, many)
        draw = partial(scorer.drawn, bits, lines, unit)
        rows.append(Row(key, None, score, scorer.grade(bits, score), finished, draw))
    return rows


# --- figures -----------------------------------------------------------------------------------------


def _figures(
    reach: Reach, by: str, months: Sequence[date], *, only: Key = ()
) -> dict[tuple[Key, date], Figures]:
    """What is counted of each unit and month. only: of one unit."""
    if not months:
        return {}
    asked = Period(months[0], periods.month(months[-1]).until)
    inside = None if by in PUBLISHED or only or reach.everything else _windows(reach)
    shorter, wanted = _promises(by, months), set(months)
    return {
        (key, month): Figures(
            finished=one.finished, judged=one.judged, early=one.early, incomplete=one.incomplete,
            promise=shorter(key, month),
        )
        for (key, month), one in workload.monthly(by, asked, key=only).items()
        if one.finished and month in wanted and (inside is None or key in inside)
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


# --- findings ----------------------------------------------------------------------------------------


# Of a tally what can take points: where there are fewer warnings than a run the cards alone, which
# most have alike; "" where nothing can.
_TAKING = "CASE WHEN t.warned >= %(size)s THEN t.counts::text ELSE t.cards END"


def _tallies(
    reach: Reach, by: str, scorer: _Scorer, *, only: Key = ()
) -> dict[tuple[Key, date], str]:
    """The counts of each unit and month in which something counts, as far as it can take points."""
    where, parameters = _within(reach, by, only)
    parameters |= {
        "by": by, "first": scorer.months[0], "last": scorer.months[-1], "size": scorer.size,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.place, t.unit, t.month, {_TAKING} FROM supervision_tally t"  # noqa: S608 - constants
            ' WHERE t."by" = %(by)s AND t.month BETWEEN %(first)s AND %(last)s' + where,
            parameters,
        )
        return {
            ((place, unit) if by in PLACED else (unit,), month): counts
            for place, unit, month, counts in cursor.fetchall()
        }


def _marked(by: str, scorer: _Scorer, places: Collection[str] | None) -> dict[Key, int]:
    """By unit: the months in which something counts, as bits."""
    return {
        (place, unit): bits
        for place, unit, bits in _of_tallies(
            f"t.place, t.unit, bit_or({workload.month_bit('t.month')})", "GROUP BY 1, 2",
            by, scorer, places,
        )
    }  # fmt: skip


def _lines(by: str, scorer: _Scorer, places: Collection[str] | None) -> dict[Key, list[str]]:
    """By unit: a line (letter of the month, counts) for each month in which it can lose points."""
    found: dict[Key, list[str]] = defaultdict(list)
    for place, unit, line in _of_tallies(
        f"t.place, t.unit, chr({ord(FIRST) - 1} + date_part('month', t.month)::int) || {_TAKING}",
        "AND (t.cards <> '' OR t.warned >= %(size)s)", by, scorer, places,
    ):  # fmt: skip
        found[place, unit].append(line)
    return found


def _of_tallies(
    columns: str, more: str, by: str, scorer: _Scorer, places: Collection[str] | None
) -> list[tuple[Any, ...]]:
    within = "" if places is None else " AND t.place = ANY(%(places)s::text[])"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM supervision_tally t"  # noqa: S608 - constants
            ' WHERE t."by" = %(by)s AND t.month BETWEEN %(first)s AND %(last)s'
            f"{within} {more}",
            {
                "by": by, "first": scorer.months[0], "last": scorer.months[-1],
                "size": scorer.size, "places": sorted(places or ()),
            },
        )  # fmt: skip
        return list(cursor.fetchall())


def _within(reach: Reach, by: str, only: Key) -> tuple[str, dict[str, Any]]:
    """The condition of a reach on tallies, or of one unit, with AND before it."""
    if only:
        place, unit = only if by in PLACED else ("", only[0])
        return " AND t.place = %(place)s AND t.unit = %(unit)s", {"place": place, "unit": unit}
    if by in PUBLISHED or reach.everything:
        return "", {}
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


def scored(reach: Reach, by: str, key: Key, month: date) -> Scored | None:
    """The sheet of a unit and month with its findings; None where it had nothing, or is not within
    reach."""
    if not may_open(reach, by, key):
        return None
    book = rulebooks.now()
    rules = table(book, month)
    figures = _figures(EVERYWHERE, by, (month,), only=key).get((key, month), NOTHING)
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


def history(reach: Reach, by: str, key: Key, months: Sequence[date]) -> Mapping[date, Sheet]:
    """A unit's sheets of several months, without their findings; empty where it is not within reach."""
    if not may_open(reach, by, key):
        return {}
    scorer = _Scorer(rulebooks.now(), months)
    rows = _few(scorer, EVERYWHERE, by, "", only=key)
    return rows[0].sheets if rows else {}


__all__ = [
    "ACT", "BY", "PEOPLE", "PUBLISHED", "Key", "Ranked", "Ranking", "Row", "Scored", "Seen", "Span",
    "history", "may_open", "openable", "ranking", "scored", "sourced", "span", "table", "working",
]  # fmt: skip
