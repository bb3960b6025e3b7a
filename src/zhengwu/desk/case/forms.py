"""The form of an act (办理), built from what the act asks for."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from zhengwu.cases.queries import ActOffer
from zhengwu.web.forms import Form, Line, Paragraphs

LONGEST = 4_000


class ActForm(Form):
    """Fields by the act's asks; what they must hold is decided by the service."""

    def __init__(self, offer: ActOffer, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id=f"id_{offer.kind}_%s")
        self.kinds: dict[str, str] = {}
        for ask in offer.asks:
            self.kinds[ask.name] = ask.kind
            self.fields[ask.name] = _field(
                ask.kind, ask.zh, ask.required, _choices(offer, ask.kind)
            )
            if ask.kind == "choice":
                self.fields[ask.name] = _field("choice", ask.zh, ask.required, ask.choices)
            # The service says what is missing, in the words of the act.
            self.fields[ask.name].widget.is_required = False

    def words(self) -> dict[str, str]:
        """What was typed, for the service; unknown choices too, so that it can refuse them."""
        return {name: str(self.data.get(name, ""))[:LONGEST] for name in self.fields}


def _choices(offer: ActOffer, kind: str) -> tuple[tuple[str, str], ...]:
    return offer.targets if kind == "colleague" else ()


def _field(
    kind: str, label: str, required: bool, choices: tuple[tuple[str, str], ...]
) -> forms.Field:
    if kind in ("choice", "colleague"):
        return forms.ChoiceField(label=label, required=required, choices=list(choices))
    if kind == "long":
        return Paragraphs(label=label, required=required)
    return Line(label=label, required=required)
