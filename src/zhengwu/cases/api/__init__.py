"""The interface of cases (办件接口), under /api/v1/cases and /api/v1/events.

`clock` explains time, `reading` shows, `acting` does what people do; `files` takes in and hands out
what was uploaded; `process` says how it really goes. Every operation names its `Door` (accounts.api).
"""

from __future__ import annotations

from zhengwu.cases.api import acting, clock, files, process, reading
from zhengwu.cases.api.clock import (
    HEADER,
    ClockAnswer,
    TimeLedgerAnswer,
    WholeAnswer,
    clock_of,
    instant,
    ledger_of,
    position,
)
from zhengwu.cases.api.process import ProcessAnswer, process_of

# Routers by the address they stand under, with their tag.
ROUTERS = (
    ("/cases", clock.router, "time"),
    ("/cases", reading.router, "cases"),
    ("/acts", acting.acts, "acts"),
    ("/events", reading.events, "events"),
    ("/files", files.uploads, "files"),
    ("/process", process.router, "process"),
)

__all__ = [
    "HEADER",
    "ROUTERS",
    "ClockAnswer",
    "ProcessAnswer",
    "TimeLedgerAnswer",
    "WholeAnswer",
    "clock_of",
    "instant",
    "ledger_of",
    "position",
    "process_of",
]
