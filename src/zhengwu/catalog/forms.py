"""Blank and sample forms (空白表格与样表): taken in, found again, listed for the public.

A form is kept by the digest of its bytes and never changes; versions of items point at it. What is
downloaded is opened on thousands of desks: `keep` lets in only formats that everybody can open, and
of those only what holds no program and fetches nothing from elsewhere. Nothing in a name is believed.
"""

from __future__ import annotations

import hashlib
import io
import re
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.catalog import queries
from zhengwu.catalog.models import Form
from zhengwu.domain import bigrams
from zhengwu.domain.guide import Level
from zhengwu.domain.refusal import Refusal

MOST = 10 * 1024 * 1024  # bytes
LETTERS = 120
ENTRIES = 2_000  # parts in one zip
UNPACKED = 100 * 1024 * 1024  # bytes of all parts
RATIO = 100  # unpacked to packed, once a part is worth the worry
WORRY = 1024 * 1024  # bytes
PART = 2 * 1024 * 1024  # bytes of a part that is read as a whole
PAGE = 20

PDF, DOCX, XLSX, OFD, PNG, JPEG = "pdf", "docx", "xlsx", "ofd", "png", "jpg"
MEDIA: Mapping[str, str] = {
    PDF: "application/pdf",
    DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    OFD: "application/ofd",
    PNG: "image/png",
    JPEG: "image/jpeg",
}
NAMES: Mapping[str, str] = {
    PDF: "PDF", DOCX: "Word 文档", XLSX: "Excel 表格", OFD: "OFD 版式文件", PNG: "图片", JPEG: "图片",
}  # fmt: skip
OF_MEDIA: Mapping[str, str] = {media: kind for kind, media in MEDIA.items()}
KINDS_ZH = {"blank": "空白表格", "sample": "样表"}

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # DOC, XLS, and whatever Office locks with a password
MAIN = {
    b"wordprocessingml.document.main+xml": DOCX,
    b"spreadsheetml.sheet.main+xml": XLSX,
}
ENDINGS = re.compile(r"(\.(pdf|docx?|docm|xlsx?|xlsm|ofd|png|jpe?g))+$", re.IGNORECASE)
AGAIN = "请用 Word、Excel 或者 WPS 另存一份再上传。"


@dataclass(frozen=True, slots=True)
class FormRow:
    """A form without its bytes. size: bytes."""

    digest: str
    filename: str
    mime: str
    size: int
    generated: bool

    @property
    def kind_zh(self) -> str:
        """What sort of file it is, in a word."""
        return NAMES.get(OF_MEDIA.get(self.mime, ""), "文件")


@dataclass(frozen=True, slots=True)
class Use:
    """Where a form is used. code: the item's guide, or the base where only districts handle it."""

    code: str
    item: str
    material: str
    kind: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A form in the list, with everything that it is used for."""

    form: FormRow
    uses: tuple[Use, ...]

    @property
    def kinds_zh(self) -> tuple[str, ...]:
        return tuple(zh for kind, zh in KINDS_ZH.items() if any(u.kind == kind for u in self.uses))

    @property
    def items(self) -> Mapping[str, str]:
        """Code → name of the items, each once."""
        return {one.code: one.item for one in self.uses}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of forms."""

    rows: tuple[Listed, ...]
    total: int
    page: int
    pages: int


# --- taking in ------------------------------------------------------------------------------------


def keep(data: bytes, filename: str, *, by: str, at: datetime, generated: bool = False) -> str:
    """Take a form in; the digest of its bytes. Raises Refusal (`form.…`, field "file").

    The same bytes again are the same form: its first name stays.
    """
    kind = checked(data)
    digest = hashlib.sha256(data).hexdigest()
    row = Form(
        digest=digest, filename=clean_name(filename, kind), mime=MEDIA[kind], size=len(data),
        data=data, generated=generated, by=by, at=at,
    )  # fmt: skip
    Form.objects.bulk_create([row], ignore_conflicts=True)
    return digest


