"""A working day at the desk (一天的工作): what was done, what is left, what one has in hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import rosters
from zhengwu.accounts.queries import Actor, Colleague
from zhengwu.accounts.rosters import WindowPosts
from zhengwu.calendars import queries as calendars
from zhengwu.cases import loading, wording
from zhengwu.cases.events import STREAM
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.loading import Loaded
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.lifecycle import Holder, HolderKind, State

MOST_DONE = 2_000  # lines of a day list
MOST_HELD = 150  # cases on one hand-over: three fields each, within the limit of a form
LOOK_BACK = timedelta(days=90)  # how far back a past day's open cases are looked for
CANDIDATES = 500
MINE = "mine"
AWAY = ("special", "higher")  # out of the house; whoever had it before answers for it


# --- whose day ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose day is listed (谁的一天): mine, or a window's. posts: empty for mine."""

    code: str
    zh: str
    posts: tuple[str, ...] = ()


def choices(actor: Actor) -> tuple[Whose, ...]:
    """Mine; one's own windows; heads and centre managers choose any window of their reach."""
    agencies = {code for role, code in actor.holdings if role == "head"}
    halls = {code for role, code in actor.holdings if role == "centre_manager"}
    own = {(post.hall, post.window) for post in actor.posts if post.window}
    found = rosters.windows(agencies=agencies, halls=halls | {hall for hall, _ in own if hall})
    return (
        Whose(MINE, "我本人"),
        *(
            Whose(f"{one.hall}/{one.window}", f"{one.window} 窗口（{one.agency_name}）", one.posts)
            for one in found
            if _reached(one, agencies=agencies, halls=halls, own=own)
        ),
    )


def _reached(
    one: WindowPosts, *, agencies: set[str], halls: set[str], own: set[tuple[str | None, str]]
) -> bool:
    return one.agency in agencies or one.hall in halls or (one.hall, one.window) in own


# --- what was done -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done on the day. withdrawn: taken away by a later entry, and not counted."""

    case: UUID
    when: datetime
    kind: str
    zh: str
    number: str
    item_name: str
    applicant: str
    who: str
    paper: str
    paper_number: str
    withdrawn: bool
    recorded: datetime | None  # only where it was entered at another time than it happened


@dataclass(frozen=True, slots=True)
class Left:
    """One case still open at the end of the day."""

    case: UUID
    number: str
    item_name: str
    applicant: str
    state_zh: str
    due: datetime | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """A day list (日清单). totals: act in Chinese → how many, in the order of a case's life."""

    day: date
    whose: Whose
    done: tuple[Deed, ...]
    totals: tuple[tuple[str, int], ...]
    cases: int
    left: tuple[Left, ...]
    left_at: datetime
    cut: bool  # there was more than fits

    def seen(self) -> frozenset[UUID]:
        """The cases whose applicants' names stand in it."""
        rows: tuple[Deed | Left, ...] = (*self.done, *self.left)
        return frozenset(row.case for row in rows if row.applicant)


def bounds(day: date) -> tuple[datetime, datetime]:
    """Its beginning and the next day's, in Shanghai."""
    start = datetime.combine(day, time(), tzinfo=SHANGHAI)
    return start, start + timedelta(days=1)


def day(actor: Actor, day: date, *, whose: Whose, at: datetime) -> Day:
    """What was done on a day, and what was left at its end (for today: now).

    The caller records the look (`Day.seen`).
    """
    since, until = bounds(day)
    people = [actor.code]
    if whose.posts:
        people = sorted({h.person for h in rosters.holders(whose.posts, since=since, until=until)})
    rows = _deeds(actor, people, whose.posts, since=since, until=until)
    names = accounts.names(people=(row[5] for row in rows))
    done = tuple(_deed(row, names.person(row[5])) for row in rows[:MOST_DONE])
    counted = [one for one in done if not one.withdrawn]
    by_kind = Counter(one.kind for one in counted)
    end = min(at, until)
    return Day(
        day=day,
        whose=whose,
        done=done,
        totals=tuple((act_zh(kind), by_kind[kind]) for kind in _in_order(by_kind)),
        cases=len({one.case for one in counted}),
        left=_left(actor, people, whose.posts, at=end, now=until > at),
        left_at=end,
        cut=len(rows) > MOST_DONE,
    )


def act_zh(kind: str) -> str:
    """An act in Chinese."""
    if kind in wording.ACTS:
        return wording.ACTS[kind]
    return lifecycle.BY_CODE[kind].zh if kind in lifecycle.BY_CODE else kind


