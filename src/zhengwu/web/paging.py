"""Page numbers under a list (分页)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from django.http import QueryDict


def page_number(text: str | None) -> int:
    """The page asked for; anything that is not a number from 1 to 100,000 is page 1."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 6:
        return 1
    return min(max(1, int(text)), 100_000)


def window(page: int, pages: int) -> Iterator[int | None]:
    """1 … 4 5 6 … 20: the numbers to show, None for a gap."""
    shown = sorted({1, pages, *range(max(1, page - 2), min(pages, page + 2) + 1)})
    before = 0
    for number in shown:
        if number - before > 1:
            yield None
        yield number
        before = number


def with_query(query: QueryDict, **changes: str | int | None) -> str:
    """The query string with some parts set anew or (None, empty) dropped; begins with "?"."""
    parts = {key: query.get(key, "") for key in query}
    for key, value in changes.items():
        parts[key] = "" if value is None else str(value)
    kept = {key: value for key, value in parts.items() if value}
    return "?" + urlencode(kept)
