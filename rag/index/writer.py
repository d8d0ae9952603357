"""What one ingest writes: vectors that are not there yet, the word index, and which generation is current.

Nothing of it is seen before the transaction round it is committed (see store.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rag.index.corpus import Corpus
from rag.index.database import FORMAT
from rag.index.lexical import RULES, LexicalIndex
from rag.index.vectors import Vectors, this_process
from rag.records import Range

if TYPE_CHECKING:
    from rag.models.embedding import Embedder

BATCH = 256
"""Texts whose vectors are looked up, made and filed together."""


@dataclass(frozen=True, slots=True)
class VectorJob:
    """A passage text to be embedded, with its windows, under the id of its vectors."""

    vector_id: str
    text: str
    windows: tuple[Range, ...]


class Writer:
    """The writing end of one ingest; `Store.writing` makes it.

    Args:
        corpus: Inside the transaction of the ingest.
        vectors: Where vectors are kept.
        lexical: The folder of the word indexes of all generations.
        embedder: Makes the vectors.
        generation: That which becomes current.
        rebuild: Start from nothing; vectors of unchanged texts are reused if the model is the same.
    """

    def __init__(
        self, corpus: Corpus, vectors: Vectors, lexical: Path, embedder: Embedder, generation: int, *, rebuild: bool
    ) -> None:
        self.corpus = corpus
        self.embedded = 0
        """Texts embedded so far, those found in the index not counted."""
        self.switches = True
        """Set it to False where readers would see no difference: what was written is kept, under the same generation."""
        self._vectors, self._lexical, self._embedder, self._generation = vectors, lexical, embedder, generation
        self._unused: Sequence[str] = ()
        current = self.corpus.meta("collection")
        self._old_collection = current if rebuild else None
        self._same_model = self.corpus.meta("embedding_model") == embedder.identity
        self._collection = current if current and not rebuild else f"passages-{generation}"
        if rebuild:
            self.corpus.empty()

    def add_vectors(self, jobs: Sequence[VectorJob], progress: Callable[[int], None] = lambda done: None) -> None:
        """Embed texts whose vectors are not there yet.

        Args:
            jobs: In any number; done in batches that Chroma takes.
            progress: Told how many jobs each batch settled.
        """
        jobs = list({job.vector_id: job for job in jobs}.values())
        for at in range(0, len(jobs), BATCH):
            batch = jobs[at : at + BATCH]
            present = self._vectors.present(self._collection, [job.vector_id for job in batch])
            missing = [job for job in batch if job.vector_id not in present]
            missing = self._copied(missing)
            if missing:
                rows = self._embedder.embed_windows([job.text for job in missing], [job.windows for job in missing])
                self._vectors.add(
                    self._collection, {job.vector_id: row for job, row in zip(missing, rows, strict=True)}
                )
                self.embedded += len(missing)
            progress(len(batch))

    def _copied(self, jobs: Sequence[VectorJob]) -> list[VectorJob]:
        """Take over from the collection that a rebuild replaces what the same model made; return the rest."""
        if not jobs or not self._old_collection or not self._same_model:
            return list(jobs)
        rows = self._vectors.read(self._old_collection, {job.vector_id: 1 + len(job.windows) for job in jobs})
        if rows:
            self._vectors.add(self._collection, rows)
        return [job for job in jobs if job.vector_id not in rows]

    @property
    def words_are_current(self) -> bool:
        """Whether the word index, if there is one, was written by the rules of today."""
        return self.corpus.meta("lexical") is None or self.corpus.meta("lexical_rules", 1) == RULES

    def finish(self) -> None:
        """Write the word index of the new generation and make it current."""
        self._vectors.ensure(self._collection)
        ids, texts = [], []
        for id, text in self.corpus.all_passage_texts():
            ids.append(id)
            texts.append(text)
        LexicalIndex.build(ids, texts, self._lexical / str(self._generation))
        used = {row[0] for row in self.corpus.connection.execute("SELECT DISTINCT vector_id FROM passages")}
        self._unused = self._vectors.unused(self._collection, used)
        self.corpus.set_meta(
            format=FORMAT,
            generation=self._generation,
            lexical=self._generation,
            lexical_rules=RULES,
            collection=self._collection,
            embedding_model=self._embedder.identity,
            created_at=datetime.now(UTC).isoformat(),
            writer=this_process(),
        )

    def clean_up(self) -> None:
        """Delete what the new generation does not use. Searches that began before may still hold the previous files."""
        self._vectors.delete(self._collection, self._unused)
        self._vectors.drop_all_but(self._collection)
        for folder in self._lexical.iterdir():
            if folder.name.isdigit() and int(folder.name) < self._generation - 1:
                shutil.rmtree(folder, ignore_errors=True)
