"""Measuring a case (办件计量): what it adds to the figures of which day, from its events alone.

`measured` goes through the whole story of a case; `Fact.then` goes on by one more entry where that
needs no more than the entry itself, and is None where it does. The figures of a day are the sum of
`Fact.counts` over all cases, so a correction is the difference between two facts and moves the day
it belongs to. Days are Shanghai's, of the time at which a thing happened (`occurred`), whoever
handled it and however late it was entered. docs/reference/statistics.md is printed from MEASURES.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from zhengwu.domain import clock, timeledger
from zhengwu.domain.counting import local
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import Holder, HolderKind, Life, Standing
from zhengwu.domain.procedure import Limit
from zhengwu.domain.reading import LimitReading

SECOND = timedelta(seconds=1)
LATE_ENTRY = 1  # working days after which an entry counts as late: a setting of the house


class Verdict(StrEnum):
    """How a closed case kept its limit (办结时效). on_time is without early."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"
    UNJUDGED = "unjudged"


class Measure(NamedTuple):
    """One figure (指标). when: by the day of what, `event`, `closing`, or the `end` of the period;
    `derived` from others.

    what: its definition. unit: 件, 次, 工作日, 秒, ‰. big: whether it can pass two thousand million.
    """

    code: str
    zh: str
    when: str
    unit: str
    what: str
    basis: str = ""
    big: bool = False


