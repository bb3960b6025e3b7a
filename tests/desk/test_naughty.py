"""Strings that broke other people's programs: every answer is a page, never a fault."""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from tests.desk import walk

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"the real data is not at {DATA}")


@pytest.fixture(autouse=True)
def _items(city: None) -> None:
    walk.publish_items()


@needs_data
def test_every_naughty_string_in_every_field_gets_the_form_back(clerk: Client) -> None:
    strings = json.loads((DATA / "bad-inputs" / "blns" / "blns.json").read_text(encoding="utf-8"))
    for text in strings:
        wrong = walk.registration(name=text, identifier=text, phone=text, item=text)
        response = clerk.post("/desk/register", wrong)
        assert response.status_code == 422, text
    assert "JC2" not in walk.text(clerk.get("/desk/"))


@needs_data
def test_every_naughty_string_can_be_searched_for(clerk: Client) -> None:
    strings = json.loads((DATA / "bad-inputs" / "blns" / "blns.json").read_text(encoding="utf-8"))
    for text in strings[::4]:
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
    strings = json.loads((DATA / "bad-inputs" / "blns" / "blns.json").read_text(encoding="utf-8"))
    act = f"/desk/cases/{number}/acts/"
    taken = reviewer.post(act + "step_taken", {"key": str(uuid4()), "version": "2"})
    assert taken.status_code == 302
    for text in strings[::8]:
        form = {"key": str(uuid4()), "version": "3", "opinion": text, "to": "nowhere"}
        assert reviewer.post(act + "step_done", form).status_code == 422, text
