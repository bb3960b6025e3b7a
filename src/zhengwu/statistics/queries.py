"""Reading the figures (查统计): by department, district, window, item … and by time, with the periods
before; from any number to its cases. docs/reference/statistics.md says what each figure is.

The permission is one filter on places. Coarse figures are read by month where whole months are
asked for and by day at the edges; items and windows from the fine ones. What is in hand at the end
of a period is what is in hand now without what came and went since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.cases import stories
from zhengwu.domain.measuring import BY_CODE, CODES, PERSONAL
from zhengwu.domain.periods import Grain, Period, start_of
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.refusal import Refusal

ACT = "statistics.see"
EVERYWHERE = Reach(True, frozenset(), frozenset(), frozenset())  # the public, the operator
MOST_PARTS = 1_100  # days of three years


class Dimension(NamedTuple):
    """By what figures are told apart (维度). columns: of places; fine: only in the fine figures."""

    zh: str
    columns: tuple[str, ...]
    fine: bool = False


DIMENSIONS: Mapping[str, Dimension] = {
    "agency": Dimension("机关", ("agency",)),
    "department": Dimension("部门", ("agency", "unit")),
    "district": Dimension("区划", ("region",)),
    "hall": Dimension("大厅", ("hall",), fine=True),
    "window": Dimension("窗口", ("hall", "window"), fine=True),
    "item": Dimension("事项", ("item",), fine=True),
    "kind": Dimension("办件类型", ("kind",)),
    "source": Dimension("来源", ("source",)),
    "channel": Dimension("渠道", ("channel",)),
}
FILTERS: Mapping[str, str] = {
    "agency": "agency", "unit": "unit", "district": "region", "hall": "hall", "window": "window",
    "item": "item", "kind": "kind", "source": "source", "channel": "channel",
}  # fmt: skip
_FINE = frozenset({"item", "hall", "window"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked (统计口径). by: a dimension; grain: a row for each part of the period.

    The other fields narrow; None does not, "" means: not told.
    """

    period: Period
    by: str | None = None
    grain: Grain | None = None
    agency: str | None = None
    unit: str | None = None
    district: str | None = None
    hall: str | None = None
    window: str | None = None
    item: str | None = None
    kind: str | None = None
    source: str | None = None
    channel: str | None = None

    @property
    def narrowed(self) -> dict[str, str]:
        """The filters that are set, by name."""
        return {name: value for name in FILTERS if (value := getattr(self, name)) is not None}

    def checked(self, *, today: date) -> Question:
        """Itself. Raises Refusal: `statistics.future`, `.dimension`, `.parts`."""
        if self.period.since > today:
            raise Refusal(
                "statistics.future",
                f"这段时间还没有到（今天是 {today.isoformat()}），没有统计。请选择已经开始的期间。",
                field="since",
            )
        if self.by is not None and self.by not in DIMENSIONS:
            known = "、".join(DIMENSIONS)
            raise Refusal(
                "statistics.dimension", f"没有“{self.by}”这个维度。可以用：{known}。", field="by"
            )
        if self.grain is not None and self.period.count(self.grain) > MOST_PARTS:
            raise Refusal(
                "statistics.parts",
                f"分得太细：一次最多 {MOST_PARTS:,} 段。请缩短期间，或者改按月、按年。",
                field="grain",
            )
        return self


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one value of a dimension and one part of the period.

    key: the values of the dimension's columns, () for all together. counts: by measure. open_,
    overdue, claim_open: at the end of the part; overdue is None but in the last part.
    """

    key: tuple[str, ...]
    period: Period
    counts: Mapping[str, int]
    open: int = 0
    claim_open: int = 0
    overdue: int | None = None

    def __getitem__(self, code: str) -> int:
        return self.counts[code]

    def share(self, part: str, *whole: str) -> float | None:
        """One measure as a part of others together; None where there are none."""
        total = sum(self.counts[one] for one in whole)
        return self.counts[part] / total if total else None

    @property
    def on_time_share(self) -> float | None:
        """按时办结率: of what can be judged."""
        return self.share("on_time", "on_time", "late")

    @property
    def early_share(self) -> float | None:
        """提前办结率."""
        return self.share("early", "on_time", "late")

    @property
    def late_share(self) -> float | None:
        """超期率."""
        return self.share("late", "on_time", "late")

    @property
    def spot_share(self) -> float | None:
        """当场办结率."""
        return self.share("spot", "closed")

    @property
    def window_share(self) -> float | None:
        """窗口决定率: of what was decided and closed."""
        return self.share("at_window", "closed")

    @property
    def granted_share(self) -> float | None:
        return self.share("granted", "granted", "refused")

    @property
    def mean_days(self) -> float | None:
        """平均办理工作日."""
        return self.share("days", "timed")

    @property
    def promised_share(self) -> float | None:
        """承诺时限使用率, 1.0 = all of it."""
        used = self.share("promised_used", "promised_timed")
        return used / 1000 if used is not None else None

    @property
    def statutory_share(self) -> float | None:
        """法定时限使用率, 1.0 = all of it."""
        used = self.share("statutory_used", "statutory_timed")
        return used / 1000 if used is not None else None


def reach(actor: Actor) -> Reach:
    """Whose figures this actor sees."""
    return accounts.reach(actor, ACT)


# --- figures -------------------------------------------------------------------------------------


def figures(
    reach: Reach, question: Question, *, at: datetime, held: bool = True
) -> tuple[Row, ...]:
    """The rows of a question: by value of the dimension, each by part of the period in order.

    held: also what is in hand at the end, else only what happened, with one query instead of four.
    Raises Refusal as Question.checked does.
    """
    today = at.astimezone(SHANGHAI).date()
    question.checked(today=today)
    asked = _Asked.of(reach, question)
    parts = tuple(question.period.cut(question.grain)) if question.grain else (question.period,)
    sums = _sums(asked, question)
    inside = _in_hand(asked, parts, today=today) if held else {}
    overdue = _overdue(asked, question.period.until, at=at, today=today) if held else {}
    keys = {key for key, _ in sums} | {
        key for key, counts in inside.items() if any(map(any, counts))
    }
    if not question.by:
        keys.add(())
    nothing = dict.fromkeys(CODES, 0)
    empty = [(0, 0)] * len(parts)
    rows = []
    for key in sorted(keys):
        for nth, part in enumerate(parts):
            open_, claims = inside.get(key, empty)[nth]
            rows.append(
                Row(
                    key,
                    part,
                    sums.get((key, _bucket(part, question.grain)), nothing),
                    open=open_,
                    claim_open=claims,
                    overdue=overdue.get(key, 0) if held and nth + 1 == len(parts) else None,
                )
            )
    return tuple(rows)


def together(
    reach: Reach, question: Question, periods: Sequence[Period], *, at: datetime
) -> tuple[Row, ...]:
    """What happened in each of several periods, all told together, with one query; no in-hand.

    A dimension and a grain of the question are not told apart. Raises Refusal as `checked` does.
    """
    today = at.astimezone(SHANGHAI).date()
    question = replace(question, by=None, grain=None)
    asked = _Asked.of(reach, question)
    parameters, sources = dict[str, Any](), list[str]()
    for nth, period in enumerate(periods):
        replace(question, period=period).checked(today=today)
        months, edges = period.parted()
        pieces = [(asked.month, months)] if months else []
        for table, one in [*pieces, *((asked.day, edge) for edge in edges)]:
            place = len(sources)
            sources.append(
                f"SELECT {nth} AS nth, f.place_id, {_EACH} FROM {table} f"  # noqa: S608 - constants
                f" WHERE f.start BETWEEN %(since{place})s AND %(until{place})s"
            )
            parameters |= {f"since{place}": one.since, f"until{place}": one.until}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT f.nth, {_SUMMED} FROM ({' UNION ALL '.join(sources)}) f"  # noqa: S608
            f" JOIN statistics_place p ON p.id = f.place_id WHERE {asked.where} GROUP BY f.nth",
            {**asked.parameters, **parameters},
        )
        found = {row[0]: dict(zip(CODES, row[1:], strict=True)) for row in cursor.fetchall()}
    nothing = dict.fromkeys(CODES, 0)
    return tuple(Row((), period, found.get(nth, nothing)) for nth, period in enumerate(periods))


def total(rows: Sequence[Row]) -> Row:
    """Rows added up, of one period."""
    counts = {code: sum(row.counts[code] for row in rows) for code in CODES}
    return Row(
        (), rows[0].period, counts,
        open=sum(row.open for row in rows), claim_open=sum(row.claim_open for row in rows),
        overdue=sum(row.overdue or 0 for row in rows),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """A row with the same of the period before and of the year before (环比、同比)."""

    now: Row
    before: Row
    year_before: Row


def compared(reach: Reach, question: Question, *, at: datetime) -> tuple[Compared, ...]:
    """The rows of a question without a grain, each beside the two periods to compare with."""
    asked = replace(question, grain=None)
    period = question.period
    earlier = [
        {row.key: row for row in figures(reach, replace(asked, period=one), at=at)}
        for one in (period.before(), period.year_before())
    ]
    found = figures(reach, asked, at=at)
    none = dict.fromkeys(CODES, 0)
    return tuple(
        Compared(
            row,
            earlier[0].get(row.key) or Row(row.key, period.before(), none),
            earlier[1].get(row.key) or Row(row.key, period.year_before(), none),
        )
        for row in found
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as SQL: the condition on places (alias p) and by which columns to group."""

    fine: bool
    where: str
    parameters: dict[str, Any]
    by: tuple[str, ...]

    @classmethod
    def of(cls, reach: Reach, question: Question) -> _Asked:
        conditions, parameters = [], dict[str, Any]()
        fine = bool(question.by and DIMENSIONS[question.by].fine)
        for name, value in question.narrowed.items():
            column = FILTERS[name]
            conditions.append(f'p."{column}" = %({name})s')
            parameters[name] = value
            fine |= column in _FINE
        if not reach.everything:
            held = []
            if reach.agencies:
                held.append("p.agency = ANY(%(reach_agencies)s::text[])")
                parameters["reach_agencies"] = sorted(reach.agencies)
            if reach.halls:
                held.append("p.hall = ANY(%(reach_halls)s::text[])")
                parameters["reach_halls"] = sorted(reach.halls)
                fine = True
            conditions.append(f"({' OR '.join(held)})" if held else "false")
        by = DIMENSIONS[question.by].columns if question.by else ()
        return cls(fine, " AND ".join(conditions) or "true", parameters, by)

    @property
    def keys(self) -> str:
        """The columns to group by, with a comma behind."""
        return "".join(f'p."{one}", ' for one in self.by)

    @property
    def group(self) -> str:
        return ", ".join(f'p."{one}"' for one in self.by)

    @property
    def day(self) -> str:
        return "statistics_fineday" if self.fine else "statistics_day"

    @property
    def month(self) -> str:
        return "statistics_finemonth" if self.fine else "statistics_month"


