"""Tables: what people send is read to the letter or refused by name; what goes out comes back."""

from __future__ import annotations

import io
import json
import os
import random
import re
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from zhengwu.documents import sheets
from zhengwu.documents.sheets import Table, parse_date, read
from zhengwu.documents.sheets.table import letters
from zhengwu.domain.refusal import Refusal

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
BAD = DATA / "bad-inputs"
needs_data = pytest.mark.skipif(not BAD.exists(), reason=f"the bad inputs are not at {BAD}")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


# --- files as people make them --------------------------------------------------------------------
def xlsx(fill: Callable[[Workbook, Worksheet], None], **options: object) -> bytes:
    """What Excel would save."""
    place = io.BytesIO()
    with Workbook(place, options) as book:
        fill(book, book.add_worksheet("名册"))
    return place.getvalue()


def plain(*rows: list[object]) -> bytes:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    return xlsx(fill)


def bare(rows: str, *, strings: str = "", after: str = "", head: str = "") -> bytes:
    """The least that is an XLSX; head: before the root of the sheet."""
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as zip:
        relation = f'<Relationship Id="%s" Type="{OFFICE}/%s" Target="%s"/>'
        relations = f'<Relationships xmlns="{PACKAGE}/relationships">%s</Relationships>'
        zip.writestr("_rels/.rels", relations % (relation % ("a", "officeDocument", "/xl/b.xml")))
        zip.writestr(
            "xl/b.xml",
            f'<workbook xmlns="{MAIN}" xmlns:q="{OFFICE}"><sheets>'
            '<sheet name="一" sheetId="1" q:id="b"/></sheets></workbook>',
        )
        zip.writestr(
            "xl/_rels/b.xml.rels",
            relations
            % (relation % ("b", "worksheet", "s.xml") + relation % ("c", "sharedStrings", "t.xml")),
        )
        zip.writestr(
            "xl/s.xml",
            f'{head}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>',
        )
        if strings:
            zip.writestr("xl/t.xml", f'<sst xmlns="{MAIN}">{strings}</sst>')
    return place.getvalue()


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">' + "".join(cells) + "</row>"


