"""Reading cases. Every read takes the actor and passes the one filter of `loading.within`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache, cached_property, partial
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection
from django.db.backends.utils import CursorWrapper

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor, Names
from zhengwu.calendars import queries as calendars
from zhengwu.cases import alarms, drafts, loading, wording
from zhengwu.cases.acts import VERBS, handling, mending
from zhengwu.cases.drafts import Draft
from zhengwu.cases.events import STREAM
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.loading import CaseNotFound, Loaded
from zhengwu.cases.parties import Applicant
from zhengwu.cases.verbs import GOOD, Ask, Verb
from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.documents import files
from zhengwu.documents import queries as documents
from zhengwu.domain import clock, lifecycle, timeledger
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries

PAGE = 20
NAME = f"({loading.APPLICANT} ->> 'name')"
EXPORT = 5_000
COUNTED = 500  # totals stop here, and so do the pages: “500 以上”

_ASKED = (
    "EXISTS (SELECT 1 FROM ledger_event q WHERE q.stream = 'case' AND q.stream_id = c.id "
    "AND q.kind = 'opinion_requested' AND {whose} AND NOT EXISTS ("
    "SELECT 1 FROM ledger_event a WHERE a.stream = 'case' AND a.stream_id = c.id AND ("
    "a.kind = 'opinion_given' AND (a.body ->> 'request')::int = q.version OR "
    "a.kind = 'entry_withdrawn' AND (a.body ->> 'version')::int = q.version)))"
)
# What the folders of the inbox hold: name, Chinese, condition on open cases. What waits for an
# agency without naming a post waits for those whose posts do what the state asks for.
FOLDERS: tuple[tuple[str, str, str], ...] = (
    (
        "mine",
        "交给我的",
        "c.holder_kind = 'handing_over' AND c.holder_agency = ANY(%(own)s::text[]) AND ("
        "c.holder_post = ANY(%(posts)s::text[]) OR c.holder_post IS NULL AND "
        "CASE WHEN c.state = 'handling' THEN %(handles)s ELSE %(at_window)s END)",
    ),
    ("hand", "我承办的", "c.holder_actor = %(me)s AND c.holder_kind IN ('department', 'window')"),
    ("receiving", "待受理", "c.state = 'received'"),
    ("supplementing", "待补正", "c.state = 'supplementing'"),
    ("handling", "审查中", "c.state = 'handling' AND NOT c.suspended"),
    ("suspended", "特别程序中", "c.state = 'handling' AND c.suspended"),
    ("forwarded", "转报中", "c.state = 'forwarded'"),
    ("decided", "待制证", "c.state = 'decided' AND c.holder_kind = 'department'"),
    (
        "deliver",
        "待送达",
        "c.state IN ('decided', 'delivered') AND c.holder_kind <> 'department'",
    ),
    (
        "unpaid",
        "待缴费",
        "c.state = 'decided' AND c.outcome = 'granted' AND "
        "c.item || '@' || c.item_version = ANY(%(pay_first)s::text[]) AND NOT EXISTS ("
        "SELECT 1 FROM ledger_event p WHERE p.stream = 'case' AND p.stream_id = c.id "
        "AND p.kind = 'fee_paid' AND NOT EXISTS (SELECT 1 FROM ledger_event w "
        "WHERE w.stream = 'case' AND w.stream_id = c.id AND w.kind = 'entry_withdrawn' "
        "AND (w.body ->> 'version')::int = p.version))",
    ),
    (
        "asked",
        "请我提意见",
        "c.state = 'handling' AND c.id = ANY(%(opine)s::uuid[]) AND "
        + _ASKED.format(whose="q.body ->> 'agency' = ANY(%(own)s::text[])"),
    ),
    (
        "asking",
        "等意见反馈",
        "c.state = 'handling' AND c.agency = ANY(%(own)s::text[]) AND "
        + _ASKED.format(whose="true"),
    ),
    ("closed", "已办结", "c.closed IS NOT NULL"),
)
OPEN = "c.closed IS NULL"
# The lights of open cases as conditions on the cached columns, so that the database can count them.
_LIGHTS: dict[str, str] = {
    "over": "NOT c.suspended AND c.due < %(now)s",
    "red": "NOT c.suspended AND c.due >= %(now)s AND c.due < %(today)s",
    "yellow": "NOT c.suspended AND c.due >= %(today)s AND c.due < %(soon)s",
    "green": "NOT c.suspended AND c.state <> 'supplementing'"
    " AND (c.due >= %(soon)s OR c.due IS NULL)",
    "pause": "(c.suspended OR c.state = 'supplementing')",
}
LIGHT_SQL = {code: f"({OPEN} AND {condition})" for code, condition in _LIGHTS.items()}
# Folders for some only, and folders whose count would read the stories of all open cases.
ONLY_FOR = {"unpaid": "case.collect", "asked": "case.opine", "asking": "case.review"}
UNCOUNTED = frozenset({"asking", "closed"})
# Folders of what somebody has, not of a state alone; and those of one state.
HELD = frozenset({"mine", "hand", "decided", "deliver"})
OF_ONE_STATE = frozenset({"receiving", "supplementing", "handling", "forwarded", "decided"})
# Whoever may one of these at the case's organ or hall puts its papers on paper (打印文书).
PRINTING = (
    "case.accept",
    "case.deliver",
    "case.review",
    "case.decide",
    "case.decide_at_once",
    "case.head",
)
DECIDING = ("case.review", "case.decide", "case.opine")  # whoever may one of these reviews


class InboxRow(NamedTuple):
    """One line of the inbox."""

    id: UUID
    number: str
    item_name: str
    applicant: str
    source: str
    state_zh: str
    step_zh: str
    holder_zh: str
    light: clock.Light
    due: datetime | None
    provisional: bool
    received_at: datetime
    review: bool  # whether the actor may judge it now


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands in a list: 3 of 7, and the numbers beside it."""

    index: int
    total: int
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Lamp:
    """A counter over the list: how many cases stand under one light."""

    code: str
    zh: str
    count: int


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A page of the inbox; `counts` by folder, `lamps` by light, over all the actor may see."""

    rows: tuple[InboxRow, ...]
    lamps: tuple[Lamp, ...]
    counts: Mapping[str, int]
    page: int
    pages: int
    total: int
    items: tuple[tuple[str, str], ...]
    looked: bool = False  # whether the look at the names is recorded already


class StoryLine(NamedTuple):
    """One thing that happened, as the case page tells it."""

    version: int
    when: datetime
    recorded: datetime | None  # only where it was entered at another time than it happened
    kind: str
    title: str
    text: str
    who: str
    person: str
    document: str | None
    document_zh: str
    observed: bool
    deviation: str | None
    texts: tuple[tuple[str, str], ...] = ()  # free texts, what each is called and what it says
    gone: str = ""  # why the entry does not count any more; empty while it does
    checks: tuple[tuple[str, str], ...] = ()  # of the review list: code, yes | no


class Paper(NamedTuple):
    """A document of the case. replaced_by: the number of what is good instead."""

    zh: str
    number: str
    check: str
    issued: datetime
    kind: str = ""
    void_since: datetime | None = None
    replaced_by: str | None = None
    copies: int = 0  # how often it was printed


class Scan(NamedTuple):
    """An uploaded file of the case. material: its code, or "other". name: personal data.

    digest: what the log says of its bytes ("sha256:…"); empty where the log does not say.
    """

    id: UUID
    material: str
    name: str
    pages: int
    size: int
    when: datetime
    erased: bool
    digest: str = ""


class MaterialLine(NamedTuple):
    """One material: what became of it, why it is not in order, its scans."""

    code: str
    name: str
    state: str  # received | missing | faulty | held
    state_zh: str
    at: datetime | None
    why: str
    scans: tuple[Scan, ...]


@dataclass(frozen=True, slots=True)
class Fee:
    """What is charged (收费) and whether the cashier has ticked it. fee: its words, with basis."""

    fee: str
    basis: str
    first: bool  # paid before the result is handed out
    paid: bool
    said: str
    why: str
    who: str
    when: datetime | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry that somebody wants withdrawn (提请撤销误录). mine: this actor may confirm it."""

    entry: int
    title: str
    when: datetime
    reasons: str
    by: str
    proposed: datetime
    mine: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """Whom to call, or who came for the applicant (联系人、代理人、经办人). Personal data."""

    role_zh: str
    name: str
    phone: str
    scope: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Then:
    """How the case stood at an earlier version (打开页面时的样子)."""

    when: datetime
    state_zh: str
    holder_zh: str
    short: int


