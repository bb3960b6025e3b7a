"""Receiving an application (收件) at a window. 行政许可法 29, 32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.calendars import queries as calendars
from zhengwu.cases import attempts, grounds, heads, papers, parties, writing
from zhengwu.cases.acts.window import answer_by, why_of
from zhengwu.cases.events import STREAM
from zhengwu.cases.parties import Applicant
from zhengwu.cases.verbs import TICKS
from zhengwu.cases.writing import SOURCE
from zhengwu.catalog import queries as catalog
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.documents import files
from zhengwu.documents import services as documents
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger

LETTER = "letter"  # what the agent's letter is called among the case's files


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What a clerk registers (收件登记).

    materials: code → received | missing | faulty | held. whys: code → what is not in order, or
    where the city holds it. scans: code → uploads of it.
    """

    item: str
    applicant: Applicant
    materials: Mapping[str, str]
    whys: Mapping[str, str] = field(default_factory=dict)
    scans: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """A case was received. document: the check code of the receipt (收件回执)."""

    number: str
    query_code: str
    repeated: bool = False
    document: str | None = None


@dataclass(frozen=True, slots=True)
class _Ticked:
    """One material of the list as it was checked."""

    code: str
    name: str
    state: str
    why: str = ""


def receive(actor: Actor, reception: Reception, *, key: str, at: datetime) -> Received:
    """Receive a walk-in (收件). 行政许可法 29, 32.

    Raises Refusals with every wrong field at once; the same key again gives the first answer.
    """
    request = _request(actor, reception)
    if first := ledger_queries.answer(SOURCE, key):
        return _first_receipt(first, request)
    faults: list[Refusal] = []
    item = catalog.in_force(reception.item, at.astimezone(heads.SHANGHAI).date())
    reach = accounts.reach(actor, "case.receive")
    window = next((post for post in actor.posts if post.window), None)
    if window is None or actor.hall is None:
        raise Refusal("case.no_window", "您现在没有在岗的窗口，不能收件。请先由中心安排窗口岗位。")
    if item is None or not (reach.everything or item.agency in reach.agencies):
        faults.append(
            Refusal(
                "case.item_unknown",
                "没有找到可以在本窗口受理的这个事项。请从列表中选择现行有效的事项。",
                field="item",
            )
        )
    applicant, wrong = parties.clean(reception.applicant, at=at)
    faults.extend(wrong)
    ticked: list[_Ticked] = []
    if item is not None:
        ticked = _ticked(item, reception, faults)
    if faults or item is None or applicant is None:
        _keep_attempts(actor, item, faults, post=window.code, key=key, at=at)
        raise Refusals(faults)

    stream_id = ledger.uuid7()
    region = actor.region or accounts.CITY
    with transaction.atomic():
        party = parties.keep(applicant, at=at)
        number = heads.case_number(at, heads.new_numbers(1)[0])
        code = heads.query_code()
        body: dict[str, Any] = {
            "item": f"{item.code}@{item.version}",
            "number": number,
            "kind": str(item.kind),
            "type": item.type,
            "channel": "window",
            "at": "window",
            "party": str(party),
            "materials": [{"code": one.code, "state": one.state} for one in ticked],
        }
        scans = _scans(reception, applicant)
        if scans:
            kept = files.found(one for _, one in scans)
            body["files"] = [
                {"material": of, "file": str(one)}
                | ({"digest": kept[one].digest} if one in kept else {})
                for of, one in scans
            ]
        of = papers.facts_of(
            item, applicant, agency=item.agency, number=number, query_code=code, received=at,
            window=window.window, clerk=actor.name,
        )  # fmt: skip
        receipt = papers.receipt(
            of,
            at=at,
            materials=[{"name": one.name, "state": one.state} for one in ticked],
            answer_by=answer_by(calendars.edition(region, actor.hall), at),
        )
        body["document"] = receipt.body()
        whys = {one.code: one.why for one in ticked if one.why}
        contents = [ledger.Content(path=("applicant",), data=applicant.as_json()), receipt.content]
        if whys:
            contents.append(ledger.Content(path=("why",), data=whys))
        event = writing.event(actor, "received", at=at, body=body, version=1, post=window.code)
        events = [event]
        head = writing.head(events, region=region, hall=actor.hall, at=at) | {
            "number": number,
            "query_code": code,
            "source": SOURCE,
            "foreign_id": None,
            "kind": str(item.kind),
            "item": item.code,
            "item_version": item.version,
            "item_name": item.name,
            "agency": item.agency,
            "region": region,
            "hall": actor.hall,
            "window": window.window,
            "applicant_id": party,
            "opened": at,
        }
        row = ledger.Row(
            stream_id=stream_id,
            expected=0,
            event=writing.new(event, key=key, request=request),
            head=head,
            number=receipt.number,
            contents=tuple(contents),
        )
        (outcome,) = ledger.append(STREAM, [row])
        if outcome.status == ledger.Status.MOVED:
            documents.register(receipt, outcome, stream=STREAM, stream_id=stream_id, at=at)
            if scans:
                files.bind([one for _, one in scans], by=actor, stream=STREAM, stream_id=stream_id)
            return Received(number, code, document=receipt.check_code)
        transaction.set_rollback(True)
    first = ledger_queries.answer(SOURCE, key)
    if first is None:
        raise Refusal("case.try_again", "系统繁忙，这次没有收件。请再按一次“提交”，内容都还在。")
    return _first_receipt(first, request)


