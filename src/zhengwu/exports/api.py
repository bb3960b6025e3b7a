"""Exports for other systems (后台导出接口): order, ask how far it is, fetch the file, give it back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from django.http import FileResponse, HttpRequest
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field

from zhengwu.accounts import api as entry
from zhengwu.accounts.api import Door
from zhengwu.domain.refusal import Refusal
from zhengwu.exports import queries, services
from zhengwu.exports.queries import STATES_ZH, Export, ExportNotFound
from zhengwu.exports.registry import FORMS
from zhengwu.web import problems
from zhengwu.web.answering import Moment, Shape, moment, reply
from zhengwu.web.clock import now

SCOPE = "cases.export"
router = Router()
if TYPE_CHECKING:
    FormName = str
    StateName = str
else:
    FormName = Literal[tuple(FORMS)]
    StateName = Literal[tuple(one for one in STATES_ZH if one != "deleted")]
Short = Annotated[str, Field(max_length=100)]


class OrderGiven(BaseModel):
    """table: cases or catalogue. parameters: by name; of cases: state, open (open or closed), item,
    agency, since, until (days, both counted); of catalogue: level, region, agency, all ("on")."""

    model_config = ConfigDict(extra="forbid")

    table: Short
    form: FormName
    parameters: dict[Short, Short] = Field(default_factory=dict, max_length=20)


class DeleteGiven(BaseModel):
    """state: only while it stands so; null: however it stands."""

    model_config = ConfigDict(extra="forbid")

    state: StateName | None = None


class ExportAnswer(Shape):
    """One export. rows: written so far; total: expected, null where nobody knows yet; size: bytes;
    until: when the file is deleted; why: in words why there is none."""

    id: UUID
    table: str
    form: str
    parameters: dict[str, str]
    state: StateName
    ordered: Moment
    began: Moment | None
    ended: Moment | None
    rows: int
    total: int | None
    size: int | None
    until: Moment | None
    why: str


def _answer(one: Export) -> ExportAnswer:
    return ExportAnswer(
        id=one.id, table=one.table, form=one.form, parameters=dict(one.parameters),
        state=one.state, ordered=moment(one.ordered), began=_maybe(one.began),
        ended=_maybe(one.ended), rows=one.rows, total=one.total,
        size=one.size if one.state == "ready" else None, until=_maybe(one.until), why=one.why,
    )  # fmt: skip


def _maybe(at: datetime | None) -> str | None:
    return moment(at) if at else None


def _missing() -> problems.Refused:
    return problems.Refused(
        404,
        "exports.not_found",
        "没有找到这次导出。请核对 id；只能看到自己申请的，九十天以后不再保留。",
    )


@router.post(
    "",
    response={201: ExportAnswer},
    auth=Door(SCOPE),
    summary="申请在后台导出一张表",
    description="马上答 201 和 id，文件在后台生成，多少行都行；用 id 问进度，好了再下载。"
    "一个系统同时做一个，其余的排队；生成和下载时都会再核对一次权限。",
    url_name="exports",
    openapi_extra=problems.documented(400, 401, 403, 411, 413, 422, 429),
)
def order(request: HttpRequest, given: OrderGiven) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    made = services.order(
        caller.actor, given.table, form=given.form, parameters=given.parameters,
        key=UUID(entry.key_of(request, caller)), at=now(), system=caller.system,
        scopes=caller.scopes,
    )  # fmt: skip
    return reply(request, _answer(made), status=201, cache="no-store")


@router.get(
    "/{id}",
    response=ExportAnswer,
    auth=Door(SCOPE),
    summary="一次导出的进度",
    description="state：waiting 排队，running 正在生成，ready 可以下载，failed、cancelled、expired 没有文件。"
    "隔几秒问一次就够。",
    url_name="export",
    openapi_extra=problems.documented(304, 401, 403, 404, 422, 429),
)
def export(request: HttpRequest, id: UUID) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    try:
        return reply(request, _answer(queries.one(caller.actor, id, system=caller.system)))
    except ExportNotFound:
        raise _missing() from None


@router.get(
    "/{id}/file",
    auth=Door(SCOPE),
    summary="下载导出的文件",
    description="申请以后权限变小了的不给。每次都记入查阅记录。",
    url_name="export-file",
    openapi_extra=problems.documented(
        401, 403, 404, 422, 429,
        media={
            200: (
                "text/csv application/x-ndjson"
                " application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "文件",
            )
        },
    ),
)  # fmt: skip
def file(request: HttpRequest, id: UUID) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    try:
        found = services.fetch(caller.actor, id, at=now(), system=caller.system)
    except ExportNotFound:
        raise _missing() from None
    answer = FileResponse(found.data, content_type=found.media)
    answer["Content-Length"] = found.size
    answer["Content-Disposition"] = f'attachment; filename="{found.plain}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@router.post(
    "/{id}/delete",
    response=ExportAnswer,
    auth=Door(SCOPE),
    summary="取消，或者删除文件",
    description="正在排队和生成的取消，已有的文件删除；答删除以前的样子。再删一次答 404。",
    url_name="export-delete",
    openapi_extra=problems.documented(400, 401, 403, 404, 411, 413, 422, 429),
)
def delete(request: HttpRequest, id: UUID, given: DeleteGiven) -> Any:
    caller = entry.caller(request)
    problems.only(request)
    entry.key_of(request, caller)
    try:
        found = queries.one(caller.actor, id, system=caller.system)
        if given.state and given.state != found.state:
            raise Refusal(
                "exports.moved_on",
                f"这次导出现在的状态是 {found.state}，不是 {given.state}，没有删除。",
                field="state",
            )
        services.delete(caller.actor, id, at=now(), system=caller.system)
    except ExportNotFound:
        raise _missing() from None
    return reply(request, _answer(found), cache="no-store")
