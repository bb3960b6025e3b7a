"""The pages of things that went wrong (出错页)."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from zhengwu.domain.refusal import Refusal
from zhengwu.web import figures, observing, problems

log = logging.getLogger(__name__)


def _page(
    request: HttpRequest, status: int, title: str, say: str, *, article: str | None = None
) -> HttpResponse:
    if problems.wanted(request):
        return problems.problem(status, f"http.{status}", title, say, article=article)
    number = observing.current() if status >= 500 else ""
    context = {
        "title": title, "say": say, "status": status, "article": article, "number": number,
    }  # fmt: skip
    try:
        return render(request, "error.html.j2", context, status=status)
    except Exception:
        log.exception("the error page itself failed")
        return HttpResponse(
            f'<!doctype html><html lang="zh-Hans"><meta charset="utf-8"><title>{title}</title>'
            f"<h1>{title}</h1><p>{say}</p><p>{number}</p>",
            status=status,
        )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request cannot be read."""
    return _page(request, 400, "没看懂这个请求", "地址或者提交的内容不完整。请返回上一页再试一次。")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: signed in, and not for this person."""
    return _page(
        request,
        403,
        "您没有权限看这一页",
        "这一页不在您的岗位权限之内。需要时请找本单位的系统管理员。",
    )


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: not there, or not for this person: which of the two is not told."""
    if problems.wanted(request):
        said = "没有这个地址。请核对网址，各个地址见 /api/v1/docs。"
        return problems.problem(404, "http.404", problems.MEANS[404], said)
    return _page(
        request,
        404,
        "没有找到这一页",
        "可能是地址输错了，也可能您没有权限看它。可以从首页重新查找。",
    )


def too_large(request: HttpRequest, sentence: str) -> HttpResponse:
    """413: more was announced than we take; nothing of it was read."""
    return _page(request, 413, "提交的内容太大，没有接收", sentence)


def no_length(request: HttpRequest) -> HttpResponse:
    """411: a body that does not say how long it is."""
    return _page(
        request,
        411,
        "没有说明内容有多大，没有接收",
        "这次提交没有说明内容的长度（Content-Length）。请换一个浏览器，或请程序的开发者改正。",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault."""
    return _page(
        request,
        500,
        "系统出错了",
        "这是我们的问题，不是您的操作有误，已经记录。请稍后再试；着急的事可以拨打热线。",
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form's token is missing or old."""
    return _page(
        request,
        403,
        "页面停留太久，没有提交",
        "为了安全，停留太久或者浏览器禁用了 Cookie 的表单不能提交。"
        "请返回上一页刷新后再提交一次；什么都没有改动。",
    )


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """422: an act that is not allowed, where there is no form to show it in."""
    figures.refused(refusal.code)
    return _page(request, 422, "没有办成", refusal.sentence, article=refusal.article)
