"""The wheel: everything the platform needs is in it, and it runs where there is no checkout.

ZHENGWU_DRILL=1 builds it, installs it into an empty environment and looks at the pages it serves.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pypdf
import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.setup.test_start import free_port, kin, until_none

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "zhengwu"
DRILL = pytest.mark.skipif(
    os.environ.get("ZHENGWU_DRILL") != "1", reason="a long drill: ZHENGWU_DRILL=1"
)
PATIENCE = 900.0  # seconds until the demo city stands, on a machine that does much else


def packed() -> set[str]:
    """What hatch would put into the wheel, by its own reckoning."""
    files = WheelBuilder(str(ROOT)).recurse_included_files()
    return {str(file.distribution_path) for file in files}


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else() -> None:
    there = {
        str(file.relative_to(SOURCE.parent))
        for file in SOURCE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert packed() == there
    kinds = {Path(name).suffix for name in there}
    assert kinds >= {
        ".py", ".typed", ".j2", ".html", ".txt", ".typ", ".css", ".js", ".map", ".svg", ".ttf",
        ".csv", ".json", ".toml",
    }  # fmt: skip


def test_front_end_files_fonts_data_and_migrations_go_along() -> None:
    within = packed()
    for folder, files in json.loads((ROOT / "package.json").read_text())["copy"].items():
        for name in files:
            assert f"{folder.removeprefix('src/')}/{name}" in within
    for name in (
        "zhengwu/catalog/data/items.csv",
        "zhengwu/calendars/data/holidays.json",
        "zhengwu/cases/mappings/receipt.toml",
        "zhengwu/ledger/migrations/__init__.py",
        "zhengwu/web/templates/layout.html.j2",
        "zhengwu/py.typed",
    ):
        assert name in within
    assert not [name for name in within if re.search(r"test|conftest|\.pyc|node_modules", name)]


def test_without_its_fonts_no_wheel_is_built(tmp_path: Path) -> None:
    from hatch_build import Complete

    for name in ("package.json", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    builder = WheelBuilder(str(tmp_path))
    hook = Complete(str(tmp_path), {}, builder.config, builder.metadata, str(tmp_path), "wheel")
    hook.initialize("editable", {})
    with pytest.raises(FileNotFoundError, match=r"NotoSerifSC-Regular\.ttf.*make setup"):
        hook.initialize("standard", {})


# --- the drill ------------------------------------------------------------------------------------


def clean(**given: str) -> dict[str, str]:
    """An environment that knows nothing of the checkout, nor of its virtual environment."""
    kept = ("PATH", "HOME", "LANG", "USER", "TMPDIR", "UV_CACHE_DIR", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")  # fmt: skip
    return {k: v for k, v in os.environ.items() if k in kept} | {"UV_LINK_MODE": "copy"} | given


def do(*words: str | Path, cwd: Path, code: int = 0, given: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=clean(**(given or {})), capture_output=True,
        text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Site:
    """The served site, asked as a browser asks: what a page names is fetched too."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str) -> tuple[int, str, bytes]:
        where = contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60))
        with where as web:
            web.request("GET", quote(path, safe="/?=&%"))
            answer = web.getresponse()
            return answer.status, answer.getheader("Content-Type") or "", answer.read()

    def found(self, path: str) -> tuple[str, bytes]:
        status, kind, body = self.get(path)
        assert status == 200, (path, status)
        assert body, path
        return kind, body

    def until_ready(self, parent: subprocess.Popen[bytes], said: Path) -> None:
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE:
            assert parent.poll() is None, said.read_text()
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.get("/readyz")[0] == 200:
                    return
            time.sleep(0.3)
        raise AssertionError(said.read_text())

    def named(self, path: str) -> set[str]:
        """The addresses on this site that a page names, and those its stylesheets name."""
        page = self.found(path)[1].decode()
        named = {
            urljoin(path, one)
            for one in re.findall(r"<(?:link|script|img)\b[^>]*?(?:href|src)=\"([^\"]+)\"", page)
        }
        for sheet in sorted(one for one in named if urlsplit(one).path.endswith(".css")):
            text = self.found(sheet)[1].decode()
            named |= {
                urljoin(sheet, one)
                for one in re.findall(r"url\(\s*[\"']?([^\"')]+)", text)
                if not one.startswith(("data:", "#"))
            }
        return {one for one in named if not urlsplit(one).netloc}


