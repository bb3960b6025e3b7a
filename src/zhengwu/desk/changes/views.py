"""Changes of items (事项变更): the work list, one step for many, the beginning, one change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.catalog import changes, finding, queries
from zhengwu.catalog.changes import Change
from zhengwu.catalog.services import SHANGHAI
from zhengwu.desk.changes import effect
from zhengwu.desk.changes.edit import FOLDER, found
from zhengwu.desk.changes.editor import home
from zhengwu.desk.changes.forms import BeginForm, StepForm
from zhengwu.desk.entry import desk
from zhengwu.domain import guide, publishing
from zhengwu.domain.guide import LISTS_ZH, Level
from zhengwu.domain.publishing import STATES_ZH, Act
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web import paging
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

LONGEST = 60
MOST = 100  # changes that take one step together
TONES = {
    "drafting": "n", "submitted": "b", "checked": "b", "approved": "b", "listed": "b",
    "published": "g", "withdrawn": "n",
}  # fmt: skip
# One step for many: what the list offers, in the order of the way.
TOGETHER = ("submitted", "checked", "approved", "listed", "published", "returned", "withdrawn")
PATH = (
    ("drafted", "起草"), ("submitted", "提交"), ("checked", "中心审核"), ("approved", "法制审查"),
    ("listed", "市政府批准"), ("published", "发布"),
)  # fmt: skip
DUE = {
    "drafting": "submitted", "submitted": "checked", "checked": "approved", "approved": "listed",
    "listed": "published",
}  # fmt: skip
NEXT_ZH = {
    "drafting": "由起草部门修改后提交。",
    "submitted": "接下来由政务服务中心审核，审核人不能是起草人。",
    "checked": "接下来由政府法制机构审查。",
    "approved": "接下来由政务服务中心登记市政府对清单的批准。",
    "listed": "接下来由登记批准以外的另一个人发布。",
    "published": "",
    "withdrawn": "",
}


# --- the list ---------------------------------------------------------------------------------------


@require_safe
@desk(changes.SEE)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The changes by state, first those whose next step is this actor's."""
    q = clean_text(request.GET.get("q", ""))[:LONGEST]
    batch = request.GET.get("batch", "")
    found_ = changes.desk(
        actor, state=request.GET.get("state", ""), q=q, batch=batch,
        page=paging.page_number(request.GET.get("page")),
    )  # fmt: skip
    together = {act.code for acts in found_.acts.values() for act in acts} & set(TOGETHER)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "page": found_.page,
        "acts": found_.acts,
        "together": [publishing.BY_CODE[code] for code in TOGETHER if code in together],
        "tabs": _tabs(found_.counts),
        "state": found_.state,
        "asked": q,
        "batch": batch if batch in found_.batches else "",
        "batches": found_.batches,
        "tones": TONES,
        "may_draft": actor.may(changes.DRAFT),
    }
    return render(request, "desk/changes/list.html.j2", context)


