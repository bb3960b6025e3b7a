"""One case counted a second time (独立复算), from its entries alone.

Nothing here is shared with what keeps the figures: which entries count, who had the case, which day
a thing belongs to and how a limit was kept are decided by this module and `domain.daybyday`, written
from the definitions of docs/reference/statistics.md and from the law; an architecture test holds
that. `counted` is one case, `restated` what it changed of days that were over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from zhengwu.domain import daybyday
from zhengwu.domain.daybyday import Counted, Entered, World
from zhengwu.domain.event import Event, Nature

SECOND = timedelta(seconds=1)
LATE = 1  # working days after which an entry was made late
OVER = 1  # days after which a day is over: what changes its figures later is a restatement

# --- the figures, as the definitions name them ---------------------------------------------------

HANDS = (
    "in_window", "in_department", "in_handover", "in_applicant", "in_special", "in_higher",
    "in_exchange", "nobody",
)  # fmt: skip
WINDOW, DEPARTMENT, UNDER_WAY, APPLICANT, SPECIAL, HIGHER, EXCHANGE, NOBODY = HANDS
MEASURES = frozenset(
    [
        "received",
        "claimed",
        "accepted",
        "deemed",
        "not_accepted",
        "notices",
        "suspensions",
        "extensions",
        "forwarded",
        "decided",
        "granted",
        "refused",
        "withdrawn",
        "terminated",
        "late_entries",
        "closed",
        "early",
        "on_time",
        "late",
        "unjudged",
        "claim_on_time",
        "claim_late",
        "spot",
        "at_window",
        "handovers",
        "timed",
        "days",
        "promised_timed",
        "promised_used",
        "statutory_timed",
        "statutory_used",
        "elapsed",
    ]
) | set(HANDS)
PERSONAL = frozenset(
    [
        "received",
        "accepted",
        "not_accepted",
        "notices",
        "steps",
        "granted",
        "refused",
        "delivered",
        "late_entries",
        "on_time",
        "late",
    ]
)
# As what an entry counts: the first such entry of a case, or every one.
FIRST_OF = {
    "accepted": ("accepted", "deemed_accepted"),
    "not_accepted": ("not_needed", "not_ours"),
    "decided": ("granted", "refused", "decided"),
    "withdrawn": ("withdrawn",),
    "terminated": ("terminated",),
}
EVERY = {
    "notices": "supplement_requested", "suspensions": "suspended", "extensions": "extended",
    "forwarded": "forwarded", "steps": "step_done", "delivered": "delivered",
}  # fmt: skip
# 行政许可法 42, 43: what a decision was due by. The law's own limit comes before what stands in its
# place, the review before what is only reviewed here.
LAWFUL = ("statutory", "joint", "lower_review")
DECIDING = ("promised", *LAWFUL)
LEFT_US = ("not_accepted", "withdrawn", "terminated", "delivered", "closed", "archived")


class Mark(NamedTuple):
    """Something that counts on its day: as what, on which day, done by whom."""

    what: str
    day: date
    person: str | None


class Way(NamedTuple):
    """What was handed from one agency to another: how often, seconds under way and in office hours."""

    giver: str
    taker: str
    times: int
    seconds: int
    office: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A closed case. verdict: early | on_time | late | unjudged; claim: None where nothing was
    claimed. used: thousandths. hands: seconds, in the order of HANDS.
    """

    day: date
    verdict: str
    due: datetime | None
    claim: str | None
    days: int
    promised_used: int | None
    statutory_used: int | None
    spot: bool
    at_window: bool
    hands: tuple[int, ...]
    ways: tuple[Way, ...]
    decider: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as counted here."""

    version: int
    received: date
    marks: tuple[Mark, ...]
    claim_due: datetime | None
    ended: Ended | None

    def figures(self) -> Counter[tuple[date, str]]:
        """What it adds to the figures of which day."""
        found = Counter((one.day, one.what) for one in self.marks if one.what in MEASURES)
        if self.claim_due:
            found[self.received, "claimed"] += 1
        end = self.ended
        if end is None:
            return found
        told: dict[str, int] = {
            "closed": 1,
            "on_time": end.verdict in ("early", "on_time"),
            "early": end.verdict == "early",
            "late": end.verdict == "late",
            "unjudged": end.verdict == "unjudged",
            "claim_on_time": end.claim == "on_time",
            "claim_late": end.claim == "late",
            "spot": end.spot,
            "at_window": end.at_window,
            "handovers": sum(one.times for one in end.ways),
            "timed": 1,
            "days": end.days,
            "promised_timed": end.promised_used is not None,
            "promised_used": end.promised_used or 0,
            "statutory_timed": end.statutory_used is not None,
            "statutory_used": end.statutory_used or 0,
            "elapsed": sum(end.hands),
            **dict(zip(HANDS, end.hands, strict=True)),
        }
        for what, amount in told.items():
            found[end.day, what] += amount
        return Counter({key: amount for key, amount in found.items() if amount})

    def people(self) -> Counter[tuple[date, str, str]]:
        """What it adds to whose figures of which day (day, person, what)."""
        found = Counter(
            (one.day, one.person, one.what)
            for one in self.marks
            if one.person and one.what in PERSONAL
        )
        end = self.ended
        if end and end.decider and end.verdict != "unjudged":
            found[end.day, end.decider, "late" if end.verdict == "late" else "on_time"] += 1
        return found


# --- one case ------------------------------------------------------------------------------------

Worlds = Callable[[int | None], World]  # the calendar as known at a position of the log


def counted(events: Sequence[Event], worlds: Worlds) -> Case:
    """A case from its entries, by version."""
    rows = list(daybyday.entered(events))
    told = [row.event for row in rows]
    receipt = _first(told, ("received",)) or told[0]
    received = daybyday.local(receipt.occurred)
    claim_due = _claimed(told)
    closed = _first(told, ("closed",))
    return Case(
        version=events[-1].version,
        received=received,
        marks=(Mark("received", received, receipt.actor), *_marks(told, worlds)),
        claim_due=claim_due,
        ended=_ended(events, rows, receipt, closed, claim_due, worlds(closed.position))
        if closed
        else None,
    )


def _first(told: Iterable[Event], kinds: Sequence[str]) -> Event | None:
    return next((one for one in told if one.kind in kinds), None)


def _marks(told: Sequence[Event], worlds: Worlds) -> Iterator[Mark]:
    for what, kinds in FIRST_OF.items():
        first = _first(told, kinds)
        if first is None:
            continue
        day = daybyday.local(first.occurred)
        yield Mark(what, day, first.actor)
        if first.kind == "deemed_accepted":
            yield Mark("deemed", day, first.actor)
        elif first.kind == "decided":
            # Another system may tell the outcome later than that there was a decision.
            said = [one.body.get("outcome") for one in told if one.kind == "decided"]
            outcome = next((one for one in said if one in ("granted", "refused")), None)
            if outcome:
                yield Mark(outcome, day, None)
        elif what == "decided":
            yield Mark(first.kind, day, first.actor)
    for what, kind in EVERY.items():
        for one in told:
            if one.kind == kind:
                yield Mark(what, daybyday.local(one.occurred), one.actor)
    for one in told:
        if one.kind != "claim" and _late(one, worlds):
            yield Mark("late_entries", daybyday.local(one.occurred), one.actor)


def _late(one: Event, worlds: Worlds) -> bool:
    """Whether it was entered more than a working day after it happened; not what the house does of
    itself. By the calendar as known when it was entered.
    """
    if one.nature == Nature.ACT and one.actor is None:
        return False
    happened, entered = daybyday.local(one.occurred), daybyday.local(one.recorded)
    if (entered - happened).days <= LATE:
        return False
    return daybyday.worked(worlds(one.position), happened, entered) > LATE


def _claimed(told: Iterable[Event]) -> datetime | None:
    """The sender's last word on its own deadline, else on what it planned; no instant, no word."""
    said: dict[str, datetime] = {}
    for one in told:
        claim = one.body.get("claim") if one.kind == "claim" else None
        if not isinstance(claim, Mapping):
            continue
        try:
            due = datetime.fromisoformat(str(claim.get("due")))
        except ValueError:
            continue
        if due.tzinfo:
            said[str(claim.get("kind"))] = due
    return said.get("deadline") or said.get("planned_end")


