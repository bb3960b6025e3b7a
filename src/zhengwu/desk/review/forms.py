"""One form for all acts of the review page (审查): an opinion, the list, what single acts ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.http import QueryDict

from zhengwu.cases.queries import ActOffer, CaseView
from zhengwu.desk.case.forms import first_of, several
from zhengwu.domain.refusal import Refusal
from zhengwu.web.forms import Form, Line, Paragraphs

LONGEST = 4_000
# Which of an act's fields the one opinion on the page is.
OPINION = {
    "step_done": "opinion",
    "granted": "reasons",
    "refused": "reasons",
    "step_returned": "reasons",
    "suspended": "reasons",
    "resumed": "result",
    "opinion_requested": "question",
    "opinion_given": "opinion",
    "extended": "reasons",
    "forwarded": "opinion",
}
# The acts with a button of their own, the first offered of which is the blue one.
MAIN = ("step_taken", "granted", "step_done", "opinion_given", "resumed", "refused")
# The acts behind a small button, with what they ask for.
MORE = ("step_returned", "suspended", "opinion_requested", "extended", "forwarded", "came_back")
CHECKED = ("step_done", "granted", "refused")
ANSWERS = (("yes", "符合", "ok"), ("no", "不符合", "bad"))


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the review list (审查清单). sheet: the material to look at, if it is one.

    before: what was ticked at an earlier step, and by whom.
    """

    code: str
    text: str
    basis: str
    sheet: str
    before: tuple[str, str] | None


def points(view: CaseView) -> tuple[Point, ...]:
    """The list of a case: each material of its item, and the conditions of the law."""
    before: dict[str, tuple[str, str]] = {}
    for line in view.story:
        if not line.gone:
            before |= {code: (line.person or line.who, answer) for code, answer in line.checks}
    rows = [(f"m-{m.code}", f"《{m.name}》内容真实、符合要求", "", m.code) for m in view.materials]
    basis = view.item.basis if view.item else ""
    rows.append(("law", "申请符合法定条件、标准", basis, ""))
    return tuple(
        Point(code, text, basis, sheet, before.get(code)) for code, text, basis, sheet in rows
    )


class ReviewForm(Form):
    """The fields by what is offered; what they must hold is decided by the service."""

    def __init__(
        self,
        offers: tuple[ActOffer, ...],
        listed: tuple[Point, ...],
        data: QueryDict | None = None,
        initial: Mapping[str, str | Sequence[str]] | None = None,
    ) -> None:
        super().__init__(data, auto_id="id_%s")
        kept = dict(initial or {})
        self.offers = {one.kind: one for one in offers if one.kind in (*MAIN, *MORE)}
        self.extra: dict[str, dict[str, str]] = {}
        self.points = listed
        self.fields["opinion"] = Paragraphs(label="我的意见", required=False)
        for point in listed:
            self.fields[f"check-{point.code}"] = forms.CharField(label=point.text, required=False)
        for kind, offer in self.offers.items():
            self.extra[kind] = {}
            for ask in offer.asks:
                if ask.kind == "file" or ask.name == OPINION.get(kind):
                    continue
                name = f"{kind}-{ask.name}"
                choices = offer.targets if ask.kind == "colleague" else ask.choices
                field: forms.Field = Line(label=ask.zh, required=ask.required)
                if ask.kind in ("choice", "colleague"):
                    field = forms.ChoiceField(
                        label=ask.zh, required=ask.required, choices=list(choices)
                    )
                elif ask.kind == "long":
                    field = Paragraphs(label=ask.zh, required=ask.required)
                elif ask.kind == "several":
                    field = several(ask.zh, ask.choices, required=ask.required)
                    self.initial[name] = first_of(ask, kept.pop(name, None))
                field.widget.is_required = False
                self.fields[name] = field
                self.extra[kind][name] = ask.kind
        for name, text in kept.items():
            self.initial[name] = text if isinstance(text, str) else (text[-1] if text else "")

    def words(self, kind: str) -> dict[str, str]:
        """What was typed for one act, for the service."""
        typed = {name: str(self.data.get(name, ""))[:LONGEST] for name in self.fields}
        words = {}
        for name, asked in self.extra.get(kind, {}).items():
            if asked == "several":
                typed[name] = ",".join(cast(QueryDict, self.data).getlist(name))[:LONGEST]
            words[name.removeprefix(f"{kind}-")] = typed[name]
        if kind in OPINION:
            words[OPINION[kind]] = typed["opinion"]
        if kind in CHECKED:
            words |= {
                f"check-{p.code}": typed[f"check-{p.code}"]
                for p in self.points
                if typed[f"check-{p.code}"] in ("yes", "no")
            }
        return words

    def unmet(self) -> Refusal | None:
        """What the list says against granting (行政许可法 38: granted to what conforms)."""
        for point in self.points:
            if self.data.get(f"check-{point.code}") == "no":
                return Refusal(
                    "review.unmet",
                    f"清单里“{point.text}”选的是不符合，不能同时准予。请核对清单，或者作出其他决定。",
                    article="行政许可法 第三十八条",
                    field=f"check-{point.code}",
                )
        return None

    def say(self, kind: str, refusals: tuple[Refusal, ...]) -> None:
        """Refusals of an act, each at its field."""
        self.is_valid()
        self.errors.clear()
        for one in refusals:
            field = one.field or ""
            place = "opinion" if field == OPINION.get(kind) else f"{kind}-{field}"
            if field in self.fields:
                place = field
            self.refuse(Refusal(one.code, one.sentence, article=one.article, field=place))


def shown(form: ReviewForm) -> dict[str, Any]:
    """The acts as the page arranges them."""
    main = [form.offers[kind] for kind in MAIN if kind in form.offers]
    return {
        "main": main,
        "several": [
            name
            for one in main
            for name, asked in form.extra[one.kind].items()
            if asked == "several"
        ],
        "more": [form.offers[kind] for kind in MORE if kind in form.offers],
        "judges": any(kind in form.offers for kind in CHECKED),
        "writes": any(kind in OPINION for kind in form.offers),
    }
