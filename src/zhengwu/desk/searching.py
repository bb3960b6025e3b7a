"""What is looked for at the desk (查找的内容), kept out of addresses.

A name or an identity number in an address stays in the browser's history and in the logs of
whatever stands between. The words are sent by POST and kept in the session; the address has a
token in their place.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from zhengwu.web import paging
from zhengwu.web.forms import clean_text

KEPT = "searches"  # in the session: token → words, the latest last
MOST = 20
LONGEST = 100
NUMBER = re.compile(r"JC[0-9]{12}", re.IGNORECASE)  # nobody's data
LOST = "这次查找的内容已经不在了（换过登录、隔得太久，或者是别人的链接）。请在查找框里重新输入。"


@dataclass(frozen=True, slots=True)
class Asked:
    """words: empty when nothing is looked for. token: stands for them in an address, or empty.
    lost: something was looked for, and nobody knows any more what."""

    words: str
    token: str = ""
    lost: bool = False


def asked(request: HttpRequest) -> Asked:
    """What an address looks for: `s` a token, `q` a case number and nothing else."""
    if token := request.GET.get("s", ""):
        words = request.session.get(KEPT, {}).get(token)
        return Asked(words, token) if words else Asked("", lost=True)
    words = clean_text(request.GET.get("q", ""))
    if words and not NUMBER.fullmatch(words):
        return Asked("", lost=True)
    return Asked(words)


def answer(request: HttpRequest, to: str) -> HttpResponse:
    """303 to the page `to` for the words that were sent, with a token or a case number."""
    words = clean_text(request.POST.get("q", ""))[:LONGEST]
    query = request.GET.copy()
    if not words:
        where = paging.with_query(query, s=None, q=None, page=None)
    elif NUMBER.fullmatch(words):
        where = paging.with_query(query, s=None, q=words, page=None)
    else:
        where = paging.with_query(query, s=_kept(request, words), q=None, page=None)
    response = redirect(reverse(to) + where.rstrip("?"))
    response.status_code = 303
    return response


def _kept(request: HttpRequest, words: str) -> str:
    kept: dict[str, str] = dict(request.session.get(KEPT, {}))
    token = next((token for token, other in kept.items() if other == words), None)
    token = token or secrets.token_hex(4)
    kept.pop(token, None)
    kept[token] = words
    request.session[KEPT] = dict(list(kept.items())[-MOST:])
    return token
