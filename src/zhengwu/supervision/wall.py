"""What the wall and the leaders' digest show (监察大屏): the city's day, its districts, what presses.

Figures are those of statistics, as far as its follower has read; what presses stands in the heads of
the open cases, by the definition of `overdue` there: what a sender claims is no deadline of ours.
Findings are those of the supervision follower that still count. One filter: whose reach it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import CITY, NOWHERE, Actor, Reach
from zhengwu.cases import pressing, wording
from zhengwu.cases.pressing import Bounds
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.measuring import CODES
from zhengwu.domain.periods import DAY, Grain, Period
from zhengwu.domain.reading import SHANGHAI, Light
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import Level
from zhengwu.statistics import queries as statistics
from zhengwu.statistics.followers import FIGURES
from zhengwu.statistics.queries import Question, Row
from zhengwu.supervision import sight
from zhengwu.supervision.followers import NAME as WATCH
from zhengwu.web import charts

ACT, PEOPLE = "supervise.see", "statistics.people"
TREND = 14  # days of received and closed
JUDGED = 30  # days of which the on-time rate and the time taken are told
FOUND = 7  # days of findings
WORST = 50
NEWEST = 8
PAGE = 50
UNTOLD = "没有说明"
POST, HOLDER = 10, 11  # their places among pressing.COLUMNS
LIGHTS: Mapping[str, str] = {
    pressing.OVER: "已超期", pressing.TODAY: "今天到期", pressing.SOON: "2 个工作日内到期",
}  # fmt: skip


def reach(actor: Actor) -> Reach:
    """How far this actor supervises; the same for all who may see the same."""
    return replace(accounts.reach(actor, ACT), streams=frozenset())


def acts(actor: Actor) -> Reach:
    """As far as this actor is shown what is served to supervisors alone."""
    found = accounts.reach(actor, sight.ACT) if actor.may(sight.ACT) else NOWHERE
    return replace(found, streams=frozenset())


def shows_people(actor: Actor) -> bool:
    """Whether this actor is told the person, and not the place alone."""
    return actor.may(PEOPLE)


# --- what is told ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pressing:
    """Open cases that press (临期与超期): past due, due within today, within two working days more."""

    over: int = 0
    today: int = 0
    soon: int = 0

    @property
    def light(self) -> str:
        """The worst there is: over | red | yellow | green."""
        if self.over:
            return pressing.OVER
        return pressing.TODAY if self.today else pressing.SOON if self.soon else "green"

    def __add__(self, other: Pressing) -> Pressing:
        return Pressing(self.over + other.over, self.today + other.today, self.soon + other.soon)


@dataclass(frozen=True, slots=True)
class District:
    """One region: its code ("" where it was not told), its name, what is open and what of it presses."""

    code: str
    name: str
    open: int
    pressing: Pressing


@dataclass(frozen=True, slots=True)
class Pressed:
    """One open case that presses. holder_zh: in whose hands; person_zh: "" where nobody is named or
    the reader is not told.
    """

    id: UUID
    number: str
    item_name: str
    agency: str
    agency_zh: str
    region: str
    source_zh: str
    due: datetime
    provisional: bool
    light: Light
    holder_zh: str
    person_zh: str


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency with the figures of the last JUDGED days."""

    code: str
    name: str
    row: Row


@dataclass(frozen=True, slots=True)
class Found:
    """How many findings of a day still count, by level."""

    day: date
    counts: Mapping[str, int]

    @property
    def cards(self) -> int:
        return self.counts[Level.YELLOW] + self.counts[Level.RED]


@dataclass(frozen=True, slots=True)
class News:
    """A finding in one line."""

    id: UUID
    at: datetime
    level: str
    rule_name: str
    agency_zh: str
    item_name: str
    number: str


@dataclass(frozen=True, slots=True)
class Delay:
    """How far the figures and the findings are behind the log: entries, and seconds of the oldest."""

    entries: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """All of it, of one reach at one moment. whole: today's row with what is in hand; days: TREND of
    them, today last; judged: the last JUDGED days; agencies: those of which something can be judged,
    the worst on-time rate first; districts: by code; whole city's own under CITY.
    """

    at: datetime
    today: date
    whole: Row
    days: tuple[Row, ...]
    judged: Row
    agencies: tuple[Agency, ...]
    districts: tuple[District, ...]
    pressing: Pressing
    worst: tuple[Pressed, ...]
    found: tuple[Found, ...]
    news: tuple[News, ...]
    delay: Delay

    @property
    def cards_today(self) -> Mapping[str, int]:
        return self.found[-1].counts


