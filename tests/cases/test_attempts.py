"""Asking outside the published guide: impossible, refused with the article, and kept on record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from tests.cases import people
from tests.cases.people import INTAKE, Told, actor, moment, received, reception
from zhengwu.cases import attempts, grounds, loading, queries, services
from zhengwu.catalog import queries as catalog
from zhengwu.catalog import services as catalog_services
from zhengwu.documents import queries as documents
from zhengwu.domain.guide import Level
from zhengwu.domain.refusal import Refusal, Refusals

pytestmark = pytest.mark.usefixtures("town")
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"
SUPERVISOR = "p-supervisor"


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as answer:
        act()
    return answer.value


def kept() -> tuple[queries.AttemptRow, ...]:
    return queries.attempts(actor(SUPERVISOR)).rows


def bodies() -> list[Mapping[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT body::text FROM ledger_event WHERE stream = 'attempt'")
        return [json.loads(text) for (text,) in cursor.fetchall()]


def reviewed() -> Told:
    case = received()
    case.do(CLERK, "accepted", "09-14 10:00")
    case.do(REVIEWER, "step_taken", "09-14 11:00")
    return case


def published_conditions(*conditions: str) -> None:
    """The list above 取水许可 gets conditions, which the item then has."""
    row = catalog.in_force(INTAKE, date(2026, 9, 9))
    assert row is not None
    code, _, number = row.above.rpartition("@")
    upper = catalog.version(code, int(number))
    (outcome,) = catalog_services.publish_all(
        [
            catalog_services.Release(
                code=code, base=upper.base, level=Level(upper.level), region=upper.region,
                agency=upper.agency, own={**upper.own, "conditions": list(conditions)},
                since=date(2026, 9, 10), above=upper.above.rpartition("@")[0],
            )
        ],
        by=None,
        at=moment("09-05 12:00"),
    )  # fmt: skip
    assert not outcome.faults


# --- materials ------------------------------------------------------------------------------------


def test_a_notice_can_only_ask_for_what_the_guide_lists() -> None:
    case = received(missing=1)
    no = refused(
        lambda: case.do(
            CLERK, "supplement_requested", "09-14 10:00",
            {"material-99": "missing", "why-99": "请再交一份单位介绍信"},
        )
    )  # fmt: skip
    assert (no.code, no.field) == ("case.material_not_listed", "material-99")
    assert no.article == "行政许可法 第三十一条；优化营商环境条例 第三十五条"
    assert loading.load_bare(case.number).version == 1
    (row,) = kept()
    assert (row.number, row.act_zh, row.codes) == (case.number, "一次性告知", ("99",))
    assert (row.actor, row.agency, row.item) == (CLERK, people.WATER, INTAKE)
    assert row.post
    (body,) = bodies()
    assert body == {
        "case": str(loading.load_bare(case.number).id), "version": row.item_version,
        "act": "supplement_requested", "codes": ["99"],
    }  # fmt: skip
    assert case.do(CLERK, "supplement_requested", "09-14 10:10").document


def test_a_supplement_and_a_scan_take_only_what_the_guide_lists() -> None:
    case = received(missing=1)
    scan = refused(lambda: case.do(CLERK, "scanned", "09-14 09:50", {"material": "77"}))
    assert (scan.code, scan.field) == ("case.material_not_listed", "material")
    case.do(CLERK, "supplement_requested", "09-14 10:00")
    brought = {"material-03": "received", "material-xx": "received"}
    no = refused(lambda: case.do(CLERK, "supplemented", "09-15 10:00", brought))
    assert no.code == "case.material_not_listed"
    assert [(row.act, row.codes) for row in kept()] == [
        ("supplemented", ("free text",)), ("scanned", ("77",)),
    ]  # fmt: skip
    case.do(CLERK, "supplemented", "09-15 10:00", {"material-03": "received"})


def test_a_receipt_takes_only_what_the_guide_lists_and_the_same_key_is_kept_once() -> None:
    given = reception()
    given = replace(given, materials={**given.materials, "61": "received"})
    key = str(uuid4())
    for _ in range(2):
        with pytest.raises(Refusals) as several:
            services.receive(actor(CLERK), given, key=key, at=moment("09-14 09:20"))
        assert [one.code for one in several.value.refusals] == ["case.material_not_listed"]
    (row,) = kept()
    assert (row.number, row.act_zh, row.item_name, row.codes) == (
        None, "收件", "取水许可", ("61",),
    )  # fmt: skip
    (body,) = bodies()
    assert body["item"] == INTAKE


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("99", "99"), ("XK0036-07", "XK0036-07"), ("condition:12", "condition:12"),
        ("单位介绍信", "free text"), ("13912342046", "free text"), ("a b 1", "free text"),
        ("11010519491231002x", "free text"), ("zhangsan", "free text"),
        ("m1" * 40, "m1" * 20), ("", "free text"),
    ],
)  # fmt: skip
def test_only_what_looks_like_a_code_is_kept(typed: str, said: str) -> None:
    assert attempts.code(typed) == said


# --- grounds --------------------------------------------------------------------------------------


def test_a_refusal_names_the_listed_conditions_it_rests_on_and_prints_them() -> None:
    published_conditions("取水口不在禁止取水的区域", "有节水措施")
    case = reviewed()
    (ask, _) = services.VERBS["refused"].form_of(loading.load(actor(APPROVER), case.number))
    assert (ask.kind, [code for code, _ in ask.choices][:3]) == (
        "several", ["condition:1", "condition:2", "material:01"],
    )  # fmt: skip
    said = {"reasons": "取水口下游是水源地。", "grounds": "basis,condition:1"}
    done = case.do(APPROVER, "refused", "09-15 10:00", said)
    event = loading.load_bare(case.number).events[-1]
    assert event.body["grounds"] == ["condition:1", "basis"]
    assert done.document
    paper = str(documents.frozen(done.document))
    assert "受理条件第 1 项：取水口不在禁止取水的区域；设定依据：" in paper
    assert "取水口下游是水源地。" in paper
    line = queries.case(actor(APPROVER), case.number, at=moment("09-15 11:00")).story[-1]
    assert "根据办事指南的受理条件第 1 项、设定依据" in line.text
    assert kept() == ()


def test_a_ground_outside_the_guide_is_refused_and_kept() -> None:
    case = reviewed()
    said = {"reasons": "没有交保证金。", "grounds": "basis,condition:9,交保证金"}
    no = refused(lambda: case.do(APPROVER, "refused", "09-15 10:00", said))
    assert (no.code, no.field) == ("case.ground_not_listed", "grounds")
    assert no.article == "优化营商环境条例 第三十五条"
    (row,) = kept()
    assert (row.act, row.codes) == ("refused", ("condition:9", "free text"))
    assert "保证金" not in str(bodies())
    none = refused(lambda: case.do(APPROVER, "refused", "09-15 10:00", {"reasons": "没有。"}))
    assert (none.code, none.article) == ("case.no_ground", "行政许可法 第三十八条第二款")
    assert len(kept()) == 1


def test_what_needs_no_licence_rests_on_the_guide_too() -> None:
    case = received()
    said = {"reasons": "家庭生活少量取水。", "grounds": "basis"}
    outside = said | {"grounds": "condition:99"}
    no = refused(lambda: case.do(CLERK, "not_needed", "09-14 10:00", outside))
    assert no.code == "case.ground_not_listed"
    assert case.do(CLERK, "not_needed", "09-14 10:00", said).document
    refusal = next(e for e in loading.load_bare(case.number).events if e.kind == "not_needed")
    assert refusal.body["grounds"] == ["basis"]


def test_every_version_offers_at_least_its_basis() -> None:
    for item in catalog.all_in_force(date(2026, 9, 14)):
        assert grounds.of(item)[-1][0] == "basis"


# --- who sees them --------------------------------------------------------------------------------


def test_a_supervisor_pages_through_them_and_nobody_else_sees_any() -> None:
    for number in range(5):
        case = received(missing=1)
        form = {f"material-9{number}": "missing"}
        when = f"09-14 1{number}:00"
        refused(lambda: case.do(CLERK, "supplement_requested", when, form))  # noqa: B023
    seen, after = [], None
    for _ in range(3):
        page = queries.attempts(actor(SUPERVISOR), after=after, size=2)
        seen += [row.codes[0] for row in page.rows]
        after = page.after
    assert (seen, after) == (["94", "93", "92", "91", "90"], None)
    assert len(queries.attempts(actor("p-centre_manager")).rows) == 5
    assert queries.attempts(actor(CLERK)).rows == queries.attempts(actor(APPROVER)).rows == ()
