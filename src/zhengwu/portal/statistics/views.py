"""Public statistics (统计公开, S44): read by anybody, downloaded by programs.

A page is drawn for nobody and kept for everybody: as long as the figures are the same, for a minute
at most. How far they are is asked every fifteen seconds, so that a rush costs a few pages a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, cast
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from zhengwu.documents import sheets
from zhengwu.domain.refusal import Refusal
from zhengwu.portal.items.kept import Answer, Kept
from zhengwu.portal.items.views import ELDER
from zhengwu.portal.laws.linking import cited
from zhengwu.portal.statistics import few, reading, tables
from zhengwu.statistics import asking, telling
from zhengwu.statistics.queries import Question
from zhengwu.web import figures, paging, problems, throttle, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text
from zhengwu.web.jinja import SITE

PER_SENDER = 600  # pages and files that were not kept, for one address in WINDOW
WINDOW = timedelta(minutes=10)
FRESH = 60  # seconds
LONGEST_QUERY = 60
PERIOD = ("from", "to")
# Bytes of finished pages and files kept in each web process.
_pages = Kept(16 * 1024 * 1024)
_files = Kept(16 * 1024 * 1024)

Given = Mapping[str, str]


def today() -> date:
    return words.local(now()).date()


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The last full month, or what was asked for."""
    return _page(request, "overview", (*PERIOD, *tables.FILTERS), _overview)


def _overview(given: Given) -> dict[str, Any]:
    return reading.overview(few.checked(_asked(given)), at=now())


@require_safe
def by(request: HttpRequest, way: str) -> HttpResponse:
    """Departments, districts, items … beside each other."""
    if way not in reading.WAYS:
        raise Http404
    takes = (*PERIOD, *tables.TABLES[way].takes, "q", "sort", "page")

    def told(given: Given) -> dict[str, Any]:
        sort = given.get("sort", "received")
        return reading.by(
            _asked(given),
            way,
            q=clean_text(given.get("q", ""))[:LONGEST_QUERY],
            sort=sort if sort in reading.SORTS else "received",
            page=paging.page_number(given.get("page")),
            at=now(),
        )

    return _page(request, "by", takes, told, way)


@require_safe
def hands(request: HttpRequest) -> HttpResponse:
    """In whose hands the whole time of the closed cases went."""
    return _page(
        request,
        "hands",
        (*PERIOD, *tables.TABLES["agency"].takes, "page"),
        lambda given: reading.hands_by_agency(
            _asked(given), page=paging.page_number(given.get("page")), at=now()
        ),
    )


@require_safe
def restatements(request: HttpRequest) -> HttpResponse:
    """Which figures of days that were over were changed."""
    return _page(
        request,
        "restatements",
        (*PERIOD, *tables.TABLES["restatements"].takes),
        lambda given: reading.restated(_asked(given), at=now()),
    )


@require_safe
def definitions(request: HttpRequest) -> HttpResponse:
    """What every figure is, on which law it rests, and how it is asked for."""
    return _page(
        request,
        "definitions",
        (),
        lambda given: {
            "definitions": telling.definitions(),
            "cited": cited,
            "fewest": settings.STATISTICS_FEWEST,
            "kinds": telling.KINDS,
        },
    )


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """The tables for download, their columns, and under which licence."""

    def told(given: Given) -> dict[str, Any]:
        question = _asked(given)
        return reading.frame(question, today()) | {
            "tables": tables.TABLES,
            "columns": {code: tables.columns(one) for code, one in tables.TABLES.items()},
            "downloads": reading.downloads(question, tuple(tables.TABLES)),
            "address": settings.PUBLIC_URL.rstrip("/"),
        }

    return _page(request, "data", PERIOD, told)


def _asked(given: Given) -> Question:
    """The question of a page's address. Raises Refusal."""
    wanted = {name: given[name] for name in (*PERIOD, *tables.FILTERS) if name in given}
    question = asking.question(wanted, today=today())
    asking.known(question)
    return question


def _page(
    request: HttpRequest,
    name: str,
    takes: tuple[str, ...],
    told: Callable[[Given], dict[str, Any]],
    way: str = "",
) -> HttpResponse:
    """The page of an address: kept, or drawn. What the address does not take is not looked at."""
    given = {one: request.GET[one].strip() for one in takes if request.GET.get(one, "").strip()}
    elder = request.COOKIES.get(ELDER) == "1"
    key = (name, way, tuple(sorted(given.items())), elder, today(), reading.position())
    answer = _pages.get(key)
    if answer is None:
        if (left := _too_often(request)) is not None:
            said = "十分钟内看的页面太多。请过几分钟再来；要成批取数的，请用下载。"
            return _wait(render(request, "error.html.j2", _error(said, 429), status=429), left)
        try:
            context = told(given)
        except Refusal as refusal:
            return _refused(request, way, given, refusal, elder=elder)
        answer = _pages.put(key, _drawn(request.path, name, given, context, elder=elder))
    response = HttpResponse(answer.body)
    patch_vary_headers(response, ("Cookie",))
    return _answered(request, response, answer)


