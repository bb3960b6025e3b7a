"""The verbs of a case (办件). Each loads, decides in pure code, and commits; nobody else writes.

A verb takes the actor, the version of the page it was decided on and an idempotency key. Answers:
`Received` / `Done`; `Refusal` (or several, `Refusals`) when law or rule says no; `CaseNotFound` for
a stranger; `Moved` when something that matters came in between.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import rfc8785
from django.db import transaction
from django.utils.crypto import salted_hmac

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import heads, parties
from zhengwu.cases.events import STREAM
from zhengwu.cases.loading import CaseNotFound, Loaded, load
from zhengwu.cases.parties import IDENTIFIERS, KINDS, Applicant
from zhengwu.catalog import queries as catalog
from zhengwu.documents import services as documents
from zhengwu.documents import wording
from zhengwu.documents.kinds import Kind
from zhengwu.domain import clock, lifecycle
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.procedure import Limit, Step, Unit
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

SOURCE = "desk"
log = logging.getLogger(__name__)
TRIES = 5  # how often a decision is taken again because a machine event came in between
MAX_TEXT = 2_000
LICENCE = "行政许可"  # the type of item to which the 行政许可法 applies

__all__ = [
    "IDENTIFIERS",
    "KINDS",
    "Applicant",
    "CaseNotFound",
    "Done",
    "Moved",
    "Received",
    "Reception",
    "perform",
    "receive",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What a clerk registers (收件登记). materials: code → received | missing."""

    item: str
    applicant: Applicant
    materials: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Received:
    """A case was received: what the receipt says."""

    number: str
    query_code: str
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """An act was done. document: the check code of the paper it issued, if any."""

    number: str
    version: int
    sentence: str
    document: str | None = None
    repeated: bool = False


class Moved(Exception):
    """The case moved on while the form was being filled (办件已有新进展)."""

    def __init__(self, number: str, seen: int, now: int, between: Sequence[Event]) -> None:
        super().__init__(number, seen, now)
        self.number = number
        self.seen = seen
        self.now = now
        self.between = tuple(between)


Form = Mapping[str, str]


@dataclass(slots=True)
class Plan:
    """What a verb wants written: the act's body, its paper, and acts that follow at once."""

    body: dict[str, Any] = field(default_factory=dict)
    paper: documents.Prepared | None = None
    contents: tuple[ledger.Content, ...] = ()
    then: tuple[str, ...] = ()
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One field of an act's form."""

    name: str
    zh: str
    kind: str = "text"  # text | choice | colleague | days | date
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Verb:
    """One act as people do it: the permission it needs, who must hold the case, how to plan it."""

    kind: str
    zh: str
    may: str
    plan: Callable[[Loaded, Actor, Form, datetime], Plan]
    asks: tuple[Ask, ...] = ()
    asks_of: Callable[[Loaded], tuple[Ask, ...]] | None = None  # where the case decides the form
    offered: bool = False  # done by the one it is on its way to, not by the holder

    def fits(self, loaded: Loaded) -> bool:
        """Whether the flow has come to this act; the law is asked by `lifecycle.admit`."""
        step = loaded.current_step()
        immediate = loaded.kind == "immediate"
        if self.kind in ("granted", "refused"):
            return immediate or loaded.has("step_taken")
        if self.kind == "supplement_requested":
            return any(m.state != "received" for m in loaded.materials())
        if self.kind == "suspended":
            return not immediate and loaded.has("step_taken")
        if self.kind == "step_done":
            return step is not None and loaded.step_after(step) is not None
        if self.kind == "step_taken":
            return loaded.standing.holder.kind == "handing_over"
        if self.kind == "licence_made":
            return loaded.standing.outcome == "granted" and not loaded.has("licence_made")
        if self.kind == "ready":
            return not loaded.has("ready") and not immediate
        return True


