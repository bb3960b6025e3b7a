"""Finding and printing issued documents. The data is checked against its digest every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.documents import check_code, kinds, masking, seal
from zhengwu.documents import render as paper
from zhengwu.documents.models import Copy, Document
from zhengwu.domain.refusal import Refusal
from zhengwu.ledger import queries as ledger_queries
from zhengwu.ledger import services as ledger
from zhengwu.web import words


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
    replaced_by: str | None  # the number of what is good instead, where something is
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
        replaced_by=found.replaced_by,
        genuine=genuine,
        erased=erased,
    )


class OfCase(NamedTuple):
    """A document of a stream as the house lists it: no personal data. event: its entry's id."""

    event: UUID
    kind: str
    title: str
    number: str
    check_code: str
    issued: datetime
    void_since: datetime | None
    replaced_by: str | None
    copies: int  # how often it was printed


def of_stream(stream_id: UUID, *, stream: str = "case") -> tuple[OfCase, ...]:
    """The documents of a case, the earliest first."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_STREAM, [stream, stream_id])
        return listed(cursor.fetchone()[0])


def of_stream_sql(*, stream: str, stream_id: str) -> str:
    """A scalar subquery giving the same, for a context's own SELECT; read the value with `listed`.

    stream, stream_id: SQL of the caller (a literal, a column).
    """
    # Both columns: the index begins with the stream.
    return (
        "(SELECT json_agg(json_build_array(d.event, d.kind, d.number, d.check_code, d.issued,"  # noqa: S608
        " d.void_since, d.replaced_by,"
        " (SELECT count(*) FROM documents_copy p WHERE p.document_id = d.id))"
        f" ORDER BY d.issued, d.id)::text FROM documents_document d WHERE d.stream = {stream}"
        f" AND d.stream_id = {stream_id})"
    )


def listed(value: str | None) -> tuple[OfCase, ...]:
    """The documents of an `of_stream_sql` value."""
    moment = datetime.fromisoformat
    return tuple(
        OfCase(
            UUID(event), kind, kinds.KINDS[kinds.Kind(kind)].name, number, code, moment(issued),
            moment(void) if void else None, replaced, copies,
        )
        for event, kind, number, code, issued, void, replaced, copies in (
            orjson.loads(value) if value else ()
        )
    )  # fmt: skip


_OF_STREAM = f"SELECT {of_stream_sql(stream='%s::text', stream_id='%s::uuid')}"


def frozen(code: str) -> dict[str, Any]:
    """What a document says, as it was frozen. Raises Refusal when that is gone or untrue."""
    found = _find(code)
    if found is None:
        raise LookupError(code)
    return printable(found)


@dataclass(frozen=True, slots=True)
class Twin:
    """What a document says, for reading on a page (通俗版): whoever may have its PDF may have this.

    Personal data: all of it. plain: sentences for the applicant; older documents have none. table:
    {caption, head, rows} or None. Everything but number, title and dates is empty where the
    content was erased or does not match the log (`genuine` is False).
    """

    check_code: str
    title: str
    number: str
    agency_name: str
    addressee: str
    issued: datetime
    paragraphs: tuple[str, ...]
    table: Mapping[str, Any] | None
    after: tuple[str, ...]
    contact: str
    plain: tuple[str, ...]
    void_since: datetime | None
    replaced_by: str
    genuine: bool
    erased: bool


def twin(code: str) -> Twin | None:
    """The document of a check code, in words; None if there is none."""
    found = _find(code)
    if found is None:
        return None
    data, genuine, erased = _data(found)
    if not genuine:
        data = {}
    table = data.get("table")
    if table is None and data.get("materials"):  # papers of the first templates
        rows = [[row["name"], row["form"], str(row["copies"])] for row in data["materials"]]
        table = {"caption": "收到的材料", "head": ["材料", "形式", "份数"], "rows": rows}
    name = str((data.get("applicant") or {}).get("name", ""))
    return Twin(
        check_code=found.check_code,
        title=str(data.get("title") or kinds.KINDS[kinds.Kind(found.kind)].name),
        number=found.number,
        agency_name=str(data.get("agency_name") or accounts.agency_name(found.agency)),
        addressee=str(data.get("addressee") or name),
        issued=found.issued,
        paragraphs=tuple(data.get("paragraphs", ())),
        table=table,
        after=tuple(data.get("after", ())),
        contact=str(data.get("contact", "")),
        plain=tuple(data.get("plain", ())),
        void_since=found.void_since,
        replaced_by=found.replaced_by or "",
        genuine=genuine,
        erased=erased,
    )


@dataclass(frozen=True, slots=True)
class Printed:
    """One print of a document (打印记录). number: 1 is the original. why: personal data."""

    number: int
    person: str
    name: str
    agency: str
    agency_name: str
    why: str
    at: datetime


def copies(check: str) -> tuple[Printed, ...]:
    """Every print of a document so far, the original first; empty when there is none."""
    rows = list(Copy.objects.filter(document__check_code=check).order_by("number"))
    names = accounts.names(
        agencies={row.agency for row in rows}, people={row.person for row in rows}
    )
    return tuple(
        Printed(
            number=row.number,
            person=row.person,
            name=names.person(row.person),
            agency=row.agency,
            agency_name=names.agency(row.agency),
            why=row.why,
            at=row.at,
        )
        for row in rows
    )


def render(issued: Issued, *, copy: int | None = None, copied: datetime | None = None) -> bytes:
    """The PDF; a void document has 作废 across every page.

    copy: the number `services.copy` gave, copied: when; from the second on it says 补打 on paper.
    Raises Refusal when its data was erased or does not match the log.
    """
    found = _find(issued.check_code)
    if found is None:
        raise LookupError(issued.check_code)
    marks: dict[str, Any] = {}
    if copy is not None and copy > 1:
        marks |= {"copy": copy, "copied": copied}
    if found.void_since is not None:
        marks["void"] = _void_words(found.void_since, found.replaced_by)
    data = printable(found)
    printed = paper.pdf(
        found.template,
        data,
        number=found.number,
        check=found.check_code,
        address=f"{settings.PUBLIC_URL.rstrip('/')}/check/{found.check_code}",
        issued=found.issued,
        **marks,
    )
    # A copy is sealed when it is printed; the original, however often it is, as of its issue.
    at = marks.get("copied") or found.issued
    return seal.sealed(
        printed, seal.paper_of(data, agency=found.agency, number=found.number, issued=at)
    )


def printable(found: Document) -> dict[str, Any]:
    """What it says. Raises Refusal when that was erased or does not match the log."""
    data, genuine, erased = _data(found)
    if erased:
        raise Refusal("document.erased", "这份文书的内容已依法删除，只能查验文号和日期。")
    if not genuine:
        raise Refusal(
            "document.tampered", "这份文书的内容与入账时的摘要不一致，不能打印。请联系系统管理员。"
        )
    return data


def _void_words(since: datetime, replaced_by: str | None) -> str:
    """The small line under 作废."""
    day = words.local(since).date()
    return f"{day.year} 年 {day.month} 月 {day.day} 日作废" + (
        f"，以{replaced_by}为准" if replaced_by else ""
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
