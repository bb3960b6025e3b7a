"""What the process does that makes the files (导出进程); config.jobs starts it while orders wait.

It takes one after the other until none is left, and ends. Its
work is nobody else's time: the worker goes on ordering events meanwhile, and what it has in memory goes
with it. Each order is taken by one statement and made under a lock of this session, so that its
death in the middle is seen at once (`services.recover`). Asked to end, it puts its order back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.domain.refusal import Refusal
from zhengwu.exports import files, queries, registry, services, writing
from zhengwu.exports.models import Order
from zhengwu.exports.registry import Table
from zhengwu.web.clock import now

OFTEN = 0.5  # seconds between two notes of how far it is
FAILED = "生成文件时出了错，没有导出。请再试一次；仍然不行的，请把导出的时间告诉系统管理员。"
NO_RIGHT = "您已经没有导出这张表的权限，没有导出。"
log = logging.getLogger(__name__)


class _Given(Exception):
    """Somebody cancelled it, or it was taken for dead: nobody waits for this start any more."""


class _Ending(Exception):
    """This process is to end."""


def work(ending: threading.Event | None = None) -> int:
    """Make what waits, one after the other; how many orders were taken.

    Raises OperationalError when the database is lost: the order is found again by its lock.
    """
    ending = ending or threading.Event()
    with connection.cursor() as cursor:
        # A query of a process that was killed ends soon, and its lock with it.
        cursor.execute("SET client_connection_check_interval = '2s'")
    taken = 0
    while not ending.is_set() and (row := take()) is not None:
        taken += 1
        try:
            _make(row, ending)
        finally:
            _unlock(row)
    return taken


def take() -> Order | None:
    """The order that waits longest of somebody for whom none is being made, and the lock on it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "WITH chosen AS (SELECT id FROM exports_order w WHERE state = 'waiting'"
                " AND NOT EXISTS (SELECT 1 FROM exports_order r WHERE r.owner = w.owner"
                "  AND r.state = 'running') ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
                " UPDATE exports_order o SET state = 'running', run = run + 1, rows = 0,"
                " total = NULL, began = %(at)s, moved = %(at)s, place = %(place)s FROM chosen"
                " WHERE o.id = chosen.id RETURNING o.id",
                {"at": now(), "place": files.new_place()},
            )
            found = cursor.fetchone()
            if found is None:
                return None
            cursor.execute(
                "SELECT pg_advisory_lock(%s, hashtext(%s::text))", [services.RUNNING, str(found[0])]
            )
    except IntegrityError:
        return None  # another process has just begun with one of the same person
    return Order.objects.get(id=found[0])


def _unlock(row: Order) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_unlock(%s, hashtext(%s::text))", [services.RUNNING, str(row.id)]
        )


def _make(row: Order, ending: threading.Event) -> None:
    """From an order to a file, or to a sentence why there is none."""
    try:
        _made(row, ending)
    except _Given:
        log.info("export %s given up", row.id)
    except _Ending:
        _write(row, state="waiting", began=None)
        log.info("export %s put back", row.id)
    except Refusal as refusal:
        _fail(row, refusal.sentence)
        log.info("export %s refused: %s", row.id, refusal.code)
    except OSError as problem:
        known = problem.errno in files.FULL
        _fail(row, files.full().sentence if known else FAILED)
        log.exception("export %s failed", row.id)
    except (OperationalError, InterfaceError):
        raise  # the connection, and the lock with it, is lost: it is found again
    except Exception:
        _fail(row, FAILED)
        log.exception("export %s failed", row.id)
    else:
        log.info("export %s of %s as %s ready", row.id, row.table, row.form)
        return
    files.remove(row.place)


def _made(row: Order, ending: threading.Event) -> None:
    at = now()
    table, actor = registry.table(row.table), services.owner_now(row, at=at)
    if table is None or actor is None or not actor.may(table.act):
        raise Refusal("exports.no_right", NO_RIGHT)
    given = registry.read(table, actor, row.parameters, at=at)
    files.room()
    row.total = table.count(actor, given, at)
    tell = _telling(row, ending)
    tell(0)
    rows = writing.write(
        table, actor, given, row.form, to=files.unfinished(row.place), at=at,  # type: ignore[arg-type]
        tell=tell,
    )  # fmt: skip
    _finish(row, rows, actor, table)


def _finish(row: Order, rows: int, actor: Actor, table: Table) -> None:
    size = files.finish(row.place)
    done = now()
    reach = queries.reach_kept(accounts.reach(actor, table.act))
    ready = _write(
        row, state="ready", rows=rows, total=rows, size=size, reach=reach, ended=done, moved=done,
        until=services.kept_until(done), why="",
    )  # fmt: skip
    if not ready:
        raise _Given


def _telling(row: Order, ending: threading.Event) -> Callable[[int], None]:
    """Notes how far it is, twice a second, and ends it where nobody waits or there is no room."""
    last = float("-inf")

    def tell(rows: int) -> None:
        nonlocal last
        if ending.is_set():
            raise _Ending
        if time.monotonic() - last < OFTEN:
            return
        if not _write(row, rows=rows, total=row.total, moved=now()):
            raise _Given
        files.room()
        last = time.monotonic()

    return tell


def _write(row: Order, **values: Any) -> bool:
    """Write to the order, as long as this start of it is still the one that counts."""
    return bool(Order.objects.filter(id=row.id, run=row.run, state="running").update(**values))


def _fail(row: Order, why: str) -> None:
    _write(row, state="failed", why=why[:300], ended=now())
