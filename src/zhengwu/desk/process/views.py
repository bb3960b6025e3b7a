"""The real process of a selection of cases beside the published flow (实际流程); its log as XES."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from urllib.parse import quote

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.cases import process, process_export
from zhengwu.cases.heads import SHANGHAI
from zhengwu.cases.process import OUTCOMES, Choices, Found, Selection
from zhengwu.catalog import queries as catalog
from zhengwu.desk.audit.views import Day
from zhengwu.desk.entry import desk
from zhengwu.desk.inbox.views import neutral
from zhengwu.desk.process.picture import LEVELS, draw, short
from zhengwu.domain.process import KINDS, Lengths, edge_key
from zhengwu.domain.refusal import Refusal
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import Form

FEW_VARIANTS, FEW_EDGES = 12, 400
FEW_OPEN = 60  # so many edges are shown without being asked for
LISTED = 50  # cases of one page of a list
SECOND = timedelta(seconds=1)


class Question(Form):
    """Which cases; days are Shanghai's and both belong to the answer."""

    item = forms.ChoiceField(
        label="事项",
        required=False,
        error_messages={"invalid_choice": "没有这个事项。请从列表里选择，或者核对事项编码。"},
    )
    agency = forms.ChoiceField(
        label="办理机关",
        required=False,
        error_messages={"invalid_choice": "没有这个机关，或者不在您的范围内。请从列表里选择。"},
    )
    source = forms.ChoiceField(
        label="来源",
        required=False,
        error_messages={"invalid_choice": "没有这个来源的办件。请从列表里选择。"},
    )
    outcome = forms.ChoiceField(
        label="决定",
        required=False,
        choices=[("", "全部"), *OUTCOMES.items()],
        error_messages={"invalid_choice": "没有这种决定。请从列表里选择。"},
    )
    since = Day(label="收件从")
    until = Day(label="到")
    detail = forms.ChoiceField(
        label="详略",
        required=False,
        choices=[(code, zh) for code, (zh, _, _) in LEVELS.items()],
        error_messages={"invalid_choice": "没有这种详略。请从列表里选择。"},
    )

    def __init__(self, data: QueryDict, *, known: Choices, reach: Reach) -> None:
        given = data.copy()
        if not given.get("detail"):
            given["detail"] = "some"
        super().__init__(given)
        items = dict(known.items)
        asked = given.get("item", "").strip()[:40]
        if asked and asked not in items and "\0" not in asked and catalog.organs(asked):
            items |= catalog.names([asked])
        agencies = dict(known.agencies)
        organ = given.get("agency", "").strip()[:40]
        if organ and organ not in agencies and (reach.everything or organ in reach.agencies):
            found = accounts.agency(organ) if "\0" not in organ else None
            agencies |= {found.code: found.name} if found else {}
        for name, choices in (
            ("item", [(code, f"{zh}（{code}）") for code, zh in items.items()]),
            ("agency", list(agencies.items())),
            ("source", list(known.sources)),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "全部"), *choices]
        for field in self.fields.values():
            field.must = True  # type: ignore[attr-defined]  # a search says nowhere "optional"

    def selection(self) -> Selection:
        given = self.cleaned_data
        return Selection(
            item=given["item"],
            agency=given["agency"],
            source=given["source"],
            outcome=given["outcome"],
            since=_midnight(given["since"]),
            until=_midnight(given["until"], days=1),
        )


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=days), time(), SHANGHAI)


def _question(request: HttpRequest, actor: Actor) -> Question:
    reach = process.reach_of(actor)
    return Question(request.GET, known=process.choices(reach), reach=reach)


def _asked(request: HttpRequest, actor: Actor) -> tuple[Question, Found | None]:
    """The question, and its answer where it could be understood."""
    form = _question(request, actor)
    if not form.is_valid():
        return form, None
    try:
        return form, process.discover(process.reach_of(actor), form.selection(), at=now())
    except Refusal as refusal:
        form.refuse(refusal)
        return form, None


@require_safe
@desk(process.ACT)
def picture_of(request: HttpRequest, actor: Actor) -> HttpResponse:
    """``?item=&agency=&source=&outcome=&since=&until=&detail=few|some|many``; newest cases first."""
    return _page(request, actor, *_asked(request, actor))


