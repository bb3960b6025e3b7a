"""Stories of the city's own cases (本平台办件): honest, or with one fault planted.

An honest case is decided within its promise, every step within its limit, answered within five
working days, handed over within ten; special procedures end on the day told at the latest. A fault
bends one of these and nothing else where that can be helped.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from typing import Any

from zhengwu.cases import heads
from zhengwu.cases.simulation import times
from zhengwu.cases.simulation.desks import Diary
from zhengwu.cases.simulation.faults import FAULTS
from zhengwu.cases.simulation.scene import Offer, Scene, Worker
from zhengwu.cases.simulation.telling import CLOCK, Move, Paper, Planted, Story
from zhengwu.documents.kinds import LICENCE, Kind

FIRST_NUMBER = 5_000_000  # running numbers far beyond those of the sequence
ARCHIVED_AFTER = 30  # days, as the worker does by default
# Shares of the ways a case may go, of the promised and forwarded ones.
SHORT, NOT_OURS, NOT_NEEDED, WITHDRAWN = 0.10, 0.01, 0.01, 0.02
REFUSED, SUSPENDED, EXTENDED, INSPECTED, OPINION = 0.04, 0.06, 0.01, 0.15, 0.02
AT_ONCE = 0.75  # accepted in the sitting in which it was received
PACE = ((0.45, 0.05, 0.5), (0.35, 0.5, 0.9), (0.20, 0.9, 1.0))  # likely, of the promise from, to
MEANS = (("signature", 0.62), ("post", 0.23), ("electronic", 0.15))
PROCEDURES = (("expert_review", 0.4), ("testing", 0.2), ("inspection", 0.15), ("appraisal", 0.15),
              ("hearing", 0.1))  # fmt: skip
OPINIONS = ("材料齐全，符合法定条件，建议准予。", "经审查，申请材料真实有效，建议准予。",
            "现场情况与申请一致，建议准予。")  # fmt: skip
AGAINST = ("申请事项不符合规定的条件。", "提交的材料不能证明符合法定条件。")
HELD_ONE, HELD = 0.05, "本市政务数据共享平台已有"  # the first material is free
HIGHER = "省级主管部门"


@dataclass(slots=True)
class Now:
    """Where a story is: working day by number, minute of that day."""

    day: int
    minute: float

    def go(self, day: int, draw: float) -> None:
        """On to a day; the same day goes on a little later."""
        if day <= self.day:
            self.minute = times.afterwards(self.minute, 3 + draw * 25)
        else:
            self.day, self.minute = day, times.in_office(draw)


class Teller:
    """Tells stories with the desks of one scene; what one case takes, another waits for."""

    def __init__(
        self, scene: Scene, diaries: dict[tuple[str, str], Diary], chance: random.Random
    ) -> None:
        self.scene, self.diaries, self.chance = scene, diaries, chance
        self._draw = chance.random
        self.days = scene.workdays.days
        self.others = [one for one in scene.offices if one.municipal] or list(scene.offices)

    # --- the beginning ----------------------------------------------------------------------------

    def tell(self, story: Story, fault: str | None = None) -> Story:
        """All moves of a case of ours from its receipt on. story: without any."""
        offer = story.offer
        assert offer is not None
        now = self._begin(story)
        if fault is not None and fault not in self.possible(offer):
            fault = None
        if offer.kind == "immediate":
            self._at_once(story, offer, now, fault)
        else:
            self._promised(story, offer, now, fault)
        return story

    def possible(self, offer: Offer) -> frozenset[str]:
        """The faults that a case of an item can bear."""
        if offer.kind == "immediate":
            return frozenset({"refusal_unreasoned", "asked_outside"})
        found = {
            "delivery_late", "special_overrun", "refusal_unreasoned",
            "entered_late", "asked_outside",
        }  # fmt: skip
        promised, statutory = offer.promised, offer.statutory
        if statutory is None or statutory >= promised + 2:
            found.add("late_promised")
        if statutory is not None:
            found.add("late_statutory")
        first = offer.steps[0].limit
        if len(offer.steps) > 1 and first is not None and first.value + 2 <= promised:
            found.add("step_late")
        if len(offer.steps) > 1 and promised >= 5 and (first is None or first.value >= 3):
            found.add("opinion_late")
        if offer.row.type == LICENCE and promised >= 8:
            found.add("silence")
        if offer.row.type != LICENCE:
            found.add("acceptance_late")
        if offer.kind == "forwarded" and "lower_review" in offer.office.rules:
            found.add("lower_review_late")
        if len(offer.materials) >= 3:
            found.add("second_notice")
        if offer.hearing:
            found.add("hearing_missing")
        if not offer.office.rules.get("delivery"):
            found.discard("delivery_late")
        return frozenset(found)

    def _begin(self, story: Story) -> Now:
        """Where the window first has it: at the receipt, or when it opens next."""
        day = times.day_of(story.opened)
        minute = (story.opened - times.micro(day, 0)) / times.MINUTE
        at = self.scene.workdays.at(day)
        if story.channel == "window":
            return Now(at, minute)
        if not self.scene.workdays.works(day) or minute < times.MORNING:
            return Now(at, times.MORNING)
        if minute < times.LAST - 30:
            return Now(at, minute if not times.NOON <= minute < times.BACK else times.BACK)
        return Now(at + 1, times.MORNING)

    def _receive(self, story: Story, offer: Offer, now: Now, missing: frozenset[str]) -> Worker:
        clerk = self._clerk(offer, now.day)
        held = [code for code in offer.materials[:1] if code not in missing and self._is(HELD_ONE)]
        ticks = [
            {"code": code, "state": "missing" if code in missing else
             "held" if code in held else "received"}
            for code in offer.materials
        ]  # fmt: skip
        assert story.applicant is not None
        body: dict[str, Any] = {
            "item": f"{offer.item}@{offer.row.version}", "number": number(story),
            "kind": offer.kind, "type": offer.row.type, "channel": story.channel, "at": "window",
            "party": story.applicant.party, "materials": ticks,
        }  # fmt: skip
        contents: tuple[tuple[str, Any], ...] = (("applicant", None),)  # rows knows the applicant
        if held:
            story.held = tuple(held)
            contents += (("why", dict.fromkeys(held, HELD)),)
        answer = self.days[self._counted(story) + offer.office.rules.get("acceptance", 5)]
        variant = (story.applicant.kind, *(one["state"] for one in ticks))
        story.by(
            clerk if story.channel == "window" else None, "received", story.opened, body,
            post=offer.office.receives.post, contents=contents,
            paper=Paper(Kind.RECEIPT, variant, answer),
        )  # fmt: skip
        return clerk

    def _accept(self, story: Story, offer: Offer, now: Now, clerk: Worker) -> int:
        body: dict[str, Any] = {"limits": list(offer.limits)}
        if offer.kind != "immediate":
            body["to"] = {"kind": "department", "agency": story.agency}
        due = self.days[now.day + offer.promised]
        return story.by(
            clerk, "accepted", self._at(now), body, post=offer.office.receives.post,
            paper=Paper(Kind.ACCEPTANCE_NOTICE, (self._who(story), "", *story.held), due),
        )  # fmt: skip

    # --- immediate items --------------------------------------------------------------------------

    def _at_once(self, story: Story, offer: Offer, now: Now, fault: str | None) -> None:
        """Received, accepted, decided and handed over in one sitting (即办件)."""
        if fault == "refusal_unreasoned":
            return self._turned_away(story, offer, now, fault)
        clerk = self._receive(story, offer, now, frozenset())
        if story.channel != "window":
            now.go(now.day, self._draw())
        if fault == "asked_outside":
            self._asks_outside(story, offer, now, clerk, "supplement_requested")
        now.minute = times.afterwards(now.minute, 2 + 6 * self._draw())
        self._accept(story, offer, now, clerk)
        now.minute = times.afterwards(now.minute, 2 + 8 * self._draw())
        granted = not self._is(REFUSED / 2)
        self._decide(story, offer, now, clerk, offer.office.receives.post, granted=granted)
        if granted and offer.row.pay_first:
            self._pay(story, offer, now)
        now.minute = times.afterwards(now.minute, 1 + 4 * self._draw())
        self._hand_over(story, offer, now, clerk)
        return None

    # --- promised and forwarded items -------------------------------------------------------------

    def _promised(self, story: Story, offer: Offer, now: Now, fault: str | None) -> None:
        turn = self._draw()
        if fault == "refusal_unreasoned" or (fault is None and turn < NOT_OURS + NOT_NEEDED):
            return self._turned_away(story, offer, now, fault, needed=turn < NOT_OURS)
        received = self._counted(story)
        short = fault == "second_notice" or (
            fault not in ("silence", "acceptance_late") and self._is(SHORT)
        )
        many = min(len(offer.materials), 2 if fault == "second_notice" else 1 + self._is(0.3))
        missing = frozenset(self.chance.sample(offer.materials, many) if short else ())
        later: frozenset[str] = frozenset()
        if fault == "second_notice":  # there all the time, and not said the first time
            whole = sorted(set(offer.materials) - missing)
            later = frozenset(self.chance.sample(whole, 1))
        clerk = self._receive(story, offer, now, missing)
        if fault == "silence":
            self._silence(story, offer, now)
            start = received
        else:
            if missing:
                self._supplement(story, offer, now, missing)
            if fault == "asked_outside":
                clerk = self._clerk(offer, now.day)
                self._asks_outside(story, offer, now, clerk, "supplement_requested")
            if later:
                self._second_notice(story, offer, now, later)
            before = now.day
            if fault == "acceptance_late":
                now.go(
                    received + offer.office.rules["acceptance"] + 1 + self._up_to(3), self._draw()
                )
            elif story.channel == "window" and not missing and self._is(AT_ONCE):
                now.go(before, 0.2 * self._draw())
            else:
                now.go(before + self._up_to(3), self._draw())
            clerk = self._clerk(offer, now.day)
            version = self._accept(story, offer, now, clerk)
            if fault == "acceptance_late":
                shown = self._closing(offer, received + offer.office.rules["acceptance"])
                self._plant(story, fault, (version,), shown, clerk)
            start = now.day
        self._handled(story, offer, now, start, fault)
        return None

    def _handled(self, story: Story, offer: Offer, now: Now, start: int, fault: str | None) -> None:
        """From the acceptance to the hand-over; start: the day from which the limits run."""
        office, steps = offer.office, offer.steps
        due = start + offer.promised
        goal = start + round(offer.promised * self._pace())
        withdrawn = fault is None and self._is(WITHDRAWN)
        for nth, step in enumerate(steps[:-1]):
            diary = self._diary(office.agency, step.role)
            desk = office.reviews if step.role == "review" else office.decides
            taken = min(now.day + (nth > 0 or now.minute > times.BACK), due)
            now.go(taken, self._draw())
            worker = diary.who(now.day, self._draw())
            limit = step.limit.value if step.limit is not None else offer.promised
            self._take(story, offer, now, worker, desk.post, nth)
            latest = min(now.day + limit, due)
            if withdrawn:
                now.go(now.day + self._up_to(1), self._draw())
                return self._withdrawn(story, offer, now)
            if nth == 0:
                moved = self._special(story, offer, now, worker, desk.post, fault)
                due, goal, latest = due + moved, goal + moved, latest + moved
                moved = self._extended(story, offer, now, due, fault)
                due, goal = due + moved, goal + moved
                self._look(story, offer, now, worker, desk.post)
                asked = self._opinion(story, offer, now, worker, desk.post, fault)
                wished = start + (goal - start) * (nth + 1) * 4 // (5 * len(steps))
                wished = max(wished, asked, now.day)
            else:
                wished = max(now.day, start + (goal - start) * (nth + 1) * 4 // (5 * len(steps)))
            if fault == "step_late" and nth == 0:
                done = latest + 1 + self._up_to(max(0, due - latest - 2))
                shown = self._closing(offer, latest)
            else:
                done = diary.book(min(wished, latest), max(now.day, latest))
            now.go(done, self._draw())
            body: dict[str, Any] = {
                "step": step.code, "to": {"kind": "department", "agency": story.agency},
            }  # fmt: skip
            version = story.by(
                diary.who(now.day, 0.0) if worker is None else worker, "step_done",
                self._at(now), body, post=desk.post,
                contents=(("opinion", {"text": self.chance.choice(OPINIONS)}),),
            )  # fmt: skip
            if fault == "step_late" and nth == 0:
                self._plant(story, fault, (version,), shown, worker)
        self._decided(story, offer, now, start, due, goal, fault)
        return None

    def _decided(
        self, story: Story, offer: Offer, now: Now, start: int, due: int, goal: int,
        fault: str | None,
    ) -> None:  # fmt: skip
        """The last step: taken, sent up where the item is, decided; then out at the window."""
        office, last = offer.office, offer.steps[-1]
        diary, post = self._diary(office.agency, "decide"), office.decides.post
        limit = last.limit.value if last.limit is not None else offer.promised
        forwarded = offer.kind == "forwarded"
        away = 3 + self._up_to(18) if forwarded else 0
        late = fault in ("late_promised", "late_statutory", "lower_review_late")
        moved = due - start - offer.promised  # by what does not count
        latest = max(now.day, due)
        if not late:
            day = diary.book(min(max(goal, now.day), latest), latest)
        elif fault == "late_promised":
            room = (offer.statutory or offer.promised + 10) - offer.promised - 1
            day = due + 1 + self._up_to(min(room - 1, 7))
        elif fault == "late_statutory":
            assert offer.statutory is not None
            day = start + moved + offer.statutory + 1 + self._up_to(9)
        else:
            day = start + moved + office.rules["lower_review"] + 1 + self._up_to(5)
        day = max(day, now.day)
        taken = max(now.day, day - self._up_to(min(limit, day - now.day)))
        now.go(taken, self._draw())
        worker = diary.who(now.day, self._draw())
        if worker.code == self._accepter(story) and len(office.decides.people) > 1:
            worker = next(one for one in office.decides.people if one.code != worker.code)
        self._take(story, offer, now, worker, post, len(offer.steps) - 1)
        now.go(day, self._draw())
        granted = not self._is(REFUSED)
        if forwarded:
            version = story.by(
                worker, "forwarded", self._at(now), {}, post=post,
                contents=(("organ", {"text": HIGHER}), ("opinion", {"text": "初审合格，建议准予。"})),
                paper=Paper(Kind.FORWARDING_LETTER, (self._who(story), *story.held)),
            )  # fmt: skip
            if fault == "lower_review_late":
                shown = self._closing(offer, start + moved + office.rules["lower_review"])
                self._plant(story, fault, (version,), shown, worker, also=("T03",))
            now.go(day + away, self._draw())
            story.by(
                worker, "came_back", self._at(now),
                {"view": "approved" if granted else "rejected"}, post=post,
                contents=(("number", {"text": f"批复第 {story.n % 9000 + 1} 号"}),),
            )  # fmt: skip
            now.go(now.day, self._draw())
        version = self._decide(story, offer, now, worker, post, granted=granted)
        # What was sent up that late went past the days of the review here, too.
        review = office.rules.get("lower_review")
        sent = ("T09",) if forwarded and review and day > start + moved + review else ()
        if fault == "late_promised":
            also = ("T05", *sent) if day > due + 3 else sent
            self._plant(story, fault, (version,), self._closing(offer, due), worker, also)
        elif fault == "late_statutory":
            shown = self._closing(offer, start + moved + (offer.statutory or 0))
            self._plant(story, fault, (version,), shown, worker, sent)
        elif fault == "hearing_missing":
            self._plant(story, fault, (version,), self._at(now), worker)
        self._out(story, offer, now, granted, fault)

    def _out(self, story: Story, offer: Offer, now: Now, granted: bool, fault: str | None) -> None:
        """From the decision to the applicant's hands."""
        office, decided = offer.office, now.day
        within = office.rules.get("delivery", 10)
        if granted:
            now.go(decided + self._up_to(2), self._draw())
            reviewer = self._diary(office.agency, "review").who(now.day, self._draw())
            story.by(
                reviewer, "licence_made", self._at(now), {"to": self._window(story)},
                post=office.reviews.post,
            )  # fmt: skip
        now.go(now.day + self._is(0.4), self._draw())
        clerk = self._clerk(offer, now.day)
        desk = office.receives.post
        story.by(
            clerk, "step_taken", self._at(now),
            {"step": "deliver", "at": "window", "holder": clerk.code}, post=desk,
        )  # fmt: skip
        means = self._one(MEANS)
        if means == "signature":
            now.minute = times.afterwards(now.minute, 1 + 3 * self._draw())
            story.by(clerk, "ready", self._at(now), {"at": "window"}, post=desk)
        ready = now.day
        if granted and office.rules.get("delivery") and fault == "delivery_late":
            day = decided + within + 1 + self._up_to(6)
        else:
            most = max(ready, decided + within - (4 if fault == "entered_late" else 1))
            day = ready + self._up_to(min(most - ready, 5 if means == "signature" else 1))
        now.go(day, self._draw())
        if granted and offer.row.pay_first:
            self._pay(story, offer, now)
        clerk = self._clerk(offer, now.day)
        if fault == "entered_late":
            happened = self._at(now)
            now.go(now.day + 2 + self._up_to(1), self._draw())
            version = self._hand_over(story, offer, now, clerk, happened=happened, means=means)
            self._plant(story, fault, (version,), self._at(now), clerk)
            return
        now.minute = times.afterwards(now.minute, 1 + 3 * self._draw())
        version = self._hand_over(story, offer, now, clerk, means=means)
        if fault == "delivery_late" and granted:
            shown = self._closing(offer, decided + within)
            self._plant(story, fault, (version,), shown, clerk)

    # --- single acts ------------------------------------------------------------------------------

    def _take(
        self, story: Story, offer: Offer, now: Now, worker: Worker, post: str, nth: int
    ) -> None:
        step = offer.steps[nth]
        body: dict[str, Any] = {"step": step.code, "at": "department", "holder": worker.code}
        if step.limit is not None:
            body["limit"] = {
                "value": step.limit.value, "unit": str(step.limit.unit), "basis": "本事项办理流程",
            }  # fmt: skip
        story.by(worker, "step_taken", self._at(now), body, post=post)

    def _decide(
        self, story: Story, offer: Offer, now: Now, worker: Worker, post: str, *, granted: bool
    ) -> int:
        if granted:
            return story.by(
                worker, "granted", self._at(now), {}, post=post,
                paper=Paper(Kind.DECISION, (self._who(story), "granted")),
            )  # fmt: skip
        ground, said = self.chance.choice(offer.grounds), self.chance.choice(AGAINST)
        body: dict[str, Any] = {"grounds": [ground]}
        if offer.kind != "immediate":
            body["to"] = self._window(story)
        return story.by(
            worker, "refused", self._at(now), body, post=post,
            contents=(("reasons", {"text": said}),),
            paper=Paper(Kind.DECISION, (self._who(story), "refused", ground, said)),
        )  # fmt: skip

    def _pay(self, story: Story, offer: Offer, now: Now) -> None:
        cashier = offer.office.cashier
        if cashier is None:
            return
        now.minute = times.afterwards(now.minute, 1 + 3 * self._draw())
        ticket = f"T{story.n + 5_000_000_000:010d}"
        story.by(cashier, "fee_paid", self._at(now), {"how": "paid", "ticket": ticket})

    def _hand_over(
        self, story: Story, offer: Offer, now: Now, clerk: Worker, *,
        happened: int | None = None, means: str = "signature",
    ) -> int:  # fmt: skip
        at = self._at(now)
        proof = {
            "signature": "申请人签收", "post": f"EMS{story.n:010d}", "electronic": "电子送达回执",
        }[means]  # fmt: skip
        version = story.by(
            clerk, "delivered", at, {"means": means}, post=offer.office.receives.post,
            contents=(("proof", {"text": proof}),), occurred=happened,
            paper=Paper(Kind.DELIVERY_RECORD, (self._who(story), means, self._outcome(story)),
                        extra=proof),
        )  # fmt: skip
        self._close(story, at, happened)
        return version

    def _close(self, story: Story, at: int, happened: int | None = None) -> None:
        """Closed in the same moment; filed away by the house when its days are over."""
        when = at if happened is None else happened
        story.moves.append(Move("closed", when, at, at, {}, agency=story.agency))
        day = times.day_of(at) + ARCHIVED_AFTER + 1
        night = times.micro(day, 60 + story.n % 120)
        story.follows("archived", night, {"entries": len(story.moves)}, source=CLOCK)

    def _turned_away(
        self, story: Story, offer: Offer, now: Now, fault: str | None, *, needed: bool = True
    ) -> None:
        """不属职权 (needed), or 不需许可: told at once."""
        clerk = self._receive(story, offer, now, frozenset())
        now.go(now.day, 0.3 * self._draw())
        post, who = offer.office.receives.post, self._who(story)
        if needed or fault:
            said = "" if fault else f"这个事项由{HIGHER}办理。"
            version = story.by(
                clerk, "not_ours", self._at(now), {}, post=post,
                contents=(("organ", {"text": HIGHER}),
                          *((("reasons", {"text": said}),) if said else ())),
                paper=Paper(Kind.NOT_OURS_DECISION, (who, said)),
            )  # fmt: skip
            if fault:
                self._plant(story, fault, (version,), self._at(now), clerk)
        else:
            ground, said = offer.grounds[0], "所申请的活动不需要取得行政许可。"
            story.by(
                clerk, "not_needed", self._at(now), {"grounds": [ground]}, post=post,
                contents=(("reasons", {"text": said}),),
                paper=Paper(Kind.NOT_NEEDED_NOTICE, (who, ground, said)),
            )  # fmt: skip
        self._close(story, self._at(now))

    def _withdrawn(self, story: Story, offer: Offer, now: Now) -> None:
        said = "申请人调整了计划。"
        story.by(
            self._clerk(offer, now.day), "withdrawn", self._at(now), {},
            post=offer.office.receives.post, contents=(("reasons", {"text": said}),),
            paper=Paper(Kind.WITHDRAWAL, (self._who(story), said)),
        )  # fmt: skip
        self._close(story, self._at(now))

    def _notice(
        self, story: Story, offer: Offer, now: Now, missing: frozenset[str], *, again: str = "",
        more: tuple[str, ...] = (),
    ) -> int:  # fmt: skip
        clerk = self._clerk(offer, now.day)
        ticks = [
            {"code": code, "state": "missing" if code in missing else "received"}
            for code in offer.materials
        ]
        body: dict[str, Any] = {"materials": ticks}
        if again:
            body["more"] = list(more)
        return story.by(
            clerk, "supplement_requested", self._at(now), body,
            post=offer.office.receives.post,
            contents=(("again", {"text": again}),) if again else (),
            paper=Paper(Kind.SUPPLEMENT_NOTICE, (self._who(story), again, *sorted(missing))),
        )  # fmt: skip

    def _brought(self, story: Story, offer: Offer, now: Now, missing: frozenset[str]) -> None:
        ticks = [{"code": code, "state": "received"} for code in offer.materials if code in missing]
        answer = self.days[now.day + offer.office.rules.get("acceptance", 5)]
        states = ("received",) * len(offer.materials)
        story.by(
            self._clerk(offer, now.day), "supplemented", self._at(now),
            {"materials": ticks, "at": "window"}, post=offer.office.receives.post,
            paper=Paper(Kind.RECEIPT, (self._who(story), *states), answer),
        )  # fmt: skip

    def _supplement(self, story: Story, offer: Offer, now: Now, missing: frozenset[str]) -> None:
        now.go(now.day + (0 if self._is(0.6) else self._up_to(4)), 0.3 * self._draw())
        self._notice(story, offer, now, missing)
        now.go(now.day + 1 + self._up_to(11), self._draw())
        self._brought(story, offer, now, missing)

    def _second_notice(self, story: Story, offer: Offer, now: Now, later: frozenset[str]) -> None:
        now.go(now.day + 1, self._draw())
        version = self._notice(
            story, offer, now, later, again="上次遗漏，请一并补齐。", more=tuple(sorted(later))
        )
        self._plant(story, "second_notice", (version,), self._at(now), self._clerk(offer, now.day))
        now.go(now.day + 1 + self._up_to(6), self._draw())
        self._brought(story, offer, now, later)

    def _silence(self, story: Story, offer: Offer, now: Now) -> None:
        """行政许可法 32(4): nobody answers; accepted since the receipt, by the clock."""
        counted = self._counted(story)
        last = counted + offer.office.rules["acceptance"]
        due = self._closing(offer, last)
        since = story.opened
        if self.days[counted] != times.day_of(since):
            since = times.micro(self.days[counted], times.MORNING)
        body = {
            "limits": list(offer.limits),
            "effective": times.moment(since).isoformat(),
            "to": {"kind": "department", "agency": story.agency},
        }
        story.moves.append(
            Move(
                "deemed_accepted", due, due + times.MINUTE, due + times.MINUTE, body,
                agency=story.agency, source=CLOCK,
                paper=Paper(Kind.ACCEPTANCE_NOTICE, (self._who(story), "deemed", *story.held),
                            self.days[counted + offer.promised]),
            )
        )  # fmt: skip
        self._plant(story, "silence", (len(story.moves),), due, self._clerk(offer, last))
        now.day, now.minute = last + 1, times.MORNING

    def _counted(self, story: Story) -> int:
        """The working day on which papers count as received: what comes after the close of business
        is the next one's."""
        day = times.day_of(story.opened)
        late = story.opened > times.micro(day, times.EVENING)
        return self.scene.workdays.at(day + late)

    def _special(
        self, story: Story, offer: Offer, now: Now, worker: Worker, post: str, fault: str | None
    ) -> int:
        """特别程序; the working days that do not count."""
        heard = offer.hearing and fault != "hearing_missing"
        if not heard and fault != "special_overrun" and not (fault is None and self._is(SUSPENDED)):
            return 0
        procedure = "hearing" if heard else self._one(PROCEDURES)
        told = 15 if procedure == "hearing" else self.chance.choice((5, 10, 15))
        until = self.days[now.day + told]
        begun = now.day
        now.minute = times.afterwards(now.minute, 5 + 20 * self._draw())
        story.by(
            worker, "suspended", self._at(now),
            {"procedure": procedure, "days": told, "until": date.fromordinal(until).isoformat()},
            post=post, paper=Paper(Kind.SPECIAL_NOTICE, (self._who(story), procedure, str(told)), until),
        )  # fmt: skip
        over = 1 + self._up_to(told) if fault == "special_overrun" else 0
        taken = told + over if over else max(1, round(told * (0.4 + 0.6 * self._draw())))
        now.go(begun + taken, self._draw())
        version = story.by(
            worker, "resumed", self._at(now), {}, post=post,
            contents=(("result", {"text": "已经完成，结论为符合。"}),),
        )  # fmt: skip
        if over:
            self._plant(
                story, "special_overrun", (version,), self._closing(offer, begun + told), worker
            )
        return taken

    def _extended(self, story: Story, offer: Offer, now: Now, due: int, fault: str | None) -> int:
        """延期 by the head; how many working days more."""
        head = offer.office.head
        if head is None or fault is not None or offer.promised < 5 or not self._is(EXTENDED):
            return 0
        days, said = self.chance.choice((3, 5, 10)), "需要进一步核实有关数据。"
        review = offer.office.rules.get("lower_review")
        if offer.kind == "forwarded" and review and offer.promised + days > review:
            return 0  # 行政许可法 第四十三条: what is reviewed here first has its own days
        now.minute = times.afterwards(now.minute, 5 + 20 * self._draw())
        story.by(
            head, "extended", self._at(now), {"days": days}, post=f"{story.agency}-head",
            contents=(("reasons", {"text": said}),),
            paper=Paper(Kind.EXTENSION_NOTICE, (self._who(story), str(days), said, head.name),
                        self.days[due + days]),
        )  # fmt: skip
        return days

    def _look(self, story: Story, offer: Offer, now: Now, worker: Worker, post: str) -> None:
        """现场核查 by two, at no cost of time."""
        staff = {one.code for desk in (offer.office.reviews, offer.office.decides)
                 for one in desk.people}  # fmt: skip
        people = [*sorted(staff - {worker.code})[:1], worker.code]
        if len(people) < 2 or not self._is(INSPECTED):
            return
        now.minute = times.afterwards(now.minute, 10 + 30 * self._draw())
        story.by(
            worker, "inspected", self._at(now), {"people": sorted(people)}, post=post,
            contents=(("found", {"text": "现场与申请一致。"}),),
        )  # fmt: skip

    def _opinion(
        self, story: Story, offer: Offer, now: Now, worker: Worker, post: str, fault: str | None
    ) -> int:
        """征求意见; the day of the answer."""
        other = self.chance.choice(self.others)
        late = fault == "opinion_late"
        if other.agency == story.agency or not (late or (fault is None and self._is(OPINION))):
            return now.day
        room = offer.promised // 3
        if not late and room < 1:
            return now.day
        days = 1 if late else min(5, room)
        until = self.days[now.day + days]
        now.minute = times.afterwards(now.minute, 5 + 20 * self._draw())
        asked = story.by(
            worker, "opinion_requested", self._at(now),
            {"agency": other.agency, "days": days, "until": date.fromordinal(until).isoformat()},
            post=post, contents=(("question", {"text": "请就本申请提出意见。"}),),
        )  # fmt: skip
        begun = now.day
        # What the organ's own step allows is not overrun for it.
        step = offer.steps[0].limit
        most = max(2, min(step.value if step else offer.promised, offer.promised))
        day = begun + (min(most, 2 + self._up_to(3)) if late else self._up_to(days))
        now.go(day, self._draw())
        answerer = self._diary(other.agency, "review").who(now.day, self._draw())
        version = story.by(
            answerer, "opinion_given", self._at(now), {"request": asked, "view": "agree"},
            post=other.reviews.post, contents=(("opinion", {"text": "无不同意见。"}),),
        )  # fmt: skip
        story.moves[-1].agency = other.agency
        if late and day > begun + days:
            self._plant(story, "opinion_late", (asked, version),
                        self._closing(offer, begun + days), answerer)  # fmt: skip
        return now.day

    def _asks_outside(self, story: Story, offer: Offer, now: Now, clerk: Worker, act: str) -> None:
        """What the guide does not list was asked for, refused, and kept (列表外索要)."""
        now.minute = times.afterwards(now.minute, 1 + 2 * self._draw())
        codes = [f"X{90 + self._up_to(8)}"]
        body = {"version": offer.row.version, "act": act, "codes": codes}
        at = self._at(now)
        story.attempts.append(
            Move("asked_outside", at, at, at, body, clerk.code, offer.office.receives.post,
                 story.agency)
        )  # fmt: skip
        self._plant(story, "asked_outside", (), at, clerk)

    # --- small things -----------------------------------------------------------------------------

    def _plant(
        self, story: Story, fault: str, versions: tuple[int, ...], at: int, worker: Worker | None,
        also: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        known = FAULTS[fault]
        story.planted.append(
            Planted(fault, known.rule, versions, at, worker.code if worker else "",
                    (*known.also, *also))
        )  # fmt: skip

    def _closing(self, offer: Offer, day: int) -> int:
        """The close of business of a working day."""
        return times.since_epoch(offer.office.edition.close(self.days[day]))

    def _at(self, now: Now) -> int:
        return times.micro(self.days[now.day], now.minute)

    def _diary(self, agency: str, role: str) -> Diary:
        return self.diaries[agency, role]

    def _clerk(self, offer: Offer, day: int) -> Worker:
        return self._diary(offer.office.agency, "window").who(day, self._draw())

    def _accepter(self, story: Story) -> str | None:
        return next((one.actor for one in story.moves if one.kind == "accepted"), None)

    def _window(self, story: Story) -> dict[str, str]:
        """Where papers are handed out: the window that received the case."""
        target = {"kind": "window", "agency": story.agency}
        return {**target, "post": post} if (post := story.moves[0].post) else target

    def _who(self, story: Story) -> str:
        assert story.applicant is not None
        return story.applicant.kind

    def _outcome(self, story: Story) -> str:
        return next(one.kind for one in reversed(story.moves) if one.kind in ("granted", "refused"))

    def _pace(self) -> float:
        likely = self._draw()
        for share, low, high in PACE:
            if likely < share:
                return low + (high - low) * self._draw()
            likely -= share
        return 1.0

    def _one(self, among: tuple[tuple[str, float], ...]) -> str:
        likely = self._draw()
        for name, share in among:
            if likely < share:
                return name
            likely -= share
        return among[-1][0]

    def _up_to(self, most: int) -> int:
        return int(self._draw() * (most + 1)) if most > 0 else 0

    def _is(self, share: float) -> bool:
        return self._draw() < share


def number(story: Story) -> str:
    """办件编号 of a simulated case."""
    if not story.number:
        day, running = times.day_of(story.opened), FIRST_NUMBER + story.n
        month = _months.get(day)
        if month is None:
            opened = times.moment(story.opened)
            month = _months[day] = heads.case_number(opened, running)[: -len(str(running))]
        story.number = f"{month}{running}"
    return story.number


_months: dict[int, str] = {}  # what a number begins with on a day
