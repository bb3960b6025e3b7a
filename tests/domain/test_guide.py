"""What a level below may change, what is refused at publication, how whole a guide is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhengwu.domain import guide
from zhengwu.domain.guide import Level
from zhengwu.domain.procedure import Limit, Step, Unit

CITY: dict[str, Any] = {
    "name": "取水许可", "type": "行政许可", "basis": "水法 第七条", "kind": "promised",
    "statutory": {"value": 45, "unit": "working_day", "basis": "条例 第十九条"},
    "promised": {"value": 20, "unit": "working_day", "basis": "办事指南承诺"},
    "materials": [{"code": "01", "name": "申请书", "basis": "条例", "copies": 2},
                  {"code": "02", "name": "论证报告", "basis": "条例", "need": "deferrable"}],
    "fees": [{"name": "工本费", "fen": 1000, "basis": "某文"}],
    "conditions": ["有取水口", "有计量设施"], "channels": ["1", "3"], "visits": 1,
}  # fmt: skip


def codes(own: dict[str, Any], *, flow: tuple[Step, ...] = ()) -> set[str]:
    content, faults = guide.clean(own)
    found = guide.faults(content, CITY, level=Level.IMPLEMENTATION, flow=flow)
    return {one.code for one in [*faults, *found]}


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"promised": {"value": 5, "unit": "working_day"}},
        {"kind": "immediate"},
        {"materials": [{"code": "01", "name": "申请书", "basis": "条例", "copies": 1}]},
        {"materials": []},
        {"fees": []},
        {"fees": [{"name": "工本费", "fen": 500, "basis": "某文"}]},
        {"conditions": ["有取水口"]},
        {"channels": ["1", "2", "3"]},
        {"visits": 0},
        {"name": "取水许可"},
    ],
)
def test_what_favours_the_applicant_may_differ(own: dict[str, Any]) -> None:
    assert codes(own) == set()


@pytest.mark.parametrize(
    ("own", "code"),
    [
        ({"name": "取水许可证核发"}, "item.other_name"),
        ({"type": "行政确认"}, "item.differs_above"),
        ({"promised": {"value": 21, "unit": "working_day"}}, "item.longer_than_above"),
        ({"promised": {"value": 25, "unit": "calendar_day"}}, "limit.incomparable"),
        ({"materials": [{"name": "保证书", "basis": "某文"}]}, "item.more_materials"),
        ({"materials": [{"name": "申请书", "basis": "条例", "copies": 3}]}, "item.stricter_material"),
        ({"materials": [{"name": "论证报告", "basis": "条例", "need": "required"}]},
         "item.stricter_material"),
        ({"materials": [{"name": "申请书"}]}, "item.material_no_basis"),
        ({"materials": [{"name": "申请书"}, {"name": "申请书"}]}, "item.material_twice"),
        ({"fees": [{"name": "工本费", "fen": 1001, "basis": "某文"}]}, "item.higher_fee"),
        ({"fees": [{"name": "加急费", "fen": 1, "basis": "某文"}]}, "item.more_fees"),
        ({"fees": [{"name": "工本费", "fen": 10}]}, "item.fee_no_basis"),
        ({"fees": [{"name": "工本费", "standard": "按面积", "basis": "某文"}]}, "item.fee_unclear"),
        ({"conditions": ["有取水口", "有担保"]}, "item.more_conditions"),
        ({"channels": ["1"]}, "item.fewer_channels"),
        ({"visits": 2}, "item.more_visits"),
        ({"kind": "forwarded"}, "item.slower_kind"),
        ({"flow_of": "XK0036", "template": "general"}, "flow.owned_above"),
        ({"colour": "red"}, "item.unknown_element"),
        ({"phone": "1\x002"}, "item.control"),
        ({"phone": "1" * 101}, "item.too_long"),
        ({"promised": {"value": "5", "unit": "working_day"}}, "limit.value"),
        ({"promised": {"value": 5}}, "limit.no_unit"),
        ({"steps": [{"code": "a", "name": "审查", "role": ""}]}, "item.step_post"),
        ({"visits": -1}, "item.count"),
    ],
)  # fmt: skip
def test_what_does_not_favour_the_applicant_is_refused_with_the_rule(
    own: dict[str, Any], code: str
) -> None:
    assert code in codes(own)


@pytest.mark.parametrize(
    ("flow", "code"),
    [
        ((Step("a", "甲", "review", Limit(21)),), "flow.longer_than_promise"),
        ((Step("a", "甲", "review", None, ("b",)), Step("b", "乙", "decide", None, ("a",))),
         "flow.cycle"),
        ((Step("a", "甲", "review", None, ("x",)),), "flow.unknown_step"),
        ((Step("a", "甲", "review"), Step("a", "乙", "decide")), "flow.step_twice"),
    ],
)  # fmt: skip
def test_a_flow_that_cannot_be_kept_is_refused(flow: tuple[Step, ...], code: str) -> None:
    assert codes({}, flow=flow) == {code}


def test_a_new_list_above_takes_away_what_no_longer_favours_the_applicant() -> None:
    own = {"promised": {"value": 15, "unit": "working_day", "basis": "承诺"}, "phone": "12345"}
    better = CITY | {"promised": {"value": 10, "unit": "working_day", "basis": "承诺"}}
    kept, fallen = guide.settle(own, better, level=Level.IMPLEMENTATION)
    assert (kept, fallen) == ({"phone": "12345"}, ("promised",))


LIMITS = st.builds(Limit, st.integers(0, 60), st.sampled_from(list(Unit)), st.just("某文"))


@given(LIMITS, LIMITS)
def test_of_two_limits_never_both_are_longer(one: Limit, other: Limit) -> None:
    assert not (guide.longer(one, other) and guide.longer(other, one))


@given(LIMITS, LIMITS, LIMITS)
def test_what_may_stand_below_what_may_stand_below_may_stand_below(
    a: Limit, b: Limit, c: Limit
) -> None:
    if a.unit == b.unit == c.unit and guide.longer(a, b) is guide.longer(b, c) is False:
        assert guide.longer(a, c) is False


CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "promised": st.builds(
            lambda value: {"value": value, "unit": "working_day", "basis": "承诺"},
            st.integers(0, 30),
        ),
        "conditions": st.lists(st.sampled_from(["有取水口", "有计量设施", "有担保"]), unique=True, min_size=1),
        "channels": st.lists(st.sampled_from("123"), unique=True, min_size=1).map(sorted),
        "visits": st.integers(0, 3),
        "materials": st.lists(
            st.sampled_from(["申请书", "论证报告", "保证书"]), unique=True
        ).map(lambda names: [{"code": n, "name": n, "basis": "条例"} for n in names]),
        "phone": st.just("12345"),
    },
)  # fmt: skip


@given(CONTENT)
def test_what_settles_is_lawful_and_settling_again_changes_nothing(own: dict[str, Any]) -> None:
    kept, fallen = guide.settle(own, CITY, level=Level.IMPLEMENTATION)
    assert guide.loosened(kept, CITY, level=Level.IMPLEMENTATION) == []
    assert guide.settle(kept, CITY, level=Level.IMPLEMENTATION) == (kept, ())
    assert {*kept, *fallen} == set(own)


@given(CONTENT, CONTENT)
def test_equal_contents_have_equal_digests_and_no_difference(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert (guide.digest(one) == guide.digest(other)) == (one == other)
    assert guide.differences(one, one) == ()
    if guide.differences(one, other):
        assert one != other


@given(CONTENT)
def test_cleaning_what_is_clean_changes_nothing(own: dict[str, Any]) -> None:
    once, faults = guide.clean(own)
    assert faults == []
    assert guide.clean(once) == (once, [])


def test_completeness_counts_what_this_item_needs_and_names_what_is_missing() -> None:
    some = guide.completeness(CITY)
    more = guide.completeness(CITY | {"phone": "12345", "hours": "工作日 9:00-17:00"})
    assert (more.filled, more.wanted) == (some.filled + 2, some.wanted)
    assert ("phone", "咨询方式") in some.missing
    assert any("申请书" in what for _, what in some.missing)
    assert some.score < more.score < 100
