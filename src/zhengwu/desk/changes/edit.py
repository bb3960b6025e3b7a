"""Writing a draft (起草): one part of the guide on a page; what can be kept is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.catalog import changes, forms, queries, templates
from zhengwu.catalog.changes import Change, ChangeNotFound, Revision
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.catalog.services import SHANGHAI
from zhengwu.catalog.templates import Departure, Template
from zhengwu.desk.changes import editor
from zhengwu.desk.changes.editor import BY_SLUG, FORCE, PARTS, Meant, Part
from zhengwu.desk.changes.effect import options, told
from zhengwu.desk.entry import desk
from zhengwu.domain import guide
from zhengwu.domain.guide import BY_CODE, Element, Level
from zhengwu.domain.procedure import Step
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

FOLDER = "changes"
WORDS = (
    ("standard", "受理标准", "什么样的才收"),
    ("fill", "填报须知", "怎么填"),
    ("spec", "规格", "纸张、尺寸、格式"),
    ("unless", "非必要情形", "什么情况下可以不交"),
)
FILES = (("blank", "空白表格"), ("sample", "样表"))


def found(actor: Actor, identifier: UUID) -> Change:
    """The change. Raises Http404 for what is not there and what is not theirs."""
    try:
        return changes.one(actor, identifier)
    except ChangeNotFound:
        raise Http404 from None


# --- what stands above ------------------------------------------------------------------------------


def ground(change: Change, *, at: datetime, named: str = "") -> ItemVersionRow | None:
    """The version of the list above that holds on the day of force. named: code@version, that which
    a form was filled in on: what was left as it stood there is inherited, whatever came since."""
    if not change.above:
        return None
    code, _, number = named.partition("@")
    if code == change.above and number.isascii() and number.isdigit() and len(number) < 8:
        try:
            return queries.version(code, int(number))
        except LookupError:
            pass
    today = at.astimezone(SHANGHAI).date()
    return queries.standing(change.above, max(change.since or today, today))


def stands(above: ItemVersionRow | None) -> Mapping[str, Any] | None:
    return above.whole if above else None


# --- the page ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One element on the page. form: as it stands in its inputs; above: what the list above says;
    own: this level departs from it, or there is none above; theirs: what somebody else saved."""

    element: Element
    form: Any
    above: str
    own: bool
    locked: bool
    mine: str
    hint: str
    rule: str
    faults: tuple[Refusal, ...]
    theirs: str

    @property
    def id(self) -> str:
        return f"e-{self.element.code}"

    @property
    def open(self) -> bool:
        """Whether the inputs stand open: what is inherited is folded away."""
        return self.own or not self.above or bool(self.faults or self.theirs)


@dataclass(frozen=True, slots=True)
class Index:
    """One line of the side index. own: elements that depart; missing, faults: how many."""

    part: Part
    own: int
    missing: int
    faults: int


@dataclass(slots=True)
class State:
    """What is on the page beside the draft itself: what was typed, and what is wrong with it.

    told: faults of what was typed (not kept); checked: what publishing would refuse, None where
    nobody asked; theirs: the draft that somebody else saved meanwhile, under what was typed.
    """

    typed: dict[str, Any] = field(default_factory=dict)
    since: str | None = None
    transition: bool | None = None
    told: list[Refusal] = field(default_factory=list)
    checked: tuple[Refusal, ...] | None = None
    stale: bool = False
    shut: Refusal | None = None
    kept: bool = False
    status: int = 200


@dataclass(frozen=True, slots=True)
class FlowView:
    """The flow that will hold. own: the rows are written out; owner: it is another item's."""

    steps: tuple[Step, ...]
    template: Template | None
    departures: tuple[Departure, ...]
    own: bool
    owner: str
    every: tuple[Template, ...]


