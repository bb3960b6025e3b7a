"""The door of a web process in a rush (忙时限流): so many at once, the others wait, and not for ever.

A few requests are worked on at the same time (ZHENGWU_WEB_AT_ONCE); more would only slow each other
down, and each of them would hold a connection to the database. The others stand in a line that this
process can see, because granian gives every one of them a thread, and here a thread that waits costs
next to nothing: the connections belong to the seats, not to the threads. What is done by staff and
by systems goes before pages, pages before exports: an act steps in front of a page that came a second
before it and of an export that came five before, and of nothing older, so that nobody waits for ever.
Exports never take more than half of the seats.

Whoever would have to wait longer than ZHENGWU_WEB_PATIENCE seconds is told so at once, and truthfully:
503 with Retry-After, and nothing was done. That is the last resort; a rush of ten times the usual is
to be waited out (bench/burst.py). /healthz, /readyz, /metrics and static files are never kept waiting.

A statement that takes too long, or waits too long for a lock, ends the same way instead of keeping
its seat. Tests and commands, which granian does not serve, have no door.
"""

from __future__ import annotations

import heapq
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import OperationalError, connections
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from psycopg import errors

from zhengwu.config.environment import env_bool
from zhengwu.web import figures, problems

FREE = ("/healthz", "/readyz", "/metrics", "/static/")
EXPORT = re.compile(r"\.(?:csv|xlsx|ndjson|xes|zip)$|/export\b|/exports/[^/]+/file$|/download\b")
ACT, PAGE, DOWNLOAD = 0.0, 1.0, 5.0  # seconds by which each stands behind an act that came with it
STATEMENT = 30_000  # milliseconds a statement may take
LOCK = 10_000  # and wait for a lock
USUAL = 0.02  # seconds a request takes, before any was seen
LEARNING = 0.05  # how much of the mean the last request is
TITLE = "现在办理的人太多，暂时忙不过来"
PAGE_HTML = (
    '<!doctype html><html lang="zh-Hans"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>{title}</title><h1>{title}</h1><p>{said}</p></html>"
)
Answer = Callable[[HttpRequest], HttpResponseBase]


