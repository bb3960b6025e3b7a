"""Finding items (查找事项): any two characters, initials, codes, everyday words; what is near.

One row stands for an item: its entry in the city's common list, or an item of a department's own.
With a place or a department the implementations there are searched instead.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Q

from zhengwu.accounts import queries as accounts
from zhengwu.catalog.models import ItemVersion, Synonym
from zhengwu.domain import bigrams
from zhengwu.domain.guide import Level, limit
from zhengwu.domain.procedure import Limit

PAGE = 20
WORDS = 8
NEAR = 8
LONGEST = 60
KEYS = [bool, bool, int, str, str]  # what `_order` sorts by; without words the last two
# What applies to every request; the rest of the statement is put together from fixed parts. Said by
# the ends of the range: "contains" would let the planner take the index that keeps versions apart,
# which holds every version there is.
_IN_FORCE = (
    "lower(v.in_force) <= %s::date AND coalesce(upper(v.in_force), 'infinity') > %s::date"
    " AND NOT v.retired"
)
_EVERYWHERE = "catalog_itemversion v JOIN catalog_item i ON i.id = v.item_id"
# The items of a place first, then their versions one by one; a plain join would read all versions.
_THERE = (
    "(SELECT * FROM catalog_item r WHERE r.region = %s AND r.level = 'implementation' OFFSET 0) i"
    " JOIN LATERAL"
    " (SELECT * FROM catalog_itemversion w WHERE w.item_id = i.id OFFSET 0) v ON true"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One item found. code: of the guide to open, "" where it is handled in districts only; then
    `base` leads to the places. region: of that guide. places: how many districts handle it."""

    base: str
    code: str
    name: str
    type: str
    kind: str
    agency: str
    agency_name: str
    region: str
    promised: Limit | None
    places: int
    generated: bool

    @property
    def promised_zh(self) -> str:
        if self.kind == "immediate":
            return "当场"
        return self.promised.words() if self.promised else "未承诺"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of items. near: what is like the words, where nothing was found."""

    rows: tuple[Hit, ...]
    total: int
    page: int
    pages: int
    near: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the items, one after another. next: where the following slice begins, None: at the
    end."""

    rows: tuple[Hit, ...]
    next: tuple[Any, ...] | None