MEASURES: tuple[Measure, ...] = (
    Measure("received", "收件", "event", "件", "收到申请的办件，按收件时间；一件一次。", "行政许可法 第二十九条、第三十二条"),
    Measure("claimed", "自报期限", "event", "件", "其中来源系统自报了期限或者计划办结时间的，按收件时间。"),
    Measure("accepted", "受理", "event", "件", "决定受理的和视为受理的，按受理行为发生的时间。", "行政许可法 第三十二条第一款第四项、第五项"),
    Measure("deemed", "视为受理", "event", "件", "其中逾期未告知、依法视为受理的。", "行政许可法 第三十二条第一款第四项"),
    Measure("not_accepted", "不予受理", "event", "件", "不需要许可和不属于本机关职权的。", "行政许可法 第三十二条第一款第一项、第二项"),
    Measure("notices", "一次性告知", "event", "次", "要求补正的告知；同一件再次告知另算一次。", "行政许可法 第三十二条第一款第四项"),
    Measure("suspensions", "特别程序", "event", "次", "因听证、检验、专家评审等中止计时的次数。", "行政许可法 第四十五条"),
    Measure("extensions", "延期", "event", "次", "经机关负责人批准的延期。", "行政许可法 第四十二条"),
    Measure("forwarded", "转报", "event", "次", "初审后报上级机关。", "行政许可法 第三十五条、第四十三条"),
    Measure("decided", "决定", "event", "件", "作出决定的办件，包括来源系统没有说明结果的。", "行政许可法 第三十七条"),
    Measure("granted", "准予", "event", "件", "其中准予的。", "行政许可法 第三十八条第一款"),
    Measure("refused", "不予", "event", "件", "其中不予的。", "行政许可法 第三十八条第二款"),
    Measure("withdrawn", "撤回申请", "event", "件", "申请人撤回的。"),
    Measure("terminated", "终止", "event", "件", "终止办理的。"),
    Measure("late_entries", "迟录", "event", "条", "记载的时间比发生的时间晚了 1 个工作日以上的记载；系统自动的和来源系统自报期限的不算。按记载时已知的历法。"),
    Measure("closed", "办结", "event", "件", "办结的办件，按办结时间；一件一次。"),
    Measure("early", "提前办结", "closing", "件", "办结的办件中，作出了决定、决定时承诺时限（没有承诺的，法定时限）还剩 1 个工作日或者更多的。"),
    Measure("on_time", "按时办结", "closing", "件", "办结的办件中没有超过任何一个决定期限（法定、承诺、联合办理、初审）的，包括提前办结；没有决定期限的看答复是否受理的期限。按办结时已知的历法。", "行政许可法 第三十二条、第四十二条至第四十五条"),
    Measure("late", "超期办结", "closing", "件", "办结的办件中至少超过上面一个期限的。", "行政许可法 第四十二条、第七十四条"),
    Measure("unjudged", "不评判", "closing", "件", "办结的办件中本平台不知道适用什么期限的（其他系统报送、没有报受理和期限）。按时、超期、不评判之和等于办结。"),
    Measure("claim_on_time", "自报按时", "closing", "件", "办结的办件中，办结的时刻不晚于来源系统自报期限的时刻；按时刻比较，不按日期。没有自报期限、只报了计划办结时间的，与计划时间比较。"),
    Measure("claim_late", "自报超期", "closing", "件", "办结的办件中，办结的时刻晚于来源系统自报期限的时刻。"),
    Measure("spot", "当场办结", "closing", "件", "办结的办件中，收件当天在窗口作出决定（包括不予受理、不需许可）的。", "行政许可法 第三十四条第二款"),
    Measure("at_window", "窗口决定", "closing", "件", "办结的办件中，由窗口（不是交到部门后）作出决定（包括不予受理、不需许可）的。"),
    Measure("handovers", "移交", "closing", "次", "办结的办件在部门之间、窗口与部门之间移交的次数。", "行政许可法 第二十六条"),
    Measure("timed", "计时办件", "closing", "件", "办结的办件中，能够计算办理工作日的。"),
    Measure("days", "办理工作日", "closing", "工作日", "计时办件从受理（没有受理记载的从收件）到决定（没有决定记载的到办结）的工作日之和，不算开始的当天，不算依法扣除的时间；视为受理的从材料算作收到之日起。撤回、终止的到办结。", "行政许可法 第八十二条、第四十五条", big=True),
    Measure("promised_timed", "有承诺时限", "closing", "件", "办结的办件中有承诺时限的。"),
    Measure("promised_used", "承诺时限用了", "closing", "‰", "上述办件用去承诺时限的千分数之和。", big=True),
    Measure("statutory_timed", "有法定时限", "closing", "件", "办结的办件中有法定时限的。"),
    Measure("statutory_used", "法定时限用了", "closing", "‰", "上述办件用去法定时限的千分数之和。", big=True),
    Measure("elapsed", "全程", "closing", "秒", "办结的办件从收件到办结的时间之和；以下八项之和等于它。", big=True),
    Measure("in_window", "在窗口", "closing", "秒", "在窗口手里的时间。", big=True),
    Measure("in_department", "在部门", "closing", "秒", "在部门手里的时间。", big=True),
    Measure("in_handover", "移交途中", "closing", "秒", "已经交出、还没有人接的时间，算在交出方。", "行政许可法 第二十六条", big=True),
    Measure("in_applicant", "等申请人", "closing", "秒", "等待申请人补正、缴费、领取的时间。", big=True),
    Measure("in_special", "特别程序中", "closing", "秒", "特别程序的时间。", "行政许可法 第四十五条", big=True),
    Measure("in_higher", "在上级机关", "closing", "秒", "转报以后等待批复的时间。", "行政许可法 第四十三条", big=True),
    Measure("in_exchange", "在来源系统", "closing", "秒", "其他系统办理、不知道在谁手里的时间。", big=True),
    Measure("nobody", "无人持有", "closing", "秒", "没有任何人持有的时间。", big=True),
)  # fmt: skip
CODES: tuple[str, ...] = tuple(one.code for one in MEASURES)
BY_CODE: Mapping[str, Measure] = {one.code: one for one in MEASURES}
# What is in hand at the end of a period, and what is made from the sums of others.
DERIVED: tuple[Measure, ...] = (
    Measure("open", "在办", "end", "件", "期末还没有办结的办件。期末已经过去的，是那一天结束的时候；今天的，是现在。"),
    Measure("claim_open", "在办、有自报期限", "end", "件", "在办的办件中，来源系统自报了期限的。"),
    Measure("overdue", "在办已超期", "end", "件", "在办的办件中，期末已经超过最近一个期限的；计时暂停的、只有来源系统自报期限的不算。分段的只有最后一段有。", "行政许可法 第四十二条、第七十四条"),
    Measure("on_time_share", "按时办结率", "derived", "比例", "按时办结 ÷（按时办结 + 超期办结）。不评判的不算。", "行政许可法 第四十二条"),
    Measure("early_share", "提前办结率", "derived", "比例", "提前办结 ÷（按时办结 + 超期办结）。"),
    Measure("late_share", "超期率", "derived", "比例", "超期办结 ÷（按时办结 + 超期办结）。", "行政许可法 第七十四条"),
    Measure("spot_share", "当场办结率", "derived", "比例", "当场办结 ÷ 办结。", "行政许可法 第三十四条第二款"),
    Measure("window_share", "窗口决定率", "derived", "比例", "窗口决定 ÷ 办结。"),
    Measure("granted_share", "准予率", "derived", "比例", "准予 ÷（准予 + 不予）。", "行政许可法 第三十八条"),
    Measure("mean_days", "平均办理工作日", "derived", "工作日", "办理工作日 ÷ 计时办件。", "行政许可法 第八十二条"),
    Measure("promised_share", "承诺时限使用率", "derived", "比例", "承诺时限用了 ÷ 1000 ÷ 有承诺时限；1 = 用完。"),
    Measure("statutory_share", "法定时限使用率", "derived", "比例", "法定时限用了 ÷ 1000 ÷ 有法定时限；1 = 用完。", "行政许可法 第四十二条"),
    Measure("p50", "办理工作日中位数", "derived", "工作日", "计时办件中，一半在这么多个工作日以内办完。", "行政许可法 第八十二条"),
    Measure("p90", "办理工作日九成位", "derived", "工作日", "计时办件中，九成在这么多个工作日以内办完。", "行政许可法 第八十二条"),
)  # fmt: skip

