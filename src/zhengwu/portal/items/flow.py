"""The flow of an item as a picture and as a list (办理流程图): drawn from the graph of its steps.

Steps that may be taken at the same time stand beside each other. The picture carries its colours in
attributes and nothing in a style, so that the page's policy lets it through and it prints as it is;
the same text, with a font named, goes into the PDF.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from zhengwu.domain.guide import LICENCE, ROLES_ZH
from zhengwu.domain.procedure import Step

APPLY, RECEIVE, ABOVE, DELIVER = "^apply", "^receive", "^above", "^deliver"
# Sizes in CSS pixels, the letters of the page's own size.
WIDE, ACROSS, DOWN = 150, 22, 34  # a box, the gap beside it, the gap below it
LETTER, SMALL, LINE = 15, 12.5, 20
MARGIN = 6
A_LINE = 9  # Han letters of LETTER in one box
INK, LINE_INK = "#1b2330", "#566273"
# who → what fills a box and what surrounds it; the words in it say the same.
TONES: Mapping[str, tuple[str, str]] = {
    "applicant": ("#fff8e6", "#8a5200"),
    "window": ("#edf3fb", "#0f56b3"),
    "review": ("#ffffff", "#0b428c"),
    "decide": ("#d9e6f7", "#082f66"),
    "above": ("#f4f6f9", "#414c5a"),
}
WHO_ZH = {**ROLES_ZH, "applicant": "申请人", "above": "上级机关"}


@dataclass(frozen=True, slots=True)
class Node:
    """A step as the public sees it. who: window | review | decide | applicant | above."""

    code: str
    name: str
    who: str
    limit: str
    after: tuple[str, ...] = ()

    @property
    def who_zh(self) -> str:
        return WHO_ZH.get(self.who, self.who)


@dataclass(frozen=True, slots=True)
class Stage:
    """What can be done at the same time. waits: node → what it waits for, where that is not plain."""

    nodes: tuple[Node, ...]
    waits: Mapping[str, str]


def nodes(steps: Sequence[Step], *, type_: str, kind: str) -> tuple[Node, ...]:
    """The steps between the application and the delivery, in their order."""
    first = Node(APPLY, "申请", "applicant", "")
    if kind == "immediate":
        before, made = APPLY, [first]
    else:
        before = RECEIVE
        made = [first, Node(RECEIVE, "收件、受理", "window", "当场或者 5 个工作日内", (APPLY,))]
    known = {one.code for one in steps}
    for one in steps:
        after = tuple(dict.fromkeys(code for code in one.after if code in known)) or (before,)
        limit = one.limit.words() if one.limit else ""
        made.append(Node(one.code, one.name, one.role, limit, after))
    ends = _ends(made)
    if kind == "forwarded":
        made.append(Node(ABOVE, "上级机关决定", "above", "", ends))
        ends = (ABOVE,)
    limit = "10 个工作日内" if type_ == LICENCE and kind != "immediate" else ""
    made.append(Node(DELIVER, "送达、领取结果", "window", limit, ends))
    return tuple(made)


def _ends(made: Sequence[Node]) -> tuple[str, ...]:
    waited_for = {code for one in made for code in one.after}
    return tuple(one.code for one in made if one.code not in waited_for) or (made[-1].code,)


def stages(given: Sequence[Node]) -> tuple[Stage, ...]:
    """The nodes by how many must be done before them."""
    rows = _rows(given)
    names = {one.code: one.name for one in given}
    made = []
    for number, row in enumerate(rows):
        before = {one.code for one in rows[number - 1]} if number else set()
        waits = {
            one.code: "、".join(f"“{names[code]}”" for code in one.after)
            for one in row
            if len(one.after) > 1 or (set(one.after) != before and number > 1)
        }
        made.append(Stage(tuple(row), waits))
    return tuple(made)


def _rows(given: Sequence[Node]) -> list[list[Node]]:
    by_code = {one.code: one for one in given}
    depths: dict[str, int] = {}

    def depth(code: str, path: frozenset[str]) -> int:
        # What was law once is kept as it was, circles included; a circle is cut where it closes.
        if code not in depths:
            before = [c for c in by_code[code].after if c in by_code and c not in path]
            depths[code] = max((depth(c, path | {code}) + 1 for c in before), default=0)
        return depths[code]

    for one in given:
        depth(one.code, frozenset({one.code}))
    rows: list[list[Node]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for one in given:
        rows[depths[one.code]].append(one)
    return [row for row in rows if row]


# --- the picture ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Slot:
    """A place in a row: a box, or where a line passes by on its way further down."""

    code: str
    node: Node | None
    before: list[str]
    x: float = 0.0


def svg(given: Sequence[Node], *, title: str, font: str = "") -> str:
    """The picture as SVG text. font: for where no page says which one."""
    rows = _slots(given)
    width = across(given)
    tops, heights = _heights(rows)
    height = tops[-1] + heights[-1] + MARGIN
    places = {slot.code: (number, slot) for number, row in enumerate(rows) for slot in row}
    for row in rows:
        left = (width - len(row) * (WIDE + ACROSS) + ACROSS) / 2
        for number, slot in enumerate(row):
            slot.x = left + number * (WIDE + ACROSS) + WIDE / 2
    drawn = [
        _edge(places, slot, code, tops, heights)
        for row in rows
        for slot in row
        if slot.node is not None
        for code in slot.before
    ]
    drawn += [
        _box(slot.node, slot.x, tops[number], heights[number])
        for number, row in enumerate(rows)
        for slot in row
        if slot.node is not None
    ]
    named = f' font-family="{font}"' if font else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="flow-picture"'
        f' viewBox="0 0 {width:g} {height:g}" width="{width / 16:g}rem"{named}>'
        f'<title id="flow-picture">{escape(title)}</title>'
        f'<defs><marker id="flow-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"'
        f' markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="{LINE_INK}"/></marker></defs>'
        f"{''.join(drawn)}</svg>"
    )


def across(given: Sequence[Node]) -> int:
    """How wide the picture is, in its pixels."""
    return max(len(row) for row in _slots(given)) * (WIDE + ACROSS) - ACROSS + 2 * MARGIN


def _slots(given: Sequence[Node]) -> list[list[_Slot]]:
    """Rows of slots; a line over several rows gets a slot in each row it passes."""
    rows = _rows(given)
    row_of = {one.code: number for number, row in enumerate(rows) for one in row}
    made: list[list[_Slot]] = [
        [_Slot(one.code, one, [c for c in one.after if row_of.get(c, 99) < number]) for one in row]
        for number, row in enumerate(rows)
    ]
    for number, row in enumerate(rows):
        for one in row:
            slot = next(each for each in made[number] if each.code == one.code)
            for position, code in enumerate(slot.before):
                last = code
                for passed in range(row_of[code] + 1, number):
                    name = f"{code}>{one.code}@{passed}"
                    made[passed].append(_Slot(name, None, [last]))
                    last = name
                slot.before[position] = last
    for number in range(1, len(made)):
        order = {slot.code: place for place, slot in enumerate(made[number - 1])}
        middle = (len(order) - 1) / 2
        made[number].sort(
            key=lambda slot: (
                sum(order.get(c, middle) for c in slot.before) / max(1, len(slot.before))
            )
        )
    return made


def _lines(name: str) -> list[str]:
    """The name cut into lines of a box; letters and digits take half the room of a Han letter."""
    lines, line, used = [], "", 0.0
    for letter in name:
        room = 0.55 if letter.isascii() else 1.0
        if used + room > A_LINE and line:
            lines.append(line)
            line, used = "", 0.0
        line += letter
        used += room
    return [*lines, line]


def _small(node: Node) -> list[str]:
    """Who and how long, in one line where there is room."""
    who, limit = node.who_zh, node.limit
    if not limit:
        return [who]
    return [f"{who} · {limit}"] if len(who) + len(limit) <= 11 else [who, limit]


def _height(node: Node) -> float:
    return 18 + LINE * len(_lines(node.name)) + 17 * len(_small(node))


def _heights(rows: Sequence[Sequence[_Slot]]) -> tuple[list[float], list[float]]:
    tops, heights, at = [], [], float(MARGIN)
    for row in rows:
        high = max(_height(slot.node) for slot in row if slot.node is not None)
        tops.append(at)
        heights.append(high)
        at += high + DOWN
    return tops, heights


def _box(node: Node, x: float, top: float, height: float) -> str:
    fill, stroke = TONES.get(node.who, TONES["review"])
    own = _height(node)
    y = top + (height - own) / 2
    parts = [
        f'<rect x="{x - WIDE / 2:g}" y="{y:g}" width="{WIDE}" height="{own:g}" rx="6"'
        f' fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>'
    ]
    at = y + 9 + LINE - 5
    for line in _lines(node.name):
        parts.append(_text(line, x, at, LETTER, INK, bold=True))
        at += LINE
    for line in _small(node):
        parts.append(_text(line, x, at - 1, SMALL, "#3c4756"))
        at += 17
    return "".join(parts)


def _text(words: str, x: float, y: float, size: float, fill: str, *, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="middle" fill="{fill}"{weight}>'
        f"{escape(words)}</text>"
    )


def _edge(
    places: Mapping[str, tuple[int, _Slot]], slot: _Slot, code: str,
    tops: Sequence[float], heights: Sequence[float],
) -> str:  # fmt: skip
    """A line from the step before, around what stands between, with its arrow at this one."""
    number, _ = places[slot.code]
    passed: list[tuple[int, _Slot]] = []
    row, at = places[code]
    while at.node is None:
        passed.insert(0, (row, at))
        row, at = places[at.before[0]]
    assert slot.node is not None
    x, y = at.x, tops[row] + (heights[row] + _height(at.node)) / 2
    path = f"M{x:g} {y:g}"
    bottom = tops[row] + heights[row]
    for between, one in passed:
        path += _turn(one.x, bottom + DOWN / 2)
        bottom = tops[between] + heights[between]
        path += f"V{bottom:g}"
    end = tops[number] + (heights[number] - _height(slot.node)) / 2
    path += _turn(slot.x, bottom + DOWN / 2) + f"V{end:g}"
    return (
        f'<path d="{path}" fill="none" stroke="{LINE_INK}" stroke-width="1.5"'
        f' marker-end="url(#flow-arrow)"/>'
    )


def _turn(x: float, y: float) -> str:
    return f"V{y:g}H{x:g}"
