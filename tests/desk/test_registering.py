"""Registering a walk-in through the page."""

from __future__ import annotations

import re
from datetime import date
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.desk import walk
from tests.documents.uploads import pdf
from zhengwu.accounts import queries as accounts
from zhengwu.cases import drafts
from zhengwu.cases import queries as case_queries
from zhengwu.catalog import searching
from zhengwu.desk.register import picking

pytestmark = pytest.mark.usefixtures("shop")


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
        {"identifier_kind": "passport", "identifier": "E12345678", "name": "John Smith"},
        {"phone": "139****9999"},
        {"material-01": "faulty"},
        {"material-02": "held", "why-02": " "},
        {"why-01": "字" * 201, "material-01": "faulty"},
        {"contact_name": "何晓岚"},
        {"contact_phone": "13912345678"},
        {"other-1": "330102000000000", "other-1-kind": "registration_no"},
        {"other-2": "1", "other-2-kind": ""},
        {"other-1-since": "2009-13-41"},
        {"agent_role": "agent"},
        {"agent_name": "赵敏"},
        {"agent_role": "staff", "agent_name": "赵敏", "agent_identifier": "11010519491231002X"},
        {"agent_until": "soon"},
        {"letter": "8a9c0f0e-6a1a-4d53-9f5f-0f2f3b6f1a09", "agent_role": "agent"},
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


AGENT = {
    "agent_role": "agent",
    "agent_name": "赵敏",
    "agent_identifier": "11010519491231002X",
    "agent_phone": "13800001111",
    "agent_scope": "代为申请取水许可",
    "agent_until": "2199-12-31",
}


def file(name: str = "委托书.pdf", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pdf() if data is None else data, "application/pdf")


def sent(client: Client, **changes: object) -> walk.Answer:
    """The form with files, as a browser sends it."""
    return client.post("/desk/register", {**walk.registration(key=str(uuid4())), **changes})


def test_a_number_brings_up_name_phone_and_history_and_is_not_typed_twice(clerk: Client) -> None:
    number = walk.register(clerk)
    look = {"do": "look", "identifier": walk.uscc().lower(), "key": str(uuid4())}
    page = walk.text(clerk.post("/desk/register", look))
    assert 'value="江城清源水务有限公司"' in page
    assert 'value="139****2046"' in page
    assert "13900002046" not in page
    assert f"/desk/cases/{number}" in page
    again = walk.register(clerk, key=str(uuid4()), phone="139****2046")
    assert again != number
    looks = walk.text(walk.sign_in("p-audit_admin").get("/desk/audit"))
    assert "登记时带出申请人" in looks


def test_another_applicants_number_takes_the_place_of_what_was_brought_up(clerk: Client) -> None:
    walk.register(clerk)
    page = walk.text(
        clerk.post(
            "/desk/register",
            {
                "do": "look", "identifier": "11010519491231002X", "shown": walk.uscc(),
                "name": "江城清源水务有限公司", "phone": "139****2046",
            },
        )
    )  # fmt: skip
    assert "江城清源水务有限公司" not in page
    assert "没有登记过" in page


def test_an_agent_comes_with_a_letter_and_is_offered_the_next_time(clerk: Client) -> None:
    without = sent(clerk, **AGENT)
    assert without.status_code == 422
    assert 'href="#id_letter"' in walk.text(without)
    response = sent(clerk, **AGENT, **{"upload-letter": file()})
    assert response.status_code == 302, walk.text(response)
    look = {"do": "look", "identifier": walk.uscc(), "key": str(uuid4())}
    page = walk.text(clerk.post("/desk/register", look))
    use = re.search(r'name="use" value="(\d+)"', page)
    assert use
    taken = walk.text(clerk.post("/desk/register", {**look, "use": use.group(1)}))
    assert 'name="agent_name" value="赵敏"' in taken
    assert "11010519491231002X" not in taken
    number = re.search(r'name="agent_identifier" value="([^"]+)"', taken)
    assert number
    more = AGENT | {"agent_identifier": number.group(1), "agent_phone": "138****1111"}
    assert sent(clerk, **more, **{"upload-letter": file()}).status_code == 302


def test_an_upload_outlives_a_refused_form(clerk: Client) -> None:
    refused = sent(clerk, phone="1", **{"upload-01": file("申请书.pdf"), "item": "取水许可"})
    page = walk.text(refused)
    assert refused.status_code == 422
    assert "申请书.pdf" in page
    held = re.search(r'name="file-01" value="([0-9a-f-]{36})"', page)
    assert held
    assert sent(clerk, **{"file-01": held.group(1)}).status_code == 302


