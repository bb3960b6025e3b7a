"""Uploaded files (上传件): scanned materials, an agent's letter, a signature. Nothing is believed.

For views and use cases:
- `keep(by, purpose=…, name=…, data=request.FILES[…], at=…)` takes a file in and gives a `File`;
  a Refusal carries field "file". It belongs to nobody's case until it is bound; what is not bound
  within seven days is swept away.
- `bind(ids, by=…, stream=…, stream_id=…)` in the transaction of the commit that names the files.
- `found(ids)` and `of(stream, stream_id)` give `File`s. **Whether the actor may see the stream is
  the caller's to ask**, and the look is the caller's to record.
- `page_image(id, number, width=…, mark="江城市水务局 何晓岚 09-21 10:20")` is a page as JPEG
  (`PAGE_MEDIA`) with the mark burnt in. What was uploaded never reaches a browser as it is; only
  `download(id)` gives it, with headers under which a browser saves it and does not open it:
  `FileResponse(one.data)`, then its `headers` set one by one (given to it, it overwrites one).

A file stands under `HOME/files`, called by its id, never by a name the sender chose. It is opened
by a process apart (see drawing.py) with a few seconds and a bounded memory for each request: a file
that crashes PDFium, or that never ends, costs its sender an error and us that process. Two pages are
drawn at a time for each web process. What this does not do: a hostile page holds one of the two for
DRAWING seconds every time somebody asks for it; and the process runs under our own system user, so
a hole in PDFium that runs foreign code is bounded by that user's rights, not by ours. A PDF that
PDFium repairs is kept; only pages are ever shown of it, its scripts and attachments never run.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Sum

from zhengwu.accounts.queries import Actor
from zhengwu.documents import drawers, render
from zhengwu.documents.models import Upload
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

PURPOSES = {"material": "材料", "letter": "授权委托书", "signature": "签名"}
MEDIA = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}
MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
PAGE_MEDIA = "image/jpeg"
LETTERS = 120
KEPT_UNBOUND = timedelta(days=7)
EXAMINING = 20.0  # seconds
DRAWING = 8.0  # seconds
NARROWEST, WIDEST = 400, 2_000  # pixels
PIECE = 1 << 18
ENDINGS = re.compile(r"(\.(pdf|png|jpe?g))+$", re.IGNORECASE)

AGAIN = "请重新扫描，或换一种软件另存以后再上传。"
FAULTS = {
    "locked": "这份 PDF 加了密或设了密码，打不开。请去掉密码另存一份再上传。",
    "broken": f"这个文件是坏的或者不完整，打不开。{AGAIN}",
    "no_pages": f"这份 PDF 一页也没有。{AGAIN}",
    "too_many_pages": "这份 PDF 超过 2000 页。请分成几份上传。",
    "too_many_pixels": "这张图片太大，超过 8000 万像素。请用 300 dpi 重新扫描，或缩小以后再上传。",
    "too_heavy": f"打开这个文件用的时间或内存太多。{AGAIN}",
    "blank": "签名图片是空白的，上面没有字迹。请重新签名。",
    "no_such_page": "这个文件没有这一页。",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was taken in. size: bytes. digest: "sha256:…". name: personal data."""

    id: UUID
    purpose: str
    name: str
    media: str
    size: int
    digest: str
    pages: int
    by: str
    at: datetime
    stream: str | None = None
    stream_id: UUID | None = None
    erased: datetime | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """The file as it was sent, to be saved and not to be opened by the browser."""

    data: BinaryIO
    headers: Mapping[str, str]


def most() -> int:
    """The most bytes a file may have."""
    return int(settings.UPLOAD_MOST_MB) * 1024 * 1024


def keep(
    by: Actor, *, purpose: str, name: str, data: BinaryIO, at: datetime, key: UUID | None = None
) -> File:
    """Take a file in (收件). Raises Refusal (field "file"); then nothing is left of it.

    key: the same again gives the file that is there; with other content `ledger.key_reused`.
    """
    if purpose not in PURPOSES:
        raise ValueError(purpose)
    if key is not None and (first := _first(key, by, purpose, data)):
        return first
    id = ledger.uuid7()
    place = _arriving() / id.hex
    try:
        size, digest = _written(data, place)
        media = _media(place)
        if purpose == "signature" and media == "application/pdf":
            raise _refusal("not_a_picture", "签名应是 PNG 或 JPEG 图片。请重新签名或另存为图片。")
        pages = _examined(place, media, drawn=purpose == "signature")
        kept = File(
            id=id, purpose=purpose, name=clean_name(name, media), media=media, size=size,
            digest=digest, pages=pages, by=by.code, at=at,
        )  # fmt: skip
        Upload.objects.create(
            id=id, purpose=purpose, name=kept.name, media=media, size=size, digest=digest,
            pages=pages, by=by.code, at=at, key=key,
        )  # fmt: skip
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    # Until the row is there for good the file stays where the sweep looks for strays.
    transaction.on_commit(lambda: _settle(id))
    return kept


