"""What holds of every reading, whatever happened (期限的一般规律)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import assume, example, given, settings

from tests.domain.agreement import clock_says, in_order
from tests.domain.golden import CALENDAR
from tests.domain.histories import HOURS, SEEDS, UNITS, History, history, world
from tests.drill import examples
from zhengwu.domain import clock, daybyday
from zhengwu.domain.daybyday import Counted
from zhengwu.domain.edition import FORWARDING, Edition
from zhengwu.domain.event import Event, Nature

CLAIMED = ("claim", "planned")
often = settings(max_examples=examples(120, 400))
seldom = settings(max_examples=examples(30, 60))


def last(found: History) -> datetime:
    return max(event.occurred for event in found.events)


def read(found: History, events: Sequence[Event] | None = None, **asked: Any) -> list[Counted]:
    told = found.events if events is None else events
    return in_order(clock_says(told, found.worlds[0], **{"at": found.at, **asked}))


def ours(limits: list[Counted]) -> list[Counted]:
    return [limit for limit in limits if limit.kind not in CLAIMED]


def after(events: Sequence[Event], version: int, more: Sequence[Event]) -> list[Event]:
    """The events with some more entered right after one of them."""
    shifted = []
    for event in events:
        body = dict(event.body)
        if event.kind in ("entry_withdrawn", "retracted") and body["version"] > version:
            body["version"] += len(more)
        if event.version > version:
            new = event.version + len(more)
            event = replace(event, version=new, position=new)
        shifted.append(replace(event, body=body))
    entered = [
        replace(one, version=version + nth, position=version + nth)
        for nth, one in enumerate(more, start=1)
    ]
    return [*shifted[:version], *entered, *shifted[version:]]


@often
@example(seed=9356)  # an end in hours that a Sunday has put off
@example(seed=253447)
@given(seed=SEEDS)
def test_more_suspension_never_shortens_a_limit(seed: int) -> None:
    found = history(seed)
    accepted = [event for event in found.events if event.kind == "accepted"]
    assume(accepted and accepted[0].nature == Nature.ACT)
    rng = random.Random(seed)
    length = int((max(last(found), found.at) - accepted[0].occurred).total_seconds())
    begin, end = sorted(rng.randrange(max(1, length)) for _ in range(2))
    at = max(last(found), found.at)
    more = [
        replace(
            accepted[0],
            kind=kind,
            occurred=accepted[0].occurred + timedelta(seconds=seconds),
            body={"procedure": "quarantine", "days": 5},
        )
        for kind, seconds in (("suspended", begin), ("resumed", end))
    ]
    # Told late, at the end of the log: what was told before keeps its order.
    longer = read(found, after(found.events, found.events[-1].version, more), at=at)
    plain = read(found, at=at)
    assert [one.kind for one in longer] == [one.kind for one in plain]
    assert all(a.due >= b.due for a, b in zip(longer, plain, strict=True))


@often
@given(seed=SEEDS)
def test_news_of_another_system_counts_alike_in_whatever_order_it_comes(seed: int) -> None:
    found = history(seed)
    while any(event.nature == Nature.ACT for event in found.events):
        seed += 1
        found = history(seed)
    told = [event for event in found.events if event.kind != "retracted"]
    assume(len({(event.kind, event.occurred) for event in told}) == len(told))
    shuffled = random.Random(seed).sample(told, len(told))
    arrived = [
        replace(event, version=version, position=version)
        for version, event in enumerate(shuffled, start=1)
    ]
    assert read(found, arrived) == read(found, told)


@often
@given(seed=SEEDS)
def test_overlapping_procedures_count_alike_in_whatever_order_they_are_entered(seed: int) -> None:
    rng = random.Random(seed)
    found = history(seed)
    open_at = replace(found.worlds[0], hours=((date.min, rng.choice(HOURS)),))
    found = replace(found, worlds=(open_at,))
    moment = datetime(
        rng.randrange(2008, 2026), rng.randrange(1, 13), 2, 9, 30, tzinfo=daybyday.SHANGHAI
    )
    unit = rng.choice(UNITS)
    entries: list[tuple[str, datetime, dict[str, Any]]] = []
    for procedure in ("hearing", "testing", "appraisal", "tender")[: rng.randrange(2, 5)]:
        begin = moment + timedelta(hours=1 + rng.randrange(600))
        end = begin + timedelta(hours=rng.randrange(400))
        entries.append(("suspended", begin, {"procedure": procedure, "days": 5}))
        entries.append(("resumed", end, {"procedure": procedure}))

    def entered(rows: list[tuple[str, datetime, dict[str, Any]]]) -> list[Event]:
        limits = [
            {"kind": "statutory", "unit": "working_day", "value": 45, "basis": ""},
            {"kind": "promised", "unit": unit, "value": 20, "basis": ""},
        ]
        first: list[tuple[str, datetime, dict[str, Any]]] = [
            ("received", moment, {}),
            ("accepted", moment, {"limits": limits}),
        ]
        return [
            Event(
                version=version,
                kind=kind,
                occurred=when,
                recorded=when,
                received=when,
                position=version,
                body=body,
            )
            for version, (kind, when, body) in enumerate([*first, *rows], start=1)
        ]

    orderly = sorted(entries, key=lambda row: row[1])
    mixed = rng.sample(entries, len(entries))
    for procedure in {body["procedure"] for _, _, body in entries}:
        places = [n for n, row in enumerate(mixed) if row[2]["procedure"] == procedure]
        two = [row for row in entries if row[2]["procedure"] == procedure]
        for place, row in zip(places, two, strict=True):
            mixed[place] = row
    at = moment + timedelta(days=90)
    assert read(found, entered(mixed), at=at) == read(found, entered(orderly), at=at)


@often
@given(seed=SEEDS)
def test_reading_twice_changes_nothing(seed: int) -> None:
    found = history(seed)
    assert read(found, known=found.known) == read(found, known=found.known)


@often
@given(seed=SEEDS)
def test_what_was_known_then_is_what_had_been_entered_then(seed: int) -> None:
    found = history(seed)
    place = random.Random(seed).randrange(len(found.events) + 1)
    assert read(found, known=place) == read(found, found.events[:place])


@often
@given(seed=SEEDS)
def test_used_and_left_make_the_whole_limit(seed: int) -> None:
    for limit in ours(read(history(seed))):
        assert limit.used >= 0
        if limit.unit == "working_day":
            assert limit.used + limit.left == limit.value + limit.extra


@often
@given(seed=SEEDS)
def test_a_finished_limit_does_not_change_by_looking_later(seed: int) -> None:
    found = history(seed)
    at = max(last(found), found.at)
    now, later = read(found, at=at), read(found, at=at + timedelta(days=400))
    finished = [one for one in now if one.state == "stopped"]
    assert finished == [one for one in later if one.state == "stopped"]
    assert all(one.met == (one.due >= one.stopped_at) for one in finished if one.stopped_at
               and one.kind != "acceptance")  # fmt: skip


@often
@given(seed=SEEDS)
def test_time_going_by_never_brings_an_end_nearer(seed: int) -> None:
    found = history(seed)
    at = max(last(found), found.at)
    days = timedelta(days=random.Random(seed).randrange(1, 60))
    now, later = read(found, at=at), read(found, at=at + days)
    assert [one.kind for one in now] == [one.kind for one in later]
    assert all(a.due <= b.due for a, b in zip(now, later, strict=True))


@often
@given(seed=SEEDS)
def test_a_reading_is_provisional_where_a_year_without_a_notice_lies_within(seed: int) -> None:
    found = history(seed)
    for limit in ours(read(found)):
        years = range(limit.start.year, daybyday.local(limit.due).year + 1)
        assert limit.provisional == any(y not in found.worlds[0].published for y in years)


@seldom
@given(seed=SEEDS)
def test_a_day_off_before_or_after_it_all_changes_nothing(seed: int) -> None:
    found = history(seed)
    was = read(found)
    first = min(daybyday.local(event.occurred) for event in found.events)
    until = max([daybyday.local(found.at), first, *(daybyday.local(one.due) for one in was)])
    world = found.worlds[0]
    flipped: dict[date, bool] = {
        day: daybyday.working(world, day)
        for day in (first - timedelta(days=3), until + timedelta(days=3))
    }
    amended = replace(world, days={**world.days, **flipped})
    assert read(replace(found, worlds=(amended,))) == was


@seldom
@given(seed=SEEDS)
def test_what_is_no_licence_has_the_same_days_and_says_that_it_follows_by_analogy(
    seed: int,
) -> None:
    found = history(seed)
    first = found.events[0]
    assume(first.kind == "received" and first.nature == Nature.ACT)

    def of(**type_: str) -> list[Event]:
        return [replace(first, body={"at": "window", **type_}), *found.events[1:]]

    licence = read(found, of(type="行政许可"))
    assert read(found, of()) == licence  # an old case names no type
    other = read(found, of(type="行政确认"))
    assert [replace(limit, alike=False) for limit in other] == licence
    assert all(limit.alike for limit in other if limit.kind in ("acceptance", "delivery"))


def test_the_receipt_says_the_type_also_where_news_is_older() -> None:
    moment = datetime(2026, 9, 14, 9, 20, tzinfo=daybyday.SHANGHAI)
    receipt = Event(version=1, kind="received", occurred=moment, recorded=moment, received=moment,
                    position=1, body={"type": "行政确认"})  # fmt: skip
    claim = {"claim": {"kind": "deadline", "due": "2026-10-10T12:00:00+08:00"}}
    news = replace(receipt, version=2, position=2, kind="claim", nature=Nature.OBSERVATION,
                   occurred=moment - timedelta(hours=1), body=claim)  # fmt: skip
    for reader in (clock_says, daybyday.count):
        found = reader([receipt, news], world(0), at=moment)
        assert [(one.kind, one.alike) for one in found] == [("acceptance", True), ("claim", False)]


def test_two_kinds_of_pause_that_overlap_are_one_and_cite_both_articles() -> None:
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("received", "2026-09-14T09:20", {}),
        ("accepted", "2026-09-14T10:00", {}),
        ("suspended", "2026-09-16T10:00", {"procedure": "expert_review", "days": 5}),
        ("forwarded", "2026-09-18T10:00", {}),
        ("resumed", "2026-09-22T10:00", {"procedure": "expert_review"}),
        ("came_back", "2026-09-24T10:00", {}),
    ]
    moments = [datetime.fromisoformat(f"{when}:00+08:00") for _, when, _ in told]
    events = [
        Event(version=nth, kind=kind, nature=Nature.ACT, body=body, occurred=when, recorded=when,
              received=when)
        for nth, ((kind, _, body), when) in enumerate(zip(told, moments, strict=True), 1)
    ]  # fmt: skip
    reading = clock.read(events, at=moments[-1] + timedelta(days=1), edition=Edition(CALENDAR))
    statutory = reading.limit("statutory")
    assert statutory is not None
    (line,) = [one for one in statutory.lines if "专家评审" in one.text]
    assert "转报上级" in line.text
    assert line.article == f"行政许可法 第四十五条；{FORWARDING}"
