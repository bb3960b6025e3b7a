"""The command `zhengwu` (命令): one module for each topic; importing it registers its commands."""

from zhengwu.commands import (
    calendar,
    cases,
    catalogue,
    checking,
    operations,
    processes,
    report,
    running,
    statistics,
    supervision,
)
from zhengwu.commands.base import main

__all__ = [
    "calendar", "cases", "catalogue", "checking", "main", "operations", "processes", "report", "running", "statistics", "supervision",
]  # fmt: skip
