"""The plan of a year (模拟计划): from a seed, the stage and nothing else, day by day.

The same seed, number of cases, stage and end give the same rows to the last byte, whether they are
written or not: a broken-off load is taken up by planning again and passing over what stands. Only
the cases under way are kept in memory.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from operator import itemgetter
from typing import Any

from zhengwu.cases.simulation import foreign, times
from zhengwu.cases.simulation.desks import Diary
from zhengwu.cases.simulation.faults import FAULTS
from zhengwu.cases.simulation.foreign import Reporter, System
from zhengwu.cases.simulation.lives import Read, Reader, asked, events_of, mark_deviations
from zhengwu.cases.simulation.people import Crowd
from zhengwu.cases.simulation.rows import (
    Batch,
    Begun,
    Clerk,
    logged,
)
from zhengwu.cases.simulation.scene import Offer, Scene
from zhengwu.cases.simulation.stories import Teller, number
from zhengwu.cases.simulation.telling import SOURCE, Story
from zhengwu.domain import lifecycle
from zhengwu.domain.clock import Alarm
from zhengwu.domain.refusal import Refusal

IMMEDIATE = 0.275  # 即办件, of all: 24.74 of 89.99 (docs/algorithms/simulation.md)
MUNICIPAL = 0.11  # 市级窗口, of all: 14.3 of 129.6
FORWARDED = 0.02  # 上报件, of ours (other systems send nothing up); drawn
FOREIGN = 0.40  # of other systems; drawn: 27 of the 41 departments of the study keep one
ONLINE = 0.30  # received online; drawn
FAULTY = 0.02  # with something planted
EVENTS = 5_000  # of a transaction: an open one holds up the sequencer
CHECKED = 50  # every so many stories are admitted act by act by the domain, while it runs
COMPARED = 500  # and read by the domain itself, to be compared

MONTHS = (0.85, 0.70, 1.25, 1.10, 1.00, 1.05, 1.00, 0.95, 1.10, 0.90, 1.05, 1.15)
WEEKDAYS = (1.25, 1.10, 1.00, 0.95, 0.85, 0.60, 0.55)  # the last two: worked weekends
REST = 0.05  # a day off, of a working day: online only
AFTER_REST, BEFORE_REST, LONG = 1.4, 0.75, 3  # beside three days off or more
HOURS = ((9, 10, 0.24), (10, 11.7, 0.34), (14, 15, 0.20), (15, 16, 0.15), (16, 16.4, 0.07))
ONLINE_HOURS = ((0, 7, 0.03), (7, 9, 0.12), (9, 12, 0.32), (12, 14, 0.14), (14, 18, 0.24),
                (18, 22, 0.13), (22, 24, 0.02))  # fmt: skip


# What is to be entered: when, of which case, what (0 an entry, 1 an attempt, 2 an alarm), its place
# among those, and of what it is made.
_Due = tuple[int, int, int, int, Begun, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be simulated. until: the city's present; nothing is entered after it."""

    cases: int
    seed: int
    until: datetime
    faulty: float = FAULTY
    foreign: float = FOREIGN


