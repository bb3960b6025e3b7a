"""The papers of a case (文书): its facts, and what each act writes on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from zhengwu.accounts import queries as accounts
from zhengwu.cases.loading import CaseNotFound, Loaded
from zhengwu.cases.parties import Applicant
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.documents import queries as documents_queries
from zhengwu.documents import services as documents
from zhengwu.documents import wording
from zhengwu.documents.kinds import Kind
from zhengwu.documents.services import Prepared
from zhengwu.documents.wording import Facts
from zhengwu.domain import clock
from zhengwu.domain.calendar import Due
from zhengwu.domain.procedure import Limit


def facts(loaded: Loaded, *, clerk: str = "") -> Facts:
    """What every paper of this case says of it. Personal data: the applicant's."""
    return facts_of(
        loaded.item_row(),
        loaded.applicant(),
        agency=loaded.agency,
        number=loaded.number,
        query_code=loaded.query_code,
        received=loaded.opened,
        accepted=loaded.standing.accepted_at,
        window=loaded.window,
        clerk=clerk,
    )


def facts_of(
    item: ItemVersionRow,
    applicant: Applicant,
    *,
    agency: str,
    number: str,
    query_code: str,
    received: datetime,
    accepted: datetime | None = None,
    window: str | None = None,
    clerk: str = "",
) -> Facts:
    """The same from its parts, for the receipt that is written with the case."""
    organ = accounts.agency(agency)
    if organ is None:
        raise CaseNotFound(number)
    label, _, identifier = applicant.identifier_line().partition(" ")
    return Facts(
        agency=organ.code,
        agency_name=organ.name,
        short=organ.short,
        case=number,
        query_code=query_code,
        item=item.name,
        item_code=item.code,
        item_type=item.type,
        basis=item.basis,
        applicant={
            "kind": applicant.kind,
            "name": applicant.name,
            "id_label": label,
            "id_number": identifier,
            "agent": applicant.agent.name if applicant.agent else "",
        },
        received=received,
        accepted=accepted,
        place=f"{window} 窗口" if window else "",
        clerk=clerk,
    )


def decision_of(loaded: Loaded) -> documents_queries.OfCase | None:
    """The decision as it holds now: itself, or the correction that stands in its place."""
    check = None
    for event in loaded.counting:
        document = event.body.get("document") or {}
        if event.kind in ("granted", "refused") or (
            event.kind == "document_corrected" and event.body.get("replaces") == check
        ):
            check = document.get("check")
    issued = documents_queries.of_stream(loaded.id)
    return next((one for one in issued if one.check_code == check), None)


def issue(kind: Kind, of: Facts, *, at: datetime, data: Mapping[str, Any]) -> Prepared:
    """A paper about to be issued by the commit of an act."""
    return documents.prepare(kind, facts=of, at=at, data=data)


def acceptance_notice(
    loaded: Loaded, *, at: datetime, since: datetime, clerk: str, deemed: bool = False
) -> Prepared:
    """受理通知书; since: from when the limits run (the receipt, where acceptance is deemed)."""
    item = loaded.item_row()
    due = None
    if item.promised and item.promised.value:
        # Deemed accepted, it runs from the receipt of the papers (行政许可法 32(4)).
        ending = clock.foresee(item.promised, since=since, edition=loaded.edition(), receipt=deemed)
        due = ending.last
    of = facts(loaded, clerk=clerk)
    return issue(
        Kind.ACCEPTANCE_NOTICE,
        of,
        at=at,
        data=wording.acceptance_notice(
            of,
            issued=at,
            promised=limit(item.promised),
            statutory=limit(item.statutory),
            due=due,
            materials=[{"name": m.name} for m in loaded.materials() if m.state == "received"],
            deemed=deemed,
        ),
    )


def receipt(
    of: Facts, *, at: datetime, materials: Sequence[Mapping[str, str]], answer_by: Due | None
) -> Prepared:
    """收件回执."""
    return issue(
        Kind.RECEIPT,
        of,
        at=at,
        data=wording.receipt(of, issued=at, materials=materials, answer_by=answer_by),
    )


def limit(of: Limit | None) -> dict[str, Any] | None:
    return None if of is None else {"value": of.value, "unit": str(of.unit)}
