"""Loading a case for a decision: one SELECT, with the permission in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.calendars import queries as calendars
from zhengwu.cases import parties
from zhengwu.cases.parties import Applicant
from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event
from zhengwu.domain.lifecycle import Life
from zhengwu.domain.procedure import Step
from zhengwu.ledger import queries as ledger_queries


class CaseNotFound(Exception):
    """No such case, or not for this actor: the two look the same (没有找到办件)."""


class Handed(NamedTuple):
    """One material of the item's list and what became of it (材料)."""

    code: str
    name: str
    state: str  # received | missing | faulty | held
    at: datetime | None


class Named(NamedTuple):
    """A file as an event names it. material: its code, or what the file is for."""

    material: str
    digest: str  # "sha256:…"; empty where the event does not say


def files_of(events: Iterable[Event]) -> dict[UUID, Named]:
    """The uploads that these events name (入卷)."""
    return {
        UUID(str(one["file"])): Named(
            str(one.get("material") or "other"), str(one.get("digest") or "")
        )
        for event in events
        for one in event.body.get("files") or ()
        if isinstance(one, Mapping) and one.get("file")
    }


@dataclass(frozen=True, slots=True)
class Loaded:
    """A case with its whole story, ready to be decided on."""

    id: UUID
    version: int
    number: str
    query_code: str
    source: str
    foreign_id: str | None
    kind: str
    item: str | None
    item_version: int | None
    item_name: str
    agency: str
    region: str
    hall: str | None
    window: str | None
    applicant_id: UUID | None
    opened: datetime
    closed: datetime | None
    applicant_row: Mapping[str, Any] | None
    events: Sequence[Event]
    # Whether the applicant was left out until somebody asks; what the calendar's stream came to in
    # the same moment (None: it is asked).
    applicant_later: bool = False
    calendar: tuple[int, UUID] | None = None
    # Posts of an agency asked for, with their kinds: cases loaded together ask once.
    posts: dict[tuple[str, str], str | None] = field(
        default_factory=dict, compare=False, repr=False
    )
    _life: Life | None = field(default=None, init=False, compare=False, repr=False)
    _ready: tuple[Step, ...] | None = field(default=None, init=False, compare=False, repr=False)
    _materials: tuple[Handed, ...] | None = field(
        default=None, init=False, compare=False, repr=False
    )

    @property
    def life(self) -> Life:
        """The events gone through, once."""
        if self._life is None:
            object.__setattr__(self, "_life", Life.of(self.events))
        assert self._life is not None
        return self._life

    @property
    def standing(self) -> lifecycle.Standing:
        return self.life.standing

    def read(self, at: datetime, *, known: int | None = None) -> clock.Reading:
        """The clock's reading of this case at an instant, from what was known at a position."""
        edition = self.edition(known=known)
        if known is None:
            return clock.read_counting(self.counting, at=at, edition=edition)
        return clock.read(self.events, at=at, known=known, edition=edition)

    def edition(self, *, known: int | None = None) -> Edition:
        """What the clock counts by where this case was received; known: at a position.

        A closed case keeps the calendar and rules known at its last entry: what is published
        afterwards does not make a finish that was in time late, or the other way round.
        """
        last = self.events[-1].position
        if self.closed is not None and last is not None:
            known = last if known is None else min(known, last)
        return calendars.edition(self.region, self.hall, known=known, last=self.calendar)

    def item_row(self) -> ItemVersionRow:
        """The item as it stood when the case was received."""
        if self.item is None or self.item_version is None:
            raise CaseNotFound(self.number)
        return catalog.version(self.item, self.item_version)

    @property
    def counting(self) -> tuple[Event, ...]:
        """The events that count (are not withdrawn)."""
        return self.life.counting

    def has(self, kind: str) -> bool:
        """Whether an act of this kind stands (is not withdrawn)."""
        return any(e.kind == kind for e in self.counting)

    def done(self) -> set[str]:
        """The steps that are done; one sent back is to be done again, and all after it."""
        done: set[str] = set()
        for event in self.counting:
            if event.kind == "step_done":
                done.add(str(event.body.get("step")))
            elif event.kind == "step_returned":
                back = str(event.body.get("back_to"))
                done -= {back} | self.item_row().flow.following(back)
        return done

    def current_step(self) -> Step | None:
        """The step to be taken or under way; None once the flow is through."""
        if self._ready is None:
            ready: tuple[Step, ...] = ()
            if self.item is not None and self.standing.outcome is None:
                ready = self.item_row().flow.ready(self.done())
            object.__setattr__(self, "_ready", ready)
        return self._ready[0] if self._ready else None

    def step_after(self, step: Step) -> Step | None:
        ready = self.item_row().flow.ready(self.done() | {step.code})
        return ready[0] if ready else None

    def post_held(self, code: str) -> str | None:
        """The kind of a post of the case's agency that somebody holds; None where nobody does."""
        asked = self.agency, code
        if asked not in self.posts:
            self.posts[asked] = accounts.post_held(self.agency, code)
        return self.posts[asked]

    def back_to_window(self) -> dict[str, str]:
        """Where papers are handed out: the window that received the case."""
        received = self.events[0]
        target = {"kind": "window", "agency": str(received.agency)}
        return {**target, "post": received.post} if received.post else target

    def materials(self) -> tuple[Handed, ...]:
        """The item's list with what was handed in, from the events."""
        if self._materials is None:
            object.__setattr__(self, "_materials", self._handed_in())
        assert self._materials is not None
        return self._materials

    def _handed_in(self) -> tuple[Handed, ...]:
        if self.item is None:
            return ()
        states: dict[str, tuple[str, datetime]] = {}
        for event in self.counting:
            for one in event.body.get("materials", ()):
                if isinstance(one, Mapping) and "state" in one:
                    states[str(one["code"])] = (str(one["state"]), event.occurred)
        rows = []
        for material in self.item_row().materials:
            state, when = states.get(material.code, ("missing", None))
            rows.append(
                Handed(material.code, material.name, state, when if state == "received" else None)
            )
        return tuple(rows)

    def applicant(self) -> Applicant:
        """Who applied. Personal data: the caller records the look."""
        if self.applicant_later:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {APPLICANT} FROM (SELECT %s::uuid AS id) c", [self.id])  # noqa: S608
                (given,) = cursor.fetchone()
            return parties.of_json(ledger_queries.parse(given) or {})
        return parties.of_json(self.applicant_row or {})


