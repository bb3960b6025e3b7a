"""One catalogue on three levels: what a version says itself, forms, changes, synonyms.

A version's columns become its elements (domain.guide). Its digest is computed anew, over the
elements; the one that stands in the log's event is over the columns of before and stays there.
"""

from typing import Any

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models


def _elements(one: Any) -> dict[str, Any]:
    """The elements that a version of the former shape says."""
    basis = one.basis
    limits = {
        code: {**raw, "basis": raw.get("basis") or fallback}
        for code, raw, fallback in (
            ("statutory", one.statutory, basis or "设定依据"),
            ("promised", one.promised, "办事指南承诺"),
        )
        if raw is not None
    }
    for raw in limits.values():
        if raw.get("roll", True):
            raw.pop("roll", None)
    charged = one.fee.strip() not in ("", "无")
    told = {
        "name": one.name,
        "type": one.type,
        "kind": one.kind,
        "basis": basis,
        **limits,
        "promised_is": one.promised_is,
        "materials": [{**m, "basis": basis} if basis else dict(m) for m in one.materials],
        "result": one.result,
        "fees": [{"name": one.fee, "standard": one.fee, "basis": basis}] if charged else [],
        "pay_first": one.pay_first or None,
        "note": one.note,
    }
    return {code: value for code, value in told.items() if value not in (None, "")}


def _steps(one: Any) -> list[dict[str, Any]]:
    made = []
    for raw in one.steps:
        step = {"code": raw["code"], "name": raw["name"], "role": raw["role"]}
        if raw.get("limit"):
            limit = {part: raw["limit"].get(part, "") for part in ("value", "unit", "basis")}
            step["limit"] = limit if raw["limit"].get("roll", True) else {**limit, "roll": False}
        if raw.get("after"):
            step["after"] = list(raw["after"])
        made.append(step)
    return made


def take_over(apps: Any, schema_editor: Any) -> None:
    from zhengwu.catalog import searching
    from zhengwu.domain import guide

    Version = apps.get_model("catalog", "ItemVersion")
    Item = apps.get_model("catalog", "Item")
    for item in Item.objects.all().iterator():
        latest = item.versions.order_by("-version").first()
        item.base, item.level = item.code, "implementation"
        item.region = latest.agency.partition("-")[0] if latest else "420100"
        item.save(update_fields=["base", "level", "region"])
    for one in Version.objects.select_related("item").iterator():
        own, steps = _elements(one), _steps(one)
        words = searching.words(one.name, one.item.code, one.item.base)
        one.own, one.steps = own, steps
        one.needle, one.search = words.needle, words.vector
        one.score = guide.completeness(own).score
        one.digest = guide.digest(
            {
                "agency": one.agency, "level": "implementation", "whole": own, "steps": steps,
                "retired": one.retired, "retired_on": str(one.retired_on or ""),
            }
        )  # fmt: skip
        one.save(update_fields=["own", "steps", "needle", "search", "score", "digest"])


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_pay_first")]
    operations = [
        migrations.AddField(
            "item",
            "base",
            models.CharField("同一事项", max_length=40, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            "item",
            "level",
            models.CharField("清单层级", max_length=16, default="implementation"),
            preserve_default=False,
        ),
        migrations.AddField(
            "item",
            "region",
            models.CharField("区域", max_length=12, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            "item", "generated", models.BooleanField("生成的演示事项", default=False)
        ),
        migrations.AddField(
            "itemversion",
            "above",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="below",
                to="catalog.itemversion",
            ),
        ),
        migrations.AddField(
            "itemversion", "own", models.JSONField("本级要素", default=dict), preserve_default=False
        ),
        migrations.AddField("itemversion", "root", models.BooleanField("代表事项", default=True)),
        migrations.AddField(
            "itemversion", "transition", models.BooleanField("过渡条款", default=False)
        ),
        migrations.AddField(
            "itemversion",
            "themes",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), default=list, size=None
            ),
        ),
        migrations.AddField(
            "itemversion",
            "targets",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), default=list, size=None
            ),
        ),
        migrations.AddField("itemversion", "score", models.SmallIntegerField("完整度", default=0)),
        migrations.AddField(
            "itemversion",
            "needle",
            models.TextField("查找用字", default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            "itemversion",
            "search",
            django.contrib.postgres.search.SearchVectorField("查找", default=""),
            preserve_default=False,
        ),
        migrations.AddField("itemversion", "change", models.UUIDField("变更", null=True)),
        migrations.AddField(
            "itemversion",
            "approved",
            models.CharField("批准文号", max_length=80, blank=True, default=""),
            preserve_default=False,
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
