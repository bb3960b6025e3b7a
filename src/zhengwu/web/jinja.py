"""The Jinja environment of all our pages (模板环境)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import get_urlconf, reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined, pass_context
from jinja2.runtime import Context

from zhengwu.web import paging, words
from zhengwu.web.clock import now


def url(name: str, *values: str | int, **query: str | int) -> str:
    """The address of a named page; keyword arguments become its query string."""
    address = _address(name, values, get_urlconf())
    if not query:
        return address
    return f"{address}?{urlencode(query)}"


@lru_cache(maxsize=4_096)
def _address(name: str, values: tuple[str | int, ...], urlconf: str | None) -> str:
    """A page names the same few addresses again and again; finding one takes tens of microseconds."""
    return reverse(name, urlconf=urlconf, args=values)


def _today(context: Context) -> date | None:
    at = context.get("now")
    return words.local(at).date() if isinstance(at, datetime) else None


def _dated(write: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def written(context: Context, value: Any, **options: bool) -> str:
        return write(value, today=_today(context), **options)

    return written


def environment(**options: Any) -> Environment:
    """Autoescaping, Chinese dates, masked names; an unknown name in a template is an error."""
    options |= {
        "autoescape": True,
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "extensions": ["jinja2.ext.i18n"],
    }
    env = Environment(**options)  # noqa: S701 - autoescape is set above
    env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(
        static=static, url=url, page_window=paging.window, with_query=paging.with_query
    )
    env.filters.update(
        stamp=_dated(words.stamp),
        short_day=_dated(words.short_day),
        day_zh=_dated(words.day_zh),
        moment_zh=_dated(words.moment_zh),
        due_zh=_dated(words.due_zh),
        clock=words.clock,
        span_zh=words.span_zh,
        span_digits=words.span_digits,
        masked=words.masked,
        sourced=words.sourced,
        file_size=words.file_size,
    )
    return env


def shell(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame needs; asks the database nothing."""
    return {
        "now": now(),
        "elder": request.COOKIES.get("zw_elder") == "1",
        "demo": settings.DEMO,
        "site": SITE,
    }


# Where the platform runs. The demo city; a real one sets its own.
SITE = {
    "name": "江城市政务服务网",
    "motto": "一门受理 · 限时办结 · 联合审批 · 统一收费",
    "owner": "江城市政务服务和大数据管理局",
    "hotline": "027-12345",
    "code": "4201000001",
}
