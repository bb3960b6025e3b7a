"""What is exported goes back in and changes nothing; a program, a spreadsheet and a person read it."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.accounts.city import small_city
from tests.catalog.test_items import departments
from tests.conftest import Kept
from tests.desk.walk import uscc
from zhengwu.accounts import services as accounts
from zhengwu.catalog import exporting, importing, national, queries, services, shipped
from zhengwu.catalog.exporting import COLUMNS, Selection
from zhengwu.catalog.importing import Report
from zhengwu.catalog.shipped import Office
from zhengwu.commands import main
from zhengwu.documents import sheets
from zhengwu.domain import guide
from zhengwu.domain.guide import BY_CODE, Element, Level
from zhengwu.domain.procedure import LONGEST, Unit
from zhengwu.domain.refusal import Refusal

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
FIELDS = DATA / "catalogue" / "national-exchange-fields.json"
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
    place, told = io.BytesIO(), [(0, 0)]
    rows = exporting.save(
        format, selection or Selection(), to=place, progress=lambda *seen: told.append(seen)
    )
    assert (told[-1], len(told)) == ((rows, rows), rows + 1)
    return place.getvalue()


def taken_in(data: bytes, filename: str = "items.csv", *, at: datetime = AT) -> Report:
    parsed = importing.read(data, filename, agencies=importing.organs("420100"), at=at)
    return importing.run(parsed, by=None, at=at, mode="publish", approved=NUMBER)


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


@pytest.mark.parametrize(
    ("format", "selection"),
    [
        ("csv", Selection()),
        ("json", Selection(level="city")),
        ("xlsx", Selection(region="420102", on=TODAY)),
    ],
)
def test_what_was_exported_goes_back_in_and_changes_nothing(
    format: str, selection: Selection, listed: None
) -> None:
    data = exported(format, selection)
    report = taken_in(data, f"items.{format}")
    assert [row for row in report.rows if row.outcome != "unchanged"] == []
    assert len(report.rows) == exporting.count(selection) > 50
    assert exported(format, selection) == data or format == "xlsx"


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


# --- the national platform's tables -----------------------------------------------------------------


def pack(format: str = "csv", region: str = "") -> tuple[bytes, national.Sent]:
    place = io.BytesIO()
    sent = national.save(place, on=TODAY, at=AT, format=format, region=region)
    return place.getvalue(), sent


def part(data: bytes, table: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(table).decode("utf-8-sig"))))


def taken_over(data: bytes) -> Report:
    parsed = national.read(data, "items.zip", agencies=importing.organs("420100"), at=AT)
    return importing.run(parsed, by=None, at=AT, mode="publish", approved=NUMBER)


def altered(data: bytes, table: str, change: Callable[[str], str]) -> bytes:
    place = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as before,
        zipfile.ZipFile(place, "w") as after,
    ):
        for name in before.namelist():
            text = before.read(name).decode()
            after.writestr(name, change(text) if name == table else text)
    return place.getvalue()


@pytest.mark.parametrize("format", ["csv", "json"])
def test_the_national_tables_come_back_and_change_nothing(format: str, listed: None) -> None:
    data, sent = pack(format, region="420102" if format == "json" else "")
    report = taken_over(data)
    assert {row.outcome for row in report.rows} == {"unchanged"}
    assert len(report.rows) == sum(
        sent.rows[table] for table in ("up_task_directory", "up_task_general_basic")
    )


def test_the_national_tables_lose_nothing_that_they_have_a_column_for(
    listed: None, kept: Kept
) -> None:
    data, _ = pack()
    before = {one.code: one.whole for one in queries.all_in_force(TODAY)}
    kept.clean()
    small_city()
    accounts.add_agency(
        "420103-water", name="望江区水务局", short="望水", kind="bureau", region="420103"
    )
    report = taken_over(data)
    assert [row for row in report.rows if row.outcome not in ("created", "changed")] == []
    after = {one.code: one.whole for one in queries.all_in_force(TODAY)}
    assert after.keys() == before.keys()
    for code, whole in before.items():
        lost = {BY_CODE[one].zh for one in whole if whole[one] != after[code].get(one)}
        named = {one.removesuffix("的依据") for one in national.left(whole)}
        assert lost <= named, (code, lost - named)
        assert after[code].keys() <= whole.keys()


def test_what_a_table_requires_and_our_list_lacks_is_told(listed: None) -> None:
    data, sent = pack()
    gaps = part(data, national.GAPS)
    assert len(gaps) == sent.many
    silent = {row["事项编码"] for row in gaps if row["列"] == "anticipate_day"}
    assert "QT0080" in silent  # no law sets its limit
    rows = {row["local_task_code"]: row for row in part(data, "up_task_general_basic.csv")}
    intake = rows["XK0036"]
    assert (intake["anticipate_day"], intake["anticipate_type"]) == ("45", "1")
    assert (intake["task_type"], intake["project_type"], intake["use_level"]) == ("01", "2", "3")
    assert intake["dept_code"] == intake["task_code"][:18]
    assert intake["plan_effective_date"] == "2026-01-01 00:00:00"
    materials = part(data, "up_task_general_material.csv")
    mine = [row for row in materials if row["task_guid"] == intake["row_guid"]]
    assert [row["order_num"] for row in mine] == [str(n) for n in range(1, len(mine) + 1)]
    assert {row["is_need"] for row in mine} == {"1"}
    assert "依法享有的权利" in sent.left


def test_the_columns_are_those_of_the_national_sheet() -> None:
    if not FIELDS.exists():
        pytest.skip(f"the sheet of columns is not at {FIELDS}")
    sheet = json.loads(FIELDS.read_text("utf-8"))
    for table, columns in national.tables().items():
        theirs = [
            (one["name"], one["type"], one["required"], one["label"])
            for one in sheet[table]["columns"]
        ]
        assert [(c.name, c.type, c.required, c.label) for c in columns] == theirs
        assert all(c.codes in ("", *national.CODES) for c in columns)


def test_a_row_that_does_not_fit_its_table_is_refused_with_its_column(listed: None) -> None:
    data, _ = pack(region="420102")
    name = "up_task_general_basic.csv"
    for change, rule in (
        (lambda text: text.replace("2026-01-01 00:00:00", "soon", 1), "national.date"),
        (
            lambda text: text.replace(",XK0036-420102,", f",XK0036{'x' * 60},", 1),
            "national.too_long",
        ),
        (lambda text: text.replace(",45,", ",many,", 1), "national.number"),
    ):
        report = taken_over(altered(data, name, change))
        assert [row.rule for row in report.rows if row.outcome == "refused"] == [rule]
    with pytest.raises(Refusal) as refused:
        taken_over(altered(data, name, lambda text: text.replace("task_name", "other")))
    assert refused.value.code == "national.columns"
    for broken, code in ((b"PK", "national.broken"), (_zip(), "national.no_table")):
        with pytest.raises(Refusal) as told:
            taken_over(broken)
        assert told.value.code == code


def _zip() -> bytes:
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("notes.txt", "nothing")
    return place.getvalue()


# --- the command ------------------------------------------------------------------------------------


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["catalog", *words])


def test_the_operator_exports_imports_and_is_told_what_became_of_it(
    listed: None, tmp_path: Path
) -> None:
    place = tmp_path / "items.csv"
    done = run("export", str(place), "--region", "420102", "--json")
    assert (done.exit_code, json.loads(done.stdout)["rows"]) == (0, 56)
    text = place.read_text("utf-8-sig")
    again = run("import", str(place), "--approved", NUMBER, "--json")
    assert (again.exit_code, json.loads(again.stdout)["counts"]["unchanged"]) == (0, 56), (
        again.output
    )
    place.write_text(text.replace("临江区水务局", "临江区海洋局", 1))
    some = run("import", str(place), "--draft")
    assert some.exit_code == 3
    assert "没有导入 1 行（item.department）：没有名为“临江区海洋局”的部门" in some.stdout
    assert "不变 55，没有导入 1" in some.stdout
    neither = run("import", str(place))
    assert (neither.exit_code, "--approved" in neither.stderr) == (2, True)
    place.write_text("a,b\n1,2\n")
    bad = run("import", str(place), "--approved", NUMBER)
    assert (bad.exit_code, "文件缺少这些列" in bad.stderr) == (1, True)


def test_the_operator_exports_and_imports_the_national_tables(listed: None, tmp_path: Path) -> None:
    place = tmp_path / "items.zip"
    done = run("export", str(place), "--national", "--region", "420102")
    assert done.exit_code == 0, done.output
    assert "up_task_general_basic：56 行" in done.stdout
    assert "表里没有地方放“依法享有的权利：56 项”" in done.stdout
    again = run("import", str(place), "--approved", NUMBER)
    assert (again.exit_code, "没有导入 0" in again.stdout) == (0, True), again.output


def test_without_a_file_the_shipped_list_is_taken_in(listed: None) -> None:
    done = run("import")
    assert (done.exit_code, done.stdout.splitlines()[-1][:4]) == (
        3,
        "99 行",
    )  # some stand in no list


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
