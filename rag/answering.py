"""From a question to an answer: retrieve, decide, render, stream, cite, verify.

The steps live in modules of their own; here they are put in order, and here is decided what happens when one of them
fails. Whatever a model does, a reader gets an answer whose citations are exact spans that were checked.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rag.citations import CitedText, MarkerStream, assign_keys
from rag.errors import ModelError, ModelReplyError, PromptTooLong, QuestionError
from rag.prompts import ABSTAIN, Message, Prompt, render, render_repair, render_standalone
from rag.records import Answer, Coverage, Filters, Passage, Turn, to_plain
from rag.replies import (
    is_abstention,
    repeated_tail,
    says_only_abstention,
    without_prompt,
    without_torn_end,
)

if TYPE_CHECKING:
    from rag.chat_model import ChatModel, Reply
    from rag.embedding import Embedder
    from rag.questions import Query
    from rag.retrieval import Retrieved, Retriever
    from rag.settings import Settings
    from rag.store import Store
    from rag.tokens import TokenCounter

EVIDENCE = "evidence"
MARKS = {"unsupported": " (not supported by the cited comment)", "uncited": " (uncited)"}
"""What is written behind a sentence that failed its check, so that whoever prints only the text sees it too."""

LIST_FACTOR = 3
"""How many times more passages are taken where a list is asked for."""
OVERFLOW_SHARE = 0.6
"""Share of the budget tried when a model's window turns out smaller than the settings say."""
TRACED = 30
"""Candidates of the search that a trace lists."""
CONTEXT_OF = 3
"""For how many of the best passages the comment they reply to is shown to the model."""


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
        self._counter: TokenCounter | None = None
        self._notes_given = threading.Event()

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
        return list(self._retriever.retrieve(query, limit, filters).passages)

    def answer(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """Answer a question; see `stream`."""
        *_, last = self.stream(question, history, filters)
        return last

    def stream(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Iterator[Answer]:
        """Answer a question, growing: each item is a longer answer, the last is whole and checked.

        Until the last item sentences are shown as the model writes them, with citations that exist but have not been
        checked yet. Closing the iterator stops the model.

        Raises:
            QuestionError: The question is empty or too long.
            StoreError: The index cannot be read.
        """
        clock = _Clock()
        with clock("understand"):
            query = self._retriever.understand(question, history, self.settings, self._rewrite())
        limit = self.settings.passages * (LIST_FACTOR if query.wants_list else 1)
        with clock("retrieve"):
            found = self._retriever.retrieve(query, limit, filters)
            coverage = self._coverage(found, filters)
        trace = {**_retrieval_trace(found, filters), "abstain_below": self.settings.abstain_below}
        base = Answer(question, "", (), found.passages, model=self.model_name, coverage=coverage, trace=trace)
        yield base

        if not found.passages or found.answerable < self.settings.abstain_below:
            last = _abstained(base, query)
        elif self._model is None:
            with clock("compose"):
                last = self._from_evidence(base, found)
        else:
            last = yield from self._from_model(base, found, history, clock)
        with clock("suggest"):
            suggestions = () if last.abstained else self._suggestions(found, last, filters)
        used = len({citation.passage.comment_id for citation in last.citations})
        yield replace(
            last,
            coverage=replace(coverage, used=used),
            suggestions=suggestions,
            trace={**last.trace, "seconds": clock.seconds()},
        )

    # -- the parts of an answer ------------------------------------------------------------------------------------

    def _rewrite(self) -> Any:
        """How a follow-up is made self-contained; where the model fails, rules do it."""
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

    def _coverage(self, found: Retrieved, filters: Filters | None) -> Coverage:
        from rag.retrieval import narrowed

        allowed = narrowed(filters, found.query)
        return Coverage(0, 0) if allowed is None else self.store.coverage(allowed)

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
        if not composed.citations:
            return _abstained(base, found.query)
        return replace(base, text=composed.text, citations=composed.citations, model=EVIDENCE)

    def _from_model(
        self, base: Answer, found: Retrieved, history: Sequence[Turn], clock: _Clock
    ) -> Generator[Answer, None, Answer]:
        """Growing answers of the model; returns the checked one, or quotes where the model fails."""
        drafts: list[_Draft] = []
        try:
            prompt, draft = yield from self._drafted(base, found, history, clock)
            drafts.append(draft)
            quotes = self._quote_book(found, base)
            with clock("verify"):
                best = self._checked(base, draft, prompt, quotes)
            if self.settings.llm_repair and best.problems:
                told = render_repair(prompt, draft.text, best.problems)
                drafts.append((yield from self._ask(base, prompt, told, clock)))
                with clock("verify"):
                    best = max(best, self._checked(base, drafts[-1], prompt, quotes), key=lambda one: one.worth)
            if best.failure:
                raise ModelReplyError(best.failure)
        except (ModelError, QuestionError) as exc:
            return self._instead(base, found, exc, drafts)
        return replace(
            best.answer,
            warnings=(*self._notes(), *_warnings(best, drafts)),
            trace={**base.trace, **_prompt_trace(prompt), **_drafts_trace(drafts)},
        )

    def _instead(self, base: Answer, found: Retrieved, exc: Exception, drafts: Sequence[_Draft]) -> Answer:
        """Quotes, where the model failed, and why."""
        answer = self._from_evidence(base, found)
        warning = f"{self.model_name} could not answer, so this is made of quotes: {exc}"
        trace = {**base.trace, "failed_model": self.model_name, "failure": str(exc), **_drafts_trace(drafts)}
        return replace(answer, warnings=(warning,), trace=trace)

    def _quote_book(self, found: Retrieved, base: Answer) -> QuoteBook:
        """Finds quoted words in what was searched: also in comments that the model was not shown."""
        from rag.quotes import QuoteBook

        def lookup(phrase: str) -> list[Passage]:
            hits = self.store.lexical(phrase, LOOKED_UP, base_filters)
            return list(self.store.passages([id for id, _ in hits]).values())

        base_filters = self._allowed(found)
        return QuoteBook(found.passages, lookup, base.question)

    def _drafted(
        self, base: Answer, found: Retrieved, history: Sequence[Turn], clock: _Clock
    ) -> Generator[Answer, None, tuple[Prompt, _Draft]]:
        """The model's reply to the prompt; to a smaller one if its window turns out smaller than thought."""
        prompt = self._prompt(found, history)
        try:
            return prompt, (yield from self._ask(base, prompt, prompt.messages, clock))
        except PromptTooLong:
            prompt = self._prompt(found, history, OVERFLOW_SHARE)
            return prompt, (yield from self._ask(base, prompt, prompt.messages, clock))

    def _prompt(self, found: Retrieved, history: Sequence[Turn], share: float = 1.0) -> Prompt:
        from rag.tokens import answer_tokens, load_counter

        if self._counter is None:
            self._counter = load_counter(self.model_name)
        settings = self.settings
        window = min(
            settings.llm_context_tokens, getattr(self._model, "context_tokens", None) or settings.llm_context_tokens
        )
        return render(
            found.query.original,
            found.passages,
            assign_keys(found.passages),
            history,
            nonce=secrets.token_hex(4),
            budget=int(share * (window - answer_tokens(window, settings.llm_answer_tokens))),
            counter=self._counter,
            context=self._context(found.passages),
            language=settings.language,
        )

    def _context(self, passages: Sequence[Passage]) -> list[Passage]:
        """The comments that the best passages reply to, where they are indexed and not found themselves."""
        present = {passage.comment_id for passage in passages}
        parents = dict.fromkeys(
            p.parent_id for p in passages[:CONTEXT_OF] if p.parent_id and p.parent_id not in present
        )
        return [passage for parent in parents for passage in self.store.corpus.passages_of(parent)[:1]]

    def _ask(
        self, base: Answer, prompt: Prompt, messages: Sequence[Message], clock: _Clock
    ) -> Generator[Answer, None, _Draft]:
        """Stream a reply, stopping it where it only repeats itself."""
        assert self._model is not None
        reply = self._model.stream(messages)
        stream, text, restarts = MarkerStream(prompt.keys), "", 0
        with clock("write"), closing(reply):
            for piece in reply:
                if reply.restarts > restarts:
                    stream, text, restarts = MarkerStream(prompt.keys), "", reply.restarts
                text += piece
                if stream.feed(piece):
                    clock.note("first_words")
                    shown = stream.so_far()
                    yield replace(base, text=shown.text, citations=shown.citations)
                if repeated := repeated_tail(text):
                    return _Draft(text[:-repeated], reply, looped=True)
        return _Draft(text, reply)

    def _checked(self, base: Answer, draft: _Draft, prompt: Prompt) -> _Checked:
        """Read a whole reply, and check everything in it."""
        text = without_prompt(draft.text, prompt.messages, prompt.nonce)
        if draft.looped or draft.reply.finish in ("length", "filtered"):
            text = without_torn_end(text)
        stream = MarkerStream(prompt.keys)
        stream.feed(text)
        cited = stream.finish()
        if says_only_abstention(cited.text) or (not cited.citations and is_abstention(cited.text)):
            return _Checked(replace(base, text=ABSTAIN, abstained=True))
        return self._verified(base, cited)

    def _verified(self, base: Answer, cited: CitedText) -> _Checked:
        failure = "" if cited.citations else "its reply has no valid citation."
        return _Checked(replace(base, text=cited.text, citations=cited.citations), failure, cited.dropped)

    def _notes(self) -> tuple[str, ...]:
        """What is said once, with the first answer of a model."""
        if self._counter is None or self._counter.note is None or self._notes_given.is_set():
            return ()
        self._notes_given.set()
        return (self._counter.note,)

    def _suggestions(self, found: Retrieved, last: Answer, filters: Filters | None) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class _Draft:
    """A reply as the model wrote it, thinking and repetitions left out."""

    text: str
    reply: Reply
    looped: bool = False


@dataclass(frozen=True)
class _Checked:
    """A reply that was read and checked."""

    answer: Answer
    failure: str = ""
    """Why it cannot be shown at all; empty if it can."""
    dropped: int = 0
    """Citations that did not reach the reader."""
    problems: tuple[str, ...] = ()
    """What the model would be told, had it another try."""

    @property
    def worth(self) -> tuple[bool, int]:
        """Compares two replies: shown at all, then supported sentences less those that failed."""
        statuses = [check.status for check in self.answer.checks]
        return not self.failure, statuses.count("supported") - sum(status != "supported" for status in statuses)


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._stages[stage] = self._stages.get(stage, 0.0) + time.perf_counter() - start

    def note(self, event: str) -> None:
        """When something happened first, counted from the question."""
        self._stages.setdefault(event, time.perf_counter() - self._start)

    def seconds(self) -> dict[str, float]:
        """Rounded, with the total."""
        self.note("total")
        return {stage: round(seconds, 4) for stage, seconds in self._stages.items()}


def _abstained(base: Answer, query: Query) -> Answer:
    """Say that the comments do not answer, and if so, that nobody of that name is indexed."""
    text = ABSTAIN
    if query.unknown_authors:
        from rag.evidence import inert

        text += f" No comments by {' or '.join(inert(name) for name in query.unknown_authors)} are indexed."
    return replace(base, text=text, citations=(), abstained=True)


def _warnings(draft: _Draft, checked: _Checked) -> list[str]:
    """What a reader should know about how the answer came about."""
    told: list[str] = []
    if draft.looped:
        told.append("The model began to repeat itself and was stopped.")
    if draft.reply.finish == "length":
        told.append("The answer reached its longest length and was cut: raise COMMENTARIAT_LLM_ANSWER_TOKENS for more.")
    if draft.reply.finish == "filtered":
        told.append("The provider withheld the rest of the answer.")
    if checked.dropped:
        what = "citation that does" if checked.dropped == 1 else "citations that do"
        told.append(f"{checked.dropped} {what} not exist in the comments shown to the model left out.")
    return told


# -- what happened on the way ------------------------------------------------------------------------------------------


def _retrieval_trace(found: Retrieved, filters: Filters | None) -> dict[str, Any]:
    shown = {passage.id for passage in found.passages}
    return {
        "query": to_plain(found.query),
        "filters": to_plain(filters) if filters else None,
        "answerable": round(found.answerable, 4),
        "signals": {name: round(value, 4) for name, value in found.signals.items()},
        "passages": [
            {
                "id": passage.id,
                "author": passage.byline,
                "score": round(passage.score, 4),
                "dense": None if passage.dense_score is None else round(passage.dense_score, 4),
                "lexical": None if passage.lexical_score is None else round(passage.lexical_score, 4),
                "used": passage.id in shown,
            }
            for passage in (found.considered or found.passages)[:TRACED]
        ],
    }


def _prompt_trace(prompt: Prompt) -> dict[str, Any]:
    return {
        "prompt": [{"role": message.role, "content": message.content} for message in prompt.messages],
        "prompt_tokens_counted": prompt.tokens,
        "passages_in_prompt": prompt.passages,
        "passages_left_out": prompt.left_out,
        "turns_left_out": prompt.turns_left_out,
    }


def _drafts_trace(drafts: Sequence[_Draft]) -> dict[str, Any]:
    return {
        "replies": [
            {
                "text": draft.text,
                "finish": draft.reply.finish,
                "tries": draft.reply.tries,
                "tokens": None if draft.reply.usage is None else to_plain(draft.reply.usage),
            }
            for draft in drafts
        ]
    }
