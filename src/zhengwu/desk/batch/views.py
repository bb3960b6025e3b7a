"""One act on many cases (批量办理): pick in the inbox, look it over, do it, a result for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor
from zhengwu.cases import batch as batching
from zhengwu.cases import services
from zhengwu.cases.batch import Picked
from zhengwu.cases.events import STREAM
from zhengwu.cases.services import BatchResult
from zhengwu.desk.case.forms import several
from zhengwu.desk.entry import desk
from zhengwu.domain.refusal import Refusal
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, Paragraphs, clean_text, new_key, read_key

ADVICE = (("grant", "建议准予"), ("refuse", "建议不予"))
LONGEST = 4_000
SAYS = ("step_done", "refused")  # what cannot be done without a word


class BatchForm(Form):
    """What is done to all of them (批量办理): the act and the shared words."""

    do = forms.ChoiceField(
        label="办什么",
        choices=[(act, services.VERBS[act].zh) for act in batching.ACTS],
        error_messages={"required": "请选择办什么", "invalid_choice": "请选择办什么"},
    )
    text = Paragraphs(label="共同的意见或者理由", required=False)
    advice = forms.ChoiceField(label="建议", choices=ADVICE, required=False)
    grounds = several("不予的根据", (), required=False)

    def clean(self) -> None:
        """What each case would refuse alike is said once, before anything is done."""
        if self.cleaned_data.get("do") in SAYS and not self.cleaned_data.get("text"):
            self.add_error("text", "请填写意见或者理由，它会写进每一件")
        if self.cleaned_data.get("do") == "refused" and not self.cleaned_data.get("grounds"):
            self.add_error("grounds", "请选择根据的是办事指南的哪一项，它会写进每一件")


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one case."""

    result: BatchResult
    known: bool  # whether the actor may see it
    item_name: str
    applicant: str


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@desk("case.take")
def batch(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Look the picked cases over; on POST do the act on each of them."""
    at = now()
    if request.method == "POST":
        return _do(request, actor, at)
    numbers = [clean_text(one)[:24].upper() for one in request.GET.getlist("case")]
    numbers = list(dict.fromkeys(one for one in numbers if one))
    if not numbers:
        messages.warning(request, "请先在清单里勾选办件，再批量办理。")
        return redirect("desk:inbox")
    form = BatchForm(initial={"do": request.GET.get("do", "")})
    return _page(request, actor, form, numbers, at, key=new_key())


def _do(request: HttpRequest, actor: Actor, at: datetime) -> HttpResponse:
    picks = [_pick(one) for one in request.POST.getlist("pick")]
    numbers = [number for number, _ in picks]
    key = read_key(request.POST.get("key"))
    form = BatchForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, form, numbers, at, key=key, picks=picks, status=422)
    kind = form.cleaned_data["do"]
    text = str(request.POST.get("text", ""))
    words = {"step_taken": {}, "step_done": {"opinion": text}}.get(kind, {"reasons": text})
    if kind == "refused":
        words["grounds"] = ",".join(form.cleaned_data["grounds"])[:LONGEST]
    if kind == "step_done" and form.cleaned_data["advice"]:
        words["advice"] = form.cleaned_data["advice"]
    before = {row.number: row for row in _picked(actor, numbers, at, "批量办理")}
    try:
        results = services.perform_many(actor, picks, kind, key=key, form=words, at=at)
    except Refusal as refusal:
        form.refuse(refusal)
        return _page(request, actor, form, numbers, at, key=key, picks=picks, status=422)
    context = {
        "actor": actor,
        "at": at,
        "zh": services.VERBS[kind].zh,
        "kind": kind,
        "lines": [_line(result, before) for result in results],
        "done": [one for one in results if one.done],
        "failed": [one for one in results if not one.done],
        "again": [one for one in results if not one.done and one.number in before],
        "papers": [one for one in results if one.done and one.done.document],
    }
    return render(request, "desk/batch/results.html.j2", context)


def _page(
    request: HttpRequest,
    actor: Actor,
    form: BatchForm,
    numbers: list[str],
    at: datetime,
    *,
    key: str,
    picks: list[tuple[str, int]] | None = None,
    status: int = 200,
) -> HttpResponse:
    rows = _picked(actor, numbers, at, "批量办理（核对）")
    cast(forms.SelectMultiple, form.fields["grounds"].widget).choices = batching.grounds_of(rows)
    seen = dict(picks or [])
    context = {
        "actor": actor,
        "at": at,
        "form": form,
        "failed": form if form.is_bound and form.errors else None,
        "key": key,
        "rows": rows,
        # A page given back keeps the versions it was filled in on.
        "versions": {row.number: seen.get(row.number, row.version) for row in rows},
        "acts": [
            (act, services.VERBS[act].zh, sum(act not in row.why for row in rows))
            for act in batching.ACTS
        ],
        "confirms": [
            (services.VERBS[act].zh, services.VERBS[act].confirm)
            for act in batching.ACTS
            if services.VERBS[act].confirm
        ],
        "alike": batching.alike(rows),
        "too_many": len(numbers) > services.BATCH,
        "most": services.BATCH,
        "asked": len(numbers),
        "advice": [(*one, "ok" if one[0] == "grant" else "bad") for one in ADVICE],
    }
    return render(request, "desk/batch/batch.html.j2", context, status=status)


def _picked(actor: Actor, numbers: list[str], at: datetime, why: str) -> tuple[Picked, ...]:
    """The picked cases; the look at each name is recorded."""
    rows = batching.picked(actor, numbers, at=at)
    account_services.look_through(
        actor, STREAM, [row.id for row in rows], why=why, fields=("name",), at=at
    )
    return rows


def _pick(value: str) -> tuple[str, int]:
    """number:version; a version that is none is an old page's."""
    number, _, version = clean_text(value)[:40].partition(":")
    good = version.isascii() and version.isdigit() and len(version) < 10
    return number.upper(), int(version) if good else 0


def _line(result: BatchResult, before: dict[str, Picked]) -> Line:
    row = before.get(result.number)
    if row is None:
        return Line(result, False, "", "")
    return Line(result, True, row.item_name, row.applicant)
