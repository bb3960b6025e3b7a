"""What a new version leaves as it is: running cases by their version, and forms begun."""

from __future__ import annotations

import pytest

from tests.cases.people import FOOD, INTAKE, WATER, actor, moment, received
from tests.cases.test_transition import published, taken, was
from zhengwu.cases import drafts, impact

pytestmark = pytest.mark.usefixtures("town")
NOW = moment("09-25 12:00")


def test_running_cases_are_counted_by_the_version_they_keep() -> None:
    first, second = taken("09-14"), received("09-21 09:20")
    gone = received("09-21 10:20")
    gone.do("p-water-clerk", "withdrawn", "09-21 11:00", {"reasons": ""})
    received("09-21 10:40", item=FOOD, who="p-market-clerk")
    version = published(promised=12)
    third = received("09-24 09:20")
    found = impact.running(INTAKE, at=NOW)
    assert (found.total, found.many) == (3, False)
    assert dict(found.by_version) == {version: 1, was(): 2}
    rows = {one.number: one for one in found.rows}
    assert set(rows) == {first.number, second.number, third.number}
    assert [one.due for one in found.rows] == sorted(one.due for one in found.rows if one.due)
    assert (rows[first.number].state_zh, rows[first.number].version) == ("审查中", was())
    assert not rows[first.number].late
    later = impact.running(INTAKE, at=moment("10-10 09:00")).rows
    late = {one.number for one in later if one.late}
    assert late == {second.number, third.number}, "nobody answered whether they are accepted"


def test_forms_begun_are_counted_by_desk_and_name_nobody() -> None:
    typed = {"name": "江城清源水务有限公司", "item": "取水许可"}
    for who in ("p-water-clerk", "p-water-clerk2"):
        drafts.save(actor(who), f"register/{who}", typed, at=NOW)
    drafts.save(actor("p-water-clerk"), "register/other", {"item": "排污许可"}, at=NOW)
    drafts.save(actor("p-water-clerk"), "case/JC1/refused", typed, at=NOW)
    found = impact.drafts(INTAKE)
    assert (found.total, dict(found.by_agency)) == (2, {WATER: 2})
    assert impact.drafts(FOOD).total == 0
