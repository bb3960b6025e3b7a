"""The directly-follows graph as a picture (流程图): layers from top to bottom, drawn as SVG.

Activities stand in the order in which they come in a case; an edge that leads back is drawn upwards.
A line is the thicker the more often it was gone; one with departures is dashed and says how many, so
that nothing is told by colour alone. Colours stand in attributes: the page's policy lets them through
and they print. The layering is Sugiyama's: ranks, places for long edges, barycentres.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from itertools import pairwise
from math import sqrt

from markupsafe import Markup

from zhengwu.domain.process import Edge, Node, Picture, edge_key

START, END = "\x00start", "\x00end"
# Sizes in CSS pixels.
WIDE, ACROSS, PASSING, DOWN, MARGIN = 168, 30, 46, 62, 12
LETTER, SMALL, LINE = 14.5, 12.5, 19
A_LINE = 11  # Han letters of LETTER in one box
SWEEPS = 10
SHARE = 20  # beginnings and ends of a twentieth of the cases are drawn
INK, LINE_INK, LEFT_INK = "#1b2330", "#4a5868", "#9c1219"
# How much of a picture is drawn: activities, and edges beside the main ones.
LEVELS: Mapping[str, tuple[str, int, int]] = {
    "few": ("主干", 8, 4),
    "some": ("常见", 12, 6),
    "many": ("细节", 30, 25),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture and what of the graph is in it."""

    svg: Markup
    nodes: int
    edges: int
    all_nodes: int
    all_edges: int

    @property
    def whole(self) -> bool:
        return (self.nodes, self.edges) == (self.all_nodes, self.all_edges)


@dataclass(frozen=True, slots=True)
class Link:
    """An edge of the picture, with the beginnings and ends of cases among them."""

    source: str
    target: str
    count: int
    departing: int = 0
    median: timedelta | None = None


@dataclass(slots=True)
class Slot:
    """A place in a layer: a box, or where a line passes by. above, below: its neighbours, with how
    often the way between them was gone.
    """

    name: str
    box: bool
    x: float = 0.0
    above: list[tuple[Slot, int]] = field(default_factory=list)
    below: list[tuple[Slot, int]] = field(default_factory=list)

    @property
    def wide(self) -> int:
        return WIDE + ACROSS if self.box else PASSING


def short(length: timedelta | None) -> str:
    """2.3 天, 5.2 小时, 12 分: for little room; days of 24 hours."""
    if length is None:
        return "—"
    minutes = length / timedelta(minutes=1)
    if minutes >= 2_880:
        return f"{minutes / 1_440:,.1f} 天"
    return f"{minutes / 60:.1f} 小时" if minutes >= 60 else f"{minutes:.0f} 分"


def draw(picture: Picture, level: str) -> Drawn:
    """The most frequent activities of a picture with the main edges between them."""
    _, most, more = LEVELS[level]
    nodes = picture.nodes[:most]
    edges = _main([one for one in picture.edges if _between(one, nodes)], more)
    links = [Link(e.source, e.target, e.count, e.departing, e.lengths.median) for e in edges]
    links += [Link(START, one.activity, one.starts) for one in nodes if one.starts]
    links += [Link(one.activity, END, one.ends) for one in nodes if one.ends]
    return Drawn(
        svg=_svg(nodes, _few(links, picture.cases)),
        nodes=len(nodes),
        edges=len(edges),
        all_nodes=len(picture.nodes),
        all_edges=len(picture.edges),
    )


def _between(edge: Edge, nodes: Sequence[Node]) -> bool:
    shown = {one.activity for one in nodes}
    return edge.source in shown and edge.target in shown


def _main(edges: Sequence[Edge], more: int) -> list[Edge]:
    """The strongest edge into and out of each activity, and the strongest others."""
    best: dict[tuple[str, str], Edge] = {}
    for edge in edges:  # the most frequent first
        if edge.source != edge.target:
            best.setdefault(("out", edge.source), edge)
            best.setdefault(("in", edge.target), edge)
    kept = {edge.key for edge in best.values()}
    others = [edge for edge in edges if edge.key not in kept][:more]
    kept |= {edge.key for edge in others}
    return [edge for edge in edges if edge.key in kept]


def _few(links: Sequence[Link], cases: int) -> list[Link]:
    """Without beginnings and ends that next to no case has."""
    ends = [one for one in links if one.source == START or one.target == END]
    most = {
        kind: max((one.count for one in ends if kind in (one.source, one.target)), default=0)
        for kind in (START, END)
    }
    return [
        one for one in links
        if one not in ends or one.count * SHARE >= cases
        or one.count in (most[START], most[END])
    ]  # fmt: skip


# --- layout ---------------------------------------------------------------------------------------