COLUMNS = (
    "c.id, c.version, c.number, c.query_code, c.source, c.foreign_id, c.kind, c.item, "
    "c.item_version, c.item_name, c.agency, c.region, c.hall, c.window, c.applicant_id, "
    "c.opened, c.closed"
)
# As given at the receipt, frozen with it: what somebody registers later changes no earlier case.
APPLICANT = ledger_queries.content_sql(
    stream="'case'", stream_id="c.id", path="{applicant,content}"
)

STORY = ledger_queries.story_sql(stream="'case'", stream_id="c.id")
# One look-up more for every event, and nothing of an open case asks what was known when.
TO_ACT = (
    ledger_queries.story_sql(stream="'case'", stream_id="c.id", placed="c.closed IS NOT NULL")
    + ", "
    + calendars.LAST_CHANGE
)


def within(reach: Reach) -> tuple[str, dict[str, Any]]:
    """The one permission filter on cases, as SQL on alias `c`, with its parameters."""
    if reach.everything:
        return "true", {}
    # Only what there is: with an empty OR beside it no index of the agencies would serve. One place
    # as itself, so that what an index holds behind it stays in order.
    one = reach.agencies if len(reach.agencies) == 1 else frozenset()
    hall = reach.halls if len(reach.halls) == 1 else frozenset()
    parts: tuple[tuple[str, str, object], ...] = (
        ("c.agency = %(reach_agency)s", "reach_agency", next(iter(one), None)),
        (
            "c.agency = ANY(%(reach_agencies)s::text[])",
            "reach_agencies",
            sorted(reach.agencies - one),
        ),
        # Of halls there are few and large ones: one plan for all of them, and not one every time.
        ("c.hall = (SELECT %(reach_hall)s::text)", "reach_hall", next(iter(hall), None)),
        ("c.hall = ANY(%(reach_halls)s::text[])", "reach_halls", sorted(reach.halls - hall)),
        ("c.id = ANY(%(reach_streams)s::uuid[])", "reach_streams", sorted(reach.streams)),
    )
    held = [part for part in parts if part[2]]
    if not held:
        return "false", {}
    return (
        f"({' OR '.join(condition for condition, _, _ in held)})",
        {name: value for _, name, value in held},
    )