# What a person's acts are counted as (人员), and how the cases that the person decided ended.
PERSONAL: Mapping[str, str] = {
    "received": "收件",
    "accepted": "受理",
    "not_accepted": "不予受理",
    "notices": "一次性告知",
    "steps": "办结环节",
    "granted": "准予",
    "refused": "不予",
    "delivered": "送达",
    "late_entries": "迟录",
    "on_time": "所作决定按时",
    "late": "所作决定超期",
}

_HANDS = {
    HolderKind.WINDOW: "in_window",
    HolderKind.DEPARTMENT: "in_department",
    HolderKind.HANDING_OVER: "in_handover",
    HolderKind.APPLICANT: "in_applicant",
    HolderKind.SPECIAL: "in_special",
    HolderKind.HIGHER: "in_higher",
    HolderKind.EXCHANGE: "in_exchange",
    HolderKind.NONE: "nobody",
}
HANDS: tuple[str, ...] = tuple(_HANDS.values())

# Kind of an entry → as what it counts on its day. The first of a kind in a case, or each.
_ONCE: Mapping[str, tuple[str, ...]] = {
    "accepted": ("accepted",),
    "deemed_accepted": ("accepted", "deemed"),
    "not_needed": ("not_accepted",),
    "not_ours": ("not_accepted",),
    "granted": ("decided", "granted"),
    "refused": ("decided", "refused"),
    "withdrawn": ("withdrawn",),
    "terminated": ("terminated",),
}
_EACH: Mapping[str, tuple[str, ...]] = {
    "supplement_requested": ("notices",),
    "suspended": ("suspensions",),
    "extended": ("extensions",),
    "forwarded": ("forwarded",),
    "step_done": ("steps",),
    "delivered": ("delivered",),
}
_SUMMED = frozenset(CODES)
_MARKING = frozenset({*_ONCE, *_EACH, "decided"})  # of the others only a late entry counts
# After these the whole story is gone through again: they end the case, or change what was before.
_CHANGING = frozenset({"entry_withdrawn", "retracted", "corrected", "version_moved"})
_WHOLE = _CHANGING | {"received", "closed"}
_ALWAYS = frozenset({"archived"})  # changes nothing, even after the closing
_DECIDING = ("promised", "joint", "lower_review", "statutory")
# The law's own limit before what stands in its place, the review before what is only reviewed here.
_STATUTORY = ("statutory", "joint", "lower_review")
_A_DAY, _LATE = timedelta(days=1), timedelta(days=LATE_ENTRY)
_STANDS_STILL = frozenset({"suspended", "forwarded"})
_BY_WHOM = frozenset({"granted", "refused", "not_needed", "not_ours"})
Known = Callable[[int | None], Edition]  # the edition as known at a position of the log


