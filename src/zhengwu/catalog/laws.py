"""Texts of law (法律条文) that the legal bases of items cite: data/laws.json, read once.

Of some laws only the articles we need are there. What we have no text of is never linked; nor is a
citation of another year's edition than the one we hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from zhengwu.domain import citations
from zhengwu.domain.citations import Article, Citation

DATA = Path(__file__).parent / "data" / "laws.json"
STATE = "中华人民共和国"
YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
ORDER = re.compile(r"[\s第]")
BASES = re.compile(r"[;；\n]+")


@dataclass(frozen=True, slots=True)
class Law:
    """A law in one edition. names: by what it is cited; version: the day it was made or amended."""

    code: str
    title: str
    names: tuple[str, ...]
    version: date
    articles: Mapping[Article, str]

    @property
    def partial(self) -> bool:
        """Whether only some of its articles are here."""
        plain = [one for one in self.articles if isinstance(one, int)]
        return plain != list(range(1, len(plain) + 1))


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text. law: the code of the law it cites, "" for plain words; anchor: of the
    article on that law's page, "" for its beginning."""

    text: str
    law: str = ""
    anchor: str = ""


@cache
def laws() -> tuple[Law, ...]:
    """All texts there are, in the order of the file."""
    read = json.loads(DATA.read_text("utf-8"))["laws"]
    return tuple(
        Law(
            one["code"],
            one["title"],
            tuple(one["short"]),
            date.fromisoformat(one["version"]),
            {_article(key): text for key, text in one["articles"].items()},
        )
        for one in read
    )


def _article(key: str) -> Article:
    """42, or 120-1 for 第一百二十条之一."""
    number, _, insert = key.partition("-")
    return (int(number), int(insert)) if insert else int(number)


@cache
def _by_code() -> Mapping[str, Law]:
    return {one.code: one for one in laws()}


@cache
def _by_name() -> Mapping[str, Law]:
    return {
        _name(name): one
        for one in laws()
        for name in (*one.names, one.title.removeprefix(STATE))
    }  # fmt: skip


def _name(text: str) -> str:
    """A name as it is compared: 国务院令第 722 号 and 国务院令722号 are one."""
    return ORDER.sub("", text) if "令" in text else text


def law(code: str) -> Law | None:
    return _by_code().get(code)


def cited(name: str, edition: str = "") -> Law | None:
    """The law of a name; None where we have no text of it, or of another year's edition only."""
    found = _by_name().get(_name(name))
    year = YEAR.search(edition)
    if year is None or (found is not None and found.version.year == int(year[1])):
        return found
    return next(
        (
            one
            for one in laws()
            if one.version.year == int(year[1])
            and any(each.startswith(f"{name}（") for each in one.names)
        ),
        None,
    )


def anchor(article: Article) -> str:
    """art-42, art-120-1: where an article stands on the page of its law."""
    return f"art-{article}" if isinstance(article, int) else f"art-{article[0]}-{article[1]}"


def bases(text: str) -> tuple[str, ...]:
    """The legal bases of an item (设定依据), one by one, as the text sets them apart."""
    return tuple(part.strip() for part in BASES.split(text) if part.strip())


@lru_cache(maxsize=8192)
def linked(text: str) -> tuple[Piece, ...]:
    """The text in pieces, nothing lost: every citation that we have the text of names its place."""
    return tuple(_pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    for one in citations.pieces(text):
        yield Piece(one) if isinstance(one, str) else _piece(one)


def _piece(one: Citation) -> Piece:
    found = cited(one.law, one.edition)
    if found is None:
        return Piece(one.text)
    if not one.articles:
        return Piece(one.text) if found.partial else Piece(one.text, found.code)
    there = next((article for article in one.articles if article in found.articles), None)
    return Piece(one.text, found.code, anchor(there)) if there else Piece(one.text)