def _in_order(kinds: Iterable[str]) -> list[str]:
    order = list(lifecycle.BY_CODE)
    return sorted(kinds, key=lambda kind: order.index(kind) if kind in order else len(order))


# An entry that a later one took away, where that one was not itself taken away.
GONE = (
    "EXISTS (SELECT 1 FROM ledger_event w WHERE w.stream = e.stream AND w.stream_id = e.stream_id"
    " AND w.kind = 'entry_withdrawn' AND w.version > e.version"
    " AND w.body ->> 'version' = e.version::text"
    " AND NOT EXISTS (SELECT 1 FROM ledger_event u WHERE u.stream = w.stream"
    " AND u.stream_id = w.stream_id AND u.kind = 'entry_withdrawn' AND u.version > w.version"
    " AND u.body ->> 'version' = w.version::text))"
)


def deeds_sql(actor: Actor, *, posts: bool) -> tuple[str, dict[str, Any]]:
    """The one query of a day, and the parameters of its permission filter."""
    allowed, reach = loading.within(accounts.reach(actor, "case.see"))
    at_posts = " AND d.post = ANY(%(posts)s::text[])" if posts else ""
    name = f"({loading.APPLICANT} ->> 'name')"
    # Materialised: the day is read first, through its index, whatever the cases look like.
    return (
        "WITH e AS MATERIALIZED (SELECT * FROM ledger_event d"  # noqa: S608
        " WHERE d.actor = ANY(%(people)s::text[])"
        f" AND d.occurred >= %(since)s AND d.occurred < %(until)s{at_posts})"
        " SELECT c.id, e.occurred, e.kind, c.number, c.item_name, e.actor, e.recorded,"
        " e.body #>> '{document,kind}', e.body #>> '{document,number}',"
        f" {name}, {GONE} FROM e JOIN cases_case c ON c.id = e.stream_id"
        f" WHERE e.stream = '{STREAM}' AND {allowed}"
        " ORDER BY e.occurred, e.stream_id, e.version LIMIT %(most)s::int",
        reach,
    )


def _deeds(
    actor: Actor,
    people: Sequence[str],
    posts: Sequence[str],
    *,
    since: datetime,
    until: datetime,
) -> list[tuple[Any, ...]]:
    text, reach = deeds_sql(actor, posts=bool(posts))
    given: dict[str, Any] = {
        "people": list(people),
        "posts": list(posts),
        "since": since,
        "until": until,
    }
    with connection.cursor() as cursor:
        cursor.execute(text, {**reach, **given, "most": MOST_DONE + 1})
        return list(cursor.fetchall())


def _deed(row: Sequence[Any], who: str) -> Deed:
    case, when, kind, number, item_name, _, recorded, paper, paper_number, applicant, gone = row
    late = abs((recorded - when).total_seconds()) > 60
    return Deed(
        case=case,
        when=when,
        kind=kind,
        zh=act_zh(kind),
        number=number,
        item_name=item_name,
        applicant=applicant or "",
        who=who,
        paper=wording.DOCUMENTS.get(paper or "", "文书" if paper else ""),
        paper_number=paper_number or "",
        withdrawn=gone,
        recorded=recorded if late else None,
    )


# --- what was left -----------------------------------------------------------------------------


def _left(
    actor: Actor, people: Sequence[str], posts: Sequence[str], *, at: datetime, now: bool
) -> tuple[Left, ...]:
    """Open cases in the hands of these posts (or of the actor) at an instant.

    For a past day: of what these people touched in the ninety days before, or hold today.
    """
    mine = tuple(posts) or tuple(post.code for post in actor.posts)
    parameters: dict[str, Any] = {"mine": list(mine), "me": actor.code}
    held = "c.closed IS NULL AND (c.holder_post = ANY(%(mine)s::text[])"
    held += ")" if posts else " OR c.holder_actor = %(me)s)"
    cases = loading.several(actor, held, parameters, most=CANDIDATES)
    if not now:
        ids = _touched(people, since=at - LOOK_BACK, until=at)
        cases += loading.several(
            actor,
            "c.id = ANY(%(ids)s::uuid[]) AND c.opened < %(until)s"
            " AND (c.closed IS NULL OR c.closed >= %(until)s)",
            {"ids": list(ids - {case.id for case in cases}), "until": at},
            most=CANDIDATES,
        )
    rows = []
    dues = _heads(cases) if now else {}
    for case in cases:
        standing = lifecycle.fold([e for e in case.events if e.occurred < at or now])
        holder = _answers(standing)
        if holder.post not in mine and (posts or holder.actor != actor.code):
            continue
        if standing.closed_at is not None or standing.state is None:
            continue
        rows.append(
            Left(
                case=case.id,
                number=case.number,
                item_name=case.item_name,
                applicant=case.applicant().name,
                state_zh=wording.state(str(standing.state), standing.outcome, standing.suspended),
                due=dues.get(case.id, (None, False))[0],
                since=holder.since,
            )
        )
    return tuple(rows)


