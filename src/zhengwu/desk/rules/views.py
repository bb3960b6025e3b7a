"""The rulebook (监察规则): what holds, each rule's history, changes by two people, trials on history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.desk.entry import desk
from zhengwu.desk.rules.forms import DatedForm, ReasonForm, RuleForm, SettingForm
from zhengwu.domain import rulebook
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.domain.rulebook import (
    BY_MATTER,
    DIALECTS_ZH,
    DIMENSIONS,
    LEVELS_ZH,
    MATTERS,
    RECEIVERS,
    SCORED,
    Matter,
    Rule,
)
from zhengwu.supervision import rulebooks, rules, trials
from zhengwu.supervision.trials import Tried
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, new_key, read_key

FOLDER = "rules"
STATES = {"waiting": ("待确认", "b"), "confirmed": ("已确认", "g"), "declined": ("已否决", "r")}
TONES = {"hint": "n", "warning": "b", "yellow": "y", "red": "r"}
VERSIONS = {"past": ("已失效", "n"), "present": ("现行", "g"), "future": ("未生效", "b")}
TRIAL_TONES = {"done": "g", "failed": "r", "waiting": "b", "running": "b"}
HISTORY = 200


# --- reading -----------------------------------------------------------------------------------------


@require_safe
@desk(rules.SEE)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The rulebook on a day (``?on=``), grouped by dimension, in the city's dialect."""
    day = _day(request.GET.get("on")) or _today()
    book = rulebooks.now()
    held = rules.as_of(day)
    waiting = rules.waiting()
    context = _context(actor) | {
        "day": day,
        "today": _today(),
        "groups": [
            (code, zh, [one for one in held if one.dimension == code])
            for code, zh in DIMENSIONS.items()
        ],
        "dialect": book.dialect(day),
        "dialect_zh": DIALECTS_ZH[book.dialect(day)],
        "settings": rules.settings(day),
        "kinds": rules.SETTINGS,
        "waiting": waiting,
        "proposed": {one.subject: one.version for one in waiting},
        "count": len(held),
    }
    return render(request, "desk/rules/list.html.j2", context)


