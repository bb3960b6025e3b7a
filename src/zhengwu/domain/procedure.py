"""Standard flow (标准流程) as a graph: ready steps, the longest path, limits that must add up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from zhengwu.domain.refusal import Refusal


class Unit(StrEnum):
    """The unit of a limit (期限单位); it belongs to the rule."""

    WORKING_DAY = "working_day"
    CALENDAR_DAY = "calendar_day"
    MONTH = "month"
    YEAR = "year"
    HOUR = "hour"
    OFFICE_HOUR = "office_hour"  # hours within opening hours


UNITS_ZH = {
    Unit.WORKING_DAY: "个工作日",
    Unit.CALENDAR_DAY: "日",
    Unit.MONTH: "个月",
    Unit.YEAR: "年",
    Unit.HOUR: "小时",
    Unit.OFFICE_HOUR: "个办公小时",
}
# No limit of administrative law runs longer; what does is a slip of the pen.
LONGEST = {
    Unit.WORKING_DAY: 2500,
    Unit.CALENDAR_DAY: 3650,
    Unit.MONTH: 120,
    Unit.YEAR: 10,
    Unit.HOUR: 8760,
    Unit.OFFICE_HOUR: 2000,
}
# The fewest and the most working days one unit can hold, so that a comparison across units never
# flatters: in the calendars 2007-2026 no month from date to date holds fewer than 15 or more than
# 24, no year fewer than 243 or more than 255 (a test counts them).
FEWEST = {Unit.WORKING_DAY: 1.0, Unit.MONTH: 15.0, Unit.YEAR: 243.0}
MOST = {
    Unit.WORKING_DAY: 1.0,
    Unit.CALENDAR_DAY: 1.0,
    Unit.MONTH: 24.0,
    Unit.YEAR: 255.0,
    Unit.HOUR: 1 / 8,
    Unit.OFFICE_HOUR: 1 / 6,  # no day of business is shorter than six hours
}


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit (时限): value in its own unit, and where it stands.

    roll: whether an end on a day off moves to the next working day (民法典 203).
    """

    value: int
    unit: Unit = Unit.WORKING_DAY
    basis: str = ""
    roll: bool = True

    @classmethod
    def of(cls, given: Mapping[str, Any], *, field: str = "limit") -> Limit:
        """A limit as somebody wrote it. Raises Refusal naming the rule; nothing is guessed."""

        def no(code: str, sentence: str) -> Refusal:
            return Refusal(f"limit.{code}", sentence, field=field)

        unit, value, basis = given.get("unit"), given.get("value"), given.get("basis")
        roll = given.get("roll", True)
        if not unit:
            raise no("no_unit", "期限没有写单位。请写明是工作日、日、月、年还是小时。")
        if unit not in set(Unit):
            raise no("unit", f"没有“{str(unit)[:20]}”这种期限单位。请选择表中的单位。")
        if isinstance(value, bool) or not isinstance(value, int):
            raise no("value", "期限应当是整数。请填写数字。")
        if value < 0:
            raise no("negative", "期限不能是负数。当场办理请填 0。")
        if value > LONGEST[Unit(unit)]:
            most = f"{LONGEST[Unit(unit)]} {UNITS_ZH[Unit(unit)]}"
            raise no("too_long", f"期限不能长于 {most}。请核对数字和单位。")
        if not isinstance(roll, bool):
            raise no("roll", "请写明末日是休息日时是否顺延：是或者否。")
        if not isinstance(basis, str) or not basis.strip():
            raise no("no_basis", "期限没有写依据。请写明法律条文，或者承诺的出处。")
        return cls(value, Unit(unit), basis.strip(), roll)

    def fewest(self) -> float:
        """The working days it holds at the least."""
        days = self.value / 24 if self.unit == Unit.HOUR else float(self.value)
        if self.unit == Unit.OFFICE_HOUR:
            return self.value / 12  # no day of business is longer than twelve hours
        if self.unit in (Unit.HOUR, Unit.CALENDAR_DAY):
            return max(0.0, days * 5 / 7 - 10)  # the worst run of those years lacks 9.6
        return self.value * FEWEST[self.unit]

    def most(self) -> float:
        """The working days it holds at the most."""
        return self.value * MOST[self.unit]

    def words(self) -> str:
        return f"{self.value} {UNITS_ZH[self.unit]}" if self.value else "当场"


@dataclass(frozen=True, slots=True)
class Step:
    """A step (环节): the kind of post that does it, its limit, the steps that must be done first."""

    code: str
    name: str
    role: str
    limit: Limit | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """The steps of an item; a graph without cycles."""

    steps: Sequence[Step]

    def ready(self, done: Collection[str]) -> tuple[Step, ...]:
        """The steps that can be taken now, in the order they are listed."""
        return tuple(
            step
            for step in self.steps
            if step.code not in done and all(before in done for before in step.after)
        )

    def following(self, code: str) -> set[str]:
        """The steps that come after this one, near and far."""
        found: set[str] = set()
        more = {code}
        while more:
            more = {s.code for s in self.steps if more & set(s.after)} - found
            found |= more
        return found

    def longest_path(self, unit: Unit | None = None) -> float:
        """The longest path in working days, every step at the most it can hold; with a unit, the
        plain sum of the steps' values, all of them in that unit. Raises Refusal for an unknown
        step or a cycle.
        """
        known = {step.code: step for step in self.steps}
        if len(known) != len(self.steps):
            raise Refusal("flow.step_twice", "流程中有两个环节代码相同。请改正。", field="steps")
        lengths: dict[str, float] = {}

        def length(code: str, path: tuple[str, ...]) -> float:
            if code not in known:
                raise Refusal(
                    "flow.unknown_step",
                    f"流程中没有环节“{code}”，但有环节以它为前提。",
                    field="steps",
                )
            if code in path:
                raise Refusal(
                    "flow.cycle", f"环节“{known[code].name}”互为前提，永远办不完。", field="steps"
                )
            if code not in lengths:
                step = known[code]
                own = 0.0
                if step.limit is not None:
                    own = step.limit.most() if unit is None else float(step.limit.value)
                before = (length(one, (*path, code)) for one in step.after)
                lengths[code] = own + max(before, default=0.0)
            return lengths[code]

        return max((length(code, ()) for code in known), default=0.0)

    def check(self, *, promised: Limit | None, statutory: Limit | None) -> None:
        """Longest path <= promised <= statutory, each where it exists; raises Refusal."""
        units = {step.limit.unit for step in self.steps if step.limit is not None}
        if promised is not None and units <= {promised.unit}:
            longest = self.longest_path(promised.unit)
            too_long, unit = longest > promised.value, promised.unit
        else:
            longest = self.longest_path()
            too_long, unit = promised is not None and longest > promised.fewest(), Unit.WORKING_DAY
        if promised is not None and too_long:
            raise Refusal(
                "flow.longer_than_promise",
                f"各环节时限之和最长 {longest:g} {UNITS_ZH[unit]}，超过承诺的 {promised.words()}。"
                "请缩短环节时限，或者用同一种单位填写。",
                field="steps",
            )
        if promised is None or statutory is None:
            return
        same = promised.unit == statutory.unit
        longer = promised.value > statutory.value if same else promised.most() > statutory.fewest()
        if longer:
            raise Refusal(
                "flow.promise_longer_than_law",
                f"承诺 {promised.words()}，超过法定 {statutory.words()}。承诺不得长于法定时限。",
                article="行政许可法 第四十二条",
                field="promised",
            )
