"""A request that announces 2 GB costs the server a page, and no memory."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.test import Client, RequestFactory

from tests.setup.test_start import free_port, home, kin, served, until_ready

__all__ = ["home"]
TWO_GB = 2 * 1024**3
PIECE = bytes(1 << 20)


def memory(home: Path) -> int:
    """KB that every process of this home holds."""
    held = 0
    for pid in kin(home):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    held += int(line.split()[1])
    return held


def sent(port: int, head: str, body: Iterator[bytes]) -> tuple[str, int]:
    """What the server answers, and how many bytes of the body it took before it hung up."""
    taken = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(head.encode())
        answer = b""
        line.settimeout(2)
        with contextlib.suppress(TimeoutError):  # a server that wants the body first says nothing
            while piece := line.recv(65536):
                answer += piece
        with contextlib.suppress(OSError):
            for piece in body:
                line.sendall(piece)
                taken += len(piece)
        with contextlib.suppress(OSError):
            while piece := line.recv(65536):
                answer += piece
    return answer.decode(errors="replace"), taken


def head(length: str) -> str:
    return (
        "POST /desk/register/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\n{length}\r\n\r\n"
    )


def test_two_gigabytes_are_refused_in_words_before_they_are_read(home: Path) -> None:
    port = free_port()
    with served(home, port):
        until_ready(port)
        before = memory(home)
        for _ in range(3):
            answer, taken = sent(port, head(f"Content-Length: {TWO_GB}"), iter([PIECE] * 2048))
            assert answer.startswith("HTTP/1.1 413")
            assert "这次提交共 2.0 GB，一次最多 200 MB" in answer
            assert taken < 16 * 2**20
        chunk = b"100000\r\n" + PIECE + b"\r\n"
        answer, taken = sent(port, head("Transfer-Encoding: chunked"), iter([chunk] * 2048))
        assert answer.startswith("HTTP/1.1 411")
        assert "没有说明内容有多大" in answer
        assert taken < 16 * 2**20
        assert memory(home) - before < 40 * 1024  # KB


def test_a_file_goes_past_memory_into_our_own_folder() -> None:
    given = RequestFactory().post("/", {"file": io.BytesIO(PIECE), "small": io.BytesIO(b"x")})
    file = given.FILES["file"]
    assert isinstance(file, TemporaryUploadedFile)
    place = Path(file.temporary_file_path())
    assert place.parent == Path(settings.FILES) / "arriving"
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert place.stat().st_mode & 0o777 == 0o600
    given.close()
    assert not place.exists()


@pytest.mark.usefixtures("city")
def test_a_stranger_sends_no_more_than_a_form() -> None:
    for size, wanted in ((3 * 2**20, 413), (2**20, 302)):
        answer = Client().post("/desk/", data=b"x" * size, content_type="application/octet-stream")
        assert answer.status_code == wanted
        assert ("请先登录" in answer.content.decode()) == (wanted == 413)
