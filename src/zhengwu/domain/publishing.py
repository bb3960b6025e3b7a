"""From a draft to the published list (事项变更的办理): states, acts, and the second person.

A department drafts, the centre checks, the legal office approves, the city government's approval of
the list is recorded, then it is published with a date of force. 优化营商环境条例 35; the order is the
study's (requirements S11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhengwu.domain.refusal import Refusal

STATES_ZH: Final = {
    "drafting": "起草中",
    "submitted": "待中心审核",
    "checked": "待法制审查",
    "approved": "待市政府批准",
    "listed": "待发布",
    "published": "已发布",
    "withdrawn": "已撤销",
}
OPEN: Final = frozenset({"drafting", "submitted", "checked", "approved", "listed"})
PURPOSES_ZH: Final = {"new": "新增", "revise": "修改", "retire": "取消"}


@dataclass(frozen=True, slots=True)
class Act:
    """One act: from which states to which state (None: it stays), and who may.

    second: another person than the drafter and than whoever took the step before.
    """

    code: str
    zh: str
    before: frozenset[str]
    after: str | None
    may: str
    second: bool = False
    reason: bool = False


ACTS: tuple[Act, ...] = (
    Act("drafted", "起草", frozenset(), "drafting", "catalog.draft"),
    Act("revised", "修改草案", frozenset({"drafting"}), None, "catalog.draft"),
    Act("submitted", "提交中心审核", frozenset({"drafting"}), "submitted", "catalog.draft"),
    Act("checked", "审核通过", frozenset({"submitted"}), "checked", "catalog.check", second=True),
    Act(
        "approved", "法制审查通过", frozenset({"checked"}), "approved", "catalog.approve", second=True
    ),
    Act("listed", "登记市政府批准", frozenset({"approved"}), "listed", "catalog.list", second=True),
    Act("published", "发布", frozenset({"listed"}), "published", "catalog.publish", second=True),
    Act(
        "returned", "退回起草部门", frozenset({"submitted", "checked", "approved", "listed"}),
        "drafting", "", reason=True,
    ),
    Act(
        "withdrawn", "撤销草案", frozenset({"drafting", "submitted"}), "withdrawn", "catalog.draft",
        reason=True,
    ),
)  # fmt: skip
BY_CODE: Final = {act.code: act for act in ACTS}
_NEXT: Final = {
    "submitted": "catalog.check", "checked": "catalog.approve", "approved": "catalog.list",
    "listed": "catalog.publish",
}  # fmt: skip


def permission(act: Act, state: str) -> str:
    """What an act needs; returning needs what the step that is due needs."""
    return act.may or _NEXT[state]


def check(act: Act, *, state: str, actor: str, drafted_by: str, last_by: str) -> None:
    """Whether this person may take this step now. Raises Refusal."""
    if act.before and state not in act.before:
        raise Refusal(
            "change.not_now",
            f"这项变更现在是“{STATES_ZH.get(state, state)}”，不能“{act.zh}”。请刷新后查看。",
        )
    if act.second and actor == drafted_by:
        raise Refusal(
            "change.drafter",
            f"这项变更是您本人起草的，“{act.zh}”要由另一个人办理。",
        )
    if act.second and actor == last_by:
        raise Refusal(
            "change.second_person",
            f"上一步是您本人办理的，“{act.zh}”要由另一个人办理。请通知同事。",
        )


def open_acts(state: str) -> tuple[Act, ...]:
    """The acts that this state allows, in the order of the table."""
    return tuple(act for act in ACTS if state in act.before)
