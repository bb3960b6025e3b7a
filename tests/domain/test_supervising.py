"""What supervision finds: the clock agrees with every card, and looking late finds the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.domain import agreement, histories
from tests.domain.histories import SEEDS
from tests.drill import examples
from zhengwu.domain import clock, rulebook, supervising
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import CARDS, RANK, Dialect, Level, Rule, Rulebook
from zhengwu.domain.rulebook import Test as Comparison
from zhengwu.domain.supervising import About, Found

BOOK = Rulebook()
SOON = timedelta(microseconds=1)


def story(seed: int) -> tuple[tuple[Event, ...], Edition, datetime]:
    """A random life whose entries were all made as they happened, or the story would not be read."""
    told = histories.history(seed)
    events, latest = [], None
    for one in told.events:
        latest = one.occurred if latest is None else max(latest + SOON, one.occurred)
        events.append(replace(one, recorded=one.occurred, received=latest, position=one.version))
    at = max(told.at, events[-1].received)
    return tuple(events), agreement.edition(told.worlds[0]), at


def looked(
    events: Sequence[Event], edition: Edition, until: datetime, book: Rulebook = BOOK
) -> supervising.Looked | None:
    """None where another system's news, or a time beyond the calendar, cannot be read."""
    about = About(agency="a", kind="promised")
    try:
        return supervising.look(events, about, book, known=lambda _: edition, until=until)
    except (Refusal, ValueError):
        return None


def is_card(one: Found) -> bool:
    return one.rule.level in CARDS


@settings(max_examples=examples(250, 4_000))
@given(SEEDS)
@example(7)
def test_of_every_card_on_a_limit_the_clock_says_from_what_is_known_that_it_passed(
    seed: int,
) -> None:
    events, edition, at = story(seed)
    for upto in range(1, len(events) + 1):
        known = events[:upto]
        until = events[upto].received if upto < len(events) else at
        found = looked(known, edition, until)
        for one in found.found if found else ():
            if not is_card(one) or one.due is None or one.limit in ("special", "opinion"):
                continue
            if not supervising.stands(
                one, known, About("a", "promised"), BOOK, known=lambda _: edition, until=until
            ):
                continue  # is not issued
            reading = clock.read(known, at=until, edition=edition)
            said = [limit for limit in reading.limits if limit.kind == one.limit]
            rung = clock.alarms(known, at=until, edition=edition)
            assert any(limit.met is False for limit in said) or any(
                alarm.limit == one.limit and alarm.level == "over" for alarm in rung
            ), one
            assert one.due <= one.at <= until


@settings(max_examples=examples(150, 3_000))
@given(SEEDS)
@example(11)
def test_whoever_looks_a_week_late_finds_what_he_would_have_found_in_time(seed: int) -> None:
    events, edition, at = story(seed)
    if events[0].nature is not Nature.ACT or any(one.received > one.occurred for one in events):
        return  # another system's news, or two desks whose clocks differ
    whole = looked(events, edition, at)
    if whole is None:
        return
    seen: dict[tuple[str, str], Found] = {}
    for upto in range(1, len(events) + 1):
        known = events[:upto]
        until = events[upto].received - SOON if upto < len(events) else at
        when = known[-1].received
        while True:
            found = looked(known, edition, when)
            if found is None:
                return
            # What came true before it could be known is found by whoever looks soon after.
            soon = until - known[-1].received <= supervising.LIVE and upto < len(events)
            for one in found.found:
                if not soon or one.due is None or one.at > known[-1].received:
                    seen.setdefault((one.rule.code, one.key), one)
            if found.next_at is None or found.next_at > until:
                break
            assert found.next_at > when, "time goes on"
            when = found.next_at
    late = {(one.rule.code, one.key): one.at for one in whole.found}
    assert {key: one.at for key, one in seen.items()} == late


@settings(max_examples=examples(150, 2_000))
@given(SEEDS)
def test_looking_again_later_takes_nothing_back_while_nothing_new_is_entered(seed: int) -> None:
    events, edition, at = story(seed)
    first, later = looked(events, edition, at), looked(events, edition, at + timedelta(days=30))
    if first is None or later is None:
        return
    assert {(o.rule.code, o.key, o.at) for o in first.found} <= {
        (o.rule.code, o.key, o.at) for o in later.found
    }
    new = [one for one in later.found if one not in first.found]
    if new:
        assert first.next_at is not None
        assert first.next_at <= min(one.at for one in new)


