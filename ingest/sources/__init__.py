"""Read sources: one module per kind of source; each yields raw documents with exact offsets, or problems.

Nothing raises for what a file holds: a problem names the file, the line and the way out, and everything else is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ingest.sources import csv_file, json_file, json_lines, parquet, rows, text_file
from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.folders import SIDECAR, files

__all__ = ["KINDS", "Problem", "RawDocument", "SourceFile", "files", "read", "read_file"]

_READERS = {
    **dict.fromkeys(text_file.EXTENSIONS, lambda file, columns: text_file.read(file)),
    **dict.fromkeys(json_lines.EXTENSIONS + json_file.EXTENSIONS, json_file.read),
    **dict.fromkeys(csv_file.EXTENSIONS, csv_file.read),
    **dict.fromkeys(parquet.EXTENSIONS, parquet.read),
}
KINDS = tuple(_READERS)
"""Endings of files that can be read."""


@dataclass(frozen=True, slots=True)
class About:
    """What a sidecar or an option says about a file; it fills in what the file itself leaves open."""

    author: str | None = None
    url: str | None = None
    seen_at: datetime | None = None


def read(
    paths: Sequence[str | Path],
    *,
    columns: Mapping[str, str] | None = None,
    author_names: Mapping[str, str] | None = None,
) -> Iterator[RawDocument | Problem]:
    """Read files and folders, one document at a time.

    Args:
        paths: Files and folders, in the order they are read.
        columns: For rows: our column -> the file's, with dots into nested objects, as in
            `{"text": "body", "author": "user.name"}`; `html` is converted to markdown.
        author_names: File (name, or as much of its path as it takes) -> author of what it holds.

    Raises:
        SourceError: `columns` names a column that does not exist.
    """
    rows.check_columns(columns)
    return _read(paths, columns or {}, author_names or {})


def _read(
    paths: Sequence[str | Path], columns: Mapping[str, str], author_names: Mapping[str, str]
) -> Iterator[RawDocument | Problem]:
    listed = list(files(paths))
    authors, mistakes = _authors([item for item in listed if isinstance(item, SourceFile)], author_names)
    yield from mistakes
    for item in listed:
        if isinstance(item, Problem):
            yield item
        else:
            yield from read_file(item, columns=columns, author=authors.get(item.source))


def read_file(
    file: SourceFile, *, columns: Mapping[str, str] | None = None, author: str | None = None
) -> Iterator[RawDocument | Problem]:
    """Read one of `files()`.

    Args:
        author: Who wrote what the file does not attribute; wins over the sidecar.
    """
    about = About()
    for item in _sidecar(file):
        if isinstance(item, Problem):
            yield item
        else:
            about = item
    about = replace(about, author=author or about.author)
    reader = _READERS.get(file.path.suffix.lower())
    if reader is None:
        yield Problem(file.source, None, *_unknown(file.path.suffix))
        return
    try:
        for item in reader(file, columns or {}):
            yield _with(about, file, item) if isinstance(item, RawDocument) else item
    except OSError as exc:
        yield Problem(file.source, None, f"Cannot be read ({exc.strerror}).", "Check the file and its rights.")
    yield from _changed(file)


def _with(about: About, file: SourceFile, document: RawDocument) -> RawDocument:
    alone = document.kind != "comment"
    return replace(
        document,
        author=document.author or about.author,
        url=document.url or (about.url if alone else None),
        seen_at=document.seen_at or about.seen_at,
        extra={**document.extra, "mtime": file.modified_at.isoformat()} if alone else document.extra,
    )


def _changed(file: SourceFile) -> Iterator[Problem]:
    try:
        now = file.path.stat()
    except OSError:
        yield Problem(file.source, None, "The file was removed while it was read.", "Ingest again when it is back.")
        return
    if (now.st_size, datetime.fromtimestamp(now.st_mtime, UTC)) != (file.size, file.modified_at):
        yield Problem(file.source, None, "The file was changed while it was read.", "Ingest again when it is complete.")


def _unknown(suffix: str) -> tuple[str, str]:
    if suffix.lower() in (".gz", ".zip", ".zst", ".bz2", ".xz", ".7z", ".tar", ".tgz"):
        return f'A compressed file ("{suffix}").', "Unpack it and ingest what is inside."
    what = f'Files ending in "{suffix}" are not known.' if suffix else "The file name has no ending that says what it is."
    return what, f"Known are: {' '.join(KINDS)}."


def _authors(listed: list[SourceFile], author_names: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    authors, mistakes = {}, []
    for name, author in author_names.items():
        parts = PurePosixPath(name).parts
        matching = [file for file in listed if name == file.source] or [
            file for file in listed if parts and file.path.parts[-len(parts) :] == parts
        ]
        if len(matching) == 1 and author.strip():
            authors[matching[0].source] = author.strip()
        elif not author.strip():
            mistakes.append(Problem(name, None, "The author name given for it is empty.", "Give a name."))
        elif matching:
            several = ", ".join(file.source for file in matching)
            mistakes.append(Problem(name, None, f"An author name was given, but it fits {several}.", "Give more of the path."))
        else:
            mistakes.append(
                Problem(name, None, "An author name was given, but no such file was read.", "Check the file's name.")
            )
    return authors, mistakes


def _sidecar(file: SourceFile) -> Iterator[About | Problem]:
    path = file.path.with_name(file.path.name + SIDECAR)
    source = file.source + SIDECAR
    try:
        with path.open("rb") as stream:
            said: Any = json.loads(stream.read(2**20))
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError) as exc:
        yield Problem(source, getattr(exc, "lineno", None), f"Cannot be read ({exc}).", "It must be a JSON object.")
        return
    if not isinstance(said, dict):
        yield Problem(source, None, "Not a JSON object.", 'Write {"author": "...", "url": "...", "seen_at": "2024-05-01"}.')
        return
    row = rows.Row(said, None, {})
    about = About(row.name("author"), row.link("url"), row.date("seen_at"))
    yield from (replace(problem, source=source) for problem in row.problems)
    for name in said.keys() - {"author", "url", "seen_at"}:
        yield Problem(source, None, f'"{name}" means nothing in a sidecar.', "Known are author, url and seen_at.")
    yield about
