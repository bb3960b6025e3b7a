"""Another system that asks and acts: registered and given a token by the security administrator."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from django.test import Client

from tests.api.asking import ROOT, Answer, document, fits
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import systems
from zhengwu.accounts.scopes import SCOPES
from zhengwu.ledger import queries as ledger

SECURITY = "p-security_admin"
EVERYTHING = tuple(SCOPES)
DIGITS = re.compile(r"^JC\d+$")
# Answers that are no JSON.
BYTES = ("application/pdf", "application/octet-stream", "text/csv", "application/x-ndjson",
         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")  # fmt: skip


class System:
    """A client with a token. Every answer is held against the OpenAPI document."""

    def __init__(self, token: str, *, person: str = "") -> None:
        self.token = token
        self.person = person
        self.client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)

    def acting(self, person: str) -> System:
        return System(self.token, person=person)

    def get(self, path: str, given: dict[str, Any] | None = None, **headers: str) -> Answer:
        answer: Any = self.client.get(f"{ROOT}{path}", given or {}, headers=self._told(headers))
        return self._held("get", path, answer)

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> Answer:
        told = self._told({"Idempotency-Key": key or str(uuid4())} | headers)
        answer: Any = self.client.post(
            f"{ROOT}{path}", json.dumps(body), content_type="application/json", headers=told
        )
        return self._held("post", path, answer)

    def send(self, path: str, parts: dict[str, Any], *, key: str | None = None) -> Answer:
        told = self._told({"Idempotency-Key": key or str(uuid4())})
        answer: Any = self.client.post(f"{ROOT}{path}", parts, headers=told)
        return self._held("post", path, answer)

    def _told(self, headers: dict[str, str]) -> dict[str, str]:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if self.person:
            own["X-Acting-Person"] = self.person
        return {name: value for name, value in (own | headers).items() if value}

    def _held(self, method: str, path: str, answer: Any) -> Answer:
        told = _operation(method, path)["responses"].get(str(answer.status_code))
        assert told is not None, (method, path, answer.status_code, answer.content)
        media = answer.get("Content-Type", "").split(";")[0]
        if answer.status_code == 304 or media in BYTES:
            assert answer.status_code == 304 or media in told["content"], media
            return answer  # type: ignore[no-any-return]
        fits(told["content"][media]["schema"], answer.json())
        return answer  # type: ignore[no-any-return]


@cache
def _shapes() -> list[tuple[re.Pattern[str], str, bool]]:
    """The addresses of the document as patterns, those without a blank first."""
    found = [
        (re.compile(f"^{re.sub(r'{[^}]+}', '[^/]+', path)}$"), path, "{" in path)
        for path in document()["paths"]
    ]
    return sorted(found, key=lambda one: one[2])


def _operation(method: str, path: str) -> Any:
    bare = f"{ROOT}{path.partition('?')[0]}"
    where = next(shape for pattern, shape, _ in _shapes() if pattern.match(bare))
    return document()["paths"][where][method]


def register(
    code: str = "water-oa",
    *,
    agency: str = "420100-water",
    role: str = "agency_system",
    place: str = "",
    at: datetime | None = None,
) -> Any:
    """A registered system; its id."""
    return systems.register(
        accounts.actor(SECURITY), code=code, name=f"{code} 系统", agency=agency, role=role,
        place=place, key=str(uuid4()), at=at or datetime.now(UTC),
    )  # fmt: skip


def issue(system: Any, *scopes: str, days: int = 30, at: datetime | None = None) -> str:
    """A token of a system; everything where no scope is named."""
    return systems.issue(
        accounts.actor(SECURITY), system, scopes=scopes or EVERYTHING, days=days,
        key=str(uuid4()), at=at or datetime.now(UTC),
    ).secret  # fmt: skip


def water(*scopes: str, person: str = "") -> System:
    """The water bureau's own system."""
    return System(issue(register(), *scopes), person=person)


def events_of(number: str) -> list[Any]:
    """The events of a case, from the log itself."""
    from zhengwu.cases.models import Case

    return ledger.stream_events("case", Case.objects.get(number=number).id)
