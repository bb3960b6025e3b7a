"""The guide on paper (纸质指南): the same composition set as PDF/A by typst; no seal, no number.

The template has no version of its own: a guide on paper is drawn again from the version in force
and points at it, it is not an issued paper that must look the same for ever.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import typst

from zhengwu.documents import render
from zhengwu.domain import guide as elements
from zhengwu.portal.items import flow
from zhengwu.portal.items.guide import COMING, Guide, Section, dated
from zhengwu.portal.items.kept import Kept

HERE = Path(__file__).resolve().parent
FONT = "Noto Serif SC"
MOST = 16 * 1024 * 1024  # bytes of finished PDFs kept in this process
SCALE = 0.23  # millimetres on paper for a pixel of the picture
_done = Kept(MOST, fresh=24 * 3600)  # by the digest of what goes in, so that nothing grows old


@cache
def _template() -> bytes:
    return (HERE / "guide.typ").read_bytes()


def pdf(guide: Guide, *, address: str) -> bytes:
    """The guide as PDF; the same in, the same out. address: of the page that the QR code opens."""
    given = json.dumps(_data(guide, address), ensure_ascii=False, sort_keys=True)
    key = hashlib.sha256(given.encode()).hexdigest()
    done = _done.get(key)
    return (done or _done.put(key, _set(given, guide))).body


def _set(given: str, guide: Guide) -> bytes:
    begin = datetime.combine(guide.item.in_force_from, time(), tzinfo=UTC)
    made = typst.compile(
        _template(),
        root=str(HERE),
        font_paths=render.fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": given},
        pdf_standards=["a-2a"],
        timestamp=int(begin.timestamp()),
    )
    if not isinstance(made, bytes):
        raise TypeError("one PDF was expected")
    return made


def _data(guide: Guide, address: str) -> dict[str, Any]:
    item = guide.item
    picture = flow.svg(guide.nodes, title=guide.text, font=FONT) if guide.nodes else ""
    return {
        "title": f"{item.name} 办事指南",
        "name": item.name,
        "english": str(item.whole.get("english", "")),
        "type": item.type,
        "kind": item.kind_zh,
        "agency": item.agency_name,
        "version": f"办事指南第 {item.version} 版",
        "since": f"{dated(item.in_force_from)}起施行"
        + ("（还没有施行）" if guide.status == COMING else ""),
        "generated": item.generated,
        "warning": "演示生成：内容由软件按规模自动生成，不是真实的办事要求。"
        if item.generated
        else "",
        "facts": _facts(guide),
        "qr": render.qr(address),
        "address": address,
        "sections": {id: _section(one) for id, one in guide.sections.items()},
        "papers": [
            {
                "name": one.name,
                "more": [f"{label}：{text}" for label, text in one.more],
                "need": one.need,
                "form": one.form,
                "copies": one.copies,
                "from": "\n".join(part for part in (one.origin, one.basis) if part),
            }
            for one in guide.papers
        ],
        "picture": picture,
        "across": round(flow.across(guide.nodes) * SCALE) if guide.nodes else 0,
        "told": guide.text if guide.nodes else "",
        "steps": [_step(stage) for stage in guide.stages],
        "departures": f"标准流程：{guide.template}。"
        + (
            f"与标准流程不同：{'；'.join(guide.departures)}。" if guide.departures else "没有不同。"
        ),
        "questions": [list(one) for one in guide.questions],
    }


def _facts(guide: Guide) -> list[list[str]]:
    item = guide.item
    facts = [
        ["承诺办结", "当场" if item.kind == "immediate" else item.promised_zh],
        ["法定办结", item.statutory.words() if item.statutory else "没有规定"],
    ]
    if "visits" in item.whole:
        facts.append(["到现场", f"{item.whole['visits']} 次"])
    facts.append(["收费", "不收费" if elements.fee_zh(item.whole) == "无" else "要收费"])
    return [*facts, ["材料", f"{len(guide.papers)} 项"]]


def _section(one: Section) -> dict[str, Any]:
    return {
        "title": one.title,
        "rows": [list(row) for row in one.rows],
        "lines": list(one.lines),
        "notes": list(one.notes),
        "numbered": one.id == "cond",
    }


def _step(stage: flow.Stage) -> str:
    lines = []
    for one in stage.nodes:
        line = f"{one.name}（{one.who_zh}{f'，{one.limit}' if one.limit else ''}）"
        if waits := stage.waits.get(one.code):
            line += f"　等{waits}办完"
        lines.append(line)
    return ("同时办理：\n" if len(lines) > 1 else "") + "\n".join(lines)
