"""The addresses that pages write: put together from their pieces, the same that Django finds."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from django.middleware.csrf import (  # type: ignore[attr-defined]
    CSRF_ALLOWED_CHARS,
    CSRF_SECRET_LENGTH,
    _check_token_format,
    _does_token_match,
)
from django.test import RequestFactory, override_settings
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError
from markupsafe import Markup

from zhengwu.web import form_token, jinja
from zhengwu.web.jinja import SITE, _pieces, environment, of_page, shell, url


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


COMPONENT = """{% macro token() %}{{ of_page("csrf_input") }}{% endmacro %}
{% macro day(at) %}{{ at|stamp }}{% endmacro %}"""
PAGE = """{% import "part" as one %}{% import "part" as two %}\
{{ one is sameas two }}|{{ one.day(at) }}|{{ one.token() }}|{{ kept(one) }}"""


def test_a_component_is_made_once_and_knows_of_the_page_that_is_drawn() -> None:
    env = environment(auto_reload=False)  # as everywhere but where pages are being written
    env.loader = DictLoader({"part": COMPONENT, "page": PAGE})
    page = env.get_template("page")
    kept: list[object] = []
    at = datetime(2026, 12, 31, 17, tzinfo=UTC)  # in Shanghai the first hour of the next year

    def drawn(day: date) -> list[str]:
        told = {**shell(RequestFactory().get("/")), "this_day": day, "at": at, "kept": kept.append}
        return page.render(told).split("|")

    first, second = drawn(date(2027, 5, 1)), drawn(date(2026, 12, 31))
    assert first[:2] == ["True", "01-01 01:00"]
    assert second[:2] == ["True", "2027-01-01 01:00"]
    assert 'name="csrfmiddlewaretoken"' in first[2]
    assert first[2] != second[2]  # another page, another token in its forms
    assert kept[0] is kept[1]
    assert isinstance(of_page("csrf_input"), StrictUndefined)  # nothing is being drawn


def test_what_belongs_to_one_page_may_stand_in_the_macros_of_a_component_alone() -> None:
    env = environment()
    wrong = {
        "part": '{% set token = of_page("csrf_input") ~ "" %}',
        "page": '{% import "part" as p %}',
    }
    env.loader = DictLoader(wrong)
    for _ in range(2):
        with pytest.raises(UndefinedError, match="csrf_input"):
            env.get_template("page").render(shell(RequestFactory().get("/")))


def test_a_text_behind_a_stand_in_is_written_as_the_text_it_is() -> None:
    page = environment().from_string("{{ one }}")
    assert page.render(one=SimpleLazyObject(lambda: "a<b")) == "a&lt;b"


def test_a_condition_without_an_else_says_nothing() -> None:
    page = environment().from_string("<{{ 'x' if told }}{{ ('y' if told) or 'z' }}>")
    assert (page.render(told=False), page.render(told=True)) == ("<z>", "<xy>")


@given(st.text(CSRF_ALLOWED_CHARS, min_size=CSRF_SECRET_LENGTH, max_size=CSRF_SECRET_LENGTH))
def test_django_reads_the_token_of_a_form_as_its_own(secret: str) -> None:
    tokens = {form_token.masked(secret) for _ in range(20)}
    assert len(tokens) == 20  # never the same mask
    for token in tokens:
        _check_token_format(token)
        assert _does_token_match(token, secret)
        assert not _does_token_match(token, secret[::-1]) or secret == secret[::-1]


def test_every_letter_of_a_mask_comes_up_about_as_often() -> None:
    letters = Counter("".join(form_token.masked("a" * 32)[:32] for _ in range(2_000)))
    assert set(letters) == set(CSRF_ALLOWED_CHARS)
    mean = 2_000 * 32 / len(CSRF_ALLOWED_CHARS)
    # A letter that five of 256 bytes stand for instead of four comes 1,250 times instead of 1,032.
    assert all(abs(count - mean) < 5.5 * mean**0.5 for count in letters.values())


TANGLED = """{% macro tag(text, tone="n") %}<i class="{{ tone }}">{{ text }}</i>{% endmacro %}
{% macro around() %}<u>{{ caller() }}{{ varargs|join }}</u>{% endmacro %}
{% macro silent() %}{% endmacro %}
{% for one in rows %}
<p{% if one.warn %} title="{{ one.warn }}"{% elif one.late %} late{% elif loop.first %} first{% else %}{% endif %}>{{ one.name or "—" }}
{% if one.warn %}{% if one.late %}both{% else %}{{ tag(one.name) }}{% endif %}{% endif %}{{ tag(one.name, tone="<b>") }}{{ silent() }}</p>
{% if one.late %}{% set seen = one.name %}{{ seen }}{% endif %}
{% else %}none{% endfor %}
{% call around("x", "y") %}{{ rows|length }}<{{ "&" }}{% endcall %}{{ safe }}{{ {"a": 1}["a"] }}{{ 7 }}"""


def test_what_is_put_together_is_what_jinja_draws() -> None:
    ours = environment()
    theirs = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    rows = [
        SimpleNamespace(name="<李>", warn='a"b', late=late, more=None) for late in (True, False)
    ] + [SimpleNamespace(name="", warn="", late=late) for late in (True, False)]
    for several in (rows, rows[2:], rows[3:], []):
        known = {"rows": several, "safe": Markup("<hr>")}
        assert ours.from_string(TANGLED).render(known) == theirs.from_string(TANGLED).render(known)


def test_an_unknown_name_is_an_error_where_it_is_said_and_nowhere_else() -> None:
    page = environment().from_string("a{% if told %}{{ nowhere }}{% endif %}{{ one.nothing }}b")
    with pytest.raises(UndefinedError, match="nowhere"):
        page.render(told=True, one=SimpleNamespace(nothing=""))
    assert page.render(told=False, one=SimpleNamespace(nothing="")) == "ab"
    with pytest.raises(AttributeError, match="nothing"):
        page.render(told=False, one=object())


def test_a_page_with_a_wrong_dot_is_drawn_all_the_same_and_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jinja, "_wrong", set())
    pages = DictLoader(
        {
            "page": "{% import 'part' as part %}{{ part.row(one) }}{{ one.many|default('–') }}{{ site.name }}",
            "part": "{% macro row(one) %}<b>{{ one.said }}</b>{{ of_page('site').owner }}{% endmacro %}",
            "nowhere": "{{ one.nothing }}",
        }
    )
    known = environment(loader=pages)
    page = known.get_template("page")
    with pytest.raises(AttributeError, match="said"):
        page.render(one={"said": "<李>"}, site=SITE)
    with override_settings(STRICT_PAGES=False):
        for _ in range(2):
            drawn = page.render(one={"said": "<李>"}, site=SITE)
            assert drawn == f"<b>&lt;李&gt;</b>{SITE.owner}–{SITE.name}"
        (told,) = caplog.records
        assert told.levelname == "ERROR"
        assert "said" in told.getMessage()
        with pytest.raises(
            UndefinedError, match="nothing"
        ):  # what is nowhere is an error as before
            known.get_template("nowhere").render(one={})


def test_what_goes_wrong_in_a_thing_that_a_page_asks_is_not_drawn_over() -> None:
    class Broken:
        @property
        def said(self) -> str:
            return self.lacking  # type: ignore[attr-defined,no-any-return]

    page = environment(loader=DictLoader({"page": "{{ one.said }}"})).get_template("page")
    with override_settings(STRICT_PAGES=False), pytest.raises(AttributeError, match="lacking"):
        page.render(one=Broken())


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