def _ended(
    events: Sequence[Event],
    rows: Sequence[Entered],
    receipt: Event,
    closed: Event,
    claim_due: datetime | None,
    world: World,
) -> Ended:
    told = [row.event for row in rows]
    at = max(one.occurred for one in told)
    limits = daybyday.count([one for one in events if one.kind != "claim"], world, at=at)
    decided = _first(told, FIRST_OF["decided"])
    verdict, due = _kept(limits, world, decided)
    hands = _hands(rows)
    seconds, ways = _times(hands, receipt.occurred, closed.occurred, world)
    decider, at_window, on_day = _decision(hands)
    claim = None
    if claim_due:
        claim = "on_time" if closed.occurred <= claim_due else "late"
    return Ended(
        day=daybyday.local(closed.occurred),
        verdict=verdict,
        due=due,
        claim=claim,
        days=_days(told, limits, receipt, closed, world),
        promised_used=_used(limits, ("promised",)),
        statutory_used=_used(limits, LAWFUL),
        spot=at_window and on_day == daybyday.local(receipt.occurred),
        at_window=at_window,
        hands=seconds,
        ways=ways,
        decider=decider,
    )


# --- the limits (行政许可法 32, 42-45) -------------------------------------------------------------


def _one(limits: Sequence[Counted], kinds: Sequence[str]) -> Counted | None:
    """The limit of the first of these kinds that there is."""
    return next((one for kind in kinds for one in limits if one.kind == kind), None)


