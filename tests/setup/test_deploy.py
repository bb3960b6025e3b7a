"""What stands in deploy/ fits the platform: units, containers, proxy, and the platform in pieces."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.conftest import NAME
from tests.setup.test_start import free_port, get, kin, until_none, until_ready
from zhengwu.commands import main
from zhengwu.config.postgres import APP, OWNER, Cluster, binaries
from zhengwu.config.uploads import FILES_AT_ONCE, FORM

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("zhengwu-*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
DRILL = pytest.mark.skipif(
    os.environ.get("ZHENGWU_DRILL") != "1", reason="a long drill: ZHENGWU_DRILL=1"
)


def documented() -> set[str]:
    text = (ROOT / "docs" / "reference" / "settings.md").read_text()
    return set(re.findall(r"^\| `(ZHENGWU_[A-Z_]+)` \|", text, re.M))


def lines(unit: Path, name: str) -> list[str]:
    """The values of a directive, in their order."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.M)


def environment_file() -> dict[str, str]:
    text = (DEPLOY / "zhengwu.env").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if line and line[0] != "#")


def composed() -> dict[str, Any]:
    found = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert isinstance(found, dict)
    return found


def test_every_setting_that_is_named_is_one() -> None:
    for file in DEPLOY.rglob("*"):
        if file.is_file() and "secrets" not in file.parts:
            for name in re.findall(r"\bZHENGWU_[A-Z_]+\b", file.read_text()):
                assert {name, name.removesuffix("_FILE")} & documented(), (file.name, name)


def test_every_command_that_is_started_is_one() -> None:
    started = [one["command"] for one in platforms().values()]
    for unit in SERVICES:
        (command,) = lines(unit, "ExecStart")
        program, *words = command.removesuffix(" $BACKUP_OPTIONS").split()
        assert program == "/opt/zhengwu/bin/zhengwu"
        started.append(words)
    assert {name for name, *_ in started} == {"web", "work", "migrate", "backup", "doctor"}
    for name, *words in started:  # the options too: the parser takes what stands there
        main.commands[name].make_context(name, list(words))


def test_the_example_settings_pass_what_the_start_refuses() -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ZHENGWU_", "DJANGO_"))}
    given = environment_file() | {
        "ZHENGWU_SECRET_KEY": "k" * 64,
        "ZHENGWU_DATABASE_URL": "postgresql://zhengwu_app:x@127.0.0.1/zhengwu",
        "ZHENGWU_OWNER_DATABASE_URL": "elsewhere",
    }
    code = "from zhengwu.config.settings import unsafe; print('\\n'.join(unsafe()))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | given, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_every_version_says_how_to_upgrade_to_it() -> None:
    versions = (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1:]
    assert versions
    for one in versions:
        upgrade = one.partition("### Upgrade\n")[2]
        said = re.findall(r"^- \*\*(.+?)\*\*: \S.{20,}", upgrade, re.M)
        assert said == ["What changes", "What to do", "Locks", "Going back"], one[:20]


# --- systemd --------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_takes_the_units_and_finds_them_shut(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("zhengwu")
    for unit in UNITS:
        text = unit.read_text().replace("/opt/zhengwu/bin/zhengwu", str(program))
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "zhengwu" in line]
    assert (done.returncode, said) == (0, []), done.stderr
    for unit in SERVICES:
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--threshold=25", "--no-pager", str(tmp_path / unit.name)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout.splitlines()[-1:]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_knows_only_the_secrets_it_needs(unit: Path) -> None:
    given = {word.partition(":")[0] for word in lines(unit, "LoadCredential")}
    environment = dict(word.split("=", 1) for word in lines(unit, "Environment"))
    for name, value in environment.items():
        if name.endswith("_FILE"):
            assert value.removeprefix("%d/") in given
    assert lines(unit, "EnvironmentFile") == ["/etc/zhengwu/zhengwu.env"]
    assert (lines(unit, "User"), lines(unit, "ProtectSystem")) == (["zhengwu"], ["strict"])
    migrates = unit.stem in ("zhengwu-migrate", "zhengwu-backup", "zhengwu-doctor")
    assert ("owner_database_url" in given) is migrates
    assert (environment.get("ZHENGWU_OWNER_DATABASE_URL") == "elsewhere") is not migrates
    if not migrates:
        assert lines(unit, "Restart") == ["always"]
    assert not re.search(r"postgresql://", unit.read_text())


# --- containers -----------------------------------------------------------------------------------


