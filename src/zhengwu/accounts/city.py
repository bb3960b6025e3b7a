"""The demo city 江城市 (演示城市): made-up regions, agencies, posts and staff, in bulk.

Which agencies there are, their short words and windows are data (data/*.csv); the names of people
and places are drawn with a seed from data/names.json and mean nobody and nowhere. Codes: 420100-D16
市水务局, 420102-B16 临江区水务局, 420102-C00 the district's centre, 420102001-P00 a street's service
point; hall H420100; person p-420100-d16-clerk-a. All staff have unusable passwords.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TypeVar

from django.contrib.auth.hashers import make_password
from django.db import models, transaction

from zhengwu.accounts.models import Agency, Person, Post, PostHolding, Region, RoleHolding
from zhengwu.domain import identifiers

CITY = "420100"
NAME = "江城市"
SHORT = "江"
CENTRE = f"{CITY}-C00"
HALL = f"H{CITY}"
LEGAL_OFFICE = f"{CITY}-D08"  # 市司法局
HOURS = "工作日 9:00-17:00"
BUREAUS = 47  # of a district; a development zone has those marked `zone` besides
FIRST_TOWN = 100  # within a district: streets from 001, towns and townships from 100

Made = TypeVar("Made", bound=models.Model)

# post kind, its name, the role of who holds it, how many hold it in a city department, in a bureau
POSTS = (
    ("window", "窗口", "clerk", "AB", "AB"),
    ("review", "审查岗", "reviewer", "AB", "A"),
    ("decide", "审批岗", "approver", "AB", "A"),
    ("head", "负责人", "head", "A", "A"),
)


@dataclass(frozen=True, slots=True)
class Department:
    """市级部门 or public utility. name: as lists of items say it (市水务局); window: B23 or None."""

    code: str
    name: str
    full_name: str
    short: str
    kind: str
    system: str
    window: str | None


@dataclass(frozen=True, slots=True)
class District:
    """区 or development zone, with how many streets, towns and communities it has."""

    code: str
    name: str
    short: str
    zone: bool
    streets: int
    towns: int
    communities: int

    @property
    def hall(self) -> str:
        return f"H{self.code}"


@dataclass(frozen=True, slots=True)
class Bureau:
    """区属委办局 of one district. parent: the agency of the city that guides it, if any."""

    code: str
    name: str
    short: str
    parent: str | None
    district: District
    window: str | None


@dataclass(frozen=True, slots=True)
class HallPlan:
    """A hall and its windows: (window, agency, name)."""

    code: str
    name: str
    region: str
    address: str
    windows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff to be: one role, and the post it is exercised on, if any."""

    code: str
    name: str
    agency: str
    role: str
    scope: str
    post: str | None = None
    part: str = "A"


@dataclass(slots=True)
class Plan:
    """Everything the city consists of, not yet saved."""

    regions: list[Region] = field(default_factory=list)
    agencies: list[Agency] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    staff: list[Member] = field(default_factory=list)


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("zhengwu.accounts").joinpath(f"data/{name}.csv").read_text("utf-8")
    return csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))


@cache
def departments() -> tuple[Department, ...]:
    """The 41 departments and 3 utilities of the city."""
    return tuple(
        Department(
            code=f"{CITY}-{row['code']}",
            name=row["name"],
            full_name=NAME + row["name"].removeprefix("市"),
            short=SHORT + row["short"],
            kind="utility" if row["system"] == "utility" else "department",
            system=row["system"],
            window=row["window"] or None,
        )
        for row in _rows("departments")
    )


def department_codes() -> dict[str, str]:
    """Name as in lists of items (市水务局) → code of the agency."""
    return {one.name: one.code for one in departments()}


@cache
def districts() -> tuple[District, ...]:
    """13 districts and 2 development zones."""
    return tuple(
        District(
            code=row["code"],
            name=row["name"],
            short=row["short"],
            zone=row["kind"] == "zone",
            streets=int(row["streets"]),
            towns=int(row["towns"]),
            communities=int(row["communities"]),
        )
        for row in _rows("districts")
    )