def faces(pdf: bytes) -> set[str]:
    """The fonts its pages are set in."""
    found = set()
    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        resources: Any = page["/Resources"]
        found |= {str(one.get_object()["/BaseFont"]) for one in resources["/Font"].values()}
    return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for pid in kin(tmp_path / "empty"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)


@DRILL
def test_the_wheel_alone_serves_the_demo_city(place: Path) -> None:
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    do(uv, "build", "--wheel", "--out-dir", place / "dist", cwd=ROOT)
    (wheel,) = (place / "dist").glob("*.whl")
    # With the versions of the lock file, as the guide says it.
    do(
        uv, "export", "--frozen", "--no-default-groups", "--no-emit-project", "--no-annotate",
        "-o", place / "dist" / "requirements.txt", cwd=ROOT,
    )  # fmt: skip
    do(uv, "venv", "--python", sys.executable, place / "venv", cwd=place)
    python = place / "venv" / "bin" / "python"
    do(
        uv,
        "pip",
        "install",
        "--python",
        python,
        "-r",
        place / "dist" / "requirements.txt",
        cwd=place,
    )
    do(uv, "pip", "install", "--python", python, "--no-deps", wheel, cwd=place)
    do(uv, "pip", "check", "--python", python, cwd=place)
    empty = place / "empty"
    empty.mkdir()
    zhengwu = python.with_name("zhengwu")
    assert "zhengwu, version" in do(zhengwu, "--version", cwd=empty)
    assert "退出码" in do(zhengwu, "--help", cwd=empty)
    # Outside the demo nothing is set yet: it says so, and makes nothing.
    told = json.loads(do(zhengwu, "doctor", "--json", cwd=empty, code=1))
    assert {one["check"] for one in told["findings"] if one["state"] == "wrong"} == {"safety"}
    assert list(empty.iterdir()) == []

    port = free_port()
    given = {"ZHENGWU_DEMO": "1", "ZHENGWU_PORT": str(port)}
    site, said = Site(port), place / "said"
    with said.open("wb") as out:
        parent = subprocess.Popen(
            [str(zhengwu), "serve"], cwd=empty, env=clean(**given, PWD=str(empty)), stdout=out,
            stderr=out,
        )  # fmt: skip
    try:
        site.until_ready(parent, said)
        pages = ["/", "/items", "/help", "/account/login"]
        named = set().union(*(site.named(page) for page in pages))
        assert any(one.endswith(".css") for one in named)
        assert any(one.endswith(".js") for one in named)
        for one in sorted(named):
            kind, _ = site.found(one)
            if one.endswith(".css"):
                assert kind.startswith("text/css"), one
            if one.endswith(".js"):
                assert "javascript" in kind, one

        # A guide on paper: typst and the fonts of the wheel.
        item = re.findall(
            r"href=\"(/items/[0-9A-Za-z-]+)\"", site.found("/items?q=取水")[1].decode()
        )
        guide = site.found(item[0])[1].decode()
        (paper, *_) = re.findall(r"href=\"([^\"]+\.pdf)[^\"]*\"", guide)
        kind, body = site.found(urljoin(item[0], paper))
        assert kind == "application/pdf"
        names = faces(body)
        assert names
        assert all("NotoSerifSC" in name for name in names), names

        # The whole of it is in order, and says so.
        told = json.loads(do(zhengwu, "doctor", "--json", cwd=empty, given=given))
        states = {one["check"]: one["state"] for one in told["findings"]}
        assert told["ok"]
        for check in ("server", "encoding", "durable", "log", "owner", "migrations", "worker", "watermark", "followers", "fonts", "frontend", "drawing", "port", "seal"):  # fmt: skip
            assert states[check] == "ok", told
        assert "每一种都被拒绝了" in do(zhengwu, "tamper", cwd=empty, given=given)
    finally:
        parent.terminate()
        code = parent.wait(60)
        print(said.read_text())
    assert code == 0, said.read_text()
    assert until_none(empty) == {}
    assert [one.name for one in empty.iterdir()] == ["var"]
