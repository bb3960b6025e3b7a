"""What nobody would ask, asked of every operation: no fault of ours, no answer the document lacks.

The ordinary run asks each operation a little, always the same; ZHENGWU_DRILL=1 asks thousands of
times, each time anew, and prints the counts.
"""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.conf import settings as django_settings
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.api.asking import DOCUMENT, ROOT, document
from tests.api.system import System, issue, register
from tests.api.test_acting import CLERK, REVIEWER, act, png, reception
from tests.desk import test_naughty, walk
from zhengwu.calendars import api as calendar
from zhengwu.catalog import api as catalog
from zhengwu.config.wsgi import application

DRILL = os.environ.get("ZHENGWU_DRILL") == "1"
TIMES = 8 if DRILL else 3
CHECKS: list[Any] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
pytestmark = pytest.mark.usefixtures("shop")


@dataclass
class Asked:
    """What was answered, and what was wrong with it."""

    answers: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)

    def ask(self, case: Case) -> None:
        response = case.call()
        self.answers[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            for one in group.exceptions:
                name = f"{case.method} {case.path} {response.status_code} {type(one).__name__}"
                if DRILL and name not in self.wrong:
                    print(f"\n## {name}\n{group}"[:2_000], flush=True)
                self.wrong.setdefault(name, str(group)[:2_000])

    def verdict(self) -> None:
        if DRILL:
            print(f"\n{sum(self.answers.values()):,} calls: {dict(sorted(self.answers.items()))}")
        assert not self.wrong, "\n\n".join(f"## {name}\n{said}" for name, said in self.wrong.items())


@dataclass(frozen=True)
class City:
    """Real parts of addresses, and who may ask: a token with a person to act for, and nobody."""

    parts: dict[str, list[str]]
    callers: tuple[dict[str, str], ...]


@pytest.fixture
def lively(monkeypatch: pytest.MonkeyPatch, shop: None) -> City:
    """A few cases at different points of their way, so that what is asked can hit; nobody is told
    to come more seldom."""
    monkeypatch.setattr(django_settings, "API_PER_MINUTE", 10**9)
    monkeypatch.setattr(calendar, "PER_SENDER", 10**9)
    monkeypatch.setattr(catalog, "PER_SENDER", 10**9)
    token = issue(register())
    system = System(token)
    clerk = system.acting(CLERK)
    file = clerk.send("/files", {"file": png()}).json()["id"]
    cases = [
        clerk.post("/cases", given).json()
        for given in (reception(files={"01": [file]}), reception(), reception())
    ]
    numbers = [one["number"] for one in cases]
    act(system, CLERK, numbers[1], "accepted", 1)
    act(system, CLERK, numbers[2], "accepted", 1)
    act(system, REVIEWER, numbers[2], "step_taken", 2)
    bearer = {"Authorization": f"Bearer {token}"}
    return City(
        parts={
            "number": numbers,
            "check": [one["document"] for one in cases],
            "id": [file],
            "code": ["XK0031", "QT0002"],
        },
        callers=(bearer | {"X-Acting-Person": CLERK}, bearer | {"X-Acting-Person": REVIEWER}, bearer, {}),
    )  # fmt: skip


def aimed(case: Case, chance: random.Random, city: City) -> None:
    """Half of the cases go to addresses that there are, most of them from somebody who may."""
    if chance.random() < 0.5:
        for name in case.path_parameters or {}:
            if name in city.parts:
                case.path_parameters[name] = chance.choice(city.parts[name])
    for name, value in chance.choice(city.callers).items():
        case.headers[name] = value
    if case.method == "POST" and chance.random() < 0.75:
        case.headers["Idempotency-Key"] = str(uuid4())


def each_operation() -> list[Any]:
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, application)
    return [one.ok() for one in schema.get_all_operations()]


def test_whatever_is_asked_the_answer_is_one_that_the_document_names(lively: City) -> None:
    asked = Asked()
    for operation in each_operation():
        for mode in MODES:
            if mode is GenerationMode.POSITIVE or can_be_wrong(operation):
                fuzzed(operation, mode, lively, asked)()
    assert {200, 401, 404, 422} <= set(asked.answers)
    asked.verdict()


def test_every_limit_of_every_field_and_every_wrong_method_is_answered_as_the_document_says(
    lively: City,
) -> None:
    """Each field at, just inside and just outside its limits; left out, doubled, of another type."""
    asked = Asked()
    chance = random.Random(20260914)
    for operation in each_operation():
        cases = operation.schema.iter_coverage_cases(
            operation, generation_modes=list(MODES), generation_config=GenerationConfig()
        )
        for case in itertools.islice(cases, 0, None, 6 if DRILL else 25):
            aimed(case, chance, lively)
            asked.ask(case)
    assert {200, 401, 404, 405, 422} <= set(asked.answers)
    asked.verdict()


def can_be_wrong(operation: Any) -> bool:
    """Whether there is anything to be wrong about but a part of the address that is any text."""
    return bool(operation.query or operation.body or operation.headers)


def fuzzed(operation: Any, mode: GenerationMode, city: City, asked: Asked) -> Callable[[], None]:
    """Ask one operation with what its schema allows or with what it does not."""

    @seed(20260914)
    @settings(
        max_examples=TIMES, database=None, deadline=None, derandomize=not DRILL,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), chance=st.randoms(use_true_random=False))
    def ask(case: Case, chance: random.Random) -> None:
        aimed(case, chance, city)
        asked.ask(case)

    return ask
