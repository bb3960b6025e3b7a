"""Shift hand-over (交接班): what I hold goes to a colleague, what is meant for me is taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from zhengwu.accounts import services as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import daywork, drafts, shifts
from zhengwu.cases.events import STREAM
from zhengwu.cases.shifts import Result, Wanted
from zhengwu.desk.drafts.views import continued
from zhengwu.desk.entry import desk
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

SLOT = "shift"
LISTS = ("give", "take", "head")  # the prefixes of the three lists' fields


@require_safe
@desk("case.hand_over")
def shift(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The page: what I hold, what is meant for me, and for a head what nobody holds."""
    draft = drafts.of(actor, SLOT)
    return _page(request, actor, typed=draft.initial if draft else {}, draft=draft)


@require_POST
@desk("case.hand_over")
def give(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Hand over what was chosen (``do=some``) or everything listed (``do=all``)."""
    prefix = "head" if request.POST.get("list") == "head" else "give"
    note = clean_text(request.POST.get("note", ""))[:4_000]
    wanted = _wanted(request.POST, prefix)
    typed = request.POST.dict()
    if not wanted:
        return _refused(request, actor, typed, "还没有选择要移交的办件。请勾选，或者按“全部移交”。")
    if any(not one.to for one in wanted):
        return _refused(
            request, actor, typed, "还没有选择移交给谁。请在“都移交给”里选，或者逐件选择。"
        )
    results = shifts.give(actor, wanted, note=note, key=read_key(request.POST.get("key")), at=now())
    if any(one.done for one in results):
        drafts.discard(actor, SLOT)
    return _answer(request, actor, results, "已移交", to="desk:shift-sheet")


@require_POST
@desk("case.take")
def take(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take over one (``one=number``) or all that are listed."""
    wanted = _wanted(request.POST, "take")
    one = request.POST.get("one")
    if one:
        wanted = [each for each in wanted if each.number == one]
    if not wanted:
        messages.warning(request, "没有要接办的办件。")
        return redirect("desk:shift")
    results = shifts.take(actor, wanted, key=read_key(request.POST.get("key")), at=now())
    return _answer(request, actor, results, "已接办", to="desk:shift")


@require_safe
@desk("case.hand_over")
def sheet(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The hand-over sheet (交接单) of a day, from the log: to whom, when, what; for signing."""
    at = now()
    today = words.local(at).date()
    try:
        on = date.fromisoformat(request.GET.get("day", "") or today.isoformat())
    except ValueError:
        on = today
    on = on if date(2000, 1, 1) <= on <= today else today
    rows = daywork.given(actor, on)
    accounts.look_through(
        actor, STREAM, {r.case for r in rows if r.applicant}, why="交接单", fields=("name",), at=at
    )
    by_receiver: dict[str, list[daywork.Handed]] = {}
    for row in rows:
        by_receiver.setdefault(row.to, []).append(row)
    context = {
        "actor": actor,
        "folder": "shift",
        "day": on,
        "sheets": by_receiver,
        "parked": _parked(actor) if on == today else (),
    }
    return render(request, "desk/shift/sheet.html.j2", context)


def _wanted(sent: QueryDict, prefix: str) -> list[Wanted]:
    """The cases of one list that were ticked, or all of it; the version is the page's."""
    everything = sent.get("do") == "all" or prefix == "take"
    found = []
    for name, version in sent.items():
        kind, _, number = name.partition(":")
        text = str(version)
        if kind != f"{prefix}-version" or not (number.isascii() and number.isalnum()):
            continue
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and len(number) <= 24):
            continue
        if everything or sent.get(f"{prefix}:{number}"):
            to = sent.get(f"{prefix}-to:{number}") or sent.get("to", "")
            found.append(Wanted(number=number, version=int(text), to=str(to)))
    return found[: daywork.MOST_HELD]


def _answer(
    request: HttpRequest, actor: Actor, results: Sequence[Result], zh: str, *, to: str
) -> HttpResponse:
    """All done: on to the next page. Some not: the list again, with what became of each."""
    done = sum(one.done for one in results)
    if done == len(results):
        messages.success(request, f"{zh} {done} 件。")
        return redirect(to)
    typed = request.POST.dict()
    return _page(request, actor, typed=typed, results=results, zh=zh, status=200 if done else 422)


def _refused(
    request: HttpRequest, actor: Actor, typed: dict[str, str], sentence: str
) -> HttpResponse:
    return _page(request, actor, typed=typed, wrong=sentence, status=422)


def _page(
    request: HttpRequest,
    actor: Actor,
    *,
    typed: dict[str, str] | None = None,
    draft: drafts.Draft | None = None,
    results: Sequence[Result] = (),
    zh: str = "",
    wrong: str = "",
    status: int = 200,
) -> HttpResponse:
    at = now()
    hands = daywork.hands(actor, at=at)
    rows = (*hands.mine, *hands.offered, *hands.ownerless)
    accounts.look_through(
        actor, STREAM, {row.case for row in rows if row.applicant}, why="交接班",
        fields=("name",), at=at,
    )  # fmt: skip
    context: dict[str, Any] = {
        "actor": actor,
        "folder": "shift",
        "hands": hands,
        "everyone": _everyone(hands.mine),
        "heads_choice": _everyone(hands.ownerless),
        "typed": typed or {},
        "draft": draft,
        "slot": SLOT,
        "parked": _parked(actor),
        "results": results,
        "zh": zh,
        "wrong": wrong,
        "keys": {name: new_key() for name in LISTS},
        "is_head": "head" in actor.roles,
    }
    return render(request, "desk/shift/shift.html.j2", context, status=status)


def _everyone(rows: Sequence[daywork.InHand]) -> tuple[tuple[str, str], ...]:
    """Every post that can have at least one of them, and how many."""
    words_of: dict[str, str] = {}
    count: dict[str, int] = {}
    for row in rows:
        for post, zh in row.targets:
            words_of[post] = zh
            count[post] = count.get(post, 0) + 1
    return tuple(
        (post, zh if count[post] == len(rows) else f"{zh}，可接 {count[post]} 件")
        for post, zh in sorted(words_of.items(), key=lambda one: -count[one[0]])
    )


def _parked(actor: Actor) -> tuple[tuple[drafts.Draft, str], ...]:
    """The drafts to be reminded of before leaving; this page's own is none of them."""
    return tuple((one, continued(one.slot)) for one in drafts.all_of(actor) if one.slot != SLOT)
