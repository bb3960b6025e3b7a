"""Applicants (申请人): cleaned as they are typed, kept once, found again by their identifier.

An organisation may come with several numbers, each with its days: before the code of 2015 it had a
registration number, an organisation code and a tax number. A number in force belongs to one party.

An agent (代理人) needs a letter of authorisation: 行政许可法 29 lets an applicant apply through one,
民法典 165 says that it is in writing. Whoever comes for the organisation that employs them (经办人)
acts by their office (民法典 170): the letter is welcome and not asked for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.cases import wording
from zhengwu.cases.heads import SHANGHAI
from zhengwu.domain import identifiers
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import services as ledger

STREAM = "party"  # what a look at an applicant is recorded under
KINDS = {"person": "个人", "organisation": "单位"}
IDENTIFIERS = {
    "resident_id": ("公民身份号码", "person"),
    "passport": ("护照", "person"),
    "uscc": ("统一社会信用代码", "organisation"),
    "registration_no": ("工商注册号", "organisation"),
    "org_code": ("组织机构代码", "organisation"),
    "tax_no": ("税务登记号", "organisation"),
}
AGENTS = {"agent": "代理人", "staff": "经办人"}
MOST_IDENTIFIERS = 6
PHONE_MOST = 20
SCOPE_MOST = 200
EARLIEST = date(1900, 1, 1)
PEOPLE = 6  # contacts and agents brought up again
HISTORY = 8
_PHONE = re.compile(r"(?:\+?86)?(1[3-9]\d{9}|0\d{2,3}-?\d{7,8}(?:-\d{1,4})?)", re.ASCII)
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
_COUNTRY = re.compile(r"[A-Z]{1,3}")
_TAX = re.compile(r"[0-9A-Z]{15}|[0-9A-Z]{17,18}|[0-9A-Z]{20}")
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """One number of a party (证件) with its days; until None: in force. country: of a passport."""

    kind: str
    value: str
    country: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom to call (联系人)."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who comes for the applicant (代理人 or 经办人). letter: the upload of the 授权委托书."""

    role: str
    name: str
    identifier_kind: str
    identifier: str
    phone: str
    letter: UUID | None = None
    scope: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """An applicant as given at the counter. Personal data: all of it.

    identifier is the number in force it comes with; others are further ones, in force or of old.
    """

    kind: str
    name: str
    identifier_kind: str
    identifier: str
    phone: str
    country: str = ""
    others: tuple[Identifier, ...] = ()
    contact: Contact | None = None
    agent: Agent | None = None

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """All numbers, the one in force that it came with first."""
        first = Identifier(kind=self.identifier_kind, value=self.identifier, country=self.country)
        return (first, *self.others)

    def as_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "kind": self.kind,
            "name": self.name,
            "identifiers": [_written(one) for one in self.identifiers],
            "phone": self.phone,
        }
        if self.contact:
            data["contact"] = {"name": self.contact.name, "phone": self.contact.phone}
        if self.agent:
            data["agent"] = _kept(
                role=self.agent.role,
                name=self.agent.name,
                identifier_kind=self.agent.identifier_kind,
                identifier=self.agent.identifier,
                phone=self.agent.phone,
                letter=self.agent.letter,
                scope=self.agent.scope,
                until=self.agent.until,
            )
        return data

    def identifier_line(self) -> str:
        """统一社会信用代码 9142…, for a paper."""
        label = IDENTIFIERS.get(self.identifier_kind, ("证件号码", ""))[0]
        return f"{label} {self.identifier}"


def _written(one: Identifier) -> dict[str, Any]:
    return _kept(
        kind=one.kind, value=one.value, country=one.country, valid_from=one.since,
        valid_to=one.until,
    )  # fmt: skip


def _kept(**values: object) -> dict[str, Any]:
    return {name: str(value) for name, value in values.items() if value}


