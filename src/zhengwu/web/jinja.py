"""The Jinja environment of all our pages (模板环境)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache, lru_cache, partial
from itertools import groupby
from keyword import iskeyword
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest
from django.templatetags.static import static as stored
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined, Template, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from jinja2.utils import internalcode, missing
from markupsafe import Markup, _escape_inner  # type: ignore[attr-defined]

from zhengwu.web import paging, words
from zhengwu.web.clock import now
from zhengwu.web.form_token import form_token

log = logging.getLogger(__name__)


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
        pieces = _pieces(name, tuple("_" in str(one) for one in values))
        if pieces:
            return "".join(map("".join, zip(pieces, (*map(str, values), ""), strict=True)))
    return reverse(name, args=values)


# In an address as it is; no pattern of ours is narrower, but for what has a low line in it.
PLAIN = re.compile(r"[A-Za-z0-9_-]{1,40}")
PROBES = ("zw{}zw", "Q{}", "{}0-0")  # the like of numbers, codes and names


@lru_cache(maxsize=512)
def _pieces(name: str, low_lines: tuple[bool, ...]) -> tuple[str, ...] | None:
    """What stands before, between and behind the values of an address, where that is the same for
    all plain ones; None where it is not, or where not all of them fit. low_lines: which values have
    a low line, as the names of acts do."""
    found = set()
    for probe in PROBES:
        marks = [probe.format(701 + n) + ("_z" if low else "") for n, low in enumerate(low_lines)]
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
        _kept.clear()


_kept: dict[tuple[object, ...], str] = {}
MOST_KEPT = 10_000


def drawn_once(draw: Macro, *of: object) -> str:
    """What a macro draws, drawn once for all that it depends on (`of`): what is the same on every
    page. A macro with arguments is given `of` and may read nothing else; one without reads it where it
    stands. Nothing of a person may be in it, nor of the moment."""
    key = (draw._func.__code__, *of)
    drawn = _kept.get(key)
    if drawn is None:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        drawn = _kept[key] = draw(*of) if draw.arguments else draw()
    return drawn


@lru_cache(maxsize=256)
def static(name: str) -> str:
    """The address of a static file. What was collected stays as it is while a process lives."""
    return stored(name)


class Generator(CodeGenerator):
    """Writes what stands in braces as text at once: `escape` would make an object of every word of
    a page, to be joined a moment later. And what stands together goes up together, with the ifs that
    hold nothing but text: a row of a table in one piece instead of thirty."""

    components: frozenset[str] = frozenset()

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        self.components = frozenset(one.target for one in node.find_all(nodes.Import))
        super().visit_Template(node, frame)

    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("written = environment.written")
        self.writeline("escaped = environment.escaped")
        self.writeline("Macro = environment.part")

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        if frame.require_output_check or frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super().blockvisit(nodes, frame)
            return
        self.writeline("pass")
        for together, several in groupby(nodes, _is_text):
            if not together:
                super().blockvisit(several, frame)
                continue
            self.writeline("yield concat((" if frame.buffer is None else f"{frame.buffer}.extend((")
            self._text(several, frame)
            self.write("))")

    def _text(self, several: Iterable[nodes.Node], frame: Frame) -> None:
        """The pieces, each with a comma."""
        finalize = self._make_finalize()
        plain: list[Any] = []

        def told() -> None:
            if plain:
                self.write(self._output_const_repr(plain) + ", ")
                plain.clear()

        for node in several:
            if isinstance(node, nodes.If):
                told()
                self._either(node, (*node.elif_,), frame)
                self.write(", ")
                continue
            for child in cast(nodes.Output, node).nodes:
                try:
                    plain.append(self._output_child_to_const(child, frame, finalize))
                except Exception:
                    told()
                    self.newline(child)
                    self.write("(escaped(one) if (kind := type(one := ")
                    self.visit(child, frame)
                    self.write(")) is str else one if kind is Markup else written(one)), ")
        told()

    def _either(self, node: nodes.If, others: tuple[nodes.If, ...], frame: Frame) -> None:
        """One of several texts, or none."""
        self.newline(node)
        self.write("(concat((")
        self._text(node.body, frame)
        self.write(")) if ")
        self.visit(node.test, frame)
        self.write(" else ")
        if others:
            self._either(
                nodes.If(others[0].test, others[0].body, [], node.else_, lineno=others[0].lineno),
                others[1:], frame,
            )  # fmt: skip
        elif node.else_:
            self.write("concat((")
            self._text(node.else_, frame)
            self.write("))")
        else:
            self.write("''")
        self.write(")")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        """What a thing calls by this name, and nothing else: a page asks a thousand times. What stands
        in a mapping is asked in brackets. See `Page.render`."""
        if iskeyword(node.attr):
            super().visit_Getattr(node, frame)
            return
        self.write("(")
        self.visit(node.node, frame)
        self.write(f").{node.attr}")

    @optimizeconst
    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        """Without the names of loops and blocks beside the arguments: they are for functions that
        ask for the context. Of those that we call there are gettext's alone, which do not look. What
        is known to be no macro is called straight away."""
        if not forward_caller and self._straight(node):
            self.write("(")
            self.visit(node.node, frame)
            self.write(")(")
            for one in node.args:
                self.visit(one, frame)
                self.write(", ")
            for named in node.kwargs:
                self.write(f"{named.key}=")
                self.visit(named.value, frame)
                self.write(", ")
            self.write(")")
            return
        self.write("context.call(")
        self.visit(node.node, frame)
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write(")")

    def _straight(self, node: nodes.Call) -> bool:
        """Whether it calls a function of the environment that asks for no context, or what a thing
        that is no component calls by a name."""
        if node.dyn_args or node.dyn_kwargs or any(iskeyword(one.key) for one in node.kwargs):
            return False
        called = node.node
        if isinstance(called, nodes.Name):
            return called.name in GLOBALS
        return isinstance(called, nodes.Getattr) and not (
            isinstance(called.node, nodes.Name) and called.node.name in self.components
        )

    def visit_CondExpr(self, node: nodes.CondExpr, frame: Frame) -> None:
        """An if without an else is nothing: not an object that says why it is nothing."""
        if node.expr2 is None:
            node.expr2 = nodes.Const("")
        super().visit_CondExpr(node, frame)

    def writeline(self, x: str, node: nodes.Node | None = None, extra: int = 0) -> None:
        """A block goes up in one piece, not each of its pieces through all that stands around it."""
        if x.startswith("yield from "):
            x = f"yield environment.concat({x.removeprefix('yield from ')})"
        super().writeline(x, node, extra)


class CarefulGenerator(Generator):
    """The same, but that a dot also asks what stands in a mapping, as Jinja has it."""

    visit_Getattr = CodeGenerator.visit_Getattr


def _is_text(node: nodes.Node) -> bool:
    """Whether it only says something, or not."""
    if isinstance(node, nodes.If):
        inside = (*node.body, *node.else_, *(one for other in node.elif_ for one in other.body))
        return all(map(_is_text, inside))
    return isinstance(node, nodes.Output)


class Part(Macro):
    """A macro. lacking: what stands for the arguments that are not given, by the number of those that
    are; of one that takes what it names and nothing else."""

    def __init__(self, *of: Any) -> None:
        super().__init__(*of)
        plain = not (self.caller or self.catch_kwargs or self.catch_varargs)
        count = len(self.arguments) if plain else -1
        self.lacking = {n: (missing,) * (count - n) for n in range(count + 1)}


PLAINLY = frozenset((FunctionType, MethodType, BuiltinFunctionType))


class Names(Context):
    """Jinja's context, which calls a macro or a plain function without first looking three times at
    what it might be: a twentieth of what a page's drawing costs."""

    @internalcode
    def call(self, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        kind = type(obj)
        if kind is Part:
            lacking = obj.lacking.get(len(args))
            if lacking is None:
                return obj(*args, **kwargs)  # which says what is wrong
            if kwargs:
                given = [kwargs.pop(name, missing) for name in obj.arguments[len(args) :]]
                if kwargs:
                    return obj(*args, **kwargs)
                return str.__new__(Markup, obj._func(*args, *given))
            return str.__new__(Markup, obj._func(*args, *lacking))
        if kind in PLAINLY and not hasattr(obj, "jinja_pass_arg"):
            return obj(*args, **kwargs)
        return super().call(obj, *args, **kwargs)


def written(value: Any) -> str:
    """A value as it stands in a page: what is markup as it is, all else escaped."""
    kind = type(value)
    text: str
    if kind is Markup:
        text = value
    elif kind is str:
        text = _escape_inner(value)
    elif hasattr(value, "__html__"):
        text = value.__html__()
    else:
        text = _escape_inner(str(value))
    return text


_drawn: ContextVar[Mapping[str, Any]] = ContextVar("drawn")


def of_page(name: str) -> Any:
    """What the page that is being drawn calls by this name, for a macro of a component: it is
    imported without a context, so that it is made once and not once a page."""
    drawn = _drawn.get({})
    return drawn[name] if name in drawn else StrictUndefined(name=name)


_wrong: set[tuple[str, int]] = set()


def _asked_at(problem: AttributeError) -> tuple[str, int] | None:
    """File and line of the template that asked; None where something of ours did, called by it."""
    at = problem.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    # Jinja puts a frame of its own in the place of a template's.
    if at is None or "__jinja_exception__" not in at.tb_frame.f_globals:
        return None
    return at.tb_frame.f_code.co_filename, at.tb_lineno


class Page(Template):
    """A template; while it is drawn, `of_page` tells what it was given."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        token = _drawn.set(args[0] if args else kwargs)
        try:
            return super().render(*args, **kwargs)
        except AttributeError as problem:
            # A place that no test has drawn asks with a dot for what is in a mapping, or for what is
            # not always there. Whoever came for the page gets it; we get the place.
            careful = cast(Pages, self.environment).careful
            place = _asked_at(problem)
            if settings.STRICT_PAGES or careful is None or self.name is None or place is None:
                raise
            if place not in _wrong:
                _wrong.add(place)
                log.error("%s, line %s: a dot asks for what is not there: %s", *place, problem)
            return careful().get_template(self.name).render(*args, **kwargs)
        finally:
            _drawn.reset(token)

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        """Without looking for names of this template's own: ours have none but the environment's.

        It is made while nothing is drawn: what belongs to one page may stand in macros alone. Where
        templates are read anew when they change, it is made anew, too.
        """
        if self._module is not None and not self.environment.auto_reload:
            return self._module
        token = _drawn.set({})
        try:
            self._module = self.make_module()
        finally:
            _drawn.reset(token)
        return self._module


class Pages(Environment):
    """Jinja's environment, with that generator."""

    code_generator_class = Generator
    template_class = Page
    context_class = Names
    part = Part
    careful: Callable[[], Environment] | None = None  # the same, more slowly
    written = staticmethod(written)
    escaped = staticmethod(_escape_inner)


GLOBALS: Mapping[str, Callable[..., Any]] = {
    "static": static,
    "url": url,
    "page_window": paging.window,
    "with_query": paging.with_query,
    "drawn_once": drawn_once,
    "of_page": of_page,
}


class CarefulPages(Pages):
    code_generator_class = CarefulGenerator


def _today(context: Context) -> date | None:
    page: Mapping[str, Any] = _drawn.get(context.parent)
    day: date | None = page.get("this_day")
    if day is None and isinstance(at := page.get("now"), datetime):
        return words.local(at).date()
    return day


def _dated(write: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def told(context: Context, value: Any, **options: bool) -> str:
        return write(value, today=_today(context), **options)

    return told


def environment(**options: Any) -> Environment:
    """Autoescaping, Chinese dates, masked names; an unknown name in a template is an error."""
    env = _environment(Pages, options)
    env.careful = cache(partial(_environment, CarefulPages, options))
    return env


def _environment(kind: type[Pages], options: Mapping[str, Any]) -> Pages:
    options = {
        **options,
        "autoescape": True,
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "extensions": ["jinja2.ext.i18n"],
    }
    env = kind(**options)
    env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(GLOBALS)
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
        getattr=getattr,  # for what a thing may lack
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
            token = form_token(self._request)
            self._written = f'<input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
        return self._written

    __str__ = __html__


def shell(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame needs; asks the database nothing."""
    at = now()
    return {
        "now": at,
        "this_day": words.local(at).date(),
        "elder": request.COOKIES.get("zw_elder") == "1",
        "demo": settings.DEMO,
        "site": SITE,
        "csrf_input": TokenField(request),
    }


class Site(NamedTuple):
    """Where the platform runs: as the pages call it, and its code in the register of sites."""

    name: str
    motto: str
    owner: str
    hotline: str
    code: str


# The demo city; a real one sets its own.
SITE = Site(
    name="江城市政务服务网",
    motto="一门受理 · 限时办结 · 联合审批 · 统一收费",
    owner="江城市政务服务和大数据管理局",
    hotline="027-12345",
    code="4201000001",
)
