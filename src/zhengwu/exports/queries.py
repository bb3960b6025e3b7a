"""How the exports of a person go (我的导出); nobody sees another's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.exports import registry
from zhengwu.exports.models import Order
from zhengwu.exports.registry import FORMS

UNDER_WAY = ("waiting", "running")
SHOWN = 50
STUCK = timedelta(minutes=5)  # nothing moves: somebody should look
STATES_ZH: Mapping[str, str] = {
    "waiting": "排队中",
    "running": "正在生成",
    "ready": "可以下载",
    "failed": "没有导出",
    "cancelled": "已取消",
    "expired": "到期删除",
    "deleted": "已删除",
}
ORDERED = "export"  # the stream of the looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One order as its owner sees it. asked: the parameters in words; size: bytes; why: in words
    why there is no file; share: of the rows expected, 0 to 1, None where nobody knows."""

    id: UUID
    table: str
    table_zh: str
    form: str
    asked: str
    parameters: Mapping[str, str]
    state: str
    ordered: datetime
    began: datetime | None
    ended: datetime | None
    rows: int
    total: int | None
    size: int
    until: datetime | None
    why: str

    @property
    def state_zh(self) -> str:
        return STATES_ZH[self.state]

    @property
    def form_zh(self) -> str:
        return FORMS.get(self.form, self.form)  # type: ignore[call-overload, no-any-return]

    @property
    def under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def share(self) -> float | None:
        if self.state == "waiting":
            return 0.0
        if self.total is None:
            return None
        return min(self.rows / self.total, 1.0) if self.total else 1.0


class ExportNotFound(LookupError):
    """There is no such export, or it is another's."""


def mine(actor: Actor) -> tuple[Export, ...]:
    """The newest first, at most fifty; deleted ones are not shown."""
    found = _of(actor).exclude(state="deleted").order_by("-ordered", "-id")[:SHOWN]
    return tuple(shown(one, actor) for one in found)


def one(actor: Actor, id: UUID, *, system: UUID | None = None) -> Export:
    """Raises ExportNotFound."""
    return shown(order(actor, id, system=system), actor)


def order(actor: Actor, id: UUID, *, system: UUID | None = None) -> Order:
    """The row itself, for the verbs. system: only what this system ordered. Raises ExportNotFound."""
    found = _of(actor).exclude(state="deleted").filter(id=id)
    row = (found.filter(system=system) if system else found).first()
    if row is None:
        raise ExportNotFound(id)
    return row


def _of(actor: Actor) -> QuerySet[Order]:
    return Order.objects.filter(owner=actor.code)


def shown(row: Order, actor: Actor) -> Export:
    table = registry.table(row.table)
    return Export(
        id=row.id, table=row.table, table_zh=table.zh if table else row.table, form=row.form,
        asked=registry.said(table, actor, row.parameters) if table else "",
        parameters=row.parameters, state=row.state, ordered=row.ordered, began=row.began,
        ended=row.ended, rows=row.rows, total=row.total, size=row.size, until=row.until,
        why=row.why,
    )  # fmt: skip


# --- how far somebody sees --------------------------------------------------------------------


def reach_kept(reach: Reach) -> dict[str, Any]:
    """A reach as it is kept with a file."""
    return {
        "everything": reach.everything,
        "agencies": sorted(reach.agencies),
        "halls": sorted(reach.halls),
        "streams": sorted(map(str, reach.streams)),
    }


def still_sees(actor: Actor, row: Order) -> bool:
    """Whether the owner may still do the table's act, at least as far as when the file was made."""
    table = registry.table(row.table)
    if table is None or not actor.may(table.act):
        return False
    now, then = accounts.reach(actor, table.act), row.reach or {}
    return now.everything or (
        not then.get("everything", True)
        and now.agencies >= set(then["agencies"])
        and now.halls >= set(then["halls"])
        and set(map(str, now.streams)) >= set(then["streams"])
    )


# --- for the operator -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How the work stands: orders by state, those that do not move, files and their bytes."""

    waiting: int
    running: int
    stuck: int
    files: int
    size: int


def standing(*, at: datetime) -> Standing:
    """One statement. stuck: nothing was written for five minutes, though somebody waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE state = 'waiting'),"
            " count(*) FILTER (WHERE state = 'running'),"
            " count(*) FILTER (WHERE state = 'running' AND moved < %(old)s OR state = 'waiting'"
            "  AND ordered < %(old)s AND NOT EXISTS (SELECT 1 FROM exports_order o"
            "  WHERE o.state = 'running' AND o.moved >= %(old)s)),"
            " count(*) FILTER (WHERE state = 'ready'),"
            " coalesce(sum(size) FILTER (WHERE state = 'ready'), 0)"
            " FROM exports_order WHERE state IN ('waiting', 'running', 'ready')",
            {"old": at - STUCK},
        )
        return Standing(*map(int, cursor.fetchone()))


def under_way(actor: Actor) -> tuple[int, int]:
    """Of this person: how many are under way, how many can be fetched."""
    states = list(
        _of(actor).filter(Q(state__in=(*UNDER_WAY, "ready"))).values_list("state", flat=True)
    )
    ready = states.count("ready")
    return len(states) - ready, ready
