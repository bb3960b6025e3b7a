"""Backing up (备份): database and uploaded files as of one instant, in one checked file.

A read-only transaction exports its snapshot; pg_dump reads by it, and so do we the list of files
and the counts. Nobody waits for us: writers go on, and what they write is not in it. The files
that the snapshot names are linked aside at once, so that a sweep meanwhile takes none of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from psycopg import sql

from zhengwu.config import archive
from zhengwu.config.archive import ArchiveProblem, Lock
from zhengwu.config.environment import database
from zhengwu.config.postgres import FOLDERS, PostgresProblem, binaries, die_with_parent

FORM = 1  # of the manifest
CHUNK = 16 << 20  # bytes of a dump in one member
TRIES = 5  # snapshots, when files that one names go while we link them
Progress = Callable[[int, int], None]
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written. lost, damaged: files that were missing or altered on the disk before."""

    at: datetime
    file: Path
    bytes: int
    digest: str
    position: int
    events: int
    files: int
    seconds: float
    lost: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(timespec="seconds"), "file": str(self.file),
            "bytes": self.bytes, "digest": self.digest, "position": self.position,
            "events": self.events, "files": self.files, "seconds": round(self.seconds, 1),
            "lost": list(self.lost), "damaged": list(self.damaged),
        }  # fmt: skip


@dataclass(slots=True)
class _Content:
    """What the snapshot says."""

    server: int
    manifest: dict[str, Any]
    files: list[tuple[UUID, str, int]]
    held: dict[UUID, Path] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


class _Again(Exception):
    """Files that the snapshot names were lawfully removed before we had them."""


def run(
    folder: Path | None = None,
    *,
    lock: Lock = Lock(),  # noqa: B008 - immutable
    progress: Progress = lambda done, total: None,
    say: Callable[[str], None] = lambda line: None,
) -> Backup:
    """Make a backup in the folder (HOME/backups) and note it in HOME/backup.json.

    progress: bytes done, of how many; the size of the dump is estimated.
    Raises ArchiveProblem, PostgresProblem and OSError; then nothing is left of it.
    """
    started = monotonic()
    folder = folder or Path(settings.HOME) / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied", str(folder))
    archive.recipients(lock)  # a wrong one is told before an hour of work
    for left in range(TRIES, 0, -1):
        try:
            made = _make(folder, lock, progress, say, started)
            break
        except _Again:
            if left == 1:
                raise ArchiveProblem(
                    "上传的文件一直在被清理，备份不下来。请过一会儿再试。"
                ) from None
            say("有文件刚被依法删除，重新开始。")
    note = Path(settings.HOME) / "backup.json"
    fresh = note.with_suffix(".new")
    fresh.write_text(json.dumps(made.plain(), ensure_ascii=False, indent=1) + "\n")
    fresh.replace(note)
    return made


def last() -> dict[str, Any] | None:
    """What HOME/backup.json says of the last backup; None where there was none."""
    try:
        told = json.loads((Path(settings.HOME) / "backup.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _make(
    folder: Path, lock: Lock, progress: Progress, say: Callable[[str], None], started: float
) -> Backup:
    at = datetime.now(UTC)
    ending = ".tar.age" if lock.recipients else ".locked.tar" if lock.passphrase else ".tar"
    target = folder / f"zhengwu-{at:%Y%m%dT%H%M%SZ}{ending}"
    with _snapshot() as (snapshot, session):
        content = _content(session, at)
        with _held(content):
            estimate = content.manifest["bytes_estimated"] + sum(one[2] for one in content.files)
            count = _Count(progress, estimate)
            damaged = []
            with archive.writing(target, lock) as members:
                say("正在导出数据库……")
                _dump(members, snapshot, content.server, count)
                say("正在存放上传的文件……")
                for identifier, digest, _ in content.files:
                    if identifier in content.held:
                        found = _file(members, identifier, content.held[identifier], count)
                        if found != digest:
                            damaged.append(str(identifier))
                manifest = content.manifest | {
                    "lost": content.lost, "damaged": damaged, "members": members.digests,
                }  # fmt: skip
                members.add_bytes(
                    archive.MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1).encode()
                )
    return Backup(
        at=at, file=target, bytes=target.stat().st_size, digest=archive.digest_of(target),
        position=manifest["position"], events=manifest["events"],
        files=len(content.held), seconds=monotonic() - started,
        lost=tuple(content.lost), damaged=tuple(damaged),
    )  # fmt: skip


