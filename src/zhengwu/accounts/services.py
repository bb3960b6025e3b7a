"""The verbs of accounts; beside them only `city` writes, which builds the demo city in bulk."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from zhengwu.accounts import queries, roles
from zhengwu.accounts.models import (
    Agency,
    Grant,
    Person,
    Post,
    PostHolding,
    Region,
    RoleHolding,
)  # fmt: skip
from zhengwu.accounts.queries import Actor, Names
from zhengwu.domain.refusal import Refusal

SEPARATION = "GB/T 22239-2019 8.1.5（等保2.0 安全管理中心）"


# Asked with nearly every page of the desk: no model is made. One row, whatever stood in a list: twenty
# with four indexes each for every page that is turned would be most of what the database writes.
_LOOKED = (
    "INSERT INTO accounts_look (person, agency, stream, stream_id, others, why, fields, at)"
    " SELECT %(looker)s, %(of)s, %(stream)s, o.ids[1], nullif(o.ids[2:], '{{}}'), %(why)s,"
    " %(fields)s::jsonb, %(at)s FROM (SELECT {ids} ids) o WHERE o.ids <> '{{}}'"
)
_LOOKED_THROUGH = _LOOKED.format(ids="%(ids)s::text::uuid[]")
_LOOKED_AT_ONE = (
    "INSERT INTO accounts_look (person, agency, stream, stream_id, why, fields, at)"
    " VALUES (%(looker)s::text, %(of)s::text, %(stream)s::text, %(stream_id)s::uuid, %(why)s::text,"
    " %(fields)s::text::jsonb, %(at)s::timestamptz)"
)
LIST = "list"  # the stream of looks at a list as a whole
QUIET = timedelta(minutes=10)  # who turns its pages and comes back meanwhile looks at it once
_LISTS = UUID("0b6f5f0e-6f0c-5d0f-9a39-2c5f8f6d1b7e")
_LISTED = (
    "INSERT INTO accounts_look (person, agency, stream, stream_id, why, fields, at)"
    " SELECT %(person)s::text, %(agency)s::text, %(stream)s::text, %(list)s::uuid, %(why)s::text,"
    " %(fields)s::jsonb, %(at)s::timestamptz"
    " WHERE NOT EXISTS (SELECT 1 FROM accounts_look l WHERE l.stream_id = %(list)s::uuid"
    " AND l.at > %(since)s AND l.at <= %(at)s AND l.person = %(person)s)"
)


def look(
    actor: Actor, stream: str, stream_id: UUID, *, why: str, fields: Iterable[str], at: datetime
) -> None:
    """Record a look at personal data (查阅记录)."""
    look_through(actor, stream, (stream_id,), why=why, fields=fields, at=at)


def looks_sql(
    actor: Actor, stream: str, ids: str, *, why: str, fields: Iterable[str], at: datetime
) -> tuple[str, dict[str, Any]]:
    """`look_through` for a context's own statement: what is written, and its parameters. ids: SQL
    giving the streams."""
    return _LOOKED.format(ids=f"ARRAY({ids})"), _looker(actor, stream, why, fields, at)


def look_and_name(
    actor: Actor,
    stream: str,
    stream_id: UUID,
    *,
    why: str,
    fields: Iterable[str],
    at: datetime,
    agencies: Iterable[str | None],
    people: Iterable[str | None],
    posts: Iterable[str | None],
) -> Names:
    """`look`, and `queries.names` for the page that shows it, in one statement."""
    return queries.names(
        agencies=agencies, people=people, posts=posts,
        first=(
            _LOOKED_AT_ONE, {"stream_id": stream_id} | _looker(actor, stream, why, fields, at)
        ),
    )  # fmt: skip


def look_through(
    actor: Actor,
    stream: str,
    stream_ids: Iterable[UUID],
    *,
    why: str,
    fields: Iterable[str],
    at: datetime,
) -> None:
    """Record a look at a list (查阅记录): one row with all that stood in it, in one statement."""
    ids = ",".join(map(str, stream_ids))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _LOOKED_THROUGH, {"ids": f"{{{ids}}}"} | _looker(actor, stream, why, fields, at)
        )


def _looker(
    actor: Actor, stream: str, why: str, fields: Iterable[str], at: datetime
) -> dict[str, Any]:
    return {
        "looker": actor.code, "of": actor.agency or "", "stream": stream, "why": why,
        "fields": json.dumps(sorted(fields)), "at": at,
    }  # fmt: skip


def look_at_list(
    actor: Actor, *, why: str, fields: Iterable[str], at: datetime, each: bool = False
) -> None:
    """Record a look at a list as a whole (清单的查阅记录), in one statement: one row, whatever stood
    in it.

    why: the table and what it was narrowed by, in words, without a text that somebody typed. The
    stream's id is made of it, so that all looks at the same list are found together. The same person
    again within `QUIET` adds nothing, unless each look counts: a download, a text looked for.
    """
    since = at if each else at - QUIET
    with connection.cursor() as cursor:
        cursor.execute(
            _LISTED,
            {
                "person": actor.code, "agency": actor.agency or "", "stream": LIST,
                "list": uuid5(_LISTS, why), "why": why[:200], "fields": json.dumps(sorted(fields)),
                "at": at, "since": since,
            },
        )  # fmt: skip


def grant(
    person: str, *, act: str, stream: UUID, since: datetime, until: datetime | None, because: str
) -> None:
    """Widen one person's sight on one stream (授权)."""
    if not because.strip():
        raise Refusal("accounts.because", "授权必须写明理由。", field="because")
    Grant.objects.create(
        person=Person.objects.get(code=person), act=act, stream=stream, since=since, until=until,
        because=because,
    )  # fmt: skip


