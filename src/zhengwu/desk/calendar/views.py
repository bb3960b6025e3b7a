"""The timetable (工作日历): the year, what was published, and changes by two people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries as calendars
from zhengwu.calendars import services
from zhengwu.cases import reprojection, running
from zhengwu.cases.reprojection import Preview as Cases
from zhengwu.desk.calendar import year as pages
from zhengwu.desk.calendar.forms import WAYS, ChangeForm, Choices, DecideForm
from zhengwu.desk.entry import desk
from zhengwu.domain import notices
from zhengwu.domain.edition import Timetable, late_papers
from zhengwu.domain.notices import Checked, Difference
from zhengwu.domain.procedure import UNITS_ZH, Unit
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.halls import queries as halls
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import new_key, read_key

FOLDER = "calendar"
STATES = {"shipped": ("随软件提供", "n"), "waiting": ("待确认", "b"), "confirmed": ("已确认", "g"),
          "declined": ("不予确认", "r")}  # fmt: skip
HISTORY = 200


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do. cases: how it moves those under way. digest: of the change, so that
    what is proposed is what was seen."""

    change: Mapping[str, Any]
    remarks: tuple[notices.Remark, ...]
    differences: tuple[Difference, ...]
    unread: tuple[str, ...]
    cases: Cases
    digest: str


