"""A whole city's catalogue on a private server, for the measurements that need one.

ITEMS entries in the city's common list, each done by its department and by a bureau of each of the
fifteen districts, published through the service that everybody uses. Made up and marked so; the same
seed makes the same catalogue.
"""

from __future__ import annotations

import csv
import io
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import django

from zhengwu.config.postgres import APP, DATABASE, OWNER, Cluster

ITEMS = 2_500
SEED = 20260914
AT = datetime(2026, 1, 5, tzinfo=UTC)
SINCE = date(2026, 1, 5)
TODAY = date(2026, 11, 23)
BATCH = 125  # items published at a time
FORMS = ("新建", "变更", "延续", "补发", "注销", "临时", "大型", "小型", "外资", "农村")
PLACES = ("城区", "园区", "港区", "景区", "校园", "社区", "沿江", "工业区", "开发区", "试点")


@contextmanager
def catalogue(items: int = ITEMS) -> Iterator[tuple[str, ...]]:
    """Start the server, fill it, set Django up; the codes of the departments' guides."""
    with tempfile.TemporaryDirectory(prefix="zhengwu-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # the server's system user passes through
        cluster = Cluster(home, durable=False)
        os.environ.update(
            DJANGO_SETTINGS_MODULE="zhengwu.config.settings",
            ZHENGWU_DEMO="1",
            ZHENGWU_HOME=str(home / "home"),
            ZHENGWU_SECRET_KEY="only-for-the-bench-and-for-nothing-else-0123456789",
            ZHENGWU_DATABASE_URL=cluster.url(role=APP, database=DATABASE),
            ZHENGWU_OWNER_DATABASE_URL=cluster.url(role=OWNER, database=DATABASE),
            ZHENGWU_LOG_LEVEL="ERROR",
        )
        with cluster.start():
            django.setup()
            from django.db import connections

            from zhengwu.config import migrate

            migrate.run()
            began = time.perf_counter()
            codes = _fill(items)
            with cluster.connect(DATABASE) as owner:
                owner.execute("ANALYZE")
            print(
                f"{items} items x 16 published in {time.perf_counter() - began:.0f} s", flush=True
            )
            yield codes
            connections.close_all()


def _fill(items: int) -> tuple[str, ...]:
    from zhengwu.accounts import city
    from zhengwu.catalog import services
    from zhengwu.halls import services as halls

    city.build_city(seed=SEED, at=AT)
    for hall in city.halls():
        halls.add_hall(
            hall.code, name=hall.name, region=hall.region, address=hall.address, hours=city.HOURS
        )
        for window, agency, name in hall.windows:
            halls.add_window(window, hall=hall.code, agency=agency, name=name)
    made = _items(items)
    for first in range(0, items, BATCH):
        batch = [one for _ in range(min(BATCH, items - first)) for one in next(made)]
        refused = [one.faults for one in services.publish_all(batch, by=None, at=AT) if one.faults]
        assert not refused, refused[:3]
    return tuple(f"TS{number:05d}" for number in range(items))


def _items(items: int) -> Iterator[list[Any]]:
    """The releases of one item after the other."""
    from zhengwu.accounts import city
    from zhengwu.catalog import browsing, shipped
    from zhengwu.catalog.services import CITY, Release
    from zhengwu.domain.guide import Level

    chance = random.Random(SEED)
    with shipped.ITEMS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    themes = sorted(browsing.themes())
    bureaus: dict[str, list[city.Bureau]] = {}
    for bureau in city.bureaus():
        if bureau.parent:
            bureaus.setdefault(bureau.parent, []).append(bureau)
    departments = [one for one in city.departments() if len(bureaus.get(one.code, ())) == 15]
    names: set[str] = set()
    for number in range(items):
        row = chance.choice(rows)
        while (name := _name(row["name"], chance)) in names:
            row = chance.choice(rows)
        names.add(name)
        department = chance.choice(departments)
        code = f"TS{number:05d}"
        law: dict[str, Any] = {
            "name": name, "type": row["type"], "basis": row["basis"] or "行政许可法 第十二条",
            "statutory": {"value": 20, "unit": "working_day", "basis": "行政许可法 第四十二条"},
        }  # fmt: skip
        common: dict[str, Any] = {
            "kind": "promised",
            "promised": {"value": chance.randint(3, 20), "unit": "working_day", "basis": "承诺"},
            "themes": chance.sample(themes, 2),
            "targets": sorted(chance.sample("123456", 2)),
            "conditions": ["申请材料齐全、符合法定形式", "属于本机关职权范围"],
            "materials": [
                {
                    "code": f"{n:02d}", "name": f"{name}{what}", "need": "required", "form": "either",
                    "copies": 1, "origin": "applicant", "basis": "行政许可法 第三十一条",
                }
                for n, what in enumerate(("申请书", "说明", "图纸", "合同"), 1)
            ],
            "fees": [], "visits": 1, "result": "决定书", "channels": ["1"],
            "rights": shipped.RIGHTS, "duties": shipped.DUTIES,
            "questions": [{"q": "多久能办好？", "a": "承诺时限以本页为准，从受理的次日起算。"}],
        }  # fmt: skip
        shared: dict[str, Any] = {"base": code, "since": SINCE, "generated": True}
        made = [
            Release(
                code=f"P.{code}", level=Level.PROVINCE, region="420000", agency=department.code,
                own=law, **shared,
            ),
            Release(
                code=f"C.{code}", level=Level.CITY, region=CITY, agency=department.code, own=common,
                above=f"P.{code}", **shared,
            ),
        ]  # fmt: skip
        done = [(code, CITY, department.code, department.name)]
        done += [
            (f"{code}-{one.district.code}", one.district.code, one.code, one.name)
            for one in bureaus[department.code]
        ]
        for own, region, agency, where in done:
            made.append(
                Release(
                    code=own, level=Level.IMPLEMENTATION, region=region, agency=agency,
                    own={"place": f"{where}窗口", "hours": "工作日 9:00-17:00", "phone": "027-12345"},
                    above=f"C.{code}", **shared,
                )
            )  # fmt: skip
        yield made


def _name(name: str, chance: random.Random) -> str:
    head = chance.choice(("", *FORMS)) + chance.choice(("", *PLACES))
    return f"{head}{name}" if head else f"{name}（{chance.choice(FORMS)}）"


def client() -> Any:
    """Requests through the whole of our WSGI application, in this process."""
    from zhengwu.config.wsgi import application

    return application


def asked(application: Any, path: str, query: str = "", **headers: str) -> tuple[int, bytes]:
    """Status and body of one request."""
    status: list[int] = []

    def start(line: str, answered: Any, problem: Any = None) -> Any:
        status.append(int(line.split()[0]))

    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.version": (1, 0), "SCRIPT_NAME": "", **headers,
    }  # fmt: skip
    answer = application(environ, start)
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return status[0], body
