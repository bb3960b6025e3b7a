"""Settings: every one documented, unsafe ones refused outside the demo."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import click
import pytest
from django.core.exceptions import ImproperlyConfigured

from zhengwu.commands import main
from zhengwu.config import environment

ROOT = Path(__file__).resolve().parents[2]
READ = re.compile(r"\benv(?:_bool|_int|_list)?\(\s*\"([A-Z_]+)\"")
SAFE = {
    "ZHENGWU_SECRET_KEY": "k" * 60,
    "ZHENGWU_ALLOWED_HOSTS": "zw.example.cn",
    "ZHENGWU_PUBLIC_URL": "https://zw.example.cn",
    "ZHENGWU_DATABASE_URL": "postgresql://app:x@localhost/zhengwu",
    "ZHENGWU_OWNER_DATABASE_URL": "postgresql://owner:x@localhost/zhengwu",
}


def unsafe(**settings: str) -> str:
    """What a fresh process outside the demo says about these settings."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ZHENGWU_")}
    code = "from zhengwu.config.settings import unsafe; print('\\n'.join(unsafe()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, **SAFE, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_every_setting_that_is_read_is_documented_and_no_other() -> None:
    read = set()
    for file in (ROOT / "src").rglob("*.py"):
        read |= set(READ.findall(file.read_text()))
    text = (ROOT / "docs/reference/settings.md").read_text()
    documented = set(re.findall(r"^\| `ZHENGWU_([A-Z_]+)` \|", text, re.M))
    assert read == documented


def test_nothing_reads_the_environment_behind_the_readers_back() -> None:
    allowed = {
        "environment.py",
        "serve.py",
        "generations.py",
        "jobs.py",
        "figures.py",
        "wsgi.py",
        "base.py",
        "checkup.py",
        "doctor.py",
    }
    for file in (ROOT / "src").rglob("*.py"):
        if "os.environ" in file.read_text():
            assert file.name in allowed, file


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text()
    for name, command in main.commands.items():
        assert command.help, name
        names = (
            [f"{name} {below}" for below in command.commands]
            if isinstance(command, click.Group)
            else [name]
        )
        for full in names:
            assert f"`zhengwu {full}" in text, full


def test_safe_settings_pass() -> None:
    assert unsafe() == ""


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"ZHENGWU_SECRET_KEY": ""}, "ZHENGWU_SECRET_KEY"),
        ({"ZHENGWU_SECRET_KEY": "short"}, "ZHENGWU_SECRET_KEY"),
        ({"ZHENGWU_DEBUG": "1"}, "ZHENGWU_DEBUG"),
        ({"ZHENGWU_ALLOWED_HOSTS": "*"}, "ZHENGWU_ALLOWED_HOSTS"),
        ({"ZHENGWU_ALLOWED_HOSTS": "a.cn,.b.cn"}, "ZHENGWU_ALLOWED_HOSTS"),
        ({"ZHENGWU_DEMO_CLOCK": "+3d"}, "ZHENGWU_DEMO_CLOCK"),
        ({"ZHENGWU_OWNER_DATABASE_URL": ""}, "ZHENGWU_OWNER_DATABASE_URL"),
        ({"ZHENGWU_PUBLIC_URL": "http://zw.example.cn"}, "ZHENGWU_PUBLIC_URL"),
    ],
)
def test_an_unsafe_setting_is_refused_outside_the_demo(settings: dict[str, str], word: str) -> None:
    assert word in unsafe(**settings)
    assert unsafe(**settings, ZHENGWU_DEMO="1") == ""


def test_a_setting_can_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("secret\n")
    monkeypatch.setenv("ZHENGWU_ANYTHING_FILE", str(tmp_path / "key"))
    assert environment.env("ANYTHING") == "secret"
    monkeypatch.setenv("ZHENGWU_ANYTHING_FILE", str(tmp_path / "none"))
    with pytest.raises(ImproperlyConfigured, match="ZHENGWU_ANYTHING_FILE"):
        environment.env("ANYTHING")


@pytest.mark.parametrize("given", ["", "eight", "0", "65536", "-1", "8000.5", "٨٠٠٠"])
def test_a_port_that_is_none_is_named(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHENGWU_PORT", given)
    with pytest.raises(ImproperlyConfigured, match="ZHENGWU_PORT"):
        environment.address()


def test_the_demo_clock_is_read() -> None:
    assert environment.shift("+3d") == timedelta(days=3)
    assert environment.shift("-12h") == timedelta(hours=-12)
    assert environment.shift("") == timedelta()
    with pytest.raises(ImproperlyConfigured):
        environment.shift("tomorrow")


def test_a_socket_folder_may_be_the_host() -> None:
    found = environment.database("postgresql://a:p%40@%2Fvar%2Frun:5432/z", name="app")
    assert (found["HOST"], found["PORT"], found["PASSWORD"]) == ("/var/run", "5432", "p@")
