"""The examples of the OpenAPI document (接口示例): what a test asked and was answered.

api_examples.json is written by tests/api/test_examples.py and by nobody else. By operation: the
`parameters` of the address, the `request` and the `answers` by status; under `problems` what every
operation of that status answers that shows none of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

FILE = "api_examples.json"
PROBLEM = "application/problem+json"


@cache
def recorded() -> Mapping[str, Any]:
    """The file, whole."""
    text = resources.files("zhengwu.config").joinpath(FILE).read_text(encoding="utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def put_into(document: Any) -> None:
    """Every operation of an OpenAPI document gets the examples recorded for it."""
    common = recorded()["problems"]
    document["components"]["examples"] = {
        f"Problem{status}": {"value": value} for status, value in common.items()
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            _show(operation, recorded()["operations"].get(operation["operationId"], {}), common)


def _show(operation: Any, own: Mapping[str, Any], common: Mapping[str, Any]) -> None:
    parameters = own.get("parameters", {})
    for one in operation.get("parameters", ()):
        if one["name"] in parameters:
            one["example"] = parameters[one["name"]]
    if "request" in own:
        for content in operation["requestBody"]["content"].values():
            content["example"] = own["request"]
    answers = own.get("answers", {})
    for status, told in operation["responses"].items():
        for media, content in told.get("content", {}).items():
            if (value := answers.get(str(status))) is not None:
                content["example"] = value
            elif media == PROBLEM and str(status) in common:
                content["examples"] = {
                    "problem": {"$ref": f"#/components/examples/Problem{status}"}
                }
