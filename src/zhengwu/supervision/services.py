"""What people do with findings (监察发现的办理): sign, answer, close, appeal, decide; hand-issued cards.

Nothing here takes a finding away: a revoked card no longer counts and stays where it is. `ACTS` says
who may do what in which state; the verbs and the buttons of the pages ask the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import connection, transaction

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries as calendars
from zhengwu.cases import loading, writing
from zhengwu.cases.heads import iso
from zhengwu.documents import files as kept_files
from zhengwu.domain.derivation import moment_words
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import (
    BY_MATTER,
    CARDS,
    DESK,
    HEAD,
    LEVELS_ZH,
    RANK,
    SUPERVISOR,
    Level,
    Rule,
)
from zhengwu.domain.supervising import Responsible
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.supervision import acting, issuing, orders, rulebooks
from zhengwu.supervision.acting import Act, Done, Moved, NotFound, Step, no, written
from zhengwu.supervision.basis import APPEAL_DAYS
from zhengwu.supervision.events import FINDINGS, SOURCE
from zhengwu.supervision.issuing import Issue
from zhengwu.supervision.sight import Sight

DECIDE_DAYS = 5  # working days to decide an appeal: a setting of the house
# Why an agency appeals (申诉理由).
REASONS: Mapping[str, str] = {
    "system_fault": "系统故障", "force_majeure": "不可抗力", "applicant": "申请人原因",
    "special_unregistered": "特别程序未登记", "exchange_late": "数据交换延误",
    "lawful_stop": "法定中止", "entry_error": "误录",
}  # fmt: skip
OUTCOMES: Mapping[str, str] = {"upheld": "维持", "lowered": "降级", "revoked": "撤销"}
APPEALS: Mapping[str, str] = {
    "": "", "open": "依据改变，可以申诉", "pending": "申诉中", "withdrawn": "申诉已撤回",
    "upheld": "申诉后维持", "lowered": "申诉后降级", "revoked": "申诉后撤销",
}  # fmt: skip
STATES: Mapping[str, str] = {
    "issued": "待签收", "signed": "已签收", "answered": "已答复", "closed": "已办结",
}  # fmt: skip
# What ends an appeal; a basis that changes afterwards gives a new one.
_ENDED = frozenset({"appeal_withdrawn", *OUTCOMES})
LARGEST = 2**62
MOST_FILES = 10  # of evidence with one appeal


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as its head says, with its events up to that version."""

    id: UUID
    version: int
    rule: str
    level: str
    case: UUID | None
    agency: str
    region: str
    person: str | None
    post: str | None
    state: str
    appeal: str
    appeal_due: datetime | None
    issued: datetime
    answer_due: datetime | None
    served: int
    events: Sequence[ledger.Entry] = ()

    @property
    def card(self) -> bool:
        return self.level in CARDS

    @property
    def clue(self) -> bool:
        """Whether it is the supervisors' to look into, and nobody's to answer."""
        return bool(self.served & SUPERVISOR) and self.answer_due is None

    @property
    def issuer(self) -> str | None:
        """Who issued it by hand; None: the software did."""
        return self.events[0].actor

    def last(self, *kinds: str) -> ledger.Entry | None:
        return next((one for one in reversed(self.events) if one.kind in kinds), None)


COLUMNS = (
    'f.id, f.version, f.rule, f.level, f."case", f.agency, f.region, f.person, f.post, f.state,'
    " f.appeal, f.appeal_due, f.issued, f.answer_due, f.served"
)


def load(sight: Sight, id: UUID) -> Finding:
    """A finding that this actor may see. Raises NotFound."""
    head = acting.row("supervision_finding", "f", COLUMNS, id, sight.findings())
    return Finding(*(*head, acting.events(FINDINGS, id, head[1])))


