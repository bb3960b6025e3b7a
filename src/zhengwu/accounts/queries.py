"""Who is acting, and how far that reaches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, F, Func, IntegerField, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Now

from zhengwu.accounts import roles, standing
from zhengwu.accounts.models import (
    Agency,
    Look,
    Person,
    Post,
    PostHolding,
    Region,
    RoleHolding,
)  # fmt: skip

CITY = "420100"
SYSTEM = "system:"  # before the code of a system that asks for itself


@dataclass(frozen=True, slots=True)
class PostHeld:
    code: str
    name: str
    kind: str
    agency: str
    hall: str | None
    window: str | None


@dataclass(frozen=True, slots=True)
class Actor:
    """A person with the posts, roles and grants held now. holdings: (role, scope code).

    only: where a system acts for the person, the acts its token opens; via: that system's code.
    """

    code: str
    name: str
    agency: str | None
    agency_name: str
    region: str | None
    hall: str | None
    posts: tuple[PostHeld, ...]
    roles: frozenset[str]
    holdings: frozenset[tuple[str, str]]
    granted: frozenset[tuple[str, UUID]]  # (act, stream)
    only: frozenset[str] | None = None
    via: str = ""

    def may(self, act: str) -> bool:
        return (self.only is None or act in self.only) and act in roles.acts(self.roles)


@dataclass(frozen=True, slots=True)
class Reach:
    everything: bool
    agencies: frozenset[str]
    halls: frozenset[str]
    streams: frozenset[UUID]


NOWHERE = Reach(False, frozenset(), frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Colleague:
    person: str
    name: str
    post: str
    post_name: str
    kind: str
    part: str


@dataclass(frozen=True, slots=True)
class AtWindow:
    """Somebody who holds a window post; window: "" where the post names none."""

    person: str
    name: str
    post: str
    part: str
    hall: str
    window: str


@dataclass(frozen=True, slots=True)
class AgencyRow:
    code: str
    name: str
    short: str
    kind: str
    region: str
    has_window: bool


@dataclass(frozen=True, slots=True)
class LookRow:
    """One look at personal data; names as they are today, empty where we do not know them.

    stream_ids: what stood in the list, or the first of it; only the one that was asked for, where one
    was. total: how many stood in it.
    """

    person: str
    name: str
    agency: str
    agency_name: str
    stream: str
    stream_ids: tuple[UUID, ...]
    total: int
    why: str
    fields: tuple[str, ...]
    at: datetime


# Held at the database's own present.
_HELD = Q(since__lte=Now()) & (Q(until__isnull=True) | Q(until__gt=Now()))


_ACTOR = (
    f"SELECT {standing.COLUMNS} FROM accounts_person p"  # noqa: S608 - constants
    " LEFT JOIN accounts_agency a ON a.code = p.agency_id WHERE "
)
_BY_ID, _BY_CODE = _ACTOR + "p.id = %s::bigint", _ACTOR + "p.code = %s::text"


def actor_of(person: Person, *, at: datetime | None = None) -> Actor:
    """The actor behind a signed-in person; one that is not active has no posts and no roles.

    What was read together with the session is not asked for again.
    """
    return _actor(person.take_standing() or _standing(_BY_ID, person.pk), at)


def actor(code: str, *, at: datetime | None = None) -> Actor:
    """The actor of a person's code. Raises Person.DoesNotExist."""
    return _actor(_standing(_BY_CODE, code), at)


def _standing(question: str, who: int | str) -> standing.Row:
    with connection.cursor() as cursor:
        cursor.execute(question, [who])
        row: standing.Row | None = cursor.fetchone()
    if row is None:
        raise Person.DoesNotExist
    return row


def _actor(row: standing.Row, at: datetime | None) -> Actor:
    """at: posts, roles and grants held then; none: now."""
    code, name, agency, agency_name, region, posts_held, roles_held, grants, present = row
    at = at or present
    posts = tuple(
        PostHeld(post, title, kind, of, hall or None, window or None)
        for post, title, kind, of, hall, window in standing.held(posts_held, at)
    )
    holdings = frozenset(
        (role, scope) for role, scope in (json.loads(roles_held) if roles_held else ())
    )
    return Actor(
        code=code,
        name=name,
        agency=agency,
        agency_name=agency_name or "",
        region=region,
        hall=next((post.hall for post in posts if post.hall), None),
        posts=posts,
        roles=frozenset(role for role, _ in holdings),
        holdings=holdings,
        granted=frozenset((act, UUID(stream)) for act, stream in standing.held(grants, at)),
    )


