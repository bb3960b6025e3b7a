"""The cast and the lawful steps by which tests bring a case where they need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import loading, services
from zhengwu.cases.parties import Applicant
from zhengwu.catalog import authorisations, shipped
from zhengwu.catalog import queries as catalog

SHANGHAI = ZoneInfo("Asia/Shanghai")
WATER, MARKET = "420100-water", "420100-market"
INTAKE = "XK0036"  # 取水许可: promised, of the water bureau
# Of the market bureau: on the spot; for a higher organ to decide; paid for before it is handed out.
REGISTRATION, FOOD, GAUGES = "XK0054", "XK0057", "XK0058"

COMPANY = Applicant(
    kind="organisation",
    name="江城清源水务有限公司",
    identifier_kind="uscc",
    identifier="91330102MA28NBU477",
    phone="13912342046",
)
PERSON = Applicant(
    kind="person",
    name="买买提•艾合买提",
    identifier_kind="resident_id",
    identifier="11010519491231002x",
    phone="027-12345678",
)


def moment(text: str) -> datetime:
    """09-14 09:20 of 2026 in Shanghai."""
    return datetime.fromisoformat(f"2026-{text}:00").replace(tzinfo=SHANGHAI)


def actor(code: str, when: str | None = None) -> Actor:
    return accounts.actor(code, at=moment(when) if when else None)


def items() -> None:
    """The items of the departments that the small city has; their windows may decide them."""
    shipped.import_items(
        agencies={"市水务局": WATER, "市市场监督管理局": MARKET}, at=moment("01-05 09:00")
    )
    for head in ("p-water-head", "p-market-head"):
        authorised(head)


def authorised(head: str = "p-market-head", *, since: str = "2020-01-01") -> None:
    """The head lets everybody at the organ's windows decide its immediate items; once."""
    by = actor(head)
    agency = by.agency or ""
    for item in catalog.receivable([agency], date(2026, 9, 14)):
        if item.kind == "immediate":
            for held in accounts.window_staff(agency):
                authorisations.issue(
                    by,
                    authorisations.Draft(
                        agency=agency, hall=held.hall, window=held.window, item=item.code,
                        person=held.person, powers=frozenset({"granted", "refused"}),
                        since=date.fromisoformat(since), until=None, number="书面授权 1 号",
                    ),
                    key=f"{item.code}:{held.person}",
                    at=moment("01-05 10:00"),
                )  # fmt: skip


def reception(
    item: str = INTAKE, *, applicant: Applicant = COMPANY, missing: int = 0
) -> services.Reception:
    row = catalog.in_force(item, moment("09-14 09:20").date())
    assert row is not None
    ticks = {material.code: "received" for material in row.materials}
    for material in row.materials[len(row.materials) - missing :]:
        ticks[material.code] = "missing"
    return services.Reception(item=item, applicant=applicant, materials=ticks)


@dataclass(slots=True)
class Told:
    """A case being told: each step by its actor, at its time."""

    number: str
    query_code: str

    def do(
        self, who: str, kind: str, when: str, form: Mapping[str, str] | None = None
    ) -> services.Done:
        by = actor(who, when)
        return services.perform(
            by,
            self.number,
            kind,
            version=loading.load(by, self.number).version,
            key=str(uuid4()),
            form=form or {},
            at=moment(when),
        )


def received(
    when: str = "09-14 09:20",
    *,
    item: str = INTAKE,
    applicant: Applicant = COMPANY,
    missing: int = 0,
    who: str = "p-water-clerk",
) -> Told:
    given = services.receive(
        actor(who),
        reception(item, applicant=applicant, missing=missing),
        key=str(uuid4()),
        at=moment(when),
    )
    return Told(given.number, given.query_code)


def golden() -> Told:
    """The worked story, whole."""
    case = received(missing=1)
    clerk, reviewer, approver = "p-water-clerk", "p-water-reviewer", "p-water-approver"
    case.do(clerk, "supplement_requested", "09-16 15:00")
    case.do(clerk, "supplemented", "09-21 10:05", {"material-03": "received"})
    case.do(clerk, "accepted", "09-21 10:20")
    case.do(reviewer, "step_taken", "09-21 14:00")
    case.do(reviewer, "suspended", "09-24 17:00", {"procedure": "expert_review", "days": "10"})
    case.do(reviewer, "resumed", "10-15 09:00")
    case.do(approver, "granted", "10-28 16:00")
    case.do(approver, "licence_made", "10-28 16:30")
    case.do(clerk, "step_taken", "10-29 09:10")
    case.do(clerk, "ready", "10-29 09:10")
    case.do(clerk, "delivered", "11-02 10:00", {"means": "signature", "proof": "何晓岚"})
    return case