@require_safe
@desk(rules.SEE)
def rule(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """One rule: its versions with who made them, and everything that was proposed of it."""
    found = rules.versions(code, today=_today())
    steps = [one for one in rules.history() if one.subject == code]
    if not found and not steps:
        raise Http404
    present = next((one.rule for one in found if one.state == "present"), None)
    newest = present or (found[0].rule if found else steps[0].rule)
    assert newest is not None
    context = _context(actor) | {
        "rule": newest,
        "held": present,
        "versions": found,
        "version_states": VERSIONS,
        "steps": steps,
        "waiting": next((one for one in steps if one.state == "waiting"), None),
        "untriable": trials.untriable(newest),
        "dialect": rulebooks.now().dialect(_today()),
    }
    return render(request, "desk/rules/rule.html.j2", context)


@require_safe
@desk(rules.SEE)
def changes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits for a second person, everything that was decided, and the trials there are."""
    steps = rules.history()
    context = _context(actor) | {
        "waiting": [one for one in steps if one.state == "waiting"],
        "steps": [one for one in steps if one.state != "waiting"][:HISTORY],
        "trials": trials.listed() if actor.may(rules.CHANGE) else (),
    }
    return render(request, "desk/rules/changes.html.j2", context)


# --- proposing ---------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk(rules.CHANGE)
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new rule: first its matter (``?matter=``), then what that matter has."""
    asked = request.POST if request.method == "POST" else request.GET
    tried = _trial_asked(asked.get("trial"))
    matter = BY_MATTER.get(tried.rule.matter if tried else asked.get("matter", ""))
    if matter is None:
        context = _context(actor) | {"matters": MATTERS}
        return render(request, "desk/rules/matter.html.j2", context)
    first = {"sign": "1", "answer": "5", "receivers": ["desk", "head"]}
    return _edit(request, actor, matter, tried.rule if tried else None, first=first, tried=tried)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(rules.CHANGE)
def edit(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """A new version of a rule; its matter stays."""
    found = rules.versions(code, today=_today())
    if not found:
        raise Http404
    stands = next((one.rule for one in found if one.state == "present"), found[0].rule)
    asked = request.POST if request.method == "POST" else request.GET
    tried = _trial_asked(asked.get("trial"))
    if tried is not None and tried.rule.code != code:
        tried = None
    matter = BY_MATTER[stands.matter]
    return _edit(
        request, actor, matter, tried.rule if tried else stands, stands=stands, tried=tried
    )


def _edit(
    request: HttpRequest,
    actor: Actor,
    matter: Matter,
    start: Rule | None,
    *,
    first: Mapping[str, Any] | None = None,
    stands: Rule | None = None,
    tried: Tried | None = None,
) -> HttpResponse:
    """start: what the fields show at first; stands: the version that is to be followed."""
    fixed = stands.code if stands else None
    month = (tried.since, tried.until) if tried else trials.last_month(_today())
    initial = dict(first or {}) | {
        "since": max(start.since if tried and start else date.min, _tomorrow()).isoformat(),
        "try_since": month[0].isoformat(), "try_until": month[1].isoformat(),
    }  # fmt: skip
    others = rules.as_of(_today())
    key, status = new_key(), 200
    if request.method == "POST":
        key = read_key(request.POST.get("key"))
        form = RuleForm(matter, others, request.POST, fixed=fixed)
        if form.is_valid() and (done := _sent(request, actor, form, key, tried)) is not None:
            return done
        status = 422
    else:
        form = RuleForm(matter, others, rule=start, initial=initial, fixed=fixed)
    why = trials.untriable(start) if start else trials.untriable(_bare(matter))
    context = _context(actor) | {
        "form": form,
        "matter": matter,
        "stands": stands,
        "untriable": why,
        "tried": tried,
        "key": key,
        "to": request.path,
    }
    return render(request, "desk/rules/edit.html.j2", context, status=status)


def _sent(
    request: HttpRequest, actor: Actor, form: RuleForm, key: str, tried: Tried | None
) -> HttpResponse | None:
    """Tried or proposed; None where it was refused."""
    made, given = form.rule(), form.cleaned_data
    try:
        if request.POST.get("do") == "propose":
            version = rules.propose(
                actor, {"rule": rulebook.as_data(made)}, reason=given["reason"], key=key, at=now(),
                trial=tried.id if tried else None,
            )  # fmt: skip
            return _proposed(request, version)
        month = trials.last_month(_today())
        identifier = trials.ask(
            actor, made, since=given["try_since"] or month[0],
            until=given["try_until"] or month[1], key=UUID(key), at=now(),
        )  # fmt: skip
        return redirect("desk:rule-trial", identifier=identifier)
    except (Refusal, Refusals) as no:
        _refused(form, no)
    return None


def _bare(matter: Matter) -> Rule:
    """Nothing but a matter, to ask whether such rules can be tried."""
    return replace(rulebook.SHIPPED[0], matter=matter.code, where=())


@require_http_methods(["GET", "HEAD", "POST"])
@desk(rules.CHANGE)
def end(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Propose that a rule no longer holds from a day on (终止)."""
    found = rules.versions(code, today=_today())
    stands = next((one.rule for one in found if one.state == "present"), None)
    if stands is None:
        raise Http404
    key, status = new_key(), 200
    form = DatedForm(initial={"since": _tomorrow().isoformat()}, label="从哪一天起不再适用")
    if request.method == "POST":
        key = read_key(request.POST.get("key"))
        form = DatedForm(request.POST, label="从哪一天起不再适用")
        if form.is_valid():
            try:
                ended = replace(stands, until=form.cleaned_data["since"])
                version = rules.propose(
                    actor, {"rule": rulebook.as_data(ended)}, reason=form.cleaned_data["reason"],
                    key=key, at=now(),
                )  # fmt: skip
                return _proposed(request, version)
            except (Refusal, Refusals) as no:
                _refused(form, no)
        status = 422
    context = _context(actor) | {"form": form, "rule": stands, "key": key}
    return render(request, "desk/rules/end.html.j2", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(rules.CHANGE)
def setting(request: HttpRequest, actor: Actor, kind: str) -> HttpResponse:
    """Propose another dialect, other numbers of cards, another table of the score."""
    if kind not in rules.SETTINGS:
        raise Http404
    stands = rules.settings(_today())[kind]
    key, status = new_key(), 200
    form = SettingForm(kind, value=stands)
    form.initial["since"] = _tomorrow().isoformat()
    if request.method == "POST":
        key = read_key(request.POST.get("key"))
        form = SettingForm(kind, request.POST, value=stands)
        if form.is_valid():
            change = {
                "setting": kind,
                "since": form.cleaned_data["since"].isoformat(),
                "value": form.value(stands),
            }
            try:
                version = rules.propose(
                    actor, change, reason=form.cleaned_data["reason"], key=key, at=now()
                )
                return _proposed(request, version)
            except (Refusal, Refusals) as no:
                _refused(form, no)
        status = 422
    context = _context(actor) | {
        "form": form, "kind": kind, "title": rules.SETTINGS[kind], "stands": stands, "key": key,
    }  # fmt: skip
    return render(request, "desk/rules/setting.html.j2", context, status=status)


def _proposed(request: HttpRequest, version: int) -> HttpResponse:
    messages.success(request, "已提议，等另一位监察人员核对确认。确认以前什么都没有改变。")
    return redirect("desk:rule-change", version=version)


def _refused(form: Form, no: Refusal | Refusals) -> None:
    for one in no.refusals if isinstance(no, Refusals) else (no,):
        form.refuse(one)


# --- deciding ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk(rules.SEE)
def change(request: HttpRequest, actor: Actor, version: int) -> HttpResponse:
    """One proposal: what it changes; and its confirmation or refusal by the second person."""
    step = next((one for one in rules.history() if one.version == version), None)
    if step is None:
        raise Http404
    form, key, status = ReasonForm(), new_key(), 200
    told: list[Refusal] = []
    if request.method == "POST":
        key = read_key(request.POST.get("key"))
        try:
            if request.POST.get("do") == "confirm":
                seen = _number(request.POST.get("version"))
                rules.confirm(actor, version, key=key, at=now(), seen=seen)
                messages.success(request, f"已确认。{step.title}，从 {step.since} 起适用。")
                return redirect("desk:rule-changes")
            form = ReasonForm(request.POST)
            if form.is_valid():
                rules.decline(actor, version, reason=form.cleaned_data["reason"], key=key, at=now())
                messages.success(request, f"已否决：{step.title}。什么都没有改变。")
                return redirect("desk:rule-changes")
        except (Refusal, Refusals) as no:
            for one in no.refusals if isinstance(no, Refusals) else (no,):
                if one.field == "reason":
                    form.refuse(one)
                else:
                    told.append(one)
        status = 422
        step = next(one for one in rules.history() if one.version == version)
    book = rulebooks.now()
    before = None
    if step.rule is not None:
        stands = [
            one for one in book.rules if one.code == step.subject and one.since < step.rule.since
        ]
        before = max(stands, key=lambda one: one.since, default=None)
    context = _context(actor) | {
        "step": step,
        "state": STATES[step.state],
        "before": before,
        "stands": rules.settings(_today()).get(step.subject),
        "told": told,
        "own": step.by_code == actor.code,
        "form": form,
        "key": key,
        "number": book.number,
        "level_of": lambda one: book.level(one, step.since),
    }
    return render(request, "desk/rules/change.html.j2", context, status=status)


# --- trials ------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk(rules.CHANGE)
def trial(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """How far a trial is, what it found, and the proposal that may follow it."""
    found = trials.trial(identifier)
    if found is None:
        raise Http404
    key, status = new_key(), 200
    form = DatedForm(initial={"since": max(found.rule.since, _tomorrow()).isoformat()})
    if request.method == "POST":
        key = read_key(request.POST.get("key"))
        form = DatedForm(request.POST)
        if form.is_valid():
            made = replace(found.rule, since=form.cleaned_data["since"], until=None)
            try:
                version = rules.propose(
                    actor, {"rule": rulebook.as_data(made)}, reason=form.cleaned_data["reason"],
                    key=key, at=now(), trial=found.id,
                )  # fmt: skip
                return _proposed(request, version)
            except (Refusal, Refusals) as no:
                _refused(form, no)
        status = 422
    reach = accounts.reach(actor, "case.see")
    hits = [one for one in found.hits if reach.everything or one.agency in reach.agencies]
    names = accounts.names(agencies=(*found.by_agency, *(one.agency for one in found.hits)))
    context = _context(actor) | {
        "trial": found,
        "tone": TRIAL_TONES.get(found.state, "n"),
        "hits": hits,
        "beyond": len(found.hits) - len(hits),
        "agencies": sorted(found.by_agency.items(), key=lambda one: (-one[1], one[0])),
        "agency_zh": names.agency,
        "most": 200,
        "own": found.asked_by == actor.code,
        "form": form,
        "key": key,
        "known": bool(rules.versions(found.rule.code, today=_today())),
        "waiting": next((w for w in rules.waiting() if w.subject == found.rule.code), None),
    }
    return render(request, "desk/rules/trial.html.j2", context, status=status)


@require_POST
@desk(rules.CHANGE)
def cancel(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """Give up a trial of one's own."""
    trials.cancel(actor, identifier, at=now())
    return redirect("desk:rule-trial", identifier=identifier)


# --- parts -------------------------------------------------------------------------------------------


def _context(actor: Actor) -> dict[str, Any]:
    return {
        "actor": actor,
        "folder": FOLDER,
        "may_change": actor.may(rules.CHANGE),
        "levels": LEVELS_ZH,
        "tones": TONES,
        "dimensions": DIMENSIONS,
        "receivers": RECEIVERS,
        "scored": SCORED,
        "dialects": DIALECTS_ZH,
        "by_matter": BY_MATTER,
        "conditions": _conditions,
        "states": STATES,
        "setting_names": rules.SETTINGS,
        "value_zh": rules.value_zh,
    }


def _conditions(one: Rule) -> list[str]:
    """The comparisons of a rule, as one reads them."""
    matter = BY_MATTER[one.matter]
    return [rulebook.words(test, matter) for test in one.where]


def _trial_asked(text: str | None) -> Tried | None:
    try:
        return trials.trial(UUID(text or ""))
    except ValueError:
        return None


def _today() -> date:
    return words.local(now()).date()


def _tomorrow() -> date:
    return _today() + timedelta(days=1)


def _day(text: str | None) -> date | None:
    """A day from 2004 to 2100; None for anything else."""
    try:
        found = datetime.strptime(text or "", "%Y-%m-%d").date()  # noqa: DTZ007 - a day, no instant
    except ValueError:
        return None
    return found if 2004 <= found.year <= 2100 else None


def _number(text: str | None) -> int:
    good = text is not None and text.isascii() and text.isdecimal() and len(text) < 9
    return int(text) if good and text else 0
