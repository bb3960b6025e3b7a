"""The life of a case (办件生命周期): states, acts, who has it; what the table does not allow is refused.

The table is data (`ACTS`); `fold` derives the standing of a case from its events, `admit` asks the
table before an act, `deviation` says what the table thinks of another system's news, which is
never refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple, TypeGuard

from zhengwu.domain.event import Event, Nature
from zhengwu.domain.procedure import Unit
from zhengwu.domain.refusal import Refusal


class State(StrEnum):
    """Where a case stands (办件状态)."""

    RECEIVED = "received"
    SUPPLEMENTING = "supplementing"
    NOT_ACCEPTED = "not_accepted"
    HANDLING = "handling"
    FORWARDED = "forwarded"
    DECIDED = "decided"
    DELIVERED = "delivered"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"
    CLOSED = "closed"
    ARCHIVED = "archived"


STATES_ZH = {
    State.RECEIVED: "待受理",
    State.SUPPLEMENTING: "待补正",
    State.NOT_ACCEPTED: "不予受理",
    State.HANDLING: "审查中",
    State.FORWARDED: "已转报",
    State.DECIDED: "已决定",
    State.DELIVERED: "已送达",
    State.WITHDRAWN: "已撤回",
    State.TERMINATED: "已终止",
    State.CLOSED: "已办结",
    State.ARCHIVED: "已归档",
}

# 行政许可法 45: these eight and no ninth. A site visit is none of them.
PROCEDURES = {
    "hearing": "听证",
    "tender": "招标",
    "auction": "拍卖",
    "inspection": "检验",
    "testing": "检测",
    "quarantine": "检疫",
    "appraisal": "鉴定",
    "expert_review": "专家评审",
}


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the table. frm: empty opens a case; to: None leaves the state as it is."""

    code: str
    zh: str
    frm: frozenset[State]
    to: State | None
    by: str
    document: str | None
    article: str | None


def _act(
    code: str,
    zh: str,
    frm: str,
    to: str | None,
    by: str,
    document: str = "",
    article: str = "",
    law: str = "行政许可法",
) -> Act:
    return Act(
        code,
        zh,
        frozenset(State(one) for one in frm.split()),
        State(to) if to else None,
        by,
        document or None,
        f"{law} {article}" if article else None,
    )


_AFTER_PAPER = (
    "received supplementing not_accepted handling forwarded decided delivered withdrawn terminated "
    "closed archived"
)

