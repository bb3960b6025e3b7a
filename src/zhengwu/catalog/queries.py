"""Reading items. Versions in force are public; nothing here needs an actor."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db.models import Max, QuerySet

from zhengwu.accounts import queries as accounts
from zhengwu.catalog.models import ItemVersion
from zhengwu.domain import guide
from zhengwu.domain.guide import Level
from zhengwu.domain.procedure import Flow, Limit, Step

PAGE = 20


class Material(NamedTuple):
    """One material of the list (申请材料). need, form, origin: codes of domain.guide."""

    code: str
    name: str
    need: str = "required"
    form: str = ""
    origin: str = ""
    copies: int | None = None
    basis: str = ""
    standard: str = ""
    fill: str = ""
    spec: str = ""
    unless: str = ""
    blank: str = ""
    sample: str = ""


@dataclass(frozen=True, slots=True)
class ItemVersionRow:
    """One version of an item, frozen. statutory is None where no law sets a limit of its own.

    whole: every element of the guide (domain.guide), the lists above included. above: the version
    of the list above, as code@version, "" where there is none.
    """

    code: str
    base: str
    level: str
    region: str
    name: str
    version: int
    type: str
    agency: str
    agency_name: str
    kind: str
    steps: tuple[Step, ...]
    in_force_from: date
    in_force_to: date | None
    retired: bool
    retired_on: date | None
    pay_first: bool
    transition: bool
    generated: bool
    score: int
    above: str
    approved: str
    own: Mapping[str, Any]
    whole: Mapping[str, Any]

    @property
    def statutory(self) -> Limit | None:
        return guide.limit(self.whole, "statutory")

    @property
    def promised(self) -> Limit | None:
        return guide.limit(self.whole, "promised")

    @property
    def promised_is(self) -> str:
        return str(self.whole.get("promised_is", ""))

    @property
    def materials(self) -> tuple[Material, ...]:
        return tuple(Material(**one) for one in self.whole.get("materials", ()))

    @property
    def conditions(self) -> tuple[str, ...]:
        return tuple(self.whole.get("conditions", ()))

    @property
    def result(self) -> str:
        return str(self.whole.get("result", ""))

    @property
    def basis(self) -> str:
        return str(self.whole.get("basis", ""))

    @property
    def fee(self) -> str:
        return guide.fee_zh(self.whole)

    @property
    def note(self) -> str:
        return str(self.whole.get("note", ""))

    @property
    def flow(self) -> Flow:
        return Flow(self.steps)

    @property
    def kind_zh(self) -> str:
        return guide.KINDS_ZH.get(self.kind, "")

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
    found = _in_force(on, level=None).filter(item__code=code).first()
    return _rows([found])[0] if found else None


def standing(code: str, on: date) -> ItemVersionRow | None:
    """The same on whatever list the item stands."""
    found = _in_force(on, level=None).filter(item__code=code).first()
    return _rows([found])[0] if found else None


@lru_cache(maxsize=8192)
def version(code: str, number: int) -> ItemVersionRow:
    """A version by its number; versions never change, so they are kept. Raises LookupError."""
    found = _whole_rows().filter(item__code=code, version=number).first()
    if found is None:
        raise LookupError(f"{code}@{number}")
    return _rows([found])[0]


def edition() -> int:
    """Moves with every publication: what was made from the catalogue before is out of date."""
    return ItemVersion.objects.aggregate(last=Max("pk"))["last"] or 0


def transitions(on: date) -> tuple[tuple[str, int], ...]:
    """Code and number of the versions in force on a day that declare a transitional clause."""
    found = ItemVersion.objects.filter(transition=True, in_force__contains=on, retired=False)
    return tuple(found.order_by("pk").values_list("item__code", "version"))


def codes_of_type(type_: str) -> tuple[str, ...]:
    """The codes of all items that are or were of a type (行政许可)."""
    found = ItemVersion.objects.filter(type=type_).values_list("item__code", flat=True)
    return tuple(found.distinct())


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
    found = _whole_rows().filter(retired=True, item__level=Level.IMPLEMENTATION)
    return _rows(found.order_by("item__code"))


def history(code: str) -> tuple[ItemVersionRow, ...]:
    """All versions of an item, the newest first."""
    found = _whole_rows().filter(item__code=code)
    return _rows(found.order_by("-version"))


def versions_of(codes: Collection[str]) -> tuple[ItemVersionRow, ...]:
    """All versions of these items, the newest first."""
    found = _whole_rows().filter(item__code__in=sorted(codes))
    return _rows(found.order_by("item__code", "-version"))


def organs(code: str) -> tuple[tuple[int, str, str], ...]:
    """Number, name and organ of every version of an item: what leads to its cases and drafts."""
    found = ItemVersion.objects.filter(item__code=code).order_by("version")
    return tuple(found.values_list("version", "name", "agency"))


def of_change(identifier: UUID) -> tuple[ItemVersionRow, ...]:
    """The versions that were published with a change."""
    return _rows(_whole_rows().filter(change=identifier).order_by("pk"))


def paid_first() -> list[str]:
    """The versions whose charge is paid before the result is handed out, as code@version."""
    found = ItemVersion.objects.filter(pay_first=True).values_list("item__code", "version")
    return sorted(f"{code}@{number}" for code, number in found)


def names(codes: Iterable[str]) -> dict[str, str]:
    """The newest name of each item by its code; a code we do not know is itself."""
    listed = set(codes)
    found = ItemVersion.objects.filter(item__code__in=listed).order_by("version")
    return {code: code for code in listed} | dict(found.values_list("item__code", "name"))


def named_of_sql(agency: str) -> str:
    """A scalar subquery giving what an agency (SQL of its code) ever had on its list, as text, for a
    context's own SELECT; read the value with `newest`."""
    return (
        "(SELECT json_agg(json_build_array(i.code, v.name) ORDER BY v.version)::text"  # noqa: S608
        " FROM catalog_itemversion v JOIN catalog_item i ON i.id = v.item_id"
        f" WHERE v.agency = {agency})"
    )


