"""Systems that ask through the interface and their tokens (接入系统与令牌).

The security administrator registers, issues and revokes; each stands as an event in the stream of
the system. A token is shown once, when it is issued; what is kept is its SHA-256, which suffices for
256 random bits. Revoking holds with the next request.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from zhengwu.accounts import queries, roles
from zhengwu.accounts.models import Agency, Person, Region, System, Token
from zhengwu.accounts.queries import Actor
from zhengwu.accounts.scopes import SCOPES, acts_of
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

STREAM = "system"
SYSTEM = ledger.StreamKind(
    name=STREAM, events=frozenset({"system_registered", "token_issued", "token_revoked"})
)
SOURCE = "desk"
MAY = "systems.manage"
PREFIX = "zw_"
LONGEST = 366  # days a token lasts at most; a house rule, not of law
ROLES = {
    "agency_system": "本机关的办件",
    "hall_system": "本大厅的办件",
    "region_system": "本区域的办件",
}
SOON = timedelta(days=14)  # before a token expires the security administrator is told
GRAIN = timedelta(minutes=1)  # the last use is written once a minute, not with every request
_CODE = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as the security administrator sees it. state: valid | expired | revoked; soon: it is
    valid and expires within SOON."""

    id: UUID
    hint: str
    scopes: tuple[str, ...]
    issued: datetime
    issued_by: str
    expires: datetime
    revoked: datetime | None
    revoked_by: str
    used: datetime | None
    state: str
    soon: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a system (接入记录). kind: of SYSTEM.events; token: its last letters."""

    kind: str
    at: datetime
    by: str
    token: str
    scopes: tuple[str, ...]
    days: int


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A system with its tokens, the newest first."""

    id: UUID
    code: str
    name: str
    agency: str
    agency_name: str
    role: str
    place: str
    tokens: tuple[TokenRow, ...]

    @property
    def sees(self) -> str:
        return ROLES[self.role]

    @property
    def valid(self) -> tuple[TokenRow, ...]:
        return tuple(one for one in self.tokens if one.state == "valid")

    @property
    def soon(self) -> tuple[TokenRow, ...]:
        return tuple(one for one in self.tokens if one.soon)

    @property
    def used(self) -> datetime | None:
        """When any of its tokens was last used."""
        return max((one.used for one in self.tokens if one.used), default=None)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token. secret: shown now and never again."""

    id: UUID
    secret: str


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who showed a token: the system as an actor, and what the token opens."""

    system: UUID
    token: UUID
    agency: str
    scopes: frozenset[str]
    actor: Actor


# --- the security administrator ---------------------------------------------------------------


def register(
    by: Actor, *, code: str, name: str, agency: str, role: str, place: str, key: str, at: datetime
) -> UUID:
    """Register a system (登记接入系统); its id. The same key again: the same system.

    Raises Refusal with the field.
    """
    _only_security(by)
    if first := ledger_queries.answer(SOURCE, key):
        return first.stream_id
    code, name = code.strip().lower(), " ".join(name.split())
    if not _CODE.fullmatch(code):
        raise Refusal(
            "systems.code",
            "系统代码是 3 到 30 个小写字母、数字和连字符，以字母开头。",
            field="code",
        )
    if not 2 <= len(name) <= 60 or not name.isprintable():
        raise Refusal("systems.name", "请填写系统名称（2 到 60 个字）。", field="name")
    if role not in roles.SYSTEMS:
        raise Refusal("systems.role", "请选择系统看得到哪些办件。", field="role")
    if not Agency.objects.filter(code=agency).exists():
        raise Refusal("systems.agency", "没有这个机关。请从列表中选择。", field="agency")
    place = agency if role == "agency_system" else place.strip()
    if role == "region_system" and not Region.objects.filter(code=place).exists():
        raise Refusal("systems.place", "没有这个区域。请填写区域代码，例如 420102。", field="place")
    if role == "hall_system" and not re.fullmatch(r"[\w-]{2,40}", place, re.ASCII):
        raise Refusal("systems.place", "请填写大厅代码。", field="place")
    id = ledger.uuid7()
    with transaction.atomic():
        # A second one of this code waits here for the first, and then does nothing.
        if not _insert(id, code, name, agency, role, place):
            if first := ledger_queries.answer(SOURCE, key):
                return first.stream_id
            raise Refusal("systems.twice", "已经有这个代码的系统。请换一个代码。", field="code")
        _write(
            by, "system_registered", id, 0, key=key, at=at,
            body={"code": code, "agency": agency, "role": role, "place": place},
        )  # fmt: skip
    return id


