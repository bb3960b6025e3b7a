"""Items that look the same under two names (同事异名), and what they share.

A name is read in three parts: brackets, words for a phase of the same matter (变更, 注销, …), and the
core that is left, which says what the matter is. Names with one core are one matter: under two base
codes they are the surest finding; with other brackets or another phase they are variants. Names
with different cores are alike by the score:

    cosine of the character pairs, weighted by their rarity among the cores,
    divided by 1 + half the number of characters that *each* has for itself

Each: the lesser of the two counts, words of form such as 许可证核发 aside. The divisor keeps 食品经营许可 and
药品经营许可 apart, where each has a word that the other lacks, and leaves 取水许可 and 取水许可证核发 together,
where one only says more. Rarity does not count in it: in a catalogue full of 食品 and 药品 these two are
not the same either. The score is a hint for a person who decides; it proves nothing.
"""

from __future__ import annotations

import heapq
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter

from zhengwu.domain import bigrams

# A phase and the ways to write it. What grants for the first time is the matter itself.
PHASES = {
    "新办": ("新办", "新增", "新建", "首次", "初次", "初领"),
    "变更": ("变更",),
    "延续": ("延续", "续期", "延期"),
    "换证": ("到期换证", "期满换证", "换证", "换发", "换领"),
    "补证": ("遗失补办", "补换证", "补办", "补证", "补发", "补领"),
    "注销": ("注销", "核销"),
    "校验": ("校验", "复查", "复审", "年检", "年审", "年度检验"),
    "设立": ("设立", "成立"),
    "筹设": ("筹设", "筹备", "筹建"),
    "终止": ("终止", "解除", "撤销"),
    "停业": ("停业",),
    "歇业": ("歇业",),
    "恢复": ("恢复",),
    "转让": ("转让",),
    "转移": ("转移", "迁移", "过户"),
    "转入": ("转入",),
    "转出": ("转出",),
    "查询": ("查询",),
    "咨询": ("咨询",),
    "投诉": ("投诉",),
    # Not a phase, but it turns the same words into another matter.
    "非": ("非",),
    "分公司": ("分公司",),
    "子公司": ("子公司",),
}
FIRST = "新办"
_PHASE_OF = {written: phase for phase, ways in PHASES.items() for written in ways}
_PHASE = re.compile("|".join(sorted(_PHASE_OF, key=lambda word: (-len(word), word))))
# The words of the form in which an authority answers; they do not say what the matter is.
_FORM = re.compile(
    "许可证书|许可证|资格证书|证书|审批|核准|许可|核发|备案|登记(?!表)|审核|审查|审定|认定|批准|确认|初审|核定"
    "|申请|申报|申领|办理|签发|发放|注册"
)
_FILLER = re.compile("的|进行")
_BRACKET = re.compile(r"[(\[【〔{]([^()\[\]【】〔〕{}]*)[)\]】〕}]")
# Who may decide says nothing about the matter.
_LEVEL = re.compile("(?:国家级|[省市州县区镇乡级]|权限|行使|事权|本级)+")
# A catalogue smaller than this says little about which words are common.
_FEWEST = 1000


@dataclass(frozen=True, slots=True)
class Named:
    """A row to compare. group: the base code (基本编码); rows of one group are one item, however they
    are named, so a row without a base code needs a group of its own. agency: the guiding agency.
    """

    key: str
    name: str
    group: str
    basis: str
    materials: frozenset[str]
    agency: str


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a pair: a name, and the base codes and rows that bear it."""

    name: str
    groups: tuple[str, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """What two names have in common: pieces of the name, materials, legal bases, guiding agencies."""

    words: tuple[str, ...]
    materials: tuple[str, ...]
    basis: tuple[str, ...]
    agency: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two names that look like one item, by a score up to 1; no base code is on both sides.

    variant: they differ in their brackets or in the phase, so they are hardly the same matter.
    """

    a: Side
    b: Side
    score: float
    shared: Shared
    variant: bool


@dataclass(frozen=True, slots=True)
class _Reading:
    """A name taken apart. outside: without brackets; acts: the parts that make it another matter."""

    outside: str
    core: str
    parts: tuple[str, ...]
    acts: frozenset[str]


