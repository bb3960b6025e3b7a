"""The verbs of a case (办件). Each loads, decides in pure code, and commits; nobody else writes.

A verb takes the actor, the version of the page it was decided on and an idempotency key. Answers:
`Received` / `Done`; `Refusal` (or several, `Refusals`) when law or rule says no; `CaseNotFound` for
a stranger; `Moved` when something that matters came in between.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.calendars import queries as calendars
from zhengwu.cases import attempts, heads, papers, slips, writing
from zhengwu.cases.acts import UNDO, VERBS
from zhengwu.cases.acts.handling import expiry, extension_most, right_post
from zhengwu.cases.acts.mending import undoable
from zhengwu.cases.acts.window import limits_of
from zhengwu.cases.events import STREAM
from zhengwu.cases.grounds import NotListed
from zhengwu.cases.loading import (
    CaseNotFound,
    Loaded,
    files_of,
    finished,
    load_many_to_act,
    load_to_act,
    silent,
)
from zhengwu.cases.parties import IDENTIFIERS, KINDS, Applicant
from zhengwu.cases.receiving import Received, Reception, receive
from zhengwu.cases.verbs import Form, Plan, Verb, readable
from zhengwu.cases.writing import SOURCE
from zhengwu.catalog import queries as catalog
from zhengwu.documents import files
from zhengwu.documents import services as documents
from zhengwu.documents.queries import of_stream as papers_of
from zhengwu.domain import lifecycle
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import Life, State
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

log = logging.getLogger(__name__)
TRIES = 5  # how often a decision is taken again because a machine event came in between
LICENCE = "行政许可"  # the type of item to which the 行政许可法 applies
BATCH = 20  # like cases decided together on the page
MOST = 50  # cases of one call of perform_many
DECISIONS = ("granted", "refused")
# After these a paper may hold no more, or hold again.
VOIDING = ("entry_withdrawn", "document_corrected", "revoked", "cancelled", "taken_back")

__all__ = [
    "BATCH",
    "IDENTIFIERS",
    "KINDS",
    "MOST",
    "VERBS",
    "Applicant",
    "CaseNotFound",
    "Done",
    "Moved",
    "Received",
    "Reception",
    "perform",
    "receive",
]


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
    return _perform(actor, number, verb, version=version, key=key, form=form, at=at)


def undo(actor: Actor, number: str, *, version: int, key: str, at: datetime) -> Done:
    """Undo one's own last entry within seconds (撤回操作), before a paper was issued with it."""
    return _perform(actor, number, UNDO, version=version, key=key, form={}, at=at)


def _perform(
    actor: Actor,
    number: str,
    verb: Verb,
    *,
    version: int,
    key: str,
    form: Form,
    at: datetime,
) -> Done:
    request = _request(actor, verb, number, _asked(form))
    for _ in range(TRIES):
        loaded = load_to_act(actor, number)
        if _is_silent(loaded, at) and _deem(loaded, at):
            loaded = load_to_act(actor, number)  # 行政许可法 32(4): accepted since the receipt
        decided = _decide(
            actor, loaded, verb, version=version, key=key, request=request, form=form, at=at
        )
        done = decided if isinstance(decided, Done) else _commit(actor, decided, at=at)
        if done is not None:
            return done
    raise Refusal("case.busy", "这个办件正被频繁更新，这次没有办成。请再试一次，内容都还在。")


def _request(actor: Actor, verb: Verb, number: str, asked: Mapping[str, str]) -> bytes:
    act = "undo" if verb is UNDO else verb.kind
    return writing.digest({"act": act, "by": actor.code, "number": number, "form": asked})


