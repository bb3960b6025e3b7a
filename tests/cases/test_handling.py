"""In the department: returns, opinions, visits, special procedures, extensions, forwarding."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tests.cases.people import FOOD, Told, actor, moment, received
from zhengwu.accounts import services as people
from zhengwu.cases import loading, services
from zhengwu.cases.services import CaseNotFound
from zhengwu.documents import queries as documents
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"
HEAD = "p-water-head"


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as answer:
        act()
    return answer.value


def taken() -> Told:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 14:00")
    return case


def loaded(case: Told, who: str = REVIEWER) -> loading.Loaded:
    return loading.load(actor(who), case.number)


# --- within the flow -------------------------------------------------------------------------


def test_a_step_goes_back_to_whoever_did_it_and_the_clock_runs_on() -> None:
    case = taken()
    before = loaded(case).read(moment("09-21 09:00")).limit("promised")
    case.do(REVIEWER, "step_done", "09-15 10:00", {"opinion": "建议准予", "advice": "grant"})
    case.do(APPROVER, "step_taken", "09-15 14:00")
    reasonless = refused(
        lambda: case.do(APPROVER, "step_returned", "09-16 09:00", {"back_to": "review"})
    )
    assert reasonless.field == "reasons"
    case.do(
        APPROVER, "step_returned", "09-16 09:00", {"back_to": "review", "reasons": "缺水量平衡计算"}
    )
    now = loaded(case)
    assert now.current_step().code == "review"  # type: ignore[union-attr]
    assert now.standing.holder.post == "420100-water-review"
    after = now.read(moment("09-21 09:00")).limit("promised")
    assert before
    assert after
    assert (after.due, after.state) == (before.due, before.state)
    case.do(REVIEWER, "step_taken", "09-16 10:00")
    case.do(REVIEWER, "step_done", "09-17 10:00", {"opinion": "已补正计算"})
    case.do(APPROVER, "step_taken", "09-17 14:00")
    case.do(APPROVER, "granted", "09-18 10:00")


def test_a_visit_to_the_site_takes_two_and_stops_no_clock() -> None:
    case = taken()
    alone = refused(
        lambda: case.do(
            REVIEWER, "inspected", "09-15 10:00",
            {"inspector-p-water-reviewer": "on", "found": "取水口与图纸一致"},
        )
    )  # fmt: skip
    assert (alone.code, alone.article) == ("lifecycle.inspectors", "行政许可法 第三十四条第三款")
    case.do(
        REVIEWER, "inspected", "09-15 16:00",
        {
            "inspector-p-water-reviewer": "on", "inspector-p-water-approver": "on",
            "found": "取水口与图纸一致", "occurred": "2026-09-15T10:00",
        },
    )  # fmt: skip
    event = loaded(case).events[-1]
    assert event.occurred == moment("09-15 10:00")
    assert event.body["people"] == ["p-water-approver", "p-water-reviewer"]
    assert not loaded(case).standing.suspended


def test_another_organ_is_asked_sees_the_case_and_answers_once() -> None:
    case = taken()
    market = "p-market-reviewer"
    with pytest.raises(CaseNotFound):
        loaded(case, market)
    asked = {"organ": "江城市市场监督管理局", "question": "该公司登记是否有效？", "days": "5"}
    case.do(REVIEWER, "opinion_requested", "09-15 10:00", asked)
    assert refused(lambda: case.do(REVIEWER, "opinion_requested", "09-15 10:05", asked)).code == (
        "case.asked_already"
    )
    assert refused(
        lambda: case.do(REVIEWER, "opinion_given", "09-15 11:00", {"view": "agree", "opinion": "x"})
    ).code in ("case.not_asked", "case.not_permitted")
    case.do(market, "opinion_given", "09-16 09:00", {"view": "agree", "opinion": "登记有效"})
    again = refused(
        lambda: case.do(market, "opinion_given", "09-16 09:10", {"view": "agree", "opinion": "x"})
    )
    assert again.code in ("case.not_now", "case.not_asked")
    assert loaded(case).standing.asking == ()
    # Asked is not in charge: nothing else of the case is theirs to do.
    assert refused(lambda: case.do(market, "granted", "09-16 10:00")).code == "case.not_permitted"


def test_an_unknown_organ_is_not_asked() -> None:
    case = taken()
    form = {"organ": "没有这个局", "question": "？", "days": "5"}
    assert refused(lambda: case.do(REVIEWER, "opinion_requested", "09-15 10:00", form)).field == (
        "organ"
    )


# --- special procedures ----------------------------------------------------------------------


def test_a_ninth_reason_for_suspension_is_refused_with_the_eight() -> None:
    case = taken()
    ninth = refused(
        lambda: case.do(REVIEWER, "suspended", "09-15 10:00", {"procedure": "site", "days": "3"})
    )
    assert ninth.code == "lifecycle.ninth_reason"
    assert "专家评审" in ninth.sentence


@pytest.mark.parametrize("days", ["", "0", "-1", "1.5", "201", "三", "1e2", "9" * 30])
def test_the_days_of_a_special_procedure_are_a_whole_number_told(days: str) -> None:
    case = taken()
    wrong = refused(
        lambda: case.do(
            REVIEWER, "suspended", "09-15 10:00", {"procedure": "hearing", "days": days}
        )
    )
    assert (wrong.field, wrong.article) == ("days", "行政许可法 第四十五条")


def test_a_special_procedure_is_told_in_writing_and_ends_not_before_it_began() -> None:
    case = taken()
    done = case.do(REVIEWER, "suspended", "09-15 10:00", {"procedure": "hearing", "days": "10"})
    text = str(documents.frozen(str(done.document)))
    assert "听证" in text
    assert "10 个工作日" in text or "10个工作日" in text
    early = refused(
        lambda: case.do(REVIEWER, "resumed", "09-20 10:00", {"occurred": "2026-09-15T09:00"})
    )
    assert (early.code, early.field) == ("case.resumed_before_start", "occurred")
    case.do(REVIEWER, "resumed", "09-21 10:00", {"occurred": "2026-09-18T17:00"})
    event = loaded(case).events[-1]
    assert (event.occurred, event.recorded > event.occurred) == (moment("09-18 17:00"), True)


def test_of_two_procedures_under_way_one_is_named_to_end() -> None:
    case = taken()
    case.do(REVIEWER, "suspended", "09-15 10:00", {"procedure": "hearing", "days": "10"})
    case.do(REVIEWER, "suspended", "09-16 10:00", {"procedure": "testing", "days": "10"})
    assert refused(lambda: case.do(REVIEWER, "resumed", "09-18 10:00")).field == "procedure"
    case.do(REVIEWER, "resumed", "09-18 10:00", {"procedure": "hearing"})
    assert loaded(case).standing.procedures == ("testing",)


def test_a_procedure_entered_late_counts_from_when_it_began_and_the_former_reading_stays() -> None:
    case = taken()
    before = loaded(case).read(moment("09-20 10:00")).limit("promised")
    ledger.catch_up()
    known = loaded(case).events[-1].position
    case.do(
        REVIEWER,
        "suspended",
        "09-20 10:00",
        {"procedure": "testing", "days": "5", "occurred": "2026-09-16T09:00"},
    )
    event = loaded(case).events[-1]
    assert (event.occurred, event.recorded > event.occurred) == (moment("09-16 09:00"), True)
    case.do(REVIEWER, "resumed", "09-21 09:00")
    after = loaded(case).read(moment("09-21 10:00")).limit("promised")
    then = loaded(case).read(moment("09-21 10:00"), known=known).limit("promised")
    assert before
    assert after
    assert then
    calendar = loaded(case).edition().calendar
    held = calendar.working_days_between(date(2026, 9, 16), date(2026, 9, 21))
    assert calendar.working_days_between(before.due.date(), after.due.date()) == held
    assert then.due == before.due


def test_a_procedure_cannot_begin_before_the_acceptance_or_in_the_future() -> None:
    case = taken()
    form = {"procedure": "testing", "days": "5"}
    early = refused(
        lambda: case.do(
            REVIEWER, "suspended", "09-20 10:00", {**form, "occurred": "2026-09-13T09:00"}
        )
    )
    assert (early.code, early.field) == ("lifecycle.before_receipt", "occurred")
    late = refused(
        lambda: case.do(
            REVIEWER, "suspended", "09-20 10:00", {**form, "occurred": "2026-09-25T09:00"}
        )
    )
    assert (late.code, late.field) == ("lifecycle.future", "occurred")
    assert not loaded(case).standing.suspended


# --- extension -------------------------------------------------------------------------------


def test_only_the_head_extends_once_with_reasons_before_expiry() -> None:
    case = taken()
    form = {"days": "10", "reasons": "需要核对跨流域水量"}
    assert refused(lambda: case.do(REVIEWER, "extended", "09-20 10:00", form)).code == (
        "case.not_permitted"
    )
    assert refused(lambda: case.do(HEAD, "extended", "09-20 10:00", {"days": "10"})).field == (
        "reasons"
    )
    assert refused(
        lambda: case.do(HEAD, "extended", "09-20 10:00", {**form, "days": "11"})
    ).field == ("days")
    due = loaded(case).read(moment("09-20 10:00")).limit("promised")
    done = case.do(HEAD, "extended", "09-20 10:00", form)
    later = loaded(case).read(moment("09-20 11:00")).limit("promised")
    assert due
    assert later
    assert later.due > due.due
    text = str(documents.frozen(str(done.document)))
    assert "核对跨流域水量" in text
    assert refused(lambda: case.do(HEAD, "extended", "09-21 10:00", form)).code == (
        "lifecycle.extended_twice"
    )


def test_an_extension_after_expiry_is_refused() -> None:
    case = taken()
    late = refused(
        lambda: case.do(HEAD, "extended", "12-20 10:00", {"days": "5", "reasons": "来不及"})
    )
    assert late.code == "lifecycle.extended_late"


# --- forwarded items -------------------------------------------------------------------------


def test_a_forwarded_item_leaves_for_the_higher_organ_and_comes_back() -> None:
    case = received(item=FOOD, who="p-market-clerk")
    reviewer, approver = "p-market-reviewer", "p-market-approver"
    case.do("p-market-clerk", "accepted", "09-14 10:00")
    case.do(reviewer, "step_taken", "09-14 14:00")
    case.do(reviewer, "step_done", "09-15 10:00", {"opinion": "初审合格"})
    case.do(approver, "step_taken", "09-15 11:00")
    early = refused(lambda: case.do(approver, "granted", "09-15 12:00"))
    assert (early.code, early.article) == ("lifecycle.not_back", "行政许可法 第四十三条")
    letter = {"organ": "省市场监督管理局", "opinion": "初审合格，建议准予"}
    done = case.do(approver, "forwarded", "09-16 10:00", letter)
    assert "省市场监督管理局" in str(documents.frozen(str(done.document)))
    away = loaded(case, approver)
    assert (away.standing.state, away.standing.holder.kind) == ("forwarded", "higher")
    case.do(
        approver, "came_back", "09-30 10:00",
        {"view": "approved", "number": "省市监许〔2026〕12 号", "occurred": "2026-09-29T15:00"},
    )  # fmt: skip
    back = loaded(case, approver)
    assert back.standing.holder.post == "420100-market-decide"
    paused = back.read(moment("09-30 11:00")).limit("promised")
    assert paused
    assert any("转报上级" in line.text for line in paused.lines)
    case.do(approver, "granted", "09-30 11:00")


def test_a_promised_item_is_not_sent_up() -> None:
    case = taken()
    form = {"organ": "省水利厅", "opinion": "请批示"}
    assert refused(lambda: case.do(REVIEWER, "forwarded", "09-15 10:00", form)).code == (
        "lifecycle.not_forwarded_item"
    )


# --- no case without a holder ----------------------------------------------------------------


def test_a_case_not_yet_accepted_is_handed_from_window_to_window_and_taken_by_name() -> None:
    case = received()
    wrong = refused(
        lambda: case.do(CLERK, "handed_over", "09-14 11:00", {"to": "420100-water-review"})
    )
    assert (wrong.code, wrong.field) == ("case.unknown_colleague", "to")
    other = "420100-water-window-2"
    people.add_post(
        other, name="窗口", kind="window", agency="420100-water", hall="H420100", window="B24"
    )
    people.add_person(
        "p-water-clerk3", name="江水夜班", agency="420100-water", posts=[(other, "A")],
        holds=[("clerk", "420100-water")], since=moment("01-01 09:00"),
    )  # fmt: skip
    case.do(CLERK, "handed_over", "09-14 11:00", {"to": other, "note": "交班"})
    under_way = loaded(case, CLERK).standing.holder
    assert (under_way.kind, under_way.charged_to) == ("handing_over", "420100-water")
    busy = refused(lambda: case.do(CLERK, "accepted", "09-14 11:05"))
    assert busy.code == "case.under_way"
    case.do("p-water-clerk3", "step_taken", "09-14 11:10")
    held = loaded(case, CLERK).standing.holder
    assert (held.kind, held.post, held.actor) == ("window", other, "p-water-clerk3")
    case.do("p-water-clerk3", "accepted", "09-14 11:20")


# --- many at once ----------------------------------------------------------------------------


def test_like_cases_are_decided_together_with_a_result_for_each() -> None:
    cases = [taken() for _ in range(3)]
    moved = cases[1]
    picked = [(c.number, loaded(c).version) for c in cases]
    moved.do(REVIEWER, "inspected", "09-15 09:00", {
        "inspector-p-water-reviewer": "on", "inspector-p-water-approver": "on", "found": "属实",
    })  # fmt: skip
    key = "7a1c2f8e-3b1d-4c55-9a8e-1f1f1f1f1f1f"
    for _ in range(2):  # the same submission twice is one
        results = services.perform_many(
            actor(APPROVER), picked, "granted", key=key, form={}, at=moment("09-15 10:00")
        )
        assert [r.done is not None for r in results] == [True, False, True]
    assert "新进展" in results[1].sentence
    assert len({r.done.document for r in results if r.done}) == 2


def test_unlike_cases_and_too_many_are_not_decided_together() -> None:
    water, gauges = taken(), received(item="XK0037")
    gauges.do(CLERK, "accepted", "09-14 10:00")
    unlike = refused(
        lambda: services.perform_many(
            actor(APPROVER), [(water.number, 3), (gauges.number, 2)], "granted",
            key="7a1c2f8e-3b1d-4c55-9a8e-1f1f1f1f1f1f", form={}, at=moment("09-15 10:00"),
        )
    )  # fmt: skip
    assert unlike.code == "batch.unlike"
    many = [(f"JC2026090{n:05d}", 1) for n in range(services.MOST + 1)]
    assert refused(
        lambda: services.perform_many(
            actor(APPROVER), many, "granted", key="7a1c2f8e-3b1d-4c55-9a8e-1f1f1f1f1f1f",
            form={}, at=moment("09-15 10:00"),
        )
    ).code == "batch.too_many"  # fmt: skip


def test_a_hand_over_during_a_special_procedure_is_taken_during_it() -> None:
    case = taken()
    case.do(REVIEWER, "suspended", "09-15 10:00", {"procedure": "hearing", "days": "10"})
    case.do(HEAD, "handed_over", "09-15 11:00", {"to": "420100-water-review"})
    case.do(REVIEWER, "step_taken", "09-16 09:00")
    assert loaded(case).standing.holder.kind == "special"
    case.do(REVIEWER, "resumed", "09-18 10:00")
    held = loaded(case).standing.holder
    assert (held.kind, held.actor) == ("department", REVIEWER)


def test_the_true_end_of_an_overlapping_procedure_is_entered_late() -> None:
    case = taken()
    case.do(REVIEWER, "suspended", "09-15 10:00", {"procedure": "hearing", "days": "10"})
    case.do(REVIEWER, "suspended", "09-16 10:00", {"procedure": "testing", "days": "10"})
    case.do(
        REVIEWER, "resumed", "09-22 10:00", {"procedure": "testing", "occurred": "2026-09-21T10:00"}
    )
    case.do(REVIEWER, "resumed", "09-22 10:05", {"occurred": "2026-09-18T10:00"})
    assert not loaded(case).standing.suspended


def test_an_extension_saves_no_promise_that_was_overrun_already() -> None:
    case = taken()
    before = loaded(case).read(moment("10-28 10:00")).limit("promised")
    assert before
    assert before.met is False
    case.do(HEAD, "extended", "10-28 10:00", {"days": "10", "reasons": "核对水量"})
    after = loaded(case).read(moment("10-28 11:00")).limit("promised")
    statutory = loaded(case).read(moment("10-28 11:00")).limit("statutory")
    assert after
    assert statutory
    assert (after.due, after.met) == (before.due, False)
    assert statutory.state == "extended"


def test_an_opinion_asked_of_the_wrong_organ_is_undone_and_its_sight_ends() -> None:
    case = taken()
    asked = {"organ": "江城市市场监督管理局", "question": "登记是否有效？", "days": "5"}
    case.do(REVIEWER, "opinion_requested", "09-15 10:00", asked)
    market = actor("p-market-reviewer", "09-15 10:00")
    assert loading.load(market, case.number)
    services.undo(
        actor(REVIEWER), case.number, version=loaded(case).version,
        key="7a1c2f8e-3b1d-4c55-9a8e-2f2f2f2f2f2f", at=moment("09-15 10:00"),
    )  # fmt: skip
    with pytest.raises(CaseNotFound):
        loading.load(actor("p-market-reviewer", "09-15 10:01"), case.number)


def test_against_the_higher_organs_answer_nothing_is_decided() -> None:
    case = received(item=FOOD, who="p-market-clerk")
    approver = "p-market-approver"
    case.do("p-market-clerk", "accepted", "09-14 10:00")
    case.do("p-market-reviewer", "step_taken", "09-14 14:00")
    letter = {"organ": "省市场监督管理局", "opinion": "初审合格"}
    case.do("p-market-reviewer", "forwarded", "09-15 10:00", letter)
    reply = {"view": "rejected", "number": "省市监许〔2026〕12 号"}
    case.do("p-market-reviewer", "came_back", "09-30 10:00", reply)
    against = refused(lambda: case.do(approver, "granted", "09-30 11:00"))
    assert against.code == "lifecycle.against_answer"
    case.do(approver, "refused", "09-30 11:00", {"reasons": "上级机关不同意", "grounds": "basis"})


def test_an_approver_elsewhere_needs_a_written_authorisation_like_anybody() -> None:
    people.add_person(
        "p-both", name="双岗", agency="420100-market",
        holds=[("approver", "420100-water"), ("clerk", "420100-market")],
        since=moment("01-01 09:00"),
    )  # fmt: skip
    case = received(item="XK0054", who="p-market-clerk")
    case.do("p-market-clerk", "accepted", "09-14 09:25")
    outside = refused(lambda: case.do("p-both", "granted", "09-14 09:30"))
    assert outside.code in ("authorisation.none", "authorisation.other_window", "case.not_holder")


def test_what_the_review_list_denies_is_not_granted() -> None:
    case = taken()
    denied = refused(lambda: case.do(APPROVER, "granted", "09-15 10:00", {"check-01": "no"}))
    assert denied.code == "case.check_unmet"


def test_silence_is_acceptance_even_while_no_worker_runs() -> None:
    case = received("09-14 09:20", missing=1)
    late = refused(lambda: case.do(CLERK, "supplement_requested", "09-24 10:00"))
    assert late.code == "lifecycle.not_allowed"
    now = loaded(case, CLERK)
    assert [e.kind for e in now.events] == ["received", "deemed_accepted"]
    assert now.standing.accepted_at == moment("09-14 09:20")
    assert now.standing.holder.kind == "handing_over"


# --- a year that is not published yet --------------------------------------------------------


def test_a_paper_says_that_a_day_of_an_unpublished_year_is_provisional() -> None:
    case = received("12-18 09:20")
    done = case.do(CLERK, "accepted", "12-18 10:00")
    limit = loaded(case).read(moment("12-18 11:00")).limit("promised")
    assert limit
    assert limit.provisional
    assert "暂定" in str(documents.frozen(str(done.document)))


def test_the_letter_of_an_extension_names_the_day_that_the_extension_really_moved() -> None:
    case = taken()
    done = case.do(HEAD, "extended", "10-28 10:00", {"days": "10", "reasons": "核对水量"})
    statutory = loaded(case).read(moment("10-28 11:00")).limit("statutory")
    assert statutory  # the promise was over by then: the letter does not speak of it
    day = statutory.last.day
    said = str(documents.frozen(str(done.document)))
    assert f"延长后的办理期限至 {day.year} 年 {day.month} 月 {day.day} 日" in said
