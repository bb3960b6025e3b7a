"""A list is looked at on the desk, then becomes drafts in one batch; the list goes out as a file."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.cases.people import actor
from tests.desk.walk import Answer, sign_in, text
from zhengwu.catalog import changes
from zhengwu.desk.exchange_lists import forms, kept, views
from zhengwu.documents import sheets

pytestmark = pytest.mark.usefixtures("shop")
PAGE = "/desk/catalogue/import"
WATER, MARKET = "江城市水务局", "江城市市场监督管理局"
ROW = {
    "事项名称": "节水载体认定", "实施机关": WATER, "事项类型": "行政确认", "办件类型": "承诺件",
    "设定依据": "节约用水条例 第三十条", "承诺办结时限": "10 个工作日",
}  # fmt: skip


@pytest.fixture
def centre() -> Client:
    return sign_in("p-centre_manager")


def table(*rows: Mapping[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(column for row in rows for column in row)))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def send(client: Client, data: bytes, filename: str = "清单.csv", **more: str) -> Any:
    file = SimpleUploadedFile(filename, data)
    return client.post(PAGE, {"file": file, "level": "implementation", "region": ""} | more)


def sent(client: Client, *rows: Mapping[str, str]) -> str:
    """Where the report stands."""
    answer = send(client, table(*rows))
    assert answer.status_code == 302, text(answer)
    return str(answer["Location"])


def drafted(client: Client, where: str) -> str:
    answer = client.post(where, follow=True)
    assert answer.status_code == 200
    return text(answer)


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_list_is_looked_at_before_anything_is_written(centre: Client) -> None:
    bad = ROW | {"事项名称": "另一项", "实施机关": "市海洋局"}
    where = sent(centre, ROW, bad, {"事项名称": "节水宣传", "实施机关": WATER})
    page = text(centre.get(where))
    assert "还没有导入，什么都没有改变" in page
    assert "没有名为“市海洋局”的部门" in page
    assert "事项没有设定依据" in page
    assert "存为草案（2 项）" in page
    assert changes.listed(actor("p-centre_manager")).total == 0


def test_what_was_looked_at_becomes_drafts_in_one_batch_once(centre: Client) -> None:
    where = sent(centre, ROW, ROW | {"事项名称": "节水企业认定"})
    page = drafted(centre, where)
    assert "已存为草案 2 项" in page
    link = re.search(r'href="(/desk/changes\?batch=[^"]+)"', page)
    assert link
    assert text(centre.get(link[1])).count("认定") >= 2
    batch = changes.listed(actor("p-centre_manager")).rows[0].batch
    assert changes.listed(actor("p-centre_manager"), batch=batch).total == 2
    drafted(centre, where)  # pressed twice
    assert changes.listed(actor("p-centre_manager")).total == 2
    again = text(centre.get(sent(centre, ROW, ROW | {"事项名称": "节水企业认定"})))
    assert "0 行会存为草案，2 行和现在一样" in again
    assert "存为草案（" not in again


def test_the_report_is_paged_filtered_and_downloaded(
    centre: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PAGE", 3)
    rows = [ROW | {"事项名称": f"第{n}类载体"} for n in range(4)]
    rows += [ROW | {"事项名称": "=1+1", "实施机关": "市海洋局"}]
    where = sent(centre, *rows)
    first, second = text(centre.get(where)), text(centre.get(f"{where}?page=2"))
    assert "第2类载体" in first
    assert "第3类载体" not in first
    assert "第3类载体" in second
    refused = text(centre.get(f"{where}?outcome=refused"))
    assert "市海洋局" in refused
    assert "第1类载体" not in refused
    assert centre.get(f"{where}?outcome=%00&page=x").status_code == 200
    answer = centre.get(f"{where}.xlsx")
    back = sheets.read(answer.content, filename="报告.xlsx")
    assert [row.cells["结果"] for row in back.rows] == ["存为草案"] * 4 + ["没有导入"]
    assert back.rows[4].cells["事项"] == "=1+1"
    assert back.rows[4].cells["规则"] == "item.department"


def test_a_department_drafts_only_what_it_may() -> None:
    head = sign_in("p-water-head")
    page = text(head.get(sent(head, ROW, ROW | {"实施机关": MARKET})))
    assert "存为草案（1 项）" in page
    assert "只能起草本机关的事项" in page


def test_a_list_is_shown_to_nobody_but_whoever_sent_it(centre: Client) -> None:
    where = sent(centre, ROW)
    other = sign_in("p-centre_manager2")
    for address in (where, f"{where}.xlsx", f"{PAGE}/{uuid4()}"):
        assert other.get(address).status_code == 404
    assert other.post(where).status_code == 404
    assert sign_in("p-water-clerk").get(where).status_code == 403
    assert changes.listed(actor("p-centre_manager")).total == 0


@pytest.mark.parametrize(
    ("data", "filename", "sentence"),
    [
        (b"", "a.csv", "这个文件是空的"),
        (table({"事项名称": "甲"}), "a.csv", "文件缺少这些列：实施机关"),
        (b"%PDF-1.7 ...", "a.xlsx", "这是PDF 文件，不是表格"),
        (table(ROW), "a.xlsm", "带有宏"),
        ("事项名称,实施机关\n".encode(), "a.csv", "只有表头，没有事项"),
        (b"PK\x03\x04broken", "a.zip", "坏的或者不完整"),
    ],
)
def test_a_file_that_is_no_good_is_refused_at_its_field(
    data: bytes, filename: str, sentence: str, centre: Client
) -> None:
    answer = send(centre, data, filename)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert 'href="#id_file"' in text(answer)


def test_a_file_too_large_or_with_too_many_rows_is_refused_in_words(
    centre: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "MOST_MB", 0)
    assert "请分成几个文件" in text(send(centre, table(ROW)))
    monkeypatch.undo()
    monkeypatch.setattr(views, "MOST_ROWS", 1)
    answer = send(centre, table(ROW, ROW | {"事项名称": "乙"}))
    assert answer.status_code == 422
    assert "文件有 2 行，这里一次最多 1 行" in text(answer)
    assert "请选择清单文件。" in text(centre.post(PAGE, {"level": "city"}))
    assert "请从列表里选择" in text(send(centre, table(ROW), region="999999", level="x"))


def test_a_row_is_of_the_region_and_list_that_the_form_says(centre: Client) -> None:
    data = table({"事项名称": "取水检查", "实施机关": "区水务局", "设定依据": "水法"})
    where = str(send(centre, data, region="420102")["Location"])
    drafted(centre, where)
    (change,) = changes.listed(actor("p-centre_manager")).rows
    assert (change.agency, change.region) == ("420102-water", "420102")
    where = str(send(centre, table(ROW), level="city")["Location"])
    drafted(centre, where)
    assert changes.listed(actor("p-centre_manager")).rows[0].level == "city"


def test_what_is_sent_lies_here_for_a_day_and_for_nobody_else(centre: Client) -> None:
    folder = Path(settings.FILES) / "lists"
    shutil.rmtree(folder, ignore_errors=True)
    where = sent(centre, ROW)
    old, _ = folder.iterdir()
    assert {oct(one.stat().st_mode & 0o777) for one in folder.iterdir()} == {"0o600"}
    long_ago = old.stat().st_mtime - kept.KEPT.total_seconds() - 60
    for one in folder.iterdir():
        os.utime(one, (long_ago, long_ago))
    sent(centre, ROW | {"事项名称": "乙"})
    assert centre.get(where).status_code == 404
    assert len(list(folder.iterdir())) == 2
    assert timedelta(days=1) == kept.KEPT


# --- out --------------------------------------------------------------------------------------------


def out(client: Client, **asked: str) -> Answer:
    answer = client.get("/desk/catalogue/download", asked)
    assert answer.status_code == 200, answer
    return answer


def test_the_list_goes_out_in_every_form(centre: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(content(out(centre, format="csv")).decode("utf-8-sig"))))
    assert {row["编码"] for row in rows} == {"XK0031", "QT0002"}
    told = json.loads(content(out(centre, format="json", region="420100")))
    assert {row["事项名称"] for row in told} == {"取水许可", "节水型单位备案"}
    book = sheets.read(content(out(centre, format="xlsx")), filename="a.xlsx")
    assert len(book.rows) == 2
    assert json.loads(content(out(centre, format="json", level="city"))) == []
    pack = zipfile.ZipFile(io.BytesIO(content(out(centre, format="national"))))
    assert "up_task_general_basic.csv" in pack.namelist()
    for wrong in ({"format": "doc"}, {"level": "x"}, {"region": "\x00"}):
        assert centre.get("/desk/catalogue/download", wrong).status_code == 404


def test_what_went_out_comes_in_unchanged(centre: Client) -> None:
    data = content(out(centre, format="xlsx", all="1"))
    page = text(centre.get(str(send(centre, data, "清单.xlsx")["Location"])))
    assert "0 行会存为草案，2 行和现在一样，0 行不能导入" in page
    pack = content(out(centre, format="national"))
    page = text(centre.get(str(send(centre, pack, "清单.zip")["Location"])))
    assert "0 行会存为草案，2 行和现在一样，0 行不能导入" in page


def test_a_workbook_of_too_many_rows_is_refused_in_words(
    centre: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST_ROWS", 1)
    answer = centre.get("/desk/catalogue/download?format=xlsx")
    assert answer.status_code == 422
    assert "XLSX 一次最多 1 行" in text(answer)


def test_the_page_offers_both_ways(centre: Client) -> None:
    page = text(centre.get(PAGE))
    assert "核对这份清单" in page
    assert "导出国家平台交换表" in page
    assert sign_in("p-water-clerk").get(PAGE).status_code == 403