@dataclass(frozen=True, slots=True)
class _Decided:
    """An act that may be done, with the rows it wants written: its own and what follows at once."""

    loaded: Loaded
    verb: Verb
    plan: Plan
    life: Life
    rows: tuple[ledger.Row, ...]
    key: str
    request: bytes

    @property
    def version(self) -> int:
        return self.life.standing.version

    @property
    def alone(self) -> bool:
        """Whether the log is all that is written, so that one statement is all it takes."""
        plan = self.plan
        more = plan.paper or plan.slip or plan.files or plan.grants
        return not more and self.verb.kind not in VOIDING

    def done(self) -> Done:
        paper = self.plan.paper
        return Done(
            self.loaded.number, self.version, self.plan.sentence,
            paper.check_code if paper else None,
        )  # fmt: skip


def _decide(
    actor: Actor,
    loaded: Loaded,
    verb: Verb,
    *,
    version: int,
    key: str,
    request: bytes,
    form: Form,
    at: datetime,
    reach: Callable[[str], Reach] | None = None,
) -> _Decided | Done:
    """The act on the case as it was loaded, or what the same key was answered before.

    Raises Refusal, Moved.
    """
    if loaded.version != version:
        if first := ledger_queries.answer(SOURCE, key):
            return _first_done(first, loaded.number, request)
        between = [e for e in loaded.events if e.version > version]
        if version > loaded.version or any(
            e.nature == Nature.ACT and e.actor is not None for e in between
        ):
            raise Moved(loaded.number, version, loaded.version, between)
    # Asked first, so that a case in the wrong state says just that.
    if not lifecycle.may_start(loaded.standing, verb.kind):
        raise lifecycle.not_allowed(loaded.standing, verb.kind)
    permit(actor, loaded, verb, reach=reach)
    if not verb.fits(loaded):
        raise Refusal(
            "case.not_now",
            f"办件还没有办到或者已经办过“{verb.zh}”这一步。请刷新页面，按现在的状态办理。",
        )
    try:
        plan = verb.plan(loaded, actor, form, at)
    except NotListed as outside:
        if loaded.item is not None:
            attempts.record(
                actor, verb.kind, outside.asked, item=loaded.item_row(), case=loaded.id,
                post=_post_for(actor, loaded, verb), key=key, at=at,
            )  # fmt: skip
        raise
    return _written(actor, loaded, verb, plan, key=key, request=request, at=at)


def _written(
    actor: Actor,
    loaded: Loaded,
    verb: Verb,
    plan: Plan,
    *,
    key: str,
    request: bytes,
    at: datetime,
) -> _Decided:
    """The act and what follows at once as rows of the log, where the table lets them."""
    post = _post_for(actor, loaded, verb)
    if plan.files:
        plan.body["files"] = _named(plan)
    life = loaded.life
    new: list[Event] = []
    for index, kind in enumerate((verb.kind, *plan.then)):
        body = plan.body if index == 0 else {}
        extends = kind == "extended"
        lifecycle.admit(
            life.standing,
            kind,
            at=plan.occurred or at,
            now=at,
            actor=actor.code if index == 0 else None,
            body=body,
            case_kind=loaded.kind,
            due=expiry(loaded.read(at)) if extends else None,
            extension_most=extension_most(loaded, at) if extends else 0,
        )
        event = writing.event(
            actor if index == 0 else None,
            kind,
            at=at,
            occurred=plan.occurred,
            body=body,
            version=loaded.version + index + 1,
            post=post if index == 0 else None,
            agency=loaded.agency if index else None,
            region=loaded.region,
        )
        life = life.then(event)
        new.append(event)
    head = writing.head_after(
        life,
        new,
        edition=lambda: calendars.edition(loaded.region, loaded.hall, last=loaded.calendar),
        at=at,
    )
    rows = tuple(
        ledger.Row(
            stream_id=loaded.id,
            expected=loaded.version,
            event=writing.new(event, key=key if i == 0 else f"{key}+{i}", request=request),
            head=head,
            number=plan.paper.number if plan.paper and i == 0 else None,
            contents=(
                plan.contents + ((plan.paper.content,) if plan.paper else ()) if i == 0 else ()
            ),
        )
        for i, event in enumerate(new)
    )
    return _Decided(loaded, verb, plan, life, rows, key, request)


