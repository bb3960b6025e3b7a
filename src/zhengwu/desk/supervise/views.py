"""The supervisors' desk (监察台): findings in folders, one finding with its evidence, cards by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, TypedDict
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import loading, timekeeping
from zhengwu.cases.loading import CaseNotFound
from zhengwu.desk.entry import desk
from zhengwu.desk.supervise import doing, looking, ruling
from zhengwu.desk.supervise.doing import Tried
from zhengwu.desk.supervise.forms import FINDING_VERBS, CardForm, Choices, Narrow, VerbForm
from zhengwu.documents import files, sheets
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.domain.rulebook import DIMENSIONS, LEVELS_ZH, Level
from zhengwu.supervision import exporting, queries, services
from zhengwu.supervision.acting import NotFound
from zhengwu.supervision.queries import Filter, Line
from zhengwu.web import words
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text, new_key, read_key

SEE, ANSWER, ACT = "supervise.see", "supervise.answer", "supervise.act"
FOLDER, MINE = "supervision", "supervision-mine"
EXPORT = 5_000
AT_ONCE = 500
LONGEST = 80  # characters of a place in a list
STATES: Choices = (
    ("issued", "待签收"), ("signed", "已签收"), ("answered", "已答复"), ("closed", "已办结"),
)  # fmt: skip
SELECTS = ("level", "dimension", "agency", "rule", "state")
TYPED = ("number", "person")
TABLE, MINE_TABLE = "监察发现", "我的提醒和牌"  # as the looks name the lists
EMPTY: Mapping[str, str] = {
    "todo": "现在没有等您办理的发现。",
    "cards": "还没有发过黄牌和红牌。",
    "unsigned": "没有等着签收的发现。",
    "unanswered": "没有等着答复的发现。",
    "overdue": "没有逾期未答复的发现。",
    "answered": "没有等着办结的发现。",
    "appeals": "没有申诉。",
    "warnings": "没有预警。",
    "hints": "没有提示。",
    "basis": "没有依据改变的牌。",
    "revoked": "没有撤销过牌。",
    "all": "还没有任何发现。软件随时看着每一个办件，发现问题时这里就会多一条。",
}


# --- the list ---------------------------------------------------------------------------------------


@require_safe
@desk(SEE)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The findings of a folder, narrowed; the newest first."""
    return _listed(request, actor, _narrow(request, actor))


