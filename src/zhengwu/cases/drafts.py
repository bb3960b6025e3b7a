"""Drafts (草稿、暂存): what was typed and not yet submitted outlives a power cut and a busy counter.

How a page with a form takes part:

1. The view restores: ``draft = drafts.of(actor, slot)``, then
   ``Form(initial=draft.initial if draft else None)``; give ``draft`` and ``slot`` to the template.
   Slots: ``register/<id of the registration>``, ``case/<number>/<act>``.
2. The template: ``{{ ui.draft_banner(draft) }}`` above the form (not inside it), and
   ``<form … {{ ui.draft_attrs(slot, "登记办件") }}>``; inside, where it should be said,
   ``{{ ui.draft_said() }}`` and, beside the other buttons, ``{{ ui.draft_park(slot, "登记办件") }}``.
   The desk's base page loads ``drafts.js``, which does the rest; without it the button parks.
3. After success the view calls ``drafts.discard(actor, slot)``. A refused form (422) keeps it.

Where „继续“ leads: ``register/<id>`` to ``/desk/register?draft=<id>``, ``case/<number>/<act>`` to
``/desk/cases/<number>?draft=<act>#acts`` (the table is in desk/drafts/views.py).
Only the owner reads a draft. Personal data: all of it; swept 30 days after the last typing.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection

from zhengwu.accounts.queries import Actor
from zhengwu.cases.models import Draft as DraftRow
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

KEPT = timedelta(days=30)
MOST_FIELDS = 200
MOST_BYTES = 64 * 1024
MOST_DRAFTS = 200
MOST_TITLE = 100
SLOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)*")
# Never stored: what proves who submits, what belongs to one showing of the page, how it was sent.
LEFT_OUT = frozenset({"csrfmiddlewaretoken", "key", "version", "do", "choice", "next"})
SECRET = re.compile(r"pass(word|wd)|secret|token|csrf|密码|口令", re.IGNORECASE)
OWN = "draft-"  # names of the autosave's own fields
UNSHOWN = re.compile(r"identifier|id_number|phone|mobile|material|kind")

Fields = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One draft (草稿). fields: name → text, or texts where a name came several times."""

    slot: str
    title: str
    fields: Mapping[str, str | tuple[str, ...]]
    version: int
    at: datetime
    parked: bool

    @property
    def initial(self) -> dict[str, str]:
        """The fields as a form's initial values; the last text of a name that came several times."""
        return {
            name: value if isinstance(value, str) else (value[-1] if value else "")
            for name, value in self.fields.items()
        }

    @property
    def summary(self) -> str:
        """The first words typed, to know it by; no numbers of certificates or telephones."""
        words = [
            text.replace("\n", " ")
            for name, text in self.initial.items()
            if text.strip() and not UNSHOWN.search(name)
        ]
        said = "，".join(words[:3])
        return said if len(said) <= 60 else said[:59] + "…"


