"""Reading findings, orders, accountability and spot checks, with one permission filter at the fetch.

Lists are by keyset: `Page.more` is what the next page begins behind, "" where there is none.
`finding`, `order` and `account` show texts that people wrote: they record the look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as people
from zhengwu.accounts import services as people_services
from zhengwu.accounts.queries import Actor, Names
from zhengwu.calendars import queries as calendars
from zhengwu.cases import listing, stories, wording
from zhengwu.documents import files
from zhengwu.domain import clock
from zhengwu.domain.derivation import Line as DerivationLine
from zhengwu.domain.event import Event
from zhengwu.domain.reading import SHANGHAI, LimitReading
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import (
    BY_MATTER,
    DESK,
    DIMENSIONS,
    HEAD,
    LEVELS_ZH,
    LIMITS,
    RECEIVERS,
    SUPERVISOR,
    Attribute,
    Level,
    Rule,
)  # fmt: skip
from zhengwu.ledger import queries as ledger
from zhengwu.ledger.services import Entry
from zhengwu.supervision import accounts as accountability
from zhengwu.supervision import acting, chain, issuing, paging, rulebooks, services, telling
from zhengwu.supervision import checks as checking
from zhengwu.supervision import orders as ordering
from zhengwu.supervision.acting import NotFound
from zhengwu.supervision.chain import CAUSES_ZH
from zhengwu.supervision.events import ACCOUNTS, CHECKS, FINDINGS, ORDERS
from zhengwu.supervision.paging import COUNTED, PAGE, Filter
from zhengwu.supervision.sight import Sight
from zhengwu.supervision.telling import Told

# The folders of the findings' list: code, Chinese.
FOLDERS: tuple[tuple[str, str], ...] = (
    ("todo", "待我办理"), ("cards", "黄牌、红牌"), ("unsigned", "待签收"),
    ("unanswered", "待答复"), ("overdue", "逾期未答复"), ("answered", "待办结"),
    ("appeals", "申诉"), ("basis", "依据改变"), ("warnings", "预警"), ("hints", "提示"), ("revoked", "已撤销"),
    ("all", "全部"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One finding in a list. at: when it came true; issued: when it was noticed.

    case_visible: whether the actor may open its case. counts: false once revoked. served_zh: to whom;
    kept: to the supervisors alone.
    """

    id: UUID
    version: int
    rule: str
    rule_name: str
    level: str
    level_zh: str
    first_level: str
    first_level_zh: str
    dimension_zh: str
    case: UUID | None
    number: str
    item_name: str
    source_zh: str
    agency: str
    agency_zh: str
    person: str | None
    person_zh: str
    post_zh: str
    limit_zh: str
    due: datetime | None
    at: datetime
    issued: datetime
    state: str
    state_zh: str
    appeal: str
    appeal_zh: str
    basis_changed: bool
    counts: bool
    sign_due: datetime | None
    answer_due: datetime | None
    appeal_due: datetime | None
    overdue: bool
    case_visible: bool
    served_zh: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of findings; counts by folder over all the actor may see, each at most COUNTED."""

    lines: tuple[Line, ...]
    more: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """An entry of the case that shows it (证据)."""

    version: int
    position: int | None
    kind: str
    kind_zh: str
    occurred: datetime
    recorded: datetime
    received: datetime
    actor_zh: str
    later: bool = False  # came after it was issued and changed what it rests on


@dataclass(frozen=True, slots=True)
class Derivation:
    """How the clock came to the end of the limit, by what was known at a position of the log."""

    name: str
    due: datetime
    known: int
    lines: tuple[DerivationLine, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that this actor may do now. text: none | optional | required."""

    kind: str
    zh: str
    text: str
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Detail:
    """All that the page of a finding shows. facts: what was established, in words: name, value.

    reads: whether what people wrote and handed in is told; orders, accounts: id and words of what
    followed from it.
    """

    line: Line
    how: str
    how_zh: str
    basis: str
    known: int
    facts: tuple[tuple[str, str], ...]
    evidence: tuple[Evidence, ...]
    derivation: Derivation | None
    history: tuple[Told, ...]
    reads: bool
    appeal_until: datetime | None
    orders: tuple[tuple[UUID, str], ...]
    accounts: tuple[tuple[UUID, str], ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One order in a list."""

    id: UUID
    version: int
    number: str
    subject: str
    subject_zh: str
    finding: UUID | None
    case: UUID | None
    case_number: str
    agency: str
    agency_zh: str
    post_zh: str
    person_zh: str
    opened: datetime
    opened_by_zh: str
    sign_due: datetime
    answer_due: datetime
    state: str
    state_zh: str
    escalated: datetime | None
    returned: int
    closed: datetime | None
    overdue: bool
    case_visible: bool


@dataclass(frozen=True, slots=True)
class Orders:
    lines: tuple[OrderLine, ...]
    more: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OrderDetail:
    line: OrderLine
    history: tuple[Told, ...]
    account: UUID | None
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """One accountability record in a list. month: its first day."""

    id: UUID
    version: int
    cause: str
    cause_zh: str
    month: date | None
    case: UUID | None
    case_number: str
    agency: str
    agency_zh: str
    person: str | None
    person_zh: str
    opened: datetime
    due: datetime
    findings: int
    revoked: int
    state: str
    state_zh: str
    handler: str | None
    handler_zh: str
    measure: str | None
    measure_zh: str
    decided: datetime | None
    closed: datetime | None
    overdue: bool
    case_visible: bool


@dataclass(frozen=True, slots=True)
class Accounts:
    lines: tuple[AccountLine, ...]
    more: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AccountDetail:
    """causes: the findings behind it, as lines; order: the order whose term passed.

    handlers: code and name of those who could handle it, where the actor may name one.
    """

    line: AccountLine
    causes: tuple[Line, ...]
    order: tuple[UUID, str] | None
    history: tuple[Told, ...]
    handlers: tuple[tuple[str, str], ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """One spot check in a list. of: from how many; drawn: how many; done: looked at."""

    id: UUID
    version: int
    since: date
    until: date
    agency: str | None
    agency_zh: str
    position: int
    seed: str
    wanted: int
    of: int
    size: int
    done: int
    drawn: datetime
    drawn_by_zh: str
    state: str
    state_zh: str
    closed: datetime | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """One case of a check. result: "" until it was looked at."""

    case: UUID
    number: str
    item_name: str
    agency_zh: str
    closed: datetime | None
    result: str
    result_zh: str
    text: str
    finding: UUID | None
    visible: bool


@dataclass(frozen=True, slots=True)
class CheckDetail:
    line: CheckLine
    cases: tuple[Drawn, ...]
    offers: tuple[Offer, ...]


# --- findings -------------------------------------------------------------------------------------

_LINE = (
    'f.version, f.rule, f.rule_name, f.level, f.first_level, f.dimension, f."case", f.number,'
    ' f.item_name, f.source, f.agency, f.person, f.post, f."limit", f.due, f.issued, f.state,'
    " f.appeal, f.basis_changed, f.counts, f.sign_due, f.answer_due, f.appeal_due, f.served"
)
_SERVED = 23  # its place among _LINE
_COLUMNS = frozenset({"level", "dimension", "agency", "person", "rule", "state"})
_LIMITS = {**LIMITS, "special": "特别程序", "opinion": "征求意见", "planned": "来源系统计划"}
# What waits for the desk: the condition of two indexes.
_WAITS = "f.state IN ('issued', 'signed') AND f.answer_due IS NOT NULL"
_APPEALED = "f.appeal IN ('open', 'pending')"
# What waits for the supervisors: the condition of an index. A clue is theirs to look into.
_CLUE = f"f.served >= {SUPERVISOR} AND f.state = 'issued' AND f.answer_due IS NULL"
_RULED = f"(f.state = 'answered' OR {_APPEALED} OR {_CLUE})"


def _folders(sight: Sight, at: datetime) -> dict[str, paging.Where]:
    plain = {
        "cards": "f.level IN ('yellow', 'red')",
        "unsigned": f"{_WAITS} AND f.state = 'issued'",
        "unanswered": _WAITS,
        "overdue": f"{_WAITS} AND f.answer_due < %(at)s",
        "answered": "f.state = 'answered'",
        "appeals": _APPEALED,
        "basis": "f.basis_changed",
        "warnings": "f.level = 'warning'",
        "hints": "f.level = 'hint'",
        "revoked": "NOT f.counts",
        "all": "true",
    }
    found = {"todo": _todo(sight)}
    found |= {name: paging.Where((sql,), {"at": at}) for name, sql in plain.items()}
    return {name: found[name] for name, _ in FOLDERS}


def _todo(sight: Sight) -> paging.Where:
    """What waits for this actor: to sign and answer what is served to them, to appeal, to rule on, to
    close, and to look into what is served to supervisors.
    """
    parts: list[str] = []
    waiting: list[str] = []
    parameters: dict[str, Any] = {}
    heads = sorted(sight.appeals.agencies)
    if heads:
        parts.append("f.appeal = 'open' AND f.agency = ANY(%(heads)s::text[])")
        waiting.append(f"{_served(HEAD)} AND f.agency = ANY(%(heads)s::text[])")
        parameters["heads"] = heads
    if sight.answers.agencies:
        own, more = sight.own("f")
        waiting.append(f"{_served(DESK)} AND {own}")
        parameters |= more
    if waiting:
        parts.append(f"{_WAITS} AND {paging.either(waiting)}")
    if sight.acts.everything:
        parts.append(_RULED)
    elif sight.acts.agencies:
        parts.append(f"{_RULED} AND f.agency = ANY(%(supervised)s::text[])")
        parameters["supervised"] = sorted(sight.acts.agencies)
    return paging.Where((paging.either(parts),), parameters)


def _served(bit: int) -> str:
    return f"(f.served & {bit}) <> 0"


def listed(
    actor: Actor, *, folder: str, q: Filter, after: str = "", most: int = PAGE, at: datetime
) -> Page:
    """Findings that this actor may see, the newest first. folder: of FOLDERS. Raises Refusal."""
    sight = Sight.of(actor)
    allowed, folders = _allowed(sight), _folders(sight, at)
    where = _asked(allowed, folders, folder, q)
    rows, more = paging.page("supervision_finding", "f", "at", _LINE, where, after=after, most=most)
    counts = paging.counts("supervision_finding", "f", allowed, folders)
    return Page(_lines(actor, rows, at), more, counts)


def rows(
    actor: Actor, *, folder: str, q: Filter, at: datetime, most: int
) -> Iterator[tuple[Line, ...]]:
    """All that `listed` shows, in pages of so many, by keyset and without the counts of the folders:
    in constant memory. Raises Refusal with the first page.
    """
    sight = Sight.of(actor)
    where = _asked(_allowed(sight), _folders(sight, at), folder, q)
    after = ""
    while True:
        page, after = paging.page(
            "supervision_finding", "f", "at", _LINE, where, after=after, most=most
        )
        if page:
            yield _lines(actor, page, at)
        if not after:
            return


def how_many(actor: Actor, *, folder: str, q: Filter, at: datetime) -> int:
    """How many findings `rows` gives. Raises Refusal."""
    sight = Sight.of(actor)
    where = _asked(_allowed(sight), _folders(sight, at), folder, q)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM supervision_finding f WHERE {where.sql}",  # noqa: S608 - fragments of ours
            where.parameters,
        )
        return int(cursor.fetchone()[0])


def _allowed(sight: Sight) -> paging.Where:
    condition, parameters = sight.findings()
    return paging.Where((condition,), parameters)


def _asked(
    allowed: paging.Where, folders: Mapping[str, paging.Where], folder: str, q: Filter
) -> paging.Where:
    """What of the allowed stands in the folder and passes the filter. Raises Refusal."""
    chosen = paging.folder_of(folders, folder)
    return paging.narrowed(
        allowed.also(" AND ".join(chosen.conditions), **chosen.parameters), q, "f", when="at",
        number="f.number = %(q_number)s", columns=_COLUMNS,
    )  # fmt: skip


def _lines(actor: Actor, rows: Sequence[tuple[Any, ...]], at: datetime) -> tuple[Line, ...]:
    """Lines of rows of _LINE, `at` and the id."""
    names = people.names(agencies={row[10] for row in rows}, people={row[11] for row in rows})
    posts = people.post_names(row[12] for row in rows)
    visible = paging.visible_to(actor, (row[6] for row in rows))
    return tuple(_line(row, names, posts, visible, at) for row in rows)


def _line(
    row: tuple[Any, ...],
    names: Names,
    posts: Mapping[str, str],
    visible: Callable[[UUID | None], bool],
    now: datetime,
) -> Line:
    (
        version, rule, rule_name, level, first, dimension, case, number, item_name, source, agency,
        person, post, limit, due, issued, state, appeal, changed, counts, sign_due, answer_due,
        appeal_due, served, at, id,
    ) = row  # fmt: skip
    return Line(
        id=id, version=version, rule=rule, rule_name=rule_name, level=level,
        level_zh=LEVELS_ZH[Level(level)], first_level=first, first_level_zh=LEVELS_ZH[Level(first)],
        dimension_zh=DIMENSIONS.get(dimension, dimension), case=case, number=number,
        item_name=item_name, source_zh=wording.source(source), agency=agency,
        agency_zh=names.agency(agency), person=person, person_zh=names.person(person),
        post_zh=posts.get(post, post) if post else "",
        limit_zh=_LIMITS.get(limit, limit) if limit else "", due=due, at=at, issued=issued,
        state=state, state_zh=_state_zh(state, answer_due, served), appeal=appeal,
        appeal_zh=services.APPEALS[appeal], basis_changed=changed, counts=counts,
        sign_due=sign_due, answer_due=answer_due, appeal_due=appeal_due,
        overdue=state in ("issued", "signed") and answer_due is not None and answer_due < now,
        case_visible=visible(case), kept=served == SUPERVISOR,
        served_zh="、".join(RECEIVERS[code] for code in issuing.receivers(served)),
    )  # fmt: skip


def _state_zh(state: str, answer_due: datetime | None, served: int) -> str:
    if state == "issued" and answer_due is None:
        return "待监察人员核查" if served == SUPERVISOR else "不用答复"
    return services.STATES[state]


def finding(actor: Actor, id: UUID, *, at: datetime) -> Detail:
    """A finding, whole; records the look. Raises NotFound."""
    sight = Sight.of(actor)
    row = acting.row(
        "supervision_finding", "f",
        f"{_LINE}, f.at, f.id, f.region, f.hall",
        id, sight.findings(),
    )  # fmt: skip
    *columns, region, hall = row
    (line,) = _lines(actor, [tuple(columns)], at)
    events = acting.events(FINDINGS, id, line.version)
    one = services.Finding(
        id=id, version=line.version, rule=line.rule, level=line.level, case=line.case,
        agency=line.agency, region=region, person=line.person, post=columns[12], state=line.state,
        appeal=line.appeal, appeal_due=line.appeal_due, issued=line.issued,
        answer_due=line.answer_due, served=columns[_SERVED], events=events,
    )  # fmt: skip
    first = events[0].body
    rule = rulebooks.now().rule(line.rule, line.at.astimezone(SHANGHAI).date())
    case = None
    if line.case is not None:
        case = next(iter(stories.watched([line.case])), None)
    story = case.events if case is not None else ()
    evidence, who = _evidence(events, story)
    reads = sight.reads(line.agency, line.person, one.post)
    names = telling.names_of(events, extra=who)
    evidenced = any(telling.named(one) for one in events)
    kept = {one.id: one for one in files.of(FINDINGS, id)} if evidenced else {}
    history = telling.history(
        events, telling.FINDING_ZH, telling.of_finding, names, reads=reads, files=kept
    )
    history = (replace(history[0], when=line.issued), *history[1:])
    known = int(first.get("known") or 0)
    _looked(actor, FINDINGS, id, "查看监察发现", history, at)
    given = _orders_of(sight, id)
    offers = _offers(services.ACTS, sight, one, at)
    if sight.acts_on(line.agency):
        offers = (*offers, Offer("order", "发出督办", "required"))
    return Detail(
        line=line,
        how=str(first["how"]),
        how_zh="监察人员发出" if first["how"] == "manual" else "系统自动发出",
        basis=rule.basis if rule else "",
        known=known,
        facts=_facts(rule, first.get("facts") or {}),
        evidence=tuple(_evidence_line(e, later, names) for e, later in evidence),
        derivation=_derivation(line, story, region, hall, known),
        history=history,
        reads=reads,
        appeal_until=services.appeal_until(one),
        orders=given,
        accounts=_accounts_of(sight, line, id, [one for one, _ in given]),
        offers=offers,
    )


def evidence(actor: Actor, id: UUID, file: UUID, *, at: datetime) -> files.Download:
    """A file that was handed in with an appeal, as it was sent; records the look.

    For whoever may see the finding and reads what people wrote there. Raises NotFound, Refusal.
    """
    sight = Sight.of(actor)
    one = services.load(sight, id)
    digests = {
        name: digest for event in one.events for name, digest in telling.named(event).items()
    }
    if file not in digests or not sight.reads(one.agency, one.person, one.post):
        raise NotFound(file)
    try:
        found = files.download(file, digest=digests[file])
    except LookupError:
        raise NotFound(file) from None
    people_services.look(actor, FINDINGS, id, why="下载申诉证据", fields=["file"], at=at)
    return found


def _evidence(
    events: Sequence[Entry], story: Sequence[Event]
) -> tuple[list[tuple[Event, bool]], set[str]]:
    """The entries that show it, then those that changed it; and who made them."""
    first = events[0].body
    by_version = {one.version: one for one in story}
    found: list[tuple[Event, bool]] = [
        (by_version[n], False) for n in first.get("versions") or () if n in by_version
    ]
    if not found:
        # What is not of the case's own stream: an attempt that was refused.
        for position in first.get("positions") or ():
            found += [(e, False) for e in ledger.positions(after=position - 1, limit=1)]
    for one in events:
        if one.kind == "basis_changed":
            found += [
                (by_version[n], True) for n in one.body.get("versions") or () if n in by_version
            ]
    return found, {str(e.actor) for e, _ in found if e.actor}


def _evidence_line(event: Event, later: bool, names: Names) -> Evidence:
    unit, person = wording.who(event, names, public=False)
    kind = _ATTEMPTED if event.kind == "attempted" else wording.title(event)
    return Evidence(
        version=event.version, position=event.position, kind=event.kind, kind_zh=kind,
        occurred=event.occurred, recorded=event.recorded, received=event.received,
        actor_zh=f"{unit} {person}".strip(), later=later,
    )  # fmt: skip


_ATTEMPTED = "要办事指南以外的材料，系统当场拒绝"


def _derivation(
    line: Line, story: Sequence[Event], region: str, hall: str | None, known: int
) -> Derivation | None:
    """The limit as the clock read it from what was known when the finding was issued."""
    limit = next((code for code, zh in _LIMITS.items() if zh == line.limit_zh), "")
    if not limit or line.due is None:
        return None
    told = [one for one in story if one.position is not None and one.position <= known]
    if not told:
        return None
    edition = calendars.edition(region, hall, known=known)
    reading = clock.read(told, at=line.at, edition=edition)
    found = _limit(reading.limits, limit, line.due)
    if found is None:
        return None
    return Derivation(name=found.name, due=found.due, known=known, lines=found.lines)


def _limit(limits: Sequence[LimitReading], kind: str, due: datetime) -> LimitReading | None:
    """The one that ended at this instant; else the last of its kind."""
    of_kind = [one for one in limits if one.kind == kind]
    same = [one for one in of_kind if one.due == due]
    return same[-1] if same else of_kind[-1] if of_kind else None


def _facts(rule: Rule | None, facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What was established, in words."""
    if rule is None:
        return ()
    matter = BY_MATTER[rule.matter]
    found = []
    for name, value in facts.items():
        about = matter.attribute(name)
        if about is not None and value is not None:
            found.append((about.zh, _value(about, value)))
    return tuple(found)


def _value(about: Attribute, value: Any) -> str:
    if about.kind == "flag":
        return "是" if value else "否"
    if about.kind == "choice":
        return about.choices.get(value, str(value))
    return f"{value} {about.unit}".strip()


def _orders_of(sight: Sight, finding: UUID) -> tuple[tuple[UUID, str], ...]:
    condition, parameters = sight.orders()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.id, o.number, o.state FROM supervision_order o WHERE o.finding = %(finding)s"  # noqa: S608 - fragments of ours
            f" AND {condition} ORDER BY o.opened, o.id",
            {**parameters, "finding": finding},
        )
        return tuple(
            (id, f"{number}（{ordering.STATES[state]}）") for id, number, state in cursor.fetchall()
        )


