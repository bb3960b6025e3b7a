"""Is it alive, is it ready (存活与就绪): for a load balancer, and for the parent process."""

from __future__ import annotations

import logging
from functools import cache

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from zhengwu.config import migrate
from zhengwu.ledger import queries as ledger

STALLED = 10.0  # seconds one transaction may hold up the order
BEHIND = 5000  # events a follower may lie behind
log = logging.getLogger(__name__)


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """200 as soon as this process answers; asks nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """200 or 503, and why: database, migrations, worker."""
    parts: dict[str, str] = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        parts["database"] = "ok"
        parts["migrations"] = "ok" if _migrated() else "pending"
        parts["worker"] = _worker()
    except DatabaseError:
        log.exception("not ready")
        parts.setdefault("database", "unreachable")
    good = all(value == "ok" for value in parts.values()) and len(parts) == 3
    return JsonResponse({"ready": good, **parts}, status=200 if good else 503)


def _worker() -> str:
    """Whether a worker works, and how far order and followers lie behind."""
    if not migrate.working():
        return "absent"
    age = ledger.watermark().age
    if age > STALLED:
        return f"held up for {age:.0f} s"
    behind = max(ledger.lag().followers.values(), default=0)
    return "ok" if behind <= BEHIND else f"{behind} events behind"


@cache
def _applied() -> bool:
    """Remembered once true: a running process does not lose migrations."""
    if migrate.pending():
        raise LookupError
    return True


def _migrated() -> bool:
    try:
        return _applied()
    except LookupError:
        return False