def inline(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    place = io.BytesIO(data)
    with zipfile.ZipFile(place, "a", zipfile.ZIP_DEFLATED) as zip:
        zip.writestr(name, content)
    return place.getvalue()


def refused(data: bytes, *, filename: str = "名册.xlsx", **given: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(data, filename=filename, **given)
    assert caught.value.code.startswith("sheets.")
    assert re.search("[\u4e00-\u9fff]", caught.value.sentence)
    return caught.value


def texts(table: Table) -> list[tuple[str, ...]]:
    return [tuple(one.cells.values()) for one in table.rows]


def faults(table: Table) -> dict[int, list[tuple[str, str | None]]]:
    return {
        one.number: [(fault.code.removeprefix("sheets."), fault.field) for fault in one.faults]
        for one in table.rows
        if one.faults
    }


def notes(table: Table) -> dict[str, str]:
    return {one.code.removeprefix("sheets."): one.sentence for one in table.notes}


# --- XLSX: values ---------------------------------------------------------------------------------
def test_every_kind_of_cell_comes_out_as_the_text_a_person_sees() -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        def form(code: str) -> object:
            return book.add_format({"num_format": code})

        sheet.write_row(0, 0, ["种类", "值"])
        at = datetime(2026, 1, 5, 9, 30)  # noqa: DTZ001
        for number, (kind, value, code) in enumerate(
            [
                ("整数", 12, "General"), ("小数", 1.5, "0.00"), ("末位", 0.1 + 0.2, "General"),
                ("负数", -3.0, "General"), ("很小", 1e-7, "General"), ("零", 0, "General"),
                ("十五位", 123456789012345, "0"), ("邮编", 43000, "000000"), ("天数", 3, '0"天"'),
                ("日期", at.date(), "yyyy-mm-dd"), ("汉字日期", at.date(), 'yyyy"年"m"月"d"日"'),
                ("区域日期", at.date(), "[$-804]yyyy/m/d;@"), ("时刻", at, "yyyy/m/d h:mm"),
                ("钟点", at.time(), "h:mm"), ("时长", 26 / 24, "[h]:mm"), ("金额", 3.5, "¥#,##0.00;[Red]-¥#,##0.00"),
            ],
            1,
        ):  # fmt: skip
            sheet.write(number, 0, kind)
            sheet.write(number, 1, value, form(code))
        sheet.write_row(17, 0, ["是", True])
        sheet.write_row(18, 0, ["否", False])
        sheet.write_rich_string(19, 1, "一半", book.add_format({"bold": True}), "粗", "完")
        sheet.write(19, 0, "粗细")

    table = read(xlsx(fill), filename="a.xlsx")
    assert {one.cells["种类"]: one.cells["值"] for one in table.rows} == {
        "整数": "12", "小数": "1.5", "末位": "0.3", "负数": "-3", "很小": "0.0000001", "零": "0",
        "十五位": "123456789012345", "邮编": "043000", "天数": "3",
        "日期": "2026-01-05", "汉字日期": "2026-01-05", "区域日期": "2026-01-05",
        "时刻": "2026-01-05 09:30:00", "钟点": "09:30:00", "时长": "26:00:00", "金额": "3.5",
        "是": "是", "否": "否", "粗细": "一半粗完",
    }  # fmt: skip
    assert faults(table) == {}
    assert (table.format, table.encoding, table.sheet) == ("xlsx", "utf-8", "名册")


def test_text_is_in_nfc_with_its_lines_and_without_blanks_around_it() -> None:
    table = read(
        plain(["名 称", "备注\n（选填）"], ["　e\u0301a\xa0", "一\r\n二"]), filename="a.xlsx"
    )
    assert table.columns == ("名 称", "备注（选填）")
    assert texts(table) == [("éa", "一\n二")]


def test_a_number_too_long_for_a_spreadsheet_is_a_fault_not_a_wrong_identifier() -> None:
    table = read(plain(["证件号码"], [420101199001011234]), filename="a.xlsx")
    assert faults(table) == {2: [("long_number", "证件号码")]}


def test_hidden_characters_are_faults() -> None:
    table = read(
        plain(["甲", "乙"], ["a\x07b", "李\u202e梅"], ["c\td", "好"], ["\ufffe", "x\x7f"]),
        filename="a.xlsx",
    )
    assert faults(table) == {
        2: [("control_character", "甲"), ("control_character", "乙")],
        3: [("control_character", "甲")],
        4: [("control_character", "甲"), ("control_character", "乙")],
    }
    assert "U+0007" in table.rows[0].faults[0].sentence
    assert texts(table)[0] == ("ab", "李梅")


def test_half_letters_of_an_escape_are_put_together_and_a_single_half_is_a_fault() -> None:
    rows = row(1, inline("甲")) + row(2, inline("_xD842__xDFB7_")) + row(3, inline("a_xD842_"))
    table = read(bare(rows), filename="a.xlsx")
    assert texts(table)[0] == ("𠮷",)
    assert faults(table) == {3: [("control_character", "甲")]}


def test_a_cell_longer_than_a_spreadsheet_can_hold_is_a_fault() -> None:
    rows = row(1, inline("甲")) + row(2, inline("长" * 32_767)) + row(3, inline("长" * 32_768))
    table = read(bare(rows + row(4, inline("𠮷" * 16_384))), filename="a.xlsx")
    assert faults(table) == {3: [("too_long", "甲")], 4: [("too_long", "甲")]}
    assert len(table.rows[0].cells["甲"]) == 32_767


def test_prefixes_missing_places_and_pronunciations_are_read() -> None:
    shared = "<si><t>名称</t></si><si><r><t>东</t></r><r><t>京</t></r><rPh><t>ひがし</t></rPh></si>"
    data = bare(
        '<row><c t="s"><v>0</v></c></row><row r="3"><c t="s"><v>1</v></c></row>', strings=shared
    )
    assert [(one.number, one.cells["名称"]) for one in read(data, filename="a.xlsx").rows] == [
        (3, "东京")
    ]
    prefixed = zipfile.ZipFile(io.BytesIO(data)).read("xl/s.xml").decode()
    prefixed = re.sub(r"<(/?)(?=\w)", r"<\1x:", prefixed).replace("xmlns=", "xmlns:x=")
    place = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(place, "w") as new:
        for name in old.namelist():
            new.writestr(name, prefixed if name == "xl/s.xml" else old.read(name))
    assert texts(read(place.getvalue(), filename="a.xlsx")) == [("东京",)]


def plainly(value: object) -> str:
    """A value of calamine's as we write it."""
    match value:
        case bool():
            return "是" if value else "否"
        case datetime() if value.time() != datetime.min.time():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case date():
            return value.strftime("%Y-%m-%d")
        case float() if value.is_integer():
            return str(int(value))
        case float():
            return format(value, ".15g")
    return sheets.clean(str(value))


def test_another_reader_sees_the_same_values() -> None:
    chance = random.Random(20260105)

    def fill(book: Workbook, sheet: Worksheet) -> None:
        forms = [book.add_format({"num_format": one}) for one in (14, 22, "yyyy-mm-dd", "m/d/yy")]
        sheet.write_row(0, 0, [f"列{index}" for index in range(8)])
        for number in range(1, 400):
            for index in range(8):
                draw = chance.random()
                if draw < 0.3:
                    sheet.write_string(number, index, f" 江城{chance.random()}_x000D_ <&> ")
                elif draw < 0.5:
                    sheet.write_number(number, index, chance.randint(-(10**9), 10**9))
                elif draw < 0.7:
                    sheet.write_number(number, index, round(chance.uniform(-1e4, 1e4), 3))
                elif draw < 0.9:
                    at = datetime.fromtimestamp(chance.randint(0, 2**31))  # noqa: DTZ006
                    sheet.write_datetime(number, index, at, chance.choice(forms))
                elif draw < 0.95:
                    sheet.write_boolean(number, index, chance.random() < 0.5)

    data = xlsx(fill)
    theirs = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    ours = read(data, filename="a.xlsx")
    assert [list(one) for one in texts(ours)] == [[plainly(v) for v in r] for r in theirs[1:]]


# --- XLSX: what is wrong with a row ---------------------------------------------------------------
def test_a_formula_is_a_fault_that_says_to_write_the_value() -> None:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(0, 0, ["甲", "乙", "丙"])
        sheet.write_row(1, 0, [1, 2])
        sheet.write_formula(1, 2, "=A2+B2", None, 3)
        sheet.write_row(2, 0, [1, 2, 3])
        sheet.write_formula(3, 0, "=1/0", None, "#DIV/0!")
        sheet.write_array_formula(4, 1, 6, 1, "{=A1:A3}", None, 7)
        sheet.write(5, 1, 8)

    table = read(xlsx(fill), filename="a.xlsx")
    assert faults(table) == {
        2: [("formula", "丙")],
        4: [("formula", "甲")],
        5: [("formula", "乙")],
        6: [("formula", "乙")],  # the result of a formula that stands elsewhere
        7: [("formula", "乙")],
    }
    assert "数值" in table.rows[0].faults[0].sentence
    assert table.rows[0].cells["丙"] == "3"


def test_an_error_value_is_a_fault() -> None:
    table = read(bare(row(1, inline("甲")) + row(2, '<c t="e"><v>#N/A</v></c>')), filename="a.xlsx")
    assert faults(table) == {2: [("error_value", "甲")]}
    assert "#N/A" in table.rows[0].faults[0].sentence


def test_every_row_under_a_merged_cell_but_its_first_is_at_fault() -> None:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        sheet.write_row(0, 0, ["部门", "事项", "备注"])
        sheet.merge_range(1, 0, 3, 0, "水务局")
        for number in range(1, 4):
            sheet.write(number, 1, f"事项{number}")
        sheet.merge_range(4, 1, 4, 2, "横着的")
        sheet.merge_range(5, 2, 7, 2, "")  # empty: nothing is lost
        sheet.write(6, 0, "林业局")
        sheet.merge_range(8, 0, 9, 2, "说明")  # the second row has nothing else

    table = read(xlsx(fill), filename="a.xlsx")
    assert faults(table) == {
        3: [("merged", "部门")],
        4: [("merged", "部门")],
        5: [("merged", "备注")],
        9: [("merged", "事项")],
        10: [("merged", "部门")],
    }
    assert "A2:A4" in table.rows[1].faults[0].sentence


def test_a_merged_header_refuses_the_file() -> None:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        sheet.merge_range(0, 0, 0, 2, "二〇二六年事项表")
        sheet.write_row(1, 0, ["甲", "乙", "丙"])

    no = refused(xlsx(fill))
    assert no.code == "sheets.merged_header"
    assert "A1:C1" in no.sentence


def test_a_cell_without_a_heading_is_a_fault_of_its_row() -> None:
    table = read(plain(["甲", None, "丙"], [1, None, 3], [1, "多", 3, "余"]), filename="a.xlsx")
    assert table.columns == ("甲", "丙")
    assert faults(table) == {3: [("extra_cell", "B")]}
    assert texts(table) == [("1", "3"), ("1", "3")]


def test_dates_that_lost_their_format_are_dates_in_a_column_of_dates() -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        form = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ["日期", "面积"])
        for number in range(1, 4):
            sheet.write_datetime(number, 0, date(2026, 1, number), form)
            sheet.write_number(number, 1, 12345)
        sheet.write(4, 0, "2026年1月5日")
        sheet.write(5, 0, 46027)
        sheet.write(6, 0, 20260105)
        sheet.write(7, 0, "05/01/2026")

    table = read(xlsx(fill), filename="a.xlsx")
    found = [one.cells["日期"] for one in table.rows]
    assert found[3:] == ["2026年1月5日", "2026-01-05", "20260105", "05/01/2026"]
    assert [parse_date(one) for one in found[3:6]] == [date(2026, 1, 5)] * 3
    assert [one.cells["面积"] for one in table.rows[:3]] == ["12345"] * 3
    assert "“日期”" in notes(table)["serial_dates"]
    with pytest.raises(Refusal) as caught:
        parse_date(found[6])
    assert caught.value.code == "sheets.date_unclear"


def test_a_workbook_that_counts_from_1904_has_the_same_days() -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        form = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write(0, 0, "日期")
        sheet.write_datetime(1, 0, date(2026, 1, 5), form)
        sheet.write_number(2, 0, 46027 - 1462)

    data = xlsx(fill, date_1904=True)
    assert texts(read(data, filename="a.xlsx")) == [("2026-01-05",), ("2026-01-05",)]


def test_a_date_that_is_none_is_a_fault() -> None:
    def fill(book: Workbook, sheet: Worksheet) -> None:
        form = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write(0, 0, "日期")
        for number, days in enumerate((-1, 0, 59, 60, 61, 2958465, 2958466), 1):
            sheet.write_number(number, 0, days, form)

    table = read(xlsx(fill), filename="a.xlsx")
    assert sorted(faults(table)) == [2, 3, 5, 8]
    assert texts(table)[2] == ("1900-02-28",)
    assert texts(table)[4:6] == [("1900-03-01",), ("9999-12-31",)]


def test_equal_rows_are_named_with_the_first_of_them() -> None:
    table = read(plain(["甲", "乙"], [1, 2], [1, 3], [1, 2], [1, 2]), filename="a.xlsx")
    assert table.duplicates == {4: 2, 5: 2}
    assert faults(table) == {}


# --- XLSX: rows and sheets ------------------------------------------------------------------------
def test_65_000_empty_rows_cost_nothing_and_are_counted() -> None:
    rows = row(1, inline("甲"), inline("乙")) + row(3, "<c><v>1</v></c>", "<c><v>2</v></c>")
    for number in range(4, 65_004):  # as a program writes rows that have a height and borders
        cells = f'<c r="A{number}" s="1"/><c r="B{number}" s="1" t="s"><v>0</v></c>'
        rows += f'<row r="{number}" ht="15" customHeight="1">{cells}</row>'
    data = bare(rows, strings="<si><t/></si>")
    start = time.process_time()
    table = read(data, filename="a.xlsx")
    assert time.process_time() - start < 10
    assert [one.number for one in table.rows] == [3]
    assert "65001" in notes(table)["empty_rows"]


def test_rows_a_filter_hides_are_read_and_said_to_be() -> None:
    def fill(_: Workbook, sheet: Worksheet) -> None:
        sheet.write_column(0, 0, ["甲", 1, 2])
        sheet.set_row(2, None, None, {"hidden": True})

    table = read(xlsx(fill), filename="a.xlsx")
    assert texts(table) == [("1",), ("2",)]
    assert "1 行" in notes(table)["hidden_rows"]


def several(book: Workbook, first: Worksheet) -> None:
    first.hide()
    first.write_column(0, 0, ["密", "甲"])
    book.add_worksheet("空")
    second = book.add_worksheet("公开")
    second.write_column(2, 0, ["名", "乙"])
    second.activate()
    second.set_first_sheet()
    book.add_worksheet("别的").write(0, 0, "说明")
    book.add_chartsheet("图")


def test_the_first_visible_sheet_with_a_header_is_read_and_the_others_are_named() -> None:
    table = read(xlsx(several), filename="a.xlsx")
    assert (table.sheet, table.columns, texts(table)) == ("公开", ("名",), [("乙",)])
    assert [one.number for one in table.rows] == [4]
    assert "“名册”（隐藏）、“别的”" in notes(table)["other_sheets"]


def test_a_sheet_can_be_asked_for_by_its_name() -> None:
    assert read(xlsx(several), filename="a.xlsx", sheet="名册").columns == ("密",)
    no = refused(xlsx(several), sheet="没有")
    assert no.code == "sheets.no_such_sheet"
    assert "“公开”" in no.sentence
    assert refused(xlsx(several), sheet="空").code == "sheets.no_header"


def test_a_hidden_sheet_is_not_read_in_silence() -> None:
    def fill(book: Workbook, first: Worksheet) -> None:
        first.write(0, 0, "密")
        first.very_hidden()
        book.add_worksheet("空").activate()

    assert refused(xlsx(fill)).code == "sheets.only_hidden"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "no_header"),
        ([[None, "  "]], "no_header"),
        ([[1, 2], [3, 4]], "no_header"),
        ([["甲", "乙", " 甲"]], "same_header"),
        ([["甲", "=1+1"]], "header_unclear"),
        ([["甲\x01"]], "header_unclear"),
        ([[f"列{one}" for one in range(501)]], "too_many_columns"),
    ],
)
def test_a_header_that_will_not_do_refuses_the_file(rows: list[list[object]], code: str) -> None:
    assert refused(plain(*rows)).code == f"sheets.{code}"


