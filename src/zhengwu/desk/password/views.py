"""Changing one's own password (修改密码)."""

from __future__ import annotations

from typing import Any

from allauth.account.views import PasswordChangeView
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from zhengwu.accounts import queries as accounts


class Change(PasswordChangeView):  # type: ignore[misc]
    """The old password once, the new one twice; every other session of theirs ends."""

    template_name = "desk/password/change.html.j2"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and request.user.has_usable_password():
            answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
            return answer
        # Signed in by other means than a password of ours: there is nothing here to change.
        return render(request, self.template_name, self._frame() | {"form": None})

    def get_default_success_url(self) -> str:
        return reverse("desk:inbox")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | self._frame()

    def _frame(self) -> dict[str, Any]:
        return {"actor": accounts.actor_of(self.request.user), "folder": "password"}


change = never_cache(Change.as_view())
