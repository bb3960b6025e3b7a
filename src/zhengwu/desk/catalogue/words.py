"""The centre's list of everyday words (同义词): read, tried, added, changed, taken off."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.catalog import words as catalog_words
from zhengwu.catalog.words import KEEP, MOST, Word, WordNotFound
from zhengwu.desk.catalogue.views import FOLDER, exchange, text, today
from zhengwu.desk.entry import desk
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.web.clock import now
from zhengwu.web.forms import Form, Line, Paragraphs


class WordForm(Form):
    """A word, and what items are called by it, one a line; the service says what is wrong."""

    word = Line(label="群众的说法", required=False)
    means = Paragraphs(label="事项里的说法", required=False)

    def __init__(self, data: QueryDict | dict[str, str] | None = None) -> None:
        super().__init__(data if isinstance(data, QueryDict) else None)
        if isinstance(data, dict):
            self.initial = data
        for field in self.fields.values():
            field.must = True  # type: ignore[attr-defined]

    def lines(self) -> list[str]:
        return str(self.cleaned_data["means"]).split("\n")


@require_safe
@desk(KEEP)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The list; ``?try=`` says what the public finds by a word."""
    q, trial = text(request, "q", 30), text(request, "try", 60)
    rows = catalog_words.listed(q=q)
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "words",
        "rows": rows,
        "q": q,
        "trial": trial,
        "tried": catalog_words.tried(trial, today()) if trial else None,
        "keeper": catalog_words.keeper(actor),
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/words.html.j2", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(KEEP)
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new word."""
    if request.method != "POST":
        return _form(request, actor, WordForm({"word": text(request, "word", 30)}))
    form = WordForm(request.POST)
    if form.is_valid():
        try:
            word = catalog_words.add(actor, form.cleaned_data["word"], form.lines(), at=now())
        except (Refusal, Refusals) as problem:
            _refuse(form, problem)
        else:
            messages.success(request, f"已录入“{word.word}”。公众查找时马上用上。")
            return redirect("desk:catalogue-words")
    return _form(request, actor, form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(KEEP)
def change(request: HttpRequest, actor: Actor, identifier: int) -> HttpResponse:
    """One word written anew."""
    word = _word(identifier)
    if request.method != "POST":
        first = {"word": word.word, "means": "\n".join(word.means)}
        return _form(request, actor, WordForm(first), word=word, seen=word.at)
    form, seen = WordForm(request.POST), _seen(request)
    if form.is_valid():
        try:
            word = catalog_words.change(
                actor, identifier, form.cleaned_data["word"], form.lines(), seen=seen, at=now()
            )
        except WordNotFound:
            raise Http404 from None
        except (Refusal, Refusals) as problem:
            _refuse(form, problem)
        else:
            messages.success(request, f"已改好“{word.word}”。")
            return redirect("desk:catalogue-words")
    return _form(request, actor, form, word=word, seen=seen, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@desk(KEEP)
def remove(request: HttpRequest, actor: Actor, identifier: int) -> HttpResponse:
    """Asks once more, then takes the word off the list; a second click finds it gone, and says so."""
    try:
        word = catalog_words.one(identifier)
    except WordNotFound:
        if request.method != "POST":
            raise Http404 from None
        messages.success(request, "这个词已经删除。")
        return redirect("desk:catalogue-words")
    form, status = Form(), 200
    if request.method == "POST":
        try:
            catalog_words.remove(actor, identifier, seen=_seen(request))
        except Refusal as refusal:
            form, status = Form(request.POST), 422
            form.is_valid()
            form.refuse(refusal)
        else:
            messages.success(request, f"已删除“{word.word}”。")
            return redirect("desk:catalogue-words")
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "words",
        "word": word,
        "form": form,
        "tried": catalog_words.tried(word.word, today()),
        "keeper": catalog_words.keeper(actor),
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/remove.html.j2", context, status=status)


def _word(identifier: int) -> Word:
    try:
        return catalog_words.one(identifier)
    except WordNotFound:
        raise Http404 from None


def _seen(request: HttpRequest) -> datetime:
    """The moment of the line that the form was opened on; one that is none matches no line."""
    try:
        found = parse_datetime(request.POST.get("seen", ""))
    except ValueError:
        found = None
    return found if found is not None and found.tzinfo is not None else now()


def _refuse(form: Form, problem: Refusal | Refusals) -> None:
    for refusal in problem.refusals if isinstance(problem, Refusals) else (problem,):
        form.refuse(refusal)


def _form(
    request: HttpRequest,
    actor: Actor,
    form: WordForm,
    *,
    word: Word | None = None,
    seen: datetime | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "actor": actor,
        "folder": FOLDER,
        "part": "words",
        "form": form,
        "word": word,
        "seen": seen.isoformat() if seen else "",
        "most": MOST,
        "exchange": exchange(),
    }
    return render(request, "desk/catalogue/word.html.j2", context, status=status)
