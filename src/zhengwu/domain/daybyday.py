"""The legal count day by day (期限的逐日计算): slow, obvious, and sharing nothing with the clock.

Written from 行政许可法 26, 32, 42-45, 82 and 民法典 201-203, to be read beside them. No tables, no
searching: every count walks from one day to the next and asks of each whether people work on it.
Of the product it knows the plain `Event` record and nothing else, so that the clock and this walk
can only agree by both being right. The tests hold the clock to it, the recount of the figures
(statistics.recount) judges by it. `count` reads all limits; `entered` says which entries count.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from zhengwu.domain.event import Event, Nature

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SKEW = timedelta(minutes=5)  # how far the clocks of two desks may differ
LAST_MOMENT = time(23, 59, 59, 999999)  # 24:00 of a day
# Holidays of a fixed date, all that is known of a year without a notice.
FIXED = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
# 民法典 201(2): hours run from their moment; everything longer is counted in days.
IN_HOURS = ("hour", "office_hour")
ANSWER = (
    "accepted",
    "deemed_accepted",
    "supplement_requested",
    "not_needed",
    "not_ours",
    "withdrawn",
    "closed",
    "decided",
)
DECISION = ("granted", "refused", "withdrawn", "terminated", "decided", "closed")

# What another system may claim: when it is due, and when it is planned to end.
CLAIMS = {"deadline": "claim", "planned_end": "planned"}

Spans = tuple[tuple[time, time], ...]
Pause = tuple[datetime, datetime | None]

LAW: tuple[Mapping[str, Any], ...] = tuple(
    {
        "kind": kind,
        "value": value,
        "unit": "working_day",
        "roll": True,
        "since": date(2004, 7, 1),
        "until": None,
    }
    for kind, value in (
        ("acceptance", 5),  # 行政许可法 32(1)(4)
        ("statutory", 20),  # 42(1)
        ("delivery", 10),  # 44
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is written outside the case (历书、作息、规则).

    days: True is off, False is worked though a weekend; other days are plain. published: the years
    with a notice. hours: from which day on which spans of business; empty when unknown. rules: the
    general limits, each from `since` (in) to `until` (out). after_hours: papers that come too late
    on a day, or on a day off, count as received on the next working day; from which day on.
    """

    days: Mapping[date, bool]
    published: Collection[int]
    hours: Sequence[tuple[date, Spans]] = ((date.min, ((time(9), time(17)),)),)
    rules: Sequence[Mapping[str, Any]] = LAW
    after_hours: Sequence[tuple[date, bool]] = ((date.min, True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One limit as counted. used and left in its unit, months and years in calendar days. alike:
    the law does not bind the case itself, its rule is applied by analogy.
    """

    kind: str
    start: date
    due: datetime
    used: int
    left: int
    met: bool | None
    state: str
    provisional: bool
    value: int
    unit: str
    extra: int
    stopped_at: datetime | None
    alike: bool = False


# --- days and hours -----------------------------------------------------------------------------


def local(instant: datetime) -> date:
    """The day in the city."""
    return instant.astimezone(SHANGHAI).date()


def working(world: World, day: date) -> bool:
    if day in world.days:
        return not world.days[day]
    if day.weekday() >= 5:
        return False
    return day.year in world.published or (day.month, day.day) not in FIXED


def next_working(world: World, day: date) -> date:
    """The first working day after this one."""
    day += DAY
    while not working(world, day):
        day += DAY
    return day


def nth_working(world: World, day: date, count: int) -> date:
    """The count-th working day after this one."""
    for _ in range(count):
        day = next_working(world, day)
    return day


def worked(world: World, after: date, to: date) -> int:
    """How many working days lie after the one day, up to and with the other."""
    count = 0
    day = after
    while day < to:
        day += DAY
        if working(world, day):
            count += 1
    return count


def spans(world: World, day: date) -> Spans:
    """When business is open on that day; nothing on a day off."""
    found: Spans = ()
    if working(world, day):
        for since, those in world.hours:
            if since <= day:
                found = those
    return found


def moment(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, SHANGHAI)


def close(world: World, day: date) -> datetime:
    """民法典 203(2): 24:00 of the last day, or the end of business where there are such hours."""
    found = spans(world, day)
    return moment(day, found[-1][1] if found else LAST_MOMENT)


def opening(world: World, day: date) -> datetime:
    found = spans(world, day)
    return moment(day, found[0][0] if found else time.min)


def months_later(day: date, months: int) -> date:
    """民法典 202: the corresponding day, else the last day of the month."""
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    month += 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def receipt(world: World, instant: datetime) -> tuple[date, datetime]:
    """The day papers count as received, and the moment from which hours run."""
    day = local(instant)
    late = [value for since, value in world.after_hours if since <= day][-1]
    if late and (not working(world, day) or instant > close(world, day)):
        day = next_working(world, day)
        return day, opening(world, day)
    return day, instant


def free(
    begin: datetime, end: datetime, pauses: Iterable[Pause]
) -> list[tuple[datetime, datetime]]:
    """What of one stretch of time lies in no pause."""
    pieces = []
    for stop, go in sorted(pauses):  # none overlap any more
        assert go is not None
        if go <= begin or stop >= end:
            continue
        if stop > begin:
            pieces.append((begin, stop))
        begin = go
    if begin < end:
        pieces.append((begin, end))
    return pieces


def office_pieces(
    world: World, day: date, begin: datetime, pauses: Iterable[Pause]
) -> list[tuple[datetime, datetime]]:
    """The office time of one day from a moment on, without the pauses."""
    pieces = []
    for opens, closes in spans(world, day):
        frm, to = max(moment(day, opens), begin), moment(day, closes)
        if frm < to:
            pieces += free(frm, to, pauses)
    return pieces


def office_time(world: World, begin: datetime, end: datetime, pauses: Iterable[Pause]) -> timedelta:
    """The office time between two moments, without the pauses."""
    total = timedelta()
    day = local(begin)
    while day <= local(end):
        for frm, to in office_pieces(world, day, begin, pauses):
            if frm < end:
                total += min(to, end) - frm
        day += DAY
    return total


def office_end(world: World, begin: datetime, value: int, pauses: Iterable[Pause]) -> datetime:
    """The moment at which so many hours of office time are used up."""
    left = value * HOUR
    day = local(begin)
    while True:
        for frm, to in office_pieces(world, day, begin, pauses if value else ()):
            if left <= to - frm:
                return frm + left
            left -= to - frm
        day += DAY


# --- which events count -------------------------------------------------------------------------

# 行政许可法, chapter 4: from which states an act may start and where it leads ("" stays).
_ANY = (
    "received supplementing not_accepted handling forwarded decided delivered withdrawn terminated "
    "closed archived"
)
TABLE: Mapping[str, tuple[str, str]] = {
    "received": ("new", "received"),
    "corrected_on_spot": ("received", ""),
    "supplement_requested": ("received", "supplementing"),
    "supplemented": ("supplementing", "received"),
    "not_needed": ("received", "not_accepted"),
    "not_ours": ("received", "not_accepted"),
    "accepted": ("received", "handling"),
    "deemed_accepted": ("received", "handling"),
    "scanned": ("received supplementing handling forwarded decided", ""),
    "step_taken": ("received handling decided", ""),
    "step_done": ("handling decided", ""),
    "step_returned": ("handling", ""),
    "handed_over": ("received handling decided", ""),
    "inspected": ("handling", ""),
    "opinion_requested": ("handling", ""),
    "opinion_given": ("handling", ""),
    "suspended": ("handling", ""),
    "resumed": ("handling", ""),
    "extended": ("handling", ""),
    "forwarded": ("handling", "forwarded"),
    "came_back": ("forwarded", "handling"),
    "version_moved": ("handling forwarded", ""),
    "granted": ("handling", "decided"),
    "refused": ("handling", "decided"),
    "licence_made": ("decided", ""),
    "fee_paid": ("handling decided", ""),
    "ready": ("decided", ""),
    "delivered": ("decided", "delivered"),
    "withdrawn": ("received supplementing handling forwarded", "withdrawn"),
    "terminated": ("handling", "terminated"),
    "closed": ("delivered not_accepted withdrawn terminated", "closed"),
    "archived": ("closed", "archived"),
    "document_corrected": (_ANY, ""),
    "revoked": ("closed archived", ""),
    "cancelled": ("closed archived", ""),
    "taken_back": ("closed archived", ""),
    "withdrawal_proposed": (_ANY, ""),
    "entry_withdrawn": (_ANY, ""),
}


def withdrawn(told: Sequence[Event]) -> set[int]:
    """The versions that a later entry took away which was not taken away itself (撤销误录)."""
    gone: set[int] = set()
    for event in reversed(told):
        if event.version in gone:
            continue
        named = event.body.get("version")
        if event.kind == "entry_withdrawn":
            gone |= {one.version for one in told if one.version == named and named != 1}
        elif event.kind == "retracted":  # another system takes back its own news only
            gone |= {
                one.version
                for one in told
                if one.version == named
                and named != 1
                and one.nature == Nature.OBSERVATION
                and one.source == event.source
            }
    return gone


class Entered(NamedTuple):
    """An entry that counts, with the state before and after it and the special procedures then."""

    event: Event
    state: str
    leads: str
    special: frozenset[str]
    left: frozenset[str]


def entered(events: Iterable[Event]) -> Iterable[Entered]:
    """The entries that count, in the order in which they were entered.

    What another system tells always counts, and has no state of ours. An act counts where the table
    lets it start, as if what was withdrawn were not there.
    """
    told = sorted(events, key=lambda event: event.version)
    gone = withdrawn(told)
    state, special = "new", set[str]()
    for event in told:
        if event.version in gone:
            continue
        was, before = state, frozenset(special)
        if event.nature == Nature.ACT:
            allowed, leads = TABLE[event.kind]
            if state not in allowed.split() or _among_windows(state, event):
                continue
            if event.kind == "resumed" and not special:
                continue
            state = leads or state
            if event.kind == "suspended":
                special.add(event.body["procedure"])
            elif event.kind == "resumed":
                named = event.body.get("procedure")
                special -= {named} if named else set(special)
            if state != "handling":
                special.clear()
        yield Entered(event, was, state, before, frozenset(special))


def _among_windows(state: str, event: Event) -> bool:
    """What is not accepted yet stays among windows: whether this would take it away."""
    if state != "received":
        return False
    if event.kind == "step_taken":
        return bool(event.body["at"] != "window")
    return event.kind == "handed_over" and bool(event.body["to"]["kind"] != "window")


def standing(events: Iterable[Event]) -> tuple[list[Event], str, set[str]]:
    """The events that count, the state after them, and the special procedures under way."""
    found = list(entered(events))
    last = found[-1] if found else None
    return (
        [one.event for one in found],
        last.leads if last else "new",
        set(last.left) if last else set(),
    )


RANK = ("received", "accepted", "step", "decided", "delivered", "closed")


def in_order(events: Iterable[Event]) -> list[Event]:
    """By when it happened; news of one moment in the order of a procedure, else as entered.

    The clocks of two desks differ: an act entered as a little earlier than the one entered just
    before it happened no earlier than that.
    """
    entered = sorted(events, key=lambda event: event.version)
    moments: dict[int, datetime] = {}
    before: datetime | None = None
    for event in entered:
        moments[event.version] = event.occurred
        if event.nature == Nature.ACT:
            if before and before - SKEW <= event.occurred < before:
                moments[event.version] = before
            before = moments[event.version]

    def key(event: Event) -> tuple[datetime, int, int]:
        ranked = event.nature == Nature.OBSERVATION and event.kind in RANK
        return moments[event.version], RANK.index(event.kind) if ranked else 0, event.version

    return sorted(entered, key=key)


# --- one limit ----------------------------------------------------------------------------------


def pauses(seen: Iterable[Event], *, forwarding: bool) -> list[Pause]:
    """行政许可法 45: from the start of a special procedure to its end; 43: while it lies above.

    An end belongs to what was under way when it was entered, whenever it is said to have been.
    """
    under_way: list[tuple[str, datetime]] = []
    found: list[Pause] = []
    for event in sorted(seen, key=lambda event: event.version):
        ended: list[tuple[str, datetime]] = []
        if event.kind == "suspended":
            under_way.append((event.body["procedure"], event.occurred))
        elif event.kind == "forwarded" and forwarding:
            under_way.append(("forwarded", event.occurred))
        elif event.kind == "resumed":
            named = event.body.get("procedure")
            ended = [p for p in under_way if p[0] == named or (not named and p[0] != "forwarded")]
        elif event.kind == "came_back":
            ended = [p for p in under_way if p[0] == "forwarded"]
        found += [(begin, event.occurred) for _, begin in ended]
        under_way = [p for p in under_way if p not in ended]
    return found + [(begin, None) for _, begin in under_way]


def clipped(found: Iterable[Pause], begin: datetime, until: datetime) -> list[Pause]:
    """The pauses inside a stretch of time; those that overlap or touch are one."""
    whole: list[tuple[datetime, datetime]] = []
    for stop, go in sorted(found, key=lambda pause: pause[0]):
        stop, go = max(stop, begin), min(go or until, until)
        if stop > go:
            continue
        if whole and stop <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], go))
        else:
            whole.append((stop, go))
    return list(whole)


def paused_days(world: World, unit: str, found: Iterable[Pause]) -> int:
    """The days the pauses take out: after the first of each, up to and with its last."""
    total = 0
    for stop, go in found:
        assert go is not None
        first, last = local(stop), local(go)
        total += worked(world, first, last) if unit == "working_day" else (last - first).days
    return total


def unextended(
    world: World,
    limit: Mapping[str, Any],
    start: date,
    begin: datetime,
    found: Sequence[Pause],
    more: int,
) -> datetime:
    """The end of a limit with these pauses and so many more days in its own unit: 民法典 201-203."""
    unit, value, roll = limit["unit"], limit["value"], limit["roll"]
    if unit == "working_day":
        count = value + paused_days(world, unit, found) + more
        if count == 0 and not working(world, start):
            count = 1
        return close(world, nth_working(world, start, count))
    if unit == "office_hour":
        return office_end(world, begin, value, found)
    if unit == "hour":
        due: datetime = begin + value * HOUR
        passed = local(due)
        for stop, go in found:
            assert go is not None
            due += go - stop
        due = due.astimezone(SHANGHAI)
        # Every day off that the end comes to, or passes by a pause, puts it off.
        last = local(due)
        while roll and passed <= last:
            if not working(world, passed):
                due = max(due, close(world, next_working(world, passed)))
            passed += DAY
        return due
    if unit == "calendar_day":
        day = start + value * DAY
    else:
        day = months_later(start, value if unit == "month" else 12 * value)
    day += (paused_days(world, unit, found) + more) * DAY
    if roll and not working(world, day):
        day = next_working(world, day)
    return close(world, day)


def end(
    world: World,
    limit: Mapping[str, Any],
    start: date,
    begin: datetime,
    found: Sequence[Pause],
    extension: Mapping[str, Any] | None,
) -> datetime:
    """The end with the extension, if there is one."""
    unit = limit["unit"]
    more = extension["days"] if extension else 0
    in_calendar_days = extension is not None and extension.get("unit") == "calendar_day"
    if unit == "working_day" or in_calendar_days:
        return unextended(world, limit, start, begin, found, more)
    base = unextended(world, limit, start, begin, found, 0)
    if not more:
        return base
    if unit == "office_hour":  # 45 leaves what comes later out of the extension too
        more += paused_days(world, "working_day", [pause for pause in found if pause[0] > base])
    return close(world, nth_working(world, local(base), more))


def one(
    world: World,
    limit: Mapping[str, Any],
    *,
    kind: str,
    start: date,
    begin: datetime,
    stopped: Event | None,
    at: datetime,
    found: Sequence[Pause] = (),
    extended: Event | None = None,
    alike: bool = False,
) -> Counted:
    """One limit, from its first event to its last or to the moment of reading."""
    unit, value = limit["unit"], limit["value"]
    until = min(at, stopped.occurred) if stopped else at
    whole = clipped(found, begin, until)
    still = any(go is None and stop <= at for stop, go in found) and not stopped

    # What begins after the period has ended does not save it.
    items: list[tuple[datetime, int, Any]] = [(pause[0], 0, pause) for pause in whole]
    if extended:
        items.append((extended.occurred, 1, extended.body))
    applied: list[Pause] = []
    extension: Mapping[str, Any] | None = None
    due = end(world, limit, start, begin, applied, extension)
    for when, sort, item in sorted(items, key=lambda row: row[:2]):
        if when > due:
            continue
        if sort == 0:
            applied.append(item)
        else:
            extension = item
        due = end(world, limit, start, begin, applied, extension)
    suspended = still and bool(applied) and applied[-1] == whole[-1]

    # Used and left, in the limit's own unit.
    if unit in IN_HOURS:

        def spent(to: datetime) -> timedelta:
            if unit == "hour":
                return sum((b - a for a, b in free(begin, to, applied)), timedelta())
            return office_time(world, begin, to, applied)

        used = spent(until) // HOUR
        length = spent(due) // HOUR if extension else value
    elif unit == "working_day":
        used = worked(world, start, local(until)) - paused_days(world, unit, applied)
        length = value + (extension["days"] if extension else 0)
    else:
        used = (local(until) - start).days - paused_days(world, unit, applied)
        length = (local(due) - start).days - paused_days(world, unit, applied)
    used = max(0, used)

    met: bool | None
    if stopped:
        state, met = "stopped", stopped.occurred <= due
        if kind == "acceptance" and stopped.kind == "deemed_accepted":
            met = False  # 行政许可法 32(1)(4): nobody told the applicant in time
    else:
        met = False if at > due and not suspended else None
        if (at < begin) if unit in IN_HOURS else (local(at) < start):
            state = "not_started"
        elif suspended:
            state = "suspended"
        else:
            state = "extended" if extension else "running"
    return Counted(
        kind=kind,
        start=start,
        due=due,
        used=used,
        left=length - used,
        met=met,
        state=state,
        provisional=uncertain(world, start, local(due)),
        value=value,
        unit=unit,
        extra=extension["days"] if extension else 0,
        stopped_at=stopped.occurred if stopped else None,
        alike=alike,
    )


def uncertain(world: World, first: date, last: date) -> bool:
    """Whether a year without a notice lies between two days."""
    return any(year not in world.published for year in range(first.year, last.year + 1))


# --- all limits of a case -----------------------------------------------------------------------


def rule(world: World, kind: str, day: date) -> Mapping[str, Any] | None:
    for row in world.rules:
        if row["kind"] == kind and row["since"] <= day and (not row["until"] or day < row["until"]):
            return row
    return None


def under_the_law(event: Event) -> bool:
    """Whether the general limits hold for what this starts: always for us, else when it says so."""
    return event.nature == Nature.ACT or event.body.get("law") == "行政许可法"


def no_licence(seen: Iterable[Event]) -> bool:
    """Whether we received it as something else than a 行政许可; what says nothing is one."""
    ours = [e for e in seen if e.kind == "received" and e.nature == Nature.ACT]
    return any("type" in e.body and e.body["type"] != "行政许可" for e in ours)


def first_after(seen: Sequence[Event], start: Event, kinds: Collection[str]) -> Event | None:
    for event in seen[seen.index(start) + 1 :]:
        if event.kind in kinds:
            return event
    return None


def count(
    events: Iterable[Event], world: World, *, at: datetime, known: int | None = None
) -> list[Counted]:
    """Every limit of a case, read at a moment, with what was known at a place of the log."""
    told = [
        event
        for event in events
        if known is None or (event.position is not None and event.position <= known)
    ]
    counting, _, _ = standing(told)
    seen = in_order(event for event in counting if event.occurred <= at)
    return [
        *_acceptance(seen, world, at),
        *_decision(seen, world, at),
        *_delivery(seen, world, at),
        *_step(seen, world, at),
        *_claims(seen, world, at),
    ]


def _acceptance(seen: list[Event], world: World, at: datetime) -> Iterable[Counted]:
    """行政许可法 32: every time papers come, five days to say what becomes of them."""
    for event in seen:
        if event.kind in ("received", "supplemented") and under_the_law(event):
            start, begin = receipt(world, event.occurred)
            limit = rule(world, "acceptance", start)
            if limit:
                yield one(
                    world, limit, kind="acceptance", start=start, begin=begin, at=at,
                    stopped=first_after(seen, event, ANSWER), alike=no_licence(seen),
                )  # fmt: skip


def _decision(seen: list[Event], world: World, at: datetime) -> Iterable[Counted]:
    """行政许可法 26, 42, 43: from acceptance to the decision."""
    accepted = next((e for e in seen if e.kind in ("accepted", "deemed_accepted")), None)
    if not accepted:
        return
    start, begin = local(accepted.occurred), accepted.occurred
    if accepted.kind == "deemed_accepted":  # 32(1)(4): accepted from the receipt of the papers
        papers = [e for e in seen[: seen.index(accepted)] if e.kind in ("received", "supplemented")]
        start, begin = receipt(world, papers[-1].occurred)
    if "limits" in accepted.body:
        limits = accepted.body["limits"]
    else:
        general = rule(world, "statutory", start) if under_the_law(accepted) else None
        limits = [general] if general else []
    # 立法法 104: a new guide's transitional clause puts its own limit in the place of the old one.
    clauses = [event for event in seen if event.kind == "version_moved"]
    new = {one["kind"]: one for clause in clauses for one in clause.body["limits"]}
    by_rule = "limits" not in accepted.body
    extended = next((event for event in seen if event.kind == "extended"), None)
    for old in limits:
        limit = new.get(old["kind"], old)
        lower = limit["kind"] == "lower_review"
        stopped = first_after(seen, accepted, DECISION)
        sent_on = first_after(seen, accepted, ("forwarded",))
        if lower and sent_on and (not stopped or sent_on.occurred <= stopped.occurred):
            stopped = sent_on
        yield one(
            world,
            {"roll": True, **limit},
            kind=limit["kind"],
            start=start,
            begin=begin,
            at=at,
            stopped=stopped,
            found=pauses(seen, forwarding=not lower),
            extended=None if lower else extended,
            alike=by_rule and limit is old and no_licence(seen),
        )


def _delivery(seen: list[Event], world: World, at: datetime) -> Iterable[Counted]:
    """行政许可法 44: from the grant to the delivery."""
    granted = next((event for event in seen if event.kind == "granted"), None)
    if granted and under_the_law(granted):
        start = local(granted.occurred)
        limit = rule(world, "delivery", start)
        if limit:
            yield one(
                world, limit, kind="delivery", start=start, begin=granted.occurred, at=at,
                stopped=first_after(seen, granted, ("delivered", "closed")),
                alike=no_licence(seen),
            )  # fmt: skip


def _step(seen: list[Event], world: World, at: datetime) -> Iterable[Counted]:
    """The step under way, where it has a limit of its own."""
    taken = [event for event in seen if event.kind == "step_taken" and event.body.get("limit")]
    if taken:
        event = taken[-1]
        yield one(
            world,
            {"roll": True, **event.body["limit"]},
            kind="step",
            start=local(event.occurred),
            begin=event.occurred,
            at=at,
            stopped=first_after(seen, event, ("step_done", "step_returned", *DECISION)),
            found=pauses(seen, forwarding=True),
        )


def _claims(seen: list[Event], world: World, at: datetime) -> Iterable[Counted]:
    """What another system says is due: its moment, and whether the case was done by then.

    The moment rests on no calendar of ours, so it is never provisional; what it holds is told in
    working days.
    """
    ends = ("decided", "granted", "refused", "closed", "delivered")
    done = next((event for event in seen if event.kind in ends), None)
    last = {event.body["claim"]["kind"]: event for event in seen if event.kind == "claim"}
    for said, event in last.items():  # of each kind the sender's last word
        due = datetime.fromisoformat(event.body["claim"]["due"]).astimezone(SHANGHAI)
        start = local(seen[0].occurred)
        used = worked(world, start, local(done.occurred if done else at))
        yield Counted(
            kind=CLAIMS[said],
            start=start,
            due=due,
            used=used,
            left=worked(world, start, local(due)) - used,
            met=done.occurred <= due if done else (False if at > due else None),
            state="stopped" if done else "running",
            provisional=False,
            value=0,  # it is not ours
            unit="working_day",
            extra=0,
            stopped_at=done.occurred if done else None,
        )
