"""Pages of uploaded files: milliseconds for each, and how much more than PDFium alone takes.

    python -m bench.pages [ROUNDS]

A4 at 1,000 pixels: a printed text (made by typst with our font), a colour scan in a PDF, the same
scan as a JPEG. `bare` is pypdfium2 opening and rendering the page, in this process (for the JPEG: Pillow opening and shrinking
it, the naive way); `ours` is what a
page view costs after the database: the digest of the whole file, the descriptor to the drawing
process and back, rendering, the watermark, the JPEG. `fresh` is the first page under a new mark.
Medians; both in turns in the same run. One JSON line for each kind.
"""

from __future__ import annotations

import hashlib
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

import pypdfium2
import typst
from PIL import Image, ImageFilter

from bench._line import line
from zhengwu.documents import drawers, render

WIDTH = 1_000
FONT = str(render.FONTS / "NotoSerifSC-Regular.ttf")
TEXT = "准予从事取水活动，有效期五年，自决定之日起计算。"


def printed() -> bytes:
    source = f'#set page(paper: "a4")\n#set text(font: "Noto Serif SC", lang: "zh")\n{TEXT * 38}'
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(render.FONTS)]
    )
    made = typst.compile(source.encode(), font_paths=fonts, format="pdf")
    assert isinstance(made, bytes)
    return made


def scanned(page: bytes) -> Image.Image:
    """The page at 300 dpi with the grain of a scanner, 2,480 × 3,508."""
    drawn = pypdfium2.PdfDocument(page)[0].render(scale=300 / 72).to_pil().convert("RGB")
    grain = Image.effect_noise(drawn.size, 24).convert("RGB")
    return Image.blend(drawn, grain, 0.15).filter(ImageFilter.GaussianBlur(0.7))


def saved(image: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    image.save(out, form, resolution=300, quality=85)
    return out.getvalue()


def bare(data: bytes, media: str) -> None:
    if media == "application/pdf":
        with pypdfium2.PdfDocument(data) as document:
            page = document[0]
            page.render(scale=WIDTH / page.get_width())
    else:
        picture = Image.open(io.BytesIO(data))
        picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)))


def ours(data: bytes, media: str, mark: str) -> int:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        hashlib.file_digest(file, "sha256")
        with drawers.drawer() as one:
            said, drawn = one.ask(
                file,
                {
                    "do": "draw", "media": media, "number": 1, "width": WIDTH, "mark": mark,
                    "font": FONT, "most": 60,
                },
            )  # fmt: skip
        assert not said, said
        return len(drawn)


def took(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1_000


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    text = printed()
    scan = scanned(text)
    kinds = (
        ("printed text, PDF", text, "application/pdf"),
        ("scan in a PDF", saved(scan, "PDF"), "application/pdf"),
        ("scan, JPEG", saved(scan, "JPEG"), "image/jpeg"),
    )
    mark = "江城市水务局 何晓岚 09-21 10:20"
    print(
        f"{'A4 at 1,000 px':<20}{'KB':>7}{'bare ms':>9}{'ours ms':>9}{'ratio':>7}{'fresh ms':>10}"
    )
    worst: tuple[float, float] | None = None
    for name, data, media in kinds:
        bare(data, media)
        ours(data, media, mark)
        times: dict[str, list[float]] = {"bare": [], "ours": [], "fresh": []}
        for n in range(rounds):
            new = f"{mark}:{n:02d}"
            times["fresh"].append(took(partial(ours, data, media, new)))
            times["ours"].append(took(partial(ours, data, media, new)))
            times["bare"].append(took(partial(bare, data, media)))
        ms = {key: round(statistics.median(values), 1) for key, values in times.items()}
        ratio = round(ms["ours"] / ms["bare"], 2)
        size = len(data) // 1024
        print(f"{name:<20}{size:>7}{ms['bare']:>9}{ms['ours']:>9}{ratio:>7}{ms['fresh']:>10}")
        print(json.dumps({"bench": "pages", "kind": name, "kb": size, "ratio": ratio, **ms}))
        if worst is None or ratio > worst[1]:
            worst = ms["ours"], ratio
    assert worst is not None
    line("pages", worst[0], "ms an A4 page", ratio=worst[1])


if __name__ == "__main__":
    main()