def checked(data: bytes) -> str:
    """Which of the kinds these bytes are, told from the bytes alone. Raises Refusal."""
    if not data:
        raise _no("empty", "这个文件是空的，什么也没有。请重新选择文件。")
    if len(data) > MOST:
        raise _no("too_large", "表格文件最大 10 MB。请压缩里面的图片，或者分成几份。")
    if data.startswith(b"%PDF-"):
        return _ended(data, PDF, b"%%EOF")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _ended(data, PNG, b"IEND\xaeB`\x82")
    if data.startswith(b"\xff\xd8\xff"):
        return _ended(data, JPEG, b"\xff\xd9")
    if data.startswith(OLE):
        raise _no(
            "old_office",
            "这是旧格式的 Word、Excel 文件（DOC、XLS），或者加了打开密码。请去掉密码，另存为 DOCX 或者 XLSX 再上传。",
        )
    if data.startswith(b"PK\x03\x04"):
        return _zipped(data)
    raise _no(
        "kind",
        "只收 PDF、DOCX、XLSX、OFD、PNG、JPEG 文件，以内容为准，改后缀没有用。请换一种格式。",
    )


def clean_name(filename: str, kind: str) -> str:
    """A name to save under: no folders, nothing invisible, the ending of what it really is."""
    name = unicodedata.normalize("NFC", filename.encode("utf-8", "replace").decode("utf-8"))
    name = re.split(r"[/\\]", name)[-1]
    kept = "".join(
        " " if unicodedata.category(letter)[0] == "Z" else letter
        for letter in name
        if unicodedata.category(letter)[0] != "C" and letter not in '<>:"|?*%#'
    )
    stem = ENDINGS.sub("", " ".join(kept.split())).strip(" .")
    ending = f".{kind}"
    return (stem[: LETTERS - len(ending)].rstrip(" .") or "表格") + ending


def _no(code: str, sentence: str) -> Refusal:
    return Refusal(f"form.{code}", sentence, field="file")


def _broken() -> Refusal:
    return _no("broken", f"这个文件是坏的或者不完整，打不开。{AGAIN}")


def _ended(data: bytes, kind: str, mark: bytes) -> str:
    """A file that was cut off on its way lacks its end."""
    if mark not in data[-2048:]:
        raise _broken()
    return kind


