"""Restoring (恢复) and trying a backup (试恢复): unpack, load, verify everything that can be verified.

What is verified: every member against the manifest; every table's number of rows; of the log, that
positions run from 1 without a gap to the manifest's last, that every leaf is the one of its event,
that the versions of each stream run from 1 without a gap and in the order of the positions; every
content that was not erased against the digest in its event; every uploaded file against its row.

Personal data that was erased after the backup comes back with it: docs/guide/operator.md says how
to erase it again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO
from uuid import UUID

import psycopg
from django.conf import settings

from zhengwu.config import archive, backup
from zhengwu.config.archive import ArchiveProblem, Key
from zhengwu.config.backup import Connection, Progress, one
from zhengwu.config.postgres import OWNER, Cluster, die_with_parent
from zhengwu.ledger import queries as ledger
from zhengwu.ledger.canonical import content_digest, leaf

PAGE = 2_000  # events verified at a time
NAMED = 50  # faults named of each kind
Say = Callable[[str], None]


@dataclass(slots=True)
class Report:
    """What was verified, and what is wrong; empty faults: all is well.

    counts: how many of each were verified. lost: files that were missing before the backup.
    """

    file: Path
    at: str = ""
    product: str = ""
    position: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    more: int = 0
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def wrong(self, kind: str, sentence: str) -> None:
        """One more fault; of each kind so many are named, the rest is counted."""
        if sum(known.startswith(kind) for known in self.faults) < NAMED:
            self.faults.append(f"{kind}：{sentence}")
        else:
            self.more += 1

    def plain(self) -> dict[str, Any]:
        return {
            "file": str(self.file), "at": self.at, "product": self.product,
            "position": self.position, "verified": self.counts, "faults": self.faults,
            "more_faults": self.more, "lost": self.lost, "seconds": round(self.seconds, 1),
        }  # fmt: skip


@dataclass(slots=True)
class _Unpacked:
    manifest: dict[str, Any]
    dump: Path
    files: Path
    digests: dict[str, str]


def check(
    file: Path,
    *,
    key: Key = Key(),  # noqa: B008 - immutable
    work: Path | None = None,
    progress: Progress = lambda done, total: None,
    say: Say = lambda line: None,
) -> Report:
    """Restore into a server and a folder of its own, verify, and leave nothing behind.

    work: the folder to do it in; it takes the room of the database and of the files.
    Raises ArchiveProblem when it cannot even be read, PostgresProblem and OSError.
    """
    started = monotonic()
    report = Report(file)
    with _workplace(work) as place, contextlib.ExitStack() as stack:
        say("正在读备份……")
        unpacked = _unpack(file, key, place / "unpacked", report)
        # The server's system user passes through to its own folder, and sees nothing.
        place.chmod(0o711)
        cluster = Cluster(place / "postgres", durable=False)
        stack.callback(_remove, cluster)
        stack.enter_context(cluster.start())
        given = backup.parameters(cluster.url(role=OWNER))
        session = stack.enter_context(psycopg.connect(**given, autocommit=True))
        say("正在装入临时数据库……")
        _load(unpacked.dump, session, given, report)
        say("正在核对……")
        verify(session, unpacked.manifest, unpacked.digests, report, progress)
    report.seconds = monotonic() - started
    return report


def into(
    file: Path,
    *,
    key: Key = Key(),  # noqa: B008 - immutable
    progress: Progress = lambda done, total: None,
    say: Say = lambda line: None,
) -> Report:
    """Restore into the configured database and HOME/files; both must be empty.

    Nothing is touched before the whole file was read and agrees with its manifest; a failed load
    leaves the database empty. Then the rights of the application, what is to be migrated since,
    and the verification. Raises ArchiveProblem, MigrationProblem, PostgresProblem and OSError.
    """
    from zhengwu.config import migrate

    started = monotonic()
    report = Report(file)
    files = Path(settings.FILES)
    with psycopg.connect(**backup.owner(), autocommit=True) as session:
        _refuse_the_full(session, files)
        files.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _workplace(files) as place:
            say("正在读备份……")
            unpacked = _unpack(file, key, place / "unpacked", report)
            _refuse_the_newer(unpacked.manifest)
            if report.faults:
                return report
            say("正在装入数据库……")
            _load(unpacked.dump, session, backup.owner(), report)
            if report.faults:
                return report
            kept = unpacked.files / "kept"
            if kept.exists():
                kept.rename(files / "kept")  # takes the place of an empty folder
        _forget_transactions(session)
        say("正在核对……")
        verify(session, unpacked.manifest, unpacked.digests, report, progress)
    migrate.run()
    if migrate.rewrites_the_log():
        report.wrong("权限", "应用的数据库用户可以改写事件账。")
    report.seconds = monotonic() - started
    return report


# --- before and after ---------------------------------------------------------------------------
@contextlib.contextmanager
def _workplace(above: Path | None) -> Iterator[Path]:
    """A folder of our own that goes with us."""
    place = Path(tempfile.mkdtemp(prefix="zhengwu-restore-", dir=above))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _remove(cluster: Cluster) -> None:
    for place in (cluster.place, cluster.socket_folder):
        shutil.rmtree(place, ignore_errors=True)


def _refuse_the_full(session: Connection, files: Path) -> None:
    found = one(
        session,
        "SELECT string_agg(relname, ', ' ORDER BY relname) FROM (SELECT relname FROM pg_class"
        " WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace"
        " LIMIT 5) AS few",
    )
    if found:
        raise ArchiveProblem(
            f"数据库不是空的（有 {found}……），不能恢复到这里。请给一个新建的空数据库，"
            "或者另设 ZHENGWU_HOME。"
        )
    for name in ("kept", "arriving"):
        if next((one for one in (files / name).rglob("*") if one.is_file()), None):
            raise ArchiveProblem(f"{files / name} 不是空的，不能恢复到这里。请先移走。")
        for folder in sorted((files / name).glob("*/"), reverse=True):
            folder.rmdir()


def _refuse_the_newer(manifest: Mapping[str, Any]) -> None:
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    known = {f"{app}.{name}" for app, name in MigrationLoader(connection).disk_migrations}
    if newer := sorted(set(manifest["migrations"]) - known):
        raise ArchiveProblem(
            f"备份来自更新的版本（{manifest['product']}），本版本不认识它的迁移："
            f"{'，'.join(newer[:3])}。请先安装那个版本再恢复。"
        )


def _forget_transactions(session: Connection) -> None:
    """The transaction ids of the old server mean nothing here: every event is an old one.

    Left as they were, events without a position would wait until this server has counted as far.
    """
    session.execute("UPDATE ledger_event SET xid = '0'")
    session.execute("UPDATE ledger_sequencer SET low_xid = '0'")
    session.execute("VACUUM (ANALYZE) ledger_event")


# --- unpacking and loading ------------------------------------------------------------------------
def _unpack(file: Path, key: Key, place: Path, report: Report) -> _Unpacked:
    """Every member to its place; what does not agree with the manifest goes into the report."""
    place.mkdir(mode=0o700)
    dump, files = place / "dump", place / "files"
    held: dict[str, bytes] = {}
    expected = 0

    def take(name: str, size: int, data: BinaryIO) -> None:
        nonlocal expected
        kind, _, rest = name.partition("/")
        if kind == "dump":
            if int(rest) != expected:
                raise ArchiveProblem(f"备份里少了 dump/{expected:06}。")
            expected += 1
            with dump.open("ab") as out:
                shutil.copyfileobj(data, out, archive.PIECE)
        elif kind == "files":
            # As documents.files keeps them.
            folder = files / "kept" / rest[-2:]
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder / rest, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                shutil.copyfileobj(data, out, archive.PIECE)
        else:
            held[name] = data.read()

    dump.touch(mode=0o600)
    digests = archive.read(file, key, take)
    manifest = _manifest(held[archive.MANIFEST])
    listed = manifest["members"]
    for name in sorted(set(listed) | set(digests) - {archive.MANIFEST}):
        if name not in digests:
            report.wrong("成员", f"清单里有 {name}，备份里没有。")
        elif name not in listed:
            report.wrong("成员", f"备份里有 {name}，清单里没有。")
        elif listed[name] != digests[name]:
            report.wrong("成员", f"{name} 的摘要与清单不符：内容被改动过或者损坏。")
    report.at, report.product = manifest["at"], manifest["product"]
    report.position, report.lost = manifest["position"], manifest["lost"]
    report.counts["members"] = len(listed)
    return _Unpacked(manifest, dump, files, digests)


def _manifest(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
        if told["form"] != backup.FORM:
            raise ArchiveProblem(f"备份的格式是 {told['form']}，本版本只认 {backup.FORM}。")
        for name, kind in (("members", dict), ("rows", dict), ("migrations", list), ("lost", list),
                           ("position", int), ("events", int), ("postgres", int), ("at", str),
                           ("product", str)):  # fmt: skip
            if not isinstance(told[name], kind):
                raise TypeError(name)
    except (ValueError, KeyError, TypeError) as problem:
        raise ArchiveProblem(f"manifest.json 读不懂（{problem}）。") from problem
    return dict(told)


def _load(dump: Path, session: Connection, given: Mapping[str, Any], report: Report) -> None:
    """The dump into an empty database, all or nothing, everything the owner's."""
    restore = str(backup.tool("pg_restore", session.info.server_version // 10_000))
    listed = subprocess.run(
        [restore, "--list", str(dump)], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        report.wrong("导出", f"pg_restore 读不懂：{listed.stderr.strip()[:500]}")
        return
    # Every database has its schema public already.
    wanted = [line for line in listed.stdout.splitlines() if " SCHEMA - public " not in line]
    contents = dump.with_name("contents")
    contents.write_text("\n".join(wanted) + "\n")
    done = subprocess.run(
        [
            restore, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
            "--no-password", f"--use-list={contents}", f"--dbname={given['dbname']}", str(dump),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=backup.libpq(given),
        preexec_fn=die_with_parent,
    )  # fmt: skip
    if done.returncode:
        report.wrong("导出", f"pg_restore 没有完成：{done.stderr.strip()[:1000]}")


# --- verifying ------------------------------------------------------------------------------------
def verify(
    session: Connection,
    manifest: Mapping[str, Any],
    digests: Mapping[str, str],
    report: Report,
    progress: Progress = lambda done, total: None,
) -> None:
    """Everything that the module's head lists. digests: of the members, by name."""
    if report.faults and not one(session, "SELECT to_regclass('public.ledger_event') IS NOT NULL"):
        return
    found = backup.rows(session)
    for name in sorted(set(found) | set(manifest["rows"])):
        if found.get(name) != manifest["rows"].get(name):
            report.wrong(
                "行数", f"{name} 有 {found.get(name)} 行，应有 {manifest['rows'].get(name)} 行。"
            )
    report.counts["tables"], report.counts["rows"] = len(found), sum(found.values())
    if missing := sorted(set(manifest["migrations"]) - set(backup.migrations(session))):
        report.wrong("迁移", f"缺少 {'，'.join(missing[:5])}。")
    _verify_order(session, manifest, report)
    _verify_events(session, report, progress, manifest["events"])
    _verify_uploads(session, digests, report)


def _verify_order(session: Connection, manifest: Mapping[str, Any], report: Report) -> None:
    last = one(session, "SELECT coalesce(max(position), 0) FROM ledger_position")
    if last != manifest["position"]:
        report.wrong("账", f"最后的位置是 {last}，应是 {manifest['position']}。")
    for before, after in session.execute(
        "SELECT prior, position FROM (SELECT position, lag(position, 1, 0::bigint)"
        " OVER (ORDER BY position) AS prior FROM ledger_position) p"
        " WHERE position <> prior + 1 LIMIT %s",
        [NAMED],
    ).fetchall():
        report.wrong("账", f"位置从 {before} 跳到 {after}，中间缺了。")
    for position, event in session.execute(
        "SELECT p.position, p.event FROM ledger_position p WHERE NOT EXISTS"
        " (SELECT 1 FROM ledger_event e WHERE e.id = p.event) LIMIT %s",
        [NAMED],
    ).fetchall():
        report.wrong("账", f"第 {position} 位的事件 {event} 不在。")
    for stream, identifier, versions, highest in session.execute(
        "SELECT stream, stream_id, count(*), max(version) FROM ledger_event"
        " GROUP BY stream, stream_id HAVING count(*) <> max(version) OR min(version) <> 1"
        " LIMIT %s",
        [NAMED],
    ).fetchall():
        report.wrong(
            "账", f"流 {stream} {identifier} 有 {versions} 个事件，最后的版本却是 {highest}。"
        )
    for stream, identifier, version in session.execute(
        "SELECT stream, stream_id, version FROM (SELECT e.stream, e.stream_id, e.version,"
        " row_number() OVER (PARTITION BY e.stream, e.stream_id ORDER BY p.position) AS nth"
        " FROM ledger_event e JOIN ledger_position p ON p.event = e.id) o"
        " WHERE version <> nth LIMIT %s",
        [NAMED],
    ).fetchall():
        report.wrong("账", f"流 {stream} {identifier} 的第 {version} 版不按顺序。")
    report.counts["streams"] = one(
        session, "SELECT count(*) FROM (SELECT 1 FROM ledger_event GROUP BY stream, stream_id) s"
    )


def _verify_events(session: Connection, report: Report, progress: Progress, events: int) -> None:
    """Every leaf from its event, and the contents that the events carry digests of."""
    leaves = contents = erased = done = 0
    with session.transaction(), session.cursor(name="events") as cursor:
        cursor.itersize = PAGE
        cursor.execute(
            f"SELECT {ledger.COLUMNS}, p.position, p.leaf"  # noqa: S608 - constants
            " FROM ledger_event e LEFT JOIN ledger_position p ON p.event = e.id"
        )
        while page := cursor.fetchmany(PAGE):
            wanted: list[tuple[UUID, str, str]] = []
            for row in page:
                event = ledger.entry(row)
                where = f"{event.stream} {event.stream_id} 第 {event.version} 版（{event.kind}）"
                if row[16] is not None:
                    leaves += 1
                    if leaf(event) != bytes(row[16]):
                        report.wrong(
                            "账", f"第 {event.position} 位的事件被改动过：{where}，与它的叶不符。"
                        )
                for identifier, digest in _contents(event.body):
                    wanted.append((identifier, digest, where))
            kept, gone = _verify_contents(session, wanted, report)
            contents, erased, done = contents + kept, erased + gone, done + len(page)
            progress(min(done, events), max(events, 1))
    report.counts |= {
        "events": done, "leaves": leaves, "contents": contents, "contents_erased": erased,
    }  # fmt: skip


def _contents(body: Any) -> Iterator[tuple[UUID, str]]:
    """Where a body points at an erasable content: its id and digest."""
    if isinstance(body, Mapping):
        if set(body) == {"content", "digest"}:
            yield UUID(str(body["content"])), str(body["digest"])
            return
        for value in body.values():
            yield from _contents(value)
    elif isinstance(body, list):
        for value in body:
            yield from _contents(value)


def _verify_contents(
    session: Connection, wanted: Sequence[tuple[UUID, str, str]], report: Report
) -> tuple[int, int]:
    """How many were there and agreed or not, and how many were erased."""
    if not wanted:
        return 0, 0
    kept = gone = 0
    found = {
        row[0]: row[1:]
        for row in session.execute(
            "SELECT id, salt, data, erased FROM ledger_content WHERE id = ANY(%s)",
            [[identifier for identifier, _, _ in wanted]],
        ).fetchall()
    }
    for identifier, digest, where in wanted:
        if identifier not in found:
            report.wrong("内容", f"{identifier} 不在：{where}。")
            continue
        salt, data, erased = found[identifier]
        if erased is not None:
            gone += 1
            continue
        kept += 1
        if content_digest(bytes(salt), data) != digest:
            report.wrong("内容", f"{identifier} 被改动过：{where}，与事件里的摘要不符。")
    return kept, gone


def _verify_uploads(session: Connection, digests: Mapping[str, str], report: Report) -> None:
    lost, checked = set(report.lost), 0
    named = set()
    with session.transaction(), session.cursor(name="uploads") as cursor:
        cursor.execute("SELECT id, digest FROM documents_upload WHERE erased IS NULL")
        for identifier, digest in cursor:
            named.add(f"files/{identifier.hex}")
            found = digests.get(f"files/{identifier.hex}")
            if found is None:
                if str(identifier) not in lost:
                    report.wrong("上传件", f"{identifier} 不在备份里。")
                continue
            checked += 1
            if found != digest:
                report.wrong("上传件", f"{identifier} 的内容与上传时的摘要不符。")
    for name in sorted(set(digests) - named):
        if name.startswith("files/"):
            report.wrong("上传件", f"{name} 在备份里，数据库里没有它。")
    report.counts["files"] = checked
