"""Whatever stands in an address: an answer, never a fault of ours."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from tests.accounts.test_url_walk import ALL
from tests.desk import walk
from tests.desk.test_naughty import DRILL

NARROWING = (
    "period", "since", "until", "agency", "unit", "district", "hall", "window", "item", "kind",
    "source", "channel",
)  # fmt: skip
# What each page reads of its query string.
READ: Mapping[str, tuple[str, ...]] = {
    "elder": ("on", "back"),
    "items": ("q", "page"),
    "track": ("number",),
    "decisions": ("q", "agency", "status", "since", "until", "page"),
    "decisions-export": ("q", "agency", "status", "since", "until"),
    "decisions-feed": ("q", "agency"),
    "check": ("code",),
    "account_login": ("next",),
    "account_logout": ("next",),
    "desk:inbox": ("q", "s", "folder", "item", "light", "page"),
    "desk:inbox-export": ("q", "s", "folder", "item", "light"),
    "desk:register": ("draft", "item"),
    "desk:case": ("q",),
    "desk:why": ("known",),
    "desk:review": ("m", "f", "p", "z", "folder", "item", "light"),
    "desk:batch": ("case", "do"),
    "desk:day": ("day", "of"),
    "desk:day-export": ("day", "of"),
    "desk:shift": ("day",),
    "desk:shift-sheet": ("day",),
    "desk:drafts": ("page",),
    "desk:authorisations": ("status", "text", "page"),
    "desk:authorisations-export": ("status", "text"),
    "desk:authorise": ("item",),
    "desk:fees": ("q", "s", "number", "page"),
    "desk:audit": ("q", "since", "until", "page"),
    "desk:audit-export": ("q", "since", "until"),
    "desk:operate": ("page",),
    "desk:exports": ("page",),
    "desk:exports-rows": ("seen",),
    "desk:exports-told": ("seen",),
    "desk:export-new": ("table", "state", "since", "form"),
    "desk:systems": (),
    "desk:system-new": (),
    "desk:time": ("since", "until", "agency", "running", "windows"),
    "desk:time-export": ("since", "until", "agency", "running", "windows"),
    "desk:process": ("item", "agency", "source", "outcome", "since", "until", "detail"),
    "desk:process-cases": ("item", "agency", "source", "outcome", "since", "until", "key", "page"),
    "desk:process-xes": ("item", "agency", "source", "outcome", "since", "until"),
    "desk:process-export": ("item", "agency", "source", "outcome", "since", "until"),
    "desk:statistics": NARROWING,
    "desk:statistics-by": ("period", "by", "sort", "q", "page", "compare"),
    "desk:statistics-by-csv": ("agency", "by", "sort", "q"),
    "desk:statistics-by-xlsx": ("since", "by"),
    "desk:statistics-time": ("since", "until", "grain", "page"),
    "desk:statistics-time-csv": ("period", "grain"),
    "desk:statistics-time-xlsx": ("item", "grain"),
    "desk:statistics-handings": ("period", "agency"),
    "desk:statistics-people": ("since", "sort", "q", "page"),
    "desk:statistics-people-csv": ("agency", "q"),
    "desk:statistics-people-xlsx": ("until", "sort"),
    "desk:statistics-restatements": ("period", "source"),
    "desk:statistics-definitions": ("until",),
    "desk:statistics-cases": ("period", "measure", "after", "giver", "taker", "person", "item"),
    "desk:statistics-report": ("month",),
    "desk:statistics-report-pdf": ("month",),
    "desk:statistics-report-xlsx": ("month",),
    "desk:supervision": (
        "folder",
        "after",
        "number",
        "level",
        "dimension",
        "agency",
        "rule",
        "state",
        "person",
        "since",
        "until",
    ),
    "desk:supervision-csv": ("folder", "number", "level", "agency", "since", "until"),
    "desk:supervision-mine": ("folder", "after"),
    "desk:supervision-issue": ("number",),
    "desk:orders": ("folder", "after", "number"),
    "desk:order-new": ("finding", "number", "agency"),
    "desk:accounts": ("folder", "after"),
    "desk:checks": ("after",),
    "desk:ranking": ("by", "period", "district"),
    "desk:ranking-csv": ("by", "period"),
    "desk:ranking-xlsx": ("district", "period"),
    "desk:ranking-sheet": ("by", "unit", "place", "period"),
    "desk:ranking-report": ("month",),
    "desk:ranking-report-pdf": ("month",),
    "desk:ranking-report-xlsx": ("month",),
    "desk:rules": ("on",),
    "desk:rule-changes": ("page",),
    "desk:rule-new": ("matter", "trial"),
    "desk:wall": ("part", "tables"),
    "desk:wall-cases": ("light", "district", "after"),
    "desk:digest": ("part",),
    "desk:calendar": ("year", "place"),
    "desk:calendar-changes": ("page",),
    "desk:file-page": ("w",),
    "desk:catalogue": (
        "q",
        "state",
        "level",
        "region",
        "agency",
        "type",
        "under",
        "generated",
        "sort",
        "page",
    ),
    "desk:catalogue-export": ("q", "state", "level", "region", "agency", "type", "under", "sort"),
    "desk:catalogue-item": ("version", "from", "to"),
    "desk:catalogue-compare": ("only",),
    "desk:catalogue-compare-export": ("base",),
    "desk:catalogue-differences": ("q", "element", "agency", "region", "page"),
    "desk:catalogue-differences-export": ("q", "element", "agency", "region"),
    "desk:catalogue-alike": ("q", "agency", "show", "page"),
    "desk:catalogue-pair": ("a", "b"),
    "desk:catalogue-completeness": ("region", "level", "agency", "under", "page"),
    "desk:catalogue-completeness-export": ("region", "level", "agency", "under"),
    "desk:catalogue-words": ("q", "try"),
    "desk:catalogue-import": (),
    "desk:catalogue-download": ("format", "level", "region", "agency", "all"),
    "desk:catalogue-word-new": ("word",),
    "desk:changes": ("state", "q", "batch", "page"),
    "desk:changes-step": ("change", "act"),
    "desk:change-begin": ("item", "copy", "new", "q"),
}
VALUES = {
    "nul": "JC%00",
    "long": "9" * 10_000,
    "surrogate": "%ED%A0%80",
    "bad-utf8": "%ff%fe%80",
    "negative": "-3",
    "huge": "99999999999999999999999999",
    "other-digits": quote("٣²①"),
    "far-day": "0000-00-00",
    "first-day": "0001-01-01",
    "last-day": "9999-12-31",
}
# The worst of each kind; a drill tries them all.
TRIED = {
    name: value
    for name, value in VALUES.items()
    if DRILL or name in ("nul", "surrogate", "huge", "first-day")
}
PEOPLE = {
    "p-water-clerk": ("desk:register", "desk:inbox", "desk:inbox-export", "desk:case",
                      "desk:review", "desk:batch", "desk:day", "desk:day-export", "desk:shift",
                      "desk:shift-sheet", "desk:drafts", "desk:why"),
    "p-water-cashier": ("desk:fees",),
    "p-supervisor": ("desk:supervision", "desk:supervision-csv", "desk:supervision-issue",
                     "desk:orders", "desk:order-new", "desk:accounts", "desk:checks", "desk:rules",
                     "desk:rule-changes", "desk:rule-new"),
    "p-water-head": ("desk:authorisations", "desk:authorisations-export", "desk:authorise",
                     *(f"desk:statistics{one}" for one in ("", "-by", "-by-csv", "-by-xlsx",
                       "-time", "-time-csv", "-time-xlsx", "-handings", "-people", "-people-csv",
                       "-people-xlsx", "-restatements", "-definitions", "-cases", "-report",
                       "-report-pdf", "-report-xlsx")),
                     "desk:wall", "desk:wall-cases", "desk:digest",
                     "desk:time", "desk:time-export", "desk:process", "desk:process-cases",
                     "desk:process-xes", "desk:process-export"),
    "p-system_admin": ("desk:operate", "desk:calendar", "desk:calendar-changes"),
    "p-security_admin": ("desk:systems", "desk:system-new"),
    "p-audit_admin": ("desk:audit", "desk:audit-export"),
    "p-centre_manager": ("desk:catalogue-words", "desk:catalogue-word-new", "desk:catalogue-import",
                         "desk:changes", "desk:changes-step", "desk:change-begin"),
}  # fmt: skip
NEEDS_A_CASE = ("desk:case", "desk:why", "desk:review", "desk:file-page")
OF_AN_ITEM = {"desk:catalogue-item": "code", "desk:catalogue-compare": "base"}
FILE = "00000000-0000-4000-8000-000000000000"
# A part of the path in the place of a number, a code, a token.
PATHS = (
    "/items/{}", "/check/{}", "/track/documents/{}.pdf", "/track/documents/{}/words",
    "/decisions/{}", "/desk/cases/{}", "/desk/cases/{}/why", "/track/why/{}", "/desk/cases/{}/review", "/desk/cases/{}/acts/{}",
    "/desk/cases/{}/undo", "/desk/cases/{}/documents/{}.pdf", "/desk/cases/{}/documents/{}/print",
    "/desk/cases/{}/files/" + FILE, "/desk/drafts/{}", "/desk/drafts/{}/discard",
    "/desk/authorisations/{}", "/desk/catalogue/items/{}", "/desk/catalogue/compare/{}",
    "/desk/systems/{}", "/desk/systems/{}/issue", "/desk/systems/" + FILE + "/tokens/{}/revoke",
    "/desk/catalogue.{}", "/desk/catalogue/words/{}", "/desk/changes/{}", "/desk/changes/{}/edit",
    "/desk/rules/rule/{}", "/desk/rules/rule/{}/edit", "/desk/rules/settings/{}",
    "/desk/rules/changes/{}", "/desk/rules/trials/{}",
    "/desk/supervision/findings/{}", "/desk/supervision/findings/{}/files/" + FILE,
    "/desk/supervision/findings/" + FILE + "/files/{}", "/desk/supervision/orders/{}",
    "/desk/supervision/accountability/{}", "/desk/supervision/checks/{}",
    "/desk/exports/{}/file", "/desk/exports/{}/cancel", "/desk/exports/{}/delete",
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("shop")


def _who(name: str) -> Client:
    code = next((code for code, pages in PEOPLE.items() if name in pages), None)
    client = walk.sign_in(code or "p-water-clerk") if name.startswith("desk:") else walk.public()
    client.raise_request_exception = False
    return client


def _address(name: str, number: str) -> str:
    given = {"number": number} if name in NEEDS_A_CASE else {}
    if name == "desk:file-page":
        given |= {"identifier": FILE, "page": "1"}
    if name in OF_AN_ITEM:
        given |= {OF_AN_ITEM[name]: "XK0031"}
    elif name.startswith("desk:catalogue") and name.endswith("-export"):
        given |= {"form": "csv"}
    return reverse(name, kwargs=given)


@pytest.mark.parametrize("value", TRIED.values(), ids=TRIED)
def test_no_query_string_is_a_fault(value: str, clerk: Client) -> None:
    number = walk.register(clerk)
    faults = []
    for name, parameters in READ.items():
        client, where = _who(name), _address(name, number)
        together = "&".join(f"{one}={value}" for one in parameters)
        each = [f"{one}={value}" for one in parameters] if value == VALUES["nul"] else []
        # A name that no page reads goes past every page alike: one value's is enough, but a drill's.
        strange = [f"{value}={value}"] if DRILL or each else []
        for query in (together, *strange, *each):
            answer = client.get(f"{where}?{query}")
            if answer.status_code >= 500:
                faults.append(f"{name} {query[:60]}: {answer.status_code}")
    assert faults == []


@pytest.mark.parametrize("value", TRIED.values(), ids=TRIED)
def test_no_part_of_a_path_is_a_fault(value: str, clerk: Client) -> None:
    clerk.raise_request_exception = False
    faults = []
    for pattern in PATHS:
        where = pattern.replace("{}", value)
        for method in ("GET", "POST"):
            answer = clerk.generic(method, where)
            if answer.status_code >= 500:
                faults.append(f"{method} {pattern}: {answer.status_code}")
    assert faults == []


def test_nul_in_the_cashiers_number_is_no_fault() -> None:
    cashier = walk.sign_in("p-water-cashier")
    cashier.raise_request_exception = False
    form = {"number": "JC\x00", "version": "1", "how": "paid", "ticket": "\x00", "q": "\x00"}
    assert cashier.post("/desk/fees", form).status_code in (404, 422)


def test_every_page_that_can_be_asked_is_asked_here() -> None:
    names = {one.name for one in ALL if not one.arguments and one.name.startswith("desk:")}
    posted = {"desk:shift-give", "desk:shift-take", "desk:check-draw"}
    assert names - posted <= set(READ)
