"""A Chromium for the browser tests: by apt where that is possible, otherwise one line says how."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# The shell without windows first: the same engine, for less than half of the work.
SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = (
    "没有 Chromium，浏览器测试会跳过。Debian/Ubuntu：sudo apt-get install chromium-headless-shell fonts-noto-cjk；"
    "或用 ZHENGWU_CHROMIUM 指向一个。"
)


def found() -> str | None:
    """The Chromium to drive: ZHENGWU_CHROMIUM, or the first on the PATH."""
    given = os.environ.get("ZHENGWU_CHROMIUM")
    if given:
        return given
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> None:
    """Never fails: a missing browser is said, and its tests skip with the reason."""
    if os.environ.get("ZHENGWU_CHROMIUM") or shutil.which(SHELL):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("安装 Chromium……", flush=True)
        if not (installed(SHELL) or found()):
            installed("chromium")
    if not found():
        print(HOW, file=sys.stderr)


def installed(package: str) -> bool:
    """Whether apt has put it there, with letters for Chinese; what was in the way is said."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Where nothing can be fetched, that is known soon.
    apt = ["apt-get", "-qq", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20"]
    install = [*apt, "install", "-y", "--no-install-recommends", package, "fonts-noto-cjk"]
    try:
        for command in ([*apt, "update"], install):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300, env=quiet)
    except (OSError, subprocess.SubprocessError) as problem:
        print(f"apt 没有装上 {package}（{problem}）。", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    main()
