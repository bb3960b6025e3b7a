"""The case page (办件页): the whole story, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor
from zhengwu.cases import drafts, explaining, services, timekeeping
from zhengwu.cases import queries as cases
from zhengwu.cases.drafts import Draft
from zhengwu.cases.events import STREAM
from zhengwu.cases.queries import ActOffer, CaseView, Paper
from zhengwu.cases.verbs import GOOD
from zhengwu.desk.case.forms import CONFIRMED, ActForm, KnownForm
from zhengwu.desk.case.ledger import ledger
from zhengwu.desk.case.month import month
from zhengwu.desk.entry import desk
from zhengwu.desk.supervise import beside
from zhengwu.documents import queries as documents
from zhengwu.documents import services as document_services
from zhengwu.domain import lifecycle
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import new_key, read_key
from zhengwu.web.jinja import url

# The act a holder most often came for, where several are open; the first of them is the blue one.
FIRST = (
    "accepted",
    "step_taken",
    "came_back",
    "granted",
    "step_done",
    "resumed",
    "licence_made",
    "ready",
    "delivered",
    "opinion_given",
    "forwarded",
    "supplemented",
    "supplement_requested",
)
# Rare, or not to be done by the way: folded away under 更多.
MORE = frozenset(
    {
        "corrected_on_spot",
        "not_needed",
        "not_ours",
        "withdrawn",
        "terminated",
        "document_corrected",
        "withdrawal_proposed",
        "revoked",
        "cancelled",
        "taken_back",
    }
)
# Done where the thing itself stands on the page.
PLACED = {"scanned": "materials", "fee_paid": "fee", "entry_withdrawn": "proposals"}
HANDED_OUT = ("decision", "correction", "revocation")


@dataclass(frozen=True)
class Offered:
    """An act with what was typed before (草稿). open: its form is drawn, where it is folded away.

    refused: the form that came back; sent: the idempotency key it came with.
    """

    offer: ActOffer
    slot: str
    draft: Draft | None = None
    open: bool = False
    refused: ActForm | None = None
    sent: str = ""

    @cached_property
    def form(self) -> ActForm:
        """The form, made when it is drawn."""
        return self.refused or ActForm(
            self.offer, initial=self.draft.fields if self.draft else None
        )

    @cached_property
    def key(self) -> str:
        return self.sent or new_key()


@require_safe
@desk("case.see")
def case(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The case. The look at the applicant's data and at what was written is recorded.

    `act`: the act whose form is open; the others are links until somebody opens them.
    """
    at = now()
    view = _case(actor, number, "办件页", at)
    return _page(request, actor, view, at, _fresh(view, opened=request.GET.get("act", "")))