@cache
def bureaus() -> tuple[Bureau, ...]:
    """The 707 bureaus of the districts."""
    rows = list(_rows("bureaus"))
    made = []
    for district in districts():
        windows = 0
        for row in rows:
            if row["only"] == "zone" and not district.zone:
                continue
            windows += bool(row["window"])
            made.append(
                Bureau(
                    code=f"{district.code}-{row['code']}",
                    name=district.name + row["name"],
                    short=district.short + row["short"],
                    parent=f"{CITY}-{row['department']}" if row["department"] else None,
                    district=district,
                    window=f"A{windows:02d}" if row["window"] else None,
                )
            )
    return tuple(made)


def uscc(agency: str) -> str:
    """The made-up unified social credit code of an agency: DE and six digits, check characters right.

    GB 32100-2015: 1 机构编制 1 机关, the region, organisation code (GB 11714), check character.
    """
    region, _, code = agency.partition("-")
    serial = f"DE{'ABCDEFGHJKLMNPQRTUWXY'.index(code[0]) * 1000 + int(code[1:]):06d}"
    first = f"11{region[:6]}{serial}{identifiers.organisation_check(serial)}"
    return first + identifiers.uscc_check(first)


def halls() -> tuple[HallPlan, ...]:
    """The centre's hall and one in each district, with their windows."""
    made = [
        HallPlan(
            HALL,
            f"{NAME}政务服务中心大厅",
            CITY,
            f"{NAME}{districts()[0].name}政务路 1 号",
            tuple((one.window, one.code, f"{one.name}窗口") for one in departments() if one.window),
        )
    ]
    for district in districts():
        own = [one for one in bureaus() if one.district is district]
        made.append(
            HallPlan(
                district.hall,
                f"{district.name}政务服务中心大厅",
                district.code,
                f"{NAME}{district.name}便民路 1 号",
                tuple(
                    (one.window, one.code, f"{one.name.removeprefix(district.name)}窗口")
                    for one in own
                    if one.window
                ),
            )
        )
    return tuple(made)


def plan(*, seed: int) -> Plan:
    """The whole city; the same seed gives the same city."""
    chance = random.Random(seed)  # noqa: S311 - made-up names, nothing secret
    words = json.loads(files("zhengwu.accounts").joinpath("data/names.json").read_text("utf-8"))
    made = Plan()
    _places(made, chance, words)
    _offices(made)
    _people(made, chance, words)
    return made


def _places(made: Plan, chance: random.Random, words: dict[str, str]) -> None:
    """Regions on four levels, and the service points of streets and communities."""
    every = [a + b for a in words["place_first"] for b in words["place_second"] if a != b]
    names = iter(chance.sample(every, len(every)))
    made.regions.append(Region(code=CITY, name=NAME, level="city", parent_id=None))
    for one in districts():
        made.regions.append(Region(code=one.code, name=one.name, level="district", parent_id=CITY))
        streets = []
        for n in range(1, one.streets + one.towns + 1):
            town = n > one.streets
            serial = FIRST_TOWN + n - one.streets - 1 if town else n
            street, name = f"{one.code}{serial:03d}", next(names)
            kind = chance.choice("镇镇乡") if town else "街道"
            _place(made, street, name, kind, "street", one.short, one.code, f"{one.code}-C00")
            streets.append(street)
        for n in range(one.communities):
            street = streets[n % len(streets)]
            code = f"{street}{n // len(streets) + 1:03d}"
            _place(made, code, next(names), "社区", "community", one.short, street, f"{street}-P00")


def _place(
    made: Plan, code: str, name: str, kind: str, level: str, short: str, parent: str, above: str
) -> None:
    made.regions.append(Region(code=code, name=name + kind, level=level, parent_id=parent))
    made.agencies.append(
        Agency(
            code=f"{code}-P00",
            name=f"{name}{kind}便民服务{'中心' if level == 'street' else '站'}",
            short=short + name,
            kind="service_point",
            region_id=code,
            parent_id=above,
        )
    )


def _offices(made: Plan) -> None:
    """Centres, departments, utilities and bureaus."""
    made.agencies.append(
        Agency(
            code=CENTRE, name=f"{NAME}政务服务中心", short=f"{SHORT}政", kind="centre",
            region_id=CITY,
        )
    )  # fmt: skip
    made.agencies.extend(
        Agency(
            code=one.code, name=one.full_name, short=one.short, kind=one.kind, region_id=CITY,
            system=one.system, has_window=one.window is not None,
        )
        for one in departments()
    )  # fmt: skip
    made.agencies.extend(
        Agency(
            code=f"{one.code}-C00", name=f"{one.name}政务服务中心", short=f"{one.short}政",
            kind="centre", region_id=one.code, parent_id=CENTRE,
        )
        for one in districts()
    )  # fmt: skip
    made.agencies.extend(
        Agency(
            code=one.code, name=one.name, short=one.short, kind="bureau",
            region_id=one.district.code, parent_id=one.parent, has_window=one.window is not None,
        )
        for one in bureaus()
    )  # fmt: skip


