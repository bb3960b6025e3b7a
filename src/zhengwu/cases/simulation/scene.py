"""The stage (场景): what a simulated year is played with, read once from the city's database.

Nothing is invented here: items, flows, materials, limits, posts, people, windows and working days
are the city's own. What nobody has an answer for (how busy an organ is) is drawn in `planning`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from zhengwu.accounts import queries as accounts
from zhengwu.calendars import queries as calendars
from zhengwu.cases import grounds
from zhengwu.cases.acts.window import written
from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.edition import Edition
from zhengwu.domain.procedure import Limit, Step, Unit
from zhengwu.domain.refusal import Refusal

KINDS = ("window", "review", "decide")
RULES = ("acceptance", "delivery", "lower_review")
BEFORE, AFTER = 30, 900  # days of the working calendar around the year


@dataclass(frozen=True, slots=True)
class Worker:
    """A member of staff: code and name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Desk:
    """A post and who holds it, A before B (A、B 岗)."""

    post: str
    people: tuple[Worker, ...]


@dataclass(frozen=True, slots=True)
class Office:
    """An organ that receives in a hall (进驻机关), with its posts, calendar and rules.

    rules: kind → working days, of those that count in working days.
    """

    agency: str
    name: str
    short: str
    region: str
    hall: str
    window: str
    receives: Desk
    reviews: Desk
    decides: Desk
    head: Worker | None
    cashier: Worker | None
    edition: Edition
    rules: Mapping[str, int]

    @property
    def municipal(self) -> bool:
        return self.region == accounts.CITY


@dataclass(frozen=True, slots=True)
class Offer:
    """A version of an item that a window receives (现行事项)."""

    row: ItemVersionRow
    office: Office
    kind: str
    materials: tuple[str, ...]
    steps: tuple[Step, ...]
    limits: tuple[Mapping[str, Any], ...]
    promised: int
    statutory: int | None  # working days; None where the law counts otherwise or not at all
    grounds: tuple[str, ...]
    hearing: bool

    @property
    def item(self) -> str:
        return self.row.code


@dataclass(frozen=True, slots=True)
class Workdays:
    """Working days by number, so that a plan adds and compares plain integers."""

    days: tuple[int, ...]  # ordinals

    @classmethod
    def of(cls, calendar: Calendar, first: date, last: date) -> Workdays:
        start, end = first.toordinal(), last.toordinal()
        return cls(tuple(day for day in range(start, end + 1) if calendar.open_on(day)))

    def at(self, day: int) -> int:
        """The number of a working day, or of the next one (an ordinal)."""
        return bisect_left(self.days, day)

    def works(self, day: int) -> bool:
        at = bisect_left(self.days, day)
        return at < len(self.days) and self.days[at] == day


@dataclass(frozen=True)
class Scene:
    """All of it."""

    year: int
    offers: tuple[Offer, ...]
    workdays: Workdays

    @cached_property
    def offices(self) -> tuple[Office, ...]:
        """In the order of their codes."""
        found = {one.office.agency: one.office for one in self.offers}
        return tuple(found[code] for code in sorted(found))

    @cached_property
    def names(self) -> Mapping[str, str]:
        return {one.agency: one.name for one in self.offices}


def read(year: int, *, on: date, agencies: Sequence[str] | None = None) -> Scene:
    """The stage of a year, with the catalogue as it is in force on a day. Raises Refusal.

    The items of another year are not looked for: the demo's catalogue has one regime.
    """
    calendar = calendars.edition().calendar
    workdays = Workdays.of(
        calendar,
        date(year, 1, 1) - timedelta(days=BEFORE),
        date(year, 12, 31) + timedelta(days=AFTER),
    )
    offices: dict[str, Office | None] = {}
    offers = []
    for row in sorted(catalog.all_in_force(on), key=lambda one: one.code):
        if agencies and row.agency not in agencies:
            continue
        if row.agency not in offices:
            offices[row.agency] = _office(row.agency, date(year, 7, 1))
        office = offices[row.agency]
        if office is not None and (offer := _offer(row, office, date(year, 7, 1))) is not None:
            offers.append(offer)
    if not offers:
        raise Refusal("simulate.no_items", "没有窗口和人员齐备的现行事项可以模拟。请先导入事项。")
    return Scene(year, tuple(offers), workdays)