def _accounts_of(
    sight: Sight, line: Line, finding: UUID, orders: Sequence[UUID]
) -> tuple[tuple[UUID, str], ...]:
    """The records that name this finding: their ids are made of what opens them."""
    ids = chain.records(
        finding, case=line.case, agency=line.agency, person=line.person,
        month=line.at.astimezone(SHANGHAI).date().replace(day=1),
    )  # fmt: skip
    ids += [ordering.account_of(one) for one in orders]
    condition, parameters = sight.accounts()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id, a.cause, a.state FROM supervision_account a"  # noqa: S608 - fragments of ours
            f" WHERE a.id = ANY(%(ids)s::uuid[]) AND {condition} AND EXISTS (SELECT 1 FROM ledger_event e"
            " WHERE e.stream = %(stream)s AND e.stream_id = a.id AND e.kind IN ('opened', 'joined')"
            " AND (e.body -> 'findings' ? %(text)s OR e.body ->> 'finding' = %(text)s))"
            " ORDER BY a.opened, a.id",
            {**parameters, "ids": ids, "stream": ACCOUNTS, "text": str(finding)},
        )
        return tuple(
            (id, f"{CAUSES_ZH[cause]}（{accountability.STATES[state]}）")
            for id, cause, state in cursor.fetchall()
        )


