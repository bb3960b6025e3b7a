"""Documents on paper (文书排版): frozen data and a template version make the same PDF every time.

PDF/A-2a by typst. Only the fonts that the set-up copied to `fonts/` are used, never the machine's.
What is printed here is not yet sealed: `seal.sealed` does that, over the finished bytes.
Data goes in as JSON and is shown as text; nothing in it can become markup.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst

from zhengwu.documents import seal
from zhengwu.documents.wording import day_words

HERE = Path(__file__).resolve().parent
TEMPLATES = HERE / "templates"
FONTS = HERE / "fonts"
MARKED = "marked@1"
_NAME = re.compile(r"[a-z_]+@[0-9]+")


class FontsMissing(Exception):
    """The set-up has not brought the fonts; the message says what to do."""


@cache
def fonts() -> Any:
    if not any(FONTS.glob("*.ttf")):
        raise FontsMissing(f"{FONTS} holds no font; run the set-up (`make run`) to bring them.")
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]
    )


@cache
def _template(name: str) -> bytes:
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    return (TEMPLATES / f"{name}.typ").read_bytes()


def qr(address: str) -> str:
    """A QR code of an address as SVG text."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False)
    return out.getvalue().decode()


def pdf(
    template: str,
    data: Mapping[str, Any],
    *,
    number: str,
    check: str,
    address: str,
    issued: datetime,
    copy: int = 1,
    copied: datetime | None = None,
    void: str = "",
) -> bytes:
    """The document as PDF/A; address: where its check page stands; the same in, the same out.

    copy: the second and later say so, with the day they were printed. void: the line under a 作废
    across every page.
    """
    shown = dict(data) | {"number": number, "check": check}
    inputs = {
        "data": json.dumps(shown, ensure_ascii=False),
        "qr": qr(address),
        "seal": seal.look(),
    }
    source = _template(template)
    if copy > 1 or void:
        inputs["marks"] = json.dumps(
            {"template": f"{template}.typ", "copy": copy_words(copy, copied), "void": void},
            ensure_ascii=False,
        )
        source = _template(MARKED)
    made = typst.compile(
        source,
        root=str(TEMPLATES),
        font_paths=fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=["a-2a"],
        timestamp=int(issued.timestamp()),
    )
    if not isinstance(made, bytes):
        raise TypeError("one PDF was expected")
    return made


def copy_words(copy: int, copied: datetime | None) -> str:
    """第 2 份副本 2026 年 10 月 8 日打印; "" for the original."""
    if copy < 2:
        return ""
    return f"第 {copy} 份副本" + (f"　{day_words(copied)}打印" if copied else "")
