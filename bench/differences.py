"""What differs between the districts, and what looks the same, over the list of a whole city.

    nice python -m bench.differences [ITEMS [DISTRICTS [SEED]]]

ITEMS (2,500) items on the province's and the city's list, each with DISTRICTS (15) implementations
and the city's own, published through `catalog.services.publish_all` on a private server without
fsync. Three in ten implementations depart from the list: a shorter promise, a material less, a
channel more, the longer of them in several. Prints the seconds for the differences of the whole city,
for the pairs that look alike, for both again, for one item side by side and for pages of the staff's
list; the ratio is to bare reading of what the implementations say of their own. One JSON line each.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import django

from bench._line import line
from bench.likeness import SEED, item_names
from zhengwu.config.postgres import APP, DATABASE, OWNER, Cluster

SINCE = date(2026, 1, 1)
TODAY = date(2026, 11, 23)
AT = datetime(2026, 1, 2, tzinfo=UTC)
CITY = "420100"
BATCH = 100  # items published together


def show(what: str, **figures: Any) -> None:
    load = round(os.getloadavg()[0], 1)
    said = {"bench": "differences", "what": what, **figures, "load": load}
    print(json.dumps(said, ensure_ascii=False), flush=True)


def releases(number: int, name: str, districts: int, chance: random.Random) -> Iterator[Any]:
    """One item on all its levels."""
    from zhengwu.catalog.services import Release
    from zhengwu.domain.guide import Level

    base, agency = f"XK{number:04d}", f"{CITY}-D{number % 40:02d}"
    basis = f"某条例 第{chance.randrange(1, 90)}条"
    law = {
        "name": name, "type": "行政许可", "basis": basis, "guiding": "31", "result": "许可证",
        "statutory": {"value": 20, "unit": "working_day", "basis": basis},
        "targets": ["1", "2"], "result_kind": "licence",
    }  # fmt: skip
    materials = [
        {"code": f"{n:02d}", "name": f"材料{chance.randrange(300)}之{n}", "basis": basis,
         "need": "required", "form": "either", "copies": 1, "origin": "applicant"}
        for n in range(1, 6)
    ]  # fmt: skip
    common: dict[str, Any] = {
        "kind": "promised", "promised": {"value": 10, "unit": "working_day", "basis": "承诺"},
        "materials": materials, "conditions": ["符合规划", "有固定的场所", "人员具备资格"],
        "visits": 1, "channels": ["1", "2"], "depth": "2", "scope": "city", "post": True,
        "rights": "依法取得办理结果。" * 5, "duties": "如实提交有关材料。" * 5,
        "questions": [{"q": "多久？", "a": "十个工作日。"}],
    }  # fmt: skip
    yield Release(
        code=f"P.{base}", base=base, level=Level.PROVINCE, region="420000", agency=agency, own=law,
        since=SINCE,
    )  # fmt: skip
    yield Release(
        code=f"C.{base}", base=base, level=Level.CITY, region=CITY, agency=agency, own=common,
        since=SINCE, above=f"P.{base}",
    )  # fmt: skip
    for district in range(districts + 1):
        region = f"4201{district:02d}"
        own: dict[str, Any] = {
            "code": f"{region}{number:06d}", "exercised": "4", "nature": "1", "in_hall": True,
            "place": f"{region} 政务服务中心大厅", "hours": "工作日 9:00-17:00", "phone": "027-12345",
            "complaint": "027-12345", "court": "人民法院", "review_body": "人民政府",
        }  # fmt: skip
        if district and chance.random() < 0.3:
            own["promised"] = {
                "value": chance.randrange(3, 9),
                "unit": "working_day",
                "basis": "承诺",
            }
            if chance.random() < 0.5:
                own["materials"] = materials[1:]
                own["channels"] = ["1", "2", "3"]
        yield Release(
            code=base if not district else f"{base}-{region}", base=base,
            level=Level.IMPLEMENTATION, region=region, agency=f"{region}-B{number % 40:02d}",
            own=own, since=SINCE, above=f"C.{base}", generated=True,
        )  # fmt: skip


def timed(what: Callable[[], Any]) -> tuple[Any, float, float]:
    """The answer, the seconds by the wall, and those of this process alone."""
    began, busy = time.perf_counter(), time.process_time()
    answer = what()
    return answer, time.perf_counter() - began, time.process_time() - busy


def measure(cluster: Cluster, items: int, districts: int, seed: int) -> None:
    from django.db import connection

    from zhengwu.catalog import comparing, listing, services

    chance = random.Random(seed)
    named = item_names(items, chance)
    began = time.perf_counter()
    for start in range(0, items, BATCH):
        batch = [
            one
            for number in range(start, min(start + BATCH, items))
            for one in releases(number, named[number], districts, chance)
        ]
        refused = [one for one in services.publish_all(batch, by=None, at=AT) if one.faults]
        assert not refused, refused[0]
    show("published", items=items, seconds=round(time.perf_counter() - began, 1))
    with cluster.connect(DATABASE) as superuser:
        superuser.execute("VACUUM ANALYZE catalog_itemversion, catalog_item")

    def bare() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT v.own FROM catalog_itemversion v JOIN catalog_item i ON i.id = v.item_id"
                " WHERE i.level = 'implementation'"
            )
            return sum(len(json.loads(own)) for (own,) in cursor.fetchall())

    bare()
    _, reading, _ = timed(bare)
    found, spent, busy = timed(lambda: comparing.differing(TODAY))
    show(
        "differences of the city", implementations=items * (districts + 1), differ=found.total,
        seconds=round(spent, 2), cpu=round(busy, 2), reading=round(reading, 2), ratio=round(spent / reading, 1),
    )  # fmt: skip
    _, again, _ = timed(lambda: comparing.differing(TODAY, element="materials", page=3))
    show("another page of them", milliseconds=round(again * 1000, 1))
    pairs, spent, busy = timed(lambda: comparing.alike(TODAY))
    show(
        "alike", same=pairs.same, variants=pairs.variants, seconds=round(spent, 2), cpu=round(busy, 2),
        ratio=round(spent / reading, 1),
    )  # fmt: skip
    _, again, _ = timed(lambda: comparing.alike(TODAY, variants=True, page=2))
    show("another page of them", milliseconds=round(again * 1000, 1))
    side, spent, _ = timed(lambda: comparing.side_by_side("XK0007", TODAY))
    assert side is not None
    show("side by side", places=len(side.places), milliseconds=round(spent * 1000, 1))
    for what, asked in (
        ("list", listing.Question()),
        ("list, page 200", listing.Question(page=200)),
        ("list, two words", listing.Question(q="食品 许可")),
        ("list, by score", listing.Question(sort="score", under=90)),
    ):
        page, spent, _ = timed(lambda asked=asked: listing.items(asked, TODAY))  # type: ignore[misc]
        show(what, total=page.total, milliseconds=round(spent * 1000, 1))
    totals, spent, _ = timed(lambda: listing.scores(TODAY))
    show("scores by department", rows=len(totals), milliseconds=round(spent * 1000, 1))
    line("differences", round(spent * 1000, 1), "ms, scores by department")


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 2_500
    districts = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else SEED
    with tempfile.TemporaryDirectory(prefix="zhengwu-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        major = int(os.environ.get("ZHENGWU_TEST_PG", "18"))
        cluster = Cluster(folder, major=major, durable=False)
        os.environ["ZHENGWU_DATABASE_URL"] = cluster.url(role=APP, database=DATABASE)
        os.environ["ZHENGWU_OWNER_DATABASE_URL"] = cluster.url(role=OWNER, database=DATABASE)
        os.environ["DJANGO_SETTINGS_MODULE"] = "zhengwu.config.settings"
        os.environ.setdefault(
            "ZHENGWU_SECRET_KEY", "only-for-the-bench-and-nothing-else-0123456789"
        )
        os.environ.setdefault("ZHENGWU_DEMO", "1")
        with cluster.start():
            django.setup()
            migrate(cluster)
            measure(cluster, items, districts, seed)


def migrate(cluster: Cluster) -> None:
    from django.core.management import call_command
    from django.db import connection

    from zhengwu.ledger import grants

    app = dict(connection.settings_dict)
    connection.settings_dict.update(USER=OWNER, PASSWORD=cluster.password(OWNER))
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        grants.apply(cursor, APP)
    connection.close()
    connection.settings_dict.update(app)


if __name__ == "__main__":
    main()
