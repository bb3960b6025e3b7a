"""Cases that go every way the law knows, by lawful acts, for whoever counts them."""

from __future__ import annotations

from uuid import uuid4

from tests.cases.people import FOOD, REGISTRATION, Told, actor, golden, moment, received
from tests.conftest import Kept
from zhengwu.cases import loading, services

CLERK, OTHER, HEAD = "p-water-clerk", "p-water-clerk2", "p-water-head"
REVIEWER, APPROVER = "p-water-reviewer", "p-water-approver"
MARKET_CLERK, MARKET_REVIEWER, MARKET_APPROVER = (
    "p-market-clerk", "p-market-reviewer", "p-market-approver",
)  # fmt: skip


# Entered later than they happened: when.
LATER = {
    moment("09-16 09:00"): moment("09-21 10:00"),
    moment("09-29 15:00"): moment("10-09 10:00"),
    moment("10-21 09:00"): moment("10-23 10:00"),
}


def entered_when_made(kept: Kept) -> None:
    """The log as if every entry had been made, and had reached us, on its day."""
    later = " ".join("WHEN occurred = %s THEN %s::timestamptz" for _ in LATER)
    kept.database.execute(
        "UPDATE ledger_event e SET recorded = made.at, received = made.at FROM (SELECT id,"
        f" max(CASE {later} ELSE occurred END) OVER (PARTITION BY stream_id ORDER BY version) AS at"
        " FROM ledger_event WHERE stream = 'case') made WHERE made.id = e.id".encode(),
        [one for pair in LATER.items() for one in pair],
    )


def every_way() -> None:
    """The worked story and thirteen others."""
    golden()
    revoked_long_after()
    forwarded()
    decided_at_the_window()
    refused_and_not_ours()
    withdrawn_and_terminated()
    asked_twice()
    accepted_twice()
    delivered_twice()
    entered_late()
    two_procedures()
    too_late()
    deemed()
    undone()


def taken(when: str = "09-14") -> Told:
    case = received(f"{when} 09:20")
    case.do(CLERK, "accepted", f"{when} 10:00")
    case.do(REVIEWER, "step_taken", f"{when} 14:00")
    return case


def out(case: Told, granted: str, delivered: str) -> None:
    """Decided, made and handed out."""
    case.do(APPROVER, "granted", granted)
    case.do(APPROVER, "licence_made", granted)
    case.do(CLERK, "step_taken", delivered)
    case.do(CLERK, "ready", delivered)
    case.do(CLERK, "delivered", delivered, {"means": "signature", "proof": "何晓岚"})


def revoked_long_after() -> None:
    case = taken()
    out(case, "09-17 10:00", "09-18 09:00")
    case.do(APPROVER, "revoked", "11-20 10:00", {"reasons": "以欺骗手段取得"})


def forwarded() -> None:
    case = received(item=FOOD, who=MARKET_CLERK)
    case.do(MARKET_CLERK, "accepted", "09-14 10:00")
    case.do(MARKET_REVIEWER, "step_taken", "09-14 14:00")
    case.do(MARKET_REVIEWER, "step_done", "09-15 10:00", {"opinion": "初审合格"})
    case.do(MARKET_APPROVER, "step_taken", "09-15 11:00")
    letter = {"organ": "省市场监督管理局", "opinion": "初审合格，建议准予"}
    case.do(MARKET_APPROVER, "forwarded", "09-16 10:00", letter)
    answer = {"view": "approved", "number": "省市监许〔2026〕12 号", "occurred": "2026-09-29T15:00"}
    case.do(MARKET_APPROVER, "came_back", "10-09 10:00", answer)
    case.do(MARKET_APPROVER, "granted", "10-12 11:00")
    case.do(MARKET_APPROVER, "licence_made", "10-12 11:30")
    case.do(MARKET_CLERK, "step_taken", "10-13 09:00")
    case.do(MARKET_CLERK, "ready", "10-13 09:10")
    case.do("p-market-cashier", "fee_paid", "10-13 10:00", {"how": "paid", "ticket": "4201-1"})
    case.do(MARKET_CLERK, "delivered", "10-14 09:00", {"means": "signature", "proof": "签收"})


def decided_at_the_window() -> None:
    case = received(item=REGISTRATION, who=MARKET_CLERK)
    case.do(MARKET_CLERK, "accepted", "09-14 09:30")
    case.do(MARKET_CLERK, "granted", "09-14 09:40")
    case.do(MARKET_CLERK, "delivered", "09-14 09:45", {"means": "signature", "proof": "签收"})


