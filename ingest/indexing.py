"""Merged comments that changed -> comments, passages and vectors of the index; all else stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.passages import digest, passages_of
from ingest.quotations import Quotations
from ingest.report import OnProgress, Progress
from ingest.snapshots import Snapshots
from rag.index.stored_records import dump_comment, dump_passage
from rag.index.writer import VectorJob, Writer
from rag.records import Comment

if TYPE_CHECKING:
    from rag.models.embedding import Embedder

BATCH = 128
"""Comments that are chunked and embedded together."""


class Indexer:
    """Writes into the next generation of the index, inside the transaction of `writer`."""

    def __init__(self, writer: Writer, snapshots: Snapshots, embedder: Embedder, progress: OnProgress) -> None:
        self.writer = writer
        self.db = writer.corpus.connection
        self.snapshots = snapshots
        self.quotations = Quotations(writer.corpus, snapshots.comment)
        self.embedder = embedder
        self.progress = progress

    def write(self) -> dict[str, int]:
        """Write everything that changed, and comments that quote it.

        Returns:
            How many comments were added, changed, removed, and left as they were.
        """
        added = changed = removed = 0
        dirty = sorted(self.snapshots.dirty | self._quoting())
        for at in range(0, len(dirty), BATCH):
            self.progress(Progress("embedding", at, len(dirty), "comments"))
            jobs: list[VectorJob] = []
            for comment_id in dirty[at : at + BATCH]:
                before = self.db.execute("SELECT kind, data FROM comments WHERE id = ?", (comment_id,)).fetchone()
                comment = self.snapshots.comment(comment_id)
                if comment and comment.quoted:
                    comment = replace(comment, quotes=self.quotations.find(comment))
                kind = comment.kind if comment else before["kind"] if before else ""
                row = dump_comment(comment) if comment else None
                if row and before and before["data"] == row[-1]:
                    continue
                counted = kind == "comment" and comment_id in self.snapshots.dirty
                added += counted and before is None and comment is not None
                changed += counted and before is not None and comment is not None
                removed += counted and before is not None and comment is None
                jobs += self._replace(comment_id, comment, row)
            self.writer.add_vectors(jobs)
        self.progress(Progress("embedding", len(dirty), len(dirty), "comments"))
        total = self.db.execute("SELECT COUNT(*) FROM comments WHERE kind = 'comment'").fetchone()[0]
        self.progress(Progress("writing", 0, 1, "index"))
        return {"added": added, "changed": changed, "removed": removed, "unchanged": total - added - changed}

    def _quoting(self) -> set[str]:
        """File the words of everything that changed; returns the comments that quote, or quoted, some of them."""
        quoting: set[str] = set()
        dirty = sorted(self.snapshots.dirty)
        for number, comment_id in enumerate(dirty):
            if number % BATCH == 0:
                self.progress(Progress("merging", number, len(dirty), "comments"))
            quoting |= self.quotations.update(comment_id, self.snapshots.comment(comment_id))
        self.progress(Progress("merging", len(dirty), len(dirty), "comments"))
        return quoting

    def _replace(self, comment_id: str, comment: Comment | None, row: tuple | None) -> Iterator[VectorJob]:
        self.db.execute("DELETE FROM passages WHERE comment_id = ?", (comment_id,))
        if comment is None or row is None:
            self.db.execute("DELETE FROM comments WHERE id = ?", (comment_id,))
            return
        self.db.execute(
            "INSERT INTO comments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, "
            "author_key = excluded.author_key, byline = excluded.byline, posted_at = excluded.posted_at, "
            "parent_id = excluded.parent_id, thread_id = excluded.thread_id, place = excluded.place, data = excluded.data",
            row,
        )
        for ordinal, (passage, windows) in enumerate(passages_of(comment, self.embedder)):
            job = VectorJob("v" + digest(passage.text, windows), passage.text, windows)
            self.db.execute(
                "INSERT OR REPLACE INTO passages VALUES (?, ?, ?, ?, ?, ?)",
                (passage.id, comment_id, ordinal, job.vector_id, 1 + len(windows), dump_passage(passage)),
            )
            yield job
