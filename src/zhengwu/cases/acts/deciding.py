"""What the organ decides (决定), and what ends a licence or a case without one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from zhengwu.accounts.queries import Actor
from zhengwu.cases import grounds, heads, papers
from zhengwu.cases.acts.handling import checked
from zhengwu.cases.loading import Loaded
from zhengwu.cases.verbs import Ask, Form, Plan, Verb, choice, note, text, uploads
from zhengwu.catalog import authorisations
from zhengwu.documents import wording
from zhengwu.documents.kinds import Kind
from zhengwu.domain.refusal import Refusal

GROUNDS = (
    ("dead", "申请人死亡或者丧失行为能力"),
    ("dissolved", "申请单位依法终止"),
    ("moot", "申请的事项已不存在"),
    ("other", "法律、法规规定的其他情形"),
)


def authorised(loaded: Loaded, actor: Actor, outcome: str, at: datetime) -> None:
    """Written authorisation (书面授权) of the window, the item and the person. Raises Refusal.

    An approver's own competence in the organ needs none.
    """
    competent = {("approver", loaded.agency), ("head", loaded.agency)} & actor.holdings
    if loaded.kind != "immediate" or competent:
        return
    windows = [post for post in actor.posts if post.window]
    # Where the case was received, if this is one of theirs.
    window = next(
        (post for post in windows if (post.hall, post.window) == (loaded.hall, loaded.window)),
        windows[0] if windows else None,
    )
    asked: dict[str, Any] = {
        "item": loaded.item or "",
        "hall": (window.hall if window else None) or "",
        "window": (window.window if window else None) or "",
        "outcome": outcome,
        "on": at.astimezone(heads.SHANGHAI).date(),
    }
    if authorisations.standing(actor.code, **asked) is None:
        raise authorisations.why_not(actor.code, **asked)


def _decide(outcome: str) -> Callable[[Loaded, Actor, Form, datetime], Plan]:
    def plan(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
        authorised(loaded, actor, outcome, at)
        reasons = text(form, "reasons", "理由", required=outcome == "refused")
        body: dict[str, Any] = {}
        said = reasons
        if outcome == "refused":
            item = loaded.item_row()
            rests_on = grounds.chosen(form, item, article="行政许可法 第三十八条第二款")
            body["grounds"] = list(rests_on)
            said = grounds.printed(rests_on, item, reasons)
        of = papers.facts(loaded, clerk=actor.name)
        paper = papers.issue(
            Kind.DECISION,
            of,
            at=at,
            data=wording.decision(of, issued=at, outcome=outcome, reasons=said),
        )
        body["document"] = paper.body()
        if reasons:
            body["reasons"] = {"content": ""}  # the commit puts the content's id and digest here
        if checks := checked(form):
            body["checks"] = checks
            if outcome == "granted" and any(one["is"] == "no" for one in checks):
                raise Refusal(
                    "case.check_unmet",
                    "审查清单里有“不符合”的，不能准予。请改正清单，或者作出不予决定。",
                    article="行政许可法 第三十八条第一款",
                    field="checks",
                )
        if outcome == "refused" and loaded.kind != "immediate":
            body["to"] = loaded.back_to_window()
        word = "准予" if outcome == "granted" else "不予"
        return Plan(
            body=body,
            paper=paper,
            contents=note("reasons", reasons),
            sentence=f"已作出{word}决定，请打印决定书。",
        )

    return plan


def _decidable(loaded: Loaded) -> bool:
    return loaded.kind == "immediate" or loaded.has("step_taken")


def _licence_made(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    if loaded.standing.outcome != "granted":
        raise Refusal(
            "case.nothing_to_make", "只有准予的决定才制证。", article="行政许可法 第三十九条"
        )
    number = text(form, "number", "证照编号", required=False, most=80)
    body: dict[str, Any] = {}
    if loaded.kind != "immediate":
        body["to"] = loaded.back_to_window()
    return Plan(body=body, contents=note("number", number), sentence="已制证，移交窗口。")


def _terminate(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    ground = choice(form, "ground", "终止的情形", GROUNDS)
    reasons = text(form, "reasons", "理由")
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.issue(
        Kind.TERMINATION,
        of,
        at=at,
        data=wording.termination(of, issued=at, ground_zh=dict(GROUNDS)[ground], reasons=reasons),
    )
    return Plan(
        body={"ground": ground, "document": paper.body()},
        paper=paper,
        contents=note("reasons", reasons),
        files=uploads(form),
        then=("closed",),
        sentence="已终止办理，办件办结。请打印终止通知书。",
    )


def _end(act: str, zh: str) -> Callable[[Loaded, Actor, Form, datetime], Plan]:
    def plan(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
        reasons = text(form, "reasons", "理由")
        decision = papers.decision_of(loaded)
        of = papers.facts(loaded, clerk=actor.name)
        paper = papers.issue(
            Kind.REVOCATION,
            of,
            at=at,
            data=wording.revocation(
                of, issued=at, act=act, reasons=reasons, of=decision.number if decision else ""
            ),
        )
        return Plan(
            body={
                "document": paper.body(),
                "reasons": {"content": ""},
                **({"ends": decision.check_code} if decision else {}),
            },
            paper=paper,
            contents=note("reasons", reasons),
            sentence=f"已作出{zh}决定。请打印决定书送达当事人。",
        )

    return plan


def _ends(kind: str, zh: str) -> Verb:
    return Verb(
        kind=kind,
        zh=zh,
        may="case.decide",
        plan=_end(kind, zh),
        anyone=True,
        asks=(Ask("reasons", "理由", "long"),),
        fits=lambda loaded: loaded.standing.outcome == "granted" and not loaded.standing.ended_by,
        confirm=f"{zh}会使已经作出的准予决定不再有效，并写进公开的决定。",
    )


VERBS = (
    Verb(
        kind="granted", zh="准予", may="case.decide", plan=_decide("granted"), fits=_decidable,
        asks=(Ask("reasons", "说明", "long", required=False),),
        confirm="会制作准予决定书，不能撤回，只能依法更正或者撤销。",
    ),
    Verb(
        kind="refused", zh="不予", may="case.decide", plan=_decide("refused"), fits=_decidable,
        asks_of=lambda loaded: grounds.asked(loaded.item_row(), "不予的根据"),
        asks=(Ask("reasons", "理由", "long"),),
        confirm="会制作不予决定书，写明理由和救济途径。",
    ),
    Verb(
        kind="licence_made", zh="制证", may="case.review", plan=_licence_made,
        asks=(Ask("number", "证照编号", required=False),),
        fits=lambda loaded: (
            loaded.standing.outcome == "granted" and not loaded.has("licence_made")
        ),
    ),
    Verb(
        kind="terminated", zh="终止", may="case.decide", plan=_terminate, anyone=True,
        asks=(
            Ask("ground", "情形", "choice", choices=GROUNDS),
            Ask("reasons", "理由", "long"),
            Ask("files", "证明材料", "file", required=False),
        ),
        confirm="办件会就此终止办结。",
    ),
    _ends("revoked", "撤销"),
    _ends("cancelled", "注销"),
    _ends("taken_back", "撤回许可"),
)  # fmt: skip
