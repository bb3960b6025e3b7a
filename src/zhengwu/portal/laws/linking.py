"""Citations of law in a text (引用的法条) as links to the words of the article."""

from __future__ import annotations

from functools import lru_cache

from django.urls import reverse
from markupsafe import Markup, escape

from zhengwu.catalog import laws


@lru_cache(maxsize=8192)
def cited(text: str) -> Markup:
    """The text with every citation that we hold the article of behind a link; the rest as it is."""
    made = Markup("")
    for piece in laws.linked(text):
        if piece.law:
            address = reverse("law", args=[piece.law])
            made += Markup('<a href="{}{}">{}</a>').format(
                address, f"#{piece.anchor}" if piece.anchor else "", piece.text
            )
        else:
            made += escape(piece.text)
    return made