def _looked(
    actor: Actor, stream: str, id: UUID, why: str, history: Sequence[Told], at: datetime
) -> None:
    """Every look is on record, the supervisors' own too (查阅记录)."""
    fields = ["text"] if any(one.text for one in history) else ["head"]
    people_services.look(actor, stream, id, why=why, fields=fields, at=at)


class _Act(Protocol):
    """An act of one of the four tables."""

    @property
    def kind(self) -> str: ...
    @property
    def zh(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def check(self) -> Callable[[Sight, Any, datetime], None]: ...


def _offers(acts: Sequence[_Act], sight: Sight, one: Any, at: datetime) -> tuple[Offer, ...]:
    """What this actor may do now: what its check does not refuse. The first stands out."""
    found: list[Offer] = []
    for act in acts:
        try:
            act.check(sight, one, at)
        except Refusal:
            continue
        found.append(Offer(act.kind, act.zh, act.text, primary=not found))
    return tuple(found)


# --- orders ---------------------------------------------------------------------------------------

_ORDER_LINE = (
    'o.version, o.number, o.subject, o.finding, o."case", o.case_number, o.agency, o.post, o.person,'
    " o.opened_by, o.sign_due, o.answer_due, o.state, o.escalated, o.returned, o.closed"
)
_UNDONE = "o.state IN ('opened', 'signed', 'working', 'returned')"


def _order_folders(sight: Sight, at: datetime) -> dict[str, paging.Where]:
    todo: list[str] = []
    parameters: dict[str, Any] = {}
    if heads := sorted(sight.appeals.agencies):
        todo.append(f"{_UNDONE} AND o.agency = ANY(%(heads)s::text[])")
        parameters["heads"] = heads
    if sight.answers.agencies - sight.appeals.agencies:
        own, more = sight.own("o")
        todo.append(f"{_UNDONE} AND {own}")
        parameters |= more
    if sight.acts.everything or sight.acts.agencies:
        todo.append("o.state = 'reported'")
    late = (
        f"o.closed IS NULL AND {_UNDONE} AND (o.answer_due < %(at)s"
        " OR o.state = 'opened' AND o.sign_due < %(at)s)"
    )
    return {
        "todo": paging.Where(("o.closed IS NULL", paging.either(todo)), parameters),
        "open": paging.Where(("o.closed IS NULL",), {}),
        "overdue": paging.Where((late,), {"at": at}),
        "closed": paging.Where(("o.closed IS NOT NULL",), {}),
        "all": paging.Where(("true",), {}),
    }


def orders(
    actor: Actor,
    *,
    folder: str = "open",
    q: Filter,
    after: str = "",
    most: int = PAGE,
    at: datetime,
) -> Orders:
    """Orders, the newest first. folder: todo | open | overdue | closed | all. Raises Refusal."""
    sight = Sight.of(actor)
    condition, parameters = sight.orders()
    allowed = paging.Where((condition,), parameters)
    folders = _order_folders(sight, at)
    chosen = paging.folder_of(folders, folder)
    where = paging.narrowed(
        allowed.also(" AND ".join(chosen.conditions), **chosen.parameters), q, "o", when="opened",
        number="(o.number = %(q_number)s OR o.case_number = %(q_number)s)",
        columns={"agency", "person", "state"},
    )  # fmt: skip
    rows, more = paging.page(
        "supervision_order", "o", "opened", _ORDER_LINE, where, after=after, most=most
    )
    return Orders(
        _order_lines(actor, rows, at),
        more,
        paging.counts("supervision_order", "o", allowed, folders),
    )


def _seen(sight: Sight, finding: UUID) -> bool:
    """Whether the actor may open the finding behind an order: it may be for the supervisors alone."""
    try:
        acting.row("supervision_finding", "f", "f.id", finding, sight.findings())
    except NotFound:
        return False
    return True


def _order_lines(
    actor: Actor, rows: Sequence[tuple[Any, ...]], at: datetime
) -> tuple[OrderLine, ...]:
    """Lines of rows of _ORDER_LINE, `opened` and the id."""
    names = people.names(
        agencies={row[6] for row in rows}, people={one for row in rows for one in (row[8], row[9])}
    )
    posts = people.post_names(row[7] for row in rows)
    visible = paging.visible_to(actor, (row[4] for row in rows))
    return tuple(
        OrderLine(
            id=id, version=version, number=number, subject=subject,
            subject_zh=ordering.SUBJECTS.get(subject, subject), finding=about, case=case,
            case_number=case_number, agency=agency, agency_zh=names.agency(agency),
            post_zh=posts.get(post, post) if post else "", person_zh=names.person(person),
            opened=opened, opened_by_zh=names.person(opened_by), sign_due=sign_due,
            answer_due=answer_due, state=state, state_zh=ordering.STATES[state],
            escalated=escalated, returned=returned, closed=closed,
            overdue=closed is None and state != "reported" and (
                answer_due < at or (state == "opened" and sign_due < at)),
            case_visible=visible(case),
        )
        for (
            version, number, subject, about, case, case_number, agency, post, person, opened_by,
            sign_due, answer_due, state, escalated, returned, closed, opened, id,
        ) in rows
    )  # fmt: skip


def order(actor: Actor, id: UUID, *, at: datetime) -> OrderDetail:
    """An order, whole; records the look. Raises NotFound."""
    sight = Sight.of(actor)
    row = acting.row(
        "supervision_order", "o", f"{_ORDER_LINE}, o.opened, o.id, o.region", id, sight.orders()
    )
    *columns, region = row
    (line,) = _order_lines(actor, [tuple(columns)], at)
    events = acting.events(ORDERS, id, line.version)
    if line.finding is not None and not _seen(sight, line.finding):
        line = replace(line, finding=None)
    one = ordering.Order(
        id=id, version=line.version, number=line.number, finding=line.finding, agency=line.agency,
        region=region, post=columns[7], person=columns[8], state=line.state,
        answer_due=line.answer_due, returned=line.returned, events=events,
    )  # fmt: skip
    reads = sight.reads(one.agency, one.person, one.post)
    history = telling.history(
        events, telling.ORDER_ZH, telling.of_order, telling.names_of(events), reads=reads
    )
    _looked(actor, ORDERS, id, "查看督办", history, at)
    record = ordering.account_of(id) if line.escalated else None
    return OrderDetail(line, history, record, _offers(ordering.ACTS, sight, one, at))


# --- accountability -------------------------------------------------------------------------------

_ACCOUNT_LINE = (
    'a.version, a.cause, a.month, a."case", a.case_number, a.agency, a.person, a.due, a.findings,'
    " a.revoked, a.state, a.handler, a.measure, a.decided, a.closed"
)


def _account_folders(sight: Sight, at: datetime) -> dict[str, paging.Where]:
    todo: list[str] = []
    parameters: dict[str, Any] = {"me": sight.actor.code}
    if sight.acts.everything or sight.acts.agencies:
        todo.append("(a.state = 'opened' OR a.handler = %(me)s)")
    if sight.answers.agencies:
        todo.append("a.person = %(me)s AND a.state IN ('taken_up', 'heard')")
    return {
        "todo": paging.Where(("a.state <> 'closed'", paging.either(todo)), parameters),
        "open": paging.Where(("a.state <> 'closed'",), {}),
        "overdue": paging.Where(("a.state <> 'closed' AND a.due < %(at)s",), {"at": at}),
        "closed": paging.Where(("a.state = 'closed'",), {}),
        "all": paging.Where(("true",), {}),
    }


def accounts(
    actor: Actor,
    *,
    folder: str = "open",
    q: Filter,
    after: str = "",
    most: int = PAGE,
    at: datetime,
) -> Accounts:
    """Accountability records, the newest first. folder: todo | open | overdue | closed | all.

    Raises Refusal.
    """
    sight = Sight.of(actor)
    condition, parameters = sight.accounts()
    allowed = paging.Where((condition,), parameters)
    folders = _account_folders(sight, at)
    chosen = paging.folder_of(folders, folder)
    where = paging.narrowed(
        allowed.also(" AND ".join(chosen.conditions), **chosen.parameters), q, "a", when="opened",
        number="a.case_number = %(q_number)s", columns={"agency", "person", "state"},
    )  # fmt: skip
    rows, more = paging.page(
        "supervision_account", "a", "opened", _ACCOUNT_LINE, where, after=after, most=most
    )
    return Accounts(
        _account_lines(actor, rows, at), more,
        paging.counts("supervision_account", "a", allowed, folders),
    )  # fmt: skip


def _account_lines(
    actor: Actor, rows: Sequence[tuple[Any, ...]], at: datetime
) -> tuple[AccountLine, ...]:
    """Lines of rows of _ACCOUNT_LINE, `opened` and the id."""
    names = people.names(
        agencies={row[5] for row in rows}, people={one for row in rows for one in (row[6], row[11])}
    )
    visible = paging.visible_to(actor, (row[3] for row in rows))
    return tuple(
        AccountLine(
            id=id, version=version, cause=cause, cause_zh=CAUSES_ZH[cause], month=month, case=case,
            case_number=case_number, agency=agency, agency_zh=names.agency(agency), person=person,
            person_zh=names.person(person), opened=opened, due=due, findings=findings,
            revoked=revoked, state=state, state_zh=accountability.STATES[state], handler=handler,
            handler_zh=names.person(handler), measure=measure,
            measure_zh=accountability.MEASURES.get(measure, "") if measure else "",
            decided=decided, closed=closed if state == "closed" else None,
            overdue=state != "closed" and due < at, case_visible=visible(case),
        )
        for (
            version, cause, month, case, case_number, agency, person, due, findings, revoked, state,
            handler, measure, decided, closed, opened, id,
        ) in rows
    )  # fmt: skip


def account(actor: Actor, id: UUID, *, at: datetime) -> AccountDetail:
    """A record, whole; records the look. Raises NotFound."""
    sight = Sight.of(actor)
    row = acting.row(
        "supervision_account", "a", f"{_ACCOUNT_LINE}, a.opened, a.id, a.region", id,
        sight.accounts(),
    )  # fmt: skip
    *columns, region = row
    (line,) = _account_lines(actor, [tuple(columns)], at)
    events = acting.events(ACCOUNTS, id, line.version)
    one = accountability.Account(
        id=id, version=line.version, agency=line.agency, region=region, person=line.person,
        state=line.state, handler=line.handler, measure=line.measure, events=events,
    )  # fmt: skip
    reads = sight.reads(one.agency, one.person, None)
    history = telling.history(
        events, telling.ACCOUNT_ZH, telling.of_account, telling.names_of(events), reads=reads
    )
    _looked(actor, ACCOUNTS, id, "查看问责", history, at)
    offers = _offers(accountability.ACTS, sight, one, at)
    named: tuple[tuple[str, str], ...] = ()
    if any(offer.kind == "take_up" for offer in offers):
        codes = accountability.handlers(one)
        known = people.names(people=codes)
        named = tuple((code, known.person(code)) for code in codes)
    return AccountDetail(
        line=line, causes=_causes(actor, sight, events, at), order=_order_of(events),
        history=history, handlers=named, offers=offers,
    )  # fmt: skip


def _causes(actor: Actor, sight: Sight, events: Sequence[Entry], at: datetime) -> tuple[Line, ...]:
    """The findings that a record names, of those that the actor may see."""
    ids: list[str] = []
    for one in events:
        ids += one.body.get("findings") or ()
        if one.kind == "joined":
            ids.append(one.body["finding"])
    condition, parameters = sight.findings()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_LINE}, f.at, f.id FROM supervision_finding f"  # noqa: S608 - fragments of ours
            f" WHERE f.id = ANY(%(ids)s::uuid[]) AND {condition} ORDER BY f.at, f.id",
            {**parameters, "ids": ids},
        )
        rows = cursor.fetchall()
    return _lines(actor, rows, at) if rows else ()


