"""The addresses that pages write: put together from their pieces, the same that Django finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError
from markupsafe import Markup

from zhengwu.web import jinja
from zhengwu.web.jinja import _pieces, environment, shell, url


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("desk:case", ("JC202609140001",)),
        ("desk:act", ("JC202609140001", "entry_withdrawn")),  # with a low line
        ("desk:act", ("JC202609140001", "accepted")),
        ("desk:document", ("JC202609140001", "7F3KQ2MNPX")),
        ("item", ("XK0036",)),
        ("law", ("行政许可法",)),
    ],
)
def test_an_address_is_the_one_that_django_finds(name: str, values: tuple[str, ...]) -> None:
    try:
        found = reverse(name, args=values)
    except NoReverseMatch:
        with pytest.raises(NoReverseMatch):
            url(name, *values)
    else:
        assert url(name, *values) == found


def test_only_what_fits_every_plain_word_is_put_together() -> None:
    before = reverse("desk:case", args=["x"]).removesuffix("x")
    assert _pieces("desk:case", (False,)) == (before, "")
    assert _pieces("desk:act", (False, True)) == (before, "/acts/", "")
    assert _pieces("desk:case", (False, False)) is None
    assert _pieces("home", (False,) * 3) is None


def test_a_value_that_fits_no_address_is_refused_as_ever() -> None:
    with pytest.raises(NoReverseMatch):
        url("desk:case", "a/b")


def test_a_component_is_made_once_for_a_page_and_anew_for_the_next() -> None:
    env = environment()
    env.loader = FileSystemLoader(Path(jinja.__file__).parent / "templates")
    page = env.from_string(
        '{% import "ui.html.j2" as one with context %}{% import "ui.html.j2" as two with context %}'
        "{{ one is sameas two }} {{ two.hidden('k') }}"
    )
    first, second = (page.render(**shell(RequestFactory().get("/"))) for _ in range(2))
    assert first.startswith("True ")
    assert 'name="csrfmiddlewaretoken"' in first
    assert first != second  # another page, another token in its forms


TANGLED = """{% macro tag(text, tone="n") %}<i class="{{ tone }}">{{ text }}</i>{% endmacro %}
{% macro around() %}<u>{{ caller() }}{{ varargs|join }}</u>{% endmacro %}
{% macro silent() %}{% endmacro %}
{% for one in rows %}
<p{% if one.warn %} title="{{ one.warn }}"{% elif one.late %} late{% elif loop.first %} first{% else %}{% endif %}>{{ one.name or "—" }}
{% if one.warn %}{% if one.late %}both{% else %}{{ tag(one.name) }}{% endif %}{% endif %}{{ tag(one.name, tone="<b>") }}{{ silent() }}</p>
{% if one.late %}{% set seen = one.name %}{{ seen }}{% endif %}
{% else %}none{% endfor %}
{% call around("x", "y") %}{{ rows|length }}<{{ "&" }}{% endcall %}{{ safe }}{{ {"a": 1}.a }}{{ 7 }}"""


def test_what_is_put_together_is_what_jinja_draws() -> None:
    ours = environment()
    theirs = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    rows = [
        {"name": "<李>", "warn": 'a"b', "late": late, "more": None} for late in (True, False)
    ] + [{"name": "", "warn": "", "late": late} for late in (True, False)]
    for given in (rows, rows[2:], rows[3:], []):
        known = {"rows": given, "safe": Markup("<hr>")}
        assert ours.from_string(TANGLED).render(known) == theirs.from_string(TANGLED).render(known)


def test_an_unknown_name_is_an_error_where_it_is_said_and_nowhere_else() -> None:
    page = environment().from_string("a{% if told %}{{ nowhere }}{% endif %}{{ one.nothing }}b")
    with pytest.raises(UndefinedError, match="nowhere"):
        page.render(told=True, one={"nothing": ""})
    assert page.render(told=False, one={"nothing": ""}) == "ab"
    with pytest.raises(UndefinedError, match="nothing"):
        page.render(told=False, one=object())


def test_what_hangs_on_roles_alone_is_drawn_once_for_them() -> None:
    page = environment().from_string(
        "{% macro drawn() %}{{ next(turns) }}<b>{% endmacro %}{{ drawn_once(drawn, roles, folder) }}"
    )
    turns = iter(range(10))
    said = [
        page.render(turns=turns, next=next, roles=frozenset(roles), folder=folder)
        for roles, folder in (("a", None), ("a", None), ("ab", None), ("a", "day"), ("a", "day"))
    ]
    assert said == ["0<b>", "0<b>", "1<b>", "2<b>", "2<b>"]