def of_json(row: Mapping[str, Any]) -> Applicant:
    """The applicant of `Applicant.as_json`; of erased content, one without a name."""
    numbers = [
        Identifier(
            kind=str(one.get("kind", "")),
            value=str(one.get("value", "")),
            country=str(one.get("country", "")),
            since=_day(one.get("valid_from")),
            until=_day(one.get("valid_to")),
        )
        for one in row.get("identifiers", ())
    ]
    first = numbers[0] if numbers else Identifier(kind="", value="")
    contact, agent = row.get("contact"), row.get("agent")
    return Applicant(
        kind=str(row.get("kind", "")),
        name=str(row.get("name", "")),
        identifier_kind=first.kind,
        identifier=first.value,
        country=first.country,
        phone=str(row.get("phone", "")),
        others=tuple(numbers[1:]),
        contact=Contact(name=str(contact["name"]), phone=str(contact["phone"]))
        if isinstance(contact, Mapping)
        else None,
        agent=Agent(
            role=str(agent.get("role", "")),
            name=str(agent.get("name", "")),
            identifier_kind=str(agent.get("identifier_kind", "")),
            identifier=str(agent.get("identifier", "")),
            phone=str(agent.get("phone", "")),
            letter=UUID(str(agent["letter"])) if agent.get("letter") else None,
            scope=str(agent.get("scope", "")),
            until=_day(agent.get("until")),
        )
        if isinstance(agent, Mapping)
        else None,
    )


def _day(text: object) -> date | None:
    return date.fromisoformat(str(text)) if text else None


# --- what was typed --------------------------------------------------------------------------


def clean(given: Applicant, *, at: datetime) -> tuple[Applicant | None, list[Refusal]]:
    """The applicant in canonical form, or what is wrong with each field.

    Fields: applicant_kind, name, identifier_kind, identifier, country, phone; other-N, other-N-since,
    other-N-until (N from 1); contact_name, contact_phone; agent_role, agent_name, agent_identifier,
    agent_phone, agent_scope, agent_until, letter.
    """
    faults: list[Refusal] = []
    on = at.astimezone(SHANGHAI).date()
    if given.kind not in KINDS:
        faults.append(
            Refusal("applicant.kind", "请选择申请人是个人还是单位。", field="applicant_kind")
        )
    name = given.name
    try:
        name = (
            identifiers.person_name(given.name)
            if given.kind == "person"
            else identifiers.organisation_name(given.name)
        )
    except Refusal as refusal:
        faults.append(Refusal(refusal.code, refusal.sentence, field="name"))
    number = given.identifier.strip().upper()
    label, of = IDENTIFIERS.get(given.identifier_kind, ("", ""))
    if not label or (given.kind in KINDS and of != given.kind):
        faults.append(
            Refusal(
                "applicant.identifier_kind",
                "证件类型与申请人类别不符：个人用身份证或者护照，单位用统一社会信用代码等。",
                field="identifier_kind",
            )
        )
    elif not number:
        faults.append(Refusal("form.required", f"请填写{label}。", field="identifier"))
    else:
        try:
            number = _number(given.identifier_kind, number, on=on)
        except Refusal as refusal:
            faults.append(Refusal(refusal.code, refusal.sentence, field="identifier"))
    country = _country(given, faults)
    phone = _phone(given.phone, field="phone", faults=faults)
    others = _others(given, number, on=on, faults=faults)
    contact = _contact(given.contact, faults)
    agent = _agent(given, number, on=on, faults=faults)
    if faults:
        return None, faults
    return (
        Applicant(
            kind=given.kind,
            name=name,
            identifier_kind=given.identifier_kind,
            identifier=number,
            phone=phone,
            country=country,
            others=others,
            contact=contact,
            agent=agent,
        ),
        [],
    )


def _country(given: Applicant, faults: list[Refusal]) -> str:
    if given.identifier_kind != "passport":
        return ""
    country = given.country.strip().upper()
    if not _COUNTRY.fullmatch(country):
        faults.append(
            Refusal(
                "applicant.country",
                "请填写护照的签发国代码（护照资料页上的 1 到 3 位字母，如 USA、JPN、D）。",
                field="country",
            )
        )
    return country


