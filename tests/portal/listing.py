"""Publishing what the pages of the catalogue show, as its own people would: through the services."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from zhengwu.catalog import queries, services
from zhengwu.catalog.services import CITY, Release
from zhengwu.domain.guide import Level
from zhengwu.web import words
from zhengwu.web.clock import now

AT = datetime(2026, 1, 5, tzinfo=UTC)
SINCE = date(2026, 1, 5)
WATER, DISTRICT_WATER = "420100-water", "420102-water"
WORD = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def today() -> date:
    return words.local(now()).date()


def own(**changes: Any) -> dict[str, Any]:
    """The least that an item of a department's own must say."""
    return {
        "name": "水工程试验许可",
        "type": "行政许可",
        "kind": "promised",
        "basis": "城乡规划法 第40条",
        "promised": {"value": 12, "unit": "working_day", "basis": "办事指南承诺"},
        "statutory": {"value": 20, "unit": "working_day", "basis": "行政许可法 第四十二条"},
        "materials": [],
        **changes,
    }


def publish(
    code: str,
    content: Mapping[str, Any],
    *,
    since: date = SINCE,
    at: datetime = AT,
    agency: str = WATER,
    region: str = CITY,
    base: str = "",
    level: Level = Level.IMPLEMENTATION,
    above: str = "",
    retired: bool = False,
    generated: bool = False,
    approved: str = "",
) -> None:
    release = Release(
        code=code, base=base or code, level=level, region=region, agency=agency, own=content,
        since=since, above=above, retired=retired, retired_on=since if retired else None,
        generated=generated, approved=approved,
    )  # fmt: skip
    services.publish_all([release], by="p-centre_manager", at=at, whole=True)


def revise(code: str, changes: Mapping[str, Any], *, since: date | None = None) -> None:
    """A new version of a list's or a department's item, from today on."""
    since = since or today()
    row = queries.standing(code, since)
    assert row is not None
    publish(
        code, {**row.own, **changes}, since=since, at=now(), agency=row.agency, region=row.region,
        base=row.base, level=Level(row.level), above=row.above.partition("@")[0],
        approved="江政办〔2026〕18号",
    )  # fmt: skip


def docx(text: str = "申请书", **more: bytes | str) -> bytes:
    """A small Word file, the same at any time; more: other parts, by a name in which __ stands for /
    and _ for a dot."""
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": b'<Types><Override ContentType="' + WORD + b'"/></Types>',
        "word/document.xml": f"<w>{text}</w>",
    }
    parts |= {name.replace("__", "/").replace("_", "."): one for name, one in more.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():  # ZipInfo has a date of its own, a bare name is now
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