def _order_of(events: Sequence[Entry]) -> tuple[UUID, str] | None:
    """The order whose term passed: its number is no secret to whoever sees the record."""
    named = events[0].body.get("order")
    if not named:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, number FROM supervision_order WHERE id = %s", [named])
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


# --- spot checks ----------------------------------------------------------------------------------

_CHECK_LINE = (
    "k.version, k.since, k.until, k.agency, k.position, k.seed, k.wanted,"
    " (k.body ->> 'of')::integer, jsonb_array_length(k.body -> 'cases'), k.done, k.drawn_by,"
    " k.state, k.closed"
)
_CHECK_TABLE = (
    "(SELECT k.*, e.body FROM supervision_check k JOIN ledger_event e"  # noqa: S608 - constants
    f" ON e.stream = '{CHECKS}' AND e.stream_id = k.id AND e.version = 1)"
)


def checks(actor: Actor, *, after: str = "", most: int = PAGE) -> tuple[tuple[CheckLine, ...], str]:
    """Spot checks, the newest first, and what the next page begins behind. Raises Refusal."""
    condition, parameters = Sight.of(actor).checks()
    where = paging.Where((condition,), parameters)
    rows, more = paging.page(
        _CHECK_TABLE, "k", "drawn", _CHECK_LINE, where, after=after,
        most=most,
    )  # fmt: skip
    return _check_lines(rows), more


