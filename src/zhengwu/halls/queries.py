"""Where a hall is and which windows it has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import orjson

from zhengwu.halls.models import Hall, Window


@dataclass(frozen=True, slots=True)
class HallRow:
    code: str
    name: str
    region: str
    address: str
    hours: str


@dataclass(frozen=True, slots=True)
class WindowRow:
    code: str
    hall: str
    agency: str
    name: str


def hall(code: str) -> HallRow | None:
    found = Hall.objects.filter(code=code).first()
    if found is None:
        return None
    return HallRow(found.code, found.name, found.region_id, found.address, found.hours)


def hall_sql(code: str) -> str:
    """A scalar subquery giving a hall (SQL of its code) as text, for a context's own SELECT; read
    the value with `row`."""
    return (
        "(SELECT json_build_array(h.code, h.name, h.region_id, h.address, h.hours)::text"  # noqa: S608
        f" FROM halls_hall h WHERE h.code = {code})"
    )


def row(value: str | None) -> HallRow | None:
    """The hall of a `hall_sql` value."""
    return HallRow(*orjson.loads(value)) if value else None


def halls() -> tuple[HallRow, ...]:
    """All halls, by code."""
    return tuple(
        HallRow(one.code, one.name, one.region_id, one.address, one.hours)
        for one in Hall.objects.order_by("code")
    )


def windows(hall: str) -> tuple[WindowRow, ...]:
    return tuple(
        WindowRow(w.code, w.hall_id, w.agency_id, w.name)
        for w in Window.objects.filter(hall=hall).order_by("code")
    )


def windows_in(halls: Collection[str]) -> tuple[WindowRow, ...]:
    """The windows of several halls."""
    return tuple(
        WindowRow(w.code, w.hall_id, w.agency_id, w.name)
        for w in Window.objects.filter(hall__in=halls).order_by("hall_id", "code")
    )


def windows_of(agency: str) -> tuple[WindowRow, ...]:
    """The windows of one agency in every hall."""
    return tuple(
        WindowRow(w.code, w.hall_id, w.agency_id, w.name)
        for w in Window.objects.filter(agency=agency).order_by("hall_id", "code")
    )
