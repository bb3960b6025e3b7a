"""Every request has a number that stands wherever it is spoken of; no line says too much."""

from __future__ import annotations

import json
import logging
import mmap
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from zhengwu.config import urls
from zhengwu.config.logs import Lines
from zhengwu.web import observing, problems

pytestmark = pytest.mark.usefixtures("city")


def broken(request: HttpRequest) -> HttpResponse:
    logging.getLogger("zhengwu.somewhere").warning("on the way")
    raise ValueError("张伟")


def busy(request: HttpRequest) -> HttpResponse:
    return problems.problem(503, "api.busy", "忙", "请稍后再试。")


class Urls:
    urlpatterns = (
        path("help/broken/JC2026091400001", broken, name="help"),
        path("api/v1/busy", busy, name="help"),
        *urls.urlpatterns,
    )
    handler500 = urls.handler500


@pytest.fixture(autouse=True)
def _home() -> None:
    Path(settings.HOME).mkdir(exist_ok=True)


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is written to the log, read again."""
    written: list[dict[str, Any]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(json.loads(self.format(record)))

    kept = Kept()
    kept.setFormatter(Lines())
    root = logging.getLogger()
    root.addHandler(kept)
    yield written
    root.removeHandler(kept)


def test_a_fault_of_ours_can_be_quoted_and_found(lines: list[dict[str, Any]]) -> None:
    with override_settings(ROOT_URLCONF=Urls):
        client = Client(raise_request_exception=False)
        page = client.get("/help/broken/JC2026091400001", {"q": "张伟"})
        program = client.get("/api/v1/busy")
    number = page[observing.HEADER]
    assert page.status_code == 500
    assert f"请求编号 {number}" in page.content.decode()
    assert program.json()["request"] == program[observing.HEADER] != number
    found = [one for one in lines if one.get("request") == number]
    assert [one["from"] for one in found] == [
        "zhengwu.somewhere",
        "django.request",
        "zhengwu.request",
    ]
    last = found[-1]
    assert (last["route"], last["method"], last["status"]) == ("help", "GET", 500)
    assert last["ms"] >= 0
    written = json.dumps(lines, ensure_ascii=False)
    assert "JC2026091400001" not in written
    assert "张伟" not in written


def test_a_line_says_who_by_code_and_nothing_of_the_query(lines: list[dict[str, Any]]) -> None:
    client = Client()
    client.force_login(
        get_user_model().objects.get(code="p-water-clerk"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    assert client.get("/desk/", {"q": "JC2026091400001"}).status_code in (200, 302)
    assert client.get("/desk/cases/JC2026091400001").status_code == 404
    Client().get("/help")
    ours = [one for one in lines if one["from"] == "zhengwu.request"]
    assert [(one["route"], one.get("who")) for one in ours] == [
        ("desk:inbox", "p-water-clerk"), ("desk:case", "p-water-clerk"), ("help", None),
    ]  # fmt: skip
    assert len({one["request"] for one in ours}) == 3
    assert "JC2026091400001" not in json.dumps(lines)


def test_a_form_without_its_token_is_told_without_the_path(lines: list[dict[str, Any]]) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/desk/cases/JC2026091400001/acts/accepted").status_code == 403
    (refused,) = [one for one in lines if one["from"] == "django.security.csrf"]
    assert refused["request"]
    assert "JC2026091400001" not in json.dumps(lines)


def test_health_and_static_files_write_no_line(lines: list[dict[str, Any]]) -> None:
    for where in ("/healthz", "/readyz", "/metrics", "/static/none.css"):
        assert observing.HEADER in Client().get(where)
    assert [one for one in lines if one["from"] == "zhengwu.request"] == []


@pytest.mark.parametrize(
    ("peer", "sent", "taken"),
    [
        ("10.1.2.3", "0123-abcd.EF:9", True),
        ("10.1.2.4", "0123-abcd.EF:9", False),
        ("", "0123-abcd.EF:9", False),
        ("10.1.2.3", "short", False),
        ("10.1.2.3", "x" * 65, False),
        ("10.1.2.3", 'a"b c{d}efgh', False),
    ],
)
def test_a_number_is_believed_of_a_trusted_proxy_alone(peer: str, sent: str, taken: bool) -> None:
    observing._trusted.cache_clear()
    with override_settings(TRUSTED_PROXIES=["10.1.2.3"]):
        answer = Client().get("/healthz", headers={"x-request-id": sent}, **{observing.PEER: peer})  # type: ignore[arg-type]
    observing._trusted.cache_clear()
    assert (answer[observing.HEADER] == sent) is taken
    assert observing.current() == ""


def test_whoever_connected_is_noted_before_proxies_are_believed() -> None:
    seen = {}

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        seen.update(environ)
        return []

    observing.peer_kept(application)({"REMOTE_ADDR": "10.1.2.3"}, lambda *_: None)
    assert seen[observing.PEER] == "10.1.2.3"


def test_a_process_that_leaves_closes_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "_leaving", b"\0")
    with tempfile.TemporaryFile() as file:
        file.write(b"\0")
        file.flush()
        observing.leave_with(file.fileno())
        assert "Connection" not in Client().get("/healthz")
        with mmap.mmap(file.fileno(), 1) as shared:
            shared[0] = 1
        assert Client().get("/healthz")["Connection"] == "close"