@require_http_methods(["GET", "HEAD", "POST"])
@desk(changes.DRAFT)
def edit(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """One part of the draft; POST keeps it and goes where it is asked to."""
    change = found(actor, identifier)
    at = now()
    if request.method == "POST":
        return _save(request, actor, change, at=at)
    if not _open(actor, change):
        messages.warning(request, f"这项变更现在是“{change.state_zh}”，您不能修改草案。")
        return redirect("desk:change", identifier=change.id)
    part = _part(change, request.GET.get("part", ""))
    state = State()
    if request.GET.get("check"):
        state.checked = _checked(change, at=at)
    return _page(request, actor, change, part, ground(change, at=at), state)


def _open(actor: Actor, change: Change) -> bool:
    return any(act.code == "revised" for act in changes.acts(actor, change))


def _part(change: Change, slug: str) -> Part:
    """Of a retirement only the day of force is to be said."""
    if change.purpose == "retire":
        return BY_SLUG[FORCE]
    return BY_SLUG.get(slug, PARTS[0])


def _checked(change: Change, *, at: datetime) -> tuple[Refusal, ...]:
    seen = changes.preview(change, at=at)
    faults = list({(one.field, one.sentence): one for one in seen.faults}.values())
    if seen.main.what == "unchanged":
        faults.append(Refusal("change.nothing", "草案和现行版本没有差别，没有可以提交的内容。"))
    return tuple(faults)


def _seen(own: Mapping[str, Any], part: Part, change: Change) -> str:
    """Stands for one part as it was when the page was made."""
    if part.slug == FORCE:
        return guide.digest({"since": str(change.since), "transition": change.transition})[:16]
    return guide.digest(editor.of_part(own, part))[:16]


def _page(
    request: HttpRequest,
    actor: Actor,
    change: Change,
    part: Part,
    above: ItemVersionRow | None,
    state: State,
) -> HttpResponse:
    whole = guide.inherit(change.own, stands(above))
    every = [*state.told, *(state.checked or ())]
    place = PARTS.index(part)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "change": change,
        "part": part,
        "index": _index(change, stands(above), whole, every),
        "before": PARTS[place - 1] if place and change.purpose != "retire" else None,
        "after": PARTS[place + 1] if place + 1 < len(PARTS) else None,
        "fields": [_field(one, change, stands(above), state, every) for one in part.elements],
        "above": above,
        "state": state,
        "elsewhere": [(one, editor.home(one.field)) for one in every],
        "zh": {code: element.zh for code, element in BY_CODE.items()},
        "slugs": {one.slug: one.zh for one in PARTS},
        "options": options,
        "columns": editor.COLUMNS,
        "offered": editor.offered,
        "units": editor.UNIT_CHOICES,
        "roles": guide.ROLES_ZH,
        "flow": _flow(change, whole, above) if part.slug == "flow" else None,
        "files": _files(whole) if part.slug == "ask" else {},
        "since": state.since if state.since is not None else (change.since or ""),
        "clause": change.transition if state.transition is None else state.transition,
        "score": guide.completeness(whole),
        "returned": _returned(change),
        "seen": _seen(change.own, part, change),
        "key": new_key(),
        "force": FORCE,
    }
    return render(request, "desk/changes/edit.html.j2", context, status=state.status)


def _field(
    element: Element,
    change: Change,
    above: Mapping[str, Any] | None,
    state: State,
    every: Sequence[Refusal],
) -> Field:
    code = element.code
    theirs = (above or {}).get(code)
    value = change.own.get(code, theirs)
    shown = state.typed.get(code, editor.shown(element, value))
    saved = ""
    if state.stale and code in state.typed and shown != editor.shown(element, value):
        saved = told(element, value) or "（没有填写）"
    return Field(
        element=element,
        form=shown,
        above=told(element, theirs),
        own=code in change.own or (code in state.typed and shown != editor.shown(element, theirs)),
        locked=editor.locked(element, above),
        mine=told(element, change.own.get(code)),
        hint=editor.HINTS.get(code, ""),
        rule=editor.BELOW_ZH.get(element.below, "") if theirs is not None else "",
        faults=tuple(one for one in every if one.field == code),
        theirs=saved,
    )


