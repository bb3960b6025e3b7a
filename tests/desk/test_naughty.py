"""Strings that broke other people's programs: every answer is a page, never a fault.

The ordinary run takes a sample of them; ZHENGWU_DRILL=1 takes them all.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from tests.desk import walk

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
SAMPLE = 25
DRILL = os.environ.get("ZHENGWU_DRILL") == "1"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")


pytestmark = pytest.mark.usefixtures("shop")


def strings(step: int) -> list[str]:
    """Every step-th of the list in the drill; otherwise some twenty-five of them, at most, that lie
    evenly over all its sections."""
    everything: list[str] = json.loads(
        (DATA / "bad-inputs" / "blns" / "blns.json").read_text(encoding="utf-8")
    )
    return everything[:: step if DRILL else max(step, len(everything) // SAMPLE)]


@needs_data
def test_every_naughty_string_in_every_field_gets_the_form_back(clerk: Client) -> None:
    for text in strings(1):
        wrong = walk.registration(name=text, identifier=text, phone=text, item=text)
        response = clerk.post("/desk/register", wrong)
        assert response.status_code == 422, text
    assert "JC2" not in walk.text(clerk.get("/desk/"))


NEW_FIELDS = (
    "identifier_kind", "country", "contact_name", "contact_phone", "agent_role", "agent_name",
    "agent_identifier", "agent_kind", "agent_phone", "agent_scope", "agent_until", "letter",
    "other-1", "other-1-kind", "other-1-since", "other-1-until", "material-01", "why-01",
    "file-01", "shown", "key",
)  # fmt: skip


@needs_data
def test_every_naughty_string_in_every_new_field_gets_the_form_back(clerk: Client) -> None:
    for text in strings(3):
        wrong = walk.registration(phone="1", **dict.fromkeys(NEW_FIELDS, text))
        response = clerk.post("/desk/register", wrong)
        assert response.status_code == 422, text
    for text in strings(9):
        look = dict.fromkeys((*NEW_FIELDS, "identifier", "name", "item", "use", "choice"), text)
        for do in ("look", "pick", text):
            assert clerk.post("/desk/register", {**look, "do": do}).status_code == 200, text
        assert clerk.get("/desk/register", {"draft": text, "item": text}).status_code == 200, text
    assert "JC2" not in walk.text(clerk.get("/desk/"))


@needs_data
def test_naughty_reasons_and_scopes_are_kept_or_refused_and_never_a_fault(clerk: Client) -> None:
    for text in strings(12):
        given = walk.registration(
            key=str(uuid4()), do="supplement", agent_role="staff", agent_name="赵敏",
            agent_identifier="11010519491231002X", agent_phone="13800001111", agent_scope=text,
            **{"material-01": "faulty", "why-01": text},
        )  # fmt: skip
        response = clerk.post("/desk/register", given)
        assert response.status_code in (302, 422), text
        if response.status_code == 302:
            assert clerk.get(response["Location"]).status_code == 200, text


@needs_data
def test_every_naughty_string_can_be_searched_for(clerk: Client) -> None:
    for text in strings(4):
        for path in ("/desk/", "/items", "/check"):
            response = clerk.get(path, {"q": text, "code": text, "item": text})
            assert response.status_code in (200, 302, 404, 422), (path, text)


@needs_data
def test_the_rare_letters_of_the_standard_are_names(clerk: Client) -> None:
    hard = json.loads((DATA / "bad-inputs" / "han" / "tgh_hard.json").read_text(encoding="utf-8"))
    letters = "".join(letter for group in hard.values() for letter in group)
    for start in range(0, len(letters), 40):
        name = letters[start : start + 40]
        given = walk.registration(
            key=str(uuid4()),
            identifier="11010519491231002X",
            identifier_kind="resident_id",
            name=name,
        )
        response = clerk.post("/desk/register", given)
        assert response.status_code == 302, walk.text(response)[:4000]
    assert letters[:4] in walk.text(clerk.get("/desk/"))


@needs_data
def test_every_naughty_string_as_an_opinion_gets_the_page_back(clerk: Client) -> None:
    number = walk.register(clerk)
    reviewer = walk.sign_in("p-water-reviewer")
    act = f"/desk/cases/{number}/acts/"
    taken = reviewer.post(act + "step_taken", {"key": str(uuid4()), "version": "2"})
    assert taken.status_code == 302
    for text in strings(8):
        form = {"key": str(uuid4()), "version": "3", "opinion": text, "to": "nowhere"}
        assert reviewer.post(act + "step_done", form).status_code == 422, text


def test_a_nul_in_any_field_of_an_act_is_refused_at_the_field(clerk: Client) -> None:
    from tests.api.asking import no
    from tests.api.system import water

    system = water(person="p-water-clerk")
    given = {
        "item": "XK0031",
        "applicant": {
            "kind": "organisation", "name": "江城清源水务有限公司", "identifier_kind": "uscc",
            "identifier": "91330102MA28NBU477", "phone": "13912342046",
        },
        "materials": {"01": "received", "02": "received", "03": "received"},
    }  # fmt: skip
    number = system.post("/cases", given).json()["number"]
    page = clerk.post(
        f"/desk/cases/{number}/acts/handed_over", {"version": "1", "to": "a\0b", "note": "给您"}
    )
    assert page.status_code == 422
    assert "不可见的控制字符" in walk.text(page)
    no(system.post(f"/cases/{number}/acts/handed_over", {"version": 1, "form": {"to": "a\0b"}}),
       422, "request.characters")  # fmt: skip
