"""Help, keyboard, accessibility (帮助)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """How to use the site, with which keys, and what to do when it does not work."""
    return render(request, "portal/help/help.html.j2")
