"""The check-up: things are really broken here, and it must find them all and say what to do."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.conftest import NAME
from tests.setup.test_start import free_port
from zhengwu.config.postgres import APP, OWNER, Cluster

SOURCE = Path(__file__).resolve().parents[2] / "src" / "zhengwu"
ODD = "zhengwu_odd"


@dataclass(frozen=True, slots=True)
class Report:
    """What `zhengwu doctor --json` told."""

    code: int
    told: dict[str, Any]

    def states(self) -> dict[str, str]:
        """check → the worst state that any of its findings has."""
        worst: dict[str, str] = {}
        for state in ("ok", "hint", "wrong"):
            worst |= {one["check"]: state for one in self.told["findings"] if one["state"] == state}
        return worst

    def of(self, check: str) -> str:
        """Everything it says about a check."""
        return "\n".join(
            one["says"] + one["do"] for one in self.told["findings"] if one["check"] == check
        )


def doctor(home: Path, *given: Mapping[str, str], port: int | None = None, **more: str) -> Report:
    done = run(home, *given, more, words=("--json",), port=port)
    assert "Traceback" not in done.stderr, done.stderr
    told = json.loads(done.stdout)
    assert (done.returncode == 0) is told["ok"]
    assert told["wrong"] == sum(one["state"] == "wrong" for one in told["findings"])
    return Report(done.returncode, told)


def run(
    home: Path,
    *given: Mapping[str, str],
    words: Sequence[str] = (),
    port: int | None = None,
) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ZHENGWU_", "DJANGO_"))}
    safe = {
        "ZHENGWU_HOME": str(home),
        "ZHENGWU_PORT": str(port or free_port()),
        "ZHENGWU_SECRET_KEY": "only-for-this-test-" * 4,
        "ZHENGWU_PUBLIC_URL": "https://zw.example.cn",
        "ZHENGWU_ALLOWED_HOSTS": "zw.example.cn",
        "ZHENGWU_TRUSTED_PROXIES": "127.0.0.1",
    }
    return subprocess.run(
        [sys.executable, "-m", "zhengwu", "doctor", *words],
        env=dict(ChainMap(*map(dict, reversed(given)), safe, kept)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def urls(cluster: Cluster, database: str = NAME, *, app: str = APP) -> dict[str, str]:
    return {
        "ZHENGWU_DATABASE_URL": cluster.url(role=app, database=database),
        "ZHENGWU_OWNER_DATABASE_URL": cluster.url(role=OWNER, database=database),
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "var"
    place.mkdir()
    return place


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that really cannot be written; for root that takes a mount."""
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield
        folder.chmod(0o700)
        return
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "none", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"no read-only folder can be made for root here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def answering(port: int) -> Iterator[None]:
    """Something that answers as a web process does, without a worker beside it."""

    class Alive(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok\n")

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Alive)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.usefixtures("db")
def test_a_sound_database_is_told_part_by_part(cluster: Cluster, home: Path) -> None:
    (home / "backup.json").write_text(
        json.dumps({"at": datetime.now(UTC).isoformat(), "file": str(home)})
    )
    report = doctor(home, urls(cluster))
    sound = {
        "python", "home", "disk", "port", "settings", "safety", "public_url", "proxy", "server",
        "encoding", "log", "clock", "owner", "migrations", "watermark", "followers", "fonts",
        "frontend", "files", "drawing", "backup",
    }  # fmt: skip
    assert {check for check, state in report.states().items() if state == "ok"} >= sound - {"disk"}
    # The server of the tests really does not survive a power cut.
    assert report.states()["durable"] == "wrong"
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert f"{name} = on" in report.of("durable")
    assert report.states()["worker"] == "hint"
    assert report.states()["calendar"] in ("ok", "hint")
    assert report.code == 1


def test_one_trouble_hides_no_other(tmp_path: Path, home: Path) -> None:
    """Everything around the database broken at once, and the database down."""
    copy = tmp_path / "copy" / "zhengwu"
    shutil.copytree(
        SOURCE, copy, ignore=shutil.ignore_patterns("fonts", "__pycache__", "htmx.min.js")
    )
    home.chmod(0o777)
    (home / "files").mkdir()
    old = datetime.now(UTC) - timedelta(days=9)
    (home / "backup.json").write_text(json.dumps({"at": old.isoformat(), "file": "/gone"}))
    key = tmp_path / "key"
    key.write_text("only-for-this-test-" * 4)
    key.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken, read_only(home / "files"):
        report = doctor(
            home,
            port=taken.getsockname()[1],
            PYTHONPATH=str(copy.parent),
            ZHENGWU_DATABASE_URL=f"postgresql://a:b@127.0.0.1:{free_port()}/zhengwu",
            ZHENGWU_OWNER_DATABASE_URL=f"postgresql://o:b@127.0.0.1:{free_port()}/zhengwu",
            ZHENGWU_ALLOWED_HOSTS="other.example.cn",
            ZHENGWU_SECRET_KEY_FILE=str(key),
            ZHENGWU_DEBUG="1",
            ZHENGWU_TRUSTED_PROXIES="",
            ZHENGWU_SEAL="nowhere.Seal",
        )
    states = report.states()
    for check, words in {
        "home": "chmod o-w",
        "port": "已被别的程序占用",
        "safety": "ZHENGWU_DEBUG",
        "public_url": "zw.example.cn",
        "database": "数据库连不上",
        "fonts": "NotoSerifSC-Regular.ttf",
        "frontend": "htmx.min.js",
        "settings": "nowhere.Seal",
        "seal": "nowhere",
        "files": "不可写",
        "drawing": "制图进程不能用",
        "backup": "216 小时以前",
    }.items():
        assert (check, states[check]) == (check, "wrong")
        assert words in report.of(check), check
    for check, words in {"secrets": "chmod o-rw", "proxy": "ZHENGWU_TRUSTED_PROXIES"}.items():
        assert (check, states[check]) == (check, "hint")
        assert words in report.of(check), check
    assert states["python"] == "ok"