def appeal_until(finding: Finding) -> datetime | None:
    """The last moment to appeal; None where there is nothing to appeal against (any more)."""
    if not finding.card or finding.appeal == "pending":
        return None
    if finding.appeal == "open":
        return finding.appeal_due
    since = finding.issued
    if finding.appeal:
        ended, changed = finding.last(*_ENDED), finding.last("basis_changed")
        if ended is None or changed is None or changed.version < ended.version:
            return None
        since = changed.occurred
    return issuing.term(calendars.edition(finding.region), since, APPEAL_DAYS)


# --- who may do what, when ------------------------------------------------------------------------


def _may_sign(sight: Sight, one: Finding, at: datetime) -> None:
    _answering(sight, one, "签收")
    if one.answer_due is None:
        raise no("nothing_due", f"这是{LEVELS_ZH[Level(one.level)]}，不用签收，也不用答复。")
    if one.state != "issued":
        raise no("signed", f"这条发现{STATES[one.state]}，不用再签收。")


def _may_answer(sight: Sight, one: Finding, at: datetime) -> None:
    _answering(sight, one, "答复")
    if one.answer_due is None:
        raise no("nothing_due", f"这是{LEVELS_ZH[Level(one.level)]}，不用签收，也不用答复。")
    if one.state not in ("issued", "signed"):
        raise no("answered", f"这条发现{STATES[one.state]}，不能再答复。")


def _may_close(sight: Sight, one: Finding, at: datetime) -> None:
    _supervising(sight, one, "办结")
    if one.state == "closed":
        raise no("closed", "这条发现已经办结。")
    if one.appeal in ("open", "pending"):
        raise no("appeal_open", "申诉还没有裁定。请先裁定，再办结。")
    if one.clue:
        return
    if one.answer_due is None:
        raise no("nothing_due", f"这是{LEVELS_ZH[Level(one.level)]}，不用答复，也不用办结。")
    if one.state != "answered" and at <= one.answer_due:
        raise no(
            "unanswered",
            f"责任单位还没有答复，答复期限到 {moment_words(one.answer_due)}。期满以后才可以直接办结。",
        )


def _heading(sight: Sight, one: Finding) -> None:
    if not sight.heads(one.agency):
        raise no(
            "appeal_whose",
            f"申诉由责任机关（{accounts.agency_name(one.agency)}）的负责人提出。"
            "请把情况和证据报给本机关负责人。",
        )


def _may_appeal(sight: Sight, one: Finding, at: datetime) -> None:
    _heading(sight, one)
    if not one.card and not one.appeal:
        raise no(
            "no_card",
            f"这是{LEVELS_ZH[Level(one.level)]}，还没有亮牌，不用申诉。有不同意见请写在答复里。",
        )
    until = appeal_until(one)
    if until is None:
        raise no("appeal_twice", _TWICE.get(one.appeal, _TWICE["upheld"]))
    if at > until:
        raise no(
            "appeal_late",
            f"申诉期限已经在 {moment_words(until)} 届满，不能再申诉。"
            "情况特殊的，请写在答复里，由监察人员处理。",
        )


_TWICE: Mapping[str, str] = {
    "pending": "已经申诉过了，正在等监察人员裁定，不用再次申诉。要补充证据的，请先撤回或者联系监察人员。",
    "withdrawn": "申诉已经撤回，不能再次提出。发牌的依据以后有改变的，系统会重新开启申诉。",
    "upheld": "申诉已经裁定，同一张牌不能再次申诉。发牌的依据以后有改变的，系统会重新开启申诉。",
}


def _may_withdraw(sight: Sight, one: Finding, at: datetime) -> None:
    if not sight.heads(one.agency):
        raise no("appeal_whose", "申诉由责任机关的负责人提出，也由其撤回。")
    if one.appeal not in ("open", "pending"):
        raise no("no_appeal", "没有正在办理的申诉，不用撤回。")


def _may_decide(sight: Sight, one: Finding, at: datetime) -> None:
    _supervising(sight, one, "裁定")
    if one.appeal not in ("open", "pending"):
        raise no("no_appeal", "没有等待裁定的申诉。责任机关提出申诉以后才可以裁定。")
    if one.issuer == sight.actor.code:
        raise no(
            "own_card", "这张牌是您本人发出的，申诉要由另一位监察人员裁定。请转给其他监察人员。"
        )
    if sight.actor.agency == one.agency:
        raise no("own_agency", "您和责任机关同属一个机关，应当回避。请转给其他监察人员裁定。")


