"""Written authorisations (书面授权): the head issues and ends them, clerks read their own."""

from __future__ import annotations

import csv
import io
from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.catalog import authorisations
from zhengwu.catalog.authorisations import AuthorisationNotFound, Line, Whole
from zhengwu.desk.authorise.forms import EndForm, IssueForm
from zhengwu.desk.entry import desk
from zhengwu.desk.inbox.views import neutral
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

FOLDER = "authorisations"
FILTERS = (("", "全部"), ("standing", "有效"), ("coming", "未到起始日"), ("ended", "到期或终止"))
EXPORT = 5_000
TONES = {"standing": "g", "coming": "b", "expired": "n", "ended": "n"}
LONGEST = 100


@require_safe
@desk(authorisations.SEE)
def authorised(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The organ's authorisations for its head; their own for everybody else."""
    today = _today()
    if not actor.may(authorisations.ISSUE):
        mine = authorisations.mine(actor, on=today)
        context = {"actor": actor, "folder": FOLDER, "mine": mine, "tones": TONES}
        return render(request, "desk/authorise/mine.html.j2", context)
    q, status = _question(request)
    found = authorisations.listed(
        actor, on=today, status=status, q=q, page=paging.page_number(request.GET.get("page"))
    )
    context = {
        "actor": actor,
        "folder": FOLDER,
        "found": found,
        "bare": authorisations.unauthorised(actor, on=today),
        "filters": FILTERS,
        "status": status,
        "asked": q,
        "tones": TONES,
        "most": EXPORT,
    }
    return render(request, "desk/authorise/list.html.j2", context)


@require_safe
@desk(authorisations.ISSUE)
def export(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same list as CSV (UTF-8 with a mark, so that spreadsheets read it), ≤ 5,000 rows."""
    q, status = _question(request)
    found = authorisations.listed(actor, on=_today(), status=status, q=q, size=EXPORT)
    day = words.local(now()).strftime("%Y%m%d-%H%M")
    response = HttpResponse(_csv(found.lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="shouquan-{day}.csv"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@desk(authorisations.ISSUE)
def issue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form for one person, one window and any number of items."""
    at = now()
    choices = authorisations.choices(actor, on=_today())
    if request.method != "POST":
        asked = request.GET.get("item", "")
        first: dict[str, object] = {
            "items": [code for code, _ in choices.items if code == asked],
            "powers": list(authorisations.POWERS_ZH),
            "since": _today().isoformat(),
        }
        return _form(request, actor, IssueForm(choices, first), new_key())
    form = IssueForm(choices, request.POST)
    key = read_key(request.POST.get("key"))
    if form.is_valid():
        try:
            issued = authorisations.issue_all(actor, form.drafts(), key=key, at=at)
        except Refusals as several:
            for refusal in several.refusals:
                form.refuse(refusal)
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, f"已签发 {len(issued)} 份授权。")
            return redirect("desk:authorisations")
    return _form(request, actor, form, key, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(authorisations.ISSUE)
def authorisation(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """One authorisation; what stops with it; and its end."""
    try:
        whole = authorisations.whole(actor, identifier, on=_today())
    except AuthorisationNotFound:
        raise Http404 from None
    if request.method != "POST":
        return _whole(request, actor, whole, EndForm(), new_key())
    form = EndForm(request.POST)
    key = read_key(request.POST.get("key"))
    if form.is_valid():
        try:
            authorisations.end(
                actor,
                identifier,
                reason=form.cleaned_data["reason"],
                version=_version(request),
                key=key,
                at=now(),
            )
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            line = whole.line
            messages.success(request, f"已终止{line.person_name}对“{line.item_name}”的授权。")
            return redirect("desk:authorisations")
    whole = authorisations.whole(actor, identifier, on=_today())
    return _whole(request, actor, whole, form, key, status=422)


def _today() -> date:
    return words.local(now()).date()


def _question(request: HttpRequest) -> tuple[str, str]:
    status = request.GET.get("status", "")
    known = {code for code, _ in FILTERS}
    asked = clean_text(request.GET.get("text", ""))[:LONGEST]
    return asked, status if status in known else ""


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _form(
    request: HttpRequest, actor: Actor, form: IssueForm, key: str, *, status: int = 200
) -> HttpResponse:
    context = {"actor": actor, "folder": FOLDER, "form": form, "key": key}
    return render(request, "desk/authorise/issue.html.j2", context, status=status)


def _whole(
    request: HttpRequest,
    actor: Actor,
    whole: Whole,
    form: EndForm,
    key: str,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "actor": actor, "folder": FOLDER, "whole": whole, "form": form, "key": key, "tones": TONES,
    }  # fmt: skip
    return render(request, "desk/authorise/one.html.j2", context, status=status)


def _csv(lines: tuple[Line, ...]) -> str:
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(
        ["窗口", "事项编码", "事项", "被授权人", "人员编码", "可以决定", "起始日", "截止日",
         "授权书文号", "状态", "终止日", "在岗"]
    )  # fmt: skip
    for line in lines:
        paper = line.paper
        cells = [
            line.place,
            paper.item,
            line.item_name,
            line.person_name,
            paper.person,
            paper.powers_zh,
            paper.since.isoformat(),
            paper.until.isoformat() if paper.until else "",
            paper.number,
            line.status_zh,
            paper.ended_on.isoformat() if paper.ended_on else "",
            "是" if line.at_post else "否",
        ]
        writer.writerow([neutral(cell) for cell in cells])
    return out.getvalue()