def receive(actor: Actor, reception: Reception, *, key: str, at: datetime) -> Received:
    """Receive a walk-in (收件). 行政许可法 29, 32.

    Raises Refusals with every wrong field at once; the same key again gives the first answer.
    """
    request = _digest(
        {
            "act": "received",
            "by": actor.code,
            "item": reception.item,
            "applicant": reception.applicant.as_json(),
            "materials": dict(reception.materials),
        }
    )
    if first := ledger_queries.answer(SOURCE, key):
        return _first_receipt(first, request)
    faults: list[Refusal] = []
    item = catalog.in_force(reception.item, at.astimezone(heads.SHANGHAI).date())
    reach = accounts.reach(actor, "case.receive")
    window = next((post for post in actor.posts if post.window), None)
    if window is None or actor.hall is None:
        raise Refusal("case.no_window", "您现在没有在岗的窗口，不能收件。请先由中心安排窗口岗位。")
    if item is None or not (reach.everything or item.agency in reach.agencies):
        faults.append(
            Refusal(
                "case.item_unknown",
                "没有找到可以在本窗口受理的这个事项。请从列表中选择现行有效的事项。",
                field="item",
            )
        )
    applicant, wrong = parties.clean(reception.applicant, at=at)
    faults.extend(wrong)
    ticked: list[dict[str, str]] = []
    if item is not None:
        known = {material.code: material.name for material in item.materials}
        for code in reception.materials:
            if code not in known:
                faults.append(
                    Refusal(
                        "case.material_not_listed",
                        "只能收取办事指南列明的材料，不得要求提供与申请无关的材料。",
                        article="行政许可法 第三十一条",
                        field="materials",
                    )
                )
        for code, name in known.items():
            state = reception.materials.get(code, "")
            if state not in ("received", "missing"):
                faults.append(
                    Refusal(
                        "case.material_unticked",
                        f"材料“{name}”还没有核对，请勾选“已收”或者“缺”。",
                        article="行政许可法 第三十二条",
                        field=f"material-{code}",
                    )
                )
            ticked.append({"code": code, "state": state})
    if faults or item is None or applicant is None:
        raise Refusals(faults)

    stream_id = ledger.uuid7()
    region = actor.region or accounts.CITY
    with transaction.atomic():
        party = parties.keep(applicant, at=at)
        number = heads.case_number(at, heads.new_numbers(1)[0])
        code = heads.query_code()
        body: dict[str, Any] = {
            "item": f"{item.code}@{item.version}",
            "number": number,
            "kind": str(item.kind),
            "channel": "window",
            "at": "window",
            "party": str(party),
            "materials": ticked,
        }
        event = _event(actor, "received", at=at, body=body, version=1, post=window.code)
        events = [event]
        head = _head(events, region=region, at=at) | {
            "number": number,
            "query_code": code,
            "source": SOURCE,
            "foreign_id": None,
            "kind": str(item.kind),
            "item": item.code,
            "item_version": item.version,
            "item_name": item.name,
            "agency": item.agency,
            "region": region,
            "hall": actor.hall,
            "window": window.window,
            "applicant_id": party,
            "opened": at,
        }
        row = ledger.Row(
            stream_id=stream_id,
            expected=0,
            event=_new(event, key=key, request=request),
            head=head,
            contents=(ledger.Content(path=("applicant",), data=applicant.as_json()),),
        )
        (outcome,) = ledger.append(STREAM, [row])
        if outcome.status == ledger.Status.MOVED:
            return Received(number, code)
        transaction.set_rollback(True)
    first = ledger_queries.answer(SOURCE, key)
    if first is None:
        raise Refusal("case.try_again", "系统繁忙，这次没有收件。请再按一次“提交”，内容都还在。")
    return _first_receipt(first, request)


