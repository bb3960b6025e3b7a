"""Forms that answer in words (表单): plain Django forms, drawn by the macros of ui.html.j2."""

from __future__ import annotations

import unicodedata
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from zhengwu.domain.refusal import Refusal
from zhengwu.web import figures

REQUIRED = "请填写{label}"


def clean_text(value: str) -> str:
    """Without control and invisible direction characters; line ends as \\n; trimmed."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in value if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Cf"))
    return "".join(kept).strip()


class Line(forms.CharField):
    """One line of text (单行)."""

    def to_python(self, value: Any) -> str:
        return clean_text(super().to_python(value) or "").replace("\n", " ").replace("\t", " ")


class Paragraphs(forms.CharField):
    """Several lines of text (多行)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Textarea, **options)

    def to_python(self, value: Any) -> str:
        return clean_text(super().to_python(value) or "")


class Form(forms.Form):
    """A form whose complaints name their field in Chinese."""

    def __init__(self, data: QueryDict | dict[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        for field in self.fields.values():
            label = field.label or ""
            field.error_messages["required"] = REQUIRED.format(label=label)

    def refuse(self, refusal: Refusal) -> None:
        """Shows a refusal at its field, or at the top when the form has no such field."""
        figures.refused(refusal.code)
        sentence = refusal.sentence
        if refusal.article:
            sentence = f"{sentence}（{refusal.article}）"
        place = refusal.field if refusal.field in self.fields else None
        self.add_error(place, ValidationError(sentence, code=refusal.code))


def new_key() -> str:
    """An idempotency key for a fresh form (防重复提交的键)."""
    return str(uuid4())


def read_key(text: str | None) -> str:
    """The form's idempotency key; a form without a good one gets a new one."""
    try:
        return str(UUID(text or ""))
    except ValueError:
        return new_key()


def is_htmx(headers: Any) -> bool:
    """Whether only a piece of the page is wanted."""
    return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") is None
