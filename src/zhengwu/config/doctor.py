"""Start checks (启动检查): what is wrong with this machine, and what to do."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

ENOUGH = 300 * 1024 * 1024  # bytes: an empty private database and its log take about 150 MB


class StartProblem(Exception):
    """It cannot start; the message says what is wrong and what to do."""


def python() -> None:
    """Python 3.11 or newer."""
    if sys.version_info < (3, 11):  # noqa: UP036 - somebody may start us by hand
        raise StartProblem(
            f"需要 Python 3.11 或更新的版本，现在是 {sys.version.split()[0]}。"
            "请安装后用它重新安装、运行；在源码目录里：make run PYTHON=python3.11"
        )


def folder(home: Path) -> None:
    """The home folder can be made and written, and the disk has room."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=home) as file:
            file.write(b"0" * 65536)
            file.flush()
    except OSError as problem:
        raise StartProblem(explain(problem, home)) from problem
    free = shutil.disk_usage(home).free
    if free < ENOUGH:
        raise StartProblem(
            f"磁盘空间不足：{home} 所在的磁盘只剩 {free // 2**20} MB，"
            f"至少需要 {ENOUGH // 2**20} MB。"
            "请清理磁盘，或把 ZHENGWU_HOME 设为别处的文件夹。"
        )


def port(host: str, number: int) -> None:
    """The address can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                raise StartProblem(
                    f"端口 {number} 已被别的程序占用。请停下那个程序，或换一个端口，例如设"
                    f" ZHENGWU_PORT={number + 1 if number < 65535 else 8000}"
                ) from problem
            if problem.errno == errno.EACCES:
                raise StartProblem(
                    f"当前用户不能使用端口 {number}。请换一个 1024 以上的端口，"
                    "例如设 ZHENGWU_PORT=8000"
                ) from problem
            raise StartProblem(
                f"地址 {host}:{number} 不能监听（{problem.strerror}）。请检查 ZHENGWU_HOST。"
            ) from problem


def explain(problem: OSError, home: Path) -> str:
    """An operating system's complaint in words, with what to do."""
    place = problem.filename or home
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"磁盘已满，写不进 {place}。请清理磁盘，或把 ZHENGWU_HOME 设为别处的文件夹。"
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        user = os.environ.get("USER") or f"uid {os.geteuid()}"
        return (
            f"文件夹 {home} 不可写（用户 {user}）。请改变它的所有者或权限，"
            "或把 ZHENGWU_HOME 设为一个可写的文件夹。"
        )
    return f"{place}：{problem.strerror or problem}。"