def platforms() -> dict[str, dict[str, Any]]:
    return {
        name: one
        for name, one in composed()["services"].items()
        if one["image"].startswith("zhengwu:")
    }


def test_the_composition_holds_together() -> None:
    whole = composed()
    assert set(whole["services"]) == {"database", "migrate", "web", "work", "backup"}
    for name, one in whole["services"].items():
        assert set(one.get("secrets", ())) <= set(whole["secrets"]), name
        assert set(one["networks"]) <= set(whole["networks"]), name
        for other, how in one.get("depends_on", {}).items():
            needed = whole["services"][other]
            if how["condition"] == "service_healthy":
                assert needed["healthcheck"]["test"][0] == "CMD"
            else:
                assert needed["restart"] == "no"
        for volume in one["volumes"]:
            source = volume.split(":")[0]
            there = (DEPLOY / source).is_file() if source[0] == "." else source in whole["volumes"]
            assert there, (name, volume)
        for setting, value in one.get("environment", {}).items():
            if setting.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in one["secrets"], (name, setting)
    gateway = whole["networks"]["inside"]["ipam"]["config"][0]["gateway"]
    for name, one in platforms().items():
        assert one["environment"]["ZHENGWU_TRUSTED_PROXIES"] == gateway
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert one["build"]["dockerfile"] == "deploy/Containerfile"
        owner = name in ("migrate", "backup")
        assert ("owner_database_url" in one["secrets"]) is owner
        assert (one["environment"].get("ZHENGWU_OWNER_DATABASE_URL") == "elsewhere") is not owner
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    assert {one["image"] for one in platforms().values()} == {f"zhengwu:{version[1]}"}
    assert whole["services"]["database"]["image"] == "postgres:18"
    # From the image's 18 on the data stand a level deeper, and this is the volume it names.
    assert "database:/var/lib/postgresql" in whole["services"]["database"]["volumes"]


