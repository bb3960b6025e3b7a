"""The addresses that pages write: put together from their pieces, the same that Django finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from jinja2 import FileSystemLoader

from zhengwu.web import jinja
from zhengwu.web.jinja import _pieces, environment, shell, url


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("desk:case", ("JC202609140001",)),
        ("desk:act", ("JC202609140001", "entry_withdrawn")),  # not a plain word: asked for
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
    assert _pieces("desk:case", 1) == (reverse("desk:case", args=["x"]).removesuffix("x"), "")
    assert _pieces("desk:case", 2) is None
    assert _pieces("home", 3) is None


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