def _answering(sight: Sight, one: Finding, verb: str) -> None:
    if not sight.answers_for(one.agency, one.person, one.post):
        raise no("not_yours", f"由责任岗位或者责任机关的负责人{verb}。您没有这个权限。")
    if not one.served & DESK and not sight.heads(one.agency):
        raise no(
            "not_served",
            f"这条发现没有送达责任岗位，由责任机关的负责人{verb}。请把情况报给本机关负责人。",
        )


def _supervising(sight: Sight, one: Finding, verb: str) -> None:
    if not sight.acts_on(one.agency):
        raise no("not_allowed", f"由监察人员{verb}。您没有这个权限。")
    if one.person == sight.actor.code:
        raise no("own_finding", f"这条发现的责任人是您本人，应当回避，不能由您{verb}。")


ACTS: tuple[Act[Finding], ...] = (
    Act("sign", "签收", "none", _may_sign),
    Act("answer", "答复", "required", _may_answer),
    Act("appeal", "申诉", "required", _may_appeal),
    Act("withdraw_appeal", "撤回申诉", "optional", _may_withdraw),
    Act("decide", "裁定申诉", "required", _may_decide),
    Act("close", "办结", "optional", _may_close),
)
_BY_KIND = {one.kind: one for one in ACTS}


# --- the verbs ------------------------------------------------------------------------------------


def sign(actor: Actor, id: UUID, *, version: int, key: str, at: datetime) -> Done:
    """Sign for a finding (签收). Raises NotFound, Moved, Refusal."""

    def step(one: Finding) -> Step:
        return Step(kind="signed", sentence="已签收。", head={"state": "signed", "signed": iso(at)})

    return _act(actor, id, "sign", step, version=version, key=key, at=at)


def answer(actor: Actor, id: UUID, text: str, *, version: int, key: str, at: datetime) -> Done:
    """Answer a finding (答复); one not signed for is signed by it. Raises NotFound, Moved, Refusal."""
    text = written(text, "答复")

    def step(one: Finding) -> Step:
        head: dict[str, Any] = {"state": "answered", "answered": iso(at)}
        if one.state == "issued":
            head["signed"] = iso(at)
        return Step(kind="answered", sentence="已答复，等待监察人员办结。", head=head, text=text)

    return _act(actor, id, "answer", step, version=version, key=key, at=at, text=text)


def close(actor: Actor, id: UUID, text: str, *, version: int, key: str, at: datetime) -> Done:
    """Bring a finding to its end (办结); a supervisor does. Raises NotFound, Moved, Refusal.

    text: may be empty where it was answered. A clue is closed with what looking into it showed.
    """
    text = written(text, "意见", required=False)

    def step(one: Finding) -> Step:
        if one.clue:
            written(text, "核查的情况和结果")
        elif one.state != "answered":
            written(text, "责任单位没有答复而直接办结的理由")
        head = {"state": "closed", "closed": iso(at)}
        return Step(kind="closed", sentence="已办结。", head=head, text=text)

    return _act(
        actor, id, "close", step, version=version, key=key, at=at, text=text,
        minds=("basis_changed",),
    )  # fmt: skip


def may_bring_evidence(actor: Actor, id: UUID) -> None:
    """Whether this actor may send in files for an appeal at all: nobody else's reach our disk.

    Raises NotFound, Refusal.
    """
    sight = Sight.of(actor)
    _heading(sight, load(sight, id))


