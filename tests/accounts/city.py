"""A small city through the services: two districts, water and market bureaus, every role.

Codes: agencies 420100-water, 420100-market, 420102-water; hall H420100; window B23 is the water
bureau's. People are p-<agency>-<role>: `p-water-clerk`, `p-market-reviewer`, `p-d102-head`, …
The cast: owner p-water-clerk, teammate p-water-clerk2, stranger p-market-clerk.
"""

from __future__ import annotations

from datetime import UTC, datetime

from zhengwu.accounts import services
from zhengwu.calendars import services as calendars
from zhengwu.halls import services as halls

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
HALL = "H420100"
CAST = {"owner": "p-water-clerk", "teammate": "p-water-clerk2", "stranger": "p-market-clerk"}
STAFF = (
    ("clerk", "window", "A", "clerk"),
    ("reviewer", "review", "A", "reviewer"),
    ("approver", "decide", "A", "approver"),
    ("head", "head", "A", "head"),
    ("clerk2", "window", "B", "clerk"),
    ("reviewer2", "review", "B", "reviewer"),
)
NAMES = {"water": "江水一", "market": "江市二", "d102": "江区三"}


def small_city() -> None:
    """Build it once; a second call changes nothing."""
    calendars.load_shipped(at=SINCE)
    services.add_region("420100", name="江城市", level="city", parent=None)
    services.add_region("420102", name="临江区", level="district", parent="420100")
    services.add_region("420103", name="望江区", level="district", parent="420100")
    services.add_agency(
        "420100-centre", name="江城市政务服务中心", short="江政", kind="centre", region="420100"
    )
    halls.add_hall(
        HALL,
        name="江城市政务服务中心大厅",
        region="420100",
        address="江城市临江区政务路 1 号",
        hours="工作日 9:00-17:00",
    )
    bureaus = (
        ("water", "420100-water", "江城市水务局", "江水", "420100", "department", "B23"),
        (
            "market",
            "420100-market",
            "江城市市场监督管理局",
            "江市监",
            "420100",
            "department",
            "A01",
        ),
        ("d102", "420102-water", "临江区水务局", "临水", "420102", "bureau", "D01"),
    )
    for who, code, name, short, region, kind, window in bureaus:
        services.add_agency(code, name=name, short=short, kind=kind, region=region, has_window=True)
        halls.add_window(window, hall=HALL, agency=code, name=f"{name}窗口")
        for role, post_kind, part, holds in STAFF:
            post = f"{code}-{post_kind}"
            at_window = post_kind == "window"
            services.add_post(
                post,
                name=POSTS[post_kind],
                kind=post_kind,
                agency=code,
                hall=HALL if at_window else "",
                window=window if at_window else "",
            )
            services.add_person(
                f"p-{who}-{role}",
                name=NAMES[who] + role,
                agency=code,
                posts=[(post, part)],
                holds=[(holds, code)],
                since=SINCE,
            )
        for role in ("legal", "cashier"):
            services.add_person(
                f"p-{who}-{role}", name=NAMES[who] + role, agency=code, holds=[(role, code)],
                since=SINCE,
            )  # fmt: skip
    others = (
        ("centre_manager", HALL),
        ("legal_office", "420100"),
        ("supervisor", "420100"),
        ("system_admin", "420100"),
        ("security_admin", "420100"),
        ("audit_admin", "420100"),
    )
    for role, scope in others:
        services.add_person(
            f"p-{role}", name=f"江城{role}", agency="420100-centre", holds=[(role, scope)],
            since=SINCE,
        )  # fmt: skip
    services.add_person(
        "p-centre_manager2", name="江城centre_manager2", agency="420100-centre",
        holds=[("centre_manager", HALL)], since=SINCE,
    )  # fmt: skip


POSTS = {"window": "窗口", "review": "审查岗", "decide": "审批岗", "head": "负责人"}