class Busy(Exception):
    """Nobody can be let in. seconds: after which it is worth trying again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = max(1, ceil(seconds))


@dataclass(slots=True)
class Seat:
    """A place at which a request is worked on; it keeps its connection to the database."""

    connection: Any = None
    download: bool = False
    since: float = 0.0


@dataclass(slots=True, order=True)
class Waiter:
    """Somebody in the line. rank: when they came, and how long they stand behind an act."""

    rank: float
    nth: int
    come: threading.Event = field(compare=False, default_factory=threading.Event)
    seat: Seat | None = field(compare=False, default=None)
    gone: bool = field(compare=False, default=False)


class Gate:
    """Seats and two lines. All times in seconds, of `clock`."""

    def __init__(
        self,
        *,
        seats: int,
        line: int,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seats, self.most, self.patience, self.clock = seats, line, patience, clock
        self.downloads = max(1, seats // 2)
        self.mean = USUAL
        self.waiting = 0
        self.shed = 0
        self._lock = threading.Lock()
        self._free = [Seat() for _ in range(seats)]
        self._loading = 0  # downloads that have a seat
        self._line: list[Waiter] = []
        self._download_line: list[Waiter] = []
        self._nth = 0

    def enter(self, kind: float) -> Seat:
        """A seat, at once or after a while. Raises Busy."""
        download = kind == DOWNLOAD
        with self._lock:
            if self._free and not (download and self._loading >= self.downloads):
                return self._taken(self._free.pop(), download)
            expected = (self.waiting + 1) * self.mean / self.seats
            if self.waiting >= self.most or expected > self.patience:
                self.shed += 1
                raise Busy(expected)
            self._nth += 1
            waiter = Waiter(self.clock() + kind, self._nth)
            heapq.heappush(self._download_line if download else self._line, waiter)
            self.waiting += 1
        came = waiter.come.wait(self.patience)
        with self._lock:
            if not came and waiter.seat is None:
                waiter.gone = True  # skipped when its turn comes
                self.waiting -= 1
                self.shed += 1
                raise Busy(self.patience)
            assert waiter.seat is not None
            return waiter.seat

    def leave(self, seat: Seat) -> None:
        """Give the seat to whoever is next."""
        with self._lock:
            spent = self.clock() - seat.since
            if seat.download:
                self._loading -= 1  # a download says nothing about how long a page takes
            else:
                self.mean += (spent - self.mean) * LEARNING
            waiter, download = self._next()
            if waiter is None:
                self._free.append(seat)
                return
            self.waiting -= 1
            waiter.seat = self._taken(seat, download)
        waiter.come.set()

    def _next(self) -> tuple[Waiter | None, bool]:
        """The first of both lines, an export only while it may have a seat."""
        for line in (self._line, self._download_line):
            while line and line[0].gone:
                heapq.heappop(line)
        both = [(line[0], line) for line in (self._line, self._download_line) if line]
        for waiter, line in sorted(both, key=lambda one: one[0]):
            download = line is self._download_line
            if not (download and self._loading >= self.downloads):
                heapq.heappop(line)
                return waiter, download
        return None, False

    def _taken(self, seat: Seat, download: bool) -> Seat:
        seat.download, seat.since = download, self.clock()
        self._loading += download
        return seat


class Admit:
    """The middleware, directly below the request log, so that what is turned away has its line."""

    def __init__(self, get_response: Answer) -> None:
        if not env_bool("SERVED"):
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.gate = Gate(
            seats=settings.WEB_AT_ONCE, line=settings.WEB_LINE, patience=settings.WEB_PATIENCE
        )

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(FREE):
            try:
                return self.get_response(request)
            finally:  # a thread that only looked after us keeps no connection
                connections.close_all()
        try:
            seat = self.gate.enter(kind_of(request))
        except Busy as busy:
            return turned_away(request, busy.seconds)
        kept = False
        try:
            with seated(seat):
                response = self.get_response(request)
                if isinstance(response, StreamingHttpResponse) and not isinstance(
                    response, FileResponse
                ):
                    self._streamed(response, seat)
                    kept = True
        finally:
            if not kept:
                self.gate.leave(seat)
        return response

    def _streamed(self, response: StreamingHttpResponse, seat: Seat) -> None:
        """Its pieces are made while they are sent: the seat is kept until the last one was taken,
        or whoever took them has gone."""
        pieces = iter(response)
        left = threading.Lock()

        def leave() -> None:
            if left.acquire(blocking=False):
                self.gate.leave(seat)

        def each() -> Iterator[bytes]:
            try:
                while True:
                    with seated(seat):
                        piece = next(pieces, None)
                    if piece is None:
                        return
                    yield piece
            finally:
                leave()

        response.streaming_content = each()
        # Where not one piece was asked for.
        response._resource_closers.append(leave)  # type: ignore[attr-defined]

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        return gave_up(request, problem)


def gave_up(request: HttpRequest, problem: Exception) -> HttpResponse | None:
    """What the database gave up is a rush, too, and was rolled back: 503. None for anything else."""
    if isinstance(problem, OperationalError) and isinstance(
        problem.__cause__,
        (errors.QueryCanceled, errors.LockNotAvailable, errors.TooManyConnections),
    ):
        return turned_away(request, ceil(LOCK / 1000))
    return None


@contextmanager
def seated(seat: Seat) -> Iterator[None]:
    """This thread works with the seat's connection, and with no other."""
    if seat.connection is None:
        seat.connection = _connection()
    seat.connection.close_if_unusable_or_obsolete()
    connections["default"] = seat.connection
    try:
        yield
    finally:
        del connections["default"]


def _connection() -> Any:
    """A connection for any thread, one after another, whose statements end."""
    made = connections.create_connection("default")
    made.inc_thread_sharing()
    options = dict(made.settings_dict["OPTIONS"])
    options["options"] = (
        f"{options.get('options', '')} -c statement_timeout={STATEMENT} -c lock_timeout={LOCK}"
    )
    made.settings_dict = {**made.settings_dict, "OPTIONS": options}
    return made


def kind_of(request: HttpRequest) -> float:
    """An act of somebody signed in, a page, or an export."""
    if EXPORT.search(request.path_info):
        return DOWNLOAD
    known = settings.SESSION_COOKIE_NAME in request.COOKIES or "HTTP_AUTHORIZATION" in request.META
    if known and request.method not in ("GET", "HEAD", "OPTIONS"):
        return ACT
    return PAGE


def turned_away(request: HttpRequest, seconds: int) -> HttpResponse:
    """503: when to come again, and that nothing was done. Costs neither the database nor a page."""
    figures.refused("server.busy")
    said = f"这次什么都没有办，也没有改动。请 {seconds} 秒后再试一次。"
    if problems.wanted(request):
        answer = problems.problem(503, "server.busy", TITLE, said)
    else:
        answer = HttpResponse(PAGE_HTML.format(title=TITLE, said=said), status=503)
        answer["Content-Security-Policy"] = "default-src 'none'"
        answer["Cache-Control"] = "no-store"
    answer["Retry-After"] = str(seconds)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # the request log has its line
    return answer
