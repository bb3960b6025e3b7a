"""Standard flow templates (标准流程模板) by type of approval; an item's flow derives from one.

Data: data/flow_templates.csv, a row a step. share: per cent of the promised limit; along no path do
the shares add up to more than a hundred, so the longest path never exceeds the promise.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from zhengwu.domain.guide import ROLES_ZH
from zhengwu.domain.procedure import Flow, Limit, Step, Unit

IMMEDIATE, GENERAL = "immediate", "general"


@dataclass(frozen=True, slots=True)
class TemplateStep:
    """A step of a template. share: per cent of the promise, 0 where it has no limit of its own."""

    code: str
    name: str
    role: str
    after: tuple[str, ...]
    share: int
    may_skip: bool


@dataclass(frozen=True, slots=True)
class Template:
    """A standard flow (标准流程)."""

    code: str
    name: str
    default_for: tuple[str, ...]
    steps: tuple[TemplateStep, ...]

    def make(self, promised: Limit | None) -> tuple[Step, ...]:
        """The steps with their limits cut from the promise, in whole working days.

        Every step but the first gets its share rounded down, the last at least a day where more
        than one is promised; the first gets what the longest path leaves, so that this path is the
        promise itself. A promise in another unit, or none, leaves the steps without own limits.
        """
        limits = self._limits(promised)
        return tuple(
            Step(one.code, one.name, one.role, limits.get(one.code), one.after)
            for one in self.steps
        )

    def _limits(self, promised: Limit | None) -> dict[str, Limit]:
        if promised is None or promised.value < 1 or promised.unit is not Unit.WORKING_DAY:
            return {}
        first, *rest = self.steps
        days = {one.code: promised.value * one.share // 100 for one in rest}
        if rest and promised.value > 1:
            days[rest[-1].code] = max(1, days[rest[-1].code])
        days[first.code] = 0
        days[first.code] = promised.value - int(Flow(self._steps_of(days)).longest_path())
        return {code: Limit(value) for code, value in days.items()}

    def _steps_of(self, days: Mapping[str, int]) -> tuple[Step, ...]:
        return tuple(
            Step(one.code, one.name, one.role, Limit(days[one.code]), one.after)
            for one in self.steps
        )


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a flow departs from its template. what: added | left_out | moved | other_post."""

    what: str
    step: str
    sentence: str


@cache
def templates() -> Mapping[str, Template]:
    """All templates by code."""
    text = files("zhengwu.catalog").joinpath("data/flow_templates.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    made: dict[str, Template] = {}
    for row in rows:
        step = TemplateStep(
            row["step"], row["step_name"], row["role"], _listed(row["after"]),
            int(row["share"]), row["may_skip"] == "yes",
        )  # fmt: skip
        before = made.get(row["template"])
        made[row["template"]] = Template(
            row["template"], row["name"], _listed(row["default_for"]),
            (*(before.steps if before else ()), step),
        )  # fmt: skip
    return made


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one for one in text.split(";") if one)


def of(code: str | None, type_: str, kind: str) -> Template:
    """The template of a code, else the default one of the type and kind, else the general one."""
    known = templates()
    if code is not None and code in known:
        return known[code]
    pair = f"{type_}/{kind}"
    general = known[IMMEDIATE if kind == "immediate" else GENERAL]
    return next((one for one in known.values() if pair in one.default_for), general)


def departures(steps: Sequence[Step], template: Template) -> tuple[Departure, ...]:
    """Where these steps depart from the template, in words."""
    ours = {one.code: one for one in steps}
    theirs = {one.code: one for one in template.steps}
    found = [
        Departure(
            "left_out", one.code, f"少了环节“{one.name}”" + ("（模板允许）" if one.may_skip else "")
        )
        for one in template.steps
        if one.code not in ours
    ]
    for one in steps:
        standard = theirs.get(one.code)
        if standard is None:
            found.append(Departure("added", one.code, f"多了环节“{one.name}”"))
        elif standard.role != one.role:
            found.append(
                Departure(
                    "other_post", one.code,
                    f"环节“{one.name}”由{ROLES_ZH.get(one.role, one.role)}办，模板由{ROLES_ZH[standard.role]}办",
                )
            )  # fmt: skip
        elif set(standard.after) != set(one.after):
            found.append(Departure("moved", one.code, f"环节“{one.name}”的先后与模板不同"))
    return tuple(found)