def regions() -> tuple[tuple[str, str], ...]:
    """Code and name of the city and its districts, the city first."""
    found = Region.objects.filter(level__in=("city", "district")).order_by("level", "code")
    return tuple(found.values_list("code", "name"))


def region_codes() -> frozenset[str]:
    """The codes of all regions."""
    return frozenset(Region.objects.values_list("code", flat=True))


def regions_above(code: str) -> tuple[str, ...]:
    """A region's code and those above it, the nearest first; an unknown one stands alone."""
    above = Region.objects.filter(code=code).values_list(
        "parent", "parent__parent", "parent__parent__parent"
    )
    return (code, *(one for one in above.first() or () if one))


def reach(actor: Actor, act: str) -> Reach:
    """How far this actor may do this act: the one filter of every fetch."""
    if actor.only is not None and act not in actor.only:
        return NOWHERE
    here, regions = _by_roles(actor.holdings, act)
    streams = [stream for granted, stream in actor.granted if granted == act]
    if not (regions or streams):
        return here
    below = (_agencies_below(region) for region in regions)
    return replace(here, agencies=here.agencies.union(*below), streams=frozenset(streams))


@lru_cache(maxsize=4_096)
def _by_roles(holdings: frozenset[tuple[str, str]], act: str) -> tuple[Reach, tuple[str, ...]]:
    """What the roles say of themselves; and the regions, whose agencies the database knows."""
    agencies: set[str] = set()
    halls: set[str] = set()
    regions: set[str] = set()
    everything = False
    for role, code in holdings:
        scope = roles.EVERY[role].get(act)
        if scope == "all":
            everything = True
        elif scope == "agency":
            agencies.add(code)
        elif scope == "hall":
            halls.add(code)
        elif scope == "region" and code == CITY:
            everything = True  # the whole city, and whatever other systems send to it
        elif scope == "region":
            regions.add(code)
    found = Reach(everything, frozenset(agencies), frozenset(halls), frozenset())
    return found, tuple(sorted(regions))


def _agencies_below(region: str) -> set[str]:
    found, level = {region}, {region}
    while level:
        level = set(Region.objects.filter(parent__in=level).values_list("code", flat=True))
        found |= level
    return set(Agency.objects.filter(region__in=found).values_list("code", flat=True))


def colleagues(agency: str) -> tuple[Colleague, ...]:
    """Everybody who holds a post of this agency now, A before B."""
    with connection.cursor() as cursor:
        cursor.execute(_COLLEAGUES, [agency])
        return tuple(Colleague(*row) for row in cursor.fetchall())


def colleagues_sql(agency: str) -> str:
    """`colleagues` of an agency (SQL of its code) as a scalar subquery for `colleagues_told`."""
    return (
        f"(SELECT json_agg(json_build_array({_COLLEAGUE}) ORDER BY h.part, o.code)::text FROM"  # noqa: S608 - columns
        f" {_HOLDERS} AND o.agency_id = {agency})"
    )


def colleagues_told(rows: str | None) -> tuple[Colleague, ...]:
    return tuple(Colleague(*row) for row in json.loads(rows or "[]"))


_COLLEAGUE = "p.code, p.name, o.code, o.name, o.kind, h.part"
_HOLDERS = (
    "accounts_post o JOIN accounts_postholding h ON h.post_id = o.code"
    " JOIN accounts_person p ON p.id = h.person_id"
    " WHERE p.is_active AND h.since <= statement_timestamp()"
    " AND (h.until IS NULL OR h.until > statement_timestamp())"
)
_COLLEAGUES = (
    f"SELECT {_COLLEAGUE} FROM {_HOLDERS} AND o.agency_id = %s::text ORDER BY h.part, o.code"  # noqa: S608 - constants
)


def post_held(agency: str, code: str) -> str | None:
    """The kind of a post of this agency that somebody holds now; None where nobody does."""
    with connection.cursor() as cursor:
        cursor.execute(_POST_HELD, [code, agency])
        row = cursor.fetchone()
    return str(row[0]) if row else None


_POST_HELD = (
    "SELECT o.kind FROM accounts_post o WHERE o.code = %s::text AND o.agency_id = %s::text"
    " AND EXISTS (SELECT 1 FROM accounts_postholding h JOIN accounts_person p ON p.id = h.person_id"
    " WHERE h.post_id = o.code AND p.is_active AND h.since <= statement_timestamp()"
    " AND (h.until IS NULL OR h.until > statement_timestamp()))"
)


