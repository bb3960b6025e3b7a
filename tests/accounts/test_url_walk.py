"""Every address there is, and who gets nothing from it.

The walk reads the addresses from ROOT_URLCONF itself. A new one fails here until it says what to
call it with (ARGUMENTS) and, on the desk, which act it needs (ACTS). Public is only what
config/public_urls.py names. The operations of the interface are walked by test_api_walk.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls import path as django_path

from tests.desk.walk import uscc
from zhengwu.accounts import queries as accounts
from zhengwu.accounts import roles
from zhengwu.cases import queries as cases
from zhengwu.cases import services
from zhengwu.cases.parties import Applicant
from zhengwu.catalog import services as catalog
from zhengwu.config import urls
from zhengwu.config.public_urls import PUBLIC
from zhengwu.domain.procedure import Limit

SIGN_IN = "/account/login"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOBODYS = "JC000000000000"  # a case that is not there

# What to call an address with: its name → its arguments. {number}, {check}, … are of the real case.
ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "item": {"code": "XK0031"},
    "item-pdf": {"code": "XK0031"},
    "items-by": {"way": "department"},
    "form": {"digest": "0" * 64, "filename": "a.pdf"},
    "law": {"code": "xkf"},
    "statistics-by": {"way": "agency"},
    "statistics-download": {"table": "city", "form": "json"},
    "check-code": {"code": "{check}"},
    "decision": {"id": "00000000-0000-0000-0000-000000000000"},
    "track-document": {"token": "made-up"},
    "track-twin": {"token": "made-up"},
    "track-why": {"token": "made-up"},
    **{name: {"code": "XK0031"} for name in ("api:item", "api:item-guide", "api:item-versions")},
    "api:clock": {"number": "{number}"},
    "api:time-ledger": {"number": "{number}"},
    "desk:case": {"number": "{number}"},
    "desk:act": {"number": "{number}", "kind": "step_taken"},
    "desk:document": {"number": "{number}", "check": "{check}"},
    "desk:print": {"number": "{number}", "check": "{check}"},
    "desk:undo": {"number": "{number}"},
    "desk:why": {"number": "{number}"},
    "desk:review": {"number": "{number}"},
    "desk:file": {"number": "{number}", "identifier": "00000000-0000-4000-8000-000000000000"},
    "desk:file-page": {
        "number": "{number}",
        "identifier": "00000000-0000-4000-8000-000000000000",
        "page": "1",
    },
    "desk:system": {"identifier": "00000000-0000-4000-8000-000000000000"},
    "desk:system-issue": {"identifier": "00000000-0000-4000-8000-000000000000"},
    "desk:system-revoke": {
        "identifier": "00000000-0000-4000-8000-000000000000",
        "token": "00000000-0000-4000-8000-000000000000",
    },
    "desk:calendar-change": {"version": "1"},
    "desk:calendar-propose": {"way": "notice"},
    "desk:authorisation": {"identifier": "00000000-0000-4000-8000-000000000000"},
    "desk:catalogue-export": {"form": "csv"},
    "desk:catalogue-item": {"code": "XK0031"},
    "desk:catalogue-compare": {"base": "XK0031"},
    "desk:catalogue-compare-export": {"form": "csv"},
    "desk:catalogue-differences-export": {"form": "csv"},
    "desk:catalogue-completeness-export": {"form": "csv"},
    "desk:catalogue-word": {"identifier": "1"},
    "desk:catalogue-word-remove": {"identifier": "1"},
    "desk:catalogue-import-report": {"identifier": "00000000-0000-4000-8000-000000000000"},
    "desk:catalogue-import-download": {"identifier": "00000000-0000-4000-8000-000000000000"},
    "desk:change": {"identifier": "00000000-0000-4000-8000-000000000000"},
    "desk:change-edit": {"identifier": "00000000-0000-4000-8000-000000000000"},
    "desk:change-material": {"identifier": "00000000-0000-4000-8000-000000000000"},
    "desk:change-file": {
        "identifier": "00000000-0000-4000-8000-000000000000",
        "digest": "0" * 64,
    },
    **{
        name: {"identifier": "00000000-0000-4000-8000-000000000000"}
        for name in ("desk:export-cancel", "desk:export-delete", "desk:export-file")
    },
    **{
        name: {"identifier": "00000000-0000-4000-8000-000000000000"}
        for name in ("desk:finding", "desk:order", "desk:account", "desk:check")
    },
    "desk:finding-file": {
        "identifier": "00000000-0000-4000-8000-000000000000",
        "file": "00000000-0000-4000-8000-000000000000",
    },
    "desk:rule-change": {"version": "1"},
    **{name: {"code": "T03"} for name in ("desk:rule", "desk:rule-edit", "desk:rule-end")},
    "desk:rule-setting": {"kind": "dialect"},
    **{
        name: {"identifier": "00000000-0000-4000-8000-000000000000"}
        for name in ("desk:rule-trial", "desk:rule-trial-cancel")
    },
    "desk:draft-save": {"slot": "case/{number}/granted"},
    "desk:draft-discard": {"slot": "case/{number}/granted"},
}
# The act each address of the staff needs; None: whoever is signed in.
ACTS: Mapping[str, str | None] = {
    "account_change_password": None,
    "desk:inbox": None,
    "desk:inbox-export": "case.see",
    "desk:register": "case.receive",
    "desk:case": "case.see",
    "desk:act": "case.see",
    "desk:document": "case.see",
    "desk:print": "case.see",
    "desk:undo": "case.see",
    "desk:why": "case.see",
    "desk:review": "case.see",
    "desk:file": "case.see",
    "desk:file-page": "case.see",
    "desk:batch": "case.take",
    "desk:day": "case.see",
    "desk:day-export": "case.see",
    "desk:shift": "case.hand_over",
    "desk:shift-give": "case.hand_over",
    "desk:shift-take": "case.take",
    "desk:shift-sheet": "case.hand_over",
    "desk:drafts": None,
    "desk:draft-save": None,
    "desk:draft-discard": None,
    "desk:authorisations": "authorise.see",
    "desk:authorisations-export": "authorise.issue",
    "desk:authorise": "authorise.issue",
    "desk:authorisation": "authorise.issue",
    "desk:fees": "case.collect",
    "desk:statistics": "statistics.see",
    "desk:statistics-by": "statistics.see",
    "desk:statistics-by-csv": "statistics.see",
    "desk:statistics-by-xlsx": "statistics.see",
    "desk:statistics-time": "statistics.see",
    "desk:statistics-time-csv": "statistics.see",
    "desk:statistics-time-xlsx": "statistics.see",
    "desk:statistics-handings": "statistics.see",
    "desk:statistics-people": "statistics.people",
    "desk:statistics-people-csv": "statistics.people",
    "desk:statistics-people-xlsx": "statistics.people",
    "desk:statistics-restatements": "statistics.see",
    "desk:statistics-definitions": "statistics.see",
    "desk:statistics-cases": "statistics.see",
    "desk:statistics-report": "statistics.see",
    "desk:statistics-report-pdf": "statistics.see",
    "desk:statistics-report-xlsx": "statistics.see",
    **dict.fromkeys(
        (
            "desk:ranking",
            "desk:ranking-csv",
            "desk:ranking-xlsx",
            "desk:ranking-sheet",
            "desk:ranking-report",
            "desk:ranking-report-pdf",
            "desk:ranking-report-xlsx",
        ),
        "supervise.see",
    ),
    **dict.fromkeys(
        ("desk:rules", "desk:rule", "desk:rule-changes", "desk:rule-change"), "supervise.see"
    ),
    **dict.fromkeys(
        (
            "desk:rule-new",
            "desk:rule-edit",
            "desk:rule-end",
            "desk:rule-setting",
            "desk:rule-trial",
            "desk:rule-trial-cancel",
        ),
        "supervise.rules",
    ),
    "desk:time": "time.see",
    "desk:time-export": "time.see",
    "desk:process": "time.see",
    "desk:process-cases": "time.see",
    "desk:process-xes": "time.see",
    "desk:process-export": "time.see",
    "desk:supervision": "supervise.see",
    "desk:supervision-csv": "supervise.see",
    "desk:supervision-mine": "supervise.answer",
    "desk:supervision-issue": "supervise.act",
    "desk:finding": None,
    "desk:finding-file": None,
    "desk:orders": "supervise.see",
    "desk:order-new": "supervise.act",
    "desk:order": None,
    "desk:accounts": "supervise.see",
    "desk:account": None,
    "desk:checks": "supervise.see",
    "desk:check-draw": "supervise.act",
    "desk:check": "supervise.see",
    "desk:wall": "supervise.see",
    "desk:wall-cases": "supervise.see",
    "desk:digest": "supervise.see",
    "desk:calendar": "calendar.see",
    "desk:calendar-changes": "calendar.see",
    "desk:calendar-change": "calendar.see",
    "desk:calendar-propose": "calendar.propose",
    "desk:catalogue": "catalog.see",
    "desk:catalogue-export": "catalog.see",
    "desk:catalogue-item": "catalog.see",
    "desk:catalogue-compare": "catalog.see",
    "desk:catalogue-compare-export": "catalog.see",
    "desk:catalogue-differences": "catalog.see",
    "desk:catalogue-differences-export": "catalog.see",
    "desk:catalogue-alike": "catalog.see",
    "desk:catalogue-pair": "catalog.see",
    "desk:catalogue-completeness": "catalog.see",
    "desk:catalogue-completeness-export": "catalog.see",
    "desk:catalogue-words": "catalog.words",
    "desk:catalogue-word-new": "catalog.words",
    "desk:catalogue-word": "catalog.words",
    "desk:catalogue-word-remove": "catalog.words",
    "desk:catalogue-import": "catalog.draft",
    "desk:catalogue-import-report": "catalog.draft",
    "desk:catalogue-import-download": "catalog.draft",
    "desk:catalogue-download": "catalog.see",
    "desk:changes": "catalog.see",
    "desk:changes-step": "catalog.see",
    "desk:change-begin": "catalog.draft",
    "desk:change": "catalog.see",
    "desk:change-edit": "catalog.draft",
    "desk:change-material": "catalog.draft",
    "desk:change-file": "catalog.see",
    "desk:systems": "systems.manage",
    "desk:system-new": "systems.manage",
    "desk:system": "systems.manage",
    "desk:system-issue": "systems.manage",
    "desk:system-revoke": "systems.manage",
    "desk:exports": None,
    "desk:exports-rows": None,
    "desk:exports-told": None,
    "desk:export-new": None,
    "desk:export-cancel": None,
    "desk:export-delete": None,
    "desk:export-file": None,
    "desk:operate": "operate.see",
    "desk:audit": "audit.looks",
    "desk:audit-export": "audit.looks",
}
# Answer to a submitted form only.
POSTED = (
    "desk:act",
    "desk:undo",
    "desk:draft-save",
    "desk:draft-discard",
    "desk:export-cancel",
    "desk:shift-give",
    "desk:shift-take",
    "desk:check-draw",
    "desk:rule-trial-cancel",
)
# Of one case: whoever may do the act elsewhere still gets nothing.
OF_A_CASE = (
    "desk:case",
    "desk:act",
    "desk:undo",
    "desk:why",
    "desk:document",
    "desk:print",
    "desk:review",
    "desk:file",
    "desk:file-page",
)
# Of one thing that is not there: 404 to whoever may.
OF_NOTHING = (
    "desk:process-cases",
    "desk:system",
    "desk:finding",
    "desk:finding-file",
    "desk:order",
    "desk:account",
    "desk:check",
    "desk:system-issue",
    "desk:system-revoke",
    "desk:authorisation",
    "desk:catalogue-compare-export",
    "desk:catalogue-pair",
    "desk:catalogue-word",
    "desk:catalogue-word-remove",
    "desk:catalogue-import-report",
    "desk:catalogue-import-download",
    "desk:change",
    "desk:change-edit",
    "desk:change-material",
    "desk:change-file",
    "desk:rule-change",
    "desk:rule-trial",
    "desk:ranking-sheet",
    "desk:export-new",  # of no table
    "desk:export-cancel",
    "desk:export-delete",
    "desk:export-file",
)
ROLES_OF_AN_AGENCY = ("clerk", "reviewer", "approver", "head", "legal", "cashier")
# One person of every role, at the water bureau where the role belongs to an agency.
ROLES = {
    role: f"p-water-{role}" if role in ROLES_OF_AN_AGENCY
    else f"p-{role}"
    for role in roles.TABLE
}  # fmt: skip
# Not the one of the examples in the description of the interface, which everybody may read.
APPLICANT = Applicant(
    kind="organisation",
    name="江城澄心泵业有限公司",
    identifier_kind="uscc",
    identifier=uscc("91420100MA4KX83P7"),
    phone="13707150862",
)


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the platform: its name, its pattern and the names of its arguments."""

    name: str
    pattern: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """The water bureau's case, with an acceptance notice."""

    number: str
    query_code: str
    check: str

    def secrets(self) -> tuple[str, ...]:
        """What a page that gives something away would hold."""
        return (
            self.query_code,
            APPLICANT.name,
            APPLICANT.identifier,
            APPLICANT.identifier[-6:],
            APPLICANT.phone,
        )


