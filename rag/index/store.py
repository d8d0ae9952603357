"""The index on disk: open, search, write, switch.

A store is a folder:

    index.sqlite3   sources, comments, passages, and which generation is current (corpus.py)
    chroma/         vectors; or a Chroma server in its place (vectors.py)
    rows.sqlite3    a copy of them that is faster to read from (row_copy.py)
    lexical/<n>/    the word index of generation n (lexical.py)

Vectors are filed under a hash of what was embedded and are never changed: an ingest adds the new ones beside those in
use, where no search sees them, because a search keeps only vectors that belong to a passage. Committing the SQLite
transaction switches everything at once; what is no longer used is deleted after that. So a process may die at any
point: the old generation goes on answering, and the next run finds what was embedded.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rag.errors import SourceError, StoreMismatch, StoreMissing, StoreUnavailable
from rag.index.corpus import Corpus
from rag.index.database import translated
from rag.index.lexical import LexicalIndex
from rag.index.row_copy import RowCopy
from rag.index.vectors import COMPARED, ROWS_PER_PASSAGE, Vectors, this_process
from rag.index.word_usage import USES, WordUsage
from rag.index.writer import Writer
from rag.language.letters import unspaced
from rag.question.names import same_name
from rag.records import Comment, Coverage, Filters, IndexInfo, Passage, as_datetime, author_key, written
from rag.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from filelock import FileLock

    from rag.models.embedding import Embedder

log = logging.getLogger(__name__)

Record = TypeVar("Record", bound="Comment | Passage | None")

FILTERS_KEPT = 8
"""Filters whose passages are remembered: a conversation asks with the same ones again and again."""


@dataclass(frozen=True, slots=True)
class People:
    """Whose comments are indexed."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    """Of authors without a name, such as "unnamed profile (example.org)"."""
    newest: datetime | None = None
    """When they last wrote, where that is known."""
    keys: frozenset[str] = frozenset()
    """What their names and labels are compared by."""
    outdated: frozenset[str] = frozenset()
    """Ids of profiles of which a later snapshot has another."""


class Store:
    """One index, open for searching. Safe to share between threads; notices by itself when a new generation is current.

    Use `Store.open`.
    """

    def __init__(self, folder: Path, chroma_url: str | None = None) -> None:
        self.folder = folder
        self.corpus = Corpus(folder / "index.sqlite3")
        self._vectors = Vectors(folder / "chroma", chroma_url, RowCopy(folder / "rows.sqlite3"))
        self._lock = threading.Lock()
        self._generation: int | None = None
        self._lexical: LexicalIndex | None = None
        self._filtered: dict[tuple[int, Filters], dict[str, tuple[str, int]]] = {}
        self._usages: dict[tuple[int, str], WordUsage] = {}
        self._people: tuple[int, People] | None = None
        self._held = threading.local()

    @classmethod
    def open(cls, settings: Settings, embedder: Embedder | None = None) -> Store:
        """Open the index that the settings name.

        Args:
            settings: Where it is.
            embedder: If given, the index must have been made with this model.

        Raises:
            StoreMissing: Nothing has been ingested yet; or the first ingest is still running, which the message says.
            StoreMismatch: The index was made with another embedding model, or by a newer version.
            StoreUnavailable: The files cannot be read.
        """
        folder = Path(settings.store)
        if not (folder / "index.sqlite3").is_file():
            raise _nothing_in(folder)
        store = cls(folder, settings.chroma_url)
        if store.generation == 0:
            raise _nothing_in(folder)
        if embedder is not None:
            store.check_model(embedder.identity)
        return store

    @property
    def generation(self) -> int:
        """Counts the switches; 0 before the first."""
        held: int | None = getattr(self._held, "generation", None)
        if held is not None:
            return held
        with translated(self.corpus.path):
            return int(self.corpus.meta("generation", 0))

    @contextmanager
    def one_generation(self) -> Iterator[None]:
        """Look once, not at each of many small steps, whether a new generation is current; for this thread."""
        outer: int | None = getattr(self._held, "generation", None)
        self._held.generation = self.generation
        try:
            yield
        finally:
            self._held.generation = outer

    def check_model(self, identity: str) -> None:
        """Raises StoreMismatch unless the index was made with this embedding model."""
        found = self.corpus.meta("embedding_model")
        if found is not None and found != identity:
            raise StoreMismatch(
                f'The index in {self.folder} was made with the embedding model "{found}", the settings ask for '
                f'"{identity}". Rebuild it with `python -m ingest --rebuild PATH`, or set embedding_model back.'
            )

    def info(self) -> IndexInfo:
        """What is indexed."""
        comments, _, since, until = self.corpus.counts()
        return IndexInfo(
            comments=comments,
            passages=self.corpus.passage_count(),
            authors=tuple(self.corpus.authors()),
            sources=tuple(self.corpus.sources()),
            since=as_datetime(since),
            until=as_datetime(until),
            embedding_model=self.corpus.meta("embedding_model", ""),
            created_at=as_datetime(self.corpus.meta("created_at")),
            generation=str(self.generation),
        )

    def people(self) -> People:
        """Whose comments are indexed."""
        generation = self.generation
        if self._people is None or self._people[0] != generation:
            names, labels = self.corpus.people()
            newest = as_datetime(self.corpus.counts()[3])
            keys = frozenset(map(author_key, (*names, *labels)))
            self._people = (
                generation,
                People(tuple(names), tuple(labels), newest, keys, self.corpus.outdated_profiles()),
            )
        return self._people[1]

    def _with_names(self, filters: Filters | None) -> Filters | None:
        """Filters in which authors who are written with other accents or punctuation are called as they are here."""
        if not filters or not filters.authors:
            return filters
        people = self.people()
        if all(author_key(name) in people.keys for name in filters.authors):
            return filters
        known = (*people.names, *people.labels)
        named = (name for given in filters.authors for name in same_name(given, known) or [given])
        return replace(filters, authors=tuple(dict.fromkeys(named)))

    def coverage(self, *filters: Filters | None) -> Coverage:
        """How much a search looks at that has one of these filters after the other."""
        named = [self._with_names(one) for one in filters]
        comments, authors, since, until = self.corpus.counts(*named)
        names = named[0].authors if named and named[0] else ()
        return Coverage(comments, authors, as_datetime(since), as_datetime(until), tuple(names))

    def authors(self, *filters: Filters | None) -> list[tuple[str, int]]:
        """Who wrote what one of these filters admits, and how many comments, most first."""
        return self.corpus.authors(*map(self._with_names, filters))

    def holds(self, filters: Filters) -> bool:
        """Whether anything passes the filters: a comment, a profile or a document."""
        return bool(self._matching(filters))

    def comments(self, filters: Filters | None = None) -> Iterator[Comment]:
        """Comments in a stable order; profiles and documents are none."""
        return self.corpus.comments(self._with_names(filters))

    def comment(self, id: str) -> Comment | None:
        """A comment, profile or document by its id."""
        return self._dated(self.corpus.comment(id))

    def source_text(self, source: str) -> str:
        """The exact text that offsets into `source` refer to.

        Raises:
            SourceError: No such source is in the index.
        """
        text = self.corpus.source_text(source) if written(source) else None
        if text is None:
            raise SourceError(f'No source "{source}" is in the index {self.folder}. `commentariat sources` lists them.')
        return text

    def passages(self, ids: Sequence[str], **scores: Mapping[str, float]) -> dict[str, Passage]:
        """Passages by id; unknown ids are left out.

        Args:
            ids: Which.
            scores: For a field of the passages, such as `score`, its values by id.
        """
        return {id: self._dated(passage) for id, passage in self.corpus.passages(ids, scores).items()}

    def _dated(self, record: Record) -> Record:
        """A comment or passage, marked if it is a profile of which a later snapshot has another."""
        if record is None or record.kind != "profile":
            return record
        id = record.id if isinstance(record, Comment) else record.comment_id
        return replace(record, outdated=id in self.people().outdated)

    def dense(self, vector: np.ndarray, limit: int, filters: Filters | None = None) -> list[tuple[str, float]]:
        """The passages nearest to a vector.

        Args:
            vector: Unit vector of the question.
            limit: Most passages.
            filters: Where to search.

        Returns:
            Passage ids with the cosine similarity of their best row (the passage or one of its windows), best first.
        """
        allowed = self._matching(filters) if filters else None
        if allowed is not None and not allowed:
            return []
        self._refresh()
        only = None if allowed is None else set(allowed.values())
        best: dict[str, float] = {}
        for vector_id, score in self._vectors.nearest(self._collection(), vector, limit * ROWS_PER_PASSAGE, only):
            best[vector_id] = max(score, best.get(vector_id, -1.0))
        if not best and self.corpus.passage_count():
            raise StoreUnavailable(
                f"The vectors of the index {self.folder} are no longer in {self._vectors.place}. Rebuild them with "
                "`python -m ingest --rebuild`."
            )
        if allowed is not None and len(allowed) <= COMPARED:
            scored = [(id, best[vector_id]) for id, (vector_id, _) in allowed.items() if vector_id in best]
        else:
            scored = self._of_passages(best, limit, allowed)
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:limit]

    def _of_passages(
        self, best: Mapping[str, float], limit: int, allowed: Mapping[str, tuple[str, int]] | None
    ) -> list[tuple[str, float]]:
        """Scores of vectors, best first, as scores of passages.

        Each vector but a left-over one belongs to some passage: as many of the nearest as are wanted are nearly always enough.
        """
        scored: list[tuple[str, float]] = []
        for count in (limit, len(best)):
            pairs = self.corpus.passages_with_vectors(list(best)[:count])
            scored = [(id, best[vector_id]) for vector_id, id in pairs if allowed is None or id in allowed]
            if len(scored) >= limit:
                break
        return scored

    def lexical(self, query: str, limit: int, filters: Filters | None = None) -> list[tuple[str, float]]:
        """The passages that share words with a query: ids with BM25 scores, best first, none with score 0."""
        allowed = self._matching(filters) if filters else None
        return self._words().search(query, limit, allowed)

    def holding(self, words: str, filters: Filters | None = None) -> list[str]:
        """Ids of all passages that have each of these words."""
        allowed = self._matching(filters) if filters else None
        parts = [word for word in words.split() if unspaced(word)]
        if not parts:
            return self._words().holding(words, allowed)
        found = [id for id in self.corpus.containing(parts) if allowed is None or id in allowed]
        rest = " ".join(word for word in words.split() if not unspaced(word))
        return self._words().holding(rest, found) if rest else found

    def _matching(self, filters: Filters) -> dict[str, tuple[str, int]]:
        """Passages that pass the filters, with vector id and number of rows."""
        key = (self.generation, filters)
        if (found := self._filtered.get(key)) is None:
            found = self.corpus.matching(self._with_names(filters))
            with self._lock:
                while len(self._filtered) >= FILTERS_KEPT:
                    self._filtered.pop(next(iter(self._filtered)))
                self._filtered[key] = found
        return found

    def rarity(self, word: str) -> float:
        """How rare a word is here, from 0 (in every passage) to 1 (in none)."""
        return self._words().rarity(word)

    def knows(self, word: str) -> bool:
        """Whether any passage has the word, in any form with the same stem."""
        return self._words().knows(word)

    def writes(self, word: str) -> bool:
        """Whether a passage has the word in exactly this form; `knows` is true for any with the same stem."""
        exactly = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
        return any(exactly.search(passage.text) for passage in self.passages(self.holding(word)[:USES]).values())

    def uses_plainly(self, word: str) -> bool:
        """Whether passages use a word as no name, going by how often it stands behind an article: "the lighthouse"."""
        return self._usage(word).plain

    def writes_small(self, word: str) -> bool:
        """Whether passages write a word with a small letter half the time or more often; False if they never use it."""
        return self._usage(word).small

    def _usage(self, word: str) -> WordUsage:
        """How the best passages for a word use it; remembered for the current generation."""
        key = (self.generation, word.casefold())
        if (usage := self._usages.get(key)) is None:
            passages = self.passages([id for id, _ in self.lexical(word, USES)])
            usage = WordUsage.of(word, (passage.text for passage in passages.values()))
            with self._lock:
                current = {known: found for known, found in self._usages.items() if known[0] == key[0]}
                self._usages = {**current, key: usage}
        return usage

    def vectors(self, passage_ids: Sequence[str]) -> dict[str, np.ndarray]:
        """The rows of passages: for each (1 + windows, dimension), the whole passage first."""
        vectors = self.corpus.vectors_of(passage_ids)
        self._refresh()
        rows = self._vectors.rows(self._collection(), dict(vectors.values()))
        return {passage: rows[vector] for passage, (vector, _) in vectors.items() if vector in rows}

    @contextmanager
    def writing(self, embedder: Embedder, *, rebuild: bool = False) -> Iterator[Writer]:
        """One ingest: all of it becomes current at the end, or nothing of it.

        Args:
            embedder: Makes the vectors. Unless rebuilding, it must be the model that the index was made with.
            rebuild: Start from nothing. Vectors of unchanged texts are still reused if the model is the same.

        Raises:
            StoreMismatch: The index was made with another embedding model.
            StoreUnavailable: Another ingest is running.
        """
        from filelock import Timeout

        lock = _ingest_lock(self.folder)
        try:
            lock.acquire()
        except Timeout as exc:
            raise StoreUnavailable(f"Another ingest into {self.folder} is running. Wait for it, or stop it.") from exc
        try:
            if not rebuild:
                self.check_model(embedder.identity)
            generation = self.generation + 1
            with self.corpus.transaction():
                writer = Writer(
                    self.corpus, self._vectors, self.folder / "lexical", embedder, generation, rebuild=rebuild
                )
                yield writer
                if writer.switches:
                    writer.finish()
            if writer.switches:
                try:
                    writer.clean_up()
                except StoreUnavailable as exc:
                    log.warning("What the index no longer uses is deleted by the next ingest: %s", exc)
        finally:
            lock.release()

    def _collection(self) -> str:
        return self.corpus.meta("collection")

    def _words(self) -> LexicalIndex:
        self._refresh()
        assert self._lexical is not None
        return self._lexical

    def _refresh(self) -> None:
        """Follow a switch: other processes write too, and old handles do not see what they wrote."""
        if self.generation == self._generation:
            return
        with self._lock:
            # Another thread may have followed it by now, or this one holds a generation that is over.
            generation = self.corpus.meta("generation", 0)
            if generation == self._generation:
                return
            if self._generation is not None and self.corpus.meta("writer") != this_process():
                self._vectors.reopen()
            try:
                self._lexical = LexicalIndex.open(self.folder / "lexical" / str(self.corpus.meta("lexical")))
            except (OSError, EOFError, KeyError, ValueError) as exc:
                raise StoreUnavailable(
                    f"The word index in {self.folder / 'lexical'} cannot be read ({exc}). "
                    "Rebuild with `python -m ingest --rebuild PATH`."
                ) from exc
            self._generation = generation


def _ingest_lock(folder: Path) -> FileLock:
    """Held by the one process that may write into the index."""
    from filelock import FileLock  # which takes longer to import than all of this module

    return FileLock(folder / "ingest.lock", timeout=0)


def _nothing_in(folder: Path) -> StoreMissing:
    """What to say, and what to do, about a folder without an index."""
    from filelock import Timeout

    try:
        if folder.is_dir():
            with _ingest_lock(folder):
                pass
    except Timeout:
        return StoreMissing(f"The first ingest into {folder} is still running. Ask again when it has ended.")
    except OSError as exc:  # a folder in which one may only read
        log.debug("Whether an ingest is running in %s cannot be seen: %s", folder, exc)
    return StoreMissing(
        f"No comments are indexed in {folder}. Run `python -m ingest PATH` first, or set COMMENTARIAT_STORE "
        "to the folder of an index."
    )
