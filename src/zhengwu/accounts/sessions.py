"""Sessions in the database (会话), found with one prepared statement.

Django's own store, but for the one question that every request asks: put together by the ORM it
costs more than the answer.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection

FOUND = (
    "SELECT session_data FROM django_session WHERE session_key = %s::text AND expire_date > now()"
)


class SessionStore(db.SessionStore):
    """What a session holds; one that is not there or has ended holds nothing and loses its key."""

    def load(self) -> dict[str, Any]:
        with connection.cursor() as cursor:
            cursor.execute(FOUND, [self.session_key])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(found[0])
        return data
