"""One row of an export (a mapping of columns): its fields, each of the right type, and what is wrong with the others."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from ingest.marked_quotes import others_words
from ingest.sources.base import GONE, UNPRINTABLE, Markup, Problem
from ingest.sources.column_names import as_option, columns_like_ours
from ingest.sources.dates import moment
from ingest.sources.html_in_text import as_markdown
from rag.errors import SourceError
from rag.language.letters import LONE_SURROGATE, whole

COLUMNS = ("id", "author", "text", "html", "url", "posted_at", "parent_id", "karma", "thread_id", "title", "seen_at")
"""What a row can say; `html` is read where there is no `text`. All other columns go into `RawDocument.extra`."""
_IDS = ("id", "parent_id", "thread_id")
_WORDS = ("text", "html")
_NOTHING = frozenset(("nan", "NaN", "NaT", "None", "NULL", "null", "<NA>", "N/A", "0000-00-00 00:00:00"))
"""What programs write where nothing is; of a text, these may be the words."""
LONGEST_NAME = 300
"""Characters of an id, an author or a title; anything longer is something else in the wrong column."""
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,6}|#x[\da-f]{2,5});", re.IGNORECASE)
"""In a name or a title as exports of web pages write them: "R&amp;D"."""
DEEPEST = 32
"""Levels that the values of further columns may be nested."""
_DELETED = ("deleted", "isDeleted", "is_deleted", "spam", "isSpam", "is_spam")
_TYPED = ("$oid", "$date", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal")
"""Names under which MongoDB's exports put a value that has a type:
https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/"""
_PIECES = re.compile(r'\s*\{\s*"text"\s*:')
_WHOLE = re.compile(r"(\d+)\.0")


class Row:
    """One row while it is read: hands out fields of the right type and collects what is wrong with the others."""

    def __init__(
        self, values: Mapping[str, Any], line: int | None, columns: Mapping[str, str], *, is_markdown: bool = False
    ) -> None:
        self.values = values
        self.line = line
        self.columns = columns
        self.is_markdown = is_markdown
        """Whether its text is known to be markdown, and is not looked at for HTML."""
        self.problems: list[Problem] = []

    def name(self, column: str) -> str | None:
        """A short text on one line: an id, an author, a title."""
        value = self._value(column)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            value = _numeral(value)
        elif column in _IDS and isinstance(value, str) and (number := _WHOLE.fullmatch(value.strip())):
            # A column of numbers in which some were missing is one of fractions in many tables.
            value = number[1]
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if not isinstance(value, str):
            self.wrong(column, f"is {kind_of(value)}", self._way_inside(column, value))
            return None
        if len(value) > LONGEST_NAME:
            self.wrong(column, f"is {len(value):,} characters long", f"Give at most {LONGEST_NAME}")
            return None
        if column not in _IDS:
            value = _ENTITY.sub(lambda entity: unescape(entity[0]), value)
        return " ".join(UNPRINTABLE.sub(" ", value).split()) or None

    def text(self, column: str) -> str | None:
        """The text exactly as it is; half characters, which no file can hold, become U+FFFD."""
        value = _joined(self._value(column))
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(column, f"is {kind_of(value)}", self._way_inside(column, value))
            return None
        if halves := len(LONE_SURROGATE.findall(value)):
            what = f"has half characters (lone surrogates): {halves}, read as \ufffd"
            self.wrong(column, what, "Export it again as UTF-8")
        return whole(value)

    def link(self, column: str) -> str | None:
        """A web address."""
        value = self._value(column)
        if value is None or value == "":
            return None
        try:
            parts = urlsplit(value.strip()) if isinstance(value, str) else None
            if parts and parts.scheme in ("http", "https") and parts.netloc and not UNPRINTABLE.search(value.strip()):
                return value.strip()
        except ValueError:
            pass
        self.wrong(column, f"is no web address: {shortened(value)}", "Give http:// or https:// and the rest")
        return None

    def number(self, column: str) -> float | None:
        """A finite number."""
        value = self._value(column)
        if value is None or value == "":
            return None
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
        self.wrong(column, f"is no number: {shortened(value)}", "Give a number, or leave it empty")
        return None

    def date(self, column: str) -> datetime | None:
        """A point in time, in UTC: ISO 8601, RFC 2822, or seconds, milli-, micro- or nanoseconds since 1970."""
        value = self._value(column)
        if value is None or value == "":
            return None
        try:
            found = moment(value)
        except (TypeError, ValueError, OverflowError, OSError, ArithmeticError):
            self.wrong(column, f"is no date: {shortened(value)}", "Write it as 2024-05-31T12:00:00Z")
            return None
        if found > datetime.now(UTC) + timedelta(days=2):
            self.wrong(column, f"lies in the future: {shortened(value)}", "Correct it, or leave it empty")
            return None
        return found

    def is_gone(self, column: str) -> bool:
        """Whether the export says that what stood here was deleted."""
        value = self._value(column)
        return isinstance(value, str) and value.strip() in GONE

    @property
    def is_deleted(self) -> bool:
        """Whether the export says that the row was deleted, or is spam, though its text may still be there."""
        said = [self.values[name] for name in _DELETED if name in self.values]
        return self.is_gone("text") or any(value is True or str(value).lower() in ("true", "1") for value in said)

    @property
    def says_something(self) -> bool:
        """Whether it has a text."""
        return bool(self._value("text") or self._value("html"))

    @property
    def has_text_column(self) -> bool:
        """Whether its text has a place, be it empty; an object in it is a column of a table."""
        return any(self.has(name) and not isinstance(self._value(name), Mapping) for name in _WORDS)

    def below(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """A row that stands inside this one, with what it need not say again: what it answers, and where."""
        id, thread = self._value("id"), self._value("thread_id")
        told = {"title": self._value("title"), "thread_id": thread}
        told |= {"parent_id": id} if self.says_something else {} if thread else {"thread_id": id}
        inner = Row(values, self.line, self.columns)
        missing = {name: value for name, value in told.items() if value is not None and inner._value(name) is None}
        return {**values, **{self.columns.get(name, name): value for name, value in missing.items()}}

    def has(self, column: str) -> bool:
        """Whether the row has this column, be it empty."""
        path = self.columns.get(column, column)
        return path in self.values or self._value(column) is not None

    def extra(self) -> dict[str, Any]:
        """All columns that were not asked for, as plain data."""
        used = {self.columns.get(name, name) for name in COLUMNS}
        rest = {key: value for key, value in self.values.items() if key not in used}
        for path in used:
            if "." in path and path not in self.values:
                rest = _without(rest, path.split("."))
        kept = {}
        for key, value in rest.items():
            try:
                kept[whole(str(key))] = _plain(value, DEEPEST)
            except RecursionError:
                self.wrong(str(key), f"is nested more than {DEEPEST} levels deep", "Leave that column out")
        return kept

    def _value(self, column: str) -> Any:
        path = self.columns.get(column, column)
        value = self.values.get(path)
        if value is None and "." in path:
            value = self._inside(path.split("."))
        while isinstance(value, Mapping) and len(value) == 1 and (typed := next(iter(value))) in _TYPED:
            value = value[typed]
        if isinstance(value, bytes):
            # Parquet has texts that are not marked as such.
            with suppress(UnicodeDecodeError):
                return value.decode("utf-8")
        # What many tables have where nothing is.
        is_nothing = isinstance(value, float) and math.isnan(value)
        is_nothing = is_nothing or (column not in _WORDS and isinstance(value, str) and value in _NOTHING)
        return None if is_nothing else value

    def _inside(self, path: list[str]) -> Any:
        value: Any = self.values
        for part in path:
            if isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                return None
        return value

    def _way_inside(self, column: str, value: Any) -> str:
        path = self.columns.get(column, column)
        inside = columns_like_ours({path: value}).get(column) if isinstance(value, Mapping) else None
        return f"With {as_option({column: inside})} the one inside it is read" if inside else "Give a text"

    def wrong(self, column: str, what: str, fix: str) -> None:
        """Note that a field cannot be used as it is."""
        path = shortened(self.columns.get(column, column))
        self.problems.append(Problem("", self.line, f"{path} {what}.", f"{fix}."))


def markup_of(row: Row) -> Markup | None:
    text = row.text("text")
    if text and text.strip("\0\ufeff\u200b \t\r\n"):
        converted = None if row.is_markdown else as_markdown(text)
        return converted if converted and converted.text else Markup(text, others_words(text))
    html = row.text("html")
    if not html:
        return None
    from ingest.sources.markup import markdown

    try:
        converted = markdown(html)
    except SourceError:
        row.wrong("html", "is nested too deep to be read", "Give its text")
        return None
    return converted if converted.text else None


def _joined(value: Any) -> Any:
    """A text that comes in pieces, some of them objects with a text: as Telegram has links, and Google all."""
    if isinstance(value, str) and _PIECES.match(value):
        with suppress(ValueError, RecursionError):
            return _joined(json.loads(f"[{value}]"))
    if not isinstance(value, list) or not any(isinstance(piece, Mapping) for piece in value):
        return value
    texts = [piece.get("text") if isinstance(piece, Mapping) else piece for piece in value]
    return "".join(texts) if all(isinstance(text, str) for text in texts) else value


def _numeral(value: float | Decimal) -> Any:
    """A number as text, without a point where it is whole; infinite ones, and those of thousands of digits, stay."""
    try:
        return str(int(value)) if value == int(value) else str(value)
    except (ValueError, ArithmeticError):
        return value


def _plain(value: Any, levels: int) -> Any:
    if levels == 0:
        raise RecursionError
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, Mapping):
        return {whole(str(key)): _plain(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, levels - 1) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else str(value)


def _without(values: Mapping[str, Any], path: list[str]) -> dict[str, Any]:
    head, rest = path[0], path[1:]
    if not rest:
        return {key: value for key, value in values.items() if key != head}
    inner = values.get(head)
    return {**values, head: _without(inner, rest)} if isinstance(inner, Mapping) else dict(values)


def kind_of(value: Any) -> str:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return "a number"
    if isinstance(value, Mapping):
        return "an object"
    names = {type(None): "null", bool: "true or false", list: "a list", str: "a text"}
    return names.get(type(value), type(value).__name__)


def shortened(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value) if isinstance(value, int | float) else kind_of(value)
    text = UNPRINTABLE.sub("\ufffd", text[:60])
    return f"{text[:57]}..." if len(text) > 57 else text
