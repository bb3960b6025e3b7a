"""The file of a backup (备份文件): a tar of checked members, encrypted in the age format if asked.

Three shapes, told apart by their first bytes, each to be opened with standard tools alone:
- plain: a tar.
- for recipients (收件人): that tar in the age format. `age -d -i key.txt FILE | tar x`.
- with a passphrase (口令): a tar of two. `identity.age` is a fresh key, encrypted with the
  passphrase; `backup.tar.age` is for that key. `tar xf FILE; age -d -i identity.age backup.tar.age`.
  The library does not encrypt with a passphrase as a stream; this way nothing has to fit in memory.

Members: `dump/000000`, … (pieces of a dump, one after another), `files/<id>`, and last
`manifest.json`, which holds the SHA-256 of every other member. A digest finds decay, not a forger
who writes a new manifest: whoever fears one keeps the digest of the whole file elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import tarfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast

import pyrage

PIECE = 1 << 20
AGE = b"age-encryption.org/v1"
MANIFEST = "manifest.json"
IDENTITY, INNER = "identity.age", "backup.tar.age"
MEMBER = re.compile(r"dump/\d{6}|files/[0-9a-f]{32}|manifest\.json")


class ArchiveProblem(Exception):
    """The backup cannot be made or read; the message says why and what to do."""


class _Recipient(Protocol):
    """What pyrage encrypts to."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Who may open it. At most one of the two; none: anybody who has the file."""

    recipients: tuple[str, ...] = ()
    passphrase: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """What opens it: the text of an identity file of age or ssh, or a passphrase."""

    identities: str = ""
    passphrase: str = ""


def recipients(lock: Lock) -> list[_Recipient]:
    """`age1…` and `ssh-…` as pyrage knows them. Raises ArchiveProblem."""
    found: list[_Recipient] = []
    for text in lock.recipients:
        kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
        try:
            found.append(kind.Recipient.from_str(text.strip()))
        except pyrage.RecipientError as problem:
            raise ArchiveProblem(
                f"收件人不对：{text[:16]}…。应是 age1…（age-keygen 生成的公钥）或者 ssh-ed25519 …。"
            ) from problem
    return found


def identities(text: str) -> list[Any]:
    """The private keys in an identity file. Raises ArchiveProblem."""
    try:
        if "PRIVATE KEY-----" in text:
            return [pyrage.ssh.Identity.from_buffer(text.encode())]
        lines = (line.strip() for line in text.splitlines())
        found = [
            pyrage.x25519.Identity.from_str(line)
            for line in lines
            if line and not line.startswith("#")
        ]
    except pyrage.IdentityError as problem:
        raise ArchiveProblem(
            "私钥文件读不懂。应是 age-keygen 写的文件，或者 ssh 私钥。"
        ) from problem
    if not found:
        raise ArchiveProblem("私钥文件里没有私钥。")
    return found


# --- writing ------------------------------------------------------------------------------------
class Members:
    """The members as they are written, with the digest of each."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.digests: dict[str, str] = {}

    def add(self, name: str, data: BinaryIO, size: int) -> str:
        """One member of exactly `size` bytes; its digest, "sha256:…"."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        seen = _Hashed(data)
        self._tar.addfile(member, cast("IO[bytes]", seen))
        self.digests[name] = seen.digest()
        return self.digests[name]

    def add_bytes(self, name: str, data: bytes) -> str:
        return self.add(name, io.BytesIO(data), len(data))


class _Hashed:
    """A reader that keeps the digest of what was read."""

    def __init__(self, data: BinaryIO) -> None:
        self._data = data
        self._seen = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._data.read(size)
        self._seen.update(piece)
        return piece

    def digest(self) -> str:
        return f"sha256:{self._seen.hexdigest()}"


@contextlib.contextmanager
def writing(target: Path, lock: Lock) -> Iterator[Members]:
    """Members for a new file `target`: it is there whole, with its name, or not at all.

    Written beside it under another name, mode 0600, and synchronised before it is renamed.
    Raises ArchiveProblem and OSError.
    """
    to = recipients(lock)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with _sealed(file, to, lock.passphrase) as out, _tar_into(out) as members:
                yield members
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _synchronise(target.parent)


@contextlib.contextmanager
def _tar_into(out: BinaryIO) -> Iterator[Members]:
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT, bufsize=PIECE) as tar:
        yield Members(tar)


