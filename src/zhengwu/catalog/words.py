"""The centre's list of everyday words (同义词): what people say, and what items are called by.

`finding` reads the list at every search. A word is looked up once; what it means is not looked up
again. The list is the whole city's, so only the city's centre keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, Q

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.catalog import finding
from zhengwu.catalog.models import ItemVersion, Synonym
from zhengwu.domain import bigrams
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.halls import queries as halls

KEEP = "catalog.words"
LONGEST = 30
MOST = 10
TRIED = 10  # items that a test shows


class WordNotFound(Exception):
    """There is no such word."""


@dataclass(frozen=True, slots=True)
class Word:
    """One line of the list. at: when it was last written; the next writer names it."""

    id: int
    word: str
    means: tuple[str, ...]
    by: str
    by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """What a search for a word finds today. means: what the list adds to it; each with its own number
    of items. alone: how many hold the word itself."""

    word: str
    alone: int
    means: tuple[tuple[str, int], ...]
    found: finding.Found


def listed(*, q: str = "") -> tuple[Word, ...]:
    """The whole list, or the lines that hold a text, by word."""
    rows = list(Synonym.objects.order_by("word"))
    asked = bigrams.fold(q)
    if asked:
        rows = [one for one in rows if asked in bigrams.fold("\n".join([one.word, *one.means]))]
    names = accounts.names(people=(one.by for one in rows))
    return tuple(_word(one, names.person(one.by)) for one in rows)


def one(identifier: int) -> Word:
    """Raises WordNotFound."""
    found = Synonym.objects.filter(pk=identifier).first()
    if found is None:
        raise WordNotFound(str(identifier))
    return _word(found, accounts.person_name(found.by))


def _word(row: Synonym, by_name: str) -> Word:
    return Word(row.pk, row.word, tuple(row.means), row.by, by_name, row.at)


def tried(word: str, on: date) -> Tried:
    """What the public would find by this word."""
    means = finding.synonyms().get(bigrams.fold(word), ())
    alone, *others = _holding([word, *means], on)
    return Tried(
        word, alone, tuple(zip(means, others, strict=True)), finding.search(word, on, size=TRIED)
    )


def _holding(texts: Sequence[str], on: date) -> list[int]:
    """How many items are called so, whatever the list says of it; one query for all."""
    folded = [bigrams.fold(text) for text in texts]
    counts = ItemVersion.objects.filter(
        root=True, retired=False, in_force__contains=on
    ).aggregate(
        **{
            f"n{number}": Count("pk", filter=Q(needle__contains=text))
            for number, text in enumerate(folded)
        }
    )  # fmt: skip
    return [counts[f"n{number}"] if text else 0 for number, text in enumerate(folded)]


def keeper(actor: Actor) -> bool:
    """Whether this actor keeps the list: at the city's centre, not at a district's."""
    if not actor.may(KEEP):
        return False
    reach = accounts.reach(actor, KEEP)
    return reach.everything or any(
        row.region == accounts.CITY for row in halls.halls() if row.code in reach.halls
    )


# --- writing ----------------------------------------------------------------------------------------


def add(actor: Actor, word: str, means: Sequence[str], *, at: datetime) -> Word:
    """Add a word. Raises Refusals. The same line sent twice is one line."""
    _allow(actor)
    kept, other = _checked(word, means)
    same = _like(kept)
    if same is not None:
        if same.by == actor.code and (same.word, list(same.means)) == (kept, other):
            return one(same.pk)
        raise Refusals([_taken(same)])
    try:
        with transaction.atomic():
            row = Synonym.objects.create(word=kept, means=other, by=actor.code, at=at)
    except IntegrityError:  # somebody else was quicker
        raise Refusals(
            [Refusal("words.taken", f"“{kept}”刚刚由别人录入了。请刷新后修改它。", field="word")]
        ) from None
    return one(row.pk)


def change(
    actor: Actor,
    identifier: int,
    word: str,
    means: Sequence[str],
    *,
    seen: datetime,
    at: datetime,
) -> Word:
    """Write a line anew. seen: `at` of the line that the form was opened on. Raises WordNotFound,
    Refusal, Refusals."""
    _allow(actor)
    kept, other = _checked(word, means)
    with transaction.atomic():
        row = Synonym.objects.select_for_update().filter(pk=identifier).first()
        if row is None:
            raise WordNotFound(str(identifier))
        if row.by == actor.code and (row.word, list(row.means)) == (kept, other):
            return one(row.pk)
        if row.at != seen:
            raise _moved(row)
        same = _like(kept, but=identifier)
        if same is not None:
            raise Refusals([_taken(same)])
        row.word, row.means, row.by, row.at = kept, other, actor.code, at
        row.save()
    return one(identifier)


def remove(actor: Actor, identifier: int, *, seen: datetime) -> None:
    """Take a line off the list; nothing happens where it is gone. Raises Refusal."""
    _allow(actor)
    with transaction.atomic():
        row = Synonym.objects.select_for_update().filter(pk=identifier).first()
        if row is None:
            return
        if row.at != seen:
            raise _moved(row)
        row.delete()


def _allow(actor: Actor) -> None:
    if not keeper(actor):
        raise Refusal("words.not_allowed", "同义词表由市政务服务中心维护。请向中心提出。")


def _moved(row: Synonym) -> Refusal:
    return Refusal(
        "words.moved", f"您打开这一页以后，“{row.word}”已经被改过。请刷新后核对，再重新填写。"
    )


def _taken(row: Synonym) -> Refusal:
    return Refusal(
        "words.taken", f"“{row.word}”已经在表里（{'、'.join(row.means)}）。请修改那一行。",
        field="word",
    )  # fmt: skip


def _like(word: str, *, but: int | None = None) -> Synonym | None:
    """The line that a search takes for the same word: half width, lower case."""
    folded = bigrams.fold(word)
    rows = Synonym.objects.exclude(pk=but) if but is not None else Synonym.objects.all()
    return next((row for row in rows if bigrams.fold(row.word) == folded), None)


def _checked(word: str, means: Sequence[str]) -> tuple[str, list[str]]:
    """The line as it may be kept. Raises Refusals with everything that is wrong."""
    kept = " ".join(word.split())
    faults = _faults(kept, "群众的说法", "word")
    if not faults and len(bigrams.fold(kept).split()) > 1:
        faults = [
            Refusal(
                "words.several",
                "“群众的说法”里不能有空格或者标点：查找时它们把词分开，这一行就用不上。请写成一个词。",
                field="word",
            )
        ]
    listed: dict[str, str] = {}
    for text in means:
        other = " ".join(text.split())
        if not other:
            continue
        folded = bigrams.fold(other)
        faults += _faults(other, f"“{other[:LONGEST]}”", "means")
        if folded and folded == bigrams.fold(kept):
            faults.append(
                Refusal("words.itself", f"“{other}”就是这个词本身，不用写。", field="means")
            )
        if folded in listed:
            faults.append(Refusal("words.twice", f"“{other}”写了两次。", field="means"))
        listed[folded] = other
    if not listed:
        faults.append(
            Refusal("words.no_means", "请至少填写一个事项里的说法，一行一个。", field="means")
        )
    if len(listed) > MOST:
        faults.append(
            Refusal(
                "words.too_many", f"最多 {MOST} 个说法，现在有 {len(listed)} 个。", field="means"
            )
        )
    if faults:
        raise Refusals(faults)
    return kept, list(listed.values())


def _faults(text: str, what: str, field: str) -> list[Refusal]:
    if not text:
        return [Refusal("words.empty", f"请填写{what}。", field=field)]
    if not text.isprintable() or any("\ud800" <= letter <= "\udfff" for letter in text):
        return [Refusal("words.control", f"{what}里有不可见的控制字符。请删去。", field=field)]
    if len(text) > LONGEST:
        sentence = f"{what}最多 {LONGEST} 个字，现在有 {len(text)} 个。"
        return [Refusal("words.too_long", sentence, field=field)]
    if not bigrams.fold(text):
        return [
            Refusal(
                "words.no_letter",
                f"{what}里没有可以查找的字。请写文字、字母或者数字。",
                field=field,
            )
        ]
    return []
