"""The table of the life of a case: what it lets pass, what it refuses, what a correction undoes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.golden import STORY, WATER, at, events
from zhengwu.domain import lifecycle, timeledger
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import ACTS, BY_CODE, HolderKind, State, admit, fold
from zhengwu.domain.refusal import Refusal

BASE = at("09-14 09:20")


def more(told: list[Event], kind: str, when: str, **body: Any) -> list[Event]:
    """The story with one more act."""
    moment = at(when)
    last = Event(
        version=len(told) + 1, kind=kind, occurred=moment, recorded=moment, received=moment,
        actor="p", post="r-D16", agency=WATER, body=body,
    )  # fmt: skip
    return [*told, last]


def refusal(told: list[Event], kind: str, when: str, **given: Any) -> Refusal:
    given.setdefault("actor", "approver")
    given.setdefault("body", {})
    given.setdefault("case_kind", "promised")
    given.setdefault("now", at(when))
    with pytest.raises(Refusal) as refused:
        admit(fold(told), kind, at=at(when), **given)
    return refused.value


@pytest.mark.parametrize("state", [None, *State])
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.code)
def test_an_act_passes_from_its_states_and_from_no_other(
    act: lifecycle.Act, state: State | None
) -> None:
    body = {
        "procedure": "hearing", "days": 5, "reasons": "r", "version": 2, "at": "window",
        "people": ["a", "b"], "request": 2, "to": {"kind": "window"},
    }  # fmt: skip
    ends = act.code in ("revoked", "cancelled", "taken_back")
    standing = lifecycle.Standing(
        state=state, received_at=BASE, suspended=act.code == "resumed", version=3,
        outcome="granted" if ends else None, came_back=True,
        asking=(lifecycle.Asked(2, "a", None, "2026-09-30"),),
        proposed=(lifecycle.Proposed(3, 2, "q"),) if act.code == "entry_withdrawn" else (),
    )  # fmt: skip
    allowed = state in act.frm if state else not act.frm

    def ask() -> None:
        admit(standing, act.code, at=BASE, now=BASE, actor="p", body=body, case_kind="forwarded")

    if allowed:
        ask()
        return
    with pytest.raises(Refusal) as refused:
        ask()
    assert refused.value.code == "lifecycle.not_allowed"
    assert act.zh in refused.value.sentence
    assert refused.value.article == act.article


def test_an_extension_is_given_once_before_expiry() -> None:
    due = at("11-09 17:00")
    told = more(events(7), "extended", "10-16 09:00", days=10)
    ten = {"days": 10}
    twice = refusal(told, "extended", "10-17 09:00", body=ten, due=due)
    late = refusal(events(7), "extended", "11-10 09:00", body=ten, due=due)
    assert (twice.code, late.code) == ("lifecycle.extended_twice", "lifecycle.extended_late")
    assert twice.article == "行政许可法 第四十二条"
    admit(
        fold(events(7)), "extended", at=due, now=due, actor="head", body=ten,
        case_kind="promised", due=due,
    )  # fmt: skip


def test_what_happens_later_cannot_be_said_to_have_happened_before() -> None:
    now = at("10-20 09:00")
    assert refusal(events(1), "accepted", "09-14 08:00", now=now).code == (
        "lifecycle.before_receipt"
    )
    assert refusal(events(4), "handed_over", "09-20 08:00", now=now).code == (
        "lifecycle.out_of_order"
    )
    assert refusal(events(4), "handed_over", "10-20 09:30", now=now).code == "lifecycle.future"


def test_materials_are_asked_for_once() -> None:
    told = events(3)
    again = refusal(told, "supplement_requested", "09-21 10:10", body={"materials": ["3", "2"]})
    assert (again.code, again.field) == ("lifecycle.asked_again", "again")
    admit(
        fold(told), "supplement_requested", at=at("09-21 10:10"), now=at("09-21 10:10"),
        actor="clerk", body={"materials": ["3"], "again": {"content": ""}},
        case_kind="promised",
    )  # fmt: skip


def test_an_immediate_item_may_be_accepted_and_granted_by_one_person() -> None:
    now = at("09-22 09:00")
    assert refusal(events(5), "granted", "09-22 09:00", actor="clerk").code == (
        "lifecycle.two_people"
    )
    assert refusal(events(5), "granted", "09-22 09:00", actor="clerk", case_kind="forwarded")
    admit(
        fold(events(5)), "granted", at=now, now=now, actor="clerk", body={}, case_kind="immediate"
    )


def test_two_special_procedures_may_overlap_and_both_must_end() -> None:
    told = more(events(6), "suspended", "09-29 09:00", procedure="testing", days=5)
    same = refusal(told, "suspended", "09-29 10:00", body={"procedure": "testing", "days": 5})
    assert same.code == "lifecycle.suspended"
    assert fold(told).holder.label == "检测"
    told = more(told, "resumed", "10-08 09:00", procedure="testing")
    assert fold(told).suspended
    assert (fold(told).holder.kind, fold(told).holder.label) == (HolderKind.SPECIAL, "专家评审")
    assert refusal(told, "granted", "10-09 09:00").code == "lifecycle.suspended"
    told = more(told, "resumed", "10-15 09:00", procedure="expert_review")
    assert not fold(told).suspended
    assert (fold(told).holder.kind, fold(told).holder.agency) == (HolderKind.DEPARTMENT, WATER)


def test_a_hand_over_during_a_special_procedure_waits_for_its_end() -> None:
    told = more(events(6), "handed_over", "09-28 09:00", to={"kind": "department", "agency": "x"})
    assert fold(told).holder.kind == HolderKind.SPECIAL
    told = more(told, "resumed", "10-15 09:00")
    holder = fold(told).holder
    assert (holder.kind, holder.agency, holder.since) == (
        HolderKind.HANDING_OVER, "x", at("10-15 09:00"),
    )  # fmt: skip


def test_deemed_acceptance_reaches_back_to_the_receipt_of_the_papers() -> None:
    told = more(events(1), "deemed_accepted", "09-20 17:00")
    assert fold(told).accepted_at == at("09-14 09:20")
    told = more(events(3), "deemed_accepted", "09-29 17:00")
    assert fold(told).accepted_at == at("09-21 10:05")


def test_a_withdrawn_entry_leaves_the_case_as_if_it_were_not_there() -> None:
    told = more(events(6), "entry_withdrawn", "09-25 09:00", version=6)
    standing = fold(told)
    assert (standing.suspended, standing.holder.kind) == (False, HolderKind.DEPARTMENT)
    assert standing.version == 7
    assert [e.version for e in lifecycle.standing_events(told)] == [1, 2, 3, 4, 5, 7]
    # The withdrawal was itself an error: the suspension stands again.
    again = more(told, "entry_withdrawn", "09-25 10:00", version=7)
    assert fold(again).suspended


def test_what_rested_on_a_withdrawn_entry_does_not_count_either() -> None:
    told = more(events(8), "entry_withdrawn", "10-29 09:00", version=4)
    standing = fold(told)
    assert (standing.state, standing.outcome) == (State.RECEIVED, None)
    assert [e.version for e in lifecycle.standing_events(told)] == [1, 2, 3, 9]


def test_the_receipt_cannot_be_withdrawn_as_an_error_nor_an_entry_that_is_not_there() -> None:
    for version, code in ((1, "receipt_stays"), (99, "no_such_entry"), (None, "no_such_entry")):
        found = refusal(events(5), "entry_withdrawn", "09-22 09:00", body={"version": version})
        assert found.code == f"lifecycle.{code}"


def seen(kinds: list[str]) -> list[Event]:
    return [
        Event(
            version=n, kind=kind, nature=Nature.OBSERVATION, occurred=BASE + timedelta(hours=n),
            recorded=BASE, received=BASE, agency="x", body={"step": kind},
        )
        for n, kind in enumerate(kinds, start=1)
    ]  # fmt: skip


def test_news_of_another_system_is_never_refused_and_says_what_the_table_thinks() -> None:
    kinds = ["received", "step", "closed", "step", "accepted", "received"]
    told = seen(kinds)
    found = [lifecycle.deviation(fold(told[:n]), kind) for n, kind in enumerate(kinds)]
    assert found == [
        None, None, "待受理时办结，未见决定和送达", "已办结后仍有环节", "已办结后又受理",
        "重复的收件记录",
    ]  # fmt: skip
    standing = fold(told)
    assert (standing.state, standing.outcome, standing.decided_at) == (State.CLOSED, None, None)


KINDS = st.lists(
    st.tuples(
        st.sampled_from([act.code for act in ACTS]),
        st.integers(0, 3000),
        st.integers(1, 12),
        st.sampled_from(["hearing", "testing"]),
    ),
    max_size=25,
)


def random_story(drawn: list[tuple[str, int, int, str]]) -> list[Event]:
    told = []
    moment = BASE
    for version, (kind, minutes, number, procedure) in enumerate(drawn, start=1):
        moment += timedelta(minutes=minutes)
        body = {"version": number, "days": number, "procedure": procedure}
        if number % 3 == 0:
            body["to"] = {"kind": "department", "agency": f"a{number}"}
        told.append(
            Event(
                version=version, kind=kind, occurred=moment, recorded=moment, received=moment,
                actor="p", agency="a", body=body,
            )
        )  # fmt: skip
    return told


@given(KINDS)
def test_folding_never_reaches_a_state_the_table_forbids(
    drawn: list[tuple[str, int, int, str]],
) -> None:
    before = lifecycle.Standing()
    for event, after in lifecycle.histories(random_story([("received", 0, 1, ""), *drawn])):
        act = BY_CODE[event.kind]
        assert (before.state in act.frm) if before.state else not act.frm
        assert after.state == (act.to or before.state)
        assert after.suspended == bool(after.procedures)
        assert not after.suspended or after.state == State.HANDLING
        before = after


@given(KINDS)
def test_who_had_a_case_after_each_entry_is_told_without_all_that_it_was(
    drawn: list[tuple[str, int, int, str]],
) -> None:
    told = random_story([("received", 0, 1, ""), *drawn])
    life = lifecycle.Life.of(told)
    whole = lifecycle.histories(told)
    assert life.held == tuple((event, after.holder) for event, after in whole)
    assert life.standing == whole[-1][1]._replace(version=told[-1].version)


@given(KINDS, st.integers(0, 100_000))
def test_the_spans_always_sum_to_the_whole(
    drawn: list[tuple[str, int, int, str]], later: int
) -> None:
    told = random_story([("received", 0, 1, ""), *drawn])
    until = BASE + timedelta(minutes=later)
    found = timeledger.spans(told, until=until)
    for one, following in pairwise(found):
        assert one.end == following.start
    rows = lifecycle.histories([e for e in told if e.occurred <= until])
    end = rows[-1][1].closed_at or until
    assert sum((span.length for span in found), timedelta()) == end - BASE
    assert sum(timeledger.totals(found).values(), timedelta()) == end - BASE


def test_a_late_entry_takes_nothing_from_the_sum() -> None:
    told = [replace(e, occurred=at("09-21 09:00")) if e.version == 4 else e for e in events()]
    found = timeledger.spans(told, until=at("11-20 00:00"))
    whole = at("11-02 10:00") - at("09-14 09:20")
    assert sum((span.length for span in found), timedelta()) == whole


def test_the_story_names_every_act_of_the_table_once_at_most() -> None:
    assert len(BY_CODE) == len(ACTS)
    assert {kind for _, kind, *_ in STORY} <= set(BY_CODE)


def test_who_decides_while_papers_are_under_way_has_them() -> None:
    told = more(events(4), "granted", "09-22 10:00")
    assert fold(events(4)).holder.kind == HolderKind.HANDING_OVER
    assert fold(told).holder.kind == HolderKind.DEPARTMENT


def test_a_move_to_a_new_version_leaves_the_state_the_holder_and_the_order_of_entries() -> None:
    before = fold(events(5))
    told = more(events(5), "version_moved", "09-23 00:05", to=4, limits=[], **{"from": 3})
    after = fold(told)
    assert (after.state, after.holder, after.last_at) == (
        State.HANDLING, before.holder, before.last_at,
    )  # fmt: skip
    # The reviewer went out the afternoon before the night of the move, and enters it today.
    admit(
        after, "handed_over", at=at("09-22 16:00"), now=at("09-23 09:00"), actor="p",
        body={"to": {"kind": "department"}}, case_kind="promised",
    )  # fmt: skip
    assert refusal(events(1), "version_moved", "09-14 10:00").code == "lifecycle.not_allowed"
