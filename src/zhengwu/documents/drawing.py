"""The drawing process (制图进程): opens uploaded files and draws their pages, apart from the web.

Run as a script, in Python's isolated mode and with an empty environment, by `drawers`: it knows
no password and has no connection. A file that crashes PDFium or runs it hot ends this process and
nothing else: `most` seconds after a request began the kernel's alarm kills it, wherever it is, and
it may hold no more than MEMORY, nor write a file. It imports nothing of ours, so that it starts in 0.2 s.

Speaks over the Unix socket on descriptor 0. A request is one message of JSON that carries the
file as a descriptor: {"do": "examine" | "draw", "media", "most", …}. The answer is 8 bytes of
length (big-endian), then JSON of the length said, then the picture where there is one.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import socket
import struct
import warnings
from functools import lru_cache
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageDraw, ImageFont, ImageOps

MEMORY = 1536 * 1024 * 1024  # bytes of address space
PAGES = 2_000
PIXELS = 80_000_000  # an A3 page scanned at 600 dpi has 70 million
TALL = 4  # a page is drawn at most so many times as high as wide
QUALITY = 82
INK = 0.3  # how much of the watermark's grey there is; grey shows on white and on black
GREY = (128, 128, 128)
FORMATS = {"image/png": ("PNG",), "image/jpeg": ("JPEG", "MPO")}

Image.MAX_IMAGE_PIXELS = None  # `_picture` asks before anything is unpacked


class Fault(Exception):
    """What is wrong with a file: one of the codes that `files` has a sentence for."""


def examine(data: bytes, *, media: str, drawn: bool) -> dict[str, Any]:
    """The number of pages. drawn: it is a signature, so something must be drawn on it."""
    if media == "application/pdf":
        with _document(data) as document:
            return {"pages": len(document)}
    picture = _flat(_picture(data, media))
    if drawn and all(low == high for low, high in _extremes(picture)):
        raise Fault("blank")
    return {"pages": 1}


def draw(data: bytes, *, media: str, number: int, width: int, mark: str, font: str) -> bytes:
    """Page `number` (from 1) as JPEG, `width` pixels wide, with the mark burnt in."""
    page = _page(data, number, width) if media == "application/pdf" else _shrunk(data, media, width)
    if mark:
        page.paste(GREY, (0, 0), _marks(page.width, page.height, mark, font))
    out = io.BytesIO()
    page.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _document(data: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as problem:
        locked = problem.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
        raise Fault("locked" if locked else "broken") from problem
    try:
        # Also one that opens without a password: tomorrow's reader may ask for it.
        if pdfium.FPDF_GetSecurityHandlerRevision(document) != -1:
            raise Fault("locked")
        if len(document) < 1:
            raise Fault("no_pages")
        if len(document) > PAGES:
            raise Fault("too_many_pages")
        _open(document, 0).close()
    except BaseException:
        document.close()
        raise
    return document


def _open(document: pypdfium2.PdfDocument, index: int) -> pypdfium2.PdfPage:
    try:
        page = document[index]
    except pypdfium2.PdfiumError as problem:
        raise Fault("broken") from problem
    across, down = page.get_size()
    if not (across > 0 and down > 0):
        page.close()
        raise Fault("broken")
    return page


def _page(data: bytes, number: int, width: int) -> Image.Image:
    with _document(data) as document:
        if not 1 <= number <= len(document):
            raise Fault("no_such_page")
        page = _open(document, number - 1)
        across, down = page.get_size()
        scale = min(width / across, width * TALL / down) * (1 - 1e-6)  # PDFium rounds up
        drawn = page.render(scale=scale, rev_byteorder=True)
        picture: Image.Image = drawn.to_pil().convert("RGB")
        return picture


def _picture(data: bytes, media: str, *, least: tuple[int, int] | None = None) -> Image.Image:
    """Opened, asked for its size, then unpacked whole: half a picture is not accepted."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=FORMATS[media])
            if picture.width * picture.height > PIXELS:
                raise Fault("too_many_pixels")
            if least is not None:
                picture.draft("RGB", least)
            picture.load()
    except Fault:
        raise
    except Exception as problem:  # a decoder's complaint may be of any type
        raise Fault("broken") from problem
    return picture


def _flat(picture: Image.Image) -> Image.Image:
    """Upright, on white, RGB."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        above = picture.convert("RGBA")
        flat = Image.new("RGB", picture.size, "white")
        flat.paste(above, mask=above.getchannel("A"))
        return flat
    if picture.mode.startswith("I"):  # 16 bits of grey
        return picture.point(lambda value: value / 257).convert("L").convert("RGB")
    return picture.convert("RGB")


def _extremes(picture: Image.Image) -> list[tuple[int, int]]:
    return [picture.getchannel(band).getextrema() for band in picture.getbands()]  # type: ignore[misc]


def _shrunk(data: bytes, media: str, width: int) -> Image.Image:
    # A JPEG is unpacked no larger than needed; both sides, because it may lie on its side.
    picture = _flat(_picture(data, media, least=(width, width)))
    height = max(1, round(picture.height * width / picture.width))
    if height > width * TALL:
        width, height = max(1, round(width * width * TALL / height)), width * TALL
    return picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)


@lru_cache(maxsize=8)
def _marks(width: int, height: int, mark: str, font: str) -> Image.Image:
    """Where the watermark is: the words again and again, on the slant."""
    face = _face(font, max(12, width // 42))
    box = [round(side) for side in face.getbbox(mark)]
    words = Image.new("L", (max(1, box[2] - box[0]), max(1, box[3] - box[1])), 0)
    ImageDraw.Draw(words).text((-box[0], -box[1]), mark, fill=round(255 * INK), font=face)
    one = words.rotate(30, Image.Resampling.BICUBIC, expand=True)
    sheet = Image.new("L", (width, height), 0)
    for row, down in enumerate(range(0, height, one.height)):
        for across in range(-(row % 2) * one.width // 2, width, one.width):
            sheet.paste(one, (across, down))
    return sheet


@lru_cache(maxsize=4)
def _face(font: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font, size)


def _answered(asked: dict[str, Any], data: bytes) -> bytes:
    picture = b""
    said: dict[str, Any]
    try:
        if asked["do"] == "examine":
            said = examine(data, media=asked["media"], drawn=asked["drawn"])
        else:
            wanted = {name: asked[name] for name in ("media", "number", "width", "mark", "font")}
            picture = draw(data, **wanted)
            said = {}
    except Fault as fault:
        said = {"fault": str(fault)}
    except MemoryError:
        said = {"fault": "too_heavy"}
    except Exception as problem:
        said = {"fault": "broken", "type": type(problem).__name__}
    head = json.dumps(said).encode()
    return struct.pack(">II", len(head), len(picture)) + head + picture


def main() -> None:
    """Answer until the other end is closed."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with socket.socket(fileno=os.dup(0)) as line:
        while True:
            message, descriptors, _, _ = socket.recv_fds(line, 65536, 1)
            if not message:
                return
            asked = json.loads(message)
            signal.setitimer(signal.ITIMER_REAL, asked["most"])  # unhandled, SIGALRM kills
            with os.fdopen(descriptors[0], "rb") as file:
                file.seek(0)
                data = file.read()
            answer = _answered(asked, data)
            signal.setitimer(signal.ITIMER_REAL, 0)
            line.sendall(answer)


if __name__ == "__main__":
    main()
