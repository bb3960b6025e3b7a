"""The OpenAPI document is one, its examples fit it, and every "no" under /api/ is a problem."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from openapi_spec_validator import validate

from tests.api.asking import DOCUMENT, document, fits
from tests.desk import walk

pytestmark = pytest.mark.usefixtures("city")
PROBLEM = "application/problem+json"


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [(path, told) for path, told in document()["paths"].items()]


def test_the_document_is_valid_and_names_every_address() -> None:
    validate(document())
    assert {path for path, _ in operations()} == {
        "/api/v1/calendar/days",
        "/api/v1/calendar/add",
        "/api/v1/calendar/between",
        "/api/v1/cases/{number}/clock",
        "/api/v1/cases/{number}/time-ledger",
    }
    assert all(set(told) == {"get"} for _, told in operations())
    names = [told["get"]["operationId"] for _, told in operations()]
    assert len(set(names)) == len(names)


def test_every_operation_has_an_example_that_fits_its_schema() -> None:
    for path, told in operations():
        answers = told["get"]["responses"]
        content = answers["200"]["content"]["application/json"]
        fits(content["schema"], content["example"])
        assert {"422", "429"} <= set(answers), path


def test_an_example_that_does_not_fit_is_noticed() -> None:
    content = document()["paths"]["/api/v1/calendar/between"]["get"]["responses"]["200"]["content"]
    with pytest.raises(Exception, match=r"is a required property|is not of type"):
        fits(content["application/json"]["schema"], {"days": "ten"})


def test_no_page_of_the_library_and_nothing_from_elsewhere_is_served() -> None:
    for where in ("/api/v1/docs", "/api/v1/", "/api/", "/api/v1/openapi", "/api/v2/x"):
        answer: Any = walk.public().get(where)
        assert answer.status_code == 404, where


@pytest.mark.parametrize("who", [None, "p-water-clerk"])
def test_every_no_is_a_problem_and_nothing_can_be_written(who: str | None) -> None:
    client = walk.sign_in(who) if who else Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    for path in (*(path for path, _ in operations()), DOCUMENT, "/api/v1/"):
        where = path.replace("{number}", "JC000000000000")
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
