"""What the index knows besides vectors and word statistics: queries over its sources, comments and passages.

Does not search (see store.py and lexical.py) and does not merge (see the ingest side).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from rag.index.database import Database, stored_text
from rag.index.stored_records import load_comment, load_passage, parse_timestamp, timestamp
from rag.records import UNNAMED, UNSURE_BORDER, Comment, Filters, Passage, author_key


class Corpus(Database):
    """Sources, comments and passages of one index, as they were written by `rag.index.writer`."""

    def source_text(self, name: str) -> str | None:
        """The exact text that offsets into this source refer to."""
        try:
            return stored_text(self.connection, name)
        except LookupError:
            return None

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
        return [(*row[:3], parse_timestamp(row[3]), row[4]) for row in self.select_in(query, passage_ids)]

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
        return {row[0]: row[1] for row in self.select_in(query, passage_ids)}

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
        for id, data in self.select_in("SELECT id, data FROM passages WHERE id IN ({})", ids):
            own = {field: values[id] for field, values in (scores or {}).items() if id in values}
            found[id] = load_passage(data, **own)
        return found

    def passages_of(self, comment_id: str) -> list[Passage]:
        """The passages of one comment, in reading order."""
        query = "SELECT data FROM passages WHERE comment_id = ? ORDER BY ordinal"
        return [load_passage(row["data"]) for row in self.connection.execute(query, (comment_id,))]

    def passages_with_vectors(self, vector_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs (vector id, passage id): two passages with the same words share a vector."""
        rows = self.select_in("SELECT vector_id, id FROM passages WHERE vector_id IN ({})", vector_ids)
        return [tuple(row) for row in rows]

    def vectors_of(self, passage_ids: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Vector id and number of rows by passage id."""
        query = "SELECT id, vector_id, rows FROM passages WHERE id IN ({})"
        return {row[0]: (row[1], row[2]) for row in self.select_in(query, passage_ids)}

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
        values.append(timestamp(filters.since))
    if filters and filters.until:
        conditions.append("c.posted_at <= ?")
        values.append(timestamp(filters.until))
    if filters and filters.sources:
        marks = ",".join("?" * len(filters.sources))
        conditions.append(
            "EXISTS (SELECT 1 FROM pieces x JOIN sources s ON s.name = x.source "
            f"WHERE x.comment_id = c.id AND (s.name IN ({marks}) OR s.file IN ({marks})))"
        )
        values += list(filters.sources) * 2
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), values