class Mark(NamedTuple):
    """Something that happened and counts (计数): as what, on which day, done by whom."""

    what: str
    day: date
    person: str | None = None


class Way(NamedTuple):
    """Hand-overs of a closed case between two agencies (移交): how many, how long under way."""

    giver: str
    taker: str
    times: int
    seconds: int
    office: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How a case ended (办结): its day and what the figures of closed cases need.

    due: the decision's limit it was judged by; claim_due: the sender's. days: working days. used:
    thousandths of a limit. hands: seconds in whose hands, in the order of HANDS; they sum to elapsed.
    """

    day: date
    verdict: Verdict
    due: datetime | None
    claim: Verdict
    days: int | None
    promised_used: int | None
    statutory_used: int | None
    spot: bool
    at_window: bool
    elapsed: int
    hands: tuple[int, ...]
    ways: tuple[Way, ...]
    decider: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One case measured (办件计量), up to `version` of its stream.

    last: when the last thing happened. claim_due: the sender's deadline, told at any time.
    """

    version: int
    received: date
    last: datetime
    marks: tuple[Mark, ...] = ()
    claim_due: datetime | None = None
    closing: Closing | None = None

    def counts(self) -> Counter[tuple[date, str]]:
        """What the case adds to which day's figures (day, measure) → amount."""
        found: dict[tuple[date, str], int] = {}  # a Counter asks for what is missing by a call
        for what, day, _ in self.marks:
            if what in _SUMMED:
                found[day, what] = found.get((day, what), 0) + 1
        if self.claim_due is not None:
            found[self.received, "claimed"] = 1
        end = self.closing
        if end is None:
            return Counter(found)
        day = end.day
        found[day, "closed"] = 1
        found[day, _COUNTED_AS[end.verdict]] = 1
        if end.verdict == Verdict.EARLY:
            found[day, "early"] = 1
        if end.claim != Verdict.UNJUDGED:
            found[day, f"claim_{end.claim}"] = 1
        for what, amount in (
            ("spot", int(end.spot)),
            ("at_window", int(end.at_window)),
            ("handovers", sum(one.times for one in end.ways)),
            ("timed", int(end.days is not None)),
            ("days", end.days or 0),
            ("promised_timed", int(end.promised_used is not None)),
            ("promised_used", end.promised_used or 0),
            ("statutory_timed", int(end.statutory_used is not None)),
            ("statutory_used", end.statutory_used or 0),
            ("elapsed", end.elapsed),
            *zip(HANDS, end.hands, strict=True),
        ):
            if amount:
                found[day, what] = amount
        return Counter(found)

    def personal(self) -> Counter[tuple[date, str, str]]:
        """What it adds to whose figures (day, person, what) → amount."""
        found: dict[tuple[date, str, str], int] = {}
        for what, day, person in self.marks:
            if person and what in PERSONAL:
                found[day, person, what] = found.get((day, person, what), 0) + 1
        end = self.closing
        if end is not None and end.decider and end.verdict != Verdict.UNJUDGED:
            found[end.day, end.decider, _COUNTED_AS[end.verdict]] = 1
        return Counter(found)

    def then(self, event: Event, *, edition: Edition) -> Fact | None:
        """After one more entry of the story; None where the whole story must be gone through.
        edition: as known when it was entered.

        The same as `measured` on all of it: only acts in order, on a case that is open.
        """
        if event.kind in _ALWAYS and event.actor is None:
            return replace(self, version=event.version, last=max(self.last, event.occurred))
        if (
            self.closing is not None
            or event.kind in _WHOLE
            or event.version != self.version + 1
            or event.occurred < self.last
        ):
            return None
        if event.nature is not Nature.ACT and event.kind != "step":
            return None
        seen = {mark.what for mark in self.marks}
        added = tuple(_marks(event, seen, lambda _: edition))
        return replace(
            self, version=event.version, last=event.occurred, marks=(*self.marks, *added)
        )


_COUNTED_AS = {
    Verdict.EARLY: "on_time",
    Verdict.ON_TIME: "on_time",
    Verdict.LATE: "late",
    Verdict.UNJUDGED: "unjudged",
}