def _check_lines(rows: Sequence[tuple[Any, ...]]) -> tuple[CheckLine, ...]:
    """Lines of rows of _CHECK_LINE, `drawn` and the id."""
    names = people.names(agencies={row[3] for row in rows}, people={row[10] for row in rows})
    return tuple(
        CheckLine(
            id=id, version=version, since=since, until=until, agency=agency,
            agency_zh=names.agency(agency), position=position, seed=seed, wanted=wanted, of=of,
            size=size, done=done, drawn=drawn, drawn_by_zh=names.person(drawn_by), state=state,
            state_zh=checking.STATES[state], closed=closed,
        )
        for (
            version, since, until, agency, position, seed, wanted, of, size, done, drawn_by, state,
            closed, drawn, id,
        ) in rows
    )  # fmt: skip


def check(actor: Actor, id: UUID, *, at: datetime) -> CheckDetail:
    """A check, whole; records the look. Raises NotFound."""
    sight = Sight.of(actor)
    row = acting.row(
        _CHECK_TABLE, "k", f"{_CHECK_LINE}, k.drawn, k.id, k.region",
        id, sight.checks(),
    )  # fmt: skip
    *columns, region = row
    (line,) = _check_lines([tuple(columns)])
    events = acting.events(CHECKS, id, line.version)
    one = checking.Check(
        id=id, version=line.version, agency=line.agency, region=region, state=line.state,
        done=line.done, events=events,
    )  # fmt: skip
    history = telling.history(
        events, telling.CHECK_ZH, telling.of_check, telling.names_of(events), reads=True
    )
    _looked(actor, CHECKS, id, "查看抽查", history, at)
    heads = listing.these(actor, one.cases)
    names = people.names(agencies={head.agency for head in heads.values()})
    texts = {told.version: told.text for told in history}
    looked = {UUID(e.body["case"]): e for e in events if e.kind == "looked"}
    cases = []
    for case in one.cases:
        head, seen = heads.get(case), looked.get(case)
        result = str(seen.body["result"]) if seen else ""
        about = seen.body.get("finding") if seen else None
        cases.append(
            Drawn(
                case=case, number=head.number if head else "",
                item_name=head.item_name if head else "",
                agency_zh=names.agency(head.agency) if head else "",
                closed=head.closed if head else None, result=result,
                result_zh=checking.RESULTS.get(result, ""),
                text=texts[seen.version] if seen else "", finding=UUID(about) if about else None,
                visible=head is not None,
            )
        )  # fmt: skip
    return CheckDetail(line, tuple(cases), _offers(checking.ACTS, sight, one, at))


__all__ = [
    "COUNTED", "FOLDERS", "PAGE", "AccountDetail", "AccountLine", "Accounts", "CheckDetail",
    "CheckLine", "Derivation", "Detail", "Drawn", "Evidence", "Filter", "Line", "NotFound", "Offer",
    "OrderDetail", "OrderLine", "Orders", "Page", "Told", "account", "accounts", "check", "checks",
    "evidence", "finding", "how_many", "listed", "order", "orders", "rows",
]  # fmt: skip
