"""What is sent to us goes past memory. The two gigabytes: test_start.py, where a server runs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.test import Client, RequestFactory

from tests.setup.huge import PIECE


def test_a_file_goes_past_memory_into_our_own_folder() -> None:
    given = RequestFactory().post("/", {"file": io.BytesIO(PIECE), "small": io.BytesIO(b"x")})
    file = given.FILES["file"]
    assert isinstance(file, TemporaryUploadedFile)
    place = Path(file.temporary_file_path())
    assert place.parent == Path(settings.FILES) / "arriving"
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert place.stat().st_mode & 0o777 == 0o600
    given.close()
    assert not place.exists()


@pytest.mark.usefixtures("city")
def test_a_stranger_sends_no_more_than_a_form() -> None:
    for size, wanted in ((3 * 2**20, 413), (2**20, 302)):
        answer = Client().post("/desk/", data=b"x" * size, content_type="application/octet-stream")
        assert answer.status_code == wanted
        assert ("请先登录" in answer.content.decode()) == (wanted == 413)