def _insert(id: UUID, code: str, name: str, agency: str, role: str, place: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_system (id, code, name, agency_id, role, place)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (code) DO NOTHING",
            [id, code, name, agency, role, place],
        )
        return bool(cursor.rowcount)


def issue(
    by: Actor, system: UUID, *, scopes: Collection[str], days: int, key: str, at: datetime
) -> Issued:
    """Issue a token (签发令牌). days: how long it lasts. The secret is nowhere kept.

    Raises Refusal; a key that was used: `systems.issued`, because the secret cannot be shown again.
    """
    _only_security(by)
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Refusal("systems.scopes", "请至少选择一项权限，并且只选列出的。", field="scopes")
    if not 1 <= days <= LONGEST:
        raise Refusal("systems.days", f"有效期应是 1 到 {LONGEST} 天。", field="days")
    secret = PREFIX + secrets.token_urlsafe(32)
    id = ledger.uuid7()
    with transaction.atomic():
        version = _locked(system)
        if ledger_queries.answer(SOURCE, key):
            raise Refusal(
                "systems.issued",
                "这份表单已经签发过一个令牌，不能再显示。没有抄下的，请撤销以后另发。",
            )
        Token.objects.create(
            id=id, system_id=system, digest=digest(secret), hint=secret[-4:],
            scopes=sorted(set(scopes)), issued=at, issued_by=by.code,
            expires=at + timedelta(days=days),
        )  # fmt: skip
        _write(
            by, "token_issued", system, version, key=key, at=at,
            body={"token": str(id), "scopes": sorted(set(scopes)), "days": days},
        )  # fmt: skip
    return Issued(id, secret)


def revoke(by: Actor, token: UUID, *, key: str, at: datetime) -> None:
    """Revoke a token (撤销令牌), at once and for good. Again: nothing more happens."""
    _only_security(by)
    with transaction.atomic():
        row = Token.objects.select_for_update().filter(id=token).first()
        if row is None:
            raise Refusal("systems.no_token", "没有找到这个令牌。")
        if row.revoked is not None:
            return
        version = _locked(row.system_id)
        Token.objects.filter(id=token).update(revoked=at, revoked_by=by.code)
        _write(
            by, "token_revoked", row.system_id, version, key=key, at=at, body={"token": str(token)}
        )


def _only_security(by: Actor) -> None:
    if not by.may(MAY):
        raise Refusal("systems.not_security_admin", "只有安全管理员可以管理接入系统和令牌。")


def _locked(system: UUID) -> int:
    """The version of a system's stream, held until the transaction ends."""
    if System.objects.select_for_update().filter(id=system).first() is None:
        raise Refusal("systems.none", "没有找到这个系统。")
    last = ledger_queries.last(STREAM, system)
    return last[0] if last else 0


def _write(
    by: Actor, kind: str, system: UUID, version: int, *, body: dict[str, object], key: str,
    at: datetime,
) -> None:  # fmt: skip
    event = ledger.NewEvent(
        kind=kind, occurred=at, actor=by.code, agency=by.agency, region=by.region, source=SOURCE,
        key=key, body=body,
    )  # fmt: skip
    ledger.append(STREAM, [ledger.Row(system, version, event)], whole=True)


def systems(actor: Actor, *, at: datetime) -> tuple[SystemRow, ...]:
    """All systems by code, for the security administrator; nothing for anybody else."""
    if not actor.may(MAY):
        return ()
    return _rows(System.objects.all(), at)


def system(actor: Actor, id: UUID, *, at: datetime) -> SystemRow | None:
    """One of them; None where there is none, or who asks may not know."""
    if not actor.may(MAY):
        return None
    return next(iter(_rows(System.objects.filter(id=id), at)), None)


def history(actor: Actor, row: SystemRow) -> tuple[Happened, ...]:
    """What happened to a system, as the log has it, the newest first."""
    if not actor.may(MAY):
        return ()
    hints = {str(one.id): one.hint for one in row.tokens}
    events = ledger_queries.stream_events(STREAM, row.id)
    names = queries.names(people=(one.actor for one in events))
    return tuple(
        Happened(
            one.kind, one.occurred, names.person(one.actor),
            hints.get(str(one.body.get("token", "")), ""), tuple(one.body.get("scopes", ())),
            int(one.body.get("days", 0)),
        )
        for one in reversed(events)
    )  # fmt: skip


