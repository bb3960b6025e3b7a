"""How much a request may bring (上传限制), asked before anything of it is read.

Granian hands a request to the application when its head is there; the body is read only as far as
somebody reads `wsgi.input`, and Django reads no further than Content-Length. So a request that
announces too much costs a page and no memory, whatever it goes on to send. A body in chunks that
announces nothing is not read at all: browsers and reverse proxies always say the length.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse

from zhengwu.web import errors

FILES_AT_ONCE = 4  # a form may carry so many files of the greatest size
FORM = 2 * 1024 * 1024  # bytes for the rest of a form, and all that a stranger may send


def refuse_the_oversized(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """413 for what is too large in all, 411 for a body without a length."""

    def answer(request: HttpRequest) -> HttpResponse:
        length = announced(request)
        if length is None:
            return errors.no_length(request)
        most = FILES_AT_ONCE * settings.UPLOAD_MOST_MB
        if length > most * 1024 * 1024 + FORM:
            return errors.too_large(
                request,
                f"这次提交共 {_size(length)}，一次最多 {most} MB，"
                f"每个文件最多 {settings.UPLOAD_MOST_MB} MB。什么都没有保存。"
                "请把文件分成几份，或降低扫描的分辨率，分几次上传。",
            )
        return get_response(request)

    return answer


def strangers_send_little(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """413 for whoever is not signed in and sends more than a form; nobody's files reach our disk."""

    def answer(request: HttpRequest) -> HttpResponse:
        length = announced(request)
        if length is not None and length > FORM and not request.user.is_authenticated:
            return errors.too_large(request, most_said(length))
        return get_response(request)

    return answer


def most_said(length: int) -> str:
    """What a stranger is told who sends so many bytes."""
    return (
        f"没有登录时一次最多提交 {_size(FORM)}，这次有 {_size(length)}。"
        "什么都没有保存。需要上传文件的，请先登录；登录已过期的，请重新登录。"
    )


class ToDisk(TemporaryFileUploadHandler):
    """Streams a file into our own folder; /tmp may be memory, and others look into it."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        # `parents` would leave the folder above open to others.
        Path(settings.FILES).mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(mode=0o700, exist_ok=True)
        super().new_file(*args, **kwargs)


def announced(request: HttpRequest) -> int | None:
    """Bytes announced; None for a body that announces nothing."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isascii() and announced.isdigit():
        return int(announced[:20])
    return None if request.META.get("HTTP_TRANSFER_ENCODING") else 0


def _size(length: int) -> str:
    """In words: 2.0 GB, 312 MB."""
    gigabytes = length / 1024**3
    return f"{gigabytes:,.1f} GB" if gigabytes >= 1 else f"{length / 1024**2:,.0f} MB"
