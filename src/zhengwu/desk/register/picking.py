"""Choosing the item (选事项): by its name, its code, or the initials of its name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.catalog.searching import initials

MOST = 20  # items to choose from when the words fit several


@dataclass(frozen=True, slots=True)
class Option:
    """An item to choose from."""

    code: str
    name: str
    initials: str


def options(actor: Actor, on: date) -> tuple[ItemVersionRow, ...]:
    """The items this actor may receive, by name."""
    reach = accounts.reach(actor, "case.receive")
    return catalog.receivable(None if reach.everything else reach.agencies, on)


def pick(
    text: str, rows: tuple[ItemVersionRow, ...]
) -> tuple[ItemVersionRow | None, tuple[tuple[str, str], ...]]:
    """The item the words mean, or those they may mean (code, name), the likeliest first."""
    text = " ".join(text.split())[:200]
    if not text:
        return None, ()
    for row in rows:
        if text == row.name or text.upper() == row.code.upper():
            return row, ()
    near = [row for row in rows if text in row.name or text.upper() in row.code.upper()]
    if not near and text.isascii() and text.isalnum():
        small = text.lower()
        named = [(initials(row.name), row) for row in rows]
        near = [row for letters, row in named if letters == small]
        if len(near) != 1:
            begin = [row for letters, row in named if letters.startswith(small)]
            inside = [row for letters, row in named if small in letters]
            near = list({row.code: row for row in (*near, *begin, *inside)}.values())
    if len(near) == 1:
        return near[0], ()
    return None, tuple((row.code, row.name) for row in near[:MOST])


def listed(rows: tuple[ItemVersionRow, ...]) -> tuple[Option, ...]:
    return tuple(Option(row.code, row.name, initials(row.name)) for row in rows)