def _phone(typed: str, *, field: str, faults: list[Refusal]) -> str:
    phone = re.sub(r"[\s　]", "", unicodedata.normalize("NFKC", typed))
    if len(phone) > PHONE_MOST or not _PHONE.fullmatch(phone):
        faults.append(
            Refusal(
                "applicant.phone",
                "请填写 11 位手机号，或者带区号的固定电话（如 027-12345678）。",
                field=field,
            )
        )
    return phone


def _others(
    given: Applicant, first: str, *, on: date, faults: list[Refusal]
) -> tuple[Identifier, ...]:
    kept: list[Identifier] = []
    if len(given.others) >= MOST_IDENTIFIERS:
        faults.append(
            Refusal(
                "applicant.too_many", f"一个申请人最多登记 {MOST_IDENTIFIERS} 个证件。",
                field="other-1",
            )
        )  # fmt: skip
        return ()
    for nth, one in enumerate(given.others, 1):
        label, of = IDENTIFIERS.get(one.kind, ("", ""))
        value = one.value.strip().upper()
        if not label or (given.kind in KINDS and of != given.kind) or one.kind == "passport":
            faults.append(
                Refusal(
                    "applicant.identifier_kind",
                    "请选择这个号码的证件类型，要与申请人类别相符。",
                    field=f"other-{nth}",
                )
            )
            continue
        try:
            value = _number(one.kind, value, on=on)
        except Refusal as refusal:
            faults.append(Refusal(refusal.code, refusal.sentence, field=f"other-{nth}"))
            continue
        if (one.kind, value) in {
            (given.identifier_kind, first),
            *((k.kind, k.value) for k in kept),
        }:
            faults.append(
                Refusal("applicant.twice", "这个号码填了两次，请删去一个。", field=f"other-{nth}")
            )
        for field, day in (("since", one.since), ("until", one.until)):
            if day and not EARLIEST <= day <= on:
                faults.append(
                    Refusal(
                        "applicant.day",
                        "请填写 1900 年到今天之间的日期。仍然有效的，“有效期止”不填。",
                        field=f"other-{nth}-{field}",
                    )
                )
        if one.since and one.until and one.until < one.since:
            faults.append(
                Refusal(
                    "applicant.days", "“有效期止”早于“有效期起”，请核对。",
                    field=f"other-{nth}-until",
                )
            )  # fmt: skip
        kept.append(replace(one, value=value, country=""))
    return tuple(kept)


def _contact(given: Contact | None, faults: list[Refusal]) -> Contact | None:
    if given is None:
        return None
    name = given.name
    try:
        name = identifiers.person_name(given.name)
    except Refusal as refusal:
        sentence = refusal.sentence.replace("姓名", "联系人姓名", 1)
        faults.append(Refusal(refusal.code, sentence, field="contact_name"))
    return Contact(name=name, phone=_phone(given.phone, field="contact_phone", faults=faults))