def window_staff(agency: str) -> tuple[AtWindow, ...]:
    """Everybody who holds a window post of this agency in a hall now, by window, A before B."""
    held = PostHolding.objects.filter(
        _HELD, post__agency=agency, post__kind="window", person__is_active=True
    ).exclude(post__hall="")
    return tuple(
        AtWindow(h.person.code, h.person.name, h.post.code, h.part, h.post.hall, h.post.window)
        for h in held.select_related("person", "post").order_by(
            "post__hall", "post__window", "part", "id"
        )
    )


def with_role(role: str, scope: str) -> tuple[str, ...]:
    """The codes of the active people who hold a role there."""
    held = RoleHolding.objects.filter(role=role, scope=scope, person__is_active=True)
    return tuple(held.order_by("person__code").values_list("person__code", flat=True))


def agency_name(code: str) -> str:
    """Its name, or the code where we do not know it (an observed system's agency)."""
    return Agency.objects.filter(code=code).values_list("name", flat=True).first() or code


def agency(code: str) -> AgencyRow | None:
    return next(iter(_rows(Agency.objects.filter(code=code))), None)


def agencies(region: str | None = None) -> tuple[AgencyRow, ...]:
    found = Agency.objects.order_by("code")
    return _rows(found.filter(region=region) if region else found)


def names_of_kinds(*kinds: str) -> tuple[str, ...]:
    """The names of the agencies of these kinds, by code."""
    found = Agency.objects.filter(kind__in=kinds).order_by("code")
    return tuple(found.values_list("name", flat=True))


def _rows(found: Iterable[Agency]) -> tuple[AgencyRow, ...]:
    return tuple(
        AgencyRow(a.code, a.name, a.short, a.kind, a.region_id, a.has_window) for a in found
    )


def agency_name_sql(code: str) -> str:
    """The name of an agency (SQL of its code) as a scalar subquery, NULL where we do not know it."""
    return f"(SELECT o.name FROM accounts_agency o WHERE o.code = {code})"  # noqa: S608 - a column


def person_name(code: str | None) -> str:
    if not code:
        return ""
    return Person.objects.filter(code=code).values_list("name", flat=True).first() or code


@dataclass(frozen=True, slots=True)
class Names:
    """Names of agencies and people by code, fetched together; a code we do not know is itself.

    windows: the window numbers of the posts that were asked for and stand at one.
    """

    agencies: Mapping[str, str]
    people: Mapping[str, str]
    windows: Mapping[str, str] = field(default_factory=dict)

    def agency(self, code: str | None) -> str:
        return self.agencies.get(code, code) if code else ""

    def person(self, code: str | None) -> str:
        return self.people.get(code, code) if code else ""


def _those(kind: str) -> str:
    # Not seen through by the planner, which would plan anew for every list.
    return f"ANY(ARRAY(SELECT json_array_elements_text(%(asked)s::json -> '{kind}')))"


_NAMED = (
    f"SELECT 'agency', code, name FROM accounts_agency WHERE code = {_those('agencies')}"  # noqa: S608
    f" UNION ALL SELECT 'person', code, name FROM accounts_person WHERE code = {_those('people')}"
    f" UNION ALL SELECT 'system', code, name FROM accounts_system WHERE code = {_those('systems')}"
    " UNION ALL SELECT 'post', code, \"window\" FROM accounts_post"
    f" WHERE code = {_those('posts')} AND \"window\" <> ''"
)


def names(
    *,
    agencies: Iterable[str | None] = (),
    people: Iterable[str | None] = (),
    posts: Iterable[str | None] = (),
    first: tuple[str, Mapping[str, Any]] | None = None,
) -> Names:
    """The names behind these codes, and the windows of these posts, in one query. first: what is
    written with the same statement, and its parameters."""
    persons = {one for one in people if one}
    asked = {
        "agencies": sorted({one for one in agencies if one}),
        "people": sorted(one for one in persons if not one.startswith(SYSTEM)),
        "systems": sorted(one[len(SYSTEM) :] for one in persons if one.startswith(SYSTEM)),
        "posts": sorted({one for one in posts if one}),
    }
    found: dict[str, dict[str, str]] = {"agency": {}, "person": {}, "system": {}, "post": {}}
    if first or any(asked.values()):
        written, parameters = (f"WITH first AS ({first[0]}) ", first[1]) if first else ("", {})
        with connection.cursor() as cursor:
            cursor.execute(f"{written}{_NAMED}", {"asked": json.dumps(asked), **parameters})
            for kind, code, name in cursor.fetchall():
                found[kind][code] = name
    systems = {f"{SYSTEM}{code}": name for code, name in found["system"].items()}
    return Names(found["agency"], found["person"] | systems, found["post"])