def _tabs(counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    total = sum(number for state, number in counts.items() if state in publishing.OPEN)
    return [
        (changes.WAITING, "等我办理", counts[changes.WAITING]),
        (changes.OPEN_ONES, "全部未办完", total),
        *((state, zh, counts.get(state, 0)) for state, zh in STATES_ZH.items()),
    ]


# --- one step for many ------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk(changes.SEE)
def together(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Look the ticked changes over, and take one step with all of them or none."""
    given = request.POST if request.method == "POST" else request.GET
    act = publishing.BY_CODE.get(given.get("act", ""))
    if act is None or act.code not in TOGETHER:
        messages.warning(request, "请先勾选变更，再选择要办的一步。")
        return redirect("desk:changes")
    picks = dict(_pick(one) for one in given.getlist("change"))
    picks.pop(None, None)
    rows = _picked(actor, [one for one in picks if one is not None][: MOST + 1])
    if not rows:
        messages.warning(request, "请先勾选变更，再选择要办的一步。")
        return redirect("desk:changes")
    if request.method != "POST":
        return _together(request, actor, act, rows, _form(act, rows), new_key())
    key = read_key(given.get("key"))
    form = _form(act, rows, request.POST)
    faults: dict[UUID, list[Refusal]] = {}
    status = 422
    if form.is_valid() and len(rows) <= MOST:
        versions = {identifier: number for identifier, number in picks.items() if identifier}
        try:
            changes.step(
                actor, [row.id for row in rows], act.code, form.given(), key=key, at=now(),
                versions=versions,
            )  # fmt: skip
        except Refusals as several:
            for refusal in several.refusals:
                form.refuse(refusal)
            faults = _whose(rows, form, act)
        except Refusal as refusal:
            form.refuse(refusal)
            status = 409 if refusal.code == "change.moved" else 422
            rows = _picked(actor, [row.id for row in rows])
        else:
            messages.success(request, f"{act.zh}：{len(rows)} 项都办好了。")
            return redirect("desk:changes")
    return _together(request, actor, act, rows, form, key, faults=faults, status=status)


def _pick(value: str) -> tuple[UUID | None, int]:
    """identifier:version; a version that is none is an old page's."""
    text, _, number = clean_text(value)[:60].partition(":")
    good = number.isascii() and number.isdigit() and len(number) < 10
    try:
        return UUID(text), int(number) if good else 0
    except ValueError:
        return None, 0


def _picked(actor: Actor, identifiers: list[UUID]) -> list[Change]:
    """Those that this actor may see, in the order picked."""
    by_id = {row.id: row for row in changes.some(actor, identifiers)}
    return [by_id[one] for one in identifiers if one in by_id]


def _form(act: Act, rows: list[Change], data: QueryDict | None = None) -> StepForm:
    """The day of force is not asked for where every draft has its own."""
    days = {row.since for row in rows}
    first = {"since": next(iter(days))} if len(days) == 1 else {}
    return StepForm(act, data, first, day=None in days)


def _whose(rows: list[Change], form: StepForm, act: Act) -> dict[UUID, list[Refusal]]:
    """Which of them the rules refuse: the service answers for all of them together."""
    if act.code not in ("submitted", "published"):
        return {}
    since = form.cleaned_data.get("since")
    at = now()
    found_ = {row.id: list(changes.preview(row, since=since, at=at).faults) for row in rows}
    return {identifier: faults for identifier, faults in found_.items() if faults}


def _together(
    request: HttpRequest,
    actor: Actor,
    act: Act,
    rows: list[Change],
    form: StepForm,
    key: str,
    *,
    faults: dict[UUID, list[Refusal]] | None = None,
    status: int = 200,
) -> HttpResponse:
    open_ = changes.acts_of(actor, rows)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "act": act,
        "rows": rows,
        "can": {row.id: act in open_[row.id] for row in rows},
        "form": form,
        "key": key,
        "faults": faults or {},
        "most": MOST,
        "tones": TONES,
    }
    return render(request, "desk/changes/together.html.j2", context, status=status)


# --- the beginning ----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk(changes.DRAFT)
def begin(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Of an item in force, or a new one from a copy or blank; then the editor."""
    if request.method == "POST":
        return _begin(request, actor)
    today = now().astimezone(SHANGHAI).date()
    if code := clean_text(request.GET.get("item", ""))[:LONGEST]:
        return _item(request, actor, code, new_key())
    if copied := clean_text(request.GET.get("copy", ""))[:LONGEST]:
        row = queries.standing(copied, today)
        if row is None:
            messages.warning(request, f"没有现行的事项 {copied}，不能复制。")
            return redirect("desk:change-begin")
        return _new(request, actor, _offer(actor, row), new_key(), copied=row)
    q = clean_text(request.GET.get("q", ""))[:LONGEST]
    if not q and "new" not in request.GET:
        return _choose(request, actor, q, None)
    if "new" in request.GET:
        return _new(request, actor, _offer(actor, None), new_key())
    return _choose(request, actor, q, today)


def _choose(request: HttpRequest, actor: Actor, q: str, today: date | None) -> HttpResponse:
    """Looks for the item to change or to copy."""
    hits = None
    if today is not None:
        places = changes.places(actor)
        own = places.agencies[0].code if len(places.agencies) == 1 else ""
        hits = finding.search(q, today, agency=own)
    context = {"actor": actor, "folder": FOLDER, "asked": q, "hits": hits}
    return render(request, "desk/changes/choose.html.j2", context)


def _item(
    request: HttpRequest,
    actor: Actor,
    code: str,
    key: str,
    *,
    told: list[Refusal] | None = None,
    status: int = 200,
) -> HttpResponse:
    history = queries.history(code)
    if not history:
        raise Http404
    row = history[0]
    context = {
        "actor": actor,
        "folder": FOLDER,
        "row": row,
        "level": LISTS_ZH[Level(row.level)],
        "drafts": changes.listed(actor, state=changes.OPEN_ONES, item=code).rows,
        "told": told or [],
        "key": key,
        "tones": TONES,
    }
    return render(request, "desk/changes/item.html.j2", context, status=status)


def _offer(actor: Actor, row: queries.ItemVersionRow | None) -> BeginForm:
    """The form as it is likeliest: below the same list, or beside the item that is copied."""
    places = changes.places(actor)
    codes = [one.code for one in places.agencies]
    first: dict[str, Any] = {
        "level": str(Level.IMPLEMENTATION),
        "agency": codes[0] if codes else "",
    }
    if row is None:
        return BeginForm(places, first=first)
    first |= {"copy_of": row.code, "level": row.level, "name": ""}
    if row.agency in codes:
        first["agency"] = row.agency
    else:
        first["level"] = str(Level.IMPLEMENTATION)
    above = row.above.partition("@")[0]
    if row.level == Level.CITY and row.agency not in codes:
        above = row.code  # a district takes up the city's common list
    if first["agency"] != row.agency and above:
        region = changes.region(Level(first["level"]), first["agency"])
        first |= {"above": above, "item_code": changes.free_code(f"{row.base}-{region}")}
    else:
        first["item_code"] = changes.free_code(row.code)
    return BeginForm(places, first=first)


def _new(
    request: HttpRequest,
    actor: Actor,
    form: BeginForm,
    key: str,
    *,
    copied: queries.ItemVersionRow | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "actor": actor,
        "folder": FOLDER,
        "form": form,
        "copied": copied,
        "key": key,
        "many": len(form.fields["agency"].choices) > 1,  # type: ignore[attr-defined]
    }
    return render(request, "desk/changes/new.html.j2", context, status=status)


def _begin(request: HttpRequest, actor: Actor) -> HttpResponse:
    post = request.POST
    key, at = read_key(post.get("key")), now()
    if code := clean_text(post.get("item", ""))[:LONGEST]:
        try:
            made = changes.begin(actor, item=code, purpose=post.get("purpose", ""), key=key, at=at)
        except Refusals as several:
            return _item(request, actor, code, key, told=list(several.refusals), status=422)
        except Refusal as only:
            return _item(request, actor, code, key, told=[only], status=422)
        return redirect("desk:change-edit", identifier=made)
    form = BeginForm(changes.places(actor), post)
    if form.is_valid():
        try:
            made = changes.begin(
                actor, new=form.new(), copy_of=form.cleaned_data["copy_of"], own=form.own(),
                key=key, at=at,
            )  # fmt: skip
        except Refusals as several:
            for each in several.refusals:
                form.refuse(each)
        except Refusal as only:
            form.refuse(only)
        else:
            return redirect("desk:change-edit", identifier=made)
    copied = clean_text(post.get("copy_of", ""))[:LONGEST]
    row = queries.standing(copied, at.astimezone(SHANGHAI).date()) if copied else None
    return _new(request, actor, form, key, copied=row, status=422)


# --- one change -------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk(changes.SEE)
def change(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """What it changes and what that does; the steps that this actor may take."""
    one = found(actor, identifier)
    at = now()
    if request.method == "POST":
        return _step(request, actor, one, at=at)
    since = _day(request.GET.get("since", ""))
    return _page(request, actor, one, new_key(), since=since, at=at)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(2000, 1, 1) <= day <= changes.LATEST else None


def _step(request: HttpRequest, actor: Actor, one: Change, *, at: datetime) -> HttpResponse:
    post = request.POST
    key, do = read_key(post.get("key")), post.get("do", "")
    version = _number(post.get("version", ""))
    act = publishing.BY_CODE.get(do)
    form: StepForm | None = None
    told: list[Refusal] = []
    status = 422
    since: date | None = None
    try:
        if do == "rebase":
            changes.rebase(actor, one.id, version=version, key=key, at=at)
            messages.success(request, "已移到最新版本上：您改过的要素保留，其余跟着最新版本。")
            return redirect("desk:change", identifier=one.id)
        if act is None or act.code not in TOGETHER:
            raise Http404
        form = StepForm(act, post)
        if form.is_valid():
            since = form.cleaned_data.get("since")
            if act.code == "published" and post.get("seen") != (since.isoformat() if since else ""):
                form.refuse(
                    Refusal(
                        "change.look_again",
                        "施行日期改了，下面已按新的日期预览。请看过以后再发布。",
                        field="since",
                    )
                )
            else:
                changes.step(
                    actor, [one.id], act.code, form.given(), key=key, at=at,
                    versions={one.id: version},
                )  # fmt: skip
                messages.success(request, _done(found(actor, one.id), act))
                return redirect("desk:change", identifier=one.id)
    except Refusals as many:
        for each in many.refusals:
            if form is not None and each.field in form.fields:
                form.refuse(each)
            else:
                told.append(each)
    except Refusal as refusal:
        told.append(refusal)
        status = 409 if refusal.code == "change.moved" else 422
    one = found(actor, one.id)
    return _page(
        request, actor, one, key, since=since, at=at, form=form, told=told, status=status
    )  # fmt: skip


def _done(one: Change, act: Act) -> str:
    if act.code == "published":
        assert one.since is not None
        return f"已发布：第 {one.published} 版，{one.since:%Y-%m-%d} 起施行。"
    return f"已办理：{act.zh}。{NEXT_ZH[one.state]}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _page(
    request: HttpRequest,
    actor: Actor,
    one: Change,
    key: str,
    *,
    at: datetime,
    since: date | None = None,
    form: StepForm | None = None,
    told: list[Refusal] | None = None,
    status: int = 200,
) -> HttpResponse:
    today = at.astimezone(SHANGHAI).date()
    day = since or one.since or today
    if one.open:
        day = max(day, today)
    preview = None if one.state == "published" else changes.preview(one, since=day, at=at)
    seen = effect.effect(actor, one, preview)
    cases = None
    if one.state != "withdrawn":
        of = clean_text(request.GET.get("of", ""))[:40]
        cases = effect.cases(one, preview, seen, of=of, at=at)
    acts = changes.acts(actor, one)
    story = changes.story(one)
    forms = [
        form if form is not None and form.act == act else StepForm(act, first={"since": day})
        for act in acts
        if act.code in TOGETHER
    ]
    context = {
        "actor": actor,
        "folder": FOLDER,
        "change": one,
        "effect": seen,
        "cases": cases,
        "story": _told(story),
        "path": _path(one, story),
        "forms": forms,
        "may_edit": any(act.code == "revised" for act in acts),
        "outdated": any(fault.code == "change.outdated" for fault in seen.faults),
        "told": told or [],
        "day": day,
        "late": bool(one.since and one.since < today and one.open),
        "key": key,
        "home": home,
        "main": preview.main if preview else None,
        "tones": TONES,
        "next": NEXT_ZH[one.state],
        "may_see_cases": actor.may("case.see"),
        "rows": effect.ROWS,
        "listed": effect.LISTED,
        "zh": {code: element.zh for code, element in guide.BY_CODE.items()},
        "failed": form if form is not None and form.errors else None,
    }
    return render(request, "desk/changes/change.html.j2", context, status=status)


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the story; the savings of one person one after the other are one entry."""

    zh: str
    by: str
    at: datetime
    reason: str
    times: int = 1


def _told(story: tuple[changes.Step, ...]) -> list[Told]:
    made: list[Told] = []
    for step in story:
        last = made[-1] if made else None
        again = step.zh == publishing.BY_CODE["revised"].zh and last is not None
        if again and last is not None and (last.zh, last.by) == (step.zh, step.by):
            made[-1] = Told(step.zh, step.by, step.at, "", last.times + 1)
        else:
            made.append(Told(step.zh, step.by, step.at, step.reason))
    return made


def _path(one: Change, story: tuple[changes.Step, ...]) -> list[dict[str, Any]]:
    """The way as steps: done by whom and when, since it last came back to the drafter."""
    names = {publishing.BY_CODE[code].zh: code for code, _ in PATH}
    done: dict[str, changes.Step] = {}
    for entry in story:
        if entry.zh == publishing.BY_CODE["returned"].zh:
            done = {code: said for code, said in done.items() if code == "drafted"}
        elif entry.zh in names:
            done[names[entry.zh]] = entry
    due = DUE.get(one.state)
    return [
        {
            "zh": zh,
            "what": "done" if code in done else "cur" if code == due else "todo",
            "step": done.get(code),
        }
        for code, zh in PATH
    ]