@require_safe
@desk(services.SEE)
def year(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Twelve months of a year in the whole city or one place; notices, rules, what waits."""
    today = _today()
    table = calendars.timetable()
    wanted = _number(request.GET.get("year"), today.year)
    places = _places(everywhere=True)
    scope = request.GET.get("place", "all")
    scope = scope if scope in dict(places) else "all"
    kind, _, code = scope.partition(":")
    hall = code if kind == "hall" else None
    region = code if kind == "region" else accounts.CITY
    if hall and (row := halls.hall(hall)):
        region = row.region
    edition = calendars.edition(region, hall)
    years = sorted({*table.published, today.year, today.year + 1})
    if not years[0] <= wanted <= years[-1]:
        wanted = today.year
    months = pages.months(edition.calendar, wanted, today=today)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "year": wanted,
        "years": years,
        "months": months,
        "squares": [[d for w in month for d in w if d] for month in months],
        "stretches": pages.stretches(edition.calendar, wanted),
        "said": pages.said,
        "provisional": wanted not in table.published,
        "missing": calendars.unpublished(today),
        "notices": [one for one in calendars.notices() if one.year == wanted],
        "overlays": [
            one for one in table.overlays if any(d.year == wanted for d, _, _ in one.days)
        ],
        "rules": table.rules,
        "rule_names": notices.RULES,
        "units": {str(unit): zh for unit, zh in UNITS_ZH.items()},
        "openings": table.openings,
        "hours": edition.hours.on(today),
        "after_hours": late_papers(table.after_hours, today),
        "after_hours_later": [one for one in table.after_hours if one[0] > today],
        "places": places,
        "place": scope,
        "place_names": dict(places),
        "pending": table.pending,
        "title": notices.title,
        "ways": WAYS,
        "today": today,
    }
    return render(request, "desk/calendar/year.html.j2", context)


@require_safe
@desk(services.SEE)
def changes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits for a second person, and everything that ever changed."""
    steps = calendars.history()
    context = {
        "actor": actor,
        "folder": FOLDER,
        "waiting": [one for one in steps if one.kind == "waiting"],
        "steps": [one for one in steps if one.kind != "waiting"][:HISTORY],
        "states": STATES,
        "title": notices.title,
        "ways": WAYS,
    }
    return render(request, "desk/calendar/changes.html.j2", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(services.PROPOSE)
def propose(request: HttpRequest, actor: Actor, way: str) -> HttpResponse:
    """The form of one kind of change; then its preview; then the proposal."""
    if way not in WAYS:
        raise Http404
    places = _places(everywhere=way == "hours")
    if request.method != "POST":
        missing = calendars.unpublished(_today())
        first: dict[str, Any] = {"roll": "yes", "unit": "working_day"}
        if way == "notice" and missing:
            first["year"] = str(missing)
        return _form(request, actor, ChangeForm(way, places, first), new_key())
    form = ChangeForm(way, places, request.POST, request.FILES)
    key = read_key(request.POST.get("key"))
    preview = None
    if form.is_valid():
        try:
            preview = _preview(form)
            if request.POST.get("do") == "propose" and request.POST.get("seen") == preview.digest:
                version = services.propose(
                    actor,
                    preview.change,
                    reason=form.cleaned_data["reason"],
                    key=key,
                    at=now(),
                    halls=_halls(),
                )
                messages.success(
                    request, "已提出，等另一位管理员核对确认。确认以前什么都没有改变。"
                )
                return redirect("desk:calendar-change", version=version)
        except Refusals as several:
            for refusal in several.refusals:
                form.refuse(_placed(refusal))
        except Refusal as refusal:
            form.refuse(refusal)
    status = 422 if form.errors else 200
    return _form(request, actor, form, key, preview=preview, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(services.SEE)
def change(request: HttpRequest, actor: Actor, version: int) -> HttpResponse:
    """One change: what it would do; and its confirmation or refusal by the second person."""
    step = next((one for one in calendars.history() if one.version == version), None)
    if step is None:
        raise Http404
    form, key, status = DecideForm(), new_key(), 200
    told: list[Refusal] = []
    if request.method == "POST":
        key = read_key(request.POST.get("key"))
        try:
            if request.POST.get("do") == "confirm":
                seen = _number(request.POST.get("version"), 0)
                services.confirm(actor, version, key=key, at=now(), seen=seen, halls=_halls())
                messages.success(
                    request, f"已确认：{notices.title(step.change)}。从现在起按它计算。"
                )
                return redirect("desk:calendar-changes")
            form = DecideForm(request.POST)
            if form.is_valid():
                reason = form.cleaned_data["reason"]
                services.decline(actor, version, reason=reason, key=key, at=now())
                messages.success(
                    request, f"没有确认：{notices.title(step.change)}。什么都没有改变。"
                )
                return redirect("desk:calendar-changes")
        except Refusals as several:
            told = list(several.refusals)
        except Refusal as refusal:
            told = [refusal]
        status = 422
        step = next(one for one in calendars.history() if one.version == version)
    table = calendars.timetable()
    preview = None
    if step.kind == "waiting":
        try:
            preview = _made(step.change, table)
        except Refusals as several:
            told += [one for one in several.refusals if one.code not in {t.code for t in told}]
    run = reprojection.run_after(step.decided_version or 0) if step.kind == "confirmed" else None
    context = {
        "actor": actor,
        "folder": FOLDER,
        "step": step,
        "state": STATES[step.kind],
        "title": notices.title(step.change),
        "preview": preview,
        "run": run,
        "moved": reprojection.moved_by(run) if run else (),
        "told": told,
        "own": _own(table, version, actor),
        "form": form,
        "key": key,
        "number": table.number,
        **_words(),
    }
    return render(request, "desk/calendar/change.html.j2", context, status=status)


def _own(table: Timetable, version: int, actor: Actor) -> bool:
    found = table.proposal(version)
    return found is not None and found.actor == actor.code


def _form(
    request: HttpRequest,
    actor: Actor,
    form: ChangeForm,
    key: str,
    *,
    preview: Preview | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "actor": actor,
        "folder": FOLDER,
        "form": form,
        "way": form.way,
        "ways": WAYS,
        "preview": preview,
        "key": key,
        **_words(),
    }
    return render(request, "desk/calendar/propose.html.j2", context, status=status)


def _words() -> dict[str, Any]:
    return {
        "rule_names": notices.RULES,
        "units": {str(unit): UNITS_ZH[unit] for unit in Unit},
        "place_names": dict(_places(everywhere=True)),
        "after_words": notices.AFTER_HOURS,
        "day_runs": lambda days: pages.runs(
            [(date.fromisoformat(day), (name, off)) for day, name, off in days]
        ),
        "difference_runs": lambda found: pages.runs(
            [(one.day, (one.name, one.before, one.after)) for one in found]
        ),
    }


def _preview(form: ChangeForm) -> Preview:
    change = form.change()
    made = _made(change, calendars.timetable())
    unread = form.read.unread if form.read else ()
    return Preview(made.change, made.remarks, made.differences, unread, made.cases, made.digest)


def _made(change: Mapping[str, Any], table: Timetable) -> Preview:
    at = now()
    checked: Checked = services.check(change, table, at=at, halls=_halls(), running=running.count())
    kind, _, code = str(checked.change.get("scope", "")).partition(":")
    region = code if kind == "region" else None
    if kind == "hall" and (row := halls.hall(code)):
        region = row.region
    within = accounts.regions_above(region) if region else ()
    text = json.dumps(checked.change, sort_keys=True)
    return Preview(
        checked.change,
        checked.remarks,
        notices.differences(checked.change, table, regions=within),
        (),
        reprojection.preview(checked.change, at=at),
        hashlib.sha256(text.encode()).hexdigest()[:16],
    )


def _placed(refusal: Refusal) -> Refusal:
    """Faults of the days stand at the text they were read from."""
    if refusal.field == "days":
        return Refusal(refusal.code, refusal.sentence, article=refusal.article, field="text")
    return refusal


def _places(*, everywhere: bool) -> Choices:
    """Scopes a change may be for: (scope, name)."""
    listed = [("all", "全市")] if everywhere else []
    listed += [(f"region:{code}", name) for code, name in accounts.regions()]
    listed += [(f"hall:{one.code}", one.name) for one in halls.halls()]
    return listed


def _halls() -> tuple[str, ...]:
    return tuple(one.code for one in halls.halls())


def _today() -> date:
    return words.local(now()).date()


def _number(text: str | None, otherwise: int) -> int:
    good = text is not None and text.isascii() and text.isdigit() and len(text) < 9
    return int(text) if good and text else otherwise
