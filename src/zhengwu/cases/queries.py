"""Reading cases. Every read takes the actor and passes the one filter of `loading.within`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Names
from zhengwu.cases import loading, wording
from zhengwu.cases.acts import VERBS, handling
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.loading import CaseNotFound, Handed, Loaded
from zhengwu.cases.verbs import Ask, Verb
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain import clock, lifecycle, timeledger
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.refusal import Refusal

PAGE = 20
NAME = f"({loading.APPLICANT} ->> 'name')"
EXPORT = 5_000
COUNTED = 10_000  # totals stop here

# What the folders of the inbox hold: name, Chinese, condition on open cases.
FOLDERS: tuple[tuple[str, str, str], ...] = (
    ("receiving", "待受理", "c.state = 'received'"),
    ("supplementing", "待补正", "c.state = 'supplementing'"),
    ("handling", "审查中", "c.state IN ('handling', 'forwarded')"),
    ("decided", "待制证发证", "c.state IN ('decided', 'delivered')"),
    ("closed", "已办结", "c.closed IS NOT NULL"),
)


@dataclass(frozen=True, slots=True)
class InboxRow:
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


@dataclass(frozen=True, slots=True)
class StoryLine:
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


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of the case."""

    zh: str
    number: str
    check: str
    issued: datetime


