"""The functions that `rag` exports, over parts that are loaded once per process and settings."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.errors import FilterError, SettingsError
from rag.records import Answer, Comment, Filters, Passage, Turn
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.answering.answerer import Answerer
    from rag.index.store import Store
    from rag.retrieval.retriever import Retriever


def search(
    question: str,
    limit: int = 5,
    history: Sequence[Turn] = (),
    filters: Filters | None = None,
    settings: Settings | None = None,
) -> list[Passage]:
    """Find the passages that bear on a question.

    Args:
        question: In plain words; authors and dates named in it restrict the search.
        limit: Most passages.
        history: The conversation so far, for follow-ups such as "and why?".
        filters: Where to search.
        settings: By default from the environment.

    Returns:
        Passages, best first; `source_text(p.source)[p.start:p.end] == p.text`.

    Raises:
        QuestionError: As of `answer`, or the limit is no whole number, or the filters are no `Filters`.
        StoreError: There is no index, or it does not fit the settings.
    """
    settings, filters = settings or Settings(), _filters(filters)
    retriever = _parts(settings).retriever
    query, *_ = retriever.datable(retriever.understand(question, history, settings), filters)
    return retriever.search(query, limit, filters)


def why_nothing(question: str, filters: Filters | None = None, settings: Settings | None = None) -> str:
    """Why `search` finds nothing for a question, in a sentence or two; empty if nobody and nothing is named that is not there."""
    from rag.abstention.absence import reasons
    from rag.answering.wording import plain
    from rag.language.detection import question_language
    from rag.language.phrases import Phrases

    settings = settings or Settings()
    retriever = _parts(settings).retriever
    query, *_ = retriever.datable(retriever.understand(question, (), settings), filters)
    excluded = not retriever.retrieve(query, 1, filters, judged=0).passages
    phrases = Phrases(question_language(question, settings.language))
    return plain(" ".join(reasons(query, filters, _parts(settings).store, phrases, excluded=excluded)))


def answer(
    question: str,
    history: Sequence[Turn] = (),
    filters: Filters | None = None,
    settings: Settings | None = None,
) -> Answer:
    """Answer a question with citations that are exact spans of real comments.

    Args:
        question: In plain words.
        history: The conversation so far.
        filters: Where to search.
        settings: By default from the environment; `llm` says who answers.

    Returns:
        The answer; with `abstained` where the comments do not answer. When the chat model fails, the answer is made
        of quotes instead and `warnings` says so.

    Raises:
        QuestionError: The question is empty, too long or no text, or the history holds other things than turns.
        StoreError: There is no index, or it does not fit the settings.
        ModelError: The chat model that the settings name cannot be set up at all.
    """
    filters = _filters(filters)
    return answerer(settings).answer(question, history, filters)


def stream_answer(
    question: str,
    history: Sequence[Turn] = (),
    filters: Filters | None = None,
    settings: Settings | None = None,
) -> Iterator[Answer]:
    """Like `answer`, growing: each item is a longer answer, the last is what `answer` would return."""
    filters = _filters(filters)
    return answerer(settings).stream(question, history, filters)


def comments(filters: Filters | None = None, settings: Settings | None = None) -> Iterator[Comment]:
    """All comments that pass the filters, dated ones first by date, then in the order of their sources.

    Raises:
        StoreError: There is no index, or it cannot be read.
    """
    filters = _filters(filters)
    return _parts(settings or Settings()).store.comments(filters)


def source_text(source: str, settings: Settings | None = None) -> str:
    """The exact text that the offsets of spans, passages and citations refer to.

    For a text file this is the file decoded as UTF-8 with its newlines as they are.

    Raises:
        SourceError: The index holds no such source.
    """
    return _parts(settings or Settings()).store.source_text(source)


def answerer(settings: Settings | None = None) -> Answerer:
    """The parts behind these functions, for programs that ask often. Loaded once per process and settings."""
    return _parts(settings or Settings()).answerer


class _Parts:
    """What one set of settings names, each part opened when it is first needed, all on the same open index."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @functools.cached_property
    def store(self) -> Store:
        from rag.index.store import Store

        return Store.open(self._settings)

    @functools.cached_property
    def retriever(self) -> Retriever:
        from rag.retrieval.retriever import Retriever

        return Retriever.from_settings(self._settings, self.store)

    @functools.cached_property
    def answerer(self) -> Answerer:
        from rag.answering.answerer import Answerer

        return Answerer.from_settings(self._settings, self.store)


def _parts(settings: Settings) -> _Parts:
    if not isinstance(settings, Settings):
        raise SettingsError(f"settings is {settings!r}: give rag.Settings(store=...).")
    return _loaded(settings)


@functools.lru_cache(maxsize=4)
def _loaded(settings: Settings) -> _Parts:
    return _Parts(settings)


def _filters(filters: Filters | None) -> Filters | None:
    if filters is None or isinstance(filters, Filters):
        return filters
    raise FilterError(f"filters is {filters!r}: give rag.Filters(authors=..., since=...).")
