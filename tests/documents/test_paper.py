"""Documents on paper: right words, nothing becomes markup, every standard character prints."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pypdf
import pytest
from django.test import override_settings

from tests.documents import samples
from tests.documents.samples import AT, facts, paper, printed, text_of
from zhengwu.documents import check_code, masking, remedies, render, wording
from zhengwu.documents.kinds import Kind
from zhengwu.domain.refusal import Refusal

DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
HOSTILE = "李#panic()[*梅*]$x$<a>\\u{41}=_`//"
EVERY = pytest.mark.parametrize("kind", list(Kind))
# One kind of each template and of each place where long texts stand.
PLACES = pytest.mark.parametrize(
    "kind", [Kind.DECISION, Kind.SUPPLEMENT_NOTICE, Kind.DELIVERY_RECORD, Kind.CORRECTION]
)
# Issued papers point to these: what is printed again must look as it did.
RELEASED = {
    "acceptance_notice@1": "2b9886eee65612e3",
    "base@1": "3f4680439b35ef29",
    "decision@1": "286600a98e112ec3",
    "marked@1": "88d1a99a4973b954",
    "paper@1": "9c858faa5bf781e9",
    "record@1": "a8443739d5094e97",
}
pytestmark = pytest.mark.skipif(
    not list(render.FONTS.glob("*.ttf")), reason="the set-up has not brought the fonts"
)


def decided(name: str = "李梅", *, outcome: str = "refused", reasons: str = "水源不足。") -> Any:
    return wording.decision(facts(name), issued=AT, outcome=outcome, reasons=reasons)


@EVERY
def test_the_same_data_print_the_same_bytes(kind: Kind) -> None:
    assert printed(paper(kind)) == printed(paper(kind))


@EVERY
def test_each_kind_prints_its_title_number_code_and_plain_words(kind: Kind) -> None:
    data = paper(kind)
    text = text_of(printed(data))
    for words in (data["title"], samples.number(kind), samples.CHECK, *data["plain"]):
        assert "".join(words.split()) in text
    assert "演示专用章" in text or "演示样张" in text


@EVERY
def test_each_kind_of_an_ordinary_case_is_one_page(kind: Kind) -> None:
    assert len(pypdf.PdfReader(io.BytesIO(printed(paper(kind)))).pages) == 1


@EVERY
def test_each_kind_is_tagged_pdf_a(kind: Kind) -> None:
    pdf = printed(paper(kind))
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert str(root["/Lang"]).startswith("zh")
    assert "/StructTreeRoot" in root
    meta = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in meta
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in meta
    tags = list(structure(root["/StructTreeRoot"]))
    assert "/H1" in [tag for tag, _ in tags]
    assert any("验真二维码" in alt for tag, alt in tags if tag == "/Figure")
    assert ("/Table" in [tag for tag, _ in tags]) == (paper(kind)["table"] is not None)


def structure(node: Any) -> Iterator[tuple[str, str]]:
    """Every (tag, alternative text) of a structure tree."""
    node = node.get_object()
    if isinstance(node, list):
        for one in node:
            yield from structure(one)
    elif isinstance(node, dict):
        if "/S" in node:
            yield str(node["/S"]), str(node.get("/Alt", ""))
        if "/K" in node:
            yield from structure(node["/K"])


@EVERY
def test_markup_is_printed_and_not_obeyed(kind: Kind) -> None:
    data = paper(kind, facts(HOSTILE), HOSTILE)
    assert text_of(printed(data)).count(HOSTILE) >= 1


@PLACES
def test_every_standard_character_prints(kind: Kind) -> None:
    listing = DATA / "bad-inputs/han/tgh8105.txt"
    if not listing.exists():
        pytest.skip(f"{listing} is not there")
    chars = [line.split("\t")[2] for line in listing.read_text("utf-8").splitlines() if line]
    shown = set(text_of(printed(paper(kind, text="".join(chars)))))
    assert [char for char in chars if char not in shown] == []


def test_names_of_rare_letters_print_in_every_kind() -> None:
    name = "𬉼𠳐𥻗龘䶮㛃"
    missing = [
        kind for kind in Kind if name not in text_of(printed(paper(kind, facts(name), name)))
    ]
    assert missing == []


def test_no_released_template_was_edited() -> None:
    digests = {
        file.stem: sha256(file.read_bytes()).hexdigest()[:16]
        for file in render.TEMPLATES.glob("*.typ")
    }
    assert digests == RELEASED  # a change is the next version: a new file and a new row


def test_the_first_templates_still_print_what_they_printed() -> None:
    old = decided() | {"materials": [{"name": "申请书", "form": "原件", "copies": 1}]}
    for template in ("decision@1", "acceptance_notice@1"):
        text = text_of(printed(old, template=template))
        assert "不予行政许可决定书" in text
        assert "演示专用章" in text


@pytest.mark.parametrize("template", ["decision@1", "paper@1"])
def test_a_copy_says_which_and_when(template: str) -> None:
    original = printed(decided(), template=template)
    assert "副本" not in text_of(original)
    assert printed(decided(), template=template, copy=1, copied=AT) == original
    assert "第2份副本2026年9月21日打印" in text_of(
        printed(decided(), template=template, copy=2, copied=AT)
    )


def test_a_void_paper_says_so_and_what_stands_instead() -> None:
    text = text_of(printed(decided(), void="2026 年 9 月 30 日作废，以江水许更字〔2026〕第1号为准"))
    assert "作废，以江水许更字〔2026〕第1号为准" in text


def test_a_correction_marks_what_it_replaces() -> None:
    text = text_of(printed(paper(Kind.CORRECTION)))
    assert (
        "本件更正并替代2026年9月21日的《不予行政许可决定书》（江水许决字〔2026〕第00017号）" in text
    )
    assert "“控制指标”改为“控制总量”" in text


def test_a_corrected_form_keeps_its_lines_to_sign_on() -> None:
    form = wording.correction(
        paper(Kind.DELIVERY_RECORD),
        issued=AT,
        of="江水许送字〔2026〕第00017号",
        title_of="送达回证",
        changes=[("EA123456789CN", "EA123456780CN")],
        reasons="",
    )
    text = text_of(printed(form))
    assert "本件更正并替代" in text
    assert "EA123456780CN" in text
    assert "送达人签名" in text
    assert "更正的原因" not in text


@override_settings(SEAL="")
def test_without_a_seal_the_paper_says_so_and_draws_none() -> None:
    text = text_of(printed(decided()))
    assert "电子件未加盖电子印章" in text
    assert "演示" not in text


def test_a_refusal_without_reasons_is_refused() -> None:
    with pytest.raises(Refusal, match=r"documents\.reasons_missing"):
        decided(reasons=" ")


@pytest.mark.parametrize("bad", ["李\x00梅", "李\x1b梅", "李\ud800梅"])
def test_a_control_character_is_refused(bad: str) -> None:
    with pytest.raises(Refusal, match=r"documents\.control_character"):
        decided(bad)


def test_the_time_to_sue_follows_the_law_of_the_day() -> None:
    assert "三个月" in remedies.sentence(date(2015, 4, 30), organ="市人民政府")
    assert "六个月" in remedies.sentence(date(2015, 5, 1), organ="市人民政府")


def test_a_check_code_is_read_however_it_is_typed() -> None:
    code = check_code.make()
    assert check_code.read(f" {code.lower().replace('-', ' ')} ") == code
    assert check_code.read("8F3K-2Q7O") is None


def test_names_are_masked() -> None:
    assert masking.person("李小梅") == "李*梅"
    assert masking.person("李梅") == "李*"
    assert masking.organisation("江城味道餐饮管理有限公司") == "江城**公司"
