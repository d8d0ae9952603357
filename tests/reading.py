"""Files and folders read as an ingest reads them, without an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ingest.sources import Problem, RawDocument, SourceFile, authors, files, read_file


def read(
    paths: Sequence[str | Path],
    *,
    columns: Mapping[str, str] | None = None,
    author_names: Mapping[str, str] | None = None,
) -> Iterator[RawDocument | Problem]:
    """One document or problem at a time; nothing is opened before it is asked for."""
    listed = list(files(paths))
    named, mistakes = authors([item for item in listed if isinstance(item, SourceFile)], author_names or {})
    yield from mistakes
    for item in listed:
        if isinstance(item, Problem):
            yield item
        else:
            yield from read_file(item, columns=columns, author=named.get(item.source))
