"""Watching the log (监察跟随): the follower that finds, and the sweep for what only time brings.

A run of entries is gone through once for what concerns us: cases of which something may have come to
light are read whole and looked at (`domain.supervising`), by what the log holds up to the run's end;
`supervision_watch` remembers in which of the others time may bring something, and when. So it does
not matter how runs are cut, nor whether the worker stood still for a week: a finding bears the
instant at which it came true, and is issued once.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from zhengwu.calendars import queries as calendars
from zhengwu.cases import stories
from zhengwu.cases.events import ALARMS, ATTEMPTS, STREAM
from zhengwu.cases.stories import Watched
from zhengwu.domain import clock, supervising
from zhengwu.domain.counting import local, ordinal
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.procedure import Unit
from zhengwu.domain.reading import NEAR, SHANGHAI
from zhengwu.domain.rulebook import CARDS, Level, Rule, Rulebook
from zhengwu.domain.supervising import About, Found, Responsible
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import basis, chain, gaps, issuing, rulebooks
from zhengwu.supervision.events import FINDINGS, RULEBOOK
from zhengwu.supervision.issuing import Issue
from zhengwu.supervision.items import Guides
from zhengwu.web.clock import now

NAME = "supervision.watch"
DAY = timedelta(days=1)
PAGE = 400  # cases looked at with one SELECT
MOST_DUE = 2_000  # cases whose time has come in one run of the follower; the sweep does the others
LINK = "link:"
AGAIN = timedelta(hours=1)  # until a case that could not be read is tried again
# What was received within this may not stand in the log yet; time goes no further for cards.
SETTLE = timedelta(seconds=15)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    """What a run of entries asks for. early: the limits at which a rule calls before the alarm."""

    points: _Points
    early: Collection[str]
    look: set[UUID] = field(default_factory=set)
    changed: set[UUID] = field(default_factory=set)  # may have changed what a card rests on
    watch: dict[UUID, datetime] = field(default_factory=dict)
    attempts: list[ledger.Entry] = field(default_factory=list)
    findings: list[ledger.Entry] = field(default_factory=list)
    changed_rules: list[int] = field(default_factory=list)  # confirmed proposals, by version
    news: dict[str, list[ledger.Entry]] = field(default_factory=lambda: defaultdict(list))
    begun: dict[UUID, list[ledger.Entry]] = field(default_factory=dict)  # cases received in the run


def watch(entries: Sequence[ledger.Entry]) -> None:
    """Go through a run of entries; called inside the cursor's transaction."""
    reached = entries[-1].position
    assert reached is not None
    points = _Points(rulebooks.AsKnown().at(reached))
    run = _Run(points, {kind for kind in _BEGINS.values() if points.early(kind)})
    for one in entries:
        stream = one.stream
        if stream == STREAM:
            if one.version == 1:
                run.begun[one.stream_id] = [one]
            elif (told := run.begun.get(one.stream_id)) is not None:
                told.append(one)
            _sort(one, run)
        elif stream == ALARMS:
            run.look.add(UUID(one.body["case"]))
        elif stream == ATTEMPTS:
            run.attempts.append(one)
        elif stream == FINDINGS:
            run.findings.append(one)
        elif stream == RULEBOOK and one.kind == "confirmed":
            run.changed_rules.append(int(one.body["version"]))
    # How far cases have come; what we enter ourselves meanwhile is no news of them.
    received = [one.received for one in entries if one.stream in (STREAM, ALARMS, ATTEMPTS)]
    if received:
        _remember(run.watch)
        # Of these there is nothing before the run; what comes in another order is read.
        whole = {
            case: told for case, told in run.begun.items()
            if all(one.version == nth for nth, one in enumerate(told, 1))
        }  # fmt: skip
        looker = Looker(reached=reached, until=max(received) - SETTLE, whole=whole)
        if run.news:
            gaps.hear(looker, run.news)
        looker.attempts(run.attempts)
        carded = basis.carded(run.changed)
        due = _due(looker.until, most=MOST_DUE)
        looker.look(run.look | due | carded, again=carded)
    if run.changed_rules:
        _look_from(rulebooks.begins(run.changed_rules))
    if run.findings:
        chain.follow(run.findings, at=now())


