"""Drafts at the desk (草稿、暂存): the list, the autosave's address, throwing one away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.cases import drafts
from zhengwu.cases.drafts import Draft
from zhengwu.desk.entry import desk
from zhengwu.domain.refusal import Refusal
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import is_htmx

PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Line:
    """A draft with the page where it goes on; empty where that page is gone."""

    draft: Draft
    continues: str


@require_safe
@desk()
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """My parked registrations and unfinished forms, the latest first."""
    found = [Line(one, continued(one.slot)) for one in drafts.all_of(actor)]
    context = {
        "actor": actor,
        "folder": "drafts",
        "parked": [line for line in found if line.draft.parked],
        "unfinished": [line for line in found if not line.draft.parked],
        "days": drafts.KEPT.days,
    }
    return render(request, "desk/drafts/drafts.html.j2", context)


def continued(slot: str) -> str:
    """The page on which a draft goes on."""
    match slot.split("/"):
        case ["register", identifier]:
            return f"{reverse('desk:register')}?draft={identifier}"
        case ["case", number, "review"]:
            return reverse("desk:review", args=[number])
        case ["case", number, act]:
            return f"{reverse('desk:case', args=[number])}?draft={act}#acts"
        case ["shift"]:
            return reverse("desk:shift")
    return ""


@sensitive_post_parameters()
@require_POST
@desk()
def save(request: HttpRequest, actor: Actor, slot: str) -> HttpResponse:
    """Keep a form. The autosave gets 204 and the time in ``Draft-Saved``, htmx a snippet; the
    parking button (no script) gets the list. A refusal is 422 with its sentence as plain text."""
    try:
        fields, title, parked = _sent(request)
        kept = drafts.save(actor, slot, fields, title=title, parked=parked, at=now())
    except Refusal as refusal:
        if "draft-parked" in request.POST:
            raise  # a person pressed the button: the page of refusals
        return HttpResponse(refusal.sentence, status=422, content_type=PLAIN)
    if "draft-parked" in request.POST:
        if kept is None:
            messages.warning(request, "表单是空的，没有什么要暂存。")
        else:
            messages.success(request, "已暂存。可以先接待下一位，回头从这里继续。")
        return redirect("desk:drafts")
    time = words.clock(kept.at) if kept else ""
    if is_htmx(request.headers):
        said = format_html('<span class="num">{}</span> 已自动保存', time) if time else ""
        return HttpResponse(said)
    return HttpResponse(status=204, headers={"Draft-Saved": time})


@require_POST
@desk()
def discard(request: HttpRequest, actor: Actor, slot: str) -> HttpResponse:
    """Throw a draft away and go back to where the button stood."""
    if drafts.discard(actor, slot):
        messages.success(request, "已删除这份草稿。")
    back = request.POST.get("next", "")
    here = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if here and back.startswith("/desk/") else reverse("desk:drafts"))


def _sent(request: HttpRequest) -> tuple[drafts.Fields, str, bool]:
    """The fields, the title and whether it is parked, from a form or from JSON."""
    if request.content_type == "application/json":
        try:
            given: Any = json.loads(request.body)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, Mapping) or not isinstance(given.get("fields"), Mapping):
            raise Refusal("draft.unreadable", "没有看懂要保存的内容，没有保存。")
        return (
            {str(name): _texts(value) for name, value in given["fields"].items()},
            str(given.get("title") or ""),
            given.get("parked") is True,
        )
    fields: dict[str, str | Sequence[str]] = {
        name: [str(one) for one in values] for name, values in request.POST.lists()
    }
    parked = bool(request.POST.get("draft-parked"))
    return fields, str(request.POST.get("draft-title", "")), parked


def _texts(value: object) -> str | list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return "" if value is None else str(value)
