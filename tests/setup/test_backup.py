"""A backup that restores: one instant, everything verified, what is wrong named."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pyrage
import pytest
from django.conf import settings
from django.db import connection, connections

from tests.cases import people
from tests.documents import uploads
from zhengwu.config import archive, backup, restore
from zhengwu.config.archive import ArchiveProblem, Key, Lock
from zhengwu.config.postgres import APP, ELSEWHERE, OWNER, Cluster
from zhengwu.documents import files
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
AT = people.moment("09-14 09:20")


@pytest.fixture
def told() -> people.Told:
    """A case told to its end, three files of which one was erased, and an erased content."""
    case = people.golden()
    people.received("09-15 09:20")
    kept = [
        files.keep(
            people.actor("p-water-clerk"), purpose="material", name="营业执照.pdf",
            data=io.BytesIO(uploads.pdf(pages)), at=AT,
        )
        for pages in (1, 2, 3)
    ]  # fmt: skip
    files.erase([kept[2].id], at=AT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM ledger_content ORDER BY id LIMIT 1")
        (content,) = cursor.fetchone()
    assert ledger.erase_content(content, because="本人要求", by="p-security", at=AT)
    ledger.catch_up()
    return case


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def left_behind() -> set[str]:
    """Working folders of ours in the places where we make them."""
    places = [Path(tempfile.gettempdir()), Path(settings.FILES), ELSEWHERE]
    return {
        str(one)
        for place in places
        if place.exists()
        for one in place.iterdir()
        if one.name.startswith(("zhengwu-restore", "backing-up", f"zhengwu-{os.getuid()}-"))
        or (place == ELSEWHERE and len(one.name) == 16)
    }


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    before = left_behind()
    yield
    assert left_behind() == before


def test_it_is_one_instant_while_others_write(told: people.Told, to: Path) -> None:
    going_on, written = threading.Event(), []

    def write() -> None:
        try:
            while not going_on.is_set():
                people.received("09-16 09:20")
                files.keep(
                    people.actor("p-water-clerk"), purpose="material", name="后来的.pdf",
                    data=io.BytesIO(uploads.pdf(4)), at=AT,
                )  # fmt: skip
                ledger.sequence()
                written.append(1)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not written:
            going_on.wait(0.01)
        made = backup.run(to)
    finally:
        going_on.set()
        writer.join()
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in to.iterdir()] == [made.file.name]
    assert made.bytes == made.file.stat().st_size
    assert (made.lost, made.damaged) == ((), ())
    noted = json.loads((Path(settings.HOME) / "backup.json").read_text())
    assert noted == made.plain()
    assert noted["digest"] == archive.digest_of(made.file)

    report = restore.check(made.file)
    assert report.faults == []
    assert report.position == made.position > 0
    counts = report.counts
    assert counts["leaves"] == made.position
    assert counts["events"] == made.events >= counts["leaves"]
    assert counts["files"] == made.files >= 3
    assert counts["contents_erased"] == 1
    assert counts["contents"] > 1
    with connection.cursor() as cursor:  # others did write, and it is not in it
        cursor.execute("SELECT count(*) FROM ledger_event")
        assert cursor.fetchone()[0] > made.events


def test_what_was_altered_is_found_and_named(told: people.Told, to: Path, owner: Owner) -> None:
    row = owner.execute(
        "UPDATE ledger_event SET occurred = occurred - interval '1 day'"
        " WHERE stream = 'case' AND kind = 'accepted' RETURNING id, stream_id"
    ).fetchone()
    assert row is not None
    (content,) = owner.execute(
        "UPDATE ledger_content SET data = '\"张三\"' WHERE id ="
        " (SELECT id FROM ledger_content WHERE erased IS NULL ORDER BY id LIMIT 1) RETURNING id"
    ).fetchone() or (None,)
    first, second = files_on_disk()[:2]
    first.write_bytes(b"%PDF-1.7 something else")
    second.rename(second.with_name("away"))
    try:
        made = backup.run(to)
    finally:
        second.with_name("away").rename(second)
    assert made.damaged == (str(UUID(hex=first.name)),)
    assert made.lost == (str(UUID(hex=second.name)),)
    faults = restore.check(made.file).faults
    (event,) = [one for one in faults if str(row[1]) in one and "被改动过" in one]
    assert "（accepted）" in event
    assert [one for one in faults if str(content) in one]
    assert [one for one in faults if str(UUID(hex=first.name)) in one]
    assert len(faults) == 3

    # A member that was altered after the backup, and one that is gone.
    tampered = to / "tampered.tar"
    with tarfile.open(made.file) as old, tarfile.open(tampered, "w") as new:
        for member in old:
            data = old.extractfile(member)
            assert data is not None
            held = data.read()
            if member.name == f"files/{first.name}":
                held = held.replace(b"else", b"ELSE")
            if member.name != "files/absent":
                new.addfile(member, io.BytesIO(held))
    (said,) = [one for one in restore.check(tampered).faults if one.startswith("成员")]
    assert first.name in said
    cut = to / "cut.tar"
    cut.write_bytes(made.file.read_bytes()[: made.bytes // 2])
    with pytest.raises(ArchiveProblem, match="不完整"):
        restore.check(cut)


def files_on_disk() -> list[Path]:
    kept = Path(settings.FILES) / "kept"
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM documents_upload WHERE erased IS NULL ORDER BY id")
        return [kept / id.hex[-2:] / id.hex for (id,) in cursor.fetchall()]


def test_who_has_no_key_opens_nothing(told: people.Told, to: Path) -> None:
    identity, other = (pyrage.x25519.Identity.generate() for _ in range(2))
    locked = backup.run(to, lock=Lock(recipients=(str(identity.to_public()),))).file
    worded = backup.run(to, lock=Lock(passphrase="correct horse")).file
    for file in (locked, worded):
        assert b"PGDMP" not in file.read_bytes()
        assert "营业执照".encode() not in file.read_bytes()
    plain = pyrage.decrypt(locked.read_bytes(), [identity])  # as the tool `age` would
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert tar.getnames()[-1] == "manifest.json"
    took: list[str] = []

    def take(name: str, size: int, data: Any) -> None:
        took.append(name)

    for file, key in (
        (locked, Key(identities=f"# 公钥\n{identity}\n")),
        (worded, Key(passphrase="correct horse")),
    ):
        assert set(archive.read(file, key, take)) == set(took)
        took.clear()
    for file, key, said in (
        (worded, Key(passphrase="wrong horse"), "口令不对"),
        (worded, Key(), "口令"),
        (locked, Key(identities=str(other)), "打不开"),
        (locked, Key(), "--identity"),
        (locked, Key(identities="AGE-SECRET-KEY-1"), "私钥"),
    ):
        with pytest.raises(ArchiveProblem, match=said):
            archive.read(file, key, take)
        assert took == []
    with pytest.raises(ArchiveProblem, match="收件人不对"):
        backup.run(to, lock=Lock(recipients=("age1nobody",)))
    data = bytearray(locked.read_bytes())
    data[len(data) // 2] ^= 1
    locked.write_bytes(data)
    with pytest.raises(ArchiveProblem, match="改动过"):
        archive.read(locked, Key(identities=str(identity)), take)


@pytest.mark.parametrize(
    "lock",
    [Lock(), Lock(recipients=(str(pyrage.x25519.Identity.generate().to_public()),))],
    ids=["open", "encrypted"],
)
def test_a_full_disk_leaves_no_half_file(told: people.Told, to: Path, lock: Lock) -> None:
    note = Path(settings.HOME) / "backup.json"
    before = note.read_bytes() if note.exists() else None
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # EFBIG, which a full disk is like
    try:
        with pytest.raises(OSError, match="File too large"):
            backup.run(to, lock=lock)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert list(to.iterdir()) == []
    assert (note.read_bytes() if note.exists() else None) == before


def test_it_is_restored_into_an_empty_database_and_work_goes_on(
    told: people.Told, to: Path, cluster: Cluster, tmp_path: Path
) -> None:
    from zhengwu.statistics import followers  # noqa: F401 - registers its follower

    people.received("09-17 09:20")  # its events have no position yet
    made = backup.run(to)
    assert made.events > made.position
    name = f"again_{uuid4().hex[:8]}"
    with cluster.connect() as superuser:
        cluster.create_database(name, superuser)
    home = tmp_path / "home"
    environment = os.environ | {
        "ZHENGWU_DATABASE_URL": cluster.url(role=APP, database=name),
        "ZHENGWU_OWNER_DATABASE_URL": cluster.url(role=OWNER, database=name),
        "ZHENGWU_HOME": str(home),
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "zhengwu", "restore", str(made.file), *words],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = run("--into", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    assert report["faults"] == []
    assert report["verified"]["events"] == made.events
    for place in files_on_disk():
        again = home / "files" / "kept" / place.parent.name / place.name
        assert again.read_bytes() == place.read_bytes()
        assert again.stat().st_mode & 0o777 == 0o600
        assert again.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(one.name for one in (home / "files").iterdir()) == ["kept"]

    second = run("--into")
    assert second.returncode == 1
    assert "不是空的" in second.stderr

    def followed() -> list[tuple[str, int]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, position FROM ledger_follower ORDER BY name")
            return list(cursor.fetchall())

    before = followed()
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        assert followed() == before
        assert ledger_queries.lag().unsequenced == made.events - made.position
        people.received("09-18 09:20")
        ledger.catch_up()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT count(*) FROM ledger_event), (SELECT max(position) FROM"
                " ledger_position), (SELECT count(*) FROM ledger_position)"
            )
            events, last, positions = cursor.fetchone()
        assert events == last == positions > made.events
        # Nothing of the old server's transaction ids is looked at again.
        assert ledger_queries.lag().unsequenced == 0
    finally:
        connection.close()
        connection.settings_dict.update(kept)
        with cluster.connect() as superuser:
            superuser.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