def _commit(actor: Actor, decided: _Decided, *, at: datetime) -> Done | None:
    """Write the act and what follows at once; None if something came in between."""
    if decided.alone:
        # The rows of one stream move together or not at all: the statement is the transaction.
        outcomes = ledger.append(STREAM, decided.rows)
        if _all_moved(outcomes):
            return decided.done()
    else:
        with transaction.atomic():
            outcomes = ledger.append(STREAM, decided.rows)
            if _all_moved(outcomes):
                _write_more(actor, decided, outcomes, at=at)
                return decided.done()
            transaction.set_rollback(True)
    if outcomes[0].status == ledger.Status.STALE:
        return None
    if first := ledger_queries.answer(SOURCE, decided.key):
        return _first_done(first, decided.loaded.number, decided.request)
    return None


def _all_moved(outcomes: Sequence[ledger.Outcome]) -> bool:
    return all(outcome.status == ledger.Status.MOVED for outcome in outcomes)


def _write_more(
    actor: Actor, decided: _Decided, outcomes: Sequence[ledger.Outcome], *, at: datetime
) -> None:
    """What stands beside the log and hangs on the act: its paper, its files, its grants."""
    loaded, verb, plan = decided.loaded, decided.verb, decided.plan
    events = decided.life.events
    if plan.paper:
        documents.register(plan.paper, outcomes[0], stream=STREAM, stream_id=loaded.id, at=at)
    if plan.slip:
        slips.keep(plan.slip, case=loaded.id, version=loaded.version + 1, party=loaded.applicant_id)
    if plan.files:
        files.bind(plan.files, by=actor, stream=STREAM, stream_id=loaded.id)
    for grant in plan.grants:
        for person in grant.people:
            for act in grant.acts:
                account_services.grant(
                    person, act=act, stream=loaded.id, since=at, until=grant.until,
                    because=grant.because,
                )  # fmt: skip
    if verb.kind == "entry_withdrawn":
        _end_sight(loaded, events, at=at)
        _recount(loaded, events, at=at)
    if verb.kind in VOIDING:
        _void(loaded, events, outcomes[0].number, at=at)


def _recount(loaded: Loaded, events: Sequence[Event], *, at: datetime) -> None:
    """Numbers and files are the case's while an entry that counts names them: derived, all anew."""
    counting = lifecycle.standing_events(events)
    slips.recount(loaded.id, standing={event.version for event in counting})
    files.rebind(
        STREAM, loaded.id, named=files_of(events).keys(), counting=files_of(counting).keys(), at=at
    )


def _named(plan: Plan) -> list[dict[str, str]]:
    """What the event says of the files: which material (or what for), which file, its digest.

    A file that is not there stands without a digest: binding it refuses the act.
    """
    kept = files.found(plan.files)
    material = {str(o["file"]): str(o["material"]) for o in plan.body.get("files") or ()}
    named = []
    for one in plan.files:
        row = {"material": material.get(str(one), "other"), "file": str(one)}
        if file := kept.get(one):
            row["digest"] = file.digest
            row["material"] = material.get(str(one), file.purpose)
        named.append(row)
    return named


def _asked(form: Form) -> dict[str, str]:
    """The form in a fixed order; an upload counts by its content, so that a double click is the
    same."""
    readable(form)
    typed = {name: _ids(value) for name, value in form.items()}
    kept = files.found(one for ids in typed.values() for one in ids) if any(typed.values()) else {}
    return {
        name: ",".join(kept[one].digest if one in kept else str(one) for one in typed[name])
        or value
        for name, value in sorted(form.items())
    }


def _ids(value: str) -> tuple[UUID, ...]:
    try:
        return tuple(UUID(one) for one in value.split(",") if one.strip())
    except ValueError:
        return ()


