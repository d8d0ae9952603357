"""A second copy of the vectors, as blocks of bytes, for fast reads of many by id.

Chroma hands rows over number by number: the 100 rows of one author take 3 ms from it and 0.3 ms from here, beside the 5 ms
of embedding a question; from a Chroma server the way through the network comes on top. A copy and nothing more: what it
lacks is read from Chroma, and one that cannot be read is done without.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    collection TEXT NOT NULL, id TEXT NOT NULL, rows INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (collection, id));
"""
_AT_ONCE = 500


class RowCopy:
    """One SQLite file. Safe to share between threads.

    Args:
        path: The file; it is created when first written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._usable = True

    def read(self, collection: str, counts: Mapping[str, int]) -> dict[str, np.ndarray]:
        """Rows of vectors, float32 of shape (rows, dimension), by id.

        Args:
            collection: Where they belong.
            counts: How many rows each has; one that has another number of rows is left out, as is what is not here.
        """

        def select() -> dict[str, np.ndarray]:
            found, ids = {}, list(counts)
            for at in range(0, len(ids), _AT_ONCE):
                some = ids[at : at + _AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT id, rows, data FROM vectors WHERE collection = ? AND id IN ({marks})"
                for id, rows, data in self._connection().execute(query, (collection, *some)):
                    if rows == counts[id]:
                        found[id] = np.frombuffer(data, dtype="<f4").reshape(rows, -1)
            return found

        return self._tried(select, {}) if self._path.is_file() else {}

    def write(self, collection: str, vectors: Mapping[str, np.ndarray]) -> None:
        """Keep the rows of vectors."""
        values = [(collection, id, len(rows), rows.astype("<f4").tobytes()) for id, rows in vectors.items()]
        self._change("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", values)

    def delete(self, collection: str, ids: Iterable[str]) -> None:
        """Forget vectors."""
        self._change("DELETE FROM vectors WHERE collection = ? AND id = ?", [(collection, id) for id in ids])

    def keep_only(self, collection: str) -> None:
        """Forget all that belong elsewhere."""
        if self._path.is_file():
            self._change("DELETE FROM vectors WHERE collection != ?", [(collection,)])

    def _change(self, statement: str, values: Sequence[tuple[str | int | bytes, ...]]) -> None:
        def run() -> None:
            with self._connection() as connection:  # one transaction
                connection.executemany(statement, values)

        if values:
            self._tried(run, None)

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self._path, timeout=30)
            found.execute("PRAGMA journal_mode=WAL")
            found.execute("PRAGMA synchronous=NORMAL")
            found.executescript(_SCHEMA)
            self._local.connection = found
        return found

    def _tried(self, work: Callable[[], Result], otherwise: Result) -> Result:
        if not self._usable:
            return otherwise
        try:
            return work()
        except (sqlite3.Error, ValueError) as exc:
            self._usable = False
            log.warning("%s is not used (%s): vectors are read from Chroma, more slowly.", self._path, exc)
            return otherwise