@dataclass(frozen=True, slots=True)
class ActOffer:
    """An act this actor can do now, with the fields it asks for."""

    kind: str
    zh: str
    asks: tuple[Ask, ...]
    targets: tuple[tuple[str, str], ...]
    agencies: tuple[str, ...]
    primary: bool
    confirm: str = ""


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
    applicant: str
    applicant_kind: str
    identifier: str
    phone: str
    opened: datetime
    closed: datetime | None
    outcome: str | None
    light: clock.Light
    reading: clock.Reading
    holder_zh: str
    holder_since: datetime | None
    story: tuple[StoryLine, ...]
    spans: tuple[timeledger.Span, ...]
    materials: tuple[Handed, ...]
    documents: tuple[Paper, ...]
    acts: tuple[ActOffer, ...]
    claims: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class PublicCase:
    """What the applicant sees with number and query code; names are masked."""

    number: str
    item_name: str
    agency_zh: str
    applicant: str
    state_zh: str
    state: str
    light: clock.Light
    reading: clock.Reading
    holder_zh: str
    outcome: str | None
    opened: datetime
    closed: datetime | None
    story: tuple[StoryLine, ...]
    documents: tuple[Paper, ...]
    missing: tuple[str, ...]


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
) -> InboxPage:
    """The cases this actor may see, by time left. `folder` is a name of FOLDERS; None is open."""
    allowed, parameters = loading.within(accounts.reach(actor, "case.see"))
    conditions = [allowed]
    conditions.append(next((c for name, _, c in FOLDERS if name == folder), "c.closed IS NULL"))
    if folder not in (None, "closed"):
        conditions.append("c.closed IS NULL")
    if item:
        conditions.append("c.item = %(item)s")
        parameters["item"] = item
    q = q.strip()[:100].replace("\x00", "")
    if q:
        conditions.append(
            "(c.number = upper(%(q)s) OR c.foreign_id = %(q)s OR c.applicant_id IN ("
            "SELECT id FROM cases_party WHERE name = %(q)s UNION ALL "
            "SELECT party_id FROM cases_partyidentifier WHERE value = upper(%(q)s)))"
        )
        parameters["q"] = q
        conditions[1] = "true"  # a search looks into closed cases too
        if folder not in (None, "closed"):
            conditions[2] = "true"
    bounds = light_bounds(at)
    parameters |= bounds
    if light in LIGHT_SQL:
        conditions.append(LIGHT_SQL[light])
    where = " AND ".join(conditions)
    order = "c.closed DESC, c.id" if folder == "closed" else "c.suspended, c.due NULLS LAST, c.id"
    page = max(1, page)
    with connection.cursor() as cursor:
        # Never counts further than it shows: a department closes a million cases.
        cursor.execute(
            "SELECT count(*), "  # noqa: S608 - fragments of ours, values as parameters
            + ", ".join(f"count(*) FILTER (WHERE {sql})" for sql in LIGHT_SQL.values())
            + " FROM (SELECT c.closed, c.suspended, c.due, c.state FROM cases_case c"
            + f" WHERE {where} LIMIT {COUNTED}) c",
            parameters,
        )
        total, *by_light = cursor.fetchone()
        cursor.execute(
            "SELECT "  # noqa: S608
            + ", ".join(
                f"count(*) FILTER (WHERE {c})" for name, _, c in FOLDERS if name != "closed"
            )
            + f" FROM cases_case c WHERE c.closed IS NULL AND {allowed}",
            parameters,
        )
        by_folder = cursor.fetchone()
        pages = max(1, -(-total // size))
        page = min(page, pages)
        cursor.execute(
            f"SELECT c.id, c.number, c.item_name, {NAME}, c.source, c.state, c.suspended, c.step, "  # noqa: S608
            "c.item, c.item_version, c.holder_kind, c.holder_agency, c.due, c.provisional, "
            "c.opened, c.closed, c.outcome, c.decided "
            "FROM cases_case c "
            f"WHERE {where} ORDER BY {order} LIMIT %(size)s OFFSET %(skip)s",
            {**parameters, "size": size, "skip": (page - 1) * size},
        )
        fetched = cursor.fetchall()
        cursor.execute(
            "SELECT DISTINCT c.item, c.item_name FROM cases_case c "  # noqa: S608
            f"WHERE c.closed IS NULL AND c.item IS NOT NULL AND {allowed} ORDER BY 2 LIMIT 200",
            parameters,
        )
        items = tuple((code, name) for code, name in cursor.fetchall())
    names = accounts.names(agencies=(columns[HOLDER_AGENCY] for columns in fetched))
    calendar = accounts.calendar(accounts.CITY)
    rows = tuple(_row(columns, names, calendar, at) for columns in fetched)
    counts = {
        name: count
        for (name, _, _), count in zip(
            [f for f in FOLDERS if f[0] != "closed"], by_folder, strict=True
        )
    }
    lamps = tuple(
        Lamp(code, wording.LIGHTS[code], count)
        for code, count in zip(LIGHT_SQL, by_light, strict=True)
    )
    return InboxPage(rows, lamps, counts, page, pages, total, items)


# The lights as conditions on the cached columns, so that they can be counted by the database.
LIGHT_SQL: dict[str, str] = {
    "over": "(c.closed IS NULL AND NOT c.suspended AND c.due < %(now)s)",
    "red": "(c.closed IS NULL AND NOT c.suspended AND c.due >= %(now)s AND c.due < %(today)s)",
    "yellow": "(c.closed IS NULL AND NOT c.suspended AND c.due >= %(today)s AND c.due < %(soon)s)",
    "green": "(c.closed IS NULL AND NOT c.suspended AND c.state <> 'supplementing'"
    " AND (c.due >= %(soon)s OR c.due IS NULL))",
    "pause": "(c.closed IS NULL AND (c.suspended OR c.state = 'supplementing'))",
}
SOON = 2  # working days left at which a case is "near" (临期); a setting of the house, not of law


def light_bounds(at: datetime) -> dict[str, datetime]:
    """The instants that part the lights: now, the end of today, the end of the second working day."""
    from datetime import time, timedelta

    day = at.astimezone(SHANGHAI).date()
    calendar = accounts.calendar(accounts.CITY)
    soon = calendar.add_working_days(day, SOON).day

    def end(of: date) -> datetime:
        return datetime.combine(of + timedelta(days=1), time(), tzinfo=SHANGHAI)

    return {"now": at, "today": end(day), "soon": end(soon)}


WAITING = clock.Light("pause", "等待补正")
HOLDER_AGENCY = 11  # its place among the columns of the list


def _row(columns: Sequence[Any], names: Names, calendar: Calendar, at: datetime) -> InboxRow:
    (identifier, number, item_name, applicant, source, state, suspended, step, item, item_version,
     holder_kind, holder_agency, due, provisional, opened, closed, outcome, _) = columns  # fmt: skip
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
    return InboxRow(
        id=identifier,
        number=number,
        item_name=item_name,
        applicant=applicant or "",
        source=wording.source(source),
        state_zh=wording.state(state, outcome, suspended),
        step_zh=_step_name(item, item_version, step) or wording.state(state, outcome, suspended),
        holder_zh=wording.holder(holder_kind, holder_agency, names),
        light=light,
        due=due,
        provisional=provisional,
        received_at=opened,
    )


def _step_name(item: str | None, version: int | None, step: str | None) -> str:
    if item is None or version is None or step is None:
        return ""
    from zhengwu.catalog import queries as catalog

    return next(
        (s.name for s in catalog.version(item, version).steps if s.code == step),
        wording.STEPS.get(step, step),
    )


def case(actor: Actor, number: str, *, at: datetime) -> CaseView:
    """One case with its whole story. Raises CaseNotFound. The caller records the look."""
    return _view(loading.load(actor, number), actor, at)


def track(number: str, query_code: str, *, at: datetime) -> PublicCase:
    """A case for whoever holds number and query code. Raises CaseNotFound."""
    loaded = loading.load_public(number.strip().upper(), query_code.strip().upper())
    standing = loaded.standing
    reading = loaded.read(at)
    names = _names(loaded)
    return PublicCase(
        number=loaded.number,
        item_name=loaded.item_name,
        agency_zh=names.agency(loaded.agency),
        applicant=wording.masked(loaded.applicant().name),
        state=str(standing.state),
        state_zh=wording.state(str(standing.state), standing.outcome, standing.suspended),
        light=reading.light(at),
        reading=reading,
        holder_zh=wording.holder(str(standing.holder.kind), standing.holder.agency, names),
        outcome=standing.outcome,
        opened=loaded.opened,
        closed=standing.closed_at,
        story=tuple(_line(event, names, public=True) for event in loaded.events),
        documents=_papers(loaded.events),
        missing=tuple(m.name for m in loaded.materials() if m.state != "received"),
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


def _view(loaded: Loaded, actor: Actor, at: datetime) -> CaseView:
    standing = loaded.standing
    reading = loaded.read(at)
    applicant = loaded.applicant()
    names = _names(loaded)
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
        applicant=applicant.name,
        applicant_kind=applicant.kind,
        identifier=wording.masked_number(applicant.identifier),
        phone=wording.masked_phone(applicant.phone),
        opened=loaded.opened,
        closed=standing.closed_at,
        outcome=standing.outcome,
        light=reading.light(at),
        reading=reading,
        holder_zh=wording.holder(str(standing.holder.kind), standing.holder.agency, names),
        holder_since=standing.holder.since,
        story=tuple(_line(event, names, public=False) for event in loaded.events),
        spans=timeledger.spans(loaded.events, until=at),
        materials=loaded.materials(),
        documents=_papers(loaded.events),
        acts=_offers(loaded, actor, at, reading),
        claims=_claims(loaded.events),
    )


def _names(loaded: Loaded) -> Names:
    """The names of everybody in the story."""
    agencies: set[str | None] = {loaded.agency}
    for event in loaded.events:
        agencies.add(event.agency)
        if isinstance(target := event.body.get("to"), Mapping):
            agencies.add(str(target.get("agency") or ""))
    return accounts.names(agencies=agencies, people=(e.actor for e in loaded.events))


def _offers(
    loaded: Loaded, actor: Actor, at: datetime, reading: clock.Reading
) -> tuple[ActOffer, ...]:
    """The acts that law, permission and the holder allow this actor now."""
    from zhengwu.cases.services import permit

    if loaded.kind == "foreign":
        return ()
    offers: list[ActOffer] = []
    standing = loaded.standing
    statutory = reading.limit("statutory")
    expiry = statutory.due if statutory else None
    for verb in VERBS.values():
        if not verb.fits(loaded):
            continue
        try:
            permit(actor, loaded, verb)
            lifecycle.admit(
                standing, verb.kind, at=at, now=at, actor=actor.code,
                body=_sample(standing, verb.kind, actor),
                case_kind=loaded.kind, due=expiry,
            )  # fmt: skip
        except Refusal:
            continue
        offers.append(
            ActOffer(
                kind=verb.kind,
                zh=verb.zh,
                asks=(asks := verb.form_of(loaded)),
                targets=_targets(loaded, verb, asks),
                agencies=organs() if any(ask.kind == "agency" for ask in asks) else (),
                primary=not offers and verb.kind not in ("refused", "handed_over"),
                confirm=verb.confirm,
            )
        )
    return tuple(offers)


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


def _targets(loaded: Loaded, verb: Verb, asks: Sequence[Ask]) -> tuple[tuple[str, str], ...]:
    if not any(ask.kind == "colleague" for ask in asks):
        return ()
    kind = handling.post_kind(loaded, after=verb.kind == "step_done")
    return tuple(
        (one.post, f"{one.name}（{one.post_name}）")
        for one in accounts.colleagues(loaded.agency)
        if kind is None or one.kind == kind
    )


def organs() -> tuple[str, ...]:
    """The names of the departments, to choose from while typing."""
    return tuple(a.name for a in accounts.agencies() if a.kind in ("department", "utility"))


def _line(event: Event, names: Names, *, public: bool) -> StoryLine:
    document = event.body.get("document")
    observed = event.nature == Nature.OBSERVATION
    lag = abs((event.recorded - event.occurred).total_seconds()) > 60
    who, person = wording.who(event, names, public=public)
    return StoryLine(
        version=event.version,
        when=event.occurred,
        recorded=event.recorded if lag and not public else None,
        kind=event.kind,
        title=wording.title(event),
        text=wording.text(event, names),
        who=who,
        person=person,
        document=str(document["check"]) if document else None,
        document_zh=wording.DOCUMENTS.get(str(document["kind"]), "") if document else "",
        observed=observed,
        deviation=None if public else event.body.get("deviation"),
    )


def _papers(events: Sequence[Event]) -> tuple[Paper, ...]:
    return tuple(
        Paper(
            wording.DOCUMENTS.get(str(d["kind"]), str(d["kind"])),
            str(d["number"]),
            str(d["check"]),
            event.occurred,
        )
        for event in events
        if (d := event.body.get("document"))
    )


def _claims(events: Sequence[Event]) -> tuple[tuple[str, datetime], ...]:
    return tuple(
        (
            wording.CLAIMS.get(str(claim["kind"]), str(claim["kind"])),
            datetime.fromisoformat(str(claim["due"])),
        )
        for event in events
        if event.kind == "claim" and isinstance(claim := event.body.get("claim"), Mapping)
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


__all__ = ["CaseNotFound", "CaseView", "InboxPage", "PublicCase", "case", "inbox", "track"]