class _Everything(supervising._Looker):
    """Reads the clock in each interval, whether anything can be found there or not."""

    def _first(self, *_: Any) -> tuple[None, datetime]:
        return None, supervising.DAWN


def entered_late(events: Sequence[Event], seed: int) -> tuple[Event, ...]:
    """The same acts, each entered at once or minutes, hours or days after it happened."""
    rng, told, latest = random.Random(seed), [], events[0].occurred
    for one in events:
        lag = rng.choice((0, 0, 0, 0, 2, 4, 7, 45, 300, 4_000))
        latest = max(latest + SOON, one.occurred + timedelta(minutes=lag))
        told.append(replace(one, received=latest, recorded=latest))
    return tuple(told)


@settings(max_examples=examples(300, 20_000))
@given(SEEDS, st.booleans())
def test_where_nothing_can_be_found_the_clock_need_not_be_read(seed: int, late: bool) -> None:
    events, edition, at = story(seed)
    if late:
        events = entered_late(events, seed)
        at = max(at, events[-1].received)
    for upto in (len(events), 2 * len(events) // 3):
        for as_happened in (False, True):
            found: list[Any] = []
            for kind in (supervising._Looker, _Everything):
                looker = kind(
                    events[:upto], About("a", "promised"), BOOK, lambda _: edition, at,
                    as_happened=as_happened,
                )  # fmt: skip
                try:
                    looker.times(None)
                except (Refusal, ValueError) as problem:
                    found.append(str(problem))
                else:
                    found.append((looker.found, looker.next_at))
            assert found[0] == found[1]


def test_of_a_life_with_several_steps_done_in_time_one_reading_is_enough() -> None:
    begun = datetime(2026, 9, 1, 1, tzinfo=UTC)
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("received", {}),
        ("accepted", {"limits": [{"kind": "promised", "value": 20, "unit": "working_day", "basis": ""}]}),
        *([("step_taken", {"limit": {"value": 3, "unit": "working_day", "basis": ""}}),
           ("step_done", {})] * 3),
    ]  # fmt: skip
    events = tuple(
        Event(version=nth, kind=kind, occurred=when, recorded=when, received=when, body=body)
        for nth, (kind, body) in enumerate(kinds, 1)
        for when in (begun + timedelta(hours=3 * nth),)
    )
    edition = agreement.edition(histories.world(0))
    looker = supervising._Looker(
        events, About("a", "promised"), BOOK, lambda _: edition, begun + timedelta(days=6)
    )
    intervals = looker._intervals(looker.until)
    reading, first = looker._first(events, intervals)
    assert reading is not None
    assert len(intervals) == 3
    assert all(upper < first for _, upper in intervals[:-1])


def test_every_shipped_rule_is_possible_and_reads_back() -> None:
    for rule in rulebook.SHIPPED:
        rulebook.check(rule)
        assert rulebook.of_data(rulebook.as_data(rule)) == rule
    assert len({rule.code for rule in rulebook.SHIPPED}) == len(rulebook.SHIPPED)


def test_in_the_other_dialect_yellow_is_near_and_red_is_late() -> None:
    by_code = {rule.code: rule for rule in rulebook.SHIPPED}
    assert by_code["T02"].severity(Dialect.OVERDUE) == Level.WARNING
    assert by_code["T02"].severity(Dialect.APPROACHING) == Level.YELLOW
    assert by_code["T03"].severity(Dialect.OVERDUE) == Level.YELLOW
    assert by_code["T03"].severity(Dialect.APPROACHING) == Level.RED
    for rule in rulebook.SHIPPED:
        assert RANK[rule.severity(Dialect.APPROACHING)] >= RANK[rule.level]


