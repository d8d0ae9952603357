"""Find periods of time in a question: "in 2023", "before March 2022", "in summer 2021 or 2022", "two years ago".

Tells where they stand and what they mean; whether one is about the writing of comments is for form.py to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dateutil.relativedelta import relativedelta

Span = tuple[datetime, datetime]
"""First and last moment."""

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The month in which each begins in the north."""
_NUMBERS = {
    word: number
    for number, words in enumerate(
        ["a an one", "two couple", "three few several", *"four five six seven eight nine ten eleven twelve".split()], 1
    )
    for word in words.split()
}
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
_YEAR = (
    r"(?:(?:19|20)\d\d)(?!\d|,\d|\s*%|\s+(?:words|characters|people|years|dollars|euros|pounds|metres|meters|miles)\b)"
)
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?!\d)"
_UNIT = r"(?:day|week|month|quarter|year|decade)"
_SEASON = rf"(?:{'|'.join(_SEASONS)})\b"
_NUMBER = rf"(?:\d{{1,3}}|(?:a\s+)?(?:couple(?:\s+of)?|few)|{'|'.join(_NUMBERS)})"
_QUARTERS = "first second third fourth last".split()
_PART = r"(?:early|mid|late|(?:the\s+)?(?:start|beginning|middle|end|first\s+half|second\s+half)\s+of)"
_POINT = (
    rf"(?:{_PART}[-\s]*)?(?:"
    rf"{_YEAR}[-/.]\d\d?[-/.]\d\d?|\d\d?[./-]\d\d?[./-]{_YEAR}|{_YEAR}[-–/]\d\d(?!\d)"
    rf"|(?:the\s+)?{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?|{_MONTH}\s+(?:the\s+)?{_DAY}(?:,?\s+{_YEAR})?"
    rf"|{_MONTH},?\s+(?:of\s+)?{_YEAR}|(?:the\s+)?{_SEASON}\s+(?:of\s+)?{_YEAR}(?:\s*[-–/]\s*(?:20)?\d\d(?!\d))?"
    rf"|Q[1-4](?:\s+of)?,?\s*{_YEAR}|{_YEAR}\s*Q[1-4]|(?:the\s+)?(?:{'|'.join(_QUARTERS)})\s+quarter\s+of\s+{_YEAR}"
    rf"|(?:the\s+)?(?:19|20)\d0s\b|the\s+['’]?[1-9]0s\b|(?:the\s+year\s+)?{_YEAR}|{_MONTH}(?![a-z])"
    rf"|(?:last|this|the\s+(?:last|past|previous))\s+(?:{_UNIT}\b|{_SEASON}|{_MONTH})|yesterday|today"
    rf"|{_NUMBER}\s+{_UNIT}s?\s+ago)"
)
_RELATIVE = re.compile(r"\b(?:last|this|past|previous|yesterday|today|ago)\b", re.I)
_LIST = rf"{_POINT}(?:(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or|as\s+well\s+as|compared\s+(?:to|with)|versus|vs\.?)\s+|\s*&\s*)(?:in\s+|during\s+)?{_POINT})*"
_TO = r"(?:\s*[-–—/]\s*|\s+(?:to|until|till|through)\s+)"
_START = r"(?<![-/.\w$€£#])"
_PHRASES = [
    ("span", re.compile(rf"\b(?:between|from)\s+({_POINT})(?:\s+and\s+|{_TO})({_POINT})", re.I)),
    ("span", re.compile(rf"{_START}(?:(?:in|during)\s+)?({_POINT}){_TO}({_POINT})(?!\w)", re.I)),
    ("since", re.compile(rf"\b(?:since|starting\s+in|(?:not?|never)\s+(?:before|earlier\s+than))\s+({_POINT})", re.I)),
    (
        "since",
        re.compile(rf"\b(?:from|in)\s+({_POINT})\s+(?:onwards?\b|on(?=\W*$|,)|(?:and|or)\s+(?:later|after)\b)", re.I),
    ),
    ("until", re.compile(rf"\b(?:not?|never)\s+(?:after|later\s+than)\s+({_POINT})", re.I)),
    ("until", re.compile(rf"\b(?:from|in)\s+({_POINT})\s+(?:and|or)\s+(?:earlier|before)\b", re.I)),
    ("after", re.compile(rf"\b(?:after|(?:later|newer)\s+than)\s+({_POINT})", re.I)),
    ("before", re.compile(rf"\b(?:before|prior\s+to|(?:earlier|older)\s+than)\s+({_POINT})", re.I)),
    ("before", re.compile(rf"\b(?:more\s+than|over)\s+({_NUMBER}\s+{_UNIT}s?\s+ago)", re.I)),
    ("before", re.compile(rf"\bpre-({_POINT})", re.I)),
    ("after", re.compile(rf"\bpost-({_POINT})", re.I)),
    ("until", re.compile(rf"\b(?:until|till|up\s+to|as\s+of|by)\s+({_POINT})", re.I)),
    (
        "window",
        re.compile(rf"\b(?:in|over|during|within)\s+the\s+(?:last|past)\s+(?:({_NUMBER})\s+)?({_UNIT})s?\b", re.I),
    ),
    ("window", re.compile(rf"\bin\s+(?:the\s+(?:most\s+)?)?recent\s+(few\s+)?({_UNIT})s\b", re.I)),
    (
        "during",
        re.compile(
            rf"\b(?:back\s+)?(?:in|during|on|at|around|throughout|from|(?<=comments\s)of|(?<=posts\s)of)\s+(?:all\s+(?:of\s+)?|the\s+whole\s+of\s+)?({_LIST})",
            re.I,
        ),
    ),
    ("bare", re.compile(rf"{_START}({_LIST})(?![-/.]?\w)", re.I)),
    ("recent", re.compile(r"\b(?:(?<!\bmost\s)recently|lately|these\s+days|nowadays)\b", re.I)),
]
_VAGUE = re.compile(r"\b(?:recent(?:ly)?|lately|these\s+days|nowadays)\b", re.I)
RECENT = relativedelta(months=12)
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A period named in a text: `text[start:end]`."""

    start: int
    end: int
    since: datetime | None
    until: datetime | None
    preposition: str
    """Its first word; a date alone has none."""
    times: tuple[Span, ...] = ()
    """Where it is several times apart, such as "2021 and 2024": these, `since` and `until` being the ends of all."""


def periods(text: str, now: datetime) -> Iterator[Period]:
    """Periods named in a text, in reading order, without overlaps."""
    found: list[Period] = []
    for kind, pattern in _PHRASES:
        for match in pattern.finditer(text):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            try:
                times = _times(kind, match, now)
            except (ValueError, OverflowError):  # "300 decades ago" is before the calendar
                continue
            if times:
                first = match.group().split()[0].casefold()
                alone = kind in ("bare", "span") and not _RELATIVE.search(match.group())
                preposition = "" if alone and first not in ("in", "during", "from", "between") else first
                apart = times if len(times) > 1 else ()
                found.append(Period(*match.span(), times[0][0], times[-1][1], preposition, apart))
    yield from sorted(found, key=lambda period: period.start)


def is_vague(period: str) -> bool:
    """Whether the words of a period leave open when it begins: "recently", "in recent years"."""
    return bool(_VAGUE.search(period))


def _times(kind: str, match: re.Match[str], now: datetime) -> tuple[tuple[datetime | None, datetime | None], ...]:
    """What a phrase means, in order of time, none touching the next; empty if there is no such date."""
    if kind == "recent":
        return ((now - RECENT, None),)
    if kind == "window":
        return (
            (now - _length(match[2], _count(match[1] or ("few" if "recent" in match[0].casefold() else "a"))), None),
        )
    if kind == "bare" and not re.search(_YEAR, match.group()) and not _RELATIVE.search(match.group()):
        return ()  # "may", "march"
    if kind == "span" and re.fullmatch(_POINT, match.group(), re.I):
        kind = "during"  # "winter 2021-2022"
        meant = [_point(match.group(), now)]
    else:
        meant = _points([name for group in match.groups() for name in re.findall(_POINT, group, re.I)], now)
    if not all(meant):
        return ()
    every = sorted(span for spans in meant for span in spans)
    if kind == "span":
        return ((meant[0][0][0], meant[-1][-1][1]),)
    # What may mean one of two times is taken so that neither is lost.
    if kind in ("since", "after"):
        return ((every[0][0] if kind == "since" else every[0][1] + _MOMENT, None),)
    if kind in ("before", "until"):
        return ((None, every[-1][0] - _MOMENT if kind == "before" else every[-1][1]),)
    return _merged(every)


def _points(names: Sequence[str], now: datetime) -> list[list[Span]]:
    """What points in time named together mean: "March and April 2021" are of one year, and "November to March" of two."""
    last = re.search(_YEAR, names[-1])
    meant = [_point(names[-1], now)]
    for name in reversed(names[:-1]):
        alone = not re.search(rf"{_YEAR}|\d0s", name) and not _RELATIVE.search(name)
        spans = _point(f"{name} {last.group()}" if alone and last else name, now)
        if alone and spans and meant[0] and spans[0][0] > meant[0][0][0]:
            spans = [(start - relativedelta(years=1), end - relativedelta(years=1)) for start, end in spans]
        meant.insert(0, spans)
    return meant


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Times in order, those that touch each other joined."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1] + _MOMENT:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _count(number: str) -> int:
    word = re.sub(r"^a\s+(?=\w)|\s+of$", "", number.casefold().strip())
    return int(word) if word.isdigit() else _NUMBERS[word]


def _length(unit: str, count: int) -> relativedelta:
    unit = unit.casefold()
    if unit in ("quarter", "decade"):
        return relativedelta(months=3 * count) if unit == "quarter" else relativedelta(years=10 * count)
    return relativedelta(**{f"{unit}s": count})


def _point(text: str, now: datetime) -> list[Span]:
    """What one point in time may mean, in order of time; empty if there is no such date."""
    text = re.sub(r"\s+", " ", text.casefold().replace(",", " ")).strip()
    if part := re.match(rf"{_PART}[-\s]*", text):
        return [_part(part.group().strip(" -"), *span) for span in _point(text[part.end() :], now)]
    text = re.sub(r"^the (?:year )?", "", text)
    return [span for span in (_ago(text, now) or _relative(text, now) or _numeric(text) or _named(text, now)) if span]


def _part(part: str, first: datetime, last: datetime) -> Span:
    """The first, the middle or the second half: people mean no sharp border by "early"."""
    length = last + _MOMENT - first
    if part == "mid" or "middle" in part:
        return first + length / 4, last - length / 4
    if part == "late" or "end of" in part or "second" in part:
        return first + length / 2, last
    return first, first + length / 2 - _MOMENT


def _ago(text: str, now: datetime) -> list[Span | None]:
    """ "Two years ago", give or take half a year."""
    match = re.fullmatch(rf"({_NUMBER}) ({_UNIT})s? ago", text)
    if not match:
        return []
    then = now - _length(match[2], _count(match[1]))
    half = (now - (now - _length(match[2], 1))) / 2 if match[2] != "day" else timedelta()
    return [(_day(then - half), min(now, _day(then + half) + timedelta(days=1) - _MOMENT))]


def _relative(text: str, now: datetime) -> list[Span | None]:
    if text in ("today", "yesterday"):
        day = now - timedelta(days=text == "yesterday")
        return [_whole(day.year, day.month, day.day)]
    match = re.fullmatch(rf"(?:the )?(last|this|past|previous) ({_UNIT}|\w+)", text)
    if not match:
        return []
    back = 0 if match[1] == "this" else 1
    unit = match[2]
    if not re.fullmatch(_UNIT, unit):  # the newest such month or season that is over, or at least has begun
        spans = [
            span for year in (now.year, now.year - 1, now.year - 2) for span in reversed(_named(f"{unit} {year}", now))
        ]
        return [next((span for span in spans if span and span[back] <= now), None)]
    day = _day(now)
    start = {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": day.replace(day=1) - relativedelta(months=(day.month - 1) % 3),
        "year": day.replace(month=1, day=1),
        "decade": day.replace(year=day.year - day.year % 10, month=1, day=1),
    }[unit]
    first = start - _length(unit, back) if back else start
    return [(first, first + _length(unit, 1) - _MOMENT)]


def _numeric(text: str) -> list[Span | None]:
    """Dates in numbers; of "3/4/2021" it cannot be told which is the month."""
    if match := re.fullmatch(rf"({_YEAR})[-/.](\d\d?)[-/.](\d\d?)", text):
        return [_whole(*map(int, match.groups()))]
    if match := re.fullmatch(rf"({_YEAR})([-–/])(\d\d)", text):
        first, other = int(match[1]), int(match[3])
        if match[2] == "-" and other <= 12:
            return [_whole(first, other)]
        last = first - first % 100 + other  # "2021/22"
        return [(_whole(first)[0], _whole(last)[1])] if last > first else []
    if not (match := re.fullmatch(rf"(\d\d?)([./-])(\d\d?)[./-]({_YEAR})", text)):
        return []
    one, other, year = int(match[1]), int(match[3]), int(match[4])
    either = {_whole(year, other, one)} if match[2] == "." else {_whole(year, other, one), _whole(year, one, other)}
    return sorted(span for span in either if span)


def _named(text: str, now: datetime) -> list[Span | None]:
    """Years, decades, quarters, seasons, months and days with names."""
    if decade := re.fullmatch(r"['’]?(\d\d)?(\d0)s", text):
        century = int(decade[1]) if decade[1] else 19 if int(decade[2]) > now.year % 100 else 20
        return [(datetime(first := 100 * century + int(decade[2]), 1, 1, tzinfo=UTC), _whole(first + 9)[1])]
    found = re.search(_YEAR, text)
    year = int(found.group()) if found else None
    quarter = re.search(rf"\bq([1-4])|({'|'.join(_QUARTERS)}) quarter", text)
    if quarter and year:
        number = int(quarter[1] or min(_QUARTERS.index(quarter[2]) + 1, 4))
        return [(_whole(year, 3 * number - 2)[0], _whole(year, 3 * number)[1])]
    season = re.search(_SEASON, text)
    if season and year:
        # Some call a winter by the year it begins in, others by the one it ends in.
        both = season.group() == "winter" and not re.search(r"[-–/]", text)
        return [_season(year - 1, "winter"), _season(year, "winter")] if both else [_season(year, season.group())]
    month = re.search(rf"\b{_MONTH}", text)
    if not month:
        return [_whole(year)] if year else []
    number = _MONTHS.index(month.group()[:3]) + 1
    written = re.search(rf"(?<!\d)({_DAY})", text)
    day = int(re.sub(r"\D", "", written.group())) if written else None
    if year:
        return [_whole(year, number, day)]
    this = _whole(now.year, number, day)
    return [this if this and this[0] <= now else _whole(now.year - 1, number, day)]


def _season(year: int, name: str) -> Span:
    """Its three months; a winter begins in its year and ends in the next."""
    first = datetime(year, _SEASONS[name], 1, tzinfo=UTC)
    return first, first + relativedelta(months=3) - _MOMENT


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _whole(year: int, month: int | None = None, day: int | None = None) -> Span | None:
    try:
        first = datetime(year, month or 1, day or 1, tzinfo=UTC)
    except ValueError:
        return None
    length = relativedelta(days=1) if day else relativedelta(months=1) if month else relativedelta(years=1)
    return first, first + length - _MOMENT