def _svg(nodes: Sequence[Node], links: Sequence[Link]) -> Markup:
    order = [START, *(n.activity for n in sorted(nodes, key=lambda n: (n.place, -n.count))), END]
    rank = {name: place for place, name in enumerate(order)}
    layers, routes = _layers(order, rank, [one for one in links if one.source != one.target])
    _arrange(layers)
    by_name = {one.activity: one for one in nodes}
    heights = [max((_height(by_name.get(s.name), s) for s in row), default=0.0) for row in layers]
    tops, at = [], float(MARGIN)
    for high in heights:
        tops.append(at)
        at += high + DOWN
    height = at - DOWN + MARGIN
    width = max(slot.x + slot.wide / 2 for row in layers for slot in row) + MARGIN
    loops = [one for one in links if one.source == one.target]
    if loops:
        width += 70
    places = {slot.name: (n, slot) for n, row in enumerate(layers) for slot in row}
    most = max((one.count for one in links), default=1)
    canvas = _Canvas(by_name, places, tops, heights, most)
    for slot_row in layers:
        for slot in slot_row:
            if slot.box:
                canvas.keep_free(slot)
    lines = [canvas.line(link, routes[link]) for link in sorted(routes, key=lambda one: -one.count)]
    lines += [canvas.loop(link) for link in loops]
    boxes = [canvas.box(slot) for row in layers for slot in row if slot.box]
    labels = f'<g aria-hidden="true">{"".join(canvas.labels)}</g>'  # over every line
    arrows = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse"'
        f' markerWidth="15" markerHeight="15" orient="auto"><path d="M0 0 8 4 0 8z" fill="{ink}"/>'
        "</marker>"
        for name, ink in (("pm-arrow", LINE_INK), ("pm-left", LEFT_INK))
    )
    return Markup(  # noqa: S704 - every text in it went through escape()
        f'<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-labelledby="pm-title"'
        f' viewBox="0 0 {width:g} {height:g}" width="{width / 16:.1f}rem">'
        '<title id="pm-title">实际流程图：方框是活动，箭头是先后，数字是次数和用时的中位数；'
        "下面的表格是同样的内容</title>"
        f"<defs>{arrows}</defs>{''.join(lines)}{''.join(boxes)}{labels}</svg>"
    )


Route = list[Slot]


def _layers(
    order: Sequence[str], rank: Mapping[str, int], links: Sequence[Link]
) -> tuple[list[list[Slot]], dict[Link, Route]]:
    """Boxes by the longest way down to them, and the places that each line passes."""
    depth = dict.fromkeys(order, 0)
    for name in order:  # by rank, so that what leads here is known
        for one in links:
            low, high = _ends(one, rank)
            if low == name:
                depth[high] = max(depth[high], depth[name] + 1)
    depth[END] = max(depth[END], 1 + max((d for n, d in depth.items() if n != END), default=0))
    layers: list[list[Slot]] = [[] for _ in range(max(depth.values()) + 1)]
    slots = {name: Slot(name, box=True) for name in order}
    for name in order:
        layers[depth[name]].append(slots[name])
    routes: dict[Link, Route] = {}
    for one in sorted(links, key=lambda each: -each.count):
        low, high = _ends(one, rank)
        route = [slots[low]]
        for passed in range(depth[low] + 1, depth[high]):
            slot = Slot(f"{one.source}\x01{one.target}\x01{passed}", box=False)
            layers[passed].append(slot)
            route.append(slot)
        route.append(slots[high])
        for upper, lower in pairwise(route):
            upper.below.append((lower, one.count))
            lower.above.append((upper, one.count))
        routes[one] = route if low == one.source else route[::-1]
    return [row for row in layers if row], routes


def _ends(one: Link, rank: Mapping[str, int]) -> tuple[str, str]:
    """The upper and the lower end of an edge, whichever way it leads."""
    upwards = rank[one.source] > rank[one.target]
    return (one.target, one.source) if upwards else (one.source, one.target)


def _arrange(layers: Sequence[list[Slot]]) -> None:
    """Few crossings (barycentres of the neighbours), then the most gone ways as straight as can be."""
    for row in layers:
        _place(row, [0.0] * len(row))
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        for row in layers if down else layers[::-1]:
            if sweep < SWEEPS:
                row.sort(key=lambda slot: _middle(slot.above if down else slot.below, slot.x))
            if sweep < 2 * SWEEPS - 2:
                _place(row, [_middle(s.above if down else s.below, s.x) for s in row])
            else:
                _place(row, [_middle([*s.above, *s.below], s.x) for s in row])
    least = min(slot.x - slot.wide / 2 for row in layers for slot in row)
    for row in layers:
        for slot in row:
            slot.x += MARGIN - least