def test_too_many_rows_are_refused() -> None:
    rows = "".join(f"<row><c><v>{one}</v></c></row>" for one in range(200_001))
    assert refused(bare(row(1, inline("甲")) + rows)).code == "sheets.too_many_rows"


def test_too_many_faults_are_refused_with_an_example() -> None:
    formulas = "<row><c><f>1</f></c><c><f>1</f></c></row>" * 25_001
    no = refused(bare(row(1, inline("甲"), inline("乙")) + formulas))
    assert no.code == "sheets.too_many_faults"
    assert "公式" in no.sentence


# --- XLSX: files that are meant to hurt -----------------------------------------------------------
def test_a_macro_file_is_refused_however_it_is_called() -> None:
    data = plain(["甲"], [1])
    assert refused(data, filename="宏.XLSM").code == "sheets.macros"
    for part in ("xl/vbaProject.bin", "XL/VBAPROJECT.BIN", "xl/macrosheets/sheet1.xml"):
        assert refused(with_part(data, part, b"x")).code == "sheets.macros"
    types = bare("")
    kind = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    named = f'<Types><Override PartName="/xl/b.xml" ContentType="{kind}"/></Types>'
    assert refused(with_part(types, "[Content_Types].xml", named.encode())).code == "sheets.macros"


def test_encrypted_and_old_files_are_told_what_to_save_as() -> None:
    magic = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    locked = magic + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    assert refused(locked).code == "sheets.encrypted"
    old = refused(magic + "Workbook".encode("utf-16-le"), filename="a.xls")
    assert old.code == "sheets.old_format"
    assert ".xlsx" in old.sentence
    zipped = bytearray(plain(["甲"]))
    for at in [found.start() for found in re.finditer(b"PK\x01\x02", bytes(zipped))]:
        zipped[at + 8] |= 1
    assert refused(bytes(zipped)).code == "sheets.encrypted"


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        (b"%PDF-1.7\n", "a.pdf"),
        (b"\x89PNG\r\n\x1a\n\0", "a.xlsx"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "a.xls"),
        (b"<?xml version='1.0'?><Workbook/>", "a.csv"),
        ("甲,乙\n1,2\n".encode(), "a.xlsx"),
        (b"a\0b\0c", "a.csv"),
        (b"PK\x05\x06" + bytes(18), "a.xlsx"),
        (with_part(b"", "word/document.xml", b"<w/>"), "a.xlsx"),
        (with_part(b"", "mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), "a.ods"),
    ],
)
def test_what_is_no_spreadsheet_is_refused(data: bytes, filename: str) -> None:
    assert refused(data, filename=filename).code == "sheets.not_a_sheet"