@dataclass(slots=True)
class _Node:
    """The rows that bear one name, however it is punctuated."""

    reading: _Reading
    name: str
    rows: list[Named] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)

    def side(self, groups: Collection[str]) -> Side:
        keys = [row.key for row in self.rows if row.group in groups]
        return Side(self.name, tuple(sorted(groups)), tuple(sorted(keys)))

    def place(self) -> tuple[int, tuple[str, ...]]:
        return len(self.reading.parts), self.reading.parts


@dataclass(frozen=True, slots=True)
class _Found:
    """Two nodes not written out as a pair yet, each with the base codes that are compared."""

    score: float
    a: _Node
    b: _Node
    groups: tuple[Collection[str], Collection[str]]
    variant: bool

    def place(self) -> tuple[bool, float, str, str, list[list[str]]]:
        return (
            self.variant,
            -self.score,
            self.a.name,
            self.b.name,
            [sorted(groups) for groups in self.groups],
        )


def _letters(text: str) -> str:
    return bigrams.fold(text).replace(" ", "")


def _without_phases(text: str, phases: set[str]) -> str:
    def cut(word: re.Match[str]) -> str:
        phases.add(_PHASE_OF[word[0]])
        return "公司" if word[0].endswith("公司") else ""

    return _PHASE.sub(cut, text)


def _read(name: str) -> _Reading:
    text, inside = unicodedata.normalize("NFKC", name), []
    while found := _BRACKET.search(text):
        inside.append(_letters(found[1]))
        text = text[: found.start()] + text[found.end() :]
    outside = _letters(text)
    if not outside:  # all in brackets: then that is the name
        outside, inside = _letters(name), []
    phases: set[str] = set()
    core = _FILLER.sub("", _without_phases(outside, phases))
    if not _FORM.sub("", core):  # 停业登记: here the phase is the matter
        core = outside
    parts = sorted({*phases, *inside} - {""})
    for part in inside:
        if not _LEVEL.fullmatch(part):
            phases.add(_without_phases(part, phases))
    return _Reading(outside, core, tuple(parts), frozenset(phases - {"", FIRST}))


def _families(rows: Iterable[Named]) -> dict[str, list[_Node]]:
    """The nodes of every core, the plainest name first; rows without any letter are left out."""
    by_name: dict[str, _Node] = {}
    nodes: dict[tuple[str, tuple[str, ...]], _Node] = {}
    for row in rows:
        node = by_name.get(row.name)
        if node is None:
            reading = _read(row.name)
            node = nodes.setdefault((reading.core, reading.parts), _Node(reading, row.name))
            if (len(row.name), row.name) < (len(node.name), node.name):
                node.name, node.reading = row.name, reading  # the plainest name speaks for all
            by_name[row.name] = node
        node.rows.append(row)
        node.groups.add(row.group)
    families = defaultdict(list)
    for (core, _), node in sorted(nodes.items(), key=itemgetter(0)):
        if core:
            families[core].append(node)
    for family in families.values():
        family.sort(key=_Node.place)
    return families


def _compare(score: float, a: _Node, b: _Node, *, variant: bool) -> _Found | None:
    """The pair, with no base code on both sides; None where they bear the same ones."""
    left, right = a.groups - b.groups, b.groups - a.groups
    if not left and not right:
        return None
    return _Found(score, a, b, (left or a.groups, right or b.groups), variant)


def _within(family: Sequence[_Node]) -> Iterator[_Found | None]:
    """The same name under several base codes; and variants, each beside the plainest name."""
    for node in family:
        first, *others = sorted(node.groups)
        for other in others:
            yield _Found(1.0, node, node, ({first}, {other}), False)
    for node in family[1:]:
        yield _compare(1.0, family[0], node, variant=True)


def _between(score: float, ours: Sequence[_Node], theirs: Sequence[_Node]) -> _Found | None:
    """One pair of names speaks for two cores: of the same acts where there is one."""
    for same in (True, False):
        for a in ours:
            for b in theirs:
                if (a.reading.acts == b.reading.acts) == same:
                    found = _compare(score, a, b, variant=not same)
                    if found is not None:
                        return found
    return None


