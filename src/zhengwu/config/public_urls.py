"""What a stranger may open (公开网址). Every other address asks to sign in first.

A new page is closed until its name stands here with the reason; tests/accounts/test_url_walk.py
walks every address and knocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase

PUBLIC: Mapping[str, str] = {
    "healthz": "The load balancer asks whether the process lives; it says nothing else.",
    "readyz": "The load balancer asks whether to send visitors here; it says nothing else.",
    "metrics": "A program cannot sign in: the view itself asks for ZHENGWU_METRICS_TOKEN, and answers "
    "401 otherwise; without one only the demo answers, to its own machine.",
    "account_login": "The door itself.",
    "account_logout": "Signing out twice, or after the idle time-out, is no error.",
    "home": "Government information is public (政府信息公开条例 19); names are masked.",
    "elder": "Large letters: a cookie, no data.",
    "items": "What can be applied for must be shown to everybody (行政许可法 30).",
    "item": "The guide to one item must be shown to everybody (行政许可法 30).",
    "item-pdf": "The same to print.",
    "items-by": "The catalogue by department, theme and object (行政许可法 30).",
    "forms": "The forms of applications must be handed out to everybody (行政许可法 29).",
    "form": "One of the same, by the digest of its bytes; a form holds no personal data.",
    "laws": "Statutes are public; guides link to their articles.",
    "law": "The same.",
    "track": "The applicant asks without an account, with number and query code; attempts are counted.",
    "track-document": "The applicant's paper, by a signed token of half an hour from the page before.",
    "decisions": "Decisions that grant are public (行政许可法 40); names are masked when stored.",
    "decisions-export": "The same for download (政府信息公开条例 24), at most 5,000 rows.",
    "decisions-feed": "The newest of the same, to subscribe to.",
    "decision": "One of the same; its address tells nothing of the case.",
    "statistics": "Statistics are public (政府信息公开条例 19, 20); numbers that tell somebody apart are not.",
    "statistics-by": "The same by department, district, item, kind, channel and source.",
    "statistics-time": "The same: in whose hands the time went; agencies, no persons.",
    "statistics-restatements": "Which published figures were changed later.",
    "statistics-definitions": "What the published figures mean.",
    "statistics-data": "The tables of the same for download, and their licence.",
    "statistics-download": "One of the same (政府信息公开条例 24); made files are counted.",
    "track-twin": "The same paper in words, by the same token.",
    "track-why": "Why the applicant's dates are what they are, by the same kind of token.",
    "check": "Whoever is shown a document may ask whether it is genuine.",
    "check-code": "The same, from the QR code on the paper; attempts are counted.",
    "api:openapi-json": "What other systems may ask; a description, no data.",
    "api:api-root": "Answers that there is nothing.",
    "api:calendar-days": "Notices and arrangements of working days are for everybody; counted.",
    "api:calendar-add": "The same, with the count the law prescribes.",
    "api:calendar-between": "The same.",
    "api:items": "What can be applied for must be shown to everybody (行政许可法 30); counted.",
    "api:item": "One of the same, as of a day and at a place.",
    "api:item-guide": "The guide to one item must be shown to everybody (行政许可法 30); counted.",
    "api:item-versions": "What was published stays public (政府信息公开条例 19).",
    "api:statistics-definitions": "What the published figures mean (政府信息公开条例 19); counted.",
    "api:themes": "The catalogue by theme; the same as the page.",
    "api:departments": "The catalogue by organ; the same as the page.",
    "api-docs": "How other systems ask; a description, no data.",
    "api:clock": "The view itself asks for the query code (attempts are counted with those of the "
    "progress page), a token or a session, and answers 401 otherwise.",
    "api:time-ledger": "The same door.",
    "help": "How to use the site, accessibility and privacy statements.",
}


class SignInUnlessPublic(LoginRequiredMiddleware):
    """Sends whoever is not signed in to the sign-in page, before the view and for every method."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        if match is not None and (match.view_name in PUBLIC or match.namespace == "api"):
            # Each operation of the interface has a door of its own, and answers 401 in JSON.
            return None
        if request.user.is_authenticated:
            return None
        return self.handle_no_permission(request, view_func)
