"""A server and a real Chromium for the browser tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.signals import request_finished
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright

from tests.setup import browser as setup


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


def _close(**_: object) -> None:
    # A request has a thread of its own here, and the thread takes no connection with it.
    connections.close_all()


class _Door:
    """The application while a test lasts: what a page sends as it closes (a draft) is worked to its
    end before the next test's database stands, and what comes later still is turned away."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application, self._inside, self._shut = application, 0, False
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterator[bytes]:
        with self._changed:
            if self._shut:
                start("503 Service Unavailable", [("Content-Length", "0")])
                return
            self._inside += 1
        try:
            answer = self._application(environ, start)
            try:
                yield from answer
            finally:
                if hasattr(answer, "close"):
                    answer.close()
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def shut(self) -> None:
        with self._changed:
            self._shut = True
            assert self._changed.wait_for(lambda: not self._inside, timeout=30)


@pytest.fixture
def server(city: None) -> Iterator[str]:
    """The address of the platform, served over the test's database."""
    from zhengwu.config.wsgi import application

    request_finished.connect(_close)
    door = _Door(application)
    httpd = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet, ipv6=False)
    httpd.daemon_threads = True
    httpd.set_app(door)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    door.shut()
    httpd.server_close()
    request_finished.disconnect(_close)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this folder; every test opens a context of its own in it. Playwright keeps a
    loop running in this thread, which Django takes for asynchronous code; nothing here is."""
    path = setup.found()
    if path is None:
        pytest.skip(setup.HOW)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A desk: 1366 × 768. A message of the page's own scripts or policy fails the test."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(10_000)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda m: (
            said.append(m.text) if m.type == "error" and "Security Policy" in m.text else None
        ),
    )
    yield page
    context.close()
    assert not said


@pytest.fixture
def plain(chromium: Browser) -> Iterator[Page]:
    """The same without JavaScript."""
    context = chromium.new_context(
        viewport={"width": 1366, "height": 768}, locale="zh-CN", java_script_enabled=False
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()