def _kept(
    limits: Sequence[Counted], world: World, decided: Event | None
) -> tuple[str, datetime | None]:
    """How the limits were kept. What has none for a decision is held to the five days of 32."""
    deciding = [one for one in limits if one.kind in DECIDING]
    judging = deciding or [one for one in limits if one.kind == "acceptance"]
    if not judging:
        return "unjudged", None
    due = min(one.due for one in judging)
    if any(one.met is False for one in judging):
        return "late", due
    own = _one(deciding, DECIDING)
    if own is None or decided is None:
        return "on_time", due
    done, last = daybyday.local(decided.occurred), daybyday.local(own.due)
    return ("early" if daybyday.worked(world, done, last) >= 1 else "on_time"), due


def _used(limits: Sequence[Counted], kinds: Sequence[str]) -> int | None:
    """Thousandths of a limit with its extension; none where it is to be done on the spot."""
    one = _one(limits, kinds)
    if one is None or one.value + one.extra == 0 or one.used + one.left <= 0:
        return None
    return one.used * 1000 // (one.used + one.left)


def _days(
    told: Sequence[Event],
    limits: Sequence[Counted],
    receipt: Event,
    closed: Event,
    world: World,
) -> int:
    """Working days from acceptance to decision, 82: the first day not counted, nor what 45 leaves
    out: a special procedure (and the higher organ's time) that began while the limit ran.
    """
    accepted = _first(told, FIRST_OF["accepted"]) or receipt
    begun, first = accepted.occurred, daybyday.local(accepted.occurred)
    if accepted.kind == "deemed_accepted":  # 32(1)(4): from the receipt of the papers
        papers = [
            one for one in told
            if one.kind in ("received", "supplemented") and one.version < accepted.version
        ]  # fmt: skip
        first, begun = daybyday.receipt(world, papers[-1].occurred)
    ended = (_first(told, FIRST_OF["decided"]) or closed).occurred
    limit = _one(limits, (*LAWFUL[:2], "promised", *LAWFUL[2:]))
    stood = daybyday.clipped(daybyday.pauses(told, forwarding=True), begun, ended)
    out = [one for one in stood if limit is None or one[0] <= limit.due]
    days = daybyday.worked(world, first, daybyday.local(ended))
    return max(0, days - daybyday.paused_days(world, "working_day", out))


# --- in whose hands ------------------------------------------------------------------------------


class Hand(NamedTuple):
    """Who has a case. Under way: who gave it and whom it is for (hands or desk, agency)."""

    kind: str
    agency: str = ""
    giver: tuple[str, str] = ("", "")
    aim: tuple[str, str] = ("", "")


class Held(NamedTuple):
    """An entry, who had the case before it and who has it from then on."""

    event: Event
    before: Hand
    hand: Hand


def _hands(rows: Sequence[Entered]) -> list[Held]:
    """Who has the case after each entry. Until somebody of ours has it, the sender has."""
    hand = back = Hand(EXCHANGE)
    held = []
    for row in rows:
        before = hand
        if row.event.nature == Nature.OBSERVATION:
            if row.event.kind == "closed":
                hand = Hand(NOBODY)
        elif row.state not in LEFT_US:
            taken = _taken(row.event, hand, back)
            if row.event.kind == "suspended":
                back = back if row.special else hand
                hand = Hand(SPECIAL)
            elif row.event.kind == "forwarded":
                hand, back = Hand(HIGHER), hand
            elif row.event.kind == "came_back" or (row.event.kind == "resumed" and not row.left):
                hand = back
            elif row.left:
                # Whoever takes it during a special procedure has it after that.
                back = taken or back
            else:
                hand = taken or hand
        held.append(Held(row.event, before, hand))
    return held


def _taken(event: Event, hand: Hand, back: Hand) -> Hand | None:
    """Who has it by this act; None where it stays where it is."""
    kind, aim = event.kind, event.body.get("to")
    here = event.agency or ""
    if kind in ("received", "supplemented"):
        return Hand(WINDOW, here)
    if kind in ("supplement_requested", "ready"):
        return Hand(APPLICANT)
    if kind == "step_taken":
        return Hand(WINDOW if event.body.get("at") == "window" else DEPARTMENT, here)
    if kind in ("delivered", "closed", "withdrawn", "terminated", "not_needed", "not_ours"):
        return Hand(NOBODY)
    if isinstance(aim, Mapping) and kind not in ("suspended", "forwarded", "resumed", "came_back"):
        giver = back if hand.kind in (SPECIAL, HIGHER) else hand
        given = giver.giver if giver.kind == UNDER_WAY else (giver.kind, giver.agency)
        whom = (str(aim.get("kind") or ""), str(aim.get("agency") or ""))
        return Hand(UNDER_WAY, giver=given, aim=whom)
    if kind in ("granted", "refused"):
        return Hand(DEPARTMENT if hand.kind == UNDER_WAY else hand.kind, here)
    return None


