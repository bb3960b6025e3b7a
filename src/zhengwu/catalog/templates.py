"""Standard flow templates (标准流程模板) by kind of item; an item's flow derives from one."""

from __future__ import annotations

from zhengwu.domain.procedure import Limit, Step, Unit


def flow(kind: str, promised: Limit | None) -> tuple[Step, ...]:
    """immediate: one step at the window. promised, forwarded: review, then decide; a quarter of the
    promise, at least a day, is the decision's, so that the longest path is the promise itself.
    """
    if kind == "immediate":
        return (Step("handle", "当场办理", "window"),)
    review: Limit | None = None
    decide: Limit | None = None
    if promised is not None and promised.unit == Unit.WORKING_DAY and promised.value > 0:
        last = max(1, promised.value // 4) if promised.value > 1 else 0
        review = Limit(promised.value - last)
        decide = Limit(last)
    return (
        Step("review", "审查", "review", review),
        Step("decide", "决定", "decide", decide, after=("review",)),
    )