@dataclass(frozen=True, slots=True)
class UnpaidRow:
    """A case that waits for the cashier's tick (待缴费)."""

    id: UUID
    number: str
    version: int
    item_name: str
    applicant: str
    fee: str
    state_zh: str
    decided: bool
    due: datetime | None
    light: clock.Light


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt to ask for what the guide does not list. number: None where nothing was received.

    codes: what was asked for, as far as it looked like a code.
    """

    id: UUID
    when: datetime
    number: str | None
    item: str
    item_name: str
    item_version: int
    act: str
    act_zh: str
    codes: tuple[str, ...]
    agency: str | None
    agency_zh: str
    actor: str
    person: str
    post: str


@dataclass(frozen=True, slots=True)
class Attempts:
    """A page of attempts, the newest first. after: what the next page begins behind, None: none."""

    rows: tuple[AttemptRow, ...]
    after: UUID | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the form of an act shows. targets: post and words; agencies: names to choose from."""

    asks: tuple[Ask, ...] = ()
    targets: tuple[tuple[str, str], ...] = ()
    agencies: tuple[str, ...] = ()


@dataclass(frozen=True)
class ActOffer:
    """An act this actor can do now, with the fields it asks for.

    plain: it asks for nothing, a button does. keeps: what is typed is kept as a draft. `draw` asks
    the database for whom it may go to and the like; it is called once, when the form is looked at.
    """

    kind: str
    zh: str
    primary: bool
    plain: bool
    keeps: bool
    draw: Callable[[], Drawn]
    confirm: str = ""

    @cached_property
    def drawn(self) -> Drawn:
        return self.draw()

    @property
    def asks(self) -> tuple[Ask, ...]:
        return self.drawn.asks

    @property
    def targets(self) -> tuple[tuple[str, str], ...]:
        return self.drawn.targets

    @property
    def agencies(self) -> tuple[str, ...]:
        return self.drawn.agencies


@dataclass(frozen=True, slots=True)
class CaseView:
    """All that the case page shows."""

    id: UUID
    number: str
    query_code: str
    version: int
    item_name: str
    item: ItemVersionRow | None
    kind_zh: str
    source: str
    foreign_id: str | None
    state_zh: str
    agency_zh: str
    region: str
    hall: str | None
    applicant: str
    applicant_kind: str
    identifier: str
    phone: str
    people: tuple[Beside, ...]
    opened: datetime
    closed: datetime | None
    outcome: str | None
    light: clock.Light
    reading: clock.Reading
    holder_zh: str
    holder_since: datetime | None
    story: tuple[StoryLine, ...]
    spans: tuple[timeledger.Span, ...]
    materials: tuple[MaterialLine, ...]
    scans: tuple[Scan, ...]  # those of no material
    documents: tuple[Paper, ...]
    prints: bool  # whether the actor may print them; whoever only reads may not
    acts: tuple[ActOffer, ...]
    alarms: tuple[alarms.Raised, ...]
    fee: Fee | None
    proposals: tuple[Proposal, ...]
    undo: str  # what the actor may still undo, by its name; empty if nothing
    then: Then | None
    names: Names  # of everybody in the story
    calendar: calendars.Change | None  # what the calendar's stream came to when the case was read
    drafts: tuple[Draft, ...]  # what this actor has begun to type for it
    told: Any = None  # what a context above asked beside it


@dataclass(frozen=True, slots=True)
class PublicRow:
    """One line of the public progress list (审批动态)."""

    number: str
    item_name: str
    applicant: str
    state_zh: str
    when: datetime


