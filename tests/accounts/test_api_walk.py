"""Every operation of the interface, and who gets nothing from it.

The walk reads the operations from the OpenAPI document itself and holds them against the addresses
of ROOT_URLCONF, so that a new one is walked the day it is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.accounts.test_url_walk import ALL, NOBODYS, Case, ask, body, case, signed_in, stranger
from tests.api.asking import ROOT, document, fits
from tests.api.system import EVERYTHING, SECURITY, issue, register
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import systems
from zhengwu.accounts.models import Token
from zhengwu.config.api import DOORS, METHODS
from zhengwu.config.public_urls import PUBLIC

__all__ = ["case"]
EVERY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
PROBLEM = "application/problem+json"
NO_ID = "00000000-0000-4000-8000-000000000000"
CLERK, ELSEWHERE = "p-water-clerk", "p-market-clerk"


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation. name: of its address; shape: its path with blanks."""

    id: str
    method: str
    shape: str
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"api:{self.id.replace('_', '-')}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return DOORS[self.id].scopes

    def path(self, case: Case | None = None) -> str:
        """With the real case in it, or with one that is not there."""
        number, check = (case.number, case.check) if case else (NOBODYS, "AAAA2222BBBB3333")
        return self.shape.format(
            number=number, check=check, id=NO_ID, act="accepted", code="XK0031"
        )

    def content(self) -> dict[str, Any]:
        """What to send, of its example: nothing of it is wrong but who asks."""
        sent = self.told.get("requestBody", {}).get("content", {})
        if "application/json" not in sent:
            return {}
        return {
            "data": json.dumps(sent["application/json"].get("example")),
            "content_type": "application/json",
        }


def operations() -> Iterator[Asked]:
    for shape, methods in document()["paths"].items():
        for method, told in methods.items():
            yield Asked(told["operationId"], method.upper(), shape, told)


def closed() -> list[Asked]:
    return [one for one in operations() if one.name not in PUBLIC]


def send(client: Any, one: Asked, path: str, *, token: str = "", person: str = CLERK) -> Any:
    headers = {"Idempotency-Key": str(uuid4()), "X-Acting-Person": person}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return client.generic(one.method, path, headers=headers, **one.content())


def refused(answer: Any, status: int, code: str, told: object) -> None:
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM), (told, body(answer))
    fits({"$ref": "#/components/schemas/Problem"}, answer.json())
    assert answer.json()["code"] == code, (told, body(answer))
    assert answer["Cache-Control"] == "no-store", told


def test_every_operation_has_an_address_and_a_door_or_is_public_with_a_reason(city: None) -> None:
    names = {one.name for one in ALL if one.name.startswith("api:")}
    asked = {one.name: one for one in operations()}
    assert names - {"api:openapi-json", "api:api-root"} == set(asked)
    for name, one in asked.items():
        assert (name in PUBLIC) == (one.id not in DOORS), (
            f"{name}：没有门（auth=None）的要在 config/public_urls.py 里写明理由，写了理由的不要门。"
        )


def test_a_stranger_is_told_to_say_who_asks_by_every_method_there_is(case: Case) -> None:
    client = stranger(csrf=True)
    for one in closed():
        allowed = METHODS[one.name.removeprefix("api:")]
        for method in EVERY_METHOD:
            for where in (one.path(case), one.path()):
                answer, told = ask(client, method, where), (method, where)
                if method == "HEAD" and "GET" in allowed:  # what GET says without its body
                    assert (answer.status_code, answer["Content-Type"]) == (401, PROBLEM), told
                elif method == "HEAD":
                    assert answer.status_code == 405, told
                elif method in allowed:
                    refused(answer, 401, "api.token", told)
                    assert answer["WWW-Authenticate"].startswith("Bearer"), told
                else:
                    refused(answer, 405, "http.405", told)
                    assert set(answer["Allow"].split(", ")) - {"HEAD"} == set(allowed), told
                assert not answer.cookies, told
                assert not [held for held in case.secrets() if held in body(answer)], told


def test_a_token_without_the_scope_opens_nothing(case: Case) -> None:
    client, system = stranger(), register()
    tokens = {
        scopes: issue(system, *(one for one in EVERYTHING if one not in scopes))
        for scopes in {one.scopes for one in closed()}
    }
    for one in closed():
        answer = send(client, one, one.path(case), token=tokens[one.scopes])
        if one.scopes:
            refused(answer, 403, "api.scope", one)
        else:
            assert answer.status_code == 200, (one, body(answer))


def test_a_token_that_expired_and_one_that_was_revoked_open_nothing(case: Case) -> None:
    old = datetime.now(UTC) - timedelta(days=40)
    system = register(at=old)
    expired, revoked = issue(system, days=30, at=old), issue(system)
    newest = Token.objects.order_by("-issued")[0]
    systems.revoke(accounts.actor(SECURITY), newest.id, key=str(uuid4()), at=datetime.now(UTC))
    client = stranger()
    for token in (expired, revoked):
        for one in closed():
            answer = send(client, one, one.path(case), token=token)
            refused(answer, 401, "api.token", one)


def test_a_system_of_another_agency_cannot_tell_the_case_from_none(case: Case) -> None:
    token = issue(register("market-oa", agency="420100-market"))
    client = stranger()
    asked = [one for one in closed() if "{number}" in one.shape]
    assert len(asked) > 30
    for one in asked:
        real, none = (
            send(client, one, where, token=token, person=ELSEWHERE)
            for where in (one.path(case), one.path())
        )
        refused(real, 404, "case.not_found", one)
        assert real.content == none.content, one
        # Nor by the name of somebody who does see it: the system does not reach them.
        theirs = send(client, one, one.path(case), token=token, person=CLERK)
        refused(theirs, 403, "api.person", one)
    assert case.number not in body(send_list(client, token))


def send_list(client: Any, token: str) -> Any:
    return client.get(f"{ROOT}/cases", headers={"Authorization": f"Bearer {token}"})


def test_staff_with_a_session_read_their_own_and_write_nothing(case: Case) -> None:
    owner, other = signed_in(CLERK), signed_in(ELSEWHERE)
    for one in closed():
        if one.method != "GET":
            refused(send(owner, one, one.path(case)), 401, "api.token", one)
            continue
        answer = send(owner, one, one.path(case))
        assert answer.status_code in (200, 403, 404), (one, answer.status_code)
        if "{number}" in one.shape:
            refused(send(other, one, one.path(case)), 404, "case.not_found", one)
        held = [each for each in case.secrets() if answer.status_code == 200 and
                not answer.streaming and each in body(answer)]  # fmt: skip
        assert not held, one
