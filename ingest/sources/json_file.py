"""JSON: an array of rows, or an object that holds one (`{"comments": [...]}`), streamed row by row; or several of these.

After a mistake reading goes on at the next line that starts a row as the first one did. Line numbers are those of the
file, because the parser is fed one line at a time.
"""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from decimal import Decimal
from typing import Any, BinaryIO

import ijson
from ijson.common import ObjectBuilder

from ingest.sources import json_lines
from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.rows import Rows
from ingest.sources.text_file import foreign_encoding, not_utf8

EXTENSIONS = (".json",)
DEEPEST = 2_000
"""Levels of nesting inside one row; replies inside replies take up to five each."""
BUFFER = 2**22
"""Bytes of a line that are parsed at a time."""
LARGEST = 1_000_000
"""Values inside one row; more are held to be a mistake, so that memory stays bounded."""
_WHOLE = re.compile(
    rb"""(?:[^\\]++ | \\[^u] | \\u(?![dD][89abAB])[\s\S]{4} | \\u[dD][89abAB][\s\S]{2}(?=[^\\]|\\[^u]|\\u[\s\S]{4}))*+""",
    re.VERBOSE,
)
"""Data up to its last escape, if that may go on; one for half of a pair goes on with the other half."""
_ODD = re.compile(rb"NaN|Infinity|\d[eE][-+]?\d{3}|(?<!\d)\d{4000}")
_STRING_OR_ODD_NUMBER = re.compile(
    rb""""(?:[^"\\]++|\\.)*+(?:"|(?P<open>\Z))
    | (?<![\w.])(?:NaN | -?Infinity | -?\d{4000,}(?:\.\d+)?(?:[eE][-+]?\d+)? | -?\d+(?:\.\d+)?[eE][-+]?\d{3,})(?!\w)""",
    re.DOTALL | re.VERBOSE,
)
"""A string, to be passed over, or a number that JSON has not but Python and pandas write, or one that may be too large."""
_WORD = re.compile(rb"-?[A-Za-z]{0,8}\Z")
_HALF = re.compile(rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..)")


def read(file: SourceFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Problem]:
    """Yield the documents of all rows, in order.

    One object per line is read as JSON Lines, and an array as JSON, whatever the file's name says.
    """
    with file.path.open("rb") as stream:
        head = stream.readline(json_lines.LONGEST)
        rest = stream.read(1024)
        problem = foreign_encoding(file.source, head)
        if problem:
            yield problem
            return
        mark = len(BOM_UTF8) if head.startswith(BOM_UTF8) else 0
        if _one_per_line(file, head[mark:].strip(), rest):
            yield from json_lines.read(file, columns)
            return
        stream.seek(mark)
        rows = Rows(file, columns)
        yield from _stream(_Lines(stream), rows, rows.arrays)
        yield from rows.finish()


def _one_per_line(file: SourceFile, head: bytes, rest: bytes) -> bool:
    """By what the first line is; the ending of the name decides only where that does not."""
    if head in (b"[", b"{") or head.startswith(b"[{"):
        return False
    if file.path.suffix.lower() in json_lines.EXTENSIONS:
        return True
    with suppress(ValueError, RecursionError):
        return isinstance(json.loads(head), dict) and bool(rest.strip())
    return False


class _Lines:
    """A file for ijson that hands out at most one line at a time and so knows which line is being parsed."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.line = 1
        self.data = b""
        self.halves = 0
        self.blank = True
        self._in_string = False
        self._next = 1
        self._ahead = b""
        self._held = b""

    def read(self, size: int) -> bytes:
        """What ijson calls; it asks for 0 bytes to see whether they are bytes."""
        if size == 0:
            return b""
        data, self._ahead = self._ahead or self._read(size), b""
        data = self._without_odd_numbers(data)
        # The parser would turn half a surrogate pair into a question mark without a word.
        return _HALF.sub(self._mend, data) if b"\\u" in data else data

    def row_opening(self) -> bytes | None:
        """The indentation and brace that the current line starts with."""
        rest = self.data.lstrip(b" \t")
        return self.data[: len(self.data) - len(rest) + 1] if rest.startswith(b"{") else None

    def skip_to_row(self, opening: bytes, *, after: int) -> bool:
        """Go to the first line beyond `after` that starts like `opening`, and pretend that an array begins there."""
        if self.line <= after:
            self.data = self._read(2**20)
        while self.data and not self.data.startswith(opening):
            self.data = self._read(2**20)
        self._ahead = b"[" + self.data if self.data else b""
        self._in_string = False
        return bool(self.data)

    def _read(self, size: int) -> bytes:
        self.line = self._next
        data = self._held + self.stream.readline(size)
        # An escape is handed out in one piece, and so is a word.
        end = 0
        if not data.endswith(b"\n"):
            end = _WHOLE.match(data).end() if b"\\" in data[-12:] else len(data) - len(_WORD.search(data[-9:])[0])
        self.data, self._held = (data[:end], data[end:]) if end else (data, b"")
        self._next += self.data.endswith(b"\n")
        self.blank = self.blank and not self.data.strip()
        return self.data

    def _without_odd_numbers(self, data: bytes) -> bytes:
        """What is not a number or an infinite one is nothing, as in tables."""
        if data.endswith(b"\n") and not (self._in_string or _ODD.search(data)):
            return data
        # A long line comes in parts, which may begin inside a string; no string goes on in the next line.
        opened = b'"' if self._in_string else b""
        self._in_string = False

        def plain(match: re.Match[bytes]) -> bytes:
            if match[0].startswith(b'"'):
                self._in_string = match["open"] is not None and not data.endswith(b"\n")
                return match[0]
            number = float(match[0])
            return repr(number).encode() if math.isfinite(number) else b"null"

        return _STRING_OR_ODD_NUMBER.sub(plain, opened + data).removeprefix(opened)

    def _mend(self, match: re.Match[bytes]) -> bytes:
        if match[2]:
            return match[0]
        self.halves += 1
        return match[1] + b"\\ufffd"


class _Object(dict[str, Any]):
    """An object that knows where it starts."""

    line: int


class _Value:
    """A value being built from the parser's events, unless it grows too large."""

    def __init__(self, lines: _Lines, opening: bytes | None = None) -> None:
        self.line = lines.line
        self.opening = opening
        self.too_large = False
        self.is_rest = False
        """Whether it is what stands beside the rows of an object."""
        self._builder = ObjectBuilder(map_type=self._object)
        self._lines = lines
        self._depth = 0
        self._count = 0

    def add(self, event: str, value: Any) -> None:
        self._depth += event.startswith("start_") - event.startswith("end_")
        self._count += 1
        self.too_large = self.too_large or self._depth > DEEPEST or self._count > LARGEST
        if not self.too_large:
            self._builder.event(event, float(value) if isinstance(value, Decimal) else value)

    def _object(self) -> _Object:
        started = _Object()
        started.line = self._lines.line
        return started

    @property
    def complete(self) -> bool:
        return self._depth == 0

    @property
    def value(self) -> Any:
        return self._builder.value