@contextlib.contextmanager
def _sealed(file: BinaryIO, to: list[_Recipient], passphrase: str) -> Iterator[BinaryIO]:
    """Where the tar is written to."""
    if passphrase:
        identity = pyrage.x25519.Identity.generate()
        locked = pyrage.passphrase.encrypt(f"{identity}\n".encode(), passphrase)
        _member(file, IDENTITY, locked)
        with _placeholder(file, INNER), _encrypted(file, [identity.to_public()]) as out:
            yield out
        file.write(b"\0" * 2 * tarfile.BLOCKSIZE)
    elif to:
        with _encrypted(file, to) as out:
            yield out
    else:
        yield file


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member.tobuf(tarfile.GNU_FORMAT)


def _pad(file: BinaryIO, size: int) -> None:
    file.write(b"\0" * (-size % tarfile.BLOCKSIZE))


def _member(file: BinaryIO, name: str, data: bytes) -> None:
    file.write(_header(name, len(data)) + data)
    _pad(file, len(data))


@contextlib.contextmanager
def _placeholder(file: BinaryIO, name: str) -> Iterator[None]:
    """A member whose size is known when it is written: its header is put right then."""
    start = file.tell()
    file.write(_header(name, 0))
    yield
    end = file.tell()
    size = end - start - tarfile.BLOCKSIZE
    _pad(file, size)
    file.seek(start)
    file.write(_header(name, size))
    file.seek(0, os.SEEK_END)


@contextlib.contextmanager
def _encrypted(file: BinaryIO, to: list[_Recipient]) -> Iterator[BinaryIO]:
    """A pipe whose other end is encrypted into the file by a thread."""
    out, faults = _Kept(file), _Faults(out=True)
    reading, writing_ = os.pipe()

    def run() -> None:
        with faults.catch(out), os.fdopen(reading, "rb", PIECE) as source:
            pyrage.encrypt_io(source, out, to)

    thread = threading.Thread(target=run, name="encrypt")
    thread.start()
    pipe = os.fdopen(writing_, "wb", PIECE)
    try:
        yield pipe
        pipe.close()
    except BrokenPipeError:
        pass  # what broke it is known better below
    finally:
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
        thread.join()
        faults.tell()