def newest(value: str | None) -> tuple[tuple[str, str], ...]:
    """Code and name, the newest of each, by name."""
    named: dict[str, str] = dict(orjson.loads(value) if value else ())
    return tuple(sorted(named.items(), key=lambda one: one[1]))


def _whole_rows() -> QuerySet[ItemVersion]:
    return ItemVersion.objects.select_related("item", "above__item", "above__above__item")


def _in_force(on: date, level: Level | None = Level.IMPLEMENTATION) -> QuerySet[ItemVersion]:
    found = _whole_rows().filter(in_force__contains=on, retired=False)
    return found.filter(item__level=level) if level else found


def whole(found: ItemVersion) -> dict[str, Any]:
    """Every element that holds: one's own over those of the lists above."""
    above = whole(found.above) if found.above is not None else None
    return guide.inherit(found.own, above)


def _rows(found: Iterable[ItemVersion]) -> tuple[ItemVersionRow, ...]:
    listed = list(found)
    names = accounts.names(agencies=(one.agency for one in listed))
    return tuple(row_of(one, names.agency(one.agency)) for one in listed)


def row_of(found: ItemVersion, agency_name: str) -> ItemVersionRow:
    force, above = found.in_force, found.above
    return ItemVersionRow(
        code=found.item.code,
        base=found.item.base,
        level=found.item.level,
        region=found.item.region,
        name=found.name,
        version=found.version,
        type=found.type,
        agency=found.agency,
        agency_name=agency_name,
        kind=found.kind,
        steps=guide.steps(found.steps),
        in_force_from=force.lower,
        in_force_to=force.upper,
        retired=found.retired,
        retired_on=found.retired_on,
        pay_first=found.pay_first,
        transition=found.transition,
        generated=found.item.generated,
        score=found.score,
        above=f"{above.item.code}@{above.version}" if above else "",
        approved=found.approved,
        own=found.own,
        whole=whole(found),
    )
