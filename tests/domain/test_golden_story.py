"""The worked story gives the dates, the days and the hours that were worked out by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests.domain.golden import CALENDAR, STORY, at, events
from zhengwu.domain import clock, lifecycle, timeledger
from zhengwu.domain.edition import Edition
from zhengwu.domain.lifecycle import HolderKind, State
from zhengwu.domain.refusal import Refusal


def reading(count: int, when: datetime, *, known: int | None = None) -> clock.Reading:
    return clock.read(
        events(count),
        at=when,
        known=known,
        edition=Edition(CALENDAR),
    )


def due(count: int, when: str, kind: str) -> date:
    limit = reading(count, at(when)).limit(kind)
    assert limit is not None
    return limit.due.date()


def test_the_window_has_until_the_worked_sunday_to_say_what_is_missing() -> None:
    limit = reading(1, at("09-14 10:00")).due
    assert limit is not None
    assert (limit.kind, limit.due) == ("acceptance", at("09-20 17:00"))


def test_nothing_runs_while_the_applicant_supplements() -> None:
    assert reading(2, at("09-17 10:00")).due is None
    assert reading(2, at("09-17 10:00")).light(at("09-17 10:00")).code == "pause"


def test_acceptance_starts_the_promise_and_the_statute() -> None:
    assert due(4, "09-21 10:20", "promised") == date(2026, 10, 26)
    assert due(4, "09-21 10:20", "statutory") == date(2026, 11, 30)


def test_the_expert_review_moves_both_by_its_ten_working_days() -> None:
    assert due(7, "10-15 09:00", "promised") == date(2026, 11, 9)
    assert due(7, "10-15 09:00", "statutory") == date(2026, 12, 14)


def test_twelve_working_days_were_used_and_eight_promised_ones_left() -> None:
    limit = reading(8, at("10-28 16:00")).limit("promised")
    assert limit is not None
    assert (limit.used, limit.left, limit.met) == (12, 8, True)


def test_delivery_is_due_ten_working_days_after_the_grant() -> None:
    assert due(9, "10-28 16:30", "delivery") == date(2026, 11, 11)


def test_every_line_of_the_derivation_that_rests_on_law_names_the_article() -> None:
    limit = reading(8, at("10-28 16:00")).limit("promised")
    assert limit is not None
    assert [line.article for line in limit.lines if line.article] == [
        "民法典 第二百零一条",
        "办事指南",
        "行政许可法 第八十二条",
        "行政许可法 第八十二条",
        "行政许可法 第八十二条",
        "行政许可法 第四十五条",
        "行政许可法 第四十五条",
        "行政许可法 第八十二条",
        "民法典 第二百零三条",
    ]


def test_the_clock_is_suspended_while_the_experts_sit() -> None:
    now = at("10-09 10:00")
    limit = reading(6, now).due
    assert limit is not None
    assert limit.state == clock.LimitState.SUSPENDED
    assert reading(6, now).light(now).code == "pause"


def test_a_reading_from_an_earlier_position_does_not_know_what_came_later() -> None:
    now = at("11-02 10:00")
    early = reading(13, now, known=105).limit("promised")
    late = reading(13, now, known=113).limit("promised")
    assert early is not None
    assert late is not None
    assert (early.due.date(), early.met) == (date(2026, 10, 26), False)
    assert (late.due.date(), late.met) == (date(2026, 11, 9), True)


def test_the_time_ledger_sums_to_the_whole_to_the_minute() -> None:
    found = timeledger.spans(events(), until=at("11-20 00:00"))
    assert [(span.kind, span.length) for span in found] == [
        (HolderKind.WINDOW, timedelta(hours=53, minutes=40)),
        (HolderKind.APPLICANT, timedelta(hours=115, minutes=5)),
        (HolderKind.WINDOW, timedelta(minutes=15)),
        (HolderKind.HANDING_OVER, timedelta(hours=3, minutes=40)),
        (HolderKind.DEPARTMENT, timedelta(hours=75)),
        (HolderKind.SPECIAL, timedelta(hours=496)),
        (HolderKind.DEPARTMENT, timedelta(hours=319)),  # the reviewer's
        (HolderKind.DEPARTMENT, timedelta(minutes=30)),  # the approver's: 319:30 in all
        (HolderKind.HANDING_OVER, timedelta(hours=16, minutes=40)),
        (HolderKind.APPLICANT, timedelta(hours=96, minutes=50)),
    ]
    assert [s.charged_kind for s in found if s.kind == HolderKind.HANDING_OVER] == [
        HolderKind.WINDOW,
        HolderKind.DEPARTMENT,
    ]
    assert sum((s.length for s in found), timedelta()) == timedelta(hours=1176, minutes=40)


def test_the_table_lets_every_event_of_the_story_pass() -> None:
    told = events()
    for index, (when, kind, actor, _, body) in enumerate(STORY):
        lifecycle.admit(
            lifecycle.fold(told[:index]),
            kind,
            at=at(when),
            now=at(when),
            actor=actor or None,
            body=body,
            case_kind="promised",
        )
    standing = lifecycle.fold(told)
    assert (standing.state, standing.outcome, standing.version) == (State.CLOSED, "granted", 13)
    assert standing.holder.kind == HolderKind.NONE


@pytest.mark.parametrize(
    ("count", "kind", "actor", "body", "code"),
    [
        (1, "granted", "approver", {}, "lifecycle.not_allowed"),
        (5, "suspended", "reviewer", {"procedure": "site_visit", "days": 3}, "lifecycle.ninth_reason"),
        (5, "suspended", "reviewer", {"procedure": "hearing", "days": 0}, "lifecycle.days_untold"),
        (5, "resumed", "reviewer", {}, "lifecycle.not_suspended"),
        (6, "granted", "approver", {}, "lifecycle.suspended"),
        (5, "granted", "clerk", {}, "lifecycle.two_people"),
        (5, "refused", "approver", {}, "lifecycle.no_reasons"),
        (5, "extended", "head", {"days": 11}, "lifecycle.extension_days"),
        (5, "forwarded", "reviewer", {}, "lifecycle.not_forwarded_item"),
        (13, "accepted", "clerk", {}, "lifecycle.not_allowed"),
        (0, "accepted", "clerk", {}, "lifecycle.not_allowed"),
        (5, "dance", "clerk", {}, "lifecycle.unknown"),
    ],
)  # fmt: skip
def test_what_the_table_does_not_allow_is_refused(
    count: int, kind: str, actor: str, body: dict[str, object], code: str
) -> None:
    now = at("11-03 09:00")
    with pytest.raises(Refusal) as refused:
        lifecycle.admit(
            lifecycle.fold(events(count)), kind, at=now, now=now, actor=actor, body=body,
            case_kind="promised",
        )  # fmt: skip
    assert refused.value.code == code
