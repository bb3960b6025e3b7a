"""Worked examples a lawyer can check (期限算例): the dates in clock/*.toml were counted by hand.

Each is read by the clock, and by the day-by-day count, which must both say what is written there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.domain.agreement import clock_says
from tests.domain.histories import world as calendar
from zhengwu.domain import daybyday
from zhengwu.domain.daybyday import Counted, Spans, World
from zhengwu.domain.event import Event, Nature

KINDS = {
    "收件": "received", "一次性告知": "supplement_requested", "补正": "supplemented",
    "受理": "accepted", "视为受理": "deemed_accepted", "特别程序": "suspended",
    "恢复计时": "resumed", "延期": "extended", "转报": "forwarded", "批复": "came_back",
    "接办": "step_taken", "现场核查": "inspected", "准予": "granted", "不予": "refused",
    "撤回申请": "withdrawn", "送达": "delivered", "办结": "closed", "撤销误录": "entry_withdrawn",
    "决定": "decided", "改用新版": "version_moved",
}  # fmt: skip
LIMITS = {
    "受理": "acceptance", "法定": "statutory", "承诺": "promised", "联合": "joint",
    "下级审查": "lower_review", "送达": "delivery", "环节": "step",
}  # fmt: skip
UNITS = {
    "个工作日": "working_day", "日": "calendar_day", "个月": "month", "年": "year",
    "小时": "hour", "办公小时": "office_hour",
}  # fmt: skip
PROCEDURES = {
    "听证": "hearing", "检测": "testing", "检验": "inspection", "鉴定": "appraisal",
    "专家评审": "expert_review",
}  # fmt: skip
PLACE = Path(__file__).parent / "clock"
EXAMPLES = [
    pytest.param(example, id=f"{path.stem}: {example['name']}")
    for path in sorted(PLACE.glob("*.toml"))
    for example in tomllib.loads(path.read_text(encoding="utf-8"))["example"]
]
WORDS = {
    "name", "because", "story", "limits", "read", "known", "limit", "nth", "absent", "hours",
    "later", "overlay", "after_hours", "start", "due", "used", "left", "met", "state",
    "provisional", "alike",
}  # fmt: skip


def instant(text: str) -> datetime:
    """2026-03-02 09:20; 24:00 is the last moment of the day."""
    day, clock = text.split()
    if clock == "24:00":
        return datetime.combine(date.fromisoformat(day), daybyday.LAST_MOMENT, daybyday.SHANGHAI)
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=daybyday.SHANGHAI)


def size(words: list[str]) -> dict[str, Any]:
    """20 个工作日; 1 个月 不顺延."""
    found: dict[str, Any] = {"value": int(words[0]), "unit": UNITS[words[1]], "basis": "某条例"}
    return {**found, "roll": False} if words[2:] == ["不顺延"] else found


def spans(text: str) -> Spans:
    """09:00-12:00 13:30-17:00."""
    pairs = [part.split("-") for part in text.split()]
    return tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in pairs)


def told(example: dict[str, Any]) -> list[Event]:
    limits = {}
    if "limits" in example:
        rows = [text.split() for text in example["limits"]]
        limits = {"limits": [{"kind": LIMITS[row[0]], **size(row[1:])} for row in rows]}
    events = []
    for version, line in enumerate(example["story"], start=1):
        day, clock, *words = line.split()
        foreign = words[0] == "外系统"
        name, *more = words[foreign:]
        body: dict[str, Any] = {}
        if name == "收件" and more:
            body = {"type": more[0]}
        elif name in ("受理", "视为受理"):
            body = limits
        elif name == "特别程序":
            body = {"procedure": PROCEDURES[more[0]], "days": 5}
        elif name == "恢复计时" and more:
            body = {"procedure": PROCEDURES[more[0]]}
        elif name == "延期":
            body = {"days": int(more[0])}
            if more[1] != "个工作日":
                body["unit"] = UNITS[more[1]]
        elif name == "接办":
            body = {"step": "review", "at": "department"}
            if more:
                body["limit"] = size(more)
        elif name == "撤销误录":
            body = {"version": int(more[0])}
        elif name == "改用新版":
            new = {"kind": LIMITS[more[0]], **size(more[1:])}
            body = {"from": 1, "to": 2, "limits": [new], "clause": True}
        when = instant(f"{day} {clock}")
        events.append(
            Event(
                version=version,
                kind=KINDS[name],
                nature=Nature.OBSERVATION if foreign else Nature.ACT,
                occurred=when,
                recorded=when,
                received=when,
                source="desk",
                position=version,
                body=body,
            )
        )
    return events


def around(example: dict[str, Any]) -> World:
    """The real calendar, with what the example adds to it."""
    found = calendar(0)
    hours = [(date.min, spans(example.get("hours", "09:00-17:00")))]
    for line in example.get("later", ()):
        since, text = line.split(maxsplit=1)
        hours.append((date.fromisoformat(since), spans(text)))
    overlay = {date.fromisoformat(day): off for day, off in example.get("overlay", {}).items()}
    return replace(
        found,
        days={**found.days, **overlay},
        hours=tuple(hours),
        after_hours=((date.min, example.get("after_hours") != "same_day"),),
    )


Reader = Callable[..., list[Counted]]


@pytest.mark.parametrize("reader", [daybyday.count, clock_says], ids=["day by day", "by the clock"])
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_dates_are_those_counted_by_hand(example: dict[str, Any], reader: Reader) -> None:
    assert set(example) <= WORDS
    assert re.search(r"[\u4e00-\u9fff]", example["because"])
    found = reader(
        told(example), around(example), at=instant(example["read"]), known=example.get("known")
    )
    kind = LIMITS[example["limit"]]
    limits = sorted((one for one in found if one.kind == kind), key=lambda one: one.start)
    if example.get("absent"):
        assert not limits
        return
    if "nth" not in example:
        assert len(limits) == 1
    limit = limits[example.get("nth", 1) - 1]
    assert limit.due - instant(example["due"]) == timedelta(0)
    for name in ("used", "left", "met", "state", "provisional", "alike"):
        if name in example:
            assert (name, getattr(limit, name)) == (name, example[name])
    if "start" in example:
        assert limit.start.isoformat() == example["start"]


def test_there_are_enough_of_them() -> None:
    assert len(EXAMPLES) >= 40