_SUMMED = ", ".join(f'sum(f."{code}")::bigint' for code in CODES)
_EACH = ", ".join(f'f."{code}"' for code in CODES)
_TRUNC = {
    Grain.DAY: "f.start",
    Grain.WEEK: "(f.start - (extract(isodow FROM f.start)::integer - 1))",
    Grain.MONTH: "date_trunc('month', f.start)::date",
    Grain.QUARTER: "date_trunc('quarter', f.start)::date",
    Grain.YEAR: "date_trunc('year', f.start)::date",
}


def _bucket(part: Period, grain: Grain | None) -> date | None:
    return start_of(part.since, grain) if grain else None


def _sums(
    asked: _Asked, question: Question
) -> dict[tuple[tuple[str, ...], date | None], dict[str, int]]:
    """Sums by key and by the first day of the week, month … (None: of the whole period)."""
    grain = question.grain
    trunc = _TRUNC[grain] if grain else "NULL::date"
    sources, parameters = _sources(asked, question.period, daily=grain in (Grain.DAY, Grain.WEEK))
    width = len(asked.by)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {asked.keys}{trunc} AS bucket, {_SUMMED} FROM ({sources}) f"  # noqa: S608
            f" JOIN statistics_place p ON p.id = f.place_id WHERE {asked.where}"
            f" GROUP BY {asked.keys}bucket",
            {**asked.parameters, **parameters},
        )
        return {
            (row[:width], row[width]): dict(zip(CODES, row[width + 1 :], strict=True))
            for row in cursor.fetchall()
        }


