"""Candidates for a question: vectors and BM25 fused, raised by the context of their threads, reranked if asked for.

Does not choose between candidates (see retriever.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.index.lexical import stems
from rag.question.names import same_name
from rag.question.query import Query
from rag.records import Filters, Passage
from rag.retrieval.threads import around, asked_in

if TYPE_CHECKING:
    from rag.index.store import Store
    from rag.models.embedding import Embedder
    from rag.models.reranking import Reranker

DENSE_WEIGHT = 0.5
LOADED = 80
"""The best of them after fusion, which are read from disk for an answer; twice as many as wanted where more are wanted."""
ASKING = 20
"""Passages of anybody that may ask what is asked, to which the replies of those asked for are looked up."""
TITLED = 0.3
"""What a title that has all words of the topic counts beside a score of fusion, which is 1 at most."""


class HybridSearch:
    """Searches one index by vectors and by words.

    Args:
        store: The index.
        embedder: The model that the index was made with.
        reranker: Reorders the best candidates, if given.
    """

    def __init__(self, store: Store, embedder: Embedder, reranker: Reranker | None = None) -> None:
        self._store, self._embedder, self._reranker = store, embedder, reranker

    def candidates(self, query: Query, text: str, filters: Filters, depth: tuple[int, int]) -> list[Passage]:
        """Both searches fused, best first.

        Args:
            query: The question, understood.
            text: What to search for; the text of the question, or words in its place.
            filters: Where to search, those of the question among them.
            depth: How many passages to take from each search, and how many of the best to read.

        Raises:
            StoreError: The index cannot be read.
            EmbeddingError: The embedding model failed.
        """
        taken, loaded = depth
        vector = self._embedder.embed_query(text)
        dense: dict[str, float] = {}
        lexical: dict[str, float] = {}
        for one in times(query, filters):
            dense.update(self._store.dense(vector, taken, one))
            lexical.update(self._store.lexical(text, taken, one))
        if query.authors and len(dense) >= taken:
            lexical = self._answering(text, filters, dense) | lexical
        fused = fuse(dense, lexical)
        best = list(fused)[:loaded]
        passages = self._store.passages(best, score=fused, dense_score=dense, lexical_score=lexical)
        ranked = [passages[id] for id in best if id in passages and not (query.undated and passages[id].posted_at)]
        ranked = self._in_threads(query, ranked)
        if self._reranker is not None:
            return self._reranker.rerank(text, ranked)
        return ranked

    def _answering(self, text: str, filters: Filters, near: Mapping[str, float]) -> dict[str, float]:
        """Replies that are not near a question and answer somebody who asked much the same, each with what that scores.

        Of few passages all are looked at; of many only these, as "Two kilos." is near nothing.
        """
        asking = dict(self._store.lexical(text, ASKING))
        below = self._store.corpus.replies_below(list(asking), filters)
        return {reply: asking[question] for reply, question in below.items() if reply not in near}

    def _in_threads(self, query: Query, ranked: Sequence[Passage]) -> list[Passage]:
        """Candidates anew, those under a title, or below a question, that has words of the topic before others as good."""
        weights = {stem: self._store.rarity(stem) for stem in stems(query.topic)}
        total = sum(weights.values()) or 1.0
        answered = self._store.corpus.answered_texts([one.id for one in ranked if one.parent_id])
        asked = {id: asked_in(text, weights) for id, text in answered.items()}
        ranked = [replace(one, asked=asked[one.id]) if asked.get(one.id) else one for one in ranked]

        def raised(passage: Passage) -> Passage:
            near = stems(around(passage, weights))
            share = sum(weights[stem] for stem in weights.keys() & set(near)) / total
            return replace(passage, score=passage.score + TITLED * share) if share else passage

        anew = sorted(map(raised, ranked), key=lambda passage: -passage.score)
        if not anew or (best := anew[0].score) <= 1:
            return anew
        return [replace(passage, score=passage.score / best) for passage in anew]


def fuse(dense: Mapping[str, float], lexical: Mapping[str, float]) -> dict[str, float]:
    """Convex combination of min-max normalised scores (Bruch et al. 2023, arXiv:2210.11934), best first."""
    a, b = _normalised(dense), _normalised(lexical)
    scores = {id: DENSE_WEIGHT * a.get(id, 0.0) + (1 - DENSE_WEIGHT) * b.get(id, 0.0) for id in [*dense, *lexical]}
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))


def _normalised(scores: Mapping[str, float]) -> dict[str, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {id: (score - low) / (high - low) if high > low else 1.0 for id, score in scores.items()}


def narrowed(filters: Filters | None, query: Query) -> Filters | None:
    """Filters of the caller and of the question together; None if they exclude each other."""
    filters = filters or Filters()
    authors = tuple(query.authors)
    if filters.authors:
        given = {name for author in filters.authors for name in same_name(author, authors)}
        authors = tuple(author for author in authors if author in given) if authors else filters.authors
        if not authors:
            return None
    since = max((t for t in (filters.since, query.since) if t), default=None)
    until = min((t for t in (filters.until, query.until) if t), default=None)
    if since and until and since > until:
        return None
    return Filters(authors=authors, since=since, until=until, sources=filters.sources)


def times(query: Query, filters: Filters) -> list[Filters]:
    """The filters, for each of the times apart that a question names."""
    return (
        [one for since, until in query.times if (one := narrowed(filters, replace(query, since=since, until=until)))]
        if query.times
        else [filters]
    )