def one_place(reach: Reach) -> bool:
    """Whether it is one agency or one hall and nothing besides: an index begins with it."""
    return not (reach.everything or reach.streams) and len(reach.agencies) + len(reach.halls) == 1


def load(actor: Actor, number: str) -> Loaded:
    """The case of a number, if this actor may see it. Raises CaseNotFound."""
    allowed, parameters = within(accounts.reach(actor, "case.see"))
    found = list(_select(f"c.number = %(number)s AND {allowed}", {"number": number, **parameters}))
    if not found:
        raise CaseNotFound(number)
    return found[0]


def load_to_show(
    actor: Actor, number: str, beside: Sequence[str], parameters: Mapping[str, Any]
) -> tuple[Loaded, Sequence[Any]]:
    """The same for a page, with the values of scalar subqueries on alias `c` from the same SELECT;
    positions are told of closed cases only. Raises CaseNotFound.
    """
    allowed, reach = within(accounts.reach(actor, "case.see"))
    # One number of one type, so that the server plans it once.
    where = f"c.number = %(number)s::text AND {allowed}"
    return _shown(number, where, {"number": number, **parameters, **reach}, beside)


def load_public_to_show(
    number: str, query_code: str, beside: Sequence[str]
) -> tuple[Loaded, Sequence[Any]]:
    """The same for whoever holds number and query code, with every position. Raises CaseNotFound."""
    where = "c.number = %(number)s::text AND c.query_code = %(code)s::text"
    parameters = {"number": number, "code": query_code}
    return _shown(number, where, parameters, beside, story=f"{STORY}, {calendars.LAST_CHANGE}")


def _shown(
    number: str,
    where: str,
    parameters: Mapping[str, Any],
    beside: Sequence[str],
    *,
    story: str = TO_ACT,
) -> tuple[Loaded, Sequence[Any]]:
    wanted = ", ".join(beside)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS}, {APPLICANT}::text, {story}, {wanted} FROM cases_case c"  # noqa: S608
            f" WHERE {where}",
            parameters,
        )
        row = cursor.fetchone()
    if row is None:
        raise CaseNotFound(number)
    columns = len(row) - len(beside)
    *values, given, told_so, change = row[:columns]
    told = ledger_queries.story(told_so)
    loaded = _loaded(
        (*values, orjson.loads(given) if given else None, told, False, calendars.change(change))
    )
    return loaded, row[columns:]


def load_to_act(actor: Actor, number: str) -> Loaded:
    """The same for an act: the applicant is asked for when a paper wants a name, positions are told
    of closed cases only, and the calendar comes along. Raises CaseNotFound.
    """
    # One number, not a list of one: the server plans it once.
    found = _to_act(actor, "c.number = %(number)s::text", {"number": number})
    if number not in found:
        raise CaseNotFound(number)
    return found[number]


def load_many_to_act(actor: Actor, numbers: Sequence[str]) -> dict[str, Loaded]:
    """Those of these cases that this actor may see, by number, in one SELECT."""
    return _to_act(actor, "c.number = ANY(%(numbers)s::text[])", {"numbers": list(numbers)})