def _sources(
    asked: _Asked, period: Period, *, daily: bool, columns: str = _EACH
) -> tuple[str, dict[str, date]]:
    """The rows of a period as SQL: whole months, and days at the edges."""
    months, edges = (None, (period,)) if daily else period.parted()
    parameters: dict[str, date] = {}
    found = []
    for nth, (table, one) in enumerate(
        [*([(asked.month, months)] if months else []), *((asked.day, edge) for edge in edges)]
    ):
        found.append(
            f"SELECT f.start, f.place_id, {columns} FROM {table} f"  # noqa: S608 - constants
            f" WHERE f.start BETWEEN %(since{nth})s AND %(until{nth})s"
        )
        parameters |= {f"since{nth}": one.since, f"until{nth}": one.until}
    return " UNION ALL ".join(found), parameters


# --- in hand -------------------------------------------------------------------------------------

_MOVES = (
    "f.received - f.closed AS moved, f.claimed - f.claim_on_time - f.claim_late AS claims_moved"
)


def _in_hand(
    asked: _Asked, parts: Sequence[Period], *, today: date
) -> dict[tuple[str, ...], list[tuple[int, int]]]:
    """What was open at the end of each part, and what of it had a deadline of its sender.

    What is open now, without what came and went since.
    """
    now = _open_now(asked)
    after = _moved(asked, parts, today=today)
    found = {}
    for key in now.keys() | after.keys():
        open_, claims = now.get(key, (0, 0))
        since = after.get(key, {})
        counts = []
        for nth in range(len(parts), 0, -1):  # from the last part back
            moved, claims_moved = since.get(nth, (0, 0))
            open_, claims = open_ - moved, claims - claims_moved
            counts.append((open_, claims))
        found[key] = counts[::-1]
    return found


