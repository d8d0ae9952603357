"""From a question to an answer: understand, retrieve, decide, answer, suggest.

The steps live in modules of their own; here they are put in order, and here is decided what happens when one of them
fails. Whatever a model does, a reader gets an answer whose citations are exact spans that were checked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rag.clock import Clock
from rag.errors import ModelError
from rag.prompts import ABSTAIN, render_standalone
from rag.records import Answer, Coverage, Filters, Passage, Turn, to_plain

if TYPE_CHECKING:
    from rag.chat_model import ChatModel
    from rag.embedding import Embedder
    from rag.questions import Query
    from rag.retrieval import Retrieved, Retriever
    from rag.settings import Settings
    from rag.store import Store

EVIDENCE = "evidence"
MOST_PASSAGES = 50
"""Passages that are taken where a list is asked for."""
TRACED = 30
"""Candidates of the search that a trace lists."""
SUGGESTION_DEPTH = 1
"""Passages that are fetched and judged to see whether a follow-up has an answer; each takes time."""


class Answerer:
    """Answers questions about one index.

    Args:
        store: The index.
        retriever: Searches it.
        embedder: The model that the index was made with.
        settings: How to answer.
        model: Who writes the answers; without one they are made of quotes.
    """

    def __init__(
        self,
        store: Store,
        retriever: Retriever,
        embedder: Embedder,
        settings: Settings,
        model: ChatModel | None = None,
    ) -> None:
        self.store, self.settings = store, settings
        self._retriever, self._embedder, self._model = retriever, embedder, model
        self._drafter = None
        if model is not None:
            from rag.drafting import Drafter

            self._drafter = Drafter(model, store, embedder, settings)

    @classmethod
    def from_settings(cls, settings: Settings) -> Answerer:
        """The parts that the settings name.

        Raises:
            StoreError: There is no index, or it was made with another embedding model.
            EmbeddingError: The embedding model cannot be loaded.
            ModelError: The chat model cannot be set up at all; one that is merely down is met by quotes, later.
        """
        from rag.chat_model import load_chat_model
        from rag.embedding import load_embedder
        from rag.reranking import load_reranker
        from rag.retrieval import Retriever
        from rag.store import Store

        embedder = load_embedder(settings)
        store = Store.open(settings, embedder)
        reranker = load_reranker(settings.reranker) if settings.reranker else None
        return cls(store, Retriever(store, embedder, reranker), embedder, settings, load_chat_model(settings))

    @property
    def model_name(self) -> str:
        """Who answers: "evidence" or a model's name as in the settings."""
        return self._model.name if self._model else EVIDENCE

    def search(
        self, question: str, limit: int = 5, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> list[Passage]:
        """The passages that bear on a question, best first.

        Raises:
            QuestionError: The question is empty or too long.
        """
        query = self._retriever.understand(question, history, self.settings)
        return self._retriever.search(query, limit, filters)

    def answer(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """Answer a question; see `stream`."""
        *_, last = self.stream(question, history, filters)
        return last

    def stream(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Iterator[Answer]:
        """Answer a question, growing: each item is a longer answer, the last is whole and checked.

        The first has no text yet, only what was found. Until the last, sentences are shown as the model writes them:
        their citations exist, but whether they support them has not been checked. Closing the iterator stops the model.

        Raises:
            QuestionError: The question is empty or too long.
            StoreError: The index cannot be read.
        """
        clock = Clock()
        with clock("understand"):
            query = self._retriever.understand(question, history, self.settings, self._rewrite())
        limit = max(MOST_PASSAGES, self.settings.passages) if query.wants_list else self.settings.passages
        with clock("retrieve"):
            found = self._retriever.retrieve(query, limit, filters)
            allowed = _allowed(found, filters)
            coverage = Coverage(0, 0) if allowed is None else self.store.coverage(allowed)
        base = Answer(question, "", (), found.passages, model=self.model_name, coverage=coverage)
        base = replace(base, trace=self._trace(found, filters))
        yield base

        if allowed is None or not found.passages or found.answerable < self.settings.abstain_below:
            last = _abstained(base, query)
        else:
            last = yield from self._answered(base, found, allowed, history, clock)
        with clock("suggest"):
            suggestions = () if last.abstained else self._suggestions(found, last, filters)
        used = len({citation.passage.comment_id for citation in last.citations})
        trace = {**last.trace, "seconds": clock.seconds()}
        yield replace(last, coverage=replace(coverage, used=used), suggestions=suggestions, trace=trace)

    def _answered(
        self, base: Answer, found: Retrieved, allowed: Filters, history: Sequence[Turn], clock: Clock
    ) -> Generator[Answer, None, Answer]:
        """The model's answer if there is a model and it can, else quotes."""
        warnings: tuple[str, ...] = ()
        if self._drafter is not None:
            written = yield from self._drafter.write(base, found, allowed, history, clock)
            if isinstance(written, Answer):
                return written
            warnings = (f"{self.model_name} could not answer, so these are quotes: {written.reason}",)
            trace = {**base.trace, "model": self.model_name, "failure": written.reason, **written.trace}
            base = replace(base, trace=trace)
        with clock("compose"):
            return replace(self._from_evidence(base, found), warnings=warnings)

    def _from_evidence(self, base: Answer, found: Retrieved) -> Answer:
        from rag.evidence import compose

        composed = compose(
            found.query,
            found.passages,
            embed=self._embedder.embed_texts,
            rarity=self.store.rarity,
            vectors=self.store.vectors,
            question_vector=self._embedder.embed_query(found.query.text),
        )
        base = replace(base, model=EVIDENCE)
        if not composed.citations:
            return _abstained(base, found.query)
        return replace(base, text=composed.text, citations=composed.citations)

    def _rewrite(self) -> Callable[[str], str] | None:
        """Has a model make a follow-up self-contained; where it fails, rules do it."""
        model = self._model
        if model is None:
            return None

        def rewrite(conversation: str) -> str:
            from rag.chat_model import complete

            try:
                return complete(model, render_standalone(conversation))
            except ModelError:
                return ""

        return rewrite

    def _suggestions(self, found: Retrieved, last: Answer, filters: Filters | None) -> tuple[str, ...]:
        from rag.suggestions import suggest

        def answers(question: str, author: str) -> bool:
            query = self._retriever.understand(question, (), self.settings)
            hits = self._retriever.retrieve(query, SUGGESTION_DEPTH, filters, judged=1)
            if not hits.passages or hits.answerable < self.settings.abstain_below:
                return False
            return hits.passages[0].author == author

        return suggest(found.query, found.considered or found.passages, last, self.store.rarity, answers)

    def _trace(self, found: Retrieved, filters: Filters | None) -> dict[str, Any]:
        used = {passage.id for passage in found.passages}
        return {
            "query": to_plain(found.query),
            "filters": to_plain(filters) if filters else None,
            "answerable": round(found.answerable, 4),
            "abstain_below": self.settings.abstain_below,
            "signals": {name: round(value, 4) for name, value in found.signals.items()},
            "passages": [
                {
                    "id": passage.id,
                    "author": passage.byline,
                    "score": round(passage.score, 4),
                    "dense": _rounded(passage.dense_score),
                    "lexical": _rounded(passage.lexical_score),
                    "used": passage.id in used,
                }
                for passage in (found.considered or found.passages)[:TRACED]
            ],
        }


def _allowed(found: Retrieved, filters: Filters | None) -> Filters | None:
    from rag.retrieval import narrowed

    return narrowed(filters, found.query)


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


def _abstained(base: Answer, query: Query) -> Answer:
    """Say that the comments do not answer and, where it is so, that nobody of that name is indexed."""
    text = ABSTAIN
    if query.unknown_authors:
        from rag.evidence import inert

        text += f" No comments by {' or '.join(inert(name) for name in query.unknown_authors)} are indexed."
    return replace(base, text=text, citations=(), abstained=True)
