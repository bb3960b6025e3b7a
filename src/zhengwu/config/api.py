"""The interface to other systems (接口), /api/v1/: reading only, described at openapi.json."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from zhengwu.calendars import api as calendars
from zhengwu.cases import api as cases
from zhengwu.cases.loading import CaseNotFound
from zhengwu.domain.refusal import Refusal
from zhengwu.halls import queries as halls
from zhengwu.web import errors, problems

DESCRIPTION = "政务接口：只读。出错一律是 application/problem+json（RFC 9457），code 给程序看，detail 给人看。"


class Interface(NinjaAPI):
    """With what the library cannot say by itself: the shape of a "no", and who may ask."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return str(operation.url_name)

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        components = document["components"]
        components["schemas"]["Problem"] = problems.Problem.model_json_schema()
        components["securitySchemes"] = {
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
                "description": "工作人员登录后的会话；只看得到自己权限以内的办件",
            },
        }
        return document


api = Interface(
    title="政务接口",
    version=version("zhengwu"),
    description=DESCRIPTION,
    openapi_url="/openapi.json",
    docs_url=None,
    urls_namespace="api",
)


def region_of(hall: str) -> str | None:
    """The region of a hall, None where there is no such hall."""
    found = halls.hall(hall)
    return found.region if found else None


api.add_router("/calendar", calendars.routes(region_of=region_of), tags=["历法"])
api.add_router("/cases", cases.router, tags=["办件"])


@api.exception_handler(Refusal)
def _refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return problems.refused(refusal)


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
    return errors.bad_request(request)


@api.exception_handler(ValidationError)
def _unread(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What the library found wrong before our code was asked: nearly always a missing parameter."""
    first = error.errors[0]
    name = str(first["loc"][-1])
    missing = first["type"] == "missing"
    return problems.refused(
        Refusal(
            "request.missing" if missing else "request.unreadable",
            f"没有写参数 {name}。请补上。" if missing else f"参数 {name} 读不懂。请改正。",
            field=name,
        )
    )


def addresses() -> tuple[list[URLPattern], str, str]:
    """For `path("api/v1/", …)`."""
    patterns, app, namespace = api.urls
    entered = [
        URLPattern(one.pattern, _reading(one.callback), one.default_args, one.name)
        for one in patterns
        if isinstance(one, URLPattern)
    ]
    return entered, app, namespace


def _reading(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """GET and HEAD, nothing else."""

    def entered(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        method = request.method
        if method not in ("GET", "HEAD"):
            answer = problems.problem(
                405, "http.405", problems.MEANS[405], "这个地址只能读取。请用 GET。"
            )
            answer["Allow"] = "GET, HEAD"
            return answer
        request.method = "GET"  # the library does not know HEAD; the server leaves out the body
        try:
            return view(request, **parts)
        finally:
            request.method = method

    entered.csrf_exempt = True  # type: ignore[attr-defined]  # nothing can be changed here
    return entered