RULE = next(rule for rule in rulebook.SHIPPED if rule.code == "T03")


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"where": (Comparison("value", "ge", 9), Comparison("value", "le", 3), Comparison("over", "ge", 0))},
         "where", "不可能既不小于 9 又不大于 3"),
        ({"where": (Comparison("limit", "in", ("promised",)),)}, "where", "要写明从哪一刻起"),
        ({"where": (Comparison("over", "ge", 0), Comparison("left", "le", 1))}, "where", "只能写一个"),
        ({"where": (Comparison("colour", "is", True), Comparison("over", "ge", 0))}, "where", "没有“colour”"),
        ({"where": (Comparison("over", "ge", 900),)}, "where", "0 到 250"),
        ({"where": (Comparison("over", "ge", True),)}, "where", "应当是整数"),
        ({"where": (Comparison("limit", "in", ("moon",)), Comparison("over", "ge", 0))}, "where", "请从列表里选择"),
        ({"where": (Comparison("over", "has", "3"),)}, "where", "不能这样比较"),
        ({"where": (Comparison("over", "ge", 0), Comparison("over", "ge", 1))}, "where", "写了两次"),
        ({"until": date(2004, 7, 1)}, "until", "晚于生效日期"),
        ({"basis": " "}, "basis", "请写明依据"),
        ({"receivers": ()}, "receivers", "至少选择一个送达对象"),
        ({"matter": "weather"}, "matter", "没有“weather”"),
        ({"code": "超期"}, "code", "字母和数字"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_with_its_field(
    changed: dict[str, object], field: str, says: str
) -> None:
    with pytest.raises(Refusal) as refused:
        rulebook.check(replace(RULE, **changed))  # type: ignore[arg-type]
    assert str(refused.value.field).split(".")[0] == field
    assert says in str(refused.value)


WHOM = st.lists(st.sampled_from(sorted(rulebook.RECEIVERS)), unique=True, min_size=1).map(tuple)
SHIPPED = st.sampled_from(rulebook.SHIPPED)


@settings(max_examples=examples(300, 20_000))
@given(
    rule=SHIPPED, receivers=WHOM, sign=st.integers(0, 5), answer=st.sampled_from([0, 5, 60]),
    scored=st.sampled_from(["", "limits"]), whole=st.booleans(), level=st.sampled_from(Level),
    approaching=st.none() | st.sampled_from(Level),
)  # fmt: skip
def test_what_the_agency_has_to_do_or_to_suffer_is_served_to_it(
    rule: Rule, receivers: tuple[str, ...], **changed: Any
) -> None:
    one = replace(rule, receivers=receivers, **changed)
    bits = {code for code, bit in rulebook.SERVED.items() if one.served & bit}
    said = {str(fault.field) for fault in rulebook.faults(one) if ".served_" in fault.code}
    if set(receivers) != {"supervisor"}:
        assert said == set()
        assert bits == set(receivers)
        return
    owed = {
        "receivers": bool(one.sign or one.answer or one.matter == "hand"),
        "scored": bool(one.scored), "whole": one.whole, "level": one.level in CARDS,
        "approaching": one.approaching in CARDS,
    }  # fmt: skip
    assert said == {field for field, so in owed.items() if so}
    # What would be hidden and may not is hidden from nobody, whoever wrote it and when.
    assert bits == (set(rulebook.RECEIVERS) if said else {"supervisor"})


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({}, "receivers", "把签收、答复期限都填 0"),
        ({"sign": 0, "answer": 0}, "scored", "请改为不计分，或者加选责任岗位、机关负责人"),
        ({"sign": 0, "answer": 0, "scored": ""}, "whole", "请取消整件超期"),
        ({"sign": 0, "answer": 0, "scored": "", "whole": False}, "level", "请改为提示或者预警"),
        ({"sign": 0, "answer": 0, "scored": "", "whole": False, "level": Level.HINT}, "approaching",
         "收不到牌的机关无从申诉"),
    ],
)  # fmt: skip
def test_each_refusal_says_which_rule_and_what_to_do(
    changed: dict[str, object], field: str, says: str
) -> None:
    with pytest.raises(Refusal) as refused:
        rulebook.check(replace(RULE, receivers=("supervisor",), **changed))  # type: ignore[arg-type]
    assert refused.value.field == field
    assert "规则 T03" in refused.value.sentence
    assert says in refused.value.sentence


def test_a_new_version_ends_the_one_before_and_dates_do_not_overlap() -> None:
    def change(since: date, **more: object) -> dict[str, object]:
        rule = replace(RULE, since=since, **more)  # type: ignore[arg-type]
        return {"rule": rulebook.as_data(rule)}

    book = BOOK.with_change(change(date(2027, 1, 1), level=Level.RED), 4)
    before, after = book.rule("T03", date(2026, 12, 31)), book.rule("T03", date(2027, 1, 1))
    assert before is not None
    assert after is not None
    assert (before.level, after.level) == (Level.YELLOW, Level.RED)
    with pytest.raises(Refusal, match="不能重叠"):
        book.with_change(change(date(2026, 6, 1)), 6)
    assert isinstance(after, Rule)
    fourth = book.with_change(
        {"setting": "dialect", "since": "2027-02-01", "value": "approaching"}, 8
    )
    assert fourth.dialect(date(2027, 1, 31)) == Dialect.OVERDUE
    assert fourth.dialect(date(2027, 2, 1)) == Dialect.APPROACHING
