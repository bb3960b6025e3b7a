"""The seal: over the whole file, broken by one changed byte, with a key made once and kept shut."""

from __future__ import annotations

import io
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from django.test import override_settings
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from tests.documents.samples import AT, number, paper, printed
from zhengwu.config import settings as house
from zhengwu.documents import render, seal
from zhengwu.documents.kinds import Kind

pytestmark = pytest.mark.skipif(
    not list(render.FONTS.glob("*.ttf")), reason="the set-up has not brought the fonts"
)


def of(kind: Kind) -> seal.Paper:
    return seal.paper_of(paper(kind), agency="water", number=number(kind), issued=AT)


def sealed(kind: Kind = Kind.DECISION) -> bytes:
    return seal.sealed(printed(paper(kind)), of(kind))


def checked(pdf: bytes) -> tuple[PdfSignatureStatus, Any]:
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    context = ValidationContext(trust_roots=[signature.signer_cert], allow_fetching=False)
    return validate_pdf_signature(signature, context), signature.sig_object


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_sealed_over_the_whole_file(kind: Kind) -> None:
    status, said = checked(sealed(kind))
    assert status.bottom_line
    assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    assert status.signer_reported_dt == AT
    assert said["/Reason"] == f"制发《{paper(kind)['title']}》{number(kind)}"
    assert said["/Name"] == said["/Location"] == "江城市水务局"
    assert "027-8888 1234" in said["/ContactInfo"]
    assert said["/SubFilter"] == "/ETSI.CAdES.detached"


def test_one_changed_byte_breaks_it() -> None:
    whole = sealed()
    (found,) = re.finditer(rb"/ByteRange \[([0-9 ]+)\]", whole)
    begin, first, second, rest = map(int, found[1].split())
    assert (begin, second + rest) == (0, len(whole))
    # In the page, at both edges of the signature, in the signature itself, at the very end.
    for place in (100, first // 2, first - 1, first + 999, second, second + 50, len(whole) - 20):
        changed = bytearray(whole)
        changed[place] ^= 1
        try:
            status, _ = checked(bytes(changed))
        except (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError):
            continue  # so broken that it is no PDF any more
        assert not status.bottom_line


def test_what_was_printed_stands_unchanged_before_the_seal() -> None:
    bare = printed(paper(Kind.DECISION))
    assert sealed().startswith(bare)
    assert sealed() == sealed()


def test_the_file_stays_pdf_a() -> None:
    """ISO 19005-2: identifier kept (6.1.3), the field printable and without appearance (6.3)."""
    before = pypdf.PdfReader(io.BytesIO(printed(paper(Kind.DECISION))))
    after = pypdf.PdfReader(io.BytesIO(sealed()))
    ids: Any = (before.trailer["/ID"], after.trailer["/ID"])
    assert ids[0][0].original_bytes == ids[1][0].original_bytes
    root: Any = after.trailer["/Root"]
    old: Any = before.trailer["/Root"]
    assert root["/Metadata"].get_object().get_data() == old["/Metadata"].get_object().get_data()
    assert root.raw_get("/StructTreeRoot").idnum == old.raw_get("/StructTreeRoot").idnum
    assert root.raw_get("/OutputIntents").idnum == old.raw_get("/OutputIntents").idnum
    assert (root["/MarkInfo"]["/Marked"], root["/Lang"]) == (True, old["/Lang"])
    assert after.metadata == before.metadata
    (field,) = root["/AcroForm"]["/Fields"]
    field = field.get_object()
    assert field["/F"] & 0b100
    assert not field["/F"] & 0b100011
    assert "/AP" not in field or list(field["/Rect"]) == [0, 0, 0, 0]
    assert "/NeedAppearances" not in root["/AcroForm"]
    assert "/Perms" not in root


def test_a_copy_is_sealed_when_it_is_printed() -> None:
    later = AT + timedelta(days=17)
    bare = printed(paper(Kind.DECISION), copy=2, copied=later)
    data = paper(Kind.DECISION)
    pdf = seal.sealed(bare, seal.paper_of(data, agency="water", number="x", issued=later))
    assert checked(pdf)[0].signer_reported_dt == later


def test_the_demo_makes_its_key_once_and_keeps_it_to_itself(tmp_path: Path) -> None:
    bare = printed(paper(Kind.RECEIPT))
    with ThreadPoolExecutor(4) as pool:
        # Four processes at first use: each with a provider of its own.
        made = set(
            pool.map(lambda _: seal.DemoSeal(tmp_path).seal(bare, of(Kind.RECEIPT)), range(4))
        )
    assert len(made) == 1
    file = tmp_path / "seal" / "demo.pem"
    assert [path.name for path in file.parent.iterdir()] == ["demo.pem"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@override_settings(SEAL="")
def test_without_a_provider_the_paper_stays_as_it_was_printed() -> None:
    bare = printed(paper(Kind.DECISION))
    assert seal.sealed(bare, of(Kind.DECISION)) == bare


class Stamp:
    """A seal's keeper of another house."""

    def look(self) -> str:
        return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="4"/></svg>'

    def seal(self, pdf: bytes, paper: seal.Paper) -> bytes:
        return pdf + paper.agency.encode()


@override_settings(SEAL="tests.documents.test_seal.Stamp")
def test_a_city_names_its_own_provider() -> None:
    bare = printed(paper(Kind.DECISION))
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(bare)).pages)
    assert "演示" not in text
    assert seal.sealed(bare, of(Kind.DECISION)) == bare + b"water"


def test_the_demos_seal_is_refused_outside_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "DEMO", False)
    monkeypatch.setattr(house, "SEAL", "zhengwu.documents.seal.DemoSeal")
    assert any("ZHENGWU_SEAL" in problem for problem in house.unsafe())