def _zipped(data: bytes) -> str:
    """DOCX, XLSX or OFD; every part is unpacked once, to see that it is what it says."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            _bounded(parts)
            kind = _kind_of(archive, {one.filename for one in parts})
            for one in parts:
                _harmless(archive, one)
    except (
        zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError,
        RuntimeError,
    ) as problem:  # fmt: skip
        raise _broken() from problem
    return kind


def _bounded(parts: Sequence[zipfile.ZipInfo]) -> None:
    """What the zip declares, before anything is unpacked."""
    if len(parts) > ENTRIES:
        raise _no("too_many_parts", f"这个文件里的部件超过 {ENTRIES} 个，不像一份表格。{AGAIN}")
    unpacked = sum(one.file_size for one in parts)
    if unpacked > UNPACKED or any(
        one.file_size > WORRY and one.file_size > RATIO * max(1, one.compress_size) for one in parts
    ):
        raise _no("bomb", f"这个文件解开以后大得不正常，没有接收。{AGAIN}")
    for one in parts:
        if one.flag_bits & 0x1:
            raise _no("locked", "这个文件加了密码。请去掉密码另存一份再上传。")
        if ".." in one.filename.split("/") or one.filename.startswith("/") or "\\" in one.filename:
            raise _broken()
    if len({one.filename.lower() for one in parts}) != len(parts):
        raise _broken()


def _kind_of(archive: zipfile.ZipFile, names: set[str]) -> str:
    if "OFD.xml" in names:
        return OFD
    if "[Content_Types].xml" in names:
        types = _read(archive, archive.getinfo("[Content_Types].xml"))
        if b"macroEnabled" in types:
            raise _macro()
        for mark, kind in MAIN.items():
            if mark in types:
                return kind
    raise _no(
        "kind", "这个压缩包不是 DOCX、XLSX 或者 OFD 文件。请把里面的表格一份一份上传。"
    )  # fmt: skip


def _macro() -> Refusal:
    return _no("macro", f"这个文件里有宏或者控件，可能带病毒，不能给群众下载。{AGAIN}")


def _harmless(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    name = part.filename.lower()
    if "vbaproject" in name or "/activex/" in name or "macrosheets" in name:
        raise _macro()
    if "/embeddings/" in name or "oleobject" in name:
        raise _no(
            "embedded",
            f"这个文件里嵌着别的文件（对象），打开时可能有危险。请删去以后再上传。{AGAIN}",
        )
    if name.endswith(".rels"):
        _from_nowhere_else(_read(archive, part))
        return
    with archive.open(part) as stream:
        while stream.read(1 << 16):
            pass


def _read(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    if part.file_size > PART:
        raise _broken()
    return archive.read(part)


def _from_nowhere_else(relations: bytes) -> None:
    """A link may lead elsewhere; a template, picture or object that is fetched on opening may not."""
    try:
        root = fromstring(relations, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as problem:
        raise _broken() from problem
    for one in root.iter():
        if one.get("TargetMode", "").lower() != "external":
            continue
        if not one.get("Type", "").endswith("/hyperlink"):
            raise _no(
                "external",
                f"这个文件打开时会到别处取内容（外部对象、模板或者图片），不能给群众下载。请改成嵌在文件里的。{AGAIN}",
            )


# --- finding --------------------------------------------------------------------------------------


def found(digests: Iterable[str]) -> Mapping[str, FormRow]:
    """The forms of these digests; one that we have not got is left out."""
    wanted = sorted(set(digests) - {""})
    return {one.digest: one for one in _rows(wanted)} if wanted else {}


def _rows(digests: Sequence[str]) -> Iterator[FormRow]:
    values = Form.objects.filter(digest__in=digests).values_list(
        "digest", "filename", "mime", "size", "generated"
    )
    return (FormRow(*one) for one in values)


def content(digest: str) -> bytes:
    """The bytes of a form. Raises LookupError."""
    data = Form.objects.filter(digest=digest).values_list("data", flat=True).first()
    if data is None:
        raise LookupError(digest)
    return bytes(data)


def listing(on: date, q: str = "", page: int = 1, *, size: int = PAGE) -> Found:
    """Forms of items in force whose own name, material or item holds all the words, by name."""
    words = bigrams.fold(q).split()
    every = _index(on, queries.edition(), int(time.monotonic() // 60))
    if q.strip():
        every = tuple(
            one for one in every if words and all(word in one[0] for word in words)
        )  # fmt: skip
    pages = max(1, -(-len(every) // size))
    page = min(max(1, page), pages)
    shown = every[(page - 1) * size : page * size]
    return Found(tuple(one for _, one in shown), len(every), page, pages)


@lru_cache(maxsize=2)
def _index(on: date, edition: int, minute: int) -> tuple[tuple[str, Listed], ...]:
    """All forms in use with the folded text they are found by; kept until the next
    publication, and for a minute at most."""
    uses: dict[str, dict[Use, None]] = {}
    for use, digest in _uses(on):
        uses.setdefault(digest, {})[use] = None
    there = found(uses)
    made = []
    for digest, row in there.items():
        one = Listed(row, tuple(uses[digest]))
        names = [row.filename, *(f"{use.item}\n{use.material}" for use in one.uses)]
        made.append((bigrams.fold("\n".join(names)), one))
    return tuple(sorted(made, key=lambda one: (one[1].form.filename, one[1].form.digest)))


def _uses(on: date) -> Iterator[tuple[Use, str]]:
    """What the materials of items in force point at: of the city's list, or of the province's where
    the city's says nothing, and what a department or a district put in its place."""
    in_force = (
        "lower(v.in_force) <= %(on)s::date"
        " AND coalesce(upper(v.in_force), 'infinity') > %(on)s::date AND NOT v.retired"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH listed AS MATERIALIZED (SELECT i.base, i.code, i.level, i.region, v.name,"  # noqa: S608
            " v.own->'materials' AS materials FROM catalog_itemversion v"
            f" JOIN catalog_item i ON i.id = v.item_id WHERE {in_force}),"
            " guides AS (SELECT base, min(code) AS code FROM listed"
            " WHERE level = 'implementation' AND region = %(city)s GROUP BY base),"
            " told AS (SELECT DISTINCT base FROM listed"
            " WHERE level = 'city' AND materials IS NOT NULL)"
            " SELECT l.base, l.code, l.level, l.name, m->>'name', m->>'blank', m->>'sample', g.code"
            " FROM listed l LEFT JOIN guides g ON g.base = l.base LEFT JOIN told t ON t.base = l.base,"
            " jsonb_array_elements(l.materials) m"
            " WHERE (m ? 'blank' OR m ? 'sample') AND (l.level <> 'province' OR t.base IS NULL)"
            " ORDER BY l.base, l.code",
            {"on": on, "city": accounts.CITY},
        )
        rows = cursor.fetchall()
    for base, code, level, item, material, blank, sample, guide in rows:
        target = code if level == Level.IMPLEMENTATION else guide or base
        for kind, digest in (("blank", blank), ("sample", sample)):
            if digest:
                yield Use(target, item, material, kind), digest