@pytest.mark.parametrize("data", [b"", b"\r\n \t", bytes(100)])
def test_an_empty_file_is_refused(data: bytes) -> None:
    assert refused(data).code == "sheets.empty"


def declared(data: bytes, part: str, size: int) -> bytes:
    """The file, saying in its list of contents that the part unpacks to this many bytes."""
    changed = bytearray(data)
    for found in re.finditer(b"PK\x01\x02", data):
        if data[found.start() + 46 :].startswith(part.encode()):
            changed[found.start() + 24 : found.start() + 28] = struct.pack("<I", size)
    return bytes(changed)


def test_a_zip_bomb_is_refused_before_anything_is_unpacked() -> None:
    zeros = with_part(plain(["甲"]), "xl/media/a.bin", bytes(100 << 20))
    assert len(zeros) < 1 << 20
    noise = random.Random(1).randbytes(4 << 20)
    large = declared(with_part(plain(["甲"]), "xl/media/b.bin", noise), "xl/media/b", 257 << 20)
    for bomb in (zeros, large):
        tracemalloc.start()
        assert refused(bomb).code == "sheets.too_large_unpacked"
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
        tracemalloc.stop()


def test_a_part_that_unpacks_to_more_than_it_says_is_broken() -> None:
    data = bare(row(1, inline("甲")) + " " * (30 << 20))
    tracemalloc.start()
    assert refused(declared(data, "xl/s.xml", 1000)).code == "sheets.broken"
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)


