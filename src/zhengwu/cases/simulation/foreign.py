"""Stories of other systems (外部系统): what their exchange brings, as a replay would write it.

A department's own system, or a district's, keeps the case; we see observations, later than they
happened: entered there at once, brought here by the next exchange. The receipt carries what a
mapping keeps of a case (item, kind, hall, window, channel), a claim its own deadline. Nothing of
it is refused, so that here the faults are planted which our own table would not let happen.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from typing import Any

from zhengwu.cases.simulation import times
from zhengwu.cases.simulation.faults import BATCH, FAULTS, GAP
from zhengwu.cases.simulation.scene import Offer, Office, Scene
from zhengwu.cases.simulation.telling import LINK, Move, Planted, Story
from zhengwu.domain.lifecycle import PROCEDURES

SYSTEMS = 10  # of departments and of districts, at most
STAFF = 9  # operators of such a system
HOURS = 2  # between two exchanges
GAPS = 2  # of a source in a year
REFUSED, SUSPENDED, EXTENDED, INSPECTED = 0.05, 0.05, 0.02, 0.15
TWINS = 4_000_000  # added to the number of a case that was registered twice
NAMES = {
    "received": "收件登记", "accepted": "受理", "decided": "办结决定", "delivered": "送达",
    "closed": "归档", "suspended": "特别程序", "resumed": "恢复计时", "extended": "延期",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class System:
    """Another system: an organ's own, that sends what it does. gaps: first and last day without."""

    source: str
    office: Office
    offers: tuple[Offer, ...]
    gaps: tuple[tuple[int, int], ...]

    @property
    def title(self) -> str:
        return f"{self.office.name}业务系统（模拟）"