@require_safe
@desk(SEE)
def export(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same list as CSV (UTF-8 with a mark, so that spreadsheets read it), ≤ 5,000 rows."""
    form = _narrow(request, actor)
    if not form.is_valid():
        return _listed(request, actor, form)
    at = now()
    folder = _folder(request)
    found = exporting.rows(actor, folder=folder, q=_filter(form), at=at, page=AT_ONCE)
    data = b"".join(sheets.write_csv(exporting.headings(), islice(found, EXPORT)))
    looking.taken(actor, TABLE, _words(folder), at=at, **_asked(form))
    day = words.local(at).strftime("%Y%m%d-%H%M")
    response = HttpResponse(data, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="jiancha-{day}.csv"'
    return response


def _folder(request: HttpRequest, usual: str = "todo") -> str:
    asked = request.GET.get("folder", "")
    return asked if asked in dict(queries.FOLDERS) else usual


def _narrow(request: HttpRequest, actor: Actor) -> Narrow:
    return Narrow(
        request.GET,
        {
            "level": [(str(level), zh) for level, zh in LEVELS_ZH.items()][::-1],
            "dimension": list(DIMENSIONS.items()),
            "agency": timekeeping.agencies(actor),
            "rule": ruling.choices(_today()),
            "state": STATES,
        },
    )


def _filter(form: Narrow) -> Filter:
    return Filter(**{name: form.cleaned_data[name] for name in Filter.__dataclass_fields__})


def _words(folder: str) -> str:
    return dict(queries.FOLDERS)[folder]


class _Asked(TypedDict):
    narrowed: Sequence[str]
    typed: str


def _asked(form: Narrow) -> _Asked:
    """What the looks say of a valid filter."""
    return {"narrowed": looking.chosen(form, SELECTS), "typed": looking.typed(form, TYPED)}


def _listed(request: HttpRequest, actor: Actor, form: Narrow) -> HttpResponse:
    folder = _folder(request)
    good = form.is_valid()
    at = now()
    after = clean_text(request.GET.get("after", ""))[:LONGEST]
    page = queries.listed(
        actor, folder=folder, q=_filter(form) if good else Filter(), after=after if good else "",
        most=queries.PAGE, at=at,
    )  # fmt: skip
    if good:
        looking.opened(actor, TABLE, _words(folder), at=at, **_asked(form))
    offered = [name for name in SELECTS if len(_choices(form, name)) > 2]
    context = {
        "actor": actor,
        "folder": FOLDER,
        "here": folder,
        "folders": queries.FOLDERS,
        "counted": page.counts,
        "most": queries.COUNTED,
        "form": form,
        "selects": offered,
        "narrowed": good and any(form.cleaned_data.values()),
        "lines": page.lines if good else (),
        "cursor": page.more if good else "",
        "may_act": actor.may(ACT),
        "empty": EMPTY[folder],
    }
    return render(request, "desk/supervise/list.html.j2", context, status=200 if good else 422)


def _choices(form: Narrow, name: str) -> Choices:
    found: Choices = form.fields[name].choices  # type: ignore[attr-defined]
    return found


def _today() -> date:
    return words.local(now()).date()


# --- what concerns oneself --------------------------------------------------------------------------


@require_safe
@desk(ANSWER)
def mine(request: HttpRequest, actor: Actor) -> HttpResponse:
    """My warnings and cards (我的提醒和牌), and the orders that I have to work on."""
    at = now()
    folder = _folder(request)
    after = clean_text(request.GET.get("after", ""))[:LONGEST]
    page = queries.listed(actor, folder=folder, q=Filter(), after=after, most=queries.PAGE, at=at)
    orders = queries.orders(actor, folder="todo", q=Filter(), at=at).lines
    looking.opened(actor, MINE_TABLE, _words(folder), at=at)
    context = {
        "actor": actor,
        "folder": MINE,
        "here": folder,
        "folders": queries.FOLDERS,
        "counted": page.counts,
        "most": queries.COUNTED,
        "lines": page.lines,
        "cursor": page.more,
        "orders": orders,
        "head": actor.may(SEE),
        "empty": EMPTY[folder],
    }
    return render(request, "desk/supervise/mine.html.j2", context)


# --- one finding ------------------------------------------------------------------------------------


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@desk()
def finding(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """What the rule says, what was found, on what it rests, and what this actor may do now."""
    tried = Tried()
    at = now()
    try:
        if request.method == "POST":
            tried = _tried(request, actor, identifier, at)
            if tried.done is not None:
                return redirect("desk:finding", identifier=identifier)
        one = queries.finding(actor, identifier, at=at)
    except NotFound:
        raise Http404 from None
    line = one.line
    rule = ruling.told(line.rule, words.local(line.at).date(), one.known)
    context = {
        "actor": actor,
        "folder": FOLDER if actor.may(SEE) else MINE,
        "one": one,
        "line": line,
        "rule": rule,
        "again": _again(line, rule) if actor.may(SEE) else None,
        "forms": doing.forms(one.offers, FINDING_VERBS, tried, standing=(line.state, line.appeal)),
        "tried": tried,
        "moved": [row for row in one.history if tried.seen and row.version > tried.seen],
        "home": "desk:supervision" if actor.may(SEE) else "desk:supervision-mine",
        "may_act": any(offer.kind == "order" for offer in one.offers),
        "most_files": services.MOST_FILES,
        "most_mb": files.most() // 1024**2,
    }
    return render(request, "desk/supervise/finding.html.j2", context, status=tried.status)


def _again(line: Line, rule: ruling.Said | None) -> dict[str, str] | None:
    """The list of the findings that one of several of a month counts; None for any other."""
    if rule is None or not rule.counts:
        return None
    day = words.local(line.at).date()
    return {
        "folder": "all",
        "rule": rule.counts,
        "agency": line.agency,
        "since": day.replace(day=1).isoformat(),
        "until": day.isoformat(),
    } | ({"person": line.person} if line.person else {})


def _tried(request: HttpRequest, actor: Actor, id: UUID, at: datetime) -> Tried:
    def take(form: VerbForm) -> list[Refusal]:
        services.may_bring_evidence(actor, id)
        return form.take_in(actor, request.FILES.getlist("evidence"), of=id, at=at)

    def decide(g: doing.Given) -> services.Done:
        lowered = g.words["outcome"] == "lowered"
        return services.decide(
            actor, id, g.words["outcome"], g.text, g.words["level"] if lowered else None,
            version=g.version, key=g.key, at=at,
        )  # fmt: skip

    return doing.attempt(
        request,
        FINDING_VERBS,
        {
            "sign": lambda g: services.sign(actor, id, version=g.version, key=g.key, at=at),
            "answer": lambda g: services.answer(
                actor, id, g.text, version=g.version, key=g.key, at=at
            ),
            "close": lambda g: services.close(
                actor, id, g.text, version=g.version, key=g.key, at=at
            ),
            "appeal": lambda g: services.appeal(
                actor, id, g.words["reason"], g.text, g.files, version=g.version, key=g.key, at=at
            ),
            "withdraw_appeal": lambda g: services.withdraw_appeal(
                actor, id, g.text, version=g.version, key=g.key, at=at
            ),
            "decide": decide,
        },
        take=take,
    )


@require_safe
@desk()
def evidence(request: HttpRequest, actor: Actor, identifier: UUID, file: UUID) -> HttpResponseBase:
    """A file of an appeal as it was sent, to be saved."""
    try:
        one = queries.evidence(actor, identifier, file, at=now())
    except NotFound:
        raise Http404 from None
    response = FileResponse(one.data)
    for name, value in one.headers.items():
        response[name] = value  # after: FileResponse would put its own disposition over them
    return response


# --- a card by hand ---------------------------------------------------------------------------------


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@desk(ACT)
def issue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A card by hand, with its reason: for a case, or for what a spot check showed."""
    at = now()
    rules = ruling.by_hand(at)
    key, status = new_key(), 200
    given_ = request.POST if request.method == "POST" else request.GET
    number = clean_text(given_.get("number", ""))[:24]
    staff = _staff(actor, number)
    if request.method != "POST":
        first: dict[str, Any] = {
            "number": number,
            "rule": rules[0][0] if rules else "",
            "level": str(Level.YELLOW),
        }
        form = CardForm(rules, staff, first=first)
    else:
        key, status = read_key(request.POST.get("key")), 422
        form = CardForm(rules, staff, request.POST)
        if form.is_valid():
            given = form.cleaned_data
            post, _, person = given.get("whose", "").partition("/")
            try:
                issued = services.issue_by_hand(
                    actor, given["number"], given["rule"], given["level"], given["text"],
                    person=person or None, post=post or None, key=key, at=at,
                )  # fmt: skip
            except Refusals as several:
                for refusal in several.refusals:
                    _refused(form, refusal)
            except Refusal as refusal:
                _refused(form, refusal)
            except CaseNotFound:
                form.add_error("number", "没有这个办件，或者不在您的监察范围以内。请核对编号。")
            else:
                zh = LEVELS_ZH[Level(given["level"])]
                messages.success(request, f"已发出{zh}，责任单位会在“我的提醒和牌”里看到。")
                return redirect("desk:finding", identifier=issued)
    context = {"actor": actor, "folder": FOLDER, "form": form, "key": key}
    return render(request, "desk/supervise/issue.html.j2", context, status=status)


def _staff(actor: Actor, number: str) -> Choices:
    """Who holds a post of the case's agency: post/person; nobody where there is no such case."""
    try:
        agency = loading.load(actor, number).agency if number else ""
    except CaseNotFound:
        return []
    return [
        (f"{one.post}/{one.person}", f"{one.post_name}：{one.name}")
        for one in accounts.colleagues(agency)
    ]


def _refused(form: CardForm, refusal: Refusal) -> None:
    """The service calls the words of a card its reason, and whose it is by post and person."""
    field = {"reason": "text", "person": "whose", "post": "whose"}.get(
        refusal.field or "", refusal.field
    )
    form.refuse(Refusal(refusal.code, refusal.sentence, article=refusal.article, field=field))
