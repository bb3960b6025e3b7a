"""Finding and printing issued documents. The data is checked against its digest every time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from zhengwu.accounts import queries as accounts
from zhengwu.documents import check_code, masking
from zhengwu.documents import render as paper
from zhengwu.documents.models import Document
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger


@dataclass(frozen=True, slots=True)
class Issued:
    """What anyone holding the check code may know (文书查验): names masked."""

    check_code: str
    title: str
    number: str
    agency: str
    agency_name: str
    issued: datetime
    item: str
    applicant: str
    void_since: datetime | None
    genuine: bool  # False: the data no longer matches the digest in the log
    erased: bool


def by_check_code(typed: str) -> Issued | None:
    """The document of a check code, as typed; None if there is none."""
    found = _find(typed)
    if found is None:
        return None
    data, genuine, erased = _data(found)
    applicant = data.get("applicant") or {}
    name = str(applicant.get("name", ""))
    mask = masking.person if applicant.get("kind") == "person" else masking.organisation
    return Issued(
        check_code=found.check_code,
        title=str(data.get("title", "")),
        number=found.number,
        agency=found.agency,
        agency_name=accounts.agency_name(found.agency),
        issued=found.issued,
        item=str(data.get("item", "")),
        applicant=mask(name) if name else "",
        void_since=found.void_since,
        genuine=genuine,
        erased=erased,
    )


def render(issued: Issued) -> bytes:
    """The PDF. Raises Refusal when its data was erased or does not match the log."""
    found = _find(issued.check_code)
    if found is None:
        raise LookupError(issued.check_code)
    data, genuine, erased = _data(found)
    if erased:
        raise Refusal("document.erased", "这份文书的内容已依法删除，只能查验文号和日期。")
    if not genuine:
        raise Refusal(
            "document.tampered", "这份文书的内容与入账时的摘要不一致，不能打印。请联系系统管理员。"
        )
    return paper.pdf(
        found.template,
        data,
        number=found.number,
        check=found.check_code,
        address=f"{settings.PUBLIC_URL.rstrip('/')}/check/{found.check_code}",
        issued=found.issued,
    )


def _find(typed: str) -> Document | None:
    code = check_code.read(typed)
    return Document.objects.filter(check_code=code).first() if code else None


def _data(found: Document) -> tuple[dict[str, Any], bool, bool]:
    kept = ledger_queries.content(found.content)
    if kept is None or kept.erased is not None or kept.salt is None:
        return {}, True, True
    # The log is the truth: neither the register's row nor the content is asked alone.
    body = ledger_queries.body_of(found.event) or {}
    said = body.get("document") or {}
    digest = (said.get("data") or {}).get("digest")
    genuine = (
        ledger.content_digest(kept.salt, kept.data) == digest
        and said.get("number") == found.number
        and said.get("check") == found.check_code
    )
    return dict(kept.data), genuine, False
