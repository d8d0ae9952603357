"""Sources, comments and passages in SQLite: what the index knows besides vectors and word statistics.

Everything one ingest changes is one transaction, so readers see the old state or the new one and nothing between; the
row `generation` in `meta` tells which. Does not search (see store.py and lexical.py) and does not merge
(see the ingest side).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from rag.errors import StoreMismatch, StoreUnavailable
from rag.records import UNNAMED, UNSURE_BORDER, Comment, Filters, Passage, Quotation, Span, Version, author_key

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


class Corpus:
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

    def source_text(self, name: str) -> str | None:
        """The exact text that offsets into this source refer to."""
        try:
            return stored_text(self.connection, name)
        except LookupError:
            return None

    def empty(self) -> None:
        """Forget all that was read; what is known of the index itself stays."""
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'meta' AND name NOT LIKE 'sqlite_%'"
        for row in self.connection.execute(query).fetchall():
            self.connection.execute(f"DELETE FROM {row['name']}")

    def comment(self, id: str) -> Comment | None:
        """A comment by its id, by one that it had before other sightings were found, or by that of a cross-post."""
        query = "SELECT data FROM comments WHERE id = ?"
        row = self.connection.execute(query, (id,)).fetchone()
        for column, value in (("native_id", id), ("text_hash", id.removeprefix("c-"))):
            if row is None:
                others = self.connection.execute(
                    f"SELECT DISTINCT comment_id FROM pieces WHERE {column} = ? AND kind = 'comment' LIMIT 2", (value,)
                ).fetchall()
                row = self.connection.execute(query, tuple(others[0])).fetchone() if len(others) == 1 else None
        return None if row is None else load_comment(row["data"])

    def comments(self, filters: Filters | None = None, kind: str | None = "comment") -> Iterator[Comment]:
        """Comments in a stable order: by date where known, else as they stand in their source."""
        where, values = _conditions(filters, kind)
        query = f"SELECT data FROM comments c {where} ORDER BY posted_at IS NULL, posted_at, place"
        for row in self.connection.execute(query, values):
            yield load_comment(row["data"])

    def replies(self, comment_id: str) -> list[Comment]:
        rows = self.connection.execute(
            "SELECT data FROM comments WHERE parent_id = ? ORDER BY posted_at", (comment_id,)
        )
        return [load_comment(row["data"]) for row in rows]

    def replies_to(self, authors: Sequence[str], filters: Filters, limit: int) -> list[tuple[str, str]]:
        """Passages of the newest replies to comments of these authors, each with the text of the comment that it answers."""
        where, values = _conditions(filters, "comment")
        to, keys = _conditions(Filters(authors=tuple(authors)), None)
        to = to.replace("c.", "q.").replace("WHERE", "AND" if where else "WHERE")
        query = (
            "SELECT p.id, json_extract(q.data, '$.text') FROM comments c JOIN comments q ON q.id = c.parent_id "
            f"JOIN passages p ON p.comment_id = c.id {where} {to} ORDER BY c.posted_at DESC, p.ordinal LIMIT ?"
        )
        return [tuple(row) for row in self.connection.execute(query, (*values, *keys, limit))]

    def comments_of(self, passage_ids: Sequence[str]) -> list[tuple[str, str, str, datetime | None, str]]:
        """Of those passages that are of comments: their ids, the ids of the comments, who wrote them and when.

        At last what `load_passage` reads, of those that quote somebody else; "" of others.
        """
        query = (
            "SELECT p.id, c.id, c.byline, c.posted_at, "
            "CASE json_extract(p.data, '$.quoted') WHEN '[]' THEN '' ELSE p.data END "
            "FROM passages p JOIN comments c ON c.id = p.comment_id WHERE c.kind = 'comment' AND p.id IN ({})"
        )
        return [(*row[:3], _time(row[3]), row[4]) for row in self._select_in(query, passage_ids)]

    def by_date(self, times: Sequence[Filters], limit: int, *, newest: bool) -> list[str]:
        """Ids of the passages of dated comments that one of these filters admits, the newest or the oldest first."""
        found: list[tuple[str, str]] = []
        order = "DESC" if newest else "ASC"
        for filters in times:
            where, values = _conditions(filters, "comment")
            query = (
                f"SELECT c.posted_at, p.id FROM comments c JOIN passages p ON p.comment_id = c.id {where} "
                f"AND c.posted_at IS NOT NULL ORDER BY c.posted_at {order}, c.id, p.ordinal LIMIT ?"
            )
            found += [tuple(row) for row in self.connection.execute(query, (*values, limit))]
        found.sort(key=itemgetter(0), reverse=newest)  # stable: the passages of a comment stay in order
        return [id for _, id in found[:limit]]

    def by_karma(
        self, times: Sequence[Filters], limit: int, *, highest: bool, among: Sequence[str] | None = None
    ) -> dict[str, float]:
        """The karma of comments by the ids of their passages, the highest or the lowest first.

        Args:
            times: A comment counts that one of these filters admits and that has a karma.
            limit: Most passages.
            highest: Which end of the order.
            among: If given, only these passages.
        """
        where, values = _any_of(times)
        query = (
            "SELECT p.id, c.karma FROM passages p JOIN "
            f"(SELECT id, posted_at, json_extract(data, '$.karma') AS karma FROM comments {where}) c ON p.comment_id = c.id "
            f"WHERE c.karma IS NOT NULL ORDER BY c.karma {'DESC' if highest else 'ASC'}, c.posted_at DESC, c.id, p.ordinal"
        )
        wanted = None if among is None else set(among)
        rows = self.connection.execute(query, values)
        return dict(islice((tuple(row) for row in rows if wanted is None or row[0] in wanted), limit))

    def karma(self, times: Sequence[Filters]) -> tuple[float, int]:
        """The karma of the comments that one of these filters admits, added up, and of how many it is known."""
        where, values = _any_of(times)
        query = (
            "SELECT TOTAL(karma), COUNT(karma) FROM "
            f"(SELECT json_extract(data, '$.karma') AS karma FROM comments {where})"
        )
        return tuple(self.connection.execute(query, values).fetchone())

    def reply_counts(self, authors: Sequence[str], times: Sequence[Filters]) -> tuple[int, int]:
        """How many comments that one of these filters admits reply to a comment of these authors, or of anybody; and by how many people."""
        where, values = _any_of(times)
        to, keys = _conditions(Filters(authors=tuple(authors)), None)
        query = (
            "SELECT COUNT(*), COUNT(DISTINCT r.byline) FROM "
            f"(SELECT byline, parent_id FROM comments {where}) r JOIN comments c ON c.id = r.parent_id {to}"
        )
        return tuple(self.connection.execute(query, (*values, *keys)).fetchone())

    def answered_texts(self, passage_ids: Sequence[str]) -> dict[str, str]:
        """Of those passages that begin a reply: the text of the comment that it answers, by passage id."""
        query = (
            "SELECT p.id, json_extract(q.data, '$.text') FROM passages p JOIN comments c ON c.id = p.comment_id "
            "JOIN comments q ON q.id = c.parent_id WHERE p.ordinal = 0 AND p.id IN ({})"
        )
        return {row[0]: row[1] for row in self._select_in(query, passage_ids)}

    def replies_below(self, passage_ids: Sequence[str], filters: Filters) -> dict[str, str]:
        """The beginnings of replies that pass the filters, each with one of these passages, which it replies to."""
        where, values = _conditions(filters, "comment")
        marks = ", ".join("?" * len(passage_ids))
        query = (
            "SELECT p.id, q.id FROM passages q JOIN comments c ON c.parent_id = q.comment_id "
            f"JOIN passages p ON p.comment_id = c.id AND p.ordinal = 0 {where} AND q.id IN ({marks})"
        )
        return {row[0]: row[1] for row in self.connection.execute(query, (*values, *passage_ids))}

    def thread(self, thread_id: str) -> list[Comment]:
        rows = self.connection.execute("SELECT data FROM comments WHERE thread_id = ? ORDER BY posted_at", (thread_id,))
        return [load_comment(row["data"]) for row in rows]

    def counts(self, *filters: Filters | None) -> tuple[int, int, str | None, str | None]:
        """Comments that one of the filters admits, their authors, first and last date."""
        where, values = _any_of(filters)
        query = f"SELECT COUNT(*), COUNT(DISTINCT byline), MIN(posted_at), MAX(posted_at) FROM comments {where}"
        return tuple(self.connection.execute(query, values).fetchone())

    def authors(self, *filters: Filters | None) -> list[tuple[str, int]]:
        """Bylines and how many comments each wrote that one of the filters admits, most first."""
        where, values = _any_of(filters)
        rows = self.connection.execute(
            f"SELECT MIN(byline), COUNT(*) FROM comments {where} "
            "GROUP BY CASE author_key WHEN '' THEN byline ELSE author_key END ORDER BY COUNT(*) DESC, 1",
            values,
        )
        return [tuple(row) for row in rows]

    def people(self) -> tuple[list[str], list[str]]:
        """Names of authors, and labels of those without a name; authors of profiles included."""
        query = "SELECT MIN(byline) FROM comments WHERE kind != 'document' AND author_key {} '' GROUP BY {} ORDER BY 1"
        named = self.connection.execute(query.format("!=", "author_key")).fetchall()
        unnamed = self.connection.execute(query.format("=", "byline")).fetchall()
        return [row[0] for row in named], [row[0] for row in unnamed if row[0] != UNNAMED]

    def outdated_profiles(self) -> frozenset[str]:
        """Ids of profiles of which a later snapshot has another.

        The later one is that which was seen later, or else that in which more comments stand above those in both.
        """
        older = self.connection.execute(
            "WITH dumps AS (SELECT DISTINCT p.source, c.byline, json_extract(p.data, '$.seen_at') AS seen"
            " FROM pieces p JOIN comments c ON c.id = p.comment_id WHERE p.kind = 'profile') "
            "SELECT a.source FROM dumps a JOIN dumps b ON b.byline = a.byline AND b.source != a.source "
            "LEFT JOIN pieces x ON x.source = a.source AND x.kind = 'comment' "
            "LEFT JOIN pieces y ON y.source = b.source AND y.kind = 'comment' AND y.comment_id = x.comment_id "
            "GROUP BY a.source, b.source HAVING COALESCE(julianday(b.seen) - julianday(a.seen), "
            "AVG(json_extract(y.data, '$.rank') - json_extract(x.data, '$.rank')), 0) > 0"
        )
        outdated = {row[0] for row in older}
        stands = self.connection.execute("SELECT comment_id, source FROM pieces WHERE kind = 'profile'").fetchall()
        current = {row["comment_id"] for row in stands if row["source"] not in outdated}
        return frozenset({row["comment_id"] for row in stands} - current)

    def sources(self) -> list[tuple[str, int]]:
        """Files and how many comments each holds; a document holds none."""
        rows = self.connection.execute(
            "SELECT s.file, COUNT(DISTINCT CASE p.kind WHEN 'comment' THEN p.comment_id END) FROM sources s "
            "LEFT JOIN pieces p ON p.source = s.name GROUP BY s.file ORDER BY s.file"
        )
        return [tuple(row) for row in rows]

    def passage_count(self) -> int:
        return self.connection.execute("SELECT COUNT(*) FROM passages").fetchone()[0]

    def unsure_borders(self) -> int:
        """Comments that may start or end elsewhere."""
        query = "SELECT COUNT(*) FROM comments WHERE json_extract(data, '$.border_confidence') < ?"
        return self.connection.execute(query, (UNSURE_BORDER,)).fetchone()[0]

    def passages(
        self, ids: Sequence[str], scores: Mapping[str, Mapping[str, float]] | None = None
    ) -> dict[str, Passage]:
        """Passages by id, with scores by field and id where given; unknown ids are left out."""
        found = {}
        for id, data in self._select_in("SELECT id, data FROM passages WHERE id IN ({})", ids):
            own = {field: values[id] for field, values in (scores or {}).items() if id in values}
            found[id] = load_passage(data, **own)
        return found

    def passages_of(self, comment_id: str) -> list[Passage]:
        """The passages of one comment, in reading order."""
        query = "SELECT data FROM passages WHERE comment_id = ? ORDER BY ordinal"
        return [load_passage(row["data"]) for row in self.connection.execute(query, (comment_id,))]

    def passages_with_vectors(self, vector_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs (vector id, passage id): two passages with the same words share a vector."""
        rows = self._select_in("SELECT vector_id, id FROM passages WHERE vector_id IN ({})", vector_ids)
        return [tuple(row) for row in rows]

    def vectors_of(self, passage_ids: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Vector id and number of rows by passage id."""
        query = "SELECT id, vector_id, rows FROM passages WHERE id IN ({})"
        return {row[0]: (row[1], row[2]) for row in self._select_in(query, passage_ids)}

    def matching(self, filters: Filters) -> dict[str, tuple[str, int]]:
        """Passage id to vector id and number of rows, for every passage that passes the filters."""
        where, values = _conditions(filters, None)
        query = f"SELECT p.id, p.vector_id, p.rows FROM passages p JOIN comments c ON c.id = p.comment_id {where}"
        return {row[0]: (row[1], row[2]) for row in self.connection.execute(query, values)}

    def containing(self, parts: Sequence[str]) -> list[str]:
        """Ids of the passages whose texts have each of these runs of letters, wherever it stands."""
        where = " AND ".join("instr(json_extract(data, '$.text'), ?)" for _ in parts)
        return [
            row[0] for row in self.connection.execute(f"SELECT id FROM passages WHERE {where} ORDER BY rowid", parts)
        ]

    def files(self) -> dict[str, Path]:
        """Where each file was when it was read, by its name here."""
        return {row["name"]: Path(row["path"]) for row in self.connection.execute("SELECT name, path FROM files")}

    def all_passage_texts(self) -> Iterator[tuple[str, str]]:
        """Ids and texts of all passages, in a stable order."""
        for row in self.connection.execute("SELECT id, data FROM passages ORDER BY rowid"):
            yield row["id"], json.loads(row["data"])["text"]

    def _select_in(self, query: str, values: Sequence[str]) -> Iterator[sqlite3.Row]:
        for at in range(0, len(values), 500):
            batch = list(values[at : at + 500])
            yield from self.connection.execute(query.format(",".join("?" * len(batch))), batch)


def _any_of(filters: Sequence[Filters | None]) -> tuple[str, list[Any]]:
    """SQL over the table `comments`: comments that one of the filters admits; all of them if there are none."""
    admitted = [_conditions(one, "comment") for one in filters or (None,)]
    ids = " UNION ".join(f"SELECT c.id FROM comments c {where}" for where, _ in admitted)
    return f"WHERE id IN ({ids})", [value for _, values in admitted for value in values]


def _conditions(filters: Filters | None, kind: str | None) -> tuple[str, list[Any]]:
    """SQL over the table `comments c`."""
    conditions: list[str] = []
    values: list[Any] = []
    if kind is not None:
        conditions.append("c.kind = ?")
        values.append(kind)
    if filters and filters.authors:
        keys = [author_key(name) for name in filters.authors]
        marks = ",".join("?" * len(keys))
        conditions.append(f"(c.author_key IN ({marks}) OR (c.author_key = '' AND LOWER(c.byline) IN ({marks})))")
        values += keys * 2
    if filters and filters.since:
        conditions.append("c.posted_at >= ?")
        values.append(_moment(filters.since))
    if filters and filters.until:
        conditions.append("c.posted_at <= ?")
        values.append(_moment(filters.until))
    if filters and filters.sources:
        marks = ",".join("?" * len(filters.sources))
        conditions.append(
            "EXISTS (SELECT 1 FROM pieces x JOIN sources s ON s.name = x.source "
            f"WHERE x.comment_id = c.id AND (s.name IN ({marks}) OR s.file IN ({marks})))"
        )
        values += list(filters.sources) * 2
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), values


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


def _moment(value: datetime | None) -> str | None:
    """Fixed width, so that strings sort as times do."""
    return None if value is None else f"{value.year:04}-{value:%m-%dT%H:%M:%S.%f}+00:00"


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def dump_comment(comment: Comment) -> tuple[Any, ...]:
    """A row of the table `comments`."""
    data = {
        "id": comment.id,
        "author": comment.author,
        "text": comment.text,
        "sightings": [[span.source, span.start, span.end] for span in comment.sightings],
        "url": comment.url,
        "posted_at": _moment(comment.posted_at),
        "parent_id": comment.parent_id,
        "thread_id": comment.thread_id,
        "karma": comment.karma,
        "kind": comment.kind,
        "title": comment.title,
        "label": comment.label,
        "quoted": comment.quoted,
        "gaps": comment.gaps,
        "border_confidence": comment.border_confidence,
        "versions": [
            [version.span.source, version.span.start, version.span.end, _moment(version.seen_at), version.of_file]
            for version in comment.versions
        ],
        "extra": dict(comment.extra),
        "quotes": _quotes(comment),
    }
    return (
        comment.id,
        comment.kind,
        author_key(comment.author),
        comment.byline,
        _moment(comment.posted_at),
        comment.parent_id,
        comment.thread_id,
        f"{comment.sightings[0].source}\x00{comment.sightings[0].start:012d}",
        json.dumps(data),
    )


def load_comment(text: str) -> Comment:
    data = json.loads(text)
    return Comment(
        **{
            **data,
            "sightings": tuple(Span(*item) for item in data["sightings"]),
            "posted_at": _time(data["posted_at"]),
            "quoted": _ranges(data["quoted"]),
            "gaps": tuple(data["gaps"]),
            "versions": tuple(Version(Span(*item[:3]), _time(item[3]), *item[4:]) for item in data["versions"]),
            "quotes": tuple(Quotation(*item) for item in data.get("quotes", ())),
        }
    )


_NOT_KEPT = ("score", "dense_score", "lexical_score", "outdated", "asked")
"""What belongs to a search, or depends on other sources."""


def dump_passage(passage: Passage) -> str:
    """The `data` column of the table `passages`; see `_NOT_KEPT`."""
    data = {name: getattr(passage, name) for name in Passage.__dataclass_fields__ if name not in _NOT_KEPT}
    return json.dumps({**data, "posted_at": _moment(passage.posted_at), "quotes": _quotes(passage)})


def load_passage(text: str, **scores: float) -> Passage:
    data: Mapping[str, Any] = json.loads(text)
    return Passage(
        **{
            **data,
            **scores,
            "posted_at": _time(data["posted_at"]),
            "quoted": _ranges(data["quoted"]),
            "gaps": tuple(data["gaps"]),
            "sentences": _ranges(data["sentences"]),
            "quotes": tuple(Quotation(*item) for item in data.get("quotes", ())),
        }
    )


def _quotes(record: Comment | Passage) -> list[list[Any]]:
    return [[quote.start, quote.end, quote.comment_id] for quote in record.quotes]


def _ranges(items: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((item[0], item[1]) for item in items)
