"""Front-end files and fonts (前端文件与字体): from the locked npm packages to their places.

`package.json` lists under "copy" what goes where; nothing of it is committed. In an installed wheel
the files are already there and this module has nothing to do.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path


class FrontendProblem(Exception):
    """A listed file is missing; the message says what to do."""


def listed(root: Path) -> list[tuple[Path, Path]]:
    """(source under node_modules, target in the tree) of every file `package.json` lists."""
    wanted = json.loads((root / "package.json").read_text())["copy"]
    return [
        (root / "node_modules" / source, root / folder / name)
        for folder, files in wanted.items()
        for name, source in files.items()
    ]


def copy(root: Path) -> int:
    """Copy what changed; the number of files copied. Raises FrontendProblem."""
    copied = 0
    for source, target in listed(root):
        if not source.is_file():
            raise FrontendProblem(f"缺少前端文件 {source}。请在 {root} 运行 make setup。")
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(target.name + ".new")
        shutil.copyfile(source, beside)
        beside.replace(target)
        copied += 1
    return copied


def main() -> int:
    """Copy for the working tree this module stands in."""
    root = Path(__file__).resolve().parents[3]
    try:
        copied = copy(root)
    except (FrontendProblem, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"前端文件与字体：更新 {copied} 个")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