class _Kept:
    """Keeps what the file said when it could not be written or read: the library makes text of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.problem: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as problem:
            self.problem = problem
            raise

    def flush(self) -> None:
        self._file.flush()


class _Faults:
    """What went wrong in the thread beside ours."""

    def __init__(self, *, out: bool) -> None:
        self.out = out
        self.problem: Exception | None = None

    @contextlib.contextmanager
    def catch(self, kept: _Kept) -> Iterator[None]:
        try:
            yield
        except Exception as problem:
            self.problem = kept.problem or problem

    def tell(self) -> None:
        """Raise it here. A reader that stopped early is not a fault."""
        problem = self.problem
        if problem is None or (not self.out and "Broken pipe" in str(problem)):
            return
        # Past the first piece the library says so with an OSError of no number.
        unnumbered = isinstance(problem, OSError) and problem.errno is None
        if isinstance(problem, pyrage.DecryptError) or (unnumbered and not self.out):
            raise _cannot_open(problem) from problem
        if isinstance(problem, pyrage.EncryptError):
            raise ArchiveProblem(f"加密时出错：{problem}") from problem
        raise problem


def _cannot_open(problem: Exception) -> ArchiveProblem:
    said = str(problem)
    if "No matching keys" in said:
        return ArchiveProblem("这个私钥打不开备份：备份不是加密给它的。")
    return ArchiveProblem(f"备份解密失败：文件被改动过或者不完整（{said}）。")


def _synchronise(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- reading ------------------------------------------------------------------------------------
def encrypted(file: Path) -> str:
    """How it is locked: "recipients", "passphrase" or "" (open)."""
    with file.open("rb") as data:
        begin = data.read(tarfile.BLOCKSIZE)
    if begin.startswith(AGE):
        return "recipients"
    return "passphrase" if begin.startswith(IDENTITY.encode() + b"\0") else ""


def read(file: Path, key: Key, take: Callable[[str, int, BinaryIO], None]) -> dict[str, str]:
    """Hand every member to `take` (name, bytes, data), in order; the digest of each.

    What `take` leaves unread is read here. Raises ArchiveProblem and OSError.
    """
    digests: dict[str, str] = {}
    with _opened(file, key) as source:
        try:
            with tarfile.open(fileobj=source, mode="r|", bufsize=PIECE) as tar:
                for member in tar:
                    if not member.isreg() or not MEMBER.fullmatch(member.name):
                        raise ArchiveProblem(f"备份里有不认识的成员：{member.name[:80]!r}。")
                    if member.name in digests:
                        raise ArchiveProblem(f"备份里有两个 {member.name}。")
                    data = tar.extractfile(member)
                    if data is None:
                        raise ArchiveProblem(f"备份里的 {member.name} 读不了。")
                    seen = _Hashed(cast("BinaryIO", data))
                    take(member.name, member.size, cast("BinaryIO", seen))
                    while seen.read(PIECE):
                        pass
                    digests[member.name] = seen.digest()
        except (tarfile.TarError, EOFError) as problem:
            raise ArchiveProblem(
                f"备份读不下去：文件不完整或者被改动过（{problem}）。"
            ) from problem
    if MANIFEST not in digests:
        raise ArchiveProblem("备份不完整：没有 manifest.json（它是最后写的）。")
    return digests


@contextlib.contextmanager
def _opened(file: Path, key: Key) -> Iterator[BinaryIO]:
    """The tar inside."""
    how = encrypted(file)
    with file.open("rb") as data:
        if not how:
            yield data
            return
        if how == "recipients":
            if not key.identities:
                raise ArchiveProblem("备份是加密的。请用 --identity 给出私钥文件。")
            keys: Sequence[Any] = identities(key.identities)
        else:
            if not key.passphrase:
                raise ArchiveProblem("备份是用口令加密的。请用 --passphrase-file 给出口令文件。")
            keys = [_unlocked(data, key.passphrase)]
        with _decrypted(data, keys) as source:
            yield source


def _unlocked(data: BinaryIO, passphrase: str) -> Any:
    """The key under the passphrase; the file then stands at the beginning of what it opens."""
    locked = data.read(tarfile.TarInfo.frombuf(data.read(512), "utf-8", "strict").size)
    data.seek(-len(locked) % tarfile.BLOCKSIZE, os.SEEK_CUR)
    inner = tarfile.TarInfo.frombuf(data.read(512), "utf-8", "strict")
    if inner.name != INNER:
        raise ArchiveProblem(f"备份读不下去：{IDENTITY} 后面应是 {INNER}。")
    try:
        text = pyrage.passphrase.decrypt(locked, passphrase).decode()
    except pyrage.DecryptError as problem:
        raise ArchiveProblem("口令不对，打不开备份。") from problem
    return identities(text)[0]


@contextlib.contextmanager
def _decrypted(file: BinaryIO, keys: Sequence[Any]) -> Iterator[BinaryIO]:
    """A pipe into which a thread decrypts the file."""
    kept, faults = _Bounded(file), _Faults(out=False)
    reading, writing_ = os.pipe()

    def run() -> None:
        # Whatever happens, the end is closed: the reader must not wait for ever.
        with faults.catch(kept), os.fdopen(writing_, "wb", PIECE) as out:
            pyrage.decrypt_io(kept, _Kept(out), keys)

    thread = threading.Thread(target=run, name="decrypt")
    thread.start()
    pipe = os.fdopen(reading, "rb", PIECE)
    try:
        yield pipe
        while pipe.read(PIECE):  # the rest, so that its last block is checked too
            pass
    except (ArchiveProblem, tarfile.TarError, EOFError):
        pipe.close()
        thread.join()
        faults.tell()  # what came before
        raise
    finally:
        pipe.close()
        thread.join()
    faults.tell()


class _Bounded(_Kept):
    """A file up to the end of the member it stands in, where it stands in one."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._left = -1
        here = file.tell()
        if here:
            file.seek(here - tarfile.BLOCKSIZE)
            self._left = tarfile.TarInfo.frombuf(file.read(512), "utf-8", "strict").size

    def read(self, size: int = -1) -> bytes:
        if self._left < 0:
            return super().read(size)
        piece = super().read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece


def digest_of(file: Path) -> str:
    """SHA-256 of the whole file, "sha256:…"."""
    with file.open("rb") as data:
        return f"sha256:{hashlib.file_digest(data, 'sha256').hexdigest()}"


def full(problem: OSError) -> bool:
    """Whether the disk is full."""
    return problem.errno in (errno.ENOSPC, errno.EDQUOT)
