"""Writer processes of the drill: python -m tests.ledger.writer FIRST_SEED COUNT SECONDS STREAMS.

With a count of one this process is the writer; more are forked from it, which has the modules.

Mixed transactions over shared streams: single rows and overlapping batches in random order,
several events of one stream, a third of them writing something else first and sleeping. Each
answers with one JSON line of what it was told: moved, stale, repeated and the moved event ids.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
import time
import uuid
from collections import Counter
from datetime import UTC, datetime

import django


def write(seed: int, seconds: float, streams: list[str]) -> str:
    from django.db import connection, transaction

    from zhengwu.ledger import services as ledger

    ledger.register(ledger.StreamKind("probe", frozenset({"opened", "moved"})))
    dice = random.Random(seed)
    ids = [uuid.UUID(text) for text in streams]
    told: Counter[str] = Counter()
    moved: list[str] = []
    until = time.monotonic() + seconds
    nth = 0
    while time.monotonic() < until:
        chosen = dice.sample(ids, dice.choice([1, 1, 2, 5, min(20, len(ids))]))
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, version FROM ledger_head WHERE id = ANY(%s)", [chosen])
            versions = dict(cursor.fetchall())
        rows = []
        for stream in chosen:
            for _ in range(dice.choice([1, 1, 1, 3])):
                nth += 1
                rows.append(
                    ledger.Row(
                        stream,
                        versions[stream],
                        ledger.NewEvent(
                            kind="moved",
                            occurred=datetime.now(UTC),
                            source="drill",
                            # Every tenth key is shared with the other writers: twins.
                            key=f"twin-{nth}" if nth % 10 == 0 else f"{seed}-{nth}",
                        ),
                    )
                )
        if dice.random() < 1 / 3:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(
                        "INSERT INTO ledger_head (id, stream, version) VALUES (%s, 'other', 1)",
                        [ledger.uuid7()],
                    )
                time.sleep(dice.random() * 0.02)
                outcomes = ledger.append("probe", rows)
        else:
            outcomes = ledger.append("probe", rows)
        told.update(str(outcome.status) for outcome in outcomes)
        moved += [str(o.event_id) for o in outcomes if o.status is ledger.Status.MOVED]
    return json.dumps({"told": told, "moved": moved})


def main(first: int, count: int, seconds: float, streams: list[str]) -> None:
    django.setup()
    from zhengwu.ledger import services  # noqa: F401 - read once, before the fork

    if count == 1:
        print(write(first, seconds, streams))
        return
    with multiprocessing.get_context("fork").Pool(count) as pool:
        given = [(seed, seconds, streams) for seed in range(first, first + count)]
        for answer in pool.starmap(write, given, chunksize=1):
            print(answer)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4].split(","))
