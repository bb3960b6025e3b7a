"""Is the house in order (运行状态)? For the system administrator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries as calendars
from zhengwu.desk.entry import desk
from zhengwu.ledger import queries as ledger
from zhengwu.web import words
from zhengwu.web.clock import now

SLOW = timedelta(milliseconds=500)
BEHIND = 1_000  # events; the worker reads thousands a second
WORKING = 7_301_000_002  # the advisory lock the worker at work holds (config.migrate)


@dataclass(frozen=True, slots=True)
class Session:
    """A database session that has been busy, or idle in a transaction, for long."""

    pid: int
    application: str
    state: str
    lasting: timedelta
    waits: str
    query: str


@dataclass(frozen=True, slots=True)
class Sign:
    """One vital sign: its value, its light, and what that means."""

    name: str
    value: str
    light: str
    meaning: str


@require_safe
@desk("operate.see")
def operate(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Watermark, followers, worker and slow sessions on one page."""
    lag = ledger.lag()
    context = {
        "actor": actor,
        "folder": "operate",
        "signs": signs(ledger.watermark(), lag, worker()),
        "lag": lag,
        "sessions": sessions(),
        "at": now(),
        "missing": calendars.unpublished(words.local(now()).date()),
    }
    return render(request, "desk/operate/operate.html.j2", context)


def signs(
    watermark: ledger.Watermark, lag: ledger.Lag, working: timedelta | None
) -> tuple[Sign, ...]:
    """The vital signs: watermark age, events without position, the worker, the slowest follower."""
    behind = max(lag.followers.values(), default=0)
    return (
        Sign(
            "水位停留",
            f"{watermark.age:.1f} 秒",
            "over" if watermark.alarm else "green",
            f"被占住：{watermark.session}" if watermark.alarm else "正常",
        ),
        Sign(
            "还没排位的事件",
            f"{lag.unsequenced:,}",
            "red" if lag.unsequenced > BEHIND else "green",
            "积压" if lag.unsequenced > BEHIND else f"正常，已排到 {lag.last:,}",
        ),
        Sign(
            "最慢的跟随者",
            f"{behind:,} 条",
            "red" if behind > BEHIND else "green",
            "落后" if behind > BEHIND else "跟上",
        ),
        Sign(
            "后台进程",
            "停了" if working is None else words.span_zh(working),
            "over" if working is None else "green",
            "没有进程在工作" if working is None else "正在工作，本次已运行",
        ),
    )


def worker() -> timedelta | None:
    """How long the worker at work has been running; None when none holds the right to work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp() - a.backend_start FROM pg_locks l"
            " JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND l.classid::bigint = %s AND l.objid::bigint = %s"
            " AND a.datname = current_database() LIMIT 1",
            [WORKING >> 32, WORKING & 0xFFFFFFFF],
        )
        row = cursor.fetchone()
    return row[0] if row else None


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
                                           ELSE xact_start END > %s * interval '1 second'
            ORDER BY lasting DESC LIMIT 20
            """,
            [SLOW.total_seconds()],
        )
        return tuple(Session(*row) for row in cursor.fetchall())
