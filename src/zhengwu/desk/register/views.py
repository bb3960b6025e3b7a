"""Register a walk-in (登记办件): one page, works without a script, asks nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import BinaryIO, cast
from uuid import UUID, uuid5

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import services as account_services
from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries as calendars
from zhengwu.cases import drafts, parties
from zhengwu.cases import services as cases
from zhengwu.cases.drafts import Draft
from zhengwu.cases.events import STREAM
from zhengwu.cases.parties import Before, Known, Person
from zhengwu.cases.services import Received
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.desk.entry import desk
from zhengwu.desk.register import forms as shapes
from zhengwu.desk.register import picking
from zhengwu.desk.register.forms import FILE, LETTER, MATERIAL, STATES, UPLOAD, WHY, RegisterForm
from zhengwu.documents import files
from zhengwu.documents.files import File
from zhengwu.domain import clock
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import is_htmx, new_key, read_key

TITLE = "登记办件"
# What comes after the receipt: the act done at once, and the form that is opened on the case page.
AT_ONCE = {"accept": "accepted", "supplement": "supplement_requested"}
OPENS = {"not_needed": "id_not_needed_reasons", "not_ours": "id_not_ours_organ"}
SUBMITS = ("receive", *AT_ONCE, *OPENS)


@dataclass(frozen=True, slots=True)
class Found:
    """Whom the number belongs to, with the cases that this clerk may see."""

    known: Known
    before: tuple[Before, ...]

    def fill(self, number: str) -> dict[str, str]:
        """What the page fills in by itself."""
        contact = next(iter(self.known.contacts), None)
        return {
            "name": self.known.name,
            "phone": self.known.phone,
            "contact_name": contact.name if contact else "",
            "contact_phone": contact.phone if contact else "",
            "shown": number,
        }


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@desk("case.receive")
def register(request: HttpRequest, actor: Actor) -> HttpResponse:
    """GET: the form, empty, of a draft (``?draft=``) or with its item chosen (``?item=``).

    POST: ``do`` is pick (the item), look (whose number, and the item), or one of SUBMITS; ``use``
    takes over somebody who came before; ``choice`` is one item of several.
    """
    at = now()
    if request.method == "POST":
        return _posted(request, actor, at)
    key = read_key(request.GET.get("draft"))
    draft = drafts.of(actor, _slot(key)) if "draft" in request.GET else None
    if draft is None:
        key = new_key()
        values = QueryDict(mutable=True)
        values["item"] = request.GET.get("item", "")[:200]
    else:
        values = QueryDict(mutable=True)
        values.update(draft.initial)
    return _filled(request, actor, values, key=key, draft=draft, at=at)


def _posted(request: HttpRequest, actor: Actor, at: datetime) -> HttpResponse:
    on = words.local(at).date()
    values = request.POST.copy()
    key = read_key(request.POST.get("key"))
    do = request.POST.get("do", "pick")
    if "use" in request.POST or "choice" in request.POST or do not in SUBMITS:
        return _filled(request, actor, values, key=key, draft=None, at=at, do=do)
    chosen, near = picking.pick(values.get("item", ""), picking.options(actor, on))
    if chosen is not None:
        values["item"] = chosen.name
    unreadable = _take(request, actor, values, chosen, at)
    form = RegisterForm(values, item=chosen)
    form.is_valid()
    for field, refusal in unreadable:
        form.refuse(Refusal(refusal.code, refusal.sentence, field=field))
    if chosen is None:
        form.add_error(
            "item", "请从列表中选择一个事项。" if near else "请先选择本窗口可以受理的事项。"
        )
    if chosen is None or form.errors:
        form.also_empty()
        return _page(request, actor, form, key=key, chosen=chosen, near=near, at=at, status=422)
    reception = form.reception(chosen, on=on)
    states = reception.materials.values()
    if do == "supplement" and all(states) and not any(state in shapes.LACKING for state in states):
        form.refuse(
            Refusal(
                "case.nothing_missing",
                "材料已经齐全，应当受理，不能告知补正。缺的请选“缺”，不合格的请写明哪里不合格。",
                article="行政许可法 第三十二条",
            )
        )
        return _page(request, actor, form, key=key, chosen=chosen, near=(), at=at, status=422)
    try:
        applicant = parties.unmask(actor, reception.applicant, at=at)
        received = cases.receive(
            actor,
            cases.Reception(
                item=reception.item, applicant=applicant, materials=reception.materials,
                whys=reception.whys, scans=reception.scans,
            ),
            key=key,
            at=at,
        )  # fmt: skip
    except (Refusal, Refusals) as refusals:
        form.refuse_all(refusals)
        return _page(request, actor, form, key=key, chosen=chosen, near=(), at=at, status=422)
    drafts.discard(actor, _slot(key))
    return _after(request, actor, received, form, do=do, key=key, at=at)


def _after(
    request: HttpRequest,
    actor: Actor,
    received: Received,
    form: RegisterForm,
    *,
    do: str,
    key: str,
    at: datetime,
) -> HttpResponse:
    """The act that follows at once, what happens next, and the papers to print."""
    papers = [("收件回执", received.document)]
    done, refused = "", ""
    if kind := AT_ONCE.get(do):
        acted = {
            name: str(value)
            for name, value in form.cleaned_data.items()
            if kind == "supplement_requested" and name.startswith((MATERIAL, WHY))
        }
        try:
            answer = cases.perform(
                actor, received.number, kind, version=1, key=str(uuid5(UUID(key), kind)),
                form=acted, at=at,
            )  # fmt: skip
        except cases.Moved:
            pass  # done before, by the twin of this submission; the page shows it
        except (Refusal, Refusals) as refusals:
            several = refusals.refusals if isinstance(refusals, Refusals) else (refusals,)
            refused = "".join(one.sentence for one in several)
        else:
            done = answer.sentence
            zh = "受理通知书" if kind == "accepted" else "补正告知书"
            papers.append((zh, answer.document))
    messages.success(
        request,
        f"已收件：编号 {received.number}，查询码 {received.query_code}。"
        "请把编号和查询码告诉申请人，可以随时上网查进度。",
        # The last has the focus: Enter prints it.
        extra_tags=";".join(
            f"print/{received.number}/{check}/{zh}" for zh, check in papers if check
        ),
    )
    if done:
        messages.success(request, done)
    elif refused:
        zh = "受理" if do == "accept" else "告知"
        messages.warning(request, f"还没有{zh}：{refused}")
    elif do in OPENS:
        messages.warning(request, "还没有办完：请在下面写明理由，出具文书。")
    elif do == "receive":
        messages.warning(request, "还没有受理：五个工作日内要受理，或者一次性告知要补的材料。")
    place = reverse("desk:case", args=[received.number])
    return redirect(f"{place}?act={do}#{OPENS[do]}" if do in OPENS else place)


def _slot(key: str) -> str:
    return f"register/{key}"


# --- the page that is being filled in --------------------------------------------------------


def _filled(
    request: HttpRequest,
    actor: Actor,
    values: QueryDict,
    *,
    key: str,
    draft: Draft | None,
    at: datetime,
    do: str = "",
) -> HttpResponse:
    """The page as far as it is filled in: nothing is wrong with what is not there yet."""
    on = words.local(at).date()
    rows = picking.options(actor, on)
    typed = values.get("choice") or values.get("item", "")
    chosen, near = picking.pick(typed, rows)
    if chosen is not None:
        values["item"] = chosen.name
    unreadable = _take(request, actor, values, chosen, at)
    # A piece of the page that asks for the item does not look at the applicant again.
    found = None if do == "pick" and is_htmx(request.headers) else _find(actor, values, at)
    _fill(values, found)
    if use := values.get("use", ""):
        _use(values, found, use)
    form = RegisterForm(item=chosen, initial=values.dict())
    if unreadable or (do == "pick" and typed.strip() and chosen is None and not near):
        form = RegisterForm(values, item=chosen)
        form.is_valid()
        form.errors.clear()
        for field, refusal in unreadable:
            form.refuse(Refusal(refusal.code, refusal.sentence, field=field))
        if chosen is None and not near:
            form.add_error(
                "item", "没有找到这个事项。请输入名称中连着的两个字以上、拼音首字母，或者编码。"
            )
    return _page(
        request, actor, form, key=key, chosen=chosen, near=near, at=at, rows=rows, draft=draft,
        found=found, looked=True,
    )  # fmt: skip


def _find(actor: Actor, values: QueryDict, at: datetime) -> Found | None:
    """The applicant of the number typed and the earlier cases; the look is recorded."""
    number = values.get("identifier", "").strip()[:40]
    if not number:
        return None
    known = parties.lookup(actor, number, kind=values.get("identifier_kind", ""), at=at)
    if known is None:
        return None
    before = parties.history(actor, known.id, at=at)
    account_services.look(
        actor, parties.STREAM, known.id, why="登记时带出申请人",
        fields=("identifier", "name", "phone", "contact", "agent"), at=at,
    )  # fmt: skip
    account_services.look_through(
        actor, STREAM, [one.id for one in before], why="登记时看申请人的办件", fields=("name",),
        at=at,
    )  # fmt: skip
    return Found(known, before)


def _fill(values: QueryDict, found: Found | None) -> None:
    """Fills in what is empty; what belongs to a number typed before goes."""
    number = values.get("identifier", "").strip()
    shown = values.get("shown", "")
    if shown and shown != number:
        for name in (*shapes.FILLED, *shapes.OF_AGENT, "agent_role"):
            values[name] = ""
        values["shown"] = ""
    if found is None:
        return
    contact_typed = values.get("contact_name") or values.get("contact_phone")
    for name, text in found.fill(number).items():
        if not values.get(name) and not (contact_typed and name.startswith("contact_")):
            values[name] = text


def _use(values: QueryDict, found: Found | None, use: str) -> None:
    """Takes over somebody who came or was called before."""
    people = (*found.known.contacts, *found.known.agents) if found else ()
    person = next((one for one in people if str(one.id) == use), None)
    if person is not None:
        for name, text in taken_over(person).items():
            values[name] = text


def taken_over(person: Person) -> dict[str, str]:
    """The fields that a person of before fills."""
    if person.role == "contact":
        return {"contact_name": person.name, "contact_phone": person.phone}
    return {
        "agent_role": person.role,
        "agent_name": person.name,
        "agent_kind": person.identifier_kind,
        "agent_identifier": person.identifier,
        "agent_phone": person.phone,
    }


def _take(
    request: HttpRequest,
    actor: Actor,
    values: QueryDict,
    chosen: ItemVersionRow | None,
    at: datetime,
) -> list[tuple[str, Refusal]]:
    """Keeps what was uploaded, so that a page that comes back still has it; what could not be."""
    wrong: list[tuple[str, Refusal]] = []
    codes = [material.code for material in (chosen.materials if chosen else ())][: shapes.SCANNED]
    fields = [(FILE + code, UPLOAD + code, "material", shapes.MOST_FILES) for code in codes]
    fields.append((LETTER, UPLOAD + LETTER, LETTER, 1))
    for field, sent, purpose, most in fields:
        held = list(shapes.ids(values.get(field, "")[:400]))
        mine = files.found(held) if held else {}
        held = [one for one in held if one in mine and mine[one].by == actor.code]
        for upload in request.FILES.getlist(sent):
            if most == 1:
                held = []  # a new letter takes the place of the one before
            if len(held) >= most:
                wrong.append(
                    (field, Refusal("form.too_many_files", f"一项材料最多附 {most} 个扫描件。"))
                )
                break
            try:
                kept = files.keep(
                    actor,
                    purpose=purpose,
                    name=upload.name or "",
                    data=cast(BinaryIO, upload),
                    at=at,
                )
            except Refusal as refusal:
                wrong.append((field, refusal))
            else:
                held.append(kept.id)
        if held or field in values:
            values[field] = ",".join(str(one) for one in held)
    return wrong


def _page(
    request: HttpRequest,
    actor: Actor,
    form: RegisterForm,
    *,
    key: str,
    chosen: ItemVersionRow | None,
    near: tuple[tuple[str, str], ...],
    at: datetime,
    rows: tuple[ItemVersionRow, ...] | None = None,
    draft: Draft | None = None,
    found: Found | None = None,
    looked: bool = False,
    status: int = 200,
) -> HttpResponse:
    on = words.local(at).date()
    if not looked:
        found = _find(actor, cast(QueryDict, form.data), at)
    number = str(form["identifier"].value() or "").strip()
    context = {
        "actor": actor,
        "form": form,
        "key": key,
        "slot": _slot(key),
        "title": TITLE,
        "draft": draft,
        "chosen": chosen,
        "near": near,
        "options": picking.listed(picking.options(actor, on) if rows is None else rows),
        "states": STATES,
        "MATERIAL": MATERIAL,
        "WHY": WHY,
        "FILE": FILE,
        "UPLOAD": UPLOAD,
        "scanned": shapes.SCANNED,
        "others": range(1, shapes.OTHERS + 1),
        "kept": _kept(form),
        "due": _due(actor, chosen, on),
        "found": found,
        "number": number,
        "fill": found.fill(number) if found else {},
        "taken_over": taken_over,
        "identifiers": cases.IDENTIFIERS,
        "more": _touched(form, "country", "contact_", "other-"),
        "agent": _touched(form, "agent_", LETTER),
    }
    return render(request, "desk/register/register.html.j2", context, status=status)


def _kept(form: RegisterForm) -> dict[str, list[File]]:
    """The uploads that the form holds, by field."""
    fields = [name for name in form.fields if name == LETTER or name.startswith(FILE)]
    held = {name: shapes.ids(str(form[name].value() or "")) for name in fields}
    found = files.found(one for several in held.values() for one in several)
    return {name: [found[one] for one in several if one in found] for name, several in held.items()}


def _touched(form: RegisterForm, *beginnings: str) -> bool:
    """Whether a folded part has something in it, or something wrong: then it stands open."""
    names = [name for name in form.fields if name.startswith(beginnings)]
    return any(form[name].value() or form.errors.get(name) for name in names)


def _due(actor: Actor, chosen: ItemVersionRow | None, on: date) -> date | None:
    """The promised day if it were accepted today; None where no days are promised."""
    limit = chosen.promised if chosen else None
    if limit is None or not limit.value:
        return None
    edition = calendars.edition(actor.region or accounts.CITY, actor.hall)
    noon = datetime.combine(on, time(12), clock.SHANGHAI)
    return clock.foresee(limit, since=noon, edition=edition).due.astimezone(clock.SHANGHAI).date()
