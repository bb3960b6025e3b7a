"""Supervision's lists: who opened or downloaded one is on record, and the whole of one is exported in
the background, as the list shows it."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from tests.cases import people
from tests.cases.people import FOOD, WATER, actor
from tests.conftest import Kept
from tests.desk.walk import Answer, sign_in, text
from tests.supervision.acting import AT, CLERK, HEAD, REVIEWER, STRANGER, SUPERVISOR, card
from zhengwu.accounts import services as accounts
from zhengwu.accounts.models import Look
from zhengwu.accounts.queries import Actor
from zhengwu.domain.refusal import Refusal
from zhengwu.exports import files, registry, running
from zhengwu.exports.models import Order
from zhengwu.supervision import exporting
from zhengwu.supervision.queries import Filter
from zhengwu.web.clock import now

Owner = psycopg.Connection[tuple[object, ...]]
DESK, MINE = "/desk/supervision", "/desk/supervision/mine"
AUDIT = "p-audit_admin"
COPIES = 60  # more than a page
NEW = "/desk/exports/new"
TABLE = "supervision.findings"


def copies(many: int, *, bureaux: int = 1) -> None:
    """So many findings more, two a minute: the water bureau's yellow card again, in turn with those
    of so many other bureaux.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute"
            " WHERE attrelid = 'supervision_finding'::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attname NOT IN ('id', 'at', 'agency')"
        )
        (columns,) = cursor.fetchone()
        cursor.execute(
            f"INSERT INTO supervision_finding (id, at, agency, {columns}) SELECT gen_random_uuid(),"
            " at - (n + 1) / 2 * interval '1 minute', CASE WHEN mod(n, %s) = 0 THEN agency"
            f" ELSE 'x-' || mod(n, 50) END, {columns} FROM (SELECT * FROM supervision_finding"
            " WHERE agency = %s AND level = 'yellow' ORDER BY at DESC LIMIT 1) one,"
            " generate_series(1, %s) n",
            [bureaux, WATER, many],
        )  # fmt: skip


@pytest.fixture(autouse=True)
def _carded(town: None, kept: Kept) -> None:
    """Cards of two bureaux, of three levels, and more than a page of one of them; kept."""
    from tests.accounts.city import small_city

    def build() -> None:
        small_city()
        people.items()
        water, market = people.received(), people.received(item=FOOD, who=STRANGER)
        water.do(CLERK, "accepted", "09-14 10:00")
        card(water.number)
        card(water.number, "red", person=REVIEWER)
        card(market.number, "hint", person=STRANGER)
        copies(COPIES)

    kept.clean()
    kept.again("lists of findings", build)


def finding(level: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, rule FROM supervision_finding WHERE level = %s LIMIT 1", [level]
        )
        return dict(zip(("number", "rule"), cursor.fetchone(), strict=True))


@pytest.fixture
def supervisor() -> Client:
    return sign_in(SUPERVISOR)


def looks(who: str = SUPERVISOR) -> list[str]:
    """What is on record of this person's looks at lists, the first first."""
    found = Look.objects.filter(person=who, stream=accounts.LIST).order_by("id")
    return list(found.values_list("why", flat=True))


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


# --- looks ----------------------------------------------------------------------------------------


def test_a_list_that_is_opened_is_one_look_with_what_it_was_narrowed_by(
    supervisor: Client,
) -> None:
    asked = {"folder": "cards", "level": "red", "agency": WATER, "since": "2026-01-02"}
    assert supervisor.get(DESK, asked).status_code == 200
    for where, query in (
        (f"{DESK}/orders", {"folder": "all"}),
        (f"{DESK}/accountability", {}),
        (f"{DESK}/checks", {}),
    ):
        assert supervisor.get(where, query).status_code == 200
    sign_in(CLERK).get(MINE, {"folder": "all"})
    assert looks() == [
        "查看清单：监察发现（黄牌、红牌；级别：红牌；机关：江城市水务局；从：2026-01-02）",
        "查看清单：督办（全部）",
        "查看清单：问责（未办结）",
        "查看清单：抽查",
    ]
    assert looks(CLERK) == ["查看清单：我的提醒和牌（全部）"]
    kept = Look.objects.filter(stream=accounts.LIST)
    assert {tuple(row.fields) for row in kept} == {("list",)}
    assert kept.filter(person=SUPERVISOR).values("stream_id").distinct().count() == 4
    page = text(sign_in(AUDIT).get("/desk/audit", {"q": "监察发现（黄牌"}))
    assert "级别：红牌" in page
    assert SUPERVISOR in page