def _middle(slots: Sequence[tuple[Slot, int]], otherwise: float) -> float:
    """Where the neighbours are; those weigh more whose way was gone more often."""
    total = sum(count for _, count in slots)
    return sum(slot.x * count for slot, count in slots) / total if total else otherwise


def _place(row: Sequence[Slot], wanted: Sequence[float]) -> None:
    """As near as can be to where they are wanted, in their order and without overlapping: the least
    weighted squares, by pooling adjacent violators.
    """
    gaps = [0.0]
    for before, after in pairwise(row):
        gaps.append(gaps[-1] + (before.wide + after.wide) / 2)
    pools: list[tuple[float, float, int]] = []  # where, how heavy, how many
    for slot, want, gap in zip(row, wanted, gaps, strict=True):
        here, heavy, many = want - gap, 1.0 + sum(c for _, c in (*slot.above, *slot.below)), 1
        while pools and pools[-1][0] > here:
            there, other, more = pools.pop()
            here = (here * heavy + there * other) / (heavy + other)
            heavy, many = heavy + other, many + more
        pools.append((here, heavy, many))
    places = [here for here, _, many in pools for _ in range(many)]
    for slot, here, gap in zip(row, places, gaps, strict=True):
        slot.x = here + gap


# --- drawing --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Canvas:
    """What is drawn where; taken: rectangles that no label may cover."""

    nodes: Mapping[str, Node]
    places: Mapping[str, tuple[int, Slot]]
    tops: Sequence[float]
    heights: Sequence[float]
    most: int
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def keep_free(self, slot: Slot) -> None:
        self.taken.append(self._rectangle(slot))

    def _rectangle(self, slot: Slot) -> tuple[float, float, float, float]:
        layer = self.places[slot.name][0]
        own = _height(self.nodes.get(slot.name), slot)
        y = self.tops[layer] + (self.heights[layer] - own) / 2
        wide = WIDE if slot.name in self.nodes else 64
        return slot.x - wide / 2, y, slot.x + wide / 2, y + own

    def line(self, link: Link, route: Route) -> str:
        """One edge along its route, from its source to its target."""
        upwards = self.places[link.source][0] > self.places[link.target][0]
        aside = 14.0 if upwards else 0.0
        points = [self._leave(route[0], upwards, aside)]
        for slot in route[1:-1]:
            layer = self.places[slot.name][0]
            top, bottom = self.tops[layer], self.tops[layer] + self.heights[layer]
            pair = [(slot.x + aside, top), (slot.x + aside, bottom)]
            points += pair[::-1] if upwards else pair
        points.append(self._leave(route[-1], not upwards, aside))
        path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
        curves = []
        for (x0, y0), (x1, y1) in pairwise(points):
            half = (y0 + y1) / 2
            path += f"C{x0:.1f} {half:.1f} {x1:.1f} {half:.1f} {x1:.1f} {y1:.1f}"
            curves.append(((x0, y0), (x1, y1)))
        return self._edge(link, path, self._label_at(link, curves))

    def loop(self, link: Link) -> str:
        """An activity directly after itself."""
        _, top, right, bottom = self._rectangle(self.places[link.source][1])
        low, high = top + 8, bottom - 8
        path = f"M{right:.1f} {low:.1f}c34 -10 34 {high - low + 10:.1f} 0 {high - low:.1f}"
        return self._edge(link, path, (right + 54, (low + high) / 2))

    def _leave(self, slot: Slot, top: bool, aside: float) -> tuple[float, float]:
        _, upper, _, lower = self._rectangle(slot)
        return slot.x + aside, upper if top else lower

    def _label_at(
        self, link: Link, curves: Sequence[tuple[tuple[float, float], tuple[float, float]]]
    ) -> tuple[float, float] | None:
        """The first place along the line where the label covers nothing; None: there is none."""
        wide, high = _label_size(link)
        middle = len(curves) // 2
        for (x0, y0), (x1, y1) in [*curves[middle:], *curves[:middle][::-1]]:
            for t in (0.5, 0.35, 0.65, 0.22, 0.78):
                x = x0 + (x1 - x0) * (3 * t * t - 2 * t**3)
                y = y0 + (y1 - y0) * _along(t)
                box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
                if not any(_overlap(box, other) for other in self.taken):
                    self.taken.append(box)
                    return x, y
        return None

    def _edge(self, link: Link, path: str, label: tuple[float, float] | None) -> str:
        left = link.departing > 0
        ink, arrow = (LEFT_INK, "pm-left") if left else (LINE_INK, "pm-arrow")
        dashed = ' stroke-dasharray="7 5"' if left else ""
        wide = 1.2 + 5.3 * sqrt(link.count / self.most)
        said = (
            f"{_name(link.source)} → {_name(link.target)}：{link.count:,} 次"
            + (f"，中位数 {short(link.median)}" if link.median is not None else "")
            + (f"，其中偏离 {link.departing:,} 次" if left else "")
        )
        drawn = (
            f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="{wide:.3g}"{dashed}'
            f' marker-end="url(#{arrow})"/>'
        )
        if label is not None:
            self.labels.append(_words(label, _label(link), ink))
        drawn = f"<title>{escape(said)}</title>{drawn}"
        if link.source == START or link.target == END:
            return f"<g>{drawn}</g>"
        anchor = edge_key(link.source, link.target)
        return f'<a href="#e-{anchor}" aria-label="{escape(said)}">{drawn}</a>'

    def box(self, slot: Slot) -> str:
        left, top, right, bottom = self._rectangle(slot)
        node = self.nodes.get(slot.name)
        frame = (
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}"'
            f' height="{bottom - top:.1f}"'
        )
        if node is None:
            return (
                f'{frame} rx="{(bottom - top) / 2:.3g}" fill="#e7ebf1" stroke="#4a5868"/>'
                + _text(_name(slot.name), slot.x, (top + bottom) / 2 + 4.5, SMALL, INK)
            )
        dashed = ' stroke-dasharray="6 4"' if node.departing else ""
        ink = LEFT_INK if node.departing else "#0f56b3"
        parts = [f'{frame} rx="6" fill="#edf3fb" stroke="{ink}" stroke-width="1.5"{dashed}/>']
        at = top + 20
        for line in _cut(node.label or node.activity):
            parts.append(_text(line, slot.x, at, LETTER, INK, bold=True))
            at += LINE
        for line in _small(node):
            parts.append(_text(line, slot.x, at - 1, SMALL, "#3c4756"))
            at += 16
        # Its name to a screen reader is what is written in it.
        return f'<a href="#n-{edge_key(node.activity, "")}">{"".join(parts)}</a>'


