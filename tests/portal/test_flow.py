"""The picture of a flow and its list say the same, whatever the graph."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhengwu.catalog import templates
from zhengwu.domain.procedure import Limit, Step
from zhengwu.portal.items import flow

SVG = "{http://www.w3.org/2000/svg}"


def nodes(
    steps: list[Step], kind: str = "promised", type_: str = "行政许可"
) -> tuple[flow.Node, ...]:
    return flow.nodes(steps, type_=type_, kind=kind)


def drawn(given: tuple[flow.Node, ...]) -> ET.Element:
    return ET.fromstring(flow.svg(given, title="办理流程图"))


@pytest.mark.parametrize("code", sorted(templates.templates()))
def test_every_standard_flow_can_be_drawn(code: str) -> None:
    made = nodes(list(templates.templates()[code].make(Limit(20))))
    picture = drawn(made)
    words = "".join(text.text or "" for text in picture.iter(f"{SVG}text"))
    for node in made:
        assert node.name in words
    assert len(list(picture.iter(f"{SVG}rect"))) == len(made)
    arrows = [one for one in picture.iter(f"{SVG}path") if one.get("marker-end")]
    assert len(arrows) == sum(len(node.after) for node in made)


def test_what_can_be_done_at_the_same_time_stands_in_one_row() -> None:
    steps = list(templates.templates()["site_and_drawings"].make(Limit(20)))
    rows = [[one.code for one in stage.nodes] for stage in flow.stages(nodes(steps))]
    assert ["drawings", "inspect"] in rows


def test_a_long_line_passes_beside_what_stands_between() -> None:
    steps = [
        Step("a", "甲", "review"), Step("b", "乙", "review", None, ("a",)),
        Step("c", "丙", "review", None, ("b",)), Step("d", "丁", "decide", None, ("c", "a")),
    ]  # fmt: skip
    made = nodes(steps)
    picture = drawn(made)
    boxes = [
        (
            float(one.get("x", 0)),
            float(one.get("y", 0)),
            float(one.get("width", 0)),
            float(one.get("height", 0)),
        )
        for one in picture.iter(f"{SVG}rect")
    ]
    for path in picture.iter(f"{SVG}path"):
        if path.get("marker-end"):
            for x, y in _corners(path.get("d", "")):
                inside = [
                    b for b in boxes if b[0] < x < b[0] + b[2] and b[1] + 1 < y < b[1] + b[3] - 1
                ]
                assert not inside
    (last,) = [stage for stage in flow.stages(made) if stage.nodes[0].code == "d"]
    assert last.waits["d"] == "“丙”、“甲”"


def _corners(path: str) -> list[tuple[float, float]]:
    """The corners of a path of M, V and H, and the middles between them."""
    x = y = 0.0
    found: list[tuple[float, float]] = []
    for letter, rest in re.findall(r"([MVH])([\d. ]+)", path):
        numbers = [float(one) for one in rest.split()]
        before = (x, y)
        if letter == "M":
            x, y = numbers
        elif letter == "V":
            y = numbers[0]
        else:
            x = numbers[0]
        if letter != "M":
            found.append(((before[0] + x) / 2, (before[1] + y) / 2))
    return found


def test_markup_in_a_name_stays_text() -> None:
    made = nodes([Step("a", '<script>"&', "review")])
    assert "<script>" not in flow.svg(made, title="<b>")
    assert drawn(made) is not None


def test_what_was_law_once_may_run_in_a_circle() -> None:
    steps = [
        Step("a", "甲", "review", None, ("b",)),
        Step("b", "乙", "decide", None, ("a", "gone")),
    ]
    assert {one.code for stage in flow.stages(nodes(steps)) for one in stage.nodes} >= {"a", "b"}
    assert drawn(nodes(steps)) is not None


@given(st.data())
def test_every_graph_is_drawn_whole(data: st.DataObject) -> None:
    many = data.draw(st.integers(1, 9))
    steps = [
        Step(
            f"s{n}",
            data.draw(st.text("环节审查abc<&", min_size=1, max_size=40)),
            data.draw(st.sampled_from(["window", "review", "decide"])),
            None,
            tuple(sorted(data.draw(st.sets(st.sampled_from([f"s{m}" for m in range(n)]), max_size=3))))
            if n
            else (),
        )
        for n in range(many)
    ]  # fmt: skip
    made = nodes(steps, kind=data.draw(st.sampled_from(["promised", "immediate", "forwarded"])))
    picture = drawn(made)
    assert len(list(picture.iter(f"{SVG}rect"))) == len(made)
    told = [one.code for stage in flow.stages(made) for one in stage.nodes]
    assert sorted(told) == sorted(one.code for one in made)
    _, _, width, height = (float(one) for one in picture.get("viewBox", "").split())
    for box in picture.iter(f"{SVG}rect"):
        assert 0 <= float(box.get("x", 0)) <= width - flow.WIDE
        assert 0 <= float(box.get("y", 0)) <= height