def sweep(at: datetime, *, most: int = PAGE) -> int:
    """Look where time may have brought something to light; how many cases were looked at.

    No further than the log has been gone through: while the follower is behind, time stands for it
    where the next entry was received.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # One at a time with the follower, whose cursor's row it holds.
        cursor.execute("SELECT position FROM ledger_follower WHERE name = %s FOR UPDATE", [NAME])
        row = cursor.fetchone()
        if row is None:
            return 0
        until = min(at - SETTLE, *_waiting(row[0]), at)
        looker = Looker(reached=row[0], until=until)
        due = _due(until, most=most)
        looker.look(due)
        gaps.sweep(looker, until)
    return len(due)


def _waiting(reached: int) -> list[datetime]:
    """When the next entry that was not gone through was received, placed in the log or not."""
    found = [one.received for one in ledger_queries.positions(after=reached, limit=1)]
    oldest = ledger_queries.oldest_unplaced()
    return found if oldest is None else [*found, oldest]


def _sort(one: ledger.Entry, run: _Run) -> None:
    """What an entry of a case asks for."""
    kind, body, case = one.kind, one.body, one.stream_id
    own = one.nature is Nature.ACT
    if not own:
        run.news[one.source].append(one)
    if (
        kind in supervising.SPEAKING
        or (not own and kind == "received")
        or body.get("deviation")
        or "people" in body
        or (one.recorded - one.occurred >= DAY and (one.actor or not own))
    ):
        run.look.add(case)
    if kind in clock.TELLING or kind in ("corrected", "retracted", "entry_withdrawn"):
        run.changed.add(case)
    if kind in ("accepted", "deemed_accepted"):
        _expect(run, case, _first_point(one, run.points))
    elif kind == "suspended" or kind == "opinion_requested":
        _expect(run, case, _told(body.get("until")) or one.occurred + DAY)
    elif kind in _BEGINS and _BEGINS[kind] in run.early:
        run.look.add(case)
    elif kind == "claim" and isinstance(claim := body.get("claim"), Mapping):
        _expect(run, case, _moment(claim.get("due")))


def _expect(run: _Run, case: UUID, when: datetime | None) -> None:
    if when is not None and (case not in run.watch or when < run.watch[case]):
        run.watch[case] = when


class _Points:
    """How soon a rule calls at a limit before the clock's own alarm does (最早的提醒)."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._known: dict[tuple[str, object, object], int | None] = {}

    def days(self, kind: str, value: object, unit: object) -> int | None:
        """At the least so many days after the limit begins; None where the alarm is soon enough.

        Working days are never more than days.
        """
        key = (kind, value, unit)
        if key not in self._known:
            self._known[key] = self._first(kind, value, unit)
        return self._known[key]

    def _first(self, kind: str, value: object, unit: object) -> int | None:
        if not isinstance(value, int) or not value:
            return None
        found = [
            max(1, value - left)
            for rule in self._book.timed(kind)
            if (left := _left(rule, value)) is not None and (left > NEAR or value <= NEAR + 1)
        ]
        if found and unit not in (Unit.WORKING_DAY, Unit.CALENDAR_DAY):
            return 1
        return min(found, default=None)

    def early(self, kind: str) -> bool:
        """Whether any rule calls at limits of a kind, whose length an entry does not tell, before
        the clock's alarm.
        """
        return any(
            rule.point is not None
            and (
                (rule.point.attribute == "left" and rule.point.value > NEAR)
                or (rule.point.attribute == "used" and rule.point.value <= 1000)
            )
            for rule in self._book.timed(kind)
        )


def _left(rule: Rule, value: int) -> int | None:
    """How much of a limit is left at a rule's point before its end."""
    point = rule.point
    if point is None or point.attribute == "over":
        return None
    if point.attribute == "left":
        return int(point.value)
    return value - -(-value * point.value // 1000) if point.value <= 1000 else None


def _first_point(accepted: ledger.Entry, points: _Points) -> datetime | None:
    first: int | None = None
    for limit in accepted.body.get("limits") or ():
        days = points.days(str(limit.get("kind")), limit.get("value"), limit.get("unit"))
        if days is not None and (first is None or days < first):
            first = days
    if first is None:
        return None
    day = datetime.fromordinal(ordinal(accepted.occurred) + first)
    return datetime.combine(day, time(), SHANGHAI)


# Limits whose length stands in the rules of the calendar or in the flow: what begins them.
_BEGINS = {"received": "acceptance", "supplemented": "acceptance", "step_taken": "step",
           "granted": "delivery"}  # fmt: skip


def _told(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{text}T00:00:00+08:00") if text else None
    except ValueError:
        return None


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _remember(watched: Mapping[UUID, datetime]) -> None:
    if not watched:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO supervision_watch AS w ("case", look_at)'
            " SELECT * FROM unnest(%s::uuid[], %s::timestamptz[])"
            ' ON CONFLICT ("case") DO UPDATE SET look_at = least(w.look_at, excluded.look_at)',
            [list(watched), list(watched.values())],
        )


def _look_from(days: Iterable[date]) -> None:
    """On the day a rule begins, every open case is looked at: it may call earlier than was thought."""
    day = min(days, default=None)
    if day is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO supervision_watch AS w ("case", look_at)'
            " SELECT id, %s FROM cases_case WHERE closed IS NULL"
            ' ON CONFLICT ("case") DO UPDATE SET look_at = least(w.look_at, excluded.look_at)',
            [datetime.combine(day, time(), SHANGHAI)],
        )


