"""Versions published before there were three levels stand as they were, in their new shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from uuid import uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from zhengwu.catalog import finding, queries
from zhengwu.config.postgres import OWNER, Cluster
from zhengwu.domain.procedure import Limit

BEFORE = "zhengwu_before_three_levels"


@pytest.fixture
def before(cluster: Cluster) -> Iterator[str]:
    """A database as the owner left it before this migration; Django is connected as the owner."""
    with cluster.connect() as server:
        cluster.create_database(BEFORE, server)
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(NAME=BEFORE, USER=OWNER, PASSWORD=cluster.password(OWNER))
    try:
        for app in (("accounts",), ("catalog", "0003")):
            call_command("migrate", *app, verbosity=0, interactive=False)
        yield cluster.url(role=OWNER, database=BEFORE)
    finally:
        connection.close()
        connection.settings_dict.update(kept)
        with cluster.connect() as server:
            server.execute(f"DROP DATABASE {BEFORE} WITH (FORCE)")
        queries.version.cache_clear()


def test_a_version_of_before_keeps_its_words_limits_materials_and_flow(before: str) -> None:
    basis = "取水许可和水资源费征收管理条例 第十九条"
    limit = {"value": 45, "unit": "working_day", "basis": basis, "roll": True}
    steps = [
        {"code": "review", "name": "审查", "role": "review", "after": [],
         "limit": {"value": 15, "unit": "working_day", "basis": "", "roll": True}},
        {"code": "decide", "name": "决定", "role": "decide", "after": ["review"], "limit": None},
    ]  # fmt: skip
    with psycopg.connect(before, autocommit=True) as old:
        (item,) = old.execute(
            "INSERT INTO catalog_item (stream, code) VALUES (%s, 'XK0036') RETURNING id", [uuid4()]
        ).fetchone() or (None,)
        for number, force in ((1, "[2009-01-01,2026-01-01)"), (2, "[2026-01-01,)")):
            old.execute(
                "INSERT INTO catalog_itemversion (item_id, version, in_force, name, type, agency,"
                " kind, statutory, promised, promised_is, materials, steps, result, basis, fee,"
                " pay_first, note, retired, digest) VALUES (%s, %s, %s, '取水许可', '行政许可',"
                " '420100-D16', 'promised', %s, %s, 'proposed', %s, %s, '取水许可证', %s, '按量收费',"
                " true, '说明', false, 'old')",
                [item, number, force, json.dumps(limit),
                 json.dumps({**limit, "value": 20, "basis": ""}),
                 json.dumps([{"code": "01", "name": "申请书"}]), json.dumps(steps), basis],
            )  # fmt: skip
    connection.close()
    call_command("migrate", "catalog", verbosity=0, interactive=False)
    queries.version.cache_clear()
    first, then = queries.version("XK0036", 1), queries.version("XK0036", 2)
    assert (first.in_force_to, then.in_force_to) == (date(2026, 1, 1), None)
    assert (then.base, then.level, then.region) == ("XK0036", "implementation", "420100")
    assert then.statutory == Limit(45, basis=basis)
    assert then.promised == Limit(20, basis="办事指南承诺")
    assert [(one.code, one.name, one.basis) for one in then.materials] == [("01", "申请书", basis)]
    assert [(one.code, one.after) for one in then.steps] == [
        ("review", ()),
        ("decide", ("review",)),
    ]
    assert (then.fee, then.pay_first, then.result, then.note) == (
        "按量收费", True, "取水许可证", "说明",
    )  # fmt: skip
    assert [one.code for one in finding.search("取水", date(2026, 11, 1)).rows] == ["XK0036"]
