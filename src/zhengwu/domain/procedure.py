"""Standard flow (标准流程) as a graph: ready steps, the longest path, limits that must add up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zhengwu.domain.refusal import Refusal


class Unit(StrEnum):
    """The unit of a limit (期限单位); it belongs to the rule."""

    WORKING_DAY = "working_day"
    CALENDAR_DAY = "calendar_day"
    MONTH = "month"
    YEAR = "year"
    HOUR = "hour"


UNITS_ZH = {
    Unit.WORKING_DAY: "个工作日",
    Unit.CALENDAR_DAY: "日",
    Unit.MONTH: "个月",
    Unit.YEAR: "年",
    Unit.HOUR: "小时",
}
# The fewest working days that one unit can hold, so that a comparison never flatters: in the
# calendars 2007-2026 no month from date to date holds fewer than 14, no year fewer than 243.
FEWEST = {Unit.WORKING_DAY: 1.0, Unit.MONTH: 14.0, Unit.YEAR: 243.0, Unit.HOUR: 1 / 8}


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit (时限): value in its own unit, and where it stands."""

    value: int
    unit: Unit = Unit.WORKING_DAY
    basis: str = ""

    def working_days(self) -> float:
        """The working days it holds at the least."""
        if self.unit == Unit.CALENDAR_DAY:
            return max(0.0, self.value * 5 / 7 - 6)  # seven days off in a row, two of them anyway
        return self.value * FEWEST[self.unit]

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

    def longest_path(self) -> float:
        """Working days of the longest path. Raises Refusal for an unknown step or a cycle."""
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
                own = step.limit.working_days() if step.limit else 0.0
                before = (length(one, (*path, code)) for one in step.after)
                lengths[code] = own + max(before, default=0.0)
            return lengths[code]

        return max((length(code, ()) for code in known), default=0.0)

    def check(self, *, promised: Limit | None, statutory: Limit | None) -> None:
        """Longest path <= promised <= statutory, each where it exists; raises Refusal."""
        longest = self.longest_path()
        if promised is not None and longest > promised.working_days():
            raise Refusal(
                "flow.longer_than_promise",
                f"各环节时限之和最长 {longest:g} 个工作日，超过承诺的 {promised.words()}。",
                field="steps",
            )
        if promised is None or statutory is None:
            return
        same = promised.unit == statutory.unit
        longer = (
            promised.value > statutory.value if same else _most(promised) > statutory.working_days()
        )
        if longer:
            raise Refusal(
                "flow.promise_longer_than_law",
                f"承诺 {promised.words()}，超过法定 {statutory.words()}。承诺不得长于法定时限。",
                article="行政许可法 第四十二条",
                field="promised",
            )


def _most(limit: Limit) -> float:
    """The most working days a limit can hold."""
    most = {Unit.WORKING_DAY: 1.0, Unit.MONTH: 23.0, Unit.YEAR: 255.0, Unit.HOUR: 1 / 8}
    return limit.value * most.get(limit.unit, 1.0)
