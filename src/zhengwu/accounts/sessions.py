"""Sessions in the database (会话), found with one prepared statement.

Django's own store, but for the one question that every request asks: put together by the ORM it
costs more than the answer. The same statement brings the person whose session it was the last time
and what they hold. That is a guess of this process alone and decides nothing: what the session
itself says is whose it is, and Django checks it as ever; where the guess is wrong, one asks again.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import db
from django.core import signing
from django.db import connection
from django.http import HttpRequest

MOST = 5_000  # sessions whose person, and whose verified text, a process keeps in mind
_whose: dict[str, int] = {}


@cache
def _found() -> tuple[int, str]:
    """How many columns are the person's, and the statement: session, person, standing."""
    from zhengwu.accounts import standing
    from zhengwu.accounts.models import person_fields

    columns = ", ".join(f'p."{column}"' for _, column in person_fields())
    return len(person_fields()), (
        f"SELECT s.session_data, {columns}, {standing.COLUMNS} FROM django_session s"  # noqa: S608
        " LEFT JOIN (accounts_person p LEFT JOIN accounts_agency a ON a.code = p.agency_id)"
        " ON p.id = %s::bigint WHERE s.session_key = %s::text AND s.expire_date > now()"
    )


class _AsItIs:
    """A serializer of what is serialized."""

    def dumps(self, obj: bytes) -> bytes:
        return obj

    def loads(self, data: bytes) -> bytes:
        return data


@lru_cache(maxsize=MOST)
def _signed(session_data: str, salt: str, _keys: tuple[str, ...]) -> bytes:
    """What a session's text holds. Raises signing.BadSignature where we have not signed it."""
    held: bytes = signing.loads(session_data, salt=salt, serializer=_AsItIs)
    return held


class SessionStore(db.SessionStore):
    """What a session holds; one that is not there or has ended holds nothing and loses its key.

    person: whoever it was guessed to be, as read together with it; None: not guessed or not there.
    """

    person: AbstractBaseUser | None = None

    def load(self) -> dict[str, Any]:
        key = self.session_key
        wide, question = _found()
        with connection.cursor() as cursor:
            cursor.execute(question, [_whose.get(key or ""), key])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(found[0])
        self._remember(key, data.get(SESSION_KEY))
        if found[1] is not None:
            from zhengwu.accounts.models import Person

            self.person = Person.told(found[1 : wide + 1], found[wide + 1 :])
        return data

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Django's; what was signed is looked at once, for as long as the session stays as it is."""
        keys = settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS
        try:
            signed = _signed(str(session_data), self.key_salt, keys)
            held: dict[str, Any] = self.serializer().loads(signed)
        except Exception:
            return super().decode(session_data)  # which knows what is to be said of it
        return held

    @staticmethod
    def _remember(key: str | None, person: str | None) -> None:
        if key is None or person is None or not person.isdecimal():
            return
        if len(_whose) >= MOST and key not in _whose:
            _whose.clear()
        _whose[key] = int(person)


class SignedIn(AuthenticationMiddleware):
    """Django's, which finds a person that was read with the session without asking again."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)  # `auser` as well
        request.user = _person(request)  # type: ignore[assignment]  # at once: the next asks for it


def _person(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    from zhengwu.accounts.models import AT_HAND

    request.session.get(SESSION_KEY)  # reads the session, if nobody did yet
    token = AT_HAND.set(getattr(request.session, "person", None))
    try:
        return get_user(request)
    finally:
        AT_HAND.reset(token)
