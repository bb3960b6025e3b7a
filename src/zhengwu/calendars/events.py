"""The calendar's one stream (历法): what was shipped, proposed, confirmed and declined.

Bodies: shipped {change}; proposed {change, reason: content}; confirmed and declined {version of
the proposal}; reprojected {edition, looked, moved}. A change is a notice, an overlay, a rule,
hours or after_hours; `domain.notices.check` says what it must look like.
"""

from __future__ import annotations

from uuid import UUID

from zhengwu.ledger.services import StreamKind

STREAM = "calendar"
STREAM_ID = UUID("0198f0a2-7c00-7ca1-8e4d-a65c1f3b2d70")  # one for the whole installation
CALENDAR = StreamKind(
    name=STREAM,
    events=frozenset({"shipped", "proposed", "declined", "confirmed", "reprojected"}),
)