class Plan:
    """All stories of a year, as batches of rows in the order of their receipt.

    size: events of a batch, about.
    """

    def __init__(self, scene: Scene, order: Order, *, size: int = EVENTS) -> None:
        self.scene, self.order, self.size = scene, order, size
        self.until = times.since_epoch(order.until)
        self.chance = random.Random(order.seed)  # noqa: S311 - a simulation, nothing secret
        draw = random.Random(f"city {order.seed}")  # noqa: S311
        self.own = _Busy(scene.offers, draw)
        self.systems = foreign.systems(scene, draw) if order.foreign else ()
        self.theirs = [_Busy(one.offers, draw) for one in self.systems]
        self.sizes = _sizes(self.systems)
        self.teller = Teller(scene, self._diaries(draw), self.chance)
        self.reporter = Reporter(scene, self.chance)
        self.crowd = Crowd(scene.year, self.chance)
        self.reader = Reader()
        self.clerk = Clerk(scene.year, seed=order.seed)
        self.pending: dict[int, list[_Due]] = {}
        self.batch = Batch()
        self.n = 0
        own, theirs = _by_place(FAULTS.values())
        self._kinds = {"own": own, "foreign": theirs}

    def batches(self) -> Iterator[Batch]:
        """Day after day, until the last story has ended or the present is reached."""
        for system in self.systems:
            self.batch.truth += [
                one for one in foreign.gaps(system)
                if date.fromisoformat(one["until"]) < times.moment(self.until).date()
            ]  # fmt: skip
        arrivals = dict(self._arrivals())
        day = date(self.scene.year, 1, 1).toordinal()
        last = times.day_of(self.until)
        while day <= last and (day <= date(self.scene.year, 12, 31).toordinal() or self.pending):
            for at, channel, sender in self._day(day, arrivals.get(day, 0)):
                self._begin(at, channel, sender)
            yield from self._flush(day)
            day += 1
        if self.batch.entries or self.batch.truth:
            yield self._cut()

    # --- who comes when ---------------------------------------------------------------------------

    def _arrivals(self) -> Iterator[tuple[int, int]]:
        """How many come on each day: the weights of the days, rounded so that the sum is right."""
        first, last = (
            date(self.scene.year, 1, 1).toordinal(),
            date(self.scene.year, 12, 31).toordinal(),
        )
        days = list(range(first, min(last, times.day_of(self.until)) + 1))
        if not days:
            raise Refusal("simulate.not_yet", "这一年还没有开始，不能模拟。请选择较早的年份。")
        sums = list(accumulate(self._weight(day) for day in days))
        come, passed = 0, 0.0
        for day, passed in zip(days, sums, strict=True):
            until = round(self.order.cases * passed / sums[-1])
            yield day, until - come
            come = until

    def _weight(self, day: int) -> float:
        works = self.scene.workdays.works
        when = date.fromordinal(day)
        if not works(day):
            return REST * MONTHS[when.month - 1]
        weight = MONTHS[when.month - 1] * WEEKDAYS[when.weekday()]
        if not any(works(day - back) for back in range(1, LONG + 1)):
            weight *= AFTER_REST
        if not any(works(day + ahead) for ahead in range(1, LONG + 1)):
            weight *= BEFORE_REST
        return weight

    def _day(self, day: int, many: int) -> list[tuple[int, str, int | None]]:
        """When, by which channel and in which system (None: ours) they come, in order."""
        draw = self.chance.random
        open_ = self.scene.workdays.works(day)
        made: list[tuple[int, str, int | None]] = []
        for _ in range(many):
            online = not open_ or draw() < ONLINE
            minute = self._hour(ONLINE_HOURS if online else HOURS) * 60
            system = None
            if open_ and not online and self.systems and draw() < self.order.foreign / (1 - ONLINE):
                (system,) = self.chance.choices(range(len(self.systems)), cum_weights=self.sizes)
            at = times.micro(day, minute)
            if at <= self.until:
                made.append((at, "online" if online else "window", system))
        made.sort(key=itemgetter(0))
        return made

    def _hour(self, among: tuple[tuple[float, float, float], ...]) -> float:
        likely = self.chance.random()
        for start, end, share in among:
            if likely < share:
                return start + (end - start) * likely / share
            likely -= share
        return among[-1][1]

    # --- stories ----------------------------------------------------------------------------------

    def _begin(self, at: int, channel: str, system: int | None) -> None:
        self.n += 1
        busy = self.own if system is None else self.theirs[system]
        offer = busy.draw(self.chance)
        if system is None:
            self._enter(self._ours(offer, at, channel))
        else:
            for one in self._news(offer, at, self.systems[system]):
                self._enter(one)

    def _ours(self, offer: Offer, at: int, channel: str) -> Story:
        office = offer.office
        story = Story(
            n=self.n, opened=at, source=SOURCE, agency=office.agency, region=office.region,
            kind=offer.kind, channel=channel, offer=offer, hall=office.hall,
            window=office.window if channel == "window" else None,
            applicant=self.crowd.comes(self.n, at),
        )  # fmt: skip
        return self.teller.tell(story, self._fault("own", self.teller.possible(offer)))

    def _news(self, offer: Offer, at: int, system: System) -> list[Story]:
        office = offer.office
        story = Story(
            n=self.n, opened=at, source=system.source, agency=office.agency, region=office.region,
            kind="foreign", channel="window", offer=offer,
            foreign=f"{self.scene.year}-{self.n:07d}", title=system.title,
        )  # fmt: skip
        told = self.reporter.tell(story, system, self._fault("foreign", foreign.possible(offer)))
        for one in told:
            mark_deviations(one)
        return told

    def _fault(self, where: str, possible: frozenset[str]) -> str | None:
        """What is planted in a case, if anything; of the kinds that it can bear."""
        if self.chance.random() >= self.order.faulty:
            return None
        codes, sums = self._kinds[where]
        (drawn,) = self.chance.choices(codes, cum_weights=sums)
        if drawn in possible:
            return drawn
        fitting = [one for one in codes if one in possible]
        weights = [FAULTS[one].weight for one in fitting]
        return self.chance.choices(fitting, weights)[0] if fitting else None

    def _enter(self, story: Story) -> None:
        """Into the pending days, as far as the present goes."""
        kept = [one for one in story.moves if one.seen <= self.until]
        if not kept:
            return
        story.moves = kept
        story.attempts = [one for one in story.attempts if one.seen <= self.until]
        story.planted = [one for one in story.planted if one.at <= self.until]
        edition = self.own.edition(story)
        found = self.reader.read(story, edition)
        if self.n % CHECKED == 0:
            check(story)
        if self.n % COMPARED == 0 and found != asked(story, edition):
            raise ArithmeticError(f"case {story.n} is not read as the domain reads it")
        self._tell(story, found)
        begun = self.clerk.begin(story)
        for version, one in enumerate(story.moves, 1):
            self._await(one.seen, version, 0, begun, found if version == 1 else None)
        for one in story.attempts:
            self._await(one.seen, 0, 1, begun, one)
        for nth, alarm in enumerate(found.alarms, 1):
            self._await(times.since_epoch(alarm.at) + times.MINUTE, nth, 2, begun, alarm)

    def _await(self, seen: int, nth: int, what: int, begun: Begun, more: object) -> None:
        entry = (seen, begun.story.n, what, nth, begun, more)
        day = times.day_of(seen)
        if day in self.pending:
            self.pending[day].append(entry)
        else:
            self.pending[day] = [entry]

    def _tell(self, story: Story, found: Read) -> None:
        """What is counted of it, and the truth about what was planted."""
        told = self.batch.told
        kept = story.moves[0].body.get("kept", {})
        told["cases", "all"] += 1
        told["kind", str(kept.get("kind") or story.kind)] += 1
        told["level", "municipal" if story.region == "420100" else "district"] += 1
        told["channel", story.channel] += 1
        told["source", "own" if story.source == SOURCE else "foreign"] += 1
        told["state", str(found.head["state"])] += 1
        told["events", "all"] += len(story.moves)
        for one in story.planted:
            told["planted", one.kind] += 1
            self.batch.truth.append(
                {
                    "case": number(story), "source": story.source, "foreign": story.foreign,
                    "kind": one.kind, "zh": FAULTS[one.kind].zh, "rule": one.rule,
                    "also": list(one.also),
                    "versions": [n for n in one.versions if n <= len(story.moves)],
                    "day": date.fromordinal(times.day_of(one.at)).isoformat(),
                    "agency": story.agency, "person": one.person,
                }
            )  # fmt: skip

    # --- rows -------------------------------------------------------------------------------------

    def _flush(self, day: int) -> Iterator[Batch]:
        """Write the rows of a day, in the order in which they were received."""
        entries = self.pending.pop(day, [])
        entries.sort()  # no two are alike in the first four
        for seen, _, what, nth, begun, more in entries:
            if what == 0:
                if isinstance(more, Read):
                    self.clerk.open(self.batch, begun, more)
                self.clerk.write(self.batch, begun, nth)
                if begun.story.source == SOURCE and _is_over(begun.story, nth):
                    begun.shrink()
            elif what == 1:
                self.clerk.attempt(self.batch, begun, more)
            elif isinstance(more, Alarm):
                self.clerk.alarm(self.batch, begun, more, nth)
            self.batch.until = seen
            if len(self.batch.entries) >= self.size:
                yield self._cut()

    def _cut(self) -> Batch:
        done, self.batch = self.batch, Batch()
        return done

    # --- the desks --------------------------------------------------------------------------------

    def _diaries(self, draw: random.Random) -> dict[tuple[str, str], Diary]:
        """What every post can do, by what comes to it on an average working day."""
        days = len(self.scene.workdays.days)
        first, last = (date(self.scene.year, *day).toordinal() for day in ((1, 1), (12, 31)))
        worked = sum(self.scene.workdays.works(day) for day in range(first, last + 1))
        a_day = self.order.cases * (1 - self.order.foreign) / worked
        comes: Counter[str] = Counter()
        for offer, share in self.own.shares():
            if offer.kind != "immediate":
                comes[offer.office.agency] += a_day * share  # type: ignore[assignment]
        made: dict[tuple[str, str], Diary] = {}
        for office in self.scene.offices:
            for role, desk in (
                ("window", office.receives), ("review", office.reviews), ("decide", office.decides),
            ):  # fmt: skip
                made[office.agency, role] = Diary(
                    desk, daily=comes[office.agency], days=days, chance=draw
                )
        return made


