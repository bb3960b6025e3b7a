"""The interface to other systems (接口), /api/v1/, described at openapi.json."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, NoReturn

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser

from zhengwu.accounts.api import KEY, PERSON, SCHEME, Door
from zhengwu.accounts.scopes import SCOPES
from zhengwu.calendars import api as calendars
from zhengwu.cases import api as cases
from zhengwu.cases.loading import CaseNotFound
from zhengwu.catalog import api as catalog
from zhengwu.config import api_examples as examples
from zhengwu.config import overload
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.exports import api as exports
from zhengwu.halls import queries as halls
from zhengwu.statistics import api as statistics
from zhengwu.web import errors, problems

DESCRIPTION = """\
给其他系统用。令牌由安全管理员签发，写在 `Authorization: Bearer …`；办理时还要在 `X-Acting-Person` 里写代哪位工作人员，\
每一步都由这个人负责。每次写入都要有 `Idempotency-Key`（UUID）：没有收到回答就用同一个再发，不会重复办理；\
同一个编号换了内容答 422。列表用 `next` 续页，不漏不重。读取的回答带 `ETag`。\
出错一律是 application/problem+json（RFC 9457）：`code` 给程序看，`detail` 给人看，`article` 是法条。"""

# Latin names, because programs are made from them; people read what they mean.
TAGS = {
    "cases": "办件", "acts": "办理", "events": "事件", "files": "材料", "items": "事项",
    "time": "期限与时间账", "process": "实际流程", "exports": "后台导出", "statistics": "统计", "calendar": "历法",
}  # fmt: skip


class Interface(NinjaAPI):
    """With what the library cannot say by itself: the shape of a "no", and who may ask."""

    _document: OpenAPISchema | None = None

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return str(operation.url_name).replace("-", "_")

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The document, made once for a process: no question changes it."""
        if self._document is None:
            self._document = self._made(path_prefix=path_prefix, path_params=path_params)
        return self._document

    def _made(self, **given: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**given)
        components = document["components"]
        fault = problems.Fault.model_json_schema()
        problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        problem.pop("$defs", None)
        components["schemas"] |= {"Fault": fault, "Problem": problem}
        components["securitySchemes"] = {
            SCHEME: {
                "type": "http",
                "scheme": "bearer",
                "description": "接入系统的令牌，由安全管理员签发和撤销。权限：\n\n"
                + "\n".join(f"- `{one.code}`：{one.zh}" for one in SCOPES.values()),
            },
            "QueryCode": {
                "type": "apiKey",
                "in": "header",
                "name": cases.HEADER,
                "description": "收件回执上的查询码；次数有限，与进度查询合并计算",
            },
            "Session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "zw_session",
                "description": "工作人员登录后的会话；只能读取自己权限以内的办件",
            },
        }
        for methods in document["paths"].values():
            for told in methods.values():
                _tell_the_door(told)
        document["tags"] = [
            {"name": name, "x-displayName": zh, "description": zh} for name, zh in TAGS.items()
        ]
        examples.put_into(document)
        return document


def _tell_the_door(told: dict[str, Any]) -> None:
    """Who may ask, and the headers that go with it, from the operation's own door."""
    door = DOORS.get(told["operationId"])
    if door is None:
        return
    writes = told.get("requestBody") is not None
    told["security"] = [{SCHEME: list(door.scopes)}]
    if not writes:
        told["security"].append({"Session": []})
    headers = []
    if writes:
        headers.append(
            _header(KEY, "UUID；重试时写同一个", required=True, pattern=SHAPE, example=SAMPLE_KEY)
        )
    if door.person or not writes:
        headers.append(
            _header(PERSON, "代哪位工作人员（人员代码）", required=door.person, maxLength=40)
        )
    told["parameters"] = [*told.get("parameters", ()), *headers]


def _header(name: str, said: str, *, required: bool, **schema: Any) -> dict[str, Any]:
    example = {"example": schema.pop("example")} if "example" in schema else {}
    return {
        "in": "header", "name": name, "required": required, "description": said,
        "schema": {"type": "string", **schema}, **example,
    }  # fmt: skip


HALVES = re.compile("[\\0\ud800-\udfff]")


class Reader(Parser):
    """JSON as RFC 8259 has it, and no field twice: of two answers the last would count silently."""

    def parse_body(self, request: HttpRequest) -> Any:
        found = json.loads(request.body, object_pairs_hook=_once, parse_constant=_no_number)
        _storable(found)
        return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field twice")
    return found


def _storable(value: Any) -> None:
    """No NUL and no half of a character: neither can stand in the database. Raises Refusal."""
    if isinstance(value, dict):
        for name, one in value.items():
            _storable(name)
            _storable(one)
    elif isinstance(value, list):
        for one in value:
            _storable(one)
    elif isinstance(value, str) and HALVES.search(value):
        raise Refusal(
            "request.characters", "内容里有 NUL 或者半个字符（不成对的代理码）。请去掉以后再发。"
        )


def _no_number(said: str) -> NoReturn:
    raise ValueError(said)  # NaN and Infinity are not JSON


api = Interface(
    title="政务接口",
    version=version("zhengwu"),
    description=DESCRIPTION,
    openapi_url="/openapi.json",
    docs_url=None,
    urls_namespace="api",
    parser=Reader(),
    auth=Door(),  # an operation that forgets to say who may ask is closed
)
READ = frozenset({"GET"})
# As a pattern: programs are made from the document that hand over a header of a format as no text.
SHAPE = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
SAMPLE_KEY = "5b0c5a3e-3f0b-4c57-9a54-0d9c6a0f2f6e"


