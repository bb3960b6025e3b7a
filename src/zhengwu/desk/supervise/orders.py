"""Supervision orders (督办): the list, one order, and opening one from a finding or a case."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import loading, timekeeping
from zhengwu.cases.loading import CaseNotFound
from zhengwu.desk.entry import desk
from zhengwu.desk.supervise import doing, looking
from zhengwu.desk.supervise.doing import Given, Tried
from zhengwu.desk.supervise.forms import ORDER_VERBS, Choices, OrderForm
from zhengwu.desk.supervise.views import ACT, LONGEST, MINE, SEE
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.domain.rulebook import Level
from zhengwu.supervision import orders, queries
from zhengwu.supervision.acting import Done, NotFound
from zhengwu.supervision.queries import Filter, Line
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

FOLDER = "orders"
FOLDERS = (
    ("todo", "等我办理"), ("open", "未办结"), ("overdue", "逾期"), ("closed", "已办结"), ("all", "全部"),
)  # fmt: skip
WANTED = "请查明原因，采取措施，在五个工作日内反馈整改结果。"


@require_safe
@desk(SEE)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The orders of a folder, the newest first."""
    asked = request.GET.get("folder", "")
    folder = asked if asked in dict(FOLDERS) else "open"
    number = clean_text(request.GET.get("number", ""))[:24]
    at = now()
    found = queries.orders(
        actor, folder=folder, q=Filter(number=number), at=at,
        after=clean_text(request.GET.get("after", ""))[:LONGEST],
    )  # fmt: skip
    looking.opened(actor, "督办", dict(FOLDERS)[folder], typed="办件编号" if number else "", at=at)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "here": folder,
        "folders": FOLDERS,
        "counted": found.counts,
        "most": queries.COUNTED,
        "lines": found.lines,
        "cursor": found.more,
        "number": number,
        "may_act": actor.may(ACT),
    }
    return render(request, "desk/supervise/orders.html.j2", context)


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@desk()
def order(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """One order with its way, and what this actor may do now."""
    tried = Tried()
    at = now()
    try:
        if request.method == "POST":
            tried = _tried(request, actor, identifier, at)
            if tried.done is not None:
                return redirect("desk:order", identifier=identifier)
        one = queries.order(actor, identifier, at=at)
    except NotFound:
        raise Http404 from None
    context = {
        "actor": actor,
        "folder": FOLDER if actor.may(SEE) else MINE,
        "one": one,
        "line": one.line,
        "forms": doing.forms(one.offers, ORDER_VERBS, tried, standing=(one.line.state,)),
        "tried": tried,
        "moved": [row for row in one.history if tried.seen and row.version > tried.seen],
        "see": actor.may(SEE),
    }
    return render(request, "desk/supervise/order.html.j2", context, status=tried.status)


def _tried(request: HttpRequest, actor: Actor, id: UUID, at: datetime) -> Tried:
    def give_back(g: Given) -> Done:
        return orders.give_back(
            actor, id, g.text, g.words["until"], version=g.version, key=g.key, at=at
        )

    return doing.attempt(
        request,
        ORDER_VERBS,
        {
            "sign": lambda g: orders.sign(actor, id, version=g.version, key=g.key, at=at),
            "work": lambda g: orders.work(actor, id, g.text, version=g.version, key=g.key, at=at),
            "report": lambda g: orders.report(
                actor, id, g.text, version=g.version, key=g.key, at=at
            ),
            "give_back": give_back,
            "close": lambda g: orders.close(actor, id, g.text, version=g.version, key=g.key, at=at),
        },
    )


# --- opening one ------------------------------------------------------------------------------------


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@desk(ACT)
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Open an order; what the finding or the case says is filled in."""
    at = now()
    post = request.POST
    given = post if request.method == "POST" else request.GET
    cause = _cause(actor, given.get("finding", ""), at)
    agencies = timekeeping.agencies(actor)
    agency = given.get("agency", "") or (cause.agency if cause else _whose(actor, given))
    posts = _posts(agency) if agency in dict(agencies) else []
    key, status = new_key(), 200
    if request.method != "POST":
        form = OrderForm(agencies, posts, first=_first(request, cause, agency, posts))
    else:
        key, status = read_key(post.get("key")), 422
        form = OrderForm(agencies, posts, post)
        if form.is_valid():
            said = form.cleaned_data
            try:
                done = orders.open_order(
                    actor, finding=cause.id if cause else None, number=said["number"] or None,
                    agency=said["agency"], post=said.get("post") or None, subject=said["subject"],
                    text=said["text"], key=key, at=at,
                )  # fmt: skip
            except Refusals as several:
                for refusal in several.refusals:
                    form.refuse(refusal)
            except Refusal as refusal:
                form.refuse(refusal)
            except (CaseNotFound, NotFound):
                form.add_error("number", "没有这个办件，或者不在您的监察范围以内。请核对编号。")
            else:
                messages.success(request, done.sentence)
                return redirect("desk:order", identifier=done.id)
    context = {"actor": actor, "folder": FOLDER, "form": form, "key": key, "cause": cause}
    return render(request, "desk/supervise/order_new.html.j2", context, status=status)


def _cause(actor: Actor, text: str, at: datetime) -> Line | None:
    """The finding that an order is about; one that is not there, or not this actor's, is 404."""
    if not text:
        return None
    try:
        return queries.finding(actor, UUID(text), at=at).line
    except (ValueError, NotFound):
        raise Http404 from None


def _whose(actor: Actor, given: QueryDict) -> str:
    """The agency of the case that is named, "" where none is, or none that this actor may see."""
    number = clean_text(given.get("number", ""))[:24]
    try:
        return loading.load(actor, number).agency if number else ""
    except CaseNotFound:
        return ""


def _posts(agency: str) -> Choices:
    """The posts of an agency that somebody holds."""
    held = {one.post: one.post_name for one in accounts.colleagues(agency)}
    return list(held.items())


def _first(request: HttpRequest, cause: Line | None, agency: str, posts: Choices) -> dict[str, Any]:
    first: dict[str, Any] = {"text": WANTED, "agency": agency}
    if cause is None:
        first["number"] = clean_text(request.GET.get("number", ""))[:24]
        return first
    card = cause.level in (Level.YELLOW, Level.RED)
    first["number"] = cause.number
    first["subject"] = "unanswered" if cause.overdue else "card" if card else "other"
    first["post"] = next((code for code, name in posts if name == cause.post_zh), "")
    return first
