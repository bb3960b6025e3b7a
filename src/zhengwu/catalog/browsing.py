"""The catalogue by department, theme, object and place (浏览目录); one item with its places."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files

from django.db import connection
from django.db.models import Q

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import AgencyRow
from zhengwu.catalog import queries
from zhengwu.catalog.models import ItemVersion
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain.guide import Level

AUDIENCES_ZH = {"person": "个人办事", "legal": "法人办事"}
DOING = ("department", "utility")  # the kinds of organs of the city that do items


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme (主题分类). audience: person | legal."""

    code: str
    name: str
    english: str
    audience: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many items in force there are: by department of the city and by place what is
    implemented there, and by theme, object and type one for each item, wherever it is done."""

    items: int
    regions: Mapping[str, int]
    agencies: Mapping[str, int]
    themes: Mapping[str, int]
    targets: Mapping[str, int]
    types: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item is done (实施机关): by whom, where, when; "" for what nobody has said."""

    code: str
    name: str
    type: str
    region: str
    agency: str
    agency_name: str
    generated: bool
    where: str
    hours: str
    phone: str


@dataclass(frozen=True, slots=True)
class Page:
    """What there is under one code. versions: of the item of this code, the newest first, none
    where it is only the base of items; places: where the same item is implemented in force."""

    versions: tuple[ItemVersionRow, ...]
    places: tuple[Place, ...]


@cache
def themes() -> Mapping[str, Theme]:
    """All themes by code, those for persons first."""
    text = files("zhengwu.catalog").joinpath("data/themes.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        row["code"]: Theme(row["code"], row["name"], row["english"], row["audience"])
        for row in rows
    }  # fmt: skip


def page(code: str, on: date) -> Page:
    """The item of a code, or the places of a base. A code that is only on a list has neither."""
    versions = list(
        ItemVersion.objects.select_related("item", "above__item", "above__above__item")
        .filter(item__code=code, item__level=Level.IMPLEMENTATION)
        .order_by("-version")
    )
    places = list(
        ItemVersion.objects.filter(
            Q(in_force__endswith__isnull=True) | Q(in_force__endswith__gt=on),
            item__base=versions[0].item.base if versions else code,
            item__level=Level.IMPLEMENTATION, in_force__startswith__lte=on, retired=False,
        )
        .order_by("item__region", "item__code")
        .values_list(
            "item__code", "name", "type", "item__region", "agency", "item__generated",
            *(f"{level}own__{part}" for part in ("place", "hours", "phone") for level in ("", "above__")),
        )
    )  # fmt: skip
    agencies = [one.agency for one in versions] + [one[4] for one in places]
    names = accounts.names(agencies=agencies)
    return Page(
        tuple(queries.row_of(one, names.agency(one.agency)) for one in versions),
        tuple(
            Place(
                code, name, type_, region, agency, names.agency(agency), generated,
                own_place or place or "", own_hours or hours or "", own_phone or phone or "",
            )
            for code, name, type_, region, agency, generated, own_place, place, own_hours, hours,
            own_phone, phone in places
        ),
    )  # fmt: skip


def mark(code: str) -> tuple[object, ...]:
    """Moves with every publication that `page` of this code can show, and with no other.

    The newest version alone would not do: of two publications at once the one with the older
    numbers may be the last to be there. So the versions are counted as well, of all the places.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(b.stream::text), count(*), max(v.id) FROM catalog_item b"
            " JOIN catalog_itemversion v ON v.item_id = b.id WHERE b.base = coalesce((SELECT"
            " i.base FROM catalog_item i WHERE i.code = %s AND i.level = 'implementation'), %s)",
            [code, code],
        )
        found: tuple[object, ...] = cursor.fetchone()
    return found


def regions() -> tuple[tuple[str, str], ...]:
    """Code and name of the city and its districts. They and the organs hardly ever change: what
    there is to choose from is read once a minute."""
    return _regions(_minute())


def organs(region: str) -> tuple[AgencyRow, ...]:
    """The organs of a place that may do items; of the city without its centre."""
    return _organs(region, _minute())


def _minute() -> int:
    return int(time.monotonic() // 60)


@lru_cache(maxsize=2)
def _regions(minute: int) -> tuple[tuple[str, str], ...]:
    return accounts.regions()


@lru_cache(maxsize=64)
def _organs(region: str, minute: int) -> tuple[AgencyRow, ...]:
    found = accounts.agencies(region)
    return tuple(one for one in found if region != accounts.CITY or one.kind in DOING)


def counts(on: date) -> Counts:
    """Kept in memory until the next publication, and for a minute at most."""
    return _counts(on, queries.edition(), _minute())


@lru_cache(maxsize=4)
def _counts(on: date, edition: int, minute: int) -> Counts:
    in_force = (
        "lower(v.in_force) <= %(on)s::date"
        " AND coalesce(upper(v.in_force), 'infinity') > %(on)s::date AND NOT v.retired"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH roots AS MATERIALIZED (SELECT v.type, v.themes, v.targets"  # noqa: S608
            f" FROM catalog_itemversion v WHERE v.root AND {in_force})"
            " SELECT 'item', '', count(*) FROM roots"
            " UNION ALL SELECT 'type', type, count(*) FROM roots GROUP BY type"
            " UNION ALL SELECT 'theme', one, count(*) FROM roots, unnest(themes) one GROUP BY one"
            " UNION ALL SELECT 'target', one, count(*) FROM roots, unnest(targets) one GROUP BY one"
            " UNION ALL SELECT CASE WHEN GROUPING(v.agency) = 1 THEN 'region' ELSE 'agency' END,"
            " COALESCE(v.agency, i.region), count(*) FROM catalog_itemversion v"
            " JOIN catalog_item i ON i.id = v.item_id WHERE i.level = 'implementation'"
            f" AND {in_force} GROUP BY GROUPING SETS (v.agency, i.region)",
            {"on": on},
        )
        found: dict[str, dict[str, int]] = {}
        for what, code, count in cursor.fetchall():
            found.setdefault(what, {})[code] = int(count)
    return Counts(
        found["item"][""],
        found.get("region", {}),
        found.get("agency", {}),
        found.get("theme", {}),
        found.get("target", {}),
        found.get("type", {}),
    )