def addresses() -> tuple[Address, ...]:
    """All addresses of ROOT_URLCONF, through every include."""
    return tuple(_walk(get_resolver(settings.ROOT_URLCONF), prefix="", spaces=()))


def _walk(resolver: URLResolver, *, prefix: str, spaces: tuple[str, ...]) -> Iterator[Address]:
    for one in resolver.url_patterns:
        pattern = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = (*spaces, one.namespace) if one.namespace else spaces
            yield from _walk(one, prefix=pattern, spaces=inner)
            continue
        assert isinstance(one, URLPattern)
        assert one.name, f"{pattern} 没有名字。请在 path() 里写 name=。"
        arguments = re.findall(r"<(?:\w+:)?(\w+)>", pattern)
        yield Address(":".join((*spaces, one.name)), pattern, tuple(arguments))


ALL = addresses()
# What has a door of its own answers 401 in JSON and is walked by test_api_walk.py.
INTERFACE = tuple(one for one in ALL if one.name.startswith("api:") and one.name not in PUBLIC)
CLOSED = tuple(one for one in ALL if one.name not in PUBLIC and one not in INTERFACE)


def path(address: Address, case: Case | None = None) -> str:
    """Its path, with the sample arguments filled in."""
    given = ARGUMENTS.get(address.name, {})
    missing = sorted(set(address.arguments) - set(given))
    assert not missing, (
        f"网址 {address.name}（{address.pattern}）有未知的参数 {missing}。"
        "请在 tests/accounts/test_url_walk.py 的 ARGUMENTS 里写上可以用来访问它的值。"
    )
    values = {"number": case.number, "check": case.check} if case else {}
    blank = {"number": NOBODYS, "check": "AAAA2222BBBB3333"}
    return reverse(
        address.name, kwargs={key: text.format(**blank | values) for key, text in given.items()}
    )


