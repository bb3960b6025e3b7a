"""Progress of a case for whoever holds its number and query code (进度查询)."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.cases import queries as cases
from zhengwu.cases.services import CaseNotFound
from zhengwu.documents import queries as documents
from zhengwu.domain.refusal import Refusal
from zhengwu.web import errors, throttle
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, Line

PER_SENDER = 20
PER_NUMBER = 10
WINDOW = timedelta(minutes=10)
TOKEN_SECONDS = 1800
SALT = "zhengwu.track.document"


class TrackForm(Form):
    """Two fields: the case's number and its query code."""

    number = Line(label="办件编号", max_length=24)
    code = Line(label="查询码", max_length=12)

    def clean_number(self) -> str:
        return _capitals(self.cleaned_data["number"])

    def clean_code(self) -> str:
        return _capitals(self.cleaned_data["code"])


def _capitals(text: str) -> str:
    return text.upper().replace(" ", "").replace("　", "").replace("-", "")


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def track(request: HttpRequest) -> HttpResponse:
    """The form; with both fields right, the progress. The code travels in the body, never in an
    address. Number and code are not told apart when wrong."""
    if request.method != "POST":
        form = TrackForm(initial={"number": request.GET.get("number", "")[:24]})
        return render(request, "portal/track/ask.html.j2", {"form": form, "often": False})
    form = TrackForm(request.POST)
    if not form.is_valid():
        return render(
            request, "portal/track/ask.html.j2", {"form": form, "often": False}, status=422
        )
    at = now()
    number, code = form.cleaned_data["number"], form.cleaned_data["code"]
    often = (
        throttle.attempts("track", throttle.sender(request), at=at, within=WINDOW) > PER_SENDER
        # By sender and number: nobody can lock a number for the one it belongs to.
        or throttle.attempts(
            "track-number", f"{throttle.sender(request)} {number}", at=at, within=WINDOW
        )
        > PER_NUMBER
    )
    if often:
        return render(
            request, "portal/track/ask.html.j2", {"form": form, "often": True}, status=429
        )
    try:
        view = cases.track(number, code, at=at)
    except CaseNotFound:
        form.add_error("number", "没有找到这个办件。请照着收件回执核对编号和查询码，两样都要对。")
        return render(
            request, "portal/track/ask.html.j2", {"form": form, "often": False}, status=404
        )
    papers = [
        (paper, signing.dumps([view.number, paper.check], salt=SALT)) for paper in view.documents
    ]
    return render(
        request,
        "portal/track/progress.html.j2",
        {"case": view, "papers": papers, "steps": steps(view), "at": at, "say": say(view)},
    )


@require_safe
@never_cache
def document(request: HttpRequest, token: str) -> HttpResponse:
    """A document's PDF, for half an hour after the progress page was shown."""
    try:
        _, check = signing.loads(token, salt=SALT, max_age=TOKEN_SECONDS)
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    found = documents.by_check_code(check)
    if found is None:
        raise Http404
    try:
        pdf = documents.render(found)
    except Refusal as refusal:
        return errors.refused(request, refusal)
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{check}.pdf"'
    return response


def steps(view: cases.PublicCase) -> tuple[tuple[str, str], ...]:
    """申请, 受理, 审查, 决定, 领取, each done, current or to come. Only what happened is done."""
    happened = {line.kind for line in view.story}
    done = (
        "received" in happened,
        bool(happened & {"accepted", "deemed_accepted"}),
        bool(happened & {"granted", "refused", "decided"}),
        bool(happened & {"granted", "refused", "decided"}),
        bool(happened & {"delivered"}),
    )
    names = ("申请", "受理", "审查", "决定", "领取")
    current = next((i for i, past in enumerate(done) if not past), len(done))
    return tuple(
        (name, "done" if past else "cur" if i == current and not view.closed else "todo")
        for i, (name, past) in enumerate(zip(names, done, strict=True))
    )


SAY = {
    "received": "已经收到您的申请，窗口正在核对材料，决定是否受理。",
    "supplementing": "材料还不齐，请您补交。",
    "not_accepted": "这件申请没有受理。",
    "handling": "已经受理，部门正在审查。",
    "forwarded": "已经转报上级机关，等待批复。",
    "delivered": "已经送达。",
    "withdrawn": "您已撤回申请。",
    "terminated": "这件申请已经终止。",
    "closed": "已经办结。",
    "archived": "已经办结归档。",
}


def say(view: cases.PublicCase) -> str:
    """Where the case stands, in one sentence for its applicant."""
    told = any(line.kind == "ready" for line in view.story)
    if view.state == "decided":
        if view.outcome == "refused":
            return "已作出不予许可的决定，请到收件的窗口领取决定书。"
        return "许可已经批准，请到收件的窗口领取。" if told else "许可已经批准，正在制证。"
    if view.state_zh == "特别程序中":
        return "正在进行特别程序（如专家评审），这段时间暂停计时。"
    if view.state in ("closed", "archived", "delivered") and view.outcome == "refused":
        return "已经办结，结果是不予许可。"
    if view.state in ("closed", "archived", "delivered") and view.outcome == "granted":
        return "已经办结，许可已经批准并送达。"
    return SAY.get(view.state, view.state_zh)
