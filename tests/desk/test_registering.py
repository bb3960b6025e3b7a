"""Registering a walk-in through the page."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.desk import walk


@pytest.fixture(autouse=True)
def _items(city: None) -> None:
    walk.publish_items()


def test_a_walk_in_is_received_and_accepted_in_one_go(clerk: Client) -> None:
    number = walk.register(clerk)
    page = walk.text(clerk.get(f"/desk/cases/{number}"))
    assert "受理通知书" in page
    assert "查询码" in page


def test_the_same_form_twice_is_one_case(clerk: Client) -> None:
    assert walk.register(clerk) == walk.register(clerk)


def test_picking_an_item_shows_its_materials_unticked_and_keeps_what_was_typed(
    clerk: Client,
) -> None:
    form = {"do": "pick", "item": "取水", "name": "江城清源水务有限公司"}
    page = walk.text(clerk.post("/desk/register", form))
    assert "水资源论证报告书" in page
    assert 'value="江城清源水务有限公司"' in page
    assert " checked" not in page
    assert "错误：" not in page


def test_everything_missing_is_said_at_once(clerk: Client) -> None:
    empty = walk.registration(identifier="", name="", phone="", **{"material-02": ""})
    response = clerk.post("/desk/register", empty)
    page = walk.text(response)
    assert response.status_code == 422
    assert "<title>错误：" in page
    assert 'href="#id_material-02"' in page
    for name in ("identifier", "name", "phone"):
        assert f'href="#id_{name}"' in page
    assert " checked" in page  # the other ticks are kept


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": "91420100MA4K7Q2R50"},
        {"identifier": "42010019990230001X"},
        {"identifier": "𠮷" * 300},
        {"name": "x" * 5000},
        {"name": "\x00\x01"},
        {"phone": "😀"},
        {"phone": "１３９００００２０４６x"},
        {"item": "'; DROP TABLE cases_case; --"},
        {"item": "不存在的事项"},
        {"material-01": "perhaps"},
        {"material-99": "received", "material-01": ""},
        {"identifier_kind": "library_card"},
        {"identifier_kind": "passport", "identifier": "!!"},
    ],
)
def test_bad_input_gets_the_form_back_and_files_nothing(
    clerk: Client, changes: dict[str, str]
) -> None:
    response = clerk.post("/desk/register", walk.registration(**changes))
    assert response.status_code == 422, changes
    assert "没有提交" in walk.text(response)
    assert "JC2" not in walk.text(clerk.get("/desk/"))


def test_a_key_that_is_none_does_no_harm(clerk: Client) -> None:
    assert walk.register(clerk, key="not-a-key")


def test_a_missing_material_is_received_and_not_accepted(clerk: Client) -> None:
    number = walk.register(clerk, **{"material-03": "missing"})
    page = walk.text(clerk.get(f"/desk/cases/{number}"))
    assert "还没有受理" in page
    assert "待受理" in page


def test_a_reviewer_cannot_register(city: None) -> None:
    assert walk.sign_in("p-water-reviewer").get("/desk/register").status_code == 403


def test_an_item_can_be_chosen_by_its_address(clerk: Client) -> None:
    page = walk.text(clerk.get("/desk/register?item=XK0031"))
    assert "水资源论证报告书" in page
