"""Supervising a case (办件监察): what its story holds that a rule speaks of. A pure function.

`look` goes through everything known of a case and returns each finding once, with the instant at
which it came true, its evidence and who is responsible. What an entry brings to light came true when
our log had it; what time brings to light, at the lawful instant, judged by what was known then. Our
own acts are known when they are received; of another system, whose exchange comes later, when it
says they happened. docs/algorithms/supervision.md says how, in prose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from zhengwu.domain import clock
from zhengwu.domain.counting import local, ordinal
from zhengwu.domain.derivation import TOLD
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import (
    PROCEDURES,
    Holder,
    HolderKind,
    Life,
    standing_events,
    still_open,
)
from zhengwu.domain.procedure import Unit
from zhengwu.domain.reading import SHANGHAI, LimitReading, LimitState, Reading
from zhengwu.domain.rulebook import Rule, Rulebook

Known = Callable[[int | None], Edition]  # the edition as known at a position of the log
DAY = timedelta(days=1)
LIVE = timedelta(minutes=5)  # an act entered within this was known as it happened
NEVER = datetime.max.replace(tzinfo=SHANGHAI)
DAWN = datetime.min.replace(tzinfo=UTC)

LONGEST = 80  # of what names a person of another system
OFFICE_DAY = 8  # hours a day of business is reckoned at, where a limit is one of office hours
_SUSPENDED = LimitState.SUSPENDED
_HOURS = (Unit.HOUR, Unit.OFFICE_HOUR)
_WORKING = (Unit.WORKING_DAY, *_HOURS)
_WHOLE = ("promised", "statutory", "joint", "claim")  # limits of a whole case
_LAWFUL = ("statutory", "joint")
_BESIDE = ("special", "opinion")  # which the clock does not count
_SEVERAL = ("step", "special", "opinion")  # of which a case may have many
_DECISIONS = frozenset({"granted", "refused", "decided", "not_ours", "not_needed"})
_TAKES_AWAY = frozenset({"entry_withdrawn", "retracted"})
# After these the limits run otherwise than before: what came true until then is judged without them.
_CUTS = _TAKES_AWAY | {
    "suspended", "extended", "forwarded", "version_moved", "claim", "step_taken", "corrected",
    "deemed_accepted",
}  # fmt: skip
# Kinds of entries that can bring something to light at once; others only by their lateness or by
# a deviation. What only time brings to light is looked for at its time.
SPEAKING = frozenset(
    {"supplement_requested", "suspended", "resumed", "came_back", "extended", "inspected",
     "opinion_requested", "claim", "corrected"}
) | _DECISIONS | _TAKES_AWAY  # fmt: skip


@dataclass(frozen=True, slots=True)
class About:
    """What is fixed of a case. materials: the codes its guide lists; None where no guide is known."""

    agency: str
    kind: str
    item_name: str = ""
    materials: frozenset[str] | None = None


class Responsible(NamedTuple):
    """Whose it is (责任): by the time ledger, as far as the story says."""

    agency: str
    post: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something a rule speaks of (监察发现). key: tells it from others of the same rule and case.

    at: when it came true. versions: the entries that show it. limit, due: of a limit that passed.
    """

    rule: Rule
    key: str
    at: datetime
    whose: Responsible
    versions: tuple[int, ...] = ()
    limit: str | None = None
    due: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class Looked(NamedTuple):
    """What there is, in the order in which it came true, and when time may bring more (None: not)."""

    found: tuple[Found, ...]
    next_at: datetime | None


def look(
    events: Sequence[Event],
    about: About,
    book: Rulebook,
    *,
    known: Known,
    until: datetime,
    heard: datetime | None = None,
) -> Looked:
    """Everything up to an instant. events: all that is known of the case, by version.

    heard: until when the source of another system's case has told everything; time passes no
    further for it, because what is not told yet may have happened. None: its last entry.
    Raises Refusal where an event has no offset, ValueError beyond the calendar's table.
    """
    looker = _Looker(events, about, book, known, until)
    looker.entries()
    looker.times(heard)
    found = sorted(looker.found.values(), key=lambda one: (one.at, one.rule.code, one.key))
    return Looked(tuple(found), looker.next_at)


