"""The wall and the leaders' digest: what they say is what statistics and the lists say, for each reach
its own; every number leads to its cases; made once for all who may see the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.staticfiles import finders
from django.db import connection, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from tests.cases.test_simulation_year import AT
from tests.cases.test_simulation_year import played as played
from tests.conftest import Kept
from tests.desk.test_statistics import links
from tests.desk.walk import public, sign_in, text
from zhengwu.accounts import queries as accounts
from zhengwu.cases import queries as cases
from zhengwu.cases.models import Case
from zhengwu.desk.wall import drawing, views
from zhengwu.domain.periods import Grain, Period
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import Level
from zhengwu.ledger import services as ledger
from zhengwu.statistics import queries as statistics
from zhengwu.statistics.models import Measured
from zhengwu.statistics.queries import Question
from zhengwu.supervision import wall as reading
from zhengwu.supervision.models import Finding
from zhengwu.web import charts

SHANGHAI = ZoneInfo("Asia/Shanghai")
SUPERVISOR, HEAD, MANAGER, CLERK = (
    "p-supervisor",
    "p-water-head",
    "p-centre_manager",
    "p-water-clerk",
)
NUMBER = re.compile(r"/desk/cases/(JC\d{12,15})")
DAY = timedelta(days=1)
MOST_QUERIES = 21


@pytest.fixture
def now(request: pytest.FixtureRequest, town: None, kept: Kept) -> Iterator[datetime]:
    """The year is under way: the clock stands where it stops, and the followers have read all of it."""

    def build() -> None:
        request.getfixturevalue("played")
        ledger.catch_up()

    views._boards.clear()
    with override_settings(DEMO=True, DEMO_CLOCK=AT - datetime.now(UTC)):
        kept.again("a year on the wall", build)
        yield AT
    views._boards.clear()


class _Numbers(HTMLParser):
    """The numbers on top: name → (address, words)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, tuple[str, str]] = {}
        self._name, self._into, self._href, self._words = "", "", "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("dt", "dd"):
            self._into = tag
            self._words = ""
        elif tag == "small":
            self._into += " small"
        elif tag == "a" and self._into == "dd":
            self._href = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "small":
            self._into = self._into.removesuffix(" small")
        elif tag == "dt":
            self._name = self._words.strip().lstrip("■▲◆ ")
        elif tag == "dd":
            self.found[self._name] = (self._href, self._words.strip())

    def handle_data(self, data: str) -> None:
        if self._into in ("dt", "dd"):
            self._words += data


def numbers(page: str) -> dict[str, tuple[str, str]]:
    parser = _Numbers()
    parser.feed(page)
    return parser.found


def wall_of(code: str, at: datetime) -> reading.Wall:
    actor = accounts.actor(code)
    return reading.wall(reading.reach(actor), people=reading.shows_people(actor), at=at)


def listed(client: Client, href: str) -> list[str]:
    """All cases of a list of the wall, page by page."""
    found: list[str] = []
    while href:
        page = text(client.get(href))
        found += NUMBER.findall(page)
        href = next((to for to, words in links(page) if words == "下一页"), "")
    return found


def test_every_number_on_top_is_the_one_of_statistics_and_leads_to_so_many_cases(
    now: datetime,
) -> None:
    client = sign_in(SUPERVISOR)
    page = text(client.get("/desk/wall"))
    found = numbers(page)
    assert list(found) == [
        "今日收件", "今日办结", "在办", "按时办结率", "今日发牌", "预警", "今天到期", "已超期",
    ]  # fmt: skip
    today = now.astimezone(SHANGHAI).date()
    (row,) = statistics.figures(
        statistics.EVERYWHERE, Question(period=Period(today, today)), at=now
    )
    said = {name: int(words.replace(",", "")) for name, (_, words) in found.items()
            if words.replace(",", "").isdigit()}  # fmt: skip
    assert said["今日收件"] == row["received"]
    assert said["今日办结"] == row["closed"]
    assert said["在办"] == row.open > 0
    assert said["已超期"] == row.overdue
    assert row.overdue
    for name in ("今日收件", "今日办结", "在办"):
        assert len(listed(client, found[name][0])) == said[name], name
    behind = {name: listed(client, found[name][0]) for name in ("预警", "今天到期", "已超期")}
    for name, numbered in behind.items():
        assert len(set(numbered)) == len(numbered) == said[name], name
    overdue = listed(client, drawing.counted("overdue", today, today))
    assert set(behind["已超期"]) == set(overdue)
    # The desk's lists show the same lights, and what another system claims of itself besides.
    for name, light in (("预警", "yellow"), ("今天到期", "red")):
        at_desk = cases.inbox(
            accounts.actor(SUPERVISOR), light=light, at=now, size=cases.EXPORT
        ).rows
        claimed = {
            one.case for one in Measured.objects.filter(case__in=[row.id for row in at_desk])
            if one.claim_due == next(row.due for row in at_desk if row.id == one.case)
        }  # fmt: skip
        assert {row.number for row in at_desk if row.id not in claimed} == set(behind[name]), name
    (rate,) = statistics.figures(
        statistics.EVERYWHERE,
        Question(period=Period(today - 29 * DAY, today)),
        at=now,
        held=False,
    )
    assert found["按时办结率"][1] == f"{(rate.on_time_share or 0) * 100:.1f}"