def _drawn(path: str, name: str, given: Given, context: dict[str, Any], *, elder: bool) -> bytes:
    """Drawn for nobody: what is kept for all holds nothing of a session."""
    nobody = HttpRequest()
    nobody.method = "GET"
    nobody.path = nobody.path_info = path
    nobody.COOKIES = {ELDER: "1"} if elder else {}
    nobody.user = AnonymousUser()
    nobody.GET = QueryDict(urlencode(given))
    context = {"way": "", "given": given, "forms": tables.FORMS, **context}
    return render_to_string(f"portal/statistics/{name}.html.j2", context, nobody).encode()


def _refused(
    request: HttpRequest, way: str, given: Given, refusal: Refusal, *, elder: bool
) -> HttpResponse:
    """The form again, with what is wrong and without what was asked."""
    figures.refused(refusal.code)
    question = Question(period=asking.last_month(today()))
    context = reading.frame(question, today()) | {
        "refusal": refusal, "way": way, "field": "text",
        "since": given.get("from", "")[:10], "until": given.get("to", "")[:10],
    }  # fmt: skip
    body = _drawn(request.path, "refused", {}, context, elder=elder)
    return HttpResponse(body, status=422)


@require_safe
def download(request: HttpRequest, table: str, form: str) -> HttpResponse:
    """A table as CSV, JSON or XLSX at an address that stays."""
    one = tables.TABLES.get(table)
    if one is None or form not in tables.FORMS:
        raise Http404
    given = {name: request.GET[name].strip() for name in request.GET}
    key = (table, form, tuple(sorted(given.items())), today(), reading.position())
    answer = _files.get(key)
    if answer is None:
        if (left := _too_often(request)) is not None:
            said = "十分钟内下载太多。请按 Retry-After 等候；没有变的请带 If-None-Match 再问。"
            return _wait(
                problems.problem(429, "statistics.too_often", problems.MEANS[429], said), left
            )
        try:
            answer = _files.put(key, _written(one, form, given))
        except Refusal as refusal:
            return problems.refused(refusal)
    response = HttpResponse(answer.body, content_type=tables.FORMS[form])
    span = "-".join(given[part] for part in PERIOD if given.get(part))
    name = f"statistics-{table}{f'-{span}' if span.isascii() and span.replace('-', '').isalnum() else ''}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Link"] = f'<{reverse("statistics-data")}>; rel="describedby license"'
    return _answered(request, response, answer)


def _written(table: tables.Table, form: str, given: Given) -> bytes:
    """The bytes of a file. Raises Refusal."""
    question = tables.asked(table, given, today=today())
    rows = tables.rows(table, question, at=now())
    columns = tables.columns(table)
    if form == "json":
        licence, _ = reading.licence()
        return orjson.dumps(
            {
                "table": table.code,
                "title": f"{SITE.owner} 统计：{table.zh}",
                **telling.of_period(question.period),
                "position": reading.position(),
                "source": SITE.owner,
                "licence": licence,
                "definitions": reverse("statistics-definitions"),
                "rows": rows,
            }
        )
    heads = [one.zh for one in columns]
    cells = [[row[one.code] for one in columns] for row in rows]
    if form == "xlsx":
        return sheets.write_xlsx(heads, cells, title=table.zh)
    return b"".join(sheets.write_csv(heads, cells))


def _answered(request: HttpRequest, response: HttpResponse, answer: Answer) -> HttpResponse:
    """With its tag; to whoever has these very bytes only that they still hold."""
    response["ETag"] = answer.etag
    response["Cache-Control"] = f"public, max-age={FRESH}"
    # Given a response it answers with one.
    return cast(
        HttpResponse, get_conditional_response(request, etag=answer.etag, response=response)
    )


def _too_often(request: HttpRequest) -> int | None:
    """Seconds to wait for whoever asked for too much that had to be made."""
    return throttle.lease(
        "statistics-pages", throttle.sender(request), most=PER_SENDER, within=WINDOW, at=now()
    )


def _wait(response: HttpResponse, seconds: int) -> HttpResponse:
    response["Retry-After"] = str(seconds)
    return response


def _error(said: str, status: int) -> dict[str, Any]:
    return {"title": "太频繁", "say": said, "status": status, "article": None, "number": ""}
