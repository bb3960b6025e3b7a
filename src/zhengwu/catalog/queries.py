"""Reading items. Versions in force are public; nothing here needs an actor."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.db.models import Q, QuerySet

from zhengwu.accounts import queries as accounts
from zhengwu.catalog.models import ItemVersion
from zhengwu.domain.procedure import Flow, Limit, Step, Unit

PAGE = 20
KINDS_ZH = {"immediate": "即办件", "promised": "承诺件", "forwarded": "上报件"}


@dataclass(frozen=True, slots=True)
class Material:
    """One material of the list (申请材料)."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ItemVersionRow:
    """One version of an item, frozen. statutory is None where no law sets a limit of its own."""

    code: str
    name: str
    version: int
    type: str
    agency: str
    agency_name: str
    kind: str
    statutory: Limit | None
    promised: Limit | None
    promised_is: str
    materials: tuple[Material, ...]
    steps: tuple[Step, ...]
    result: str
    basis: str
    fee: str
    note: str
    in_force_from: date
    in_force_to: date | None
    retired: bool
    retired_on: date | None
    pay_first: bool = False

    @property
    def flow(self) -> Flow:
        return Flow(self.steps)

    @property
    def kind_zh(self) -> str:
        return KINDS_ZH[self.kind]

    @property
    def statutory_zh(self) -> str:
        return self.statutory.words() if self.statutory else "法律没有规定时限，按承诺办理"

    @property
    def promised_zh(self) -> str:
        return self.promised.words() if self.promised else "未承诺"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of items."""

    rows: tuple[ItemVersionRow, ...]
    total: int
    page: int
    pages: int


def in_force(code: str, on: date) -> ItemVersionRow | None:
    """The version in force on a day, None if there is none."""
    found = _in_force(on).filter(item__code=code).first()
    return _rows([found])[0] if found else None


@lru_cache(maxsize=8192)
def version(code: str, number: int) -> ItemVersionRow:
    """A version by its number; versions never change, so they are kept. Raises LookupError."""
    found = (
        ItemVersion.objects.select_related("item").filter(item__code=code, version=number).first()
    )
    if found is None:
        raise LookupError(f"{code}@{number}")
    return _rows([found])[0]


def codes_of_type(type_: str) -> tuple[str, ...]:
    """The codes of all items that are or were of a type (行政许可)."""
    found = ItemVersion.objects.filter(type=type_).values_list("item__code", flat=True)
    return tuple(found.distinct())


def search(
    q: str, on: date, *, agency: str | None = None, page: int = 1, size: int = PAGE
) -> Found:
    """Items in force whose name, code or department holds all the words."""
    found = _in_force(on)
    if agency:
        found = found.filter(agency=agency)
    for word in q.split()[:8]:
        agencies = [row.code for row in accounts.agencies() if word in row.name]
        found = found.filter(
            Q(name__icontains=word) | Q(item__code__iexact=word) | Q(agency__in=agencies[:200])
        )
    total = found.count()
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)
    rows = found.order_by("item__code")[(page - 1) * size : page * size]
    return Found(_rows(rows), total, page, pages)


def receivable(agencies: Collection[str] | None, on: date) -> tuple[ItemVersionRow, ...]:
    """What can be received on a day by windows of these agencies (None: of all), by name."""
    found = _in_force(on)
    if agencies is not None:
        found = found.filter(agency__in=sorted(agencies))
    return _rows(found.order_by("name"))


def all_in_force(on: date) -> tuple[ItemVersionRow, ...]:
    return receivable(None, on)


def retired() -> tuple[ItemVersionRow, ...]:
    """Items that are gone, shown with their history."""
    found = ItemVersion.objects.select_related("item").filter(retired=True)
    return _rows(found.order_by("item__code"))


def history(code: str) -> tuple[ItemVersionRow, ...]:
    """All versions of an item, the newest first."""
    found = ItemVersion.objects.select_related("item").filter(item__code=code)
    return _rows(found.order_by("-version"))


def paid_first() -> list[str]:
    """The versions whose charge is paid before the result is handed out, as code@version."""
    found = ItemVersion.objects.filter(pay_first=True).values_list("item__code", "version")
    return sorted(f"{code}@{number}" for code, number in found)


def names(codes: Iterable[str]) -> dict[str, str]:
    """The newest name of each item by its code; a code we do not know is itself."""
    listed = set(codes)
    found = ItemVersion.objects.filter(item__code__in=listed).order_by("version")
    return {code: code for code in listed} | dict(found.values_list("item__code", "name"))


def _in_force(on: date) -> QuerySet[ItemVersion]:
    return ItemVersion.objects.select_related("item").filter(in_force__contains=on, retired=False)


def _rows(found: Iterable[ItemVersion]) -> tuple[ItemVersionRow, ...]:
    listed = list(found)
    names = accounts.names(agencies=(one.agency for one in listed))
    return tuple(_row(one, names.agency(one.agency)) for one in listed)


def _row(found: ItemVersion, agency_name: str) -> ItemVersionRow:
    force = found.in_force
    return ItemVersionRow(
        code=found.item.code,
        name=found.name,
        version=found.version,
        type=found.type,
        agency=found.agency,
        agency_name=agency_name,
        kind=found.kind,
        statutory=limit(found.statutory),
        promised=limit(found.promised),
        promised_is=found.promised_is,
        materials=tuple(Material(m["code"], m["name"]) for m in found.materials),
        steps=tuple(step(one) for one in found.steps),
        result=found.result,
        basis=found.basis,
        fee=found.fee,
        pay_first=found.pay_first,
        note=found.note,
        in_force_from=force.lower,
        in_force_to=force.upper,
        retired=found.retired,
        retired_on=found.retired_on,
    )


def limit(raw: Mapping[str, Any] | None) -> Limit | None:
    if raw is None:
        return None
    return Limit(int(raw["value"]), Unit(str(raw["unit"])), str(raw.get("basis", "")))


def step(raw: Mapping[str, Any]) -> Step:
    return Step(
        code=str(raw["code"]),
        name=str(raw["name"]),
        role=str(raw["role"]),
        limit=limit(raw.get("limit")),
        after=tuple(raw.get("after", ())),
    )
