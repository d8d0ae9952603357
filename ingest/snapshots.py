"""The same comment seen twice is one comment.

A piece is one sighting: a range of one source. Pieces are filed as they come; when comments are asked for, those that
could be one with a new piece are looked up and grouped anew (see grouping.py), so neither groups nor their ids depend
on the order of reading. Does not read files and does not write passages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from sqlite3 import Connection, Row
from typing import Any

from ingest.fingerprints import SAME_WORDS, near_duplicate_bands, overlap, text_hash, triples
from ingest.grouping import MOST_ALIKE, SHORT, Piece, grouped
from rag.index.database import stored_text
from rag.records import Comment, Range, Span, Version, as_datetime, author_key

_PARENT = "json_extract(data, '$.parent_id')"
_PIECES = "SELECT p.*, s.file FROM pieces p JOIN sources s ON s.name = p.source"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A piece before it is filed: what a source says about one text."""

    source: str
    start: int
    end: int
    text: str
    kind: str
    native_id: str | None = None
    author: str | None = None
    label: str | None = None
    url: str | None = None
    posted_at: datetime | None = None
    parent_id: str | None = None
    thread_id: str | None = None
    title: str | None = None
    karma: float | None = None
    seen_at: datetime | None = None
    modified_at: datetime | None = None
    """When its file was last written."""
    rank: int = 0
    """How many comments of the same dump stand above it: the later a snapshot was taken, the more there are."""
    quoted: tuple[Range, ...] = ()
    """Relative to `text`, like `gaps`."""
    gaps: tuple[int, ...] = ()
    border_confidence: float = 1.0
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        data = {name: getattr(self, name) for name in Sighting.__dataclass_fields__ if name != "text"}
        return json.dumps(data, default=lambda value: value.isoformat() if isinstance(value, datetime) else str(value))

    @classmethod
    def from_json(cls, text: str, data: str) -> Sighting:
        values = json.loads(data)
        values["quoted"] = tuple(tuple(item) for item in values["quoted"])
        values["gaps"] = tuple(values["gaps"])
        for name in ("posted_at", "seen_at", "modified_at"):
            values[name] = as_datetime(values.get(name))
        return cls(text=text, **values)


