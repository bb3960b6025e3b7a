"""A simulated year as it is planned: the same again from its seed, honest where it says so, and
wrong just where something was planted. docs/algorithms/simulation.md."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from zhengwu.cases import writing
from zhengwu.cases.simulation import foreign, lives, planning, scene, times
from zhengwu.cases.simulation.faults import FAULTS
from zhengwu.cases.simulation.planning import Order, Plan
from zhengwu.cases.simulation.scene import Scene
from zhengwu.cases.simulation.telling import SOURCE, Story
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.edition import Edition
from zhengwu.domain.procedure import Limit

SHANGHAI = ZoneInfo("Asia/Shanghai")
YEAR = 2025
AT = datetime(2026, 6, 30, 12, tzinfo=SHANGHAI)
MIDDLE = datetime(2025, 9, 3, 12, tzinfo=SHANGHAI)


class Watched(Plan):
    """A plan that keeps its stories, as they were entered."""

    def __init__(self, stage: Scene, order: Order) -> None:
        super().__init__(stage, order)
        self.stories: list[Story] = []

    def _enter(self, story: Story) -> None:
        super()._enter(story)
        if story.moves[0].seen <= self.until:  # else it has not reached us yet
            self.stories.append(replace(story, moves=list(story.moves)))

    def play(self) -> Watched:
        for _ in self.batches():
            pass
        return self


@pytest.fixture
def stage(town: None) -> Scene:
    return scene.read(YEAR, on=date(2026, 6, 30))


def edition(stage: Scene, story: Story) -> Edition:
    return next(one.edition for one in stage.offices if one.agency == story.agency)


def over(stage: Scene, story: Story, at: datetime = AT) -> set[str]:
    """The limits that the clock calls over, of what was entered until a moment."""
    found = clock.alarms(lives.events_of(story), at=at, edition=edition(stage, story))
    return {one.limit for one in found if one.level == "over"}


def test_the_same_seed_tells_the_same_year_to_the_last_byte(stage: Scene) -> None:
    order = Order(150, 7, AT)
    first = planning.digest(Plan(stage, order))
    assert planning.digest(Plan(stage, order)) == first
    assert planning.digest(Plan(stage, replace(order, seed=8))) != first
    again = scene.read(YEAR, on=date(2026, 6, 30))
    assert planning.digest(Plan(again, order)) == first


@pytest.mark.parametrize("until", [AT, MIDDLE], ids=["the whole year", "a year under way"])
def test_honest_cases_are_admitted_and_never_late(stage: Scene, until: datetime) -> None:
    plan = Watched(stage, Order(400, 11, until, faulty=0)).play()
    assert len(plan.stories) == pytest.approx(400, abs=5)
    for story in plan.stories:
        planning.check(story)
        assert not story.planted
        assert all(one.seen <= times.since_epoch(until) for one in story.moves)
        assert [one.seen for one in story.moves] == sorted(one.seen for one in story.moves)
        if story.source == SOURCE:
            assert over(stage, story, until) == set(), story
        else:
            assert all(one.body["deviation"] is None for one in story.moves), story
            assert _promised_is_kept(story)
            assert all(one.recorded - one.at < times.DAY for one in story.moves)
    states = {str(lifecycle.Life.of(lives.events_of(one)).standing.state) for one in plan.stories}
    assert states == {"archived", "closed"} if until is AT else states > {"archived", "handling"}


def test_heads_and_alarms_are_those_of_the_domain(stage: Scene) -> None:
    for until, played in ((AT, stage), (MIDDLE, stage), (AT, _in_a_hurry(stage))):
        plan = Watched(played, Order(200, 5, until, faulty=0.6)).play()
        for story in plan.stories:
            here = edition(played, story)
            found = plan.reader.read(story, here)
            assert found == lives.asked(story, here)
            life = lifecycle.Life.of(lives.events_of(story))
            last = max(one.occurred for one in life.events)
            expected = writing.head_of(life, edition=here, at=last)
            # The sweep has been: what came true was raised, the head calls for nothing more of it.
            assert {**found.head, "next_at": None} == {**expected, "next_at": None}, story
            if story.source == SOURCE:
                assert found.alarms == clock.alarms(life.events, at=last, edition=here), story


def _in_a_hurry(stage: Scene) -> Scene:
    """Promised in two days, of the three that the law gives: the longer one calls sooner."""
    limits = tuple(
        {"kind": kind, "value": days, "unit": "working_day", "basis": "-"}
        for kind, days in (("statutory", 3), ("promised", 2))
    )
    return replace(
        stage,
        offers=tuple(
            replace(one, limits=limits, promised=2, statutory=3, steps=tuple(
                replace(step, limit=Limit(1)) for step in one.steps
            ))
            for one in stage.offers
            if one.kind == "promised"
        ),
    )  # fmt: skip


def test_the_shares_are_those_of_the_study(stage: Scene) -> None:
    told: Counter[tuple[str, str]] = Counter()
    for batch in Plan(stage, Order(1_500, 3, AT)).batches():
        told.update(batch.told)
    cases = told["cases", "all"]
    assert told["kind", "immediate"] / cases == pytest.approx(planning.IMMEDIATE, abs=0.04)
    assert told["source", "foreign"] / cases == pytest.approx(planning.FOREIGN, abs=0.04)
    assert told["channel", "online"] / cases == pytest.approx(planning.ONLINE, abs=0.05)
    planted = sum(many for (what, _), many in told.items() if what == "planted")
    assert planted / cases == pytest.approx(planning.FAULTY, abs=0.012)


def test_nobody_is_received_at_a_shut_window(stage: Scene) -> None:
    plan = Watched(stage, Order(300, 2, AT)).play()
    came: Counter[int] = Counter()
    for story in plan.stories:
        at = times.moment(story.opened).astimezone(SHANGHAI)
        if story.channel == "window":
            came[at.hour] += 1
            assert stage.workdays.works(at.date().toordinal()), at
        for one in story.moves:
            if one.actor and story.source == SOURCE:
                minute = times.moment(one.seen).astimezone(SHANGHAI)
                assert 9 <= minute.hour < 17 or minute.hour in (12, 13), (one.kind, minute)
    assert set(came) <= {9, 10, 11, 14, 15, 16}


def test_a_queue_waits_for_room_and_is_done_at_the_end_of_its_term() -> None:
    from zhengwu.cases.simulation.desks import Diary
    from zhengwu.cases.simulation.scene import Desk, Worker

    chance = random.Random(1)
    desk = Desk("post", (Worker("a", "甲"), Worker("b", "乙")))
    diary = Diary(desk, daily=2, days=60, chance=chance)
    there = next(n for n in range(40) if all(diary.room(n + more) == 3 for more in range(4)))
    assert [diary.book(there, there + 2) for _ in range(8)] == [
        *[there] * 3, *[there + 1] * 3, *[there + 2] * 2,
    ]  # fmt: skip
    assert {diary.book(there, there + 2) for _ in range(5)} == {there + 2}
    away = next(iter(diary.away[0] - diary.away[1]), None)
    assert away is None or diary.who(away, 0.0).code == "b"


# --- what is planted ------------------------------------------------------------------------------

Shown = Callable[[Scene, Story, Any], bool]


def _kind(*kinds: str) -> Shown:
    """Every version that shows it is one of these acts."""
    return lambda stage, story, planted: (
        bool(planted.versions) and all(story.moves[n - 1].kind in kinds for n in planted.versions)
    )


def _over(*limits: str) -> Shown:
    return lambda stage, story, planted: over(stage, story) >= set(limits)


def _entered_late(stage: Scene, story: Story, planted: Any) -> bool:
    moves = [story.moves[n - 1] for n in planted.versions]
    return bool(moves) and all(one.seen - one.at > times.DAY for one in moves)


def _told_days_passed(stage: Scene, story: Story, planted: Any) -> bool:
    begun = next(one for one in story.moves if one.kind == "suspended")
    ended = next(one for one in story.moves if one.kind == "resumed")
    return times.day_of(ended.at) > date.fromisoformat(begun.body["until"]).toordinal()


def _answered_late(stage: Scene, story: Story, planted: Any) -> bool:
    asked, given = (story.moves[n - 1] for n in planted.versions)
    return times.day_of(given.at) > date.fromisoformat(asked.body["until"]).toordinal()


def _foreign_late(stage: Scene, story: Story, planted: Any) -> bool:
    return not _promised_is_kept(story)


def _promised_is_kept(story: Story) -> bool:
    """Decided before the last deadline that the other system claimed."""
    due = [one.body["claim"]["due"] for one in story.moves if one.kind == "claim"]
    decided = [times.text(one.at) for one in story.moves if one.kind == "decided"]
    return not due or not decided or decided[0] <= due[-1]


def _same_person(stage: Scene, story: Story, planted: Any) -> bool:
    who = {
        one.body["foreign"]["actor"] for one in story.moves if one.kind in ("accepted", "decided")
    }
    return len(who) == 1


def _deviates(stage: Scene, story: Story, planted: Any) -> bool:
    return any(story.moves[n - 1].body["deviation"] for n in planted.versions)


SHOWN: dict[str, Shown] = {
    "late_promised": _over("promised"),
    "late_statutory": _over("promised", "statutory"),
    "step_late": _over("step"),
    "silence": _kind("deemed_accepted"),
    "acceptance_late": _over("acceptance"),
    "delivery_late": _over("delivery"),
    "lower_review_late": _over("lower_review"),
    "special_overrun": _told_days_passed,
    "opinion_late": _answered_late,
    "second_notice": lambda stage, story, planted: bool(
        story.moves[planted.versions[0] - 1].body["more"]
    ),
    "refusal_unreasoned": lambda stage, story, planted: "reasons" not in dict(
        story.moves[planted.versions[0] - 1].contents
    ),
    "hearing_missing": lambda stage, story, planted: "suspended" not in {
        one.kind for one in story.moves
    },
    "entered_late": _entered_late,
    "asked_outside": lambda stage, story, planted: len(story.attempts) == 1,
    "foreign_late": _foreign_late,
    "out_of_order": _deviates,
    "step_skipped": _deviates,
    "double_entry": _deviates,
    "double_case": lambda stage, story, planted: True,  # asked below
    "suspension_untold": lambda stage, story, planted: "days" not in story.moves[
        planted.versions[0] - 1
    ].body,
    "suspension_unlisted": lambda stage, story, planted: story.moves[
        planted.versions[0] - 1
    ].body["procedure"] not in lifecycle.PROCEDURES,
    "extended_late": _foreign_late,
    "extended_twice": lambda stage, story, planted: [one.kind for one in story.moves].count(
        "extended"
    ) == 2,
    "foreign_unreasoned": lambda stage, story, planted: "grounds" not in story.moves[
        planted.versions[0] - 1
    ].body,
    "lone_inspection": lambda stage, story, planted: story.moves[
        planted.versions[0] - 1
    ].body["people"] == 1,
    "same_person": _same_person,
    "foreign_entered_late": lambda stage, story, planted: all(
        story.moves[n - 1].recorded - story.moves[n - 1].at > times.DAY for n in planted.versions
    ),
    "batch_entered": lambda stage, story, planted: max(one.recorded for one in story.moves)
    - min(one.recorded for one in story.moves) < 10 * times.MINUTE,
    "outside_hall": lambda stage, story, planted: "hall" not in story.moves[0].body["kept"],
    "foreign_asked_outside": lambda stage, story, planted: ",X9" in story.moves[0].body["kept"][
        "materials"
    ],
}  # fmt: skip


def planted_in(stage: Scene, fault: str) -> list[Story]:
    """The stories of the first few cases in which a fault fits."""
    plan = Plan(stage, Order(100, 23, AT))
    where = FAULTS[fault].where
    told: list[Story] = []
    for offer in stage.offers:
        if where == "own" and fault not in plan.teller.possible(offer):
            continue
        if where == "foreign" and fault not in foreign.possible(offer):
            continue
        office = offer.office
        for _ in range(4):
            plan.n += 1
            opened = times.micro(date(YEAR, 3, 4).toordinal(), 10 * 60 + plan.n % 60)
            story = Story(
                n=plan.n, opened=opened, source=SOURCE, agency=office.agency,
                region=office.region, kind=offer.kind, channel="window", offer=offer,
                hall=office.hall, window=office.window, applicant=plan.crowd.comes(plan.n, opened),
            )  # fmt: skip
            if where == "own":
                told.append(plan.teller.tell(story, fault))
                continue
            story = replace(
                story, source=plan.systems[0].source, kind="foreign", applicant=None, hall=None,
                window=None, foreign=f"{plan.n}", moves=[],
            )  # fmt: skip
            made = plan.reporter.tell(story, plan.systems[0], fault)
            for one in made:
                lives.mark_deviations(one)
            told += made
    return told


def test_what_is_said_to_be_planted_is_in_the_story(stage: Scene) -> None:
    assert set(SHOWN) == set(FAULTS)
    for fault in FAULTS:
        told = planted_in(_fit_for(fault, stage), fault)
        found = [(story, one) for story in told for one in story.planted if one.kind == fault]
        assert found, fault
        for story, one in found:
            assert SHOWN[fault](stage, story, one), (fault, story)
            assert one.rule == FAULTS[fault].rule
            assert all(1 <= n <= len(story.moves) for n in one.versions)
            if story.source == SOURCE:
                planning.check(story)  # what our own table refuses is planted elsewhere
        if fault == "double_case":
            twins = {one.foreign.removesuffix("-2") for one in told if one.foreign}
            assert twins == {str(story.foreign) for story, _ in found}


def _fit_for(fault: str, stage: Scene) -> Scene:
    """No item of the small city must be heard, and all that are promised are licences."""
    if fault == "hearing_missing":
        return replace(stage, offers=tuple(replace(one, hearing=True) for one in stage.offers))
    if fault == "acceptance_late":
        return replace(
            stage,
            offers=tuple(
                replace(one, row=replace(one.row, type="行政确认")) for one in stage.offers
            ),
        )
    return stage


def test_nothing_else_is_late_where_something_was_planted(stage: Scene) -> None:
    """A fault bends what it says, and what its rules say besides."""
    seen = {"T03": {"promised"}, "T04": {"promised", "statutory"}, "T06": {"step"},
            "T07": {"acceptance"}, "T08": {"delivery"},
            "T09": {"lower_review", "promised", "statutory"}}  # fmt: skip
    plan = Watched(stage, Order(400, 29, AT, faulty=1.0)).play()
    for story in plan.stories:
        if story.source == SOURCE:
            rules = {rule for one in story.planted for rule in (one.rule, *one.also)}
            allowed = set().union(*(seen.get(rule, set()) for rule in rules))
            assert over(stage, story) <= allowed, story
