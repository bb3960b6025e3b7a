"""What went wrong, lawfully mended: nothing is rewritten, everything stays visible."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.cases.people import Told, actor, golden, moment, received
from zhengwu.cases import loading, services
from zhengwu.documents import queries as documents
from zhengwu.domain.refusal import Refusal

pytestmark = pytest.mark.usefixtures("town")
CLERK, OTHER, REVIEWER = "p-water-clerk", "p-water-clerk2", "p-water-reviewer"
APPROVER = "p-water-approver"


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as answer:
        act()
    return answer.value


def loaded(case: Told) -> loading.Loaded:
    return loading.load(actor(CLERK), case.number)


def papers(case: Told) -> dict[str, documents.OfCase]:
    return {p.kind: p for p in documents.of_stream(loaded(case).id)}


def test_a_wrong_entry_is_withdrawn_by_its_post_and_a_second_person() -> None:
    case = received()
    notice = case.do(CLERK, "accepted", "09-14 10:00").document
    by_another = refused(
        lambda: case.do(
            REVIEWER, "withdrawal_proposed", "09-14 10:10", {"version": "2", "reasons": "x"}
        )
    )
    assert by_another.code == "case.not_your_entry"
    case.do(CLERK, "withdrawal_proposed", "09-14 10:10", {"version": "2", "reasons": "录错了事项"})
    assert loaded(case).standing.state == "handling"  # proposed is not withdrawn
    alone = refused(lambda: case.do(CLERK, "entry_withdrawn", "09-14 10:11", {"version": "2"}))
    assert alone.code == "lifecycle.second_person"
    case.do(OTHER, "entry_withdrawn", "09-14 10:20", {"version": "2"})
    now = loaded(case)
    assert now.standing.state == "received"
    assert [e.kind for e in now.events] == [
        "received", "accepted", "withdrawal_proposed", "entry_withdrawn",
    ]  # fmt: skip
    shown = documents.by_check_code(str(notice))
    assert shown
    assert shown.void_since == moment("09-14 10:20")
    # It may be accepted again, under a new number.
    again = case.do(CLERK, "accepted", "09-14 10:30").document
    fresh = documents.by_check_code(str(again))
    assert fresh
    assert fresh.void_since is None
    assert fresh.number != shown.number


def test_nothing_is_withdrawn_that_nobody_proposed_and_nothing_is_proposed_twice() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    assert refused(lambda: case.do(OTHER, "entry_withdrawn", "09-14 10:01", {"version": "2"})).code in (
        "case.not_now", "case.no_such_entry",
    )  # fmt: skip
    form = {"version": "2", "reasons": "录错"}
    case.do(CLERK, "withdrawal_proposed", "09-14 10:02", form)
    again = refused(lambda: case.do(CLERK, "withdrawal_proposed", "09-14 10:03", form))
    assert again.code in ("case.not_now", "case.no_such_entry")


@pytest.mark.parametrize("version", ["1", "0", "-1", "99", "abc", "", "²"])
def test_the_receipt_and_what_is_not_there_cannot_be_withdrawn(version: str) -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    wrong = refused(
        lambda: case.do(
            CLERK, "withdrawal_proposed", "09-14 10:01", {"version": version, "reasons": "x"}
        )
    )
    assert wrong.field == "version"


def test_a_delivered_decision_is_revoked_and_never_withdrawn_as_an_error() -> None:
    case = golden()
    decision = next(e.version for e in loaded(case).events if e.kind == "granted")
    wrong = refused(
        lambda: case.do(
            APPROVER, "withdrawal_proposed", "11-02 11:00",
            {"version": str(decision), "reasons": "录错"},
        )
    )  # fmt: skip
    assert (wrong.code, wrong.article) == ("case.decision_delivered", "行政许可法 第六十九条")


@pytest.mark.parametrize("kind", ["revoked", "cancelled", "taken_back"])
def test_a_licence_ends_by_a_decision_of_its_own_once(kind: str) -> None:
    case = golden()
    assert refused(lambda: case.do(APPROVER, kind, "11-05 10:00")).field == "reasons"
    done = case.do(APPROVER, kind, "11-05 10:00", {"reasons": "以欺骗手段取得"})
    now = loaded(case).standing
    assert (now.state, now.ended_by) == ("closed", kind)
    assert "以欺骗手段取得" in str(documents.frozen(str(done.document)))
    assert refused(lambda: case.do(APPROVER, kind, "11-06 10:00", {"reasons": "再次"})).code == (
        "case.not_now"
    )


def test_a_paper_is_corrected_under_a_new_number_and_the_old_one_is_void() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    old = papers(case)["acceptance_notice"]
    form = {
        "paper": old.check_code,
        "wrong": "江城清源水务有限公司",
        "right": "江城清泉水务有限公司",
        "reasons": "名称录错一个字",
    }
    missing = refused(
        lambda: case.do(CLERK, "document_corrected", "09-14 11:00", {**form, "wrong": "没有的字"})
    )
    assert missing.field in ("wrong", "changes")
    done = case.do(CLERK, "document_corrected", "09-14 11:00", form)
    void = documents.by_check_code(old.check_code)
    fresh = documents.by_check_code(str(done.document))
    assert void
    assert fresh
    assert void.void_since == moment("09-14 11:00")
    assert void.replaced_by == fresh.number
    assert "江城清泉水务有限公司" in str(documents.frozen(str(done.document)))


def test_a_correction_cannot_turn_a_decision_round() -> None:
    case = golden()
    old = papers(case)["decision"]
    turned = refused(
        lambda: case.do(
            APPROVER, "document_corrected", "11-03 10:00",
            {"paper": old.check_code, "wrong": "准予", "right": "不予"},
        )
    )  # fmt: skip
    assert turned.field
    still = documents.by_check_code(old.check_code)
    assert still
    assert still.void_since is None


def test_an_entry_without_a_paper_is_undone_within_seconds_by_its_maker_alone() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 10:05")
    just_now = moment("09-14 10:05")

    def undo(who: str, after: float) -> services.Done:
        return services.undo(
            actor(who), case.number, version=loaded(case).version, key=str(uuid4()),
            at=just_now + timedelta(seconds=after),
        )  # fmt: skip

    assert refused(lambda: undo(APPROVER, 5)).code == "case.undo_too_late"
    assert refused(lambda: undo(REVIEWER, 61)).code == "case.undo_too_late"
    undo(REVIEWER, 30)
    assert loaded(case).standing.holder.kind == "handing_over"
    assert refused(lambda: undo(REVIEWER, 31)).code == "case.undo_too_late"


def test_an_entry_with_a_paper_is_not_undone() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    at = moment("09-14 10:00") + timedelta(seconds=1)
    late = refused(
        lambda: services.undo(actor(CLERK), case.number, version=2, key=str(uuid4()), at=at)
    )
    assert late.code == "case.undo_too_late"


def test_a_revoked_decision_no_longer_checks_as_valid() -> None:
    case = golden()
    decision = papers(case)["decision"]
    done = case.do(APPROVER, "revoked", "11-05 10:00", {"reasons": "以欺骗手段取得"})
    shown = documents.by_check_code(decision.check_code)
    revocation = documents.by_check_code(str(done.document))
    assert shown
    assert revocation
    assert (shown.void_since, shown.replaced_by) == (moment("11-05 10:00"), revocation.number)


def test_what_a_delivered_decision_rests_on_is_not_withdrawn_either() -> None:
    case = golden()
    accepted = next(e.version for e in loaded(case).events if e.kind == "accepted")
    form = {"version": str(accepted), "reasons": "录错"}
    early = refused(lambda: case.do(CLERK, "withdrawal_proposed", "11-02 11:00", form))
    assert early.code == "case.decision_delivered"


def test_a_proposal_made_before_delivery_is_not_confirmed_after_it() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 11:00")
    case.do(APPROVER, "granted", "09-15 11:00")
    granted = {"version": "4", "reasons": "录错"}
    case.do(APPROVER, "withdrawal_proposed", "09-15 11:30", granted)
    case.do(APPROVER, "licence_made", "09-15 12:00")
    case.do(CLERK, "step_taken", "09-15 13:00")
    case.do(CLERK, "delivered", "09-15 14:00", {"means": "signature", "proof": "何晓岚"})
    late = refused(
        lambda: case.do("p-water-head", "entry_withdrawn", "09-15 15:00", {"version": "4"})
    )
    assert late.code == "case.decision_delivered"


def test_only_the_post_that_made_a_paper_or_the_head_corrects_it() -> None:
    case = golden()
    form = {
        "paper": papers(case)["decision"].check_code,
        "wrong": "江城清源水务有限公司",
        "right": "江城另一家有限公司",
        "reasons": "名称",
    }
    wrong = refused(lambda: case.do(CLERK, "document_corrected", "11-03 10:00", form))
    assert (wrong.code, wrong.field) == ("case.not_your_paper", "paper")
    case.do(APPROVER, "document_corrected", "11-03 10:00", form)


def test_a_wrong_delivery_entry_is_withdrawn_and_the_decision_stands() -> None:
    case = golden()
    delivered = next(e.version for e in loaded(case).events if e.kind == "delivered")
    form = {"version": str(delivered), "reasons": "还没有签收"}
    case.do(CLERK, "withdrawal_proposed", "11-02 11:00", form)
    case.do(OTHER, "entry_withdrawn", "11-02 11:10", {"version": str(delivered)})
    now = loaded(case).standing
    assert (now.state, now.outcome, now.closed_at) == ("decided", "granted", None)
    assert papers(case)["delivery_record"].void_since == moment("11-02 11:10")
    assert papers(case)["decision"].void_since is None
    case.do(CLERK, "delivered", "11-03 10:00", {"means": "signature", "proof": "何晓岚"})