def test_a_list_that_was_not_shown_is_no_look(supervisor: Client) -> None:
    assert supervisor.get(DESK, {"level": "purple"}).status_code == 422
    assert supervisor.get(f"{DESK}.csv", {"level": "purple"}).status_code == 422
    assert sign_in(CLERK).get(DESK).status_code == 403
    assert looks() == looks(CLERK) == []


def test_turning_pages_is_one_look_another_list_another_and_after_a_while_a_new_one(
    supervisor: Client,
) -> None:
    page = text(supervisor.get(DESK, {"folder": "all"}))
    after = re.search(r'rel="next" href="[^"]*[?&]after=([^"&]+)', page)
    assert after
    supervisor.get(DESK, {"folder": "all"})
    supervisor.get(f"{DESK}?folder=all&after={after.group(1)}")
    assert looks() == ["查看清单：监察发现（全部）"]
    supervisor.get(DESK, {"folder": "hints"})
    sign_in("p-water-head").get(DESK, {"folder": "all"})
    assert (len(looks()), len(looks(HEAD))) == (2, 1)
    for later, many in ((-1, 1), (1, 2)):
        at = now() + accounts.QUIET + timedelta(minutes=later)
        accounts.look_at_list(actor(SUPERVISOR), why=looks()[0], fields=("list",), at=at)
        assert looks().count(looks()[0]) == many
    same = Look.objects.filter(why=looks()[0])
    assert same.values("stream_id").distinct().count() == 1
    assert {row.person for row in same} == {SUPERVISOR, HEAD}


def test_each_download_and_each_text_looked_for_is_a_look_that_does_not_say_the_text(
    supervisor: Client,
) -> None:
    for _ in range(2):
        answer = supervisor.get(f"{DESK}.csv", {"folder": "all", "number": "王小明"})
        assert answer.status_code == 200
        assert supervisor.get(DESK, {"folder": "all", "person": "王小明"}).status_code == 200
        assert supervisor.get(f"{DESK}/orders", {"number": "王小明"}).status_code == 200
    assert (
        looks()
        == [
            "下载清单：监察发现（全部；按办件编号查找）",
            "查看清单：监察发现（全部；按责任人代码查找）",
            "查看清单：督办（未办结；按办件编号查找）",
        ]
        * 2
    )
    taken = Look.objects.filter(why__startswith="下载清单")
    assert {tuple(row.fields) for row in taken} == {("table",)}


def test_the_look_is_one_question_more_and_stands_once_for_all_rows(supervisor: Client) -> None:
    def asked(where: str, **query: str) -> tuple[int, int]:
        supervisor.get(where, query)
        with CaptureQueriesContext(connection) as captured:
            assert supervisor.get(where, query).status_code == 200
        of_looks = [query for query in captured if "accounts_look" in query["sql"]]
        return len(captured), len(of_looks)

    few, looked = asked(DESK, folder="all", level="red")
    assert (looked, few <= 10) == (1, True)
    assert asked(DESK, folder="all") == (few, 1)
    for where in (f"{DESK}/orders", f"{DESK}/accountability", f"{DESK}/checks", f"{DESK}.csv"):
        assert asked(where)[1] == 1


# --- the whole list in the background ---------------------------------------------------------------


def ordered(client: Client, form: str = "csv", **asked: str) -> Answer:
    return client.post(NEW, {"table": TABLE, "form": form, "key": str(uuid4())} | asked)


def fetched(client: Client) -> bytes:
    """The file of the export that was ordered last, made by the runner."""
    assert running.work() == 1
    order = Order.objects.latest("ordered")
    assert (order.state, order.why) == ("ready", "")
    assert order.rows == order.total
    answer: Any = client.get(f"/desk/exports/{order.id}/file")
    return b"".join(answer.streaming_content)


def made(client: Client, form: str = "csv", **asked: str) -> bytes:
    answer = ordered(client, form, **asked)
    assert answer.status_code == 302, text(answer)
    return fetched(client)


@pytest.fixture(autouse=True)
def _empty() -> None:
    """No files of exports at the beginning."""
    for file in files.folder().iterdir():
        files.remove(file.name.removesuffix(files.UNFINISHED))


