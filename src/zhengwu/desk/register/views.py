"""Register a walk-in (登记办件): one page, works without a script, asks nothing twice."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid5

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import services as cases
from zhengwu.cases.services import IDENTIFIERS, KINDS, Applicant
from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.desk.entry import desk
from zhengwu.domain import identifiers
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, Line, new_key, read_key

MATERIAL = "material-"
STATES = (("received", "已收", "ok"), ("missing", "缺", "bad"))
MOST = 20  # items to choose from when the words fit several


class RegisterForm(Form):
    """Who applies for what. The materials' ticks are added once the item is known."""

    identifier = Line(label="身份证号 / 统一社会信用代码", required=False, max_length=40)
    identifier_kind = forms.ChoiceField(
        label="证件类型",
        required=False,
        choices=[
            ("", "自动识别"),
            *((code, f"{zh}（{KINDS[kind]}）") for code, (zh, kind) in IDENTIFIERS.items()),
        ],
    )
    name = Line(label="名称 / 姓名", required=False, max_length=100)
    phone = Line(label="手机号", required=False, max_length=30)
    item = Line(label="事项名称或编码", required=False, max_length=200)

    def __init__(self, data: QueryDict | dict[str, str] | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        # Nothing is optional here: the service says all that is missing at once.
        for field in self.fields.values():
            field.must = True  # type: ignore[attr-defined]


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@desk("case.receive")
def register(request: HttpRequest, actor: Actor) -> HttpResponse:
    """GET: the form, its item chosen with ``?item=``. POST: ``do`` is pick (show the materials),
    receive, or accept (receive and accept at once)."""
    at = now()
    on = words.local(at).date()
    if request.method != "POST":
        start = RegisterForm(initial={"item": request.GET.get("item", "")[:200]})
        chosen, near = _pick(actor, request.GET.get("item", ""), on)
        if chosen is not None:
            _add_materials(start, chosen)
            start.initial["item"] = chosen.name
        return _page(request, actor, start, key=new_key(), chosen=chosen, near=near)
    data = request.POST.copy()
    form = RegisterForm(data)
    key = read_key(request.POST.get("key"))
    chosen, near = _pick(actor, request.POST.get("choice") or request.POST.get("item", ""), on)
    if chosen is not None:
        _add_materials(form, chosen)
        data["item"] = chosen.name
    do = request.POST.get("do", "pick")
    if do == "pick":
        # Only looking for the item: nothing is wrong with what is not filled in yet.
        shown = RegisterForm(initial=data.dict())
        if chosen is not None:
            _add_materials(shown, chosen)
        elif request.POST.get("item", "").strip() and not near:
            shown = form
            shown.add_error("item", "没有找到这个事项。请输入名称中连着的两个字以上，或者编码。")
        return _page(request, actor, shown, key=key, chosen=chosen, near=near)
    form.is_valid()
    if chosen is None:
        form.add_error(
            "item", "请从列表中选择一个事项。" if near else "请先选择本窗口可以受理的事项。"
        )
    if form.errors:
        _also_applicant(form, at)
        return _page(request, actor, form, key=key, chosen=chosen, near=near, status=422)
    assert chosen is not None
    reception = cases.Reception(
        item=chosen.code, applicant=_applicant(form, on), materials=_ticks(form)
    )
    try:
        received = cases.receive(actor, reception, key=key, at=at)
    except (Refusal, Refusals) as refusals:
        for refusal in _all(refusals):
            form.refuse(refusal)
        return _page(request, actor, form, key=key, chosen=chosen, near=(), status=422)
    messages.success(
        request,
        f"已收件：编号 {received.number}，查询码 {received.query_code}。"
        "请把编号和查询码告诉申请人，可以随时上网查进度。",
    )
    if do == "accept":
        try:
            done = cases.perform(
                actor,
                received.number,
                "accepted",
                version=1,
                key=str(uuid5(UUID(key), "accepted")),
                form={},
                at=at,
            )
            messages.success(request, done.sentence)
        except cases.Moved:
            pass  # accepted before, by the twin of this submission; the page shows it
        except (Refusal, Refusals) as refusals:
            for refusal in _all(refusals):
                messages.warning(request, f"还没有受理：{refusal.sentence}")
    return redirect("desk:case", number=received.number)


def _page(
    request: HttpRequest,
    actor: Actor,
    form: RegisterForm,
    *,
    key: str,
    chosen: ItemVersionRow | None,
    near: tuple[tuple[str, str], ...],
    status: int = 200,
) -> HttpResponse:
    context = {
        "actor": actor,
        "form": form,
        "key": key,
        "chosen": chosen,
        "near": near,
        "options": _options(actor, words.local(now()).date()),
        "states": STATES,
        "MATERIAL": MATERIAL,
        "due": _due(actor, chosen),
    }
    return render(request, "desk/register/register.html.j2", context, status=status)


def _due(actor: Actor, chosen: ItemVersionRow | None) -> date | None:
    """The promised day if it were accepted today; None where days are not what is promised."""
    limit = chosen.promised if chosen else None
    if limit is None or str(limit.unit) != "working_day" or not limit.value:
        return None
    calendar = accounts.calendar(actor.region or accounts.CITY)
    return calendar.add_working_days(words.local(now()).date(), limit.value).day


def _options(actor: Actor, on: date) -> tuple[ItemVersionRow, ...]:
    """The items this actor may receive, by name."""
    reach = accounts.reach(actor, "case.receive")
    found = catalog.receivable(None if reach.everything else reach.agencies, on)
    return tuple(found)


def _pick(
    actor: Actor, text: str, on: date
) -> tuple[ItemVersionRow | None, tuple[tuple[str, str], ...]]:
    """The item the words mean, or those they may mean (code, name)."""
    text = " ".join(text.split())[:200]
    if not text:
        return None, ()
    options = _options(actor, on)
    for option in options:
        if text in (option.code, option.name):
            return option, ()
    near = [option for option in options if text in option.name or text in option.code]
    if len(near) == 1:
        return near[0], ()
    return None, tuple((option.code, option.name) for option in near[:MOST])


def _add_materials(form: RegisterForm, item: ItemVersionRow) -> None:
    for material in item.materials:
        form.fields[MATERIAL + material.code] = forms.ChoiceField(
            label=material.name,
            required=False,
            choices=[(code, zh) for code, zh, _ in STATES],
        )


def _ticks(form: RegisterForm) -> dict[str, str]:
    return {
        name.removeprefix(MATERIAL): str(value)
        for name, value in form.cleaned_data.items()
        if name.startswith(MATERIAL)
    }


def _applicant(form: RegisterForm, on: date) -> Applicant:
    number = form.cleaned_data.get("identifier", "").upper().replace(" ", "")
    kind = form.cleaned_data.get("identifier_kind") or recognise(number, on=on)
    return Applicant(
        kind=IDENTIFIERS[kind][1],
        name=form.cleaned_data.get("name", ""),
        identifier_kind=kind,
        identifier=number,
        phone=form.cleaned_data.get("phone", ""),
    )


def recognise(number: str, *, on: date) -> str:
    """Which kind of number this is, by its check digit; the nearest guess where none fits."""
    try:
        identifiers.resident_id(number, on=on)
    except Refusal:
        pass
    else:
        return "resident_id"
    if number[:17].isdigit() and number[6:8] in ("19", "20"):
        return "resident_id"
    return "uscc"


def _also_applicant(form: RegisterForm, at: object) -> None:
    """Says everything missing at once: empty fields beside the fault that stopped us."""
    for name, zh in (("identifier", "证件号码"), ("name", "名称或者姓名"), ("phone", "手机号")):
        if not form.cleaned_data.get(name) and name not in form.errors:
            form.add_error(name, f"请填写{zh}。")


def _all(refusals: Refusal | Refusals) -> tuple[Refusal, ...]:
    several = refusals.refusals if isinstance(refusals, Refusals) else (refusals,)
    # The kinds of applicant and number are chosen in one field here.
    return tuple(
        Refusal(r.code, r.sentence, article=r.article, field="identifier_kind")
        if r.field == "applicant_kind"
        else r
        for r in several
    )