def _agent(given: Applicant, first: str, *, on: date, faults: list[Refusal]) -> Agent | None:
    agent = given.agent
    if agent is None:
        return None

    def no(code: str, sentence: str, field: str, article: str | None = None) -> None:
        faults.append(Refusal(code, sentence, field=field, article=article))

    if agent.role not in AGENTS:
        no("agent.role", "请选择来的人是代理人还是单位自己的经办人。", "agent_role")
    elif agent.role == "staff" and given.kind == "person":
        no(
            "agent.staff_of_person",
            "个人申请没有“经办人”：别人代办的，请选“代理人”，并收授权委托书。",
            "agent_role",
            "行政许可法 第二十九条",
        )
    organisation = agent.role == "agent" and agent.identifier_kind == "uscc"
    name, number = agent.name, agent.identifier.strip().upper()
    try:
        name = (identifiers.organisation_name if organisation else identifiers.person_name)(name)
    except Refusal as refusal:
        no(refusal.code, refusal.sentence, "agent_name")
    try:
        if not number:
            raise Refusal("form.required", "请填写代办人的证件号码。")
        if agent.identifier_kind not in ("resident_id", "passport", "uscc") or (
            agent.role == "staff" and agent.identifier_kind == "uscc"
        ):
            raise Refusal(
                "agent.identifier_kind", "代办人用身份证号或者护照号；代理机构用统一社会信用代码。"
            )
        number = _number(agent.identifier_kind, number, on=on)
        if number == first:
            raise Refusal("agent.self", "代办人和申请人是同一个人。本人办理的，不用填代办人。")
    except Refusal as refusal:
        no(refusal.code, refusal.sentence, "agent_identifier")
    phone = _phone(agent.phone, field="agent_phone", faults=faults)
    scope = " ".join(agent.scope.split())
    if len(scope) > SCOPE_MOST:
        no(
            "form.too_long",
            f"委托事项最多 {SCOPE_MOST} 个字，现在有 {len(scope)} 个。请删减。",
            "agent_scope",
        )
    if any(unicodedata.category(c) in ("Cc", "Cs", "Cn") for c in scope):
        no("form.control_characters", "委托事项里有不能显示的字符，请重新输入。", "agent_scope")
    if agent.until and agent.until < on:
        no(
            "agent.letter_expired",
            "授权委托书已经过了期限，请申请人重新出具。",
            "agent_until",
            "民法典 第一百六十五条",
        )
    if agent.role == "agent" and agent.letter is None:
        no(
            "agent.letter_missing",
            "代理人提出申请的，要有申请人签名或者盖章的授权委托书，请扫描上传。",
            "letter",
            "行政许可法 第二十九条、民法典 第一百六十五条",
        )
    return replace(agent, name=name, identifier=number, phone=phone, scope=scope)


def _number(kind: str, value: str, *, on: date) -> str:
    if kind == "uscc":
        return identifiers.uscc(value)
    if kind == "resident_id":
        return identifiers.resident_id(value, on=on)
    if kind == "org_code":
        return identifiers.organisation_code(value)
    if kind == "registration_no":
        return identifiers.registration_no(value)
    value = re.sub(r"[\s　-]", "", unicodedata.normalize("NFKC", value))
    if kind == "tax_no":
        if not _TAX.fullmatch(value):
            raise Refusal(
                "applicant.tax_no", "税务登记号是 15、17、18 或者 20 位数字和字母，请照登记证填写。"
            )
        return value
    if not _PASSPORT.fullmatch(value):
        raise Refusal("applicant.passport", "护照号码由 5 到 20 位字母和数字组成，请核对。")
    return value


def recognise(number: str, *, on: date) -> str:
    """Which kind of number this is, by its check digit; the nearest guess where none fits."""
    for kind in ("resident_id", "uscc", "registration_no", "org_code"):
        try:
            _number(kind, number, on=on)
        except Refusal:
            continue
        return kind
    if number[:17].isdigit() and number[6:8] in ("19", "20"):
        return "resident_id"
    return "uscc"


# --- kept once -------------------------------------------------------------------------------


def keep(applicant: Applicant, *, at: datetime) -> UUID:
    """The party of these identifiers, made if it is new; its name and phone are the latest given.

    Two clerks at once make one party: an identifier in force is unique. Raises Refusal where the
    numbers belong to two parties that we know.
    """
    today = at.astimezone(SHANGHAI).date()
    for _ in range(_TRIES):
        party = _one_party(applicant)
        if party is None:
            party = _new(applicant, today)
        elif not _add(party, applicant.identifiers, today):
            party = None
        if party is not None:
            break
    else:
        raise Refusal("case.try_again", "系统繁忙，请再提交一次，内容都还在。")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_party SET name = %s, phone = %s WHERE id = %s "
            "AND (name, phone) IS DISTINCT FROM (%s, %s)",
            [applicant.name, applicant.phone, party, applicant.name, applicant.phone],
        )
    _remember(party, applicant, at)
    return party


