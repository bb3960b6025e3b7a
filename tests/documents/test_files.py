"""Uploads: nothing is believed, nothing is shown raw, nothing is left behind."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.cases import people
from tests.documents import uploads
from zhengwu.config.worker import TIMED, Worker
from zhengwu.documents import files, render
from zhengwu.documents.files import File
from zhengwu.domain.refusal import Refusal

pytestmark = pytest.mark.usefixtures("city")
Owner = psycopg.Connection[tuple[object, ...]]
DATA = Path(os.environ.get("ZHENGWU_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
AT = people.moment("09-14 09:20")
needs_fonts = pytest.mark.skipif(
    not list(render.FONTS.glob("*.ttf")), reason="the set-up has not brought the fonts"
)
MARK = "江城市水务局 何晓岚 09-14 09:20"


def kept(
    data: bytes, *, purpose: str = "material", name: str = "营业执照.pdf", by: str = "p-water-clerk"
) -> File:
    return files.keep(people.actor(by), purpose=purpose, name=name, data=io.BytesIO(data), at=AT)


def on_disk() -> set[str]:
    return {one.name for one in Path(settings.FILES).rglob("*") if one.is_file()}


def shown(file: File, number: int = 1, *, width: int = 600, mark: str = "") -> Image.Image:
    return Image.open(io.BytesIO(files.page_image(file.id, number, width=width, mark=mark)))


def place_of(file: File) -> Path:
    return Path(settings.FILES) / "kept" / file.id.hex[-2:] / file.id.hex


def test_a_scan_is_kept_under_its_id_for_nobody_else() -> None:
    data = uploads.pdf(3)
    file = kept(data)
    assert (file.media, file.pages, file.size) == ("application/pdf", 3, len(data))
    assert file.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    place = place_of(file)
    assert place.read_bytes() == data
    assert place.stat().st_mode & 0o777 == 0o600
    for folder in (place.parent, place.parent.parent, Path(settings.FILES)):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert files.found([file.id, uuid4()]) == {file.id: file}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "files.empty"),
        (b"<html><script>alert(1)</script></html>", "files.media"),
        (b"MZ\x90\x00" + bytes(100), "files.media"),
        (b"GIF89a" + bytes(100), "files.media"),
        (b"%PDF-1.7\n<html><script>alert(1)</script></html>", "files.broken"),
        (b"%PDF-1.7\n" + bytes(5000), "files.broken"),
        (b"\x89PNG\r\n\x1a\n<svg onload=alert(1)>", "files.broken"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "files.broken"),
        (uploads.picture("JPEG")[:-700], "files.broken"),
        (uploads.picture("PNG")[:-200], "files.broken"),
        (uploads.pdf()[:200], "files.broken"),
        (uploads.locked(), "files.locked"),
        (uploads.locked(user=""), "files.locked"),
        (uploads.pdf(2001), "files.too_many_pages"),
        (uploads.bomb(), "files.too_many_pixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_what_it_says_is_refused(data: bytes, code: str) -> None:
    before = on_disk()
    with pytest.raises(Refusal) as refused:
        kept(data, name="材料.pdf")
    assert refused.value.code == code
    assert refused.value.field == "file"
    assert "请" in refused.value.sentence  # it says what to do
    assert on_disk() == before


def test_one_byte_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "UPLOAD_MOST_MB", 1)
    scan = uploads.pdf()
    assert kept(scan + b" " * (2**20 - len(scan))).size == 2**20
    before = on_disk()
    with pytest.raises(Refusal, match=r"files\.too_large.*1 MB"):
        kept(scan + b" " * (2**20 - len(scan) + 1))
    assert on_disk() == before


def test_an_endless_file_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "UPLOAD_MOST_MB", 1)

    class Endless(io.BytesIO):
        read_so_far = 0

        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size < 2**20
            self.read_so_far += size
            return b"%PDF-" + bytes(size - 5)

    data = Endless()
    with pytest.raises(Refusal, match=r"files\.too_large"):
        files.keep(
            people.actor("p-water-clerk"),
            purpose="material",
            name="x",
            data=data,
            at=AT,
        )
    assert data.read_so_far < 2 * 2**20


def test_a_signature_is_a_picture_with_something_on_it() -> None:
    assert kept(uploads.signature(), purpose="signature").media == "image/png"
    with pytest.raises(Refusal, match=r"files\.blank"):
        kept(uploads.blank(), purpose="signature")
    with pytest.raises(Refusal, match=r"files\.not_a_picture"):
        kept(uploads.pdf(), purpose="signature")
    assert kept(uploads.blank(), purpose="material").pages == 1  # an empty back page is a page


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("..\\..\\windows\\win.ini", "win.ini.pdf"),
        ("C:\\fakepath\\营业执照.PDF", "营业执照.pdf"),
        ("执照\u202efdp.exe", "执照fdp.exe.pdf"),
        ("a\x00b\r\nc\x1b[31m.pdf", "abc[31m.pdf"),
        ("..", "未命名.pdf"),
        ("", "未命名.pdf"),
        ("/", "未命名.pdf"),
        ("   .pdf.pdf ", "未命名.pdf"),
        ("扫描件.jpeg.pdf", "扫描件.pdf"),
        ('"><script>.pdf', "script.pdf"),
        ("字" * 500 + ".pdf", "字" * 116 + ".pdf"),
        ("\ud800.pdf", "未命名.pdf"),
    ],
)
def test_a_name_is_only_a_name(typed: str, name: str) -> None:
    assert files.clean_name(typed, "application/pdf") == name


def assert_fit(name: str) -> None:
    assert 0 < len(name) <= files.LETTERS
    assert name.endswith(".png")
    assert not name.startswith(".")
    assert not set(name) & set('/\\<>:"|?*')
    assert all(unicodedata.category(letter)[0] != "C" for letter in name)
    name.encode()


@given(st.text())
def test_any_name_comes_out_fit(typed: str) -> None:
    assert_fit(files.clean_name(typed, "image/png"))


def test_naughty_names_are_kept_and_served() -> None:
    listing = DATA / "bad-inputs/blns/blns.json"
    if not listing.exists():
        pytest.skip(f"{listing} is not there")
    names = json.loads(listing.read_text("utf-8"))
    for name in names:
        assert_fit(files.clean_name(name, "image/png"))
    picture = uploads.picture("PNG", size=(20, 20))
    for name in names[::25]:
        file = kept(picture, name=name)
        given_back = files.download(file.id)
        with given_back.data as data:
            assert data.read() == picture
        header = given_back.headers["Content-Disposition"]
        assert header.isascii()
        assert header.isprintable()


@needs_fonts
def test_a_page_is_drawn_with_the_mark_burnt_in() -> None:
    file = kept(uploads.pdf(2))
    page = shown(file, 2, width=1000, mark=MARK)
    assert page.format == "JPEG"
    assert page.size == (1000, 1416)
    assert min(low for low, _ in page.getextrema()) < 230  # type: ignore[misc]
    bare = shown(file, 2, width=1000)
    assert min(low for low, _ in bare.getextrema()) > 250  # type: ignore[misc]
    assert shown(file, width=1).width == 400
    assert shown(file, width=10**9).width == 2000
    black = Image.new("RGB", (595, 842))
    out = io.BytesIO()
    black.save(out, "PNG")
    dark = shown(kept(out.getvalue()), mark=MARK)
    assert max(high for _, high in dark.getextrema()) > 25  # type: ignore[misc]
    for number in (0, 3, -1, 10**9):
        with pytest.raises(LookupError):
            shown(file, number)


@needs_fonts
@pytest.mark.parametrize("size", [(14400, 1), (1, 14400), (14400, 14400)])
def test_a_page_of_any_shape_has_a_bounded_picture(size: tuple[float, float]) -> None:
    page = shown(kept(uploads.pdf(size=size)), width=2000)
    assert page.width <= 2000
    assert page.height <= 8000


@needs_fonts
def test_a_photograph_stands_upright_and_forgets_where_it_was_taken() -> None:
    file = kept(uploads.picture(turned=6))  # the camera was turned: left is up
    page = shown(file)
    assert page.size == (600, 800)
    assert page.getpixel((300, 40))[1] < 60  # type: ignore[index]
    assert page.getpixel((300, 700))[1] > 200  # type: ignore[index]
    assert len(page.getexif()) == 0
    assert b"at home" not in files.page_image(file.id, 1, width=600, mark="")
    assert page.size == shown(kept(uploads.picture("PNG", size=(300, 400)))).size


@needs_fonts
def test_a_page_that_never_ends_is_given_up_and_the_next_one_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "EXAMINING", 1.0)
    monkeypatch.setattr(files, "DRAWING", 1.0)
    before = on_disk()
    with pytest.raises(Refusal, match=r"files\.too_heavy"):
        kept(uploads.hot())
    assert on_disk() == before
    file = kept(uploads.hot(behind=True))
    begun = time.monotonic()
    with pytest.raises(Refusal, match=r"files\.too_heavy"):
        shown(file, 2)
    assert time.monotonic() - begun < 5
    assert shown(kept(uploads.pdf())).width == 600


@needs_fonts
def test_many_at_once_get_their_own_pages() -> None:
    sizes = [(600.0, 600.0 + 50 * n) for n in range(6)]
    all_kept = [kept(uploads.pdf(size=size)) for size in sizes]
    got: dict[int, int] = {}

    def look(n: int) -> None:
        try:
            got[n] = shown(all_kept[n]).height
        finally:
            connection.close()

    threads = [threading.Thread(target=look, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {n: 600 + 50 * n for n in range(6)}


def test_a_changed_file_is_not_served() -> None:
    file = kept(uploads.pdf())
    place_of(file).write_bytes(uploads.pdf(size=(100, 100)))
    ways: list[Callable[[], object]] = [
        lambda: files.open_file(file.id),
        lambda: files.download(file.id),
        lambda: files.page_image(file.id, 1, width=600, mark=MARK),
    ]
    for way in ways:
        with pytest.raises(Refusal, match=r"files\.tampered"):
            way()
    place_of(file).unlink()
    with pytest.raises(Refusal, match=r"files\.lost"):
        files.open_file(file.id)
    with pytest.raises(LookupError):
        files.open_file(uuid4())


def test_a_download_is_saved_and_not_opened() -> None:
    file = kept(uploads.pdf(), name="营业执照.pdf")
    given = files.download(file.id)
    given.data.close()
    assert given.headers["Content-Type"] == "application/octet-stream"
    assert given.headers["Content-Disposition"].startswith("attachment;")
    assert given.headers["X-Content-Type-Options"] == "nosniff"


def test_files_are_bound_by_who_sent_them_to_one_case_only() -> None:
    clerk, other = people.actor("p-water-clerk"), people.actor("p-water-reviewer")
    mine, theirs = kept(uploads.pdf()), kept(uploads.pdf(), by=other.code)
    case, another = uuid4(), uuid4()
    with pytest.raises(Refusal, match=r"files\.not_yours"):
        files.bind([mine.id, theirs.id], by=clerk, stream="case", stream_id=case)
    assert files.of("case", case) == []
    for _ in range(2):  # a repeated submission does nothing
        files.bind([mine.id], by=clerk, stream="case", stream_id=case)
    assert [file.id for file in files.of("case", case)] == [mine.id]
    with pytest.raises(Refusal, match=r"files\.not_yours"):
        files.bind([mine.id], by=clerk, stream="case", stream_id=another)
    with pytest.raises(Refusal, match=r"files\.gone"):
        files.bind([uuid4()], by=clerk, stream="case", stream_id=case)


def test_a_commit_that_does_not_come_leaves_no_binding() -> None:
    file = kept(uploads.pdf())
    with transaction.atomic():
        files.bind([file.id], by=people.actor("p-water-clerk"), stream="case", stream_id=uuid4())
        transaction.set_rollback(True)
    assert files.found([file.id])[file.id].stream is None


def test_what_nobody_bound_is_swept_after_seven_days() -> None:
    loose, bound = kept(uploads.pdf()), kept(uploads.pdf())
    files.bind([bound.id], by=people.actor("p-water-clerk"), stream="case", stream_id=uuid4())
    assert files.sweep(at=AT + timedelta(days=7)) == 0
    assert files.sweep(at=AT + timedelta(days=7, seconds=1)) == 1
    assert files.found([loose.id, bound.id]).keys() == {bound.id}
    assert not place_of(loose).exists()
    assert place_of(bound).exists()


def test_an_upload_that_was_cut_off_leaves_a_stray_that_is_swept() -> None:
    with transaction.atomic():
        stray = kept(uploads.pdf())
        transaction.set_rollback(True)
    half = Path(settings.FILES) / "arriving" / "tmpx.upload"
    half.write_bytes(b"half")
    unsettled = kept(uploads.pdf())
    os.rename(place_of(unsettled), half.parent / unsettled.id.hex)  # a crash before the move
    files.open_file(unsettled.id).close()
    files.bind([unsettled.id], by=people.actor("p-water-clerk"), stream="case", stream_id=uuid4())
    for place in half.parent.iterdir():
        os.utime(place, (AT.timestamp(), AT.timestamp()))
    later = AT + timedelta(days=8)
    assert files.sweep(at=later) >= 2
    assert not (on_disk() & {stray.id.hex, "tmpx.upload"})
    assert place_of(unsettled).exists()


def test_the_worker_sweeps() -> None:
    kept(uploads.pdf())  # at a time long past
    only = tuple(one for one in TIMED if one.name == "sweep_files")
    assert Worker(timed=only).turn() >= 1


def test_an_erased_file_is_gone_from_disk_and_keeps_its_digest() -> None:
    file = kept(uploads.pdf(), name="李小梅.pdf")
    assert files.erase([file.id], at=AT) == 1
    assert files.erase([file.id], at=AT) == 0
    left = files.found([file.id])[file.id]
    assert (left.name, left.erased, left.digest) == ("", AT, file.digest)
    assert not place_of(file).exists()
    with pytest.raises(Refusal, match=r"files\.erased"):
        files.open_file(file.id)
    with pytest.raises(Refusal, match=r"files\.gone"):
        files.bind([file.id], by=people.actor("p-water-clerk"), stream="case", stream_id=uuid4())


def test_the_database_refuses_half_a_binding(owner: Owner) -> None:
    file = kept(uploads.pdf())
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("UPDATE documents_upload SET stream = 'case' WHERE id = %s", (file.id,))
    assert isinstance(file.id, UUID)


ORPHAN = """
import io, os, signal, sys, tempfile
from zhengwu.documents import drawers
with tempfile.TemporaryFile() as file, drawers.drawer() as one:
    file.write(sys.stdin.buffer.read())
    file.flush()
    print(one.ask(file, {"do": "examine", "media": "application/pdf", "drawn": False, "most": 9}))
    print(one._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_drawing_process_does_not_outlive_its_parent_and_knows_no_secret() -> None:
    parent = subprocess.run(
        [sys.executable, "-c", ORPHAN], input=uploads.pdf(), capture_output=True, check=False
    )
    said, pid = parent.stdout.decode().splitlines()
    assert "'pages': 1" in said
    begun = time.monotonic()
    while (place := Path(f"/proc/{pid}/environ")).exists() and time.monotonic() - begun < 10:
        with suppress(OSError):
            if b"State:\tZ" in (place.parent / "status").read_bytes():
                return  # ended; only its new parent has not noticed yet
            assert b"ZHENGWU" not in place.read_bytes()
        time.sleep(0.05)
    assert not place.exists()
