"""What nobody would ask, asked of every operation: no fault of ours, no answer the document lacks.

The ordinary run asks each operation a little, always the same; ZHENGWU_DRILL=1 asks thousands of
times, each time anew, and prints the counts.
"""

from __future__ import annotations

import itertools
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import schemathesis
from django.conf import settings as django_settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from tests.api.asking import DOCUMENT, ROOT, document
from tests.api.system import System, events_of, issue, register
from tests.api.test_acting import CLERK, REVIEWER, act, png, reception
from tests.desk import test_naughty
from zhengwu.calendars import api as calendar
from zhengwu.cases.acts import VERBS
from zhengwu.catalog import api as catalog
from zhengwu.config.wsgi import application

DRILL = os.environ.get("ZHENGWU_DRILL") == "1"
TIMES = 40 if DRILL else 3
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

    def ask(self, case: Case[Any]) -> None:
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
        assert not self.wrong, "\n\n".join(
            f"## {name}\n{said}" for name, said in self.wrong.items()
        )


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


def aimed(case: Case[Any], chance: random.Random, city: City) -> None:
    """Half of the cases go to addresses that there are, most of them from somebody who may."""
    if chance.random() < 0.5:
        for name in case.path_parameters or {}:
            if name in city.parts:
                case.path_parameters[name] = chance.choice(city.parts[name])
    for name, value in chance.choice(city.callers).items():
        case.headers[name] = value
    if case.method == "POST" and chance.random() < 0.75:
        case.headers["Idempotency-Key"] = str(uuid4())


def served(environ: Any, start: Any) -> list[bytes]:
    """The application as a server has it: the answer is read to its end and closed."""
    answer = application(environ, start)
    try:
        return [b"".join(answer)]
    finally:
        if close := getattr(answer, "close", None):
            close()


def each_operation() -> list[Any]:
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, served)
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    assert len(found) == len(list(schema.get_all_operations()))
    return found


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
        for case in itertools.islice(cases, 0, None, 1 if DRILL else 25):
            aimed(case, chance, lively)
            asked.ask(case)
    assert {200, 401, 404, 405, 422} <= set(asked.answers)
    asked.verdict()


def can_be_wrong(operation: Any) -> bool:
    """Whether there is anything to be wrong about but a part of the address that is any text."""
    return bool(operation.query or operation.body or operation.headers)


def fuzzed(operation: Any, mode: GenerationMode, city: City, asked: Asked) -> Callable[[], None]:
    """Ask one operation with what its schema allows or with what it does not."""

    @settings(
        max_examples=TIMES, database=None, deadline=None, derandomize=not DRILL,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        case=operation.as_strategy(generation_mode=mode), chance=st.randoms(use_true_random=False)
    )
    def ask(case: Case[Any], chance: random.Random) -> None:
        aimed(case, chance, city)
        asked.ask(case)

    return ask


# --- strings that broke other people's programs ---------------------------------------------------

HARD = (
    "\0",
    "a\0b",
    "\ud800",
    "\udfff字",
    "\u202e甲",
    "٣",
    "1e400",
    "-0",
    "甲" * 4_000,
    " ",
    "\n",
    "null",
)
RAW = (
    b"", b"{", b"\xff\xfe{}", b"null", b"[]", b'"x"', b"1", b'{"version": NaN, "form": {}}',
    b'{"version": 1e400, "form": {}}', b'{"version": ' + b"9" * 5_000 + b', "form": {}}',
    b'{"version": 1, "version": 2, "form": {}}', b"[" * 100_000, b'{"a":' * 100_000,
    b'{"version": 1.5, "form": {}}', b'{"version": true, "form": {}}', b'{"version": 1, "form": []}',
    b'{"version": 1, "form": {"what": {"$gt": ""}}}', "{\"version\": １}".encode(), b"\0" * 100,
)  # fmt: skip


def hard() -> list[str]:
    """Ours, and those of the list that everybody uses, where it is at hand."""
    listed = test_naughty.strings(4) if test_naughty.DATA.exists() else []
    return [*HARD, *(listed if DRILL else listed[::6])]


@pytest.fixture
def system(lively: City) -> System:
    return System(lively.callers[0]["Authorization"].removeprefix("Bearer "), person=CLERK)