def _keep_attempts(
    actor: Actor,
    item: ItemVersionRow | None,
    faults: list[Refusal],
    *,
    post: str,
    key: str,
    at: datetime,
) -> None:
    """What was asked for outside the guide stays for supervision, though nothing was received."""
    for one in faults:
        if item is not None and isinstance(one, grounds.NotListed):
            attempts.record(actor, "received", one.asked, item=item, post=post, key=key, at=at)


def _request(actor: Actor, reception: Reception) -> bytes:
    """What is asked for; an upload counts by its content, so that a double click is the same."""
    applicant = reception.applicant.as_json()
    agent = reception.applicant.agent
    wanted = [one for several in reception.scans.values() for one in several]
    kept = files.found([*wanted, *([agent.letter] if agent and agent.letter else [])])

    def content(one: UUID) -> str:
        return kept[one].digest if one in kept else str(one)

    if agent and agent.letter:
        applicant["agent"] = {**applicant["agent"], "letter": content(agent.letter)}
    return writing.digest(
        {
            "act": "received",
            "by": actor.code,
            "item": reception.item,
            "applicant": applicant,
            "materials": dict(reception.materials),
            "whys": {code: why for code, why in reception.whys.items() if why},
            "scans": {
                code: sorted(content(one) for one in several)
                for code, several in reception.scans.items()
            },
        }
    )


def _ticked(item: ItemVersionRow, reception: Reception, faults: list[Refusal]) -> list[_Ticked]:
    """Every material of the list with its tick; what is wrong goes to `faults`."""
    known = {material.code: material.name for material in item.materials}
    named = dict.fromkeys((*reception.materials, *reception.scans, *reception.whys))
    if asked := [code for code in named if code not in known]:
        faults.append(grounds.not_listed(asked, field="materials"))
    ticked = []
    for code, name in known.items():
        state, why = reception.materials.get(code, ""), ""
        if state not in dict(TICKS):
            faults.append(
                Refusal(
                    "case.material_unticked",
                    f"材料“{name}”还没有核对，请选择“已收”“缺”“不合格”或者“免交”。",
                    article="行政许可法 第三十二条",
                    field=f"material-{code}",
                )
            )
        else:
            try:
                why = why_of({f"why-{code}": reception.whys.get(code, "")}, code, name, state)
            except Refusal as refusal:
                faults.append(refusal)
        ticked.append(_Ticked(code, name, state, why))
    return ticked


def _scans(reception: Reception, applicant: Applicant) -> list[tuple[str, UUID]]:
    """What each upload is of; the agent's letter among them."""
    scans = [(code, one) for code, ids in sorted(reception.scans.items()) for one in ids]
    if applicant.agent and applicant.agent.letter:
        scans.append((LETTER, applicant.agent.letter))
    return scans


def _first_receipt(first: ledger_queries.Answer, request: bytes) -> Received:
    """The answer that was given to this key before."""
    writing.same(first, request)
    number, code = heads.receipt(first.stream_id)
    document = first.body.get("document") or {}
    return Received(number, code, repeated=True, document=document.get("check"))
