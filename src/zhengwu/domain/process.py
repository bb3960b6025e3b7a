"""The real process (实际流程): what followed what in many cases, beside what is published.

A directly-follows graph: an edge from one activity to another counts how often the second came next
in the same case, and how long that took. Cases that went through the same activities in the same
order are one variant (变体). `departures` says where a case left the published flow of its item, or,
of another system's news, the lawful table. Source: W. van der Aalst, Process Mining: Data Science in
Action, 2nd ed., Springer 2016; docs/algorithms/process.md says what we count and what we do not.
"""

from __future__ import annotations

import hashlib
import statistics
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.procedure import Flow, Step
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.timeledger import office_time

MICROSECOND = timedelta(microseconds=1)
# What a window notes before and after the flow of the item: no steps of it.
AT_THE_WINDOW = frozenset({"receive", "deliver"})
DECISIONS = frozenset({"granted", "refused"})
Office = Callable[[datetime, datetime], timedelta]


class Happening(NamedTuple):
    """One thing that happened in a case. activity: the same text for the like in all cases.

    label: how the source calls it beside, empty where it does not. resource: who did it; group: for
    which agency.
    """

    activity: str
    at: datetime
    version: int = 0
    resource: str | None = None
    group: str | None = None
    label: str = ""


class Departure(NamedTuple):
    """Where a case left what is published (偏离): by which entry, what kind, in words.

    kind: one of KINDS. step: the code of the published step it is about, where it is about one.
    """

    version: int
    kind: str
    zh: str
    step: str = ""

    @property
    def key(self) -> str:
        """The same for the like in all cases."""
        return departure_key(self.kind, self.zh)


def variant_key(activities: Iterable[str]) -> str:
    """Sixteen hexadecimal digits that stand for a way through."""
    return _digest("variant", *activities)


def edge_key(source: str, target: str) -> str:
    """The same for an edge."""
    return _digest("edge", source, target)


def departure_key(kind: str, zh: str) -> str:
    """The same for a departure."""
    return _digest("departure", kind, zh)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def in_order(happened: Iterable[Happening]) -> tuple[Happening, ...]:
    """By the instant at which it happened; what is told of the same instant as it was entered."""
    return tuple(sorted(happened, key=lambda one: (one.at, one.version)))


# --- beside what is published ---------------------------------------------------------------------

KINDS: Mapping[str, str] = {
    "table": "与生命周期表不符",
    "order": "次序与流程不符",
    "skipped": "环节没有办结",
    "returned": "退回",
    "outside": "流程以外的环节",
}


def departures(events: Sequence[Event], flow: Flow | None) -> tuple[Departure, ...]:
    """Where the events that count, by version, leave the flow (None: no item) or the lawful table.

    Of our own acts the table has refused what it does not allow; another system's news carries what
    the table thinks of it.
    """
    found: list[Departure] = []
    steps = {step.code: step for step in flow.steps} if flow else {}
    last = _last(flow) if flow else frozenset()
    done: set[str] = set()
    for event in events:
        kind, body = event.kind, event.body
        if event.nature is Nature.OBSERVATION:
            if said := body.get("deviation"):
                found.append(Departure(event.version, "table", str(said)))
            continue
        if flow is None or not steps:
            continue
        code = str(body.get("step") or "")
        if kind in ("step_taken", "step_done") and code not in AT_THE_WINDOW:
            step = steps.get(code)
            if step is None:
                found.append(
                    Departure(event.version, "outside", f"流程里没有“{code[:40]}”这个环节")
                )
            elif missing := [steps[one].name for one in step.after if one not in done]:
                word = "办结" if kind == "step_done" else "接办"
                said = f"“{'、'.join(missing)}”没有办结就{word}“{step.name}”"
                found.append(Departure(event.version, "order", said, code))
            if kind == "step_done":
                done.add(code)
        elif kind == "step_returned":
            back = str(body.get("back_to") or "")
            name = steps[back].name if back in steps else back[:40]
            found.append(Departure(event.version, "returned", f"退回“{name}”环节", back))
            done -= {back} | flow.following(back)
        elif kind in DECISIONS:
            found += [
                Departure(event.version, "skipped", f"“{step.name}”没有办结就作出决定", step.code)
                for step in flow.steps
                if step.code not in done and step.code not in last
            ]
    return tuple(found)