def _index(
    change: Change,
    above: Mapping[str, Any] | None,
    whole: Mapping[str, Any],
    every: Sequence[Refusal],
) -> list[Index]:
    missing = [code for code, _ in guide.completeness(whole).missing]
    parts = [BY_SLUG[FORCE]] if change.purpose == "retire" else PARTS
    return [
        Index(
            part,
            len(editor.of_part(change.own, part)) if above is not None else 0,
            sum(editor.home(code) == part.slug for code in missing),
            sum(editor.home(one.field) == part.slug for one in every),
        )
        for part in parts
    ]


def _flow(change: Change, whole: Mapping[str, Any], above: ItemVersionRow | None) -> FlowView:
    every = tuple(templates.templates().values())
    if owner := whole.get("flow_of"):
        held = queries.standing(str(owner), (change.since or date.max))
        return FlowView(held.steps if held else (), None, (), False, str(owner), every)
    if change.level is Level.PROVINCE or not whole.get("kind"):
        return FlowView((), None, (), False, "", every)
    template = templates.of(
        str(whole["template"]) if "template" in whole else None, str(whole.get("type", "")),
        str(whole["kind"]),
    )  # fmt: skip
    if "steps" in whole:
        steps = guide.steps(whole["steps"])
        return FlowView(steps, template, templates.departures(steps, template), True, "", every)
    return FlowView(template.make(guide.limit(whole, "promised")), template, (), False, "", every)


def _files(whole: Mapping[str, Any]) -> dict[str, tuple[bool, bool]]:
    """Code of a material → whether it has a blank and a sample form."""
    return {
        str(one["code"]): (bool(one.get("blank")), bool(one.get("sample")))
        for one in whole.get("materials", ())
    }


def _returned(change: Change) -> changes.Step | None:
    """Why the draft came back, while nobody has answered it."""
    steps = [one for one in changes.story(change) if one.zh != "修改草案"]
    last = steps[-1] if steps else None
    return last if last is not None and last.zh == "退回起草部门" else None


# --- saving -----------------------------------------------------------------------------------------


def _save(request: HttpRequest, actor: Actor, change: Change, *, at: datetime) -> HttpResponse:
    post = request.POST
    part = _part(change, post.get("part", ""))
    above = ground(change, at=at, named=clean_text(post.get("above", "")))
    meant, state = _read(change, part, stands(above), post)
    revision = _revision(change, part, stands(above), meant, state, post)
    version = _version(post)
    if version != change.version and post.get("seen") == _seen(change.own, part, change):
        version = change.version  # somebody saved another part: nothing is overwritten
    try:
        if _differs(change, revision):
            key = read_key(post.get("key"))
            change = changes.revise(actor, change.id, revision, version=version, key=key, at=at)
            state.kept = True
    except Refusals as several:
        state.told += several.refusals
    except Refusal as refusal:
        change = found(actor, change.id)
        state.stale = refusal.code == "change.moved"
        state.shut = None if state.stale else refusal
        state.told = []
        state.status = 409 if state.stale else 422
        return _page(request, actor, change, part, above, state)
    above = ground(change, at=at)
    if state.told:
        state.status = 422
        return _page(request, actor, change, part, above, state)
    return _onward(request, actor, change, part, above, meant, at=at)


def _read(
    change: Change, part: Part, above: Mapping[str, Any] | None, post: QueryDict
) -> tuple[Meant, State]:
    """What was typed, in words and as elements; of a field that is not on the page nothing."""
    meant, state = Meant(), State()
    for element in part.elements:
        if editor.locked(element, above) or not editor.asked(element, post):
            continue
        form = editor.typed(element, post)
        state.typed[element.code] = form
        before = change.own.get(element.code, (above or {}).get(element.code))
        meant.take(element, form, before)
        if element.code in ("themes", "template"):
            known = {code for _, group in options(element) for code in group}
            chosen = form if isinstance(form, list) else [form] if form else []
            if not known.issuperset(chosen):
                meant.faults.append(
                    Refusal(
                        "item.not_listed",
                        f"“{element.zh}”里有列表之外的内容。请从列表里选择。",
                        field=element.code,
                    )
                )
    if part.slug == FORCE:
        state.since = clean_text(post.get("since", ""))[:40]
        state.transition = bool(post.get("transition"))
    return meant, state