def _first(key: UUID, by: Actor, purpose: str, data: BinaryIO) -> File | None:
    """What was sent with this key before, None for the first time. Raises Refusal."""
    row = Upload.objects.filter(key=key).first()
    if row is None:
        return None
    seen = hashlib.sha256()
    while piece := data.read(PIECE):
        seen.update(piece)
    digest = f"sha256:{seen.hexdigest()}"
    if (row.digest, row.purpose, row.by) != (digest, purpose, by.code):
        raise Refusal("ledger.key_reused", "这个编号已经用于另一个文件。另传一个文件请用新的编号。")
    return _file(row)


def clean_name(name: str, media: str) -> str:
    """A name to show: no folders, no control or direction characters, the ending of the media."""
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    name = re.split(r"[/\\]", name)[-1]
    kept = "".join(
        " " if unicodedata.category(letter)[0] == "Z" else letter
        for letter in name
        if unicodedata.category(letter)[0] != "C" and letter not in '<>:"|?*'
    )
    stem = ENDINGS.sub("", " ".join(kept.split())).strip(" .")
    ending = MEDIA[media]
    return (stem[: LETTERS - len(ending)].rstrip(" .") or "未命名") + ending


def found(ids: Iterable[UUID]) -> dict[UUID, File]:
    """The files of these ids; one that is not there is left out."""
    return {row.id: _file(row) for row in Upload.objects.filter(id__in=list(ids))}


def of(stream: str, stream_id: UUID) -> list[File]:
    """The files bound to a stream, oldest first; erased ones too, without their name."""
    with connection.cursor() as cursor:
        cursor.execute(_OF, [stream, stream_id])
        return listed(cursor.fetchone()[0])


def of_sql(*, stream: str, stream_id: str) -> str:
    """A scalar subquery giving the same, for a context's own SELECT; read the value with `listed`.

    stream, stream_id: SQL of the caller (a literal, a column).
    """
    return (
        "(SELECT json_agg(json_build_array(u.id, u.purpose, u.name, u.media, u.size, u.digest,"  # noqa: S608
        " u.pages, u.by, u.at, u.stream, u.stream_id, u.erased) ORDER BY u.id)::text"
        f" FROM documents_upload u WHERE u.stream = {stream} AND u.stream_id = {stream_id})"
    )


def listed(value: str | None) -> list[File]:
    """The files of an `of_sql` value."""
    moment = datetime.fromisoformat
    return [
        File(
            UUID(one), purpose, name, media, size, digest, pages, by, moment(at), stream,
            UUID(stream_id), moment(erased) if erased else None,
        )
        for (
            one, purpose, name, media, size, digest, pages, by, at, stream, stream_id, erased,
        ) in (orjson.loads(value) if value else ())
    ]  # fmt: skip


_OF = f"SELECT {of_sql(stream='%s::text', stream_id='%s::uuid')}"


@transaction.atomic
def bind(ids: Iterable[UUID], *, by: Actor, stream: str, stream_id: UUID) -> None:
    """Make files part of a stream (入卷), in the transaction of the commit that names them.

    Binding again to the same stream does nothing. Raises Refusal (field "file").
    """
    wanted = set(ids)
    rows = {
        row.id: row
        for row in Upload.objects.filter(id__in=wanted).order_by("id").select_for_update()
    }
    for id in wanted:
        row = rows.get(id)
        if row is None or row.erased is not None:
            raise _refusal("gone", "上传的文件已经不在了（七天内没有提交）。请重新上传。")
        if (row.stream, row.stream_id) == (stream, stream_id):
            continue
        # Somebody else's file and one of another case: which of the two is not told.
        if row.by != by.code or row.stream_id is not None:
            raise _refusal("not_yours", "这个文件不是您为这个办件上传的。请重新上传。")
    Upload.objects.filter(id__in=wanted, stream_id__isnull=True).update(
        stream=stream, stream_id=stream_id, unbound=None
    )


