"""Not too often (限频): guessing a query code must not pay."""

from __future__ import annotations

import threading
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
    key = _key(what, who)
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


def one_too_many(
    first: tuple[str, str, int], second: tuple[str, str, int], *, at: datetime, within: timedelta
) -> bool:
    """Counts one more attempt at two things (what, who, how many may be), at the second only where
    the first lets it pass; whether it is one too many at either. One statement.

    Raises ValueError as `attempts` does.
    """
    if within > LONGEST:
        raise ValueError(within)
    (what, who, most), (then, whose, few) = first, second
    with connection.cursor() as cursor:
        cursor.execute(
            _BOTH,
            {
                "first": _key(what, who), "second": _key(then, whose), "most": most,
                "at": at, "since": at - within,
            },
        )  # fmt: skip
        used, narrow = cursor.fetchone()
    return int(used) > most or int(narrow) > few


def _key(what: str, who: str) -> str:
    return salted_hmac("zhengwu.throttle", f"{what}\n{who}", algorithm="sha256").hexdigest()


_MORE = (
    " ON CONFLICT (key) DO UPDATE SET"
    " started = CASE WHEN a.started < %(since)s::timestamptz THEN excluded.started"
    " ELSE a.started END,"
    " count = CASE WHEN a.started < %(since)s::timestamptz THEN 1 ELSE a.count + 1 END"
    " RETURNING a.count"
)
_BOTH = (
    "WITH wide AS (INSERT INTO web_attempt AS a (key, started, count)"  # noqa: S608 - constants
    f" VALUES (%(first)s::text, %(at)s::timestamptz, 1){_MORE}),"
    " narrow AS (INSERT INTO web_attempt AS a (key, started, count)"
    " SELECT %(second)s::text, %(at)s::timestamptz, 1 FROM wide"
    f" WHERE wide.count <= %(most)s::integer{_MORE})"
    " SELECT wide.count, coalesce((SELECT narrow.count FROM narrow), 0) FROM wide"
)

_leases: dict[str, tuple[datetime, int]] = {}
_leasing = threading.Lock()
HELD = 20_000  # shares in one process, before those of past windows are forgotten
SHARES = 50  # a process takes one fiftieth of a window's attempts at a time


def lease(what: str, who: str, *, most: int, within: timedelta, at: datetime) -> int | None:
    """One more of at most `most` attempts in a window; None: allowed, else seconds to wait.

    Counted across all processes, but written seldom: a process takes a share of the window's
    attempts from the database and uses it up by itself. What it does not use is lost to the others
    until the window ends, so that a little less than `most` may pass, never more. Windows begin with
    the clock (a minute with the minute).
    """
    length = int(within.total_seconds())
    began = datetime.fromtimestamp(int(at.timestamp()) // length * length, tz=at.tzinfo)
    key = f"{what}\n{who}"
    with _leasing:
        since, left = _leases.get(key, (began, 0))
        if since == began and left > 0:
            _leases[key] = (began, left - 1)
            return None
    share = max(1, most // SHARES)
    used = _take(what, f"{who}\n{began.timestamp():.0f}", share, at=at)
    granted = min(share, max(0, most - (used - share)))
    with _leasing:
        if len(_leases) >= HELD:  # of whoever asked before this window nothing is left to use
            for old in [one for one, (start, _) in _leases.items() if start < began]:
                del _leases[old]
        if granted > 0:
            _leases[key] = (began, granted - 1)
            return None
    return max(1, length - int((at - began).total_seconds()))


def _take(what: str, who: str, share: int, *, at: datetime) -> int:
    """Count a share; how many were taken in all."""
    key = _key(what, who)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO web_attempt AS a (key, started, count) VALUES (%s, %s, %s)"
            " ON CONFLICT (key) DO UPDATE SET count = a.count + excluded.count RETURNING count",
            [key, at, share],
        )
        return int(cursor.fetchone()[0])


def sweep(*, at: datetime) -> int:
    """Forget the counts that no window looks at any more; how many."""
    return Attempt.objects.filter(started__lt=at - LONGEST).delete()[0]