def _touched(people: Sequence[str], *, since: datetime, until: datetime) -> set[UUID]:
    """The cases on which these people did something between two instants."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT stream_id FROM ledger_event WHERE actor = ANY(%s::text[])"
            " AND occurred >= %s AND occurred < %s AND stream = %s",
            [list(people), since, until, STREAM],
        )
        return {row[0] for row in cursor.fetchall()}


def _answers(standing: lifecycle.Standing) -> Holder:
    """Who answers for it: the holder, or who had it before it left the house."""
    return standing.before if standing.holder.kind in AWAY else standing.holder


def _heads(cases: Sequence[Loaded]) -> Mapping[UUID, tuple[datetime | None, bool]]:
    """The pressing limit and whether the clock stands still, from the heads."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, due, suspended FROM cases_case WHERE id = ANY(%s::uuid[])",
            [[case.id for case in cases]],
        )
        return {id: (due, suspended) for id, due, suspended in cursor.fetchall()}


# --- what one has in hand ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InHand:
    """One case in somebody's hands. targets: the posts that can have it next, with words."""

    case: UUID
    number: str
    version: int
    item_name: str
    applicant: str
    state_zh: str
    light: clock.Light
    due: datetime | None
    since: datetime | None
    holder_zh: str
    targets: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Hands:
    """What a hand-over page shows. cut: of one of the lists not everything is shown."""

    mine: tuple[InHand, ...]
    offered: tuple[InHand, ...]  # on its way to one of my posts
    ownerless: tuple[InHand, ...]  # for heads: in the hands of a post on which nobody is
    cut: bool


IN_THE_HOUSE = (
    "c.closed IS NULL AND c.kind <> 'foreign' AND NOT c.holder_kind = ANY(%(away)s::text[])"
)
HELD = (
    "(c.holder_kind <> 'handing_over' AND c.holder_post = ANY(%(posts)s::text[])"
    " OR c.holder_post IS NULL AND c.holder_actor = %(me)s)"
)
OFFERED = "c.holder_kind = 'handing_over' AND c.holder_post = ANY(%(posts)s::text[])"
VACANT = "c.holder_post = ANY(%(empty)s::text[])"
# Who had it before is not in the head: those on whose way one's posts stand, told apart afterwards.
SENT_AWAY = (
    "c.closed IS NULL AND c.kind <> 'foreign' AND c.holder_kind = ANY(%(away)s::text[])"
    " AND EXISTS (SELECT 1 FROM ledger_event e WHERE e.stream = 'case' AND e.stream_id = c.id"
    " AND (e.actor = %(me)s OR e.post = ANY(%(touched)s::text[])"
    " OR e.body #>> '{to,post}' = ANY(%(touched)s::text[])))"
)


def hands(actor: Actor, *, at: datetime) -> Hands:
    """Everything this person holds by name or by post, what is on its way here, and, for a head,
    what nobody holds. The caller records the look."""
    posts = [post.code for post in actor.posts]
    empty = _vacant_posts(actor, at=at)
    known = {
        "posts": posts,
        "empty": sorted(empty),
        "me": actor.code,
        "away": list(AWAY),
        "touched": sorted({*posts, *empty}),
    }
    # Each list by itself: what the whole organ has sent away does not push out one's own.
    parts = [
        loading.several(actor, f"{IN_THE_HOUSE} AND {held}", known, most=MOST_HELD + 1)
        for held in (HELD, OFFERED, VACANT)
    ]
    parts.append(loading.several(actor, SENT_AWAY, known, most=MOST_HELD + 1))
    found = list({case.id: case for part in parts for case in part}.values())
    dues = _heads(found)
    calendar = calendars.edition(actor.region or accounts.CITY, actor.hall).calendar
    post_names = rosters.post_names(empty)
    staff: dict[str, tuple[Colleague, ...]] = {}
    mine: list[InHand] = []
    offered: list[InHand] = []
    ownerless: list[InHand] = []
    for case in found:
        standing = case.standing
        holder = _answers(standing)
        if case.agency not in staff:
            staff[case.agency] = accounts.colleagues(case.agency)
        if holder.kind == HolderKind.HANDING_OVER and holder.post in posts:
            where = offered
        elif holder.post in posts or (holder.post is None and holder.actor == actor.code):
            where = mine
        elif holder.post in empty:
            where = ownerless
        else:
            continue
        due, suspended = dues.get(case.id, (None, False))
        where.append(
            InHand(
                case=case.id,
                number=case.number,
                version=case.version,
                item_name=case.item_name,
                applicant=case.applicant().name,
                state_zh=wording.state(str(standing.state), standing.outcome, standing.suspended),
                light=clock.light(
                    due=due, suspended=suspended, stopped=False, at=at, calendar=calendar
                ),
                due=due,
                since=holder.since,
                holder_zh=post_names.get(holder.post or "", ""),
                targets=_targets(case, standing, staff[case.agency], posts),
            )
        )
    longest = max(len(one) for one in (mine, offered, ownerless))
    return Hands(
        tuple(mine[:MOST_HELD]),
        tuple(offered[:MOST_HELD]),
        tuple(ownerless[:MOST_HELD]),
        cut=any(len(part) > MOST_HELD for part in parts) or longest > MOST_HELD,
    )