def wall(reach: Reach, *, acts: Reach = NOWHERE, people: bool, at: datetime) -> Wall:
    """Read anew; some fifteen queries, none of which grows with the cases that are closed. acts: as
    far as one supervises.
    """
    today = at.astimezone(SHANGHAI).date()
    day = Question(period=Period(today, today), by="district")
    rows = statistics.figures(reach, day, at=at)
    days = statistics.figures(
        reach,
        Question(period=_last(TREND, today), grain=Grain.DAY),
        at=at,
        held=False,
    )
    judged = statistics.figures(
        reach, Question(period=_last(JUDGED, today), by="agency"), at=at, held=False
    )
    calendar = pressing.calendar()
    bounds = pressing.bounds(at, calendar)
    worst = _pressed(reach, bounds, most=WORST)
    news = _news(reach, acts)
    names = _Names.of(
        agencies=[*(row.key[0] for row in judged), *_agencies(worst), *(row[4] for row in news)],
        people=[row[HOLDER] for row in worst] if people else (),
        posts=[row[POST] for row in worst],
    )
    districts = _districts(rows, _pressing(reach, bounds), names, whole=reach.everything)
    return Wall(
        at=at,
        today=today,
        whole=_total(rows, day.period),
        days=days,
        judged=_total(judged, _last(JUDGED, today)),
        agencies=_ranked(judged, names),
        districts=districts,
        pressing=sum((one.pressing for one in districts), Pressing()),
        worst=_told(worst, names, at=at, calendar=calendar, people=people),
        found=_found(reach, acts, today),
        news=tuple(
            News(row[0], row[1], row[2], row[3], names.short(row[4]), row[5], row[6])
            for row in news
        ),
        delay=delay(),
    )


def _last(days: int, today: date) -> Period:
    return Period(today - (days - 1) * DAY, today)


def _total(rows: Sequence[Row], period: Period) -> Row:
    if not rows:
        return Row((), period, dict.fromkeys(CODES, 0), overdue=0)
    return statistics.total(rows)


@dataclass(frozen=True, slots=True)
class _Names:
    """What is called how on a wall: 江城市水务局 is 市水务局."""

    names: accounts.Names
    regions: Mapping[str, str]

    @classmethod
    def of(
        cls,
        agencies: Iterable[str | None],
        people: Iterable[str | None] = (),
        posts: Iterable[str | None] = (),
    ) -> _Names:
        found = accounts.names(agencies=agencies, people=people, posts=posts)
        return cls(found, dict(accounts.regions()))

    def short(self, code: str | None) -> str:
        name, city = self.names.agency(code) or UNTOLD, self.regions.get(CITY, "")
        if city and name.startswith(city) and name != city:
            return city[-1] + name.removeprefix(city)
        return name


def _ranked(rows: Sequence[Row], names: _Names) -> tuple[Agency, ...]:
    judged = [row for row in rows if row.on_time_share is not None]
    judged.sort(key=lambda row: (row.on_time_share, -row["late"], row.key))
    return tuple(Agency(row.key[0], names.short(row.key[0]), row) for row in judged)


# --- what presses -----------------------------------------------------------------------------------

_COUNTED = (
    "FROM cases_case c JOIN statistics_measured m"
    ' ON m."case" = c.id AND m.claim_due IS DISTINCT FROM c.due'
    f" WHERE {pressing.RUNNING}"
)


def _pressing(reach: Reach, bounds: Bounds) -> dict[str, Pressing]:
    """By region."""
    allowed, parameters = pressing.within(reach)
    counts = ", ".join(
        f"count(*) FILTER (WHERE {pressing.LIT[one]})" for one in LIGHTS
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.region, {counts} {_COUNTED} AND c.due < %(soon)s AND {allowed}"
            " GROUP BY c.region",
            {**parameters, **bounds.parameters},
        )
        return {row[0]: Pressing(*row[1:]) for row in cursor.fetchall()}


