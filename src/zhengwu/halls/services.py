"""The verbs of halls."""

from __future__ import annotations

from zhengwu.halls.models import Hall, Window


def add_hall(code: str, *, name: str, region: str, address: str, hours: str) -> None:
    Hall.objects.get_or_create(
        code=code, defaults={"name": name, "region_id": region, "address": address, "hours": hours}
    )


def add_window(code: str, *, hall: str, agency: str, name: str) -> None:
    Window.objects.get_or_create(
        code=code, hall_id=hall, defaults={"agency_id": agency, "name": name}
    )
