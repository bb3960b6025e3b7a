"""A list goes in row by row, once; a bad row says why, and the rest goes in."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from xlsxwriter import Workbook

from tests.accounts.city import small_city
from tests.cases.people import actor
from tests.conftest import Kept
from zhengwu.accounts import city as demo_city
from zhengwu.accounts import services as accounts
from zhengwu.catalog import changes, exporting, importing, queries, shipped
from zhengwu.catalog.changes import Revision
from zhengwu.catalog.exporting import Selection
from zhengwu.catalog.importing import Mode, Parsed, Report, RowReport
from zhengwu.domain.refusal import Refusal

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).parents[3] / "shared" / "data"))
GUANGAN = DATA / "catalogue" / "guangan_items.json"
AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 2, tzinfo=UTC)
TODAY = date(2026, 11, 23)
NUMBER = "江政发〔2026〕18号"
WATER, DISTRICT = "江城市水务局", "420102"
# Of the city's list, those that the tests take up.
LISTED = ("取水许可", "公司设立登记", "普通护照签发", "道路货物运输经营许可")
ROW = {
    "事项名称": "节水载体认定",
    "实施机关": WATER,
    "事项类型": "行政确认",
    "办件类型": "承诺件",
    "设定依据": "节约用水条例 第三十条",
    "承诺办结时限": "10 个工作日",
}


def lists() -> None:
    small_city()
    for bureau in demo_city.bureaus():
        if bureau.district.code == DISTRICT:
            accounts.add_agency(
                bureau.code, name=bureau.name, short=bureau.short, kind="bureau", region=DISTRICT
            )
    with shipped.ITEMS.open(encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    rows = [row for row in csv.DictReader(lines) if row["name"] in LISTED]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    report = shipped.import_items(
        out.getvalue().splitlines(keepends=True),
        agencies={row["department"]: "420100-water" for row in rows},
        at=AT,
    )
    assert report.in_force == len(LISTED)


@pytest.fixture(autouse=True)
def _listed(db: None, kept: Kept) -> None:
    kept.again("imports", lists)


def table(*rows: Mapping[str, str]) -> bytes:
    out = io.StringIO()
    columns = dict.fromkeys(column for row in rows for column in row)
    writer = csv.DictWriter(out, list(columns))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def read(data: bytes, filename: str = "items.csv", **asked: Any) -> Parsed:
    region = asked.get("region", "420100")
    return importing.read(
        data, filename, agencies=importing.organs(region), **{"at": AT} | asked
    )  # fmt: skip


def publish(*rows: Mapping[str, str], at: datetime = AT, **asked: Any) -> Report:
    parsed = read(table(*rows), at=at, **asked)
    return importing.run(parsed, by=None, at=at, mode="publish", approved=NUMBER)


def draft(*rows: Mapping[str, str], who: str = "p-centre_manager", batch: str = "一批") -> Report:
    return importing.run(read(table(*rows)), by=actor(who), at=AT, batch=batch)


def only(report: Report) -> RowReport:
    (row,) = report.rows
    return row


def told(report: Report) -> list[tuple[str, str | None]]:
    return [(row.outcome, row.rule) for row in report.rows]


# --- whose item it is -----------------------------------------------------------------------------


def test_a_row_without_a_code_is_an_item_of_its_organ_and_found_again() -> None:
    first = only(publish(ROW))
    assert first.outcome == "created"
    item = queries.in_force(first.item, TODAY)
    assert item is not None
    assert (item.name, item.agency, item.region) == ("节水载体认定", "420100-water", "420100")
    assert (item.above, item.approved, item.promised_zh) == ("", NUMBER, "10 个工作日")
    assert only(publish(ROW, at=LATER)) == replace(first, outcome="unchanged")


def test_one_changed_row_changes_one_item() -> None:
    rows = [ROW | {"事项名称": f"第{n}类节水载体认定"} for n in range(4)]
    publish(*rows)
    rows[2]["承诺办结时限"] = "8 个工作日"
    report = publish(*rows, at=LATER)
    assert [row.outcome for row in report.rows] == [
        "unchanged",
        "unchanged",
        "changed",
        "unchanged",
    ]
    item = queries.in_force(report.rows[2].item, date(2026, 11, 24))
    assert item is not None
    assert (item.version, item.promised_zh) == (2, "8 个工作日")


def test_a_row_with_the_name_of_the_citys_list_takes_it_up_and_owns_what_differs() -> None:
    row = {
        "事项名称": "取水许可", "实施机关": "区水务局", "事项类型": "行政许可",
        "承诺办结时限": "15 个工作日", "办理地点": "政务路 2 号", "法定办结时限": "45个工作日",
    }  # fmt: skip
    report = publish(row, region=DISTRICT)
    assert only(report).item == "XK0036-420102"
    item = queries.in_force("XK0036-420102", TODAY)
    assert item is not None
    assert item.above == "C.XK0036@1"
    assert item.agency == "420102-B16"
    assert set(item.own) == {"promised", "place"}
    assert (item.promised_zh, item.statutory_zh) == ("15 个工作日", "45 个工作日")


def test_what_the_list_settles_is_taken_from_the_list() -> None:
    row = {"事项名称": "取水许可", "实施机关": "区水务局", "设定依据": "取水条例", "说明": "本区"}
    one = only(publish(row, region=DISTRICT))
    assert one.outcome == "created"
    assert one.remarks == ("“设定依据”与上级清单不同，沿用上级清单。",)
    item = queries.in_force(one.item, TODAY)
    assert item is not None
    assert set(item.own) == {"note"}


@pytest.mark.parametrize(
    ("cells", "rule", "field"),
    [
        ({"承诺办结时限": "30 个工作日"}, "item.longer_than_above", "promised"),
        ({"承诺办结时限": "1 个月"}, "limit.incomparable", "promised"),
        ({"申请材料": '[{"name": "保证书", "basis": "某文"}]'}, "item.more_materials", "materials"),
        ({"收费": '[{"name": "工本费", "fen": 500, "basis": "某文"}]'}, "item.more_fees", "fees"),
    ],
)
def test_a_district_departs_from_the_list_only_in_the_applicants_favour(
    cells: dict[str, str], rule: str, field: str
) -> None:
    row = {"事项名称": "取水许可", "实施机关": "临江区水务局"} | cells
    refused = only(publish(row, region=DISTRICT))
    assert (refused.outcome, refused.rule, refused.field) == ("refused", rule, field)


def test_a_column_that_is_not_there_says_nothing() -> None:
    publish(ROW | {"说明": "试行"})
    fewer = {key: ROW[key] for key in ("事项名称", "实施机关")} | {"承诺办结时限": "9个工作日内"}
    one = only(publish(fewer, at=LATER))
    item = queries.in_force(one.item, date(2026, 11, 24))
    assert item is not None
    assert (one.outcome, item.promised_zh, item.note) == ("changed", "9 个工作日", "试行")
    assert only(publish(fewer | {"说明": ""}, at=datetime(2026, 11, 25, tzinfo=UTC))).outcome == "changed"  # fmt: skip


def test_the_citys_list_and_what_hangs_on_it_come_in_one_file_in_any_order() -> None:
    city = ROW | {"编码": "C.QR8001", "清单层级": "市级通用清单", "区域": "", "上级清单": ""}
    here = {"事项名称": ROW["事项名称"], "实施机关": "临江区水务局", "编码": "QR8001-420102",
            "清单层级": "实施清单", "区域": DISTRICT, "上级清单": "C.QR8001"}  # fmt: skip
    report = publish(here, city)
    assert told(report) == [("created", None), ("created", None)]
    item = queries.in_force("QR8001-420102", TODAY)
    assert item is not None
    assert (item.base, item.above, item.own) == ("QR8001", "C.QR8001@1", {})
    again = publish(here, city | {"承诺办结时限": "5 个工作日"}, at=LATER)
    assert [row.outcome for row in again.rows] == ["changed", "changed"]
    after = queries.in_force("QR8001-420102", date(2026, 11, 24))
    assert after is not None
    assert after.promised_zh == "5 个工作日"  # it follows its list


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "rule", "field"),
    [
        ({"事项名称": ""}, "item.name", "name"),
        ({"实施机关": "市海洋局"}, "item.department", "agency"),
        ({"承诺办结时限": "很快"}, "limit.value", "promised"),
        ({"承诺办结时限": "20"}, "limit.no_unit", "promised"),
        ({"承诺办结时限": "20 个世纪"}, "limit.unit", "promised"),
        ({"承诺办结时限": "-3 个工作日"}, "limit.negative", "promised"),
        ({"承诺办结时限": "99999 个工作日"}, "limit.too_long", "promised"),
        (
            {"法定办结时限": "5 个工作日"}, "flow.promise_longer_than_law", "promised",
        ),
        ({"法定办结时限": "15 日"}, "limit.incomparable", "promised"),
        ({"实施编码": "42010012345"}, "item_code.unknown", "code"),
        ({"事项类型": "行政审批"}, "item.type", "type"),
        ({"施行起": "2026-02-30"}, "sheets.date_not_real", "since"),
        ({"施行起": "03/04/2026"}, "sheets.date_unclear", "since"),
        ({"施行起": "2026-12-01", "施行止": "2026-11-01"}, "item.dates", "in_force"),
        ({"清单层级": "国家清单"}, "import.level", "level"),
        ({"编码": "节水 1"}, "change.code", "item"),
        ({"编码": "C.XK0036"}, "import.other_item", "item"),
        ({"办理流程": '[{"code": "a", "name": "收件"}]'}, "item.step_post", "steps"),
        ({"办理流程": "收件、审查"}, "import.json", "steps"),
        ({"申请材料": '[{"name": "表"'}, "import.json", "materials"),
        ({"办理流程": '[{"code": "a", "name": "收件", "role": "window", "limit": {"value": 1,'
          ' "unit": "working_day", "basis": "\\u0000"}}]'}, "import.json", "steps"),
        (
            {
                "办理流程": '[{"code": "a", "name": "收件", "role": "窗口", "after": ["b"]},'
                ' {"code": "b", "name": "审查", "role": "审查岗", "after": ["a"]}]'
            },
            "flow.cycle", "steps",
        ),
        ({"申请材料": "表\n表"}, "item.material_twice", "materials"),
        ({"到办事现场次数": "若干"}, "item.count", "visits"),
        ({"进驻大厅": "也许"}, "item.flag", "in_hall"),
        ({"服务对象": "自然人、火星人"}, "item.targets", "targets"),
    ],
)  # fmt: skip
def test_a_bad_row_is_left_out_with_its_field_and_rule_and_the_rest_goes_in(
    cells: dict[str, str], rule: str, field: str
) -> None:
    good = dict.fromkeys(cells, "") | ROW | {"事项名称": "节水企业认定"}
    report = publish(ROW | cells, good)
    bad, other = report.rows
    assert (bad.outcome, bad.rule, bad.field) == ("refused", rule, field), bad
    assert bad.sentence
    assert bad.row == 2
    assert other.outcome == "created", other


def test_everything_that_is_wrong_with_a_row_is_told() -> None:
    one = only(publish(ROW | {"实施机关": "市海洋局", "承诺办结时限": "很快", "事项类型": "审批"}))
    assert one.rule == "limit.value" or one.rule == "item.type"
    assert len(one.remarks) == 2


def test_a_name_that_stands_twice_names_the_other_row() -> None:
    report = publish(ROW, ROW | {"说明": "又一行"}, ROW | {"实施机关": "江城市市场监督管理局"})
    assert told(report) == [("created", None), ("refused", "item.name_twice"), ("created", None)]
    assert "第 2 行" in str(report.rows[1].sentence)


def test_a_row_that_stands_twice_goes_in_once() -> None:
    report = publish(ROW, ROW)
    assert told(report) == [("created", None), ("refused", "import.row_twice")]


def test_a_new_code_is_not_for_what_the_organ_has_already() -> None:
    publish(ROW | {"编码": "QR8005"})
    assert told(publish(ROW | {"编码": "QR8006"})) == [("refused", "item.name_taken")]
    renamed = [ROW | {"编码": "QR8005", "事项名称": "节水载体评定"}, ROW | {"编码": "QR8006"}]
    assert [row.outcome for row in publish(*renamed, at=LATER).rows] == ["changed", "created"]


def test_two_organs_do_not_take_up_the_same_list_in_one_place() -> None:
    rows = [{"事项名称": "取水许可", "实施机关": name} for name in ("区水务局", "区数据局")]
    report = publish(*rows, region=DISTRICT)
    assert told(report) == [("created", None), ("refused", "item.twice")]


def test_dates_of_force_neither_overlap_nor_leave_a_hole() -> None:
    code = {"编码": "QR8002"}
    old = ROW | code | {"施行起": "2020-01-01", "施行止": "2025-12-31"}
    new = ROW | code | {"施行起": "2026-01-01", "承诺办结时限": "5 个工作日"}
    assert told(publish(old, new)) == [("created", None), ("changed", None)]
    assert told(publish(old, new)) == [("unchanged", None), ("unchanged", None)]
    assert told(publish(new | {"施行起": "2021-01-01", "说明": "x"})) == [
        ("refused", "item.overlap")
    ]
    other = old | {"编码": "QR8003", "事项名称": "节水单位认定"}
    gap = new | {"编码": "QR8003", "事项名称": "节水单位认定", "施行起": "2026-03-01"}
    assert told(publish(other, gap)) == [("created", None), ("refused", "item.hole")]


def test_a_file_without_the_columns_it_needs_is_refused_as_a_whole() -> None:
    with pytest.raises(Refusal) as refused:
        read(table({"事项名称": "甲", "备注": "乙"}))
    assert refused.value.code == "import.columns"
    assert "实施机关" in refused.value.sentence
    assert read(table({"事项名称": "甲"}), agency=WATER).lines
    with pytest.raises(Refusal) as twice:
        read(table({"事项名称": "甲", "名称": "乙", "实施机关": WATER}))
    assert twice.value.code == "import.same_column"


def test_an_approved_list_says_by_what_it_is_approved() -> None:
    with pytest.raises(Refusal) as refused:
        importing.run(read(table(ROW)), by=None, at=AT, mode="publish")
    assert refused.value.code == "import.approved"


# --- drafts -----------------------------------------------------------------------------------------


def test_what_lacks_only_its_basis_becomes_a_draft_that_says_what_is_missing() -> None:
    row = {"事项名称": "节水宣传", "实施机关": WATER, "事项类型": "20", "申请材料": "申请表；方案"}
    first = only(publish(row))
    assert (first.outcome, first.rule, first.field) == ("drafted", "item.no_basis", "basis")
    assert "材料“申请表”没有依据。没有依据的材料不能要求提交。" in first.remarks
    assert any("办件类型" in one for one in first.remarks)
    (change,) = changes.listed(actor("p-centre_manager")).rows
    assert (change.name, change.purpose, change.drafted_by) == ("节水宣传", "new", "operator")
    assert change.own["type"] == "公共服务"
    again = only(publish(row, at=LATER))
    assert (again.outcome, again.rule) == ("unchanged", "item.no_basis")
    assert changes.listed(actor("p-centre_manager")).total == 1


def test_a_placeholder_is_no_code_and_a_faulty_code_is_kept_with_a_remark() -> None:
    code = {"实施编码": "511A0014100002-511602000000-000-2222222222222-1-00"}
    one = only(publish(ROW | code))
    assert (one.outcome, one.rule, one.field) == ("drafted", "item_code.placeholder", "code")
    (change,) = changes.listed(actor("p-centre_manager")).rows
    assert "code" not in change.own
    faulty = "511A0138000000-511602000000-000-1151130108778239R-1-00"
    other = only(publish(ROW | {"事项名称": "节水器具认定", "实施编码": faulty}))
    assert other.outcome == "created"
    assert "实施主体" in other.remarks[0]
    item = queries.in_force(other.item, TODAY)
    assert item is not None
    assert item.whole["code"] == faulty


def test_on_the_desk_everything_that_differs_becomes_a_draft_in_one_batch() -> None:
    publish(ROW)
    report = draft(ROW, ROW | {"事项名称": "节水企业认定"}, ROW | {"承诺办结时限": "5 个工作日"})
    assert told(report) == [("unchanged", None), ("drafted", None), ("refused", "item.name_twice")]
    assert report.batch == "一批"
    found = changes.listed(actor("p-centre_manager"), batch="一批")
    assert [(one.name, one.since) for one in found.rows] == [("节水企业认定", None)]
    revised = draft(ROW | {"承诺办结时限": "5 个工作日"})
    assert told(revised) == [("drafted", None)]
    assert told(draft(ROW | {"承诺办结时限": "5 个工作日"})) == [("unchanged", None)]


def test_a_department_drafts_its_own_items_only() -> None:
    other = ROW | {"实施机关": "江城市市场监督管理局"}
    report = draft(ROW, other, who="p-water-head")
    assert told(report) == [("drafted", None), ("refused", "change.not_yours")]
    assert told(draft(ROW, who="p-water-clerk")) == [("refused", "change.not_yours")]
    province = ROW | {"清单层级": "省级清单"}
    assert told(draft(province, who="p-water-head")) == [("refused", "change.province")]


def test_what_people_worked_on_is_not_written_over() -> None:
    row = {"事项名称": "节水宣传", "实施机关": WATER, "事项类型": "公共服务", "设定依据": ""}
    draft(row)
    who = actor("p-water-head")
    (change,) = changes.listed(who).rows
    changes.revise(
        who, change.id, Revision(own={**change.own, "basis": "节约用水条例"}),
        version=change.version, key=str(uuid4()), at=AT,
    )  # fmt: skip
    assert told(draft(row)) == [("refused", "change.touched")]
    del row["设定依据"]  # a file that says nothing of the basis agrees with the draft
    assert only(draft(row)).outcome == "unchanged"


def test_a_draft_on_its_way_is_not_written_over() -> None:
    draft(ROW)
    who = actor("p-centre_manager")
    (change,) = changes.listed(who).rows
    changes.step(who, [change.id], "submitted", changes.Given(), key=str(uuid4()), at=AT)
    assert told(draft(ROW)) == [("unchanged", None)]
    assert told(draft(ROW | {"说明": "新"})) == [("refused", "change.in_the_air")]


def test_a_draft_that_was_withdrawn_can_be_imported_again() -> None:
    draft(ROW)
    who = actor("p-centre_manager")
    (change,) = changes.listed(who).rows
    given = changes.Given(reason="重来")
    changes.step(who, [change.id], "withdrawn", given, key=str(uuid4()), at=AT)
    assert only(draft(ROW)).outcome == "drafted"
    assert changes.listed(who, state="drafting").total == 1


def test_a_later_import_revises_the_draft_of_an_earlier_one() -> None:
    draft(ROW)
    assert only(draft(ROW | {"承诺办结时限": "5 个工作日"}, batch="二批")).outcome == "drafted"
    (change,) = changes.listed(actor("p-centre_manager")).rows
    assert change.own["promised"]["value"] == 5


def test_history_is_no_draft_and_a_retirement_is() -> None:
    publish(ROW | {"编码": "QR8002", "施行起": "2020-01-01"})
    old = ROW | {"编码": "QR8004", "施行起": "2010-01-01", "施行止": "2012-12-31"}
    assert told(draft(old)) == [("refused", "import.history")]
    gone = ROW | {
        "编码": "QR8002",
        "施行起": "2026-12-01",
        "已取消": "是",
        "取消日期": "2026-12-01",
    }
    assert told(draft(gone)) == [("drafted", None)]
    (change,) = changes.listed(actor("p-centre_manager")).rows
    assert (change.purpose, change.since) == ("retire", date(2026, 12, 1))


def test_a_look_says_what_the_import_will_do_and_writes_nothing() -> None:
    rows = [ROW, {"事项名称": "节水宣传", "实施机关": WATER}, ROW | {"实施机关": "市海洋局"}]
    modes: tuple[Mode, ...] = ("publish", "draft")
    for mode in modes:
        parsed = read(table(*rows))
        seen = importing.look(parsed, by=None, at=AT, mode=mode, approved=NUMBER)
        assert changes.listed(actor("p-centre_manager")).total == 0
        assert exporting.count(Selection(agency="420100-water", on=TODAY)) == 3 * len(LISTED)
        assert seen.counts["refused"] == 1
    done = importing.run(parsed, by=None, at=AT, mode="draft")
    assert done.rows == seen.rows


def test_what_breaks_off_leaves_whole_items_and_a_second_run_completes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 3)
    rows = [ROW | {"事项名称": f"第{n}类节水载体认定"} for n in range(8)]

    def broken(done: int, total: int) -> None:
        if done > 5:
            raise KeyboardInterrupt

    parsed = read(table(*rows))
    with pytest.raises(KeyboardInterrupt):
        importing.run(parsed, by=None, at=AT, mode="publish", approved=NUMBER, progress=broken)
    report = publish(*rows)
    assert report.counts["unchanged"] == 6
    assert report.counts["created"] == 2
    assert publish(*rows).counts["unchanged"] == 8


# --- ugly files -------------------------------------------------------------------------------------


def workbook(*rows: Mapping[str, object], **parts: Any) -> bytes:
    place = io.BytesIO()
    book = Workbook(place, {"in_memory": True})
    sheet = book.add_worksheet("清单")
    columns = list(dict.fromkeys(column for row in rows for column in row))
    sheet.write_row(0, 0, columns)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for number, row in enumerate(rows, 1):
        for index, column in enumerate(columns):
            value = row.get(column, "")
            if isinstance(value, date):
                sheet.write_datetime(number, index, value, day)
            elif isinstance(value, str) and value.startswith("="):
                sheet.write_formula(number, index, value, None, 7)
            else:
                sheet.write(number, index, value)
    for first, last, index in parts.get("merged", ()):
        sheet.merge_range(first, index, last, index, "合并", book.add_format())
    for number in range(parts.get("empty", 0)):
        sheet.set_row(len(rows) + 1 + number, 15, day)
    book.close()
    return place.getvalue()


def taken(data: bytes, filename: str) -> Report:
    return importing.run(
        read(data, filename), by=None, at=AT, mode="publish", approved=NUMBER
    )  # fmt: skip


def test_formulas_and_merged_cells_are_refused_where_they_stand() -> None:
    good = ROW | {"事项名称": "节水企业认定"}
    data = workbook(ROW | {"承诺办结时限": "=5+5"}, good, ROW | {"事项名称": "节水器具认定"})
    assert told(taken(data, "a.xlsx")) == [
        ("refused", "sheets.formula"), ("created", None), ("created", None)
    ]  # fmt: skip
    rows = [ROW | {"事项名称": f"第{n}类节水载体认定"} for n in range(3)]
    report = taken(workbook(*rows, merged=[(1, 2, 1)]), "b.xlsx")
    assert [row.outcome for row in report.rows] == ["refused", "refused", "created"]
    assert report.rows[1].rule == "sheets.merged"
    assert report.rows[1].sentence


def test_sixty_five_thousand_empty_rows_are_passed_over() -> None:
    report = taken(workbook(ROW, empty=65_000), "items.xlsx")
    assert told(report) == [("created", None)]


def test_dates_are_read_however_the_cells_hold_them() -> None:
    days = [date(2026, 12, 1), "2026/12/1", "2026年12月1日", 20261201, 46357]
    rows = [
        ROW | {"事项名称": f"第{n}类节水载体认定", "施行起": day} for n, day in enumerate(days)
    ]  # fmt: skip
    report = taken(workbook(*rows), "items.xlsx")
    assert {row.outcome for row in report.rows} == {"created"}, report.rows
    for row in report.rows:
        assert queries.in_force(row.item, date(2026, 11, 30)) is None
        assert queries.in_force(row.item, date(2026, 12, 1)) is not None


def test_a_file_with_macros_and_one_that_is_no_table_are_refused_in_words() -> None:
    for data, name, rule in (
        (workbook(ROW), "items.xlsm", "sheets.macros"),
        (b"%PDF-1.7", "items.xlsx", "sheets.not_a_sheet"),
        (b"", "items.csv", "sheets.empty"),
    ):
        with pytest.raises(Refusal) as refused:
            read(data, name)
        assert refused.value.code == rule
        assert refused.value.sentence.endswith("。")


def test_a_chinese_code_page_with_a_wrong_label_is_read_and_told() -> None:
    data = table(ROW | {"说明": "㐂"}).decode().encode("gb18030")
    report = taken(data, "items-utf8.csv")
    assert told(report) == [("created", None)]
    assert any("GB18030" in note for note in report.notes)


def test_columns_nobody_reads_are_named() -> None:
    report = publish(ROW | {"心情": "好"})
    assert report.notes == ("没有用到这些列：心情。",)


# --- a real list ------------------------------------------------------------------------------------


@pytest.mark.skipif(not GUANGAN.exists(), reason=f"the real list is not at {GUANGAN}")
def test_a_districts_real_list_becomes_drafts_that_say_what_is_missing() -> None:
    data = GUANGAN.read_bytes()

    def taken_in(at: datetime) -> Report:
        parsed = importing.read(
            data, GUANGAN.name, agencies=importing.organs(DISTRICT), region=DISTRICT, at=at
        )
        return importing.run(parsed, by=None, at=at, mode="publish", approved=NUMBER, batch="广安")

    report = taken_in(AT)
    assert len(report.rows) == 1135
    assert {outcome: many for outcome, many in report.counts.items() if many} == {
        "created": 2, "drafted": 1108, "refused": 25
    }  # fmt: skip
    rules = Counter((row.outcome, row.rule) for row in report.rows)
    assert rules == {
        ("created", None): 2,
        ("drafted", "item.no_basis"): 1099,
        ("drafted", "item_code.placeholder"): 9,
        ("refused", "item.department"): 23,
        ("refused", "item.name_twice"): 2,
    }
    unknown = {str(row.sentence)[5:9] for row in report.rows if row.rule == "item.department"}
    assert len(unknown) == 4
    taken_up = {row.name: row.item for row in report.rows if row.outcome == "created"}
    assert taken_up["公司设立登记"] == "XK0050-420102"
    real = {one["name"]: one for one in json.loads(data)}
    passport = queries.in_force(taken_up["普通护照签发"], TODAY)
    assert passport is not None
    assert passport.own == {"code": real["普通护照签发"]["itemCode"]}
    twins = [row for row in report.rows if row.rule == "item.name_twice"]
    assert {row.name for row in twins} == {
        "求职创业补贴申领", "城市建筑物、设施上张挂、张贴宣传品审批"
    }  # fmt: skip
    assert all("行名称相同" in str(row.sentence) for row in twins)
    again = taken_in(LATER)
    assert {row.outcome for row in again.rows} == {"unchanged", "refused"}
    assert changes.listed(actor("p-centre_manager"), batch="广安").total == 1108