def refused_and_not_ours() -> None:
    received().do(CLERK, "not_ours", "09-14 10:00", {"organ": "市市场监督管理局"})
    received("09-14 16:30").do(
        CLERK, "not_needed", "09-18 10:00",
        {"reasons": "所申请的活动不需要取得行政许可。", "grounds": "basis"},
    )  # fmt: skip
    case = taken("09-15")
    case.do(APPROVER, "refused", "09-17 10:00", {"reasons": "不符合条件", "grounds": "condition:1"})
    case.do(CLERK, "step_taken", "09-18 09:00")
    case.do(CLERK, "delivered", "09-18 09:30", {"means": "post", "proof": "EMS1234567890"})


def withdrawn_and_terminated() -> None:
    taken().do(CLERK, "withdrawn", "09-16 10:00", {"reasons": "申请人调整了计划。"})
    taken().do(
        APPROVER, "terminated", "09-15 10:00", {"ground": "dissolved", "reasons": "单位已经注销"}
    )


def asked_twice() -> None:
    case = received(missing=1)
    case.do(CLERK, "supplement_requested", "09-16 15:00")
    case.do(CLERK, "supplemented", "09-21 10:05", {"material-03": "received"})
    more = {"material-02": "faulty", "why-02": "页数不全", "again": "引用了另一份缺页的报告"}
    case.do(CLERK, "supplement_requested", "09-22 10:00", more)


def accepted_twice() -> None:
    """An entry is withdrawn days after it was made, and made again."""
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    form = {"version": "2", "reasons": "录错了事项"}
    case.do(CLERK, "withdrawal_proposed", "09-17 10:10", form)
    case.do(OTHER, "entry_withdrawn", "09-17 10:20", {"version": "2"})
    case.do(CLERK, "accepted", "09-17 10:30")


def delivered_twice() -> None:
    """A closing is withdrawn with the delivery it followed, and comes again."""
    case = golden()
    told = loading.load(actor(CLERK), case.number).events
    form = {
        "version": str(next(one.version for one in told if one.kind == "delivered")),
        "reasons": "还没有签收",
    }
    case.do(CLERK, "withdrawal_proposed", "11-02 11:00", form)
    case.do(OTHER, "entry_withdrawn", "11-02 11:10", form)
    case.do(CLERK, "delivered", "11-05 10:00", {"means": "signature", "proof": "何晓岚"})


def entered_late() -> None:
    case = taken()
    late = {"procedure": "testing", "days": "5", "occurred": "2026-09-16T09:00"}
    case.do(REVIEWER, "suspended", "09-21 10:00", late)
    case.do(REVIEWER, "resumed", "09-22 09:00")
    out(case, "10-12 10:00", "10-13 09:00")


def two_procedures() -> None:
    """Overlapping, and handed to a colleague meanwhile."""
    case = taken()
    case.do(REVIEWER, "suspended", "09-15 10:00", {"procedure": "hearing", "days": "10"})
    case.do(HEAD, "handed_over", "09-15 11:00", {"to": "420100-water-review"})
    case.do(REVIEWER, "step_taken", "09-16 09:00")
    case.do(REVIEWER, "suspended", "09-16 10:00", {"procedure": "testing", "days": "10"})
    case.do(
        REVIEWER, "resumed", "09-22 10:00", {"procedure": "testing", "occurred": "2026-09-21T10:00"}
    )
    case.do(REVIEWER, "resumed", "09-22 10:05", {"occurred": "2026-09-18T10:00"})
    case.do(REVIEWER, "suspended", "09-23 11:00", {"procedure": "appraisal", "days": "10"})
    case.do(HEAD, "handed_over", "09-24 10:00", {"to": "420100-water-review"})
    case.do(REVIEWER, "step_taken", "09-24 11:00")
    case.do(REVIEWER, "resumed", "09-24 15:00")
    case.do(REVIEWER, "step_done", "09-25 10:00", {"opinion": "材料属实，符合条件。"})
    case.do(APPROVER, "step_taken", "09-25 15:00")
    out(case, "09-28 10:00", "09-29 09:00")


def too_late() -> None:
    """The promise is overrun, then extended and suspended: neither saves it."""
    case = taken()
    case.do(HEAD, "extended", "10-28 10:00", {"days": "10", "reasons": "核对水量"})
    case.do(REVIEWER, "suspended", "10-29 10:00", {"procedure": "testing", "days": "5"})
    case.do(REVIEWER, "resumed", "11-05 09:00")
    out(case, "11-06 10:00", "11-09 09:00")


def deemed() -> None:
    """Nobody answered in time: accepted by law."""
    case = received("09-14 18:20", missing=1)
    services.deem_accepted(at=moment("09-24 10:00"))
    case.do(REVIEWER, "step_taken", "09-24 14:00")
    out(case, "09-28 10:00", "09-29 09:00")


def undone() -> None:
    case = taken()
    services.undo(
        actor(REVIEWER), case.number,
        version=loading.load(actor(REVIEWER), case.number).version, key=str(uuid4()),
        at=moment("09-14 14:00"),
    )  # fmt: skip