ACTS: tuple[Act, ...] = (
    _act("received", "收件", "", "received", "窗口、网上", "收件回执", "第二十九条、第三十二条"),
    _act("corrected_on_spot", "当场更正", "received", None, "窗口和申请人", "", "第三十二条第一款第三项"),
    _act("supplement_requested", "一次性告知", "received", "supplementing", "窗口，5 个工作日内", "补正告知书", "第三十二条第一款第四项"),
    _act("supplemented", "补正", "supplementing", "received", "窗口、网上", "收件回执", "第三十二条第一款第五项"),
    _act("not_needed", "不需许可", "received", "not_accepted", "窗口", "不需许可告知书", "第三十二条第一款第一项"),
    _act("not_ours", "不属职权", "received", "not_accepted", "窗口，指明机关", "不予受理决定书", "第三十二条第一款第二项"),
    _act("accepted", "受理", "received", "handling", "窗口", "受理通知书", "第三十二条第一款第五项"),
    _act("deemed_accepted", "视为受理", "received", "handling", "时钟", "受理通知书", "第三十二条第一款第四项"),
    _act("scanned", "扫描入卷", "received supplementing handling forwarded decided", None, "窗口、承办人"),
    _act("step_taken", "接办", "received handling decided", None, "环节岗位", "", "第二十六条、第三十四条"),
    _act("step_done", "办结环节", "handling decided", None, "环节岗位", "", "第三十四条"),
    _act("step_returned", "退回环节", "handling", None, "环节岗位", "", "第三十四条"),
    _act("handed_over", "移交", "received handling decided", None, "承办人", "", "第二十六条"),
    _act("inspected", "现场核查", "handling", None, "两名以上工作人员；不停止计时", "", "第三十四条第三款"),
    _act("opinion_requested", "征求意见", "handling", None, "承办人", "", "第三十六条"),
    _act("opinion_given", "反馈意见", "handling", None, "被征求岗位", "", "第三十六条"),
    _act("suspended", "特别程序", "handling", None, "承办人，书面告知天数", "特别程序告知书", "第四十五条"),
    _act("resumed", "恢复计时", "handling", None, "承办人", "", "第四十五条"),
    _act("extended", "延期", "handling", None, "机关负责人，期满前一次", "延期告知书", "第四十二条"),
    _act("forwarded", "转报", "handling", "forwarded", "承办人（上报件）", "转报函", "第三十五条、第四十三条"),
    _act("came_back", "批复", "forwarded", "handling", "承办人", "", "第四十三条"),
    _act("version_moved", "改用新版本", "handling forwarded", None, "时钟，依新版办事指南的过渡条款，只对申请人有利", "", "第一百零四条", "立法法"),
    _act("granted", "准予", "handling", "decided", "审批人，承诺件不得是受理人", "决定书", "第三十四条、第三十八条"),
    _act("refused", "不予", "handling", "decided", "审批人，说明理由", "决定书", "第三十八条"),
    _act("licence_made", "制证", "decided", None, "岗位", "证照", "第三十九条"),
    _act("fee_paid", "缴费确认", "handling decided", None, "收费人员", "", "第五十八条、第五十九条"),
    _act("ready", "通知领取", "decided", None, "窗口", "", "第四十四条"),
    _act("delivered", "送达", "decided", "delivered", "窗口", "送达回证", "第四十四条"),
    _act("closed", "办结", "delivered not_accepted withdrawn terminated", "closed", "自动"),
    _act("withdrawn", "撤回申请", "received supplementing handling forwarded", "withdrawn", "申请人", "撤回确认"),
    _act("terminated", "终止", "handling", "terminated", "审批人", "终止通知书"),
    _act("document_corrected", "更正文书", _AFTER_PAPER, None, "制作岗位", "更正件"),
    _act("revoked", "撤销", "closed archived", None, "审批人", "决定书", "第六十九条"),
    _act("cancelled", "注销", "closed archived", None, "审批人", "决定书", "第七十条"),
    _act("taken_back", "撤回许可", "closed archived", None, "审批人", "决定书", "第八条"),
    _act("withdrawal_proposed", "提请撤销误录", _AFTER_PAPER, None, "原登记岗位"),
    _act("entry_withdrawn", "撤销误录", _AFTER_PAPER, None, "原登记岗位和第二人"),
    _act("archived", "归档", "closed", "archived", "自动"),
)  # fmt: skip
BY_CODE = {act.code: act for act in ACTS}
_FROM: Mapping[str, frozenset[State | None]] = {
    act.code: act.frm or frozenset((None,)) for act in ACTS
}
_ACT = Nature.ACT

# What another system's news means for the state, and the states from which the table would let it.
OBSERVED: Mapping[str, tuple[State | None, frozenset[State]]] = {
    "received": (State.RECEIVED, frozenset()),
    "step": (
        None,
        frozenset({State.RECEIVED, State.SUPPLEMENTING, State.HANDLING, State.FORWARDED, State.DECIDED}),
    ),
    "accepted": (State.HANDLING, frozenset({State.RECEIVED, State.SUPPLEMENTING})),
    "decided": (State.DECIDED, frozenset({State.HANDLING, State.FORWARDED})),
    "delivered": (State.DELIVERED, frozenset({State.DECIDED})),
    "closed": (State.CLOSED, BY_CODE["closed"].frm),
    "suspended": (None, BY_CODE["suspended"].frm),
    "resumed": (None, BY_CODE["resumed"].frm),
    "extended": (None, BY_CODE["extended"].frm),
}  # fmt: skip
# How far along a state is: another system's late news never takes a case back.
_FAR = {
    State.RECEIVED: 0, State.SUPPLEMENTING: 0, State.HANDLING: 1, State.FORWARDED: 1,
    State.DECIDED: 2, State.NOT_ACCEPTED: 2, State.WITHDRAWN: 2, State.TERMINATED: 2,
    State.DELIVERED: 3, State.CLOSED: 4, State.ARCHIVED: 5,
}  # fmt: skip
_LEFT = frozenset(state for state, far in _FAR.items() if far >= 2) - {State.DECIDED}
# Entered by the house itself, about a moment that may lie before the last entry.
AUTOMATIC = frozenset({"deemed_accepted", "closed", "archived", "version_moved"})
SKEW = timedelta(minutes=5)  # how far the clocks of two desks may differ
# An entry that issued no paper may be undone by whoever made it, alone, for so long (撤回操作).
UNDO = timedelta(seconds=60)
INSPECTORS = 2  # 行政许可法 34(3)
# The acts that say by themselves who has the case; any other only by naming whom it goes to.
_HOLDING = frozenset(
    {"received", "supplemented", "supplement_requested", "ready", "suspended", "forwarded",
     "resumed", "came_back", "step_taken", "deemed_accepted", "delivered", "closed", "withdrawn",
     "terminated", "not_needed", "not_ours", "granted", "refused"}
)  # fmt: skip
_TAKES_AWAY = frozenset({"entry_withdrawn", "retracted"})


