"""The OpenAPI document is one, its examples fit it, and every "no" under /api/ is a problem."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from openapi_spec_validator import validate
from pydantic import BaseModel

from tests.api.asking import DOCUMENT, document, fits
from tests.desk import walk

pytestmark = pytest.mark.usefixtures("city")
PROBLEM = "application/problem+json"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and what is told of every operation."""
    for path, methods in document()["paths"].items():
        for method, told in methods.items():
            yield path, method, told


def test_the_document_is_valid_and_every_operation_has_a_name_and_a_place() -> None:
    validate(document())
    names = [told["operationId"] for _, _, told in operations()]
    assert len(set(names)) == len(names)
    tags = {one["name"] for one in document()["tags"]}
    for path, method, told in operations():
        assert set(told["tags"]) <= tags, (method, path)
        assert told["summary"], (method, path)


def test_no_two_shapes_have_one_name() -> None:
    """The library would silently tell of one of them only."""
    told = set(document()["components"]["schemas"])
    names = Counter(one.__name__ for one in _below(BaseModel) if _ours(one))
    assert not {name for name, count in names.items() if count > 1} & told


def _below(model: type[BaseModel]) -> set[type[BaseModel]]:
    found = set(model.__subclasses__())
    return found.union(*(_below(one) for one in found)) if found else found


def _ours(model: type[BaseModel]) -> bool:
    return model.__module__.startswith("zhengwu.")


def test_every_operation_has_an_example_that_fits_its_schema() -> None:
    for path, method, told in operations():
        assert {"422", "429"} <= set(told["responses"]), (method, path)
        contents = [told.get("requestBody", {}).get("content", {})]
        contents += [one.get("content", {}) for s, one in told["responses"].items() if s < "300"]
        for one in contents:
            if content := one.get("application/json"):
                assert "example" in content, (method, path)
                fits(content["schema"], content["example"])


def test_an_example_that_does_not_fit_is_noticed() -> None:
    content = document()["paths"]["/api/v1/calendar/between"]["get"]["responses"]["200"]["content"]
    with pytest.raises(Exception, match=r"is a required property|is not of type"):
        fits(content["application/json"]["schema"], {"days": "ten"})


def test_no_page_of_the_library_and_nothing_from_elsewhere_is_served() -> None:
    for where in (
        "/api/v1/docs/",
        "/api/v1/redoc",
        "/api/v1/",
        "/api/",
        "/api/v1/openapi",
        "/api/v2/x",
    ):
        answer: Any = walk.public().get(where)
        assert answer.status_code == 404, where


@pytest.mark.parametrize("who", [None, "p-water-clerk"])
def test_every_no_is_a_problem_and_nothing_is_written_where_one_reads(who: str | None) -> None:
    client = walk.sign_in(who) if who else Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    read = [path for path, methods in document()["paths"].items() if set(methods) == {"get"}]
    for path in (*read, DOCUMENT, "/api/v1/"):
        where = re.sub(r"{[^}]+}", "JC000000000000", path)
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            answer: Any = client.generic(method, where)
            assert answer.status_code == 405, (method, where)
            assert answer["Content-Type"] == PROBLEM
            assert answer["Allow"] == "GET, HEAD"
    for where in ("/api/v1/nothing", "/api/v1/calendar", "/api/v1/cases/x/%00/clock", "/api/v1/"):
        answer = client.get(where)
        assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM), where
        fits({"$ref": "#/components/schemas/Problem"}, answer.json())


def test_head_says_what_get_says_without_the_body() -> None:
    where = "/api/v1/calendar/between?from=2026-09-28&to=2026-10-10"
    got: Any = walk.public().get(where)
    head: Any = walk.public().head(where)
    assert (head.status_code, head["ETag"]) == (200, got["ETag"])
    assert head.content == b""


def test_a_page_that_is_missing_elsewhere_is_still_a_page() -> None:
    answer: Any = walk.public().get("/nothing-here")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