def appeal(
    actor: Actor,
    id: UUID,
    reason: str,
    text: str,
    files: Sequence[UUID] = (),
    *,
    version: int,
    key: str,
    at: datetime,
) -> Done:
    """Appeal against a card (申诉), within three working days. reason: of REASONS; text: evidence.

    files: of `documents.files`, kept by this actor; they become the finding's in the same
    transaction. The same files sent again with the same key are the same appeal. Raises NotFound,
    Moved, Refusal (of files field "evidence").
    """
    if reason not in REASONS:
        raise no("reason", "请从列表里选择申诉的理由。", field="reason")
    text = written(text, "事实和证据")
    named = _evidence(files)

    def bound() -> None:
        try:
            kept_files.bind(
                [UUID(one["file"]) for one in named], by=actor, stream=FINDINGS, stream_id=id
            )
        except Refusal as refusal:
            raise Refusal(refusal.code, refusal.sentence, field="evidence") from None

    def step(one: Finding) -> Step:
        due = issuing.term(calendars.edition(one.region), at, DECIDE_DAYS)
        assert due is not None
        return Step(
            kind="appealed",
            sentence=f"已申诉。监察人员应当在 {moment_words(due)} 以前裁定。",
            body={"reason": reason} | ({"files": named} if named else {}),
            head={"appeal": "pending", "appeal_due": iso(due)},
            text=text,
            also=bound if named else None,
        )

    # A file counts by its content: a form sent twice brings the same files under other ids.
    digests = {"files": ",".join(one["digest"] for one in named)} if named else {}
    return _act(
        actor, id, "appeal", step, version=version, key=key, at=at, text=text, reason=reason,
        **digests,
    )  # fmt: skip


