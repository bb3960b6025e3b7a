"""A worker process that does one kind of timed work: python -m tests.setup.timed WORK AT PAGE.

WORK: deem, alarms or reproject; AT: the instant it takes for now; PAGE: cases a transaction.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime

import django


def works(page: int) -> dict[str, Callable[[datetime], int]]:
    """The timed work of the worker, in small pages."""
    from zhengwu.cases import alarms, reprojection, services

    return {
        "deem": lambda at: services.deem_accepted(at=at, page=page),
        "alarms": lambda at: alarms.sweep(at, page=page),
        "reproject": lambda at: reprojection.work(at, page=page),
    }


def main(work: str, at: datetime, page: int) -> None:
    django.setup()
    from zhengwu.config.worker import Timed, Worker

    run = works(page)[work]
    Worker(timed=(Timed(work, 60, lambda _: run(at), again=True),)).run()


if __name__ == "__main__":
    main(sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3]))
