from __future__ import annotations

import random
import stat
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import validate_password

from tests.conftest import Kept
from zhengwu.accounts import city, queries, roles, systems
from zhengwu.accounts.models import Agency, Person, Post, PostHolding, Region, RoleHolding
from zhengwu.catalog import authorisations
from zhengwu.catalog import queries as catalog
from zhengwu.config import demo
from zhengwu.domain import identifiers
from zhengwu.halls import queries as halls

AT = datetime(2026, 11, 20, 4, tzinfo=UTC)
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def _rows() -> dict[str, int]:
    """How many rows every table of ours holds, looks and sessions included."""
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model.__module__.startswith("zhengwu.") and model._meta.managed
    }


@pytest.fixture
def built(db: None, kept: Kept) -> None:
    def build() -> None:
        city.build_city(seed=1, at=SINCE)

    kept.again("demo", build)


def test_the_city_has_as_many_of_everything_as_the_paper_says(built: None) -> None:
    levels = Counter(Region.objects.values_list("level", flat=True))
    assert levels == {"city": 1, "district": 15, "street": 224, "community": 895}
    kinds = Counter(Agency.objects.values_list("kind", flat=True))
    assert kinds == {
        "department": 41, "utility": 3, "bureau": 707, "centre": 16, "service_point": 224 + 895,
    }  # fmt: skip
    central = {"420102", "420103", "420104", "420105", "420106", "420107", "420111"}
    communities = Region.objects.filter(level="community").values_list("code", flat=True)
    assert {code[:6] for code in communities} == central
    assert {len(code) for code in communities} == {12}
    streets = Region.objects.filter(level="street").values_list("code", flat=True)
    assert {len(code) for code in streets} == {9}


def test_every_region_lies_in_the_one_its_code_begins_with(built: None) -> None:
    for region in Region.objects.exclude(level__in=("city", "district")):
        assert region.parent_id is not None
        assert region.code.startswith(region.parent_id)


def test_every_agency_has_its_own_code_name_and_short_word(built: None) -> None:
    rows = list(Agency.objects.all())
    for attribute in ("code", "name", "short"):
        counts = Counter(getattr(row, attribute) for row in rows)
        assert not [name for name, count in counts.items() if count > 1]


def test_the_water_bureau_is_as_people_know_it(built: None) -> None:
    water = queries.agency("420100-D16")
    assert water is not None
    assert (water.name, water.short, water.has_window) == ("江城市水务局", "江水", True)
    market = queries.agency("420100-D23")
    assert market is not None
    assert market.short == "江市监"
    held = Counter(one.kind for one in queries.colleagues("420100-D16"))
    assert held == {"window": 2, "review": 2, "decide": 2, "head": 1}
    clerk = queries.actor("p-420100-d16-clerk-a")
    assert (clerk.hall, clerk.posts[0].window) == ("H420100", "B23")


def test_window_b23_is_the_water_bureaus_and_no_window_stands_twice() -> None:
    hall, *others = city.halls()
    assert [agency for window, agency, _ in hall.windows if window == "B23"] == ["420100-D16"]
    assert len(hall.windows) == 41
    assert {len(one.windows) for one in others} == {30}
    for one in (hall, *others):
        assert len({window for window, _, _ in one.windows}) == len(one.windows)


def test_building_twice_changes_nothing(built: None) -> None:
    before = _rows()
    passwords = list(Person.objects.order_by("code").values_list("code", "name", "password"))
    assert city.build_city(seed=1, at=AT) == 0
    assert city.build_city(seed=2, at=AT) == 0
    assert _rows() == before
    after = list(Person.objects.order_by("code").values_list("code", "name", "password"))
    assert after == passwords


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    def names(seed: int) -> list[str]:
        return [one.name for one in city.plan(seed=seed).staff]

    random.seed(5)
    first = names(1)
    random.seed(6)
    assert names(1) == first
    assert names(2) != first
    assert all(identifiers.person_name(name) == name for name in first)


