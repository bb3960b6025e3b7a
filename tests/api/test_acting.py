"""A case from the receipt to the hand-out through the interface, by the person who is named."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from tests.api.asking import no
from tests.api.system import System, events_of, issue, register, water
from tests.desk import walk
from zhengwu.accounts.models import Look
from zhengwu.cases.acts import VERBS

pytestmark = pytest.mark.usefixtures("city")
CLERK, REVIEWER, APPROVER = "p-water-clerk", "p-water-reviewer", "p-water-approver"
APPLICANT = {
    "kind": "organisation", "name": "江城清源水务有限公司", "identifier_kind": "uscc",
    "identifier": "91330102MA28NBU477", "phone": "13912342046",
}  # fmt: skip


@pytest.fixture
def system(city: None) -> System:
    walk.publish_items()
    return water()


def reception(**more: Any) -> dict[str, Any]:
    return {
        "item": "XK0031",
        "applicant": APPLICANT,
        "materials": {"01": "received", "02": "received", "03": "received"},
    } | more


def received(system: System) -> dict[str, Any]:
    answer = system.acting(CLERK).post("/cases", reception())
    assert answer.status_code == 201, answer.content
    return answer.json()  # type: ignore[no-any-return]


def act(
    system: System, person: str, number: str, kind: str, version: int, **form: Any
) -> dict[str, Any]:
    answer = system.acting(person).post(
        f"/cases/{number}/acts/{kind}", {"version": version, "form": form}
    )
    assert answer.status_code == 200, answer.content
    return answer.json()  # type: ignore[no-any-return]


def png() -> BytesIO:
    out = BytesIO()
    Image.new("RGB", (300, 200), "white").save(out, "PNG")
    out.seek(0)
    out.name = "扫描.png"
    return out


def test_every_act_has_an_address_and_a_form_of_its_own(system: System) -> None:
    from tests.api.asking import document

    paths = document()["paths"]
    for kind in VERBS:
        told = paths[f"/api/v1/cases/{{number}}/acts/{kind}"]["post"]
        assert told["summary"] == VERBS[kind].zh
        assert told["requestBody"]["required"]
    told = system.get("/acts").json()
    assert [one["act"] for one in told["acts"]] == list(VERBS)
    assert all(one["scopes"] for one in told["acts"])


def test_a_case_goes_from_receipt_to_decision_and_each_step_names_who_did_it(
    system: System,
) -> None:
    case = received(system)
    number = case["number"]
    assert act(system, CLERK, number, "accepted", 1)["document"]
    act(system, REVIEWER, number, "step_taken", 2)
    offers = system.acting(REVIEWER).get(f"/cases/{number}/acts").json()
    assert offers["version"] == 3
    by_act = {one["act"]: one for one in offers["acts"]}
    post = by_act["handed_over"]["targets"][0][0]
    assert {"to", "note"} <= {one["name"] for one in by_act["handed_over"]["fields"]}
    act(system, REVIEWER, number, "step_done", 3, opinion="符合条件", advice="grant")
    found = system.get(f"/cases/{number}").json()
    assert (found["version"], found["state"]) == (4, "handling")
    assert post
    story = system.get(f"/cases/{number}/events").json()["events"]
    assert [one["kind"] for one in story] == ["received", "accepted", "step_taken", "step_done"]
    assert [one["actor"] for one in story] == [CLERK, CLERK, REVIEWER, REVIEWER]
    assert {one["body"]["via"] for one in story} == {"water-oa"}
    page = walk.sign_in(CLERK).get(f"/desk/cases/{number}").content.decode()
    assert "（经water-oa 系统）" in page


def test_the_same_key_again_does_nothing_twice_and_other_content_is_refused(
    system: System,
) -> None:
    key, clerk = str(uuid4()), system.acting(CLERK)
    first = clerk.post("/cases", reception(), key=key).json()
    again = clerk.post("/cases", reception(), key=key).json()
    assert not first["repeated"]
    assert again["repeated"]
    assert again["number"] == first["number"]
    other = reception(applicant=APPLICANT | {"phone": "13800138000"})
    no(clerk.post("/cases", other, key=key), 422, "ledger.key_reused")

    number, key = first["number"], str(uuid4())
    accept = {"version": 1, "form": {}}
    path = f"/cases/{number}/acts/accepted"
    done = clerk.post(path, accept, key=key).json()
    assert clerk.post(path, accept, key=key).json() == done | {
        "repeated": True, "sentence": "这一步已经办好，没有重复办理。",
    }  # fmt: skip
    take = f"/cases/{number}/acts/step_taken"
    no(system.acting(REVIEWER).post(take, {"version": 2}, key=key), 422, "ledger.key_reused")
    assert [one.kind for one in events_of(number)] == ["received", "accepted"]


def test_two_systems_may_use_the_same_key(system: System) -> None:
    key = str(uuid4())
    other = System(issue(register("water-app")), person=CLERK)
    first = system.acting(CLERK).post("/cases", reception(), key=key).json()
    second = other.post("/cases", reception(), key=key).json()
    assert not second["repeated"]
    assert second["number"] != first["number"]


@pytest.mark.parametrize("key", ["", "1", "not-a-uuid", "x" * 300])
def test_a_write_without_a_good_key_is_told_what_to_write(system: System, key: str) -> None:
    clerk = system.acting(CLERK)
    said = no(
        clerk.post("/cases", reception(), **{"Idempotency-Key": key or "-"}), 422, "request.key",
        "Idempotency-Key",
    )  # fmt: skip
    assert "UUID" in said


def test_an_act_on_an_old_version_is_409_and_says_what_came_between(system: System) -> None:
    number = received(system)["number"]
    act(system, CLERK, number, "accepted", 1)
    answer = system.acting(REVIEWER).post(
        f"/cases/{number}/acts/step_taken", {"version": 1, "form": {}}
    )
    said = no(answer, 409, "case.moved")
    assert answer.json()["version"] == 2
    assert "受理" in said


def test_the_law_says_no_with_its_article(system: System) -> None:
    number = received(system)["number"]
    act(system, CLERK, number, "accepted", 1)
    answer = system.acting(APPROVER).post(
        f"/cases/{number}/acts/extended", {"version": 2, "form": {"days": 11, "reasons": "复杂"}}
    )
    assert answer.status_code == 422
    missing = reception(materials={"01": "received", "99": "received"})
    answer = system.acting(CLERK).post("/cases", missing)
    found = answer.json()
    assert answer.status_code == 422
    assert {one["field"] for one in found["errors"]} >= {"materials", "material-02", "material-03"}
    assert any("行政许可法" in (one.get("article") or "") for one in found["errors"])


def test_what_is_misspelt_is_refused_by_name(system: System) -> None:
    clerk = system.acting(CLERK)
    no(clerk.post("/cases", reception(itme="x")), 422, "request.unknown_parameter", "itme")
    number = received(system)["number"]
    body = {"version": 1, "form": {"signr": "张三"}}
    found = clerk.post(f"/cases/{number}/acts/corrected_on_spot", body).json()
    assert {one["field"] for one in found["errors"]} == {"what", "signer", "signr"}
    no(
        clerk.post(f"/cases/{number}/acts/accepted", {"version": "one"}), 422,
        "request.unreadable", "version",
    )  # fmt: skip
    no(clerk.post(f"/cases/{number}/acts/accepted?x=1", {"version": 1}), 422,
       "request.unknown_parameter", "x")  # fmt: skip
    assert len(events_of(number)) == 1


def test_a_file_is_sent_once_named_in_an_act_and_fetched_again(system: System) -> None:
    clerk, key = system.acting(CLERK), str(uuid4())
    sent = clerk.send("/files", {"file": png(), "purpose": "material"}, key=key)
    assert sent.status_code == 201, sent.content
    assert clerk.send("/files", {"file": png()}, key=key).json() == sent.json()
    other = BytesIO(png().getvalue() + b"\0")
    other.name = "b.png"
    no(clerk.send("/files", {"file": other}, key=key), 422, "ledger.key_reused")
    file = sent.json()["id"]
    number = clerk.post("/cases", reception(files={"01": [file]})).json()["number"]
    (named,) = system.get(f"/cases/{number}").json()["files"]
    assert (named["id"], named["material"], named["digest"]) == (file, "01", sent.json()["digest"])
    got: Any = system.get(f"/cases/{number}/files/{file}")
    assert b"".join(got.streaming_content) == png().getvalue()
    text = BytesIO(b"plain text")
    text.name = "a.pdf"
    no(clerk.send("/files", {"file": text}), 422, "files.media", "file")


def test_a_document_is_a_pdf_and_the_look_is_recorded(system: System) -> None:
    case = received(system)
    found: Any = system.get(f"/cases/{case['number']}/documents/{case['document']}")
    assert found.content.startswith(b"%PDF-")
    look = Look.objects.latest("at")
    assert (look.person, look.why) == ("system:water-oa", "接口下载文书")
    assert system.get(f"/cases/{case['number']}/documents/AAAA2222BBBB3333").status_code == 404


def test_many_at_once_each_for_itself(system: System) -> None:
    numbers = [received(system)["number"] for _ in range(3)]
    picked = [{"number": one, "version": 1} for one in numbers]
    picked[1]["version"] = 7
    key = str(uuid4())
    clerk = system.acting(CLERK)
    body = {"cases": picked}
    found = clerk.post("/acts/accepted/batch", body, key=key).json()["results"]
    assert [one["done"] is not None for one in found] == [True, False, True]
    assert "新进展" in found[1]["detail"]
    again = clerk.post("/acts/accepted/batch", body, key=key).json()["results"]
    assert [one["done"] and one["done"]["repeated"] for one in again] == [True, None, True]
    assert [len(events_of(one)) for one in numbers] == [2, 1, 2]


def test_one_may_undo_what_one_just_did(system: System) -> None:
    number = received(system)["number"]
    act(system, CLERK, number, "accepted", 1)
    act(system, REVIEWER, number, "step_taken", 2)
    answer = system.acting(REVIEWER).post(f"/cases/{number}/undo", {"version": 3})
    assert answer.status_code == 200, answer.content
    assert system.get(f"/cases/{number}").json()["version"] == 4


def test_an_act_today_stands_in_the_log_with_the_time_of_the_database(system: System) -> None:
    number = received(system)["number"]
    (event,) = events_of(number)
    assert abs((event.received - datetime.now(UTC)).total_seconds()) < 60
