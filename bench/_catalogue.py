"""A whole city's catalogue on a private server, for the measurements that need one.

The demo city, its list filled to ITEMS items by `catalog.filling`, every one of them at a department
that has bureaus in all fifteen districts, and done there too: ITEMS in sixteen places. Published
through the service that everybody uses; the same every time.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import django

from zhengwu.config.postgres import APP, DATABASE, OWNER, Cluster

ITEMS = 2_500
SEED = 20260914
AT = datetime(2026, 1, 5, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@contextmanager
def catalogue(items: int = ITEMS) -> Iterator[tuple[str, ...]]:
    """Start the server, set Django up, fill it; the codes of the departments' made-up guides."""
    with tempfile.TemporaryDirectory(prefix="zhengwu-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # the server's system user passes through
        cluster = Cluster(home, durable=False)
        os.environ.update(
            DJANGO_SETTINGS_MODULE="zhengwu.config.settings",
            ZHENGWU_DEMO="1",
            ZHENGWU_HOME=str(home / "home"),
            ZHENGWU_SECRET_KEY="only-for-the-bench-and-for-nothing-else-0123456789",
            ZHENGWU_DATABASE_URL=cluster.url(role=APP, database=DATABASE),
            ZHENGWU_OWNER_DATABASE_URL=cluster.url(role=OWNER, database=DATABASE),
            ZHENGWU_LOG_LEVEL="ERROR",
        )
        (home / "home").mkdir()
        with cluster.start():
            django.setup()
            from django.db import connections

            from zhengwu.catalog import filling, queries
            from zhengwu.config import demo, migrate

            migrate.run()
            demo.build(at=AT, cases=0)
            _everywhere(filling)
            began = time.perf_counter()
            made = filling.fill(items=items, at=AT)
            with cluster.connect(DATABASE) as owner:
                owner.execute("ANALYZE")
            spent = time.perf_counter() - began
            print(f"{made.items} items, in {made.places} places, made in {spent:.0f} s", flush=True)
            rows = queries.receivable(None, TODAY)
            yield tuple(one.code for one in rows if one.generated and "-" not in one.code)
            connections.close_all()


def _everywhere(filling: Any) -> None:
    """Whatever is made is done in every district."""
    all_organs = filling._organs

    def organs(day: date) -> tuple[Any, Any]:
        departments, below = all_organs(day)
        return tuple(one for one in departments if len(below.get(one.agency, ())) >= 15), below

    filling.IN_DISTRICTS, filling._organs = 1.0, organs


def client() -> Any:
    """Our whole WSGI application, to be asked in this process."""
    from zhengwu.config.wsgi import application

    return application


def asked(application: Any, path: str, query: str = "", **headers: str) -> tuple[int, bytes]:
    """Status and body of one request."""
    status: list[int] = []

    def start(line: str, answered: Any, problem: Any = None) -> None:
        status.append(int(line.split()[0]))

    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.version": (1, 0), "SCRIPT_NAME": "", **headers,
    }  # fmt: skip
    answer = application(environ, start)
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return status[0], body
