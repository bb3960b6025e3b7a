"""The token of a form (表单令牌): Django's, masked anew for every page, in a few calls.

A page's forms bring back the visitor's secret under a mask that no two pages share, so that nobody
reads it out of compressed answers (BREACH). Django masks it letter by letter; this says the same of
all 32 letters at once, and what it says is read by Django's own middleware.
"""

from __future__ import annotations

import os
from operator import add

from django.http import HttpRequest
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH, get_token

_MANY = len(CSRF_ALLOWED_CHARS)
_EVEN = 256 // _MANY * _MANY  # bytes below it stand for every letter equally often
_UNEVEN = bytes(range(_EVEN, 256))
_LETTERS = bytes(ord(CSRF_ALLOWED_CHARS[number % _MANY]) for number in range(256))
_PLACES = bytes(max(0, CSRF_ALLOWED_CHARS.find(chr(number))) for number in range(256))
_WITHIN = bytes(number % _MANY for number in range(256))


def form_token(request: HttpRequest) -> str:
    """What a form of this page must bring back; a visitor without a secret gets one."""
    secret = request.META.get("CSRF_COOKIE")
    if secret is None or len(secret) != CSRF_SECRET_LENGTH:
        return get_token(request)
    request.META["CSRF_COOKIE_NEEDS_UPDATE"] = True  # sent again, so that it lasts
    return masked(secret)


def masked(secret: str) -> str:
    """A mask, and the secret moved by it: 64 letters."""
    mask = b""
    while len(mask) < CSRF_SECRET_LENGTH:
        mask += os.urandom(2 * CSRF_SECRET_LENGTH).translate(_WITHIN, _UNEVEN)
    mask = mask[:CSRF_SECRET_LENGTH]
    moved = bytes(map(add, mask, secret.encode().translate(_PLACES)))
    return (mask + moved).translate(_LETTERS).decode()
