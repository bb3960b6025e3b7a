"""What is exported goes back in and changes nothing; a program, a spreadsheet and a person read it."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.accounts.city import small_city
from tests.catalog.test_items import departments
from tests.conftest import Kept
from tests.desk.walk import uscc
from zhengwu.accounts import services as accounts
from zhengwu.catalog import exporting, importing, services, shipped
from zhengwu.catalog.exporting import COLUMNS, Selection
from zhengwu.catalog.importing import Report
from zhengwu.catalog.shipped import Office
from zhengwu.documents import sheets
from zhengwu.domain import guide
from zhengwu.domain.guide import BY_CODE, Element, Level
from zhengwu.domain.procedure import LONGEST, Unit

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
TODAY = date(2026, 11, 23)
WATER, DISTRICTS = "420100-water", ("420102", "420103")
NUMBER = "江政发〔2026〕18号"


def office(agency: str, region: str, name: str) -> Office:
    return Office(
        agency, region, name, uscc=uscc(f"11{region}MA4K7Q2R5"), place=f"{name}窗口",
        hours="工作日 9:00-17:00", phone="027-12345", court="江城市人民法院",
        review_body="江城市人民政府",
    )  # fmt: skip


def lists() -> None:
    """The 99 items, all of one department, with the implementations of two districts."""
    small_city()
    accounts.add_agency(
        "420103-water", name="望江区水务局", short="望水", kind="bureau", region="420103"
    )
    below = [office(f"{one}-water", one, f"{one}区水务局") for one in DISTRICTS]
    report = shipped.import_items(
        agencies=departments(), at=AT, offices={WATER: office(WATER, "420100", "市水务局")},
        below={WATER: below},
    )  # fmt: skip
    assert report.count("refused") == 0


@pytest.fixture
def listed(db: None, kept: Kept) -> None:
    kept.again("lists", lists)


@pytest.fixture
def empty(listed: None, kept: Kept) -> bytes:
    """Everything as CSV, and a city that has nothing of it."""
    data = exported("csv")
    kept.clean()
    small_city()
    accounts.add_agency(
        "420103-water", name="望江区水务局", short="望水", kind="bureau", region="420103"
    )
    return data


def exported(format: str, selection: Selection | None = None) -> bytes:
    place = io.BytesIO()
    exporting.save(format, selection or Selection(), to=place)
    return place.getvalue()


def taken_in(data: bytes, filename: str = "items.csv", *, at: datetime = AT) -> Report:
    parsed = importing.read(data, filename, agencies=importing.organs("420100"), at=at)
    return importing.run(parsed, by=None, at=at, mode="publish", approved=NUMBER)


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


@pytest.mark.parametrize("format", ["csv", "json", "xlsx"])
def test_what_was_exported_goes_back_in_and_changes_nothing(format: str, listed: None) -> None:
    data = exported(format)
    report = taken_in(data, f"items.{format}")
    assert [row for row in report.rows if row.outcome != "unchanged"] == []
    assert len(report.rows) == exporting.count(Selection())
    assert exported(format) == data or format == "xlsx"


def test_an_empty_city_becomes_the_same_one(empty: bytes) -> None:
    report = taken_in(empty)
    assert {row.outcome for row in report.rows} == {"created", "changed"}, [
        row for row in report.rows if row.outcome == "refused"
    ][:3]
    again = [row | {"批准文号": ""} for row in table(exported("csv"))]
    assert again == table(empty)
    assert {row.outcome for row in taken_in(empty).rows} == {"unchanged"}


def test_a_cell_says_what_applies_and_the_row_which_elements_are_its_own(listed: None) -> None:
    rows = {row["编码"]: row for row in table(exported("csv", Selection(on=TODAY)))}
    city, here = rows["C.XK0036"], rows["XK0036-420102"]
    assert here["事项名称"] == city["事项名称"] == "取水许可"
    assert here["法定办结时限"].startswith("45 个工作日；依据：")
    assert here["承诺办结时限"] == "20 个工作日"
    assert json.loads(here["申请材料"])[0]["need"] == "required"
    assert here["上级清单"] == "C.XK0036"
    assert "办理地点" in here["承接的差异"].split("、")
    assert "事项名称" not in here["承接的差异"].split("、")
    assert (here["清单层级"], here["施行起"], here["施行止"]) == ("实施清单", "2026-01-01", "")


def test_the_selection_is_by_list_place_organ_and_day(listed: None) -> None:
    every = table(exported("csv"))
    assert len(every) == exporting.count(Selection())
    assert {row["清单层级"] for row in table(exported("csv", Selection(level="city")))} == {
        "市级通用清单"
    }
    assert {row["区域"] for row in table(exported("csv", Selection(region="420102")))} == {"420102"}
    mine = table(exported("csv", Selection(agency="420103-water", on=TODAY)))
    assert {row["实施机关"] for row in mine} == {"望江区水务局"}
    then = table(exported("csv", Selection(level="implementation", on=date(2010, 6, 1))))
    assert {row["施行止"] for row in then} >= {"2025-12-31"}
    assert all(row["施行起"] == "2009-01-01" for row in then)
    retired = [row for row in every if row["已取消"] == "是"]
    assert len({row["编码"] for row in retired}) == 10
    assert not [row for row in table(exported("csv", Selection(on=TODAY))) if row["已取消"]]


def test_json_holds_lists_as_lists(listed: None) -> None:
    rows = json.loads(exported("json", Selection(level="city", on=TODAY)))
    one = next(row for row in rows if row["编码"] == "C.XK0036")
    assert one["申请材料"][0]["form"] == "either"
    assert isinstance(one["受理条件"], list)
    assert list(one) == list(COLUMNS)


def test_a_spreadsheet_takes_no_cell_for_a_formula(listed: None, tmp_path: Path) -> None:
    release = services.Release(
        code="QT9001", base="QT9001", level=Level.IMPLEMENTATION, region="420100", agency=WATER,
        own={"name": "=1+1", "type": "公共服务", "basis": "+依据", "kind": "immediate",
             "note": "@SUM(A1)"},
        since=date(2026, 1, 1),
    )  # fmt: skip
    (made,) = services.publish_all([release], by=None, at=AT)
    assert made.what == "created"
    chosen = Selection(agency=WATER, on=TODAY)
    (row,) = (row for row in table(exported("csv", chosen)) if row["编码"] == "QT9001")
    assert (row["事项名称"], row["设定依据"], row["说明"]) == ("'=1+1", "'+依据", "'@SUM(A1)")
    place = tmp_path / "items.xlsx"
    exporting.save("xlsx", chosen, to=place)
    back = sheets.read(place.read_bytes(), filename="items.xlsx")
    (one,) = (one for one in back.rows if one.cells["编码"] == "QT9001")
    assert one.cells["事项名称"] == "=1+1"
    report = taken_in(place.read_bytes(), "items.xlsx")
    assert {row.outcome for row in report.rows} == {"unchanged"}


# --- one cell ---------------------------------------------------------------------------------------

WORDS = st.text("水务局许可证 第1条（）=+-@；：,、\"'\n.a", max_size=12).map(
    lambda text: " ".join(text.split())
)
LIMITS = st.sampled_from(Unit).flatmap(
    lambda unit: st.fixed_dictionaries(
        {"value": st.integers(0, LONGEST[unit]), "unit": st.just(str(unit)), "basis": WORDS},
        optional={"roll": st.just(False)},
    )
)
TEXTS = st.builds(lambda text: text.strip() or "无名", WORDS)


def given_of(element: Element) -> st.SearchStrategy[object]:
    match element.kind:
        case "limit":
            return LIMITS
        case "flag":
            return st.booleans()
        case "count":
            return st.integers(0, 99)
        case "choice":
            return st.sampled_from(sorted(element.choices or {"a": "a"}))
        case "choices":
            codes = sorted(element.choices or {"P01": "", "L02": ""})
            return st.lists(st.sampled_from(codes), min_size=1)
        case "lines":
            return st.lists(TEXTS, min_size=1, max_size=3)
        case "materials":
            return st.lists(
                st.fixed_dictionaries(
                    {"name": TEXTS},
                    optional={
                        "need": st.sampled_from(sorted(guide.NEEDS_ZH)), "basis": TEXTS,
                        "copies": st.integers(0, 9), "blank": st.just("0" * 64),
                    },
                ),
                max_size=3, unique_by=lambda one: one["name"],
            )  # fmt: skip
        case "fees":
            return st.lists(
                st.fixed_dictionaries({"name": TEXTS}, optional={"fen": st.integers(0, 10**9)}),
                max_size=3, unique_by=lambda one: one["name"],
            )  # fmt: skip
        case "steps":
            return st.just([{"code": "a", "name": "收件", "role": "window"}])
        case "questions":
            return st.lists(st.fixed_dictionaries({"q": TEXTS, "a": TEXTS}), min_size=1)
    return TEXTS


# A code is looked at besides: what is a placeholder is left out.
CONTENTS = st.fixed_dictionaries(
    {},
    optional={
        code: given_of(one) for code, one in BY_CODE.items() if code not in ("code", "basic_code")
    },
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(CONTENTS)
def test_whatever_can_be_kept_comes_back_from_its_cells(raw: dict[str, object]) -> None:
    content, _ = guide.clean(raw)
    cells = {one.zh: exporting.cell(one, content.get(one.code)) for one in BY_CODE.values()}
    data = b"".join(sheets.write_csv(list(cells), [list(cells.values())]))
    if not content:
        return
    (row,) = importing.raws(data, "items.csv", agency=WATER).rows
    assert row.faults == []
    assert row.values == content