@transaction.atomic
def rebind(
    stream: str,
    stream_id: UUID,
    *,
    named: Collection[UUID],
    counting: Collection[UUID],
    at: datetime,
) -> None:
    """Let go of files whose entries count no more, and take back those whose entries count again.

    named: by any entry of the stream, counting: by one that counts. For seven days from now its
    sender can bind a freed file elsewhere; one that was bound elsewhere or swept away stays so.
    """
    freed = set(named) - set(counting)
    Upload.objects.filter(id__in=freed, stream=stream, stream_id=stream_id).update(
        stream=None, stream_id=None, unbound=at
    )
    Upload.objects.filter(
        id__in=list(counting), stream_id__isnull=True, erased__isnull=True
    ).update(stream=stream, stream_id=stream_id, unbound=None)


def stored() -> tuple[int, int]:
    """How many files are kept and their bytes in all: for the operator's figures."""
    found = Upload.objects.filter(erased__isnull=True).aggregate(
        count=Count("id"), size=Sum("size")
    )
    return found["count"], found["size"] or 0


def open_file(id: UUID, *, digest: str = "") -> BinaryIO:
    """The file, checked against its digest, and against the log's where that is given.

    Raises LookupError and Refusal.
    """
    row = _row(id)
    try:
        data = _open(row.id)
    except FileNotFoundError as problem:
        raise Refusal(
            "files.lost", "这个文件在服务器上找不到了。请联系系统管理员从备份中恢复。"
        ) from problem
    seen = hashlib.sha256()
    while piece := data.read(PIECE):
        seen.update(piece)
    if {row.digest, digest or row.digest} != {f"sha256:{seen.hexdigest()}"}:
        data.close()
        raise Refusal(
            "files.tampered",
            "这个文件的内容与上传时的摘要不一致，不能显示。请联系系统管理员。",
        )
    data.seek(0)
    return data


def page_image(id: UUID, number: int, *, width: int, mark: str, digest: str = "") -> bytes:
    """Page `number` (from 1) as JPEG, 400 to 2,000 pixels wide, the mark burnt in.

    A picture is its own page 1, upright and without what the camera wrote into it. mark: agency,
    name and time of whoever looks. digest: as in `open_file`. Raises LookupError (no such file or
    page) and Refusal.
    """
    row = _row(id)
    if not 1 <= number <= row.pages:
        raise LookupError(number)
    font = render.FONTS / "NotoSerifSC-Regular.ttf"
    if not font.exists():
        raise render.FontsMissing(f"{font} 不在。请运行 make run 下载字体。")
    asked = {
        "do": "draw", "media": row.media, "number": number, "most": DRAWING,
        "width": min(max(width, NARROWEST), WIDEST), "mark": " ".join(mark.split())[:80],
        "font": str(font),
    }  # fmt: skip
    with open_file(id, digest=digest) as data:
        return _asked(data, asked)[1]


def download(id: UUID, *, digest: str = "") -> Download:
    """The file as it was sent. digest: as in `open_file`. Raises LookupError and Refusal."""
    row = _row(id)
    data = open_file(id, digest=digest)
    return Download(
        data=data,
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Length": str(row.size),
            "Content-Disposition": (
                f'attachment; filename="file{MEDIA[row.media]}"; '
                f"filename*=UTF-8''{quote(row.name, safe='')}"
            ),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
        },
    )


@transaction.atomic
def erase(ids: Iterable[UUID], *, at: datetime) -> int:
    """Erase files and their names (删除); that they were there, and their digests, stays known."""
    rows = list(Upload.objects.filter(id__in=list(ids), erased__isnull=True).select_for_update())
    for row in rows:
        _remove(row.id)
    return Upload.objects.filter(id__in=[row.id for row in rows]).update(name="", erased=at)


def sweep(*, at: datetime) -> int:
    """Timed work: remove what nobody bound within seven days, and strays of cut-off uploads."""
    due = at - KEPT_UNBOUND
    old = list(
        Upload.objects.filter(stream_id__isnull=True, at__lt=due)
        .exclude(unbound__gte=due)
        .order_by("id")
        .values_list("id", flat=True)[:500]
    )
    swept = sum(_forget(id) for id in old)
    before = (at - KEPT_UNBOUND).timestamp()
    for place in sorted(_arriving().iterdir()):
        with suppress(FileNotFoundError):
            if place.stat().st_mtime < before:
                swept += _stray(place)
    return swept


