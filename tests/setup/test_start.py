"""The command: problems said in words, nothing left behind, a dead child started again."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.setup.huge import refused_before_it_is_read

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def surroundings(home: Path, port: int) -> dict[str, str]:
    """Outside the demo: the same processes, without the minute the demo city takes."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ZHENGWU_", "DJANGO_"))}
    return {
        **clean,
        "ZHENGWU_HOME": str(home),
        "ZHENGWU_PORT": str(port),
        "ZHENGWU_SECRET_KEY": "only-for-this-test-" * 4,
        "ZHENGWU_PUBLIC_URL": "https://localhost",
    }


def command(*words: str, home: Path, port: int = 8000) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zhengwu", *words],
        env=surroundings(home, port),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def get(port: int, path: str) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as web:
        web.request("GET", path)
        answer = web.getresponse()
        return answer.status, answer.read().decode()


def until_ready(port: int, *, wanted: bool = True) -> float:
    """Seconds until /readyz says so."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if (get(port, "/readyz")[0] == 200) is wanted:
                return time.monotonic() - begun
        time.sleep(0.05)
    raise AssertionError(f"not {'ready' if wanted else 'gone'} within {PATIENCE} s")


def kin(home: Path) -> dict[int, str]:
    """The processes that belong to this home folder, by their environment or command line."""
    mark = os.fsencode(str(home))
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes()
            if mark in words or mark in (process / "environ").read_bytes():
                state = (process / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found[int(process.name)] = words.replace(b"\0", b" ").decode(errors="replace")
    return found


def until_none(home: Path) -> dict[int, str]:
    begun = time.monotonic()
    # A web process lets what it is at come to its end, and ends by itself a minute later.
    while (left := kin(home)) and time.monotonic() - begun < 90:
        time.sleep(0.1)
    return left


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home folder with a path of more than 120 characters that also a server's user reaches."""
    folder = tmp_path / ("很长的路径-" * 4) / ("a-long-path-" * 5) / "var"
    folder.mkdir(parents=True)
    assert len(str(folder)) > 120
    yield folder
    for pid in kin(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def served(home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    with (home / "said").open("wb") as said:
        parent = subprocess.Popen(
            [sys.executable, "-m", "zhengwu", "serve"],
            env=surroundings(home, port),
            cwd=ROOT,
            stdout=said,
            stderr=said,
        )
    try:
        yield parent
    finally:
        if parent.poll() is None:
            parent.terminate()
        parent.wait(30)


def test_a_life_in_a_long_path_with_two_gigabytes_sent_to_it(home: Path) -> None:
    port = free_port()
    with served(home, port) as parent:
        until_ready(port)
        assert get(port, "/healthz")[0] == 200
        assert (home / "postgres" / "secret").stat().st_mode & 0o777 == 0o600

        # A second parent in the same home, and somebody else on the same port, are told.
        again = command("serve", home=home, port=free_port())
        assert again.returncode == 1
        assert "已经有一个在运行" in again.stderr
        other = home.parent / "other"
        taken = command("serve", home=other, port=port)
        assert taken.returncode == 1
        assert f"端口 {port} 已被" in taken.stderr
        assert "ZHENGWU_PORT=" in taken.stderr

        # Commands run beside it.
        assert "每一种都被拒绝了" in command("tamper", home=home).stdout

        # The check-up finds everything in order, with the private database too.
        checked = command("doctor", home=home, port=port)
        assert checked.returncode == 0, checked.stdout
        assert "[好]   后台进程在工作" in checked.stdout
        assert "[好]   提交过的不怕断电" in checked.stdout
        assert f"[好]   网站正在 127.0.0.1:{port} 运行" in checked.stdout

        refused_before_it_is_read(port, lambda: kin(home))

        # A worker that dies is started again.
        (worker,) = (pid for pid, words in kin(home).items() if words.endswith("zhengwu work "))
        os.kill(worker, signal.SIGKILL)
        until_ready(port, wanted=False)
        until_ready(port)

        parent.send_signal(signal.SIGINT)
        assert parent.wait(30) == 0
    assert until_none(home) == {}

    # The second start builds nothing anew, and a parent is killed outright.
    built = (home / "postgres" / "secret").read_bytes()
    begun = time.monotonic()
    with served(home, port) as parent:
        until_ready(port)
        print(f"second start: {time.monotonic() - begun:.1f} s")  # 5 s alone on the machine
        assert (home / "postgres" / "secret").read_bytes() == built
        parent.kill()
        parent.wait(10)
        assert until_none(home) == {}


def test_a_plain_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    said = command("doctor", home=tmp_path / "var")
    assert said.returncode == 1
    assert "Traceback" not in said.stderr


def test_a_read_only_folder(tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    sealed.mkdir()
    if os.geteuid() == 0:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro", "none", str(sealed)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no read-only folder can be made for root here: {done.stderr.strip()}")
    else:
        sealed.chmod(0o500)
    try:
        said = command("serve", home=sealed / "var", port=free_port())
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(sealed)], check=True)
    assert said.returncode == 1
    assert "不可写" in said.stderr
    assert "ZHENGWU_HOME" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_full_disk(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        said = command("serve", home=small / "var", port=free_port())
        assert said.returncode == 1
        assert "磁盘空间不足" in said.stderr
        with contextlib.suppress(OSError):
            (small / "fill").write_bytes(b"0" * 2**21)
        said = command("serve", home=small / "var", port=free_port())
        assert said.returncode == 1
        assert "磁盘" in said.stderr
        assert "Traceback" not in said.stderr
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_unsafe_settings_end_every_command(tmp_path: Path) -> None:
    given = surroundings(tmp_path / "var", free_port())
    given["ZHENGWU_ALLOWED_HOSTS"] = "*"
    for words in (["serve"], ["work"], ["migrate"]):
        said = subprocess.run(
            [sys.executable, "-m", "zhengwu", *words],
            env=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 1, words
        assert "ZHENGWU_ALLOWED_HOSTS" in said.stderr
        assert "Traceback" not in said.stderr


def test_a_wrong_python_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in ("Makefile", "pyproject.toml", "uv.lock", "package.json", "package-lock.json"):
        shutil.copy(ROOT / name, copy)
    done = subprocess.run(
        ["make", "run", f"PYTHON={old}"], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "需要 Python 3.11" in done.stderr
