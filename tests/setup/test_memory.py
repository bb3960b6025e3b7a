"""What a process that serves does with its memory once everything is imported."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zhengwu.config import memory

HELD = """
from pathlib import Path
from zhengwu.config import memory

def large():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("AnonHugePages"))

held = [str(n) * 3 for n in range(1_000_000)]
before = large()
put = memory.in_large_pages()
assert held == [str(n) * 3 for n in range(1_000_000)]
print(put, large() - before, memory.in_large_pages() >= put)
"""


def test_what_is_in_memory_lies_in_large_pages_and_reads_as_before() -> None:
    said = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, text=True, check=True
    ).stdout.split()
    put, more = int(said[0]), int(said[1])
    asked = memory.ASKED.read_text() if memory.ASKED.exists() else "[never]"
    if "[never]" in asked:
        assert put == 0
    assert put == 0 or more > put // 2  # what is not asked for, or not given, is not said to be
    assert said[2] == "True"


def test_a_system_without_large_pages_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory, "ASKED", tmp_path / "enabled")
    assert memory.in_large_pages() == 0
    (tmp_path / "enabled").write_text("always madvise [never]\n")
    assert memory.in_large_pages() == 0


HARDLY = """
import ctypes, mmap
from zhengwu.config import memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * memory.PAGE

memory.in_large_pages()
held = mmap.mmap(-1, 64 << 20)
for at in range(0, 64 << 20, 2 << 20):
    held[at] = 1  # one page of each piece, as in the stack of a thread
before = resident()
memory.in_large_pages()
print(resident() - before)
"""


def test_what_is_hardly_in_use_is_left_as_it_is() -> None:
    said = subprocess.run(
        [sys.executable, "-c", HARDLY], capture_output=True, text=True, check=True
    ).stdout
    assert int(said) < 32 << 20


def test_what_comes_later_is_put_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    put = threading.Semaphore(0)
    monkeypatch.setattr(memory, "FIRST", 0.01)
    monkeypatch.setattr(memory, "EACH", 0.01)
    monkeypatch.setattr(memory, "in_large_pages", put.release)
    thread = memory.keep_settled()
    assert thread.daemon  # it keeps no process alive
    assert put.acquire(timeout=30)
    assert put.acquire(timeout=30)


def test_what_the_start_up_made_is_not_looked_through_again() -> None:
    said = subprocess.run(
        [
            sys.executable, "-c",
            "import gc; from zhengwu.config import memory; memory.settle();"
            " print(gc.get_freeze_count() > 1_000, gc.get_threshold() == memory.THRESHOLD)",
        ],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert said == ["True", "True"]
    assert gc.get_threshold() != memory.THRESHOLD  # of this process, which did not settle
