"""Regions, agencies, posts, people, roles, grants and looks (机构与人员)."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from functools import cache
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.db.models import F, Q


class Region(models.Model):
    """区域: city, district, street or community, each under the one above."""

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=60)
    level = models.CharField(max_length=12)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(level="city", parent__isnull=True)
                | Q(level__in=("district", "street", "community"), parent__isnull=False),
                name="accounts_region_level",
            )
        ]


class Agency(models.Model):
    """机构. short: how document numbers name it (江水)."""

    code = models.CharField(max_length=60, primary_key=True)
    name = models.CharField(max_length=100)
    short = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    system = models.CharField(max_length=20, default="none")
    has_window = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=("department", "utility", "bureau", "centre", "service_point")
                ),
                name="accounts_agency_kind",
            )
        ]


class Post(models.Model):
    """岗位. hall and window: codes of the context above, empty when it does not sit in a hall."""

    code = models.CharField(max_length=80, primary_key=True)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="+")
    hall = models.CharField(max_length=40, default="", blank=True)
    window = models.CharField(max_length=20, default="", blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(window="") | ~Q(hall=""), name="accounts_window_in_hall"
            )
        ]


class PersonManager(BaseUserManager["Person"]):
    def get(self, *args: Any, **wanted: Any) -> Person:
        """As ever; by the key alone, which every request of somebody signed in asks for, what is at
        hand, or with a statement that is composed once."""
        if args or wanted.keys() != {"pk"}:
            return super().get(*args, **wanted)
        near = AT_HAND.get()
        if near is not None and near.pk == wanted["pk"]:
            return near
        with connection.cursor() as cursor:
            cursor.execute(_by_key(), [wanted["pk"]])
            row = cursor.fetchone()
        if row is None:
            raise Person.DoesNotExist
        return Person.told(row)

    def create_superuser(self, **fields: Any) -> Person:
        raise TypeError("没有超级用户：三员分立，见 docs/reference/roles.md。")


# Whom the session's own statement brought (sessions.py), while Django asks who is signed in.
AT_HAND: ContextVar[Person | None] = ContextVar("at hand", default=None)


@cache
def person_fields() -> tuple[tuple[str, str], ...]:
    """Attribute and column of all that a person's row holds."""
    return tuple((field.attname, str(field.column)) for field in Person._meta.concrete_fields)


@cache
def _by_key() -> str:
    """The statement that reads a person by the key."""
    columns = ", ".join(f'"{column}"' for _, column in person_fields())
    return f"SELECT {columns} FROM accounts_person WHERE id = %s::bigint"  # noqa: S608 - names of ours


class Person(AbstractBaseUser):
    """人员. Personal data: the name of a member of staff."""

    code = models.CharField(max_length=40, unique=True)
    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=60)
    email = models.EmailField(blank=True, default="")
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, related_name="+")
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    is_staff = False
    is_superuser = False
    objects = PersonManager()
    _standing: tuple[Any, ...] | None = None

    @classmethod
    def told(cls, row: Sequence[Any], standing: tuple[Any, ...] | None = None) -> Person:
        """A person of the columns of `person_fields`, with what was read beside them (standing.py)."""
        person = cls.from_db(connection.alias, [name for name, _ in person_fields()], row)
        person._standing = standing
        return person

    def take_standing(self) -> tuple[Any, ...] | None:
        """What was read beside the row, once: whoever asks again wants to know anew."""
        standing, self._standing = self._standing, None
        return standing

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False

    def get_full_name(self) -> str:
        return self.name


class PostHolding(models.Model):
    """任职: who holds a post, as A or as B (AB岗). The end is excluded.

    One A and one B at a time; the migration adds the exclusion constraint.
    """

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    post = models.ForeignKey(Post, models.PROTECT, related_name="+")
    part = models.CharField(max_length=1)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(part__in=("A", "B")), name="accounts_part_a_or_b"),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gt=F("since")),
                name="accounts_holding_ends_later",
            ),
        ]


class RoleHolding(models.Model):
    """角色. scope: the code of the agency, hall or region it reaches."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    role = models.CharField(max_length=20)
    scope = models.CharField(max_length=60)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("person", "role", "scope"), name="accounts_role_once"),
            models.CheckConstraint(
                condition=Q(
                    role__in=(
                        "clerk", "reviewer", "approver", "head", "legal", "legal_office",
                        "centre_manager", "supervisor", "cashier", "system_admin", "security_admin", "audit_admin",
                    )
                ),
                name="accounts_role_known",
            ),
            models.UniqueConstraint(
                fields=("person",),
                condition=Q(role__in=("system_admin", "security_admin", "audit_admin")),
                name="accounts_one_administration",
            ),
        ]  # fmt: skip


class Grant(models.Model):
    """授权: widens the sight of one person on one stream for a time, and says why."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    act = models.CharField(max_length=40)
    stream = models.UUIDField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    because = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gt=F("since")),
                name="accounts_grant_ends_later",
            ),
            models.CheckConstraint(condition=~Q(because=""), name="accounts_grant_because"),
        ]


class Look(models.Model):
    """查阅记录: a look at personal data. Append-only (a trigger in the migration).

    others: what else stood in the same list; null: it was no list. A look at a list is one row
    whatever stands in it.
    """

    person = models.CharField(max_length=40)
    agency = models.CharField(max_length=60, default="")
    stream = models.CharField(max_length=40)
    stream_id = models.UUIDField()
    others = ArrayField(models.UUIDField(), null=True)
    why = models.CharField(max_length=200)
    fields = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=("-at", "-id"), name="accounts_look_latest"),
            models.Index(fields=("stream_id", "-at"), name="accounts_look_of_stream"),
            models.Index(fields=("person", "-at"), name="accounts_look_by_person"),
            # What waits to be sorted in is kept short: whoever fills it sorts it in.
            GinIndex(
                fields=("others",),
                condition=Q(others__isnull=False),
                name="accounts_look_of_others",
                gin_pending_list_limit=512,
            ),
        ]


class System(models.Model):
    """接入系统: another system that asks and acts through the interface. role, place: how far it
    sees by itself (roles.SYSTEMS); a token narrows that by its scopes."""

    id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="+")
    role = models.CharField(max_length=20)
    place = models.CharField(max_length=60)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(role__in=("agency_system", "hall_system", "region_system")),
                name="accounts_system_role",
            )
        ]


class Token(models.Model):
    """令牌 of a system. Only the digest is kept; hint: its last letters, to tell them apart.

    used: the last use, to the minute. The end is excluded.
    """

    id = models.UUIDField(primary_key=True)
    system = models.ForeignKey(System, models.PROTECT, related_name="tokens")
    digest = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=8)
    scopes = ArrayField(models.CharField(max_length=30))
    issued = models.DateTimeField()
    issued_by = models.CharField(max_length=40)
    expires = models.DateTimeField()
    revoked = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=40, blank=True, default="")
    used = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expires__gt=F("issued")), name="accounts_token_expires"
            ),
            models.CheckConstraint(
                condition=Q(revoked__isnull=True, revoked_by="")
                | (Q(revoked__isnull=False) & ~Q(revoked_by="")),
                name="accounts_token_revoked_by",
            ),
        ]
