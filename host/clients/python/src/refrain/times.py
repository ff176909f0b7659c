"""Times as logs have them: milliseconds since 1970, written as RFC 3339 in UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

#: The last millisecond of the year 9999: no later one can be written as text.
WRITTEN_MAX = 253_402_300_799_999

_WRITTEN = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3})Z"
)
_START = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


def written(time: int) -> str | None:
    """The time as text, such as `2026-01-01T00:00:00.000Z`. `None` if it is after the
    year 9999."""
    if not 0 <= time <= WRITTEN_MAX:
        return None
    seconds, milliseconds = divmod(time, 1000)
    moment = _START + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"


@lru_cache(maxsize=64)
def read(text: str) -> int | None:
    """The time that is written so. `None` for any other spelling."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, millisecond = map(int, found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    time = (moment - _START) // _MILLISECOND + millisecond
    return time if time >= 0 else None


def exact_span(milliseconds: int) -> str:
    """A span without rounding: `5 s`, `1500 ms`."""
    if milliseconds % 1000 == 0:
        return f"{milliseconds // 1000} s"
    return f"{milliseconds} ms"
