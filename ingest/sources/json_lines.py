"""JSON Lines: one row per line, or several. A line that is no JSON is reported, and the next one is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.rows import Rows
from ingest.sources.text_file import not_utf8

EXTENSIONS = (".jsonl", ".ndjson")
LONGEST = 128 * 2**20
"""Bytes of one line; longer ones are reported and skipped, so that memory stays bounded."""
_BETWEEN = re.compile(r"[\s,\ufeff]*")
"""What files that were put together have between rows: also the byte order mark of each, and the commas of an array."""
# NaN and infinite numbers, which JSON has not but Python writes, are nothing.
_DECODER = json.JSONDecoder(parse_constant=lambda name: None)


def read(file: SourceFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Problem]:
    """Yield the documents of all rows, in order."""
    rows = Rows(file, columns)
    with file.path.open("rb") as stream:
        for line, data in lines(stream):
            if len(data) > LONGEST:
                what = f"The line is longer than {LONGEST:,} bytes."
                yield rows.problem(line, what, "Split the row, or leave it out.", row_unread=True)
            elif data.strip():
                yield from _row(rows, line, data)
    yield from rows.finish()


def _row(rows: Rows, line: int, data: bytes) -> Iterator[RawDocument | Problem]:
    for value in _values(data):
        if isinstance(value, UnicodeDecodeError):
            yield not_utf8(rows.file.source, data, value, line)
        elif isinstance(value, RecursionError):
            yield rows.problem(line, "The JSON is nested too deep.", "Flatten it.", row_unread=True)
        elif isinstance(value, ValueError):
            # A last line without its end: the file itself may have been cut off.
            what, fix = f"Not JSON ({getattr(value, 'msg', value)}).", "Each line must be one whole JSON object."
            yield rows.problem(line, what, fix, rest_unread=not data.endswith(b"\n"), row_unread=True)
        else:
            yield from rows.read(value, line)


def _values(data: bytes) -> Iterator[Any]:
    """The values of a line, up to a mistake. Only objects are followed by others: a line of words is one mistake."""
    try:
        text = data.decode("utf-8")
        start = _BETWEEN.match(text).end()
        while start < len(text):
            value, end = _DECODER.raw_decode(text, start)
            start = _BETWEEN.match(text, end).end()
            if start < len(text) and not isinstance(value, dict):
                raise json.JSONDecodeError("Extra data", text, start)
            yield value
    except (ValueError, RecursionError) as exc:
        yield exc


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number the lines of a file, without its byte order mark; an endless line comes cut, one byte over `LONGEST`."""
    number = 0
    while data := stream.readline(LONGEST + 1):
        number += 1
        rest = data
        while len(rest) > LONGEST and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST + 1)
        yield number, data.removeprefix(b"\xef\xbb\xbf") if number == 1 else data
