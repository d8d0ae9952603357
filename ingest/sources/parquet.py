"""Parquet, read in batches; the only pyarrow. Lines are rows, counted from 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.rows import Rows

EXTENSIONS = (".parquet",)
BATCH = 1_000


def read(file: SourceFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Problem]:
    """Yield the documents of all rows, in order."""
    import pyarrow
    import pyarrow.parquet

    rows = Rows(file, columns)
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(file.path) as table:
            for batch in table.iter_batches(BATCH):
                for row in _values(batch):
                    number += 1
                    if isinstance(row, Exception):
                        what = f"The row cannot be read ({_reason(row)})."
                        yield rows.problem(number, what, "Export it again.", row_unread=True)
                    else:
                        yield from rows.read(row, number)
    except (pyarrow.ArrowException, OSError) as exc:
        what = f"Not Parquet, or damaged ({_reason(exc)})."
        yield rows.problem(number or None, what, "Export it again; the rows up to there were read.", rest_unread=True)
        return
    yield from rows.finish()


def _values(batch: Any) -> Iterator[dict[str, Any] | Exception]:
    """The rows of a batch as plain data; one that cannot be converted does not take the others with it."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError, UnicodeDecodeError):
        for index in range(batch.num_rows):
            try:
                yield from batch.slice(index, 1).to_pylist()
            except (ValueError, OverflowError) as exc:
                yield exc


def _reason(exc: Exception) -> str:
    return str(exc).split("\n")[0][:200]
