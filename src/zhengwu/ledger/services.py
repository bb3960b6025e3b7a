"""The verbs of the log, for every other context (事件账)."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection

from zhengwu.ledger.canonical import UnfitBody, canonical, check_json, content_digest, leaf
from zhengwu.ledger.commit import Stale, append, register, registered
from zhengwu.ledger.events import (
    Content,
    Entry,
    HeadTable,
    NewEvent,
    Number,
    Outcome,
    Row,
    Status,
    StreamKind,
    uuid7,
)
from zhengwu.ledger.following import (
    Follower,
    Pace,
    Superseded,
    begin_anew,
    catch_up,
    follow,
    followers,
    register_follower,
    release,
    seldom_collected,
    unregister_follower,
    while_held,
)
from zhengwu.ledger.sequencer import reset_low_xid, sequence

__all__ = [
    "Content",
    "Entry",
    "Follower",
    "HeadTable",
    "NewEvent",
    "Number",
    "Outcome",
    "Pace",
    "Row",
    "Stale",
    "Status",
    "StreamKind",
    "Superseded",
    "UnfitBody",
    "append",
    "begin_anew",
    "canonical",
    "catch_up",
    "check_json",
    "content_digest",
    "erase_content",
    "follow",
    "followers",
    "leaf",
    "register",
    "register_follower",
    "registered",
    "release",
    "reset_low_xid",
    "seldom_collected",
    "sequence",
    "unregister_follower",
    "uuid7",
    "while_held",
]


def erase_content(identifier: uuid.UUID, *, because: str, by: str, at: datetime) -> bool:
    """Erase personal data or free text (删除): data and salt go, the event and its digest stay.

    Without the salt the digest tells nothing. Returns False where it was erased before or is
    unknown. The caller has decided that the law allows it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_content SET data = NULL, salt = NULL, erased = %s, erased_by = %s,"
            " erased_because = %s WHERE id = %s AND erased IS NULL",
            [at, by, because, identifier],
        )
        return bool(cursor.rowcount == 1)