def undisturbed(events: Sequence[Event], *, days: int) -> bool:
    """Whether no entry changed what was counted of a day that had been over for more than so many
    days: acts that reached us by then, each of which only added to the story."""
    return all(
        one.nature is Nature.ACT
        and one.kind not in _CHANGING
        and (one.received - one.occurred < _A_DAY or _apart(one) <= days)
        for one in events
    )


def _apart(event: Event) -> int:
    return (_day(event.received) - _day(event.occurred)).days


def measured(events: Sequence[Event], *, known: Known) -> Fact:
    """A case from its whole story, by version.

    known: the edition as known at a position: a closed case is judged by what was known when it was
    closed, a late entry by what was known when it was entered, so that neither changes afterwards.
    Raises Refusal where an event has no offset, ValueError beyond the calendar's table or without
    events.
    """
    if not events:
        raise ValueError("a case has at least its receipt")
    life = Life.of(events)
    rows, standing = life.held, life.standing
    if not rows:
        raise ValueError("nothing of this story counts")
    received = standing.received_at or rows[0][0].occurred
    marks = [Mark("received", _day(received), rows[0][0].actor)]
    seen = {"received"}
    claims: dict[str, datetime] = {}
    last = received
    for event, _ in rows:
        kind = event.kind
        if kind == "claim":
            _claim(claims, event)
        elif kind in _MARKING or event.recorded - event.occurred >= _LATE:
            if kind != "received":
                added = _marks(event, seen, known)
                seen.update([mark.what for mark in added])
                marks += added
            elif _late_entry(event, known):
                marks.append(Mark("late_entries", _day(event.occurred), event.actor))
        if event.occurred > last:
            last = event.occurred
    claim_due = claims.get("deadline") or claims.get("planned_end")
    outcome = standing.outcome
    if outcome in ("granted", "refused") and outcome not in seen:
        # Another system told of the decision first and of its outcome later.
        marks += [Mark(outcome, one.day) for one in marks if one.what == "decided"]
    closed = standing.closed_at
    closing = next((one.position for one, _ in rows if one.kind == "closed"), None)
    return Fact(
        version=events[-1].version,
        received=_day(received),
        last=last,
        marks=tuple(marks),
        claim_due=claim_due,
        closing=_closing(rows, standing, received, closed, claim_due, known(closing))
        if closed
        else None,
    )


def _day(moment: datetime) -> date:
    return local(moment).date()


def _marks(event: Event, seen: set[str], known: Known) -> list[Mark]:
    """What one entry counts as. seen: what the case was counted as before it."""
    kind = event.kind
    day: date | None = None
    found = []
    once = _ONCE.get(kind, ("decided",) if kind == "decided" else ())
    if once and once[0] not in seen:
        day = _day(event.occurred)
        found = [Mark(what, day, event.actor) for what in once]
        outcome = event.body.get("outcome")
        if kind == "decided" and outcome in ("granted", "refused"):
            found.append(Mark(str(outcome), day))
    for what in _EACH.get(kind, ()):
        day = _day(event.occurred)
        found.append(Mark(what, day, event.actor))
    if _late_entry(event, known):
        found.append(Mark("late_entries", day or _day(event.occurred), event.actor))
    return found


def _late_entry(event: Event, known: Known) -> bool:
    """Whether it was entered more than LATE_ENTRY working days after it happened."""
    if event.recorded - event.occurred < _LATE:
        return False
    if event.nature is Nature.ACT and event.actor is None:
        return False  # the house itself, whose clock stood still meanwhile
    happened, entered = _day(event.occurred), _day(event.recorded)
    calendar = known(event.position).calendar
    if not (calendar.reaches(event.occurred) and calendar.reaches(event.recorded)):
        return True
    return calendar.working_days_between(happened, entered) > LATE_ENTRY


def _claim(claims: dict[str, datetime], event: Event) -> None:
    claim = event.body.get("claim")
    if not isinstance(claim, Mapping) or not claim.get("due"):
        return
    try:
        due = datetime.fromisoformat(str(claim["due"]))
    except ValueError:
        return  # what is no instant is no deadline
    if due.tzinfo is not None:
        claims[str(claim.get("kind") or "")] = due


