"""Not too often (限频): guessing a query code must not pay."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from zhengwu.web.models import Attempt

LONGEST = timedelta(hours=1)  # the longest window that is counted; older counts are swept


def sender(request: HttpRequest) -> str:
    """The address the request came from, as the nearest trusted server saw it."""
    return str(request.META.get("REMOTE_ADDR", ""))


def attempts(what: str, who: str, *, at: datetime, within: timedelta) -> int:
    """Counts one more attempt of ``who`` at ``what`` and returns how many there were in the
    current window, this one included. Counted in the database, so across all processes.

    Raises ValueError for a window longer than LONGEST: the sweep would forget it half-way.
    """
    if within > LONGEST:
        raise ValueError(within)
    key = salted_hmac("zhengwu.throttle", f"{what}\n{who}", algorithm="sha256").hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO web_attempt AS a (key, started, count) VALUES (%s, %s, 1)
            ON CONFLICT (key) DO UPDATE SET
              started = CASE WHEN a.started < %s THEN excluded.started ELSE a.started END,
              count = CASE WHEN a.started < %s THEN 1 ELSE a.count + 1 END
            RETURNING count
            """,
            [key, at, at - within, at - within],
        )
        return int(cursor.fetchone()[0])


def sweep(*, at: datetime) -> int:
    """Forget the counts that no window looks at any more; how many."""
    return Attempt.objects.filter(started__lt=at - LONGEST).delete()[0]
