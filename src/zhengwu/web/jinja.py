"""The Jinja environment of all our pages (模板环境)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.templatetags.static import static as stored
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]

from zhengwu.web import paging, words
from zhengwu.web.clock import now


def url(name: str, *values: str | int, **query: str | int) -> str:
    """The address of a named page; keyword arguments become its query string."""
    address = _address(name, values, settings.ROOT_URLCONF)
    if not query:
        return address
    return f"{address}?{urlencode(query)}"


@lru_cache(maxsize=4_096)
def _address(name: str, values: tuple[str | int, ...], urlconf: str) -> str:
    """A page names the same few addresses again and again; finding one takes tens of microseconds."""
    return reverse(name, urlconf=urlconf, args=values)


@lru_cache(maxsize=256)
def static(name: str) -> str:
    """The address of a static file. What was collected stays as it is while a process lives."""
    return stored(name)


class Generator(CodeGenerator):
    """Writes what stands in braces as text at once: `escape` would make an object of every word of
    a page, to be joined a moment later."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
            return
        self.write("environment.written(")
        if finalize.src is not None:
            self.write(finalize.src)


def written(value: Any) -> str:
    """A value as it stands in a page: what is markup as it is, all else escaped."""
    kind = type(value)
    if kind is str:
        text: str = _escape_inner(value)
        return text
    return value if kind is Markup else escape(value)


class Pages(Environment):
    """Jinja's environment, with that generator."""

    code_generator_class = Generator
    written = staticmethod(written)


@lru_cache(maxsize=16)
def _day(at: datetime) -> date:
    return words.local(at).date()


def _today(context: Context) -> date | None:
    at = context.get("now")
    return _day(at) if isinstance(at, datetime) else None


def _dated(write: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def told(context: Context, value: Any, **options: bool) -> str:
        return write(value, today=_today(context), **options)

    return told


def environment(**options: Any) -> Environment:
    """Autoescaping, Chinese dates, masked names; an unknown name in a template is an error."""
    options |= {
        "autoescape": True,
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "extensions": ["jinja2.ext.i18n"],
    }
    env = Pages(**options)
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
        upto=words.upto,
    )
    return env


class TokenField:
    """The hidden field of every form of a page, masked once for the whole page; a page without a
    form asks for no token."""

    __slots__ = ("_request", "_written")

    def __init__(self, request: HttpRequest) -> None:
        self._request, self._written = request, ""

    def __html__(self) -> str:
        if not self._written:
            token = get_token(self._request)
            self._written = f'<input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
        return self._written

    __str__ = __html__


def shell(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame needs; asks the database nothing."""
    return {
        "now": now(),
        "elder": request.COOKIES.get("zw_elder") == "1",
        "demo": settings.DEMO,
        "site": SITE,
        "csrf_input": TokenField(request),
    }


# Where the platform runs. The demo city; a real one sets its own.
SITE = {
    "name": "江城市政务服务网",
    "motto": "一门受理 · 限时办结 · 联合审批 · 统一收费",
    "owner": "江城市政务服务和大数据管理局",
    "hotline": "027-12345",
    "code": "4201000001",
}
