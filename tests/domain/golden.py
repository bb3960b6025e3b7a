"""The worked story of a water-intake permit (取水许可), event by event."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from zhengwu.domain.calendar import Calendar
from zhengwu.domain.event import Event

SHANGHAI = ZoneInfo("Asia/Shanghai")
WATER = "420100-D16"
WINDOW, REVIEW, DECIDE = "w-B23", "r-D16", "a-D16"

# 国办 2025 notice for 2026, the days of the story.
DAYS = {
    **{date(2026, 9, d): True for d in (25, 26, 27)},
    **{date(2026, 10, d): True for d in range(1, 8)},
    date(2026, 9, 20): False,
    date(2026, 10, 10): False,
}
CALENDAR = Calendar.of(DAYS)


def at(text: str) -> datetime:
    """09-14 09:20 of 2026 in Shanghai."""
    return datetime.fromisoformat(f"2026-{text}:00").replace(tzinfo=SHANGHAI)


LIMITS = [
    {"kind": "statutory", "unit": "working_day", "value": 45, "basis": "取水许可和水资源费征收管理条例 第十九条"},
    {"kind": "promised", "unit": "working_day", "value": 20, "basis": "办事指南"},
]  # fmt: skip
TO_WATER = {"kind": "department", "agency": WATER}
TO_WINDOW = {"kind": "window", "agency": WATER, "post": WINDOW}

STORY: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("09-14 09:20", "received", "clerk", WINDOW, {"at": "window"}),
    ("09-16 15:00", "supplement_requested", "clerk", WINDOW, {"materials": ["3"]}),
    ("09-21 10:05", "supplemented", "clerk", WINDOW, {"at": "window"}),
    ("09-21 10:20", "accepted", "clerk", WINDOW, {"limits": LIMITS, "to": TO_WATER}),
    ("09-21 14:00", "step_taken", "reviewer", REVIEW, {"step": "review", "at": "department"}),
    (
        "09-24 17:00",
        "suspended",
        "reviewer",
        REVIEW,
        {"procedure": "expert_review", "days": 10, "until": "2026-10-15"},
    ),
    ("10-15 09:00", "resumed", "reviewer", REVIEW, {}),
    ("10-28 16:00", "granted", "approver", DECIDE, {}),
    ("10-28 16:30", "licence_made", "approver", DECIDE, {"to": TO_WINDOW}),
    ("10-29 09:10", "step_taken", "clerk", WINDOW, {"step": "deliver", "at": "window"}),
    ("10-29 09:10", "ready", "clerk", WINDOW, {}),
    ("11-02 10:00", "delivered", "clerk", WINDOW, {"means": "signature"}),
    ("11-02 10:00", "closed", "", "", {}),
]


def events(count: int = 13) -> list[Event]:
    """The first `count` events of the story."""
    return [
        Event(
            version=version,
            kind=kind,
            occurred=at(when),
            recorded=at(when),
            received=at(when),
            actor=actor or None,
            post=post or None,
            agency=WATER,
            source="desk",
            position=100 + version,
            body=body,
        )
        for version, (when, kind, actor, post, body) in enumerate(STORY[:count], start=1)
    ]