class _Busy:
    """How busy items are (忙闲): a few see most of the cases. By level and kind, as the shares say."""

    def __init__(self, offers: Sequence[Offer], draw: random.Random) -> None:
        self.groups: dict[tuple[bool, str], tuple[list[Offer], list[float]]] = {}
        codes = sorted({one.office.agency for one in offers})
        draw.shuffle(codes)
        rank = {code: 1 / (n + 3) ** 0.8 for n, code in enumerate(codes)}
        weight = {one.item: rank[one.office.agency] * (0.2 + draw.random() ** 3) for one in offers}
        for municipal in (True, False):
            for kind in ("immediate", "promised", "forwarded"):
                found = [
                    one for one in offers
                    if one.office.municipal is municipal and one.kind == kind
                ]  # fmt: skip
                if found:
                    sums = list(accumulate(weight[one.item] for one in found))
                    self.groups[municipal, kind] = found, sums
        self._editions = {one.office.agency: one.office.edition for one in offers}

    def draw(self, chance: random.Random) -> Offer:
        group = self.groups[self._group(chance.random(), chance.random())]
        return chance.choices(group[0], cum_weights=group[1])[0]

    def _group(self, level: float, kind: float) -> tuple[bool, str]:
        levels = {municipal for municipal, _ in self.groups}
        municipal = level < MUNICIPAL if len(levels) == 2 else next(iter(levels))
        wanted = "immediate" if kind < IMMEDIATE else (
            "forwarded" if kind < IMMEDIATE + FORWARDED else "promised"
        )  # fmt: skip
        for one in ((municipal, wanted), (not municipal, wanted), (municipal, "promised")):
            if one in self.groups:
                return one
        return next(iter(self.groups))

    def shares(self) -> Iterator[tuple[Offer, float]]:
        """The share of every item, in the long run."""
        many = 40
        hit: Counter[tuple[bool, str]] = Counter(
            self._group((n + 0.5) / 100, (m + 0.5) / many) for n in range(100) for m in range(many)
        )
        for group, count in hit.items():
            offers, sums = self.groups[group]
            before = 0.0
            for offer, until in zip(offers, sums, strict=True):
                yield offer, count / (100 * many) * (until - before) / sums[-1]
                before = until

    def edition(self, story: Story) -> Any:
        """The calendar and the rules of the place of a case."""
        return self._editions[story.agency]