def test_entities_are_refused_wherever_they_stand() -> None:
    good = row(1, inline("甲")) + row(2, inline("乙"))
    assert refused(bare(good, head=BOMB)).code == "sheets.entities"
    assert refused(bare(row(1, inline("&d;")), head=BOMB)).code == "sheets.entities"
    place = io.BytesIO(bare(good))
    with zipfile.ZipFile(place, "a") as zip:
        zip.writestr("xl/t.xml", BOMB + f'<sst xmlns="{MAIN}"><si><t>&d;</t></si></sst>')
    assert refused(place.getvalue()).code == "sheets.entities"


@needs_data
def test_the_xml_of_the_bad_inputs_gets_no_further_than_a_refusal() -> None:
    for file in sorted((BAD / "xml").glob("*.xml")):
        place = io.BytesIO(bare(row(1, inline("甲"))))
        with zipfile.ZipFile(place, "a") as zip:
            zip.writestr("xl/t.xml", file.read_bytes())
        if b"<!DOCTYPE" in file.read_bytes():
            assert refused(place.getvalue()).code == "sheets.entities", file.name


def test_little_files_cannot_ask_for_much_memory() -> None:
    corner = row(1, inline("甲")) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    many = '<c t="s"><v>0</v></c>' * 400
    long = f"<si><t> {'长' * 32_000}e\u0301</t></si>"
    named = row(1, *(inline(f"列{one}") for one in range(400)))
    same = bare(named + f"<row>{many}</row>" * 500, strings=long)
    deep = bare("<a>" * 200_000)
    wide = bare("<a " + "".join(f'b{one}="" ' for one in range(600_000)) + "/>")
    dense = bare(row(1, inline("甲")) + row(2, "<c/>" * 200_000))
    covered = bare(
        row(1, inline("甲")) + row(2, inline("乙")),
        after="<mergeCells>" + '<mergeCell ref="A2:A1048576"/>' * 1000 + "</mergeCells>",
    )
    tracemalloc.start()
    table = read(bare(corner), filename="a.xlsx")
    assert faults(table) == {1_048_576: [("extra_cell", "XFD")]}
    assert len(read(same, filename="a.xlsx").rows) == 500
    for bad in (deep, wide, dense):
        assert refused(bad).code == "sheets.broken"
    assert refused(covered).code == "sheets.too_many_areas"
    assert tracemalloc.get_traced_memory()[1] < 60 << 20
    tracemalloc.stop()


GOOD = plain(["甲", "乙", "日期"], [1, "文字", True], [2.5, "", "再"], ["=1+1", "x", 3])


@given(st.data())
@settings(max_examples=100)
def test_a_damaged_file_is_refused_and_never_an_accident(data: st.DataObject) -> None:
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(4, len(damaged)))
    with suppress(Refusal):
        read(bytes(damaged[:cut]), filename="a")


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_sheet_is_refused_and_never_an_accident(data: st.DataObject) -> None:
    rows = row(1, inline("甲"), '<c r="B1" t="s"><v>0</v></c>') + row(
        3, '<c r="A3" s="1"><f ref="A3:A4" t="array">1</f><v>2</v></c>', '<c t="b"><v>1</v></c>'
    )
    after = '<mergeCells><mergeCell ref="A3:B4"/></mergeCells>'
    signs = list(rows + "|" + after)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(signs) - 1))
        signs[at] = data.draw(st.sampled_from("<>/\"' 0123456789ABcrstvf:=-甲\t"))
    rows, _, after = "".join(signs).partition("|")
    with suppress(Refusal):
        read(bare(rows, after=after, strings="<si><t>乙</t></si>"), filename="a.xlsx")


# --- CSV ------------------------------------------------------------------------------------------
def csv(text: str, *, encoding: str = "utf-8", **given: Any) -> Table:
    return read(text.encode(encoding), filename=given.pop("filename", "a.csv"), **given)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_chinese_is_read_in_the_code_page_it_is_in(encoding: str) -> None:
    table = csv("姓名,住址\n李梅,江城市\n", encoding=encoding)
    assert texts(table) == [("李梅", "江城市")]
    assert table.encoding == {"utf-8-sig": "utf-8", "gbk": "gb18030"}.get(encoding, encoding)


def test_a_wrong_label_is_not_believed_and_said_to_be_wrong() -> None:
    text = "姓名\n𬉼㐂\n"  # in GB 18030, not in GB 2312
    table = csv(text, encoding="gb18030", claimed="GB2312")
    assert texts(table) == [("𬉼㐂",)]
    assert notes(table)["read_as"] == "文件按 GB18030 编码读取。"
    table = csv(text, encoding="gb18030", filename="名册_UTF-8.csv")
    assert "“UTF-8”" in notes(table)["read_as"]
    assert "GB18030" in notes(table)["read_as"]
    table = csv(text, claimed="gbk")
    assert (texts(table), table.encoding) == ([("𬉼㐂",)], "utf-8")
    assert "“gbk”" in notes(table)["read_as"]
    assert notes(csv(text, claimed="UTF-8")) == {}


def test_what_cannot_be_decoded_is_refused_with_the_byte() -> None:
    whole = ("姓名\n" + "江城市行政服务中心\n" * 20).encode()
    damaged = bytearray(whole)
    damaged[301] = 0xFF
    for data, offset in ((bytes(damaged), 299), (whole[:-2], len(whole) - 4), (b"a\n\xff\xff", 2)):
        no = refused(data, filename="a.csv")
        assert no.code == "sheets.undecodable"
        assert f"第 {offset} 个字节" in no.sentence
    marked = b"\xef\xbb\xbfa\n\xff"
    assert "第 5 个字节" in refused(marked, filename="a.csv").sentence
    assert refused(b"\xff\xfea\0\n", filename="a.csv").code == "sheets.undecodable"


