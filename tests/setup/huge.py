"""Requests that announce more than anybody may send."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

TWO_GB = 2 * 1024**3
PIECE = bytes(1 << 20)


def memory(processes: Iterable[int]) -> int:
    """KB that these processes hold."""
    held = 0
    for pid in processes:
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


def refused_before_it_is_read(port: int, processes: Callable[[], Iterable[int]]) -> None:
    """Two gigabytes cost the server a page, and no memory, whether it knows how many come or not."""
    before = memory(processes())
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
    assert memory(processes()) - before < 40 * 1024  # KB
