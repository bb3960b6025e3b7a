"""Geometry of the pictures: round ticks, gaps, nothing, one, zero and very large; the SVG stands alone."""

from __future__ import annotations

import itertools
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from django.template import engines
from hypothesis import given
from hypothesis import strategies as st

from zhengwu.web import charts
from zhengwu.web.charts import Series


def drawn(name: str, one: Any) -> ElementTree.Element:
    macros: Any = engines["jinja2"].env.get_template("charts.html.j2").module  # type: ignore[attr-defined]
    return ElementTree.fromstring(str(getattr(macros, name)(one, "图")).strip())


@pytest.mark.parametrize(
    ("top", "said"),
    [
        (0, ("0", "1")),
        (1, ("0", "1")),
        (3, ("0", "1", "2", "3")),
        (7, ("0", "2", "4", "6", "8")),
        (100, ("0", "20", "40", "60", "80", "100")),
        (101, ("0", "50", "100", "150")),
        (1_234_567, ("0", "50 万", "100 万", "150 万")),
        (3e12, ("0", "10,000 亿", "20,000 亿", "30,000 亿")),
    ],
)
def test_an_axis_goes_in_steps_of_one_two_and_five(top: float, said: tuple[str, ...]) -> None:
    assert tuple(charts.short(one) for one in charts.ticks(top)) == said


@given(st.floats(min_value=0, max_value=1e15))
def test_an_axis_always_covers_what_it_shows_with_few_ticks(top: float) -> None:
    found = charts.ticks(top)
    assert found[0] == 0
    assert found[-1] >= top * (1 - 1e-6)
    assert 2 <= len(found) <= charts.TICKS + 2
    steps = {round(b - a, 6) for a, b in itertools.pairwise(found)}
    assert len({f"{one:.6g}" for one in steps}) == 1


def test_a_missing_value_is_a_gap_and_not_a_zero() -> None:
    one = charts.trend(("1", "2", "3", "4"), (Series("今", (1.0, None, 3.0, 4.0)),))
    path = one.lines[0].path
    assert path.count("M") == 2  # begun anew behind the gap
    assert path.count("L") == 1
    assert len(one.lines[0].points) == 3
    assert "最少 1 件（1）" in one.told


def test_nothing_one_point_and_zeros_are_drawn_too() -> None:
    nothing = charts.trend((), (Series("今", ()),))
    assert nothing.empty
    assert nothing.told == "今没有数据"
    single = charts.trend(("1 月",), (Series("今", (5.0,)),))
    assert single.left < single.lines[0].points[0].x < single.right
    zeros = charts.trend(("1", "2"), (Series("今", (0.0, 0.0)),))
    assert {point.y for point in zeros.lines[0].points} == {zeros.bottom}
    for one in (nothing, single, zeros):
        assert drawn("trend", one).tag.endswith("svg")


@given(st.lists(st.none() | st.floats(0, 1e12), min_size=1, max_size=40))
def test_every_point_of_a_trend_lies_within_its_field(values: list[float | None]) -> None:
    labels = [str(nth) for nth in range(len(values))]
    one = charts.trend(labels, (Series("今", tuple(values)), Series("昨", tuple(values), True)))
    for line in one.lines:
        for point in line.points:
            assert one.left - 0.1 <= point.x <= one.right + 0.1
            assert one.top - 0.1 <= point.y <= one.bottom + 0.1
    names = [line.label.y for line in one.lines if line.label]
    assert len(names) < 2 or abs(names[0] - names[1]) >= 14.9
    places = [tick.at for tick in one.columns]
    assert places == sorted(places)


@given(st.lists(st.floats(-5, 1e9), max_size=8))
def test_parts_fill_the_bar_and_no_more(amounts: list[float]) -> None:
    one = charts.share([(f"部分{nth}", amount) for nth, amount in enumerate(amounts)])
    if one.empty:
        assert one.told == "没有数据"
        return
    assert sum(part.share for part in one.parts) == pytest.approx(1)
    assert sum(part.width for part in one.parts) == pytest.approx(one.width, abs=0.1)
    assert all(part.amount > 0 for part in one.parts)


@given(
    st.dictionaries(st.integers(0, 4000), st.integers(1, 10**6), min_size=1, max_size=60),
    st.integers(0, 4000),
)
def test_a_distribution_loses_no_case_and_has_few_columns(
    counts: dict[int, int], mark: int
) -> None:
    one = charts.distribution(sorted(counts.items()), (("P50", mark), ("P90", None)))
    assert sum(column.count for column in one.bins) == sum(counts.values())
    assert len(one.bins) <= charts.BINS + 2
    assert len(one.marks) == 1
    assert all(one.top - 0.2 <= column.y <= one.bottom for column in one.bins)
    assert all(column.last is not None for column in one.bins[:-1])