def _revision(
    change: Change,
    part: Part,
    above: Mapping[str, Any] | None,
    meant: Meant,
    state: State,
    post: QueryDict,
) -> Revision:
    """The draft as it is to be kept: an element that cannot be kept stays as it was."""
    cleaned, faults = guide.clean(meant.given)
    state.told = [*meant.faults, *faults]
    bad = {one.field for one in state.told}
    good = {code: value for code, value in cleaned.items() if code not in bad}
    own = {code: value for code, value in change.own.items() if editor.home(code) != part.slug}
    own |= editor.departures(good, part, above)
    own |= {
        element.code: change.own[element.code]
        for element in part.elements
        if element.code in change.own and (element.code in bad or element.code not in state.typed)
    }
    if (again := post.get("restore", "")) in own:
        del own[again]
        state.typed.pop(again, None)
        state.told = [one for one in state.told if one.field != again]
    if part.slug == "flow" and post.get("do") == "unfold":
        own["steps"] = _unfolded(change, guide.inherit(own, above))
    if part.slug != FORCE:
        return Revision(own=own, since=change.since, transition=change.transition)
    since, fault = _day(state.since or "")
    if fault is not None:
        state.told.append(fault)
        since = change.since
    return Revision(own=own, since=since, transition=bool(state.transition))


