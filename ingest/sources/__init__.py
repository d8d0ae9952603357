"""Read sources: one module per kind of source; each yields raw documents with exact offsets, or problems.

Nothing raises for what a file holds: a problem names the file, the line and the way out, and everything else is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from ingest.sources import csv_file, html_file, json_file, json_lines, parquet, text_file
from ingest.sources.attribution import authors, sidecar
from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.folders import files
from ingest.sources.rows import check_columns

__all__ = ["KINDS", "Problem", "RawDocument", "SourceFile", "authors", "check_columns", "files", "read_file"]

_READERS = {
    **{ending: module.read for module in (text_file, csv_file, parquet, html_file) for ending in module.EXTENSIONS},
    # Whether rows stand one per line is seen in the file: names are often wrong about it.
    **dict.fromkeys(json_lines.EXTENSIONS + json_file.EXTENSIONS, json_file.read),
}
KINDS = tuple(_READERS)
"""Endings of files that can be read."""
MOST_PROBLEMS = 1_000
"""Errors of one file that are told one by one; a million bad lines are one mistake."""
_PACKED = (".gz", ".zip", ".zst", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz")


def read_file(
    file: SourceFile, *, columns: Mapping[str, str] | None = None, author: str | None = None
) -> Iterator[RawDocument | Problem]:
    """Read one of `files()`.

    Args:
        file: What to read.
        columns: For rows: our column -> the file's, with dots into nested objects, as in
            `{"text": "body", "author": "user.name"}`; `html` is converted to markdown.
        author: Who wrote what the file does not attribute; wins over the sidecar.
    """
    about, mistakes = sidecar(file)
    yield from mistakes
    about = replace(about, author=author or about.author)
    suffix = file.path.suffix
    reader = _READERS.get(suffix.lower())
    if reader is None:
        yield Problem(file.source, None, *_unknown(suffix), rest_unread=True)
        return
    if file.size == 0:
        yield Problem(file.source, None, "The file is empty.", "Save it again, or remove it.", rest_unread=True)
        return
    errors, row_unread = 0, False
    for item in _guarded(reader(file, columns or {}), file):
        if isinstance(item, Problem):
            errors += item.severity == "error"
            row_unread |= item.row_unread
            if errors <= MOST_PROBLEMS or item.rest_unread:
                yield item
            continue
        extra = item.extra if item.kind == "comment" else {**item.extra, "mtime": file.modified_at.isoformat()}
        yield about.fill(replace(item, extra=extra, modified_at=file.modified_at))
    if errors > MOST_PROBLEMS:
        what, fix = f"{errors - MOST_PROBLEMS:,} more problems.", "Mend those above first."
        yield Problem(file.source, None, what, fix, row_unread=row_unread)


def _guarded(items: Iterator[RawDocument | Problem], file: SourceFile) -> Iterator[RawDocument | Problem]:
    """Report what happens to the file itself while it is read."""
    try:
        yield from items
        now = file.path.stat()
    except FileNotFoundError:
        what, fix = "The file was removed while it was read.", "Ingest again when it is back."
        yield Problem(file.source, None, what, fix, rest_unread=True)
    except OSError as exc:
        what, fix = f"Cannot be read ({exc.strerror or exc}).", "Check the file and its rights."
        yield Problem(file.source, None, what, fix, rest_unread=True)
    else:
        if (now.st_size, datetime.fromtimestamp(now.st_mtime, UTC)) != (file.size, file.modified_at):
            what, fix = "The file was changed while it was read.", "Ingest again when it is complete."
            yield Problem(file.source, None, what, fix, rest_unread=True)


def _unknown(suffix: str) -> tuple[str, str]:
    if suffix.lower() in _PACKED:
        return f'A packed file ("{suffix}").', "Unpack it and ingest what is inside."
    what = f'Files ending in "{suffix}" are not known.' if suffix else "The name has no ending that says what it is."
    return what, f"Known are: {' '.join(KINDS)}."