def _open_now(asked: _Asked) -> dict[tuple[str, ...], tuple[int, int]]:
    width = len(asked.by)
    group = f" GROUP BY {asked.group}" if asked.by else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {asked.keys}sum(m.held)::bigint, sum(m.claims)::bigint FROM"  # noqa: S608
            " (SELECT place_id, count(*) AS held, count(claim_due) AS claims"
            " FROM statistics_measured WHERE closed IS NULL GROUP BY place_id) m"
            f" JOIN statistics_place p ON p.id = m.place_id WHERE {asked.where}{group}",
            asked.parameters,
        )
        return {
            row[:width]: (int(row[width] or 0), int(row[width + 1] or 0))
            for row in cursor.fetchall()
        }


def _moved(
    asked: _Asked, parts: Sequence[Period], *, today: date
) -> dict[tuple[str, ...], dict[int, tuple[int, int]]]:
    """By key: what came and went in the parts behind the first (their place), and after the last."""
    ends = [part.until for part in parts]
    # To the end of what is written down, also where another system dates a thing in the future.
    period = Period(ends[0] + timedelta(days=1), max(ends[-1], today) + timedelta(days=36_500))
    sources, parameters = _sources(asked, period, daily=len(parts) > 1, columns=_MOVES)
    nth = "width_bucket(f.start, %(ends)s::date[])" if len(parts) > 1 else "1"
    width = len(asked.by)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {asked.keys}{nth} AS nth, sum(f.moved)::bigint,"  # noqa: S608 - constants
            f" sum(f.claims_moved)::bigint FROM ({sources}) f"
            f" JOIN statistics_place p ON p.id = f.place_id WHERE {asked.where}"
            f" GROUP BY {asked.keys}nth",
            {**asked.parameters, **parameters, "ends": [end + timedelta(days=1) for end in ends]},
        )
        found: dict[tuple[str, ...], dict[int, tuple[int, int]]] = defaultdict(dict)
        for row in cursor.fetchall():
            found[row[:width]][row[width]] = (int(row[width + 1]), int(row[width + 2]))
    return found


def _overdue(
    asked: _Asked, until: date, *, at: datetime, today: date
) -> dict[tuple[str, ...], int]:
    """Open and past due at the end of a day, or now: by what is known today of their deadlines.

    What a sender claims is no deadline of ours.
    """
    end = at if until >= today else datetime.combine(until + timedelta(days=1), time(), SHANGHAI)
    group = f" GROUP BY {asked.group}" if asked.by else ""
    width = len(asked.by)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {asked.keys}count(*) FROM (SELECT m.place_id FROM"  # noqa: S608 - constants
            f" ({stories.overdue_sql('end')}) c"
            ' JOIN statistics_measured m ON m."case" = c.id AND m.claim_due IS DISTINCT FROM c.due'
            " UNION ALL SELECT m.place_id FROM statistics_measured m WHERE m.verdict = 'late'"
            " AND m.closed > %(until)s AND m.due <= %(end)s) m"
            f" JOIN statistics_place p ON p.id = m.place_id WHERE {asked.where}{group}",
            {**asked.parameters, "end": end, "until": until},
        )
        return {row[:width]: int(row[width]) for row in cursor.fetchall()}


