"""The same comment seen twice is one comment.

A piece is one sighting: a range of one source. Pieces with the same identifier, the same words or nearly the same
words (and no contradicting author) form one comment. Which group a piece joins does not depend on the order of
reading, and neither does a group's id. Does not read files and does not write passages.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from sqlite3 import Connection, Row
from typing import Any

from rag.records import Comment, Range, Span, Version, as_datetime, author_key

SAME_WORDS = 0.7
"""Jaccard similarity of word triples above which two texts are versions of one comment."""
SHORT = 40
"""Characters below which equal words do not make two pieces of different sources the same comment: "Thanks!" is said often."""
_PERMUTATIONS, _BAND = 64, 4
_WORD = re.compile(r"\w+")


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
        for name in ("posted_at", "seen_at"):
            values[name] = as_datetime(values[name])
        return cls(text=text, **values)


class Snapshots:
    """Files pieces and groups them into comments, inside the transaction of an ingest."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self.dirty: set[str] = set()
        """Comments whose pieces have changed."""
        self.merged = 0

    def add(self, sighting: Sighting) -> None:
        """File one piece and join it to the comment it belongs to."""
        data = (sighting.source, sighting.start, sighting.end, sighting.kind, author_key(sighting.author))
        digest = text_hash(sighting.text)
        cursor = self._db.execute(
            "INSERT INTO pieces (source, start, end, kind, author_key, text_hash, native_id, comment_id, data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, '', ?)",
            (*data, digest, sighting.native_id, sighting.to_json()),
        )
        bands = near_duplicate_bands(sighting.text) if sighting.kind == "comment" else []
        self._db.executemany("INSERT INTO bands VALUES (?, ?)", [(band, cursor.lastrowid) for band in bands])
        self._group(cursor.lastrowid, sighting, digest, bands)

    def remove(self, source: str) -> None:
        """Take out all pieces of a source, and group anew what they held together."""
        rows = self._db.execute("SELECT id, comment_id FROM pieces WHERE source = ?", (source,)).fetchall()
        self._db.execute("DELETE FROM bands WHERE piece IN (SELECT id FROM pieces WHERE source = ?)", (source,))
        self._db.execute("DELETE FROM pieces WHERE source = ?", (source,))
        for comment_id in {row["comment_id"] for row in rows}:
            self.dirty.add(comment_id)
            for row in self._db.execute("SELECT * FROM pieces WHERE comment_id = ?", (comment_id,)).fetchall():
                self._db.execute("UPDATE pieces SET comment_id = '' WHERE id = ?", (row["id"],))
                bands = [band[0] for band in self._db.execute("SELECT band FROM bands WHERE piece = ?", (row["id"],))]
                self._group(row["id"], self._sighting(row), row["text_hash"], bands)

    def comment(self, comment_id: str) -> Comment | None:
        """A comment made of its pieces; None if it has none left."""
        rows = self._db.execute("SELECT * FROM pieces WHERE comment_id = ?", (comment_id,)).fetchall()
        if not rows:
            return None
        ranked = sorted((self._sighting(row) for row in rows), key=_preference)
        best = ranked[0]
        digest = text_hash(best.text)
        changed = [piece for piece in ranked[1:] if text_hash(piece.text) != digest]
        known = _first_known(ranked)
        return Comment(
            id=comment_id,
            text=best.text,
            sightings=tuple(Span(piece.source, piece.start, piece.end) for piece in ranked),
            kind=best.kind,
            quoted=best.quoted,
            gaps=best.gaps,
            border_confidence=max(piece.border_confidence for piece in ranked if piece not in changed),
            versions=tuple(Version(Span(piece.source, piece.start, piece.end), piece.seen_at) for piece in changed),
            **known,
        )

    def _sighting(self, row: Row) -> Sighting:
        query = "SELECT text FROM sources WHERE name = ?"
        blob = self._db.execute(query, (row["source"],)).fetchone()["text"]
        text = bytes(blob).decode("utf-8", "surrogatepass")[row["start"] : row["end"]]
        return Sighting.from_json(text, row["data"])

    def _group(self, piece: int, sighting: Sighting, digest: str, bands: list[int]) -> None:
        joined = {row["comment_id"] for row in self._same(piece, sighting, digest, bands)} - {""}
        if joined:
            self.merged += 1
        self._db.execute("UPDATE pieces SET comment_id = ? WHERE id = ?", (f"new-{piece}", piece))
        members = [f"new-{piece}", *sorted(joined)]
        marks = ",".join("?" * len(members))
        found = self._db.execute(
            f"SELECT MIN(native_id), MIN(text_hash), MIN(source || '#' || start) FROM pieces WHERE comment_id IN ({marks})",
            members,
        ).fetchone()
        if sighting.kind == "comment":
            comment_id = found[0] or f"c-{found[1]}"
        else:
            comment_id = f"{sighting.kind[0]}-{hashlib.sha256(found[2].encode()).hexdigest()[:16]}"
        self._db.execute(f"UPDATE pieces SET comment_id = ? WHERE comment_id IN ({marks})", (comment_id, *members))
        self.dirty |= joined | {comment_id}

    def _same(self, piece: int, sighting: Sighting, digest: str, bands: list[int]) -> Iterable[Row]:
        """Pieces that are the same comment."""
        if sighting.kind != "comment":
            return
        if sighting.native_id is not None:
            yield from self._db.execute(
                "SELECT * FROM pieces WHERE native_id = ? AND id != ? AND kind = 'comment'", (sighting.native_id, piece)
            )
        query = "SELECT * FROM pieces WHERE text_hash = ? AND id != ? AND kind = 'comment'"
        for row in self._db.execute(query, (digest, piece)).fetchall():
            if self._compatible(sighting, row) and (len(sighting.text) >= SHORT or row["source"] == sighting.source):
                yield row
        if bands:
            marks = ",".join("?" * len(bands))
            query = f"SELECT DISTINCT piece FROM bands WHERE band IN ({marks}) AND piece != ?"
            for (other,) in self._db.execute(query, (*bands, piece)).fetchall():
                row = self._db.execute("SELECT * FROM pieces WHERE id = ?", (other,)).fetchone()
                if row["source"] == sighting.source or not self._compatible(sighting, row):
                    continue
                if similarity(sighting.text, self._sighting(row).text) >= SAME_WORDS:
                    yield row

    def _compatible(self, sighting: Sighting, row: Row) -> bool:
        """Two people may say the same; one person in two rows of a file said it twice."""
        own = author_key(sighting.author)
        if own and row["author_key"] and own != row["author_key"]:
            return False
        if sighting.native_id and row["native_id"] and sighting.native_id != row["native_id"]:
            other_file = sighting.source.rpartition("#")[0] != row["source"].rpartition("#")[0]
            return bool(own) and own == row["author_key"] and other_file
        return True


