"""One paper of every kind, of one made-up case; `name` and `text` stand wherever people type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import pypdfium2

from zhengwu.documents import render, wording
from zhengwu.documents.kinds import KINDS, LICENCE, Kind, prefix
from zhengwu.documents.wording import Facts

AT = datetime(2026, 9, 21, 2, 20, tzinfo=UTC)
CHECK = "8F3K-2Q7M"
ADDRESS = f"http://localhost:8000/check/{CHECK}"
REASONS = "申请取水量超过该流域年度可用水量控制指标。"
Data = dict[str, Any]


def facts(name: str = "江城清源水务有限公司", **changed: Any) -> Facts:
    given: dict[str, Any] = {
        "agency": "water",
        "agency_name": "江城市水务局",
        "short": "江水",
        "case": "JC20260914000017",
        "item": "取水许可",
        "item_code": "x",
        "item_type": LICENCE,
        "basis": "取水许可和水资源费征收管理条例 第14条",
        "applicant": {
            "kind": "organisation",
            "name": name,
            "id_label": "统一社会信用代码",
            "id_number": "91420100MA4KX0000X",
            "agent": "李小梅",
        },
        "received": datetime(2026, 9, 14, 2, 0, tzinfo=UTC),
        "accepted": AT,
        "place": "B-23 窗口",
        "clerk": "王建国",
        "phone": "027-8888 1234",
        "complaints": "12345",
        "query_code": "7K3M2Q",
    }
    return Facts(**(given | changed))


def _receipt(of: Facts, text: str) -> Data:
    states = ("received", "faulty", "missing", "held")
    materials = [{"name": f"材料{n}", "state": state} for n, state in enumerate(states)]
    return wording.receipt(
        of,
        issued=AT,
        materials=[*materials, {"name": text, "state": "received"}],
        answer_by=date(2026, 9, 21),
    )


def _accepted(of: Facts, text: str) -> Data:
    return wording.acceptance_notice(
        of,
        issued=AT,
        promised={"unit": "working_day", "value": 10},
        statutory={"unit": "working_day", "value": 45},
        due=date(2026, 10, 14),
        materials=[{"name": "取水许可申请书"}, {"name": text, "form": "复印件", "copies": 2}],
    )


def _supplement(of: Facts, text: str) -> Data:
    return wording.supplement_notice(
        of,
        issued=AT,
        missing=[
            {"name": "水资源论证报告书", "state": "faulty", "why": text},
            {"name": "与第三者利害关系的说明", "state": "missing", "why": ""},
        ],
    )


def _special(of: Facts, text: str) -> Data:
    return wording.special_notice(
        of, issued=AT, procedure_zh="专家评审", days=15, until=date(2026, 10, 20), reasons=text
    )


def _extension(of: Facts, text: str) -> Data:
    return wording.extension_notice(
        of, issued=AT, days=10, due=date(2026, 11, 4), reasons=text, head="张明"
    )


def _letter(of: Facts, text: str) -> Data:
    return wording.forwarding_letter(
        of, issued=AT, organ="省水利厅", opinion=text, materials=[{"name": "取水许可申请书"}]
    )


def _delivery(of: Facts, text: str) -> Data:
    return wording.delivery_record(
        of,
        issued=AT,
        papers=[{"title": "准予行政许可决定书", "number": "江水许决字〔2026〕第00017号"}],
        means_zh="邮寄送达",
        receiver=text,
        tracking="EA123456789CN",
    )


def _correction(of: Facts, text: str) -> Data:
    return wording.correction(
        wording.decision(of, issued=AT, outcome="refused", reasons=REASONS),
        issued=AT,
        of="江水许决字〔2026〕第00017号",
        title_of="不予行政许可决定书",
        changes=[("控制指标", "控制总量")],
        reasons=text,
    )


PAPERS: dict[Kind, Callable[[Facts, str], Data]] = {
    Kind.RECEIPT: _receipt,
    Kind.ACCEPTANCE_NOTICE: _accepted,
    Kind.SUPPLEMENT_NOTICE: _supplement,
    Kind.NOT_NEEDED_NOTICE: lambda of, text: wording.not_needed_notice(of, issued=AT, reasons=text),
    Kind.NOT_OURS_DECISION: lambda of, text: wording.not_ours_decision(
        of, issued=AT, organ="江城市自然资源局", reasons=text
    ),
    Kind.SPECIAL_NOTICE: _special,
    Kind.EXTENSION_NOTICE: _extension,
    Kind.FORWARDING_LETTER: _letter,
    Kind.DECISION: lambda of, text: wording.decision(
        of, issued=AT, outcome="refused", reasons=text
    ),
    Kind.DELIVERY_RECORD: _delivery,
    Kind.WITHDRAWAL: lambda of, text: wording.withdrawal(of, issued=AT, reasons=text),
    Kind.TERMINATION: lambda of, text: wording.termination(
        of, issued=AT, ground_zh="公司已经注销登记", reasons=text
    ),
    Kind.REVOCATION: lambda of, text: wording.revocation(
        of, issued=AT, act="revoked", reasons=text, of="江水许决字〔2026〕第00017号"
    ),
    Kind.CORRECTION: _correction,
}


def paper(kind: Kind, of: Facts | None = None, text: str = REASONS) -> Data:
    """The frozen data of a kind's sample."""
    return PAPERS[kind](of or facts(), text)


def number(kind: Kind, *, item_type: str = LICENCE) -> str:
    return prefix(kind, short="江水", year=2026, item_type=item_type) + "00017号"


def printed(data: Mapping[str, Any], *, template: str = "", **marks: Any) -> bytes:
    """The unsealed PDF, by the kind's newest template."""
    kind = Kind(data["kind"])
    return render.pdf(
        template or KINDS[Kind(wording.form_of(data))].template,
        data,
        number=number(kind),
        check=CHECK,
        address=ADDRESS,
        issued=AT,
        **marks,
    )


def text_of(pdf: bytes) -> str:
    """What stands on its pages, as one line without blanks."""
    with closing(pypdfium2.PdfDocument(pdf)) as document:
        return "".join("".join(page.get_textpage().get_text_range() for page in document).split())