class _Count:
    """Bytes done, told as they come; never more than there are."""

    def __init__(self, tell: Progress, total: int) -> None:
        self._tell, self._total, self._done = tell, max(total, 1), 0

    def more(self, size: int) -> None:
        self._done = min(self._done + size, self._total)
        self._tell(self._done, self._total)


def _dump(members: archive.Members, snapshot: str, server: int, count: _Count) -> None:
    """pg_dump by our snapshot, in pieces: its size is known to nobody beforehand."""
    command = [
        str(tool("pg_dump", server)), "--format=custom", "--compress=gzip:1", "--schema=public",
        f"--snapshot={snapshot}", "--no-password",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=libpq(owner()),
        preexec_fn=die_with_parent,
    ) as process:
        if process.stdout is None or process.stderr is None:
            raise RuntimeError("no pipe")
        try:
            number = 0
            while piece := process.stdout.read(CHUNK):
                members.add_bytes(f"dump/{number:06}", piece)
                count.more(len(piece))
                number += 1
        except BaseException:
            process.kill()
            raise
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise ArchiveProblem(f"pg_dump 没有完成：{said}")


def _file(members: archive.Members, identifier: UUID, place: Path, count: _Count) -> str:
    with place.open("rb") as data:
        size = os.fstat(data.fileno()).st_size
        digest = members.add(f"files/{identifier.hex}", data, size)
    count.more(size)
    return digest


# --- what stands in the snapshot ------------------------------------------------------------------
@contextlib.contextmanager
def _snapshot() -> Iterator[tuple[str, Connection]]:
    """A transaction that sees one instant, and the name by which others see the same."""
    with psycopg.connect(**owner()) as session:
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.read_only = True
        session.execute("SET idle_in_transaction_session_timeout = 0")
        row = session.execute("SELECT pg_export_snapshot()").fetchone()
        yield str(row[0]) if row else "", session


def _content(session: Connection, at: datetime) -> _Content:
    server = session.info.server_version
    manifest: dict[str, Any] = {
        "form": FORM,
        "product": version("zhengwu"),
        "at": at.isoformat(),
        "postgres": server,
        "migrations": migrations(session),
        "position": one(session, "SELECT coalesce(max(position), 0) FROM ledger_position"),
        "events": one(session, "SELECT count(*) FROM ledger_event"),
        "rows": rows(session),
        "bytes_estimated": one(
            session,
            "SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint / 3 FROM pg_class c"
            " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace",
        ),
    }
    files = session.execute(
        "SELECT id, digest, size FROM documents_upload WHERE erased IS NULL ORDER BY id"
    ).fetchall()
    return _Content(server // 10_000, manifest, [(row[0], row[1], row[2]) for row in files])


def one(session: Connection, statement: str) -> Any:
    """The one value of a constant statement."""
    row = session.execute(statement.encode()).fetchone()
    return row[0] if row else None


def rows(session: Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = session.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = 'public'::regnamespace ORDER BY relname"
    ).fetchall()
    counted = {}
    for (name,) in names:
        found = session.execute(
            sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(name))
        ).fetchone()
        counted[str(name)] = int(found[0]) if found else 0
    return counted


def migrations(session: Connection) -> list[str]:
    found = session.execute("SELECT app, name FROM django_migrations ORDER BY app, name, id")
    return [f"{app}.{name}" for app, name in found.fetchall()]