def test_days_districts_and_agencies_are_those_of_statistics(now: datetime) -> None:
    found = wall_of(SUPERVISOR, now)
    period = Period(found.today - 13 * DAY, found.today)
    days = statistics.figures(
        statistics.EVERYWHERE, Question(period=period, grain=Grain.DAY), at=now, held=False
    )
    assert [(one["received"], one["closed"]) for one in found.days] == [
        (one["received"], one["closed"]) for one in days
    ]
    assert sum(one["received"] for one in found.days) > 0
    by_district = statistics.figures(
        statistics.EVERYWHERE,
        Question(period=Period(found.today, found.today), by="district"),
        at=now,
    )
    assert {one.code: one.open for one in found.districts if one.open} == {
        row.key[0]: row.open for row in by_district if row.open
    }
    assert {one.code: one.pressing.over for one in found.districts if one.pressing.over} == {
        row.key[0]: row.overdue for row in by_district if row.overdue
    }
    by_agency = statistics.figures(
        statistics.EVERYWHERE,
        Question(period=Period(found.today - 29 * DAY, found.today), by="agency"),
        at=now,
        held=False,
    )
    rates = {row.key[0]: row.on_time_share for row in by_agency if row.on_time_share is not None}
    assert {one.code: one.row.on_time_share for one in found.agencies} == rates
    shares = [one.row.on_time_share or 0.0 for one in found.agencies]
    assert shares == sorted(shares)
    spent = drawing.hands(found.judged)
    assert sum(one.days for one in spent) == pytest.approx(
        found.judged["elapsed"] / found.judged["closed"] / 86_400
    )


def test_the_worst_stand_first_with_who_has_them_in_hand(now: datetime) -> None:
    found = wall_of(SUPERVISOR, now)
    assert 0 < len(found.worst) <= reading.WORST
    assert [one.due for one in found.worst] == sorted(one.due for one in found.worst)
    assert found.worst[0].light.code == "over"
    heads = Case.objects.in_bulk([one.id for one in found.worst])
    for one in found.worst:
        head = heads[one.id]
        assert (head.number, head.due, head.closed) == (one.number, one.due, None)
        assert not head.suspended
        if head.holder_actor:
            assert one.person_zh == accounts.person_name(head.holder_actor)
    assert any(one.person_zh for one in found.worst)
    page = text(sign_in(SUPERVISOR).get("/desk/wall?tables=1"))
    shown = NUMBER.findall(page)
    assert shown == [one.number for one in found.worst]


def test_findings_are_counted_by_day_and_level_and_the_newest_run_below(now: datetime) -> None:
    found = wall_of(SUPERVISOR, now)
    assert [one.day for one in found.found] == [found.today - n * DAY for n in range(6, -1, -1)]
    for one in found.found:
        begins = datetime.combine(one.day, datetime.min.time(), SHANGHAI)
        within = Finding.objects.filter(at__gte=begins, at__lt=begins + DAY, counts=True)
        for level in Level:
            assert one.counts[level] == within.filter(level=level).count(), (one.day, level)
    assert sum(sum(one.counts.values()) for one in found.found) > 0
    newest = Finding.objects.filter(counts=True).exclude(level="hint").order_by("-at", "id")[:8]
    assert [one.id for one in found.news] == [one.id for one in newest]
    page = text(sign_in(SUPERVISOR).get("/desk/wall"))
    for news in found.news:
        assert f"/desk/supervision/findings/{news.id}" in page
    # Who did it is not for a screen in a hall.
    assert not any(f.person and f.person in page for f in newest)