@require_safe
@desk("case.see")
def why(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Why the dates are what they are, to print (期限推算说明); `known`: with what was known at the
    end of a day, or at a position of the log. Nothing of the applicant is on it."""
    at = now()
    form = KnownForm(request.GET if request.GET.get("known") else None)
    known: date | int | None = None
    if form.is_bound and form.is_valid():
        known = form.cleaned_data["known"]
    try:
        found = explaining.why(actor, number, known=known, at=at)
    except Refusal as refusal:
        form.add_error("known", refusal.sentence)
        found = explaining.why(actor, number, at=at)
    status = 422 if form.is_bound and form.errors else 200
    context = {"actor": actor, "why": found, "form": form}
    return render(request, "desk/case/why.html.j2", context, status=status)


def _case(actor: Actor, number: str, why: str, at: datetime, seen: int | None = None) -> CaseView:
    """The case with what supervision says of it; the look is recorded."""
    return cases.case(actor, number, at=at, seen=seen, why=why, beside=beside.asked(actor))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@desk("case.see")
def act(request: HttpRequest, actor: Actor, number: str, kind: str) -> HttpResponse:
    """GET: the form of one act. POST: do it."""
    if request.method == "POST":
        return _done(request, actor, number, kind)
    return _opened(request, actor, number, kind)


def _opened(request: HttpRequest, actor: Actor, number: str, kind: str) -> HttpResponse:
    """The form alone, to be put where its link stood; for whoever has no script, the page with it.

    Nothing of the applicant is in it.
    """
    if kind not in services.VERBS:
        raise Http404
    view = cases.case(actor, number, at=now())
    if request.headers.get("X-Fragment") != "act":
        query = urlencode({"act": kind})
        return redirect(f"{reverse('desk:case', args=[number])}?{query}#act-{kind}")
    one = next((o for o in _fresh(view, opened=kind) if o.offer.kind == kind), None)
    if one is None:
        raise Http404
    context = {"actor": actor, "case": view, "one": one}
    return render(request, "desk/case/opened.html.j2", context)


def _done(request: HttpRequest, actor: Actor, number: str, kind: str) -> HttpResponse:
    """The act. A refusal gives the page back with what was typed and with the files that were
    taken in; a case that moved on is shown as it is now, with all that kept."""
    at = now()
    view = _case(actor, number, "办理", at)
    key = read_key(request.POST.get("key"))
    verb = services.VERBS.get(kind)
    if verb is None:
        raise Http404
    offer = next((one for one in view.acts if one.kind == kind), None)
    form = ActForm(
        offer
        or ActOffer(kind, verb.zh, primary=False, plain=not verb.asks, keeps=False,
                    draw=lambda: cases.Drawn(verb.asks)),
        request.POST,
    )  # fmt: skip
    version = request.POST.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
    wrong = form.take_in(actor, request.FILES, at=at)
    if not form.confirmed():
        wrong.append(
            Refusal("form.unconfirmed", "请核对以后勾选“我已核对”，再提交。", field=CONFIRMED)
        )
    try:
        if wrong:
            raise Refusals(wrong)
        done = services.perform(
            actor, number, kind, version=seen, key=key, form=form.words(), at=at
        )
    except services.Moved:
        return _moved(request, actor, number, kind, seen, form, at)
    except (Refusal, Refusals) as refused:
        several = refused.refusals if isinstance(refused, Refusals) else (refused,)
        form.is_valid()
        form.errors.clear()
        for one in several:
            form.refuse(one)
        if offer is None:
            messages.error(request, several[0].sentence)
            return redirect("desk:case", number=view.number)
        offers = [
            Offered(one.offer, one.slot, open=True, refused=form, sent=key)
            if one.offer.kind == kind
            else one
            for one in _fresh(view)
        ]
        return _page(request, actor, view, at, offers, failed=form, status=422)
    drafts.discard(actor, drafts.of_case(view.number, kind))
    paper = lifecycle.BY_CODE[kind].document or "文书"
    prints = ""
    if done.document and view.prints:
        prints = f"print/{done.number}/{done.document}/{paper}"
    messages.success(request, done.sentence, extra_tags=prints)
    return redirect("desk:case", number=done.number)


@require_POST
@desk("case.see")
def undo(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Undo one's own last entry within a minute (撤回操作); later it is refused in words."""
    version = request.POST.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
    key = read_key(request.POST.get("key"))
    try:
        done = services.undo(actor, number, version=seen, key=key, at=now())
    except services.Moved:
        messages.error(
            request, "没有撤回：这个办件已有新进展。确实录错了的，请提请撤销误录，由第二人确认。"
        )
    except Refusal as refusal:
        messages.error(request, f"没有撤回。{refusal.sentence}")
    else:
        messages.success(request, done.sentence)
    return redirect("desk:case", number=number)


@require_safe
@desk("case.see")
def document(request: HttpRequest, actor: Actor, number: str, check: str) -> HttpResponse:
    """A document of this case as PDF, to read. Printing is counted elsewhere (`copies`)."""
    at = now()
    view, _ = _paper(actor, number, check, at)
    found = documents.by_check_code(check)
    if found is None:
        raise Http404
    account_services.look(actor, STREAM, view.id, why="查看文书", fields=("document",), at=at)
    return _pdf(documents.render(found), check)


@require_http_methods(["GET", "HEAD", "POST"])
@desk("case.see")
def copies(request: HttpRequest, actor: Actor, number: str, check: str) -> HttpResponse:
    """Every print of a document (打印记录). POST prints: the copy is numbered, and from the second
    on it says why. Whoever may only read the case reads the record, and prints nothing."""
    at = now()
    view, paper = _paper(actor, number, check, at)
    wrong, status = "", 200
    if request.method == "POST":
        if not view.prints:
            raise PermissionDenied
        try:
            # Together, so that a print that fails leaves the original to be printed.
            with transaction.atomic():
                copied, printed = document_services.print_out(
                    actor, check, why=request.POST.get("why", ""), at=at
                )
                account_services.look(
                    actor, STREAM, view.id, why="打印文书", fields=("document",), at=at
                )
        except Refusal as refusal:
            if refusal.field != "why":
                raise
            wrong, status = refusal.sentence, 422
        else:
            return _pdf(printed, f"{check}-{copied}")
    context = {
        "actor": actor,
        "case": view,
        "paper": paper,
        "copies": documents.copies(check),
        "wrong": wrong,
        "why": request.POST.get("why", "")[:400],
    }
    return render(request, "desk/case/copies.html.j2", context, status=status)


def _paper(actor: Actor, number: str, check: str, at: datetime) -> tuple[CaseView, Paper]:
    view = cases.case(actor, number, at=at)
    paper = next((one for one in view.documents if one.check == check), None)
    if paper is None:
        raise Http404
    return view, paper


def _pdf(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response


def _fresh(view: CaseView, *, opened: str = "") -> list[Offered]:
    """The offered acts with what this actor had begun to type in each; what was begun is open."""
    begun = {one.slot: one for one in view.drafts}
    offers = []
    for offer in view.acts:
        slot = drafts.of_case(view.number, offer.kind)
        draft = begun.get(slot) if offer.keeps else None
        offers.append(Offered(offer, slot, draft, draft is not None or offer.kind == opened))
    return offers


@dataclass(frozen=True, slots=True)
class Grouped:
    """The acts as the page shows them: the blue one, the usual ones, the rest, those in place.

    unfolded: the form of one of the rest is open.
    """

    main: Offered | None
    usual: tuple[Offered, ...]
    more: tuple[Offered, ...]
    placed: Mapping[str, Offered]

    @property
    def unfolded(self) -> bool:
        return any(one.open for one in self.more)


def grouped(offers: Sequence[Offered], *, short: bool) -> Grouped:
    """short: a material is missing, so that acceptance is not what comes next."""
    placed = {PLACED[one.offer.kind]: one for one in offers if one.offer.kind in PLACED}
    rest = [one for one in offers if one.offer.kind not in PLACED]
    order = [kind for kind in FIRST if not (short and kind == "accepted")]
    known = {kind: index for index, kind in enumerate(order)}
    rest.sort(key=lambda one: known.get(one.offer.kind, len(order)))
    main = rest[0] if rest and rest[0].offer.kind in known else None
    others = [one for one in rest if one is not main]
    if main is None and others and others[0].offer.kind not in (*MORE, "handed_over"):
        main, others = others[0], others[1:]
    return Grouped(
        main,
        tuple(one for one in others if one.offer.kind not in MORE),
        tuple(one for one in others if one.offer.kind in MORE),
        placed,
    )


def _page(
    request: HttpRequest,
    actor: Actor,
    view: CaseView,
    at: datetime,
    offers: Sequence[Offered],
    *,
    failed: ActForm | None = None,
    status: int = 200,
) -> HttpResponse:
    calendar = view.reading.calendar
    pressing = view.reading.due
    shown = pressing or view.reading.limit("promised") or view.reading.limit("statutory")
    short = sum(one.state not in GOOD for one in view.materials)
    context = {
        "actor": actor,
        "case": view,
        "at": at,
        "acts": grouped(offers, short=short > 0),
        "short": short,
        "dues": {one.due for one in view.reading.limits},
        "failed": failed,
        "handed_out": [
            one for one in view.documents if one.kind in HANDED_OUT and one.void_since is None
        ],
        "printed": {one.check: one.copies for one in view.documents if one.copies},
        "review": url("desk:review", view.number),
        "undo_key": new_key(),
        "ledger": ledger(view.spans, timekeeping.of_view(view, at=at), calendar),
        "month": month(shown, today=words.local(at).date()) if shown else None,
        "held": at - view.holder_since if view.holder_since and not view.closed else None,
        "watched": beside.said(actor, view.told),
    }
    return render(request, "desk/case/case.html.j2", context, status=status)


def _moved(
    request: HttpRequest,
    actor: Actor,
    number: str,
    kind: str,
    seen: int,
    form: ActForm,
    at: datetime,
) -> HttpResponse:
    """What happened meanwhile, what was typed, and one button to go on."""
    view = _case(actor, number, "办件页", at, seen)
    offer = next((one for one in view.acts if one.kind == kind), None)
    shown = ActForm(offer, request.POST) if offer else form
    shown.kept = form.kept
    shown.is_valid()
    shown.errors.clear()
    context: dict[str, Any] = {
        "actor": actor,
        "case": view,
        "at": at,
        "lines": [line for line in view.story if line.version > seen],
        "short": sum(m.state not in GOOD for m in view.materials),
        "offer": offer,
        "zh": services.VERBS[kind].zh,
        "kind": kind,
        "form": shown,
        "key": new_key(),
    }
    return render(request, "desk/case/moved.html.j2", context, status=409)
