"""When things happen (时刻): days by number, minutes of the day, microseconds of the log."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

DAY = 86_400_000_000  # microseconds
MINUTE = 60_000_000
SHANGHAI = 8 * 60 * MINUTE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
MORNING, NOON, BACK, EVENING = 9 * 60, 12 * 60, 14 * 60, 17 * 60  # minutes; shut at lunch
LAST = EVENING - 5  # nothing is begun after that
OFFICE = NOON - MORNING + EVENING - BACK

_days: dict[int, str] = {}
_seconds: dict[int, str] = {}


def micro(day: int, minute: float) -> int:
    """Microseconds since 1970 of a minute in Shanghai of a day (an ordinal)."""
    return (day - EPOCH_DAY) * DAY + round(minute * MINUTE) - SHANGHAI


def day_of(at: int) -> int:
    """The day in Shanghai (an ordinal) of an instant."""
    return (at + SHANGHAI) // DAY + EPOCH_DAY


def moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


def since_epoch(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def text(at: int) -> str:
    """As the canonical bytes write it: UTC, six decimals, Z."""
    day, rest = divmod(at, DAY)
    known = _days.get(day)
    if known is None:
        known = _days[day] = date.fromordinal(EPOCH_DAY + day).isoformat()
    seconds, parts = divmod(rest, 1_000_000)
    clock = _seconds.get(seconds)
    if clock is None:
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        clock = _seconds[seconds] = f"{hour:02d}:{minute:02d}:{second:02d}"
    return f"{known}T{clock}.{parts:06d}Z"


def in_office(share: float) -> float:
    """The minute of the day at a share (0 to 1) of the office hours; never at lunch."""
    minute = MORNING + share * (OFFICE - 10)
    return minute if minute < NOON else minute + BACK - NOON


def afterwards(minute: float, more: float) -> float:
    """So many office minutes later the same day; LAST at the most, and not earlier."""
    then = minute + more
    if minute < NOON <= then:
        then += BACK - NOON
    elif NOON <= then < BACK:
        then = BACK + more
    return max(minute, min(then, LAST))
