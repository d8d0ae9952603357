"""The SQLite file of one index: its tables, connections and transactions.

Everything one ingest changes is one transaction, so readers see the old state or the new one and nothing between; the
row `generation` in `meta` tells which. What is asked of the tables is in corpus.py.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import StoreMismatch, StoreUnavailable

FORMAT = 1
"""Raise it whenever older code could not read what is written now."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, path TEXT NOT NULL, root TEXT NOT NULL, fingerprint TEXT NOT NULL,
    author TEXT);
CREATE TABLE IF NOT EXISTS readings (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, columns TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sources (
    name TEXT PRIMARY KEY, file TEXT NOT NULL, kind TEXT NOT NULL, fingerprint TEXT NOT NULL, text BLOB NOT NULL,
    data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sources_by_file ON sources (file);
CREATE TABLE IF NOT EXISTS pieces (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    kind TEXT NOT NULL, author_key TEXT NOT NULL, text_hash TEXT NOT NULL, native_id TEXT,
    comment_id TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS pieces_by_native ON pieces (native_id);
CREATE INDEX IF NOT EXISTS pieces_by_source ON pieces (source);
CREATE INDEX IF NOT EXISTS pieces_by_comment ON pieces (comment_id);
CREATE INDEX IF NOT EXISTS pieces_by_text ON pieces (text_hash);
CREATE TABLE IF NOT EXISTS bands (band INTEGER NOT NULL, piece INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS bands_by_band ON bands (band);
CREATE INDEX IF NOT EXISTS bands_by_piece ON bands (piece);
CREATE TABLE IF NOT EXISTS lines (hash INTEGER NOT NULL, source TEXT NOT NULL, start INTEGER NOT NULL, opens INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS lines_by_hash ON lines (hash);
CREATE INDEX IF NOT EXISTS lines_by_source ON lines (source);
CREATE TABLE IF NOT EXISTS wordings (
    id INTEGER PRIMARY KEY, comment_id TEXT NOT NULL UNIQUE, own BLOB NOT NULL, quoted BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS wording_marks (
    mark INTEGER NOT NULL, quoted INTEGER NOT NULL, wording INTEGER NOT NULL, PRIMARY KEY (mark, quoted, wording)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS comments (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, author_key TEXT NOT NULL, byline TEXT NOT NULL, posted_at TEXT,
    parent_id TEXT, thread_id TEXT, place TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS comments_of_author ON comments (author_key, byline, id);
CREATE INDEX IF NOT EXISTS comments_by_parent ON comments (parent_id);
CREATE INDEX IF NOT EXISTS comments_by_thread ON comments (thread_id);
CREATE TABLE IF NOT EXISTS passages (
    id TEXT PRIMARY KEY, comment_id TEXT NOT NULL, ordinal INTEGER NOT NULL, vector_id TEXT NOT NULL,
    rows INTEGER NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_of_comment ON passages (comment_id, id, vector_id, rows);
CREATE INDEX IF NOT EXISTS passages_of_vector ON passages (vector_id, id);
CREATE INDEX IF NOT EXISTS vectors_of_passage ON passages (id, vector_id, rows);
"""


class Database:
    """The SQLite file of one index. Each thread gets a connection of its own.

    Args:
        path: The database file; it is created when missing.

    Raises:
        StoreUnavailable: The file cannot be opened, or is no database.
        StoreMismatch: A newer version of the program wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        with translated(path):
            with self.connection as connection:
                connection.executescript(_SCHEMA)
            found = int(self.meta("format", FORMAT))
        if found > FORMAT:
            raise StoreMismatch(
                f"The index in {path.parent} was written by a newer version (format {found}, this one reads {FORMAT}). "
                "Upgrade, or rebuild it with `python -m ingest --rebuild PATH`."
            )

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        found = getattr(self._local, "connection", None)
        if found is None:
            # An iterator over comments may be read on by another thread, as web frameworks do.
            guarded = sqlite3.threadsafety < 3
            found = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=guarded)
            found.row_factory = sqlite3.Row
            found.execute("PRAGMA journal_mode=WAL")
            found.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = found
        return found

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: an exception, or the end of the process, leaves everything as it was."""
        connection = self.connection
        with translated(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # where the disk is full, SQLite has rolled back by itself
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close this thread's connection."""
        if connection := getattr(self._local, "connection", None):
            connection.close()
            self._local.connection = None

    def meta(self, key: str, default: Any = None) -> Any:
        """A fact about the index."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row["value"])

    def set_meta(self, **facts: Any) -> None:
        self.connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, json.dumps(value)) for key, value in facts.items()]
        )

    def empty(self) -> None:
        """Forget all that was read; what is known of the index itself stays."""
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'meta' AND name NOT LIKE 'sqlite_%'"
        for row in self.connection.execute(query).fetchall():
            self.connection.execute(f"DELETE FROM {row['name']}")

    def select_in(self, query: str, values: Sequence[str]) -> Iterator[sqlite3.Row]:
        """The rows of a query with `IN ({})` in it, for any number of values."""
        for at in range(0, len(values), 500):
            batch = list(values[at : at + 500])
            yield from self.connection.execute(query.format(",".join("?" * len(batch))), batch)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.OperationalError as exc:
        raise StoreUnavailable(
            f"The index {path} cannot be used: {exc}. Check that the disk has room, the folder is writable "
            "and no other ingest is running."
        ) from exc
    except sqlite3.DatabaseError as exc:
        raise StoreUnavailable(
            f"The index {path} is damaged ({exc}). Delete the folder {path.parent} and ingest again."
        ) from exc


def encode(text: str) -> bytes:
    """Text as stored: lone surrogates, which JSON can smuggle in, survive."""
    return text.encode("utf-8", "surrogatepass")


def stored_text(connection: sqlite3.Connection, name: str) -> str:
    """The text of a source.

    Raises:
        LookupError: There is no such source.
    """
    row = connection.execute("SELECT text FROM sources WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise LookupError(name)
    return decode(row["text"])


def decode(data: bytes) -> str:
    return bytes(data).decode("utf-8", "surrogatepass")
