"""A list of 20,000 rows taken in and published, against a bare COPY of the same bytes, in one run.

    python -m bench.catalogue_import [ROWS [SEED]]

The file is CSV with every column: items of the city's common list, each with the implementation of
its department and of the bureaus of 15 districts, which depart from it here and there. Read, settled
and published as the operator does it; then the same file again, which changes nothing, and once more
with one row changed. COPY puts the cells into a table of texts. On a private server without fsync.
Wall clock and CPU of this process (the server's is not in it), in seconds; one JSON line.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import django
import psycopg

from bench._line import line
from zhengwu.config.postgres import APP, DATABASE, OWNER, Cluster

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
SEED = 20_260_914
ROWS = 20_000
Made = TypeVar("Made")


def timed(act: Callable[[], Made]) -> tuple[Made, float, float]:
    began, busy = time.perf_counter(), time.process_time()
    made = act()
    return made, time.perf_counter() - began, time.process_time() - busy


def build() -> None:
    """The departments and bureaus of the demo city, without people."""
    from zhengwu.accounts import city, services

    services.add_region(city.CITY, name=city.NAME, level="city", parent=None)
    for one in city.departments():
        services.add_agency(
            one.code, name=one.full_name, short=one.short, kind=one.kind, region=city.CITY
        )
    for district in city.districts():
        services.add_region(
            district.code, name=district.name, level="district", parent=city.CITY
        )  # fmt: skip
    for bureau in city.bureaus():
        services.add_agency(
            bureau.code, name=bureau.name, short=bureau.short, kind="bureau",
            region=bureau.district.code, parent=bureau.parent,
        )  # fmt: skip


def table(rows: int, seed: int) -> bytes:
    """The file, as an office would export it."""
    from zhengwu.accounts import city
    from zhengwu.catalog.exporting import COLUMNS

    chance = random.Random(seed)
    bureaus: dict[str, list[city.Bureau]] = {}
    for bureau in city.bureaus():
        if bureau.parent:
            bureaus.setdefault(bureau.parent, []).append(bureau)
    departments = [one for one in city.departments() if len(bureaus.get(one.code, ())) >= 15]
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    made = number = 0
    while made < rows:
        number += 1
        department = chance.choice(departments)
        base = f"XK7{number:05}"
        common = content(base, number, chance)
        places: list[tuple[str, str, str, str, dict[str, str]]] = [
            ("C." + base, "市级通用清单", "420100", department.full_name, {})
        ]
        places.append((base, "实施清单", "420100", department.full_name, place(department.name)))
        for bureau in bureaus[department.code][:15]:
            own = place(bureau.name)
            if chance.random() < 0.2:
                own |= {"承诺办结时限": f"{chance.randint(2, 5)} 个工作日", "到办事现场次数": "0"}
            region = bureau.district.code
            places.append((f"{base}-{region}", "实施清单", region, bureau.name, own))
        for code, level, region, organ, own in places[: rows - made]:
            row = common | own | {
                "编码": code, "同一事项": base, "清单层级": level, "区域": region,
                "实施机关": organ, "施行起": "2026-01-01",
                "上级清单": "" if code.startswith("C.") else f"C.{base}",
                "承接的差异": "" if code.startswith("C.") else "、".join(own),
            }  # fmt: skip
            writer.writerow(row)
            made += 1
    return out.getvalue().encode()


def content(base: str, number: int, chance: random.Random) -> dict[str, str]:
    days = chance.randint(6, 20)
    basis = f"某某管理条例 第{chance.randint(1, 90)}条：" + "从事这项活动的，应当提出申请。"
    materials = [
        {
            "code": f"{n:02d}", "name": f"第{n}份申请材料（{base}）", "need": "required",
            "form": "either", "copies": 1, "origin": "applicant", "basis": basis[:40],
            "standard": "内容真实、完整，签字盖章齐全",
        }
        for n in range(1, chance.randint(4, 7))
    ]  # fmt: skip
    questions = [
        {"q": f"问题{n}：要等多久？", "a": "从受理之日起计算，到期以前作出决定。"} for n in range(2)
    ]
    return {
        "事项名称": f"第{number:05}号活动许可证核发", "事项类型": "行政许可", "设定依据": basis,
        "权力来源": "法定本级行使", "行使层级": "市级", "服务对象": "自然人、企业法人",
        "主题分类": "P01、L02", "办件类型": "承诺件", "法定办结时限": f"20 个工作日；依据：{basis[:40]}",
        "承诺办结时限": f"{days} 个工作日", "受理条件": "依法设立\n场所符合要求\n人员符合要求",
        "申请材料": json.dumps(materials, ensure_ascii=False), "数量限制": "无数量限制",
        "结果类型": "证照", "办理结果": "许可证", "到办事现场次数": "1", "必须到现场的原因": "核对原件",
        "收费": "无", "办理形式": "窗口、电脑端", "网办深度": "网上申报", "通办范围": "全市",
        "可以邮寄送达": "是", "依法享有的权利": "陈述、申辩、复议、诉讼。" * 2,
        "依法履行的义务": "如实提交材料，对实质内容负责。" * 2,
        "常见问题": json.dumps(questions, ensure_ascii=False),
    }  # fmt: skip


def place(name: str) -> dict[str, str]:
    return {
        "办理地点": f"{name}窗口", "办理时间": "工作日 9:00-17:00", "咨询方式": "027-12345",
        "监督投诉方式": "12345", "行政复议机关": "人民政府", "行政诉讼管辖法院": "人民法院",
    }  # fmt: skip


def bare(cluster: Cluster, data: bytes) -> None:
    """The same bytes into a table of texts."""
    columns = next(csv.reader(io.StringIO(data.decode())))
    names = ", ".join(f"c{n} text" for n in range(len(columns)))
    with psycopg.connect(cluster.url(role=OWNER)) as database:
        database.execute(f"CREATE TEMP TABLE bare ({names})")
        with database.cursor().copy("COPY bare FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(data)


def measure(cluster: Cluster, rows: int, seed: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from zhengwu.catalog import importing
    from zhengwu.ledger import grants

    app = dict(connection.settings_dict)
    connection.settings_dict.update(USER=OWNER, PASSWORD=cluster.password(OWNER))
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        grants.apply(cursor, APP)
    connection.close()
    connection.settings_dict.update(app)
    build()
    data = table(rows, seed)
    agencies = importing.organs("420100")

    def read(of: bytes) -> importing.Parsed:
        return importing.read(of, "items.csv", agencies=agencies, at=AT)

    def run(parsed: importing.Parsed) -> importing.Report:
        return importing.run(
            parsed, by=None, at=AT, mode="publish", approved="江政发〔2026〕1号",
            progress=lambda done, total: print(f"  {done:,}/{total:,}", file=sys.stderr),
        )  # fmt: skip

    figures: dict[str, Any] = {}
    _, copying, _ = timed(lambda: bare(cluster, data))
    for turn in ("first", "again"):
        parsed, reading, reading_cpu = timed(lambda: read(data))
        report, writing, writing_cpu = timed(lambda parsed=parsed: run(parsed))  # type: ignore[misc]
        outcomes = {outcome: many for outcome, many in report.counts.items() if many}
        figures[turn] = {
            "read": round(reading, 1), "run": round(writing, 1),
            "cpu": round(reading_cpu + writing_cpu, 1), "outcomes": outcomes,
            "ratio": round((reading + writing) / copying, 1),
        }  # fmt: skip
        assert not [row for row in report.rows if row.outcome == "refused"][:1]
    one = data.replace(b"027-12345", b"027-54321", 1)
    changed = run(read(one)).counts["changed"]
    assert changed == 1, changed
    load = round(os.getloadavg()[0], 1)
    said = {
        "bench": "catalogue_import", "rows": rows, "megabytes": round(len(data) / 1e6, 1),
        "copy": round(copying, 2), **figures, "load": load,
    }  # fmt: skip
    print(json.dumps(said, ensure_ascii=False))
    first = figures["first"]
    line("catalogue-import", round(first["read"] + first["run"], 1), f"s, {rows:,} rows",
         ratio=first["ratio"])  # fmt: skip
    connection.close()


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
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
            measure(cluster, rows, seed)


if __name__ == "__main__":
    main()
