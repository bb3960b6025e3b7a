"""Forms: what is let in, how the public finds and downloads it."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.desk import walk
from tests.portal import listing
from zhengwu.catalog import forms
from zhengwu.domain.refusal import Refusal

PDF = b"%PDF-1.7\nsome objects\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 30 + b"\xff\xd9"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500
SHEET = '<Types><Override ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
RELATION = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}"'
    ' Target="https://elsewhere.example/x"{}/></Relationships>'
)
EXTERNAL = ' TargetMode="External"'


def zipped(**parts: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def keep(data: bytes, name: str = "申请书") -> str:
    return forms.keep(data, name, by="p-water-clerk", at=listing.AT)


def code_of(data: bytes) -> str:
    with pytest.raises(Refusal) as refused:
        forms.checked(data)
    assert refused.value.field == "file"
    assert refused.value.sentence.endswith(("。", "传。"))
    return refused.value.code


# --- taking in ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PDF, "pdf"), (PNG, "png"), (JPEG, "jpg"), (listing.docx(), "docx"),
        (zipped(**{"[Content_Types].xml": SHEET, "xl/workbook.xml": "<w/>"}), "xlsx"),
        (zipped(**{"OFD.xml": "<ofd/>", "Doc_0/Document.xml": "<d/>"}), "ofd"),
        (listing.docx(word___rels__document_xml_rels=RELATION.format("hyperlink", EXTERNAL)), "docx"),
    ],
)  # fmt: skip
def test_what_everybody_can_open_is_let_in_by_its_content(data: bytes, kind: str) -> None:
    assert forms.checked(data) == kind


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "form.empty"),
        (b"x" * (10 * 1024 * 1024 + 1), "form.too_large"),
        (b"hello", "form.kind"),
        (b"MZ" + b"\0" * 100, "form.kind"),
        (b"<html><script>", "form.kind"),
        (PDF[:-7], "form.broken"),
        (PNG[:20], "form.broken"),
        (JPEG[:20], "form.broken"),
        (OLE, "form.old_office"),
        (listing.docx()[:-40], "form.broken"),
        (zipped(**{"readme.txt": "x"}), "form.kind"),
        (zipped(**{"[Content_Types].xml": "<Types/>"}), "form.kind"),
        (listing.docx(word__vbaProject_bin=b"x"), "form.macro"),
        (listing.docx(word__activeX__activeX1_xml=b"x"), "form.macro"),
        (zipped(**{"[Content_Types].xml": SHEET.replace("sheet.main", "sheet.macroEnabled.main")}),
         "form.macro"),
        (listing.docx(word__embeddings__oleObject1_bin=b"x"), "form.embedded"),
        *(
            (listing.docx(word___rels__document_xml_rels=RELATION.format(type_, EXTERNAL)), "form.external")
            for type_ in ("oleObject", "attachedTemplate", "image", "frame")
        ),
        (listing.docx(word___rels__document_xml_rels="<not xml"), "form.broken"),
        (listing.docx(word___rels__document_xml_rels='<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'),
         "form.broken"),
        (listing.docx(word__media__a_xml=b"\0" * 5_000_000), "form.bomb"),
        (zipped(**{"OFD.xml": "x", **{f"p{n}": "" for n in range(2_001)}}), "form.too_many_parts"),
        (zipped(**{"OFD.xml": "x", "../../etc/passwd": "x"}), "form.broken"),
    ],
)  # fmt: skip
def test_what_could_do_harm_is_refused_with_the_reason(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_locked_zip_is_refused() -> None:
    data = bytearray(listing.docx())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = data.find(mark)
        while at >= 0:
            data[at + (6 if mark == b"PK\x03\x04" else 8)] |= 1
            at = data.find(mark, at + 1)
    assert code_of(bytes(data)) == "form.locked"


def test_a_zip_that_lies_about_what_is_in_it_is_refused() -> None:
    data = bytearray(listing.docx("申请书" * 50))
    data[data.find(b"word/document.xml") + 40] ^= 0xFF  # a byte of the packed text
    assert code_of(bytes(data)) == "form.broken"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("申请书.doc", "申请书.docx"), ("C:\\桌面\\申请书.docx", "申请书.docx"), ("../../x", "x.docx"),
        ("a\u202ecod.exe", "acod.exe.docx"), ("  \n ", "表格.docx"), ('<b>"申"*?', "b申.docx"),
        ("100%#合格", "100合格.docx"), ("长" * 300, "长" * 115 + ".docx"), ("e\u0301t\u00e9", "été.docx"),
    ],
)  # fmt: skip
def test_nothing_in_a_name_is_believed(given: str, kept: str) -> None:
    assert forms.clean_name(given, "docx") == kept


def test_the_same_bytes_are_the_same_form(town: None) -> None:
    data = listing.docx()
    first = keep(data, "申请书.docx")
    assert first == hashlib.sha256(data).hexdigest() == keep(data, "别的名字.docx")
    assert forms.found([first, "", "f" * 64]) == {
        first: forms.FormRow(first, "申请书.docx", forms.MEDIA["docx"], len(data), False)
    }


# --- the public's side ----------------------------------------------------------------------------


@pytest.fixture
def anyone(town: None) -> Client:
    return walk.public()


@pytest.fixture
def digests(anyone: Client) -> tuple[str, str]:
    """A blank and a sample form, on two items of the water bureau."""
    blank = keep(listing.docx("空白"), "取水申请书（空白）.docx")
    sample = keep(PDF, "取水申请书样表.pdf")
    material = {
        "code": "01", "name": "取水的申请书", "need": "required", "basis": "某法 第一条",
        "blank": blank, "sample": sample,
    }  # fmt: skip
    listing.publish("XK9001", listing.own(name="地下水取用许可", materials=[material]))
    only_blank = {key: value for key, value in material.items() if key != "sample"}
    listing.publish("XK9002", listing.own(name="河道取水点许可", materials=[only_blank]))
    return blank, sample


def test_all_forms_of_items_in_force_are_listed_with_their_items(
    anyone: Client, digests: tuple[str, str]
) -> None:
    page = walk.text(anyone.get("/forms"))
    assert "取水申请书（空白）.docx" in page
    assert "取水申请书样表.pdf" in page
    assert '共 <span class="num">2</span> 份' in page
    blank = page[page.index("取水申请书（空白）.docx</a>") :]
    for word in ("空白表格", "Word 文档", "地下水取用许可", "河道取水点许可"):
        assert word in blank
    assert 'href="/items/XK9001"' in page


@pytest.mark.parametrize(
    ("q", "many"),
    [
        ("申请书", 2),
        ("样表", 1),
        ("河道", 1),
        ("地下水 样表", 1),
        ("没有的表", 0),
        ("'%_", 0),
        ("，", 0),
    ],
)
def test_forms_are_found_by_their_name_material_or_item(
    anyone: Client, digests: tuple[str, str], q: str, many: int
) -> None:
    page = walk.text(anyone.get("/forms", {"q": q}))
    assert len(re.findall(r'<td><a href="/forms/', page)) == many
    assert ("没有找到" in page) == (many == 0)


def test_a_guide_links_its_forms(anyone: Client, digests: tuple[str, str]) -> None:
    page = walk.text(anyone.get("/items/XK9001"))
    for digest, label in zip(digests, ("空白表格", "样表"), strict=True):
        assert re.search(rf'<a href="/forms/{digest}/[^"]+" download>{label}', page)
    assert "全部表格" in page


def test_what_an_item_no_longer_asks_for_leaves_the_list(
    anyone: Client, digests: tuple[str, str]
) -> None:
    for code in ("XK9001", "XK9002"):
        listing.revise(code, {"materials": []})
    assert "还没有可以下载的表格" in walk.text(anyone.get("/forms"))
    # Who has the address of an earlier version's form still gets it.
    assert anyone.get(f"/forms/{digests[1]}/取水申请书样表.pdf").status_code == 200


def test_a_form_is_saved_and_never_opened_by_the_browser(
    anyone: Client, digests: tuple[str, str]
) -> None:
    response = anyone.get(f"/forms/{digests[0]}/取水申请书（空白）.docx")
    assert response.content == listing.docx("空白")
    assert response["Content-Type"] == forms.MEDIA["docx"]
    assert response["Content-Disposition"].startswith('attachment; filename="form.docx"')
    assert "filename*=UTF-8''%E5%8F%96" in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in response["Cache-Control"]
    assert "sandbox" in response["Content-Security-Policy"]
    again = anyone.get(response.wsgi_request.path, headers={"if-none-match": response["ETag"]})
    assert again.status_code == 304
    assert "immutable" in again["Cache-Control"]


def test_another_name_leads_to_the_right_one_and_a_made_up_digest_to_nothing(
    anyone: Client, digests: tuple[str, str]
) -> None:
    moved: Any = anyone.get(f"/forms/{digests[1]}/virus.exe")
    assert moved.status_code == 302
    assert moved["Location"].startswith(f"/forms/{digests[1]}/%E5%8F%96")
    for made_up in ("f" * 64, "x", "..", "%00"):
        assert anyone.get(f"/forms/{made_up}/a.pdf").status_code == 404


def test_the_list_of_forms_asks_the_database_once(anyone: Client, digests: tuple[str, str]) -> None:
    anyone.get("/forms")
    with CaptureQueriesContext(connection) as asked:
        anyone.get("/forms", {"q": "取水"})
    assert len(asked) <= 1