@pytest.mark.parametrize("between", [",", "\t", ";"])
def test_the_delimiter_is_that_of_the_header(between: str) -> None:
    rows = [["甲,；", "乙\t", "丙;"], ["1", "二\n三", '"四"']]
    quoted = ("\r\n").join(
        between.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows
    )
    table = csv(quoted)
    assert table.columns == ("甲,；", "乙", "丙;")
    assert texts(table) == [("1", "二\n三", '"四"')]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    table = csv('# 导出于某日\n#,,\n\n甲,乙\n1,"二\n三"\n,\n\n4,5\n#6,7\n')
    assert table.columns == ("甲", "乙")
    assert [one.number for one in table.rows] == [5, 8, 9]
    assert texts(table)[2] == ("#6", "7")
    assert "2 个空行" in notes(table)["empty_rows"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('甲,乙\n1,2\n3,"四\n5,6\n', 3),
        ('甲,乙\n1,"二"三\n', 2),
        ('# 说明\n甲,乙\n"一\n二",3\n4,"五', 5),
        ('甲\n"' + "长" * 200_000, 2),
    ],
)
def test_unbalanced_quotes_are_refused_with_the_line(text: str, line: int) -> None:
    no = refused(text.encode(), filename="a.csv")
    assert no.code == "sheets.quotes"
    assert f"第 {line} 行" in no.sentence


def test_a_row_with_too_many_cells_is_at_fault_and_one_with_too_few_is_not() -> None:
    table = csv("甲,乙\n1\n1,2,3\n1,2,,\n")
    assert faults(table) == {3: [("extra_cell", "C")]}
    assert texts(table) == [("1", ""), ("1", "2"), ("1", "2")]


def test_a_row_that_never_ends_is_refused() -> None:
    no = refused(b"a,b\n" + b"," * 20_000, filename="a.csv")
    assert no.code == "sheets.too_many_columns"


def test_zeros_and_signs_stay_as_they_are_written() -> None:
    table = csv("甲,乙\n007,-5\n1.0,+86 27\nNUL\0,x\n")
    assert texts(table)[:2] == [("007", "-5"), ("1.0", "+86 27")]
    assert faults(csv("甲\n" + "x" * 5000 + "\0\n")) == {2: [("control_character", "甲")]}


# --- JSON -----------------------------------------------------------------------------------------
def jsons(value: object, **given: Any) -> Table:
    return read(json.dumps(value).encode(), filename="a.json", **given)


def test_objects_become_rows_and_their_values_text() -> None:
    table = jsons(
        [
            {"甲": " 文 ", "乙": 1, "丙": True, "丁": None},
            {},
            {"甲": 1.0, "乙": 0.1, "戊": ["一", "二"], "丙": False, "丁": 10**20},
            {"甲": 1e-7, "乙": "=1+1", "丙": "'=x"},
        ]
    )
    assert table.columns == ("甲", "乙", "丙", "丁", "戊")
    assert [(one.number, *one.cells.values()) for one in table.rows] == [
        (1, "文", "1", "是", "", ""),
        (3, "1", "0.1", "否", "1" + "0" * 20, "一；二"),
        (4, "0.0000001", "=1+1", "'=x", "", ""),
    ]
    assert (table.format, table.encoding) == ("json", "utf-8")
    assert notes(table).keys() == {"empty_rows"}


def test_an_object_with_one_list_is_a_table_too() -> None:
    assert texts(jsons({"count": 1, "rows": [{"甲": "1"}]})) == [("1",)]
    assert texts(read(b'{"rows": [{"a": "1"}]}', filename="upload")) == [("1",)]


@pytest.mark.parametrize(
    "value",
    [
        {}, {"甲": 1}, {"甲": [], "乙": []}, [1], [["甲"]], "甲", 5, None, [{"甲": 1}, None],
        [{"甲": {"乙": 1}}], [{"甲": [["乙"]]}], [{"甲": [1]}], [{"甲": ["a", None]}],
    ],
)  # fmt: skip
def test_json_of_another_shape_is_refused(value: object) -> None:
    no = refused(json.dumps(value).encode(), filename="a.json")
    assert no.code == "sheets.json_shape"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[", "json_broken"), ("[{'a':1}]", "json_broken"), ('[{"a":NaN}]', "json_broken"),
        ('[{"a":1e999}]', "json_broken"), ('[{"a":' + "9" * 5000 + "}]", "json_broken"),
        ("[" * 100_000, "json_shape"), ('[{"a":' * 9000 + "1" + "}]" * 9000, "json_shape"),
        ("[]", "no_header"), ("[{}]", "no_header"), ('[{"a":1,"a ":2}]', "same_header"),
        ("[" + "{}," * 4_000_001 + "{}]", "too_many_rows"),
        (json.dumps([{f"k{one}": 1} for one in range(501)]), "too_many_columns"),
    ],
)  # fmt: skip
def test_json_that_will_not_do_is_refused(text: str, code: str) -> None:
    assert refused(text.encode(), filename="a.json").code == f"sheets.{code}"