def stands(
    found: Found,
    events: Sequence[Event],
    about: About,
    book: Rulebook,
    *,
    known: Known,
    until: datetime,
    heard: datetime | None = None,
) -> bool:
    """Whether what a finding rests on holds by everything known now.

    Of a limit: the clock says that it passed, and it comes to the rule's point still, each entry
    taken as known when what it tells happened. Of anything else: its evidence was not withdrawn.
    """
    if found.due is None:
        counting = {one.version for one in standing_events(events)}
        return counting.issuperset(found.versions)
    if found.limit not in _BESIDE and found.due <= found.at and not _has_passed(
        events, str(found.limit), edition=known(None), until=until
    ):  # fmt: skip
        return False
    looker = _Looker(events, about, book, known, until, as_happened=True)
    looker.times(heard)
    return any(_same(found, one) for one in looker.found.values())


def _has_passed(events: Sequence[Event], limit: str, *, edition: Edition, until: datetime) -> bool:
    """Whether the clock, reading all of it, says that a limit of this kind passed."""
    reading = clock.read(events, at=until, edition=edition)
    if any(one.kind == limit and one.met is False for one in reading.limits):
        return True
    return limit not in TOLD and any(
        one.limit == limit and one.level == "over"
        for one in clock.alarms(events, at=until, edition=edition)
    )


def _same(one: Found, other: Found) -> bool:
    """Whether two speak of the same limit, though its end may have moved."""
    if (one.rule.code, one.limit) != (other.rule.code, other.limit):
        return False
    return one.limit not in _SEVERAL or one.versions[:1] == other.versions[:1]


def _stood_still(events: Sequence[Event], when: datetime) -> bool:
    """Whether a special procedure was under way; a deadline that another system told before does not
    say what it is after.
    """
    still = False
    for event in events:
        if event.occurred > when:
            continue
        if event.kind == "suspended":
            still = True
        elif event.kind in ("resumed", "closed"):
            still = False
    return still


