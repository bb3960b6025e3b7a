"""What the window does (窗口): from the papers handed in to the papers handed out."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import grounds, heads, papers
from zhengwu.cases.loading import Handed, Loaded
from zhengwu.cases.verbs import (
    GOOD,
    TICKS,
    Ask,
    Form,
    Plan,
    Slip,
    Verb,
    choice,
    moment,
    note,
    text,
    uploads,
)
from zhengwu.documents import queries as documents
from zhengwu.documents import wording
from zhengwu.documents.kinds import Kind
from zhengwu.domain import clock
from zhengwu.domain.calendar import Due
from zhengwu.domain.edition import Edition
from zhengwu.domain.procedure import Limit
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

MEANS = (("signature", "当面签收"), ("post", "邮寄"), ("electronic", "电子送达"))
SHORT = (("missing", "缺"), ("faulty", "不合格"))
TOLD = "行政许可法 第三十二条第一款第四项"
NOT_NEEDED = "行政许可法 第三十二条第一款第一项"


def short_of(loaded: Loaded) -> tuple[Handed, ...]:
    """The materials that keep it from being accepted."""
    return tuple(m for m in loaded.materials() if m.state not in GOOD)


def _accept(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    if short := short_of(loaded):
        raise Refusal(
            "case.materials_missing",
            f"材料还没有收齐，缺：{'、'.join(m.name for m in short)}。"
            "收齐后才能受理，或者一次性告知补正。",
            article="行政许可法 第三十二条",
        )
    paper = papers.acceptance_notice(loaded, at=at, since=at, clerk=actor.name)
    body: dict[str, Any] = {"limits": limits_of(loaded), "document": paper.body()}
    if loaded.kind == "immediate":
        return Plan(body=body, paper=paper, sentence="已受理，可以当场作出决定。")
    body["to"] = {"kind": "department", "agency": loaded.agency}
    name = accounts.agency_name(loaded.agency)
    return Plan(
        body=body, paper=paper, sentence=f"已受理，移交{name}承办。请打印受理通知书交申请人。"
    )


def limits_of(loaded: Loaded) -> list[dict[str, Any]]:
    """The limits that bind a case from its acceptance, from the version it was received under.

    行政许可法 43: what the lower organ only reviews it sends on within a limit of its own.
    """
    item = loaded.item_row()
    limits = [("statutory", item.statutory), ("promised", item.promised)]
    if item.kind == "forwarded":
        day = loaded.opened.astimezone(heads.SHANGHAI).date()
        if rule := loaded.edition().rule("lower_review", day):
            limits.append(("lower_review", Limit(rule.value, rule.unit, rule.basis, rule.roll)))
    return [written(kind, limit) for kind, limit in limits if limit is not None]


def written(kind: str, limit: Limit) -> dict[str, Any]:
    """A limit as it stands in the body of an acceptance."""
    return {
        "kind": kind,
        "value": limit.value,
        "unit": str(limit.unit),
        "basis": limit.basis,
        **({} if limit.roll else {"roll": False}),
    }


# --- what is missing -------------------------------------------------------------------------


def _notice_form(loaded: Loaded) -> tuple[Ask, ...]:
    """Every material with its tick, and why it is not in order; the reason of a second notice."""
    asks: list[Ask] = []
    for m in loaded.materials():
        asks.append(Ask(f"material-{m.code}", m.name, "ticks", choices=TICKS, value=m.state))
        asks.append(Ask(f"why-{m.code}", f"“{m.name}”不合格的地方，或者免交的来源", required=False))
    if loaded.standing.notices:
        asks.append(
            Ask(
                "again", "再次告知的原因", "long", hint="已经告知过一次；原因写入记录，监察可以看到"
            )
        )
    return tuple(asks)


def _tick(form: Form, m: Handed) -> str:
    state = form.get(f"material-{m.code}", "").strip() or m.state
    if state not in dict(TICKS):
        raise Refusal(
            "case.material_unticked",
            f"材料“{m.name}”还没有核对，请选择“已收”“缺”“不合格”或者“免交”。",
            article="行政许可法 第三十二条",
            field=f"material-{m.code}",
        )
    return state


def why_of(form: Form, code: str, name: str, state: str) -> str:
    """Why a material is not in order, or where the city holds it: both must be said."""
    what = {"faulty": "哪里不合格、怎么改", "held": "本市从哪里取得"}.get(state)
    why = text(form, f"why-{code}", f"“{name}”{what or '的说明'}", required=False, most=200)
    if what and not why:
        raise Refusal(
            "case.material_why",
            f"请写明材料“{name}”{what}。",
            article=TOLD if state == "faulty" else "国务院关于在线政务服务的若干规定 第七条",
            field=f"why-{code}",
        )
    return why


def _supplement_requested(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    grounds.only_listed(form, [m.code for m in loaded.materials()])
    ticked: list[dict[str, str]] = []
    whys: dict[str, str] = {}
    lacking: list[dict[str, str]] = []
    for m in loaded.materials():
        state = _tick(form, m)
        why = why_of(form, m.code, m.name, state)
        if why:
            whys[m.code] = why
        ticked.append({"code": m.code, "state": state})
        if state not in GOOD:
            lacking.append({"code": m.code, "name": m.name, "state": state, "why": why})
    if not lacking:
        raise Refusal(
            "case.nothing_missing", "材料已经齐全，应当受理。", article="行政许可法 第三十二条"
        )
    again = text(form, "again", "再次告知的原因", required=False)
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.issue(
        Kind.SUPPLEMENT_NOTICE,
        of,
        at=at,
        data=wording.supplement_notice(of, issued=at, missing=lacking, again=again),
    )
    body: dict[str, Any] = {"materials": ticked, "document": paper.body()}
    contents = note("again", again)
    if again:
        body["again"] = {"content": ""}  # the commit puts the content's id and digest here
    if loaded.standing.notices:
        asked = loaded.standing.asked
        body["more"] = [one["code"] for one in lacking if one["code"] not in asked]
    if whys:
        contents = (*contents, ledger.Content(path=("why",), data=whys))
    return Plan(
        body=body,
        paper=paper,
        contents=contents,
        sentence=f"已一次性告知需要补正的全部 {len(lacking)} 项。请打印补正告知书交申请人。",
    )


def _missing(loaded: Loaded) -> tuple[Ask, ...]:
    asks: list[Ask] = []
    for m in short_of(loaded):
        asks.append(Ask(f"material-{m.code}", m.name, "ticks", choices=TICKS))
        asks.append(Ask(f"why-{m.code}", f"“{m.name}”说明", required=False))
    return tuple(asks)


def _supplemented(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    grounds.only_listed(form, [m.code for m in loaded.materials()])
    ticked: list[dict[str, str]] = []
    whys: dict[str, str] = {}
    states: dict[str, str] = {m.code: m.state for m in loaded.materials()}
    before = short_of(loaded)
    for m in before:
        state = form.get(f"material-{m.code}", "").strip()
        if state not in dict(TICKS):
            raise Refusal(
                "case.material_unticked",
                f"材料“{m.name}”还没有核对，请选择“已收”“缺”“不合格”或者“免交”。",
                article="行政许可法 第三十二条",
                field=f"material-{m.code}",
            )
        if why := why_of(form, m.code, m.name, state):
            whys[m.code] = why
        ticked.append({"code": m.code, "state": state})
        states[m.code] = state
    short = sum(one["state"] not in GOOD for one in ticked)
    if short == len(ticked):
        raise Refusal("case.nothing_supplemented", "一项材料也没有补来，不能登记补正。")
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.receipt(
        of,
        at=at,
        materials=[{"name": m.name, "state": states[m.code]} for m in loaded.materials()],
        answer_by=answer_by(loaded.edition(), at),
    )
    return Plan(
        body={"materials": ticked, "at": "window", "document": paper.body()},
        paper=paper,
        contents=(ledger.Content(path=("why",), data=whys),) if whys else (),
        sentence=f"已收到补正材料，还缺 {short} 项。" if short else "补正材料已收齐，请受理。",
    )


def answer_by(edition: Edition, at: datetime) -> Due | None:
    """The day by which the organ must answer, from the receipt of papers."""
    rule = edition.rule("acceptance", at.astimezone(heads.SHANGHAI).date())
    if rule is None:
        return None
    limit = Limit(rule.value, rule.unit, rule.basis, rule.roll)
    return clock.foresee(limit, since=at, edition=edition, receipt=True).last


def _corrected(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    what = text(form, "what", "更正了什么", most=500)
    signer = text(form, "signer", "申请人或者经办人姓名", most=50)
    return Plan(
        body={"signed": True},
        contents=(
            ledger.Content(path=("what",), data={"text": what}),
            ledger.Content(path=("signer",), data={"text": signer}),
        ),
        files=uploads(form),
        sentence="已记录当场更正和申请人签名。",
    )


# --- not accepted ----------------------------------------------------------------------------


def _not_needed(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    item = loaded.item_row()
    rests_on = grounds.chosen(form, item, article=NOT_NEEDED)
    reasons = text(form, "reasons", "为什么不需要办理")
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.issue(
        Kind.NOT_NEEDED_NOTICE,
        of,
        at=at,
        data=wording.not_needed_notice(
            of, issued=at, reasons=grounds.printed(rests_on, item, reasons)
        ),
    )
    return Plan(
        body={
            "document": paper.body(),
            "reasons": {"content": ""},
            "grounds": list(rests_on),
        },
        paper=paper,
        contents=note("reasons", reasons),
        then=("closed",),
        sentence="已告知不需要办理，办件办结。请打印告知书交申请人。",
    )


def _not_ours(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    organ = text(form, "organ", "应当向哪个机关申请", most=100)
    own = accounts.agency_name(loaded.agency)
    if organ == own:
        raise Refusal(
            "case.organ_is_own",
            f"“{own}”就是本机关。请写明应当受理的另一个机关。",
            article="行政许可法 第三十二条第一款第二项",
            field="organ",
        )
    reasons = text(form, "reasons", "为什么不属于本机关", required=False)
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.issue(
        Kind.NOT_OURS_DECISION,
        of,
        at=at,
        data=wording.not_ours_decision(
            of, issued=at, organ=organ, reasons=reasons or f"这个事项由{organ}办理。"
        ),
    )
    body: dict[str, Any] = {"document": paper.body()}
    known = next((a.code for a in accounts.agencies() if a.name == organ), None)
    if known:
        body["whose"] = known
    return Plan(
        body=body,
        paper=paper,
        contents=(*note("organ", organ), *note("reasons", reasons)),
        then=("closed",),
        sentence=f"已作出不予受理决定，告知向{organ}申请。请打印决定书交申请人。",
    )


def _withdraw(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    reasons = text(form, "reasons", "申请人撤回的原因", required=False)
    of = papers.facts(loaded, clerk=actor.name)
    paper = papers.issue(
        Kind.WITHDRAWAL, of, at=at, data=wording.withdrawal(of, issued=at, reasons=reasons)
    )
    return Plan(
        body={"document": paper.body()},
        paper=paper,
        contents=note("reasons", reasons),
        files=uploads(form),
        then=("closed",),
        sentence="申请已撤回，办件办结。请打印撤回确认书。",
    )


# --- handing out -----------------------------------------------------------------------------


def charges(loaded: Loaded) -> bool:
    """Whether the item is paid for before its result is handed out."""
    return loaded.item is not None and loaded.item_row().pay_first


def _fee_paid(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    how = choice(form, "how", "是缴费还是不需缴费", PAID)
    typed = text(form, "ticket", "票据号", required=how == "paid", most=80)
    ticket = slip_number(typed)
    # Before the event: what stands in its body stands there for good.
    if typed and not (plain(ticket) and 4 <= len(ticket) <= 40):
        raise Refusal(
            "case.ticket",
            "票据号由 4 到 40 位英文字母和数字组成（短横不计），请照票据填写。",
            field="ticket",
        )
    why = text(form, "why", "不需缴费的依据", required=how == "free", most=200)
    return Plan(
        body={"how": how, **({"ticket": ticket} if ticket else {})},
        contents=note("why", why),
        slip=Slip("ticket", ticket) if ticket else None,
        sentence="已确认缴费，可以送达。" if how == "paid" else "已登记不需缴费，可以送达。",
    )


PAID = (("paid", "已缴费"), ("free", "依法不需缴费"))
HYPHENS = dict.fromkeys(map(ord, "-‐‑‒–—―−－﹣"))


def slip_number(typed: str) -> str:
    """A number as it stands on a slip, however it was typed: AB-12345, ab１２３４５ → AB12345."""
    folded = "".join(unicodedata.normalize("NFKC", typed).translate(HYPHENS).split())
    return folded.upper() if folded.isascii() else folded  # ß is not SS


def plain(number: str) -> bool:
    """Whether a number has nothing but Latin letters and Arabic digits."""
    return number.isascii() and number.isalnum()


def _ready(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    return Plan(body={"at": "window"}, sentence="已通知申请人领取。")


def _deliver(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    if loaded.standing.outcome == "granted" and charges(loaded) and not loaded.standing.paid:
        raise Refusal(
            "case.fee_unpaid",
            f"这个事项要先缴费再送达（{loaded.item_row().fee}）。请收费人员确认“已缴费，票据号”。",
            article="行政许可法 第五十八条、第五十九条",
        )
    means = choice(form, "means", "送达方式", MEANS)
    label = {"signature": "签收人姓名", "post": "邮寄单号", "electronic": "送达凭证"}[means]
    proof = text(form, "proof", label, most=100)
    if means == "post":
        proof = slip_number(proof)
        if not (plain(proof) and 8 <= len(proof) <= 30):
            raise Refusal(
                "case.tracking",
                "邮寄单号由 8 到 30 位字母和数字组成，请照面单填写。",
                field="proof",
            )
    occurred = moment(form)
    of = papers.facts(loaded, clerk=actor.name)
    decision = papers.decision_of(loaded)
    handed = (
        [
            {
                "title": str(documents.frozen(decision.check_code)["title"]),
                "number": decision.number,
            }
        ]
        if decision
        else []
    )
    paper = papers.issue(
        Kind.DELIVERY_RECORD,
        of,
        at=at,
        data=wording.delivery_record(
            of,
            issued=occurred or at,
            papers=handed,
            means_zh=dict(MEANS)[means],
            receiver=proof if means == "signature" else of.applicant["name"],
            tracking=proof if means == "post" else "",
        ),
    )
    return Plan(
        body={"means": means, "document": paper.body()},
        paper=paper,
        contents=(ledger.Content(path=("proof",), data={"text": proof}),),
        files=uploads(form, "signature"),
        slip=Slip("tracking", proof) if means == "post" else None,
        then=("closed",),
        occurred=occurred,
        sentence="已送达，办件办结。",
    )


def _scan(loaded: Loaded, actor: Actor, form: Form, at: datetime) -> Plan:
    grounds.only_listed(form, [m.code for m in loaded.materials()])
    named = form.get("material", "").strip()
    if named and named not in dict(_listed(loaded)):
        raise grounds.not_listed([named], field="material")
    of = choice(form, "material", "是哪一项材料", _listed(loaded))
    kept = uploads(form)
    if not kept:
        raise Refusal("form.file", "请选择扫描件（PDF、PNG 或者 JPEG）。", field="files")
    return Plan(
        body={"files": [{"material": of, "file": str(one)} for one in kept]},
        files=kept,
        sentence=f"已入卷 {len(kept)} 个文件。",
    )


def _listed(loaded: Loaded) -> tuple[tuple[str, str], ...]:
    return (*((m.code, m.name) for m in loaded.materials()), ("other", "其他"))


def _scan_form(loaded: Loaded) -> tuple[Ask, ...]:
    return (
        Ask("material", "哪一项材料", "choice", choices=_listed(loaded)),
        Ask("files", "扫描件", "file", hint="PDF、PNG 或者 JPEG"),
    )


def _ready_fits(loaded: Loaded) -> bool:
    if loaded.kind == "immediate" or loaded.has("ready"):
        return False
    return loaded.standing.outcome == "refused" or loaded.has("licence_made")


VERBS = (
    Verb(kind="accepted", zh="受理", may="case.accept", plan=_accept),
    Verb(
        kind="supplement_requested", zh="一次性告知", may="case.accept",
        plan=_supplement_requested, asks_of=_notice_form,
        fits=lambda loaded: bool(loaded.materials()),
    ),
    Verb(
        kind="supplemented", zh="补正", may="case.accept", plan=_supplemented, asks_of=_missing,
    ),
    Verb(
        kind="corrected_on_spot", zh="当场更正", may="case.accept", plan=_corrected,
        asks=(
            Ask("what", "更正了什么", "long"),
            Ask("signer", "签名人"),
            Ask("files", "签名的更正说明（扫描件）", "file", required=False),
        ),
    ),
    Verb(
        kind="not_needed", zh="不需办理", may="case.accept", plan=_not_needed,
        asks_of=lambda loaded: grounds.asked(loaded.item_row(), "根据办事指南的哪一项"),
        asks=(Ask("reasons", "为什么不需要办理", "long"),),
        confirm="办件会就此办结，并打印告知书。",
    ),
    Verb(
        kind="not_ours", zh="不属本机关", may="case.accept", plan=_not_ours,
        asks=(
            Ask("organ", "应当向哪个机关申请", "agency"),
            Ask("reasons", "说明", "long", required=False),
        ),
        confirm="会作出不予受理决定，办件就此办结。",
    ),
    Verb(
        kind="withdrawn", zh="撤回申请", may="case.accept", plan=_withdraw, anyone=True,
        asks=(
            Ask("reasons", "原因", "long", required=False),
            Ask("files", "申请人的撤回申请（扫描件）", "file", required=False),
        ),
        confirm="申请人撤回后办件办结，要办须重新申请。",
    ),
    Verb(
        kind="scanned", zh="扫描入卷", may="case.scan", plan=_scan, asks_of=_scan_form, anyone=True,
    ),
    Verb(
        kind="fee_paid", zh="缴费确认", may="case.collect", plan=_fee_paid, anyone=True,
        asks=(
            Ask("how", "缴费情况", "choice", choices=PAID),
            Ask("ticket", "票据号", required=False),
            Ask("why", "不需缴费的依据", required=False),
        ),
        fits=lambda loaded: charges(loaded) and not loaded.standing.paid,
    ),
    Verb(kind="ready", zh="通知领取", may="case.deliver", plan=_ready, fits=_ready_fits),
    Verb(
        kind="delivered", zh="送达", may="case.deliver", plan=_deliver,
        asks=(
            Ask("means", "送达方式", "choice", choices=MEANS),
            Ask("proof", "签收人、邮寄单号或者送达凭证"),
            Ask("signature", "签名图片", "file", required=False),
            Ask("occurred", "送达时间", "moment", required=False, hint="不填就是现在"),
        ),
    ),
)  # fmt: skip
