"""The review page (审查): the materials on the left, the opinion on the right, the next case after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor
from zhengwu.cases import drafts, services
from zhengwu.cases import queries as cases
from zhengwu.cases.events import STREAM
from zhengwu.cases.queries import CaseView, Place, Scan, StoryLine
from zhengwu.desk.entry import desk
from zhengwu.desk.review import forms
from zhengwu.desk.review.forms import ReviewForm
from zhengwu.documents import files
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

LOOKED_AT = ("name", "opinions")
# What is told under "earlier opinions": who said what about the case before.
OPINIONS = (
    "step_done", "step_returned", "inspected", "opinion_requested", "opinion_given", "suspended",
    "resumed", "extended", "forwarded", "came_back", "handed_over",
)  # fmt: skip
# After these there is more to do on the same case; after the others the next one opens.
STAYS = ("step_taken", "opinion_requested", "extended", "resumed", "came_back")
ZOOMS = (("fit", "整页", 1_000), ("1", "页宽", 1_100), ("2", "150%", 1_500), ("3", "200%", 2_000))
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One tab of the materials: a material of the list, or the other files of the case."""

    code: str
    name: str
    state: str
    state_zh: str
    late: bool  # handed in after the receipt (补正)
    why: str
    scans: tuple[Scan, ...]


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the left side shows: the tab, its file (from 1) and the page (from 1)."""

    sheet: Sheet
    file: int
    scan: Scan | None
    page: int
    zoom: str
    width: int
    chosen: bool  # asked for by name; on a phone the list is folded until then


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@desk("case.see")
def review(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """The case to judge, or its judging. Whoever may see it may read; the acts are the offered."""
    at = now()
    view = cases.case(actor, number, at=at)
    account_services.look(actor, STREAM, view.id, why="审查", fields=LOOKED_AT, at=at)
    slot = f"case/{view.number}/review"
    listed = forms.points(view)
    if request.method == "POST":
        form = ReviewForm(view.acts, listed, request.POST)
        return _judge(request, actor, view, form, slot, at)
    draft = drafts.of(actor, slot)
    form = ReviewForm(view.acts, listed, initial=draft.fields if draft else None)
    return _page(request, actor, view, form, at, key=new_key(), draft=draft, slot=slot)


def _judge(
    request: HttpRequest, actor: Actor, view: CaseView, form: ReviewForm, slot: str, at: datetime
) -> HttpResponse:
    kind = request.POST.get("do", "")
    if kind not in (*forms.MAIN, *forms.MORE):
        raise Http404
    key = read_key(request.POST.get("key"))
    typed = request.POST.get("version", "")
    seen = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0
    place = _place(request, actor, view.number, at)
    try:
        unmet = form.unmet() if kind == "granted" else None
        if unmet and seen == view.version:
            raise unmet
        done = services.perform(
            actor, view.number, kind, version=seen, key=key, form=form.words(kind), at=at
        )
    except services.Moved:
        return _moved(request, actor, view.number, kind, seen, slot, at)
    except (Refusal, Refusals) as refused:
        form.say(kind, refused.refusals if isinstance(refused, Refusals) else (refused,))
        return _page(
            request, actor, view, form, at, key=key, slot=slot, tried=kind, status=422, seen=seen
        )
    drafts.discard(actor, slot)
    said = format_html("{}：{}", view.number, done.sentence)
    if done.document:
        paper = reverse("desk:document", args=[view.number, done.document])
        said = format_html('{} <a href="{}">打开文书</a>', said, paper)
    messages.success(request, said)
    query = paging.with_query(_of_list(request.GET))
    if kind in STAYS:
        return redirect(reverse("desk:review", args=[view.number]) + query.rstrip("?"))
    following = (place.after or place.before) if place else None
    if following and following != view.number:
        return redirect(reverse("desk:review", args=[following]) + query.rstrip("?"))
    messages.info(request, "这里没有下一件了。")
    return redirect(reverse("desk:inbox") + query.rstrip("?"))


def _moved(
    request: HttpRequest,
    actor: Actor,
    number: str,
    kind: str,
    seen: int,
    slot: str,
    at: datetime,
) -> HttpResponse:
    """The page as the case is now, what happened meanwhile on top, and what was typed kept."""
    view = cases.case(actor, number, at=at, seen=seen)
    form = ReviewForm(view.acts, forms.points(view), request.POST)
    form.is_valid()
    form.errors.clear()
    return _page(
        request, actor, view, form, at, key=new_key(), slot=slot, tried=kind, status=409,
        between=[line for line in view.story if line.version > seen],
    )  # fmt: skip


def _page(
    request: HttpRequest,
    actor: Actor,
    view: CaseView,
    form: ReviewForm,
    at: datetime,
    *,
    key: str,
    slot: str,
    draft: drafts.Draft | None = None,
    tried: str = "",
    between: list[StoryLine] | None = None,
    seen: int | None = None,
    status: int = 200,
) -> HttpResponse:
    sheets = _sheets(view)
    folder = request.GET.get("folder", "")
    context: dict[str, Any] = {
        "actor": actor,
        "case": view,
        "at": at,
        "form": form,
        "key": key,
        "version": view.version if seen is None else seen,
        "slot": slot,
        "draft": draft,
        "failed": form if form.is_bound and form.errors else None,
        "between": between or [],
        "tried": tried,
        "tried_zh": services.VERBS[tried].zh if tried else "",
        "sheets": sheets,
        "viewer": _viewer(request.GET, sheets),
        "zooms": ZOOMS,
        "points": form.points,
        "answers": forms.ANSWERS,
        "organs": next((one.agencies for one in view.acts if one.agencies), ()),
        "opinions": [
            line for line in view.story if line.kind in OPINIONS and not line.gone
        ],
        "place": _place(request, actor, view.number, at),
        "list_query": paging.with_query(_of_list(request.GET)).rstrip("?"),
        "folder_zh": next((zh for name, zh, _ in cases.FOLDERS if name == folder), "全部在办"),
    } | forms.shown(form)  # fmt: skip
    return render(request, "desk/review/review.html.j2", context, status=status)


def _place(request: HttpRequest, actor: Actor, number: str, at: datetime) -> Place | None:
    """Where the case stands in the list one came from; None where one came from none."""
    query = request.GET
    if "folder" not in query:
        return None
    return cases.place(
        actor,
        number,
        folder=query.get("folder") or None,
        item=clean_text(query.get("item", "")) or None,
        light=query.get("light") or None,
        at=at,
    )


def _of_list(query: QueryDict) -> QueryDict:
    """What names the list one came from."""
    kept = QueryDict(mutable=True)
    for name in ("folder", "item", "light"):
        if name in query:
            kept[name] = clean_text(str(query[name]))[:60]
    return kept


def _sheets(view: CaseView) -> tuple[Sheet, ...]:
    sheets = [
        Sheet(
            code=m.code,
            name=m.name,
            state=m.state,
            state_zh=m.state_zh,
            late=m.at is not None and m.at > view.opened,
            why=m.why,
            scans=m.scans,
        )
        for m in view.materials
    ]
    if view.scans:
        sheets.append(Sheet(OTHER, "其他文件", "received", "", False, "", view.scans))
    return tuple(sheets)


def _viewer(query: QueryDict, sheets: tuple[Sheet, ...]) -> Viewer | None:
    if not sheets:
        return None
    wanted = query.get("m", "")
    # At first the first that can be looked at.
    first = next((one for one in sheets if one.scans), sheets[0])
    sheet = next((one for one in sheets if one.code == wanted), first)
    file = min(paging.page_number(query.get("f")), max(1, len(sheet.scans)))
    scan = sheet.scans[file - 1] if sheet.scans else None
    zoom = query.get("z", "1")
    width = next((width for code, _, width in ZOOMS if code == zoom), 0)
    return Viewer(
        sheet=sheet,
        file=file,
        scan=scan,
        page=min(paging.page_number(query.get("p")), scan.pages if scan else 1),
        zoom=zoom if width else "1",
        width=width or 1_100,
        chosen=sheet.code == wanted,
    )


# --- files ------------------------------------------------------------------------------------


@require_safe
@desk("case.see")
def page(
    request: HttpRequest, actor: Actor, number: str, identifier: UUID, page: int
) -> HttpResponse:
    """A page of a file of this case as an image, marked with who looks and when. w: pixels."""
    at = now()
    scan, view = _file(actor, number, identifier, at)
    mark = f"{actor.agency_name} {actor.name} {words.local(at):%Y-%m-%d %H:%M}"
    width = paging.page_number(request.GET.get("w", "1100"))
    try:
        image = files.page_image(scan.id, page, width=width, mark=mark, digest=scan.digest)
    except LookupError:
        raise Http404 from None
    account_services.look(actor, STREAM, view.id, why="查看材料", fields=("file",), at=at)
    response = HttpResponse(image, content_type=files.PAGE_MEDIA)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@desk("case.see")
def download(request: HttpRequest, actor: Actor, number: str, identifier: UUID) -> HttpResponseBase:
    """A file of this case as it was sent, to be saved."""
    at = now()
    scan, view = _file(actor, number, identifier, at)
    try:
        one = files.download(scan.id, digest=scan.digest)
    except LookupError:
        raise Http404 from None
    account_services.look(actor, STREAM, view.id, why="下载材料", fields=("file",), at=at)
    response = FileResponse(one.data)
    for name, value in one.headers.items():
        response[name] = value  # after: FileResponse would put its own disposition over them
    return response


def _file(actor: Actor, number: str, identifier: UUID, at: datetime) -> tuple[Scan, CaseView]:
    view = cases.case(actor, number, at=at)
    every = (*(scan for m in view.materials for scan in m.scans), *view.scans)
    scan = next((one for one in every if one.id == identifier), None)
    if scan is None:
        raise Http404
    return scan, view
