"""Accountability (问责): the records that opened themselves, and the work on each to its end."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.desk.entry import desk
from zhengwu.desk.supervise import doing, looking
from zhengwu.desk.supervise.doing import Given, Tried
from zhengwu.desk.supervise.forms import ACCOUNT_VERBS
from zhengwu.desk.supervise.views import LONGEST, SEE
from zhengwu.supervision import accounts, queries
from zhengwu.supervision.acting import Done, NotFound
from zhengwu.supervision.queries import Filter
from zhengwu.web.clock import now
from zhengwu.web.forms import clean_text

FOLDER = "accountability"
FOLDERS = (
    ("todo", "等我办理"), ("open", "未办结"), ("overdue", "逾期"), ("closed", "已办结"), ("all", "全部"),
)  # fmt: skip
PATH = (
    ("opened", "启动"), ("taken_up", "承办"), ("heard", "听取陈述"), ("decided", "决定"),
    ("carried_out", "执行"), ("closed", "办结"),
)  # fmt: skip


@require_safe
@desk(SEE)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The records of a folder, the newest first."""
    asked = request.GET.get("folder", "")
    folder = asked if asked in dict(FOLDERS) else "open"
    at = now()
    found = queries.accounts(
        actor, folder=folder, q=Filter(), at=at,
        after=clean_text(request.GET.get("after", ""))[:LONGEST],
    )  # fmt: skip
    looking.opened(actor, "问责", dict(FOLDERS)[folder], at=at)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "here": folder,
        "folders": FOLDERS,
        "counted": found.counts,
        "most": queries.COUNTED,
        "lines": found.lines,
        "cursor": found.more,
    }
    return render(request, "desk/supervise/accounts.html.j2", context)


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@desk()
def account(request: HttpRequest, actor: Actor, identifier: UUID) -> HttpResponse:
    """One record: its causes, its way, and what this actor may do now."""
    tried = Tried()
    at = now()
    try:
        one = queries.account(actor, identifier, at=at)
        offered = {"handler": [("", ""), *one.handlers]}
        if request.method == "POST":
            tried = _tried(request, actor, identifier, offered, at)
            if tried.done is not None:
                return redirect("desk:account", identifier=identifier)
            one = queries.account(actor, identifier, at=at)
    except NotFound:
        raise Http404 from None
    context = {
        "actor": actor,
        "folder": FOLDER,
        "one": one,
        "line": one.line,
        "forms": doing.forms(
            one.offers, ACCOUNT_VERBS, tried, standing=(one.line.state,), offered=offered
        ),
        "tried": tried,
        "moved": [row for row in one.history if tried.seen and row.version > tried.seen],
        "path": _path(one),
        "see": actor.may(SEE),
        "measures": list(accounts.MEASURES.values()),
    }
    return render(request, "desk/supervise/account.html.j2", context, status=tried.status)


def _path(one: queries.AccountDetail) -> list[dict[str, object]]:
    """The way as steps: done when, by the last entry of each kind since it was opened again."""
    done = {row.kind: row for row in one.history}
    codes = [code for code, _ in PATH]
    reached = codes.index(one.line.state)
    return [
        {
            "zh": zh,
            "what": "done" if nth <= reached else "cur" if nth == reached + 1 else "todo",
            "row": done.get(code) if nth <= reached else None,
        }
        for nth, (code, zh) in enumerate(PATH)
    ]


def _tried(
    request: HttpRequest, actor: Actor, id: UUID, offered: doing.Offered, at: datetime
) -> Tried:
    def take_up(g: Given) -> Done:
        return accounts.take_up(
            actor, id, g.words["handler"] or None, version=g.version, key=g.key, at=at
        )

    return doing.attempt(
        request,
        ACCOUNT_VERBS,
        {
            "take_up": take_up,
            "hear": lambda g: accounts.hear(actor, id, g.text, version=g.version, key=g.key, at=at),
            "decide": lambda g: accounts.decide(
                actor, id, g.words["measure"], g.text, version=g.version, key=g.key, at=at
            ),
            "carry_out": lambda g: accounts.carry_out(
                actor, id, g.text, version=g.version, key=g.key, at=at
            ),
            "close": lambda g: accounts.close(actor, id, version=g.version, key=g.key, at=at),
        },
        offered=offered,
    )
