"""Reading a table (读取表格): what kind of file it is, told by its content, and who reads it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection

from zhengwu.documents.sheets import delimited, objects, workbook
from zhengwu.documents.sheets.table import Note, Table, excerpt, refusal
from zhengwu.domain.refusal import Refusal

MOST_MB = 64
CERTAIN = 20  # letters beyond ASCII after which a text is surely meant as UTF-8
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
OTHERS = (
    (b"%PDF-", "PDF 文件"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"GIF8", "图片"),
    (b"Rar!", "压缩包"),
    (b"7z\xbc\xaf", "压缩包"),
    (b"\x1f\x8b", "压缩包"),
    (b"{\\rtf", "文字处理文档"),
)
MARKUP = re.compile(r"<(!|\?xml|html|head|meta|body|style|table)", re.I)
LABELS = re.compile(r"utf[-_]?8|utf[-_]?16|gb[-_]?2312|gb[-_]?18030|gbk|big5|latin[-_]?1", re.I)
NAMES = {"utf-8": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030"}


def read(
    data: bytes,
    *,
    filename: str,
    sheet: str | None = None,
    claimed: str | None = None,
    json_columns: Collection[str] = (),
) -> Table:
    """The table in a file (读取). Raises Refusal (`sheets.*`) for a file that is no good as a whole.

    sheet: of an XLSX, the sheet to read; otherwise the first visible one that has a header.
    claimed: the code page the sender named; it is not believed, and the table's notes say what the
    text was read as. json_columns: columns that may hold objects in a JSON file; they come out as
    canonical JSON (RFC 8785), up to 10 MB each.
    """
    name = filename.lower()
    if not data.strip(b"\0 \t\r\n"):
        raise refusal("empty", "这个文件是空的。请检查原文件，重新选择后上传。")
    if len(data) > MOST_MB << 20:
        raise refusal("too_large", f"文件超过 {MOST_MB} MB。请分成几个文件导入。")
    if name.endswith((".xlsm", ".xltm", ".xlam")):
        raise workbook.macros()
    if data.startswith(OLE):
        if ENCRYPTED in data:
            raise refusal(
                "encrypted", "这个表格加了密码，打不开。请去掉密码，另存为 .xlsx 再导入。"
            )
        raise refusal(
            "old_format",
            "这是旧版的 Office 文件（如 .xls），不能导入。请用表格软件打开，另存为 .xlsx 再导入。",
        )
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return workbook.read(data, sheet=sheet)
    for magic, what in OTHERS:
        if data.startswith(magic):
            raise _no_sheet(f"这是{what}，不是表格")
    text, encoding = _decoded(data)
    begin = text[:1000].lstrip()
    if MARKUP.match(begin):
        raise _no_sheet("这个文件的内容是网页或 XML，不是表格（哪怕扩展名像）")
    if name.endswith((".xlsx", ".xls", ".et", ".ods")):
        raise _no_sheet("这个文件的扩展名是表格，内容却不是")
    notes = _notes(encoding, filename, claimed)
    if name.endswith(".json") or (
        not name.endswith((".csv", ".tsv", ".txt")) and begin.startswith(("[", "{"))
    ):
        return objects.read(text, encoding=encoding, notes=notes, json_columns=json_columns)
    return delimited.read(text, encoding=encoding, notes=notes)


def _decoded(data: bytes) -> tuple[str, str]:
    """The text, and "utf-8", "utf-16" or "gb18030". Nothing is ever replaced."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), "utf-16"
        except UnicodeDecodeError as problem:
            raise _undecodable("UTF-16", problem.start) from problem
    begin = data[:4096]
    if begin.count(0) * 20 > len(begin):  # here and there one is the fault of a cell
        raise _no_sheet("这个文件的内容不是文字，也不是 .xlsx 表格")
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as problem:
        # The codec counts from behind the mark of order.
        start = problem.start + (3 if data.startswith(codecs.BOM_UTF8) else 0)
    # One damaged byte in a UTF-8 text would make the whole of it other Chinese in GB 18030.
    before = data[:start].decode("utf-8", "ignore")
    if data.startswith(codecs.BOM_UTF8) or sum(letter > "\x7f" for letter in before) >= CERTAIN:
        raise _undecodable("UTF-8", start)
    try:
        return data.decode("gb18030"), "gb18030"
    except UnicodeDecodeError as problem:
        raise _undecodable("UTF-8 或 GB18030", max(start, problem.start)) from problem


def _notes(encoding: str, filename: str, claimed: str | None) -> tuple[Note, ...]:
    read_as = NAMES[encoding]
    labels = [claimed] if claimed else []
    labels += LABELS.findall(filename)
    for label in labels:
        if _family(label) != encoding:
            return (
                Note(
                    "sheets.read_as",
                    f"文件标明的编码是“{excerpt(label)}”，实际按 {read_as} 读取。",
                ),
            )
    if encoding == "utf-8":
        return ()
    return (Note("sheets.read_as", f"文件按 {read_as} 编码读取。"),)


def _family(label: str) -> str:
    bare = re.sub(r"[-_ ]", "", label.lower())
    if bare in ("gb2312", "gbk", "gb18030", "cp936", "ansi"):
        return "gb18030"
    return {"utf8": "utf-8", "utf8sig": "utf-8", "utf16": "utf-16"}.get(bare, bare)


def _no_sheet(what: str) -> Refusal:
    return refusal("not_a_sheet", f"{what}。请用表格软件另存为 .xlsx（或 UTF-8 的 CSV）再导入。")


def _undecodable(what: str, offset: int) -> Refusal:
    return refusal(
        "undecodable",
        f"文件不是完好的 {what} 文字：第 {offset} 个字节（从 0 数起）读不出来。"
        "请用表格软件打开原文件，另存为 .xlsx 或 UTF-8 的 CSV 再导入。",
    )