# --- how long ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spread:
    """How many closed cases took how many working days (分布), shortest first."""

    counts: tuple[tuple[int, int], ...]

    def percentile(self, share: float) -> int | None:
        """The days within which that share of the cases was done (nearest rank)."""
        cases = sum(count for _, count in self.counts)
        if not cases:
            return None
        rank = max(1, -(-int(cases * share * 1000) // 1000))
        passed = 0
        for days, count in self.counts:
            passed += count
            if passed >= rank:
                return days
        raise AssertionError(share)


def spreads(
    reach: Reach, question: Question, *, only: Sequence[tuple[str, ...]] | None = None
) -> dict[tuple[str, ...], Spread]:
    """How long the cases took that were closed in the period, by value of the dimension.

    only: the keys to tell, where items or windows are asked for and not all are shown.
    """
    asked = _Asked.of(reach, question)
    parameters: dict[str, Any] = dict(asked.parameters)
    narrowed = ""
    if only is not None and asked.by:
        if not only:
            return {}
        columns = ", ".join(f"%(only{nth})s::text[]" for nth in range(len(asked.by)))
        narrowed = f" AND ({asked.group}) IN (SELECT * FROM unnest({columns}))"  # noqa: S608
        parameters |= {
            f"only{nth}": list(column) for nth, column in enumerate(zip(*only, strict=True))
        }
    within = f" AND place_id IN (SELECT p.id FROM statistics_place p WHERE {asked.where}{narrowed})"  # noqa: S608
    months, edges = question.period.parted()
    sources = []
    if months:
        sources.append(
            "SELECT place_id, days, count FROM statistics_spread"
            " WHERE start BETWEEN %(since)s AND %(until)s"
        )
        parameters |= {"since": months.since, "until": months.until}
    for nth, edge in enumerate(edges):
        sources.append(
            "SELECT place_id, days, count(*) FROM statistics_measured"  # noqa: S608 - constants
            f" WHERE closed BETWEEN %(from{nth})s AND %(to{nth})s AND days IS NOT NULL"
            + (within if asked.fine else "")
            + " GROUP BY place_id, days"
        )  # fmt: skip
        parameters |= {f"from{nth}": edge.since, f"to{nth}": edge.until}
    width = len(asked.by)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {asked.keys}f.days, sum(f.count)::bigint"  # noqa: S608 - constants
            f" FROM ({' UNION ALL '.join(sources)}) f"
            f" JOIN statistics_place p ON p.id = f.place_id WHERE {asked.where}{narrowed}"
            f" GROUP BY {asked.keys}f.days ORDER BY f.days",
            parameters,
        )
        found: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        for row in cursor.fetchall():
            if row[width + 1]:
                found[row[:width]].append((row[width], int(row[width + 1])))
    return {key: Spread(tuple(counts)) for key, counts in found.items()}


# --- hand-overs and people -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Handing:
    """Hand-overs from one agency to another (移交). Empty: nobody named. Seconds under way."""

    giver: str
    taker: str
    times: int
    seconds: int
    office: int


def handings(reach: Reach, question: Question) -> tuple[Handing, ...]:
    """Who handed to whom, of the cases closed in the period; the longest first.

    Items and windows are not told apart. Raises Refusal where they are asked for.
    """
    asked = _Asked.of(replace_halls(reach), question)
    if asked.fine:
        raise Refusal(
            "statistics.handings",
            "移交表不分事项、大厅和窗口。请去掉这些条件，或者看“时间去向”。",
            field="item",
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.giver, f.taker, sum(f.times)::bigint, sum(f.seconds)::bigint,"  # noqa: S608
            " sum(f.office)::bigint FROM statistics_handing f"
            " JOIN statistics_place p ON p.id = f.place_id"
            f" WHERE f.start BETWEEN %(since)s AND %(until)s AND {asked.where}"
            " GROUP BY f.giver, f.taker HAVING sum(f.times) > 0 ORDER BY 4 DESC, 1, 2",
            {**asked.parameters, "since": question.period.since, "until": question.period.until},
        )
        return tuple(Handing(*row) for row in cursor.fetchall())


def replace_halls(reach: Reach) -> Reach:
    """The same reach by the agencies that stand in its halls."""
    if reach.everything or not reach.halls:
        return reach
    from zhengwu.accounts import rosters

    inside = {one.agency for one in rosters.windows(halls=reach.halls)}
    return replace(reach, agencies=reach.agencies | frozenset(inside), halls=frozenset())


@dataclass(frozen=True, slots=True)
class PersonRow:
    """What a person did in the period (人员), in the name of an agency. counts: by PERSONAL."""

    person: str
    agency: str
    counts: Mapping[str, int]


def people(reach: Reach, question: Question) -> tuple[PersonRow, ...]:
    """Of the agencies within reach, or of the one asked for; the busiest first."""
    allowed = replace_halls(reach)
    conditions = ["f.start BETWEEN %(since)s AND %(until)s"]
    parameters: dict[str, Any] = {
        "since": question.period.since,
        "until": question.period.until,
        "agency": question.agency,
        "reach": sorted(allowed.agencies),
    }
    if question.agency is not None:
        conditions.append("f.agency = %(agency)s")
    if not allowed.everything:
        conditions.append("f.agency = ANY(%(reach)s::text[])")
    sums = ", ".join(f"sum(f.{code})::bigint AS {code}" for code in PERSONAL)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT f.person, f.agency, {sums} FROM statistics_person f"  # noqa: S608 - constants
            f" WHERE {' AND '.join(conditions)} GROUP BY f.person, f.agency"
            f" ORDER BY {' + '.join(f'sum(f.{code})' for code in PERSONAL)} DESC, f.person",
            parameters,
        )
        return tuple(
            PersonRow(row[0], row[1], dict(zip(PERSONAL, row[2:], strict=True)))
            for row in cursor.fetchall()
        )