def inbox(
    actor: Actor,
    *,
    folder: str | None = None,
    item: str | None = None,
    q: str = "",
    light: str | None = None,
    page: int = 1,
    size: int = PAGE,
    at: datetime,
    why: str = "",
) -> InboxPage:
    """The cases this actor may see, by time left. `folder` is a name of FOLDERS; None is open.

    why: the look at the applicants' names is recorded with the same statement where a list of one
    agency or hall is asked for, and the page says so (`looked`); else the caller records it.
    """
    page = min(max(1, page), -(-COUNTED // size))  # no list is told further
    with connection.cursor() as cursor:
        change, summary, pages = calendars.lately(), None, page
        while summary is None or summary.change != change or (summary.holds_list and page > pages):
            change = summary.change if summary else change
            page = min(page, pages)
            calendar = calendars.edition(last=change).calendar
            asked = _list(
                actor, folder=folder, item=item, q=q, light=light, bounds=light_bounds(at, calendar)
            )
            shown = None if q else _shown(asked, actor, size, (page - 1) * size, why, at)
            summary = _summary(
                cursor, actor, asked, q=q, folder=folder, item=item, light=light, shown=shown
            )
            pages = max(1, -(-summary.total // size))
        page = min(page, pages)
        listed = summary.listed
        if not summary.holds_list:
            skip = (page - 1) * size
            cursor.execute(
                _listed(asked.where, asked.order, size, skip), {**asked.parameters, "skip": skip}
            )
            listed = cursor.fetchone()[0]
    judges = [accounts.reach(actor, act) for act in DECIDING]
    rows = tuple(_row(columns, calendar, at, judges) for columns in orjson.loads(listed or "[]"))
    lamps = tuple(
        Lamp(code, wording.LIGHTS[code], count)
        for code, count in zip(LIGHT_SQL, summary.by_light, strict=True)
    )
    return InboxPage(
        rows, lamps, summary.by_folder, page, pages, summary.total, summary.items,
        looked=bool(why) and summary.holds_list,
    )  # fmt: skip


_TOLD = (
    "json_build_array(c.id, c.number, c.item_name, {name}, c.source, c.state, c.suspended, c.step,"
    " c.item, c.item_version, c.holder_kind, c.holder_agency,"
    f" {accounts.agency_name_sql('c.holder_agency')}, c.due, c.provisional, c.opened, c.closed,"
    " c.outcome, c.kind, c.agency)"
)


def _listed(where: str, order: str, size: int, skip: int) -> str:
    """The rows of a page as one text: a third of what their values cost to take over one by one.

    How many is said in the statement: planned for any number, a page would cost a tenth of the list.
    """
    few = f"SELECT c.{'id' if skip else '*'} FROM cases_case c WHERE {where} ORDER BY {order} LIMIT {size:d}"  # noqa: S608
    # What is passed over is passed over in the index; the first page is read as it comes.
    of = f"cases_case c WHERE c.id IN ({few} OFFSET %(skip)s)" if skip else f"({few}) c"
    return f"SELECT json_agg({_TOLD.format(name=NAME)} ORDER BY {order})::text FROM {of}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a list as parts of the statement that counts: what stands before it, a scalar
    subquery that tells the rows, parameters."""

    before: str
    rows: str
    parameters: Mapping[str, Any]


def _shown(
    asked: Listing, actor: Actor, size: int, skip: int, why: str, at: datetime
) -> Shown:  # fmt: skip
    """why: who is named in the rows was looked at; empty: the caller records it."""
    of = (
        f"c WHERE {asked.narrowed}" if asked.closed == OPEN else f"cases_case c WHERE {asked.where}"
    )
    few = f"FROM {of} ORDER BY {asked.order} LIMIT {size:d}"
    rows = f"SELECT * {few}"
    if skip or asked.folder in HELD:
        # What is passed over, or sorted to be passed over, is so in the index.
        rows = f"SELECT * FROM cases_case WHERE id IN (SELECT c.id {few} OFFSET %(skip)s)"  # noqa: S608
    before = f", l AS (SELECT c.*, {NAME} AS name FROM ({rows}) c)"  # noqa: S608
    parameters: dict[str, Any] = {"skip": skip}
    if why:
        look, looker = account_services.looks_sql(
            actor,
            STREAM,
            f"SELECT c.id FROM l c WHERE c.name <> '' ORDER BY {asked.order}",  # noqa: S608
            why=why,
            fields=("name",),
            at=at,
        )
        before += f", m AS ({look})"
        parameters |= looker
    rows = f"(SELECT json_agg({_TOLD.format(name='c.name')} ORDER BY {asked.order})::text FROM l c)"  # noqa: S608
    return Shown(before, rows, parameters)


# Folders whose conditions read more than the columns of the summary.
APART = frozenset({"unpaid", "asked", "asking", "closed"})
SUMMARY = (
    "c.state, c.suspended, c.holder_kind, c.holder_agency, c.holder_post, c.holder_actor, c.outcome,"
    " c.item, c.item_name"
)
LIT = (
    "CASE WHEN c.suspended THEN '' WHEN c.due < %(now)s THEN 'over' WHEN c.due < %(today)s THEN 'red'"
    " WHEN c.due < %(soon)s THEN 'yellow' WHEN c.state <> 'supplementing' THEN 'green' ELSE '' END"
)
SHOWN_ITEMS = 200
Items = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the inbox counts, none of it beyond COUNTED. change: the calendar's last one meanwhile;
    listed: the rows of the page, where `holds_list`."""

    change: calendars.Change
    items: Items
    by_folder: Mapping[str, int]
    total: int
    by_light: Sequence[int]
    holds_list: bool = False
    listed: str | None = None


def _summary(
    cursor: CursorWrapper, actor: Actor, asked: Listing,
    *, q: str, folder: str | None, item: str | None, light: str | None, shown: Shown | None,
) -> Summary:  # fmt: skip
    """The counts over the list. How far they go and how they are got depends on the reach.

    One agency, as nearly all of the staff have it: each is counted by itself in the index that
    begins with the agency, so that a desk with ten thousand open cases reads a few thousand entries
    and a small one a few. Any other reach has no such index: it is looked through once, and where
    it holds COUNTED or more, what stands in the folders is not told; nor of a hall that does, whose
    list has an index all the same.
    """
    reach = accounts.reach(actor, "case.see")
    counted = [f for f in folders(actor) if f[0] not in UNCOUNTED]
    alone = q or folder in APART
    listed = None if alone else asked.narrowed
    rows: str | None = None
    holds_list = shown is not None and loading.one_place(reach)
    parameters = {**asked.parameters, **shown.parameters} if shown else asked.parameters
    if reach.agencies and loading.one_place(reach):
        cursor.execute(_bounded(asked, counted, listed, shown), parameters)
        change, everything, chosen, items, by_folder, by_light, rows = cursor.fetchone()
        items = catalog.newest(items) if everything >= COUNTED else orjson.loads(items or "[]")
    else:
        change, everything = None, 0
        if loading.one_place(reach):
            cursor.execute(_of_hall(asked, listed, shown), parameters)
            change, everything, items, chosen, by_light, rows = cursor.fetchone()
            by_folder = ()
        if everything < COUNTED:
            sql = _summary_sql(actor, counted, folder=folder, item=item, light=light)
            cursor.execute(sql, {"item": item, **asked.parameters})
            change, everything, items, chosen, by_light, by_folder = cursor.fetchone()
            by_folder = by_folder if everything < COUNTED else ()
    if alone:
        chosen, by_light = _counted_apart(cursor, asked, lit=q or folder != "closed")
    return Summary(
        calendars.change(change),
        tuple((str(code), str(name)) for code, name in items or ())[:SHOWN_ITEMS],
        {name: count for (name, _, _), count in zip(counted, by_folder, strict=False)},
        chosen, by_light, holds_list, rows,
    )  # fmt: skip


def _counted_apart(
    cursor: CursorWrapper, asked: Listing, *, lit: object
) -> tuple[int, Sequence[int]]:
    """What a search or a folder by itself holds, and under which lights; closed ones are under
    none any more, and without those columns the index alone can count them."""
    where = asked.where
    if not lit:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM cases_case c WHERE {where} LIMIT {COUNTED}) c",  # noqa: S608
            asked.parameters,
        )
        return cursor.fetchone()[0], [0] * len(LIGHT_SQL)
    cursor.execute(
        "SELECT count(*), "  # noqa: S608 - fragments of ours, values as parameters
        + ", ".join(f"count(*) FILTER (WHERE {sql})" for sql in LIGHT_SQL.values())
        + " FROM (SELECT c.closed, c.suspended, c.due, c.state FROM cases_case c"
        + f" WHERE {where} LIMIT {COUNTED}) c",
        asked.parameters,
    )
    total, *by_light = cursor.fetchone()
    return total, by_light


# --- counts of what is open in reach, each by itself, none beyond COUNTED ----------------------------


def _open(allowed: str) -> str:
    """What the counts are of. A name for a text that would else stand in each: the driver looks
    through a statement of more than 4,096 letters anew every time."""
    return (
        "WITH c AS NOT MATERIALIZED (SELECT c.* FROM cases_case c"  # noqa: S608 - fragments of ours
        f" WHERE c.closed IS NULL AND {allowed})"
    )


def _all(*conditions: str) -> str:
    return " AND ".join(one for one in conditions if one != "true") or "true"


def _count(condition: str, *, of: str = "", by: str = "") -> str:
    """How many under a condition. of: what is gone through beside them, and names its cases; by: in
    the order of the index from which it is to be counted: planned for any agency, a condition that
    seems rare would be sought in the table."""
    order = f" ORDER BY {by}" if by else ""
    return f"(SELECT count(*) FROM (SELECT FROM {of}c WHERE {condition}{order} LIMIT {COUNTED}))"  # noqa: S608


def _several(*conditions: str, of: str = "", by: str = "") -> str:
    return f"least({' + '.join(_count(one, of=of, by=by) for one in conditions)}, {COUNTED})"


def _lit(asked: Listing) -> str:
    """How many of a list stand under each light. What can never be is not asked for, because the database does not see that it cannot:
    nothing runs of what is suspended, what waits for the applicant is not green, and nothing stands
    under two lights."""
    only = "pause" if asked.folder == "suspended" else asked.light
    never = {"supplementing": "green", "handling": "pause"}.get(asked.folder)
    counts = [
        _under(asked.narrowed, code, asked.folder)
        if only in (None, code) and code != never
        else "0"
        for code in _LIGHTS
    ]
    return f"ARRAY[{', '.join(counts)}]"


def _under(listed: str, code: str, folder: str) -> str:
    """How many of a list stand under one light; of one state they are counted from its index."""
    running = _all(listed, "NOT c.suspended")
    one_state = folder in OF_ONE_STATE
    if code == "green":  # what has most time left or no limit is last in the list
        counting = running if one_state else f"{running} AND c.state <> 'supplementing'"
        return (
            f"(SELECT count(*) FROM (SELECT c.due FROM c WHERE {counting}"  # noqa: S608
            f" ORDER BY c.suspended DESC, c.due DESC, c.id DESC LIMIT {COUNTED})"
            " WHERE (due < %(soon)s) IS NOT TRUE)"
        )
    if code == "pause":
        stopped = _all(listed, "c.suspended")
        if one_state and folder != "supplementing":
            return _count(stopped)
        return _several(stopped, f"{running} AND c.state = 'supplementing'")
    by = "c.suspended, c.due, c.id" if one_state else ""
    return _count(_all(listed, _LIGHTS[code]), by=by)


def _mine(parameters: Mapping[str, Any]) -> str:
    """How much is handed to this actor: to a post by itself, to the agency in the states that their
    posts are for. Each is sought by all that the index holds before the post; who belongs to one
    agency and holds one post is asked for by these, which costs half. What no post of theirs is for
    is not asked."""
    one = len(parameters["own"]) == 1
    home = "%(home)s" if one else "o.code"
    post = "= %(post)s" if len(parameters["posts"]) == 1 else "= ANY(%(posts)s::text[])"
    whose = f"c.holder_kind = 'handing_over' AND c.holder_agency = {home} AND c.holder_post"
    handed = [f"{whose} {post}"]
    handed += [f"c.state = 'handling' AND {whose} IS NULL"] if parameters["handles"] else []
    handed += [f"c.state <> 'handling' AND {whose} IS NULL"] if parameters["at_window"] else []
    if one:
        return _several(*handed, by="c.state")
    return _several(*handed, of="unnest(%(own)s::text[]) o(code), ")


def _held(folder: str, condition: str) -> str:
    """How many a folder holds."""
    if folder == "decided":  # suspended stands in the index between state and kind
        return _count(f"{condition} AND c.suspended IN (false, true)")
    return _count(condition, by="c.state" if folder in HELD else "")


# Folders of which a case is in no more than one.
_APART = ("receiving", "supplementing", "handling", "suspended", "forwarded", "decided", "deliver")


def _bounded(
    asked: Listing, counted: Sequence[tuple[str, str, str]], listed: str | None, shown: Shown | None
) -> str:
    """How many cases are open in reach, of a list how many, the items in reach, how many open cases
    by folder, how many of the list by light, a page of it.

    For the whole list of one agency below 4,096 letters, beyond which the driver looks through it
    anew every time; for most folders a little above. Where the folders hold enough nothing else is
    counted to know that the whole does.
    """
    names = [name for name, _, _ in counted]
    held = [
        _mine(asked.parameters) if name == "mine" else _held(name, sql) for name, _, sql in counted
    ]
    apart = " + ".join(f"h.held[{names.index(name) + 1}]" for name in _APART)
    if listed is None:
        chosen = "0"
    elif asked.whole and not asked.folder:
        chosen = "w.n"
    else:
        of_folder = asked.whole and asked.folder in names
        chosen = f"h.held[{names.index(asked.folder) + 1}]" if of_folder else _count(listed)
    lit = _lit(asked) if listed else "NULL"
    return (
        f"{_open(asked.allowed)}{shown.before if shown else ''} SELECT {calendars.LAST_CHANGE}, w.n,"  # noqa: S608
        f" {chosen}, CASE WHEN w.n < {COUNTED} THEN (SELECT"
        " json_agg(json_build_array(i.item, i.item_name) ORDER BY i.item_name) FROM"
        " (SELECT DISTINCT c.item, c.item_name FROM c WHERE c.item IS NOT NULL) i)::text"
        f" ELSE {catalog.named_of_sql('%(reach_agency)s')} END, h.held, {lit},"
        f" {shown.rows if shown else 'NULL'}"
        f" FROM (SELECT ARRAY[{', '.join(held)}] held OFFSET 0) h, LATERAL (SELECT CASE WHEN"
        f" {apart} >= {COUNTED} THEN {COUNTED} ELSE {_count('true')} END n OFFSET 0) w"
    )


def _of_hall(asked: Listing, listed: str | None, shown: Shown | None) -> str:
    """How many cases are open in reach; if they are COUNTED or more, items among them, how many are
    in a list, and how many of it by light; a page of it."""
    chosen = f"{_count(listed)}, {_lit(asked)}" if listed else "0, '{}'::int[]"
    return (
        f"{_open(asked.allowed)}{shown.before if shown else ''} SELECT {calendars.LAST_CHANGE}, w.n,"  # noqa: S608
        f" i.items, i.chosen, i.lit, {shown.rows if shown else 'NULL'} FROM"
        f" (SELECT {_count('true')} n OFFSET 0) w LEFT JOIN LATERAL (SELECT (SELECT"
        " array_agg(ARRAY[i.item, i.item_name]) FROM (SELECT DISTINCT f.item, f.item_name FROM"
        f" (SELECT c.item, c.item_name FROM c LIMIT {COUNTED}) f WHERE f.item IS NOT NULL"
        f" ORDER BY 2 LIMIT {SHOWN_ITEMS}) i), {chosen}) i(items, chosen, lit)"
        f" ON w.n >= {COUNTED}"
    )


def _summary_sql(
    actor: Actor,
    counted: Sequence[tuple[str, str, str]],
    *,
    folder: str | None,
    item: str | None,
    light: str | None,
) -> str:
    """The same from one look at the open cases in reach: how many, their items, how many are chosen,
    the chosen ones by light, and all by folder.

    Every case is looked at once and put with those alike; what is counted is counted of these few.
    """
    allowed, _ = loading.within(accounts.reach(actor, "case.see"))
    lights = {
        code: "(c.suspended OR c.state = 'supplementing')"
        if code == "pause"
        else f"c.lit = '{code}'"
        for code in LIGHT_SQL
    }
    chosen = ["true"]
    chosen += [sql for name, _, sql in FOLDERS if name == folder and name not in APART]
    chosen += ["c.item = %(item)s"] if item else []
    chosen += [lights[light]] if light in lights else []
    picked = " AND ".join(f"({one})" for one in chosen)

    def total(condition: str) -> str:
        return f"coalesce(sum(c.n) FILTER (WHERE {condition}), 0)::integer"

    def apart(condition: str) -> str:
        return (
            "(SELECT count(*)::integer FROM (SELECT 1 FROM cases_case c"  # noqa: S608
            f" WHERE c.closed IS NULL AND {allowed} AND {condition} LIMIT {COUNTED}) few)"
        )

    by_folder = [apart(sql) if name in APART else total(sql) for name, _, sql in counted]
    by_light = [total(f"({picked}) AND {sql}") for sql in lights.values()]
    return (
        f"WITH alike AS MATERIALIZED (SELECT {SUMMARY}, {LIT} AS lit, count(*) AS n FROM"  # noqa: S608
        f" (SELECT c.* FROM cases_case c WHERE c.closed IS NULL AND {allowed} LIMIT {COUNTED}) c"
        " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)"
        f" SELECT {calendars.LAST_CHANGE}, {total('true')}, (SELECT array_agg(ARRAY[i.item, i.item_name]) FROM (SELECT"
        " DISTINCT a.item, a.item_name FROM alike a WHERE a.item IS NOT NULL ORDER BY 2"
        f" LIMIT {SHOWN_ITEMS}) i), {total(picked)},"
        f" ARRAY[{', '.join(by_light)}], ARRAY[{', '.join(by_folder)}]::integer[] FROM alike c"
    )


def folders(actor: Actor) -> tuple[tuple[str, str, str], ...]:
    """The folders this actor's inbox has."""
    opine = any(act == "case.opine" for act, _ in actor.granted)
    return tuple(
        one
        for one in FOLDERS
        if (act := ONLY_FOR.get(one[0])) is None
        or (actor.may(act) and (one[0] != "asked" or opine))
    )


def place(
    actor: Actor,
    number: str,
    *,
    folder: str | None = None,
    item: str | None = None,
    light: str | None = None,
    at: datetime,
) -> Place:
    """Where a case stands among the first under review of an inbox's list, to go through them.

    index 0: it is not among them (any more); `after` is then the first.
    """
    bounds = light_bounds(at, calendars.edition().calendar)
    asked = _list(actor, folder=folder, item=item, q="", light=light, bounds=bounds)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.number FROM cases_case c WHERE {asked.where} AND c.state = 'handling' "  # noqa: S608
            f"ORDER BY {asked.order} LIMIT {BESIDE}",
            asked.parameters,
        )
        listed = [row[0] for row in cursor.fetchall()]
    if number not in listed:
        return Place(0, len(listed), None, listed[0] if listed else None)
    index = listed.index(number)
    return Place(
        index + 1,
        len(listed),
        listed[index - 1] if index else None,
        listed[index + 1] if index + 1 < len(listed) else None,
    )


BESIDE = 500  # how many of a list are walked with "next" and "previous"


@dataclass(frozen=True, slots=True)
class Listing:
    """An inbox's list as SQL on alias `c`: what the actor may see, whether open ones alone, what
    else is asked. folder: of this one, "" of none; light: under this one alone; whole: the folder, or
    all that is open, is not narrowed further."""

    folder: str
    light: str | None
    whole: bool
    allowed: str
    closed: str  # a condition on `closed`; empty: both
    chosen: tuple[str, ...]
    order: str
    parameters: dict[str, Any]

    @property
    def where(self) -> str:
        return " AND ".join(one for one in (self.allowed, self.closed, *self.chosen) if one)

    @property
    def narrowed(self) -> str:
        """What is asked of the open ones in reach."""
        return " AND ".join(self.chosen) or "true"


def _list(
    actor: Actor,
    *,
    folder: str | None,
    item: str | None,
    q: str,
    light: str | None,
    bounds: Mapping[str, datetime],
) -> Listing:
    """Condition, order and parameters of an inbox's list."""
    allowed, parameters = loading.within(accounts.reach(actor, "case.see"))
    parameters |= _own(actor)
    chosen = []
    closed = OPEN
    of_folder = next((c for name, _, c in FOLDERS if name == folder), None)
    if folder == "closed":
        closed = str(of_folder)
    elif of_folder:
        chosen.append(f"({of_folder})")
    if item:
        chosen.append("c.item = %(item)s")
        parameters["item"] = item
    q = q.strip()[:100].replace("\x00", "")
    if q:
        closed, chosen = "", chosen[1:] if of_folder and folder != "closed" else chosen
        chosen.append(
            "(c.number = upper(%(q)s) OR c.foreign_id = %(q)s OR c.applicant_id IN ("
            "SELECT id FROM cases_party WHERE name = %(q)s UNION ALL "
            "SELECT party_id FROM cases_partyidentifier WHERE value = upper(%(q)s)))"
        )  # a search looks into closed cases too
        parameters["q"] = q
    parameters |= bounds
    if light in LIGHT_SQL:
        chosen.append(LIGHT_SQL[light])
    order = "c.closed DESC, c.id" if folder == "closed" else "c.suspended, c.due NULLS LAST, c.id"
    return Listing(
        folder or "" if of_folder else "", light if light in LIGHT_SQL else None,
        not (item or q or light in LIGHT_SQL),
        allowed, closed, tuple(chosen), order, parameters,
    )  # fmt: skip


def _own(actor: Actor) -> dict[str, Any]:
    """What the folders ask of the actor: agencies, posts, grants; and the items paid first."""
    kinds = {post.kind for post in actor.posts}
    agencies = {post.agency for post in actor.posts} | ({actor.agency} if actor.agency else set())
    return {
        "me": actor.code,
        "own": sorted(agencies),
        "home": min(agencies, default=None),
        "posts": (posts := sorted(post.code for post in actor.posts)),
        "post": posts[0] if posts else None,
        "handles": bool(kinds & {"review", "decide", "head"}),
        "at_window": "window" in kinds,
        "opine": sorted(stream for act, stream in actor.granted if act == "case.opine"),
        "pay_first": catalog.paid_first() if actor.may("case.collect") else [],
    }


SOON = 2  # working days left at which a case is "near" (临期); a setting of the house, not of law


def light_bounds(at: datetime, calendar: Calendar) -> dict[str, datetime]:
    """The instants that part the lights: now, the end of today, the end of the second working day."""
    from datetime import time, timedelta

    day = at.astimezone(SHANGHAI).date()
    soon = calendar.add_working_days(day, SOON).day

    def end(of: date) -> datetime:
        return datetime.combine(of + timedelta(days=1), time(), tzinfo=SHANGHAI)

    return {"now": at, "today": end(day), "soon": end(soon)}


WAITING = clock.Light("pause", "等待补正")


def _row(
    columns: Sequence[Any], calendar: Calendar, at: datetime, judges: Sequence[accounts.Reach]
) -> InboxRow:
    """A row of _LISTED."""
    (told, number, item_name, applicant, source, state, suspended, step, item, item_version,
     holder_kind, holder_agency, holder_name, ends, provisional, opened, closed, outcome, kind,
     agency) = columns  # fmt: skip
    identifier, due = UUID(told), datetime.fromisoformat(ends) if ends else None
    waits = state == "supplementing" and closed is None
    light = (
        WAITING
        if waits
        else clock.light(
            due=due,
            suspended=suspended,
            stopped=closed is not None,
            at=at,
            calendar=calendar,
        )
    )
    in_words = wording.state(state, outcome, suspended)
    review = state == "handling" and kind != "foreign"
    return InboxRow(
        id=identifier,
        number=number,
        item_name=item_name,
        applicant=applicant or "",
        source=wording.source(source),
        state_zh=in_words,
        step_zh=_step_name(item, item_version, step) or in_words,
        holder_zh=wording.held_by(holder_kind, holder_name or holder_agency or ""),
        light=light,
        due=due,
        provisional=provisional,
        received_at=datetime.fromisoformat(opened),
        review=review and _judged(agency, identifier, judges),
    )


def _judged(agency: str, identifier: UUID, judges: Sequence[accounts.Reach]) -> bool:
    for reach in judges:
        if reach.everything or agency in reach.agencies:
            return True
        if reach.streams and identifier in reach.streams:
            return True
    return False


def _step_name(item: str | None, version: int | None, step: str | None) -> str:
    if item is None or version is None or step is None:
        return ""
    for one in catalog.version(item, version).steps:
        if one.code == step:
            return one.name
    return wording.STEPS.get(step, step)


LOOKED_AT = ("identifier", "name", "phone")  # what a case's page shows of the applicant
TEXTS = "texts"  # opinions, reasons, names of organs and receivers


def case(
    actor: Actor,
    number: str,
    *,
    at: datetime,
    seen: int | None = None,
    why: str = "",
    beside: tuple[str, Mapping[str, Any]] | None = None,
) -> CaseView:
    """One case with its whole story. Raises CaseNotFound.

    seen: also how it stood at this version (`then`). Personal data: the applicant, free texts. why:
    the look at them is recorded; empty: the caller records it. beside: a scalar subquery on alias
    `c` of a context above, and its parameters; its value is `told`.
    """
    parameters: dict[str, Any] = {
        "me": actor.code, "home": actor.agency, "slots": drafts.of_case(number),
    }  # fmt: skip
    wanted: tuple[str, ...] = BESIDE_CASE
    if beside:
        wanted, parameters = (*BESIDE_CASE, beside[0]), {**beside[1], **parameters}
    loaded, found = loading.load_to_show(actor, number, wanted, parameters)
    around = Around.of(*found[: len(BESIDE_CASE)])
    told = found[-1] if beside else None
    return _view(loaded, around, actor, at, seen, why, told)


# What stands on a case's page beside its story: papers, files, alarms, free texts, own drafts; and
# whom it may go to, for those who hand it on from one to the next.
BESIDE_CASE = (
    documents.of_stream_sql(stream="'case'", stream_id="c.id"),
    files.of_sql(stream="'case'", stream_id="c.id"),
    alarms.of_case_sql("c.id"),
    ledger_queries.named_contents_sql(
        stream="'case'", stream_id="c.id", places=tuple(wording.TEXTS)
    ),
    drafts.under_sql("%(me)s::text", "%(slots)s::text"),
    "CASE WHEN c.state = 'handling' AND c.agency = %(home)s::text THEN"
    f" {accounts.colleagues_sql('c.agency')} END",
)


@dataclass(frozen=True, slots=True)
class Around:
    """The values of BESIDE_CASE."""

    papers: tuple[documents.OfCase, ...]
    files: Sequence[files.File]
    alarms: tuple[alarms.Raised, ...]
    texts: Mapping[UUID, Any]
    drafts: tuple[Draft, ...]
    staff: tuple[accounts.Colleague, ...]

    @classmethod
    def of(
        cls, papers: str | None, uploads: str | None, raised: str | None, texts: str | None,
        begun: str | None, staff: str | None,
    ) -> Around:  # fmt: skip
        return cls(
            documents.listed(papers), files.listed(uploads), alarms.raised(raised),
            ledger_queries.named_contents(texts), drafts.begun(begun),
            accounts.colleagues_told(staff),
        )  # fmt: skip


def unpaid(actor: Actor, *, q: str = "", at: datetime, most: int = 100) -> tuple[UnpaidRow, ...]:
    """The cases that wait for this actor's tick (待缴费), by time left; q: number or applicant.

    A search also finds what is paid for before the decision. Personal data: the caller records
    the looks.
    """
    reach = accounts.reach(actor, "case.collect")
    condition = next(sql for name, _, sql in FOLDERS if name == "unpaid")
    parameters = _own(actor)
    q = q.strip()[:100].replace("\x00", "")
    if q:
        condition = (
            "c.closed IS NULL AND c.state IN ('handling', 'decided') "
            "AND c.item || '@' || c.item_version = ANY(%(pay_first)s::text[]) "
            "AND (c.number = upper(%(q)s) OR c.applicant_id IN ("
            "SELECT id FROM cases_party WHERE name = %(q)s UNION ALL "
            "SELECT party_id FROM cases_partyidentifier WHERE value = upper(%(q)s)))"
        )
        parameters["q"] = q
    rows = []
    for loaded in loading.several(actor, condition, parameters, most=most):
        inside = reach.everything or loaded.agency in reach.agencies or loaded.id in reach.streams
        if not inside or loaded.standing.paid:
            continue
        standing, reading = loaded.standing, loaded.read(at)
        rows.append(
            UnpaidRow(
                id=loaded.id,
                number=loaded.number,
                version=loaded.version,
                item_name=loaded.item_name,
                applicant=loaded.applicant().name,
                fee=loaded.item_row().fee,
                state_zh=wording.state(str(standing.state), standing.outcome, standing.suspended),
                decided=standing.outcome == "granted",
                due=reading.due.due if reading.due else None,
                light=reading.light(at),
            )
        )
    return tuple(rows)


ATTEMPTED = (
    "SELECT c.id, c.occurred, k.number, c.item, c.item_version, c.act, e.body, c.agency, e.actor,"
    " e.post FROM cases_attempt c"
    " JOIN ledger_event e ON e.stream = 'attempt' AND e.stream_id = c.id AND e.version = 1"
    ' LEFT JOIN cases_case k ON k.id = c."case" WHERE {allowed}{behind}'
    " ORDER BY c.occurred DESC, c.id DESC LIMIT %(most)s"
)


def attempts(actor: Actor, *, after: UUID | None = None, size: int = PAGE) -> Attempts:
    """The attempts that this supervisor may see (列表外索要), the newest first."""
    allowed, parameters = loading.within(accounts.reach(actor, "supervise.see"))
    behind = (
        " AND (c.occurred, c.id) < (SELECT b.occurred, b.id FROM cases_attempt b"
        " WHERE b.id = %(after)s::uuid)"
        if after
        else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(
            ATTEMPTED.format(allowed=allowed, behind=behind),
            {**parameters, "after": after, "most": size + 1},
        )
        found = cursor.fetchall()
    shown = found[:size]
    names = accounts.names(
        agencies={row[7] for row in shown}, people={row[8] for row in shown}
    )  # fmt: skip
    items = catalog.names(row[3] for row in shown)
    return Attempts(
        tuple(
            AttemptRow(
                id=identifier,
                when=when,
                number=number,
                item=item,
                item_name=items[item],
                item_version=version,
                act=act,
                act_zh=VERBS[act].zh if act in VERBS else wording.ACTS.get(act, act),
                codes=tuple(ledger_queries.parse(body)["codes"]),
                agency=agency,
                agency_zh=names.agency(agency),
                actor=who or "",
                person=names.person(who),
                post=post or "",
            )
            for identifier, when, number, item, version, act, body, agency, who, post in shown
        ),
        shown[-1][0] if len(found) > size else None,
    )


def recent_public(*, limit: int = 8) -> tuple[PublicRow, ...]:
    """The newest cases, masked, for the public progress list. Index only on `opened`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.number, c.item_name, {NAME}, c.state, c.outcome, c.suspended, c.opened "  # noqa: S608
            "FROM cases_case c "
            "WHERE c.kind <> 'foreign' ORDER BY c.opened DESC LIMIT %s::int",
            [limit],
        )
        return tuple(
            PublicRow(
                number,
                item_name,
                wording.masked(name or ""),
                wording.state(state, outcome, suspended),
                opened,
            )
            for number, item_name, name, state, outcome, suspended, opened in cursor.fetchall()
        )


def _view(
    loaded: Loaded,
    around: Around,
    actor: Actor,
    at: datetime,
    seen: int | None,
    why: str,
    told: Any,
) -> CaseView:
    from zhengwu.cases.services import can_undo

    standing = loaded.standing
    reading = loaded.read(at)
    applicant = loaded.applicant()
    issued = around.papers
    said = {key: around.texts.get(one) for key, one in _places(loaded).items()}
    texts = _texts(loaded, said)
    fields = (*LOOKED_AT, TEXTS) if any(texts.values()) else LOOKED_AT
    names = _names(loaded, look=(actor, why, fields, at) if why else None)
    scans = _scans(loaded, around.files)
    listed = {material.code for material in loaded.materials()}
    return CaseView(
        id=loaded.id,
        number=loaded.number,
        query_code=loaded.query_code,
        version=loaded.version,
        item_name=loaded.item_name,
        item=loaded.item_row() if loaded.item else None,
        kind_zh=wording.KINDS[loaded.kind],
        source=wording.source(loaded.source),
        foreign_id=loaded.foreign_id,
        state_zh=wording.state(str(standing.state), standing.outcome, standing.suspended),
        agency_zh=names.agency(loaded.agency),
        region=loaded.region,
        hall=loaded.hall,
        applicant=applicant.name,
        applicant_kind=applicant.kind,
        identifier=wording.masked_number(applicant.identifier),
        phone=wording.masked_phone(applicant.phone),
        people=_people(applicant),
        opened=loaded.opened,
        closed=standing.closed_at,
        outcome=standing.outcome,
        light=reading.light(at),
        reading=reading,
        holder_zh=wording.holder(str(standing.holder.kind), standing.holder.agency, names),
        holder_since=standing.holder.since,
        story=_story(loaded, names, said, texts),
        spans=timeledger.of_life(loaded.life, until=at),
        materials=_materials(loaded, said, scans),
        scans=tuple(s for s in scans if s.material not in listed),
        documents=_papers(issued),
        prints=_may_print(actor, loaded),
        acts=_offers(loaded, actor, at, reading, issued, around.staff),
        alarms=around.alarms,
        drafts=around.drafts,
        fee=_fee(loaded, names, said),
        proposals=_proposals(loaded, actor, names, said),
        undo=can_undo(actor, loaded, at),
        then=_then(loaded, names, seen) if seen else None,
        names=names,
        calendar=loaded.calendar,
        told=told,
    )


def _may_print(actor: Actor, loaded: Loaded) -> bool:
    """By role and place only: a grant on one case (an opinion asked for) opens no printer."""
    reached = (accounts.reach(actor, act) for act in PRINTING if actor.may(act))
    return any(
        reach.everything or loaded.agency in reach.agencies or loaded.hall in reach.halls
        for reach in reached
    )


def _people(applicant: Applicant) -> tuple[Beside, ...]:
    found = []
    if one := applicant.contact:
        found.append(Beside("联系人", one.name, wording.masked_phone(one.phone), "", None))
    if agent := applicant.agent:
        role = "经办人" if agent.role == "staff" else "代理人"
        phone = wording.masked_phone(agent.phone)
        found.append(Beside(role, agent.name, phone, agent.scope, agent.until))
    return tuple(found)


def _places(loaded: Loaded) -> Mapping[tuple[int, str], UUID]:
    """Where free texts of a case stand: the content's id by version of the entry and place."""
    return {
        (event.version, place): UUID(str(kept["content"]))
        for event in loaded.events
        if event.nature == Nature.ACT
        for place, kept in event.body.items()
        if place in wording.TEXTS and isinstance(kept, Mapping) and kept.get("content")
    }


def _names(loaded: Loaded, *, look: tuple[Actor, str, Collection[str], datetime] | None) -> Names:
    """The names of everybody in the story, and the windows of the posts. look: recorded with them."""
    agencies: set[str | None] = {loaded.agency}
    people: set[str | None] = set()
    posts: set[str | None] = set()
    for event in loaded.events:
        agencies.add(event.agency)
        people.add(event.actor)
        posts.add(event.post)
        if via := event.body.get("via"):
            people.add(f"{accounts.SYSTEM}{via}")
        people.update(str(one) for one in event.body.get("people") or ())
        if (target := event.body.get("to")) and isinstance(target, Mapping):
            agencies.add(str(target.get("agency") or ""))
            posts.add(str(target.get("post") or ""))
        agencies.update(
            code for place in ("agency", "whose") if isinstance(code := event.body.get(place), str)
        )
    if look is None:
        return accounts.names(agencies=agencies, people=people, posts=posts)
    actor, why, fields, at = look
    return account_services.look_and_name(
        actor, STREAM, loaded.id, why=why, fields=fields, at=at,
        agencies=agencies, people=people, posts=posts,
    )  # fmt: skip


Staff = Callable[[str], Sequence[accounts.Colleague]]
LISTED = frozenset({"inspected", "document_corrected"})  # their forms list staff and papers


def _offers(
    loaded: Loaded,
    actor: Actor,
    at: datetime,
    reading: clock.Reading,
    issued: Sequence[documents.OfCase],
    known: tuple[accounts.Colleague, ...],
) -> tuple[ActOffer, ...]:
    """The acts that law, permission and the holder allow this actor now. known: the staff of the
    case's agency, if it was read with the case."""
    if loaded.kind == "foreign":
        return ()

    @cache
    def staff(agency: str) -> tuple[accounts.Colleague, ...]:
        return known if known and agency == loaded.agency else accounts.colleagues(agency)

    reach = cache(partial(accounts.reach, actor))
    standing = loaded.standing
    offers: list[ActOffer] = []
    for verb in VERBS.values():
        # The table first: it rules out most of them, and is the least to ask.
        if not lifecycle.may_start(standing, verb.kind):
            continue
        if why_not(loaded, verb, actor, at, reading, reach=reach) is not None:
            continue
        fields = verb.asks if verb.kind in LISTED else verb.form_of(loaded)
        offers.append(
            ActOffer(
                kind=verb.kind,
                zh=verb.zh,
                primary=not offers and verb.kind not in ("refused", "handed_over"),
                plain=not (fields or verb.confirm or verb.kind in LISTED),
                keeps=any(ask.kind == "long" for ask in fields),
                draw=partial(_drawn, loaded, verb, issued, staff),
                confirm=verb.confirm,
            )
        )
    return tuple(offers)


def _drawn(loaded: Loaded, verb: Verb, issued: Sequence[documents.OfCase], staff: Staff) -> Drawn:
    asks = _asks(loaded, verb, issued, staff)
    return Drawn(
        asks,
        _targets(loaded, verb, asks, staff),
        organs() if any(ask.kind == "agency" for ask in asks) else (),
    )


def why_not(
    loaded: Loaded,
    verb: Verb,
    actor: Actor,
    at: datetime,
    reading: clock.Reading,
    *,
    reach: Callable[[str], accounts.Reach] | None = None,
) -> Refusal | None:
    """What keeps this actor from doing this now; None where nothing does. reach: see `permit`."""
    from zhengwu.cases.services import permit

    standing = loaded.standing
    try:
        permit(actor, loaded, verb, reach=reach)
        if not verb.fits(loaded):
            return Refusal("case.not_now", f"办件还没有办到或者已经办过“{verb.zh}”这一步。")
        lifecycle.admit(
            standing, verb.kind, at=at, now=at, actor=actor.code,
            body=_sample(standing, verb.kind, actor),
            case_kind=loaded.kind, due=handling.expiry(reading),
        )  # fmt: skip
    except Refusal as refusal:
        return refusal
    return None


def _sample(standing: lifecycle.Standing, kind: str, actor: Actor) -> Mapping[str, Any]:
    """A form filled in right, to ask the table whether the act itself could pass."""
    body: dict[str, Any] = {
        "reasons": {"content": ""},
        "again": {"content": ""},
        "procedure": next(
            (p for p in lifecycle.PROCEDURES if p not in standing.procedures), "hearing"
        ),
        "days": 1,
        "people": ["1", "2"],
    }
    if kind == "withdrawal_proposed":
        body["version"] = standing.version
    if kind == "entry_withdrawn":
        body["version"] = next((o.entry for o in standing.proposed if o.actor != actor.code), 0)
    if kind == "opinion_given":
        own = {post.agency for post in actor.posts} | {actor.agency}
        body["request"] = next((o.version for o in standing.asking if o.agency in own), 0)
    return body


def _asks(
    loaded: Loaded, verb: Verb, issued: Sequence[documents.OfCase], staff: Staff
) -> tuple[Ask, ...]:
    """`verb.form_of`, from what the page has already asked the database for."""
    if verb.kind == "inspected":
        return (*handling.inspectors(staff(loaded.agency)), *verb.asks)
    if verb.kind == "document_corrected":
        return (*mending.which_paper(issued), *verb.asks)
    return verb.form_of(loaded)


def _targets(
    loaded: Loaded, verb: Verb, asks: Sequence[Ask], staff: Staff
) -> tuple[tuple[str, str], ...]:
    if not any(ask.kind == "colleague" for ask in asks):
        return ()
    kind = handling.post_kind(loaded, after=verb.kind == "step_done")
    return tuple(
        (one.post, f"{one.name}（{one.post_name}）")
        for one in staff(loaded.agency)
        if kind is None or one.kind == kind
    )


def organs() -> tuple[str, ...]:
    """The names of the departments, to choose from while typing."""
    return accounts.names_of_kinds("department", "utility")


def _texts(
    loaded: Loaded, said: Mapping[tuple[int, str], Any]
) -> dict[int, tuple[tuple[str, str], ...]]:
    """The free texts by version, what each is called and what it says."""
    materials = {m.code: m.name for m in loaded.materials()}
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for place, label in wording.TEXTS.items():
        for version in [version for version, there in said if there == place]:
            data = said[version, place]
            found[version] = (
                *found.get(version, ()),
                *(
                    wording.written(data, place, materials)
                    if data is not None
                    else [(label, "（内容已依法删除）")]
                ),
            )
    return found


def _story(
    loaded: Loaded,
    names: Names,
    said: Mapping[tuple[int, str], Any],
    texts: Mapping[int, tuple[tuple[str, str], ...]],
) -> tuple[StoryLine, ...]:
    steps = _step_names(loaded)
    gone = _gone(loaded, names, said)
    return tuple(
        _line(
            event, names, steps=steps, texts=texts.get(event.version, ()),
            gone=gone.get(event.version, ""),
        )
        for event in loaded.events
    )  # fmt: skip


def _step_names(loaded: Loaded) -> dict[str, str]:
    return {s.code: s.name for s in loaded.item_row().steps} if loaded.item else {}


def _gone(loaded: Loaded, names: Names, said: Mapping[tuple[int, str], Any]) -> dict[int, str]:
    """Why entries do not count any more: who withdrew each, and for what."""
    counting = loaded.counting
    standing = {event.version for event in counting}
    gone = {
        event.version: "前面的记录撤销后，这一步不再算数"
        for event in loaded.events
        if event.version not in standing
    }
    for event in counting:
        if event.kind not in ("entry_withdrawn", "retracted"):
            continue
        version = event.body.get("version")
        if version not in gone:
            continue
        by = names.person(event.actor) or wording.source(event.source)
        why = _words(said, int(event.body.get("proposed") or 0), "reasons")
        word = "已撤回" if event.body.get("undo") or event.kind == "retracted" else "误录，已撤销"
        gone[version] = f"{word}（第 {event.version} 条，{by}）" + (f"：{why}" if why else "")
    return gone


def _words(said: Mapping[tuple[int, str], Any], version: int, place: str) -> str:
    data = said.get((version, place))
    return str(data.get("text") or "") if isinstance(data, Mapping) else ""


def _line(
    event: Event,
    names: Names,
    *,
    steps: Mapping[str, str],
    texts: tuple[tuple[str, str], ...],
    gone: str,
) -> StoryLine:
    document = event.body.get("document")
    observed = event.nature == Nature.OBSERVATION
    lag = abs((event.recorded - event.occurred).total_seconds()) > 60
    who, person = wording.who(event, names, public=False)
    return StoryLine(
        version=event.version,
        when=event.occurred,
        recorded=event.recorded if lag else None,
        kind=event.kind,
        title=wording.title(event),
        text=wording.text(event, names, steps=steps),
        who=who,
        person=person,
        document=str(document["check"]) if document else None,
        document_zh=wording.DOCUMENTS.get(str(document["kind"]), "") if document else "",
        observed=observed,
        deviation=event.body.get("deviation"),
        texts=texts,
        gone=gone,
        checks=tuple((str(c["code"]), str(c["is"])) for c in event.body.get("checks") or ()),
    )


def _papers(issued: Sequence[documents.OfCase]) -> tuple[Paper, ...]:
    return tuple(
        Paper(
            zh=wording.DOCUMENTS.get(one.kind, one.title),
            number=one.number,
            check=one.check_code,
            issued=one.issued,
            kind=one.kind,
            void_since=one.void_since,
            replaced_by=one.replaced_by,
            copies=one.copies,
        )
        for one in issued
    )


def _scans(loaded: Loaded, bound: Sequence[files.File]) -> tuple[Scan, ...]:
    """The uploaded files, but for those that only entries name which do not count."""
    named = loading.files_of(loaded.counting)
    gone = loading.files_of(loaded.events).keys() - named.keys()
    return tuple(
        Scan(
            id=one.id,
            material=named[one.id].material if one.id in named else "other",
            name=one.name,
            pages=one.pages,
            size=one.size,
            when=one.at,
            erased=one.erased is not None,
            digest=named[one.id].digest if one.id in named else "",
        )
        for one in bound
        if one.id not in gone
    )


def _materials(
    loaded: Loaded, said: Mapping[tuple[int, str], Any], scans: Sequence[Scan]
) -> tuple[MaterialLine, ...]:
    whys: dict[str, str] = {}
    for event in loaded.counting:
        data = said.get((event.version, "why"))
        told = data if isinstance(data, Mapping) and "text" not in data else {}
        for one in event.body.get("materials") or ():
            if isinstance(one, Mapping):
                whys[str(one["code"])] = str(told.get(str(one["code"]), ""))
    return tuple(
        MaterialLine(
            code=m.code,
            name=m.name,
            state=m.state,
            state_zh=wording.MATERIALS.get(m.state, m.state),
            at=m.at,
            why=whys.get(m.code, ""),
            scans=tuple(scan for scan in scans if scan.material == m.code),
        )
        for m in loaded.materials()
    )


def _fee(loaded: Loaded, names: Names, said: Mapping[tuple[int, str], Any]) -> Fee | None:
    if loaded.item is None:
        return None
    item = loaded.item_row()
    tick = next((e for e in reversed(loaded.counting) if e.kind == "fee_paid"), None)
    if item.fee in ("", "无") and not item.pay_first and tick is None:
        return None
    return Fee(
        fee=item.fee,
        basis=item.basis,
        first=item.pay_first,
        paid=tick is not None,
        said=wording.text(tick, names) if tick else "",
        why=_words(said, tick.version, "why") if tick else "",
        who=names.person(tick.actor) if tick else "",
        when=tick.occurred if tick else None,
    )


def _proposals(
    loaded: Loaded, actor: Actor, names: Names, said: Mapping[tuple[int, str], Any]
) -> tuple[Proposal, ...]:
    events = {event.version: event for event in loaded.events}
    rows = []
    for one in loaded.standing.proposed:
        entry, proposal = events[one.entry], events[one.version]
        rows.append(
            Proposal(
                entry=one.entry,
                title=wording.title(entry),
                when=entry.occurred,
                reasons=_words(said, one.version, "reasons"),
                by=names.person(one.actor),
                proposed=proposal.occurred,
                mine=one.actor != actor.code,
            )
        )
    return tuple(rows)


def _then(loaded: Loaded, names: Names, seen: int) -> Then | None:
    past = [event for event in loaded.events if event.version <= seen]
    if not past or seen >= loaded.version:
        return None
    before = replace(loaded, events=past)
    standing = before.standing
    return Then(
        when=past[-1].recorded,
        state_zh=wording.state(str(standing.state), standing.outcome, standing.suspended),
        holder_zh=wording.holder(str(standing.holder.kind), standing.holder.agency, names),
        short=sum(m.state not in GOOD for m in before.materials()),
    )


def audited_numbers(actor: Actor, ids: Collection[UUID]) -> dict[UUID, str]:
    """The numbers of cases, for the audit administrator's list of looks; nothing for others."""
    if not ids or not actor.may("audit.looks"):
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, number FROM cases_case WHERE id = ANY(%s::uuid[])", [list(ids)])
        return dict(cursor.fetchall())


def audited_case(actor: Actor, number: str) -> UUID | None:
    """The case of a number, for the audit administrator's search; None for others."""
    if not actor.may("audit.looks"):
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM cases_case WHERE number = upper(%s::text)", [number])
        row = cursor.fetchone()
    return row[0] if row else None


def foreign_counts(source: str) -> dict[str, int]:
    """Counts of one link's cases, for the replay's report: cases, closed, open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(closed) FROM cases_case WHERE source = %s::text", [source]
        )
        total, closed = cursor.fetchone()
    return {"cases": total, "closed": closed, "open": total - closed}


def open_by_state() -> dict[str, int]:
    """How many cases are not closed, by state, over all agencies: for the operator's figures."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM cases_case WHERE closed IS NULL GROUP BY state")
        return dict(cursor.fetchall())


__all__ = ["CaseNotFound", "CaseView", "InboxPage", "case", "inbox"]