def _closing(
    rows: Sequence[tuple[Event, Holder]],
    standing: Standing,
    received: datetime,
    closed: datetime,
    claim_due: datetime | None,
    edition: Edition,
) -> Closing:
    until = max(closed, max([event.occurred for event, _ in rows]))
    # The sender's deadlines are no limits of ours, and may be no instants.
    counting = [event for event, _ in rows if event.kind != "claim"]
    reading = clock.read_counting(counting, at=until, edition=edition)
    verdict, due = _verdict(reading.limits, standing.decided_at, edition)
    spans = timeledger.along(rows, standing, until=until)
    seconds = _seconds(spans)
    decided_by, decided_at, at_window = _decision(rows)
    return Closing(
        day=_day(closed),
        verdict=verdict,
        due=due,
        claim=_kept(claim_due, closed),
        days=_days(counting, reading.limits, standing, received, closed, edition),
        promised_used=_used(reading.limits, ("promised",)),
        statutory_used=_used(reading.limits, _STATUTORY),
        spot=at_window and decided_at is not None and _day(decided_at) == _day(received),
        at_window=at_window,
        elapsed=sum(seconds),
        hands=seconds,
        ways=_ways(spans, edition),
        decider=decided_by,
    )


def _kept(due: datetime | None, closed: datetime) -> Verdict:
    """The sender's deadline, as instants."""
    if due is None:
        return Verdict.UNJUDGED
    return Verdict.ON_TIME if closed <= due else Verdict.LATE


def _verdict(
    limits: Sequence[LimitReading], decided: datetime | None, edition: Edition
) -> tuple[Verdict, datetime | None]:
    judging = [one for one in limits if one.kind in _DECIDING]
    if not judging:
        judging = [one for one in limits if one.kind == "acceptance"]
    if not judging:
        return Verdict.UNJUDGED, None
    due = min(one.due for one in judging)
    if any(one.met is False for one in judging):
        return Verdict.LATE, due
    own = _one(judging, ("promised", *_STATUTORY))
    if own is None or decided is None:
        return Verdict.ON_TIME, due  # withdrawn or answered in time is not decided early
    left = edition.calendar.working_days_between(_day(decided), _day(own.due))
    return Verdict.EARLY if left >= 1 else Verdict.ON_TIME, due


def _one(limits: Sequence[LimitReading], kinds: Sequence[str]) -> LimitReading | None:
    """The limit of the first of these kinds that there is."""
    return next((one for kind in kinds for one in limits if one.kind == kind), None)


def _used(limits: Sequence[LimitReading], kinds: Sequence[str]) -> int | None:
    """Thousandths of the limit of the first of these kinds, its extension counted in, in the unit in
    which it is used (months and years in days). None where it is to be done on the spot.
    """
    one = _one(limits, kinds)
    if one is None or one.value + one.extra == 0 or one.used + one.left <= 0:
        return None
    return one.used * 1000 // (one.used + one.left)


def _days(
    counting: Sequence[Event],
    limits: Sequence[LimitReading],
    standing: Standing,
    received: datetime,
    closed: datetime,
    edition: Edition,
) -> int | None:
    """Working days from the acceptance to the decision without what the law leaves out: what stood
    still from before the limit ended. None beyond the calendar's table.
    """
    calendar, ended = edition.calendar, standing.decided_at or closed
    begun = standing.accepted_at or received
    if not (calendar.reaches(begun) and calendar.reaches(ended)):
        return None
    accepted = next((one for one in counting if one.kind in ("accepted", "deemed_accepted")), None)
    if accepted is not None and accepted.kind == "deemed_accepted":
        # 32(1)(4): from when the papers count as received.
        papers = clock.foresee(Limit(0), since=begun, edition=edition, receipt=True)
        begun = papers.how.start.moment
    days = calendar.working_days_between(_day(begun), _day(ended))
    if any(one.kind in _STANDS_STILL for one in counting):
        own = _one(limits, ("statutory", "joint", "promised", "lower_review"))
        for pause in clock.stood_still(counting, since=begun, until=ended, edition=edition):
            if own is None or pause.start <= own.due:
                days -= calendar.between(pause.first, pause.last)
    return max(0, days)  # another system's closing may lie before its receipt


def _seconds(spans: Sequence[timeledger.Span]) -> tuple[int, ...]:
    """Whole seconds in whose hands, in the order of HANDS; cut together, so that they sum."""
    sums = dict.fromkeys(_HANDS, timedelta())
    for span in spans:
        sums[span.kind] += span.length
    return timeledger.apportion(list(sums.values()), SECOND)


