"""What is planted (植入的差错): each kind, the rule that should find it, how often it comes.

Rules are those of electronic supervision (电子监察) by their codes: T times, P procedure, C content,
D data. Weights are relative. `where`: which cases can bear it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault. zh: for people; rule: "" where none names it; also: others that see it."""

    code: str
    zh: str
    rule: str
    where: str  # own | foreign
    weight: float
    also: tuple[str, ...] = ()


_OWN = (
    Fault("late_promised", "超过承诺时限，未超法定", "T03", "own", 20),
    Fault("late_statutory", "超过法定时限", "T04", "own", 6, ("T03", "T05")),
    Fault("step_late", "环节超时，整件未超", "T06", "own", 14),
    Fault("silence", "五个工作日内没有答复，视为受理", "T07", "own", 6),
    Fault("acceptance_late", "受理决定迟于五个工作日", "T07", "own", 6),
    Fault("delivery_late", "准予后十个工作日内没有送达", "T08", "own", 8),
    Fault("lower_review_late", "初审转报迟于二十个工作日", "T09", "own", 3),
    Fault("special_overrun", "特别程序超过告知的天数", "T10", "own", 6),
    Fault("opinion_late", "征求意见逾期答复", "T11", "own", 4),
    Fault("second_notice", "第二次告知本可一次告知的材料", "P02", "own", 8),
    Fault("refusal_unreasoned", "不予受理没有说明理由", "P05", "own", 4),
    Fault("hearing_missing", "应当听证而没有听证", "P07", "own", 2),
    Fault("entered_late", "补录：登记迟于发生一个工作日以上", "P09", "own", 8),
    Fault("asked_outside", "索要办事指南以外的材料", "C02", "own", 5),
)
_FOREIGN = (
    Fault("foreign_late", "外部系统办件超过其声称的期限", "T03", "foreign", 14),
    Fault("out_of_order", "环节次序颠倒：先决定，后受理", "P01", "foreign", 8),
    Fault("step_skipped", "跳过受理环节", "P01", "foreign", 8),
    Fault("double_entry", "同一件事登记两次", "", "foreign", 6),
    Fault("double_case", "同一申请在两个编号下登记", "", "foreign", 4),
    Fault("suspension_untold", "暂停计时没有告知书", "P03", "foreign", 5),
    Fault("suspension_unlisted", "暂停计时的原因不在法定八种之内", "P03", "foreign", 4),
    Fault("extended_late", "期满后才延期", "P04", "foreign", 4, ("T03",)),
    Fault("extended_twice", "两次延期", "P04", "foreign", 3),
    Fault("foreign_unreasoned", "不予许可没有说明理由", "P05", "foreign", 5),
    Fault("lone_inspection", "现场核查不足两人", "P06", "foreign", 4),
    Fault("same_person", "承诺件受理人和决定人是同一人", "P08", "foreign", 8),
    Fault("foreign_entered_late", "补录：登记迟于发生一个工作日以上", "P09", "foreign", 8),
    Fault("batch_entered", "多件集中补录", "P09", "foreign", 3),
    Fault("outside_hall", "进驻事项在大厅以外受理", "P10", "foreign", 6),
    Fault("foreign_asked_outside", "索要办事指南以外的材料", "C02", "foreign", 5),
)
FAULTS: Mapping[str, Fault] = {one.code: one for one in (*_OWN, *_FOREIGN)}
# Not of a case but of a source: nothing came for longer than a day.
GAP = Fault("exchange_gap", "数据交换中断超过二十四小时", "D02", "source", 0)
BATCH = 12  # cases entered together in one evening
