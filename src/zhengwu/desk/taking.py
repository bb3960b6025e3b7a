"""Files that come with a form (上传): kept at once, so that they outlive a refusal, bound by the act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile

from zhengwu.accounts.queries import Actor
from zhengwu.documents import files
from zhengwu.documents.files import File
from zhengwu.domain.refusal import Refusal

KEPT = "kept-"  # before the name of a file field: the ids of files already taken in


def before(
    actor: Actor, ids: Sequence[str], *, most: int, stream_id: UUID | None = None
) -> list[File]:
    """Files taken in at an earlier try; only the actor's own that are still of no stream, or of this
    one already.
    """
    wanted = []
    for one in ids[:most]:
        try:
            wanted.append(UUID(one))
        except ValueError:
            continue
    found = files.found(wanted)
    return [
        found[one]
        for one in dict.fromkeys(wanted)
        if one in found
        and found[one].by == actor.code
        and found[one].stream_id in (None, stream_id)
    ]


def take_in(
    actor: Actor,
    sent: Sequence[UploadedFile[Any]],
    kept: list[File],
    *,
    purpose: str,
    field: str,
    at: datetime,
) -> list[Refusal]:
    """Keep what was sent, beside what is kept; what is wrong with each that was not taken."""
    refused = []
    for one in sent:
        try:
            file = files.keep(
                actor,
                purpose=purpose,
                name=str(one.name or ""),
                data=one,  # type: ignore[arg-type]
                at=at,
            )
        except Refusal as refusal:
            said = f"“{one.name}”没有收下：{refusal.sentence}"
            refused.append(Refusal(refusal.code, said, field=field))
        else:
            kept.append(file)
    return refused


__all__ = ["KEPT", "before", "take_in"]
