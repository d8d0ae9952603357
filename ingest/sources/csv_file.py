"""CSV and TSV with a header line. A row whose quoting is broken is reported, and reading goes on at the next line."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.csv_records import Dialect, records
from ingest.sources.row import COLUMNS
from ingest.sources.rows import Rows, way_to_the_text
from ingest.sources.text_file import not_utf8

EXTENSIONS = (".csv", ".tsv")
_NOTHING = ("", "\\N")
"""What stands where nothing is; the second in exports of MySQL and PostgreSQL."""


def read(file: SourceFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Problem]:
    """Yield the documents of all rows, in order."""
    rows = Rows(file, columns)
    with file.path.open("rb") as stream:
        header: list[str] = []
        names: list[str] | None = None
        for line, fields in records(stream, Dialect.of(stream)):
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
            elif [fields[0].removeprefix("\ufeff"), *fields[1:]] == header and len(header) > 1:
                # Tables that were put together.
                continue
            elif any(map(str.strip, fields[len(names) :])):
                what = f"The row has {len(fields)} fields, the header {len(names)}."
                yield rows.problem(line, what, "Put fields that hold the separator into quotes.", row_unread=True)
            else:
                cells = (None if field in _NOTHING else field for field in fields)
                yield from rows.read(dict(zip(names, cells, strict=False)), line)
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
    return rows.problem(line, what, way_to_the_text(dict.fromkeys(names))[1], rest_unread=True)


def _not_utf8(file: SourceFile, line: int, fields: list[str]) -> Problem | None:
    data = "\n".join(fields).encode("utf-8", "surrogateescape")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as exc:
        return not_utf8(file.source, data, exc, line)
    return None