def _one_party(applicant: Applicant) -> UUID | None:
    found = _owners(applicant.identifiers)
    parties = {party for party, _ in found.values()}
    if len(parties) > 1:
        first = found.get((applicant.identifier_kind, applicant.identifier, applicant.country))
        for nth, one in enumerate(applicant.others, 1):
            owner = found.get((one.kind, one.value, one.country))
            if owner and (first is None or owner[0] != first[0]):
                label = IDENTIFIERS[one.kind][0]
                raise Refusal(
                    "applicant.two_parties",
                    f"这个{label}在系统里属于另一个申请人“{owner[1]}”。请核对证件：填错的请改正；"
                    "确实是同一单位换证的，这次先只填现行有效的号码收件，并请中心核对两边的登记。",
                    field=f"other-{nth}",
                )
    if parties or applicant.identifier_kind != "uscc":
        return next(iter(parties), None)
    # Known by the organisation code of old, which is part of the code of today.
    inner = Identifier(kind="org_code", value=organisation_code_in(applicant.identifier))
    return next((party for party, _ in _owners([inner]).values()), None)


def organisation_code_in(uscc: str) -> str:
    """The organisation code in a unified code: its places 9 to 17 (GB 32100-2015)."""
    return uscc[8:17]


def _owners(numbers: Sequence[Identifier]) -> dict[tuple[str, str, str], tuple[UUID, str]]:
    """Whose these numbers are in force, with the party's name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.kind, i.value, i.country, p.id, p.name FROM cases_partyidentifier i"
            " JOIN cases_party p ON p.id = i.party_id"
            " JOIN unnest(%s::text[], %s::text[], %s::text[]) AS n(kind, value, country)"
            " ON (i.kind, i.value, i.country) = (n.kind, n.value, n.country)"
            " WHERE i.valid_to IS NULL",
            [[n.kind for n in numbers], [n.value for n in numbers], [n.country for n in numbers]],
        )
        return {(kind, value, country): (p, name) for kind, value, country, p, name in cursor}


def _new(applicant: Applicant, today: date) -> UUID | None:
    """A new party with its numbers; None where somebody was quicker."""
    new = ledger.uuid7()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cases_party (id, kind, name, phone) VALUES (%s, %s, %s, %s)",
            [new, applicant.kind, applicant.name, applicant.phone],
        )
    if _add(new, applicant.identifiers, today):
        return new
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cases_partyidentifier WHERE party_id = %s", [new])
        cursor.execute("DELETE FROM cases_party WHERE id = %s", [new])
    return None


def _add(party: UUID, numbers: Iterable[Identifier], today: date) -> bool:
    """Enter what is new of these numbers and end what has ended; False if one is another's."""
    # In one order everywhere: two clerks with the same papers queue and do not deadlock.
    for one in sorted(numbers, key=lambda n: (n.kind, n.value, n.country)):
        with connection.cursor() as cursor:
            # An ended number keeps its beginning; one we held in force ends on the day given.
            if one.until:
                cursor.execute(
                    "UPDATE cases_partyidentifier SET valid_to = greatest(%s::date, valid_from)"
                    " WHERE party_id = %s AND (kind, value, country) = (%s, %s, %s)"
                    " AND valid_to IS NULL",
                    [one.until, party, one.kind, one.value, one.country],
                )
                cursor.execute(
                    "INSERT INTO cases_partyidentifier"
                    " (party_id, kind, value, country, valid_from, valid_to)"
                    " SELECT %(party)s::uuid, %(kind)s::varchar, %(value)s::varchar, %(country)s::varchar,"
                    " %(since)s::date, %(until)s::date"
                    " WHERE NOT EXISTS (SELECT 1 FROM cases_partyidentifier WHERE"
                    " party_id = %(party)s::uuid AND (kind, value, country)"
                    " = (%(kind)s::varchar, %(value)s::varchar, %(country)s::varchar))",
                    {
                        "party": party, "kind": one.kind, "value": one.value,
                        "country": one.country, "since": one.since or one.until,
                        "until": one.until,
                    },
                )  # fmt: skip
                continue
            cursor.execute(
                "INSERT INTO cases_partyidentifier"
                " (party_id, kind, value, country, valid_from, valid_to)"
                " VALUES (%s, %s, %s, %s, %s, NULL) ON CONFLICT DO NOTHING RETURNING party_id",
                [party, one.kind, one.value, one.country, one.since or today],
            )
            if cursor.fetchone():
                continue
            cursor.execute(
                "SELECT party_id = %s FROM cases_partyidentifier"
                " WHERE (kind, value, country) = (%s, %s, %s) AND valid_to IS NULL",
                [party, one.kind, one.value, one.country],
            )
            if cursor.fetchone() != (True,):
                return False
            if one.since:
                cursor.execute(
                    "UPDATE cases_partyidentifier SET valid_from = %s WHERE party_id = %s"
                    " AND (kind, value, country) = (%s, %s, %s) AND valid_to IS NULL"
                    " AND valid_from > %s",
                    [one.since, party, one.kind, one.value, one.country, one.since],
                )
    return True


