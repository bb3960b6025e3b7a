"""Every way a case can go at the window, and out of the house (行政许可法 32, 44)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import psycopg
import pytest

from tests.cases.people import GAUGES, INTAKE, REGISTRATION, Told, actor, moment, received
from zhengwu.cases import loading, queries, services
from zhengwu.documents import queries as documents
from zhengwu.domain.refusal import Refusal

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"
CASHIER = "p-market-cashier"


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as answer:
        act()
    return answer.value


def state(case: Told, who: str = CLERK) -> str:
    return str(loading.load(actor(who), case.number).standing.state)


def says(check: str | None) -> str:
    """All that a paper says, as one text."""
    assert check
    data = documents.frozen(check)
    return str(data)


# --- not accepted ----------------------------------------------------------------------------


def test_what_needs_no_licence_is_told_so_and_closed() -> None:
    case = received()
    done = case.do(
        CLERK,
        "not_needed",
        "09-14 10:00",
        {"reasons": "家庭生活少量取水不需要取水许可。", "grounds": "basis"},
    )
    assert state(case) == "closed"
    assert "家庭生活少量取水" in says(done.document)


def test_what_is_not_ours_names_the_organ_whose_it_is() -> None:
    case = received()
    nameless = refused(lambda: case.do(CLERK, "not_ours", "09-14 10:00", {"organ": " "}))
    assert (nameless.field, nameless.code) == ("organ", "form.required")
    own = refused(lambda: case.do(CLERK, "not_ours", "09-14 10:00", {"organ": own_name()}))
    assert own.code == "case.organ_is_own"
    done = case.do(CLERK, "not_ours", "09-14 10:00", {"organ": "市市场监督管理局"})
    text = says(done.document)
    assert "不予受理" in text
    assert "市市场监督管理局" in text
    assert "行政复议" in text
    assert state(case) == "closed"


def own_name() -> str:
    from zhengwu.accounts import queries as accounts

    return accounts.agency_name("420100-water")


def test_errors_are_corrected_on_the_spot_with_a_signature_and_the_case_stays_where_it_is() -> None:
    case = received()
    unsigned = refused(
        lambda: case.do(CLERK, "corrected_on_spot", "09-14 10:00", {"what": "更正取水地点"})
    )
    assert unsigned.field == "signer"
    case.do(CLERK, "corrected_on_spot", "09-14 10:00", {"what": "更正取水地点", "signer": "何晓岚"})
    assert state(case) == "received"


# --- one notice ------------------------------------------------------------------------------


def test_the_one_notice_lists_everything_that_is_missing_or_not_in_order() -> None:
    case = received(missing=1)
    unexplained = refused(
        lambda: case.do(CLERK, "supplement_requested", "09-14 10:00", {"material-02": "faulty"})
    )
    assert (unexplained.code, unexplained.field) == ("case.material_why", "why-02")
    done = case.do(
        CLERK,
        "supplement_requested",
        "09-14 10:00",
        {"material-02": "faulty", "why-02": "没有盖章，请盖章后重交"},
    )
    loaded = loading.load(actor(CLERK), case.number)
    assert [m.state for m in loaded.materials()] == ["received", "faulty", "missing"]
    text = says(done.document)
    for material in loaded.materials()[1:]:
        assert material.name in text
    assert "没有盖章" in text


def test_a_second_notice_needs_a_recorded_reason_and_becomes_visible() -> None:
    case = received(missing=1)
    case.do(CLERK, "supplement_requested", "09-14 10:00")
    case.do(CLERK, "supplemented", "09-15 10:00", {"material-03": "received"})
    more = {"material-02": "faulty", "why-02": "页数不全"}
    again = refused(lambda: case.do(CLERK, "supplement_requested", "09-15 11:00", more))
    assert (again.code, again.field) == ("lifecycle.asked_again", "again")
    case.do(
        CLERK, "supplement_requested", "09-15 11:00",
        {**more, "again": "补交的材料引用了另一份缺页的报告"},
    )  # fmt: skip
    event = loading.load(actor(CLERK), case.number).events[-1]
    assert event.body["more"] == ["02"]
    assert "补交" not in str(event.body)  # the words stand in an erasable row


def test_what_the_city_holds_is_not_asked_for_again() -> None:
    case = received(missing=1)
    brought = {"material-03": "held", "why-03": "电子证照库已有"}
    case.do(CLERK, "supplement_requested", "09-14 10:00")
    case.do(CLERK, "supplemented", "09-14 11:00", brought)
    case.do(CLERK, "accepted", "09-14 11:10")
    assert state(case) == "handling"


def test_complete_papers_cannot_be_asked_for() -> None:
    case = received()
    assert refused(lambda: case.do(CLERK, "supplement_requested", "09-14 10:00")).code == (
        "case.nothing_missing"
    )


# --- leaving before the decision -------------------------------------------------------------


@pytest.mark.parametrize("after", ["received", "supplementing", "handling"])
def test_an_applicant_may_withdraw_until_it_is_decided(after: str) -> None:
    case = received(missing=1 if after == "supplementing" else 0)
    if after == "supplementing":
        case.do(CLERK, "supplement_requested", "09-14 10:00")
    if after == "handling":
        case.do(CLERK, "accepted", "09-14 10:00")
        case.do(REVIEWER, "step_taken", "09-14 11:00")
    done = case.do(CLERK, "withdrawn", "09-15 10:00", {"reasons": "项目停建"})
    assert state(case) == "closed"
    assert "撤回" in says(done.document)


def test_a_case_is_terminated_by_an_approver_with_its_ground() -> None:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    form = {"ground": "dissolved", "reasons": "公司已注销登记"}
    by_clerk = refused(lambda: case.do(CLERK, "terminated", "09-15 10:00", form))
    assert by_clerk.code == "case.not_permitted"
    done = case.do(APPROVER, "terminated", "09-15 10:00", form)
    assert "公司已注销登记" in says(done.document)
    assert state(case) == "closed"


# --- immediate items -------------------------------------------------------------------------


def test_an_immediate_item_ends_at_the_window_in_one_sitting() -> None:
    case = received(item=REGISTRATION, who="p-market-clerk")
    clerk = "p-market-clerk"
    case.do(clerk, "accepted", "09-14 09:22")
    case.do(clerk, "granted", "09-14 09:24")
    case.do(clerk, "delivered", "09-14 09:26", {"means": "signature", "proof": "何晓岚"})
    assert state(case, clerk) == "closed"


def test_a_decision_outside_the_written_authorisation_is_refused_with_the_rule() -> None:
    from zhengwu.catalog import authorisations

    case = received(item=REGISTRATION, who="p-market-clerk")
    case.do("p-market-clerk", "accepted", "09-14 09:22")
    head = actor("p-market-head")
    window = actor("p-market-clerk").posts[0]
    mine = authorisations.standing(
        "p-market-clerk", item=REGISTRATION, hall=window.hall or "", window=window.window or "",
        outcome="granted", on=moment("09-14 09:00").date(),
    )  # fmt: skip
    assert mine
    authorisations.end(
        head, mine.id, reason="调离窗口", version=mine.version, key="e", at=moment("09-13 09:00")
    )
    outside = refused(lambda: case.do("p-market-clerk", "granted", "09-14 09:24"))
    assert "授权" in outside.sentence
    assert "书面授权 1 号" in outside.sentence
    assert state(case, "p-market-clerk") == "handling"


# --- fees, delivery --------------------------------------------------------------------------


def decided(item: str = INTAKE, *, at: str = "water") -> Told:
    """Granted, the licence made, the applicant told; at: whose department."""
    clerk, approver = f"p-{at}-clerk", f"p-{at}-approver"
    case = received(item=item, who=clerk)
    case.do(clerk, "accepted", "09-14 10:00")
    case.do(f"p-{at}-reviewer", "step_taken", "09-14 11:00")
    case.do(approver, "granted", "09-15 11:00")
    case.do(approver, "licence_made", "09-15 12:00", {"number": "字第 1 号"})
    case.do(clerk, "step_taken", "09-15 13:00")
    case.do(clerk, "ready", "09-15 13:05")
    return case


def test_what_is_paid_for_stops_before_delivery_until_the_cashiers_tick() -> None:
    case = decided(GAUGES, at="market")
    clerk, hand = "p-market-clerk", {"means": "signature", "proof": "何晓岚"}
    unpaid = refused(lambda: case.do(clerk, "delivered", "09-15 14:00", hand))
    assert unpaid.code == "case.fee_unpaid"
    tick = {"how": "paid", "ticket": "4201-0000123"}
    by_clerk = refused(lambda: case.do(clerk, "fee_paid", "09-15 14:00", tick))
    assert by_clerk.code == "case.not_permitted"
    case.do(CASHIER, "fee_paid", "09-15 14:05", tick)
    case.do(clerk, "delivered", "09-15 14:10", hand)
    assert state(case, clerk) == "closed"


def test_a_ticket_is_of_one_case() -> None:
    first, second = decided(GAUGES, at="market"), decided(GAUGES, at="market")
    tick = {"how": "paid", "ticket": "4201-0000123"}
    first.do(CASHIER, "fee_paid", "09-15 14:05", tick)
    twice = refused(lambda: second.do(CASHIER, "fee_paid", "09-15 14:06", tick))
    assert (twice.code, twice.field) == ("case.ticket_twice", "ticket")


def test_a_ticket_is_the_same_however_it_is_typed() -> None:
    first, second = decided(GAUGES, at="market"), decided(GAUGES, at="market")
    first.do(CASHIER, "fee_paid", "09-15 14:05", {"how": "paid", "ticket": "ab-１２ 345"})
    kept = loading.load(actor(CASHIER), first.number).events[-1].body
    assert kept["ticket"] == "AB12345"
    for typed in ("AB12345", "ＡＢ－12345", "A—B 12345"):
        same = {"how": "paid", "ticket": typed}
        twice = refused(partial(second.do, CASHIER, "fee_paid", "09-15 14:06", same))
        assert twice.code == "case.ticket_twice", typed


@pytest.mark.parametrize(
    "typed", ["张三", "ß" * 40, "ß" * 10, "A-1", "----", "AB1234五", "A" * 41, "①②③④五"]
)
def test_what_is_no_ticket_is_refused_before_anything_is_kept(typed: str) -> None:
    case = decided(GAUGES, at="market")
    form = {"how": "paid", "ticket": typed}
    said = refused(lambda: case.do(CASHIER, "fee_paid", "09-15 14:05", form))
    assert (said.code, said.field) == ("case.ticket", "ticket")


def test_a_tracking_number_serves_one_applicant() -> None:
    from tests.cases.people import PERSON

    parcel = {"means": "post", "proof": "EX123456789CN"}
    first, second = decided(), decided()
    third = received(applicant=PERSON)
    third.do(CLERK, "accepted", "09-14 10:00")
    third.do(REVIEWER, "step_taken", "09-14 11:00")
    third.do(APPROVER, "granted", "09-15 11:00")
    third.do(APPROVER, "licence_made", "09-15 12:00")
    third.do(CLERK, "step_taken", "09-15 13:00")
    first.do(CLERK, "delivered", "09-15 14:00", parcel)
    second.do(CLERK, "delivered", "09-15 14:01", parcel)  # one parcel, one applicant
    twice = refused(lambda: third.do(CLERK, "delivered", "09-15 14:02", parcel))
    assert (twice.code, twice.field) == ("case.tracking_twice", "proof")
    assert state(third) == "decided"


def test_the_delivery_record_names_what_was_handed_over() -> None:
    case = decided()
    done = case.do(CLERK, "delivered", "09-15 14:00", {"means": "signature", "proof": "何晓岚"})
    decision = next(p for p in documents.of_stream(_id(case)) if p.kind == "decision")
    assert decision.number in str(documents.frozen(str(done.document)))


def _id(case: Told):  # type: ignore[no-untyped-def]
    return loading.load(actor(CLERK), case.number).id


# --- filed away ------------------------------------------------------------------------------


def test_a_closed_case_is_filed_away_once_after_its_days(owner: Owner) -> None:
    case = decided()
    case.do(CLERK, "delivered", "09-15 14:00", {"means": "signature", "proof": "何晓岚"})
    month = timedelta(days=30)
    assert services.archive(at=moment("10-15 13:00"), after=month) == 0
    assert services.archive(at=moment("10-15 15:00"), after=month) == 1
    assert services.archive(at=moment("10-15 15:01"), after=month) == 0
    assert state(case) == "archived"
    plan = owner.execute(
        "EXPLAIN SELECT number FROM cases_case c WHERE c.closed IS NOT NULL AND c.archived IS NULL "
        "AND c.kind <> 'foreign' AND c.closed <= now() ORDER BY c.closed LIMIT 5"
    ).fetchall()
    assert plan
    view = queries.case(actor(CLERK), case.number, at=moment("10-15 16:00"))
    assert view.state_zh == "已归档"
