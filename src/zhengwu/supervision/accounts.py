"""Accountability (问责): a record that opened itself is taken up, heard, decided, carried out, closed.

Nobody opens it, deletes it or brings it to an end without a decision; nobody handles their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist

from zhengwu.accounts import queries as people
from zhengwu.accounts import roles
from zhengwu.accounts.queries import Actor
from zhengwu.cases.heads import iso
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger
from zhengwu.supervision import acting
from zhengwu.supervision.acting import Act, Done, Moved, NotFound, Step, no, written
from zhengwu.supervision.events import ACCOUNTS
from zhengwu.supervision.sight import ACT, Sight

MEASURES: Mapping[str, str] = {
    "none": "不予追究", "education": "批评教育、限期整改", "notice": "通报批评", "talk": "诫勉谈话",
    "removed": "调离窗口", "warning": "效能告诫", "discipline": "移送处分",
}  # fmt: skip
STATES: Mapping[str, str] = {
    "opened": "待承办", "taken_up": "已承办", "heard": "已听取陈述", "decided": "已决定",
    "carried_out": "已执行", "closed": "已办结",
}  # fmt: skip
# What changes the ground of a decision while somebody writes it.
_GROUND = ("joined", "cause_revoked")
_HANDLING = tuple(role for role, acts in roles.TABLE.items() if ACT in acts)


@dataclass(frozen=True, slots=True)
class Account:
    """A record as its head says, with its events up to that version."""

    id: UUID
    version: int
    agency: str
    region: str
    person: str | None
    state: str
    handler: str | None
    measure: str | None
    events: Sequence[ledger.Entry] = ()


COLUMNS = "a.id, a.version, a.agency, a.region, a.person, a.state, a.handler, a.measure"


def load(sight: Sight, id: UUID) -> Account:
    """A record that this actor may see. Raises NotFound."""
    head = acting.row("supervision_account", "a", COLUMNS, id, sight.accounts())
    return Account(*(*head, acting.events(ACCOUNTS, id, head[1])))


# --- who may do what, when ------------------------------------------------------------------------


def _may_take_up(sight: Sight, one: Account, at: datetime) -> None:
    if not sight.acts_on(one.agency):
        raise no("not_allowed", "问责由监察人员承办。您没有这个权限。")
    _apart(sight.actor, one, "您")
    if one.state == "closed":
        raise no("account_state", "这件问责已经办结。")


def _may_hear(sight: Sight, one: Account, at: datetime) -> None:
    concerned = one.person == sight.actor.code or sight.heads(one.agency)
    if not concerned:
        _handling(sight, one, "登记陈述和申辩")
    if one.state == "opened":
        raise no("account_state", "还没有人承办这件问责。请先承办，再听取陈述。")
    if one.state not in ("taken_up", "heard"):
        raise no("account_state", f"这件问责{STATES[one.state]}，不能再登记陈述。")


def _may_decide(sight: Sight, one: Account, at: datetime) -> None:
    _handling(sight, one, "决定")
    if one.state in ("opened", "taken_up"):
        raise no(
            "not_heard",
            "还没有听取当事人的陈述和申辩，不能决定。当事人放弃的，请把放弃的情况登记为陈述。",
        )
    if one.state != "heard":
        raise no("account_state", f"这件问责{STATES[one.state]}，不能再次决定。")


def _may_carry_out(sight: Sight, one: Account, at: datetime) -> None:
    if not sight.heads(one.agency) or one.person == sight.actor.code:
        _handling(sight, one, "登记执行情况")
    if one.state != "decided":
        raise no("account_state", f"这件问责{STATES[one.state]}。决定以后才可以登记执行情况。")
    if one.measure == "none":
        raise no("account_state", "决定不予追究，没有需要执行的。可以直接办结。")


def _may_close(sight: Sight, one: Account, at: datetime) -> None:
    _handling(sight, one, "办结")
    if one.state == "closed":
        raise no("account_state", "这件问责已经办结。")
    if one.state in ("opened", "taken_up", "heard"):
        raise no("undecided", "还没有作出决定，不能办结。不追究的，请决定“不予追究”并说明理由。")
    if one.state == "decided" and one.measure != "none":
        raise no("not_carried_out", "决定还没有执行，不能办结。请先登记执行情况。")


def _handling(sight: Sight, one: Account, verb: str) -> None:
    """Refuse whoever is not its handler, and a handler whom it concerns."""
    if not sight.acts_on(one.agency):
        raise no("not_allowed", f"由承办的监察人员{verb}。您没有这个权限。")
    _apart(sight.actor, one, "您")
    if one.handler is not None and one.handler != sight.actor.code:
        name = people.person_name(one.handler)
        raise no("not_handler", f"这件问责由{name}承办，由其{verb}。需要换人的，请先重新承办。")


def _apart(actor: Actor, one: Account, who: str) -> None:
    """回避: nobody handles what concerns themselves or their own agency."""
    if one.person == actor.code:
        raise no("own_account", f"这件问责涉及{who}本人，应当回避，由其他监察人员承办。")
    if one.agency == actor.agency:
        raise no("own_agency", f"{who}和被问责的机关同属一个机关，应当回避，由其他监察人员承办。")


ACTS: tuple[Act[Account], ...] = (
    Act("take_up", "承办", "none", _may_take_up),
    Act("hear", "登记陈述和申辩", "required", _may_hear),
    Act("decide", "决定", "required", _may_decide),
    Act("carry_out", "登记执行情况", "required", _may_carry_out),
    Act("close", "办结", "none", _may_close),
)
_BY_KIND = {one.kind: one for one in ACTS}


def handlers(one: Account) -> tuple[str, ...]:
    """The codes of the supervisors who could handle it."""
    regions = people.regions_above(one.region)
    found = {code for role in _HANDLING for r in regions for code in people.with_role(role, r)}
    return tuple(sorted(code for code in found if _can_handle(code, one) is None))


def _can_handle(code: str, one: Account) -> str | None:
    """What stands against a handler, in words."""
    try:
        who = people.actor(code)
    except ObjectDoesNotExist:
        return "没有这位人员。请从列表里选择承办人。"
    if not Sight.of(who).acts_on(one.agency):
        return f"{who.name}不是这个机关的监察人员。请从列表里选择承办人。"
    try:
        _apart(who, one, who.name)
    except Refusal as refusal:
        return refusal.sentence
    return None


# --- the verbs ------------------------------------------------------------------------------------


def take_up(
    actor: Actor, id: UUID, handler: str | None = None, *, version: int, key: str, at: datetime
) -> Done:
    """Name who handles it (承办), or who does from now on. handler: a supervisor's code; None: the
    actor. Raises NotFound, Moved, Refusal.
    """
    code = handler or actor.code

    def step(one: Account) -> Step:
        if code != actor.code and (against := _can_handle(code, one)):
            raise no("handler", against, field="handler")
        if one.handler == code and one.state != "opened":
            raise no("handler", "这件问责已经由这位人员承办。", field="handler")
        state = "taken_up" if one.state == "opened" else one.state
        name = actor.name if code == actor.code else people.person_name(code)
        return Step(
            kind="taken_up", sentence=f"由{name}承办。", body={"handler": code},
            head={"handler": code, "state": state},
        )  # fmt: skip

    return _act(actor, id, "take_up", step, version=version, key=key, at=at, handler=code)


def hear(actor: Actor, id: UUID, text: str, *, version: int, key: str, at: datetime) -> Done:
    """Enter what the person or the agency has to say (陈述申辩): they themselves, or the handler.

    Raises NotFound, Moved, Refusal.
    """
    text = written(text, "陈述和申辩")

    def step(one: Account) -> Step:
        return Step(kind="heard", sentence="陈述已登记。", head={"state": "heard"}, text=text)

    return _act(actor, id, "hear", step, version=version, key=key, at=at, text=text)


def decide(
    actor: Actor, id: UUID, measure: str, text: str, *, version: int, key: str, at: datetime
) -> Done:
    """Decide (决定). measure: of MEASURES; text: facts and reasons. Raises NotFound, Moved, Refusal."""
    if measure not in MEASURES:
        raise no("measure", "请从列表里选择处理方式。", field="measure")
    text = written(text, "事实和理由")

    def step(one: Account) -> Step:
        return Step(
            kind="decided", sentence=f"已决定：{MEASURES[measure]}。", body={"measure": measure},
            head={"state": "decided", "measure": measure, "decided": iso(at)}, text=text,
        )  # fmt: skip

    return _act(
        actor, id, "decide", step, version=version, key=key, at=at, text=text, measure=measure,
        minds=_GROUND,
    )  # fmt: skip


def carry_out(actor: Actor, id: UUID, text: str, *, version: int, key: str, at: datetime) -> Done:
    """Say how it was carried out (执行): the handler, or the agency's head where it is not theirs.

    Raises NotFound, Moved, Refusal.
    """
    text = written(text, "执行情况")

    def step(one: Account) -> Step:
        return Step(
            kind="carried_out",
            sentence="执行情况已登记。",
            head={"state": "carried_out"},
            text=text,
        )

    return _act(actor, id, "carry_out", step, version=version, key=key, at=at, text=text)


def close(actor: Actor, id: UUID, *, version: int, key: str, at: datetime) -> Done:
    """Bring the record to its end (办结): carried out, or decided that nothing follows.

    Raises NotFound, Moved, Refusal.
    """

    def step(one: Account) -> Step:
        return Step(kind="closed", sentence="已办结。", head={"state": "closed", "closed": iso(at)})

    return _act(actor, id, "close", step, version=version, key=key, at=at, minds=_GROUND)


def _act(
    actor: Actor,
    id: UUID,
    kind: str,
    step: Callable[[Account], Step],
    *,
    version: int,
    key: str,
    at: datetime,
    minds: Sequence[str] = (),
    **request: str,
) -> Done:
    sight = Sight.of(actor)

    def decided(one: Account) -> Step:
        _BY_KIND[kind].check(sight, one, at)
        return step(one)

    return acting.carry(
        ACCOUNTS, lambda: load(sight, id), decided, actor=actor, version=version, key=key,
        request={"act": f"account.{kind}", "id": str(id), **request}, at=at, minds=minds,
    )  # fmt: skip


__all__ = [
    "ACTS", "MEASURES", "STATES", "Account", "Act", "Done", "Moved", "NotFound", "carry_out",
    "close", "decide", "handlers", "hear", "load", "take_up",
]  # fmt: skip