def test_a_head_sees_the_own_agency_and_a_manager_the_hall(now: datetime) -> None:
    water = wall_of(HEAD, now)
    assert {one.agency for one in water.worst} == {"420100-water"}
    assert {one.code for one in water.agencies} == {"420100-water"}
    (row,) = statistics.figures(
        statistics.EVERYWHERE,
        Question(period=Period(water.today, water.today), agency="420100-water"),
        at=now,
    )
    assert (water.whole["received"], water.whole.open) == (row["received"], row.open)
    assert water.pressing.over == row.overdue
    assert water.whole.open < wall_of(SUPERVISOR, now).whole.open
    assert {one.id for one in water.news} <= set(
        Finding.objects.filter(agency="420100-water").values_list("id", flat=True)
    )
    assert sum(one.cards for one in water.found) == Finding.objects.filter(
        agency="420100-water", counts=True, level__in=["yellow", "red"],
        at__gte=datetime.combine(water.found[0].day, datetime.min.time(), SHANGHAI),
        at__lt=datetime.combine(water.today + DAY, datetime.min.time(), SHANGHAI),
    ).count()  # fmt: skip
    client = sign_in(HEAD)
    page = text(client.get("/desk/wall?tables=1"))
    assert "市水务局" in page
    assert "市场监督管理局" not in page
    numbered = listed(client, "/desk/wall/cases")
    assert set(Case.objects.filter(number__in=numbered).values_list("agency", flat=True)) == {
        "420100-water"
    }
    manager = wall_of(MANAGER, now)
    halls = set(
        Case.objects.filter(number__in=[o.number for o in manager.worst]).values_list(
            "hall", flat=True
        )
    )
    assert halls <= {"H420100"}
    assert not any(one.person_zh for one in manager.worst)
    assert "责任人" not in text(sign_in(MANAGER).get("/desk/wall"))


def test_a_stranger_and_a_clerk_get_nothing(now: datetime) -> None:
    for path in ("/desk/wall", "/desk/wall?part=1", "/desk/wall/cases", "/desk/digest"):
        assert public().get(path).status_code == 302
        assert sign_in(CLERK).get(path).status_code == 403


