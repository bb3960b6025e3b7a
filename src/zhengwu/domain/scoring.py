"""The published score (量化测评) of a department, district, window or person: 100 points and a bonus.

Nine parts whose weights add to 100, none below 0; cards, warnings in a row and incomplete reports
take points, finishing early and short promises bring some. The table (weights, deductions, bonuses,
coefficient, grades) is data with dates of force, changed through the rulebook's setting "weights".
Source: 行政审批电子监察绩效评估 and its 量化测评细则 (domain facts 4.2). Nothing here knows where a
finding is kept: the same functions serve a sheet with its findings and a ranking of sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import SCORED

KIND = "weights"  # of the rulebook's settings
WHOLE = 100
UNIT = 1000  # scores and coefficients are counted in thousandths
INCOMPLETE_PART = "oversight"  # where incomplete reports take their points
GRADES: Mapping[str, str] = {
    "excellent": "优秀", "good": "良好", "passed": "合格", "failed": "不合格",
}  # fmt: skip
CAUSES: Mapping[str, str] = {
    "yellow": "黄牌", "red": "红牌", "run": "连续预警", "incomplete": "数据不全",
    "early": "提前办结", "promise": "承诺压缩法定时限",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """Warnings in a row (连续预警): every `size` of them take `points`.

    In a row: of one unit, in one part and month, by the lawful instant, with not more than `gap`
    working days without one between a warning and the next. The source does not say what it means.
    """

    size: int = 3
    points: int = 3
    gap: int = 0


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Incomplete reports (数据不全): every full `per` per cent of the finished take `points`, to `most`."""

    per: int = 1
    points: int = 1
    most: int = 5