def test_objects_within_are_kept_where_the_caller_wants_them() -> None:
    value: list[dict[str, object]] = [
        {"名": "甲", "表": {"b": 1, "a": [1.0, None, "é"]}}, {"名": "乙", "表": ["一", "二"]},
        {"名": "丙", "表": "字"},
    ]  # fmt: skip
    table = jsons(value, json_columns=["表"])
    assert [one.cells["表"] for one in table.rows] == [
        '{"a":[1,null,"é"],"b":1}', '["一","二"]', "字",
    ]  # fmt: skip
    big = jsons([{"表": {"a": "长" * 100_000}}], json_columns=["表"])
    assert faults(big) == {}
    assert json.loads(big.rows[0].cells["表"]) == {"a": "长" * 100_000}
    no = refused(b'[{"a":{"b":99999999999999999999}}]', filename="a.json", json_columns=["a"])
    assert (no.code, no.field) == ("sheets.json_broken", "a")


def test_a_key_that_stands_twice_is_a_fault_of_its_row() -> None:
    text = '[{"甲":1,"乙":2},{"甲":1,"甲":2},{"乙":{"a":1,"b":[{"c":1,"c":1}]}}]'
    table = read(text.encode(), filename="a.json", json_columns=["乙"])
    assert faults(table) == {2: [("same_key", "甲")], 3: [("same_key", "乙")]}


def test_values_that_are_too_long_are_named() -> None:
    table = jsons([{"甲": "长" * 40_000}])
    assert faults(table) == {1: [("too_long", "甲")]}
    for wanted in ([], ["说明"]):
        no = refused(
            json.dumps([{"说明": "x" * (10 << 20) + "x"}]).encode(),
            filename="a.json",
            json_columns=wanted,
        )
        assert (no.code, no.field) == ("sheets.too_large", "说明")
    assert refused(b"[" + b" " * (64 << 20), filename="a.json").code == "sheets.too_large"


# --- dates ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05", "2026-1-5", "2026/1/5", "2026.01.05", "2026年1月5日", "2026 年 01 月 05 日",
        "20260105", "46027", " 2026-01-05 ", "２０２６－０１－０５", "2026-01-05 00:00:00",
        "2026-01-05T00:00:00", "2026/1/5 0:00",
    ],
)  # fmt: skip
def test_dates_are_read_as_people_write_them(text: str) -> None:
    assert parse_date(text) == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("05/01/2026", "unclear"), ("5-1-2026", "unclear"), ("26/1/5", "unclear"),
        ("05.01.26", "unclear"), ("2026-02-30", "not_real"), ("20261301", "not_real"),
        ("0000-01-01", "not_real"), ("2026-01/05", "unreadable"), ("2026", "unreadable"),
        ("2026-01", "unreadable"), ("2026-01-05 09:30:00", "unreadable"), ("", "unreadable"),
        ("明天", "unreadable"), ("460270", "unreadable"), ("09999", "unreadable"),
        ("２０２６", "unreadable"), ("٢٠٢٦-٠١-٠٥", "unreadable"), ("9" * 5000, "unreadable"),
    ],
)  # fmt: skip
def test_a_date_that_could_be_another_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_date(text)
    assert caught.value.code == f"sheets.date_{code}"
    assert code == "not_real" or "2026-01-05" in caught.value.sentence


@given(st.dates(min_value=date(1927, 6, 1), max_value=date(2173, 1, 1)))
def test_every_date_is_read_back(day: date) -> None:
    assert parse_date(day.isoformat()) == day
    assert parse_date(f"{day.year}年{day.month}月{day.day}日") == day
    assert parse_date(str((day - date(1899, 12, 30)).days)) == day


# --- writing --------------------------------------------------------------------------------------
COLUMNS = ("编码", "=名称", "#备注")
WRITERS: Mapping[str, Callable[[tuple[str, ...], list[Any]], bytes]] = {
    "a.xlsx": lambda columns, rows: sheets.write_xlsx(columns, rows, title="名册"),
    "a.csv": lambda columns, rows: b"".join(sheets.write_csv(columns, rows)),
    "a.json": lambda columns, rows: b"".join(sheets.write_json(columns, rows)),
}
each = pytest.mark.parametrize("filename", list(WRITERS))
letter = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff\u2028")
cell = st.text(
    st.one_of(st.sampled_from("'=+-@\t\r\n ,;\"#<&_x0041＝　"), letter), max_size=12
) | st.sampled_from(
    ["=1+1", "'=1", "''-", "\t=x", "_x000D_", "<r><t>a</t></r>", "#N/A", "007", "1e5", "\rx", "是"]
)


def as_read(cell: object) -> str:
    return "" if cell is None else sheets.clean(str(cell))


@each
@given(
    rows=st.lists(st.tuples(cell, cell | st.none(), cell | st.integers()), min_size=1, max_size=6)
)
@settings(max_examples=60)
def test_what_is_written_is_read_back(filename: str, rows: list[tuple[Any, ...]]) -> None:
    table = read(WRITERS[filename](COLUMNS, rows), filename=filename)
    assert table.columns == COLUMNS
    expected = [tuple(as_read(one) for one in row) for row in rows]
    # A tab in the middle is a control character: said to be one, and not let in.
    expected = [
        tuple(
            re.sub("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", one) for one in row
        )
        for row in expected
    ]
    found = texts(table)
    assert [one for one in found if any(one)] == [one for one in expected if any(one)]


@each
@needs_data
def test_naughty_strings_are_read_back(filename: str) -> None:
    naughty = json.loads((BAD / "blns" / "blns.json").read_text(encoding="utf-8"))
    rows = [(str(number), text, text) for number, text in enumerate(naughty)]
    table = read(WRITERS[filename](COLUMNS, rows), filename=filename)
    assert len(table.rows) == len(naughty)
    for one, text in zip(table.rows, naughty, strict=True):
        assert one.faults or one.cells["=名称"] == one.cells["#备注"] == sheets.clean(text)