def _preference(piece: Sighting) -> tuple[Any, ...]:
    """Best first: a source that knows the borders, then the latest snapshot."""
    seen = piece.seen_at.timestamp() if piece.seen_at else 0.0
    return (piece.native_id is None, -seen, -piece.rank, piece.source, piece.start)


_FACTS = ("author", "url", "posted_at", "parent_id", "thread_id", "title", "karma", "label")


def _first_known(ranked: list[Sighting]) -> dict[str, Any]:
    facts = {
        name: next((getattr(piece, name) for piece in ranked if getattr(piece, name) is not None), None)
        for name in _FACTS
    }
    extra = {name: value for piece in reversed(ranked) for name, value in piece.extra.items() if name != "mtime"}
    return {**facts, "extra": extra}


def text_hash(text: str) -> str:
    """Of the words alone: line breaks, typographic quotes and spacing differ between snapshots of the same comment."""
    return hashlib.sha256(
        " ".join(_words(text)).encode("utf-8", "surrogatepass") or text.encode("utf-8", "surrogatepass")
    ).hexdigest()[:16]


def line_keys(line: str) -> tuple[int, int]:
    """Two keys by which a long line is known again in another snapshot, even if some of its words were edited."""
    head, tail = line[:SHORT], line[-SHORT:]
    return tuple(_key(f"{side}{part}".encode("utf-8", "surrogatepass")) for side, part in (("^", head), ("$", tail)))


def near_duplicate_bands(text: str) -> list[int]:
    """Keys that texts with nearly the same words share: MinHash in bands (Broder 1997; Leskovec et al., ch. 3)."""
    shingles = _shingles(text)
    if len(shingles) < 8:
        return []
    from datasketch import MinHash

    signature = MinHash(num_perm=_PERMUTATIONS, seed=1)
    signature.update_batch([shingle.encode("utf-8", "surrogatepass") for shingle in shingles])
    values = signature.hashvalues
    packed = [
        struct.pack(f"<I{_BAND}Q", at, *map(int, values[at : at + _BAND])) for at in range(0, _PERMUTATIONS, _BAND)
    ]
    return [_key(item) for item in packed]


def similarity(a: str, b: str) -> float:
    """Jaccard similarity of the word triples of two texts."""
    first, second = _shingles(a), _shingles(b)
    return len(first & second) / len(first | second) if first or second else 0.0


def _key(data: bytes) -> int:
    """A hash that SQLite can hold as an integer."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little", signed=True)


def _shingles(text: str) -> set[str]:
    words = _words(text)
    return {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))} if words else set()


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
