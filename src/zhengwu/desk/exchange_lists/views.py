"""Lists of items in and out (清单导入导出): look at a file first, then make its drafts in one batch."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.catalog import changes, exporting, importing, national
from zhengwu.catalog.exporting import FORMATS, Selection
from zhengwu.catalog.importing import OUTCOMES_ZH, Parsed, RowReport
from zhengwu.desk.entry import desk
from zhengwu.desk.exchange_lists import kept
from zhengwu.desk.exchange_lists.forms import MOST_MB, UploadForm
from zhengwu.desk.exchange_lists.kept import ListNotFound, Sent
from zhengwu.documents import sheets
from zhengwu.domain.guide import LISTS_ZH, Level
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text

FOLDER = "catalogue"
MOST_ROWS = 5_000  # of one import, and of one XLSX export, while somebody waits for the page
PAGE = 50
TONES = {"created": "g", "changed": "b", "drafted": "b", "unchanged": "n", "refused": "r"}
HEADINGS = ("行", "事项", "编码", "结果", "要素", "规则", "说明", "备注")


@require_http_methods(["GET", "HEAD", "POST"])
@desk(changes.DRAFT)
def import_(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Send a list in; nothing is written but its report."""
    regions = accounts.regions()
    if request.method != "POST":
        first = {"level": str(Level.IMPLEMENTATION), "region": ""}
        return _form(request, actor, UploadForm(regions, first))
    form = UploadForm(regions, request.POST, request.FILES)
    if form.is_valid():
        given = form.cleaned_data
        sent = Sent(
            ledger.uuid7(), actor.code, now(),
            clean_text(given["file"].name or "")[:120] or "清单", given["region"],
            given["level"], False, importing.Report(()),
        )  # fmt: skip
        data = given["file"].read()
        try:
            report = importing.look(_parsed(sent, data, at=sent.at), by=actor, at=sent.at)
        except Refusal as refusal:
            form.add_error("file", refusal.sentence)
        else:
            kept.keep(replace(sent, report=report), data)
            return redirect("desk:catalogue-import-report", sent.id)
    return _form(request, actor, form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(changes.DRAFT)
def report(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """The report row by row; POST makes the drafts, once."""
    sent = _found(actor, identifier)
    if request.method == "POST":
        if not sent.done:
            _draft(request, actor, sent)
        return redirect("desk:catalogue-import-report", identifier)
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in OUTCOMES_ZH else ""
    rows = [row for row in sent.report.rows if outcome in ("", row.outcome)]
    pages = max(1, -(-len(rows) // PAGE))
    page = min(paging.page_number(request.GET.get("page")), pages)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "sent": sent,
        "counts": sent.report.counts,
        "outcomes": OUTCOMES_ZH,
        "outcome": outcome,
        "rows": rows[(page - 1) * PAGE : page * PAGE],
        "total": len(rows),
        "page": page,
        "pages": pages,
        "tones": TONES,
    }
    return render(request, "desk/exchange_lists/report.html.j2", context)


@require_safe
@desk(changes.DRAFT)
def download(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """The whole report as XLSX."""
    sent = _found(actor, identifier)
    data = sheets.write_xlsx(HEADINGS, map(_cells, sent.report.rows), title="导入报告")
    response = HttpResponse(data, content_type=FORMATS["xlsx"])
    response["Content-Disposition"] = _named(f"导入报告-{words.local(sent.at):%Y%m%d-%H%M}.xlsx")
    return response


@require_safe
@desk(changes.SEE)
def export(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The list as a file: our own table, or the national platform's tables."""
    at = now()
    day = words.local(at).date()
    asked = {key: request.GET.get(key, "")[:40] for key in ("level", "region", "agency")}
    asked["format"] = request.GET.get("format", "csv")
    wrong = asked["level"] not in ("", *map(str, Level)) or any(
        not one.isprintable() for one in asked.values()
    )
    if asked["format"] not in (*FORMATS, "national") or wrong:
        raise Http404
    every = request.GET.get("all") == "1"
    selection = Selection(
        level=asked["level"], region=asked["region"], agency=asked["agency"],
        on=None if every else day,
    )  # fmt: skip
    stamp = f"{words.local(at):%Y%m%d-%H%M}"
    if asked["format"] == "national":
        place = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
        national.save(
            place, on=day, at=at, region=selection.region, agency=selection.agency
        )  # fmt: skip
        place.seek(0)
        return FileResponse(place, as_attachment=True, filename=f"事项-国家平台-{stamp}.zip")
    if asked["format"] == "xlsx":
        return _workbook(selection, stamp)
    response = StreamingHttpResponse(
        exporting.write(asked["format"], selection), content_type=FORMATS[asked["format"]]
    )
    response["Content-Disposition"] = _named(f"事项-{stamp}.{asked['format']}")
    return response


def _workbook(selection: Selection, stamp: str) -> FileResponse:
    many = exporting.count(selection)
    if many > MOST_ROWS:
        raise Refusal(
            "export.too_many_rows",
            f"有 {many:,} 行，XLSX 一次最多 {MOST_ROWS:,} 行。请选择区域或者清单层级，或者导出 CSV。",
        )
    place = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    exporting.save("xlsx", selection, to=place)
    place.seek(0)
    return FileResponse(place, as_attachment=True, filename=f"事项-{stamp}.xlsx")


def _parsed(sent: Sent, data: bytes, *, at: datetime) -> Parsed:
    """The file's rows. Raises Refusal."""
    agencies = importing.organs(sent.region or accounts.CITY)
    if national.is_pack(data):
        parsed = national.read(data, sent.filename, agencies=agencies, region=sent.region, at=at)
    else:
        parsed = importing.read(
            data, sent.filename, agencies=agencies, region=sent.region, level=Level(sent.level),
            at=at,
        )  # fmt: skip
    many = len(parsed.lines) + len(parsed.report)
    if not many:
        raise Refusal("import.no_rows", "文件里只有表头，没有事项。请检查后重新上传。")
    if many > MOST_ROWS:
        raise Refusal(
            "import.too_many_rows",
            f"文件有 {many:,} 行，这里一次最多 {MOST_ROWS:,} 行。请分成几个文件，"
            "或者请操作员用命令导入。",
        )
    return parsed


def _draft(request: HttpRequest, actor: Actor, sent: Sent) -> None:
    """Make the drafts of what was looked at, as the catalogue is now."""
    data = kept.take(sent.id)
    if data is None:
        messages.info(request, "这份清单正在存为草案。请稍后刷新。")
        return
    at = now()
    batch = f"{words.local(at):%Y%m%d-%H%M} {sent.filename[:40]} {sent.id.hex[-4:]}"
    try:
        made = importing.run(_parsed(sent, data, at=at), by=actor, at=at, batch=batch)
        kept.put(replace(sent, done=True, report=made))
    except BaseException:
        kept.give_back(sent.id)
        raise
    kept.drop(sent.id)
    messages.success(request, f"已存为草案 {made.count('drafted')} 项。")


def _found(actor: Actor, identifier: UUID) -> Sent:
    try:
        return kept.found(identifier, by=actor.code, at=now())
    except ListNotFound:
        raise Http404 from None


def _form(
    request: HttpRequest, actor: Actor, form: UploadForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "actor": actor,
        "folder": FOLDER,
        "form": form,
        "here": request.path,
        "most": MOST_MB,
        "rows": MOST_ROWS,
        "lists": [(str(one), zh) for one, zh in LISTS_ZH.items()],
        "regions": accounts.regions(),
    }
    return render(request, "desk/exchange_lists/import.html.j2", context, status=status)


def _cells(row: RowReport) -> tuple[str | int | None, ...]:
    """A row of the report as cells."""
    return (
        row.row, row.name, row.item, row.outcome_zh, row.field, row.rule, row.sentence,
        "\n".join(row.remarks),
    )  # fmt: skip


def _named(filename: str) -> str:
    return f"attachment; filename=\"list\"; filename*=UTF-8''{quote(filename)}"
