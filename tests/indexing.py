"""Rows of comments as a file, and as an index of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import ingest
from rag.settings import Settings


class IndexOf(Protocol):
    """What the fixture `index_of` gives: settings of a new index of these rows, in a folder of its own."""

    def __call__(self, rows: Iterable[Mapping[str, object]], **settings: Any) -> Settings: ...


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """JSON Lines; gives the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def ingest_rows(
    folder: Path, rows: Iterable[Mapping[str, object]], settings: Settings, **options: Any
) -> ingest.IngestReport:
    """Put rows into an index, as a file of this folder that each time replaces the one before."""
    return ingest.ingest([write_rows(folder / "rows.jsonl", rows)], settings=settings, **options)