def _people(made: Plan, chance: random.Random, words: dict[str, str]) -> None:
    """Posts and staff of every agency with a window, and those who stand beside the posts."""

    def name() -> str:
        surname = chance.choice(words["surnames"])
        if chance.random() < 0.01:
            surname = chance.choice(words["compound_surnames"])
        return surname + "".join(chance.choices(words["given"], k=chance.choice((1, 2, 2))))

    def beside(agency: str, role: str, scope: str, *, second: bool = False) -> None:
        code = f"p-{agency.lower()}-{role.replace('_', '-')}{'-b' if second else ''}"
        made.staff.append(Member(code, name(), agency, role, scope))

    def on_posts(agency: str, hall: str, window: str, *, city: bool) -> None:
        for kind, called, role, many, few in POSTS:
            post = f"{agency}-{kind}"
            here = kind == "window"
            made.posts.append(
                Post(
                    code=post, name=called, kind=kind, agency_id=agency,
                    hall=hall if here else "", window=window if here else "",
                )
            )  # fmt: skip
            for part in many if city else few:
                code = f"p-{agency.lower()}-{role}-{part.lower()}"
                made.staff.append(Member(code, name(), agency, role, agency, post, part))

    for one in departments():
        if one.window:
            on_posts(one.code, HALL, one.window, city=True)
            beside(one.code, "legal", one.code)
            beside(one.code, "cashier", one.code)
    for bureau in bureaus():
        if bureau.window:
            on_posts(bureau.code, bureau.district.hall, bureau.window, city=False)
    beside(CENTRE, "centre_manager", HALL)
    beside(CENTRE, "supervisor", CITY)
    for district in districts():
        beside(f"{district.code}-C00", "centre_manager", district.hall)
        beside(f"{district.code}-C00", "supervisor", district.code)
    for role in ("system_admin", "security_admin", "audit_admin"):
        beside(CENTRE, role, CITY)
    # The list of items takes a second manager and the city government's legal office.
    beside(CENTRE, "centre_manager", HALL, second=True)
    beside(LEGAL_OFFICE, "legal_office", CITY)
    # What a bureau charges for is paid before it is handed out.
    for bureau in bureaus():
        if bureau.window:
            beside(bureau.code, "cashier", bureau.code)


@transaction.atomic
def build_city(*, seed: int, at: datetime) -> int:
    """Save what is not there yet; a second run changes nothing. Returns how many rows were new.

    at: the moment from which the staff hold their posts.
    """
    made = plan(seed=seed)
    new = _add(Region, made.regions) + _add(Agency, made.agencies) + _add(Post, made.posts)
    there = set(Person.objects.values_list("code", flat=True))
    staff = [one for one in made.staff if one.code not in there]
    people = Person.objects.bulk_create(
        [
            Person(
                code=one.code, username=one.code, name=one.name, agency_id=one.agency,
                password=make_password(None),
            )
            for one in staff
        ],
        batch_size=1000,
    )  # fmt: skip
    both = list(zip(people, staff, strict=True))
    RoleHolding.objects.bulk_create(
        [RoleHolding(person=person, role=one.role, scope=one.scope) for person, one in both],
        batch_size=1000,
    )
    PostHolding.objects.bulk_create(
        [
            PostHolding(person=person, post_id=one.post, part=one.part, since=at)
            for person, one in both
            if one.post
        ],
        batch_size=1000,
    )
    return new + len(people)


def can_sign_in(usernames: Set[str]) -> bool:
    """Whether all of these names have a password."""
    held = Person.objects.filter(username__in=usernames)
    return len(usernames) == sum(person.has_usable_password() for person in held)


def _add(model: type[Made], rows: Sequence[Made]) -> int:
    there = set(model._default_manager.values_list("pk", flat=True))
    new = [row for row in rows if row.pk not in there]
    model._default_manager.bulk_create(new, batch_size=1000)
    return len(new)
