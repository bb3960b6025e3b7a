"""Who looked at personal data (查阅记录). For the audit administrator, and for nobody else."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, LookFilter, LookRow
from zhengwu.cases import queries as cases
from zhengwu.cases.events import STREAM
from zhengwu.desk.entry import desk
from zhengwu.desk.inbox.views import neutral
from zhengwu.exports.tables import FIELDS, LOOKED, STREAMS, looked
from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, Line

PAGE = 50
SHOWN = 50  # numbers of a list
EXPORT = 5_000
ACT = "audit.looks"
DATE_WRONG = "“{label}”：请按“2026-01-31”的样子填写日期。"
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


class Day(forms.DateField):
    """A day as 2026-01-31 between EARLIEST and LATEST, or none."""

    max_length = 10

    def __init__(self, *, label: str) -> None:
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": DATE_WRONG.format(label=label)},
        )

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value and not EARLIEST <= value <= LATEST:
            raise forms.ValidationError("请填写 2000 年到 2100 年之间的日期。")


class Question(Form):
    """What to look for; days are Shanghai's and both belong to the answer."""

    q = Line(label="人员、机关、事由或办件编号", required=False, max_length=100)
    since = Day(label="从")
    until = Day(label="到")

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        for field in self.fields.values():
            field.must = True  # type: ignore[attr-defined]  # a search says nowhere "optional"

    def clean(self) -> dict[str, object]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", "“到”早于“从”。请改一下日期。")
        return self.cleaned_data


@dataclass(frozen=True, slots=True)
class LookLine:
    """One look, in the words of the page. numbers: the first of a list, or the one asked for; total:
    how many stood in it."""

    at: datetime
    who: str
    code: str
    agency: str
    what: str
    numbers: tuple[str, ...]
    total: int
    why: str
    fields: str


@require_safe
@desk()
def looks(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The looks, the latest first, page by page."""
    _only_audit(actor)
    form = Question(request.GET)
    if not form.is_valid():
        context = _context(actor, form, lines=(), page=1, total=0)
        return render(request, "desk/audit/looks.html.j2", context, status=422)
    asked = _asked(actor, form)
    total = accounts.count_looks(actor, asked)
    page = min(paging.page_number(request.GET.get("page")), _pages(total))
    lines = _lines(actor, asked, offset=(page - 1) * PAGE, limit=PAGE)
    cut = accounts.count_look_lines(actor, asked, most=EXPORT) > EXPORT
    context = _context(actor, form, lines=lines, page=page, total=total) | {"cut": cut}
    return render(request, "desk/audit/looks.html.j2", context)


@require_safe
@desk()
def export(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same as CSV (UTF-8 with a mark, so that spreadsheets read it), a line for each case of a
    list, ≤ 5,000 lines."""
    _only_audit(actor)
    form = Question(request.GET)
    if not form.is_valid():
        context = _context(actor, form, lines=(), page=1, total=0)
        return render(request, "desk/audit/looks.html.j2", context, status=422)
    lines = islice(looked(actor, _asked(actor, form)), EXPORT)
    day = words.local(now()).strftime("%Y%m%d-%H%M")
    response = HttpResponse("".join(_csv(lines)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="chayue-{day}.csv"'
    return response


def _only_audit(actor: Actor) -> None:
    if not actor.may(ACT):
        raise Http404


def _asked(actor: Actor, form: Question) -> LookFilter:
    text, since, until = (form.cleaned_data[name] for name in ("q", "since", "until"))
    return LookFilter(
        text=text,
        stream_id=_uuid(text) or (cases.audited_case(actor, text) if text else None),
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), words.SHANGHAI)


def _pages(total: int) -> int:
    return max(1, -(-total // PAGE))


def _lines(actor: Actor, asked: LookFilter, *, offset: int, limit: int) -> tuple[LookLine, ...]:
    rows = accounts.looks(actor, asked, offset=offset, limit=limit, shown=SHOWN)
    shown = {one for row in rows if row.stream == STREAM for one in row.stream_ids}
    numbers = cases.audited_numbers(actor, shown)
    return tuple(_line(row, numbers) for row in rows)


def _line(row: LookRow, numbers: Mapping[UUID, str]) -> LookLine:
    return LookLine(
        at=row.at,
        who=row.name or row.person,
        code=row.person,
        agency=row.agency_name or row.agency,
        what=STREAMS.get(row.stream, row.stream),
        numbers=tuple(numbers.get(one, str(one)) for one in row.stream_ids),
        total=row.total,
        why=row.why,
        fields="、".join(FIELDS.get(name, name) for name in row.fields),
    )


def _context(
    actor: Actor, form: Question, *, lines: tuple[LookLine, ...], page: int, total: int
) -> dict[str, object]:
    return {
        "actor": actor,
        "folder": "audit",
        "form": form,
        "lines": lines,
        "page": page,
        "pages": _pages(total),
        "total": total,
        "most": EXPORT,
        "filtered": any(form.data.get(name) for name in form.fields),
    }


class _Echo:
    def write(self, line: str) -> str:
        return line


def _csv(lines: Iterable[Sequence[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow([zh for _, zh in LOOKED])
    for line in lines:
        yield writer.writerow([neutral(str(cell)) for cell in line])