def _vacant_posts(actor: Actor, *, at: datetime) -> frozenset[str]:
    """The posts of a head's agencies on which nobody is today: no case may be without an owner."""
    agencies = {code for role, code in actor.holdings if role == "head"}
    return rosters.vacant_of(agencies, at=at) if agencies else frozenset()


def _targets(
    case: Loaded, standing: lifecycle.Standing, staff: Sequence[Colleague], own: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """The posts that may have the case next; the people on them in words, A before B."""
    wanted = None
    if standing.state == State.RECEIVED:
        wanted = "window"
    elif (step := case.current_step()) is not None:
        wanted = step.role
    people: dict[str, list[Colleague]] = {}
    for one in staff:
        if one.post not in own and (wanted is None or one.kind == wanted):
            people.setdefault(one.post, []).append(one)
    return tuple(
        (post, f"{'、'.join(one.name for one in on)}（{on[0].post_name}）")
        for post, on in people.items()
    )


# --- the sheet ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Handed:
    """One case given away on the day, for the hand-over sheet (交接单)."""

    case: UUID
    when: datetime
    number: str
    item_name: str
    applicant: str
    state_zh: str
    due: datetime | None
    to: str
    note: str
    taken: bool


def given(actor: Actor, day: date) -> tuple[Handed, ...]:
    """What this person gave away on a day, in its order. The caller records the look."""
    since, until = bounds(day)
    allowed, reach = loading.within(accounts.reach(actor, "case.see"))
    name = f"({loading.APPLICANT} ->> 'name')"
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH e AS MATERIALIZED (SELECT * FROM ledger_event d"  # noqa: S608
            " WHERE d.actor = %(me)s"
            " AND d.occurred >= %(since)s AND d.occurred < %(until)s"
            " AND d.kind = 'handed_over') "
            "SELECT c.id, e.occurred, c.number, c.item_name, "
            f"{name}, c.state, c.outcome, c.suspended, c.due, e.body #>> '{{to,post}}',"
            " e.body #>> '{to,agency}', (SELECT k.data ->> 'text' FROM ledger_content k"
            " WHERE k.id = (e.body #>> '{note,content}')::uuid),"
            " EXISTS (SELECT 1 FROM ledger_event t WHERE t.stream = e.stream"
            " AND t.stream_id = e.stream_id AND t.version > e.version AND t.kind = 'step_taken')"
            " FROM e JOIN cases_case c ON c.id = e.stream_id"
            f" WHERE e.stream = '{STREAM}' AND NOT {GONE} AND {allowed}"
            " ORDER BY e.occurred, c.number LIMIT %(most)s::int",
            {**reach, "me": actor.code, "since": since, "until": until, "most": MOST_DONE},
        )
        rows = cursor.fetchall()
    posts = rosters.post_names({row[9] for row in rows if row[9]})
    on_post: dict[str, list[str]] = {}
    for one in rosters.holders(posts, since=since, until=until):
        on_post.setdefault(one.post, []).append(one.name)
    agencies = accounts.names(agencies=(row[10] for row in rows))
    return tuple(
        Handed(
            case=row[0],
            when=row[1],
            number=row[2],
            item_name=row[3],
            applicant=row[4] or "",
            state_zh=wording.state(row[5], row[6], row[7]),
            due=row[8],
            to=f"{'、'.join(on_post.get(row[9], ()))}（{posts.get(row[9], row[9])}）"
            if row[9]
            else agencies.agency(row[10]),
            note=row[11] or "",
            taken=row[12],
        )
        for row in rows
    )


__all__ = ["Day", "Deed", "Hands", "InHand", "Left", "Whose", "choices", "day", "given", "hands"]
