"""The examples of the OpenAPI document are what was asked and answered, by one walk through it all.

What differs from walk to walk (numbers, ids, codes, digests, split seconds) is replaced by what
always stays the same. The walk writes src/zhengwu/config/api_examples.json when it is told to:
ZHENGWU_RENEW_EXAMPLES=1 .venv/bin/pytest -n 0 tests/api/test_examples.py
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.test import Client

from tests.accounts.city import SINCE
from tests.api.asking import ROOT, document, fits
from tests.api.system import BYTES, System, _shapes, issue, register
from tests.api.test_acting import png
from tests.cases import test_events
from tests.cases.people import FOOD, GAUGES, INTAKE, REGISTRATION, moment
from zhengwu import config
from zhengwu.accounts import services as people
from zhengwu.calendars import api as calendar
from zhengwu.cases.acts import VERBS
from zhengwu.catalog import queries as catalog
from zhengwu.config.api import SAMPLE_KEY
from zhengwu.config.api_examples import FILE, PROBLEM
from zhengwu.domain.refusal import Refusal
from zhengwu.exports import running
from zhengwu.ledger import sequencer
from zhengwu.ledger import services as ledger
from zhengwu.web import tokens

pytestmark = pytest.mark.usefixtures("town")
COMMITTED = Path(config.__path__[0]) / FILE
RENEW = "ZHENGWU_RENEW_EXAMPLES=1 .venv/bin/pytest -n 0 tests/api/test_examples.py"
CLERK, REVIEWER, APPROVER, HEAD = (
    "p-water-clerk", "p-water-reviewer", "p-water-approver", "p-water-head",
)  # fmt: skip
COLLEAGUE, SECOND_POST = "p-water-reviewer3", "420100-water-review-2"
MARKET = {one: f"p-market-{one}" for one in ("clerk", "reviewer", "approver", "cashier", "head")}
COMPANY = {
    "kind": "organisation", "name": "江城清源水务有限公司", "identifier_kind": "uscc",
    "identifier": "91330102MA28NBU477", "phone": "13912342046",
}  # fmt: skip
OFTEN = 10  # requests in a minute, so that the walk need not make more
# Nothing is left out: whoever adds an operation shows it here, or says why not.
WITHOUT: dict[str, str] = {}


# --- the walk -------------------------------------------------------------------------------------


class Recorder(System):
    """A system whose first success with every operation is kept, with what was asked."""

    kept: dict[str, Any]

    def __init__(self, token: str, kept: dict[str, Any], *, person: str = "") -> None:
        super().__init__(token, person=person)
        self.kept = kept

    def acting(self, person: str) -> Recorder:
        return Recorder(self.token, self.kept, person=person)

    def show(self, method: str, path: str, asked: Any = None, **headers: str) -> Any:
        """Ask and keep the answer, whatever it is; the answer's content."""
        if method == "get":
            answer: Any = self.get(path, asked, **headers)
        elif path == "/files":
            answer = self.send(path, asked)
        else:
            answer = self.post(path, asked, **headers)
        shape, parameters = _address(path)
        told = document()["paths"][shape][method]
        own = self.kept["operations"].setdefault(told["operationId"], {})
        media = answer["Content-Type"].split(";")[0]
        found = None if media in BYTES else answer.json()
        if found is None:
            answer.close()
        if answer.status_code < 400 and "shown" not in own:
            own["shown"] = True
            given = {"X-Acting-Person": self.person} if self.person else {}
            given |= parameters | (asked or {} if method == "get" else {})
            given |= {} if method == "get" else {"Idempotency-Key": SAMPLE_KEY}
            own["parameters"] = given
            if method == "post":
                own["request"] = asked if path != "/files" else {
                    "file": "（文件的内容）", "purpose": asked["purpose"]
                }  # fmt: skip
            if found is not None:
                own.setdefault("answers", {})[str(answer.status_code)] = found
        return found

    def refused(
        self, status: int, method: str, path: str, asked: Any = None, *, of: bool = False,
        **headers: str,
    ) -> None:  # fmt: skip
        """Ask for a "no" and keep it: for every operation, or for this one alone."""
        ask = self.get if method == "get" else self.post
        answer: Any = ask(path, asked, **headers)
        assert answer.status_code == status, answer.content
        self.keep_no(status, answer, path if of else None, method)

    def keep_no(self, status: int, answer: Any, path: str | None, method: str) -> None:
        assert answer["Content-Type"] == PROBLEM
        if path is None:
            self.kept["problems"][str(status)] = answer.json()
        else:
            told = document()["paths"][_address(path)[0]][method]
            own = self.kept["operations"].setdefault(told["operationId"], {})
            own.setdefault("answers", {})[str(status)] = answer.json()