def _districts(
    rows: Sequence[Row], pressed: Mapping[str, Pressing], names: _Names, *, whole: bool
) -> tuple[District, ...]:
    """Those with something in hand; of the whole city every district there is."""
    every = charts.DISTRICTS.keys() & names.regions.keys() if whole else frozenset[str]()
    held = {row.key[0]: row.open for row in rows}
    return tuple(
        District(
            code,
            names.regions.get(code, code or UNTOLD),
            held.get(code, 0),
            pressed.get(code, Pressing()),
        )
        for code in sorted(held.keys() | pressed.keys() | every)
    )


def listed(
    reach: Reach,
    *,
    people: bool,
    at: datetime,
    light: str | None = None,
    district: str | None = None,
    after: str = "",
    most: int = PAGE,
) -> tuple[Pressed, ...]:
    """The cases that press, the worst first. light: of LIGHTS, None is all of them; after: `mark` of
    the last of the page before. Raises Refusal (`wall.light`, `wall.page`).
    """
    if light is not None and light not in LIGHTS:
        known = "、".join(f"{code}（{zh}）" for code, zh in LIGHTS.items())
        raise Refusal("wall.light", f"没有这种期限灯。可以用：{known}。", field="light")
    calendar = pressing.calendar()
    rows = _pressed(
        reach, pressing.bounds(at, calendar), light=light, district=district, after=after, most=most
    )
    names = _Names.of(
        agencies=_agencies(rows),
        people=[row[HOLDER] for row in rows] if people else (),
        posts=[row[POST] for row in rows],
    )
    return _told(rows, names, at=at, calendar=calendar, people=people)


def _pressed(
    reach: Reach,
    bounds: Bounds,
    *,
    light: str | None = None,
    district: str | None = None,
    after: str = "",
    most: int,
) -> list[tuple[Any, ...]]:
    """The rows of a list, of pressing.COLUMNS."""
    allowed, parameters = pressing.within(reach)
    conditions = [allowed, "c.due < %(soon)s"]
    parameters |= {**bounds.parameters, "most": most}
    if light is not None:
        conditions.append(pressing.LIT[light])
    if district is not None:
        conditions.append("c.region = %(district)s")
        parameters["district"] = district
    if after:
        conditions.append("(c.due, c.id) > (%(due)s, %(id)s)")
        parameters |= _after(after)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {pressing.COLUMNS} {_COUNTED} AND {' AND '.join(conditions)}"
            " ORDER BY c.due, c.id LIMIT %(most)s",
            parameters,
        )
        return list(cursor.fetchall())


def mark(one: Pressed) -> str:
    """Where the page after this case begins."""
    return f"{one.due.timestamp():.6f}.{one.id}"


def _after(text: str) -> dict[str, Any]:
    seconds, _, case = text.rpartition(".")
    try:
        return {"due": datetime.fromtimestamp(float(seconds), SHANGHAI), "id": UUID(case)}
    except (ValueError, OverflowError, OSError):
        raise Refusal(
            "wall.page", "翻页的位置看不懂。请从第一页重新开始。", field="after"
        ) from None


def _agencies(rows: Sequence[tuple[Any, ...]]) -> Iterator[str | None]:
    for row in rows:
        yield row[3]
        yield row[9]


def _told(
    rows: Sequence[tuple[Any, ...]],
    names: _Names,
    *,
    at: datetime,
    calendar: Calendar,
    people: bool,
) -> tuple[Pressed, ...]:
    return tuple(
        Pressed(
            id=row[0], number=row[1], item_name=row[2], agency=row[3],
            agency_zh=names.short(row[3]), region=row[4], source_zh=wording.source(row[5]),
            due=row[6], provisional=row[7], light=pressing.lit(row[6], at, calendar),
            holder_zh=_holder(
                row[8], names.short(row[9]) if row[9] else "", names.names.windows.get(row[POST])
            ),
            person_zh=names.names.person(row[HOLDER]) if people else "",
        )
        for row in rows
    )  # fmt: skip


def _holder(kind: str, agency: str, window: str | None) -> str:
    """市水务局窗口 B23, 市水务局, 申请人."""
    found = wording.held_by(kind, agency)
    return f"{found} {window}" if window and kind == "window" else found


