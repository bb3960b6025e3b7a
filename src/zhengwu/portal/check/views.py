"""Is this document genuine (文书查验)?"""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from zhengwu.documents import check_code
from zhengwu.documents import queries as documents
from zhengwu.web import throttle
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, Line, clean_text

PER_WINDOW = 60
WINDOW = timedelta(minutes=10)


class CheckForm(Form):
    """The check code of a document."""

    code = Line(label="查验码", max_length=40)

    def clean_code(self) -> str:
        return normal(self.cleaned_data["code"])


def normal(code: str) -> str:
    """As printed where it can be a code; otherwise what was typed, to show it back."""
    typed = clean_text(code)[:40]
    return check_code.read(typed) or typed.replace("/", "")


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """Asks for the code; with one, leads to its own address."""
    if "code" not in request.GET:
        return render(request, "portal/check/check.html.j2", {"form": CheckForm(), "asked": None})
    form = CheckForm(request.GET)
    if not form.is_valid():
        return render(
            request, "portal/check/check.html.j2", {"form": form, "asked": None}, status=422
        )
    return redirect(reverse("check-code", args=[form.cleaned_data["code"]]))


@require_safe
def result(request: HttpRequest, code: str) -> HttpResponse:
    """What stands in our books under this code, or that nothing does."""
    code = normal(code)[:40]
    context = {"form": CheckForm(initial={"code": code}), "asked": code, "found": None}
    if throttle.attempts("check", throttle.sender(request), at=now(), within=WINDOW) > PER_WINDOW:
        context["often"] = True
        return render(request, "portal/check/check.html.j2", context, status=429)
    found = documents.by_check_code(code)
    context["found"] = found
    return render(request, "portal/check/check.html.j2", context, status=200 if found else 404)