def _to_act(actor: Actor, which: str, parameters: Mapping[str, Any]) -> dict[str, Loaded]:
    allowed, reach = within(accounts.reach(actor, "case.see"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS}, {TO_ACT} FROM cases_case c WHERE {which} AND {allowed}",  # noqa: S608
            {**parameters, **reach},
        )
        rows = cursor.fetchall()
    found: dict[str, Loaded] = {}
    posts: dict[tuple[str, str], str | None] = {}
    for *values, story, change in rows:
        told = ledger_queries.story(story)
        loaded = _loaded((*values, None, told, True, calendars.change(change), posts))
        found[loaded.number] = loaded
    return found


def load_public(number: str, query_code: str) -> Loaded:
    """The case for whoever holds its number and query code. Raises CaseNotFound."""
    found = list(
        _select(
            "c.number = %(number)s AND c.query_code = %(code)s",
            {"number": number, "code": query_code},
        )
    )
    if not found:
        raise CaseNotFound(number)
    return found[0]


def load_shown(identifier: UUID) -> Loaded:
    """The case of an id that a page signed for whoever had shown number and query code.

    Raises CaseNotFound.
    """
    found = list(_select("c.id = %(id)s", {"id": identifier}))
    if not found:
        raise CaseNotFound(str(identifier))
    return found[0]


def load_bare(number: str) -> Loaded:
    """The case of a number without its applicant and its query code: for the operator's commands,
    which have no actor and need neither. Raises CaseNotFound.
    """
    columns = COLUMNS.replace("c.query_code", "''").replace("c.applicant_id", "NULL::uuid")
    found = list(
        _select("c.number = %(number)s", {"number": number}, columns=columns, applicant="NULL")
    )
    if not found:
        raise CaseNotFound(number)
    return found[0]


def several(
    actor: Actor, condition: str, parameters: Mapping[str, Any], *, most: int
) -> list[Loaded]:
    """The cases under a condition on alias `c` that this actor may see, by time left."""
    allowed, reach = within(accounts.reach(actor, "case.see"))
    where = f"({condition}) AND {allowed} ORDER BY c.due NULLS LAST, c.id LIMIT %(most)s::int"
    return list(_select(where, {**parameters, **reach, "most": most}))


def silent(*, at: datetime, page: int, items: Collection[str]) -> Iterator[Loaded]:
    """Our own cases of these items, received and not answered, past their acceptance limit.

    The oldest first, up to five pages: what is left comes with the next turn.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.number FROM cases_case c WHERE c.closed IS NULL AND c.accepted IS NULL "
            "AND c.kind <> 'foreign' AND c.state = 'received' AND c.due <= %s "
            "AND c.item = ANY(%s::text[]) ORDER BY c.due LIMIT %s",
            [at, list(items), page * 5],
        )
        numbers = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(numbers), page):
        yield from _select(
            "c.number = ANY(%(numbers)s::text[]) ORDER BY c.due, c.id",
            {"numbers": numbers[start : start + page]},
        )


def finished(*, before: datetime, page: int) -> Iterator[Loaded]:
    """Our own cases closed before an instant and not filed away yet, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.number FROM cases_case c WHERE c.closed IS NOT NULL AND c.archived IS NULL "
            "AND c.kind <> 'foreign' AND c.closed <= %s ORDER BY c.closed LIMIT %s",
            [before, page * 10],
        )
        numbers = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(numbers), page):
        yield from _select(
            "c.number = ANY(%(numbers)s::text[]) ORDER BY c.closed, c.id",
            {"numbers": numbers[start : start + page]},
        )


def _select(
    where: str, parameters: Mapping[str, Any], *, columns: str = COLUMNS, applicant: str = APPLICANT
) -> Iterator[Loaded]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns}, {applicant}, {STORY}, {calendars.LAST_CHANGE}"  # noqa: S608
            f" FROM cases_case c WHERE {where}",
            dict(parameters),
        )
        rows = cursor.fetchall()
    for *values, given, story_rows, change in rows:
        if isinstance(given, str):
            given = json.loads(given)
        told = ledger_queries.story(story_rows)
        yield _loaded((*values, given, told, False, calendars.change(change)))


def _loaded(values: tuple[Any, ...]) -> Loaded:
    """The fields of `Loaded` in the order of COLUMNS, then the applicant, the story and more."""
    return Loaded(*values)