def _along(t: float) -> float:
    """How far down a curve is whose controls lie halfway: Bézier 0, ½, ½, 1."""
    return 1.5 * t * (1 - t) + t**3


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _name(name: str) -> str:
    return {START: "开始", END: "结束"}.get(name, name)


def _label(link: Link) -> list[str]:
    said = f"{link.count:,}"
    if link.median is not None:
        said += f" · {short(link.median)}"
    return [said, f"偏离 {link.departing:,}"] if link.departing else [said]


def _label_size(link: Link) -> tuple[float, float]:
    lines = _label(link)
    return max(map(_room, lines)) * SMALL + 8, 16.0 * len(lines) + 2


def _room(text: str) -> float:
    return sum(0.56 if letter.isascii() else 1.0 for letter in text)


def _words(at: tuple[float, float], lines: Sequence[str], ink: str) -> str:
    """A label on the line, on ground of its own."""
    x, y = at
    wide, high = max(map(_room, lines)) * SMALL + 6, 16.0 * len(lines)
    first = y - (len(lines) - 1) * 8 + 4.5
    ground = (
        f'<rect fill="#fff" fill-opacity="0.9" rx="3" x="{x - wide / 2:.1f}"'
        f' y="{y - high / 2:.1f}" width="{wide:.1f}" height="{high:.1f}"/>'
    )
    return ground + "".join(
        _text(line, x, first + 16 * n, SMALL, ink) for n, line in enumerate(lines)
    )


def _cut(name: str) -> list[str]:
    """A name in at most three lines of a box, cut between words where there are any."""
    lines, line = [], ""
    for word in re.findall(r"[\x21-\x7e]+ ?|.", name):
        for piece in [word] if _room(word) <= A_LINE else list(word):
            if line and _room(line + piece.rstrip()) > A_LINE:
                lines.append(line.rstrip())
                line = ""
            line += piece
    lines.append(line.rstrip())
    return lines if len(lines) <= 3 else [*lines[:2], lines[2][:-1] + "…"]


def _small(node: Node) -> list[str]:
    said = f"{node.count:,} 次 · {node.cases:,} 件"
    return [said, f"偏离 {node.departing:,} 次"] if node.departing else [said]


def _height(node: Node | None, slot: Slot) -> float:
    if not slot.box:
        return 0.0
    if node is None:
        return 26.0
    return 13 + LINE * len(_cut(node.label or node.activity)) + 16 * len(_small(node))


def _text(words: str, x: float, y: float, size: float, fill: str, *, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="middle" fill="{fill}"'
        f"{weight}>{escape(words)}</text>"
    )


__all__ = ["LEVELS", "Drawn", "draw", "short"]