def _rows(found: QuerySet[System], at: datetime) -> tuple[SystemRow, ...]:
    listed = list(found.select_related("agency").order_by("code"))
    rows = list(Token.objects.filter(system__in=listed).order_by("-issued", "-id"))
    names = queries.names(people={code for one in rows for code in (one.issued_by, one.revoked_by)})
    tokens: dict[UUID, list[TokenRow]] = {}
    for row in rows:
        tokens.setdefault(row.system_id, []).append(_row(row, names, at))
    return tuple(
        SystemRow(
            one.id, one.code, one.name, one.agency_id, one.agency.name, one.role, one.place,
            tuple(tokens.get(one.id, ())),
        )
        for one in listed
    )  # fmt: skip


def _row(row: Token, names: queries.Names, at: datetime) -> TokenRow:
    state = "revoked" if row.revoked else "expired" if row.expires <= at else "valid"
    return TokenRow(
        row.id, row.hint, tuple(row.scopes), row.issued, names.person(row.issued_by), row.expires,
        row.revoked, names.person(row.revoked_by) if row.revoked_by else "", row.used, state,
        state == "valid" and row.expires - at <= SOON,
    )  # fmt: skip


# --- who shows a token ------------------------------------------------------------------------


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def bearer(secret: str, *, at: datetime) -> Bearer | None:
    """Who holds this token now; None for one that is unknown, expired or revoked. One statement
    (two once a minute, which note the use).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.id, t.scopes, t.used, s.id, s.code, s.name, s.role, s.place, a.code, a.name,"
            " a.region_id FROM accounts_token t JOIN accounts_system s ON s.id = t.system_id"
            " JOIN accounts_agency a ON a.code = s.agency_id"
            " WHERE t.digest = %s AND t.revoked IS NULL AND t.issued <= %s AND t.expires > %s",
            [digest(secret), at, at],
        )
        row = cursor.fetchone()
        if row is None:
            return None
        token, given, used, id, code, name, role, place, agency, agency_name, region = row
        if used is None or at - used >= GRAIN:
            cursor.execute(
                "UPDATE accounts_token SET used = %s WHERE id = %s AND (used IS NULL OR used < %s)",
                [at, token, at],
            )
    return _bearer(id, token, given, code, name, role, place, agency, agency_name, region)


def later(system: UUID, scopes: Collection[str], *, at: datetime) -> Bearer | None:
    """A system whose request left work behind: what its tokens open still of these scopes; None
    where none of them holds any more. `token` is the one that holds longest.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (array_agg(t.id ORDER BY t.expires DESC))[1],"
            " (SELECT array_agg(DISTINCT one) FROM accounts_token o,"
            " unnest(o.scopes) one"
            " WHERE o.system_id = s.id AND o.revoked IS NULL AND o.expires > %(at)s),"
            " s.code, s.name, s.role, s.place, a.code, a.name, a.region_id"
            " FROM accounts_token t JOIN accounts_system s ON s.id = t.system_id"
            " JOIN accounts_agency a ON a.code = s.agency_id"
            " WHERE s.id = %(system)s AND t.revoked IS NULL AND t.expires > %(at)s"
            " GROUP BY s.id, a.code",
            {"system": system, "at": at},
        )
        row = cursor.fetchone()
    if row is None:
        return None
    token, given, *rest = row
    return _bearer(system, token, set(given) & set(scopes), *rest)


def _bearer(
    system: UUID, token: UUID, given: Collection[str], code: str, name: str, role: str, place: str,
    agency: str, agency_name: str, region: str,
) -> Bearer:  # fmt: skip
    scopes = frozenset(given)
    actor = Actor(
        code=f"{queries.SYSTEM}{code}",
        name=name,
        agency=agency,
        agency_name=agency_name,
        region=region,
        hall=None,
        posts=(),
        roles=frozenset({role}),
        holdings=frozenset({(role, place)}),
        granted=frozenset(),
        only=acts_of(scopes),
        via=code,
    )
    return Bearer(system, token, agency, scopes, actor)


def acting(bearer: Bearer, person: str, *, at: datetime) -> Actor | None:
    """The person a system acts for (代办人员), narrowed to the token's scopes; None where there is no
    such person or the system's reach does not hold them: a system of an agency acts for its own
    people, one of a hall or region for whoever works there.
    """
    try:
        found = queries.actor(person, at=at)
    except Person.DoesNotExist:
        return None
    if not _reaches(bearer.actor, found):
        return None
    return replace(found, only=bearer.actor.only, via=bearer.actor.via)


def _reaches(system: Actor, person: Actor) -> bool:
    reach = queries.reach(replace(system, only=None), "case.see")
    agencies = {post.agency for post in person.posts} | {person.agency}
    halls = {post.hall for post in person.posts}
    return reach.everything or bool(agencies & reach.agencies) or bool(halls & reach.halls)
