"""The cashier's page (缴费确认): what waits for the tick, found by number or applicant."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from zhengwu.accounts import services as accounts_services
from zhengwu.accounts.queries import Actor
from zhengwu.cases import queries as cases
from zhengwu.cases import services
from zhengwu.cases.events import STREAM
from zhengwu.cases.queries import UnpaidRow
from zhengwu.desk import searching
from zhengwu.desk.entry import desk
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

FIELDS = ("how", "ticket", "why")
LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Row:
    """A case with its form: what was typed, and what was wrong with it."""

    case: UnpaidRow
    key: str
    typed: dict[str, str]
    wrong: str = ""
    at: str = ""  # the field that is wrong


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@desk("case.collect")
def fees(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The list; POST looks for words, or ticks one case and comes back to it. A refusal stands at
    its row, 422."""
    if request.method == "POST" and "number" not in request.POST:
        return searching.answer(request, "desk:fees")
    at = now()
    asked = searching.asked(request)
    q = clean_text(request.POST.get("q", ""))[: searching.LONGEST] or asked.words
    number = clean_text(request.POST.get("number", ""))[:40]
    key = read_key(request.POST.get("key"))
    typed = {name: request.POST.get(name, "")[:LONGEST] for name in FIELDS}
    wrong, field = "", ""
    if request.method == "POST":
        version = request.POST.get("version", "")
        seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
        try:
            done = services.perform(
                actor, number, "fee_paid", version=seen, key=key, form=typed, at=at
            )
        except services.Moved:
            wrong = "这个办件已有新进展，还没有确认。请核对后再确认一次，填的内容都在。"
        except (Refusal, Refusals) as refused:
            first = refused.refusals[0] if isinstance(refused, Refusals) else refused
            wrong, field = first.sentence, first.field or ""
        else:
            messages.success(request, f"{done.number}：{done.sentence}")
            return redirect("desk:fees")
    found = () if asked.lost else cases.unpaid(actor, q=q, at=at)
    accounts_services.look_through(
        actor, STREAM, [row.id for row in found], why="待缴费清单", fields=("name",), at=at
    )
    rows = [
        Row(row, key, typed, wrong, field)
        if row.number == number and wrong
        else Row(row, new_key(), dict.fromkeys(FIELDS, ""))
        for row in found
    ]
    if wrong and not any(row.wrong for row in rows):
        messages.error(request, wrong)
    context = {
        "actor": actor,
        "folder": "fees",
        "rows": rows,
        "q": q,
        "asked": asked,
        "lost": searching.LOST,
        "failed": next((row for row in rows if row.wrong), None),
    }
    return render(request, "desk/fees/fees.html.j2", context, status=422 if wrong else 200)
