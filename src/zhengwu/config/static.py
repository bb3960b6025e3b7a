"""Collected static files (静态文件): names with a digest, compressed once."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc,unused-ignore]
    """Whitenoise's storage; where nothing was collected it gives the plain names."""

    def stored_name(self, name: str) -> str:
        """The name with its digest. Raises ValueError for a file that was not collected."""
        if not self.hashed_files:
            return name
        return str(super().stored_name(name))