def _last(flow: Flow) -> frozenset[str]:
    """The steps that no other waits for: the decision itself ends them."""
    before = {one for step in flow.steps for one in step.after}
    return frozenset(step.code for step in flow.steps if step.code not in before)


class Run(NamedTuple):
    """One time somebody had a step (环节): from its taking to how it ended.

    how: done, decided (the decision ended it), returned, open.
    """

    step: str
    start: datetime
    end: datetime | None
    how: str


def runs(events: Sequence[Event]) -> tuple[Run, ...]:
    """The steps that were taken in a case, from the events that count; another pair of hands for
    the same step goes on with it.
    """
    found: list[Run] = []
    current: tuple[str, datetime] | None = None

    def end(at: datetime | None, how: str) -> None:
        nonlocal current
        if current is not None:
            found.append(Run(current[0], current[1], at, how))
            current = None

    for event in events:
        if event.nature is not Nature.ACT:
            continue
        code = str(event.body.get("step") or "")
        if event.kind == "step_taken" and code not in AT_THE_WINDOW:
            if current is None or current[0] != code:
                end(event.occurred, "open")
                current = (code, event.occurred)
        elif event.kind == "step_done":
            if current is not None and current[0] != code:
                end(event.occurred, "open")
            end(event.occurred, "done")
        elif event.kind == "step_returned":
            end(event.occurred, "returned")
        elif event.kind in DECISIONS:
            end(event.occurred, "decided")
    end(None, "open")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class StepTold:
    """A published step and what became of it. cases: in which it was taken; done: how often it came
    to its end; skipped, returned: how often.
    """

    step: Step
    cases: int
    done: int
    skipped: int
    returned: int
    lengths: Lengths


class Beside:
    """The published steps, with what really happened, case after case (标准流程与实际流程)."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.last = _last(flow)
        self._spent = {step.code: _Spent() for step in flow.steps}
        self._cases = dict.fromkeys(self._spent, 0)
        self._skipped = dict.fromkeys(self._spent, 0)
        self._returned = dict.fromkeys(self._spent, 0)
        self.cases = 0

    def add(self, events: Sequence[Event], found: Sequence[Departure], office: Office) -> None:
        """One more case: its events that count, and where it left the flow."""
        self.cases += 1
        taken = set()
        for run in runs(events):
            if run.step not in self._spent:
                continue
            taken.add(run.step)
            ended = run.how == "done" or (run.how == "decided" and run.step in self.last)
            if ended and run.end is not None:
                self._spent[run.step].add(run.start, max(run.start, run.end), office)
        for code in taken:
            self._cases[code] += 1
        for one in found:
            counts = {"skipped": self._skipped, "returned": self._returned}.get(one.kind)
            if counts is not None and one.step in counts:
                counts[one.step] += 1

    def told(self) -> tuple[StepTold, ...]:
        return tuple(
            StepTold(
                step=step,
                cases=self._cases[step.code],
                done=len(self._spent[step.code].wall),
                skipped=self._skipped[step.code],
                returned=self._returned[step.code],
                lengths=self._spent[step.code].lengths(),
            )
            for step in self.flow.steps
        )


class OfficeMeter:
    """Office time (办公时间) between instants, as `timeledger.office_time` counts it, by the thousand:
    a day is looked up once, an instant costs two microseconds.
    """

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._zero: int | None = None  # the day from which is counted
        # By day: office time up to its beginning, its opening hours; both in microseconds.
        self._days: dict[int, tuple[int, tuple[tuple[int, int], ...]]] = {}

    def __call__(self, start: datetime, end: datetime) -> timedelta:
        if end > start and not self._edition.hours.later:
            try:
                return timedelta(microseconds=self._until(end) - self._until(start))
            except ValueError:
                pass  # where the calendar's table does not reach
        return office_time(start, end, self._edition)

    def _until(self, moment: datetime) -> int:
        local = moment.astimezone(SHANGHAI)
        day = local.toordinal()
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = self._day(local)
        passed, opening = known
        now = ((local.hour * 60 + local.minute) * 60 + local.second) * 1_000_000
        now += local.microsecond
        for opens, closes in opening:
            if now > opens:
                passed += min(now, closes) - opens
        return passed

    def _day(self, local: datetime) -> tuple[int, tuple[tuple[int, int], ...]]:
        day, calendar = local.toordinal(), self._edition.calendar
        zero = self._zero = day if self._zero is None else self._zero
        spans = tuple(
            tuple((((one.hour * 60) + one.minute) * 60 + one.second) * 1_000_000 for one in pair)
            for pair in self._edition.hours.on(local.date())
        )
        opening = tuple((opens, closes) for opens, closes in spans)
        whole = sum(closes - opens for opens, closes in opening)
        return calendar.between(zero, day - 1) * whole, opening if calendar.open_on(day) else ()


# --- the graph ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lengths:
    """Times to the microsecond: median and mean, of the clock on the wall and of office time.

    None where there is none.
    """

    median: timedelta | None = None
    mean: timedelta | None = None
    office_median: timedelta | None = None
    office_mean: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """An activity (活动): how often, in how many cases; starts, ends: of how many cases the first
    and the last. place: how many came before it in its case, on the average.
    """

    activity: str
    label: str
    count: int
    cases: int
    starts: int
    ends: int
    departing: int
    place: float


@dataclass(frozen=True, slots=True)
class Edge:
    """One activity directly after another. departing: how often by an entry that is a departure."""

    source: str
    target: str
    count: int
    departing: int
    lengths: Lengths

    @property
    def key(self) -> str:
        return edge_key(self.source, self.target)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way through (变体), of `count` cases. share: of all cases, from 0 to 1."""

    activities: tuple[str, ...]
    count: int
    share: float
    lengths: Lengths

    @property
    def key(self) -> str:
        return variant_key(self.activities)