def test_what_is_exported_is_the_list_in_every_form_and_for_each_as_far_as_they_see(
    supervisor: Client,
) -> None:
    whole = made(supervisor)
    assert whole == b"".join(supervisor.get(f"{DESK}.csv", {"folder": "all"}))
    listed = rows(whole)
    assert len(listed) == 3 + COPIES
    lines = [json.loads(line) for line in made(supervisor, "ndjson").splitlines()]
    names = [name for name, _ in exporting.COLUMNS]
    assert [list(line) for line in lines] == [names] * len(listed)
    assert [list(line.values()) for line in lines] == [list(row.values()) for row in listed]
    book = CalamineWorkbook.from_filelike(io.BytesIO(made(supervisor, "xlsx")))
    heading, *cells = book.get_sheet_by_index(0).to_python()
    assert heading == [zh for _, zh in exporting.COLUMNS]
    assert cells == [list(row.values()) for row in listed]
    head = sign_in(HEAD)
    own = rows(made(head))
    assert {row["机关"] for row in own} == {"江城市水务局"}
    assert len(own) == 2 + COPIES


def test_the_list_leads_to_its_export_with_the_same_filter(supervisor: Client) -> None:
    found = finding("red")
    asked = {"folder": "cards", "level": "red", "rule": found["rule"], "agency": WATER}
    page = text(supervisor.get(DESK, asked))
    link = re.search(r'href="(/desk/exports/new\?[^"]+)"', page)
    assert link
    form = text(supervisor.get(link.group(1).replace("&amp;", "&")))
    for value in asked.values():
        assert f'<option value="{value}" selected>' in form
    narrowed = made(supervisor, **asked)
    assert narrowed == b"".join(supervisor.get(f"{DESK}.csv", asked))
    assert [row["级别"] for row in rows(narrowed)] == ["红牌"]
    hint = finding("hint")["number"]
    numbered = rows(made(supervisor, number=hint, until="2026-12-31"))
    assert [row["办件编号"] for row in numbered] == [hint]
    said = Look.objects.filter(stream="export", why__startswith="申请导出").latest("id").why
    assert "按办件编号查找；到：2026-12-31" in said
    assert hint not in said


def test_whoever_may_not_see_the_list_gets_no_export_and_a_wrong_filter_is_told_at_its_field(
    supervisor: Client,
) -> None:
    clerk = sign_in(CLERK)
    assert clerk.get(NEW, {"table": TABLE}).status_code == 404
    assert ordered(clerk).status_code == 404
    for field, asked in (
        ("until", {"since": "2026-02-01", "until": "2026-01-01"}),
        ("since", {"since": "2026-02-30"}),
        ("folder", {"folder": "nonsense"}),
        ("rule", {"rule": "T99"}),
        ("number", {"number": "x" * 101}),
    ):
        answer = ordered(supervisor, **asked)
        assert answer.status_code == 422
        assert f'id="id_{field}_error"' in text(answer), field
    found = registry.table(TABLE)
    assert found is not None
    with pytest.raises(Refusal, match=r"exports\.choice") as caught:
        registry.read(found, actor(SUPERVISOR), {"state": "lost"}, at=AT)
    assert caught.value.field == "state"
    assert not Order.objects.exists()


def test_thousands_are_read_by_keyset_from_an_index_with_as_many_questions_a_page(
    owner: Owner,
) -> None:
    copies(6_000, bureaux=20)
    owner.execute("VACUUM ANALYZE supervision_finding")
    for who, index, at_once in (
        (SUPERVISOR, "supervision_finding_at", 1_000), (HEAD, "supervision_finding_agency", 50),
    ):  # fmt: skip
        by = actor(who)

        def read(page: int, by: Actor = by) -> tuple[list[str], int]:
            with CaptureQueriesContext(connection) as captured:
                found = exporting.rows(by, folder="all", q=Filter(), at=AT, page=page)
                many = sum(1 for _ in found)
            return [query["sql"] for query in captured], many

        (small, few), (asked, many) = read(10_000), read(at_once)
        assert few == many > 5 * at_once
        pages = [sql for sql in asked if "FROM supervision_finding" in sql]
        assert len(pages) == -(-many // at_once)
        assert len(asked) == len(small) * len(pages)
        assert len(small) <= 5
        assert not [sql for sql in pages if "count(" in sql or "OFFSET" in sql]
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + pages[5].replace("%", "%%"), [])
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert index in plan, plan
        assert "Seq Scan" not in plan, plan
        assert not re.search(r"\bSort\b", plan), plan
