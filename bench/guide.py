"""The guide page: requests a second through the whole WSGI application, in this process.

    python -m bench.guide [SECONDS [ITEMS]]

In a catalogue of ITEMS (2,500) items in sixteen places. `bare` asks for the catalogue's edition and
answers with nothing, through the same middleware: less than that no kept page can cost. `kept`: one
page again and again; `not modified`: a browser that has it; `spread`: pages as people ask for them,
the n-th most wanted one n-th as often; `drawn`: every page anew. Then `kept` in two processes at
once, as many as the machine has cores. The paper: first and kept, in milliseconds. One JSON line each; the last: `kept`, and how many times as long as `bare` it takes.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

from bench import _catalogue
from bench._line import line

PROCESSES = 2
WARM = 1_000  # requests before `spread` is measured, so that what is wanted most is kept


def show(what: str, **figures: Any) -> None:
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"bench": "guide", "what": what, **figures, "load": load}), flush=True)


def per_second(ask: Callable[[], object], seconds: float) -> float:
    """The best of three thirds."""
    best = 0.0
    for _ in range(3):
        began, count = time.perf_counter(), 0
        while (spent := time.perf_counter() - began) < seconds / 3:
            ask()
            count += 1
        best = max(best, count / spent)
    return best


def wanted(codes: tuple[str, ...]) -> Iterator[str]:
    """Codes of guides, the n-th most wanted one n-th as often."""
    chance = random.Random(_catalogue.SEED)
    weights = [1 / n for n in range(1, len(codes) + 1)]
    while True:
        yield from chance.choices(codes, weights, k=1_000)


def bare() -> Callable[[], int]:
    """The edition of the catalogue and an empty answer, through the same middleware."""
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    from zhengwu.catalog import queries

    def view(request: HttpRequest) -> HttpResponse:
        queries.edition()
        return HttpResponse(b"")

    class Urls:
        urlpatterns = (path("bare", view, name="healthz"),)

    application = WSGIHandler()

    def ask() -> int:
        settings.ROOT_URLCONF, before = Urls, settings.ROOT_URLCONF
        try:
            return _catalogue.asked(application, "/bare")[0]
        finally:
            settings.ROOT_URLCONF = before

    assert ask() == 200
    return ask


def served(seconds: float, path: str, told: Connection) -> None:
    """One of several processes that answer at once."""
    from django.db import connections

    connections.close_all()
    application = _catalogue.client()
    _catalogue.asked(application, path)
    told.send("ready")
    told.recv()
    began, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        _catalogue.asked(application, path)
        count += 1
    told.send(count / spent)
    connections.close_all()


def together(seconds: float, path: str) -> float:
    context = get_context("fork")
    lines: list[Connection] = []
    processes = []
    for _ in range(PROCESSES):
        ours, theirs = context.Pipe()
        process = context.Process(target=served, args=(seconds, path, theirs))
        process.start()
        lines.append(ours)
        processes.append(process)
    for one in lines:
        one.recv()
    for one in lines:
        one.send("go")
    rates = [float(one.recv()) for one in lines]
    for process in processes:
        process.join()
    return sum(rates)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    items = int(sys.argv[2]) if len(sys.argv) > 2 else _catalogue.ITEMS
    with _catalogue.catalogue(items) as codes:
        from zhengwu.portal.items import views

        application = _catalogue.client()
        one = f"/items/{codes[0]}"
        status, body = _catalogue.asked(application, one)
        assert status == 200
        from django.test import Client

        etag = Client(SERVER_NAME="localhost").get(one)["ETag"]
        least = per_second(bare(), seconds)
        show("bare", per_second=round(least))

        def measured(what: str, ask: Callable[[], object], **more: Any) -> float:
            rate = per_second(ask, seconds)
            show(what, per_second=round(rate), ratio=round(least / rate, 2), **more)
            return rate

        kept = measured("kept", lambda: _catalogue.asked(application, one), bytes=len(body))
        measured(
            "not modified", lambda: _catalogue.asked(application, one, HTTP_IF_NONE_MATCH=etag)
        )
        spread = wanted(codes)
        for _ in range(WARM):
            _catalogue.asked(application, f"/items/{next(spread)}")
        measured("spread", lambda: _catalogue.asked(application, f"/items/{next(spread)}"))
        each = itertools.cycle(codes)

        def drawn() -> None:
            views._pages.clear()
            _catalogue.asked(application, f"/items/{next(each)}")

        measured("drawn", drawn)
        from django.db import connections

        connections.close_all()
        show("kept, two processes", per_second=round(together(seconds, one)))
        first: list[float] = []
        again: list[float] = []
        for code in codes[:10]:
            for times in (first, again):
                began = time.perf_counter()
                assert _catalogue.asked(application, f"/items/{code}.pdf")[0] == 200
                times.append((time.perf_counter() - began) * 1_000)
        show("paper", first_ms=round(median(first), 1), slowest_ms=round(max(first)),
             kept_ms=round(median(again), 2))  # fmt: skip
        line("guide", round(kept), "pages/s", ratio=round(least / kept, 2))


if __name__ == "__main__":
    main()