def _is_over(story: Story, version: int) -> bool:
    """Closed, and nothing to come but that it is filed away."""
    return version == len(story.moves) - 1 and story.moves[version - 1].kind == "closed"


def check(story: Story) -> None:
    """Admit every act of ours by the table; raises Refusal where one would not have passed."""
    if story.source != SOURCE:
        return
    life = lifecycle.Life.of(())
    for event in events_of(story):
        # What stands apart from the body is there: the commit names it in the body.
        body = {**event.body, "reasons": {}, "again": {"content": ""}}
        if event.kind == "refused":
            body["reasons"] = {"content": ""}
        lifecycle.admit(
            life.standing,
            event.kind,
            at=event.occurred,
            now=event.received,
            actor=event.actor,
            body=body,
            case_kind=story.kind,
        )
        life = life.then(event)


def _sizes(systems: Sequence[System]) -> list[float]:
    """How much every system sends, summed up: the city's together as much as its windows' share."""
    above = sum(one.office.municipal for one in systems)
    below = len(systems) - above
    share = MUNICIPAL if above and below else 1.0
    return list(
        accumulate(
            share / above if one.office.municipal else (1 - MUNICIPAL if above else 1.0) / below
            for one in systems
        )
    )


def _by_place(faults: Any) -> tuple[tuple[list[str], list[float]], tuple[list[str], list[float]]]:
    made = []
    for where in ("own", "foreign"):
        found = [one for one in faults if one.where == where]
        made.append(([one.code for one in found], list(accumulate(one.weight for one in found))))
    return made[0], made[1]


def digest(plan: Plan) -> str:
    """SHA-256 of all rows, in order: what two runs compare."""
    total = hashlib.sha256()
    for batch in plan.batches():
        events, placed = logged(batch.entries)
        rows = {**batch.rows, "ledger_event": events} if events else batch.rows
        for table in sorted(rows):
            total.update("\n".join(rows[table]).encode())
        for event, leaf in placed:
            total.update(event.encode() + leaf)
    return total.hexdigest()
