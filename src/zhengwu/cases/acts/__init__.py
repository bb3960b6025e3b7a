"""The acts of a case by who does them (办理动作); the table of the law is `domain.lifecycle`."""

from __future__ import annotations

from zhengwu.cases.acts import deciding, handling, mending, window
from zhengwu.cases.verbs import Verb

VERBS: dict[str, Verb] = {
    verb.kind: verb for verb in (*window.VERBS, *handling.VERBS, *deciding.VERBS, *mending.VERBS)
}
UNDO = mending.UNDO