def perform(
    actor: Actor,
    number: str,
    kind: str,
    *,
    version: int,
    key: str,
    form: Form,
    at: datetime,
) -> Done:
    """Do one act on a case. See the module for what can come back instead."""
    verb = VERBS.get(kind)
    if verb is None:
        raise CaseNotFound(number)
    request = _digest(
        {"act": kind, "by": actor.code, "number": number, "form": dict(sorted(form.items()))}
    )
    for _ in range(TRIES):
        loaded = load(actor, number)
        if loaded.version != version:
            if first := ledger_queries.answer(SOURCE, key):
                return _first_done(first, number, request)
            between = [e for e in loaded.events if e.version > version]
            if version > loaded.version or any(
                e.nature == Nature.ACT and e.actor is not None for e in between
            ):
                raise Moved(number, version, loaded.version, between)
        permit(actor, loaded, verb)
        if not verb.fits(loaded):
            raise Refusal(
                "case.not_now",
                f"办件还没有办到或者已经办过“{verb.zh}”这一步。请刷新页面，按现在的状态办理。",
            )
        plan = verb.plan(loaded, actor, form, at)
        done = _commit(actor, loaded, verb, plan, key=key, request=request, at=at)
        if done is not None:
            return done
    raise Refusal("case.busy", "这个办件正被频繁更新，这次没有办成。请再试一次，内容都还在。")


def _commit(
    actor: Actor,
    loaded: Loaded,
    verb: Verb,
    plan: Plan,
    *,
    key: str,
    request: bytes,
    at: datetime,
) -> Done | None:
    """Write the act and what follows at once; None if something came in between."""
    post = _post_for(actor, loaded, verb)
    # 行政许可法 42: what must not have expired before an extension is the statutory limit.
    statutory = loaded.read(at).limit("statutory")
    expiry = statutory.due if statutory else None
    events = list(loaded.events)
    new: list[Event] = []
    for index, kind in enumerate((verb.kind, *plan.then)):
        standing = lifecycle.fold(events)
        body = plan.body if index == 0 else {}
        lifecycle.admit(
            standing,
            kind,
            at=at,
            now=at,
            actor=actor.code if index == 0 else None,
            body=body,
            case_kind=loaded.kind,
            due=expiry,
        )
        event = _event(
            actor if index == 0 else None,
            kind,
            at=at,
            body=body,
            version=loaded.version + index + 1,
            post=post if index == 0 else None,
            agency=loaded.agency if index else None,
            region=loaded.region,
        )
        events.append(event)
        new.append(event)
    head = _head(events, region=loaded.region, at=at)
    rows = [
        ledger.Row(
            stream_id=loaded.id,
            expected=loaded.version,
            event=_new(event, key=key if i == 0 else f"{key}+{i}", request=request),
            head=head,
            number=plan.paper.number if plan.paper and i == 0 else None,
            contents=(
                plan.contents + ((plan.paper.content,) if plan.paper else ()) if i == 0 else ()
            ),
        )
        for i, event in enumerate(new)
    ]
    with transaction.atomic():
        outcomes = ledger.append(STREAM, rows)
        if all(outcome.status == ledger.Status.MOVED for outcome in outcomes):
            if plan.paper:
                documents.register(
                    plan.paper, outcomes[0], stream=STREAM, stream_id=loaded.id, at=at
                )
            return Done(
                loaded.number,
                new[-1].version,
                plan.sentence,
                plan.paper.check_code if plan.paper else None,
            )
        transaction.set_rollback(True)
    if outcomes[0].status == ledger.Status.STALE:
        return None
    if first := ledger_queries.answer(SOURCE, key):
        return _first_done(first, loaded.number, request)
    return None


def deem_accepted(*, at: datetime, page: int = 200) -> int:
    """Deem accepted (逾期视为受理) every case whose five working days passed in silence.

    行政许可法 32(4). The act is the clock's: no person stands in it. Returns how many; idempotent.
    """
    from zhengwu.cases.loading import silent

    count = 0
    for loaded in silent(at=at, page=page):
        try:
            count += _deem(loaded, at)
        except Exception:
            # One case must not keep the law from the others.
            log.exception("case %s could not be deemed accepted", loaded.number)
    return count


