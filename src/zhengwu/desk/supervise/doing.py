"""Trying a verb of supervision from a page (办理): what was typed stays, whatever the answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest

from zhengwu.desk.supervise.forms import Choices, Verb, VerbForm
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.supervision.acting import Done, Moved
from zhengwu.supervision.queries import Offer
from zhengwu.web.forms import new_key, read_key

Offered = Mapping[str, Choices]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a form brought: its words, the version its page showed, its idempotency key, its files."""

    words: Mapping[str, Any]
    version: int
    key: str
    files: Sequence[UUID] = ()

    @property
    def text(self) -> str:
        return str(self.words.get("text", ""))


@dataclass(slots=True)
class Tried:
    """How a verb went. done: it is entered. seen: the version the page showed, where somebody moved it
    meanwhile; told: refusals that belong to no field; status: of the answer."""

    key: str = field(default_factory=new_key)
    form: VerbForm | None = None
    told: list[Refusal] = field(default_factory=list)
    seen: int | None = None
    status: int = 200
    done: Done | None = None

    @property
    def failed(self) -> VerbForm | None:
        """The form, where a field of it is wrong."""
        return self.form if self.form is not None and self.form.errors else None


def attempt(
    request: HttpRequest,
    verbs: Mapping[str, Verb],
    do: Mapping[str, Callable[[Given], Done]],
    *,
    offered: Offered | None = None,
    take: Callable[[VerbForm], list[Refusal]] | None = None,
) -> Tried:
    """The verb that was submitted, done once; says so when it is done.

    take: keeps the files that came with it, and says what is wrong with them.
    """
    post = request.POST
    verb = verbs.get(post.get("do", ""))
    if verb is None:
        raise Http404
    tried = Tried(key=read_key(post.get("key")), form=VerbForm(verb, post, offered=offered))
    form = tried.form
    assert form is not None
    tried.status = 422
    valid = form.is_valid()
    try:
        wrong = take(form) if take is not None and verb.files else []
    except Refusal as no:
        tried.told.append(no)
        return tried
    for each in wrong:
        form.refuse(each)
    if wrong or not valid:
        return tried
    given = Given(
        words=form.cleaned_data, version=number(post.get("version", "")), key=tried.key,
        files=[one.id for one in form.kept],
    )  # fmt: skip
    try:
        tried.done = do[verb.code](given)
    except Moved as moved:
        tried.seen, tried.status = moved.seen, 409
    except Refusals as several:
        for refusal in several.refusals:
            _refuse(tried, form, refusal)
    except Refusal as refusal:
        _refuse(tried, form, refusal)
    else:
        messages.success(request, tried.done.sentence)
    return tried


def _refuse(tried: Tried, form: VerbForm, refusal: Refusal) -> None:
    if refusal.field in form.fields:
        form.refuse(refusal)
    else:
        tried.told.append(refusal)


def forms(
    offers: Iterable[Offer],
    verbs: Mapping[str, Verb],
    tried: Tried,
    *,
    standing: Collection[str],
    offered: Offered | None = None,
) -> list[VerbForm]:
    """A form for each verb that is offered, the usual next one first; the one that came back is as it
    was filled in. standing: the states by which that is told."""
    came = tried.form
    made = [
        came
        if came is not None and came.verb.code == one.kind
        else VerbForm(verbs[one.kind], offered=offered)
        for one in offers
        if one.kind in verbs  # what has a page of its own is a link there
    ]
    usual = next((one for one in made if set(one.verb.when) & set(standing)), None)
    if usual is not None:
        usual.first = True
        made.sort(key=lambda one: not one.first)
    return made


def number(text: str) -> int:
    """A version; anything that is none is 0, an old page's."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


__all__ = ["Given", "Tried", "attempt", "forms", "number"]
