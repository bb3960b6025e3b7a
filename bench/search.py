"""Finding an item: milliseconds in a catalogue of ITEMS (2,500) items in sixteen places.

    python -m bench.search [ROUNDS [ITEMS]]

What people type (parts of names, initials, codes, everyday words, several words, what is not there)
with and without a place, a department or a theme; the call itself (`find`) and the whole page through
the WSGI application (`page`). p50 and p95 over all and by kind, of the wall clock and (cpu) of this
process alone, for busy machines; the plan of the slowest kind. One JSON line each; `page` also as the ratio to a page of the same frame without a search (/help).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from bench import _catalogue
from bench._line import line


def show(what: str, **figures: Any) -> None:
    load = round(os.getloadavg()[0], 1)
    said = {"bench": "search", "what": what, **figures, "load": load}
    print(json.dumps(said, ensure_ascii=False), flush=True)


def took(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the wall, and of this process's own computing."""
    began, busy = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - began) * 1_000, (time.process_time() - busy) * 1_000


def asked(rounds: int, codes: tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    """Kind of a question, and what stands in the address."""
    from zhengwu.catalog import queries, searching

    chance = random.Random(_catalogue.SEED)
    made: list[tuple[str, dict[str, str]]] = []
    for _ in range(rounds):
        code = chance.choice(codes)
        row = queries.in_force(code, _catalogue.TODAY)
        assert row is not None
        name = row.name
        start = chance.randrange(max(1, len(name) - 4))
        made += [
            ("part of a name", {"q": name[start : start + 4]}),
            ("two characters", {"q": chance.choice(("许可", "备案", "登记", "核准", "变更", "审批"))}),
            ("one character", {"q": chance.choice("水电气路药")}),
            ("whole name", {"q": name}),
            ("initials", {"q": searching.initials(name)[:5]}),
            ("code", {"q": code}),
            ("two words", {"q": f"{name[:2]} {name[-2:]}"}),
            ("department", {"q": "水务局"}),
            ("nothing", {"q": chance.choice(("养鱼池塘", "开个小店", "量子计算", "宠物火化"))}),
            ("all, by page", {"page": str(chance.randrange(1, 100))}),
            ("in a district", {"q": name[:2], "region": "420102"}),
            ("a district, all", {"region": "420103", "page": str(chance.randrange(1, 50))}),
            ("of a department", {"q": "许可", "agency": row.agency}),
            ("theme", {"theme": chance.choice(row.whole["themes"])}),
            ("theme, object and type", {"theme": "L16", "target": "2", "type": "行政许可"}),
        ]  # fmt: skip
    return made


Times = dict[str, list[tuple[float, float]]]


def show_times(what: str, times: Times, **more: Any) -> None:
    show(what, **figures([one for kind in times.values() for one in kind]), **more)
    for kind, each in sorted(times.items(), key=lambda one: -figures(one[1])["p50_ms"]):
        show(what, kind=kind, **figures(each))


def figures(each: list[tuple[float, float]]) -> dict[str, float]:
    wall, busy = sorted(one for one, _ in each), sorted(one for _, one in each)
    nearly_all = int(len(each) * 0.95)
    return {
        "p50_ms": round(statistics.median(wall), 1),
        "p95_ms": round(wall[nearly_all], 1),
        "cpu_p50_ms": round(statistics.median(busy), 1),
        "cpu_p95_ms": round(busy[nearly_all], 1),
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    items = int(sys.argv[2]) if len(sys.argv) > 2 else _catalogue.ITEMS
    with _catalogue.catalogue(items) as codes:
        from zhengwu.catalog import finding

        application = _catalogue.client()
        questions = asked(rounds, codes)

        def find(given: dict[str, str]) -> None:
            finding.search(
                given.get("q", ""), _catalogue.TODAY, agency=given.get("agency", ""),
                region=given.get("region", ""), theme=given.get("theme", ""),
                target=given.get("target", ""), type_=given.get("type", ""),
                page=int(given.get("page", "1")),
            )  # fmt: skip

        def page(given: dict[str, str]) -> None:
            assert _catalogue.asked(application, "/items", urlencode(given))[0] == 200

        _, warm = questions[0]
        find(warm)
        page(warm)
        plain = statistics.median(
            took(lambda: _catalogue.asked(application, "/help"))[0] for _ in range(50)
        )
        times: dict[str, Times] = {"find": {}, "page": {}}
        for kind, given in questions:
            for what, work in (("find", find), ("page", page)):
                spent = took(lambda work=work, given=given: work(given))  # type: ignore[misc]
                times[what].setdefault(kind, []).append(spent)
        show_times("find", times["find"])
        every = [one for kind in times["page"].values() for one in kind]
        ratio = round(figures(every)["p50_ms"] / plain, 1)
        show_times("page", times["page"], plain_ms=round(plain, 1), ratio=ratio)
        kind = max(times["find"], key=lambda one: figures(times["find"][one])["p50_ms"])
        show("plan", kind=kind)
        print(plan(next(given for one, given in questions if one == kind), find))
        line("search", figures(every)["cpu_p95_ms"], "ms CPU p95 of a page", ratio=ratio)


def plan(given: dict[str, str], find: Callable[[dict[str, str]], None]) -> str:
    """How the database finds the slowest kind: every statement that the call makes, explained."""
    from django.db import connection

    said: list[str] = []

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "catalog_itemversion" in sql and sql.startswith("SELECT") and not said.count(sql):
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
                said.append("\n".join([sql[:160], *(row[0] for row in cursor.fetchall()), ""]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        find(given)
    return "\n".join(said)


if __name__ == "__main__":
    main()
