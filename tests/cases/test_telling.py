"""What an applicant is told, in every state: where, who has it, what to do, what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from zhengwu.cases import telling
from zhengwu.cases.telling import Matter, Short, Told
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import PROCEDURES, State

WATER = "420100-water"
MATTER = Matter(
    kind="promised",
    organ="江城市水务局",
    result="取水许可证",
    window="江城市政务服务中心 B23 窗口",
    hours="工作日 9:00—17:00",
)
LIMITS = [{"kind": "promised", "value": 20, "unit": "working_day", "basis": "办事指南"}]
TO = {"kind": "department", "agency": WATER}
ASKED = {"materials": [{"code": "03", "state": "missing"}]}
# How to come to each state, lawfully.
RECEIVED: tuple[Any, ...] = ("received",)
ACCEPTED = (*RECEIVED, ("accepted", {"limits": LIMITS, "to": TO}))
TAKEN = (*ACCEPTED, ("step_taken", {"step": "review"}))
GRANTED = (*TAKEN, "granted")
READY = (*GRANTED, "licence_made", "ready")
DELIVERED = (*READY, ("delivered", {"means": "signature"}))
WAYS: dict[State, tuple[Any, ...]] = {
    State.RECEIVED: RECEIVED,
    State.SUPPLEMENTING: (*RECEIVED, ("supplement_requested", ASKED)),
    State.NOT_ACCEPTED: (*RECEIVED, "not_needed"),
    State.HANDLING: TAKEN,
    State.FORWARDED: (*TAKEN, "forwarded"),
    State.DECIDED: GRANTED,
    State.DELIVERED: DELIVERED,
    State.WITHDRAWN: (*TAKEN, "withdrawn"),
    State.TERMINATED: (*TAKEN, ("terminated", {"ground": "moot"})),
    State.CLOSED: (*DELIVERED, "closed"),
    State.ARCHIVED: (*DELIVERED, "closed", "archived"),
}


def events(way: tuple[Any, ...]) -> tuple[Event, ...]:
    """One act a day from 2026-09-01 on, each by the organ."""
    rows = []
    for number, one in enumerate(way, start=1):
        kind, body = (one, {}) if isinstance(one, str) else one
        when = datetime(2026, 9, number, 9, tzinfo=clock.SHANGHAI)
        rows.append(
            Event(
                version=number, kind=kind, occurred=when, recorded=when, received=when,
                actor="p-1", agency=WATER, source="desk", body=body,
            )
        )  # fmt: skip
    return tuple(rows)


def tell(
    way: tuple[Any, ...],
    *,
    matter: Matter = MATTER,
    at: datetime = datetime(2026, 9, 20, 9, tzinfo=clock.SHANGHAI),
) -> Told:
    counting = lifecycle.standing_events(events(way))
    assert len(counting) == len(way), "the way is not lawful"
    reading = clock.read(counting, at=at, edition=Edition(Calendar.of({})))
    return telling.told(lifecycle.fold(counting), reading, events=counting, matter=matter)


@pytest.mark.parametrize("state", list(State))
def test_every_state_says_where_who_and_what_next(state: State) -> None:
    assert lifecycle.fold(events(WAYS[state])).state == state
    said = tell(WAYS[state])
    assert said.where.endswith("。")
    assert said.who
    assert said.since
    assert said.next.endswith("。")
    assert "None" not in str(said)
    over = state in (
        State.NOT_ACCEPTED, State.DELIVERED, State.WITHDRAWN, State.TERMINATED, State.CLOSED,
        State.ARCHIVED,
    )  # fmt: skip
    assert said.ended is over


@pytest.mark.parametrize("state", list(State))
def test_no_clerk_is_ever_named(state: State) -> None:
    assert "p-1" not in str(tell(WAYS[state]))


def test_what_is_received_will_be_answered_in_five_working_days() -> None:
    said = tell(RECEIVED, at=datetime(2026, 9, 2, 9, tzinfo=clock.SHANGHAI))
    assert (
        said.until == "最迟 9 月 8 日（周二）17:00 前答复您是否受理"
        "（暂定：国家还没有公布那一年的放假安排，公布以后日期可能变）"
    )
    assert said.who == "江城市政务服务中心 B23 窗口"
    assert said.must == ()
    assert "算受理了" in said.next


def test_what_is_to_be_handed_in_stands_there_with_the_reason() -> None:
    short = (Short("水资源论证报告书", "faulty", "缺第 3 页"), Short("申请书", "missing"))
    matter = Matter(kind="promised", organ="江城市水务局", window="B23 窗口", short=short)
    said = tell(WAYS[State.SUPPLEMENTING], matter=matter)
    assert said.short == short
    assert "下面 2 项" in said.must[0]
    assert "B23 窗口" in said.must[1]
    assert short[0].words == "水资源论证报告书（不合格：缺第 3 页）"
    assert said.paused
    assert said.until == ""


def test_after_the_supplement_the_window_has_it_again() -> None:
    said = tell((*WAYS[State.SUPPLEMENTING], ("supplemented", {"materials": []})))
    assert "补交的材料" in said.where
    assert said.must == ()


@pytest.mark.parametrize("procedure", list(PROCEDURES))
def test_a_special_procedure_says_which_and_until_when(procedure: str) -> None:
    body = {"procedure": procedure, "days": 10, "until": "2026-10-15"}
    said = tell((*TAKEN, ("suspended", body)))
    assert PROCEDURES[procedure] in said.where
    assert "10 个工作日" in said.paused
    assert "10 月 15 日" in said.paused
    assert "第四十五条" in said.paused


@pytest.mark.parametrize("body", [{}, {"procedure": "x"}, {"days": None}])
def test_a_body_that_says_little_breaks_nothing(body: dict[str, Any]) -> None:
    assert "None" not in str(tell((*TAKEN, ("suspended", body))))


def test_the_higher_organ_is_named_where_it_is_known() -> None:
    way = WAYS[State.FORWARDED]
    assert tell(way).who == "上级机关"
    known = Matter(kind="forwarded", organ="江城市水务局", organs={len(way): "省水利厅"})
    assert tell(way, matter=known).who == "省水利厅"
    assert "省水利厅" in tell(way, matter=known).where
    assert "不计时" in tell(way).paused


def test_whose_it_is_stands_where_it_was_not_ours() -> None:
    way = (*RECEIVED, "not_ours", "closed")
    known = Matter(kind="promised", organ="江城市水务局", organs={2: "江城市环境保护局"})
    said = tell(way, matter=known)
    assert said.must == ("向江城市环境保护局申请",)
    assert "行政复议" in said.next
    assert tell(way).must


def test_what_needs_no_licence_says_so_also_after_it_was_closed() -> None:
    said = tell((*RECEIVED, "not_needed", "closed"))
    assert "不需要取得行政许可" in said.where
    assert said.must == ()


def test_silence_makes_it_accepted() -> None:
    said = tell((*RECEIVED, ("deemed_accepted", {"limits": LIMITS})))
    assert "算受理了" in said.where


def test_an_extension_is_told() -> None:
    assert "延长 8 个工作日" in tell((*TAKEN, ("extended", {"days": 8}))).next


def test_an_overdue_case_does_not_pretend() -> None:
    said = tell(TAKEN, at=datetime(2026, 12, 20, 9, tzinfo=clock.SHANGHAI))
    assert "已经超期" in said.until
    assert "催办" in said.next


def test_a_result_is_made_sent_and_fetched() -> None:
    assert "正在制作取水许可证" in tell(GRANTED).where
    assert tell(GRANTED).must == ()
    assert "送往窗口" in tell((*GRANTED, "licence_made")).where
    said = tell(READY)
    assert "等您来领" in said.where
    assert "身份证" in said.must[0]
    assert "B23 窗口" in said.must[1]
    assert "9:00" in said.must[1]


def test_who_has_to_pay_is_told_once_it_is_granted_until_it_is_paid() -> None:
    matter = Matter(kind="promised", organ="江城市水务局", fee="10 元/本", result="证")
    assert tell(TAKEN, matter=matter).must == ()
    assert "10 元/本" in tell(GRANTED, matter=matter).must[0]
    assert len(tell(READY, matter=matter).must) == 4
    assert tell((*GRANTED, ("fee_paid", {"how": "paid"})), matter=matter).must == ()


def test_a_refusal_names_the_ways_against_it() -> None:
    said = tell((*TAKEN, "refused", "ready"))
    assert "不予许可" in said.where
    assert "等您来领" in said.where
    assert "行政复议" in said.next
    assert "决定书" in said.must[1]
    over = tell((*TAKEN, "refused", ("delivered", {}), "closed"))
    assert "不予许可" in over.where
    assert "行政复议" in over.next


@pytest.mark.parametrize("way", [(*TAKEN, "refused"), GRANTED, (*GRANTED, "licence_made")])
def test_nobody_is_sent_for_a_paper_that_is_not_at_the_window_yet(way: tuple[Any, ...]) -> None:
    said = tell(way)
    assert said.must == ()
    assert said.who == "江城市水务局"
    assert "等您来领" not in said.where
    assert "通知您来领" in said.next


@pytest.mark.parametrize("decision", ["granted", "refused"])
def test_what_is_decided_at_the_window_is_fetched_there_at_once(decision: str) -> None:
    said = tell((*TAKEN, decision), matter=replace(MATTER, kind="immediate"))
    assert "等您来领" in said.where
    assert "身份证" in said.must[0]


@pytest.mark.parametrize("kind", ["revoked", "cancelled", "taken_back"])
def test_a_licence_that_ended_is_not_called_granted(kind: str) -> None:
    said = tell((*DELIVERED, "closed", kind))
    assert "不再有效" in said.where
    assert "已经批准" not in said.where


def test_what_is_no_licence_is_not_called_one() -> None:
    matter = Matter(kind="promised", organ="江城市水务局", licence=False)
    for state, way in WAYS.items():
        assert "许可" not in str(tell(way, matter=matter)), state


def test_a_case_of_another_system_is_told_as_such() -> None:
    matter = Matter(kind="foreign", organ="g", source="外部系统 bpic")
    when = datetime(2026, 9, 1, 9, tzinfo=clock.SHANGHAI)
    seen = Event(
        version=1, kind="received", nature=Nature.OBSERVATION, occurred=when, recorded=when,
        received=when, source="link:bpic",
    )  # fmt: skip
    reading = clock.read((seen,), at=when, edition=Edition(Calendar.of({})))
    said = telling.told(lifecycle.fold((seen,)), reading, events=(seen,), matter=matter)
    assert "外部系统 bpic" in said.where


def test_every_act_of_the_table_has_plain_words_or_is_inside() -> None:
    missing = [
        act.code
        for act in lifecycle.ACTS
        if act.code not in telling.PLAIN and act.code not in telling.INSIDE
    ]
    assert missing == []
    assert set(telling.PLAIN) | telling.INSIDE <= {act.code for act in lifecycle.ACTS}


@pytest.mark.parametrize("kind", sorted({act.code for act in lifecycle.ACTS} - telling.INSIDE))
def test_every_event_is_told_also_with_an_empty_body(kind: str) -> None:
    (event,) = events((kind,))
    line = telling.line(event, who="江城市水务局", materials={}, gone=False)
    assert line is not None
    assert line.title
    assert "None" not in line.text


def test_the_notice_names_what_is_to_be_handed_in() -> None:
    body = {"materials": [{"code": "01", "state": "held"}, {"code": "03", "state": "faulty"}]}
    (event,) = events((("supplement_requested", body),))
    line = telling.line(event, who="", materials={"01": "甲", "03": "乙"}, gone=False)
    assert line is not None
    assert line.text == "要补：乙"
