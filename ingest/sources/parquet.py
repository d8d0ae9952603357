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
        with pyarrow.parquet.ParquetFile(file.path, page_checksum_verification=True) as table:
            first = 1
            for group in range(table.num_row_groups):
                yield from _group(rows, table, group, first)
                first += table.metadata.row_group(group).num_rows
    except (pyarrow.ArrowException, OSError) as exc:
        yield rows.problem(None, f"Not Parquet, or damaged ({_reason(exc)}).", "Export it again.", rest_unread=True)
        return
    yield from rows.finish()


def _group(rows: Rows, table: ParquetFile, group: int, first: int) -> Iterator[RawDocument | Problem]:
    """The rows of one group; of a damaged one those before the damage, and of the others the columns that are whole."""
    import pyarrow

    number = first
    try:
        for batch in table.iter_batches(BATCH, row_groups=[group]):
            yield from _batch(rows, batch, number)
            number += batch.num_rows
    except (pyarrow.ArrowException, OSError) as exc:
        last = first + table.metadata.row_group(group).num_rows - 1
        yield from _without_damaged_columns(rows, table, group, range(first, last + 1), number, _reason(exc))


def _without_damaged_columns(
    rows: Rows, table: ParquetFile, group: int, numbers: range, number: int, reason: str
) -> Iterator[RawDocument | Problem]:
    """Read what a damaged group still holds, from row `number` on; without its texts it holds nothing."""
    names = table.schema_arrow.names
    damaged = [name for name in names if not _is_whole(table, group, name)]
    kept = [name for name in names if name not in damaged]

    def batches() -> Iterator[RecordBatch]:
        return table.iter_batches(BATCH, row_groups=[group], columns=kept) if damaged and kept else iter(())

    if not any(rows.has_text(row) for batch in batches() for row, _ in _values(batch)):
        what = f"The rows {number:,} to {numbers[-1]:,} are damaged ({reason})."
        yield rows.problem(number, what, "Export them again; the others were read.", row_unread=True)
        return
    listed = f"column{'s' * (len(damaged) > 1)} {', '.join(damaged[:12])}"
    what = f"The {listed} of the rows {number:,} to {numbers[-1]:,} cannot be read ({reason})."
    # The ids may have been lost: what the rows were called before may still be among them.
    yield rows.problem(number, what, "Export it again; the rest of these rows was read.", row_unread=True)
    at = numbers[0]
    for batch in batches():
        unread = batch.slice(max(0, number - at))
        yield from _batch(rows, unread, max(number, at))
        at += batch.num_rows


def _is_whole(table: ParquetFile, group: int, name: str) -> bool:
    import pyarrow

    try:
        for _ in table.iter_batches(BATCH, row_groups=[group], columns=[name]):
            pass
    except (pyarrow.ArrowException, OSError):
        return False
    return True


def _batch(rows: Rows, batch: RecordBatch, first: int) -> Iterator[RawDocument | Problem]:
    for number, (row, mistakes) in enumerate(_values(batch), start=first):
        is_there = not mistakes or rows.has_text(row)
        rest = "the rest of the row was read" if is_there else "the row was left out"
        for mistake in mistakes:
            yield rows.problem(number, mistake, f"Export it again; {rest}.", row_unread=not is_there)
        yield from rows.read(row, number) if is_there else ()


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
