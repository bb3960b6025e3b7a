"""Spot checks (抽查): drawn so that anybody can draw them again, looked at case by case."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from zhengwu.accounts.queries import Actor
from zhengwu.cases import timekeeping
from zhengwu.desk.entry import desk
from zhengwu.desk.supervise import looking
from zhengwu.desk.supervise.doing import number
from zhengwu.desk.supervise.forms import DrawForm, LookForm
from zhengwu.desk.supervise.views import ACT, LONGEST, SEE
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.supervision import checks, queries
from zhengwu.supervision.acting import Moved, NotFound
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

FOLDER = "checks"
USUAL = 10


@require_http_methods(["GET", "HEAD"])
@desk(SEE)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The checks, the newest first; whoever may draws another."""
    return _listed(request, actor, None, new_key())


@require_http_methods(["POST"])
@desk(ACT)
def draw(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Draw a check by what the log says now."""
    key = read_key(request.POST.get("key"))
    form = DrawForm(timekeeping.agencies(actor), request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            done = checks.draw(
                actor, since=said["since"], until=said["until"], agency=said["agency"] or None,
                wanted=said["wanted"], key=key, at=now(),
            )  # fmt: skip
        except Refusals as several:
            for refusal in several.refusals:
                form.refuse(refusal)
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, done.sentence)
            return redirect("desk:check", identifier=done.id)
    return _listed(request, actor, form, key, status=422)


def _listed(
    request: HttpRequest, actor: Actor, form: DrawForm | None, key: str, *, status: int = 200
) -> HttpResponse:
    lines, more = queries.checks(actor, after=clean_text(request.GET.get("after", ""))[:LONGEST])
    looking.opened(actor, "抽查", "", at=now())
    may_draw = actor.may(ACT)
    if form is None and may_draw:
        form = DrawForm(timekeeping.agencies(actor), first=_last_month())
    context = {
        "actor": actor, "folder": FOLDER, "lines": lines, "cursor": more, "form": form, "key": key,
    }  # fmt: skip
    return render(request, "desk/supervise/checks.html.j2", context, status=status)


def _last_month() -> dict[str, Any]:
    """The whole month before this one."""
    first = words.local(now()).date().replace(day=1)
    until = first - timedelta(days=1)
    since: date = until.replace(day=1)
    return {"since": since.isoformat(), "until": until.isoformat(), "wanted": USUAL}


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@desk(SEE)
def check(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """One check: its cases, how it was drawn, and what looking at each of them showed."""
    at = now()
    key, status = new_key(), 200
    told: list[Refusal] = []
    came: LookForm | None = None
    case: UUID | None = None
    try:
        if request.method == "POST":
            key, status = read_key(request.POST.get("key")), 422
            case = _case(request.POST.get("case", ""))
            if case is not None:
                came = LookForm(request.POST, of=str(case))
            try:
                if _done(request, actor, identifier, case, came, key, at):
                    return redirect("desk:check", identifier=identifier)
            except Moved:
                told.append(
                    Refusal(
                        "check.moved", "没有提交：别人刚记过这次抽查。您填的还在，请再提交一次。"
                    )
                )
                status = 409
            except Refusals as several:
                told += several.refusals
            except Refusal as refusal:
                told.append(refusal)
        one = queries.check(actor, identifier, at=at)
    except NotFound:
        raise Http404 from None
    offers = {offer.kind for offer in one.offers}
    looks = "look" in offers
    context = {
        "actor": actor,
        "folder": FOLDER,
        "one": one,
        "line": one.line,
        "forms": {
            row.case: came if came is not None and row.case == case else LookForm(of=str(row.case))
            for row in one.cases
            if looks and not row.result
        },
        "may_close": "close" in offers,
        "told": told,
        "failed": came if came is not None and came.errors else None,
        "key": key,
    }
    return render(request, "desk/supervise/check.html.j2", context, status=status)


def _case(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _done(
    request: HttpRequest,
    actor: Actor,
    id: UUID,
    case: UUID | None,
    form: LookForm | None,
    key: str,
    at: datetime,
) -> bool:
    """What was submitted: the record of one case, or the end. Raises Moved, NotFound, Refusal."""
    version = number(request.POST.get("version", ""))
    if form is None or case is None:
        if request.POST.get("do") != "close":
            raise Http404
        done = checks.close(actor, id, version=version, key=key, at=at)
    elif not form.is_valid():
        return False
    else:
        done = checks.look(
            actor, id, case, form.cleaned_data["result"], form.cleaned_data["text"],
            version=version, key=key, at=at,
        )  # fmt: skip
    messages.success(request, done.sentence)
    return True
