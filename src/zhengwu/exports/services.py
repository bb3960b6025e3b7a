"""Ordering, cancelling, fetching and sweeping exports (导出).

The permission is asked three times: of whoever orders, again when the file is made, again when it is
fetched. Every order and every fetching stands in the looks (查阅记录).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection, transaction

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import services as account_services
from zhengwu.accounts import systems
from zhengwu.accounts.queries import Actor
from zhengwu.domain.refusal import Refusal
from zhengwu.exports import files, queries, registry
from zhengwu.exports.models import Order
from zhengwu.exports.queries import ORDERED, UNDER_WAY, Export
from zhengwu.exports.registry import FORMS, MEDIA, Given, Table
from zhengwu.ledger import services as ledger
from zhengwu.web import words

MOST_WAITING = 5  # orders of one person that are not done
DEATHS = 3  # the process ended so often in the middle of it: not once more
FORGOTTEN = timedelta(days=90)  # after which the order itself goes
STRAY = timedelta(hours=1)
RUNNING = 7_301_003  # class of the advisory locks that the processes hold, one for each order
DIED = f"生成时后台进程中断了 {DEATHS} 次，没有导完。请缩小范围再试；仍然不行的，请联系系统管理员。"


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be sent. name: for people, with its ending."""

    data: BinaryIO
    name: str
    plain: str
    media: str
    size: int


# --- the owner ------------------------------------------------------------------------------------


