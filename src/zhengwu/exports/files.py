"""Where the files stand (存放): HOME/exports, for nobody but our own user, under random names."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from pathlib import Path

from django.conf import settings

from zhengwu.domain.refusal import Refusal

MIB = 1024**2
LEAVE = 512 * MIB  # of the disk is left to the rest of the house
UNFINISHED = ".part"
LETTERS = 48  # of a place; what belongs to a file begins with them
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def folder() -> Path:
    place = Path(settings.EXPORTS)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def new_place() -> str:
    return secrets.token_hex(LETTERS // 2)


def path(place: str) -> Path:
    return folder() / place


def unfinished(place: str) -> Path:
    return folder() / (place + UNFINISHED)


def finish(place: str) -> int:
    """What was written is the file now, and stands there after a power cut; its bytes."""
    made = unfinished(place)
    with made.open("rb") as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
    made.replace(path(place))
    return size


def remove(place: str) -> None:
    """The file, whole, unfinished or not yet packed; where there is none nothing happens."""
    for one in folder().glob(f"{place}*") if place else ():
        _gone(one)


def _gone(one: Path) -> None:
    if one.is_dir() and not one.is_symlink():
        shutil.rmtree(one, ignore_errors=True)  # whoever writes there may be removing it, too
    else:
        one.unlink(missing_ok=True)


def used() -> int:
    """Bytes in the folder, unfinished and unpacked ones too."""
    found = 0
    for above, _, names in os.walk(settings.EXPORTS):
        for name in names:
            try:
                found += (Path(above) / name).lstat().st_size
            except FileNotFoundError:
                continue  # another process has just finished or removed it
    return found


def room() -> None:
    """Raises Refusal where the exports have used up their share, or the disk is nearly full."""
    if used() > settings.EXPORTS_MOST_MB * MIB:
        raise Refusal(
            "exports.quota",
            f"导出的文件加起来超过了 {settings.EXPORTS_MOST_MB:,} MB 的上限，这次没有导完。"
            "请删除不再要的导出，缩小范围，或者请系统管理员调高 ZHENGWU_EXPORTS_MOST_MB。",
        )
    if shutil.disk_usage(folder()).free < LEAVE:
        raise full()


def full() -> Refusal:
    return Refusal(
        "exports.disk_full",
        "服务器的磁盘快满了，这次没有导完。请联系系统管理员清理磁盘，再导出一次。",
    )


def strays(known: frozenset[str], *, untouched: float) -> int:
    """Remove what no order names and nobody has touched for so many seconds; how many."""
    removed = 0
    for one in folder().iterdir():
        # By the clock of the disk: that of a demo may be moved.
        if one.name[:LETTERS] not in known and one.lstat().st_mtime < time.time() - untouched:
            _gone(one)
            removed += 1
    return removed
