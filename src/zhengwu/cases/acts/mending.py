"""What went wrong, lawfully mended (更正): both stay visible, the state is recomputed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from zhengwu.accounts.queries import Actor
from zhengwu.cases import papers, wording
from zhengwu.cases.loading import Loaded
from zhengwu.cases.verbs import Ask, Form, Plan, Verb, note, text
from zhengwu.documents import queries as documents
from zhengwu.documents import wording as documents_wording
from zhengwu.documents.kinds import Kind
from zhengwu.domain import lifecycle
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.refusal import Refusal

NOT_MENDED = ("withdrawal_proposed", "closed", "archived", "deemed_accepted")


def mendable(loaded: Loaded) -> tuple[Event, ...]:
    """The entries that can be withdrawn: people's own acts that still count, the latest first."""
    proposed = {one.entry for one in loaded.standing.proposed}
    return tuple(
        event
        for event in reversed(loaded.counting)
        if event.version > 1
        and event.nature == Nature.ACT
        and event.actor is not None
        and event.kind not in NOT_MENDED
        and event.version not in proposed
    )


def _entry(loaded: Loaded, form: Form) -> Event:
    typed = form.get("version", "").strip()
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0
    event = next((e for e in mendable(loaded) if e.version == number), None)
    if event is None:
        raise Refusal("case.no_such_entry", "请选择要撤销的是哪一条记录。", field="version")
    return event


def keeps_what_was_delivered(loaded: Loaded, version: int) -> None:
    """Refuses a withdrawal after which a decision that was delivered would count no more."""
    if loaded.standing.delivered_at is None:
        return
    entry = Event(
        version=loaded.version + 1,
        kind="entry_withdrawn",
        occurred=loaded.events[-1].occurred,
        recorded=loaded.events[-1].recorded,
        received=loaded.events[-1].received,
        body={"version": version},
    )
    left = {e.version for e in lifecycle.standing_events([*loaded.events, entry])}
    decisions = (e.version for e in loaded.counting if e.kind in ("granted", "refused"))
    if not left.issuperset(decisions):
        raise Refusal(
            "case.decision_delivered",
            "决定书已经送达，不能因误录而失效。确有错误的，请依法撤销决定或者更正文书。",
            article="行政许可法 第六十九条",
            field="version",
        )