@dataclass(frozen=True, slots=True)
class DepartureTold:
    """A departure and how often. cases: in how many."""

    kind: str
    zh: str
    count: int
    cases: int

    @property
    def key(self) -> str:
        return departure_key(self.kind, self.zh)


@dataclass(frozen=True, slots=True)
class Picture:
    """What was discovered. Nodes, edges and variants the most frequent first; first, last: instants."""

    cases: int
    events: int
    resources: int
    first: datetime | None
    last: datetime | None
    lengths: Lengths
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    variants: tuple[Variant, ...]
    departures: tuple[DepartureTold, ...]


@dataclass(slots=True)
class _Spent:
    """Lengths in microseconds; eight bytes each."""

    wall: array[int] = field(default_factory=lambda: array("q"))
    office: array[int] = field(default_factory=lambda: array("q"))

    def add(self, start: datetime, end: datetime, office: Office) -> None:
        length = end - start
        self.wall.append(length // MICROSECOND)
        self.office.append(office(start, end) // MICROSECOND if length else 0)

    def lengths(self) -> Lengths:
        if not self.wall:
            return Lengths()
        return Lengths(*(of(values) for values in (self.wall, self.office) for of in (_mid, _mean)))


def _mid(values: Sequence[int]) -> timedelta:
    """The middle one, or the mean of the two in the middle, rounded down to the microsecond."""
    low, high = statistics.median_low(values), statistics.median_high(values)
    return timedelta(microseconds=(low + high) // 2)


def _mean(values: Sequence[int]) -> timedelta:
    return timedelta(microseconds=sum(values) // len(values))


@dataclass(slots=True)
class _Seen:
    """An activity so far."""

    count: int = 0
    cases: int = 0
    starts: int = 0
    ends: int = 0
    departing: int = 0
    before: int = 0
    label: str = ""


@dataclass(slots=True)
class _Passed:
    """An edge so far."""

    departing: int = 0
    spent: _Spent = field(default_factory=_Spent)


class Discovery:
    """The graph, case after case. In memory: each activity, edge, variant and departure, and sixteen
    bytes for every passage of an edge and for every case.
    """

    def __init__(self) -> None:
        self.cases = 0
        self.events = 0
        self._nodes: dict[str, _Seen] = {}
        self._edges: dict[tuple[str, str], _Passed] = {}
        self._variants: dict[tuple[str, ...], _Spent] = {}
        self._departures: dict[tuple[str, str], list[int]] = {}
        self._resources: set[str] = set()
        self._whole = _Spent()
        self._first: datetime | None = None
        self._last: datetime | None = None

    def add(
        self, happened: Sequence[Happening], found: Sequence[Departure], office: Office
    ) -> None:
        """One more case, what happened in it in order; one in which nothing happened is none."""
        if not happened:
            return
        self.cases += 1
        self.events += len(happened)
        departing = {one.version for one in found}
        seen_here: set[str] = set()
        for index, one in enumerate(happened):
            seen = self._nodes.get(one.activity)
            if seen is None:
                seen = self._nodes[one.activity] = _Seen()
            seen.count += 1
            seen.before += index
            seen.label = seen.label or one.label
            seen.departing += one.version in departing
            if one.activity not in seen_here:
                seen_here.add(one.activity)
                seen.cases += 1
            if one.resource:
                self._resources.add(one.resource)
        first, last = happened[0], happened[-1]
        self._nodes[first.activity].starts += 1
        self._nodes[last.activity].ends += 1
        for before, after in pairwise(happened):
            passed = self._edges.get((before.activity, after.activity))
            if passed is None:
                passed = self._edges[before.activity, after.activity] = _Passed()
            passed.departing += after.version in departing
            passed.spent.add(before.at, after.at, office)
        way = tuple(one.activity for one in happened)
        spent = self._variants.get(way)
        if spent is None:
            spent = self._variants[way] = _Spent()
        spent.add(first.at, last.at, office)
        self._whole.wall.append(spent.wall[-1])
        self._whole.office.append(spent.office[-1])
        for key in {(one.kind, one.zh) for one in found}:
            self._departures.setdefault(key, [0, 0])[1] += 1
        for departure in found:
            self._departures[departure.kind, departure.zh][0] += 1
        self._first = first.at if self._first is None else min(self._first, first.at)
        self._last = last.at if self._last is None else max(self._last, last.at)

    def picture(self) -> Picture:
        """What was discovered so far."""
        nodes = [
            Node(
                activity=activity, label=one.label, count=one.count, cases=one.cases,
                starts=one.starts, ends=one.ends, departing=one.departing,
                place=one.before / one.count,
            )
            for activity, one in self._nodes.items()
        ]  # fmt: skip
        edges = [
            Edge(source, target, len(one.spent.wall), one.departing, one.spent.lengths())
            for (source, target), one in self._edges.items()
        ]
        variants = [
            Variant(way, len(spent.wall), len(spent.wall) / self.cases, spent.lengths())
            for way, spent in self._variants.items()
        ]
        told = [
            DepartureTold(kind, zh, count, cases)
            for (kind, zh), (count, cases) in self._departures.items()
        ]
        return Picture(
            cases=self.cases,
            events=self.events,
            resources=len(self._resources),
            first=self._first,
            last=self._last,
            lengths=self._whole.lengths(),
            nodes=tuple(sorted(nodes, key=lambda one: (-one.count, one.place, one.activity))),
            edges=tuple(sorted(edges, key=lambda one: (-one.count, one.source, one.target))),
            variants=tuple(sorted(variants, key=lambda one: (-one.count, one.activities))),
            departures=tuple(sorted(told, key=lambda one: (-one.cases, -one.count, one.zh))),
        )


__all__ = [
    "Beside", "Departure", "DepartureTold", "Discovery", "Edge", "Happening", "Lengths", "Node", "OfficeMeter",
    "Picture", "Run", "StepTold", "Variant", "departure_key", "departures", "edge_key",
    "in_order", "runs", "variant_key",
]  # fmt: skip
