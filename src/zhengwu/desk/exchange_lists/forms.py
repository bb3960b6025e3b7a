"""The form for sending a list in (导入清单)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from zhengwu.domain.guide import LISTS_ZH
from zhengwu.web.forms import Form

MOST_MB = 20
Choices = Sequence[tuple[str, str]]


class UploadForm(Form):
    """A file, and what holds for rows that do not say it."""

    file = forms.FileField(label="清单文件", allow_empty_file=True, max_length=200)
    region = forms.ChoiceField(label="没有写区域的行", required=False)
    level = forms.ChoiceField(label="没有写清单层级的行")

    def __init__(
        self, regions: Choices, data: QueryDict | dict[str, Any] | None = None, files: Any = None
    ) -> None:
        super().__init__(data if isinstance(data, QueryDict) else None, files=files)
        if isinstance(data, dict):
            self.initial = data
        self.fields["region"].choices = [("", "看实施机关在哪里"), *regions]  # type: ignore[attr-defined]
        self.fields["level"].choices = [(str(one), zh) for one, zh in LISTS_ZH.items()]  # type: ignore[attr-defined]
        for name in ("region", "level"):
            self.fields[name].error_messages["invalid_choice"] = (
                f"请从列表里选择{self.fields[name].label}。"
            )
        self.fields["file"].error_messages |= {
            "required": "请选择清单文件。",
            "invalid": "没有收到文件。请重新选择。",
            "max_length": "文件名太长。请改短以后再上传。",
        }

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_MB << 20:
            raise forms.ValidationError(
                f"文件超过 {MOST_MB} MB。请分成几个文件；更大的清单请操作员用命令导入。"
            )
        return file