class _Looker:
    """One pass over the entries, then one over the times at which limits were reached."""

    def __init__(
        self, events: Sequence[Event], about: About, book: Rulebook, known: Known, until: datetime,
        *, as_happened: bool = False,
    ) -> None:  # fmt: skip
        self.events, self.about, self.book = events, about, book
        self.known, self.until = known, until
        self.as_happened = as_happened  # entries count as known when what they tell happened
        self.found: dict[tuple[str, str], Found] = {}
        self.next_at: datetime | None = None
        self.foreign = bool(events) and events[0].nature is Nature.OBSERVATION
        self.kind = self._kind()
        self._rows: tuple[tuple[Event, Holder], ...] | None = None

    # --- what entries bring to light ----------------------------------------------------------------

    def entries(self) -> None:
        """Everything that an entry shows by itself and by those before it."""
        notices: list[frozenset[str]] = []
        extensions, heard = 0, False
        accepted_by: str | None = None
        due: datetime | None = None
        kind = self.kind
        facts: dict[str, Any]
        for event in self.events:
            code, body = event.kind, event.body
            if body.get("deviation"):
                what = str(body["deviation"])
                self._rules("deviation", event, what, {"what": what})
            if event.recorded - event.occurred >= DAY:
                self._late(event)
            if code == "received":
                self._received(event)
            elif code in ("accepted", "deemed_accepted"):
                accepted_by = accepted_by or _who(event)
            elif code == "supplement_requested":
                asked = _asked(body)
                notices.append(asked)
                more = body.get("more")
                news = set(more) if more else asked - notices[0]
                facts = {"nth": len(notices), "more": len(news) if len(notices) > 1 else 0}
                self._rules("notice", event, str(event.version), facts)
                self._outside(event, asked, "notice")
            elif code == "suspended":
                procedure = str(body.get("procedure", ""))
                heard = heard or procedure == "hearing"
                told = bool(body.get("days") or body.get("until")) and bool(
                    body.get("notice") or body.get("document")
                )
                facts = {"listed": procedure in PROCEDURES, "told": told}
                self._rules("pause", event, str(event.version), facts)
            elif code == "extended":
                extensions += 1
                approved = event.nature is Nature.ACT or bool(body.get("approved_by"))
                late = due is not None and event.occurred > due
                facts = {"nth": extensions, "late": late, "approved": approved}
                self._rules("extension", event, str(event.version), facts)
            elif code == "claim":
                due = _claimed(event) or due
            elif code == "inspected":
                people = len(set(body.get("people") or ()))
                self._rules("inspection", event, str(event.version), {"people": people})
            elif code == "step" and isinstance(body.get("people"), int):
                self._rules("inspection", event, str(event.version), {"people": body["people"]})
            elif code in _DECISIONS:
                who = _who(event)
                outcome = _outcome(event)
                facts = {
                    "outcome": outcome, "reasons": outcome == "granted" or _reasoned(event),
                    "heard": heard, "kind": kind, "item": self._item(),
                    "same_person": who is not None and who == accepted_by,
                }  # fmt: skip
                self._rules("decision", event, str(event.version), facts)

    def _kind(self) -> str:
        """Immediate, promised or forwarded; of another system's case as it says."""
        kept = self._kept()
        return str(kept.get("kind") or self.about.kind)

    def _kept(self) -> Mapping[str, Any]:
        kept = self.events[0].body.get("kept") if self.events else None
        return kept if isinstance(kept, Mapping) else {}

    def _item(self) -> str:
        return self.about.item_name

    def _received(self, event: Event) -> None:
        kept = self._kept() if event is self.events[0] else {}
        place = kept.get("place")
        if place is not None:
            self._rules("place", event, "", {"in_hall": place == "hall"})
        if isinstance(listed := kept.get("materials"), str) and listed:
            self._outside(event, frozenset(listed.split(",")), "system")

    def _outside(self, event: Event, asked: frozenset[str], how: str) -> None:
        if self.about.materials is None:
            return
        beyond = asked - self.about.materials
        if beyond:
            self._rules(
                "asked_outside", event, str(event.version), {"codes": len(beyond), "how": how}
            )

    def _late(self, event: Event) -> None:
        if event.kind == "claim":
            return
        if event.nature is Nature.ACT and event.actor is None:
            return  # the house itself, whose clock stood still meanwhile
        calendar = self.known(event.position).calendar
        happened, entered = _day(event.occurred), _day(event.recorded)
        if not (calendar.reaches(event.occurred) and calendar.reaches(event.recorded)):
            return
        days = calendar.working_days_between(happened, entered)
        facts = {"days": days, "own": event.nature is Nature.ACT}
        # What was entered together is one lateness.
        self._rules("late_entry", event, entered.isoformat(), facts)

    def _rules(self, matter: str, event: Event, key: str, facts: Mapping[str, Any]) -> None:
        for rule in self.book.about(matter, _day(event.received)):
            if rule.holds(facts):
                self._add(
                    Found(
                        rule=rule, key=key, at=event.received, versions=(event.version,),
                        whose=Responsible(event.agency or self.about.agency, event.post, _who(event)),
                        facts=facts,
                    )
                )  # fmt: skip

    def _add(self, one: Found) -> None:
        self.found.setdefault((one.rule.code, one.key), one)

    # --- what time brings to light ------------------------------------------------------------------

    def times(self, heard: datetime | None) -> None:
        """Limits, special procedures and opinions that came to a point up to now."""
        if not self.events:
            return
        until = self.until
        if self.foreign:
            until = min(until, heard or max(one.occurred for one in self.events))
        kinds = {one.kind for one in self.events}
        timed = not kinds.isdisjoint(("suspended", "opinion_requested"))
        whole = standing_events(self.events)
        taken = not kinds.isdisjoint(_TAKES_AWAY)
        intervals = self._intervals(until)
        reading, first = None, DAWN
        if not (self.foreign or timed or taken) and len(intervals) > 1:
            reading, first = self._first(whole, intervals)
        before, counted = None, 0
        for upto, upper in intervals:
            known, last = self.events[:upto], upto == len(self.events)
            if upper < first and not last:
                before = upper
                continue
            if last:
                counting = whole
            elif taken:
                counting = standing_events(known)
            else:  # each counts or not by those before it
                version = known[-1].version
                while counted < len(whole) and whole[counted].version <= version:
                    counted += 1
                counting = whole[:counted]
            # What came true before it could be known is judged by what was known soon after.
            settled = last or before is None or upper - before > LIVE
            since = None if settled else before
            self._limits(known, counting, upper, since, reading if last else None, last=last)
            if timed:
                edition = self.known(None)
                self._of_specials(counting, edition, upper, since, last=last)
                self._of_opinions(counting, edition, upper, since, last=last)
            before = upper
        if self.foreign and self.next_at is not None and self.next_at <= self.until:
            self.next_at = self.until + timedelta(hours=1)  # until its source has told so far

    def _intervals(self, until: datetime) -> list[tuple[int, datetime]]:
        """How many entries were known until when; the last is all of them."""
        found: list[tuple[int, datetime]] = []
        steps = claims = 0
        for nth, event in enumerate(self.events):
            kind = event.kind
            if kind == "step_taken":
                steps += 1
            elif kind == "claim":
                claims += 1
            if nth == 0:
                continue
            own = not self.as_happened and event.nature is Nature.ACT
            late = own and event.received - event.occurred > LIVE and kind in clock.TELLING
            if not late and (
                kind not in _CUTS
                or (kind == "step_taken" and steps < 2)
                or (kind == "claim" and claims < 2)
            ):
                continue
            upper = min(event.received if own else event.occurred, until)
            if not found or upper > found[-1][1]:
                found.append((nth, upper))
        found.append((len(self.events), until))
        return found

    def _first(
        self, counting: Sequence[Event], intervals: Sequence[tuple[int, datetime]]
    ) -> tuple[Reading | None, datetime]:
        """The reading of the last interval, and an instant before which none finds anything.

        Of a plain life each limit runs as it does in the end, in whatever part of the story; what
        stopped it was known at the latest when that was received.
        """
        events, until = self.events, intervals[-1][1]
        edition = self.known(events[-1].position)
        if not edition.calendar.reaches(until) or any(
            self.known(events[upto - 1].position) is not edition for upto, _ in intervals
        ):
            return None, DAWN
        reading, former, plain = clock.course(counting, at=until, edition=edition)
        if not plain:
            return reading, DAWN
        lag, before = timedelta(), events[0].received
        for event in events:
            if event.received < before:
                return reading, DAWN  # the story was not told in the order of its versions
            before = event.received
            lag = max(lag, before - event.occurred)
        first = NEVER
        for one in (*reading.limits, *former):
            stop = one.stopped_at
            end = until if stop is None else min(until, stop + lag)
            for rule in self.book.timed(one.kind) if one.due <= end else self.book.early(one.kind):
                when = _instant(rule, one, edition)
                if when is not None and when <= end and when < first:
                    first = when
        return reading, first

    def _limits(
        self, events: Sequence[Event], counting: Sequence[Event], upper: datetime,
        since: datetime | None, reading: Reading | None, *, last: bool,
    ) -> None:  # fmt: skip
        """counting: those of the events that count. since: only what came true after it; None:
        whenever. reading: of them all, where it was made.
        """
        edition = self.known(events[-1].position)
        if not edition.calendar.reaches(upper):
            return
        if reading is None:
            reading = clock.read_counting(counting, at=upper, edition=edition)
        kind = self.kind
        running = [one for one in reading.limits if one.state is not _SUSPENDED]  # else it moves
        lawful = [one.due for one in running if one.kind in _LAWFUL]
        whole = [one for one in running if one.kind in _WHOLE]
        for one in running:
            stop, end = one.stopped_at, one.due
            # What was stopped before its end came to no point beyond it, nor what ends later on.
            never = stop < end if stop is not None else not last and end > upper
            for rule in self.book.early(one.kind) if never else self.book.timed(one.kind):
                when = _instant(rule, one, edition)
                if when is None or (stop is not None and _ended_by(when, stop, one)):
                    continue
                if when > upper:
                    sooner = self.next_at is not None and self.next_at <= when
                    if not last or stop is not None or sooner:
                        continue
                elif since is not None and when <= since:
                    continue
                if not rule.in_force(_day(when)):
                    continue
                if one.kind in TOLD and _stood_still(events, end):
                    continue
                facts = {
                    "limit": one.kind, "value": one.value, "kind": kind,
                    "statutory_over": any(due <= when for due in lawful if one.kind not in _LAWFUL),
                    "whole_over": any(
                        due.due <= when and (due.stopped_at is None or due.stopped_at > due.due)
                        for due in whole
                    ),
                }  # fmt: skip
                if not rule.holds(facts):
                    continue
                if when > upper:
                    self._later(when)
                    continue
                point, key = rule.point, f"{one.kind}/{end.isoformat()}"
                assert point is not None
                if (rule.code, key) in self.found:
                    continue
                self._add(
                    Found(
                        rule=rule, key=key, at=when,
                        whose=self._holder(events, when), versions=_began(events, one, when),
                        limit=one.kind, due=end,
                        facts={**_telling(facts), point.attribute: point.value},
                    )
                )  # fmt: skip

    def _of_specials(
        self, counting: Sequence[Event], edition: Edition, until: datetime,
        since: datetime | None, *, last: bool,
    ) -> None:  # fmt: skip
        for one in _specials(counting):
            for rule in self.book.every("special"):
                point = rule.point
                assert point is not None
                when = one.instant(int(point.value), edition)
                if when is None or (one.end is not None and when >= one.end):
                    continue
                if not rule.in_force(_day(when)):
                    continue
                if when > until:
                    if last and one.end is None:
                        self._later(when)
                    continue
                facts = {"procedure": one.procedure, "days": one.days, point.attribute: point.value}
                if since is not None and when <= since:
                    continue
                if rule.holds(facts):
                    self._add(
                        Found(
                            rule=rule, key=str(one.event.version), at=when,
                            whose=Responsible(
                                one.event.agency or self.about.agency, one.event.post,
                                _who(one.event),
                            ),
                            versions=(one.event.version,), limit="special", due=one.due(edition),
                            facts=facts,
                        )
                    )  # fmt: skip

    def _of_opinions(
        self, counting: Sequence[Event], edition: Edition, until: datetime,
        since: datetime | None, *, last: bool,
    ) -> None:  # fmt: skip
        for one in _opinions(counting):
            for rule in self.book.every("opinion"):
                point = rule.point
                assert point is not None
                when = one.instant(int(point.value), edition)
                if when is None or not rule.in_force(_day(when)):
                    continue
                if one.given is not None and when >= one.given.occurred:
                    continue
                if when > until:
                    if last and one.given is None:
                        self._later(when)
                    continue
                facts = {point.attribute: point.value}
                if since is not None and when <= since:
                    continue
                if rule.holds(facts):
                    self._add(
                        Found(
                            rule=rule, key=str(one.asked.version), at=when,
                            whose=Responsible(str(one.asked.body.get("agency") or "")),
                            versions=(one.asked.version,), limit="opinion",
                            due=edition.close(one.until.toordinal()), facts=facts,
                        )
                    )  # fmt: skip

    def _later(self, when: datetime) -> None:
        if self.next_at is None or when < self.next_at:
            self.next_at = when

    def _holder(self, events: Sequence[Event], when: datetime) -> Responsible:
        """Who had it at an instant, by the time ledger; under way the giver."""
        if self.foreign:
            last = next(
                (w for one in reversed(events) if one.occurred <= when and (w := _who(one))), None
            )
            return Responsible(self.about.agency, None, last)
        if self._rows is None:
            self._rows = Life.of(self.events).held
        upto = events[-1].version
        holder, giver = None, None
        for event, had in self._rows:
            if event.occurred > when or event.version > upto:
                break
            holder = had
            if holder.kind in (HolderKind.WINDOW, HolderKind.DEPARTMENT):
                giver = holder
        if holder is None:
            return Responsible(self.about.agency)
        if holder.kind in (HolderKind.WINDOW, HolderKind.DEPARTMENT):
            return _of(holder, self.about.agency)
        if holder.kind == HolderKind.HANDING_OVER and holder.charged_to and giver is not None:
            return Responsible(holder.charged_to, giver.post, giver.actor)
        if giver is not None:
            return _of(giver, self.about.agency)
        return Responsible(self.about.agency)