# --- findings ---------------------------------------------------------------------------------------


def _within(reach: Reach, acts: Reach) -> tuple[str, dict[str, Any]]:
    """The permission filter on findings, on alias `f`, with its parameters."""
    if reach.everything:
        return "true", {}
    parts = []
    if reach.agencies:
        parts.append("f.agency = ANY(%(agencies)s::text[])")
    if reach.halls:
        parts.append("f.hall = ANY(%(halls)s::text[])")
    given = {"agencies": sorted(reach.agencies), "halls": sorted(reach.halls)}
    told, more = sight.served_to("f", reach, acts)
    return (f"(({' OR '.join(parts)}) AND {told})" if parts else "false"), given | more


def _found(reach: Reach, acts: Reach, today: date) -> tuple[Found, ...]:
    """Of the last FOUND days, by the day on which each ought to have come to light."""
    allowed, parameters = _within(reach, acts)
    days = [today - nth * DAY for nth in range(FOUND - 1, -1, -1)]
    begins = datetime.combine(days[0], datetime.min.time(), SHANGHAI)
    ends = datetime.combine(today + DAY, datetime.min.time(), SHANGHAI)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (f.at AT TIME ZONE 'Asia/Shanghai')::date, f.level, count(*)"  # noqa: S608
            " FROM supervision_finding f WHERE f.at >= %(begins)s AND f.at < %(ends)s"
            f" AND f.counts AND {allowed} GROUP BY 1, 2",
            {**parameters, "begins": begins, "ends": ends},
        )
        counts = {(row[0], row[1]): int(row[2]) for row in cursor.fetchall()}
    return tuple(
        Found(day, {level.value: counts.get((day, level.value), 0) for level in Level})
        for day in days
    )


def _news(reach: Reach, acts: Reach) -> list[tuple[Any, ...]]:
    """The newest findings but hints: id, at, level, rule, agency, item, number."""
    allowed, parameters = _within(reach, acts)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.id, f.at, f.level, f.rule_name, f.agency, f.item_name, f.number"  # noqa: S608
            f" FROM supervision_finding f WHERE f.level <> 'hint' AND f.counts AND {allowed}"
            " ORDER BY f.at DESC, f.id LIMIT %(most)s",
            {**parameters, "most": NEWEST},
        )
        return list(cursor.fetchall())


# --- how far behind ---------------------------------------------------------------------------------

_PLACES = (
    "SELECT coalesce(max(last), 0), coalesce(max(low_xid::text::bigint), 0),"
    " (SELECT coalesce(min(position), 0) FROM ledger_follower WHERE name = ANY(%s::text[]))"
    " FROM ledger_sequencer"
)
# `low` as a value: joined to it, all events would be read.
_WAITING = (
    "SELECT count(*), extract(epoch FROM statement_timestamp() - least(min(e.received),"
    " (SELECT f.received FROM ledger_position p JOIN ledger_event f ON f.id = p.event"
    " WHERE p.position > %(reached)s ORDER BY p.position LIMIT 1)))"
    " FROM ledger_event e WHERE e.xid >= %(low)s::text::xid8 AND NOT EXISTS"
    " (SELECT 1 FROM ledger_position p WHERE p.event = e.id)"
)


def delay() -> Delay:
    """Of the slower of the two followers, and of what the log has not put in its order yet."""
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [[FIGURES.name, WATCH]])
        last, low, reached = cursor.fetchone()
        cursor.execute(_WAITING, {"reached": reached, "low": str(low)})
        waiting, seconds = cursor.fetchone()
    entries = int(last - reached + waiting)
    return Delay(entries, max(0, int(seconds)) if seconds is not None else 0)


def since_judged(today: date) -> date:
    """The first day of which the on-time rate is told."""
    return today - timedelta(days=JUDGED - 1)


__all__ = [
    "ACT", "FOUND", "JUDGED", "LIGHTS", "PAGE", "TREND", "WORST", "Agency", "Delay", "District",
    "Found", "News", "Pressed", "Pressing", "Wall", "acts", "delay", "listed", "mark", "reach",
    "shows_people", "since_judged", "wall",
]  # fmt: skip
