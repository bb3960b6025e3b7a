"""Applicants: several dated numbers, contact, agent with a letter; known again at the counter."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections, transaction

from tests.cases.people import COMPANY, PERSON, actor, moment, received, reception
from tests.documents.uploads import pdf
from zhengwu.cases import loading, parties, services
from zhengwu.cases.parties import Agent, Applicant, Contact, Identifier
from zhengwu.catalog import queries as catalog
from zhengwu.documents import files
from zhengwu.documents import queries as documents
from zhengwu.domain import identifiers
from zhengwu.domain.refusal import Refusal, Refusals

pytestmark = pytest.mark.usefixtures("town")
Owner = psycopg.Connection[tuple[object, ...]]
CLERK = "p-water-clerk"
AT = moment("09-14 09:20")
ORG_CODE = "MA28NBU47"  # within COMPANY's unified code
OLD = Identifier(
    kind="registration_no", value="33010012345678" + identifiers.registration_check("33010012345678"),
    since=date(2009, 5, 1), until=date(2016, 3, 1),
)  # fmt: skip
TAX = Identifier(kind="tax_no", value="330102MA28NBU47", until=date(2016, 3, 1))


def letter(who: str = CLERK) -> UUID:
    return files.keep(
        actor(who), purpose="letter", name="委托书.pdf", data=io.BytesIO(pdf()), at=AT
    ).id


def agent(**changes: object) -> Agent:
    given = Agent(
        role="agent", name="赵敏", identifier_kind="resident_id", identifier=PERSON.identifier,
        phone="13800001111", scope="办理取水许可", until=date(2026, 12, 31),
    )  # fmt: skip
    return replace(given, **changes)  # type: ignore[arg-type]


def kept(applicant: Applicant) -> UUID:
    clean, faults = parties.clean(applicant, at=AT)
    assert clean is not None, faults
    with transaction.atomic():
        return parties.keep(clean, at=AT)


def wrong(applicant: Applicant) -> dict[str | None, Refusal]:
    _, faults = parties.clean(applicant, at=AT)
    return {fault.field: fault for fault in faults}


def test_a_company_is_found_by_every_number_it_ever_had_in_force() -> None:
    code = Identifier(kind="org_code", value="123456788", since=date(2009, 5, 1))
    code = replace(code, value="12345678" + identifiers.organisation_check("12345678"))
    party = kept(replace(COMPANY, others=(code, OLD, TAX)))
    assert kept(COMPANY) == party
    old = replace(
        COMPANY, identifier_kind="org_code", identifier=code.value, name="江城清源水务公司"
    )
    assert kept(old) == party
    known = parties.lookup(actor(CLERK), COMPANY.identifier, at=AT)
    assert known is not None
    assert known.name == "江城清源水务公司"  # the latest given
    days = {one.kind: (one.since, one.until) for one in known.identifiers}
    assert days["registration_no"] == (OLD.since, OLD.until)
    assert days["uscc"] == (AT.date(), None)
    assert not any(OLD.value == one.value for one in known.identifiers)  # hidden in the middle


def test_a_number_that_ends_is_ended_and_may_be_anothers_later() -> None:
    code = Identifier(
        kind="org_code", value="12345678" + identifiers.organisation_check("12345678")
    )
    party = kept(replace(COMPANY, others=(code,)))
    kept(replace(COMPANY, others=(replace(code, until=AT.date()),)))
    known = parties.lookup(actor(CLERK), COMPANY.identifier, at=AT)
    assert known is not None
    assert [one.until for one in known.identifiers if one.kind == "org_code"] == [AT.date()]
    assert parties.lookup(actor(CLERK), code.value, kind="org_code", at=AT) is None
    other = replace(COMPANY, identifier_kind="org_code", identifier=code.value)
    assert kept(other) != party


def test_a_company_of_old_is_known_by_its_new_code() -> None:
    number = "91420100" + (inner := "12345678" + identifiers.organisation_check("12345678"))
    uscc = number + identifiers.uscc_check(number)
    party = kept(replace(COMPANY, identifier_kind="org_code", identifier=inner))
    assert parties.lookup(actor(CLERK), uscc, at=AT) is not None
    assert kept(replace(COMPANY, identifier=uscc)) == party


def test_two_numbers_of_two_known_parties_are_refused_with_what_to_do() -> None:
    code = "12345678" + identifiers.organisation_check("12345678")
    kept(COMPANY)
    kept(replace(COMPANY, name="江城另一家公司", identifier_kind="org_code", identifier=code))
    both = replace(COMPANY, others=(Identifier(kind="org_code", value=code),))
    with pytest.raises(Refusal) as answer:
        kept(both)
    assert answer.value.field == "other-1"
    assert "江城另一家公司" in answer.value.sentence
    assert "现行有效的号码收件" in answer.value.sentence


def test_one_passport_number_of_two_countries_is_two_people() -> None:
    american = replace(
        PERSON, name="John Smith", identifier_kind="passport", identifier="e12345678", country="usa"
    )
    assert kept(american) != kept(replace(american, name="Hans Meier", country="D"))
    assert set(wrong(replace(american, country=""))) == {"country"}
    assert set(wrong(replace(american, country="U5"))) == {"country"}
    assert parties.lookup(actor(CLERK), "E12345678", kind="passport", at=AT) is None  # which one?


def test_four_clerks_at_once_make_one_party(owner: Owner) -> None:
    gate = threading.Barrier(4)
    found: list[UUID] = []

    def register(nth: int) -> None:
        gate.wait()
        several = (OLD, TAX) if nth % 2 else (TAX, OLD)
        try:
            found.append(kept(replace(COMPANY, others=several)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=register, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert owner.execute("SELECT count(*) FROM cases_party").fetchone() == (1,)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"letter": None}, "letter", "agent.letter_missing"),
        ({"name": ""}, "agent_name", "name.required"),
        ({"name": "赵\x00敏"}, "agent_name", "name.control"),
        ({"identifier": ""}, "agent_identifier", "form.required"),
        ({"identifier": "1101"}, "agent_identifier", "resident_id.length"),
        ({"identifier_kind": "org_code"}, "agent_identifier", "agent.identifier_kind"),
        ({"phone": "1"}, "agent_phone", "applicant.phone"),
        ({"role": ""}, "agent_role", "agent.role"),
        ({"role": "friend"}, "agent_role", "agent.role"),
        ({"until": date(2026, 9, 13)}, "agent_until", "agent.letter_expired"),
        ({"scope": "事" * 201}, "agent_scope", "form.too_long"),
        ({"scope": "\ud800"}, "agent_scope", "form.control_characters"),
    ],
)
def test_what_is_wrong_with_an_agent_is_said_at_the_field(
    changes: dict[str, object], field: str, code: str
) -> None:
    faults = wrong(replace(COMPANY, agent=agent(**{"letter": uuid4(), **changes})))
    assert {where: fault.code for where, fault in faults.items()} == {field: code}


def test_who_is_employed_there_needs_no_letter_and_a_person_has_no_staff() -> None:
    staff = agent(role="staff")
    assert wrong(replace(COMPANY, agent=staff)) == {}
    other = replace(staff, identifier="420102196001010010")
    faults = wrong(replace(PERSON, agent=other))
    assert faults["agent_role"].article == "行政许可法 第二十九条"
    self = wrong(replace(PERSON, agent=agent(letter=uuid4())))
    assert self["agent_identifier"].code == "agent.self"


def test_wrong_days_and_doubled_numbers_are_said() -> None:
    backwards = replace(OLD, since=date(2020, 1, 1))
    assert set(wrong(replace(COMPANY, others=(backwards,)))) == {"other-1-until"}
    future = replace(OLD, until=date(2027, 1, 1))
    assert set(wrong(replace(COMPANY, others=(OLD, future)))) >= {"other-2", "other-2-until"}
    same = Identifier(kind="uscc", value=COMPANY.identifier)
    assert set(wrong(replace(COMPANY, others=(same,)))) == {"other-1"}
    assert set(wrong(replace(COMPANY, others=(Identifier(kind="", value="1"),)))) == {"other-1"}


def test_everything_of_the_applicant_is_frozen_with_the_receipt_and_in_no_body(
    owner: Owner,
) -> None:
    given = replace(
        COMPANY, others=(OLD,), contact=Contact(name="何晓岚", phone="13712345678"),
        agent=agent(letter=letter()),
    )  # fmt: skip
    case = received(applicant=given)
    loaded = loading.load(actor(CLERK), case.number)
    read = loaded.applicant()
    assert read.others == (OLD,)
    assert read.contact == given.contact
    assert read.agent is not None
    assert (read.agent.name, read.agent.until) == ("赵敏", date(2026, 12, 31))
    body = str(loaded.events[0].body)
    for secret in (
        "赵敏",
        "何晓岚",
        "13712345678",
        OLD.value,
        PERSON.identifier.upper(),
        "取水许可。",
    ):
        assert secret not in body
    (scan,) = loaded.events[0].body["files"]
    (kept,) = files.of("case", loaded.id)
    assert scan == {"material": "letter", "file": str(kept.id), "digest": kept.digest}
    assert [one.id for one in files.of("case", loaded.id)] == [read.agent.letter]
    (receipt,) = documents.of_stream(loaded.id)
    assert receipt.title == "收件回执"
    assert "经办人：赵敏" in str(documents.frozen(receipt.check_code))


def test_somebody_elses_letter_and_a_used_one_are_not_taken(owner: Owner) -> None:
    with pytest.raises(Refusal) as answer:
        received(applicant=replace(COMPANY, agent=agent(letter=letter("p-water-clerk2"))))
    assert answer.value.code == "files.not_yours"
    one = letter()
    received(applicant=replace(COMPANY, agent=agent(letter=one)))
    with pytest.raises(Refusal):
        received("09-15 09:20", applicant=replace(COMPANY, agent=agent(letter=one)))
    with pytest.raises(Refusal):
        received("09-15 09:20", applicant=replace(COMPANY, agent=agent(letter=uuid4())))
    assert owner.execute("SELECT count(*) FROM cases_case").fetchone() == (1,)


def test_nothing_is_typed_twice() -> None:
    contact = Contact(name="何晓岚", phone="13712345678")
    first = replace(COMPANY, contact=contact, agent=agent(letter=letter()))
    received(applicant=first)
    clerk = actor(CLERK)
    known = parties.lookup(clerk, f" {COMPANY.identifier.lower()} ", at=AT)
    assert known is not None
    assert (known.name, known.phone) == (COMPANY.name, "139****2046")
    (called,), (came,) = known.contacts, known.agents
    assert (called.name, called.phone) == ("何晓岚", "137****5678")
    assert "*" in came.identifier
    assert "*" in came.phone
    typed = replace(
        COMPANY, phone=known.phone, contact=Contact(name=called.name, phone=called.phone),
        agent=Agent(
            role=came.role, name=came.name, identifier_kind=came.identifier_kind,
            identifier=came.identifier, phone=came.phone, letter=letter(),
        ),
    )  # fmt: skip
    read = parties.unmask(clerk, typed, at=AT)
    assert read.phone == COMPANY.phone
    assert read.contact == contact
    assert read.agent is not None
    assert read.agent.identifier == PERSON.identifier.upper()
    made_up = parties.unmask(clerk, replace(typed, phone="139****9999"), at=AT)
    assert "phone" in wrong(made_up)


def test_the_history_holds_what_this_clerk_may_see() -> None:
    case = received()
    elsewhere = catalog.receivable(["420100-market"], AT.date())[0].code
    received("09-15 09:20", item=elsewhere, who="p-market-clerk")
    clerk = actor(CLERK)
    known = parties.lookup(clerk, COMPANY.identifier, at=AT)
    assert known is not None
    late = moment("09-16 09:00")
    assert [one.number for one in parties.history(clerk, known.id, at=late)] == [case.number]
    assert parties.history(actor("p-d102-clerk"), known.id, at=late) == ()
    assert len(parties.history(actor("p-supervisor"), known.id, at=late)) == 2
    assert parties.lookup(actor("p-water-reviewer"), COMPANY.identifier, at=AT) is None


def test_a_number_that_is_none_finds_nobody() -> None:
    kept(COMPANY)
    for number in ("", "1", "9133", "'; --", "𠮷" * 300, COMPANY.identifier[:-1] + "0", "%"):
        assert parties.lookup(actor(CLERK), number, at=AT) is None


def test_four_states_of_a_material_with_their_reasons() -> None:
    given = reception()
    states = dict(zip(given.materials, ("faulty", "held", "received"), strict=False))
    states = {**dict.fromkeys(given.materials, "received"), **states}
    asked = replace(given, materials=states)
    with pytest.raises(Refusals) as answer:
        services.receive(actor(CLERK), asked, key=str(uuid4()), at=AT)
    assert {one.code for one in answer.value.refusals} == {"case.material_why"}
    assert len(answer.value.refusals) == 2
    whys = {code: "没有盖章" for code, state in states.items() if state in ("faulty", "held")}
    done = services.receive(actor(CLERK), replace(asked, whys=whys), key=str(uuid4()), at=AT)
    loaded = loading.load(actor(CLERK), done.number)
    assert [one.state for one in loaded.materials()][:2] == ["faulty", "held"]
    assert "没有盖章" not in str(loaded.events[0].body)
    assert done.document


def test_a_double_click_with_a_file_is_one_case(owner: Owner) -> None:
    given, key = reception(), str(uuid4())
    code, sent = next(iter(given.materials)), pdf()

    def scan() -> UUID:
        return files.keep(
            actor(CLERK), purpose="material", name="一.pdf", data=io.BytesIO(sent), at=AT
        ).id

    answers = [
        services.receive(actor(CLERK), replace(given, scans={code: (scan(),)}), key=key, at=AT)
        for _ in range(2)
    ]
    assert answers[0].number == answers[1].number
    assert answers[0].document == answers[1].document
    assert answers[1].repeated
    rows = owner.execute("SELECT count(*), count(stream_id) FROM documents_upload").fetchone()
    assert rows == (2, 1)