def test_the_secrets_are_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    words = ["sh", str(DEPLOY / "compose" / "secrets.sh"), str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    made = {one.name: one.read_text() for one in folder.iterdir()}
    assert set(made) == set(composed()["secrets"])
    for name, one in composed()["secrets"].items():
        assert one["file"] == f"./secrets/{name}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(made["secret_key"]) == 64
    assert made["database_url"] == f"postgresql://zhengwu_app:{made['app_password']}@database:5432/zhengwu"  # fmt: skip
    assert f":{made['owner_password']}@" in made["owner_database_url"]
    assert (
        len({made[name] for name in ("owner_password", "app_password", "postgres_password")}) == 3
    )
    subprocess.run(words, check=True, capture_output=True)
    assert {one.name: one.read_text() for one in folder.iterdir()} == made


# --- the reverse proxy ----------------------------------------------------------------------------


def test_the_proxy_lets_through_what_the_platform_takes_and_claims_nothing_false() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert text.count("{") == text.count("}")
    for line in text.splitlines():
        line = line.split(" # ")[0].strip()
        assert not line or line[0] == "#" or line[-1] in "{};", line
    most = FILES_AT_ONCE * 50 + FORM // 2**20
    assert f"client_max_body_size {most}m;" in text
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert "proxy_set_header X-Forwarded-Proto https;" in text
    assert "proxy_set_header Host $host;" in text
    host, port = environment_file()["ZHENGWU_HOST"], environment_file()["ZHENGWU_PORT"]
    assert f"server {host}:{port};" in text
    assert "alias /var/lib/zhengwu/static/;" in text
    domain = environment_file()["ZHENGWU_PUBLIC_URL"].removeprefix("https://")
    assert set(re.findall(r"server_name (\S+);", text)) == {domain}


# --- in pieces ------------------------------------------------------------------------------------


def pieces(home: Path, port: int, secrets: Path, owner: bool = False) -> dict[str, str]:
    """The surroundings of a service: settings from the example, secrets as files."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ZHENGWU_", "DJANGO_"))}
    return kept | environment_file() | {
        "ZHENGWU_HOME": str(home),
        "ZHENGWU_PORT": str(port),
        "ZHENGWU_WEB_WORKERS": "1",
        "ZHENGWU_SECRET_KEY_FILE": str(secrets / "secret_key"),
        "ZHENGWU_DATABASE_URL_FILE": str(secrets / "database_url"),
        **(
            {"ZHENGWU_OWNER_DATABASE_URL_FILE": str(secrets / "owner_database_url")}
            if owner
            else {"ZHENGWU_OWNER_DATABASE_URL": "elsewhere"}
        ),
    }  # fmt: skip


def zhengwu(word: str, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zhengwu", word],
        env=given, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@contextlib.contextmanager
def started(home: Path, given: dict[str, str], *names: str) -> Iterator[list[subprocess.Popen[bytes]]]:  # fmt: skip
    with (home / "said").open("ab") as said:
        running = [
            subprocess.Popen([sys.executable, "-m", "zhengwu", name], env=given, stdout=said, stderr=said)
            for name in names
        ]  # fmt: skip
    try:
        yield running
    finally:
        for one in running:
            if one.poll() is None:
                one.terminate()
        for one in running:
            one.wait(60)
        for pid in kin(home):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@DRILL
@pytest.mark.usefixtures("db")
def test_web_and_work_run_apart_and_neither_knows_the_owner(
    cluster: Cluster, tmp_path: Path
) -> None:
    home, port = tmp_path / "var", free_port()
    home.mkdir()
    (tmp_path / "secret_key").write_text("k" * 64)
    (tmp_path / "database_url").write_text(cluster.url(role=APP, database=NAME))
    given = pieces(home, port, tmp_path)
    refused = zhengwu("migrate", given)
    assert refused.returncode == 1
    assert "elsewhere" in refused.stderr
    assert "Traceback" not in refused.stderr

    with started(home, given, "web", "work") as running:
        until_ready(port)
        assert get(port, "/healthz")[0] == 200
        web, work = running
        for one in (web, work):
            one.terminate()
        assert [one.wait(60) for one in running] == [0, 0], (home / "said").read_text()
    assert until_none(home) == {}


@pytest.mark.usefixtures("db")
def test_web_alone_wants_a_migrated_database_and_a_user_that_cannot_rewrite_the_log(
    cluster: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "secret_key").write_text("k" * 64)
    given = pieces(tmp_path / "var", free_port(), tmp_path)
    del given["ZHENGWU_DATABASE_URL_FILE"]
    for url, words in (
        ("", "zhengwu serve"),
        (cluster.url(role=OWNER, database=NAME), "可以改写事件账"),
        (cluster.url(role=APP, database="postgres"), "zhengwu migrate"),
    ):
        refused = zhengwu("web", given | {"ZHENGWU_DATABASE_URL": url})
        assert refused.returncode == 1
        assert words in refused.stderr
        assert "Traceback" not in refused.stderr


@DRILL
def test_from_an_empty_server_as_the_composition_does_it(tmp_path: Path) -> None:
    """The very scripts: secrets, roles, migration, web and worker on a server of its own."""
    server = Cluster(tmp_path / "postgres")
    home, port, secrets = tmp_path / "var", free_port(), tmp_path / "secrets"
    home.mkdir()
    with server.start():
        with server.connect() as superuser:
            superuser.execute("DROP DATABASE zhengwu")
            for role in (APP, OWNER):
                superuser.execute(f"DROP OWNED BY {role}")
                superuser.execute(f"DROP ROLE {role}")
        subprocess.run(["sh", str(DEPLOY / "compose" / "secrets.sh"), str(secrets)], check=True)
        for name in ("database_url", "owner_database_url"):
            # Our server listens on a socket only.
            text = (secrets / name).read_text()
            folder = str(server.socket_folder).replace("/", "%2F")
            (secrets / name).chmod(0o600)
            (secrets / name).write_text(text.replace("@database:5432", f"@{folder}:5432"))
        subprocess.run(
            ["bash", str(DEPLOY / "compose" / "roles.sh")],
            env={
                "PATH": f"{binaries()}:/usr/bin:/bin",
                "SECRETS": str(secrets),
                "PGHOST": str(server.socket_folder),
                "PGPASSWORD": server.password(),
            },
            check=True,
        )
        given = pieces(home, port, secrets, owner=True)
        done = zhengwu("migrate", given)
        assert done.returncode == 0, done.stderr
        assert "ledger.0001" in done.stdout
        with started(home, pieces(home, port, secrets), "web", "work"):
            until_ready(port)
            told = zhengwu("doctor", given)
            assert told.returncode == 0, told.stdout
            assert "[好]   应用的数据库用户 zhengwu_app 不能改写事件账" in told.stdout
            with psycopg.connect((secrets / "database_url").read_text()) as app:
                row = app.execute("SELECT current_user").fetchone()
                assert row == (APP,)
    assert until_none(home) == {}
