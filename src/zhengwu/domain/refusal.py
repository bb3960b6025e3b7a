"""The one shape of "no" (不予): a stable code, a sentence for a citizen, the article of law."""

from __future__ import annotations

from collections.abc import Iterable


class Refusal(Exception):
    """An act the law or the rules do not allow (拒绝).

    code: stable and dotted, for programs ("lifecycle.not_allowed").
    sentence: Chinese, says what is wrong and what to do; safe to show to anyone.
    article: where it stands ("行政许可法 第三十二条"), None where no law is behind it.
    field: the form field it belongs to, None for the whole.
    """

    def __init__(
        self, code: str, sentence: str, *, article: str | None = None, field: str | None = None
    ) -> None:
        super().__init__(code, sentence, article, field)
        self.code = code
        self.sentence = sentence
        self.article = article
        self.field = field

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}" + (f"（{self.article}）" if self.article else "")


class Refusals(Exception):
    """Everything that is wrong with a form, at once (一次性告知 applies to our forms too)."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(*self.refusals)