class HolderKind(StrEnum):
    """Who has the case (在谁手里)."""

    WINDOW = "window"
    APPLICANT = "applicant"
    DEPARTMENT = "department"
    HANDING_OVER = "handing_over"
    SPECIAL = "special"
    HIGHER = "higher"
    EXCHANGE = "exchange"
    NONE = "none"


class Holder(NamedTuple):
    """Who has the case since when. Under way (handing_over) the time is charged to the giver."""

    kind: HolderKind
    agency: str | None = None
    post: str | None = None
    actor: str | None = None
    since: datetime | None = None
    charged_kind: HolderKind | None = None
    charged_to: str | None = None
    label: str = ""


NOBODY = Holder(HolderKind.NONE)


class Asked(NamedTuple):
    """An opinion asked for (征求意见): by which entry, of whom, until when."""

    version: int
    agency: str
    post: str | None
    until: str


class Proposed(NamedTuple):
    """An entry somebody wants withdrawn (提请撤销误录): which, by which entry, by whom."""

    version: int
    entry: int
    actor: str | None


class Standing(NamedTuple):
    """What a case is after its events: all of it derived, nothing of it stored as truth.

    A named tuple: it is made by the thousand, in a fraction of a frozen dataclass's time.
    """

    state: State | None = None
    suspended: bool = False
    procedures: tuple[str, ...] = ()  # the special procedures under way; two may overlap
    asked: frozenset[str] = frozenset()  # the materials the one notice named
    extended: int = 0
    holder: Holder = NOBODY
    before: Holder = NOBODY  # who had it before a special procedure or a forwarding
    step: str | None = None
    outcome: str | None = None
    received_at: datetime | None = None
    papers_at: datetime | None = None  # the last receipt of materials
    accepted_at: datetime | None = None
    decided_at: datetime | None = None
    delivered_at: datetime | None = None
    closed_at: datetime | None = None
    archived_at: datetime | None = None
    accepted_by: str | None = None
    notices: int = 0  # one-time notices given; a second one stands with its reason
    paid: bool = False  # the cashier's tick
    came_back: bool = False  # the higher organ has answered
    answer: str | None = None  # its answer: approved | rejected
    suspended_at: datetime | None = None  # since when the first open special procedure runs
    forwarded_at: datetime | None = None
    ended_by: str | None = None  # revoked | cancelled | taken_back: the licence no longer stands
    asking: tuple[Asked, ...] = ()  # opinions asked for and not given yet
    proposed: tuple[Proposed, ...] = ()  # entries somebody wants withdrawn
    last_at: datetime | None = None  # when the last thing that counts happened
    version: int = 0


@dataclass(frozen=True, slots=True)
class Life:
    """The events of a case in the order of their versions, those that count, and what it is."""

    events: tuple[Event, ...]
    counting: tuple[Event, ...]
    holders: tuple[Holder, ...]  # who had it after each of those that count
    standing: Standing

    @classmethod
    def of(cls, events: Iterable[Event]) -> Life:
        """Gone through once."""
        listed = tuple(events)
        counting, holders = [], []
        fold = _Fold()
        for event in _kept(listed):
            if fold.counts(event):
                fold.take(event)
                counting.append(event)
                holders.append(fold.holder)
        if listed:
            fold.version = listed[-1].version
        return cls(listed, tuple(counting), tuple(holders), fold.standing())

    @property
    def held(self) -> tuple[tuple[Event, Holder], ...]:
        """Each event that counts, with who had the case after it."""
        return tuple(zip(self.counting, self.holders, strict=True))

    def then(self, event: Event) -> Life:
        """After one more; the same as going through all of them again."""
        events = (*self.events, event)
        if event.kind in _TAKES_AWAY:
            return Life.of(events)
        fold = _Fold(self.standing)
        counting, holders = self.counting, self.holders
        if fold.counts(event):
            fold.take(event)
            counting, holders = (*counting, event), (*holders, fold.holder)
        fold.version = event.version
        return Life(events, counting, holders, fold.standing())


def standing_events(events: Iterable[Event]) -> tuple[Event, ...]:
    """The events that count, recomputed as if what was withdrawn (撤销误录) were not there.

    A later entry takes an earlier one away, and may be taken away itself. An act that then stands
    where the table does not allow it has no effect either: it stays visible and does not count.
    """
    counting = []
    state: State | None = None
    procedures: tuple[str, ...] = ()
    for event in _kept(tuple(events)):
        if event.nature is _ACT and not _counts(state, procedures, event):
            continue
        state, procedures = _moves(state, procedures, event)
        counting.append(event)
    return tuple(counting)


