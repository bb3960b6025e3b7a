"""Supervision orders (督办): opened, signed, worked on, reported, returned, closed; escalated by time.

An order is addressed to an agency, or to a post of it, that somebody is there to sign for. Past its
term it is escalated and opens accountability, whoever would rather not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import connection, transaction

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import roles
from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries as calendars
from zhengwu.cases import loading, writing
from zhengwu.cases.heads import iso
from zhengwu.domain.derivation import moment_words
from zhengwu.domain.reading import SHANGHAI
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import acting, chain, issuing
from zhengwu.supervision.acting import Act, Done, Moved, NotFound, Step, no, written
from zhengwu.supervision.chain import Cause
from zhengwu.supervision.events import ORDERS, SOURCE
from zhengwu.supervision.sight import ANSWER, Sight

SIGN_DAYS, ANSWER_DAYS = 1, 5  # working days: 电子监察的通行做法
LONGEST = timedelta(days=366)  # of a new term
SUBJECTS: Mapping[str, str] = {
    "overdue": "办件超期", "card": "黄牌、红牌整改", "unanswered": "逾期没有答复",
    "conduct": "服务和作风", "duty": "交办事项", "other": "其他",
}  # fmt: skip
STATES: Mapping[str, str] = {
    "opened": "待签收", "signed": "已签收", "working": "整改中", "reported": "已反馈",
    "returned": "退回重办", "closed": "已办结",
}  # fmt: skip
_WORKED_ON = ("signed", "working", "returned")  # by whoever carries it out
_ANSWERING = tuple(role for role, acts in roles.TABLE.items() if ANSWER in acts)


@dataclass(frozen=True, slots=True)
class Order:
    """An order as its head says, with its events up to that version."""

    id: UUID
    version: int
    number: str
    finding: UUID | None
    agency: str
    region: str
    post: str | None
    person: str | None
    state: str
    answer_due: datetime
    returned: int
    events: Sequence[ledger.Entry] = ()


COLUMNS = (
    "o.id, o.version, o.number, o.finding, o.agency, o.region, o.post, o.person, o.state,"
    " o.answer_due, o.returned"
)


def load(sight: Sight, id: UUID) -> Order:
    """An order that this actor may see. Raises NotFound."""
    head = acting.row("supervision_order", "o", COLUMNS, id, sight.orders())
    return Order(*(*head, acting.events(ORDERS, id, head[1])))


# --- who may do what, when ------------------------------------------------------------------------


def _may_sign(sight: Sight, one: Order, at: datetime) -> None:
    _carrying(sight, one, "签收")
    if one.state != "opened":
        raise no("order_signed", f"{one.number}{STATES[one.state]}，不用再签收。")


def _may_work(sight: Sight, one: Order, at: datetime) -> None:
    _carrying(sight, one, "登记整改措施")
    if one.state not in ("signed", "returned"):
        raise no("order_state", _not_now(one, "签收以后、反馈以前可以登记整改措施"))


def _may_report(sight: Sight, one: Order, at: datetime) -> None:
    _carrying(sight, one, "反馈")
    if one.state not in _WORKED_ON:
        raise no("order_state", _not_now(one, "签收以后可以反馈，办结以前退回的可以再次反馈"))


def _may_give_back(sight: Sight, one: Order, at: datetime) -> None:
    _supervising(sight, one, "退回")
    if one.state != "reported":
        raise no("order_state", _not_now(one, "承办单位反馈以后才可以退回重办"))


def _may_close(sight: Sight, one: Order, at: datetime) -> None:
    _supervising(sight, one, "办结")
    if one.state == "closed":
        raise no("order_state", f"{one.number}已经办结。")


def _not_now(one: Order, rule: str) -> str:
    return f"{one.number}现在是“{STATES[one.state]}”。{rule}。"


def _carrying(sight: Sight, one: Order, verb: str) -> None:
    own = one.agency in sight.answers.agencies and one.person == sight.actor.code
    if not own and not sight.answers_for(one.agency, None, one.post):
        raise no("not_yours", f"由承办岗位或者承办机关的负责人{verb}。您没有这个权限。")


def _supervising(sight: Sight, one: Order, verb: str) -> None:
    if not sight.acts_on(one.agency):
        raise no("not_allowed", f"由监察人员{verb}。您没有这个权限。")
    if one.person == sight.actor.code:
        raise no("own_order", f"这件督办由您本人承办，应当回避，不能由您{verb}。")


ACTS: tuple[Act[Order], ...] = (
    Act("sign", "签收", "none", _may_sign),
    Act("work", "登记整改措施", "required", _may_work),
    Act("report", "反馈", "required", _may_report),
    Act("give_back", "退回重办", "required", _may_give_back),
    Act("close", "办结", "optional", _may_close),
)
_BY_KIND = {one.kind: one for one in ACTS}


# --- the verbs ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _About:
    """What an order is about."""

    finding: UUID | None = None
    case: UUID | None = None
    number: str = ""


def open_order(
    actor: Actor,
    *,
    finding: UUID | None = None,
    number: str | None = None,
    agency: str,
    post: str | None = None,
    subject: str,
    text: str,
    key: str,
    at: datetime,
) -> Done:
    """Open an order (立项督办) to an agency, or to a post of it; `Done.sentence` tells its number.

    subject: of SUBJECTS; number: of a case; text: what is to be done. Raises NotFound, CaseNotFound,
    Refusal; the same key gives the same order.
    """
    sight, post = Sight.of(actor), post or None
    if subject not in SUBJECTS:
        raise no("subject", "请从列表里选择督办的事由。", field="subject")
    text = written(text, "督办的要求")
    region = _addressed(sight, agency, post)
    request = writing.digest(
        {
            "act": "open_order", "finding": str(finding or ""), "number": number or "",
            "agency": agency, "post": post or "", "subject": subject, "text": text,
        }
    )  # fmt: skip
    key = acting.key_of(actor, key)
    if first := ledger_queries.answer(SOURCE, key):
        return acting.repeated(first, None, request)
    about = _about(sight, finding, number)
    id = uuid5(issuing.NAMESPACE, key)
    edition = calendars.edition(region)
    sign_due, answer_due = (issuing.term(edition, at, days) for days in (SIGN_DAYS, ANSWER_DAYS))
    body: dict[str, Any] = {
        "agency": agency, "subject": subject, "sign_due": iso(sign_due),
        "answer_due": iso(answer_due),
    }  # fmt: skip
    if post:
        body["post"] = post
    if about.finding:
        body["finding"] = str(about.finding)
    if about.case:
        body["case"] = str(about.case)
    year = at.astimezone(SHANGHAI).year
    row = ledger.Row(
        stream_id=id,
        expected=0,
        event=acting.event(
            actor, "opened", body=body, region=region, key=key, request=request, at=at
        ),
        head={
            # The series gives it in the same statement; it is put into the head just below.
            "number": str(id), "subject": subject, "case": str(about.case) if about.case else None,
            "case_number": about.number, "finding": str(about.finding) if about.finding else None,
            "agency": agency, "region": region, "post": post, "person": None, "opened": iso(at),
            "opened_by": actor.code, "sign_due": iso(sign_due), "answer_due": iso(answer_due),
            "state": "opened", "returned": 0,
        },
        number=ledger.Number(
            series_agency=SOURCE, series_kind="督办", year=year, prefix=f"督〔{year}〕", width=1,
            path=("number",),
        ),
        contents=(ledger.Content(path=("text",), data=text),),
    )  # fmt: skip
    with transaction.atomic():
        (outcome,) = ledger.append(ORDERS, [row])
        if outcome.status is ledger.Status.MOVED:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE supervision_order SET number = %s WHERE id = %s", [outcome.number, id]
                )
            return Done(id, 1, f"已发出 {outcome.number}。")
    first = ledger_queries.answer(SOURCE, key)
    if first is None:
        raise no("busy", "这里正在被别人办理，这次没有保存。请稍候再提交一次。")
    return acting.repeated(first, id, request)


def _addressed(sight: Sight, agency: str, post: str | None) -> str:
    """The region of an agency that may be addressed. Raises Refusal where nobody is."""
    if not agency:
        raise no("order_nobody", "督办没有写明承办机关。请选择由谁承办。", field="agency")
    found = accounts.agency(agency)
    if found is None:
        raise no("order_nobody", "没有这个机关。请从列表里选择承办机关。", field="agency")
    if not sight.acts_on(agency):
        raise no("not_allowed", f"督办由监察人员发出。您不能向{found.name}发出督办。")
    if post is not None and accounts.post_held(agency, post) is None:
        raise no(
            "order_nobody",
            f"{found.name}没有这个岗位，或者这个岗位现在没有人。请另选岗位，或者发给机关。",
            field="post",
        )
    if not any(accounts.with_role(role, agency) for role in _ANSWERING):
        raise no(
            "order_nobody",
            f"{found.name}还没有人可以签收督办。请先请安全管理员授予角色，或者发给它的上级机关。",
            field="agency",
        )
    return found.region


def _about(sight: Sight, finding: UUID | None, number: str | None) -> _About:
    if finding is not None:
        row = acting.row(
            "supervision_finding", "f", 'f.id, f."case", f.number', finding, sight.findings()
        )
        return _About(*row)
    if number:
        case = loading.load_to_act(sight.actor, number)
        return _About(None, case.id, case.number)
    return _About()


def sign(actor: Actor, id: UUID, *, version: int, key: str, at: datetime) -> Done:
    """Sign for an order (签收); whoever signs carries it out. Raises NotFound, Moved, Refusal."""

    def step(one: Order) -> Step:
        head = {"state": "signed", "signed": iso(at), "person": actor.code}
        return Step(kind="signed", sentence=f"{one.number}已签收。", head=head)

    return _act(actor, id, "sign", step, version=version, key=key, at=at)


def work(actor: Actor, id: UUID, text: str, *, version: int, key: str, at: datetime) -> Done:
    """Say what is done about it (整改措施). Raises NotFound, Moved, Refusal."""
    text = written(text, "整改措施")

    def step(one: Order) -> Step:
        return Step(
            kind="working", sentence="已登记整改措施。", head={"state": "working"}, text=text
        )

    return _act(actor, id, "work", step, version=version, key=key, at=at, text=text)


def report(actor: Actor, id: UUID, text: str, *, version: int, key: str, at: datetime) -> Done:
    """Report the result (反馈). Raises NotFound, Moved, Refusal."""
    text = written(text, "整改结果")

    def step(one: Order) -> Step:
        head = {"state": "reported", "reported": iso(at)}
        return Step(kind="reported", sentence="已反馈，等待监察人员办结。", head=head, text=text)

    return _act(actor, id, "report", step, version=version, key=key, at=at, text=text)


def give_back(
    actor: Actor,
    id: UUID,
    text: str,
    until: date | None = None,
    *,
    version: int,
    key: str,
    at: datetime,
) -> Done:
    """Give a report back (退回重办). until: the last day of the new term; None: five working days.

    Raises NotFound, Moved, Refusal.
    """
    text = written(text, "退回的理由")
    today = at.astimezone(SHANGHAI).date()
    if until is not None and not today < until <= today + LONGEST:
        raise no("until", "新的期限请填写明天以后、一年以内的日期。", field="until")

    def step(one: Order) -> Step:
        edition = calendars.edition(one.region)
        due = issuing.term(edition, at, ANSWER_DAYS)
        if until is not None:
            due = edition.close(until.toordinal())
        assert due is not None
        return Step(
            kind="returned",
            sentence=f"已退回重办，应当在 {moment_words(due)} 以前再次反馈。",
            body={"until": iso(due)},
            head={"state": "returned", "answer_due": iso(due), "returned": one.returned + 1},
            text=text,
        )

    return _act(
        actor, id, "give_back", step, version=version, key=key, at=at, text=text,
        until=str(until or ""),
    )  # fmt: skip


def close(actor: Actor, id: UUID, text: str, *, version: int, key: str, at: datetime) -> Done:
    """Bring an order to its end (办结). text: must say why where nothing was reported.

    Raises NotFound, Moved, Refusal.
    """
    text = written(text, "意见", required=False)

    def step(one: Order) -> Step:
        if one.state != "reported":
            written(text, "承办单位没有反馈而直接办结的理由")
        head = {"state": "closed", "closed": iso(at)}
        return Step(kind="closed", sentence=f"{one.number}已办结。", head=head, text=text)

    return _act(actor, id, "close", step, version=version, key=key, at=at, text=text)


def _act(
    actor: Actor,
    id: UUID,
    kind: str,
    step: Callable[[Order], Step],
    *,
    version: int,
    key: str,
    at: datetime,
    **request: str,
) -> Done:
    sight = Sight.of(actor)
    load(sight, id)
    # What time has brought comes first: a late report made before the sweep came is late all the same.
    escalate(at, only=id)

    def decided(one: Order) -> Step:
        _BY_KIND[kind].check(sight, one, at)
        return step(one)

    return acting.carry(
        ORDERS, lambda: load(sight, id), decided, actor=actor, version=version, key=key,
        request={"act": f"order.{kind}", "id": str(id), **request}, at=at,
    )  # fmt: skip


# --- what was not done in time --------------------------------------------------------------------

# Once for each term that passed: a later one, after it was given back, escalates again.
LATE = (
    "(o.state = 'opened' AND o.sign_due <= %(at)s"
    " AND (o.escalated IS NULL OR o.escalated < o.sign_due)"
    " OR o.state IN ('opened', 'signed', 'working', 'returned') AND o.answer_due <= %(at)s"
    " AND (o.escalated IS NULL OR o.escalated < o.answer_due))"
)


def escalate(at: datetime, *, most: int = 200, only: UUID | None = None) -> int:
    """Escalate the orders whose term passed and open accountability (督办升级); how many.

    Idempotent; an order and its record come in one transaction. only: this one.
    """
    narrowed = " AND o.id = %(only)s" if only is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT o.id, o.version, o.agency, o.region, o.person, o."case", o.case_number,'  # noqa: S608
            " o.finding, o.state = 'opened' AND o.answer_due > %(at)s,"
            " CASE WHEN o.answer_due <= %(at)s THEN o.answer_due ELSE o.sign_due END"
            f" FROM supervision_order o WHERE o.closed IS NULL AND {LATE}{narrowed}"
            " ORDER BY o.answer_due LIMIT %(most)s",
            {"at": at, "most": most, "only": only},
        )
        late = cursor.fetchall()
    done = 0
    for id, version, agency, region, person, case, number, finding, unsigned, due in late:
        what = "sign" if unsigned else "answer"
        row = ledger.Row(
            stream_id=id,
            expected=version,
            event=ledger.NewEvent(
                kind="escalated", occurred=due, agency=agency, region=region, source=SOURCE,
                key=f"escalated/{id}/{what}/{iso(due)}", body={"what": what},
            ),
            head={"escalated": iso(at)},
        )  # fmt: skip
        with transaction.atomic():
            (outcome,) = ledger.append(ORDERS, [row])
            if outcome.status is not ledger.Status.MOVED:
                continue  # somebody moves it at this moment: it comes with the next turn
            cause = Cause(
                id=account_of(id), cause="order", agency=agency, region=region,
                findings=[finding] if finding else [], person=person, case=case, number=number,
                order=id, term=iso(due),
            )  # fmt: skip
            chain.open_([cause], at=at)
        done += 1
    return done


def account_of(order: UUID) -> UUID:
    """The accountability record that an order opens once its term passed."""
    return uuid5(order, "escalated")


__all__ = [
    "ACTS", "LATE", "STATES", "SUBJECTS", "Act", "Done", "Moved", "NotFound", "Order",
    "account_of", "close", "escalate", "give_back", "load", "open_order", "report", "sign",
    "work",
]  # fmt: skip
