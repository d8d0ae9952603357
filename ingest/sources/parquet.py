"""Parquet, read in batches; the only pyarrow. Lines are rows, counted from 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.rows import Rows

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyarrow.parquet import ParquetFile

EXTENSIONS = (".parquet",)
BATCH = 1_000


def read(file: SourceFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Problem]:
    """Yield the documents of all rows, in order."""
    import pyarrow
    import pyarrow.parquet

    rows = Rows(file, columns)
    try:
        with pyarrow.parquet.ParquetFile(file.path) as table:
            first = 1
            for group in range(table.num_row_groups):
                yield from _group(rows, table, group, first)
                first += table.metadata.row_group(group).num_rows
    except (pyarrow.ArrowException, OSError) as exc:
        yield rows.problem(None, f"Not Parquet, or damaged ({_reason(exc)}).", "Export it again.", rest_unread=True)
        return
    yield from rows.finish()


def _group(rows: Rows, table: ParquetFile, group: int, first: int) -> Iterator[RawDocument | Problem]:
    """The rows of one group, which is as much as damage can take away."""
    import pyarrow

    number, behind = first, first + table.metadata.row_group(group).num_rows
    batches = table.iter_batches(BATCH, row_groups=[group])
    while True:
        try:
            batch = next(batches, None)
        except (pyarrow.ArrowException, OSError) as exc:
            what = f"The rows {number:,} to {behind - 1:,} are damaged ({_reason(exc)})."
            yield rows.problem(number, what, "Export them again; the others were read.", row_unread=True)
            return
        if batch is None:
            return
        for row, mistakes in _values(batch):
            is_there = not mistakes or rows.recognise(row) is not None or rows.says_something(row)
            rest = "the rest of the row was read" if is_there else "the row was left out"
            for mistake in mistakes:
                yield rows.problem(number, mistake, f"Export it again; {rest}.", row_unread=not is_there)
            yield from rows.read(row, number) if is_there else ()
            number += 1


def _values(batch: RecordBatch) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """The rows of a batch as plain data; a cell that cannot be converted does not take the others with it."""
    try:
        whole = batch.to_pylist()
    except (ValueError, OverflowError):
        for index in range(batch.num_rows):
            yield _cells(batch, index)
    else:
        yield from ((row, []) for row in whole)


def _cells(batch: RecordBatch, index: int) -> tuple[dict[str, Any], list[str]]:
    row, mistakes = {}, []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            row[name] = column[index].as_py()
        except (ValueError, OverflowError) as exc:
            mistakes.append(f"{name} cannot be read ({_reason(exc)}).")
    return row, mistakes


def _reason(exc: Exception) -> str:
    return str(exc).split("\n")[0][:200]