def _stream(lines: _Lines, rows: Rows, arrays: Set[tuple[str, ...]]) -> Iterator[RawDocument | Problem]:
    opening: bytes | None = None
    failed = resumed = 0
    while True:
        try:
            for row in _values(lines, arrays, inside=resumed > 0):
                opening = opening or row.opening
                if lines.halves:
                    what = f"Half characters (lone surrogates): {lines.halves}, read as \ufffd."
                    yield rows.problem(row.line, what, "Export it again as UTF-8.")
                    lines.halves = 0
                if row.too_large:
                    what = f"Nested more than {DEEPEST:,} levels deep, or more than {LARGEST:,} values in one row."
                    yield rows.problem(row.line, what, "Flatten it.", row_unread=True)
                elif row.is_rest:
                    yield from rows.read_rest(row.value, row.line)
                else:
                    yield from rows.read(row.value, row.line)
            return
        except ijson.JSONError as exc:
            if lines.blank:
                return
            if lines.line != failed:
                yield _not_json(rows, lines, exc, recoverable=opening is not None)
        # A line that fails is tried once more as the start of a row: the mistake may be a comma missing before it.
        failed = lines.line
        if opening is None or not lines.skip_to_row(opening, after=failed if failed == resumed else failed - 1):
            return
        resumed = lines.line


def _not_json(rows: Rows, lines: _Lines, exc: Exception, *, recoverable: bool) -> Problem:
    try:
        lines.data.decode("utf-8")
    except UnicodeDecodeError as undecodable:
        return not_utf8(rows.file.source, lines.data, undecodable, lines.line)
    reason = str(exc).split("\n")[0]
    rest_unread = not recoverable or "premature EOF" in reason
    rest = "the file was read up to there" if rest_unread else "reading goes on at the next row"
    return rows.problem(
        lines.line, f"Not JSON ({reason}).", f"Mend it; {rest}.", rest_unread=rest_unread, row_unread=True
    )


def _values(lines: _Lines, arrays: Set[tuple[str, ...]], *, inside: bool) -> Iterator[_Value]:
    """Yield each element of the arrays of rows; and of every value what is beside them.

    Args:
        arrays: Where the rows lie, in small letters.
        inside: Reading begins in an array of rows and ends with it.
    """
    whole, row = None, None
    keys: list[str | None] = []
    in_rows = streamed = False
    # Without `use_float`, which would refuse whole numbers of more than 64 bits: identifiers in some exports.
    for event, value in ijson.basic_parse(lines, buf_size=BUFFER, multiple_values=True):
        if in_rows and (row is not None or event != "end_array"):
            row = row or _Value(lines, lines.row_opening())
            row.add(event, value)
            if row.complete:
                yield row
                row = None
            continue
        whole = whole or _Value(lines)
        whole.add(event, value)
        if event == "map_key":
            keys[-1] = value
        elif event.startswith("start_"):
            in_rows = event == "start_array" and tuple(key and key.lower() for key in keys) in arrays
            # Rows that are lists are understood only together with the names of their columns.
            in_rows = in_rows and not (keys == ["data"] and "columns" in whole.value)
            streamed = streamed or in_rows
            keys.append(None)
        elif event.startswith("end_"):
            in_rows = False
            keys.pop()
            if inside:
                return
        if whole.complete:
            # Rows come in the order of their lines.
            whole.line = lines.line if streamed else whole.line
            whole.is_rest = streamed
            yield whole
            whole, streamed = None, False
