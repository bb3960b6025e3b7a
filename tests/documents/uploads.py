"""Files as people send them, and as they should not."""

from __future__ import annotations

import io
import struct
import zlib

import pypdf
import pypdfium2
from PIL import Image, ImageDraw


def pdf(pages: int = 1, *, size: tuple[float, float] = (595, 842)) -> bytes:
    """A PDF of empty pages."""
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(*size)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def locked(*, user: str = "secret") -> bytes:
    """A PDF with a password; user="": it opens without, and is locked all the same."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf()))
    writer.encrypt(user_password=user, owner_password="owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def hot(*, behind: bool = False) -> bytes:
    """Two kilobytes whose page draws 10^10 times, a form within a form.

    behind: it is the second page, after an innocent one.
    """
    depth = 10
    empty = 6 + depth
    kids = f"[{empty} 0 R 3 0 R]/Count 2" if behind else "[3 0 R]/Count 1"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids{kids}>>".encode(),
    ]
    objects.append(
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</XObject<</F 5 0 R>>>>>>"
    )
    objects.append(b"<</Length 4>>stream\n/F Do\nendstream")
    ten = b"/F Do " * 10
    for level in range(depth):
        inner = f"/Resources<</XObject<</F {6 + level} 0 R>>>>".encode()
        objects.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 595 842]%s/Length %d>>stream\n%s\nendstream"
            % (inner, len(ten), ten)
        )
    last = b"0 0 m 500 800 l 500 0 l f"
    objects.append(
        b"<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Length %d>>stream\n%s\nendstream"
        % (len(last), last)
    )
    objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>")
    out = b"%PDF-1.7\n"
    for number, body in enumerate(objects, 1):
        out += b"%d 0 obj%s endobj\n" % (number, body)
    return out + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF" % (len(objects) + 1)


def picture(form: str = "JPEG", *, size: tuple[int, int] = (400, 300), turned: int = 0) -> bytes:
    """A picture, red at its left; turned: the EXIF orientation, with a place in it."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1]), fill="red")
    out = io.BytesIO()
    exif = Image.Exif()
    if turned:
        exif[0x0112] = turned
        exif[0x010E] = "at home"
    image.save(out, form, exif=exif)
    return out.getvalue()


def signature() -> bytes:
    """Black strokes on nothing, as a signing pad gives them."""
    image = Image.new("RGBA", (600, 200))
    ImageDraw.Draw(image).line((20, 150, 200, 30, 400, 170, 580, 40), fill="black", width=6)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def blank() -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (600, 200)).save(out, "PNG")
    return out.getvalue()


def bomb(side: int = 30_000) -> bytes:
    """A PNG of side × side pixels, all of one colour, in about a megabyte."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    packer = zlib.compressobj(9)
    row = bytes(side + 1)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
