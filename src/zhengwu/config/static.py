"""Collected static files (静态文件): names with a digest, compressed once."""

from __future__ import annotations

from pathlib import Path

from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Whitenoise's storage; where nothing was collected it gives the plain names."""

    def stored_name(self, name: str) -> str:
        """The name with its digest. Raises ValueError for a file that was not collected."""
        if not self.hashed_files:
            return name
        return str(super().stored_name(name))


class Files(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Whitenoise; where nothing was collected it serves files from where they stand."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        if Path(root).is_dir():
            super().add_files(root, prefix)
