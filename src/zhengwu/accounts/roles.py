"""Role × act × scope as one table of data (权限表). docs/reference/roles.md is printed from it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

# Scopes: agency 本机关 (and the agencies of one's posts), hall 本大厅, region 本区域, all 全部.
BUSINESS = (
    "clerk",
    "reviewer",
    "approver",
    "head",
    "legal",
    "legal_office",
    "centre_manager",
    "supervisor",
    "cashier",
)
ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")
NAMES: Mapping[str, str] = {
    "clerk": "窗口人员", "reviewer": "审查人员", "approver": "审批人员", "head": "机关负责人",
    "legal": "法制机构", "legal_office": "政府法制机构", "centre_manager": "中心管理人员", "supervisor": "监察人员",
    "cashier": "收费人员", "system_admin": "系统管理员", "security_admin": "安全管理员",
    "audit_admin": "审计管理员",
}  # fmt: skip
_OWN = "agency"
_CALENDAR = dict.fromkeys(("calendar.see", "calendar.propose", "calendar.confirm"), "all")
TABLE: Mapping[str, Mapping[str, str]] = {
    "clerk": dict.fromkeys(
        ("case.see", "case.receive", "case.accept", "case.take", "case.hand_over",
         "case.decide_at_once", "case.deliver", "case.correct", "case.scan", "catalog.see", "authorise.see",
         "supervise.answer"),
        _OWN),
    "reviewer": dict.fromkeys(
        ("case.see", "case.take", "case.hand_over", "case.review", "case.opine", "case.correct",
         "case.scan", "catalog.see", "catalog.draft", "supervise.answer"), _OWN),
    "approver": dict.fromkeys(
        ("case.see", "case.take", "case.hand_over", "case.review", "case.decide", "case.opine",
         "case.correct", "case.scan", "catalog.see", "catalog.draft", "supervise.answer"), _OWN),
    "head": dict.fromkeys(
        ("case.see", "case.take", "case.hand_over", "case.decide", "case.head", "case.opine",
         "case.correct", "catalog.see", "catalog.draft",
         "authorise.see", "authorise.issue", "time.see", "statistics.see",
         "statistics.people", "supervise.see", "supervise.answer", "supervise.appeal"), _OWN),
    "legal": dict.fromkeys(("case.see", "catalog.see", "catalog.draft"), _OWN),
    "legal_office": dict.fromkeys(("catalog.see", "catalog.approve"), "all"),
    "centre_manager": {
        "case.see": "hall", "supervise.see": "hall", "time.see": "hall", "statistics.see": "hall",
        "catalog.see": "all", "calendar.see": "all",
        **dict.fromkeys(
            ("catalog.draft", "catalog.check", "catalog.list", "catalog.publish",
             "catalog.words"), "hall")},
    "supervisor": {
        "case.see": "region", "supervise.see": "region", "time.see": "region",
        "statistics.see": "region", "statistics.people": "region",
        "supervise.act": "region", "supervise.rules": "region",
        "catalog.see": "all", "calendar.see": "all"},
    "cashier": dict.fromkeys(("case.see", "case.collect", "catalog.see"), _OWN),
    "system_admin": {"accounts.manage": "all", "operate.see": "all", **_CALENDAR},
    "security_admin": {"roles.grant": "all", "systems.manage": "all", **_CALENDAR},
    "audit_admin": {"audit.looks": "all"},
}  # fmt: skip
# What another system sees by itself, before its token narrows it. Nobody holds these roles.
_PUBLIC = {"catalog.see": "all", "calendar.see": "all"}
SYSTEMS: Mapping[str, Mapping[str, str]] = {
    "agency_system": {"case.see": "agency", "statistics.see": "agency", **_PUBLIC},
    "hall_system": {"case.see": "hall", "statistics.see": "hall", **_PUBLIC},
    "region_system": {"case.see": "region", "statistics.see": "region", **_PUBLIC},
}
EVERY: Mapping[str, Mapping[str, str]] = {**TABLE, **SYSTEMS}


@lru_cache(maxsize=1_024)
def acts(held: frozenset[str]) -> frozenset[str]:
    """What whoever holds these roles may do, somewhere."""
    return frozenset(act for role in held for act in EVERY[role])


SCOPES = {"agency": "本机关", "hall": "本大厅", "region": "本区域", "all": "全部"}


def markdown() -> str:
    """The table for docs/reference/roles.md."""
    lines = ["# 角色与权限", "", "| 角色 | 代码 | 行为 | 范围 |", "|---|---|---|---|"]
    for role, acts in TABLE.items():
        lines += [f"| {NAMES[role]} | {role} | {act} | {SCOPES[s]} |" for act, s in acts.items()]
    return "\n".join(lines) + "\n"