def _evidence(ids: Sequence[UUID]) -> list[dict[str, str]]:
    """What the entry says of the files: ids and digests, no name. Raises Refusal."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST_FILES:
        raise too_many_files()
    found = kept_files.found(wanted) if wanted else {}
    if len(found) < len(wanted):
        raise no(
            "files_gone",
            "上传的证据文件已经不在了（七天内没有提交）。请重新上传。", field="evidence",
        )  # fmt: skip
    return [{"file": str(one), "digest": found[one].digest} for one in wanted]


def too_many_files() -> Refusal:
    return no(
        "files_many",
        f"一次申诉最多附 {MOST_FILES} 个证据文件。请合并成几份，或者只留最要紧的。",
        field="evidence",
    )


def withdraw_appeal(
    actor: Actor, id: UUID, text: str, *, version: int, key: str, at: datetime
) -> Done:
    """Take an appeal back before it is decided (撤回申诉). Raises NotFound, Moved, Refusal."""
    text = written(text, "说明", required=False)

    def step(one: Finding) -> Step:
        return Step(
            kind="appeal_withdrawn", sentence="申诉已撤回。",
            head={"appeal": "withdrawn", "appeal_due": None}, text=text,
        )  # fmt: skip

    return _act(
        actor, id, "withdraw_appeal", step, version=version, key=key, at=at, text=text,
        minds=("basis_changed", "appeal_opened"),
    )  # fmt: skip


def decide(
    actor: Actor,
    id: UUID,
    outcome: str,
    text: str,
    level: str | None = None,
    *,
    version: int,
    key: str,
    at: datetime,
) -> Done:
    """Decide an appeal (裁定). outcome: of OUTCOMES; level: to which, where lowered; text: reasons.

    A revoked card no longer counts, is closed and stays visible. Raises NotFound, Moved, Refusal.
    """
    if outcome not in OUTCOMES:
        raise no("outcome", "请选择裁定结果：维持、降级或者撤销。", field="outcome")
    text = written(text, "裁定的理由")

    def step(one: Finding) -> Step:
        if outcome == "lowered":
            _lower(one, level)
        if outcome == "upheld" and one.appeal == "open":
            until = one.appeal_due
            if until is not None and at <= until:
                raise no(
                    "appeal_running",
                    f"责任机关的申诉期限到 {moment_words(until)}，期满以前不能裁定维持。",
                )
        head: dict[str, Any] = {"appeal": outcome, "appeal_due": None}
        body: dict[str, Any] = {}
        if outcome == "lowered":
            head["level"] = body["level"] = level
        if outcome == "revoked":
            head |= {"counts": False, "state": "closed", "closed": iso(at)}
        return Step(
            kind=outcome, sentence=f"已裁定：{OUTCOMES[outcome]}。", head=head, body=body, text=text
        )

    return _act(
        actor, id, "decide", step, version=version, key=key, at=at, text=text, outcome=outcome,
        level=level or "", minds=("basis_changed", "appeal_opened"),
    )  # fmt: skip


def _lower(one: Finding, level: str | None) -> None:
    if level is None or level not in RANK:
        raise no("level", "请选择降为哪一级。", field="level")
    if RANK[level] >= RANK[one.level]:
        raise no(
            "level_up",
            f"现在是{LEVELS_ZH[Level(one.level)]}，只能降为更低的级别。", field="level",
        )  # fmt: skip


def _act(
    actor: Actor,
    id: UUID,
    kind: str,
    step: Callable[[Finding], Step],
    *,
    version: int,
    key: str,
    at: datetime,
    minds: Sequence[str] = (),
    **request: str,
) -> Done:
    sight = Sight.of(actor)

    def decided(one: Finding) -> Step:
        _BY_KIND[kind].check(sight, one, at)
        return step(one)

    return acting.carry(
        FINDINGS, lambda: load(sight, id), decided, actor=actor, version=version, key=key,
        request={"act": f"finding.{kind}", "id": str(id), **request}, at=at, minds=minds,
    )  # fmt: skip


# --- by hand --------------------------------------------------------------------------------------


def rules_by_hand(at: datetime) -> tuple[Rule, ...]:
    """The rules by which a person may issue: what the clock, a source or a count finds is not, and
    nothing that the agency would not be told of.
    """
    found = rulebooks.now().on(at.astimezone(SHANGHAI).date())
    return tuple(
        one for one in found
        if (matter := BY_MATTER[one.matter]).of in ("case", "hand") and not matter.timed
        and one.served != SUPERVISOR
    )  # fmt: skip


def issue_by_hand(
    actor: Actor,
    number: str,
    rule: str,
    level: str,
    reason: str,
    *,
    person: str | None = None,
    post: str | None = None,
    key: str,
    at: datetime,
) -> UUID:
    """Issue a finding by hand for a case (人工发牌), with a reason; its id.

    person, post: whose it is, of the case's agency; None: the agency's. Raises CaseNotFound,
    Refusal; the same key gives the same id.
    """
    case = loading.load_to_act(actor, number)
    if not Sight.of(actor).acts_on(case.agency):
        raise no("not_allowed", "人工发牌由监察人员办理。您没有这个权限。")
    if level not in RANK:
        raise no("level", "请选择级别：提示、预警、黄牌或者红牌。", field="level")
    chosen = next((one for one in rules_by_hand(at) if one.code == rule), None)
    if chosen is None:
        raise no(
            "rule",
            "请从列表里选择规则。期限类的发现由系统按时钟发出，不能人工发牌。",
            field="rule",
        )
    reason = written(reason, "发牌的理由", name="reason")
    person, post = person or None, post or None
    _of_agency(case.agency, person, post)
    id = uuid5(issuing.NAMESPACE, acting.key_of(actor, key))
    request = writing.digest(
        {
            "act": "issue_by_hand", "number": number, "rule": rule, "level": level,
            "reason": reason, "person": person or "", "post": post or "",
        }
    )  # fmt: skip
    if first := ledger_queries.answer(SOURCE, f"finding/{id}"):
        return acting.repeated(first, id, request).id
    one = Issue(
        id=id, rule=replace(chosen, level=Level(level), approaching=None), key=f"hand/{id}", at=at,
        whose=Responsible(case.agency, post, person), region=case.region, source=case.source,
        case=case.id, number=case.number, item_name=case.item_name, hall=case.hall,
        window=case.window, known=ledger_queries.reached(after=0, limit=LARGEST), how="manual", actor=actor.code,
        contents=(ledger.Content(path=("reason",), data=reason),), request=request,
    )  # fmt: skip
    with transaction.atomic():
        issuing.issue([one], book=rulebooks.now(), edition=calendars.edition(case.region), at=at)
    return id


def _of_agency(agency: str, person: str | None, post: str | None) -> None:
    """Refuse whoever is not of this agency."""
    staff = accounts.colleagues(agency) if person or post else ()
    if post and all(one.post != post for one in staff):
        raise no("post", "责任机关没有这个岗位，或者这个岗位现在没有人。请重新选择。", field="post")
    if person and all(one.person != person for one in staff):
        raise no("person", "责任机关没有这位在岗人员。请重新选择。", field="person")
    if person and post and all((one.person, one.post) != (person, post) for one in staff):
        raise no("person_post", "这位人员不在这个岗位上。请重新选择。", field="person")


# --- what was not done in time --------------------------------------------------------------------

# Each by its own index, out of which it falls once it was reminded of. Whoever has appealed waits for
# the ruling and has nothing to sign or to answer meanwhile.
LATE: Mapping[str, tuple[str, str]] = {
    "sign": ("sign_due", "state = 'issued' AND appeal <> 'pending'"),
    "answer": ("answer_due", "state IN ('issued', 'signed') AND appeal <> 'pending'"),
    "appeal": ("appeal_due", "appeal = 'pending'"),
}
# An appeal waits for the supervisors, everything else for those of the agency who were served.
_REMINDED: Mapping[str, str] = {
    "sign": f"served & {DESK | HEAD}", "answer": f"served & {DESK | HEAD}", "appeal": str(SUPERVISOR),
}  # fmt: skip


def tend(at: datetime, *, most: int = 200) -> int:
    """Remind of what was not signed, answered or decided in time, and escalate orders (催办).

    How many entries; at most so many of each. Each term is reminded of once, the earliest first; a
    second one of the same finding comes with the next turn. `reminded` says up to which.
    """
    return _remind(at, most) + orders.escalate(at, most=most)


def _unreminded(due: str, state: str) -> str:
    return f"{state} AND {due} <= %(at)s AND (reminded IS NULL OR reminded < {due})"


def _after(due: str, earlier: str, state: str) -> str:
    """Not before the finding was reminded of a term that ended earlier."""
    if earlier == due:
        return ""
    # Where there is no such term the comparison is neither true nor false.
    return f" AND ({_unreminded(earlier, state)} AND {earlier} < {due}) IS NOT TRUE"


def _remind(at: datetime, most: int) -> int:
    parts = [
        f"(SELECT id, version, agency, region, '{what}', {_REMINDED[what]}, {due}"  # noqa: S608
        " FROM supervision_finding"
        f" WHERE {_unreminded(due, state)}{''.join(_after(due, *other) for other in LATE.values())}"
        f" ORDER BY {due} LIMIT %(most)s)"
        for what, (due, state) in LATE.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (id) * FROM (" + " UNION ALL ".join(parts)  # noqa: S608 - constants
            + ") late(id, version, agency, region, what, served, due) ORDER BY id, due LIMIT %(most)s",
            {"at": at, "most": most},
        )  # fmt: skip
        late = cursor.fetchall()
    rows = [
        ledger.Row(
            stream_id=id,
            expected=version,
            event=ledger.NewEvent(
                kind="reminded", occurred=at, agency=agency, region=region, source=SOURCE,
                key=f"reminded/{id}/{what}/{iso(due)}",
                body={"what": what, "served": issuing.receivers(served)},
            ),
            head={"reminded": iso(due)},
        )
        for id, version, agency, region, what, served, due in late
    ]  # fmt: skip
    # One that somebody moves at this moment comes with the next turn.
    outcomes = ledger.append(FINDINGS, rows)
    return sum(one.status is ledger.Status.MOVED for one in outcomes)


__all__ = [
    "ACTS", "APPEALS", "LATE", "MOST_FILES", "OUTCOMES", "REASONS", "STATES", "Act", "Done", "Finding", "Moved",
    "NotFound", "answer", "appeal", "appeal_until", "close", "decide", "issue_by_hand", "load",
    "may_bring_evidence", "rules_by_hand", "sign", "tend", "too_many_files", "withdraw_appeal",
]  # fmt: skip
