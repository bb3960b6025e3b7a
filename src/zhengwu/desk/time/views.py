"""The time ledger of a period (时间账): parts of the whole, and who hands to whom."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import quote

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.cases import timekeeping
from zhengwu.cases.timekeeping import KINDS, Whole
from zhengwu.desk.audit.views import Day
from zhengwu.desk.entry import desk
from zhengwu.desk.inbox.views import neutral
from zhengwu.desk.time.account import MINUTE, account, named
from zhengwu.domain import timeledger
from zhengwu.domain.lifecycle import HolderKind
from zhengwu.domain.refusal import Refusal
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import Form

DAYS = 30  # the page opens with so many days up to today
SECOND = timedelta(seconds=1)
FEW = 24  # lines that are shown without being asked for


class Period(Form):
    """Which cases; days are Shanghai's and both belong to the answer."""

    since = Day(label="从")
    until = Day(label="到")
    agency = forms.ChoiceField(
        label="办理机关",
        required=False,
        error_messages={"invalid_choice": "没有这个机关，或者不在您的范围内。请从列表里选择。"},
    )
    running = forms.BooleanField(label="也算还在办的", required=False)
    windows = forms.BooleanField(label="移交表里窗口单列", required=False)

    def __init__(
        self, data: QueryDict, *, agencies: tuple[tuple[str, str], ...], today: date
    ) -> None:
        given = data.copy()
        for name, day in (("since", today - timedelta(days=DAYS - 1)), ("until", today)):
            if not given.get(name, "").strip():
                given[name] = day.isoformat()
        super().__init__(given)
        choice = self.fields["agency"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", "全部"), *agencies]
        for field in self.fields.values():
            field.must = True  # type: ignore[attr-defined]  # a search says nowhere "optional"


@require_safe
@desk(timekeeping.ACT)
def account_of(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The account. ``?since=&until=&agency=&running=on&windows=on``; by default 30 days."""
    form, whole = _asked(request, actor)
    return _page(request, actor, form, whole)


@require_safe
@desk(timekeeping.ACT)
def export(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same in seconds as CSV (UTF-8 with a mark, so that spreadsheets read it)."""
    form, whole = _asked(request, actor)
    if whole is None:
        return _page(request, actor, form, whole)
    response = HttpResponse("".join(_csv(whole)), content_type="text/csv; charset=utf-8")
    name = f"时间账-{whole.since:%Y%m%d}-{whole.until:%Y%m%d}.csv"
    response["Content-Disposition"] = (
        f'attachment; filename="time-{whole.since:%Y%m%d}-{whole.until:%Y%m%d}.csv"; '
        f"filename*=UTF-8''{quote(name)}"
    )
    return response


def _asked(request: HttpRequest, actor: Actor) -> tuple[Period, Whole | None]:
    """The question, and its answer where it could be understood."""
    at = now()
    form = Period(request.GET, agencies=timekeeping.agencies(actor), today=words.local(at).date())
    if not form.is_valid():
        return form, None
    asked = form.cleaned_data
    try:
        whole = timekeeping.handover_table(
            actor,
            since=asked["since"],
            until=asked["until"],
            agency=asked["agency"] or None,
            running=asked["running"],
            at=at,
        )
    except Refusal as refusal:
        form.refuse(refusal)
        return form, None
    return form, whole


def _page(request: HttpRequest, actor: Actor, form: Period, whole: Whole | None) -> HttpResponse:
    context = {
        "actor": actor,
        "folder": "time",
        "form": form,
        "whole": whole,
        "agency": dict(form.fields["agency"].choices).get(form.data.get("agency", "")),  # type: ignore[attr-defined]
        "account": account(whole, windows=bool(form.cleaned_data.get("windows")))
        if whole
        else None,
        "few": FEW,
        "minute": MINUTE,
    }
    return render(request, "desk/time/time.html.j2", context, status=200 if whole else 422)


class _Echo:
    def write(self, line: str) -> str:
        return line


def _csv(whole: Whole) -> Iterator[str]:
    writer = csv.writer(_Echo())

    def line(*cells: object) -> str:
        return str(writer.writerow([neutral(str(cell)) for cell in cells]))

    yield "\ufeff"
    yield line("从", whole.since, "到", whole.until, "办结", whole.closed, "在办", whole.running)
    yield line()
    yield line("去向", "谁", "次数", "合计（秒）", "办公时间（秒）", "非办公时间（秒）")
    for one in whole.lines:
        yield line(
            KINDS[one.kind], named(one), one.stretches, one.seconds, one.office_seconds,
            one.rest_seconds,
        )  # fmt: skip
    office = sum(one.office_seconds for one in whole.lines)
    yield line("合计", "", "", whole.seconds, office, whole.seconds - office)
    yield line()
    yield line("移交方", "接收方", "次数", "移交途中（秒）")
    pairs = list(whole.windows.cells.items())
    under_way = sum(one.seconds for one in whole.lines if one.kind == HolderKind.HANDING_OVER)
    cut = timeledger.apportion([one.length for _, one in pairs], SECOND, total=under_way)
    for ((giver, taker), way), seconds in zip(pairs, cut, strict=True):
        yield line(whole.side_zh(giver), whole.side_zh(taker), way.count, seconds)
    yield line("合计", "", whole.windows.total.count, under_way)
