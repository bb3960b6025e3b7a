"""The two vectors of the specification, byte for byte."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from zhengwu.domain.event import Nature
from zhengwu.ledger import services as ledger

VECTORS = [
    (
        '{"actor":"p-1042","agency":"420100-water","body":{"document":{"data":"sha256:3f0c5d",'
        '"kind":"acceptance_notice","number":"江水许受字〔2026〕第00017号"},"item":"water-intake@3",'
        '"limits":[{"basis":"取水许可和水资源费征收管理条例19","kind":"statutory","unit":'
        '"working_day","value":45},{"basis":"promise","kind":"promised","unit":"working_day",'
        '"value":20}]},"id":"0198f0a2-7c00-7a11-8b22-3c4d5e6f7081","kind":"accepted","nature":"act",'
        '"occurred":"2026-09-21T02:20:00.000000Z","post":"w-b23","received":'
        '"2026-09-21T02:20:41.118204Z","recorded":"2026-09-21T02:20:41.118204Z","region":"420100",'
        '"source":"desk","stream":"case","v":1,"version":4}',
        "97bb7628084e0f4ec075d3f46630b45c4e9a50bbad0a04904d6bc890848ff4e8",
    ),
    (
        '{"actor":null,"agency":"receipt","body":{"deviation":null,"foreign":{"actor":"Resource10",'
        '"id":"task-42935","name":"T02 Check confirmation of receipt"},"step":'
        '"T02 Check confirmation of receipt"},"id":"0198f0a2-7c00-7a11-8b22-3c4d5e6f7082",'
        '"kind":"step","nature":"observation","occurred":"2011-10-12T06:26:25.398000Z","post":null,'
        '"received":"2026-11-23T08:00:00.000001Z","recorded":"2011-10-12T06:26:25.398000Z",'
        '"region":"receipt","source":"link:receipt","stream":"case","v":1,"version":2}',
        "fbf9a0bcd102b0915df9e006e4872cc8f2391fbca22658345e5c2282d52dc952",
    ),
]


@pytest.mark.parametrize(("text", "leaf"), VECTORS)
def test_the_bytes_and_the_leaf_are_those_of_the_specification(text: str, leaf: str) -> None:
    said: dict[str, Any] = json.loads(text)
    times = {n: datetime.fromisoformat(said[n]) for n in ("occurred", "recorded", "received")}
    entry = ledger.Entry(
        id=ledger.uuid7(),
        stream=said["stream"],
        stream_id=UUID(said["id"]),
        version=said["version"],
        kind=said["kind"],
        nature=Nature(said["nature"]),
        actor=said["actor"],
        post=said["post"],
        agency=said["agency"],
        region=said["region"],
        source=said["source"],
        body=said["body"],
        position=7,
        **times,
    )
    assert ledger.canonical(entry) == text.encode()
    assert ledger.leaf(entry).hex() == leaf