def _office(agency: str, on: date) -> Office | None:
    """An organ with a window and people for every step; None where one is wanting."""
    known = accounts.agency(agency)
    windows = accounts.window_staff(agency)
    if known is None or not windows:
        return None
    held: dict[str, dict[str, list[Worker]]] = {}
    for one in accounts.colleagues(agency):
        held.setdefault(one.kind, {}).setdefault(one.post, []).append(Worker(one.person, one.name))
    first = windows[0]
    receives = Desk(
        first.post, tuple(Worker(one.person, one.name) for one in windows if one.post == first.post)
    )
    desks = {kind: _desk(held.get(kind, {})) for kind in ("review", "decide", "head")}
    reviews, decides, head = desks["review"], desks["decide"], desks["head"]
    if reviews is None or decides is None:
        return None
    cashier = next(iter(accounts.with_role("cashier", agency)), None)
    edition = calendars.edition(known.region, first.hall)
    return Office(
        agency=agency, name=known.name, short=known.short, region=known.region, hall=first.hall,
        window=first.window, receives=receives, reviews=reviews, decides=decides,
        head=head.people[0] if head else None,
        cashier=Worker(cashier, accounts.person_name(cashier)) if cashier else None,
        edition=edition, rules=_rules(edition, on),
    )  # fmt: skip


def _desk(posts: Mapping[str, list[Worker]]) -> Desk | None:
    return next((Desk(post, tuple(people)) for post, people in sorted(posts.items())), None)


def _rules(edition: Edition, on: date) -> dict[str, int]:
    found = {kind: edition.rule(kind, on) for kind in RULES}
    return {
        kind: rule.value for kind, rule in found.items() if rule and rule.unit == Unit.WORKING_DAY
    }


def _offer(row: ItemVersionRow, office: Office, on: date) -> Offer | None:
    """What a window receives; None where the promise is not counted in working days."""
    promised = row.promised
    if promised is None or promised.unit != Unit.WORKING_DAY:
        return None
    if row.kind == "immediate":
        steps: tuple[Step, ...] = ()
    else:
        steps = _chain(row)
        if not steps or promised.value < len(steps):
            return None
    statutory = row.statutory
    limits = [("statutory", statutory), ("promised", promised)]
    if row.kind == "forwarded" and (rule := office.edition.rule("lower_review", on)):
        limits.append(("lower_review", Limit(rule.value, rule.unit, rule.basis, rule.roll)))
    return Offer(
        row=row, office=office, kind=str(row.kind),
        materials=tuple(one.code for one in row.materials), steps=steps,
        limits=tuple(written(kind, limit) for kind, limit in limits if limit is not None),
        promised=promised.value,
        statutory=statutory.value if statutory and statutory.unit == Unit.WORKING_DAY else None,
        grounds=tuple(code for code, _ in grounds.of(row)),
        hearing="娱乐" in row.name,  # 娱乐场所管理条例 10: it shall be heard
    )  # fmt: skip


def _chain(row: ItemVersionRow) -> tuple[Step, ...]:
    """The steps one after another, as `Loaded.current_step` takes them; () where one of them has
    no desk here or a limit of another unit."""
    done: set[str] = set()
    chain: list[Step] = []
    while ready := row.flow.ready(done):
        step = ready[0]
        if step.role not in ("review", "decide"):
            return ()
        if step.limit is not None and step.limit.unit != Unit.WORKING_DAY:
            return ()
        chain.append(step)
        done.add(step.code)
    return tuple(chain) if chain and chain[-1].role == "decide" else ()