def _deem(loaded: Loaded, at: datetime) -> bool:
    acceptance = loaded.read(at).limit("acceptance")
    if acceptance is None or acceptance.due > at:
        return False
    if loaded.item_row().type != LICENCE:
        return False  # the article speaks of licences; others stay open, and late
    since = loaded.standing.papers_at or loaded.opened
    paper = _acceptance_notice(loaded, at=at, since=since, clerk="", deemed=True)
    event = Event(
        version=loaded.version + 1,
        kind="deemed_accepted",
        occurred=acceptance.due,
        recorded=at,
        received=at,
        agency=loaded.agency,
        region=loaded.region,
        source="clock",
        body={
            "limits": limits_of(loaded),
            "effective": heads.iso(since),
            "document": paper.body(),
        },
    )
    row = ledger.Row(
        stream_id=loaded.id,
        expected=loaded.version,
        event=_new(event, key=f"deemed/{loaded.id}/{loaded.version}", request=None),
        head=_head([*loaded.events, event], region=loaded.region, at=at),
        number=paper.number,
        contents=(paper.content,),
    )
    with transaction.atomic():
        (outcome,) = ledger.append(STREAM, [row])
        if outcome.status != ledger.Status.MOVED:
            return False
        documents.register(paper, outcome, stream=STREAM, stream_id=loaded.id, at=at)
    return True


# --- what every verb needs -------------------------------------------------------------------


def limits_of(loaded: Loaded) -> list[dict[str, Any]]:
    """The limits that bind a case from its acceptance, from the version it was received under."""
    item = loaded.item_row()
    limits: list[dict[str, Any]] = []
    for kind, limit in (("statutory", item.statutory), ("promised", item.promised)):
        if limit is not None:
            limits.append(
                {"kind": kind, "value": limit.value, "unit": str(limit.unit), "basis": limit.basis}
            )
    return limits


def permit(actor: Actor, loaded: Loaded, verb: Verb) -> None:
    may = verb.may
    if may == "case.decide" and loaded.kind == "immediate":
        may = "case.decide_at_once"  # 即办件: decided at the window, in one sitting
    reach = accounts.reach(actor, may)
    inside = (
        reach.everything
        or loaded.agency in reach.agencies
        or (loaded.hall is not None and loaded.hall in reach.halls)
        or loaded.id in reach.streams
    )
    if not inside:
        raise Refusal(
            "case.not_permitted",
            f"您的岗位没有“{verb.zh}”的权限。请移交给有权限的岗位，或者请安全管理员核对授权。",
        )
    holder = loaded.standing.holder
    if holder.kind in ("special", "higher"):
        holder = loaded.standing.before  # it comes back to whoever had it
    mine = holder.agency in {post.agency for post in actor.posts} | {actor.agency}
    if holder.kind == "applicant" and verb.kind in ("supplemented", "delivered"):
        mine = True  # the applicant comes to the window; the permission above decides
    # A decision ends whatever step is under way in the organ; it is not the reviewer's to make.
    head = verb.kind == "handed_over" and "head" in actor.roles  # may give work to another
    if holder.post is not None and verb.kind not in ("granted", "refused") and not head:
        mine = mine and holder.post in {post.code for post in actor.posts}
    if holder.kind == "handing_over" and not verb.offered:
        raise Refusal(
            "case.under_way",
            "这个办件正在移交途中，还没有人接办。请先由接办岗位点“接办”。",
            article="行政许可法 第二十六条",
        )
    if not mine:
        raise Refusal(
            "case.not_holder",
            "这个办件现在不在您手里。需要办理的，请现在的承办岗位移交给您。",
        )


def _post_for(actor: Actor, loaded: Loaded, verb: Verb) -> str | None:
    wanted = _role_wanted(loaded, verb)
    for post in actor.posts:
        if post.kind == wanted:
            return str(post.code)
    return str(actor.posts[0].code) if actor.posts else None


def _role_wanted(loaded: Loaded, verb: Verb) -> str:
    if verb.kind in ("accepted", "ready", "delivered"):
        return "window"
    if verb.kind in ("granted", "refused"):
        return "decide"
    step = loaded.current_step()
    return step.role if step else "review"