def order(
    actor: Actor, table: str, *, form: str, parameters: Given, key: UUID, at: datetime,
    system: UUID | None = None, scopes: Collection[str] = (),
) -> Export:  # fmt: skip
    """Order an export (申请导出). The same key again gives the same order. Raises Refusal."""
    found = registry.table(table)
    if found is None or not actor.may(found.act):
        raise Refusal("exports.table", "没有这张表，或者您没有导出它的权限。", field="table")
    if form not in found.forms:
        raise Refusal("exports.form", "请选择文件格式。", field="form")
    given = registry.read(found, actor, parameters, at=at)
    if first := _first(actor, key, table=table, form=form, given=given):
        return first
    under_way = Order.objects.filter(owner=actor.code, state__in=UNDER_WAY).count()
    if under_way >= MOST_WAITING:
        raise Refusal(
            "exports.too_many",
            f"您已经有 {under_way} 个导出没有做完。请等它们做完，或者取消不要的。",
        )
    row = Order(
        id=ledger.uuid7(), key=key, owner=actor.code, agency=actor.agency or "", system=system,
        scopes=sorted(scopes), table=table, form=form, parameters=given, ordered=at,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _looked(actor, row, found, "申请导出", at=at)
    except IntegrityError:
        if first := _first(actor, key, table=table, form=form, given=given):
            return first
        raise
    return queries.shown(row, actor)


def _first(actor: Actor, key: UUID, *, table: str, form: str, given: Given) -> Export | None:
    row = Order.objects.filter(key=key).first()
    if row is None:
        return None
    if (row.owner, row.table, row.form, row.parameters) != (actor.code, table, form, given):
        raise Refusal("ledger.key_reused", "这个编号已经用于另一次导出。再导一次请用新的编号。")
    return queries.shown(row, actor)


def _looked(actor: Actor, row: Order, table: Table, what: str, *, at: datetime) -> None:
    asked = registry.said(table, actor, row.parameters, recorded=True)
    rows = f"，{row.rows:,} 行" if row.state == "ready" else ""
    why = f"{what}：{table.zh}（{FORMS[row.form]}{rows}）{asked}"  # type: ignore[index]
    account_services.look(actor, ORDERED, row.id, why=why[:200], fields=("table",), at=at)


def cancel(actor: Actor, id: UUID, *, at: datetime, system: UUID | None = None) -> None:
    """Give up an order that is not done (取消). One that is done stays as it is."""
    row = queries.order(actor, id, system=system)
    Order.objects.filter(id=row.id, state__in=UNDER_WAY).update(state="cancelled", ended=at)


def delete(actor: Actor, id: UUID, *, at: datetime, system: UUID | None = None) -> None:
    """Remove the file, and the order from the list (删除). What is under way is cancelled."""
    row = queries.order(actor, id, system=system)
    Order.objects.filter(id=row.id).update(state="deleted", ended=at, until=None)
    # A process that is still at it notices with its next look, and removes what it wrote.
    files.remove(row.place)


def fetch(actor: Actor, id: UUID, *, at: datetime, system: UUID | None = None) -> Download:
    """The file (下载). Raises ExportNotFound, and Refusal where there is no file for this actor."""
    row = queries.order(actor, id, system=system)
    table = registry.table(row.table)
    if row.state != "ready" or table is None or row.until is None or row.until <= at:
        gone = row.state in ("ready", "expired")
        raise Refusal(
            "exports.gone" if gone else "exports.not_ready",
            "这个文件到期删除了。请再导出一次。" if gone else "这次导出没有可以下载的文件。",
        )
    if not queries.still_sees(actor, row):
        raise Refusal(
            "exports.less",
            "导出以后您的权限变小了，这个文件里有您现在不能看的内容，不能下载。请按现在的权限再导出一次。",
        )
    try:
        data = files.path(row.place).open("rb")
    except FileNotFoundError:
        raise Refusal(
            "exports.lost", "这个文件在服务器上找不到了。请再导出一次，并告诉系统管理员。"
        ) from None
    _looked(actor, row, table, "下载导出", at=at)
    day = words.local(row.ended or at).strftime("%Y%m%d-%H%M")
    return Download(
        data, f"{table.zh}-{day}.{row.form}", f"{table.code}-{day}.{row.form}",
        MEDIA[row.form], row.size,  # type: ignore[index]
    )  # fmt: skip


# --- whose right it is now ------------------------------------------------------------------------


def owner_now(row: Order, *, at: datetime) -> Actor | None:
    """Who ordered, with what he may today; None where nobody is left (no such person, no token)."""
    try:
        if row.system is None:
            return accounts.actor(row.owner)
        bearer = systems.later(row.system, row.scopes, at=at)
        if bearer is None:
            return None
        if row.owner == bearer.actor.code:
            return bearer.actor
        return systems.acting(bearer, row.owner, at=at)
    except ObjectDoesNotExist:
        return None


# --- the worker -----------------------------------------------------------------------------------


def recover(*, at: datetime) -> int:
    """Orders whose process is gone wait again, or have failed; how many waited or wait now.

    A process holds a lock of its session for each order it makes, so its death is seen at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH running AS MATERIALIZED (SELECT id, place FROM exports_order"
            "  WHERE state = 'running' FOR UPDATE SKIP LOCKED),"
            " dead AS MATERIALIZED (SELECT id, place FROM running"
            "  WHERE pg_try_advisory_xact_lock(%(class)s, hashtext(id::text)))"
            " UPDATE exports_order o SET deaths = o.deaths + 1,"
            "  state = CASE WHEN o.deaths + 1 >= %(most)s THEN 'failed' ELSE 'waiting' END,"
            "  why = CASE WHEN o.deaths + 1 >= %(most)s THEN %(died)s ELSE '' END,"
            "  ended = CASE WHEN o.deaths + 1 >= %(most)s THEN %(at)s::timestamptz END"
            " FROM dead WHERE o.id = dead.id RETURNING dead.place",
            {"class": RUNNING, "most": DEATHS, "died": DIED, "at": at},
        )
        for (place,) in cursor.fetchall():
            files.remove(place)
        cursor.execute("SELECT count(*) FROM exports_order WHERE state = 'waiting'")
        return int(cursor.fetchone()[0])


def sweep(*, at: datetime) -> int:
    """Timed work: remove files that are past their time, orders long done, and strays."""
    due = list(Order.objects.filter(state="ready", until__lte=at).values_list("id", "place")[:500])
    Order.objects.filter(id__in=[id for id, _ in due], state="ready").update(
        state="expired", until=None
    )
    for _, place in due:
        files.remove(place)
    forgotten, _ = (
        Order.objects.exclude(state__in=(*UNDER_WAY, "ready"))
        .filter(ordered__lt=at - FORGOTTEN)
        .delete()
    )
    kept = Order.objects.filter(state__in=("running", "ready")).values_list("place", flat=True)
    return len(due) + forgotten + files.strays(frozenset(kept), untouched=STRAY.total_seconds())


def kept_until(at: datetime) -> datetime:
    return at + timedelta(days=settings.EXPORTS_DAYS)


__all__ = [
    "DIED",
    "Download",
    "cancel",
    "delete",
    "fetch",
    "order",
    "owner_now",
    "recover",
    "sweep",
]
