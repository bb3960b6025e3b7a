"""The time ledger of cases (时间账): of one case, and of all that ended in a period.

The whole is measured, not only the parts: every second of a case belongs to exactly one part, the
parts sum to the whole, and the table of hand-overs to the time under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import rosters
from zhengwu.accounts.queries import Actor, Names
from zhengwu.calendars import queries as calendars
from zhengwu.cases import loading
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.loading import Loaded
from zhengwu.cases.queries import CaseView
from zhengwu.domain import timeledger
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event
from zhengwu.domain.lifecycle import HolderKind
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.timeledger import Handover, Part, Side, Span, Table
from zhengwu.ledger import queries as ledger_queries

ACT = "time.see"
MOST = 2_000  # cases of one table: about two milliseconds each
COUNTED = 100_000  # how far they are counted to say how many too many
PAGE = 500  # stories read with one SELECT
SECOND = timedelta(seconds=1)
ZERO = timedelta()
KINDS: Mapping[HolderKind, str] = {
    HolderKind.WINDOW: "窗口",
    HolderKind.DEPARTMENT: "部门",
    HolderKind.HANDING_OVER: "移交途中",
    HolderKind.APPLICANT: "申请人",
    HolderKind.SPECIAL: "特别程序",
    HolderKind.HIGHER: "上级机关",
    HolderKind.EXCHANGE: "来源系统",
    HolderKind.NONE: "无人持有",
}


class Line(NamedTuple):
    """One part of the whole, named. Seconds are whole and sum to those of the ledger.

    zh: whose hands; charged_zh: whose time it is, under way the giver's. window: its number, empty
    where it is none or not known. length, office: to the microsecond.
    """

    kind: HolderKind
    zh: str
    agency: str | None
    agency_zh: str
    post: str | None
    window: str
    charged_kind: HolderKind
    charged_to: str | None
    charged_zh: str
    label: str
    stretches: int
    seconds: int
    office_seconds: int
    length: timedelta
    office: timedelta

    @property
    def rest_seconds(self) -> int:
        return self.seconds - self.office_seconds

    @property
    def rest(self) -> timedelta:
        return self.length - self.office


class Way(NamedTuple):
    """One hand-over, named. end: None while it is under way; taken: whether somebody took it."""

    giver_kind: HolderKind
    giver: str | None
    giver_zh: str
    taker_kind: HolderKind | None
    taker: str | None
    taker_zh: str
    start: datetime
    end: datetime | None
    taken: bool
    seconds: int
    office_seconds: int
    length: timedelta
    office: timedelta


@dataclass(frozen=True, slots=True)
class TimeLedger:
    """The time of one case (时间账), from the receipt to `end`, or to `until` while it is open.

    The seconds of the lines sum to `seconds`, those of the ways to the lines under way.
    """

    number: str
    start: datetime
    end: datetime | None
    until: datetime
    seconds: int
    whole: timedelta
    lines: tuple[Line, ...]
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """The time of many cases. closed, running: how many of each; since, until: both counted.

    elapsed: from the receipts to the closings by the heads of the cases; exact: whether the parts
    sum to it and the table to the time under way, to the microsecond.
    """

    since: date
    until: date
    closed: int
    running: int
    elapsed: timedelta
    lines: tuple[Line, ...]
    table: Table
    windows: Table
    names: Names

    @property
    def cases(self) -> int:
        return self.closed + self.running

    @property
    def seconds(self) -> int:
        return sum(one.seconds for one in self.lines)

    @property
    def gap(self) -> timedelta:
        """By how much the parts miss the whole, or the table the time under way."""
        under_way = [one.length for one in self.lines if one.kind == HolderKind.HANDING_OVER]
        parts = sum((one.length for one in self.lines), ZERO)
        lost = sum(under_way, ZERO)
        return abs(parts - self.elapsed) + abs(lost - self.table.total.length)

    @property
    def exact(self) -> bool:
        return self.gap == ZERO

    def side_zh(self, side: Side) -> str:
        """A side of the table in words."""
        if side.agency is None:
            return "未指明"
        return f"{self.names.agency(side.agency)}{'窗口' if side.window else ''}"


# --- one case --------------------------------------------------------------------------------------


def of_case(actor: Actor, number: str, *, at: datetime) -> TimeLedger:
    """The time of a case this actor may see. No personal data. Raises CaseNotFound."""
    return _of(loading.load(actor, number), at=at)


def of_public(number: str, query_code: str, *, at: datetime) -> TimeLedger:
    """The same for whoever holds number and query code; agencies, no posts and no windows.

    Raises CaseNotFound.
    """
    loaded = loading.load_public(number.strip().upper(), query_code.strip().upper())
    return _of(loaded, at=at, inside=False)


def of_operator(number: str, *, at: datetime) -> TimeLedger:
    """The same for the operator's command, which has no actor: no more than `of_public` tells.

    Raises CaseNotFound.
    """
    return _of(loading.load_bare(number), at=at, inside=False)


def of_view(view: CaseView, *, at: datetime) -> TimeLedger:
    """The same of a case that is already read, for its page."""
    edition = calendars.edition(view.region, view.hall, last=view.calendar)
    parts = timeledger.parts(view.spans, edition)
    ways = timeledger.handovers(view.spans, edition)
    return _ledger(view.number, view.spans, parts, ways, view.names, view.names.windows, at=at)


def _of(loaded: Loaded, *, at: datetime, inside: bool = True) -> TimeLedger:
    spans = timeledger.of_life(loaded.life, until=at)
    # Days off as they are known today, also where the case is closed: this measures, not judges.
    edition = calendars.edition(loaded.region, loaded.hall)
    parts = timeledger.parts(spans, edition)
    ways = timeledger.handovers(spans, edition)
    windows = _windows(parts, ways) if inside else {}
    if not inside:
        parts = timeledger.together(timeledger.without_posts(parts))
    names = _names(parts, ways)
    return _ledger(loaded.number, spans, parts, ways, names, windows, at=at)


def _ledger(
    number: str,
    spans: Sequence[Span],
    parts: Sequence[Part],
    ways: Sequence[Handover],
    names: Names,
    windows: Mapping[str, str],
    *,
    at: datetime,
) -> TimeLedger:
    start = spans[0].start if spans else at
    until = spans[-1].end if spans else at
    lines = _lines(parts, names, windows)
    under_way = sum(one.seconds for one in lines if one.kind == HolderKind.HANDING_OVER)
    return TimeLedger(
        number=number,
        start=start,
        end=None if not spans or spans[-1].open else until,
        until=until,
        seconds=(until - start) // SECOND,
        whole=until - start,
        lines=lines,
        ways=_ways(ways, names, windows, total=under_way),
    )


# --- many cases ------------------------------------------------------------------------------------


def handover_table(
    actor: Actor,
    *,
    since: date,
    until: date,
    agency: str | None = None,
    running: bool = False,
    at: datetime,
) -> Whole:
    """Where the time of the cases went that were closed from `since` to `until`, both counted.

    running: also those received by then and open still, measured up to `at`. agency: only cases
    that it handles. Only what the actor's `time.see` reaches.

    Raises Refusal: `time.reversed` (field until), `time.too_many` (field since).
    """
    if until < since:
        raise Refusal("time.reversed", "“到”早于“从”。请改一下日期。", field="until")
    found = _cases(actor, since, until, agency=agency, running=running)
    editions: dict[tuple[str, str | None], Edition] = {}
    parts: list[Part] = []
    ways: list[Handover] = []
    elapsed, closed, count = ZERO, 0, 0
    for row in _stories(found):
        place = (row.region, row.hall)
        if place not in editions:
            editions[place] = calendars.edition(*place)
        spans = timeledger.spans(row.events, until=at)
        parts += timeledger.parts(spans, editions[place])
        ways += timeledger.handovers(spans, editions[place])
        elapsed += max(ZERO, (row.closed or at) - row.opened)
        closed += row.closed is not None
        count += 1
    sums = sorted(timeledger.together(parts), key=lambda one: (ORDER[one.kind], -one.length))
    return Whole(
        since=since,
        until=until,
        closed=closed,
        running=count - closed,
        elapsed=elapsed,
        lines=_lines(sums, names := _names(sums, ways), _windows(sums, ())),
        table=timeledger.table(ways),
        windows=timeledger.table(ways, windows=True),
        names=names,
    )


def agencies(actor: Actor) -> tuple[tuple[str, str], ...]:
    """The agencies whose cases this actor may ask for: code and name."""
    reach = accounts.reach(actor, ACT)
    inside = {one.agency for one in rosters.windows(halls=reach.halls)} if reach.halls else set()
    return tuple(
        (one.code, one.name)
        for one in accounts.agencies()
        if reach.everything or one.code in reach.agencies or one.code in inside
    )


ORDER = {kind: place for place, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class _Row:
    """What the account needs of a case; no applicant."""

    region: str
    hall: str | None
    opened: datetime
    closed: datetime | None
    events: tuple[Event, ...]


def _cases(
    actor: Actor, since: date, until: date, *, agency: str | None, running: bool
) -> list[UUID]:
    """The ids of the cases of a period. Raises Refusal where there are too many."""
    query, parameters = cases_sql(actor, since, until, agency=agency, running=running)
    with connection.cursor() as cursor:
        cursor.execute(f"{query} LIMIT {MOST + 1}", parameters)
        found = [row[0] for row in cursor.fetchall()]
        if len(found) <= MOST:
            return found
        cursor.execute(
            f"SELECT count(*) FROM ({query} LIMIT {COUNTED + 1}) n",  # noqa: S608
            parameters,
        )
        count = cursor.fetchone()[0]
    many = f"超过 {COUNTED:,}" if count > COUNTED else f"{count:,}"
    raise Refusal(
        "time.too_many",
        f"这段时间有 {many} 件，一次最多核算 {MOST:,} 件。请缩短日期范围，或者只选一个机关。",
        field="since",
    )


def cases_sql(
    actor: Actor, since: date, until: date, *, agency: str | None, running: bool
) -> tuple[str, dict[str, Any]]:
    """The SELECT of their ids, within the actor's reach, with its parameters."""
    allowed, parameters = loading.within(accounts.reach(actor, ACT))
    if agency:
        allowed += " AND c.agency = %(agency)s"
    elif allowed == "true":
        # Agency by agency, so that the index of closed cases serves the whole city too.
        allowed = "c.agency = ANY(ARRAY(" + _AGENCIES + "))"
    closed = (  # fragments of ours, values as parameters
        "SELECT c.id FROM cases_case c WHERE c.closed >= %(since)s AND c.closed < %(until)s "  # noqa: S608
        f"AND {allowed}"
    )
    still = (
        " UNION ALL SELECT c.id FROM cases_case c WHERE c.closed IS NULL "  # noqa: S608
        f"AND c.opened < %(until)s AND {allowed}"
    )
    return (
        closed + (still if running else ""),
        {
            **parameters,
            "agency": agency,
            "since": datetime.combine(since, time(), SHANGHAI),
            "until": datetime.combine(until + timedelta(days=1), time(), SHANGHAI),
        },
    )


