"""Items that look the same under two names, over the catalogues of a whole city, on one core.

    python -m bench.likeness [ITEMS [DISTRICTS [SEED]]]

ITEMS (2,500) items in DISTRICTS (15) districts. The names are those of items.csv and, where
ZHENGWU_DATA has them, of a real district's catalogue; more are made of them with other beginnings
and ends. Three cities: every district writes an item as the city does; one row in five is written
in the district's own way; every row is, which no city does. Prints the seconds for the 200 pairs that
are listed, how many pairs there are in all, and the ratio to bare counting of the pairs of characters
of all rows in the same run; one JSON line each.
"""

from __future__ import annotations

import csv
import json
import os
import random
import sys
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

from bench._line import line
from zhengwu.domain.likeness import Named, alike

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[2] / "shared" / "data"))
SEED = 20260914
BEGINNINGS = (
    "临时",
    "外商投资",
    "农村",
    "大型",
    "中外合资",
    "港澳台",
    "专项",
    "跨区域",
    "集体",
    "特殊",
)
ENDS = ("审批", "核准", "许可证核发", "备案", "变更", "延续审批", "注销登记", "认定", "补办")
SWAPS = (
    ("许可证核发", "许可"),
    ("审批", "许可"),
    ("许可", "许可证核发"),
    ("登记", "核准登记"),
    ("备案", ""),
)
BRACKETS = ("（县级）", "（县级权限）", "(新办)", "（变更）", "（县级行使）", "【承诺件】")
AGENCIES = ("发展改革", "住房城乡建设", "市场监管", "卫生健康", "交通运输", "农业农村")


def show(what: str, **figures: Any) -> None:
    load = round(os.getloadavg()[0], 1)
    said = {"bench": "likeness", "what": what, **figures, "load": load}
    print(json.dumps(said, ensure_ascii=False), flush=True)


def real_names() -> list[str]:
    table = files("zhengwu").joinpath("catalog/data/items.csv").read_text(encoding="utf-8")
    lines = (line for line in table.splitlines() if not line.startswith("#"))
    names = [row["name"] for row in csv.DictReader(lines)]
    district = DATA / "catalogue" / "guangan_items.json"
    if district.exists():
        names += [item["name"] for item in json.loads(district.read_text(encoding="utf-8"))]
    return list(dict.fromkeys(names))


def item_names(items: int, chance: random.Random) -> list[str]:
    """The real names, then names made of them, until there are enough."""
    names = real_names()[:items]
    real, known = tuple(names), set(names)
    while len(names) < items:
        name = chance.choice(real)
        kind = chance.random()
        if kind < 0.5:
            name = chance.choice(BEGINNINGS) + name
        if kind > 0.3:
            name += chance.choice(ENDS)
        if name not in known:
            known.add(name)
            names.append(name)
    return names


def own_way(name: str, district: int, chance: random.Random) -> str:
    """As a district might write it."""
    kind = chance.randrange(4)
    if kind == 0:
        return name + chance.choice(BRACKETS)
    if kind == 1:
        return f"第{'一二三四五六七八九十'[district % 10]}区{name}"
    if kind == 2:
        return chance.choice(BEGINNINGS) + name
    old, new = chance.choice(SWAPS)
    return name.replace(old, new) if old in name else name + chance.choice(ENDS)


def city(items: int, districts: int, *, own: float, seed: int) -> list[Named]:
    chance = random.Random(seed)
    rows = []
    for number, name in enumerate(item_names(items, chance)):
        basis = f"法规 {chance.randrange(400)} 第{chance.randrange(60)}条"
        needs = frozenset(f"材料{chance.randrange(300)}" for _ in range(5))
        agency = chance.choice(AGENCIES)
        for district in range(districts):
            written = own_way(name, district, chance) if chance.random() < own else name
            key = f"{number:04}-{district:02}"
            rows.append(Named(key, written, f"{number:04}", basis, needs, agency))
    chance.shuffle(rows)
    return rows


def measure(what: str, rows: list[Named]) -> tuple[float, float]:
    began = time.perf_counter()
    held: Counter[str] = Counter()
    for row in rows:
        held.update(row.name[n : n + 2] for n in range(len(row.name) - 1))
    bare = time.perf_counter() - began
    began, busy = time.perf_counter(), time.process_time()
    listed = alike(rows)
    spent, cpu = time.perf_counter() - began, time.process_time() - busy
    pairs = alike(rows, most=10**9)
    assert pairs[: len(listed)] == listed
    variants = sum(pair.variant for pair in pairs)
    show(
        what, rows=len(rows), names=len({row.name for row in rows}), seconds=round(spent, 2),
        cpu=round(cpu, 2), listed=len(listed), pairs=len(pairs) - variants, variants=variants,
        counting=round(bare, 3), ratio=round(spent / bare, 1),
    )  # fmt: skip
    return spent, spent / bare


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 2_500
    districts = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else SEED
    for what, own in (
        ("written as the city does", 0.0),
        ("one row in five in the district's own way", 0.2),
        ("every row in the district's own way", 1.0),
    ):
        found = measure(what, city(items, districts, own=own, seed=seed))
    line("likeness", round(found[0], 2), "s, every row its own way", ratio=round(found[1], 1))


if __name__ == "__main__":
    main()