def _near(groups: Mapping[str, set[str]], *, least: float) -> Iterator[tuple[float, str, str]]:
    """The cores that are alike, with their scores.

    Two names with a cosine of `least` share that much of their weight; so they share one of the
    rarest pairs, and only names that do are compared. Common pairs count in the score alone. Exact:
    nothing with the score is missed (AllPairs, Bayardo 2007). Weights are whole numbers, so that
    sums do not depend on the order of a set.
    """
    pairs = {core: frozenset(bigrams.pairs(core)) for core in groups}
    held = Counter(chain.from_iterable(pairs.values()))
    of = max(len(pairs), _FEWEST)
    weights = {pair: round(1000 * math.log(1 + of / n) ** 2) for pair, n in held.items()}
    norms = {core: sum(map(weights.__getitem__, own)) for core, own in pairs.items()}
    letters = {core: frozenset(_FORM.sub("", core)) for core in groups}
    only = {core: next(iter(found)) if len(found) == 1 else None for core, found in groups.items()}
    rarest = {pair: place for place, pair in enumerate(sorted(held, key=lambda p: (held[p], p)))}
    index: dict[str, list[str]] = defaultdict(list)
    for core in sorted(groups, key=lambda core: (norms[core], core)):
        own, norm, group = pairs[core], norms[core], only[core]
        lightest = least * least * norm
        candidates: set[str] = set()
        rest = norm
        for pair in sorted(own, key=rarest.__getitem__):
            if rest < lightest:  # what is left is too little, whatever the other name is
                break
            candidates.update(index[pair])
            if rest >= least * norm:  # ... and where the other is the heavier one
                index[pair].append(core)
            rest -= weights[pair]
        for other in candidates:
            if norms[other] < lightest or (group is not None and group == only[other]):
                continue
            both = own & pairs[other]
            cosine = sum(map(weights.__getitem__, both)) / math.sqrt(norm * norms[other])
            if cosine < least:
                continue
            told = set("".join(both))
            own_words = min(len(letters[core] - told), len(letters[other] - told))
            score = round(cosine / (1 + own_words / 2), 4)
            if score >= least:
                yield score, min(core, other), max(core, other)


def _pieces(a: str, b: str) -> tuple[str, ...]:
    """The longest pieces of a, two characters or more, that stand in b as well, from left to right."""
    found, start = [], 0
    while start < len(a) - 1:
        end = start + 2
        while end <= len(a) and a[start:end] in b:
            end += 1
        end -= 1
        if end - start > 1:
            found.append(a[start:end])
        start = max(end, start + 1)
    return tuple(dict.fromkeys(found))


def _shared(found: _Found) -> Shared:
    a = [row for row in found.a.rows if row.group in found.groups[0]]
    b = [row for row in found.b.rows if row.group in found.groups[1]]

    def both(of: Callable[[Named], Iterable[str]]) -> tuple[str, ...]:
        ours = {value.strip() for row in a for value in of(row)}
        theirs = {value.strip() for row in b for value in of(row)}
        return tuple(sorted((ours & theirs) - {""}))

    return Shared(
        words=_pieces(found.a.reading.outside, found.b.reading.outside),
        materials=both(lambda row: row.materials),
        basis=both(lambda row: (row.basis,)),
        agency=both(lambda row: (row.agency,)),
    )


def _written(found: _Found) -> Pair:
    a, b = found.a.side(found.groups[0]), found.b.side(found.groups[1])
    return Pair(a, b, found.score, _shared(found), found.variant)


def alike(rows: Iterable[Named], *, least: float = 0.6, most: int = 200) -> tuple[Pair, ...]:
    """The pairs of names that look like one item, the surest first, variants after all others.

    Rows of one group are never paired. The order does not depend on that of the rows.
    """
    families = _families(rows)
    groups = {
        core: set[str]().union(*(node.groups for node in family))
        for core, family in families.items()
    }
    found = [pair for family in families.values() for pair in _within(family)]
    for score, a, b in _near(groups, least=least):
        found.append(_between(score, families[a], families[b]))
    first = heapq.nsmallest(most, (pair for pair in found if pair), key=_Found.place)
    return tuple(map(_written, first))
