"""Finished pages of the public (公众页面缓存): zhengwu.web.kept, by the name its users know."""

from __future__ import annotations

from zhengwu.web.kept import FRESH, Answer, Kept

__all__ = ["FRESH", "Answer", "Kept"]
