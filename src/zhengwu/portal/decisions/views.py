"""Published decisions (许可决定公开): searched, read, downloaded by anybody."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe
from django.views.decorators.vary import vary_on_cookie

from zhengwu.accounts import queries as accounts
from zhengwu.cases import publication
from zhengwu.catalog import queries as catalog
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, Line
from zhengwu.web.jinja import SITE

FRESH = 60  # seconds that a copy of the list is good for
LONGEST = 60
FORMULA = ("=", "+", "-", "@", "\t", "\r")
UNLISTED = {"invalid_choice": "请从列表中选择。"}
HEAD = (
    "文号", "文书", "事项", "事项编码", "事项类型", "申请人", "决定机关", "决定日期", "公开日期",
    "状态", "状态日期", "更正、撤销等文书的文号",
)  # fmt: skip


class SearchForm(Form):
    """What the public may search by; every field may be left empty."""

    q = Line(label="事项或者文号", max_length=LONGEST, required=False)
    agency = forms.ChoiceField(label="决定机关", required=False, error_messages=UNLISTED)
    status = forms.ChoiceField(
        label="状态",
        choices=[("", "全部"), *publication.STATUSES.items()],
        required=False,
        error_messages=UNLISTED,
    )
    since = Line(label="决定日期从", max_length=10, required=False)
    until = Line(label="到", max_length=10, required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        for field in self.fields.values():
            field.must = True  # type: ignore[attr-defined]  # nothing here need be called optional
        agency = self.fields["agency"]
        assert isinstance(agency, forms.ChoiceField)
        agency.choices = [("", "全部"), *((one.code, one.name) for one in accounts.agencies())]

    def clean_since(self) -> date | None:
        return self._day("since")

    def clean_until(self) -> date | None:
        return self._day("until")

    def _day(self, name: str) -> date | None:
        """2026-11-02, also as 2026/11/2 or 20261102."""
        typed = self.cleaned_data[name].replace("/", "-").replace(".", "-").replace(" ", "")
        if not typed:
            return None
        if typed.isdigit() and len(typed) == 8:
            typed = f"{typed[:4]}-{typed[4:6]}-{typed[6:]}"
        try:
            year, month, day = (int(part) for part in typed.split("-"))
            found = date(year, month, day)
            if not 1990 <= found.year <= 2200:
                raise ValueError(typed)
        except ValueError:
            self.add_error(name, "请按“2026-11-02”的样子填写日期，或者留空。")
            return None
        return found


@require_safe
@vary_on_cookie
@cache_control(public=True, max_age=FRESH)
@conditional_page
def decisions(request: HttpRequest) -> HttpResponse:
    """The newest first; searched by item, number, department, day and status."""
    form = SearchForm(request.GET)
    context = {"form": form, "filtered": any(request.GET.get(name) for name in form.fields)}
    if not form.is_valid():
        context |= {"found": None, "names": accounts.names()}
        return render(request, "portal/decisions/list.html.j2", context, status=422)
    found = _search(form, page=paging.page_number(request.GET.get("page")))
    context |= {
        "found": found,
        "names": accounts.names(agencies=(row.agency for row in found.rows)),
        "most": publication.EXPORT,
    }
    return render(request, "portal/decisions/list.html.j2", context)


@require_safe
@vary_on_cookie
@cache_control(public=True, max_age=FRESH)
@conditional_page
def decision(request: HttpRequest, id: UUID) -> HttpResponse:
    """One decision: what was decided, by whom, on what ground, and whether it still holds."""
    found = publication.one(id)
    if found is None:
        raise Http404
    version = catalog.version(found.item, found.item_version)
    return render(
        request,
        "portal/decisions/decision.html.j2",
        {
            "decision": found,
            "agency": accounts.agency_name(found.agency),
            "basis": version.basis,
            "result": version.result,
            "guide": catalog.in_force(found.item, words.local(now()).date()),
        },
    )


@require_safe
@cache_control(public=True, max_age=FRESH)
def export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """What was searched for as CSV (UTF-8 with a mark, so that spreadsheets read it)."""
    form = SearchForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "filtered": True, "found": None, "names": accounts.names()}
        return render(request, "portal/decisions/list.html.j2", context, status=422)
    found = _search(form, page=1, size=publication.EXPORT)
    names = accounts.names(agencies=(row.agency for row in found.rows))
    response = StreamingHttpResponse(
        _lines(found.rows, names), content_type="text/csv; charset=utf-8"
    )
    day = words.local(now()).strftime("%Y%m%d")
    response["Content-Disposition"] = f'attachment; filename="decisions-{day}.csv"'
    return response


@require_safe
@cache_control(public=True, max_age=FRESH)
@conditional_page
def feed(request: HttpRequest) -> HttpResponse:
    """The newest decisions as Atom (订阅)."""
    rows = publication.newest()
    names = accounts.names(agencies=(row.agency for row in rows))
    atom = Atom1Feed(
        title=f"{SITE.name} 许可决定公开",
        link=request.build_absolute_uri(reverse("decisions")),
        description="行政许可等决定，申请人信息已隐去部分内容",
        language="zh-Hans",
        feed_url=request.build_absolute_uri(),
        author_name=SITE.owner,
    )
    for row in rows:
        atom.add_item(
            title=f"{row.item_name}：{row.title}",
            link=request.build_absolute_uri(reverse("decision", args=[row.id])),
            description=f"{row.number}　{names.agency(row.agency)}　{row.applicant}　"
            f"{row.decided.isoformat()} 作出",
            unique_id=f"urn:uuid:{row.id}",
            pubdate=row.published,
            updateddate=row.changed,
        )
    return HttpResponse(atom.writeString("utf-8"), content_type=Atom1Feed.content_type)


def _search(form: SearchForm, *, page: int, size: int = publication.PAGE) -> publication.Found:
    asked = form.cleaned_data
    return publication.search(
        q=asked["q"],
        agency=asked["agency"],
        status=asked["status"],
        since=asked["since"],
        until=asked["until"],
        page=page,
        size=size,
        on=words.local(now()).date(),
    )


class _Echo:
    def write(self, line: str) -> str:
        return line


def _lines(rows: tuple[publication.Decision, ...], names: accounts.Names) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(HEAD)
    for row in rows:
        cells = (
            row.number,
            row.title,
            row.item_name,
            row.item,
            row.item_type,
            row.applicant,
            names.agency(row.agency),
            row.decided.isoformat(),
            words.local(row.published).date().isoformat() if row.published else "",
            row.status_zh,
            row.ended.isoformat() if row.ended else "",
            row.replaced_by,
        )
        # A cell that no spreadsheet takes for a formula.
        yield writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