def _event(
    actor: Actor | None,
    kind: str,
    *,
    at: datetime,
    body: Mapping[str, Any],
    version: int,
    post: str | None,
    agency: str | None = None,
    region: str | None = None,
) -> Event:
    return Event(
        version=version,
        kind=kind,
        occurred=at,
        recorded=at,
        received=at,
        actor=actor.code if actor else None,
        post=post,
        agency=actor.agency if actor else agency,
        region=region or (actor.region if actor else None),
        source=SOURCE,
        body=body,
    )


def _new(event: Event, *, key: str, request: bytes | None) -> ledger.NewEvent:
    """For our own acts `recorded` is the database's own stamp, like `received`."""
    return ledger.NewEvent(
        kind=event.kind,
        nature=event.nature,
        occurred=event.occurred,
        recorded=None,
        actor=event.actor,
        post=event.post,
        agency=event.agency,
        region=event.region,
        source=event.source,
        key=key,
        request=request,
        body=event.body,
    )


def _head(events: Sequence[Event], *, region: str, at: datetime) -> dict[str, Any]:
    standing = lifecycle.fold(events)
    reading = clock.read(
        events,
        at=at,
        rules=clock.LAW,
        calendar=accounts.calendar(region),
        hours=accounts.office_hours(region),
    )
    return heads.derived(standing, reading=reading)


def _digest(request: Mapping[str, Any]) -> bytes:
    # Keyed, so that nobody can confirm a guessed name by it after the content was erased.
    return salted_hmac(
        "zhengwu.cases.request", rfc8785.dumps(dict(request)), algorithm="sha256"
    ).digest()


def _same(first: ledger_queries.Answer, request: bytes) -> None:
    if first.request != request:
        raise Refusal(
            "ledger.key_reused",
            "这份表单已经提交过另一份内容。请从办件页重新打开表单再提交。",
        )


def _first_receipt(first: ledger_queries.Answer, request: bytes) -> Received:
    _same(first, request)
    number, code = heads.receipt(first.stream_id)
    return Received(number, code, repeated=True)


def _first_done(first: ledger_queries.Answer, number: str, request: bytes) -> Done:
    _same(first, request)
    document = first.body.get("document") or {}
    return Done(
        number,
        first.version,
        "这一步已经办好，没有重复办理。",
        document.get("check"),
        repeated=True,
    )


def _text(form: Form, name: str, zh: str, *, required: bool = True, most: int = MAX_TEXT) -> str:
    """A free-text field, cleaned. Raises Refusal at the field."""
    value = form.get(name, "").replace("\r\n", "\n").strip()
    if required and not value:
        raise Refusal("form.required", f"请填写{zh}。", field=name)
    if len(value) > most:
        raise Refusal(
            "form.too_long", f"{zh}最多 {most} 个字，现在有 {len(value)} 个。请删减。", field=name
        )
    if any(
        (ord(c) < 32 and c not in "\n\t") or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF
        for c in value
    ):
        raise Refusal(
            "form.control_characters", f"{zh}里有不可见的控制字符，请重新输入。", field=name
        )
    return value


# --- the verbs -------------------------------------------------------------------------------