# --- from a number to its cases ------------------------------------------------------------------

PAGE = 50


@dataclass(frozen=True, slots=True)
class Counted:
    """One case behind a number (办件). day: on which it counted."""

    case: UUID
    day: date
    verdict: str | None
    days: int | None
    due: datetime | None
    closed: date | None


@dataclass(frozen=True, slots=True)
class Behind:
    """A page of the cases behind a number. further: how to ask for the next page, "" at the end."""

    rows: tuple[Counted, ...]
    further: str


_CLOSED = {
    "closed": "true", "on_time": "m.verdict IN ('on_time', 'early')", "early": "m.verdict = 'early'",
    "late": "m.verdict = 'late'", "unjudged": "m.verdict = 'unjudged'",
    "claim_on_time": "m.claim = 'on_time'", "claim_late": "m.claim = 'late'",
    "spot": "(m.closing ->> 2)::boolean", "at_window": "(m.closing ->> 3)::boolean",
    "timed": "m.days IS NOT NULL", "promised_timed": "m.closing ->> 0 IS NOT NULL",
    "statutory_timed": "m.closing ->> 1 IS NOT NULL",
    "handovers": "jsonb_array_length(m.closing -> 6) > 0",
}  # fmt: skip
_MEANT = {"days": "timed", "promised_used": "promised_timed", "statutory_used": "statutory_timed"}


def behind(
    reach: Reach,
    question: Question,
    measure: str,
    *,
    at: datetime,
    after: str = "",
    limit: int = PAGE,
    way: tuple[str, str] | None = None,
    person: str | None = None,
) -> Behind:
    """The cases behind a number of a question, newest day first. measure: a code, open, claim_open
    or overdue. after: `further` of the page before.

    way: only those handed over from one agency to another. person: only those in which this person
    did it; measure is then one of PERSONAL.

    The cases a reader may open are the reader's own business: the caller asks for them by id.
    Raises Refusal: `statistics.measure`, `statistics.page`.
    """
    known = BY_CODE if person is None else PERSONAL
    if measure not in known and (person or measure not in ("open", "claim_open", "overdue")):
        raise Refusal("statistics.measure", f"没有“{measure}”这个指标。", field="measure")
    asked = _Asked.of(reach, question)
    day, case = _after(after)
    parameters = {
        **asked.parameters, "since": question.period.since, "until": question.period.until,
        "day": day, "case": case, "limit": limit + 1,
    }  # fmt: skip
    today = at.astimezone(SHANGHAI).date()
    if measure in ("open", "claim_open", "overdue"):
        query = _held_sql(measure, question.period.until >= today)
        parameters["end"] = (
            at
            if question.period.until >= today
            else datetime.combine(question.period.until + timedelta(days=1), time(), SHANGHAI)
        )
    elif person is not None:
        # Told within, before anything is taken out of a case's marks.
        query = f"{_personal_sql(measure)} AND m.place_id IN ({_places_sql(asked)})"
        parameters |= {"measure": measure, "person": person}
    else:
        query = _counted_sql(_MEANT.get(measure, measure))
        parameters["measure"] = measure
        if " f.start " in query:
            query += f" AND f.place_id IN ({_places_sql(asked)})"
        if way is not None:
            query += _WAY
            parameters |= {"giver": way[0], "taker": way[1]}
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT m."case", m.day, m.verdict, m.days, m.due, m.closed FROM ({query}) m'  # noqa: S608
            f" JOIN statistics_place p ON p.id = m.place_id WHERE {asked.where}"
            ' AND (m.day, m."case") < (%(day)s, %(case)s)'
            ' ORDER BY m.day DESC, m."case" DESC LIMIT %(limit)s',
            parameters,
        )
        rows = tuple(Counted(*row) for row in cursor.fetchall())
    shown = rows[:limit]
    further = f"{shown[-1].day.isoformat()}.{shown[-1].case}" if len(rows) > limit else ""
    return Behind(shown, further)