def _address(path: str) -> tuple[str, dict[str, str]]:
    """The address of the document and what stands in its blanks."""
    whole = f"{ROOT}{path}"
    for pattern, shape, _ in _shapes():
        if pattern.match(whole):
            names = re.findall(r"{([^}]+)}", shape)
            found = re.match(re.sub(r"{[^}]+}", "([^/]+)", shape) + "$", whole)
            assert found
            return shape, dict(zip(names, found.groups(), strict=True))
    raise AssertionError(path)


class Walk:
    """The city with its two systems; every step at its own minute of September 2026."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.kept: dict[str, Any] = {"operations": {}, "problems": {}}
        self.versions: dict[str, int] = {}
        self.at("09-14 09:00")
        self.water = self._system("water-oa", "420100-water")
        self.market = self._system("market-oa", "420100-market")
        people.add_post(
            SECOND_POST, name="审查二岗", kind="review", agency="420100-water", hall="", window=""
        )
        people.add_person(
            COLLEAGUE, name="江水三", agency="420100-water", posts=[(SECOND_POST, "A")],
            holds=[("reviewer", "420100-water")], since=SINCE,
        )  # fmt: skip

    def _system(self, code: str, agency: str) -> Recorder:
        at = moment("09-14 08:00")
        return Recorder(issue(register(code, agency=agency, at=at), at=at), self.kept)

    def at(self, when: str) -> None:
        """The clock of the demonstration stands at a minute of 2026 and goes on from there."""
        self.patch.setattr(settings, "DEMO_CLOCK", moment(when) - datetime.now(UTC))

    def upload(self, system: Recorder, purpose: str = "material") -> str:
        found = system.show("post", "/files", {"file": png(), "purpose": purpose})
        return str(found["id"])

    def received(
        self, item: str = INTAKE, *, person: str = CLERK, missing: int = 0, **more: Any
    ) -> str:
        row = catalog.in_force(item, moment("09-14 09:20").date())
        assert row is not None
        ticks = {one.code: "received" for one in row.materials}
        for one in row.materials[len(row.materials) - missing :]:
            ticks[one.code] = "missing"
        body = {"item": item, "applicant": COMPANY, "materials": ticks, **more}
        found = self.of(person).show("post", "/cases", body)
        assert "number" in found, found
        self.versions[found["number"]] = 1
        return str(found["number"])

    def of(self, person: str) -> Recorder:
        return (self.market if "market" in person else self.water).acting(person)

    def do(self, number: str, person: str, kind: str, /, **form: Any) -> Any:
        asked = {"version": self.versions[number], "form": form}
        found = self.of(person).show("post", f"/cases/{number}/acts/{kind}", asked)
        assert "version" in found, (kind, asked, found)
        self.versions[number] = found["version"]
        return found


def golden(walk: Walk) -> str:
    """A case of the water bureau with everything that can happen to one; its number."""
    do, water = walk.do, walk.water
    walk.at("09-14 09:20")
    number = walk.received(missing=1, files={"01": [walk.upload(walk.of(CLERK))]})
    do(number, CLERK, "corrected_on_spot", what="申请书的邮政编码", signer="何晓岚")
    walk.at("09-14 09:40")
    do(number, CLERK, "supplement_requested")
    walk.at("09-15 10:00")
    last = f"material-{_last(INTAKE)}"
    do(number, CLERK, "supplemented", **{last: "received"})
    walk.at("09-15 10:20")
    do(number, CLERK, "accepted")
    walk.at("09-15 14:00")
    do(number, REVIEWER, "step_taken")
    read(walk, number)
    walk.at("09-16 10:00")
    do(number, REVIEWER, "scanned", material="01", files=[walk.upload(walk.of(REVIEWER))])
    inspected = {"inspector-p-water-reviewer": "on", "inspector-p-water-reviewer2": "on"}
    do(number, REVIEWER, "inspected", found="取水口位置与申请一致", **inspected)
    do(number, REVIEWER, "opinion_requested", organ="420100-market", question="该企业是否存续",
       days=3)  # fmt: skip
    do(number, MARKET["reviewer"], "opinion_given", view="agree", opinion="该企业存续")
    do(number, REVIEWER, "suspended", procedure="expert_review", days=10, reasons="组织专家评审")
    walk.at("09-21 09:00")
    do(number, REVIEWER, "resumed", result="专家同意")
    do(number, HEAD, "extended", days=5, reasons="水资源论证复杂")
    do(number, REVIEWER, "handed_over", to=SECOND_POST, note="请接办")
    walk.at("09-21 10:00")
    do(number, COLLEAGUE, "step_taken")
    do(number, COLLEAGUE, "step_done", opinion="符合条件", advice="grant")
    walk.at("09-22 09:00")
    do(number, APPROVER, "step_taken")
    do(number, APPROVER, "step_returned", back_to="review", reasons="请补充取水量的计算")
    do(number, COLLEAGUE, "step_taken")
    do(number, COLLEAGUE, "step_done", opinion="已补充", advice="grant")
    do(number, APPROVER, "step_taken")
    decision = do(number, APPROVER, "granted", reasons="符合取水许可的条件")["document"]
    do(number, APPROVER, "licence_made", number="D420100S2026-0001")
    walk.at("09-22 14:00")
    do(number, CLERK, "step_taken")
    do(number, CLERK, "ready")
    walk.at("09-23 10:00")
    do(number, CLERK, "delivered", means="signature", proof="何晓岚")
    do(number, APPROVER, "document_corrected", paper=decision, wrong="取水许可的条件",
       right="取水许可的各项条件", reasons="漏写两个字")  # fmt: skip
    do(number, APPROVER, "revoked", reasons="以欺骗手段取得")
    water.show("get", f"/cases/{number}/documents/{decision}")
    return number


def _last(item: str) -> str:
    row = catalog.in_force(item, moment("09-14 09:20").date())
    assert row is not None
    return row.materials[-1].code


def read(walk: Walk, number: str) -> None:
    """Everything that can be read of a case under way."""
    sequencer.sequence()
    water = walk.water
    first = water.show("get", "/cases", {"open": True, "limit": 2})
    assert [one["number"] for one in first["rows"]] == [number]
    found = water.show("get", f"/cases/{number}")
    water.show("get", f"/cases/{number}/files/{found['files'][0]['id']}")
    walk.of(REVIEWER).show("get", f"/cases/{number}/acts")
    water.show("get", f"/cases/{number}/events")
    water.show("get", f"/cases/{number}/clock", {"at": "2026-09-15T14:00:00+08:00"})
    water.show("get", f"/cases/{number}/time-ledger")
    water.show("get", "/events", {"limit": 3})
    water.show("get", "/acts")
    water.show("get", "/process", {"item": INTAKE})
    water.show("get", "/cases/export", {"form": "csv"})
    asked = {"table": "cases", "form": "csv", "parameters": {"open": "open"}}
    export = f"/exports/{water.show('post', '/exports', asked)['id']}"
    assert running.work() == 1
    water.show("get", export)
    water.show("get", f"{export}/file")
    water.show("post", f"{export}/delete", {"state": "ready"})


def endings(walk: Walk) -> None:
    """The other ways on which a case ends, and what only some items have."""
    walk.at("09-24 09:00")
    do = walk.do
    do(walk.received(), CLERK, "not_ours", organ="市市场监督管理局", reasons="属于其他机关")
    do(walk.received(), CLERK, "not_needed", grounds=["basis"], reasons="家庭生活用水不需许可")
    do(walk.received(), CLERK, "withdrawn", reasons="申请人不再取水")
    moot = walk.received()
    do(moot, CLERK, "accepted")
    do(moot, REVIEWER, "step_taken")
    do(moot, APPROVER, "terminated", ground="moot", reasons="取水口已经填埋")

    sent = walk.received(FOOD, person=MARKET["clerk"])
    do(sent, MARKET["clerk"], "accepted")
    do(sent, MARKET["reviewer"], "step_taken")
    do(sent, MARKET["reviewer"], "forwarded", organ="省市场监督管理局", opinion="初审合格")
    do(sent, MARKET["reviewer"], "came_back", view="approved", number="省市监许〔2026〕12 号")

    paid = walk.received(GAUGES, person=MARKET["clerk"])
    do(paid, MARKET["clerk"], "accepted")
    do(paid, MARKET["cashier"], "fee_paid", how="paid", ticket="AB12345678")

    for end, said in (("cancelled", "有效期届满未延续"), ("taken_back", "所依据的规划已经修改")):
        number = at_once(walk, "granted")
        do(number, MARKET["clerk"], "delivered", means="electronic", proof="已下载")
        do(number, MARKET["approver"], end, reasons=said)
    at_once(walk, "refused", grounds=["basis"], reasons="名称与他人的相同")


def at_once(walk: Walk, outcome: str, **form: Any) -> str:
    """A case decided at the window in one sitting."""
    number = walk.received(REGISTRATION, person=MARKET["clerk"])
    walk.do(number, MARKET["clerk"], "accepted")
    walk.do(number, MARKET["clerk"], outcome, **form)
    return number


def mended(walk: Walk) -> None:
    """What was done wrongly, undone at once or with a second person; many at once."""
    walk.at("09-25 09:00")
    do = walk.do
    number = walk.received()
    do(number, CLERK, "accepted")
    do(number, REVIEWER, "step_taken")
    do(number, REVIEWER, "handed_over", to=SECOND_POST)
    undone = walk.of(REVIEWER).show("post", f"/cases/{number}/undo", {"version": 4})
    assert undone["version"] == 5
    walk.versions[number] = 5
    inspected = {"inspector-p-water-reviewer": "on", "inspector-p-water-reviewer2": "on"}
    wrong = do(number, REVIEWER, "inspected", found="记到了别的办件上", **inspected)["version"]
    do(number, REVIEWER, "withdrawal_proposed", version=str(wrong), reasons="录到了别的办件上")
    do(number, "p-water-reviewer2", "entry_withdrawn", version=str(wrong))

    several = [{"number": walk.received(), "version": version} for version in (1, 7)]
    found = walk.of(CLERK).show("post", "/acts/accepted/batch", {"cases": several, "form": {}})
    assert [one["done"] is not None for one in found["results"]] == [True, False]


CALENDAR = {
    "days": {"from": "2026-09-30", "to": "2026-10-01"},
    "add": {"date": "2026-09-28", "days": "3", "unit": "working_day"},
    "between": {"from": "2026-09-28", "to": "2026-10-10"},
}


def calendars(walk: Walk) -> None:
    for one, asked in CALENDAR.items():
        walk.water.show("get", f"/calendar/{one}", asked)


def items(walk: Walk) -> None:
    """What everybody may read of the catalogue; not signed in."""
    anybody = Recorder("", walk.kept)
    anybody.show("get", "/items", {"q": "取水许可", "limit": 2})
    anybody.show("get", f"/items/{INTAKE}", {"on": "2026-09-14"})
    anybody.show("get", f"/items/{INTAKE}/guide", {"on": "2026-09-14"})
    anybody.show("get", f"/items/{INTAKE}/versions")
    anybody.show("get", "/themes")
    anybody.show("get", "/departments")


def statistics(walk: Walk) -> None:
    """The figures of what was done until now."""
    walk.at("09-25 16:00")
    ledger.catch_up()
    month, water = {"from": "2026-09", "to": "2026-09"}, walk.water
    water.show("get", "/statistics", {**month, "by": "kind", "percentiles": True})
    water.show("get", "/statistics/handovers", month)
    water.show("get", "/statistics/restatements", {"from": "2026-09-21", "to": "2026-09-21"})
    water.show("get", "/statistics/cases", {**month, "measure": "granted", "limit": 1})
    anybody = Recorder("", walk.kept)
    anybody.show("get", "/statistics/definitions")


def refusals(walk: Walk, number: str) -> None:
    """Every "no" that the document names."""
    walk.at("09-26 09:00")
    water, nobody = walk.water, Recorder("", walk.kept)
    nobody.refused(401, "get", "/cases")
    for part in ("clock", "time-ledger"):
        nobody.refused(401, "get", f"/cases/{number}/{part}", of=True)
    at = moment("09-26 08:00")
    narrow = Recorder(issue(register("water-app", at=at), "events.read", at=at), walk.kept)
    narrow.refused(403, "get", "/cases")
    water.refused(404, "get", "/cases/JC202609999999")
    old = {"version": 1, "form": {}}
    case = walk.received()
    walk.do(case, CLERK, "accepted")
    walk.of(REVIEWER).refused(409, "post", f"/cases/{case}/acts/step_taken", old)
    water.refused(422, "get", "/cases", {"limit": "0"})
    walk.do(case, REVIEWER, "step_taken")
    late = {"version": 3, "form": {"days": 11, "reasons": "复杂"}}
    walk.of(HEAD).refused(422, "post", f"/cases/{case}/acts/extended", late, of=True)
    short = {"item": INTAKE, "applicant": COMPANY, "materials": {"01": "received"}}
    walk.of(CLERK).refused(422, "post", "/cases", short, of=True)
    water.refused(422, "get", "/calendar/between", {"from": "x", "to": "2026-10-10"}, of=True)
    water.refused(422, "get", "/calendar/days", {"from": "2026-10-10", "to": "2026"}, of=True)
    water.refused(422, "get", "/calendar/add", {"date": "2026-10-10", "days": "x"}, of=True)
    unread(walk)
    walk.at("09-26 09:05")
    with walk.patch.context() as patch:
        patch.setattr(settings, "API_PER_MINUTE", OFTEN)
        for _ in range(OFTEN):
            assert water.get("/acts").status_code == 200
        water.refused(429, "get", "/acts")
        patch.setattr(calendar, "PER_SENDER", 0)
        for one, asked in CALENDAR.items():
            water.refused(429, "get", f"/calendar/{one}", asked, of=True)


def unread(walk: Walk) -> None:
    """What is not even read: no JSON, too much, of no length."""
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    clerk = walk.of(CLERK)
    told = clerk._told({"Idempotency-Key": str(uuid4())})
    answer: Any = client.post(f"{ROOT}/cases", "{", content_type="application/json", headers=told)
    clerk.keep_no(400, answer, None, "post")
    answer = client.generic(
        "POST", f"{ROOT}/files", content_type="multipart/form-data; boundary=x", headers=told,
        CONTENT_LENGTH=str(10**10),
    )  # fmt: skip
    clerk.keep_no(413, answer, None, "post")
    answer = client.generic(
        "POST", f"{ROOT}/files", headers=told | {"Transfer-Encoding": "chunked"}
    )
    clerk.keep_no(411, answer, None, "post")


# --- what always stays the same -------------------------------------------------------------------

NUMBER = re.compile(r"JC\d{12}")
ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
CHECK = re.compile(r"\b[2-9A-HJ-KMNP-TV-Z]{4}-[2-9A-HJ-KMNP-TV-Z]{4}\b")
DIGEST = re.compile(r"\bsha256:[0-9a-f]{64}\b")
SECONDS = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d):\d\d(?:\.\d+)?(?=\+)")
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ"


TIMES = frozenset(("elapsed", "nobody", "mean", "median", "office_mean", "office_median"))


class Fixed:
    """Puts in the place of each value that varies one that never does; the same for the same."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], int] = {}

    def nth(self, kind: str, value: str) -> int:
        return self.known.setdefault((kind, value), 1 + sum(one == kind for one, _ in self.known))

    def text(self, text: str) -> str:
        text = NUMBER.sub(lambda m: f"JC202609{self.nth('number', m[0]):06d}", text)
        text = ID.sub(
            lambda m: m[0] if m[0] == SAMPLE_KEY
            else f"01990000-0000-7000-8000-{self.nth('id', m[0]):012d}", text,
        )  # fmt: skip
        text = CHECK.sub(lambda m: _code(self.nth("check", m[0])), text)
        text = DIGEST.sub(lambda m: f"sha256:{self.nth('digest', m[0]):064x}", text)
        return SECONDS.sub(r"\1:00", text)

    def value(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            found = {self.text(name): self.value(one, name) for name, one in value.items()}
            if "recorded" in found:  # stamped by the database, which no clock of ours moves
                found["recorded"] = found["received"] = found["occurred"]
            if "noticed" in found:  # so is the day on which a figure was changed
                found["noticed"] = found["day"]
            return found
        if isinstance(value, list):
            return [self.value(one, key) for one in value]
        if isinstance(value, str):
            return self._string(value, key)
        if isinstance(value, int) and key in ("position", "first", "until"):
            return self.nth("position", str(value))
        if isinstance(value, int) and key.endswith("seconds"):
            return round(value / 60) * 60
        if isinstance(value, int | float) and (key in TIMES or key.startswith("in_")):
            return round(value / 600) * 600  # seconds, too
        return 1024 if key == "size" and value else value

    def _string(self, value: str, key: str) -> str:
        if key == "query_code":
            return f"H7K2{_code(self.nth('query', value))[-2:]}"
        if key in ("next", "after"):
            return self._token(value)
        return self.text(value)

    def _token(self, value: str) -> str:
        for kind in ("cases", "events", "items", "statistics"):
            try:
                parts = tokens.read(kind, value)
            except Refusal:
                continue
            told = [
                self.nth("position", str(one)) if isinstance(one, int) else self.text(one)
                for one in parts
            ]
            return tokens.write(kind, *told)
        return self.text(value)


def _code(number: int) -> str:
    """A check code of a kind that no case has: A2A2-A2AA, A2A2-A2AB, …"""
    return f"A2A2-A2{LETTERS[number // len(LETTERS)]}{LETTERS[number % len(LETTERS)]}"


def shown(kept: dict[str, Any]) -> str:
    """The file as it is committed."""
    for own in kept["operations"].values():
        own.pop("shown", None)
    fixed = Fixed()
    found = {
        "operations": {name: fixed.value(own) for name, own in sorted(kept["operations"].items())},
        "problems": {name: fixed.value(one) for name, one in sorted(kept["problems"].items())},
    }
    return json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def test_the_examples_are_what_was_asked_and_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = Walk(monkeypatch)
    number = golden(walk)
    endings(walk)
    mended(walk)
    calendars(walk)
    items(walk)
    statistics(walk)
    refusals(walk, number)
    events = test_events.written()
    assert test_events.strange(events) == test_events.private(events) == set()
    assert {one.kind for one in events} >= set(VERBS)
    found = shown(walk.kept)
    if os.environ.get("ZHENGWU_RENEW_EXAMPLES") == "1":
        COMMITTED.write_text(found, encoding="utf-8")
    committed = COMMITTED.read_text(encoding="utf-8")
    assert json.loads(found) == json.loads(committed), f"the interface says it anew: {RENEW}"
    assert found == committed
    assert {"400", "401", "403", "404", "409", "411", "413", "422", "429"} <= set(
        json.loads(committed)["problems"]
    )


# --- what the document shows ----------------------------------------------------------------------


def operations() -> Iterator[tuple[str, Any]]:
    for methods in document()["paths"].values():
        for told in methods.values():
            yield told["operationId"], told


def test_no_operation_is_without_an_example_of_what_it_is_asked_and_answers() -> None:
    bare = {
        name
        for name, told in operations()
        for status, answer in told["responses"].items()
        for media, content in answer.get("content", {}).items()
        if status.startswith("2") and media not in BYTES and "example" not in content
    } | {
        name
        for name, told in operations()
        for content in told.get("requestBody", {}).get("content", {}).values()
        if "example" not in content
    }
    assert bare == set(WITHOUT)
    assert {f"act_{kind}" for kind in VERBS} <= {name for name, _ in operations()}


def test_every_example_fits_its_schema() -> None:
    common = document()["components"]["examples"]
    for name, told in operations():
        bodies = [told["requestBody"]] if "requestBody" in told else []
        for part in (*bodies, *told["responses"].values()):
            for content in part.get("content", {}).values():
                values = [content["example"]] if "example" in content else []
                values += [
                    common[one["$ref"].rsplit("/", 1)[1]]["value"]
                    for one in content.get("examples", {}).values()
                ]
                for value in values:
                    fits(content["schema"], value)
        for one in told.get("parameters", ()):
            if "example" in one:
                fits(one["schema"], one["example"])
        assert name


def test_nobody_stands_in_the_examples_but_whom_the_tests_made_up() -> None:
    text = COMMITTED.read_text(encoding="utf-8")
    assert set(re.findall(r"\b1[3-9]\d{9}\b", text)) == {COMPANY["phone"]}
    assert set(re.findall(r"\b[0-9A-Z]{18}\b", text)) == {COMPANY["identifier"]}
    assert not re.findall(r"zw_[\w-]{8,}", text)
    assert all(UUID(one).int for one in ID.findall(text))


def test_what_varies_is_replaced_and_what_is_the_same_stays_the_same() -> None:
    fixed = Fixed()
    number, other = "JC202609000777", "JC202609000778"
    found = fixed.value(
        {"a": number, "b": f"{other}；{number}", "at": "2026-09-14T09:20:00.123456+08:00",
         "next": tokens.write("events", 812), "position": 812, "seconds": 3_601}
    )  # fmt: skip
    assert found == {
        "a": "JC202609000001", "b": "JC202609000002；JC202609000001",
        "at": "2026-09-14T09:20:00+08:00", "next": tokens.write("events", 1), "position": 1,
        "seconds": 3_600,
    }  # fmt: skip
    assert timedelta(seconds=found["seconds"]) == timedelta(hours=1)
