"""Alive, ready, and what every answer carries."""

from __future__ import annotations

import pytest
from django.test import Client

from zhengwu.config import tamper

pytestmark = pytest.mark.usefixtures("db")


def test_alive_asks_nothing() -> None:
    assert Client().get("/healthz").status_code == 200


def test_without_a_worker_it_is_not_ready_and_says_why() -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "database": "ok",
        "migrations": "ok",
        "worker": "absent",
    }


def test_the_application_cannot_rewrite_the_log() -> None:
    answers = list(tamper.attempts())
    assert len(answers) >= 8
    assert [statement for statement, refusal in answers if refusal is None] == []


def test_pages_carry_the_headers() -> None:
    headers = Client().get("/").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
