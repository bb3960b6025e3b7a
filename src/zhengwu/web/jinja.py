"""The Jinja environment of all our pages (模板环境)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.templatetags.static import static as stored
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined, Template, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from jinja2.utils import internalcode
from markupsafe import Markup, _escape_inner  # type: ignore[attr-defined]

from zhengwu.web import paging, words
from zhengwu.web.clock import now


def url(name: str, *values: str | int, **query: str | int) -> str:
    """The address of a named page; keyword arguments become its query string."""
    address = _address(name, values)
    if not query:
        return address
    return f"{address}?{urlencode(query)}"


@lru_cache(maxsize=4_096)
def _address(name: str, values: tuple[str | int, ...]) -> str:
    """A page names the same few addresses again and again; finding one takes tens of microseconds."""
    if values and all(type(one) is str and PLAIN.fullmatch(one) for one in values):
        pieces = _pieces(name, len(values))
        if pieces:
            return "".join(map("".join, zip(pieces, (*map(str, values), ""), strict=True)))
    return reverse(name, args=values)


PLAIN = re.compile(r"[A-Za-z0-9-]{1,40}")  # in an address as it is; no pattern of ours is narrower
PROBES = ("zw{}zw", "Q{}", "{}0-0")  # the like of numbers, codes and names


@lru_cache(maxsize=512)
def _pieces(name: str, many: int) -> tuple[str, ...] | None:
    """What stands before, between and behind the values of an address, where that is the same for
    all plain ones; None where it is not, or where not all of them fit."""
    found = set()
    for probe in PROBES:
        marks = [probe.format(701 + n) for n in range(many)]
        try:
            rest = reverse(name, args=marks)
        except NoReverseMatch:
            return None
        pieces = []
        for mark in marks:
            piece, _, rest = rest.partition(mark)
            pieces.append(piece)
        found.add((*pieces, rest))
    return found.pop() if len(found) == 1 else None


@receiver(setting_changed)
def _forget(*, setting: str, **_: object) -> None:
    """Where other addresses hold for a while (tests), none of these is right."""
    if setting == "ROOT_URLCONF":
        _address.cache_clear()
        _pieces.cache_clear()


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

    def writeline(self, x: str, node: nodes.Node | None = None, extra: int = 0) -> None:
        """A block goes up in one piece, not each of its pieces through all that stands around it."""
        if x.startswith("yield from "):
            x = f"yield environment.concat({x.removeprefix('yield from ')})"
        super().writeline(x, node, extra)


PLAINLY = frozenset((FunctionType, MethodType, BuiltinFunctionType, Macro))


class Names(Context):
    """Jinja's context, which calls a macro or a plain function without first looking three times at
    what it might be: a twentieth of what a page's drawing costs."""

    @internalcode
    def call(self, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        kind = type(obj)
        if kind in PLAINLY and (kind is Macro or not hasattr(obj, "jinja_pass_arg")):
            if kwargs:
                kwargs.pop("_block_vars", None)
                kwargs.pop("_loop_vars", None)
            return obj(*args, **kwargs)
        return super().call(obj, *args, **kwargs)


def written(value: Any) -> str:
    """A value as it stands in a page: what is markup as it is, all else escaped."""
    kind = type(value)
    if kind is Markup:
        return cast(str, value)
    if kind is not str:
        if hasattr(value, "__html__"):
            return cast(str, value.__html__())
        value = str(value)
    text: str = _escape_inner(value)
    return text


class Page(Template):
    """A template; components that several templates of one page import are made once for it."""

    def make_module(
        self,
        vars: dict[str, Any] | None = None,
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,
    ) -> TemplateModule:
        made = vars.get("components") if vars and shared and self.name in COMPONENTS else None
        if made is None:
            return super().make_module(vars, shared, locals)
        if self.name not in made:
            made[self.name] = super().make_module(vars, shared, locals)
        module: TemplateModule = made[self.name]
        return module


# They know of a page what `shell` says, and nothing that a template sets.
COMPONENTS = frozenset(("ui.html.j2", "clock.html.j2"))


class Pages(Environment):
    """Jinja's environment, with that generator."""

    code_generator_class = Generator
    template_class = Page
    context_class = Names
    written = staticmethod(written)


def _today(context: Context) -> date | None:
    day = context.parent.get("this_day")
    if day is not None:
        return cast(date, day)
    at = context.get("now")
    return words.local(at).date() if isinstance(at, datetime) else None


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
    at = now()
    return {
        "now": at,
        "this_day": words.local(at).date(),
        "components": {},
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