def _end_sight(loaded: Loaded, events: Sequence[Event], *, at: datetime) -> None:
    """Whoever was asked for an opinion by an entry that counts no more sees the case no more."""
    counting = lifecycle.standing_events(events)
    standing = {event.version for event in counting}
    asked = {str(e.body["agency"]) for e in counting if e.kind == "opinion_requested"}
    for event in events:
        if event.kind != "opinion_requested" or event.version in standing:
            continue
        if (agency := str(event.body["agency"])) not in asked:
            account_services.end_grants(
                loaded.id, acts=("case.see", "case.opine"), agency=agency, at=at
            )


def _void(
    loaded: Loaded, events: Sequence[Event], replacement: str | None, *, at: datetime
) -> None:
    """A paper holds while its entry counts and no correction replaces it: derived, all anew."""
    gone: dict[str, str | None] = {}
    counting = lifecycle.standing_events(events)
    standing = {event.version for event in counting}
    for event in events:
        document = event.body.get("document")
        if isinstance(document, Mapping) and event.version not in standing:
            gone[str(document["check"])] = None
    for event in counting:
        if "ends" in event.body:  # revoked, cancelled, taken back: the decision holds no more
            document = event.body.get("document") or {}
            gone[str(event.body["ends"])] = str(document.get("number") or replacement or "")
        if event.kind == "document_corrected":
            document = event.body.get("document") or {}
            gone[str(event.body["replaces"])] = str(document.get("number") or replacement or "")
    issued = {one.check_code: one.event for one in papers_of(loaded.id)}
    documents.void(
        STREAM,
        loaded.id,
        gone={issued[check]: number for check, number in gone.items() if check in issued},
        at=at,
    )


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one case of a batch: done, or the sentence that says why not."""

    number: str
    done: Done | None
    sentence: str
    article: str | None = None


def perform_many(
    actor: Actor,
    picked: Sequence[tuple[str, int]],
    kind: str,
    *,
    key: str,
    form: Form,
    at: datetime,
) -> tuple[BatchResult, ...]:
    """One act on up to 50 cases (批量办理), each for itself: a result per case.

    All are loaded with one SELECT, decided in turn and committed with one statement; what issues a
    paper or writes beside the log, and what somebody else moved meanwhile, goes by itself.

    picked: number and the version seen. Decisions only on like cases: one item, one version of it.
    Raises Refusal where the batch itself is wrong, before anything is done.
    """
    unique = tuple(dict(picked).items())
    if not unique:
        raise Refusal("batch.empty", "请至少选择一个办件。", field="cases")
    if len(unique) > MOST:
        raise Refusal(
            "batch.too_many", f"一次最多办 {MOST} 件，现在选了 {len(unique)} 件。", field="cases"
        )
    verb = VERBS.get(kind)
    found = load_many_to_act(actor, [number for number, _ in unique]) if verb else {}
    if kind in DECISIONS:
        like = {(loaded.item, loaded.item_version) for loaded in found.values()}
        if len(like) > 1:
            raise Refusal(
                "batch.unlike",
                "只有同一事项、同一版本的办件可以一起决定。请按事项筛选后再选。",
                article="行政许可法 第三十四条",
                field="cases",
            )
    asked = _asked(form)
    reach = cache(partial(accounts.reach, actor))
    own = UUID(key)
    keys = {number: str(uuid5(own, number)) for number, _ in unique}
    results: dict[str, BatchResult] = {}
    together: list[_Decided] = []
    single: list[tuple[str, int]] = []
    for number, version in unique:
        loaded = found.get(number)
        if verb is None or loaded is None:
            results[number] = BatchResult(number, None, "没有找到这个办件。")
        elif lifecycle.BY_CODE[kind].document or _is_silent(loaded, at):
            single.append((number, version))  # a paper takes its time: loaded again, just before
        else:
            try:
                decided = _decide(
                    actor, loaded, verb, version=version, key=keys[number],
                    request=_request(actor, verb, number, asked), form=form, at=at, reach=reach,
                )  # fmt: skip
            except (Moved, Refusal, Refusals) as no:
                results[number] = _not_done(number, no)
                continue
            if isinstance(decided, Done):
                results[number] = BatchResult(number, decided, decided.sentence)
            elif decided.alone:
                together.append(decided)
            else:
                single.append((number, version))
    rows = [row for one in together for row in one.rows]
    outcomes = iter(ledger.append(STREAM, rows))
    for one in together:
        number = one.loaded.number
        if _all_moved([next(outcomes) for _ in one.rows]):
            done = one.done()
            results[number] = BatchResult(number, done, done.sentence)
        else:
            single.append((number, dict(unique)[number]))
    for number, version in single:
        try:
            done = perform(actor, number, kind, version=version, key=keys[number], form=form, at=at)
            results[number] = BatchResult(number, done, done.sentence)
        except (Moved, CaseNotFound, Refusal, Refusals) as no:
            results[number] = _not_done(number, no)
    return tuple(results[number] for number, _ in unique)


def _not_done(number: str, no: Moved | CaseNotFound | Refusal | Refusals) -> BatchResult:
    if isinstance(no, Moved):
        return BatchResult(number, None, "这个办件已有新进展，请单独打开办理。")
    if isinstance(no, CaseNotFound):
        return BatchResult(number, None, "没有找到这个办件。")
    first = no.refusals[0] if isinstance(no, Refusals) else no
    return BatchResult(number, None, first.sentence, first.article)


# --- what the clock does ---------------------------------------------------------------------


def deem_accepted(*, at: datetime, page: int = 200) -> int:
    """Deem accepted (逾期视为受理) every case whose five working days passed in silence.

    行政许可法 32(4). The act is the clock's: no person stands in it. Returns how many; idempotent.
    """
    count = 0
    for loaded in silent(at=at, page=page, items=catalog.codes_of_type(LICENCE)):
        try:
            count += _deem(loaded, at)
        except Exception:
            # One case must not keep the law from the others.
            log.exception("case %s could not be deemed accepted", loaded.number)
    return count


def _is_silent(loaded: Loaded, at: datetime) -> bool:
    """Received, and not answered within the limit: the worker may be late, the law is not."""
    if loaded.standing.state != State.RECEIVED or loaded.kind == "foreign":
        return False
    acceptance = loaded.read(at).limit("acceptance")
    return acceptance is not None and acceptance.due <= at


def _deem(loaded: Loaded, at: datetime) -> bool:
    acceptance = loaded.read(at).limit("acceptance")
    if acceptance is None or acceptance.due > at:
        return False
    if loaded.item_row().type != LICENCE:
        return False  # the article speaks of licences; others stay open, and late
    # 行政许可法 32(4), from the receipt: filed after hours, from when it counts as received.
    start = acceptance.how.start
    since = start.moment if start.filed else loaded.standing.papers_at or loaded.opened
    paper = papers.acceptance_notice(loaded, at=at, since=since, clerk="", deemed=True)
    body: dict[str, Any] = {
        "limits": limits_of(loaded),
        "effective": heads.iso(since),
        "document": paper.body(),
    }
    if loaded.kind != "immediate":
        body["to"] = {"kind": "department", "agency": loaded.agency}
    return _by_clock(
        loaded, "deemed_accepted", occurred=acceptance.due, body=body, paper=paper, at=at
    )


def archive(*, at: datetime, after: timedelta, page: int = 200) -> int:
    """File away (归档) every case closed for as long as `after`; returns how many. Idempotent."""
    count = 0
    for loaded in finished(before=at - after, page=page):
        if loaded.standing.state != State.CLOSED:
            continue
        count += _by_clock(
            loaded, "archived", occurred=at, body={"entries": loaded.version}, paper=None, at=at
        )
    return count


def _by_clock(
    loaded: Loaded,
    kind: str,
    *,
    occurred: datetime,
    body: Mapping[str, Any],
    paper: documents.Prepared | None,
    at: datetime,
) -> bool:
    """An act of the house itself; False when somebody was quicker."""
    event = Event(
        version=loaded.version + 1,
        kind=kind,
        occurred=occurred,
        recorded=at,
        received=at,
        agency=loaded.agency,
        region=loaded.region,
        source="clock",
        body=body,
    )
    lifecycle.admit(
        loaded.standing, kind, at=occurred, now=at, actor=None, body=body, case_kind=loaded.kind
    )
    row = ledger.Row(
        stream_id=loaded.id,
        expected=loaded.version,
        event=writing.new(event, key=f"{kind}/{loaded.id}/{loaded.version}", request=None),
        head=writing.head([*loaded.events, event], region=loaded.region, hall=loaded.hall, at=at),
        number=paper.number if paper else None,
        contents=(paper.content,) if paper else (),
    )
    with transaction.atomic():
        (outcome,) = ledger.append(STREAM, [row])
        if outcome.status != ledger.Status.MOVED:
            return False
        if paper:
            documents.register(paper, outcome, stream=STREAM, stream_id=loaded.id, at=at)
    return True


# --- who may ---------------------------------------------------------------------------------


def permit(
    actor: Actor, loaded: Loaded, verb: Verb, *, reach: Callable[[str], Reach] | None = None
) -> None:
    """Whether this actor may do it here: the permission, and whose hands the case is in.

    reach: how far each act of this actor reaches, where that was found before.
    """
    if verb is UNDO:
        return  # one's own last entry, whatever it was: the plan asks
    may = verb.may
    if may == "case.decide" and loaded.kind == "immediate" and verb.kind in DECISIONS:
        may = "case.decide_at_once"  # 即办件: decided at the window, in one sitting
        if not actor.may(may):
            may = verb.may
    within = reach(may) if reach else accounts.reach(actor, may)
    inside = (
        within.everything
        or loaded.agency in within.agencies
        or (loaded.hall is not None and loaded.hall in within.halls)
        or loaded.id in within.streams
    )
    if not inside:
        raise Refusal(
            "case.not_permitted",
            f"您的岗位没有“{verb.zh}”的权限。请移交给有权限的岗位，或者请安全管理员核对授权。",
        )
    if verb.kind == "step_taken":
        right_post(loaded, actor)
    if verb.anyone:
        return
    holder = loaded.standing.holder
    if holder.kind in ("special", "higher"):
        holder = loaded.standing.before  # it comes back to whoever had it
    mine = holder.agency in {post.agency for post in actor.posts} | {actor.agency}
    if holder.kind == "applicant" and verb.kind in ("supplemented", "delivered"):
        mine = True  # the applicant comes to the window; the permission above decides
    # A decision ends whatever step is under way in the organ; it is not the reviewer's to make.
    head = verb.kind == "handed_over" and "head" in actor.roles  # may give work to another
    if holder.post is not None and verb.kind not in DECISIONS and not head:
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
    if verb.may in ("case.accept", "case.deliver"):
        return "window"
    if verb.kind in DECISIONS and loaded.kind != "immediate":
        return "decide"
    if loaded.standing.state in (State.RECEIVED, State.DECIDED) and verb.kind == "step_taken":
        return "window"
    step = loaded.current_step()
    return step.role if step else "review"


def _first_done(first: ledger_queries.Answer, number: str, request: bytes) -> Done:
    writing.same(first, request)
    document = first.body.get("document") or {}
    return Done(
        number,
        first.version,
        "这一步已经办好，没有重复办理。",
        document.get("check"),
        repeated=True,
    )


def can_undo(actor: Actor, loaded: Loaded, at: datetime) -> str:
    """What this actor may still undo, by its name; empty if nothing."""
    event = undoable(loaded, actor, at)
    return VERBS[event.kind].zh if event and event.kind in VERBS else ""
