r"""The records of a CSV file: which separator, which escape, and where a record with a mistake ends.

A quote inside a quoted field is doubled. Some programs, MySQL among them, write a backslash before it instead, and where
tabs separate the fields a quote may be like any other character. A file is read so only if more of its rows then have as
many fields as the header, and fewer have not.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

from ingest.sources.json_lines import LONGEST, lines

MOST_LINES = 5_000
"""Of one row. After an open quote reading begins again at its second line: each such line costs this at most."""
_DELIMITERS = ",;\t|"
_EXCEL = re.compile('"?sep=(.)"?')
"""A line above the header that tells Excel the separator."""
_ESCAPE = re.compile(r"\\([\s\S])")
_ESCAPED_BY_ALL = '\\"\r\n'
"""What a backslash stands before where backslashes are escaped too; with MySQL also the separator."""
_WITHOUT_SIGN = "N0"
"""Letters after a backslash with which MySQL says that nothing, or a NUL, is there."""
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file writes its fields."""

    delimiter: str
    told: bool
    """Whether the first line says so, and is no header."""
    spaced: bool
    """Whether a space stands behind each separator, and so before quotes as well."""
    escapes: Literal["", "quotes", "all"] = ""
    """What a backslash stands before: nothing special, only quotes, or also backslashes and line ends."""
    quotes: bool = True
    """Whether quotes around a field are no part of it."""

    @classmethod
    def of(cls, stream: BinaryIO) -> Dialect:
        """Find out by the header and, where quotes may be escaped, by all rows; the stream is read from its start."""
        stream.seek(0)
        header = next((text for _, text in _lines(stream) if text.strip()), "")
        told = _EXCEL.fullmatch(header.strip())
        delimiter = told[1] if told else max(_DELIMITERS, key=header.count)
        # A table of one column: the commas are those of its texts.
        delimiter = delimiter if told or delimiter in header else "\x1f"
        spaced = not told and 0 < header.count(delimiter) == header.count(f"{delimiter} ")
        plain = cls(delimiter, bool(told), spaced)
        others = [replace(plain, escapes="quotes")] if _holds(stream, b'\\"') else []
        if delimiter == "\t" and _holds(stream, b'\t"'):
            unquoted = replace(plain, quotes=False)
            others += [] if _mostly_quoted(stream, unquoted) else [unquoted]
        best, (fitting, broken) = plain, _fit(stream, plain) if others else (0, 0)
        for other in others if broken else ():
            # Both, since a wrong reading may cut one row with line breaks into several that happen to fit.
            more, fewer = _fit(stream, other)
            if more > fitting and fewer < broken:
                best, fitting, broken = other, more, fewer
        if not best.escapes:
            return best
        # A backslash before a letter, as of a formula, says that backslashes themselves were not escaped.
        usual = _ESCAPED_BY_ALL + _WITHOUT_SIGN + delimiter
        stream.seek(0)
        all_usual = all(match[1] in usual for _, text in _lines(stream) for match in _ESCAPE.finditer(text))
        return replace(best, escapes="all") if all_usual else best


def records(stream: BinaryIO, dialect: Dialect) -> Iterator[tuple[int, list[str] | str]]:
    """Yield each record from the start of a file with the line it starts on: its fields, or what is wrong with it.

    Bytes that are not UTF-8 come as lone surrogates, which UTF-8 cannot hold.
    """
    csv.field_size_limit(LONGEST)
    stream.seek(0)
    source = ((number, _escaped(text, dialect)) for number, text in _lines(stream))
    header = next((line for line in source if line[1].strip()), None)
    if header is None:
        return
    waiting = deque([] if dialect.told else [header])
    while True:
        taken: list[tuple[int, str]] = []
        reader = csv.reader(
            _feed(source, waiting, taken),
            delimiter=dialect.delimiter,
            escapechar="\\" if dialect.escapes else None,
            quoting=csv.QUOTE_MINIMAL if dialect.quotes else csv.QUOTE_NONE,
            skipinitialspace=dialect.spaced,
            strict=True,
        )
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            # An open quote may have swallowed good lines.
            waiting.extendleft(reversed(taken[1:]))
            yield taken[0][0], f"Broken quoting ({exc})."
            continue
        if fields:
            yield taken[0][0], fields


def _fit(stream: BinaryIO, dialect: Dialect) -> tuple[int, int]:
    """How many rows have as many fields as the header, and how many have not or cannot be read."""
    lengths = [len(fields) if isinstance(fields, list) else 0 for _, fields in records(stream, dialect)]
    fitting = sum(length == lengths[0] for length in lengths)
    return fitting, len(lengths) - fitting


def _mostly_quoted(stream: BinaryIO, unquoted: Dialect) -> bool:
    """Whether the fields that begin with a quote mostly end with one, so that a row which breaks this is a mistake."""
    fields = (field for _, fields in records(stream, unquoted) for field in fields if isinstance(fields, list))
    ends = [len(field) > 1 and field.endswith('"') for field in fields if field.startswith('"')]
    return 2 * sum(ends) > len(ends)


def _escaped(text: str, dialect: Dialect) -> str:
    """A line in which every backslash that is not an escape is escaped, so that it stays."""
    if not dialect.escapes or "\\" not in text:
        return text
    kept = '"' if dialect.escapes == "quotes" else _ESCAPED_BY_ALL + dialect.delimiter
    return _ESCAPE.sub(lambda escape: escape[0] if escape[1] in kept else escape[0].replace("\\", "\\\\"), text)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """Number the lines. Excel's "CSV (Macintosh)" ends them with CR alone: all of such a file comes as the first."""
    for number, data in lines(stream):
        if number == 1 and b"\r" in data.rstrip(b"\r\n"):
            yield from enumerate(
                (part.decode("utf-8", "surrogateescape") for part in data.splitlines(keepends=True)), 1
            )
        else:
            yield number, data.decode("utf-8", "surrogateescape")


def _holds(stream: BinaryIO, wanted: bytes) -> bool:
    stream.seek(0)
    end = b""
    while data := stream.read(_CHUNK):
        if wanted in end + data:
            return True
        end = data[-len(wanted) :]
    return False


def _feed(
    source: Iterator[tuple[int, str]], waiting: deque[tuple[int, str]], taken: list[tuple[int, str]]
) -> Iterator[str]:
    size = 0
    while line := waiting.popleft() if waiting else next(source, None):
        taken.append(line)
        size += len(line[1])
        if size > LONGEST or len(taken) > MOST_LINES:
            raise csv.Error(f"no end within {LONGEST:,} characters or {MOST_LINES:,} lines")
        yield line[1]