@transaction.atomic
def _forget(id: UUID) -> int:
    # Asked again under the lock: it may have been bound since.
    row = Upload.objects.filter(id=id, stream_id__isnull=True).select_for_update().first()
    if row is None:
        return 0
    # The file first: whatever interrupts, a row is left to find the rest by.
    _remove(id)
    row.delete()
    return 1


def _stray(place: Path) -> int:
    with suppress(ValueError):
        id = UUID(hex=place.name)
        if Upload.objects.filter(id=id).exists():
            _settle(id)
            return 0
    place.unlink(missing_ok=True)
    return 1


def _written(data: BinaryIO, place: Path) -> tuple[int, str]:
    """Size and digest, when it is on the disk for good. Never more than `most` is read."""
    seen, size = hashlib.sha256(), 0
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := data.read(PIECE):
            size += len(piece)
            if size > most():
                raise _refusal(
                    "too_large",
                    f"文件超过 {settings.UPLOAD_MOST_MB} MB。请分成几份，或降低扫描的分辨率再上传。",
                )
            seen.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if not size:
        raise _refusal("empty", "这个文件是空的（0 字节）。请检查原文件，重新选择后上传。")
    return size, f"sha256:{seen.hexdigest()}"


def _media(place: Path) -> str:
    with place.open("rb") as file:
        begin = file.read(16)
    for magic, media in MAGIC:
        if begin.startswith(magic):
            return media
    raise _refusal(
        "media",
        "只收 PDF、PNG、JPEG 文件；这个文件的内容不是其中任何一种（看的是内容，不是扩展名）。"
        "请另存为 PDF 或图片再上传。",
    )


def _examined(place: Path, media: str, *, drawn: bool) -> int:
    asked = {"do": "examine", "media": media, "drawn": drawn, "most": EXAMINING}
    with place.open("rb") as file:
        return int(_asked(file, asked)[0]["pages"])


def _asked(file: BinaryIO, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        with drawers.drawer() as one:
            said, drawn = one.ask(file, asked)
    except drawers.Dead as problem:
        raise _refusal("too_heavy", FAULTS["too_heavy"]) from problem
    except drawers.Busy as problem:
        raise _refusal("busy", "正在打开的文件太多。请过一会儿再试。") from problem
    if fault := said.get("fault"):
        raise _refusal(fault, FAULTS[fault])
    return said, drawn


def _refusal(code: str, sentence: str) -> Refusal:
    return Refusal(f"files.{code}", sentence, field="file")


def _row(id: UUID) -> Upload:
    row = Upload.objects.filter(id=id).first()
    if row is None:
        raise LookupError(id)
    if row.erased is not None:
        raise Refusal("files.erased", "这个文件已依法删除。")
    return row


def _file(row: Upload) -> File:
    return File(
        id=row.id, purpose=row.purpose, name=row.name, media=row.media, size=row.size,
        digest=row.digest, pages=row.pages, by=row.by, at=row.at, stream=row.stream,
        stream_id=row.stream_id, erased=row.erased,
    )  # fmt: skip


# --- the folder ---------------------------------------------------------------------------------
def _folder(*below: str) -> Path:
    """HOME/files/…, made when missing, for nobody but us."""
    place = Path(settings.FILES)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in below:
        place /= part
        place.mkdir(mode=0o700, exist_ok=True)
    return place


def _arriving() -> Path:
    return _folder("arriving")


def _place(id: UUID) -> Path:
    # The end of a UUIDv7 is random, its beginning is the time.
    return _folder("kept", id.hex[-2:]) / id.hex


def _settle(id: UUID) -> None:
    """From among the arriving to its place; done twice it does nothing."""
    place = _place(id)
    with suppress(FileNotFoundError):
        os.rename(_arriving() / id.hex, place)
    for folder in (place.parent, _arriving()):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _open(id: UUID) -> BinaryIO:
    try:
        return _place(id).open("rb")
    except FileNotFoundError:
        # Between the commit and `_settle`, or after a crash there.
        return (_arriving() / id.hex).open("rb")


def _remove(id: UUID) -> None:
    _place(id).unlink(missing_ok=True)
    (_arriving() / id.hex).unlink(missing_ok=True)
