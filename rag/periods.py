"""Find periods of time in a question: "in 2023", "before March 2022", "between 2021 and 2023", "recently".

Tells where they stand and what they mean; whether one is about the writing of comments is for questions.py to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dateutil.relativedelta import relativedelta

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH_NUMBER = {name[:length]: number for number, name in enumerate(_MONTHS, 1) for length in (3, len(name))} | {
    "sept": 9
}
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
_YEAR = r"(?:19|20)\d\d"
_UNIT = r"(?:day|week|month|quarter|year)"
_POINT = (
    rf"(?:{_YEAR}-\d\d?-\d\d?|{_YEAR}-\d\d(?!\d)"
    rf"|\d\d?(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}|{_MONTH}\s+\d\d?(?:st|nd|rd|th)?,?\s+{_YEAR}"
    rf"|{_MONTH},?\s+(?:of\s+)?{_YEAR}|{_YEAR}(?!\d)|{_MONTH}(?![a-z])"
    rf"|(?:last|this|the\s+(?:last|past|previous))\s+{_UNIT}|yesterday|today)"
)
_PHRASES = [
    ("between", re.compile(rf"\b(?:between|from)\s+({_POINT})\s+(?:and|to|until|till|through|-|–)\s+({_POINT})", re.I)),
    ("span", re.compile(rf"\b(?:in\s+|during\s+)?({_YEAR})\s*(?:-|–|to)\s*({_YEAR})\b", re.I)),
    ("since", re.compile(rf"\b(?:since|after|starting\s+in)\s+({_POINT})", re.I)),
    ("since", re.compile(rf"\bfrom\s+({_POINT})\s+(?:onwards?\b|on(?=\W*$|,))", re.I)),
    ("until", re.compile(rf"\b(?:before|until|till|up\s+to|prior\s+to|by)\s+(?:the\s+end\s+of\s+)?({_POINT})", re.I)),
    (
        "window",
        re.compile(
            rf"\b(?:in|over|during|within)\s+the\s+(?:last|past)\s+(?:(\d+|a|few|couple\s+of|two|three|four|five|six|ten|twelve)\s+)?({_UNIT})s?\b",
            re.I,
        ),
    ),
    ("during", re.compile(rf"\b(?:in|during|on|throughout|from)\s+(?:early\s+|late\s+|mid-?\s*)?({_POINT})", re.I)),
    ("during", re.compile(rf"\b(last\s+{_UNIT}|this\s+{_UNIT}|yesterday|today)\b", re.I)),
    ("recent", re.compile(r"\b(?:recently|lately|these\s+days|most\s+recent(?:ly)?|newest|latest)\b", re.I)),
]
_NUMBERS = {
    "a": 1,
    "two": 2,
    "couple of": 2,
    "few": 3,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "ten": 10,
    "twelve": 12,
}
RECENT = relativedelta(months=12)


@dataclass(frozen=True, slots=True)
class Period:
    """A period named in a text: `text[start:end]`."""

    start: int
    end: int
    since: datetime | None
    until: datetime | None
    preposition: str


def periods(text: str, now: datetime) -> Iterator[Period]:
    """Periods named in a text, in reading order, without overlaps."""
    found: list[Period] = []
    for kind, pattern in _PHRASES:
        for match in pattern.finditer(text):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            bounds = _bounds(kind, match, now)
            if bounds:
                preposition = match.group().split()[0].casefold()
                found.append(Period(match.start(), match.end(), *bounds, preposition))
    yield from sorted(found, key=lambda period: period.start)


def _bounds(kind: str, match: re.Match[str], now: datetime) -> tuple[datetime | None, datetime | None] | None:
    if kind == "recent":
        return now - RECENT, None
    if kind == "window":
        number, unit = match.groups()
        count = (
            int(number) if number and number.isdigit() else _NUMBERS.get(" ".join((number or "a").lower().split()), 1)
        )
        return now - _length(unit, count), None
    points = [_point(group, now) for group in match.groups()]
    if any(point is None for point in points):
        return None
    (first, last), *rest = points
    if kind in ("between", "span"):
        return first, rest[0][1]
    if kind == "since":
        excluded = match.group().casefold().startswith("after")
        return (last + timedelta(microseconds=1) if excluded else first), None
    if kind == "until":
        included = not match.group().casefold().startswith(("before", "prior"))
        return None, (last if included else first - timedelta(microseconds=1))
    return first, last


def _length(unit: str, count: int) -> relativedelta:
    unit = unit.casefold()
    return relativedelta(months=3 * count) if unit == "quarter" else relativedelta(**{f"{unit}s": count})


def _point(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    """First and last moment of a day, month, year or relative unit; None if there is no such date."""
    text = re.sub(r"\s+", " ", text.casefold().replace(",", " ").replace(".", " ")).strip()
    relative = re.fullmatch(rf"(?:the )?(last|this|past|previous) ({_UNIT})", text)
    if relative:
        return _relative(relative[1], relative[2], now)
    if text in ("today", "yesterday"):
        day = now - timedelta(days=text == "yesterday")
        return _whole(day.year, day.month, day.day)
    year = re.search(_YEAR, text)
    month = next((number for name, number in _MONTH_NUMBER.items() if re.search(rf"\b{name}\b", text)), None)
    numbers = re.fullmatch(rf"({_YEAR})-(\d\d?)(?:-(\d\d?))?", text)
    if numbers:
        return _whole(int(numbers[1]), int(numbers[2]), int(numbers[3]) if numbers[3] else None)
    if month is None:
        return _whole(int(year.group())) if year else None
    day = re.search(r"\b(\d\d?)(?:st|nd|rd|th)?\b", text)
    if not year:
        return _whole(now.year if month <= now.month else now.year - 1, month)
    return _whole(int(year.group()), month, int(day[1]) if day else None)


def _relative(which: str, unit: str, now: datetime) -> tuple[datetime, datetime]:
    back = 0 if which == "this" else 1
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": day.replace(day=1) - relativedelta(months=(day.month - 1) % 3),
        "year": day.replace(month=1, day=1),
    }[unit]
    first = start - _length(unit, back) if back else start
    return first, first + _length(unit, 1) - timedelta(microseconds=1)


def _whole(year: int, month: int | None = None, day: int | None = None) -> tuple[datetime, datetime] | None:
    try:
        first = datetime(year, month or 1, day or 1, tzinfo=UTC)
    except ValueError:
        return None
    length = relativedelta(days=1) if day else relativedelta(months=1) if month else relativedelta(years=1)
    return first, first + length - timedelta(microseconds=1)
