"""The rows of a file -> raw documents, each once, and what is wrong with them.

A field that cannot be used is left out and reported; a row is refused only if it has no text or repeats an id.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from types import ModuleType
from typing import Any, Literal

from ingest.sources import forum_magnum, hacker_news, reddit
from ingest.sources.base import UNPRINTABLE, Entry, LeftOut, Problem, RawDocument, SourceFile
from ingest.sources.column_names import as_option, columns_like_ours
from ingest.sources.nested_rows import ARRAYS, INSIDE, Nested, longest_array, nested_rows
from ingest.sources.row import COLUMNS, Row, kind_of, markup_of, shortened
from rag.errors import SourceError

ROWS = "rows"
"""Mapped like a column, but says where in a JSON file the rows lie, with dots: `export.records`."""
_NO_PARENT = ("0", "-1", "root", "none", "null")
"""What many exports say where a row answers no other."""
_LINE_NAME = re.compile(r"L\d+(\.\d+)?|id=.*", re.DOTALL)
_EXPORTS = (reddit, hacker_news, forum_magnum)


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
            yield self.problem(line, f"The row is {kind_of(values)}.", fix, row_unread=True)
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
            fix = f"If {'it says' if one else 'they say'} the same, read {'it' if one else 'them'} with: {as_option(alike)}"
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
        markup = markup_of(row)
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
        what = f'The id "{shortened(document.id)}" was given to another text on line {line}.'
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
    if not columns.keys() & {"text", "html"} and (array := longest_array(values)):
        path, rows = array
        columns = {ROWS: path, **columns_like_ours(rows[0])}
    if columns.keys() & {"text", "html"}:
        return columns, f"If the columns are what their names say, read them with: {as_option(columns)}"
    if ROWS in columns:
        columns = {ROWS: columns[ROWS]}
        return columns, f"Name the list that holds the rows: {as_option(columns)}"
    return {}, "Name the column that holds it: --map text=COLUMN"


def _error_of_server(values: Mapping[str, Any]) -> str | None:
    """What an answer without data says went wrong, as GraphQL's do."""
    errors = values.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and not values.get("data") else None
    return shortened(first["message"]) if isinstance(first, Mapping) and isinstance(first.get("message"), str) else None


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{shortened(name)}"' for name in names)


def _listing(values: Mapping[str, Any]) -> str:
    names = [shortened(str(key)) for key in list(values)[:12]]
    return ", ".join(names + ["..."] * (len(values) > 12)) or "none"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