def end_grants(stream: UUID, *, acts: Iterable[str], agency: str, at: datetime) -> int:
    """End what the people of an agency were given on a stream (收回授权). How many grants."""
    running = Grant.objects.filter(stream=stream, act__in=tuple(acts), person__agency=agency)
    running = running.filter(Q(until__isnull=True) | Q(until__gt=at))
    # A grant of this very moment ends as soon as it can: its end lies after its beginning.
    return running.update(until=Greatest(Value(at), F("since") + timedelta(microseconds=1)))


@transaction.atomic
def assign_role(by: Actor, person: str, *, role: str, scope: str) -> None:
    """Give a role (授予角色). Only the security administrator; 三员分立."""
    if not by.may("roles.grant"):
        raise Refusal(
            "accounts.not_security_admin", "只有安全管理员可以授予角色。", article=SEPARATION
        )
    if by.code == person:
        raise Refusal("accounts.own_role", "不能给自己授予角色。", article=SEPARATION)
    _give(person, role=role, scope=scope)


def _give(person: str, *, role: str, scope: str) -> None:
    if role not in roles.TABLE:
        raise Refusal("accounts.unknown_role", "没有这个角色。请从列表中选择。", field="role")
    # Locked: two assignments at once must not make one person two administrators.
    holder = Person.objects.select_for_update().filter(code=person).first()
    if holder is None:
        raise Refusal("accounts.unknown_person", "没有找到这个人员。", field="person")
    held = set(RoleHolding.objects.filter(person=holder).values_list("role", flat=True)) - {role}
    posts = PostHolding.objects.filter(person=holder, until__isnull=True).exists()
    if role in roles.ADMINISTRATORS and (held or posts):
        raise Refusal(
            "accounts.separation",
            "系统、安全、审计三员必须由不同的人担任，也不得办理业务。请先收回其他角色和岗位。",
            article=SEPARATION,
        )
    if held & set(roles.ADMINISTRATORS):
        raise Refusal(
            "accounts.separation", "系统、安全、审计管理员不得兼任其他角色。", article=SEPARATION
        )
    RoleHolding.objects.get_or_create(person=holder, role=role, scope=scope)


def add_region(code: str, *, name: str, level: str, parent: str | None) -> None:
    Region.objects.get_or_create(
        code=code, defaults={"name": name, "level": level, "parent_id": parent}
    )


def add_agency(
    code: str, *, name: str, short: str, kind: str, region: str, parent: str | None = None,
    system: str = "none", has_window: bool = False,
) -> None:  # fmt: skip
    Agency.objects.get_or_create(
        code=code,
        defaults={
            "name": name, "short": short, "kind": kind, "region_id": region, "parent_id": parent,
            "system": system, "has_window": has_window,
        },
    )  # fmt: skip


def add_post(
    code: str, *, name: str, kind: str, agency: str, hall: str = "", window: str = ""
) -> None:
    Post.objects.get_or_create(
        code=code,
        defaults={
            "name": name, "kind": kind, "agency_id": agency, "hall": hall, "window": window,
        },
    )  # fmt: skip


@transaction.atomic
def add_person(
    code: str, *, name: str, agency: str | None, posts: Iterable[tuple[str, str]] = (),
    holds: Iterable[tuple[str, str]] = (), since: datetime, password: str | None = None,
) -> None:  # fmt: skip
    """Add a member of staff once. posts: (post, A|B); holds: (role, scope) at set-up."""
    if Person.objects.filter(code=code).exists():
        return
    person = Person(code=code, username=code, name=name, agency_id=agency)
    person.set_password(password) if password else person.set_unusable_password()
    person.save()
    for role, scope in holds:
        _give(code, role=role, scope=scope)
    for post, part in posts:
        appoint(code, post=post, part=part, since=since)


@transaction.atomic
def open_sign_in(person: str, *, username: str, password: str) -> None:
    """Let a person sign in under this name with this password (开通登录)."""
    holder = Person.objects.select_for_update().get(code=person)
    holder.username = username
    holder.set_password(password)
    holder.save(update_fields=["username", "password"])


@transaction.atomic
def appoint(person: str, *, post: str, part: str, since: datetime) -> None:
    """Put a person on a post as A or B (AB岗). Raises Refusal for an administrator."""
    holder = Person.objects.select_for_update().get(code=person)
    if RoleHolding.objects.filter(person=holder, role__in=roles.ADMINISTRATORS).exists():
        raise Refusal("accounts.separation", "三员不得办理业务。", article=SEPARATION)
    PostHolding.objects.create(person=holder, post_id=post, part=part, since=since)