@contextlib.contextmanager
def _held(content: _Content) -> Iterator[None]:
    """A link of our own to every file, in a folder that goes with us. Raises _Again."""
    files = Path(settings.FILES)
    files.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = files / f"backing-up-{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        missing = []
        for identifier, _, _ in content.files:
            name = identifier.hex
            places = (files / "kept" / name[-2:] / name, files / "arriving" / name)
            # A file that settles between the two looks stands at the first again.
            place = next((held for held in map(_link(folder), (*places, places[0])) if held), None)
            if place is None:
                missing.append(identifier)
            else:
                content.held[identifier] = place
        if missing:
            content.lost += _really_lost(missing)
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link(folder: Path) -> Callable[[Path], Path | None]:
    def link(place: Path) -> Path | None:
        """Where it can be read from until we end; None where it is not."""
        try:
            os.link(place, folder / place.name)
        except FileNotFoundError:
            return None
        except OSError:  # a file system without links
            return place if place.exists() else None
        return folder / place.name

    return link


def _really_lost(missing: Sequence[UUID]) -> list[str]:
    """Those whose row still says that the file is there. Raises _Again for any other."""
    with psycopg.connect(**owner()) as session:
        found = session.execute(
            "SELECT id FROM documents_upload WHERE id = ANY(%s) AND erased IS NULL", [list(missing)]
        ).fetchall()
    if len(found) < len(missing):
        raise _Again
    return [str(row[0]) for row in found]


# --- PostgreSQL's own tools -----------------------------------------------------------------------
def owner() -> dict[str, Any]:
    """How to reach the database as its owner, for psycopg."""
    if settings.OWNER_ELSEWHERE:
        raise ArchiveProblem(
            "这里没有数据库所有者的连接（ZHENGWU_OWNER_DATABASE_URL=elsewhere）。请在有它的地方运行。"
        )
    return parameters(settings.OWNER_DATABASE_URL or settings.DATABASE_URL)


def parameters(url: str) -> dict[str, Any]:
    """A URL of ours for psycopg. Raises ArchiveProblem when there is none."""
    if not url:
        raise ArchiveProblem("没有数据库的地址。请设 ZHENGWU_OWNER_DATABASE_URL。")
    given = database(url, name="backup")
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host",
             "PORT": "port"}  # fmt: skip
    found = {mine: given[theirs] for theirs, mine in names.items() if given[theirs]}
    options = given["OPTIONS"]
    if isinstance(options, Mapping):
        ours = ("server_side_binding", "prepare_threshold", "options")
        found |= {name: value for name, value in options.items() if name not in ours}
    return found | {"connect_timeout": 10}


def libpq(given: Mapping[str, Any]) -> dict[str, str]:
    """The same for libpq's programs: in the environment, where `ps` does not show a password."""
    names = {"dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT",
             "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
             "connect_timeout": "PGCONNECT_TIMEOUT"}  # fmt: skip
    named = {name: names.get(name, f"PG{name.upper()}") for name in given}
    plain = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    return plain | {named[name]: str(value) for name, value in given.items()}


def tool(name: str, major: int) -> Path:
    """pg_dump or pg_restore for a server: its major version if there is one, else a newer one.

    Raises PostgresProblem.
    """
    found: dict[int, Path] = {}
    for carried in FOLDERS:
        with contextlib.suppress(PostgresProblem):
            if (place := binaries(carried) / name).exists():
                found[carried] = place
    if major not in found and (system := shutil.which(name)):
        said = subprocess.run([system, "--version"], capture_output=True, text=True, check=False)
        if number := re.search(r"(\d+)", said.stdout):
            found.setdefault(int(number[1]), Path(system))
    fit = sorted(one for one in found if one >= major)
    if not fit:
        raise PostgresProblem(
            f"没有适合 PostgreSQL {major} 的 {name}。请安装 postgresql-client-{major}。"
        )
    return found[fit[0]]
