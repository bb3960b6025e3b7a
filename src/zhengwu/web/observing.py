"""The outermost middleware (观察): each request gets a number, a log line and its place in the figures.

The number (请求编号) is made here, or taken from `X-Request-ID` where a trusted proxy sent it; it
stands in the answer, in every log line of the request, and on the page that says something went
wrong. The line says route, status and who (the code of a member of staff or of a system, no name),
never the path or the query: they hold numbers of cases. A process whose generation is leaving
(config/generations.py) asks here that connections be closed.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import mmap
import re
import secrets
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from zhengwu.web import figures

HEADER = "X-Request-ID"
PEER = "zhengwu.peer"  # in the WSGI environment: who really connected, before proxies are believed
FIT = re.compile(r"[A-Za-z0-9._:-]{8,64}")
QUIET = ("/healthz", "/readyz", "/metrics", "/static/")  # counted, where they have a route; no line
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
Answer = Callable[[HttpRequest], HttpResponseBase]
WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
log = logging.getLogger("zhengwu.request")
_quoted = json.JSONEncoder(ensure_ascii=False).encode
_current: ContextVar[str] = ContextVar("request", default="")
_leaving: mmap.mmap | bytes = b"\0"


def current() -> str:
    """The number of the request that is being answered here; empty outside of one."""
    return _current.get()


def peer_kept(application: WSGI) -> WSGI:
    """Notes who really connected, before the headers of proxies are believed."""

    def noted(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ[PEER] = environ.get("REMOTE_ADDR", "")
        return application(environ, start)

    return noted


@lru_cache(maxsize=256)
def _trusted(peer: str) -> bool:
    """Whether it is one of ZHENGWU_TRUSTED_PROXIES, addresses or networks."""
    try:
        address = ipaddress.ip_address(peer)
        networks = [ipaddress.ip_network(one, strict=False) for one in settings.TRUSTED_PROXIES]
    except ValueError:
        return peer in settings.TRUSTED_PROXIES
    return any(address in network for network in networks)


def leave_with(descriptor: int) -> None:
    """One byte of shared memory: once it is not 0, answers close their connections."""
    global _leaving
    _leaving = mmap.mmap(descriptor, 1, access=mmap.ACCESS_READ)


def observe(get_response: Answer) -> Answer:
    """The middleware."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        started = perf_counter()
        meta = request.META
        number = meta.get("HTTP_X_REQUEST_ID")
        if number is None or not _trusted(meta.get(PEER, "")) or not FIT.fullmatch(number):
            number = secrets.token_hex(8)
        token = _current.set(number)
        try:
            response = get_response(request)
            seconds = perf_counter() - started
            match = request.resolver_match
            route = match.view_name if match is not None else ""
            status, method = response.status_code, request.method
            if route or not request.path_info.startswith("/static/"):
                kind = method if method in METHODS else "other"
                figures.answered(route or "none", kind or "other", status, seconds)
            if not request.path_info.startswith(QUIET):
                _tell(request, response, route, seconds)
        finally:
            _current.reset(token)
        response.headers[HEADER] = number
        if _leaving[0]:
            response.headers["Connection"] = "close"
        return response

    return answer


def _tell(request: HttpRequest, response: HttpResponseBase, route: str, seconds: float) -> None:
    """One line. It is written here, as config.logs.Lines would: that would take as long again."""
    if not log.isEnabledFor(logging.INFO):
        return
    # Only who is known already: asking now would cost a query for pages that need none.
    caller = getattr(request, "auth", None)
    if (actor := getattr(caller, "actor", None)) is not None:
        who = f', "who": {_quoted(actor.code)}'
    elif code := getattr(getattr(request, "_cached_user", None), "code", ""):
        who = f', "who": {_quoted(code)}'
    else:
        who = ""
    method = request.method if request.method in METHODS else "other"
    # Without looking for the line of code that speaks, as `log.info` would: it is this one.
    record = log.makeRecord(log.name, logging.INFO, "", 0, "request", (), None)
    second, rest = divmod(record.created, 1)
    record.line = (
        f'{{"at": "{_second(int(second))}.{int(rest * 1000):03}+00:00", "level": "info", '
        f'"from": "{log.name}", "say": "request", "process": {record.process}, '
        f'"request": "{_current.get()}", "route": "{route or "none"}", "method": "{method}", '
        f'"status": {response.status_code}, "ms": {seconds * 1000:.1f}{who}}}'
    )
    log.handle(record)
    # Django's own line about a 404 would come after the number is forgotten, and say less.
    response._has_been_logged = True  # type: ignore[attr-defined]


@lru_cache(maxsize=4)
def _second(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()[:19]