def _of(holder: Holder, agency: str) -> Responsible:
    return Responsible(holder.agency or agency, holder.post, holder.actor)


def _telling(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing of such a limit."""
    mute = {"statutory_over"} if facts["limit"] in _LAWFUL else set()
    if facts["limit"] in TOLD:
        mute = {"value", "statutory_over"}
    return {name: value for name, value in facts.items() if name not in mute}


def _ended_by(when: datetime, stop: datetime, one: LimitReading) -> bool:
    """Whether a limit was over by an instant; silence ends with the term, not before it passes."""
    return stop < when or (stop == when and not one.how.silent)


# --- instants ----------------------------------------------------------------------------------------


def _instant(rule: Rule, one: LimitReading, edition: Edition) -> datetime | None:
    """When a limit comes to a rule's point, as it runs now; None where it never does."""
    point = rule.point
    if point is None:
        return None
    value, about = point.value, point.attribute
    if about == "over" and not value:
        return one.due
    if about == "used":
        # Whole units: 90 % of 20 are 18, of 15 are 14.
        whole = -(-one.value * value // 1000)
        about, value = ("left", one.value - whole) if value <= 1000 else ("over", whole - one.value)
        if one.unit in _HOURS:
            hours = timedelta(hours=value)
            if one.unit is Unit.HOUR:
                return one.due + hours if about == "over" else one.due - hours
            value = -(-value // OFFICE_DAY) if about == "over" else value // OFFICE_DAY
    last, working = ordinal(one.due), one.unit in _WORKING
    try:
        if about == "over":
            day = edition.calendar.nth(last, value) if working else last + value
            return max(edition.close(day), one.due)
        day = last if not value else (
            ordinal(edition.before(last, value)) if working else last - value
        )  # fmt: skip
    except ValueError:
        return None  # beyond the calendar's table
    if day <= one.how.start.day:
        return None  # it is as near as that from the beginning
    return datetime.combine(date.fromordinal(day), time(), SHANGHAI)


@dataclass(frozen=True, slots=True)
class _Special:
    """A special procedure as it was told. end: None while it runs."""

    event: Event
    procedure: str
    days: int
    until: date | None
    end: datetime | None

    def due(self, edition: Edition) -> datetime | None:
        return self.instant(1000, edition)

    def instant(self, used: int, edition: Edition) -> datetime | None:
        """The end of the day on which so many thousandths of what was told are used."""
        begun = ordinal(self.event.occurred)
        try:
            last = self.until.toordinal() if self.until else edition.calendar.nth(begun, self.days)
            more = -(-self.days * (used - 1000) // 1000)
            return edition.close(edition.calendar.nth(last, more) if more else last)
        except ValueError:
            return None


def _specials(counting: Sequence[Event]) -> list[_Special]:
    """The special procedures of which was told how long they take."""
    under_way: list[Event] = []
    found = []
    ends: dict[int, datetime] = {}
    for event in counting:
        if event.kind == "suspended":
            under_way.append(event)
        elif event.kind in ("resumed", "closed"):
            left = []
            for one in under_way:
                procedure = (str(one.body.get("procedure", "")),)
                if event.kind == "resumed" and still_open(procedure, event.body):
                    left.append(one)
                else:
                    ends[one.version] = event.occurred
            under_way = left
    for event in counting:
        if event.kind != "suspended":
            continue
        days, until = event.body.get("days"), _date(event.body.get("until"))
        if isinstance(days, int) and days > 0:
            found.append(
                _Special(
                    event, str(event.body.get("procedure", "")), days, until,
                    ends.get(event.version),
                )
            )  # fmt: skip
    return found


class _Opinion(NamedTuple):
    """An opinion asked for. given: the answer, None while there is none."""

    asked: Event
    until: date
    given: Event | None

    def instant(self, days: int, edition: Edition) -> datetime | None:
        """The close of so many working days after the last one; None beyond the calendar."""
        last = self.until.toordinal()
        try:
            return edition.close(edition.calendar.nth(last, days) if days else last)
        except ValueError:
            return None


def _opinions(counting: Sequence[Event]) -> list[_Opinion]:
    given = {
        one.body.get("request"): one for one in reversed(counting) if one.kind == "opinion_given"
    }
    return [
        _Opinion(one, until, given.get(one.version))
        for one in counting
        if one.kind == "opinion_requested" and (until := _date(one.body.get("until")))
    ]


def _began(events: Sequence[Event], one: LimitReading, when: datetime) -> tuple[int, ...]:
    """The entry a limit began with, and the one that ended it where it is known."""
    start, stop = one.how.start.moment, one.stopped_at
    begun = [e.version for e in events if e.occurred == start][:1]
    ended = [e.version for e in events if stop is not None and e.occurred == stop][:1]
    return tuple(dict.fromkeys((*begun, *ended)))


# --- what an entry says --------------------------------------------------------------------------------


def _day(when: datetime) -> date:
    return local(when).date()


def _who(event: Event) -> str | None:
    """Who did it: a code of ours, or the operator of another system."""
    if event.actor:
        return event.actor
    foreign = event.body.get("foreign")
    if isinstance(foreign, Mapping) and foreign.get("actor"):
        return str(foreign["actor"])[:LONGEST]  # another system may write anything
    return None


def _asked(body: Mapping[str, Any]) -> frozenset[str]:
    """The codes of the materials a notice asks for."""
    found = body.get("materials")
    if not isinstance(found, list | tuple):
        return frozenset()
    return frozenset(
        str(one["code"]) if isinstance(one, Mapping) else str(one)
        for one in found
        if not isinstance(one, Mapping) or one.get("state", "missing") in ("missing", "faulty")
    )


def _outcome(event: Event) -> str:
    if event.kind != "decided":
        return event.kind
    outcome = event.body.get("outcome")
    return outcome if outcome in ("granted", "refused") else "unknown"


def _reasoned(event: Event) -> bool:
    """Whether it gives reasons: our own acts in a text beside, another system by its grounds."""
    body = event.body
    if event.nature is Nature.ACT:
        return isinstance(body.get("reasons"), Mapping) or bool(body.get("grounds"))
    return bool(body.get("grounds") or body.get("reasons"))


def _claimed(event: Event) -> datetime | None:
    claim = event.body.get("claim")
    if not isinstance(claim, Mapping) or claim.get("kind") != "deadline":
        return None
    try:
        due = datetime.fromisoformat(str(claim.get("due")))
    except ValueError:
        return None
    return due if due.tzinfo is not None else None


def _date(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


__all__ = [
    "SPEAKING", "About", "Found", "Known", "Looked", "Responsible", "look", "stands",
]  # fmt: skip
