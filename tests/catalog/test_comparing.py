"""The districts are held against the city's list; two names of one matter are found."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.catalog.districts import (
    AT,
    FIRST,
    INTAKE,
    MARKET,
    SECOND,
    SINCE,
    TODAY,
    WATER,
    days,
    districts,
    fewer,
    materials,
    release,
    says,
)  # fmt: skip
from tests.conftest import Kept
from zhengwu.catalog import comparing, queries, services
from zhengwu.catalog.comparing import Place, SideBySide
from zhengwu.catalog.models import ItemVersion
from zhengwu.catalog.services import Release
from zhengwu.domain.guide import Level
from zhengwu.domain.procedure import Limit


@pytest.fixture(autouse=True)
def _districts(db: None, kept: Kept) -> None:
    kept.again("districts", districts)


def side(base: str = INTAKE, on: date = TODAY) -> SideBySide:
    found = comparing.side_by_side(base, on)
    assert found is not None
    return found


def place(code: str, base: str = INTAKE) -> Place:
    return next(one for one in side(base).places if one.code == code)


def told(code: str) -> dict[str, tuple[str, str]]:
    """Element → word and detail of what differs."""
    return {one.code: (one.word, one.detail) for one in place(code).differing}


def test_what_belongs_to_the_place_is_no_difference() -> None:
    found = side()
    assert [one.code for one in found.places] == [INTAKE, FIRST, SECOND]
    assert [one.region_name for one in found.places] == ["市本级", "临江区", "望江区"]
    assert found.reference.code == f"C.{INTAKE}"
    assert (found.differing, found.columns, found.absent) == ((), frozenset(), ())
    assert comparing.differing(TODAY).total == 0
    assert comparing.differing(TODAY).shared == 2


def test_a_shorter_promise_and_a_paper_less_are_named() -> None:
    says(SECOND, promised=days(15), materials=fewer())
    first = materials()[0]["name"]
    assert told(SECOND) == {"promised": ("更短", ""), "materials": ("更少", f"少：{first}")}
    assert told(FIRST) == {}
    cells = {one.code: one.short for one in place(SECOND).cells}
    assert (cells["promised"], cells["materials"]) == ("15 个工作日", "2 份")
    (row,) = comparing.differing(TODAY).rows
    assert (row.base, row.places) == (INTAKE, 3)
    assert row.elements == {"promised": ("420103",), "materials": ("420103",)}


def test_every_kind_of_element_has_its_word() -> None:
    says(
        FIRST,
        channels=["1", "2"],
        kind="immediate",
        promised=days(0),
        conditions=["取水、退水布局合理"],
        fees=[],
        validity="3 年",
        quota="无",
        questions=[{"q": "问", "a": "答"}],
    )
    found = told(FIRST)
    words = {
        "channels": "更多", "kind": "不同", "promised": "更短", "conditions": "更少", "fees": "没有",
        "validity": "不同", "quota": "另有", "questions": "不同", "steps": "不同",
    }  # fmt: skip
    assert {code: word for code, (word, _) in found.items()} == words
    assert found["conditions"][1].startswith("少：")
    (row,) = comparing.differing(TODAY).rows
    assert row.elements == dict.fromkeys(row.elements, ("420102",))
    assert set(row.elements) == set(words)


def test_a_material_asked_for_on_easier_terms_is_told_by_its_name() -> None:
    looser = materials()
    looser[1]["need"] = "optional"
    says(FIRST, materials=looser)
    assert told(FIRST)["materials"] == ("不同", f"写法不同：{looser[1]['name']}")


def test_a_flow_of_ones_own_differs_and_its_limits_do_not() -> None:
    says(
        FIRST,
        steps=[
            {"code": "review", "name": "审查", "role": "review"},
            {"code": "inspect", "name": "现场核查", "role": "review", "after": ["review"]},
            {"code": "decide", "name": "决定", "role": "decide", "after": ["inspect"]},
        ],
    )
    says(SECOND, promised=days(8))  # the same flow, cut shorter
    assert told(FIRST) == {"steps": ("不同", "多：现场核查")}
    assert set(told(SECOND)) == {"promised"}
    (row,) = comparing.differing(TODAY).rows
    assert row.elements == {"promised": ("420103",), "steps": ("420102",)}


def test_where_a_limit_comes_from_and_words_equal_to_the_list_make_no_difference() -> None:
    listed = ItemVersion.objects.get(item__code=f"C.{INTAKE}")
    says(FIRST, promised={**listed.own["promised"], "basis": "区政府文件"})
    says(SECOND, conditions=listed.own["conditions"], post=True)
    assert side().differing == ()
    assert comparing.differing(TODAY).total == 0


def test_an_item_on_no_list_is_held_against_the_citys_own_implementation() -> None:
    services.publish_all([own("QT9001-1", "420100"), own("QT9001-2", "420102", 8)], by=None, at=AT)
    found = side("QT9001")
    assert (found.listed, found.reference.code) == (False, "QT9001-1")
    assert [one.code for one in found.differing] == ["QT9001-2"]
    assert found.absent == ("望江区",)
    (row,) = comparing.differing(TODAY).rows
    assert row.elements == {"promised": ("420102",)}


def own(code: str, region: str, promised: int = 10, *, base: str = "QT9001") -> Release:
    content = {
        "name": "取水工程停用备案", "type": "其他行政权力", "basis": "某条例 第九条",
        "kind": "promised", "promised": days(promised), "materials": [],
    }  # fmt: skip
    return Release(
        code=code, base=base, level=Level.IMPLEMENTATION, region=region,
        agency=f"{region}-water", own=content, since=SINCE,
    )  # fmt: skip


def test_what_does_not_stand_under_the_list_is_held_against_it_whole() -> None:
    alone = own(f"{INTAKE}-9", "420103", base=INTAKE)
    said = place_whole(FIRST) | {"promised": days(25)}
    (outcome,) = services.publish_all([replace(alone, own=said)], by=None, at=AT)
    assert not outcome.faults
    assert told(f"{INTAKE}-9")["promised"] == ("更长", "")
    assert comparing.differing(TODAY).rows[0].elements["promised"] == ("420103",)


def place_whole(code: str) -> dict[str, Any]:
    """Everything that holds in a place, as if it said all of it itself."""
    row = queries.in_force(code, TODAY)
    assert row is not None
    return dict(row.whole)


def test_the_whole_city_agrees_with_every_item_side_by_side() -> None:
    chance = random.Random(20260914)
    wholes = {one.code: one for one in side().places}
    choices: list[dict[str, Any]] = [
        {"promised": days(value)} for value in (3, 9, 14)
    ] + [{"materials": fewer()}, {"channels": ["1", "3"]}, {"visits": 0}, {"note": "本区说明"}]  # fmt: skip
    for month in range(2, 9):
        batch = [
            release(code, since=date(2026, month, 1), **chance.choice(choices))
            for code in sorted(wholes)
            if chance.random() < 0.7
        ]
        services.publish_all(batch, by=None, at=AT)
        on = date(2026, month, 2)
        expected: dict[str, set[str]] = {}
        for one in side(on=on).places:
            for cell in one.differing:
                expected.setdefault(cell.code, set()).add(one.region)
        rows = comparing.differing(on).rows
        assert {code: set(regions) for row in rows for code, regions in row.elements.items()} == (
            expected
        )


def test_the_list_of_differences_is_asked_by_element_department_region_and_name() -> None:
    says(SECOND, promised=days(15), materials=fewer())
    says("XK0037-420102", channels=["1", "2"])
    whole = comparing.differing(TODAY)
    assert [row.base for row in whole.rows] == [INTAKE, "XK0037"]  # the most first
    assert [(one.code, count) for one, count in whole.counts] == [
        ("promised", 1), ("materials", 1), ("channels", 1),
    ]  # fmt: skip
    asked: list[tuple[dict[str, str], int]] = [
        ({"element": "materials"}, 1), ({"element": "fees"}, 0), ({"agency": WATER}, 2),
        ({"agency": MARKET}, 0), ({"region": "420102"}, 1), ({"q": "取水"}, 1),
        ({"q": "xk0037"}, 1), ({"region": "420102", "element": "promised"}, 0),
    ]  # fmt: skip
    for question, total in asked:
        assert comparing.differing(TODAY, **question).total == total, question  # type: ignore[arg-type]
    second = comparing.differing(TODAY, page=9, size=1)
    assert (second.page, second.pages, second.rows[0].base) == (2, 2, "XK0037")


def test_another_page_costs_two_queries_and_a_publication_is_seen_at_once() -> None:
    says(SECOND, promised=days(15))
    assert comparing.differing(TODAY).total == 1
    with CaptureQueriesContext(connection) as asked:
        comparing.differing(TODAY, q="取水")
    assert len(asked) <= 2
    says("XK0037-420102", channels=["1", "2"])
    assert comparing.differing(TODAY).total == 2


def test_side_by_side_is_two_queries_however_many_places() -> None:
    with CaptureQueriesContext(connection) as asked:
        side()
    assert len(asked) == 2


def test_nothing_is_nowhere() -> None:
    assert comparing.side_by_side("XK9999", TODAY) is None
    assert comparing.side_by_side(INTAKE, date(2001, 1, 1)) is None


# --- two names, one item ----------------------------------------------------------------------------


def draft(code: str, name: str, **more: Any) -> services.Draft:
    given: dict[str, Any] = {
        "type": "行政许可", "agency": WATER, "kind": "promised", "statutory": None,
        "promised": Limit(10, basis="承诺"), "promised_is": "", "materials": ("取水申请书",),
        "result": "取水许可证", "basis": "国务院令460号 第19条(2017修订)", "fee": "无", "note": "",
        "since": SINCE,
    }  # fmt: skip
    return services.Draft(code=code, name=name, **(given | more))


def test_two_names_of_one_matter_are_paired_with_what_they_share() -> None:
    services.publish(draft("QT9101", "取水许可证核发"), by=None, at=AT)
    found = comparing.alike(TODAY)
    (row,) = [one for one in found.rows if "QT9101" in (one.a.code, one.b.code)]
    assert {row.a.code, row.b.code} == {f"C.{INTAKE}", "QT9101"}
    assert row.pair.shared.words == ("取水许可",)
    assert row.pair.shared.materials == ("取水申请书",)
    assert row.pair.shared.basis
    assert row.pair.shared.agency
    assert found.total == found.same == len(found.rows)


def test_a_phase_of_a_matter_is_a_variant_and_filters_hold() -> None:
    services.publish(draft("QT9101", "取水许可证核发"), by=None, at=AT)
    services.publish(draft("QT9102", "取水许可（变更）"), by=None, at=AT)
    variants = comparing.alike(TODAY, variants=True)
    assert any("QT9102" in (one.a.code, one.b.code) for one in variants.rows)
    assert comparing.alike(TODAY, q="证核发").total == 1
    assert comparing.alike(TODAY, agency=MARKET, q="取水").total == 0
    assert comparing.alike(TODAY, agency=WATER, q="取水").total == 1


def test_what_is_retired_is_paired_with_nothing() -> None:
    services.publish(draft("QT9101", "取水许可证核发"), by=None, at=AT)
    assert comparing.alike(TODAY, q="QT9101").total == 1
    gone = draft(
        "QT9101", "取水许可证核发", since=date(2026, 5, 1), until=date(2026, 6, 1), retired=True,
        retired_on=date(2026, 6, 1),
    )  # fmt: skip
    services.publish(gone, by=None, at=AT)
    assert comparing.alike(TODAY, q="QT9101").total == 0