def search(
    q: str,
    on: date,
    *,
    agency: str = "",
    region: str = "",
    theme: str = "",
    target: str = "",
    type_: str = "",
    page: int = 1,
    size: int = PAGE,
) -> Found:
    """Items in force on a day that hold all the words, the likeliest first.

    q: words of two characters or more, initials, codes; synonyms of the centre's list count as the
    word itself. agency, region: only what this organ, or the organs of this place, implement.
    """
    source, where, given, words = _asked(
        q, on, agency=agency, region=region, theme=theme, target=target, type_=type_
    )
    order, ordered = _order(words)
    statement = (
        f"SELECT v.id, count(*) OVER () FROM {source}"  # noqa: S608
        f" WHERE {' AND '.join(where)} ORDER BY {', '.join(order)} LIMIT %s OFFSET %s"
    )

    def rows(offset: int, most: int) -> list[tuple[int, int]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, [*given, *ordered, most, offset])
            return [(int(id), int(count)) for id, count in cursor.fetchall()]

    page = max(1, page)
    got = rows((page - 1) * size, size)
    if not got and page > 1:  # beyond the last page: that one instead
        first = rows(0, 1)
        page = max(1, -(-(first[0][1] if first else 0) // size))
        got = rows((page - 1) * size, size)
    total = got[0][1] if got else 0
    pages = max(1, -(-total // size))
    near = _near(words, on, agency=agency, region=region) if words and not total else ()
    return Found(_hits([id for id, _ in got], on), total, page, pages, near)


def following(
    q: str,
    on: date,
    *,
    agency: str = "",
    region: str = "",
    theme: str = "",
    target: str = "",
    type_: str = "",
    where_done: str = "",
    after: Sequence[Any] = (),
    size: int = PAGE,
) -> Slice:
    """The same items in the same order, from behind a place on, without counting them all.

    where_done: "city" or "district": each implementation there is a row. after: the `next` of the
    slice before. Raises ValueError where that is of another question.
    """
    source, where, given, words = _asked(
        q, on, agency=agency, region=region, theme=theme, target=target, type_=type_,
        where_done=where_done,
    )  # fmt: skip
    order, ordered = _order(words)
    if after and [type(one) for one in after] != KEYS[-len(order) :]:
        raise ValueError(after)
    keys = [f"k{number}" for number, _ in enumerate(order)]
    named = ", ".join(f"{one} AS {key}" for one, key in zip(order, keys, strict=True))
    beyond = f" WHERE ({', '.join(keys)}) > ({', '.join(['%s'] * len(keys))})" if after else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM (SELECT v.id, {named} FROM {source} WHERE {' AND '.join(where)}) one"  # noqa: S608
            f"{beyond} ORDER BY {', '.join(keys)} LIMIT %s",
            [*ordered, *given, *after, size + 1],
        )
        found = cursor.fetchall()
    rows = found[:size]
    goes_on = tuple(rows[-1][1:]) if len(found) > size else None
    return Slice(_hits([int(row[0]) for row in rows], on), goes_on)


def mark() -> tuple[int, int, datetime | None]:
    """Moves with every publication and with every change of the words items are called by."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT max(id) FROM catalog_itemversion), 0), count(*), max(at)"
            " FROM catalog_synonym"
        )
        version, words, at = cursor.fetchone()
    return version, words, at


def _asked(
    q: str, on: date, *, agency: str, region: str, theme: str, target: str, type_: str,
    where_done: str = "",
) -> tuple[str, list[str], list[Any], list[str]]:  # fmt: skip
    """Where to look, the conditions, what is given to both, and the words that are looked for."""
    source, where, given = _filters(
        on, agency=agency, region=region, theme=theme, target=target, type_=type_,
        where_done=where_done,
    )  # fmt: skip
    words = bigrams.fold(q[:LONGEST]).split()[:WORDS]
    if q.strip() and not words:
        where.append("false")  # nothing but punctuation
    if words:
        listed, named = synonyms(), _organs(int(time.monotonic() // 60))
        for word in words:
            part, more = _word(word, listed, named, indexed=not region)
            where.append(part)
            given += more
    return source, where, given, words


def _filters(
    on: date,
    *,
    agency: str,
    region: str,
    theme: str,
    target: str,
    type_: str,
    where_done: str = "",
) -> tuple[str, list[str], list[Any]]:
    """Where to look, the conditions, and what is given to both."""
    where: list[str] = [_IN_FORCE]
    given: list[Any] = [*([region] if region else []), on, on]
    if agency or region or where_done:
        where.append("i.level = 'implementation'")
    else:
        where.append("v.root")
    if where_done:
        where.append(f"i.region {'=' if where_done == 'city' else '<>'} %s")
        given.append(accounts.CITY)
    for part, value in (
        ("v.agency = %s", agency), ("v.type = %s", type_),
        ("v.themes @> ARRAY[%s]", theme), ("v.targets @> ARRAY[%s]", target),
    ):  # fmt: skip
        if value:
            where.append(part)
            given.append(value)
    return _THERE if region else _EVERYWHERE, where, given


def _word(
    word: str,
    listed: Mapping[str, Sequence[str]],
    named: Mapping[str, str],
    *,
    indexed: bool,
) -> tuple[str, list[Any]]:
    """The condition of one word: itself, or what the centre's list says it means, or a department.

    listed: the synonyms; named: code → folded name of the organs. indexed: through the index of
    pairs, which holds the rows that stand for an item; of one place the few rows are read.
    """
    alternatives = [word, *listed.get(word, ())]
    parts, given = [], list[Any]()
    for one in alternatives:
        query = bigrams.query(one)
        if query is None:
            continue
        parts.append(f"({'v.search @@ %s::tsquery AND ' if indexed else ''}v.needle LIKE %s)")
        given += [query] if indexed else []
        given.append(f"%{_like(bigrams.fold(one))}%")
    agencies = [code for code, name in named.items() if word in name][:200]
    if agencies:
        parts.append("v.agency = ANY(%s)")
        given.append(agencies)
    return f"({' OR '.join(parts)})" if parts else "false", given


@lru_cache(maxsize=1)
def _organs(minute: int) -> Mapping[str, str]:
    """Code → folded name of all organs. There are two thousand and they hardly ever change: they are
    read once a minute."""
    return {row.code: bigrams.fold(row.name) for row in accounts.agencies()}


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _order(words: Sequence[str]) -> tuple[list[str], list[Any]]:
    """The name itself first, then names that begin so, that hold it, the shorter ones first."""
    if not words:
        return ["i.base", "i.code"], []
    whole = " ".join(words)
    return (
        [
            "(split_part(v.needle, E' ', 1) <> %s)",
            "(position(%s in v.needle) <> 1)",
            "length(v.name)",
            "i.base",
            "i.code",
        ],
        [words[0], whole],
    )


def _near(words: Sequence[str], on: date, *, agency: str, region: str) -> tuple[Hit, ...]:
    """Items that share most pairs of characters with the words."""
    pairs = sorted({pair for word in words for pair in bigrams.tokens(word)})[:40]
    source, where, given = _filters(on, agency=agency, region=region, theme="", target="", type_="")
    anyone = " | ".join(bigrams.lexeme(pair) for pair in pairs)
    shared = " + ".join("(position(%s in v.needle) > 0)::int" for _ in pairs)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT v.id FROM {source}"  # noqa: S608
            f" WHERE {' AND '.join(where)} AND v.search @@ %s::tsquery"
            f" ORDER BY {shared} DESC, length(v.name), i.base LIMIT %s",
            [*given, anyone, *pairs, NEAR],
        )
        ids = [int(row[0]) for row in cursor.fetchall()]
    return _hits(ids, on)


def _hits(ids: Sequence[int], on: date) -> tuple[Hit, ...]:
    found = ItemVersion.objects.select_related("item", "above__item", "above__above__item").in_bulk(
        list(ids)
    )
    listed = [found[one] for one in ids if one in found]
    places = _places([one.item.base for one in listed if one.item.level == Level.CITY], on)
    names = accounts.names(agencies=(one.agency for one in listed))
    from zhengwu.catalog import queries

    made = []
    for one in listed:
        here = places.get(one.item.base, ())
        city = next((code for code, region in here if region == accounts.CITY), "")
        done = one.item.level == Level.IMPLEMENTATION
        own = one.item.code if done else city
        region = one.item.region if done else accounts.CITY if city else ""
        made.append(
            Hit(
                base=one.item.base,
                code=own,
                name=one.name,
                type=one.type,
                kind=one.kind,
                agency=one.agency,
                agency_name=names.agency(one.agency),
                region=region,
                promised=limit(queries.whole(one), "promised"),
                places=sum(region != accounts.CITY for _, region in here),
                generated=one.item.generated,
            )
        )
    return tuple(made)


def _places(bases: Collection[str], on: date) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Base → code and region of its implementations in force."""
    made: dict[str, tuple[tuple[str, str], ...]] = {}
    if not bases:
        return made
    rows = ItemVersion.objects.filter(
        Q(in_force__endswith__isnull=True) | Q(in_force__endswith__gt=on),
        item__base__in=sorted(bases), item__level=Level.IMPLEMENTATION, retired=False,
        in_force__startswith__lte=on,
    ).values_list("item__base", "item__code", "item__region")  # fmt: skip
    for base, code, region in rows.order_by("item__region", "item__code"):
        made[base] = (*made.get(base, ()), (code, region))
    return made


def synonyms() -> Mapping[str, tuple[str, ...]]:
    """The centre's list: folded word → the words that items are called by."""
    return {bigrams.fold(one.word): tuple(one.means) for one in Synonym.objects.all()}


def codes(q: str, on: date, *, most: int = 300) -> tuple[str, ...]:
    """The codes of the implementations in force that hold all the words."""
    found = search(q, on, size=most)
    bases = [one.base for one in found.rows if not one.code or one.places]
    listed: Iterable[str] = (one.code for one in found.rows if one.code)
    below = (code for rows in _places(bases, on).values() for code, _ in rows)
    return tuple(dict.fromkeys([*listed, *below]))[: most * 16]