@pytest.mark.usefixtures("db")
def test_an_odd_database_is_seen_through(cluster: Cluster, home: Path) -> None:
    """Wrong letters, nothing migrated, a clock of its own, and the owner's URL is another's."""
    with cluster.connect() as superuser:
        superuser.execute(
            f"CREATE DATABASE {ODD} OWNER {OWNER} TEMPLATE template0 ENCODING 'LATIN1'"
            " LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    try:
        with cluster.connect(ODD) as superuser:
            superuser.execute(
                "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS"
                " $$ SELECT pg_catalog.clock_timestamp() + interval '45 s' $$"
            )
            superuser.execute(
                f"ALTER ROLE {APP} IN DATABASE {ODD} SET search_path = public, pg_catalog"
            )
        given = urls(cluster, ODD)
        given["ZHENGWU_OWNER_DATABASE_URL"] = cluster.url(role=OWNER, database=NAME)
        report = doctor(home, given)
    finally:
        with cluster.connect() as superuser:
            superuser.execute(f"ALTER ROLE {APP} IN DATABASE {ODD} RESET search_path")
            superuser.execute(f"DROP DATABASE {ODD} WITH (FORCE)")
    states = report.states()
    for check, words in {
        "encoding": "LATIN1",
        "clock": "慢 45",
        "owner": NAME,
        "migrations": "zhengwu migrate",
    }.items():
        assert (check, states[check]) == (check, "wrong")
        assert words in report.of(check), check
    assert states["server"] == states["fonts"] == "ok"
    assert "worker" not in states  # nothing is asked of tables that are not there


@pytest.mark.usefixtures("db")
def test_an_application_that_owns_the_log_a_held_watermark_and_no_worker(
    cluster: Cluster, home: Path, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    port = free_port()
    with answering(port), owner.transaction():
        owner.execute("SELECT pg_current_xact_id()")
        time.sleep(1.5)  # and the second that the check-up takes to come so far
        report = doctor(home, urls(cluster, app=OWNER), port=port)
    states = report.states()
    assert states["log"] == "wrong"
    assert "可以改写事件账" in report.of("log")
    assert states["watermark"] in ("hint", "wrong")  # by how long the machine took
    assert f"database {NAME}" in report.of("watermark")
    assert states["port"] == "ok"
    assert states["worker"] == "wrong"
    assert "zhengwu work" in report.of("worker")


@pytest.mark.usefixtures("db")
def test_a_database_of_a_newer_version_and_a_seal_that_expired(
    cluster: Cluster, home: Path, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    seal_of(home, until=datetime.now(UTC) - timedelta(days=1))
    (home / "backup.json").write_text("{}")
    owner.execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('ledger', '9999_later', now())"
    )
    try:
        report = doctor(home, urls(cluster), ZHENGWU_DEMO="1")
    finally:
        owner.execute("DELETE FROM django_migrations WHERE name = '9999_later'")
    states = report.states()
    assert states["migrations"] == "wrong"
    assert "ledger.9999_later" in report.of("migrations")
    assert states["seal"] == "wrong"
    assert "到期" in report.of("seal")
    assert states["backup"] == "wrong"
    assert "worker" not in states


def seal_of(home: Path, *, until: datetime) -> None:
    """A seal's key and certificate, as an authority would make them, that ends then."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "江城市水务局")])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=365)).not_valid_after(until)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (home / "seal").mkdir(exist_ok=True)
    (home / "seal" / "demo.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )


def test_a_machine_with_nothing_on_it_is_looked_at_and_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "not" / "yet"
    report = doctor(place, ZHENGWU_DEMO="1")
    assert report.told["ok"]
    assert report.states()["database"] == "hint"
    assert not place.parent.exists()
    # For people in words, with what to do; a setting that nobody can read hides no machine.
    said = run(place, {"ZHENGWU_UPLOAD_MOST_MB": "many"})
    assert (said.returncode, said.stderr) == (1, "")
    assert "[问题] ZHENGWU_UPLOAD_MOST_MB 应是 1 到 500 之间的整数" in said.stdout
    assert "        → 请改正这个设置（docs/reference/settings.md），再检查一次" in said.stdout
    assert "[好]   Python " in said.stdout
    assert said.stdout.splitlines()[-1].startswith("1 处有问题，")