class Snapshots:
    """Files pieces and groups them into comments, inside the transaction of an ingest."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        # Made by who writes: readers may have no right to.
        connection.execute(f"CREATE INDEX IF NOT EXISTS pieces_by_parent ON pieces ({_PARENT})")
        self._dirty: set[str] = set()
        self._waiting: set[int] = set()
        """Pieces whose group is to be decided."""
        self._freed = _shared(())
        """What pieces that were taken out shared with others."""

    @property
    def dirty(self) -> set[str]:
        """Comments whose pieces have changed."""
        self._group_waiting()
        return self._dirty

    def add(self, sighting: Sighting) -> None:
        """File one piece."""
        data = (sighting.source, sighting.start, sighting.end, sighting.kind, author_key(sighting.author))
        digest = text_hash(sighting.text)
        # Pieces of the same wording need the keys of their words once.
        known = self._db.execute("SELECT 1 FROM pieces WHERE text_hash = ? AND kind = 'comment' LIMIT 1", (digest,))
        bands = near_duplicate_bands(sighting.text) if sighting.kind == "comment" and not known.fetchone() else ()
        cursor = self._db.execute(
            "INSERT INTO pieces (source, start, end, kind, author_key, text_hash, native_id, comment_id, data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, '', ?)",
            (*data, digest, sighting.native_id, sighting.to_json()),
        )
        self._db.executemany("INSERT INTO bands VALUES (?, ?)", [(band, cursor.lastrowid) for band in bands])
        self._waiting.add(cursor.lastrowid)

    def remove(self, source: str) -> None:
        """Take out all pieces of a source; what they stood with, or in the way of, is grouped anew."""
        rows = self._db.execute("SELECT * FROM pieces WHERE source = ?", (source,)).fetchall()
        self._dirty |= {row["comment_id"] for row in rows} - {""}
        self._dirty |= self._replies(rows)
        self._waiting -= {row["id"] for row in rows}
        for column, values in _shared(rows).items():
            self._freed[column] |= values
        for row in rows:
            self._freed["text_hash"] |= self._sharing_bands([row["id"]])
        self._db.execute("DELETE FROM pieces WHERE source = ?", (source,))
        for row in rows:
            query = "SELECT id FROM pieces WHERE text_hash = ? AND kind = 'comment' LIMIT 1"
            if heir := self._db.execute(query, (row["text_hash"],)).fetchone():
                self._db.execute("UPDATE bands SET piece = ? WHERE piece = ?", (heir["id"], row["id"]))
            else:
                self._db.execute("DELETE FROM bands WHERE piece = ?", (row["id"],))

    def comment(self, comment_id: str) -> Comment | None:
        """A comment made of its pieces; None if it has none left."""
        self._group_waiting()
        rows = self._db.execute(f"{_PIECES} WHERE p.comment_id = ?", (comment_id,)).fetchall()
        if not rows:
            return None
        ranked = _newest_first(map(self._sighting, rows))
        best = ranked[0]
        digest = text_hash(best.text)
        changed = [piece for piece in ranked[1:] if text_hash(piece.text) != digest]
        known = {**_first_known(ranked), "parent_id": self._parent(ranked, rows)}
        return Comment(
            id=comment_id,
            text=best.text,
            sightings=tuple(Span(piece.source, piece.start, piece.end) for piece in ranked),
            kind=best.kind,
            quoted=best.quoted,
            gaps=best.gaps,
            border_confidence=max(piece.border_confidence for piece in ranked if piece not in changed),
            versions=tuple(map(_version, changed)),
            **known,
        )

    def _sighting(self, row: Row) -> Sighting:
        return Sighting.from_json(self._text(row), row["data"])

    def _text(self, row: Row) -> str:
        return stored_text(self._db, row["source"])[row["start"] : row["end"]]

    # --- grouping ---

    def _group_waiting(self) -> None:
        self._waiting |= self._sharing(self._freed)
        for values in self._freed.values():
            values.clear()
        while self._waiting:
            rows, alike = self._related(self._waiting.pop())
            self._waiting.difference_update(rows)
            for row in rows.values():
                if row["kind"] != "comment":
                    self._file(self._id(row), [row])
            pieces = [_piece(row) for row in rows.values() if row["kind"] == "comment"]
            for comment_id, group in grouped(pieces, alike).items():
                self._file(comment_id, [rows[piece.id] for piece in group])

    def _id(self, row: Row) -> str:
        """What a profile or document is called."""
        place = f"{row['source']}#{row['start']}"
        if row["kind"] == "document":
            # A post is known by its identifier on its site, and what has none by its words: its file may be renamed.
            words = f"{row['author_key']}\0{' '.join(self._text(row).split())}"
            place = words if row["native_id"] is None else _piece(row).permanent_id or place
        return f"{row['kind'][0]}-{hashlib.sha256(place.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"

    def _file(self, comment_id: str, rows: Collection[Row]) -> None:
        moved = [row for row in rows if row["comment_id"] != comment_id]
        for row in moved:
            self._dirty |= {comment_id, row["comment_id"]} - {""}
            self._db.execute("UPDATE pieces SET comment_id = ? WHERE id = ?", (comment_id, row["id"]))
        self._dirty |= self._replies(moved)

    def _replies(self, rows: Iterable[Row]) -> set[str]:
        """Comments that may answer some."""
        query = f"SELECT comment_id FROM pieces WHERE {_PARENT} IN ({{}})"
        found = self._select(query, {row["native_id"] for row in rows} - {None})
        return {row["comment_id"] for row in found} - {""}

    def _parent(self, ranked: Iterable[Sighting], rows: Iterable[Row]) -> str | None:
        """The comment that is answered, under the id it has here; its own identifier where it is not indexed."""
        best = next((piece for piece in ranked if piece.parent_id is not None), None)
        if best is None:
            return None
        reply = next(_piece(row) for row in rows if (row["source"], row["start"]) == (best.source, best.start))
        query = f"{_PIECES} WHERE p.native_id = ? AND p.kind = 'comment'"
        named = self._db.execute(query, (best.parent_id,)).fetchall()
        near = [row for row in named if row["file"] == reply.file]
        near = near or [row for row in named if _piece(row).may_be_answered_by(reply)]
        found = {row["comment_id"] for row in near}
        if not named:
            return best.parent_id
        return found.pop() if len(found) == 1 and not found & {row["comment_id"] for row in rows} else None

    def _related(self, piece: int) -> tuple[dict[int, Row], dict[tuple[str, str], float]]:
        """What has to be grouped together with a piece, by id, and which wordings are alike; nothing if it is gone."""
        found: dict[int, Row] = {}
        alike: dict[tuple[str, str], float] = {}
        seen: set[str] = set()
        read: dict[str, tuple[list[Row], set[str]]] = {}
        near = {piece}
        while near:
            rows = list(self._select(f"{_PIECES} WHERE p.id IN ({{}})", near))
            found |= {row["id"]: row for row in rows}
            shared = _shared(rows)
            for digest in shared["text_hash"] - seen:
                for other, likeness in self._like(digest, read):
                    alike[min(digest, other), max(digest, other)] = likeness
            seen |= shared["text_hash"]
            shared["text_hash"] |= {digest for pair in alike for digest in pair}
            near = self._sharing(shared) - found.keys()
        return found, alike

    def _sharing(self, values: Mapping[str, Collection[str]]) -> set[int]:
        """Pieces of comments that have something of `_shared` in common."""
        query = "SELECT id FROM pieces WHERE kind = 'comment' AND {} IN ({{}})"
        queries = {column: query.format(column) for column in values}
        queries["text_hash"] += f" AND (native_id IS NULL OR end - start >= {SHORT})"
        return {row["id"] for column in values for row in self._select(queries[column], values[column])}

    def _like(self, digest: str, read: dict[str, tuple[list[Row], set[str]]]) -> Iterator[tuple[str, float]]:
        """Wordings that are nearly the same as one and may be the same comment, with their similarity."""
        holders = self._db.execute("SELECT id FROM pieces WHERE text_hash = ?", (digest,)).fetchall()
        for other in self._sharing_bands([row["id"] for row in holders]) - {digest}:
            (ours, words), (theirs, other_words) = (self._wording(hash, read) for hash in (digest, other))
            if any(_may_be_one(a, b) for a in ours for b in theirs):
                likeness = overlap(words, other_words)
                if likeness >= SAME_WORDS:
                    yield other, likeness

    def _wording(self, digest: str, read: dict[str, tuple[list[Row], set[str]]]) -> tuple[list[Row], set[str]]:
        if digest not in read:
            query = f"{_PIECES} WHERE p.text_hash = ? AND p.kind = 'comment' LIMIT {MOST_ALIKE}"
            rows = self._db.execute(query, (digest,)).fetchall()
            read[digest] = rows, triples(self._text(rows[0]))
        return read[digest]

    def _sharing_bands(self, pieces: Iterable[int]) -> set[str]:
        """Hashes of wordings that may be nearly the same as those of pieces, and these themselves."""
        found: set[str] = set()
        for row in self._select("SELECT DISTINCT band FROM bands WHERE piece IN ({})", pieces):
            query = "SELECT p.text_hash FROM bands b JOIN pieces p ON p.id = b.piece WHERE b.band = ? LIMIT ?"
            hashes = {row[0] for row in self._db.execute(query, (row["band"], MOST_ALIKE + 1))}
            found |= hashes if len(hashes) <= MOST_ALIKE else set()
        return found

    def _select(self, query: str, values: Iterable[Any]) -> Iterator[Row]:
        values = sorted(values)
        for at in range(0, len(values), 500):
            batch = values[at : at + 500]
            yield from self._db.execute(query.format(",".join("?" * len(batch))), batch).fetchall()


def _shared(rows: Collection[Row]) -> dict[str, set[str]]:
    """What other pieces may have in common with some; a short text with an identifier is known by that alone."""
    rows = [row for row in rows if row["kind"] == "comment"]
    shared = {name: {row[name] for row in rows if row[name]} for name in ("comment_id", "native_id")}
    said = (row["text_hash"] for row in rows if row["native_id"] is None or row["end"] - row["start"] >= SHORT)
    return {**shared, "text_hash": set(said)}


def _piece(row: Row) -> Piece:
    said = json.loads(row["data"])
    return Piece(
        id=row["id"],
        file=row["file"],
        place=(row["source"], row["start"]),
        length=row["end"] - row["start"],
        text_hash=row["text_hash"],
        native_id=row["native_id"],
        author_key=row["author_key"],
        label=said["label"],
        url=said["url"],
        posted_at=as_datetime(said["posted_at"]),
        thread_id=said["thread_id"],
    )


def _may_be_one(one: Row, other: Row) -> bool:
    """Whether two sightings with nearly the same words can be one comment; two rows of a file cannot."""
    if one["file"] == other["file"]:
        return False
    if one["native_id"] is not None and one["native_id"] == other["native_id"]:
        return True
    authors = {one["author_key"], other["author_key"]}
    identified = one["native_id"] is not None and other["native_id"] is not None
    return len(authors - {""}) <= 1 and not (identified and "" in authors)


def _newest_first(pieces: Iterable[Sighting]) -> list[Sighting]:
    """Best first: a source that knows the borders, then the latest snapshot."""
    # Names are the last resort; of those with a date in them the later is the newer.
    named = sorted(sorted(pieces, key=lambda piece: piece.start), key=lambda piece: piece.source, reverse=True)
    return sorted(named, key=_preference)


def _preference(piece: Sighting) -> tuple[Any, ...]:
    seen = max(_seconds(piece.seen_at), _seconds(_edited_at(piece)))
    # Minutes: what was copied together tells nothing by its order.
    return (piece.native_id is None, -seen, -piece.rank, -_seconds(piece.modified_at) // 60)


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _edited_at(piece: Sighting) -> datetime | None:
    """When the source says that it was edited: it was seen after that."""
    for name in ("edited_at", "lastEditedAt"):
        with suppress(ValueError, TypeError):
            if edited := as_datetime(piece.extra.get(name)):
                return edited
    return None


def _version(piece: Sighting) -> Version:
    span = Span(piece.source, piece.start, piece.end)
    return Version(
        span, piece.seen_at or piece.modified_at, of_file=piece.seen_at is None and piece.modified_at is not None
    )


_FACTS = ("author", "url", "posted_at", "parent_id", "thread_id", "title", "karma", "label")


def _first_known(ranked: list[Sighting]) -> dict[str, Any]:
    facts = {
        name: next((getattr(piece, name) for piece in ranked if getattr(piece, name) is not None), None)
        for name in _FACTS
    }
    extra = {name: value for piece in reversed(ranked) for name, value in piece.extra.items() if name != "mtime"}
    return {**facts, "extra": extra}
