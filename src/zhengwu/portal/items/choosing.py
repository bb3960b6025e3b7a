"""What the public may choose from in a search (查找条件), and the catalogue to browse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import QueryDict

from zhengwu.accounts import queries as accounts
from zhengwu.catalog import browsing, finding
from zhengwu.domain import guide
from zhengwu.halls import queries as halls
from zhengwu.web.forms import clean_text

CITY = accounts.CITY
WAYS = {"department": "按部门", "theme": "按主题", "object": "按服务对象"}
AT_HOME = 12  # themes
LABELS = {
    "region": "地区", "agency": "部门", "theme": "主题", "target": "服务对象", "type": "事项类型",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose: what stands in the address, what people read, under which heading."""

    value: str
    text: str
    group: str = ""


def read(query: QueryDict) -> dict[str, str]:
    """What the address chooses; what is nothing we know is looked for all the same."""
    return {name: clean_text(query.get(name, ""))[:60] for name in LABELS}


def answered(q: str, chosen: Mapping[str, str], on: date, *, page: int) -> dict[str, Any]:
    """What the page of a search shows."""
    found = finding.search(
        q,
        on,
        agency=chosen["agency"],
        region=chosen["region"],
        theme=chosen["theme"],
        target=chosen["target"],
        type_=chosen["type"],
        page=page,
    )
    choices = _choices(chosen)
    return {
        "q": q,
        "chosen": chosen,
        "found": found,
        "choices": choices,
        "labels": LABELS,
        "city": CITY,
        "filters": _filters(chosen, choices),
        "halls": () if found.total else _centre(),
    }


def _choices(chosen: Mapping[str, str]) -> dict[str, tuple[Choice, ...]]:
    agencies = _agencies(chosen["region"] or CITY)
    if (agency := chosen["agency"]) and agency not in {one.value for one in agencies}:
        agencies = (Choice(agency, accounts.agency_name(agency)), *agencies)
    return {
        "region": tuple(Choice(code, name) for code, name in browsing.regions()),
        "agency": agencies,
        "theme": tuple(
            Choice(one.code, one.name, browsing.AUDIENCES_ZH[one.audience])
            for one in browsing.themes().values()
        ),
        "target": tuple(Choice(code, name) for code, name in guide.TARGETS_ZH.items()),
        "type": tuple(Choice(one, one) for one in guide.TYPES),
    }


def _agencies(region: str) -> tuple[Choice, ...]:
    return tuple(Choice(one.code, one.name) for one in browsing.organs(region))


def _filters(
    chosen: Mapping[str, str], choices: Mapping[str, Sequence[Choice]]
) -> list[tuple[str, str, str]]:
    """What is chosen, as name in the address, label, and words; an unknown value as it stands."""
    return [
        (name, LABELS[name], next((c.text for c in choices[name] if c.value == value), value))
        for name, value in chosen.items()
        if value
    ]


def _centre() -> tuple[halls.HallRow, ...]:
    """Where to ask: the halls of the city's own centre."""
    return tuple(one for one in halls.halls() if one.region == CITY)


# --- browsing -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with what stands under it: words, how to search for it, how many there are."""

    text: str
    rows: tuple[tuple[str, Mapping[str, str], int], ...]


def browsed(way: str, on: date) -> dict[str, Any]:
    """What a page of the catalogue shows: headings, and how many items there are in all."""
    counts = browsing.counts(on)
    headings = {"department": _by_department, "theme": by_theme, "object": _by_object}[way](counts)
    return {"headings": headings, "items": counts.items, "ways": WAYS, "title": WAYS[way]}


def at_home(on: date) -> dict[str, Any]:
    """For the home page: of every audience the themes with the most items, in their own order."""
    counts = browsing.counts(on)
    themes = []
    for heading in by_theme(counts):
        most = sorted(heading.rows, key=lambda row: -row[2])[:AT_HOME]
        themes.append(Heading(heading.text, tuple(row for row in heading.rows if row in most)))
    return {"themes": themes, "items": counts.items}


def _by_department(counts: browsing.Counts) -> tuple[Heading, ...]:
    rows = [
        (one.text, {"agency": one.value}, counts.agencies.get(one.value, 0))
        for one in _agencies(CITY)
    ]
    districts = tuple(
        (name, {"region": code}, counts.regions.get(code, 0))
        for code, name in browsing.regions()
        if code != CITY
    )
    return _filled((Heading("市级部门", tuple(rows)), Heading("各区", districts)))


def by_theme(counts: browsing.Counts) -> tuple[Heading, ...]:
    """Themes that have items, for persons and for organisations."""
    return _filled(
        Heading(
            zh,
            tuple(
                (one.name, {"theme": one.code}, counts.themes.get(one.code, 0))
                for one in browsing.themes().values()
                if one.audience == audience
            ),
        )
        for audience, zh in browsing.AUDIENCES_ZH.items()
    )


def _by_object(counts: browsing.Counts) -> tuple[Heading, ...]:
    return _filled(
        (
            Heading(
                "服务对象",
                tuple(
                    (zh, {"target": code}, counts.targets.get(code, 0))
                    for code, zh in guide.TARGETS_ZH.items()
                ),
            ),
            Heading(
                "事项类型",
                tuple((one, {"type": one}, counts.types.get(one, 0)) for one in guide.TYPES),
            ),
        )
    )


def _filled(headings: Iterable[Heading]) -> tuple[Heading, ...]:
    """Without what leads to nothing."""
    made = (Heading(one.text, tuple(row for row in one.rows if row[2])) for one in headings)
    return tuple(one for one in made if one.rows)
