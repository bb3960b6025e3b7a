"""The door of the desk (工作台入口): who comes in, and how a "no" looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

from zhengwu.accounts import queries as accounts
from zhengwu.cases.services import CaseNotFound
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web import errors
from zhengwu.web.clock import now


def desk(may: str | None = None) -> Callable[[Callable[..., HttpResponseBase]], Any]:
    """Lets in staff who are signed in and may do ``may`` (an act's name; None: any staff).

    A case that is not there and a case that is not theirs are the same 404.
    """

    def guarded(view: Callable[..., HttpResponseBase]) -> Any:
        @wraps(view)
        def entered(request: HttpRequest, **parts: str) -> HttpResponseBase:
            if not request.user.is_authenticated:
                raise PermissionDenied
            actor = accounts.actor_of(request.user, at=now())
            if may is not None and not actor.may(may):
                raise PermissionDenied
            try:
                return view(request, actor, **parts)
            except CaseNotFound:
                raise Http404 from None
            except Refusal as refusal:
                return errors.refused(request, refusal)
            except Refusals as several:
                return errors.refused(request, several.refusals[0])

        return login_required(never_cache(entered))

    return guarded
