"""A connection that the server ended is noticed before it is used, and nobody sees an error."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as ours
from django.db import connections
from django.test import Client

pytestmark = pytest.mark.usefixtures("city")
connection: Any = ours


def pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_session_that_was_ended_is_opened_anew(city: None) -> None:
    first = pid()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    other.close()
    # As at the beginning of a request.
    connection.health_check_done = False
    connection.health_check_enabled = True
    assert pid() != first


def test_pages_go_on_after_the_server_ended_every_session(city: None) -> None:
    client = Client(SERVER_NAME="localhost")
    assert client.get("/").status_code == 200
    first = pid()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    other.close()
    connection.health_check_done = False
    assert client.get("/").status_code == 200
