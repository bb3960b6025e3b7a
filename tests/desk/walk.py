"""Walking through the pages as people do, with Django's own client."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from typing import Protocol

from django.contrib.auth import get_user_model
from django.test import Client

from zhengwu.accounts import queries as accounts
from zhengwu.catalog import authorisations
from zhengwu.catalog import services as catalog
from zhengwu.domain.procedure import Limit

USCC = "91420100MA4K7Q2R51"
PASSWORD = "correct-horse-江城-battery"
KEY = re.compile(r'name="key" value="([^"]+)"')
NUMBER = re.compile(r"JC\d{12}")


def uscc(body: str = "91420100MA4K7Q2R5") -> str:
    """A unified social credit code with its right check character."""
    from zhengwu.domain.identifiers import uscc_check

    return body + uscc_check(body)


class Answer(Protocol):
    """What a page answered."""

    @property
    def content(self) -> bytes: ...

    @property
    def status_code(self) -> int: ...


def publish_items() -> None:
    """取水许可 (promised) and 企业投资项目备案 (immediate), both of the water bureau."""
    at = datetime(2026, 1, 2, tzinfo=UTC)
    permit = catalog.Draft(
        code="XK0031",
        name="取水许可",
        type="行政许可",
        agency="420100-water",
        kind="promised",
        statutory=Limit(45, basis="取水许可和水资源费征收管理条例 第十九条"),
        promised=Limit(20, basis="办事指南"),
        promised_is="stated",
        materials=("取水许可申请书", "水资源论证报告书", "与第三者利害关系的说明"),
        result="取水许可证",
        basis="取水许可和水资源费征收管理条例 第十九条",
        fee="无",
        note="",
        since=date(2020, 1, 1),
    )
    filing = replace(
        permit,
        code="QT0002",
        name="节水型单位备案",
        type="其他行政权力",
        kind="immediate",
        statutory=None,
        promised=Limit(0, basis="办事指南"),
        materials=("备案表",),
        result="备案回执",
        basis="节约用水条例",
    )
    for draft in (permit, filing):
        catalog.publish(draft, by=None, at=at)
    authorise()


def authorise() -> None:
    """The water bureau's head lets both clerks decide the immediate item at the window."""
    head = accounts.actor("p-water-head")
    for person in ("p-water-clerk", "p-water-clerk2"):
        authorisations.issue(
            head,
            authorisations.Draft(
                agency="420100-water",
                hall="H420100",
                window="B23",
                item="QT0002",
                person=person,
                powers=frozenset({"granted", "refused"}),
                since=date(2020, 1, 1),
                until=None,
                number="江水授〔2026〕1号",
            ),
            key=f"walk:{person}",
            at=datetime(2026, 1, 2, tzinfo=UTC),
        )


def public() -> Client:
    """Somebody who is not signed in."""
    return Client(SERVER_NAME="localhost")


def sign_in(code: str) -> Client:
    """A client signed in as a person of the city."""
    client = public()
    client.force_login(
        get_user_model().objects.get(code=code),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def text(response: Answer) -> str:
    return unescape(response.content.decode())


def registration(**changes: str) -> dict[str, str]:
    """A complete form; changes replace or (empty) clear fields."""
    return {
        "key": "8a9c0f0e-6a1a-4d53-9f5f-0f2f3b6f1a01",
        "identifier": uscc(),
        "identifier_kind": "",
        "name": "江城清源水务有限公司",
        "phone": "13900002046",
        "item": "取水许可",
        "material-01": "received",
        "material-02": "received",
        "material-03": "received",
        "do": "accept",
    } | changes


def register(client: Client, **changes: str) -> str:
    """Registers a walk-in and returns the case's number."""
    response = client.post("/desk/register", registration(**changes))
    assert response.status_code == 302, text(response)
    return response["Location"].rsplit("/", 1)[1]


def do(client: Client, number: str, kind: str, **form: str) -> Answer:
    """Does an act with the version and key that the case page offers for it, its form opened."""
    page = text(client.get(f"/desk/cases/{number}", {"act": kind}))
    start = page.find(f"/desk/cases/{number}/acts/{kind}")
    assert start >= 0, f"{kind} is not offered"
    piece = page[start:]
    key = KEY.search(piece)
    version = re.search(r'name="version" value="(\d+)"', piece)
    assert key
    assert version
    return client.post(
        f"/desk/cases/{number}/acts/{kind}",
        {"key": key.group(1), "version": version.group(1), **form},
    )