def test_nobody_can_sign_in_and_administrators_administer_only(built: None) -> None:
    assert not [p for p in Person.objects.all() if p.has_usable_password()]
    for role in roles.ADMINISTRATORS:
        holding = RoleHolding.objects.get(role=role)
        assert RoleHolding.objects.filter(person=holding.person).count() == 1
        assert not PostHolding.objects.filter(person=holding.person).exists()
    assert set(RoleHolding.objects.values_list("role", flat=True)) == set(roles.TABLE)


def test_every_post_is_held_and_sits_where_its_agency_has_its_window(built: None) -> None:
    held = set(PostHolding.objects.values_list("post_id", flat=True))
    assert held == set(Post.objects.values_list("code", flat=True))
    places = {
        (hall.code, window, agency) for hall in city.halls() for window, agency, _ in hall.windows
    }
    sat = Post.objects.filter(kind="window").values_list("hall", "window", "agency_id")
    assert set(sat) == places


def test_a_list_of_items_names_departments_as_the_city_does() -> None:
    codes = city.department_codes()
    assert len(codes) == 44
    assert codes["市水务局"] == "420100-D16"


def test_the_demo_is_built_once_even_when_broken_off_and_its_people_sign_in(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHENGWU_HOME", str(tmp_path))
    assert not demo.loaded()
    with pytest.raises(KeyboardInterrupt):
        demo.build(at=AT, say=_break_off, cases=4)
    assert not demo.loaded()
    said: list[str] = []
    started = time.monotonic()
    given = demo.build(at=AT, say=said.append, cases=4)
    assert time.monotonic() - started < 60
    assert demo.loaded(at=AT)
    assert any("现行有效 89 项，已取消 10 项，没有通过 0 项" in line for line in said)
    assert any("书面授权：" in line for line in said)
    head = queries.actor("p-420100-d23-head-a")
    assert authorisations.listed(head, on=AT.date()).counts["standing"] > 0
    assert authorisations.unauthorised(head, on=AT.date()) == ()
    assert any("模拟办件：4 件" in line for line in said)
    assert [line for line in said if "被拒绝" in line] == []
    hall = [one for one in halls.windows("H420100") if one.code == "B23"]
    assert [one.agency for one in hall] == ["420100-D16"]
    offered = {item.agency for item in catalog.all_in_force(AT.date())}
    organs = {one.code for one in city.departments()} | {one.code for one in city.bureaus()}
    assert offered <= organs
    # Every district does what its bureaus may do, under the city's own list.
    districts = {item.region for item in catalog.all_in_force(AT.date())} - {"420100"}
    assert districts == {one.code for one in city.districts()}
    assert {item.score for item in catalog.all_in_force(AT.date())} >= {100}

    assert len(given) == 16
    for one in given[:2]:
        person = Person.objects.get(username=one.username)
        assert check_password(one.password, person.password)
        assert person.is_active
    for one in given:
        validate_password(one.password, _person(one))
    assert {r for one in given for r in queries.actor_of(_person(one)).roles} == set(roles.TABLE)
    file = tmp_path / "demo_sign_ins.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    printed = demo.sign_ins()
    assert all(one.password in printed and one.username in printed for one in given)
    held = demo.system()
    assert held is not None
    assert held["token"] in printed
    bearer = systems.bearer(held["token"], at=AT)
    assert bearer is not None
    for person in held["acting_persons"]:  # so that a newcomer can act at once
        assert systems.acting(bearer, person, at=AT) is not None

    before = _rows()
    assert demo.build(at=AT, cases=4) == given
    assert _rows() == before

    file.unlink()
    assert not demo.loaded(at=AT)
    renewed = demo.build(at=AT, cases=4)
    # The token whose secret is lost is revoked, and another issued.
    more = {"accounts.Token": 1}
    assert _rows() == {name: count + more.get(name, 0) for name, count in before.items()}
    assert systems.bearer(held["token"], at=AT) is None
    assert demo.system() != held
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert demo.loaded(at=AT)
    assert check_password(renewed[0].password, _person(renewed[0]).password)
    assert not check_password(given[0].password, _person(given[0]).password)


def _person(one: demo.SignIn) -> Person:
    return Person.objects.select_related("agency").get(username=one.username)


def _break_off(line: str) -> None:
    if "事项" in line:
        raise KeyboardInterrupt