def _accept(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    missing = [m.name for m in loaded.materials() if m.state != "received"]
    if missing:
        raise Refusal(
            "case.materials_missing",
            f"材料还没有收齐，缺：{'、'.join(missing)}。收齐后才能受理，或者一次性告知补正。",
            article="行政许可法 第三十二条",
        )
    paper = _acceptance_notice(loaded, at=at, since=at, clerk=actor.name)
    body: dict[str, Any] = {"limits": limits_of(loaded), "document": paper.body()}
    if loaded.kind == "immediate":
        return Plan(body=body, paper=paper, sentence="已受理，可以当场作出决定。")
    body["to"] = {"kind": "department", "agency": loaded.agency}
    return Plan(
        body=body,
        paper=paper,
        sentence=f"已受理，移交{accounts.agency_name(loaded.agency)}承办。请打印受理通知书交申请人。",
    )


def _acceptance_notice(
    loaded: Loaded, *, at: datetime, since: datetime, clerk: str, deemed: bool = False
) -> documents.Prepared:
    """The 受理通知书; since: from when the limits run (the receipt, where acceptance is deemed)."""
    item = loaded.item_row()
    agency = _agency(loaded)
    due = None
    if item.promised and item.promised.unit == Unit.WORKING_DAY and item.promised.value:
        day = since.astimezone(heads.SHANGHAI).date()
        due = accounts.calendar(loaded.region).add_working_days(day, item.promised.value).day
    return documents.prepare(
        Kind.ACCEPTANCE_NOTICE,
        agency=agency.code,
        short=agency.short,
        item_type=item.type,
        at=at,
        data=wording.acceptance_notice(
            agency_name=agency.name,
            case=loaded.number,
            item=item.name,
            item_code=item.code,
            item_type=item.type,
            basis=item.basis,
            applicant=_for_paper(loaded.applicant()),
            applied=loaded.opened,
            issued=at,
            promised=_limit(item.promised),
            statutory=_limit(item.statutory),
            due=due,
            materials=[{"name": m.name} for m in loaded.materials() if m.state == "received"],
            place=f"{loaded.window} 窗口" if loaded.window else "",
            clerk=clerk,
            deemed=deemed,
        ),
    )


def _agency(loaded: Loaded) -> accounts.AgencyRow:
    found = accounts.agency(loaded.agency)
    if found is None:
        raise CaseNotFound(loaded.number)
    return found


def _for_paper(applicant: Applicant) -> dict[str, str]:
    label, _, number = applicant.identifier_line().partition(" ")
    return {
        "kind": applicant.kind,
        "name": applicant.name,
        "id_label": label,
        "id_number": number,
    }


def _limit(limit: Limit | None) -> dict[str, Any] | None:
    return None if limit is None else {"value": limit.value, "unit": str(limit.unit)}


def _take(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    step = loaded.current_step()
    body: dict[str, Any] = {
        "step": step.code if step else "deliver",
        "at": "window" if loaded.standing.state == lifecycle.State.DECIDED else "department",
    }
    if step is not None:
        kinds = {post.kind for post in actor.posts}
        if step.role not in kinds:
            raise Refusal(
                "case.wrong_post",
                f"“{step.name}”环节由{heads.role_zh(step.role)}岗办理，您没有这个岗位。请移交有这个岗位的同事。",
            )
        if step.limit is not None:
            body["limit"] = {
                "value": step.limit.value,
                "unit": str(step.limit.unit),
                "basis": "本事项办理流程",
            }
    body["holder"] = actor.code
    return Plan(body=body, sentence="已接办，从现在起由您承办。")


def _done(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    step = loaded.current_step()
    if step is None:
        raise Refusal("case.no_step", "这个办件没有正在办理的环节。")
    body: dict[str, Any] = {"step": step.code}
    contents: tuple[ledger.Content, ...] = ()
    if opinion := _text(form, "opinion", "审查意见"):
        contents = (ledger.Content(path=("opinion",), data={"text": opinion}),)
    following = loaded.step_after(step)
    if following is None:
        raise Refusal("case.last_step", "这是最后一个环节，请直接作出准予或者不予的决定。")
    body["to"] = _target(loaded, form, step=following)
    return Plan(
        body=body, contents=contents, sentence=f"本环节已办结，移交“{following.name}”环节。"
    )


def _target(loaded: Loaded, form: Form, *, step: Step | None) -> dict[str, str]:
    """A colleague's post, by name, from the form; the agency's own pool when none is named."""
    wanted = form.get("to", "").strip()
    kind = "department"
    target = {"kind": kind, "agency": loaded.agency}
    if not wanted:
        return target
    for colleague in accounts.colleagues(loaded.agency):
        if colleague.post == wanted and (step is None or colleague.kind == step.role):
            return {**target, "post": colleague.post}
    raise Refusal(
        "case.unknown_colleague",
        "不能移交给这个岗位：它不属于本机关，或者不办理下一环节。请从列表中选择。",
        field="to",
    )


def _hand_over(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    if not form.get("to", "").strip():
        raise Refusal("form.required", "请选择移交给谁。", field="to")
    target = _target(loaded, form, step=loaded.current_step())
    if target.get("post") in {post.code for post in actor.posts}:
        raise Refusal("case.to_oneself", "不能移交给自己的岗位。请选择另一位同事。", field="to")
    contents: tuple[ledger.Content, ...] = ()
    if note := _text(form, "note", "移交说明", required=False):
        contents = (ledger.Content(path=("note",), data={"text": note}),)
    return Plan(body={"to": target}, contents=contents, sentence="已移交，等待对方接办。")


def _decide(outcome: str) -> Callable[[Loaded, Actor, Form, datetime], Plan]:
    def plan(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
        if loaded.kind != "immediate" and not loaded.has("step_taken"):
            raise Refusal(
                "case.not_yet",
                "还没有人接办审查，不能作出决定。请先由承办岗位接办。",
                article="行政许可法 第三十四条",
            )
        reasons = _text(form, "reasons", "理由", required=outcome == "refused")
        item = loaded.item_row()
        applicant = loaded.applicant()
        agency = _agency(loaded)
        paper = documents.prepare(
            Kind.DECISION,
            agency=agency.code,
            short=agency.short,
            item_type=item.type,
            at=at,
            data=wording.decision(
                agency_name=agency.name,
                case=loaded.number,
                item=item.name,
                item_code=item.code,
                item_type=item.type,
                basis=item.basis,
                applicant=_for_paper(applicant),
                accepted=loaded.standing.accepted_at or at,
                issued=at,
                outcome=outcome,
                reasons=reasons,
            ),
        )
        contents: tuple[ledger.Content, ...] = ()
        if reasons:
            contents = (ledger.Content(path=("reasons",), data={"text": reasons}),)
        body: dict[str, Any] = {"document": paper.body()}
        if reasons:
            body["reasons"] = {"content": ""}  # the commit puts the content's id and digest here
        word = "准予" if outcome == "granted" else "不予"
        if outcome == "refused" and loaded.kind != "immediate":
            body["to"] = loaded.back_to_window()
        return Plan(
            body=body,
            paper=paper,
            contents=contents,
            sentence=f"已作出{word}决定，请打印决定书。",
        )

    return plan


def _licence_made(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    if loaded.standing.outcome != "granted":
        raise Refusal(
            "case.nothing_to_make", "只有准予的决定才制证。", article="行政许可法 第三十九条"
        )
    body: dict[str, Any] = {}
    if loaded.kind != "immediate":
        body["to"] = loaded.back_to_window()
    return Plan(body=body, sentence="已制证，移交窗口。")


def _ready(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    return Plan(body={"at": "window"}, sentence="已通知申请人领取。")


TICKS = (("received", "已收"), ("missing", "缺"))
MEANS = (("signature", "当面签收"), ("post", "邮寄"), ("electronic", "电子送达"))


def _deliver(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    means = form.get("means", "").strip()
    if means not in dict(MEANS):
        raise Refusal("form.choice", "请选择送达方式。", field="means")
    body: dict[str, Any] = {"means": means}
    contents: tuple[ledger.Content, ...] = ()
    proof = _text(
        form,
        "proof",
        {"signature": "签收人姓名", "post": "邮寄单号", "electronic": "送达凭证"}[means],
        most=100,
    )
    contents = (ledger.Content(path=("proof",), data={"text": proof}),)
    return Plan(body=body, contents=contents, then=("closed",), sentence="已送达，办件办结。")


def _supplement_requested(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    missing = [m.code for m in loaded.materials() if m.state != "received"]
    if not missing:
        raise Refusal(
            "case.nothing_missing", "材料已经齐全，应当受理。", article="行政许可法 第三十二条"
        )
    return Plan(body={"materials": missing}, sentence="已一次性告知需要补正的全部内容。")


def _missing(loaded: Loaded) -> tuple[Ask, ...]:
    """One question for each material that is not there yet."""
    return tuple(
        Ask(f"material-{m.code}", m.name, "choice", choices=TICKS)
        for m in loaded.materials()
        if m.state != "received"
    )


def _supplemented(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    ticked = []
    for material in loaded.materials():
        if material.state == "received":
            continue
        field_name = f"material-{material.code}"
        state = form.get(field_name, "").strip()
        if state not in dict(TICKS):
            raise Refusal(
                "case.material_unticked",
                f"材料“{material.name}”还没有核对，请选择“已收”或者“缺”。",
                article="行政许可法 第三十二条",
                field=field_name,
            )
        ticked.append({"code": material.code, "state": state})
    short = sum(one["state"] == "missing" for one in ticked)
    if short == len(ticked):
        raise Refusal("case.nothing_supplemented", "一项材料也没有补来，不能登记补正。")
    return Plan(
        body={"materials": ticked, "at": "window"},
        sentence=f"已收到补正材料，还缺 {short} 项。" if short else "补正材料已收齐，请受理。",
    )


def _suspend(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    try:
        days = int(form.get("days", ""))
    except ValueError:
        days = 0
    if not 1 <= days <= 200:
        raise Refusal(
            "form.days",
            "请填写特别程序需要的工作日数（1 到 200 的整数），并书面告知申请人。",
            article="行政许可法 第四十五条",
            field="days",
        )
    day = at.astimezone(heads.SHANGHAI).date()
    until = accounts.calendar(loaded.region).add_working_days(day, days).day
    return Plan(
        body={
            "procedure": form.get("procedure", ""),
            "days": days,
            "until": until.isoformat(),
        },
        sentence=f"已进入特别程序，期限暂停计算，已告知到 {until.month} 月 {until.day} 日。",
    )


def _resume(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    return Plan(sentence="特别程序结束，恢复计时。")


PROCEDURES = tuple((code, zh) for code, zh in lifecycle.PROCEDURES.items())

VERBS: dict[str, Verb] = {
    verb.kind: verb
    for verb in (
        Verb("accepted", "受理", "case.accept", _accept),
        Verb(
            "supplement_requested", "一次性告知", "case.accept", _supplement_requested,
        ),
        Verb("supplemented", "补正", "case.accept", _supplemented, asks_of=_missing),
        Verb("step_taken", "接办", "case.take", _take, offered=True),
        Verb(
            "step_done", "办结本环节", "case.review", _done,
            asks=(
                Ask("opinion", "审查意见", "long"),
                Ask("to", "移交给", "colleague", required=False),
            ),
        ),
        Verb(
            "handed_over", "移交", "case.hand_over", _hand_over, offered=True,
            asks=(
                Ask("to", "移交给", "colleague"),
                Ask("note", "移交说明", "long", required=False),
            ),
        ),
        Verb(
            "suspended", "特别程序", "case.review", _suspend,
            asks=(
                Ask("procedure", "特别程序", "choice", choices=PROCEDURES),
                Ask("days", "需要的工作日", "days"),
            ),
        ),
        Verb("resumed", "恢复计时", "case.review", _resume),
        Verb(
            "granted", "准予", "case.decide", _decide("granted"),
            asks=(Ask("reasons", "说明", "long", required=False),),
        ),
        Verb(
            "refused", "不予", "case.decide", _decide("refused"),
            asks=(Ask("reasons", "理由", "long"),),
        ),
        Verb("licence_made", "制证", "case.review", _licence_made),
        Verb("ready", "通知领取", "case.deliver", _ready),
        Verb(
            "delivered", "送达", "case.deliver", _deliver,
            asks=(
                Ask("means", "送达方式", "choice", choices=MEANS),
                Ask("proof", "签收人、邮寄单号或者送达凭证"),
            ),
        ),
    )
}  # fmt: skip
