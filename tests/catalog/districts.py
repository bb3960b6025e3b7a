"""The small city with the water bureau's items in two districts, and one that departs from the list."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.accounts.city import small_city
from zhengwu.catalog import services, shipped
from zhengwu.catalog.services import Release
from zhengwu.catalog.shipped import Office
from zhengwu.domain.guide import Level

AT = datetime(2026, 1, 5, 1, tzinfo=UTC)
TODAY = date(2026, 11, 23)
SINCE = date(2026, 1, 1)
WATER, MARKET = "420100-water", "420100-market"
INTAKE = "XK0036"  # 取水许可, done by the districts as well
FIRST, SECOND = f"{INTAKE}-420102", f"{INTAKE}-420103"
OFFICES = tuple(
    Office(
        agency=f"{region}-water", region=region, name=f"{region} 水务局", uscc="",
        place=f"{region} 大厅", hours="工作日 9:00-17:00", phone=f"027-{region}",
        court=f"{region} 人民法院", review_body=f"{region} 人民政府",
    )
    for region in ("420102", "420103")
)  # fmt: skip


def districts() -> None:
    """The shipped items of two bureaus; those of the water bureau in two districts as well."""
    small_city()
    shipped.import_items(
        agencies={"市水务局": WATER, "市市场监督管理局": MARKET}, at=AT, below={WATER: OFFICES}
    )


def departing() -> None:
    """The same, and the second district promises less time and asks for a paper less."""
    districts()
    says(SECOND, promised=days(15), materials=fewer())


def says(code: str, *, since: date = date(2026, 6, 1), **own: Any) -> None:
    """A new version of an implementation that says more of its own; refused is an error."""
    (outcome,) = services.publish_all([release(code, since=since, **own)], by="p-d102-head", at=AT)
    assert not outcome.faults, outcome.faults


def release(code: str, *, since: date = date(2026, 6, 1), **own: Any) -> Release:
    from zhengwu.catalog.models import ItemVersion

    found = ItemVersion.objects.select_related("item", "above__item")
    last = found.filter(item__code=code).order_by("-version")[0]
    return Release(
        code=code,
        base=last.item.base,
        level=Level(last.item.level),
        region=last.item.region,
        agency=last.agency,
        own={**last.own, **own},
        since=since,
        above=last.above.item.code if last.above else "",
    )


def days(value: int) -> dict[str, Any]:
    return {"value": value, "unit": "working_day", "basis": "办事指南承诺"}


def fewer() -> list[dict[str, Any]]:
    """The materials of the list without the first."""
    return materials()[1:]


def materials() -> list[dict[str, Any]]:
    from zhengwu.catalog import queries

    found = queries.version(f"C.{INTAKE}", 1)
    return [dict(one) for one in found.whole["materials"]]
