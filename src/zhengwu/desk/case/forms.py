"""The form of an act (办理), built from what the act asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from zhengwu.accounts.queries import Actor
from zhengwu.cases.grounds import MATERIAL
from zhengwu.cases.queries import ActOffer
from zhengwu.cases.verbs import Ask
from zhengwu.desk import taking
from zhengwu.desk.taking import KEPT
from zhengwu.documents.files import File
from zhengwu.domain.refusal import Refusal
from zhengwu.web.forms import Form, Line, Paragraphs

LONGEST = 4_000
MOST_FILES = 20
CONFIRMED = "confirmed"
# The page's own fields have these names; the act's go by another on the page.
TAKEN = {"version": "entry-version", "key": "entry-key"}
INSPECTOR = "inspector-"


class Shown(NamedTuple):
    """One field as the page shows it. why: the name of the field that says why, right under."""

    name: str
    kind: str
    hint: str = ""
    why: str = ""


def several(label: str, choices: Sequence[tuple[str, str]], *, required: bool) -> forms.Field:
    """A field that takes several of a list; whether they are of it is decided by the service, so
    that it sees what was asked for outside the list."""
    return forms.Field(
        label=label, required=required, widget=forms.SelectMultiple(choices=list(choices))
    )


class KnownForm(Form):
    """As of when the dates are explained: a day, or a position of the log (p and digits)."""

    known = Line(label="按哪一天知道的情况", max_length=18, required=False)

    def clean_known(self) -> date | int | None:
        text = self.cleaned_data["known"]
        if not text:
            return None
        if text[0] == "p" and text.isascii() and text[1:].isdigit():
            return int(text[1:])
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or not 2000 <= day.year <= 2100:
            raise forms.ValidationError("请填写日期，例如 2026-11-05。")
        return day


class ActForm(Form):
    """Fields by the act's asks; what they must hold is decided by the service.

    initial: what stands in them at first, by the act's names (a draft). `kept` holds the files
    that were taken in and not yet bound to the case; they outlive a refusal.
    """

    def __init__(
        self,
        offer: ActOffer,
        data: QueryDict | None = None,
        *,
        initial: Mapping[str, str | Sequence[str]] | None = None,
    ) -> None:
        super().__init__(data, auto_id=f"id_{offer.kind}_%s")
        self.kind = offer.kind
        self.confirm = offer.confirm
        self.asks: dict[str, Ask] = {}
        self.kept: dict[str, list[File]] = {}
        for ask in offer.asks:
            name = TAKEN.get(ask.name, ask.name)
            self.asks[name] = ask
            self.fields[name] = _field(ask, offer)
            # The service says what is missing, in the words of the act.
            self.fields[name].widget.is_required = False
            if first := first_of(ask, (initial or {}).get(name)) or ask.value:
                self.initial[name] = first
            if ask.kind == "file":
                self.kept[name] = []
        if self.confirm:
            self.fields[CONFIRMED] = forms.BooleanField(label="我已核对", required=False)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of every field, by its name on the page."""
        return {name: ask.kind for name, ask in self.asks.items()}

    @cached_property
    def shown(self) -> tuple[Shown, ...]:
        """The fields in their order; the why of a material goes with its tick."""
        whys = {
            f"why-{name.removeprefix('material-')}": name
            for name, ask in self.asks.items()
            if ask.kind == "ticks"
        }
        return tuple(
            Shown(name, ask.kind, ask.hint, _why_of(name, self.asks) if ask.kind == "ticks" else "")
            for name, ask in self.asks.items()
            if name not in whys
        )

    @cached_property
    def people(self) -> tuple[Shown, ...]:
        """The boxes of those who went to inspect."""
        return tuple(one for one in self.shown if one.kind == "tick")

    @cached_property
    def ticks(self) -> tuple[Shown, ...]:
        """The materials, each with its states."""
        return tuple(one for one in self.shown if one.kind == "ticks")

    @property
    def has_files(self) -> bool:
        return bool(self.kept)

    def words(self) -> dict[str, str]:
        """What was typed, for the service, by the act's own names; unknown choices and materials
        that the act does not ask for too, so that it can refuse them. Files by their ids, and
        several choices, parted by commas."""
        typed = {
            name: str(value)[:LONGEST]
            for name, value in self.data.items()
            if name.startswith(MATERIAL) and name not in self.asks
        }
        for name, ask in self.asks.items():
            if ask.kind == "file":
                typed[ask.name] = ",".join(str(file.id) for file in self.kept[name])
            elif ask.kind == "several":
                typed[ask.name] = ",".join(cast(QueryDict, self.data).getlist(name))[:LONGEST]
            else:
                typed[ask.name] = str(self.data.get(name, ""))[:LONGEST]
        return typed

    def take_in(
        self, actor: Actor, uploaded: MultiValueDict[str, UploadedFile[Any]], *, at: datetime
    ) -> list[Refusal]:
        """Keep every file that was sent (上传), beside those kept before; what is wrong with them."""
        refused: list[Refusal] = []
        for name, ask in self.asks.items():
            if ask.kind != "file":
                continue
            came = cast(QueryDict, self.data).getlist(KEPT + name)
            self.kept[name] = taking.before(actor, came, most=MOST_FILES)
            sent = uploaded.getlist(name)
            if len(sent) + len(self.kept[name]) > MOST_FILES:
                refused.append(
                    Refusal(
                        "form.files",
                        f"一次最多上传 {MOST_FILES} 个文件。请分几次入卷。",
                        field=ask.name,
                    )
                )
                continue
            purpose = "signature" if ask.name == "signature" else "material"
            refused += taking.take_in(
                actor, sent, self.kept[name], purpose=purpose, field=ask.name, at=at
            )
        return refused

    def confirmed(self) -> bool:
        """Whether what cannot be taken back was confirmed, where the page asked for it."""
        return not self.data.get("asked") or bool(self.data.get(CONFIRMED))

    def refuse(self, refusal: Refusal) -> None:
        """Shows a refusal at the field it is about, by whatever name the page has for it."""
        super().refuse(
            Refusal(
                refusal.code,
                refusal.sentence,
                article=refusal.article,
                field=self._place(refusal),
            )
        )

    def _place(self, refusal: Refusal) -> str | None:
        field = refusal.field
        if refusal.code == "case.fee_unpaid":
            return "means" if "means" in self.fields else None
        if field == "people":
            return next((name for name in self.fields if name.startswith(INSPECTOR)), None)
        if field == "file":
            return next(iter(self.kept), None)
        return TAKEN.get(field, field) if field else None


def first_of(ask: Ask, kept: str | Sequence[str] | None) -> str | list[str]:
    """What a draft puts into a field: the last text of a name that came several times, or all."""
    texts = [kept] if isinstance(kept, str) else list(kept or ())
    if ask.kind == "several":
        return texts
    return texts[-1] if texts else ""


def _why_of(name: str, asks: Mapping[str, Ask]) -> str:
    why = f"why-{name.removeprefix('material-')}"
    return why if why in asks else ""


def _field(ask: Ask, offer: ActOffer) -> forms.Field:
    label, required = ask.zh, ask.required
    match ask.kind:
        case "choice" | "ticks":
            return forms.ChoiceField(label=label, required=required, choices=list(ask.choices))
        case "several":
            return several(label, ask.choices, required=required)
        case "colleague":
            return forms.ChoiceField(label=label, required=required, choices=list(offer.targets))
        case "long":
            return Paragraphs(label=label, required=required)
        case "tick":
            return forms.BooleanField(label=label, required=False)
        case "file":
            return forms.FileField(label=label, required=required)
    return Line(label=label, required=required)
