"""Asking the interface over HTTP, and holding every answer against the OpenAPI document."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Protocol

from django.test import Client
from openapi_schema_validator import OAS31Validator

from tests.desk import walk

ROOT = "/api/v1"
DOCUMENT = f"{ROOT}/openapi.json"
# Whatever is wrong with any address, apart from what the document says of one.
ANYWHERE = {"401", "404", "405", "422", "429"}


class Answer(Protocol):
    """What Django's client hands back."""

    @property
    def content(self) -> bytes: ...
    @property
    def status_code(self) -> int: ...
    def __getitem__(self, header: str, /) -> str: ...
    def json(self) -> Any: ...


@cache
def document() -> Any:
    """The OpenAPI document as it is served."""
    answer: Any = walk.public().get(DOCUMENT)
    assert answer.status_code == 200
    return answer.json()


def fits(schema: Any, value: Any) -> None:
    """Fails where the value is not what the schema says."""
    whole = {**schema, "components": document()["components"]}
    OAS31Validator(whole, format_checker=OAS31Validator.FORMAT_CHECKER).validate(value)


def ask(client: Client, path: str, given: dict[str, str] | None = None, **headers: str) -> Answer:
    """GET; the answer is held against the document before it is handed back."""
    answer: Any = client.get(f"{ROOT}{path}", given or {}, headers=headers)
    where = re.sub(r"^/cases/[^/]+/", "/cases/{number}/", path)
    where = re.sub(r"^/items/[^/]+", "/items/{code}", where)
    told = document()["paths"][f"{ROOT}{where}"]["get"]["responses"].get(str(answer.status_code))
    assert told is not None, (answer.status_code, answer.content)
    if answer.status_code == 304:
        assert answer.content == b""
        return answer  # type: ignore[no-any-return]
    media = "application/json" if answer.status_code == 200 else "application/problem+json"
    assert answer["Content-Type"].split(";")[0] == media, answer["Content-Type"]
    fits(told["content"][media]["schema"], answer.json())
    return answer  # type: ignore[no-any-return]


def no(answer: Answer, status: int, code: str, field: str | None = None) -> str:
    """A "no" of this code about this parameter; its sentence."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert (body["status"], body["type"]) == (status, "about:blank")
    assert body.get("field") == field, body
    assert answer["Cache-Control"] == "no-store"
    assert body["detail"].endswith("。"), body
    return str(body["detail"])
