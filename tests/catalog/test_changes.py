"""A department drafts, the centre checks, the legal office approves, the city lists, it is published."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.cases.people import actor
from zhengwu.catalog import changes, queries
from zhengwu.catalog.changes import Change, Given, Revision
from zhengwu.domain.refusal import Refusal, Refusals

pytestmark = pytest.mark.usefixtures("town")
AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
FORCE = date(2026, 12, 1)
ITEM = "XK0036"
DRAFTER, CENTRE, LEGAL, SECOND = (
    "p-water-reviewer",
    "p-centre_manager",
    "p-legal_office",
    "p-centre_manager2",
)


def begin(item: str = ITEM, who: str = DRAFTER, purpose: str = "revise") -> Change:
    identifier = changes.begin(actor(who), item=item, purpose=purpose, key=str(uuid4()), at=AT)
    return changes.one(actor(who), identifier)


def revise(change: Change, who: str = DRAFTER, **own: Any) -> Change:
    revision = Revision(own={**change.own, **own}, since=FORCE)
    return changes.revise(
        actor(who), change.id, revision, version=change.version, key=str(uuid4()), at=AT
    )


def step(change: Change, who: str, act: str, **given: Any) -> Change:
    (after,) = changes.step(actor(who), [change.id], act, Given(**given), key=str(uuid4()), at=AT)
    return after


def listed(change: Change) -> Change:
    change = step(
        change, DRAFTER if change.drafted_by == DRAFTER else change.drafted_by, "submitted"
    )
    change = step(change, CENTRE, "checked")
    change = step(change, LEGAL, "approved")
    return step(change, SECOND, "listed", number="江政发〔2026〕18号", on=date(2026, 11, 20))


def test_a_shorter_promise_goes_all_the_way_to_its_day_of_force() -> None:
    change = revise(begin(), promised={"value": 15, "unit": "working_day"})
    after = step(listed(change), CENTRE, "published")
    assert (after.state, after.published) == ("published", 3)
    before, then = queries.in_force(ITEM, date(2026, 11, 30)), queries.in_force(ITEM, FORCE)
    assert before is not None
    assert then is not None
    assert (before.promised_zh, then.promised_zh) == ("20 个工作日", "15 个工作日")
    assert then.approved == "江政发〔2026〕18号"
    told = [one.zh for one in changes.story(after)]
    assert told == [
        "起草",
        "修改草案",
        "提交中心审核",
        "审核通过",
        "法制审查通过",
        "登记市政府批准",
        "发布",
    ]


def test_no_step_is_taken_by_the_person_of_the_step_before() -> None:
    change = revise(begin(), promised={"value": 15, "unit": "working_day"})
    change = step(change, DRAFTER, "submitted")
    change = step(change, CENTRE, "checked")
    change = step(change, LEGAL, "approved")
    change = step(change, CENTRE, "listed", number="江政发〔2026〕18号", on=date(2026, 11, 20))
    with pytest.raises(Refusal) as told:
        step(change, CENTRE, "published")
    assert told.value.code == "change.second_person"
    assert step(change, SECOND, "published").state == "published"


def test_who_drafted_a_change_checks_none_of_it() -> None:
    change = revise(begin(who=CENTRE), who=CENTRE, promised={"value": 15, "unit": "working_day"})
    change = step(change, CENTRE, "submitted")
    with pytest.raises(Refusal) as told:
        step(change, CENTRE, "checked")
    assert told.value.code == "change.drafter"


def test_a_stranger_finds_no_change_and_another_bureau_drafts_none() -> None:
    change = begin()
    with pytest.raises(changes.ChangeNotFound):
        changes.one(actor("p-market-reviewer"), change.id)
    with pytest.raises(Refusal) as told:
        begin(who="p-market-reviewer")
    assert told.value.code == "change.not_yours"


@pytest.mark.parametrize(
    ("own", "code"),
    [
        ({"promised": {"value": 30, "unit": "working_day"}}, "item.longer_than_above"),
        ({"name": "取水许可证核发"}, "item.other_name"),
        ({"fees": [{"name": "工本费", "fen": 500, "basis": "某文"}]}, "item.more_fees"),
        ({"materials": [{"name": "保证书", "basis": "某文"}]}, "item.more_materials"),
    ],
)
def test_an_implementation_departs_only_in_the_applicants_favour(
    own: dict[str, Any], code: str
) -> None:
    change = revise(begin(), **own)
    with pytest.raises(Refusals) as told:
        step(change, DRAFTER, "submitted")
    assert code in {one.code for one in told.value.refusals}


def test_what_the_city_shortens_every_implementation_follows() -> None:
    change = begin("C.XK0036", who=CENTRE)
    change = revise(change, who=CENTRE, promised={"value": 12, "unit": "working_day"})
    seen = changes.preview(change, at=AT)
    assert [(one.release.code, one.what) for one in seen.following] == [(ITEM, "changed")]
    change = step(change, CENTRE, "submitted")
    change = step(change, SECOND, "checked")
    change = step(change, LEGAL, "approved")
    change = step(change, SECOND, "listed", number="江政发〔2026〕18号", on=date(2026, 11, 20))
    with pytest.raises(Refusal) as told:
        step(change, CENTRE, "published")
    assert told.value.code == "change.drafter"  # a third person of the centre is needed


def test_an_outdated_draft_moves_onto_the_new_version_and_keeps_its_own_words() -> None:
    first = revise(begin(), promised={"value": 15, "unit": "working_day"})
    second = revise(begin(), phone="027-12345")
    assert {one.change.id for one in changes.preview(second, at=AT).conflicts} == {first.id}
    step(listed(first), CENTRE, "published")
    with pytest.raises(Refusal) as told:
        step(second, DRAFTER, "submitted")
    assert told.value.code == "change.outdated"
    moved = changes.rebase(
        actor(DRAFTER), second.id, version=second.version, key=str(uuid4()), at=AT
    )
    assert (moved.onto, moved.own["promised"]["value"], moved.own["phone"]) == (3, 15, "027-12345")


def test_a_retired_item_keeps_its_history() -> None:
    change = begin(purpose="retire")
    step(listed(change), CENTRE, "published", since=FORCE)
    assert queries.in_force(ITEM, FORCE) is None
    assert queries.in_force(ITEM, date(2026, 11, 30)) is not None
    assert [one.version for one in queries.history(ITEM)] == [3, 2, 1]


def test_the_same_key_begins_one_change() -> None:
    one = changes.begin(actor(DRAFTER), item=ITEM, key="twice", at=AT)
    again = changes.begin(actor(DRAFTER), item=ITEM, key="twice", at=AT)
    assert isinstance(one, UUID)
    assert one == again
    assert changes.listed(actor(DRAFTER)).total == 1


def test_nothing_in_the_past_is_published() -> None:
    change = listed(revise(begin(), promised={"value": 15, "unit": "working_day"}))
    with pytest.raises(Refusals) as told:
        step(change, CENTRE, "published", since=date(2026, 11, 1))
    assert told.value.refusals[0].code == "change.since_past"


def test_after_publishing_the_effect_equals_the_preview() -> None:
    change = begin("C.XK0036", who="p-water-reviewer")
    change = revise(change, promised={"value": 12, "unit": "working_day"})
    change = listed(change)
    seen = changes.preview(change, since=FORCE, at=AT)
    step(change, CENTRE, "published", since=FORCE)
    for outcome in (seen.main, *seen.following):
        then = queries.in_force(outcome.release.code, FORCE)
        assert then is not None
        assert (then.version, then.in_force_from) == (outcome.version, outcome.since)
        assert dict(then.whole) == outcome.after
    assert {one.release.code for one in seen.following} == {ITEM}


def test_what_an_implementation_said_stricter_falls_away_when_the_city_is_better() -> None:
    own = revise(begin(), promised={"value": 15, "unit": "working_day"}, phone="027-12345")
    step(listed(own), CENTRE, "published", since=date(2026, 11, 24))
    city = revise(begin("C.XK0036"), promised={"value": 10, "unit": "working_day"})
    city = listed(city)
    seen = changes.preview(city, since=FORCE, at=AT)
    assert [(one.release.code, one.fallen) for one in seen.following] == [(ITEM, ("promised",))]
    step(city, CENTRE, "published", since=FORCE)
    then = queries.in_force(ITEM, FORCE)
    assert then is not None
    assert (then.promised_zh, then.own["phone"]) == ("10 个工作日", "027-12345")