def _propose(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    event = _entry(loaded, form)
    mine = event.post in {post.code for post in actor.posts} or event.actor == actor.code
    if not mine and "head" not in actor.roles:
        raise Refusal(
            "case.not_your_entry",
            "只有登记这条记录的岗位可以提请撤销。请找登记岗位或者机关负责人。",
            field="version",
        )
    keeps_what_was_delivered(loaded, event.version)
    reasons = text(form, "reasons", "哪里录错了")
    return Plan(
        body={"version": event.version, "entry": event.kind},
        contents=note("reasons", reasons),
        sentence="已提请撤销这条记录，等待本机关另一位同事确认。",
    )


def _confirm(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    typed = form.get("version", "").strip()
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0
    proposal = next((o for o in loaded.standing.proposed if o.entry == number), None)
    if proposal is None:
        raise Refusal("case.no_such_entry", "请选择要确认撤销的是哪一条记录。", field="version")
    keeps_what_was_delivered(loaded, number)
    event = next(e for e in loaded.events if e.version == number)
    return Plan(
        body={"version": number, "entry": event.kind, "proposed": proposal.version},
        sentence="已撤销误录，办件的状态和期限已重新计算；原记录和撤销记录都保留。",
    )


def _undo(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    event = undoable(loaded, actor, at)
    if event is None:
        raise Refusal(
            "case.undo_too_late",
            f"只能在 {int(lifecycle.UNDO.total_seconds())} 秒内、还没有人接着办、也没有出文书的时候撤回。"
            "现在请提请撤销误录，由第二人确认。",
        )
    return Plan(
        body={"version": event.version, "entry": event.kind, "undo": True},
        sentence="已撤回刚才的操作。",
    )


def undoable(loaded: Loaded, actor: Actor, at: datetime) -> Event | None:
    """The last entry, if this actor made it just now and no paper left the house with it."""
    last = loaded.events[-1]
    fresh = timedelta() <= at - last.occurred <= lifecycle.UNDO
    own = last.actor == actor.code and last.nature == Nature.ACT and last.version > 1
    if not fresh or not own or "document" in last.body:
        return None
    if last.kind in ("entry_withdrawn", "withdrawal_proposed", *NOT_MENDED):
        return None
    return last


def _entries(loaded: Loaded) -> tuple[Ask, ...]:
    choices = tuple(
        (str(e.version), f"第 {e.version} 条 {wording.title(e)}") for e in mendable(loaded)
    )
    return (Ask("version", "哪一条记录", "choice", choices=choices),)


def _proposals(loaded: Loaded) -> tuple[Ask, ...]:
    titles = {e.version: wording.title(e) for e in loaded.events}
    choices = tuple(
        (str(o.entry), f"第 {o.entry} 条 {titles.get(o.entry, '')}")
        for o in loaded.standing.proposed
    )
    return (Ask("version", "确认撤销哪一条记录", "choice", choices=choices),)


# --- papers ----------------------------------------------------------------------------------


def correctable(issued: Sequence[documents.OfCase]) -> tuple[tuple[str, str], ...]:
    """The papers that hold and can be corrected: check code, title and number."""
    return tuple(
        (one.check_code, f"{one.title} {one.number}") for one in issued if one.void_since is None
    )


def which_paper(issued: Sequence[documents.OfCase]) -> tuple[Ask, ...]:
    return (Ask("paper", "哪一份文书", "choice", choices=correctable(issued)),)


def _issuer(loaded: Loaded, actor: Actor, check: str) -> None:
    """Only the post that made a paper, or the head, corrects it. Raises Refusal."""
    made = next(
        (e for e in loaded.events if (e.body.get("document") or {}).get("check") == check), None
    )
    head = ("head", loaded.agency) in actor.holdings
    own = made is not None and (
        made.actor == actor.code or made.post in {post.code for post in actor.posts}
    )
    clock = made is not None and made.actor is None
    if not (own or head or clock):
        raise Refusal(
            "case.not_your_paper",
            "只有制作这份文书的岗位或者机关负责人可以更正。请找制作岗位。",
            field="paper",
        )


def _correct(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    chosen = form.get("paper", "").strip()
    found = next(
        (
            one
            for one in documents.of_stream(loaded.id)
            if one.check_code == chosen and one.void_since is None
        ),
        None,
    )
    if found is None:
        raise Refusal("case.no_such_paper", "请选择要更正的文书。", field="paper")
    _issuer(loaded, actor, chosen)
    original = documents.frozen(chosen)
    wrong = text(form, "wrong", "原来写的", most=500)
    right = text(form, "right", "更正为", most=500)
    reasons = text(form, "reasons", "更正说明", most=500)
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.issue(
        Kind.CORRECTION,
        of,
        at=at,
        data=documents_wording.correction(
            original,
            issued=at,
            of=found.number,
            title_of=found.title,
            changes=[(wrong, right)],
            reasons=reasons,
        ),
    )
    body: dict[str, Any] = {"document": paper.body(), "replaces": found.check_code}
    return Plan(
        body=body,
        paper=paper,
        contents=note("reasons", reasons),
        sentence=f"已制作更正件，原{found.title}作废。请打印更正件送达申请人。",
    )


VERBS = (
    Verb(
        kind="document_corrected", zh="更正文书", may="case.correct", plan=_correct, anyone=True,
        fits=lambda loaded: any("document" in event.body for event in loaded.events),
        asks_of=lambda loaded: which_paper(documents.of_stream(loaded.id)),
        asks=(
            Ask("wrong", "原来写的", hint="照原文抄，一字不差"),
            Ask("right", "更正为"),
            Ask("reasons", "更正说明", "long"),
        ),
        confirm="原文书会作废，查验页会显示由哪个文号代替。",
    ),
    Verb(
        kind="withdrawal_proposed", zh="提请撤销误录", may="case.correct", plan=_propose,
        anyone=True, asks_of=_entries,
        asks=(Ask("reasons", "哪里录错了", "long"),),
        fits=lambda loaded: bool(mendable(loaded)),
    ),
    Verb(
        kind="entry_withdrawn", zh="确认撤销误录", may="case.correct", plan=_confirm,
        anyone=True, asks_of=_proposals,
        fits=lambda loaded: bool(loaded.standing.proposed),
        confirm="这条记录不再算数，状态和期限重新计算，它出的文书作废；两条记录都保留。",
    ),
)  # fmt: skip
UNDO = Verb(kind="entry_withdrawn", zh="撤回操作", may="case.see", plan=_undo, anyone=True)