def fold(events: Iterable[Event]) -> Standing:
    """The standing of a case after its events, in the order of their versions."""
    return Life.of(events).standing


def histories(events: Iterable[Event]) -> tuple[tuple[Event, Standing], ...]:
    """Every event that counts with the standing after it."""
    rows = []
    fold = _Fold()
    for event in _kept(tuple(events)):
        if fold.counts(event):
            fold.take(event)
            rows.append((event, fold.standing()))
    return tuple(rows)


def _counts(state: State | None, procedures: tuple[str, ...], event: Event) -> bool:
    """Whether an act has an effect where it stands."""
    if not _starts(state, event.kind, event.body):
        return False
    return event.kind != "resumed" or bool(procedures)  # else its procedure was withdrawn


def _moves(
    state: State | None, procedures: tuple[str, ...], event: Event
) -> tuple[State | None, tuple[str, ...]]:
    """The state and the special procedures under way after an event that counts."""
    kind = event.kind
    if event.nature is _ACT:
        act = BY_CODE.get(kind)
        to = act.to if act else None
    else:
        to = OBSERVED.get(kind, (None, frozenset()))[0]
        if to is not None and state is not None and _FAR[to] <= _FAR[state]:
            to = None  # news that comes late: kept as a deviation, the state stays
        if kind == "step" and state is None:
            to = State.RECEIVED
    state = to or state
    if kind == "suspended":
        procedures = (*procedures, str(event.body.get("procedure", "")))
    elif kind == "resumed":
        procedures = still_open(procedures, event.body)
    if procedures and state != State.HANDLING:
        procedures = ()  # art. 45 stops the organ's own handling
    return state, procedures