# Every agency there are cases of, each by one look into the index.
_AGENCIES = (
    "WITH RECURSIVE a AS (SELECT min(agency) AS agency FROM cases_case UNION ALL "
    "SELECT (SELECT min(agency) FROM cases_case WHERE agency > a.agency) FROM a "
    "WHERE a.agency IS NOT NULL) SELECT agency FROM a WHERE agency IS NOT NULL"
)


def _stories(found: Sequence[UUID]) -> Iterator[_Row]:
    story = ledger_queries.story_sql(stream="'case'", stream_id="c.id")
    for start in range(0, len(found), PAGE):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT c.region, c.hall, c.opened, c.closed, {story} "  # noqa: S608
                "FROM cases_case c WHERE c.id = ANY(%s::uuid[])",
                [list(found[start : start + PAGE])],
            )
            rows = cursor.fetchall()
        for region, hall, opened, closed, told in rows:
            yield _Row(region, hall, opened, closed, ledger_queries.story(told))


# --- names and whole numbers -----------------------------------------------------------------------


def _names(parts: Iterable[Part], ways: Iterable[Handover]) -> Names:
    codes = {code for one in parts for code in (one.agency, one.charged_to)}
    codes |= {code for one in ways for code in (one.giver, one.taker)}
    return accounts.names(agencies=codes)