def systems(scene: Scene, chance: random.Random) -> tuple[System, ...]:
    """Which organs keep a system of their own: half of them the city's, half the districts'."""
    kinds: dict[str, set[str]] = {}
    for offer in scene.offers:
        kinds.setdefault(offer.office.agency, set()).add(offer.kind)
    # Of those that have both, so that the shares of the kinds are kept.
    fit = [one for one in scene.offices if kinds[one.agency] >= {"immediate", "promised"}]
    fit = fit or list(scene.offices)
    above = [one for one in fit if one.municipal]
    below = [one for one in fit if not one.municipal]
    chosen = chance.sample(above, min(len(above), SYSTEMS // 2))
    chosen += chance.sample(below, min(len(below), SYSTEMS - len(chosen)))
    first = date(scene.year, 1, 1).toordinal()
    works = scene.workdays.works  # on days off nobody would miss it
    days = [day for day in range(first + 20, first + 340) if works(day) and works(day + 1)]
    made = []
    for office in sorted(chosen, key=lambda one: one.agency):
        starts = sorted(chance.sample(days, GAPS))
        gaps = tuple((start, start + 1 + chance.randrange(3)) for start in starts)
        offers = tuple(one for one in scene.offers if one.office is office)
        made.append(System(f"{LINK}{office.agency.lower()}", office, offers, gaps))
    return tuple(made)


@dataclass(slots=True)
class Entry:
    """One piece of news to be: kind, day and minute it happened, body, who."""

    kind: str
    day: int
    minute: float
    body: dict[str, Any]
    actor: str
    late: int = 0  # working days until it was entered


class Reporter:
    """Tells what another system reports of its cases."""

    def __init__(self, scene: Scene, chance: random.Random) -> None:
        self.scene, self.chance = scene, chance
        self._draw = chance.random
        self.days = scene.workdays.days
        self.batches: dict[str, tuple[int, int]] = {}  # source → evening, how many are left

    def tell(self, story: Story, system: System, fault: str | None = None) -> list[Story]:
        """All moves of such a case; two stories where it was registered twice."""
        offer = story.offer
        assert offer is not None
        if fault is not None and fault not in possible(offer):
            fault = None
        accepter, decider = self.chance.sample(range(1, STAFF + 1), 2)
        entries, shown = self._entries(story, offer, accepter, decider, fault)
        self._write(story, system, entries)
        if fault in ("batch_entered", "foreign_entered_late"):
            shown = [n for n, one in enumerate(entries) if one.late]
        if fault is not None:
            known = FAULTS[fault]
            versions = tuple(n + 1 for n in shown)
            person = story.moves[shown[-1] if shown else 0].body["foreign"]["actor"]
            at = max((story.moves[n].seen for n in shown), default=story.moves[0].seen)
            story.planted.append(Planted(fault, known.rule, versions, at, person, known.also))
        story.offer = None  # the item is the other system's word
        if fault != "double_case":
            return [story]
        twin = Story(
            n=story.n + TWINS, opened=story.opened, source=story.source, agency=story.agency,
            region=story.region, kind="foreign", channel=story.channel,
            foreign=f"{story.foreign}-2", title=story.title,
        )  # fmt: skip
        for one in story.moves:
            later = 20 * times.MINUTE
            twin.moves.append(
                Move(one.kind, one.at + later, one.recorded + later, one.seen + HOURS * 60 * times.MINUTE, dict(one.body),
                     agency=one.agency, source=one.source)
            )  # fmt: skip
        twin.moves[0].body = {**twin.moves[0].body, "case": twin.foreign}
        return [story, twin]

    # --- what happened ----------------------------------------------------------------------------

    def _entries(
        self, story: Story, offer: Offer, accepter: int, decider: int, fault: str | None
    ) -> tuple[list[Entry], list[int]]:
        """The news in the order in which it is entered, and which of it shows the fault."""
        day = self.scene.workdays.at(times.day_of(story.opened))
        minute = (story.opened - times.micro(self.days[day], 0)) / times.MINUTE
        if fault == "same_person":
            decider = accepter
        hall = None if fault == "outside_hall" else offer.office.hall
        kept = {
            "item": offer.item, "kind": offer.kind, "channel": story.channel,
            "place": "hall" if hall else "elsewhere",
        }  # fmt: skip
        if hall:
            kept |= {"hall": hall, "window": offer.office.window}
        if fault == "foreign_asked_outside":
            kept["materials"] = ",".join((*offer.materials[:2], f"X{90 + self._up_to(8)}"))
        else:
            kept["materials"] = ",".join(offer.materials)
        who = _operator(accepter)
        found = [Entry("received", day, minute, {"kept": kept, "case": story.foreign}, who)]
        shown: list[int] = [0] if fault in ("outside_hall", "foreign_asked_outside") else []
        at_once = offer.kind == "immediate"
        due = day + offer.promised
        claim = {"claim": {"kind": "deadline", "due": self._due(due)}}
        if not at_once:
            found.append(Entry("claim", day, minute, claim, who))
        accepted = day if at_once else min(day + self._up_to(1), due)
        start = times.afterwards(minute, 6) if accepted == day else times.in_office(self._draw())
        if fault != "step_skipped":
            found.append(Entry("accepted", accepted, start, {}, who))
        if fault == "double_entry":
            shown = [len(found) - 1, len(found)]
            again = times.afterwards(start, 2)
            found.append(Entry("accepted", accepted, again, {}, who))
        if fault == "double_entry" and not shown[0]:
            shown = []
        end = due if at_once else accepted + round((due - accepted) * self._draw())
        late, now = 0, accepted
        if not at_once:
            now, late = self._middle(found, shown, accepted, due, fault)
        end = max(end, now) if not late else max(end + late, now)
        end = min(end, due + late)
        if fault == "foreign_late":
            end = due + 1 + self._up_to(6)
        outcome = "refused" if fault == "foreign_unreasoned" or self._is(REFUSED) else "granted"
        body: dict[str, Any] = {"outcome": outcome}
        if outcome == "refused" and fault != "foreign_unreasoned":
            body["grounds"] = [offer.grounds[0]]
        same = end == found[-1].day
        minute = times.afterwards(found[-1].minute, 4) if same else times.in_office(self._draw())
        found.append(Entry("decided", end, minute, body, _operator(decider)))
        if fault in ("foreign_late", "foreign_unreasoned", "same_person", "step_skipped"):
            shown = [len(found) - 1]
        if fault == "extended_late":  # asked for when the term was over
            found[-1].day, found[-1].minute = due + 4, times.in_office(self._draw())
            late_one = Entry(
                "extended", due + 2, times.MORNING + 30, {"days": 5}, _operator(decider)
            )
            found.insert(len(found) - 1, late_one)
            shown = [len(found) - 2]
            end = due + 4
        minute = found[-1].minute
        gone = end if at_once else end + self._up_to(3)
        when = times.afterwards(minute, 3) if gone == end else times.in_office(self._draw())
        found.append(Entry("delivered", gone, when, {}, who))
        found.append(Entry("closed", gone, times.afterwards(when, 1), {}, who))
        if fault == "out_of_order":
            a = next(n for n, one in enumerate(found) if one.kind == "accepted")
            d = next(n for n, one in enumerate(found) if one.kind == "decided")
            found[a].day, found[a].minute = found[d].day, times.afterwards(found[d].minute, 2)
            found.insert(d, found.pop(a))  # entered, and happened, after the decision
            shown = [d - 1, d]
        if fault == "foreign_entered_late":
            for one in found[-3:]:
                one.late = 2 + self._up_to(4)
        if fault == "batch_entered":
            for one in found:
                one.late = 1  # on the evening of the batch, whatever day that is
        return found, shown

    def _middle(
        self, found: list[Entry], shown: list[int], accepted: int, due: int, fault: str | None
    ) -> tuple[int, int]:
        """Steps, special procedures and extensions; where it is, and what more there is to go."""
        actor = _operator(1 + self._up_to(STAFF - 1))
        now, late = accepted, 0

        def add(kind: str, day: int, body: dict[str, Any]) -> None:
            minute = times.in_office(self._draw())
            if day == found[-1].day:
                minute = times.afterwards(found[-1].minute, 5)
            found.append(Entry(kind, day, minute, body, actor))

        room = max(0, (due - accepted) // 2)
        now = min(now + self._up_to(room), due)
        add("step", now, {"step": "审查"})
        if fault == "lone_inspection" or self._is(INSPECTED):
            add("step", now, {"step": "现场核查", "people": 1 if fault == "lone_inspection" else 2})
            if fault == "lone_inspection":
                shown.append(len(found) - 1)
        untold, unlisted = fault == "suspension_untold", fault == "suspension_unlisted"
        if untold or unlisted or (fault is None and self._is(SUSPENDED)):
            days, used = 10, 3 + self._up_to(6)
            procedure = "waiting" if unlisted else self.chance.choice(tuple(PROCEDURES))
            body: dict[str, Any] = {"procedure": procedure, "days": days}
            if untold:
                del body["days"]
            else:
                body |= {"until": date.fromordinal(self.days[now + days]).isoformat(),
                         "notice": f"特告〔{self.scene.year}〕{1 + self._up_to(9000)}号"}  # fmt: skip
            add("suspended", now, body)
            shown += [len(found) - 1] if untold or unlisted else []
            now, late = now + used, late + used
            add("resumed", now, {})
            self._claims_anew(found, due + late, actor)
        twice = fault == "extended_twice"
        if twice or (fault is None and self._is(EXTENDED)):
            for turn in range(1 + twice):
                add("extended", now, {"days": 5, "approved_by": _operator(STAFF + 1)})
                late += 5
                if turn:
                    shown.append(len(found) - 1)
            self._claims_anew(found, due + late, actor)
        return now, late

    def _claims_anew(self, found: list[Entry], due: int, actor: str) -> None:
        last = found[-1]
        body = {"claim": {"kind": "deadline", "due": self._due(due)}}
        found.append(Entry("claim", last.day, last.minute, body, actor))

    # --- how it reaches us ------------------------------------------------------------------------

    def _write(self, story: Story, system: System, entries: list[Entry]) -> None:
        evening = self._evening(system, entries)
        seen = 0
        for nth, one in enumerate(entries):
            at = times.micro(self.days[one.day], one.minute)
            recorded = at + round(20 * times.MINUTE * self._draw())
            if evening is not None:
                recorded = evening + nth * 5_000_000 + story.n % 97 * 1_000_000
            elif one.late:
                recorded = times.micro(self.days[one.day + one.late], one.minute)
            seen = max(seen, self._brought(system, recorded))
            name = NAMES.get(one.kind, str(one.body.get("step", "")))
            if one.kind == "claim":
                foreign: dict[str, Any] = {"name": "deadline"}
            else:
                foreign = {"actor": one.actor, "id": f"{story.n}-{nth + 1}", "name": name}
            body = {"foreign": foreign, **one.body}
            if one.kind not in ("received", "claim"):
                body.setdefault("step", name)
            story.moves.append(
                Move(one.kind, at, recorded, seen + nth, body, agency=story.agency,
                     source=story.source)
            )  # fmt: skip

    def _evening(self, system: System, entries: list[Entry]) -> int | None:
        """When a batch is entered: one evening for a dozen cases of a source."""
        if not (entries and all(one.late for one in entries)):
            return None
        last = max(one.day for one in entries)
        day, left = self.batches.get(system.source, (0, 0))
        if not left or day < last + 2:
            day, left = last + 6, BATCH
        self.batches[system.source] = (day, left - 1)
        return times.micro(self.days[day], 19 * 60)

    def _brought(self, system: System, recorded: int) -> int:
        """The exchange after it was entered; after the gap where there was none."""
        turn = HOURS * 60 * times.MINUTE
        at = (recorded // turn + 1) * turn + 3 * times.MINUTE
        day = times.day_of(at)
        for first, last in system.gaps:
            if first <= day <= last:
                return times.micro(last + 1, 8 * 60)
        return at

    def _due(self, day: int) -> str:
        return times.text(times.micro(self.days[day], times.EVENING))

    def _is(self, share: float) -> bool:
        return self.chance.random() < share

    def _up_to(self, most: int) -> int:
        return int(self.chance.random() * (most + 1)) if most > 0 else 0


def possible(offer: Offer) -> frozenset[str]:
    """The faults that a case of an item can bear in another system."""
    found = {"double_entry", "double_case", "foreign_unreasoned", "foreign_entered_late",
             "batch_entered", "outside_hall", "foreign_asked_outside", "step_skipped",
             "out_of_order"}  # fmt: skip
    if offer.kind != "immediate":
        found |= {"foreign_late", "suspension_untold", "suspension_unlisted", "extended_late",
                  "extended_twice", "lone_inspection", "same_person"}  # fmt: skip
    return frozenset(found)


def gaps(system: System) -> list[dict[str, Any]]:
    """The truth about what a source did not send in time."""
    return [
        {
            "case": None, "source": system.source, "foreign": None, "kind": GAP.code,
            "zh": GAP.zh, "rule": GAP.rule, "also": [], "versions": [],
            "day": date.fromordinal(first).isoformat(),
            "until": date.fromordinal(last).isoformat(), "agency": system.office.agency,
            "person": None,
        }
        for first, last in system.gaps
    ]  # fmt: skip


def _operator(nth: int) -> str:
    return f"op-{nth:02d}"