def _kept(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Without those that a later entry, itself not withdrawn, took away."""
    gone: set[int] = set()
    for event in reversed(events):
        if event.kind not in _TAKES_AWAY or event.version in gone:
            continue
        target = event.body.get("version")
        if not isinstance(target, int) or not 1 < target < event.version:
            continue  # the opening receipt stays
        if event.kind == "retracted" and not any(
            one.version == target
            and one.nature == Nature.OBSERVATION
            and one.source == event.source
            for one in events
        ):
            continue  # another system takes back its own news, never our acts
        gone.add(target)
    return tuple(event for event in events if event.version not in gone) if gone else events


def may_start(standing: Standing, kind: str, body: Mapping[str, Any] | None = None) -> bool:
    """Whether the table lets an act start from here.

    What is received and not accepted is taken and handed on among windows only.
    """
    return _starts(standing.state, kind, body)


def _starts(state: State | None, kind: str, body: Mapping[str, Any] | None) -> bool:
    frm = _FROM.get(kind)
    if frm is None or state not in frm:
        return False
    if body is not None and state == State.RECEIVED:
        target = body.get("to")
        if kind == "step_taken" and body.get("at") != "window":
            return False
        if kind == "handed_over" and _object(target) and target["kind"] != "window":
            return False
    return True


def _object(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return type(value) is dict or isinstance(value, Mapping)


class _Fold:
    """A standing on its way through the events of a case; the fields are those of `Standing`."""

    state: State | None
    suspended: bool
    procedures: tuple[str, ...]
    asked: frozenset[str]
    extended: int
    holder: Holder
    before: Holder
    step: str | None
    outcome: str | None
    received_at: datetime | None
    papers_at: datetime | None
    accepted_at: datetime | None
    decided_at: datetime | None
    delivered_at: datetime | None
    closed_at: datetime | None
    archived_at: datetime | None
    accepted_by: str | None
    notices: int
    paid: bool
    came_back: bool
    answer: str | None
    suspended_at: datetime | None
    forwarded_at: datetime | None
    ended_by: str | None
    asking: tuple[Asked, ...]
    proposed: tuple[Proposed, ...]
    last_at: datetime | None
    version: int

    def __init__(self, begun: Standing | None = None) -> None:
        self.__dict__.update(_FRESH if begun is None else begun._asdict())

    def standing(self) -> Standing:
        return Standing._make(_VALUES(self))

    def counts(self, event: Event) -> bool:
        return event.nature is not _ACT or _counts(self.state, self.procedures, event)

    def take(self, event: Event) -> None:
        """Go on by an event that counts."""
        kind, body, when = event.kind, event.body, event.occurred
        was, was_suspended = self.state, self.suspended
        state, procedures = _moves(was, self.procedures, event)
        ours = event.nature is _ACT
        holder, before = self.holder, self.before
        if ours:
            holder, before = _holding(self, event)
            if was in _LEFT:
                holder = self.holder  # what has left our hands is not handed on
            if was_suspended and procedures and kind not in ("suspended", "resumed"):
                # Who takes it meanwhile gets it back afterwards; the time is the special
                # procedure's.
                moved = holder is not self.holder
                holder, before = self.holder, holder if moved else self.before
        last = self.last_at
        if last is None or (when > last and kind != "version_moved"):
            self.last_at = when  # an entry may come late; a new version by night, by nobody
        self.state, self.procedures, self.suspended = state, procedures, bool(procedures)
        self.version = event.version
        if kind == "suspended":
            self.suspended_at = self.suspended_at if was_suspended else when
        elif kind == "extended":
            self.extended += int(body.get("days", 0))
        elif ours:
            self._act(event)
        else:
            self._news(event)
        if ours:
            self.holder, self.before = holder, before

    def _news(self, event: Event) -> None:
        kind, when = event.kind, event.occurred
        if kind == "received":
            if self.received_at is None:
                self.received_at = self.papers_at = when
                self.holder = Holder(HolderKind.EXCHANGE, event.agency, since=when)
        elif kind == "accepted":
            self.accepted_at = self.accepted_at or when
        elif kind == "decided":
            outcome = event.body.get("outcome")
            self.decided_at = self.decided_at or when
            self.outcome = self.outcome or (str(outcome) if outcome else None)
        elif kind == "delivered":
            self.delivered_at = self.delivered_at or when
        elif kind == "closed":
            self.closed_at = self.closed_at or when
            self.holder = NOBODY._replace(since=when)
        elif kind == "step":
            self.step = str(event.body.get("step") or "") or None

    def _act(self, event: Event) -> None:
        kind, body, when = event.kind, event.body, event.occurred
        if kind == "step_taken":
            self.step = str(body.get("step") or "") or None
        elif kind == "step_done":
            self.step = None
        elif kind == "received":
            self.received_at = self.papers_at = when
        elif kind == "accepted":
            self.accepted_at, self.accepted_by = when, event.actor
        elif kind == "deemed_accepted":
            # 行政许可法 32(4): accepted from the day the papers were received.
            self.accepted_at = self.papers_at
        elif kind == "supplement_requested":
            self.asked |= _codes(body)
            self.notices += 1
        elif kind == "supplemented":
            self.papers_at = when
        elif kind in ("granted", "refused"):
            self.outcome, self.decided_at, self.step = kind, when, None
        elif kind == "delivered":
            self.delivered_at = when
        elif kind == "closed":
            self.closed_at = when
        elif kind == "archived":
            self.archived_at = when
        elif kind == "came_back":
            self.came_back, self.answer = True, str(body.get("view") or "") or None
        elif kind == "forwarded":
            self.forwarded_at = when
        elif kind in ("revoked", "cancelled", "taken_back"):
            self.ended_by = kind
        elif kind == "fee_paid":
            self.paid = True
        elif kind == "opinion_requested":
            one = Asked(
                event.version,
                str(body.get("agency", "")),
                str(body["post"]) if body.get("post") else None,
                str(body.get("until", "")),
            )
            self.asking = (*self.asking, one)
        elif kind == "opinion_given":
            answered = body.get("request")
            self.asking = tuple(o for o in self.asking if o.version != answered)
        elif kind == "withdrawal_proposed":
            entry = body.get("version")
            if isinstance(entry, int):
                self.proposed = (*self.proposed, Proposed(event.version, entry, event.actor))
        elif kind == "entry_withdrawn":
            entry = body.get("version")
            self.proposed = tuple(o for o in self.proposed if o.entry != entry)


_VALUES = attrgetter(*Standing._fields)
_FRESH = Standing()._asdict()


def still_open(procedures: tuple[str, ...], body: Mapping[str, Any]) -> tuple[str, ...]:
    """The special procedures left open by a `resumed`: it may name one, otherwise all end."""
    named = body.get("procedure")
    return tuple(one for one in procedures if one != named) if named else ()


def _codes(body: Mapping[str, Any]) -> frozenset[str]:
    """The material codes a notice asks for: plain, or objects with a code and how it stands."""
    found = body.get("materials", ())
    if not isinstance(found, list | tuple):
        return frozenset()
    return frozenset(
        str(one["code"] if _object(one) else one)
        for one in found
        if not _object(one) or one.get("state", "missing") in ("missing", "faulty")
    )


def _holding(old: _Fold, event: Event) -> tuple[Holder, Holder]:
    """Who has the case after an act, and whom to give it back to after a special procedure."""
    kind, when = event.kind, event.occurred
    target = event.body.get("to")
    if target is None and kind not in _HOLDING:
        return old.holder, old.before
    if kind in ("received", "supplemented"):
        return Holder(HolderKind.WINDOW, event.agency, event.post, event.actor, when), old.before
    if kind in ("supplement_requested", "ready"):
        return Holder(HolderKind.APPLICANT, since=when), old.before
    if kind == "suspended":
        procedure = str(event.body.get("procedure", ""))
        special = Holder(
            HolderKind.SPECIAL,
            old.holder.agency,
            since=when,
            label=PROCEDURES.get(procedure, procedure),
        )
        return special, old.before if old.suspended else old.holder
    if kind == "forwarded":
        return Holder(HolderKind.HIGHER, since=when), old.holder
    if kind == "resumed" and (left := still_open(old.procedures, event.body)):
        return old.holder._replace(label=PROCEDURES.get(left[-1], left[-1]), since=when), old.before
    if kind in ("resumed", "came_back"):
        given_back = old.before if old.before is not NOBODY else old.holder
        return given_back._replace(since=when), NOBODY
    if kind == "step_taken":
        at = HolderKind(str(event.body.get("at", "department")))
        return Holder(at, event.agency, event.post, event.actor, when), old.before
    if kind == "deemed_accepted" and not _object(target):
        return old.holder, old.before
    if kind in ("delivered", "closed", "withdrawn", "terminated", "not_needed", "not_ours"):
        return NOBODY._replace(since=when), old.before
    if _object(target):
        giver = old.holder
        if giver.kind == HolderKind.HANDING_OVER:
            charged_kind, charged_to = giver.charged_kind, giver.charged_to
        else:
            charged_kind, charged_to = giver.kind, giver.agency
        return Holder(
            HolderKind.HANDING_OVER,
            str(target.get("agency") or "") or None,
            str(target["post"]) if target.get("post") else None,
            None,
            when,
            charged_kind,
            charged_to,
        ), old.before
    if kind in ("granted", "refused"):
        # Whoever decides has it from then on, whoever reviewed it before.
        under_way = old.holder.kind == HolderKind.HANDING_OVER
        kind = HolderKind.DEPARTMENT if under_way else old.holder.kind
        return Holder(kind, event.agency, event.post, event.actor, when), old.before
    return old.holder, old.before


def admit(
    standing: Standing,
    kind: str,
    *,
    at: datetime,
    now: datetime,
    actor: str | None,
    body: Mapping[str, Any],
    case_kind: str,
    due: datetime | None = None,
    extension_most: int = 10,
) -> None:
    """Let an act pass, or raise Refusal. at: when it is said to happen; now: the edge's clock.

    due: the limit that presses, for an extension; extension_most: the working days it may have,
    by the rule in force (行政许可法 42: 10). case_kind: immediate | promised | forwarded.
    """
    act = BY_CODE.get(kind)
    if act is None:
        raise Refusal("lifecycle.unknown", f"没有“{kind}”这种办理动作。")
    if not may_start(standing, kind, body):
        raise not_allowed(standing, kind)
    if at > now + SKEW:
        raise Refusal("lifecycle.future", "发生时间在将来。请核对日期和时间。", field="occurred")
    if standing.received_at and at < standing.received_at:
        raise Refusal(
            "lifecycle.before_receipt", "发生时间早于收件时间。请核对日期和时间。", field="occurred"
        )
    # What is entered later lies after what it belongs to, whatever else was entered meanwhile.
    after = {
        "resumed": standing.suspended_at,
        "came_back": standing.forwarded_at,
        "inspected": standing.accepted_at,
        "suspended": standing.suspended_at if standing.suspended else standing.accepted_at,
        "delivered": standing.decided_at,
    }.get(kind, standing.last_at)
    if after and kind not in AUTOMATIC and at < after - SKEW:
        raise Refusal(
            "lifecycle.out_of_order",
            "发生时间早于上一件事的发生时间。请核对日期和时间；上一件记错了，请先撤销误录。",
            field="occurred",
        )
    if kind == "supplement_requested" and standing.notices and not body.get("again"):
        raise Refusal(
            "lifecycle.asked_again",
            "补正内容应当一次告知，这个办件已经告知过一次。确需再次告知的，请写明原因，监察可以看到；"
            "否则请受理。",
            article="行政许可法 第三十二条第一款第四项",
            field="again",
        )
    if kind == "inspected" and len(set(body.get("people") or ())) < INSPECTORS:
        raise Refusal(
            "lifecycle.inspectors",
            "现场核查应当由两名以上工作人员进行。请至少选择两个人。",
            article="行政许可法 第三十四条第三款",
            field="people",
        )
    if kind in ("entry_withdrawn", "withdrawal_proposed"):
        target = body.get("version")
        if not isinstance(target, int) or not 1 <= target <= standing.version:
            raise Refusal(
                "lifecycle.no_such_entry", "请指明要撤销的是哪一条记录。", field="version"
            )
        if target == 1:
            raise Refusal(
                "lifecycle.receipt_stays",
                "收件记录不能撤销误录。请办理撤回申请，或者更正收件内容。",
                field="version",
            )
    if kind == "withdrawal_proposed" and any(
        one.entry == body.get("version") for one in standing.proposed
    ):
        raise Refusal(
            "lifecycle.proposed_already",
            "这条记录已经提请撤销，等待第二人确认。",
            field="version",
        )
    if kind == "entry_withdrawn" and not body.get("undo"):
        proposal = next((o for o in standing.proposed if o.entry == body.get("version")), None)
        if proposal is None:
            raise Refusal(
                "lifecycle.not_proposed",
                "撤销误录要由登记岗位先提请，再由第二人确认。请先提请撤销。",
                field="version",
            )
        if proposal.actor == actor:
            raise Refusal(
                "lifecycle.second_person",
                "撤销误录必须由提请人以外的第二人确认。请本机关另一位同事登录确认。",
                field="version",
            )
    if standing.suspended and kind in ("granted", "refused", "extended", "forwarded"):
        raise Refusal(
            "lifecycle.suspended",
            f"特别程序还没有结束，不能“{act.zh}”。请先恢复计时。",
            article="行政许可法 第四十五条",
        )
    if kind == "resumed" and not standing.suspended:
        raise Refusal(
            "lifecycle.not_suspended", "没有正在进行的特别程序，不需要恢复计时。",
            article="行政许可法 第四十五条",
        )  # fmt: skip
    if kind == "suspended":
        if str(body.get("procedure")) not in PROCEDURES:
            raise Refusal(
                "lifecycle.ninth_reason",
                "只有听证、招标、拍卖、检验、检测、检疫、鉴定、专家评审可以不计入期限，现场踏勘不可以。",
                article="行政许可法 第四十五条",
                field="procedure",
            )
        if str(body.get("procedure")) in standing.procedures:
            raise Refusal(
                "lifecycle.suspended",
                "这个特别程序正在进行，不需要再次登记。结束时请恢复计时。",
                article="行政许可法 第四十五条",
                field="procedure",
            )
        if int(body.get("days") or 0) < 1:
            raise Refusal(
                "lifecycle.days_untold", "请填写所需时间，并书面告知申请人。",
                article="行政许可法 第四十五条", field="days",
            )  # fmt: skip
    if kind == "extended":
        if standing.extended:
            raise Refusal(
                "lifecycle.extended_twice",
                "已经延期一次，不能再次延期。请在现有期限内作出决定。",
                article="行政许可法 第四十二条",
            )
        if due is not None and at > due:
            raise Refusal(
                "lifecycle.extended_late", "期限已经届满，不能再延期。请尽快作出决定。",
                article="行政许可法 第四十二条",
            )  # fmt: skip
        if (body.get("unit") or Unit.WORKING_DAY) != Unit.WORKING_DAY:
            raise Refusal(
                "lifecycle.extension_unit", "延期以工作日计。请按工作日填写。",
                article="行政许可法 第四十二条", field="days",
            )  # fmt: skip
        if not 1 <= int(body.get("days") or 0) <= extension_most:
            raise Refusal(
                "lifecycle.extension_days",
                f"延期应当是 1 到 {extension_most} 个工作日。",
                article="行政许可法 第四十二条",
                field="days",
            )
    if kind == "opinion_given" and not any(
        one.version == body.get("request") for one in standing.asking
    ):
        raise Refusal(
            "lifecycle.not_asked",
            "没有等待答复的征求意见，或者已经答复。请刷新页面。",
            article="行政许可法 第三十六条",
            field="request",
        )
    if kind == "fee_paid" and standing.paid:
        raise Refusal("lifecycle.paid_already", "已经确认过缴费，不需要再次确认。")
    if kind in ("granted", "refused"):
        two = case_kind != "immediate"
        if two and actor is not None and actor == standing.accepted_by:
            raise Refusal(
                "lifecycle.two_people",
                "受理人和决定人不能是同一人。请移交另一位审批人决定。",
                article="行政许可法 第三十四条",
            )
        if kind == "refused" and not body.get("reasons"):
            raise Refusal(
                "lifecycle.no_reasons", "不予许可必须说明理由。请填写理由和申请人的救济途径。",
                article="行政许可法 第三十八条", field="reasons",
            )  # fmt: skip
        if case_kind == "forwarded" and not standing.came_back:
            raise Refusal(
                "lifecycle.not_back",
                "上报件要等上级机关批复后才能作出决定。请先转报，登记批复后再办。",
                article="行政许可法 第四十三条",
            )
        against = {"granted": "rejected", "refused": "approved"}[kind]
        if case_kind == "forwarded" and standing.answer == against:
            raise Refusal(
                "lifecycle.against_answer",
                f"上级机关批复“{'不同意' if against == 'rejected' else '同意'}”，"
                f"不能作出“{act.zh}”的决定。批复登记错了的，请先撤销误录。",
                article="行政许可法 第四十三条",
            )
    if kind in ("revoked", "cancelled", "taken_back"):
        if standing.outcome != "granted" or standing.ended_by:
            raise Refusal(
                "lifecycle.nothing_to_end",
                "只有现在有效的准予决定可以撤销、注销或者撤回。",
                article=act.article,
            )
        if not body.get("reasons"):
            raise Refusal(
                "lifecycle.no_reasons", "请写明理由，并告知救济途径。",
                article=act.article, field="reasons",
            )  # fmt: skip
    if kind == "forwarded" and case_kind != "forwarded":
        raise Refusal(
            "lifecycle.not_forwarded_item",
            "只有上报件可以转报上级。请由本机关作出决定。",
            article="行政许可法 第四十三条",
        )


def not_allowed(standing: Standing, kind: str) -> Refusal:
    """What the table says of an act that may not start from here."""
    here = STATES_ZH[standing.state] if standing.state else "尚未收件"
    return Refusal(
        "lifecycle.not_allowed",
        f"办件现在是“{here}”，不能“{BY_CODE[kind].zh}”。请刷新页面，按现在的状态办理。",
        article=BY_CODE[kind].article,
    )


def deviation(standing: Standing, kind: str) -> str | None:
    """What the table would have refused of another system's news; None where it agrees."""
    row = OBSERVED.get(kind)
    if row is None:
        return None
    _, frm = row
    if standing.state is None:
        return None if kind == "received" else "没有收件记录"
    if kind == "received":
        return "重复的收件记录"
    if standing.state in frm:
        return None
    words = {
        "step": "后仍有环节",
        "accepted": "后又受理",
        "decided": "时作出决定，未见受理",
        "delivered": "时送达，未见决定",
        "closed": "时办结，未见决定和送达",
        "suspended": "时开始特别程序，未见受理",
        "resumed": "时特别程序结束，未见受理",
        "extended": "时延期，未见受理",
    }
    return f"{STATES_ZH[standing.state]}{words[kind]}"


def table_markdown() -> str:
    """The table as Markdown, for docs/reference/lifecycle.md."""
    rows = ["| 动作 | 代码 | 从 | 到 | 由谁 | 文书 | 依据 |", "|---|---|---|---|---|---|---|"]
    for act in ACTS:
        frm = "、".join(STATES_ZH[s] for s in State if s in act.frm) or "—"
        to = STATES_ZH[act.to] if act.to else "不变"
        rows.append(
            f"| {act.zh} | `{act.code}` | {frm} | {to} | {act.by} | {act.document or '—'} | "
            f"{act.article or '—'} |"
        )
    return "\n".join(rows) + "\n"


def diagram() -> str:
    """The states as a Mermaid picture, for docs/reference/lifecycle.md."""
    lines = ["stateDiagram-v2"]
    for act in ACTS:
        if act.to is None:
            continue
        sources: list[State | None] = [s for s in State if s in act.frm]
        for source in sources or [None]:
            start = STATES_ZH[source] if source else "[*]"
            lines.append(f"    {start} --> {STATES_ZH[act.to]}: {act.zh}")
    return "\n".join(lines) + "\n"


def page() -> str:
    """docs/reference/lifecycle.md, whole; a test keeps the file equal."""
    return (
        "# 办件生命周期\n\n"
        "本页由 `zhengwu.domain.lifecycle` 生成，测试保证与程序一致；重新生成："
        "`python -m zhengwu.domain.lifecycle > docs/reference/lifecycle.md`。\n\n"
        "表中没有的，一律不予办理，并说明依据。其他系统报来的情况（观测）从不拒收；"
        "与本表不符的，随事件记下偏差，供监察使用。\n\n"
        f"## 状态图\n\n```mermaid\n{diagram()}```\n\n"
        f"## 动作表\n\n{table_markdown()}\n"
        f"## 特别程序\n\n不计入期限的只有八种（行政许可法 第四十五条）："
        f"{'、'.join(PROCEDURES.values())}。现场踏勘不在其中。\n"
    )


if __name__ == "__main__":
    print(page(), end="")
