"""A list between its upload and its drafts (待导入的清单): the file and its report, for a day.

They lie in HOME/files/lists, for nobody but us and shown to nobody but whoever sent them: a table is
no scan and no part of any case.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from zhengwu.catalog.importing import Report, RowReport

KEPT = timedelta(days=1)


class ListNotFound(Exception):
    """There is no such list, or not this person's, or no longer."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent. region, level: of rows that do not say; done: its drafts are made."""

    id: UUID
    by: str
    at: datetime
    filename: str
    region: str
    level: str
    done: bool
    report: Report


def keep(sent: Sent, data: bytes) -> None:
    """Keep a list that was looked at; what is older than a day goes."""
    _sweep(sent.at)
    _write(_place(sent.id, "data"), data)
    put(sent)


def put(sent: Sent) -> None:
    """Write what is known of it, whole or not at all."""
    told = asdict(sent) | {"id": str(sent.id), "at": sent.at.isoformat()}
    draft = _place(sent.id, "new")
    _write(draft, json.dumps(told, ensure_ascii=False).encode())
    os.replace(draft, _place(sent.id, "json"))


def found(identifier: UUID, *, by: str, at: datetime) -> Sent:
    """Raises ListNotFound."""
    try:
        told = json.loads(_place(identifier, "json").read_text("utf-8"))
    except (OSError, ValueError):
        raise ListNotFound(str(identifier)) from None
    sent_at = datetime.fromisoformat(told["at"])
    if told["by"] != by or at - sent_at > KEPT:
        raise ListNotFound(str(identifier))
    report = told["report"]
    rows = (RowReport(**row | {"remarks": tuple(row["remarks"])}) for row in report["rows"])
    return Sent(
        identifier, told["by"], sent_at, told["filename"], told["region"], told["level"],
        told["done"], Report(tuple(rows), tuple(report["notes"]), report["batch"]),
    )  # fmt: skip


def take(identifier: UUID) -> bytes | None:
    """The file, for the one who makes its drafts; None where somebody is at it."""
    try:
        os.replace(_place(identifier, "data"), _place(identifier, "taken"))
    except FileNotFoundError:
        return None
    return _place(identifier, "taken").read_bytes()


def give_back(identifier: UUID) -> None:
    """The drafts were not made: they can be tried again."""
    with suppress(FileNotFoundError):
        os.replace(_place(identifier, "taken"), _place(identifier, "data"))


def drop(identifier: UUID) -> None:
    """The file is needed no more; the report stays."""
    _place(identifier, "taken").unlink(missing_ok=True)


def _folder() -> Path:
    place = Path(settings.FILES) / "lists"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def _place(identifier: UUID, ending: str) -> Path:
    return _folder() / f"{identifier.hex}.{ending}"


def _write(place: Path, data: bytes) -> None:
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def _sweep(at: datetime) -> None:
    before = (at - KEPT).timestamp()
    for place in _folder().iterdir():
        with suppress(FileNotFoundError):
            if place.stat().st_mtime < before:
                place.unlink()
