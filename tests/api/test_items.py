"""Items and guides over the interface: found page by page, read as of a day and at a place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.api.asking import ask, no
from tests.desk import walk
from tests.portal.listing import AT, docx, own, publish, revise, today
from zhengwu.catalog import api, browsing, finding, forms, words
from zhengwu.domain.guide import Level
from zhengwu.web import throttle

pytestmark = pytest.mark.usefixtures("town")
WATER_LICENCE = "XK0036"


@pytest.fixture
def anyone(town: None) -> Client:
    for function in (browsing._counts, browsing._organs, browsing._regions, finding._organs):
        function.cache_clear()
    return walk.public()


def found(client: Client, **given: str) -> list[Any]:
    rows: list[Any] = ask(client, "/items", given).json()["rows"]
    return rows


def in_district(region: str = "420102", **own_words: Any) -> None:
    publish(
        f"{WATER_LICENCE}-{region}", own_words, base=WATER_LICENCE, region=region,
        agency="420102-water", above=f"C.{WATER_LICENCE}", since=today(),
    )  # fmt: skip


# --- finding ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", ["取水许可", "水许", "qsxk", "xk0036", "打井", "许可 取水"])
def test_an_item_is_found_by_what_people_type(anyone: Client, q: str) -> None:
    rows = found(anyone, q=q)
    one = next(row for row in rows if row["base"] == WATER_LICENCE)
    assert (one["code"], one["name"], one["region"]) == (WATER_LICENCE, "取水许可", "420100")
    assert one["promised"]["unit"] == "working_day"
    assert one["agency_name"] == "江城市水务局"


def test_what_is_found_is_narrowed_like_on_the_page(anyone: Client) -> None:
    in_district()
    names = {row["name"] for row in found(anyone, q="许可", agency="420100-water")}
    assert names == {"取水许可", "城镇污水排入排水管网许可"}
    assert [row["name"] for row in found(anyone, q="取水", theme="L20", target="2")] == ["取水许可"]
    assert found(anyone, q="取水", type="公共服务") == []
    (there,) = found(anyone, region="420102")
    assert (there["code"], there["agency"]) == (f"{WATER_LICENCE}-420102", "420102-water")
    assert [row["code"] for row in found(anyone, level="district")] == [there["code"]]
    city = found(anyone, q="取水", level="city")
    assert [row["code"] for row in city] == [WATER_LICENCE]
    assert [row["places"] for row in found(anyone, q="取水")] == [1]


@pytest.mark.parametrize(
    "given", [{}, {"q": "许可"}, {"type": "行政许可"}, {"agency": "420100-water"}]
)
def test_paging_by_next_shows_every_item_once_and_in_the_order_of_the_page(
    anyone: Client, given: dict[str, str]
) -> None:
    whole = found(anyone, limit="200", **given)
    assert len(whole) > 2
    seen: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = ask(anyone, "/items", {**given, **after, "limit": "2"}).json()
        seen += page["rows"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == whole
    assert [row["base"] for row in seen[:20]] == [
        one.base
        for one in finding.search(
            given.get("q", ""),
            today(),
            type_=given.get("type", ""),
            agency=given.get("agency", ""),
        ).rows
    ]


def test_a_new_item_in_the_middle_moves_nothing_that_is_still_to_come(anyone: Client) -> None:
    first = ask(anyone, "/items", {"limit": "5"}).json()
    rest = ask(anyone, "/items", {"limit": "200", "after": first["next"]}).json()["rows"]
    publish("AA0001", own(name="最前面的新事项"), since=today())
    again = ask(anyone, "/items", {"limit": "200", "after": first["next"]}).json()["rows"]
    assert again == rest


def test_next_belongs_to_its_question(anyone: Client) -> None:
    page = ask(anyone, "/items", {"limit": "2", "q": "许可"}).json()
    for given in ({}, {"q": "备案"}, {"q": "许可", "type": "公共服务"}):
        no(ask(anyone, "/items", {**given, "after": page["next"]}), 422, "request.token", "after")


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"limit": "0"}, "request.limit", "limit"),
        ({"limit": "201"}, "request.limit", "limit"),
        ({"limit": "x"}, "request.unreadable", "limit"),
        ({"theme": "ZZ"}, "items.theme", "theme"),
        ({"region": "110000"}, "items.region", "region"),
        ({"target": "99"}, "request.unreadable", "target"),
        ({"level": "province"}, "request.unreadable", "level"),
        ({"type": "许可"}, "request.unreadable", "type"),
        ({"agency": "\x00"}, "request.unreadable", "agency"),
        ({"after": "x"}, "request.token", "after"),
        ({"page": "2"}, "request.unknown_parameter", "page"),
    ],
)
def test_what_is_wrong_with_a_question_is_named(
    anyone: Client, given: dict[str, str], code: str, field: str
) -> None:
    no(ask(anyone, "/items", given), 422, code, field)


# --- one item ---------------------------------------------------------------------------------------


def test_a_version_holds_from_its_day_on(anyone: Client) -> None:
    later = today() + timedelta(days=8)
    revise(f"C.{WATER_LICENCE}", {"promised": {
        "value": 5, "unit": "working_day", "basis": "办事指南承诺"}}, since=later)  # fmt: skip

    def told(**given: str) -> Any:
        return ask(anyone, f"/items/{WATER_LICENCE}", given).json()

    now, then = told(), told(on=later.isoformat())
    assert now["on"] == today().isoformat()
    assert now["version"]["until"] == (later - timedelta(days=1)).isoformat()
    assert now["version"]["promised"]["value"] != 5
    assert (then["version"]["version"], then["version"]["promised"]["value"]) == (
        now["version"]["version"] + 1, 5,
    )  # fmt: skip
    assert then["version"]["since"] == later.isoformat()
    story = ask(anyone, f"/items/{WATER_LICENCE}/versions").json()
    assert [one["state"] for one in story["versions"]] == ["coming", "in_force", "over"]
    assert "promised" in {one["code"] for one in story["versions"][0]["changed"]}
    assert story["versions"][2]["changed"] == []
    before = ask(anyone, f"/items/{WATER_LICENCE}", {"on": "1990-01-01"})
    no(before, 404, "item.not_in_force")


def test_at_a_place_it_is_the_places_own(anyone: Client) -> None:
    in_district(promised={"value": 3, "unit": "working_day", "basis": "办事指南承诺"})
    city = ask(anyone, f"/items/{WATER_LICENCE}").json()
    assert [one["region_name"] for one in city["places"]] == ["江城市", "临江区"]
    for given in ({"region": "420102"}, {}):
        code = WATER_LICENCE if given else f"{WATER_LICENCE}-420102"
        told = ask(anyone, f"/items/{code}", given).json()["version"]
        assert (told["agency_name"], told["promised"]["value"]) == ("临江区水务局", 3)
    missing = ask(anyone, f"/items/{WATER_LICENCE}", {"region": "420103"})
    no(missing, 404, "item.not_there")


def test_what_only_districts_do_names_its_places_and_wants_one_for_the_guide(
    anyone: Client,
) -> None:
    content = own(name="小型取水点登记")
    law = {code: content.pop(code) for code in ("name", "type", "basis", "statutory")}
    publish("P.XK9002", law, base="XK9002", level=Level.PROVINCE, region="420000")
    publish("C.XK9002", content, base="XK9002", level=Level.CITY, above="P.XK9002")
    publish(
        "XK9002-420102", {"place": "便民路 1 号"}, base="XK9002", region="420102",
        agency="420102-water", above="C.XK9002",
    )  # fmt: skip
    (row,) = found(anyone, q="小型取水点")
    assert (row["base"], row["code"]) == ("XK9002", None)
    told = ask(anyone, "/items/XK9002").json()
    assert told["version"] is None
    assert [one["code"] for one in told["places"]] == ["XK9002-420102"]
    no(ask(anyone, "/items/XK9002/guide"), 422, "item.districts", "region")
    no(ask(anyone, "/items/XK9002/versions"), 404, "item.districts")
    guide = ask(anyone, "/items/XK9002/guide", {"region": "420102"}).json()
    levels = {one["code"]: one["level"] for one in guide["elements"]}
    assert (levels["name"], levels["promised"], levels["place"]) == (
        "province", "city", "implementation",
    )  # fmt: skip
    assert levels["steps"] == "flow"


@pytest.mark.parametrize("code", ["NOPE", "C.XK0036", "P.XK0036", "x" * 300, "%00", "取水"])
def test_what_is_only_on_a_list_or_nowhere_is_not_found(anyone: Client, code: str) -> None:
    for path in (f"/items/{code}", f"/items/{code}/guide", f"/items/{code}/versions"):
        answer = anyone.get(f"/api/v1{path}")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("on", ["", "2026-02-30", "1", "2026-1-1", "1700000000", "明天", "０"])
def test_a_day_that_is_none_is_told(anyone: Client, on: str) -> None:
    no(ask(anyone, f"/items/{WATER_LICENCE}", {"on": on}), 422, "items.date", "on")


# --- the guide --------------------------------------------------------------------------------------


def test_the_guide_says_everything_with_the_articles_and_the_forms(anyone: Client) -> None:
    digest = forms.keep(docx(), "申请书.docx", by="p-centre_manager", at=AT)
    publish(
        "XK9003",
        own(
            conditions=["在本市", "有批复"],
            materials=[{"code": "01", "name": "申请书", "need": "required", "blank": digest,
                        "copies": 2, "form": "paper", "origin": "applicant", "basis": "材料依据"}],
            fees=[{"name": "工本费", "fen": 1250, "standard": "每证", "basis": "收费依据"}],
            questions=[{"q": "多久", "a": "十二天"}],
            basis="行政许可法 第四十二条；城乡规划法 第40条",
            phone="12345",
        ),
    )  # fmt: skip
    told = ask(anyone, "/items/XK9003/guide").json()
    assert told["statutory"]["laws"][0]["address"] == "/laws/xkf#art-42"
    assert [one["text"] for one in told["basis"]] == ["行政许可法 第四十二条", "城乡规划法 第40条"]
    for one in (*told["statutory"]["laws"], *(c for b in told["basis"] for c in b["laws"])):
        page: Any = anyone.get(one["address"].partition("#")[0])
        assert one["address"].partition("#")[2] in walk.text(page)
    (paper,) = told["materials"]
    assert (paper["need_zh"], paper["copies"], paper["blank"]["filename"]) == (
        "必要", 2, "申请书.docx",
    )  # fmt: skip
    assert anyone.get(paper["blank"]["address"]).status_code == 200
    assert told["fees"] == [
        {"name": "工本费", "fen": 1250, "standard": "每证", "relief": "", "basis": "收费依据"}
    ]
    assert told["conditions"] == ["在本市", "有批复"]
    assert told["questions"] == [{"question": "多久", "answer": "十二天"}]
    assert told["steps"][0]["limit"]["unit"] == "working_day"
    assert told["template"]
    by_code = {one["code"]: one for one in told["elements"]}
    assert (by_code["phone"]["value"], by_code["phone"]["text"]) == ("12345", "12345")
    assert by_code["materials"]["value"] is None
    assert "申请书" in by_code["materials"]["text"]
    assert {one["level"] for one in told["elements"]} == {"implementation", "flow"}


# --- the catalogue ----------------------------------------------------------------------------------


def test_themes_and_departments_count_what_their_question_finds(anyone: Client) -> None:
    in_district()
    for path, name, given in (
        ("/themes", "theme", {}),
        ("/departments", "agency", {}),
        ("/departments", "agency", {"region": "420102"}),
    ):
        rows = ask(anyone, path, given).json()
        counted = [one for one in rows if one["items"]]
        assert counted
        for one in counted:
            assert len(found(anyone, **{name: one["code"]}, limit="200")) == one["items"], one


# --- kept, counted ----------------------------------------------------------------------------------

PATHS = (
    "/items", f"/items/{WATER_LICENCE}", f"/items/{WATER_LICENCE}/guide",
    f"/items/{WATER_LICENCE}/versions", "/themes", "/departments",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_an_unchanged_answer_costs_one_question_and_a_publication_is_seen(
    anyone: Client, path: str
) -> None:
    first = ask(anyone, path)
    assert first["Cache-Control"] == "public, max-age=60"
    with CaptureQueriesContext(connection) as asked:
        again = ask(anyone, path, if_none_match=first["ETag"])
    assert (again.status_code, again["ETag"]) == (304, first["ETag"])
    assert len(asked) == 1, asked.captured_queries
    revise(WATER_LICENCE, {"phone": "12345"})
    assert ask(anyone, path, if_none_match=first["ETag"]).status_code == 200
    signed_in = ask(walk.sign_in("p-water-clerk"), path)
    assert signed_in["Cache-Control"] == "private, max-age=60"


def test_a_new_everyday_word_is_seen_by_who_asks_again(anyone: Client) -> None:
    from zhengwu.accounts import queries as accounts
    from zhengwu.web.clock import now

    first = ask(anyone, "/items", {"q": "掘井"})
    assert first.json()["rows"] == []
    words.add(accounts.actor("p-centre_manager"), "掘井", ["取水许可"], at=now())
    again = ask(anyone, "/items", {"q": "掘井"}, if_none_match=first["ETag"])
    assert [one["base"] for one in again.json()["rows"]] == [WATER_LICENCE]


def test_answers_cost_the_same_few_questions_however_much_there_is(anyone: Client) -> None:
    in_district()

    def cost(path: str, **given: str) -> int:
        ask(anyone, path, given)
        with CaptureQueriesContext(connection) as asked:
            ask(anyone, path, given)
        return len(asked)

    assert cost("/items", limit="2") == cost("/items", limit="200") <= 5
    assert cost(f"/items/{WATER_LICENCE}") <= 4
    assert cost(f"/items/{WATER_LICENCE}/guide") <= 7


def test_one_question_too_many_is_429(anyone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PER_SENDER", 3)
    other = Client(SERVER_NAME="localhost", REMOTE_ADDR="10.1.2.4")
    answers = [ask(other, "/themes") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    no(answers[-1], 429, "items.too_often")
    assert 0 < int(answers[-1]["Retry-After"]) <= 600


def test_the_shares_of_past_windows_are_forgotten(
    town: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody may ask, from any number of addresses: what is kept of them must not grow."""
    monkeypatch.setattr(throttle, "HELD", 3)
    monkeypatch.setattr(throttle, "_leases", {})
    for sender in ("1", "2", "3", "late"):
        at = AT + timedelta(minutes=11 if sender == "late" else 0)
        assert throttle.lease("x", sender, most=100, within=api.WINDOW, at=at) is None
    assert [one.partition("\n")[2] for one in throttle._leases] == ["late"]
