"""A Chromium for the browser tests: by apt where that is possible, otherwise one line says how."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = (
    "没有 Chromium，浏览器测试会跳过。Debian/Ubuntu：sudo apt-get install chromium fonts-noto-cjk；"
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
    if found():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("安装 Chromium……", flush=True)
        quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        update = ["apt-get", "update", "-qq"]
        install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends"]
        try:
            for command in (update, [*install, "chromium", "fonts-noto-cjk"]):
                subprocess.run(
                    command, check=True, stdout=subprocess.DEVNULL, timeout=300, env=quiet["env"]
                )
        except (OSError, subprocess.SubprocessError) as problem:
            print(f"apt 没有装上 Chromium（{problem}）。", file=sys.stderr)
    if not found():
        print(HOW, file=sys.stderr)


if __name__ == "__main__":
    main()
