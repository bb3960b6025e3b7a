"""Canonical bytes, version 1 (规范字节): what anyone can recompute and compare."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import rfc8785

from zhengwu.ledger.events import Entry

LARGEST = 2**53 - 1  # RFC 8785: integers beyond are not the same in every reader


_UNFIT = re.compile("[\x00\ud800-\udfff]")


class UnfitBody(ValueError):
    """A body that could not be canonical: a float, a huge integer, a NUL, a foreign type."""


def check_json(value: object, path: str = "body") -> None:
    """Raise UnfitBody unless value is strings, integers, booleans, null, lists and objects."""
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if _UNFIT.search(value):
            nul = "\x00" in value
            raise UnfitBody(f"{path}: {'NUL character' if nul else 'half a character'}")
    elif isinstance(value, int):
        if not -LARGEST <= value <= LARGEST:
            raise UnfitBody(f"{path}: integer beyond 2^53")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            check_json(item, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise UnfitBody(f"{path}: key {key!r} is no string")
            check_json(key, f"{path} key")
            check_json(item, f"{path}.{key}")
    else:
        raise UnfitBody(f"{path}: {type(value).__name__} is not allowed")


def instant(moment: datetime) -> str:
    """UTC with six decimals and Z. moment: aware."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    local = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    if local.year < 1000:  # as the bytes were always made: without leading zeros
        return local.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return local.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def jcs(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value."""
    return rfc8785.dumps(value)


def canonical(event: Entry) -> bytes:
    """The bytes of an event: no xid, no key, no position."""
    return jcs(
        {
            "v": 1,
            "stream": event.stream,
            "id": str(event.stream_id),
            "version": event.version,
            "kind": event.kind,
            "nature": str(event.nature),
            "occurred": instant(event.occurred),
            "recorded": instant(event.recorded),
            "received": instant(event.received),
            "actor": event.actor,
            "post": event.post,
            "agency": event.agency,
            "region": event.region,
            "source": event.source,
            "body": dict(event.body),
        }
    )


def leaf(event: Entry) -> bytes:
    """SHA-256(0x00 ‖ canonical bytes), the leaf of RFC 6962."""
    return hashlib.sha256(b"\x00" + canonical(event)).digest()


def content_digest(salt: bytes, data: Any) -> str:
    """The digest an event carries of an erasable content."""
    return "sha256:" + hashlib.sha256(salt + jcs(data)).hexdigest()
