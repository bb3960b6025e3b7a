"""Makes the Python client from the OpenAPI document: `python -m tests.api.client build/…`.

Nothing of it is written by hand and nothing of it is committed; `make client` calls this.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

PACKAGE = "zhengwu_client"
OPTIONS: dict[str, Any] = {
    "project_name_override": "zhengwu-client",
    "package_name_override": PACKAGE,
    "literal_enums": True,  # a choice is the word that stands in the document
    # What is handed out as it is: bytes.
    "content_type_overrides": {
        "application/pdf": "application/octet-stream",
        "text/csv": "application/octet-stream",
        "application/x-ndjson": "application/octet-stream",
    },
}
TIDY = ["ruff check --fix-only --quiet .", "ruff format --quiet ."]


def make(document: Any, target: Path, *, tidy: bool) -> Path:
    """The project of the client in `target`; where its package can be imported from.

    Raises RuntimeError with everything that the generator could not make.
    """
    target.mkdir(parents=True, exist_ok=True)
    source = target.with_suffix(".json")
    source.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    config = Config.from_sources(
        ConfigFile(**OPTIONS, post_hooks=TIDY if tidy else []),
        MetaType.UV,
        document_source=source,
        file_encoding="utf-8",
        overwrite=True,
        output_path=target,
    )
    if wrong := generate(config=config):
        raise RuntimeError("\n".join(f"{one.header}: {one.detail}" for one in wrong))
    source.unlink()
    return target


def _document() -> Any:
    """The document as it is served, without a server and without a database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengwu.config.settings")
    os.environ.setdefault("ZHENGWU_SECRET_KEY", "only-for-printing-the-document-0123456789-abcdef")
    os.environ.setdefault("ZHENGWU_DATABASE_URL", "postgresql:///nothing")
    import django

    django.setup()
    from zhengwu.config.api import api

    return api.get_openapi_schema(path_prefix="/api/v1/")


if __name__ == "__main__":
    print(make(_document(), Path(sys.argv[1]).resolve(), tidy=True))
