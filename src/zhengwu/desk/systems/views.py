"""Systems that ask through the interface, and their tokens (接入系统): for the security administrator.

A secret stands on the answer to the form that issued it and nowhere else: not in an address, a
message, a cookie or a log. Asking for that answer again shows none.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import systems
from zhengwu.accounts.queries import Actor
from zhengwu.accounts.scopes import SCOPES
from zhengwu.accounts.systems import SystemRow, TokenRow
from zhengwu.desk.entry import desk
from zhengwu.desk.systems.forms import OFFERED, IssueForm, RegisterForm
from zhengwu.domain.refusal import Refusal
from zhengwu.halls import queries as halls
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, new_key, read_key

FOLDER = "systems"
STATES = {"valid": ("有效", "g"), "expired": ("已到期", "n"), "revoked": ("已撤销", "n")}


@require_safe
@desk(systems.MAY)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All systems, and which of their tokens end soon."""
    rows = systems.systems(actor, at=now())
    context = {
        "actor": actor,
        "folder": FOLDER,
        "rows": rows,
        "places": _places(rows),
        "soon": sum(len(one.soon) for one in rows),
        "days": systems.SOON.days,
    }
    return render(request, "desk/systems/list.html.j2", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(systems.MAY)
def register(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new system."""
    if request.method != "POST":
        return _register(request, actor, RegisterForm(), new_key())
    form, key = RegisterForm(request.POST), read_key(request.POST.get("key"))
    if form.is_valid():
        given = form.cleaned_data
        try:
            id = systems.register(
                actor, code=given["code"], name=given["name"], agency=form.agency_code(),
                role=given["role"], place=form.place(), key=key, at=now(),
            )  # fmt: skip
        except Refusal as refusal:
            field = form.refuse_place() if refusal.field == "place" else refusal.field
            form.refuse(Refusal(refusal.code, refusal.sentence, field=field))
        else:
            messages.success(request, f"已登记“{given['name']}”。现在可以给它签发令牌。")
            return redirect("desk:system", id)
    return _register(request, actor, form, key, status=422)


@require_safe
@desk(systems.MAY)
def system(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """One system: its tokens, and what happened to it."""
    row = _row(actor, identifier)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "row": row,
        "place": _places([row])[row.id],
        "states": STATES,
        "scopes": SCOPES,
        "history": systems.history(actor, row),
        "days": systems.SOON.days,
        "per_minute": settings.API_PER_MINUTE,
    }
    return render(request, "desk/systems/one.html.j2", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(systems.MAY)
def issue(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """A new token. Its secret is shown by this answer alone."""
    row = _row(actor, identifier)
    if request.method != "POST":
        return _issue(request, actor, row, IssueForm(), new_key())
    form, key = IssueForm(request.POST), read_key(request.POST.get("key"))
    if form.is_valid():
        given, at = form.cleaned_data, now()
        try:
            issued = systems.issue(
                actor, row.id, scopes=given["scopes"], days=given["days"], key=key, at=at
            )
        except Refusal as refusal:
            form.refuse(refusal)
            # The key has done its work; the next attempt is a new token.
            key = new_key() if refusal.code == "systems.issued" else key
        else:
            token = next(one for one in _row(actor, identifier).tokens if one.id == issued.id)
            context = {
                "actor": actor,
                "folder": FOLDER,
                "row": row,
                "token": token,
                "secret": issued.secret,
                "scopes": SCOPES,
                "address": settings.PUBLIC_URL,
            }
            return render(request, "desk/systems/issued.html.j2", context)
    return _issue(request, actor, row, form, key, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(systems.MAY)
def revoke(request: HttpRequest, actor: Actor, identifier: UUID, token: UUID) -> HttpResponse:
    """Asks once more, then ends a token for good; a second click finds it ended."""
    row = _row(actor, identifier)
    found = _token(row, token)
    form, status = Form(), 200
    if request.method == "POST":
        try:
            systems.revoke(actor, found.id, key=read_key(request.POST.get("key")), at=now())
        except Refusal as refusal:
            form, status = Form(request.POST), 422
            form.is_valid()
            form.refuse(refusal)
        else:
            messages.success(
                request, f"已撤销末四位是 {found.hint} 的令牌。用它的请求从现在起答 401。"
            )
            return redirect("desk:system", row.id)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "row": row,
        "token": found,
        "form": form,
        "key": new_key(),
        "scopes": SCOPES,
    }
    return render(request, "desk/systems/revoke.html.j2", context, status=status)


def _row(actor: Actor, identifier: UUID) -> SystemRow:
    found = systems.system(actor, identifier, at=now())
    if found is None:
        raise Http404
    return found


def _token(row: SystemRow, token: UUID) -> TokenRow:
    found = next((one for one in row.tokens if one.id == token), None)
    if found is None:
        raise Http404
    return found


def _places(rows: tuple[SystemRow, ...] | list[SystemRow]) -> dict[UUID, str]:
    """What each system sees, with the name of the place."""
    names = dict(accounts.regions()) | {one.code: one.name for one in halls.halls()}
    return {
        one.id: one.sees
        if one.role == "agency_system"
        else f"{one.sees}：{names.get(one.place, one.place)}"
        for one in rows
    }


def _register(
    request: HttpRequest, actor: Actor, form: RegisterForm, key: str, *, status: int = 200
) -> HttpResponse:
    context = {
        "actor": actor,
        "folder": FOLDER,
        "form": form,
        "key": key,
        "agencies": [one for one in accounts.agencies() if one.kind in OFFERED],
    }
    return render(request, "desk/systems/register.html.j2", context, status=status)


def _issue(
    request: HttpRequest, actor: Actor, row: SystemRow, form: IssueForm, key: str, *,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {
        "actor": actor,
        "folder": FOLDER,
        "row": row,
        "form": form,
        "key": key,
        "longest": systems.LONGEST,
    }
    return render(request, "desk/systems/issue.html.j2", context, status=status)