def _due(until: datetime, *, most: int | None = None) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT "case" FROM supervision_watch WHERE look_at <= %s ORDER BY look_at LIMIT %s',
            [until, most],
        )
        return {row[0] for row in cursor.fetchall()}


class Looker:
    """Looks at cases by what stands in the log up to a position, at an instant, and issues."""

    def __init__(
        self, *, reached: int, until: datetime, whole: Mapping[UUID, Sequence[Event]] | None = None
    ) -> None:
        """whole: stories that are at hand up to `reached`, by version."""
        self.reached, self.until, self.whole = reached, until, whole or {}
        self.book: Rulebook = rulebooks.AsKnown().at(reached)
        self.editions = calendars.AsKnown()
        self.guides = Guides()
        self.at = now()
        self._heard: dict[str, datetime | None] | None = None

    def look(self, cases: Collection[UUID], *, again: Collection[UUID] = ()) -> None:
        """Look at cases, issue what is new and remember when to look again. again: cases with cards
        whose basis may have changed.
        """
        listed = sorted(cases)
        for start in range(0, len(listed), PAGE):
            self._page(listed[start : start + PAGE], again)

    def _page(self, cases: Sequence[UUID], again: Collection[UUID]) -> None:
        found: list[Issue] = []
        later: dict[UUID, datetime] = {}
        read = self.read(cases)
        for case in read:
            try:
                looked = self.looked(case)
                found += [self._issue(case, one) for one in self.lasting(case, looked.found)]
            except Exception:
                # One that cannot be read does not hold up all the others; it is tried again.
                log.exception("case %s cannot be supervised", case.number)
                later[case.case] = self.until + AGAIN
                continue
            if looked.next_at is not None:
                later[case.case] = looked.next_at
        self.issue(found)
        if changed := [one for one in read if one.case in again]:
            basis.check(self, changed)
        _settle(cases, later)

    def read(self, cases: Collection[UUID]) -> list[Watched]:
        """Cases with their stories, and the guides of their items into memory; two queries."""
        found = list(stories.watched(cases, reached=self.reached, at_hand=self.whole))
        self.guides.learn([(_item(one), one.item_version) for one in found])
        return found

    def looked(
        self, case: Watched, book: Rulebook | None = None, *, all_told: bool = False
    ) -> supervising.Looked:
        """What there is in a case, by the rules known. all_told: its source has told everything."""
        return supervising.look(
            case.events,
            self.about(case),
            book or self.book,
            known=self.known(case),
            until=self.until,
            heard=self.told(case, all_told=all_told),
        )

    def stands(self, case: Watched, one: Found, book: Rulebook | None = None) -> bool:
        """Whether a finding holds by everything known now."""
        return supervising.stands(
            one,
            case.events,
            self.about(case),
            book or self.book,
            known=self.known(case),
            until=self.until,
            heard=self.told(case),
        )

    def about(self, case: Watched) -> About:
        day = local(case.opened).date()
        told = self.guides.guide(_item(case), case.item_version, day)
        return About(
            agency=case.agency,
            kind=case.kind,
            item_name=case.item_name or (told.name if told else ""),
            materials=told.materials if told else None,
        )

    def told(self, case: Watched, *, all_told: bool = False) -> datetime | None:
        """Until when the source of another system's case has told everything."""
        if not case.source.startswith(LINK):
            return None
        return self.until if all_told else self.heard(case.source)

    def known(self, case: Watched) -> supervising.Known:
        return lambda position: self.editions.at(
            self.reached if position is None else position, case.region, case.hall
        )

    def heard(self, source: str) -> datetime | None:
        """Until when a source has told everything."""
        if self._heard is None:
            self._heard = {one.source: one.told(self.until) for one in gaps.sources()}
        return self._heard.get(source)

    def level(self, one: Found) -> Level:
        """By the dialect of the day on which it came true."""
        return self.book.level(one.rule, one.at.astimezone(SHANGHAI).date())

    def lasting(
        self, case: Watched, found: Iterable[Found], book: Rulebook | None = None
    ) -> list[Found]:
        """What may be issued: a card on a limit only where the clock, read from everything known
        now, says that the limit has passed.
        """
        kept = []
        for one in found:
            day = one.at.astimezone(SHANGHAI).date()
            card = (book or self.book).level(one.rule, day) in CARDS
            if card and one.due is not None and not self.stands(case, one, book):
                continue
            kept.append(one)
        return kept

    def _issue(self, case: Watched, one: Found) -> Issue:
        places = {e.version: e.position or 0 for e in case.events if e.version in one.versions}
        agency = one.whose.agency or case.agency
        return Issue(
            id=issuing.identifier(one.rule.code, one.key, case=case.case), rule=one.rule,
            key=one.key, at=one.at, whose=one.whose._replace(agency=agency),
            region=case.region, source=case.source, case=case.case, number=case.number,
            item_name=case.item_name, hall=case.hall, window=case.window, limit=one.limit,
            due=one.due, versions=one.versions,
            positions=tuple([places[n] for n in one.versions if n in places]),
            known=self.reached, facts=one.facts,
        )  # fmt: skip

    def attempts(self, entries: Sequence[ledger.Entry]) -> None:
        """Attempts to ask for what no guide lists: refused at once, and found."""
        found = []
        cases = {UUID(one.body["case"]): one for one in entries if one.body.get("case")}
        about = {one.case: one for one in stories.watched(cases, reached=self.reached)}
        for one in entries:
            facts = {"codes": max(1, len(one.body.get("codes") or ())), "how": "attempt"}
            case = about.get(UUID(one.body["case"])) if one.body.get("case") else None
            for rule in self.book.about("asked_outside", one.received.astimezone(SHANGHAI).date()):
                if not rule.holds(facts):
                    continue
                key = f"attempt/{one.stream_id}"
                found.append(
                    Issue(
                        id=issuing.identifier(rule.code, key), rule=rule, key=key, at=one.received,
                        whose=Responsible(one.agency or "", one.post, one.actor),
                        region=one.region or "", source=one.source,
                        case=case.case if case else None, number=case.number if case else "",
                        item_name=case.item_name if case else "",
                        hall=case.hall if case else None, window=case.window if case else None,
                        positions=(one.position or 0,), known=self.reached, facts=facts,
                    )
                )  # fmt: skip
        self.issue(found)

    def issue(self, found: Sequence[Issue]) -> list[UUID]:
        """By the calendar of the city: the terms of a finding are the same everywhere."""
        if not found:
            return []
        edition = self.editions.at(self.reached, found[0].region, None)
        return issuing.issue(found, book=self.book, edition=edition, at=self.at)


def _item(case: Watched) -> str:
    """Of our catalogue; of another system's case, as its receipt names it."""
    return case.item or str(_kept(case).get("item") or "")


def _kept(case: Watched) -> Mapping[str, Any]:
    kept = case.events[0].body.get("kept")
    return kept if isinstance(kept, Mapping) else {}


def _settle(cases: Sequence[UUID], later: Mapping[UUID, datetime]) -> None:
    """Remember when to look at them again, or not at all."""
    with connection.cursor() as cursor:
        gone = [one for one in cases if one not in later]
        if gone:
            cursor.execute('DELETE FROM supervision_watch WHERE "case" = ANY(%s::uuid[])', [gone])
        if later:
            cursor.execute(
                'INSERT INTO supervision_watch AS w ("case", look_at)'
                " SELECT * FROM unnest(%s::uuid[], %s::timestamptz[])"
                ' ON CONFLICT ("case") DO UPDATE SET look_at = excluded.look_at',
                [list(later), list(later.values())],
            )


WATCH = ledger.Follower(name=NAME, kinds=None, handle=watch)
__all__ = ["NAME", "WATCH", "Looker", "sweep", "watch"]
