"""Receiving an application (收件) at a window. 行政许可法 29, 32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import heads, parties, writing
from zhengwu.cases.events import STREAM
from zhengwu.cases.parties import Applicant
from zhengwu.cases.writing import SOURCE
from zhengwu.catalog import queries as catalog
from zhengwu.domain.refusal import Refusal, Refusals
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What a clerk registers (收件登记). materials: code → received | missing."""

    item: str
    applicant: Applicant
    materials: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Received:
    """A case was received: what the receipt says."""

    number: str
    query_code: str
    repeated: bool = False


def receive(actor: Actor, reception: Reception, *, key: str, at: datetime) -> Received:
    """Receive a walk-in (收件). 行政许可法 29, 32.

    Raises Refusals with every wrong field at once; the same key again gives the first answer.
    """
    request = writing.digest(
        {
            "act": "received",
            "by": actor.code,
            "item": reception.item,
            "applicant": reception.applicant.as_json(),
            "materials": dict(reception.materials),
        }
    )
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
    ticked: list[dict[str, str]] = []
    if item is not None:
        known = {material.code: material.name for material in item.materials}
        for code in reception.materials:
            if code not in known:
                faults.append(
                    Refusal(
                        "case.material_not_listed",
                        "只能收取办事指南列明的材料，不得要求提供与申请无关的材料。",
                        article="行政许可法 第三十一条",
                        field="materials",
                    )
                )
        for code, name in known.items():
            state = reception.materials.get(code, "")
            if state not in ("received", "missing"):
                faults.append(
                    Refusal(
                        "case.material_unticked",
                        f"材料“{name}”还没有核对，请勾选“已收”或者“缺”。",
                        article="行政许可法 第三十二条",
                        field=f"material-{code}",
                    )
                )
            ticked.append({"code": code, "state": state})
    if faults or item is None or applicant is None:
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
            "channel": "window",
            "at": "window",
            "party": str(party),
            "materials": ticked,
        }
        event = writing.event(actor, "received", at=at, body=body, version=1, post=window.code)
        events = [event]
        head = writing.head(events, region=region, at=at) | {
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
            contents=(ledger.Content(path=("applicant",), data=applicant.as_json()),),
        )
        (outcome,) = ledger.append(STREAM, [row])
        if outcome.status == ledger.Status.MOVED:
            return Received(number, code)
        transaction.set_rollback(True)
    first = ledger_queries.answer(SOURCE, key)
    if first is None:
        raise Refusal("case.try_again", "系统繁忙，这次没有收件。请再按一次“提交”，内容都还在。")
    return _first_receipt(first, request)


def _first_receipt(first: ledger_queries.Answer, request: bytes) -> Received:
    """The answer that was given to this key before."""
    writing.same(first, request)
    number, code = heads.receipt(first.stream_id)
    return Received(number, code, repeated=True)
