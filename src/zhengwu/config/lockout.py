"""Whose account a failed sign-in counts against (登录锁定)."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest


def account(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str:
    """The account name that was typed: `username` in code, `login` in the form."""
    if credentials and credentials.get("username"):
        return credentials["username"]
    return request.POST.get("login", "")