def _remember(party: UUID, applicant: Applicant, at: datetime) -> None:
    """Contact and agent, to bring up again."""
    rows: list[list[UUID | str | datetime]] = []
    if applicant.contact:
        rows.append([party, "contact", applicant.contact.name, "", "", applicant.contact.phone, at])
    if agent := applicant.agent:
        rows.append(
            [
                party,
                agent.role,
                agent.name,
                agent.identifier_kind,
                agent.identifier,
                agent.phone,
                at,
            ]
        )
    with connection.cursor() as cursor:
        for row in rows:
            cursor.execute(
                "INSERT INTO cases_partyperson"
                " (party_id, role, name, identifier_kind, identifier, phone, used)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (party_id, role, name, identifier) DO UPDATE"
                " SET phone = excluded.phone, used = greatest(cases_partyperson.used, excluded.used)",
                row,
            )


# --- found again -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who came or was called before. phone and identifier: hidden in the middle."""

    id: int
    role: str
    name: str
    identifier_kind: str
    identifier: str
    phone: str

    @property
    def role_zh(self) -> str:
        return AGENTS.get(self.role, "联系人")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An applicant we know. Numbers and telephones are hidden in the middle: `unmask` reads them."""

    id: UUID
    kind: str
    name: str
    phone: str
    identifiers: tuple[Identifier, ...]
    contacts: tuple[Person, ...]
    agents: tuple[Person, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """One earlier case of an applicant."""

    id: UUID
    number: str
    item_name: str
    state_zh: str
    outcome: str | None
    opened: datetime
    closed: datetime | None


def lookup(actor: Actor, number: str, *, kind: str = "", at: datetime) -> Known | None:
    """Whose number this is, to fill in the form; None for nobody we know, or for whom it is not.

    A code of 2015 also finds the organisation by the organisation code in it (GB 32100: places 9
    to 17). The caller records the look, under STREAM.
    """
    if not actor.may("case.receive"):
        return None
    on = at.astimezone(SHANGHAI).date()
    kind = kind or recognise(number.strip().upper(), on=on)
    try:
        value = _number(kind, number.strip().upper(), on=on)
    except Refusal:
        return None
    wanted = [(kind, value)]
    if kind == "uscc":
        wanted.append(("org_code", organisation_code_in(value)))
    for one_kind, one in wanted:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT p.id, p.kind, p.name, p.phone FROM cases_partyidentifier i"
                " JOIN cases_party p ON p.id = i.party_id"
                " WHERE i.kind = %s AND i.value = %s AND i.valid_to IS NULL",
                [one_kind, one],
            )
            found = cursor.fetchall()
        if len(found) == 1:  # two passports of two countries may have one number
            return _known(*found[0])
    return None


def _known(party: UUID, kind: str, name: str, phone: str) -> Known:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, value, country, valid_from, valid_to FROM cases_partyidentifier"
            " WHERE party_id = %s ORDER BY valid_to DESC NULLS FIRST, kind, value",
            [party],
        )
        numbers = tuple(
            Identifier(
                kind=k, value=wording.masked_number(v), country=country, since=since, until=until
            )
            for k, v, country, since, until in cursor.fetchall()
        )
    people = tuple(
        replace(
            one,
            identifier=wording.masked_number(one.identifier) if one.identifier else "",
            phone=wording.masked_phone(one.phone),
        )
        for one in _people(party)
    )
    return Known(
        id=party,
        kind=kind,
        name=name,
        phone=wording.masked_phone(phone) if phone else "",
        identifiers=numbers,
        contacts=tuple(one for one in people if one.role == "contact")[:PEOPLE],
        agents=tuple(one for one in people if one.role != "contact")[:PEOPLE],
    )


def _people(party: UUID) -> list[Person]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, role, name, identifier_kind, identifier, phone FROM cases_partyperson"
            " WHERE party_id = %s ORDER BY used DESC, id DESC LIMIT 40",
            [party],
        )
        return [
            Person(
                id=one, role=role, name=name, identifier_kind=kind, identifier=number, phone=phone
            )
            for one, role, name, kind, number, phone in cursor.fetchall()
        ]


def unmask(actor: Actor, applicant: Applicant, *, at: datetime) -> Applicant:
    """The applicant with what `lookup` hid read from what is kept: it is not typed twice.

    What stands for nothing we know stays as it is, and is refused by `clean`.
    """
    agent, contact = applicant.agent, applicant.contact
    hidden = (
        applicant.phone,
        contact.phone if contact else "",
        agent.phone if agent else "",
        agent.identifier if agent else "",
    )
    if not any("*" in text for text in hidden) or not actor.may("case.receive"):
        return applicant
    known = lookup(actor, applicant.identifier, kind=applicant.identifier_kind, at=at)
    if known is None:
        return applicant
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM cases_party WHERE id = %s", [known.id])
        phone = cursor.fetchone()[0]
    people = _people(known.id)

    def read(typed: str, candidates: Iterable[str], mask: Any) -> str:
        if "*" not in typed:
            return typed
        return next((one for one in candidates if one and mask(one) == typed.strip()), typed)

    if contact:
        called = [p.phone for p in people if p.name == contact.name] + [phone]
        contact = replace(contact, phone=read(contact.phone, called, wording.masked_phone))
    if agent:
        same = [p for p in people if p.role != "contact" and p.name == agent.name]
        number = read(agent.identifier, (p.identifier for p in same), wording.masked_number)
        kind = next((p.identifier_kind for p in same if p.identifier == number), "")
        agent = replace(
            agent,
            identifier=number,
            identifier_kind=kind or agent.identifier_kind,
            phone=read(agent.phone, (p.phone for p in same), wording.masked_phone),
        )
    return replace(
        applicant,
        phone=read(applicant.phone, [phone], wording.masked_phone),
        contact=contact,
        agent=agent,
    )


def history(actor: Actor, party: UUID, *, limit: int = HISTORY, at: datetime) -> tuple[Before, ...]:
    """The applicant's cases that this actor may see, the latest first. The caller records it."""
    from zhengwu.cases.loading import within

    reach: Reach = accounts.reach(actor, "case.see")
    allowed, parameters = within(reach)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, c.number, c.item_name, c.state, c.outcome, c.suspended, c.opened,"  # noqa: S608
            f" c.closed FROM cases_case c WHERE c.applicant_id = %(party)s AND {allowed}"
            " AND c.opened <= %(at)s ORDER BY c.opened DESC, c.id DESC LIMIT %(limit)s::int",
            {"party": party, "limit": limit, "at": at, **parameters},
        )
        return tuple(
            Before(
                id=one,
                number=number,
                item_name=item,
                state_zh=wording.state(state, outcome, suspended),
                outcome=outcome,
                opened=opened,
                closed=closed,
            )
            for one, number, item, state, outcome, suspended, opened, closed in cursor.fetchall()
        )
