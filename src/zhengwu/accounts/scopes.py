"""What a token may open (接口权限): data. A scope says what it is; the interface shows it as it is.

A scope never widens: a system sees what its role sees (roles.SYSTEMS), a person whom it acts for may
what that person may; the scopes of the token narrow both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """zh: what it opens, for people. acts: of roles.TABLE. person: it needs somebody to act for."""

    code: str
    zh: str
    acts: frozenset[str] = frozenset()
    person: bool = False


SCOPES: Mapping[str, Scope] = {
    one.code: one
    for one in (
        Scope("cases.read", "查看权限以内的办件、期限和时间账，申请人信息隐去", frozenset({"case.see"})),
        Scope("cases.applicant", "看到申请人的姓名、证件号码、电话和意见理由的全文，每次都记入查阅记录"),
        Scope("cases.export", "成批导出权限以内的办件，没有申请人信息", frozenset({"case.see"})),
        Scope("events.read", "按顺序取得权限以内办件的每一个事件，没有个人信息", frozenset({"case.see"})),
        Scope(
            "statistics.read",
            "查看权限以内的统计；还有 cases.read 的，能看到数字后面的办件",
            frozenset({"statistics.see"}),
        ),
        Scope(
            "process.read",
            "查看权限以内办件的实际流程：次数、用时、走法、偏离，没有人员",
            frozenset({"case.see"}),
        ),
        Scope("documents.read", "下载文书和材料的原件，每次都记入查阅记录", frozenset({"case.see"})),
        Scope(
            "cases.receive",
            "代窗口人员收件",
            frozenset({"case.see", "case.receive"}),
            person=True,
        ),
        Scope(
            "cases.handle",
            "代工作人员受理、补正、承办、移交、征求和提出意见、更正、送达",
            frozenset(
                {"case.see", "case.accept", "case.take", "case.hand_over", "case.review",
                 "case.opine", "case.correct", "case.scan", "case.deliver"}
            ),
            person=True,
        ),
        Scope(
            "cases.decide",
            "代审批人员和负责人作出决定",
            frozenset({"case.see", "case.decide", "case.decide_at_once", "case.head"}),
            person=True,
        ),
        Scope(
            "cases.collect", "代收费人员登记缴费", frozenset({"case.see", "case.collect"}), person=True
        ),
    )
}  # fmt: skip
# Reading only, by nobody but the system itself.
READING = tuple(code for code, one in SCOPES.items() if not one.person)


def acts_of(scopes: Iterable[str]) -> frozenset[str]:
    """The acts that these scopes open, and those that reading anything needs."""
    found = {"catalog.see", "calendar.see"}
    for code in scopes:
        if scope := SCOPES.get(code):
            found |= scope.acts
    return frozenset(found)
