"""The cast and the steps by which the tests of supervision bring a card where they need it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from tests.accounts.city import SINCE
from tests.cases import people
from tests.cases.people import actor, moment
from zhengwu.accounts import services as accounts_services
from zhengwu.accounts.queries import Actor
from zhengwu.ledger import queries as ledger
from zhengwu.supervision import issuing, services
from zhengwu.supervision.events import FINDINGS
from zhengwu.supervision.sight import Sight

# A Monday with a whole week of working days behind it.
AT = moment("09-14 11:00")
CLERK, TEAMMATE, REVIEWER, HEAD = (
    "p-water-clerk", "p-water-clerk2", "p-water-reviewer", "p-water-head",
)  # fmt: skip
STRANGER, STRANGE_HEAD = "p-market-clerk", "p-market-head"
SUPERVISOR, SECOND, INSIDER, MANAGER = (
    "p-supervisor", "p-supervisor2", "p-water-supervisor", "p-centre_manager",
)  # fmt: skip


def supervisors() -> None:
    """A second supervisor, and one who belongs to the water bureau."""
    for code, agency in ((SECOND, "420100-centre"), (INSIDER, people.WATER)):
        accounts_services.add_person(
            code, name=code, agency=agency, holds=[("supervisor", "420100")], since=SINCE
        )


def key() -> str:
    return str(uuid4())


def who(code: str) -> Actor:
    return actor(code)


def card(
    number: str,
    level: str = "yellow",
    *,
    person: str | None = CLERK,
    by: str = SUPERVISOR,
    at: datetime = AT,
) -> UUID:
    """A card issued by hand."""
    return services.issue_by_hand(
        who(by), number, "H01", level, "抽查发现材料没有当场清点。", person=person, key=key(), at=at
    )


@dataclass(frozen=True, slots=True)
class Head:
    """A finding as its head says."""

    version: int
    level: str
    state: str
    appeal: str
    counts: bool
    closed: datetime | None
    reminded: datetime | None


def head(id: UUID) -> Head:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version, level, state, appeal, counts, closed, reminded FROM supervision_finding"
            " WHERE id = %s",
            [id],
        )
        return Head(*cursor.fetchone())


def do(verb: str, code: str, id: UUID, *words: Any, at: datetime = AT, **more: Any) -> Any:
    """A verb on the finding as it stands now."""
    more.setdefault("key", key())
    more.setdefault("version", head(id).version)
    return getattr(services, verb)(who(code), id, *words, at=at, **more)


def software(id: UUID, kind: str, *, at: datetime = AT, **body: Any) -> None:
    """An entry as the software makes it when later news changes what a card rests on."""
    columns: dict[str, Any] = {"basis_changed": True}
    if kind == "appeal_opened":
        body = {
            "reason": "special_unregistered", "versions": [1],
            "until": (at + timedelta(days=3)).isoformat(),
        }  # fmt: skip
        columns = {"appeal": "open", "appeal_due": body["until"]}
    issuing.move(
        [(id, head(id).version)], kind, at=at, key=key(), body=body or {"versions": [1]},
        head=columns, agency=people.WATER, region="420100",
    )  # fmt: skip


def kinds(id: UUID, stream: str = FINDINGS) -> list[str]:
    return [one.kind for one in ledger.stream_events(stream, id)]


def sees(code: str, id: UUID) -> bool:
    try:
        services.load(Sight.of(who(code)), id)
    except services.NotFound:
        return False
    return True
