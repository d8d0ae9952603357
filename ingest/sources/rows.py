"""A row of an export (a mapping of columns) -> a raw document, and what is wrong with single fields.

A field that cannot be used is left out and reported; a row is refused only if it has no text or repeats an id.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from html import unescape
from types import ModuleType
from typing import Any, Literal
from urllib.parse import urlsplit

from ingest.marked_quotes import others_words
from ingest.sources import forum_magnum, hacker_news, reddit
from ingest.sources.base import GONE, UNPRINTABLE, Entry, LeftOut, Markup, Problem, RawDocument, SourceFile
from ingest.sources.column_names import as_option, columns_like_ours
from ingest.sources.html_in_text import as_markdown
from ingest.sources.nested_rows import ARRAYS, INSIDE, Nested, longest_array, nested_rows
from rag.errors import SourceError
from rag.language.letters import LONE_SURROGATE, whole

COLUMNS = ("id", "author", "text", "html", "url", "posted_at", "parent_id", "karma", "thread_id", "title", "seen_at")
"""What a row can say; `html` is read where there is no `text`. All other columns go into `RawDocument.extra`."""
ROWS = "rows"
"""Mapped like a column, but says where in a JSON file the rows lie, with dots: `export.records`."""
_IDS = ("id", "parent_id", "thread_id")
_WORDS = ("text", "html")
_NOTHING = frozenset(("nan", "NaN", "NaT", "None", "NULL", "null", "<NA>", "N/A", "0000-00-00 00:00:00"))
"""What programs write where nothing is; of a text, these may be the words."""
_NO_PARENT = ("0", "-1", "root", "none", "null")
"""What many exports say where a row answers no other."""
LONGEST_NAME = 300
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,6}|#x[\da-f]{2,5});", re.IGNORECASE)
"""In a name or a title as exports of web pages write them: "R&amp;D"."""
"""Characters of an id, an author or a title; anything longer is something else in the wrong column."""
DEEPEST = 32
"""Levels that the values of further columns may be nested."""
_LINE_NAME = re.compile(r"L\d+(\.\d+)?|id=.*", re.DOTALL)
_EXPORTS = (reddit, hacker_news, forum_magnum)
_DELETED = ("deleted", "isDeleted", "is_deleted", "spam", "isSpam", "is_spam")
_TYPED = ("$oid", "$date", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal")
"""Names under which MongoDB's exports put a value that has a type:
https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/"""
_PIECES = re.compile(r'\s*\{\s*"text"\s*:')
_NUMBER = re.compile(r"[+-]?\d{1,19}(\.\d+)?")
_WHOLE = re.compile(r"(\d+)\.0")
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


def check_columns(columns: Mapping[str, str] | None) -> None:
    """Refuse a mapping of columns that we do not have, or to a column without a name.

    Raises:
        SourceError: It names one.
    """
    for name, theirs in (columns or {}).items():
        if name not in (*COLUMNS, ROWS):
            raise SourceError(f'"{name}" cannot be mapped to a column. Known are: {", ".join((*COLUMNS, ROWS))}.')
        if not theirs.strip():
            raise SourceError(f'The column that "{name}" is mapped to has no name. Give one, or leave it out.')


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
            self.wrong(column, f"is {_kind(value)}", self._way_inside(column, value))
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
            self.wrong(column, f"is {_kind(value)}", self._way_inside(column, value))
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
        self.wrong(column, f"is no web address: {_short(value)}", "Give http:// or https:// and the rest")
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
        self.wrong(column, f"is no number: {_short(value)}", "Give a number, or leave it empty")
        return None

    def date(self, column: str) -> datetime | None:
        """A point in time, in UTC: ISO 8601, RFC 2822, or seconds, milli-, micro- or nanoseconds since 1970."""
        value = self._value(column)
        if value is None or value == "":
            return None
        try:
            moment = _moment(value)
        except (TypeError, ValueError, OverflowError, OSError, ArithmeticError):
            self.wrong(column, f"is no date: {_short(value)}", "Write it as 2024-05-31T12:00:00Z")
            return None
        if moment > datetime.now(UTC) + timedelta(days=2):
            self.wrong(column, f"lies in the future: {_short(value)}", "Correct it, or leave it empty")
            return None
        return moment

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
        return f"Name the column inside it: {as_option({column: inside})}" if inside else "Give a text"

    def wrong(self, column: str, what: str, fix: str) -> None:
        """Note that a field cannot be used as it is."""
        path = _short(self.columns.get(column, column))
        self.problems.append(Problem("", self.line, f"{path} {what}.", f"{fix}."))


class Rows:
    """The rows of one file: makes documents of them and remembers ids, so that each is read once."""

    def __init__(self, file: SourceFile, columns: Mapping[str, str]) -> None:
        self.file = file
        self.columns = {name: theirs for name, theirs in columns.items() if name != ROWS}
        self.arrays = {(), tuple(columns[ROWS].lower().split("."))} if ROWS in columns else ARRAYS
        """Where an object may hold rows, in small letters."""
        self._silent = True
        self._said = set[str]()
        self._others: dict[str, Any] = {}
        """Which of our columns any row has, and an example of each of the others."""
        self._proposed: dict[str, int | None] = {}
        """Columns that were proposed as the text, and where."""
        self._unnamed = Counter[int | None]()
        self._seen: dict[bytes, tuple[int | None, bytes]] = {}
        self._parents: dict[bytes, bytes] = {}
        self._repeated: list[int | None] = []
        self._left_out = Counter[tuple[str, str]]()

    def read(self, values: Any, line: int | None) -> Iterator[RawDocument | Problem]:
        """Read one row, which may hold a whole thread, or be the whole answer of a server with its rows inside."""
        nested = self._nested(values)
        for row, key in nested:
            yield from self._read_row(self._called(row, key), getattr(row, "line", line))
        if not nested:
            yield from self._read_row(values, line)

    def read_rest(self, values: Any, line: int | None) -> Iterator[RawDocument | Problem]:
        """Read what stands beside the rows of an object: a post beside its comments, or further rows."""
        if self.says_something(values) or self._nested(values):
            yield from self.read(values, line)

    def _nested(self, values: Any) -> list[Nested]:
        """The rows inside an object that is none itself, as where each line of a file is a page of results."""
        if isinstance(values, list) and values and all(map(self._is_row, values)):
            # Pages of results that were put together.
            return list(map(Nested, values))
        if not isinstance(values, Mapping) or self._is_row(values):
            return []
        names = {self.columns.get(column, column) for column in ("text", "html")}
        return nested_rows(values, self.arrays, names, self._is_row_or_thread)

    def _is_row_or_thread(self, values: Mapping[str, Any]) -> bool:
        return self._is_row(values) or any(self._replies(values.get(name)) for name in INSIDE)

    def _is_row(self, values: Any) -> bool:
        if not isinstance(values, Mapping):
            return False
        return Row(values, None, self.columns).has_text_column or self.recognise(values) is not None

    def _called(self, values: Mapping[str, Any], key: str | None) -> Mapping[str, Any]:
        """A row with the key that it stood under as its id, unless it has one, or the key is no name for one row."""
        if key is None or Row(values, None, self.columns).name("id") or _digest(key) in self._seen:
            return values
        return {**values, self.columns.get("id", "id"): key}

    def _read_row(self, values: Any, line: int | None) -> Iterator[RawDocument | Problem]:
        if not isinstance(values, Mapping):
            fix = 'Each row must be an object such as {"text": "..."}.'
            yield self.problem(line, f"The row is {_kind(values)}.", fix, row_unread=True)
            return
        export = self.recognise(values)
        if export is None:
            yield from self._read_thread(values, line)
        else:
            for entry in export.entries(values):
                yield from self.add(entry, line)

    def _read_thread(self, values: Mapping[str, Any], line: int | None) -> Iterator[RawDocument | Problem]:
        """A row of our columns, and then those that stand inside it as its replies."""
        waiting = [values]
        while waiting:
            values = waiting.pop()
            inside = {name: rows for name in INSIDE if (rows := self._replies(values.get(name)))}
            own = {name: values[name] for name in values if name not in inside} if inside else values
            row = Row(own, line, self.columns)
            waiting += reversed([row.below(reply) for replies in inside.values() for reply in replies])
            if row.is_deleted:
                yield from self.add(LeftOut("deleted or removed"), line)
            elif row.says_something or not inside:
                yield from self._read(row, "comment")

    def _replies(self, value: Any) -> list[Mapping[str, Any]]:
        """The rows inside a column: an array of them, or an object that holds one, as with pages of results."""
        if isinstance(value, Mapping):
            return [self._called(row, key) for row, key in self._nested(value)]
        return value if self._are_rows(value) else []

    def _are_rows(self, value: Any) -> bool:
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            return False
        return any(self.says_something(item) for item in value)

    def says_something(self, values: Any) -> bool:
        """Whether this is a row with a text."""
        return isinstance(values, Mapping) and Row(values, None, self.columns).says_something

    def has_text(self, values: Mapping[str, Any]) -> bool:
        """Whether there is anything to read in a row, as it is written here or in a known kind of export."""
        export = self.recognise(values)
        if export is None:
            return self.says_something(values)
        entries = (entry.values for entry in export.entries(values) if isinstance(entry, Entry))
        return any(entry.get("text") or entry.get("html") for entry in entries)

    def recognise(self, values: Mapping[str, Any]) -> ModuleType | None:
        """Find the module of the known kind of export that a row is of; none if columns were mapped by hand."""
        return next((export for export in _EXPORTS if not self.columns and export.recognises(values)), None)

    def add(self, entry: Entry | LeftOut, line: int | None) -> Iterator[RawDocument | Problem]:
        """Take what a known kind of export said."""
        if isinstance(entry, LeftOut):
            self._silent = False
            self._left_out[entry.reason, entry.fix] += entry.count
        else:
            yield from self._read(Row(entry.values, line, {}, is_markdown=True), entry.kind)

    def finish(self) -> Iterator[Problem]:
        """Say what can be said only at the end of the file."""
        if self._silent:
            yield self.problem(None, "The file has no rows.", "Export it again, or remove it.", rest_unread=True)
        for line, chain in self._circles():
            what = f"Replies in a circle: the parents of {chain} lead back to it."
            yield self.problem(line, what, "Correct the parent ids; the rows were read.")
        if self._repeated:
            what = f"{_counted(len(self._repeated), 'row repeats', 'rows repeat')} an earlier row word for word."
            yield self.problem(self._repeated[0], what, "Read once; nothing to do.", "note")
        alike = columns_like_ours(self._others, {"text", "html", *self._said})
        if alike:
            ours, theirs, one = _quoted(alike), _quoted(alike.values()), len(alike) == 1
            what = f"No row has {ours}, but they have {theirs}, kept and not understood."
            fix = f"If {'it says' if one else 'they say'} the same, read {'it' if one else 'them'} with {as_option(alike)}."
            yield self.problem(None, what, fix, "note")
        for (reason, fix), count in self._left_out.items():
            what = f"{_counted(count, 'entry is', 'entries are')} left out: {reason}."
            yield self.problem(None, what, fix, "note")

    def problem(
        self,
        line: int | None,
        what: str,
        fix: str,
        severity: Literal["error", "note"] = "error",
        *,
        rest_unread: bool = False,
        row_unread: bool = False,
    ) -> Problem:
        """Say something about this file."""
        self._silent = False
        what = UNPRINTABLE.sub("\ufffd", what)
        return Problem(self.file.source, line, what, fix, severity, rest_unread, row_unread)

    def _read(self, row: Row, kind: Literal["comment", "document"]) -> Iterator[RawDocument | Problem]:
        document = self._document(row, kind)
        self._silent = self._silent and document is None
        rest = "The row was left out." if document is None else "The rest of the row was read."
        for problem in row.problems:
            yield self.problem(row.line, problem.what, f"{problem.fix} {rest}", row_unread=document is None)
        if document is None:
            if not row.problems:
                yield self._without_text(row)
        elif document.id is None:
            yield document
        else:
            yield from self._once(document)

    def _without_text(self, row: Row) -> Problem:
        if row.has("text") or row.has("html"):
            # It was read: what it held before is gone.
            return self.problem(row.line, "The text is empty.", "Fill it in, or leave the row out.")
        if message := _error_of_server(row.values):
            what = f'It is no export, but what a server answered: "{message}".'
            return self.problem(row.line, what, "Export it again.", row_unread=True)
        columns, fix = way_to_the_text(row.values)
        text = columns.get("text") or columns.get("html")
        if text in self._proposed:
            # Rows differ in further columns: one proposal for all, so that the report can tell them in one line.
            what = f"The row has no text, like the one on line {self._proposed[text]}."
            return self.problem(row.line, what, "See there.", row_unread=True)
        if text:
            self._proposed[text] = row.line
        what = f"The row has no text; its columns are {_listing(row.values)}."
        return self.problem(row.line, what, fix, row_unread=True)

    def _document(self, row: Row, kind: Literal["comment", "document"]) -> RawDocument | None:
        markup = _markup(row)
        if markup is None:
            return None
        extra = row.extra()
        self._said.update(column for column in COLUMNS if row.has(column))
        self._others = extra | self._others if extra.keys() - self._others.keys() else self._others
        id, parent = row.name("id"), row.name("parent_id")
        if parent in _NO_PARENT and _digest(parent) not in self._seen:
            parent = None
        if parent is not None and parent == id:
            row.wrong("parent_id", "is the row itself", "Give the comment it replies to, or leave it empty")
            parent = None
        return RawDocument(
            f"{self.file.source}#{self._fragment(id, row.line)}",
            markup.text,
            kind,
            id=id,
            author=None if row.is_gone("author") else row.name("author"),
            url=row.link("url"),
            posted_at=row.date("posted_at"),
            parent_id=parent,
            thread_id=row.name("thread_id"),
            title=row.name("title"),
            karma=row.number("karma"),
            seen_at=row.date("seen_at"),
            quoted=markup.quoted,
            gaps=markup.gaps,
            extra={**extra, **({"anonymous": True} if row.is_gone("author") else {})},
            line=row.line,
        )

    def _fragment(self, id: str | None, line: int | None) -> str:
        if id is not None:
            return f"id={id}" if _LINE_NAME.fullmatch(id) else id
        # Only the latest line can come again: rows arrive in order.
        self._unnamed = Counter({line: self._unnamed[line] + 1})
        return f"L{line}" if self._unnamed[line] == 1 else f"L{line}.{self._unnamed[line]}"

    def _once(self, document: RawDocument) -> Iterator[RawDocument | Problem]:
        id, text = _digest(document.id), _digest(document.text)
        if id not in self._seen:
            self._seen[id] = document.line, text
            if document.parent_id is not None:
                self._parents[id] = _digest(document.parent_id)
            yield document
            return
        line, known = self._seen[id]
        if known == text:
            self._repeated.append(document.line)
            return
        what = f'The id "{_short(document.id)}" was given to another text on line {line}.'
        yield self.problem(document.line, what, "Give each row an id of its own; the first was read.")

    def _circles(self) -> Iterator[tuple[int | None, str]]:
        """Rows that are among their own ancestors: one line for each circle, with its length."""
        done: set[bytes] = set()
        for start in self._parents:
            path: dict[bytes, None] = {}
            id: bytes | None = start
            while id is not None and id not in done and id not in path:
                path[id] = None
                id = self._parents.get(id)
            if id is not None and id in path:
                circle = list(path)[list(path).index(id) :]
                line = min((self._seen[id][0] or 0) for id in circle)
                yield line or None, _counted(len(circle), "row", "rows")
            done.update(path)


def _markup(row: Row) -> Markup | None:
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


def _moment(value: Any) -> datetime:
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
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if moment.year == 1:
        # With .NET, no date at all.
        raise ValueError(value)
    return moment


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


def _kind(value: Any) -> str:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return "a number"
    if isinstance(value, Mapping):
        return "an object"
    names = {type(None): "null", bool: "true or false", list: "a list", str: "a text"}
    return names.get(type(value), type(value).__name__)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value) if isinstance(value, int | float) else _kind(value)
    text = UNPRINTABLE.sub("\ufffd", text[:60])
    return f"{text[:57]}..." if len(text) > 57 else text


def way_to_the_text(values: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """What to do about a row without a text, or the names of its columns: which mapping may read it or the rows inside.

    Returns:
        The mapping, empty if none can be proposed, and the advice.
    """
    columns = columns_like_ours(values)
    inside = list(values.values())
    if len(inside) > 1 and all(isinstance(value, Mapping) for value in inside):
        # Rows by their ids are found as soon as it is known what their text is called.
        columns = columns_like_ours(inside[0])
    if not columns.keys() & set(_WORDS) and (array := longest_array(values)):
        path, rows = array
        columns = {ROWS: path, **columns_like_ours(rows[0])}
    if columns.keys() & set(_WORDS):
        return columns, f"If the columns are what their names say, read them with {as_option(columns)}."
    if ROWS in columns:
        columns = {ROWS: columns[ROWS]}
        return columns, f"Name the list that holds the rows: {as_option(columns)}."
    return {}, "Name the column that holds it: --map text=COLUMN."


def _error_of_server(values: Mapping[str, Any]) -> str | None:
    """What an answer without data says went wrong, as GraphQL's do."""
    errors = values.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and not values.get("data") else None
    return _short(first["message"]) if isinstance(first, Mapping) and isinstance(first.get("message"), str) else None


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{_short(name)}"' for name in names)


def _listing(values: Mapping[str, Any]) -> str:
    names = [_short(str(key)) for key in list(values)[:12]]
    return ", ".join(names + ["..."] * (len(values) > 12)) or "none"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