def test_hard_strings_in_every_field_of_a_reception_are_kept_or_refused(system: System) -> None:
    for text in hard():
        whole = reception(applicant={**reception()["applicant"], "name": text})
        answer = system.post("/cases", whole)
        assert answer.status_code in (201, 422), text
        if answer.status_code == 201:
            found = system.get(f"/cases/{answer.json()['number']}").json()
            assert found["applicant"]["name"].strip(), text
        everywhere = {
            "item": text, "materials": {text: "received"}, "whys": {text: text},
            "files": {text: [text]}, "applicant": dict.fromkeys(reception()["applicant"], text),
        }  # fmt: skip
        assert system.post("/cases", everywhere).status_code == 422, text
        one = reception(item=text)
        assert system.post("/cases", one).status_code == 422, text
        assert system.post("/cases", reception(whys={text: text})).status_code == 422, text


def test_hard_strings_in_every_field_of_every_act_are_kept_or_refused(
    system: System, lively: City
) -> None:
    waiting, _, taken = lively.parts["number"]
    reviewer = system.acting(REVIEWER)
    for text in hard():
        for kind, verb in VERBS.items():
            number, who, version = (waiting, system, 1) if verb.may == "case.accept" else (
                taken, reviewer, 3
            )  # fmt: skip
            form: dict[str, Any] = {
                ask.name: [text] if ask.kind in ("file", "several") else text for ask in verb.asks
            }
            form |= {text: text, "material-01": text, "why-01": text} if verb.asks_of else {}
            body = {"version": version, "form": form}
            answer = who.post(f"/cases/{number}/acts/{kind}", body)
            assert answer.status_code in (200, 403, 409, 422), (kind, text)
        picked = {"cases": [{"number": text, "version": 1}], "form": {text: text}}
        answer = system.post("/acts/accepted/batch", picked)
        assert answer.status_code in (200, 422), text


def test_hard_strings_in_addresses_questions_and_headers_are_answered(
    system: System, lively: City
) -> None:
    number = lively.parts["number"][0]
    for text in hard():
        sent = text.encode("utf-8", "replace").decode()
        for name in ("state", "item", "agency", "open", "opened_from", "after", "limit", sent):
            assert system.get("/cases", {name: sent}).status_code in (200, 422), (name, text)
        for name in ("q", "agency", "theme", "target", "type", "region", "level", "after"):
            assert system.get("/items", {name: sent}).status_code in (200, 422), (name, text)
        for path in (
            "/cases/{}",
            "/cases/{}/clock",
            f"/cases/{number}/documents/{{}}",
            "/items/{}",
        ):
            where = path.format(quote(sent, safe="") or "%20")
            answer: Any = system.client.get(
                f"{ROOT}{where}", headers={"Authorization": f"Bearer {system.token}"}
            )
            assert answer.status_code in (404, 422), (where, text)
        for name in ("Authorization", "X-Acting-Person", "Idempotency-Key", "X-Query-Code",
                     "If-None-Match"):  # fmt: skip
            answer = system.client.get(f"{ROOT}/cases", headers={name: sent})
            assert answer.status_code in (401, 403), (name, text)


def test_what_is_no_json_or_no_form_is_refused_and_read_no_further(
    system: System, lively: City
) -> None:
    path = f"/cases/{lively.parts['number'][0]}/acts/corrected_on_spot"
    for where in (path, "/cases", "/acts/accepted/batch"):
        for raw in RAW:
            for media in ("application/json", "text/plain", "application/json; charset=utf-16", ""):
                answer: Any = system.client.generic(
                    "POST", f"{ROOT}{where}", raw, content_type=media,
                    headers=system._told({"Idempotency-Key": str(uuid4())}),
                )  # fmt: skip
                assert answer.status_code in (400, 422), (where, raw[:40], media)
                assert answer["Content-Type"] == "application/problem+json"
    twice = f"{ROOT}/cases?limit=1&limit=2"
    answer = system.client.get(twice, headers=system._told({}))
    assert answer.json()["code"] == "request.twice"
    assert len(events_of(lively.parts["number"][0])) == 1


def test_what_is_too_large_or_of_no_length_is_refused_unread_as_the_document_says(
    system: System,
) -> None:
    writes = [path for path, methods in document()["paths"].items() if "post" in methods]
    assert len(writes) > len(VERBS)
    sizes: list[tuple[int, dict[str, Any]]] = [
        (413, {"CONTENT_LENGTH": str(10**12)}), (411, {"HTTP_TRANSFER_ENCODING": "chunked"}),
    ]  # fmt: skip
    for path in writes:
        for status, meta in sizes:
            where = re.sub(r"{act}", "accepted", re.sub(r"{number}", "JC202609000001", path))
            answer: Any = system.client.generic("POST", where, headers=system._told({}), **meta)
            assert answer.status_code == status, where
            assert str(status) in document()["paths"][path]["post"]["responses"], path
