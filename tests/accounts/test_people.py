from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection

from tests.accounts.city import SINCE, small_city
from zhengwu.accounts import queries, roles, services
from zhengwu.domain.refusal import Refusal


@pytest.fixture
def built(db: None) -> None:
    small_city()


def test_the_roles_page_is_the_table() -> None:
    page = Path(__file__).parents[2] / "docs/reference/roles.md"
    assert page.read_text("utf-8") == roles.markdown()


def test_the_owner_reaches_the_water_bureau_and_the_stranger_does_not(built: None) -> None:
    owner, stranger = queries.actor("p-water-clerk"), queries.actor("p-market-clerk")
    assert queries.reach(owner, "case.see").agencies == {"420100-water"}
    assert queries.reach(stranger, "case.see").agencies == {"420100-market"}
    assert owner.posts[0].window == "B23"
    assert owner.hall == "H420100"
    assert not queries.reach(owner, "case.decide").agencies


def test_the_city_supervisor_sees_the_districts_too(built: None) -> None:
    supervisor = queries.actor("p-supervisor")
    assert queries.reach(supervisor, "case.see").everything


def test_a_grant_widens_sight_on_one_stream_only(built: None) -> None:
    stream = uuid4()
    services.grant(
        "p-market-clerk", act="case.see", stream=stream, since=SINCE, until=None, because="联合审批"
    )
    stranger = queries.actor("p-market-clerk")
    assert queries.reach(stranger, "case.see").streams == {stream}
    assert not queries.reach(stranger, "case.decide").streams


def test_only_the_security_administrator_gives_roles(built: None) -> None:
    with pytest.raises(Refusal, match="not_security_admin"):
        services.assign_role(
            queries.actor("p-system_admin"), "p-water-clerk", role="legal", scope="420100-water"
        )
    security = queries.actor("p-security_admin")
    services.assign_role(security, "p-water-clerk", role="legal", scope="420100-water")
    assert "legal" in queries.actor("p-water-clerk").roles


@pytest.mark.parametrize("role", ["security_admin", "audit_admin", "clerk"])
def test_an_administrator_holds_nothing_else(built: None, role: str) -> None:
    with pytest.raises(Refusal, match="separation"):
        services.assign_role(
            queries.actor("p-security_admin"), "p-system_admin", role=role, scope="420100"
        )


def test_two_people_never_hold_one_part_of_a_post_at_once(built: None) -> None:
    with pytest.raises(IntegrityError, match="accounts_one_holder"):
        services.appoint("p-market-clerk", post="420100-water-window", part="A", since=SINCE)


def test_a_look_is_read_by_the_audit_administrator_and_never_changed(built: None) -> None:
    clerk, audit = queries.actor("p-water-clerk"), queries.actor("p-audit_admin")
    services.look(clerk, "case", uuid4(), why="办理", fields=["name"], at=SINCE)
    assert [one.person for one in queries.looks(audit)] == ["p-water-clerk"]
    assert queries.looks(clerk) == ()
    with pytest.raises(DatabaseError, match="never changed"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_look")


def test_a_second_build_changes_nothing(built: None) -> None:
    before = queries.colleagues("420100-water")
    small_city()
    assert queries.colleagues("420100-water") == before
