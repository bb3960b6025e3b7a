"""Documents on paper: right words, nothing becomes markup, every standard character prints."""

from __future__ import annotations

import io
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest

from zhengwu.documents import check_code, masking, remedies, render, wording
from zhengwu.domain.refusal import Refusal

AT = datetime(2026, 9, 21, 2, 20, tzinfo=UTC)
DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
needs_fonts = pytest.mark.skipif(
    not list(render.FONTS.glob("*.ttf")), reason="the set-up has not brought the fonts"
)


def decided(name: str = "李梅", *, outcome: str = "refused", reasons: str = "水源不足。") -> Any:
    return wording.decision(
        agency_name="江城市水务局",
        case="C-1",
        item="取水许可",
        item_code="x",
        item_type="行政许可",
        basis="",
        applicant={"kind": "person", "name": name},
        accepted=AT,
        issued=AT,
        outcome=outcome,
        reasons=reasons,
    )


def printed(data: Any) -> bytes:
    return render.pdf(
        "decision@1",
        data,
        number="江水许决字〔2026〕第00017号",
        check="8F3K-2Q7M",
        address="http://localhost:8000/check/8F3K-2Q7M",
        issued=AT,
    )


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return "".join("".join(page.extract_text() for page in pages).split())


@needs_fonts
def test_the_same_data_print_the_same_bytes() -> None:
    assert printed(decided()) == printed(decided())


@needs_fonts
def test_markup_in_a_name_is_printed_and_not_obeyed() -> None:
    name = "李#panic()[*梅*]$x$<a>\\u{41}"
    assert name in text_of(printed(decided(name)))


@needs_fonts
def test_every_standard_character_prints() -> None:
    listing = DATA / "bad-inputs/han/tgh8105.txt"
    if not listing.exists():
        pytest.skip(f"{listing} is not there")
    chars = [line.split("\t")[2] for line in listing.read_text("utf-8").splitlines() if line]
    shown = set(text_of(printed(decided(reasons="".join(chars)))))
    assert [char for char in chars if char not in shown] == []


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