def post_name(code: str) -> str:
    return Post.objects.filter(code=code).values_list("name", flat=True).first() or code


def post_names(codes: Iterable[str | None]) -> dict[str, str]:
    """The names of these posts by code, in one query; one that we do not know is left out."""
    wanted = sorted({one for one in codes if one})
    return dict(Post.objects.filter(code__in=wanted).values_list("code", "name")) if wanted else {}


@dataclass(frozen=True, slots=True)
class LookFilter:
    """Which looks: text in the person's code or name, the agency's name or the reason; stream_id: this
    stream, instead of the text; until is excluded."""

    text: str = ""
    stream_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERY_LOOK = LookFilter()


def looks(
    actor: Actor,
    asked: LookFilter = EVERY_LOOK,
    *,
    offset: int = 0,
    limit: int = 50,
    shown: int = 50,
) -> tuple[LookRow, ...]:
    """Looks at personal data, the latest first; nothing for whoever is not audit administrator.
    shown: so many of a list, at most."""
    found = _looks(actor, asked)
    found = found.annotate(beside=F("others")[: 0 if asked.stream_id else shown - 1])
    return _named(list(found.order_by("-at", "-id")[offset : offset + limit]), asked.stream_id)


def every_look(
    actor: Actor,
    asked: LookFilter = EVERY_LOOK,
    *,
    page: int = 100,
) -> Iterator[tuple[LookRow, ...]]:
    """The same from the latest to the first with all that stood in them, in pages: the last costs
    what the first does. page: few, because a list may hold thousands."""
    found = _looks(actor, asked)
    found = found.annotate(beside=F("others")[:0] if asked.stream_id else F("others"))
    rows = list(found.order_by("-at", "-id")[:page])
    while rows:
        yield _named(rows, asked.stream_id)
        at, id = rows[-1].at, rows[-1].pk
        behind = found.filter(Q(at__lte=at), Q(at__lt=at) | Q(id__lt=id))
        rows = list(behind.order_by("-at", "-id")[:page])


def _named(rows: Sequence[Any], asked: UUID | None) -> tuple[LookRow, ...]:
    known = names(agencies=(r.agency for r in rows), people=(r.person for r in rows))
    return tuple(
        LookRow(
            r.person, known.people.get(r.person, ""), r.agency, known.agencies.get(r.agency, ""),
            r.stream, (asked,) if asked else (r.stream_id, *(r.beside or ())), r.stood,
            r.why, tuple(r.fields), r.at,
        )
        for r in rows
    )  # fmt: skip


def count_looks(actor: Actor, asked: LookFilter = EVERY_LOOK) -> int:
    """How many looks there are."""
    return _looks(actor, asked).count()


def count_look_lines(
    actor: Actor,
    asked: LookFilter = EVERY_LOOK,
    *,
    most: int | None = None,
) -> int:
    """How many streams stood in them, each as often as it did. most: one more than these is enough
    to know that there are more."""
    found = _looks(actor, asked)
    if most is not None:
        found = found.order_by("-at", "-id")[: most + 1]
    if asked.stream_id:
        return found.count()
    return int(found.aggregate(lines=Coalesce(Sum("stood"), 0))["lines"])


# By an index each, the text put aside. Not seen through by the planner, which would else go through
# all looks from the latest, because so many of them seem to be at any one.
_LOOKS_AT = (
    "accounts_look.id = ANY(ARRAY(SELECT id FROM accounts_look WHERE stream_id = %s UNION ALL"
    " SELECT id FROM accounts_look WHERE others @> ARRAY[%s]))"
)


def _looks(actor: Actor, asked: LookFilter) -> QuerySet[Look]:
    size = Func(F("others"), function="cardinality", output_field=IntegerField())
    found = Look.objects.defer("others").annotate(stood=1 + Coalesce(size, 0))
    if not actor.may("audit.looks"):
        return found.none()
    if asked.since:
        found = found.filter(at__gte=asked.since)
    if asked.until:
        found = found.filter(at__lt=asked.until)
    if one := asked.stream_id:
        at_it = RawSQL(_LOOKS_AT, (one, one), output_field=BooleanField())  # noqa: S611 - ours
        found = found.filter(at_it)
    elif text := asked.text:
        people = Person.objects.filter(name__icontains=text).values("code")
        agencies = Agency.objects.filter(name__icontains=text).values("code")
        wanted = Q(person__icontains=text) | Q(why__icontains=text)
        wanted |= Q(person__in=people) | Q(agency__in=agencies)
        found = found.filter(wanted)
    return found
