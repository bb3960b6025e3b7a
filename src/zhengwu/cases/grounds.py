"""What may be asked and what a refusal may rest on (列明的材料和不予的根据): the published version.

优化营商环境条例 35: a guide's conditions and steps are all there are; 行政许可法 31: no material
beyond them may be asked for; 38: a refusal says why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from zhengwu.cases.verbs import Ask
from zhengwu.catalog.queries import ItemVersionRow
from zhengwu.domain.refusal import Refusal

MATERIAL = "material-"  # before the code of a material in the name of a form's field
BASIS = "basis"
ARTICLE = "行政许可法 第三十一条；优化营商环境条例 第三十五条"


class NotListed(Refusal):
    """Asked for outside the published guide (列表外索要). asked: what it does not list."""

    def __init__(
        self, code: str, sentence: str, *, article: str, field: str, asked: Iterable[str]
    ) -> None:
        super().__init__(code, sentence, article=article, field=field)
        self.asked = tuple(asked)


def not_listed(asked: Iterable[str], *, field: str) -> NotListed:
    """The refusal of materials that the guide does not list."""
    return NotListed(
        "case.material_not_listed",
        "只能收取办事指南列明的材料，不得要求提供与申请无关的材料。",
        article=ARTICLE,
        field=field,
        asked=asked,
    )


def only_listed(form: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse a form that names a material whose code is not among those the version lists."""
    named = [name.removeprefix(MATERIAL) for name in form if name.startswith(MATERIAL)]
    if outside := [code for code in named if code not in known]:
        raise not_listed(outside, field=f"{MATERIAL}{outside[0]}")


def of(item: ItemVersionRow) -> tuple[tuple[str, str], ...]:
    """The grounds that a version offers, by code: its conditions by number, its materials, its
    basis in law."""
    return (
        *((f"condition:{n}", f"受理条件第 {n} 项：{said}")
          for n, said in enumerate(item.conditions, 1)),
        *((f"material:{one.code}", f"材料不符合要求：{one.name}") for one in item.materials),
        (BASIS, f"设定依据：{item.basis or '见办事指南'}"),
    )  # fmt: skip


def asked(item: ItemVersionRow, zh: str) -> tuple[Ask, ...]:
    """The field of a form in which they are ticked."""
    return (Ask("grounds", zh, "several", choices=of(item)),)


def chosen(form: Mapping[str, str], item: ItemVersionRow, *, article: str) -> tuple[str, ...]:
    """The grounds ticked in a form, parted by commas, in the order of the guide. Raises Refusal:
    at least one, and none that the version does not have.
    """
    typed = [one.strip() for one in form.get("grounds", "").split(",") if one.strip()]
    offered = [code for code, _ in of(item)]
    if outside := [one for one in typed if one not in offered]:
        raise NotListed(
            "case.ground_not_listed",
            "只能以办事指南列明的受理条件、材料或者设定依据为根据，不得增设条件。请从列表中选择。",
            article="优化营商环境条例 第三十五条",
            field="grounds",
            asked=outside,
        )
    if not typed:
        raise Refusal(
            "case.no_ground",
            "请选择根据的是办事指南列明的哪一项条件、材料或者设定依据。",
            article=article,
            field="grounds",
        )
    return tuple(code for code in offered if code in typed)


def printed(grounds: Sequence[str], item: ItemVersionRow, reasons: str) -> str:
    """The reasons as a paper says them: what they rest on first."""
    words = dict(of(item))
    return f"根据办事指南（第 {item.version} 版）的{'；'.join(words[one] for one in grounds)}。{reasons}"