def stranger(*, csrf: bool = False) -> Client:
    return Client(SERVER_NAME="localhost", enforce_csrf_checks=csrf)


def signed_in(code: str) -> Client:
    client = stranger()
    client.force_login(
        get_user_model().objects.get(code=code),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def ask(client: Client, method: str, where: str) -> Any:
    return client.generic(method, where)


def body(answer: Any) -> str:
    content: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


@pytest.fixture
def case(city: None) -> Case:
    """Received and accepted at the water bureau's window by its clerk."""
    at = datetime.now(UTC) - timedelta(minutes=10)
    catalog.publish(
        catalog.Draft(
            code="XK0031", name="取水许可", type="行政许可", agency="420100-water",
            kind="promised", statutory=Limit(45, basis="取水许可和水资源费征收管理条例 第十九条"),
            promised=Limit(20, basis="办事指南"), promised_is="stated",
            materials=("取水许可申请书",), result="取水许可证",
            basis="取水许可和水资源费征收管理条例 第十九条", fee="无", note="",
            since=date(2020, 1, 1),
        ),
        by=None,
        at=at,
    )  # fmt: skip
    clerk = accounts.actor("p-water-clerk")
    received = services.receive(
        clerk,
        services.Reception(item="XK0031", applicant=APPLICANT, materials={"01": "received"}),
        key=str(uuid4()),
        at=at,
    )
    done = services.perform(
        clerk, received.number, "accepted", version=1, key=str(uuid4()), form={}, at=at
    )
    assert done.document
    return Case(received.number, received.query_code, done.document)


# --- the lists themselves ---------------------------------------------------------------------


def test_every_address_is_public_with_a_reason_or_says_which_act_it_needs() -> None:
    names = {one.name for one in ALL}
    assert all(reason.strip() for reason in PUBLIC.values())
    unknown = sorted(names - set(PUBLIC) - set(ACTS) - {one.name for one in INTERFACE})
    assert not unknown, (
        f"这些网址还没有归属：{unknown}。给所有人看的写进 config/public_urls.py 并说明理由；"
        "给工作人员的，在 tests/accounts/test_url_walk.py 的 ACTS 里写明需要哪个行为。"
    )
    assert not set(PUBLIC) & set(ACTS)
    assert (set(PUBLIC) | set(ACTS)) <= names, "名单里有已经不存在的网址，请删去。"
    assert {act for act in ACTS.values() if act} <= {a for t in roles.TABLE.values() for a in t}


def test_the_whole_desk_is_closed() -> None:
    assert not [one.name for one in ALL if one.pattern.startswith("desk/") and one.name in PUBLIC]


def test_of_signing_in_only_in_out_and_the_password_are_there() -> None:
    account = {one.name for one in ALL if one.pattern.startswith("account")}
    assert account == {"account_login", "account_logout", "account_change_password"}
    assert not [one for one in ALL if "admin" in one.pattern or one.name.startswith("admin:")]
    for gone in (
        "signup", "email", "password/reset", "password/set", "confirm-email", "reauthenticate",
        "inactive", "login/code/confirm", "3rdparty",
    ):  # fmt: skip
        for where in (f"/account/{gone}", f"/account/{gone}/", f"/accounts/{gone}/"):
            assert stranger().get(where).status_code == 404, where
    for where in ("/admin", "/admin/", "/django-admin/", "/desk/admin/"):
        assert stranger().get(where).status_code == 404, where


def test_an_address_with_unknown_arguments_is_told_what_to_add() -> None:
    with pytest.raises(AssertionError, match="ARGUMENTS"):
        path(Address("desk:new", "desk/new/<str:code>", ("code",)))


def test_a_page_nobody_thought_of_is_closed(city: None) -> None:
    def bare(request: HttpRequest) -> HttpResponse:
        return HttpResponse("open")

    class Urls:
        urlpatterns = (django_path("bare", bare, name="bare"), *urls.urlpatterns)

    with override_settings(ROOT_URLCONF=Urls):
        for method in METHODS:
            assert ask(stranger(), method, "/bare")["Location"] == f"{SIGN_IN}?next=/bare"
        assert body(ask(signed_in("p-water-clerk"), "GET", "/bare")) == "open"


# --- strangers --------------------------------------------------------------------------------


def test_a_stranger_is_led_to_the_sign_in_from_every_closed_address(case: Case) -> None:
    assert len(CLOSED) == len(ACTS)
    client = stranger()
    for address in CLOSED:
        where = path(address, case)
        for method in METHODS:
            answer = ask(client, method, where)
            told = f"{method} {address.name}: {answer.status_code}"
            assert answer.status_code == 302, told
            assert answer["Location"].startswith(f"{SIGN_IN}?next=/"), told
            assert body(answer) == "", told
            assert not answer.cookies, told


def test_a_strangers_forged_form_gets_nothing_either(case: Case) -> None:
    client = stranger(csrf=True)
    for address in CLOSED:
        answer = client.post(path(address, case))
        assert answer.status_code in (302, 403), address.name
        assert not [one for one in case.secrets() if one in body(answer)], address.name


def test_a_stranger_cannot_tell_a_case_from_none(case: Case) -> None:
    none = Case(NOBODYS, "", "AAAA2222BBBB3333")
    assert _same_answers(stranger(), case, none) == []


def test_public_pages_answer_a_stranger_and_give_no_applicant_away(case: Case) -> None:
    client = stranger()
    for address in ALL:
        if address.name not in PUBLIC:
            continue
        for method in ("GET", "POST"):
            answer = ask(client, method, path(address, case))
            told = f"{method} {address.name}: {answer.status_code}"
            assert answer.status_code < 500 or address.name == "readyz", told
            assert not [one for one in case.secrets() if one in body(answer)], told


def test_tracking_tells_a_stranger_with_a_wrong_code_what_it_tells_about_no_case(
    case: Case,
) -> None:
    wrong = [
        stranger().post("/track", {"number": number, "code": "AAAAAA"})
        for number in (case.number, NOBODYS)
    ]
    assert [one.status_code for one in wrong] == [404, 404]
    real, none = (
        _levelled(body(one), number)
        for one, number in zip(wrong, (case.number, NOBODYS), strict=True)
    )
    assert real == none


# --- the desk, role by role -------------------------------------------------------------------


@pytest.mark.parametrize("role", list(roles.TABLE))
def test_whose_role_lacks_the_act_gets_nothing(case: Case, role: str) -> None:
    client, clerk = signed_in(ROLES[role]), signed_in(ROLES["clerk"])
    assert accounts.actor(ROLES[role]).roles == {role}
    for name, act in ACTS.items():
        if act is None or act in roles.TABLE[role]:
            continue
        where = path(_named(name), case)
        for method in ("GET", "POST"):
            answer = ask(client, method, where)
            told = f"{role} {method} {name}: {answer.status_code}"
            if answer.status_code == 405:  # no page of this method for anybody, case or none
                assert ask(clerk, method, where).status_code == 405, told
                assert body(answer) == "", told
                continue
            assert answer.status_code in (403, 404), told
            held = [one for one in (*case.secrets(), "取水许可") if one in body(answer)]
            assert not held, told


@pytest.mark.parametrize("role", list(roles.TABLE))
def test_whose_role_has_the_act_comes_in(case: Case, role: str) -> None:
    client = signed_in(ROLES[role])
    for name, act in ACTS.items():
        if act is not None and act not in roles.TABLE[role]:
            continue
        address = _named(name)
        answer = ask(client, "POST" if name in POSTED else "GET", path(address, case))
        told = f"{role} {name}: {answer.status_code}"
        assert answer.status_code < 500, told
        if name not in OF_A_CASE + OF_NOTHING:
            assert answer.status_code in (200, 204, 302, 422), told


@pytest.mark.parametrize("agency", ["market", "d102"])
def test_another_department_or_district_finds_no_case(case: Case, agency: str) -> None:
    for role in (*ROLES_OF_AN_AGENCY, "clerk2", "reviewer2"):
        _finds_nothing(case, f"p-{agency}-{role}")


def _finds_nothing(case: Case, code: str) -> None:
    client = signed_in(code)
    for name in OF_A_CASE:
        where = path(_named(name), case)
        for method in ("GET", "POST"):
            answer = ask(client, method, where)
            told = f"{code} {method} {name}: {answer.status_code}"
            assert answer.status_code == 404 or (answer.status_code, body(answer)) == (405, ""), (
                told
            )
    words = (APPLICANT.name, APPLICANT.identifier)
    looked = [str(client.post("/desk/", {"q": one})["Location"]) for one in words]
    lists = [f"/desk/list.csv?{where.partition('?')[2]}" for where in looked]
    for where in ("/desk/", f"/desk/?q={case.number}", f"/desk/?q={APPLICANT.name}", *looked,
                  *lists, "/desk/list.csv", "/desk/?folder=closed"):  # fmt: skip
        answer = client.get(where)
        assert answer.status_code == 200, where
        text = body(answer)
        if where in looked:  # what was typed is shown again
            text = text.replace(words[looked.index(where)], "")
        assert not [one for one in case.secrets() if one in text], where
        assert f"/desk/cases/{case.number}" not in text, where


@pytest.mark.parametrize("code", ["p-market-cashier", "p-d102-head", "p-audit_admin"])
def test_who_gets_nothing_cannot_tell_the_case_from_none(case: Case, code: str) -> None:
    none = Case(NOBODYS, "", "AAAA2222BBBB3333")
    assert _same_answers(signed_in(code), case, none) == []


@pytest.mark.parametrize("code", ["p-market-clerk", "p-d102-approver"])
def test_no_act_from_elsewhere_touches_the_case(case: Case, code: str) -> None:
    client = signed_in(code)
    for kind in services.VERBS:
        form = {"version": "2", "key": str(uuid4()), "days": "5", "reasons": "无"}
        answer: Any = client.post(f"/desk/cases/{case.number}/acts/{kind}", form)
        assert answer.status_code == 404, kind
    owner = accounts.actor("p-water-clerk")
    assert cases.case(owner, case.number, at=datetime.now(UTC)).version == 2


def test_the_owner_and_a_teammate_do_see_it(case: Case) -> None:
    for code in ("p-water-clerk", "p-water-clerk2", "p-water-reviewer", "p-supervisor"):
        answer = signed_in(code).get(f"/desk/cases/{case.number}")
        assert answer.status_code == 200, code
        assert APPLICANT.name in body(answer), code


def test_a_grant_opens_one_case_and_ends(case: Case) -> None:
    from zhengwu.accounts import services as people

    owner = accounts.actor("p-water-clerk")
    view = cases.case(owner, case.number, at=datetime.now(UTC))
    client = signed_in("p-market-clerk")
    now = datetime.now(UTC)
    people.grant(
        "p-market-clerk", act="case.see", stream=view.id, since=now - timedelta(days=2),
        until=now - timedelta(days=1), because="联合审批",
    )  # fmt: skip
    assert client.get(f"/desk/cases/{case.number}").status_code == 404
    people.grant(
        "p-market-clerk", act="case.see", stream=view.id, since=now - timedelta(days=1),
        until=now + timedelta(days=1), because="联合审批",
    )  # fmt: skip
    assert client.get(f"/desk/cases/{case.number}").status_code == 200


# --- how answers are compared -----------------------------------------------------------------


def _named(name: str) -> Address:
    return next(one for one in ALL if one.name == name)


def _same_answers(client: Client, case: Case, none: Case) -> list[str]:
    """The addresses whose answers tell the two apart."""
    told = []
    for name in OF_A_CASE:
        for method in ("GET", "POST"):
            real = ask(client, method, path(_named(name), case))
            blank = ask(client, method, path(_named(name), none))
            same = (
                real.status_code == blank.status_code
                and real.get("Location", "")
                .replace(case.number, NOBODYS)
                .replace(case.check, none.check)
                == blank.get("Location", "")
                and _levelled(body(real), case.number, case.check)
                == _levelled(body(blank), none.number, none.check)
            )
            if not same:
                told.append(f"{method} {name}: {real.status_code}, {blank.status_code}")
    return told


def _levelled(page: str, *own: str) -> str:
    """The page without what differs between any two requests and what was typed."""
    for one in own:
        page = page.replace(one, "…")
    return re.sub(r'name="(csrfmiddlewaretoken|key)" value="[^"]*"', "", page)
