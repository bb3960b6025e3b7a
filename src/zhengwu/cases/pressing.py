"""Open cases by the time they have left (临期与超期), as SQL for whoever watches them: no applicant.

`cases_case_worst` holds those that run in this order for the whole city, `cases_case_pressing` and
`cases_case_in_hall` those of an agency and of a hall, so that the worst of them are read and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zhengwu.accounts.queries import Reach
from zhengwu.calendars import queries as calendars
from zhengwu.cases import loading, queries
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.reading import Light, light

RUNNING = "c.closed IS NULL AND NOT c.suspended"
OVER, TODAY, SOON = "over", "red", "yellow"  # the lights, as domain.reading names them
# Light → condition on the due instant; the instants are those of `Bounds.parameters`.
LIT: Mapping[str, str] = {
    OVER: "c.due <= %(now)s",
    TODAY: "c.due > %(now)s AND c.due < %(today)s",
    SOON: "c.due >= %(today)s AND c.due < %(soon)s",
}
# What is told of one of them.
COLUMNS = (
    "c.id, c.number, c.item_name, c.agency, c.region, c.source, c.due, c.provisional,"
    " c.holder_kind, c.holder_agency, c.holder_post, c.holder_actor"
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The instants that part the lights: now, the end of today, the end of the second working day."""

    now: datetime
    today: datetime
    soon: datetime

    @property
    def parameters(self) -> dict[str, Any]:
        return {"now": self.now, "today": self.today, "soon": self.soon}


def calendar() -> Calendar:
    """Of the city: whatever is beside it is asked by one calendar, as the desk's lists do."""
    return calendars.edition().calendar


def bounds(at: datetime, calendar: Calendar) -> Bounds:
    """Of a moment, as the desk's lists have them."""
    return Bounds(**queries.light_bounds(at, calendar))


def lit(due: datetime, at: datetime, calendar: Calendar) -> Light:
    """The light of a case that runs, in words."""
    return light(due=due, suspended=False, stopped=False, at=at, calendar=calendar)


def within(reach: Reach) -> tuple[str, dict[str, Any]]:
    """The permission filter on cases, on alias `c`, with its parameters."""
    return loading.within(reach)


__all__ = [
    "COLUMNS", "LIT", "OVER", "RUNNING", "SOON", "TODAY", "Bounds", "bounds", "calendar", "lit", "within",
]  # fmt: skip
