"""Points in time as exports, browsers and people write them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

_NUMBER = re.compile(r"[+-]?\d{1,19}(\.\d+)?")
_CLOCK = re.compile(r"\b(\d{1,2})((?::\d\d){0,2}) ?([ap])\.?m\b\.?", re.IGNORECASE)
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_DOTTED = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
"""31.5.2024: whoever writes dots puts the day first, unlike with slashes."""
_SLASHED = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})\b")
"""31/5/2024 or 5/31/2024: which is the day shows only where it is above 12."""
_YEAR_FIRST = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b")
_WEEKDAY = re.compile(r"^(?:mon|tues|wednes|thurs|fri|satur|sun)day,? ", re.IGNORECASE)
_MONTH_NAMED = re.compile(r"^(\d{1,2})-([A-Za-z]{3,9})-(\d{4})\b")
_ZONE = re.compile(r"\b(?:GMT|UTC)(?=[+-]\d)")


def moment(value: Any) -> datetime:
    """A point in time, in UTC: ISO 8601, RFC 2822, or seconds, milli-, micro- or nanoseconds since 1970.

    Raises:
        TypeError, ValueError, OverflowError, OSError, ArithmeticError: It is none.
    """
    if isinstance(value, bool):
        raise TypeError(value)
    if isinstance(value, str):
        text = value.strip()
        value = float(text) if _NUMBER.fullmatch(text) else _written(text)
    if isinstance(value, int | float | Decimal):
        value = _since_1970(float(value))
    if not isinstance(value, datetime):
        if not isinstance(value, date):
            raise TypeError(value)
        value = datetime(value.year, value.month, value.day)
    found = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if found.year == 1:
        # With .NET, no date at all.
        raise ValueError(value)
    return found


def _since_1970(number: float) -> datetime:
    """Seconds, or what is smaller by thousands; a number too small for a forum's time is a day such as 20240531."""
    if not abs(number) < 1e20:
        raise ValueError(number)
    if abs(number) < 1e8:
        day = f"{number:.0f}"
        if len(day) != 8:
            # `strptime` would read 202411 as the first of January.
            raise ValueError(number)
        return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    while abs(number) >= 1e11:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


def _written(text: str) -> datetime:
    """ISO 8601, or as mails, browsers and people write it: "May 31, 2024 4:30 PM", "31.5.2024 16:30"."""
    text = _DOTTED.sub(lambda day: f"{day[3]}-{int(day[2]):02}-{int(day[1]):02}", text)
    text = _SLASHED.sub(_of_slashes, text)
    text = _YEAR_FIRST.sub(lambda day: f"{day[1]}-{int(day[2]):02}-{int(day[3]):02}", text)
    text = _MONTH_NAMED.sub(r"\1 \2 \3", _WEEKDAY.sub("", text)).replace(" at ", " ")
    text = _CLOCK.sub(_of_24_hours, text.removesuffix(" UTC"))
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    text = _ZONE.sub("", _ORDINAL.sub("", text))
    return parsedate_to_datetime(text if ":" in text else f"{text} 00:00")


def _of_slashes(day: re.Match[str]) -> str:
    first, second = int(day[1]), int(day[2])
    if (first > 12) == (second > 12):
        return day[0]
    month, number = (second, first) if first > 12 else (first, second)
    return f"{day[3]}-{month:02}-{number:02}"


def _of_24_hours(clock: re.Match[str]) -> str:
    hour = int(clock[1]) % 12 + 12 * (clock[3].lower() == "p")
    return f"{hour:02}{clock[2] or ':00'}"