def _after(text: str) -> tuple[date, UUID]:
    if not text:
        return date(9999, 12, 31), UUID(int=2**128 - 1)
    day, _, case = text.partition(".")
    try:
        return date.fromisoformat(day), UUID(case)
    except ValueError:
        raise Refusal(
            "statistics.page", "翻页的位置看不懂。请从第一页重新开始。", field="after"
        ) from None


_COLUMNS = 'm."case", m.place_id, m.verdict, m.days, m.due, m.closed'


def _counted_sql(measure: str) -> str:
    if measure in _CLOSED:
        return (
            f"SELECT {_COLUMNS}, m.closed AS day FROM statistics_measured m"  # noqa: S608
            f" WHERE m.closed BETWEEN %(since)s AND %(until)s AND {_CLOSED[measure]}"
        )
    if measure in ("received", "claimed"):
        only = " AND m.claim_due IS NOT NULL" if measure == "claimed" else ""
        return (
            f"SELECT {_COLUMNS}, m.received AS day FROM statistics_measured m"  # noqa: S608
            f" WHERE m.received BETWEEN %(since)s AND %(until)s{only}"
        )
    if BY_CODE[measure].when == "event":
        # The cells say on which days and where; then the few cases of each.
        return (
            f"SELECT DISTINCT {_COLUMNS}, f.start AS day FROM statistics_fineday f"  # noqa: S608
            " JOIN statistics_measured m ON m.place_id = f.place_id AND m.received <= f.start"
            " AND m.marks @> jsonb_build_array(jsonb_build_array(%(measure)s::text, f.start::text))"
            f' WHERE f.start BETWEEN %(since)s AND %(until)s AND f."{measure}" > 0'
        )
    # Seconds in whose hands: every closed case that has some.
    nth = [*(one for one in CODES if one in _SECONDS)].index(measure) if measure in _SECONDS else -1
    some = "true" if nth < 0 else f"(m.closing -> 5 ->> {nth})::bigint > 0"
    return (
        f"SELECT {_COLUMNS}, m.closed AS day FROM statistics_measured m"  # noqa: S608
        f" WHERE m.closed BETWEEN %(since)s AND %(until)s AND {some}"
    )


def _places_sql(asked: _Asked) -> str:
    return f"SELECT p.id FROM statistics_place p WHERE {asked.where}"  # noqa: S608 - fragments of ours


# Within the ways of a case: giver, taker, times, seconds, office.
_WAY = (
    " AND EXISTS (SELECT 1 FROM jsonb_array_elements(m.closing -> 6) w"
    " WHERE w ->> 0 = %(giver)s AND w ->> 1 = %(taker)s)"
)