def test_half_and_nine_tenths_stand_at_their_days() -> None:
    one = charts.distribution([(0, 50), (3, 40), (9, 10)], (("P50", 0), ("P90", 3)))
    assert [mark.text for mark in one.marks] == ["P50：0 个工作日", "P90：3 个工作日"]
    by_day = {column.first: column for column in one.bins}
    for mark, day in zip(one.marks, (0, 3), strict=True):
        column = by_day[day]
        assert column.x <= mark.x <= column.x + column.width
    assert charts.distribution([]).empty


def test_a_matrix_puts_the_most_first_and_adds_up() -> None:
    cells = {
        ("水务", "市监"): charts.Cell(9.0, 0),
        ("市监", "水务"): charts.Cell(1.0, 0),
        ("市监", "窗口"): charts.Cell(4.0, 0),
    }
    one = charts.heat(cells)
    assert [row.name for row in one.rows] == ["市监", "水务"]
    assert [name for _, name in one.columns] == ["市监", "水务", "窗口"]
    assert one.total == 14 == sum(one.sums) == sum(row.total for row in one.rows)
    assert one.rows[1].cells[0].level == charts.LEVELS
    assert one.rows[0].cells[0].value is None
    assert not one.numbered


def test_a_large_matrix_keeps_its_sums_and_gathers_the_rest_in_one_line() -> None:
    cells = {
        (f"机关{a}", f"机关{b}"): charts.Cell(float(a * b), count=1, href=f"/{a}/{b}")
        for a in range(1, 31)
        for b in range(1, 31)
    }
    one = charts.heat(cells, most=10)
    assert len(one.rows) == len(one.columns) == 11
    assert one.rows[-1].name == "其余 20 个"
    assert one.total == sum(cell.value or 0 for cell in cells.values())
    assert sum(cell.count for row in one.rows for cell in row.cells) == len(cells)
    assert one.numbered
    assert [row.nth for row in one.rows] == [nth for nth, _ in one.columns]
    assert one.rows[0].cells[0].href == "/30/30"
    assert one.rows[-1].cells[-1].href == ""  # a sum of several pairs is no one pair's cases


def test_every_district_has_a_tile_of_its_own_and_others_stand_below() -> None:
    assert len(charts.DISTRICTS) == 15
    assert len(set(charts.DISTRICTS.values())) == 15
    values = {code: (f"区{code}", float(nth), "") for nth, code in enumerate(charts.DISTRICTS)}
    one = charts.tiles(values | {"420100": ("市本级", 99.0, "/x"), "": ("没有说明", None, "")})
    assert len({(tile.x, tile.y) for tile in one.tiles}) == 17
    assert one.told.startswith("市本级 99 件")
    city = next(tile for tile in one.tiles if tile.code == "420100")
    assert city.y > max(tile.y for tile in one.tiles if tile.code in charts.DISTRICTS)
    assert city.level == charts.LEVELS
    texts = "".join(drawn("tiles", one).itertext())
    assert "市本级" in texts
    assert "没有数据" in texts


def test_ranking_bars_carry_their_numbers_and_links() -> None:
    one = charts.bars([("甲" * 20, 5.0, "/a?b=1&c=2"), ("乙", None, ""), ("丙", 0.0, "")])
    svg = drawn("bars", one)
    assert [bar.text for bar in one.bars] == ["5 件", "没有数据", "0 件"]
    assert one.bars[0].name.endswith("…")
    assert all(bar.width >= 0 for bar in one.bars)
    links = [found.get("href") for found in svg.iter("{http://www.w3.org/2000/svg}a")]
    assert links == ["/a?b=1&c=2"]
    assert svg.get("role") == "group"  # an image could hold no link


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("trend", charts.trend(("1", "2"), (Series("今", (1.0, 2.0)), Series("昨", (2.0, 1.0), True)))),
        ("share", charts.share([("在窗口", 3.0), ("在部门", 5.0)])),
        ("bars", charts.bars([("甲", 3.0, "")])),
        ("distribution", charts.distribution([(1, 2)], (("P50", 1), ("P90", 1)))),
        ("tiles", charts.tiles({"420102": ("临江区", 3.0, "")})),
    ],
)  # fmt: skip
def test_a_picture_says_itself_in_words_and_brings_no_style_or_script(name: str, one: Any) -> None:
    svg = drawn(name, one)
    assert svg.get("role") == "img"
    children = [child.tag.rpartition("}")[2] for child in svg]
    assert children[:2] == ["title", "desc"]
    assert one.told in (svg.get("aria-label") or "")
    text = ElementTree.tostring(svg, encoding="unicode")
    assert not re.search(r"style=|<script|on\w+=|href=\"#", text)
