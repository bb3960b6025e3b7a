"""The case page (办件页): the whole story, and what can be done now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor
from zhengwu.cases import queries as cases
from zhengwu.cases import services
from zhengwu.cases.events import STREAM
from zhengwu.cases.queries import ActOffer, CaseView
from zhengwu.desk.case.forms import ActForm
from zhengwu.desk.case.ledger import ledger
from zhengwu.desk.case.month import weeks
from zhengwu.desk.entry import desk
from zhengwu.documents import queries as documents
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import new_key, read_key

# The act a holder most often came for, where several are open; the first of them is the blue one.
FIRST = (
    "accepted",
    "step_taken",
    "granted",
    "step_done",
    "resumed",
    "licence_made",
    "ready",
    "delivered",
    "supplemented",
    "supplement_requested",
)
LOOKED_AT = ("identifier", "name", "phone")


@dataclass(frozen=True, slots=True)
class Offered:
    """An act with its form and its idempotency key."""

    offer: ActOffer
    form: ActForm
    key: str


@require_safe
@desk("case.see")
def case(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The case. The look at the applicant's data is recorded."""
    at = now()
    view = cases.case(actor, number, at=at)
    account_services.look(actor, STREAM, view.id, why="办件页", fields=LOOKED_AT, at=at)
    return _page(request, actor, view, at, [_fresh(offer) for offer in view.acts])


@require_POST
@desk("case.see")
def act(request: HttpRequest, actor: Actor, number: str, kind: str) -> HttpResponse:
    """Do one act. A refusal gives the page back with what was typed; a case that moved on is
    shown as it is now, with what was typed kept."""
    at = now()
    view = cases.case(actor, number, at=at)
    account_services.look(actor, STREAM, view.id, why="办理", fields=LOOKED_AT, at=at)
    key = read_key(request.POST.get("key"))
    verb = services.VERBS.get(kind)
    if verb is None:
        raise Http404
    offer = next((one for one in view.acts if one.kind == kind), None)
    form = ActForm(
        offer
        or ActOffer(kind=kind, zh=verb.zh, asks=verb.asks, targets=(), agencies=(), primary=False),
        request.POST,
    )
    version = request.POST.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
    try:
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
        offers = [Offered(one, form, key) if one.kind == kind else _fresh(one) for one in view.acts]
        return _page(request, actor, view, at, offers, failed=form, status=422)
    messages.success(request, done.sentence)
    return redirect("desk:case", number=done.number)


@require_safe
@desk("case.see")
def document(request: HttpRequest, actor: Actor, number: str, check: str) -> HttpResponse:
    """A document of this case as PDF."""
    at = now()
    view = cases.case(actor, number, at=at)
    if check not in {paper.check for paper in view.documents}:
        raise Http404
    found = documents.by_check_code(check)
    if found is None:
        raise Http404
    account_services.look(actor, STREAM, view.id, why="查看文书", fields=("document",), at=at)
    response = HttpResponse(documents.render(found), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{check}.pdf"'
    return response


def _fresh(offer: ActOffer) -> Offered:
    return Offered(offer, ActForm(offer), new_key())


def _page(
    request: HttpRequest,
    actor: Actor,
    view: CaseView,
    at: datetime,
    offers: list[Offered],
    *,
    failed: ActForm | None = None,
    status: int = 200,
) -> HttpResponse:
    calendar = view.reading.calendar
    pressing = view.reading.due
    shown = pressing or next(
        (limit for limit in view.reading.limits if limit.kind == "promised"), None
    )
    context = {
        "actor": actor,
        "case": view,
        "at": at,
        "offers": sorted(
            offers,
            key=lambda one: FIRST.index(one.offer.kind) if one.offer.kind in FIRST else len(FIRST),
        ),
        "failed": failed,
        "ledger": ledger(view.spans, calendar, cache(accounts.agency_name)),
        "month": weeks(
            shown, calendar=calendar, paused=paused(view, at), today=words.local(at).date()
        )
        if shown
        else (),
        "held": at - view.holder_since if view.holder_since and not view.closed else None,
    }
    return render(request, "desk/case/case.html.j2", context, status=status)


def paused(view: CaseView, at: datetime) -> tuple[tuple[date, date], ...]:
    """The days between which the clock stood still (特别程序), from the story."""
    stretches: list[tuple[date, date]] = []
    since: date | None = None
    for line in view.story:
        if line.kind == "suspended":
            since = words.local(line.when).date()
        elif line.kind == "resumed" and since:
            stretches.append((since, words.local(line.when).date()))
            since = None
    if since:
        stretches.append((since, words.local(at).date()))
    return tuple(stretches)


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
    view = cases.case(actor, number, at=at)
    account_services.look(actor, STREAM, view.id, why="办件页", fields=LOOKED_AT, at=at)
    offer = next((one for one in view.acts if one.kind == kind), None)
    shown = ActForm(offer, request.POST) if offer else form
    shown.is_valid()
    shown.errors.clear()
    context = {
        "actor": actor,
        "case": view,
        "at": at,
        "lines": [line for line in view.story if line.version > seen],
        "offer": offer,
        "zh": services.VERBS[kind].zh,
        "kind": kind,
        "form": shown,
        "key": new_key(),
    }
    return render(request, "desk/case/moved.html.j2", context, status=409)
