"""JSON Lines: one row per line. A line that is no JSON is reported, and the next one is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.rows import Rows
from ingest.sources.text_file import not_utf8

EXTENSIONS = (".jsonl", ".ndjson")
LONGEST = 128 * 2**20
"""Bytes of one line; longer ones are reported and skipped, so that memory stays bounded."""


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
    try:
        # Files that were put together have the byte order mark of each, rows cut out of an array its commas.
        values = json.loads(data.decode("utf-8-sig").rstrip().removesuffix(","))
    except UnicodeDecodeError as exc:
        yield not_utf8(rows.file.source, data, exc, line)
    except RecursionError:
        yield rows.problem(line, "The JSON is nested too deep.", "Flatten it.", row_unread=True)
    except ValueError as exc:
        # A last line without its end: the file itself may have been cut off.
        what, fix = f"Not JSON ({getattr(exc, 'msg', exc)}).", "Each line must be one whole JSON object."
        yield rows.problem(line, what, fix, rest_unread=not data.endswith(b"\n"), row_unread=True)
    else:
        yield from rows.read(values, line)


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number the lines of a file, without its byte order mark; an endless line comes cut, one byte over `LONGEST`."""
    number = 0
    while data := stream.readline(LONGEST + 1):
        number += 1
        rest = data
        while len(rest) > LONGEST and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST + 1)
        yield number, data.removeprefix(b"\xef\xbb\xbf") if number == 1 else data
