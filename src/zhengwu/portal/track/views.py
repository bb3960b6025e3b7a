"""Progress of a case for whoever holds its number and query code (进度查询)."""

from __future__ import annotations

from uuid import UUID

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.cases import explaining, tracking
from zhengwu.cases.tracking import CaseNotFound
from zhengwu.documents import queries as documents
from zhengwu.domain.refusal import Refusal
from zhengwu.web import errors, throttle
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, Line

TOKEN_SECONDS = 1800
SALT = "zhengwu.track.document"
WHY_SALT = "zhengwu.track.why"


class TrackForm(Form):
    """Two fields: the case's number and its query code."""

    number = Line(label="办件编号", max_length=24)
    code = Line(label="查询码", max_length=12)

    def clean_number(self) -> str:
        return tracking.capitals(self.cleaned_data["number"])

    def clean_code(self) -> str:
        return tracking.capitals(self.cleaned_data["code"])


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
    if tracking.too_often(throttle.sender(request), number, at=at):
        return render(
            request, "portal/track/ask.html.j2", {"form": form, "often": True}, status=429
        )
    try:
        view = tracking.track(number, code, at=at)
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
        {
            "case": view,
            "told": view.told,
            "papers": papers,
            "at": at,
            "why": signing.dumps(str(view.id), salt=WHY_SALT),
        },
    )


@require_safe
@never_cache
def document(request: HttpRequest, token: str) -> HttpResponse:
    """A document's PDF, for half an hour after the progress page was shown."""
    check = _check_of(token)
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


@require_safe
@never_cache
def twin(request: HttpRequest, token: str) -> HttpResponse:
    """What a document says, as a page to read (文书通俗版); by the same token as its PDF."""
    found = documents.twin(_check_of(token))
    if found is None:
        raise Http404
    return render(request, "portal/track/twin.html.j2", {"paper": found, "token": token})


@require_safe
@never_cache
def why(request: HttpRequest, token: str) -> HttpResponse:
    """Why the dates are what they are (期限推算说明), for half an hour after the progress page.

    The token holds the case's id, which says nothing to anybody; nobody is named on the page.
    """
    try:
        identifier = UUID(signing.loads(token, salt=WHY_SALT, max_age=TOKEN_SECONDS))
        found = explaining.why_shown(identifier, at=now())
    except (signing.BadSignature, ValueError, AttributeError, CaseNotFound):
        raise Http404 from None
    return render(request, "portal/track/why.html.j2", {"why": found})


def _check_of(token: str) -> str:
    """The check code in a token. Raises Http404 when it is forged or too old."""
    try:
        _, check = signing.loads(token, salt=SALT, max_age=TOKEN_SECONDS)
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    return str(check)