def _personal_sql(measure: str) -> str:
    """Cases in which a person did something in the period, or decided and they ended so."""
    if measure in ("on_time", "late"):
        return (
            f"SELECT {_COLUMNS}, m.closed AS day FROM statistics_measured m"  # noqa: S608
            f" WHERE m.closed BETWEEN %(since)s AND %(until)s AND {_CLOSED[measure]}"
            " AND m.closing ->> 7 = %(person)s"
        )
    return (
        f"SELECT DISTINCT {_COLUMNS}, (k ->> 1)::date AS day FROM statistics_measured m,"  # noqa: S608
        " jsonb_array_elements(m.marks) k WHERE m.received <= %(until)s"
        " AND (m.closed IS NULL OR m.last >= %(since)s::date - 1)"
        " AND k ->> 0 = %(measure)s AND k ->> 2 = %(person)s"
        " AND (k ->> 1)::date BETWEEN %(since)s AND %(until)s"
    )


_SECONDS = tuple(one for one in CODES if one.startswith("in_") or one == "nobody")


def _held_sql(measure: str, now: bool) -> str:
    if measure == "overdue":
        late = (
            ""
            if now
            else f" UNION ALL SELECT {_COLUMNS}, m.received AS day FROM statistics_measured m"  # noqa: S608
            " WHERE m.verdict = 'late' AND m.closed > %(until)s AND m.due <= %(end)s"
        )
        return (
            f"SELECT {_COLUMNS}, m.received AS day FROM ({stories.overdue_sql('end')}) c"  # noqa: S608
            ' JOIN statistics_measured m ON m."case" = c.id AND m.claim_due IS DISTINCT FROM c.due'
            f"{late}"
        )
    only = " AND m.claim_due IS NOT NULL" if measure == "claim_open" else ""
    closed = "m.closed IS NULL" if now else "(m.closed IS NULL OR m.closed > %(until)s)"
    return (
        f"SELECT {_COLUMNS}, m.received AS day FROM statistics_measured m"  # noqa: S608
        f" WHERE {closed} AND m.received <= %(until)s{only}"
    )


# --- corrections ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restated:
    """A figure of a day that was over, changed later (更正). first, until: positions of the log."""

    noticed: date
    day: date
    agency: str
    source: str
    what: str
    delta: int
    first: int
    until: int


def restatements(reach: Reach, question: Question, *, limit: int = 500) -> tuple[Restated, ...]:
    """What was changed of the days of the period after they were over, the latest first."""
    asked = _Asked.of(replace_halls(reach), question)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.noticed, f.start, p.agency, p.source, f.what, sum(f.delta)::bigint,"  # noqa: S608
            " min(f.first), max(f.until) FROM statistics_restatement f"
            " JOIN statistics_place p ON p.id = f.place_id"
            f" WHERE f.start BETWEEN %(since)s AND %(until)s AND {asked.where}"
            " GROUP BY f.noticed, f.start, p.agency, p.source, f.what HAVING sum(f.delta) <> 0"
            " ORDER BY f.noticed DESC, f.start DESC, p.agency, f.what LIMIT %(limit)s",
            {
                **asked.parameters, "since": question.period.since,
                "until": question.period.until, "limit": limit,
            },
        )  # fmt: skip
        return tuple(Restated(*row) for row in cursor.fetchall())


# --- today ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Today:
    """The city's day so far (今日办件)."""

    day: date
    received: int
    accepted: int
    closed: int


def today(*, at: datetime) -> Today:
    """Counts of the day of `at` in Shanghai, as far as the follower has read."""
    day = at.astimezone(SHANGHAI).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(received), 0)::bigint, coalesce(sum(accepted), 0)::bigint,"
            " coalesce(sum(closed), 0)::bigint FROM statistics_day WHERE start = %s::date",
            [day],
        )
        return Today(day, *cursor.fetchone())


def values(reach: Reach, dimension: str) -> Iterator[tuple[str, ...]]:
    """The values a dimension has had, for the choice of a filter; in order."""
    one = DIMENSIONS[dimension]
    question = Question(period=Period(date(2000, 1, 1), date(2000, 1, 1)), by=dimension)
    asked = _Asked.of(reach, question)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT {asked.group} FROM statistics_place p WHERE {asked.where}"  # noqa: S608
            f" ORDER BY {', '.join(str(nth + 1) for nth in range(len(one.columns)))}",
            asked.parameters,
        )
        yield from cursor.fetchall()


__all__ = [
    "ACT", "DIMENSIONS", "EVERYWHERE", "FILTERS", "Behind", "Compared", "Counted", "Dimension",
    "Handing", "PersonRow", "Question", "Restated", "Row", "Spread", "Today", "behind",
    "compared", "figures", "handings", "people", "reach", "restatements",
    "spreads", "today", "together", "total", "values",
]  # fmt: skip