def test_a_screen_that_has_it_is_told_so_and_one_that_has_not_gets_the_new(now: datetime) -> None:
    client = sign_in(SUPERVISOR)
    first = client.get("/desk/wall?part=1")
    tag = first["ETag"]
    assert f'data-etag="{tag}"'.replace('"', "") in text(client.get("/desk/wall")).replace('"', "")
    again = client.get("/desk/wall?part=1", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    views._boards.clear()  # made anew, and nothing has happened meanwhile
    assert client.get("/desk/wall?part=1", headers={"If-None-Match": tag}).status_code == 304
    Finding.objects.filter(id=wall_of(SUPERVISOR, now).news[0].id).update(counts=False)
    views._boards.clear()
    moved = client.get("/desk/wall?part=1", headers={"If-None-Match": tag})
    assert moved.status_code == 200
    assert moved["ETag"] != tag
    assert b"<html" not in moved.content


def test_it_is_made_once_for_all_of_one_reach(now: datetime) -> None:
    first, second = sign_in(SUPERVISOR), sign_in(SUPERVISOR)
    with CaptureQueriesContext(
        connection,
    ) as made:
        assert first.get("/desk/wall").status_code == 200
    assert len(made) <= MOST_QUERIES, "\n".join(one["sql"][:90] for one in made)
    with CaptureQueriesContext(connection) as kept:
        assert second.get("/desk/wall?part=1").status_code == 200
    said = " ".join(one["sql"] for one in kept)
    assert not any(table in said for table in ("statistics_", "cases_case", "supervision_"))
    with CaptureQueriesContext(connection) as own:
        assert sign_in(HEAD).get("/desk/wall").status_code == 200
    assert len(own) > len(kept) + 5  # another reach is another board


def test_the_whole_page_is_small_and_asks_no_other_house(now: datetime) -> None:
    client = sign_in(SUPERVISOR)
    for path in ("/desk/wall", "/desk/wall?tables=1", "/desk/digest"):
        answer = client.get(path)
        page = text(answer)
        names = re.findall(r'(?:href|src)="/static/(zw/[\w.]+?)(?:\.[0-9a-f]{12})?(\.\w+)"', page)
        files = [finders.find("".join(parts)) for parts in names]
        assert len(files) >= 3
        size = len(answer.content) + sum(Path(str(one)).stat().st_size for one in files if one)
        assert size <= 150_000, (path, size)
        assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in page
        assert "<style" not in page
        assert " style=" not in page
        assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in page


def test_every_picture_has_its_table(now: datetime) -> None:
    client = sign_in(SUPERVISOR)
    pictures, tables = (text(client.get(f"/desk/wall{q}")) for q in ("", "?tables=1"))
    heads = [re.sub("<[^>]+>", "", one) for one in re.findall(r"<h2>(.*?)</h2>", pictures)]
    assert heads == [re.sub("<[^>]+>", "", one) for one in re.findall(r"<h2>(.*?)</h2>", tables)]
    assert len(heads) == 6
    assert pictures.count("<svg") >= 5
    assert tables.count("<table") == 6
    assert "<svg" not in tables
    # States are told by shape and word, not by colour alone.
    found = wall_of(SUPERVISOR, now)
    for tile in (*drawing.tiles(found).districts, *drawing.tiles(found).others):
        assert f"{tile.shape} {tile.word}" in tables
        if tile.district.pressing.over:
            assert f"◆ 超期 {tile.district.pressing.over}" in pictures


def test_the_digest_begins_with_the_state_of_things(now: datetime) -> None:
    page = text(sign_in(SUPERVISOR).get("/desk/digest"))
    found = wall_of(SUPERVISOR, now)
    first = page.index("有 ")
    assert page[first:].startswith(f"有 {found.pressing.over} 件超期，须督办")
    assert first < page.index("已超期")
    assert found.worst[0].item_name in page
    assert list(numbers(page))[:3] == ["已超期", "今天到期", "预警"]


def test_what_an_address_cannot_mean_is_said(now: datetime) -> None:
    client = sign_in(SUPERVISOR)
    for query in ("light=blue", "after=x", "after=1e99.1", "district=" + "9" * 200, "after=nan.x"):
        answer = client.get(f"/desk/wall/cases?{query}")
        assert answer.status_code == 422, query
    with pytest.raises(Refusal):
        reading.listed(statistics.EVERYWHERE, people=False, at=now, light="blue")
    assert client.get("/desk/wall/cases?district=none").status_code == 200
    paged = reading.listed(statistics.EVERYWHERE, people=False, at=now, most=4)
    rest = reading.listed(
        statistics.EVERYWHERE, people=False, at=now, after=reading.mark(paged[1]), most=2
    )
    assert [one.id for one in rest] == [one.id for one in paged[2:]]


def test_the_worst_are_the_first_of_an_index(now: datetime) -> None:
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "ORDER BY c.due" in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                plans.extend(row[0] for row in cursor.fetchall())
        return execute(sql, params, many, context)

    with transaction.atomic():  # what is set holds within it
        with connection.cursor() as cursor:
            for way in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        with connection.execute_wrapper(explain):
            reading.listed(statistics.EVERYWHERE, people=False, at=now, most=reading.WORST)
    assert any("cases_case_worst" in line for line in plans), plans
    assert not any("Sort" in line for line in plans), plans


def test_columns_stand_upon_each_other_and_sum() -> None:
    series = [charts.Series("黄牌", (1.0, 0.0, None)), charts.Series("红牌", (2.0, 0.0, 5.0))]
    one = charts.stacked(["一", "二", "三"], series, ["/a", "/b", "/c"], height=230.0)
    assert [pile.total for pile in one.piles] == [3.0, 0.0, 5.0]
    lower, upper = one.piles[0].pieces
    assert lower.y + lower.height == pytest.approx(one.bottom, abs=0.2)
    assert upper.y + upper.height == pytest.approx(lower.y, abs=0.2)
    assert upper.height == pytest.approx(2 * lower.height, abs=0.2)
    assert one.piles[1].pieces == ()
    assert [piece.nth for piece in one.piles[2].pieces] == [1]
    assert charts.stacked([], []).empty