def save(
    actor: Actor, slot: str, fields: Fields, *, title: str = "", parked: bool = False, at: datetime
) -> Draft | None:
    """Keep what was typed (暂存); what is empty altogether is discarded, and None is returned.

    parked: put aside on purpose; an autosave does not take that back. Raises Refusal.
    """
    _known(slot)
    kept = _cleaned(fields)
    if not any(text.strip() for value in kept.values() for text in _texts(value)):
        discard(actor, slot)
        return None
    stored = json.dumps(kept, ensure_ascii=False)
    if len(kept) > MOST_FIELDS:
        raise Refusal(
            "draft.too_many_fields",
            f"这份表单有 {len(kept)} 个填写项，最多能暂存 {MOST_FIELDS} 个，没有保存。请直接提交。",
        )
    if len(stored.encode()) > MOST_BYTES:
        raise Refusal(
            "draft.too_long",
            f"填写的内容超过 {MOST_BYTES // 1024} KB，没有保存。请删减，或者直接提交。",
        )
    title = _clean(title).replace("\n", " ").strip()[:MOST_TITLE]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_draft AS d (id, person, slot, title, fields, version, at, parked)"
            " SELECT %(id)s::uuid, %(person)s::text, %(slot)s::text, %(title)s::text,"
            " %(fields)s::jsonb, 1, %(at)s::timestamptz, %(parked)s::boolean"
            " WHERE (SELECT count(*) FROM cases_draft WHERE person = %(person)s::text"
            " AND slot <> %(slot)s::text) < %(most)s::int"
            " ON CONFLICT (person, slot) DO UPDATE SET fields = excluded.fields,"
            " title = coalesce(nullif(excluded.title, ''), d.title), version = d.version + 1,"
            " at = excluded.at, parked = d.parked OR excluded.parked"
            " RETURNING slot, title, fields, version, at, parked",
            {
                "id": ledger.uuid7(),
                "person": actor.code,
                "slot": slot,
                "title": title,
                "fields": stored,
                "at": at,
                "parked": parked,
                "most": MOST_DRAFTS,
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise Refusal(
            "draft.too_many",
            f"您已经暂存了 {MOST_DRAFTS} 份，不能再暂存。请先办完或者删除一些。",
        )
    return _draft(row)


def of(actor: Actor, slot: str) -> Draft | None:
    """The actor's own draft in this slot, None if there is none."""
    found = _rows("slot = %s", [actor.code, slot]) if _fits(slot) else ()
    return found[0] if found else None


def of_slots(actor: Actor, slots: Sequence[str]) -> tuple[Draft, ...]:
    """The actor's own drafts in these slots."""
    return _rows("slot = ANY(%s::text[])", [actor.code, list(slots)]) if slots else ()


def of_case(number: str, kind: str = "") -> str:
    """The slot of an act's form on a case's page; what the slots of all its acts begin with."""
    return f"case/{number}/{kind}"


def under_sql(person: str, slot: str) -> str:
    """A scalar subquery giving a person's drafts in the slots that begin so (SQL of both), for the
    SELECT of a page; read the value with `begun`.
    """
    return (
        "(SELECT json_agg(json_build_array(d.slot, d.title, d.fields, d.version, d.at, d.parked)"  # noqa: S608
        f" ORDER BY d.at DESC, d.id)::text FROM cases_draft d WHERE d.person = {person}"
        f" AND starts_with(d.slot, {slot}))"
    )


def begun(value: str | None) -> tuple[Draft, ...]:
    """The drafts of an `under_sql` value."""
    return tuple(
        _draft((slot, title, fields, version, datetime.fromisoformat(at), parked))
        for slot, title, fields, version, at, parked in (orjson.loads(value) if value else ())
    )


def all_of(actor: Actor) -> tuple[Draft, ...]:
    """All drafts of the actor, the latest first."""
    return _rows("true", [actor.code])


def count_of(actor: Actor) -> int:
    """How many drafts the actor has."""
    return DraftRow.objects.filter(person=actor.code).count()


def discard(actor: Actor, slot: str) -> bool:
    """Throw the actor's draft away; whether there was one."""
    return bool(DraftRow.objects.filter(person=actor.code, slot=slot).delete()[0])


def sweep(*, at: datetime) -> int:
    """Delete what nobody touched for 30 days; how many. Idempotent."""
    return int(DraftRow.objects.filter(at__lt=at - KEPT).delete()[0])


def _rows(where: str, parameters: Sequence[str | list[str]]) -> tuple[Draft, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT slot, title, fields, version, at, parked FROM cases_draft"  # noqa: S608
            f" WHERE person = %s AND {where} ORDER BY at DESC, id",
            parameters,
        )
        return tuple(_draft(row) for row in cursor.fetchall())


def _draft(row: tuple[Any, ...]) -> Draft:
    slot, title, fields, version, at, parked = row
    held = json.loads(fields) if isinstance(fields, str) else fields
    return Draft(
        slot=slot,
        title=title,
        fields={n: v if isinstance(v, str) else tuple(v) for n, v in held.items()},
        version=version,
        at=at,
        parked=parked,
    )


def _fits(slot: str) -> bool:
    return len(slot) <= 80 and SLOT.fullmatch(slot) is not None and not slot.endswith("/discard")


def _known(slot: str) -> None:
    if not _fits(slot):
        raise Refusal("draft.slot", "这份表单不能暂存。请直接提交。")


def _cleaned(fields: Fields) -> dict[str, str | list[str]]:
    kept: dict[str, str | list[str]] = {}
    for raw, value in fields.items():
        name = _clean(raw).strip()
        if not name or len(name) > 100 or name in LEFT_OUT or name.startswith(OWN):
            continue
        if SECRET.search(name):
            continue
        texts = [_clean(text) for text in _texts(value)]
        kept[name] = texts[0] if len(texts) == 1 else texts
    return kept


def _texts(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value


def _clean(text: str) -> str:
    """Without control characters and halves of letters; line ends as \\n. Spaces stay as typed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
