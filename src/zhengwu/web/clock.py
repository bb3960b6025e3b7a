"""The clock of the edge (时钟): only views, commands and the worker read it."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings


def now() -> datetime:
    """The present moment, aware, UTC; in the demo moved by ZHENGWU_DEMO_CLOCK, never elsewhere.

    The database stamps `received` by its own clock, which nothing moves.
    """
    real = datetime.now(UTC)
    return real + settings.DEMO_CLOCK if settings.DEMO else real