def _page(request: HttpRequest, actor: Actor, form: Question, found: Found | None) -> HttpResponse:
    context = {
        "actor": actor,
        "folder": "process",
        "form": form,
        "found": found,
        "drawn": draw(found.picture, form.cleaned_data["detail"] or "some") if found else None,
        "narrowed": any(form.data.get(name) for name in form.fields if name != "detail"),
        "kinds": KINDS,
        "short": short,
        "edge_key": edge_key,
        "few_variants": FEW_VARIANTS,
        "few_edges": FEW_EDGES,
        "few_open": FEW_OPEN,
    }
    return render(
        request, "desk/process/process.html.j2", context, status=422 if found is None else 200
    )


@require_safe
@desk(process.ACT)
def cases_of(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The cases of a variant, an edge or a departure of the picture. ``?key=&page=`` and the rest."""
    form = _question(request, actor)
    found = None
    try:
        if form.is_valid():
            key = request.GET.get("key", "")
            found = process.listed(process.reach_of(actor), form.selection(), key)
    except Refusal as refusal:
        form.refuse(refusal)
    if form.errors:
        return _page(request, actor, form, None)
    if found is None:
        raise Http404
    total = len(found.rows)
    pages = max(1, -(-total // LISTED))
    page = min(paging.page_number(request.GET.get("page")), pages)
    rows = found.rows[(page - 1) * LISTED : page * LISTED]
    context = {
        "actor": actor,
        "folder": "process",
        "found": found,
        "rows": rows,
        "names": accounts.names(agencies={one.agency for one in rows}),
        "page": page,
        "pages": pages,
        "total": total,
        "short": short,
    }
    return render(request, "desk/process/cases.html.j2", context)


@require_safe
@desk(process.ACT)
def log(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The events of all cases of the selection as XES (IEEE 1849), not of the sample alone."""
    form = _question(request, actor)
    if not form.is_valid():
        return _page(request, actor, form, None)
    try:
        pieces = process_export.stream(
            process.reach_of(actor), form.selection(), people=actor.may("case.see"), at=now()
        )
    except Refusal as refusal:
        form.refuse(refusal)
        return _page(request, actor, form, None)
    response = StreamingHttpResponse(pieces, content_type="application/xml; charset=utf-8")
    return _named(response, "xes")


@require_safe
@desk(process.ACT)
def export(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Every activity, edge, variant and departure of the sample as CSV."""
    form, found = _asked(request, actor)
    if found is None:
        return _page(request, actor, form, None)
    response = HttpResponse("".join(_csv(found)), content_type="text/csv; charset=utf-8")
    return _named(response, "csv")


def _named(response: HttpResponseBase, ending: str) -> HttpResponseBase:
    day = words.local(now()).strftime("%Y%m%d-%H%M")
    name = quote(f"实际流程-{day}.{ending}")
    response["Content-Disposition"] = (
        f"attachment; filename=\"process-{day}.{ending}\"; filename*=UTF-8''{name}"
    )
    response["Cache-Control"] = "private, no-store"
    return response


class _Echo:
    def write(self, line: str) -> str:
        return line


def _csv(found: Found) -> Iterator[str]:
    writer = csv.writer(_Echo())
    picture = found.picture

    def line(*cells: object) -> str:
        return str(writer.writerow([neutral(str(cell)) for cell in cells]))

    yield "\ufeff"
    yield line("办件", picture.cases, "共", f"{found.matched}{'以上' if found.more else ''}")
    yield line()
    yield line("活动", "次数", "件数", "开始", "结束", "偏离")
    for node in picture.nodes:
        yield line(node.activity, node.count, node.cases, node.starts, node.ends, node.departing)
    yield line()
    yield line("从", "到", "次数", "偏离", *_TIMES)
    for edge in picture.edges:
        yield line(edge.source, edge.target, edge.count, edge.departing, *_seconds(edge.lengths))
    yield line()
    yield line("变体", "件数", "占比", *_TIMES)
    for variant in picture.variants:
        yield line(
            " → ".join(variant.activities), variant.count, f"{variant.share:.4f}",
            *_seconds(variant.lengths),
        )  # fmt: skip
    yield line()
    yield line("偏离", "说明", "次数", "件数")
    for one in picture.departures:
        yield line(KINDS[one.kind], one.zh, one.count, one.cases)


_TIMES = ("中位数（秒）", "平均（秒）", "办公时间中位数（秒）", "办公时间平均（秒）")


def _seconds(lengths: Lengths) -> Iterator[object]:
    for one in (lengths.median, lengths.mean, lengths.office_median, lengths.office_mean):
        yield "" if one is None else one // SECOND


__all__ = ["cases_of", "export", "log", "picture_of"]
