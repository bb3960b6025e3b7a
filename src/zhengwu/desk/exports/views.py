"""Exports in the background (我的导出): order a table, see how far it is, fetch it while it is kept.

The list renews its rows every two seconds while something is under way: it says which rows it shows
(`seen`), and gets 204 where nothing has changed. Without JavaScript the page has a link that renews it.
Whoever has ordered something is told on every page of the desk when it is ready: the session notes
that there is something to wait for, so that nobody else's page asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.desk.entry import desk
from zhengwu.desk.exports.forms import FORMAT, OrderForm
from zhengwu.domain.refusal import Refusal
from zhengwu.exports import queries, registry, services
from zhengwu.exports.queries import Export, ExportNotFound
from zhengwu.exports.registry import Table
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

FOLDER = "exports"
WAITS = "exports"  # in the session: there is something to wait for
TONES = {"ready": "g", "failed": "r", "running": "b", "waiting": "b"}


def _found(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """An export of somebody else's and one that is not there are the same 404."""

    @wraps(view)
    def asked(request: HttpRequest, actor: Actor, **parts: Any) -> HttpResponseBase:
        try:
            return view(request, actor, **parts)
        except ExportNotFound:
            raise Http404 from None

    return asked


@require_safe
@desk()
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """My exports, the newest first, and what can be ordered."""
    context = _rows(request, actor) | {
        "folder": FOLDER,
        "tables": registry.tables(actor),
    }
    return render(request, "desk/exports/list.html.j2", context)


@require_safe
@desk()
def rows(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The rows of the list alone; 204 for whoever shows these already."""
    context = _rows(request, actor)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "desk/exports/rows.html.j2", context)


def _rows(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    found = queries.mine(actor)
    seen = hashlib.sha256(repr([_shown(one) for one in found]).encode()).hexdigest()[:16]
    if not any(one.under_way for one in found) and request.session.get(WAITS):
        del request.session[WAITS]
    return {
        "actor": actor,
        "exports": found,
        "under_way": sum(one.under_way for one in found),
        "ready": sum(one.state == "ready" for one in found),
        "seen": seen,
        "tones": TONES,
    }


def _shown(one: Export) -> tuple[object, ...]:
    return (one.id, one.state, one.rows, one.total)


@require_http_methods(["GET", "HEAD", "POST"])
@desk()
def order(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new one. ``?table=cases&state=…``: the conditions of the list that one comes from."""
    asked = request.POST if request.method == "POST" else request.GET
    table = _table(actor, asked.get("table", ""))
    if request.method != "POST":
        form = OrderForm(table, actor)
        for name in form.fields:
            if written := clean_text(request.GET.get(name, "")):
                form.initial[name] = written
        return _order(request, actor, form, new_key())
    form, key = OrderForm(table, actor, request.POST), read_key(request.POST.get("key"))
    if form.is_valid():
        try:
            services.order(
                actor, table.code, form=form.cleaned_data[FORMAT], parameters=form.given(),
                key=UUID(key), at=now(),
            )  # fmt: skip
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            request.session[WAITS] = True
            messages.success(
                request, f"“{table.zh}”在后台导出，可以先做别的，做好了会在页面上告诉您。"
            )
            return redirect("desk:exports")
    return _order(request, actor, form, key, status=422)


def _table(actor: Actor, code: str) -> Table:
    found = next((one for one in registry.tables(actor) if one.code == code), None)
    if found is None:
        raise Http404
    return found


def _order(
    request: HttpRequest, actor: Actor, form: OrderForm, key: str, *, status: int = 200
) -> HttpResponse:
    context = {
        "actor": actor,
        "folder": FOLDER,
        "form": form,
        "table": form.table,
        "kinds": {one.name: one.kind for one in form.table.parameters},
        "key": key,
    }
    return render(request, "desk/exports/order.html.j2", context, status=status)


@require_POST
@desk()
@_found
def cancel(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """Give up one that is not done."""
    services.cancel(actor, identifier, at=now())
    return redirect("desk:exports")


@require_http_methods(["GET", "HEAD", "POST"])
@desk()
@_found
def delete(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """Asks once more, then removes file and order."""
    export = queries.one(actor, identifier)
    if request.method == "POST":
        services.delete(actor, identifier, at=now())
        messages.success(request, f"已删除“{export.table_zh}”的导出。")
        return redirect("desk:exports")
    context = {"actor": actor, "folder": FOLDER, "export": export}
    return render(request, "desk/exports/delete.html.j2", context)


@require_safe
@desk()
@_found
def file(request: HttpRequest, actor: Actor, identifier: UUID) -> FileResponse:
    """The file, to be saved."""
    found = services.fetch(actor, identifier, at=now())
    answer = FileResponse(found.data, content_type=found.media)
    answer["Content-Length"] = found.size
    answer["Content-Disposition"] = (
        f"attachment; filename=\"{found.plain}\"; filename*=UTF-8''{quote(found.name, safe='')}"
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_safe
@desk()
def told(request: HttpRequest, actor: Actor) -> HttpResponse:
    """One line for whatever page of the desk is open; it asks on while something is under way."""
    under_way, ready = queries.under_way(actor)
    context = {"under_way": under_way, "ready": ready}
    return render(request, "desk/exports/told.html.j2", context)