def region_of(hall: str) -> str | None:
    """The region of a hall, None where there is no such hall."""
    found = halls.hall(hall)
    return found.region if found else None


api.add_router("/calendar", calendars.routes(region_of=region_of), auth=None, tags=["calendar"])
api.add_router("", catalog.router, auth=None, tags=["items"])
for prefix, router, tag in cases.ROUTERS:
    api.add_router(prefix, router, tags=[tag])
api.add_router("/exports", exports.router, tags=["exports"])
api.add_router("/statistics", statistics.router, tags=["statistics"])


def _operations() -> Iterator[tuple[Operation, frozenset[str]]]:
    """Every operation, with the methods of its address."""
    for _, bound in api._routers:
        for view in bound.path_operations.values():
            methods = frozenset(method for one in view.operations for method in one.methods)
            for operation in view.operations:
                yield operation, methods


@api.exception_handler(Refusal)
def _refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return problems.refused(refusal)


@api.exception_handler(Refusals)
def _refusals(request: HttpRequest, several: Refusals) -> HttpResponse:
    return problems.all_refused(several)


@api.exception_handler(problems.Refused)
def _refused(request: HttpRequest, refused: problems.Refused) -> HttpResponse:
    return refused.answer()


@api.exception_handler(CaseNotFound)
def _no_case(request: HttpRequest, missing: CaseNotFound) -> HttpResponse:
    return problems.problem(
        404,
        "case.not_found",
        problems.MEANS[404],
        "没有找到这个办件。请照着收件回执核对编号和查询码，两样都要对；"
        "工作人员只能查询自己权限以内的办件。",
    )


@api.exception_handler(Http404)
def _no_address(request: HttpRequest, missing: Http404) -> HttpResponse:
    return errors.page_not_found(request)


@api.exception_handler(HttpError)
def _library_says_no(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error.__cause__, Refusal):
        return problems.refused(error.__cause__)
    return problems.problem(
        400,
        "http.400",
        problems.MEANS[400],
        "提交的内容读不懂。应是 UTF-8 编码的 JSON，同一个字段只写一次，没有 NaN 和 Infinity。",
    )


@api.exception_handler(OperationalError)
def _gave_up(request: HttpRequest, problem: OperationalError) -> HttpResponse:
    """The straight way past the pages' equipment does not meet the hook that says this for them."""
    answer = overload.gave_up(request, problem)
    if answer is None:
        raise problem
    return answer


@api.exception_handler(ValidationError)
def _unread(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What the library found wrong before our code was asked, every one of them."""
    found: dict[str, Refusal] = {}
    for one in error.errors:
        where, *parts = (str(part) for part in one["loc"])
        if where == "body":  # body.form.what is the field "what" of the act's form
            parts = parts[1:]
            parts = parts[1:] if parts[:1] == ["form"] and len(parts) > 1 else parts
        name = ".".join(parts)[:100] or where
        found.setdefault(name, _in_words(name, str(one["type"]), one.get("ctx") or {}))
    faults = list(found.values())
    if len(faults) == 1:
        return problems.refused(faults[0])
    return problems.all_refused(Refusals(faults[:50]))


def _in_words(name: str, kind: str, context: Mapping[str, Any]) -> Refusal:
    if kind == "missing":
        return Refusal("request.missing", f"没有写 {name}。请补上。", field=name)
    if kind == "extra_forbidden":
        return Refusal(
            "request.unknown_parameter", f"这里没有 {name}。请核对名称，或者去掉它。", field=name
        )
    if expected := context.get("expected"):
        return Refusal(
            "request.unreadable", f"{name} 应是 {_listed(str(expected))} 之一。请改正。", field=name
        )
    return Refusal("request.unreadable", f"{name} 读不懂，或者超出了范围。请改正。", field=name)


def _listed(expected: str) -> str:
    """'a', 'b' or 'c' as a、b、c."""
    return expected.replace(" or ", ", ").replace("'", "").replace(", ", "、")[:300]


DOORS: Mapping[str, Door] = {
    api.get_openapi_operation_id(operation): door
    for operation, _ in _operations()
    for door in operation.auth_callbacks
    if isinstance(door, Door)
}
METHODS: Mapping[str, frozenset[str]] = {
    str(operation.url_name): methods for operation, methods in _operations()
}


def addresses() -> tuple[list[URLPattern], str, str]:
    """For `path("api/v1/", …)`."""
    patterns, app, namespace = api.urls
    entered = [
        URLPattern(
            one.pattern,
            _entered(one.callback, METHODS.get(str(one.name), READ)),
            one.default_args,
            one.name,
        )
        for one in patterns
        if isinstance(one, URLPattern)
    ]
    return entered, app, namespace


def _entered(
    view: Callable[..., HttpResponseBase], methods: frozenset[str]
) -> Callable[..., HttpResponseBase]:
    """By the methods that the address has; HEAD where there is GET."""
    allowed = sorted(methods | ({"HEAD"} if "GET" in methods else set()))

    def entered(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        method = request.method
        if method not in allowed:
            answer = problems.problem(
                405,
                "http.405",
                problems.MEANS[405],
                "这个地址只能读取。请用 GET。"
                if methods == READ
                else f"这个地址不能这样用。请用 {'、'.join(sorted(methods))}。",
            )
            answer["Allow"] = ", ".join(allowed)
            return answer
        if method != "HEAD":
            return view(request, **parts)
        request.method = "GET"  # the library does not know HEAD; the server leaves out the body
        try:
            return view(request, **parts)
        finally:
            request.method = method

    # A form on another site cannot send the header that a token needs, and sessions only read.
    entered.csrf_exempt = True  # type: ignore[attr-defined]
    return entered