@each
@needs_data
def test_rare_han_characters_are_read_back(filename: str) -> None:
    lines = (BAD / "han" / "tgh8105.txt").read_text(encoding="utf-8").splitlines()
    hard = json.loads((BAD / "han" / "tgh_hard.json").read_text(encoding="utf-8"))["astral"]
    rows = [(str(n), text, text) for n, text in enumerate([*hard, *(one[-1:] for one in lines)])]
    table = read(WRITERS[filename](COLUMNS, rows), filename=filename)
    assert texts(table) == rows
    assert faults(table) == {}


@needs_data
def test_rare_han_characters_are_read_in_gb18030() -> None:
    hard = json.loads((BAD / "han" / "tgh_hard.json").read_text(encoding="utf-8"))["astral"]
    assert texts(csv("\n".join(["字", *hard]), encoding="gb18030")) == [(one,) for one in hard]


DANGEROUS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "'=1", "＝1",
    "<r><t>a</t></r></is></c><c t='str'><f>1+1</f><v>2</v></c><c><is><r></r>",
]  # fmt: skip


def test_no_cell_becomes_a_formula_or_a_link() -> None:
    data = sheets.write_xlsx(
        ["=表头"], [[one] for one in [*DANGEROUS, "http://a.b"]], title="=1'[]:*?/\\" + "长" * 40
    )
    with zipfile.ZipFile(io.BytesIO(data)) as zip:
        sheet = zip.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet
        assert "_rels/sheet1.xml.rels" not in " ".join(zip.namelist())
    seen = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert all(str(one[0])[0] in "'<h" for one in seen)
    table = read(data, filename="a.xlsx")
    assert [one.cells["=表头"] for one in table.rows][:-1] == [
        sheets.clean(one) for one in DANGEROUS
    ]
    written = b"".join(sheets.write_csv(["=表头"], [[one] for one in DANGEROUS])).decode()
    for line in re.split(r"\r\n(?=')", written)[1:-1]:
        assert line.startswith(("'", "\"'"))


def test_an_xlsx_is_fit_to_work_with() -> None:
    data = sheets.write_xlsx(
        ["编码", "数", "说明"], [["007", 12, "长" * 100], ["1e5", -3, None], ["x", 10**16, True]],
        title="事项/名册",
    )  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(data)) as zip:
        sheet = zip.read("xl/worksheets/sheet1.xml").decode()
        styles = zip.read("xl/styles.xml").decode()
        assert 'name="事项 名册"' in zip.read("xl/workbook.xml").decode()
    assert '<autoFilter ref="A1:C4"/>' in sheet
    assert 'state="frozen"' in sheet
    assert "<b/>" in styles
    widths = [float(one) for one in re.findall(r'<col [^>]*width="([\d.]+)"', sheet)]
    assert widths[0] < widths[2] <= 62
    assert texts(read(data, filename="a.xlsx")) == [
        ("007", "12", "长" * 100), ("1e5", "-3", ""), ("x", "1" + "0" * 16, "是"),
    ]  # fmt: skip
    numbers = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert numbers[1][:2] == ["007", 12.0]


def test_several_tables_make_one_workbook_and_none_of_them_a_formula() -> None:
    data = sheets.write_book(
        [
            ("概况", ["指标", "数"], [["=1+1", 3], ["受理", None]]),
            ("各部门/全部", ["机关"], [["水务局"]]),
        ]
    )
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert book.sheet_names == ["概况", "各部门 全部"]
    assert book.get_sheet_by_index(0).to_python() == [["指标", "数"], ["'=1+1", 3.0], ["受理", ""]]
    assert book.get_sheet_by_index(1).to_python() == [["机关"], ["水务局"]]
    with pytest.raises(ValueError, match="titles"):
        sheets.write_book([("甲", ["a"], []), ("甲", ["a"], [])])


def test_an_export_can_go_to_a_place(tmp_path: Path) -> None:
    place = tmp_path / "名册.xlsx"
    rows = ((str(number), number) for number in range(3000))
    assert sheets.save_xlsx(["编码", "数"], rows, title="名册", to=place) == 3000
    assert len(read(place.read_bytes(), filename="名册.xlsx").rows) == 3000


def test_what_does_not_fit_is_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(Refusal) as caught:
        sheets.write_xlsx(["甲"], [["长" * 32_768]], title="名册")
    assert (caught.value.code, caught.value.field) == ("sheets.too_long", "甲")
    for write in WRITERS.values():
        with pytest.raises(ValueError, match=r"."):
            write(("甲", "乙"), [["1"]])
        for columns in ((), ("甲", "甲"), ("",)):
            with pytest.raises(ValueError, match="names"):
                write(columns, [])
    assert list(tmp_path.iterdir()) == []


def test_csv_opens_in_excel_and_comes_in_pieces() -> None:
    pieces = list(sheets.write_csv(["甲"], ([f"行{number}"] for number in range(20_000))))
    assert len(pieces) > 1
    assert pieces[0].startswith(b"\xef\xbb\xbf")
    assert b"".join(pieces).count(b"\r\n") == 20_001
    assert b"\xef\xbb\xbf" not in b"".join(pieces)[3:]


def test_json_comes_in_pieces_and_is_not_neutralised() -> None:
    pieces = list(sheets.write_json(["甲", "乙"], ([f"={n}", n] for n in range(1000))))
    assert len(pieces) > 1
    assert json.loads(b"".join(pieces))[1] == {"甲": "=1", "乙": 1}
    assert json.loads(b"".join(sheets.write_json(["甲"], []))) == []


def test_columns_have_the_names_of_a_spreadsheet() -> None:
    assert [letters(one) for one in (0, 25, 26, 701, 702, 16_383)] == [
        "A", "Z", "AA", "ZZ", "AAA", "XFD",
    ]  # fmt: skip