def _decision(held: Sequence[Held]) -> tuple[str | None, bool, date | None]:
    """Who decided, or answered that there is nothing to decide; whether a window did; which day."""
    for one in held:
        if one.event.kind in ("granted", "refused", "not_needed", "not_ours"):
            day = daybyday.local(one.event.occurred)
            return one.event.actor, one.before.kind == WINDOW, day
    return None, False, None


@dataclass(slots=True)
class _Passage:
    """What is on its way from somebody to somebody else."""

    hand: Hand
    length: timedelta = timedelta()
    office: timedelta = timedelta()
    taker: Hand | None = None

    @property
    def agencies(self) -> tuple[str, str]:
        taken = self.taker if self.taker and self.taker.kind in (WINDOW, DEPARTMENT) else None
        return self.hand.giver[1], self.hand.aim[1] or (taken.agency if taken else "")


def _times(
    held: Sequence[Held], received: datetime, closed: datetime, world: World
) -> tuple[tuple[int, ...], tuple[Way, ...]]:
    """Seconds in whose hands from the receipt to the closing, and what was handed over.

    An entry made late takes no time from anybody that is gone. Handed over is one way from one pair
    of hands to another, whatever special procedure lies in between; what is taken at once is none.
    """
    lengths = dict.fromkeys(HANDS, timedelta())
    passages: list[_Passage] = []
    going: _Passage | None = None
    at = min(held[0].event.occurred, received)
    end = max(at, closed)
    moments = [one.event.occurred for one in held[1:]]
    for one, following in zip(held, [*moments, end], strict=True):
        hand, until = one.hand, min(end, max(at, following))
        if hand.kind == UNDER_WAY:
            if until > at:
                if going is None or going.hand != hand:
                    going = _Passage(hand)
                    passages.append(going)
                going.length += until - at
                going.office += daybyday.office_time(world, at, until, ())
        elif hand.kind not in (SPECIAL, HIGHER):
            if going is not None:
                going.taker = hand
            going = None
        lengths[hand.kind] += until - at
        at = until
    lengths[held[-1].hand.kind] += end - at
    ways: dict[tuple[str, str], list[Any]] = {}
    for passage in passages:
        way = ways.setdefault(passage.agencies, [0, timedelta(), timedelta()])
        way[0] += 1
        way[1] += passage.length
        way[2] += passage.office
    return _whole_seconds(lengths.values()), tuple(
        Way(*agencies, times, length // SECOND, office // SECOND)
        for agencies, (times, length, office) in sorted(ways.items())
    )


def _whole_seconds(lengths: Iterable[timedelta]) -> tuple[int, ...]:
    """Each end on the way from nothing to the whole cut to a second, so that the parts sum."""
    total, ends = timedelta(), [0]
    for length in lengths:
        total += length
        ends.append(total // SECOND)
    return tuple(high - low for low, high in pairwise(ends))


# --- changed later (更正) --------------------------------------------------------------------------


def restated(
    events: Sequence[Event], worlds: Worlds, whole: Case
) -> Counter[tuple[date, date, str]]:
    """By how much the case changed a day that was over (noticed, day, measure).

    What stood at the end of each day on which something was entered, beside the day before.
    """
    found = Counter[tuple[date, date, str]]()
    if all(
        one.nature == Nature.ACT
        and one.kind != "entry_withdrawn"
        and (daybyday.local(one.received) - daybyday.local(one.occurred)).days <= OVER
        for one in events
    ):
        return found  # every act was entered while its day was not over
    days = [daybyday.local(one.received) for one in events]
    before = Counter[tuple[date, str]]()
    for nth, noticed in enumerate(days, start=1):
        last = nth == len(events)
        if not last and days[nth] == noticed:
            continue
        now = (whole if last else counted(events[:nth], worlds)).figures()
        changed = now.copy()
        changed.subtract(before)
        for (day, what), amount in changed.items():
            if amount and (noticed - day).days > OVER:
                found[noticed, day, what] += amount
        before = now
    return found


__all__ = [
    "MEASURES", "PERSONAL", "Case", "Ended", "Mark", "Way", "Worlds", "counted", "restated",
]  # fmt: skip