def _ways(spans: Sequence[timeledger.Span], edition: Edition) -> tuple[Way, ...]:
    found = timeledger.handovers(spans, edition)
    if not found:
        return ()
    nothing = (0, timedelta(), timedelta())
    sums: dict[tuple[str, str], tuple[int, timedelta, timedelta]] = {}
    for one in found:
        key = (one.giver or "", one.taker or "")
        times, length, office = sums.get(key, nothing)
        sums[key] = (times + 1, length + one.length, office + one.office)
    return tuple(
        Way(*key, times, length // SECOND, office // SECOND)
        for key, (times, length, office) in sorted(sums.items())
    )


def _decision(rows: Sequence[tuple[Event, Holder]]) -> tuple[str | None, datetime | None, bool]:
    """Who decided when, and whether a window did: what it had in its hands, or has no other."""
    before: Holder | None = None
    for event, holder in rows:
        if event.kind in _BY_WHOM:
            at_window = before is not None and before.kind == HolderKind.WINDOW
            return event.actor, event.occurred, at_window
        before = holder
    return None, None, False


# --- the written definitions ---------------------------------------------------------------------

WHEN_ZH: Mapping[str, str] = {
    "event": "按发生的那一天",
    "closing": "按办结的那一天",
    "end": "期末",
    "derived": "由上面的数算出",
}


def query(measure: Measure) -> str:
    """How anybody recomputes a figure of a period from the day's figures: one SELECT."""
    return (
        f"SELECT sum(f.{measure.code}) FROM statistics_day f"  # noqa: S608 - shown, never run
        " JOIN statistics_place p ON p.id = f.place_id"
        " WHERE f.start BETWEEN :从 AND :到"
    )


def markdown() -> str:
    """docs/reference/statistics.md."""
    lines = [
        "# 统计指标",
        "",
        "由 `python -m zhengwu.domain.measuring` 打印，内容来自代码里的定义，不手写。",
        "",
        "日期都是北京时间，按事情发生的那一天算，不管由谁办理、什么时候录入。一天的数字是全部办件之和，"
        "更正以后改的是原来那一天的数字，每次更正都留有记载。",
        "",
        "## 计数",
        "",
        "| 指标 | 代码 | 单位 | 算在哪一天 | 定义 | 依据 |",
        "|---|---|---|---|---|---|",
        *(
            f"| {one.zh} | {one.code} | {one.unit} | {WHEN_ZH[one.when]} | {one.what} | {one.basis} |"
            for one in MEASURES
        ),
        "",
        "## 期末、比率和平均",
        "",
        "分母是零的，没有这个比率，写“—”，不写 0 或者 100%。",
        "",
        "| 指标 | 代码 | 单位 | 算在哪一天 | 定义 | 依据 |",
        "|---|---|---|---|---|---|",
        *(
            f"| {one.zh} | {one.code} | {one.unit} | {WHEN_ZH[one.when]} | {one.what} | {one.basis} |"
            for one in DERIVED
        ),
        "",
        "## 人员",
        "",
        "| 指标 | 代码 |",
        "|---|---|",
        *(f"| {zh} | {code} |" for code, zh in PERSONAL.items()),
        "",
        "## 怎样核对",
        "",
        "每个计数都可以直接向数据库核对，例如收件：",
        "",
        "```sql",
        query(MEASURES[0]),
        "```",
        "",
        "`place` 的列是机关 agency、来源系统的部门 unit、区划 region、办件类型 kind、来源 source、渠道 channel；"
        "按事项、大厅、窗口的在 `statistics_fineday`，另有列 item、hall、window。",
        "页面上的每个数字点开就是它的办件；`statistics_measured` 里每件办件一行，写着它怎样算进来。",
    ]
    return "\n".join(lines) + "\n"


__all__ = [
    "BY_CODE", "CODES", "DERIVED", "HANDS", "LATE_ENTRY", "MEASURES", "PERSONAL", "WHEN_ZH",
    "Closing", "Fact", "Mark", "Measure", "Verdict", "Way", "markdown", "measured", "query",
]  # fmt: skip

if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
