"""Looks at supervision's lists (清单的查阅记录): who opened which list, narrowed by what, is on record.

The record names the table and what was chosen. A text that somebody typed can hold a name: of it
stands there only that it was looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from zhengwu.accounts import services as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.desk.supervise.forms import Choices, Narrow
from zhengwu.web.forms import Form


def opened(
    actor: Actor, table: str, folder: str, *, narrowed: Sequence[str] = (), typed: str = "",
    at: datetime,
) -> None:  # fmt: skip
    """A page of a list was shown. folder: in words, "" where the list has none; narrowed: what was
    chosen, in words; typed: what a text was looked for in, "" where none was.
    """
    _record(actor, "查看清单", table, folder, narrowed, typed, at, fields="list", each=bool(typed))


def taken(
    actor: Actor, table: str, folder: str, *, narrowed: Sequence[str] = (), typed: str = "",
    at: datetime,
) -> None:  # fmt: skip
    """The list was downloaded: each time counts."""
    _record(actor, "下载清单", table, folder, narrowed, typed, at, fields="table", each=True)


def _record(
    actor: Actor, what: str, table: str, folder: str, narrowed: Sequence[str], typed: str,
    at: datetime, *, fields: str, each: bool,
) -> None:  # fmt: skip
    parts = [part for part in (folder, *narrowed, f"按{typed}查找" if typed else "") if part]
    said = f"（{'；'.join(parts)}）" if parts else ""
    accounts.look_at_list(actor, why=f"{what}：{table}{said}", fields=(fields,), at=at, each=each)


def chosen(form: Narrow, selects: Sequence[str]) -> tuple[str, ...]:
    """What a valid form narrows by, in words: 级别：红牌. No text that was typed."""
    parts = []
    for name in (*selects, "since", "until"):
        value = form.cleaned_data[name]
        if not value:
            continue
        said = value.isoformat() if isinstance(value, date) else _word(form, name, value)
        parts.append(f"{form.fields[name].label}：{said}")
    return tuple(parts)


def typed(form: Form, names: Sequence[str]) -> str:
    """In what fields of a valid form a text was looked for, in words; "" in none."""
    return "、".join(str(form.fields[one].label) for one in names if form.cleaned_data[one])


def _word(form: Form, name: str, value: str) -> str:
    choices: Choices = form.fields[name].choices  # type: ignore[attr-defined]
    return dict(choices).get(value, value)


__all__ = ["chosen", "opened", "taken", "typed"]
