"""Is the house in order (运行状态)? For the system administrator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.desk.entry import desk
from zhengwu.ledger import queries as ledger
from zhengwu.web.clock import now

SLOW = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True)
class Session:
    """A database session that has been busy, or idle in a transaction, for long."""

    pid: int
    application: str
    state: str
    lasting: timedelta
    waits: str
    query: str


@require_safe
@desk("operate.see")
def operate(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Watermark, followers, worker and slow sessions on one page."""
    context = {
        "actor": actor,
        "folder": "operate",
        "watermark": ledger.watermark(),
        "followers": ledger.lag(),
        "sessions": sessions(),
        "at": now(),
    }
    return render(request, "desk/operate/operate.html.j2", context)


def sessions() -> tuple[Session, ...]:
    """Sessions of this database longer than SLOW in one statement or transaction; no parameters
    are shown (prepared statements carry none in their text)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pid, application_name, state,
                   clock_timestamp() - CASE WHEN state = 'active' THEN query_start
                                            ELSE xact_start END AS lasting,
                   coalesce(wait_event_type || ' ' || wait_event, ''),
                   left(regexp_replace(query, '\\s+', ' ', 'g'), 160)
            FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
              AND (state = 'active' OR state LIKE 'idle in transaction%%')
              AND clock_timestamp() - CASE WHEN state = 'active' THEN query_start
                                           ELSE xact_start END > %s
            ORDER BY lasting DESC LIMIT 20
            """,
            [SLOW],
        )
        return tuple(Session(*row) for row in cursor.fetchall())
