"""Building (打包): a wheel or sdist without the front-end files and fonts is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Complete(BuildHookInterface):  # type: ignore[type-arg]
    """Hatch's hook: everything that `package.json` lists under "copy" is in its place."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # the set-up brings the files after it has installed us
            return
        root = Path(self.root)
        wanted = json.loads((root / "package.json").read_text("utf-8"))["copy"]
        missing = [
            f"{folder}/{name}"
            for folder, files in wanted.items()
            for name in files
            if not (root / folder / name).is_file()
        ]
        if missing:
            raise FileNotFoundError(
                f"缺少前端文件 {'、'.join(missing)}。请先运行 make setup，再运行 make wheel。"
            )
