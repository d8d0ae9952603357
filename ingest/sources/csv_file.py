"""CSV and TSV with a header line. A row whose quoting is broken is reported, and reading goes on at the next line."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from typing import BinaryIO

from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.json_lines import LONGEST, lines
from ingest.sources.rows import COLUMNS, Rows
from ingest.sources.text_file import not_utf8

EXTENSIONS = (".csv", ".tsv")
MOST_LINES = 5_000
"""Of one row. After an open quote reading begins again at its second line: each such line costs this at most."""
_DELIMITERS = ",;\t|"
_EXCEL = re.compile('"?sep=(.)"?')
"""A line above the header that tells Excel the separator."""


def read(file: SourceFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Problem]:
    """Yield the documents of all rows, in order."""
    rows = Rows(file, columns)
    with file.path.open("rb") as stream:
        # Bytes that are not UTF-8 travel as lone surrogates, which UTF-8 cannot hold, up to the row they stand in.
        records = _records((number, data.decode("utf-8", "surrogateescape")) for number, data in _lines(stream))
        header: list[str] = []
        names: list[str] | None = None
        for line, fields in records:
            if isinstance(fields, str):
                fix = "Double the quotes inside a quoted field; the next line was read."
                yield rows.problem(line, fields, fix, row_unread=True)
            elif undecodable := _not_utf8(file, line, fields):
                yield undecodable
                if names is None:
                    return
            elif names is None:
                header = fields
                names = _in_our_case([name.strip() for name in fields], columns)
                problem = _without_a_text(rows, line, names)
                if problem:
                    yield problem
                    return
                names = yield from _told_apart(rows, line, names)
            elif fields == header and len(header) > 1:
                # Tables that were put together.
                continue
            elif any(map(str.strip, fields[len(names) :])):
                what = f"The row has {len(fields)} fields, the header {len(names)}."
                yield rows.problem(line, what, "Put fields that hold the separator into quotes.", row_unread=True)
            else:
                yield from rows.read({name: field or None for name, field in zip(names, fields, strict=False)}, line)
    yield from rows.finish()


def _in_our_case(names: list[str], columns: Mapping[str, str]) -> list[str]:
    """The header with "ID" or "Text" as we write them, unless that is taken or a mapping means them as they are."""
    lower = [name.lower() for name in names]
    return [
        ours if ours in COLUMNS and lower.count(ours) == 1 and name not in columns.values() else name
        for name, ours in zip(names, lower, strict=True)
    ]


def _told_apart(rows: Rows, line: int, names: list[str]) -> Generator[Problem, None, list[str]]:
    """The header with a name of its own for each column: for those without one, and for all but the first of several."""
    apart: list[str] = []
    for number, name in enumerate(names, start=1):
        again = names[: number - 1].count(name) + 1 if name else 0
        apart.append(name if again == 1 else f"{name} ({again})" if name else f"column {number}")
        if again == 2:
            what = f'The header names "{name[:60]}" twice: the first was read, the next is called "{apart[-1][:60]}".'
            yield rows.problem(line, what, "Give each column a name of its own.")
    return apart


def _without_a_text(rows: Rows, line: int, names: list[str]) -> Problem | None:
    text, html = rows.columns.get("text", "text"), rows.columns.get("html", "html")
    if {text, html} & set(names) or rows.recognise(dict.fromkeys(names)):
        return None
    what = f'The header has no column "{text}"; its columns are {", ".join(names[:12])}.'
    return rows.problem(line, what, "Name the column that holds the text: --map text=COLUMN.", rest_unread=True)


def _not_utf8(file: SourceFile, line: int, fields: list[str]) -> Problem | None:
    data = "\n".join(fields).encode("utf-8", "surrogateescape")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as exc:
        return not_utf8(file.source, data, exc, line)
    return None


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number the lines. Excel's "CSV (Macintosh)" ends them with CR alone: all of such a file comes as the first."""
    for number, data in lines(stream):
        if number == 1 and b"\r" in data.rstrip(b"\r\n"):
            yield from enumerate(data.splitlines(keepends=True), start=1)
        else:
            yield number, data


def _records(source: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str] | str]]:
    """Yield each record with the line it starts on: its fields, or what is wrong with it."""
    csv.field_size_limit(LONGEST)
    header = next((line for line in source if line[1].strip()), None)
    if header is None:
        return
    told = _EXCEL.fullmatch(header[1].strip())
    delimiter = told[1] if told else max(_DELIMITERS, key=header[1].count)
    # A table of one column: the commas are those of its texts.
    delimiter = delimiter if told or delimiter in header[1] else "\x1f"
    # Whoever puts a space behind each separator puts it before quotes as well.
    spaced = not told and 0 < header[1].count(delimiter) == header[1].count(f"{delimiter} ")
    waiting = deque([] if told else [header])
    while True:
        taken: list[tuple[int, str]] = []
        try:
            feed = _feed(source, waiting, taken)
            fields = next(csv.reader(feed, delimiter=delimiter, strict=True, skipinitialspace=spaced))
        except StopIteration:
            return
        except csv.Error as exc:
            # An open quote may have swallowed good lines.
            waiting.extendleft(reversed(taken[1:]))
            yield taken[0][0], f"Broken quoting ({exc})."
            continue
        if fields:
            yield taken[0][0], fields


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