@dataclass(frozen=True, slots=True)
class Bonus:
    """A bonus (奖励): from `start` per cent on `points`, and `more` for every further `step`."""

    start: int
    points: int
    step: int = 10
    more: int = 1

    def of(self, percent: int) -> int:
        if percent < self.start:
            return 0
        return self.points + self.more * ((percent - self.start) // self.step)


@dataclass(frozen=True, slots=True)
class Table:
    """How is scored (测评表). grades: (code, from how many points), highest first; below all: failed.

    coefficient: 折合系数 in thousandths, of everybody; coefficients: of single units, by their key.
    least: with fewer finished cases in the whole period a unit is not ranked.
    """

    weights: Mapping[str, int] = field(default_factory=lambda: dict(WEIGHTS))
    yellow: int = 5
    red: int = 10
    run: Run = Run()
    incomplete: Incomplete = Incomplete()
    early: Bonus = Bonus(10, 1)
    promise: Bonus = Bonus(30, 3)
    coefficient: int = UNIT
    coefficients: Mapping[str, int] = field(default_factory=dict)
    grades: tuple[tuple[str, int], ...] = (("excellent", 95), ("good", 85), ("passed", 60))
    least: int = 10

    def grade(self, score: int) -> str:
        """The grade of a score in thousandths."""
        return next((code for code, start in self.grades if score >= start * UNIT), "failed")


WEIGHTS: Mapping[str, int] = {
    "openness": 10, "process": 14, "limits": 14, "fees": 8, "satisfaction": 10, "attitude": 10,
    "oversight": 14, "liability": 10, "integrity": 10,
}  # fmt: skip
SHIPPED = Table()


class Mark(NamedTuple):
    """A finding as the score sees it (计分的发现). day: of its lawful instant."""

    id: UUID
    part: str
    level: str
    day: date


class Figures(NamedTuple):
    """What is counted of a unit in a month. judged, early: finished cases that had a limit, and those
    of them decided early; incomplete: finished ones without what is needed to judge them.

    promise: by how many per cent the least shortened of all its statutory limits is shortened by its
    promise; None where there is nothing to shorten, or it is not asked (a window, a person).
    """

    finished: int = 0
    judged: int = 0
    early: int = 0
    incomplete: int = 0
    promise: int | None = None

    @property
    def early_percent(self) -> int:
        return self.early * 100 // self.judged if self.judged else 0

    @property
    def incomplete_percent(self) -> int:
        return self.incomplete * 100 // self.finished if self.finished else 0


class Line(NamedTuple):
    """One entry of a sheet (扣分、加分): why, how often, how many points each and together."""

    cause: str
    times: int
    each: int
    points: int


@dataclass(frozen=True, slots=True)
class Part:
    """One part (计分项): its weight, what it loses, what is left. sourced: something feeds it yet."""

    code: str
    weight: int
    lines: tuple[Line, ...]
    sourced: bool

    @property
    def taken(self) -> int:
        """What the entries take together, which may be more than there is."""
        return sum(one.points for one in self.lines)

    @property
    def points(self) -> int:
        return max(0, self.weight - self.taken)

    @property
    def lost(self) -> int:
        return self.weight - self.points


@dataclass(frozen=True, slots=True)
class Sheet:
    """The score of a unit in a month (得分表). score: thousandths; the parts and bonuses together,
    times the coefficient (thousandths)."""

    parts: tuple[Part, ...]
    bonuses: tuple[Line, ...]
    coefficient: int
    grade: str

    @property
    def base(self) -> int:
        return sum(one.points for one in self.parts)

    @property
    def bonus(self) -> int:
        return sum(one.points for one in self.bonuses)

    @property
    def lost(self) -> int:
        return sum(one.lost for one in self.parts if one.lines)

    @property
    def score(self) -> int:
        return (WHOLE - self.lost + self.bonus) * self.coefficient

    def times(self, cause: str) -> int:
        """How often something was counted, in all parts."""
        return sum(line.times for one in self.parts for line in one.lines if line.cause == cause)


Counts = Mapping[tuple[str, str], int]  # (part, cause: yellow | red | run) → how often


def score(
    counts: Counts, figures: Figures, table: Table = SHIPPED, *,
    sourced: Iterable[str] = (), unit: str = "",
) -> Sheet:  # fmt: skip
    """The sheet of a unit and month. sourced: the parts that some rule or figure feeds."""
    fed = frozenset(sourced)
    taking = {"yellow": table.yellow, "red": table.red, "run": table.run.points}
    lines: dict[str, list[Line]] = {}
    for (code, cause), times in sorted(counts.items(), key=_by_cause):
        if times:
            lines.setdefault(code, []).append(
                Line(cause, times, taking[cause], times * taking[cause])
            )
    if line := _incomplete(figures, table.incomplete):
        lines.setdefault(INCOMPLETE_PART, []).append(line)
    parts = tuple(
        Part(code, weight, tuple(lines[code]), sourced=True)
        if code in lines
        else _untouched(code, weight, code in fed)
        for code, weight in table.weights.items()
    )
    bonuses = tuple(
        Line(cause, percent, 0, points)
        for cause, bonus, percent in (
            ("early", table.early, figures.early_percent),
            ("promise", table.promise, figures.promise or 0),
        )
        if (points := bonus.of(percent))
    )
    lost = sum(one.lost for one in parts if one.lines)
    points = WHOLE - lost + sum(one.points for one in bonuses)
    coefficient = table.coefficients.get(unit, table.coefficient)
    return Sheet(parts, bonuses, coefficient, table.grade(points * coefficient))


def worth(counts: Counts, figures: Figures, table: Table = SHIPPED, *, unit: str = "") -> int:
    """The score of such a sheet alone (thousandths): of thousands of units that nobody looks at."""
    taking = {"yellow": table.yellow, "red": table.red, "run": table.run.points}
    taken: dict[str, int] = {}
    for (code, cause), times in counts.items():
        taken[code] = taken.get(code, 0) + times * taking[cause]
    if figures.incomplete:
        points = _incomplete_points(figures.incomplete_percent, table.incomplete)
        taken[INCOMPLETE_PART] = taken.get(INCOMPLETE_PART, 0) + points
    weights = table.weights
    lost = sum([min(points, weights.get(code, 0)) for code, points in taken.items()])
    bonus = table.early.of(figures.early_percent) + table.promise.of(figures.promise or 0)
    return (WHOLE - lost + bonus) * table.coefficients.get(unit, table.coefficient)


_CAUSES = ("yellow", "red", "run")


def _by_cause(one: tuple[tuple[str, str], int]) -> int:
    return _CAUSES.index(one[0][1])


@lru_cache(maxsize=256)
def _untouched(code: str, weight: int, sourced: bool) -> Part:
    return Part(code, weight, (), sourced)


def _incomplete(figures: Figures, rule: Incomplete) -> Line | None:
    percent = figures.incomplete_percent
    points = _incomplete_points(percent, rule)
    return Line("incomplete", percent, rule.points, points) if points else None


def _incomplete_points(percent: int, rule: Incomplete) -> int:
    return min(rule.most, percent // rule.per * rule.points)


def mean(scores: Sequence[int]) -> int | None:
    """The score of several months (半年、全年为各月平均): thousandths, half up; None without months."""
    return averaged(sum(scores), len(scores)) if scores else None


def averaged(total: int, many: int) -> int:
    """The same of scores that are added up already; many: at least one."""
    return (2 * total + many) // (2 * many)


# --- from findings to counts -------------------------------------------------------------------------


def behind(
    marks: Iterable[Mark], table: Table, *, working: Callable[[date], int]
) -> dict[tuple[str, str], tuple[Mark, ...]]:
    """The findings behind each (part, cause) of a unit and month, in the order of their days.

    working: how many working days there are up to and including a day, from any beginning. Of the
    warnings only those that make up full runs are behind one.
    """
    found: dict[tuple[str, str], list[Mark]] = {}
    warnings: dict[str, list[Mark]] = {}
    for one in sorted(marks, key=lambda mark: (mark.day, mark.id)):
        if one.level in ("yellow", "red"):
            found.setdefault((one.part, one.level), []).append(one)
        elif one.level == "warning":
            warnings.setdefault(one.part, []).append(one)
    for part, listed in warnings.items():
        full: list[Mark] = []
        start = 0
        for length in _rows(((working(one.day), 1) for one in listed), table.run.gap):
            full += listed[start : start + length // table.run.size * table.run.size]
            start += length
        if full:
            found[part, "run"] = full
    return {key: tuple(value) for key, value in found.items()}


def full_runs(days: Iterable[tuple[int, int]], run: Run) -> int:
    """How many full runs there are in (working day's number, how many warnings), in order."""
    size, apart = run.size, run.gap + 1
    full = length = last = 0
    for nth, many in days:
        if nth - last > apart and length:
            full += length // size
            length = 0
        length += many
        last = nth
    return full + length // size


def _rows(days: Iterable[tuple[int, int]], gap: int) -> Iterator[int]:
    """How many warnings follow on each other, row by row."""
    length = last = 0
    for nth, many in days:
        if length and nth - last > gap + 1:
            yield length
            length = 0
        length += many
        last = nth
    if length:
        yield length


def counts(found: Mapping[tuple[str, str], Sequence[Mark]], table: Table) -> dict[tuple[str, str], int]:  # fmt: skip
    """How often each cause is counted: cards one by one, warnings by full runs."""
    return {
        (part, cause): len(marks) // table.run.size if cause == "run" else len(marks)
        for (part, cause), marks in found.items()
    }


# --- the table as data -------------------------------------------------------------------------------


def as_data(table: Table) -> dict[str, Any]:
    """A table as the value of the setting; `check` reads it."""
    run, incomplete = table.run, table.incomplete
    return {
        "weights": dict(table.weights), "yellow": table.yellow, "red": table.red,
        "run": {"size": run.size, "points": run.points, "gap": run.gap},
        "incomplete": {"per": incomplete.per, "points": incomplete.points, "most": incomplete.most},
        "early": _bonus_data(table.early), "promise": _bonus_data(table.promise),
        "coefficient": table.coefficient, "coefficients": dict(table.coefficients),
        "grades": dict(table.grades), "least": table.least,
    }  # fmt: skip


def _bonus_data(one: Bonus) -> dict[str, int]:
    return {"start": one.start, "points": one.points, "step": one.step, "more": one.more}


def of_data(given: Mapping[str, Any]) -> Table:
    """A table from the value of the setting; one that was checked before."""
    return Table(
        weights={code: given["weights"][code] for code in SCORED},
        yellow=given["yellow"], red=given["red"], run=Run(**given["run"]),
        incomplete=Incomplete(**given["incomplete"]), early=Bonus(**given["early"]),
        promise=Bonus(**given["promise"]), coefficient=given["coefficient"],
        coefficients=dict(given["coefficients"]),
        grades=tuple((code, given["grades"][code]) for code in GRADES if code != "failed"),
        least=given["least"],
    )  # fmt: skip


# Where a number stands: what it is called, its least and most.
NUMBERS: Mapping[tuple[str, ...], tuple[str, int, int]] = {
    ("yellow",): ("一张黄牌扣", 0, 100), ("red",): ("一张红牌扣", 0, 100),
    ("run", "size"): ("连续预警几次为一组", 2, 50), ("run", "points"): ("连续预警一组扣", 0, 100),
    ("run", "gap"): ("两次预警之间最多隔几个工作日", 0, 30),
    ("incomplete", "per"): ("数据不全每百分之几", 1, 100),
    ("incomplete", "points"): ("数据不全每档扣", 0, 100),
    ("incomplete", "most"): ("数据不全最多扣", 0, 100),
    ("early", "start"): ("提前办结率从百分之几起加分", 1, 100),
    ("early", "points"): ("提前办结起步加", 0, 100), ("early", "step"): ("提前办结每再高百分之几", 1, 100),
    ("early", "more"): ("提前办结每档再加", 0, 100),
    ("promise", "start"): ("承诺压缩从百分之几起加分", 1, 100),
    ("promise", "points"): ("承诺压缩起步加", 0, 100), ("promise", "step"): ("承诺压缩每再短百分之几", 1, 100),
    ("promise", "more"): ("承诺压缩每档再加", 0, 100),
    ("coefficient",): ("折合系数（千分数）", 100, 10_000), ("least",): ("办结至少几件才排名", 0, 100_000),
    ("grades", "excellent"): ("优秀从几分起", 0, 200), ("grades", "good"): ("良好从几分起", 0, 200),
    ("grades", "passed"): ("合格从几分起", 0, 200),
}  # fmt: skip


def check(given: object) -> Table:
    """A table as somebody wrote it. Raises Refusal with the field: what is missing, no whole number,
    out of its bounds, grades out of order, and weights that do not add to 100, with their sum.
    """
    if not isinstance(given, Mapping):
        raise _no("shape", "测评表看不懂。请在测评表页面上修改。", KIND)
    weights = given.get("weights")
    if not isinstance(weights, Mapping):
        raise _no("missing", "测评表没有写各项的分值。", "weights")
    if unknown := set(map(str, weights)) - set(SCORED):
        raise _no("part", f"没有“{min(unknown)[:20]}”这个计分项。", "weights")
    for code, zh in SCORED.items():
        _whole(weights.get(code), zh, 0, WHOLE, f"weights.{code}")
    total = sum(weights.values())
    if total != WHOLE:
        off = f"多了 {total - WHOLE}" if total > WHOLE else f"少了 {WHOLE - total}"
        raise _no("sum", f"九项分值加起来是 {total}，应当正好是 {WHOLE}，{off}。", "weights")
    for path, (zh, least, most) in NUMBERS.items():
        value: object = given
        for one in path:
            value = value.get(one) if isinstance(value, Mapping) else None
        _whole(value, zh, least, most, ".".join(path))
    _single(given.get("coefficients"))
    starts = [given["grades"][code] for code in GRADES if code != "failed"]
    if sorted(set(starts), reverse=True) != starts:
        raise _no("grades", "等次的分数线要一档比一档低：优秀、良好、合格。", "grades.excellent")
    return of_data(given)


def _single(given: object) -> None:
    if not isinstance(given, Mapping):
        raise _no("missing", "测评表没有写单独的折合系数；没有的写空表。", "coefficients")
    for unit, value in given.items():
        if not isinstance(unit, str) or not 0 < len(unit) <= 100:
            raise _no("unit", "单独的折合系数要写明是哪个单位。", "coefficients")
        _whole(value, f"{unit[:40]}的折合系数（千分数）", 100, 10_000, "coefficients")


def _whole(value: object, zh: str, least: int, most: int, field_: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _no("number", f"“{zh}”应当是整数。", field_)
    if not least <= value <= most:
        raise _no("bounds", f"“{zh}”应当在 {least} 到 {most} 之间。", field_)


def _no(code: str, sentence: str, field_: str) -> Refusal:
    return Refusal(f"weights.{code}", sentence, field=field_)


# --- in words ----------------------------------------------------------------------------------------


def said(score: int | None) -> str:
    """97.333 as 97.33; None as a dash."""
    if score is None:
        return "—"
    hundredths = (score + 5) // 10
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") if rest else f"{whole}"


def told(line: Line, table: Table) -> str:
    """How a line comes to its points, in words."""
    run, incomplete = table.run, table.incomplete
    match line.cause:
        case "run":
            return f"连续预警 {line.times} 组（每 {run.size} 次一组）× {line.each} 分"
        case "incomplete":
            return (
                f"办结的办件有 {line.times} % 数据不全，每 {incomplete.per} % 扣 {line.each} 分，"
                f"最多 {incomplete.most} 分"
            )
        case "early":
            return f"提前办结率 {line.times} %，{_bonus_zh(table.early)}"
        case "promise":
            return f"承诺把全部法定时限至少压缩 {line.times} %，{_bonus_zh(table.promise)}"
    return f"{CAUSES[line.cause]} {line.times} 张 × {line.each} 分"


def _bonus_zh(one: Bonus) -> str:
    return f"{one.start} % 起加 {one.points} 分，每再 {one.step} % 加 {one.more} 分"


__all__ = [
    "CAUSES", "GRADES", "INCOMPLETE_PART", "KIND", "SHIPPED", "UNIT", "WEIGHTS", "Bonus", "Figures",
    "Incomplete", "Line", "Mark", "Part", "Run", "Sheet", "Table", "as_data", "averaged", "behind",
    "check", "counts", "full_runs", "mean", "of_data", "said", "score", "told", "worth",
]  # fmt: skip