def _unfolded(change: Change, whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    flow = _flow(change, {code: v for code, v in whole.items() if code != "steps"}, None)
    return guide.as_steps(flow.steps)


def _day(text: str) -> tuple[date | None, Refusal | None]:
    if not text:
        return None, None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not date(2000, 1, 1) <= day <= changes.LATEST:
        return None, Refusal(
            "change.since",
            f"施行日期“{text[:20]}”不能用。请写成 2026-01-31 这样，在 2000 年到 2100 年之间。",
            field="since",
        )
    return day, None


def _differs(change: Change, revision: Revision) -> bool:
    return (dict(revision.own), revision.since, revision.transition) != (
        dict(change.own), change.since, change.transition,
    )  # fmt: skip


def _version(post: QueryDict) -> int:
    text = post.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _onward(
    request: HttpRequest,
    actor: Actor,
    change: Change,
    part: Part,
    above: ItemVersionRow | None,
    meant: Meant,
    *,
    at: datetime,
) -> HttpResponse:
    """Kept: where to now."""
    post = request.POST
    if post.get("do") == "check":
        faults = _checked(change, at=at)
        if faults:
            state = State(checked=faults, kept=True, status=422)
            return _page(request, actor, change, part, above, state)
        messages.success(request, "已保存，检查通过：现在可以提交中心审核。")
        return redirect("desk:change", identifier=change.id)
    if (key := post.get("more", "")) and (code := meant.keys.get(key)):
        where = reverse("desk:change-material", args=[change.id])
        return redirect(f"{where}?{urlencode({'code': code})}")
    slug, mark = part.slug, ""
    if (to := post.get("go", "")) in BY_SLUG:
        slug = to
    elif (again := post.get("restore", "")) in BY_CODE:
        mark = f"#e-{again}"
        messages.success(request, f"“{BY_CODE[again].zh}”已恢复沿用上级清单。")
    elif post.get("do") == "unfold":
        mark = "#e-steps"
        messages.success(request, "已按模板列出各个环节，可以改动。")
    else:
        messages.success(request, "已保存。")
    return redirect(f"{reverse('desk:change-edit', args=[change.id])}?part={slug}{mark}")


# --- the rest of one material -----------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk(changes.DRAFT)
def material(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """What is said more of one material, and its blank and sample form."""
    change = found(actor, identifier)
    at = now()
    above = ground(change, at=at)
    whole = guide.inherit(change.own, stands(above))
    code = request.GET.get("code", "") or request.POST.get("code", "")
    rows = [dict(one) for one in whole.get("materials", ())]
    row = next((one for one in rows if str(one["code"]) == code), None)
    if row is None:
        raise Http404
    if request.method != "POST":
        if not _open(actor, change):
            return redirect("desk:change", identifier=change.id)
        return _material_page(request, actor, change, row, {})
    faults: dict[str, str] = {}
    typed = _material_typed(request, actor, row, faults, at=at)
    kept = [typed if one is row else one for one in rows]
    cleaned, wrong = guide.clean({"materials": kept})
    if wrong and not faults:
        faults[""] = wrong[0].sentence
    status, stale = 422, False
    if not wrong:
        own = dict(change.own)
        if cleaned["materials"] != (stands(above) or {}).get("materials"):
            own["materials"] = cleaned["materials"]
        revision = Revision(own=own, since=change.since, transition=change.transition)
        try:
            version = _version(request.POST)
            if _differs(change, revision) or version != change.version:
                key = read_key(request.POST.get("key"))
                change = changes.revise(actor, change.id, revision, version=version, key=key, at=at)
        except Refusal as refusal:
            stale = refusal.code == "change.moved"
            status = 409 if stale else 422
            faults[""] = (
                "您打开这一页以后，有人改过这份草案。您填写的还在下面，请核对后再保存。"
                if stale else refusal.sentence
            )  # fmt: skip
            change = found(actor, change.id)
    if faults:
        return _material_page(request, actor, change, typed, faults, status=status)
    messages.success(request, f"材料“{row['name']}”的要求已保存。")
    return redirect(f"{reverse('desk:change-edit', args=[change.id])}?part=ask#e-materials")


def _material_typed(
    request: HttpRequest,
    actor: Actor,
    row: Mapping[str, Any],
    faults: dict[str, str],
    *,
    at: datetime,
) -> dict[str, Any]:
    """The row with what was typed and sent in; a file that is refused leaves what was there."""
    made = dict(row)
    for part, zh, _ in WORDS:
        text = clean_text(request.POST.get(part, ""))
        try:
            guide.text_of(text, BY_CODE["materials"], most=500, what=f"材料“{row['name']}”的{zh}")
        except Refusal as refusal:
            faults[part] = refusal.sentence
        made[part] = text
    for part, _ in FILES:
        if request.POST.get(f"{part}-gone"):
            made.pop(part, None)
        sent = request.FILES.get(part)
        if sent is None:
            continue
        try:
            data = sent.read(forms.MOST + 1)
            made[part] = forms.keep(data, sent.name or "", by=actor.code, at=at)
        except Refusal as refusal:
            faults[part] = refusal.sentence
    return made


def _material_page(
    request: HttpRequest,
    actor: Actor,
    change: Change,
    row: Mapping[str, Any],
    faults: Mapping[str, str],
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "actor": actor,
        "folder": FOLDER,
        "change": change,
        "row": row,
        "words": WORDS,
        "files": FILES,
        "kept": forms.found(str(row.get(part, "")) for part, _ in FILES),
        "most": forms.MOST,
        "faults": faults,
        "key": new_key(),
    }
    return render(request, "desk/changes/material.html.j2", context, status=status)


@require_safe
@desk(changes.SEE)
def file(request: HttpRequest, actor: Actor, identifier: UUID, digest: str) -> HttpResponse:
    """A blank or sample form that the draft, or what it is drafted on, points at."""
    change = found(actor, identifier)
    above = ground(change, at=now())
    whole = guide.inherit(change.own, stands(above))
    pointed = {
        str(one.get(part)) for one in whole.get("materials", ()) for part, _ in FILES
    }  # fmt: skip
    form = forms.found([digest]).get(digest) if digest in pointed else None
    if form is None:
        raise Http404
    response = HttpResponse(forms.content(digest), content_type=form.mime)
    response["Content-Disposition"] = (
        content_disposition_header(True, form.filename) or "attachment"
    )
    return response


__all__ = ["FOLDER", "edit", "file", "found", "ground", "material", "stands"]