@pytest.mark.parametrize("data", [b"", b"MZ not a picture", b"%PDF-1.7 broken"])
def test_an_ugly_file_is_refused_at_its_field_and_nothing_is_filed(
    clerk: Client, data: bytes
) -> None:
    for field in ("upload-02", "upload-letter"):
        response = sent(clerk, **{field: file(data=data)})
        assert response.status_code in (302, 422)
        if data:
            assert response.status_code == 422
            where = "letter" if field.endswith("letter") else "file-02"
            assert f'href="#id_{where}"' in walk.text(response)


def test_faulty_and_held_materials_are_told_at_once_straight_to_the_notice(clerk: Client) -> None:
    response = sent(
        clerk, do="supplement",
        **{"material-02": "faulty", "why-02": "第 3 页没有盖章", "material-03": "held",
           "why-03": "本市电子证照库已有"},
    )  # fmt: skip
    assert response.status_code == 302, walk.text(response)
    page = walk.text(clerk.get(response["Location"]))  # type: ignore[index]
    assert "打印收件回执" in page
    assert "打印补正告知书" in page
    assert page.count("data-focus") == 1


def test_there_is_nothing_to_tell_where_nothing_is_missing(clerk: Client) -> None:
    response = sent(clerk, do="supplement")
    assert response.status_code == 422
    assert "应当受理" in walk.text(response)
    assert "JC2" not in walk.text(clerk.get("/desk/"))


@pytest.mark.parametrize("do", ["not_needed", "not_ours"])
def test_what_is_not_needed_or_not_ours_is_received_and_its_form_opened(
    clerk: Client, do: str
) -> None:
    response = sent(clerk, do=do)
    assert response.status_code == 302
    place, _, anchor = response["Location"].partition("#")  # type: ignore[index]
    assert f'id="{anchor}"' in walk.text(clerk.get(place))


def test_two_clerks_register_one_applicant_once(clerk: Client) -> None:
    other = walk.sign_in("p-water-clerk2")
    first, second = walk.register(clerk), walk.register(other, key=str(uuid4()))
    page = walk.text(clerk.post("/desk/register", {"do": "look", "identifier": walk.uscc()}))
    assert first in page
    assert second in page


def test_a_parked_form_goes_on_and_is_gone_once_submitted(clerk: Client) -> None:
    key = str(uuid4())
    parked = walk.registration(key=key, **{"draft-parked": "1", "agent_name": "赵敏"})
    assert clerk.post(f"/desk/drafts/register/{key}", parked).status_code == 302
    page = walk.text(clerk.get(f"/desk/register?draft={key}"))
    assert f'name="key" value="{key}"' in page
    assert 'value="江城清源水务有限公司"' in page
    assert page.count(" checked") == 3
    walk.register(clerk, key=key)
    assert drafts.count_of(accounts.actor("p-water-clerk")) == 0
    assert f'value="{key}"' not in walk.text(clerk.get(f"/desk/register?draft={key}"))


@pytest.mark.parametrize("typed", ["qsxk", "QSXK", "xk0031", "取水", "sxk"])
def test_an_item_is_found_by_name_code_and_initials(city: None, typed: str) -> None:
    rows = picking.options(accounts.actor("p-water-clerk"), date(2026, 9, 14))
    chosen, near = picking.pick(typed, rows)
    assert chosen is not None or near
    assert (chosen.code if chosen else near[0][0]) == "XK0031"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("食品经营许可（新办）", "spjyxkxb"),
        ("银行账户", "yhzh"),
        ("A级景区评定", "ajjqpd"),
        ("（）", ""),
    ],
)
def test_initials_are_of_every_syllable(name: str, letters: str) -> None:
    assert searching.initials(name) == letters


def test_a_material_that_no_guide_lists_is_refused_at_the_form_and_kept_on_record(
    clerk: Client,
) -> None:
    form = walk.registration(**{"material-99": "missing"})
    answer = clerk.post("/desk/register", form)
    assert answer.status_code == 422
    assert "只能收取办事指南列明的材料" in walk.text(answer)
    (kept,) = case_queries.attempts(accounts.actor("p-supervisor")).rows
    assert (kept.act, kept.codes) == ("received", ("99",))
