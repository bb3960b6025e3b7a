"""The page of the real process: the picture, its twin, what is published beside it, every number's cases."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cases import people
from tests.cases.test_process import straight
from tests.desk.walk import sign_in, text
from zhengwu.cases import process, replay, xes
from zhengwu.cases.process import Selection
from zhengwu.desk.process.picture import LEVELS, draw
from zhengwu.domain.process import edge_key

pytestmark = pytest.mark.usefixtures("town")
SUPERVISOR, PAGE = "p-supervisor", "/desk/process"
INTAKE = f"item={people.INTAKE}"


@pytest.fixture
def told(town: None) -> tuple[people.Told, people.Told]:
    return people.golden(), straight()


@pytest.mark.usefixtures("told")
def test_the_real_way_and_the_published_one_stand_side_by_side() -> None:
    page = text(sign_in(SUPERVISOR).get(f"{PAGE}?{INTAKE}"))
    assert '全部 <b class="num">2</b> 件' in page
    assert re.search(r"<h2>公布的流程<small>[^<]+，第 \d+ 版</small>", page)
    assert "公布 15 个工作日" in page
    assert "没有办结就作出决定 1 件" in page
    assert "“审查”没有办结就作出决定" in page
    picture = page[page.index("<svg xmlns") : page.index("</svg>")]
    assert 'stroke-dasharray="7 5"' in picture
    assert "偏离 1" in picture
    # Every node and every edge of the picture stands in the tables, and leads there.
    anchors = set(re.findall(r'href="#([ne]-[0-9a-f]{16})"', picture))
    assert len(anchors) >= 20
    assert all(f'id="{one}"' in page for one in anchors)
    assert people.COMPANY.name not in page
    assert "p-water-reviewer" not in page


def test_a_number_leads_to_its_cases_and_on_to_the_case(
    told: tuple[people.Told, people.Told],
) -> None:
    golden, other = told
    supervisor = sign_in(SUPERVISOR)
    page = text(supervisor.get(f"{PAGE}?{INTAKE}"))
    taken = edge_key("受理", "接办·审查")
    (link,) = re.findall(rf'<a href="(/desk/process/cases\?[^"]*key={taken}[^"]*)">2 次</a>', page)
    listed = text(supervisor.get(link))
    for case in (golden, other):
        assert f'href="/desk/cases/{case.number}"' in listed
    assert "受理 → 接办·审查" in listed
    assert supervisor.get(f"{PAGE}/cases?key={'0' * 16}").status_code == 404
    assert sign_in("p-market-head").get(link).status_code == 404


@pytest.mark.usefixtures("told")
def test_the_log_leaves_with_codes_of_people_only_for_whoever_sees_cases(tmp_path: Path) -> None:
    answer = sign_in("p-water-head").get(f"{PAGE}.xes?{INTAKE}")
    assert answer["Content-Type"] == "application/xml; charset=utf-8"
    path = tmp_path / "log.xes"
    path.write_bytes(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert xes.readable(path) == 2
    assert "p-water-reviewer" in path.read_text(encoding="utf-8")
    assert replay.run(path, "zhengwu").opened == 2
    for who in ("p-water-clerk", "p-water-reviewer", "p-system_admin"):
        assert sign_in(who).get(f"{PAGE}.xes").status_code == 403
    nobody = Client(SERVER_NAME="localhost").get(f"{PAGE}.xes")
    assert (nobody.status_code, nobody["Location"].partition("?")[0]) == (302, "/account/login")


@pytest.mark.usefixtures("told")
def test_the_spreadsheet_holds_every_node_edge_variant_and_departure() -> None:
    answer = sign_in(SUPERVISOR).get(f"{PAGE}.csv?{INTAKE}")
    rows = list(csv.reader(io.StringIO(answer.content.decode().removeprefix("\ufeff"))))
    picture = process.discover(
        process.EVERYTHING, Selection(item=people.INTAKE), at=people.moment("11-20 09:00")
    ).picture
    parts = [len(one) for one in _parts(rows)]
    assert parts == [
        1,
        *(
            1 + len(one)
            for one in (picture.nodes, picture.edges, picture.variants, picture.departures)
        ),
    ]
    assert ["受理", "接办·审查", "2", "0", "7500", "7500", "7500", "7500"] in rows


def _parts(rows: list[list[str]]) -> list[list[list[str]]]:
    parts: list[list[list[str]]] = [[]]
    for row in rows:
        if row:
            parts[-1].append(row)
        else:
            parts.append([])
    return parts


def test_an_empty_answer_says_what_to_do() -> None:
    supervisor = sign_in(SUPERVISOR)
    assert "有了办件" in text(supervisor.get(PAGE))
    people.received()
    assert "可以放宽日期" in text(supervisor.get(f"{PAGE}?until=2001-01-01"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("since=2026-11-02&until=2026-11-01", "“到”早于“从”"),
        ("since=2026-02-30", "“收件从”：请按“2026-01-31”的样子填写日期"),
        ("until=1999-01-01", "2000 年到 2100 年之间"),
        ("item=XK9999", "没有这个事项"),
        ("agency=420100-nobody", "没有这个机关"),
        ("source=link:nowhere", "没有这个来源"),
        ("outcome=maybe", "没有这种决定"),
        ("detail=%00", "没有这种详略"),
    ],
)
def test_an_impossible_question_is_answered_at_its_field(asked: str, said: str) -> None:
    client = sign_in(SUPERVISOR)
    for where in (
        PAGE,
        f"{PAGE}.csv",
        *([] if "detail" in asked else [f"{PAGE}.xes", f"{PAGE}/cases"]),
    ):
        answer = client.get(f"{where}?{asked}")
        assert answer.status_code == 422, where
        assert said in text(answer)


@pytest.mark.usefixtures("told")
def test_a_head_has_no_other_organ_to_choose_and_cannot_ask_for_one() -> None:
    head = sign_in("p-water-head")
    assert 'name="agency"' not in text(head.get(PAGE))
    assert head.get(f"{PAGE}?agency={people.WATER}").status_code == 200
    assert head.get(f"{PAGE}?agency={people.MARKET}").status_code == 422
    # An organ without cases of late is not in the list, and may be asked for.
    assert sign_in(SUPERVISOR).get(f"{PAGE}?agency={people.MARKET}").status_code == 200


@pytest.mark.usefixtures("told")
def test_the_page_asks_the_same_few_questions_however_many_cases() -> None:
    supervisor = sign_in(SUPERVISOR)
    supervisor.get(f"{PAGE}?{INTAKE}")
    with CaptureQueriesContext(connection) as few:
        supervisor.get(f"{PAGE}?{INTAKE}")
    for day in range(2, 7):
        people.received(f"11-0{day} 09:00")
    with CaptureQueriesContext(connection) as more:
        supervisor.get(f"{PAGE}?{INTAKE}")
    assert len(more) <= len(few) <= 14


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("level", LEVELS)
def test_a_picture_holds_what_it_says_and_nothing_lies_on_anything(level: str) -> None:
    picture = process.discover(
        process.EVERYTHING, Selection(item=people.INTAKE), at=people.moment("11-20 09:00")
    ).picture
    drawn = draw(picture, level)
    assert drawn.nodes == min(LEVELS[level][1], len(picture.nodes))
    assert drawn.svg.count('href="#n-') == drawn.nodes
    assert drawn.svg.count('href="#e-') == drawn.edges
    boxes = [
        tuple(map(float, one))
        for one in re.findall(
            r'<rect x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)"', drawn.svg
        )
    ]
    assert len(boxes) == drawn.nodes + 2
    for index, (x, y, wide, high) in enumerate(boxes):
        for a, b, c, d in boxes[index + 1 :]:
            assert x + wide <= a or a + c <= x or y + high <= b or b + d <= y
