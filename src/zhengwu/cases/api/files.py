"""Uploaded files through the interface (材料上传与下载). Nothing that is sent is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast
from uuid import UUID

from django.db import IntegrityError
from django.http import FileResponse, HttpRequest
from ninja import Router
from ninja.files import UploadedFile
from ninja.params.functions import File as Part
from ninja.params.functions import Form as Typed

from zhengwu.accounts import api as entry
from zhengwu.accounts.api import Door
from zhengwu.cases.api.acting import WRITE
from zhengwu.cases.api.reading import load, router, seen
from zhengwu.cases.loading import CaseNotFound, files_of
from zhengwu.documents import files as kept
from zhengwu.domain.refusal import Refusal
from zhengwu.web import problems
from zhengwu.web.answering import Shape, reply
from zhengwu.web.clock import now

uploads = Router()
if TYPE_CHECKING:
    Purpose = str
else:
    Purpose = Literal[tuple(kept.PURPOSES)]
FILE: Any = Part(description="文件")
PURPOSE: Any = Typed("material", description="材料、授权委托书、签名")


class UploadAnswer(Shape):
    """A file that was taken in. id: name it in an act or a reception within seven days. size: bytes.
    pages: of a PDF; a picture has one."""

    id: UUID
    purpose: str
    media: str
    size: int
    digest: str
    pages: int


@uploads.post(
    "",
    response={201: UploadAnswer},
    auth=Door("cases.receive", "cases.handle", "cases.decide"),
    summary="上传一份材料",
    description="PDF、PNG 或 JPEG，看内容不看扩展名；在受理登记或办理时写它的 id，七天内没有用到就清除。",
    url_name="upload",
    openapi_extra=problems.documented(*WRITE),
)
def upload(
    request: HttpRequest,
    file: UploadedFile = FILE,
    purpose: Purpose = PURPOSE,
) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    key = UUID(entry.key_of(request, caller))
    try:
        found = kept.keep(
            caller.actor,
            purpose=purpose,
            name=file.name or "",
            data=cast(BinaryIO, file),
            at=now(),
            key=key,
        )
    except IntegrityError:
        raise Refusal(
            "files.twice", "同一个编号的文件正在上传。请等它结束以后再试。", field="file"
        ) from None
    answer = UploadAnswer(
        id=found.id, purpose=found.purpose, media=found.media, size=found.size,
        digest=found.digest, pages=found.pages,
    )  # fmt: skip
    return reply(request, answer, status=201, cache="no-store")


@router.get(
    "/{number}/files/{id}",
    auth=Door("documents.read"),
    summary="一份材料的原件",
    description="先核对摘要，与记录不符的不给。每次都记入查阅记录。",
    url_name="case-file",
    openapi_extra=problems.documented(
        401, 403, 404, 422, 429, media={200: ("application/octet-stream", "原件")}
    ),
)
def case_file(request: HttpRequest, number: str, id: UUID) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    loaded = load(caller, number)
    named = files_of(loaded.counting).get(id)
    if named is None:
        raise CaseNotFound(number)
    try:
        found = kept.download(id, digest=named.digest)
    except LookupError:
        raise CaseNotFound(number) from None
    seen(caller, loaded, "接口下载材料", "file")
    answer = FileResponse(found.data)
    for name, value in found.headers.items():
        answer[name] = value
    return answer