def _windows(parts: Iterable[Part], ways: Iterable[Handover]) -> dict[str, str]:
    """The window numbers of the posts of windows."""
    posts = {code for one in parts for code in (one.post, one.charged_post) if code}
    posts |= {
        code
        for one in ways
        for code, kind in ((one.giver_post, one.giver_kind), (one.taker_post, one.taker_kind))
        if code and kind == HolderKind.WINDOW
    }
    return rosters.post_windows(posts) if posts else {}


def words(kind: HolderKind | None, agency_zh: str, window: str = "", label: str = "") -> str:
    """Whose hands, in words."""
    if kind is None:
        return agency_zh or "未指明"
    if kind == HolderKind.WINDOW:
        return f"{agency_zh} {window} 窗口" if window else f"{agency_zh}窗口"
    if kind == HolderKind.SPECIAL:
        return label or KINDS[kind]
    return (agency_zh if kind == HolderKind.DEPARTMENT else "") or KINDS[kind]


def _lines(parts: Sequence[Part], names: Names, windows: Mapping[str, str]) -> tuple[Line, ...]:
    """The parts named; office time and rest of all of them cut into seconds together."""
    # Those under way stand side by side for the cut: then their sum is off by less than a second.
    order = sorted(range(len(parts)), key=lambda place: parts[place].kind)
    flat = [x for place in order for x in (parts[place].office, parts[place].rest)]
    cut = timeledger.apportion(flat, SECOND)
    seconds = dict(zip(order, zip(cut[::2], cut[1::2], strict=True), strict=True))
    lines = []
    for place, one in enumerate(parts):
        office, rest = seconds[place]
        window = windows.get(one.post or "", "")
        charged = windows.get(one.charged_post or "", "")
        lines.append(
            Line(
                kind=one.kind,
                zh=words(one.kind, names.agency(one.agency), window, one.label),
                agency=one.agency,
                agency_zh=names.agency(one.agency),
                post=one.post,
                window=window,
                charged_kind=one.charged_kind,
                charged_to=one.charged_to,
                charged_zh=words(
                    one.charged_kind, names.agency(one.charged_to), charged, one.label
                ),
                label=one.label,
                stretches=one.stretches,
                seconds=office + rest,
                office_seconds=office,
                length=one.length,
                office=one.office,
            )
        )
    return tuple(lines)


def _ways(
    ways: Sequence[Handover], names: Names, windows: Mapping[str, str], *, total: int
) -> tuple[Way, ...]:
    cut = timeledger.apportion(
        [x for one in ways for x in (one.office, one.rest)], SECOND, total=total
    )
    return tuple(
        Way(
            giver_kind=one.giver_kind,
            giver=one.giver,
            giver_zh=words(
                one.giver_kind, names.agency(one.giver), windows.get(one.giver_post or "", "")
            ),
            taker_kind=one.taker_kind,
            taker=one.taker,
            taker_zh=words(
                one.taker_kind, names.agency(one.taker), windows.get(one.taker_post or "", "")
            ),
            start=one.start,
            end=one.end,
            taken=one.taken,
            seconds=office + rest,
            office_seconds=office,
            length=one.length,
            office=one.office,
        )
        for one, office, rest in zip(ways, cut[::2], cut[1::2], strict=True)
    )


__all__ = [
    "KINDS", "Line", "TimeLedger", "Way", "Whole", "agencies", "handover_table", "of_case",
    "of_operator", "of_public", "of_view", "words",
]  # fmt: skip
